/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's vgic for GICv2 and GICv3, as a machine of states: ap_lists, flush, sync,
 * deactivation. It sees hardware only through the registers of cpuif.h, and the
 * rest of the world only through struct vgic_env. One vgic serves replay, verify
 * and exploration; what differs between kernels is in its policy (policy.h).
 * List registers have the layout of ICH_LR<n>_EL2 on a GICv2 host too (gich.h
 * turns them into the 32 bits of GICH_LR<n> and back).
 *
 * Rules OV-n and HI-n are those of the overflow and history documents (Linux
 * 7.3.4 and 6.12, arch/arm64/kvm/vgic). Fields are open to read; only the
 * functions below change them, or a caller that imports a state as a whole.
 */
#ifndef VGICSIM_VGIC_H
#define VGICSIM_VGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/policy.h>
#include <vgicsim/records.h>

#define VGIC_NR_SGIS	16u
#define VGIC_NR_PRIVATE 32u
#define VGIC_MAX_SPIS	988u
#define VGIC_MAX_VCPUS	512u
#define VGIC_NO_VCPU	VGR_NO_VCPU

/*
 * One interrupt (struct vgic_irq of KVM). vcpu: on whose ap_list it is. From intid to target it
 * is laid out as struct vgr_irq, and its state bits stand where VGR_IRQ_* has them: moving a
 * recorded state in or out is a copy.
 */
struct vgic_irq {
	struct vgic_irq *next, *prev; /* ap_list, NULL at the ends */
	struct vgic_irq *hash_next;   /* LPIs */
	uint32_t intid;
	union {
		uint16_t state; /* all of them, VGR_IRQ_* */
		struct {
			bool line_level : 1;
			bool pending_latch : 1;
			bool active : 1;
			bool enabled : 1;
			bool on_lr : 1;
			bool level : 1; /* level-sensitive, else edge */
			bool hw : 1;
			bool group1 : 1;
			bool mapped : 1;    /* LPI, carried for records only */
			bool resample : 1;  /* ops ask for software resampling */
			bool get_level : 1; /* ops have an input level of their own */
		};
	};
	uint8_t priority;
	uint8_t source;	       /* GICv2 SGI: bitmap of pending sources */
	uint8_t active_source; /* GICv2 SGI */
	uint8_t reserved;      /* 0 */
	uint16_t hwintid;      /* physical INTID if hw */
	uint16_t vcpu;	       /* VGIC_NO_VCPU: on no list */
	uint16_t target;       /* configured route, VGIC_NO_VCPU if none */
	void *user;	       /* the caller's */
};

struct vgic_list {
	struct vgic_irq *head, *tail;
	unsigned int count;
};

/* Requests that vgic_env.request hands to the run loop. */
#define VGIC_REQ_IRQ_PENDING	0x1u /* look at the list: flush before the next entry */
#define VGIC_REQ_PROCESS_UPDATE 0x2u /* prune before the next entry (vgic_prune) */

/* Counted since creation; metrics read them. */
struct vgic_counts {
	uint64_t flushes, syncs, sorts;
	uint64_t populated;	/* LRs written by flushes */
	uint64_t outside;	/* deliverable interrupts left out by flushes */
	uint64_t replayed;	/* deactivations by EOIcount */
	uint64_t replay_lost;	/* EOIcount left over */
	uint64_t wild_walks;	/* replays that began at an interrupt which was on no list */
	uint64_t dir_primitive; /* deactivations by the DIR primitive */
	uint64_t pruned, migrated;
};

struct vgic_vcpu {
	const struct vgic *vgic; /* whose it is */
	uint16_t index;
	struct vgic_list list;
	struct vgic_irq *private_irqs; /* VGIC_NR_PRIVATE of them */
	/* Shadow CPU interface. */
	uint64_t lr[VGIC_MAX_LRS];
	uint32_t hcr, vmcr;
	uint32_t ap0r[4], ap1r[4];
	unsigned int used_lrs;
	struct vgic_irq *boundary;   /* last_lr_irq; valid from flush to the end of sync */
	struct vgic_irq *overflow;   /* posted-v1: from here on the list is the overflow list */
	struct vgic_summary summary; /* of the last flush */
	bool sorted;		     /* by the last flush */
	bool moved;		     /* if so: it was perhaps not in order before */
	bool nested;		     /* runs a guest of its own */
	bool lpis_off;		     /* GICR_CTLR.EnableLPIs was cleared */
	struct vgic_counts counts;
};

