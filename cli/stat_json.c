// SPDX-License-Identifier: GPL-2.0-only
/* Statistics as lines of JSON, and back. */
#include <errno.h>
#include <string.h>
#include "stat_set.h"
#include "summary.h"

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* An array without the zeros at its end. */
static json_t *json_array_of(const uint64_t *v, size_t n)
{
	json_t *a = json_array();

	while (n && !v[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, number(v[i]));
	return a;
}

static json_t *json_kinds(const uint64_t *v)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < VGIC_STAT_KINDS; i++)
		json_object_set_new(o, stat_kind_name(i), number(v[i]));
	return o;
}

static json_t *json_raise(const struct vgic_stat_counts *c)
{
	json_t *o = json_object(), *buckets = json_array();

	for (uint32_t b = 0; b < VGIC_STAT_TIMES; b++)
		if (c->raise[b])
			json_array_append_new(
				buckets, json_pack("[I, I]", (json_int_t)vgic_stat_time_lowest(b),
						   (json_int_t)c->raise[b]));
	json_object_set_new(o, "n", number(stat_raises(c)));
	json_object_set_new(o, "sum_ns", number(c->raise_ns));
	json_object_set_new(o, "max_ns", number(c->raise_max_ns));
	json_object_set_new(o, "buckets", buckets);
	return o;
}

json_t *stat_json_vcpu(const struct stat_row *row, const char *type)
{
	const struct vgic_stat_counts *c = strcmp(type, "total") ? &row->span : &row->v.counts;
	json_t *o = json_object(), *sources = json_object();

	for (unsigned int i = 0; i < VGIC_STAT_MIS; i++)
		json_object_set_new(sources, summary_mi_name(i), number(c->mi_source[i]));
	json_object_set_new(o, "type", json_string(type));
	json_object_set_new(o, "vm", number(row->v.vm));
	json_object_set_new(o, "vcpu", number(row->v.vcpu));
	json_object_set_new(o, "pid", number(row->v.tgid));
	/* What a process calls itself need not be UTF-8. */
	json_object_set_new(o, "comm", json_string(row->v.comm) ?: json_string("?"));
	json_object_set_new(o, "gone", json_boolean(row->v.gone));
	json_object_set_new(o, "entries", number(c->entries));
	json_object_set_new(o, "exits", number(stat_exits(c)));
	json_object_set_new(o, "exits_by_kind", json_kinds(c->exits));
	json_object_set_new(o, "mi_by_source", sources);
	json_object_set_new(o, "dir", number(c->dir));
	json_object_set_new(o, "sgi", number(c->sgi));
	json_object_set_new(o, "kicks", number(c->kicks));
	json_object_set_new(o, "eoicount", number(c->eoicount));
	json_object_set_new(o, "guest_ns", number(c->guest_ns));
	json_object_set_new(o, "hypervisor_entries", json_kinds(c->out));
	json_object_set_new(o, "hypervisor_ns", json_kinds(c->out_ns));
	json_object_set_new(o, "lrs", json_array_of(c->lrs, VGR_MAX_LRS + 1));
	json_object_set_new(o, "depth", json_array_of(c->depth, VGIC_STAT_DEPTHS));
	json_object_set_new(o, "depth_max", number(c->depth_max));
	json_object_set_new(o, "raise_to_lr", json_raise(c));
	return o;
}

static json_t *json_state(const struct stat_set *s, const char *type)
{
	json_t *o = json_object();
	size_t vms = 0;

	for (size_t i = 0; i < s->n; i++)
		vms += !i || s->rows[i].v.vm != s->rows[i - 1].v.vm;
	json_object_set_new(o, "type", json_string(type));
	json_object_set_new(o, "vms", number(vms));
	json_object_set_new(o, "vcpus", number(s->n));
	json_object_set_new(o, "missed_vcpu_events", number(s->missed.vcpus));
	json_object_set_new(o, "missed_raises", number(s->missed.raises));
	json_object_set_new(o, "lists_cut", number(s->missed.lists));
	json_object_set_new(o, "runs_left_out", number(s->missed.runs));
	return o;
}

json_t *stat_json_tick(const struct stat_set *s)
{
	json_t *o = json_state(s, "tick");

	json_object_set_new(o, "n", number(s->ticks));
	json_object_set_new(o, "time", json_real(s->time));
	json_object_set_new(o, "ns", number(s->span_ns));
	return o;
}

json_t *stat_json_end(const struct stat_set *s, const char *stop)
{
	json_t *o = json_state(s, "end");

	json_object_set_new(o, "ns", number(s->last - s->begin));
	json_object_set_new(o, "stop", json_string(stop));
	return o;
}

/* ---- back ---- */

static int get_number(const json_t *o, const char *name, uint64_t *n)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -EINVAL;
	*n = (uint64_t)json_integer_value(v);
	return 0;
}

static int get_small(const json_t *o, const char *name, uint32_t *n)
{
	uint64_t v;

	if (get_number(o, name, &v) || v > UINT32_MAX)
		return -EINVAL;
	*n = (uint32_t)v;
	return 0;
}

