/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of a recording: what the BPF programs write and what every reader
 * gets back, byte for byte, little-endian. Shared by the BPF side and by user
 * space, so it holds plain structures only.
 *
 * Numbers once given are never reused: a hole in an enumeration stays a hole.
 * vgicsim-recording(5) documents the same layout in prose.
 */
#ifndef VGICSIM_RECORDS_H
#define VGICSIM_RECORDS_H

#include <stdint.h>

/* Longest ap_list kept whole; longer ones are cut and marked VGR_F_CUT. */
#define VGR_MAX_IRQS   1024
/* LRs of any virtual CPU interface: GICH_VTR.ListRegs of a GICv2 has 6 bits. */
#define VGR_MAX_LRS    64
/* LRs of a GICv3 one (architecture: at most 16). */
#define VGR_MAX_LRS_V3 16

/* "No vCPU": an interrupt that is on no list, or an event without a vCPU. */
#define VGR_NO_VCPU 0xffffu
#define VGR_NO_VM   0xffffu

/* Values of a boundary (the INTID of last_lr_irq) that are not INTIDs. */
#define VGR_BOUNDARY_NONE    0xffffffffu /* pointer was NULL */
#define VGR_BOUNDARY_UNKNOWN 0xfffffffeu /* kernel has none, or it could not be read (nVHE) */

enum vgr_type {
	VGR_VCPU = 1,	  /* a vCPU seen for the first time, and again at its first flush */
	VGR_FLUSH = 2,	  /* kvm_vgic_flush_hwstate: list before, list after, LRs, HCR */
	VGR_SYNC = 3,	  /* kvm_vgic_sync_hwstate: LRs read back, states before and after */
	VGR_ENTRY = 4,	  /* tracepoint kvm_entry */
	VGR_EXIT = 5,	  /* tracepoint kvm_exit (comes after the sync of the same run) */
	VGR_INJECT = 6,	  /* kvm_vgic_inject_irq: a line or an edge from a device or timer */
	VGR_SGI = 7,	  /* trapped SGI register write */
	VGR_MSI = 8,	  /* MSI handed to the ITS */
	VGR_DIR = 9,	  /* trapped DIR (deactivation) */
	VGR_MMIO = 10,	  /* trapped MMIO access, before it is carried out */
	VGR_WFX = 11,	  /* trapped WFI/WFE */
	VGR_LOAD = 12,	  /* vCPU loaded on a physical CPU */
	VGR_PUT = 13,	  /* vCPU put */
	VGR_KICK = 14,	  /* vCPU kicked */
	VGR_LEVEL = 15,	  /* physical level of a mapped interrupt was sampled */
	VGR_ACKED = 16,	  /* irqfd resample notification */
	VGR_PRUNE = 17,	  /* deferred update outside a sync (VGIC_PROCESS_UPDATE) */
	VGR_LOSS = 18,	  /* written by the recorder: records of one CPU that are missing */
	VGR_HANDLER = 19, /* of the guest's own trace: a handler begins or is over */
	VGR_TYPE_MAX
};

/* vgr_rec.flags */
#define VGR_F_CUT	0x0001 /* a list was longer than VGR_MAX_IRQS and is not whole */
#define VGR_F_NO_FOLD	0x0002 /* sync: the kernel did not fold (6.12 with no LR in use) */
#define VGR_F_TORN	0x0004 /* the list walk did not return to the head: list changed under it */
#define VGR_F_NO_CONFIG 0x0008 /* flush: taken at the end of the function, list lock dropped */
#define VGR_F_SKIPPED	0x0010 /* flush/sync: the kernel took its empty-list short cut (6.12) */
/*
 * flush, sync: vcpu->mode at the begin. Exactly one of the two is set; none if the
 * recorder did not look. Up to 7.2 the mode is OUTSIDE_GUEST_MODE at both (OV-73).
 */
#define VGR_F_OUTSIDE	0x0020
#define VGR_F_INSIDE	0x0040
/*
 * sync: taken by trace events, which cannot look at what has left the list. Such an interrupt is
 * as it was when its list register had been folded.
 */
#define VGR_F_AT_FOLD	0x0080

