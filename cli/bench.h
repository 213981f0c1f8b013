/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured (bench_cases.c), how (bench_measure.c), and on what machine (bench_machine.c).
 */
#ifndef VGICSIM_CLI_BENCH_H
#define VGICSIM_CLI_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include <vgicsim/policy.h>
#include <vgicsim/recording.h>
#include "generated.h"

/* What a case is run on. */
struct bench_load {
	const char *path;		/* recording; NULL: a demand is generated */
	struct generated_choice choice; /* of which kind, how long */
	const char *policy; /* "auto": the recording's, the newest for what is generated */
	unsigned int nr_lr; /* of a replay */
};

struct bench_case {
	const char *name;
	const char *item; /* what is counted, in the singular */
	const char *help;
	const char *kind; /* of the demand that is generated; NULL: it needs a recording */
	/*
	 * A thread's own state, not measured. It may be run any number of times. Prints the line
	 * and gives an exit code other than EXIT_OK if it cannot; *state is closed in any case.
	 */
	int (*open)(void **state, const struct bench_load *load);
	/* Once over everything; adds to items. EXIT_OK or the code of the line it printed. */
	int (*pass)(void *state, uint64_t *items);
	void (*close)(void *state);
};

/* NULL beyond the last, or for a name that is none. */
const struct bench_case *bench_case_at(size_t i);
const struct bench_case *bench_case_find(const char *name);

/* How long: at least so many ns, or so many passes if that is not 0. */
struct bench_effort {
	uint64_t ns, passes;
};

struct bench_result {
	unsigned int threads;
	uint64_t items, passes; /* of all threads */
	uint64_t wall_ns;	/* of the slowest */
	uint64_t cpu_ns;	/* of all, and of threads they have started */
	uint64_t instructions, misses;
	bool has_instructions, has_misses; /* the machine counts them, in user mode */
	uint64_t peak_rss;		   /* bytes */
};

/*
 * In a process of its own if apart, so that its memory is its own. EXIT_OK or the code of the
 * line that was printed.
 */
int bench_measure(struct bench_result *r, const struct bench_case *c, const struct bench_load *load,
		  const struct bench_effort *effort, unsigned int threads, bool apart);

/* Machine, compiler, flags, version and commit. */
json_t *bench_machine(void);

#endif
