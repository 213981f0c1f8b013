// SPDX-License-Identifier: GPL-2.0-only
/* The bytes of a file become a workload, or a sentence that says why not. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>
#include "header.h"
#include "source.h"
#include "workload_format.h"

struct reader {
	struct source from;
	struct vgr_error error;
	struct workload_head head;
	struct vgw *w;
	ZSTD_DCtx *zstd;
	XXH64_state_t *identity;
	const struct vgic_store *store;
	char *raw, *stored;
	size_t cap_raw, cap_stored;
	uint64_t raw_total;
	/* the section being read */
	struct workload_frame last;
	uint64_t have; /* elements of it */
	bool seen[WORKLOAD_TAG_MAX];
	struct workload_parts parts;
	uint64_t cap[WORKLOAD_TAG_MAX];
};

__attribute__((format(printf, 5, 6))) static int wrong(struct reader *r, int code, uint64_t offset,
						       const char *hint, const char *format, ...)
{
	va_list ap;

	r->error = (struct vgr_error){.code = code, .offset = offset};
	va_start(ap, format);
	vsnprintf(r->error.what, sizeof(r->error.what), format, ap);
	va_end(ap);
	snprintf(r->error.hint, sizeof(r->error.hint), "%s", hint);
	return code;
}

#define HINT_AGAIN "fetch the file again, or derive it again"

static int damaged(struct reader *r, uint64_t offset, const char *what)
{
	return wrong(r, VGR_EDAMAGED, offset, HINT_AGAIN, "%s", what);
}

static int forged(struct reader *r, uint64_t offset, const char *what)
{
	return wrong(r, VGR_EFORGED, offset, "do not use this file: it was not written by vgicsim",
		     "%s", what);
}

static int nomem(struct reader *r)
{
	return wrong(r, -ENOMEM, 0, "", "not enough memory");
}

static int reserve(char **buffer, size_t *cap, size_t need)
{
	char *p;

	if (need <= *cap)
		return 0;
	p = realloc(*buffer, need);
	if (!p)
		return -ENOMEM;
	*buffer = p;
	*cap = need;
	return 0;
}

static int read_head(struct reader *r)
{
	struct workload_head *h = &r->head;
	int err;

	if (r->from.size < FORMAT_MAGIC_LEN ||
	    source_read(&r->from, 0, h->magic, FORMAT_MAGIC_LEN, &r->error) ||
	    memcmp(h->magic, WORKLOAD_MAGIC, FORMAT_MAGIC_LEN))
		return wrong(r, VGR_ENOTREC, 0, "give a .vgw file made by 'vgicsim derive'",
			     r->from.size ? "not a vgicsim workload" : "an empty file");
	err = source_read(&r->from, 0, h, sizeof(*h), &r->error);
	if (err == CUT)
		return wrong(r, VGR_ESHORT, r->from.size, HINT_AGAIN, "the end of it is missing");
	if (err)
		return err;
	if (h->hash != XXH64(h, offsetof(struct workload_head, hash), 0))
		return damaged(r, 0, "the head of the file is damaged");
	if (h->version > VGW_VERSION)
		return wrong(r, VGR_EVERSION, 0, "use the vgicsim that wrote it, or a later one",
			     "written in version %u of the format, this vgicsim knows up to %u",
			     h->version, VGW_VERSION);
	if (!h->version)
		return forged(r, 0, "the head of the file has values that cannot be");
	if (r->from.size < h->size)
		return wrong(r, VGR_ESHORT, r->from.size, HINT_AGAIN,
			     "the end of it is missing, %" PRIu64 " of %" PRIu64 " bytes are there",
			     r->from.size, h->size);
	if (r->from.size > h->size)
		return forged(r, h->size, "bytes after the end of the workload");
	return 0;
}

static int read_frame_header(struct reader *r, uint64_t offset, uint32_t number,
			     struct workload_frame *f)
{
	const struct workload_section *s;
	int err = source_read(&r->from, offset, f, sizeof(*f), &r->error);

