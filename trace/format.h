/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of a recording on disk, as vgicsim-recording(5) describes it. All
 * values little-endian; vgicsim runs on little-endian machines only.
 */
#ifndef VGICSIM_TRACE_FORMAT_H
#define VGICSIM_TRACE_FORMAT_H

#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "recordings are read and written in the byte order of a little-endian machine"
#endif

/* Not text, and changed by whatever converts line ends or strips the eighth bit. */
#define FORMAT_MAGIC	 "\x89VGR\r\n\x1a\n"
#define FORMAT_MAGIC_LEN 8

#define FORMAT_F_UNFINISHED 0x1u

/*
 * First 64 bytes of the file. The place of magic, version and hash stays the same
 * in every version, so that any reader can tell damage from a later version.
 */
struct format_head {
	char magic[FORMAT_MAGIC_LEN];
	uint16_t version;
	uint16_t reserved;
	uint32_t flags;
	uint64_t totals_offset; /* this and the next three: 0 while unfinished */
	uint64_t index_offset;
	uint64_t trailer_offset;
	uint64_t identity;
	uint64_t reserved2;
	uint64_t hash; /* xxh64, seed 0, of the 56 bytes before */
};

enum format_kind {
	FORMAT_DESCRIPTION = 1, /* JSON: struct vgr_header */
	FORMAT_DATA = 2,	/* records, one after the other */
	FORMAT_TOTALS = 3,	/* JSON: struct vgr_totals */
	FORMAT_INDEX = 4,	/* array of struct format_index */
};

enum format_codec {
	FORMAT_ZSTD = 1,
	FORMAT_COLUMNS_ZSTD = 2, /* FORMAT_DATA only: columns.h, then Zstandard */
};

#define FORMAT_FRAME_MAGIC 0x46524756u /* "VGRF" */

struct format_frame {
	uint32_t magic;
	uint16_t kind;
	uint16_t codec;
	uint32_t number;       /* from 0, counts frames of every kind */
	uint32_t raw_size;     /* of the payload once decoded */
	uint32_t stored_size;  /* of the payload as it follows this header */
	uint32_t records;      /* FORMAT_DATA: how many; else 0 */
	uint64_t first_record; /* FORMAT_DATA: number of the first, from 1; else 0 */
	uint64_t first_time;   /* FORMAT_DATA: smallest and largest time inside; else 0 */
	uint64_t last_time;
	uint64_t payload_hash; /* xxh64, seed 0, of the stored payload */
	uint64_t hash;	       /* xxh64, seed 0, of the 56 bytes before */
};

struct format_index {
	uint64_t offset; /* of the frame */
	uint64_t first_record;
	uint64_t first_time;
	uint64_t last_time;
	uint32_t records;
	uint32_t raw_size;
};

#define FORMAT_TRAILER_MAGIC "VGRtrail"

struct format_trailer {
	char magic[FORMAT_MAGIC_LEN];
	uint64_t index_offset;
	uint64_t identity;
	uint64_t hash; /* xxh64, seed 0, of the 24 bytes before */
};

_Static_assert(sizeof(struct format_head) == 64, "head");
_Static_assert(sizeof(struct format_frame) == 64, "frame header");
_Static_assert(sizeof(struct format_index) == 40, "index entry");
_Static_assert(sizeof(struct format_trailer) == 32, "trailer");

/* An index must fit into one frame, so a file has at most this many data frames. */
#define FORMAT_MAX_FRAMES (VGR_MAX_FRAME / sizeof(struct format_index))

#endif
