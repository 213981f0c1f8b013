/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of interrupts and of ap_lists. */
#ifndef VGICSIM_LIST_BPF_H
#define VGICSIM_LIST_BPF_H

#include "record.bpf.h"
#include "words.bpf.h"

/* A longer list is followed only so far to learn its length. */
#define WALK_MAX 4096
_Static_assert(WALK_MAX <= 0xffff, "a record has 16 bits for it");

/*
 * Lists are gone through so many entries at a time, as far as they are what they were, without
 * a word written about how far. What is longer and what is not the same is seen to by functions
 * that are not in line: global ones, which are verified once and not again on every path that leads
 * to them.
 */
#define STRIDE 16

/*
 * What an interrupt looked like when it stood at a position of a list last: its words from
 * the vcpu on, and what was made of them. Mostly nothing has changed.
 */
struct seen {
	__u64 at;   /* its node in the list; 0: it holds no longer; odd: it is an LPI */
	__u64 last; /* node of the interrupt that was looked at last */
	__u64 word[SEEN_WORDS];
	struct vgr_irq irq;
};

/* While the guest runs, what is in a list register looks different: both looks are kept. */
enum place { OUTSIDE, INSIDE };

/* PHASE_RUN: flushed, not synced yet. */
enum phase { PHASE_NONE, PHASE_FLUSH, PHASE_RUN, PHASE_SYNC };

/*
 * The pair under construction on one physical CPU. Flush and sync run with
 * interrupts off and never inside one another, so one is enough.
 */
struct scratch {
	struct kvm_vcpu *vcpu;
	struct kvm *kvm;
	__u32 phase;
	__u32 flags;
	__u32 folded;
	__u32 nested;
	__u32 n;     /* of the walk in progress */
	__u32 looks; /* at interrupts that looked different from before */
	__u32 n_before;
	__u32 again;  /* of "before", whose state after the sync is in the record */
	__u32 copied; /* of the copy in progress */
	__u32 looked; /* something is kept at so many positions */
	__u64 at;     /* of the counting in progress */
	/* The vCPU that was here last, if it is recorded, for as long as vcpus_gone is the same. */
	struct kvm_vcpu *known;
	__u32 known_gone;
	__u32 known_announced;
	__u64 boundary_at; /* where this CPU's last_lr_irq is; 0: that cannot be told */
	struct vgr_flush flush;
	struct vgr_sync sync;
	struct images hw;
	struct raw_irq raw_irq;
	struct seen seen[VGR_MAX_IRQS][2]; /* by enum place */
};

_Static_assert(sizeof(struct cpu_state) <= CPU_AREA_WORK, "CPU_AREA_WORK is too small");
_Static_assert(CPU_AREA_WORK + sizeof(struct scratch) <= CPU_AREA_RING,
	       "CPU_AREA_RING is too small");

static __always_inline struct scratch *scratch_of(struct cpu_state *cs)
{
	return (void *)cs + CPU_AREA_WORK;
}

static __always_inline __u16 index_of(struct kvm_vcpu *vcpu, __u64 self, __u16 self_idx)
{
	if (!vcpu)
		return VGR_NO_VCPU;
	if ((__u64)vcpu == self)
		return self_idx;
	return BPF_CORE_READ(vcpu, vcpu_idx);
}

static __always_inline __u16 ops_state(struct irq_ops *ops)
{
	__u16 state = 0;
	bool resample = false;

	if (!ops)
		return 0;
	if (BPF_CORE_READ(ops, get_input_level))
		state |= VGR_IRQ_GETLEVEL;
	/* 7.x asks a function; the one that is there (timers) answers with this host property. */
	if (bpf_core_field_exists(struct irq_ops, get_flags)) {
		if (BPF_CORE_READ(ops, get_flags))
			resample = config.no_hw_deactivation;
	} else if (bpf_core_field_exists(struct irq_ops___flags, flags)) {
		resample = BPF_CORE_READ((struct irq_ops___flags *)ops, flags) & 1;
	}
	return resample ? state | VGR_IRQ_RESAMPLE : state;
}

