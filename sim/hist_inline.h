/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting in a histogram, for those who do it all the time. */
#ifndef VGICSIM_HIST_INLINE_H
#define VGICSIM_HIST_INLINE_H

#include <vgicsim/hist.h>

#define HIST_LINEAR_BITS 11u
#define HIST_LINEAR	 (1ull << HIST_LINEAR_BITS)
#define HIST_HALF	 (HIST_LINEAR / 2)

static inline size_t hist_bucket(uint64_t value)
{
	unsigned int shift;

	if (__builtin_expect(value > VGIC_HIST_MAX, 0))
		value = VGIC_HIST_MAX;
	/* Much is as short as that. */
	if (value < HIST_HALF)
		return (size_t)value;
	/* 0 for all that is linear; each further power of two has HIST_HALF buckets more. */
	shift = 64 - HIST_LINEAR_BITS - (unsigned int)__builtin_clzll(value);
	return shift * HIST_HALF + (size_t)(value >> shift);
}

static inline void hist_add(struct vgic_hist *h, uint64_t value)
{
	h->count[hist_bucket(value)]++;
	if (value < h->min || !h->n)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->sum += value;
	h->n++;
}

#endif
