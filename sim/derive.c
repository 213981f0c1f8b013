/* SPDX-License-Identifier: GPL-2.0-only */
/* Records in order: runs, exits, and what changed the state of interrupts from outside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/vgic.h>

#include "derive_internal.h"

#define EC_WFX 0x01u
#define PROP_STATE                                                                          \
	(VGR_IRQ_ENABLED | VGR_IRQ_LEVEL | VGR_IRQ_HW | VGR_IRQ_GROUP1 | VGR_IRQ_RESAMPLE | \
	 VGR_IRQ_GETLEVEL)

int vgic_derive_create(struct vgic_derive **out, const struct vgic_derive_config *cfg)
{
	struct vgic_derive *d;

	if (cfg->nr_lr < 1 || cfg->nr_lr > (cfg->gicv2 ? VGIC_MAX_LRS : VGIC_V3_MAX_LRS))
		return -EINVAL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->cfg = *cfg;
	d->hw_cfg = vgic_v3_cpuif_defaults(cfg->nr_lr);
	if (cfg->pre_bits)
		d->hw_cfg.pre_bits = (uint8_t)cfg->pre_bits;
	if (cfg->prio_bits)
		d->hw_cfg.prio_bits = (uint8_t)cfg->prio_bits;
	d->wl = vgic_workload_create(0);
	d->calibration = cfg->calibration;
	if (d->wl)
		d->wl->store = cfg->store;
	if (!d->wl || (!d->calibration && vgic_calibration_create(&d->calibration))) {
		vgic_workload_destroy(d->wl);
		free(d);
		return -ENOMEM;
	}
	vgic_calibration_begin(d->calibration, cfg->nr_lr);
	d->wl->nr_lr = cfg->nr_lr;
	d->wl->gicv2 = cfg->gicv2;
	d->wl->model_v2 = cfg->gicv2 || cfg->model_v2;
	d->last_open = VGIC_WL_NONE;
	for (unsigned int i = 0; i < MAX_CPUS; i++)
		d->cpu_vcpu[i] = VGR_NO_VCPU;
	*out = d;
	return 0;
}

void vgic_derive_destroy(struct vgic_derive *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nr_vcpus; i++) {
		free(d->vcpus[i].undropped);
		free(d->vcpus[i].stack);
		vgic_store_free(d->cfg.store, d->vcpus[i].items);
	}
	free(d->vcpus);
	free(d->known);
	free(d->unseen);
	vgic_store_free(d->cfg.store, d->facts);
	free(d->index);
	msi_map_finish(&d->msis);
	free(d->steps);
	if (!d->cfg.calibration)
		vgic_calibration_destroy(d->calibration);
	vgic_workload_destroy(d->wl);
	free(d);
}

void vgic_derive_stats(const struct vgic_derive *d, struct vgic_derive_stats *stats)
{
	*stats = d->stats;
}

void derive_mi_delay(struct vgic_derive *d, uint64_t due, uint64_t left)
{
	if (left >= due && vgic_calibration_mi_delay(d->calibration, left - due))
		d->nomem = true;
}

static struct dvcpu *vcpu_of(struct vgic_derive *d, uint16_t index)
{
	if (index >= d->nr_vcpus) {
		size_t n = (size_t)index + 1;
		struct dvcpu *v = realloc(d->vcpus, n * sizeof(*v));

		if (!v) {
			d->nomem = true;
			return NULL;
		}
		memset(v + d->nr_vcpus, 0, (n - d->nr_vcpus) * sizeof(*v));
		for (size_t i = d->nr_vcpus; i < n; i++) {
			vgic_v3_cpuif_init(&v[i].hw, &d->hw_cfg);
			v[i].first_effect = v[i].last_effect = VGIC_WL_NONE;
			v[i].first_ask = v[i].last_ask = VGIC_WL_NONE;
			v[i].last_op = v[i].last_op_effect = v[i].dir_op = VGIC_WL_NONE;
		}
		d->vcpus = v;
		d->nr_vcpus = n;
	}
	return &d->vcpus[index];
}

struct item *derive_item(struct vgic_derive *d, struct dvcpu *v)
{
	if (v->nr_items == v->cap_items) {
		size_t cap = v->cap_items ? v->cap_items * 2 : 1024;
		struct item *p =
			vgic_store_grow(d->cfg.store, v->items, v->cap_items, cap, sizeof(*p));

		if (!p) {
			d->nomem = true;
			return NULL;
		}
		v->items = p;
		v->cap_items = cap;
	}
	return &v->items[v->nr_items++];
}

uint32_t derive_dir_op(struct vgic_derive *d, uint32_t source)
{
	uint32_t op = vgic_workload_op(d->wl, VGIC_OP_DIR);

	if (op == VGIC_WL_NONE) {
		d->nomem = true;
		return op;
	}
	struct known *k = &d->known[source];

	/* The n-th DIR is for the n-th acknowledge, whatever else deactivated it meanwhile. */
	if (k->dirs < k->acks)
		k->dirs++;
	d->wl->ops[op].source = source;
	d->wl->ops[op].count = k->dirs;
	return op;
}

