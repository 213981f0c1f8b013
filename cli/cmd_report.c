// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vgicsim/explain.h>
#include <vgicsim/plot.h>
#include <vgicsim/verify.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "parts.h"
#include "pool.h"
#include "summary.h"

struct report_values {
	const char *dir;
	bool json, quiet;
	uint64_t worst, starved, threads;
};

#define AT(member) offsetof(struct report_values, member)

static const struct option options[] = {
	{'o', "output", OPT_STRING, AT(dir), "DIR", "directory of the report", 0, 0, NULL},
	{'n', "worst", OPT_NUMBER, AT(worst), "N", "how many of the longest waits are explained", 1,
	 1000, NULL},
	{'t', "starved", OPT_DURATION, AT(starved), "TIME",
	 "call an interrupt starved if it waited so long at the end (10ms)", 0, 0, NULL},
	{'T', "threads", OPT_NUMBER, AT(threads), "N",
	 "LR counts replayed at the same time (as many as there are CPUs)", 1, POOL_MAX_THREADS,
	 NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print the numbers of the page as JSON", 0, 0,
	 NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "do not print where the report is", 0, 0, NULL},
	{0}};

static const struct report_values defaults = {.worst = 10, .starved = 10000000};

/* What the commands found, and what they said. */
struct report {
	const struct report_values *v;
	const char *path, *name; /* name: without its folder */
	json_t *root, *warnings, *missing;
};

static int get_info(const struct report *r, json_t **o)
{
	return info_json(r->path, r->v->starved, o);
}

static int get_verify(const struct report *r, json_t **o)
{
	return verify_json(r->path, o);
}

static int get_explain(const struct report *r, json_t **o)
{
	return explain_json(r->path, r->v->worst, o);
}

static uint64_t all_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > POOL_MAX_THREADS ? POOL_MAX_THREADS : (uint64_t)n;
}

static int get_replay(const struct report *r, json_t **o)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int code;

	if (!f)
		return EXIT_OK;
	code = replay_json(r->path, r->v->threads ? r->v->threads : all_cpus(), f);
	if (!fclose(f) && code == EXIT_OK)
		*o = json_loadb(text, size, 0, NULL);
	free(text);
	return code;
}

/* The same text, whatever folder the recording lies in. */
static json_t *without_folder(const struct report *r, const char *text)
{
	const char *at = r->path == r->name ? NULL : strstr(text, r->path);
	json_t *s;
	char *copy;

	if (!at)
		return json_string(text);
	if (asprintf(&copy, "%.*s%s%s", (int)(at - text), text, r->name, at + strlen(r->path)) < 0)
		return NULL;
	s = json_string(copy);
	free(copy);
	return s;
}

static bool has(const json_t *list, const json_t *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), text))
			return true;
	return false;
}

/* What was said is told again on standard error, and once on the page. */
static void note_warnings(struct report *r, const json_t *said)
{
	const json_t *s;
	size_t i;

	json_array_foreach(said, i, s)
	{
		json_t *text = without_folder(r, json_string_value(s));

		if (!has(r->warnings, text)) {
			cli_warn("%s", json_string_value(s));
			json_array_append(r->warnings, text);
		}
		json_decref(text);
	}
}

/*
 * One command's part. One that cannot make anything of this recording is named with its reason;
 * only what goes wrong with the machine, and without which there is no report, ends it.
 */
static int add(struct report *r, const char *name, int (*get)(const struct report *, json_t **),
	       bool needed)
{
	json_t *said = json_array(), *o = NULL;
	const char *why;
	int code;

	cli_progress("%s", name);
	cli_collect(said);
	code = get(r, &o);
	cli_collect(NULL);
	cli_progress_end();
	why = json_array_size(said)
		      ? json_string_value(json_array_get(said, json_array_size(said) - 1))
		      : "nobody knows why";
	if (code == EXIT_OK && !o) {
		code = cli_fail(EXIT_SOFTWARE, "not enough memory");
	} else if (code == EXIT_OK) {
		note_warnings(r, said);
		json_object_set_new(r->root, name, o);
	} else if (needed || code != EXIT_INPUT) {
		cli_fail(code, "%s", why);
	} else {
		cli_warn("left out: %s: %s", name, why);
		json_array_append_new(r->missing, json_pack("{s:s, s:o}", "part", name, "why",
							    without_folder(r, why)));
		json_object_set_new(r->root, name, json_null());
		code = EXIT_OK;
	}
	json_decref(said);
	return code;
}

