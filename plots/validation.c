// SPDX-License-Identifier: GPL-2.0-only
/* Predictions against real runs: the correlation figure and its page. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define NAME	  "correlation"
#define MOST_ROWS 40

enum panel { PANEL_COUNTS, PANEL_LATENCY, NR_PANELS };

/* Quantities as the file names them; several may share a colour. */
static const struct {
	const char *key, *title;
	enum panel panel;
	const char *colour;
} quantities[] = {
	{"exits.total", "exits", PANEL_COUNTS, "0x0072B2"},
	{"mi.total", "MIs", PANEL_COUNTS, "0xD55E00"},
	{"dir_traps", "DIR traps", PANEL_COUNTS, "0xCC79A7"},
	{"eoicount_deactivations", "EOIcount", PANEL_COUNTS, "0xE69F00"},
	{"raise_to_lr.p50", "p50", PANEL_LATENCY, "0x56B4E9"},
	{"raise_to_lr.p99", "p99", PANEL_LATENCY, "0x009E73"},
};

#define NR_QUANTITIES (sizeof(quantities) / sizeof(quantities[0]))

struct point {
	const char *name, *kernel;
	int from, to;
	size_t quantity;
	double real, predicted, low, high, error;
	bool few;
};

struct vgic_plot_validation {
	char *path;
	json_t *root;
	struct point *points; /* judged ones; strings belong to root */
	size_t nr_points;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int add_points(struct vgic_plot_validation *v, const json_t *p, size_t *cap)
{
	const json_t *numbers = json_object_get(p, "numbers");

	for (size_t q = 0; q < NR_QUANTITIES; q++) {
		const json_t *n = json_object_get(numbers, quantities[q].key);
		const json_t *error = json_object_get(n, "error");
		struct point *at;

		if (!json_is_true(json_object_get(n, "judged")) ||
		    strcmp(text_of(p, "kernel"), text_of(p, "from_kernel")))
			continue;
		if (v->nr_points == *cap) {
			size_t more = *cap * 2 + 256;
			struct point *all = realloc(v->points, more * sizeof(*all));

			if (!all)
				return -ENOMEM;
			v->points = all;
			*cap = more;
		}
		at = &v->points[v->nr_points++];
		*at = (struct point){
			.name = text_of(p, "name"),
			.kernel = text_of(p, "kernel"),
			.from = (int)json_integer_value(json_object_get(p, "from_lrs")),
			.to = (int)json_integer_value(json_object_get(p, "lrs")),
			.quantity = q,
			.real = json_number_value(json_object_get(n, "real")),
			.predicted = json_number_value(json_object_get(n, "predicted")),
			.low = json_number_value(json_object_get(n, "low")),
			.high = json_number_value(json_object_get(n, "high")),
			.error = json_number_value(error),
			.few = !json_is_number(error),
		};
	}
	return 0;
}

bool vgic_plot_is_validation(const char *path)
{
	json_t *root = json_load_file(path, 0, NULL);
	bool is = root && !strcmp(text_of(root, "format"), VGIC_PLOT_VALIDATION);

	json_decref(root);
	return is;
}

int vgic_plot_validation_load(const char *path, struct vgic_plot_validation **out,
			      struct vgic_plot_error *err)
{
	struct vgic_plot_validation *v = calloc(1, sizeof(*v));
	json_error_t why;
	size_t i, cap = 0;
	json_t *p;
	int error;

	if (!v)
		return vgic_plot_fail(err, -ENOMEM, "not enough memory");
	v->path = strdup(path);
	v->root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!v->path || !v->root) {
		error = vgic_plot_fail(err, v->path ? -EINVAL : -ENOMEM, "%s: %s", path,
				       v->path ? why.text : "not enough memory");
		goto fail;
	}
	if (json_integer_value(json_object_get(v->root, "version")) != 1) {
		error = vgic_plot_fail(err, -ENOTSUP,
				       "%s: not version 1 of %s: use the vgicsim that wrote it",
				       path, VGIC_PLOT_VALIDATION);
		goto fail;
	}
	json_array_foreach(json_object_get(v->root, "predictions"), i, p)
	{
		error = add_points(v, p, &cap);
		if (error) {
			vgic_plot_fail(err, error, "not enough memory");
			goto fail;
		}
	}
	if (!v->nr_points) {
		error = vgic_plot_fail(err, -EINVAL, "%s: no prediction in it that can be judged",
				       path);
		goto fail;
	}
	*out = v;
	return 0;
fail:
	vgic_plot_validation_free(v);
	return error;
}

