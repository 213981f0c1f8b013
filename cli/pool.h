/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that share one piece of work. */
#ifndef VGICSIM_CLI_POOL_H
#define VGICSIM_CLI_POOL_H

#include <stdint.h>

#define POOL_MAX_JOBS 64u

/*
 * Calls work(opaque) on this thread and on jobs - 1 others at the same time; gives back when
 * all of them have returned. Where no thread can be had, fewer do it.
 */
void pool_run(uint64_t jobs, void (*work)(void *opaque), void *opaque);

/* CPUs that this process may use, 1 to POOL_MAX_JOBS. */
uint64_t pool_cpus(void);

#endif
