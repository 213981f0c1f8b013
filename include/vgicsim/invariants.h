/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Laws that hold whatever the load: no interrupt in two list registers, no edge
 * lost, no deactivation undone. verify.h asks whether a kernel does what its
 * algorithm says; this asks whether what it does is right. The eighteen rules are
 * those of kvm-overflow.md section 17. Over a recording they need no model of the
 * kernel; over a live model (vgic.h) the same functions judge its state.
 *
 * A kernel answers for the rules that it promises: 6.12 has no on_lr, arms no NPIE
 * and starves interrupts by design. Each part of a rule names the switch of the
 * policy (policy.h) that it follows from; where the policy has the switch off, the
 * part is left out, unless the caller is strict and judges every kernel by what the
 * newest promises. A violation that is an old kernel's known failure carries its
 * name (L1 to L7 of kvm-history.md section 1.2, SC-20 of scenarios.md).
 *
 * What another CPU may have changed between two readings decides nothing: a
 * violation that a record of another thread can explain is counted as undecided,
 * and so is everything near a lost record.
 */
#ifndef VGICSIM_INVARIANTS_H
#define VGICSIM_INVARIANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/policy.h>
#include <vgicsim/records.h>
#include <vgicsim/verify.h>

struct vgic;

#define VGIC_NR_INVARIANTS 18

/* Where a rule can be decided; bits of vgic_invariant.decidable. */
#define VGIC_INVARIANT_RECORDING 1u /* in a recording */
#define VGIC_INVARIANT_STATE	 2u /* in one state of the model */

struct vgic_invariant {
	unsigned int rule;	 /* 1 to VGIC_NR_INVARIANTS */
	const char *name;	 /* a few words */
	const char *text;	 /* the rule, one sentence */
	const char *follows;	 /* from which switches; "every kernel" if from none */
	unsigned int decidable;	 /* VGIC_INVARIANT_* */
	const char *undecidable; /* what of it a recording cannot show, and why; NULL: nothing */
};

/* The table; NULL for a number that is no rule. */
const struct vgic_invariant *vgic_invariant_at(unsigned int rule);

struct vgic_violation {
	uint64_t index;		   /* number of the record in the file, from 1; 0: a state */
	const struct vgr_rec *rec; /* whole record, until the callback returns; NULL: a state */
	unsigned int rule;	   /* 1 to VGIC_NR_INVARIANTS */
	char part;		   /* which part of the rule: 'a', 'b' ... */
	const char *name;	   /* of the rule */
	const char *text;	   /* the part in plain words */
	const char *what;	   /* what is wrong here, with its values */
	const char *known;   /* "L1", "SC-20", if it is a known failure of old kernels, else NULL */
	const char *promise; /* switch that the part follows from, NULL: every kernel */
	uint32_t intid;	     /* VGR_BOUNDARY_NONE: not about one interrupt */
	uint16_t vm, vcpu;
	/*
	 * The record of the access that was in vain (rule 15: the DIR whose effect was
	 * lost) or that raised what was lost (rules 13 and 14); 0: none.
	 */
	uint64_t cause;
};

struct vgic_invariant_totals {
	uint64_t evaluated; /* decided: violations included */
	uint64_t violated;
	uint64_t undecided; /* sum of the reasons */
};

struct vgic_invariants_totals {
	uint64_t records, flushes, syncs, pairs;
	uint64_t violations;
	struct vgic_invariant_totals rules[VGIC_NR_INVARIANTS + 1]; /* by number; 0 is not used */
	uint64_t undecided[VGIC_NR_UNDECIDED];
	uint64_t deactivations; /* DIRs whose effect was looked for and decided (rule 15) */
};

struct vgic_invariants_config {
	const struct vgic_policy *policy; /* of the recorded kernel */
	bool strict;			  /* every part, whatever the policy */
	unsigned int nr_lr;		  /* that KVM used; 1 to 16, GICv2 host: 64 */
	bool gicv2;			  /* GICv2 host: LRs of records are those of GICH */
	bool model_v2;			  /* guest has a GICv2, where no record says it */
	bool has_mmio;			  /* MMIO accesses were captured */
	void *opaque;
	/* Called once for each violation, in order of the records. */
	void (*violation)(void *opaque, const struct vgic_violation *v);
};

struct vgic_invariants;

/*
 * Streaming over a recording. Memory: constant, plus some 300 bytes for each
 * interrupt that was ever on a list. 0, -EINVAL (policy missing, nr_lr out of range)
 * or -ENOMEM.
 */
int vgic_invariants_create(struct vgic_invariants **out, const struct vgic_invariants_config *cfg);
void vgic_invariants_destroy(struct vgic_invariants *inv);

/* One record, in file order; it must have passed vgr_rec_validate(). 0 or -ENOMEM. */
int vgic_invariants_record(struct vgic_invariants *inv, const struct vgr_rec *rec);

/* End of the recording: decides what was waiting for later records. */
void vgic_invariants_finish(struct vgic_invariants *inv);

const struct vgic_invariants_totals *vgic_invariants_totals(const struct vgic_invariants *inv);

/* The moments at which a state of the model can be judged. */
enum vgic_point {
	VGIC_POINT_FLUSHED = 0, /* F: after vgic_flush, before the guest runs */
	VGIC_POINT_SYNCED,	/* S: after vgic_sync or vgic_prune */
	VGIC_POINT_RUNNING,	/* R: between the two */
};

/*
 * The rules that one state of the model can break: 1 to 10, 12, 16 and 17; the others
 * are about what happens between two states. Looks at the whole of vgic for rule 1, at
 * vCPU vcpu for the others. Returns the number of violations, or -ENOMEM, or -EINVAL
 * (no such vCPU). report may be NULL.
 */
int vgic_invariants_state(const struct vgic *vgic, unsigned int vcpu, enum vgic_point point,
			  bool strict, void (*report)(void *opaque, const struct vgic_violation *v),
			  void *opaque);

#endif