void derive_handled(struct vgic_derive *d, uint32_t script, uint64_t time)
{
	struct known *k = &d->known[d->wl->scripts[script].source];

	if (k->active == script)
		k->active = VGIC_WL_NONE;
	k->handled++;
	k->handled_time = time;
}

/* ---- interrupts ---- */

static size_t hash_of(uint16_t vcpu, uint32_t intid)
{
	uint64_t x = ((uint64_t)(intid < 32 ? vcpu + 1u : 0) << 32 | intid) * 0x9e3779b97f4a7c15ull;

	return (size_t)(x >> 40);
}

static int index_grow(struct vgic_derive *d)
{
	size_t n = d->nr_index ? d->nr_index * 2 : 1024;
	uint32_t *p = calloc(n, sizeof(*p));

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < d->wl->nr_sources; i++) {
		const struct vgic_source *s = &d->wl->sources[i];
		size_t h = hash_of(s->vcpu, s->initial.intid) & (n - 1);

		while (p[h])
			h = (h + 1) & (n - 1);
		p[h] = (uint32_t)i + 1;
	}
	free(d->index);
	d->index = p;
	d->nr_index = n;
	return 0;
}

/* Index of an interrupt, made with the defaults of vgic-init.c if it is new. */
uint32_t derive_source(struct vgic_derive *d, uint16_t vcpu, uint32_t intid)
{
	if (d->wl->nr_sources * 2 >= d->nr_index && index_grow(d)) {
		d->nomem = true;
		return VGIC_WL_NONE;
	}
	size_t h = hash_of(vcpu, intid) & (d->nr_index - 1);

	for (; d->index[h]; h = (h + 1) & (d->nr_index - 1)) {
		const struct vgic_source *s = &d->wl->sources[d->index[h] - 1];

		if (s->initial.intid == intid && (intid >= 32 || s->vcpu == vcpu))
			return d->index[h] - 1;
	}
	struct vgr_irq irq = {
		.intid = intid,
		.state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
		.priority = 0xa0,
		.vcpu = VGR_NO_VCPU,
		.target = intid < 32 ? vcpu : 0,
	};

	if (d->wl->model_v2)
		irq.state &= ~VGR_IRQ_GROUP1;
	if (intid >= 16 && intid < VGIC_LPI_BASE)
		irq.state |= VGR_IRQ_LEVEL;
	uint32_t s = vgic_workload_source(d->wl, vcpu, &irq);

	if (s == VGIC_WL_NONE) {
		d->nomem = true;
		return s;
	}
	if (s >= d->cap_known) {
		size_t cap = d->cap_known ? d->cap_known * 2 : 256;
		struct known *k = realloc(d->known, cap * sizeof(*k));

		if (!k) {
			d->nomem = true;
			return VGIC_WL_NONE;
		}
		d->known = k;
		uint32_t *unseen = realloc(d->unseen, cap * sizeof(*unseen));

		if (!unseen) {
			d->nomem = true;
			return VGIC_WL_NONE;
		}
		d->unseen = unseen;
		d->cap_known = cap;
	}
	if (intid < VGIC_NR_PRIVATE)
		d->unseen[d->nr_unseen++] = s;
	d->known[s] = (struct known){.last_script = VGIC_WL_NONE,
				     .active = VGIC_WL_NONE,
				     .props = irq,
				     .raise = VGIC_WL_NONE,
				     .quiet = true,
				     .drop_runs = UINT32_MAX};
	d->index[h] = s + 1;
	return s;
}

/* ---- effects ---- */

static void chain(struct vgic_derive *d, uint32_t *first, uint32_t *last, uint32_t effect)
{
	if (*first == VGIC_WL_NONE)
		*first = effect;
	else
		d->wl->effects[*last].next = effect;
	*last = effect;
}

/*
 * The guest of vCPU v asked for it: by the access that it is out for, or by setting its timer,
 * which fired while it ran, not while another vCPU had its CPU. What ends a WFI has a rule of
 * its own.
 */
static void ask(struct vgic_derive *d, struct dvcpu *v, uint32_t effect)
{
	bool timer = d->wl->effects[effect].origin == VGIC_ORIGIN_TIMER;

	if (v->exit != EXIT_PENDING || (timer ? v->exit_kind != VGIC_EXIT_OTHER_IRQ || v->yields
					      : v->exit_kind != VGIC_EXIT_MMIO))
		return;
	if (v->first_ask == VGIC_WL_NONE)
		v->first_ask = effect;
	else
		d->wl->effects[v->last_ask].ask_next = effect;
	v->last_ask = effect;
}

