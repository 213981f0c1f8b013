// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other CPUs did to interrupts, and when. A probe sees the start of a
 * function, so its effect falls between that record and the next one that shows the
 * thread doing something else; in between it may even have lost its CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/* An effect does not wait longer than this (ns), even in a thread that is then silent. */
#define LONGEST_CHANGE 100000000ull

#define FIRST_SIZE (4u * VGR_MAX_IRQS)
#define LAST_SIZE  CHANGE_LAST_SIZE

#define NONE UINT32_MAX

/* ---- threads and what they have begun ---- */

static inline struct open_slot *slot_of(const struct change_log *log, uint32_t tid)
{
	size_t h = (tid * 0x9e3779b1u >> 7) & (log->nr_slots - 1);

	while (log->slots[h].tid != tid && log->slots[h].tid)
		h = (h + 1) & (log->nr_slots - 1);
	return &log->slots[h];
}

/* The change at that place. */
static inline void open_change(struct change_log *log, struct change *c, uint32_t at)
{
	struct open_slot *slot = slot_of(log, c->tid);

	if (!slot->tid) {
		*slot = (struct open_slot){.tid = c->tid, .newest = NONE};
		log->used_slots++;
	}
	c->before = slot->newest;
	slot->newest = at;
	log->open[c->tid % OPEN_CLASSES]++;
}

/* Anew, after changes have moved. Threads without any are forgotten. 0 or -ENOMEM. */
static int find_open(struct change_log *log, size_t nr_slots)
{
	struct open_slot *slots = calloc(nr_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	free(log->slots);
	log->slots = slots;
	log->nr_slots = nr_slots;
	log->used_slots = 0;
	memset(log->open, 0, sizeof(log->open));
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].tid)
			open_change(log, &log->v[i], (uint32_t)i);
	return 0;
}

/* Room was made before. */
static inline struct change *new_change(struct change_log *log, const struct vgr_rec *rec,
					uint64_t from, uint64_t to)
{
	struct change *c = &log->v[log->n];

	*c = (struct change){
		.from = from,
		.to = to,
		.cpu = rec->cpu,
		.vm = rec->vm,
		.of = VGR_NO_VCPU,
		.type = (uint8_t)rec->type,
	};
	if (log->nr_sorted == log->n && (!log->n || c[-1].from <= from))
		log->nr_sorted++;
	log->n++;
	return c;
}

/* Does this record show that what its thread did before is done? */
static bool ends(const struct vgr_rec *rec, uint16_t earlier)
{
	/* A handler may have come on top of anything but an injection. */
	return rec->type == VGR_INJECT ? earlier == VGR_INJECT : change_ends(rec);
}

void change_log_end(struct change_log *log, const struct vgr_rec *rec)
{
	struct open_slot *slot = slot_of(log, rec->tid);
	uint64_t end = rec->time;

	if (!slot->tid || slot->newest == NONE || !ends(rec, log->v[slot->newest].type))
		return;
	/* The time of a flush or sync is its end: what went before ended when it began. */
	if (rec->type == VGR_FLUSH)
		end = ((const struct vgr_flush *)rec)->begin;
	else if (rec->type == VGR_SYNC)
		end = ((const struct vgr_sync *)rec)->begin;
	for (uint32_t i = slot->newest; i != NONE; i = log->v[i].before) {
		log->v[i].to = end;
		log->v[i].tid = 0;
		log->open[rec->tid % OPEN_CLASSES]--;
	}
	slot->newest = NONE;
}

/* Interrupts behind a write to the distributor or an SGI frame, as far as the offset tells. */
static void by_offset(struct change *c, const struct vgr_mmio *m)
{
	uint32_t offset = m->gpa & 0xffff, each; /* interrupts in a byte */

	c->what = CHANGE_ANY;
	/* The frames have the same layout for these registers; only the ITS has another one. */
	if (offset >= 0x80 && offset < 0x400)
		each = 8;
	else if (offset >= 0x400 && offset < 0xc00)
		each = 1;
	else if (offset >= 0xc00 && offset < 0xd00)
		each = 4;
	else
		return;
	c->what = CHANGE_INTIDS | CHANGE_COUNTER;
	c->first = offset * each & 0x3ff;
	c->last = c->first + m->len * each - 1;
}

