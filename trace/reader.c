// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <vgicsim/recording.h>
#include "ahead.h"
#include "header.h"
#include "workload_format.h"

struct vgr_reader {
	struct source from;
	struct vgr_reader_opts opts;
	struct format_head head;
	struct vgr_header header;
	struct vgr_error error;
	uint64_t first_frame; /* offset of the first frame after the description */
	XXH64_hash_t description_hash;
	struct ahead *ahead;
	XXH64_state_t *identity, *index;
	/* the place in the stream */
	uint64_t next_frame; /* offset */
	uint32_t frames;     /* frames seen */
	uint32_t data_frames;
	uint64_t records; /* in the data frames before the current one */
	uint32_t damaged;
	bool have_totals;
	enum vgr_ending ending;
	int status; /* sticky error of the stream */
	/* the current data frame */
	const struct frame *frame; /* NULL: none */
	uint64_t frame_offset;
	const char *raw; /* its records, */
	uint32_t sound;	 /* bytes of them that can be handed out, */
	uint32_t at;	 /* and have been */
	uint32_t done;	 /* records of it handed out */
};

static int damaged(struct vgr_reader *r, uint64_t offset, const char *what)
{
	return vgr_damaged(&r->error, offset, what);
}

static int forged(struct vgr_reader *r, uint64_t offset, const char *what)
{
	return vgr_forged(&r->error, offset, what);
}

/* 0, CUT, or a negative errno. */
static int read_at(struct vgr_reader *r, uint64_t offset, void *to, size_t size)
{
	return source_read(&r->from, offset, to, size, &r->error);
}

/* The frame at offset, valid until the next one is read. 0, CUT, or a negative errno. */
static int read_frame(struct vgr_reader *r, uint64_t offset, bool alone, const struct frame **f)
{
	*f = ahead_get(r->ahead, offset, alone);
	if ((*f)->status < 0)
		r->error = (*f)->error;
	return (*f)->status;
}

static int read_head(struct vgr_reader *r)
{
	struct format_head *h = &r->head;
	int err;

	if (r->from.size >= FORMAT_MAGIC_LEN && !read_at(r, 0, h->magic, FORMAT_MAGIC_LEN) &&
	    !memcmp(h->magic, WORKLOAD_MAGIC, FORMAT_MAGIC_LEN))
		return vgr_wrong(
			&r->error, VGR_ENOTREC, 0,
			"use 'vgicsim replay', 'info' or 'check' on it, or the recording itself",
			"a workload, not a recording");
	if (r->from.size < FORMAT_MAGIC_LEN || read_at(r, 0, h->magic, FORMAT_MAGIC_LEN) ||
	    memcmp(h->magic, FORMAT_MAGIC, FORMAT_MAGIC_LEN))
		return vgr_wrong(&r->error, VGR_ENOTREC, 0,
				 "give a .vgr file made by 'vgicsim record'",
				 r->from.size ? "not a vgicsim recording" : "an empty file");
	err = read_at(r, 0, h, sizeof(*h));
	if (err == CUT)
		return vgr_wrong(&r->error, VGR_ESHORT, r->from.size, "fetch the file again",
				 "cut before anything of it can be used");
	if (err)
		return err;
	if (h->hash != XXH64(h, offsetof(struct format_head, hash), 0))
		return damaged(r, 0, "the head of the file is damaged");
	if (h->version > VGR_VERSION)
		return vgr_wrong(&r->error, VGR_EVERSION, 0,
				 "use the vgicsim that wrote it, or a later one",
				 "written in version %u of the format, this vgicsim knows up to %u",
				 h->version, VGR_VERSION);
	if (!h->version || (h->flags & ~FORMAT_F_UNFINISHED))
		return forged(r, 0, "the head of the file has values that cannot be");
	return 0;
}

