/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine of a replay: shared by its loop, its guests and its start. */
#ifndef VGICSIM_MACHINE_H
#define VGICSIM_MACHINE_H

#include <vgicsim/bound.h>
#include <vgicsim/cpuif.h>
#include <vgicsim/raises.h>
#include <vgicsim/replay.h>
#include <vgicsim/vgic.h>

#include "watch.h"

#define NEVER	       UINT64_MAX
#define MAX_FRAMES     2048u
/* Last moment of a replay, 146 years: behind it sums of times could overflow. */
#define LATEST	       (1ull << 62)
/* Exits that a replay may have for each operation, handling or raise, and more. */
#define EXITS_FOR_EACH 32u
#define EXITS_MORE     200000u
/* A guest that only waits is taken off its CPU after this, if another vCPU wants it. */
#define HOST_TICK_NS   4000000u
/* Turns of the loop for each exit that a replay may have: real demands need a few. */
#define MAX_STEPS      256u

/* One part of the guest's program that is running or interrupted. */
struct frame {
	uint32_t script; /* VGIC_WL_NONE: an interrupt of which no handling is known */
	uint32_t op;	 /* next operation */
	uint32_t source; /* VGIC_WL_NONE for the background */
	uint32_t acked;	 /* interrupts it asked for and got */
	uint32_t nested; /* handlers that have interrupted it since its last operation */
	uint32_t serial;
	int64_t woken; /* handlers that have interrupted it, more than had in the recording */
	bool slept;    /* its last operation was a WFI */
	uint64_t own;
	uint64_t ack_time;
	uint32_t iar; /* what the guest read, and writes to end it */
	uint8_t group;
	bool masked;
	bool dropped;
	bool extra; /* the recording has no handling for it: another one stands in */
	bool raise_known;
	struct vgic_raise raise; /* it was acknowledged because of; only if it is known */
};

enum vcpu_state { VCPU_OUT = 0, VCPU_READY, VCPU_GUEST, VCPU_WFI, VCPU_DONE };

struct mvcpu {
	enum vcpu_state state;
	uint16_t index;
	struct vgic_vcpu *vgic; /* its state outside the guest */
	bool touched;		/* see machine_touch() */
	bool kicked;		/* in the list of those */
	struct vgic_v3_cpuif hw;
	struct vgic_lr_look look; /* at hw, out of date if hw has changed: see machine_look() */
	bool changed;		  /* hw, since then */
	struct frame *frames;
	struct frame *top; /* of those that there are */
	unsigned int nr_frames;
	uint64_t now;  /* in the guest: up to here it has run; being entered: it will run then */
	uint64_t next; /* time of its next event */
	uint64_t entry;
	uint64_t mi_at, exit_at;
	bool stalled;  /* the guest waits for something that others must do */
	bool draining; /* its program is over, interrupts are still due */
	bool gave_up;  /* what is due will not come */
	bool unsynced; /* it took or ended something since the entry */
	bool any_end;
	uint32_t ends[VGIC_LATENCIES]; /* latencies that have ended in this run */
	unsigned int idle_ticks;       /* host ticks since its guest made progress */
	bool progressed, kick, cpu_wait;
	uint32_t requests;
	uint32_t wfi, wfi_woken;
	uint32_t idle_entries;
	uint64_t ready_since;
	uint32_t *asked; /* effects asked for, perhaps not yet on their way */
	size_t nr_asked, cap_asked;
	unsigned int nr_held; /* parts of the handling of its exit that are not done yet */
	uint64_t not_before;  /* WFI: others have the CPU until then */
	uint64_t flush_time;
	unsigned int sync_irqs, sync_lrs; /* at its last exit */
	/* What fates and raises are told of it, see machine_records.c. */
	struct fates_vcpu *fates;
	struct raises_vcpu *raises;
	struct vgic_irq **fresh; /* of its list, those to be looked at */
	unsigned int nr_fresh, cap_fresh;
	bool in_order;	/* as they stand on the list */
	uint64_t known; /* machine.known when it went through its list */
	struct {
		uint64_t lr;
		uint32_t number;
		struct msource *source; /* NULL: one of which the workload knows nothing */
	} in_lr[VGR_MAX_LRS];		/* by its last flush */
	unsigned int nr_in_lr;
	uint64_t flush;	       /* number of its last flush */
	unsigned int nr_stays; /* in them after the last run */
	bool running;	       /* with these LRs */
	uint32_t groups;       /* enabled at its last flush */
	int64_t entry_more;    /* ns beyond the cost of the entry to come */
	uint32_t depth;
	bool inverted;
	struct vgic_bound fewest_mi, fewest_lr_exits;
};

