// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not change from one record of a vCPU to the next: pending edges, raised
 * lines, active interrupts; and what must: the effect of a DIR.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "invariants_track.h"

/* Entries in a row, and the time, after which a guest that gets nowhere is stuck. */
#define STUCK_ENTRIES 32u
#define STUCK_NS      1000000u

static void blame(struct inv_moment *m, const struct inv_suspect *s)
{
	if (m->judge->on[s->part])
		m->judge->suspect(m->judge->to, s);
}

static void undecided(struct inv_moment *m, unsigned int rule, enum vgic_undecided why)
{
	if (m->judge->undecided)
		m->judge->undecided(m->judge->to, rule, why);
}

static struct inv_irq *irq_of(struct inv_moment *m, uint32_t intid)
{
	return inv_track_irq(m->track, m->rec->vm, m->vcpu->index, intid);
}

static bool edge_pends(const struct vgr_irq *irq)
{
	return (irq->state & (VGR_IRQ_LATCH | VGR_IRQ_LEVEL)) == VGR_IRQ_LATCH;
}

/* ---- from one reading to the next ---- */

static void blame_change(struct inv_moment *m, const struct inv_irq *irq, enum inv_part part,
			 uint32_t excuse, const char *was, const char *since, const char *is)
{
	struct inv_suspect s = {
		.part = part,
		.intid = irq->intid,
		.excuse = excuse | INV_MAY_USER,
		.begin = irq->last_begin,
		.end = m->rec->time,
		.lawful = true,
	};

	snprintf(s.what, sizeof(s.what), "it was %s %s, and is %s", was, since, is);
	blame(m, &s);
}

/* taken: an LR has taken the pending state over. */
static void compare(struct inv_moment *m, const struct inv_irq *irq, const struct vgr_irq *now,
		    bool taken, bool active_too, const char *since)
{
	const struct vgr_irq *was = &irq->last;

	if (irq->intid < VGIC_LPI_BASE && active_too) {
		m->judge->evaluated[15]++;
		if ((was->state ^ now->state) & VGR_IRQ_ACTIVE) {
			bool gone = was->state & VGR_IRQ_ACTIVE;

			blame_change(m, irq, gone ? INV_ACTIVE_GONE : INV_ACTIVE_COMES,
				     gone ? INV_MAY_CLEAR : INV_MAY_SET,
				     gone ? "active" : "inactive", since,
				     gone ? "inactive" : "active");
		}
	}
	/* An LPI that a device is given directly stops being the vgic's (GICv4). */
	if ((was->state ^ now->state) & VGR_IRQ_HW)
		return;
	if (edge_pends(was) && !(now->state & VGR_IRQ_LEVEL)) {
		m->judge->evaluated[13]++;
		if (taken || edge_pends(now))
			return;
		blame_change(m, irq, INV_EDGE_KEPT, INV_MAY_PEND | INV_MAY_CONFIG, "latched", since,
			     "not any more");
	}
}

/* It stood on the list when the vCPU was last seen, and does not now. */
static void vanished(struct inv_moment *m, const struct inv_irq *irq, bool dist_enabled)
{
	struct inv_suspect s = {
		.intid = irq->intid,
		.begin = irq->last_begin,
		.end = m->rec->time,
		.lawful = true,
	};
	bool active = irq->last.state & VGR_IRQ_ACTIVE;
	char text[96];

	if (inv_oracle(&irq->last, dist_enabled) != m->vcpu->index)
		return;
	if (active) {
		m->judge->evaluated[15]++;
		s.part = INV_ACTIVE_GONE;
		s.excuse = INV_MAY_CLEAR | INV_MAY_USER;
	} else {
		m->judge->evaluated[14]++;
		s.part = INV_LEVEL_PRUNED;
		s.excuse = INV_MAY_PEND | INV_MAY_CONFIG | INV_MAY_CLEAR | INV_MAY_USER;
	}
	snprintf(s.what, sizeof(s.what), "it was on the list of vCPU %u (%s), and is not any more",
		 m->vcpu->index, inv_state_text(text, sizeof(text), &irq->last));
	blame(m, &s);
}

static void remember(struct inv_moment *m, struct inv_irq *irq, const struct vgr_irq *now)
{
	irq->valid = true;
	irq->last = *now;
	irq->last_begin = m->begin;
	irq->at = m->vcpu->index;
}