/* Head of every record. size is a multiple of 8 and includes this head. */
struct vgr_rec {
	uint16_t type;	/* enum vgr_type */
	uint16_t flags; /* VGR_F_* */
	uint32_t size;
	uint64_t time; /* ns, CLOCK_MONOTONIC of the recorded host */
	uint32_t seq;  /* counts per physical CPU from 1; a gap is a loss */
	uint16_t cpu;  /* physical CPU */
	uint16_t vm;   /* index into the VM table, or VGR_NO_VM */
	uint16_t vcpu; /* vcpu_idx, or VGR_NO_VCPU */
	uint16_t reserved;
	uint32_t tid; /* thread that ran on the CPU (0 in idle) */
};

/* vgr_irq.state */
#define VGR_IRQ_LINE	 0x0001 /* line_level */
#define VGR_IRQ_LATCH	 0x0002 /* pending_latch */
#define VGR_IRQ_ACTIVE	 0x0004 /* active */
#define VGR_IRQ_ENABLED	 0x0008 /* enabled */
#define VGR_IRQ_ON_LR	 0x0010 /* on_lr (6.19 and later) */
#define VGR_IRQ_LEVEL	 0x0020 /* configured level-sensitive */
#define VGR_IRQ_HW	 0x0040 /* mapped to a physical interrupt */
#define VGR_IRQ_GROUP1	 0x0080 /* group 1 */
#define VGR_IRQ_MAPPED	 0x0100 /* LPI mapped (7.3 and later) */
#define VGR_IRQ_RESAMPLE 0x0200 /* ops ask for software resampling */
#define VGR_IRQ_GETLEVEL 0x0400 /* ops have get_input_level */
#define VGR_IRQ_GONE	 0x8000 /* could not be read any more */

/* One interrupt (struct vgic_irq) as it stood at the probe. */
struct vgr_irq {
	uint32_t intid;
	uint16_t state; /* VGR_IRQ_* */
	uint8_t priority;
	uint8_t source;	       /* GICv2 SGI: bitmap of pending sources */
	uint8_t active_source; /* GICv2 SGI: source of the active one */
	uint8_t reserved;
	uint16_t hwintid; /* physical INTID if VGR_IRQ_HW */
	uint16_t vcpu;	  /* vCPU on whose list it is, VGR_NO_VCPU if on none */
	uint16_t target;  /* target_vcpu, VGR_NO_VCPU if none */
};

struct vgr_vcpu {
	struct vgr_rec r;
	uint32_t tgid;	  /* process that runs the VM */
	uint32_t vcpu_id; /* KVM's vcpu_id (r.vcpu is vcpu_idx) */
	char comm[16];
	uint16_t nr_spis;   /* SPIs of the VM: INTIDs 32 to 31 + nr_spis; 0 if not yet known */
	uint8_t vgic_model; /* guest's GIC: 2, 3 or 5; 0 if not yet known */
	uint8_t reserved;
	uint32_t
		dist_page; /* guest-physical address of the distributor >> 12; 0 if not yet known */
};

/*
 * LRs, HCR and VMCR of flush and sync are those of the host's GIC, which the header of
 * the recording names (gic_host). GICv3: ICH_LR<n>_EL2, ICH_HCR_EL2, ICH_VMCR_EL2.
 * GICv2: GICH_LR<n>, 32 bits, zero-extended (<vgicsim/gich.h> translates), GICH_HCR,
 * whose bits stand where ICH_HCR_EL2 has them, and GICH_VMCR, which differs from
 * ICH_VMCR_EL2 in the priority mask: 5 bits, 31:27.
 *
 * Followed by: n_before x vgr_irq (list order at entry of the function),
 * n_after x vgr_irq (list order and states after populate), nr_lr x uint64_t.
 */
struct vgr_flush {
	struct vgr_rec r;
	uint64_t begin; /* ns, entry of the function; r.time is its end */
	uint32_t hcr;	/* shadow HCR after configuration */
	uint32_t vmcr;	/* shadow VMCR */
	uint32_t boundary;
	int32_t active_spis; /* -1: kernel has no such counter */
	uint16_t used_lrs;
	uint16_t nr_lr;
	uint16_t n_before; /* entries stored */
	uint16_t n_after;
	uint16_t total_before; /* entries the list had (saturates) */
	uint16_t total_after;
	uint8_t dist_enabled;
	uint8_t nested; /* vCPU is in nested state */
	uint16_t reserved;
};

/*
 * Followed by: n_before x vgr_irq (list and states before the fold),
 * n_before x vgr_irq (the same interrupts, same order, after the prune),
 * used_lrs x uint64_t (LRs read back), n_after x uint32_t (INTIDs of the list
 * after the prune, in order), zero padding to 8.
 */