/*
 * What fates and raises know of an interrupt already, see machine_records.c: one of these bits,
 * and the number of times, from KNOWN_STEP in steps of it, that nothing was known any more.
 */
#define NOT_KNOWN  0u
#define SAME	   1u
#define WAITS	   2u
#define STAYS	   4u
#define KNOWN_STEP 8u

/* What the machine knows of one interrupt. */
struct msource {
	struct vgic_irq *irq;
	uint32_t index;
	uint32_t number;     /* of fates and raises */
	struct vgr_irq seen; /* as it was last looked at, unless NOT_KNOWN */
	uint64_t known;
	bool fresh;	  /* among those to be looked at on its list */
	uint8_t left_out; /* not looked at since a flush: it WAITS or STAYS, else 0 */
	uint64_t inside;  /* the last flush that put it into an LR */
	bool again;	  /* so had the one before */
	uint32_t cursor;  /* script of the next acknowledgement */
	uint32_t acks, handled;
	bool due;	/* raised, and not acknowledged */
	bool in_lr;	/* since the raise */
	bool physical;	/* level of the physical line */
	bool lowered;	/* its line goes down at some time */
	uint32_t open;	/* acknowledges that the guest has not deactivated */
	uint16_t taker; /* vCPU of the last acknowledge */
	bool active_raise_known;
	struct vgic_raise active_raise; /* of the handling in progress */
	uint32_t dep_first, dep_count;	/* outside effects, for dependent arrivals */
};

struct due {
	uint64_t time;
	uint64_t order;
	uint32_t effect;
	uint32_t source; /* stands in for the effect's own if not VGIC_WL_NONE */
	uint16_t holds;	 /* vCPU that must not go on before, VGIC_NO_VCPU if none */
};

/* See due.h. */
struct due_tree {
	uint64_t *node; /* node[1] is the root, node[leaves + i] of vCPU i */
	unsigned int leaves;
	unsigned int nr_touched, nr_kicked;
	uint16_t *touched; /* those of which it may have changed */
	uint16_t *kicked;  /* those that were kicked and have not yet seen it */
};

/* See arrivals.c. */
struct arrivals {
	uint64_t at; /* time of the next one, NEVER if there is none */
	bool over;   /* the feed has no more, or there is none */
	bool sorted;
	struct due *own; /* of the workload */
	size_t nr_own, cap_own, next_own, moved;
	unsigned int nr, next;
	struct vgic_arrival piece[VGIC_FEED_PIECE];
};

/* A request that another vCPU's exit carries, for want of a better sign of when it was served. */
enum ask_state { ASK_NONE = 0, ASK_OPEN, ASK_SERVED_EARLY };

