/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual host: the vCPUs of one VM on physical CPUs, driven one stimulus at a
 * time. It joins the vgic (vgic.h) and the CPU interface (cpuif.h) by KVM's run loop
 * (kvm-overflow.md 7) and has a physical GIC behind interrupts that are mapped to
 * hardware. What the guest does and when devices speak is up to the caller;
 * maintenance interrupts and kicks are taken a chosen number of guest steps late.
 * Nothing here decides what a kernel does: that is the policy's, in the vgic.
 */
#ifndef VGICSIM_HOST_H
#define VGICSIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/vgic.h>

#define VGIC_HOST_MAX_VCPUS 16u
#define VGIC_HOST_MAX_ACKED 1024u
/* A latency that never ends: the interrupt waits until the guest exits for another reason. */
#define VGIC_HOST_NEVER	    UINT32_MAX
/* Maintenance interrupts in a row at which the guest gets nothing done: a storm. */
#define VGIC_HOST_STORM	    32u

enum vgic_host_state {
	VGIC_HOST_OUT = 0,
	VGIC_HOST_GUEST,
	VGIC_HOST_LEFT,	  /* hardware is saved, the vgic has not seen it yet */
	VGIC_HOST_ASLEEP, /* blocked in WFI */
};

enum vgic_host_exit {
	VGIC_HOST_EXIT_MI = 0,
	VGIC_HOST_EXIT_WFI,
	VGIC_HOST_EXIT_MMIO, /* a register of the distributor, or an emulated device */
	VGIC_HOST_EXIT_DIR,  /* trapped deactivation */
	VGIC_HOST_EXIT_SGI,  /* trapped write of an SGI register */
	VGIC_HOST_EXIT_KICK, /* IPI */
	VGIC_HOST_EXIT_IRQ,  /* a physical interrupt of the host */
	VGIC_HOST_EXIT_HALT, /* the VM is halted (OV-73) */
	VGIC_HOST_EXIT_ELSE, /* whatever the caller says: a tick, preemption */
	VGIC_HOST_NR_EXITS,
};

/* Counted for each vCPU since creation. */
enum vgic_host_counter {
	VGIC_COUNT_ENTRIES = 0,
	VGIC_COUNT_EXITS,
	VGIC_COUNT_EXIT_FIRST, /* one for each enum vgic_host_exit */
	VGIC_COUNT_MI_FIRST = VGIC_COUNT_EXIT_FIRST + VGIC_HOST_NR_EXITS, /* by bit of MISR */
	VGIC_COUNT_STEPS = VGIC_COUNT_MI_FIRST + 8,
	VGIC_COUNT_ACKS,
	VGIC_COUNT_SPURIOUS,	/* acknowledges of a level that had fallen */
	VGIC_COUNT_REDELIVERED, /* acknowledges of what the guest had not finished */
	VGIC_COUNT_KICKS,	/* IPIs to a vCPU in the guest */
	VGIC_COUNT_WAKEUPS,
	VGIC_COUNT_WFI_SPINS, /* WFIs that KVM ended at once, though nothing was signalled */
	VGIC_COUNT_DIR_TRAPS,
	VGIC_COUNT_DIR_FAST,  /* of these: served at EL2 on the live LRs */
	VGIC_COUNT_EL2_TRAPS, /* other accesses of the CPU interface done by KVM at EL2 */
	VGIC_COUNT_EOICOUNTS, /* EOIcount went up */
	VGIC_COUNT_EOICOUNT_WRAPS,
	VGIC_COUNT_NOTIFICATIONS, /* to irqfd resamplers */
	VGIC_COUNT_HOST_IRQS,	  /* physical interrupts taken by the host for this vCPU */
	VGIC_COUNT_STORMS,
	VGIC_COUNT_WRONG_VICTIMS, /* EOIcount ended what the guest had not finished */
	VGIC_COUNT_LATE_FOLDS,	  /* a halter went ahead before this vCPU was synced */
	VGIC_COUNT_CALLED_OFF,	  /* entries */
	VGIC_COUNT_LIVELOCKS,	  /* loops of the guest that did not end */
	VGIC_COUNT_HCR_WRITES,	  /* entries that wrote HCR */
	VGIC_COUNT_HCR_LEFT,	  /* exits after which HCR was not 0 */
	VGIC_COUNT_STALE_VMCR,	  /* flushes that looked at a VMCR which hardware's was not */
	VGIC_COUNT_FREED_WALKS,	  /* wild walks that began in memory that was freed */
	/* Counters of the vgic (struct vgic_counts), by the same call. */
	VGIC_COUNT_FLUSHES,
	VGIC_COUNT_SYNCS,
	VGIC_COUNT_SORTS,
	VGIC_COUNT_POPULATED,
	VGIC_COUNT_OUTSIDE,
	VGIC_COUNT_REPLAYED,
	VGIC_COUNT_REPLAY_LOST,
	VGIC_COUNT_WILD_WALKS,
	VGIC_COUNT_DIR_PRIMITIVE,
	VGIC_COUNT_PRUNED,
	VGIC_COUNT_MIGRATED,
	/* Not counted, but read: of the VM, not of a vCPU. */
	VGIC_COUNT_ACTIVE_SPIS,
	/* Guest steps, of all vCPUs, from a device's rise to the acknowledge; the longest. */
	VGIC_COUNT_LONGEST_WAIT,
	VGIC_NR_COUNTERS,
};

