// SPDX-License-Identifier: GPL-2.0-only
/* Data for exits.gp: exits by reason, maintenance interrupts by source. */
#include <errno.h>
#include <stdlib.h>
#include "internal.h"

#define HALF 0.38 /* of a column's width, in columns */

static const char *const exit_colour[VGIC_PLOT_NR_EXITS + 1] = {
	"0xD55E00", "0xCC79A7", "0xE69F00", "0x56B4E9",
	"0x009E73", "0x0072B2", "0x8C8C8C", "0xD0D0D0",
};

static const char *const mi_colour[VGIC_PLOT_NR_MI] = {
	"0x0072B2", "0xD55E00", "0xE69F00", "0x009E73",
	"0x56B4E9", "0xCC79A7", "0x8C8C8C", "0x1F1F1F",
};

static int64_t or_zero(int64_t n)
{
	return n < 0 ? 0 : n;
}

/* What the reasons leave of the total: a recording may not know every reason. */
static int64_t unnamed(const struct vgic_plot_cell *c)
{
	int64_t rest = or_zero(c->exits_total);
	int i;

	for (i = 0; i < VGIC_PLOT_NR_EXITS; i++)
		rest -= or_zero(c->exits[i]);
	return or_zero(rest);
}

static int64_t part(const struct vgic_plot_cell *c, int reason)
{
	return reason == VGIC_PLOT_NR_EXITS ? unnamed(c) : or_zero(c->exits[reason]);
}

static int64_t height(const struct vgic_plot_cell *c)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i <= VGIC_PLOT_NR_EXITS; i++)
		sum += part(c, i);
	return sum;
}

static void write_reasons(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	int64_t low, sum;
	int reason, i, k, series = 0;

	for (reason = 0; reason <= VGIC_PLOT_NR_EXITS; reason++) {
		for (sum = 0, i = 0; i < nr; i++)
			if (!vgic_plot_endless(cols[i].cell))
				sum += part(cols[i].cell, reason);
		if (!sum)
			continue;
		series++;
		fprintf(job->vars, "name_exit_%d = '%s'\ncolour_exit_%d = %s\n", series,
			reason == VGIC_PLOT_NR_EXITS ? "reason not known"
						     : vgic_plot_exit_name[reason],
			series, exit_colour[reason]);
		fprintf(job->data, "\n\n# exit_%d\n", series);
		for (i = 0; i < nr; i++) {
			if (vgic_plot_endless(cols[i].cell))
				continue;
			for (low = 0, k = 0; k < reason; k++)
				low += part(cols[i].cell, k);
			sum = part(cols[i].cell, reason);
			fprintf(job->data, "%g %lld %g %g %lld %lld\n", cols[i].x, (long long)low,
				cols[i].x - HALF, cols[i].x + HALF, (long long)low,
				(long long)(low + sum));
		}
	}
	fprintf(job->vars, "EXIT_SERIES = %d\n", series);
}

static void write_sources(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	int used[VGIC_PLOT_NR_MI], n = 0, s, i;
	double width, left;
	int64_t sum;

	for (s = 0; s < VGIC_PLOT_NR_MI; s++) {
		for (sum = 0, i = 0; i < nr; i++)
			if (!vgic_plot_endless(cols[i].cell))
				sum += or_zero(cols[i].cell->mi[s]);
		if (sum)
			used[n++] = s;
	}
	width = 2 * HALF / (n ? n : 1);
	for (s = 0; s < n; s++) {
		fprintf(job->vars, "name_mi_%d = '%s'\ncolour_mi_%d = %s\n", s + 1,
			vgic_plot_mi_name[used[s]], s + 1, mi_colour[used[s]]);
		fprintf(job->data, "\n\n# mi_%d\n", s + 1);
		for (i = 0; i < nr; i++) {
			if (vgic_plot_endless(cols[i].cell))
				continue;
			left = cols[i].x - HALF + s * width;
			fprintf(job->data, "%g 0 %g %g 0 %lld\n", cols[i].x, left, left + width,
				(long long)or_zero(cols[i].cell->mi[used[s]]));
		}
	}
	fprintf(job->vars, "MI_SERIES = %d\n", n);
}

/* The number above a column and its place. */
static void write_totals(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr,
			 bool mi)
{
	const struct vgic_plot_cell *rec = job->res->recorded;
	double top = rec ? (double)or_zero(mi ? rec->mi_total : rec->exits_total) : 0;
	int64_t tall, total;
	int i, s, bounds = 0;

	vgic_plot_block(job->data, mi ? "mi_totals" : "exit_totals");
	for (i = 0; i < nr; i++) {
		const struct vgic_plot_cell *c = cols[i].cell;

		if (vgic_plot_endless(c))
			continue;
		tall = total = mi ? c->mi_total : c->exits_total;
		if (mi)
			for (s = 0; s < VGIC_PLOT_NR_MI; s++)
				tall = c->mi[s] > tall ? c->mi[s] : tall;
		else if (height(c) > tall)
			tall = height(c);
		tall = or_zero(tall);
		if ((double)tall > top)
			top = (double)tall;
		fprintf(job->data, "%g %lld \"%s\" %g %g %lld %s\n", cols[i].x, (long long)tall,
			total < 0 ? "?" : vgic_plot_short(total).s, cols[i].x - HALF,
			cols[i].x + HALF, (long long)or_zero(total),
			c->bound_mi < 0 ? "NaN" : vgic_plot_number(c->bound_mi).s);
		bounds += c->bound_mi >= 0;
	}
	if (mi)
		fprintf(job->vars, "BOUND = %d\n", bounds > 0);
	top = vgic_plot_axis_top(top);
	fprintf(job->vars, "%s = %.10g\n", mi ? "MI_TOP" : "EXIT_TOP", top);
	vgic_plot_tics(job->vars, mi ? "mi_tics" : "exit_tics", top);
}

static void write_truth(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	const struct vgic_plot_cell *rec = job->res->recorded;
	int i;

	vgic_plot_block(job->data, "truth");
	for (i = 0; rec && i < nr; i++) {
		if (cols[i].measured || cols[i].cell->nr_lr != job->res->nr_lr)
			continue;
		fprintf(job->data, "%g %s", cols[i].x + 0.5,
			rec->exits_total < 0 ? "NaN" : vgic_plot_number(rec->exits_total).s);
		fprintf(job->data, " %s\n",
			rec->mi_total < 0 ? "NaN" : vgic_plot_number(rec->mi_total).s);
		fprintf(job->vars, "TRUTH = 1\n");
		return;
	}
	fprintf(job->vars, "TRUTH = 0\n");
}

int vgic_plot_exits(struct vgic_plot_job *job)
{
	struct vgic_plot_column *cols;
	int nr, i, drawable = 0;

	cols = vgic_plot_columns(job->res, &nr);
	if (!cols)
		return vgic_plot_fail(job->err, -ENOMEM, "not enough memory");
	for (i = 0; i < nr; i++)
		drawable += !vgic_plot_endless(cols[i].cell) && cols[i].cell->exits_total >= 0;
	if (drawable) {
		vgic_plot_write_columns(job, cols, nr);
		write_reasons(job, cols, nr);
		write_sources(job, cols, nr);
		write_totals(job, cols, nr, false);
		write_totals(job, cols, nr, true);
		write_truth(job, cols, nr);
	} else {
		snprintf(job->note, job->note_size,
			 "no cell came to an end with its exits counted");
	}
	free(cols);
	return drawable > 0;
}
