/* SPDX-License-Identifier: GPL-2.0-only */
/* Why interrupts waited: what the records tell of vCPUs, lists and LRs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/metrics.h>
#include <vgicsim/vgic.h>

#include "explain_internal.h"
#include "listed.h"

#define EC_WFX 0x01

int vgic_explain_create(struct vgic_explain **out, const struct vgic_explain_config *cfg)
{
	struct vgic_explain *ex = calloc(1, sizeof(*ex));

	if (!ex)
		return -ENOMEM;
	ex->cfg = *cfg;
	*out = ex;
	return 0;
}

void vgic_explain_destroy(struct vgic_explain *ex)
{
	if (!ex)
		return;
	for (size_t i = 0; i < ex->n; i++) {
		free(ex->v[i].wait);
		free(ex->v[i].handling);
	}
	for (size_t i = 0; i < ex->nr_vcpus; i++)
		free(ex->vcpus[i].list);
	free(ex->vcpus);
	irq_index_finish(&ex->index);
	msi_map_finish(&ex->msis);
	free(ex->v);
	free(ex);
}

uint64_t vgic_explain_missed(const struct vgic_explain *ex)
{
	return ex->missed;
}

/* ---- tables ---- */

static struct vcpu *vcpu_of(struct vgic_explain *ex, uint16_t index)
{
	if (index >= ex->nr_vcpus) {
		size_t n = (size_t)index + 1;
		struct vcpu *v = realloc(ex->vcpus, n * sizeof(*v));

		if (!v)
			return NULL;
		memset(v + ex->nr_vcpus, 0, (n - ex->nr_vcpus) * sizeof(*v));
		ex->vcpus = v;
		ex->nr_vcpus = n;
	}
	return &ex->vcpus[index];
}

static struct entry *entry_of(struct vgic_explain *ex, uint16_t vcpu, uint32_t intid)
{
	size_t at;

	if (irq_index_get(&ex->index, vcpu, intid, &at))
		return NULL;
	if (at < ex->n)
		return &ex->v[at];
	if (at >= ex->cap) {
		size_t cap = ex->cap ? ex->cap * 2 : 64;
		struct entry *p = realloc(ex->v, cap * sizeof(*p));

		if (!p)
			return NULL;
		ex->v = p;
		ex->cap = cap;
	}
	struct entry *e = &ex->v[ex->n++];

	memset(e, 0, sizeof(*e));
	e->intid = intid;
	e->vcpu = intid < VGIC_NR_PRIVATE ? vcpu : VGR_NO_VCPU;
	return e;
}

static int remember(struct vcpu *v, uint32_t entry)
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

/* ---- lists ---- */

/* The time of a record as far as it goes forward: clocks of two CPUs may differ a little. */
static uint64_t not_before(const struct vgic_explain *ex, uint64_t time)
{
	return time > ex->now ? time : ex->now;
}

struct claim {
	struct vgic_explain *ex;
	struct entry *e;
	int ret;
};

static void claimed(void *opaque, const struct msi_wait *msi)
{
	struct claim *c = opaque;
	const struct mark when = {.time = msi->time, .record = msi->cookie};

	if (!c->ret)
		c->ret = wait_open(c->ex, c->e, &when, VGIC_RAISE_MSI);
}

/* Pending without a record of its own: what the records nearby make of it. */
static int appeared(struct vgic_explain *ex, struct entry *e, const struct vcpu *v,
		    const struct vgr_irq *q, uint64_t time)
{
	struct mark when = {.time = time, .record = ex->nr_records};
	struct claim claim = {.ex = ex, .e = e};
	enum vgic_raise how = VGIC_RAISE_SEEN;
	int ret;

	if (e->intid >= VGIC_LPI_BASE) {
		ret = msi_map_claim(&ex->msis, e->intid, claimed, &claim);
		if (ret)
			return ret < 0 ? ret : claim.ret;
	} else if ((q->state & VGR_IRQ_LATCH) && ex->ispendr.record &&
		   ex->ispendr.time >= v->last_look) {
		when = ex->ispendr;
		how = VGIC_RAISE_REGISTER;
	} else if ((q->state & VGR_IRQ_LEVEL) && (q->state & VGR_IRQ_LINE) && e->seen) {
		how = VGIC_RAISE_LINE_HIGH;
	}
	if (when.time > time)
		when.time = time;
	return wait_open(ex, e, &when, how);
}

