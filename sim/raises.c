/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/raises.h>
#include <vgicsim/vgic.h>

#include "irq_index.h"
#include "msi_map.h"
#include "watch.h"

struct entry {
	uint32_t intid;
	uint16_t state;
	bool seen;	/* state is known */
	bool held;	/* listed, and not to be delivered, when it was last looked at */
	bool by_source; /* a GICv2's SGI: pending for each sender on its own */
	uint8_t sources;
	/* Raised, and not in an LR since. */
	bool waits;
	bool listed_pending; /* a list showed it */
	struct vgic_raise raise;
	/* Reached an LR, and not taken; then back in the latch perhaps. */
	bool shown;
	bool in_guest; /* the LR is in a guest that runs: whether it was taken shows at the sync */
	struct vgic_raise shown_raise;
	uint64_t dir; /* time of the last DIR */
	uint16_t on;  /* vCPU on whose list it was last, at its flush number ... */
	uint64_t on_flush;
};

struct vcpu {
	uint64_t lr[VGIC_MAX_LRS];
	uint32_t number[VGIC_MAX_LRS]; /* of the entries of these interrupts */
	unsigned int used;
	bool flushed, entered;
	uint64_t flushes, begin, sync;
};

struct vgic_raises {
	uint16_t vm;
	struct vgic_latency_series *to_lr;
	uint64_t merged, number;
	uint64_t last_write; /* of a register */
	struct irq_index index;
	struct entry *v;
	size_t n, cap;
	struct vcpu *vcpus;
	size_t nr_vcpus, cap_vcpus;
	struct msi_map msis;
};

int vgic_raises_create(struct vgic_raises **out, uint16_t vm, struct vgic_latency_series *to_lr)
{
	struct vgic_raises *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->vm = vm;
	r->to_lr = to_lr;
	*out = r;
	return 0;
}

void vgic_raises_destroy(struct vgic_raises *r)
{
	if (!r)
		return;
	msi_map_finish(&r->msis);
	irq_index_finish(&r->index);
	free(r->vcpus);
	free(r->v);
	free(r);
}

uint64_t vgic_raises_merged(const struct vgic_raises *r)
{
	return r->merged;
}

static int reserve_vcpus(struct vgic_raises *r, size_t n)
{
	struct vcpu *v = realloc(r->vcpus, n * sizeof(*v));

	if (!v)
		return -ENOMEM;
	memset(v + r->cap_vcpus, 0, (n - r->cap_vcpus) * sizeof(*v));
	r->vcpus = v;
	r->cap_vcpus = n;
	return 0;
}

static __attribute__((noinline)) struct vcpu *new_vcpu(struct vgic_raises *r, uint16_t index)
{
	size_t n = (size_t)index + 1;

	if (n > r->cap_vcpus && reserve_vcpus(r, n))
		return NULL;
	r->nr_vcpus = n;
	return &r->vcpus[index];
}

static inline struct vcpu *vcpu_of(struct vgic_raises *r, uint16_t index)
{
	return index < r->nr_vcpus ? &r->vcpus[index] : new_vcpu(r, index);
}

static int reserve_entries(struct vgic_raises *r, size_t cap)
{
	struct entry *p = realloc(r->v, cap * sizeof(*p));

	if (!p)
		return -ENOMEM;
	r->v = p;
	r->cap = cap;
	return 0;
}

static struct entry *entry_of(struct vgic_raises *r, uint16_t vcpu, uint32_t intid)
{
	size_t at;

	if (irq_index_get(&r->index, vcpu, intid, &at))
		return NULL;
	if (at < r->n)
		return &r->v[at];
	if (at >= r->cap && reserve_entries(r, r->cap ? r->cap * 2 : 64))
		return NULL;
	r->n++;
	memset(&r->v[at], 0, sizeof(r->v[at]));
	r->v[at].intid = intid;
	r->v[at].on = VGR_NO_VCPU;
	return &r->v[at];
}

/* ---- one interrupt ---- */

static void open_raise(struct vgic_raises *r, struct entry *e, uint64_t time)
{
	e->waits = true;
	e->listed_pending = false;
	e->raise = (struct vgic_raise){r->number++, time};
}

