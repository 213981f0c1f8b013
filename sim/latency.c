/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/latency.h>

#include "hist_inline.h"

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

static void block_finish(struct vgic_latency_block *b)
{
	for (unsigned int i = 0; i < PARTS; i++)
		free(b->part[i]);
	memset(b, 0, sizeof(*b));
}

void vgic_latency_finish(struct vgic_latency_series *s)
{
	for (size_t i = 0; s->blocks && i < BLOCKS; i++)
		block_finish(&s->blocks[i]);
	free(s->blocks);
	vgic_hist_finish(&s->hist);
	memset(s, 0, sizeof(*s));
}

/* ---- coarse buckets: 256 of width 1, then 128 for each further power of two ---- */

static unsigned int bucket_of(uint64_t ns)
{
	if (ns > VGIC_HIST_MAX)
		ns = VGIC_HIST_MAX;
	if (ns < 2 * PART)
		return (unsigned int)ns;
	unsigned int shift = 56 - (unsigned int)__builtin_clzll(ns);

	return (shift + 1) * PART + (unsigned int)(ns >> shift) - PART;
}

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

static void add_counts(uint32_t *to, const uint32_t *from)
{
	for (unsigned int i = 0; i < PART; i++)
		to[i] = to[i] + from[i] < to[i] ? UINT32_MAX : to[i] + from[i];
}

/* Takes all of from, which is empty afterwards. */
static void block_take(struct vgic_latency_block *to, struct vgic_latency_block *from)
{
	for (unsigned int i = 0; i < PARTS; i++) {
		if (!from->part[i])
			continue;
		if (to->part[i]) {
			add_counts(to->part[i], from->part[i]);
			continue;
		}
		to->part[i] = from->part[i];
		from->part[i] = NULL;
	}
	to->n += from->n;
	block_finish(from);
}

static int block_add(struct vgic_latency_block *to, const struct vgic_latency_block *from)
{
	for (unsigned int i = 0; i < PARTS; i++) {
		if (!from->part[i])
			continue;
		if (!to->part[i])
			to->part[i] = calloc(PART, sizeof(*to->part[i]));
		if (!to->part[i])
			return -ENOMEM;
		add_counts(to->part[i], from->part[i]);
	}
	to->n += from->n;
	return 0;
}

/* Each two neighbours become one. */
static void coarsen(struct vgic_latency_series *s)
{
	for (size_t i = 1; i < s->nr_blocks; i++)
		block_take(&s->blocks[i / 2], &s->blocks[i]);
	s->nr_blocks = (s->nr_blocks + 1) / 2;
	s->raises *= 2;
}

/* Blocks for one more raise, and the part of its block that a bucket is in. 0 or -ENOMEM. */
static __attribute__((noinline, cold)) int make_room(struct vgic_latency_series *s, uint64_t raise,
						     unsigned int bucket)
{
	uint32_t **part;

	while (raise / s->raises >= BLOCKS)
		coarsen(s);
	part = &s->blocks[raise / s->raises].part[bucket / PART];
	if (!*part)
		*part = calloc(PART, sizeof(**part));
	return *part ? 0 : -ENOMEM;
}

int vgic_latency_add(struct vgic_latency_series *s, uint64_t raise, uint64_t ns)
{
	/* A power of two. */
	unsigned int shift = (unsigned int)__builtin_ctzll(s->raises), bucket = bucket_of(ns);
	uint64_t at = raise >> shift;
	uint32_t *part;

	if (__builtin_expect(at >= BLOCKS || !s->blocks[at].part[bucket / PART], 0)) {
		if (make_room(s, raise, bucket))
			return -ENOMEM;
		return vgic_latency_add(s, raise, ns);
	}
	if (at >= s->nr_blocks)
		s->nr_blocks = (size_t)at + 1;
	part = &s->blocks[at].part[bucket / PART][bucket % PART];
	*part += *part < UINT32_MAX;
	s->blocks[at].n++;
	hist_add(&s->hist, ns);
	return 0;
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
		if (block_add(&sum.blocks[sum.nr_blocks - 1], &s->blocks[i]))
			goto fail;
	}
	for (size_t i = 0, first = sum.nr_blocks; i < other->nr_blocks; i++) {
		sum.nr_blocks = first + (size_t)(i / (raises / other->raises)) + 1;
		if (block_add(&sum.blocks[sum.nr_blocks - 1], &other->blocks[i]))
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
	uint32_t *sums; /* nr_buckets lines of nr_blocks */
	uint64_t *n;	/* by block */
	unsigned int *bucket;
	size_t nr_blocks, nr_buckets;
	uint32_t *weight;    /* how often each block was drawn */
	unsigned int *drawn; /* DRAWS for each percentile: lines */
};