	if (err)
		return err == CUT ? forged(r, offset, "the file ends within a frame") : err;
	if (f->magic != WORKLOAD_FRAME_MAGIC ||
	    f->hash != XXH64(f, offsetof(struct workload_frame, hash), 0))
		return damaged(r, offset, "the header of a frame is damaged");
	if (f->number != number)
		return forged(r, offset, "frames out of order");
	if (f->raw_size > VGR_MAX_FRAME || f->stored_size > ZSTD_COMPRESSBOUND(VGR_MAX_FRAME) ||
	    f->stored_size > r->from.size - offset - sizeof(*f))
		return forged(r, offset, "a frame is longer than frames can be");
	if ((f->codec != WORKLOAD_ZSTD && f->codec != WORKLOAD_PLAIN) || !f->tag)
		return forged(r, offset, "a frame of an unknown kind");
	if (!f->element || f->raw_size != (uint64_t)f->element * f->count || f->first > f->total ||
	    f->count > f->total - f->first)
		return forged(r, offset, "the counts of a frame contradict one another");
	if (f->tag == r->last.tag ? f->total != r->last.total || f->element != r->last.element ||
					    f->first != r->have || !f->count
				  : f->tag < r->last.tag || r->have != r->last.total || f->first)
		return forged(r, offset, "a frame that does not follow the one before");
	r->raw_total += f->raw_size;
	if (r->raw_total > WORKLOAD_RAW_FREE + r->from.size * WORKLOAD_RAW_RATIO)
		return forged(r, offset, "far more content than a file of this size can have");
	s = workload_section(f->tag);
	if (s && (f->element < s->least || f->total > s->max || (s->one && f->total != 1) ||
		  (!s->fields && f->element != 1)))
		return forged(r, offset, "a section that no workload has");
	return 0;
}

static int read_payload(struct reader *r, uint64_t offset, const struct workload_frame *f)
{
	size_t n;
	int err;

	if (reserve(&r->stored, &r->cap_stored, f->stored_size + 1) ||
	    reserve(&r->raw, &r->cap_raw, f->raw_size + 1))
		return nomem(r);
	err = source_read(&r->from, offset + sizeof(*f), r->stored, f->stored_size, &r->error);
	if (err)
		return err == CUT ? forged(r, offset, "the file ends within a frame") : err;
	if (XXH64(r->stored, f->stored_size, 0) != f->payload_hash)
		return damaged(r, offset, "the content of a frame is damaged");
	if (f->codec == WORKLOAD_PLAIN) {
		n = f->stored_size;
		if (n == f->raw_size)
			memcpy(r->raw, r->stored, n);
	} else {
		n = ZSTD_decompressDCtx(r->zstd, r->raw, f->raw_size, r->stored, f->stored_size);
	}
	if (ZSTD_isError(n) || n != f->raw_size)
		return forged(r, offset, "the content of a frame does not decompress to its size");
	return 0;
}

/* What there is no end of. */
static const struct vgic_store *store_of(const struct reader *r, unsigned int tag)
{
	return tag == WORKLOAD_SCRIPTS || tag == WORKLOAD_OPS || tag == WORKLOAD_EFFECTS ||
			       tag == WORKLOAD_PROPS
		       ? r->store
		       : NULL;
}

/* Room for the elements of f behind those that are there; no more than came with frames. */
static char *room(struct reader *r, const struct workload_section *s,
		  const struct workload_frame *f)
{
	struct workload_part *p = &r->parts.part[f->tag];
	uint64_t need = p->n + f->count, cap = r->cap[f->tag];

	if (s->one)
		return p->data;
	if (need > cap || !p->data) {
		uint64_t more = cap * 2 > need ? cap * 2 : need;
		char *data;

		if (more > f->total)
			more = f->total;
		data = vgic_store_grow(store_of(r, f->tag), p->data, r->cap[f->tag],
				       (size_t)more + 1, s->size);
		if (!data)
			return NULL;
		p->data = data;
		p->owned = true;
		r->cap[f->tag] = more;
	}
	return (char *)p->data + p->n * s->size;
}

