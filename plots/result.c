// SPDX-License-Identifier: GPL-2.0-only
/* Reads a result file and believes nothing in it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <vgicsim/plot.h>
#include "internal.h"

/* 104 days in ns; every reader of JSON keeps it exact, and a thousand of them add up. */
#define LARGEST (INT64_C(1) << 53)

/*
 * The first error stops nothing by itself: getters then return harmless values and
 * the reader checks once at the end of each cell. Memory is owned by the result
 * from the moment it exists, so that vgic_plot_free() is the only way out.
 */
struct reader {
	struct vgic_plot_error *err;
	const char *file;
	int error;
	char path[160]; /* where in the file, for the message */
	size_t len;
};

static void bad(struct reader *r, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void bad(struct reader *r, const char *key, const char *format, ...)
{
	char what[160];
	va_list ap;

	if (r->error)
		return;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	r->error = -EINVAL;
	vgic_plot_fail(r->err, 0, "%s: damaged result: %s%s%s: %s", r->file, r->path,
		       r->path[0] && key ? "." : "", key ? key : "", what);
}

static void no_memory(struct reader *r)
{
	if (!r->error)
		r->error = vgic_plot_fail(r->err, -ENOMEM, "%s: not enough memory", r->file);
}

static void *allocate(struct reader *r, size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		no_memory(r);
	return p;
}

static size_t enter(struct reader *r, const char *key, int index)
{
	size_t old = r->len;
	int n;

	if (index < 0)
		n = snprintf(r->path + r->len, sizeof(r->path) - r->len, "%s%s", r->len ? "." : "",
			     key);
	else
		n = snprintf(r->path + r->len, sizeof(r->path) - r->len, "%s%s[%d]",
			     r->len ? "." : "", key, index);
	r->len += (size_t)n < sizeof(r->path) - r->len ? (size_t)n : 0;
	return old;
}

static void leave(struct reader *r, size_t old)
{
	r->len = old;
	r->path[old] = '\0';
}

/* NULL for null and for absent where that is allowed. */
static json_t *object(struct reader *r, json_t *in, const char *key, bool needed)
{
	json_t *v = json_object_get(in, key);

	if (!v || json_is_null(v)) {
		if (needed)
			bad(r, key, "missing");
		return NULL;
	}
	if (!json_is_object(v)) {
		bad(r, key, "not an object");
		return NULL;
	}
	return v;
}

static json_t *array(struct reader *r, json_t *in, const char *key, bool needed)
{
	json_t *v = json_object_get(in, key);

	if (!v || json_is_null(v)) {
		if (needed)
			bad(r, key, "missing");
		return NULL;
	}
	if (!json_is_array(v)) {
		bad(r, key, "not a list");
		return NULL;
	}
	return v;
}

static int64_t whole(struct reader *r, json_t *v, const char *key)
{
	if (!v || json_is_null(v))
		return VGIC_PLOT_UNKNOWN;
	if (!json_is_integer(v)) {
		bad(r, key, "not a whole number");
		return VGIC_PLOT_UNKNOWN;
	}
	if (json_integer_value(v) < 0) {
		bad(r, key, "negative");
		return VGIC_PLOT_UNKNOWN;
	}
	if (json_integer_value(v) > LARGEST) {
		bad(r, key, "too large");
		return VGIC_PLOT_UNKNOWN;
	}
	return json_integer_value(v);
}

static int64_t number(struct reader *r, json_t *in, const char *key)
{
	return whole(r, json_object_get(in, key), key);
}

static int64_t needed_number(struct reader *r, json_t *in, const char *key)
{
	int64_t v = number(r, in, key);

	if (v == VGIC_PLOT_UNKNOWN)
		bad(r, key, "missing");
	return v < 0 ? 0 : v;
}

static char *string(struct reader *r, json_t *in, const char *key)
{
	json_t *v = json_object_get(in, key);
	char *s;

	if (v && !json_is_null(v) && !json_is_string(v))
		bad(r, key, "not a string");
	s = strdup(json_is_string(v) ? json_string_value(v) : "");
	if (!s)
		no_memory(r);
	return s;
}

/* List of [a, b]; ascending says that a must rise. */
static struct vgic_plot_pair *pairs(struct reader *r, json_t *list, const char *key, int *nr,
				    bool ascending)
{
	struct vgic_plot_pair *p;
	size_t n = json_array_size(list), i;

	*nr = 0;
	p = allocate(r, n, sizeof(*p));
	if (!p)
		return NULL;
	for (i = 0; i < n && !r->error; i++) {
		json_t *v = json_array_get(list, i);

		if (json_array_size(v) != 2 || !json_is_integer(json_array_get(v, 0)) ||
		    !json_is_integer(json_array_get(v, 1))) {
			bad(r, key, "entry %zu is not a pair of whole numbers", i);
			break;
		}
		p[i].at = whole(r, json_array_get(v, 0), key);
		p[i].value = whole(r, json_array_get(v, 1), key);
		if (ascending && i && p[i].at <= p[i - 1].at)
			bad(r, key, "entry %zu is out of order", i);
	}
	*nr = (int)n;
	return p;
}

static void read_percentiles(struct reader *r, json_t *in, struct vgic_plot_latency *lat)
{
	json_t *o = object(r, in, "percentiles", false);
	size_t old;
	int i;

	if (!o)
		return;
	lat->has_percentiles = true;
	old = enter(r, "percentiles", -1);
	for (i = 0; i < VGIC_PLOT_NR_QUANTILES; i++) {
		struct vgic_plot_quantile *q = &lat->percentile[i];
		json_t *v = object(r, o, vgic_plot_p_name[i], false);

		if (!v)
			continue;
		q->shown = true;
		q->value = needed_number(r, v, "ns");
		q->low = needed_number(r, v, "low_ns");
		q->high = needed_number(r, v, "high_ns");
		if (q->low > q->value || q->high < q->value)
			bad(r, vgic_plot_p_name[i], "not inside its own interval");
		if (!vgic_plot_enough(lat->n, vgic_plot_p[i]))
			bad(r, vgic_plot_p_name[i], "n is too small for it");
	}
	leave(r, old);
}

static void read_latency(struct reader *r, json_t *in, const char *key,
			 struct vgic_plot_latency *lat)
{
	json_t *o = object(r, in, key, false), *list;
	struct vgic_plot_pair *p;
	int64_t sum = 0;
	size_t old;
	int i;

	if (!o)
		return;
	old = enter(r, key, -1);
	lat->n = needed_number(r, o, "n");
	lat->min = number(r, o, "min_ns");
	lat->max = number(r, o, "max_ns");
	lat->mean = number(r, o, "mean_ns");
	list = array(r, o, "hist", true);
	if (list) {
		p = pairs(r, list, "hist", &lat->nr_hist, true);
		lat->hist = allocate(r, (size_t)lat->nr_hist, sizeof(*lat->hist));
		for (i = 0; !r->error && i < lat->nr_hist; i++) {
			lat->hist[i] = (struct vgic_plot_bucket){p[i].at, p[i].value};
			if (p[i].value == 0)
				bad(r, "hist", "entry %d has a count of 0", i);
			if (__builtin_add_overflow(sum, p[i].value, &sum))
				bad(r, "hist", "counts overflow");
		}
		if (sum != lat->n)
			bad(r, "hist", "counts add up to %lld, n is %lld", (long long)sum,
			    (long long)lat->n);
		free(p);
	}
	lat->estimated = json_is_true(json_object_get(o, "estimated"));
	lat->uncertainty = number(r, o, "uncertainty_ns");
	lat->block = number(r, o, "block_length");
	read_percentiles(r, o, lat);
	lat->known = lat->n > 0;
	if (lat->known && (lat->min < 0 || lat->max < lat->min))
		bad(r, "max_ns", "smaller than min_ns");
	leave(r, old);
}

static bool read_shares(struct reader *r, json_t *in, const char *key, int64_t *out)
{
	json_t *list = array(r, in, key, false);
	size_t i;

	if (!list)
		return false;
	for (i = 0; i < json_array_size(list); i++) {
		int64_t v = whole(r, json_array_get(list, i), key);

		if (v < 0)
			return false;
		if (i < VGIC_PLOT_LRS)
			out[i] = v;
		else if (v)
			bad(r, key, "more than %d list registers", VGIC_PLOT_LRS - 1);
	}
	return true;
}

static const char *const mi_keys[VGIC_PLOT_NR_MI] = {
	"eoi", "u", "lrenp", "np", "grp0e", "grp0d", "grp1e", "grp1d",
};

static const char *const exit_keys[VGIC_PLOT_NR_EXITS] = {
	"mi", "dir", "sgi", "wfi", "mmio", "other_irq", "other",
};

static void read_mark(struct reader *r, json_t *o, struct vgic_plot_mark *mark)
{
	json_t *list = array(r, o, "sources", true);
	size_t i;
	int s;

	mark->t = needed_number(r, o, "t_ns");
	for (i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		for (s = 0; s < VGIC_PLOT_NR_MI; s++)
			if (name && !strcmp(name, mi_keys[s]))
				break;
		if (s == VGIC_PLOT_NR_MI)
			bad(r, "sources", "no source of a maintenance interrupt: %s",
			    name ? name : "not a string");
		else
			mark->sources |= 1u << s;
	}
}

static void read_segment(struct reader *r, json_t *o, struct vgic_plot_segment *s)
{
	const char *state = json_string_value(json_object_get(o, "state"));
	int64_t lr = needed_number(r, o, "lr");

	s->lr = lr < VGIC_PLOT_LRS - 1 ? (int)lr : 0;
	if (lr >= VGIC_PLOT_LRS - 1)
		bad(r, "lr", "no such list register");
	s->intid = needed_number(r, o, "intid");
	s->t0 = needed_number(r, o, "t0_ns");
	s->t1 = needed_number(r, o, "t1_ns");
	if (state && !strcmp(state, "pending"))
		s->state = VGIC_PLOT_PENDING;
	else if (state && !strcmp(state, "active"))
		s->state = VGIC_PLOT_ACTIVE;
	else if (state && !strcmp(state, "both"))
		s->state = VGIC_PLOT_BOTH;
	else
		bad(r, "state", "neither pending, active nor both");
	if (s->t1 < s->t0)
		bad(r, "t1_ns", "before t0_ns");
}

static int segment_order(const void *a, const void *b)
{
	const struct vgic_plot_segment *x = a, *y = b;

	return x->t0 != y->t0 ? (x->t0 > y->t0) - (x->t0 < y->t0) : x->lr - y->lr;
}

static int mark_order(const void *a, const void *b)
{
	const struct vgic_plot_mark *x = a, *y = b;

	return (x->t > y->t) - (x->t < y->t);
}

static void read_timeline(struct reader *r, json_t *cell, struct vgic_plot_cell *c)
{
	json_t *o = object(r, cell, "timeline", false), *list;
	struct vgic_plot_timeline *line;
	size_t old, inner, n, i;

	if (!o)
		return;
	line = c->timeline = allocate(r, 1, sizeof(*line));
	if (!line)
		return;
	old = enter(r, "timeline", -1);
	line->t0 = needed_number(r, o, "t0_ns");
	line->t1 = needed_number(r, o, "t1_ns");
	line->vcpu = needed_number(r, o, "vcpu");
	if (line->t1 < line->t0)
		bad(r, "t1_ns", "before t0_ns");

	list = array(r, o, "lrs", true);
	n = json_array_size(list);
	line->segments = allocate(r, n, sizeof(*line->segments));
	for (i = 0; i < n && !r->error; i++) {
		inner = enter(r, "lrs", (int)i);
		read_segment(r, json_array_get(list, i), &line->segments[i]);
		leave(r, inner);
	}
	line->nr_segments = r->error ? 0 : (int)n;
	if (!r->error)
		qsort(line->segments, n, sizeof(*line->segments), segment_order);

	list = array(r, o, "mi", false);
	n = json_array_size(list);
	line->marks = allocate(r, n, sizeof(*line->marks));
	for (i = 0; i < n && !r->error; i++) {
		inner = enter(r, "mi", (int)i);
		read_mark(r, json_array_get(list, i), &line->marks[i]);
		leave(r, inner);
	}
	line->nr_marks = r->error ? 0 : (int)n;
	if (!r->error)
		qsort(line->marks, n, sizeof(*line->marks), mark_order);

	list = array(r, o, "overflow", false);
	line->overflow = pairs(r, list, "overflow", &line->nr_overflow, false);
	for (i = 1; !r->error && i < (size_t)line->nr_overflow; i++)
		if (line->overflow[i].at < line->overflow[i - 1].at)
			bad(r, "overflow", "entry %zu is out of order", i);
	leave(r, old);
}

static void read_starved(struct reader *r, json_t *cell, struct vgic_plot_cell *c)
{
	json_t *list = array(r, cell, "starved", false);
	size_t n = json_array_size(list), i;

	c->starved = allocate(r, n, sizeof(*c->starved));
	for (i = 0; i < n && !r->error; i++) {
		size_t old = enter(r, "starved", (int)i);
		json_t *o = json_array_get(list, i);

		c->starved[i].vcpu = number(r, o, "vcpu");
		c->starved[i].intid = needed_number(r, o, "intid");
		c->starved[i].since = number(r, o, "since_ns");
		leave(r, old);
	}
	c->nr_starved = r->error ? 0 : (int)n;
}

static void read_outcome(struct reader *r, json_t *cell, struct vgic_plot_cell *c)
{
	const char *s = json_string_value(json_object_get(cell, "outcome"));

	if (!s || !strcmp(s, "completed"))
		c->outcome = VGIC_PLOT_COMPLETED;
	else if (!strcmp(s, "livelock"))
		c->outcome = VGIC_PLOT_LIVELOCK;
	else if (!strcmp(s, "starved"))
		c->outcome = VGIC_PLOT_STARVED;
	else
		bad(r, "outcome", "neither completed, livelock nor starved");
}

static void read_cell(struct reader *r, json_t *o, struct vgic_plot_cell *c)
{
	const struct {
		const char *key;
		int64_t *to;
	} numbers[] = {
		{"guest_time_ns", &c->guest_time},
		{"wall_time_ns", &c->wall_time},
		{"dir_traps", &c->dir_traps},
		{"eoicount_deactivations", &c->eoicount},
		{"kicks", &c->kicks},
		{"lr_writes", &c->lr_writes},
		{"lr_reads", &c->lr_reads},
		{"interrupts", &c->interrupts},
		{"excess_exits", &c->excess_exits},
		{"spurious", &c->spurious},
		{"lost", &c->lost},
		{"merged_raises", &c->merged},
	};
	static const char *const latency_keys[VGIC_PLOT_NR_LATENCIES] = {
		"raise_to_lr",
		"raise_to_ack",
		"ack_to_eoi",
		"raise_to_deactivate",
	};
	int64_t nr_lr = needed_number(r, o, "nr_lr");
	json_t *part;
	size_t old, i;

	if (nr_lr < 1 || nr_lr >= VGIC_PLOT_LRS)
		bad(r, "nr_lr", "not 1 to %d", VGIC_PLOT_LRS - 1);
	c->nr_lr = nr_lr < VGIC_PLOT_LRS ? (int)nr_lr : 0;
	read_outcome(r, o, c);
	if (json_is_string(json_object_get(o, "detail")))
		c->detail = string(r, o, "detail");
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i].to = number(r, o, numbers[i].key);

	part = object(r, o, "exits", false);
	old = enter(r, "exits", -1);
	c->exits_total = number(r, part, "total");
	for (i = 0; i < VGIC_PLOT_NR_EXITS; i++)
		c->exits[i] = number(r, part, exit_keys[i]);
	leave(r, old);

	part = object(r, o, "mi", false);
	old = enter(r, "mi", -1);
	c->mi_total = number(r, part, "total");
	for (i = 0; i < VGIC_PLOT_NR_MI; i++)
		c->mi[i] = number(r, part, mi_keys[i]);
	leave(r, old);

	part = object(r, o, "bound", false);
	old = enter(r, "bound", -1);
	c->bound_mi = number(r, part, "mi");
	leave(r, old);

	part = object(r, o, "occupancy", false);
	old = enter(r, "occupancy", -1);
	c->occupancy_known = read_shares(r, part, "used_ns", c->used) &&
			     read_shares(r, part, "pending_ns", c->pending) &&
			     read_shares(r, part, "active_ns", c->active);
	c->both_known = read_shares(r, part, "both_ns", c->both);
	c->entries_known = read_shares(r, part, "entries", c->entries);
	leave(r, old);

	part = object(r, o, "overflow", false);
	old = enter(r, "overflow", -1);
	c->overflow_max = number(r, part, "max");
	c->overflow_entries = number(r, part, "entries");
	c->depths = pairs(r, array(r, part, "depth_ns", false), "depth_ns", &c->nr_depths, true);
	leave(r, old);

	part = object(r, o, "latency", false);
	old = enter(r, "latency", -1);
	for (i = 0; i < VGIC_PLOT_NR_LATENCIES; i++)
		read_latency(r, part, latency_keys[i], &c->latency[i]);
	leave(r, old);

	part = object(r, o, "inversions", false);
	old = enter(r, "inversions", -1);
	c->inversions = number(r, part, "count");
	c->inversion_ns = number(r, part, "ns");
	leave(r, old);

	read_starved(r, o, c);
	read_timeline(r, o, c);
}

