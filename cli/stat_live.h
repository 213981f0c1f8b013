/* SPDX-License-Identifier: GPL-2.0-only */
/* Live statistics of this host, for stat and top. A tool without BPF has none, and says so. */
#ifndef VGICSIM_CLI_STAT_LIVE_H
#define VGICSIM_CLI_STAT_LIVE_H

#include <stdbool.h>
#include "observed.h"
#include "stat_set.h"

struct stat_live_opts {
	uint64_t pid;
	uint64_t vcpus;
	const char *attach;
	bool all;
};

#define STAT_DEFAULT_VCPUS 1024
extern const char *const stat_attach_names[];

struct stat_live {
	struct observed observed;
	struct vgic_stat *stat;
};

/*
 * Finds out whether this host can, attaches, gives up privileges, lets the command run. EXIT_OK, or
 * the line is printed; stat_live_close() in every case.
 */
int stat_live_open(struct stat_live *l, const struct stat_live_opts *opts,
		   const struct cli_args *args, const char *purpose);
/* As it stands, into the set. EXIT_OK, or the line is printed. */
int stat_live_read(struct stat_live *l, struct stat_set *set);
/* Counts no more, and reads for the last time. */
int stat_live_stop(struct stat_live *l, struct stat_set *set);
void stat_live_close(struct stat_live *l);

/* Warns of what was missed; EXIT_OK, or EXIT_FINDING if numbers are too small for it. */
int stat_live_missed(const struct stat_set *set);

#endif
