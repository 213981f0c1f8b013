// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "sweep.h"

struct sweep_values {
	struct replays_choice choice;
	struct option_list policies, profiles;
	const char *db, *output;
	bool json, csv, quiet;
};

#define AT(member) offsetof(struct sweep_values, member)

static const struct option options[] = {
	REPLAYS_LRS(AT(choice)),
	{'P', "policy", OPT_LIST, AT(policies), "NAME",
	 "policies as in replay with commas between, auto, or all; again for more", 0, 0, NULL},
	{0, "profile", OPT_LIST, AT(profiles), "FILE",
	 "costs and machine of this profile, or recorded: its own; again for more", 0, 0, NULL},
	REPLAYS_CONDITIONS(AT(choice)),
	{'T', "threads", OPT_NUMBER, AT(choice.threads), "N",
	 "cells replayed at the same time (default: one a CPU)", 1, POOL_MAX_THREADS, NULL},
	{0, "db", OPT_FILE, AT(db), "FILE",
	 "keep the results in this SQLite database, and take from it what is there", 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print the results as JSON instead of the table", 0,
	 0, NULL},
	{0, "csv", OPT_FLAG, AT(csv), NULL, "print one line of values a cell instead of the table",
	 0, 0, NULL},
	{'o', "output", OPT_FILE, AT(output), "FILE", "write the results as JSON to FILE", 0, 0,
	 NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print no table", 0, 0, NULL},
	{0}};

/* No threads: as many as there are CPUs. */
static const struct sweep_values defaults = {
	.choice = {.lrs = {1, REPLAYS_MAX_LRS},
		   .arrivals = "causal",
		   .seed = 1,
		   .mi_delay = UINT64_MAX},
};

static int fill(struct sweep *s, const struct sweep_values *v, const struct cli_args *args)
{
	int code = EXIT_OK, ret;

	s->choice = v->choice;
	if (!s->choice.threads)
		s->choice.threads = pool_cpus();
	for (size_t i = 0; i < v->policies.n && !code; i++)
		code = sweep_add_policies(s, v->policies.v[i]);
	if (!code && !v->policies.n)
		code = sweep_add_policies(s, "auto");
	for (size_t i = 0; i < v->profiles.n && !code; i++)
		code = sweep_add_profile(s, v->profiles.v[i]);
	if (!code && !v->profiles.n)
		code = sweep_add_profile(s, "recorded");
	if (!code)
		code = sweep_add_inputs(s, args->v, (size_t)args->n);
	if (code || !v->db)
		return code;
	ret = sweep_hash_file("/proc/self/exe", s->build, sizeof(s->build));
	if (ret)
		return cli_fail(EXIT_HOST, "cannot tell which vgicsim this is: /proc/self/exe: %s",
				strerror(-ret));
	return sweep_db_open(&s->db, v->db);
}

static int write_file(struct sweep *s, const char *path)
{
	struct vgic_outfile o = {0};
	int ret = vgic_outfile_open(&o, path), code = EXIT_OK;

	if (!ret) {
		code = sweep_write_json(s, o.f);
		if (code)
			vgic_outfile_abandon(&o);
		else
			ret = vgic_outfile_commit(&o);
	}
	if (ret)
		code = cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", path, strerror(-ret));
	return code;
}

static int hand_out(struct sweep *s, const struct sweep_values *v)
{
	int code = v->output ? write_file(s, v->output) : EXIT_OK, end;

	if (code)
		return code;
	if (v->json)
		code = sweep_write_json(s, stdout);
	else if (v->csv)
		code = sweep_print_csv(s);
	else if (!v->quiet)
		code = sweep_print_table(s);
	end = cli_finish_stdout();
	return code ? code : end;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct sweep_values *v = values;
	struct sweep *s = calloc(1, sizeof(*s));
	int code, printed;

	if (!s)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	code = v->json && v->csv ? cli_fail(EXIT_USAGE, "one of two: --json, --csv: leave one out")
				 : fill(s, v, args);
	if (!code) {
		code = sweep_run(s);
		/* What could be done is of use whatever could not. */
		if (!s->stopped) {
			printed = hand_out(s, v);
			code = code ? code : printed;
		}
	}
	sweep_finish(s);
	free(s);
	return code;
}

static const char *const examples[] = {
	"vgicsim sweep --policy all *.vgr                  # every kernel, 1 to 16 LRs",
	"vgicsim sweep -l 2-8 --db design.db runs/*.vgw    # killed, the same line goes on",
	"vgicsim sweep --profile recorded --profile host.ini -o two.json run.vgr",
	"vgicsim plot two.json -o report",
	NULL,
};

const struct command cmd_sweep = {
	.name = "sweep",
	.summary = "Replay many workloads with many configurations, and keep the results",
	.usage = "[OPTIONS] FILE...",
	.options = options,
	.values_size = sizeof(struct sweep_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = -1,
	.examples = examples,
	.run = run,
};