/* State of an interrupt on the list of v while v is out of the guest. */
static int look(struct vgic_explain *ex, struct entry *e, struct vcpu *v, uint16_t vcpu,
		const struct vgr_irq *q, uint64_t time)
{
	bool active = (q->state & VGR_IRQ_ACTIVE) && e->intid < VGIC_LPI_BASE;
	bool pending = listed_pending(q);
	int ret = 0;

	if (q->state & VGR_IRQ_GONE)
		return 0;
	/* Up to here it was somewhere else. */
	if (e->vcpu != vcpu && e->wait && e->vcpu != VGR_NO_VCPU)
		wait_account(ex, e, time);
	e->vcpu = vcpu;
	if (!active)
		ret = handling_end(ex, e, time);
	/* The line of one that is being handled is still high: nothing new. */
	if (active && !(q->state & VGR_IRQ_LATCH) && !e->wait)
		pending = false;
	if (!ret && pending && !e->wait)
		ret = appeared(ex, e, v, q, time);
	else if (!ret && !pending && e->wait && e->wait->shown &&
		 (q->vcpu == vcpu || q->vcpu == VGR_NO_VCPU))
		ret = wait_end(ex, e, VGIC_WAIT_WITHDRAWN, &(struct mark){time, ex->nr_records});
	e->seen = true;
	e->state = q->state;
	if (e->wait) {
		e->wait->shown |= pending;
		e->wait->pub.listed = true;
		e->wait->pub.priority = q->priority;
	}
	return ret;
}

static int find_lr(const struct vcpu *v, uint32_t intid)
{
	for (unsigned int i = 0; i < v->used; i++)
		if ((v->lr[i] & VGIC_LR_STATE) && (v->lr[i] & VGIC_LR_VINTID) == intid)
			return (int)i;
	return -1;
}

