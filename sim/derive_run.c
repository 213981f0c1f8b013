/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run of the guest: from the LRs as programmed and as read back to an order
 * of acknowledges, drops and deactivations that the CPU interface allows.
 */
#include <stdlib.h>
#include <string.h>

#include "derive_internal.h"

static void step(struct vgic_derive *d, uint8_t kind, uint32_t script, uint32_t value)
{
	if (d->nr_steps == d->cap_steps) {
		size_t cap = d->cap_steps ? d->cap_steps * 2 : 128;
		struct step *p = realloc(d->steps, cap * sizeof(*p));

		if (!p) {
			d->nomem = true;
			return;
		}
		d->steps = p;
		d->cap_steps = cap;
	}
	d->steps[d->nr_steps++] = (struct step){.script = script, .value = value, .kind = kind};
}

/* Remembers after which step a maintenance interrupt was due first. */
static void watch_mi(struct vgic_derive *d, const struct dvcpu *v)
{
	if (d->mi_step == SIZE_MAX && vgic_v3_cpuif_mi(&v->hw))
		d->mi_step = d->nr_steps;
}

static bool push(struct vgic_derive *d, struct dvcpu *v, uint32_t script)
{
	if (v->nr_stack == v->cap_stack) {
		size_t cap = v->cap_stack ? v->cap_stack * 2 : 32;
		struct running *p = realloc(v->stack, cap * sizeof(*p));

		if (!p) {
			d->nomem = true;
			return false;
		}
		v->stack = p;
		v->cap_stack = cap;
	}
	v->stack[v->nr_stack++] = (struct running){
		.script = script, .last = {.item = SIZE_MAX}, .usual = {.item = SIZE_MAX}};
	return true;
}

static struct vgic_source *source_of(struct vgic_derive *d, uint32_t script)
{
	return &d->wl->sources[d->wl->scripts[script].source];
}

static uint32_t intid_of(struct vgic_derive *d, uint32_t script)
{
	return source_of(d, script)->initial.intid;
}

static unsigned int group_of(struct vgic_derive *d, uint32_t script)
{
	return d->known[d->wl->scripts[script].source].props.state & VGR_IRQ_GROUP1 ? 1 : 0;
}

/* The guest acknowledged the interrupt in LR i (it is in the Active state afterwards). */
static uint32_t acknowledged(struct vgic_derive *d, struct dvcpu *v, uint16_t index, unsigned int i,
			     bool split)
{
	uint32_t source = derive_source(d, index, (uint32_t)(v->hw.lr[i] & VGIC_LR_VINTID));

	if (source == VGIC_WL_NONE)
		return VGIC_WL_NONE;
	struct known *k = &d->known[source];
	uint32_t s = vgic_workload_script(d->wl, source, index);

	if (s == VGIC_WL_NONE) {
		d->nomem = true;
		return s;
	}
	if (k->last_script == VGIC_WL_NONE)
		d->wl->sources[source].first_script = s;
	else
		d->wl->scripts[k->last_script].next = s;
	k->last_script = s;
	k->active = s;
	derive_bound_ack(d, v, s, v->hw.lr[i], split);
	k->acks++;
	d->wl->sources[source].acks++;
	if (!push(d, v, s))
		return VGIC_WL_NONE;
	step(d, ITEM_ACK, s, 0);
	return s;
}

/* Only LR i may be chosen: what a guest that polls, or a stale VMCR, makes of the rules. */
static void force_ack(struct vgic_derive *d, struct dvcpu *v, unsigned int i)
{
	struct vgic_v3_cpuif keep = v->hw;
	unsigned int group = v->hw.lr[i] & VGIC_LR_GROUP1 ? 1 : 0;

	d->stats.forced++;
	for (unsigned int k = 0; k < VGIC_MAX_LRS; k++)
		if (k != i)
			v->hw.lr[k] = 0;
	v->hw.vmcr |= VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1 | VGIC_VMCR_VPMR;
	vgic_v3_cpuif_ack(&v->hw, group);
	for (unsigned int k = 0; k < VGIC_MAX_LRS; k++)
		if (k != i)
			v->hw.lr[k] = keep.lr[k];
	v->hw.vmcr = keep.vmcr;
	if (v->hw.lr[i] & VGIC_LR_PENDING)
		v->hw.lr[i] = (v->hw.lr[i] & ~VGIC_LR_STATE) | VGIC_LR_ACTIVE;
}

