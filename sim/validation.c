/* SPDX-License-Identifier: GPL-2.0-only */
/* A prediction and the real run: number by number, and many together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/validation.h>

static const struct {
	const char *name;
	enum vgic_quantity_kind kind;
} quantities[VGIC_QUANTITIES] = {
	[VGIC_QUANTITY_EXITS] = {"exits.total", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_MI] = {"mi.total", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_MI_U] = {"mi.u", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_MI_NP] = {"mi.np", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_MI_LRENP] = {"mi.lrenp", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_MI_EOI] = {"mi.eoi", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_MI_GRP] = {"mi.grp", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_DIR] = {"dir_traps", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_EOICOUNT] = {"eoicount_deactivations", VGIC_KIND_COUNT},
	[VGIC_QUANTITY_OCCUPANCY] = {"occupancy.mean", VGIC_KIND_OCCUPANCY},
	[VGIC_QUANTITY_P50] = {"raise_to_lr.p50", VGIC_KIND_LATENCY},
	[VGIC_QUANTITY_P99] = {"raise_to_lr.p99", VGIC_KIND_LATENCY},
};

const char *vgic_quantity_name(enum vgic_quantity q)
{
	return quantities[q].name;
}

enum vgic_quantity_kind vgic_quantity_kind(enum vgic_quantity q)
{
	return quantities[q].kind;
}

/*
 * A recording shows LRs as they were programmed, a replay as they are at each moment: only
 * at the entry do they compare.
 */
static double mean_used(const struct vgic_cell *c)
{
	double sum = 0, of = 0;

	for (unsigned int i = 0; i <= VGR_MAX_LRS; i++) {
		sum += (double)i * (double)c->entries[i];
		of += (double)c->entries[i];
	}
	return of > 0 ? sum / of : 0;
}

static int by_intid(const void *pa, const void *pb)
{
	const struct vgic_starved *a = pa, *b = pb;

	if (a->intid != b->intid)
		return a->intid < b->intid ? -1 : 1;
	return (a->vcpu > b->vcpu) - (a->vcpu < b->vcpu);
}

void vgic_numbers_of(struct vgic_numbers *n, const struct vgic_cell *c)
{
	const struct vgic_hist *lr = &c->latency[VGIC_LATENCY_RAISE_TO_LR].hist;
	double *v = n->value;

	memset(n, 0, sizeof(*n));
	n->outcome = c->outcome;
	n->guest_ns = (double)c->guest_ns;
	n->interrupts = c->interrupts;
	v[VGIC_QUANTITY_EXITS] = (double)c->exits;
	v[VGIC_QUANTITY_MI] = (double)c->mi;
	/* Bit order of ICH_MISR_EL2. */
	v[VGIC_QUANTITY_MI_EOI] = (double)c->mi_source[0];
	v[VGIC_QUANTITY_MI_U] = (double)c->mi_source[1];
	v[VGIC_QUANTITY_MI_LRENP] = (double)c->mi_source[2];
	v[VGIC_QUANTITY_MI_NP] = (double)c->mi_source[3];
	for (unsigned int i = 4; i < VGIC_MI_SOURCES; i++)
		v[VGIC_QUANTITY_MI_GRP] += (double)c->mi_source[i];
	v[VGIC_QUANTITY_DIR] = (double)c->dir_traps;
	v[VGIC_QUANTITY_EOICOUNT] = (double)c->eoicount;
	v[VGIC_QUANTITY_OCCUPANCY] = mean_used(c);
	v[VGIC_QUANTITY_P50] = (double)vgic_hist_quantile(lr, 0.5);
	v[VGIC_QUANTITY_P99] = (double)vgic_hist_quantile(lr, 0.99);
	for (int q = 0; q < VGIC_QUANTITIES; q++)
		n->known[q] = true;
	n->known[VGIC_QUANTITY_P50] =
		c->latency_known[VGIC_LATENCY_RAISE_TO_LR] && vgic_latency_enough(lr->n, 0.5);
	n->known[VGIC_QUANTITY_P99] =
		c->latency_known[VGIC_LATENCY_RAISE_TO_LR] && vgic_latency_enough(lr->n, 0.99);
	n->nr_starved = c->nr_starved;
	memcpy(n->starved, c->starved, n->nr_starved * sizeof(*n->starved));
	qsort(n->starved, n->nr_starved, sizeof(*n->starved), by_intid);
}

/* The k-th smallest by counting, whatever n is: runs are few, and nothing need be allocated. */
static double smallest(const struct vgic_numbers *runs, size_t n, enum vgic_quantity q, size_t k)
{
	for (size_t i = 0; i < n; i++) {
		size_t less = 0, equal = 0;

		for (size_t r = 0; r < n; r++) {
			less += runs[r].value[q] < runs[i].value[q];
			equal += runs[r].value[q] == runs[i].value[q];
		}
		if (less <= k && k < less + equal)
			return runs[i].value[q];
	}
	return 0;
}

static double median_of(const struct vgic_numbers *runs, size_t n, enum vgic_quantity q)
{
	return (smallest(runs, n, q, (n - 1) / 2) + smallest(runs, n, q, n / 2)) / 2;
}

