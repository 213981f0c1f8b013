/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of interrupts and of ap_lists. */
#ifndef VGICSIM_LIST_BPF_H
#define VGICSIM_LIST_BPF_H

#include "record.bpf.h"

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

/* A walk over the list of s->vcpu. */
struct walk {
	struct scratch *s;
	__u64 head;
	__u64 at;
	__u32 used;  /* bytes of s->out written so far */
	__u32 kept;  /* entries copied */
	__u32 total; /* entries seen */
	__u16 self_idx;
	__u8 keep_addresses;
	__u8 only_intids;
	__u8 done;
	__u8 torn;
};

static long walk_step(__u32 i, struct walk *w)
{
	struct scratch *s = w->s;
	const struct vgic_irq *irq = (const void *)&s->raw_irq;
	__u64 addr = w->at;
	__u32 used = w->used, kept = w->kept;

	if (addr == w->head) {
		w->done = 1;
		return 1;
	}
	addr -= bpf_core_field_offset(struct vgic_irq, ap_list);
	/* Another owner: the walk has strayed with an entry that moved to that vCPU's list. */
	if (!read_irq(&s->raw_irq, addr) || irq->vcpu != s->vcpu) {
		w->torn = 1;
		return 1;
	}
	if (kept < VGR_MAX_IRQS) {
		if (w->only_intids) {
			if (used > OUT_MAX - sizeof(__u32))
				return 1;
			*(__u32 *)(s->out + used) = irq->intid;
			w->used = used + sizeof(__u32);
		} else {
			if (used > OUT_MAX - sizeof(struct vgr_irq))
				return 1;
			convert_irq((void *)(s->out + used), &s->raw_irq, (__u64)s->vcpu,
				    w->self_idx);
			w->used = used + sizeof(struct vgr_irq);
		}
		if (w->keep_addresses)
			s->irqs[kept & (VGR_MAX_IRQS - 1)] = addr;
		w->kept = kept + 1;
	}
	w->total++;
	w->at = (__u64)irq->ap_list.next;
	return 0;
}

/* Starts at out + w->used. Sets VGR_F_CUT and VGR_F_TORN in s->flags. */
static __always_inline void walk_list(struct walk *w, struct scratch *s, __u16 self_idx)
{
	struct kvm_vcpu *vcpu = s->vcpu;

	w->s = s;
	w->head = (__u64)vcpu + bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.ap_list_head);
	w->at = (__u64)BPF_CORE_READ(vcpu, arch.vgic_cpu.ap_list_head.next);
	w->self_idx = self_idx;
	if (w->at == w->head)
		return;
	bpf_loop(WALK_MAX, walk_step, w, 0);
	if (w->torn)
		s->flags |= VGR_F_TORN;
	if (w->total > w->kept || (!w->done && !w->torn && w->at != w->head))
		s->flags |= VGR_F_CUT;
}

/* The interrupts of "before" once more, by address. */
struct reread {
	struct scratch *s;
	__u32 used;
	__u16 self_idx;
};

static long reread_step(__u32 i, struct reread *w)
{
	struct scratch *s = w->s;
	__u32 used = w->used;
	struct vgr_irq *to;
	__u64 addr = s->irqs[i & (VGR_MAX_IRQS - 1)];

	if (used > OUT_MAX - sizeof(struct vgr_irq))
		return 1;
	to = (void *)(s->out + used);
	if (read_irq(&s->raw_irq, addr)) {
		convert_irq(to, &s->raw_irq, (__u64)s->vcpu, w->self_idx);
	} else {
		__builtin_memset(to, 0, sizeof(*to));
		to->state = VGR_IRQ_GONE;
		to->vcpu = to->target = VGR_NO_VCPU;
	}
	w->used = used + sizeof(struct vgr_irq);
	return 0;
}

/* Number of list entries as the record stores it. */
static __always_inline __u16 saturate16(__u32 n)
{
	return n > 0xffff ? 0xffff : n;
}

#endif
