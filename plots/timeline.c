// SPDX-License-Identifier: GPL-2.0-only
/* Data for timeline.gp: who sat in which list register when. */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define ROW   34  /* pixels of a row */
#define LEFT  118 /* pixels in front of the axes */
#define RIGHT 34
#define WIDTH 1200
#define DIGIT 8.4 /* pixels of a digit of the labels */

static const char *const state_name[] = {"pending", "active", "both"};

/* The list registers that ever held something stand first to last; the rest are named in words. */
static int rows_of(const struct vgic_plot_cell *c)
{
	int i, rows = 1;

	for (i = 0; i < c->timeline->nr_segments; i++)
		if (c->timeline->segments[i].lr + 1 > rows)
			rows = c->timeline->segments[i].lr + 1;
	return c->nr_lr > rows && c->nr_lr <= 16 ? c->nr_lr : rows;
}

/* Where one interrupt follows another in an LR without a gap: a thin line between them. */
static void write_cuts(struct vgic_plot_job *job, const struct vgic_plot_timeline *line, int64_t t0,
		       int64_t t1, double unit)
{
	const struct vgic_plot_segment *last[VGIC_PLOT_LRS] = {NULL};
	int i, n = 0;

	vgic_plot_block(job->data, "cuts");
	for (i = 0; i < line->nr_segments; i++) {
		const struct vgic_plot_segment *s = &line->segments[i], *before = last[s->lr];

		last[s->lr] = s;
		if (!before || before->t1 != s->t0 || before->intid == s->intid || s->t0 <= t0 ||
		    s->t0 >= t1)
			continue;
		n++;
		fprintf(job->data, "%.6g %d\n", (double)(s->t0 - t0) / unit, s->lr);
	}
	fprintf(job->vars, "CUTS = %d\n", n > 0);
}

static void write_segments(struct vgic_plot_job *job, const struct vgic_plot_timeline *line,
			   int64_t t0, int64_t t1, double unit)
{
	double pixel = (double)(t1 - t0) / (WIDTH - LEFT - RIGHT);
	int state, i, n;

	for (state = 0; state < 3; state++) {
		fprintf(job->data, "\n\n# %s\n", state_name[state]);
		for (n = 0, i = 0; i < line->nr_segments; i++) {
			const struct vgic_plot_segment *s = &line->segments[i];
			int64_t from = s->t0 > t0 ? s->t0 : t0, to = s->t1 < t1 ? s->t1 : t1;
			double a, b;

			if ((int)s->state != state || s->t1 < t0 || s->t0 >= t1)
				continue;
			n++;
			/* Never thinner than the eye can see. */
			if ((double)(to - from) < pixel)
				to = from + (int64_t)pixel;
			a = (double)(from - t0) / unit;
			b = (double)(to - t0) / unit;
			fprintf(job->data, "%.6g %d %.6g %.6g %g %g\n", a, s->lr, a, b, s->lr - 0.4,
				s->lr + 0.4);
		}
		fprintf(job->vars, "HAS_%s = %d\n", state_name[state], n > 0);
	}
	write_cuts(job, line, t0, t1, unit);
	/* Neighbours of one INTID carry its number once: on the widest of its states. */
	for (state = 0; state < 2; state++) {
		vgic_plot_block(job->data, state ? "labels_light" : "labels_dark");
		for (n = 0, i = 0; i < line->nr_segments; i++) {
			const struct vgic_plot_segment *s = &line->segments[i];
			int64_t from = s->t0 > t0 ? s->t0 : t0, to = s->t1 < t1 ? s->t1 : t1;
			char intid[24];

			if ((s->state == VGIC_PLOT_ACTIVE) != (state == 1))
				continue;
			snprintf(intid, sizeof(intid), "%lld", (long long)s->intid);
			if ((double)(to - from) < (6 + DIGIT * (double)strlen(intid)) * pixel)
				continue;
			n++;
			fprintf(job->data, "%.6g %d \"%s\"\n",
				((double)(from - t0) + (double)(to - t0)) / 2 / unit, s->lr, intid);
		}
		fprintf(job->vars, "%s = %d\n", state ? "LABELS_LIGHT" : "LABELS_DARK", n > 0);
	}
}

