/* SPDX-License-Identifier: GPL-2.0-only */
/* What is replayed: a recording, or a workload that was derived from one. */
#ifndef VGICSIM_CLI_REPLAY_INPUT_H
#define VGICSIM_CLI_REPLAY_INPUT_H

#include <vgicsim/result.h>
#include "demand.h"
#include "demand_file.h"

struct replay_input {
	const char *path; /* the caller's */
	const struct vgr_header *header;
	struct vgr_reader *reader; /* of a recording */
	struct vgw *file;	   /* or a workload */
	/* After replay_input_read(): */
	struct demand demand;
	uint64_t hash; /* identity of either */
};

/*
 * Opens the file. Each of these three prints the line and gives an exit code other than
 * EXIT_OK if it cannot; in is finished by the caller in any case.
 */
int replay_input_open(struct replay_input *in, const char *path);

/* Where most happens; before the demand is read. */
int replay_input_window(struct replay_input *in, struct demand_window *window);

/*
 * Reads the demand and the recording's own numbers. policy: the recorded kernel's, by whose rules
 * a recording is read; a workload has been. wishes as for demand_read(); of a workload there is
 * no time line but that of its own window.
 */
int replay_input_read(struct replay_input *in, const struct vgic_policy *policy,
		      const struct demand_wishes *wishes);

/* The hash before the demand is read. False: it is known only afterwards. */
bool replay_input_hash(const struct replay_input *in, uint64_t *hash);

/* A workload need not hold the numbers of the recording. */
bool replay_input_has_recorded(const struct replay_input *in);

/* The input and the recorded numbers in a result. */
void replay_input_describe(const struct replay_input *in, struct vgic_result *r);

void replay_input_finish(struct replay_input *in);

#endif
