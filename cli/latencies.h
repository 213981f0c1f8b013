/* SPDX-License-Identifier: GPL-2.0-only */
/* Latencies with their percentiles and intervals, as text and as JSON. */
#ifndef VGICSIM_CLI_LATENCIES_H
#define VGICSIM_CLI_LATENCIES_H

#include <stdio.h>
#include <jansson.h>
#include <vgicsim/metrics.h>

/* The head of a table, and a line of it. 0 or -ENOMEM. */
void latencies_print_head(const char *name);
int latencies_print(const char *name, const struct vgic_latency_series *s);

/* "12.30 us (11.90 us..12.80 us)" or "n too small"; gives buf. */
char *latencies_percentile(char *buf, size_t size, const struct vgic_percentile *p);

/* NULL: out of memory. The caller adds what else it knows. brief: an empty histogram. */
json_t *latencies_json(const struct vgic_latency_series *s, bool brief);

/* The histogram between the brackets of its list, as jansson writes it on one line. */
void latencies_write_hist(FILE *f, const struct vgic_latency_series *s);

#endif
