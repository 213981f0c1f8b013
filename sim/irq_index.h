/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers for interrupts in the order in which they are first named: indexes into a table. */
#ifndef VGICSIM_IRQ_INDEX_H
#define VGICSIM_IRQ_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct irq_index {
	uint64_t *keys; /* n of them */
	size_t n, cap;
	uint32_t *slots; /* hash of a key to its number + 1 */
	size_t nr_slots;
};

/* A private INTID is one for each vCPU. 0 or -ENOMEM; *at is the old n for a new one. */
int irq_index_get(struct irq_index *x, uint16_t vcpu, uint32_t intid, size_t *at);
/* Frees; fine on a zeroed structure. */
void irq_index_finish(struct irq_index *x);

#endif