static void pop(struct dvcpu *v)
{
	if (v->nr_stack)
		v->nr_stack--;
	/* The mask of a handler ends with it. */
	if (v->nr_stack < v->mask_depth)
		v->masked = false;
}

static void note_mask(struct dvcpu *v)
{
	v->masked = true;
	v->mask_depth = v->nr_stack;
	v->holds |= v->nr_stack > 0;
}

static int lr_of(const struct dvcpu *v, uint32_t intid)
{
	for (unsigned int i = 0; i < v->used; i++)
		if ((v->hw.lr[i] & VGIC_LR_STATE) && (v->hw.lr[i] & VGIC_LR_VINTID) == intid)
			return (int)i;
	return -1;
}

/* Puts an operation into the stream of the past. */
static bool insert(struct vgic_derive *d, struct dvcpu *v, size_t at, struct item item)
{
	struct item *it = derive_item(d, v);

	item.op = vgic_workload_op(d->wl, item.kind);
	if (item.op == VGIC_WL_NONE || !it) {
		d->nomem = true;
		return false;
	}
	memmove(&v->items[at + 1], &v->items[at], (v->nr_items - 1 - at) * sizeof(*v->items));
	v->items[at] = item;
	for (size_t i = 0; i < v->nr_stack; i++) {
		struct running *r = &v->stack[i];

		r->last.item += r->last.item != SIZE_MAX && r->last.item > at;
		r->usual.item += r->usual.item != SIZE_MAX && r->usual.item > at;
	}
	return true;
}

/* In how many runs after its acknowledge a handler drops its priority; UINT32_MAX: unknown. */
static uint32_t usual_runs(const struct vgic_derive *d, uint32_t script)
{
	const struct known *k = &d->known[d->wl->scripts[script].source];
	uint32_t best = UINT32_MAX;

	if (k->drop_runs != UINT32_MAX)
		return k->drop_runs;
	/* Else as most do. */
	for (uint32_t i = 0; i < DROP_RUNS; i++)
		if (d->drops_seen[i] &&
		    (best == UINT32_MAX || d->drops_seen[i] > d->drops_seen[best]))
			best = i;
	return best;
}

/* The handler on top dropped its priority in this run. */
static void learn_drop(struct vgic_derive *d, const struct dvcpu *v)
{
	const struct running *r = &v->stack[v->nr_stack - 1];
	uint32_t *own = &d->known[d->wl->scripts[r->script].source].drop_runs;

	if (r->runs < *own)
		*own = r->runs;
	if (r->runs < DROP_RUNS)
		d->drops_seen[r->runs]++;
}

/*
 * Nothing shows the drop but the acknowledge that comes after it. If something stood there to
 * be taken all the time, the drop was in this run. Two that follow one another in a run say
 * nothing of one that stands alone.
 */
static void learn_forced(struct vgic_derive *d, const struct dvcpu *v)
{
	const struct running *r = &v->stack[v->nr_stack - 1];

	if (!r->unpressed)
		learn_drop(d, v);
}

/* Where a drop that nothing shows was written: as usual, or when the interrupt last had an LR. */
static struct spot unseen_drop(struct vgic_derive *d, const struct dvcpu *v)
{
	const struct running *r = &v->stack[v->nr_stack - 1];

	/* Something stood there all the time: it held that off, and others say nothing of it. */
	bool held = r->runs && !r->unpressed && r->foreign;

	if (r->usual.item < v->nr_items && !held)
		return r->usual;
	if (lr_of(v, intid_of(d, r->script)) >= 0)
		return (struct spot){.item = SIZE_MAX};
	return r->last;
}