static struct vgic_holder holder_of(uint64_t lr)
{
	return (struct vgic_holder){
		.intid = (uint32_t)(lr & VGIC_LR_VINTID),
		.state = (uint8_t)(lr >> 62),
		.priority = (uint8_t)((lr & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT),
	};
}

static void name_holders(struct vgic_span *s, const struct vcpu *v, unsigned int nr_lr)
{
	s->nr_lr = nr_lr;
	for (unsigned int i = 0; i < v->used; i++) {
		if (!(v->lr[i] & VGIC_LR_STATE))
			continue;
		if (s->nr_holders < VGIC_HOLDERS)
			s->holder[s->nr_holders] = holder_of(v->lr[i]);
		s->nr_holders++;
	}
}

/* Where a pending interrupt stands in the run that begins, and why there. */
static void place(struct vgic_explain *ex, const struct vcpu *v, const struct vgr_flush *f,
		  const struct vgr_irq *q, struct open_wait *w, unsigned int *outside)
{
	struct vgic_span *s = &w->placed;
	int lr = find_lr(v, q->intid);

	memset(s, 0, sizeof(*s));
	w->placed_phase = v->nr_phases;
	if (lr >= 0 && (v->lr[lr] & VGIC_LR_PENDING)) {
		s->cause =
			v->lr[lr] & VGIC_LR_ACTIVE ? VGIC_CAUSE_OWN_ACTIVE : VGIC_CAUSE_NOT_TAKEN;
		if (!w->pub.in_lr) {
			w->pub.in_lr = true;
			w->pub.lr = (unsigned int)lr;
			w->pub.lr_ns = v->flush_time - ex->start;
			w->pub.lr_record = v->flush_record;
		}
	} else if (q->state & VGR_IRQ_ACTIVE) {
		s->cause = VGIC_CAUSE_OWN_ACTIVE;
	} else if (!(q->state & VGR_IRQ_ENABLED)) {
		s->cause = VGIC_CAUSE_DISABLED;
	} else if (q->target != f->r.vcpu) {
		s->cause = VGIC_CAUSE_OTHER_VCPU;
		s->other_vcpu = q->target;
	} else if (!f->dist_enabled) {
		s->cause = VGIC_CAUSE_DISTRIBUTOR_OFF;
	} else if (!listed_group_enabled(f, q->state)) {
		s->cause = VGIC_CAUSE_GROUP_OFF;
	} else {
		name_holders(s, v, f->nr_lr);
		s->cause = s->nr_holders >= f->nr_lr ? VGIC_CAUSE_LRS_FULL : VGIC_CAUSE_LEFT_OUT;
		s->place = ++*outside;
	}
}

/* ---- records ---- */

/* Off the list since the last look. */
static int gone(struct vgic_explain *ex, struct entry *e, const struct vcpu *v, uint64_t time)
{
	struct open_wait *w = e->wait;
	int ret;

	/* Another vCPU may have it by now. */
	if (e->stamp == ex->stamp || e->vcpu >= ex->nr_vcpus || &ex->vcpus[e->vcpu] != v)
		return 0;
	e->listed = false;
	ret = handling_end(ex, e, time);
	/* What was latched of a level interrupt goes with its deactivation. */
	if (!ret && w && w->shown && (e->state & VGR_IRQ_LEVEL) && !(e->state & VGR_IRQ_LINE))
		ret = wait_end(ex, e, VGIC_WAIT_WITHDRAWN, &(struct mark){time, ex->nr_records});
	return ret;
}

static int on_flush(struct vgic_explain *ex, struct vcpu *v, const struct vgr_flush *f,
		    uint64_t time)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	const struct vgr_irq *after = before + f->n_before;
	const uint64_t *lr = (const uint64_t *)(after + f->n_after);
	bool whole = !(f->r.flags & (VGR_F_CUT | VGR_F_TORN)) && !f->nested;
	uint64_t begin = f->begin < time ? not_before(ex, f->begin) : time;
	unsigned int outside = 0;
	int ret = 0;

	if (begin > time)
		begin = time;
	ex->stamp++;
	for (unsigned int i = 0; !ret && !f->nested && i < f->n_before; i++) {
		struct entry *e = entry_of(ex, f->r.vcpu, before[i].intid);

		if (!e)
			return -ENOMEM;
		e->stamp = ex->stamp;
		ret = look(ex, e, v, f->r.vcpu, &before[i], begin);
		wait_account(ex, e, time);
	}
	for (size_t i = 0; !ret && whole && i < v->nr_list; i++)
		ret = gone(ex, &ex->v[v->list[i]], v, begin);
	if (ret)
		return ret;
	v->nr_list = 0;
	v->flush_time = time;
	v->flush_record = ex->nr_records;
	v->guest_phase = v->nr_phases;
	phase_push(v, PHASE_GUEST, time, ex->nr_records)->whole = whole;
	v->used = 0;
	v->flushed = !f->nested;
	if (f->nested)
		return 0;
	v->used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr;
	memcpy(v->lr, lr, v->used * sizeof(*lr));
	for (unsigned int i = 0; i < f->n_after; i++) {
		struct entry *e = entry_of(ex, f->r.vcpu, after[i].intid);

		if (!e || remember(v, (uint32_t)(e - ex->v)))
			return -ENOMEM;
		e->listed = true;
		e->state = after[i].state;
		if (e->wait && !(after[i].state & VGR_IRQ_GONE)) {
			/* Put on the list while it was being made. */
			if (e->vcpu != f->r.vcpu)
				e->vcpu = f->r.vcpu;
			wait_account(ex, e, time);
			place(ex, v, f, &after[i], e->wait, &outside);
		}
	}
	v->last_look = begin;
	return 0;
}

