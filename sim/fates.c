/* SPDX-License-Identifier: GPL-2.0-only */
/* The fate of each interrupt, from what the lists and the LRs show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/fates.h>
#include <vgicsim/vgic.h>

#include "fates_inline.h"
#include "watch.h"

static const char *const names[VGIC_FATE_KINDS] = {
	"not raised", "delivered", "withdrawn", "waiting", "stuck", "starved", "lost"};

const char *vgic_fate_name(enum vgic_fate_kind kind)
{
	return names[kind];
}

int vgic_fates_create(struct vgic_fates **out, uint16_t vm)
{
	struct vgic_fates *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->vm = vm;
	*out = f;
	return 0;
}

void vgic_fates_destroy(struct vgic_fates *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nr_vcpus; i++)
		free(f->vcpus[i].list);
	free(f->vcpus);
	irq_index_finish(&f->index);
	free(f->v);
	free(f);
}

/* ---- tables ---- */

static int reserve_vcpus(struct vgic_fates *f, size_t n)
{
	struct fates_vcpu *v = realloc(f->vcpus, n * sizeof(*v));

	if (!v)
		return -ENOMEM;
	memset(v + f->cap_vcpus, 0, (n - f->cap_vcpus) * sizeof(*v));
	f->vcpus = v;
	f->cap_vcpus = n;
	return 0;
}

struct fates_vcpu *fates_new_vcpu(struct vgic_fates *f, uint16_t index)
{
	size_t n = (size_t)index + 1;

	if (n > f->cap_vcpus && reserve_vcpus(f, n))
		return NULL;
	f->nr_vcpus = n;
	return &f->vcpus[index];
}

static int reserve_entries(struct vgic_fates *f, size_t cap)
{
	struct fates_entry *p = realloc(f->v, cap * sizeof(*p));

	if (!p)
		return -ENOMEM;
	f->v = p;
	f->cap = cap;
	return 0;
}

static struct fates_entry *find_entry(struct vgic_fates *f, uint16_t vcpu, uint32_t intid)
{
	size_t at;

	if (irq_index_get(&f->index, vcpu, intid, &at))
		return NULL;
	if (at < f->n)
		return &f->v[at];
	if (at >= f->cap && reserve_entries(f, f->cap ? f->cap * 2 : 64))
		return NULL;
	struct fates_entry *e = &f->v[f->n++];

	memset(e, 0, sizeof(*e));
	e->fate.intid = intid;
	e->fate.vcpu = e->of = intid < VGIC_NR_PRIVATE ? vcpu : VGR_NO_VCPU;
	e->target = VGR_NO_VCPU;
	return e;
}

static struct fates_entry *entry_of(struct vgic_fates *f, uint16_t vcpu, uint32_t intid)
{
	struct fates_entry *e = find_entry(f, vcpu, intid);

	if (e)
		e->named = true;
	return e;
}

