// SPDX-License-Identifier: GPL-2.0-only
/* Data for occupancy.gp: how full the list registers were, and what stood outside. */
#include <errno.h>
#include <stdlib.h>
#include "internal.h"

#define HALF 0.38

/* Depths of the overflow, in classes that double. */
static const struct {
	int64_t from;
	const char *name;
} classes[] = {
	{1, "1"},      {2, "2–3"},    {4, "4–7"},	  {8, "8–15"},
	{16, "16–31"}, {32, "32–63"}, {64, "64 or more"},
};

#define NR_CLASSES ((int)(sizeof(classes) / sizeof(classes[0])))

static double sum_of(const int64_t *ns)
{
	double sum = 0;
	int i;

	for (i = 0; i < VGIC_PLOT_LRS; i++)
		sum += (double)ns[i];
	return sum;
}

/* The fullest state at the bottom, so that the dark part's height is the pressure. */
static int write_panel(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr,
		       const char *name, const int64_t *(*of)(const struct vgic_plot_cell *))
{
	int i, k, most = 0;

	vgic_plot_block(job->data, name);
	for (i = 0; i < nr; i++) {
		const struct vgic_plot_cell *c = cols[i].cell;
		double sum, low = 0, high;

		if (vgic_plot_endless(c) || !c->occupancy_known)
			continue;
		sum = sum_of(of(c));
		for (k = VGIC_PLOT_LRS - 1; k >= 0 && sum > 0; k--) {
			if (!of(c)[k])
				continue;
			high = low + 100 * (double)of(c)[k] / sum;
			if (k > 0)
				fprintf(job->data, "%g 0 %g %g %.4f %.4f %d %d\n", cols[i].x,
					cols[i].x - HALF, cols[i].x + HALF, low, high, k,
					k == c->nr_lr);
			if (k > most)
				most = k;
			low = high;
		}
	}
	return most;
}

static const int64_t *used(const struct vgic_plot_cell *c)
{
	return c->used;
}

static const int64_t *pending(const struct vgic_plot_cell *c)
{
	return c->pending;
}

static const int64_t *active(const struct vgic_plot_cell *c)
{
	return c->active;
}

static const int64_t *both(const struct vgic_plot_cell *c)
{
	return c->both;
}

static void write_full(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	int i, full = 0;

	vgic_plot_block(job->data, "full");
	for (i = 0; i < nr; i++) {
		const struct vgic_plot_cell *c = cols[i].cell;
		double sum = sum_of(c->used);

		if (vgic_plot_endless(c) || !c->occupancy_known || !c->used[c->nr_lr])
			continue;
		full = 1;
		fprintf(job->data, "%g 0 %g %g 0 %.4f\n", cols[i].x, cols[i].x - HALF,
			cols[i].x + HALF, 100 * (double)c->used[c->nr_lr] / sum);
	}
	fprintf(job->vars, "FULL = %d\n", full);
}

static void write_frames(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	int i;

	vgic_plot_block(job->data, "frames");
	for (i = 0; i < nr; i++)
		if (!vgic_plot_endless(cols[i].cell) && cols[i].cell->occupancy_known)
			fprintf(job->data, "%g 0 %g %g 0 100\n", cols[i].x, cols[i].x - HALF,
				cols[i].x + HALF);
}

static int class_of(int64_t depth)
{
	int k;

	for (k = NR_CLASSES - 1; k > 0 && depth < classes[k].from; k--)
		;
	return k;
}

/* Shares of guest time by class of depth, none of them for an empty overflow. */
static double depth_shares(const struct vgic_plot_cell *c, double *shares)
{
	double sum = 0, outside = 0;
	int k;

	for (k = 0; k < NR_CLASSES; k++)
		shares[k] = 0;
	for (k = 0; k < c->nr_depths; k++)
		sum += (double)c->depths[k].value;
	for (k = 0; k < c->nr_depths && sum > 0; k++) {
		double share = 100 * (double)c->depths[k].value / sum;

		if (c->depths[k].at <= 0)
			continue;
		shares[class_of(c->depths[k].at)] += share;
		outside += share;
	}
	return outside;
}

/* The deepest class at the bottom, as in the other panels. */
static void write_depths(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	double shares[NR_CLASSES], low, top = 0;
	int i, k, above, series = 0, n;

	for (k = 0; k < NR_CLASSES; k++) {
		for (n = 0, i = 0; i < nr; i++) {
			const struct vgic_plot_cell *c = cols[i].cell;

			if (vgic_plot_endless(c) || depth_shares(c, shares) <= 0 || shares[k] <= 0)
				continue;
			if (!n++)
				fprintf(job->data, "\n\n# depth_%d\n", ++series);
			for (low = 0, above = NR_CLASSES - 1; above > k; above--)
				low += shares[above];
			fprintf(job->data, "%g 0 %g %g %.4f %.4f\n", cols[i].x, cols[i].x - HALF,
				cols[i].x + HALF, low, low + shares[k]);
		}
		if (n)
			fprintf(job->vars, "name_class_%d = '%s'\nshade_class_%d = %d\n", series,
				classes[k].name, series, k + 1);
	}
	fprintf(job->vars, "CLASSES = %d\n", series);
	vgic_plot_block(job->data, "deepest");
	for (i = 0; i < nr; i++) {
		const struct vgic_plot_cell *c = cols[i].cell;
		double outside;

		if (vgic_plot_endless(c))
			continue;
		outside = depth_shares(c, shares);
		if (outside > top)
			top = outside;
		fprintf(job->data, "%g %.4f \"%s\"\n", cols[i].x, outside,
			c->overflow_max < 0 ? "?" : vgic_plot_short(c->overflow_max).s);
	}
	top = vgic_plot_axis_top(top);
	fprintf(job->vars, "DEPTH_TOP = %.6g\n", top > 112 ? 112 : top);
}

int vgic_plot_occupancy(struct vgic_plot_job *job)
{
	struct vgic_plot_column *cols;
	int nr, i, most = 1, n, drawable = 0, with_both = 0;

	cols = vgic_plot_columns(job->res, &nr);
	if (!cols)
		return vgic_plot_fail(job->err, -ENOMEM, "not enough memory");
	for (i = 0; i < nr; i++) {
		if (vgic_plot_endless(cols[i].cell) || !cols[i].cell->occupancy_known ||
		    sum_of(cols[i].cell->used) <= 0)
			continue;
		drawable++;
		with_both |= cols[i].cell->both_known &&
			     sum_of(cols[i].cell->both) > (double)cols[i].cell->both[0];
	}
	if (!drawable) {
		snprintf(job->note, job->note_size, "no cell came to an end with guest time");
		free(cols);
		return 0;
	}
	vgic_plot_write_columns(job, cols, nr);
	write_frames(job, cols, nr);
	most = write_panel(job, cols, nr, "used", used);
	if (most < 1)
		most = 1;
	n = write_panel(job, cols, nr, "pending", pending);
	fprintf(job->vars, "PENDING = %d\n", n > 0);
	n = write_panel(job, cols, nr, "active", active);
	fprintf(job->vars, "ACTIVE = %d\n", n > 0);
	if (with_both)
		write_panel(job, cols, nr, "both", both);
	fprintf(job->vars, "BOTH = %d\nMOST = %d\n", with_both, most);
	write_full(job, cols, nr);
	write_depths(job, cols, nr);
	free(cols);
	return 1;
}
