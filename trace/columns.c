// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <vgicsim/recording.h>
#include "columns.h"

#define HEAD sizeof(struct vgr_rec)

static void seqs_reset(struct columns_seqs *seqs)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		if (seqs->used[i])
			memset(seqs->last[i], 0, sizeof(seqs->last[i]));
	}
	memset(seqs->used, 0, sizeof(seqs->used));
}

static uint32_t *get_seq(struct columns_seqs *seqs, uint16_t cpu)
{
	seqs->used[cpu >> 8] = true;
	return &seqs->last[cpu >> 8][cpu & 0xff];
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

void columns_encode(struct columns_seqs *seqs, const void *raw, size_t size, uint32_t n, void *out)
{
	uint32_t count[VGR_TYPE_MAX] = {0};
	const char *in = raw;
	char *to = out;
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
	seqs_reset(seqs);
	for (i = 0, at = 0; i < n; i++) {
		memcpy(&h, in + at, HEAD);
		seq = get_seq(seqs, h.cpu);
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
}

/* ---- back ---- */

#define MAX_FIXED sizeof(struct vgr_sync)

_Static_assert(MAX_FIXED - HEAD <= COLUMNS_SLACK, "a fixed part is moved as one block");

/* The words of a head, and what stands in them. */
enum { TYPE_SIZE, TIME, SEQ_CPU, REST, WORDS };
_Static_assert(HEAD == WORDS * sizeof(uint64_t), "four words");
_Static_assert(offsetof(struct vgr_rec, type) == 8 * TYPE_SIZE, "first half");
_Static_assert(offsetof(struct vgr_rec, size) == 8 * TYPE_SIZE + 4, "second half");
_Static_assert(offsetof(struct vgr_rec, time) == 8 * TIME, "all of it");
_Static_assert(offsetof(struct vgr_rec, seq) == 8 * SEQ_CPU, "first half");
_Static_assert(offsetof(struct vgr_rec, cpu) == 8 * SEQ_CPU + 4, "third quarter");

/* Heads are put together sixteen at a time. */
#define SQUARE 16
typedef unsigned char bytes __attribute__((vector_size(SQUARE)));

/* The bytes of a and b in turn: those of the first halves, of the second halves. */
static inline bytes zip_low(bytes a, bytes b)
{
	return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
				       23);
}

static inline bytes zip_high(bytes a, bytes b)
{
	return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
				       15, 31);
}

/* Last two of three rounds: bytes 0 2 4 6 and 1 3 5 7 of a word side by side, then all. */
static inline void zip_words(bytes c04, bytes c15, bytes c26, bytes c37, uint64_t words[8])
{
	bytes low = zip_low(c04, c26), low_odd = zip_low(c15, c37);
	bytes high = zip_high(c04, c26), high_odd = zip_high(c15, c37);
	bytes pairs[4] = {zip_low(low, low_odd), zip_high(low, low_odd), zip_low(high, high_odd),
			  zip_high(high, high_odd)};

	memcpy(words, pairs, sizeof(pairs));
}

/*
 * One word of sixteen heads, whose bytes stand in eight columns, n bytes apart. Reads up to
 * 15 bytes behind the last column.
 */
static inline void get_words(const char *in, size_t n, uint64_t words[SQUARE])
{
	bytes c[8];
	int i;

#pragma GCC unroll 8
	for (i = 0; i < 8; i++)
		memcpy(&c[i], in + i * n, SQUARE);
	zip_words(zip_low(c[0], c[4]), zip_low(c[1], c[5]), zip_low(c[2], c[6]),
		  zip_low(c[3], c[7]), words);
	zip_words(zip_high(c[0], c[4]), zip_high(c[1], c[5]), zip_high(c[2], c[6]),
		  zip_high(c[3], c[7]), words + SQUARE / 2);
}

/* By the low byte of a type. */
struct decoder {
	uint32_t fixed[256];	  /* bytes in front of the arrays, head included */
	uint32_t least[256];	  /* the same; UINT32_MAX if there is no such type */
	uint64_t begin_mask[256]; /* all ones if it has a begin */
	const char *from[256];	  /* where its next fixed part is */
	uint32_t count[256];
};

