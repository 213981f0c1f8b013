// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/guest_sync.h>

/* Pairs of a moment and a run that are looked at for a first guess. */
#define MAX_PAIRS   (2u << 20)
#define MAX_ANCHORS 64u
#define CANDIDATES  256u
/* Moments by which candidates are told apart. */
#define SAMPLE	    4096u
/* So far from it a first guess may be. */
#define NEAR_NS	    200000
#define NEAR_RUNS   8u
/* Offsets nearer than this are one and the same. */
#define APART_NS    10000000

/* The first run that is not over at t. */
static size_t first_after(const struct vgic_guest_runs *v, int64_t t)
{
	size_t from = 0, to = v->n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (t > 0 && v->run[mid].exit < (uint64_t)t)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* The run in which t lies, or none. */
static const struct vgic_guest_run *run_at(const struct vgic_guest_runs *v, int64_t t)
{
	size_t i = first_after(v, t);

	return t >= 0 && i < v->n && v->run[i].entry <= (uint64_t)t ? &v->run[i] : NULL;
}

static const struct vgic_guest_runs *runs_of(const struct vgic_guest_runs *runs, size_t nr_vcpus,
					     const struct vgic_guest_moment *m)
{
	return m->vcpu < nr_vcpus && runs[m->vcpu].n ? &runs[m->vcpu] : NULL;
}

/* Counts every step-th moment; where within [low, high] the offset may be moved. */
static void look(const struct vgic_guest_runs *runs, size_t nr_vcpus,
		 const struct vgic_guest_moment *moments, size_t n, size_t step, int64_t offset,
		 struct vgic_guest_sync *s)
{
	s->offset = offset;
	s->inside = s->covered = 0;
	s->low = INT64_MIN;
	s->high = INT64_MAX;
	for (size_t i = 0; i < n; i += step) {
		const struct vgic_guest_runs *v = runs_of(runs, nr_vcpus, &moments[i]);
		const struct vgic_guest_run *r;
		int64_t t = (int64_t)moments[i].time, low, high;

		if (!v || __builtin_add_overflow(t, offset, &t) || t < (int64_t)v->run[0].entry ||
		    t > (int64_t)v->run[v->n - 1].exit)
			continue;
		s->covered++;
		r = run_at(v, t);
		if (!r)
			continue;
		s->inside++;
		low = (int64_t)(r->entry - moments[i].time);
		high = (int64_t)(r->exit - moments[i].time);
		s->low = low > s->low ? low : s->low;
		s->high = high < s->high ? high : s->high;
	}
}

void vgic_guest_sync_count(const struct vgic_guest_runs *runs, size_t nr_vcpus,
			   const struct vgic_guest_moment *moments, size_t n, int64_t offset,
			   struct vgic_guest_sync *s)
{
	struct vgic_guest_sync got;

	look(runs, nr_vcpus, moments, n, 1, offset, &got);
	s->inside = got.inside;
	s->covered = got.covered;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct candidate {
	int64_t offset;
	unsigned int moments;
};

/*
 * Each run and moment allow some offsets. Where the most such intervals overlap are the
 * candidates; ends[]: twice the ends of the intervals, odd where one is over.
 */
static size_t overlaps(int64_t *ends, size_t n, struct candidate *c)
{
	unsigned int depth = 0;
	size_t nr = 0, worst = 0;

	qsort(ends, n, sizeof(*ends), by_value);
	for (size_t i = 0; i < n; i++) {
		if (!(ends[i] & 1)) {
			depth++;
			continue;
		}
		/* The depth was at its height since the begin before. */
		if (i && !(ends[i - 1] & 1) && (nr < CANDIDATES || c[worst].moments < depth)) {
			size_t at = nr < CANDIDATES ? nr++ : worst;

			c[at].offset = ends[i - 1] / 2 + (ends[i] / 2 - ends[i - 1] / 2) / 2;
			c[at].moments = depth;
			for (size_t k = worst = 0; k < nr; k++)
				if (c[k].moments < c[worst].moments)
					worst = k;
		}
		depth--;
	}
	return nr;
}

static size_t guess(const struct vgic_guest_runs *runs, size_t nr_vcpus,
		    const struct vgic_guest_moment *moments, size_t n, struct candidate *c,
		    int *err)
{
	size_t most = 1, anchors, nr = 0, step;
	int64_t *ends;

	for (size_t i = 0; i < nr_vcpus; i++)
		most = runs[i].n > most ? runs[i].n : most;
	anchors = MAX_PAIRS / most;
	anchors = anchors > MAX_ANCHORS ? MAX_ANCHORS : anchors < 4 ? 4 : anchors;
	anchors = anchors > n ? n : anchors;
	step = n / anchors;
	ends = malloc(2 * anchors * most * sizeof(*ends));
	if (!ends) {
		*err = -ENOMEM;
		return 0;
	}
	for (size_t a = 0; a < anchors; a++) {
		const struct vgic_guest_moment *m = &moments[a * step];
		const struct vgic_guest_runs *v = runs_of(runs, nr_vcpus, m);

		for (size_t i = 0; v && i < v->n; i++) {
			int64_t low = (int64_t)(v->run[i].entry - m->time);
			int64_t high = (int64_t)(v->run[i].exit - m->time);

			/* Clocks are no centuries apart. */
			if (low < INT64_MIN / 4 || high > INT64_MAX / 4)
				continue;
			ends[nr++] = 2 * low;
			ends[nr++] = 2 * high + 1;
		}
	}
	nr = overlaps(ends, nr, c);
	free(ends);
	return nr;
}

/* The offset near this one that puts most moments into runs. */
static int settle(const struct vgic_guest_runs *runs, size_t nr_vcpus,
		  const struct vgic_guest_moment *moments, size_t n, struct candidate *c,
		  int64_t *offset)
{
	int64_t *ends = malloc(2 * NEAR_RUNS * n * sizeof(*ends));
	size_t nr = 0, best = 0;

	if (!ends)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct vgic_guest_runs *v = runs_of(runs, nr_vcpus, &moments[i]);
		int64_t t;

		if (!v || __builtin_add_overflow((int64_t)moments[i].time, *offset, &t))
			continue;
		for (size_t k = first_after(v, t - NEAR_NS), last = k + NEAR_RUNS;
		     k < v->n && k < last && (int64_t)v->run[k].entry <= t + NEAR_NS; k++) {
			ends[nr++] = 2 * (int64_t)(v->run[k].entry - moments[i].time);
			ends[nr++] = 2 * (int64_t)(v->run[k].exit - moments[i].time) + 1;
		}
	}
	nr = overlaps(ends, nr, c);
	free(ends);
	for (size_t i = 1; i < nr; i++)
		if (c[i].moments > c[best].moments)
			best = i;
	if (nr)
		*offset = c[best].offset;
	return 0;
}

int vgic_guest_sync_find(const struct vgic_guest_runs *runs, size_t nr_vcpus,
			 const struct vgic_guest_moment *moments, size_t n,
			 struct vgic_guest_sync *s)
{
	struct candidate c[CANDIDATES], near[CANDIDATES];
	size_t nr, step = n / SAMPLE + 1, best_inside = 0;
	struct vgic_guest_sync got;
	int err = 0;

	memset(s, 0, sizeof(*s));
	if (n < VGIC_GUEST_SYNC_LEAST)
		return -ENODATA;
	nr = guess(runs, nr_vcpus, moments, n, c, &err);
	if (err)
		return err;
	for (size_t i = 0; i < nr; i++) {
		look(runs, nr_vcpus, moments, n, step, c[i].offset, &got);
		if (got.inside <= best_inside)
			continue;
		best_inside = got.inside;
		s->offset = c[i].offset;
	}
	if (!best_inside)
		return -ENODATA;
	err = settle(runs, nr_vcpus, moments, n, near, &s->offset);
	if (err)
		return err;
	look(runs, nr_vcpus, moments, n, 1, s->offset, s);
	s->second = 0;
	for (size_t i = 0; i < nr; i++) {
		int64_t away = c[i].offset - s->offset;

		if (away > -APART_NS && away < APART_NS)
			continue;
		look(runs, nr_vcpus, moments, n, 1, c[i].offset, &got);
		s->second = got.inside > s->second ? got.inside : s->second;
	}
	if (s->covered < VGIC_GUEST_SYNC_LEAST)
		return -ENODATA;
	return s->inside * 100 < s->covered * 99 || s->second * 10 > s->inside * 9 ? -ENOTUNIQ : 0;
}