static int remember(struct fates_vcpu *v, uint32_t entry)
{
	if (v->nr_list == v->cap_list) {
		size_t cap = v->cap_list ? v->cap_list * 2 : 32;
		uint32_t *p = realloc(v->list, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		v->list = p;
		v->cap_list = cap;
	}
	v->list[v->nr_list++] = entry;
	return 0;
}

/* ---- one vCPU ---- */

static bool in_lr(const struct fates_vcpu *v, uint32_t number)
{
	for (unsigned int i = 0; i < v->used; i++)
		if ((v->lr[i] & VGIC_LR_STATE) && v->number[i] == number)
			return true;
	return false;
}

/* What a flush leaves in the LRs, the numbers of which the caller puts beside them. */
static void flushed(struct fates_vcpu *v, const struct vgr_flush *fl, const uint64_t *lr)
{
	v->used = fl->used_lrs < fl->nr_lr ? fl->used_lrs : fl->nr_lr;
	for (unsigned int i = 0; i < v->used; i++)
		v->lr[i] = lr[i];
	v->flushed = true;
	v->entries++;
}

/* What was read back of the LRs. */
static void leave(struct vgic_fates *f, const struct fates_vcpu *v, const uint64_t *lr,
		  unsigned int used, uint64_t time)
{
	for (unsigned int i = 0; v->flushed && i < used && i < v->used; i++)
		if (v->lr[i] & VGIC_LR_STATE)
			fates_run_of_lr(f, &f->v[v->number[i]], v->lr[i], lr[i], time);
}

/* ---- records ---- */

static int on_flush(struct vgic_fates *f, struct fates_vcpu *v, const struct vgr_flush *fl)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(fl + 1);
	const struct vgr_irq *after = before + fl->n_before;
	const uint64_t *lr = (const uint64_t *)(after + fl->n_after);
	bool whole = !(fl->r.flags & (VGR_F_CUT | VGR_F_TORN));

	if (fl->nested)
		return 0;
	f->stamp++;
	for (unsigned int i = 0; i < fl->n_before; i++) {
		struct fates_entry *e = entry_of(f, fl->r.vcpu, before[i].intid);

		if (!e)
			return -ENOMEM;
		e->stamp = f->stamp;
		fates_look(f, e, fl->r.vcpu, &before[i], fl->begin);
	}
	/* Taken off since the last look. */
	for (size_t i = 0; i < v->nr_list && whole; i++)
		if (f->v[v->list[i]].stamp != f->stamp)
			fates_left_list(&f->v[v->list[i]], fl->r.vcpu);
	v->nr_list = 0;
	flushed(v, fl, lr);
	for (unsigned int i = 0; i < v->used; i++) {
		struct fates_entry *e;

		if (!(lr[i] & VGIC_LR_STATE))
			continue;
		e = entry_of(f, fl->r.vcpu, (uint32_t)(lr[i] & VGIC_LR_VINTID));
		if (!e)
			return -ENOMEM;
		v->number[i] = (uint32_t)(e - f->v);
	}
	for (unsigned int i = 0; i < fl->n_after; i++) {
		struct fates_entry *e = entry_of(f, fl->r.vcpu, after[i].intid);

		if (!e || remember(v, (uint32_t)(e - f->v)))
			return -ENOMEM;
		e->listed = true;
		fates_look_inside(f, fl, e, &after[i], in_lr(v, (uint32_t)(e - f->v)));
	}
	return 0;
}

static int on_sync(struct vgic_fates *f, struct fates_vcpu *v, const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);
	const uint32_t *rest = (const uint32_t *)(lr + s->used_lrs);

	if (s->nested)
		return 0;
	if (!(s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED)))
		leave(f, v, lr, s->used_lrs, s->begin);
	v->flushed = false;
	for (unsigned int i = 0; i < s->n_before; i++) {
		struct fates_entry *e = entry_of(f, s->r.vcpu, after[i].intid);

		if (!e)
			return -ENOMEM;
		e->listed = false;
		fates_look(f, e, s->r.vcpu, &after[i], s->r.time);
	}
	v->nr_list = 0;
	for (unsigned int i = 0; i < s->n_after; i++) {
		struct fates_entry *e = entry_of(f, s->r.vcpu, rest[i]);

		if (!e || remember(v, (uint32_t)(e - f->v)))
			return -ENOMEM;
		e->listed = true;
	}
	return 0;
}

static int on_inject(struct vgic_fates *f, const struct vgr_inject *in)
{
	struct fates_entry *e = entry_of(f, in->r.vcpu, in->intid);

	if (!e)
		return -ENOMEM;
	fates_inject(f, e, in->level, in->r.time);
	return 0;
}

static int on_sgi(struct vgic_fates *f, const struct vgr_sgi *s)
{
	uint32_t intid = (s->value >> 24) & 0xf;
	bool all = s->value & (1ull << 40);
	uint64_t aff1 = (s->value >> 16) & 0xff;

	for (size_t i = 0; i < f->nr_vcpus; i++) {
		bool hit = all ? i != s->r.vcpu : aff1 == i / 16 && (s->value & (1ull << (i % 16)));
		struct fates_entry *e = hit ? entry_of(f, (uint16_t)i, intid) : NULL;

		if (hit && !e)
			return -ENOMEM;
		/* KVM drops an SGI of a group that the register is not for. */
		if (hit && (s->allow_group1 || !e->seen || !(e->state & VGR_IRQ_GROUP1)))
			fates_raise(f, e, s->r.time);
	}
	return 0;
}

