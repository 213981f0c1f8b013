// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include <vgicsim/replay.h>
#include <vgicsim/validation.h>
#include "demand.h"
#include "exit.h"
#include "options.h"
#include "output.h"
#include "pool.h"
#include "validation.h"

struct validate_values {
	const char *from, *output;
	uint64_t seed, threads, worst;
	double mean_count, max_count, mean_latency;
	bool across, json, quiet;
};

#define AT(member) offsetof(struct validate_values, member)

static const struct option options[] = {
	{0, "from", OPT_STRING, AT(from), "LIST", "LR counts that predict the others, as in 4,2,16",
	 0, 0, NULL},
	{0, "across", OPT_FLAG, AT(across), NULL,
	 "predict the other kernels' runs of the same guest, too", 0, 0, NULL},
	{0, "mean-count", OPT_PERCENT, AT(mean_count), "PERCENT",
	 "largest mean error of exits, MIs, DIR traps and EOIcount", 0, 0, NULL},
	{0, "max-count", OPT_PERCENT, AT(max_count), "PERCENT", "largest error of any of them", 0,
	 0, NULL},
	{0, "mean-latency", OPT_PERCENT, AT(mean_latency), "PERCENT",
	 "largest mean error of the p50 and p99 of raise to LR", 0, 0, NULL},
	{'n', "worst", OPT_NUMBER, AT(worst), "N", "list the N worst predictions", 0, UINT32_MAX,
	 NULL},
	{'s', "seed", OPT_NUMBER, AT(seed), "N", "seed of what the replays draw at random", 0,
	 UINT64_MAX, NULL},
	{'T', "threads", OPT_NUMBER, AT(threads), "N", "recordings replayed at the same time", 1,
	 POOL_MAX_THREADS, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{'o', "output", OPT_FILE, AT(output), "FILE",
	 "write the result as JSON to FILE, for 'vgicsim plot'", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print no tables", 0, 0, NULL},
	{0}};

static const struct validate_values defaults = {
	.from = "4",
	.worst = 20,
	.seed = 1,
	.threads = 1,
	.mean_count = 5,
	.max_count = 15,
	.mean_latency = 15,
};

struct session {
	const struct validate_values *v;
	struct validation val;
	bool from[VGR_MAX_LRS_V3 + 1];
	atomic_size_t next;
	atomic_int code; /* of the first run that failed */
	uint64_t started;
};

/* "4,2,16" */
static int parse_from(struct session *s)
{
	const char *text = s->v->from;

	for (;;) {
		size_t n = strcspn(text, ",");
		char word[8];
		uint64_t lrs;

		if (!n || n >= sizeof(word))
			break;
		memcpy(word, text, n);
		word[n] = '\0';
		if (parse_number(word, &lrs) || lrs < 1 || lrs > VGR_MAX_LRS_V3)
			break;
		s->from[lrs] = true;
		if (!text[n])
			return EXIT_OK;
		text += n + 1;
	}
	return cli_fail(EXIT_USAGE, "bad list: --from %s: LR counts from 1 to 16, as in 4,2,16",
			s->v->from);
}

/* What a recording is of; its numbers come later. */
static int look_at(struct validation_run *run, const char *path)
{
	struct vgr_reader *r = cli_open_pairs(path);
	const struct vgr_header *h;
	int code = EXIT_OK;

	if (!r)
		return EXIT_INPUT;
	h = vgr_reader_header(r);
	run->path = path;
	run->nr_lr = h->nr_lr;
	run->gic = h->gic_host;
	run->policy = vgic_policy_for_release(h->kernel_release);
	run->guest = strdup(h->guest_command);
	run->kernel = strdup(h->kernel_release);
	if (!run->guest || !run->kernel)
		code = cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	else if (h->nr_lr < 1 || h->nr_lr > VGR_MAX_LRS_V3)
		code = cli_fail(EXIT_INPUT,
				"%u list registers: %s: validate compares 1 to 16: leave it out",
				h->nr_lr, path);
	else if (!run->policy)
		code = cli_fail(EXIT_INPUT,
				"no policy for kernel %s: %s: nothing to predict it with",
				*run->kernel ? run->kernel : "(unknown)", path);
	else if (!*run->guest)
		code = cli_fail(EXIT_INPUT,
				"unknown guest: %s: record it with its command behind --: only "
				"runs of the same guest compare",
				path);
	vgr_reader_close(r);
	return code;
}

/* One recording: its own numbers, and what it predicts. */
static int predict(struct session *s, struct validation_run *run)
{
	struct vgr_reader *r = cli_open_pairs(run->path);
	struct demand demand;
	int code;

	if (!r)
		return EXIT_INPUT;
	code = demand_read(&demand, run->path, r, run->policy, NULL);
	if (code)
		goto out;
	run->hash = vgr_reader_identity(r);
	vgic_numbers_of(&run->truth, &demand.recorded);
	run->held = demand.recorded.outcome != VGIC_OUTCOME_COMPLETED;
	for (size_t i = 0; i < s->val.nr_cells && run->predicts; i++) {
		const struct validation_cell *to = &s->val.cells[i];
		struct vgic_replay_config c = {0};
		struct vgic_cell cell;
		int ret;

		if (!validation_predicts(&s->val, run->cell, i, s->v->across))
			continue;
		demand_machine(&c, vgr_reader_header(r), &demand);
		c.policy = to->policy;
		c.nr_lr = to->nr_lr;
		c.seed = s->v->seed;
		ret = vgic_replay(demand.workload, &c, &cell);
		if (ret) {
			code = cli_fail(EXIT_SOFTWARE, "replay with %u LRs failed: %s: %s",
					to->nr_lr, run->path, strerror(-ret));
			goto out;
		}
		vgic_numbers_of(&run->predicted[i], &cell);
		vgic_cell_finish(&cell);
	}
out:
	demand_finish(&demand);
	vgr_reader_close(r);
	return code;
}

static void work(void *opaque)
{
	struct session *s = opaque;

	for (;;) {
		size_t i = atomic_fetch_add(&s->next, 1);
		int none = EXIT_OK, code;
		char what[256];

		if (i >= s->val.nr_runs || atomic_load(&s->code))
			return;
		snprintf(what, sizeof(what), "%zu of %zu: %.200s", i + 1, s->val.nr_runs,
			 s->val.runs[i].path);
		cli_progress_share(what, (double)i / (double)s->val.nr_runs, s->started);
		code = predict(s, &s->val.runs[i]);
		if (code)
			atomic_compare_exchange_strong(&s->code, &none, code);
	}
}

static int predict_all(struct session *s)
{
	s->started = cli_clock();
	atomic_init(&s->next, 0);
	atomic_init(&s->code, EXIT_OK);
	pool_run(s->v->threads, work, s);
	cli_progress_end();
	return atomic_load(&s->code);
}

static int write_file(const struct session *s)
{
	struct vgic_outfile o = {0};
	int ret = vgic_outfile_open(&o, s->v->output);

	if (!ret && cli_print_json(o.f, validation_json(&s->val, s->v->from, s->v->seed), true))
		ret = -EIO;
	if (!ret)
		ret = vgic_outfile_commit(&o);
	else
		vgic_outfile_abandon(&o);
	if (ret)
		return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", s->v->output, strerror(-ret));
	return EXIT_OK;
}

static int hand_out(const struct session *s)
{
	const struct validation_limits limits = {
		.mean_count = s->v->mean_count / 100,
		.max_count = s->v->max_count / 100,
		.mean_latency = s->v->mean_latency / 100,
	};
	int code = EXIT_OK;

	if (s->v->output)
		code = write_file(s);
	if (code)
		return code;
	if (s->v->json)
		cli_print_json(stdout, validation_json(&s->val, s->v->from, s->v->seed), true);
	else if (!s->v->quiet)
		validation_print(&s->val, &limits, s->v->worst);
	code = cli_finish_stdout();
	if (code)
		return code;
	return validation_passes(&s->val, &limits) ? EXIT_OK : EXIT_FINDING;
}

static int run(const void *values, const struct cli_args *args)
{
	struct session s = {.v = values};
	int code = parse_from(&s);

	if (!code && validation_init(&s.val, (size_t)args->n))
		code = cli_fail(EXIT_SOFTWARE, "no memory");
	for (int i = 0; i < args->n && !code; i++) {
		code = look_at(&s.val.runs[i], args->v[i]);
		s.val.nr_runs++;
	}
	if (!code && validation_arrange(&s.val, s.from))
		code = cli_fail(EXIT_SOFTWARE, "no memory");
	if (!code && !validation_has_pairs(&s.val, s.v->across))
		code = cli_fail(EXIT_INPUT,
				"nothing to compare: %s: no guest was recorded with one of the LR "
				"counts of --from %s and with another",
				args->v[0], s.v->from);
	if (!code)
		code = predict_all(&s);
	if (!code && validation_conclude(&s.val, s.v->across))
		code = cli_fail(EXIT_SOFTWARE, "no memory");
	if (!code)
		code = hand_out(&s);
	validation_finish(&s.val);
	return code;
}

static const char *const examples[] = {
	"vgicsim validate burst-2.vgr burst-4.vgr burst-8.vgr     # 4 LRs predict the others",
	"vgicsim validate --from 4,2,16 -o validation.json runs/*/*.vgr",
	"vgicsim plot validation.json -o report", NULL};

const struct command cmd_validate = {
	.name = "validate",
	.summary = "Hold predictions for other list register counts against real runs",
	.usage = "[OPTIONS] FILE...",
	.options = options,
	.values_size = sizeof(struct validate_values),
	.defaults = &defaults,
	.min_args = 2,
	.max_args = -1,
	.examples = examples,
	.run = run,
};
