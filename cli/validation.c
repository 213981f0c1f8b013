// SPDX-License-Identifier: GPL-2.0-only
/* Runs to cells, cells to pairs, pairs to sums. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "validation.h"

enum validation_part validation_part_of(enum vgic_quantity q)
{
	switch (q) {
	case VGIC_QUANTITY_EXITS:
	case VGIC_QUANTITY_MI:
	case VGIC_QUANTITY_DIR:
	case VGIC_QUANTITY_EOICOUNT:
		return VALIDATION_HEADLINE;
	case VGIC_QUANTITY_OCCUPANCY:
		return VALIDATION_OCCUPANCY;
	case VGIC_QUANTITY_P50:
		return VALIDATION_P50;
	case VGIC_QUANTITY_P99:
		return VALIDATION_P99;
	default:
		return VALIDATION_BY_SOURCE;
	}
}

int validation_init(struct validation *v, size_t nr_runs)
{
	v->runs = calloc(nr_runs + 1, sizeof(*v->runs));
	return v->runs ? 0 : -ENOMEM;
}

void validation_finish(struct validation *v)
{
	for (size_t i = 0; i < v->nr_runs; i++) {
		free(v->runs[i].guest);
		free(v->runs[i].kernel);
		free(v->runs[i].predicted);
	}
	free(v->runs);
	free(v->cells);
	free(v->pairs);
}

static int compare_cells(const struct validation_run *a, const struct validation_run *b)
{
	int d = strcmp(a->guest, b->guest);

	if (!d)
		d = strverscmp(a->kernel, b->kernel);
	if (!d)
		d = (a->gic > b->gic) - (a->gic < b->gic);
	if (!d)
		d = (a->nr_lr > b->nr_lr) - (a->nr_lr < b->nr_lr);
	return d;
}

static int compare_runs(const void *pa, const void *pb)
{
	const struct validation_run *a = pa, *b = pb;
	int d = compare_cells(a, b);

	return d ? d : strcmp(a->path, b->path);
}

/* "burst" of "runs/7.3.4-lrs4/burst.vgr" */
static void short_name(char *buf, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n;

	path = slash ? slash + 1 : path;
	n = strcspn(path, ".");
	snprintf(buf, size, "%.*s", (int)n, path);
}

int validation_arrange(struct validation *v, const bool from[VGR_MAX_LRS_V3 + 1])
{
	v->cells = calloc(v->nr_runs + 1, sizeof(*v->cells));
	if (!v->cells)
		return -ENOMEM;
	qsort(v->runs, v->nr_runs, sizeof(*v->runs), compare_runs);
	for (size_t i = 0; i < v->nr_runs; i++) {
		struct validation_run *r = &v->runs[i];
		struct validation_cell *c;

		if (!i || compare_cells(&v->runs[i - 1], r)) {
			c = &v->cells[v->nr_cells++];
			c->guest = r->guest;
			c->kernel = r->kernel;
			c->policy = r->policy;
			c->nr_lr = r->nr_lr;
			c->gic = r->gic;
			c->first = i;
			c->source = from[r->nr_lr];
			short_name(c->name, sizeof(c->name), r->path);
		}
		r->cell = v->nr_cells - 1;
		r->predicts = v->cells[r->cell].source;
		v->cells[r->cell].nr++;
	}
	for (size_t i = 0; i < v->nr_runs; i++) {
		v->runs[i].predicted = calloc(v->nr_cells, sizeof(*v->runs[i].predicted));
		if (!v->runs[i].predicted)
			return -ENOMEM;
	}
	return 0;
}

bool validation_predicts(const struct validation *v, size_t from, size_t to, bool across)
{
	const struct validation_cell *a = &v->cells[from], *b = &v->cells[to];

	return a->source && from != to && a->gic == b->gic && !strcmp(a->guest, b->guest) &&
	       (across || !strcmp(a->kernel, b->kernel));
}

bool validation_has_pairs(const struct validation *v, bool across)
{
	for (size_t i = 0; i < v->nr_cells; i++)
		for (size_t k = 0; k < v->nr_cells; k++)
			if (validation_predicts(v, i, k, across))
				return true;
	return false;
}

/* Median of what the runs of a cell say; of themselves if of == SIZE_MAX. */
static int median(const struct validation *v, const struct validation_cell *c, size_t of,
		  struct vgic_numbers *mid, double *low, double *high)
{
	struct vgic_numbers *n = calloc(c->nr, sizeof(*n));

	if (!n)
		return -ENOMEM;
	for (size_t i = 0; i < c->nr; i++) {
		const struct validation_run *r = &v->runs[c->first + i];

		n[i] = of == SIZE_MAX ? r->truth : r->predicted[of];
	}
	vgic_numbers_median(mid, low, high, n, c->nr);
	free(n);
	return 0;
}

