/* SPDX-License-Identifier: GPL-2.0-only */
/* Flush and sync: one record each, built up by several probes on one physical CPU. */
#ifndef VGICSIM_PAIRS_BPF_H
#define VGICSIM_PAIRS_BPF_H

#include "list.bpf.h"

/* The kernel's own per-CPU data (VHE). Absent with another type: never used then. */
extern struct kvm_host_data kvm_host_data __ksym __weak;

/* Where last_lr_irq of this physical CPU is: always at the same place. */
static __always_inline __u64 boundary_place(void)
{
	struct kvm_host_data *data;
	__u64 area = 0, last, at;

	if (!bpf_core_field_exists(struct kvm_host_data, last_lr_irq))
		return 0;
	if (config.boundary == BOUNDARY_KERNEL && &kvm_host_data) {
		data = bpf_this_cpu_ptr(&kvm_host_data);
		return (__u64)data + bpf_core_field_offset(struct kvm_host_data, last_lr_irq);
	}
	if (config.boundary != BOUNDARY_HYP)
		return 0;
	at = config.hyp_percpu + 8ull * bpf_get_smp_processor_id();
	if (bpf_probe_read_kernel(&area, sizeof(area), (void *)at) || !area)
		return 0;
	at = area + config.hyp_host_data + bpf_core_field_offset(struct kvm_host_data, last_lr_irq);
	return bpf_probe_read_kernel(&last, sizeof(last), (void *)at) ? 0 : at;
}

static __always_inline __u32 read_boundary(const struct scratch *s)
{
	__u64 at = s->boundary_at, last;

	if (!at)
		return VGR_BOUNDARY_UNKNOWN;
	last = *words_at(at);
	return last ? irq_at(last)->intid : VGR_BOUNDARY_NONE;
}

static __always_inline const struct kvm *kvm_at(const struct scratch *s)
{
	return AT(struct kvm, s->kvm);
}

static __always_inline __s32 read_active_spis(const struct kvm *kvm)
{
	if (!bpf_core_field_exists(struct vgic_dist, active_spis))
		return -1;
	return kvm->arch.vgic.active_spis.counter;
}

#define WRITE_FOUR_LRS(i)                                \
	do {                                             \
		to[i] = s->hw.lr[i];                     \
		if (n > (i) + 1)                         \
			to[(i) + 1] = s->hw.lr[(i) + 1]; \
		if (n > (i) + 2)                         \
			to[(i) + 2] = s->hw.lr[(i) + 2]; \
		if (n > (i) + 3)                         \
			to[(i) + 3] = s->hw.lr[(i) + 3]; \
	} while (0)

/* And from there to their place in the record, not one more. */
static __always_inline void write_lrs(const struct scratch *s, __u64 *to, __u32 n)
{
	__u32 i;

	if (!n)
		return;
	KEEP(to);
	WRITE_FOUR_LRS(0);
	if (n <= 4)
		return;
	for (i = 4; i < VGR_MAX_LRS && i < n; i++)
		to[i] = s->hw.lr[i];
}

/*
 * Room for the largest record, as nobody else takes any: interrupts are off, and no other probe is
 * hit in the middle of this one. It is taken when the record is whole. NULL: lost.
 */
static __always_inline void *pair_begin(struct cpu_state *cs)
{
	__u32 ring = config.ring, place = cs->next;
	void *r;

	if (!has_room(cs, ring, place, OUT_MAX)) {
		lose(cs);
		return NULL;
	}
	r = room_at(cs, ring, place);
	KEEP(r);
	return r;
}

static __always_inline void pair_end(struct cpu_state *cs, struct head *r, __u16 type, __u16 flags,
				     __u32 size)
{
	__u64 next = cs->next;
	__u32 number = (next >> 32) + 1;

	r->where = (__u64)cs->vm << 32 | number;
	r->who = cs->who;
	r->time = bpf_ktime_get_ns();
	if (take_room(cs, config.ring, next, number, size))
		record_end_as(r, kind_of(type, flags, size));
	else
		lose(cs);
}

/* HCR and VMCR are written at once. */
#define HCR_VMCR(record) (*(__u64 *)&(record)->hcr)
_Static_assert(__builtin_offsetof(struct vgr_flush, vmcr) ==
		       __builtin_offsetof(struct vgr_flush, hcr) + 4,
	       "VMCR is not behind HCR");
