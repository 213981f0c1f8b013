/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of fates, one interrupt at a time: for records, and for a replay, which has them by
 * number and goes by them all the time.
 */
#ifndef VGICSIM_FATES_INLINE_H
#define VGICSIM_FATES_INLINE_H

#include <vgicsim/fates.h>
#include <vgicsim/vgic.h>

#include "irq_index.h"
#include "listed.h"

struct fates_entry {
	struct vgic_fate fate;
	uint16_t of;	 /* vCPU of a private one, VGR_NO_VCPU */
	uint16_t target; /* when last listed */
	uint16_t state;
	bool named; /* a record names it */
	bool seen;  /* state is known */
	bool want;  /* raised, and neither taken nor taken back */
	bool shown; /* since then a list or an LR had it pending */
	bool line;  /* was last injected high */
	bool again; /* raised once more since its vCPU was last out of the guest */
	bool active;
	bool dir;    /* a DIR came since it became active */
	bool listed; /* on a list when its vCPU was last looked at */
	uint64_t want_since, want_entries, active_since, active_entries, lost_since;
	uint64_t writes; /* of registers, when it was last seen as it is */
	uint64_t stamp;
	/* See fates_counted(): the entry of this vCPU at which it was last looked at. */
	uint64_t counted;
	uint16_t counted_on;
};

struct fates_vcpu {
	uint64_t lr[VGIC_MAX_LRS];
	uint32_t number[VGIC_MAX_LRS]; /* of the entries of these interrupts */
	unsigned int used;
	bool flushed;
	uint64_t entries;
	uint32_t *list; /* entries on its list at the last look */
	size_t nr_list, cap_list;
};

struct vgic_fates {
	uint16_t vm;
	bool started;
	uint64_t start, last;
	uint64_t nr_records;
	uint64_t writes; /* writes of anyone that may take interrupts back */
	uint64_t stamp;
	struct fates_entry *v;
	size_t n, cap;
	struct irq_index index; /* numbers of entries */
	struct fates_vcpu *vcpus;
	size_t nr_vcpus, cap_vcpus;
};

/* NULL: no memory. */
struct fates_vcpu *fates_new_vcpu(struct vgic_fates *f, uint16_t index);

static inline struct fates_vcpu *fates_vcpu_of(struct vgic_fates *f, uint16_t index)
{
	return index < f->nr_vcpus ? &f->vcpus[index] : fates_new_vcpu(f, index);
}

/* ---- one interrupt ---- */

static inline bool fates_is_lpi(const struct fates_entry *e)
{
	return e->fate.intid >= VGIC_LPI_BASE;
}

static inline uint64_t fates_entries_of(const struct vgic_fates *f, const struct fates_entry *e)
{
	uint16_t t = e->of != VGR_NO_VCPU ? e->of : e->target;

	return t < f->nr_vcpus ? f->vcpus[t].entries : 0;
}

static inline void fates_raise(struct vgic_fates *f, struct fates_entry *e, uint64_t time)
{
	if (!e->fate.raised++)
		e->fate.first_ns = time - f->start;
	e->again = e->want;
	if (e->want)
		return;
	e->want = true;
	e->shown = false;
	e->want_since = time;
	e->want_entries = fates_entries_of(f, e);
}

static inline void fates_taken(struct vgic_fates *f, struct fates_entry *e, uint64_t time)
{
	/* Asked for by something that no record tells of. */
	if (!e->want && !e->fate.raised++)
		e->fate.first_ns = time - f->start;
	e->want = false;
	e->fate.delivered++;
	e->fate.outside_entries = 0;
	e->dir = false;
	e->active = true;
	e->active_since = time;
	e->active_entries = 0;
	e->writes = f->writes;
}

static inline void fates_ended(struct fates_entry *e)
{
	e->fate.ended++;
	e->active = false;
	e->dir = false;
}

/* The state of one interrupt while its vCPU is out of the guest: nothing of it is in an LR. */
static inline __attribute__((always_inline)) void fates_look(struct vgic_fates *f,
							     struct fates_entry *e, uint16_t vcpu,
							     const struct vgr_irq *q, uint64_t time)
{
	bool active = (q->state & VGR_IRQ_ACTIVE) && !fates_is_lpi(e);

	if (q->state & VGR_IRQ_GONE)
		return;
	e->fate.vcpu = e->of == VGR_NO_VCPU ? vcpu : e->of;
	e->seen = true;
	e->state = q->state;
	e->target = q->target;
	e->fate.priority = q->priority;
	if (listed_pending(q)) {
		if (!e->want) {
			e->fate.raised -= e->again;
			fates_raise(f, e, time);
		}
		e->shown = true;
		e->writes = f->writes;
	} else if (e->want && e->shown && (q->vcpu == vcpu || q->vcpu == VGR_NO_VCPU)) {
		/* An edge goes only when it is taken, or by a register write. */
		if (!(q->state & VGR_IRQ_LEVEL) && e->writes == f->writes) {
			e->fate.lost++;
			e->lost_since = time;
		}
		e->want = false;
	}
	e->again = false;
	if (active && !e->active) {
		e->active = true;
		e->active_since = time;
		e->active_entries = 0;
		e->dir = false;
	} else if (!active && e->active) {
		fates_ended(e);
	}
}