/* How far the runs of one cell lie apart: half the way from the smallest to the largest. */
static void add_spread(struct validation *v, const struct validation_cell *c)
{
	for (int q = 0; q < VGIC_QUANTITIES && c->nr > 1; q++) {
		struct vgic_numbers half = c->truth;
		struct vgic_deviation d;

		half.value[q] += (c->high[q] - c->low[q]) / 2;
		d = vgic_deviation_of(&half, &c->truth, (enum vgic_quantity)q);
		vgic_error_add(&v->spread[validation_part_of((enum vgic_quantity)q)], &d);
	}
}

static bool same_kernel(const struct validation *v, const struct validation_pair *p)
{
	return !strcmp(v->cells[p->from].kernel, v->cells[p->to].kernel);
}

static void add_pair(struct validation *v, struct validation_pair *p)
{
	struct validation_sum *sum = same_kernel(v, p) ? &v->own : &v->across;

	sum->pairs++;
	if (p->open) {
		sum->open++;
		return;
	}
	sum->agreement[p->agreement]++;
	for (int q = 0; q < VGIC_QUANTITIES; q++)
		vgic_error_add(&sum->error[validation_part_of((enum vgic_quantity)q)],
			       &p->deviation[q]);
}

/* The order of the LR counts that one source foretells on its own kernel, itself included. */
static void add_ranking(struct validation *v, size_t from)
{
	const struct vgic_numbers *predicted[VGR_MAX_LRS_V3], *truth[VGR_MAX_LRS_V3];
	size_t n = 0;

	if (v->cells[from].held)
		return;
	for (size_t i = 0; i < v->nr_pairs && n < VGR_MAX_LRS_V3 - 1; i++) {
		if (v->pairs[i].from != from || !same_kernel(v, &v->pairs[i]))
			continue;
		predicted[n] = &v->pairs[i].predicted;
		truth[n++] = &v->cells[v->pairs[i].to].truth;
	}
	predicted[n] = truth[n] = &v->cells[from].truth;
	vgic_ranking_add(&v->own.ranking, predicted, truth, n + 1);
}

int validation_conclude(struct validation *v, bool across)
{
	size_t n = 0;

	for (size_t i = 0; i < v->nr_cells; i++) {
		struct validation_cell *c = &v->cells[i];

		if (median(v, c, SIZE_MAX, &c->truth, c->low, c->high))
			return -ENOMEM;
		for (size_t k = 0; k < c->nr; k++)
			c->held |= v->runs[c->first + k].held;
		add_spread(v, c);
		for (size_t k = 0; k < v->nr_cells; k++)
			n += validation_predicts(v, i, k, across);
	}
	v->pairs = calloc(n + 1, sizeof(*v->pairs));
	if (!v->pairs)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_cells; i++) {
		for (size_t k = 0; k < v->nr_cells; k++) {
			struct validation_pair *p = &v->pairs[v->nr_pairs];

			if (!validation_predicts(v, i, k, across))
				continue;
			v->nr_pairs++;
			p->from = i;
			p->to = k;
			p->open = v->cells[i].held;
			if (median(v, &v->cells[i], k, &p->predicted, NULL, NULL))
				return -ENOMEM;
			p->agreement = vgic_numbers_agree(&p->predicted, &v->cells[k].truth);
			for (int q = 0; q < VGIC_QUANTITIES; q++)
				p->deviation[q] = vgic_deviation_of(
					&p->predicted, &v->cells[k].truth, (enum vgic_quantity)q);
			add_pair(v, p);
		}
	}
	for (size_t i = 0; i < v->nr_cells; i++)
		if (v->cells[i].source)
			add_ranking(v, i);
	return 0;
}

bool validation_passes(const struct validation *v, const struct validation_limits *limits)
{
	const struct vgic_error_sum *e = v->own.error;

	return vgic_error_mean(&e[VALIDATION_HEADLINE]) <= limits->mean_count &&
	       e[VALIDATION_HEADLINE].max <= limits->max_count &&
	       vgic_error_mean(&e[VALIDATION_P50]) <= limits->mean_latency &&
	       vgic_error_mean(&e[VALIDATION_P99]) <= limits->mean_latency &&
	       !v->own.ranking.wrong && !v->own.agreement[VGIC_OTHER_END] &&
	       !v->own.agreement[VGIC_OTHER_SET] && !v->across.agreement[VGIC_OTHER_END] &&
	       !v->across.agreement[VGIC_OTHER_SET];
}
