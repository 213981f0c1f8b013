/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of interrupts and of ap_lists. */
#ifndef VGICSIM_LIST_BPF_H
#define VGICSIM_LIST_BPF_H

#include "record.bpf.h"
#include "words.bpf.h"

/* A longer list is followed only so far to learn its length. */
#define WALK_MAX 4096

/*
 * What an interrupt looked like when it stood at a position of a list last: its words from
 * the vcpu on. What was made of them stands in scratch.irqs. Mostly nothing has changed.
 */
struct seen {
	__u64 addr; /* 0: it holds no longer */
	__u64 intid;
	__u64 word[SEEN_WORDS];
	__u64 irq; /* address of the interrupt that was looked at last */
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
	__u32 n;      /* of the walk in progress */
	__u32 copied; /* of the copy in progress */
	__u32 n_before;
	__u32 again; /* of "before", read after the sync */
	__u32 looks; /* at interrupts that looked different from before */
	__u32 folded;
	__u32 nested;
	__u32 looked; /* something is kept at so many positions */
	__u64 at;     /* of the counting in progress */
	/* The vCPU that was here last, if it is recorded, for as long as vcpus_gone is the same. */
	struct kvm_vcpu *known;
	__u32 known_gone;
	__u32 known_announced;
	struct vgr_flush flush;
	struct vgr_sync sync;
	struct images hw;
	struct raw_irq raw_irq;
	struct vgr_irq irqs[2][VGR_MAX_IRQS];
	struct seen seen[2][VGR_MAX_IRQS];
};

_Static_assert(sizeof(struct cpu_state) <= CPU_AREA_WORK, "CPU_AREA_WORK is too small");
_Static_assert(CPU_AREA_WORK + sizeof(struct scratch) <= CPU_AREA_RING,
	       "CPU_AREA_RING is too small");

static __always_inline struct scratch *scratch_of(struct cpu_state *cs)
{
	struct scratch *s = (void *)cs + CPU_AREA_WORK;

	KEEP(s);
	return s;
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

/* Reads an interrupt and keeps what it looks like at position k. 0: it cannot be read. */
__noinline int look(struct scratch *s, __u64 addr, __u32 place, __u32 k, __u32 self_idx)
{
	__u32 i, at = bpf_core_field_offset(struct vgic_irq, vcpu);
	struct seen *e;

	if (!s || place > INSIDE || k >= VGR_MAX_IRQS || at > RAW_IRQ_MAX - 8 * SEEN_WORDS)
		return 0;
	if (k >= s->looked)
		s->looked = k + 1;
	e = &s->seen[place][k];
	e->addr = 0;
	e->irq = addr;
	if (!read_irq(&s->raw_irq, addr))
		return 0;
	convert_irq(&s->irqs[place][k], &s->raw_irq, (__u64)s->vcpu, self_idx);
	e->intid = s->irqs[place][k].intid;
	for (i = 0; i < SEEN_WORDS; i++)
		e->word[i] = *(__u64 *)(s->raw_irq.bytes + at + 8 * i);
	/*
	 * What looks the same is on the same list. Where the words do not tell all, each one is
	 * looked at anew each time.
	 */
	if (config.words_tell_all && e->word[0] == (__u64)s->vcpu)
		e->addr = addr;
	return 1;
}

/* Words that only kernels have whose flags are bytes. */
static __always_inline bool more_words(void)
{
	return !bpf_core_field_exists(struct vgic_irq, on_lr);
}

#define FIRST_LPI 8192

/*
 * Does an interrupt look as it did? Each load costs eight instructions, because the kernel guards
 * it against user addresses. The INTID of what is no LPI goes with its address for as long as there
 * is a vCPU. Words 3 and 5 hold nothing but hwintid and ops there, which change with a flag in word
 * 2 if at all: all looks at them, too, and is asked for once a pair.
 */
static __always_inline bool same(const struct seen *e, __u64 addr, const struct vgic_irq *irq,
				 const bool all)
{
	const __u64 *word = (const void *)&irq->vcpu;

	KEEP(word);
	if (e->addr != addr || (e->intid >= FIRST_LPI && e->intid != irq->intid) ||
	    word[0] != e->word[0] || word[1] != e->word[1] || word[2] != e->word[2] ||
	    word[4] != e->word[4])
		return false;
	if (!more_words())
		return !all || (word[3] == e->word[3] && word[5] == e->word[5]);
	return word[3] == e->word[3] && word[5] == e->word[5] && word[6] == e->word[6] &&
	       word[7] == e->word[7];
}

/* Nothing that was seen holds any longer. */
static __always_inline void forget_seen(struct scratch *s)
{
	__u32 i;

	while (s->looked && can_loop) {
		i = --s->looked;
		if (i >= VGR_MAX_IRQS)
			continue;
		s->seen[OUTSIDE][i].addr = s->seen[INSIDE][i].addr = 0;
	}
}

/*
 * Brings up to date what is kept of the interrupt at position k, which has changed. SEE_AGAIN:
 * the caller goes over it once more, so that what happens often has nothing to carry past what
 * happens seldom.
 */
enum see { SEEN, SEE_AGAIN, UNREADABLE };

static __always_inline enum see look_again(struct scratch *s, __u64 addr, const enum place place,
					   __u32 k, __u16 self_idx)
{
	/* What others change as fast as it is read would keep us here. */
	if (++s->looks > 2 * VGR_MAX_IRQS || !look(s, addr, place, k, self_idx))
		return UNREADABLE;
	return s->seen[place][k].addr ? SEE_AGAIN : SEEN;
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
		irq = irq_at(s->at - bpf_core_field_offset(struct vgic_irq, ap_list));
		if ((__u64)irq->vcpu != (__u64)s->vcpu) {
			s->flags |= VGR_F_TORN;
			break;
		}
		s->at = (__u64)irq->ap_list.next;
		s->n++;
	}
	return 0;
}

