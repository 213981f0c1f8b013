/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A workload: what devices and guest demanded, true whatever the LR count is.
 *
 * Each vCPU runs a program of frames: a background frame and one handler frame
 * for every acknowledged interrupt. A frame is a script of operations, each at an
 * offset of the frame's own time: guest time in which this frame, and no handler
 * nested in it, was running. Exits that have nothing to do with list registers
 * are operations of the frame in which they happened; what the hypervisor, the
 * VMM or a device did in their wake (lines, SGIs, enables) are their effects.
 * Exits caused by list registers (MI, trapped DIR, kicks) are not here: they come
 * out of a replay.
 */
#ifndef VGICSIM_WORKLOAD_H
#define VGICSIM_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/profile.h>
#include <vgicsim/records.h>
#include <vgicsim/store.h>

#define VGIC_WL_NONE 0xffffffffu

/* Why a vCPU left the guest; the order of the columns everywhere. */
enum vgic_exit_kind {
	VGIC_EXIT_MI = 0,    /* IRQ exit with ICH_MISR_EL2 != 0 at the sync */
	VGIC_EXIT_DIR,	     /* trapped write of ICC_DIR_EL1 */
	VGIC_EXIT_SGI,	     /* trapped write of an SGI generation register */
	VGIC_EXIT_WFI,	     /* trapped WFI or WFE */
	VGIC_EXIT_MMIO,	     /* trapped MMIO access */
	VGIC_EXIT_OTHER_IRQ, /* IRQ exit with ICH_MISR_EL2 == 0: host interrupt, kick */
	VGIC_EXIT_OTHER,     /* everything else */
	VGIC_EXIT_KINDS
};

enum vgic_op_kind {
	VGIC_OP_EXIT = 0, /* leaves the guest; kind in .exit */
	VGIC_OP_EOI,	  /* EOIR, EOImode 0: priority drop and deactivation */
	VGIC_OP_DROP,	  /* EOIR, EOImode 1: priority drop */
	VGIC_OP_DIR,	  /* DIR of .source, once it was acknowledged .count times */
	VGIC_OP_VMCR,	  /* guest changes its CPU interface: .value is the new VMCR */
	VGIC_OP_MASK,	  /* guest masks interrupts (PSTATE.I) in this frame */
	VGIC_OP_UNMASK,
};

#define VGIC_OP_LAST	0x01u /* the frame ends after it */
#define VGIC_OP_TIMED	0x02u /* WFI: ended without a pending interrupt, after .out_ns */
#define VGIC_OP_YIELDS	0x04u /* the only host CPU went to another vCPU meanwhile */
#define VGIC_OP_ARRIVAL 0x08u /* IRQ exit that an arrival from outside explains */
#define VGIC_OP_WITH_MI 0x10u /* came together with an MI: one exit for both if it does again */
#define VGIC_OP_AGAIN                                                                              \
	0x20u		     /* EOI, DROP: the physical line stays high, the interrupt comes again \
			      */
#define VGIC_OP_FIRST  0x40u /* trap that left the guest although an MI was due */
#define VGIC_OP_REPEAT 0x80u /* only beside a feed, see feed.h */

/* One operation of a frame. */
struct vgic_op {
	uint64_t at;	  /* ns of the frame's own time */
	uint64_t wall_ns; /* exit: from the start of the recording */
	uint64_t out_ns;  /* exit: recorded time until the next entry, of the next vCPU if it yields
			   */
	uint32_t next;	  /* next operation of the same frame, VGIC_WL_NONE at the end */
	uint32_t effects; /* first effect, VGIC_WL_NONE if none */
	uint32_t asks;	  /* first effect that the guest asked for with it (ask_next) */
	uint32_t need;	  /* acknowledgements, of interrupts the frame asked for, it waits for */
	uint32_t nested;  /* handlers that had interrupted the frame since the operation before */
	uint32_t source;  /* DIR: which interrupt */
	uint32_t count; /* DIR: after how many acknowledgements; WFI: its number on the vCPU, from 1
			 */
	uint32_t value; /* VMCR; exit that yields: the vCPU that got the CPU */
	uint8_t kind;	/* enum vgic_op_kind */
	uint8_t exit;	/* enum vgic_exit_kind */
	uint8_t flags;	/* VGIC_OP_* */
	uint8_t sync_lrs;    /* exit: list registers that its sync read */
	uint32_t entry_ns;   /* exit: last part of out_ns, from the flush on; 0 if it yields */
	uint16_t sync_irqs;  /* exit: length of the list at its sync */
	uint16_t entry_irqs; /* the same at the flush after it, list registers written, and */
	uint8_t entry_lrs;
	bool entry_sorted; /* whether it sorted */
	uint16_t reserved;
};

enum vgic_effect_kind {
	VGIC_EFFECT_LINE = 0, /* kvm_vgic_inject_irq: .level of .source */
	VGIC_EFFECT_LATCH,    /* made pending by register write or MSI */
	VGIC_EFFECT_UNLATCH,  /* pending taken back by register write */
	VGIC_EFFECT_SGI,      /* SGI register write: .value, .level = group 1 allowed */
	VGIC_EFFECT_STATE,    /* enable, priority, group, route, type become props[.prop] */
	VGIC_EFFECT_ACTIVE,   /* active state set (.level 1) or cleared by register write */
	VGIC_EFFECT_WAKE,     /* ends WFI number .value of vCPU .source */
	VGIC_EFFECT_NONE,     /* recorded before it took effect: another effect stands for it */
};

