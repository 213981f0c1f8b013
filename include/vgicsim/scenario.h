/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenarios: small cases of what a host's devices and a guest do, written as text
 * (vgicsim-scenario(5)), run on a virtual host (host.h) under any policy, with
 * expectations that are checked on the way. One text holds the outcomes of every
 * policy; a policy that is named with overrides is a variant of its own.
 */
#ifndef VGICSIM_SCENARIO_H
#define VGICSIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/host.h>
#include <vgicsim/policy.h>

/* No longer text is read, and no more statements are run: a scenario is a small case. */
#define VGIC_SCENARIO_MAX_SIZE	(256u * 1024)
#define VGIC_SCENARIO_MAX_STEPS 200000u

struct vgic_scenario; /* one text, understood */

struct vgic_scenario_error {
	unsigned int line; /* from 1; 0: not of a line */
	char text[192];
};

/*
 * Reads a text of size bytes. 0; -EINVAL: it is wrong, error says where; -E2BIG: too long;
 * -ENOMEM. What was made must be freed.
 */
int vgic_scenario_parse(struct vgic_scenario **out, const char *text, size_t size,
			struct vgic_scenario_error *error);
void vgic_scenario_free(struct vgic_scenario *s);

const char *vgic_scenario_title(const struct vgic_scenario *s);
/* The policy that the scenario is about: its "policy" line, else newest. */
const struct vgic_policy *vgic_scenario_policy(const struct vgic_scenario *s);
/* Numbers of the 33 posted patches it is about; returns how many. */
size_t vgic_scenario_patches(const struct vgic_scenario *s, const uint8_t **patches);
/* Policies with overrides that it asks for, in the order of the text; NULL from the end on. */
const struct vgic_policy *vgic_scenario_variant(const struct vgic_scenario *s, size_t index);

struct vgic_scenario_options {
	const struct vgic_policy *policy; /* NULL: the scenario's own */
	unsigned int nr_lr;		  /* 0: the scenario's */
	uint64_t seed;
	bool check;  /* judge the model by the invariants at every entry and after every sync */
	bool strict; /* and old kernels by what the newest promises */
};

enum vgic_scenario_line {
	VGIC_SCENARIO_STEP = 0, /* something happened */
	VGIC_SCENARIO_SAID,	/* the scenario's own words */
	VGIC_SCENARIO_OK,	/* an expectation that was met */
	VGIC_SCENARIO_FAILED,
	VGIC_SCENARIO_BROKEN, /* an invariant */
};

struct vgic_scenario_event {
	enum vgic_scenario_line what;
	unsigned int line; /* of the text */
	unsigned int time; /* stimuli so far */
	const char *text;
};

struct vgic_scenario_metric {
	const char *name; /* as the scenario calls it */
	uint64_t value;
};

struct vgic_scenario_result {
	struct vgic_scenario_event *events;
	size_t nr_events;
	unsigned int nr_ok, nr_failed, nr_broken;
	bool judged;	  /* the scenario expected an outcome */
	char outcome[96]; /* "ok", or what went wrong: "starved stuck" */
	struct vgic_scenario_metric *metrics;
	size_t nr_metrics;
	const char *said; /* last words of the scenario for this policy, NULL if none */
	unsigned int nr_lr;
	void *memory; /* what the texts stand in */
};

/* 0; -EINVAL: the scenario cannot be set up, error says why; -E2BIG: it does not end; -ENOMEM. */
int vgic_scenario_run(const struct vgic_scenario *s, const struct vgic_scenario_options *options,
		      struct vgic_scenario_result *result, struct vgic_scenario_error *error);
void vgic_scenario_result_finish(struct vgic_scenario_result *result);

#endif