/*
 * Follows the list of s->vcpu; what its entries look like stands in s->irqs[place] then. s->n is
 * how many there were in the end; at most VGR_MAX_IRQS of them were kept, and s->flags says if
 * not all.
 *
 * after: writes the INTIDs there as well, and looks at those of "before" only, of which the first
 * s->again still stand at their places.
 */
static __always_inline void walk_list(struct scratch *s, __u16 self_idx, const enum place place,
				      void *after)
{
	__u64 head, at, addr, self = (__u64)s->vcpu;
	const struct vgic_irq *irq;
	struct seen *e;
	enum see got;
	__u32 n;

	head = self + bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.ap_list_head);
	at = *words_at(head);
	s->n = 0;
	s->again = 0;
	s->looks = 0;
	while (at != head && can_loop) {
		n = s->n;
		if (n >= VGR_MAX_IRQS) {
			count_on(s, at, head);
			return;
		}
		addr = at - bpf_core_field_offset(struct vgic_irq, ap_list);
		irq = irq_at(addr);
		if (after) {
			*(__u32 *)(after + n * sizeof(__u32)) = irq->intid;
			if (n != s->again || n >= s->n_before || s->seen[INSIDE][n].irq != addr) {
				if ((__u64)irq->vcpu != self)
					goto torn;
				goto counted;
			}
		}
		e = &s->seen[place][n];
		KEEP(e);
		if (!same(e, addr, irq, place == OUTSIDE && !after)) {
			/* It has moved to another list, and would lead there. */
			if ((__u64)irq->vcpu != self)
				goto torn;
			got = look_again(s, addr, place, n, self_idx);
			if (got == SEE_AGAIN)
				continue;
			if (got == UNREADABLE)
				goto torn;
			irq = irq_at(addr);
		}
		if (after)
			s->again = n + 1;
	counted:
		at = (__u64)irq->ap_list.next;
		s->n = n + 1;
	}
	if (at != head)
		s->flags |= VGR_F_CUT;
	return;
torn:
	s->flags |= VGR_F_TORN;
	/* No word may be left behind where the record does not reach. */
	if (after && n < VGR_MAX_IRQS)
		*(__u32 *)(after + n * sizeof(__u32)) = 0;
}

/* Of the entries that a walk saw, those that it kept. */
static __always_inline __u32 kept(const struct scratch *s)
{
	return s->n > VGR_MAX_IRQS ? VGR_MAX_IRQS : s->n;
}

/* The interrupts of "before" once more, by address, from s->again to n. */
static __always_inline void read_again(struct scratch *s, __u32 n, __u16 self_idx)
{
	struct vgr_irq *to;
	enum see got;
	__u64 addr;
	__u32 i;

	s->looks = 0;
	while (s->again < n && can_loop) {
		i = s->again;
		if (i >= VGR_MAX_IRQS)
			break;
		addr = s->seen[INSIDE][i].irq;
		if (!same(&s->seen[OUTSIDE][i], addr, irq_at(addr), false)) {
			got = look_again(s, addr, OUTSIDE, i, self_idx);
			if (got == SEE_AGAIN)
				continue;
			if (got == UNREADABLE) {
				to = &s->irqs[OUTSIDE][i];
				__builtin_memset(to, 0, sizeof(*to));
				to->state = VGR_IRQ_GONE;
				to->vcpu = to->target = VGR_NO_VCPU;
			}
		}
		s->again = i + 1;
	}
}

/* Copies n interrupts (a constant) from position k on. */
static __always_inline void copy_some(struct scratch *s, void *to, const enum place place, __u32 k,
				      const __u32 n)
{
	const __u64 *from = (const void *)&s->irqs[place][k];
	__u64 *out = to + k * sizeof(struct vgr_irq);
	__u32 i;

	KEEP(from);
	KEEP(out);
#pragma unroll
	for (i = 0; i < 2 * n; i++)
		out[i] = from[i];
}

/* Eight at a time, and then what is left; n at most VGR_MAX_IRQS. */
static __always_inline void copy_irqs(struct scratch *s, void *to, const enum place place, __u32 n)
{
	__u32 k;

	if (!n)
		return;
	s->copied = 0;
	while (n >= 8 && can_loop) {
		k = s->copied;
		if (k > VGR_MAX_IRQS - 8 || k + 8 > n)
			break;
		copy_some(s, to, place, k, 8);
		s->copied = k + 8;
	}
	k = s->copied;
	if (k > VGR_MAX_IRQS - 8)
		return;
	if (n & 4) {
		copy_some(s, to, place, k, 4);
		k += 4;
	}
	if (n & 2) {
		copy_some(s, to, place, k, 2);
		k += 2;
	}
	if (n & 1)
		copy_some(s, to, place, k, 1);
}

/* Number of list entries as the record stores it. */
static __always_inline __u16 saturate16(__u32 n)
{
	return n > 0xffff ? 0xffff : n;
}

#endif
