/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the three steps of a derivation: records, one run, scripts. */
#ifndef VGICSIM_DERIVE_INTERNAL_H
#define VGICSIM_DERIVE_INTERNAL_H

#include <vgicsim/cpuif.h>
#include <vgicsim/derive.h>
#include <vgicsim/metrics.h>

#include "msi_map.h"

/* Stream item that is not an operation: the acknowledge that opens a frame. */
#define ITEM_ACK 0xffu

/* One step of a vCPU in the order in which it happened. */
struct item {
	uint64_t g;	 /* guest time of the vCPU, ns */
	uint64_t wall;	 /* ns from the start of the recording */
	uint32_t op;	 /* operation, VGIC_WL_NONE for ITEM_ACK */
	uint32_t script; /* whose frame; VGIC_WL_NONE if it is the frame on top */
	uint8_t kind;	 /* enum vgic_op_kind or ITEM_ACK */
};

/* One step inside a run before it has a time. */
struct step {
	uint64_t ns; /* since the one before it, or the begin of the run */
	uint32_t script;
	uint32_t value;
	uint8_t kind;
};

/*
 * Parts of a handler: from the acknowledge to the priority drop without a trap of its own, or
 * to its first trap; from its last trap to the priority drop.
 */
enum pace_part { PACE_WHOLE = 0, PACE_LEAD, PACE_TAIL, PACE_PARTS };

/* After so many of them one more changes what was learned of a part by a small step only. */
#define PACE_STEADY 16u

/* ns; what takes longer is no part of a handler that teaches anything. */
#define PACE_MOST 1000000000u

/* How long such a part takes. */
struct pace {
	uint32_t ns;   /* to PACE_MOST */
	uint32_t seen; /* up to PACE_STEADY; 0: ns is not known */
};

/* What is known about an interrupt while records pass. */
struct known {
	uint32_t last_script;
	uint32_t active;  /* script that holds it active */
	uint32_t acks;	  /* so far */
	uint32_t dirs;	  /* DIR writes so far */
	uint32_t handled; /* handlings that have ended */
	uint64_t handled_time;
	struct vgr_irq props;
	bool seen;	     /* props come from a snapshot */
	bool late;	     /* its last raise was recorded before it took effect */
	bool unlisted;	     /* raised, and not on the list of the flush after that */
	uint8_t latch, line; /* 0 no, 1 by a raise since the last snapshot, 2 by a snapshot */
	bool active_seen;    /* active in the last snapshot */
	uint64_t raised;     /* time of the last raise, 0 if none */
	bool quiet;	     /* neither pending nor active in the last snapshot */
	uint32_t raise;	     /* effect that raised it first since then, VGIC_WL_NONE if none */
	uint32_t drop_runs;  /* runs from acknowledge to priority drop, fewest seen; UINT32_MAX */
	/* of the part of its handler that runs (PACE_WHOLE until it traps), if .paced */
	struct pace pace[PACE_PARTS];
	uint8_t part; /* enum pace_part */
	bool paced;
	uint64_t spent;	      /* ns in it before this run, as placed, */
	uint64_t least, most; /* and as seen */
};

/* Drops that come later than that after their acknowledge teach nothing of others. */
#define DROP_RUNS 16u

/* A place in the stream of the past; none: item SIZE_MAX. */
struct spot {
	size_t item;
	uint64_t g, wall;
};

/* A handler that was acknowledged and not dropped. */
struct running {
	uint32_t script;
	uint32_t runs;	   /* since the one in which it was acknowledged, by traps of the guest */
	bool unpressed;	   /* a run since then ended with nothing pending in an LR */
	struct spot last;  /* when it was last seen in an LR */
	struct spot usual; /* where others of its source were dropped */
	bool foreign;	   /* that is so of other sources only */
};

/* What bounds of a handler need beside its own records (derive_bounds.c). */
struct facts {
	uint8_t priority; /* its group priority when it was acknowledged */
	bool split;	  /* EOIR did not deactivate */
	bool lpi;
};

enum exit_state { EXIT_NONE = 0, EXIT_PENDING };

struct dvcpu {
	bool exists;
	uint32_t tid;
	/* run */
	bool flushed, entered, synced;
	uint64_t entry, g, g0, g1, sync_begin, flush_begin, flush_time;
	uint64_t lr[VGIC_MAX_LRS], back[VGIC_MAX_LRS];
	unsigned int used;
	uint32_t hcr, vmcr, sync_hcr, sync_vmcr, shadow_vmcr;
	bool shadow_pending; /* pending and enabled interrupts stood in the flush */
	bool folded;
	uint32_t misr;
	uint16_t sync_irqs, flush_irqs;
	uint8_t sync_lrs, flush_lrs;
	bool flush_sorted;
	uint32_t tail[64]; /* scripts deactivated outside the LRs in this sync */
	unsigned int nr_tail;
	struct vgic_v3_cpuif hw;
	uint32_t *undropped; /* scripts that, by records alone, may still set the priority */
	size_t nr_undropped, cap_undropped;
	struct running *stack; /* handlers acknowledged and not dropped */
	size_t nr_stack, cap_stack;
	bool defers;  /* seen: one dropped, and its DIR after another one was taken */
	bool trapped; /* what the guest did itself ended the last run, no interrupt of the host */
	bool masked;
	size_t mask_depth; /* handlers running when the guest masked */
	bool holds;	   /* seen: a signalled interrupt waits while a handler runs */
	bool nests;	   /* seen: an interrupt taken while a handler runs */
	bool vmcr_known;
	uint32_t groups; /* enables in VMCR that were on at some time */
	/* exit, from the sync to the next entry */
	enum exit_state exit;
	uint8_t exit_kind;
	bool kicked, kick_exit, yields, woken, outside;
	uint64_t exit_time;
	uint16_t next_vcpu; /* that got the CPU, if yields */
	uint64_t next_flush;
	uint64_t last_mmio; /* time of its last MMIO write */
	uint32_t first_effect, last_effect;
	uint32_t first_ask, last_ask; /* what the guest asked for with this exit */
	/* last exit that became an operation */
	uint32_t last_op;
	uint64_t last_op_time;
	uint32_t last_op_effect;
	uint32_t dir_op;
	uint32_t nr_wfi;
	bool started;
	uint64_t started_at; /* first entry, ns from the start */
	/* stream */
	struct item *items;
	size_t nr_items, cap_items;
};