_Static_assert(__builtin_offsetof(struct vgr_sync, vmcr) ==
		       __builtin_offsetof(struct vgr_sync, hcr) + 4,
	       "VMCR is not behind HCR");

static __always_inline void begin_pair(struct scratch *s, __u32 phase)
{
	s->phase = phase;
	s->flags = 0;
	if (bpf_core_field_exists(struct kvm_vcpu, mode))
		s->flags = AT(struct kvm_vcpu, s->vcpu)->mode ? VGR_F_INSIDE : VGR_F_OUTSIDE;
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
	cs->loaded_known = !!id;
	if (!id)
		return false;
	cs->vm = (__u32)id->vm << 16 | bpf_get_smp_processor_id();
	cs->who = who_is(id->vcpu, bpf_get_current_pid_tgid());
	cs->loaded_vm = id->vm;
	cs->loaded_vcpu = id->vcpu;
	if (flush && !id->announced) {
		id->announced = 1;
		announce_vcpu(cs, vcpu, id->vm, id->vcpu);
	}
	s->known_announced = id->announced;
	s->known_gone = gone;
	s->vcpu = vcpu;
	s->kvm = AT(struct kvm_vcpu, vcpu)->kvm;
	s->boundary_at = boundary_place();
	s->known = vcpu;
	return true;
}

static __always_inline int flush_begin(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s;

	if (!cs)
		return 0;
	s = scratch_of(cs);
	s->phase = PHASE_NONE;
	if (!enter_vcpu(cs, s, vcpu, true))
		return 0;
	begin_pair(s, PHASE_FLUSH);
	s->flush.begin = bpf_ktime_get_ns();
	walk_list(cs, s, OUTSIDE, false, NULL);
	s->flush.n_before = kept(s);
	s->flush.total_before = walked(s);
	return 0;
}

static __always_inline void flush_finish(struct cpu_state *cs, struct scratch *s)
{
	__u32 nr_lr, size, before, after;
	const struct vgic_v3_cpu_if *v3;
	const struct kvm *kvm;
	struct cpuif cpuif;
	struct vgr_flush *f;
	struct room *room;
	settings *c;
	void *lrs;

	s->phase = PHASE_RUN;
	room = pair_begin(cs);
	f = (void *)room;
	if (!room)
		return;
	put_before(s, room);
	walk_list(cs, s, INSIDE, true, room);
	before = at_most_all(BEFORE_FLUSH(s));
	after = kept(s);
	size = sizeof(*f) + before * sizeof(struct vgr_irq) + after * sizeof(struct vgr_irq);
	lrs = (void *)f + size;
	c = get_settings();
	nr_lr = c->nr_lr;
	if (c->gicv2) {
		read_cpuif_v2(&s->hw, s->vcpu, &cpuif);
		widen_lrs(&s->hw, nr_lr);
		write_lrs(s, lrs, nr_lr);
	} else {
		v3 = v3_of(s->vcpu);
		read_cpuif_v3(v3, &cpuif);
		read_no_more_lrs_v3(v3, lrs, nr_lr);
	}
	size += nr_lr * sizeof(__u64);
	kvm = kvm_at(s);
	f->begin = s->flush.begin;
	HCR_VMCR(f) = cpuif.hcr_vmcr;
	f->boundary = read_boundary(s);
	f->active_spis = read_active_spis(kvm);
	f->used_lrs = cpuif.used_lrs;
	f->nr_lr = nr_lr;
	f->n_before = before;
	f->n_after = after;
	f->total_before = s->flush.total_before;
	f->total_after = walked(s);
	f->dist_enabled = kvm->arch.vgic.enabled;
	f->nested = s->nested;
	f->reserved = 0;
	if ((s->flags & VGR_F_NO_CONFIG) && !c->always_flushes && !before && !cpuif.used_lrs)
		s->flags |= VGR_F_SKIPPED;
	pair_end(cs, (void *)f, VGR_FLUSH, s->flags, size);
}

static __always_inline int flush_end(__u32 flags)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s;

	if (!cs)
		return 0;
	s = scratch_of(cs);
	if (s->phase != PHASE_FLUSH)
		return 0;
	s->flags |= flags;
	flush_finish(cs, s);
	return 0;
}

