// SPDX-License-Identifier: GPL-2.0-only
/* LPIs: how the ITS raises, moves and removes them, and redistributors that drop theirs. */
#include <errno.h>
#include <stdlib.h>

#include "vgic_internal.h"

/* vgic_its_trigger_msi, once the event is translated. */
bool vgic_msi(struct vgic *vgic, uint32_t intid)
{
	struct vgic_irq *irq = intid >= VGIC_LPI_BASE ? vgic_irq_find(vgic, 0, intid) : NULL;

	if (!irq || !irq->mapped || irq->target == VGIC_NO_VCPU ||
	    vgic->vcpus[irq->target].lpis_off)
		return false;
	irq->pending_latch = true;
	vgic_queue(vgic, irq);
	return true;
}

/* update_affinity: nobody is kicked; the owner's next prune moves what is on a list. */
void vgic_lpi_move(struct vgic *vgic, uint32_t intid, unsigned int target)
{
	struct vgic_irq *irq = intid >= VGIC_LPI_BASE ? vgic_irq_find(vgic, 0, intid) : NULL;

	if (irq && target < vgic->cfg.nr_vcpus)
		irq->target = target;
}

static void halt(struct vgic *vgic, bool on)
{
	if (vgic->cfg.policy->lpi_disable_halts && vgic->cfg.env.halt)
		vgic->cfg.env.halt(vgic->cfg.env.opaque, on);
}

/* vgic_its_cmd_handle_movall. */
void vgic_lpi_movall(struct vgic *vgic, unsigned int from, unsigned int to)
{
	if (from >= vgic->cfg.nr_vcpus || to >= vgic->cfg.nr_vcpus)
		return;
	halt(vgic, true);
	for (size_t i = 0; i < vgic->lpi_buckets; i++)
		for (struct vgic_irq *irq = vgic->lpis[i]; irq; irq = irq->hash_next)
			if (irq->target == from || !vgic->cfg.policy->movall_filter)
				irq->target = to;
	halt(vgic, false);
}

/*
 * vgic_flush_pending_lpis: OV-78. The vCPU whose list it is may be in the guest. What has been set
 * aside as overflow meanwhile is not seen (history 2.1, 2).
 */
static void drop_pending(struct vgic *vgic, unsigned int of)
{
	struct vgic_irq *irq = vgic->vcpus[of].list.head, *next;

	for (; irq && irq != vgic->vcpus[of].overflow; irq = next) {
		next = irq->next;
		if (irq->intid < VGIC_LPI_BASE)
			continue;
		irq->pending_latch = false;
		vgic_list_remove(vgic, irq);
		vgic_note(vgic, VGIC_EVENT_PRUNED, of, irq, 0);
	}
}

void vgic_lpi_enable(struct vgic *vgic, unsigned int by, unsigned int of, bool enable)
{
	struct vgic_vcpu *vcpu;

	if (of >= vgic->cfg.nr_vcpus)
		return;
	vcpu = &vgic->vcpus[of];
	if (enable == !vcpu->lpis_off)
		return;
	vcpu->lpis_off = !enable;
	if (enable)
		return;
	halt(vgic, true);
	drop_pending(vgic, of);
	halt(vgic, false);
}

/* vgic_its_free_ite; the kernel keeps what is still on a list until its reference is dropped. */
void vgic_lpi_remove(struct vgic *vgic, uint32_t intid)
{
	struct vgic_irq *irq = intid >= VGIC_LPI_BASE ? vgic_irq_find(vgic, 0, intid) : NULL;

	if (irq)
		irq->mapped = false;
}

/* vgic_add_lpi, with its_free_ite before it: without a list the last reference was the event's. */
int vgic_lpi_map(struct vgic *vgic, uint32_t intid, unsigned int target)
{
	int err = vgic_lpi_add(vgic, intid);
	struct vgic_irq *irq;

	if (err && err != -EEXIST)
		return err;
	irq = vgic_irq_find(vgic, 0, intid);
	if (err && irq->mapped)
		return 0;
	if (irq->vcpu == VGIC_NO_VCPU)
		irq->pending_latch = irq->active = irq->on_lr = false;
	irq->mapped = true;
	irq->target = target < vgic->cfg.nr_vcpus ? target : VGIC_NO_VCPU;
	return 0;
}

/* update_lpi_config */
void vgic_lpi_config(struct vgic *vgic, uint32_t intid, uint8_t prio, bool enabled)
{
	struct vgic_irq *irq = intid >= VGIC_LPI_BASE ? vgic_irq_find(vgic, 0, intid) : NULL;

	if (!irq)
		return;
	irq->priority = prio & 0xfc;
	irq->enabled = enabled;
	vgic_queue(vgic, irq);
}
