/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The GICv3 virtual CPU interface of one CPU: list registers, ICH_HCR_EL2,
 * ICH_VMCR_EL2, active priorities, and what happens to them when a guest
 * acknowledges, drops priority and deactivates. It is hardware: it knows nothing
 * of the hypervisor above it. Rules HW-n are those of the hardware model; their
 * source is the GIC architecture (IHI0069) unless a function names another.
 */
#ifndef VGICSIM_CPUIF_H
#define VGICSIM_CPUIF_H

#include <stdbool.h>
#include <stdint.h>

#define VGIC_V3_MAX_LRS 16
/* GICH_VTR.ListRegs of a GICv2 has six bits. */
#define VGIC_MAX_LRS	64

/* What IAR returns when there is nothing to acknowledge. */
#define VGIC_SPURIOUS	   1023u
/* First INTID of an LPI. */
#define VGIC_LPI_BASE	   8192u
/* Running priority of an idle CPU interface (HW-10). */
#define VGIC_IDLE_PRIORITY 0xffu

/* ICH_LR<n>_EL2 */
#define VGIC_LR_VINTID	       0xffffffffull
#define VGIC_LR_PINTID_SHIFT   32
#define VGIC_LR_PINTID	       (0x1fffull << VGIC_LR_PINTID_SHIFT)
#define VGIC_LR_CPUID_SHIFT    10 /* source of an SGI, GICv2 guest */
#define VGIC_LR_CPUID	       (7ull << VGIC_LR_CPUID_SHIFT)
#define VGIC_LR_EOI	       (1ull << 41) /* only with HW=0 */
#define VGIC_LR_PRIORITY_SHIFT 48
#define VGIC_LR_PRIORITY       (0xffull << VGIC_LR_PRIORITY_SHIFT)
#define VGIC_LR_GROUP1	       (1ull << 60)
#define VGIC_LR_HW	       (1ull << 61)
#define VGIC_LR_PENDING	       (1ull << 62)
#define VGIC_LR_ACTIVE	       (1ull << 63)
#define VGIC_LR_STATE	       (VGIC_LR_PENDING | VGIC_LR_ACTIVE)

/* ICH_HCR_EL2 */
#define VGIC_HCR_EN		(1u << 0)
#define VGIC_HCR_UIE		(1u << 1)
#define VGIC_HCR_LRENPIE	(1u << 2)
#define VGIC_HCR_NPIE		(1u << 3)
#define VGIC_HCR_VGRP0EIE	(1u << 4)
#define VGIC_HCR_VGRP0DIE	(1u << 5)
#define VGIC_HCR_VGRP1EIE	(1u << 6)
#define VGIC_HCR_VGRP1DIE	(1u << 7)
#define VGIC_HCR_VSGIEOICOUNT	(1u << 8)
#define VGIC_HCR_TC		(1u << 10)
#define VGIC_HCR_TALL0		(1u << 11)
#define VGIC_HCR_TALL1		(1u << 12)
#define VGIC_HCR_TDIR		(1u << 14)
#define VGIC_HCR_EOICOUNT_SHIFT 27
#define VGIC_HCR_EOICOUNT	(0x1fu << VGIC_HCR_EOICOUNT_SHIFT)

/* ICH_VMCR_EL2 */
#define VGIC_VMCR_VENG0	      (1u << 0)
#define VGIC_VMCR_VENG1	      (1u << 1)
#define VGIC_VMCR_VACKCTL     (1u << 2) /* GICv2 guest */
#define VGIC_VMCR_VFIQEN      (1u << 3) /* GICv2 guest */
#define VGIC_VMCR_VCBPR	      (1u << 4)
#define VGIC_VMCR_VEOIM	      (1u << 9)
#define VGIC_VMCR_VBPR1_SHIFT 18
#define VGIC_VMCR_VBPR1	      (7u << VGIC_VMCR_VBPR1_SHIFT)
#define VGIC_VMCR_VBPR0_SHIFT 21
#define VGIC_VMCR_VBPR0	      (7u << VGIC_VMCR_VBPR0_SHIFT)
#define VGIC_VMCR_VPMR_SHIFT  24
#define VGIC_VMCR_VPMR	      (0xffu << VGIC_VMCR_VPMR_SHIFT)

/* ICH_MISR_EL2 */
#define VGIC_MISR_EOI	 (1u << 0)
#define VGIC_MISR_U	 (1u << 1)
#define VGIC_MISR_LRENP	 (1u << 2)
#define VGIC_MISR_NP	 (1u << 3)
#define VGIC_MISR_VGRP0E (1u << 4)
#define VGIC_MISR_VGRP0D (1u << 5)
#define VGIC_MISR_VGRP1E (1u << 6)
#define VGIC_MISR_VGRP1D (1u << 7)