/* A raise that no list has shown yet. */
struct fresh {
	uint32_t source, effect, wake; /* wake: VGIC_WL_NONE if it ended no WFI */
	uint64_t time;
	uint16_t target;
};

#define MAX_FRESH 256u
#define MAX_CPUS  1024u

struct vgic_derive {
	struct vgic_derive_config cfg;
	struct vgic_v3_cpuif_config hw_cfg;
	struct vgic_workload *wl;
	struct vgic_derive_stats stats;
	bool started;
	uint64_t start, last;
	uint64_t turns; /* records looked at */
	struct dvcpu *vcpus;
	size_t nr_vcpus;
	struct known *known;
	size_t cap_known;
	uint32_t *unseen; /* private sources that no list has shown; some of them it has by now */
	size_t nr_unseen;
	struct facts *facts; /* by script */
	size_t cap_facts;
	uint32_t *index; /* hash of (vcpu, intid) to source + 1 */
	size_t nr_index;
	uint32_t last_open;	     /* effect */
	uint16_t cpu_vcpu[MAX_CPUS]; /* vCPU that left the guest last on a CPU */
	uint8_t cpu_used[MAX_CPUS];
	struct msi_map msis; /* to sources; cookie: effect already in place, source still open */
	struct fresh fresh[MAX_FRESH];
	unsigned int nr_fresh;
	struct step *steps;
	size_t nr_steps, cap_steps;
	uint64_t rest_ns; /* after the last of them */
	size_t mi_step;	  /* steps of the run until an MI was due, SIZE_MAX if none */
	struct vgic_calibration *calibration;
	uint64_t dead;			/* ns: the shortest run so far */
	uint32_t drops_seen[DROP_RUNS]; /* drops by runs since the acknowledge */
	bool split_count; /* EOIcount seen although every DIR is trapped and EOImode is 1 */
	bool nomem;
};

/* derive.c */
uint32_t derive_source(struct vgic_derive *d, uint16_t vcpu, uint32_t intid);
struct item *derive_item(struct vgic_derive *d, struct dvcpu *v);
uint32_t derive_dir_op(struct vgic_derive *d, uint32_t source);
void derive_handled(struct vgic_derive *d, uint32_t script, uint64_t time);
void derive_mi_delay(struct vgic_derive *d, uint64_t due, uint64_t left);

/* From the entry to the sync, whether the guest executed or not; its own time is g0 to g1. */
static inline uint64_t derive_run_ns(const struct dvcpu *v)
{
	return v->sync_begin > v->entry ? v->sync_begin - v->entry : 0;
}

/* derive_run.c: what the guest did between entry and sync. */
void derive_run(struct vgic_derive *d, struct dvcpu *v, uint16_t index);
/* A trapped DIR of vCPU v: drops that must have come before it, then the DIR. */
void derive_dir(struct vgic_derive *d, struct dvcpu *v, uint16_t index,
		const struct vgr_dir *record);

/*
 * derive_place.c: gives the steps of the run their times, and learns from it. top: script of
 * the handler that ran at its begin. first_fixed: the first step is the run's begin;
 * last_fixed: the last one is its end.
 */
void derive_place(struct vgic_derive *d, struct dvcpu *v, uint32_t top, bool first_fixed,
		  bool last_fixed);

/* Own time until the handler of that source drops its priority, as others of it did; false: not
 * known. */
bool derive_left(const struct known *k, uint64_t *ns);

/* derive_bounds.c: what each record says about the instants of a handler. */
/* Estimate of an instant of the run that has just ended, at guest time g of the vCPU. */
uint64_t derive_estimate(const struct vgic_derive *d, const struct dvcpu *v, uint64_t g);
void derive_bound_ack(struct vgic_derive *d, struct dvcpu *v, uint32_t script, uint64_t lr,
		      bool split);
/* Its LR lost the active state in this run. */
void derive_bound_run(struct vgic_derive *d, const struct dvcpu *v, uint32_t script);
/*
 * EOImode 0: so many EOIRs of this run found no LR. After the LRs, before the acknowledges.
 * v->tail becomes the interrupts that they ended, if that can be told.
 */
void derive_bound_count(struct vgic_derive *d, struct dvcpu *v, unsigned int count);
/* Trapped DIR: record at time. */
void derive_bound_dir(struct vgic_derive *d, const struct dvcpu *v, uint32_t script, uint64_t time);
/* At the end: priority drops, and the estimates of the streams. */
void derive_bounds(struct vgic_derive *d);

/* derive_script.c: streams to frames. 0 or -ENOMEM. */
int derive_scripts(struct vgic_derive *d);

#endif
