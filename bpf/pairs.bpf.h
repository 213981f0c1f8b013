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
	return last ? BPF_CORE_READ(last, intid) : VGR_BOUNDARY_NONE;
}

static __always_inline __s32 read_active_spis(struct kvm *kvm)
{
	if (!bpf_core_field_exists(struct vgic_dist, active_spis))
		return -1;
	return BPF_CORE_READ(kvm, arch.vgic.active_spis.counter);
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
	const struct vgic_v3_cpu_if *v3 = (const void *)s->raw_cpuif;
	__u32 size;
	void *at;

	if (config.gicv2) {
		size = bpf_core_type_size(struct vgic_v2_cpu_if);
		at = (void *)s->vcpu +
		     bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.vgic_v2);
	} else {
		size = bpf_core_type_size(struct vgic_v3_cpu_if);
		at = (void *)s->vcpu +
		     bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.vgic_v3);
	}
	if (size > RAW_CPUIF_MAX)
		size = RAW_CPUIF_MAX;
	bpf_probe_read_kernel(s->raw_cpuif, size, at);
	to->hcr = config.gicv2 ? v2->vgic_hcr : v3->vgic_hcr;
	to->vmcr = config.gicv2 ? v2->vgic_vmcr : v3->vgic_vmcr;
	to->used_lrs = config.gicv2 ? v2->used_lrs : v3->used_lrs;
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

/* Appends n LR images; n at most VGR_MAX_LRS. Returns bytes used after them. */
static __always_inline __u32 append_lrs(struct scratch *s, __u32 used, __u32 n)
{
	const struct vgic_v3_cpu_if *v3 = (const void *)s->raw_cpuif;

	if (used > OUT_MAX - VGR_MAX_LRS * sizeof(__u64))
		return used;
	if (config.gicv2) {
		if (n > VGR_MAX_LRS)
			n = VGR_MAX_LRS;
		widen_lrs(s, used, n);
	} else {
		if (n > VGR_MAX_LRS_V3)
			n = VGR_MAX_LRS_V3;
		bpf_probe_read_kernel(s->out + used, n * sizeof(__u64), (void *)v3->vgic_lr);
	}
	return used + n * sizeof(__u64);
}

static __always_inline void output(struct cpu_state *cs, struct scratch *s, __u16 type)
{
	__u32 size = s->used;

	fill_head((void *)s->out, next_stamp(cs), type, s->flags, size, cs->run_vm, cs->run_vcpu);
	if (size > OUT_MAX || bpf_ringbuf_output(&ring, s->out, size, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&cs->lost, 1);
	else
		__sync_fetch_and_add(&cs->handled, 1);
}

static __always_inline void begin_pair(struct scratch *s, struct kvm_vcpu *vcpu, __u32 phase)
{
	s->vcpu = vcpu;
	s->kvm = BPF_CORE_READ(vcpu, kvm);
	s->phase = phase;
	s->flags = 0;
	if (bpf_core_field_exists(vcpu->mode))
		s->flags = BPF_CORE_READ(vcpu, mode) ? VGR_F_INSIDE : VGR_F_OUTSIDE;
	s->folded = 0;
	s->nested = 0;
}

static __always_inline int flush_begin(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s = this_scratch();
	struct walk w = {};
	struct vgr_flush *f;
	struct identity *id;

	if (!cs || !s)
		return 0;
	id = own_vcpu(cs, vcpu);
	cs->run_known = !!id;
	cs->loaded_known = !!id;
	s->phase = PHASE_NONE;
	if (!id)
		return 0;
	cs->run_vm = cs->loaded_vm = id->vm;
	cs->run_vcpu = cs->loaded_vcpu = id->vcpu;
	if (!id->announced) {
		id->announced = 1;
		announce_vcpu(cs, vcpu, id->vm, id->vcpu);
	}
	begin_pair(s, vcpu, PHASE_FLUSH);
	f = (void *)s->out;
	f->begin = bpf_ktime_get_ns();
	w.used = sizeof(*f);
	walk_list(&w, s, id->vcpu);
	f->n_before = w.kept;
	f->total_before = saturate16(w.total);
	s->n_before = w.kept;
	s->used = w.used;
	return 0;
}

static __always_inline void flush_finish(struct cpu_state *cs, struct scratch *s)
{
	struct vgr_flush *f = (void *)s->out;
	struct cpuif cpuif;
	struct walk w = {};
	struct kvm *kvm = s->kvm;
	__u32 limit = config.gicv2 ? VGR_MAX_LRS : VGR_MAX_LRS_V3;
	__u32 nr_lr = config.nr_lr < limit ? config.nr_lr : limit;

	s->phase = PHASE_NONE;
	w.used = s->used;
	walk_list(&w, s, cs->run_vcpu);
	f->n_after = w.kept;
	f->total_after = saturate16(w.total);
	read_cpuif(s, &cpuif);
	f->hcr = cpuif.hcr;
	f->vmcr = cpuif.vmcr;
	f->used_lrs = cpuif.used_lrs;
	f->boundary = read_boundary();
	f->active_spis = read_active_spis(kvm);
	f->nr_lr = nr_lr;
	f->dist_enabled = BPF_CORE_READ(kvm, arch.vgic.enabled);
	f->nested = s->nested;
	f->reserved = 0;
	s->used = append_lrs(s, w.used, nr_lr);
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
	struct walk w = {};
	struct vgr_sync *y;
	struct identity *id;

	if (!cs || !s)
		return 0;
	s->phase = PHASE_NONE;
	id = own_vcpu(cs, vcpu);
	cs->run_known = !!id;
	if (!id)
		return 0;
	cs->run_vm = id->vm;
	cs->run_vcpu = id->vcpu;
	begin_pair(s, vcpu, PHASE_SYNC);
	y = (void *)s->out;
	y->begin = bpf_ktime_get_ns();
	y->active_spis_before = read_active_spis(s->kvm);
	y->used_lrs = 0;
	w.used = sizeof(*y);
	w.keep_addresses = 1;
	walk_list(&w, s, id->vcpu);
	y->n_before = w.kept;
	y->total_before = saturate16(w.total);
	s->n_before = w.kept;
	s->used = w.used;
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
	struct reread again = {};
	struct walk w = {};
	struct vgr_sync *y;
	struct kvm *kvm;
	__u32 n, used;

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
	again.s = s;
	again.used = sizeof(*y) + n * sizeof(struct vgr_irq);
	again.self_idx = cs->run_vcpu;
	if (n)
		bpf_loop(n, reread_step, &again, 0);
	used = sizeof(*y) + 2 * n * sizeof(struct vgr_irq);
	n = y->used_lrs;
	if (n > VGR_MAX_LRS)
		n = VGR_MAX_LRS;
	w.used = used + n * sizeof(__u64);
	w.only_intids = 1;
	walk_list(&w, s, cs->run_vcpu);
	y->n_after = w.kept;
	y->total_after = saturate16(w.total);
	kvm = s->kvm;
	y->active_spis_after = read_active_spis(kvm);
	y->dist_enabled = BPF_CORE_READ(kvm, arch.vgic.enabled);
	y->nested = s->nested;
	y->reserved = 0;
	used = w.used;
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
