/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of interrupts and of ap_lists. */
#ifndef VGICSIM_LIST_BPF_H
#define VGICSIM_LIST_BPF_H

#include "record.bpf.h"
#include "words.bpf.h"

/* Bytes that the largest flush or sync needs. */
#define OUT_MAX                                                                \
	(sizeof(struct vgr_sync) + 2 * VGR_MAX_IRQS * sizeof(struct vgr_irq) + \
	 VGR_MAX_LRS * sizeof(__u64) + VGR_MAX_IRQS * sizeof(__u32))

/* A longer list is followed only so far to learn its length. */
#define WALK_MAX 4096

/* A struct vgic_irq of whatever kernel; only CO-RE knows what is where. */
struct raw_irq {
	__u8 bytes[RAW_IRQ_MAX];
} __attribute__((aligned(8)));

/*
 * What an interrupt looked like when it stood at a position of a list last: its words from
 * the vcpu on, and what was made of them. Mostly nothing has changed. Positions further back
 * share the last one.
 */
#define SEEN_MAX 64
struct seen {
	__u64 addr;
	__u64 word[SEEN_WORDS];
	struct vgr_irq irq; /* aligned to 8 */
};

enum phase { PHASE_NONE = 0, PHASE_FLUSH = 1, PHASE_SYNC = 2 };

/*
 * The pair under construction on one physical CPU. Flush and sync run with
 * interrupts off and never inside one another, so one is enough.
 */
struct scratch {
	struct kvm_vcpu *vcpu;
	struct kvm *kvm;
	__u32 phase;
	__u32 n_before;
	__u32 used; /* bytes of out */
	__u32 flags;
	__u32 folded;
	__u32 nested;
	/* The vCPU that was here last, if it is recorded, for as long as vcpus_gone is the same. */
	struct kvm_vcpu *known;
	__u32 known_gone;
	__u32 known_announced;
	struct seen seen[2][SEEN_MAX + 1];
	__u32 n;		  /* of the walk in progress */
	__u32 again;		  /* of "before", read after the sync */
	__u32 looks;		  /* at interrupts that looked different from before */
	__u64 irqs[VGR_MAX_IRQS]; /* addresses of the interrupts of "before" */
	struct raw_irq raw_irq;
	__u8 raw_cpuif[RAW_CPUIF_MAX] __attribute__((aligned(8)));
	__u8 out[OUT_MAX] __attribute__((aligned(8)));
};