/*
 * A global function is verified once and not again on every path that leads to it;
 * and no branches for the flags, whose combinations would all be followed.
 */
__noinline int convert_irq(struct vgr_irq *to, const struct raw_irq *raw, __u64 self,
			   __u32 self_idx)
{
	const struct vgic_irq *irq = (const void *)raw;
	__u32 state;

	if (!to || !raw)
		return 0;
	state = (BPF_CORE_READ_BITFIELD(irq, line_level) & 1) * VGR_IRQ_LINE |
		(BPF_CORE_READ_BITFIELD(irq, pending_latch) & 1) * VGR_IRQ_LATCH |
		(BPF_CORE_READ_BITFIELD(irq, active) & 1) * VGR_IRQ_ACTIVE |
		(BPF_CORE_READ_BITFIELD(irq, enabled) & 1) * VGR_IRQ_ENABLED |
		(BPF_CORE_READ_BITFIELD(irq, hw) & 1) * VGR_IRQ_HW |
		(BPF_CORE_READ_BITFIELD(irq, config) & 1) * VGR_IRQ_LEVEL |
		(irq->group & 1) * VGR_IRQ_GROUP1;
	if (bpf_core_field_exists(irq->on_lr))
		state |= (BPF_CORE_READ_BITFIELD(irq, on_lr) & 1) * VGR_IRQ_ON_LR;
	if (bpf_core_field_exists(irq->mapped))
		state |= (BPF_CORE_READ_BITFIELD(irq, mapped) & 1) * VGR_IRQ_MAPPED;
	to->intid = irq->intid;
	to->state = state | ops_state(irq->ops);
	to->priority = irq->priority;
	to->source = irq->source;
	to->active_source = irq->active_source;
	to->reserved = 0;
	to->hwintid = irq->hwintid;
	to->vcpu = index_of(irq->vcpu, self, self_idx);
	to->target = index_of(irq->target_vcpu, self, self_idx);
	return 0;
}

/* An interrupt's address, by its node in a list. */
static __always_inline __u64 irq_of(__u64 at)
{
	return at - bpf_core_field_offset(struct vgic_irq, ap_list);
}

/* Words that only kernels have whose flags are bytes; the INTID is among them. */
static __always_inline bool more_words(void)
{
	return !bpf_core_field_exists(struct vgic_irq, on_lr);
}

#define FIRST_LPI 8192

/* Reads an interrupt and keeps what it looks like at position k. 0: it cannot be read. */
__noinline int look(struct scratch *s, __u64 at, __u32 place, __u32 k, __u32 self_idx)
{
	__u32 i, from = bpf_core_field_offset(struct vgic_irq, vcpu);
	struct seen *e;

	if (!s || place > INSIDE || k >= VGR_MAX_IRQS || from > RAW_IRQ_MAX - 8 * SEEN_WORDS)
		return 0;
	if (k >= s->looked)
		s->looked = k + 1;
	e = &s->seen[k][place];
	e->at = 0;
	e->last = at;
	if (!read_irq(&s->raw_irq, irq_of(at)))
		return 0;
	convert_irq(&e->irq, &s->raw_irq, (__u64)s->vcpu, self_idx);
	for (i = 0; i < SEEN_WORDS; i++)
		e->word[i] = *(__u64 *)(s->raw_irq.bytes + from + 8 * i);
	/*
	 * What looks the same is on the same list. Where the words do not tell all, each one is
	 * looked at anew each time.
	 */
	if (config.words_tell_all && e->word[0] == (__u64)s->vcpu)
		e->at = at | (!more_words() && e->irq.intid >= FIRST_LPI);
	return 1;
}

/* Bits of word n that are not what they were. */
#define CHANGED(n) (word[n] ^ e->word[n])

