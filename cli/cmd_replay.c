// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include <vgicsim/replay.h>
#include "exit.h"
#include "hgrm.h"
#include "latencies.h"
#include "options.h"
#include "output.h"
#include "parts.h"
#include "profile_option.h"
#include "replay_input.h"
#include "replays.h"
#include "result_json.h"

#define MAX_LRS REPLAYS_MAX_LRS

struct replay_values {
	struct replays_choice choice;
	const char *output, *explain, *timeline, *hgrm, *profile;
	bool json, quiet;
};

#define AT(member) offsetof(struct replay_values, member)

static const struct option options[] = {
	REPLAYS_OPTIONS(AT(choice)),
	{0, "profile", OPT_FILE, AT(profile), "FILE",
	 "costs and machine of this profile, not those of the recording", 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print the result as JSON instead of the table", 0,
	 0, NULL},
	{'o', "output", OPT_FILE, AT(output), "FILE", "write the result as JSON to FILE", 0, 0,
	 NULL},
	{'w', "timeline", OPT_STRING, AT(timeline), "LRS:T0,T1",
	 "keep the time line of this LR count in this window", 0, 0, NULL},
	{0, "hgrm", OPT_FILE, AT(hgrm), "DIR",
	 "write the latencies as percentile distributions to DIR (HdrHistogram, us)", 0, 0, NULL},
	{0, "explain", OPT_STRING, AT(explain), "METRIC",
	 "print what a metric means and stop; all: every one", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print no table", 0, 0, NULL},
	{0}};

/* No LR counts: those of the profile, or all. */
static const struct replay_values defaults = {
	.choice = {.policy = "auto",
		   .arrivals = "causal",
		   .seed = 1,
		   .mi_delay = UINT64_MAX,
		   .threads = 1},
};

/* Everything of one run of the command. */
struct session {
	const struct replay_values *v;
	struct replay_input in;
	struct policy_option chosen;
	const struct vgic_policy *policy;
	struct profile_option profile;
	struct option_range lrs;
	struct vgic_replay_config config;
	struct vgic_cell cells[MAX_LRS + 1]; /* by LR count; [0] unused */
	struct replays_ample ample;
	bool wanted[MAX_LRS + 1], done[MAX_LRS + 1];
	bool shared[MAX_LRS + 1]; /* what hangs on it belongs to another cell */
	int error[MAX_LRS + 1];
	unsigned int timeline_lrs; /* 0: every cell */
	FILE *into;		   /* the result goes there; NULL: where the options say */
};

static int explain(const char *name)
{
	const struct vgic_metric *m = vgic_metric_find(name);

	if (!strcmp(name, "all")) {
		for (size_t i = 0; (m = vgic_metric_at(i)); i++)
			printf("%s [%s]\n    %s\n", m->name, m->unit, m->text);
		return cli_finish_stdout();
	}
	if (!m)
		return cli_fail(EXIT_USAGE,
				"unknown metric: %s: --explain all lists those there are", name);
	printf("%s [%s]\n    %s\n", m->name, m->unit, m->text);
	return cli_finish_stdout();
}

/* LRS:T0,T1 */
static int parse_timeline(struct session *s)
{
	char copy[128];
	char *colon, *comma;
	uint64_t lrs, t0, t1;

	if (strlen(s->v->timeline) >= sizeof(copy))
		goto bad;
	strcpy(copy, s->v->timeline);
	colon = strchr(copy, ':');
	comma = colon ? strchr(colon, ',') : NULL;
	if (!comma)
		goto bad;
	*colon = *comma = '\0';
	if (parse_number(copy, &lrs) || parse_duration(colon + 1, &t0) ||
	    parse_duration(comma + 1, &t1) || lrs < 1 || lrs > MAX_LRS || t0 >= t1)
		goto bad;
	s->timeline_lrs = (unsigned int)lrs;
	s->config.timeline = true;
	s->config.timeline_t0 = t0;
	s->config.timeline_t1 = t1;
	return EXIT_OK;
bad:
	return cli_fail(
		EXIT_USAGE,
		"bad time line: %s: LRS:T0,T1 as in 4:1s,1005ms, LRS from 1 to 16, T0 before T1",
		s->v->timeline);
}

/* The time line shows where most happens, unless another stretch was asked for. */
static void choose_window(struct session *s, const struct demand_window *w)
{
	struct vgic_replay_config *c = &s->config;

	if (w->found && !c->timeline) {
		c->timeline_t0 = w->t0;
		c->timeline_t1 = w->t1;
	}
	c->timeline_vcpu = w->vcpu;
	c->timeline = w->found;
}

/* Two passes over a recording: the window, then the workload and the recording's own numbers. */
static int read_input(struct session *s)
{
	const struct vgic_policy *recorded = vgic_policy_for_release(s->in.header->kernel_release);
	struct demand_wishes wishes = {0};
	struct demand_window window;
	int code = replay_input_window(&s->in, &window);

	if (code)
		return code;
	choose_window(s, &window);
	wishes.timeline = s->config.timeline;
	wishes.vcpu = s->config.timeline_vcpu;
	wishes.t0 = s->config.timeline_t0;
	wishes.t1 = s->config.timeline_t1;
	return replay_input_read(&s->in, recorded ? recorded : s->policy, &wishes);
}

/* Fewer segments than this are no time line to look at. */
#define FEW_SEGMENTS 12u

/*
 * One LR count. The time line shows the recorded window; where the replay has
 * drifted away from it, the replay's own busiest stretch.
 */
static int replay_one(struct session *s, unsigned int nr_lr, struct vgic_cell *cell)
{
	struct vgic_replay_config c = s->config;
	const struct vgr_rec origin = {.type = VGR_VCPU};
	int ret;

	c.nr_lr = nr_lr;
	if (s->timeline_lrs && s->timeline_lrs != nr_lr)
		c.timeline = false;
	if (s->timeline_lrs || !c.timeline)
		return vgic_replay(s->in.demand.workload, &c, cell);
	ret = vgic_busy_create(&c.busy, DEMAND_WINDOW_NS, 0);
	if (ret)
		return ret;
	ret = vgic_busy_record(c.busy, &origin);
	if (!ret)
		ret = vgic_replay(s->in.demand.workload, &c, cell);
	if (!ret && cell->timeline.nr_segments < FEW_SEGMENTS &&
	    vgic_busy_window(c.busy, &c.timeline_vcpu, &c.timeline_t0, &c.timeline_t1)) {
		struct vgic_replay_config again = c;

		again.busy = NULL;
		vgic_cell_finish(cell);
		ret = vgic_replay(s->in.demand.workload, &again, cell);
	}
	vgic_busy_destroy(c.busy);
	return ret;
}

static int replay_cell(void *opaque, unsigned int nr_lr)
{
	struct session *s = opaque;
	struct vgic_cell *cell = &s->cells[nr_lr];
	const struct vgic_workload *wl = s->in.demand.workload;
	/* One LR count alone has a time line: no other has the same cell. */
	unsigned int ample = s->timeline_lrs ? 0 : replays_ample_for(&s->ample, wl, nr_lr);
	int ret;

	if (ample) {
		*cell = s->cells[ample];
		cell->nr_lr = nr_lr;
		s->done[nr_lr] = s->shared[nr_lr] = true;
		return 0;
	}
	ret = replay_one(s, nr_lr, cell);
	s->done[nr_lr] = !ret;
	/* The results of all are kept until the last one is over. */
	if (!ret)
		ret = vgic_cell_pack(cell);
	if (!ret)
		replays_ample_note(&s->ample, wl, cell);
	return ret;
}

static int replay_all(struct session *s)
{
	for (uint64_t n = s->lrs.first; n <= s->lrs.last; n++)
		s->wanted[n] = true;
	s->wanted[MAX_LRS] = true; /* what excess exits are counted from */
	replays_each(s->v->choice.threads, s->wanted, replay_cell, s, s->error);
	for (unsigned int n = 1; n <= MAX_LRS; n++) {
		if (s->error[n])
			return replays_fail(s->error[n], n, s->in.path);
		if (!s->done[n])
			continue;
		s->cells[n].excess_known =
			replays_excess(s->cells[n].outcome, s->cells[n].exits,
				       s->cells[MAX_LRS].outcome, s->cells[MAX_LRS].exits,
				       &s->cells[n].excess_exits);
	}
	return EXIT_OK;
}

static void print_row(const char *name, const struct vgic_cell *c)
{
	static const char *const outcomes[] = {"completed", "livelock", "starved"};
	const uint64_t *mi = c->mi_source;
	char least[24] = "-";

	if (c->bound_known)
		snprintf(least, sizeof(least), "%" PRIu64, c->bound_mi);
	printf("%-8s %-9s %9" PRIu64 " %8" PRIu64 " %7s %7" PRIu64 " %7" PRIu64 " %7" PRIu64
	       " %7" PRIu64 " %5" PRIu64 " %7" PRIu64 " %7" PRIu64 " %8" PRIu64 " %7" PRIu64
	       " %8" PRIu64 " %5" PRIu32 " %7" PRIu64 "\n",
	       name, outcomes[c->outcome], c->exits, c->mi, least, mi[1], mi[3], mi[2], mi[0],
	       mi[4] + mi[5] + mi[6] + mi[7], c->dir_traps, c->eoicount, c->interrupts, c->merged,
	       c->overflow_entries, c->overflow_max, c->inversions);
}

static const char *lrs_name(char *buf, size_t size, uint64_t n)
{
	snprintf(buf, size, "%" PRIu64 " LR%s", n, n == 1 ? "" : "s");
	return buf;
}

/* One latency of the recording, where it knows it, and of every LR count. */
static int print_latency(const struct session *s, enum vgic_latency kind, const char *title)
{
	const struct vgic_cell *recorded = &s->in.demand.recorded;
	char name[24];

	printf("\n");
	latencies_print_head(title);
	if (recorded->latency_known[kind] && latencies_print("recorded", &recorded->latency[kind]))
		return -ENOMEM;
	for (uint64_t n = s->lrs.first; n <= s->lrs.last; n++) {
		lrs_name(name, sizeof(name), n);
		if (s->cells[n].outcome == VGIC_OUTCOME_LIVELOCK)
			printf("%-22s live-lock: no numbers\n", name);
		else if (latencies_print(name, &s->cells[n].latency[kind]))
			return -ENOMEM;
	}
	return 0;
}

static int print_table(const struct session *s)
{
	char name[24];

	printf("%s: kernel %s, %u list registers, %" PRIu64 " flush/sync pairs\n", s->in.path,
	       *s->in.header->kernel_release ? s->in.header->kernel_release : "unknown",
	       s->in.header->nr_lr, s->in.demand.pairs);
	printf("policy %s, arrivals %s, estimator %s, seed %" PRIu64 "%s%s\n", s->policy->name,
	       s->v->choice.arrivals, VGIC_ESTIMATOR, s->v->choice.seed,
	       s->v->profile ? ", profile " : "", s->v->profile ? s->v->profile : "");
	printf("%-8s %-9s %9s %8s %7s %7s %7s %7s %7s %5s %7s %7s %8s %7s %8s %5s %7s\n", "LRs",
	       "outcome", "exits", "MIs", "bound", "U", "NP", "LRENP", "EOI", "Grp", "DIR",
	       "EOIcnt", "irqs", "merged", "overflow", "depth", "invers");
	if (replay_input_has_recorded(&s->in))
		print_row("recorded", &s->in.demand.recorded);
	else
		printf("recorded: the workload does not hold the numbers of the recording\n");
	for (uint64_t n = s->lrs.first; n <= s->lrs.last; n++) {
		snprintf(name, sizeof(name), "%" PRIu64, n);
		print_row(name, &s->cells[n]);
	}
	for (uint64_t n = s->lrs.first; n <= s->lrs.last; n++) {
		char detail[160];

		result_detail(&s->cells[n], detail, sizeof(detail));
		if (*detail)
			printf("%s: %s\n", lrs_name(name, sizeof(name), n), detail);
	}
	for (size_t i = 0; i < s->in.demand.recorded.nr_starved; i++)
		printf("recorded: INTID %u of vCPU %u stayed outside the LRs since %.3f ms\n",
		       s->in.demand.recorded.starved[i].intid,
		       s->in.demand.recorded.starved[i].vcpu,
		       (double)s->in.demand.recorded.starved[i].since_ns / 1e6);
	if (print_latency(s, VGIC_LATENCY_RAISE_TO_LR, "raise to LR") ||
	    print_latency(s, VGIC_LATENCY_RAISE_TO_ACK, "raise to acknowledge *"))
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", s->in.path);
	printf("In brackets 95 %% intervals. * ends inside a run: estimated.\n");
	return EXIT_OK;
}

/* The recording's and every LR count's; a live-lock has none. */
static int write_hgrm(const struct session *s)
{
	char path[4096], name[24];
	int ret =
		hgrm_write_cell(s->v->hgrm, "recorded", &s->in.demand.recorded, path, sizeof(path));

	for (uint64_t n = s->lrs.first; !ret && n <= s->lrs.last; n++) {
		if (s->cells[n].outcome == VGIC_OUTCOME_LIVELOCK)
			continue;
		snprintf(name, sizeof(name), "%" PRIu64 "-lrs", n);
		ret = hgrm_write_cell(s->v->hgrm, name, &s->cells[n], path, sizeof(path));
	}
	if (ret)
		return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", path, strerror(-ret));
	return EXIT_OK;
}

static int hand_out(struct session *s)
{
	struct vgic_result r = {
		.cells = &s->cells[s->lrs.first],
		.nr_cells = (size_t)(s->lrs.last - s->lrs.first + 1),
	};

	replay_input_describe(&s->in, &r);
	replays_describe(&r, &s->v->choice, &s->config);
	r.profile_file = s->v->profile;
	r.profile_hash = s->profile.hash;
	if (s->into)
		return result_write(s->into, &r)
			       ? cli_fail(EXIT_SOFTWARE, "no memory: %s", s->in.path)
			       : EXIT_OK;
	if (s->v->output) {
		struct vgic_outfile o = {0};
		int ret = vgic_outfile_open(&o, s->v->output);

		if (!ret)
			ret = result_write(o.f, &r);
		if (ret) {
			vgic_outfile_abandon(&o);
			return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", s->v->output,
					strerror(-ret));
		}
		ret = vgic_outfile_commit(&o);
		if (ret)
			return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", s->v->output,
					strerror(-ret));
	}
	if (s->v->hgrm) {
		int code = write_hgrm(s);

		if (code)
			return code;
	}
	if (s->v->json) {
		if (result_write(stdout, &r))
			return cli_fail(EXIT_SOFTWARE, "no memory: %s", s->in.path);
	} else if (!s->v->quiet) {
		int code = print_table(s);

		if (code)
			return code;
	}
	return cli_finish_stdout();
}

