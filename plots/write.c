// SPDX-License-Identifier: GPL-2.0-only
/* From results to a directory of figures: data, script, gnuplot, page, publish. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "internal.h"

struct writer {
	struct vgic_plot_result *const *results;
	int nr;
	const struct vgic_plot_options *options;
	struct vgic_plot_error *err;
	struct vgic_plot_stage stage;
	struct vgic_plot_drawn *drawn;
	int nr_drawn;
	const json_t *report; /* of a recording; NULL: the page is about the results */
};

static void write_titles(const struct writer *w, const struct vgic_plot_drawn *d, FILE *vars)
{
	const struct vgic_plot_result *res = d->res;

	fprintf(vars, "DATA = 'data/%s.dat'\nOUT = '%s'\nTITLE = '", d->base, d->base);
	vgic_plot_quote(vars, d->figure->title, 100);
	fprintf(vars, "'\nSUBTITLE = '");
	if (res) {
		vgic_plot_quote(vars, res->guest[0] ? res->guest : res->file, 80);
		fprintf(vars, " · ");
		vgic_plot_quote(vars, res->kernel[0] ? res->kernel : "kernel unknown", 30);
		if (res->nr_lr > 0)
			fprintf(vars, " · recorded with %d LR%s", res->nr_lr,
				res->nr_lr == 1 ? "" : "s");
		fprintf(vars, " · ");
		vgic_plot_quote(vars, res->policy, 30);
	} else {
		fprintf(vars, "%d results", w->nr);
	}
	fprintf(vars, "'\nW = 1200\nH = %d\n", d->figure->write == vgic_plot_latency ? 560 : 860);
}

/* Puts variables, common part and figure into one script that runs by itself. */
static int write_script(struct writer *w, const struct vgic_plot_drawn *d, const char *vars)
{
	char name[200];
	int error = 0;
	FILE *f;

	snprintf(name, sizeof(name), "data/%s.gp", d->base);
	f = vgic_plot_stage_file(&w->stage, name, w->err, &error);
	if (!f)
		return error;
	fprintf(f,
		"# SPDX-License-Identifier: GPL-2.0-only\n# Written by vgicsim plot.\n%s\n%s\n%s",
		vars, vgic_plot_embedded("common.gp"), vgic_plot_embedded(d->figure->script));
	return vgic_plot_stage_close(f, name, w->err);
}

static int draw(struct writer *w, const struct vgic_plot_figure *figure,
		const struct vgic_plot_result *res)
{
	struct vgic_plot_drawn *d = &w->drawn[w->nr_drawn++];
	struct vgic_plot_job job = {
		.res = res,
		.all = w->results,
		.nr_all = w->nr,
		.options = w->options,
		.latency = figure->latency,
		.note = d->note,
		.note_size = sizeof(d->note),
		.err = w->err,
	};
	char name[200], *vars = NULL;
	size_t len;
	int error = 0, drawn;

	d->figure = figure;
	d->res = res;
	vgic_plot_base(d->base, sizeof(d->base), w->results, w->nr, res, figure->name);
	job.vars = open_memstream(&vars, &len);
	if (!job.vars)
		return vgic_plot_fail(w->err, -ENOMEM, "not enough memory");
	snprintf(name, sizeof(name), "data/%s.dat", d->base);
	job.data = vgic_plot_stage_file(&w->stage, name, w->err, &error);
	if (!job.data)
		goto out;
	write_titles(w, d, job.vars);
	drawn = figure->write(&job);
	error = vgic_plot_stage_close(job.data, name,
				      drawn < 0 ? &(struct vgic_plot_error){""} : w->err);
	if (drawn < 0)
		error = drawn;
	if (error || !drawn)
		goto out;
	fflush(job.vars);
	error = write_script(w, d, vars);
	snprintf(name, sizeof(name), "data/%s.gp", d->base);
	/* The page needs the SVG, wanted as a file or not. */
	if (!error)
		error = vgic_plot_gnuplot(w->stage.temp, name, w->options->formats | VGIC_PLOT_SVG,
					  w->err);
	d->drawn = !error;
out:
	fclose(job.vars);
	free(vars);
	return error;
}