/* One entry per physical CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *this_scratch(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratches, &cpu);
}

/* Whole structure at once: flags that share a word are then of one moment. */
static __always_inline bool read_irq(struct raw_irq *raw, __u64 irq)
{
	__u32 size = bpf_core_type_size(struct vgic_irq);

	if (size > RAW_IRQ_MAX)
		size = RAW_IRQ_MAX;
	return bpf_probe_read_kernel(raw, size, (void *)irq) == 0;
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

/* Words of the kernel's as numbers: what is loaded as a pointer stays one to the verifier. */
static __always_inline const __u64 *words_at(__u64 address)
{
	return AT(struct user_pt_regs, address)->regs;
}

/* The same for an interrupt, by its members. */
static __always_inline const struct vgic_irq *irq_at(__u64 address)
{
	return (const void *)words_at(address);
}

/*
 * While the guest runs, what is in a list register looks different: both looks are kept.
 */
enum place { OUTSIDE, INSIDE };

/* Reads an interrupt and keeps what it looks like at position k. 0: it cannot be read. */
__noinline int look(struct scratch *s, __u64 addr, __u32 place, __u32 k, __u32 self_idx)
{
	__u32 i, at = bpf_core_field_offset(struct vgic_irq, vcpu);
	struct seen *e;

	if (!s || place > INSIDE || k > SEEN_MAX || at > RAW_IRQ_MAX - 8 * SEEN_WORDS)
		return 0;
	e = &s->seen[place][k];
	e->addr = 0;
	if (!read_irq(&s->raw_irq, addr))
		return 0;
	convert_irq(&e->irq, &s->raw_irq, (__u64)s->vcpu, self_idx);
	for (i = 0; i < SEEN_WORDS; i++)
		e->word[i] = *(__u64 *)(s->raw_irq.bytes + at + 8 * i);
	/* Where they do not tell all it is looked at anew each time. */
	e->addr = config.words_tell_all ? addr : 0;
	return 1;
}

/* An address that is worked out once and kept; the compiler would do it for each access. */
#define KEEP(pointer) asm volatile("" : "+r"(pointer))

/* Words that only kernels have whose flags are bytes. */
static __always_inline bool more_words(void)
{
	return !bpf_core_field_exists(struct vgic_irq, on_lr);
}

static __always_inline bool same(const struct seen *e, __u64 addr, const struct vgic_irq *irq)
{
	const __u64 *word = (const void *)&irq->vcpu;

	KEEP(word);
	if (e->addr != addr || e->irq.intid != irq->intid || word[0] != e->word[0] ||
	    word[1] != e->word[1] || word[2] != e->word[2] || word[3] != e->word[3] ||
	    word[4] != e->word[4] || word[5] != e->word[5])
		return false;
	return !more_words() || (word[6] == e->word[6] && word[7] == e->word[7]);
}

static __always_inline struct seen *seen_at(struct scratch *s, const enum place place, __u32 k)
{
	struct seen *e = &s->seen[place][k < SEEN_MAX ? k : SEEN_MAX];

	KEEP(e);
	return e;
}

static __always_inline void copy_irq(struct scratch *s, __u32 used, const struct seen *e)
{
	__u64 *to = (void *)(s->out + used);
	const __u64 *from = (const void *)&e->irq;

	KEEP(to);
	to[0] = from[0];
	to[1] = from[1];
}

/* Nothing that was seen holds any longer. */
static __always_inline void forget_seen(struct scratch *s)
{
	__u32 i;

	for (i = 0; i < SEEN_MAX; i++)
		s->seen[OUTSIDE][i].addr = s->seen[INSIDE][i].addr = 0;
}

/*
 * A loop whose end the verifier need not see. Its variables stand in memory, or the verifier
 * would follow each of their values.
 */
#define can_loop                                                                          \
	({                                                                                \
		__label__ l_break, l_continue;                                            \
		bool ret = true;                                                          \
		asm volatile goto("1:.byte 0xe5; .byte 0;"                                \
				  ".long ((%l[l_break] - 1b - 8) / 8) & 0xffff; .short 0" \
				  :                                                       \
				  :                                                       \
				  :                                                       \
				  : l_break);                                             \
		goto l_continue;                                                          \
	l_break:                                                                          \
		ret = false;                                                              \
	l_continue:;                                                                      \
		ret;                                                                      \
	})

enum walk { WALK_COPY, WALK_KEEP_ADDRESSES, WALK_INTIDS };

/*
 * Appends the interrupt at position k of a list to out. SEE_AGAIN: it has changed and was looked
 * at anew; the caller goes over it once more, so that what happens often has nothing to carry
 * past what happens seldom.
 */
enum see { SEEN, SEE_AGAIN, UNREADABLE };

static __always_inline enum see see(struct scratch *s, __u64 addr, const struct vgic_irq *irq,
				    const enum place place, __u32 k, __u32 used, __u16 self_idx)
{
	struct seen *e = seen_at(s, place, k);

	if (used > OUT_MAX - sizeof(struct vgr_irq))
		return UNREADABLE;
	if (!same(e, addr, irq)) {
		/* What others change as fast as it is read would keep us here. */
		if (++s->looks > 2 * VGR_MAX_IRQS ||
		    !look(s, addr, place, k < SEEN_MAX ? k : SEEN_MAX, self_idx))
			return UNREADABLE;
		if (config.words_tell_all)
			return SEE_AGAIN;
		e = seen_at(s, place, k);
	}
	copy_irq(s, used, e);
	return SEEN;
}

/*
 * Follows the list of s->vcpu and appends its entries to out from base on. s->n is how many
 * there were in the end; at most VGR_MAX_IRQS of them were kept, and s->flags says if not all.
 * Gives the bytes of out that are used then.
 *
 * WALK_INTIDS appends INTIDs; s->again of the first interrupts of "before" still stand at their
 * places, and are appended from again on.
 */
static __always_inline __u32 walk_list(struct scratch *s, __u32 base, __u16 self_idx,
				       const enum place place, const enum walk how, __u32 again)
{
	const __u32 size = how == WALK_INTIDS ? sizeof(__u32) : sizeof(struct vgr_irq);
	const struct vgic_irq *irq;
	__u64 head, at, next, addr;
	__u32 n, used;
	enum see got;

	head = (__u64)s->vcpu + bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.ap_list_head);
	at = *words_at(head);
	s->n = 0;
	s->again = 0;
	s->looks = 0;
	while (at != head && can_loop) {
		n = s->n;
		if (n >= WALK_MAX)
			break;
		addr = at - bpf_core_field_offset(struct vgic_irq, ap_list);
		irq = irq_at(addr);
		next = (__u64)irq->ap_list.next;
		/* Another owner: the walk has strayed with an entry that moved to its list. */
		if ((__u64)irq->vcpu != (__u64)s->vcpu)
			goto torn;
		if (n >= VGR_MAX_IRQS)
			goto counted;
		used = base + n * size;
		if (used > OUT_MAX - size)
			break;
		if (how == WALK_INTIDS) {
			*(__u32 *)(s->out + used) = irq->intid;
			if (n != s->again || n >= s->n_before || s->irqs[n] != addr)
				goto counted;
			used = again + n * sizeof(struct vgr_irq);
		}
		got = see(s, addr, irq, place, n, used, self_idx);
		if (got == SEE_AGAIN)
			continue;
		if (got == UNREADABLE)
			goto torn;
		if (how == WALK_KEEP_ADDRESSES)
			s->irqs[n] = addr;
		if (how == WALK_INTIDS)
			s->again = n + 1;
	counted:
		s->n = n + 1;
		at = next;
	}
	if (at != head)
		s->flags |= VGR_F_CUT;
	goto out;
torn:
	s->flags |= VGR_F_TORN;
out:
	n = s->n;
	if (n > VGR_MAX_IRQS) {
		s->flags |= VGR_F_CUT;
		n = VGR_MAX_IRQS;
	}
	return base + n * size;
}

