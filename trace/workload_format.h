/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of a workload on disk, as vgicsim-workload(5) describes it: which
 * sections there are, and which fields an element of each has. All values
 * little-endian; vgicsim runs on little-endian machines only (format.h).
 *
 * To add a field: append it to the table of its section, here and in the man page,
 * and see that 0 means what was true before. Tags and fields are never reused.
 */
#ifndef VGICSIM_TRACE_WORKLOAD_FORMAT_H
#define VGICSIM_TRACE_WORKLOAD_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/workload_file.h>
#include "format.h"

#define WORKLOAD_MAGIC "\x89VGW\r\n\x1a\n"

/* Magic, version and hash stand where a recording has them. */
struct workload_head {
	char magic[FORMAT_MAGIC_LEN];
	uint16_t version;
	uint16_t reserved;
	uint32_t frames;
	uint64_t size;	   /* of the whole file */
	uint64_t identity; /* xxh64, seed 0, over the hash fields of all frames */
	uint64_t reserved2[3];
	uint64_t hash; /* xxh64, seed 0, of the 56 bytes before */
};

enum workload_tag {
	WORKLOAD_DESCRIPTION = 1, /* JSON: struct vgr_header */
	WORKLOAD_NAMES = 2,	  /* JSON: tool, estimator, policy */
	WORKLOAD_DERIVATION = 3,
	WORKLOAD_DEMAND = 4,
	WORKLOAD_PROFILE = 5,
	WORKLOAD_VCPUS = 6,
	WORKLOAD_SOURCES = 7,
	WORKLOAD_SCRIPTS = 8,
	WORKLOAD_OPS = 9,
	WORKLOAD_EFFECTS = 10,
	WORKLOAD_PROPS = 11,
	/* The recorded cell: all of these or none. */
	WORKLOAD_CELL = 12,
	WORKLOAD_OCCUPANCY = 13,
	WORKLOAD_DEPTHS = 14,
	WORKLOAD_LATENCIES = 15,
	WORKLOAD_BUCKETS = 16,
	WORKLOAD_BLOCKS = 17,
	WORKLOAD_FATES = 18,
	WORKLOAD_STARVED = 19,
	WORKLOAD_SEGMENTS = 20,
	WORKLOAD_MIS = 21,
	WORKLOAD_OVERFLOWS = 22,
	WORKLOAD_TAG_MAX
};

enum workload_codec {
	WORKLOAD_ZSTD = 1,
	WORKLOAD_PLAIN = 2,
};

#define WORKLOAD_FRAME_MAGIC 0x46574756u /* "VGWF" */

struct workload_frame {
	uint32_t magic;
	uint16_t tag;
	uint16_t codec;
	uint32_t number;       /* from 0 */
	uint32_t raw_size;     /* of the payload once decoded: count * element */
	uint32_t stored_size;  /* of the payload as it follows this header */
	uint32_t element;      /* bytes of one element */
	uint32_t count;	       /* elements in this frame */
	uint32_t reserved;     /* 0 */
	uint64_t first;	       /* index of the first of them */
	uint64_t total;	       /* elements of the section, in all its frames */
	uint64_t payload_hash; /* xxh64, seed 0, of the stored payload */
	uint64_t hash;	       /* xxh64, seed 0, of the 56 bytes before */
};

_Static_assert(sizeof(struct workload_head) == 64, "head");
_Static_assert(sizeof(struct workload_frame) == 64, "frame header");

/* What a file may decode to: this much, and so many times its own size. */
#define WORKLOAD_RAW_FREE  (64u << 20)
#define WORKLOAD_RAW_RATIO 2048u

/* Values that stand one after the other, of an element and in memory. */
struct workload_field {
	uint32_t offset; /* in the structure */
	uint16_t width;	 /* bytes of one value */
	uint16_t n;
	bool flag; /* bool: 0 or 1 */
};

struct workload_section {
	const char *name;		     /* of one element */
	const struct workload_field *fields; /* NULL: text */
	unsigned int nr_fields;
	uint32_t least; /* bytes of an element in version 1 of the layout */
	uint32_t size;	/* of the structure in memory */
	bool one;	/* exactly one element */
	uint32_t max;	/* elements */
};

/* By tag; NULL if there is no such tag. */
const struct workload_section *workload_section(unsigned int tag);

/* Bytes of one element as this version writes it. */
uint32_t workload_element(const struct workload_section *s);

/* Parts of the recorded cell, as elements. */
struct workload_occupancy {
	uint64_t used_ns, pending_ns, active_ns, entries;
};
struct workload_latency {
	bool known;
	uint64_t n, min, max, sum;
	uint64_t inside_ns, raises;
};
struct workload_bucket {
	uint32_t bucket;
	uint8_t latency; /* enum vgic_latency */
	uint64_t count;
};
/* A bucket of a block: VGIC_LATENCY_PART of them for each power of two. */
struct workload_block {
	uint32_t block, bucket, count;
	uint8_t latency;
};

/* All arrays of a file, by tag, in memory. */
struct workload_parts {
	struct workload_part {
		void *data;
		uint64_t n;
		bool owned;
	} part[WORKLOAD_TAG_MAX];
};

/* workload_check.c. Fills err with the sentence; gives VGR_EFORGED. */
int workload_wrong(struct vgr_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
