/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hist_inline.h"
#include "latency_log.h"

#define PART	     VGIC_LATENCY_PART
#define PARTS	     VGIC_LATENCY_PARTS
#define BLOCKS	     VGIC_LATENCY_BLOCKS
#define DRAWS	     VGIC_LATENCY_DRAWS
#define LEAST	     16u /* blocks of an interval, if there are as many samples */
#define FIRST_RANDOM 0x76676963u

const double vgic_latency_p[VGIC_LATENCY_PERCENTILES] = {
	0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999,
};

const char *const vgic_latency_p_name[VGIC_LATENCY_PERCENTILES] = {
	"p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999",
};

int vgic_latency_init(struct vgic_latency_series *s)
{
	memset(s, 0, sizeof(*s));
	s->raises = 1;
	s->blocks = calloc(BLOCKS, sizeof(*s->blocks));
	if (!s->blocks || vgic_hist_init(&s->hist)) {
		vgic_latency_finish(s);
		return -ENOMEM;
	}
	return 0;
}

static void free_parts(struct vgic_latency_block *b)
{
	for (unsigned int i = 0; i < PARTS; i++) {
		free(b->part[i]);
		b->part[i] = NULL;
	}
}

void vgic_latency_finish(struct vgic_latency_series *s)
{
	/* Those of a packed series have none. */
	for (size_t i = 0; !s->packed && i < s->nr_blocks; i++)
		free_parts(&s->blocks[i]);
	free(s->blocks);
	free(s->packed);
	vgic_hist_finish(&s->hist);
	memset(s, 0, sizeof(*s));
}

/* ---- coarse buckets: 256 of width 1, then 128 for each further power of two ---- */

/* For what the histogram counts in fine: it has eight buckets for one of these, or one a ns. */
static inline unsigned int bucket_of(size_t fine)
{
	unsigned int shift;

	if (fine >= HIST_HALF)
		return 3 * PART + (unsigned int)(fine / 8);
	/* 0 for the first 2 * PART. */
	shift = 24 - (unsigned int)__builtin_clz((unsigned int)fine | PART);
	return shift * PART + ((unsigned int)fine >> shift);
}

_Static_assert(HIST_HALF == 8 * PART && PART == 128, "one follows from the other");

static uint64_t lowest_of(unsigned int bucket)
{
	if (bucket < 2 * PART)
		return bucket;
	return (uint64_t)(PART + bucket % PART) << (bucket / PART - 1);
}

static uint64_t highest_of(unsigned int bucket)
{
	return bucket + 1 == PART * PARTS ? UINT64_MAX : lowest_of(bucket + 1) - 1;
}

/* ---- blocks ---- */

static void add_count(uint32_t *to, uint32_t n)
{
	*to = *to + n < n ? UINT32_MAX : *to + n;
}

static void add_counts(uint32_t *restrict to, const uint32_t *restrict from)
{
	for (unsigned int i = 0; i < PART; i++)
		add_count(&to[i], from[i]);
}

/* The same where no sum can be too large: several at a time. */
static void add_small_counts(uint32_t *restrict to, const uint32_t *restrict from)
{
	for (unsigned int i = 0; i < PART; i++)
		to[i] += from[i];
}

/* Takes all of from, which is empty afterwards. */
static void block_take(struct vgic_latency_block *to, struct vgic_latency_block *from)
{
	bool small = to->n + from->n <= UINT32_MAX;

	for (unsigned int i = 0; i < PARTS; i++) {
		if (!from->part[i])
			continue;
		if (!to->part[i]) {
			to->part[i] = from->part[i];
		} else {
			if (small)
				add_small_counts(to->part[i], from->part[i]);
			else
				add_counts(to->part[i], from->part[i]);
			free(from->part[i]);
		}
		from->part[i] = NULL;
	}
	to->n += from->n;
	from->n = 0;
}

static int need_part(struct vgic_latency_block *b, unsigned int part)
{
	if (!b->part[part])
		b->part[part] = calloc(PART, sizeof(*b->part[part]));
	return b->part[part] ? 0 : -ENOMEM;
}

/*
 * A packed block is a list of its counts that are not 0: how many buckets further, and how many
 * samples, each in seven bits a byte, the lowest first, with bit 7 set in all but the last.
 */
