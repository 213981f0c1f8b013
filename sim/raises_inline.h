/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of raises, one interrupt at a time: for records, and for a replay, which has them by
 * number and goes by them all the time.
 */
#ifndef VGICSIM_RAISES_INLINE_H
#define VGICSIM_RAISES_INLINE_H

#include <errno.h>

#include <vgicsim/raises.h>
#include <vgicsim/vgic.h>

#include "irq_index.h"
#include "latency_log.h"
#include "listed.h"
#include "msi_map.h"

struct raises_entry {
	uint32_t intid;
	uint16_t state;
	bool seen;	/* state is known */
	bool held;	/* listed, and not to be delivered, when it was last looked at */
	bool by_source; /* a GICv2's SGI: pending for each sender on its own */
	uint8_t sources;
	/* Raised, and not in an LR since. */
	bool waits;
	bool listed_pending; /* a list showed it */
	struct vgic_raise raise;
	/* Reached an LR, and not taken; then back in the latch perhaps. */
	bool shown;
	bool in_guest; /* the LR is in a guest that runs: whether it was taken shows at the sync */
	struct vgic_raise shown_raise;
	uint64_t dir; /* time of the last DIR */
	uint16_t on;  /* vCPU on whose list it was last, at its flush number ... */
	uint64_t on_flush;
};

struct raises_vcpu {
	uint64_t lr[VGIC_MAX_LRS];
	uint32_t number[VGIC_MAX_LRS]; /* of the entries of these interrupts */
	unsigned int used;
	bool flushed, entered;
	uint64_t flushes, begin, sync;
};

struct vgic_raises {
	uint16_t vm;
	struct vgic_latency_series *to_lr;
	struct latency_log *log; /* to_lr's, NULL: none */
	uint64_t merged, number;
	uint64_t last_write; /* of a register */
	struct irq_index index;
	struct raises_entry *v;
	size_t n, cap;
	struct raises_vcpu *vcpus;
	size_t nr_vcpus, cap_vcpus;
	struct msi_map msis;
	bool any_longest;
	struct vgic_raised longest;
};

/* NULL: no memory. */
struct raises_vcpu *raises_new_vcpu(struct vgic_raises *r, uint16_t index);

static inline struct raises_vcpu *raises_vcpu_of(struct vgic_raises *r, uint16_t index)
{
	return index < r->nr_vcpus ? &r->vcpus[index] : raises_new_vcpu(r, index);
}

/* ---- one interrupt ---- */

static inline void raises_open(struct vgic_raises *r, struct raises_entry *e, uint64_t time)
{
	e->waits = true;
	e->listed_pending = false;
	e->raise = (struct vgic_raise){r->number++, time};
}

/* The latch is set: by an edge, an SGI, an MSI. */
static inline void raises_edge(struct vgic_raises *r, struct raises_entry *e, uint64_t time)
{
	if (e->waits || (e->shown && !e->in_guest))
		r->merged++;
	else
		raises_open(r, e, time);
}

static inline void raises_line_high(struct vgic_raises *r, struct raises_entry *e, uint64_t time)
{
	/* One that is in an LR still has been lowered meanwhile: a raise if it is taken. */
	if (!e->waits && (!e->shown || e->in_guest))
		raises_open(r, e, time);
}

static inline void raises_line_low(struct raises_entry *e)
{
	if (e->state & VGR_IRQ_LATCH)
		return;
	e->waits = false;
	e->shown &= e->in_guest;
}

static inline bool raises_is_level(const struct raises_entry *e)
{
	return e->seen && (e->state & VGR_IRQ_LEVEL);
}

/* Pending, and no record said why. 0 or -ENOMEM. */
int raises_unexplained(struct vgic_raises *r, struct raises_entry *e, const struct vgr_irq *q,
		       uint64_t time);