/* ---- the effect of a DIR ---- */

static void settle_dir(struct inv_moment *m, struct inv_irq *irq)
{
	irq->dir.armed = false;
	m->totals->deactivations++;
	m->judge->evaluated[15]++;
}

/* A reading that nothing can take back: what is inactive now was deactivated. */
static void see_inactive(struct inv_moment *m, struct inv_irq *irq, const struct vgr_irq *now)
{
	if (irq->dir.armed && !(now->state & VGR_IRQ_ACTIVE) && m->rec->time >= irq->dir.t0)
		settle_dir(m, irq);
}

static void blame_dir(struct inv_moment *m, const struct inv_irq *irq)
{
	struct inv_suspect s = {
		.part = INV_DIR_EFFECT,
		.intid = irq->intid,
		.excuse = INV_MAY_SET,
		.begin = irq->dir.t0,
		.end = m->rec->time,
		.cause = irq->dir.index,
	};

	snprintf(s.what, sizeof(s.what),
		 "vCPU %u wrote it to DIR (record %llu), went on, and it is still active on the "
		 "list "
		 "of vCPU %u, with no acknowledge possible in between",
		 irq->dir.writer, (unsigned long long)irq->dir.index, m->vcpu->index);
	blame(m, &s);
}

/* A flush of the owner after the writer of the DIR has gone on. */
static void check_dir(struct inv_moment *m, struct inv_irq *irq, const struct vgr_irq *now)
{
	if (!irq->dir.armed || !irq->dir.done || m->begin < irq->dir.t1)
		return;
	if (irq->ack_until >= irq->dir.t0) {
		irq->dir.armed = false;
		undecided(m, 15, VGIC_UNDECIDED_CONCURRENT);
		return;
	}
	if (!(now->state & VGR_IRQ_ACTIVE))
		return;
	settle_dir(m, irq);
	irq->lost_at = m->rec->time;
	blame_dir(m, irq);
}

int inv_chain_dir(struct inv_moment *m, const struct vgr_dir *d)
{
	uint32_t intid = d->value & 0xffffffu & ~(uint32_t)VGIC_LR_CPUID;
	struct inv_irq *irq;

	if (m->cfg->policy->dir_primitive == VGIC_DIR_NONE || !m->vcpu->split)
		return 0;
	/* An SGI of a GICv2 guest goes by its source, too. */
	if (intid >= VGIC_NR_PRIVATE + (m->vm->nr_spis ? m->vm->nr_spis : VGIC_MAX_SPIS) ||
	    (m->vm->model_v2 && intid < VGIC_NR_SGIS))
		return 0;
	irq = irq_of(m, intid);
	if (!irq)
		return -ENOMEM;
	if (!irq->valid || !irq->listed || irq->lost_at >= d->r.time)
		return 0;
	/* Only the guest knows whether it acknowledged before or after. */
	if (irq->ack_until >= d->r.time || irq->last_begin > d->r.time) {
		undecided(m, 15, VGIC_UNDECIDED_CONCURRENT);
		return 0;
	}
	if (!(irq->last.state & VGR_IRQ_ACTIVE))
		return 0;
	irq->dir = (struct inv_dir){
		.armed = true,
		.writer = m->vcpu->index,
		.t0 = d->r.time,
		.index = m->index,
	};
	return inv_irqs_add(&m->vcpu->dirs, irq);
}

/* The vCPU goes on: its DIRs have done what they do. */
static void finish_dirs(struct inv_moment *m)
{
	for (size_t i = 0; i < m->vcpu->dirs.n; i++) {
		struct inv_irq *irq = m->vcpu->dirs.v[i];

		if (!irq->dir.armed || irq->dir.done || irq->dir.writer != m->vcpu->index)
			continue;
		irq->dir.done = true;
		irq->dir.t1 = m->begin;
	}
	m->vcpu->dirs.n = 0;
}

/* ---- injections ---- */