/*
 * Does the interrupt whose node is at that address look as it did? If so, *next is the node behind
 * it. Each load costs seven instructions, because the kernel guards it against user addresses. The
 * INTID of what is no LPI goes with its address for as long as there is a vCPU. Two of the words
 * hold nothing but hwintid and ops, which change with a flag in another one if at all: all looks at
 * them, too, and is asked for once a pair.
 */
static __always_inline bool same(const struct seen *e, __u64 at, const bool all, __u64 *next)
{
	const __u64 *node, *word;
	__u64 changed;

	if (e->at != at && (e->at != (at | 1) || irq_at(irq_of(at))->intid != e->irq.intid))
		return false;
	node = words_at(at);
	word = node + VCPU_BEHIND_NODE / 8;
	changed = CHANGED(0) | CHANGED(1) | CHANGED(2);
	if (all) {
		changed |= CHANGED(3) | CHANGED(4) | CHANGED(5);
		if (more_words())
			changed |= CHANGED(6) | CHANGED(7);
	} else if (more_words()) {
		changed |= CHANGED(3) | CHANGED(5) | CHANGED(6);
	} else {
		changed |= CHANGED(4);
	}
	if (changed)
		return false;
	*next = node[0];
	return true;
}

/* Nothing that was seen holds any longer. */
static __always_inline void forget_seen(struct scratch *s)
{
	__u32 i;

	while (s->looked && can_loop) {
		i = --s->looked;
		if (i >= VGR_MAX_IRQS)
			continue;
		s->seen[i][OUTSIDE].at = s->seen[i][INSIDE].at = 0;
	}
}

/*
 * Brings up to date what is kept of the interrupt at position k, which has changed. SEE_AGAIN:
 * the caller goes over it once more, so that what happens often has nothing to carry past what
 * happens seldom.
 */
enum see { SEEN, SEE_AGAIN, UNREADABLE };

static __always_inline enum see look_again(struct scratch *s, __u64 at, const enum place place,
					   __u32 k, __u16 self_idx)
{
	/* What others change as fast as it is read would keep us here. */
	if (++s->looks > 2 * VGR_MAX_IRQS || !look(s, at, place, k, self_idx))
		return UNREADABLE;
	return s->seen[k][place].at ? SEE_AGAIN : SEEN;
}

/* Goes on counting where no more interrupts are kept. */
__noinline int count_on(struct scratch *s, __u64 at, __u64 head)
{
	const struct vgic_irq *irq;

	if (!s)
		return 0;
	s->flags |= VGR_F_CUT;
	s->at = at;
	while (s->at != head && can_loop) {
		if (s->n >= WALK_MAX)
			break;
		irq = irq_at(irq_of(s->at));
		if ((__u64)irq->vcpu != (__u64)s->vcpu) {
			s->flags |= VGR_F_TORN;
			break;
		}
		s->at = (__u64)irq->ap_list.next;
		s->n++;
	}
	return 0;
}

/* From what is kept to its place in a record. */
static __always_inline void put_irq(struct vgr_irq *to, const struct seen *e)
{
	const __u64 *from = (const void *)&e->irq;
	__u64 *out = (void *)to;

	out[0] = from[0];
	out[1] = from[1];
}

/* Entries that a walk saw. From memory: the verifier would follow each number by itself. */
static __always_inline __u32 walked(const struct scratch *s)
{
	return *(const volatile __u32 *)&s->n;
}

/* No more than a record has room for. */
static __always_inline __u32 at_most_all(__u32 n)
{
	return n > VGR_MAX_IRQS ? VGR_MAX_IRQS : n;
}

/* Of these, the ones that it kept. */
static __always_inline __u32 kept(const struct scratch *s)
{
	return at_most_all(walked(s));
}

static __always_inline __u64 head_of(const struct scratch *s)
{
	return (__u64)s->vcpu + bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.ap_list_head);
}