static size_t put_number(uint8_t *to, uint32_t x)
{
	size_t n = 0;

	for (; x >= 0x80; x >>= 7, n++)
		if (to)
			to[n] = (uint8_t)(x | 0x80);
	if (to)
		to[n] = (uint8_t)x;
	return n + 1;
}

static uint32_t get_number(const uint8_t **at)
{
	uint32_t x = 0;

	for (unsigned int shift = 0;; shift += 7) {
		uint8_t byte = *(*at)++;

		x |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return x;
	}
}

/* The counts of a block, into to or only measured. Returns bytes. */
static size_t pack_block(const struct vgic_latency_block *b, uint8_t *to)
{
	unsigned int last = 0;
	size_t size = 0;

	for (unsigned int k = 0; k < PART * PARTS; k++) {
		uint32_t n = b->part[k / PART] ? b->part[k / PART][k % PART] : 0;

		if (!n)
			continue;
		size += put_number(to ? to + size : NULL, k - last);
		size += put_number(to ? to + size : NULL, n);
		last = k;
	}
	return size;
}

/* The counts of a packed block, one after the other. */
struct unpacker {
	const uint8_t *at, *end;
	unsigned int bucket;
	uint32_t n;
};

static struct unpacker unpacker_of(const struct vgic_latency_series *s, size_t block)
{
	size_t end = block + 1 < s->nr_blocks ? s->blocks[block + 1].packed_at : s->packed_size;

	return (struct unpacker){.at = s->packed + s->blocks[block].packed_at,
				 .end = s->packed + end};
}

static bool unpacker_next(struct unpacker *u)
{
	if (u->at == u->end)
		return false;
	u->bucket += get_number(&u->at);
	u->n = get_number(&u->at);
	return true;
}

/* Adds a packed block's counts to the parts of another one. */
static int add_packed(struct vgic_latency_block *to, const struct vgic_latency_series *s,
		      size_t block)
{
	struct unpacker u = unpacker_of(s, block);

	while (unpacker_next(&u)) {
		if (need_part(to, u.bucket / PART))
			return -ENOMEM;
		add_count(&to->part[u.bucket / PART][u.bucket % PART], u.n);
	}
	return 0;
}

static int block_add(struct vgic_latency_block *to, const struct vgic_latency_series *s,
		     size_t block)
{
	const struct vgic_latency_block *from = &s->blocks[block];

	if (s->packed && add_packed(to, s, block))
		return -ENOMEM;
	for (unsigned int i = 0; i < PARTS; i++) {
		if (!from->part[i])
			continue;
		if (need_part(to, i))
			return -ENOMEM;
		add_counts(to->part[i], from->part[i]);
	}
	to->n += from->n;
	return 0;
}

int vgic_latency_pack(struct vgic_latency_series *s)
{
	size_t size = 0;

	if (s->packed)
		return 0;
	s->nr_current = 0;
	for (size_t i = 0; i < s->nr_blocks; i++)
		size += pack_block(&s->blocks[i], NULL);
	if (!size)
		return 0;
	s->packed = malloc(size);
	if (!s->packed)
		return -ENOMEM;
	s->packed_size = 0;
	for (size_t i = 0; i < s->nr_blocks; i++) {
		struct vgic_latency_block *b = &s->blocks[i];

		b->packed_at = s->packed_size;
		s->packed_size += pack_block(b, s->packed + s->packed_size);
		free_parts(b);
	}
	return 0;
}

static int unpack(struct vgic_latency_series *s)
{
	size_t i = 0;

	while (i < s->nr_blocks && !add_packed(&s->blocks[i], s, i))
		i++;
	if (i < s->nr_blocks) {
		do
			free_parts(&s->blocks[i]);
		while (i--);
		return -ENOMEM;
	}
	free(s->packed);
	s->packed = NULL;
	s->packed_size = 0;
	return 0;
}

/* Each two neighbours become one. */
static void coarsen(struct vgic_latency_series *s)
{
	s->nr_current = 0;
	for (size_t i = 1; i < s->nr_blocks; i++)
		block_take(&s->blocks[i / 2], &s->blocks[i]);
	s->nr_blocks = (s->nr_blocks + 1) / 2;
	s->raises *= 2;
}