/* Which LR wins when two candidates have the same priority (HW-6: IMPLEMENTATION DEFINED). */
enum vgic_tie {
	VGIC_TIE_LOWEST_LR = 0,
	VGIC_TIE_HIGHEST_LR,
};

/*
 * What is fixed for one implementation. The switches name behaviour in which
 * implementations differ; all of them off is the architecture.
 */
struct vgic_v3_cpuif_config {
	uint8_t nr_lr;	   /* 1 to 16, GICv2: to 64 */
	uint8_t pre_bits;  /* preemption bits, 5 to 7 */
	uint8_t prio_bits; /* priority bits, pre_bits to 8 */
	bool has_tds;	   /* ICH_VTR_EL2.TDS: TDIR is implemented */
	enum vgic_tie tie;
	bool elrsr_state_only; /* ELRSR does not hide an LR with an unserved EOI (HW-T1) */
	bool eoir_without_apr_continues; /* EOIR goes on although no priority was active (KVM's
					    copy) */
	bool eoicount_on_split_eoir; /* EOIR that finds no LR counts with EOImode 1 too (QEMU, KVM's
					copy) */
	bool eoicount_on_lpi;	     /* EOIR of an LPI that is in no LR counts (gem5) */
	bool eoicount_saturates;     /* stays at 31 instead of wrapping (HW-16 is a derivation) */
	bool eoir_ignores_split;     /* EOIR deactivates with EOImode 1 too (gem5) */
	bool vgrp0d_tests_veng1;     /* QEMU tests the wrong enable for VGrp0D (HW-T2) */
	bool cbpr_saturates;	     /* VBPR0 = 7 counts as 6 for group 1 with CBPR (KVM's copy) */
};

/* A GICv3 as the architecture has it: nr_lr LRs, 5 preemption and priority bits, TDS. */
struct vgic_v3_cpuif_config vgic_v3_cpuif_defaults(unsigned int nr_lr);

/*
 * As above with the deviations of QEMU's emulated GICv3 (real-host.md 7a), the
 * hardware under recordings made on an emulated host.
 */
struct vgic_v3_cpuif_config vgic_v3_cpuif_qemu(unsigned int nr_lr);

struct vgic_v3_cpuif {
	const struct vgic_v3_cpuif_config *cfg;
	uint64_t lr[VGIC_MAX_LRS];
	uint32_t hcr;
	uint32_t vmcr;
	uint32_t ap0r[4];
	uint32_t ap1r[4];
	uint8_t unused; /* so many LRs, the last ones, are 0 and need no look; 0: look at all */
};

/* What a guest access did; several bits may be set. */
#define VGIC_DID_TRAP	    0x01u /* trapped to the hypervisor, nothing else happened */
#define VGIC_DID_ACK	    0x02u /* an interrupt went from pending to active */
#define VGIC_DID_DROP	    0x04u /* an active priority was cleared */
#define VGIC_DID_DEACTIVATE 0x08u /* an LR lost its active state */
#define VGIC_DID_HW	    0x10u /* and the physical interrupt pintid was deactivated */
#define VGIC_DID_COUNT	    0x20u /* EOIcount went up */
#define VGIC_DID_WRAP	    0x40u /* EOIcount went from 31 to 0: 32 deactivations are lost */
#define VGIC_DID_NOTHING    0x80u /* ignored: special INTID, wrong EOImode, LPI, mismatch */

struct vgic_access {
	uint32_t did;	 /* VGIC_DID_* */
	uint32_t intid;	 /* of an acknowledge: what IAR returned */
	uint32_t pintid; /* valid with VGIC_DID_HW */
	int lr;		 /* LR that was found, -1 if none */
};

/* Everything zero but the configuration, which must outlive it. cfg->nr_lr: 1 to 16. */
void vgic_v3_cpuif_init(struct vgic_v3_cpuif *c, const struct vgic_v3_cpuif_config *cfg);

/* LR index of the highest-priority pending interrupt, -1 if none; group and priority only
 * (HW-3..6). */
int vgic_v3_cpuif_hppi(const struct vgic_v3_cpuif *c);

/* True if that interrupt is signalled now: HCR.En, PMR and running priority (HW-8, HW-9). */
bool vgic_v3_cpuif_can_signal(const struct vgic_v3_cpuif *c);

