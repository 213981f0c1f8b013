/* SPDX-License-Identifier: GPL-2.0-only */
/* A process for a library that trusts its input, prints, and may fall over. */
#ifndef VGICSIM_CLI_APART_H
#define VGICSIM_CLI_APART_H

/* In the child, before anything else: silent, without cores, with limits by the size of fd. */
void apart_begin(int fd);

/* It gets on: another minute of the processor's time. */
void apart_more_time(void);

#endif
