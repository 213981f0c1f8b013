/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "due.h"

int due_init(struct machine *m)
{
	struct due_tree *d = &m->due;

	d->leaves = 1;
	while (d->leaves < m->nr_vcpus)
		d->leaves *= 2;
	d->node = malloc(2 * d->leaves * sizeof(*d->node));
	d->touched = calloc(m->nr_vcpus, sizeof(*d->touched));
	d->kicked = calloc(m->nr_vcpus, sizeof(*d->kicked));
	if (!d->node || !d->touched || !d->kicked)
		return -ENOMEM;
	for (unsigned int i = 0; i < 2 * d->leaves; i++)
		d->node[i] = NEVER;
	return 0;
}

void due_finish(struct machine *m)
{
	free(m->due.node);
	free(m->due.touched);
	free(m->due.kicked);
}

static bool anyone_ready(const struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		if (m->vcpus[i].state == VCPU_READY)
			return true;
	return false;
}

uint64_t due_host_tick(const struct machine *m, const struct mvcpu *v)
{
	return v->state == VCPU_GUEST && v->stalled && anyone_ready(m) ? v->now + HOST_TICK_NS
								       : NEVER;
}

bool due_ticked(const struct machine *m, uint64_t *t, unsigned int *who)
{
	/* A guest that waits for ever is not kept alive by them. */
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		if (m->vcpus[i].state != VCPU_GUEST || m->due.node[m->due.leaves + i] == NEVER)
			continue;
		*t = m->tick_at;
		*who = i;
		return true;
	}
	return false;
}
