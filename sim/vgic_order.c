// SPDX-License-Identifier: GPL-2.0-only
/* When an ap_list is sorted, and which interrupt goes before which. */
#include "vgic_internal.h"

bool vgic_needs_sort(const struct vgic *vgic, const struct vgic_summary *s)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	unsigned int nr_lr = vgic->cfg.nr_lr;

	if (policy->needs_sort)
		return policy->needs_sort(s, nr_lr);
	/* OV-16, HI-2 */
	if (policy->sort_by_summary)
		return s->nr_pend + s->nr_act > nr_lr;
	return s->depth > nr_lr || s->multi_sgi;
}

/* vgic_irq_cmp of 6.12: HI-3. Active ones first, then those that pend, by priority. */
static unsigned int active_first(const struct vgic_irq *irq)
{
	if (irq->active)
		return 0;
	return irq->enabled && vgic_pending(irq) ? 1u << 8 | irq->priority : 2u << 8;
}

/* The same from 6.19 on: keys 3 to 5 of OV-17. */
static unsigned int pending_first(const struct vgic_irq *irq)
{
	bool pends = irq->enabled && vgic_pending(irq) && !irq->active;

	return (unsigned int)!pends << 9 | (unsigned int)irq->priority << 1 | !irq->hw;
}

unsigned int vgic_irq_key(const struct vgic_vcpu *vcpu, const struct vgic_irq *irq)
{
	const struct vgic_policy *policy = vcpu->vgic->cfg.policy;
	unsigned int key = policy->sort_pending_first ? pending_first(irq) : active_first(irq);

	if (policy->sort_deliverable_first) {
		uint32_t group = irq->group1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0;

		if (vgic_oracle(vcpu->vgic, irq) != vcpu->index)
			key |= 1u << 11;
		if (!(vcpu->vmcr & group))
			key |= 1u << 10;
	}
	return key;
}
