// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/cpuif.h>
#include "latencies.h"
#include "result_json.h"

#ifndef VGICSIM_VERSION
#define VGICSIM_VERSION "unknown"
#endif

static const char *const exit_names[VGIC_EXIT_KINDS] = {"mi",	"dir",	     "sgi",  "wfi",
							"mmio", "other_irq", "other"};
static const char *const mi_names[VGIC_MI_SOURCES] = {"eoi",   "u",	"lrenp", "np",
						      "grp0e", "grp0d", "grp1e", "grp1d"};
static const char *const outcome_names[] = {"completed", "livelock", "starved"};
static const char *const state_names[] = {"", "pending", "active", "both"};

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v));
}

static void set(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, number(v));
}

static void set_known(json_t *o, const char *name, uint64_t v, bool known)
{
	json_object_set_new(o, name, known ? number(v) : json_null());
}

static void set_string(json_t *o, const char *name, const char *s)
{
	json_t *v = s && *s ? json_string(s) : NULL;

	json_object_set_new(o, name, v ? v : json_null());
}

static json_t *list_of(const uint64_t *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, number(v[i]));
	return a;
}

/*
 * A recording shows both ends of raise-to-LR. What ends inside a run of a replay is where the
 * estimator has put it: off by as much as the run is long.
 */
static json_t *latency_json(const struct vgic_cell *c, enum vgic_latency kind, bool brief)
{
	const struct vgic_latency_series *s = &c->latency[kind];
	bool estimated = kind != VGIC_LATENCY_RAISE_TO_LR;
	json_t *o = latencies_json(s, brief);

	if (!o)
		return json_null();
	json_object_set_new(o, "estimated", json_boolean(estimated));
	set_known(o, "uncertainty_ns", s->hist.n ? c->inside_ns[kind] / s->hist.n : 0, s->hist.n);
	return o;
}

static json_t *timeline_json(const struct vgic_timeline *tl)
{
	json_t *o = json_object(), *lrs = json_array(), *mi = json_array(), *over = json_array();

	set(o, "t0_ns", tl->t0);
	set(o, "t1_ns", tl->t1);
	set(o, "vcpu", tl->vcpu);
	for (size_t i = 0; i < tl->nr_segments; i++) {
		const struct vgic_segment *s = &tl->segments[i];
		json_t *e = json_object();

		set(e, "lr", s->lr);
		set(e, "intid", s->intid);
		set_string(e, "state", state_names[s->state & 3]);
		set(e, "t0_ns", s->t0);
		set(e, "t1_ns", s->t1);
		json_array_append_new(lrs, e);
	}
	for (size_t i = 0; i < tl->nr_mis; i++) {
		json_t *sources = json_array();

		for (unsigned int k = 0; k < VGIC_MI_SOURCES; k++)
			if (tl->mis[i].value & (1u << k))
				json_array_append_new(sources, json_string(mi_names[k]));
		json_array_append_new(mi, json_pack("{s:o, s:o}", "t_ns", number(tl->mis[i].t),
						    "sources", sources));
	}
	for (size_t i = 0; i < tl->nr_depths; i++)
		json_array_append_new(over, json_pack("[o, o]", number(tl->depths[i].t),
						      number(tl->depths[i].value)));
	json_object_set_new(o, "lrs", lrs);
	json_object_set_new(o, "mi", mi);
	json_object_set_new(o, "overflow", over);
	return o;
}

void result_detail(const struct vgic_cell *c, char *buf, size_t size)
{
	*buf = '\0';
	if (c->outcome == VGIC_OUTCOME_LIVELOCK)
		snprintf(buf, size,
			 "vCPU %u entered and left the guest without progress; stopped after "
			 "%" PRIu64 " exits",
			 c->stuck_vcpu, c->exits);
	else if (c->outcome == VGIC_OUTCOME_STARVED && c->nr_starved == 1)
		snprintf(buf, size, "INTID %u of vCPU %u stayed outside the LRs",
			 c->starved[0].intid, c->starved[0].vcpu);
	else if (c->outcome == VGIC_OUTCOME_STARVED && c->nr_starved)
		snprintf(buf, size,
			 "%zu interrupts stayed outside the LRs, the first is INTID %u of vCPU %u",
			 c->nr_starved, c->starved[0].intid, c->starved[0].vcpu);
	else if (c->unhandled)
		snprintf(buf, size,
			 "recorded handlings that did not take place, raises merged or came late: "
			 "%" PRIu64,
			 c->unhandled);
}

json_t *fate_json(const struct vgic_fate *f)
{
	json_t *o;

	if (!f)
		return json_null();
	o = json_object();
	set_string(o, "fate", vgic_fate_name((enum vgic_fate_kind)f->kind));
	set(o, "raised", f->raised);
	set(o, "delivered", f->delivered);
	set(o, "ended", f->ended);
	set(o, "lost", f->lost);
	set_known(o, "since_ns", f->since_ns, f->kind >= VGIC_FATE_WAITING);
	set_known(o, "entries", f->entries,
		  f->kind == VGIC_FATE_STARVED || f->kind == VGIC_FATE_STUCK);
	return o;
}

