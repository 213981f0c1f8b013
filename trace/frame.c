// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
/* For a parameter that is an experiment in name: a library without it is only slower. */
#define ZSTD_STATIC_LINKING_ONLY
#include "frame.h"

int vgr_wrong(struct vgr_error *error, int code, uint64_t offset, const char *hint,
	      const char *format, ...)
{
	va_list ap;

	*error = (struct vgr_error){.code = code, .offset = offset};
	va_start(ap, format);
	vsnprintf(error->what, sizeof(error->what), format, ap);
	va_end(ap);
	snprintf(error->hint, sizeof(error->hint), "%s", hint);
	return code;
}

int vgr_damaged(struct vgr_error *error, uint64_t offset, const char *what)
{
	return vgr_wrong(error, VGR_EDAMAGED, offset,
			 "fetch the file again, or see what is left of it with 'vgicsim check'",
			 "%s", what);
}

int vgr_forged(struct vgr_error *error, uint64_t offset, const char *what)
{
	return vgr_wrong(error, VGR_EFORGED, offset,
			 "do not use this file: it was not written by vgicsim", "%s", what);
}

static int damaged(struct frame *f, const char *what)
{
	return vgr_damaged(&f->error, f->offset, what);
}

static int forged(struct frame *f, const char *what)
{
	return vgr_forged(&f->error, f->offset, what);
}

int frame_init(struct frame *f)
{
	memset(f, 0, sizeof(*f));
	f->zstd = ZSTD_createDCtx();
	/* The payload has a checksum of its own, which has been compared by then. */
	if (f->zstd)
		ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
	f->seqs = calloc(1, sizeof(*f->seqs));
	return f->zstd && f->seqs ? 0 : -ENOMEM;
}

void frame_finish(struct frame *f)
{
	frame_trim(f);
	ZSTD_freeDCtx(f->zstd);
	free(f->seqs);
}

static int read_head(struct frame *f, const struct source *from)
{
	struct format_frame *h = &f->head;
	int err = source_read(from, f->offset, h, sizeof(*h), &f->error);

	if (err)
		return err;
	if (h->magic != FORMAT_FRAME_MAGIC ||
	    h->hash != XXH64(h, offsetof(struct format_frame, hash), 0))
		return damaged(f, "the header of a frame is damaged");
	if (h->raw_size > VGR_MAX_FRAME || h->stored_size > ZSTD_COMPRESSBOUND(VGR_MAX_FRAME))
		return forged(f, "a frame is longer than frames can be");
	if (h->kind < FORMAT_DESCRIPTION || h->kind > FORMAT_INDEX ||
	    (h->codec != FORMAT_ZSTD &&
	     (h->codec != FORMAT_COLUMNS_ZSTD || h->kind != FORMAT_DATA)))
		return forged(f, "a frame of an unknown kind");
	if (h->kind == FORMAT_DATA &&
	    (!h->records || !h->first_record || h->first_time > h->last_time || h->raw_size % 8 ||
	     h->records > h->raw_size / sizeof(struct vgr_rec)))
		return forged(f, "the counts of a frame contradict one another");
	return 0;
}

int frame_read_head(struct frame *f, const struct source *from, uint64_t offset)
{
	f->offset = offset;
	f->sound = 0;
	f->why = NULL;
	return f->status = read_head(f, from);
}

/* Frames are of almost the same size: the next one should fit, too. */
static size_t rounded(size_t need)
{
	return (need + 0xffff) & ~(size_t)0xffff;
}

static int reserve(struct buffer *b, size_t need)
{
	char *p;

	if (need <= b->cap)
		return 0;
	/* Nothing in it is wanted any more, so it need not be moved. */
	p = malloc(need);
	if (!p)
		return -ENOMEM;
	free(b->p);
	b->p = p;
	b->cap = need;
	return 0;
}

/* Room that the frame whose header was read needs in each buffer. */
static void needs(const struct frame *f, size_t *stored, size_t *raw, size_t *columns)
{
	*stored = rounded(f->head.stored_size + 1);
	*raw = rounded(f->head.raw_size + COLUMNS_SLACK);
	*columns = f->head.codec == FORMAT_COLUMNS_ZSTD ? *raw : 0;
}

int frame_reserve(struct frame *f, const struct source *from)
{
	size_t stored, raw, columns;

	if (f->head.stored_size > from->size - f->offset - sizeof(f->head))
		return f->status = CUT;
	needs(f, &stored, &raw, &columns);
	if (reserve(&f->stored, stored) || reserve(&f->raw, raw) || reserve(&f->columns, columns))
		f->status = vgr_wrong(&f->error, -ENOMEM, f->offset, "",
				      "not enough memory for a frame");
	return f->status;
}

size_t frame_grows(const struct frame *f)
{
	size_t stored, raw, columns, sum = 0;

	needs(f, &stored, &raw, &columns);
	sum += stored > f->stored.cap ? stored - f->stored.cap : 0;
	sum += raw > f->raw.cap ? raw - f->raw.cap : 0;
	sum += columns > f->columns.cap ? columns - f->columns.cap : 0;
	return sum;
}

size_t frame_holds(const struct frame *f)
{
	return f->stored.cap + f->raw.cap + f->columns.cap;
}

void frame_trim(struct frame *f)
{
	free(f->stored.p);
	free(f->raw.p);
	free(f->columns.p);
	f->stored = f->raw = f->columns = (struct buffer){NULL, 0};
}

static int load(struct frame *f, const struct source *from)
{
	bool columns = f->head.codec == FORMAT_COLUMNS_ZSTD;
	uint32_t size = f->head.raw_size;
	size_t n;
	int err;

	err = source_read(from, f->offset + sizeof(f->head), f->stored.p, f->head.stored_size,
			  &f->error);
	if (err)
		return err;
	if (XXH64(f->stored.p, f->head.stored_size, 0) != f->head.payload_hash)
		return damaged(f, "the content of a frame is damaged");
	n = ZSTD_decompressDCtx(f->zstd, columns ? f->columns.p : f->raw.p, size, f->stored.p,
				f->head.stored_size);
	if (ZSTD_isError(n) || n != size)
		return forged(f, "the content of a frame does not decompress to its size");
	if (columns && columns_decode(f->seqs, f->columns.p, size, f->head.records, f->raw.p))
		return forged(f, "the records of a frame do not add up to its size");
	return 0;
}

void frame_load(struct frame *f, const struct source *from, unsigned int max_lrs)
{
	const struct rec_bounds bounds = {
		.size = f->head.raw_size,
		.records = f->head.records,
		.first_time = f->head.first_time,
		.last_time = f->head.last_time,
		.max_lrs = max_lrs,
	};

	if (f->status)
		return;
	f->status = load(f, from);
	if (!f->status && f->head.kind == FORMAT_DATA)
		f->sound = recs_sound(f->raw.p, &bounds, &f->why);
}