/* The state of one interrupt while its vCPU is out of the guest: nothing of it is in an LR. */
static inline __attribute__((always_inline)) int raises_look(struct vgic_raises *r,
							     const struct raises_vcpu *v,
							     struct raises_entry *e,
							     const struct vgr_irq *q, uint64_t time)
{
	if (q->state & VGR_IRQ_GONE)
		return 0;
	e->seen = true;
	e->state = q->state;
	e->by_source |= e->intid < VGIC_NR_SGIS && (q->source || q->active_source);
	e->sources = q->source;
	if (listed_pending(q)) {
		if (!e->waits && !e->shown && raises_unexplained(r, e, q, time))
			return -ENOMEM;
		e->listed_pending = true;
	} else if (e->listed_pending || e->raise.time < v->begin) {
		/* Taken back. One that was raised just now may not have taken effect. */
		e->waits = e->shown = false;
	}
	return 0;
}

/*
 * Listed for the first time since it was raised, or allowed for the first time: when
 * the vCPU was last out of the guest the host did not have it to deliver.
 */
static inline void raises_look_held(const struct vgic_raises *r, const struct vgr_flush *f,
				    uint64_t last_flush, struct raises_entry *e, bool new)
{
	bool deliverable = (e->state & VGR_IRQ_ENABLED) && f->dist_enabled;

	if (e->waits && deliverable && (e->held || new) && e->raise.time < last_flush)
		e->raise.time = r->last_write > last_flush && r->last_write < f->begin
					? r->last_write
					: f->begin;
	e->held = !deliverable;
}

/* It was on the list of its vCPU when that was flushed last. */
static inline bool raises_is_listed(const struct vgic_raises *r, const struct raises_entry *e)
{
	return e->on < r->nr_vcpus && e->on_flush == r->vcpus[e->on].flushes;
}

/* ---- one vCPU ---- */

/* A flush finds it on its list, and has looked at it. new: the one before did not. */
static inline void raises_on_list(const struct vgic_raises *r, const struct raises_vcpu *v,
				  const struct vgr_flush *f, struct raises_entry *e, bool new)
{
	raises_look_held(r, f, v->begin, e, new);
	e->on = f->r.vcpu;
	e->on_flush = v->flushes + 1;
}

/* What a flush finds on its list. */
static inline int raises_look_before(struct vgic_raises *r, const struct raises_vcpu *v,
				     const struct vgr_flush *f, struct raises_entry *e,
				     const struct vgr_irq *q)
{
	bool new = !raises_is_listed(r, e);

	/* What a DIR ended since the sync asks again from then on. */
	if (raises_look(r, v, e, q, e->dir > v->sync ? e->dir : f->begin))
		return -ENOMEM;
	raises_on_list(r, v, f, e, new);
	return 0;
}

/* An LR has it pending, and the guest runs from then on. 0 or -ENOMEM. */
static inline int raises_enter_lr(struct vgic_raises *r, struct raises_entry *e, uint64_t time)
{
	e->in_guest = true;
	if (!e->waits || e->shown)
		return 0;
	e->waits = false;
	e->shown = true;
	e->shown_raise = e->raise;
	uint64_t ns = time > e->raise.time ? time - e->raise.time : 0;

	return r->log ? latency_log_add(r->log, e->raise.number, ns)
		      : vgic_latency_add(r->to_lr, e->raise.number, ns);
}

/* What the run did to an LR that had an interrupt pending. */
static inline void raises_run_of_lr(struct vgic_raises *r, struct raises_entry *e, uint64_t is)
{
	e->in_guest = false;
	if (!(is & VGIC_LR_PENDING)) {
		e->shown = false;
		return;
	}
	/* Raised once more before it was taken. */
	if (e->shown && e->waits) {
		e->waits = false;
		r->merged += !raises_is_level(e);
	}
}

static inline void raises_inject(struct vgic_raises *r, struct raises_entry *e, bool level,
				 uint64_t time)
{
	if (!level)
		raises_line_low(e);
	else if (raises_is_level(e))
		raises_line_high(r, e, time);
	else
		raises_edge(r, e, time);
}

/* ---- by number ---- */

/* One that was left out: it was on the list at the last flush all the same. */
static inline void raises_listed(struct vgic_raises *r, uint32_t number)
{
	struct raises_entry *e = &r->v[number];

	e->on_flush = r->vcpus[e->on].flushes;
}

#endif