/* All that follows from the LRs at once, for those who ask all the time. */
struct vgic_lr_look {
	union {
		uint64_t counts; /* all at once */
		struct {
			uint8_t pending, active; /* LRs; one in both states counts as both */
			uint8_t both, valid;
			uint8_t eoi; /* in neither, and its EOI is to be told */
		};
	};
	int8_t hppi, signalled; /* vgic_v3_cpuif_hppi(); the same if it is signalled, or -1 */
	bool mi;		/* vgic_v3_cpuif_mi() */
	uint8_t group_misr;	/* what of misr comes from the enables of the groups */
	uint32_t misr;		/* vgic_v3_cpuif_misr() */
};
void vgic_v3_cpuif_look(const struct vgic_v3_cpuif *c, struct vgic_lr_look *look);
/*
 * The same after an acknowledge, EOI or DIR, which changed LR i at most (-1: none); it was was.
 * look is as it was before.
 */
void vgic_v3_cpuif_look_again(const struct vgic_v3_cpuif *c, struct vgic_lr_look *look, int i,
			      uint64_t was);

/* Level of vFIQ (group 0) or vIRQ (group 1) (HW-11). */
bool vgic_v3_cpuif_line(const struct vgic_v3_cpuif *c, unsigned int group);

/* Guest reads IAR<group>; group is 0 or 1 (HW-12..15). */
struct vgic_access vgic_v3_cpuif_ack(struct vgic_v3_cpuif *c, unsigned int group);
/* The same by one who knows that LR i is signalled, and of which group it is. */
struct vgic_access vgic_v3_cpuif_ack_lr(struct vgic_v3_cpuif *c, unsigned int i);

/* Guest writes intid to EOIR<group> (hardware model 3.2, 3.4). */
struct vgic_access vgic_v3_cpuif_eoi(struct vgic_v3_cpuif *c, unsigned int group, uint32_t intid);

/* Guest writes intid to DIR (hardware model 3.3, 3.4). */
struct vgic_access vgic_v3_cpuif_dir(struct vgic_v3_cpuif *c, uint32_t intid);

/* Running priority from the active-priority registers alone; VGIC_IDLE_PRIORITY if idle (HW-10). */
uint8_t vgic_v3_cpuif_running_priority(const struct vgic_v3_cpuif *c);

/* Group priority of a priority under the binary point that rules the group (HW-9). */
uint8_t vgic_v3_cpuif_group_priority(const struct vgic_v3_cpuif *c, unsigned int group,
				     uint8_t prio);

/* Status registers, computed from the present state (hardware model 4). */
uint32_t vgic_v3_cpuif_misr(const struct vgic_v3_cpuif *c);
uint64_t vgic_v3_cpuif_elrsr(const struct vgic_v3_cpuif *c);
uint64_t vgic_v3_cpuif_eisr(const struct vgic_v3_cpuif *c);
/* Level of the maintenance interrupt: En and any MISR bit. */
bool vgic_v3_cpuif_mi(const struct vgic_v3_cpuif *c);

static inline unsigned int vgic_v3_eoicount(uint32_t hcr)
{
	return hcr >> VGIC_HCR_EOICOUNT_SHIFT;
}

/*
 * Guest register writes. They return false, and change nothing, if the access is
 * trapped (PMR, EOImode: TC; IGRPEN0, BPR0: TALL0; IGRPEN1, BPR1: TALL1).
 */
bool vgic_v3_cpuif_write_pmr(struct vgic_v3_cpuif *c, uint8_t prio);
bool vgic_v3_cpuif_write_bpr(struct vgic_v3_cpuif *c, unsigned int group, unsigned int bpr);
bool vgic_v3_cpuif_write_igrpen(struct vgic_v3_cpuif *c, unsigned int group, bool enable);
bool vgic_v3_cpuif_write_ctlr(struct vgic_v3_cpuif *c, bool eoimode, bool cbpr);

/*
 * The same list registers as a guest of a GICv2 sees them (GICV; IHI0048 4.4): it reads
 * GICV_IAR, or GICV_AIAR if aliased, and writes back what it read, an SGI with its source in
 * bits 12:10. Nothing is trapped here: GICV_DIR traps by not being mapped.
 */
#define VGIC_GICV_GROUP1 1022u /* IAR: the interrupt is of group 1, and AckCtl is 0 */
struct vgic_access vgic_gicv_ack(struct vgic_v3_cpuif *c, bool aliased);
struct vgic_access vgic_gicv_eoi(struct vgic_v3_cpuif *c, bool aliased, uint32_t value);
struct vgic_access vgic_gicv_dir(struct vgic_v3_cpuif *c, uint32_t value);
/* GICV_CTLR: enables of both groups, AckCtl, FIQEn, CBPR, EOImode by their bits in VMCR. */
void vgic_gicv_write_ctlr(struct vgic_v3_cpuif *c, uint32_t bits);
/* Level of the virtual FIQ or IRQ: group 0 is an IRQ unless FIQEn is set. */
bool vgic_gicv_line(const struct vgic_v3_cpuif *c, bool fiq);

#endif