/* So that there is a block for this raise. */
static int make_room(struct vgic_latency_series *s, uint64_t raise)
{
	if (s->packed && unpack(s))
		return -ENOMEM;
	while (raise / s->raises >= BLOCKS)
		coarsen(s);
	return 0;
}

/* The block of this raise becomes the current one, with this part. 0 or -ENOMEM. */
static __attribute__((noinline, cold)) int turn_to(struct vgic_latency_series *s, uint64_t raise,
						   unsigned int part)
{
	size_t at;

	if (make_room(s, raise))
		return -ENOMEM;
	at = (size_t)(raise / s->raises);
	if (need_part(&s->blocks[at], part))
		return -ENOMEM;
	if (at >= s->nr_blocks)
		s->nr_blocks = at + 1;
	s->current = &s->blocks[at];
	s->first = at * s->raises;
	s->nr_current = s->raises;
	return 0;
}

int vgic_latency_add(struct vgic_latency_series *s, uint64_t raise, uint64_t ns)
{
	return vgic_latency_add_all(s, &(struct vgic_latency_sample){raise, ns}, 1);
}

/* As many as there are for the current block, if it has their parts. Returns how many. */
static size_t count_run(struct vgic_latency_series *s, const struct vgic_latency_sample *v,
			size_t n)
{
	struct vgic_latency_block *b = s->current;
	const uint64_t first = s->first, nr = s->nr_current;
	struct vgic_hist h = s->hist;
	size_t i = 0;

	if (!h.n)
		h.min = UINT64_MAX;
	for (; i < n && v[i].raise - first < nr; i++) {
		uint64_t ns = v[i].ns;
		size_t fine = hist_bucket(ns);
		unsigned int bucket = bucket_of(fine);
		uint32_t *part = b->part[bucket / PART];

		if (__builtin_expect(!part, 0))
			break;
		/* What is full stays so. */
		part[bucket % PART] += part[bucket % PART] < UINT32_MAX;
		h.count[fine]++;
		h.sum += ns;
		h.min = ns < h.min ? ns : h.min;
		h.max = ns > h.max ? ns : h.max;
	}
	if (!i)
		return 0;
	b->n += i;
	h.n += i;
	s->hist = h;
	return i;
}

int vgic_latency_add_all(struct vgic_latency_series *s, const struct vgic_latency_sample *v,
			 size_t n)
{
	/* They come nearly in order: what the last one needs is enough for most of them. */
	if (n && make_room(s, v[n - 1].raise))
		return -ENOMEM;
	for (size_t i = 0; i < n; i += count_run(s, v + i, n - i))
		if (turn_to(s, v[i].raise, bucket_of(hist_bucket(v[i].ns)) / PART))
			return -ENOMEM;
	return 0;
}

/* A sample that is to be packed: its block above its bucket. By digits of ten bits, two of them. */
#define BUCKET_BITS 13u
#define DIGIT	    1024u

_Static_assert(PART *PARTS <= 1u << BUCKET_BITS && BLOCKS << BUCKET_BITS == DIGIT * DIGIT,
	       "two digits hold it");

/* From one into the other, by the digit that is shift bits up. */
static void sort_by_digit(const uint32_t *from, uint32_t *to, size_t n, unsigned int shift)
{
	size_t at[DIGIT + 1] = {0};

	for (size_t i = 0; i < n; i++)
		at[(from[i] >> shift) % DIGIT + 1]++;
	for (unsigned int k = 1; k < DIGIT; k++)
		at[k] += at[k - 1];
	for (size_t i = 0; i < n; i++)
		to[at[(from[i] >> shift) % DIGIT]++] = from[i];
}

/* As pack_block(), of those in ascending order that are of the block. Returns how many. */
static size_t pack_samples(struct vgic_latency_series *s, uint32_t block, const uint32_t *v,
			   size_t n)
{
	uint32_t last = block << BUCKET_BITS;
	size_t i = 0;

	s->blocks[block].packed_at = s->packed_size;
	while (i < n && v[i] >> BUCKET_BITS == block) {
		size_t first = i++;

		while (i < n && v[i] == v[first])
			i++;
		s->packed_size += put_number(s->packed + s->packed_size, v[first] - last);
		s->packed_size += put_number(s->packed + s->packed_size, (uint32_t)(i - first));
		last = v[first];
	}
	s->blocks[block].n = i;
	return i;
}

