// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vgicsim/scenario.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "policy_option.h"

#define SUFFIX ".vgs"

struct run_values {
	const char *policy;
	uint64_t lrs, seed;
	bool json, quiet, matrix, check, strict;
};

#define AT(member) offsetof(struct run_values, member)

static const struct option options[] = {
	{'P', "policy", OPT_STRING, AT(policy), "NAME",
	 "kernel generation, with +switch=value if wanted; all: every one, and what the scenario "
	 "overrides; default: the scenario's",
	 0, 0, NULL},
	{'l', "lrs", OPT_NUMBER, AT(lrs), "N", "list registers instead of the scenario's", 1, 64,
	 NULL},
	{'s', "seed", OPT_NUMBER, AT(seed), "N", "seed of latencies that are ranges", 0, UINT64_MAX,
	 NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print one line of JSON for each run", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print only expectations that failed", 0, 0,
	 NULL},
	{0, "check", OPT_FLAG, AT(check), NULL,
	 "judge every entry and sync by the invariants of check --invariants", 0, 0, NULL},
	{0, "strict", OPT_FLAG, AT(strict), NULL,
	 "the same, and old kernels by what the newest promises", 0, 0, NULL},
	{0, "matrix", OPT_FLAG, AT(matrix), NULL,
	 "print the outcome of every scenario under every policy as a table in Markdown", 0, 0,
	 NULL},
	{0}};

static const struct run_values defaults = {.seed = 1};

/* One scenario and where it came from. */
struct file {
	char *path;
	const char *name; /* without folder and suffix */
	size_t name_len;
	struct vgic_scenario *scenario;
};

struct session {
	const struct run_values *v;
	struct file *files;
	size_t nr_files, cap_files;
	struct policy_option chosen; /* of --policy */
	const struct vgic_policy *policy;
	uint64_t runs, ok, failed, broken;
};

static int add_file(struct session *s, const char *path)
{
	struct file *f;
	const char *slash;
	size_t len;

	if (s->nr_files == s->cap_files) {
		size_t cap = s->cap_files ? s->cap_files * 2 : 64;

		f = realloc(s->files, cap * sizeof(*f));
		if (!f)
			return -ENOMEM;
		s->files = f;
		s->cap_files = cap;
	}
	f = &s->files[s->nr_files];
	memset(f, 0, sizeof(*f));
	f->path = strdup(path);
	if (!f->path)
		return -ENOMEM;
	slash = strrchr(f->path, '/');
	f->name = slash ? slash + 1 : f->path;
	len = strlen(f->name);
	if (len > strlen(SUFFIX) && !strcmp(f->name + len - strlen(SUFFIX), SUFFIX))
		len -= strlen(SUFFIX);
	f->name_len = len;
	s->nr_files++;
	return 0;
}

static int wanted(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > strlen(SUFFIX) && !strcmp(d->d_name + n - strlen(SUFFIX), SUFFIX);
}

static int add_folder(struct session *s, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, wanted, alphasort), err = 0;

	if (n < 0)
		return cli_fail(EXIT_INPUT, "cannot read folder: %s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char full[4096];

		snprintf(full, sizeof(full), "%s/%s", path, entries[i]->d_name);
		if (!err)
			err = add_file(s, full);
		free(entries[i]);
	}
	free(entries);
	if (!n)
		return cli_fail(EXIT_INPUT, "no scenario: %s: their names end in " SUFFIX, path);
	return err ? cli_fail(EXIT_SOFTWARE, "not enough memory") : EXIT_OK;
}

static char *slurp(const char *path, size_t *size)
{
	FILE *f = !strcmp(path, "-") ? stdin : fopen(path, "r");
	size_t cap = VGIC_SCENARIO_MAX_SIZE + 1;
	char *text = f ? malloc(cap) : NULL;

	if (text) {
		errno = 0;
		*size = fread(text, 1, cap, f);
		if (ferror(f)) {
			free(text);
			text = NULL;
		}
	}
	if (f && f != stdin)
		fclose(f);
	return text;
}