struct machine {
	const struct vgic_workload *wl;
	const struct vgic_replay_config *cfg;
	struct vgic_v3_cpuif_config hw_cfg;
	struct vgic *vgic;
	struct vgic_cell *cell;
	struct vgic_profile profile;
	struct vgic_fates *fates;
	struct vgic_raises *raises;
	struct latency_log *logs; /* VGIC_LATENCIES, of the cell's latencies */
	struct vgr_flush flush;	  /* being made: what is no list of it */
	struct vgic_irq **listed; /* for a look at a list */
	uint32_t *off;		  /* left the list between sync and flush */
	unsigned int nr_listed, cap_listed, nr_off;
	bool sorts_otherwise; /* than by the keys of lists that are longer than there are LRs */
	uint64_t known;	      /* what of the sources' is not older */
	uint64_t flushes;     /* counts them */
	struct mvcpu *vcpus;
	unsigned int nr_vcpus;
	struct msource *sources;
	/* Serial of the frame that asked for it, 0 if none: by source, vCPU. NULL: nobody asks. */
	uint32_t *raisers;
	uint32_t *dependents; /* outside effects by source */
	uint8_t *ask;	      /* by effect: enum ask_state */
	struct arrivals arrivals;
	struct due_tree due;
	struct due *heap;
	size_t nr_heap, cap_heap;
	uint64_t order;
	uint64_t now;
	uint64_t rng;
	uint64_t *ticks; /* recorded times of the host's own interrupts, ascending */
	size_t nr_ticks;
	uint64_t ticks_done, tick_slack;
	uint64_t
		tick_at; /* the next one comes by itself, if the program does not bring it before */
	uint32_t serial;
	bool one_cpu;
	uint16_t owner; /* vCPU that has the only CPU, VGIC_NO_VCPU if none */
	uint64_t max_exits;
	uint64_t steps;		 /* turns of the loop that are left */
	unsigned int idle_ticks; /* host ticks in a row in which no guest made progress */
	uint64_t first_entry, last_exit;
	union {
		uint64_t halt; /* not 0: look why */
		struct {
			bool nomem, failed, livelock;
			bool stuck;    /* a guest waits for what its vgic keeps outside */
			bool over;     /* every program is */
			bool too_many; /* exits, perhaps */
		};
	};
	int error; /* why it failed: of the feed */
	unsigned int nr_alive;
	bool cramped;	/* a list had as many interrupts as there are LRs */
	bool endless;	/* neither time nor exits put an end to it */
	bool uncounted; /* what happens now has no place in the recording */
	uint16_t livelock_vcpu;
};

/* The INTID of an LR: a GICv2 has the source of an SGI above it. */
static inline uint32_t machine_intid(const struct machine *m, uint64_t lr)
{
	return (uint32_t)(lr & (m->wl->model_v2 ? 0x3ffu : VGIC_LR_VINTID));
}

/* What follows from the LRs of a vCPU as they stand. */
static inline const struct vgic_lr_look *machine_look(struct mvcpu *v)
{
	if (v->changed) {
		vgic_v3_cpuif_look(&v->hw, &v->look);
		v->changed = false;
	}
	return &v->look;
}

/* The LRs of a vCPU can be refilled without an exit for their sake. */
static inline void machine_free_exit(struct mvcpu *v)
{
	vgic_bound_free(&v->fewest_mi);
	vgic_bound_free(&v->fewest_lr_exits);
}

/* When vCPU v does something next may have changed. */
static inline void machine_touch(struct machine *m, struct mvcpu *v)
{
	if (!v->touched)
		m->due.touched[m->due.nr_touched++] = v->index;
	v->touched = true;
}

/* due.c */
int due_init(struct machine *m);
void due_finish(struct machine *m);

/* machine.c */
void machine_run(struct machine *m);
/* Leaves the guest; kind VGIC_EXIT_OTHER_IRQ becomes VGIC_EXIT_MI if MISR says so. */
void machine_exit(struct machine *m, struct mvcpu *v, enum vgic_exit_kind kind);
/* Save, sync, and the record of it. */
void machine_fold(struct machine *m, struct mvcpu *v);
/* What the guest did takes effect in its vgic, by an exit and an entry that do not count. */
void machine_refold(struct machine *m, struct mvcpu *v);
/* Lets vCPU v begin its entry at t; the guest runs when the flush is over. */
void machine_enter_at(struct machine *m, struct mvcpu *v, uint64_t t);
/* ns from an exit to the flush that follows; out: the same to the guest with an empty list. */
uint64_t machine_out(const struct machine *m, const struct mvcpu *v, uint64_t out);
/* The same for an exit of the program. *shift: how much later than recorded it is handled. */
uint64_t machine_out_of(struct machine *m, struct mvcpu *v, const struct vgic_op *op,
			int64_t *shift);
/*
 * Gives up the only CPU. prefer: who had it next in the recording, after ns;
 * VGIC_NO_VCPU if unknown.
 */
void machine_release_cpu(struct machine *m, struct mvcpu *v, unsigned int prefer, uint64_t ns);
void machine_wake(struct machine *m, struct mvcpu *v);

/*
 * machine_records.c: what happens, told to the fates and the raises; see machine_records.h for
 * entries and exits. 0 or -ENOMEM.
 */
