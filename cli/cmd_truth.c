// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/truth.h>
#include "demand.h"
#include "exit.h"
#include "options.h"
#include "output.h"
#include "policy_option.h"

/* vCPU, INTID, round, priority, raise, three brackets, vCPU that deactivated. */
#define COLUMNS	     12
#define FIRST_TIME   5
#define VCPU_MAX     0xfffeu
#define TIME_MAX     (UINT64_MAX / 4)
#define HEADER_START "vcpu,intid,"

struct truth_values {
	const char *policy;
	double min;
	uint64_t misses;
	bool json, quiet;
};

#define AT(member) offsetof(struct truth_values, member)

static const struct option options[] = {
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{0, "min", OPT_PERCENT, AT(min), "PERCENT", "of the instances, that must lie inside (99)",
	 0, 0, NULL},
	{'n', "misses", OPT_NUMBER, AT(misses), "N", "print at most N of what does not agree (10)",
	 0, VGIC_TRUTH_MISSES, NULL},
	{'P', "policy", OPT_STRING, AT(policy), "NAME", POLICY_OPTION_HELP, 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing", 0, 0, NULL},
	{0},
};

static const struct truth_values defaults = {.policy = "auto", .min = 99, .misses = 10};

static const char *const kind_names[VGIC_TRUTH_KINDS] = {"acknowledge", "drop", "deactivate"};

/* ---- the log ---- */

struct log {
	const char *path;
	FILE *f;
	uint64_t line; /* number */
	char *text;
	size_t size;
	uint64_t error_ns, lost;
	bool has_error, has_columns;
};

static int bad(const struct log *l, const char *what)
{
	return cli_fail(EXIT_INPUT, "%s: %s, line %" PRIu64 ": write it with vgic-guest --log",
			what, l->path, l->line);
}

/* One number of the line, decimal digits only; *at moves behind the comma or to the end. */
static int column(char **at, uint64_t max, uint64_t *value)
{
	char *end = *at;

	*value = 0;
	while (*end >= '0' && *end <= '9') {
		uint64_t digit = (uint64_t)(*end++ - '0');

		if (*value > (max - digit) / 10)
			return -ERANGE;
		*value = *value * 10 + digit;
	}
	if (end == *at)
		*value = VGIC_WHEN_OPEN;
	if (*end && *end != ',')
		return -EINVAL;
	*at = *end ? end + 1 : end;
	return 0;
}

static int comment(struct log *l, const char *text)
{
	char *at;
	int ret = 0;

	if (!strncmp(text, "# error_ns ", 11)) {
		at = (char *)text + 11;
		ret = column(&at, TIME_MAX, &l->error_ns);
		l->has_error = l->error_ns != VGIC_WHEN_OPEN;
	} else if (!strncmp(text, "# lost ", 7)) {
		at = (char *)text + 7;
		ret = column(&at, TIME_MAX, &l->lost);
	}
	return ret ? bad(l, "not a number") : EXIT_OK;
}

/* Next line that is no comment: 1, 0 at the end, or minus an exit code. */
static int next_line(struct log *l)
{
	ssize_t n;

	while ((n = getline(&l->text, &l->size, l->f)) > 0) {
		l->line++;
		if (l->text[n - 1] == '\n')
			l->text[--n] = '\0';
		if (strlen(l->text) != (size_t)n)
			return -bad(l, "not a text");
		if (*l->text != '#')
			return 1;
		int code = comment(l, l->text);

		if (code)
			return -code;
	}
	if (ferror(l->f))
		return -cli_fail(EXIT_INPUT, "cannot read: %s: %s", l->path, strerror(errno));
	return 0;
}

static int parse(const struct log *l, struct vgic_truth_instance *line)
{
	uint64_t value[COLUMNS];
	char *at = l->text;
	unsigned int commas = 0;

	for (const char *c = at; *c; c++)
		commas += *c == ',';
	if (commas != COLUMNS - 1)
		return bad(l, "not 12 columns");
	for (unsigned int i = 0; i < COLUMNS; i++) {
		uint64_t max = i == 0 ? VCPU_MAX : i == 1 ? UINT32_MAX : TIME_MAX;

		if (column(&at, max, &value[i]))
			return bad(l, "not a number, or too large");
	}
	if (value[0] == VGIC_WHEN_OPEN || value[1] == VGIC_WHEN_OPEN ||
	    value[FIRST_TIME] == VGIC_WHEN_OPEN)
		return bad(l, "no vCPU, INTID or acknowledge");
	line->vcpu = (uint16_t)value[0];
	line->intid = (uint32_t)value[1];
	for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++) {
		line->when[k].from = value[FIRST_TIME + 2 * k];
		line->when[k].to = value[FIRST_TIME + 2 * k + 1];
		if (line->when[k].to < line->when[k].from)
			return bad(l, "a bracket ends before it begins");
	}
	return EXIT_OK;
}

