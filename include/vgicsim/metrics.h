/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is measured, each metric defined once: the table of definitions, one cell
 * of numbers (one LR count of a replay, or the recording itself), and the small
 * meters that fill it. Meters watch; they change nothing.
 */
#ifndef VGICSIM_METRICS_H
#define VGICSIM_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/fates.h>
#include <vgicsim/latency.h>
#include <vgicsim/records.h>
#include <vgicsim/workload.h>

/* What --explain prints. */
struct vgic_metric {
	const char *name; /* as in the result file, e.g. "mi.np" */
	const char *unit;
	const char *text; /* definition and formula */
};

/* The table; NULL from the end on. By name; NULL if there is none. */
const struct vgic_metric *vgic_metric_at(size_t index);
const struct vgic_metric *vgic_metric_find(const char *name);

enum vgic_outcome { VGIC_OUTCOME_COMPLETED = 0, VGIC_OUTCOME_LIVELOCK, VGIC_OUTCOME_STARVED };

/* Entries of one vCPU in a row without any progress of its guest: live-lock. */
#define VGIC_LIVELOCK_ENTRIES 10000u

enum vgic_latency {
	VGIC_LATENCY_RAISE_TO_LR = 0,
	VGIC_LATENCY_RAISE_TO_ACK,
	VGIC_LATENCY_ACK_TO_EOI,
	VGIC_LATENCY_RAISE_TO_DEACTIVATE,
	VGIC_LATENCIES
};

/* As in the result file: "raise_to_lr" ... */
const char *vgic_latency_name(enum vgic_latency latency);

#define VGIC_MI_SOURCES	 8u
/* Overflow depths with a time of their own; deeper ones count as the last. */
#define VGIC_DEPTHS	 1025u
#define VGIC_MAX_STARVED 256u

struct vgic_starved {
	uint16_t vcpu;
	uint32_t intid;
	uint64_t since_ns; /* from the start */
};

struct vgic_segment {
	uint8_t lr, state; /* state: VGIC_LR_STATE bits >> 62: 1 pending, 2 active, 3 both */
	uint32_t intid;
	uint64_t t0, t1;
};

struct vgic_mark {
	uint64_t t;
	uint32_t value; /* MISR of an MI, or overflow depth */
};

/* Time line of one vCPU's LRs in [t0, t1), ns from the start. Bounded; full says it was cut. */
#define VGIC_TIMELINE_MAX 65536u
struct vgic_timeline {
	uint64_t t0, t1;
	uint16_t vcpu;
	bool full;
	struct vgic_segment *segments;
	struct vgic_mark *mis, *depths;
	size_t nr_segments, nr_mis, nr_depths;
	bool over;	       /* all that is in the window has come and gone */
	unsigned int nr_shown; /* LRs that may have an open segment */
	/* Open segments while it is filled. */
	uint64_t lr[VGR_MAX_LRS], since[VGR_MAX_LRS];
};

/* One column of numbers. A latency with known == false was not measurable. */
struct vgic_cell {
	unsigned int nr_lr;
	bool ample; /* of a replay: more LRs would change nothing, see vgic_replay_same() */
	enum vgic_outcome outcome;
	uint16_t stuck_vcpu; /* live-lock: which vCPU made no progress */
	uint64_t unhandled;  /* recorded handlings that did not take place: merged or late raises */
	uint64_t guest_ns, wall_ns;
	uint64_t exits, exit[VGIC_EXIT_KINDS];
	uint64_t mi, mi_source[VGIC_MI_SOURCES]; /* bit order of ICH_MISR_EL2 */
	uint64_t dir_traps, eoicount, kicks, lr_writes, lr_reads, interrupts;
	bool excess_known;
	int64_t excess_exits;
	bool bound_known; /* of a replay; see <vgicsim/bound.h> */
	uint64_t bound_mi, bound_lr_exits;
	uint64_t used_ns[VGR_MAX_LRS + 1], pending_ns[VGR_MAX_LRS + 1];
	uint64_t active_ns[VGR_MAX_LRS + 1], entries[VGR_MAX_LRS + 1];
	uint32_t overflow_max;
	uint64_t overflow_entries;
	uint64_t *depth_ns; /* VGIC_DEPTHS */
	bool latency_known[VGIC_LATENCIES];
	struct vgic_latency_series latency[VGIC_LATENCIES];
	/*
	 * Latencies that end inside a run, where the host does not see it: lengths of these runs,
	 * added up. None is off by more than its run is long.
	 */
	uint64_t inside_ns[VGIC_LATENCIES];
	uint64_t merged; /* raises that found their interrupt pending already */
	uint64_t inversions, inversion_ns;
	bool order_known; /* spurious and lost are measured */
	uint64_t spurious, lost;
	uint64_t reordered;	 /* flushes that changed the order of the list */
	struct vgic_fate *fates; /* of every interrupt, sorted by INTID, then vCPU */
	size_t nr_fates;
	struct vgic_starved starved[VGIC_MAX_STARVED];
	size_t nr_starved;
	bool has_timeline;
	struct vgic_timeline timeline;
};

