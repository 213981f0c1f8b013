// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include "bench.h"
#include "exit.h"
#include "options.h"
#include "output.h"

#define MAX_THREADS 256u

struct bench_values {
	struct generated_choice choice;
	struct option_list cases;
	const char *policy, *output;
	uint64_t duration, passes, lrs, threads;
	bool json, list;
};

#define AT(member) offsetof(struct bench_values, member)

static const struct option options[] = {
	{'c', "case", OPT_LIST, AT(cases), "CASE", "this case only; may be given again", 0, 0,
	 NULL},
	{0, "list", OPT_FLAG, AT(list), NULL, "list the cases and stop", 0, 0, NULL},
	{'d', "duration", OPT_DURATION, AT(duration), "DURATION", "time for each number", 1,
	 3600000000000, NULL},
	{0, "passes", OPT_NUMBER, AT(passes), "N", "so many passes, not a time", 1, 1000000000,
	 NULL},
	{'T', "threads", OPT_NUMBER, AT(threads), "N",
	 "with 1, 2, 4 ... N threads, to see how it scales", 1, MAX_THREADS, NULL},
	{'l', "lrs", OPT_NUMBER, AT(lrs), "N", "list registers of a replay", 1, 16, NULL},
	{'P', "policy", OPT_STRING, AT(policy), "NAME",
	 "kernel generation; auto: the recording's, and the newest for what is generated", 0, 0,
	 NULL},
	GENERATED_OPTIONS(AT(choice)),
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON instead of the table", 0, 0, NULL},
	{'o', "output", OPT_FILE, AT(output), "FILE", "write the JSON to FILE", 0, 0, NULL},
	{0}};

static const struct bench_values defaults = {
	.choice = {.interrupts = 1000000, .seed = 1},
	.policy = "auto",
	.duration = 1000000000,
	.lrs = 4,
	.threads = 1,
};

struct session {
	const struct bench_values *v;
	json_t *results;
	bool apart;		   /* there is more than one number to measure */
	struct bench_result alone; /* one thread, of the case at hand */
	/* ns of a CPU for each record, by file, by Zstandard alone; 0: not measured. */
	double *inflate;
};

static int list(void)
{
	const struct bench_case *c;

	for (size_t i = 0; (c = bench_case_at(i)); i++)
		printf("%-10s %s%s\n", c->name, c->help, c->kind ? "" : " (needs a recording)");
	return cli_finish_stdout();
}

static bool is_wanted(const struct bench_values *v, const struct bench_case *c)
{
	for (size_t i = 0; i < v->cases.n; i++)
		if (!strcmp(v->cases.v[i], c->name))
			return true;
	return !v->cases.n;
}

static double per(uint64_t n, uint64_t items)
{
	return items ? (double)n / (double)items : 0;
}

static json_t *maybe(bool known, double value)
{
	return known ? json_real(value) : json_null();
}

/*
 * How the threads together compare with as many that do not meet: by the clock, which counts
 * what else the machine does, and by what each item takes of a CPU, which does not.
 */
struct efficiency {
	bool known; /* of more than one thread */
	double wall, cpu;
};

static json_t *result_json(const struct bench_case *c, const struct bench_load *load,
			   const struct bench_result *r, const struct efficiency *e,
			   double of_inflate)
{
	double rate = per(r->items, r->wall_ns) * 1e9;
	bool replay = !strcmp(c->item, "interrupt") && strcmp(c->name, "sweep");

	return json_pack(
		"{s:s, s:o, s:s, s:o, s:i, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:o, s:o, "
		"s:o, s:o, s:o, s:I}",
		"case", c->name, "file", load->path ? json_string(load->path) : json_null(), "item",
		c->item, "lrs", replay ? json_integer(load->nr_lr) : json_null(), "threads",
		(int)r->threads, "passes", (json_int_t)r->passes, "items", (json_int_t)r->items,
		"wall_ns", (json_int_t)r->wall_ns, "cpu_ns", (json_int_t)r->cpu_ns, "items_per_s",
		rate, "items_per_s_per_thread", per(r->items, r->cpu_ns) * 1e9, "ns_per_item",
		per(r->cpu_ns, r->items), "instructions_per_item",
		maybe(r->has_instructions, per(r->instructions, r->items)), "cache_misses_per_item",
		maybe(r->has_misses, per(r->misses, r->items)), "parallel_efficiency",
		maybe(e->known, e->wall), "cpu_efficiency", maybe(e->known, e->cpu), "of_inflate",
		maybe(of_inflate > 0, of_inflate), "peak_rss_bytes", (json_int_t)r->peak_rss);
}