static int cell_order(const void *a, const void *b)
{
	const struct vgic_plot_cell *x = a, *y = b;

	return x->nr_lr - y->nr_lr;
}

static void read_cells(struct reader *r, json_t *root, struct vgic_plot_result *res)
{
	json_t *list = array(r, root, "cells", true), *o;
	size_t n = json_array_size(list), old, i;

	if (list && !n)
		bad(r, "cells", "empty: nothing was replayed");
	res->cells = allocate(r, n, sizeof(*res->cells));
	for (i = 0; i < n && !r->error; i++) {
		old = enter(r, "cells", (int)i);
		o = json_array_get(list, i);
		res->nr_cells = (int)i + 1;
		if (json_is_object(o))
			read_cell(r, o, &res->cells[i]);
		else
			bad(r, NULL, "not an object");
		leave(r, old);
	}
	if (r->error)
		return;
	qsort(res->cells, n, sizeof(*res->cells), cell_order);
	for (i = 1; i < n; i++)
		if (res->cells[i].nr_lr == res->cells[i - 1].nr_lr)
			bad(r, "cells", "two for %d list registers", res->cells[i].nr_lr);

	o = object(r, root, "recorded", false);
	if (o) {
		old = enter(r, "recorded", -1);
		res->recorded = allocate(r, 1, sizeof(*res->recorded));
		if (res->recorded)
			read_cell(r, o, res->recorded);
		leave(r, old);
	}
}