static __always_inline bool sync_start(struct cpu_state *cs, struct scratch *s,
				       struct kvm_vcpu *vcpu)
{
	s->phase = PHASE_NONE;
	if (!enter_vcpu(cs, s, vcpu, false))
		return false;
	begin_pair(s, PHASE_SYNC);
	s->sync.begin = bpf_ktime_get_ns();
	s->sync.active_spis_before = read_active_spis(kvm_at(s));
	walk_list(cs, s, INSIDE, false, NULL);
	s->n_before = kept(s);
	s->sync.total_before = walked(s);
	return true;
}

static __always_inline int sync_begin(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();

	if (cs)
		sync_start(cs, scratch_of(cs), vcpu);
	return 0;
}

/* The hardware's state stands in the shadow now, and nothing has been folded yet. */
static __always_inline void sync_sample(struct scratch *s)
{
	const struct vgic_v3_cpu_if *v3;
	struct cpuif cpuif;
	__u32 n;

	if (config.gicv2) {
		read_cpuif_v2(&s->hw, s->vcpu, &cpuif);
		n = cpuif.used_lrs < VGR_MAX_LRS ? cpuif.used_lrs : VGR_MAX_LRS;
		s->sync.used_lrs = n;
		widen_lrs(&s->hw, n);
	} else {
		v3 = v3_of(s->vcpu);
		read_cpuif_v3(v3, &cpuif);
		n = cpuif.used_lrs < VGR_MAX_LRS_V3 ? cpuif.used_lrs : VGR_MAX_LRS_V3;
		s->sync.used_lrs = n;
		read_lrs_v3(v3, s->hw.lr, n);
	}
	HCR_VMCR(&s->sync) = cpuif.hcr_vmcr;
	s->sync.boundary = read_boundary(s);
}

static __always_inline int sync_fold(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s;

	if (!cs)
		return 0;
	s = scratch_of(cs);
	if (config.begins_at_fold ? !sync_start(cs, s, vcpu) : s->phase != PHASE_SYNC)
		return 0;
	sync_sample(s);
	s->folded = 1;
	cs->in_sync = 1;
	return 0;
}

/* vcpu: NULL where it is not at hand, and a sync has a probe at its begin. */
static __always_inline int sync_end(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	const struct kvm *kvm;
	struct vgr_sync *y;
	struct scratch *s;
	struct room *room;
	__u32 n, lrs, size;

	if (!cs)
		return 0;
	s = scratch_of(cs);
	/* A sync without a fold; but not one that was half over when the recording began. */
	if (s->phase != PHASE_SYNC &&
	    (s->phase != PHASE_RUN || !config.begins_at_fold || !vcpu || !sync_start(cs, s, vcpu)))
		return 0;
	cs->in_sync = 0;
	s->phase = PHASE_NONE;
	if (!s->folded) {
		sync_sample(s);
		s->flags |= VGR_F_NO_FOLD;
		if (!config.always_flushes && !s->n_before)
			s->flags |= VGR_F_SKIPPED;
	}
	room = pair_begin(cs);
	y = (void *)room;
	if (!room)
		return 0;
	put_lists(cs, s, room);
	n = at_most_all(BEFORE_SYNC(s));
	lrs = s->sync.used_lrs;
	if (lrs > VGR_MAX_LRS)
		lrs = VGR_MAX_LRS;
	size = sizeof(*y) + 2 * n * sizeof(struct vgr_irq);
	write_lrs(s, (void *)y + size, lrs);
	size += lrs * sizeof(__u64);
	size += kept(s) * sizeof(__u32);
	/* What no record stands in is zero: so is what fills it up. */
	size = (size + 7) & ~7u;
	kvm = kvm_at(s);
	y->begin = s->sync.begin;
	HCR_VMCR(y) = HCR_VMCR(&s->sync);
	y->boundary = s->sync.boundary;
	y->active_spis_before = s->sync.active_spis_before;
	y->active_spis_after = read_active_spis(kvm);
	y->used_lrs = lrs;
	y->n_before = n;
	y->n_after = kept(s);
	y->total_before = s->sync.total_before;
	y->total_after = walked(s);
	y->dist_enabled = kvm->arch.vgic.enabled;
	y->nested = s->nested;
	y->reserved = 0;
	pair_end(cs, (void *)y, VGR_SYNC, s->flags, size);
	return 0;
}

static __always_inline int mark_nested(void)
{
	struct cpu_state *cs = this_cpu();
	struct scratch *s;

	if (!cs)
		return 0;
	s = scratch_of(cs);
	if (s->phase != PHASE_NONE)
		s->nested = 1;
	return 0;
}

#endif
