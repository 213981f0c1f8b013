/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps, numbering and output of records; which VMs and vCPUs are recorded.
 *
 * Every record takes its number and its room at once. One that finds no room takes a number,
 * so that it leaves a gap that the recorder sees.
 */
#ifndef VGICSIM_RECORD_BPF_H
#define VGICSIM_RECORD_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "shared.h"

const volatile struct capture_config config;
#include "vgic.bpf.h"

/* Its address is worked out once where more than one of its values is asked for. */
typedef const volatile struct capture_config settings;

static __always_inline settings *get_settings(void)
{
	settings *c = &config;

	KEEP(c);
	return c;
}

volatile struct capture_control control;
__u32 next_vm;

/* One entry per physical CPU; how large it is depends on the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, CPU_AREA(RING_MIN));
} cpus SEC(".maps");

/* A VM or a vCPU by the address of its structure; vm is VGR_NO_VM for one that is not recorded. */
struct identity {
	__u16 vm;
	__u16 vcpu;
	__u8 announced; /* its first flush has been seen */
	__u8 pad[3];
};

/* Counts vCPUs that have gone: what was kept by address holds no longer. */
__u32 vcpus_gone;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct identity);
} vms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, struct identity);
} vcpus SEC(".maps");

/*
 * NULL while nothing is to be recorded. Attaching and detaching takes seconds, probe by
 * probe; this makes beginning and end of a recording one moment for all of them.
 */
