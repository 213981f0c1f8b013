/* SPDX-License-Identifier: GPL-2.0-only */
/* What exits, devices and other vCPUs do to interrupts, when its time has come. */
#include <errno.h>
#include <stdlib.h>

#include "machine.h"

static bool before(const struct due *a, const struct due *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void swap(struct machine *m, size_t a, size_t b)
{
	struct due t = m->heap[a];

	m->heap[a] = m->heap[b];
	m->heap[b] = t;
}

static void sift_up(struct machine *m, size_t i)
{
	while (i && before(&m->heap[i], &m->heap[(i - 1) / 2])) {
		swap(m, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

int heap_push(struct machine *m, const struct due *d)
{
	if (m->nr_heap == m->cap_heap) {
		size_t cap = m->cap_heap * 2 + 64;
		struct due *p = realloc(m->heap, cap * sizeof(*p));

		if (!p) {
			m->nomem = true;
			return -ENOMEM;
		}
		m->heap = p;
		m->cap_heap = cap;
	}
	m->heap[m->nr_heap] = *d;
	m->heap[m->nr_heap].order = m->order++;
	if (d->holds != VGIC_NO_VCPU)
		m->vcpus[d->holds].nr_held++;
	sift_up(m, m->nr_heap++);
	return 0;
}

/* Takes out entry i, which is there. */
static void take_out(struct machine *m, size_t i, struct due *d)
{
	*d = m->heap[i];
	m->heap[i] = m->heap[--m->nr_heap];
	if (d->holds != VGIC_NO_VCPU)
		m->vcpus[d->holds].nr_held--;
	if (i < m->nr_heap)
		sift_up(m, i);
	for (;;) {
		size_t least = i, l = 2 * i + 1, r = l + 1;

		if (l < m->nr_heap && before(&m->heap[l], &m->heap[least]))
			least = l;
		if (r < m->nr_heap && before(&m->heap[r], &m->heap[least]))
			least = r;
		if (least == i)
			break;
		swap(m, i, least);
		i = least;
	}
}

bool heap_pop(struct machine *m, struct due *d)
{
	if (!m->nr_heap)
		return false;
	take_out(m, 0, d);
	return true;
}

void effects_before_entry(struct machine *m, unsigned int v)
{
	while (m->vcpus[v].nr_held) {
		size_t first = SIZE_MAX;
		struct due d;

		for (size_t i = 0; i < m->nr_heap; i++)
			if (m->heap[i].holds == v &&
			    (first == SIZE_MAX || before(&m->heap[i], &m->heap[first])))
				first = i;
		take_out(m, first, &d);
		effect_apply(m, &d);
	}
}

static bool moved_by_arrivals(const struct machine *m, const struct vgic_effect *e)
{
	return m->cfg->arrivals != VGIC_ARRIVALS_CAUSAL && e->origin == VGIC_ORIGIN_OUTSIDE;
}

static void note_asked(struct machine *m, unsigned int vcpu, uint32_t effect)
{
	struct mvcpu *v = &m->vcpus[vcpu];
	size_t kept = 0;

	if (v->nr_asked == v->cap_asked) {
		for (size_t i = 0; i < v->nr_asked; i++)
			if (m->ask[v->asked[i]] == ASK_OPEN)
				v->asked[kept++] = v->asked[i];
		v->nr_asked = kept;
	}
	if (v->nr_asked == v->cap_asked) {
		size_t cap = v->cap_asked * 2 + 64;
		uint32_t *p = realloc(v->asked, cap * sizeof(*p));

		if (!p) {
			m->nomem = true;
			return;
		}
		v->asked = p;
		v->cap_asked = cap;
	}
	m->ask[effect] = ASK_OPEN;
	v->asked[v->nr_asked++] = effect;
}

void effects_serve_asked(struct machine *m, unsigned int vcpu)
{
	struct mvcpu *v = &m->vcpus[vcpu];

	for (size_t i = 0; i < v->nr_asked; i++) {
		uint32_t e = v->asked[i];
		struct due d = {
			.time = m->now, .effect = e, .source = VGIC_WL_NONE, .holds = VGIC_NO_VCPU};

		if (m->ask[e] != ASK_OPEN || m->wl->effects[e].kind == VGIC_EFFECT_NONE)
			continue;
		m->ask[e] = ASK_SERVED_EARLY;
		heap_push(m, &d);
	}
	v->nr_asked = 0;
}

void effects_answered(struct machine *m, struct msource *s, unsigned int vcpu)
{
	struct mvcpu *v = &m->vcpus[vcpu];
	uint32_t *raiser;

	if (!m->raisers)
		return;
	raiser = machine_raiser(m, s->index, vcpu);
	for (unsigned int i = 0; *raiser && i < v->nr_frames; i++)
		if (v->frames[i].serial == *raiser)
			v->frames[i].acked++;
	*raiser = 0;
}

/* A line lowered by what the vCPU is out for: it does not go on before, whoever had the CPU. */
static bool holds_back(const struct vgic_op *op, const struct vgic_effect *e)
{
	return e->origin == VGIC_ORIGIN_OWN && e->kind == VGIC_EFFECT_LINE && !e->level &&
	       ((op->flags & VGIC_OP_YIELDS) || e->delay_ns <= op->out_ns);
}

void effects_start(struct machine *m, const struct vgic_op *op, unsigned int vcpu,
		   const struct frame *f, int64_t shift)
{
	uint32_t own = f->script == VGIC_WL_NONE ? VGIC_WL_NONE : m->wl->scripts[f->script].source;

	if ((op->flags & VGIC_OP_REPEAT) && own != VGIC_WL_NONE && m->arrivals.over)
		return;
	for (uint32_t i = op->asks; i != VGIC_WL_NONE; i = m->wl->effects[i].ask_next) {
		uint32_t source = m->wl->effects[i].source;

		if (source == VGIC_WL_NONE)
			continue;
		/* Asked again before the answer: one answers both. */
		effects_answered(m, &m->sources[source], vcpu);
		*machine_raiser(m, source, vcpu) = f->serial;
		/* A timer keeps its time. */
		if (m->wl->effects[i].origin != VGIC_ORIGIN_TIMER)
			note_asked(m, vcpu, i);
	}
	for (uint32_t i = op->effects; i != VGIC_WL_NONE; i = m->wl->effects[i].next) {
		const struct vgic_effect *e = &m->wl->effects[i];
		struct due d = {
			.time = m->now + e->delay_ns,
			.effect = i,
			.source = VGIC_WL_NONE,
			.holds = holds_back(op, e) ? (uint16_t)vcpu : VGIC_NO_VCPU,
		};

		uint8_t ask = m->ask[i];

		/* Done after the sync, which takes as long as it does here. */
		if (shift >= 0 || e->delay_ns > (uint64_t)-shift)
			d.time += (uint64_t)shift;
		else
			d.time = m->now;
		m->ask[i] = ASK_NONE;
		if (e->kind == VGIC_EFFECT_NONE || ask == ASK_SERVED_EARLY ||
		    moved_by_arrivals(m, e))
			continue;
		/* A handling that stands in for another one acts on its own interrupt. */
		if (own != VGIC_WL_NONE && e->kind != VGIC_EFFECT_WAKE &&
		    e->kind != VGIC_EFFECT_SGI && e->source == own && f->source != own)
			d.source = f->source;
		heap_push(m, &d);
	}
}

void effects_handled(struct machine *m, struct msource *s)
{
	s->handled++;
	while (s->dep_count) {
		uint32_t i = m->dependents[s->dep_first];
		const struct vgic_effect *e = &m->wl->effects[i];
		struct due d = {.effect = i, .source = VGIC_WL_NONE, .holds = VGIC_NO_VCPU};

		if (e->handled > s->handled)
			break;
		d.time = m->now + (e->gap_ns == UINT64_MAX ? 0 : e->gap_ns);
		heap_push(m, &d);
		s->dep_first++;
		s->dep_count--;
	}
}

void raised(struct machine *m, struct msource *s)
{
	if (s->due) {
		/* Merged: the program that waits for it gets no more of it than this. */
		if (s->irq->vcpu < m->nr_vcpus)
			m->vcpus[s->irq->vcpu].frames[0].woken++;
		return;
	}
	s->due = true;
	s->in_lr = false;
}

/* Enable, priority, group, route and type at once; what is pending stays pending. */
static void apply_state(struct machine *m, struct msource *s, const struct vgr_irq *prop)
{
	struct vgr_irq now, want = *prop;
	const uint16_t keep = VGR_IRQ_LINE | VGR_IRQ_LATCH | VGR_IRQ_ACTIVE | VGR_IRQ_ON_LR;
	unsigned int of = m->wl->sources[s->index].vcpu;

	vgic_irq_export(s->irq, &now);
	want.state = (uint16_t)((prop->state & ~keep) | (now.state & keep));
	if (want.target != VGR_NO_VCPU && want.target >= m->nr_vcpus)
		want.target = 0;
	want.source = now.source;
	want.active_source = now.active_source;
	want.vcpu = now.vcpu;
	vgic_irq_import(m->vgic, of == VGR_NO_VCPU ? 0 : of, &want);
	vgic_queue(m->vgic, s->irq);
}

static void send_sgi(struct machine *m, const struct vgic_effect *e)
{
	uint32_t intid = (e->value >> 24) & 0xf;
	bool all = e->value & (1ull << 40);
	uint64_t aff1 = (e->value >> 16) & 0xff;

	machine_records_sgi(m, e);
	if (m->wl->model_v2)
		vgic_write_gicd_sgir(m->vgic, e->vcpu,
				     intid | (all ? 1u << 24 : (uint32_t)(e->value & 0xff) << 16));
	else
		vgic_write_sgir(m->vgic, e->vcpu, e->value, e->level);
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		bool hit = all ? i != e->vcpu : aff1 == i / 16 && (e->value & (1ull << (i % 16)));
		struct vgic_irq *irq = hit ? vgic_irq_find(m->vgic, i, intid) : NULL;

		if (irq)
			machine_records_sent(m, irq);
		/* One that its group does not allow is dropped: nothing is owed to the guest. */
		if (irq && irq->user && irq->enabled && irq->pending_latch)
			raised(m, irq->user);
	}
}

void machine_inject(struct machine *m, struct msource *s, bool level)
{
	uint16_t vcpu = m->wl->sources[s->index].vcpu;

	/* As a recorder sees it: what KVM drops is not recorded. */
	if (vgic_inject(m->vgic, vcpu == VGR_NO_VCPU ? 0 : vcpu, s->irq->intid, level) > 0)
		machine_records_inject(m, vcpu, s, level);
}

/* What the guest had written while nothing of the interrupt was to be seen. */
static void before_raise(struct machine *m, struct msource *s, const struct vgic_effect *e)
{
	if (e->prop == VGIC_WL_NONE)
		return;
	machine_records_write(m);
	apply_state(m, s, &m->wl->props[e->prop]);
}

void effect_apply(struct machine *m, const struct due *due)
{
	const struct vgic_effect *e = &m->wl->effects[due->effect];

	effect_take(m, e, due->source != VGIC_WL_NONE ? due->source : e->source);
}

void effect_take(struct machine *m, const struct vgic_effect *e, uint32_t source)
{
	if (e->kind == VGIC_EFFECT_WAKE) {
		struct mvcpu *v = e->source < m->nr_vcpus ? &m->vcpus[e->source] : NULL;

		if (v && v->wfi_woken < e->value)
			v->wfi_woken = (uint32_t)e->value;
		if (v && v->state == VCPU_WFI && v->wfi_woken >= v->wfi)
			machine_wake(m, v);
		return;
	}
	if (e->kind == VGIC_EFFECT_SGI) {
		send_sgi(m, e);
		return;
	}
	if (source == VGIC_WL_NONE || !m->sources[source].irq)
		return;
	struct msource *s = &m->sources[source];
	unsigned int of = m->wl->sources[source].vcpu;

	if (of == VGR_NO_VCPU)
		of = 0;
	switch (e->kind) {
	case VGIC_EFFECT_LINE:
		before_raise(m, s, e);
		s->physical = e->level;
		if (e->level && (!s->irq->level || !s->irq->line_level))
			raised(m, s);
		else if (!e->level && s->irq->level && !s->in_lr && !s->irq->pending_latch)
			s->due = false;
		machine_inject(m, s, e->level);
		break;
	case VGIC_EFFECT_LATCH:
		before_raise(m, s, e);
		raised(m, s);
		if (e->origin == VGIC_ORIGIN_OUTSIDE)
			machine_records_msi(m, s);
		vgic_write_pending(m->vgic, of, s->irq->intid, true);
		machine_records_touched(m, s);
		break;
	case VGIC_EFFECT_UNLATCH:
		machine_records_write(m);
		vgic_write_pending(m->vgic, of, s->irq->intid, false);
		if (!vgic_irq_pending(s->irq))
			s->due = false;
		break;
	case VGIC_EFFECT_STATE:
		machine_records_write(m);
		apply_state(m, s, &m->wl->props[e->prop]);
		break;
	case VGIC_EFFECT_ACTIVE:
		vgic_write_active(m->vgic, of, of, s->irq->intid, e->level);
		machine_records_touched(m, s);
		break;
	default:
		break;
	}
}
