/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs and the recorder that loads them have in common. */
#ifndef VGICSIM_BPF_SHARED_H
#define VGICSIM_BPF_SHARED_H

#include <vgicsim/records.h>

/* Room for the kernel's struct vgic_irq and its larger CPU interface, in bytes. */
#define RAW_IRQ_MAX   256
#define RAW_CPUIF_MAX 1024

/* Where last_lr_irq of a physical CPU is to be found. */
enum boundary_place {
	BOUNDARY_NOWHERE = 0, /* the kernel has none, or it cannot be reached */
	BOUNDARY_KERNEL = 1,  /* kernel's per-CPU kvm_host_data: VHE and pKVM */
	BOUNDARY_HYP = 2,     /* the EL2 object's per-CPU copy: nVHE */
};

/* Set before the programs are loaded; constant for the verifier. */
struct capture_config {
	uint32_t tgid;	    /* only VMs of this process; 0: all */
	uint32_t root_tgid; /* only VMs of this process and its descendants; 0: all */
	uint32_t nr_lr;
	uint32_t boundary;	/* enum boundary_place */
	uint64_t hyp_percpu;	/* address of the array of the EL2 object's per-CPU areas */
	uint64_t hyp_host_data; /* offset of kvm_host_data in such an area */
	uint8_t no_hw_deactivation;
	uint8_t always_flushes; /* the kernel has no short cut for an empty list */
	uint8_t words_tell_all; /* bpf/words.bpf.h */
	uint8_t gicv2;		/* the host's GIC: LRs have 32 bits */
};

/* What one physical CPU is doing, and its counters. Read by the recorder through mmap. */
struct cpu_state {
	uint64_t lost;	  /* records that did not reach the ring */
	uint32_t seq;	  /* number given to the last record; also the lost ones have one */
	uint32_t run_tid; /* thread of the last flush here */
	uint16_t run_vm;  /* vCPU of the last flush here; VGR_NO_VM if it is not to be recorded */
	uint16_t run_vcpu;
	uint16_t loaded_vm; /* vCPU loaded here */
	uint16_t loaded_vcpu;
	uint32_t irqfd_tid; /* thread inside vgic_irqfd_set_irq */
	uint32_t in_sync;   /* between the fold and the end of a sync */
	uint8_t run_known;  /* run_vm and run_vcpu are set */
	uint8_t loaded_known;
	uint8_t pad[26];
};

/* Written and read by the recorder while the programs run. */
struct capture_control {
	uint32_t running; /* nothing is recorded before this is set and after it is cleared */
	uint32_t pad;
	uint64_t vcpu_table_full; /* events of vCPUs that found no room in the table */
};

#endif