int inv_chain_inject(struct inv_moment *m, const struct vgr_inject *in)
{
	struct inv_irq *irq;
	struct inv_vcpu *target;

	if (in->intid >= VGIC_LPI_BASE || !m->cfg->has_mmio)
		return 0;
	irq = inv_track_irq(m->track, m->rec->vm, m->rec->vcpu, in->intid);
	if (!irq)
		return -ENOMEM;
	if (!in->level) {
		if (irq->last.state & VGR_IRQ_LEVEL)
			irq->raise.armed = false;
		return 0;
	}
	/* What is not known to be enabled need not be delivered. */
	if (!irq->valid || !(irq->last.state & VGR_IRQ_ENABLED) ||
	    irq->last.target >= m->vm->nr_vcpus || !m->vm->vcpus[irq->last.target] ||
	    (irq->listed && irq->at != irq->last.target) || irq->last_begin > in->r.time)
		return 0;
	target = m->vm->vcpus[irq->last.target];
	if (irq->raise.armed)
		return 0;
	irq->raise = (struct inv_raise){
		.armed = true,
		.since = irq->last_begin,
		.t0 = in->r.time,
		.index = m->index,
	};
	for (size_t i = 0; i < target->raised.n; i++)
		if (target->raised.v[i] == irq)
			return 0;
	return inv_irqs_add(&target->raised, irq);
}

static void see_pending(struct inv_moment *m, struct inv_irq *irq, const struct vgr_irq *now,
			uint64_t lr)
{
	if (!irq->raise.armed || m->rec->time < irq->raise.t0)
		return;
	if (!inv_pending(now) && !(lr & VGIC_LR_PENDING))
		return;
	irq->raise.armed = false;
	m->judge->evaluated[now->state & VGR_IRQ_LEVEL ? 14 : 13]++;
}

/* At a flush: what was injected before it began must be on the list by now. */
static void check_raised(struct inv_moment *m, const struct vgr_flush *f)
{
	struct inv_irqs *set = &m->vcpu->raised;
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		struct inv_irq *irq = set->v[i];
		bool level = irq->last.state & VGR_IRQ_LEVEL;
		struct inv_suspect s = {
			.part = level ? INV_LEVEL_SEEN : INV_EDGE_SEEN,
			.intid = irq->intid,
			.excuse = INV_MAY_CONFIG | INV_MAY_USER,
			.begin = irq->raise.since,
			.end = f->r.time,
			.cause = irq->raise.index,
			/* A register that disables or clears it takes the debt away. */
			.lawful = true,
		};

		if (!irq->raise.armed || irq->generation != m->track->generation)
			continue;
		if (inv_causes_over(m->causes, irq->raise.index, irq->raise.t0) >= f->begin) {
			set->v[n++] = irq;
			continue;
		}
		irq->raise.armed = false;
		if (!f->dist_enabled || !irq->valid || irq->last.target != m->vcpu->index ||
		    (irq->listed && irq->at != m->vcpu->index))
			continue;
		m->judge->evaluated[level ? 14 : 13]++;
		snprintf(s.what, sizeof(s.what),
			 "it was injected (record %llu), enabled, routed to vCPU %u, and neither "
			 "its list nor an LR has it pending",
			 (unsigned long long)irq->raise.index, m->vcpu->index);
		blame(m, &s);
	}
	set->n = n;
}

/* ---- progress ---- */

static uint8_t priority_mask(const struct inv_entry *e)
{
	return e->gicv2 ? (e->vmcr >> 27) << 3 : e->vmcr >> VGIC_VMCR_VPMR_SHIFT;
}

/* What stands in the LRs while something else waits. */
enum left_by { LEFT_BY_GROUP, LEFT_BY_ACTIVE, LEFT_BY_PRIORITY };

static void blame_stuck(struct inv_moment *m, const struct vgr_irq *best, unsigned int nr_lr,
			enum left_by why)
{
	static const char *const known[] = {"L4", "L1", "L2"};
	static const char *const text[] = {"a disabled group", "active, EOImode 1",
					   "active, of lower priority"};
	const struct inv_vcpu *v = m->vcpu;
	struct inv_suspect s = {
		.part = INV_PROGRESS,
		.intid = best->intid,
		.begin = v->stuck_since,
		.end = m->rec->time,
		.known = known[why],
	};

	snprintf(s.what, sizeof(s.what),
		 "pending with priority 0x%02x and outside for %u entries and %llu us: all %u LRs "
		 "hold what the guest cannot take (%s)",
		 best->priority, v->stuck,
		 (unsigned long long)(m->rec->time - v->stuck_since) / 1000, nr_lr, text[why]);
	blame(m, &s);
}

