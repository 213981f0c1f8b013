/* SPDX-License-Identifier: GPL-2.0-only */
/* --profile: a machine profile from a file. */
#ifndef VGICSIM_CLI_PROFILE_OPTION_H
#define VGICSIM_CLI_PROFILE_OPTION_H

#include <vgicsim/profile_file.h>
#include <vgicsim/recording.h>
#include <vgicsim/replay.h>

struct profile_option {
	struct vgic_profile_file file;
	uint64_t hash; /* of its text */
};

/*
 * Reads the file at path. Prints the line and gives an exit code other than EXIT_OK
 * if it cannot; o is finished by the caller in any case.
 */
int profile_option_read(struct profile_option *o, const char *path);
void profile_option_finish(struct profile_option *o);

/* Makes the machine of a replay the profile's; h: what is replayed. An exit code. */
int profile_option_apply(const struct profile_option *o, const char *path,
			 const struct vgr_header *h, struct vgic_replay_config *c);

#endif
