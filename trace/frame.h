/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One frame of a recording, from the file to checked records. What comes out depends on the
 * file and on the place in it alone, so frames can be loaded by several threads in any order.
 */
#ifndef VGICSIM_TRACE_FRAME_H
#define VGICSIM_TRACE_FRAME_H

#include <zstd.h>
#include <vgicsim/recording.h>
#include "columns.h"
#include "format.h"
#include "source.h"

struct buffer {
	char *p;
	size_t cap;
};

struct frame {
	uint64_t offset; /* of its header in the file */
	/* 0; CUT: the file ends before it does; or negative, and error says what. */
	int status;
	struct vgr_error error;
	struct format_frame head; /* valid once it has been read, even if the rest is not sound */
	struct buffer raw;	  /* the payload, if status is 0 */
	/* Of a frame of records: */
	uint32_t sound;	 /* bytes of raw that are sound records */
	const char *why; /* what is wrong with the record behind them; NULL: nothing */
	/* What the work needs; nothing is allocated for a frame that is no longer than others. */
	ZSTD_DCtx *zstd;
	struct columns_seqs *seqs;
	struct buffer columns, stored;
};

/* 0 or -ENOMEM. frame_finish() is wanted in either case. */
int frame_init(struct frame *f);
void frame_finish(struct frame *f);

/*
 * The header of the frame at offset, and its own values checked: into f->head and f->status,
 * which is returned, too.
 */
int frame_read_head(struct frame *f, const struct source *from, uint64_t offset);

/*
 * Then room for the payload; the same results. A forged length does not make it allocate
 * what is not there. grows: how many bytes it would take more than it has.
 */
int frame_reserve(struct frame *f, const struct source *from);
size_t frame_grows(const struct frame *f);
size_t frame_holds(const struct frame *f);
/* Gives the room back. */
void frame_trim(struct frame *f);

/* Then the payload. max_lrs: list registers that the recorded host can have; 0: not known. */
void frame_load(struct frame *f, const struct source *from, unsigned int max_lrs);

/* *error as a sentence, and its code. */
__attribute__((format(printf, 5, 6))) int vgr_wrong(struct vgr_error *error, int code,
						    uint64_t offset, const char *hint,
						    const char *format, ...);
int vgr_damaged(struct vgr_error *error, uint64_t offset, const char *what);
int vgr_forged(struct vgr_error *error, uint64_t offset, const char *what);

#endif
