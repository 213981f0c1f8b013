/* SPDX-License-Identifier: GPL-2.0-only */
/* What an entry and an exit take on a machine. */
#include <vgicsim/profile.h>

uint64_t vgic_sort_steps(uint64_t n)
{
	uint64_t k = 0;

	while (n >> (k + 1))
		k++;
	return n < 2 ? 0 : n * k + 2 * (n - (1ull << k));
}

uint64_t vgic_entry_cost(const struct vgic_profile *p, unsigned int irqs, unsigned int lrs,
			 bool sorted)
{
	uint64_t ps = p->entry_irq_ps * irqs + p->entry_lr_ps * lrs, ns = p->entry_ns;

	if (sorted) {
		ps += p->sort_step_ps * vgic_sort_steps(irqs);
		ns += p->sort_ns;
	}
	return ns + ps / 1000;
}

uint64_t vgic_exit_cost(const struct vgic_profile *p, unsigned int irqs, unsigned int lrs)
{
	return p->exit_ns + (p->exit_irq_ps * irqs + p->exit_lr_ps * lrs) / 1000;
}

unsigned int vgic_flush_deliverable(const struct vgr_flush *f)
{
	const struct vgr_irq *q = (const struct vgr_irq *)(f + 1);
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->n_before; i++) {
		bool pending = (q[i].state & VGR_IRQ_LATCH) ||
			       ((q[i].state & VGR_IRQ_LEVEL) && (q[i].state & VGR_IRQ_LINE));

		n += (q[i].state & VGR_IRQ_ACTIVE) || (pending && (q[i].state & VGR_IRQ_ENABLED));
	}
	return n;
}