/* What an observer is told (vgic_env.event). */
enum vgic_event {
	VGIC_EVENT_QUEUED,    /* appended to the vCPU's list */
	VGIC_EVENT_POPULATED, /* written to an LR; arg: LR index */
	VGIC_EVENT_FOLDED,    /* read back from an LR; arg: 1 if it was deactivated in it */
	VGIC_EVENT_REPLAYED,  /* deactivated by EOIcount */
	VGIC_EVENT_DIR,	      /* deactivated by the DIR primitive */
	VGIC_EVENT_PRUNED,    /* off the list */
	VGIC_EVENT_MIGRATED,  /* to another vCPU's list; arg: that vCPU */
	VGIC_EVENT_WILD,      /* the replay began at it, unlinked; arg: 1 if it was freed, too */
};

/* The world around. Every pointer may be NULL: then nothing happens and levels are low. */
struct vgic_env {
	void *opaque;
	/* Level of the physical interrupt behind a mapped one, on the vCPU's CPU (OV-47). */
	bool (*physical_level)(void *opaque, unsigned int vcpu, const struct vgic_irq *irq);
	/* Set or clear the physical active state of hwintid (OV-47, OV-74). */
	void (*physical_active)(void *opaque, unsigned int vcpu, const struct vgic_irq *irq,
				bool active);
	/* DIR of the physical interrupt by the hypervisor (OV-52, OV-66). */
	void (*physical_dir)(void *opaque, unsigned int vcpu, uint32_t pintid);
	/* VGIC_REQ_*, with a kick (IPI or wake-up) or without (OV-10..13, OV-68). */
	void (*request)(void *opaque, unsigned int vcpu, uint32_t req, bool kick);
	/* Notify irqfd resamplers of an SPI (OV-49). */
	void (*resample)(void *opaque, uint32_t intid);
	/* Bring all vCPUs out of the guest and sync them, or let them run again (OV-73). */
	void (*halt)(void *opaque, bool halt);
	void (*event)(void *opaque, enum vgic_event what, unsigned int vcpu,
		      const struct vgic_irq *irq, uint32_t arg);
	uint32_t quiet; /* bits of events of which it wants to know nothing */
};

struct vgic_config {
	const struct vgic_policy *policy;
	unsigned int nr_vcpus; /* 1 to VGIC_MAX_VCPUS */
	unsigned int nr_spis;  /* 0 to VGIC_MAX_SPIS */
	unsigned int nr_lr;    /* that KVM uses: 1 to 16, on a GICv2 host to 64 */
	bool model_v2;	       /* guest programs a GICv2 (SGI sources count) */
	bool gicv2;	       /* host has a GICv2; implies model_v2 */
	bool has_tdir;	       /* DIR can be trapped alone (ICH_VTR_EL2.TDS) */
	bool unadvertised;     /* ID registers do not show the GICv3: Apple, legacy mode of GICv5 */
	uint32_t static_traps; /* VGIC_HCR_T* of errata and the command line (section 12) */
	bool on_demand;	       /* vCPUs are made by the first import that names them */
	struct vgic_env env;
};

struct vgic {
	struct vgic_config cfg;
	bool dist_enabled;
	int32_t active_spis;
	struct vgic_vcpu *vcpus;
	struct vgic_irq *spis;
	struct vgic_irq **lpis; /* hash table */
	size_t lpi_buckets, nr_lpis;
};

/*
 * Defaults as KVM's vgic-init.c: SGIs edge and enabled; PPIs and SPIs level and
 * disabled; SPIs routed to vCPU 0; group 1 (group 0 for a GICv2 guest); priority
 * 0; distributor off. Returns 0, -EINVAL (configuration out of range) or -ENOMEM.
 */
int vgic_create(struct vgic **out, const struct vgic_config *cfg);
void vgic_destroy(struct vgic *vgic);

/*
 * The interrupt intid as vCPU vcpu sees it; vcpu matters for private INTIDs only.
 * NULL: no such interrupt.
 */
