// SPDX-License-Identifier: GPL-2.0-only
/* Statistics over time, and as lines of JSON and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stat_set.h"

#define WORDS (sizeof(struct vgic_stat_counts) / sizeof(uint64_t))

/* A vCPU that has counted something different of everything. */
static struct vgic_stat_vcpu some(uint32_t vm, uint32_t vcpu, uint64_t factor)
{
	struct vgic_stat_vcpu v = {.vm = vm, .vcpu = vcpu, .tgid = 7, .comm = "guest"};
	uint64_t *words = (uint64_t *)&v.counts;

	for (size_t i = 0; i < WORDS; i++)
		words[i] = factor * (i % 100 + 1);
	return v;
}

static void give(struct stat_set *s, struct vgic_stat_vcpu v)
{
	assert_int_equal(stat_set_take(s, &v), 0);
}

static void rows_are_in_order(void **state)
{
	static const uint32_t vms[] = {3, 0, 2, 0, 1, 3}, vcpus[] = {1, 2, 0, 1, 5, 0};
	struct stat_set s;

	stat_set_init(&s, 0);
	for (size_t i = 0; i < 6; i++)
		give(&s, some(vms[i], vcpus[i], 1));
	give(&s, some(2, 0, 5));
	assert_int_equal(s.n, 6);
	for (size_t i = 1; i < s.n; i++)
		assert_true(s.rows[i - 1].v.vm * 10 + s.rows[i - 1].v.vcpu <
			    s.rows[i].v.vm * 10 + s.rows[i].v.vcpu);
	assert_int_equal(s.rows[3].v.counts.entries, 5);
	stat_set_finish(&s);
}

static void a_span_is_what_came_in_it(void **state)
{
	struct vgic_stat_vcpu v = some(0, 0, 3);
	struct stat_set s;

	stat_set_init(&s, 1000);
	give(&s, some(0, 0, 1));
	stat_set_tick(&s, 3000, 0);
	assert_int_equal(s.span_ns, 2000);
	assert_int_equal(s.rows[0].span.entries, 1);
	give(&s, v);
	give(&s, some(0, 1, 1));
	s.rows[1].v.gone = true;
	stat_set_tick(&s, 4000, 0);
	assert_int_equal(s.span_ns, 1000);
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t is = ((uint64_t *)&s.rows[0].span)[i], all = ((uint64_t *)&v.counts)[i];

		/* The largest ever is no difference. */
		assert_int_equal(is, i < WORDS - VGIC_STAT_MAXIMA ? all / 3 * 2 : all);
	}
	stat_set_forget_gone(&s);
	assert_int_equal(s.n, 1);
	stat_set_finish(&s);
}

/* Writes what a set has counted in its span, and the tick; reads that into another. */
static void send(struct stat_set *from, struct stat_set *to)
{
	enum stat_line what;
	char *line;

	for (size_t i = 0; i <= from->n; i++) {
		json_t *o = i < from->n ? stat_json_vcpu(&from->rows[i], "interval")
					: stat_json_tick(from);

		line = json_dumps(o, JSON_COMPACT);
		json_decref(o);
		assert_non_null(line);
		assert_int_equal(stat_json_read(to, line, &what), 0);
		assert_int_equal(what, i < from->n ? STAT_LINE_VCPU : STAT_LINE_TICK);
		free(line);
	}
}

static void what_is_read_is_what_was_written(void **state)
{
	struct stat_set from, to;

	stat_set_init(&from, 0);
	stat_set_init(&to, 0);
	for (uint64_t tick = 1; tick <= 3; tick++) {
		give(&from, some(0, 0, tick));
		give(&from, some(4, 1, tick * tick));
		from.missed.raises = tick;
		stat_set_tick(&from, tick * 500, (double)tick);
		send(&from, &to);
		assert_int_equal(to.n, 2);
		assert_int_equal(to.ticks, tick);
		assert_int_equal(to.span_ns, 500);
		assert_int_equal(to.missed.raises, tick);
		for (size_t i = 0; i < 2; i++) {
			assert_memory_equal(&to.rows[i].v, &from.rows[i].v, sizeof(from.rows[i].v));
			assert_memory_equal(&to.rows[i].span, &from.rows[i].span,
					    sizeof(from.rows[i].span));
		}
	}
	stat_set_finish(&from);
	stat_set_finish(&to);
}