/* Sums are no wider than what counts. */
static int add_number(const json_t *v, uint64_t *to)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -EINVAL;
	*to += (uint64_t)json_integer_value(v);
	return 0;
}

static int add(const json_t *o, const char *name, uint64_t *to)
{
	return add_number(json_object_get(o, name), to);
}

static int add_kinds(const json_t *o, const char *name, uint64_t *to)
{
	const json_t *kinds = json_object_get(o, name);
	int ret = 0;

	for (unsigned int i = 0; i < VGIC_STAT_KINDS && !ret; i++)
		ret = add(kinds, stat_kind_name(i), &to[i]);
	return ret;
}

static int add_array(const json_t *o, const char *name, uint64_t *to, size_t n)
{
	const json_t *a = json_object_get(o, name);
	int ret = 0;

	if (!json_is_array(a) || json_array_size(a) > n)
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(a) && !ret; i++)
		ret = add_number(json_array_get(a, i), &to[i]);
	return ret;
}

static int add_raise(const json_t *o, struct vgic_stat_counts *c)
{
	const json_t *r = json_object_get(o, "raise_to_lr"), *a = json_object_get(r, "buckets");

	if (!json_is_array(a) || add(r, "sum_ns", &c->raise_ns) ||
	    get_number(r, "max_ns", &c->raise_max_ns))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *pair = json_array_get(a, i), *low = json_array_get(pair, 0);

		if (!json_is_integer(low) || json_integer_value(low) < 0 ||
		    add_number(json_array_get(pair, 1),
			       &c->raise[vgic_stat_time_bucket((uint64_t)json_integer_value(low))]))
			return -EINVAL;
	}
	return 0;
}

static int add_counts(const json_t *o, struct vgic_stat_counts *c)
{
	const json_t *sources = json_object_get(o, "mi_by_source");
	int ret = 0;

	for (unsigned int i = 0; i < VGIC_STAT_MIS && !ret; i++)
		ret = add(sources, summary_mi_name(i), &c->mi_source[i]);
	if (ret || add(o, "entries", &c->entries) || add_kinds(o, "exits_by_kind", c->exits) ||
	    add(o, "dir", &c->dir) || add(o, "sgi", &c->sgi) || add(o, "kicks", &c->kicks) ||
	    add(o, "eoicount", &c->eoicount) || add(o, "guest_ns", &c->guest_ns) ||
	    add_kinds(o, "hypervisor_entries", c->out) ||
	    add_kinds(o, "hypervisor_ns", c->out_ns) ||
	    add_array(o, "lrs", c->lrs, VGR_MAX_LRS + 1) ||
	    add_array(o, "depth", c->depth, VGIC_STAT_DEPTHS) ||
	    get_number(o, "depth_max", &c->depth_max))
		return -EINVAL;
	return add_raise(o, c);
}

static int read_vcpu(struct stat_set *s, const json_t *o)
{
	struct vgic_stat_vcpu v = {0};
	const char *comm = json_string_value(json_object_get(o, "comm"));

	if (get_small(o, "vm", &v.vm) || get_small(o, "vcpu", &v.vcpu) ||
	    get_small(o, "pid", &v.tgid) || !comm)
		return -EINVAL;
	snprintf(v.comm, sizeof(v.comm), "%s", comm);
	v.gone = json_is_true(json_object_get(o, "gone"));
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].v.vm == v.vm && s->rows[i].v.vcpu == v.vcpu)
			v.counts = s->rows[i].v.counts;
	return add_counts(o, &v.counts) ?: stat_set_take(s, &v);
}

static int read_tick(struct stat_set *s, const json_t *o, double time)
{
	uint64_t ns;

	if (get_number(o, "ns", &ns) || get_number(o, "missed_vcpu_events", &s->missed.vcpus) ||
	    get_number(o, "missed_raises", &s->missed.raises) ||
	    get_number(o, "lists_cut", &s->missed.lists) ||
	    get_number(o, "runs_left_out", &s->missed.runs))
		return -EINVAL;
	stat_set_tick(s, s->last + ns, time);
	return 0;
}

int stat_json_read(struct stat_set *s, const char *line, enum stat_line *what)
{
	json_t *o = json_loads(line, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));
	int ret = 0;

	*what = STAT_LINE_OTHER;
	if (!type) {
		ret = -EINVAL;
	} else if (!strcmp(type, "interval")) {
		*what = STAT_LINE_VCPU;
		ret = read_vcpu(s, o);
	} else if (!strcmp(type, "tick")) {
		const json_t *time = json_object_get(o, "time");

		*what = STAT_LINE_TICK;
		ret = json_is_number(time) ? read_tick(s, o, json_number_value(time)) : -EINVAL;
	} else if (!strcmp(type, "total")) {
		/* Of what was counted without intervals, all is one. */
		if (!s->last) {
			*what = STAT_LINE_VCPU;
			ret = read_vcpu(s, o);
		}
	} else if (!strcmp(type, "end")) {
		if (!s->last) {
			*what = STAT_LINE_TICK;
			ret = read_tick(s, o, 0);
		}
	} else {
		ret = -EINVAL;
	}
	json_decref(o);
	return ret;
}
