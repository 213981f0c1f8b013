/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A workload run closed-loop on one machine: vgic with a policy, CPU interfaces
 * with nr_lr list registers, a guest that acknowledges only what is presented to
 * it and whose handlers take time only while their vCPU runs.
 */
#ifndef VGICSIM_REPLAY_H
#define VGICSIM_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/feed.h>
#include <vgicsim/metrics.h>
#include <vgicsim/policy.h>
#include <vgicsim/workload.h>

/* How raises from outside (other threads, devices) are placed in time. */
enum vgic_arrivals {
	VGIC_ARRIVALS_CAUSAL = 0, /* at their distance from the exit in whose wake they came */
	VGIC_ARRIVALS_OPEN,	  /* at their recorded time: distance to the previous raise */
	VGIC_ARRIVALS_DEPENDENT,  /* at their distance from the end of the previous handling */
};

struct vgic_replay_config {
	const struct vgic_policy *policy;
	unsigned int nr_lr; /* 1 to 16 */
	uint64_t seed;
	enum vgic_arrivals arrivals;
	const struct vgic_profile *profile; /* NULL: the workload's */
	/* MI asserted to guest left, ns: drawn evenly from these. 0 entries: the profile's. */
	uint64_t mi_delay_ns[VGIC_MAX_MI_DELAYS];
	unsigned int nr_mi_delays;
	bool has_tdir;			  /* host capability */
	bool eoicount_on_split;		  /* hardware counts a split EOIR that finds no LR */
	unsigned int pre_bits, prio_bits; /* 0: 5 */
	bool timeline;
	uint16_t timeline_vcpu;
	uint64_t timeline_t0, timeline_t1; /* ns from the start */
	const struct vgic_feed *feed;	   /* more raises than the workload's own; NULL: none */
	/*
	 * What became of interrupts is looked for at every one on a list, at each flush and sync,
	 * also where nothing can have changed. The cell is the same: that is for tests to see.
	 */
	bool thorough;
	struct vgic_busy *busy; /* told of every entry, to look for a window; NULL: none */
};

/*
 * Runs the workload; cell is made here and finished by the caller, also when the
 * outcome is a live-lock or a starvation. The same arguments give the same cell.
 * 0, -EINVAL (also: a feed that names a source which is not there), -ENOMEM, -EOVERFLOW (a
 * workload made up so that it would never end), or the feed's error; then there is no cell.
 */
int vgic_replay(const struct vgic_workload *wl, const struct vgic_replay_config *cfg,
		struct vgic_cell *cell);

/*
 * All that a replay with nr_lr LRs would find, but for their number, is in this cell, which the
 * same workload and configuration gave with fewer: none of its lists ever had as many interrupts
 * as there were LRs, so that nothing in it came of how many there were. Only costs that depend on
 * whether nr_lr is what was recorded make two such cells differ; then they are not the same.
 */
bool vgic_replay_same(const struct vgic_workload *wl, const struct vgic_cell *fewer,
		      unsigned int nr_lr);

/* "causal", "open", "dependent"; -1 if text is none of them. */
const char *vgic_arrivals_name(enum vgic_arrivals arrivals);
int vgic_arrivals_parse(const char *text);

#endif
