/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop of a replay: time, entries, exits, who has the CPU. */
#include <string.h>

#include "due.h"
#include "machine_records.h"
#include "vgic_internal.h"

/* What one vCPU still waits for after so many of these, while others go on, will not come. */
#define LONELY_TICKS 64u

static uint64_t random64(struct machine *m)
{
	uint64_t z = (m->rng += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t mi_delay(struct machine *m)
{
	const uint64_t *delays = m->profile.mi_delays;
	unsigned int n = m->profile.nr_mi_delays;

	if (m->cfg->nr_mi_delays) {
		delays = m->cfg->mi_delay_ns;
		n = m->cfg->nr_mi_delays;
	}
	if (!n)
		return m->profile.mi_delay_ns;
	return n == 1 ? delays[0] : delays[random64(m) % n];
}

static bool on_timeline(const struct machine *m, const struct mvcpu *v)
{
	return m->cell->has_timeline && m->cell->timeline.vcpu == v->index;
}

static void show_lrs(struct machine *m, const struct mvcpu *v)
{
	if (on_timeline(m, v))
		vgic_timeline_lrs(&m->cell->timeline, m->now, v->hw.lr, m->cfg->nr_lr);
}

/* The LRs have stood as they do for ns. */
static void occupied(struct machine *m, struct mvcpu *v, uint64_t ns)
{
	const struct vgic_lr_look *look = machine_look(v);

	vgic_cell_occupied(m->cell, look->valid, look->pending, look->active, ns);
	m->cell->guest_ns += ns;
	if (v->inverted)
		m->cell->inversion_ns += ns;
}

/* The guest has run until now. */
static void advance(struct machine *m, struct mvcpu *v)
{
	uint64_t ns = m->now > v->now ? m->now - v->now : 0;

	if (v->state != VCPU_GUEST || !ns)
		return;
	/* Waiting is not progress: what comes after keeps its distance. */
	if (!v->stalled)
		v->top->own += ns;
	occupied(m, v, ns);
	v->now = m->now;
}

void machine_fold(struct machine *m, struct mvcpu *v)
{
	machine_records_before_sync(m, v);
	vgic_save(m->vgic, v->index, &v->hw);
	vgic_sync(m->vgic, v->index);
	v->changed = true;
	machine_records_sync(m, v);
}

/* A run is over: so long was it that nobody knows when in it something happened. */
static void end_run(struct machine *m, struct mvcpu *v)
{
	uint64_t ns = m->now > v->entry ? m->now - v->entry : 0;

	if (!v->any_end)
		return;
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		m->cell->inside_ns[i] += v->ends[i] * ns;
		v->ends[i] = 0;
	}
	v->any_end = false;
}

void machine_exit(struct machine *m, struct mvcpu *v, enum vgic_exit_kind kind)
{
	uint32_t misr = machine_look(v)->misr;

	advance(m, v);
	if (kind == VGIC_EXIT_OTHER_IRQ && misr)
		kind = VGIC_EXIT_MI;
	v->sync_irqs = v->vgic->list.count;
	v->sync_lrs = v->vgic->used_lrs;
	m->cell->lr_reads += v->look.valid;
	vgic_cell_exit(m->cell, kind, misr);
	m->too_many = m->cell->exits > m->max_exits;
	vgic_store_pace(m->wl->store, m->cell->exits);
	if (kind == VGIC_EXIT_DIR)
		vgic_bound_free(&v->fewest_mi);
	else if (kind != VGIC_EXIT_MI || v->exit_at != NEVER)
		machine_free_exit(v);
	if (kind == VGIC_EXIT_MI && on_timeline(m, v))
		vgic_timeline_mi(&m->cell->timeline, m->now, misr);
	machine_fold(m, v);
	end_run(m, v);
	v->state = VCPU_OUT;
	v->mi_at = v->exit_at = v->next = NEVER;
	machine_touch(m, v);
	v->stalled = v->unsynced = false;
	m->last_exit = m->now;
	show_lrs(m, v);
	if (v->progressed) {
		v->idle_entries = 0;
	} else if (++v->idle_entries >= VGIC_LIVELOCK_ENTRIES && !m->livelock) {
		m->livelock = true;
		m->livelock_vcpu = v->index;
	}
}

/* The flush of an entry, told to those who watch, and what it shows to the hardware. */
static void show(struct machine *m, struct mvcpu *v)
{
	const struct vgic_vcpu *k = v->vgic;

	machine_records_before_flush(m, v);
	vgic_flush(m->vgic, v->index);
	m->cramped |= k->list.count >= m->cfg->nr_lr || k->summary.depth >= m->cfg->nr_lr;
	vgic_restore(m->vgic, v->index, &v->hw);
	v->hw.unused = (uint8_t)(m->cfg->nr_lr - v->vgic->used_lrs);
	v->changed = true;
}

void machine_refold(struct machine *m, struct mvcpu *v)
{
	m->uncounted = true;
	machine_free_exit(v);
	machine_fold(m, v);
	show(m, v);
	machine_records_entry(m, v, m->now);
	m->uncounted = false;
	v->unsynced = false;
	v->mi_at = machine_look(v)->mi ? m->now : NEVER;
	show_lrs(m, v);
	guest_plan(m, v);
}

void machine_enter_at(struct machine *m, struct mvcpu *v, uint64_t t)
{
	if (v->state == VCPU_DONE) {
		m->nr_alive++;
		m->over = false;
	}
	v->state = VCPU_OUT;
	v->next = t > m->now ? t : m->now;
	machine_touch(m, v);
}

uint64_t machine_out(const struct machine *m, const struct mvcpu *v, uint64_t out)
{
	const struct vgic_profile *p = &m->profile;
	uint64_t fixed = p->exit_ns + p->entry_ns;

	return vgic_exit_cost(p, v->sync_irqs, v->sync_lrs) + (out > fixed ? out - fixed : 0);
}

uint64_t machine_out_of(struct machine *m, struct mvcpu *v, const struct vgic_op *op,
			int64_t *shift)
{
	uint64_t out = op->out_ns > op->entry_ns ? op->out_ns - op->entry_ns : 0;

	/* What its entry took beyond the cost of such an entry, it takes again. */
	v->entry_more = op->entry_ns
				? (int64_t)op->entry_ns -
					  (int64_t)vgic_entry_cost(&m->wl->profile, op->entry_irqs,
								   op->entry_lrs, op->entry_sorted)
				: 0;
	*shift = (int64_t)vgic_exit_cost(&m->profile, v->sync_irqs, v->sync_lrs) -
		 (int64_t)vgic_exit_cost(&m->wl->profile, op->sync_irqs, op->sync_lrs);
	if (*shift < 0 && out < (uint64_t) - *shift)
		return 0;
	return out + (uint64_t)*shift;
}

void machine_release_cpu(struct machine *m, struct mvcpu *v, unsigned int prefer, uint64_t ns)
{
	unsigned int best = m->nr_vcpus;

	if (!m->one_cpu || m->owner != v->index)
		return;
	m->owner = VGIC_NO_VCPU;
	if (prefer < m->nr_vcpus && prefer != v->index &&
	    (m->vcpus[prefer].state == VCPU_READY || m->vcpus[prefer].state == VCPU_OUT))
		best = prefer;
	if (prefer < m->nr_vcpus && prefer != v->index && m->vcpus[prefer].state == VCPU_WFI) {
		/* It was woken up before it got the CPU: that must come first. */
		m->owner = (uint16_t)prefer;
		m->vcpus[prefer].next = m->vcpus[prefer].not_before = m->now + ns;
		machine_touch(m, &m->vcpus[prefer]);
		return;
	}
	/* Else the one that has waited longest. */
	for (unsigned int i = 0; best == m->nr_vcpus && i < m->nr_vcpus; i++)
		if (m->vcpus[i].state == VCPU_READY)
			best = i;
	for (unsigned int i = 0; best != prefer && i < m->nr_vcpus; i++)
		if (m->vcpus[i].state == VCPU_READY &&
		    m->vcpus[i].ready_since < m->vcpus[best].ready_since)
			best = i;
	if (best == m->nr_vcpus)
		return;
	m->owner = (uint16_t)best;
	machine_enter_at(m, &m->vcpus[best], m->now + (best == prefer ? ns : 0));
}

void machine_wake(struct machine *m, struct mvcpu *v)
{
	uint64_t t = m->now + m->profile.exit_ns;

	if (v->state == VCPU_WFI || v->state == VCPU_DONE)
		machine_enter_at(m, v, t > v->not_before ? t : v->not_before);
}

/*
 * Nothing outside is more urgent than what is in an LR: the list was sorted, those first that
 * the guest can take, by their priorities, and the LRs were filled from its head.
 */
static bool keeps_order(const struct machine *m, const struct vgic_vcpu *k)
{
	const struct vgic_policy *policy = m->cfg->policy;

	return k->sorted && policy->sort_pending_first && policy->sort_deliverable_first &&
	       !policy->compare && !k->summary.multi_sgi && !m->wl->model_v2;
}

/* One outside, that the guest could take, is more urgent than the least urgent in the LRs. */
static bool is_inverted(struct machine *m, const struct mvcpu *v, int worst)
{
	const struct vgic_vcpu *k = v->vgic;

	vgic_for_each_irq (q, &k->list) {
		if (q->priority < worst && !machine_inside(m, v->index, q) && !q->active &&
		    vgic_oracle(m->vgic, q) == v->index &&
		    (k->vmcr & (q->group1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0)))
			return true;
	}
	return false;
}

/* How many deliverable interrupts the flush left out, and whether one of them is more urgent. */
static void look_outside(struct machine *m, struct mvcpu *v)
{
	const struct vgic_vcpu *k = v->vgic;
	unsigned int inside = 0;
	int worst = -1;

	v->depth = 0;
	v->inverted = false;
	if (k->list.count <= k->used_lrs)
		return;
	for (unsigned int i = 0; i < k->used_lrs; i++) {
		int prio = (int)((k->lr[i] & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT);

		if (!(k->lr[i] & VGIC_LR_STATE))
			continue;
		inside++;
		if (prio > worst)
			worst = prio;
	}
	v->depth = k->summary.nr_pend + k->summary.nr_act - inside;
	if (v->depth && !keeps_order(m, k))
		v->inverted = is_inverted(m, v, worst);
}

/* An entry, in the form that looks for the busiest stretch of a recording. */
static void tell_busy(struct machine *m, struct mvcpu *v)
{
	const struct vgic_vcpu *k = v->vgic;

	if (!m->cfg->busy)
		return;
	struct vgr_flush f = {
		.r = {.type = VGR_FLUSH, .size = sizeof(f), .time = m->now, .vcpu = v->index},
		.used_lrs = (uint16_t)k->used_lrs,
		.n_after = (uint16_t)(k->used_lrs + (v->depth ? 1 : 0)),
	};

	if (vgic_busy_record(m->cfg->busy, &f.r))
		m->nomem = true;
}

static void enter(struct machine *m, struct mvcpu *v)
{
	struct vgic_vcpu *k = v->vgic;
	unsigned int irqs;
	uint64_t cost;

	if (m->one_cpu && m->owner != VGIC_NO_VCPU && m->owner != v->index) {
		v->state = VCPU_READY;
		v->ready_since = m->now;
		v->next = NEVER;
		return;
	}
	m->owner = v->index;
	effects_before_entry(m, v->index);
	if (v->requests & VGIC_REQ_PROCESS_UPDATE)
		machine_records_prune(m, v->index);
	v->requests = 0;
	v->kick = false;
	if (v->flush_time != NEVER)
		vgic_cell_depth(m->cell, v->depth, m->now - v->flush_time);
	v->flush_time = m->now;
	irqs = k->list.count;
	show(m, v);
	cost = vgic_entry_cost(&m->profile, irqs, k->used_lrs, irqs && k->sorted);
	if (v->entry_more < 0 && cost < (uint64_t)-v->entry_more)
		cost = 0;
	else
		cost += (uint64_t)v->entry_more;
	v->entry_more = 0;
	machine_records_entry(m, v, m->now + cost);
	look_outside(m, v);
	m->cell->entries[k->used_lrs]++;
	m->cell->lr_writes += k->used_lrs;
	if (v->depth > m->cell->overflow_max)
		m->cell->overflow_max = v->depth;
	m->cell->overflow_entries += v->depth > 0;
	m->cell->inversions += v->inverted;
	tell_busy(m, v);
	if (m->first_entry == NEVER)
		m->first_entry = m->now + cost;
	v->state = VCPU_GUEST;
	/* All of the way in and out is taken before the guest runs. */
	v->entry = m->now + cost;
	v->now = v->entry + m->profile.switch_ns;
	occupied(m, v, m->profile.switch_ns);
	v->progressed = false;
	v->exit_at = NEVER;
	/* Asserted before the guest is entered: it never gets to run. */
	v->mi_at = machine_look(v)->mi ? v->now : NEVER;
	guest_plan(m, v);
	if (on_timeline(m, v))
		vgic_timeline_depth(&m->cell->timeline, m->now, v->depth);
	show_lrs(m, v);
}

/* A deliverable interrupt stands outside the LRs of a vCPU whose guest waits. */
static bool waits_for_outside(const struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		if (m->vcpus[i].depth && guest_waits(m, &m->vcpus[i]))
			return true;
	return false;
}

/* Out of the guest for the host's sake, and in again. */
static void leave(struct machine *m, struct mvcpu *v)
{
	machine_exit(m, v, VGIC_EXIT_OTHER_IRQ);
	machine_enter_at(m, v, m->now + machine_out(m, v, m->profile.mi_out_ns));
}

/* The host's tick: another vCPU wants the CPU. */
static __attribute__((noinline)) void lose_cpu(struct machine *m, struct mvcpu *v)
{
	if (++m->idle_ticks > 2 * m->nr_vcpus || ++v->idle_ticks > LONELY_TICKS) {
		m->idle_ticks = v->idle_ticks = 0;
		m->stuck = waits_for_outside(m);
		if (m->stuck || guest_give_up(m, v))
			return;
	}
	leave(m, v);
	machine_release_cpu(m, v, VGIC_NO_VCPU, 0);
}

static void interrupted(struct machine *m, struct mvcpu *v)
{
	machine_exit(m, v, VGIC_EXIT_OTHER_IRQ);
	if (m->tick_at <= m->now)
		ticks_catch_up(m);
	if (!guest_merge(m, v))
		machine_enter_at(m, v, m->now + machine_out(m, v, m->profile.mi_out_ns));
}

static inline void in_guest(struct machine *m, struct mvcpu *v)
{
	advance(m, v);
	if (v->exit_at <= m->now || m->tick_at <= m->now ||
	    (v->mi_at <= m->now && !guest_traps_first(m, v))) {
		interrupted(m, v);
		return;
	}
	if (v->next > m->now && v->mi_at > m->now) {
		lose_cpu(m, v);
		return;
	}
	guest_step(m, v);
	if (v->progressed)
		m->idle_ticks = v->idle_ticks = 0;
	if (v->state != VCPU_GUEST)
		return;
	show_lrs(m, v);
	if (!machine_look(v)->mi)
		v->mi_at = NEVER;
	else if (v->mi_at == NEVER)
		v->mi_at = m->now + mi_delay(m);
	guest_plan(m, v);
}

/* Kicks asked for while the vgic was at work. */
static void serve_kick(struct machine *m, struct mvcpu *v)
{
	if (!v->kick)
		return;
	v->kick = false;
	if (v->state == VCPU_GUEST) {
		uint64_t t = m->now + (m->one_cpu ? 0 : m->profile.kick_ns);

		/* Kicked while it is being entered: as soon as it is. */
		if (t < v->now)
			t = v->now;
		if (t < v->exit_at)
			v->exit_at = t;
		machine_touch(m, v);
	} else if ((v->state == VCPU_WFI || (v->state == VCPU_DONE && v->draining)) &&
		   vgic_vcpu_pending_irq(m->vgic, v->index)) {
		machine_wake(m, v);
	}
}

static void serve_kicks(struct machine *m)
{
	while (m->due.nr_kicked) {
		struct mvcpu *v = &m->vcpus[m->due.kicked[--m->due.nr_kicked]];

		v->kicked = false;
		serve_kick(m, v);
	}
}

/*
 * Nothing will happen any more by itself. A vCPU in WFI goes on as it did in the
 * recording; a guest that waits for what cannot come any more goes on too, unless
 * what it waits for stands outside the LRs: that is a starvation. False: the end.
 */
static bool unblock(struct machine *m)
{
	unsigned int best = m->nr_vcpus;

	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		if (m->vcpus[i].state == VCPU_WFI &&
		    (best == m->nr_vcpus || m->vcpus[i].now < m->vcpus[best].now))
			best = i;
	if (best < m->nr_vcpus) {
		guest_awake(m, &m->vcpus[best]);
		machine_wake(m, &m->vcpus[best]);
		return true;
	}
	if (waits_for_outside(m))
		return false;
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		if (guest_give_up(m, &m->vcpus[i]))
			return true;
	return false;
}

static inline void run_vcpu(struct machine *m, struct mvcpu *v)
{
	machine_touch(m, v);
	switch (v->state) {
	case VCPU_OUT:
		enter(m, v);
		break;
	case VCPU_GUEST:
		in_guest(m, v);
		break;
	case VCPU_WFI:
		v->next = NEVER;
		machine_release_cpu(m, v, VGIC_NO_VCPU, 0);
		break;
	default:
		break;
	}
}

/* What stops the loop. who: whose turn it would be. */
static bool is_halted(struct machine *m, unsigned int who)
{
	if (m->over || m->nomem || m->failed || m->livelock || m->stuck)
		return true;
	m->too_many = m->cell->exits > m->max_exits;
	if (m->too_many) {
		m->livelock = true;
		m->livelock_vcpu = who < m->nr_vcpus ? (uint16_t)who : 0;
	}
	return m->livelock;
}

/* The next of what nobody asked for just now. */
static uint64_t next_event(const struct machine *m)
{
	uint64_t t = m->nr_heap ? m->heap[0].time : NEVER;

	return m->arrivals.at < t ? m->arrivals.at : t;
}

/*
 * One vCPU, until something else comes first: most of what happens is a chain of what one
 * vCPU does. Everything in the loop of machine_run() holds here, too. others: when the first
 * of the other vCPUs acts.
 */
static inline void run_chain(struct machine *m, struct mvcpu *v, uint64_t others)
{
	/* Nor does anything happen so late. */
	if (others > LATEST)
		others = LATEST + 1;
	for (;;) {
		uint64_t t;

		run_vcpu(m, v);
		/* Others that are concerned, and what stops the loop, are for machine_run(). */
		if (m->due.nr_touched != 1 || !v->touched || m->due.nr_kicked || m->halt)
			return;
		t = due_of(m, v);
		/* At the same time as others it is not always this one's turn. */
		if (t >= others || t >= next_event(m) || t > m->tick_at || !m->steps)
			return;
		m->steps--;
		if (t > m->now)
			m->now = t;
	}
}

static __attribute__((noinline)) void touch_all(struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		machine_touch(m, &m->vcpus[i]);
}

void machine_run(struct machine *m)
{
	for (;;) {
		uint64_t t = next_event(m), others = NEVER;
		unsigned int who = m->nr_vcpus;
		bool arrival = m->arrivals.at == t;

		/* Who gets the only CPU depends on all of them. */
		if (m->one_cpu)
			touch_all(m);
		due_renew(m);
		due_first(m, &t, &who, &others);
		if (m->halt && is_halted(m, who))
			break;
		/* Nobody's demand goes on for so long: it is made up, and would never end. */
		if (!m->steps-- || t > LATEST) {
			m->endless = m->steps == UINT64_MAX || t != NEVER;
			if (m->endless || !unblock(m))
				break;
			continue;
		}
		if (t > m->now)
			m->now = t;
		if (who < m->nr_vcpus) {
			run_chain(m, &m->vcpus[who], others);
		} else if (arrival) {
			arrivals_apply(m);
		} else {
			struct due d;

			if (heap_pop(m, &d))
				effect_apply(m, &d);
		}
		if (m->due.nr_kicked)
			serve_kicks(m);
	}
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		advance(m, &m->vcpus[i]);
}
