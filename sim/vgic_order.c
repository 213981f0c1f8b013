// SPDX-License-Identifier: GPL-2.0-only
/* When an ap_list is sorted, and which interrupt goes before which; and the sorting. */
#include <string.h>

#include "vgic_order.h"

/* Keys 3 and 5 of OV-17: what pends and is not active, by priority, and mapped ones first. */
#define LOWER(s)    ((~VGIC_IN_SET(VGIC_WANTED & ~VGIC_WITH_ACTIVE, s) & 1) << 9 | !((s)&VGR_IRQ_HW))
/* Keys 1 and 2: what may be delivered, and what is of a group that is enabled. */
#define GROUP(s)    ((s) / VGR_IRQ_GROUP1 & 1)
#define UPPER(s, e) ((~VGIC_IN_SET(VGIC_DELIVERABLE, s) & 1) << 11 | (~(e) >> GROUP(s) & 1) << 10)

_Static_assert(VGIC_VMCR_VENG0 == 1 && VGIC_VMCR_VENG1 == 2, "a set of groups is an index");

#define KEY(bits)  ((uint32_t)(bits) << VGIC_PLACE_BITS)
#define ANY(s)	   KEY(LOWER(s))
#define NEITHER(s) KEY(UPPER(s, 0u) | LOWER(s))
#define GROUP_0(s) KEY(UPPER(s, 1u) | LOWER(s))
#define GROUP_1(s) KEY(UPPER(s, 2u) | LOWER(s))
#define BOTH(s)	   KEY(UPPER(s, 3u) | LOWER(s))

const uint32_t vgic_key_parts[5][256] = {
	{VGIC_EACH_256(ANY)},	  {VGIC_EACH_256(NEITHER)}, {VGIC_EACH_256(GROUP_0)},
	{VGIC_EACH_256(GROUP_1)}, {VGIC_EACH_256(BOTH)},
};

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

/* Merges neighbouring runs of 1, 2, 4 ... */
static void sort_long(uint32_t *v, unsigned int n)
{
	uint32_t other[VGIC_RANKED], *from = v, *to = other;

	for (unsigned int run = 1; run < n; run *= 2) {
		for (unsigned int lo = 0; lo < n; lo += 2 * run) {
			unsigned int mid = lo + run < n ? lo + run : n;
			unsigned int hi = mid + run < n ? mid + run : n;

			for (unsigned int a = lo, b = mid, i = lo; i < hi; i++)
				to[i] = b == hi || (a < mid && from[a] < from[b]) ? from[a++]
										  : from[b++];
		}
		from = to;
		to = from == v ? other : v;
	}
	if (from != v)
		memcpy(v, from, n * sizeof(*v));
}

void vgic_list_rank(struct vgic_vcpu *vcpu, struct vgic_ranks *r)
{
	struct vgic_list *list = &vcpu->list;
	struct vgic_irq *before = NULL;

	if (r->n > VGIC_FEW)
		sort_long(r->v + 1, r->n);
	for (unsigned int i = 1; i <= r->n; i++) {
		struct vgic_irq *irq = r->irqs[r->v[i] & ((1u << VGIC_PLACE_BITS) - 1)];

		irq->prev = before;
		if (before)
			before->next = irq;
		else
			list->head = irq;
		before = irq;
	}
	before->next = NULL;
	list->tail = before;
}

/* a goes first, or stood first where neither does. */
static bool goes_first(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
		       const struct vgic_irq *b)
{
	const struct vgic_policy *policy = vcpu->vgic->cfg.policy;
	const struct vgic_order order = vgic_order_of(vcpu);
	bool pending_first = policy->sort_pending_first;

	if (policy->compare)
		return policy->compare(vcpu, a, b) <= 0;
	return vgic_sort_key(&order, pending_first, a, vgic_standing(order.route, a)) <=
	       vgic_sort_key(&order, pending_first, b, vgic_standing(order.route, b));
}

/* Merges two runs linked by next; at a tie the one from a, which stood earlier, goes first. */
static struct vgic_irq *merge(struct vgic_vcpu *vcpu, struct vgic_irq *a, struct vgic_irq *b)
{
	struct vgic_irq *head = NULL, **link = &head;

	while (a && b) {
		struct vgic_irq **take = goes_first(vcpu, a, b) ? &a : &b;

		*link = *take;
		link = &(*take)->next;
		*take = *link;
	}
	*link = a ? a : b;
	return head;
}

/* Stable, as the kernel's list_sort(): bottom-up runs of 1, 2, 4 ... entries. */
void vgic_list_sort(struct vgic_vcpu *vcpu)
{
	struct vgic_irq *runs[32] = {NULL}, *irq = vcpu->list.head, *all = NULL;
	unsigned int i;

	while (irq) {
		struct vgic_irq *run = irq;

		irq = irq->next;
		run->next = NULL;
		for (i = 0; runs[i]; i++) {
			run = merge(vcpu, runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = run;
	}
	for (i = 0; i < 32; i++)
		all = merge(vcpu, runs[i], all);

	vcpu->list.head = all;
	vcpu->list.tail = NULL;
	for (irq = all; irq; irq = irq->next) {
		irq->prev = vcpu->list.tail;
		vcpu->list.tail = irq;
	}
}
