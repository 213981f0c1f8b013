/* SPDX-License-Identifier: GPL-2.0-only */
/* Demands of any length, a part of which is in memory: see store.c. */
#ifndef VGICSIM_CLI_STORE_H
#define VGICSIM_CLI_STORE_H

#include <vgicsim/store.h>

/*
 * One for the whole process. All functions of it may be called by several threads; two threads
 * do not resize the same memory.
 */
const struct vgic_store *cli_store(void);

/* A file without a name, in $TMPDIR or where such files are kept. -1: there is no room for one. */
int cli_open_nameless(void);

#endif