/* Of the entries that a walk saw, those that it kept. */
static __always_inline __u32 kept(const struct scratch *s)
{
	return s->n > VGR_MAX_IRQS ? VGR_MAX_IRQS : s->n;
}

/* The interrupts of "before" once more, by address: from s->again to n, appended from base on. */
static __always_inline void read_again(struct scratch *s, __u32 base, __u32 n, __u16 self_idx)
{
	struct vgr_irq *to;
	__u32 i, used;
	enum see got;
	__u64 addr;

	s->looks = 0;
	while (s->again < n && can_loop) {
		i = s->again;
		used = base + i * sizeof(*to);
		if (i >= VGR_MAX_IRQS || used > OUT_MAX - sizeof(*to))
			break;
		addr = s->irqs[i];
		got = see(s, addr, irq_at(addr), OUTSIDE, i, used, self_idx);
		if (got == SEE_AGAIN)
			continue;
		if (got == UNREADABLE) {
			to = (void *)(s->out + used);
			__builtin_memset(to, 0, sizeof(*to));
			to->state = VGR_IRQ_GONE;
			to->vcpu = to->target = VGR_NO_VCPU;
		}
		s->again = i + 1;
	}
}

/* Number of list entries as the record stores it. */
static __always_inline __u16 saturate16(__u32 n)
{
	return n > 0xffff ? 0xffff : n;
}

#endif