/* Any byte of a line turned into another: taken or refused, never more than that. */
static void bad_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"null",
		"[]",
		"{\"type\":7}",
		"{\"type\":\"else\"}",
		"{\"type\":\"tick\"}",
		"{\"type\":\"interval\",\"vm\":1}",
	};
	struct stat_set from, to;
	enum stat_line what;
	char *line, *copy;
	json_t *o;

	stat_set_init(&from, 0);
	stat_set_init(&to, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(stat_json_read(&to, bad[i], &what), -EINVAL);
	assert_int_equal(to.n, 0);
	give(&from, some(0, 0, 1));
	stat_set_tick(&from, 500, 1);
	o = stat_json_vcpu(&from.rows[0], "interval");
	line = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	assert_non_null(line);
	copy = strdup(line);
	assert_non_null(copy);
	for (size_t i = 0, n = strlen(line); i < n; i += i < 900 || i + 100 > n ? 1 : 7)
		for (const char *c = "-]\""; *c; c++) {
			int ret;

			copy[i] = *c;
			ret = stat_json_read(&to, copy, &what);
			assert_true(!ret || ret == -EINVAL);
			copy[i] = line[i];
		}
	free(copy);
	free(line);
	stat_set_finish(&from);
	stat_set_finish(&to);
}

static void numbers_fit_their_columns(void **state)
{
	static const struct {
		double n;
		const char *text;
	} counts[] = {{0, "0"},
		      {0.25, "0.25"},
		      {7, "7"},
		      {99999, "99999"},
		      {100000, "100k"},
		      {1234567, "1.23M"},
		      {12345678, "12.3M"},
		      {9.9999e9, "10.0G"}};
	static const struct {
		uint64_t ns;
		const char *text;
	} times[] = {{0, "-"},		{850, "850ns"},	    {1000, "1.0us"},	 {12345, "12us"},
		     {999600, "1.0ms"}, {3400000, "3.4ms"}, {12000000000, "12s"}};
	char buf[32];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		assert_string_equal(stat_format_count(buf, sizeof(buf), counts[i].n),
				    counts[i].text);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(stat_format_time(buf, sizeof(buf), times[i].ns), times[i].text);
	for (double n = 0.001; n < 1e15; n *= 1.01)
		assert_true(strlen(stat_format_count(buf, sizeof(buf), n)) <= 5);
}

static void quantiles_are_of_buckets(void **state)
{
	struct vgic_stat_counts c = {0};

	assert_int_equal(stat_raise_quantile(&c, 0.5), 0);
	c.raise[vgic_stat_time_bucket(1000)] = 90;
	c.raise[vgic_stat_time_bucket(50000)] = 10;
	c.raise_max_ns = 50001;
	assert_int_equal(stat_raise_quantile(&c, 0.5),
			 vgic_stat_time_lowest(vgic_stat_time_bucket(1000) + 1) - 1);
	assert_int_equal(stat_raise_quantile(&c, 0.9),
			 vgic_stat_time_lowest(vgic_stat_time_bucket(1000) + 1) - 1);
	/* No more than the longest there was. */
	assert_int_equal(stat_raise_quantile(&c, 0.99), 50001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_order),
		cmocka_unit_test(a_span_is_what_came_in_it),
		cmocka_unit_test(what_is_read_is_what_was_written),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(numbers_fit_their_columns),
		cmocka_unit_test(quantiles_are_of_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
