/* SPDX-License-Identifier: GPL-2.0-only */
/* From an open recording to what its guest demanded and what its kernel did with it. */
#ifndef VGICSIM_CLI_DEMAND_H
#define VGICSIM_CLI_DEMAND_H

#include <vgicsim/derive.h>
#include <vgicsim/metrics.h>
#include <vgicsim/policy.h>
#include <vgicsim/recording.h>
#include <vgicsim/replay.h>

struct demand {
	struct vgic_workload *workload;
	struct vgic_derive_stats derived;
	struct vgic_cell recorded;
	uint64_t pairs; /* flush/sync pairs read */
};

/* Wishes of the caller; NULL or zeroed: none. */
struct demand_wishes {
	bool other_vm; /* this one, not demand_vm() */
	uint16_t vm;
	bool timeline; /* of this vCPU, ns from the start */
	uint16_t vcpu;
	uint64_t t0, t1;
	/* Told of every record; 0 or a negative errno. */
	int (*tap)(void *opaque, const struct vgr_rec *rec);
	void *opaque;
	struct vgic_calibration *calibration; /* told of this recording too */
	bool alone;			      /* in the caller's thread, and no other */
};

/* The VM that is looked at: the one with most vCPUs, the first of these. */
uint16_t demand_vm(const struct vgr_header *h);

/*
 * Reads r to its end. policy: the recorded kernel's. Prints the line and gives an
 * exit code other than EXIT_OK if it cannot; d is finished by the caller in any case.
 */
int demand_read(struct demand *d, const char *path, struct vgr_reader *r,
		const struct vgic_policy *policy, const struct demand_wishes *wishes);
void demand_finish(struct demand *d);

/*
 * The machine of a recording for a replay: LRs, TDIR, priority bits, deviations of
 * an emulated host, its own costs. Seed and arrivals: the defaults of the command.
 */
void demand_machine(struct vgic_replay_config *c, const struct vgr_header *h,
		    const struct demand *d);

#endif
