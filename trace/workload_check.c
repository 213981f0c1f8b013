// SPDX-License-Identifier: GPL-2.0-only
/* Whether a replay may trust a workload: indices, chains, enumerations, times. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "workload_format.h"

#define NONE VGIC_WL_NONE

#define OP_FLAGS                                                                             \
	(VGIC_OP_LAST | VGIC_OP_TIMED | VGIC_OP_YIELDS | VGIC_OP_ARRIVAL | VGIC_OP_WITH_MI | \
	 VGIC_OP_AGAIN | VGIC_OP_FIRST)

/* A workload begins before anything has happened. */
#define NOT_INITIAL (VGR_IRQ_LINE | VGR_IRQ_LATCH | VGR_IRQ_ACTIVE | VGR_IRQ_ON_LR)

int workload_wrong(struct vgr_error *err, const char *format, ...)
{
	va_list ap;

	if (!err)
		return VGR_EFORGED;
	*err = (struct vgr_error){.code = VGR_EFORGED};
	va_start(ap, format);
	vsnprintf(err->what, sizeof(err->what), format, ap);
	va_end(ap);
	snprintf(err->hint, sizeof(err->hint), "%s", "this is no demand of a guest");
	return VGR_EFORGED;
}

/* Elements linked into chains: each by one link at most. */
struct chains {
	const char *name;
	const struct vgic_store *store;
	uint8_t *linked;
	size_t n, nr_linked;
	uint64_t turns;
};

static int chains_init(struct chains *c, const struct vgic_workload *wl, const char *name, size_t n)
{
	*c = (struct chains){.name = name,
			     .store = wl->store,
			     .n = n,
			     .linked = vgic_store_grow(wl->store, NULL, 0, n + 1, 1)};
	return c->linked ? 0 : -ENOMEM;
}

static void chains_finish(struct chains *c)
{
	vgic_store_free(c->store, c->linked);
}

static int link_to(struct chains *c, uint32_t to, struct vgr_error *err)
{
	vgic_store_pace(c->store, c->turns++);
	if (to == NONE)
		return 0;
	if (to >= c->n)
		return workload_wrong(err, "a link to %s %" PRIu32 ", there are %zu", c->name, to,
				      c->n);
	if (c->linked[to])
		return workload_wrong(err, "%s %" PRIu32 " has two links to it", c->name, to);
	c->linked[to] = 1;
	c->nr_linked++;
	return 0;
}

/* reached: elements met from the heads. What else is linked goes round in a circle. */
static int chains_close(const struct chains *c, size_t reached, struct vgr_error *err)
{
	if (reached != c->nr_linked)
		return workload_wrong(err, "links between %zu %ss that nothing leads to",
				      c->nr_linked - reached, c->name);
	return 0;
}

static bool is_long(uint64_t ns)
{
	return ns > VGW_MAX_NS;
}

static int check_machine(const struct vgw *w, struct vgr_error *err)
{
	const struct vgr_header *h = &w->header;
	const struct vgic_workload *wl = &w->workload;
	unsigned int pre = h->pre_bits ? h->pre_bits : 5, pri = h->pri_bits ? h->pri_bits : 5;

	if (pre < 5 || pre > 7 || pri < pre || pri > 8)
		return workload_wrong(err, "%u bits of priority, %u of them for preemption", pri,
				      pre);
	if (!wl->nr_lr || wl->nr_lr > vgr_lr_limit(h->gic_host) || wl->nr_lr != h->nr_lr)
		return workload_wrong(err, "%" PRIu32 " list registers", wl->nr_lr);
	if (wl->gicv2 != (h->gic_host == 2) || (wl->gicv2 && !wl->model_v2))
		return workload_wrong(err, "a demand for another GIC than the host's");
	if (!wl->nr_vcpus || wl->nr_vcpus > VGW_MAX_VCPUS)
		return workload_wrong(err, "%" PRIu32 " vCPUs", wl->nr_vcpus);
	if (w->ending < VGR_END_WHOLE || w->ending > VGR_END_CUT)
		return workload_wrong(err, "a recording that never ended");
	return 0;
}

