/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose turn it is: when each vCPU will do something by itself, as the leaves of a tree in
 * which every node has the earliest time of those below it. Of equals the first one goes first.
 */
#ifndef VGICSIM_DUE_H
#define VGICSIM_DUE_H

#include "machine.h"

/* A tick of the host is due before everything else: it ends the first run that would go on. */
bool due_ticked(const struct machine *m, uint64_t *t, unsigned int *who);
/* The host's tick ends the run of a vCPU that waits while another one is ready. */
uint64_t due_host_tick(const struct machine *m, const struct mvcpu *v);

/* What a vCPU does not do in its state is due at NEVER. */
static inline uint64_t due_of(const struct machine *m, const struct mvcpu *v)
{
	uint64_t t = v->mi_at < v->exit_at ? v->mi_at : v->exit_at;

	t = v->next < t ? v->next : t;
	return t == NEVER && m->one_cpu ? due_host_tick(m, v) : t;
}

/* Takes in what has changed since the last time. */
static inline void due_renew(struct machine *m)
{
	struct due_tree *d = &m->due;

	while (d->nr_touched) {
		struct mvcpu *v = &m->vcpus[d->touched[--d->nr_touched]];
		unsigned int at = d->leaves + v->index;

		v->touched = false;
		d->node[at] = due_of(m, v);
		while (at > 1) {
			uint64_t a = d->node[at], b = d->node[at ^ 1];

			a = a < b ? a : b;
			at /= 2;
			if (d->node[at] == a)
				break;
			d->node[at] = a;
		}
	}
}

/* When the first of the others acts: those below another branch of the tree. */
static inline uint64_t due_others(const struct machine *m, unsigned int who)
{
	const struct due_tree *d = &m->due;
	uint64_t first = NEVER;

	for (unsigned int at = d->leaves + who; at > 1; at /= 2)
		if (d->node[at ^ 1] < first)
			first = d->node[at ^ 1];
	return first;
}

/* Who acts first, if that is before *t; *others: when the first of the others does. */
static inline void due_first(const struct machine *m, uint64_t *t, unsigned int *who,
			     uint64_t *others)
{
	const struct due_tree *d = &m->due;
	uint64_t first = d->node[1], second = NEVER;
	unsigned int at = 1;

	if (m->tick_at < first && m->tick_at < *t && due_ticked(m, t, who)) {
		*others = due_others(m, *who);
		return;
	}
	if (first >= *t)
		return;
	while (at < d->leaves) {
		uint64_t low, high;

		at *= 2;
		low = d->node[at];
		high = d->node[at + 1];
		at += low != first;
		/* The branch that is left: one of them is first. */
		high = low != first ? low : high;
		second = high < second ? high : second;
	}
	*t = first;
	*who = at - d->leaves;
	*others = second;
}

#endif