/* The most urgent that was active or taken in a run, for those that stayed pending in it. */
static void most_urgent(const struct vgic_holder *h, struct vgic_holder *best, bool *any)
{
	if (*any && best->priority <= h->priority)
		return;
	*best = *h;
	*any = true;
}

static unsigned int priority_mask(const struct vgic_explain *ex, uint32_t vmcr)
{
	return vmcr >> VGIC_VMCR_VPMR_SHIFT & (ex->cfg.gicv2 ? 0xf8 : 0xff);
}

/* Presented for a whole run and not taken: what kept it out? */
static void not_taken(const struct vgic_explain *ex, struct open_wait *w, const struct vgr_sync *s,
		      uint64_t lr, const struct vgic_holder *best)
{
	const uint32_t any = VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1;
	struct vgic_holder own = holder_of(lr);
	/* Older kernels read VMCR back at a put only. */
	bool fresh = s->active_spis_before >= 0 && (s->vmcr & any);

	if (w->placed.cause != VGIC_CAUSE_NOT_TAKEN)
		return;
	if (fresh && !(s->vmcr & (lr & VGIC_LR_GROUP1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0))) {
		w->placed.cause = VGIC_CAUSE_GROUP_OFF;
	} else if (fresh && own.priority >= priority_mask(ex, s->vmcr)) {
		w->placed.cause = VGIC_CAUSE_PRIORITY_MASK;
	} else if (best && best->priority <= own.priority) {
		w->placed.cause = VGIC_CAUSE_BEHIND;
		w->placed.nr_holders = 1;
		w->placed.holder[0] = *best;
	}
}

static void note_ended(struct phase *p, uint32_t intid)
{
	for (unsigned int i = 0; i < p->nr_ended && i < 4; i++)
		if (p->ended[i] == intid)
			return;
	if (p->nr_ended < 4)
		p->ended[p->nr_ended] = intid;
	p->nr_ended++;
}

/* What the run did to the LRs. */
static int run_of_lrs(struct vgic_explain *ex, struct vcpu *v, const struct vgr_sync *s,
		      uint64_t left)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const uint64_t *lr = (const uint64_t *)(before + 2 * s->n_before);
	unsigned int used = s->used_lrs < v->used ? s->used_lrs : v->used;
	struct phase *run = phase_at(v, v->guest_phase);
	struct vgic_holder best = {0};
	bool any = false;
	int ret = 0;

	for (unsigned int i = 0; i < used; i++) {
		const struct vgic_holder h = holder_of(v->lr[i]);
		bool ack = (v->lr[i] & VGIC_LR_PENDING) && !(lr[i] & VGIC_LR_PENDING);

		if (!(v->lr[i] & VGIC_LR_STATE))
			continue;
		if (run && (v->lr[i] & VGIC_LR_STATE) && !(lr[i] & VGIC_LR_STATE))
			note_ended(run, h.intid);
		if (ack || (v->lr[i] & VGIC_LR_ACTIVE))
			most_urgent(&h, &best, &any);
	}
	for (unsigned int i = 0; i < s->n_before; i++) {
		const struct vgic_holder h = {
			.intid = before[i].intid, .state = 2, .priority = before[i].priority};

		if ((before[i].state & VGR_IRQ_ACTIVE) && before[i].intid < VGIC_LPI_BASE &&
		    find_lr(v, before[i].intid) < 0)
			most_urgent(&h, &best, &any);
	}
	for (unsigned int i = 0; !ret && i < used; i++) {
		struct entry *e;

		if (!(v->lr[i] & VGIC_LR_PENDING))
			continue;
		e = entry_of(ex, s->r.vcpu, (uint32_t)(v->lr[i] & VGIC_LR_VINTID));
		if (!e)
			return -ENOMEM;
		if (!(lr[i] & VGIC_LR_PENDING))
			ret = wait_taken(ex, e, v, left,
					 !(lr[i] & VGIC_LR_ACTIVE) || e->intid >= VGIC_LPI_BASE);
		else if (e->wait)
			not_taken(ex, e->wait, s, v->lr[i], any ? &best : NULL);
	}
	return ret;
}

