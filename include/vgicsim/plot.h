/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures and a report from result files. Everything that is drawn is computed
 * here in C and written as data files beside the figures; gnuplot only draws.
 */
#ifndef VGICSIM_PLOT_H
#define VGICSIM_PLOT_H

#include <stdbool.h>
#include <stdint.h>

/* The number is not in the result: null, or unknowable from a recording. */
#define VGIC_PLOT_UNKNOWN (-1)

/* One more than the most list registers any GIC has (GICv2: 64). */
#define VGIC_PLOT_LRS 65

#define VGIC_PLOT_FORMAT	 "vgicsim-result"
#define VGIC_PLOT_FORMAT_VERSION 1

/* What 'vgicsim sweep -o' writes: several of them. */
#define VGIC_PLOT_SWEEP		"vgicsim-sweep"
#define VGIC_PLOT_SWEEP_VERSION 1

/* Most results in one report: each has some ten figures. */
#define VGIC_PLOT_MAX_RESULTS 256

enum vgic_plot_outcome { VGIC_PLOT_COMPLETED, VGIC_PLOT_LIVELOCK, VGIC_PLOT_STARVED };

enum vgic_plot_exit {
	VGIC_PLOT_EXIT_MI,
	VGIC_PLOT_EXIT_DIR,
	VGIC_PLOT_EXIT_SGI,
	VGIC_PLOT_EXIT_WFI,
	VGIC_PLOT_EXIT_MMIO,
	VGIC_PLOT_EXIT_OTHER_IRQ,
	VGIC_PLOT_EXIT_OTHER,
	VGIC_PLOT_NR_EXITS
};

/* Sources of a maintenance interrupt in the order of the bits of ICH_MISR_EL2. */
enum vgic_plot_mi {
	VGIC_PLOT_MI_EOI,
	VGIC_PLOT_MI_U,
	VGIC_PLOT_MI_LRENP,
	VGIC_PLOT_MI_NP,
	VGIC_PLOT_MI_GRP0E,
	VGIC_PLOT_MI_GRP0D,
	VGIC_PLOT_MI_GRP1E,
	VGIC_PLOT_MI_GRP1D,
	VGIC_PLOT_NR_MI
};

enum vgic_plot_latency_kind {
	VGIC_PLOT_RAISE_TO_LR,
	VGIC_PLOT_RAISE_TO_ACK,
	VGIC_PLOT_ACK_TO_EOI,
	VGIC_PLOT_RAISE_TO_DEACTIVATE,
	VGIC_PLOT_NR_LATENCIES
};

enum vgic_plot_state { VGIC_PLOT_PENDING, VGIC_PLOT_ACTIVE, VGIC_PLOT_BOTH };

/* An HDR histogram: ascending highest equivalent values and how often each was seen. */
struct vgic_plot_bucket {
	int64_t value; /* ns */
	int64_t count; /* > 0 */
};

struct vgic_plot_quantile {
	bool shown;
	int64_t value, low, high; /* ns */
};

/* The quantiles that figures, table and JSON name: 0.5, 0.9, 0.99 ... 0.999999. */
#define VGIC_PLOT_NR_QUANTILES 7
extern const double vgic_plot_p[VGIC_PLOT_NR_QUANTILES];
extern const char *const vgic_plot_p_name[VGIC_PLOT_NR_QUANTILES];

struct vgic_plot_latency {
	bool known;
	int64_t n, min, max, mean; /* ns but for n */
	struct vgic_plot_bucket *hist;
	int nr_hist;
	bool estimated;		    /* it ends where the host does not see it */
	int64_t uncertainty, block; /* ns; samples in a block of the intervals */
	bool has_percentiles;	    /* the result says them, with intervals of its own */
	struct vgic_plot_quantile percentile[VGIC_PLOT_NR_QUANTILES];
};

struct vgic_plot_pair {
	int64_t at;    /* depth, or a time in ns in a time line */
	int64_t value; /* ns, or depth in a time line */
};

struct vgic_plot_segment {
	int lr;
	int64_t intid;
	enum vgic_plot_state state;
	int64_t t0, t1; /* ns, t0 < t1 */
};

struct vgic_plot_mark {
	int64_t t;	      /* ns */
	unsigned int sources; /* 1u << enum vgic_plot_mi */
};

struct vgic_plot_timeline {
	int64_t t0, t1; /* ns */
	int64_t vcpu;
	struct vgic_plot_segment *segments; /* by t0 */
	int nr_segments;
	struct vgic_plot_mark *marks; /* by t */
	int nr_marks;
	struct vgic_plot_pair *overflow; /* by at */
	int nr_overflow;
};

struct vgic_plot_starved {
	int64_t vcpu, intid, since; /* ns */
};

/* What one LR count gave. Every number may be VGIC_PLOT_UNKNOWN. */
struct vgic_plot_cell {
	int nr_lr;
	enum vgic_plot_outcome outcome;
	char *detail;		       /* NULL: none */
	int64_t guest_time, wall_time; /* ns */
	int64_t exits_total, exits[VGIC_PLOT_NR_EXITS];
	int64_t mi_total, mi[VGIC_PLOT_NR_MI];
	int64_t dir_traps, eoicount, kicks, lr_writes, lr_reads, interrupts, excess_exits;
	int64_t bound_mi; /* fewest MIs that any policy could have had */
	bool occupancy_known;
	int64_t used[VGIC_PLOT_LRS], pending[VGIC_PLOT_LRS], active[VGIC_PLOT_LRS]; /* ns */
	bool both_known;
	int64_t both[VGIC_PLOT_LRS]; /* ns */
	bool entries_known;
	int64_t entries[VGIC_PLOT_LRS];
	int64_t overflow_max, overflow_entries;
	struct vgic_plot_pair *depths; /* ascending depth */
	int nr_depths;
	struct vgic_plot_latency latency[VGIC_PLOT_NR_LATENCIES];
	int64_t inversions, inversion_ns, spurious, lost, merged;
	struct vgic_plot_starved *starved;
	int nr_starved;
	struct vgic_plot_timeline *timeline; /* NULL: none */
};