void vgic_numbers_median(struct vgic_numbers *mid, double low[VGIC_QUANTITIES],
			 double high[VGIC_QUANTITIES], const struct vgic_numbers *runs, size_t n)
{
	size_t votes[VGIC_OUTCOME_STARVED + 1] = {0};
	size_t pick = 0;

	for (size_t i = 0; i < n; i++)
		votes[runs[i].outcome]++;
	for (size_t i = 1; i < n; i++) {
		size_t mine = votes[runs[i].outcome], best = votes[runs[pick].outcome];

		if (mine > best || (mine == best && runs[pick].outcome == VGIC_OUTCOME_COMPLETED))
			pick = i;
	}
	/* Which interrupts starved is that run's own. */
	*mid = runs[pick];
	for (int q = 0; q < VGIC_QUANTITIES; q++) {
		double least = runs[0].value[q], most = least;

		mid->value[q] = median_of(runs, n, (enum vgic_quantity)q);
		for (size_t i = 0; i < n; i++) {
			least = runs[i].value[q] < least ? runs[i].value[q] : least;
			most = runs[i].value[q] > most ? runs[i].value[q] : most;
			mid->known[q] &= runs[i].known[q];
		}
		if (low)
			low[q] = least;
		if (high)
			high[q] = most;
	}
}

enum vgic_agreement vgic_numbers_agree(const struct vgic_numbers *predicted,
				       const struct vgic_numbers *truth)
{
	if (predicted->outcome != truth->outcome)
		return VGIC_OTHER_END;
	if (truth->outcome != VGIC_OUTCOME_STARVED)
		return VGIC_AGREES;
	if (predicted->nr_starved != truth->nr_starved)
		return VGIC_OTHER_SET;
	for (size_t i = 0; i < truth->nr_starved; i++)
		if (by_intid(&predicted->starved[i], &truth->starved[i]))
			return VGIC_OTHER_SET;
	return VGIC_AGREES;
}

struct vgic_deviation vgic_deviation_of(const struct vgic_numbers *predicted,
					const struct vgic_numbers *truth, enum vgic_quantity q)
{
	double p = predicted->value[q], t = truth->value[q];
	struct vgic_deviation d = {.difference = p - t};

	d.judged = predicted->known[q] && truth->known[q] &&
		   predicted->outcome == VGIC_OUTCOME_COMPLETED &&
		   truth->outcome == VGIC_OUTCOME_COMPLETED;
	d.few = quantities[q].kind == VGIC_KIND_COUNT && t < VGIC_FEW;
	if (!d.few && t > 0)
		d.error = d.difference / t;
	else if (!d.few && p > 0)
		d.error = INFINITY;
	return d;
}

void vgic_error_add(struct vgic_error_sum *s, const struct vgic_deviation *d)
{
	double error = fabs(d->error), difference = fabs(d->difference);

	if (!d->judged)
		return;
	if (d->few) {
		s->few_n++;
		s->few_max = difference > s->few_max ? difference : s->few_max;
		return;
	}
	s->n++;
	s->sum += error;
	s->max = error > s->max ? error : s->max;
}

double vgic_error_mean(const struct vgic_error_sum *s)
{
	return s->n ? s->sum / (double)s->n : 0;
}

static double per_interrupt(const struct vgic_numbers *n)
{
	return n->interrupts ? n->value[VGIC_QUANTITY_MI] / (double)n->interrupts : 0;
}

static double per_second(const struct vgic_numbers *n)
{
	return n->guest_ns > 0 ? n->value[VGIC_QUANTITY_MI] / n->guest_ns : 0;
}

static bool is_near(double x, double y)
{
	return fabs(x - y) <= VGIC_TIE_SHARE * (x > y ? x : y);
}

/* One pair by one rate. */
static void rank(uint64_t *pairs, uint64_t *wrong, double (*rate)(const struct vgic_numbers *n),
		 const struct vgic_numbers *const p[2], const struct vgic_numbers *const t[2])
{
	double x = t[0]->value[VGIC_QUANTITY_MI], y = t[1]->value[VGIC_QUANTITY_MI];

	if (fabs(x - y) <= VGIC_TIE_COUNT || is_near(x, y) || is_near(rate(t[0]), rate(t[1])))
		return;
	++*pairs;
	*wrong += (rate(t[0]) > rate(t[1])) != (rate(p[0]) > rate(p[1]));
}

void vgic_ranking_add(struct vgic_ranking *r, const struct vgic_numbers *const *predicted,
		      const struct vgic_numbers *const *truth, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			const struct vgic_numbers *p[2] = {predicted[i], predicted[k]};
			const struct vgic_numbers *t[2] = {truth[i], truth[k]};

			if (p[0]->outcome || p[1]->outcome || t[0]->outcome || t[1]->outcome)
				continue;
			rank(&r->pairs, &r->wrong, per_interrupt, p, t);
			rank(&r->timed_pairs, &r->timed_wrong, per_second, p, t);
		}
	}
}