static int on_sync(struct vgic_explain *ex, struct vcpu *v, const struct vgr_sync *s, uint64_t time,
		   uint64_t left)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);
	const uint32_t *rest = (const uint32_t *)(lr + s->used_lrs);
	struct phase *run = v->flushed ? phase_at(v, v->guest_phase) : NULL;
	int ret = 0;

	v->misr = s->nested ? 0 : vgic_sync_misr(s, ex->cfg.nr_lr);
	if (run)
		run->exit_record = ex->nr_records;
	if (v->flushed && !(s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED))) {
		for (unsigned int i = 0; run && i < s->n_before; i++)
			if ((before[i].state & VGR_IRQ_ACTIVE) &&
			    !(after[i].state & VGR_IRQ_ACTIVE))
				note_ended(run, before[i].intid);
		ret = run_of_lrs(ex, v, s, left);
	}
	v->flushed = false;
	v->exit_phase = v->nr_phases;
	phase_push(v, PHASE_EXIT, left, ex->nr_records);
	for (unsigned int i = 0; !ret && !s->nested && i < s->n_before; i++) {
		struct entry *e = entry_of(ex, s->r.vcpu, after[i].intid);

		if (!e)
			return -ENOMEM;
		e->listed = false;
		if (e->wait && e->wait->lowered)
			ret = wait_end(ex, e, VGIC_WAIT_WITHDRAWN,
				       &(struct mark){e->wait->lowered_ns,
						      e->wait->lowered_record});
		if (!ret)
			ret = look(ex, e, v, s->r.vcpu, &after[i], time);
	}
	v->nr_list = 0;
	for (unsigned int i = 0; !ret && !s->nested && i < s->n_after; i++) {
		struct entry *e = entry_of(ex, s->r.vcpu, rest[i]);

		if (!e || remember(v, (uint32_t)(e - ex->v)))
			return -ENOMEM;
		e->listed = true;
	}
	v->last_look = time;
	return ret;
}

/* The exit is of this kind, as far as the records go by now. */
static void exit_is(struct vcpu *v, enum vgic_exit_kind kind)
{
	struct phase *run = phase_at(v, v->guest_phase), *out = phase_at(v, v->exit_phase);

	if (run && run->kind == PHASE_GUEST) {
		run->left = true;
		run->exit = kind;
		run->misr = kind == VGIC_EXIT_MI ? v->misr : 0;
	}
	if (out && out->kind == PHASE_EXIT) {
		out->left = true;
		out->exit = kind;
		out->misr = kind == VGIC_EXIT_MI ? v->misr : 0;
	}
}

static void on_exit_record(struct vcpu *v, const struct vgr_exit *x)
{
	enum vgic_exit_kind kind = VGIC_EXIT_OTHER;

	if (x->ret == 0)
		kind = v->misr ? VGIC_EXIT_MI : VGIC_EXIT_OTHER_IRQ;
	else if (x->esr_ec == EC_WFX)
		kind = VGIC_EXIT_WFI;
	exit_is(v, kind);
}

static int on_inject(struct vgic_explain *ex, const struct vgr_inject *in, uint64_t time)
{
	struct entry *e = entry_of(ex, in->r.vcpu, in->intid);
	struct mark when = {.time = time, .record = ex->nr_records};
	struct vcpu *v;

	if (!e)
		return -ENOMEM;
	if (in->level)
		return wait_open(ex, e, &when, VGIC_RAISE_LINE);
	if (!e->wait)
		return 0;
	v = e->vcpu < ex->nr_vcpus ? &ex->vcpus[e->vcpu] : NULL;
	if (!v || !v->flushed || find_lr(v, in->intid) < 0)
		return wait_end(ex, e, VGIC_WAIT_WITHDRAWN, &when);
	e->wait->lowered = true;
	e->wait->lowered_ns = time;
	e->wait->lowered_record = ex->nr_records;
	return 0;
}

