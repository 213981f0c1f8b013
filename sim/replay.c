/* SPDX-License-Identifier: GPL-2.0-only */
/* A replay: from workload and configuration to one cell of numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* Sources times vCPUs: 512 vCPUs with all their interrupts are 10 million. */
#define MAX_RAISERS (64u << 20)

static const char *const arrivals_names[] = {"causal", "open", "dependent"};

const char *vgic_arrivals_name(enum vgic_arrivals arrivals)
{
	return arrivals_names[arrivals];
}

int vgic_arrivals_parse(const char *text)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(text, arrivals_names[i]))
			return i;
	return -1;
}

/* ---- what the vgic asks of the world ---- */

static bool env_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	const struct msource *s = irq->user;

	return s && s->physical;
}

static void env_request(void *opaque, unsigned int vcpu, uint32_t req, bool kick)
{
	struct machine *m = opaque;

	m->vcpus[vcpu].requests |= req;
	if (kick) {
		struct mvcpu *v = &m->vcpus[vcpu];

		v->kick = true;
		if (!v->kicked)
			m->due.kicked[m->due.nr_kicked++] = v->index;
		v->kicked = true;
		machine_free_exit(v);
		m->cell->kicks++;
	}
}

static void env_halt(void *opaque, bool halt)
{
	struct machine *m = opaque;

	for (unsigned int i = 0; halt && i < m->nr_vcpus; i++) {
		struct mvcpu *v = &m->vcpus[i];

		if (v->state != VCPU_GUEST)
			continue;
		machine_exit(m, v, VGIC_EXIT_OTHER_IRQ);
		machine_enter_at(m, v, m->now + machine_out(m, v, m->profile.mi_out_ns));
	}
}

static void env_event(void *opaque, enum vgic_event what, unsigned int vcpu,
		      const struct vgic_irq *irq, uint32_t arg)
{
	struct machine *m = opaque;

	m->cell->eoicount += !m->uncounted;
}

/* ---- start and end ---- */

static int make_sources(struct machine *m)
{
	const struct vgic_workload *wl = m->wl;

	for (size_t i = 0; i < wl->nr_sources; i++) {
		const struct vgic_source *w = &wl->sources[i];
		struct msource *s = &m->sources[i];
		unsigned int of = w->vcpu == VGR_NO_VCPU ? 0 : w->vcpu;
		struct vgr_irq init = w->initial;
		int ret;

		s->index = (uint32_t)i;
		s->cursor = w->first_script;
		if (init.intid >= VGIC_LPI_BASE && !vgic_irq_find(m->vgic, 0, init.intid)) {
			ret = vgic_lpi_add(m->vgic, init.intid);
			if (ret)
				return ret;
		}
		if (init.target != VGR_NO_VCPU && init.target >= m->nr_vcpus)
			init.target = 0;
		ret = vgic_irq_import(m->vgic, of, &init);
		if (ret == -EINVAL)
			continue; /* no such interrupt in a GICv3 guest */
		if (ret)
			return ret;
		s->irq = vgic_irq_find(m->vgic, of, init.intid);
		if (!s->irq)
			continue;
		s->irq->user = s;
		ret = machine_records_number(m, w->vcpu, init.intid, &s->number);
		if (ret)
			return ret;
	}
	return 0;
}

/* A guest that waits for what it asks for. */
static bool asks_anything(const struct vgic_workload *wl)
{
	for (size_t i = 0; i < wl->nr_ops; i++) {
		vgic_store_pace(wl->store, i);
		if (wl->ops[i].asks != VGIC_WL_NONE)
			return true;
	}
	return false;
}

static void find_lowered(struct machine *m)
{
	for (size_t i = 0; i < m->wl->nr_effects; i++) {
		const struct vgic_effect *e = &m->wl->effects[i];

		vgic_store_pace(m->wl->store, i);
		if (e->kind == VGIC_EFFECT_LINE && !e->level && e->source != VGIC_WL_NONE)
			m->sources[e->source].lowered = true;
	}
}

