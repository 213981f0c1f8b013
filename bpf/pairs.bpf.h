/* SPDX-License-Identifier: GPL-2.0-only */
/* Flush and sync: one record each, built up by several probes on one physical CPU. */
#ifndef VGICSIM_PAIRS_BPF_H
#define VGICSIM_PAIRS_BPF_H

#include "list.bpf.h"

/* The kernel's own per-CPU data (VHE). Absent with another type: never used then. */
extern struct kvm_host_data kvm_host_data __ksym __weak;

static __always_inline __u32 read_boundary(void)
{
	struct vgic_irq *last = NULL;

	if (!bpf_core_field_exists(struct kvm_host_data, last_lr_irq))
		return VGR_BOUNDARY_UNKNOWN;
	if (config.boundary == BOUNDARY_KERNEL) {
		struct kvm_host_data *data;

		if (!&kvm_host_data)
			return VGR_BOUNDARY_UNKNOWN;
		data = bpf_this_cpu_ptr(&kvm_host_data);
		last = data->last_lr_irq;
	} else if (config.boundary == BOUNDARY_HYP) {
		__u64 area = 0, at;

		at = config.hyp_percpu + 8ull * bpf_get_smp_processor_id();
		if (bpf_probe_read_kernel(&area, sizeof(area), (void *)at) || !area)
			return VGR_BOUNDARY_UNKNOWN;
		area += config.hyp_host_data +
			bpf_core_field_offset(struct kvm_host_data, last_lr_irq);
		if (bpf_probe_read_kernel(&last, sizeof(last), (void *)area))
			return VGR_BOUNDARY_UNKNOWN;
	} else {
		return VGR_BOUNDARY_UNKNOWN;
	}
	return last ? AT(struct vgic_irq, last)->intid : VGR_BOUNDARY_NONE;
}

static __always_inline __s32 read_active_spis(struct kvm *kvm)
{
	if (!bpf_core_field_exists(struct vgic_dist, active_spis))
		return -1;
	return AT(struct kvm, kvm)->arch.vgic.active_spis.counter;
}

/* What both generations of the interface have; the LRs stay in s->raw_cpuif. */
struct cpuif {
	__u32 hcr;
	__u32 vmcr;
	__u32 used_lrs;
};

static __always_inline void read_cpuif(struct scratch *s, struct cpuif *to)
{
	const struct vgic_v2_cpu_if *v2 = (const void *)s->raw_cpuif;
	const struct vgic_cpu *cpu = &AT(struct kvm_vcpu, s->vcpu)->arch.vgic_cpu;
	__u32 size = bpf_core_type_size(struct vgic_v2_cpu_if);

	if (!config.gicv2) {
		to->hcr = cpu->vgic_v3.vgic_hcr;
		to->vmcr = cpu->vgic_v3.vgic_vmcr;
		to->used_lrs = cpu->vgic_v3.used_lrs;
		return;
	}
	if (size > RAW_CPUIF_MAX)
		size = RAW_CPUIF_MAX;
	bpf_probe_read_kernel(s->raw_cpuif, size,
			      (void *)s->vcpu + bpf_core_field_offset(struct kvm_vcpu,
								      arch.vgic_cpu.vgic_v2));
	to->hcr = v2->vgic_hcr;
	to->vmcr = v2->vgic_vmcr;
	to->used_lrs = v2->used_lrs;
}

/* LRs of 32 bits into slots of 64. A global function for the same reason as convert_irq(). */
__noinline int widen_lrs(struct scratch *s, __u32 used, __u32 n)
{
	__u32 at = bpf_core_field_offset(struct vgic_v2_cpu_if, vgic_lr);
	__u32 i;

	if (!s || used > OUT_MAX - VGR_MAX_LRS * sizeof(__u64) ||
	    at > RAW_CPUIF_MAX - VGR_MAX_LRS * sizeof(__u32))
		return 0;
	for (i = 0; i < VGR_MAX_LRS && i < n; i++)
		*(__u64 *)(s->out + used + i * sizeof(__u64)) =
			*(__u32 *)(s->raw_cpuif + at + i * sizeof(__u32));
	return 0;
}

/* Each by itself: the verifier wants to know which. What is too many is written over later. */
#define FOUR_LRS(i)                                      \
	do {                                             \
		to[i] = cpu->vgic_v3.vgic_lr[i];         \
		to[i + 1] = cpu->vgic_v3.vgic_lr[i + 1]; \
		to[i + 2] = cpu->vgic_v3.vgic_lr[i + 2]; \
		to[i + 3] = cpu->vgic_v3.vgic_lr[i + 3]; \
	} while (0)

