/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records to the costs of a machine: least squares over what the probes of one entry
 * and one exit show. A first fit goes through the medians of samples that are alike,
 * so that no outlier leads it; what then is longest for its size is left out, as a host
 * that was away once must not set the cost, and the second fit is through the rest.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/metrics.h>
#include <vgicsim/profile.h>
#include <vgicsim/vgic.h>

#define MAX_SAMPLES 131072u
#define MAX_TERMS   5u
#define SORT_STEP   4u
/* Share of a term that the terms before it must not explain. */
#define INDEPENDENT 1e-4
#define QUANTILES   32u

struct sample {
	uint32_t ns;
	uint16_t irqs;
	uint8_t lrs;
	bool sorted; /* entry: by a sort; exit: by an MI, which the host took first */
};

/* When there are too many: an even choice of all, the same each time. */
struct samples {
	struct sample *v;
	size_t n, cap;
	uint64_t seen;
};

/* One vCPU between its sync and its next entry. */
struct cal_vcpu {
	bool flushed, entered, synced, out;
	bool disturbed;	     /* more than its exit was handled since then */
	bool cold, cold_run; /* it lost the CPU before the entry to come, before this run */
	uint64_t flush_begin, entry_time, sync_begin, left;
	struct sample entry, exit;
	uint32_t misr;
	uint8_t kind; /* enum vgic_fit_kind; VGIC_FITS: neither */
};

struct vgic_calibration {
	unsigned int nr_lr;
	uint64_t recordings;
	struct cal_vcpu *vcpus;
	size_t nr_vcpus;
	struct samples samples[VGIC_FITS];
};

static const char *const fit_names[] = {"entry", "exit", "mi", "dir", "switch", "mi_delay"};
static const char *const term_names[] = {"entry",     "entry_irq", "entry_lr", "sort",
					 "sort_step", "exit",	   "exit_irq", "exit_lr"};

const char *vgic_fit_name(unsigned int kind)
{
	return kind < VGIC_FITS ? fit_names[kind] : NULL;
}

const char *vgic_term_name(unsigned int term)
{
	return term < VGIC_TERMS ? term_names[term] : NULL;
}

int vgic_calibration_create(struct vgic_calibration **out)
{
	struct vgic_calibration *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*out = c;
	return 0;
}

void vgic_calibration_destroy(struct vgic_calibration *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < VGIC_FITS; i++)
		free(c->samples[i].v);
	free(c->vcpus);
	free(c);
}

void vgic_calibration_begin(struct vgic_calibration *c, unsigned int nr_lr)
{
	if (c->nr_vcpus)
		memset(c->vcpus, 0, c->nr_vcpus * sizeof(*c->vcpus));
	c->nr_lr = nr_lr;
	c->recordings++;
}

/* Not a stride: kinds of exits take turns, and one of them would be lost. */
static uint64_t mixed(uint64_t z)
{
	z *= 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	return z ^ (z >> 31);
}

