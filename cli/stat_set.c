// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "stat_set.h"

#define WORDS	 (sizeof(struct vgic_stat_counts) / sizeof(uint64_t))
#define COUNTERS (WORDS - VGIC_STAT_MAXIMA)

void stat_set_init(struct stat_set *s, uint64_t now)
{
	memset(s, 0, sizeof(*s));
	s->begin = s->last = now;
}

void stat_set_finish(struct stat_set *s)
{
	free(s->rows);
	memset(s, 0, sizeof(*s));
}

static int compare(const struct stat_row *r, const struct vgic_stat_vcpu *v)
{
	if (r->v.vm != v->vm)
		return r->v.vm < v->vm ? -1 : 1;
	return (r->v.vcpu > v->vcpu) - (r->v.vcpu < v->vcpu);
}

int stat_set_take(void *set, const struct vgic_stat_vcpu *v)
{
	struct stat_set *s = set;
	size_t from = 0, to = s->n;
	struct stat_row *r;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (compare(&s->rows[mid], v) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == s->n || compare(&s->rows[from], v)) {
		if (s->n == s->cap) {
			size_t cap = s->cap ? 2 * s->cap : 16;

			r = realloc(s->rows, cap * sizeof(*r));
			if (!r)
				return -ENOMEM;
			s->rows = r;
			s->cap = cap;
		}
		r = &s->rows[from];
		memmove(r + 1, r, (s->n - from) * sizeof(*r));
		s->n++;
		memset(r, 0, sizeof(*r));
	}
	r = &s->rows[from];
	r->v = *v;
	r->fresh = true;
	return 0;
}

void stat_set_tick(struct stat_set *s, uint64_t now, double time)
{
	for (size_t i = 0; i < s->n; i++) {
		struct stat_row *r = &s->rows[i];
		const uint64_t *is = (const uint64_t *)&r->v.counts;
		const uint64_t *was = (const uint64_t *)&r->ticked;
		uint64_t *span = (uint64_t *)&r->span;

		for (size_t k = 0; k < WORDS; k++)
			span[k] = k < COUNTERS ? is[k] - was[k] : is[k];
		r->ticked = r->v.counts;
		r->fresh = false;
	}
	s->span_ns = now - s->last;
	s->last = now;
	s->time = time;
	s->ticks++;
}

void stat_set_forget_gone(struct stat_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->rows[i].v.gone)
			s->rows[n++] = s->rows[i];
	s->n = n;
}

/* ---- numbers ---- */

static const char *const kinds[VGIC_STAT_KINDS] = {
	[VGIC_STAT_MI] = "mi",	     [VGIC_STAT_DIR] = "dir",	[VGIC_STAT_SGI] = "sgi",
	[VGIC_STAT_WFI] = "wfi",     [VGIC_STAT_MMIO] = "mmio", [VGIC_STAT_OTHER_IRQ] = "other_irq",
	[VGIC_STAT_OTHER] = "other",
};

static const char *const titles[VGIC_STAT_KINDS] = {
	[VGIC_STAT_MI] = "MI",	     [VGIC_STAT_DIR] = "DIR",	[VGIC_STAT_SGI] = "SGI",
	[VGIC_STAT_WFI] = "WFI",     [VGIC_STAT_MMIO] = "MMIO", [VGIC_STAT_OTHER_IRQ] = "IRQ",
	[VGIC_STAT_OTHER] = "other",
};

const char *stat_kind_name(unsigned int kind)
{
	return kinds[kind];
}

const char *stat_kind_title(unsigned int kind)
{
	return titles[kind];
}

static uint64_t sum_of(const uint64_t *v, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += v[n];
	return sum;
}

uint64_t stat_exits(const struct vgic_stat_counts *c)
{
	return sum_of(c->exits, VGIC_STAT_KINDS);
}

uint64_t stat_raises(const struct vgic_stat_counts *c)
{
	return sum_of(c->raise, VGIC_STAT_TIMES);
}

uint64_t stat_overflows(const struct vgic_stat_counts *c)
{
	return sum_of(c->depth + 1, VGIC_STAT_DEPTHS - 1);
}

uint64_t stat_hypervisor_ns(const struct vgic_stat_counts *c)
{
	return sum_of(c->out_ns, VGIC_STAT_KINDS);
}

double stat_mean_lrs(const struct vgic_stat_counts *c)
{
	double sum = 0, n = 0;

	for (unsigned int i = 0; i <= VGR_MAX_LRS; i++) {
		sum += (double)i * (double)c->lrs[i];
		n += (double)c->lrs[i];
	}
	return n > 0 ? sum / n : 0;
}

uint64_t stat_raise_quantile(const struct vgic_stat_counts *c, double p)
{
	double rank = p * (double)stat_raises(c), seen = 0;
	uint64_t highest;

	for (uint32_t b = 0; b < VGIC_STAT_TIMES; b++) {
		seen += (double)c->raise[b];
		if (!c->raise[b] || seen < rank)
			continue;
		highest = b + 1 < VGIC_STAT_TIMES ? vgic_stat_time_lowest(b + 1) - 1
						  : c->raise_max_ns;
		return highest < c->raise_max_ns ? highest : c->raise_max_ns;
	}
	return 0;
}

char *stat_format_count(char *buf, size_t size, double n)
{
	static const char units[] = " kMGTP";
	unsigned int u = 0;

	if (n < 0.95 && n > 0) {
		snprintf(buf, size, "%.2f", n);
		return buf;
	}
	if (n < 99999.5) {
		snprintf(buf, size, "%.0f", n);
		return buf;
	}
	while (n >= 999.5 && u + 2 < sizeof(units)) {
		n /= 1000;
		u++;
	}
	snprintf(buf, size, "%.*f%c", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, units[u]);
	return buf;
}

char *stat_format_time(char *buf, size_t size, uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double n = (double)ns;
	unsigned int u = 0;

	if (!ns) {
		snprintf(buf, size, "-");
		return buf;
	}
	while (n >= 999.5 && u < 3) {
		n /= 1000;
		u++;
	}
	snprintf(buf, size, "%.*f%s", u && n < 9.95 ? 1 : 0, n, units[u]);
	return buf;
}