/*
 * With EOImode 1 an EOIR that finds no LR shows in EOIcount (on hardware that
 * counts it). Nothing shows: it was written when the interrupt still had an LR.
 */
static bool drop_earlier(struct vgic_derive *d, struct dvcpu *v)
{
	const struct spot at = unseen_drop(d, v);

	if (at.item == SIZE_MAX || !insert(d, v, at.item,
					   (struct item){.g = at.g,
							 .wall = at.wall,
							 .script = v->stack[v->nr_stack - 1].script,
							 .kind = VGIC_OP_DROP}))
		return false;
	pop(v);
	return true;
}

/* What was presented since then was not taken: the guest masked from there on. */
static void mask_since(struct vgic_derive *d, struct dvcpu *v, const struct spot *drop)
{
	if (v->masked || !insert(d, v, drop->item + 1,
				 (struct item){.g = drop->g,
					       .wall = drop->wall,
					       .script = VGIC_WL_NONE,
					       .kind = VGIC_OP_MASK}))
		return;
	v->masked = true;
	v->mask_depth = v->nr_stack;
}

/* Handlers that are in an LR at the end of the run. */
static void note_running(struct vgic_derive *d, struct dvcpu *v)
{
	uint64_t wall = derive_estimate(d, v, v->g1);
	bool pending = false;

	for (unsigned int i = 0; i < v->used; i++)
		pending |= (v->hw.lr[i] & VGIC_LR_STATE) == VGIC_LR_PENDING;
	for (size_t i = 0; i < v->nr_stack; i++) {
		v->stack[i].unpressed |= !pending;
		if (lr_of(v, intid_of(d, v->stack[i].script)) < 0)
			continue;
		v->stack[i].last = (struct spot){v->nr_items, v->g1, wall};
	}
}

/* EOIR of the interrupt on top of the stack. */
static void drop_top(struct vgic_derive *d, struct dvcpu *v, bool split)
{
	uint32_t s = v->stack[v->nr_stack - 1].script;

	vgic_v3_cpuif_eoi(&v->hw, group_of(d, s), intid_of(d, s));
	if (split && drop_earlier(d, v))
		return;
	step(d, split ? VGIC_OP_DROP : VGIC_OP_EOI, s, 0);
	pop(v);
}

static bool is_tail(const struct dvcpu *v, uint32_t script)
{
	for (unsigned int i = 0; i < v->nr_tail; i++)
		if (v->tail[i] == script)
			return true;
	return false;
}