/* Hangs an effect on vCPU v's open exit, on its last exit, or on nothing. */
static void attach(struct vgic_derive *d, struct dvcpu *v, uint32_t effect, uint64_t time)
{
	struct vgic_effect *e = &d->wl->effects[effect];

	/* What the first flush shows began before its record. */
	e->wall_ns = time > d->start ? time - d->start : 0;
	if (v && v->exit == EXIT_PENDING) {
		e->delay_ns = time > v->exit_time ? time - v->exit_time : 0;
		chain(d, &v->first_effect, &v->last_effect, effect);
		if (e->origin == VGIC_ORIGIN_OUTSIDE)
			v->outside = true;
	} else if (v && v->last_op != VGIC_WL_NONE) {
		e->delay_ns = time > v->last_op_time ? time - v->last_op_time : 0;
		chain(d, &d->wl->ops[v->last_op].effects, &v->last_op_effect, effect);
	} else {
		chain(d, &d->wl->open, &d->last_open, effect);
	}
}

static uint32_t new_effect(struct vgic_derive *d, enum vgic_effect_kind kind)
{
	uint32_t e = vgic_workload_effect(d->wl, kind);

	if (e == VGIC_WL_NONE)
		d->nomem = true;
	return e;
}

/* The first raise that reaches a vCPU waiting in WFI ends this WFI. */
static uint32_t maybe_wakes(struct vgic_derive *d, struct dvcpu *anchor, uint16_t target,
			    uint64_t time)
{
	struct dvcpu *v = target < d->nr_vcpus ? &d->vcpus[target] : NULL;
	uint32_t e;

	if (!v || v->exit != EXIT_PENDING || v->exit_kind != VGIC_EXIT_WFI || v->woken)
		return VGIC_WL_NONE;
	v->woken = true;
	e = new_effect(d, VGIC_EFFECT_WAKE);
	if (e == VGIC_WL_NONE)
		return e;
	d->wl->effects[e].source = target;
	d->wl->effects[e].value = v->nr_wfi;
	attach(d, anchor, e, time);
	return e;
}

static struct dvcpu *by_tid(struct vgic_derive *d, uint32_t tid)
{
	for (size_t i = 0; tid && i < d->nr_vcpus; i++)
		if (d->vcpus[i].exists && d->vcpus[i].tid == tid)
			return &d->vcpus[i];
	return NULL;
}

/*
 * Whose exit a change from outside belongs to: the vCPU that left the guest last
 * on the CPU where it was made, else the one it is for.
 */
static struct dvcpu *outside_anchor(struct vgic_derive *d, const struct vgr_rec *r, uint16_t target)
{
	uint16_t last = r->cpu < MAX_CPUS ? d->cpu_vcpu[r->cpu] : VGR_NO_VCPU;

	if (last != VGR_NO_VCPU && d->vcpus[last].exit == EXIT_PENDING)
		return &d->vcpus[last];
	if (target < d->nr_vcpus)
		return &d->vcpus[target];
	return d->nr_vcpus ? &d->vcpus[0] : NULL;
}

/*
 * The guest that left last on the CPU where vCPU v's thread now works: v itself,
 * or another one that ran while this thread had lost the CPU.
 */
static struct dvcpu *own_anchor(struct vgic_derive *d, const struct vgr_rec *r, struct dvcpu *v)
{
	uint16_t last = r->cpu < MAX_CPUS ? d->cpu_vcpu[r->cpu] : VGR_NO_VCPU;

	if (last != VGR_NO_VCPU && d->vcpus[last].exit == EXIT_PENDING)
		return &d->vcpus[last];
	return v;
}

/*
 * A line that goes low while its interrupt is handled: the handler told the device so, by the
 * access that its vCPU is out for, whichever thread the device works in.
 */
static struct dvcpu *silenced_by(struct vgic_derive *d, const struct known *k)
{
	struct dvcpu *v =
		k->active == VGIC_WL_NONE ? NULL : &d->vcpus[d->wl->scripts[k->active].vcpu];

	return v && v->exit == EXIT_PENDING && v->exit_kind == VGIC_EXIT_MMIO ? v : NULL;
}

static void fill_gap(struct vgic_derive *d, uint32_t effect, uint64_t time)
{
	struct vgic_effect *e = &d->wl->effects[effect];
	const struct known *k = &d->known[e->source];

	e->handled = k->handled;
	if (k->handled && time >= k->handled_time)
		e->gap_ns = time - k->handled_time;
}

