// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "latencies.h"
#include "output.h"

#define CELL "%-33s"

/* Of the percentiles that there are, those that a table has room for: p50, p99, p99.9. */
static const unsigned int shown[] = {0, 2, 3};

#define NR_SHOWN (sizeof(shown) / sizeof(shown[0]))

void latencies_print_head(const char *name)
{
	printf("%-22s %8s", name, "n");
	for (size_t i = 0; i < NR_SHOWN; i++)
		printf("  " CELL, vgic_latency_p_name[shown[i]]);
	printf("  %s\n", "max");
}

char *latencies_percentile(char *buf, size_t size, const struct vgic_percentile *p)
{
	char value[24], low[24], high[24];

	if (p->known)
		snprintf(buf, size, "%s (%s..%s)", cli_format_ns(value, sizeof(value), p->value),
			 cli_format_ns(low, sizeof(low), p->low),
			 cli_format_ns(high, sizeof(high), p->high));
	else
		snprintf(buf, size, "n too small");
	return buf;
}

int latencies_print(const char *name, const struct vgic_latency_series *s)
{
	struct vgic_percentile q[NR_SHOWN];
	double ps[NR_SHOWN];
	char max[24], text[80];

	for (size_t i = 0; i < NR_SHOWN; i++)
		ps[i] = vgic_latency_p[shown[i]];
	if (vgic_latency_percentiles(s, ps, NR_SHOWN, q))
		return -ENOMEM;
	printf("%-22s %8" PRIu64, name, s->hist.n);
	for (size_t i = 0; i < NR_SHOWN; i++)
		printf("  " CELL, latencies_percentile(text, sizeof(text), &q[i]));
	printf("  %s\n", s->hist.n ? cli_format_ns(max, sizeof(max), s->hist.max) : "-");
	return 0;
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v));
}

json_t *latencies_json(const struct vgic_latency_series *s, bool brief)
{
	const struct vgic_hist *h = &s->hist;
	struct vgic_percentile q[VGIC_LATENCY_PERCENTILES];
	json_t *o, *hist, *percentiles;

	if (vgic_latency_percentiles(s, vgic_latency_p, VGIC_LATENCY_PERCENTILES, q))
		return NULL;
	o = json_object();
	hist = json_array();
	percentiles = json_object();
	json_object_set_new(o, "n", number(h->n));
	json_object_set_new(o, "min_ns", number(h->min));
	json_object_set_new(o, "max_ns", number(h->max));
	json_object_set_new(o, "mean_ns", number(vgic_hist_mean(h)));
	json_object_set_new(o, "block_length", number(vgic_latency_block_length(s)));
	for (size_t i = 0; i < VGIC_LATENCY_PERCENTILES; i++)
		json_object_set_new(percentiles, vgic_latency_p_name[i],
				    q[i].known
					    ? json_pack("{s:o, s:o, s:o}", "ns", number(q[i].value),
							"low_ns", number(q[i].low), "high_ns",
							number(q[i].high))
					    : json_null());
	json_object_set_new(o, "percentiles", percentiles);
	for (size_t i = 0; i < VGIC_HIST_BUCKETS && !brief; i++)
		if (h->count[i])
			json_array_append_new(hist,
					      json_pack("[o, o]", number(vgic_hist_highest(i)),
							number(h->count[i])));
	json_object_set_new(o, "hist", hist);
	return o;
}

/* Decimal digits of v before *end; gives the first. */
static char *digits(char *end, uint64_t v)
{
	v = v > INT64_MAX ? INT64_MAX : v;
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

void latencies_write_hist(FILE *f, const struct vgic_latency_series *s)
{
	const struct vgic_hist *h = &s->hist;
	bool any = false;

	for (size_t i = 0; i < VGIC_HIST_BUCKETS; i++) {
		char text[48], *end = text + sizeof(text), *at = end;

		if (!h->count[i])
			continue;
		*--at = ']';
		at = digits(at, h->count[i]);
		*--at = ',';
		at = digits(at, vgic_hist_highest(i));
		*--at = '[';
		if (any)
			*--at = ',';
		any = true;
		fwrite(at, 1, (size_t)(end - at), f);
	}
}
