// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounds of the instants that the host does not see. They rest on records alone, and on
 * nothing that the order of a run or the estimator supposes: what they say must hold
 * whatever the guest does within the architecture's rules. vgicsim-model(7) lists them.
 */
#include <stdlib.h>
#include <string.h>

#include "derive_internal.h"

/* The run of the guest that has just ended. */
static struct vgic_when this_run(const struct vgic_derive *d, const struct dvcpu *v)
{
	uint64_t from = v->entry - d->start, to = v->sync_begin - d->start;

	return (struct vgic_when){
		.at = VGIC_WHEN_OPEN, .from = from, .to = to > from ? to : from, .known = true};
}

/*
 * Between the record of an entry and the guest's first instruction, and between its last
 * and the begin of the sync, hardware and host work. Both together are hardly longer than
 * the shortest run; on the hosts that were measured two fifths of it come first.
 */
uint64_t derive_estimate(const struct vgic_derive *d, const struct dvcpu *v, uint64_t g)
{
	uint64_t len = v->g1 - v->g0, run = derive_run_ns(v);
	uint64_t dead = d->dead < run ? d->dead : run, in = g > v->g0 ? g - v->g0 : 0;

	in = len ? (uint64_t)((double)in * (double)(run - dead) / (double)len) : 0;
	return v->entry - d->start + dead * 2 / 5 + in;
}

/*
 * Something at most as urgent was acknowledged: what had been acknowledged before it on
 * this vCPU no longer set the running priority (HW-8). What is left is more urgent the
 * later it was acknowledged.
 */
static void bound_by_ack(struct vgic_derive *d, struct dvcpu *v, uint32_t script)
{
	const struct vgic_script *next = &d->wl->scripts[script];

	while (v->nr_undropped) {
		uint32_t last = v->undropped[v->nr_undropped - 1];
		struct vgic_when *w = &d->wl->scripts[last].drop;

		if (d->facts[last].priority > d->facts[script].priority)
			break;
		w->to = next->ack.to;
		w->known = true;
		v->nr_undropped--;
	}
}

