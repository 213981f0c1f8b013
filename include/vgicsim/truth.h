/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A derivation against what its guest says of itself: when it acknowledged, dropped and
 * deactivated each interrupt, by its own log (vgic-guest --log). The log's times are
 * brackets, as an exit may come between an access and the reading of the counter: a
 * bracket agrees with bounds if the two have an instant in common.
 */
#ifndef VGICSIM_TRUTH_H
#define VGICSIM_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/hist.h>
#include <vgicsim/workload.h>

enum vgic_truth_kind { VGIC_TRUTH_ACK = 0, VGIC_TRUTH_DROP, VGIC_TRUTH_DEACT, VGIC_TRUTH_KINDS };

/* The instant lies between the two, ns of the recording's clock; both OPEN: there was none. */
struct vgic_truth_bracket {
	uint64_t from, to; /* VGIC_WHEN_OPEN */
};

/* One acknowledged interrupt, as the guest logged it. */
struct vgic_truth_instance {
	uint32_t intid;
	uint16_t vcpu; /* that acknowledged it */
	struct vgic_truth_bracket when[VGIC_TRUTH_KINDS];
};

/* What one kind of instant came out as. */
struct vgic_truth_count {
	uint64_t inside;	/* bounds with both ends hold */
	uint64_t certain;	/* of these: the whole bracket lies in them */
	uint64_t open;		/* bounds without a latest time hold */
	uint64_t outside;	/* they do not, or the guest logged no such instant */
	uint64_t early, late;	/* estimates before and after the bracket */
	struct vgic_hist error; /* distance of the estimate from the bracket */
	struct vgic_hist width; /* of bounds with both ends */
	struct vgic_hist blur;	/* of brackets */
};

#define VGIC_TRUTH_MISSES 64u

/* One thing that does not agree. */
struct vgic_truth_miss {
	uint32_t intid, number; /* the how manieth of its INTID and vCPU in the log, from 1 */
	uint16_t vcpu;
	uint8_t kind; /* enum vgic_truth_kind */
	struct vgic_truth_bracket log;
	struct vgic_when bounds; /* ns of the recording's clock, here too */
};

struct vgic_truth_result {
	uint64_t instances; /* of the log, and those that only the derivation has */
	uint64_t inside;    /* everything that is stated of them holds */
	uint64_t missed;    /* in the log only */
	uint64_t extra;	    /* in the derivation only */
	struct vgic_truth_count kind[VGIC_TRUTH_KINDS];
	struct vgic_truth_miss miss[VGIC_TRUTH_MISSES]; /* the first */
	size_t nr_misses;
};

struct vgic_truth;

/*
 * wl must outlive it. error_ns: by which the log's times may be off; brackets are taken
 * for wider by that. 0 or -ENOMEM.
 */
int vgic_truth_create(struct vgic_truth **t, const struct vgic_workload *wl, uint64_t error_ns);
void vgic_truth_destroy(struct vgic_truth *t);

/*
 * Instances of one (vCPU, INTID) in the order in which they were acknowledged. Each is held
 * against the next of the derivation; one that cannot be the same interrupt, as the bounds
 * of its acknowledge lie wholly before or after, has no counterpart.
 */
void vgic_truth_feed(struct vgic_truth *t, const struct vgic_truth_instance *line);

/*
 * full: the log ended before the guest did; what the derivation has more is not judged.
 * The result belongs to t.
 */
const struct vgic_truth_result *vgic_truth_finish(struct vgic_truth *t, bool full);

#endif
