/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the kernel in this recording doing what the algorithm says? Takes the
 * records of a recording one by one, in file order, recomputes every flush and
 * every sync with the vgic (vgic.h), and compares bit for bit. No files here.
 */
#ifndef VGICSIM_VERIFY_H
#define VGICSIM_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/policy.h>
#include <vgicsim/records.h>

/*
 * Why a record could not be decided. Numbers index vgic_verify_totals.undecided.
 * CUT, TORN, GONE, NESTED and MALFORMED records cannot be compared; of the others
 * only one that differs from the model is looked at for a reason.
 */
enum vgic_undecided {
	VGIC_UNDECIDED_CONCURRENT = 0, /* another CPU changed the interrupt in the window */
	VGIC_UNDECIDED_LATE,	       /* list read after its lock was dropped, an arrival in it */
	VGIC_UNDECIDED_LOSS,	       /* records lost in the window */
	VGIC_UNDECIDED_CUT,	       /* list longer than a record holds */
	VGIC_UNDECIDED_TORN,	       /* list changed while it was read */
	VGIC_UNDECIDED_GONE,	       /* an interrupt could not be read */
	VGIC_UNDECIDED_NESTED,	       /* vCPU in nested state: another algorithm */
	VGIC_UNDECIDED_LPI,	       /* LPI that the list did not show (OV-78, OV-79) */
	VGIC_UNDECIDED_LEVEL,	       /* physical level was needed and not recorded */
	VGIC_UNDECIDED_MALFORMED,      /* the record contradicts itself */
	VGIC_NR_UNDECIDED
};
/* In words, and as one word for programs; "?" for a number that is none. */
const char *vgic_undecided_name(enum vgic_undecided why);
const char *vgic_undecided_key(enum vgic_undecided why);

struct vgic_verify_mismatch {
	uint64_t index;		   /* number of the record in the file, from 1 */
	const struct vgr_rec *rec; /* whole record, until the callback returns */
	const char *rule;	   /* "OV-17" */
	const char *text;	   /* the rule in plain words */
	const char *field;	   /* what differs: "LR 2", "order", "state after" */
	uint32_t intid;		   /* interrupt concerned, VGR_BOUNDARY_NONE if none */
	uint64_t kernel, model;	   /* the two values */
	/*
	 * The switches of the policy that, turned by themselves, would make the model
	 * agree, or that none would; only with one record of each rule, else NULL.
	 */
	const char *hint;
};

struct vgic_verify_totals {
	uint64_t records;
	uint64_t flushes, syncs; /* in the recording */
	uint64_t checked_flushes, checked_syncs;
	uint64_t pairs;				/* syncs checked whose flush was checked too */
	uint64_t sorted, replayed, overflowing; /* how much of the rules was exercised */
	uint64_t irqs;				/* interrupt states compared */
	uint64_t mismatched_records;
	uint64_t mismatches;
	uint64_t undecided_records;
	uint64_t undecided[VGIC_NR_UNDECIDED];
};

struct vgic_verify_config {
	const struct vgic_policy *policy;
	unsigned int nr_lr;    /* that KVM used, 1 to 16, on a GICv2 host to 64 */
	bool gicv2;	       /* of a GICv2 host: LRs are those of GICH */
	bool no_tdir;	       /* host lacks capability TDIR */
	uint32_t static_traps; /* VGIC_HCR_T* */
	bool has_levels;       /* VGR_LEVEL records were captured */
	bool has_acked;	       /* VGR_ACKED records were captured */
	bool has_entries;      /* VGR_ENTRY records were captured */
	bool sees_boundary;    /* last_lr_irq was recorded if the kernel has one (VHE) */
	uint32_t late_ns;      /* what a record shows may have been read so long after its time */
	/*
	 * Not 0: while this many records that differ are waiting to be decided nothing else
	 * is compared, for a caller to whom the first mismatch is enough.
	 */
	unsigned int patience;
	void *opaque;
	/* Called once for each mismatch, in order of the records. */
	void (*mismatch)(void *opaque, const struct vgic_verify_mismatch *m);
};

struct vgic_verify;

/* 0, -EINVAL (policy missing, nr_lr out of range) or -ENOMEM. */
int vgic_verify_create(struct vgic_verify **out, const struct vgic_verify_config *cfg);
void vgic_verify_destroy(struct vgic_verify *v);

/* One record; rec->size bytes must be readable. 0, -EINVAL (sizes contradict) or -ENOMEM. */
int vgic_verify_record(struct vgic_verify *v, const struct vgr_rec *rec);

/*
 * Decides what differs and ended before a time (ns, of the recording), for a caller
 * that knows that all records up to some time after it were given. 0 or -ENOMEM.
 */
int vgic_verify_settle(struct vgic_verify *v, uint64_t before);

/* End of the recording: decides what was waiting for later records. 0 or -ENOMEM. */
int vgic_verify_finish(struct vgic_verify *v);

const struct vgic_verify_totals *vgic_verify_totals(const struct vgic_verify *v);

/* False: for lack of patience something was not compared. */
bool vgic_verify_whole(const struct vgic_verify *v);

#endif
