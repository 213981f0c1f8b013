/* SPDX-License-Identifier: GPL-2.0-only */
/* Two replays said the same. */
#ifndef VGICSIM_TESTS_CELLS_H
#define VGICSIM_TESTS_CELLS_H

#include <string.h>

#include <vgicsim/metrics.h>

#define DIFFERS(member)                     \
	do {                                \
		if (a->member != b->member) \
			return #member;     \
	} while (0)

static inline const char *latencies_differ(const struct vgic_latency_series *a,
					   const struct vgic_latency_series *b)
{
	DIFFERS(hist.n);
	DIFFERS(hist.sum);
	for (unsigned int q = 1; q < 20; q++)
		if (vgic_hist_quantile(&a->hist, q / 20.0) !=
		    vgic_hist_quantile(&b->hist, q / 20.0))
			return "quantile of a latency";
	return NULL;
}

static inline const char *fates_differ(const struct vgic_fate *a, const struct vgic_fate *b)
{
	DIFFERS(intid);
	DIFFERS(vcpu);
	DIFFERS(kind);
	DIFFERS(refused);
	DIFFERS(priority);
	DIFFERS(raised);
	DIFFERS(first_ns);
	DIFFERS(delivered);
	DIFFERS(ended);
	DIFFERS(lost);
	DIFFERS(since_ns);
	DIFFERS(entries);
	DIFFERS(outside_ns);
	DIFFERS(outside_entries);
	return NULL;
}

/* What differs, NULL if nothing does. */
static inline const char *cells_differ(const struct vgic_cell *a, const struct vgic_cell *b)
{
	const char *what = NULL;

	DIFFERS(nr_lr);
	DIFFERS(outcome);
	DIFFERS(unhandled);
	DIFFERS(guest_ns);
	DIFFERS(wall_ns);
	DIFFERS(eoicount);
	DIFFERS(kicks);
	DIFFERS(lr_writes);
	DIFFERS(lr_reads);
	DIFFERS(interrupts);
	DIFFERS(bound_mi);
	DIFFERS(bound_lr_exits);
	DIFFERS(overflow_max);
	DIFFERS(overflow_entries);
	DIFFERS(merged);
	DIFFERS(inversions);
	DIFFERS(inversion_ns);
	DIFFERS(spurious);
	DIFFERS(lost);
	DIFFERS(reordered);
	DIFFERS(nr_fates);
	DIFFERS(nr_starved);
	for (int i = 0; i < VGIC_EXIT_KINDS; i++)
		DIFFERS(exit[i]);
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		DIFFERS(mi_source[i]);
	if (memcmp(a->used_ns, b->used_ns, sizeof(a->used_ns)) ||
	    memcmp(a->pending_ns, b->pending_ns, sizeof(a->pending_ns)) ||
	    memcmp(a->active_ns, b->active_ns, sizeof(a->active_ns)))
		return "occupancy";
	for (int i = 0; i < VGIC_LATENCIES && !what; i++) {
		DIFFERS(inside_ns[i]);
		what = latencies_differ(&a->latency[i], &b->latency[i]);
	}
	for (size_t i = 0; i < a->nr_fates && !what; i++)
		what = fates_differ(&a->fates[i], &b->fates[i]);
	return what;
}

#undef DIFFERS

#endif