json_t *cell_json(const struct vgic_cell *c, bool brief)
{
	json_t *o = json_object(), *part;
	char detail[160];

	set(o, "nr_lr", c->nr_lr);
	set_string(o, "outcome", outcome_names[c->outcome]);
	result_detail(c, detail, sizeof(detail));
	set_string(o, "detail", detail);
	set(o, "guest_time_ns", c->guest_ns);
	set(o, "wall_time_ns", c->wall_ns);

	part = json_object();
	set(part, "total", c->exits);
	for (int i = 0; i < VGIC_EXIT_KINDS; i++)
		set(part, exit_names[i], c->exit[i]);
	json_object_set_new(o, "exits", part);
	part = json_object();
	set(part, "total", c->mi);
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		set(part, mi_names[i], c->mi_source[i]);
	json_object_set_new(o, "mi", part);

	set(o, "dir_traps", c->dir_traps);
	set(o, "eoicount_deactivations", c->eoicount);
	set(o, "kicks", c->kicks);
	set(o, "lr_writes", c->lr_writes);
	set(o, "lr_reads", c->lr_reads);
	set(o, "interrupts", c->interrupts);
	/* Never negative in the file: a machine with 16 LRs may leave the guest more often. */
	set_known(o, "excess_exits", c->excess_exits > 0 ? (uint64_t)c->excess_exits : 0,
		  c->excess_known);

	part = json_null();
	if (c->bound_known) {
		part = json_object();
		set(part, "mi", c->bound_mi);
		set(part, "lr_exits", c->bound_lr_exits);
	}
	json_object_set_new(o, "bound", part);

	/* A GICv3 can have 16. */
	size_t lrs = (c->nr_lr > VGR_MAX_LRS_V3 ? c->nr_lr : VGR_MAX_LRS_V3) + 1;

	part = json_object();
	json_object_set_new(part, "pending_ns", list_of(c->pending_ns, lrs));
	json_object_set_new(part, "active_ns", list_of(c->active_ns, lrs));
	json_object_set_new(part, "used_ns", list_of(c->used_ns, lrs));
	json_object_set_new(part, "entries", list_of(c->entries, lrs));
	json_object_set_new(o, "occupancy", part);

	part = json_object();
	json_t *depths = json_array();

	set(part, "max", c->overflow_max);
	set(part, "entries", c->overflow_entries);
	for (unsigned int i = 0; i < VGIC_DEPTHS; i++)
		if (c->depth_ns[i])
			json_array_append_new(depths,
					      json_pack("[i, o]", (int)i, number(c->depth_ns[i])));
	json_object_set_new(part, "depth_ns", depths);
	json_object_set_new(o, "overflow", part);

	part = json_object();
	for (int i = 0; i < VGIC_LATENCIES; i++)
		json_object_set_new(part, vgic_latency_name((enum vgic_latency)i),
				    c->latency_known[i]
					    ? latency_json(c, (enum vgic_latency)i, brief)
					    : json_null());
	json_object_set_new(o, "latency", part);
	set(o, "merged_raises", c->merged);

	part = json_object();
	set(part, "count", c->inversions);
	set(part, "ns", c->inversion_ns);
	json_object_set_new(o, "inversions", part);
	set_known(o, "spurious", c->spurious, c->order_known);
	set_known(o, "lost", c->lost, c->order_known);

	json_t *starved = json_array();

	for (size_t i = 0; i < c->nr_starved; i++) {
		json_t *e = json_object();

		set(e, "vcpu", c->starved[i].vcpu);
		set(e, "intid", c->starved[i].intid);
		set(e, "since_ns", c->starved[i].since_ns);
		json_array_append_new(starved, e);
	}
	json_object_set_new(o, "starved", starved);

	json_t *stuck = json_array();

	for (size_t i = 0; i < c->nr_fates; i++) {
		const struct vgic_fate *f = &c->fates[i];
		json_t *e;

		if (f->kind != VGIC_FATE_STUCK)
			continue;
		e = json_object();
		set_known(e, "vcpu", f->vcpu, f->vcpu != VGR_NO_VCPU);
		set(e, "intid", f->intid);
		set(e, "since_ns", f->since_ns);
		json_array_append_new(stuck, e);
	}
	json_object_set_new(o, "stuck", stuck);
	set(o, "reordered", c->reordered);
	json_object_set_new(o, "timeline",
			    c->has_timeline ? timeline_json(&c->timeline) : json_null());
	return o;
}