/* The compiler does not write such a loop out by itself, because of the relocations in it. */
#define EACH_OF_STRIDE(step) \
	do {                 \
		step(0);     \
		step(1);     \
		step(2);     \
		step(3);     \
		step(4);     \
		step(5);     \
		step(6);     \
		step(7);     \
		step(8);     \
		step(9);     \
		step(10);    \
		step(11);    \
		step(12);    \
		step(13);    \
		step(14);    \
		step(15);    \
	} while (0)

/*
 * From *at on, as long as entries are what was kept of the first ones: into the record, if put, at
 * to. How many there were; *at is the node of the next.
 */
static __always_inline __u32 walk_same(const struct scratch *s, const enum place place, __u64 *at,
				       __u64 head, const bool put, struct vgr_irq *to)
{
#define STEP(i)                                                                          \
	do {                                                                             \
		if (*at == head || !same(&s->seen[i][place], *at, place == OUTSIDE, at)) \
			return i;                                                        \
		if (put)                                                                 \
			put_irq(to + i, &s->seen[i][place]);                             \
	} while (0)
	EACH_OF_STRIDE(STEP);
#undef STEP
	return STRIDE;
}

/* Room for the largest record. */
struct room {
	__u8 bytes[OUT_ROOM];
};

/* Entries of the list before a flush, and before a sync. From memory, as above. */
#define BEFORE_FLUSH(s) (*(const volatile __u16 *)&(s)->flush.n_before)
#define BEFORE_SYNC(s)	(*(const volatile __u32 *)&(s)->n_before)

/* Where in the record of a flush the list after it stands. */
static __always_inline struct vgr_irq *after_in(const struct scratch *s, struct room *room)
{
	return (void *)room + sizeof(struct vgr_flush) +
	       at_most_all(BEFORE_FLUSH(s)) * sizeof(struct vgr_irq);
}

/* The list from that node on, s->n entries of which are behind us. room: of a flush, or NULL. */
static __always_inline int walk_on(struct scratch *s, __u64 at, const enum place place,
				   __u32 self_idx, struct room *room)
{
	struct vgr_irq *to = NULL;
	struct seen(*e)[2];
	enum see got;
	__u64 head, next;
	__u32 n;

	if (!s)
		return 0;
	head = head_of(s);
	s->looks = 0;
	while (at != head && can_loop) {
		n = s->n;
		if (n >= VGR_MAX_IRQS) {
			count_on(s, at, head);
			return 0;
		}
		e = &s->seen[n];
		KEEP(e);
		if (room) {
			KEEP(room);
			to = after_in(s, room) + n;
			KEEP(to);
		}
		if (!same(&(*e)[place], at, place == OUTSIDE, &next)) {
			/* It has moved to another list, and would lead there. */
			if ((__u64)irq_at(irq_of(at))->vcpu != (__u64)s->vcpu)
				goto torn;
			got = look_again(s, at, place, n, self_idx);
			if (got == SEE_AGAIN)
				continue;
			if (got == UNREADABLE)
				goto torn;
			next = *words_at(at);
		}
		if (room)
			put_irq(to, &(*e)[place]);
		at = next;
		s->n = n + 1;
	}
	if (at != head)
		s->flags |= VGR_F_CUT;
	return 0;
torn:
	s->flags |= VGR_F_TORN;
	return 0;
}

__noinline int walk_on_outside(struct scratch *s, __u64 at, __u32 self_idx)
{
	return walk_on(s, at, OUTSIDE, self_idx, NULL);
}

__noinline int walk_on_inside(struct scratch *s, __u64 at, __u32 self_idx, struct room *room)
{
	return walk_on(s, at, INSIDE, self_idx, room);
}

/*
 * Follows the list of s->vcpu; what its entries look like stands in s->seen then, and of a flush in
 * its record, if put, where room is. s->n is how many there were in the end; at most VGR_MAX_IRQS
 * of them were kept, and s->flags says if not all.
 */
