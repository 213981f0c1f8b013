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

static void *grow(void *v, size_t *size, size_t need, size_t each)
{
	size_t want = *size ? *size * 2 : 64;

	if (need < *size)
		return v;
	v = realloc(v, want * each);
	if (v)
		*size = want;
	return v;
}

/* NULL: no memory. */
static struct open_changes *open_of(struct change_log *log, uint32_t tid)
{
	struct open_changes *threads;

	for (size_t i = 0; i < log->nr_threads; i++)
		if (log->threads[i].tid == tid)
			return &log->threads[i];
	threads = grow(log->threads, &log->threads_size, log->nr_threads, sizeof(*threads));
	if (!threads)
		return NULL;
	log->threads = threads;
	threads[log->nr_threads] = (struct open_changes){.tid = tid};
	return &threads[log->nr_threads++];
}

static int add(struct change_log *log, const struct vgr_rec *rec, struct change c)
{
	struct open_changes *open;
	struct change *v = grow(log->v, &log->size, log->n, sizeof(*v));

	if (!v)
		return -ENOMEM;
	log->v = v;
	c.cpu = rec->cpu;
	c.vm = rec->vm;
	/* Idle has no thread of its own: what a handler does there ends by itself. */
	if (c.to == UINT64_MAX && rec->tid) {
		open = open_of(log, rec->tid);
		if (!open)
			return -ENOMEM;
		/* Several changes of one record stand together. */
		if (!open->n)
			open->first = log->n;
		open->n = log->n + 1 - open->first;
		open->type = rec->type;
	}
	v[log->n++] = c;
	log->sorted = false;
	return 0;
}

/* Does this record show that what its thread did before is done? */
static bool ends(const struct vgr_rec *rec, uint16_t earlier)
{
	switch (rec->type) {
	case VGR_KICK:
	case VGR_LEVEL:
	case VGR_ACKED:
	case VGR_VCPU:
	case VGR_LOAD:
	case VGR_PUT:
		/* Part of it, or the thread has only lost or changed its CPU. */
		return false;
	case VGR_INJECT:
		/* A handler may have come on top of anything but an injection. */
		return earlier == VGR_INJECT;
	}
	return true;
}

static void end_open(struct change_log *log, const struct vgr_rec *rec)
{
	uint64_t end = rec->time;

	/* The time of a flush or sync is its end: what went before ended when it began. */
	if (rec->type == VGR_FLUSH)
		end = ((const struct vgr_flush *)rec)->begin;
	else if (rec->type == VGR_SYNC)
		end = ((const struct vgr_sync *)rec)->begin;
	for (size_t i = 0; i < log->nr_threads; i++) {
		struct open_changes *open = &log->threads[i];

		if (open->tid != rec->tid || !open->n || !ends(rec, open->type))
			continue;
		for (size_t j = open->first; j < open->first + open->n; j++)
			log->v[j].to = end;
		open->n = 0;
	}
}

/* Interrupts behind a write to the distributor or an SGI frame, as far as the offset tells. */
static struct change of_mmio(const struct vgr_mmio *m)
{
	struct change c = {
		.from = m->r.time, .to = UINT64_MAX, .of = VGR_NO_VCPU, .what = CHANGE_ANY};
	uint32_t offset = m->gpa & 0xffff, bits;

	/* The frames have the same layout for these registers; only the ITS has another one. */
	if (offset >= 0x80 && offset < 0x400)
		bits = 1;
	else if (offset >= 0x400 && offset < 0xc00)
		bits = 8;
	else if (offset >= 0xc00 && offset < 0xd00)
		bits = 2;
	else
		return c;
	c.what = CHANGE_INTIDS | CHANGE_COUNTER;
	c.first = (offset & (0x80 * bits - 1)) * 8 / bits;
	c.last = c.first + m->len * 8u / bits - 1;
	return c;
}

static int from_sync(struct change_log *log, const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	struct change c = {.from = s->begin, .to = s->r.time, .of = s->r.vcpu};
	int err = 0;

	/* Interrupts that leave for another list, or states that two lists share (SPIs, LPIs). */
	c.what = CHANGE_INTIDS;
	for (unsigned int i = 0; i < s->n_before && !err; i++) {
		if (after[i].vcpu == before[i].vcpu || before[i].intid < VGIC_NR_PRIVATE)
			continue;
		c.first = c.last = before[i].intid;
		err = add(log, &s->r, c);
	}
	if (!err && s->active_spis_before != s->active_spis_after) {
		c.what = CHANGE_COUNTER;
		err = add(log, &s->r, c);
	}
	return err;
}

