// SPDX-License-Identifier: GPL-2.0-only
/* The results of a sweep as a table, as CSV and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exit.h"
#include "latencies.h"
#include "output.h"
#include "result_json.h"
#include "sweep.h"
#include "sweep_columns.h"

/* Calls one() with every result, in the order of the command line. An exit code. */
static int each_result(struct sweep *s,
		       int (*one)(void *opaque, const struct sweep_input *in,
				  const struct sweep_case *c, json_t *head),
		       void *opaque)
{
	int code = EXIT_OK;

	for (size_t i = 0; i < s->nr_inputs && !code; i++) {
		const struct sweep_input *in = &s->inputs[i];

		for (size_t k = 0; k < in->nr_cases && !in->unusable && !code; k++) {
			const struct sweep_case *c = &in->cases[k];
			json_t *head = json_loads(c->head, 0, NULL);

			code = json_is_object(head) ? one(opaque, in, c, head)
						    : cli_fail(EXIT_INPUT,
							       "damaged head of a result in the "
							       "database: %s, policy %s: delete it",
							       in->path, c->key.policy);
			json_decref(head);
		}
	}
	return code;
}

/* ---- table ---- */

struct table {
	const struct sweep *s;
	const struct sweep_input *last; /* that a heading was printed for */
	bool any;
};

static void print_count(const json_t *row, const char *name, int width)
{
	const json_t *v = json_object_get(row, name);

	if (json_is_integer(v))
		printf(" %*" JSON_INTEGER_FORMAT, width, json_integer_value(v));
	else
		printf(" %*s", width, "-");
}

/* "raise_to_lr_p99_low_ns": latency, p and end. */
static const json_t *column(const json_t *row, const char *latency, const char *p, const char *end)
{
	char name[96];

	snprintf(name, sizeof(name), "%s_%s%s", latency, p, end);
	return json_object_get(row, name);
}

/* width 0: the last of the line. */
static void print_percentile(const json_t *row, const char *latency, const char *p, int width)
{
	const struct vgic_percentile q = {
		.known = json_is_integer(column(row, latency, p, "_ns")),
		.value = (uint64_t)json_integer_value(column(row, latency, p, "_ns")),
		.low = (uint64_t)json_integer_value(column(row, latency, p, "_low_ns")),
		.high = (uint64_t)json_integer_value(column(row, latency, p, "_high_ns")),
	};
	char text[80];

	/* What a recording does not show at all is no matter of numbers. */
	printf("  %-*s", width,
	       json_is_integer(column(row, latency, "n", ""))
		       ? latencies_percentile(text, sizeof(text), &q)
		       : "-");
}

static void print_row(const json_t *row, const char *policy, unsigned int nr_lr)
{
	const char *outcome = json_string_value(json_object_get(row, "outcome"));

	printf("%-12s %3u  %-9s", policy, nr_lr, outcome ? outcome : "-");
	print_count(row, "exits", 9);
	print_count(row, "mi", 8);
	print_count(row, "bound_mi", 7);
	print_count(row, "dir_traps", 7);
	print_count(row, "eoicount_deactivations", 7);
	print_count(row, "interrupts", 8);
	print_count(row, "overflow_entries", 8);
	print_count(row, "overflow_max", 5);
	if (outcome && !strcmp(outcome, "livelock")) {
		printf("  live-lock: no latencies\n");
		return;
	}
	print_percentile(row, "raise_to_lr", "p99", 33);
	print_percentile(row, "raise_to_ack", "p50", 33);
	print_percentile(row, "raise_to_ack", "p99", 0);
	printf("\n");
}

static void print_heading(struct table *t, const struct sweep_input *in, const struct sweep_case *c,
			  const json_t *head)
{
	const json_t *input = json_object_get(head, "input");
	const char *kernel = json_string_value(json_object_get(input, "kernel"));

	printf("%s%s: kernel %s,", t->any ? "\n" : "", in->path, kernel ? kernel : "unknown");
	print_count(input, "nr_lr", 0);
	printf(" list registers,");
	print_count(input, "pairs", 0);
	printf(" flush/sync pairs\n");
	printf("%-12s %3s  %-9s %9s %8s %7s %7s %7s %8s %8s %5s  %-33s  %-33s  %s\n", "policy",
	       "LRs", "outcome", "exits", "MIs", "bound", "DIR", "EOIcnt", "irqs", "overflow",
	       "depth", "raise to LR p99", "raise to acknowledge p50 *", "p99 *");
	if (c->cells[0].row)
		print_row(c->cells[0].row, "recorded",
			  (unsigned int)json_integer_value(json_object_get(input, "nr_lr")));
	t->last = in;
	t->any = true;
}

static int print_result(void *opaque, const struct sweep_input *in, const struct sweep_case *c,
			json_t *head)
{
	struct table *t = opaque;

	if (t->last != in)
		print_heading(t, in, c, head);
	if (c->profile->path)
		printf("%s: costs and machine of %s\n", c->key.policy, c->profile->path);
	for (uint64_t n = t->s->choice.lrs.first; n <= t->s->choice.lrs.last; n++)
		if (c->cells[n].row)
			print_row(c->cells[n].row, c->key.policy, (unsigned int)n);
	return EXIT_OK;
}