static int read_description(struct vgr_reader *r)
{
	const struct frame *f;
	const char *why = NULL;
	int err;

	err = read_frame(r, sizeof(r->head), true, &f);
	if (err == CUT)
		return vgr_wrong(&r->error, VGR_ESHORT, r->from.size, "fetch the file again",
				 "cut before anything of it can be used");
	if (err)
		return err;
	if (f->head.kind != FORMAT_DESCRIPTION || f->head.number)
		return forged(r, sizeof(r->head), "the file does not begin with its description");
	err = header_decode(&r->header, f->raw.p, f->head.raw_size, &why);
	if (err)
		return err == -ENOMEM ? vgr_wrong(&r->error, err, 0, "", "not enough memory")
				      : forged(r, sizeof(r->head), why);
	r->header.version = r->head.version;
	r->header.unfinished = r->head.flags & FORMAT_F_UNFINISHED;
	r->first_frame = sizeof(r->head) + sizeof(f->head) + f->head.stored_size;
	r->description_hash = f->head.hash;
	ahead_set_host(r->ahead, vgr_lr_limit(r->header.gic_host));
	return 0;
}

/* For vgr_reader_header(); if it fails, the stream will say why when it gets there. */
static void peek_totals(struct vgr_reader *r)
{
	const struct frame *f;
	const char *why;

	if (r->header.unfinished || r->head.totals_offset < r->first_frame ||
	    read_frame(r, r->head.totals_offset, true, &f) || f->head.kind != FORMAT_TOTALS)
		return;
	r->header.has_totals = !totals_decode(&r->header.totals, f->raw.p, f->head.raw_size, &why);
}

int vgr_reader_rewind(struct vgr_reader *r)
{
	XXH64_reset(r->identity, 0);
	XXH64_reset(r->index, 0);
	XXH64_update(r->identity, &r->description_hash, sizeof(r->description_hash));
	r->next_frame = r->first_frame;
	r->frames = 1;
	r->data_frames = 0;
	r->records = 0;
	r->damaged = 0;
	r->have_totals = false;
	r->ending = VGR_END_NOT_YET;
	r->status = 0;
	r->frame = NULL;
	r->frame_offset = 0;
	r->sound = 0;
	r->at = 0;
	r->done = 0;
	return 0;
}

static int open_common(struct vgr_reader **out, struct vgr_reader *r, int err,
		       const struct vgr_reader_opts *opts, struct vgr_error *error)
{
	if (opts)
		r->opts = *opts;
	vgr_header_init(&r->header);
	r->ahead = ahead_create(&r->from, r->opts.threads);
	r->identity = XXH64_createState();
	r->index = XXH64_createState();
	if (!err && (!r->ahead || !r->identity || !r->index))
		err = vgr_wrong(&r->error, -ENOMEM, 0, "", "not enough memory");
	if (!err)
		err = read_head(r);
	if (!err)
		err = read_description(r);
	if (err) {
		if (error)
			*error = r->error;
		vgr_reader_close(r);
		return err;
	}
	peek_totals(r);
	memset(&r->error, 0, sizeof(r->error));
	vgr_reader_rewind(r);
	*out = r;
	return 0;
}

int vgr_reader_open(struct vgr_reader **out, const char *path, const struct vgr_reader_opts *opts,
		    struct vgr_error *error)
{
	struct vgr_reader *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (!r) {
		if (error)
			*error = (struct vgr_error){.code = -ENOMEM, .what = "not enough memory"};
		return -ENOMEM;
	}
	return open_common(out, r, source_open(&r->from, path, &r->error), opts, error);
}

int vgr_reader_open_memory(struct vgr_reader **out, const void *data, size_t size,
			   const struct vgr_reader_opts *opts, struct vgr_error *error)
{
	struct vgr_reader *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (!r) {
		if (error)
			*error = (struct vgr_error){.code = -ENOMEM, .what = "not enough memory"};
		return -ENOMEM;
	}
	source_memory(&r->from, data, size);
	return open_common(out, r, 0, opts, error);
}

static int begin_data(struct vgr_reader *r, const struct frame *frame)
{
	const struct format_frame *f = &frame->head;
	uint64_t offset = frame->offset;
	struct format_index entry = {
		.offset = offset,
		.first_record = f->first_record,
		.first_time = f->first_time,
		.last_time = f->last_time,
		.records = f->records,
		.raw_size = f->raw_size,
	};

	if (r->have_totals)
		return forged(r, offset, "records after the totals");
	if (f->first_record <= r->records || (f->first_record != r->records + 1 && !r->damaged))
		return forged(r, offset, "a frame whose records do not follow those before");
	XXH64_update(r->index, &entry, sizeof(entry));
	r->frame = frame;
	r->frame_offset = offset;
	r->raw = frame->raw.p;
	r->sound = frame->sound;
	r->at = 0;
	r->done = 0;
	r->data_frames++;
	return 0;
}

