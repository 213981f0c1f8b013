// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <vgicsim/recording.h>
#include "columns.h"

#define HEAD sizeof(struct vgr_rec)

/*
 * Last sequence number of every CPU that vgr_rec.cpu can name. A forged file may name
 * all of them, a real one names a few: pages as they are needed.
 */
struct seqs {
	uint32_t *page[256];
};

static uint32_t *get_seq(struct seqs *s, uint16_t cpu)
{
	uint32_t **page = &s->page[cpu >> 8];

	if (!*page)
		*page = calloc(256, sizeof(**page));
	return *page ? *page + (cpu & 0xff) : NULL;
}

static void seqs_finish(struct seqs *s)
{
	size_t i;

	for (i = 0; i < sizeof(s->page) / sizeof(s->page[0]); i++)
		free(s->page[i]);
}

_Static_assert(offsetof(struct vgr_flush, begin) == HEAD, "begin stands behind the head");
_Static_assert(offsetof(struct vgr_sync, begin) == HEAD, "begin stands behind the head");

static bool has_begin(uint16_t type)
{
	return type == VGR_FLUSH || type == VGR_SYNC;
}

/* Where each type's fixed parts begin in the columns; the arrays follow them all. */
struct layout {
	size_t fixed[VGR_TYPE_MAX];
	size_t arrays;
};

static void lay_out(struct layout *l, const uint32_t count[VGR_TYPE_MAX], uint32_t n)
{
	size_t at = (size_t)n * HEAD;
	unsigned int type;

	for (type = 0; type < VGR_TYPE_MAX; type++) {
		l->fixed[type] = at;
		if (count[type])
			at += (size_t)count[type] * (rec_fixed_size((uint16_t)type) - HEAD);
	}
	l->arrays = at;
}

int columns_encode(const void *raw, size_t size, uint32_t n, void *out)
{
	uint32_t count[VGR_TYPE_MAX] = {0};
	const char *in = raw;
	char *to = out;
	struct seqs seqs = {{0}};
	uint64_t before = 0, time, begin;
	struct layout l;
	struct vgr_rec h;
	uint32_t i, fixed, *seq;
	size_t at, k;

	for (at = 0; at < size; at += h.size) {
		memcpy(&h, in + at, HEAD);
		count[h.type]++;
	}
	lay_out(&l, count, n);
	for (i = 0, at = 0; i < n; i++) {
		memcpy(&h, in + at, HEAD);
		seq = get_seq(&seqs, h.cpu);
		if (!seq)
			break;
		fixed = rec_fixed_size(h.type);
		memcpy(to + l.fixed[h.type], in + at + HEAD, fixed - HEAD);
		if (has_begin(h.type)) {
			memcpy(&begin, in + at + HEAD, sizeof(begin));
			begin = h.time - begin;
			memcpy(to + l.fixed[h.type], &begin, sizeof(begin));
		}
		l.fixed[h.type] += fixed - HEAD;
		memcpy(to + l.arrays, in + at + fixed, h.size - fixed);
		l.arrays += h.size - fixed;
		at += h.size;

		time = h.time;
		h.time -= before;
		before = time;
		h.seq -= *seq + 1;
		*seq += h.seq + 1;
		for (k = 0; k < HEAD; k++)
			to[k * n + i] = ((const char *)&h)[k];
	}
	seqs_finish(&seqs);
	return i < n ? -ENOMEM : 0;
}

static void get_head(const char *in, uint32_t n, uint32_t i, struct vgr_rec *h)
{
	size_t k;

	for (k = 0; k < HEAD; k++)
		((char *)h)[k] = in[k * n + i];
}

/* Sizes and types of all heads must add up before a byte is moved. */
static int check_heads(const char *in, size_t size, uint32_t n, uint32_t count[VGR_TYPE_MAX])
{
	size_t sum = 0;
	struct vgr_rec h;
	uint32_t i, fixed;

	if ((size_t)n * HEAD > size)
		return -EPROTO;
	for (i = 0; i < n; i++) {
		get_head(in, n, i, &h);
		fixed = rec_fixed_size(h.type);
		if (!fixed || h.size < fixed || h.size > size - sum)
			return -EPROTO;
		sum += h.size;
		count[h.type]++;
	}
	return sum == size ? 0 : -EPROTO;
}

int columns_decode(const void *data, size_t size, uint32_t n, void *raw)
{
	uint32_t count[VGR_TYPE_MAX] = {0};
	const char *in = data;
	char *to = raw;
	struct seqs seqs = {{0}};
	uint64_t before = 0, begin;
	struct layout l;
	struct vgr_rec h;
	uint32_t i, fixed, *seq;

	if (check_heads(in, size, n, count))
		return -EPROTO;
	lay_out(&l, count, n);
	for (i = 0; i < n; i++) {
		get_head(in, n, i, &h);
		seq = get_seq(&seqs, h.cpu);
		if (!seq)
			break;
		h.time += before;
		before = h.time;
		h.seq += *seq + 1;
		*seq = h.seq;
		fixed = rec_fixed_size(h.type);
		memcpy(to, &h, HEAD);
		memcpy(to + HEAD, in + l.fixed[h.type], fixed - HEAD);
		if (has_begin(h.type)) {
			memcpy(&begin, to + HEAD, sizeof(begin));
			begin = h.time - begin;
			memcpy(to + HEAD, &begin, sizeof(begin));
		}
		l.fixed[h.type] += fixed - HEAD;
		memcpy(to + fixed, in + l.arrays, h.size - fixed);
		l.arrays += h.size - fixed;
		to += h.size;
	}
	seqs_finish(&seqs);
	return i < n ? -ENOMEM : 0;
}