/* Effects of outside, by source and in order, for dependent arrivals. */
static void collect_outside(struct machine *m)
{
	const struct vgic_workload *wl = m->wl;
	uint32_t at = 0;

	for (size_t i = 0; i < wl->nr_effects; i++) {
		const struct vgic_effect *e = &wl->effects[i];

		vgic_store_pace(wl->store, i);
		if (e->origin == VGIC_ORIGIN_OUTSIDE && e->source != VGIC_WL_NONE &&
		    e->kind != VGIC_EFFECT_WAKE && e->kind != VGIC_EFFECT_NONE)
			m->sources[e->source].dep_count++;
	}
	for (size_t i = 0; i < wl->nr_sources; i++) {
		m->sources[i].dep_first = at;
		at += m->sources[i].dep_count;
		m->sources[i].dep_count = 0;
	}
	for (size_t i = 0; i < wl->nr_effects; i++) {
		const struct vgic_effect *e = &wl->effects[i];

		vgic_store_pace(wl->store, i);
		if (e->origin != VGIC_ORIGIN_OUTSIDE || e->source == VGIC_WL_NONE ||
		    e->kind == VGIC_EFFECT_WAKE || e->kind == VGIC_EFFECT_NONE)
			continue;
		struct msource *s = &m->sources[e->source];

		m->dependents[s->dep_first + s->dep_count++] = (uint32_t)i;
	}
}

/* Those that wait for nothing but their time. */
static int start_effects(struct machine *m)
{
	const struct vgic_workload *wl = m->wl;
	bool causal = m->cfg->arrivals == VGIC_ARRIVALS_CAUSAL;

	for (uint32_t i = wl->open; i != VGIC_WL_NONE; i = wl->effects[i].next) {
		struct due d = {.time = wl->effects[i].wall_ns,
				.effect = i,
				.source = VGIC_WL_NONE,
				.holds = VGIC_NO_VCPU};

		if ((causal || wl->effects[i].origin != VGIC_ORIGIN_OUTSIDE) && arrivals_add(m, &d))
			return -ENOMEM;
	}
	for (size_t i = 0; m->cfg->arrivals == VGIC_ARRIVALS_OPEN && i < wl->nr_effects; i++) {
		const struct vgic_effect *e = &wl->effects[i];
		struct due d = {.time = e->wall_ns,
				.effect = (uint32_t)i,
				.source = VGIC_WL_NONE,
				.holds = VGIC_NO_VCPU};

		vgic_store_pace(wl->store, i);
		if (e->origin == VGIC_ORIGIN_OUTSIDE && e->kind != VGIC_EFFECT_WAKE &&
		    e->kind != VGIC_EFFECT_NONE && arrivals_add(m, &d))
			return -ENOMEM;
	}
	for (size_t i = 0; m->cfg->arrivals == VGIC_ARRIVALS_DEPENDENT && i < wl->nr_sources; i++) {
		struct msource *s = &m->sources[i];

		while (s->dep_count && wl->effects[m->dependents[s->dep_first]].handled == 0) {
			uint32_t e = m->dependents[s->dep_first++];
			struct due d = {.time = wl->effects[e].wall_ns,
					.effect = e,
					.source = VGIC_WL_NONE,
					.holds = VGIC_NO_VCPU};

			s->dep_count--;
			if (arrivals_add(m, &d))
				return -ENOMEM;
		}
	}
	arrivals_start(m);
	return m->error;
}

static int start_vcpus(struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		struct mvcpu *v = &m->vcpus[i];
		uint32_t bg = m->wl->vcpus[i].background;

		v->index = (uint16_t)i;
		v->vgic = &m->vgic->vcpus[i];
		machine_touch(m, v);
		vgic_v3_cpuif_init(&v->hw, &m->hw_cfg);
		vgic_bound_init(&v->fewest_mi, m->cfg->nr_lr);
		vgic_bound_init(&v->fewest_lr_exits, m->cfg->nr_lr);
		v->frames = malloc((MAX_FRAMES + 1) * sizeof(*v->frames));
		if (!v->frames)
			return -ENOMEM;
		v->nr_frames = 1;
		v->top = v->frames;
		v->frames[0] = (struct frame){
			.script = bg,
			.op = bg == VGIC_WL_NONE ? VGIC_WL_NONE : m->wl->scripts[bg].first,
			.source = VGIC_WL_NONE,
			.serial = ++m->serial,
		};
		v->mi_at = v->exit_at = v->flush_time = NEVER;
		/* An empty program waits for what a feed brings. */
		v->state = bg == VGIC_WL_NONE || (v->frames[0].op == VGIC_WL_NONE && !m->cfg->feed)
				   ? VCPU_DONE
				   : VCPU_OUT;
		m->nr_alive += v->state != VCPU_DONE;
		/* That is when it was entered: the flush came before. */
		v->next = m->wl->vcpus[i].start_ns;
		v->next -= v->next < m->profile.entry_ns ? v->next : m->profile.entry_ns;
		if (v->state == VCPU_DONE)
			v->next = NEVER;
		vgic_load(m->vgic, i, &v->hw);
		v->changed = true;
	}
	return 0;
}