static int end_totals(struct vgr_reader *r, const struct frame *f)
{
	struct vgr_totals t;
	const char *why = NULL;
	uint64_t offset = f->offset, records;
	int err;

	if (r->have_totals)
		return forged(r, offset, "totals twice");
	if (!r->header.unfinished && offset != r->head.totals_offset)
		return forged(r, offset, "the totals are not where the head says");
	memset(&t, 0, sizeof(t));
	err = totals_decode(&t, f->raw.p, f->head.raw_size, &why);
	if (err)
		return err == -ENOMEM ? vgr_wrong(&r->error, err, offset, "", "not enough memory")
				      : forged(r, offset, why);
	records = t.records;
	totals_release(&t);
	if (!r->damaged && records != r->records)
		return vgr_wrong(&r->error, VGR_EFORGED, offset, "do not use this file",
				 "the totals speak of %" PRIu64 " records, the file holds %" PRIu64,
				 records, r->records);
	r->have_totals = true;
	return 0;
}

/* The index has been read: compare it, then the trailer, then there is nothing. */
static int end_index(struct vgr_reader *r, const struct frame *f)
{
	struct format_trailer t;
	uint64_t offset = f->offset, at = r->next_frame;
	int err;

	if (!r->have_totals)
		return forged(r, offset, "an index before the totals");
	if (!r->damaged && (f->head.raw_size != r->data_frames * sizeof(struct format_index) ||
			    XXH64(f->raw.p, f->head.raw_size, 0) != XXH64_digest(r->index)))
		return forged(r, offset, "the index does not describe the frames");
	err = read_at(r, at, &t, sizeof(t));
	if (err)
		return err;
	if (memcmp(t.magic, FORMAT_TRAILER_MAGIC, FORMAT_MAGIC_LEN) ||
	    t.hash != XXH64(&t, offsetof(struct format_trailer, hash), 0))
		return damaged(r, at, "the trailer is damaged");
	if (t.index_offset != offset || (!r->damaged && t.identity != XXH64_digest(r->identity)))
		return forged(r, at, "the trailer contradicts the file");
	if (!r->header.unfinished &&
	    (r->head.trailer_offset != at || r->head.index_offset != offset ||
	     r->head.identity != t.identity))
		return forged(r, at, "the head of the file contradicts its trailer");
	if (r->from.size != at + sizeof(t))
		return vgr_wrong(&r->error, VGR_EFORGED, at + sizeof(t), "cut the file there",
				 "%" PRIu64 " bytes after the end of the recording",
				 r->from.size - at - sizeof(t));
	r->ending = VGR_END_WHOLE;
	return 0;
}

/* Offset of the next sound frame header at or after from; r->from.size if there is none. */
static uint64_t find_frame(struct vgr_reader *r, uint64_t from)
{
	unsigned char window[4096];
	struct format_frame f;
	uint32_t magic;
	size_t n, i;

	while (from + sizeof(f) <= r->from.size) {
		n = r->from.size - from < sizeof(window) ? (size_t)(r->from.size - from)
							 : sizeof(window);
		if (read_at(r, from, window, n))
			break;
		for (i = 0; i + sizeof(f) <= n; i++) {
			memcpy(&magic, window + i, sizeof(magic));
			if (magic != FORMAT_FRAME_MAGIC)
				continue;
			memcpy(&f, window + i, sizeof(f));
			if (f.hash == XXH64(&f, offsetof(struct format_frame, hash), 0))
				return from + i;
		}
		from += i;
	}
	return r->from.size;
}

/* Goes on behind a damaged frame at offset, if that was asked for. 0, or the error. */
static int skip(struct vgr_reader *r, int err, uint64_t offset)
{
	struct vgr_error keep = r->error;
	struct frame f;

	if (!r->opts.skip_damaged || (err != VGR_EDAMAGED && err != VGR_EFORGED))
		return err;
	/* The length of a frame may be believed if its header is sound. */
	if (!frame_read_head(&f, &r->from, offset))
		offset += sizeof(f.head) + f.head.stored_size;
	else
		offset = find_frame(r, offset + 1);
	r->error = keep;
	r->next_frame = offset;
	r->damaged++;
	r->frame = NULL;
	r->sound = 0;
	r->at = 0;
	r->done = 0;
	return 0;
}

