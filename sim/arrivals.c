/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raises that wait for nothing but their time, in the order of their times: those that the
 * workload has from the start, and those of a feed, of which a piece is here at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* Places that arrivals may move for others, for each of them: else they are sorted at the end. */
#define MOVES 16u

static int compare(const void *pa, const void *pb)
{
	const struct due *a = pa, *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

int arrivals_add(struct machine *m, const struct due *d)
{
	struct arrivals *a = &m->arrivals;
	size_t at;

	if (a->nr_own == a->cap_own) {
		size_t cap = a->cap_own * 2 + 64;
		struct due *p = vgic_store_grow(m->wl->store, a->own, a->cap_own, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		a->own = p;
		a->cap_own = cap;
	}
	/* Most come in order, or nearly. */
	for (at = a->nr_own; at && a->own[at - 1].time > d->time && a->moved < MOVES * a->cap_own;
	     at--, a->moved++)
		a->own[at] = a->own[at - 1];
	a->sorted &= !at || a->own[at - 1].time <= d->time;
	a->own[at] = *d;
	a->own[at].order = a->nr_own++;
	return 0;
}

static void plan(struct arrivals *a)
{
	a->at = a->next_own < a->nr_own ? a->own[a->next_own].time : NEVER;
	if (a->next < a->nr && a->piece[a->next].time < a->at)
		a->at = a->piece[a->next].time;
}

/* What a feed may say of an interrupt. */
static bool is_sound(const struct machine *m, const struct vgic_arrival *x)
{
	uint32_t intid;

	if (x->kind == VGIC_EFFECT_NONE)
		return true;
	if (x->source >= m->wl->nr_sources)
		return false;
	intid = m->wl->sources[x->source].initial.intid;
	switch (x->kind) {
	case VGIC_EFFECT_LINE:
		return intid >= VGIC_NR_SGIS && intid < VGIC_LPI_BASE;
	case VGIC_EFFECT_LATCH:
		return intid >= VGIC_LPI_BASE;
	case VGIC_EFFECT_SGI:
		return intid < VGIC_NR_SGIS && x->vcpu < m->nr_vcpus;
	default:
		return false;
	}
}

static void fail(struct machine *m, int error)
{
	m->error = error;
	m->failed = true;
}

/* The next piece, when the last one is used up. */
static void refill(struct machine *m)
{
	struct arrivals *a = &m->arrivals;
	const struct vgic_feed *feed = m->cfg->feed;
	int n;

	if (a->over || a->next < a->nr)
		return;
	n = feed->next(feed->opaque, a->piece, VGIC_FEED_PIECE);
	a->next = 0;
	a->nr = n > 0 ? (unsigned int)n : 0;
	if (n > 0) {
		for (unsigned int i = 0; i < a->nr; i++)
			if (!is_sound(m, &a->piece[i]))
				fail(m, -EINVAL);
		m->max_exits += EXITS_FOR_EACH * a->nr;
		m->steps += MAX_STEPS * EXITS_FOR_EACH * a->nr;
		return;
	}
	a->over = true;
	if (n < 0)
		fail(m, n);
	/* Those who idled for its sake go on to their ends. */
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		if (m->vcpus[i].state == VCPU_GUEST)
			guest_plan(m, &m->vcpus[i]);
}

void arrivals_start(struct machine *m)
{
	struct arrivals *a = &m->arrivals;

	if (!a->sorted)
		qsort(a->own, a->nr_own, sizeof(*a->own), compare);
	refill(m);
	plan(a);
}

static void apply_piece(struct machine *m, const struct vgic_arrival *x)
{
	const struct vgic_source *w;
	struct vgic_effect e = {
		.source = x->source,
		.prop = VGIC_WL_NONE,
		.vcpu = x->vcpu,
		.kind = x->kind,
		.level = x->level,
		.origin = VGIC_ORIGIN_OUTSIDE,
	};

	if (x->kind == VGIC_EFFECT_NONE)
		return;
	w = &m->wl->sources[x->source];
	if (x->kind == VGIC_EFFECT_SGI)
		e.value = (uint64_t)w->initial.intid << 24 | (uint64_t)(w->vcpu / 16) << 16 |
			  1ull << (w->vcpu % 16);
	effect_take(m, &e, x->source);
}

void arrivals_apply(struct machine *m)
{
	struct arrivals *a = &m->arrivals;

	if (a->next_own < a->nr_own && a->own[a->next_own].time == a->at) {
		effect_apply(m, &a->own[a->next_own++]);
	} else {
		apply_piece(m, &a->piece[a->next++]);
		refill(m);
	}
	plan(a);
}

void arrivals_finish(struct machine *m)
{
	vgic_store_free(m->wl->store, m->arrivals.own);
}