/* Rule 18: nothing in the LRs brings the guest on, and outside waits what would. */
static void check_progress(struct inv_moment *m, const struct inv_entry *e)
{
	bool split = e->vmcr & VGIC_VMCR_VEOIM, active = false;
	uint8_t mask = priority_mask(e), running = 0xff;
	const struct vgr_irq *best = NULL;
	struct inv_vcpu *v = m->vcpu;

	if (!m->judge->on[INV_PROGRESS])
		return;
	if (e->used == e->nr_lr && e->n > e->nr_lr) {
		for (size_t i = 0; i < e->n; i++) {
			const struct vgr_irq *q = &e->irqs[i];

			if (inv_oracle(q, e->dist_enabled) == e->vcpu &&
			    !(q->state & VGR_IRQ_ACTIVE) && inv_group_on(e->vmcr, q) &&
			    q->priority < mask && (!best || q->priority < best->priority) &&
			    inv_lr_of(e->lr, e->used, q->intid, e->model_v2) < 0)
				best = q;
		}
	}
	m->judge->evaluated[18]++;
	for (unsigned int i = 0; best && i < e->used; i++) {
		uint8_t priority = (e->lr[i] & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT;
		uint32_t enable = e->lr[i] & VGIC_LR_GROUP1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0;

		if (e->lr[i] & VGIC_LR_ACTIVE) {
			active = true;
			running = priority < running ? priority : running;
		} else if ((e->vmcr & enable) && priority < mask) {
			/* The guest can take this one. */
			best = NULL;
		}
	}
	/* With EOImode 0 the active ones run: only what is more urgent is kept waiting. */
	if (best && active && !split && best->priority >= running)
		best = NULL;
	if (!best) {
		v->stuck = 0;
		v->stuck_told = false;
		return;
	}
	if (!v->stuck)
		v->stuck_since = m->begin;
	if (v->entered)
		v->stuck++;
	if (v->stuck < STUCK_ENTRIES || m->rec->time < v->stuck_since + STUCK_NS || v->stuck_told)
		return;
	v->stuck_told = true;
	blame_stuck(m, best, e->nr_lr,
		    !active ? LEFT_BY_GROUP
		    : split ? LEFT_BY_ACTIVE
			    : LEFT_BY_PRIORITY);
}

/* Rule 16 for kernels that do not count: an SPI is active elsewhere, and DIR goes unseen. */
static void check_untrapped(struct inv_moment *m, const struct inv_entry *e)
{
	unsigned int elsewhere = m->vm->active_spis - m->vcpu->active_spis;

	if (!m->judge->on[INV_SPIS_UNTRAPPED] || !(e->vmcr & VGIC_VMCR_VEOIM))
		return;
	m->judge->evaluated[16]++;
	if (elsewhere && !(e->hcr & VGIC_HCR_TDIR))
		inv_suspect(m->judge, INV_SPIS_UNTRAPPED, VGR_BOUNDARY_NONE, INV_MAY_CLEAR,
			    "%u SPIs are active on other vCPUs, EOImode is 1, and HCR is 0x%08x: "
			    "no TDIR",
			    elsewhere, e->hcr);
}

/* ---- records ---- */

void inv_chain_forget(struct inv_vcpu *v)
{
	for (size_t i = 0; i < v->listed.n; i++) {
		v->listed.v[i]->valid = v->listed.v[i]->listed = false;
		v->listed.v[i]->dir.armed = v->listed.v[i]->raise.armed = false;
	}
	v->listed.n = v->dirs.n = v->raised.n = 0;
	v->in_run = v->entered = false;
	v->stuck = 0;
}

/* One more interrupt on the list as this record leaves it; arrivals have no known state. */
static int list(struct inv_moment *m, struct inv_irq *irq)
{
	irq->listed = true;
	irq->at = m->vcpu->index;
	if (irq->mark != m->track->mark)
		irq->valid = false;
	return inv_irqs_add(&m->vcpu->listed, irq);
}

static void count_active(struct inv_moment *m)
{
	const struct inv_irqs *set = &m->vcpu->listed;
	unsigned int active = 0;

	for (size_t i = 0; i < set->n; i++)
		active += set->v[i]->intid >= VGIC_NR_PRIVATE && set->v[i]->intid < VGIC_LPI_BASE &&
			  set->v[i]->valid && (set->v[i]->last.state & VGR_IRQ_ACTIVE);
	m->vm->active_spis += active - m->vcpu->active_spis;
	m->vcpu->active_spis = active;
}

int inv_chain_flush(struct inv_moment *m, const struct vgr_flush *f, const struct inv_entry *e)
{
	const struct vgr_irq *before = vgr_flush_before(f), *after = vgr_flush_after(f);
	struct inv_irqs *seen = &m->track->seen;
	struct inv_vcpu *v = m->vcpu;
	struct inv_irq *irq;

	finish_dirs(m);
	m->track->mark++;
	seen->n = 0;
	for (unsigned int i = 0; i < f->n_before; i++) {
		irq = irq_of(m, before[i].intid);
		if (!irq || inv_irqs_add(seen, irq))
			return -ENOMEM;
		if (irq->mark == m->track->mark)
			inv_suspect(m->judge, INV_ONCE, irq->intid, INV_MAY_MOVE,
				    "it stands twice on the list of vCPU %u", v->index);
		irq->mark = m->track->mark;
		if (irq->valid && irq->listed && irq->at == v->index)
			compare(m, irq, &before[i], false, true, "when its vCPU was last seen");
		check_dir(m, irq, &before[i]);
		see_pending(m, irq, &before[i], 0);
		if ((before[i].state & VGR_IRQ_ON_LR) && irq->intid < VGIC_LPI_BASE)
			inv_suspect(m->judge, INV_ON_LR_CLEAR, irq->intid, 0,
				    "on_lr is 1 before the flush of vCPU %u", v->index);
		/* A run whose sync was not seen. */
		if (irq->ack_until == UINT64_MAX)
			irq->ack_until = f->begin;
	}
	for (size_t i = 0; i < v->listed.n; i++) {
		irq = v->listed.v[i];
		if (irq->mark == m->track->mark || !irq->valid || !irq->listed ||
		    irq->at != v->index)
			continue;
		vanished(m, irq, f->dist_enabled);
		irq->listed = false;
		irq->valid = false;
		if (irq->dir.armed && irq->dir.done)
			settle_dir(m, irq);
	}
	for (unsigned int i = 0; i < f->n_before; i++)
		remember(m, seen->v[i], &before[i]);

	v->run++;
	m->track->mark++;
	seen->n = 0;
	for (unsigned int i = 0; i < f->n_after; i++) {
		int k = inv_lr_of(e->lr, e->used, after[i].intid, e->model_v2);

		irq = irq_of(m, after[i].intid);
		if (!irq || inv_irqs_add(seen, irq))
			return -ENOMEM;
		irq->mark = m->track->mark;
		irq->run = v->run;
		irq->lr = k >= 0 ? e->lr[k] : 0;
		/* What came between the two readings has no earlier state. */
		if (irq->valid && irq->at == v->index && irq->last_begin == m->begin)
			compare(m, irq, &after[i], irq->lr & VGIC_LR_PENDING, true,
				"before the flush");
		see_pending(m, irq, &after[i], irq->lr);
		see_inactive(m, irq, &after[i]);
		if (irq->lr & VGIC_LR_PENDING)
			irq->ack_until = UINT64_MAX;
		remember(m, irq, &after[i]);
	}
	check_raised(m, f);
	check_progress(m, e);
	check_untrapped(m, e);
	v->in_run = true;
	v->entered = false;
	v->split = f->vmcr & VGIC_VMCR_VEOIM;
	v->flush_begin = f->begin;
	v->boundary = f->boundary;
	v->listed.n = 0;
	for (unsigned int i = 0; i < f->n_after; i++)
		if (list(m, seen->v[i]))
			return -ENOMEM;
	count_active(m);
	return 0;
}

static void blame_fold(struct inv_moment *m, const struct inv_irq *irq, uint64_t lr)
{
	struct inv_suspect s = {
		.part = INV_DEACTIVATED,
		.intid = irq->intid,
		.excuse = INV_MAY_SET,
		.begin = m->vcpu->flush_begin,
		.end = m->rec->time,
		.want_cause = true,
	};

	snprintf(s.what, sizeof(s.what),
		 "flushed active to vCPU %u's LR (0x%016llx), deactivated from outside before the "
		 "fold, and active again after it: the fold wrote the LR's old state back "
		 "(0x%016llx)",
		 m->vcpu->index, (unsigned long long)irq->lr, (unsigned long long)lr);
	blame(m, &s);
}

/*
 * Rule 15: it went into the LR active, somebody deactivated it while it was there, and
 * the fold wrote the old state back.
 */
static bool check_undone(struct inv_moment *m, struct inv_irq *irq, const struct vgr_irq *before,
			 const struct vgr_irq *after, uint64_t lr)
{
	struct inv_vcpu *v = m->vcpu;

	if (!v->in_run || irq->run != v->run || !(irq->lr & VGIC_LR_ACTIVE) ||
	    (before->state & VGR_IRQ_ACTIVE) || !(lr & VGIC_LR_ACTIVE) ||
	    !(after->state & VGR_IRQ_ACTIVE) || irq->intid >= VGIC_LPI_BASE)
		return false;
	irq->dir.armed = false;
	irq->lost_at = m->rec->time;
	m->totals->deactivations++;
	blame_fold(m, irq, lr);
	return true;
}

int inv_chain_sync(struct inv_moment *m, const struct vgr_sync *s, const struct inv_exit *x)
{
	struct inv_irqs *seen = &m->track->seen;
	struct inv_vcpu *v = m->vcpu;
	struct inv_irq *irq;

	m->track->mark++;
	seen->n = 0;
	for (size_t i = 0; i < x->n; i++) {
		int k = x->folded ? inv_lr_of(x->lr, x->used, x->before[i].intid, x->model_v2) : -1;
		uint64_t lr = k >= 0 ? x->lr[k] : 0;
		bool undone;

		irq = irq_of(m, x->before[i].intid);
		if (!irq || inv_irqs_add(seen, irq))
			return -ENOMEM;
		if (irq->mark == m->track->mark)
			inv_suspect(m->judge, INV_ONCE, irq->intid, INV_MAY_MOVE,
				    "it stands twice on the list of vCPU %u", v->index);
		irq->mark = m->track->mark;
		undone = check_undone(m, irq, &x->before[i], &x->after[i], lr);
		if (irq->valid && irq->listed && irq->at == v->index)
			compare(m, irq, &x->before[i], false, !undone, "after the flush");
		see_pending(m, irq, &x->before[i], lr);
		see_pending(m, irq, &x->after[i], lr);
		see_inactive(m, irq, &x->after[i]);
	}
	if (v->in_run) {
		/* Whatever was pending in an LR could be acknowledged until now. */
		for (size_t i = 0; i < v->listed.n; i++)
			if (v->listed.v[i]->ack_until == UINT64_MAX &&
			    v->listed.v[i]->run == v->run)
				v->listed.v[i]->ack_until = s->begin;
		if (m->judge->on[INV_BOUNDARY_KEPT]) {
			if (s->boundary == VGR_BOUNDARY_UNKNOWN ||
			    v->boundary == VGR_BOUNDARY_UNKNOWN) {
				undecided(m, 17, VGIC_UNDECIDED_GONE);
			} else {
				m->judge->evaluated[17]++;
				if (s->boundary != v->boundary)
					inv_suspect(m->judge, INV_BOUNDARY_KEPT, s->boundary, 0,
						    "last_lr_irq was %d at the flush and is %d at "
						    "the fold",
						    (int)v->boundary, (int)s->boundary);
			}
		}
		m->totals->pairs++;
	}
	for (size_t i = 0; i < v->listed.n; i++)
		if (v->listed.v[i]->at == v->index)
			v->listed.v[i]->listed = false;
	for (size_t i = 0; i < x->n; i++) {
		irq = seen->v[i];
		/* Its new vCPU may have been quicker. */
		if (irq->at != v->index && irq->last_begin > m->begin)
			continue;
		remember(m, irq, &x->after[i]);
		irq->listed = false;
	}
	v->in_run = false;
	v->split = s->vmcr & VGIC_VMCR_VEOIM;
	v->listed.n = 0;
	for (size_t i = 0; i < x->n_order; i++) {
		irq = irq_of(m, x->order[i]);
		if (!irq || list(m, irq))
			return -ENOMEM;
	}
	count_active(m);
	return 0;
}
