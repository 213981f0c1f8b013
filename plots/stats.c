// SPDX-License-Identifier: GPL-2.0-only
/* Statistics and choices that more than one figure shares. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

const char *const vgic_plot_latency_name[VGIC_PLOT_NR_LATENCIES] = {
	"raise to LR",
	"raise to acknowledge",
	"acknowledge to EOI",
	"raise to deactivate",
};

const char *const vgic_plot_exit_name[VGIC_PLOT_NR_EXITS] = {
	"MI", "DIR trap", "SGI trap", "WFI", "MMIO", "other IRQ", "other",
};

const char *const vgic_plot_mi_name[VGIC_PLOT_NR_MI] = {
	"EOI", "U", "LRENP", "NP", "VGrp0E", "VGrp0D", "VGrp1E", "VGrp1D",
};

const double vgic_plot_p[VGIC_PLOT_NR_QUANTILES] = {
	0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999,
};

const char *const vgic_plot_p_name[VGIC_PLOT_NR_QUANTILES] = {
	"p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999",
};

/* The value of the rank-th smallest sample, rank from 1 to n. */
static int64_t at_rank(const struct vgic_plot_latency *lat, double rank)
{
	int64_t want = (int64_t)ceil(rank), seen = 0;
	int i;

	if (want < 1)
		want = 1;
	for (i = 0; i < lat->nr_hist; i++) {
		seen += lat->hist[i].count;
		if (seen >= want)
			break;
	}
	/* A bucket's name is its highest value; no sample was above max. */
	if (i == lat->nr_hist || lat->hist[i].value > lat->max)
		return lat->max;
	return lat->hist[i].value;
}

bool vgic_plot_enough(int64_t n, double p)
{
	/* A hair of room: 100 * (1 - 0.9) is a little less than 10 in binary. */
	return n >= 20 && (double)n * (1 - p) >= 10 - 1e-6;
}

struct vgic_plot_quantile vgic_plot_quantile(const struct vgic_plot_latency *lat, double p)
{
	struct vgic_plot_quantile q = {false, 0, 0, 0};
	double n = (double)lat->n, spread;

	if (!lat->known || !vgic_plot_enough(lat->n, p))
		return q;
	for (int i = 0; lat->has_percentiles && i < VGIC_PLOT_NR_QUANTILES; i++)
		if (vgic_plot_p[i] == p)
			return lat->percentile[i];
	spread = 1.96 * sqrt(n * p * (1 - p));
	q.shown = true;
	q.value = at_rank(lat, n * p - 1e-6);
	q.low = at_rank(lat, floor(n * p - spread));
	q.high = at_rank(lat, ceil(n * p + spread) + 1);
	return q;
}

/* The end of the last thing to see in a window. */
static int64_t last_event(const struct vgic_plot_timeline *line, int64_t t0, int64_t t1)
{
	int64_t last = t0 + 1;
	int i;

	for (i = 0; i < line->nr_segments; i++)
		if (line->segments[i].t0 < t1 && line->segments[i].t1 > last)
			last = line->segments[i].t1;
	for (i = 0; i < line->nr_marks; i++)
		if (line->marks[i].t < t1 && line->marks[i].t > last)
			last = line->marks[i].t;
	return last;
}

void vgic_plot_busiest(const struct vgic_plot_timeline *line, int wanted, int64_t *t0, int64_t *t1)
{
	int64_t span = line->t1 - line->t0, width = 1, best = line->t0, end;
	int s = 0, m = 0, n = line->nr_segments + line->nr_marks, head, tail, most, k = 0;
	static const int steps[] = {1, 2, 5};
	int64_t *at, decade = 1;

	*t0 = line->t0;
	*t1 = line->t1;
	at = n > wanted ? malloc((size_t)n * sizeof(*at)) : NULL;
	if (!at)
		return;
	for (k = 0; k < n; k++) {
		if (m == line->nr_marks ||
		    (s < line->nr_segments && line->segments[s].t0 <= line->marks[m].t))
			at[k] = line->segments[s++].t0;
		else
			at[k] = line->marks[m++].t;
	}
	for (k = 0; width < span; k++) {
		most = 0;
		for (head = tail = 0; head < n; head++) {
			while (at[head] - at[tail] >= width)
				tail++;
			if (head - tail + 1 > most) {
				most = head - tail + 1;
				best = at[tail];
			}
		}
		if (most >= wanted) {
			/* A little air at both ends, and never beyond the time line. */
			end = last_event(line, best, best + width);
			end = end < best + width ? end : best + width;
			*t0 = best - width / 50 > line->t0 ? best - width / 50 : line->t0;
			*t1 = end + width / 50 < line->t1 ? end + width / 50 : line->t1;
			break;
		}
		if (k % 3 == 2) {
			if (decade > INT64_MAX / 100)
				break;
			decade *= 10;
		}
		width = decade * steps[(k + 1) % 3];
	}
	free(at);
}

