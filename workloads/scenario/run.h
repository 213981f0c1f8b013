/* SPDX-License-Identifier: GPL-2.0-only */
/* A scenario that runs: shared by its statements, its trace and its expectations. */
#ifndef WORKLOADS_SCENARIO_RUN_H
#define WORKLOADS_SCENARIO_RUN_H

#include "program.h"

#define MAX_EVENTS 400000u
#define LINE_TEXT  1024

struct acks {
	uint32_t *v;
	size_t n, cap;
};

struct runner {
	const struct vgic_scenario *s;
	const struct vgic_policy *policy;
	struct vgic_host *h;
	struct vgic_scenario_result *result;
	struct vgic_scenario_error *error;
	size_t cap_events;
	char **memory; /* the texts of the result */
	size_t nr_memory, cap_memory;
	unsigned int line, time;
	unsigned int executed;
	const char *said;
	bool nomem, check, strict;
	unsigned int repeats; /* maintenance interrupts in a row, nothing between */
	struct acks acks[VGIC_HOST_MAX_VCPUS];
	/* Counters at the last mark; the last row is all vCPUs together. */
	uint64_t base[VGIC_HOST_MAX_VCPUS + 1][VGIC_NR_COUNTERS];
};

/* trace.c */
void record(struct runner *r, enum vgic_scenario_line what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void trace_event(void *opaque, const struct vgic_host_event *e);
/* "36p", "5<1a", "." into buf; gives buf. */
char *lr_text(const struct runner *r, char *buf, size_t size, uint64_t lr);
void append(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* expect.c */
void check_expectation(struct runner *r, const struct statement *st, unsigned int vcpu);
/* Words for what went wrong, or "ok". */
void outcome(const struct runner *r, char *buf, size_t size);
void met(struct runner *r, const struct statement *st, bool yes, const char *expected,
	 const char *found);
uint64_t counter_value(const struct runner *r, unsigned int vcpu, unsigned int counter);

static inline unsigned int nr_vcpus(const struct runner *r)
{
	return r->h->vgic->cfg.nr_vcpus;
}

#endif