/* Every cost is a time, and those that are multiplied stay one. */
static int check_profile(const struct vgic_profile *p, struct vgr_error *err)
{
	const struct workload_section *s = workload_section(WORKLOAD_PROFILE);
	const uint64_t multiplied[] = {p->entry_irq_ps, p->entry_lr_ps, p->sort_step_ps,
				       p->exit_irq_ps, p->exit_lr_ps};

	for (unsigned int i = 0; i < s->nr_fields; i++) {
		const struct workload_field *f = &s->fields[i];
		uint64_t ns;

		for (unsigned int k = 0; f->width == sizeof(ns) && k < f->n; k++) {
			memcpy(&ns, (const char *)p + f->offset + k * sizeof(ns), sizeof(ns));
			if (is_long(ns))
				return workload_wrong(err, "a cost of %" PRIu64 " ns", ns);
		}
	}
	for (unsigned int i = 0; i < sizeof(multiplied) / sizeof(multiplied[0]); i++)
		if (multiplied[i] > VGIC_MAX_COST_PS)
			return workload_wrong(err, "a cost of %" PRIu64 " ps for each",
					      multiplied[i]);
	if (p->nr_mi_delays > VGIC_MAX_MI_DELAYS)
		return workload_wrong(err, "%" PRIu32 " delays of MIs", p->nr_mi_delays);
	return 0;
}

static int check_times(const struct vgw *w, struct vgr_error *err)
{
	int ret = check_profile(&w->workload.profile, err);

	if (ret)
		return ret;
	if (is_long(w->workload.duration_ns))
		return workload_wrong(err, "a duration of %" PRIu64 " ns", w->workload.duration_ns);
	if (w->has_window && (w->window_vcpu >= w->workload.nr_vcpus ||
			      w->window_t0 >= w->window_t1 || is_long(w->window_t1)))
		return workload_wrong(err, "a window that cannot be");
	return 0;
}

static int check_vcpus(const struct vgic_workload *wl, struct vgr_error *err)
{
	for (uint32_t i = 0; i < wl->nr_vcpus; i++) {
		const struct vgic_wl_vcpu *v = &wl->vcpus[i];

		if (v->background != NONE &&
		    (v->background >= wl->nr_scripts || wl->scripts[v->background].source != NONE ||
		     wl->scripts[v->background].vcpu != i))
			return workload_wrong(err,
					      "vCPU %" PRIu32 ": script %" PRIu32
					      " is not its program",
					      i, v->background);
		if (is_long(v->start_ns) || is_long(v->guest_ns))
			return workload_wrong(err, "vCPU %" PRIu32 ": a time that cannot be", i);
	}
	return 0;
}

static int compare_key(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static int check_twice(const struct vgic_workload *wl, struct vgr_error *err)
{
	uint64_t *keys = calloc(wl->nr_sources + 1, sizeof(*keys));
	int ret = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < wl->nr_sources; i++)
		keys[i] = (uint64_t)wl->sources[i].initial.intid << 16 | wl->sources[i].vcpu;
	qsort(keys, wl->nr_sources, sizeof(*keys), compare_key);
	for (size_t i = 1; i < wl->nr_sources && !ret; i++)
		if (keys[i] == keys[i - 1])
			ret = workload_wrong(err, "interrupt %" PRIu64 " twice", keys[i] >> 16);
	free(keys);
	return ret;
}

