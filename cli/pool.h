/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that share one piece of work. */
#ifndef VGICSIM_CLI_POOL_H
#define VGICSIM_CLI_POOL_H

#include <stdint.h>

#define POOL_MAX_THREADS 64u

/*
 * Calls work(opaque) on this thread and on threads - 1 others at the same time; gives back when
 * all of them have returned. Where no thread can be had, fewer do it.
 */
void pool_run(uint64_t threads, void (*work)(void *opaque), void *opaque);

/* CPUs that this process may use, 1 to POOL_MAX_THREADS. */
uint64_t pool_cpus(void);

#endif
