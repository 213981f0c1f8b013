// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/plot.h>
#include "exit.h"
#include "options.h"
#include "output.h"

struct plot_values {
	const char *dir, *format, *window;
	bool json, quiet;
};

#define AT(member) offsetof(struct plot_values, member)

static const struct option options[] = {
	{'o', "output", OPT_STRING, AT(dir), "DIR", "directory of the report (needed)", 0, 0, NULL},
	{0, "format", OPT_STRING, AT(format), "LIST", "svg, png or svg,png (default: both)", 0, 0,
	 NULL},
	{'w', "window", OPT_STRING, AT(window), "T0,T1",
	 "time line from T0 to T1, e.g. 12ms,12.5ms (default: the busiest)", 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print the numbers in the figures as JSON", 0, 0,
	 NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "do not print where the report is", 0, 0, NULL},
	{0},
};

static const struct plot_values defaults = {.format = "svg,png"};

static int parse_formats(const char *text, unsigned int *formats)
{
	size_t n;

	for (*formats = 0;; text += n + 1) {
		n = strcspn(text, ",");
		if (n == 3 && !strncmp(text, "svg", n))
			*formats |= VGIC_PLOT_SVG;
		else if (n == 3 && !strncmp(text, "png", n))
			*formats |= VGIC_PLOT_PNG;
		else
			return -EINVAL;
		if (!text[n])
			return 0;
	}
}

static int parse_window(const char *text, struct vgic_plot_options *o)
{
	const char *comma = strchr(text, ',');
	uint64_t t0, t1;
	char *first;
	int err;

	if (!comma)
		return -EINVAL;
	first = strndup(text, (size_t)(comma - text));
	if (!first)
		return -ENOMEM;
	err = parse_duration(first, &t0);
	free(first);
	if (!err)
		err = parse_duration(comma + 1, &t1);
	if (err || t1 <= t0 || t1 > INT64_MAX)
		return -EINVAL;
	o->has_window = true;
	o->window_t0 = (int64_t)t0;
	o->window_t1 = (int64_t)t1;
	return 0;
}

/* The exit code for an error of vgic_plot_write(). */
static int code_of(int err)
{
	switch (err) {
	case -ENOPKG:
		return EXIT_HOST;
	case -ERANGE:
		return EXIT_USAGE;
	case -ENOMEM:
	case -ECHILD:
		return EXIT_SOFTWARE;
	default:
		return EXIT_OUTPUT;
	}
}

static int print_summary(struct vgic_plot_result *const *results, int nr,
			 const struct vgic_plot_options *o)
{
	json_t *summary = vgic_plot_summary(results, nr, o);

	if (!summary)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	cli_print_json(stdout, summary, false);
	return cli_finish_stdout();
}

/* Of 'vgicsim validate'. */
static int plot_validation(const struct plot_values *v, const char *path,
			   const struct vgic_plot_options *o)
{
	struct vgic_plot_validation *validation;
	struct vgic_plot_error error = {""};
	int err;

	if (v->json || v->window)
		return cli_fail(EXIT_USAGE,
				"not for a validation: %s: its numbers are in the file itself, and "
				"it has no time line",
				v->json ? "--json" : "--window");
	err = vgic_plot_validation_load(path, &validation, &error);
	if (err)
		return cli_fail(err == -ENOMEM ? EXIT_SOFTWARE : EXIT_INPUT, "%s", error.text);
	err = vgic_plot_validation_write(validation, o, &error);
	vgic_plot_validation_free(validation);
	if (err == -EINTR)
		return 130;
	if (err)
		return cli_fail(code_of(err), "%s", error.text);
	if (!v->quiet)
		printf("%s/report.html\n", o->dir);
	return cli_finish_stdout();
}

static int run(const void *values, const struct cli_args *args)
{
	const struct plot_values *v = values;
	struct vgic_plot_options o = {.dir = v->dir};
	struct vgic_plot_error error = {""};
	struct vgic_plot_result **results = NULL;
	int ret = EXIT_OK, nr = 0, err, i;

	if (!v->dir)
		return cli_fail(EXIT_USAGE,
				"where to: say the directory of the report with -o DIR");
	if (parse_formats(v->format, &o.formats))
		return cli_fail(EXIT_USAGE, "--format: '%s' is not svg, png or svg,png", v->format);
	if (v->window && parse_window(v->window, &o))
		return cli_fail(EXIT_USAGE, "--window: '%s' is not T0,T1 with T0 before T1",
				v->window);
	if (args->n == 1 && vgic_plot_is_validation(args->v[0]))
		return plot_validation(v, args->v[0], &o);
	for (i = 0; i < args->n && ret == EXIT_OK; i++) {
		err = vgic_plot_load(args->v[i], &results, &nr, &error);
		if (err)
			ret = cli_fail(err == -ENOMEM ? EXIT_SOFTWARE : EXIT_INPUT, "%s",
				       error.text);
	}
	if (ret == EXIT_OK) {
		err = vgic_plot_write(results, nr, &o, &error);
		if (err == -EINTR)
			ret = 130;
		else if (err)
			ret = cli_fail(code_of(err), "%s", error.text);
		else if (v->json)
			ret = print_summary(results, nr, &o);
		else if (!v->quiet)
			printf("%s/report.html\n", o.dir);
	}
	for (i = 0; i < nr; i++)
		vgic_plot_free(results[i]);
	free(results);
	return ret == EXIT_OK ? cli_finish_stdout() : ret;
}

static const char *const examples[] = {
	"vgicsim plot run.json -o report                     # report/report.html and its figures",
	"vgicsim plot old.json new.json -o both              # also compares them",
	"vgicsim plot run.json -o report --window 12ms,13ms  # that part of the time line",
	NULL,
};

const struct command cmd_plot = {
	.name = "plot",
	.summary = "Draw figures and a report from results of replay and sweep",
	.usage = "[OPTIONS] RESULT.json... -o DIR",
	.options = options,
	.values_size = sizeof(struct plot_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = -1,
	.examples = examples,
	.notes = "Needs gnuplot 5.4 or newer (Debian: gnuplot-nox).",
	.run = run,
};
