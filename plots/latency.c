// SPDX-License-Identifier: GPL-2.0-only
/* Data for latency.gp: percentiles and survival of one latency, a curve per LR count. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Points nearer than this (in decades) are one to the eye. */
#define NEAR 0.004

static double on_log_axis(int64_t ns)
{
	return ns < 1 ? 1 : (double)ns;
}

/*
 * Both corners of a step, for a curve drawn with lines: gnuplot's own steps begin the dash
 * pattern anew at each, which makes a dashed curve a solid one.
 */
struct stair {
	FILE *f;
	double y;
	bool begun;
};

static void step_to(struct stair *s, double x, double y)
{
	if (s->begun)
		fprintf(s->f, "%.8g %.8g\n", x, s->y);
	fprintf(s->f, "%.8g %.8g\n", x, y);
	s->y = y;
	s->begun = true;
}

/* Quantile function: steps over 1 / (1 - p), as far as ten samples lie beyond. */
static double write_percentiles(FILE *f, const struct vgic_plot_latency *lat)
{
	double n = (double)lat->n, below = 0, x = 1, last_x = 0, last_y = 0, limit = n / 10;
	struct stair stair = {.f = f};
	int i;

	for (i = 0; i < lat->nr_hist; i++) {
		int64_t v = lat->hist[i].value < lat->max ? lat->hist[i].value : lat->max;
		double lx = log10(x), ly = log10(on_log_axis(v));

		/* x is where this bucket begins: p = share of samples below it. */
		if (i == 0 || lx - last_x > NEAR || fabs(ly - last_y) > NEAR) {
			step_to(&stair, x, on_log_axis(v));
			last_x = lx;
			last_y = ly;
		}
		below += (double)lat->hist[i].count;
		x = n > below ? n / (n - below) : INFINITY;
		if (x >= limit) {
			step_to(&stair, limit, on_log_axis(v));
			return limit;
		}
	}
	return limit;
}

/* Share of samples above a value: steps down at each bucket, ends at the maximum. */
static double write_survival(FILE *f, const struct vgic_plot_latency *lat)
{
	double n = (double)lat->n, left = n, last_x, last_y = 0;
	struct stair stair = {.f = f};
	int i;

	step_to(&stair, on_log_axis(lat->min), 1);
	last_x = log10(on_log_axis(lat->min));
	for (i = 0; i < lat->nr_hist - 1; i++) {
		double lx, ly;

		left -= (double)lat->hist[i].count;
		lx = log10(on_log_axis(lat->hist[i].value));
		ly = log10(left / n);
		if (lx - last_x > NEAR || last_y - ly > NEAR) {
			step_to(&stair, on_log_axis(lat->hist[i].value), left / n);
			last_x = lx;
			last_y = ly;
		}
	}
	step_to(&stair, on_log_axis(lat->max), left / n);
	return left / n;
}

static void write_marks(FILE *f, const struct vgic_plot_latency *lat)
{
	int i;

	/* Left of the axis: gnuplot complains about a block without a point. */
	fprintf(f, "0.5 1 1 1\n");
	for (i = 0; i < VGIC_PLOT_NR_QUANTILES; i++) {
		struct vgic_plot_quantile q = vgic_plot_quantile(lat, vgic_plot_p[i]);

		if (q.shown)
			fprintf(f, "%.6g %.0f %.0f %.0f\n", 1 / (1 - vgic_plot_p[i]),
				on_log_axis(q.value), on_log_axis(q.low), on_log_axis(q.high));
	}
}

/* The value that one in a hundred does not exceed. */
static int64_t first_percent(const struct vgic_plot_latency *lat)
{
	double seen = 0;
	int i;

	for (i = 0; i < lat->nr_hist - 1; i++) {
		seen += (double)lat->hist[i].count;
		if (seen * 100 >= (double)lat->n)
			break;
	}
	return lat->hist[i].value < lat->max ? lat->hist[i].value : lat->max;
}

struct axes {
	double low, high; /* ns */
	double beyond;	  /* largest 1 / (1 - p) */
	double rarest;	  /* smallest share above 0 */
};

/* A label at every decade or, with 3, at whole units only. */
static void write_time_tics(FILE *f, const char *name, int every)
{
	static const char *const unit[] = {"ns", "µs", "ms", "s"};
	int digits, u;
	double v;

	fprintf(f, "%s = \"(", name);
	for (digits = 0; digits < 13; digits++) {
		v = pow(10, digits);
		u = digits < 12 ? digits / 3 : 3;
		if (digits % every)
			fprintf(f, ", '' %.0f", v);
		else
			fprintf(f, "%s'%.0f %s' %.0f", digits ? ", " : "", v / pow(10, 3 * u),
				unit[u], v);
		if (every == 1)
			fprintf(f, ", '' %.0f 1, '' %.0f 1", 2 * v, 5 * v);
	}
	fprintf(f, ")\"\n");
}