int sweep_print_table(struct sweep *s)
{
	struct table t = {.s = s};
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
		       json_t *head)
{
	const struct sweep *s = opaque;
	const struct sweep_column *column;

	for (uint64_t n = s->choice.lrs.first; n <= s->choice.lrs.last; n++) {
		const json_t *row = c->cells[n].row;

		if (!row)
			continue;
		print_field(in->path);
		putchar(',');
		print_value(sweep_member(head, "input/hash"));
		putchar(',');
		print_field(c->key.policy);
		putchar(',');
		print_field(c->profile->path ? c->profile->path : "");
		printf(",%" PRIu64, n);
		for (size_t k = 0; (column = sweep_column_at(k)); k++) {
			putchar(',');
			print_value(json_object_get(row, column->name));
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
	return each_result(s, print_lines, s);
}

/* ---- JSON ---- */

struct list {
	const struct sweep *s;
	FILE *f;
	bool any;
};

static enum vgic_outcome outcome_of(const json_t *row)
{
	const char *s = json_string_value(json_object_get(row, "outcome"));

	return s && !strcmp(s, "completed") ? VGIC_OUTCOME_COMPLETED
	       : s && !strcmp(s, "starved") ? VGIC_OUTCOME_STARVED
					    : VGIC_OUTCOME_LIVELOCK;
}

static uint64_t exits_of(const json_t *row)
{
	return (uint64_t)json_integer_value(json_object_get(row, "exits"));
}

/* A cell is kept without what it takes another one to know. */
static void write_text(FILE *f, const char *text, const json_t *row, const json_t *most)
{
	static const char open[] = "\"excess_exits\":null";
	const char *at = strstr(text, open);
	int64_t excess;

	if (!at || !most ||
	    !replays_excess(outcome_of(row), exits_of(row), outcome_of(most), exits_of(most),
			    &excess)) {
		fputs(text, f);
		return;
	}
	fwrite(text, 1, (size_t)(at - text), f);
	fprintf(f, "\"excess_exits\":%" PRId64 "%s", excess > 0 ? excess : 0,
		at + sizeof(open) - 1);
}

static int write_cell(const struct list *l, const struct sweep_case *c, unsigned int nr_lr)
{
	const struct sweep_cell *cell = &c->cells[nr_lr];
	int code = EXIT_OK;
	char *read = NULL;

	if (!cell->text && l->s->db) {
		read = sweep_db_cell(l->s->db, &c->key, nr_lr, &code);
		if (!read && !code)
			code = cli_fail(EXIT_INPUT,
					"a row is gone: policy %s, %u LRs: somebody has deleted it",
					c->key.policy, nr_lr);
	}
	if (!code)
		write_text(l->f, cell->text ? cell->text : read, cell->row,
			   nr_lr ? c->cells[REPLAYS_MAX_LRS].row : NULL);
	free(read);
	return code;
}

static void set_file(json_t *o, const char *path)
{
	json_object_set_new(o, "file", path ? json_string(path) : json_null());
}

/* One result a line. */
static int write_result(void *opaque, const struct sweep_input *in, const struct sweep_case *c,
			json_t *head)
{
	struct list *l = opaque;
	const char *comma = "";
	int code = EXIT_OK;
	bool any = false;

	for (uint64_t n = l->s->choice.lrs.first; n <= l->s->choice.lrs.last; n++)
		any |= c->cells[n].row != NULL;
	if (!any)
		return EXIT_OK;
	/* The same content may bear another name today. */
	set_file(json_object_get(head, "input"), in->path);
	set_file((json_t *)sweep_member(head, "config/profile"), c->profile->path);
	fprintf(l->f, "%s", l->any ? ",\n" : "");
	l->any = true;
	if (result_write_head(l->f, head))
		return cli_fail(EXIT_SOFTWARE, "cannot write the head of a result: %s", in->path);
	fputs("\"recorded\":", l->f);
	if (c->cells[0].row)
		code = write_cell(l, c, 0);
	else
		fputs("null", l->f);
	fputs(",\"cells\":[", l->f);
	for (uint64_t n = l->s->choice.lrs.first; n <= l->s->choice.lrs.last && !code; n++) {
		if (!c->cells[n].row)
			continue;
		fputs(comma, l->f);
		comma = ",";
		code = write_cell(l, c, (unsigned int)n);
	}
	fputs("]}", l->f);
	return code;
}

int sweep_write_json(struct sweep *s, FILE *f)
{
	struct list l = {.s = s, .f = f};
	int code;

	fprintf(f, "{\"format\":\"%s\",\"version\":%d,\"results\":[\n", VGIC_SWEEP_FORMAT,
		VGIC_SWEEP_VERSION);
	code = each_result(s, write_result, &l);
	fprintf(f, "%s]}\n", l.any ? "\n" : "");
	return code;
}
