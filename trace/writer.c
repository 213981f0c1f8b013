// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>
#include <vgicsim/recording.h>
#include "columns.h"
#include "format.h"
#include "header.h"
#include "totals.h"

#define DEFAULT_LEVEL  3
#define DEFAULT_FRAME  (1u << 20)
#define SMALLEST_FRAME 4096u

struct vgr_writer {
	int fd;
	int error; /* first write error; everything fails with it from then on */
	bool finished;
	unsigned int max_lrs; /* that the described host can have */
	uint64_t end;	      /* where the next frame goes; all before it is whole */
	uint32_t frames, data_frames;
	uint64_t records; /* put so far */
	uint64_t kept;	  /* of them in whole frames on disk */
	struct totals totals;
	XXH64_state_t *identity;
	ZSTD_CCtx *zstd;
	struct format_index *index;
	size_t cap_index;
	/* the data frame being filled */
	char *raw;
	char *columns; /* the same, rearranged */
	struct columns_seqs *seqs;
	uint32_t raw_size, frame_bytes, frame_records;
	uint64_t first_record, first_time, last_time;
	char *stored;
	size_t cap_stored;
};

static int write_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *p = data;
	ssize_t n;

	while (size) {
		n = pwrite(fd, p, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENOSPC;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* What did not become a whole frame is taken away again, so that the file ends well. */
static int fail(struct vgr_writer *w, int err)
{
	int ignored = ftruncate(w->fd, (off_t)w->end);

	/* If even that fails, a reader still stops at the last whole frame. */
	(void)ignored;
	if (!w->error)
		w->error = err;
	return err;
}

static int write_frame(struct vgr_writer *w, struct format_frame *f, const void *raw,
		       size_t raw_size)
{
	size_t bound = ZSTD_compressBound(raw_size), n;
	int err;

	if (bound > w->cap_stored) {
		char *p = realloc(w->stored, bound);

		if (!p)
			return fail(w, -ENOMEM);
		w->stored = p;
		w->cap_stored = bound;
	}
	n = ZSTD_compress2(w->zstd, w->stored, w->cap_stored, raw, raw_size);
	if (ZSTD_isError(n))
		return fail(w, -ENOMEM);
	f->magic = FORMAT_FRAME_MAGIC;
	f->number = w->frames;
	f->raw_size = (uint32_t)raw_size;
	f->stored_size = (uint32_t)n;
	f->payload_hash = XXH64(w->stored, n, 0);
	f->hash = XXH64(f, offsetof(struct format_frame, hash), 0);
	err = write_all(w->fd, f, sizeof(*f), w->end);
	if (!err)
		err = write_all(w->fd, w->stored, n, w->end + sizeof(*f));
	if (err)
		return fail(w, err);
	/* The index repeats what the frames say; it is no content of its own. */
	if (f->kind != FORMAT_INDEX)
		XXH64_update(w->identity, &f->hash, sizeof(f->hash));
	w->end += sizeof(*f) + n;
	w->frames++;
	return 0;
}

static int write_head(struct vgr_writer *w, struct format_head *head)
{
	memcpy(head->magic, FORMAT_MAGIC, FORMAT_MAGIC_LEN);
	head->version = VGR_VERSION;
	head->hash = XXH64(head, offsetof(struct format_head, hash), 0);
	return write_all(w->fd, head, sizeof(*head), 0);
}

static int write_text(struct vgr_writer *w, uint16_t kind, char *text)
{
	struct format_frame f = {.kind = kind, .codec = FORMAT_ZSTD};
	size_t size;
	int err;

	if (!text)
		return fail(w, -ENOMEM);
	size = strlen(text);
	err = size > VGR_MAX_FRAME ? fail(w, -E2BIG) : write_frame(w, &f, text, size);
	free(text);
	return err;
}

int vgr_writer_create(struct vgr_writer **out, const char *path, const struct vgr_header *h,
		      const struct vgr_writer_opts *opts)
{
	struct format_head head = {.flags = FORMAT_F_UNFINISHED};
	int level = opts && opts->level ? opts->level : DEFAULT_LEVEL;
	uint32_t frame = opts && opts->frame_bytes ? opts->frame_bytes : DEFAULT_FRAME;
	struct vgr_writer *w;
	int err;

	*out = NULL;
	if (level < 1 || level > ZSTD_maxCLevel() || frame < SMALLEST_FRAME ||
	    frame > VGR_MAX_FRAME || h->nr_lr > vgr_lr_limit(h->gic_host) ||
	    h->nr_probes > VGR_MAX_TABLE)
		return -EINVAL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->fd = -1;
	w->frame_bytes = frame;
	w->max_lrs = vgr_lr_limit(h->gic_host);
	totals_init(&w->totals);
	w->raw = malloc(frame + VGR_MAX_RECORD);
	w->columns = malloc(frame + VGR_MAX_RECORD);
	w->seqs = calloc(1, sizeof(*w->seqs));
	w->zstd = ZSTD_createCCtx();
	w->identity = XXH64_createState();
	err = -ENOMEM;
	if (!w->raw || !w->columns || !w->seqs || !w->zstd || !w->identity)
		goto fail;
	XXH64_reset(w->identity, 0);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	w->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->fd < 0) {
		err = -errno;
		goto fail;
	}
	w->end = sizeof(head);
	err = write_head(w, &head);
	if (!err)
		err = write_text(w, FORMAT_DESCRIPTION, header_encode(h));
	if (err) {
		/* Nothing can be read from it, so it need not be there. */
		unlink(path);
		goto fail;
	}
	*out = w;
	return 0;
fail:
	vgr_writer_destroy(w);
	return err;
}

static int write_data(struct vgr_writer *w)
{
	struct format_frame f = {
		.kind = FORMAT_DATA,
		.codec = FORMAT_COLUMNS_ZSTD,
		.records = w->frame_records,
		.first_record = w->first_record,
		.first_time = w->first_time,
		.last_time = w->last_time,
	};
	struct format_index *index;
	uint64_t offset = w->end;
	int err;

	if (!w->frame_records)
		return 0;
	if (w->data_frames == FORMAT_MAX_FRAMES)
		return fail(w, -EFBIG);
	if (w->data_frames == w->cap_index) {
		size_t more = w->cap_index ? w->cap_index * 2 : 64;

		index = realloc(w->index, more * sizeof(*index));
		if (!index)
			return fail(w, -ENOMEM);
		w->index = index;
		w->cap_index = more;
	}
	columns_encode(w->seqs, w->raw, w->raw_size, w->frame_records, w->columns);
	err = write_frame(w, &f, w->columns, w->raw_size);
	if (err)
		return err;
	w->index[w->data_frames++] = (struct format_index){
		.offset = offset,
		.first_record = f.first_record,
		.first_time = f.first_time,
		.last_time = f.last_time,
		.records = f.records,
		.raw_size = f.raw_size,
	};
	w->kept += w->frame_records;
	w->frame_records = 0;
	w->raw_size = 0;
	return 0;
}

int vgr_writer_put(struct vgr_writer *w, const struct vgr_rec *rec)
{
	const char *why;
	int err;

	if (w->error)
		return w->error;
	if (w->finished || vgr_rec_validate(rec, rec->size, NULL) ||
	    !rec_fits_host(rec, w->max_lrs, &why))
		return -EINVAL;
	if (w->raw_size + rec->size > w->frame_bytes) {
		err = write_data(w);
		if (err)
			return err;
	}
	err = totals_add(&w->totals, rec);
	if (err)
		return err == -ENOMEM ? fail(w, err) : -EINVAL;
	if (!w->frame_records) {
		w->first_record = w->records + 1;
		w->first_time = rec->time;
		w->last_time = rec->time;
	}
	if (rec->time < w->first_time)
		w->first_time = rec->time;
	if (rec->time > w->last_time)
		w->last_time = rec->time;
	memcpy(w->raw + w->raw_size, rec, rec->size);
	w->raw_size += rec->size;
	w->frame_records++;
	w->records++;
	return 0;
}

int vgr_writer_flush(struct vgr_writer *w)
{
	if (w->error)
		return w->error;
	return write_data(w);
}

static int write_end(struct vgr_writer *w, const struct vgr_totals *t)
{
	struct format_frame f = {.kind = FORMAT_INDEX, .codec = FORMAT_ZSTD};
	struct format_trailer trailer = {.magic = FORMAT_TRAILER_MAGIC};
	struct format_head head = {0};
	struct vgr_totals sum = *totals_get(&w->totals);
	int err;

	if (t) {
		sum.guest_status = t->guest_status;
		sum.kernel_lost = t->kernel_lost;
		memcpy(sum.stop, t->stop, sizeof(sum.stop));
	}
	head.totals_offset = w->end;
	err = write_text(w, FORMAT_TOTALS, totals_encode(&sum));
	if (err)
		return err;
	head.index_offset = w->end;
	err = write_frame(w, &f, w->index ? (void *)w->index : (void *)"",
			  w->data_frames * sizeof(*w->index));
	if (err)
		return err;
	head.trailer_offset = w->end;
	head.identity = XXH64_digest(w->identity);
	trailer.index_offset = head.index_offset;
	trailer.identity = head.identity;
	trailer.hash = XXH64(&trailer, offsetof(struct format_trailer, hash), 0);
	err = write_all(w->fd, &trailer, sizeof(trailer), w->end);
	if (err)
		return fail(w, err);
	w->end += sizeof(trailer);
	/* The mark goes only when everything it vouches for is on disk. */
	if (fsync(w->fd) && errno != EINVAL && errno != ENOTSUP)
		return fail(w, -errno);
	err = write_head(w, &head);
	if (!err && fsync(w->fd) && errno != EINVAL && errno != ENOTSUP)
		err = -errno;
	return err ? fail(w, err) : 0;
}

int vgr_writer_finish(struct vgr_writer *w, const struct vgr_totals *t)
{
	int err;

	if (w->error)
		return w->error;
	if (w->finished)
		return -EINVAL;
	err = write_data(w);
	if (!err)
		err = write_end(w, t);
	if (!err)
		w->finished = true;
	return err;
}

void vgr_writer_kept(const struct vgr_writer *w, struct vgr_writer_kept *kept)
{
	kept->records = w->kept;
	kept->bytes = w->end;
	kept->frames = w->data_frames;
}

void vgr_writer_destroy(struct vgr_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0) {
		if (!w->finished && !w->error)
			(void)write_data(w);
		close(w->fd);
	}
	totals_finish(&w->totals);
	XXH64_freeState(w->identity);
	ZSTD_freeCCtx(w->zstd);
	free(w->index);
	free(w->raw);
	free(w->columns);
	free(w->seqs);
	free(w->stored);
	free(w);
}