static void write_axes(FILE *f, const struct axes *a)
{
	double low = pow(10, floor(log10(a->low))), high = pow(10, ceil(log10(a->high)));
	double beyond = a->beyond < 20 ? 20 : a->beyond;
	int i, every;

	if (high <= low)
		high = low * 10;
	/* A decade that holds one point only wastes the picture. */
	while (low * 2 < a->low * 0.9 && low * 10 > a->low * 0.999)
		low *= low * 5 <= a->low * 0.9 ? 5 : 2;
	if (a->high * 1.1 < high / 5)
		high /= 5;
	else if (a->high * 1.1 < high / 2)
		high /= 2;
	/* Six decades of labels side by side do not fit. */
	every = high / low > 2e5 ? 3 : 1;
	fprintf(f, "LOW = %.10g\nHIGH = %.10g\n", low, high);
	write_time_tics(f, "time_tics", 1);
	write_time_tics(f, "time_tics_below", every);
	fprintf(f, "BEYOND = %.6g\np_tics = \"('%s' 1", beyond * 1.15, beyond > 3000 ? "" : "min");
	for (i = 0; i < VGIC_PLOT_NR_QUANTILES; i++)
		fprintf(f, ", '%s' %.0f", vgic_plot_p_name[i], 1 / (1 - vgic_plot_p[i]));
	fprintf(f,
		")\"\nRAREST = %.6g\nshare_tics = \"('all' 1, '10 %%%%' 0.1, '1 %%%%' 0.01, "
		"'0.1 %%%%' 1e-3, '0.01 %%%%' 1e-4, '0.001 %%%%' 1e-5, '1 ppm' 1e-6, "
		"'0.1 ppm' 1e-7, '0.01 ppm' 1e-8, '1 ppb' 1e-9)\"\n",
		a->rarest / 1.7);
}

static void write_curve(struct vgic_plot_job *job, int series, const char *label,
			const struct vgic_plot_latency *lat, struct axes *axes, bool measured,
			bool recorded)
{
	double v;

	fprintf(job->vars, "name_curve_%d = '%s'\nmeasured_curve_%d = %d\nrecorded_curve_%d = %d\n",
		series, label, series, measured, series, recorded);
	fprintf(job->data, "\n\n# percentiles_%d\n", series);
	v = write_percentiles(job->data, lat);
	if (v > axes->beyond)
		axes->beyond = v;
	fprintf(job->data, "\n\n# marks_%d\n", series);
	write_marks(job->data, lat);
	fprintf(job->data, "\n\n# survival_%d\n", series);
	v = write_survival(job->data, lat);
	if (v < axes->rarest)
		axes->rarest = v;
	fprintf(job->data, "\n\n# last_%d\n%.0f %.6g\n", series, on_log_axis(lat->max), v);
	v = on_log_axis(first_percent(lat));
	if (v < axes->low)
		axes->low = v;
	if (on_log_axis(lat->max) > axes->high)
		axes->high = on_log_axis(lat->max);
}

int vgic_plot_latency(struct vgic_plot_job *job)
{
	const struct vgic_plot_result *res = job->res;
	const struct vgic_plot_cell **cells;
	const struct vgic_plot_latency *lat;
	struct axes axes = {INFINITY, 0, 0, 1};
	int nr, i, series = 0, silent = 0;
	char label[96];

	cells = vgic_plot_selected(res, &nr);
	if (!cells)
		return vgic_plot_fail(job->err, -ENOMEM, "not enough memory");
	for (i = 0; i < nr; i++) {
		lat = &cells[i]->latency[job->latency];
		snprintf(label, sizeof(label), "%d LR%s%s", cells[i]->nr_lr,
			 cells[i]->nr_lr == 1 ? "" : "s",
			 cells[i]->outcome == VGIC_PLOT_STARVED ? " (starved)" : "");
		if (vgic_plot_endless(cells[i]) || !lat->known) {
			silent++;
			fprintf(job->vars, "name_silent_%d = '%s: %s'\n", silent, label,
				vgic_plot_endless(cells[i]) ? "live-lock" : "none");
			continue;
		}
		snprintf(label + strlen(label), sizeof(label) - strlen(label), ", n %s",
			 vgic_plot_short(lat->n).s);
		write_curve(job, ++series, label, lat, &axes, false, cells[i]->nr_lr == res->nr_lr);
	}
	lat = res->recorded ? &res->recorded->latency[job->latency] : NULL;
	if (lat && lat->known) {
		snprintf(label, sizeof(label), "measured, n %s", vgic_plot_short(lat->n).s);
		write_curve(job, ++series, label, lat, &axes, true, false);
	}
	free(cells);
	if (!series) {
		snprintf(job->note, job->note_size, "no interrupt went this way");
		return 0;
	}
	fprintf(job->vars, "CURVES = %d\nSILENT = %d\n", series, silent);
	write_axes(job->vars, &axes);
	return 1;
}