static __always_inline void walk_list(struct cpu_state *cs, struct scratch *s,
				      const enum place place, const bool put, struct room *room)
{
	__u64 head = head_of(s), at = *words_at(head);

	s->n = walk_same(s, place, &at, head, put, put ? after_in(s, room) : NULL);
	if (at == head)
		return;
	if (place == OUTSIDE)
		walk_on_outside(s, at, cs->who & 0xffff);
	else
		walk_on_inside(s, at, cs->who & 0xffff, put ? room : NULL);
}

/* Where a sync's lists stand in its record. */
struct sync_lists {
	struct vgr_irq *before;
	struct vgr_irq *after; /* the same interrupts */
	__u32 *order;
};

static __always_inline struct sync_lists lists_in(const struct scratch *s, struct room *room)
{
	__u32 n = at_most_all(BEFORE_SYNC(s)), lrs = s->sync.used_lrs;
	struct sync_lists to;

	if (lrs > VGR_MAX_LRS)
		lrs = VGR_MAX_LRS;
	to.before = (void *)room + sizeof(struct vgr_sync);
	to.after = to.before + n;
	to.order = (void *)(to.after + n) + lrs * sizeof(__u64);
	return to;
}

/*
 * As walk_same(), after a sync: for the first entries, which have to be those of "before",
 * too. Both states of each go into the record, and its INTID.
 */
static __always_inline __u32 walk_same_again(const struct scratch *s, __u64 *at, __u64 head,
					     const struct sync_lists *to)
{
#define STEP(i)                                                  \
	do {                                                     \
		if (*at == head || i >= BEFORE_SYNC(s))          \
			return i;                                \
		if (s->seen[i][INSIDE].last != *at)              \
			return i;                                \
		if (!same(&s->seen[i][OUTSIDE], *at, false, at)) \
			return i;                                \
		to->order[i] = s->seen[i][OUTSIDE].irq.intid;    \
		put_irq(to->before + i, &s->seen[i][INSIDE]);    \
		put_irq(to->after + i, &s->seen[i][OUTSIDE]);    \
	} while (0)
	EACH_OF_STRIDE(STEP);
#undef STEP
	return STRIDE;
}

/*
 * The list after a sync from the entry at that node on, s->n of which are behind us, for as long as
 * those of "before" stand at their places. Gives the node of what comes next, which is the list's
 * head at its end, or 0 if that cannot be told.
 */
static __always_inline __u64 walk_again(struct scratch *s, __u64 at, __u64 head, __u32 self_idx,
					const struct sync_lists *to)
{
	struct seen(*e)[2];
	enum see got;
	__u64 next;
	__u32 n;

	s->looks = 0;
	while (at != head && can_loop) {
		struct sync_lists here;

		n = s->n;
		if (n >= s->n_before || n >= VGR_MAX_IRQS)
			break;
		e = &s->seen[n];
		here.before = to->before + n;
		here.after = to->after + n;
		here.order = to->order + n;
		KEEP(e);
		if ((*e)[INSIDE].last != at)
			break;
		if (!same(&(*e)[OUTSIDE], at, false, &next)) {
			if ((__u64)irq_at(irq_of(at))->vcpu != (__u64)s->vcpu)
				goto torn;
			got = look_again(s, at, OUTSIDE, n, self_idx);
			if (got == SEE_AGAIN)
				continue;
			if (got == UNREADABLE)
				goto torn;
			next = *words_at(at);
		}
		*here.order = (*e)[OUTSIDE].irq.intid;
		put_irq(here.before, &(*e)[INSIDE]);
		put_irq(here.after, &(*e)[OUTSIDE]);
		at = next;
		s->n = n + 1;
	}
	return at;
torn:
	s->flags |= VGR_F_TORN;
	return 0;
}

