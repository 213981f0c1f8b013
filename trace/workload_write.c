// SPDX-License-Identifier: GPL-2.0-only
/* A workload becomes the bytes of a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>
#include "header.h"
#include "workload_format.h"

#define DEFAULT_LEVEL 6
/* Bytes of elements in one frame, about. */
#define FRAME_BYTES   (2u << 20)

struct buffer {
	char *data;
	size_t size, cap;
};

struct writer {
	struct buffer out;
	FILE *file;	  /* where whole frames go; NULL: they stay in out */
	uint64_t written; /* bytes that have gone there */
	const struct vgw_elements *elements;
	const struct vgic_store *store; /* in which the elements are */
	ZSTD_CCtx *zstd;		/* NULL: nothing is compressed */
	XXH64_state_t *identity;
	uint32_t frames;
	uint64_t raw;
};

static char *more(struct buffer *b, size_t size)
{
	if (size > b->cap - b->size) {
		size_t cap = b->cap * 2 + size;
		char *p = realloc(b->data, cap);

		if (!p)
			return NULL;
		b->data = p;
		b->cap = cap;
	}
	return b->data + b->size;
}

/* What is whole goes to the file, if there is one. */
static int drain(struct writer *w)
{
	if (!w->file)
		return 0;
	errno = 0;
	if (fwrite(w->out.data, 1, w->out.size, w->file) != w->out.size)
		return errno ? -errno : -EIO;
	w->written += w->out.size;
	w->out.size = 0;
	return 0;
}

static uint64_t size_of_file(const struct writer *w)
{
	return w->written + w->out.size;
}

/* One frame; raw_size bytes of payload. */
static int put_frame(struct writer *w, struct workload_frame *f, const void *raw)
{
	size_t bound = w->zstd ? ZSTD_compressBound(f->raw_size) : f->raw_size, n = f->raw_size;
	char *at = more(&w->out, sizeof(*f) + bound);

	if (!at)
		return -ENOMEM;
	if (w->zstd) {
		n = ZSTD_compress2(w->zstd, at + sizeof(*f), bound, raw, f->raw_size);
		if (ZSTD_isError(n))
			return -ENOMEM;
	} else if (n) {
		memcpy(at + sizeof(*f), raw, n);
	}
	f->magic = WORKLOAD_FRAME_MAGIC;
	f->codec = w->zstd ? WORKLOAD_ZSTD : WORKLOAD_PLAIN;
	f->number = w->frames++;
	f->stored_size = (uint32_t)n;
	f->payload_hash = XXH64(at + sizeof(*f), n, 0);
	f->hash = XXH64(f, offsetof(struct workload_frame, hash), 0);
	memcpy(at, f, sizeof(*f));
	XXH64_update(w->identity, &f->hash, sizeof(f->hash));
	w->out.size += sizeof(*f) + n;
	w->raw += f->raw_size;
	return drain(w);
}

/* Field after field, of each the values of all elements. */
static void to_columns(const struct workload_section *s, const char *from, uint32_t n, char *to)
{
	for (unsigned int i = 0; i < s->nr_fields; i++) {
		const struct workload_field *f = &s->fields[i];
		size_t width = (size_t)f->width * f->n;

		for (uint32_t k = 0; k < n; k++, to += width)
			memcpy(to, from + (size_t)k * s->size + f->offset, width);
	}
}

/* Makes n elements; without such a function they are there already. */
static void make(const struct writer *w, unsigned int tag, uint64_t first, uint32_t n, void *to)
{
	const struct vgw_elements *e = w->elements;

	if (tag == WORKLOAD_SCRIPTS)
		e->scripts(e->opaque, first, n, to);
	else if (tag == WORKLOAD_OPS)
		e->ops(e->opaque, first, n, to);
	else
		e->effects(e->opaque, first, n, to);
}

/* data NULL: they are made, piece by piece. */
static int put_section(struct writer *w, unsigned int tag, const void *data, uint64_t total)
{
	const struct workload_section *s = workload_section(tag);
	uint32_t element = workload_element(s), at_once = FRAME_BYTES / element;
	bool made = !data && w->elements && total;
	char *columns, *piece = NULL;
	uint64_t first = 0;
	int err = -ENOMEM;

	if (total > s->max)
		return -EFBIG;
	columns = malloc((size_t)(total < at_once ? total + 1 : at_once) * element);
	if (made)
		piece = malloc((size_t)at_once * s->size);
	if (!columns || (made && !piece))
		goto out;
	/* An empty section has one frame, too: that it is empty is said. */
	do {
		uint32_t n = total - first < at_once ? (uint32_t)(total - first) : at_once;
		struct workload_frame f = {
			.tag = (uint16_t)tag,
			.raw_size = n * element,
			.element = element,
			.count = n,
			.first = first,
			.total = total,
		};
		const char *from = made ? piece : (const char *)data + first * s->size;

		vgic_store_pace(w->store, 0);
		if (made)
			make(w, tag, first, n, piece);
		if (s->fields)
			to_columns(s, from, n, columns);
		err = put_frame(w, &f, s->fields ? columns : from);
		first += n;
	} while (!err && first < total);
out:
	free(columns);
	free(piece);
	return err;
}

