// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "exit.h"
#include "output.h"
#include "profile_option.h"
#include "replay_input.h"
#include "replays.h"
#include "slo.h"

#define MAX_SLOS 16u

struct size_values {
	struct replays_choice choice;
	struct option_list slo;
	uint64_t max_mi_rate;
	const char *profile;
	bool json;
};

#define AT(member) offsetof(struct size_values, member)

static const struct option options[] = {
	{0, "slo", OPT_LIST, AT(slo), "SLO",
	 "what to meet, like 'p99(raise-to-ack) < 20us'; again or with ';' for more", 0, 0, NULL},
	{0, "max-mi-rate", OPT_NUMBER, AT(max_mi_rate), "N",
	 "at most N maintenance interrupts a second of guest time", 0, UINT32_MAX, NULL},
	REPLAYS_OPTIONS(AT(choice)),
	{0, "profile", OPT_FILE, AT(profile), "FILE",
	 "costs and machine of this profile, not those of the recording", 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{0}};

static const struct size_values defaults = {
	.choice = REPLAYS_DEFAULTS,
	.max_mi_rate = UINT64_MAX,
};

/* What is said of one LR count: the worst of its recordings and demands counts. */
enum verdict {
	MEETS = 0, /* and so does the whole interval */
	LIKELY,	   /* the value meets, its interval reaches beyond the limit */
	TOO_FEW,   /* too few samples for the percentile: nobody knows */
	FAILS,
	STARVES,
	LIVELOCKS,
};

static const char *const verdict_names[] = {"meets", "likely",	"too few",
					    "fails", "starves", "live-lock"};

struct cell_answer {
	enum verdict verdict;
	bool counted; /* the numbers below */
	uint64_t mi, guest_ns;
	double mi_rate;
	uint64_t n[MAX_SLOS];
	struct vgic_percentile percentile[MAX_SLOS];
};

struct recording {
	const char *path;
	char kernel[128], policy[64];
	uint64_t hash;
	unsigned int nr_lr;
	struct cell_answer at[REPLAYS_MAX_LRS + 1];
};

struct session {
	const struct size_values *v;
	struct slo slo[MAX_SLOS];
	size_t nr_slos;
	struct recording *recordings;
	size_t nr_recordings;
	bool asked[REPLAYS_MAX_LRS + 1];  /* candidates */
	bool wanted[REPLAYS_MAX_LRS + 1]; /* and their neighbours */
	/* the one that is being replayed */
	struct recording *now;
	struct replay_input in;
	struct vgic_replay_config config;
	struct replays_ample ample;
	struct profile_option profile;
};

/* ---- the demands ---- */

static int add_slo(struct session *s, const char *text)
{
	const char *why;

	if (s->nr_slos == MAX_SLOS)
		return cli_fail(EXIT_USAGE, "too many demands: --slo: give at most %u", MAX_SLOS);
	if (slo_parse(text, &s->slo[s->nr_slos], &why))
		return cli_fail(EXIT_USAGE, "bad demand: '%s': %s", text, why);
	s->nr_slos++;
	return EXIT_OK;
}

static int read_slos(struct session *s)
{
	const struct option_list *list = &s->v->slo;
	int code = EXIT_OK;

	for (size_t i = 0; i < list->n && !code; i++) {
		const char *at = list->v[i];

		while (!code && at) {
			size_t len = strcspn(at, ";");
			char *one = strndup(at, len);

			if (!one)
				return cli_fail(EXIT_SOFTWARE, "not enough memory");
			code = add_slo(s, one);
			free(one);
			at = at[len] ? at + len + 1 : NULL;
		}
	}
	if (!code && !s->nr_slos && s->v->max_mi_rate == UINT64_MAX)
		code = cli_fail(EXIT_USAGE, "nothing to meet: size: give --slo or --max-mi-rate");
	return code;
}

/* ---- replay and judge ---- */

static enum verdict judge_slo(const struct slo *slo, const struct vgic_percentile *p)
{
	if (!p->known)
		return TOO_FEW;
	if (!slo_allows(slo, p->value))
		return FAILS;
	return slo_allows(slo, p->high) ? MEETS : LIKELY;
}

static enum verdict worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

static int judge(const struct session *s, const struct vgic_cell *c, struct cell_answer *a)
{
	a->verdict = c->outcome == VGIC_OUTCOME_LIVELOCK  ? LIVELOCKS
		     : c->outcome == VGIC_OUTCOME_STARVED ? STARVES
							  : MEETS;
	/* What ended early has numbers of another thing. */
	if (a->verdict != MEETS)
		return 0;
	a->counted = true;
	a->mi = c->mi;
	a->guest_ns = c->guest_ns;
	a->mi_rate = c->guest_ns ? (double)c->mi * 1e9 / (double)c->guest_ns : 0;
	if (s->v->max_mi_rate != UINT64_MAX && a->mi_rate > (double)s->v->max_mi_rate)
		a->verdict = FAILS;
	for (size_t i = 0; i < s->nr_slos; i++) {
		const struct vgic_latency_series *l = &c->latency[s->slo[i].latency];

		a->n[i] = l->hist.n;
		if (vgic_latency_percentile(l, s->slo[i].p, &a->percentile[i]))
			return -ENOMEM;
		a->verdict = worse(a->verdict, judge_slo(&s->slo[i], &a->percentile[i]));
	}
	return 0;
}

static int replay_one(void *opaque, unsigned int nr_lr)
{
	struct session *s = opaque;
	struct vgic_replay_config c = s->config;
	const struct vgic_workload *wl = s->in.demand.workload;
	unsigned int ample = replays_ample_for(&s->ample, wl, nr_lr);
	struct vgic_cell cell;
	int ret;

	if (ample) {
		s->now->at[nr_lr] = s->now->at[ample];
		return 0;
	}
	c.nr_lr = nr_lr;
	ret = vgic_replay(wl, &c, &cell);
	if (ret)
		return ret;
	ret = judge(s, &cell, &s->now->at[nr_lr]);
	if (!ret)
		replays_ample_note(&s->ample, wl, &cell);
	vgic_cell_finish(&cell);
	return ret;
}

static int replay_input(struct session *s, const struct policy_option *chosen)
{
	const struct vgr_header *h = s->in.header;
	const struct vgic_policy *recorded = vgic_policy_for_release(h->kernel_release);
	int error[REPLAYS_MAX_LRS + 1];
	int code = replay_input_read(&s->in, recorded ? recorded : chosen->policy, NULL);

	if (code)
		return code;
	s->now->hash = s->in.hash;
	replays_configure(&s->config, &s->v->choice, chosen->policy, h, &s->in.demand);
	if (s->v->profile)
		code = profile_option_apply(&s->profile, s->v->profile, h, &s->config);
	if (code)
		return code;
	atomic_init(&s->ample.nr_lr, 0);
	replays_each(s->v->choice.threads, s->wanted, replay_one, s, error);
	for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
		if (error[n])
			return replays_fail(error[n], n, s->now->path);
	return EXIT_OK;
}

static int do_input(struct session *s, const char *path)
{
	struct policy_option chosen = {0};
	int code = replay_input_open(&s->in, path);

	s->now->path = path;
	memset(&s->config, 0, sizeof(s->config));
	if (!code)
		code = policy_option_choose(&chosen, s->v->choice.policy, s->in.header, path);
	if (!code) {
		s->now->nr_lr = s->in.header->nr_lr;
		snprintf(s->now->kernel, sizeof(s->now->kernel), "%s",
			 s->in.header->kernel_release);
		snprintf(s->now->policy, sizeof(s->now->policy), "%s", chosen.policy->name);
		code = replay_input(s, &chosen);
	}
	replay_input_finish(&s->in);
	policy_option_finish(&chosen);
	return code;
}

/* ---- the answer ---- */

static enum verdict verdict_at(const struct session *s, unsigned int n)
{
	enum verdict v = MEETS;

	for (size_t i = 0; i < s->nr_recordings; i++)
		v = worse(v, s->recordings[i].at[n].verdict);
	return v;
}

static double share_of(const struct session *s, const struct cell_answer *a)
{
	double most = 0;

	for (size_t i = 0; i < s->nr_slos; i++) {
		double share = a->percentile[i].known
				       ? (double)a->percentile[i].value / (double)s->slo[i].limit_ns
				       : 0;

		most = share > most ? share : most;
	}
	if (s->v->max_mi_rate != UINT64_MAX) {
		double share = a->mi_rate / (s->v->max_mi_rate ? (double)s->v->max_mi_rate : 1e-9);

		most = share > most ? share : most;
	}
	return most;
}

/* The recording that decides about an LR count: the worst verdict, then nearest to its limit. */
static const struct recording *binding(const struct session *s, unsigned int n)
{
	const struct recording *best = &s->recordings[0];

	for (size_t i = 1; i < s->nr_recordings; i++) {
		const struct recording *r = &s->recordings[i];

		if (r->at[n].verdict > best->at[n].verdict ||
		    (r->at[n].verdict == best->at[n].verdict &&
		     share_of(s, &r->at[n]) > share_of(s, &best->at[n])))
			best = r;
	}
	return best;
}

/* Smallest LR count whose verdict is no worse than this; 0: none. */
static unsigned int smallest(const struct session *s, enum verdict worst)
{
	for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
		if (s->asked[n] && verdict_at(s, n) <= worst)
			return n;
	return 0;
}

static void print_percentile(const struct vgic_percentile *p, uint64_t n)
{
	char value[32], low[32], high[32], all[112];

	if (p->known)
		snprintf(all, sizeof(all), "%s (%s..%s)",
			 cli_format_ns(value, sizeof(value), p->value),
			 cli_format_ns(low, sizeof(low), p->low),
			 cli_format_ns(high, sizeof(high), p->high));
	else
		snprintf(all, sizeof(all), "n too small (%" PRIu64 ")", n);
	printf("  %-36s", all);
}

static void print_row(const struct session *s, unsigned int n)
{
	const struct recording *r = binding(s, n);
	const struct cell_answer *a = &r->at[n];
	char rate[24] = "-";

	if (a->counted)
		snprintf(rate, sizeof(rate), "%.0f", a->mi_rate);
	printf("%-3u  %-9s  %9s", n, verdict_names[a->verdict], rate);
	for (size_t i = 0; i < s->nr_slos; i++) {
		if (a->counted)
			print_percentile(&a->percentile[i], a->n[i]);
		else
			printf("  %-36s", "-");
	}
	if (s->nr_recordings > 1)
		printf("  %s", r->path);
	printf("\n");
}

static void print_table(const struct session *s)
{
	char limit[32];

	for (size_t i = 0; i < s->nr_recordings; i++)
		printf("%s: kernel %s, %u list registers, policy %s\n", s->recordings[i].path,
		       *s->recordings[i].kernel ? s->recordings[i].kernel : "unknown",
		       s->recordings[i].nr_lr, s->recordings[i].policy);
	printf("arrivals %s, estimator %s, seed %" PRIu64 "%s%s\n", s->v->choice.arrivals,
	       VGIC_ESTIMATOR, s->v->choice.seed, s->v->profile ? ", profile " : "",
	       s->v->profile ? s->v->profile : "");
	printf("%-3s  %-9s  %9s", "LRs", "verdict", "MIs/s");
	for (size_t i = 0; i < s->nr_slos; i++) {
		char head[96];

		snprintf(head, sizeof(head), "%s %s %s", s->slo[i].name,
			 s->slo[i].or_equal ? "<=" : "<",
			 cli_format_ns(limit, sizeof(limit), s->slo[i].limit_ns));
		printf("  %-36s", head);
	}
	printf("%s\n", s->nr_recordings > 1 ? "  binding recording" : "");
	for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
		if (s->asked[n])
			print_row(s, n);
	if (s->nr_slos)
		printf("In brackets 95 %% intervals.");
	for (size_t i = 0; i < s->nr_slos; i++) {
		if (s->slo[i].latency == VGIC_LATENCY_RAISE_TO_LR)
			continue;
		printf(" Latencies that end inside a run are estimated.");
		break;
	}
	printf("%s", s->nr_slos ? "\n" : "");
}

/* "p99(raise-to-ack) 18.20 us (17.90 us..18.60 us), 900 MIs/s" */
static void print_numbers(const struct session *s, unsigned int n)
{
	const struct recording *r = binding(s, n);
	const struct cell_answer *a = &r->at[n];
	const char *between = "";
	char value[32], low[32], high[32];

	for (size_t i = 0; a->counted && i < s->nr_slos; i++, between = ", ") {
		const struct vgic_percentile *p = &a->percentile[i];

		if (p->known)
			printf("%s%s %s (%s..%s)", between, s->slo[i].name,
			       cli_format_ns(value, sizeof(value), p->value),
			       cli_format_ns(low, sizeof(low), p->low),
			       cli_format_ns(high, sizeof(high), p->high));
		else
			printf("%s%s not known, only %" PRIu64 " samples", between, s->slo[i].name,
			       a->n[i]);
	}
	if (a->counted)
		printf("%s%.0f MIs/s", between, a->mi_rate);
	else
		printf("%s", a->verdict == LIVELOCKS ? "the guest would live-lock"
						     : "an interrupt would starve");
	if (s->nr_recordings > 1)
		printf(" (%s)", r->path);
	printf("\n");
}

static void print_neighbour(const struct session *s, const char *what, unsigned int n)
{
	if (n < 1 || n > REPLAYS_MAX_LRS || !s->wanted[n])
		return;
	printf("%s (%u): %s: ", what, n, verdict_names[verdict_at(s, n)]);
	print_numbers(s, n);
}

static void list_counts(const struct session *s, enum verdict verdict, unsigned int from,
			const char *text)
{
	bool first = true;

	for (unsigned int n = from; n <= REPLAYS_MAX_LRS; n++) {
		if (!s->asked[n] || verdict_at(s, n) != verdict)
			continue;
		printf("%s%u", first ? text : ", ", n);
		first = false;
	}
	if (!first)
		printf("\n");
}

static void print_answer(const struct session *s)
{
	unsigned int n = smallest(s, LIKELY), certain = smallest(s, MEETS);

	printf("\n");
	if (!n) {
		printf("No LR count from %" PRIu64 " to %" PRIu64 " meets %s.\n",
		       s->v->choice.lrs.first, s->v->choice.lrs.last,
		       s->nr_slos + (s->v->max_mi_rate != UINT64_MAX) > 1 ? "all of this" : "this");
		list_counts(s, TOO_FEW, 1, "Too few samples to say for LR counts ");
	} else {
		printf("%u list register%s: ", n, n == 1 ? "" : "s");
		print_numbers(s, n);
		if (certain != n) {
			printf("Not for certain: an interval reaches beyond its limit. ");
			if (certain)
				printf("For certain: %u.\n", certain);
			else
				printf("For certain: none.\n");
		}
		print_neighbour(s, "one fewer", n - 1);
		print_neighbour(s, "one more", n + 1);
		list_counts(s, FAILS, n + 1, "More do not always help: it fails again with ");
		list_counts(s, TOO_FEW, n + 1, "Too few samples to say with ");
	}
	list_counts(s, LIVELOCKS, 1, "Excluded by a live-lock: ");
	list_counts(s, STARVES, 1, "Excluded by starvation: ");
}

/* ---- JSON ---- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static json_t *count_or_null(unsigned int n)
{
	return n ? json_integer(n) : json_null();
}

static json_t *cell_json(const struct session *s, const struct recording *r, unsigned int n)
{
	const struct cell_answer *a = &r->at[n];
	json_t *o = json_object(), *list = json_array();

	json_object_set_new(o, "file", json_string(r->path));
	json_object_set_new(o, "verdict", json_string(verdict_names[a->verdict]));
	json_object_set_new(o, "mi", a->counted ? number(a->mi) : json_null());
	json_object_set_new(o, "guest_time_ns", a->counted ? number(a->guest_ns) : json_null());
	json_object_set_new(o, "mi_rate", a->counted ? json_real(a->mi_rate) : json_null());
	for (size_t i = 0; a->counted && i < s->nr_slos; i++) {
		const struct vgic_percentile *p = &a->percentile[i];
		json_t *e = json_object();

		json_object_set_new(e, "n", number(a->n[i]));
		json_object_set_new(e, "value_ns", p->known ? number(p->value) : json_null());
		json_object_set_new(e, "low_ns", p->known ? number(p->low) : json_null());
		json_object_set_new(e, "high_ns", p->known ? number(p->high) : json_null());
		json_object_set_new(e, "verdict",
				    json_string(verdict_names[judge_slo(&s->slo[i], p)]));
		json_array_append_new(list, e);
	}
	json_object_set_new(o, "slo", list);
	return o;
}

static void print_json(const struct session *s)
{
	json_t *o = json_object(), *list = json_array(), *e;
	unsigned int n = smallest(s, LIKELY);
	char hash[20];

	for (size_t i = 0; i < s->nr_recordings; i++) {
		const struct recording *r = &s->recordings[i];

		e = json_object();
		snprintf(hash, sizeof(hash), "%016" PRIx64, r->hash);
		json_object_set_new(e, "file", json_string(r->path));
		json_object_set_new(e, "hash", json_string(hash));
		json_object_set_new(e, "kernel", json_string(r->kernel));
		json_object_set_new(e, "nr_lr", json_integer(r->nr_lr));
		json_object_set_new(e, "policy", json_string(r->policy));
		json_array_append_new(list, e);
	}
	json_object_set_new(o, "recordings", list);
	json_object_set_new(o, "version", json_string(VGICSIM_VERSION));
	json_object_set_new(o, "arrivals", json_string(s->v->choice.arrivals));
	json_object_set_new(o, "estimator", json_string(VGIC_ESTIMATOR));
	json_object_set_new(o, "seed", number(s->v->choice.seed));
	if (s->v->profile) {
		snprintf(hash, sizeof(hash), "%016" PRIx64, s->profile.hash);
		json_object_set_new(o, "profile",
				    json_pack("{s:s, s:s}", "file", s->v->profile, "hash", hash));
	}
	list = json_array();
	for (size_t i = 0; i < s->nr_slos; i++) {
		e = json_object();
		json_object_set_new(e, "name", json_string(s->slo[i].name));
		json_object_set_new(e, "or_equal", json_boolean(s->slo[i].or_equal));
		json_object_set_new(e, "limit_ns", number(s->slo[i].limit_ns));
		json_array_append_new(list, e);
	}
	json_object_set_new(o, "slo", list);
	json_object_set_new(o, "max_mi_rate",
			    s->v->max_mi_rate == UINT64_MAX ? json_null()
							    : number(s->v->max_mi_rate));
	list = json_array();
	for (unsigned int k = 1; k <= REPLAYS_MAX_LRS; k++) {
		json_t *cells = json_array();

		if (!s->wanted[k]) {
			json_decref(cells);
			continue;
		}
		for (size_t i = 0; i < s->nr_recordings; i++)
			json_array_append_new(cells, cell_json(s, &s->recordings[i], k));
		e = json_object();
		json_object_set_new(e, "nr_lr", json_integer(k));
		json_object_set_new(e, "asked", json_boolean(s->asked[k]));
		json_object_set_new(e, "verdict", json_string(verdict_names[verdict_at(s, k)]));
		json_object_set_new(e, "binding", json_string(binding(s, k)->path));
		json_object_set_new(e, "recordings", cells);
		json_array_append_new(list, e);
	}
	json_object_set_new(o, "lrs", list);
	json_object_set_new(o, "smallest", count_or_null(n));
	json_object_set_new(o, "smallest_certain", count_or_null(smallest(s, MEETS)));
	list = json_array();
	for (unsigned int k = n + 1; n && k <= REPLAYS_MAX_LRS; k++)
		if (s->asked[k] && verdict_at(s, k) >= FAILS)
			json_array_append_new(list, json_integer(k));
	json_object_set_new(o, "larger_that_fail", list);
	cli_print_json(stdout, o, false);
}

static int run(const void *values, const struct cli_args *args)
{
	struct session s = {.v = values};
	int code = read_slos(&s);

	if (code)
		return code;
	s.recordings = calloc((size_t)args->n, sizeof(*s.recordings));
	if (!s.recordings)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	for (uint64_t n = s.v->choice.lrs.first; n <= s.v->choice.lrs.last; n++) {
		s.asked[n] = true;
		s.wanted[n - 1] = s.wanted[n] = true;
		s.wanted[n < REPLAYS_MAX_LRS ? n + 1 : n] = true;
	}
	s.wanted[0] = false;
	if (s.v->profile)
		code = profile_option_read(&s.profile, s.v->profile);
	for (int i = 0; i < args->n && !code; i++) {
		s.now = &s.recordings[i];
		code = do_input(&s, args->v[i]);
		s.nr_recordings++;
	}
	if (!code) {
		if (s.v->json) {
			print_json(&s);
		} else {
			print_table(&s);
			print_answer(&s);
		}
		code = cli_finish_stdout();
		if (!code && !smallest(&s, LIKELY))
			code = EXIT_FINDING;
	}
	profile_option_finish(&s.profile);
	free(s.recordings);
	return code;
}

static const char *const examples[] = {
	"vgicsim size --slo 'p99(raise-to-ack) < 20us' guest.vgr",
	"vgicsim size --slo 'p99.9(raise-to-lr) < 1ms' --max-mi-rate 5000 a.vgr b.vgw",
	"vgicsim size --slo 'p99(raise-to-ack) < 20us' --profile host.ini guest.vgw", NULL};

const struct command cmd_size = {
	.name = "size",
	.summary = "Find the smallest number of list registers that is enough",
	.usage = "[OPTIONS] --slo SLO FILE...",
	.options = options,
	.values_size = sizeof(struct size_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = -1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