static __always_inline struct cpu_state *this_cpu(void)
{
	__u32 cpu;

	if (!control.running)
		return NULL;
	cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* Head of a record as it is written, a word at a time. */
struct head {
	__u64 kind; /* type, flags, size; written last */
	__u64 time;
	__u64 where; /* number, CPU, VM */
	__u64 who;   /* vCPU, thread */
};

static __always_inline __u64 who_is(__u16 vcpu, __u32 tid)
{
	return (__u64)tid << 32 | vcpu;
}

/* Nobody has this number: the recorder reports it as lost. */
static __always_inline void lose(struct cpu_state *cs)
{
	__sync_fetch_and_add(&cs->next, 1ull << 32);
	__sync_fetch_and_add(&cs->lost, 1);
}

/* Is there room for size bytes at this place? */
static __always_inline bool has_room(struct cpu_state *cs, __u32 ring, __u32 place, __u32 size)
{
	return place - *(volatile __u32 *)&cs->done + size <= ring;
}

static __always_inline void *room_at(struct cpu_state *cs, __u32 ring, __u32 place)
{
	return (void *)cs + CPU_AREA_RING + (place & (ring - 8));
}

/* Takes the room that has been looked at, and this number, unless others have been quicker. */
static __always_inline bool take_room(struct cpu_state *cs, __u32 ring, __u64 next, __u32 number,
				      __u32 size)
{
	__u32 place = next, in_ring = place & (ring - 8), after = place + size;

	if (in_ring + size >= ring)
		after = place - in_ring + ring;
	return __sync_val_compare_and_swap(&cs->next, next, (__u64)number << 32 | after) == next;
}

/* Room for a record of constant size, and its head but for the first word; NULL: neither. */
static __always_inline struct head *try_record(struct cpu_state *cs, const __u32 size, __u32 vm,
					       __u64 who)
{
	__u64 next = *(volatile __u64 *)&cs->next, time;
	__u32 ring = config.ring, number = (next >> 32) + 1;
	struct head *r;

	KEEP(ring);
	if (!has_room(cs, ring, next, size))
		return NULL;
	time = bpf_ktime_get_ns();
	if (!take_room(cs, ring, next, number, size))
		return NULL;
	r = room_at(cs, ring, next);
	KEEP(r);
	r->time = time;
	r->where = (__u64)vm << 32 | number;
	r->who = who;
	return r;
}

/*
 * The same; NULL: lost, and counted. Number and time are taken together: an interrupt may run
 * another program in the middle of this one, and then both are taken again, so that along a CPU's
 * numbers time never goes back.
 */
static __always_inline void *record_begin_by(struct cpu_state *cs, const __u32 size, __u32 vm,
					     __u64 who)
{
	struct head *r = try_record(cs, size, vm, who);
	int i;

	if (r)
		return r;
	for (i = 0; i < 7; i++) {
		r = try_record(cs, size, vm, who);
		if (r)
			return r;
	}
	lose(cs);
	return NULL;
}

static __always_inline void *record_begin(struct cpu_state *cs, const __u32 size, __u16 vm,
					  __u16 vcpu)
{
	return record_begin_by(cs, size, (__u32)vm << 16 | bpf_get_smp_processor_id(),
			       who_is(vcpu, bpf_get_current_pid_tgid()));
}

/* By the thread of the last flush here, which is in the kernel's hands until it exits again. */
static __always_inline void *record_begin_run(struct cpu_state *cs, const __u32 size)
{
	return record_begin_by(cs, size, cs->vm, cs->who);
}

static __always_inline __u64 kind_of(__u16 type, __u16 flags, __u32 size)
{
	return (__u64)size << 32 | (__u32)flags << 16 | type;
}

/*
 * With this the record is there: all of it has been written before. Nobody is woken up: that would
 * be an interrupt, and so an exit of the guest under observation.
 */
static __always_inline void record_end_as(void *r, __u64 kind)
{
	__sync_lock_test_and_set(&((struct head *)r)->kind, kind);
}

#define record_end(r, type) record_end_as(r, kind_of(type, 0, sizeof(*(r))))

static __always_inline void record_plain(struct cpu_state *cs, __u16 type, __u16 vm, __u16 vcpu)
{
	struct vgr_plain *r = record_begin(cs, sizeof(*r), vm, vcpu);

	if (r)
		record_end(r, type);
}

static __always_inline void announce_vcpu(struct cpu_state *cs, struct kvm_vcpu *vcpu, __u16 vm,
					  __u16 idx)
{
	struct vgr_vcpu *r = record_begin(cs, sizeof(*r), vm, idx);
	struct kvm *kvm;
	__u32 model;
	__u64 dist;

	if (!r)
		return;
	kvm = BPF_CORE_READ(vcpu, kvm);
	dist = BPF_CORE_READ(kvm, arch.vgic.vgic_dist_base);
	model = BPF_CORE_READ(kvm, arch.vgic.vgic_model);
	r->tgid = bpf_get_current_pid_tgid() >> 32;
	r->vcpu_id = BPF_CORE_READ(vcpu, vcpu_id);
	r->nr_spis = BPF_CORE_READ(kvm, arch.vgic.nr_spis);
	/* KVM_DEV_TYPE_ARM_VGIC_V2 is 5, _V3 is 7. */
	r->vgic_model = model == 5 ? 2 : model == 7 ? 3 : model ? 5 : 0;
	r->reserved = 0;
	/* All ones: the VMM has not placed it yet. */
	r->dist_page = ~dist ? dist >> 12 : 0;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	record_end(r, VGR_VCPU);
}

/* Called on the vCPU's own thread only: it decides by the current process. */
static __noinline struct identity *adopt_vcpu(struct cpu_state *cs, struct kvm_vcpu *vcpu)
{
	__u64 kvm_key = (__u64)BPF_CORE_READ(vcpu, kvm), key = (__u64)vcpu;
	struct identity id = {}, *vm, *found;

	vm = bpf_map_lookup_elem(&vms, &kvm_key);
	if (!vm) {
		id.vm = VGR_NO_VM;
		if (process_wanted()) {
			__u32 n = __sync_fetch_and_add(&next_vm, 1);

			id.vm = n < 4096 ? n : VGR_NO_VM;
		}
		bpf_map_update_elem(&vms, &kvm_key, &id, BPF_NOEXIST);
		vm = bpf_map_lookup_elem(&vms, &kvm_key);
	}
	if (!vm) {
		__sync_fetch_and_add(&control.vcpu_table_full, 1);
		return NULL;
	}
	id.vm = vm->vm;
	id.vcpu = BPF_CORE_READ(vcpu, vcpu_idx);
	id.announced = 0;
	bpf_map_update_elem(&vcpus, &key, &id, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&vcpus, &key);
	if (!found) {
		__sync_fetch_and_add(&control.vcpu_table_full, 1);
		return NULL;
	}
	if (found->vm != VGR_NO_VM)
		announce_vcpu(cs, vcpu, found->vm, found->vcpu);
	return found;
}

/* NULL: this vCPU is not recorded. */
static __always_inline struct identity *known_vcpu(struct kvm_vcpu *vcpu)
{
	__u64 key = (__u64)vcpu;
	struct identity *id = bpf_map_lookup_elem(&vcpus, &key);

	return id && id->vm != VGR_NO_VM ? id : NULL;
}

static __always_inline struct identity *own_vcpu(struct cpu_state *cs, struct kvm_vcpu *vcpu)
{
	__u64 key = (__u64)vcpu;
	struct identity *id = bpf_map_lookup_elem(&vcpus, &key);

	if (!id)
		id = adopt_vcpu(cs, vcpu);
	return id && id->vm != VGR_NO_VM ? id : NULL;
}

static __always_inline __u16 known_vm(struct kvm *kvm)
{
	__u64 key = (__u64)kvm;
	struct identity *id = bpf_map_lookup_elem(&vms, &key);

	return id ? id->vm : VGR_NO_VM;
}

#endif
