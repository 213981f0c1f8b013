/* SPDX-License-Identifier: GPL-2.0-only */
/* vgicsim check --invariants: one recording against the eighteen rules. */
#ifndef VGICSIM_CLI_CHECK_INVARIANTS_H
#define VGICSIM_CLI_CHECK_INVARIANTS_H

#include <stdbool.h>
#include <stdint.h>

struct check_invariants_opts {
	const char *policy; /* name, or "auto" */
	bool strict, json, quiet;
	uint64_t limit; /* violations of each rule that are printed */
};

/* Prints what it finds; gives the exit code for this file. */
int check_invariants(const char *path, const struct check_invariants_opts *opts);

#endif
