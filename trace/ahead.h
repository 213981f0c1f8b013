/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of a recording, loaded by several threads before they are asked for, and handed out
 * in the order in which they are asked for. Nobody can tell from what comes out how many
 * threads there were.
 */
#ifndef VGICSIM_TRACE_AHEAD_H
#define VGICSIM_TRACE_AHEAD_H

#include "frame.h"

struct ahead;

/*
 * Frames of *from, which is borrowed. threads: that load, the caller's among them; 0 is 1,
 * and more than VGR_MAX_THREADS are that many. NULL without memory.
 */
struct ahead *ahead_create(const struct source *from, unsigned int threads);
void ahead_destroy(struct ahead *a); /* NULL is fine */

/* List registers that the recorded host can have, once that is known. */
void ahead_set_host(struct ahead *a, unsigned int max_lrs);

/* The frame at offset, good or bad, until the next call. alone: do not read ahead. */
struct frame *ahead_get(struct ahead *a, uint64_t offset, bool alone);

/* Gives back what the frames hold, until the next one is asked for. */
void ahead_rest(struct ahead *a);

#endif