static void from_sync(struct change_log *log, const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;

	/* Interrupts that leave for another list, or states that two lists share (SPIs, LPIs). */
	for (unsigned int i = 0; i < s->n_before; i++) {
		struct change *c;

		if (after[i].vcpu == before[i].vcpu || before[i].intid < VGIC_NR_PRIVATE)
			continue;
		c = new_change(log, &s->r, s->begin, s->r.time);
		c->what = CHANGE_INTIDS;
		c->first = c->last = before[i].intid;
	}
	if (s->active_spis_before != s->active_spis_after)
		new_change(log, &s->r, s->begin, s->r.time)->what = CHANGE_COUNTER;
}

static int note_loss(struct change_log *log, const struct vgr_loss *l)
{
	if (!l->to) {
		/* It has no end: of these the first says all. */
		if (!log->endless || l->from < log->endless_from)
			log->endless_from = l->from;
		log->endless = true;
		return 0;
	}
	if (log->nr_losses == log->losses_size) {
		size_t size = log->losses_size ? log->losses_size * 2 : 64;
		struct loss *v = realloc(log->losses, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		log->losses = v;
		log->losses_size = size;
	}
	log->losses[log->nr_losses++] = (struct loss){.from = l->from, .to = l->to};
	return 0;
}

int change_log_take(struct change_log *log, const struct vgr_rec *rec)
{
	struct change *c;

	if (rec->type == VGR_LOSS)
		return note_loss(log, (const struct vgr_loss *)rec);
	if (rec->type == VGR_SYNC) {
		from_sync(log, (const struct vgr_sync *)rec);
		return 0;
	}
	if (rec->type == VGR_MMIO && !((const struct vgr_mmio *)rec)->write)
		return 0;
	c = new_change(log, rec, rec->time, UINT64_MAX);
	switch (rec->type) {
	case VGR_INJECT:
		c->what = CHANGE_INTIDS | CHANGE_COUNTER;
		c->first = c->last = ((const struct vgr_inject *)rec)->intid;
		if (c->first < VGIC_NR_PRIVATE) {
			c->what = CHANGE_INTIDS;
			c->of = rec->vcpu;
		}
		break;
	case VGR_SGI:
		c->what = CHANGE_INTIDS;
		c->first = c->last = (((const struct vgr_sgi *)rec)->value >> 24) & 0xf;
		break;
	case VGR_MSI:
		c->what = CHANGE_LPIS;
		break;
	case VGR_DIR:
		c->what = CHANGE_INTIDS | CHANGE_COUNTER;
		c->first = c->last = ((const struct vgr_dir *)rec)->value & 0xffffe3ffu;
		c->of = rec->vcpu;
		break;
	case VGR_MMIO:
		by_offset(c, (const struct vgr_mmio *)rec);
		break;
	case VGR_PRUNE:
		c->what = CHANGE_SPIS | CHANGE_LPIS;
		break;
	}
	/* Idle has no thread of its own: what a handler does there ends by itself. */
	c->tid = rec->tid;
	if (c->tid)
		open_change(log, c, (uint32_t)(log->n - 1));
	return 0;
}

void change_log_finish(struct change_log *log)
{
	free(log->v);
	free(log->reach);
	free(log->slots);
	free(log->losses);
	memset(log, 0, sizeof(*log));
}

static int by_from(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* First change that may reach into a window that begins then. */
static size_t lower_bound(const struct change_log *log, uint64_t begin)
{
	uint64_t from = begin > LONGEST_CHANGE ? begin - LONGEST_CHANGE : 0;
	size_t lo = 0, hi = log->nr_sorted;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (log->v[mid].from < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The file is nearly in the order of time: only its end is to be sorted. */
static int sort(struct change_log *log)
{
	uint64_t earliest = UINT64_MAX;
	size_t first;

	if (log->nr_sorted == log->n)
		return 0;
	for (size_t i = log->nr_sorted; i < log->n; i++)
		if (log->v[i].from < earliest)
			earliest = log->v[i].from;
	for (first = log->nr_sorted; first && log->v[first - 1].from > earliest;)
		first--;
	qsort(log->v + first, log->n - first, sizeof(*log->v), by_from);
	log->nr_sorted = log->n;
	return find_open(log, log->nr_slots);
}

int change_log_prepare(struct change_log *log)
{
	int err = sort(log);

	for (size_t i = 0; i < log->n; i++) {
		uint64_t *reach = &log->reach[i / CHANGE_BLOCK];

		if (!(i % CHANGE_BLOCK) || log->v[i].to > *reach)
			*reach = log->v[i].to;
	}
	return err;
}

static int grow(struct change_log *log)
{
	size_t size = log->size ? log->size * 2 : FIRST_SIZE;
	struct change *v = realloc(log->v, size * sizeof(*v));
	uint64_t *reach;

	if (!v)
		return -ENOMEM;
	log->v = v;
	reach = realloc(log->reach, size / CHANGE_BLOCK * sizeof(*reach));
	if (!reach)
		return -ENOMEM;
	log->reach = reach;
	log->size = size;
	return 0;
}

static void forget(struct change_log *log, size_t n)
{
	if (!n)
		return;
	log->n -= n;
	memmove(log->v, log->v + n, log->n * sizeof(*log->v));
	log->nr_sorted = log->n;
}

static void forget_losses(struct change_log *log, uint64_t before)
{
	size_t n = 0;

	for (size_t i = 0; i < log->nr_losses; i++)
		if (log->losses[i].to >= before)
			log->losses[n++] = log->losses[i];
	log->nr_losses = n;
}

int change_log_reclaim(struct change_log *log, uint64_t before)
{
	size_t nr_slots = log->nr_slots ? log->nr_slots : 64;
	int err = sort(log);

	if (err)
		return err;
	forget(log, lower_bound(log, before));
	forget_losses(log, before);
	/* What is left is half at most, lest it be looked through again and again. */
	if (!log->size || (log->n > log->size / 2 && log->size < LAST_SIZE))
		err = grow(log);
	if (err)
		return err;
	while (log->n * 4 > nr_slots && log->used_slots * 2 >= nr_slots)
		nr_slots *= 2;
	err = find_open(log, nr_slots);
	if (err)
		return err;
	return log->n > log->size / 4 * 3 || log->nr_losses > LAST_SIZE / 2;
}

int change_log_drop(struct change_log *log)
{
	size_t half = log->nr_losses / 2;

	forget(log, log->n - log->n / 2);
	if (half)
		memmove(log->losses, log->losses + log->nr_losses - half,
			half * sizeof(*log->losses));
	log->nr_losses = half;
	return find_open(log, log->nr_slots);
}

static bool overlaps(const struct change *c, const struct window *w)
{
	return c->to >= w->begin && c->cpu != w->cpu &&
	       (c->vm == w->vm || c->vm == VGR_NO_VM || w->vm == VGR_NO_VM);
}

static bool concerns(const struct change *c, const struct window *w, uint32_t intid)
{
	if ((c->what & CHANGE_INTIDS) && intid >= c->first && intid <= c->last)
		return intid >= VGIC_NR_PRIVATE || c->of == VGR_NO_VCPU || c->of == w->vcpu;
	if (intid >= VGIC_LPI_BASE)
		return c->what & CHANGE_LPIS;
	if (intid >= VGIC_NR_PRIVATE)
		return c->what & CHANGE_SPIS;
	return c->what & CHANGE_PRIVATE;
}

static bool changes(const struct change *c, const struct window *w, const uint32_t *intids,
		    size_t n)
{
	if (!overlaps(c, w))
		return false;
	for (size_t i = 0; i < n; i++)
		if (concerns(c, w, intids[i]))
			return true;
	return false;
}

bool change_log_hits(const struct change_log *log, const struct window *w, const uint32_t *intids,
		     size_t n)
{
	size_t i = lower_bound(log, w->begin);

	while (i < log->n && log->v[i].from <= w->end) {
		if (!(i % CHANGE_BLOCK) && log->reach[i / CHANGE_BLOCK] < w->begin)
			i += CHANGE_BLOCK;
		else if (changes(&log->v[i++], w, intids, n))
			return true;
	}
	return false;
}

bool change_log_counter(const struct change_log *log, const struct window *w)
{
	size_t i = lower_bound(log, w->begin);

	for (; i < log->n && log->v[i].from <= w->end; i++)
		if ((log->v[i].what & CHANGE_COUNTER) && overlaps(&log->v[i], w))
			return true;
	return false;
}

bool change_log_lost(const struct change_log *log, const struct window *w)
{
	if (log->endless && log->endless_from <= w->end)
		return true;
	for (size_t i = 0; i < log->nr_losses; i++)
		if (log->losses[i].from <= w->end && log->losses[i].to >= w->begin)
			return true;
	return false;
}
