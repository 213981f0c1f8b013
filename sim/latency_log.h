/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Latencies noted as they come, and counted many at a time: the series learns at once how far
 * the raises go, and need not become coarser in steps.
 */
#ifndef VGICSIM_LATENCY_LOG_H
#define VGICSIM_LATENCY_LOG_H

#include <vgicsim/latency.h>

#define LATENCY_LOG 2048u

struct latency_log {
	struct vgic_latency_series *to;
	struct vgic_latency_sample *next, v[LATENCY_LOG];
};

static inline void latency_log_init(struct latency_log *l, struct vgic_latency_series *to)
{
	l->to = to;
	l->next = l->v;
}

/* latency.c: it is full, what it holds is counted; it is done, and the series with it. */
int latency_log_flush(struct latency_log *l);
int latency_log_end(struct latency_log *l);

/* As vgic_latency_add(). */
static inline int latency_log_add(struct latency_log *l, uint64_t raise, uint64_t ns)
{
	*l->next++ = (struct vgic_latency_sample){raise, ns};
	return __builtin_expect(l->next == l->v + LATENCY_LOG, 0) ? latency_log_flush(l) : 0;
}

#endif