static void on_inject(struct vgic_derive *d, const struct vgr_inject *in)
{
	const struct vgr_rec *r = &in->r;
	uint32_t source = derive_source(d, r->vcpu, in->intid);

	if (source == VGIC_WL_NONE)
		return;
	struct known *k = &d->known[source];
	uint16_t target = in->intid < 32 ? r->vcpu : k->props.target;
	struct dvcpu *v = by_tid(d, r->tid);
	uint8_t origin = VGIC_ORIGIN_OUTSIDE;

	if (in->path == VGR_PATH_TIMER || in->path == VGR_PATH_PMU) {
		origin = VGIC_ORIGIN_TIMER;
		v = target < d->nr_vcpus ? &d->vcpus[target] : NULL;
	} else if (v && v->exit == EXIT_PENDING && in->path != VGR_PATH_IRQFD) {
		origin = VGIC_ORIGIN_OWN;
	} else {
		v = in->level ? NULL : silenced_by(d, k);
		if (v)
			origin = VGIC_ORIGIN_OWN;
		else
			v = outside_anchor(d, r, target);
	}
	struct dvcpu *own = v;

	if (v && v == by_tid(d, r->tid))
		v = own_anchor(d, r, own);
	uint32_t e = new_effect(d, VGIC_EFFECT_LINE);

	if (e == VGIC_WL_NONE)
		return;
	struct vgic_effect *x = &d->wl->effects[e];

	x->source = source;
	x->level = in->level;
	x->origin = origin;
	if (own && origin != VGIC_ORIGIN_OUTSIDE && in->level)
		ask(d, own, e);
	fill_gap(d, e, r->time);
	attach(d, v, e, r->time);
	if (k->props.state & VGR_IRQ_LEVEL)
		k->line = in->level;
	else
		k->latch = 1;
	if (in->level) {
		uint32_t wake = maybe_wakes(d, v, target, r->time);

		k->raised = r->time;
		if (k->raise == VGIC_WL_NONE)
			k->raise = e;
		if (d->nr_fresh < MAX_FRESH && k->seen && !(k->props.state & VGR_IRQ_HW))
			d->fresh[d->nr_fresh++] = (struct fresh){source, e, wake, r->time, target};
	}
}

static void on_sgi(struct vgic_derive *d, struct dvcpu *v, const struct vgr_sgi *s)
{
	uint32_t intid = (s->value >> 24) & 0xf;
	bool all = s->value & (1ull << 40);
	uint64_t aff1 = (s->value >> 16) & 0xff;
	uint32_t e = new_effect(d, VGIC_EFFECT_SGI);

	v->exit_kind = VGIC_EXIT_SGI;
	if (e == VGIC_WL_NONE)
		return;
	d->wl->effects[e].value = s->value;
	d->wl->effects[e].level = s->allow_group1;
	d->wl->effects[e].vcpu = s->r.vcpu;
	attach(d, v, e, s->r.time);
	for (size_t i = 0; i < d->nr_vcpus; i++) {
		bool hit = all ? i != s->r.vcpu : aff1 == i / 16 && (s->value & (1ull << (i % 16)));
		uint32_t source;

		if (!hit)
			continue;
		source = derive_source(d, (uint16_t)i, intid);
		if (source == VGIC_WL_NONE)
			return;
		d->known[source].latch = 1;
		d->known[source].raised = s->r.time;
		maybe_wakes(d, v, (uint16_t)i, s->r.time);
	}
}

static void on_msi(struct vgic_derive *d, const struct vgr_msi *m)
{
	struct dvcpu *v = outside_anchor(d, &m->r, VGR_NO_VCPU);
	uint32_t e = new_effect(d, VGIC_EFFECT_LATCH), source;

	if (e == VGIC_WL_NONE)
		return;
	d->wl->effects[e].origin = VGIC_ORIGIN_OUTSIDE;
	if (!msi_map_find(&d->msis, m->devid, m->eventid, &source)) {
		attach(d, v, e, m->r.time);
		msi_map_wait(&d->msis, &(struct msi_wait){m->devid, m->eventid, m->r.time, e});
		return;
	}
	struct known *k = &d->known[source];

	d->wl->effects[e].source = source;
	k->latch = 1;
	k->raised = m->r.time;
	fill_gap(d, e, m->r.time);
	if (k->props.target < d->nr_vcpus)
		v = outside_anchor(d, &m->r, k->props.target);
	attach(d, v, e, m->r.time);
	maybe_wakes(d, v, k->props.target, m->r.time);
}

struct claim {
	struct vgic_derive *d;
	uint32_t source;
};

static void claimed(void *opaque, const struct msi_wait *msi)
{
	const struct claim *c = opaque;

	c->d->wl->effects[msi->cookie].source = c->source;
}

/* An LPI is pending for no known reason: the oldest MSI not yet accounted for was it. */
static bool claim_msi(struct vgic_derive *d, uint32_t source)
{
	int ret = msi_map_claim(&d->msis, source, claimed, &(struct claim){d, source});

	d->nomem |= ret < 0;
	return ret > 0;
}

/* ---- snapshots ---- */

static bool same_props(const struct vgr_irq *a, const struct vgr_irq *b)
{
	return (a->state & PROP_STATE) == (b->state & PROP_STATE) && a->priority == b->priority &&
	       a->target == b->target && a->hwintid == b->hwintid;
}

/* The vCPU whose register write made a change visible in vCPU v's list: the last to write. */
static struct dvcpu *writer_of(struct vgic_derive *d, struct dvcpu *v)
{
	struct dvcpu *best = v;

	for (size_t i = 0; i < d->nr_vcpus; i++)
		if (d->vcpus[i].exit == EXIT_PENDING && d->vcpus[i].last_mmio > best->last_mmio &&
		    d->vcpus[i].last_mmio > v->exit_time)
			best = &d->vcpus[i];
	return best;
}