static void read_config(struct reader *r, json_t *root, struct vgic_plot_result *res)
{
	json_t *o = object(r, root, "config", true), *list;
	size_t old, n, i;

	old = enter(r, "config", -1);
	res->policy = string(r, o, "policy");
	res->arrivals = string(r, o, "arrivals");
	res->estimator = string(r, o, "estimator");
	res->seed = number(r, o, "seed");
	o = object(r, o, "profile", false);
	res->entry_ns = number(r, o, "entry_ns");
	res->exit_ns = number(r, o, "exit_ns");
	res->mi_out_ns = number(r, o, "mi_out_ns");
	res->dir_out_ns = number(r, o, "dir_out_ns");
	res->kick_ns = number(r, o, "kick_ns");
	list = o && json_is_array(json_object_get(o, "mi_delay_ns"))
		       ? array(r, o, "mi_delay_ns", false)
		       : NULL;
	n = json_array_size(list);
	res->mi_delay = allocate(r, n, sizeof(*res->mi_delay));
	for (i = 0; i < n && !r->error; i++)
		res->mi_delay[i] = whole(r, json_array_get(list, i), "mi_delay_ns");
	res->nr_mi_delay = r->error ? 0 : (int)n;
	leave(r, old);
}

static void read_input(struct reader *r, json_t *root, struct vgic_plot_result *res)
{
	json_t *o = object(r, root, "input", true);
	size_t old = enter(r, "input", -1);
	int64_t nr_lr;

	res->file = string(r, o, "file");
	res->hash = string(r, o, "hash");
	res->kernel = string(r, o, "kernel");
	res->cpu = string(r, o, "cpu");
	res->guest = string(r, o, "guest");
	nr_lr = number(r, o, "nr_lr");
	if (nr_lr >= VGIC_PLOT_LRS)
		bad(r, "nr_lr", "not 1 to %d", VGIC_PLOT_LRS - 1);
	res->nr_lr = nr_lr > 0 && nr_lr < VGIC_PLOT_LRS ? (int)nr_lr : VGIC_PLOT_UNKNOWN;
	res->pairs = number(r, o, "pairs");
	res->lost = number(r, o, "lost");
	res->duration = number(r, o, "duration_ns");
	leave(r, old);

	res->tool_version = string(r, object(r, root, "tool", false), "version");
	o = object(r, root, "verify", false);
	old = enter(r, "verify", -1);
	res->verified = o != NULL;
	res->verify_checked = number(r, o, "checked");
	res->verify_mismatches = number(r, o, "mismatches");
	res->verify_undecided = number(r, o, "undecided");
	leave(r, old);
}

