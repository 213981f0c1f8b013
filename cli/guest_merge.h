/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's own trace beside the recording of its host. */
#ifndef VGICSIM_CLI_GUEST_MERGE_H
#define VGICSIM_CLI_GUEST_MERGE_H

#include <stdbool.h>
#include <stdint.h>

struct guest_merge {
	const char *host, *guest, *output;
	unsigned int vm; /* whose trace it is */
	bool has_offset;
	int64_t offset; /* ns: host's clock minus guest's */
	int level;	/* of Zstandard */
};

struct guest_merged {
	uint64_t records;	   /* in the output */
	uint64_t begins, ends;	   /* of handlers among them */
	uint64_t outside;	   /* begins that are not in a run with list registers in use */
	uint64_t left_out;	   /* events before or after what was recorded, or of no vCPU */
	int64_t offset, low, high; /* used; where the found one may lie */
};

/* Returns an exit code, and has told why if it is not EXIT_OK. */
int guest_trace_merge(const struct guest_merge *o, struct guest_merged *m);

#endif