static void bootstrap_finish(struct bootstrap *b)
{
	free(b->sums);
	free(b->n);
	free(b->bucket);
	free(b->weight);
	free(b->drawn);
}

static uint32_t count_of(const struct vgic_latency_series *s, size_t first, size_t group,
			 unsigned int bucket)
{
	uint32_t sum = 0;

	for (size_t i = first; i < first + group && i < s->nr_blocks; i++) {
		const uint32_t *part = s->blocks[i].part[bucket / PART];
		uint32_t n = part ? part[bucket % PART] : 0;

		sum = sum + n < sum ? UINT32_MAX : sum + n;
	}
	return sum;
}

static int bootstrap_init(struct bootstrap *b, const struct vgic_latency_series *s, size_t ps)
{
	size_t group = group_of(s);

	memset(b, 0, sizeof(*b));
	b->bucket = calloc(PART * PARTS, sizeof(*b->bucket));
	b->n = calloc(BLOCKS, sizeof(*b->n));
	b->weight = calloc(BLOCKS, sizeof(*b->weight));
	b->drawn = calloc(DRAWS * ps, sizeof(*b->drawn));
	if (!b->bucket || !b->n || !b->weight || !b->drawn)
		goto fail;
	for (unsigned int k = 0; k < PART * PARTS; k++)
		if (count_of(s, 0, s->nr_blocks, k))
			b->bucket[b->nr_buckets++] = k;
	b->sums = calloc(b->nr_buckets * BLOCKS, sizeof(*b->sums));
	if (!b->sums)
		goto fail;
	for (size_t i = 0; i < s->nr_blocks; i += group) {
		uint64_t n = 0;

		for (size_t k = 0; k < b->nr_buckets; k++) {
			n += count_of(s, i, group, b->bucket[k]);
			b->sums[k * BLOCKS + b->nr_blocks] =
				n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
		}
		b->n[b->nr_blocks] = n;
		/* One without a sample is none. */
		b->nr_blocks += n > 0;
	}
	return 0;
fail:
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

static uint64_t sum_up_to(const struct bootstrap *b, size_t line)
{
	const uint32_t *sums = &b->sums[line * BLOCKS];
	uint64_t sum = 0;

	for (size_t i = 0; i < b->nr_blocks; i++)
		sum += (uint64_t)sums[i] * b->weight[i];
	return sum;
}

/* The line with the p-quantile of what was drawn. */
static unsigned int line_of(const struct bootstrap *b, uint64_t total, double p)
{
	double rank = (double)total * p - 1e-6;
	size_t from = 0, to = b->nr_buckets - 1;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if ((double)sum_up_to(b, mid) < rank)
			from = mid + 1;
		else
			to = mid;
	}
	return (unsigned int)from;
}

static int compare(const void *pa, const void *pb)
{
	unsigned int a = *(const unsigned int *)pa, b = *(const unsigned int *)pb;

	return (a > b) - (a < b);
}

static void draw_all(struct bootstrap *b, const double *ps, size_t nr,
		     const struct vgic_percentile *wanted)
{
	uint64_t state = FIRST_RANDOM;

	for (unsigned int d = 0; d < DRAWS; d++) {
		uint64_t total = 0;

		memset(b->weight, 0, BLOCKS * sizeof(*b->weight));
		for (size_t i = 0; i < b->nr_blocks; i++) {
			size_t k = (size_t)(random64(&state) % b->nr_blocks);

			b->weight[k]++;
			total += b->n[k];
		}
		for (size_t i = 0; i < nr; i++)
			if (wanted[i].known)
				b->drawn[i * DRAWS + d] = line_of(b, total, ps[i]);
	}
	for (size_t i = 0; i < nr; i++)
		qsort(&b->drawn[i * DRAWS], DRAWS, sizeof(*b->drawn), compare);
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
	if (bootstrap_init(&b, s, n))
		return -ENOMEM;
	draw_all(&b, ps, n, out);
	for (size_t i = 0; i < n; i++) {
		const unsigned int *drawn = &b.drawn[i * DRAWS];
		uint64_t low = lowest_of(b.bucket[drawn[cut]]);
		uint64_t high = highest_of(b.bucket[drawn[DRAWS - 1 - cut]]);

		if (!out[i].known)
			continue;
		out[i].value = vgic_hist_quantile(h, ps[i]);
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