/* An entry is about to be made: who stands outside, who is active. */
static inline void fates_look_inside(struct vgic_fates *f, const struct vgr_flush *fl,
				     struct fates_entry *e, const struct vgr_irq *q, bool inside)
{
	bool active = (q->state & VGR_IRQ_ACTIVE) && !fates_is_lpi(e);
	bool outside = !inside && listed_pending(q) && (q->state & VGR_IRQ_ENABLED) && !active &&
		       !(q->state & VGR_IRQ_GONE) && q->target == fl->r.vcpu && fl->dist_enabled &&
		       listed_group_enabled(fl, q->state);

	if (active)
		e->active_entries++;
	if (!outside) {
		e->fate.outside_entries = 0;
		return;
	}
	if (!e->fate.outside_entries++) {
		e->fate.outside_ns = fl->r.time - f->start;
		e->fate.outside_record = f->nr_records;
	}
}

/* Not on the list of the vCPU any more, though no sync took it off. */
static inline void fates_left_list(struct fates_entry *e, uint16_t vcpu)
{
	/* Another vCPU may have it by now. */
	if (e->of == VGR_NO_VCPU && e->fate.vcpu != vcpu)
		return;
	e->listed = false;
	e->fate.outside_entries = 0;
	if (e->active)
		fates_ended(e);
	/* What was latched of a level interrupt goes with its deactivation. */
	if ((e->state & VGR_IRQ_LEVEL) && e->shown && !e->line)
		e->want = false;
}

/* What the run did to one LR. */
static inline void fates_run_of_lr(struct vgic_fates *f, struct fates_entry *e, uint64_t was,
				   uint64_t is, uint64_t time)
{
	bool p0 = was & VGIC_LR_PENDING, a0 = was & VGIC_LR_ACTIVE;
	bool p1 = is & VGIC_LR_PENDING, a1 = is & VGIC_LR_ACTIVE;
	bool ack = p0 && !p1;

	if (a0 && (!a1 || ack) && e->active)
		fates_ended(e);
	if (ack) {
		fates_taken(f, e, time);
		if (!a1 || fates_is_lpi(e))
			fates_ended(e);
	}
}

static inline void fates_inject(struct vgic_fates *f, struct fates_entry *e, bool level,
				uint64_t time)
{
	e->line = level;
	if (level)
		fates_raise(f, e, time);
	else
		e->want = false;
}

static inline void fates_dir(struct fates_entry *e)
{
	if (e->active)
		e->dir = true;
}

/* ---- by number ---- */

/* As much as a record is. */
static inline void fates_tick(struct vgic_fates *f, uint64_t time)
{
	f->nr_records++;
	f->last = time > f->last ? time : f->last;
}

static inline struct fates_entry *fates_numbered(struct vgic_fates *f, uint32_t number)
{
	struct fates_entry *e = &f->v[number];

	e->named = true;
	return e;
}

/*
 * One that was left out since it was last counted who stands outside: it did as it did then, in
 * all entries since.
 */
static inline void fates_listed(struct vgic_fates *f, uint32_t number)
{
	struct fates_entry *e = &f->v[number];
	uint64_t missed = f->vcpus[e->counted_on].entries - e->counted;

	if (e->fate.outside_entries)
		e->fate.outside_entries += missed;
	if (e->active)
		e->active_entries += missed;
	e->counted += missed;
}

/* In an LR when an entry is made. */
static inline void fates_inside(struct fates_entry *e, const struct vgr_irq *q)
{
	e->listed = true;
	e->fate.outside_entries = 0;
	e->active_entries += (q->state & VGR_IRQ_ACTIVE) && !fates_is_lpi(e);
}

/* On the list and in no LR when an entry is made, which is counted already. */
static inline void fates_counted(struct vgic_fates *f, const struct vgr_flush *fl,
				 struct fates_entry *e, const struct vgr_irq *q)
{
	e->listed = true;
	e->counted = f->vcpus[fl->r.vcpu].entries;
	e->counted_on = fl->r.vcpu;
	fates_look_inside(f, fl, e, q, false);
}

#endif