static void text_of(char *buf, size_t size, bool known, const char *format, double value)
{
	if (known)
		snprintf(buf, size, format, value);
	else
		snprintf(buf, size, "-");
}

static void print_head(void)
{
	printf("%-10s %-28s %3s %12s %10s %9s %9s %8s %6s %6s %8s\n", "case", "on", "thr", "items",
	       "M/s/thr", "ns/item", "instr", "misses", "eff", "cpueff", "RSS MiB");
}

static void print_row(const struct bench_case *c, const struct bench_load *load,
		      const struct bench_result *r, const struct efficiency *e)
{
	const char *on = load->path ? strrchr(load->path, '/') : "generated";
	char instructions[24], misses[24], wall[24], cpu[24];

	if (load->path)
		on = on ? on + 1 : load->path;
	text_of(instructions, sizeof(instructions), r->has_instructions, "%.0f",
		per(r->instructions, r->items));
	text_of(misses, sizeof(misses), r->has_misses, "%.2f", per(r->misses, r->items));
	text_of(wall, sizeof(wall), e->known, "%.2f", e->wall);
	text_of(cpu, sizeof(cpu), e->known, "%.2f", e->cpu);
	printf("%-10s %-28.28s %3u %12" PRIu64 " %10.3f %9.1f %9s %8s %6s %6s %8.1f\n", c->name, on,
	       r->threads, r->items, per(r->items, r->cpu_ns) * 1e3, per(r->cpu_ns, r->items),
	       instructions, misses, wall, cpu, (double)r->peak_rss / (1 << 20));
	fflush(stdout);
}

/*
 * How near decoding comes to what Zstandard alone does with the same frames, in the same run;
 * 0 if that was not measured, or it is another case. file: which of them, if it is one.
 */
static double compare_inflate(struct session *s, const struct bench_case *c, int file,
			      const struct bench_result *r)
{
	double ns = per(r->cpu_ns, r->items);

	if (file < 0 || r->threads > 1)
		return 0;
	if (!strcmp(c->name, "inflate"))
		s->inflate[file] = ns;
	return strcmp(c->name, "decode") ? 0 : s->inflate[file] / ns;
}

static int measure(struct session *s, const struct bench_case *c, const struct bench_load *load,
		   int file, unsigned int threads)
{
	const struct bench_effort effort = {.ns = s->v->duration, .passes = s->v->passes};
	struct bench_result r;
	struct efficiency e;
	double of_inflate;
	int code;

	cli_progress("%s, %u thread%s", c->name, threads, threads == 1 ? "" : "s");
	code = bench_measure(&r, c, load, &effort, threads, s->apart);
	cli_progress_end();
	if (code)
		return code;
	if (!r.items)
		return cli_fail(EXIT_INPUT, "nothing to measure: %s: it holds no %s",
				load->path ? load->path : c->name, c->item);
	if (threads == 1)
		s->alone = r;
	e.known = threads > 1;
	e.wall = per(r.items, r.wall_ns) / threads / per(s->alone.items, s->alone.wall_ns);
	e.cpu = per(r.items, r.cpu_ns) / per(s->alone.items, s->alone.cpu_ns);
	of_inflate = compare_inflate(s, c, file, &r);
	json_array_append_new(s->results, result_json(c, load, &r, &e, of_inflate));
	if (!s->v->json)
		print_row(c, load, &r, &e);
	if (!s->v->json && of_inflate > 0)
		printf("%-10s %.0f %% of what Zstandard alone does with the same frames\n", "",
		       100 * of_inflate);
	return EXIT_OK;
}

