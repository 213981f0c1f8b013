/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histogram of durations with three significant decimal digits (HDR): every
 * value is counted in a bucket at most 1/1024 as wide as the value itself. Count,
 * minimum, maximum and mean are exact.
 */
#ifndef VGICSIM_HIST_H
#define VGICSIM_HIST_H

#include <stddef.h>
#include <stdint.h>

/* Longest duration counted in a bucket of its own: 2^42 ns (73 minutes). */
#define VGIC_HIST_MAX	  ((1ull << 42) - 1)
/* Buckets: 2048 of width 1, then 1024 for each further power of two. */
#define VGIC_HIST_BUCKETS (2048u + 31u * 1024u)

struct vgic_hist {
	uint64_t n;
	uint64_t min, max; /* ns; 0 if n is 0 */
	uint64_t sum;	   /* ns */
	uint64_t *count;   /* VGIC_HIST_BUCKETS of them */
};

/* Makes an empty histogram. 0 or -ENOMEM. */
int vgic_hist_init(struct vgic_hist *h);
/* Frees; fine on a zeroed structure. */
void vgic_hist_finish(struct vgic_hist *h);

/* Counts one value in ns; values above VGIC_HIST_MAX go to the last bucket. */
void vgic_hist_add(struct vgic_hist *h, uint64_t value);

/* Adds what other counted: as if every one of its values had been counted here too. */
void vgic_hist_merge(struct vgic_hist *h, const struct vgic_hist *other);

/* Bucket of a value, and the smallest and largest value of a bucket. */
size_t vgic_hist_bucket(uint64_t value);
uint64_t vgic_hist_lowest(size_t bucket);
uint64_t vgic_hist_highest(size_t bucket);

/*
 * Smallest bucket value (highest equivalent, at most max) that at least
 * ceil(p * n) values do not exceed. 0 < p <= 1. 0 if the histogram is empty.
 */
uint64_t vgic_hist_quantile(const struct vgic_hist *h, double p);

/* Mean in ns, rounded down; 0 if empty. */
uint64_t vgic_hist_mean(const struct vgic_hist *h);

#endif