static int check_sources(const struct vgic_workload *wl, struct vgr_error *err)
{
	for (size_t i = 0; i < wl->nr_sources; i++) {
		const struct vgic_source *s = &wl->sources[i];
		bool is_private = s->initial.intid < 32;

		if (is_private ? s->vcpu >= wl->nr_vcpus : s->vcpu != VGR_NO_VCPU)
			return workload_wrong(err, "interrupt %zu: INTID %" PRIu32 " of vCPU %u", i,
					      s->initial.intid, s->vcpu);
		if ((s->initial.state & NOT_INITIAL) || s->initial.vcpu != VGR_NO_VCPU)
			return workload_wrong(err, "interrupt %zu: raised before the beginning", i);
		if (s->typical != NONE &&
		    (s->typical >= wl->nr_scripts || wl->scripts[s->typical].source != i))
			return workload_wrong(err,
					      "interrupt %zu: script %" PRIu32 " is not of its own",
					      i, s->typical);
	}
	return check_twice(wl, err);
}

static int check_scripts(const struct vgic_workload *wl, struct vgr_error *err)
{
	for (size_t i = 0; i < wl->nr_scripts; i++) {
		const struct vgic_script *s = &wl->scripts[i];

		vgic_store_pace(wl->store, i);
		if ((s->source != NONE && s->source >= wl->nr_sources) || s->vcpu >= wl->nr_vcpus)
			return workload_wrong(err, "script %zu: no such interrupt or vCPU", i);
		if (is_long(s->own_ns))
			return workload_wrong(err, "script %zu: a time that cannot be", i);
	}
	if (wl->typical != NONE &&
	    (wl->typical >= wl->nr_scripts || wl->scripts[wl->typical].source == NONE))
		return workload_wrong(err, "script %" PRIu32 " handles nothing", wl->typical);
	return 0;
}

static int check_ops(const struct vgic_workload *wl, struct vgr_error *err)
{
	for (size_t i = 0; i < wl->nr_ops; i++) {
		const struct vgic_op *o = &wl->ops[i];

		vgic_store_pace(wl->store, i);
		if (o->kind > VGIC_OP_UNMASK || o->exit >= VGIC_EXIT_KINDS ||
		    (o->flags & ~OP_FLAGS))
			return workload_wrong(err, "operation %zu: kind %u, exit %u, flags %#x", i,
					      o->kind, o->exit, o->flags);
		if (o->source != NONE && o->source >= wl->nr_sources)
			return workload_wrong(err,
					      "operation %zu: interrupt %" PRIu32 ", there are %zu",
					      i, o->source, wl->nr_sources);
		if ((o->flags & VGIC_OP_YIELDS) && o->value >= wl->nr_vcpus)
			return workload_wrong(err, "operation %zu: yields to vCPU %" PRIu32, i,
					      o->value);
		if (o->sync_lrs > VGR_MAX_LRS || o->entry_lrs > VGR_MAX_LRS)
			return workload_wrong(err,
					      "operation %zu: %u list registers read, %u written",
					      i, o->sync_lrs, o->entry_lrs);
		if (is_long(o->at) || is_long(o->out_ns) || is_long(o->wall_ns) ||
		    o->entry_ns > o->out_ns)
			return workload_wrong(err, "operation %zu: a time that cannot be", i);
	}
	return 0;
}

/* It becomes what is true of this very interrupt. */
static bool has_state(const struct vgic_workload *wl, const struct vgic_effect *e)
{
	return e->source < wl->nr_sources && e->prop < wl->nr_props &&
	       wl->props[e->prop].intid == wl->sources[e->source].initial.intid;
}

/* What an effect acts on; a raise that took no effect keeps what it had. */
static bool has_target(const struct vgic_workload *wl, const struct vgic_effect *e)
{
	switch (e->kind) {
	case VGIC_EFFECT_WAKE:
		return e->source < wl->nr_vcpus;
	case VGIC_EFFECT_SGI:
		return e->source == NONE && e->vcpu < wl->nr_vcpus;
	case VGIC_EFFECT_STATE:
		return has_state(wl, e);
	case VGIC_EFFECT_LINE:
	case VGIC_EFFECT_LATCH:
		return e->prop == NONE ? e->source == NONE || e->source < wl->nr_sources
				       : has_state(wl, e);
	case VGIC_EFFECT_NONE:
		return e->source == NONE || e->source < wl->nr_sources || e->source < wl->nr_vcpus;
	default:
		return e->source == NONE || e->source < wl->nr_sources;
	}
}

