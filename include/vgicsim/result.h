/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a replay hands on: input, configuration, the numbers of the recording
 * itself and one cell for each LR count. Written as JSON ("vgicsim-result",
 * version 1), the format that the figures are drawn from.
 */
#ifndef VGICSIM_RESULT_H
#define VGICSIM_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/metrics.h>
#include <vgicsim/workload.h>

#define VGIC_RESULT_FORMAT  "vgicsim-result"
#define VGIC_RESULT_VERSION 1

/* Several of them in one file: "results" of a sweep. */
#define VGIC_SWEEP_FORMAT  "vgicsim-sweep"
#define VGIC_SWEEP_VERSION 1

struct vgic_result {
	/* input */
	const char *file, *kernel, *cpu, *guest;
	uint64_t hash;	       /* of the recording or workload: its identity */
	bool derived;	       /* it is a workload */
	uint64_t derived_from; /* identity of the recording, then */
	unsigned int nr_lr;
	uint64_t pairs, lost, duration_ns;
	/* configuration */
	const char *policy, *arrivals, *estimator;
	uint64_t seed;
	struct vgic_profile profile;
	const char *profile_file; /* NULL: fitted to the recording itself */
	uint64_t profile_hash;
	const uint64_t *mi_delay_ns;
	size_t nr_mi_delays;
	/* numbers */
	const struct vgic_cell *recorded; /* NULL: none */
	const struct vgic_cell *cells;
	size_t nr_cells;
};

#endif
