/* SPDX-License-Identifier: GPL-2.0-only */
/* The page about one recording: what its parts share. */
#ifndef VGICSIM_PLOTS_RECORDING_H
#define VGICSIM_PLOTS_RECORDING_H

#include "internal.h"

/* All vCPUs together. What no record told of is 0: ask for flushes, syncs and exits first. */
struct recording_sums {
	size_t nr_vcpus, nr_used;
	int64_t exits, irq, mi, mi_source[VGIC_PLOT_NR_MI], flushes, syncs, guest_ns, overflowing;
	int64_t deepest, longest, eoicount, dir, used[VGIC_PLOT_LRS];
};

struct recording {
	const json_t *report, *info; /* info is a part of report */
	const char *name;	     /* of the file, without its folder */
	int64_t nr_lr, lost;	     /* VGIC_PLOT_UNKNOWN */
	struct recording_sums sums;
	const struct vgic_plot_result *res; /* NULL: not replayed */
	const struct vgic_plot_cell *same;  /* its cell with the recorded LR count; NULL: none */
};

extern const char *const recording_mi[VGIC_PLOT_NR_MI];

void recording_sum(struct recording_sums *s, const json_t *info);

/* A recording that was made of a trace may lack types of records, and other things: by name. */
bool recording_lacks(const struct recording *r, const char *word);

/* "12.3 %" */
struct vgic_plot_text recording_share(int64_t part, int64_t all);

/* "vgicsim BEFORE NAME AFTER" as HTML, the name as a shell takes it; and that as a line of its own.
 */
void recording_command(FILE *f, const char *name, const char *before, const char *after);
void recording_how(FILE *f, const char *name, const char *before, const char *after);

/* What stands below a heading; what the recording does not know is said. */
void recording_exits(FILE *f, const struct recording *r);
void recording_mis(FILE *f, const struct recording *r);
void recording_lrs(FILE *f, const struct recording *r);
void recording_latencies(FILE *f, const struct recording *r);
void recording_waits(FILE *f, const struct recording *r);
void recording_losses(FILE *f, const struct recording *r);
void recording_fidelity(FILE *f, const struct recording *r);

#endif
