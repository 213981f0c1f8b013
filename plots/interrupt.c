// SPDX-License-Identifier: GPL-2.0-only
/* SIGINT and SIGTERM while figures are drawn: noticed, so that nothing is left behind. */
#include <signal.h>
#include <string.h>
#include "internal.h"

/* A signal handler can reach nothing but an object of static storage. */
static volatile sig_atomic_t seen;
static struct sigaction old_int, old_term;

static void note(int signal)
{
	(void)signal;
	seen = 1;
}

void vgic_plot_signals_begin(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note;
	sigemptyset(&action.sa_mask);
	seen = 0;
	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
}

void vgic_plot_signals_end(void)
{
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
}

bool vgic_plot_interrupted(void)
{
	return seen;
}