int machine_records_init(struct machine *m);
void machine_records_finish(struct machine *m);
int machine_records_number(struct machine *m, uint16_t vcpu, uint32_t intid, uint32_t *number);
/* vgic_prune() before the flush. */
void machine_records_prune(struct machine *m, unsigned int v);
/* Nothing will be told any more. */
int machine_records_end(struct machine *m);
/* An LR of the vCPU's last flush has an interrupt of which the workload knows nothing. */
bool machine_records_inside(struct machine *m, unsigned int v, const struct vgic_irq *irq);
/* vcpu: of a private INTID, else VGR_NO_VCPU. */
void machine_records_inject(struct machine *m, uint16_t vcpu, struct msource *s, bool level);
/* An MSI has made it pending. */
void machine_records_msi(struct machine *m, struct msource *s);
/* Before it is sent; then of each vCPU's that was hit. */
void machine_records_sgi(struct machine *m, const struct vgic_effect *e);
void machine_records_sent(struct machine *m, struct vgic_irq *irq);
/* What no record tells of has changed its state, or put it on a list. */
void machine_records_touched(struct machine *m, struct msource *s);
void machine_records_dir(struct machine *m, struct msource *s);
/* A register write that may take interrupts back. */
void machine_records_write(struct machine *m);

/* An LR has it since the last flush of all, which was that of vCPU v. */
static inline bool machine_inside(struct machine *m, unsigned int v, const struct vgic_irq *irq)
{
	const struct msource *s = irq->user;

	return s ? s->inside == m->flushes : machine_records_inside(m, v, irq);
}

/* arrivals.c */
/* Before the start: one more of the workload's own. 0 or -ENOMEM. */
int arrivals_add(struct machine *m, const struct due *d);
void arrivals_start(struct machine *m);
/* The next one, its time has come. */
void arrivals_apply(struct machine *m);
void arrivals_finish(struct machine *m);

/* ticks.c: 0, or not without memory. */
int ticks_init(struct machine *m);
/* An exit that only the host wanted. */
bool tick_is(const struct vgic_op *op);
/* It stands in the program now. False: the replay is ahead of it, leave it out. */
bool ticks_take(struct machine *m);
/* One has come by itself: with it all that should have come by now. */
void ticks_catch_up(struct machine *m);

/* Of a vCPU for a source. */
static inline uint32_t *machine_raiser(struct machine *m, uint32_t source, unsigned int vcpu)
{
	return &m->raisers[(size_t)source * m->nr_vcpus + vcpu];
}

/* effects.c */
/* shift: how much later, or earlier, than recorded the exit is handled. */
void effects_start(struct machine *m, const struct vgic_op *op, unsigned int vcpu,
		   const struct frame *f, int64_t shift);
void effect_apply(struct machine *m, const struct due *due);
/* source: which interrupt it acts on. */
void effect_take(struct machine *m, const struct vgic_effect *e, uint32_t source);
/* A frame of the vCPU had asked for it and need not wait for it any more. */
void effects_answered(struct machine *m, struct msource *s, unsigned int vcpu);
void effects_handled(struct machine *m, struct msource *s);
/* vCPU v goes on: the handling of its exit is over, and what was part of it is done. */
void effects_before_entry(struct machine *m, unsigned int v);
/* The guest of vCPU v waits: what it has asked for is served now. */
void effects_serve_asked(struct machine *m, unsigned int v);
int heap_push(struct machine *m, const struct due *d);
bool heap_pop(struct machine *m, struct due *d);
void raised(struct machine *m, struct msource *s);
void machine_inject(struct machine *m, struct msource *s, bool level);

/* guest.c */
/* Makes the guest of vCPU v act at its present time; called until it has nothing to do. */
void guest_step(struct machine *m, struct mvcpu *v);
/* Sets next: when the guest will do something by itself. */
void guest_plan(struct machine *m, struct mvcpu *v);
/* The guest polls for something, able to take it, that has not come. */
bool guest_waits(const struct machine *m, struct mvcpu *v);
/* A trap is due that came before the MI in the recording. */
bool guest_traps_first(const struct machine *m, struct mvcpu *v);
/* After an MI exit: takes along the host's exit that came with it in the recording. */
bool guest_merge(struct machine *m, struct mvcpu *v);
/* vCPU v is woken though nothing has come: the guest goes on as in the recording. */
void guest_awake(struct machine *m, struct mvcpu *v);
/* Lets the guest go on although what it waits for will not come. False: nothing to give up. */
bool guest_give_up(struct machine *m, struct mvcpu *v);

#endif
