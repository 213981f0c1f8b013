/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "hist_inline.h"

#define LINEAR HIST_LINEAR
#define HALF   HIST_HALF

int vgic_hist_init(struct vgic_hist *h)
{
	*h = (struct vgic_hist){0};
	h->count = calloc(VGIC_HIST_BUCKETS, sizeof(*h->count));
	return h->count ? 0 : -ENOMEM;
}

void vgic_hist_finish(struct vgic_hist *h)
{
	free(h->count);
	*h = (struct vgic_hist){0};
}

size_t vgic_hist_bucket(uint64_t value)
{
	return hist_bucket(value);
}

static unsigned int shift_of(size_t bucket)
{
	return bucket < LINEAR ? 0 : (unsigned int)((bucket - LINEAR) / HALF) + 1;
}

uint64_t vgic_hist_lowest(size_t bucket)
{
	unsigned int shift = shift_of(bucket);

	if (!shift)
		return bucket;
	return (HALF + (bucket - LINEAR) % HALF) << shift;
}

uint64_t vgic_hist_highest(size_t bucket)
{
	return vgic_hist_lowest(bucket) + (1ull << shift_of(bucket)) - 1;
}

void vgic_hist_add(struct vgic_hist *h, uint64_t value)
{
	hist_add(h, value);
}

void vgic_hist_merge(struct vgic_hist *h, const struct vgic_hist *other)
{
	if (!other->n)
		return;
	for (size_t i = 0; i < VGIC_HIST_BUCKETS; i++)
		h->count[i] += other->count[i];
	if (!h->n || other->min < h->min)
		h->min = other->min;
	if (other->max > h->max)
		h->max = other->max;
	h->sum += other->sum;
	h->n += other->n;
}

uint64_t vgic_hist_quantile(const struct vgic_hist *h, double p)
{
	if (!h->n)
		return 0;
	double exact = p * (double)h->n;
	uint64_t rank = (uint64_t)exact;
	uint64_t seen = 0;

	if ((double)rank < exact || !rank)
		rank++;
	for (size_t i = 0; i < VGIC_HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= rank) {
			uint64_t v = vgic_hist_highest(i);

			return v < h->max ? v : h->max;
		}
	}
	return h->max;
}

uint64_t vgic_hist_mean(const struct vgic_hist *h)
{
	return h->n ? h->sum / h->n : 0;
}