void vgic_plot_validation_free(struct vgic_plot_validation *v)
{
	if (!v)
		return;
	json_decref(v->root);
	free(v->points);
	free(v->path);
	free(v);
}

/* ---- the figure ---- */

/* Zero has no place on a decade axis: it stands on the lowest line. */
static double or_floor(double v, double floor_at)
{
	return v > floor_at ? v : floor_at;
}

static void write_panel(const struct vgic_plot_validation *v, enum panel panel, FILE *vars,
			FILE *data)
{
	const char *tag = panel == PANEL_COUNTS ? "count" : "time";
	double low = INFINITY, high = 0;
	int series = 0;

	for (size_t i = 0; i < v->nr_points; i++) {
		const struct point *p = &v->points[i];

		if (quantities[p->quantity].panel != panel)
			continue;
		low = p->real > 0 && p->real < low ? p->real : low;
		low = p->predicted > 0 && p->predicted < low ? p->predicted : low;
		high = fmax(high, fmax(p->real, p->predicted));
	}
	if (!(high > 0))
		low = high = 1;
	low = pow(10, floor(log10(low)));
	high = pow(10, ceil(log10(high * 1.01)));
	if (panel == PANEL_COUNTS)
		low /= 3;
	fprintf(vars, "%s_low = %.10g\n%s_high = %.10g\n", tag, low, tag, high);
	for (size_t q = 0; q < NR_QUANTITIES; q++) {
		size_t n = 0;

		if (quantities[q].panel != panel)
			continue;
		for (size_t i = 0; i < v->nr_points; i++)
			n += v->points[i].quantity == q;
		if (!n)
			continue;
		series++;
		fprintf(vars, "name_%s_%d = '%s (%zu)'\ncolour_%s_%d = %s\n", tag, series,
			quantities[q].title, n, tag, series, quantities[q].colour);
		fprintf(data, "\n\n# %s_%d\n", tag, series);
		for (size_t i = 0; i < v->nr_points; i++) {
			const struct point *p = &v->points[i];

			if (p->quantity == q)
				fprintf(data, "%.10g %.10g %.10g %.10g\n", or_floor(p->real, low),
					or_floor(p->predicted, low), or_floor(p->low, low),
					or_floor(p->high, low));
		}
	}
	fprintf(vars, "%s_series = %d\n", tag, series);
}

static int write_figure(const struct vgic_plot_validation *v, const struct vgic_plot_stage *stage,
			unsigned int formats, struct vgic_plot_error *err)
{
	char *vars = NULL;
	size_t len;
	int error = 0;
	FILE *head = open_memstream(&vars, &len), *f;

	if (!head)
		return vgic_plot_fail(err, -ENOMEM, "not enough memory");
	f = vgic_plot_stage_file(stage, "data/" NAME ".dat", err, &error);
	if (!f)
		goto out;
	fprintf(head,
		"DATA = 'data/" NAME ".dat'\nOUT = '" NAME "'\nW = 1200\nH = 680\n"
		"TITLE = 'Predicted against real'\nSUBTITLE = '%zu numbers of %zu predictions'\n",
		v->nr_points, json_array_size(json_object_get(v->root, "predictions")));
	fprintf(f, "# real predicted, smallest and largest of repeated real runs\n");
	write_panel(v, PANEL_COUNTS, head, f);
	write_panel(v, PANEL_LATENCY, head, f);
	error = vgic_plot_stage_close(f, "data/" NAME ".dat", err);
	if (error)
		goto out;
	fflush(head);
	f = vgic_plot_stage_file(stage, "data/" NAME ".gp", err, &error);
	if (!f)
		goto out;
	fprintf(f,
		"# SPDX-License-Identifier: GPL-2.0-only\n# Written by vgicsim plot.\n%s\n%s\n%s",
		vars, vgic_plot_embedded("common.gp"), vgic_plot_embedded(NAME ".gp"));
	error = vgic_plot_stage_close(f, "data/" NAME ".gp", err);
	/* The page needs the SVG, wanted as a file or not. */
	if (!error)
		error = vgic_plot_gnuplot(stage->temp, "data/" NAME ".gp", formats | VGIC_PLOT_SVG,
					  err);
out:
	fclose(head);
	free(vars);
	return error;
}