int cell_write(FILE *f, const struct vgic_cell *c, const json_t *brief)
{
	static const char mark[] = "\"hist\":[";
	char *text = json_dumps(brief, JSON_COMPACT), *at = text, *hist;

	if (!text)
		return -ENOMEM;
	/* No name and no string has such a mark in it: quotes in a string are escaped. */
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		const json_t *l = json_object_get(json_object_get(brief, "latency"),
						  vgic_latency_name((enum vgic_latency)i));

		hist = json_is_object(l) ? strstr(at, mark) : NULL;
		if (!hist)
			continue;
		hist += sizeof(mark) - 1;
		fwrite(at, 1, (size_t)(hist - at), f);
		latencies_write_hist(f, &c->latency[i]);
		at = hist;
	}
	fputs(at, f);
	free(text);
	return 0;
}

static int write_cell(FILE *f, const struct vgic_cell *c)
{
	json_t *brief = cell_json(c, true);
	int ret = brief ? cell_write(f, c, brief) : -ENOMEM;

	json_decref(brief);
	return ret;
}

/* What stands at the end of a head: places of the recorded numbers and of the cells. */
static const char tail[] = "\"recorded\":null,\"cells\":[]}";

int result_write_head(FILE *f, const json_t *head)
{
	char *text = json_dumps(head, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0;

	if (n < sizeof(tail) || strcmp(text + n - sizeof(tail) + 1, tail)) {
		free(text);
		return text ? -EINVAL : -ENOMEM;
	}
	fwrite(text, 1, n - sizeof(tail) + 1, f);
	free(text);
	return 0;
}

int result_write(FILE *f, const struct vgic_result *r)
{
	json_t *head = result_head(r);
	int ret = head ? result_write_head(f, head) : -ENOMEM;

	json_decref(head);
	if (ret)
		return ret;
	fputs("\"recorded\":", f);
	if (r->recorded)
		ret = write_cell(f, r->recorded);
	else
		fputs("null", f);
	fputs(",\"cells\":[", f);
	for (size_t i = 0; i < r->nr_cells && !ret; i++) {
		if (i)
			fputc(',', f);
		ret = write_cell(f, &r->cells[i]);
	}
	fputs("]}\n", f);
	return ret;
}

json_t *result_head(const struct vgic_result *r)
{
	json_t *o = json_object(), *part;
	char hash[20];

	snprintf(hash, sizeof(hash), "%016" PRIx64, r->hash);
	set_string(o, "format", VGIC_RESULT_FORMAT);
	set(o, "version", VGIC_RESULT_VERSION);
	part = json_object();
	set_string(part, "name", "vgicsim");
	set_string(part, "version", VGICSIM_VERSION);
	json_object_set_new(o, "tool", part);

	part = json_object();
	set_string(part, "file", r->file);
	set_string(part, "hash", hash);
	snprintf(hash, sizeof(hash), "%016" PRIx64, r->derived_from);
	set_string(part, "derived_from", r->derived ? hash : NULL);
	set_string(part, "kernel", r->kernel);
	set_string(part, "cpu", r->cpu);
	set(part, "nr_lr", r->nr_lr);
	set(part, "pairs", r->pairs);
	set(part, "lost", r->lost);
	set_string(part, "guest", r->guest);
	set(part, "duration_ns", r->duration_ns);
	json_object_set_new(o, "input", part);

	part = json_object();
	json_t *profile = json_object();

	set_string(part, "policy", r->policy);
	set(part, "seed", r->seed);
	set_string(part, "arrivals", r->arrivals);
	set(profile, "entry_ns", r->profile.entry_ns);
	set(profile, "exit_ns", r->profile.exit_ns);
	set(profile, "mi_out_ns", r->profile.mi_out_ns);
	set(profile, "dir_out_ns", r->profile.dir_out_ns);
	set(profile, "kick_ns", r->profile.kick_ns);
	set(profile, "switch_ns", r->profile.switch_ns);
	set(profile, "entry_irq_ps", r->profile.entry_irq_ps);
	set(profile, "entry_lr_ps", r->profile.entry_lr_ps);
	set(profile, "sort_ns", r->profile.sort_ns);
	set(profile, "sort_step_ps", r->profile.sort_step_ps);
	set(profile, "exit_irq_ps", r->profile.exit_irq_ps);
	set(profile, "exit_lr_ps", r->profile.exit_lr_ps);
	snprintf(hash, sizeof(hash), "%016" PRIx64, r->profile_hash);
	json_object_set_new(profile, "file",
			    r->profile_file ? json_string(r->profile_file) : json_null());
	json_object_set_new(profile, "hash", r->profile_file ? json_string(hash) : json_null());
	json_object_set_new(profile, "mi_delay_ns", list_of(r->mi_delay_ns, r->nr_mi_delays));
	json_object_set_new(part, "profile", profile);
	set_string(part, "estimator", r->estimator);
	json_object_set_new(o, "config", part);

	json_object_set_new(o, "recorded", json_null());
	json_object_set_new(o, "cells", json_array());
	return o;
}