/* What other file names are made of: letters, digits, dot, dash, underscore. */
static void make_plain(char *s)
{
	if (strlen(s) > 80)
		s[80] = '\0';
	for (char *p = s; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || strchr("._-", *p)))
			*p = '_';
	if (*s == '.' || *s == '-')
		*s = '_';
}

static void name_part(const char *path, const char **at, int *len)
{
	const char *slash = strrchr(path, '/'), *dot;

	*at = slash ? slash + 1 : path;
	dot = strrchr(*at, '.');
	*len = (int)(dot && dot > *at &&
				     (!strcmp(dot, ".json") || !strcmp(dot, ".vgr") ||
				      !strcmp(dot, ".vgw") || !strcmp(dot, ".ini"))
			     ? (size_t)(dot - *at)
			     : strlen(*at));
}

/* The name of a result file, or what tells one result of a sweep from the others. */
static char *stem_of(const struct vgic_plot_result *res, const json_t *root, bool in_sweep)
{
	const json_t *config = json_object_get(root, "config");
	const char *profile =
		json_string_value(json_object_get(json_object_get(config, "profile"), "file"));
	const char *name, *costs = "";
	int len, costs_len = 0;
	char *s;

	name_part(in_sweep ? res->file : res->path, &name, &len);
	if (profile)
		name_part(profile, &costs, &costs_len);
	if (!in_sweep)
		s = strndup(name, (size_t)len);
	else if (asprintf(&s, "%.*s-%s%s%.*s", len, name, res->policy, profile ? "-" : "",
			  costs_len, costs) < 0)
		s = NULL;
	if (s)
		make_plain(s);
	return s;
}

