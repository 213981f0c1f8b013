/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A demand on a latency, as people write it: 'p99(raise-to-ack) < 20us'. Blanks may
 * stand between the parts, and the comparison is < or <=.
 */
#ifndef VGICSIM_CLI_SLO_H
#define VGICSIM_CLI_SLO_H

#include <stdbool.h>
#include <stdint.h>
#include <vgicsim/metrics.h>

struct slo {
	char name[48]; /* "p99(raise-to-ack)" */
	double p;      /* 0 < p < 1 */
	enum vgic_latency latency;
	bool or_equal;
	uint64_t limit_ns; /* not 0 */
};

/* Reads all of text. 0, or -EINVAL with *why (a constant) set to what is wrong. */
int slo_parse(const char *text, struct slo *slo, const char **why);

bool slo_allows(const struct slo *slo, uint64_t ns);

#endif