/* Sizes and types of all heads must add up before a byte is moved. */
static int check_heads(struct decoder *d, const char *in, size_t size, uint32_t n)
{
	uint64_t words[SQUARE], sum = 0, bad = 0;
	uint32_t i, k, len, type;

	for (i = 0; i < n; i += SQUARE) {
		get_words(in + i, n, words);
		for (k = 0; k < SQUARE && k < n - i; k++) {
			type = words[k] & 0xff;
			len = (uint32_t)(words[k] >> 32);
			bad |= (words[k] & 0xff00) | (len < d->least[type]);
			sum += len;
			d->count[type]++;
		}
	}
	return bad || sum != size ? -EPROTO : 0;
}

/* Moves whole blocks: reads and writes up to COLUMNS_SLACK - 1 bytes too many. */
static inline void copy_blocks(char *to, const char *from, size_t size)
{
	size_t i = 0;

	/* Most arrays fit into one block, and records without arrays are not worth a branch. */
	do {
		memcpy(to + i, from + i, COLUMNS_SLACK);
		i += COLUMNS_SLACK;
	} while (__builtin_expect(i < size, 0));
}

static inline void put_word(char *to, uint64_t word)
{
	memcpy(to, &word, sizeof(word));
}

int columns_decode(struct columns_seqs *seqs, const void *data, size_t size, uint32_t n, void *raw)
{
	uint64_t words[WORDS][SQUARE], time = 0, id, begin, mask;
	struct decoder d = {.count = {0}};
	uint32_t i, k, fixed, len, *seq;
	const char *in = data, *arrays;
	char *to = raw;
	struct layout l;
	uint16_t type;

	memset(d.least, 0xff, sizeof(d.least));
	for (type = 0; type < VGR_TYPE_MAX; type++) {
		d.fixed[type] = rec_fixed_size(type);
		d.least[type] = d.fixed[type] ? d.fixed[type] : UINT32_MAX;
		d.begin_mask[type] = has_begin(type) ? UINT64_MAX : 0;
	}
	if ((size_t)n * HEAD > size || check_heads(&d, in, size, n))
		return -EPROTO;
	lay_out(&l, d.count, n);
	for (type = 0; type < VGR_TYPE_MAX; type++)
		d.from[type] = in + l.fixed[type];
	arrays = in + l.arrays;
	seqs_reset(seqs);
	for (i = 0; i < n; i++) {
		k = i % SQUARE;
		if (!k) {
			get_words(in + i, n, words[TYPE_SIZE]);
			get_words(in + i + 8 * (size_t)n, n, words[TIME]);
			get_words(in + i + 16 * (size_t)n, n, words[SEQ_CPU]);
			get_words(in + i + 24 * (size_t)n, n, words[REST]);
		}
		id = words[SEQ_CPU][k];
		seq = get_seq(seqs, (uint16_t)(id >> 32));
		*seq += (uint32_t)id + 1;
		time += words[TIME][k];
		put_word(to + 8 * TYPE_SIZE, words[TYPE_SIZE][k]);
		put_word(to + 8 * TIME, time);
		put_word(to + 8 * SEQ_CPU, id >> 32 << 32 | *seq);
		put_word(to + 8 * REST, words[REST][k]);

		/* That of the longest: what is too much is written over by what follows. */
		type = words[TYPE_SIZE][k] & 0xff;
		memcpy(to + HEAD, d.from[type], MAX_FIXED - HEAD);
		memcpy(&begin, d.from[type], sizeof(begin));
		mask = d.begin_mask[type];
		put_word(to + HEAD, (begin ^ mask) - mask + (time & mask));
		fixed = d.fixed[type];
		d.from[type] += fixed - HEAD;
		len = (uint32_t)(words[TYPE_SIZE][k] >> 32);
		copy_blocks(to + fixed, arrays, len - fixed);
		arrays += len - fixed;
		to += len;
	}
	return 0;
}