static int check_kind(struct reader *r, json_t *root)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	json_t *version = json_object_get(root, "version");

	if (!format || strcmp(format, VGIC_PLOT_FORMAT))
		return vgic_plot_fail(
			r->err, -EINVAL,
			"%s: not a result file: make one with 'vgicsim replay -o FILE'", r->file);
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return vgic_plot_fail(r->err, -EINVAL, "%s: damaged result: version: missing",
				      r->file);
	if (json_integer_value(version) != VGIC_PLOT_FORMAT_VERSION)
		return vgic_plot_fail(r->err, -ENOTSUP,
				      "%s: result version %lld, this vgicsim reads version %d: use "
				      "the vgicsim that wrote it",
				      r->file, (long long)json_integer_value(version),
				      VGIC_PLOT_FORMAT_VERSION);
	return 0;
}

static json_t *parse(const char *path, struct vgic_plot_error *err, int *error)
{
	json_error_t why;
	json_t *root;
	FILE *f = fopen(path, "r");
	int c;

	if (!f) {
		*error = -errno;
		vgic_plot_fail(err, 0, "%s: cannot open: %s", path, strerror(errno));
		return NULL;
	}
	/* A recording handed to the wrong command deserves better than a syntax error. */
	errno = 0;
	c = fgetc(f);
	if (c == EOF && ferror(f)) {
		*error = -errno;
		vgic_plot_fail(err, 0, "%s: cannot read: %s", path, strerror(errno));
		fclose(f);
		return NULL;
	}
	if (c != EOF)
		ungetc(c, f);
	root = json_loadf(f, JSON_REJECT_DUPLICATES, &why);
	fclose(f);
	if (root && json_is_object(root))
		return root;
	*error = -EINVAL;
	if (c != '{')
		vgic_plot_fail(err, 0,
			       "%s: not a result file: make one with 'vgicsim replay -o FILE'",
			       path);
	else
		vgic_plot_fail(err, 0, "%s: damaged result: line %d, column %d: %s", path, why.line,
			       why.column, why.text);
	json_decref(root);
	return NULL;
}