/* Nothing of it came of how many LRs there were. A policy from outside may ask for that. */
static bool is_ample(const struct machine *m)
{
	const struct vgic_policy *policy = m->cfg->policy;
	bool filled = false;

	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		filled |= m->vcpus[i].fewest_mi.filled || m->vcpus[i].fewest_lr_exits.filled;
	return !m->cramped && !filled && !policy->needs_sort && !policy->compare && !policy->hcr;
}

static int conclude(struct machine *m)
{
	struct vgic_cell *c = m->cell;
	bool stuck = false;
	int ret;

	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		stuck |= m->vcpus[i].state != VCPU_DONE;
	c->wall_ns = m->first_entry == NEVER ? 0 : m->last_exit - m->first_entry;
	for (int i = 0; i < VGIC_LATENCIES; i++)
		c->latency_known[i] = true;
	c->order_known = c->bound_known = true;
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		c->bound_mi += m->vcpus[i].fewest_mi.exits;
		c->bound_lr_exits += m->vcpus[i].fewest_lr_exits.exits;
	}
	c->ample = is_ample(m);
	c->merged = vgic_raises_merged(m->raises);
	if (c->has_timeline)
		vgic_timeline_close(&c->timeline, m->now);
	/* What the last runs did shows only when they are folded; it counts no more. */
	m->uncounted = true;
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		if (m->vcpus[i].state == VCPU_GUEST)
			machine_fold(m, &m->vcpus[i]);
	ret = machine_records_end(m);
	if (ret)
		return ret;
	ret = vgic_cell_fates(c, m->fates,
			      m->livelock ? VGIC_FATES_CUT
			      : stuck	  ? VGIC_FATES_BLOCKED
					  : VGIC_FATES_OVER);
	if (ret)
		return ret;
	if (m->livelock) {
		c->outcome = VGIC_OUTCOME_LIVELOCK;
		c->stuck_vcpu = (uint16_t)m->livelock_vcpu;
		return 0;
	}
	if (c->nr_starved) {
		c->outcome = VGIC_OUTCOME_STARVED;
		return 0;
	}
	for (size_t i = 0; i < m->wl->nr_sources && !m->cfg->feed; i++)
		for (uint32_t s = m->sources[i].cursor; s != VGIC_WL_NONE;
		     s = m->wl->scripts[s].next)
			vgic_store_pace(m->wl->store, c->unhandled++);
	return 0;
}

static void machine_finish(struct machine *m)
{
	machine_records_finish(m);
	for (unsigned int i = 0; m->vcpus && i < m->nr_vcpus; i++) {
		free(m->vcpus[i].frames);
		free(m->vcpus[i].asked);
	}
	free(m->vcpus);
	free(m->sources);
	free(m->raisers);
	vgic_store_free(m->wl->store, m->dependents);
	vgic_store_free(m->wl->store, m->ask);
	arrivals_finish(m);
	due_finish(m);
	free(m->heap);
	vgic_store_free(m->wl->store, m->ticks);
	vgic_destroy(m->vgic);
}

bool vgic_replay_same(const struct vgic_workload *wl, const struct vgic_cell *fewer,
		      unsigned int nr_lr)
{
	/* Ticks of the host keep their places with the recorded LRs only, see ticks.c. */
	return fewer->ample && fewer->nr_lr <= nr_lr &&
	       (fewer->nr_lr == wl->nr_lr) == (nr_lr == wl->nr_lr);
}

