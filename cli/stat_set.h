/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics of many vCPUs over time: what each has counted in all, and since the last tick. */
#ifndef VGICSIM_CLI_STAT_SET_H
#define VGICSIM_CLI_STAT_SET_H

#include <stddef.h>
#include <stdio.h>
#include <jansson.h>
#include <vgicsim/stat.h>

struct stat_row {
	struct vgic_stat_vcpu v;	/* counts: since the beginning */
	struct vgic_stat_counts ticked; /* the same at the last tick */
	struct vgic_stat_counts span;	/* between the last two ticks; maxima: as in v */
	bool fresh;			/* seen since the last tick */
};

struct stat_set {
	struct stat_row *rows; /* by VM and vCPU */
	size_t n, cap;
	uint64_t ticks;
	uint64_t begin, last; /* ns, CLOCK_MONOTONIC: of the beginning and of the last tick */
	uint64_t span_ns;     /* between the last two */
	double time;	      /* s since 1970, at the last tick */
	struct vgic_stat_missed missed;
};

void stat_set_init(struct stat_set *s, uint64_t now);
void stat_set_finish(struct stat_set *s);
/* A vgic_stat_sink. 0 or -ENOMEM. */
int stat_set_take(void *set, const struct vgic_stat_vcpu *v);
/* Closes a span: s->rows[].span is what was counted in it. */
void stat_set_tick(struct stat_set *s, uint64_t now, double time);
/* Forgets those that have gone; after their span has been shown. */
void stat_set_forget_gone(struct stat_set *s);

/* "mi", "dir" ... for enum vgic_stat_kind; "MI" ... for people. */
const char *stat_kind_name(unsigned int kind);
const char *stat_kind_title(unsigned int kind);

uint64_t stat_exits(const struct vgic_stat_counts *c);
uint64_t stat_raises(const struct vgic_stat_counts *c);
/* Entries that left something outside the LRs. */
uint64_t stat_overflows(const struct vgic_stat_counts *c);
double stat_mean_lrs(const struct vgic_stat_counts *c);
uint64_t stat_hypervisor_ns(const struct vgic_stat_counts *c);
/* Longest duration of the bucket that holds the p-quantile, but not beyond max; 0 without any. */
uint64_t stat_raise_quantile(const struct vgic_stat_counts *c, double p);

/* "1234", "12.3k", "4.56M" into buf; gives buf. At most five characters below 10^15. */
char *stat_format_count(char *buf, size_t size, double n);
/* "850ns", "12us", "3.4ms", "12s"; at most six. "-" for 0. */
char *stat_format_time(char *buf, size_t size, uint64_t ns);

/* ---- NDJSON; cli/stat.schema.json says what is in a line ---- */

/* type: "interval" or "total". NULL: no memory. */
json_t *stat_json_vcpu(const struct stat_row *row, const char *type);
json_t *stat_json_tick(const struct stat_set *s);
json_t *stat_json_end(const struct stat_set *s, const char *stop);

enum stat_line { STAT_LINE_VCPU, STAT_LINE_TICK, STAT_LINE_OTHER };

/*
 * One line of what was written so, into the set: an "interval" line is added to what its vCPU has
 * counted, a "tick" line closes the span. -EINVAL: it is no such line; -ENOMEM.
 */
int stat_json_read(struct stat_set *s, const char *line, enum stat_line *what);

/* ---- for people ---- */

void stat_print_head(FILE *f, const struct stat_set *s);
void stat_print_row(FILE *f, const struct stat_row *row, uint64_t span_ns);
void stat_print_total(FILE *f, const struct stat_row *row, uint64_t ns);

/* All of it for a collector of metrics. */
void stat_print_openmetrics(FILE *f, const struct stat_set *s);

#endif