/* The latch is set: by an edge, an SGI, an MSI. */
static void edge(struct vgic_raises *r, struct entry *e, uint64_t time)
{
	if (e->waits || (e->shown && !e->in_guest))
		r->merged++;
	else
		open_raise(r, e, time);
}

static void line_high(struct vgic_raises *r, struct entry *e, uint64_t time)
{
	/* One that is in an LR still has been lowered meanwhile: a raise if it is taken. */
	if (!e->waits && (!e->shown || e->in_guest))
		open_raise(r, e, time);
}

static void line_low(struct entry *e)
{
	if (e->state & VGR_IRQ_LATCH)
		return;
	e->waits = false;
	e->shown &= e->in_guest;
}

static bool is_level(const struct entry *e)
{
	return e->seen && (e->state & VGR_IRQ_LEVEL);
}

static bool is_pending(const struct vgr_irq *q)
{
	return (q->state & VGR_IRQ_LATCH) ||
	       ((q->state & VGR_IRQ_LEVEL) && (q->state & VGR_IRQ_LINE));
}

struct claim {
	struct vgic_raises *r;
	struct entry *e;
};

static void claimed(void *opaque, const struct msi_wait *msi)
{
	const struct claim *c = opaque;

	edge(c->r, c->e, msi->time);
}

/* Pending, and no record said why. */
static int unexplained(struct vgic_raises *r, struct entry *e, const struct vgr_irq *q,
		       uint64_t time)
{
	bool line = !(q->state & VGR_IRQ_LATCH);

	/* A line that is high while its interrupt is active asks when that is over. */
	if (line && (q->state & VGR_IRQ_ACTIVE))
		return 0;
	if (e->intid >= VGIC_LPI_BASE) {
		int ret = msi_map_claim(&r->msis, e->intid, claimed, &(struct claim){r, e});

		if (ret < 0)
			return ret;
	}
	if (!e->waits)
		open_raise(r, e, time);
	return 0;
}

/* The state of one interrupt while its vCPU is out of the guest: nothing of it is in an LR. */
static inline __attribute__((always_inline)) int look(struct vgic_raises *r, const struct vcpu *v,
						      struct entry *e, const struct vgr_irq *q,
						      uint64_t time)
{
	if (q->state & VGR_IRQ_GONE)
		return 0;
	e->seen = true;
	e->state = q->state;
	e->by_source |= e->intid < VGIC_NR_SGIS && (q->source || q->active_source);
	e->sources = q->source;
	if (is_pending(q)) {
		if (!e->waits && !e->shown && unexplained(r, e, q, time))
			return -ENOMEM;
		e->listed_pending = true;
	} else if (e->listed_pending || e->raise.time < v->begin) {
		/* Taken back. One that was raised just now may not have taken effect. */
		e->waits = e->shown = false;
	}
	return 0;
}

/*
 * Listed for the first time since it was raised, or allowed for the first time: when
 * the vCPU was last out of the guest the host did not have it to deliver.
 */
static void look_held(const struct vgic_raises *r, const struct vgr_flush *f, uint64_t last_flush,
		      struct entry *e, bool new)
{
	bool deliverable = (e->state & VGR_IRQ_ENABLED) && f->dist_enabled;

	if (e->waits && deliverable && (e->held || new) && e->raise.time < last_flush)
		e->raise.time = r->last_write > last_flush && r->last_write < f->begin
					? r->last_write
					: f->begin;
	e->held = !deliverable;
}

/* It was on the list of its vCPU when that was flushed last. */
static bool is_listed(const struct vgic_raises *r, const struct entry *e)
{
	return e->on < r->nr_vcpus && e->on_flush == r->vcpus[e->on].flushes;
}

/* ---- one vCPU ---- */

/* A flush finds it on its list, and has looked at it. new: the one before did not. */
static inline void on_list(const struct vgic_raises *r, const struct vcpu *v,
			   const struct vgr_flush *f, struct entry *e, bool new)
{
	look_held(r, f, v->begin, e, new);
	e->on = f->r.vcpu;
	e->on_flush = v->flushes + 1;
}