/* Appends n LR images; n at most VGR_MAX_LRS. Returns bytes used after them. */
static __always_inline __u32 append_lrs(struct scratch *s, __u32 used, __u32 n)
{
	const struct vgic_cpu *cpu = &AT(struct kvm_vcpu, s->vcpu)->arch.vgic_cpu;
	__u64 *to;

	if (used > OUT_MAX - VGR_MAX_LRS * sizeof(__u64))
		return used;
	if (config.gicv2) {
		if (n > VGR_MAX_LRS)
			n = VGR_MAX_LRS;
		widen_lrs(s, used, n);
		return used + n * sizeof(__u64);
	}
	if (n > VGR_MAX_LRS_V3)
		n = VGR_MAX_LRS_V3;
	to = (void *)(s->out + used);
	if (n > 0) {
		FOUR_LRS(0);
	}
	if (n > 4) {
		FOUR_LRS(4);
	}
	if (n > 8) {
		FOUR_LRS(8);
	}
	if (n > 12) {
		FOUR_LRS(12);
	}
	return used + n * sizeof(__u64);
}

static __always_inline void output(struct cpu_state *cs, struct scratch *s, __u16 type)
{
	__u32 size = s->used;

	fill_head((void *)s->out, next_stamp(cs), type, s->flags, size, cs->run_vm, cs->run_vcpu,
		  cs->run_tid);
	if (size > OUT_MAX || bpf_ringbuf_output(&ring, s->out, size, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&cs->lost, 1);
}

static __always_inline void begin_pair(struct scratch *s, struct kvm_vcpu *vcpu, __u32 phase)
{
	s->vcpu = vcpu;
	s->kvm = AT(struct kvm_vcpu, vcpu)->kvm;
	s->phase = phase;
	s->flags = 0;
	if (bpf_core_field_exists(vcpu->mode))
		s->flags = AT(struct kvm_vcpu, vcpu)->mode ? VGR_F_INSIDE : VGR_F_OUTSIDE;
	s->folded = 0;
	s->nested = 0;
}

/*
 * The vCPU that ran here last is asked for again and again. false: it is not recorded. What
 * is kept by position on its list holds for it only.
 */
static __always_inline bool enter_vcpu(struct cpu_state *cs, struct scratch *s,
				       struct kvm_vcpu *vcpu, bool flush)
{
	__u32 gone = *(volatile __u32 *)&vcpus_gone;
	struct identity *id;

	if (s->known == vcpu && s->known_gone == gone && (s->known_announced || !flush))
		return true;
	s->known = NULL;
	forget_seen(s);
	id = own_vcpu(cs, vcpu);
	cs->run_known = !!id;
	if (flush)
		cs->loaded_known = !!id;
	if (!id)
		return false;
	cs->run_vm = id->vm;
	cs->run_vcpu = id->vcpu;
	cs->run_tid = (__u32)bpf_get_current_pid_tgid();
	if (flush && !id->announced) {
		id->announced = 1;
		announce_vcpu(cs, vcpu, id->vm, id->vcpu);
	}
	s->known_announced = id->announced;
	s->known_gone = gone;
	s->known = vcpu;
	return true;
}

static __always_inline int flush_begin(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s = this_scratch();
	struct vgr_flush *f;

	if (!cs || !s)
		return 0;
	s->phase = PHASE_NONE;
	if (!enter_vcpu(cs, s, vcpu, true))
		return 0;
	cs->loaded_known = 1;
	cs->loaded_vm = cs->run_vm;
	cs->loaded_vcpu = cs->run_vcpu;
	begin_pair(s, vcpu, PHASE_FLUSH);
	f = (void *)s->out;
	f->begin = bpf_ktime_get_ns();
	s->used = walk_list(s, sizeof(*f), cs->run_vcpu, OUTSIDE, WALK_COPY, 0);
	f->n_before = kept(s);
	f->total_before = saturate16(s->n);
	s->n_before = kept(s);
	return 0;
}

static __always_inline void flush_finish(struct cpu_state *cs, struct scratch *s)
{
	struct vgr_flush *f = (void *)s->out;
	struct cpuif cpuif;
	struct kvm *kvm = s->kvm;
	__u32 limit = config.gicv2 ? VGR_MAX_LRS : VGR_MAX_LRS_V3, used;
	__u32 nr_lr = config.nr_lr < limit ? config.nr_lr : limit;

	s->phase = PHASE_NONE;
	used = walk_list(s, s->used, cs->run_vcpu, INSIDE, WALK_COPY, 0);
	f->n_after = kept(s);
	f->total_after = saturate16(s->n);
	read_cpuif(s, &cpuif);
	f->hcr = cpuif.hcr;
	f->vmcr = cpuif.vmcr;
	f->used_lrs = cpuif.used_lrs;
	f->boundary = read_boundary();
	f->active_spis = read_active_spis(kvm);
	f->nr_lr = nr_lr;
	f->dist_enabled = AT(struct kvm, kvm)->arch.vgic.enabled;
	f->nested = s->nested;
	f->reserved = 0;
	s->used = append_lrs(s, used, nr_lr);
	if ((s->flags & VGR_F_NO_CONFIG) && !config.always_flushes && !s->n_before && !f->used_lrs)
		s->flags |= VGR_F_SKIPPED;
	output(cs, s, VGR_FLUSH);
}

static __always_inline int flush_end(__u32 flags)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s = this_scratch();

	if (!cs || !s || s->phase != PHASE_FLUSH)
		return 0;
	s->flags |= flags;
	flush_finish(cs, s);
	return 0;
}