static int read_result(struct reader *r, json_t *root, bool in_sweep,
		       struct vgic_plot_result **result)
{
	struct vgic_plot_result *res;
	int error = check_kind(r, root);

	if (error)
		return error;
	res = allocate(r, 1, sizeof(*res));
	if (!res)
		return r->error;
	res->path = strdup(r->file);
	if (!res->path)
		no_memory(r);
	read_input(r, root, res);
	read_config(r, root, res);
	if (res->path && res->file && res->policy)
		res->stem = stem_of(res, root, in_sweep);
	if (!res->stem)
		no_memory(r);
	read_cells(r, root, res);
	if (r->error)
		vgic_plot_free(res);
	else
		*result = res;
	return r->error;
}

static int read_sweep(struct reader *r, json_t *root, struct vgic_plot_result ***results, int *nr)
{
	json_t *version = json_object_get(root, "version"), *list;
	struct vgic_plot_result **more;
	size_t n;
	int error;

	if (!json_is_integer(version) || json_integer_value(version) != VGIC_PLOT_SWEEP_VERSION)
		return vgic_plot_fail(r->err, -ENOTSUP,
				      "%s: sweep of another version: this vgicsim reads version "
				      "%d: use the vgicsim that wrote it",
				      r->file, VGIC_PLOT_SWEEP_VERSION);
	list = array(r, root, "results", true);
	n = json_array_size(list);
	if (list && !n)
		bad(r, "results", "empty: nothing was replayed");
	if (n > VGIC_PLOT_MAX_RESULTS)
		bad(r, "results", "%zu of them, at most %d can be drawn", n, VGIC_PLOT_MAX_RESULTS);
	more = r->error ? NULL : realloc(*results, ((size_t)*nr + n) * sizeof(*more));
	if (!r->error && !more)
		no_memory(r);
	if (r->error)
		return r->error;
	*results = more;
	for (size_t i = 0; i < n; i++) {
		size_t old = enter(r, "results", (int)i);
		json_t *o = json_array_get(list, i);

		if (!json_is_object(o))
			bad(r, NULL, "not an object");
		error = r->error ? r->error : read_result(r, o, n > 1, &more[*nr]);
		if (error)
			return error;
		leave(r, old);
		(*nr)++;
	}
	return 0;
}