static int on_dir(struct vgic_fates *f, const struct vgr_dir *d)
{
	struct fates_entry *e = entry_of(f, d->r.vcpu, (uint32_t)(d->value & 0xffffff));

	if (!e)
		return -ENOMEM;
	fates_dir(e);
	return 0;
}

/*
 * GICD_CTLR, ICENABLER, ICPENDR, or another device with registers at these places in
 * its page: records do not say where the GIC's frames are.
 */
static bool takes_back(const struct vgr_mmio *m)
{
	uint64_t at = m->gpa & 0xfff;

	return m->write && (!at || (at >= 0x180 && at < 0x200) || (at >= 0x280 && at < 0x300));
}

int vgic_fates_record(struct vgic_fates *f, const struct vgr_rec *rec)
{
	struct fates_vcpu *v = NULL;

	f->nr_records++;
	if (!f->started) {
		f->started = true;
		f->start = rec->time;
	}
	if (rec->type == VGR_LOSS)
		/* What was not recorded may have been a register write. */
		f->writes++;
	if (rec->vm != f->vm || rec->time < f->start ||
	    (rec->vcpu >= VGIC_MAX_VCPUS && (rec->vcpu != VGR_NO_VCPU || rec->type != VGR_INJECT)))
		return 0;
	if (rec->vcpu != VGR_NO_VCPU) {
		v = fates_vcpu_of(f, rec->vcpu);
		if (!v)
			return -ENOMEM;
	}
	if (rec->type != VGR_KICK && rec->time > f->last)
		f->last = rec->time;
	switch (rec->type) {
	case VGR_FLUSH:
		return on_flush(f, v, (const struct vgr_flush *)rec);
	case VGR_SYNC:
		return on_sync(f, v, (const struct vgr_sync *)rec);
	case VGR_INJECT:
		return on_inject(f, (const struct vgr_inject *)rec);
	case VGR_SGI:
		return on_sgi(f, (const struct vgr_sgi *)rec);
	case VGR_DIR:
		return on_dir(f, (const struct vgr_dir *)rec);
	case VGR_MMIO:
		f->writes += takes_back((const struct vgr_mmio *)rec);
		return 0;
	default:
		return 0;
	}
}

/* ---- without records ---- */

int fates_reserve(struct vgic_fates *f, size_t n, unsigned int nr_vcpus)
{
	return reserve_entries(f, n) || reserve_vcpus(f, nr_vcpus) ? -ENOMEM : 0;
}

int fates_number(struct vgic_fates *f, uint16_t vcpu, uint32_t intid, uint32_t *number)
{
	struct fates_entry *e = find_entry(f, vcpu, intid);

	if (!e)
		return -ENOMEM;
	*number = (uint32_t)(e - f->v);
	return 0;
}

/* ---- judgement ---- */

static bool lasted(const struct vgic_fates *f, uint64_t since, uint64_t entries)
{
	return (entries >= VGIC_FATE_ENTRIES && f->last > since + VGIC_FATE_NS) ||
	       (entries >= VGIC_FATE_SOME_ENTRIES && f->last > since + VGIC_FATE_LONG_NS);
}

/*
 * Pending, enabled, and on no list. Whether it is still enabled only its last
 * listing tells, and only if no register was written since.
 */
static bool is_off_lists(const struct vgic_fates *f, const struct fates_entry *e, bool forever)
{
	uint64_t entries = fates_entries_of(f, e) - e->want_entries;

	return e->want && !e->listed && e->seen && (e->state & VGR_IRQ_ENABLED) &&
	       e->target != VGR_NO_VCPU && e->writes == f->writes &&
	       (forever ? entries > 0 : lasted(f, e->want_since, entries));
}