/* ---- the page ---- */

static void write_errors(FILE *f, const json_t *sum, const char *title)
{
	static const struct {
		const char *key, *name;
	} parts[] = {{"counts", "exits, MIs, DIR traps, EOIcount"},
		     {"mi_by_source", "MIs by source"},
		     {"occupancy", "LRs in use at entry"},
		     {"p50", "raise to LR, p50"},
		     {"p99", "raise to LR, p99"}};
	const json_t *errors = json_object_get(sum, "errors");
	const json_t *ranking = json_object_get(sum, "ranking");
	const json_t *outcomes = json_object_get(sum, "outcomes");
	json_int_t pairs = json_integer_value(json_object_get(ranking, "pairs"));
	json_int_t all = json_integer_value(json_object_get(sum, "predictions"));
	json_int_t held = json_integer_value(json_object_get(sum, "held_up"));

	if (!all)
		return;
	vgic_plot_table_open(
		f, title,
		"Error as a share of the real number. A count below 100 has no "
		"percentage that says anything; the largest difference of these stands "
		"on the right.");
	fprintf(f,
		"<thead><tr><th>%s</th><th>numbers</th>"
		"<th>mean error</th><th>largest</th><th>small counts</th><th>largest "
		"difference</th></tr></thead><tbody>\n",
		title);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const json_t *e = json_object_get(errors, parts[i].key);

		fprintf(f,
			"<tr><td class=\"text\">%s</td><td>%lld</td><td>%.2f %%</td><td>%.1f "
			"%%</td><td>%lld</td><td>%g</td></tr>\n",
			parts[i].name, (long long)json_integer_value(json_object_get(e, "n")),
			100 * json_number_value(json_object_get(e, "mean")),
			100 * json_number_value(json_object_get(e, "max")),
			(long long)json_integer_value(json_object_get(e, "few_n")),
			json_number_value(json_object_get(e, "few_max")));
	}
	vgic_plot_table_close(f);
	fprintf(f, "<p>Outcomes as foretold: %lld of %lld",
		(long long)json_integer_value(json_object_get(outcomes, "agrees")),
		(long long)(all - held));
	if (held)
		fprintf(f,
			"; %lld more predictions are from recordings whose guest was held up, so "
			"that its demand is not whole",
			(long long)held);
	fprintf(f, ".");
	if (pairs)
		fprintf(f, " Order of LR counts by MIs per interrupt: %lld of %lld pairs right.",
			(long long)(pairs - json_integer_value(json_object_get(ranking, "wrong"))),
			(long long)pairs);
	fprintf(f, "</p>\n");
}

static int farther(const void *pa, const void *pb)
{
	const struct point *const *a = pa, *const *b = pb;
	double x = fabs((*a)->error), y = fabs((*b)->error);

	if (x != y)
		return x < y ? 1 : -1;
	return *a < *b ? -1 : 1;
}

static int write_worst(FILE *f, const struct vgic_plot_validation *v, struct vgic_plot_error *err)
{
	const struct point **order = calloc(v->nr_points, sizeof(*order));
	size_t n = 0;

	if (!order)
		return vgic_plot_fail(err, -ENOMEM, "not enough memory");
	for (size_t i = 0; i < v->nr_points; i++)
		if (!v->points[i].few)
			order[n++] = &v->points[i];
	qsort(order, n, sizeof(*order), farther);
	vgic_plot_table_open(f, "Farthest off", "The predictions that are farthest off.");
	fprintf(f, "<thead><tr><th>guest</th><th>kernel</th><th>from LRs</th>"
		   "<th>to LRs</th><th>number</th><th>real</th><th>predicted</th><th>error</th>"
		   "</tr></thead><tbody>\n");
	for (size_t i = 0; i < n && i < MOST_ROWS; i++) {
		const struct point *p = order[i];

		fprintf(f, "<tr><td class=\"text\">");
		vgic_plot_html(f, p->name);
		fprintf(f, "</td><td class=\"text\">");
		vgic_plot_html(f, p->kernel);
		fprintf(f,
			"</td><td>%d</td><td>%d</td><td class=\"text\">%s</td><td>%.10g</td>"
			"<td>%.10g</td><td>%+.1f %%</td></tr>\n",
			p->from, p->to, quantities[p->quantity].key, p->real, p->predicted,
			100 * p->error);
	}
	vgic_plot_table_close(f);
	free(order);
	return 0;
}