static int check_effects(const struct vgic_workload *wl, struct vgr_error *err)
{
	for (size_t i = 0; i < wl->nr_effects; i++) {
		const struct vgic_effect *e = &wl->effects[i];

		vgic_store_pace(wl->store, i);
		if (e->kind > VGIC_EFFECT_NONE || e->origin > VGIC_ORIGIN_OUTSIDE)
			return workload_wrong(err, "effect %zu: kind %u, origin %u", i, e->kind,
					      e->origin);
		if (!has_target(wl, e))
			return workload_wrong(err, "effect %zu: nothing that it could act on", i);
		if (is_long(e->delay_ns) || is_long(e->wall_ns) ||
		    (is_long(e->gap_ns) && e->gap_ns != UINT64_MAX))
			return workload_wrong(err, "effect %zu: a time that cannot be", i);
	}
	return 0;
}

/* Scripts of one source, in order. */
static int check_script_chains(const struct vgic_workload *wl, struct vgr_error *err)
{
	struct chains c;
	size_t reached = 0;
	int ret = chains_init(&c, wl, "script", wl->nr_scripts);

	for (size_t i = 0; i < wl->nr_sources && !ret; i++)
		ret = link_to(&c, wl->sources[i].first_script, err);
	for (size_t i = 0; i < wl->nr_scripts && !ret; i++)
		ret = link_to(&c, wl->scripts[i].next, err);
	for (size_t i = 0; i < wl->nr_sources && !ret; i++)
		for (uint32_t s = wl->sources[i].first_script; s != NONE && !ret;
		     s = wl->scripts[s].next, reached++) {
			vgic_store_pace(wl->store, reached);
			if (wl->scripts[s].source != i)
				ret = workload_wrong(err,
						     "script %" PRIu32
						     " is among those of interrupt %zu",
						     s, i);
		}
	if (!ret)
		ret = chains_close(&c, reached, err);
	chains_finish(&c);
	return ret;
}

/* Operations of one script. What runs when no handler does cannot end. */
static int check_op_chains(const struct vgic_workload *wl, struct vgr_error *err)
{
	struct chains c;
	size_t reached = 0;
	int ret = chains_init(&c, wl, "operation", wl->nr_ops);

	for (size_t i = 0; i < wl->nr_scripts && !ret; i++)
		ret = link_to(&c, wl->scripts[i].first, err);
	for (size_t i = 0; i < wl->nr_ops && !ret; i++)
		ret = link_to(&c, wl->ops[i].next, err);
	for (size_t i = 0; i < wl->nr_scripts && !ret; i++)
		for (uint32_t o = wl->scripts[i].first; o != NONE && !ret;
		     o = wl->ops[o].next, reached++) {
			vgic_store_pace(wl->store, reached);
			if (wl->scripts[i].source == NONE && (wl->ops[o].flags & VGIC_OP_LAST))
				ret = workload_wrong(err,
						     "operation %" PRIu32
						     " ends the program of vCPU %u",
						     o, wl->scripts[i].vcpu);
		}
	if (!ret)
		ret = chains_close(&c, reached, err);
	chains_finish(&c);
	return ret;
}