/* What names in the parts mean, for the page has only these. */
static json_t *words(void)
{
	json_t *exits = json_object(), *undecided = json_object(), *causes = json_object();
	char ec[8], other[16];

	for (unsigned int i = 0; i < SUMMARY_ECS; i++) {
		const char *name = summary_ec_name(i);

		snprintf(ec, sizeof(ec), "ec%02x", i);
		snprintf(other, sizeof(other), "EC %02x", i);
		json_object_set_new(exits, ec, json_string(name ? name : other));
	}
	for (int i = 0; i < VGIC_NR_UNDECIDED; i++)
		json_object_set_new(undecided, vgic_undecided_key(i),
				    json_string(vgic_undecided_name(i)));
	for (int i = 0; i < VGIC_CAUSES; i++)
		json_object_set_new(causes, vgic_cause_name((enum vgic_cause)i),
				    json_string(vgic_cause_text((enum vgic_cause)i)));
	return json_pack("{s:o, s:o, s:o}", "exits", exits, "undecided", undecided, "causes",
			 causes);
}

static int gather(struct report *r)
{
	int code;

	json_object_set_new(r->root, "format", json_string("vgicsim-report"));
	json_object_set_new(r->root, "version", json_integer(1));
	json_object_set_new(r->root, "tool",
			    json_pack("{s:s, s:s}", "name", "vgicsim", "version", VGICSIM_VERSION));
	json_object_set_new(r->root, "name", cli_json_string(r->name));
	json_object_set(r->root, "warnings", r->warnings);
	json_object_set(r->root, "missing", r->missing);
	json_object_set_new(r->root, "words", words());
	code = add(r, "info", get_info, true);
	if (!code)
		code = add(r, "verify", get_verify, false);
	if (!code)
		code = add(r, "explain", get_explain, false);
	if (!code)
		code = add(r, "replay", get_replay, false);
	return code;
}

static int write_page(const struct report *r)
{
	const struct vgic_plot_options o = {.dir = r->v->dir};
	struct vgic_plot_error error = {""};
	int err;

	cli_progress("drawing");
	err = vgic_plot_recording_write(r->root, &o, &error);
	cli_progress_end();
	if (err == -EINTR)
		return 130;
	if (err)
		return cli_fail(err == -ENOPKG			   ? EXIT_HOST
				: err == -ENOMEM || err == -ECHILD ? EXIT_SOFTWARE
								   : EXIT_OUTPUT,
				"%s", error.text);
	return EXIT_OK;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct report_values *v = values;
	const char *slash = strrchr(args->v[0], '/');
	struct report r = {
		.v = v,
		.path = args->v[0],
		.name = slash ? slash + 1 : args->v[0],
		.root = json_object(),
		.warnings = json_array(),
		.missing = json_array(),
	};
	int code;

	cli_show_reading();
	if (!v->dir && !v->json)
		code = cli_fail(EXIT_USAGE,
				"where to: say the directory of the report with -o DIR, "
				"or --json");
	else
		code = gather(&r);
	if (!code && v->dir)
		code = write_page(&r);
	if (!code && v->json)
		cli_print_json(stdout, json_incref(r.root), false);
	else if (!code && !v->quiet)
		printf("%s/report.html\n", v->dir);
	json_decref(r.root);
	json_decref(r.warnings);
	json_decref(r.missing);
	return code ? code : cli_finish_stdout();
}

static const char *const examples[] = {
	"vgicsim report run.vgr -o report          # report/report.html",
	"vgicsim report run.vgr -o report -n 50    # explains the fifty longest waits",
	"vgicsim report --json run.vgr | jq .verify.mismatches",
	NULL,
};

const struct command cmd_report = {
	.name = "report",
	.summary = "Make one page of everything that a recording tells",
	.usage = "[OPTIONS] FILE -o DIR",
	.options = options,
	.values_size = sizeof(struct report_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
	.notes = "The figures need gnuplot 5.4 or newer (Debian: gnuplot-nox).",
	.run = run,
};
