/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A prediction held against a real run: which numbers are compared, how far they
 * are apart, and what many such comparisons say together.
 */
#ifndef VGICSIM_VALIDATION_H
#define VGICSIM_VALIDATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/metrics.h>

/* What is compared; the order of the columns everywhere. */
enum vgic_quantity {
	VGIC_QUANTITY_EXITS = 0,
	VGIC_QUANTITY_MI,
	VGIC_QUANTITY_MI_U,
	VGIC_QUANTITY_MI_NP,
	VGIC_QUANTITY_MI_LRENP,
	VGIC_QUANTITY_MI_EOI,
	VGIC_QUANTITY_MI_GRP, /* VGrp0E, VGrp0D, VGrp1E, VGrp1D together */
	VGIC_QUANTITY_DIR,
	VGIC_QUANTITY_EOICOUNT,
	VGIC_QUANTITY_OCCUPANCY, /* LRs in use at entry, mean */
	VGIC_QUANTITY_P50,	 /* raise to LR, ns */
	VGIC_QUANTITY_P99,
	VGIC_QUANTITIES
};

/* Three ways in which a number can be off, judged apart. */
enum vgic_quantity_kind {
	VGIC_KIND_COUNT = 0,
	VGIC_KIND_OCCUPANCY,
	VGIC_KIND_LATENCY,
	VGIC_QUANTITY_KINDS
};

/* "mi.lrenp", as in the result file; its kind. */
const char *vgic_quantity_name(enum vgic_quantity q);
enum vgic_quantity_kind vgic_quantity_kind(enum vgic_quantity q);

/*
 * A count below this is no base for a percentage: one more or less would be more than 1 %.
 * Such counts are judged by their difference instead.
 */
#define VGIC_FEW 100u

/* Two MI counts nearer than this to one another have no order to foretell. */
#define VGIC_TIE_SHARE 0.01
#define VGIC_TIE_COUNT 3.0

/* One run in the numbers that are compared. */
struct vgic_numbers {
	enum vgic_outcome outcome;
	double value[VGIC_QUANTITIES];
	bool known[VGIC_QUANTITIES]; /* a latency of fewer than 20 (p50) or 1000 (p99) is not */
	double guest_ns;
	uint64_t interrupts;
	struct vgic_starved starved[VGIC_MAX_STARVED]; /* sorted by INTID, then vCPU */
	size_t nr_starved;
};

void vgic_numbers_of(struct vgic_numbers *n, const struct vgic_cell *c);

/*
 * Several runs of the same thing in one: the median of each number, the outcome that most
 * have (the worse of two equally frequent ones). runs: at least one. low and high (may be
 * NULL): the smallest and the largest of each number.
 */
void vgic_numbers_median(struct vgic_numbers *mid, double low[VGIC_QUANTITIES],
			 double high[VGIC_QUANTITIES], const struct vgic_numbers *runs, size_t n);

enum vgic_agreement {
	VGIC_AGREES = 0, /* same outcome, same starved interrupts */
	VGIC_OTHER_SET,	 /* starved both, but not the same interrupts */
	VGIC_OTHER_END,	 /* another outcome */
	VGIC_AGREEMENTS
};

enum vgic_agreement vgic_numbers_agree(const struct vgic_numbers *predicted,
				       const struct vgic_numbers *truth);

/* How far one number is off. */
struct vgic_deviation {
	bool judged;	   /* known on both sides, and both runs came to their end */
	bool few;	   /* a count below VGIC_FEW in truth: difference counts, not error */
	double error;	   /* (predicted - truth) / truth; 0 if both are 0 or few */
	double difference; /* predicted - truth */
};

struct vgic_deviation vgic_deviation_of(const struct vgic_numbers *predicted,
					const struct vgic_numbers *truth, enum vgic_quantity q);

/* Absolute errors of many deviations of one kind. */
struct vgic_error_sum {
	uint64_t n, few_n;
	double sum, max; /* of |error| */
	double few_max;	 /* of |difference| */
};

void vgic_error_add(struct vgic_error_sum *s, const struct vgic_deviation *d);
/* 0 without any. */
double vgic_error_mean(const struct vgic_error_sum *s);

/*
 * Order of n LR counts by MI rate, predicted against true: MIs per interrupt that the guest
 * took, and per second of guest time, in which a guest that spins counts, too. Pairs that have
 * no order in truth (VGIC_TIE_SHARE, VGIC_TIE_COUNT) and runs that did not come to their end
 * are left out.
 */
struct vgic_ranking {
	uint64_t pairs, wrong;		   /* per interrupt */
	uint64_t timed_pairs, timed_wrong; /* per second */
};

void vgic_ranking_add(struct vgic_ranking *r, const struct vgic_numbers *const *predicted,
		      const struct vgic_numbers *const *truth, size_t n);

#endif
