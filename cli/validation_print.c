// SPDX-License-Identifier: GPL-2.0-only
/* A validation as tables, and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/derive.h>
#include "validation.h"

#ifndef VGICSIM_VERSION
#define VGICSIM_VERSION "unknown"
#endif

static const char *const outcome_names[] = {"completed", "livelock", "starved"};
static const char *const agreement_names[] = {"agrees", "other interrupts", "other outcome"};
static const char *const part_names[VALIDATION_PARTS] = {"exits, MIs, DIR traps, EOIcount",
							 "MIs by source", "LRs in use at entry",
							 "raise to LR, p50", "raise to LR, p99"};

/* ---- tables ---- */

static void print_errors(const char *title, const struct vgic_error_sum *e)
{
	printf("| %s | numbers | mean error | largest | counts below %u | largest difference of "
	       "these |\n|---|---|---|---|---|---|\n",
	       title, VGIC_FEW);
	for (int i = 0; i < VALIDATION_PARTS; i++) {
		printf("| %s | %" PRIu64 " | ", part_names[i], e[i].n);
		if (e[i].n)
			printf("%.2f %% | %.1f %% |", 100 * vgic_error_mean(&e[i]), 100 * e[i].max);
		else
			printf("- | - |");
		if (e[i].few_n)
			printf(" %" PRIu64 " | %g |\n", e[i].few_n, e[i].few_max);
		else
			printf(" - | - |\n");
	}
	printf("\n");
}

static void print_sum(const char *title, const struct validation_sum *s)
{
	uint64_t judged = s->pairs - s->open;

	if (!s->pairs)
		return;
	print_errors(title, s->error);
	printf("Outcomes: %" PRIu64 " of %" PRIu64 " as foretold", s->agreement[VGIC_AGREES],
	       judged);
	if (s->open)
		printf("; %" PRIu64 " more from recordings whose guest was held up, so that its "
		       "demand is not whole",
		       s->open);
	printf(".\n");
	if (s->ranking.pairs)
		printf("Order of LR counts by MIs per interrupt: %" PRIu64 " of %" PRIu64
		       " pairs right; by MIs per second of guest time: %" PRIu64 " of %" PRIu64
		       ".\n",
		       s->ranking.pairs - s->ranking.wrong, s->ranking.pairs,
		       s->ranking.timed_pairs - s->ranking.timed_wrong, s->ranking.timed_pairs);
	printf("\n");
}

/* One number of one pair, to be sorted by how far it is off. */
struct outlier {
	const struct validation_pair *p;
	enum vgic_quantity q;
	double size;
};

static int compare_outliers(const void *pa, const void *pb)
{
	const struct outlier *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	if (a->p != b->p)
		return a->p < b->p ? -1 : 1;
	return (a->q > b->q) - (a->q < b->q);
}

static void print_cells(const struct validation *v, const struct validation_pair *p)
{
	const struct validation_cell *a = &v->cells[p->from], *b = &v->cells[p->to];

	printf("%s | %s | %u | ", b->name, b->kernel, a->nr_lr);
	if (strcmp(a->kernel, b->kernel))
		printf("%u (from %s) | ", b->nr_lr, a->kernel);
	else
		printf("%u | ", b->nr_lr);
}

static void print_worst(const struct validation *v, uint64_t most)
{
	struct outlier *all = calloc(v->nr_pairs * VGIC_QUANTITIES + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return;
	for (size_t i = 0; i < v->nr_pairs; i++) {
		const struct validation_pair *p = &v->pairs[i];

		for (int q = 0; q < VGIC_QUANTITIES && !p->open; q++) {
			const struct vgic_deviation *d = &p->deviation[q];

			if (d->judged && !d->few && d->error != 0)
				all[n++] =
					(struct outlier){p, (enum vgic_quantity)q, fabs(d->error)};
		}
	}
	qsort(all, n, sizeof(*all), compare_outliers);
	if (n && most)
		printf("| worst | kernel | from LRs | to LRs | number | real | predicted | error "
		       "|\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < n && i < most; i++) {
		const struct validation_pair *p = all[i].p;

		printf("| ");
		print_cells(v, p);
		printf("%s | %.10g | %.10g | %+.1f %% |\n", vgic_quantity_name(all[i].q),
		       v->cells[p->to].truth.value[all[i].q], p->predicted.value[all[i].q],
		       100 * p->deviation[all[i].q].error);
	}
	if (n && most)
		printf("\n");
	free(all);
}

static void print_starved(const struct vgic_numbers *n)
{
	printf("%s", outcome_names[n->outcome]);
	for (size_t i = 0; i < n->nr_starved && i < 8; i++)
		printf("%s%u", i ? "," : " ", n->starved[i].intid);
	if (n->nr_starved > 8)
		printf(",... (%zu)", n->nr_starved);
}

static void print_disagreements(const struct validation *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_pairs; i++) {
		const struct validation_pair *p = &v->pairs[i];

		if (p->open || p->agreement == VGIC_AGREES)
			continue;
		if (!any)
			printf("| other outcome | kernel | from LRs | to LRs | real | predicted |\n"
			       "|---|---|---|---|---|---|\n");
		any = true;
		printf("| ");
		print_cells(v, p);
		print_starved(&v->cells[p->to].truth);
		printf(" | ");
		print_starved(&p->predicted);
		printf(" |\n");
	}
	if (any)
		printf("\n");
}

static void judge(const char *what, double value, double limit)
{
	printf("* %s: %.2f %%, limit %g %%: %s\n", what, 100 * value, 100 * limit,
	       value <= limit ? "met" : "NOT met");
}