/* Comments and the line of column names. */
static int open_log(struct log *l, const char *path)
{
	int ret;

	l->path = path;
	l->f = fopen(path, "r");
	if (!l->f)
		return cli_fail(EXIT_INPUT, "cannot open: %s: %s", path, strerror(errno));
	ret = next_line(l);
	if (ret < 0)
		return -ret;
	if (!ret || strncmp(l->text, HEADER_START, strlen(HEADER_START)) || !l->has_error)
		return cli_fail(EXIT_INPUT,
				"not the log of a guest: %s: write it with vgic-guest --log", path);
	return EXIT_OK;
}

static int feed(struct log *l, struct vgic_truth *t)
{
	struct vgic_truth_instance line;
	int ret;

	while ((ret = next_line(l)) > 0) {
		int code = parse(l, &line);

		if (code)
			return code;
		vgic_truth_feed(t, &line);
	}
	return -ret;
}

/* ---- the result ---- */

static double percent(const struct vgic_truth_result *r)
{
	return r->instances ? 100.0 * (double)r->inside / (double)r->instances : 0;
}

static json_t *number(uint64_t v)
{
	return v == VGIC_WHEN_OPEN ? json_null() : json_integer((json_int_t)v);
}

static json_t *hist_json(const struct vgic_hist *h)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "n", number(h->n), "p50_ns",
			 number(vgic_hist_quantile(h, 0.5)), "p99_ns",
			 number(vgic_hist_quantile(h, 0.99)), "max_ns", number(h->max));
}

static json_t *miss_json(const struct vgic_truth_miss *m)
{
	json_t *log = json_pack("[o, o]", number(m->log.from), number(m->log.to));
	json_t *bounds = json_pack("[o, o]", number(m->bounds.from), number(m->bounds.to));

	return json_pack("{s:i, s:o, s:i, s:s, s:o, s:o}", "vcpu", m->vcpu, "intid",
			 number(m->intid), "number", m->number, "kind", kind_names[m->kind],
			 "log_ns", log, "bounds_ns", bounds);
}

static json_t *truth_json(const struct truth_values *v, const struct vgic_truth_result *r,
			  const struct log *l)
{
	json_t *o =
		json_pack("{s:i, s:s, s:o, s:o, s:f, s:f, s:o, s:o, s:o, s:o}", "version", 1,
			  "estimator", VGIC_ESTIMATOR, "instances", number(r->instances), "inside",
			  number(r->inside), "inside_percent", percent(r), "min_percent", v->min,
			  "missed", number(r->missed), "extra", number(r->extra), "log_error_ns",
			  number(l->error_ns), "log_lost", number(l->lost));
	json_t *misses = json_array();

	for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++) {
		const struct vgic_truth_count *c = &r->kind[k];

		json_object_set_new(o, kind_names[k],
				    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
					      "inside", number(c->inside), "certain",
					      number(c->certain), "open", number(c->open),
					      "outside", number(c->outside), "early",
					      number(c->early), "late", number(c->late), "error",
					      hist_json(&c->error), "width", hist_json(&c->width),
					      "log_width", hist_json(&c->blur)));
	}
	for (size_t i = 0; i < r->nr_misses && i < v->misses; i++)
		json_array_append_new(misses, miss_json(&r->miss[i]));
	json_object_set_new(o, "misses", misses);
	return o;
}

static void print_time(uint64_t t)
{
	if (t == VGIC_WHEN_OPEN)
		printf(" -");
	else
		printf(" %" PRIu64, t);
}