void derive_bound_ack(struct vgic_derive *d, struct dvcpu *v, uint32_t script, uint64_t lr,
		      bool split)
{
	struct vgic_script *s = &d->wl->scripts[script];
	bool lpi = d->wl->sources[s->source].initial.intid >= VGIC_LPI_BASE;
	uint8_t prio = (lr & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT;

	if (script >= d->cap_facts) {
		size_t cap = d->wl->cap_scripts;
		struct facts *p =
			vgic_store_grow(d->cfg.store, d->facts, d->cap_facts, cap, sizeof(*p));

		if (!p) {
			d->nomem = true;
			return;
		}
		d->facts = p;
		d->cap_facts = cap;
	}
	if (v->nr_undropped == v->cap_undropped) {
		size_t cap = v->cap_undropped ? v->cap_undropped * 2 : 32;
		uint32_t *p = realloc(v->undropped, cap * sizeof(*p));

		if (!p) {
			d->nomem = true;
			return;
		}
		v->undropped = p;
		v->cap_undropped = cap;
	}
	s->ack = this_run(d, v);
	s->drop.from = s->deact.from = s->ack.from;
	/* An old VMCR may have a coarser binary point than the guest: take none into account. */
	if (d->cfg.eager_vmcr)
		prio = vgic_v3_cpuif_group_priority(&v->hw, lr & VGIC_LR_GROUP1 ? 1 : 0, prio);
	/* EOIR of an LPI deactivates in either mode. */
	d->facts[script] = (struct facts){prio, split && !lpi, lpi};
	bound_by_ack(d, v, script);
	v->undropped[v->nr_undropped++] = script;
}

/* Deactivated, so dropped. */
static void ended(struct vgic_derive *d, uint32_t script)
{
	struct dvcpu *v = &d->vcpus[d->wl->scripts[script].vcpu];

	for (size_t i = v->nr_undropped; i > 0; i--) {
		if (v->undropped[i - 1] != script)
			continue;
		memmove(&v->undropped[i - 1], &v->undropped[i],
			(v->nr_undropped - i) * sizeof(*v->undropped));
		v->nr_undropped--;
		return;
	}
}

void derive_bound_run(struct vgic_derive *d, const struct dvcpu *v, uint32_t script)
{
	struct vgic_when *w = &d->wl->scripts[script].deact;

	/* A second end is that of a state which no acknowledge had set. */
	if (w->known)
		return;
	*w = this_run(d, v);
	ended(d, script);
}

/* Still active in a list register when the run ended. */
static bool stays_in_lr(const struct vgic_derive *d, const struct dvcpu *v, uint32_t script)
{
	uint32_t intid = d->wl->sources[d->wl->scripts[script].source].initial.intid;

	for (unsigned int i = 0; i < v->used; i++)
		if ((v->back[i] & VGIC_LR_ACTIVE) && (v->back[i] & VGIC_LR_VINTID) == intid)
			return true;
	return false;
}

/*
 * The count does not say which, and what KVM ends for it may be another one (its
 * priority or group has changed). The architecture does: EOIRs come in reverse order of
 * the acknowledges. A guest that ends what is in no list register while a later one stays
 * active in one does not keep to that; then nothing is known but the count.
 */
void derive_bound_count(struct vgic_derive *d, struct dvcpu *v, unsigned int count)
{
	uint32_t tail[sizeof(v->tail) / sizeof(v->tail[0])];
	unsigned int n = 0;

	for (size_t i = v->nr_undropped; i > 0 && count; i--) {
		uint32_t script = v->undropped[i - 1];

		/* Outside the list registers its EOIR is not counted. */
		if (d->facts[script].lpi || d->facts[script].split)
			continue;
		if (stays_in_lr(d, v, script))
			return;
		derive_bound_run(d, v, script);
		tail[n++] = script;
		count--;
	}
	/* A count that is more than what was acknowledged: restored as active, KVM knows best. */
	if (count)
		return;
	memcpy(v->tail, tail, n * sizeof(*tail));
	v->nr_tail = n;
}

void derive_bound_dir(struct vgic_derive *d, const struct dvcpu *v, uint32_t script, uint64_t time)
{
	struct vgic_when *w = &d->wl->scripts[script].deact;
	uint64_t from = v->sync_begin - d->start, to = time - d->start;

	if (w->known)
		return;
	*w = (struct vgic_when){
		.at = from, .from = from, .to = to > from ? to : from, .known = true};
	ended(d, script);
}

static void join(const struct facts *f, struct vgic_script *s)
{
	if (!f->split && s->deact.known) {
		/* One access for both. */
		s->drop = s->deact;
	} else if (!f->split) {
		s->deact = s->drop;
	} else if (s->deact.known && s->deact.to < s->drop.to) {
		/* The architecture wants EOIR before DIR. */
		s->drop.to = s->deact.to;
		s->drop.known = true;
	}
}

static void estimate(struct vgic_when *w, uint64_t at)
{
	w->at = at < w->from ? w->from : at > w->to ? w->to : at;
}

static void estimates(struct vgic_derive *d, const struct dvcpu *v)
{
	for (size_t i = 0; i < v->nr_items; i++) {
		const struct item *it = &v->items[i];

		vgic_store_pace(d->cfg.store, i);
		if (it->script == VGIC_WL_NONE)
			continue;
		struct vgic_script *s = &d->wl->scripts[it->script];

		if (it->kind == ITEM_ACK)
			estimate(&s->ack, it->wall);
		if (it->kind == VGIC_OP_EOI || it->kind == VGIC_OP_DROP)
			estimate(&s->drop, it->wall);
		if (it->kind == VGIC_OP_EOI || it->kind == VGIC_OP_DIR)
			estimate(&s->deact, it->wall);
	}
}

/* The order of the runs has no place for it: any time is as good as another. */
static void estimate_rest(struct vgic_when *w)
{
	if (w->known && w->at == VGIC_WHEN_OPEN)
		w->at = w->from + (w->to - w->from) / 2;
}

void derive_bounds(struct vgic_derive *d)
{
	struct vgic_workload *wl = d->wl;

	for (uint32_t i = 0; i < wl->nr_scripts; i++) {
		vgic_store_pace(d->cfg.store, i);
		join(&d->facts[i], &wl->scripts[i]);
	}
	for (size_t v = 0; v < d->nr_vcpus; v++)
		estimates(d, &d->vcpus[v]);
	for (uint32_t i = 0; i < wl->nr_scripts; i++) {
		struct vgic_script *s = &wl->scripts[i];

		vgic_store_pace(d->cfg.store, i);
		/* One access is at one time, even if the order has two for it (an LPI). */
		if (!d->facts[i].split && s->drop.at != VGIC_WHEN_OPEN)
			s->deact.at = s->drop.at;
		estimate_rest(&s->ack);
		estimate_rest(&s->drop);
		estimate_rest(&s->deact);
	}
}
