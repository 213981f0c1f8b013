// SPDX-License-Identifier: GPL-2.0-only
/*
 * What threads did to interrupts, and when: the alibi of a suspect. A probe sees the
 * start of a function, so an effect falls between that record and the next one that
 * shows the thread doing something else. The latest actions are kept in a ring of
 * fixed size; a question about a time before the oldest is answered by "possible".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "invariants_internal.h"

#define NR_ACTIONS 16384u
#define NR_OPEN	   128u
#define NR_LOSSES  64u

/* An effect does not wait longer than this (ns), even in a thread that is then silent. */
#define LONGEST	    100000000ull
/* Records of MSIs are written when all is done; so long may it have taken (ns). */
#define LONGEST_MSI 5000000ull

struct loss {
	uint64_t from, to; /* to: UINT64_MAX until the end */
};

struct inv_causes {
	uint64_t n;	    /* actions ever noted; number i is at i % NR_ACTIONS */
	uint64_t forgotten; /* ns: until then actions may be missing from the ring */
	unsigned int nr_open, nr_losses;
	uint64_t open[NR_OPEN]; /* numbers of actions whose end is not known */
	struct loss losses[NR_LOSSES];
	struct inv_action ring[NR_ACTIONS];
};

int inv_causes_create(struct inv_causes **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void inv_causes_destroy(struct inv_causes *c)
{
	free(c);
}

static struct inv_action *at(struct inv_causes *c, uint64_t number)
{
	return &c->ring[number % NR_ACTIONS];
}

static bool kept(const struct inv_causes *c, uint64_t number)
{
	return number + NR_ACTIONS >= c->n;
}

static void add(struct inv_causes *c, const struct vgr_rec *rec, struct inv_action a)
{
	struct inv_action *slot = at(c, c->n);

	if (c->n >= NR_ACTIONS && slot->to > c->forgotten)
		c->forgotten = slot->to;
	a.tid = rec->tid;
	a.vm = rec->vm;
	a.cpu = rec->cpu;
	a.type = rec->type;
	if (a.open) {
		a.to = a.from + LONGEST;
		if (c->nr_open == NR_OPEN)
			memmove(c->open, c->open + 1, --c->nr_open * sizeof(c->open[0]));
		c->open[c->nr_open++] = c->n;
	}
	*slot = a;
	c->n++;
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

static void end_open(struct inv_causes *c, const struct vgr_rec *rec)
{
	uint64_t end = rec->time;
	unsigned int n = 0;

	/* The time of a flush or sync is its end: what went before ended when it began. */
	if (rec->type == VGR_FLUSH)
		end = ((const struct vgr_flush *)rec)->begin;
	else if (rec->type == VGR_SYNC)
		end = ((const struct vgr_sync *)rec)->begin;
	for (unsigned int i = 0; i < c->nr_open; i++) {
		struct inv_action *a = at(c, c->open[i]);

		if (!kept(c, c->open[i]) || rec->time > a->from + LONGEST)
			continue;
		/* Idle has no thread of its own: there the CPU stands for it. */
		if (a->tid == rec->tid && (a->tid || a->cpu == rec->cpu) && ends(rec, a->type)) {
			a->to = end;
			a->open = false;
			continue;
		}
		c->open[n++] = c->open[i];
	}
	c->nr_open = n;
}

static void note_loss(struct inv_causes *c, const struct vgr_loss *l)
{
	struct loss loss = {l->from, l->to ? l->to : UINT64_MAX};

	/* Beyond the last place everything counts as one long loss. */
	if (c->nr_losses == NR_LOSSES) {
		struct loss *last = &c->losses[NR_LOSSES - 1];

		last->from = loss.from < last->from ? loss.from : last->from;
		last->to = loss.to > last->to ? loss.to : last->to;
		return;
	}
	c->losses[c->nr_losses++] = loss;
}

/*
 * A write to a frame of the distributor or of a redistributor, as far as its offset
 * tells: they have the same layout where it matters. A device whose registers look
 * alike is taken for one: that excuses more than it should, and accuses nobody.
 */
static void add_mmio(struct inv_causes *c, const struct vgr_mmio *m, uint64_t index, uint32_t mask)
{
	static const struct {
		uint32_t first, last; /* offsets */
		uint8_t bits;	      /* of one interrupt */
		uint16_t may;
	} registers[] = {
		{0x080, 0x0ff, 1, INV_MAY_CONFIG | INV_MAY_MOVE},
		{0x100, 0x1ff, 1, INV_MAY_CONFIG | INV_MAY_MOVE | INV_MAY_PEND | INV_MAY_COUNT},
		{0x200, 0x2ff, 1, INV_MAY_PEND | INV_MAY_CONFIG | INV_MAY_MOVE | INV_MAY_COUNT},
		{0x300, 0x37f, 1, INV_MAY_SET | INV_MAY_MOVE | INV_MAY_COUNT},
		{0x380, 0x3ff, 1, INV_MAY_CLEAR | INV_MAY_MOVE},
		{0x400, 0x7ff, 8, INV_MAY_CONFIG},
		{0x800, 0xbff, 8, INV_MAY_CONFIG | INV_MAY_MOVE},
		{0xc00, 0xcff, 2, INV_MAY_CONFIG},
	};
	uint32_t offset = m->gpa & mask;
	struct inv_action a = {.from = m->r.time, .index = index, .of = VGR_NO_VCPU, .open = true};

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		uint32_t at;

		if (offset < registers[i].first || offset > registers[i].last)
			continue;
		/* Registers of one bit set in 128 bytes and clear in the next 128. */
		if (registers[i].bits == 1)
			at = (offset & 0x7f) * 8;
		else
			at = (offset - registers[i].first) * 8 / registers[i].bits;
		a.first = at;
		a.last = at + m->len * 8u / registers[i].bits - 1;
		a.may = registers[i].may;
		add(c, &m->r, a);
	}
	if (offset >= 0x6000 && offset < 0x8000) {
		a.first = a.last = (offset - 0x6000) / 8;
		a.may = INV_MAY_CONFIG | INV_MAY_MOVE;
		add(c, &m->r, a);
	}
	/* GICD_SGIR, GICD_[CS]PENDSGIR */
	if (offset >= 0xf00 && offset < 0xf30) {
		a.first = 0;
		a.last = VGIC_NR_SGIS - 1;
		a.may = INV_MAY_PEND | INV_MAY_MOVE;
		add(c, &m->r, a);
	}
	/* GICD_CTLR: what is pending becomes deliverable or not. */
	if (offset < 4) {
		a.first = 0;
		a.last = UINT32_MAX;
		a.may = INV_MAY_CONFIG | INV_MAY_MOVE | INV_MAY_PEND;
		add(c, &m->r, a);
	}
	/* GICR_CTLR, INVLPIR, INVALLR, GITS_CTLR, GITS_CWRITER. */
	if (offset < 4 || (offset >= 0x80 && offset < 0xc8)) {
		a.first = VGIC_LPI_BASE;
		a.last = UINT32_MAX;
		a.may = INV_MAY_ANY;
		add(c, &m->r, a);
	}
}

void inv_causes_record(struct inv_causes *c, const struct vgr_rec *rec, uint64_t index,
		       uint32_t gicd_mask)
{
	struct inv_action a = {.from = rec->time, .index = index, .of = VGR_NO_VCPU, .open = true};

	if (rec->type == VGR_LOSS) {
		note_loss(c, (const struct vgr_loss *)rec);
		return;
	}
	end_open(c, rec);
	switch (rec->type) {
	case VGR_INJECT:
		a.first = a.last = ((const struct vgr_inject *)rec)->intid;
		a.may = INV_MAY_PEND | INV_MAY_MOVE | INV_MAY_COUNT;
		if (a.first < VGIC_NR_PRIVATE)
			a.of = rec->vcpu;
		break;
	case VGR_SGI:
		a.first = a.last = (((const struct vgr_sgi *)rec)->value >> 24) & 0xf;
		a.may = INV_MAY_PEND | INV_MAY_MOVE;
		break;
	case VGR_MSI:
		a.from = a.from > LONGEST_MSI ? a.from - LONGEST_MSI : 0;
		a.first = VGIC_LPI_BASE;
		a.last = UINT32_MAX;
		a.may = INV_MAY_PEND | INV_MAY_MOVE;
		break;
	case VGR_DIR:
		a.first = a.last = ((const struct vgr_dir *)rec)->value & 0xffffe3ffu;
		a.may = INV_MAY_CLEAR | INV_MAY_PEND | INV_MAY_MOVE | INV_MAY_COUNT;
		if (a.first < VGIC_NR_PRIVATE)
			a.of = rec->vcpu;
		break;
	case VGR_MMIO:
		if (((const struct vgr_mmio *)rec)->write)
			add_mmio(c, (const struct vgr_mmio *)rec, index, gicd_mask);
		return;
	case VGR_PRUNE:
		a.first = 0;
		a.last = UINT32_MAX;
		a.may = INV_MAY_MOVE;
		break;
	default:
		return;
	}
	add(c, rec, a);
}

void inv_causes_sync(struct inv_causes *c, const struct vgr_sync *s, uint64_t index, uint32_t intid,
		     uint16_t may)
{
	struct inv_action a = {
		.from = s->begin,
		.to = s->r.time,
		.index = index,
		.first = intid,
		.last = intid,
		.of = s->r.vcpu,
		.may = may,
	};

	add(c, &s->r, a);
}

void inv_causes_idle(struct inv_causes *c, const struct vgr_rec *rec, uint64_t index, uint64_t from)
{
	struct inv_action a = {
		.from = from,
		.to = rec->time,
		.index = index,
		.last = UINT32_MAX,
		.of = VGR_NO_VCPU,
		.may = INV_MAY_USER,
	};

	add(c, rec, a);
}

static bool concerns(const struct inv_action *a, const struct inv_window *w, uint32_t intid,
		     uint32_t may)
{
	if (!(a->may & may) || a->to < w->begin || a->from > w->end)
		return false;
	if (a->vm != w->vm && a->vm != VGR_NO_VM && w->vm != VGR_NO_VM)
		return false;
	/* Private interrupts of other vCPUs are none of this one's. */
	if (a->last < VGIC_NR_PRIVATE && a->of != VGR_NO_VCPU && a->of != w->vcpu)
		return false;
	if (intid == VGR_BOUNDARY_NONE)
		return true;
	return intid >= a->first && intid <= a->last;
}

/* The ring is in the order of the file, which is that of time but for a little. */
static bool too_old(const struct inv_action *a, uint64_t begin)
{
	return a->from + 2 * LONGEST < begin;
}

static bool lost(const struct inv_causes *c, const struct inv_window *w)
{
	for (unsigned int i = 0; i < c->nr_losses; i++)
		if (c->losses[i].from <= w->end && c->losses[i].to >= w->begin)
			return true;
	return false;
}

enum inv_verdict inv_causes_ask(const struct inv_causes *c, const struct inv_window *w,
				uint32_t intid, uint32_t excuse, const uint64_t except[2])
{
	enum inv_verdict verdict = INV_GUILTY;

	if (lost(c, w))
		return INV_LOST;
	if (!excuse)
		return INV_GUILTY;
	for (uint64_t i = c->n; i > 0 && i + NR_ACTIONS > c->n; i--) {
		const struct inv_action *a = &c->ring[(i - 1) % NR_ACTIONS];

		if (a->index != except[0] && a->index != except[1] &&
		    concerns(a, w, intid, excuse)) {
			if (a->may != INV_MAY_USER)
				return INV_EXCUSED;
			verdict = INV_FORGOTTEN;
		}
		/* An idle time began long before it was noted. */
		if (a->may != INV_MAY_USER && too_old(a, w->begin))
			return verdict;
	}
	return w->begin < c->forgotten ? INV_FORGOTTEN : verdict;
}

uint64_t inv_causes_find(const struct inv_causes *c, const struct inv_window *w, uint32_t intid,
			 uint32_t may)
{
	const struct inv_action *best = NULL;

	for (uint64_t i = c->n; i > 0 && i + NR_ACTIONS > c->n; i--) {
		const struct inv_action *a = &c->ring[(i - 1) % NR_ACTIONS];

		if (too_old(a, w->begin))
			break;
		if (concerns(a, w, intid, may) && (!best || a->from > best->from))
			best = a;
	}
	return best ? best->index : 0;
}

uint64_t inv_causes_over(const struct inv_causes *c, uint64_t index, uint64_t from)
{
	for (uint64_t i = c->n; i > 0 && i + NR_ACTIONS > c->n; i--) {
		const struct inv_action *a = &c->ring[(i - 1) % NR_ACTIONS];

		if (a->index == index)
			return a->to;
		if (a->from + 2 * LONGEST < from)
			break;
	}
	return from + LONGEST;
}
