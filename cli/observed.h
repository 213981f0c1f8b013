/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What record, stat and top have in common: a command or a process under observation, signals that
 * end the observation, and privileges that are given up once it has begun.
 */
#ifndef VGICSIM_CLI_OBSERVED_H
#define VGICSIM_CLI_OBSERVED_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "options.h"

struct observed {
	char *const *command; /* NULL: there is none */
	uint64_t process;     /* of -p; 0: none */
	pid_t child;
	int go;		 /* write end: the command starts when this is written to */
	int exec_failed; /* read end: the reason why it did not */
	int fd;		 /* pidfd of the command or of -p */
	int signal_fd;
	int status; /* of the command; -1: there was none */
	bool command_ended;
	char stop[64]; /* why it is over */
	sigset_t old_mask;
};

/* SIGINT, SIGTERM and SIGHUP end the observation from now on. */
void observed_init(struct observed *o, const struct cli_args *args, uint64_t process);

/*
 * The command as a process that waits, so that its number is known to the probes; the process of
 * -p is looked up. EXIT_OK, or the line is printed.
 */
int observed_prepare(struct observed *o);
/* Lets the command run. purpose: "record" ... EXIT_OK, or the line is printed. */
int observed_start(struct observed *o, const char *purpose);

/*
 * Waits so long, not beyond deadline (CLOCK_MONOTONIC, ns; 0: none). extra: one more descriptor to
 * wait for input on, or -1. True once the observation is to end; o->stop says why.
 */
bool observed_ended(struct observed *o, uint64_t deadline, int wait_ms, int extra);

/* Asks a command that still runs to end; after a time of grace there is no asking. */
void observed_end(struct observed *o);
void observed_finish(struct observed *o);

/* Gives up all capabilities; warns if that fails. */
void observed_drop_capabilities(void);

/* Of a clock, in ns. */
uint64_t observed_now(clockid_t clock);

#endif
