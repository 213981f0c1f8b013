/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings in the formats of others. */
#ifndef VGICSIM_CLI_EXPORT_H
#define VGICSIM_CLI_EXPORT_H

#include <stdint.h>
#include <stdio.h>
#include <vgicsim/recording.h>
#include "text.h"

/* One format. A function that fails gives a negative errno; what f says of errors counts, too. */
struct export_format {
	const char *name;
	/* state is NULL where there is none. */
	int (*begin)(void **state, FILE *f, const struct vgr_header *h);
	int (*record)(void *state, FILE *f, const struct text_gic *g, const struct vgr_rec *rec,
		      uint64_t number);
	/* last: time of the last record, ns. */
	int (*end)(void *state, FILE *f, uint64_t last);
	void (*destroy)(void *state);
};

extern const struct export_format export_csv, export_ndjson, export_perfetto, export_trace_dat;

#endif