/* A physical interrupt behind a virtual one (kvm_vgic_map_phys_irq). */
struct vgic_physical {
	uint32_t pintid;
	bool mapped;
	bool level;   /* the line, or what an edge interrupt was last set to */
	bool pending; /* latched edge */
	bool active;
	bool lost; /* by the erratum; a new edge brings it back */
};

/* What the host and the guest know of one interrupt beside the vgic. */
struct vgic_host_irq {
	struct vgic_irq *irq;
	uint16_t vcpu;	       /* of a private one */
	bool device;	       /* level of the device's line */
	bool resampler;	       /* raised through an irqfd that resamples (OV-71) */
	bool owed;	       /* an edge came that the guest has not acknowledged */
	bool guest_active;     /* acknowledged, and not deactivated by the guest */
	uint8_t guest_sources; /* GICv2 SGI: the same by source */
	uint32_t acks;
	uint32_t events; /* of an LPI: that the ITS has mapped to it */
	uint64_t since;	 /* guest steps when it rose, plus 1; 0: it does not wait */
	struct vgic_physical phys;
};

struct vgic_host_acked {
	uint32_t intid;
	uint8_t source; /* GICv2 SGI */
	uint8_t group;
	bool dropped; /* EOImode 1: EOI is done, DIR is not */
};

struct vgic_host_vcpu {
	enum vgic_host_state state;
	unsigned int cpu;
	uint32_t requests;
	bool kicked, mi, want_enter;
	uint32_t kick_left, mi_left; /* guest steps to go */
	unsigned int pause;
	struct vgic_host_acked *acked; /* VGIC_HOST_MAX_ACKED, newest last */
	unsigned int nr_acked;
	uint64_t longest_wait;
	uint64_t count[VGIC_COUNT_FLUSHES];
};

struct vgic_host_cpu {
	struct vgic_v3_cpuif hw;
	unsigned int loaded; /* vCPU whose state is in the hardware, VGIC_NO_VCPU */
};

enum vgic_host_what {
	VGIC_HOST_ENTERS,
	VGIC_HOST_CALLED_OFF,
	VGIC_HOST_EXITS, /* value: enum vgic_host_exit, misr as the exit found it */
	VGIC_HOST_SYNCS,
	VGIC_HOST_SLEEPS,
	VGIC_HOST_WAKES,
	VGIC_HOST_KICKED,
	VGIC_HOST_TAKES,    /* physical interrupt: intid */
	VGIC_HOST_NOTIFIES, /* resampler: intid */
	VGIC_HOST_HALTS,
	VGIC_HOST_RESUMES,
	VGIC_HOST_STORMS,
	VGIC_HOST_VGIC,	  /* event of the vgic: value is enum vgic_event, irq, arg */
	VGIC_HOST_ACCESS, /* by the guest: value is enum vgic_host_op, intid what it wrote or read,
			     arg the group, access if it has a result */
};

enum vgic_host_op {
	VGIC_HOST_OP_ACK,
	VGIC_HOST_OP_EOI,
	VGIC_HOST_OP_DIR,
	VGIC_HOST_OP_PMR,
	VGIC_HOST_OP_BPR,
	VGIC_HOST_OP_IGRPEN,
	VGIC_HOST_OP_CTLR, /* bit 0: EOImode, bit 1: CBPR */
	VGIC_HOST_OP_APR,
	VGIC_HOST_OP_WFI,
	VGIC_HOST_OP_SGI, /* arg: targets */
	VGIC_HOST_OP_NESTED_END,
};