static int from_columns(struct reader *r, uint64_t offset, const struct workload_section *s,
			const struct workload_frame *f, char *to)
{
	const char *from = r->raw;
	uint32_t left = f->element;

	if (!s->one)
		memset(to, 0, (size_t)f->count * s->size);
	if (!s->fields) {
		memcpy(to, from, f->count);
		return 0;
	}
	/* What an earlier version does not have is 0; what a later one has more is left. */
	for (unsigned int i = 0; i < s->nr_fields && left; i++) {
		const struct workload_field *field = &s->fields[i];
		size_t width = (size_t)field->width * field->n;

		if (width > left)
			return forged(r, offset, "elements that end within a field");
		left -= (uint32_t)width;
		for (uint32_t k = 0; k < f->count; k++, from += width) {
			if (field->flag && (unsigned char)*from > 1)
				return forged(r, offset, "a flag that is neither 0 nor 1");
			memcpy(to + (size_t)k * s->size + field->offset, from, width);
		}
	}
	return 0;
}

static int read_frames(struct reader *r)
{
	uint64_t offset = sizeof(r->head);
	struct workload_frame f;

	for (uint32_t number = 0; number < r->head.frames; number++) {
		int err = read_frame_header(r, offset, number, &f);
		const struct workload_section *s;

		if (!err)
			err = read_payload(r, offset, &f);
		if (err)
			return err;
		s = workload_section(f.tag);
		if (s) {
			char *to = room(r, s, &f);

			if (!to)
				return nomem(r);
			vgic_store_pace(r->store, 0);
			err = from_columns(r, offset, s, &f, to);
			if (err)
				return err;
			r->parts.part[f.tag].n += f.count;
			r->seen[f.tag] = true;
		}
		XXH64_update(r->identity, &f.hash, sizeof(f.hash));
		r->have = f.first + f.count;
		r->last = f;
		offset += sizeof(f) + f.stored_size;
	}
	if (r->have != r->last.total || offset != r->head.size)
		return forged(r, offset, "fewer frames than the head says");
	if (XXH64_digest(r->identity) != r->head.identity)
		return forged(r, 0, "the head of the file contradicts its frames");
	return 0;
}

static void *take(struct reader *r, enum workload_tag tag)
{
	struct workload_part *p = &r->parts.part[tag];
	void *data = p->owned ? p->data : NULL;

	p->data = NULL;
	p->owned = false;
	return data;
}

static int read_texts(struct reader *r)
{
	const struct workload_part *d = &r->parts.part[WORKLOAD_DESCRIPTION];
	const struct workload_part *n = &r->parts.part[WORKLOAD_NAMES];
	const char *why = "";
	int err = header_decode(&r->w->header, d->data, d->n, &why);

	if (!err)
		err = names_decode(r->w, n->data, n->n, &why);
	if (err == -ENOMEM)
		return nomem(r);
	return err ? forged(r, sizeof(r->head), why) : 0;
}

static void take_workload(struct reader *r)
{
	struct vgic_workload *wl = &r->w->workload;
	struct workload_part *p = r->parts.part;

	wl->store = r->store;
	wl->nr_vcpus = (uint32_t)p[WORKLOAD_VCPUS].n;
	wl->nr_sources = p[WORKLOAD_SOURCES].n;
	wl->nr_scripts = p[WORKLOAD_SCRIPTS].n;
	wl->nr_ops = p[WORKLOAD_OPS].n;
	wl->nr_effects = p[WORKLOAD_EFFECTS].n;
	wl->nr_props = p[WORKLOAD_PROPS].n;
	wl->vcpus = take(r, WORKLOAD_VCPUS);
	wl->sources = take(r, WORKLOAD_SOURCES);
	wl->scripts = take(r, WORKLOAD_SCRIPTS);
	wl->ops = take(r, WORKLOAD_OPS);
	wl->effects = take(r, WORKLOAD_EFFECTS);
	wl->props = take(r, WORKLOAD_PROPS);
}

/* The last block is the last one with a count. */
static int take_count(struct reader *r, struct vgic_latency_series *s,
		      const struct workload_block *from)
{
	struct vgic_latency_block *b = &s->blocks[from->block];
	uint32_t **part = &b->part[from->bucket / VGIC_LATENCY_PART];
	uint32_t *count;

	if (!*part)
		*part = calloc(VGIC_LATENCY_PART, sizeof(**part));
	if (!*part)
		return nomem(r);
	count = &(*part)[from->bucket % VGIC_LATENCY_PART];
	if (*count || !from->count)
		return forged(r, 0, "a count of a block twice, or of nothing");
	*count = from->count;
	b->n += from->count;
	if (from->block >= s->nr_blocks)
		s->nr_blocks = (size_t)from->block + 1;
	return 0;
}

