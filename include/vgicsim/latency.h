/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Latencies of one kind in order of their raises: a histogram, and how it is made
 * up of blocks of neighbours, from which the uncertainty of a percentile comes.
 * Histograms are merged; percentiles are never averaged.
 */
#ifndef VGICSIM_LATENCY_H
#define VGICSIM_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/hist.h>

/* A percentile p of n samples is known only if n * (1 - p) is at least this. */
#define VGIC_LATENCY_BEYOND 10u
/* Samples drawn anew for an interval, and its share: from 2.5 % to 97.5 % of them. */
#define VGIC_LATENCY_DRAWS  1000u
#define VGIC_LATENCY_SHARE  0.95
/* Blocks kept at most. When they are used up, each two neighbours become one. */
#define VGIC_LATENCY_BLOCKS 128u

/* What a block counts is coarser than the histogram: 128 buckets for each power of two. */
#define VGIC_LATENCY_PART  128u
#define VGIC_LATENCY_PARTS 36u

struct vgic_latency_block {
	uint64_t n;
	uint32_t *part[VGIC_LATENCY_PARTS]; /* counts by power of two; NULL: none */
	size_t packed_at;		    /* where its counts begin in a packed series */
};

struct vgic_latency_series {
	struct vgic_hist hist;
	uint64_t raises; /* in a block: a power of two */
	size_t nr_blocks;
	struct vgic_latency_block *blocks; /* VGIC_LATENCY_BLOCKS of them */
	/* The one that was added to last: of nr_current raises from first on; 0: none. */
	struct vgic_latency_block *current;
	uint64_t first, nr_current;
	uint8_t *packed; /* NULL: the counts are in the blocks' parts */
	size_t packed_size;
};

/* Makes an empty series. 0 or -ENOMEM. */
int vgic_latency_init(struct vgic_latency_series *s);
/* Frees; fine on a zeroed structure. */
void vgic_latency_finish(struct vgic_latency_series *s);

/* Counts a latency in ns of the raise with this number, from 0; in any order. 0 or -ENOMEM. */
int vgic_latency_add(struct vgic_latency_series *s, uint64_t raise, uint64_t ns);

/* Many of them: the same as one by one, and quicker. 0, or -ENOMEM and s has some of them. */
struct vgic_latency_sample {
	uint64_t raise, ns;
};
int vgic_latency_add_all(struct vgic_latency_series *s, const struct vgic_latency_sample *v,
			 size_t n);

/*
 * Adds what other has, as if its raises had come after those of s. The histogram is
 * the one that counting all together gives. 0, or -ENOMEM and s is as good as before.
 */
int vgic_latency_merge(struct vgic_latency_series *s, const struct vgic_latency_series *other);

/*
 * Keeps a series that is not added to any more in less memory: two or three bytes for each count
 * that is not 0, instead of 512 for each part. It says the same as before, and adding to it
 * unpacks it. 0, or -ENOMEM and it is as it was.
 */
int vgic_latency_pack(struct vgic_latency_series *s);

/*
 * Counts n samples, one at least, in an empty series, which is packed then: quicker than both one
 * after the other if they are few. 0, or -ENOMEM and it is empty.
 */
int vgic_latency_pack_all(struct vgic_latency_series *s, const struct vgic_latency_sample *v,
			  size_t n);

/* Whether n samples are enough for percentile p, 0 < p < 1. */
bool vgic_latency_enough(uint64_t n, double p);

/*
 * The smallest value that a share p of the samples does not exceed (nearest rank),
 * with its 95 % interval [low, high] in ns: the central 95 % of the percentile in
 * VGIC_LATENCY_DRAWS samples that are put together of the series' blocks, drawn with
 * replacement (fixed blocks, Carlstein). Neighbours stay together, so that a burst
 * counts as what it is: one event. Ends are rounded outwards to 1/128.
 * known is false, and all else 0, where n is too small.
 */
struct vgic_percentile {
	bool known;
	uint64_t value, low, high;
};

/* n of them at once, ps in any order. The same series gives the same. 0 or -ENOMEM. */
int vgic_latency_percentiles(const struct vgic_latency_series *s, const double *ps, size_t n,
			     struct vgic_percentile *out);
int vgic_latency_percentile(const struct vgic_latency_series *s, double p,
			    struct vgic_percentile *out);

/*
 * Samples in a block of the interval, on average: a power of two, at least the square
 * root of n, but such that there are at least 16 blocks if n allows it; more than
 * that where the series has few blocks left. 0 if the series is empty.
 */
uint64_t vgic_latency_block_length(const struct vgic_latency_series *s);

/* The percentiles that tables and result files have, and their names. */
#define VGIC_LATENCY_PERCENTILES 7u
extern const double vgic_latency_p[VGIC_LATENCY_PERCENTILES];
extern const char *const vgic_latency_p_name[VGIC_LATENCY_PERCENTILES];

#endif