struct vgic_host_event {
	enum vgic_host_what what;
	unsigned int vcpu;
	uint32_t value, misr, intid, arg;
	const struct vgic_irq *irq;
	const struct vgic_access *access;
};

struct vgic_host_config {
	struct vgic_config vgic; /* env is the host's own */
	struct vgic_v3_cpuif_config hw;
	unsigned int nr_cpus; /* physical; 0: as many as vCPUs */
	uint32_t vmcr;	      /* of every vCPU at the beginning */
	/* Guest steps from MI or IPI to exit: first to last, VGIC_HOST_NEVER included. */
	uint32_t mi_latency, mi_latency_last, kick_latency;
	uint64_t seed;
	bool deact_inactive_hppi_loses_irq; /* erratum of the physical GIC (AmpereOne) */
	bool no_hw_deactivation;	    /* an LR cannot deactivate: timers are resampled */
	void *opaque;
	void (*event)(void *opaque, const struct vgic_host_event *e);
};

struct vgic_host {
	struct vgic_host_config cfg;
	struct vgic *vgic;
	struct vgic_its *its;
	struct vgic_host_vcpu *vcpus;
	struct vgic_host_cpu *cpus;
	struct vgic_host_irq **irqs;
	size_t nr_irqs, cap_irqs;
	uint64_t rng;
	bool by_user; /* a register is written by the VMM, not by the guest */
};

/* Distributor on, every vCPU out of the guest. 0, -EINVAL or -ENOMEM. */
int vgic_host_create(struct vgic_host **out, const struct vgic_host_config *cfg);
void vgic_host_destroy(struct vgic_host *h);

/* NULL: no such interrupt. */
struct vgic_host_irq *vgic_host_irq(const struct vgic_host *h, unsigned int vcpu, uint32_t intid);
/* Makes an LPI with one event of the ITS, targeting vCPU 0. 0, -EINVAL, -EEXIST or -ENOMEM. */
int vgic_host_add_lpi(struct vgic_host *h, uint32_t intid);
/* MAPTI of one more event, DISCARD of the newest. 0; -EINVAL: no such LPI; -EEXIST, -ENOENT. */
int vgic_host_map_event(struct vgic_host *h, uint32_t intid);
int vgic_host_unmap_event(struct vgic_host *h, uint32_t intid);
/* intid of vCPU vcpu is backed by physical pintid; timer: it has an input level of its own. */
int vgic_host_map(struct vgic_host *h, unsigned int vcpu, uint32_t intid, uint16_t pintid,
		  bool timer);

/*
 * The run loop of one vCPU. Entering: 0; -EBUSY: the VM is halted; -EAGAIN: it is asleep.
 * Leaving is the hardware's exit and the save, syncing all that follows; an exit is both.
 */
int vgic_host_enter(struct vgic_host *h, unsigned int vcpu);
int vgic_host_call_off(struct vgic_host *h, unsigned int vcpu);
void vgic_host_leave(struct vgic_host *h, unsigned int vcpu, enum vgic_host_exit kind);
void vgic_host_sync(struct vgic_host *h, unsigned int vcpu);
void vgic_host_exit(struct vgic_host *h, unsigned int vcpu, enum vgic_host_exit kind);
/* Off its physical CPU, its interface's state in memory; and onto another. */
void vgic_host_put(struct vgic_host *h, unsigned int vcpu);
int vgic_host_move(struct vgic_host *h, unsigned int vcpu, unsigned int cpu);
void vgic_host_halt(struct vgic_host *h, bool halt);
/* An IPI, or a wake-up, without a reason. */
void vgic_host_kick(struct vgic_host *h, unsigned int vcpu);
/* Serves kicks, wake-ups and physical interrupts until nothing is left to do. */
void vgic_host_settle(struct vgic_host *h);

/*
 * What the guest does, each one step. All but the last group bring the vCPU into the guest
 * first: -EBUSY, -EAGAIN as vgic_host_enter(), and nothing is done. An access that was
 * trapped is finished when they return.
 */
/* group: 0 or 1; -1: as the interrupt line says. access->intid: VGIC_SPURIOUS if nothing. */
int vgic_host_ack(struct vgic_host *h, unsigned int vcpu, int group, struct vgic_access *access);
/* intid with the source of a GICv2 SGI in bits 12:10; group as above: that of the acknowledge. */
int vgic_host_eoi(struct vgic_host *h, unsigned int vcpu, int group, uint32_t intid,
		  struct vgic_access *access);