/* What a flush finds on its list. */
static int look_before(struct vgic_raises *r, const struct vcpu *v, const struct vgr_flush *f,
		       struct entry *e, const struct vgr_irq *q)
{
	bool new = !is_listed(r, e);

	/* What a DIR ended since the sync asks again from then on. */
	if (look(r, v, e, q, e->dir > v->sync ? e->dir : f->begin))
		return -ENOMEM;
	on_list(r, v, f, e, new);
	return 0;
}

/* What it leaves in the LRs, the numbers of which the caller puts beside them. */
static void flushed(struct vcpu *v, const struct vgr_flush *f, const uint64_t *lr)
{
	v->flushes++;
	v->begin = f->begin;
	v->used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr;
	for (unsigned int i = 0; i < v->used; i++)
		v->lr[i] = lr[i];
	v->flushed = true;
	v->entered = false;
}

/* An LR has it pending, and the guest runs from then on. 0 or -ENOMEM. */
static inline int enter_lr(struct vgic_raises *r, struct entry *e, uint64_t time)
{
	e->in_guest = true;
	if (!e->waits || e->shown)
		return 0;
	e->waits = false;
	e->shown = true;
	e->shown_raise = e->raise;
	return vgic_latency_add(r->to_lr, e->raise.number,
				time > e->raise.time ? time - e->raise.time : 0);
}

static int enter(struct vgic_raises *r, struct vcpu *v, uint64_t time)
{
	for (unsigned int i = 0; v->flushed && i < v->used; i++)
		if ((v->lr[i] & VGIC_LR_PENDING) && enter_lr(r, &r->v[v->number[i]], time))
			return -ENOMEM;
	v->entered = v->flushed;
	return 0;
}

/* What the run did to an LR that had an interrupt pending. */
static void run_of_lr(struct vgic_raises *r, struct entry *e, uint64_t is)
{
	e->in_guest = false;
	if (!(is & VGIC_LR_PENDING)) {
		e->shown = false;
		return;
	}
	/* Raised once more before it was taken. */
	if (e->shown && e->waits) {
		e->waits = false;
		r->merged += !is_level(e);
	}
}

/* What was read back; the states of the list follow. */
static void leave(struct vgic_raises *r, struct vcpu *v, uint64_t time, const uint64_t *lr,
		  unsigned int used)
{
	for (unsigned int i = 0; v->entered && i < used && i < v->used; i++)
		if (v->lr[i] & VGIC_LR_PENDING)
			run_of_lr(r, &r->v[v->number[i]], lr[i]);
	v->flushed = v->entered = false;
	v->sync = time;
}

static void inject(struct vgic_raises *r, struct entry *e, bool level, uint64_t time)
{
	if (!level)
		line_low(e);
	else if (is_level(e))
		line_high(r, e, time);
	else
		edge(r, e, time);
}

/* ---- records ---- */

static int on_flush(struct vgic_raises *r, struct vcpu *v, const struct vgr_flush *f)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	const uint64_t *lr = (const uint64_t *)(before + f->n_before + f->n_after);

	if (f->nested)
		return 0;
	for (unsigned int i = 0; i < f->n_before; i++) {
		struct entry *e = entry_of(r, f->r.vcpu, before[i].intid);

		if (!e || look_before(r, v, f, e, &before[i]))
			return -ENOMEM;
	}
	flushed(v, f, lr);
	for (unsigned int i = 0; i < v->used; i++) {
		struct entry *e;

		if (!(lr[i] & VGIC_LR_PENDING))
			continue;
		e = entry_of(r, f->r.vcpu, (uint32_t)(lr[i] & VGIC_LR_VINTID));
		if (!e)
			return -ENOMEM;
		v->number[i] = (uint32_t)(e - r->v);
	}
	return 0;
}