/* A whole result file. Strings are never NULL ("" when absent). */
struct vgic_plot_result {
	char *path; /* as given */
	char *stem; /* its file name without ".json", or input and policy; safe for file names */
	char *tool_version;
	char *file, *hash, *kernel, *cpu, *guest; /* of the input */
	int nr_lr;				  /* as recorded; VGIC_PLOT_UNKNOWN */
	int64_t pairs, lost, duration;
	char *policy, *arrivals, *estimator;
	int64_t seed, entry_ns, exit_ns, mi_out_ns, dir_out_ns, kick_ns;
	int64_t *mi_delay; /* ns */
	int nr_mi_delay;
	bool verified; /* the result carries what verify found */
	int64_t verify_checked, verify_mismatches, verify_undecided;
	struct vgic_plot_cell *recorded; /* NULL: none */
	struct vgic_plot_cell *cells;	 /* ascending nr_lr */
	int nr_cells;
};

/* Why something failed: one line, "where: what: what to do". */
struct vgic_plot_error {
	char text[512];
};

/*
 * Reads and checks a result file (the schema is plots/result.schema.json) or all results of a
 * sweep, and puts them behind the *nr that are in *results, which grows (NULL if *nr is 0). The
 * caller frees each, and the array, after an error too. 0, or the negative errno of open and
 * read, -EINVAL for a file that is no result, -ENOTSUP for a version this tool does not know,
 * -ENOMEM.
 */
int vgic_plot_load(const char *path, struct vgic_plot_result ***results, int *nr,
		   struct vgic_plot_error *err);
void vgic_plot_free(struct vgic_plot_result *result);

/*
 * The p-quantile of a histogram, 0 < p < 1, by nearest rank: the smallest value
 * that at least p * n samples do not exceed, between low and high with 95 %
 * confidence. One of vgic_plot_p is what the result says, if it says any. Else the
 * bounds are those of the binomial order statistic in normal approximation, which
 * takes samples as independent. shown is false, and nothing else is set, where n is
 * too small: fewer than ten samples beyond it (n * (1 - p) < 10), or n < 20.
 */
struct vgic_plot_quantile vgic_plot_quantile(const struct vgic_plot_latency *lat, double p);

/* Whether n samples are enough for that. */
bool vgic_plot_enough(int64_t n, double p);

/*
 * The window of a time line that shows most: of the widths 1, 2, 5, 10 ... ns the
 * smallest whose busiest place holds at least wanted beginnings of segments and
 * MIs, less what stays empty at its end; the whole time line if it holds fewer.
 */
void vgic_plot_busiest(const struct vgic_plot_timeline *line, int wanted, int64_t *t0, int64_t *t1);

enum vgic_plot_format { VGIC_PLOT_SVG = 1, VGIC_PLOT_PNG = 2 };

struct vgic_plot_options {
	const char *dir;
	unsigned int formats; /* of enum vgic_plot_format */
	bool has_window;
	int64_t window_t0, window_t1; /* ns, t0 < t1 */
};

/*
 * Draws everything about the results (at least one) into options->dir: figures,
 * their data files and scripts under data/, report.html. Nothing appears there
 * before all of it exists; each file then replaces its predecessor atomically.
 * 0 or a negative errno with err: -ENOPKG gnuplot is missing or too old, -ECHILD it failed,
 * -EINTR by SIGINT or SIGTERM, -ERANGE the window is outside every time line,
 * others from the file system. On error dir is as it was.
 */
int vgic_plot_write(struct vgic_plot_result *const *results, int nr_results,
		    const struct vgic_plot_options *options, struct vgic_plot_error *err);

/*
 * The page about one recording: report.html, with the figures of its replay inside, and data/.
 * report: what 'vgicsim report --json' prints (jansson's json_t, see vgic_plot_summary()); without
 * a replay in it gnuplot is not needed. Published and failing as vgic_plot_write() does.
 */
int vgic_plot_recording_write(const void *report, const struct vgic_plot_options *options,
			      struct vgic_plot_error *err);

/* What 'vgicsim validate -o' writes. */
#define VGIC_PLOT_VALIDATION "vgicsim-validation"

struct vgic_plot_validation;

/* The file says that it is one; false also if it cannot be read. */
bool vgic_plot_is_validation(const char *path);

/* 0, -EINVAL for a file that is damaged or holds nothing to draw, -ENOTSUP, -ENOMEM. */
int vgic_plot_validation_load(const char *path, struct vgic_plot_validation **v,
			      struct vgic_plot_error *err);
void vgic_plot_validation_free(struct vgic_plot_validation *v);

/* The correlation figure and report.html, published and failing as vgic_plot_write() does. */
int vgic_plot_validation_write(const struct vgic_plot_validation *v,
			       const struct vgic_plot_options *options,
			       struct vgic_plot_error *err);

/*
 * The numbers that the figures show, as a JSON value (jansson's json_t, given as
 * void * so that this header needs no other): quantiles with their bounds, totals,
 * files written. NULL without memory.
 */
void *vgic_plot_summary(struct vgic_plot_result *const *results, int nr_results,
			const struct vgic_plot_options *options);

#endif
