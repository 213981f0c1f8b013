// SPDX-License-Identifier: GPL-2.0-only
/* The results of a sweep as a table, as CSV and as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "exit.h"
#include "latencies.h"
#include "output.h"
#include "sweep.h"
#include "sweep_columns.h"

/* Calls one() with every result, in the order of the command line. An exit code. */
static int each_result(struct sweep *s,
		       int (*one)(void *opaque, const struct sweep_input *in,
				  const struct sweep_case *c, json_t *result),
		       void *opaque)
{
	int code = EXIT_OK;

	for (size_t i = 0; i < s->nr_inputs && !code; i++) {
		struct sweep_input *in = &s->inputs[i];

		for (size_t k = 0; k < in->nr_cases && !code; k++) {
			json_t *result = sweep_result(s, in, &in->cases[k], &code);

			if (result && !code)
				code = one(opaque, in, &in->cases[k], result);
			json_decref(result);
		}
	}
	return code;
}

/* ---- table ---- */

struct table {
	const struct sweep_input *last; /* that a heading was printed for */
	bool any;
};

static void print_count(const json_t *cell, const char *path, int width)
{
	const json_t *v = sweep_member(cell, path);

	if (json_is_integer(v))
		printf(" %*" JSON_INTEGER_FORMAT, width, json_integer_value(v));
	else
		printf(" %*s", width, "-");
}

/* One percentile of one latency; width 0: the last column. */
static void print_percentile(const json_t *cell, const char *latency, const char *name, int width)
{
	const json_t *l = json_object_get(json_object_get(cell, "latency"), latency);
	const json_t *v = json_object_get(json_object_get(l, "percentiles"), name);
	struct vgic_percentile p = {
		.known = json_is_object(v),
		.value = (uint64_t)json_integer_value(json_object_get(v, "ns")),
		.low = (uint64_t)json_integer_value(json_object_get(v, "low_ns")),
		.high = (uint64_t)json_integer_value(json_object_get(v, "high_ns")),
	};
	char text[80];

	/* What a recording does not show at all is no matter of numbers. */
	printf("  %-*s", width,
	       json_is_object(l) ? latencies_percentile(text, sizeof(text), &p) : "-");
}

static void print_row(const json_t *cell, const char *policy)
{
	const char *outcome = json_string_value(json_object_get(cell, "outcome"));

	printf("%-12s", policy);
	print_count(cell, "nr_lr", 3);
	printf("  %-9s", outcome ? outcome : "-");
	print_count(cell, "exits/total", 9);
	print_count(cell, "mi/total", 8);
	print_count(cell, "bound/mi", 7);
	print_count(cell, "dir_traps", 7);
	print_count(cell, "eoicount_deactivations", 7);
	print_count(cell, "interrupts", 8);
	print_count(cell, "overflow/entries", 8);
	print_count(cell, "overflow/max", 5);
	if (outcome && !strcmp(outcome, "livelock")) {
		printf("  live-lock: no latencies\n");
		return;
	}
	print_percentile(cell, "raise_to_lr", "p99", 33);
	print_percentile(cell, "raise_to_ack", "p50", 33);
	print_percentile(cell, "raise_to_ack", "p99", 0);
	printf("\n");
}

static void print_heading(struct table *t, const struct sweep_input *in, const json_t *result)
{
	const char *kernel = json_string_value(sweep_member(result, "input/kernel"));

	printf("%s%s: kernel %s,", t->any ? "\n" : "", in->path, kernel ? kernel : "unknown");
	print_count(result, "input/nr_lr", 0);
	printf(" list registers,");
	print_count(result, "input/pairs", 0);
	printf(" flush/sync pairs\n");
	printf("%-12s %3s  %-9s %9s %8s %7s %7s %7s %8s %8s %5s  %-33s  %-33s  %s\n", "policy",
	       "LRs", "outcome", "exits", "MIs", "bound", "DIR", "EOIcnt", "irqs", "overflow",
	       "depth", "raise to LR p99", "raise to acknowledge p50 *", "p99 *");
	if (json_is_object(json_object_get(result, "recorded")))
		print_row(json_object_get(result, "recorded"), "recorded");
	t->last = in;
	t->any = true;
}

static int print_result(void *opaque, const struct sweep_input *in, const struct sweep_case *c,
			json_t *result)
{
	json_t *cells = json_object_get(result, "cells");
	struct table *t = opaque;

	if (t->last != in)
		print_heading(t, in, result);
	if (c->profile->path)
		printf("%s: costs and machine of %s\n", c->key.policy, c->profile->path);
	for (size_t i = 0; i < json_array_size(cells); i++)
		print_row(json_array_get(cells, i), c->key.policy);
	return EXIT_OK;
}

int sweep_print_table(struct sweep *s)
{
	struct table t = {0};
	int code = each_result(s, print_result, &t);

	if (t.any)
		printf("\narrivals %s, estimator %s, seed %" PRIu64
		       ". In brackets 95 %% intervals. "
		       "* ends inside a run: estimated.\n",
		       s->choice.arrivals, VGIC_ESTIMATOR, s->choice.seed);
	return code;
}

/* ---- CSV ---- */

/* With quotes where RFC 4180 wants them. */
static void print_field(const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_value(const json_t *v)
{
	if (json_is_integer(v))
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_string(v))
		print_field(json_string_value(v));
}

static int print_lines(void *opaque, const struct sweep_input *in, const struct sweep_case *c,
		       json_t *result)
{
	json_t *cells = json_object_get(result, "cells");
	const struct sweep_column *column;

	for (size_t i = 0; i < json_array_size(cells); i++) {
		const json_t *cell = json_array_get(cells, i);

		print_field(in->path);
		putchar(',');
		print_value(sweep_member(result, "input/hash"));
		putchar(',');
		print_field(c->key.policy);
		putchar(',');
		print_field(c->profile->path ? c->profile->path : "");
		putchar(',');
		print_value(json_object_get(cell, "nr_lr"));
		for (size_t k = 0; (column = sweep_column_at(k)); k++) {
			putchar(',');
			print_value(sweep_column_get(column, cell));
		}
		putchar('\n');
	}
	return EXIT_OK;
}

int sweep_print_csv(struct sweep *s)
{
	const struct sweep_column *column;

	printf("file,input_hash,policy,profile,nr_lr");
	for (size_t i = 0; (column = sweep_column_at(i)); i++)
		printf(",%s", column->name);
	printf("\n");
	return each_result(s, print_lines, NULL);
}

/* ---- JSON ---- */

struct list {
	FILE *f;
	bool any;
};

/* One result a line. */
static int write_result(void *opaque, const struct sweep_input *in, const struct sweep_case *c,
			json_t *result)
{
	struct list *l = opaque;

	fprintf(l->f, "%s", l->any ? ",\n" : "");
	l->any = true;
	/* A file that cannot be written is the caller's to see. */
	if (json_dumpf(result, l->f, JSON_COMPACT) && !ferror(l->f))
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	return EXIT_OK;
}

int sweep_write_json(struct sweep *s, FILE *f)
{
	struct list l = {.f = f};
	int code;

	fprintf(f, "{\"format\":\"%s\",\"version\":%d,\"results\":[\n", VGIC_SWEEP_FORMAT,
		VGIC_SWEEP_VERSION);
	code = each_result(s, write_result, &l);
	fprintf(f, "%s]}\n", l.any ? "\n" : "");
	return code;
}
