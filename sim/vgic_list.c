// SPDX-License-Identifier: GPL-2.0-only
/* The ap_list: an intrusive list whose order is the order of the list registers. */
#include "vgic_internal.h"

void vgic_list_append(struct vgic *vgic, unsigned int vcpu, struct vgic_irq *irq)
{
	struct vgic_list *list = &vgic->vcpus[vcpu].list;
	/* What comes while others are set aside stands before them, and stays there. */
	struct vgic_irq *after = vgic->vcpus[vcpu].overflow;

	irq->vcpu = vcpu;
	irq->next = after;
	irq->prev = after ? after->prev : list->tail;
	if (irq->prev)
		irq->prev->next = irq;
	else
		list->head = irq;
	if (after)
		after->prev = irq;
	else
		list->tail = irq;
	list->count++;
}

void vgic_list_remove(struct vgic *vgic, struct vgic_irq *irq)
{
	struct vgic_vcpu *vcpu = &vgic->vcpus[irq->vcpu];
	struct vgic_list *list = &vcpu->list;

	if (vcpu->overflow == irq)
		vcpu->overflow = irq->next;
	if (irq->prev)
		irq->prev->next = irq->next;
	else
		list->head = irq->next;
	if (irq->next)
		irq->next->prev = irq->prev;
	else
		list->tail = irq->prev;
	list->count--;
	irq->next = irq->prev = NULL;
	irq->vcpu = VGIC_NO_VCPU;
}

/* Merges two runs linked by next; at a tie the one from a, which stood earlier, goes first. */
static struct vgic_irq *merge(struct vgic_vcpu *vcpu, struct vgic_irq *a, struct vgic_irq *b)
{
	struct vgic_irq *head = NULL, **link = &head;

	while (a && b) {
		struct vgic_irq **take = vgic_irq_compare(vcpu, a, b) <= 0 ? &a : &b;

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
