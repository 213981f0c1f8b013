/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of the host that have nothing to do with the guest: its tick, its devices. They
 * come with the time on the wall, not with what the guest does. Near the recorded time they
 * keep their place in the program; a replay that gets along faster meets fewer of them, a
 * slower one more. With the recorded list registers it gets along as the recording did, and
 * all keep their place: there a difference in time is an error of the costs.
 */
#include <stdlib.h>

#include "machine.h"

/* So many of their mean distances may a replay run ahead or behind before they move. */
#define SLACK 2u

/* Places that ticks may move for others, for each of them: else they are sorted at the end. */
#define MOVES 16u

bool tick_is(const struct vgic_op *op)
{
	return op->kind == VGIC_OP_EXIT && op->exit == VGIC_EXIT_OTHER_IRQ && !op->flags &&
	       op->effects == VGIC_WL_NONE && op->asks == VGIC_WL_NONE;
}

static int compare_times(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

/* When the n-th comes; after the last recorded one they begin again. */
static uint64_t time_of(const struct machine *m, uint64_t n)
{
	return n / m->nr_ticks * m->wl->duration_ns + m->ticks[n % m->nr_ticks];
}

static void plan(struct machine *m)
{
	m->tick_at = m->nr_ticks ? time_of(m, m->ticks_done) + m->tick_slack : NEVER;
}

int ticks_init(struct machine *m)
{
	const struct vgic_workload *wl = m->wl;
	size_t n = 0, moved = 0;
	bool sorted = true;

	m->tick_at = NEVER;
	if (m->cfg->nr_lr == wl->nr_lr)
		return 0;
	for (size_t i = 0; i < wl->nr_ops; i++) {
		vgic_store_pace(wl->store, i);
		n += tick_is(&wl->ops[i]) && wl->ops[i].wall_ns <= wl->duration_ns;
	}
	if (!n || !wl->duration_ns)
		return 0;
	m->ticks = vgic_store_grow(wl->store, NULL, 0, n, sizeof(*m->ticks));
	if (!m->ticks)
		return -1;
	for (size_t i = 0; i < wl->nr_ops; i++) {
		uint64_t wall = wl->ops[i].wall_ns;
		size_t at = m->nr_ticks;

		vgic_store_pace(wl->store, i);
		if (!tick_is(&wl->ops[i]) || wall > wl->duration_ns)
			continue;
		/* Nearly in order: a vCPU is told of when it is entered again. */
		for (; at && m->ticks[at - 1] > wall && moved < MOVES * n; at--, moved++)
			m->ticks[at] = m->ticks[at - 1];
		sorted &= !at || m->ticks[at - 1] <= wall;
		m->ticks[at] = wall;
		m->nr_ticks++;
	}
	if (!sorted)
		qsort(m->ticks, n, sizeof(*m->ticks), compare_times);
	m->tick_slack = SLACK * (wl->duration_ns / n);
	plan(m);
	return 0;
}

bool ticks_take(struct machine *m)
{
	if (!m->nr_ticks)
		return true;
	if (time_of(m, m->ticks_done) > m->now + m->tick_slack)
		return false;
	m->ticks_done++;
	plan(m);
	return true;
}

void ticks_catch_up(struct machine *m)
{
	/* Whole recordings at once: a short one has any number of them. */
	if (m->tick_at <= m->now)
		m->ticks_done += (m->now - m->tick_at) / m->wl->duration_ns * m->nr_ticks;
	while (m->tick_at <= m->now) {
		m->ticks_done++;
		plan(m);
	}
}
