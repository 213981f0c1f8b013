/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a recording what a recording must be? Structure, checksums, sequence, losses,
 * the order of flush, entry, sync and exit, and laws that hold on every kernel.
 * What the rules of one kernel demand is the business of verify, not of this.
 */
#ifndef VGICSIM_CHECK_H
#define VGICSIM_CHECK_H

#include <stdint.h>
#include <vgicsim/recording.h>

enum vgr_rule {
	VGR_RULE_FRAME = 0, /* a frame is damaged or contradicts itself */
	VGR_RULE_ENDING,    /* the file was never finished, or its end is missing */
	VGR_RULE_SEQUENCE,  /* records of a CPU repeat, or are missing without a loss record */
	VGR_RULE_TIME,	    /* time of a CPU runs backwards, or a function ends before it begins */
	VGR_RULE_PAIRING,   /* flush, entry, sync, exit of a vCPU out of order or on two CPUs */
	VGR_RULE_VCPU,	    /* a vCPU that was never introduced */
	VGR_RULE_LIST,	    /* an interrupt twice on a list; lists of one record do not agree */
	VGR_RULE_LR,	    /* list registers: duplicates, not on the list, more than there are */
	VGR_RULE_OWNER,	    /* the list after a sync does not agree with the interrupts' owners */
	VGR_RULE_TOTALS,    /* the totals of the file are not those of its records */
	VGR_NR_RULES
};

struct vgr_finding {
	enum vgr_rule rule;
	uint64_t record; /* number, from 1; 0: not about one record */
	uint64_t offset; /* of the frame, bytes */
	char what[200];
};

struct vgr_check_result {
	uint64_t records;
	uint64_t pairs; /* flushes with their sync */
	uint64_t lost;	/* accounted for by loss records */
	/*
	 * Syncs whose list and owners disagree on a host of several CPUs: another one may
	 * have queued the interrupt between the two readings. No findings.
	 */
	uint64_t racy;
	uint64_t findings[VGR_NR_RULES];
	uint64_t total_findings;
	uint32_t damaged_frames;
	enum vgr_ending ending;
};

/* "frame", "sequence" ... */
const char *vgr_rule_name(enum vgr_rule rule);

/*
 * Reads r to its end and calls report once for each violation, in file order. r
 * should have been opened with skip_damaged, else the first damaged frame ends the
 * check. 0 whether or not something was found; -ENOMEM or what reading returned.
 */
int vgr_check(struct vgr_reader *r, void (*report)(void *ctx, const struct vgr_finding *f),
	      void *ctx, struct vgr_check_result *result);

#endif