static void state_effect(struct vgic_derive *d, struct dvcpu *v, uint32_t source,
			 enum vgic_effect_kind kind, uint8_t level, const struct vgr_irq *irq,
			 uint64_t time)
{
	uint32_t e = new_effect(d, kind);

	if (e == VGIC_WL_NONE)
		return;
	struct vgic_effect *x = &d->wl->effects[e];

	x->source = source;
	x->level = level;
	x->origin = VGIC_ORIGIN_OWN;
	if (kind == VGIC_EFFECT_STATE) {
		uint32_t prop = vgic_workload_prop(d->wl, irq);

		if (prop == VGIC_WL_NONE)
			d->nomem = true;
		d->wl->effects[e].prop = prop;
	}
	struct dvcpu *w = d->known[source].late ? v : writer_of(d, v);

	if (kind == VGIC_EFFECT_LATCH)
		ask(d, w, e);
	attach(d, w, e, time);
}

/*
 * It was on no list, was raised, and stands there with other properties: the guest wrote
 * them before the raise, which went where they say.
 */
static bool changed_before_raise(struct vgic_derive *d, const struct known *k,
				 const struct vgr_irq *irq)
{
	struct vgic_effect *raise = k->raise == VGIC_WL_NONE ? NULL : &d->wl->effects[k->raise];
	uint32_t prop;

	if (!k->quiet || !raise || raise->kind == VGIC_EFFECT_NONE)
		return false;
	prop = vgic_workload_prop(d->wl, irq);
	if (prop == VGIC_WL_NONE)
		d->nomem = true;
	raise->prop = prop;
	return true;
}

/* One interrupt as it stood on the list before a flush, against what is known of it. */
static void compare(struct vgic_derive *d, struct dvcpu *v, uint16_t index,
		    const struct vgr_irq *irq, uint64_t time)
{
	uint32_t source = derive_source(d, index, irq->intid);

	if (source == VGIC_WL_NONE || (irq->state & VGR_IRQ_GONE))
		return;
	struct known *k = &d->known[source];

	if (!k->seen) {
		struct vgr_irq *init = &d->wl->sources[source].initial;
		bool was_level = k->props.state & VGR_IRQ_LEVEL;

		*init = *irq;
		init->state &= PROP_STATE;
		init->vcpu = VGR_NO_VCPU;
		init->source = init->active_source = 0;
		if (k->unlisted) {
			init->state &= ~VGR_IRQ_ENABLED;
			state_effect(d, v, source, VGIC_EFFECT_STATE, 0, irq, time);
		}
		if (was_level && !(irq->state & VGR_IRQ_LEVEL) && k->line) {
			k->latch = k->line;
			k->line = 0;
		}
		k->seen = true;
	} else if (!same_props(&k->props, irq) && !changed_before_raise(d, k, irq)) {
		state_effect(d, v, source, VGIC_EFFECT_STATE, 0, irq, time);
	}
	k->props = *irq;
	k->unlisted = false;
	if ((irq->state & VGR_IRQ_LATCH) && !k->latch) {
		if (irq->intid < VGIC_LPI_BASE || !claim_msi(d, source))
			state_effect(d, v, source, VGIC_EFFECT_LATCH, 1, irq, time);
	} else if (!(irq->state & VGR_IRQ_LATCH) && k->latch == 2) {
		state_effect(d, v, source, VGIC_EFFECT_UNLATCH, 0, irq, time);
	}
	if ((irq->state & (VGR_IRQ_LEVEL | VGR_IRQ_HW)) == VGR_IRQ_LEVEL) {
		bool line = irq->state & VGR_IRQ_LINE;

		if ((line && !k->line) || (!line && k->line == 2))
			state_effect(d, v, source, VGIC_EFFECT_LINE, line, irq, time);
	} else if ((irq->state & VGR_IRQ_HW) && (irq->state & VGR_IRQ_LINE) && !k->line) {
		/* A timer asked and its record is missing: probes do not nest. */
		state_effect(d, v, source, VGIC_EFFECT_LINE, 1, irq, time);
	}
	if (irq->intid < VGIC_LPI_BASE) {
		bool active = irq->state & VGR_IRQ_ACTIVE;

		if (active && !k->active_seen && k->active == VGIC_WL_NONE)
			state_effect(d, v, source, VGIC_EFFECT_ACTIVE, 1, irq, time);
		else if (!active && k->active_seen)
			state_effect(d, v, source, VGIC_EFFECT_ACTIVE, 0, irq, time);
	}
}

static void remember(struct vgic_derive *d, uint16_t index, const struct vgr_irq *irq)
{
	uint32_t source = derive_source(d, index, irq->intid);

	if (source == VGIC_WL_NONE || (irq->state & VGR_IRQ_GONE))
		return;
	struct known *k = &d->known[source];

	k->late &= !(irq->state & (VGR_IRQ_LATCH | VGR_IRQ_LINE | VGR_IRQ_ACTIVE));
	k->latch = irq->state & VGR_IRQ_LATCH ? 2 : 0;
	k->line = irq->state & VGR_IRQ_LINE ? 2 : 0;
	k->active_seen = irq->state & VGR_IRQ_ACTIVE;
	k->quiet = !k->latch && !k->line && !k->active_seen;
	k->raise = VGIC_WL_NONE;
}