static int add(struct samples *s, const struct sample *what, uint64_t from, uint64_t to)
{
	if (to < from || to - from > VGIC_MAX_COST_NS)
		return 0;
	s->seen++;
	if (s->n == MAX_SAMPLES) {
		uint64_t at = mixed(s->seen) % s->seen;

		if (at < MAX_SAMPLES) {
			s->v[at] = *what;
			s->v[at].ns = (uint32_t)(to - from);
		}
		return 0;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct sample *v = realloc(s->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n] = *what;
	s->v[s->n++].ns = (uint32_t)(to - from);
	return 0;
}

int vgic_calibration_mi_delay(struct vgic_calibration *c, uint64_t ns)
{
	const struct sample nothing = {0};

	return add(&c->samples[VGIC_FIT_MI_DELAY], &nothing, 0, ns);
}

/* ---- records ---- */

static struct cal_vcpu *vcpu_of(struct vgic_calibration *c, uint16_t index)
{
	if (index >= c->nr_vcpus) {
		size_t n = (size_t)index + 1;
		struct cal_vcpu *v = realloc(c->vcpus, n * sizeof(*v));

		if (!v)
			return NULL;
		memset(v + c->nr_vcpus, 0, (n - c->nr_vcpus) * sizeof(*v));
		c->vcpus = v;
		c->nr_vcpus = n;
	}
	return &c->vcpus[index];
}

static int on_flush(struct vgic_calibration *c, struct cal_vcpu *v, const struct vgr_flush *f)
{
	int ret = 0;

	if (v->out && !v->disturbed && v->kind != VGIC_FITS)
		ret = add(&c->samples[v->kind], &v->exit, v->left, f->begin);
	v->out = v->synced = false;
	v->flushed = !(f->r.flags & (VGR_F_CUT | VGR_F_TORN));
	v->flush_begin = f->begin;
	v->entry = (struct sample){
		.irqs = f->n_before,
		.lrs = (uint8_t)(f->used_lrs < VGR_MAX_LRS ? f->used_lrs : VGR_MAX_LRS),
		.sorted = vgic_flush_deliverable(f) > c->nr_lr,
	};
	return ret;
}

static int on_entry(struct vgic_calibration *c, struct cal_vcpu *v, const struct vgr_rec *r)
{
	bool flushed = v->flushed;

	v->flushed = v->out = v->synced = false;
	v->entered = true;
	v->entry_time = r->time;
	v->cold_run = v->cold;
	v->cold = false;
	if (!flushed || v->cold_run)
		return 0;
	return add(&c->samples[VGIC_FIT_ENTRY], &v->entry, v->flush_begin, r->time);
}

static int on_sync(struct vgic_calibration *c, struct cal_vcpu *v, const struct vgr_sync *s)
{
	const struct sample nothing = {0};
	bool entered = v->entered;

	v->synced = !(s->r.flags & (VGR_F_CUT | VGR_F_TORN));
	v->out = v->flushed = v->entered = false;
	v->sync_begin = s->begin;
	v->misr = vgic_sync_misr(s, c->nr_lr);
	v->exit = (struct sample){
		.irqs = s->n_before,
		.lrs = (uint8_t)(s->used_lrs < VGR_MAX_LRS ? s->used_lrs : VGR_MAX_LRS),
	};
	return entered ? add(&c->samples[VGIC_FIT_SWITCH], &nothing, v->entry_time, s->begin) : 0;
}

static int on_exit_record(struct vgic_calibration *c, struct cal_vcpu *v, const struct vgr_exit *x)
{
	if (!v->synced)
		return 0;
	v->synced = false;
	v->out = true;
	v->disturbed = false;
	v->left = x->r.time;
	v->exit.sorted = x->ret == 0;
	v->kind = x->ret == 0 && v->misr ? VGIC_FIT_MI : VGIC_FITS;
	/* Another interrupt's handler is no cost of an exit. */
	if (v->cold_run || (x->ret == 0 && v->kind != VGIC_FIT_MI))
		return 0;
	return add(&c->samples[VGIC_FIT_EXIT], &v->exit, v->sync_begin, x->r.time);
}

int vgic_calibration_record(struct vgic_calibration *c, const struct vgr_rec *rec)
{
	struct cal_vcpu *v = NULL;

	if (rec->vcpu < VGIC_MAX_VCPUS) {
		v = vcpu_of(c, rec->vcpu);
		if (!v)
			return -ENOMEM;
	}
	switch (rec->type) {
	case VGR_FLUSH:
		return v ? on_flush(c, v, (const struct vgr_flush *)rec) : 0;
	case VGR_ENTRY:
		return v ? on_entry(c, v, rec) : 0;
	case VGR_SYNC:
		return v ? on_sync(c, v, (const struct vgr_sync *)rec) : 0;
	case VGR_EXIT:
		return v ? on_exit_record(c, v, (const struct vgr_exit *)rec) : 0;
	case VGR_DIR:
		if (v && v->out && v->kind == VGIC_FITS)
			v->kind = VGIC_FIT_DIR;
		return 0;
	case VGR_VCPU:
	case VGR_LEVEL:
	case VGR_KICK:
		return 0;
	case VGR_LOAD:
	case VGR_PUT:
		if (v)
			v->cold = true;
		/* fall through */
	default:
		/* A thread at work, or a vCPU that lost its CPU: not the exit's own cost. */
		for (size_t i = 0; i < c->nr_vcpus; i++)
			c->vcpus[i].disturbed = true;
		return 0;
	}
}

/* ---- least squares ---- */

static unsigned int terms_of(unsigned int kind)
{
	return kind == VGIC_FIT_ENTRY ? 5 : kind == VGIC_FIT_EXIT ? 4 : 1;
}

static void row_of(unsigned int kind, const struct sample *s, double *x)
{
	x[0] = 1;
	x[1] = s->irqs;
	x[2] = s->lrs;
	x[3] = s->sorted;
	x[4] = s->sorted ? (double)vgic_sort_steps(s->irqs) : 0;
}

static double value_of(unsigned int kind, const struct sample *s, const double *coef)
{
	double x[MAX_TERMS], y = 0;

	row_of(kind, s, x);
	for (unsigned int i = 0; i < terms_of(kind); i++)
		y += x[i] * coef[i];
	return y;
}

struct normal {
	unsigned int n;
	double a[MAX_TERMS][MAX_TERMS], b[MAX_TERMS];
};

static void normal_add(struct normal *e, unsigned int kind, const struct sample *s, double y,
		       double weight)
{
	double x[MAX_TERMS];

	row_of(kind, s, x);
	for (unsigned int i = 0; i < e->n; i++) {
		e->b[i] += weight * x[i] * y;
		for (unsigned int k = 0; k < e->n; k++)
			e->a[i][k] += weight * x[i] * x[k];
	}
}

/*
 * Cholesky over the terms in use; one that the terms before it explain is taken out of
 * use: its column of the root has no length left.
 */
static void solve_in_use(const struct normal *e, bool *use, double *coef)
{
	double l[MAX_TERMS][MAX_TERMS] = {{0}}, z[MAX_TERMS] = {0};

	for (unsigned int i = 0; i < e->n; i++) {
		double d = e->a[i][i], y = e->b[i];

		coef[i] = 0;
		if (!use[i])
			continue;
		for (unsigned int k = 0; k < i; k++) {
			double sum = e->a[i][k];

			if (!use[k])
				continue;
			for (unsigned int j = 0; j < k; j++)
				sum -= l[i][j] * l[k][j];
			l[i][k] = sum / l[k][k];
			d -= l[i][k] * l[i][k];
			y -= l[i][k] * z[k];
		}
		if (d <= INDEPENDENT * e->a[i][i]) {
			use[i] = false;
			memset(l[i], 0, sizeof(l[i]));
			continue;
		}
		l[i][i] = sqrt(d);
		z[i] = y / l[i][i];
	}
	for (unsigned int i = e->n; i-- > 0;) {
		double sum = z[i];

		if (!use[i])
			continue;
		for (unsigned int k = i + 1; k < e->n; k++)
			if (use[k])
				sum -= l[k][i] * coef[k];
		coef[i] = sum / l[i][i];
	}
}

/* No cost is negative: terms go until none is. determined: those that had data. */
static void solve(const struct normal *e, bool *determined, double *coef)
{
	bool use[MAX_TERMS];
	bool first = true;

	for (unsigned int i = 0; i < e->n; i++)
		use[i] = e->a[i][i] > 0;
	for (;;) {
		unsigned int worst = e->n;

		solve_in_use(e, use, coef);
		if (first)
			memcpy(determined, use, sizeof(use));
		first = false;
		for (unsigned int i = 0; i < e->n; i++)
			if (coef[i] < 0 && (worst == e->n || coef[i] < coef[worst]))
				worst = i;
		if (worst == e->n)
			return;
		/* A list that is sorted is walked, too: what both explain is the walk. */
		if (e->n > SORT_STEP && use[SORT_STEP])
			worst = SORT_STEP;
		use[worst] = false;
	}
}

/*
 * Samples are ordered by their irqs, LRs, whether they are sorted, and then by their times.
 * Where in a sample, taken as one word, the bytes of that key are, the least of them first.
 */
_Static_assert(sizeof(struct sample) == sizeof(uint64_t) &&
		       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "a sample is one word, its lowest byte first");
static const uint8_t digits[] = {
	offsetof(struct sample, ns),	 offsetof(struct sample, ns) + 1,
	offsetof(struct sample, ns) + 2, offsetof(struct sample, ns) + 3,
	offsetof(struct sample, sorted), offsetof(struct sample, lrs),
	offsetof(struct sample, irqs),	 offsetof(struct sample, irqs) + 1,
};
#define DIGITS (sizeof(digits) / sizeof(digits[0]))

static inline unsigned int digit_of(const struct sample *s, unsigned int digit)
{
	return ((const uint8_t *)s)[digits[digit]];
}

/* By one digit; count: how many have each. Those with the same one keep their order. */
static void sort_by_digit(struct sample *to, const struct sample *from, size_t n,
			  unsigned int digit, const uint32_t *count)
{
	size_t at[256], sum = 0;

	for (unsigned int i = 0; i < 256; sum += count[i++])
		at[i] = sum;
	for (size_t i = 0; i < n; i++)
		to[at[digit_of(&from[i], digit)]++] = from[i];
}

/* room: for as many samples. */
static void sort_samples(struct samples *s, struct sample *room)
{
	struct sample *v = s->v, *other = room;
	uint32_t count[DIGITS][256] = {{0}};

	for (size_t i = 0; i < s->n; i++)
		for (unsigned int d = 0; d < DIGITS; d++)
			count[d][digit_of(&v[i], d)]++;
	for (unsigned int d = 0; d < DIGITS; d++) {
		struct sample *from = v;

		/* All have the same one. */
		if (count[d][digit_of(v, d)] == s->n)
			continue;
		sort_by_digit(other, from, s->n, d, count[d]);
		v = other;
		other = from;
	}
	if (v != s->v)
		memcpy(s->v, v, s->n * sizeof(*v));
}

/* The k-th in that order, from 0, of samples in any order: by its digits, the highest first. */
static struct sample kth_sample(const struct samples *s, size_t k)
{
	uint64_t known = 0, mask = 0;
	struct sample found;

	for (unsigned int d = DIGITS; d-- > 0;) {
		uint32_t count[256] = {0};
		unsigned int digit = 0;

		for (size_t i = 0; i < s->n; i++) {
			uint64_t word;

			memcpy(&word, &s->v[i], sizeof(word));
			count[digit_of(&s->v[i], d)] += !((word ^ known) & mask);
		}
		while (k >= count[digit])
			k -= count[digit++];
		((uint8_t *)&known)[digits[d]] = (uint8_t)digit;
		((uint8_t *)&mask)[digits[d]] = 0xff;
	}
	memcpy(&found, &known, sizeof(found));
	return found;
}

static int compare_double(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	return a < b ? -1 : a > b;
}

/* The k-th smallest, from 0, of n numbers, which are put in another order. */
static double nth(double *v, size_t n, size_t k)
{
	/* Halves as a rule; what was made so that it does not is sorted. */
	for (unsigned int rounds = 0; n > 1 && rounds < 64; rounds++) {
		double a = v[0], b = v[n / 2], c = v[n - 1];
		double pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
		size_t low = 0, high = n;

		/* Smaller ones, [low, i) like it, larger ones from high on. */
		for (size_t i = 0; i < high;) {
			double x = v[i];

			if (x < pivot) {
				v[i++] = v[low];
				v[low++] = x;
			} else if (x > pivot) {
				v[i] = v[--high];
				v[high] = x;
			} else {
				i++;
			}
		}
		if (k >= low && k < high)
			return pivot;
		if (k < low) {
			n = low;
		} else {
			v += high;
			n -= high;
			k -= high;
		}
	}
	qsort(v, n, sizeof(*v), compare_double);
	return v[k];
}

static bool alike(const struct sample *a, const struct sample *b)
{
	return a->irqs == b->irqs && a->lrs == b->lrs && a->sorted == b->sorted;
}

/* How often longer than the first fit says. */
static double excess(unsigned int kind, const struct sample *s, const double *coef)
{
	double y = value_of(kind, s, coef);

	return s->ns / (y > 1 ? y : 1);
}

/* The longest, of which nobody knows what else was in them. */
static size_t trimmed_of(const struct samples *s)
{
	return s->n / 100 + (s->n >= VGIC_FIT_FEW);
}

/* scratch: room for a double each. Leaves the samples sorted. */
static void fit(struct samples *s, unsigned int kind, double *scratch, bool *determined,
		double *coef)
{
	struct normal e = {.n = terms_of(kind)};
	double limit, first[MAX_TERMS];

	memset(coef, 0, MAX_TERMS * sizeof(*coef));
	memset(determined, 0, MAX_TERMS * sizeof(*determined));
	if (!s->n)
		return;
	sort_samples(s, (struct sample *)scratch);
	for (size_t i = 0, n; i < s->n; i += n) {
		for (n = 1; i + n < s->n && alike(&s->v[i], &s->v[i + n]); n++)
			;
		normal_add(&e, kind, &s->v[i], s->v[i + (n - 1) / 2].ns, (double)n);
	}
	solve(&e, determined, coef);
	for (size_t i = 0; i < s->n; i++)
		scratch[i] = excess(kind, &s->v[i], coef);
	limit = nth(scratch, s->n, s->n - 1 - trimmed_of(s));
	memcpy(first, coef, sizeof(first));
	e = (struct normal){.n = e.n};
	for (size_t i = 0; i < s->n; i++)
		if (excess(kind, &s->v[i], first) <= limit)
			normal_add(&e, kind, &s->v[i], s->v[i].ns, 1);
	solve(&e, determined, coef);
}

/* The excess up to which samples are fitted to; scratch as in fit(). */
static double limit_of(const struct samples *s, unsigned int kind, double *scratch,
		       const double *coef)
{
	if (!s->n)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		scratch[i] = excess(kind, &s->v[i], coef);
	return nth(scratch, s->n, s->n - 1 - trimmed_of(s));
}

static uint64_t rounded(double v, double unit, uint64_t most)
{
	v = v * unit + 0.5;
	return v < 0 ? 0 : v > (double)most ? most : (uint64_t)v;
}

static uint64_t ns_of(double v)
{
	return rounded(v, 1, VGIC_MAX_COST_NS);
}

static uint64_t ps_of(double v)
{
	return rounded(v, 1000, VGIC_MAX_COST_PS);
}

static void judge(const struct samples *s, unsigned int kind, const double *coef, double limit,
		  double *scratch, struct vgic_fit *f)
{
	double mean = 0, all = 0, left = 0;
	size_t n = s->n, kept = 0;

	*f = (struct vgic_fit){.n = s->seen};
	if (!n)
		return;
	for (size_t i = 0; i < n; i++) {
		scratch[i] = fabs(s->v[i].ns - value_of(kind, &s->v[i], coef));
		if (excess(kind, &s->v[i], coef) > limit)
			continue;
		mean += s->v[i].ns;
		kept++;
	}
	mean /= (double)kept;
	for (size_t i = 0; i < n; i++) {
		double rest = s->v[i].ns - value_of(kind, &s->v[i], coef);

		if (excess(kind, &s->v[i], coef) > limit)
			continue;
		all += (s->v[i].ns - mean) * (s->v[i].ns - mean);
		left += rest * rest;
	}
	if (terms_of(kind) > 1 && all > 0 && left < all)
		f->explained_ppm = (uint32_t)rounded(1 - left / all, 1e6, 1000000);
	f->median_ns = ns_of(nth(scratch, n, (n - 1) / 2));
	f->p90_ns = ns_of(nth(scratch, n, (n - 1) * 9 / 10));
	for (size_t i = 0; i < n; i++)
		scratch[i] = fabs(s->v[i].ns - value_of(kind, &s->v[i], coef)) /
			     (s->v[i].ns ? s->v[i].ns : 1);
	f->median_ppm = (uint32_t)rounded(nth(scratch, n, (n - 1) / 2), 1e6, UINT32_MAX);
	f->p90_ppm = (uint32_t)rounded(nth(scratch, n, (n - 1) * 9 / 10), 1e6, UINT32_MAX);
}

/* Some run is so short that the guest did nothing in it; the very shortest may be a slip. */
static uint64_t shortest(const struct samples *s)
{
	if (s->n < VGIC_FIT_FEW)
		return 0;
	return kth_sample(s, (s->n - 1) / 100).ns;
}

/* The samples are sorted. */
static void delays(const struct samples *s, struct vgic_profile *p)
{
	uint32_t n = s->n < QUANTILES ? (uint32_t)s->n : QUANTILES;

	if (!s->n)
		return;
	p->mi_delay_ns = s->v[(s->n - 1) / 2].ns;
	for (uint32_t i = 0; i < n; i++)
		p->mi_delays[i] = s->v[(2 * i + 1) * s->n / (2 * n)].ns;
	p->nr_mi_delays = p->mi_delays[0] == p->mi_delays[n - 1] ? 1 : n;
}

uint64_t vgic_calibration_switch(struct vgic_calibration *c)
{
	return shortest(&c->samples[VGIC_FIT_SWITCH]);
}

int vgic_calibration_fit(struct vgic_calibration *c, struct vgic_profile *p,
			 struct vgic_fit_report *report)
{
	struct vgic_fit_report r = {.recordings = c->recordings};
	double coef[VGIC_FITS][MAX_TERMS] = {{0}}, *scratch, limit;
	bool determined[MAX_TERMS];
	size_t most = 1;

	for (unsigned int i = 0; i < VGIC_FITS; i++)
		most = c->samples[i].n > most ? c->samples[i].n : most;
	scratch = malloc(most * sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	for (unsigned int i = 0; i < VGIC_FITS; i++) {
		const unsigned int first = i == VGIC_FIT_EXIT ? VGIC_TERM_EXIT : VGIC_TERM_ENTRY;

		fit(&c->samples[i], i, scratch, determined, coef[i]);
		/* How good it is costs as much as the fit. */
		if (report) {
			limit = limit_of(&c->samples[i], i, scratch, coef[i]);
			judge(&c->samples[i], i, coef[i], limit, scratch, &r.fits[i]);
		}
		for (unsigned int k = 0; i <= VGIC_FIT_EXIT && k < (i ? 3 : 5); k++)
			r.open[first + k] = !determined[k];
	}
	free(scratch);

	const double *in = coef[VGIC_FIT_ENTRY], *out = coef[VGIC_FIT_EXIT];

	*p = (struct vgic_profile){
		.entry_ns = c->samples[VGIC_FIT_ENTRY].n ? ns_of(in[0]) : 1000,
		.exit_ns = c->samples[VGIC_FIT_EXIT].n ? ns_of(out[0]) : 1000,
		.kick_ns = 1000,
		.entry_irq_ps = ps_of(in[1]),
		.entry_lr_ps = ps_of(in[2]),
		.sort_ns = ns_of(in[3]),
		.sort_step_ps = ps_of(in[4]),
		.exit_irq_ps = ps_of(out[1]),
		.exit_lr_ps = ps_of(out[2]),
	};
	p->mi_out_ns = p->entry_ns + p->exit_ns + ns_of(out[3] + coef[VGIC_FIT_MI][0]);
	p->dir_out_ns = p->entry_ns + p->exit_ns + ns_of(coef[VGIC_FIT_DIR][0]);
	p->switch_ns = shortest(&c->samples[VGIC_FIT_SWITCH]);
	delays(&c->samples[VGIC_FIT_MI_DELAY], p);
	if (report)
		*report = r;
	return 0;
}
