/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_GUEST_OPTIONS_H
#define GUESTS_GUEST_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "guest_abi.h"

enum guest_trigger { GUEST_EDGE, GUEST_LEVEL_TRIGGER, GUEST_BOTH_TRIGGERS };
enum guest_wait { GUEST_WAIT_POLL, GUEST_WAIT_WFI };
enum guest_gic { GUEST_GIC_AUTO, GUEST_GIC_2, GUEST_GIC_3 };
enum guest_inject { GUEST_INJECT_SYNC, GUEST_INJECT_THREAD, GUEST_INJECT_IRQFD };

/* Everything a command line decides; a stimulus's defaults are one constant of this type. */
struct guest_options {
	enum guest_stim stim;
	uint32_t irqs; /* SPIs (sgi: SGI numbers) in each round */
	uint32_t vcpus;
	uint32_t trigger; /* enum guest_trigger */
	uint32_t prio;	  /* enum guest_prio */
	uint32_t eoimode; /* 0 or 1 */
	uint32_t repeat;  /* rounds */
	uint32_t pace;	  /* microseconds between raises; mixed: between batches */
	uint32_t seed;
	uint32_t order; /* enum guest_order */
	uint32_t mode;	/* word of guest_stim_info.modes */
	uint32_t hold;	/* deliveries of a level line before the guest lowers it */
	uint32_t again;
	uint32_t group0;
	uint32_t wait;	   /* enum guest_wait */
	uint32_t inject;   /* enum guest_inject */
	uint32_t timeout;  /* seconds */
	uint32_t patience; /* milliseconds */
	uint32_t json;
	uint32_t gic;	 /* enum guest_gic */
	const char *log; /* CSV file or NULL */
};

#define GUEST_MAX_MODES 8

struct guest_stim_info {
	const char *name;
	const char *summary; /* one line */
	const char *does;    /* what happens, for --help */
	const char *must;    /* what a correct hypervisor shows */
	const char *example;
	struct guest_options defaults;
	uint32_t max_irqs;
	uint32_t min_vcpus;
	unsigned int uses;		    /* GUEST_USES_* */
	const char *modes[GUEST_MAX_MODES]; /* words of --mode; none: the option is refused */
	const char *notes[GUEST_MAX_NOTES]; /* what it counts, in the order of guest_shared.note */
};

#define GUEST_USES_TRIGGER (1U << 0)
#define GUEST_USES_PRIO	   (1U << 1)
#define GUEST_USES_EOIMODE (1U << 2)
#define GUEST_USES_ORDER   (1U << 3)
#define GUEST_USES_HOLD	   (1U << 4)
#define GUEST_USES_AGAIN   (1U << 5)
#define GUEST_USES_INJECT  (1U << 6)
#define GUEST_USES_GROUP0  (1U << 8)
#define GUEST_USES_PACE	   (1U << 7)
#define GUEST_NEEDS_GIC3   (1U << 9)

/* Indexed by enum guest_stim. */
extern const struct guest_stim_info guest_stims[GUEST_NR_STIMS];

/*
 * Parse argv[1..] into *o. Returns 0; 1 when help was asked for and printed to @out; -EINVAL with
 * one line in @err (at most @len bytes) that names the argument and what would be right.
 */
int guest_options_parse(int argc, char **argv, struct guest_options *o, FILE *out, char *err,
			size_t len);

/* The word for a value of an option, such as "edge" for trigger 0. */
const char *guest_option_word(const char *option, uint32_t value);

#endif
