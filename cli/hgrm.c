// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>
#include <vgicsim/outfile.h>
#include "hgrm.h"

/* Lines for each halving of what is left to 100 %. */
#define TICKS 5

static double us(double ns)
{
	return ns / 1000;
}

static uint64_t value_of(const struct vgic_hist *h, size_t bucket)
{
	uint64_t v = vgic_hist_highest(bucket);

	return v < h->max ? v : h->max;
}

static double deviation(const struct vgic_hist *h)
{
	double mean = (double)h->sum / (double)h->n, sum = 0;

	for (size_t i = 0; i < VGIC_HIST_BUCKETS; i++) {
		double mid = ((double)vgic_hist_lowest(i) + (double)value_of(h, i)) / 2;

		if (h->count[i])
			sum += (double)h->count[i] * (mid - mean) * (mid - mean);
	}
	return sqrt(sum / (double)h->n);
}

/* From this percentile to the next line's: half the distance to 100 % in TICKS steps. */
static double step_from(double percentile)
{
	double halves = 2, left = 100 / (100 - percentile);

	for (; left >= 2; left /= 2)
		halves *= 2;
	return 100 / (TICKS * halves);
}

void hgrm_write(FILE *f, const struct vgic_hist *h)
{
	double percentile = 0;
	uint64_t seen = 0;

	if (!h->n)
		return;
	fprintf(f, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	for (size_t i = 0; i < VGIC_HIST_BUCKETS && seen < h->n; i++) {
		if (!h->count[i])
			continue;
		seen += h->count[i];
		while (percentile <= 100 * (double)seen / (double)h->n) {
			fprintf(f, "%12.3f %2.12f %10" PRIu64 " %14.2f\n",
				us((double)value_of(h, i)), percentile / 100, seen,
				1 / (1 - percentile / 100));
			percentile += step_from(percentile);
			if (seen == h->n)
				break;
		}
	}
	fprintf(f, "%12.3f %2.12f %10" PRIu64 "\n", us((double)h->max), 1.0, h->n);
	fprintf(f, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
		us((double)h->sum / (double)h->n), us(deviation(h)));
	fprintf(f, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", us((double)h->max),
		h->n);
	fprintf(f, "#[Buckets = %12u, SubBuckets     = %12u]\n",
		(VGIC_HIST_BUCKETS - 2048u) / 1024u + 1, 2048u);
}

int hgrm_write_cell(const char *dir, const char *name, const struct vgic_cell *c, char *path,
		    size_t size)
{
	snprintf(path, size, "%s", dir);
	if (mkdir(dir, 0777) && errno != EEXIST)
		return -errno;
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		struct vgic_outfile o = {0};
		int ret;

		if (!c->latency_known[i] || !c->latency[i].hist.n)
			continue;
		ret = snprintf(path, size, "%s/%s-%s.hgrm", dir, name,
			       vgic_latency_name((enum vgic_latency)i));
		if (ret < 0 || (size_t)ret >= size)
			return -ENAMETOOLONG;
		ret = vgic_outfile_open(&o, path);
		if (ret)
			return ret;
		hgrm_write(o.f, &c->latency[i].hist);
		ret = vgic_outfile_commit(&o);
		if (ret)
			return ret;
	}
	return 0;
}