static int take_blocks(struct reader *r, struct vgic_cell *c)
{
	const struct workload_part *blocks = &r->parts.part[WORKLOAD_BLOCKS];
	const struct workload_block *b = blocks->data;

	for (uint64_t i = 0; i < blocks->n; i++) {
		int err;

		if (b[i].latency >= VGIC_LATENCIES || b[i].block >= VGIC_LATENCY_BLOCKS ||
		    b[i].bucket >= VGIC_LATENCY_PARTS * VGIC_LATENCY_PART)
			return forged(r, 0, "a count of a block that there is not");
		err = take_count(r, &c->latency[b[i].latency], &b[i]);
		if (err)
			return err;
	}
	return 0;
}

static int take_latencies(struct reader *r, struct vgic_cell *c)
{
	const struct workload_part *heads = &r->parts.part[WORKLOAD_LATENCIES];
	const struct workload_part *buckets = &r->parts.part[WORKLOAD_BUCKETS];
	const struct workload_latency *l = heads->data;
	const struct workload_bucket *b = buckets->data;

	for (int i = 0; i < VGIC_LATENCIES; i++) {
		struct vgic_latency_series *s = &c->latency[i];

		s->raises = 1;
		s->blocks = calloc(VGIC_LATENCY_BLOCKS, sizeof(*s->blocks));
		s->hist.count = calloc(VGIC_HIST_BUCKETS, sizeof(*s->hist.count));
		if (!s->blocks || !s->hist.count)
			return nomem(r);
		if ((uint64_t)i >= heads->n)
			continue;
		c->latency_known[i] = l[i].known;
		c->inside_ns[i] = l[i].inside_ns;
		s->hist.n = l[i].n;
		s->hist.min = l[i].min;
		s->hist.max = l[i].max;
		s->hist.sum = l[i].sum;
		s->raises = l[i].raises;
	}
	for (uint64_t i = 0; i < buckets->n; i++) {
		if (b[i].latency >= VGIC_LATENCIES || b[i].bucket >= VGIC_HIST_BUCKETS)
			return forged(r, 0, "a bucket of a histogram that there is not");
		c->latency[b[i].latency].hist.count[b[i].bucket] += b[i].count;
	}
	return take_blocks(r, c);
}

static int take_cell(struct reader *r)
{
	const struct workload_part *p = r->parts.part;
	const struct workload_occupancy *o = p[WORKLOAD_OCCUPANCY].data;
	struct vgic_cell *c = &r->w->recorded;
	int err;

	for (uint64_t i = 0; i < p[WORKLOAD_OCCUPANCY].n; i++) {
		c->used_ns[i] = o[i].used_ns;
		c->pending_ns[i] = o[i].pending_ns;
		c->active_ns[i] = o[i].active_ns;
		c->entries[i] = o[i].entries;
	}
	c->depth_ns = calloc(VGIC_DEPTHS, sizeof(*c->depth_ns));
	if (!c->depth_ns)
		return nomem(r);
	memcpy(c->depth_ns, p[WORKLOAD_DEPTHS].data, p[WORKLOAD_DEPTHS].n * sizeof(*c->depth_ns));
	err = take_latencies(r, c);
	if (err)
		return err;
	c->nr_starved = p[WORKLOAD_STARVED].n;
	memcpy(c->starved, p[WORKLOAD_STARVED].data, c->nr_starved * sizeof(c->starved[0]));
	c->nr_fates = p[WORKLOAD_FATES].n;
	c->fates = take(r, WORKLOAD_FATES);
	c->timeline.nr_segments = p[WORKLOAD_SEGMENTS].n;
	c->timeline.nr_mis = p[WORKLOAD_MIS].n;
	c->timeline.nr_depths = p[WORKLOAD_OVERFLOWS].n;
	c->timeline.segments = take(r, WORKLOAD_SEGMENTS);
	c->timeline.mis = take(r, WORKLOAD_MIS);
	c->timeline.depths = take(r, WORKLOAD_OVERFLOWS);
	return 0;
}