static int write_page(const struct vgic_plot_validation *v, const struct vgic_plot_stage *stage,
		      struct vgic_plot_error *err)
{
	const json_t *config = json_object_get(v->root, "config");
	int error = 0, closed;
	FILE *f = vgic_plot_stage_file(stage, "report.html", err, &error), *svg;
	char *path;

	if (!f)
		return error;
	vgic_plot_page_open(f, "vgicsim plot", "Predictions against real runs",
			    "How good are the predictions?");
	fprintf(f,
		"<p class=\"lead\">%zu recordings of real kernels with different list register "
		"counts; those with ",
		json_array_size(json_object_get(v->root, "inputs")));
	vgic_plot_html(f, text_of(config, "from"));
	fprintf(f, " predict the others.</p>\n");
	if (asprintf(&path, "%s/" NAME ".svg", stage->temp) < 0) {
		error = vgic_plot_fail(err, -ENOMEM, "not enough memory");
		goto out;
	}
	svg = fopen(path, "re");
	free(path);
	if (!svg) {
		error = vgic_plot_fail(err, -errno, NAME ".svg: cannot read: %s", strerror(errno));
		goto out;
	}
	fprintf(f, "<figure id=\"" NAME "\">\n");
	error = vgic_plot_inline_svg(f, svg, NAME, "Predicted against real numbers");
	fclose(svg);
	if (error) {
		vgic_plot_fail(err, error, NAME ".svg: gnuplot made no usable picture");
		goto out;
	}
	fprintf(f, "<figcaption><b>Predicted against real.</b> Each point is one number of one "
		   "prediction: on the line it is exact, within the shaded band it is less than 15 "
		   "%% off. A count of zero stands on the lowest line. A horizontal bar is the "
		   "range of real runs that were repeated. <span class=\"files\">Numbers: "
		   "<code>data/" NAME ".dat</code></span></figcaption></figure>\n");
	write_errors(f, json_object_get(v->root, "same_kernel"), "Same kernel");
	write_errors(f, json_object_get(v->root, "another_kernel"), "Another kernel");
	error = write_worst(f, v, err);
	fprintf(f, "</main>\n<footer>Written by vgicsim %s from a validation of vgicsim ",
		VGICSIM_VERSION);
	vgic_plot_html(f, text_of(json_object_get(v->root, "tool"), "version"));
	fprintf(f, ", estimator ");
	vgic_plot_html(f, text_of(config, "estimator"));
	fprintf(f, ". What is compared and how: vgicsim-validate(1).");
	vgic_plot_page_close(f);
out:
	closed = vgic_plot_stage_close(f, "report.html", err);
	return error ? error : closed;
}

int vgic_plot_validation_write(const struct vgic_plot_validation *v,
			       const struct vgic_plot_options *options, struct vgic_plot_error *err)
{
	struct vgic_plot_stage stage = {0};
	int error;

	vgic_plot_signals_begin();
	error = vgic_plot_find_gnuplot(err);
	if (!error)
		error = vgic_plot_stage_open(&stage, options->dir, err);
	if (!error)
		error = write_figure(v, &stage, options->formats, err);
	if (!error)
		error = write_page(v, &stage, err);
	if (!error && vgic_plot_interrupted())
		error = vgic_plot_fail(err, -EINTR, "interrupted");
	if (!error && !(options->formats & VGIC_PLOT_SVG))
		error = vgic_plot_stage_drop_ending(&stage, ".svg", err);
	if (!error)
		error = vgic_plot_stage_publish(&stage, err);
	vgic_plot_stage_finish(&stage);
	vgic_plot_signals_end();
	return error;
}
