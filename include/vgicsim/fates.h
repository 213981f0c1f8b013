/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of every interrupt: how often it was raised, taken and ended, and
 * how it stood when the records stopped. Fed with the records of a recording, or
 * with those that a replay makes of itself: the rules are the same for both.
 */
#ifndef VGICSIM_FATES_H
#define VGICSIM_FATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/records.h>

/*
 * Outside the LRs, or active, for so many entries of its vCPU and so long, to the end:
 * many entries in a short time, or on a slow or crowded host some in a long time.
 */
#define VGIC_FATE_ENTRIES      32u
#define VGIC_FATE_NS	       1000000u
#define VGIC_FATE_SOME_ENTRIES 8u
#define VGIC_FATE_LONG_NS      100000000u

/* How it ended, the worst that applies. */
enum vgic_fate_kind {
	VGIC_FATE_NONE = 0,  /* never raised */
	VGIC_FATE_DELIVERED, /* taken, and nothing is left of it */
	VGIC_FATE_WITHDRAWN, /* raised and taken back: line down, pending cleared, never taken */
	VGIC_FATE_WAITING,   /* raised at the end: it came late, or the guest holds it back */
	VGIC_FATE_STUCK,     /* active to the end, nobody ended it */
	VGIC_FATE_STARVED,   /* could be taken, and stood outside the LRs to the end */
	VGIC_FATE_LOST,	     /* pending once, and no more, though nobody took it or took it back */
	VGIC_FATE_KINDS
};

struct vgic_fate {
	uint32_t intid;
	uint16_t vcpu; /* SGI, PPI: whose; else on whose list it was last; VGR_NO_VCPU: on none */
	uint8_t kind;  /* enum vgic_fate_kind */
	bool refused;  /* STUCK: the guest wrote a DIR for it, which ended nothing */
	uint8_t priority;	  /* when last listed */
	uint64_t raised;	  /* became pending, or was asked for again while it was */
	uint64_t first_ns;	  /* when it was raised first, from the start */
	uint64_t delivered;	  /* acknowledges */
	uint64_t ended;		  /* deactivations */
	uint64_t lost;		  /* times */
	uint64_t since_ns;	  /* STARVED, STUCK, LOST, WAITING: from the start */
	uint64_t entries;	  /* STARVED, STUCK: of its vCPU since then */
	uint64_t outside_ns;	  /* it stands outside the LRs since then; with outside_entries */
	uint64_t outside_entries; /* 0: it does not */
	uint64_t outside_record;  /* number of the record at which that began, from 1 */
};

/* What the end of the records means. */
enum vgic_fates_end {
	VGIC_FATES_CUT = 0, /* the guest would have gone on */
	VGIC_FATES_OVER,    /* every vCPU's program has ended: what is active stays so */
	VGIC_FATES_BLOCKED, /* nothing can happen any more: what waits outside, too */
};

struct vgic_fates;

/* vm: of the recording; the others are left out. 0 or -ENOMEM. */
int vgic_fates_create(struct vgic_fates **f, uint16_t vm);
void vgic_fates_destroy(struct vgic_fates *f);

/* One record, in file order, LRs in the layout of ICH_LR<n>_EL2. 0 or -ENOMEM. */
int vgic_fates_record(struct vgic_fates *f, const struct vgr_rec *rec);

/*
 * Judges, and gives the list (sorted by INTID, then vCPU) to the caller, who frees
 * it; f is only good for destroying afterwards. 0 or -ENOMEM.
 */
int vgic_fates_finish(struct vgic_fates *f, enum vgic_fates_end end, struct vgic_fate **list,
		      size_t *n);

/* In a list of vgic_fates_finish(); vcpu counts for private INTIDs only. NULL: not there. */
const struct vgic_fate *vgic_fate_find(const struct vgic_fate *list, size_t n, uint16_t vcpu,
				       uint32_t intid);

/* Whether a replay foretold what a recording of another kernel shows. */
enum vgic_verdict {
	VGIC_VERDICT_AGREE = 0,
	VGIC_VERDICT_OPEN,    /* the replayed demand does not reach so far, or not this way */
	VGIC_VERDICT_SWAPPED, /* two changed places, raised the other way round */
	VGIC_VERDICT_DIFFER,
	VGIC_VERDICTS
};

/* One interrupt three times; NULL: not there. */
struct vgic_fate_triple {
	const struct vgic_fate *source;	  /* in the recording that the demand comes from */
	const struct vgic_fate *replayed; /* that demand on the other kernel's policy */
	const struct vgic_fate *recorded; /* in the other kernel's recording */
	/* The guest was held up for good there: it did not come to ask for all it wants. */
	bool source_blocked, recorded_blocked; /* something starved, is stuck or lost */
	bool source_starved;		       /* something starved or is lost */
};

/*
 * Delivered, starved, stuck and lost must be the same. Open: the guest of the source
 * never raised it or, blocked, did not come to let it in, or had not ended it when its recording
 * did though nothing starved; or the recorded guest did not raise it though nothing held it up.
 */
enum vgic_verdict vgic_fate_verdict(const struct vgic_fate_triple *t);

/*
 * Two that differ have changed places: each was replayed as the other one was recorded, and
 * the guest of the source raised them in the other order than the recorded guest.
 */
bool vgic_fates_swapped(const struct vgic_fate_triple *a, const struct vgic_fate_triple *b);

/* An interrupt of the list has this fate or a worse one. */
bool vgic_fates_any(const struct vgic_fate *list, size_t n, enum vgic_fate_kind least);

/* "delivered", "starved" ... */
const char *vgic_fate_name(enum vgic_fate_kind kind);

#endif
