/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands that replay a recording with several LR counts have in common. */
#ifndef VGICSIM_CLI_REPLAYS_H
#define VGICSIM_CLI_REPLAYS_H

#include <stdatomic.h>
#include <vgicsim/policy.h>
#include <vgicsim/replay.h>
#include <vgicsim/result.h>
#include "demand.h"
#include "options.h"
#include "policy_option.h"
#include "pool.h"

#define REPLAYS_MAX_LRS 16u

/* The options, a member of the command's values. */
struct replays_choice {
	struct option_range lrs;
	const char *policy, *arrivals;
	uint64_t seed, mi_delay, threads;
};

#define REPLAYS_DEFAULTS                                                                        \
	{                                                                                       \
		.lrs = {1, REPLAYS_MAX_LRS}, .policy = "auto", .arrivals = "causal", .seed = 1, \
		.mi_delay = UINT64_MAX, .threads = 1                                            \
	}

extern const char *const replays_arrivals[];

/* Rows of an option table; at: offset of the struct replays_choice in the values. */
#define REPLAYS_AT(at, member) ((at) + offsetof(struct replays_choice, member))
#define REPLAYS_LRS(at)                                                           \
	{                                                                         \
		'l', "lrs", OPT_RANGE, REPLAYS_AT(at, lrs), "RANGE",              \
			"list registers to replay with", 1, REPLAYS_MAX_LRS, NULL \
	}
#define REPLAYS_CONDITIONS(at)                                                                   \
	{0,                                                                                      \
	 "arrivals",                                                                             \
	 OPT_CHOICE,                                                                             \
	 REPLAYS_AT(at, arrivals),                                                               \
	 "HOW",                                                                                  \
	 "when devices raise: after the exit they came with, at recorded times, or after "       \
	 "the last handling",                                                                    \
	 0,                                                                                      \
	 0,                                                                                      \
	 replays_arrivals},                                                                      \
		{'s',	     "seed",                                                             \
		 OPT_NUMBER, REPLAYS_AT(at, seed),                                               \
		 "N",	     "seed of what is drawn at random",                                  \
		 0,	     UINT64_MAX,                                                         \
		 NULL},                                                                          \
	{                                                                                        \
		0, "mi-delay", OPT_DURATION, REPLAYS_AT(at, mi_delay), "DURATION",               \
			"from maintenance interrupt asserted to guest left", 0, 1000000000, NULL \
	}
#define REPLAYS_OPTIONS(at)                                                                     \
	REPLAYS_LRS(at),                                                                        \
		{'P', "policy", OPT_STRING, REPLAYS_AT(at, policy), "NAME", POLICY_OPTION_HELP, \
		 0,   0,	NULL},                                                          \
		REPLAYS_CONDITIONS(at),                                                         \
	{                                                                                       \
		'T', "threads", OPT_NUMBER, REPLAYS_AT(at, threads), "N",                       \
			"LR counts replayed at the same time", 1, POOL_MAX_THREADS, NULL        \
	}

/* The machine of the recording with what the options say otherwise; nr_lr is the caller's. */
void replays_configure(struct vgic_replay_config *c, const struct replays_choice *choice,
		       const struct vgic_policy *policy, const struct vgr_header *h,
		       const struct demand *d);

/* The configuration in a result; c lives as long as r. Of --profile only the costs. */
void replays_describe(struct vgic_result *r, const struct replays_choice *choice,
		      const struct vgic_replay_config *c);

/* The line for a vgic_replay() that failed with err; its exit code. */
int replays_fail(int err, unsigned int nr_lr, const char *path);

/*
 * Exits beyond those with REPLAYS_MAX_LRS LRs, may be negative. False: not to be told, for one
 * of the two did not come to its end.
 */
bool replays_excess(enum vgic_outcome outcome, uint64_t exits, enum vgic_outcome of_most,
		    uint64_t exits_of_most, int64_t *excess);

/*
 * The replay with fewest LRs so far that says what those with more would: LR counts are replayed
 * from few to many, and what has been found need not be again. All zero: none yet.
 */
struct replays_ample {
	atomic_uint nr_lr;
};

/* A cell that is complete, and stays where it is; wl: of its replay. */
void replays_ample_note(struct replays_ample *a, const struct vgic_workload *wl,
			const struct vgic_cell *cell);
/* LR count of the cell that is as good as a replay with nr_lr would be; 0: there is none. */
unsigned int replays_ample_for(struct replays_ample *a, const struct vgic_workload *wl,
			       unsigned int nr_lr);

/*
 * Calls one() for every LR count that is wanted (index 1 to REPLAYS_MAX_LRS), threads of them
 * at a time; error: what each call returned, 0 for those that were not wanted.
 */
void replays_each(uint64_t threads, const bool *wanted,
		  int (*one)(void *opaque, unsigned int nr_lr), void *opaque, int *error);

#endif
