/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/records.h>
#include <vgicsim/vgic.h>

#include "irq_index.h"

static size_t hash_of(uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 40);
}

static int grow_slots(struct irq_index *x)
{
	size_t n = x->nr_slots ? x->nr_slots * 2 : 512;
	uint32_t *p = calloc(n, sizeof(*p));

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < x->n; i++) {
		size_t h = hash_of(x->keys[i]) & (n - 1);

		while (p[h])
			h = (h + 1) & (n - 1);
		p[h] = (uint32_t)i + 1;
	}
	free(x->slots);
	x->slots = p;
	x->nr_slots = n;
	return 0;
}

int irq_index_get(struct irq_index *x, uint16_t vcpu, uint32_t intid, size_t *at)
{
	uint64_t key = (uint64_t)(intid < VGIC_NR_PRIVATE ? vcpu : VGR_NO_VCPU) << 32 | intid;
	size_t h;

	if (x->n * 2 >= x->nr_slots && grow_slots(x))
		return -ENOMEM;
	for (h = hash_of(key) & (x->nr_slots - 1); x->slots[h]; h = (h + 1) & (x->nr_slots - 1)) {
		*at = x->slots[h] - 1;
		if (x->keys[*at] == key)
			return 0;
	}
	if (x->n == x->cap) {
		size_t cap = x->cap ? x->cap * 2 : 64;
		uint64_t *p = realloc(x->keys, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		x->keys = p;
		x->cap = cap;
	}
	*at = x->n;
	x->keys[x->n++] = key;
	x->slots[h] = (uint32_t)x->n;
	return 0;
}

void irq_index_finish(struct irq_index *x)
{
	free(x->keys);
	free(x->slots);
	memset(x, 0, sizeof(*x));
}