/*
 * A raise is recorded when KVM is asked for it. If the thread loses its CPU right
 * then, lists flushed before it goes on do not show the interrupt: the raise
 * counts from where it first shows.
 */
static void find_late(struct vgic_derive *d, uint16_t index, const struct vgr_flush *f,
		      const struct vgr_irq *list)
{
	unsigned int kept = 0;

	for (unsigned int n = 0; n < d->nr_fresh; n++) {
		const struct fresh *r = &d->fresh[n];
		struct known *k = &d->known[r->source];
		bool shown = false;

		if (r->target != index || r->time > f->begin) {
			d->fresh[kept++] = *r;
			continue;
		}
		for (unsigned int i = 0; i < f->n_before && !shown; i++)
			shown = list[i].intid == k->props.intid &&
				(list[i].state & (VGR_IRQ_LATCH | VGR_IRQ_LINE));
		if (shown || !k->seen || !(k->props.state & VGR_IRQ_ENABLED) || !f->dist_enabled ||
		    k->latch == 2 || k->line == 2)
			continue;
		k->latch = k->line = 0;
		k->late = true;
		d->wl->effects[r->effect].kind = VGIC_EFFECT_NONE;
		if (r->wake != VGIC_WL_NONE)
			d->wl->effects[r->wake].kind = VGIC_EFFECT_NONE;
	}
	d->nr_fresh = kept;
}

/* Raised before this flush began, for this vCPU, and not on its list: it was disabled. */
static void find_unlisted(struct vgic_derive *d, uint16_t index, const struct vgr_flush *f,
			  const struct vgr_irq *list)
{
	size_t kept = 0;

	for (size_t u = 0; u < d->nr_unseen; u++) {
		uint32_t s = d->unseen[u];
		struct known *k = &d->known[s];
		bool listed = false;

		if (k->seen)
			continue;
		d->unseen[kept++] = s;
		if (d->wl->sources[s].vcpu != index || !k->raised || k->raised > f->begin)
			continue;
		for (unsigned int i = 0; i < f->n_before && !listed; i++)
			listed = list[i].intid == k->props.intid;
		k->unlisted |= !listed;
	}
	d->nr_unseen = kept;
}

static void on_flush(struct vgic_derive *d, struct dvcpu *v, const struct vgr_flush *f)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	const struct vgr_irq *after = before + f->n_before;
	const uint64_t *lr = (const uint64_t *)(after + f->n_after);
	uint16_t index = f->r.vcpu;

	if (f->r.flags & (VGR_F_CUT | VGR_F_TORN))
		d->stats.cut++;
	v->exists = true;
	v->tid = f->r.tid;
	v->shadow_pending = false;
	find_unlisted(d, index, f, before);
	find_late(d, index, f, before);
	for (unsigned int i = 0; i < f->n_before; i++) {
		bool pending =
			(before[i].state & VGR_IRQ_LATCH) ||
			((before[i].state & VGR_IRQ_LEVEL) && (before[i].state & VGR_IRQ_LINE));

		compare(d, v, index, &before[i], f->begin);
		v->shadow_pending |= pending && (before[i].state & VGR_IRQ_ENABLED) &&
				     !(before[i].state & VGR_IRQ_ACTIVE);
	}
	for (unsigned int i = 0; i < f->n_after; i++)
		remember(d, index, &after[i]);
	v->used = f->used_lrs < d->cfg.nr_lr ? f->used_lrs : d->cfg.nr_lr;
	if (v->used > f->nr_lr)
		v->used = f->nr_lr;
	memcpy(v->lr, lr, v->used * sizeof(*lr));
	v->hcr = f->hcr;
	v->shadow_vmcr = f->vmcr;
	v->flush_irqs = f->n_before;
	v->flush_lrs = (uint8_t)v->used;
	v->flush_sorted = vgic_flush_deliverable(f) > d->cfg.nr_lr;
	v->flush_begin = f->begin;
	v->flush_time = f->r.time;
	v->flushed = true;
}