static int on_sync(struct vgic_raises *r, struct vcpu *v, const struct vgr_sync *s)
{
	const struct vgr_irq *after = (const struct vgr_irq *)(s + 1) + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);

	if (s->nested)
		return 0;
	leave(r, v, s->r.time, lr, s->used_lrs);
	for (unsigned int i = 0; i < s->n_before; i++) {
		struct entry *e = entry_of(r, s->r.vcpu, after[i].intid);

		if (!e || look(r, v, e, &after[i], s->begin))
			return -ENOMEM;
	}
	return 0;
}

static int on_inject(struct vgic_raises *r, const struct vgr_inject *in)
{
	struct entry *e = entry_of(r, in->r.vcpu, in->intid);

	if (!e)
		return -ENOMEM;
	inject(r, e, in->level, in->r.time);
	return 0;
}

static int on_sgi(struct vgic_raises *r, const struct vgr_sgi *s)
{
	uint32_t intid = (s->value >> 24) & 0xf;
	bool all = s->value & (1ull << 40);
	uint64_t aff1 = (s->value >> 16) & 0xff;
	uint8_t source = s->r.vcpu < 8 ? (uint8_t)(1u << s->r.vcpu) : 0;

	for (size_t i = 0; i < r->nr_vcpus; i++) {
		bool hit = all ? i != s->r.vcpu : aff1 == i / 16 && (s->value & (1ull << (i % 16)));
		struct entry *e = hit ? entry_of(r, (uint16_t)i, intid) : NULL;

		if (!hit)
			continue;
		if (!e)
			return -ENOMEM;
		/* KVM drops an SGI of a group that the register is not for. */
		if (!s->allow_group1 && e->seen && (e->state & VGR_IRQ_GROUP1))
			continue;
		/* Of several senders the first counts; no other one is merged with it. */
		if (!e->by_source || (e->sources & source) || !(e->waits || e->shown))
			edge(r, e, s->r.time);
		e->sources |= source;
	}
	return 0;
}

int vgic_raises_lpi(struct vgic_raises *r, uint32_t lpi, uint64_t time)
{
	struct entry *e = entry_of(r, VGR_NO_VCPU, lpi);

	if (!e)
		return -ENOMEM;
	edge(r, e, time);
	return 0;
}

static int on_msi(struct vgic_raises *r, const struct vgr_msi *m)
{
	uint32_t lpi;

	if (msi_map_find(&r->msis, m->devid, m->eventid, &lpi))
		return vgic_raises_lpi(r, lpi, m->r.time);
	msi_map_wait(&r->msis, &(struct msi_wait){m->devid, m->eventid, m->r.time, 0});
	return 0;
}

/* When something is missing, nobody knows how long what is pending has been so. */
static void on_loss(struct vgic_raises *r)
{
	for (size_t i = 0; i < r->n; i++) {
		r->v[i].shown |= r->v[i].waits;
		r->v[i].waits = false;
		r->v[i].shown_raise.number = UINT64_MAX;
	}
}

int vgic_raises_record(struct vgic_raises *r, const struct vgr_rec *rec)
{
	struct vcpu *v = NULL;
	struct entry *e;

	if (rec->type == VGR_LOSS)
		on_loss(r);
	if (rec->vm != r->vm || (rec->vcpu >= VGIC_MAX_VCPUS && rec->vcpu != VGR_NO_VCPU))
		return 0;
	if (rec->vcpu != VGR_NO_VCPU) {
		v = vcpu_of(r, rec->vcpu);
		if (!v)
			return -ENOMEM;
	}
	if (!v && rec->type != VGR_INJECT && rec->type != VGR_MSI)
		return 0;
	switch (rec->type) {
	case VGR_FLUSH:
		return on_flush(r, v, (const struct vgr_flush *)rec);
	case VGR_ENTRY:
		return enter(r, v, rec->time);
	case VGR_SYNC:
		return on_sync(r, v, (const struct vgr_sync *)rec);
	case VGR_INJECT:
		return on_inject(r, (const struct vgr_inject *)rec);
	case VGR_SGI:
		return on_sgi(r, (const struct vgr_sgi *)rec);
	case VGR_MSI:
		return on_msi(r, (const struct vgr_msi *)rec);
	case VGR_DIR:
		e = entry_of(r, rec->vcpu, ((const struct vgr_dir *)rec)->value & 0xffffff);
		if (!e)
			return -ENOMEM;
		e->dir = rec->time;
		return 0;
	case VGR_MMIO:
		if (((const struct vgr_mmio *)rec)->write)
			r->last_write = rec->time;
		return 0;
	default:
		return 0;
	}
}

