/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A condition as people write it: 'raise-to-lr > 50us and (overflow >= 4 or mi > 2000/s)'.
 *
 *	condition = all { "or" all }
 *	all       = part { "and" part }
 *	part      = "(" condition ")" | quantity ( ">" | ">=" ) limit
 *	quantity  = "raise-to-lr" | "wait" | "overflow" | "exits" | "mi"
 *	limit     = time with ns, us, ms or s | number (overflow) | number "/s" (exits, mi)
 */
#ifndef VGICSIM_CLI_CONDITION_H
#define VGICSIM_CLI_CONDITION_H

#include <stddef.h>
#include <vgicsim/trigger.h>

struct condition_error {
	unsigned int column; /* from 1 */
	const char *what;    /* stands there, or should: a constant */
};

/* Reads all of text. 0, or -EINVAL with *err filled. */
int condition_parse(const char *text, struct vgic_condition *condition,
		    struct condition_error *err);

/* "raise-to-lr 73.2 us of interrupt 33, vCPU 0:1" into buf; gives buf. */
char *condition_event(char *buf, size_t size, const struct vgic_trigger_event *event);

#endif