int vgic_plot_load(const char *path, struct vgic_plot_result ***results, int *nr,
		   struct vgic_plot_error *err)
{
	struct reader r = {.err = err, .file = path};
	struct vgic_plot_result *one = NULL, **more;
	const char *format;
	json_t *root;
	int error = 0;

	root = parse(path, err, &error);
	if (!root)
		return error;
	format = json_string_value(json_object_get(root, "format"));
	if (format && !strcmp(format, VGIC_PLOT_SWEEP)) {
		error = read_sweep(&r, root, results, nr);
		goto out;
	}
	error = read_result(&r, root, false, &one);
	if (error)
		goto out;
	more = realloc(*results, ((size_t)*nr + 1) * sizeof(*more));
	if (!more) {
		vgic_plot_free(one);
		no_memory(&r);
		error = r.error;
		goto out;
	}
	more[(*nr)++] = one;
	*results = more;
out:
	json_decref(root);
	return error;
}

int vgic_plot_from_json(json_t *root, const char *name, struct vgic_plot_result **result,
			struct vgic_plot_error *err)
{
	struct reader r = {.err = err, .file = name};

	return read_result(&r, root, false, result);
}

static void free_cell(struct vgic_plot_cell *c)
{
	int i;

	free(c->detail);
	free(c->depths);
	free(c->starved);
	for (i = 0; i < VGIC_PLOT_NR_LATENCIES; i++)
		free(c->latency[i].hist);
	if (c->timeline) {
		free(c->timeline->segments);
		free(c->timeline->marks);
		free(c->timeline->overflow);
		free(c->timeline);
	}
}

void vgic_plot_free(struct vgic_plot_result *res)
{
	int i;

	if (!res)
		return;
	for (i = 0; i < res->nr_cells; i++)
		free_cell(&res->cells[i]);
	if (res->recorded)
		free_cell(res->recorded);
	free(res->cells);
	free(res->recorded);
	free(res->mi_delay);
	free(res->path);
	free(res->stem);
	free(res->tool_version);
	free(res->file);
	free(res->hash);
	free(res->kernel);
	free(res->cpu);
	free(res->guest);
	free(res->policy);
	free(res->arrivals);
	free(res->estimator);
	free(res);
}
