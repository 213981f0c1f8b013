/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the programs read the kernel's vgic, whatever its generation. What includes this has a
 * constant "config" with tgid, root_tgid and gicv2.
 */
#ifndef VGICSIM_VGIC_BPF_H
#define VGICSIM_VGIC_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "shared.h"

/*
 * Loads through what this gives are single instructions; where there is no memory they give 0.
 * The helpers that read memory take a hundred.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;
#define AT(type, address) \
	((const type *)bpf_rdonly_cast((void *)(address), bpf_core_type_id_kernel(type)))

/* An address that is worked out once and kept; the compiler would do it for each access. */
#define KEEP(pointer) asm volatile("" : "+r"(pointer))

/* A struct vgic_irq of whatever kernel; only CO-RE knows what is where. */
struct raw_irq {
	__u8 bytes[RAW_IRQ_MAX];
} __attribute__((aligned(8)));

/* List registers of a vCPU, and room for the interface that they stand in. */
struct images {
	__u64 lr[VGR_MAX_LRS];
	__u8 raw[RAW_CPUIF_MAX] __attribute__((aligned(8)));
};

/* Whole structure at once: flags that share a word are then of one moment. */
static __always_inline bool read_irq(struct raw_irq *raw, __u64 irq)
{
	__u32 size = bpf_core_type_size(struct vgic_irq);

	if (size > RAW_IRQ_MAX)
		size = RAW_IRQ_MAX;
	return bpf_probe_read_kernel(raw, size, (void *)irq) == 0;
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
 * A loop whose end the verifier need not see. Its variables stand in memory and are read anew each
 * time, or the verifier would follow each of their values.
 */
#define can_loop                                                                          \
	({                                                                                \
		__label__ l_break, l_continue;                                            \
		bool ret = true;                                                          \
		asm volatile goto("1:.byte 0xe5; .byte 0;"                                \
				  ".long ((%l[l_break] - 1b - 8) / 8) & 0xffff; .short 0" \
				  :                                                       \
				  :                                                       \
				  : "memory"                                              \
				  : l_break);                                             \
		goto l_continue;                                                          \
	l_break:                                                                          \
		ret = false;                                                              \
	l_continue:;                                                                      \
		ret;                                                                      \
	})

/* What both generations of the interface have; of a GICv2 the LRs stay in raw. */
struct cpuif {
	__u64 hcr_vmcr; /* VMCR in the upper half, as it stands behind HCR in records */
	__u32 used_lrs;
};

/* The interface of a vCPU on a GICv3 host. */
static __always_inline const struct vgic_v3_cpu_if *v3_of(struct kvm_vcpu *vcpu)
{
	const struct vgic_v3_cpu_if *v3 = &AT(struct kvm_vcpu, vcpu)->arch.vgic_cpu.vgic_v3;

	KEEP(v3);
	return v3;
}

static __always_inline void read_cpuif_v2(struct images *s, struct kvm_vcpu *vcpu, struct cpuif *to)
{
	const struct vgic_v2_cpu_if *v2 = (const void *)s->raw;
	__u32 size = bpf_core_type_size(struct vgic_v2_cpu_if);

	if (size > RAW_CPUIF_MAX)
		size = RAW_CPUIF_MAX;
	bpf_probe_read_kernel(s->raw, size,
			      (void *)vcpu + bpf_core_field_offset(struct kvm_vcpu,
								   arch.vgic_cpu.vgic_v2));
	to->hcr_vmcr = (__u64)v2->vgic_vmcr << 32 | v2->vgic_hcr;
	to->used_lrs = v2->used_lrs;
}

static __always_inline void read_cpuif_v3(const struct vgic_v3_cpu_if *v3, struct cpuif *to)
{
	const __u64 *both = (const void *)&v3->vgic_hcr;

	KEEP(both);
	to->used_lrs = v3->used_lrs;
	if (bpf_core_field_offset(struct vgic_v3_cpu_if, vgic_hcr) + 4 ==
	    bpf_core_field_offset(struct vgic_v3_cpu_if, vgic_vmcr))
		to->hcr_vmcr = *both;
	else
		to->hcr_vmcr = (__u64)v3->vgic_vmcr << 32 | v3->vgic_hcr;
}

static __always_inline void read_cpuif(struct images *s, struct kvm_vcpu *vcpu, struct cpuif *to)
{
	if (config.gicv2)
		read_cpuif_v2(s, vcpu, to);
	else
		read_cpuif_v3(v3_of(vcpu), to);
}

/* LRs of 32 bits into slots of 64. A global function: it is verified once. */
__noinline int widen_lrs(struct images *s, __u32 n)
{
	__u32 at = bpf_core_field_offset(struct vgic_v2_cpu_if, vgic_lr);
	__u32 i;

	if (!s || at > RAW_CPUIF_MAX - VGR_MAX_LRS * sizeof(__u32))
		return 0;
	for (i = 0; i < VGR_MAX_LRS && i < n; i++)
		s->lr[i] = *(__u32 *)(s->raw + at + i * sizeof(__u32));
	return 0;
}

#define FOUR_LRS(i)                    \
	do {                           \
		to[i] = lr[i];         \
		to[i + 1] = lr[i + 1]; \
		to[i + 2] = lr[i + 2]; \
		to[i + 3] = lr[i + 3]; \
	} while (0)

/*
 * The first n LR images, at most VGR_MAX_LRS_V3, for which there is room at to. Each by itself: the
 * verifier wants to know which. What is too many does no harm.
 */
static __always_inline void read_lrs_v3(const struct vgic_v3_cpu_if *v3, __u64 *to, __u32 n)
{
	const __u64 *lr = v3->vgic_lr;

	if (!n)
		return;
	KEEP(lr);
	KEEP(to);
	FOUR_LRS(0);
	if (n > 4)
		FOUR_LRS(4);
	if (n > 8)
		FOUR_LRS(8);
	if (n > 12)
		FOUR_LRS(12);
}

#define NO_MORE_LRS(i)          \
	do {                    \
		if (n <= (i))   \
			return; \
		to[i] = lr[i];  \
	} while (0)

/* The same, and not one more. */
static __always_inline void read_no_more_lrs_v3(const struct vgic_v3_cpu_if *v3, __u64 *to, __u32 n)
{
	const __u64 *lr = v3->vgic_lr;

	KEEP(lr);
	KEEP(to);
	NO_MORE_LRS(0);
	NO_MORE_LRS(1);
	NO_MORE_LRS(2);
	NO_MORE_LRS(3);
	NO_MORE_LRS(4);
	NO_MORE_LRS(5);
	NO_MORE_LRS(6);
	NO_MORE_LRS(7);
	NO_MORE_LRS(8);
	NO_MORE_LRS(9);
	NO_MORE_LRS(10);
	NO_MORE_LRS(11);
	NO_MORE_LRS(12);
	NO_MORE_LRS(13);
	NO_MORE_LRS(14);
	NO_MORE_LRS(15);
}

/* The same into s->lr, with n at most VGR_MAX_LRS. After read_cpuif(). */
static __always_inline void read_lrs(struct images *s, struct kvm_vcpu *vcpu, __u32 n)
{
	if (config.gicv2)
		widen_lrs(s, n);
	else if (n)
		read_lrs_v3(v3_of(vcpu), s->lr, n);
}

/* Address of the structure of one interrupt, 0 if there is none. */
static __always_inline __u64 irq_address(struct kvm *kvm, struct kvm_vcpu *vcpu, __u32 intid)
{
	__u64 base;

	if (intid < 32) {
		base = vcpu ? (__u64)BPF_CORE_READ(vcpu, arch.vgic_cpu.private_irqs) : 0;
	} else {
		intid -= 32;
		if (intid >= (__u32)BPF_CORE_READ(kvm, arch.vgic.nr_spis))
			return 0;
		base = (__u64)BPF_CORE_READ(kvm, arch.vgic.spis);
	}
	return base ? base + (__u64)intid * bpf_core_type_size(struct vgic_irq) : 0;
}

/* Does KVM do anything about this call of kvm_vgic_inject_irq()? */
static __always_inline bool line_changes(struct kvm *kvm, struct kvm_vcpu *vcpu, __u32 intid,
					 bool level, void *owner)
{
	struct raw_irq raw;
	const struct vgic_irq *irq = (const void *)&raw;
	__u64 addr = irq_address(kvm, vcpu, intid);

	if (!addr || !read_irq(&raw, addr))
		return false;
	if (irq->owner != owner)
		return false;
	if (BPF_CORE_READ_BITFIELD(irq, config) == VGIC_CONFIG_LEVEL)
		return !!BPF_CORE_READ_BITFIELD(irq, line_level) != !!level;
	return level;
}

/* Is the current process, or one that it descends from, the root of what is recorded? */
static __always_inline bool descends_from(__u32 tgid)
{
	struct task_struct *t = (void *)bpf_get_current_task();

#pragma unroll
	for (int i = 0; i < 16; i++) {
		__u32 of = BPF_CORE_READ(t, tgid);

		if (of == tgid)
			return true;
		if (of <= 1)
			return false;
		t = BPF_CORE_READ(t, real_parent);
	}
	return false;
}

static __always_inline bool process_wanted(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (config.tgid)
		return tgid == config.tgid;
	if (config.root_tgid)
		return descends_from(config.root_tgid);
	return true;
}

#endif
