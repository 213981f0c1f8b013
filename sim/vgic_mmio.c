// SPDX-License-Identifier: GPL-2.0-only
/* Guest writes to the distributor and the redistributors, one interrupt at a time. */
#include "vgic_internal.h"

static void halt(struct vgic *vgic, bool on)
{
	if (vgic->cfg.env.halt)
		vgic->cfg.env.halt(vgic->cfg.env.opaque, on);
}

/* vgic_mmio_change_active between prepare and finish: OV-73, OV-74. */
void vgic_write_active(struct vgic *vgic, unsigned int vcpu, unsigned int of, uint32_t intid,
		       bool active)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, of, intid);
	/* The state of an interrupt in another vCPU's LR is known only once that vCPU is out. */
	bool all_out = intid >= VGIC_NR_PRIVATE || (!vgic->cfg.model_v2 && of != vcpu);

	if (!irq)
		return;
	if (all_out)
		halt(vgic, true);
	irq->active = active;
	if (irq->hw && !vgic_irq_is_sgi(irq))
		vgic_physical_active(vgic, of, irq, active);
	else if (active && vgic->cfg.model_v2 && vgic_irq_is_sgi(irq))
		irq->active_source = vcpu;
	if (irq->active)
		vgic_queue(vgic, irq);
	if (all_out)
		halt(vgic, false);
}

void vgic_write_enable(struct vgic *vgic, unsigned int of, uint32_t intid, bool enable)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, of, intid);

	if (!irq)
		return;
	if (!enable) {
		irq->enabled = false;
		return;
	}
	if (vgic_irq_mapped_level(irq)) {
		bool was_high = irq->line_level;

		/* The device may have moved its line while nobody looked. */
		irq->line_level = vgic_physical_level(vgic, of, irq);
		if (!irq->active && was_high && !irq->line_level)
			vgic_physical_active(vgic, of, irq, false);
	}
	irq->enabled = true;
	vgic_queue(vgic, irq);
}

void vgic_write_pending(struct vgic *vgic, unsigned int of, uint32_t intid, bool pending)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, of, intid);

	if (!irq || (vgic->cfg.model_v2 && vgic_irq_is_sgi(irq)))
		return;
	irq->pending_latch = pending;
	if (pending) {
		if (irq->hw)
			vgic_physical_active(vgic, of, irq, true);
		vgic_queue(vgic, irq);
	} else if (irq->hw && !irq->active) {
		vgic_physical_active(vgic, of, irq, false);
	}
}

void vgic_write_group(struct vgic *vgic, unsigned int of, uint32_t intid, unsigned int group)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, of, intid);

	if (!irq)
		return;
	irq->group1 = group;
	vgic_queue(vgic, irq);
}

void vgic_write_priority(struct vgic *vgic, unsigned int of, uint32_t intid, uint8_t priority)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, of, intid);

	/* OV-4: five bits, and the list is not sorted again. */
	if (irq)
		irq->priority = priority & 0xf8;
}

void vgic_write_config(struct vgic *vgic, uint32_t intid, bool level)
{
	struct vgic_irq *irq;

	if (!vgic_valid_spi(vgic, intid))
		return;
	irq = vgic_irq_find(vgic, 0, intid);
	irq->level = level;
}

void vgic_write_target(struct vgic *vgic, uint32_t intid, unsigned int target)
{
	struct vgic_irq *irq;

	if (intid < VGIC_NR_PRIVATE)
		return;
	irq = vgic_irq_find(vgic, 0, intid);
	if (irq)
		irq->target = target < vgic->cfg.nr_vcpus ? target : VGIC_NO_VCPU;
}

void vgic_write_dist_enable(struct vgic *vgic, bool enable)
{
	bool was = vgic->dist_enabled;

	vgic->dist_enabled = enable;
	if (was || !enable)
		return;
	for (unsigned int i = 0; i < vgic->cfg.nr_vcpus; i++)
		if (vgic_vcpu_pending_irq(vgic, i))
			vgic_request(vgic, i, VGIC_REQ_IRQ_PENDING, true);
}

/* kvm_vgic_vcpu_pending_irq: OV-83. Group enables and active priorities are not looked at. */
bool vgic_vcpu_pending_irq(const struct vgic *vgic, unsigned int index)
{
	const struct vgic_vcpu *vcpu = &vgic->vcpus[index];
	uint8_t pmr = vcpu->vmcr >> VGIC_VMCR_VPMR_SHIFT;

	if (!vgic->dist_enabled)
		return false;
	vgic_for_each_irq (irq, &vcpu->list) {
		/* What has been set aside is not in this list while the guest runs. */
		if (irq == vcpu->overflow)
			break;
		if (vgic_irq_pending(irq) && irq->enabled && !irq->active && irq->priority < pmr)
			return true;
	}
	return false;
}
