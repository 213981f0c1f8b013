/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/raises.h>
#include <vgicsim/vgic.h>

#include "raises_inline.h"
#include "watch.h"

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
	struct raises_vcpu *v = realloc(r->vcpus, n * sizeof(*v));

	if (!v)
		return -ENOMEM;
	memset(v + r->cap_vcpus, 0, (n - r->cap_vcpus) * sizeof(*v));
	r->vcpus = v;
	r->cap_vcpus = n;
	return 0;
}

struct raises_vcpu *raises_new_vcpu(struct vgic_raises *r, uint16_t index)
{
	size_t n = (size_t)index + 1;

	if (n > r->cap_vcpus && reserve_vcpus(r, n))
		return NULL;
	r->nr_vcpus = n;
	return &r->vcpus[index];
}

static int reserve_entries(struct vgic_raises *r, size_t cap)
{
	struct raises_entry *p = realloc(r->v, cap * sizeof(*p));

	if (!p)
		return -ENOMEM;
	r->v = p;
	r->cap = cap;
	return 0;
}

static struct raises_entry *entry_of(struct vgic_raises *r, uint16_t vcpu, uint32_t intid)
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

struct claim {
	struct vgic_raises *r;
	struct raises_entry *e;
};

static void claimed(void *opaque, const struct msi_wait *msi)
{
	const struct claim *c = opaque;

	raises_edge(c->r, c->e, msi->time);
}

/* Pending, and no record said why. */
int raises_unexplained(struct vgic_raises *r, struct raises_entry *e, const struct vgr_irq *q,
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
		raises_open(r, e, time);
	return 0;
}

/* ---- one vCPU ---- */

/* What it leaves in the LRs, the numbers of which the caller puts beside them. */
static void flushed(struct raises_vcpu *v, const struct vgr_flush *f, const uint64_t *lr)
{
	v->flushes++;
	v->begin = f->begin;
	v->used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr;
	for (unsigned int i = 0; i < v->used; i++)
		v->lr[i] = lr[i];
	v->flushed = true;
	v->entered = false;
}

static int enter(struct vgic_raises *r, struct raises_vcpu *v, uint64_t time)
{
	r->any_longest = false;
	for (unsigned int i = 0; v->flushed && i < v->used; i++) {
		struct raises_entry *e = &r->v[v->number[i]];

		if (!(v->lr[i] & VGIC_LR_PENDING))
			continue;
		if (e->waits && !e->shown && time >= e->raise.time &&
		    (!r->any_longest || time - e->raise.time > r->longest.ns)) {
			r->any_longest = true;
			r->longest = (struct vgic_raised){e->intid, time - e->raise.time};
		}
		if (raises_enter_lr(r, e, time))
			return -ENOMEM;
	}
	v->entered = v->flushed;
	return 0;
}

/* What was read back; the states of the list follow. */
static void leave(struct vgic_raises *r, struct raises_vcpu *v, uint64_t time, const uint64_t *lr,
		  unsigned int used)
{
	for (unsigned int i = 0; v->entered && i < used && i < v->used; i++)
		if (v->lr[i] & VGIC_LR_PENDING)
			raises_run_of_lr(r, &r->v[v->number[i]], lr[i]);
	v->flushed = v->entered = false;
	v->sync = time;
}

/* ---- records ---- */

static int on_flush(struct vgic_raises *r, struct raises_vcpu *v, const struct vgr_flush *f)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	const uint64_t *lr = (const uint64_t *)(before + f->n_before + f->n_after);

	if (f->nested)
		return 0;
	for (unsigned int i = 0; i < f->n_before; i++) {
		struct raises_entry *e = entry_of(r, f->r.vcpu, before[i].intid);

		if (!e || raises_look_before(r, v, f, e, &before[i]))
			return -ENOMEM;
	}
	flushed(v, f, lr);
	for (unsigned int i = 0; i < v->used; i++) {
		struct raises_entry *e;

		if (!(lr[i] & VGIC_LR_PENDING))
			continue;
		e = entry_of(r, f->r.vcpu, (uint32_t)(lr[i] & VGIC_LR_VINTID));
		if (!e)
			return -ENOMEM;
		v->number[i] = (uint32_t)(e - r->v);
	}
	return 0;
}

