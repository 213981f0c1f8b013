/* SPDX-License-Identifier: GPL-2.0-only */
/* --policy, for every command that has one. */
#ifndef VGICSIM_CLI_POLICY_OPTION_H
#define VGICSIM_CLI_POLICY_OPTION_H

#include <vgicsim/policy.h>
#include <vgicsim/recording.h>

struct policy_option {
	const struct vgic_policy *policy; /* what was chosen; policy->name is its whole name */
	struct vgic_policy_spec spec;	  /* its place if it is no entry of the table as it is */
	void *plugin;
	char file[VGIC_POLICY_NAME + 2]; /* which it was loaded from; empty: it is built in */
};

/*
 * text is NAME, an alias, a path to a shared object (with a '/' or ending in .so), or
 * "auto": the policy of h's kernel release; each may be followed by "+SWITCH=VALUE...".
 * h and path are the recording's; h NULL: there is none, and "auto" is unknown.
 *
 * EXIT_OK; else the line has been printed and this is the exit code. The choice stays
 * where it is: it points into itself. Zeroed, it may be finished without being chosen.
 */
int policy_option_choose(struct policy_option *o, const char *text, const struct vgr_header *h,
			 const char *path);
void policy_option_finish(struct policy_option *o);

/* What the help of every such option says. */
#define POLICY_OPTION_HELP                                                              \
	"a kernel generation ('vgicsim policies' lists them), +SWITCH=VALUE after it, " \
	"./FILE.so, or auto"

#endif