/* Effects of one operation, and those of none. */
static int check_effect_chains(const struct vgic_workload *wl, struct vgr_error *err)
{
	struct chains c;
	size_t reached = 0;
	int ret = chains_init(&c, wl, "effect", wl->nr_effects);

	if (!ret)
		ret = link_to(&c, wl->open, err);
	for (size_t i = 0; i < wl->nr_ops && !ret; i++)
		ret = link_to(&c, wl->ops[i].effects, err);
	for (size_t i = 0; i < wl->nr_effects && !ret; i++)
		ret = link_to(&c, wl->effects[i].next, err);
	for (uint32_t e = wl->open; e != NONE && !ret; e = wl->effects[e].next)
		vgic_store_pace(wl->store, reached++);
	for (size_t i = 0; i < wl->nr_ops && !ret; i++) {
		vgic_store_pace(wl->store, i);
		for (uint32_t e = wl->ops[i].effects; e != NONE; e = wl->effects[e].next)
			reached++;
	}
	if (!ret)
		ret = chains_close(&c, reached, err);
	chains_finish(&c);
	return ret;
}

/* Effects that were asked for with one operation. A guest asks for interrupts, not for vCPUs. */
static int check_ask_chains(const struct vgic_workload *wl, struct vgr_error *err)
{
	struct chains c;
	size_t reached = 0;
	int ret = chains_init(&c, wl, "effect", wl->nr_effects);

	for (size_t i = 0; i < wl->nr_ops && !ret; i++)
		ret = link_to(&c, wl->ops[i].asks, err);
	for (size_t i = 0; i < wl->nr_effects && !ret; i++)
		ret = link_to(&c, wl->effects[i].ask_next, err);
	for (size_t i = 0; i < wl->nr_ops && !ret; i++) {
		vgic_store_pace(wl->store, i);
		for (uint32_t e = wl->ops[i].asks; e != NONE && !ret;
		     e = wl->effects[e].ask_next, reached++)
			if (wl->effects[e].kind == VGIC_EFFECT_WAKE ||
			    (wl->effects[e].source != NONE &&
			     wl->effects[e].source >= wl->nr_sources))
				ret = workload_wrong(
					err, "effect %" PRIu32 " cannot have been asked for", e);
	}
	if (!ret)
		ret = chains_close(&c, reached, err);
	chains_finish(&c);
	return ret;
}

#define BLOCK_BUCKETS (VGIC_LATENCY_PARTS * VGIC_LATENCY_PART)

/* Bucket of a block in which the values of this bucket of the histogram are. */
static uint32_t block_bucket(uint32_t bucket)
{
	uint64_t lowest = bucket;
	unsigned int power;

	if (bucket >= 2048)
		lowest = (1024ull + bucket % 1024) << (bucket / 1024 - 1);
	if (lowest < (uint64_t)2 * VGIC_LATENCY_PART)
		return (uint32_t)lowest;
	power = 56 - (unsigned int)__builtin_clzll(lowest);
	return power * VGIC_LATENCY_PART + (uint32_t)(lowest >> power);
}

/* Adds what the block counts to sums, by bucket; a count that is full may stand for more. */
static int add_block(const struct vgic_latency_block *b, uint64_t *sums, bool *full)
{
	uint64_t n = 0;
	bool any = false;

	for (uint32_t i = 0; i < BLOCK_BUCKETS; i++) {
		const uint32_t *part = b->part[i / VGIC_LATENCY_PART];
		uint32_t count = part ? part[i % VGIC_LATENCY_PART] : 0;

		n += count;
		sums[i] += count;
		full[i] |= count == UINT32_MAX;
		any |= count == UINT32_MAX;
	}
	return n == b->n || (any && n < b->n) ? 0 : VGR_EFORGED;
}

/* The blocks are the values of the histogram once more. */
static int check_blocks(const struct vgic_latency_series *s, struct vgr_error *err)
{
	uint64_t *sums = calloc(BLOCK_BUCKETS, sizeof(*sums));
	bool *full = calloc(BLOCK_BUCKETS, sizeof(*full));
	int ret = sums && full ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < s->nr_blocks; i++)
		ret = add_block(&s->blocks[i], sums, full);
	for (uint32_t i = 0; !ret && i < VGIC_HIST_BUCKETS; i++)
		sums[block_bucket(i)] -= s->hist.count[i];
	/* Too little where a count was full. */
	for (uint32_t i = 0; !ret && i < BLOCK_BUCKETS; i++)
		if (sums[i] && !(full[i] && -sums[i] <= VGW_MAX_NS))
			ret = VGR_EFORGED;
	free(sums);
	free(full);
	return ret == VGR_EFORGED
		       ? workload_wrong(err, "blocks of a latency that contradict its histogram")
		       : ret;
}