static int load(struct file *f)
{
	struct vgic_scenario_error error;
	size_t size;
	char *text = slurp(f->path, &size);
	int err;

	if (!text)
		return cli_fail(EXIT_INPUT, "cannot read: %s: %s", f->path, strerror(errno));
	err = vgic_scenario_parse(&f->scenario, text, size, &error);
	free(text);
	if (err == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	if (err)
		return cli_fail(EXIT_INPUT, "%s:%u: %s", f->path, error.line, error.text);
	return EXIT_OK;
}

static int choose_policy(struct session *s)
{
	const char *name = s->v->policy;
	int code;

	if (!name || !strcmp(name, "all"))
		return EXIT_OK;
	code = policy_option_choose(&s->chosen, name, NULL, NULL);
	s->policy = s->chosen.policy;
	return code;
}

static void print_event(const struct file *f, const struct vgic_scenario_event *e, bool quiet)
{
	bool colour = cli_color(stdout);

	switch (e->what) {
	case VGIC_SCENARIO_STEP:
		if (!quiet)
			printf("  t=%-4u %s\n", e->time, e->text);
		break;
	case VGIC_SCENARIO_SAID:
		if (!quiet)
			printf("  %s%s%s\n", colour ? CLI_BOLD : "", e->text,
			       colour ? CLI_RESET : "");
		break;
	case VGIC_SCENARIO_OK:
		if (!quiet)
			printf("  %sok%s     %s:%u: %s\n", colour ? CLI_GREEN : "",
			       colour ? CLI_RESET : "", f->path, e->line, e->text);
		break;
	case VGIC_SCENARIO_FAILED:
		printf("  %sFAILED%s %s:%u: %s\n", colour ? CLI_RED : "", colour ? CLI_RESET : "",
		       f->path, e->line, e->text);
		break;
	case VGIC_SCENARIO_BROKEN:
		printf("  %sBROKEN%s %s:%u: %s\n", colour ? CLI_RED : "", colour ? CLI_RESET : "",
		       f->path, e->line, e->text);
		break;
	}
}

static void print_result(const struct session *s, const struct file *f, const char *policy,
			 const struct vgic_scenario_result *r)
{
	bool quiet = s->v->quiet;

	if (!quiet || r->nr_failed || r->nr_broken)
		printf("%s: %s [%s, %u LRs]\n", f->path, vgic_scenario_title(f->scenario), policy,
		       r->nr_lr);
	for (size_t i = 0; i < r->nr_events; i++)
		print_event(f, &r->events[i], quiet);
	if (quiet)
		return;
	printf("  outcome: %s", r->outcome);
	for (size_t i = 0; i < r->nr_metrics; i++)
		printf(", %s %" PRIu64, r->metrics[i].name, r->metrics[i].value);
	printf("; expectations: %u ok, %u failed\n\n", r->nr_ok, r->nr_failed);
}

static json_t *event_json(const struct vgic_scenario_event *e)
{
	static const char *const what[] = {
		[VGIC_SCENARIO_STEP] = "step",	   [VGIC_SCENARIO_SAID] = "said",
		[VGIC_SCENARIO_OK] = "ok",	   [VGIC_SCENARIO_FAILED] = "failed",
		[VGIC_SCENARIO_BROKEN] = "broken",
	};

	return json_pack("{s:s, s:i, s:i, s:s}", "what", what[e->what], "line", (int)e->line,
			 "time", (int)e->time, "text", e->text);
}

static int print_json(const struct file *f, const char *policy,
		      const struct vgic_scenario_result *r)
{
	json_t *events = json_array(), *metrics = json_object();

	for (size_t i = 0; i < r->nr_events; i++)
		json_array_append_new(events, event_json(&r->events[i]));
	for (size_t i = 0; i < r->nr_metrics; i++)
		json_object_set_new(metrics, r->metrics[i].name,
				    json_integer((json_int_t)r->metrics[i].value));
	return cli_print_json(stdout,
			      json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:i, s:o, s:o}", "file",
					f->path, "title", vgic_scenario_title(f->scenario),
					"policy", policy, "lrs", (int)r->nr_lr, "outcome",
					r->outcome, "ok", (int)r->nr_ok, "failed",
					(int)r->nr_failed, "metrics", metrics, "events", events),
			      true);
}

