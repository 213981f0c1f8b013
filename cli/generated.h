/* SPDX-License-Identifier: GPL-2.0-only */
/* Made-up demands on the command line: their options, and their description in a file. */
#ifndef VGICSIM_CLI_GENERATED_H
#define VGICSIM_CLI_GENERATED_H

#include <jansson.h>
#include <vgicsim/generate.h>
#include <vgicsim/workload_file.h>

/* 0: what the kind has. */
struct generated_choice {
	const char *kind;
	uint64_t interrupts, vcpus, in_flight, rate, handler_ns, seed;
};

extern const char *const generated_kinds[]; /* for OPT_CHOICE */

/* All options but the kind; at: offset of a struct generated_choice in the values. */
#define GENERATED_OPTIONS(at)                                                                      \
	{'n',	     "interrupts",                                                                 \
	 OPT_NUMBER, (at) + offsetof(struct generated_choice, interrupts),                         \
	 "N",	     "how many interrupts are raised",                                             \
	 1,	     1ull << 48,                                                                   \
	 NULL},                                                                                    \
		{0,   "vcpus",	      OPT_NUMBER, (at) + offsetof(struct generated_choice, vcpus), \
		 "N", "virtual CPUs", 1,	  VGIC_GENERATE_MAX_VCPUS,                         \
		 NULL},                                                                            \
		{0,	     "in-flight",                                                          \
		 OPT_NUMBER, (at) + offsetof(struct generated_choice, in_flight),                  \
		 "N",	     "interrupts of each vCPU that can be in flight at the same time",     \
		 1,	     VGIC_GENERATE_MAX_IN_FLIGHT,                                          \
		 NULL},                                                                            \
		{0,	     "rate",                                                               \
		 OPT_NUMBER, (at) + offsetof(struct generated_choice, rate),                       \
		 "N",	     "interrupts a second of each vCPU",                                   \
		 1,	     10000000,                                                             \
		 NULL},                                                                            \
		{0,                                                                                \
		 "handler",                                                                        \
		 OPT_DURATION,                                                                     \
		 (at) + offsetof(struct generated_choice, handler_ns),                             \
		 "DURATION",                                                                       \
		 "what a handler takes on average",                                                \
		 2,                                                                                \
		 100000000,                                                                        \
		 NULL},                                                                            \
	{                                                                                          \
		's', "seed", OPT_NUMBER, (at) + offsetof(struct generated_choice, seed), "N",      \
			"seed of what is drawn at random", 0, UINT64_MAX, NULL                     \
	}

/* Prints the line and gives an exit code other than EXIT_OK if it cannot. */
int generated_create(struct vgic_generator **g, const struct generated_choice *choice);

/*
 * What a file says of it: where it came from, the host it was made up for. Everything but the
 * elements, whose arrays stay NULL; nothing in it is to be freed.
 */
void generated_describe(struct vgw *w, const struct vgic_generator *g);

/* As JSON: a seed may be more than JSON's integers hold. */
json_t *generated_seed(uint64_t seed);

#endif
