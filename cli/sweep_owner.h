/* SPDX-License-Identifier: GPL-2.0-only */
/* Which process replays a cell, and whether it still does. */
#ifndef VGICSIM_CLI_SWEEP_OWNER_H
#define VGICSIM_CLI_SWEEP_OWNER_H

#include <stdbool.h>
#include <stdint.h>

struct sweep_owner {
	char host[112]; /* since when it runs, and which of its sets of processes */
	int64_t pid;
	int64_t started; /* ticks of its clock; a number is used again, not at the same time */
};

/* This process. */
void sweep_owner_self(struct sweep_owner *o);

/* A process of this host that is no more. Of another host's nothing is known: false. */
bool sweep_owner_is_dead(const struct sweep_owner *o);

/* Of this host? */
bool sweep_owner_is_here(const struct sweep_owner *o);

#endif