static int replay_file(const struct replay_values *v, const char *path, FILE *into)
{
	struct session s = {.v = v, .into = into};
	int code;

	if (s.v->profile) {
		code = profile_option_read(&s.profile, s.v->profile);
		if (code) {
			profile_option_finish(&s.profile);
			return code;
		}
	}
	s.lrs = s.v->choice.lrs;
	if (!s.lrs.last)
		s.lrs = s.v->profile ? (struct option_range){s.profile.file.lrs, s.profile.file.lrs}
				     : (struct option_range){1, MAX_LRS};
	code = replay_input_open(&s.in, path);
	if (!code)
		code = policy_option_choose(&s.chosen, s.v->choice.policy, s.in.header, s.in.path);
	s.policy = s.chosen.policy;
	if (!code && s.v->timeline)
		code = parse_timeline(&s);
	if (!code)
		code = read_input(&s);
	if (!code) {
		replays_configure(&s.config, &s.v->choice, s.policy, s.in.header, &s.in.demand);
		if (s.v->profile)
			code = profile_option_apply(&s.profile, s.v->profile, s.in.header,
						    &s.config);
	}
	if (!code)
		code = replay_all(&s);
	if (!code)
		code = hand_out(&s);
	for (unsigned int n = 1; n <= MAX_LRS; n++)
		if (s.done[n] && !s.shared[n])
			vgic_cell_finish(&s.cells[n]);
	replay_input_finish(&s.in);
	profile_option_finish(&s.profile);
	policy_option_finish(&s.chosen);
	return code;
}

int replay_json(const char *path, uint64_t threads, FILE *into)
{
	struct replay_values v = defaults;

	v.choice.threads = threads;
	return replay_file(&v, path, into);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct replay_values *v = values;

	if (v->explain)
		return explain(v->explain);
	if (args->n != 1)
		return cli_fail(
			EXIT_USAGE,
			"no recording or workload named: replay: vgicsim replay [OPTIONS] FILE");
	return replay_file(v, args->v[0], NULL);
}

static const char *const examples[] = {
	"vgicsim replay guest.vgr               # 1 to 16 LRs, policy of the recorded kernel",
	"vgicsim replay -l 2-8 -P linux-6.12 -o old.json guest.vgr",
	"vgicsim replay --profile host.ini guest.vgr   # on the machine that was calibrated",
	"vgicsim replay --explain inversions.count", NULL};

const struct command cmd_replay = {
	.name = "replay",
	.summary = "Run a recorded workload with other list register counts and kernels",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct replay_values),
	.defaults = &defaults,
	.min_args = 0,
	.max_args = 1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