bool vgic_raises_in_lr(struct vgic_raises *r, uint16_t vcpu, uint32_t intid,
		       struct vgic_raise *raise)
{
	struct entry *e = entry_of(r, vcpu, intid);

	return e && raises_in_lr(r, (uint32_t)(e - r->v), raise);
}

/* ---- without records ---- */

int raises_reserve(struct vgic_raises *r, size_t n, unsigned int nr_vcpus)
{
	return reserve_entries(r, n) || reserve_vcpus(r, nr_vcpus) ? -ENOMEM : 0;
}

int raises_number(struct vgic_raises *r, uint16_t vcpu, uint32_t intid, uint32_t *number)
{
	struct entry *e = entry_of(r, vcpu, intid);

	if (!e)
		return -ENOMEM;
	*number = (uint32_t)(e - r->v);
	return 0;
}

void raises_listed(struct vgic_raises *r, uint32_t number)
{
	struct entry *e = &r->v[number];

	e->on_flush = r->vcpus[e->on].flushes;
}

int raises_before(struct vgic_raises *r, const struct vgr_flush *f, const struct watched *list,
		  unsigned int n)
{
	const struct vcpu *v = vcpu_of(r, f->r.vcpu);

	for (unsigned int i = 0; i < n; i++) {
		struct entry *e = &r->v[list[i].number];

		if (list[i].same)
			on_list(r, v, f, e, !is_listed(r, e));
		else if (look_before(r, v, f, e, list[i].irq))
			return -ENOMEM;
	}
	return 0;
}

int raises_entry(struct vgic_raises *r, const struct vgr_flush *f, uint64_t time,
		 const uint64_t *lr, const uint32_t *numbers)
{
	struct vcpu *v = &r->vcpus[f->r.vcpu];

	v->flushes++;
	v->begin = f->begin;
	for (unsigned int i = 0; i < f->used_lrs; i++)
		if ((lr[i] & VGIC_LR_PENDING) && enter_lr(r, &r->v[numbers[i]], time))
			return -ENOMEM;
	return 0;
}

void raises_leave(struct vgic_raises *r, const uint64_t *was, const uint64_t *is, unsigned int n,
		  const uint32_t *numbers)
{
	for (unsigned int i = 0; i < n; i++)
		if (was[i] & VGIC_LR_PENDING)
			run_of_lr(r, &r->v[numbers[i]], is[i]);
}

int raises_sync(struct vgic_raises *r, uint16_t vcpu, uint64_t time, const struct watched *list,
		unsigned int n)
{
	struct vcpu *v = vcpu_of(r, vcpu);

	v->sync = time;
	for (unsigned int i = 0; i < n; i++)
		if (look(r, v, &r->v[list[i].number], list[i].irq, time))
			return -ENOMEM;
	return 0;
}

int raises_inject(struct vgic_raises *r, uint16_t vcpu, uint32_t number, bool level, uint64_t time)
{
	/* A vCPU is known from its first record on. */
	if (vcpu != VGR_NO_VCPU && !vcpu_of(r, vcpu))
		return -ENOMEM;
	inject(r, &r->v[number], level, time);
	return 0;
}

void raises_msi(struct vgic_raises *r, uint32_t number, uint64_t time)
{
	edge(r, &r->v[number], time);
}

void raises_dir(struct vgic_raises *r, uint32_t number, uint64_t time)
{
	r->v[number].dir = time;
}

bool raises_in_lr(const struct vgic_raises *r, uint32_t number, struct vgic_raise *raise)
{
	const struct entry *e = &r->v[number];

	if (!e->shown || !e->in_guest || e->shown_raise.number == UINT64_MAX)
		return false;
	*raise = e->shown_raise;
	return true;
}