/* The rest of the list, INTIDs only. */
static __always_inline void walk_rest(struct scratch *s, __u64 at, __u64 head, __u32 *order)
{
	const struct vgic_irq *irq;
	__u32 n;

	while (at != head && can_loop) {
		n = s->n;
		if (n >= VGR_MAX_IRQS) {
			count_on(s, at, head);
			return;
		}
		irq = irq_at(irq_of(at));
		if ((__u64)irq->vcpu != (__u64)s->vcpu) {
			s->flags |= VGR_F_TORN;
			return;
		}
		order[n] = irq->intid;
		at = (__u64)irq->ap_list.next;
		s->n = n + 1;
	}
	if (at != head)
		s->flags |= VGR_F_CUT;
}

/* The interrupts of "before" that are not in the record yet, by address. */
static __always_inline void read_again(struct scratch *s, __u32 self_idx,
				       const struct sync_lists *to)
{
	struct seen(*e)[2];
	struct vgr_irq *irq;
	enum see got;
	__u64 at, next;
	__u32 i;

	s->looks = 0;
	while (s->again < s->n_before && can_loop) {
		i = s->again;
		if (i >= VGR_MAX_IRQS)
			break;
		e = &s->seen[i];
		KEEP(e);
		at = (*e)[INSIDE].last;
		if (!same(&(*e)[OUTSIDE], at, false, &next)) {
			got = look_again(s, at, OUTSIDE, i, self_idx);
			if (got == SEE_AGAIN)
				continue;
			if (got == UNREADABLE) {
				irq = &(*e)[OUTSIDE].irq;
				__builtin_memset(irq, 0, sizeof(*irq));
				irq->state = VGR_IRQ_GONE;
				irq->vcpu = irq->target = VGR_NO_VCPU;
			}
		}
		put_irq(to->before + i, &(*e)[INSIDE]);
		put_irq(to->after + i, &(*e)[OUTSIDE]);
		s->again = i + 1;
	}
}

/* What is left to do when the list after a sync is not short and what it was before. */
__noinline int finish_lists(struct scratch *s, __u64 at, __u32 self_idx, struct room *room)
{
	struct sync_lists to;
	__u64 head;

	if (!s || !room)
		return 0;
	to = lists_in(s, room);
	head = head_of(s);
	at = walk_again(s, at, head, self_idx, &to);
	s->again = s->n;
	if (at)
		walk_rest(s, at, head, to.order);
	read_again(s, self_idx, &to);
	return 0;
}

/* The list as it is after a sync, and both states of what was on it at the begin. */
static __always_inline void put_lists(struct cpu_state *cs, struct scratch *s, struct room *room)
{
	__u64 head = head_of(s), at = *words_at(head);
	struct sync_lists to = lists_in(s, room);

	KEEP(to.before);
	KEEP(to.after);
	KEEP(to.order);
	s->n = walk_same_again(s, &at, head, &to);
	if (at != head || walked(s) != BEFORE_SYNC(s))
		finish_lists(s, at, cs->who & 0xffff, room);
}

/* The interrupts of "before" from the first behind the stride on. */
__noinline int put_more(struct scratch *s, struct room *room)
{
	struct vgr_irq *to = (void *)room + sizeof(struct vgr_flush);
	__u32 k;

	if (!s || !room)
		return 0;
	s->copied = STRIDE;
	while (s->copied < s->flush.n_before && can_loop) {
		k = s->copied;
		if (k >= VGR_MAX_IRQS)
			break;
		put_irq(to + k, &s->seen[k][OUTSIDE]);
		s->copied = k + 1;
	}
	return 0;
}

/* The interrupts of "before" into the record of a flush. */
static __always_inline void put_before(struct scratch *s, struct room *room)
{
	struct vgr_irq *to = (void *)room + sizeof(struct vgr_flush);

#define STEP(i)                                        \
	do {                                           \
		if (BEFORE_FLUSH(s) <= i)              \
			return;                        \
		put_irq(to + i, &s->seen[i][OUTSIDE]); \
	} while (0)
	EACH_OF_STRIDE(STEP);
#undef STEP
	if (BEFORE_FLUSH(s) > STRIDE)
		put_more(s, room);
}

#endif