int vgic_host_dir(struct vgic_host *h, unsigned int vcpu, uint32_t intid,
		  struct vgic_access *access);
/*
 * The vCPU's own guest has ended intid in an LR that the vCPU had made with HW=1: hardware has
 * deactivated what is behind it, and KVM hears of it as it leaves the nested state (NV-8).
 */
int vgic_host_nested_end(struct vgic_host *h, unsigned int vcpu, uint32_t intid);
int vgic_host_write_pmr(struct vgic_host *h, unsigned int vcpu, uint8_t prio);
int vgic_host_write_bpr(struct vgic_host *h, unsigned int vcpu, unsigned int group, uint32_t value);
int vgic_host_write_igrpen(struct vgic_host *h, unsigned int vcpu, unsigned int group, bool on);
int vgic_host_write_ctlr(struct vgic_host *h, unsigned int vcpu, bool eoimode, bool cbpr);
/* The guest makes a priority of a group active by writing its APR. */
int vgic_host_write_apr(struct vgic_host *h, unsigned int vcpu, unsigned int group, uint8_t prio);
/* n steps that touch no interrupt controller. */
int vgic_host_step(struct vgic_host *h, unsigned int vcpu, unsigned int n);
/* WFI. 1: it came back at once; 0: the vCPU sleeps. */
int vgic_host_wfi(struct vgic_host *h, unsigned int vcpu);
/* SGI to each vCPU of a bit mask. */
int vgic_host_sgi(struct vgic_host *h, unsigned int vcpu, uint32_t intid, uint32_t targets);
/*
 * A register access that exits: out of the guest before it, in again after it. A vCPU that is
 * out because the VM is halted was on its way to do it, so that begin works there, too.
 */
int vgic_host_mmio_begin(struct vgic_host *h, unsigned int vcpu);
void vgic_host_mmio_end(struct vgic_host *h, unsigned int vcpu);

/*
 * Devices. Of an interrupt mapped to hardware the physical line moves, of one that is resampled
 * the device's. 0, or -EINVAL as vgic_inject().
 */
int vgic_host_raise(struct vgic_host *h, unsigned int vcpu, uint32_t intid);
int vgic_host_lower(struct vgic_host *h, unsigned int vcpu, uint32_t intid);
/* False: the ITS has dropped it. */
bool vgic_host_msi(struct vgic_host *h, uint32_t intid);

/* Reading. The state of an interrupt, from the LR that holds it if one does. */
#define VGIC_LOOK_PENDING 0x1u
#define VGIC_LOOK_ACTIVE  0x2u
#define VGIC_LOOK_LR	  0x4u
unsigned int vgic_host_irq_look(const struct vgic_host *h, const struct vgic_host_irq *i);
/* LR index of a vCPU as it is now: hardware in the guest, shadow outside; misr, hcr alike. */
uint64_t vgic_host_lr(const struct vgic_host *h, unsigned int vcpu, unsigned int lr);
uint32_t vgic_host_hcr(const struct vgic_host *h, unsigned int vcpu);
const struct vgic_v3_cpuif *vgic_host_hw(const struct vgic_host *h, unsigned int vcpu);
/* The interrupt line that the guest sees: -1 none, else the group that is signalled. */
int vgic_host_signal(const struct vgic_host *h, unsigned int vcpu);

/* The host would take the physical interrupt behind it if it could. */
bool vgic_physical_wants(const struct vgic_host_irq *i);

/*
 * Active though the guest has finished it. Finished though the guest has not (not LPIs: OV-75).
 * An edge that is nowhere any more and was never acknowledged. Wanted by the guest, and
 * nothing will bring it: it is outside the LRs, and nothing is signalled.
 */
bool vgic_host_stuck(const struct vgic_host *h, const struct vgic_host_irq *i);
bool vgic_host_early(const struct vgic_host *h, const struct vgic_host_irq *i);
bool vgic_host_lost(const struct vgic_host *h, const struct vgic_host_irq *i);
bool vgic_host_starved(const struct vgic_host *h, const struct vgic_host_irq *i);

/* A vCPU's counter; VGIC_NO_VCPU: all together. Its name; NULL from VGIC_NR_COUNTERS on. */
uint64_t vgic_host_count(const struct vgic_host *h, unsigned int vcpu, unsigned int counter);
const char *vgic_host_counter_name(unsigned int counter);
/* By name; -1. */
int vgic_host_counter_find(const char *name);

#endif
