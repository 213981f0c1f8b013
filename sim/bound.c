/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <vgicsim/bound.h>

void vgic_bound_init(struct vgic_bound *b, unsigned int nr_lr)
{
	memset(b, 0, sizeof(*b));
	b->nr_lr = nr_lr;
}

void vgic_bound_ack(struct vgic_bound *b, uint32_t iar)
{
	unsigned int i = 0;

	while (i < b->nr_taken && b->taken[i] != iar)
		i++;
	if (i < b->nr_taken || b->nr_taken == b->nr_lr) {
		b->filled |= i == b->nr_lr;
		b->exits++;
		b->nr_taken = 0;
	}
	b->taken[b->nr_taken++] = iar;
}

void vgic_bound_free(struct vgic_bound *b)
{
	b->nr_taken = 0;
}