/* file: number of the recording, -1 if there is none. */
static int run_case(struct session *s, const struct bench_case *c, const char *path, int file)
{
	struct bench_load load = {
		.path = path,
		.choice = s->v->choice,
		.policy = s->v->policy,
		.nr_lr = (unsigned int)s->v->lrs,
	};
	unsigned int most = (unsigned int)s->v->threads;
	int code = EXIT_OK;

	load.choice.kind = c->kind;
	/* Its rate comes of itself. */
	if (c->kind && !strcmp(c->kind, "overflow"))
		load.choice.rate = 0;
	for (unsigned int n = 1; !code && n <= most; n = n < most && 2 * n > most ? most : 2 * n)
		code = measure(s, c, &load, file, n);
	return code;
}

/* How many numbers there will be, or more. */
static unsigned int count(const struct bench_values *v, int files)
{
	const struct bench_case *c;
	unsigned int n = 0;

	for (size_t i = 0; (c = bench_case_at(i)); i++)
		if (is_wanted(v, c))
			n += c->kind ? 1 : (unsigned int)files;
	return v->threads > 1 ? 2 * n : n;
}

static int run_all(struct session *s, const struct cli_args *args)
{
	const struct bench_case *c;
	int code = EXIT_OK;

	for (size_t i = 0; !code && (c = bench_case_at(i)); i++) {
		if (!is_wanted(s->v, c))
			continue;
		if (c->kind)
			code = run_case(s, c, NULL, -1);
		for (int k = 0; !code && !c->kind && k < args->n; k++)
			code = run_case(s, c, args->v[k], k);
	}
	return code;
}

static int check_cases(const struct bench_values *v, int files)
{
	for (size_t i = 0; i < v->cases.n; i++) {
		const struct bench_case *c = bench_case_find(v->cases.v[i]);

		if (!c)
			return cli_fail(EXIT_USAGE,
					"no such case: %s: 'vgicsim bench --list' has them",
					v->cases.v[i]);
		if (!c->kind && !files)
			return cli_fail(EXIT_USAGE, "no recording named: case %s: it needs one",
					c->name);
	}
	return EXIT_OK;
}

static int write_output(const char *path, json_t *all)
{
	struct vgic_outfile o = {0};
	int ret = vgic_outfile_open(&o, path);

	if (!ret && cli_print_json(o.f, json_incref(all), false))
		ret = -EIO;
	if (ret)
		vgic_outfile_abandon(&o);
	else
		ret = vgic_outfile_commit(&o);
	return ret ? cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", path, strerror(-ret)) : EXIT_OK;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct bench_values *v = values;
	struct session s = {.v = v};
	json_t *all;
	int code;

	if (v->list)
		return list();
	code = check_cases(v, args->n);
	if (code)
		return code;
	s.apart = count(v, args->n) > 1;
	s.inflate = calloc((size_t)args->n + 1, sizeof(*s.inflate));
	if (!s.inflate)
		return cli_fail(EXIT_SOFTWARE, "no memory: bench");
	s.results = json_array();
	if (!v->json)
		print_head();
	code = run_all(&s, args);
	all = json_pack("{s:s, s:o, s:o}", "format", "vgicsim-bench-1", "machine", bench_machine(),
			"results", s.results);
	if (!code && v->output)
		code = write_output(v->output, all);
	if (!code && v->json)
		cli_print_json(stdout, json_incref(all), false);
	json_decref(all);
	free(s.inflate);
	return code ? code : cli_finish_stdout();
}

static const char *const examples[] = {
	"vgicsim bench run.vgr                    # every case, a second each",
	"vgicsim bench -c steady -T 8             # one case with 1, 2, 4 and 8 threads",
	"vgicsim bench -c overflow -n 1000000000 --passes 1   # a billion interrupts, once",
	"vgicsim bench --json run.vgr | jq '.results[] | [.case, .items_per_s_per_thread]'",
	NULL,
};

const struct command cmd_bench = {
	.name = "bench",
	.summary = "Measure how fast this machine reads, verifies and replays",
	.usage = "[OPTIONS] [RECORDING...]",
	.options = options,
	.values_size = sizeof(struct bench_values),
	.defaults = &defaults,
	.min_args = 0,
	.max_args = INT_MAX,
	.examples = examples,
	.run = run,
};
