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

/* vgic_irq_cmp of 6.12: HI-3. */
static int active_first(const struct vgic_irq *a, const struct vgic_irq *b)
{
	bool pend_a = a->enabled && vgic_irq_pending(a);
	bool pend_b = b->enabled && vgic_irq_pending(b);

	if (a->active || b->active)
		return b->active - a->active;
	if (!pend_a || !pend_b)
		return pend_b - pend_a;
	return a->priority - b->priority;
}

/* The same from 6.19 on: keys 3 to 5 of OV-17. */
static int pending_first(const struct vgic_irq *a, const struct vgic_irq *b)
{
	bool pend_a = a->enabled && vgic_irq_pending(a) && !a->active;
	bool pend_b = b->enabled && vgic_irq_pending(b) && !b->active;

	if (pend_a != pend_b)
		return pend_b - pend_a;
	if (a->priority != b->priority)
		return a->priority - b->priority;
	return b->hw - a->hw;
}

static bool deliverable(const struct vgic_vcpu *vcpu, const struct vgic_irq *irq)
{
	return vgic_irq_oracle(vcpu->vgic, irq) == vcpu->index;
}

static bool group_enabled(const struct vgic_vcpu *vcpu, const struct vgic_irq *irq)
{
	return vcpu->vmcr & (irq->group1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0);
}

int vgic_irq_compare(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
		     const struct vgic_irq *b)
{
	const struct vgic_policy *policy = vcpu->vgic->cfg.policy;

	if (policy->compare)
		return policy->compare(vcpu, a, b);
	if (policy->sort_deliverable_first) {
		int diff = deliverable(vcpu, b) - deliverable(vcpu, a);

		if (!diff)
			diff = group_enabled(vcpu, b) - group_enabled(vcpu, a);
		if (diff)
			return diff;
	}
	return policy->sort_pending_first ? pending_first(a, b) : active_first(a, b);
}
