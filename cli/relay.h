/* SPDX-License-Identifier: GPL-2.0-only */
/* Records handed on to another thread, which does with them what need not be done in this one. */
#ifndef VGICSIM_CLI_RELAY_H
#define VGICSIM_CLI_RELAY_H

#include <stdbool.h>
#include <vgicsim/records.h>

struct relay;

/*
 * each: called with every record, in their order; 0 or a negative errno, after which it is not
 * called again. here: in the caller's thread, which is what happens, too, if there is no other
 * one to be had. NULL without memory.
 */
struct relay *relay_create(int (*each)(void *opaque, const struct vgr_rec *rec), void *opaque,
			   bool here);

/* The record is copied. 0, or what each() gave by now. */
int relay_put(struct relay *r, const struct vgr_rec *rec);

/* Waits for the last record. What each() gave. */
int relay_end(struct relay *r);

/* NULL is fine. What was put is done first. */
void relay_destroy(struct relay *r);

#endif