int vgic_replay(const struct vgic_workload *wl, const struct vgic_replay_config *cfg,
		struct vgic_cell *cell)
{
	struct machine m = {
		.wl = wl,
		.cfg = cfg,
		.cell = cell,
		.profile = cfg->profile ? *cfg->profile : wl->profile,
		.nr_vcpus = wl->nr_vcpus,
		.owner = VGIC_NO_VCPU,
		.one_cpu = wl->host_cpus == 1,
		.rng = cfg->seed,
		.first_entry = NEVER,
		.now = 0,
		.arrivals = {.sorted = true, .over = !cfg->feed},
	};
	struct vgic_config vc = {
		.policy = cfg->policy,
		.nr_vcpus = wl->nr_vcpus,
		.nr_spis = VGIC_MAX_SPIS,
		.nr_lr = cfg->nr_lr,
		.model_v2 = wl->model_v2,
		.gicv2 = wl->gicv2,
		.has_tdir = cfg->has_tdir,
		.env = {.opaque = &m,
			.physical_level = env_level,
			.request = env_request,
			.halt = env_halt,
			.event = env_event,
			.quiet = ~(1u << VGIC_EVENT_REPLAYED)},
	};
	bool dependent = cfg->arrivals == VGIC_ARRIVALS_DEPENDENT, asks;
	int ret;

	if (!cfg->policy || cfg->nr_lr < 1 ||
	    cfg->nr_lr > (wl->gicv2 ? VGIC_MAX_LRS : VGIC_V3_MAX_LRS) || !wl->nr_vcpus ||
	    cfg->nr_mi_delays > VGIC_MAX_MI_DELAYS)
		return -EINVAL;
	ret = vgic_cell_init(cell, cfg->nr_lr);
	if (ret)
		return ret;
	m.hw_cfg = vgic_v3_cpuif_defaults(cfg->nr_lr);
	m.hw_cfg.eoicount_on_split_eoir = cfg->eoicount_on_split;
	m.hw_cfg.has_tds = cfg->has_tdir;
	if (cfg->pre_bits)
		m.hw_cfg.pre_bits = (uint8_t)cfg->pre_bits;
	if (cfg->prio_bits)
		m.hw_cfg.prio_bits = (uint8_t)cfg->prio_bits;
	m.max_exits = EXITS_FOR_EACH * (uint64_t)(wl->nr_ops + wl->nr_scripts) + EXITS_MORE;
	m.steps = MAX_STEPS * m.max_exits;

	ret = -ENOMEM;
	/* No guest has so many; a workload that says so is not worth the memory. */
	if (wl->nr_sources >= MAX_RAISERS / m.nr_vcpus)
		goto fail;
	m.vcpus = calloc(m.nr_vcpus, sizeof(*m.vcpus));
	m.sources = calloc(wl->nr_sources + 1, sizeof(*m.sources));
	asks = asks_anything(wl);
	if (asks)
		m.raisers = calloc((wl->nr_sources + 1) * (size_t)m.nr_vcpus, sizeof(*m.raisers));
	m.dependents = vgic_store_grow(wl->store, NULL, 0, dependent ? wl->nr_effects + 1 : 1,
				       sizeof(*m.dependents));
	m.ask = vgic_store_grow(wl->store, NULL, 0, wl->nr_effects + 1, 1);
	m.cap_heap = 1024;
	m.heap = calloc(m.cap_heap, sizeof(*m.heap));
	if (!m.vcpus || !m.sources || (asks && !m.raisers) || !m.dependents || !m.ask || !m.heap)
		goto fail;
	if (due_init(&m) || ticks_init(&m))
		goto fail;
	ret = machine_records_init(&m);
	if (ret)
		goto fail;
	ret = vgic_create(&m.vgic, &vc);
	if (ret)
		goto fail;
	vgic_write_dist_enable(m.vgic, true);
	ret = make_sources(&m);
	if (ret)
		goto fail;
	find_lowered(&m);
	ret = start_vcpus(&m);
	if (ret)
		goto fail;
	m.over = !m.nr_alive;
	if (cfg->timeline) {
		ret = vgic_cell_timeline(cell, cfg->timeline_vcpu, cfg->timeline_t0,
					 cfg->timeline_t1);
		if (ret)
			goto fail;
	}
	if (dependent)
		collect_outside(&m);
	ret = start_effects(&m);
	if (ret)
		goto fail;
	machine_run(&m);
	ret = m.nomem ? -ENOMEM : m.error ? m.error : m.endless ? -EOVERFLOW : 0;
	if (ret)
		goto fail;
	ret = conclude(&m);
	if (ret)
		goto fail;
	machine_finish(&m);
	return 0;
fail:
	machine_finish(&m);
	vgic_cell_finish(cell);
	return ret;
}