/* Without the LRs that the guest cannot have looked at: which one did it acknowledge next? */
static int next_wanted(const struct dvcpu *v, const bool *want)
{
	int best = -1;
	unsigned int best_prio = 256;

	for (unsigned int i = 0; i < v->used; i++) {
		unsigned int prio = (v->hw.lr[i] & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT;

		if (!want[i] || (v->hw.lr[i] & VGIC_LR_STATE) != VGIC_LR_PENDING)
			continue;
		if (prio < best_prio) {
			best = (int)i;
			best_prio = prio;
		}
	}
	return best;
}

static void write_vmcr(struct vgic_derive *d, struct dvcpu *v, uint32_t vmcr)
{
	if (v->vmcr_known && v->vmcr == vmcr)
		return;
	v->vmcr_known = true;
	v->vmcr = v->hw.vmcr = vmcr;
	step(d, VGIC_OP_VMCR, VGIC_WL_NONE, vmcr);
}

/*
 * Whether the interface registers changed before or after the acknowledges of
 * the run: an enable or a wider mask must come first to let them happen.
 */
static bool vmcr_comes_first(const struct dvcpu *v)
{
	const uint32_t enables = VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1;
	uint32_t old = v->vmcr, new = v->sync_vmcr;

	if (!v->vmcr_known)
		return true;
	if (v->misr & (VGIC_MISR_VGRP0E | VGIC_MISR_VGRP0D | VGIC_MISR_VGRP1E | VGIC_MISR_VGRP1D))
		return false;
	if (old & ~new &enables)
		return false;
	return (new & ~old &enables) || (new &VGIC_VMCR_VPMR) >= (old & VGIC_VMCR_VPMR);
}

static void dirs_of_run(struct vgic_derive *d, struct dvcpu *v, uint32_t script,
			uint8_t *want_deact, int lr)
{
	vgic_v3_cpuif_dir(&v->hw, intid_of(d, script));
	step(d, VGIC_OP_DIR, script, 0);
	if (lr >= 0 && want_deact[lr])
		want_deact[lr]--;
}

/* Dropped, still active, and the guest takes the next one: its DIRs come later. */
static void note_deferred(struct vgic_derive *d, struct dvcpu *v, uint16_t index)
{
	for (unsigned int i = 0; i < v->used; i++) {
		uint32_t source;
		bool running = false;

		if (!(v->hw.lr[i] & VGIC_LR_ACTIVE))
			continue;
		source = derive_source(d, index, (uint32_t)(v->hw.lr[i] & VGIC_LR_VINTID));
		if (source == VGIC_WL_NONE || d->known[source].active == VGIC_WL_NONE)
			continue;
		for (size_t k = 0; k < v->nr_stack && !running; k++)
			running = v->stack[k].script == d->known[source].active;
		v->defers |= !running;
	}
}

/*
 * EOImode 0: an LPI is never active for KVM, so that one which an exit interrupted has no LR
 * any more, and nothing will show its EOIR. It is over when others of its source are, or when
 * the guest traps, if those never do.
 */
static bool has_faded(struct vgic_derive *d, const struct dvcpu *v, uint32_t script)
{
	const struct known *k = &d->known[d->wl->scripts[script].source];
	uint64_t left;

	if (intid_of(d, script) < VGIC_LPI_BASE || lr_of(v, intid_of(d, script)) >= 0)
		return false;
	if (v->trapped)
		return v->exit_kind == VGIC_EXIT_WFI || !k->pace[PACE_LEAD].seen;
	return !derive_left(k, &left) || left < v->g1 - v->g0;
}

/* The order of events inside the run, one after the other until the read-back is explained. */
static void order(struct vgic_derive *d, struct dvcpu *v, uint16_t index, bool *want_ack,
		  uint8_t *want_deact, bool split, unsigned int split_drops)
{
	for (unsigned int guard = 0; guard < 512 && !d->nomem; guard++) {
		watch_mi(d, v);
		uint32_t top = v->nr_stack ? v->stack[v->nr_stack - 1].script : VGIC_WL_NONE;
		int top_lr = top == VGIC_WL_NONE ? -1 : lr_of(v, intid_of(d, top));
		bool top_active = top_lr >= 0 && (v->hw.lr[top_lr] & VGIC_LR_ACTIVE);
		bool top_ends = top != VGIC_WL_NONE &&
				((top_active && want_deact[top_lr]) || is_tail(v, top));
		int wanted = next_wanted(v, want_ack);
		int hppi = vgic_v3_cpuif_hppi(&v->hw);
		bool can = hppi >= 0 && hppi == wanted && vgic_v3_cpuif_can_signal(&v->hw);

		if (split_drops && top != VGIC_WL_NONE && !top_active && wanted < 0) {
			learn_drop(d, v);
			v->stack[v->nr_stack - 1].last.item = SIZE_MAX;
			v->stack[v->nr_stack - 1].usual.item = SIZE_MAX;
			drop_top(d, v, true);
			split_drops--;
			continue;
		}
		bool signalled = vgic_v3_cpuif_can_signal(&v->hw);

		if (signalled && !can && !v->masked && top_ends) {
			/* It could be taken and is not: the handler that ends now holds it off. */
			step(d, VGIC_OP_MASK, VGIC_WL_NONE, 0);
			note_mask(v);
		}
		if (can && !(top_ends && (v->masked || !v->nests))) {
			unsigned int group = v->hw.lr[hppi] & VGIC_LR_GROUP1 ? 1 : 0;

			if (v->masked) {
				step(d, VGIC_OP_UNMASK, VGIC_WL_NONE, 0);
				v->masked = false;
			}
			if (split)
				note_deferred(d, v, index);
			vgic_v3_cpuif_ack(&v->hw, group);
			want_ack[hppi] = false;
			v->nests |= top != VGIC_WL_NONE;
			acknowledged(d, v, index, (unsigned int)hppi, split);
			continue;
		}
		if (top_ends) {
			bool later = split && v->defers && top_lr >= 0 && want_deact[top_lr] == 1;

			drop_top(d, v, split);
			if (later)
				continue;
			if (split)
				dirs_of_run(d, v, top, want_deact, top_lr);
			else if (top_lr >= 0 && want_deact[top_lr])
				want_deact[top_lr]--;
			for (unsigned int i = 0; i < v->nr_tail; i++)
				if (v->tail[i] == top)
					v->tail[i] = VGIC_WL_NONE;
			continue;
		}
		if (wanted < 0 && !split && top != VGIC_WL_NONE && has_faded(d, v, top)) {
			d->stats.unseen++;
			drop_top(d, v, false);
			continue;
		}
		if (wanted < 0)
			break;
		unsigned int group = v->hw.lr[wanted] & VGIC_LR_GROUP1 ? 1 : 0;
		uint8_t prio = (v->hw.lr[wanted] & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT;

		if (top != VGIC_WL_NONE && vgic_v3_cpuif_group_priority(&v->hw, group, prio) >=
						   vgic_v3_cpuif_running_priority(&v->hw)) {
			/* The running one must have been dropped, though nothing shows it. */
			const struct spot at = unseen_drop(d, v);
			size_t steps = d->nr_steps;

			if (split)
				learn_forced(d, v);

			if (!split)
				d->stats.unseen++;
			drop_top(d, v, split);
			if (split && d->nr_steps == steps)
				mask_since(d, v, &at);
			continue;
		}
		if (v->masked) {
			step(d, VGIC_OP_UNMASK, VGIC_WL_NONE, 0);
			v->masked = false;
		}
		force_ack(d, v, (unsigned int)wanted);
		want_ack[wanted] = false;
		acknowledged(d, v, index, (unsigned int)wanted, split);
	}
	/* What is left was deactivated out of order: DIR of interrupts dropped long ago. */
	for (unsigned int i = 0; i < v->used; i++) {
		uint32_t source;

		if (!want_deact[i] || !(v->hw.lr[i] & VGIC_LR_ACTIVE))
			continue;
		source = derive_source(d, index, (uint32_t)(v->hw.lr[i] & VGIC_LR_VINTID));
		if (source == VGIC_WL_NONE || d->known[source].active == VGIC_WL_NONE)
			continue;
		for (size_t k = 0; k < v->nr_stack; k++) {
			if (v->stack[k].script != d->known[source].active)
				continue;
			step(d, split ? VGIC_OP_DROP : VGIC_OP_EOI, v->stack[k].script, 0);
			memmove(&v->stack[k], &v->stack[k + 1],
				(v->nr_stack - k - 1) * sizeof(*v->stack));
			v->nr_stack--;
			break;
		}
		if (split)
			dirs_of_run(d, v, d->known[source].active, want_deact, (int)i);
	}
}

/* What was acknowledged last of the interrupt in LR i was deactivated in this run. */
static void ended_in_lr(struct vgic_derive *d, struct dvcpu *v, uint16_t index, unsigned int i)
{
	uint32_t source = derive_source(d, index, (uint32_t)(v->lr[i] & VGIC_LR_VINTID));

	if (source != VGIC_WL_NONE && d->known[source].last_script != VGIC_WL_NONE)
		derive_bound_run(d, v, d->known[source].last_script);
}

/* The run begins in which a handler usually drops its priority. */
static void note_usual(struct vgic_derive *d, struct dvcpu *v)
{
	for (size_t i = 0; i < v->nr_stack; i++) {
		struct running *r = &v->stack[i];

		r->runs += v->trapped;
		if (r->usual.item != SIZE_MAX || r->runs != usual_runs(d, r->script))
			continue;
		/* Without an LR it would have been counted, by hardware that does. */
		r->foreign = d->known[d->wl->scripts[r->script].source].drop_runs == UINT32_MAX;
		if (lr_of(v, intid_of(d, r->script)) >= 0 || !d->split_count)
			r->usual = (struct spot){v->nr_items, v->g0, derive_estimate(d, v, v->g0)};
	}
}

/* Right after the acknowledge, for those that drop at once. */
static void note_at_once(struct vgic_derive *d, struct dvcpu *v)
{
	for (size_t i = 0; i < v->nr_stack; i++) {
		struct running *r = &v->stack[i];

		if (r->runs || usual_runs(d, r->script))
			continue;
		for (size_t k = v->nr_items; k; k--) {
			const struct item *it = &v->items[k - 1];

			if (it->kind != ITEM_ACK || it->script != r->script)
				continue;
			r->usual = (struct spot){k, it->g, it->wall};
			break;
		}
	}
}

void derive_run(struct vgic_derive *d, struct dvcpu *v, uint16_t index)
{
	const uint32_t armed = VGIC_HCR_UIE | VGIC_HCR_LRENPIE | VGIC_HCR_NPIE;
	bool want_ack[VGIC_MAX_LRS] = {false};
	uint8_t want_deact[VGIC_MAX_LRS] = {0}; /* twice if it was taken again in between */
	bool ends_again[VGIC_MAX_LRS] = {false};
	bool any = false;

	d->nr_steps = 0;
	d->mi_step = SIZE_MAX;
	if (!d->stats.runs++ || derive_run_ns(v) < d->dead)
		d->dead = derive_run_ns(v);
	memset(v->hw.lr, 0, sizeof(v->hw.lr));
	memcpy(v->hw.lr, v->lr, v->used * sizeof(*v->lr));
	v->hw.hcr = (v->hcr & armed) | VGIC_HCR_EN;
	v->hw.vmcr = v->vmcr;
	note_usual(d, v);
	for (unsigned int i = 0; i < v->used && v->folded; i++) {
		bool p0 = v->lr[i] & VGIC_LR_PENDING, a0 = v->lr[i] & VGIC_LR_ACTIVE;
		bool p1 = v->back[i] & VGIC_LR_PENDING, a1 = v->back[i] & VGIC_LR_ACTIVE;

		want_ack[i] = p0 && !p1;
		want_deact[i] = (a0 && (!a1 || want_ack[i])) + (want_ack[i] && !a1);
		any |= want_ack[i] || want_deact[i];
		if (a0 && (!a1 || want_ack[i]))
			ended_in_lr(d, v, index, i);
		ends_again[i] = want_ack[i] && !a1;
	}
	bool first = d->cfg.eager_vmcr && vmcr_comes_first(v);

	if (first)
		write_vmcr(d, v, v->sync_vmcr);
	if (!d->cfg.eager_vmcr) {
		/*
		 * The shadow is as old as the last put. A group that it has never shown enabled,
		 * and of which no interrupt was taken, is off; what is not known is on.
		 */
		const uint32_t enables = VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1;

		v->groups |= v->shadow_vmcr & enables;
		for (unsigned int i = 0; i < v->used; i++)
			if (want_ack[i])
				v->groups |= v->lr[i] & VGIC_LR_GROUP1 ? VGIC_VMCR_VENG1
								       : VGIC_VMCR_VENG0;
		uint32_t vmcr = v->shadow_vmcr | (v->groups ? v->groups : enables);

		if (!(vmcr & VGIC_VMCR_VPMR))
			vmcr |= 0xf8u << VGIC_VMCR_VPMR_SHIFT;
		write_vmcr(d, v, vmcr);
	}
	bool split = v->hw.vmcr & VGIC_VMCR_VEOIM;
	unsigned int split_drops = split ? vgic_v3_eoicount(v->sync_hcr) : 0;
	bool ready = vgic_v3_cpuif_can_signal(&v->hw);
	bool opened = v->masked;
	size_t before = d->nr_steps;

	uint32_t begins = v->nr_stack ? v->stack[v->nr_stack - 1].script : VGIC_WL_NONE;

	if (split_drops)
		d->split_count = true;
	if (!split && v->folded)
		derive_bound_count(d, v, vgic_v3_eoicount(v->sync_hcr));
	v->trapped = v->exit_kind != VGIC_EXIT_MI && v->exit_kind != VGIC_EXIT_OTHER_IRQ;
	if (any || v->nr_tail || split_drops ||
	    (!split && begins != VGIC_WL_NONE && has_faded(d, v, begins)))
		order(d, v, index, want_ack, want_deact, split, split_drops);
	for (unsigned int i = 0; i < v->used; i++)
		if (ends_again[i])
			ended_in_lr(d, v, index, i);
	bool acted = d->nr_steps > before;

	if (d->cfg.eager_vmcr && !first)
		write_vmcr(d, v, v->sync_vmcr);
	bool left = vgic_v3_cpuif_can_signal(&v->hw);
	bool mi = v->misr != 0;

	if (left && !acted && ready && !v->masked) {
		/* It stood there through the whole run: the guest did not look. */
		struct item *it = derive_item(d, v);
		uint32_t op = vgic_workload_op(d->wl, VGIC_OP_MASK);

		note_mask(v);
		if (!it || op == VGIC_WL_NONE) {
			d->nomem = true;
			return;
		}
		*it = (struct item){v->g0, derive_estimate(d, v, v->g0), op, VGIC_WL_NONE,
				    VGIC_OP_MASK};
	}
	bool starts_with_ack = acted && d->steps[before].kind == ITEM_ACK && ready && !opened;
	/* The shadow of the flush: it was so before the run. */
	bool starts_so = !d->cfg.eager_vmcr && before;

	derive_place(d, v, begins, starts_with_ack || (first && !acted) || starts_so,
		     mi || (acted && left));
	note_running(d, v);
	note_at_once(d, v);
}

static void emit_now(struct vgic_derive *d, struct dvcpu *v, uint8_t kind, uint32_t script,
		     uint32_t op)
{
	/* What trapped is at the exit; what came before it, in the guest. */
	uint64_t wall =
		kind == VGIC_OP_DIR ? v->sync_begin - d->start : derive_estimate(d, v, v->g1);
	struct item *it = derive_item(d, v);

	if (!it || op == VGIC_WL_NONE) {
		d->nomem = true;
		return;
	}
	*it = (struct item){v->g, wall, op, script, kind};
}

void derive_dir(struct vgic_derive *d, struct dvcpu *v, uint16_t index,
		const struct vgr_dir *record)
{
	uint32_t source = derive_source(d, index, (uint32_t)(record->value & 0xffffff));

	if (source == VGIC_WL_NONE)
		return;
	struct known *k = &d->known[source];
	uint32_t script = k->active != VGIC_WL_NONE ? k->active : k->last_script;

	/* A guest that splits EOI writes EOIR before DIR: what stands above was dropped. */
	while (v->nr_stack) {
		uint32_t top = v->stack[v->nr_stack - 1].script;

		vgic_v3_cpuif_eoi(&v->hw, group_of(d, top), intid_of(d, top));
		if (!drop_earlier(d, v)) {
			emit_now(d, v, VGIC_OP_DROP, top, vgic_workload_op(d->wl, VGIC_OP_DROP));
			pop(v);
		}
		if (top == script || d->nomem)
			break;
	}
	uint32_t op = derive_dir_op(d, source);

	emit_now(d, v, VGIC_OP_DIR, script, op);
	v->dir_op = op;
	if (script != VGIC_WL_NONE) {
		derive_bound_dir(d, v, script, record->r.time);
		derive_handled(d, script, v->exit_time);
	}
	k->active_seen = false;
	/* The fold of the deactivated value clears a level interrupt's latch (OV-45). */
	if (k->props.state & VGR_IRQ_LEVEL)
		k->latch = 0;
}