static int run_one(struct session *s, const struct file *f, const struct vgic_policy *policy,
		   struct vgic_scenario_result *result)
{
	struct vgic_scenario_options o = {.policy = policy,
					  .nr_lr = (unsigned int)s->v->lrs,
					  .seed = s->v->seed,
					  .check = s->v->check,
					  .strict = s->v->strict};
	struct vgic_scenario_error error;
	int err = vgic_scenario_run(f->scenario, &o, result, &error);

	if (err == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	if (err)
		return cli_fail(EXIT_INPUT, "%s:%u: %s", f->path, error.line, error.text);
	s->runs++;
	s->ok += result->nr_ok;
	s->failed += result->nr_failed;
	s->broken += result->nr_broken;
	return EXIT_OK;
}

static int show_one(struct session *s, const struct file *f, const struct vgic_policy *policy)
{
	struct vgic_scenario_result result;
	int code = run_one(s, f, policy, &result);

	if (code)
		return code;
	if (s->v->json)
		code = print_json(f, policy->name, &result);
	else
		print_result(s, f, policy->name, &result);
	/* A corpus says of every policy what comes of it. */
	if (!result.judged && s->v->policy && !strcmp(s->v->policy, "all")) {
		s->failed++;
		if (!s->v->json)
			printf("  FAILED %s: nothing expects the outcome under %s: it is %s\n",
			       f->path, policy->name, result.outcome);
	}
	vgic_scenario_result_finish(&result);
	return code;
}

/* The table's policies, then the scenario's variants; NULL from the end on. */
static const struct vgic_policy *nth_policy(const struct file *f, size_t n)
{
	size_t nr_table = 0;

	while (vgic_policy_at(nr_table))
		nr_table++;
	return n < nr_table ? vgic_policy_at(n) : vgic_scenario_variant(f->scenario, n - nr_table);
}

static int show_file(struct session *s, const struct file *f)
{
	const struct vgic_policy *p;

	if (!s->v->policy || strcmp(s->v->policy, "all"))
		return show_one(s, f, s->policy ? s->policy : vgic_scenario_policy(f->scenario));
	for (size_t i = 0; (p = nth_policy(f, i)); i++) {
		int code = show_one(s, f, p);

		if (code)
			return code;
	}
	return EXIT_OK;
}

/* Outcome, the scenario's own words, its metrics. */
static int print_cell(struct session *s, const struct file *f, const struct vgic_policy *policy)
{
	struct vgic_scenario_result r;
	int code = run_one(s, f, policy, &r);

	if (code)
		return code;
	printf(" %s%s", r.nr_failed ? "FAILED, " : "", r.outcome);
	if (r.said)
		printf("; %s", r.said);
	for (size_t i = 0; i < r.nr_metrics; i++)
		printf("; %s %" PRIu64, r.metrics[i].name, r.metrics[i].value);
	printf(" |");
	vgic_scenario_result_finish(&r);
	return EXIT_OK;
}

static void print_link(const struct file *f)
{
	printf("| [%.*s](../%s) |", (int)f->name_len, f->name, f->path);
}

static int print_policies(struct session *s)
{
	const struct vgic_policy *p;

	printf("| scenario | |");
	for (size_t i = 0; (p = vgic_policy_at(i)); i++)
		printf(" %s |", p->name);
	printf("\n|---|---|");
	for (size_t i = 0; vgic_policy_at(i); i++)
		printf("---|");
	printf("\n");
	for (size_t n = 0; n < s->nr_files; n++) {
		const struct file *f = &s->files[n];

		print_link(f);
		printf(" %s |", vgic_scenario_title(f->scenario));
		for (size_t i = 0; (p = vgic_policy_at(i)); i++) {
			int code = print_cell(s, f, p);

			if (code)
				return code;
		}
		printf("\n");
	}
	return EXIT_OK;
}

static int print_variants(struct session *s)
{
	const struct vgic_policy *p;

	printf("\n## One switch at a time\n\n");
	printf("The scenario under its own policy, and with a switch of it turned.\n\n");
	printf("| scenario | patches | policy | outcome |\n|---|---|---|---|\n");
	for (size_t n = 0; n < s->nr_files; n++) {
		const struct file *f = &s->files[n];
		const uint8_t *patches;
		size_t nr = vgic_scenario_patches(f->scenario, &patches);

		for (size_t i = 0; i == 0 || vgic_scenario_variant(f->scenario, i - 1); i++) {
			int code;

			p = i ? vgic_scenario_variant(f->scenario, i - 1)
			      : vgic_scenario_policy(f->scenario);
			if (!i && !vgic_scenario_variant(f->scenario, 0))
				break;
			print_link(f);
			for (size_t k = 0; k < nr; k++)
				printf("%s%u", k ? ", " : " ", patches[k]);
			printf(" | `%s` |", p->name);
			code = print_cell(s, f, p);
			if (code)
				return code;
			printf("\n");
		}
	}
	return EXIT_OK;
}

static int matrix(struct session *s)
{
	int code;

	printf("<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
	       "<!-- Made by scripts/scenario-matrix; a test says when it is out of date. -->\n"
	       "# Scenarios\n\n"
	       "What each kernel generation makes of each scenario of `workloads/scenarios/`. "
	       "vgicsim-run(1) says what the\nwords mean; `vgicsim run FILE` shows what happens, "
	       "step by step.\n\n");
	code = print_policies(s);
	return code ? code : print_variants(s);
}

static void print_sum(const struct session *s)
{
	printf("%" PRIu64 " runs, expectations: %" PRIu64 " ok, %" PRIu64 " failed", s->runs, s->ok,
	       s->failed);
	if (s->v->check || s->v->strict)
		printf("; invariants broken: %" PRIu64, s->broken);
	printf("\n");
}

static int session_run(struct session *s, const struct cli_args *args)
{
	int code = choose_policy(s);

	for (int i = 0; i < args->n && !code; i++) {
		struct stat st;

		if (strcmp(args->v[i], "-") && !stat(args->v[i], &st) && S_ISDIR(st.st_mode))
			code = add_folder(s, args->v[i]);
		else if (add_file(s, args->v[i]))
			code = cli_fail(EXIT_SOFTWARE, "not enough memory");
	}
	for (size_t i = 0; i < s->nr_files && !code; i++)
		code = load(&s->files[i]);
	if (!code && s->v->matrix)
		code = matrix(s);
	for (size_t i = 0; i < s->nr_files && !code && !s->v->matrix; i++)
		code = show_file(s, &s->files[i]);
	if (code)
		return code;
	if (!s->v->json && !s->v->matrix && (s->runs > 1 || s->v->quiet))
		print_sum(s);
	code = cli_finish_stdout();
	return code ? code : s->failed || s->broken ? EXIT_FINDING : EXIT_OK;
}

static int run(const void *values, const struct cli_args *args)
{
	struct session s = {.v = values};
	int code = session_run(&s, args);

	for (size_t i = 0; i < s.nr_files; i++) {
		vgic_scenario_free(s.files[i].scenario);
		free(s.files[i].path);
	}
	free(s.files);
	policy_option_finish(&s.chosen);
	return code;
}

static const char *const examples[] = {
	"vgicsim run workloads/scenarios/slow-mi.vgs                    # what happens, step by "
	"step",
	"vgicsim run -P linux-6.19 workloads/scenarios/slow-mi.vgs      # the same on another "
	"kernel",
	"vgicsim run -P linux-7.3+replay=whole workloads/scenarios/slow-mi.vgs",
	"vgicsim run -q -P all workloads/scenarios                      # does everything hold?",
	NULL};

const struct command cmd_run = {
	.name = "run",
	.summary = "Run a scenario and check what it expects",
	.usage = "[OPTIONS] FILE|FOLDER ...",
	.options = options,
	.values_size = sizeof(struct run_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = -1,
	.examples = examples,
	.notes = "The language of scenarios is in vgicsim-scenario(5).",
	.run = run,
};
