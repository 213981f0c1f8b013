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
	uint32_t tgid;		/* only VMs of this process; 0: all */
	uint32_t root_tgid;	/* only VMs of this process and its descendants; 0: all */
	uint32_t nr_lr;		/* at most as many as a record takes */
	uint32_t boundary;	/* enum boundary_place */
	uint64_t hyp_percpu;	/* address of the array of the EL2 object's per-CPU areas */
	uint64_t hyp_host_data; /* offset of kvm_host_data in such an area */
	uint32_t ring;		/* bytes of a CPU's ring */
	uint8_t no_hw_deactivation;
	uint8_t always_flushes; /* the kernel has no short cut for an empty list */
	uint8_t words_tell_all; /* bpf/words.bpf.h */
	uint8_t gicv2;		/* the host's GIC: LRs have 32 bits */
	uint8_t begins_at_fold; /* every sync folds: what is at its begin is still so then */
};

/*
 * What one physical CPU is doing, and the ends of its ring. The recorder maps it.
 *
 * The ring holds records one behind the other, each at a multiple of 8. A record that begins
 * before the ring's end stands whole, behind the end if need be; the next one is at the beginning
 * again. Places count bytes, over all rounds; the ring's size is a power of two. What no record
 * stands in is zero: the first word of a record is written last, and tells that it is whole.
 */
struct cpu_state {
	uint64_t next; /* number of the last record, also the lost ones have one, and place of the
			* next; upper and lower half, so that both change at once */
	uint64_t lost; /* records that found no room */
	uint64_t who;  /* thread and vCPU of the last flush here, as in a record's head */
	uint32_t vm;   /* its VM, in the upper half; below it the CPU */
	uint16_t loaded_vm; /* vCPU loaded here */
	uint16_t loaded_vcpu;
	uint32_t irqfd_tid;   /* thread inside vgic_irqfd_set_irq */
	uint8_t in_sync;      /* between the fold and the end of a sync */
	uint8_t run_known;    /* the vCPU of the last flush is recorded */
	uint8_t loaded_known; /* that of the last load is */
	uint8_t pad[25];
	uint32_t done; /* place up to which the recorder has taken and cleared */
	uint32_t pad_done[15];
};

/* Bytes that the largest flush or sync needs. */
#define OUT_MAX                                                                   \
	((sizeof(struct vgr_sync) + 2 * VGR_MAX_IRQS * sizeof(struct vgr_irq) +   \
	  VGR_MAX_LRS * sizeof(uint64_t) + VGR_MAX_IRQS * sizeof(uint32_t) + 7) & \
	 ~7ul)

/* Room for one, in pages: the verifier does not see that what is written is no more than that. */
#define OUT_ROOM ((OUT_MAX + 4095) & ~4095ul)

/* A CPU's part of the map: its state, what it works with, its ring, room for one record more. */
#define CPU_AREA_WORK  1024
#define CPU_AREA_RING  (256u << 10)
#define CPU_AREA(ring) (CPU_AREA_RING + (ring) + OUT_ROOM)

#define RING_MIN (64u << 10) /* bytes of a CPU's ring */
#define RING_MAX (256u << 20)

/* Written and read by the recorder while the programs run. */
struct capture_control {
	uint32_t running; /* nothing is recorded before this is set and after it is cleared */
	uint32_t pad;
	uint64_t vcpu_table_full; /* events of vCPUs that found no room in the table */
};

#endif