static void on_sync(struct vgic_derive *d, struct dvcpu *v, const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);

	v->folded = !(s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED));
	v->misr = vgic_sync_misr(s, d->cfg.nr_lr);
	v->sync_begin = s->begin;
	v->sync_hcr = s->hcr;
	v->sync_vmcr = s->vmcr;
	if (v->used > s->used_lrs)
		v->used = s->used_lrs;
	memcpy(v->back, lr, v->used * sizeof(*lr));
	v->sync_irqs = s->n_before;
	v->sync_lrs = (uint8_t)v->used;
	v->nr_tail = 0;
	bool split = s->vmcr & VGIC_VMCR_VEOIM;

	for (unsigned int i = 0; i < s->n_before; i++) {
		bool ended =
			(before[i].state & VGR_IRQ_ACTIVE) && !(after[i].state & VGR_IRQ_ACTIVE);
		bool in_lr = false;

		for (unsigned int k = 0; k < v->used && !in_lr; k++)
			in_lr = (v->lr[k] & VGIC_LR_VINTID) == before[i].intid;
		if (ended && !in_lr && !split && vgic_v3_eoicount(s->hcr)) {
			uint32_t source = derive_source(d, s->r.vcpu, before[i].intid);

			if (source != VGIC_WL_NONE && d->known[source].active != VGIC_WL_NONE &&
			    v->nr_tail < sizeof(v->tail) / sizeof(v->tail[0]))
				v->tail[v->nr_tail++] = d->known[source].active;
		}
		remember(d, s->r.vcpu, &after[i]);
	}
	v->synced = true;
	v->flushed = false;
	if (!v->entered)
		return;
	v->g0 = v->g;
	if (derive_run_ns(v) > d->cfg.switch_ns)
		v->g += derive_run_ns(v) - d->cfg.switch_ns;
	v->g1 = v->g;
	v->exit = EXIT_PENDING;
	v->exit_time = s->begin;
	v->exit_kind = VGIC_EXIT_OTHER_IRQ;
	v->kick_exit = v->kicked;
	v->woken = v->yields = v->outside = false;
	v->dir_op = VGIC_WL_NONE;
	if (s->r.cpu < MAX_CPUS)
		d->cpu_vcpu[s->r.cpu] = s->r.vcpu;
}

static void on_exit_record(struct vgic_derive *d, struct dvcpu *v, const struct vgr_exit *x)
{
	if (!v->entered || !v->synced)
		return;
	v->entered = v->synced = false;
	if (x->ret == 0)
		v->exit_kind = v->misr ? VGIC_EXIT_MI : VGIC_EXIT_OTHER_IRQ;
	else if (x->esr_ec == EC_WFX)
		v->exit_kind = VGIC_EXIT_WFI;
	else
		v->exit_kind = VGIC_EXIT_OTHER;
	if (v->exit_kind == VGIC_EXIT_WFI)
		v->nr_wfi++;
	derive_run(d, v, x->r.vcpu);
}

/* The exit is over: it becomes an operation unless list registers alone caused it. */
static void settle(struct vgic_derive *d, struct dvcpu *v, uint64_t flush, uint64_t entry)
{
	bool has_effects = v->first_effect != VGIC_WL_NONE;
	struct vgic_op *x;
	uint32_t op;

	if (v->exit != EXIT_PENDING)
		return;
	v->exit = EXIT_NONE;
	if (v->exit_kind == VGIC_EXIT_DIR) {
		if (v->dir_op != VGIC_WL_NONE) {
			op = v->dir_op;
			if (v->yields) {
				d->wl->ops[op].flags |= VGIC_OP_YIELDS;
				d->wl->ops[op].value = v->next_vcpu;
			}
			goto effects;
		}
	}
	bool by_lrs = v->exit_kind == VGIC_EXIT_MI ||
		      (v->exit_kind == VGIC_EXIT_OTHER_IRQ && v->kick_exit);

	if (by_lrs && !has_effects && !v->yields)
		return;
	struct item *it = derive_item(d, v);

	op = vgic_workload_op(d->wl, VGIC_OP_EXIT);
	if (!it || op == VGIC_WL_NONE) {
		d->nomem = true;
		return;
	}
	*it = (struct item){v->g, v->exit_time - d->start, op, VGIC_WL_NONE, VGIC_OP_EXIT};
	struct vgic_op *o = &d->wl->ops[op];

	o->exit = by_lrs ? VGIC_EXIT_OTHER_IRQ : v->exit_kind;
	if (v->exit_kind == VGIC_EXIT_MI)
		o->flags |= VGIC_OP_WITH_MI;
	else if (v->misr)
		o->flags |= VGIC_OP_FIRST;
	if (v->yields) {
		o->flags |= VGIC_OP_YIELDS;
		o->value = v->next_vcpu;
	}
	if (o->exit == VGIC_EXIT_OTHER_IRQ && v->outside)
		o->flags |= VGIC_OP_ARRIVAL;
	if (o->exit == VGIC_EXIT_WFI) {
		o->count = v->nr_wfi;
		if (!v->shadow_pending)
			o->flags |= VGIC_OP_TIMED;
	}
effects:
	x = &d->wl->ops[op];
	x->wall_ns = v->exit_time - d->start;
	x->sync_irqs = v->sync_irqs;
	x->sync_lrs = v->sync_lrs;
	if (v->yields) {
		/* To the next vCPU's flush: what its entry takes is its own. */
		entry = v->next_flush;
	} else if (entry > flush && entry - flush <= UINT32_MAX) {
		x->entry_ns = (uint32_t)(entry - flush);
		x->entry_irqs = v->flush_irqs;
		x->entry_lrs = v->flush_lrs;
		x->entry_sorted = v->flush_sorted;
	}
	x->out_ns = entry > v->exit_time ? entry - v->exit_time : 0;
	if (x->entry_ns > x->out_ns)
		x->entry_ns = (uint32_t)x->out_ns;
	d->wl->ops[op].effects = v->first_effect;
	v->last_op = op;
	v->last_op_time = v->exit_time;
	v->last_op_effect = v->last_effect;
	v->first_effect = v->last_effect = VGIC_WL_NONE;
	d->wl->ops[op].asks = v->first_ask;
	v->first_ask = v->last_ask = VGIC_WL_NONE;
}

