/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Demands that are made, not derived: of any length, of a known kind, the same for the same
 * seed. Every raise and every handling is a function of its number, so that nothing of a
 * long demand need ever be in memory. There are three ways to have one:
 *
 * - beside a feed (<vgicsim/feed.h>): vgic_generator_frame() and vgic_generator_feed();
 * - written to a file element by element: vgic_generator_scripts() and the like;
 * - whole in memory, if it is short: vgic_generator_workload().
 *
 * vCPU v has in_flight interrupts of its own, its slots. Raise i is for slot (i / vcpus) %
 * in_flight of vCPU i % vcpus; of a burst for slot i % in_flight of vCPU i / in_flight %
 * vcpus. Each has been handled, in a guest that keeps up, before its turn comes again.
 */
#ifndef VGICSIM_GENERATE_H
#define VGICSIM_GENERATE_H

#include <stdint.h>

#include <vgicsim/feed.h>
#include <vgicsim/workload.h>

enum vgic_generate_kind {
	VGIC_GENERATE_STEADY = 0, /* one at a time, edges: they never overflow */
	VGIC_GENERATE_BURST,	  /* all of a vCPU at the same time, then nothing for long */
	VGIC_GENERATE_OVERFLOW,	  /* all of a vCPU all the time: each handler asks for its next */
	VGIC_GENERATE_MANY,	  /* many vCPUs; every fourth interrupt is an SGI of another one */
	VGIC_GENERATE_LEVEL,	  /* lines that the handler lowers by an access of its device */
	VGIC_GENERATE_MIXED,	  /* edges, lines, MSIs, SGIs and timers, by ones and in clumps */
	VGIC_GENERATE_KINDS
};

#define VGIC_GENERATE_MAX_VCPUS	    512u
#define VGIC_GENERATE_MAX_IN_FLIGHT 256u

/* 0 stands for what the kind has: vgic_generate_defaults(). */
struct vgic_generate_config {
	enum vgic_generate_kind kind;
	uint64_t interrupts; /* raises, 1 to 2^48 */
	uint32_t vcpus;	     /* 1 to 512 */
	uint32_t in_flight;  /* interrupts of each vCPU, 1 to 256 */
	uint64_t period_ns;  /* from raise to raise of one vCPU on average, 100 to 10^9;
				overflow: what comes of the handlers, whatever it is */
	uint64_t handler_ns; /* of a handler on average, 2 to 10^8 */
	uint64_t seed;
};

struct vgic_generator;

/* Puts the defaults of the kind where c has 0. */
void vgic_generate_defaults(struct vgic_generate_config *c);

/*
 * 0, -ENOMEM, -EINVAL: a value outside its range, or -E2BIG: so many raises at that period
 * take longer than a workload can (2^53 ns).
 */
int vgic_generator_create(struct vgic_generator **g, const struct vgic_generate_config *c);
void vgic_generator_destroy(struct vgic_generator *g); /* NULL is fine */

/* With the defaults filled in. */
const struct vgic_generate_config *vgic_generator_config(const struct vgic_generator *g);

/* ns from the start: when raise i comes. Never falls as i rises. */
uint64_t vgic_generator_time(const struct vgic_generator *g, uint64_t i);

/* ---- beside a feed ---- */

/* vCPUs, interrupts and what the guest does, for vgic_replay() with a feed. */
const struct vgic_workload *vgic_generator_frame(const struct vgic_generator *g);

/* One reader of the raises; any number of them, in any threads, of one generator. */
struct vgic_generator_feed {
	const struct vgic_generator *g;
	uint64_t next; /* raise */
	struct vgic_feed feed;
};

/* f stays where it is until the replay is over. */
void vgic_generator_feed(const struct vgic_generator *g, struct vgic_generator_feed *f);

/* ---- element by element ---- */

/* How many there are of each. */
struct vgic_generator_counts {
	uint64_t scripts, ops, effects;
};

struct vgic_generator_counts vgic_generator_count(const struct vgic_generator *g);

/*
 * n elements from the first on; there must be so many. Links have 32 bits: a caller that
 * counts more than 2^32 - 2 of one array has no use for them.
 */
void vgic_generator_scripts(const struct vgic_generator *g, uint64_t first, uint32_t n,
			    struct vgic_script *to);
void vgic_generator_ops(const struct vgic_generator *g, uint64_t first, uint32_t n,
			struct vgic_op *to);
void vgic_generator_effects(const struct vgic_generator *g, uint64_t first, uint32_t n,
			    struct vgic_effect *to);

/*
 * Everything but these three: *head has them as NULL, and links to them. Its arrays belong
 * to the generator.
 */
void vgic_generator_head(const struct vgic_generator *g, struct vgic_workload *head);

/* Whole, to be destroyed. 0, -ENOMEM, or -EFBIG if there are too many elements. */
int vgic_generator_workload(const struct vgic_generator *g, struct vgic_workload **wl);

/* "steady" ... ; -1 if text is none of them. */
const char *vgic_generate_kind_name(enum vgic_generate_kind kind);
int vgic_generate_kind_parse(const char *text);

#endif