static int note_loss(struct change_log *log, const struct vgr_loss *l)
{
	struct vgr_loss *v = grow(log->losses, &log->losses_size, log->nr_losses, sizeof(*v));

	if (!v)
		return -ENOMEM;
	log->losses = v;
	v[log->nr_losses++] = *l;
	return 0;
}

int change_log_record(struct change_log *log, const struct vgr_rec *rec)
{
	struct change c = {.from = rec->time, .to = UINT64_MAX, .of = VGR_NO_VCPU};

	if (rec->type == VGR_LOSS)
		return note_loss(log, (const struct vgr_loss *)rec);
	end_open(log, rec);

	switch (rec->type) {
	case VGR_INJECT:
		c.what = CHANGE_INTIDS | CHANGE_COUNTER;
		c.first = c.last = ((const struct vgr_inject *)rec)->intid;
		if (c.first < VGIC_NR_PRIVATE) {
			c.what = CHANGE_INTIDS;
			c.of = rec->vcpu;
		}
		return add(log, rec, c);
	case VGR_SGI:
		c.what = CHANGE_INTIDS;
		c.first = c.last = (((const struct vgr_sgi *)rec)->value >> 24) & 0xf;
		return add(log, rec, c);
	case VGR_MSI:
		c.what = CHANGE_LPIS;
		return add(log, rec, c);
	case VGR_DIR:
		c.what = CHANGE_INTIDS | CHANGE_COUNTER;
		c.first = c.last = ((const struct vgr_dir *)rec)->value & 0xffffe3ffu;
		c.of = rec->vcpu;
		return add(log, rec, c);
	case VGR_MMIO:
		if (((const struct vgr_mmio *)rec)->write)
			return add(log, rec, of_mmio((const struct vgr_mmio *)rec));
		return 0;
	case VGR_PRUNE:
		c.what = CHANGE_SPIS | CHANGE_LPIS;
		return add(log, rec, c);
	case VGR_SYNC:
		return from_sync(log, (const struct vgr_sync *)rec);
	}
	return 0;
}

void change_log_finish(struct change_log *log)
{
	free(log->v);
	free(log->threads);
	free(log->losses);
	memset(log, 0, sizeof(*log));
}

static int by_from(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

void change_log_prepare(struct change_log *log)
{
	if (log->sorted || !log->n)
		return;
	/* Sorting moves the open ones; a query in mid-stream takes them as still open. */
	for (size_t i = 0; i < log->nr_threads; i++)
		log->threads[i].n = 0;
	qsort(log->v, log->n, sizeof(*log->v), by_from);
	log->sorted = true;
}

/* First change that may reach into the window. */
static size_t lower_bound(const struct change_log *log, uint64_t begin)
{
	uint64_t from = begin > LONGEST_CHANGE ? begin - LONGEST_CHANGE : 0;
	size_t lo = 0, hi = log->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (log->v[mid].from < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
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

bool change_log_hits(const struct change_log *log, const struct window *w, const uint32_t *intids,
		     size_t n)
{
	for (size_t i = lower_bound(log, w->begin); i < log->n && log->v[i].from <= w->end; i++) {
		if (!overlaps(&log->v[i], w))
			continue;
		for (size_t j = 0; j < n; j++)
			if (concerns(&log->v[i], w, intids[j]))
				return true;
	}
	return false;
}

bool change_log_counter(const struct change_log *log, const struct window *w)
{
	for (size_t i = lower_bound(log, w->begin); i < log->n && log->v[i].from <= w->end; i++)
		if ((log->v[i].what & CHANGE_COUNTER) && overlaps(&log->v[i], w))
			return true;
	return false;
}

bool change_log_lost(const struct change_log *log, const struct window *w)
{
	for (size_t i = 0; i < log->nr_losses; i++) {
		const struct vgr_loss *l = &log->losses[i];

		if (l->from <= w->end && (!l->to || l->to >= w->begin))
			return true;
	}
	return false;
}
