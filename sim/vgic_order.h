/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interrupt of an ap_list goes before which. Inline, for flush asks it of every one. */
#ifndef VGICSIM_SIM_VGIC_ORDER_H
#define VGICSIM_SIM_VGIC_ORDER_H

#include "vgic_internal.h"

/* Of a key; above them it has 12 more. */
#define VGIC_PLACE_BITS 20

/* What is the same for a whole list. */
struct vgic_order {
	uint16_t route;
	const uint32_t *parts; /* of keys, by standing */
};

/* vgic_order.c. By how groups count: not at all, or as they are enabled. */
extern const uint32_t vgic_key_parts[5][256];

static inline struct vgic_order vgic_order_of(const struct vgic_vcpu *vcpu)
{
	const struct vgic_policy *policy = vcpu->vgic->cfg.policy;
	unsigned int enabled = vcpu->vmcr & (VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1);

	return (struct vgic_order){
		.route = vgic_route(vcpu->vgic, vcpu),
		.parts = vgic_key_parts[policy->sort_deliverable_first ? 1 + enabled : 0],
	};
}

/* vgic_irq_cmp of 6.12: HI-3. Active ones first, then those that pend, by priority. */
static inline unsigned int vgic_active_first(const struct vgic_irq *irq)
{
	if (irq->state & VGR_IRQ_ACTIVE)
		return 0;
	return vgic_is_of(VGIC_WANTED, irq) ? 1u << 8 | irq->priority : 2u << 8;
}

/*
 * A key: bits 11 and 10 are keys 1 and 2 of OV-17, what follows is keys 3 to 5, or the order of
 * 6.12.
 */
#define VGIC_KEY_UPPER (0xc00u << VGIC_PLACE_BITS)

/*
 * Where an interrupt stands in a sorted list: the smaller key goes first. 12 bits, above those
 * for its place in the list, which breaks ties. pending_first: as the policy says.
 */
static inline uint32_t vgic_sort_key(const struct vgic_order *o, bool pending_first,
				     const struct vgic_irq *irq, unsigned int standing)
{
	uint32_t part = o->parts[standing];

	if (pending_first)
		return part | (uint32_t)irq->priority << (1 + VGIC_PLACE_BITS);
	return (part & VGIC_KEY_UPPER) | vgic_active_first(irq) << VGIC_PLACE_BITS;
}

/* So many at most; longer lists, and a policy's own order, are sorted by vgic_list_sort(). */
#define VGIC_RANKED 1024u
/* Up to so many are put in their place at once, more are sorted at the end. */
#define VGIC_FEW    64u

/* The interrupts of a list in the order of their keys, while it is walked. */
struct vgic_ranks {
	unsigned int n;
	bool moved; /* some do not stand where they stood */
	struct vgic_irq *irqs[VGIC_RANKED];
	uint32_t v[1 + VGIC_RANKED]; /* from 1 on; v[0] is before all of them */
};

static inline void vgic_ranks_start(struct vgic_ranks *r, unsigned int n)
{
	r->n = n;
	r->moved = false;
	r->v[0] = 0;
}

/* The i-th one of the list. Lists come nearly sorted: those of the last flush stand first. */
static inline void vgic_ranks_add(struct vgic_ranks *r, unsigned int i, struct vgic_irq *irq,
				  uint32_t key)
{
	uint32_t x = key | i, *at = &r->v[i];

	r->irqs[i] = irq;
	if (*at > x) {
		r->moved = true;
		if (i < VGIC_FEW)
			for (; *at > x; at--)
				at[1] = *at;
	}
	at[1] = x;
}

/* vgic_order.c. The list in the order of its keys. */
void vgic_list_rank(struct vgic_vcpu *vcpu, struct vgic_ranks *r);
bool vgic_needs_sort(const struct vgic *vgic, const struct vgic_summary *s);
void vgic_list_sort(struct vgic_vcpu *vcpu);

#endif
