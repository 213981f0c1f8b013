// SPDX-License-Identifier: GPL-2.0-only
/* The ap_list: an intrusive list whose order is the order of the list registers. */
#include "vgic_internal.h"

void vgic_list_append(struct vgic *vgic, unsigned int vcpu, struct vgic_irq *irq)
{
	vgic_list_add(&vgic->vcpus[vcpu], vcpu, irq);
}

void vgic_list_cut(struct vgic_vcpu *vcpu, struct vgic_irq *last, unsigned int n)
{
	struct vgic_irq *irq = last ? last->next : vcpu->list.head;

	if (vcpu->overflow && vcpu->overflow->vcpu == vcpu->index)
		vcpu->overflow = NULL;
	if (!irq)
		return;
	while (irq) {
		struct vgic_irq *next = irq->next;

		irq->next = irq->prev = NULL;
		irq->vcpu = VGIC_NO_VCPU;
		irq = next;
	}
	if (last)
		last->next = NULL;
	else
		vcpu->list.head = NULL;
	vcpu->list.tail = last;
	vcpu->list.count = n;
}

void vgic_list_remove(struct vgic *vgic, struct vgic_irq *irq)
{
	vgic_list_take(&vgic->vcpus[irq->vcpu], irq);
}
