/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whoever sets up tracing leaves it behind when killed. So a child does the cleaning, in every
 * case: it waits for the end of a pipe that the recorder holds, and outlives it. What a
 * machine left behind that was cut off meanwhile is removed by the next start.
 */
#ifndef VGICSIM_BPF_CLEANER_H
#define VGICSIM_BPF_CLEANER_H

#include <stddef.h>
#include <sys/types.h>

/* Instances are called so, with the number of the recorder's process behind it. */
#define CLEANER_INSTANCE "vgicsim-"

struct cleaner {
	pid_t pid; /* 0: none */
	int fd;
};

/* From here on the instance and the dynamic events go when the caller does. 0 or -errno. */
int cleaner_start(struct cleaner *c, const char *instance);

/* Has it done now, and waits for it. 0, or -EBUSY: something could not be removed. */
int cleaner_finish(struct cleaner *c);

/*
 * Removes what recorders left that are no more. 0; -EBUSY, *pid: one is at work (0: somebody
 * else uses the events); or what tracefs said.
 */
int cleaner_remove_stale(pid_t *pid);

#endif
