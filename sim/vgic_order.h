/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interrupt of an ap_list goes before which. Inline, for flush asks it of every one. */
#ifndef VGICSIM_SIM_VGIC_ORDER_H
#define VGICSIM_SIM_VGIC_ORDER_H

#include "vgic_internal.h"

/* What is the same for a whole list. */
struct vgic_order {
	bool pending_first, deliverable_first, dist_enabled;
	uint8_t disabled; /* groups, a bit for each */
};

static inline struct vgic_order vgic_order_of(const struct vgic_vcpu *vcpu)
{
	const struct vgic_policy *policy = vcpu->vgic->cfg.policy;

	return (struct vgic_order){
		.pending_first = policy->sort_pending_first,
		.deliverable_first = policy->sort_deliverable_first,
		.dist_enabled = vcpu->vgic->dist_enabled,
		.disabled = (uint8_t)((vcpu->vmcr & VGIC_VMCR_VENG0 ? 0 : 1) |
				      (vcpu->vmcr & VGIC_VMCR_VENG1 ? 0 : 2)),
	};
}

/* vgic_irq_cmp of 6.12: HI-3. Active ones first, then those that pend, by priority. */
static inline unsigned int vgic_active_first(const struct vgic_irq *irq)
{
	if (irq->state & VGR_IRQ_ACTIVE)
		return 0;
	return vgic_is_of(VGIC_WANTED, irq) ? 1u << 8 | irq->priority : 2u << 8;
}

/* Where an interrupt stands in a sorted list: the smaller key goes first. 12 bits. */
static inline unsigned int vgic_sort_key_of(const struct vgic_order *o, const struct vgic_irq *irq,
					    unsigned int standing)
{
	unsigned int group1 = irq->state / VGR_IRQ_GROUP1 & 1, key;

	/* From 6.19 on: keys 3 to 5 of OV-17. */
	if (o->pending_first)
		key = (~(VGIC_WANTED & ~VGIC_WITH_ACTIVE) >> standing & 1) << 9 |
		      (unsigned int)irq->priority << 1 | !(irq->state & VGR_IRQ_HW);
	else
		key = vgic_active_first(irq);
	if (!o->deliverable_first)
		return key;
	key |= (~VGIC_DELIVERABLE >> standing & 1) << 11;
	return key | (o->disabled >> group1 & 1u) << 10;
}

static inline unsigned int vgic_sort_key(const struct vgic_order *o, const struct vgic_irq *irq)
{
	return vgic_sort_key_of(o, irq, vgic_standing(o->dist_enabled, irq));
}

/* vgic_order.c */
bool vgic_needs_sort(const struct vgic *vgic, const struct vgic_summary *s);
void vgic_list_sort(struct vgic_vcpu *vcpu);

#endif
