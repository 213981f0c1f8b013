/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal screen of 'vgicsim top': a table of vCPUs, and a pane with histograms of one of
 * them. */
#ifndef VGICSIM_CLI_TOP_SCREEN_H
#define VGICSIM_CLI_TOP_SCREEN_H

#include <stdbool.h>
#include "stat_set.h"

struct top_screen;

/* What stands in the first line besides the numbers. */
struct top_status {
	const char *source; /* "live", or the name of a file */
	bool ended;	    /* there will be no more */
};

/*
 * Takes the terminal; keys come from it even if standard input is something else. sort: a name of
 * top_sort_names, or NULL. EXIT_OK, or the line is printed.
 */
int top_screen_open(struct top_screen **t, const char *sort);
/* Gives it back as it was. NULL is fine. */
void top_screen_close(struct top_screen *t);

/* Draws what the set holds now, unless the screen is paused (then what it held then). */
int top_screen_show(struct top_screen *t, const struct stat_set *set,
		    const struct top_status *status);
/* Descriptor that has input when a key was pressed; -1: none. */
int top_screen_input(const struct top_screen *t);
/* Does what the keys say that were pressed, and draws. True: quit. */
bool top_screen_keys(struct top_screen *t);

extern const char *const top_sort_names[];

#endif