static int put_text(struct writer *w, unsigned int tag, char *text)
{
	int err = text ? put_section(w, tag, text, strlen(text)) : -ENOMEM;

	free(text);
	return err;
}

static int put_buckets(struct writer *w, const struct vgic_cell *c)
{
	struct workload_bucket *b;
	size_t n = 0;
	int err;

	for (int i = 0; i < VGIC_LATENCIES; i++)
		for (uint32_t k = 0; k < VGIC_HIST_BUCKETS; k++)
			n += c->latency[i].hist.count[k] != 0;
	b = calloc(n + 1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	n = 0;
	for (int i = 0; i < VGIC_LATENCIES; i++)
		for (uint32_t k = 0; k < VGIC_HIST_BUCKETS; k++)
			if (c->latency[i].hist.count[k])
				b[n++] = (struct workload_bucket){
					.bucket = k,
					.latency = (uint8_t)i,
					.count = c->latency[i].hist.count[k]};
	err = put_section(w, WORKLOAD_BUCKETS, b, n);
	free(b);
	return err;
}

/* Counts of the blocks of one latency that are not 0, into to or only counted. */
static size_t block_counts(const struct vgic_cell *c, int latency, struct workload_block *to)
{
	const struct vgic_latency_series *s = &c->latency[latency];
	size_t n = 0;

	for (uint32_t i = 0; i < s->nr_blocks; i++) {
		for (uint32_t k = 0; k < VGIC_LATENCY_PARTS * VGIC_LATENCY_PART; k++) {
			const uint32_t *part = s->blocks[i].part[k / VGIC_LATENCY_PART];
			uint32_t count = part ? part[k % VGIC_LATENCY_PART] : 0;

			if (!count)
				continue;
			if (to)
				to[n] = (struct workload_block){.block = i,
								.bucket = k,
								.count = count,
								.latency = (uint8_t)latency};
			n++;
		}
	}
	return n;
}

static int put_blocks(struct writer *w, const struct vgic_cell *c)
{
	struct workload_block *b;
	size_t n = 0;
	int err;

	for (int i = 0; i < VGIC_LATENCIES; i++)
		n += block_counts(c, i, NULL);
	b = calloc(n + 1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	n = 0;
	for (int i = 0; i < VGIC_LATENCIES; i++)
		n += block_counts(c, i, b + n);
	err = put_section(w, WORKLOAD_BLOCKS, b, n);
	free(b);
	return err;
}

static int put_cell(struct writer *w, const struct vgic_cell *c)
{
	struct workload_occupancy o[VGR_MAX_LRS + 1];
	struct workload_latency l[VGIC_LATENCIES];
	int err;

	for (unsigned int i = 0; i <= VGR_MAX_LRS; i++)
		o[i] = (struct workload_occupancy){c->used_ns[i], c->pending_ns[i], c->active_ns[i],
						   c->entries[i]};
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		const struct vgic_hist *h = &c->latency[i].hist;

		l[i] = (struct workload_latency){
			c->latency_known[i], h->n, h->min, h->max, h->sum, c->inside_ns[i],
			c->latency[i].raises};
	}
	err = put_section(w, WORKLOAD_CELL, c, 1);
	if (!err)
		err = put_section(w, WORKLOAD_OCCUPANCY, o, VGR_MAX_LRS + 1);
	if (!err)
		err = put_section(w, WORKLOAD_DEPTHS, c->depth_ns, VGIC_DEPTHS);
	if (!err)
		err = put_section(w, WORKLOAD_LATENCIES, l, VGIC_LATENCIES);
	if (!err)
		err = put_buckets(w, c);
	if (!err)
		err = put_blocks(w, c);
	if (!err)
		err = put_section(w, WORKLOAD_FATES, c->fates, c->nr_fates);
	if (!err)
		err = put_section(w, WORKLOAD_STARVED, c->starved, c->nr_starved);
	if (!err)
		err = put_section(w, WORKLOAD_SEGMENTS, c->timeline.segments,
				  c->timeline.nr_segments);
	if (!err)
		err = put_section(w, WORKLOAD_MIS, c->timeline.mis, c->timeline.nr_mis);
	if (!err)
		err = put_section(w, WORKLOAD_OVERFLOWS, c->timeline.depths, c->timeline.nr_depths);
	return err;
}

static int put_all(struct writer *w, const struct vgw *from)
{
	const struct vgic_workload *wl = &from->workload;
	const struct vgw_elements in_memory = {
		.nr_scripts = wl->nr_scripts, .nr_ops = wl->nr_ops, .nr_effects = wl->nr_effects};
	const struct vgw_elements *e = w->elements ? w->elements : &in_memory;
	const struct {
		enum workload_tag tag;
		const void *data;
		uint64_t n;
	} sections[] = {
		{WORKLOAD_DERIVATION, from, 1},
		{WORKLOAD_DEMAND, wl, 1},
		{WORKLOAD_PROFILE, &wl->profile, 1},
		{WORKLOAD_VCPUS, wl->vcpus, wl->nr_vcpus},
		{WORKLOAD_SOURCES, wl->sources, wl->nr_sources},
		{WORKLOAD_SCRIPTS, w->elements ? NULL : wl->scripts, e->nr_scripts},
		{WORKLOAD_OPS, w->elements ? NULL : wl->ops, e->nr_ops},
		{WORKLOAD_EFFECTS, w->elements ? NULL : wl->effects, e->nr_effects},
		{WORKLOAD_PROPS, wl->props, wl->nr_props},
	};
	int err = put_text(w, WORKLOAD_DESCRIPTION, header_encode(&from->header));

	if (!err)
		err = put_text(w, WORKLOAD_NAMES, names_encode(from));
	for (size_t i = 0; !err && i < sizeof(sections) / sizeof(sections[0]); i++)
		err = put_section(w, sections[i].tag, sections[i].data, sections[i].n);
	if (!err && from->has_recorded)
		err = put_cell(w, &from->recorded);
	return err;
}

/* Room for the head, which is known at the end, and the tools of the frames. */
static int begin(struct writer *w, const struct vgw_writer_opts *opts)
{
	int level = opts && opts->level ? opts->level : DEFAULT_LEVEL;

	if (level < 1 || level > ZSTD_maxCLevel())
		return -EINVAL;
	w->identity = XXH64_createState();
	if (!w->identity || !more(&w->out, sizeof(struct workload_head)))
		return -ENOMEM;
	XXH64_reset(w->identity, 0);
	memset(w->out.data, 0, sizeof(struct workload_head));
	w->out.size = sizeof(struct workload_head);
	if (opts && opts->plain)
		return 0;
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

static int put_frames(struct writer *w, const struct vgw *from, struct workload_head *head)
{
	int ret = put_all(w, from);

	if (!ret && w->raw > WORKLOAD_RAW_FREE + size_of_file(w) * WORKLOAD_RAW_RATIO)
		ret = -EFBIG;
	if (ret)
		return ret;
	*head = (struct workload_head){
		.version = VGW_VERSION,
		.frames = w->frames,
		.size = size_of_file(w),
		.identity = XXH64_digest(w->identity),
	};
	memcpy(head->magic, WORKLOAD_MAGIC, FORMAT_MAGIC_LEN);
	head->hash = XXH64(head, offsetof(struct workload_head, hash), 0);
	return 0;
}

static void end(struct writer *w, int ret, struct vgr_error *err)
{
	if (ret == -EFBIG && err)
		workload_wrong(err, "more than a workload can hold");
	ZSTD_freeCCtx(w->zstd);
	XXH64_freeState(w->identity);
	free(w->out.data);
}

int vgw_encode(const struct vgw *from, const struct vgw_writer_opts *opts, void **data,
	       size_t *size, struct vgr_error *err)
{
	struct workload_head head;
	struct writer w = {0};
	int ret;

	*data = NULL;
	if (opts && (opts->level < 0 || opts->level > ZSTD_maxCLevel()))
		return -EINVAL;
	ret = vgw_validate(from, err);
	if (ret)
		return ret;
	ret = begin(&w, opts);
	if (!ret)
		ret = put_frames(&w, from, &head);
	if (!ret) {
		memcpy(w.out.data, &head, sizeof(head));
		*data = w.out.data;
		*size = w.out.size;
		w.out.data = NULL;
	}
	end(&w, ret, err);
	return ret;
}

static int write_to_file(struct writer *w, const struct vgw *from,
			 const struct vgw_writer_opts *opts, struct vgr_error *err)
{
	FILE *f = w->file;
	struct workload_head head;
	int ret = ftello(f) < 0 ? -errno : begin(w, opts);

	if (!ret)
		ret = put_frames(w, from, &head);
	errno = 0;
	if (!ret && (fflush(f) || fseeko(f, 0, SEEK_SET) ||
		     fwrite(&head, sizeof(head), 1, f) != 1 || fflush(f)))
		ret = errno ? -errno : -EIO;
	end(w, ret, err);
	return ret;
}

int vgw_write_elements(FILE *f, const struct vgw *from, const struct vgw_elements *e,
		       const struct vgw_writer_opts *opts, struct vgr_error *err)
{
	struct writer w = {.file = f, .elements = e};

	return write_to_file(&w, from, opts, err);
}

int vgw_write(FILE *f, const struct vgw *from, const struct vgw_writer_opts *opts,
	      struct vgr_error *err)
{
	struct writer w = {.file = f, .store = from->workload.store};
	int ret = vgw_validate(from, err);

	return ret ? ret : write_to_file(&w, from, opts, err);
}