int vgic_plot_window(const struct vgic_plot_timeline *line, const struct vgic_plot_options *o,
		     int64_t *t0, int64_t *t1)
{
	if (!o->has_window) {
		vgic_plot_busiest(line, 24, t0, t1);
		return 0;
	}
	if (o->window_t1 <= line->t0 || o->window_t0 >= line->t1)
		return -ERANGE;
	*t0 = o->window_t0 > line->t0 ? o->window_t0 : line->t0;
	*t1 = o->window_t1 < line->t1 ? o->window_t1 : line->t1;
	return 0;
}

bool vgic_plot_endless(const struct vgic_plot_cell *c)
{
	return c->outcome == VGIC_PLOT_LIVELOCK;
}

struct vgic_plot_column *vgic_plot_columns(const struct vgic_plot_result *res, int *nr)
{
	struct vgic_plot_column *cols;
	int n = 0, i;

	cols = calloc((size_t)res->nr_cells + 1, sizeof(*cols));
	*nr = 0;
	if (!cols)
		return NULL;
	if (res->recorded)
		cols[n++] = (struct vgic_plot_column){res->recorded, -0.8, true};
	for (i = 0; i < res->nr_cells; i++)
		cols[n++] = (struct vgic_plot_column){&res->cells[i], i + 1, false};
	*nr = n;
	return cols;
}

const struct vgic_plot_cell **vgic_plot_selected(const struct vgic_plot_result *res, int *nr)
{
	const struct vgic_plot_cell **list = calloc((size_t)res->nr_cells + 1, sizeof(*list));
	int i;

	*nr = 0;
	for (i = 0; list && i < res->nr_cells; i++) {
		int n = res->cells[i].nr_lr;

		if (res->nr_cells <= 6 || (n & (n - 1)) == 0 || n == res->nr_lr)
			list[(*nr)++] = &res->cells[i];
	}
	return list;
}

static bool has_line(const struct vgic_plot_cell *c)
{
	return c->timeline && c->timeline->t1 > c->timeline->t0;
}

const struct vgic_plot_cell *vgic_plot_line_cell(const struct vgic_plot_result *res)
{
	const struct vgic_plot_cell *only = NULL, *same = NULL;
	int i, n = 0;

	for (i = 0; i < res->nr_cells; i++) {
		if (!has_line(&res->cells[i]) || vgic_plot_endless(&res->cells[i]))
			continue;
		n++;
		if (!only)
			only = &res->cells[i];
		if (res->cells[i].nr_lr == res->nr_lr)
			same = &res->cells[i];
	}
	/* One of many: somebody asked for it. Else what happened comes before what would have. */
	if (n == 1 && res->nr_cells > 1)
		return only;
	if (res->recorded && has_line(res->recorded))
		return res->recorded;
	return same ? same : only;
}

double vgic_plot_axis_top(double value)
{
	double step, top;
	int i;

	if (!(value > 0))
		return 1;
	value *= 1.12;
	step = pow(10, floor(log10(value)));
	for (i = 2; i <= 20; i++) {
		top = step * i / 2;
		if (top >= value)
			return top;
	}
	return value;
}

/*
 * The guest's program and its arguments, without the path to it and without a timeout(1)
 * around it: hosts differ in those, the work does not.
 */
static const char *program(const char *guest)
{
	const char *word = guest, *slash;
	size_t n = strcspn(word, " ");

	for (slash = word + n; slash > word && slash[-1] != '/'; slash--)
		;
	if (strncmp(slash, "timeout ", 8))
		return slash;
	word += n;
	do {
		word += strspn(word, " ");
		n = strcspn(word, " ");
		slash = word;
		word += n;
	} while (*slash == '-');
	word += strspn(word, " ");
	return *word ? program(word) : slash;
}

bool vgic_plot_same_kind(const struct vgic_plot_result *a, const struct vgic_plot_result *b)
{
	if (a->hash[0] && !strcmp(a->hash, b->hash))
		return true;
	return a->guest[0] && !strcmp(program(a->guest), program(b->guest));
}

bool vgic_plot_same_stem(const struct vgic_plot_result *a, const struct vgic_plot_result *b)
{
	return !strcmp(a->stem, b->stem);
}
