// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other CPUs did to interrupts, and when. A probe sees the start of a
 * function, so its effect falls between that record and the CPU's next one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/* An effect does not wait longer than this, even on a host CPU that is then silent. */
#define LONGEST_CHANGE 20000000ull

static void *grow(void *v, size_t *size, size_t need, size_t each)
{
	size_t want = *size ? *size * 2 : 64;

	if (need < *size)
		return v;
	while (want <= need)
		want *= 2;
	v = realloc(v, want * each);
	if (v)
		*size = want;
	return v;
}

static int add(struct change_log *log, const struct vgr_rec *rec, struct change c)
{
	struct open_changes *open = &log->cpus[rec->cpu];
	struct change *v = grow(log->v, &log->size, log->n, sizeof(*v));

	if (!v)
		return -ENOMEM;
	log->v = v;
	c.cpu = rec->cpu;
	c.vm = rec->vm;
	if (!open->n)
		open->first = log->n;
	/* A change whose end is known is not open; those of one record stand together. */
	if (c.to == UINT64_MAX)
		open->n = log->n + 1 - open->first;
	log->v[log->n++] = c;
	log->sorted = false;
	return 0;
}

/* Interrupts behind a write to the distributor or an SGI frame, as far as the offset tells. */
static struct change of_mmio(const struct vgr_mmio *m)
{
	struct change c = {.from = m->r.time, .to = UINT64_MAX, .of = VGR_NO_VCPU, .what = CHANGE_ANY};
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
	struct open_changes *open;
	uint64_t begin;

	if (rec->type == VGR_LOSS)
		return note_loss(log, (const struct vgr_loss *)rec);
	if (rec->cpu >= log->nr_cpus) {
		size_t old = log->nr_cpus, size = old;
		struct open_changes *cpus = grow(log->cpus, &size, rec->cpu, sizeof(*cpus));

		if (!cpus)
			return -ENOMEM;
		memset(cpus + old, 0, (size - old) * sizeof(*cpus));
		log->cpus = cpus;
		log->nr_cpus = size;
	}
	open = &log->cpus[rec->cpu];
	/* The time of a flush or sync is its end: what went before ended when it began. */
	begin = rec->time;
	if (rec->type == VGR_FLUSH)
		begin = ((const struct vgr_flush *)rec)->begin;
	else if (rec->type == VGR_SYNC)
		begin = ((const struct vgr_sync *)rec)->begin;
	/* A kick is part of what it follows: an SGI to many goes on after its first kick. */
	if (rec->type != VGR_KICK) {
		for (size_t i = open->first; i < open->first + open->n; i++)
			log->v[i].to = begin;
		open->n = 0;
	}

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
	free(log->cpus);
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
	for (size_t i = 0; i < log->nr_cpus; i++)
		log->cpus[i].n = 0;
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