struct vgr_sync {
	struct vgr_rec r;
	uint64_t begin;		    /* entry of the function, or of its fold: see capture.h */
	uint32_t hcr;		    /* shadow HCR at the fold, EOIcount included where saved */
	uint32_t vmcr;		    /* shadow VMCR at the fold */
	uint32_t boundary;	    /* last_lr_irq at the fold */
	int32_t active_spis_before; /* -1: no such counter */
	int32_t active_spis_after;
	uint16_t used_lrs;
	uint16_t n_before;
	uint16_t n_after;
	uint16_t total_before;
	uint16_t total_after;
	uint8_t dist_enabled;
	uint8_t nested;
	uint32_t reserved;
};

struct vgr_entry {
	struct vgr_rec r;
	uint64_t pc;
};

struct vgr_exit {
	struct vgr_rec r;
	uint64_t pc;
	uint32_t ret;	 /* ARM_EXCEPTION_*: 0 IRQ, 1 EL1 SError, 2 TRAP */
	uint32_t esr_ec; /* ESR_EL2.EC for a TRAP, else 0 */
};

/* Where an injection came from. */
enum vgr_path {
	VGR_PATH_UNKNOWN = 0,
	VGR_PATH_IOCTL = 1, /* KVM_IRQ_LINE */
	VGR_PATH_IRQFD = 2,
	VGR_PATH_TIMER = 3, /* in-kernel device with an owner: arch timer */
	VGR_PATH_PMU = 4,
	VGR_PATH_NESTED = 5, /* the vCPU itself: maintenance interrupt of a nested guest */
};

/* Injections that KVM drops because nothing changes are not recorded. */
struct vgr_inject {
	struct vgr_rec r; /* vcpu: target of a private interrupt, VGR_NO_VCPU for an SPI */
	uint32_t intid;
	uint8_t level;
	uint8_t path; /* enum vgr_path */
	uint16_t reserved;
};

struct vgr_sgi {
	struct vgr_rec r; /* vcpu: the sender */
	uint64_t value;	  /* ICC_SGIxR_EL1 as written */
	uint8_t allow_group1;
	uint8_t reserved[7];
};

struct vgr_msi {
	struct vgr_rec r;
	uint32_t devid;
	uint32_t eventid;
	int32_t ret;
	uint32_t cached; /* 1: translation cache path */
};

struct vgr_dir {
	struct vgr_rec r; /* vcpu: the writer */
	uint64_t value;	  /* ICC_DIR_EL1 or GICV_DIR as written */
};

struct vgr_mmio {
	struct vgr_rec r;
	uint64_t gpa;
	uint64_t value; /* of a write; 0 for a read */
	uint8_t len;	/* bytes */
	uint8_t write;
	uint8_t reserved[6];
};

struct vgr_wfx {
	struct vgr_rec r;
	uint64_t pc;
	uint32_t wfe; /* 1 WFE, 0 WFI */
	uint32_t reserved;
};

/* VGR_LOAD, VGR_PUT, VGR_KICK (vcpu: the kicked one), VGR_PRUNE: head only. */
struct vgr_plain {
	struct vgr_rec r;
};

struct vgr_level {
	struct vgr_rec r;
	uint32_t intid;
	uint32_t level;
};

struct vgr_acked {
	struct vgr_rec r;
	uint32_t irqchip;
	uint32_t pin;
};

/*
 * Written by 'vgicsim import --guest'. cpu, tid: where the vCPU ran; seq counts as if the record
 * had been made there.
 */
struct vgr_handler {
	struct vgr_rec r;    /* time: by the host's clock */
	uint64_t guest_time; /* ns of the guest's trace clock */
	uint32_t irq;	     /* the guest's own number, which is not the INTID */
	uint8_t begin;	     /* 1: it begins; 0: it is over */
	uint8_t handled;     /* at its end: the device was served */
	uint16_t reserved;
	char name[16]; /* at its begin: of the device, as the guest's kernel calls it, cut */
};

/* r.cpu: the CPU that lost them; r.seq: 0 (the recorder is not a CPU's ring). */
struct vgr_loss {
	struct vgr_rec r;
	uint32_t first_seq; /* first missing */
	uint32_t count;	    /* how many */
	uint64_t from;	    /* ns: time of the last record before, 0 if none */
	uint64_t to;	    /* ns: time of the first record after, 0 if none */
};

#endif
