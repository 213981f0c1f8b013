// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <vgicsim/check.h>
#include "check_invariants.h"
#include "demand_file.h"
#include "exit.h"
#include "options.h"
#include "output.h"

struct check_values {
	bool invariants, strict, json, quiet;
	uint64_t limit, threads;
	const char *policy;
};

#define AT(member) offsetof(struct check_values, member)

static const struct option options[] = {
	{0, "invariants", OPT_FLAG, AT(invariants), NULL,
	 "check the laws of the vgic (rules 1 to 18) instead of the file", 0, 0, NULL},
	{0, "strict", OPT_FLAG, AT(strict), NULL,
	 "with --invariants: judge every kernel by what the newest promises", 0, 0, NULL},
	{'P', "policy", OPT_STRING, AT(policy), "NAME",
	 "with --invariants: kernel generation that promises; auto: the recorded kernel's", 0, 0,
	 NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing, the exit status tells", 0, 0,
	 NULL},
	{'n', "limit", OPT_NUMBER, AT(limit), "N", "print at most N findings of each rule", 0,
	 UINT64_MAX, NULL},
	THREADS_OPTION(AT(threads)),
	{0},
};

static const struct check_values defaults = {.limit = 20, .policy = "auto"};

struct state {
	const struct check_values *v;
	json_t *findings;
	uint64_t shown[VGR_NR_RULES];
};

static void report(void *ctx, const struct vgr_finding *f)
{
	struct state *s = ctx;

	if (s->v->quiet || s->shown[f->rule]++ >= s->v->limit)
		return;
	if (s->v->json)
		json_array_append_new(s->findings,
				      json_pack("{s:s, s:I, s:I, s:s}", "rule",
						vgr_rule_name(f->rule), "record",
						(json_int_t)f->record, "offset",
						(json_int_t)f->offset, "what", f->what));
	else if (f->record)
		printf("%s: record %" PRIu64 ": %s\n", vgr_rule_name(f->rule), f->record, f->what);
	else if (f->offset)
		printf("%s: byte %" PRIu64 ": %s\n", vgr_rule_name(f->rule), f->offset, f->what);
	else
		printf("%s: %s\n", vgr_rule_name(f->rule), f->what);
}

static const char *ending_name(enum vgr_ending e)
{
	return e == VGR_END_WHOLE ? "whole" : e == VGR_END_UNFINISHED ? "unfinished" : "cut";
}

static int print_json(struct state *s, const char *path, const struct vgr_reader *r,
		      const struct vgr_check_result *res)
{
	json_t *counts = json_object();
	char identity[24];
	int i;

	for (i = 0; i < VGR_NR_RULES; i++)
		json_object_set_new(counts, vgr_rule_name(i),
				    json_integer((json_int_t)res->findings[i]));
	snprintf(identity, sizeof(identity), "%016" PRIx64, vgr_reader_identity(r));
	return cli_print_json(
		stdout,
		json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:o, s:O}", "file",
			  path, "identity", identity, "ok", !res->total_findings, "ending",
			  ending_name(res->ending), "records", (json_int_t)res->records, "pairs",
			  (json_int_t)res->pairs, "lost", (json_int_t)res->lost, "racy",
			  (json_int_t)res->racy, "damaged_frames", (int)res->damaged_frames,
			  "findings_total", (json_int_t)res->total_findings, "findings_by_rule",
			  counts, "findings", s->findings),
		false);
}

static void print_summary(const struct state *s, const char *path,
			  const struct vgr_check_result *res)
{
	int i;

	for (i = 0; i < VGR_NR_RULES; i++) {
		if (s->shown[i] > s->v->limit)
			printf("%s: and %" PRIu64 " more\n", vgr_rule_name(i),
			       s->shown[i] - s->v->limit);
	}
	printf("%s: %s, %" PRIu64 " records, %" PRIu64 " flush/sync pairs, %" PRIu64 " lost: ",
	       path, ending_name(res->ending), res->records, res->pairs, res->lost);
	if (res->racy)
		printf("%" PRIu64 " owners changed meanwhile, ", res->racy);
	if (res->total_findings)
		printf("%" PRIu64 " findings\n", res->total_findings);
	else
		printf("nothing wrong\n");
}

static int check_file(const struct check_values *v, const char *path)
{
	const struct vgr_reader_opts opts = {.skip_damaged = true, .threads = cli_threads()};
	struct state s = {.v = v};
	struct vgr_check_result res;
	struct vgr_reader *r;
	struct vgr_error error;
	int err, ret;

	if (vgw_probe(path))
		return demand_check_file(path, v->json, v->quiet);
	if (vgr_reader_open(&r, path, &opts, &error))
		return cli_fail_recording(path, &error);
	s.findings = json_array();
	err = vgr_check(r, report, &s, &res);
	if (err == -ENOMEM) {
		ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	} else if (err) {
		ret = cli_fail_recording(path, vgr_reader_error(r));
	} else {
		if (s.v->json && !s.v->quiet)
			print_json(&s, path, r, &res);
		else if (!s.v->quiet)
			print_summary(&s, path, &res);
		ret = cli_finish_stdout();
		if (ret == EXIT_OK && res.total_findings)
			ret = EXIT_FINDING;
	}
	json_decref(s.findings);
	vgr_reader_close(r);
	return ret;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct check_values *v = values;
	const struct check_invariants_opts opts = {
		.policy = v->policy,
		.strict = v->strict,
		.json = v->json,
		.quiet = v->quiet,
		.limit = v->limit,
	};
	int ret = EXIT_OK;

	if (!v->invariants && (v->strict || strcmp(v->policy, "auto")))
		return cli_fail(EXIT_USAGE, "--strict and --policy go with --invariants: "
					    "see 'vgicsim check --help'");
	cli_set_threads(v->threads);
	/* All files are checked; the worst of them decides. */
	for (int i = 0; i < args->n; i++) {
		int one = v->invariants ? check_invariants(args->v[i], &opts)
					: check_file(v, args->v[i]);

		ret = one > ret ? one : ret;
	}
	return ret;
}

static const char *const examples[] = {
	"vgicsim check run.vgr          # exit status 0: nothing wrong",
	"vgicsim check -n 5 broken.vgr  # five findings of each rule",
	"vgicsim check --invariants run.vgr           # did the vgic lose or starve an interrupt?",
	"vgicsim check --invariants --strict old.vgr  # what would the newest kernel not have "
	"done?",
	NULL,
};

const struct command cmd_check = {
	.name = "check",
	.summary = "Check that a recording is whole, or that the vgic in it kept its laws",
	.usage = "[OPTIONS] FILE...",
	.options = options,
	.values_size = sizeof(struct check_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = INT_MAX,
	.examples = examples,
	.run = run,
};