static int check_latency(const struct vgic_latency_series *s, struct vgr_error *err)
{
	const struct vgic_hist *h = &s->hist;
	uint64_t n = 0;

	for (uint32_t i = 0; i < VGIC_HIST_BUCKETS; i++) {
		if (h->count[i] > h->n - n)
			return workload_wrong(err, "a histogram that has more values than %" PRIu64,
					      h->n);
		n += h->count[i];
	}
	if (n != h->n || n > VGW_MAX_NS || h->min > h->max)
		return workload_wrong(err, "a histogram of %" PRIu64 " values that has %" PRIu64,
				      h->n, n);
	if (s->nr_blocks > VGIC_LATENCY_BLOCKS || !s->raises || s->raises & (s->raises - 1) ||
	    s->raises > VGW_MAX_NS || (s->nr_blocks && !s->blocks[s->nr_blocks - 1].n))
		return workload_wrong(err, "blocks of a latency that cannot be");
	return check_blocks(s, err);
}

static int check_timeline(const struct vgic_timeline *tl, struct vgr_error *err)
{
	for (size_t i = 0; i < tl->nr_segments; i++) {
		const struct vgic_segment *s = &tl->segments[i];

		if (s->lr >= VGR_MAX_LRS || !s->state || s->state > 3 || s->t0 >= s->t1 ||
		    is_long(s->t1))
			return workload_wrong(err, "segment %zu of the time line", i);
	}
	return 0;
}

static int check_cell(const struct vgic_cell *c, struct vgr_error *err)
{
	int ret;

	if (!c->nr_lr || c->nr_lr > VGR_MAX_LRS || c->outcome > VGIC_OUTCOME_STARVED ||
	    c->nr_starved > VGIC_MAX_STARVED)
		return workload_wrong(err, "recorded numbers that cannot be");
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		ret = check_latency(&c->latency[i], err);
		if (ret)
			return ret;
	}
	for (size_t i = 0; i < c->nr_fates; i++)
		if (c->fates[i].kind >= VGIC_FATE_KINDS)
			return workload_wrong(err, "fate %zu: kind %u", i, c->fates[i].kind);
	if (!c->has_timeline &&
	    (c->timeline.nr_segments || c->timeline.nr_mis || c->timeline.nr_depths))
		return workload_wrong(err, "a time line without its window");
	return check_timeline(&c->timeline, err);
}

int vgw_validate(const struct vgw *w, struct vgr_error *err)
{
	const struct vgic_workload *wl = &w->workload;
	int ret = check_machine(w, err);

	if (!ret)
		ret = check_times(w, err);
	if (!ret)
		ret = check_vcpus(wl, err);
	if (!ret)
		ret = check_sources(wl, err);
	if (!ret)
		ret = check_scripts(wl, err);
	if (!ret)
		ret = check_ops(wl, err);
	if (!ret)
		ret = check_effects(wl, err);
	if (!ret)
		ret = check_script_chains(wl, err);
	if (!ret)
		ret = check_op_chains(wl, err);
	if (!ret)
		ret = check_effect_chains(wl, err);
	if (!ret)
		ret = check_ask_chains(wl, err);
	if (!ret && w->has_recorded)
		ret = check_cell(&w->recorded, err);
	if (ret == -ENOMEM && err)
		*err = (struct vgr_error){.code = ret, .what = "not enough memory"};
	return ret;
}