static __always_inline int sync_begin(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s = this_scratch();
	struct vgr_sync *y;

	if (!cs || !s)
		return 0;
	s->phase = PHASE_NONE;
	if (!enter_vcpu(cs, s, vcpu, false))
		return 0;
	begin_pair(s, vcpu, PHASE_SYNC);
	y = (void *)s->out;
	y->begin = bpf_ktime_get_ns();
	y->active_spis_before = read_active_spis(s->kvm);
	y->used_lrs = 0;
	s->used = walk_list(s, sizeof(*y), cs->run_vcpu, INSIDE, WALK_KEEP_ADDRESSES, 0);
	y->n_before = kept(s);
	y->total_before = saturate16(s->n);
	s->n_before = kept(s);
	return 0;
}

/*
 * The hardware's state stands in the shadow now, and nothing has been folded yet.
 * The LRs go to their final place, behind the room for "after".
 */
static __always_inline void sync_sample(struct scratch *s)
{
	__u32 limit = config.gicv2 ? VGR_MAX_LRS : VGR_MAX_LRS_V3;
	struct vgr_sync *y = (void *)s->out;
	__u32 kept = s->n_before;
	struct cpuif cpuif;
	__u32 n;

	read_cpuif(s, &cpuif);
	n = cpuif.used_lrs;
	if (n > limit)
		n = limit;
	if (kept > VGR_MAX_IRQS)
		kept = VGR_MAX_IRQS;
	y->hcr = cpuif.hcr;
	y->vmcr = cpuif.vmcr;
	y->used_lrs = n;
	y->boundary = read_boundary();
	append_lrs(s, sizeof(*y) + 2 * kept * sizeof(struct vgr_irq), n);
}

static __always_inline int sync_fold(void)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s = this_scratch();

	if (!cs || !s || s->phase != PHASE_SYNC)
		return 0;
	sync_sample(s);
	s->folded = 1;
	cs->in_sync = 1;
	return 0;
}

static __always_inline int sync_end(void)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s = this_scratch();
	struct vgr_sync *y;
	struct kvm *kvm;
	__u32 n, lrs, after, used;

	if (!cs || !s || s->phase != PHASE_SYNC)
		return 0;
	cs->in_sync = 0;
	s->phase = PHASE_NONE;
	y = (void *)s->out;
	if (!s->folded) {
		sync_sample(s);
		s->flags |= VGR_F_NO_FOLD;
		if (!config.always_flushes && !s->n_before)
			s->flags |= VGR_F_SKIPPED;
	}
	n = s->n_before;
	if (n > VGR_MAX_IRQS)
		n = VGR_MAX_IRQS;
	after = sizeof(*y) + n * sizeof(struct vgr_irq);
	lrs = y->used_lrs;
	if (lrs > VGR_MAX_LRS)
		lrs = VGR_MAX_LRS;
	used = sizeof(*y) + 2 * n * sizeof(struct vgr_irq) + lrs * sizeof(__u64);
	used = walk_list(s, used, cs->run_vcpu, OUTSIDE, WALK_INTIDS, after);
	read_again(s, after, n, cs->run_vcpu);
	y->n_after = kept(s);
	y->total_after = saturate16(s->n);
	kvm = s->kvm;
	y->active_spis_after = read_active_spis(kvm);
	y->dist_enabled = AT(struct kvm, kvm)->arch.vgic.enabled;
	y->nested = s->nested;
	y->reserved = 0;
	if (used & 4) {
		if (used > OUT_MAX - 4)
			return 0;
		*(__u32 *)(s->out + used) = 0;
		used += 4;
	}
	s->used = used;
	output(cs, s, VGR_SYNC);
	return 0;
}

static __always_inline int mark_nested(void)
{
	struct scratch *s = this_scratch();

	if (s && s->phase != PHASE_NONE)
		s->nested = 1;
	return 0;
}

#endif
