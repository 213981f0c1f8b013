// SPDX-License-Identifier: GPL-2.0-only
/* How interrupts reach an ap_list: lines, SGIs, and the queueing itself. */
#include <errno.h>

#include "vgic_internal.h"

/* vgic_queue_irq_unlock: OV-10 to OV-13. */
bool vgic_queue(struct vgic *vgic, struct vgic_irq *irq)
{
	unsigned int to = vgic_irq_oracle(vgic, irq);
	bool broadcast;

	if (irq->vcpu != VGIC_NO_VCPU || to == VGIC_NO_VCPU) {
		/* It may be an edge for an interrupt that the guest has just finished in its LR. */
		if (to != VGIC_NO_VCPU)
			vgic_request(vgic, to, VGIC_REQ_IRQ_PENDING, true);
		return false;
	}
	vgic_list_append(vgic, to, irq);
	vgic_note(vgic, VGIC_EVENT_QUEUED, to, irq, 0);

	/* The first SPI makes every vCPU trap DIR: it may be deactivated anywhere. */
	broadcast = vgic->cfg.policy->track_spis && vgic_has_tdir(vgic) && !vgic->cfg.model_v2 &&
		    vgic_valid_spi(vgic, irq->intid) && vgic->active_spis++ == 0;
	if (!broadcast) {
		vgic_request(vgic, to, VGIC_REQ_IRQ_PENDING, true);
		return true;
	}
	for (unsigned int i = 0; i < vgic->cfg.nr_vcpus; i++)
		vgic_request(vgic, i, VGIC_REQ_IRQ_PENDING, true);
	return true;
}

/* kvm_vgic_inject_irq: OV-6 to OV-8. */
int vgic_inject(struct vgic *vgic, unsigned int vcpu, uint32_t intid, bool level)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, vcpu, intid);

	if (!irq)
		return -EINVAL;
	if (irq->level ? irq->line_level == level : !level)
		return 0;
	if (irq->level)
		irq->line_level = level;
	else
		irq->pending_latch = true;
	vgic_queue(vgic, irq);
	return 1;
}

/* vgic_v3_queue_sgi */
bool vgic_send_sgi(struct vgic *vgic, unsigned int target, uint32_t intid, bool allow_group1)
{
	struct vgic_irq *irq;

	if (target >= vgic->cfg.nr_vcpus || intid >= VGIC_NR_SGIS)
		return false;
	irq = &vgic->vcpus[target].private_irqs[intid];
	if (irq->group1 && !allow_group1)
		return false;
	irq->pending_latch = true;
	vgic_queue(vgic, irq);
	return true;
}

/* Fields of GICD_SGIR as the architecture lays them out. */
void vgic_write_gicd_sgir(struct vgic *vgic, unsigned int from, uint32_t value)
{
	uint32_t intid = value & 0xf, targets = (value >> 16) & 0xff;

	switch ((value >> 24) & 3) {
	case 1:
		targets = ((1u << vgic->cfg.nr_vcpus) - 1) & 0xff & ~(1u << from);
		break;
	case 2:
		targets = 1u << from;
		break;
	case 3:
		return;
	}
	for (unsigned int i = 0; i < 8 && i < vgic->cfg.nr_vcpus; i++) {
		struct vgic_irq *irq = &vgic->vcpus[i].private_irqs[intid];

		if (!(targets & (1u << i)))
			continue;
		irq->pending_latch = true;
		irq->source |= 1u << from;
		vgic_queue(vgic, irq);
	}
}

/* vgic_v3_dispatch_sgi; fields of ICC_SGI1R_EL1 as the architecture lays them out. */
void vgic_write_sgir(struct vgic *vgic, unsigned int from, uint64_t value, bool allow_group1)
{
	uint32_t intid = (value >> 24) & 0xf;
	unsigned int base;

	if (value & (1ull << 40)) {
		for (unsigned int i = 0; i < vgic->cfg.nr_vcpus; i++)
			if (i != from)
				vgic_send_sgi(vgic, i, intid, allow_group1);
		return;
	}
	base = ((value >> 16) & 0xff) << 4 | ((value >> 32) & 0xff) << 12;
	for (unsigned int i = 0; i < 16; i++)
		if (value & (1ull << i))
			vgic_send_sgi(vgic, base + i, intid, allow_group1);
}
