/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs that keep statistics and their loader have in common. */
#ifndef VGICSIM_BPF_STATSHARED_H
#define VGICSIM_BPF_STATSHARED_H

#include <vgicsim/stat_counts.h>

/* Set before the programs are loaded; constant for the verifier. */
struct stat_config {
	uint32_t tgid;	    /* only VMs of this process; 0: all */
	uint32_t root_tgid; /* only VMs of this process and its descendants; 0: all */
	uint32_t nr_lr;
	uint8_t gicv2; /* the host's GIC: LRs have 32 bits */
	uint8_t pad[3];
};

/* A slot belongs to the programs while it is LIVE, to the loader otherwise. */
enum slot_state { SLOT_FREE = 0, SLOT_LIVE, SLOT_GONE };

/*
 * One vCPU. Only the CPU that it runs on writes here, but for the kicks; the loader maps it and
 * reads word by word.
 */
struct stat_slot {
	uint32_t state; /* enum slot_state */
	uint32_t vm;	/* number of its VM, in order of appearance */
	uint32_t vm_slot;
	uint32_t pad;
	uint32_t vcpu; /* vcpu_idx */
	uint32_t tgid;
	char comm[16];
	uint64_t kvm; /* address */
	uint64_t flushes;
	uint64_t exit_time;
	uint64_t dist_page; /* guest-physical address of a GICv2's distributor >> 12 */
	uint32_t misr;
	uint32_t kind;	 /* of the last exit, as far as it is known; enum vgic_stat_kind */
	uint32_t exited; /* and it is not counted yet */
	uint32_t v2_guest;
	uint32_t last_kind; /* of the last one that was counted */
	uint32_t nr_ended;
	uint32_t ended[VGIC_STAT_ENDED]; /* INTIDs */
	uint64_t private_words[32];	 /* raise to LR, <vgicsim/stat_counts.h>: SGIs and PPIs */
	struct vgic_stat_counts counts;
};

/* SPIs of a VM in the same way. LPIs are in a table of their own. */
#define NR_SPIS 988u

struct stat_vm {
	uint64_t words[NR_SPIS];
};

/* Written and read by the loader while the programs run. */
struct stat_control {
	uint32_t running; /* nothing is counted before this is set and after it is cleared */
	uint32_t pad;
	uint64_t vcpus_full;  /* vCPUs, or looks at them, that found no slot */
	uint64_t raises_full; /* LPIs that found no room: they count from a flush */
	uint64_t cut;	      /* lists that were longer than is followed, or changed under it */
};

#endif