static int end_cut(struct vgr_reader *r)
{
	r->ending = r->header.unfinished ? VGR_END_UNFINISHED : VGR_END_CUT;
	return 0;
}

/* Next frame of any kind. 0, CUT at the end of what can be read, or an error. */
static int next_frame(struct vgr_reader *r)
{
	uint64_t offset = r->next_frame;
	const struct frame *f;
	int err;

	r->records += r->frame ? r->frame->head.records : 0;
	r->frame = NULL;
	err = read_frame(r, offset, false, &f);
	if (err)
		return err;
	if (f->head.number < r->frames || (f->head.number != r->frames && !r->damaged))
		return forged(r, offset, "a frame out of order");
	r->frames = f->head.number + 1;
	r->next_frame = offset + sizeof(f->head) + f->head.stored_size;
	if (f->head.kind != FORMAT_INDEX)
		XXH64_update(r->identity, &f->head.hash, sizeof(f->head.hash));
	switch (f->head.kind) {
	case FORMAT_DATA:
		return begin_data(r, f);
	case FORMAT_TOTALS:
		return end_totals(r, f);
	case FORMAT_INDEX:
		return end_index(r, f);
	default:
		return forged(r, offset, "a second description");
	}
}

/* The next record of the frame is not sound. */
static int bad_record(struct vgr_reader *r)
{
	const struct frame *f = r->frame;

	forged(r, r->frame_offset, f->why);
	r->error.record = f->head.first_record + r->done;
	/* Nothing that stands behind it in this frame can be trusted. */
	r->records += f->head.records;
	return VGR_EFORGED;
}

static void tell(const struct vgr_reader *r, uint64_t done)
{
	if (r->opts.progress)
		r->opts.progress(r->opts.progress_ctx, done, r->from.size);
}

/* The first record of the next frame that has one; what vgr_reader_next() returns. */
static __attribute__((noinline)) int next_frames_record(struct vgr_reader *r,
							const struct vgr_rec **rec)
{
	uint64_t offset;
	int err;

	*rec = NULL;
	if (r->status)
		return r->status;
	while (r->ending == VGR_END_NOT_YET) {
		if (r->at < r->sound)
			return vgr_reader_next(r, rec);
		if (r->frame && r->frame->why) {
			offset = r->frame_offset;
			err = bad_record(r);
		} else {
			offset = r->next_frame;
			tell(r, offset);
			err = next_frame(r);
		}
		if (err == CUT)
			err = end_cut(r);
		if (err)
			err = skip(r, err, offset);
		if (err)
			return r->status = err;
	}
	tell(r, r->from.size);
	return 0;
}

int vgr_reader_next(struct vgr_reader *r, const struct vgr_rec **rec)
{
	const struct vgr_rec *next;

	if (r->at >= r->sound)
		return next_frames_record(r, rec);
	next = (const struct vgr_rec *)(r->raw + r->at);
	r->at += next->size;
	r->done++;
	*rec = next;
	return 1;
}

const struct vgr_header *vgr_reader_header(const struct vgr_reader *r)
{
	return &r->header;
}

enum vgr_ending vgr_reader_ending(const struct vgr_reader *r)
{
	return r->ending;
}

const struct vgr_error *vgr_reader_error(const struct vgr_reader *r)
{
	return &r->error;
}

void vgr_reader_position(const struct vgr_reader *r, struct vgr_position *pos)
{
	pos->frame_offset = r->frame_offset;
	pos->frame = r->data_frames ? r->data_frames - 1 : 0;
	pos->record = r->frame && r->done ? r->frame->head.first_record + r->done - 1 : r->records;
}

uint32_t vgr_reader_damaged(const struct vgr_reader *r)
{
	return r->damaged;
}

uint64_t vgr_reader_identity(const struct vgr_reader *r)
{
	if (!r->header.unfinished)
		return r->head.identity;
	return XXH64_digest(r->identity);
}

void vgr_reader_rest(struct vgr_reader *r)
{
	if (r->ending != VGR_END_NOT_YET)
		ahead_rest(r->ahead);
}

void vgr_reader_close(struct vgr_reader *r)
{
	if (!r)
		return;
	ahead_destroy(r->ahead);
	source_close(&r->from);
	header_release(&r->header);
	XXH64_freeState(r->identity);
	XXH64_freeState(r->index);
	free(r);
}
