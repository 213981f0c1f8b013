/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs of guests on machines with different LR counts, and what each says of the others. */
#ifndef VGICSIM_CLI_VALIDATION_H
#define VGICSIM_CLI_VALIDATION_H

#include <jansson.h>
#include <vgicsim/policy.h>
#include <vgicsim/validation.h>

/* One recording. */
struct validation_run {
	const char *path;
	char *guest, *kernel;
	unsigned int nr_lr, gic;
	const struct vgic_policy *policy;
	uint64_t hash;
	size_t cell;
	bool predicts;
	bool held; /* its guest starved or live-locked: what it would have done next is not known */
	struct vgic_numbers truth;
	struct vgic_numbers *predicted; /* by cell */
};

/* The runs of one guest on one kernel with one LR count. */
struct validation_cell {
	const char *guest, *kernel;
	char name[64]; /* of the guest, short: the name of the first file */
	const struct vgic_policy *policy;
	unsigned int nr_lr, gic;
	size_t first, nr; /* runs */
	bool source;
	bool held;
	struct vgic_numbers truth; /* median of the runs */
	double low[VGIC_QUANTITIES], high[VGIC_QUANTITIES];
};

/* What one cell says of another. */
struct validation_pair {
	size_t from, to;
	bool open; /* the source's guest was held up: its demand is not whole */
	enum vgic_agreement agreement;
	struct vgic_numbers predicted; /* median of the source's runs */
	struct vgic_deviation deviation[VGIC_QUANTITIES];
};

enum validation_part {
	VALIDATION_HEADLINE = 0, /* exits, MIs, DIR traps, EOIcount */
	VALIDATION_BY_SOURCE,	 /* MIs by source */
	VALIDATION_OCCUPANCY,
	VALIDATION_P50,
	VALIDATION_P99,
	VALIDATION_PARTS
};

/* Sums over pairs of one kernel, or between two. */
struct validation_sum {
	struct vgic_error_sum error[VALIDATION_PARTS];
	struct vgic_ranking ranking;
	uint64_t pairs, open, agreement[VGIC_AGREEMENTS];
};

struct validation {
	struct validation_run *runs;
	size_t nr_runs;
	struct validation_cell *cells; /* by guest, kernel, LR count */
	size_t nr_cells;
	struct validation_pair *pairs;
	size_t nr_pairs;
	struct validation_sum own, across;
	/* How far runs of one cell lie apart, as a share of their median; 0: no cell has two. */
	struct vgic_error_sum spread[VALIDATION_PARTS];
};

struct validation_limits {
	double mean_count, max_count, mean_latency; /* shares */
};

/* Room for so many runs, none of them filled. 0 or -ENOMEM. */
int validation_init(struct validation *v, size_t nr_runs);
void validation_finish(struct validation *v);

/* Runs to cells; from: which LR counts predict. 0 or -ENOMEM. */
int validation_arrange(struct validation *v, const bool from[VGR_MAX_LRS_V3 + 1]);

/* Cell to is foretold by cell from: same guest, and same kernel or across. */
bool validation_predicts(const struct validation *v, size_t from, size_t to, bool across);
bool validation_has_pairs(const struct validation *v, bool across);

/* After every run has its numbers. 0 or -ENOMEM. */
int validation_conclude(struct validation *v, bool across);

/* Errors within the limits, orders and outcomes as foretold. */
bool validation_passes(const struct validation *v, const struct validation_limits *limits);

/* Which part a quantity counts to. */
enum validation_part validation_part_of(enum vgic_quantity q);

/* Tables in Markdown; the worst predictions by name. */
void validation_print(const struct validation *v, const struct validation_limits *limits,
		      uint64_t worst);

/* NULL without memory. */
json_t *validation_json(const struct validation *v, const char *from, uint64_t seed);

#endif