int vgic_latency_pack_all(struct vgic_latency_series *s, const struct vgic_latency_sample *v,
			  size_t n)
{
	uint32_t *a = malloc(n * sizeof(*a)), *b = malloc(n * sizeof(*b));
	unsigned int shift;
	uint64_t last = 0;

	/* A bucket takes two bytes, and how many samples it has no more than five. */
	s->packed = malloc(n * 7);
	if (!a || !b || !s->packed) {
		free(a);
		free(b);
		free(s->packed);
		s->packed = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		last = v[i].raise > last ? v[i].raise : last;
	while (last / s->raises >= BLOCKS)
		s->raises *= 2;
	shift = (unsigned int)__builtin_ctzll(s->raises);
	s->nr_blocks = (size_t)(last >> shift) + 1;
	for (size_t i = 0; i < n; i++) {
		size_t fine = hist_bucket(v[i].ns);

		a[i] = (uint32_t)(v[i].raise >> shift) << BUCKET_BITS | bucket_of(fine);
		hist_add(&s->hist, v[i].ns);
	}
	sort_by_digit(a, b, n, 0);
	sort_by_digit(b, a, n, 10);
	for (uint32_t k = 0, at = 0; k < s->nr_blocks; k++)
		at += (uint32_t)pack_samples(s, k, a + at, n - at);
	free(a);
	free(b);
	return 0;
}

int latency_log_flush(struct latency_log *l)
{
	size_t n = (size_t)(l->next - l->v);

	l->next = l->v;
	return vgic_latency_add_all(l->to, l->v, n);
}

int latency_log_end(struct latency_log *l)
{
	size_t n = (size_t)(l->next - l->v);

	if (!n || l->to->hist.n)
		return latency_log_flush(l);
	l->next = l->v;
	return vgic_latency_pack_all(l->to, l->v, n);
}

int vgic_latency_merge(struct vgic_latency_series *s, const struct vgic_latency_series *other)
{
	struct vgic_latency_series sum;
	uint64_t raises = s->raises > other->raises ? s->raises : other->raises;

	if (vgic_latency_init(&sum))
		return -ENOMEM;
	/* As many in a block as it takes for both to have room. */
	for (;; raises *= 2) {
		uint64_t a = raises / s->raises, b = raises / other->raises;

		if ((s->nr_blocks + a - 1) / a + (other->nr_blocks + b - 1) / b <= BLOCKS)
			break;
	}
	sum.raises = raises;
	for (size_t i = 0; i < s->nr_blocks; i++) {
		sum.nr_blocks = (size_t)(i / (raises / s->raises)) + 1;
		if (block_add(&sum.blocks[sum.nr_blocks - 1], s, i))
			goto fail;
	}
	for (size_t i = 0, first = sum.nr_blocks; i < other->nr_blocks; i++) {
		sum.nr_blocks = first + (size_t)(i / (raises / other->raises)) + 1;
		if (block_add(&sum.blocks[sum.nr_blocks - 1], other, i))
			goto fail;
	}
	vgic_hist_merge(&sum.hist, &s->hist);
	vgic_hist_merge(&sum.hist, &other->hist);
	vgic_latency_finish(s);
	*s = sum;
	return 0;
fail:
	vgic_latency_finish(&sum);
	return -ENOMEM;
}

/* ---- percentiles ---- */

bool vgic_latency_enough(uint64_t n, double p)
{
	/* A hair of room: 100 * (1 - 0.9) is a little less than 10 in binary. */
	return (double)n * (1 - p) >= VGIC_LATENCY_BEYOND - 1e-6;
}

/* How many blocks of the series make one of the interval. */
static size_t group_of(const struct vgic_latency_series *s)
{
	double n = (double)s->hist.n, length = 1, per_block = n / (double)s->nr_blocks;
	size_t group = 1;

	while (length * length < n)
		length *= 2;
	while (length > 1 && length * LEAST > n)
		length /= 2;
	while ((double)group * per_block * 1.5 < length && group * LEAST * 2 <= s->nr_blocks)
		group *= 2;
	return group;
}

uint64_t vgic_latency_block_length(const struct vgic_latency_series *s)
{
	if (!s->hist.n)
		return 0;
	size_t group = group_of(s), blocks = 0;

	for (size_t i = 0; i < s->nr_blocks; i += group) {
		uint64_t n = 0;

		for (size_t k = i; k < i + group && k < s->nr_blocks; k++)
			n += s->blocks[k].n;
		blocks += n > 0;
	}
	return (s->hist.n + blocks / 2) / blocks;
}

/* The blocks as columns, the buckets in use as lines; each number counts all lines up to it. */
struct bootstrap {
	uint32_t *sums; /* nr_buckets lines of BLOCKS */
	uint64_t *n;	/* by block */
	unsigned int *bucket;
	size_t nr_blocks, nr_buckets;
	uint32_t *weight; /* DRAWS lines of BLOCKS: how often each block was drawn */
	uint64_t *total;  /* samples of each draw */
	uint16_t *draws;  /* those still looked at */
};

static void bootstrap_finish(struct bootstrap *b)
{
	free(b->sums);
	free(b->n);
	free(b->bucket);
	free(b->weight);
	free(b->total);
	free(b->draws);
}

/* What nr blocks have counted, first the first of them, by bucket. */
static void count(const struct vgic_latency_series *s, size_t first, size_t nr, uint32_t *counts)
{
	memset(counts, 0, PART * PARTS * sizeof(*counts));
	for (size_t i = first; i < first + nr && i < s->nr_blocks; i++) {
		if (s->packed) {
			struct unpacker u = unpacker_of(s, i);

			while (unpacker_next(&u))
				add_count(&counts[u.bucket], u.n);
			continue;
		}
		for (unsigned int k = 0; k < PARTS; k++)
			if (s->blocks[i].part[k])
				add_counts(&counts[k * PART], s->blocks[i].part[k]);
	}
}

static int bootstrap_init(struct bootstrap *b, const struct vgic_latency_series *s)
{
	uint32_t *counts = calloc(PART * PARTS, sizeof(*counts));
	size_t group = group_of(s);

	memset(b, 0, sizeof(*b));
	b->bucket = calloc(PART * PARTS, sizeof(*b->bucket));
	b->n = calloc(BLOCKS, sizeof(*b->n));
	b->weight = calloc(DRAWS * BLOCKS, sizeof(*b->weight));
	b->total = calloc(DRAWS, sizeof(*b->total));
	b->draws = calloc(DRAWS, sizeof(*b->draws));
	if (!counts || !b->bucket || !b->n || !b->weight || !b->total || !b->draws)
		goto fail;
	count(s, 0, s->nr_blocks, counts);
	for (unsigned int k = 0; k < PART * PARTS; k++)
		if (counts[k])
			b->bucket[b->nr_buckets++] = k;
	b->sums = calloc(b->nr_buckets * BLOCKS, sizeof(*b->sums));
	if (!b->sums)
		goto fail;
	for (size_t i = 0; i < s->nr_blocks; i += group) {
		uint64_t n = 0;

		count(s, i, group, counts);
		for (size_t k = 0; k < b->nr_buckets; k++) {
			n += counts[b->bucket[k]];
			b->sums[k * BLOCKS + b->nr_blocks] =
				n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
		}
		b->n[b->nr_blocks] = n;
		/* One without a sample is none. */
		b->nr_blocks += n > 0;
	}
	free(counts);
	return 0;
fail:
	free(counts);
	bootstrap_finish(b);
	return -ENOMEM;
}

static uint64_t random64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void draw_all(struct bootstrap *b)
{
	uint64_t state = FIRST_RANDOM;

	for (unsigned int d = 0; d < DRAWS; d++) {
		for (size_t i = 0; i < b->nr_blocks; i++) {
			size_t k = (size_t)(random64(&state) % b->nr_blocks);

			b->weight[d * BLOCKS + k]++;
			b->total[d] += b->n[k];
		}
	}
}

/* Blocks that are added up at a time. */
#define STRIDE 16u

/* How many samples of draw d lie on this line or before. */
static uint64_t sum_up_to(const struct bootstrap *b, unsigned int d, size_t line)
{
	const uint32_t *sums = &b->sums[line * BLOCKS], *weight = &b->weight[d * BLOCKS];
	uint64_t sum = 0;

	for (size_t k = 0; k < b->nr_blocks; k += STRIDE, sums += STRIDE, weight += STRIDE)
		for (unsigned int i = 0; i < STRIDE; i++)
			sum += (uint64_t)sums[i] * weight[i];
	return sum;
}

/*
 * In each draw the p-quantile lies on some line: the place-th smallest, from 0, of these lines.
 * Each look at a line tells on which side of it the quantiles lie, and leaves only the draws
 * of the side that the answer is on: few, for the ends of an interval are far out. near: a
 * line to begin with.
 */
static size_t nth_line(struct bootstrap *b, double p, size_t place, size_t near)
{
	size_t from = 0, to = b->nr_buckets - 1, nr = DRAWS, line = near, step = 1;
	bool from_open = true, to_open = true;

	for (unsigned int d = 0; d < DRAWS; d++)
		b->draws[d] = (uint16_t)d;
	while (from < to) {
		size_t low = 0, high = nr;

		/* Those on the line or before it to the front. */
		while (low < high) {
			unsigned int d = b->draws[low];
			double rank = (double)b->total[d] * p - 1e-6;

			if ((double)sum_up_to(b, d, line) >= rank) {
				low++;
				continue;
			}
			b->draws[low] = b->draws[--high];
			b->draws[high] = (uint16_t)d;
		}
		if (place < low) {
			nr = low;
			to = line;
			to_open = false;
		} else {
			memmove(b->draws, &b->draws[low], (nr - low) * sizeof(*b->draws));
			nr -= low;
			place -= low;
			from = line + 1;
			from_open = false;
		}
		/* Away from near in growing steps, until the answer is between two lines. */
		if (from_open != to_open)
			step *= 2;
		if (from_open)
			line = to - from > step ? to - step : from;
		else if (to_open)
			line = to - from > step ? from + step : to - 1;
		else
			line = (from + to) / 2;
	}
	return from;
}

/* The last line in use that begins at ns or before. */
static size_t line_at(const struct bootstrap *b, uint64_t ns)
{
	unsigned int bucket = bucket_of(hist_bucket(ns));
	size_t from = 0, to = b->nr_buckets - 1;

	while (from < to) {
		size_t mid = (from + to + 1) / 2;

		if (b->bucket[mid] <= bucket)
			from = mid;
		else
			to = mid - 1;
	}
	return from < b->nr_buckets - 1 || !from ? from : from - 1;
}

int vgic_latency_percentiles(const struct vgic_latency_series *s, const double *ps, size_t n,
			     struct vgic_percentile *out)
{
	const struct vgic_hist *h = &s->hist;
	const size_t cut = (size_t)(DRAWS * (1 - VGIC_LATENCY_SHARE) / 2);
	struct bootstrap b;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		out[i] = (struct vgic_percentile){.known = vgic_latency_enough(h->n, ps[i])};
		any |= out[i].known;
	}
	if (!any)
		return 0;
	if (bootstrap_init(&b, s))
		return -ENOMEM;
	draw_all(&b);
	for (size_t i = 0; i < n; i++) {
		uint64_t low, high;
		size_t near;

		if (!out[i].known)
			continue;
		out[i].value = vgic_hist_quantile(h, ps[i]);
		near = line_at(&b, out[i].value);
		low = lowest_of(b.bucket[nth_line(&b, ps[i], cut, near)]);
		high = highest_of(b.bucket[nth_line(&b, ps[i], DRAWS - 1 - cut, near)]);
		out[i].low = low < h->min ? h->min : low;
		out[i].high = high > h->max ? h->max : high;
		if (out[i].low > out[i].value)
			out[i].low = out[i].value;
		if (out[i].high < out[i].value)
			out[i].high = out[i].value;
	}
	bootstrap_finish(&b);
	return 0;
}

int vgic_latency_percentile(const struct vgic_latency_series *s, double p,
			    struct vgic_percentile *out)
{
	return vgic_latency_percentiles(s, &p, 1, out);
}