static int on_sgi(struct vgic_explain *ex, const struct vgr_sgi *s, uint64_t time)
{
	uint32_t intid = (s->value >> 24) & 0xf;
	bool all = s->value & (1ull << 40);
	uint64_t aff1 = (s->value >> 16) & 0xff;
	struct mark when = {.time = time, .record = ex->nr_records};

	for (size_t i = 0; i < ex->nr_vcpus; i++) {
		bool hit = all ? i != s->r.vcpu : aff1 == i / 16 && (s->value & (1ull << (i % 16)));
		struct entry *e = hit ? entry_of(ex, (uint16_t)i, intid) : NULL;

		if (hit && !e)
			return -ENOMEM;
		/* KVM drops an SGI of a group that the register is not for. */
		if (hit && (s->allow_group1 || !e->seen || !(e->state & VGR_IRQ_GROUP1)) &&
		    wait_open(ex, e, &when, VGIC_RAISE_SGI))
			return -ENOMEM;
	}
	return 0;
}

static int on_msi(struct vgic_explain *ex, const struct vgr_msi *m)
{
	struct mark when = {.time = not_before(ex, m->r.time), .record = ex->nr_records};
	struct entry *e;
	uint32_t lpi;

	ex->now = when.time;
	if (!msi_map_find(&ex->msis, m->devid, m->eventid, &lpi)) {
		msi_map_wait(&ex->msis, &(struct msi_wait){m->devid, m->eventid, when.time,
							   (uint32_t)when.record});
		return 0;
	}
	e = entry_of(ex, VGR_NO_VCPU, lpi);
	return e ? wait_open(ex, e, &when, VGIC_RAISE_MSI) : -ENOMEM;
}

static int on_dir(struct vgic_explain *ex, const struct vgr_dir *d, uint64_t time)
{
	struct entry *e = entry_of(ex, d->r.vcpu, (uint32_t)(d->value & 0xffffff));

	return e ? handling_end(ex, e, time) : -ENOMEM;
}

/* Its CPU was given to another vCPU: so were those of the others that ran there. */
static void on_load(struct vgic_explain *ex, struct vcpu *v, const struct vgr_rec *rec,
		    uint64_t time)
{
	struct phase *p = phase_now(v);

	v->loaded = true;
	v->cpu = rec->cpu;
	if (p && (p->kind == PHASE_WFI || p->kind == PHASE_CPU_TAKEN)) {
		struct phase *run = phase_at(v, v->guest_phase);
		struct phase *q;
		enum vgic_exit_kind kind = run ? run->exit : VGIC_EXIT_OTHER;
		bool left = run && run->left;

		q = phase_push(v, PHASE_EXIT, time, ex->nr_records);
		q->left = left;
		q->exit = kind;
	} else if (!p) {
		phase_push(v, PHASE_NOT_STARTED, time, ex->nr_records);
	}
	for (size_t i = 0; i < ex->nr_vcpus; i++) {
		struct vcpu *u = &ex->vcpus[i];
		struct phase *now = phase_now(u);

		if (u == v || u->loaded || u->cpu != rec->cpu || !now || now->kind != PHASE_EXIT)
			continue;
		phase_push(u, PHASE_CPU_TAKEN, time, ex->nr_records)->other = rec->vcpu;
	}
}

static void on_kick(struct vgic_explain *ex, struct vcpu *v, uint64_t time)
{
	struct phase *p = phase_now(v);

	if (!p)
		return;
	p->kick_record = ex->nr_records;
	/* Awake, but another vCPU has the CPU that it slept on. */
	for (size_t i = 0; p->kind == PHASE_WFI && !v->loaded && i < ex->nr_vcpus; i++) {
		if (!ex->vcpus[i].loaded || ex->vcpus[i].cpu != v->cpu)
			continue;
		phase_push(v, PHASE_CPU_TAKEN, time, ex->nr_records)->other = (uint16_t)i;
		return;
	}
}

