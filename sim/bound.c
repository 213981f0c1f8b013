/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <vgicsim/bound.h>

void vgic_bound_init(struct vgic_bound *b, unsigned int nr_lr)
{
	memset(b, 0, sizeof(*b));
	b->nr_lr = nr_lr;
}

static bool is_taken(const struct vgic_bound *b, uint32_t iar)
{
	for (unsigned int i = 0; i < b->nr_taken; i++)
		if (b->taken[i] == iar)
			return true;
	return false;
}

void vgic_bound_ack(struct vgic_bound *b, uint32_t iar)
{
	uint64_t bit = 1ull << iar % 64;
	bool again = b->maybe & bit && is_taken(b, iar);

	if (again || b->nr_taken == b->nr_lr) {
		b->filled |= !again;
		b->exits++;
		vgic_bound_free(b);
	}
	b->maybe |= bit;
	b->taken[b->nr_taken++] = iar;
}

void vgic_bound_free(struct vgic_bound *b)
{
	b->nr_taken = 0;
	b->maybe = 0;
}