/* Empty cell. 0 or -ENOMEM. */
int vgic_cell_init(struct vgic_cell *c, unsigned int nr_lr);
/* Frees; fine on a zeroed structure. */
void vgic_cell_finish(struct vgic_cell *c);

/* Gives the cell a time line to fill: vCPU and window in ns from the start. 0 or -ENOMEM. */
int vgic_cell_timeline(struct vgic_cell *c, uint16_t vcpu, uint64_t t0, uint64_t t1);

/*
 * Keeps a cell that is complete in less memory; nothing is added to its time line after that.
 * 0 or -ENOMEM.
 */
int vgic_cell_pack(struct vgic_cell *c);

/* An exit of this kind; misr counts its sources if the kind is VGIC_EXIT_MI. */
void vgic_cell_exit(struct vgic_cell *c, enum vgic_exit_kind kind, uint32_t misr);

/* So many LRs were valid, pending, active (those in both states count twice) for ns of guest time.
 */
static inline void vgic_cell_occupied(struct vgic_cell *c, unsigned int valid, unsigned int pending,
				      unsigned int active, uint64_t ns)
{
	c->used_ns[valid] += ns;
	c->pending_ns[pending] += ns;
	c->active_ns[active] += ns;
}

/* LRs stood like this (n of them) for ns of guest time. */
void vgic_cell_occupancy(struct vgic_cell *c, const uint64_t *lr, unsigned int n, uint64_t ns);

/* depth interrupts stood outside the LRs for ns of wall time. */
void vgic_cell_depth(struct vgic_cell *c, uint32_t depth, uint64_t ns);

/* Ends f: its list becomes the cell's, with what starved and was lost. 0 or -ENOMEM. */
int vgic_cell_fates(struct vgic_cell *c, struct vgic_fates *f, enum vgic_fates_end end);

/* LRs of the vCPU from time t on (n of them, the others are empty); MI; depth. */
void vgic_timeline_lrs(struct vgic_timeline *tl, uint64_t t, const uint64_t *lr, unsigned int n);
void vgic_timeline_mi(struct vgic_timeline *tl, uint64_t t, uint32_t misr);
void vgic_timeline_depth(struct vgic_timeline *tl, uint64_t t, uint32_t depth);
/* Closes what is open at time t. */
void vgic_timeline_close(struct vgic_timeline *tl, uint64_t t);

/*
 * Measures a recording itself: the truth a replay is compared with. Feed every
 * record in file order, then finish. window: time line to keep (t0 == t1: the
 * busiest stretch is looked for in a first pass, see vgic_busy).
 */
struct vgic_measure;
int vgic_measure_create(struct vgic_measure **m, unsigned int nr_lr, uint16_t vm);
void vgic_measure_destroy(struct vgic_measure *m);
int vgic_measure_timeline(struct vgic_measure *m, uint16_t vcpu, uint64_t t0, uint64_t t1);
/* 0 or -ENOMEM. */
int vgic_measure_record(struct vgic_measure *m, const struct vgr_rec *rec);

/* What one vCPU has in the numbers so far. */
struct vgic_vcpu_counts {
	uint64_t exits, mi, mi_source[VGIC_MI_SOURCES];
	uint64_t eoicount;
	uint64_t overflow_entries;
	uint32_t overflow_max;
	uint64_t guest_ns, used_ns; /* in the guest; the same times the LRs in use */
};

/* All 0 for a vCPU that was not seen. Exits are complete after vgic_measure_settle(). */
struct vgic_vcpu_counts vgic_measure_vcpu(const struct vgic_measure *m, uint16_t vcpu);
/* The recording ends here: what the last exits were is as far known as it will ever be. */
void vgic_measure_settle(struct vgic_measure *m);

/* Moves the numbers into cell, which the caller finishes. 0 or -ENOMEM. */
int vgic_measure_finish(struct vgic_measure *m, struct vgic_cell *cell);

/*
 * Looks for the stretch of window_ns with most LR activity (LRs in use, MIs,
 * overflow), vCPU by vCPU. Feed every record, then ask. Times are ns from the
 * first record.
 */
struct vgic_busy;
int vgic_busy_create(struct vgic_busy **b, uint64_t window_ns, uint16_t vm);
void vgic_busy_destroy(struct vgic_busy *b);
int vgic_busy_record(struct vgic_busy *b, const struct vgr_rec *rec);
/* False: no LR was ever used. */
bool vgic_busy_window(const struct vgic_busy *b, uint16_t *vcpu, uint64_t *t0, uint64_t *t1);

/* MISR at the sync of a recorded run, from what was read back (hardware model 4). */
uint32_t vgic_sync_misr(const struct vgr_sync *s, unsigned int nr_lr);

#endif