static void on_mmio(struct vgic_explain *ex, struct vcpu *v, const struct vgr_mmio *m,
		    uint64_t time)
{
	uint64_t at = m->gpa & 0xfff;

	exit_is(v, VGIC_EXIT_MMIO);
	/* ISPENDR of the GIC, or another register at its place: only what then is pending counts.
	 */
	if (m->write && at >= 0x200 && at < 0x280)
		ex->ispendr = (struct mark){time, ex->nr_records};
}

static int on_vcpu_record(struct vgic_explain *ex, struct vcpu *v, const struct vgr_rec *rec,
			  uint64_t time, uint64_t left)
{
	switch (rec->type) {
	case VGR_FLUSH:
		return on_flush(ex, v, (const struct vgr_flush *)rec, time);
	case VGR_SYNC:
		return on_sync(ex, v, (const struct vgr_sync *)rec, time, left);
	case VGR_EXIT:
		on_exit_record(v, (const struct vgr_exit *)rec);
		return 0;
	case VGR_SGI:
		exit_is(v, VGIC_EXIT_SGI);
		return on_sgi(ex, (const struct vgr_sgi *)rec, time);
	case VGR_DIR:
		exit_is(v, VGIC_EXIT_DIR);
		return on_dir(ex, (const struct vgr_dir *)rec, time);
	case VGR_MMIO:
		on_mmio(ex, v, (const struct vgr_mmio *)rec, time);
		return 0;
	case VGR_WFX:
		if (!((const struct vgr_wfx *)rec)->wfe && !v->flushed)
			phase_push(v, PHASE_WFI, time, ex->nr_records)->exit = VGIC_EXIT_WFI;
		return 0;
	case VGR_LOAD:
		on_load(ex, v, rec, time);
		return 0;
	case VGR_PUT:
		v->loaded = false;
		return 0;
	case VGR_KICK:
		on_kick(ex, v, time);
		return 0;
	default:
		return 0;
	}
}

int vgic_explain_record(struct vgic_explain *ex, const struct vgr_rec *rec)
{
	uint64_t time, left = 0;
	struct vcpu *v;

	ex->nr_records++;
	if (!ex->started) {
		ex->started = true;
		ex->start = ex->now = rec->time;
	}
	if (rec->type == VGR_LOSS)
		ex->losses++;
	if (rec->vm != ex->cfg.vm)
		return 0;
	if (rec->type == VGR_MSI) {
		return on_msi(ex, (const struct vgr_msi *)rec);
	}
	if (rec->vcpu >= VGIC_MAX_VCPUS && (rec->vcpu != VGR_NO_VCPU || rec->type != VGR_INJECT))
		return 0;
	time = not_before(ex, rec->time);
	if (rec->type == VGR_SYNC) {
		left = not_before(ex, ((const struct vgr_sync *)rec)->begin);
		if (left > time)
			left = time;
	}
	if (rec->type == VGR_INJECT) {
		/* Private ones belong to a vCPU that may not have been seen. */
		if (rec->vcpu != VGR_NO_VCPU && !vcpu_of(ex, rec->vcpu))
			return -ENOMEM;
		ex->now = time;
		return on_inject(ex, (const struct vgr_inject *)rec, time);
	}
	v = vcpu_of(ex, rec->vcpu);
	if (!v)
		return -ENOMEM;
	int ret = on_vcpu_record(ex, v, rec, time, left);

	ex->now = time;
	return ret;
}

int vgic_explain_finish(struct vgic_explain *ex)
{
	const struct mark last = {.time = ex->now, .record = ex->nr_records};

	for (size_t i = 0; i < ex->n; i++) {
		struct entry *e = &ex->v[i];
		struct open_wait *w = e->handling;
		int ret = 0;

		if (w) {
			e->handling = NULL;
			ex->nr_open--;
			ret = ex->cfg.wait(ex->cfg.opaque, &w->pub);
			free(w);
		}
		if (!ret)
			ret = wait_end(ex, e, VGIC_WAIT_OPEN, &last);
		if (ret)
			return ret;
	}
	return 0;
}