void validation_print(const struct validation *v, const struct validation_limits *limits,
		      uint64_t worst)
{
	const struct vgic_error_sum *e = v->own.error;
	bool repeated = false;

	for (int i = 0; i < VALIDATION_PARTS; i++)
		repeated |= v->spread[i].n > 0;
	printf("%zu recordings in %zu cells (guest, kernel, LR count), %zu predictions.\n\n",
	       v->nr_runs, v->nr_cells, v->nr_pairs);
	judge("exits, MIs, DIR traps, EOIcount, mean error",
	      vgic_error_mean(&e[VALIDATION_HEADLINE]), limits->mean_count);
	judge("the same, largest error", e[VALIDATION_HEADLINE].max, limits->max_count);
	judge("p50 of raise to LR, mean error", vgic_error_mean(&e[VALIDATION_P50]),
	      limits->mean_latency);
	judge("p99 of raise to LR, mean error", vgic_error_mean(&e[VALIDATION_P99]),
	      limits->mean_latency);
	printf("\n");
	print_sum("same kernel", &v->own);
	print_sum("another kernel", &v->across);
	if (repeated)
		print_errors("runs of the same cell, half their range", v->spread);
	print_disagreements(v);
	print_worst(v, worst);
}

/* ---- JSON ---- */

static json_t *errors_json(const struct vgic_error_sum *e)
{
	static const char *const names[VALIDATION_PARTS] = {"counts", "mi_by_source", "occupancy",
							    "p50", "p99"};
	json_t *o = json_object();

	for (int i = 0; i < VALIDATION_PARTS; i++)
		json_object_set_new(o, names[i],
				    json_pack("{s:I, s:f, s:f, s:I, s:f}", "n", (json_int_t)e[i].n,
					      "mean", vgic_error_mean(&e[i]), "max",
					      isinf(e[i].max) ? -1 : e[i].max, "few_n",
					      (json_int_t)e[i].few_n, "few_max", e[i].few_max));
	return o;
}

static json_t *sum_json(const struct validation_sum *s)
{
	json_t *o = json_object(), *part = json_object();

	json_object_set_new(o, "predictions", json_integer((json_int_t)s->pairs));
	json_object_set_new(o, "held_up", json_integer((json_int_t)s->open));
	json_object_set_new(o, "errors", errors_json(s->error));
	for (int i = 0; i < VGIC_AGREEMENTS; i++)
		json_object_set_new(part, agreement_names[i],
				    json_integer((json_int_t)s->agreement[i]));
	json_object_set_new(o, "outcomes", part);
	json_object_set_new(o, "ranking",
			    json_pack("{s:I, s:I, s:I, s:I}", "pairs", (json_int_t)s->ranking.pairs,
				      "wrong", (json_int_t)s->ranking.wrong, "timed_pairs",
				      (json_int_t)s->ranking.timed_pairs, "timed_wrong",
				      (json_int_t)s->ranking.timed_wrong));
	return o;
}

static json_t *pair_json(const struct validation *v, const struct validation_pair *p)
{
	const struct validation_cell *a = &v->cells[p->from], *b = &v->cells[p->to];
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:i, s:b, s:s, s:s, s:s}", "name",
			      b->name, "guest", b->guest, "kernel", b->kernel, "policy",
			      b->policy->name, "lrs", (int)b->nr_lr, "from_kernel", a->kernel,
			      "from_lrs", (int)a->nr_lr, "held_up", p->open, "real",
			      outcome_names[b->truth.outcome], "predicted",
			      outcome_names[p->predicted.outcome], "agreement",
			      agreement_names[p->agreement]);
	json_t *numbers = json_object();

	for (int q = 0; q < VGIC_QUANTITIES; q++) {
		const struct vgic_deviation *d = &p->deviation[q];
		json_t *n = json_pack("{s:f, s:f, s:f, s:f, s:b, s:b}", "real", b->truth.value[q],
				      "low", b->low[q], "high", b->high[q], "predicted",
				      p->predicted.value[q], "judged", d->judged && !p->open, "few",
				      d->few);

		json_object_set_new(n, "error",
				    d->judged && !d->few && isfinite(d->error) ? json_real(d->error)
									       : json_null());
		json_object_set_new(numbers, vgic_quantity_name((enum vgic_quantity)q), n);
	}
	json_object_set_new(o, "numbers", numbers);
	json_object_set_new(o, "guest_ns",
			    json_pack("{s:f, s:f}", "real", b->truth.guest_ns, "predicted",
				      p->predicted.guest_ns));
	return o;
}

json_t *validation_json(const struct validation *v, const char *from, uint64_t seed)
{
	json_t *inputs = json_array(), *pairs = json_array();
	char hash[20];

	for (size_t i = 0; i < v->nr_runs; i++) {
		const struct validation_run *r = &v->runs[i];

		snprintf(hash, sizeof(hash), "%016" PRIx64, r->hash);
		json_array_append_new(inputs,
				      json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "file", r->path,
						"hash", hash, "guest", r->guest, "kernel",
						r->kernel, "nr_lr", (int)r->nr_lr, "outcome",
						outcome_names[r->truth.outcome]));
	}
	for (size_t i = 0; i < v->nr_pairs; i++)
		json_array_append_new(pairs, pair_json(v, &v->pairs[i]));
	return json_pack("{s:s, s:i, s:{s:s, s:s}, s:{s:s, s:I, s:s}, s:o, s:o, s:o, s:o, s:o}",
			 "format", "vgicsim-validation", "version", 1, "tool", "name", "vgicsim",
			 "version", VGICSIM_VERSION, "config", "from", from, "seed",
			 (json_int_t)seed, "estimator", VGIC_ESTIMATOR, "inputs", inputs,
			 "same_kernel", sum_json(&v->own), "another_kernel", sum_json(&v->across),
			 "spread", errors_json(v->spread), "predictions", pairs);
}