static void judge(const struct vgic_fates *f, struct fates_entry *e, enum vgic_fates_end end)
{
	struct vgic_fate *t = &e->fate;
	bool blocked = end == VGIC_FATES_BLOCKED;

	if (t->lost || is_off_lists(f, e, blocked)) {
		t->kind = VGIC_FATE_LOST;
		t->since_ns = (t->lost ? e->lost_since : e->want_since) - f->start;
		t->lost += !t->lost;
	} else if (t->outside_entries &&
		   (blocked || lasted(f, t->outside_ns + f->start, t->outside_entries))) {
		t->kind = VGIC_FATE_STARVED;
		t->since_ns = t->outside_ns;
		t->entries = t->outside_entries;
	} else if (e->active && (end != VGIC_FATES_CUT || e->dir ||
				 lasted(f, e->active_since, e->active_entries))) {
		t->kind = VGIC_FATE_STUCK;
		t->since_ns = e->active_since - f->start;
		t->entries = e->active_entries;
		t->refused = e->dir;
	} else if (e->want) {
		t->kind = VGIC_FATE_WAITING;
		t->since_ns = e->want_since - f->start;
	} else if (t->delivered) {
		t->kind = VGIC_FATE_DELIVERED;
	} else {
		t->kind = t->raised ? VGIC_FATE_WITHDRAWN : VGIC_FATE_NONE;
	}
}

static int compare(const void *pa, const void *pb)
{
	const struct vgic_fate *a = pa, *b = pb;

	if (a->intid != b->intid)
		return a->intid < b->intid ? -1 : 1;
	return (a->vcpu > b->vcpu) - (a->vcpu < b->vcpu);
}

int vgic_fates_finish(struct vgic_fates *f, enum vgic_fates_end end, struct vgic_fate **list,
		      size_t *n)
{
	struct vgic_fate *v = calloc(f->n ? f->n : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (!f->v[i].named)
			continue;
		judge(f, &f->v[i], end);
		v[(*n)++] = f->v[i].fate;
	}
	qsort(v, *n, sizeof(*v), compare);
	*list = v;
	return 0;
}

const struct vgic_fate *vgic_fate_find(const struct vgic_fate *list, size_t n, uint16_t vcpu,
				       uint32_t intid)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (list[mid].intid < intid)
			from = mid + 1;
		else
			to = mid;
	}
	for (; from < n && list[from].intid == intid; from++)
		if (intid >= VGIC_NR_PRIVATE || list[from].vcpu == vcpu)
			return &list[from];
	return NULL;
}

bool vgic_fates_any(const struct vgic_fate *list, size_t n, enum vgic_fate_kind least)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].kind >= least)
			return true;
	return false;
}

/* What counts: came through or not, and what is wrong with it at the end. */
static enum vgic_fate_kind class_of(const struct vgic_fate *f)
{
	if (!f)
		return VGIC_FATE_NONE;
	if (f->kind == VGIC_FATE_WAITING || f->kind == VGIC_FATE_DELIVERED)
		return f->delivered ? VGIC_FATE_DELIVERED : VGIC_FATE_WAITING;
	return (enum vgic_fate_kind)f->kind;
}

enum vgic_verdict vgic_fate_verdict(const struct vgic_fate_triple *t)
{
	enum vgic_fate_kind source = class_of(t->source), replayed = class_of(t->replayed),
			    recorded = class_of(t->recorded);

	if (replayed == recorded)
		return VGIC_VERDICT_AGREE;
	if (source == VGIC_FATE_NONE && replayed == VGIC_FATE_NONE)
		return VGIC_VERDICT_OPEN;
	if (replayed == VGIC_FATE_WAITING && source != VGIC_FATE_DELIVERED && t->source_blocked)
		return VGIC_VERDICT_OPEN;
	/* The guest of the source itself had not ended it when its recording did. */
	if (t->source && t->source->ended < t->source->delivered && !t->source_starved &&
	    (replayed == VGIC_FATE_DELIVERED || replayed == VGIC_FATE_STUCK) &&
	    (recorded == VGIC_FATE_DELIVERED || recorded == VGIC_FATE_STUCK))
		return VGIC_VERDICT_OPEN;
	if (recorded == VGIC_FATE_NONE && replayed == source && !t->recorded_blocked)
		return VGIC_VERDICT_OPEN;
	return VGIC_VERDICT_DIFFER;
}

bool vgic_fates_swapped(const struct vgic_fate_triple *a, const struct vgic_fate_triple *b)
{
	if (!a->source || !b->source || !a->recorded || !b->recorded ||
	    class_of(a->replayed) != class_of(b->recorded) ||
	    class_of(b->replayed) != class_of(a->recorded))
		return false;
	return (a->source->first_ns < b->source->first_ns) !=
	       (a->recorded->first_ns < b->recorded->first_ns);
}