static void print_hist(const struct vgic_hist *h)
{
	char p50[32], p99[32];

	if (!h->n) {
		printf(" %10s %10s", "-", "-");
		return;
	}
	printf(" %10s %10s", cli_format_ns(p50, sizeof(p50), vgic_hist_quantile(h, 0.5)),
	       cli_format_ns(p99, sizeof(p99), vgic_hist_quantile(h, 0.99)));
}

static void print_truth(const struct truth_values *v, const struct vgic_truth_result *r,
			const struct log *l)
{
	printf("%" PRIu64 " instances, %" PRIu64 " inside their bounds (%.2f %%), %" PRIu64
	       " only in the log, %" PRIu64 " only in the derivation\n",
	       r->instances, r->inside, percent(r), r->missed, r->extra);
	printf("%-11s %8s %8s %8s %8s  %21s %21s %21s\n", "", "inside", "certain", "open",
	       "outside", "error p50, p99", "bounds p50, p99", "log p50, p99");
	for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++) {
		const struct vgic_truth_count *c = &r->kind[k];

		printf("%-11s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " ", kind_names[k],
		       c->inside, c->certain, c->open, c->outside);
		print_hist(&c->error);
		print_hist(&c->width);
		print_hist(&c->blur);
		putchar('\n');
	}
	for (size_t i = 0; i < r->nr_misses && i < v->misses; i++) {
		const struct vgic_truth_miss *m = &r->miss[i];

		printf("vCPU %u INTID %u number %u, %s: log", m->vcpu, m->intid, m->number,
		       kind_names[m->kind]);
		print_time(m->log.from);
		print_time(m->log.to);
		printf(", bounds");
		print_time(m->bounds.from);
		print_time(m->bounds.to);
		putchar('\n');
	}
	if (l->lost)
		printf("the log was full: %" PRIu64 " interrupts are not in it\n", l->lost);
}

static int hold(const struct truth_values *v, const struct demand *d, struct log *l)
{
	const struct vgic_truth_result *r;
	struct vgic_truth *t;
	int code;

	if (vgic_truth_create(&t, d->workload, l->error_ns))
		return cli_fail(EXIT_SOFTWARE, "no memory");
	code = feed(l, t);
	if (code)
		goto out;
	r = vgic_truth_finish(t, l->lost != 0);
	if (!r->instances) {
		code = cli_fail(EXIT_INPUT,
				"nothing to compare: %s: the guest acknowledged no interrupt",
				l->path);
		goto out;
	}
	if (v->json)
		cli_print_json(stdout, truth_json(v, r, l), false);
	else if (!v->quiet)
		print_truth(v, r, l);
	code = cli_finish_stdout();
	if (!code && percent(r) < v->min)
		code = EXIT_FINDING;
out:
	vgic_truth_destroy(t);
	return code;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct truth_values *v = values;
	const char *path = args->v[0];
	struct policy_option chosen = {0};
	struct demand demand = {0};
	struct log log = {0};
	const struct vgr_header *h;
	struct vgr_reader *r;
	int code;

	r = cli_open_pairs(path);
	if (!r)
		return EXIT_INPUT;
	h = vgr_reader_header(r);
	code = policy_option_choose(&chosen, v->policy, h, path);
	if (!code && (h->nr_lr < 1 || h->nr_lr > vgr_lr_limit(h->gic_host)))
		code = cli_fail(EXIT_INPUT, "unknown number of list registers: %s: record it again",
				path);
	if (!code)
		code = open_log(&log, args->v[1]);
	if (!code)
		code = demand_read(&demand, path, r, chosen.policy, NULL);
	if (!code) {
		cli_recording_ending(path, r);
		code = hold(v, &demand, &log);
	}
	if (log.f)
		fclose(log.f);
	free(log.text);
	demand_finish(&demand);
	policy_option_finish(&chosen);
	vgr_reader_close(r);
	return code;
}

static const char *const examples[] = {
	"vgicsim record -o run.vgr -- vgic-guest burst --log run.csv",
	"vgicsim truth run.vgr run.csv",
	"vgicsim truth --min 100 -n 64 run.vgr run.csv    # what does not agree",
	NULL,
};

const struct command cmd_truth = {
	.name = "truth",
	.summary = "Hold derived times against the guest's own log",
	.usage = "[OPTIONS] FILE LOG",
	.options = options,
	.values_size = sizeof(struct truth_values),
	.defaults = &defaults,
	.min_args = 2,
	.max_args = 2,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