static void on_entry(struct vgic_derive *d, struct dvcpu *v, const struct vgr_rec *r)
{
	if (!v->flushed)
		return;
	if (r->cpu < MAX_CPUS) {
		uint16_t last = d->cpu_vcpu[r->cpu];

		d->cpu_used[r->cpu] = 1;
		if (last != VGR_NO_VCPU && last != r->vcpu && !d->vcpus[last].yields &&
		    d->vcpus[last].exit == EXIT_PENDING) {
			d->vcpus[last].yields = true;
			d->vcpus[last].next_vcpu = r->vcpu;
			d->vcpus[last].next_flush = v->flush_begin;
		}
	}
	settle(d, v, v->flush_begin, r->time);
	if (!v->started) {
		v->started = true;
		v->started_at = r->time - d->start;
		d->wl->start = d->start;
		v->last_op_time = r->time;
	}
	v->entry = r->time;
	v->entered = true;
	v->synced = v->kicked = false;
}

/* A record of a vCPU names one that can be. */
static bool has_its_vcpu(const struct vgr_rec *rec)
{
	switch (rec->type) {
	case VGR_FLUSH:
	case VGR_SYNC:
	case VGR_ENTRY:
	case VGR_EXIT:
	case VGR_SGI:
	case VGR_DIR:
	case VGR_MMIO:
	case VGR_KICK:
		return rec->vcpu < VGIC_MAX_VCPUS;
	default:
		return rec->vcpu < VGIC_MAX_VCPUS || rec->vcpu == VGR_NO_VCPU;
	}
}

int vgic_derive_record(struct vgic_derive *d, const struct vgr_rec *rec)
{
	struct dvcpu *v = NULL;

	if (!d->started) {
		d->started = true;
		d->start = rec->time;
	}
	if (rec->type == VGR_LOSS)
		d->stats.lost += ((const struct vgr_loss *)rec)->count;
	if (rec->vm != d->cfg.vm || rec->time < d->start || !has_its_vcpu(rec))
		return 0;
	d->last = rec->time;
	vgic_store_pace(d->cfg.store, d->turns++);
	if (vgic_calibration_record(d->calibration, rec))
		return -ENOMEM;
	if (rec->vcpu != VGR_NO_VCPU) {
		v = vcpu_of(d, rec->vcpu);
		if (!v)
			return -ENOMEM;
	}
	switch (rec->type) {
	case VGR_FLUSH:
		on_flush(d, v, (const struct vgr_flush *)rec);
		break;
	case VGR_ENTRY:
		on_entry(d, v, rec);
		break;
	case VGR_SYNC:
		on_sync(d, v, (const struct vgr_sync *)rec);
		break;
	case VGR_EXIT:
		on_exit_record(d, v, (const struct vgr_exit *)rec);
		break;
	case VGR_INJECT:
		on_inject(d, (const struct vgr_inject *)rec);
		break;
	case VGR_SGI:
		on_sgi(d, v, (const struct vgr_sgi *)rec);
		break;
	case VGR_MSI:
		on_msi(d, (const struct vgr_msi *)rec);
		break;
	case VGR_DIR:
		v->exit_kind = VGIC_EXIT_DIR;
		derive_dir(d, v, rec->vcpu, (const struct vgr_dir *)rec);
		break;
	case VGR_MMIO:
		v->exit_kind = VGIC_EXIT_MMIO;
		if (((const struct vgr_mmio *)rec)->write)
			v->last_mmio = rec->time;
		break;
	case VGR_KICK:
		if (v->entered && !v->synced)
			v->kicked = true;
		break;
	default:
		break;
	}
	return d->nomem ? -ENOMEM : 0;
}

int vgic_derive_finish(struct vgic_derive *d, struct vgic_workload **out)
{
	struct vgic_workload *wl = d->wl;
	bool any = false;

	for (size_t i = 0; i < d->nr_vcpus; i++) {
		any |= d->vcpus[i].started;
		settle(d, &d->vcpus[i], d->last, d->last);
	}
	if (d->nomem)
		return -ENOMEM;
	if (!any)
		return -ENODATA;
	free(wl->vcpus);
	wl->vcpus = calloc(d->nr_vcpus, sizeof(*wl->vcpus));
	if (!wl->vcpus)
		return -ENOMEM;
	wl->nr_vcpus = (uint32_t)d->nr_vcpus;
	wl->duration_ns = d->last - d->start;
	wl->eoicount_on_split = d->split_count;
	for (unsigned int i = 0; i < MAX_CPUS; i++)
		wl->host_cpus += d->cpu_used[i];
	if (vgic_calibration_fit(d->calibration, &wl->profile, NULL))
		return -ENOMEM;
	wl->profile.switch_ns = d->cfg.switch_ns;
	derive_bounds(d);
	if (derive_scripts(d) || vgic_workload_typical(wl))
		return -ENOMEM;
	*out = wl;
	d->wl = NULL;
	return 0;
}