static int assemble(struct reader *r)
{
	struct vgw *w = r->w;
	int err;

	/* What came later may be absent. */
	for (unsigned int tag = 1; tag <= WORKLOAD_OVERFLOWS; tag++)
		if (r->seen[tag] != (tag < WORKLOAD_CELL || w->has_recorded))
			return forged(r, 0, "a section is missing, or one too many");
	err = read_texts(r);
	if (err)
		return err;
	take_workload(r);
	if (w->has_recorded)
		err = take_cell(r);
	w->version = r->head.version;
	w->identity = r->head.identity;
	w->bytes = r->head.size;
	w->frames = r->head.frames;
	return err ? err : vgw_validate(w, &r->error);
}

static int read_all(struct vgw **out, struct reader *r, int err, struct vgr_error *error)
{
	r->w = calloc(1, sizeof(*r->w));
	r->zstd = ZSTD_createDCtx();
	r->identity = XXH64_createState();
	if (!err && (!r->w || !r->zstd || !r->identity))
		err = nomem(r);
	if (!err) {
		vgr_header_init(&r->w->header);
		XXH64_reset(r->identity, 0);
		r->parts.part[WORKLOAD_DERIVATION].data = r->w;
		r->parts.part[WORKLOAD_DEMAND].data = &r->w->workload;
		r->parts.part[WORKLOAD_PROFILE].data = &r->w->workload.profile;
		r->parts.part[WORKLOAD_CELL].data = &r->w->recorded;
		err = read_head(r);
	}
	if (!err)
		err = read_frames(r);
	if (!err)
		err = assemble(r);
	for (unsigned int tag = 0; tag < WORKLOAD_TAG_MAX; tag++)
		vgic_store_free(store_of(r, tag), take(r, (enum workload_tag)tag));
	source_close(&r->from);
	ZSTD_freeDCtx(r->zstd);
	XXH64_freeState(r->identity);
	free(r->raw);
	free(r->stored);
	if (err) {
		if (error)
			*error = r->error;
		vgw_free(r->w);
		return err;
	}
	*out = r->w;
	return 0;
}

int vgw_read(struct vgw **w, const char *path, const struct vgic_store *store,
	     struct vgr_error *err)
{
	struct reader r = {.store = store};

	*w = NULL;
	return read_all(w, &r, source_open(&r.from, path, &r.error), err);
}

int vgw_read_memory(struct vgw **w, const void *data, size_t size, struct vgr_error *err)
{
	struct reader r = {0};

	*w = NULL;
	source_memory(&r.from, data, size);
	return read_all(w, &r, 0, err);
}

bool vgw_probe(const char *path)
{
	char magic[FORMAT_MAGIC_LEN];
	struct vgr_error err;
	struct source s;
	bool is = !source_open(&s, path, &err) && !source_read(&s, 0, magic, sizeof(magic), &err) &&
		  !memcmp(magic, WORKLOAD_MAGIC, sizeof(magic));

	source_close(&s);
	return is;
}

static void free_series(struct vgic_latency_series *s)
{
	for (size_t i = 0; s->blocks && i < VGIC_LATENCY_BLOCKS; i++)
		for (unsigned int k = 0; k < VGIC_LATENCY_PARTS; k++)
			free(s->blocks[i].part[k]);
	free(s->blocks);
	free(s->hist.count);
}

void vgw_free(struct vgw *w)
{
	struct vgic_cell *c;

	if (!w)
		return;
	c = &w->recorded;
	header_release(&w->header);
	free(w->workload.vcpus);
	free(w->workload.sources);
	vgic_store_free(w->workload.store, w->workload.scripts);
	vgic_store_free(w->workload.store, w->workload.ops);
	vgic_store_free(w->workload.store, w->workload.effects);
	vgic_store_free(w->workload.store, w->workload.props);
	free(c->depth_ns);
	for (int i = 0; i < VGIC_LATENCIES; i++)
		free_series(&c->latency[i]);
	free(c->fates);
	free(c->timeline.segments);
	free(c->timeline.mis);
	free(c->timeline.depths);
	free(w);
}