struct vgic_irq *vgic_irq_find(const struct vgic *vgic, unsigned int vcpu, uint32_t intid);

/* Makes LPI intid (>= VGIC_LPI_BASE): edge, group 1, no target. 0, -EINVAL, -EEXIST or -ENOMEM. */
int vgic_lpi_add(struct vgic *vgic, uint32_t intid);

/*
 * DIR can be trapped alone, as far as the policy's kernel notices (OV-12); trap bits that
 * stand in hardware beside the shadow HCR: those configured, and TC where it stands in.
 */
bool vgic_has_tdir(const struct vgic *vgic);
uint32_t vgic_static_traps(const struct vgic *vgic);

/* irq_is_pending (OV-1), vgic_target_oracle (OV-5; VGIC_NO_VCPU: none). */
bool vgic_irq_pending(const struct vgic_irq *irq);
unsigned int vgic_irq_oracle(const struct vgic *vgic, const struct vgic_irq *irq);

/*
 * kvm_vgic_inject_irq (OV-6..8): a line moves, or an edge comes. vcpu is used for
 * private INTIDs only. 1: state changed; 0: nothing changed, dropped; -EINVAL: no
 * such interrupt.
 */
int vgic_inject(struct vgic *vgic, unsigned int vcpu, uint32_t intid, bool level);

/* One target of an SGI write (vgic_v3_queue_sgi). False: dropped (no vCPU, group not allowed). */
bool vgic_send_sgi(struct vgic *vgic, unsigned int target, uint32_t intid, bool allow_group1);

/*
 * ICC_SGI1R_EL1 or ICC_SGI0R_EL1 as written by vCPU from (vgic_v3_dispatch_sgi);
 * affinities are KVM's default: Aff0 = vcpu mod 16, Aff1 = vcpu / 16.
 */
void vgic_write_sgir(struct vgic *vgic, unsigned int from, uint64_t value, bool allow_group1);

/* GICD_SGIR as written by vCPU from of a GICv2 guest (vgic_mmio_write_sgir, kvm-overflow.md 3.1).
 */
void vgic_write_gicd_sgir(struct vgic *vgic, unsigned int from, uint32_t value);

/*
 * LPIs (vgic-its.c). vgic_msi: what an event of the ITS that is mapped to the LPI does;
 * false if the LPI is unknown or its redistributor's LPIs are disabled. vgic_lpi_move: MOVI.
 * vgic_lpi_movall: MOVALL (OV-78). vgic_lpi_enable: GICR_CTLR.EnableLPIs of a vCPU, written by
 * vCPU by. vgic_lpi_remove: its event is unmapped, it cannot be raised any more.
 */
bool vgic_msi(struct vgic *vgic, uint32_t intid);
void vgic_lpi_move(struct vgic *vgic, uint32_t intid, unsigned int target);
void vgic_lpi_movall(struct vgic *vgic, unsigned int from, unsigned int to);
void vgic_lpi_enable(struct vgic *vgic, unsigned int by, unsigned int of, bool enable);
void vgic_lpi_remove(struct vgic *vgic, uint32_t intid);
/*
 * An event is mapped to an LPI. One that was removed and is on no list has no state left; one
 * that is still listed is found again as it is (vgic_add_lpi). 0, or as vgic_lpi_add().
 */
int vgic_lpi_map(struct vgic *vgic, uint32_t intid, unsigned int target);
/* INV: priority and enable bit as the guest's property table has them; six bits of priority. */
void vgic_lpi_config(struct vgic *vgic, uint32_t intid, uint8_t prio, bool enabled);

/* vgic_queue_irq_unlock (OV-9..13). True: put on a list. */
bool vgic_queue(struct vgic *vgic, struct vgic_irq *irq);

/*
 * kvm_vgic_flush_hwstate (kvm-overflow.md 4): orders the list, fills the shadow
 * LRs and HCR of the vCPU. Never allocates.
 */
void vgic_flush(struct vgic *vgic, unsigned int vcpu);

/*
 * Shadow to hardware at an entry (OV-35): HCR with static traps, LRs. VMCR and APRs: vgic_load.
 * False: nothing was written, no LR is in use (HI-7).
 */
bool vgic_restore(const struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw);