/* How a line effect came about; decides what --arrivals may move. */
enum vgic_origin {
	VGIC_ORIGIN_OWN = 0, /* the vCPU's own thread, while it handled the exit */
	VGIC_ORIGIN_TIMER,   /* the vCPU's timer */
	VGIC_ORIGIN_OUTSIDE, /* another thread or device */
};

struct vgic_effect {
	uint64_t delay_ns; /* from the exit it belongs to */
	uint64_t wall_ns;  /* from the start of the recording */
	uint64_t gap_ns; /* from the end of the previous handling of the source; UINT64_MAX: none */
	uint64_t value;	 /* SGI register; WFI number */
	uint32_t next;	 /* of the same operation */
	uint32_t ask_next; /* asked for with the same operation, which may be another one */
	uint32_t source;   /* index of the source; WAKE: vCPU */
	uint32_t prop;	   /* STATE; LINE, LATCH: what had changed by then, VGIC_WL_NONE: nothing */
	uint32_t handled;  /* handlings of the source that had ended before (for gap_ns) */
	uint16_t vcpu;	   /* SGI: sender */
	uint8_t kind;	   /* enum vgic_effect_kind */
	uint8_t level;
	uint8_t origin; /* enum vgic_origin */
	uint8_t reserved[3];
};

/* No estimate, or no bound. */
#define VGIC_WHEN_OPEN UINT64_MAX

/*
 * When the guest did something that the host does not see at its instant: ns of the
 * recording's clock from its start (vgic_workload.start). See vgicsim-model(7).
 */
struct vgic_when {
	uint64_t at;   /* estimate, VGIC_WHEN_OPEN if there is none */
	uint64_t from; /* not before */
	uint64_t to;   /* not after, VGIC_WHEN_OPEN if no record says so */
	bool known;    /* records show that it happened */
};

/* The frame of one acknowledged interrupt as recorded. */
struct vgic_script {
	uint32_t first; /* operation */
	uint32_t source;
	uint32_t next;	 /* script of the next acknowledgement of the same source */
	uint16_t vcpu;	 /* that took it */
	bool whole;	 /* its end was seen */
	uint64_t own_ns; /* own time until its last operation */
	/* The guest's reads of IAR, writes of EOIR, and of DIR (EOIR if it deactivates). */
	struct vgic_when ack, drop, deact;
};

/* One interrupt: an INTID, of one vCPU if it is private. */
struct vgic_source {
	struct vgr_irq initial; /* state at the start: line, latch and active are clear */
	uint16_t vcpu;		/* VGR_NO_VCPU for SPIs and LPIs */
	uint32_t first_script;	/* VGIC_WL_NONE if it was never acknowledged */
	uint32_t typical;	/* script of median length, VGIC_WL_NONE if none was whole */
	uint32_t acks;		/* recorded */
};

struct vgic_wl_vcpu {
	uint32_t background; /* script */
	uint64_t start_ns;   /* first entry, from the start of the recording */
	uint64_t guest_ns;
	bool masked_handlers; /* its handlers run with interrupts masked: none was ever nested */
};

struct vgic_workload {
	uint32_t nr_vcpus;
	uint32_t nr_lr;	    /* recorded */
	uint32_t host_cpus; /* physical CPUs that ran vCPUs */
	uint64_t start;	    /* clock of the recording at its start, ns */
	uint64_t duration_ns;
	bool gicv2, model_v2; /* GIC of the host, and what the guest programs */
	bool blocked; /* the recorded guest was held up for good: something starved, is stuck or
			 lost */
	bool eoicount_on_split;	     /* seen on the recorded hardware (hardware model 3.4) */
	struct vgic_profile profile; /* of the recorded host */
	uint32_t open; /* first effect that belongs to no operation, at its .wall_ns */
	struct vgic_wl_vcpu *vcpus;
	struct vgic_source *sources;
	struct vgic_script *scripts;
	struct vgic_op *ops;
	struct vgic_effect *effects;
	struct vgr_irq *props;
	const struct vgic_store *store; /* of scripts, operations, effects, props; NULL: malloc() */
	size_t nr_sources, nr_scripts, nr_ops, nr_effects, nr_props;
	size_t cap_sources, cap_scripts, cap_ops, cap_effects, cap_props;
	uint32_t typical; /* script of median length of the recording, VGIC_WL_NONE if none */
};

/* Empty workload, of malloc(); NULL without memory. */
struct vgic_workload *vgic_workload_create(uint32_t nr_vcpus);
void vgic_workload_destroy(struct vgic_workload *wl);

/* Append one element with links cleared; its index, or VGIC_WL_NONE without memory. */
uint32_t vgic_workload_op(struct vgic_workload *wl, enum vgic_op_kind kind);
uint32_t vgic_workload_effect(struct vgic_workload *wl, enum vgic_effect_kind kind);
uint32_t vgic_workload_script(struct vgic_workload *wl, uint32_t source, uint16_t vcpu);
uint32_t vgic_workload_prop(struct vgic_workload *wl, const struct vgr_irq *irq);
uint32_t vgic_workload_source(struct vgic_workload *wl, uint16_t vcpu, const struct vgr_irq *irq);

/* Index of an interrupt (vcpu counts for private INTIDs only), VGIC_WL_NONE if it is not there. */
uint32_t vgic_workload_find(const struct vgic_workload *wl, uint16_t vcpu, uint32_t intid);

/* Chooses the typical script of each source and of the recording (median own time). -ENOMEM. */
int vgic_workload_typical(struct vgic_workload *wl);

#endif