/* A lane per source above the list registers. Gives the number of lanes. */
static int write_marks(struct vgic_plot_job *job, const struct vgic_plot_timeline *line, int64_t t0,
		       int64_t t1, double unit)
{
	int s, i, n, lanes = 0, total = 0;

	for (s = 0; s < VGIC_PLOT_NR_MI; s++) {
		for (n = 0, i = 0; i < line->nr_marks; i++) {
			if (!(line->marks[i].sources & (1u << s)) || line->marks[i].t < t0 ||
			    line->marks[i].t >= t1)
				continue;
			if (!n++) {
				lanes++;
				fprintf(job->data, "\n\n# lane_%d\n", lanes);
				fprintf(job->vars, "name_lane_%d = 'MI: %s'\n", lanes,
					vgic_plot_mi_name[s]);
			}
			fprintf(job->data, "%.6g %d\n", (double)(line->marks[i].t - t0) / unit,
				-lanes);
			total++;
		}
	}
	fprintf(job->vars, "LANES = %d\nMARKS = %d\n", lanes, total);
	vgic_plot_block(job->data, "rules");
	for (i = 0; i < line->nr_marks; i++)
		if (line->marks[i].t >= t0 && line->marks[i].t < t1)
			fprintf(job->data, "%.6g\n", (double)(line->marks[i].t - t0) / unit);
	return lanes;
}

static void write_overflow(struct vgic_plot_job *job, const struct vgic_plot_timeline *line,
			   int64_t t0, int64_t t1, double unit)
{
	int64_t depth = 0, top = 0;
	double end;
	int i;

	vgic_plot_block(job->data, "overflow");
	for (i = 0; i < line->nr_overflow && line->overflow[i].at <= t0; i++)
		depth = line->overflow[i].value;
	fprintf(job->data, "0 %lld\n", (long long)depth);
	top = depth;
	for (; i < line->nr_overflow && line->overflow[i].at < t1; i++) {
		depth = line->overflow[i].value;
		fprintf(job->data, "%.6g %lld\n", (double)(line->overflow[i].at - t0) / unit,
			(long long)depth);
		if (depth > top)
			top = depth;
	}
	fprintf(job->data, "%.6g %lld\n", (double)(t1 - t0) / unit, (long long)depth);
	end = top < 4 ? 4.4 : vgic_plot_axis_top((double)top);
	fprintf(job->vars, "DEEPEST = %.6g\n", end);
	vgic_plot_tics(job->vars, "depth_tics", end);
}

int vgic_plot_timeline(struct vgic_plot_job *job)
{
	const struct vgic_plot_cell *c = vgic_plot_line_cell(job->res);
	const struct vgic_plot_timeline *line = c ? c->timeline : NULL;
	struct vgic_plot_text from, to, width;
	const char *name = "ns";
	double unit = 1;
	int64_t t0, t1;
	int rows, lanes;

	if (!line) {
		snprintf(job->note, job->note_size, "the result holds no time line");
		return 0;
	}
	if (vgic_plot_window(line, job->options, &t0, &t1))
		return vgic_plot_fail(job->err, -ERANGE, "the window is outside the time line");
	if (t1 - t0 >= 10000000) {
		name = "ms";
		unit = 1e6;
	} else if (t1 - t0 >= 10000) {
		name = "µs";
		unit = 1e3;
	}
	rows = rows_of(c);
	write_segments(job, line, t0, t1, unit);
	lanes = write_marks(job, line, t0, t1, unit);
	write_overflow(job, line, t0, t1, unit);
	from = vgic_plot_ns_exact(t0);
	width = vgic_plot_ns_exact(t1 - t0);
	fprintf(job->vars,
		"ROWS = %d\nROW = %d\nEND = %.10g\nXLABEL = 'time from %s after the start (%s)'\n",
		rows, ROW, (double)(t1 - t0) / unit, from.s, name);
	fprintf(job->vars, "LEFT = %d\nRIGHT = %d\nW = %d\nH = %d\n", LEFT, RIGHT, WIDTH,
		104 + ROW * (rows + lanes) + 18 + 120 + 72);
	to = vgic_plot_ns_exact(t1);
	snprintf(job->note, job->note_size,
		 "Window: %s from %s to %s of vCPU %lld %s %d list registers.", width.s, from.s,
		 to.s, (long long)line->vcpu, c == job->res->recorded ? "as measured with" : "with",
		 c->nr_lr);
	return 1;
}