/* Hardware to shadow at an exit (OV-38..41, HI-7). */
void vgic_save(struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw);

/* kvm_vgic_sync_hwstate after the save: fold, EOIcount replay, prune (OV-42..58). */
void vgic_sync(struct vgic *vgic, unsigned int vcpu);

/* vgic_prune_ap_list alone (OV-57: request VGIC_REQ_PROCESS_UPDATE). */
void vgic_prune(struct vgic *vgic, unsigned int vcpu);

/* vcpu load and put: VMCR and active priorities move between shadow and hardware. */
void vgic_load(const struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw);
void vgic_put(struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw);

/*
 * A trapped DIR that the hypervisor fast path may serve on the live LRs (OV-61).
 * True: done, the guest goes on; false: full exit, then vgic_deactivate.
 */
bool vgic_dir_fast(const struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw,
		   uint64_t value);

/*
 * Trapped accesses of the CPU interface where group or common registers trap: KVM does them on
 * the live LRs before anything is saved, by its own copy of the architecture, which differs in
 * places (hardware model 2, 3.2 to 3.4, kvm-overflow.md 13). group is 0 or 1.
 */
struct vgic_access vgic_el2_ack(const struct vgic *vgic, unsigned int vcpu,
				struct vgic_v3_cpuif *hw, unsigned int group);
struct vgic_access vgic_el2_eoi(const struct vgic *vgic, unsigned int vcpu,
				struct vgic_v3_cpuif *hw, unsigned int group, uint32_t intid);
void vgic_el2_write_pmr(struct vgic_v3_cpuif *hw, uint8_t prio);
void vgic_el2_write_bpr(const struct vgic *vgic, struct vgic_v3_cpuif *hw, unsigned int group,
			uint32_t value);
void vgic_el2_write_igrpen(struct vgic_v3_cpuif *hw, unsigned int group, bool enable);
void vgic_el2_write_ctlr(struct vgic_v3_cpuif *hw, bool eoimode, bool cbpr);

/* vgic_v3_deactivate, vgic_v2_deactivate (OV-63..68, OV-72): DIR after a full exit of vCPU vcpu. */
void vgic_deactivate(struct vgic *vgic, unsigned int vcpu, uint64_t value);

/*
 * Guest register accesses, one interrupt each (kvm-overflow.md 15). vcpu: who
 * writes; private INTIDs are those of vCPU of (the redistributor that is
 * accessed). Unknown INTIDs are ignored.
 */
void vgic_write_active(struct vgic *vgic, unsigned int vcpu, unsigned int of, uint32_t intid,
		       bool active);
void vgic_write_enable(struct vgic *vgic, unsigned int of, uint32_t intid, bool enable);
void vgic_write_pending(struct vgic *vgic, unsigned int of, uint32_t intid, bool pending);
void vgic_write_group(struct vgic *vgic, unsigned int of, uint32_t intid, unsigned int group);
void vgic_write_priority(struct vgic *vgic, unsigned int of, uint32_t intid, uint8_t priority);
void vgic_write_config(struct vgic *vgic, uint32_t intid, bool level);
void vgic_write_target(struct vgic *vgic, uint32_t intid, unsigned int target);
void vgic_write_dist_enable(struct vgic *vgic, bool enable);

/* kvm_vgic_vcpu_pending_irq (OV-83): a blocked vCPU wakes up, a WFI returns. */
bool vgic_vcpu_pending_irq(const struct vgic *vgic, unsigned int vcpu);

/* kvm_vgic_map_phys_irq: PPI or SPI backed by physical hwintid. */
void vgic_map_hw(struct vgic *vgic, unsigned int of, uint32_t intid, uint16_t hwintid);

/*
 * Whole states in and out, in the form of records. Import overwrites the
 * interrupt but does not touch lists (VGR_IRQ_MAPPED.. are carried); an LPI is
 * made if it is not there. 0, -EINVAL (no such interrupt) or -ENOMEM.
 */
int vgic_irq_import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from);
void vgic_irq_export(const struct vgic_irq *irq, struct vgr_irq *to);

/*
 * Empties the vCPU's list, then puts n interrupts on it in this order with these
 * states. Interrupts that stand on another vCPU's list are taken off it.
 */
int vgic_list_import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from, size_t n);

#endif