static int draw_all(struct writer *w)
{
	const struct vgic_plot_figure *figure;
	int error = 0, i;

	if (w->nr > 1)
		error = draw(w, &vgic_plot_comparison, NULL);
	for (i = 0; i < w->nr && !error; i++)
		for (figure = vgic_plot_figures; figure->name && !error; figure++)
			error = draw(w, figure, w->results[i]);
	return error;
}

/* A window that no result's time line reaches is a mistake; say so before drawing. */
static int check_window(struct writer *w)
{
	const struct vgic_plot_cell *c;
	struct vgic_plot_text from, to;
	int64_t t0, t1;
	int i;

	for (i = 0; i < w->nr && w->options->has_window; i++) {
		c = vgic_plot_line_cell(w->results[i]);
		if (!c)
			return vgic_plot_fail(w->err, -ERANGE,
					      "%s: no time line in it: leave out --window",
					      w->results[i]->path);
		if (!vgic_plot_window(c->timeline, w->options, &t0, &t1))
			continue;
		from = vgic_plot_ns_exact(c->timeline->t0);
		to = vgic_plot_ns_exact(c->timeline->t1);
		return vgic_plot_fail(
			w->err, -ERANGE,
			"%s: the window is outside its time line: choose within %s to %s",
			w->results[i]->path, from.s, to.s);
	}
	return 0;
}

static int write_report(struct writer *w)
{
	int error = 0, closed;
	FILE *f = vgic_plot_stage_file(&w->stage, "report.html", w->err, &error);

	if (!f)
		return error;
	if (w->report)
		error = vgic_plot_recording_page(&w->stage, f, w->report,
						 w->nr ? w->results[0] : NULL, w->drawn,
						 w->nr_drawn, w->err);
	else
		error = vgic_plot_report(&w->stage, f, w->results, w->nr, w->drawn, w->nr_drawn,
					 w->err);
	closed = vgic_plot_stage_close(f, "report.html", w->err);
	return error ? error : closed;
}

static int write_all(struct writer *w)
{
	const struct vgic_plot_options *options = w->options;
	const struct vgic_plot_figure *figure;
	int per_result = 0, error;

	for (figure = vgic_plot_figures; figure->name; figure++)
		per_result++;
	w->drawn = calloc((size_t)w->nr * (size_t)per_result + 1, sizeof(*w->drawn));
	if (!w->drawn)
		return vgic_plot_fail(w->err, -ENOMEM, "not enough memory");
	vgic_plot_signals_begin();
	error = check_window(w);
	if (!error && w->nr)
		error = vgic_plot_find_gnuplot(w->err);
	if (!error)
		error = vgic_plot_stage_open(&w->stage, options->dir, w->err);
	if (!error)
		error = draw_all(w);
	if (!error)
		error = write_report(w);
	if (!error && vgic_plot_interrupted())
		error = vgic_plot_fail(w->err, -EINTR, "interrupted");
	if (!error && !(options->formats & VGIC_PLOT_SVG))
		error = vgic_plot_stage_drop_ending(&w->stage, ".svg", w->err);
	if (!error)
		error = vgic_plot_stage_publish(&w->stage, w->err);
	vgic_plot_stage_finish(&w->stage);
	vgic_plot_signals_end();
	free(w->drawn);
	return error;
}

int vgic_plot_write(struct vgic_plot_result *const *results, int nr_results,
		    const struct vgic_plot_options *options, struct vgic_plot_error *err)
{
	struct writer w = {
		.results = results,
		.nr = nr_results,
		.options = options,
		.err = err,
	};

	return write_all(&w);
}

int vgic_plot_recording_write(const void *report, const struct vgic_plot_options *options,
			      struct vgic_plot_error *err)
{
	struct vgic_plot_result *res = NULL;
	json_t *replay = json_object_get(report, "replay");
	const char *name = vgic_plot_str(report, "name");
	struct writer w = {.options = options, .err = err, .report = report};
	int error = 0;

	if (json_is_object(replay))
		error = vgic_plot_from_json(replay, name, &res, err);
	if (res) {
		/* The page is the same wherever the recording lies. */
		free(res->file);
		res->file = strdup(name);
		if (!res->file)
			error = vgic_plot_fail(err, -ENOMEM, "not enough memory");
	}
	w.results = &res;
	w.nr = res != NULL;
	if (!error)
		error = write_all(&w);
	vgic_plot_free(res);
	return error;
}
