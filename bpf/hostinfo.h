/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpf/host.bpf.c is told and what it answers. */
#ifndef VGICSIM_BPF_HOSTINFO_H
#define VGICSIM_BPF_HOSTINFO_H

#include <stddef.h>
#include <stdint.h>

/* Addresses of kernel variables; 0: the kernel has none of that name. */
struct host_addresses {
	uint64_t vgic_global;
	uint64_t kvm_mode;
	uint64_t hyp_percpu;
	uint64_t protected_key;
	uint64_t trap_key;
	uint64_t group0_trap;
	uint64_t group1_trap;
	uint64_t common_trap;
	uint64_t dir_trap;
	uint64_t vtr_code; /* a function whose code holds ICH_VTR_EL2 */
};

/* Instructions of that function that are looked at. */
#define VTR_CODE_WORDS 24

struct host_values {
	uint64_t hyp_percpu; /* area of CPU 0 in the EL2 object; 0 on VHE */
	uint32_t vtr;
	int32_t nr_lr;
	uint32_t vgic_type;		   /* enum vgic_type */
	uint32_t irq_size;		   /* bytes of struct vgic_irq */
	uint32_t cpuif_size;		   /* bytes of the larger of the two CPU interfaces */
	uint32_t kvm_mode;		   /* enum kvm_mode: default, protected, nested, none */
	uint32_t vtr_code[VTR_CODE_WORDS]; /* where the kernel has no variable for it */
	uint8_t ran;
	uint8_t have_vgic;
	uint8_t have_mode;
	uint8_t have_traps;
	uint8_t has_gicv4;
	uint8_t no_hw_deactivation;
	uint8_t is_protected;
	uint8_t traps;
	uint8_t group0_trap, group1_trap, common_trap, dir_trap;
	uint8_t words_tell_all, has_last_lr, has_on_lr, has_mapped, has_active_spis;
};

/*
 * From 7.3 on ICH_VTR_EL2 is no variable but a constant that the kernel patches into its
 * code at boot: MOVZ of the lower, MOVK of the upper half (kvm_patch_ich_vtr_el2). 0 if
 * there is no such pair among n instructions.
 */
uint32_t vgic_vtr_from_code(const uint32_t *code, size_t n);

#endif
