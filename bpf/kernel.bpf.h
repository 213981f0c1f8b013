/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types that the capture looks into. Only names and shapes matter:
 * every access is relocated against the BTF of the running kernel, so members that
 * are not needed are left out and offsets mean nothing here.
 */
#ifndef VGICSIM_BPF_KERNEL_H
#define VGICSIM_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};

enum {
	BPF_F_MMAPABLE = 1u << 10,
};

enum {
	BPF_RB_NO_WAKEUP = 1u << 0,
};

/* Registers as a kprobe sees them; the name that libbpf uses for arm64. */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	int counter;
} atomic_t;

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
};

enum vgic_irq_config {
	VGIC_CONFIG_EDGE = 0,
	VGIC_CONFIG_LEVEL = 1,
};

struct irq_ops {
	unsigned long (*get_flags)(void); /* 7.x */
	bool (*get_input_level)(int vintid);
};

/* up to 7.0 */
struct irq_ops___flags {
	unsigned long flags;
};

struct kvm_vcpu;

/* Flags are bool in 6.12 and single bits later; the bit-field reader takes both. */
struct vgic_irq {
	__u32 intid;
	struct list_head ap_list;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *target_vcpu;
	bool pending_latch : 1;
	enum vgic_irq_config config : 1;
	bool line_level : 1;
	bool enabled : 1;
	bool active : 1;
	bool hw : 1;
	bool on_lr : 1;	 /* 6.19 */
	bool mapped : 1; /* 7.3 */
	__u32 hwintid;
	__u8 source;
	__u8 active_source;
	__u8 priority;
	__u8 group;
	struct irq_ops *ops;
	void *owner;
};

struct vgic_v2_cpu_if {
	__u32 vgic_hcr;
	__u32 vgic_vmcr;
	__u32 vgic_lr[64];
	unsigned int used_lrs;
};

struct vgic_v3_cpu_if {
	__u32 vgic_hcr;
	__u32 vgic_vmcr;
	__u64 vgic_lr[16];
	unsigned int used_lrs;
};

/* The interfaces stand in a union. */
struct vgic_cpu {
	struct vgic_v2_cpu_if vgic_v2;
	struct vgic_v3_cpu_if vgic_v3;
	struct vgic_irq *private_irqs;
	struct list_head ap_list_head;
};

struct vgic_dist {
	__u32 vgic_model;
	int nr_spis;
	__u64 vgic_dist_base;
	atomic_t active_spis; /* 6.19 */
	bool enabled;
	struct vgic_irq *spis;
};

struct kvm_arch {
	struct vgic_dist vgic;
};

struct kvm {
	atomic_t online_vcpus;
	struct kvm_arch arch;
};

struct kvm_pmu {
	int irq_num;
};

struct kvm_vcpu_arch {
	struct vgic_cpu vgic_cpu;
	struct kvm_pmu pmu;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	int vcpu_idx;
	int mode; /* 0: OUTSIDE_GUEST_MODE */
	struct kvm_vcpu_arch arch;
};

/* One per physical CPU. */
struct kvm_host_data {
	struct vgic_irq *last_lr_irq; /* 6.19 */
};

struct kvm_msi {
	__u32 address_lo;
	__u32 address_hi;
	__u32 data;
	__u32 flags;
	__u32 devid;
};

struct kvm_kernel_irq_routing_entry {
	__u32 gsi;
	__u32 type;
	struct {
		__u32 address_lo;
		__u32 address_hi;
		__u32 data;
		__u32 flags;
		__u32 devid;
	} msi;
};

enum vgic_type {
	VGIC_V2 = 0,
	VGIC_V3 = 1,
};

struct static_key {
	atomic_t enabled;
};

struct vgic_global {
	enum vgic_type type;
	int nr_lr;
	bool has_gicv4;
	bool no_hw_deactivation;
	__u32 ich_vtr_el2;
};

#pragma clang attribute pop

#endif