static int on_sync(struct vgic_raises *r, struct raises_vcpu *v, const struct vgr_sync *s)
{
	const struct vgr_irq *after = (const struct vgr_irq *)(s + 1) + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);

	if (s->nested)
		return 0;
	leave(r, v, s->r.time, lr, s->used_lrs);
	for (unsigned int i = 0; i < s->n_before; i++) {
		struct raises_entry *e = entry_of(r, s->r.vcpu, after[i].intid);

		if (!e || raises_look(r, v, e, &after[i], s->begin))
			return -ENOMEM;
	}
	return 0;
}

static int on_inject(struct vgic_raises *r, const struct vgr_inject *in)
{
	struct raises_entry *e = entry_of(r, in->r.vcpu, in->intid);

	if (!e)
		return -ENOMEM;
	raises_inject(r, e, in->level, in->r.time);
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
		struct raises_entry *e = hit ? entry_of(r, (uint16_t)i, intid) : NULL;

		if (!hit)
			continue;
		if (!e)
			return -ENOMEM;
		/* KVM drops an SGI of a group that the register is not for. */
		if (!s->allow_group1 && e->seen && (e->state & VGR_IRQ_GROUP1))
			continue;
		/* Of several senders the first counts; no other one is merged with it. */
		if (!e->by_source || (e->sources & source) || !(e->waits || e->shown))
			raises_edge(r, e, s->r.time);
		e->sources |= source;
	}
	return 0;
}

int vgic_raises_lpi(struct vgic_raises *r, uint32_t lpi, uint64_t time)
{
	struct raises_entry *e = entry_of(r, VGR_NO_VCPU, lpi);

	if (!e)
		return -ENOMEM;
	raises_edge(r, e, time);
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
	struct raises_vcpu *v = NULL;
	struct raises_entry *e;

	if (rec->type == VGR_LOSS)
		on_loss(r);
	if (rec->vm != r->vm || (rec->vcpu >= VGIC_MAX_VCPUS && rec->vcpu != VGR_NO_VCPU))
		return 0;
	if (rec->vcpu != VGR_NO_VCPU) {
		v = raises_vcpu_of(r, rec->vcpu);
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
	struct raises_entry *e = entry_of(r, vcpu, intid);

	return e && raises_in_lr(r, (uint32_t)(e - r->v), raise);
}

bool vgic_raises_longest(const struct vgic_raises *r, struct vgic_raised *longest)
{
	*longest = r->longest;
	return r->any_longest;
}

bool vgic_raises_outside(struct vgic_raises *r, uint16_t vcpu, uint32_t intid,
			 struct vgic_raise *raise)
{
	struct raises_entry *e = entry_of(r, vcpu, intid);

	if (!e || (!e->waits && (!e->shown || e->shown_raise.number == UINT64_MAX)))
		return false;
	*raise = e->waits ? e->raise : e->shown_raise;
	return true;
}

/* ---- without records ---- */

int raises_reserve(struct vgic_raises *r, size_t n, unsigned int nr_vcpus)
{
	return reserve_entries(r, n) || reserve_vcpus(r, nr_vcpus) ? -ENOMEM : 0;
}

int raises_number(struct vgic_raises *r, uint16_t vcpu, uint32_t intid, uint32_t *number)
{
	struct raises_entry *e = entry_of(r, vcpu, intid);

	if (!e)
		return -ENOMEM;
	*number = (uint32_t)(e - r->v);
	return 0;
}

bool raises_in_lr(const struct vgic_raises *r, uint32_t number, struct vgic_raise *raise)
{
	const struct raises_entry *e = &r->v[number];

	if (!e->shown || !e->in_guest || e->shown_raise.number == UINT64_MAX)
		return false;
	*raise = e->shown_raise;
	return true;
}
