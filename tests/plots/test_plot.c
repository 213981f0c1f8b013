// SPDX-License-Identifier: GPL-2.0-only
/* Reading of results, statistics and formats of plots/. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "internal.h"

#define HEAD "{\"format\":\"vgicsim-result\",\"version\":1,\"input\":{\"nr_lr\":4},\"config\":{},"

static int load_all(const char *text, struct vgic_plot_result ***results, int *nr,
		    struct vgic_plot_error *err)
{
	char path[] = "/tmp/vgicsim-test-XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	*results = NULL;
	*nr = 0;
	ret = vgic_plot_load(path, results, nr, err);
	unlink(path);
	return ret;
}

static int load_text(const char *text, struct vgic_plot_result **res, struct vgic_plot_error *err)
{
	struct vgic_plot_result **results;
	int nr, ret = load_all(text, &results, &nr, err);

	assert_int_equal(nr, ret ? 0 : 1);
	*res = nr ? results[0] : NULL;
	free(results);
	return ret;
}

static void refuses(const char *text, int code, const char *why)
{
	struct vgic_plot_error err = {""};
	struct vgic_plot_result *res;

	assert_int_equal(load_text(text, &res, &err), code);
	assert_null(res);
	if (!strstr(err.text, why))
		fail_msg("'%s' says nothing of '%s'", err.text, why);
	assert_null(strchr(err.text, '\n'));
}

static void bad_files(void **state)
{
	struct vgic_plot_error err = {""};
	struct vgic_plot_result **results = NULL;
	int nr = 0;

	(void)state;
	assert_int_equal(vgic_plot_load("/nonexistent/x.json", &results, &nr, &err), -ENOENT);
	assert_int_equal(vgic_plot_load("/tmp", &results, &nr, &err), -EISDIR);
	refuses("", -EINVAL, "not a result");
	refuses("VGICREC", -EINVAL, "not a result");
	refuses("[]", -EINVAL, "not a result");
	refuses("{}", -EINVAL, "not a result");
	refuses("{\"format\":\"vgicsim-result\"}", -EINVAL, "version");
	refuses("{\"format\":\"vgicsim-result\",\"version\":2}", -ENOTSUP, "version 2");
	refuses("{\"format\":\"vgicsim-result\",\"version\":1}", -EINVAL, "input: missing");
	refuses(HEAD "\"cells\":[]}", -EINVAL, "empty");
	refuses(HEAD "\"cells\":[{}]}", -EINVAL, "cells[0].nr_lr: missing");
	refuses(HEAD "\"cells\":[{\"nr_lr\":0}]}", -EINVAL, "not 1 to 64");
	refuses(HEAD "\"cells\":[{\"nr_lr\":65}]}", -EINVAL, "not 1 to 64");
	refuses(HEAD "\"cells\":[{\"nr_lr\":4294967297}]}", -EINVAL, "not 1 to 64");
	refuses(HEAD "\"cells\":[{\"nr_lr\":1.5}]}", -EINVAL, "not a whole number");
	refuses(HEAD "\"cells\":[{\"nr_lr\":2},{\"nr_lr\":2}]}", -EINVAL, "two for 2");
	refuses(HEAD "\"cells\":[{\"nr_lr\":2,\"kicks\":-1}]}", -EINVAL,
		"cells[0].kicks: negative");
	refuses(HEAD "\"cells\":[{\"nr_lr\":2,\"kicks\":9007199254740993}]}", -EINVAL, "too large");
	refuses(HEAD "\"cells\":[{\"nr_lr\":2,\"outcome\":\"fine\"}]}", -EINVAL, "outcome");
	refuses(HEAD "\"cells\":[{\"nr_lr\":2},", -EINVAL, "line");
	refuses(HEAD "\"cells\":[{\"nr_lr\":2,\"nr_lr\":3}]}", -EINVAL, "duplicate");
}

#define WITH_LATENCY(lat) HEAD "\"cells\":[{\"nr_lr\":2,\"latency\":{\"raise_to_lr\":" lat "}}]}"

/* Twenty samples, and percentiles. */
#define TWENTY "{\"n\":20,\"min_ns\":5,\"max_ns\":19,\"hist\":[[5,19],[19,1]],\"percentiles\":"

static void bad_latencies(void **state)
{
	(void)state;
	refuses(WITH_LATENCY("{\"n\":3,\"min_ns\":1,\"max_ns\":2,\"hist\":[[1,1],[2,1]]}"), -EINVAL,
		"add up to 2, n is 3");
	refuses(WITH_LATENCY("{\"n\":2,\"min_ns\":1,\"max_ns\":2,\"hist\":[[2,1],[1,1]]}"), -EINVAL,
		"out of order");
	refuses(WITH_LATENCY("{\"n\":1,\"min_ns\":1,\"max_ns\":2,\"hist\":[[1,0],[2,1]]}"), -EINVAL,
		"count of 0");
	refuses(WITH_LATENCY("{\"n\":1,\"min_ns\":3,\"max_ns\":2,\"hist\":[[2,1]]}"), -EINVAL,
		"max_ns");
	refuses(WITH_LATENCY(TWENTY "{\"p50\":{\"ns\":5,\"low_ns\":1,\"high_ns\":4}}}"), -EINVAL,
		"p50: not inside its own interval");
	refuses(WITH_LATENCY(TWENTY "{\"p50\":{\"ns\":5,\"low_ns\":6,\"high_ns\":7}}}"), -EINVAL,
		"p50: not inside its own interval");
	refuses(WITH_LATENCY(TWENTY "{\"p90\":{\"ns\":5,\"low_ns\":5,\"high_ns\":5}}}"), -EINVAL,
		"p90: n is too small for it");
	refuses(WITH_LATENCY(TWENTY "{\"p50\":{\"ns\":5,\"high_ns\":7}}}"), -EINVAL,
		"low_ns: missing");
	refuses(WITH_LATENCY(TWENTY "{\"p50\":5}}"), -EINVAL, "p50: not an object");
	refuses(WITH_LATENCY(TWENTY "[]}"), -EINVAL, "percentiles: not an object");
	refuses(WITH_LATENCY("{\"n\":1,\"hist\":[[2]]}"), -EINVAL, "hist");
	refuses(WITH_LATENCY("{\"n\":1,\"hist\":7}"), -EINVAL, "not a list");
	refuses(WITH_LATENCY("{\"n\":2,\"min_ns\":1,\"max_ns\":1,\"hist\":"
			     "[[1,9223372036854775807],[2,9223372036854775807]]}"),
		-EINVAL, "too large");
}

#define WITH_LINE(line) HEAD "\"cells\":[{\"nr_lr\":2,\"timeline\":{" line "}}]}"

static void bad_timelines(void **state)
{
	(void)state;
	refuses(WITH_LINE("\"t0_ns\":5,\"t1_ns\":4,\"vcpu\":0,\"lrs\":[]"), -EINVAL, "t1_ns");
	refuses(WITH_LINE("\"t0_ns\":0,\"t1_ns\":5,\"vcpu\":0"), -EINVAL, "lrs: missing");
	refuses(WITH_LINE("\"t0_ns\":0,\"t1_ns\":5,\"vcpu\":0,\"lrs\":[{\"lr\":64,\"intid\":1,"
			  "\"state\":\"active\",\"t0_ns\":1,\"t1_ns\":2}]"),
		-EINVAL, "lrs[0].lr");
	refuses(WITH_LINE("\"t0_ns\":0,\"t1_ns\":5,\"vcpu\":0,\"lrs\":[{\"lr\":1,\"intid\":1,"
			  "\"state\":\"busy\",\"t0_ns\":1,\"t1_ns\":2}]"),
		-EINVAL, "state");
	refuses(WITH_LINE("\"t0_ns\":0,\"t1_ns\":5,\"vcpu\":0,\"lrs\":[{\"lr\":1,\"intid\":1,"
			  "\"state\":\"active\",\"t0_ns\":3,\"t1_ns\":2}]"),
		-EINVAL, "before t0_ns");
	refuses(WITH_LINE("\"t0_ns\":0,\"t1_ns\":5,\"vcpu\":0,\"lrs\":[],"
			  "\"mi\":[{\"t_ns\":1,\"sources\":[\"x\"]}]"),
		-EINVAL, "no source");
}

#define SWEEP(results) "{\"format\":\"vgicsim-sweep\",\"version\":1,\"results\":" results "}"
#define SWEPT(file, policy, profile)                                               \
	"{\"format\":\"vgicsim-result\",\"version\":1,\"input\":{\"file\":\"" file \
	"\"},\"config\":{\"policy\":\"" policy "\",\"profile\":{\"file\":" profile \
	"}},\"cells\":[{\"nr_lr\":2}]}"

static void sweeps(void **state)
{
	struct vgic_plot_error err = {""};
	struct vgic_plot_result **results;
	int nr;

	(void)state;
	assert_int_equal(load_all(SWEEP("[" SWEPT("a/run.vgr", "x+y=1", "null") "," SWEPT(
					  "run.vgw", "z", "\"p/host.ini\"") "]"),
				  &results, &nr, &err),
			 0);
	assert_int_equal(nr, 2);
	assert_string_equal(results[0]->stem, "run-x_y_1");
	assert_string_equal(results[1]->stem, "run-z-host");
	for (int i = 0; i < nr; i++)
		vgic_plot_free(results[i]);
	free(results);
	/* Those before the bad one are the caller's. */
	assert_int_equal(load_all(SWEEP("[" SWEPT("a", "b", "null") ",7]"), &results, &nr, &err),
			 -EINVAL);
	assert_int_equal(nr, 1);
	assert_non_null(strstr(err.text, "results[1]: not an object"));
	vgic_plot_free(results[0]);
	free(results);
	refuses(SWEEP("[]"), -EINVAL, "empty");
	refuses(SWEEP("7"), -EINVAL, "results: not a list");
	refuses(SWEEP("[{}]"), -EINVAL, "not a result file");
	refuses("{\"format\":\"vgicsim-sweep\",\"version\":2}", -ENOTSUP, "another version");
}

static void good_file(void **state)
{
	struct vgic_plot_error err = {""};
	struct vgic_plot_result *res;

	(void)state;
	assert_int_equal(load_text(HEAD
				   "\"recorded\":null,\"cells\":["
				   "{\"nr_lr\":8,\"outcome\":\"livelock\"},"
				   "{\"nr_lr\":2,\"exits\":{\"total\":7,\"mi\":null},\"new\":1,"
				   "\"occupancy\":{\"used_ns\":[1,2,3],\"pending_ns\":[6],"
				   "\"active_ns\":[6]}}]}",
				   &res, &err),
			 0);
	assert_int_equal(res->nr_cells, 2);
	assert_int_equal(res->cells[0].nr_lr, 2);
	assert_int_equal(res->cells[0].exits_total, 7);
	assert_int_equal(res->cells[0].exits[VGIC_PLOT_EXIT_MI], VGIC_PLOT_UNKNOWN);
	assert_int_equal(res->cells[0].kicks, VGIC_PLOT_UNKNOWN);
	assert_true(res->cells[0].occupancy_known);
	assert_int_equal(res->cells[0].used[2], 3);
	assert_false(res->cells[1].occupancy_known);
	assert_true(vgic_plot_endless(&res->cells[1]));
	assert_null(res->recorded);
	assert_null(vgic_plot_line_cell(res));
	vgic_plot_free(res);
	vgic_plot_free(NULL);
}

/* 1000 samples, the values 1 to 1000. */
static struct vgic_plot_latency uniform(struct vgic_plot_bucket *hist, int n)
{
	struct vgic_plot_latency lat = {
		.known = true,
		.n = n,
		.min = 1,
		.max = n,
		.hist = hist,
		.nr_hist = n,
	};
	int i;

	for (i = 0; i < n; i++)
		hist[i] = (struct vgic_plot_bucket){i + 1, 1};
	return lat;
}

static void quantiles(void **state)
{
	struct vgic_plot_bucket hist[1000];
	struct vgic_plot_latency lat = uniform(hist, 1000);
	struct vgic_plot_quantile q;

	(void)state;
	q = vgic_plot_quantile(&lat, 0.5);
	assert_true(q.shown);
	assert_int_equal(q.value, 500);
	/* 1.96 * sqrt(1000 / 4) = 30.99 */
	assert_int_equal(q.low, 469);
	assert_int_equal(q.high, 532);
	q = vgic_plot_quantile(&lat, 0.9);
	assert_int_equal(q.value, 900);
	q = vgic_plot_quantile(&lat, 0.99);
	assert_true(q.shown);
	assert_int_equal(q.value, 990);
	assert_true(q.high <= 1000);
	assert_false(vgic_plot_quantile(&lat, 0.999).shown);

	lat = uniform(hist, 999);
	assert_false(vgic_plot_quantile(&lat, 0.99).shown);
	lat = uniform(hist, 20);
	assert_true(vgic_plot_quantile(&lat, 0.5).shown);
	assert_int_equal(vgic_plot_quantile(&lat, 0.5).value, 10);
	lat = uniform(hist, 19);
	assert_false(vgic_plot_quantile(&lat, 0.5).shown);
	lat = uniform(hist, 100);
	assert_true(vgic_plot_quantile(&lat, 0.9).shown);
	lat = uniform(hist, 99);
	assert_false(vgic_plot_quantile(&lat, 0.9).shown);
	lat.known = false;
	assert_false(vgic_plot_quantile(&lat, 0.5).shown);
}

/* What the result says of a percentile goes before what the histogram says. */
static void percentiles_of_the_result(void **state)
{
	struct vgic_plot_bucket hist[100];
	struct vgic_plot_latency lat = uniform(hist, 100);

	lat.has_percentiles = true;
	lat.percentile[0] = (struct vgic_plot_quantile){true, 50, 40, 77};
	assert_int_equal(vgic_plot_quantile(&lat, 0.5).low, 40);
	assert_int_equal(vgic_plot_quantile(&lat, 0.5).high, 77);
	/* Not there, though n would be enough. */
	assert_false(vgic_plot_quantile(&lat, 0.9).shown);
	assert_true(vgic_plot_quantile(&lat, 0.75).shown);
	lat.n = 19;
	assert_false(vgic_plot_quantile(&lat, 0.5).shown);
}

static void quantile_stays_below_maximum(void **state)
{
	/* The bucket is named by its highest value, 1023; the largest sample was 1005. */
	struct vgic_plot_bucket hist[] = {{511, 50}, {1023, 50}};
	struct vgic_plot_latency lat = {
		.known = true, .n = 100, .min = 500, .max = 1005, .hist = hist, .nr_hist = 2};

	(void)state;
	assert_int_equal(vgic_plot_quantile(&lat, 0.5).value, 511);
	assert_int_equal(vgic_plot_quantile(&lat, 0.9).value, 1005);
}

static void busiest(void **state)
{
	struct vgic_plot_segment segments[200];
	struct vgic_plot_mark marks[] = {{50010, 2}, {50020, 2}};
	struct vgic_plot_timeline line = {
		.t0 = 0,
		.t1 = 100000,
		.segments = segments,
		.nr_segments = 200,
		.marks = marks,
		.nr_marks = 2,
	};
	int64_t t0, t1;
	int i;

	(void)state;
	/* One each 1000 ns, and a hundred crowded together from 50000 on. */
	for (i = 0; i < 200; i++) {
		int64_t at = i < 50    ? i * 1000
			     : i < 150 ? 50000 + (i - 50) * 10
				       : 51000 + (i - 150) * 900;

		segments[i] = (struct vgic_plot_segment){0, 32, VGIC_PLOT_ACTIVE, at, at + 5};
	}
	vgic_plot_busiest(&line, 60, &t0, &t1);
	/* 500 ns hold fifty, 1000 ns all hundred; the last ends at 50995. */
	assert_true(t1 - t0 <= 1040);
	assert_true(t0 <= 50000 && t1 >= 50995);
	/* Everything wanted: everything shown. */
	vgic_plot_busiest(&line, 1000, &t0, &t1);
	assert_int_equal(t0, 0);
	assert_int_equal(t1, 100000);
	/* All at one instant fits the narrowest window. */
	for (i = 0; i < 200; i++)
		segments[i].t0 = 100;
	vgic_plot_busiest(&line, 60, &t0, &t1);
	assert_int_equal(t0, 100);
	assert_int_equal(t1, 101);
}

static void windows(void **state)
{
	struct vgic_plot_timeline line = {.t0 = 1000, .t1 = 2000};
	struct vgic_plot_options o = {.has_window = true};
	int64_t t0, t1;

	(void)state;
	o.window_t0 = 1500;
	o.window_t1 = 5000;
	assert_int_equal(vgic_plot_window(&line, &o, &t0, &t1), 0);
	assert_int_equal(t0, 1500);
	assert_int_equal(t1, 2000);
	o.window_t0 = 2000;
	assert_int_equal(vgic_plot_window(&line, &o, &t0, &t1), -ERANGE);
	o.window_t0 = 0;
	o.window_t1 = 1000;
	assert_int_equal(vgic_plot_window(&line, &o, &t0, &t1), -ERANGE);
	o.has_window = false;
	assert_int_equal(vgic_plot_window(&line, &o, &t0, &t1), 0);
	assert_int_equal(t0, 1000);
	assert_int_equal(t1, 2000);
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(vgic_plot_ns(0).s, "0 ns");
	assert_string_equal(vgic_plot_ns(999).s, "999 ns");
	assert_string_equal(vgic_plot_ns(1000).s, "1.00 µs");
	assert_string_equal(vgic_plot_ns(12345).s, "12.3 µs");
	assert_string_equal(vgic_plot_ns(999999).s, "1.00 ms");
	assert_string_equal(vgic_plot_ns(123456789).s, "123 ms");
	assert_string_equal(vgic_plot_ns(12345678901).s, "12.3 s");
	assert_string_equal(vgic_plot_ns(-1).s, "–");
	assert_string_equal(vgic_plot_ns_exact(1500).s, "1.5 µs");
	assert_string_equal(vgic_plot_ns_exact(1000000001).s, "1.000000001 s");
	assert_string_equal(vgic_plot_ns_exact(5000000).s, "5 ms");
	assert_string_equal(vgic_plot_ns_exact(7).s, "7 ns");
	assert_string_equal(vgic_plot_count(0).s, "0");
	assert_string_equal(vgic_plot_count(1234567).s, "1,234,567");
	assert_string_equal(vgic_plot_count(-1).s, "–");
	assert_string_equal(vgic_plot_short(9999).s, "9999");
	assert_string_equal(vgic_plot_short(12345).s, "12.3k");
	assert_string_equal(vgic_plot_short(999600).s, "1.0M");
	assert_string_equal(vgic_plot_short(INT64_MAX).s, "9.2E");
}

static void quoted(const char *text, size_t most, const char *expected)
{
	char *s = NULL;
	size_t n;
	FILE *f = open_memstream(&s, &n);

	vgic_plot_quote(f, text, most);
	fclose(f);
	assert_string_equal(s, expected);
	free(s);
}

static void foreign_text_stays_text(void **state)
{
	char *s = NULL;
	size_t n;
	FILE *f;

	(void)state;
	quoted("a'b\"`id`\n$c", 80, "a’b\"‘id‘ $c");
	quoted("abcd", 4, "abcd");
	quoted("abcde", 4, "abcd…");
	quoted("abcµ", 4, "abc…");
	quoted("abcµ", 5, "abcµ");
	f = open_memstream(&s, &n);
	vgic_plot_html(f, "<a href=\"x\">&");
	fclose(f);
	assert_string_equal(s, "&lt;a href=&quot;x&quot;&gt;&amp;");
	free(s);
}

static void kinds(void **state)
{
	static const char *const same[] = {
		"vgic-guest burst",
		"/opt/bin/vgic-guest burst",
		"timeout 40 vgic-guest burst",
		"/usr/bin/timeout -k5 --foreground 40 ./vgic-guest burst",
	};
	static const char *const other[] = {
		"vgic-guest mixed", "timeout 40 vgic-guest", "", "timeout", "timeout 40",
		"timeout -k",
	};
	struct vgic_plot_result a = {.hash = (char *)"1", .guest = (char *)same[0]};
	struct vgic_plot_result b = {.hash = (char *)"2"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		b.guest = (char *)same[i];
		assert_true(vgic_plot_same_kind(&a, &b));
	}
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		b.guest = (char *)other[i];
		assert_false(vgic_plot_same_kind(&a, &b));
		assert_false(vgic_plot_same_kind(&b, &a));
	}
	b.hash = (char *)"1";
	assert_true(vgic_plot_same_kind(&a, &b));
}

static void axes(void **state)
{
	static const double tops[] = {0.3, 1, 7, 99, 3707, 88000, 1e9};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		assert_true(vgic_plot_axis_top(tops[i]) >= 1.1 * tops[i]);
		assert_true(vgic_plot_axis_top(tops[i]) <= 2 * tops[i]);
	}
	assert_true(vgic_plot_axis_top(0) > 0);
}

/* A page of what is handed over; the replay is missing, and gnuplot is not asked for. */
static char *page_of(const char *json)
{
	static char text[200000];
	char dir[] = "/tmp/vgicsim-page-XXXXXX", path[100];
	struct vgic_plot_options options = {.dir = path};
	struct vgic_plot_error err = {""};
	json_t *report = json_loads(json, 0, NULL);
	size_t n;
	FILE *f;

	assert_non_null(report);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/page", dir);
	assert_int_equal(vgic_plot_recording_write(report, &options, &err), 0);
	json_decref(report);
	snprintf(path, sizeof(path), "%s/page/report.html", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	unlink(path);
	snprintf(path, sizeof(path), "%s/page/data", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/page", dir);
	rmdir(path);
	rmdir(dir);
	return text;
}

/* Whatever is absent is not known, and nothing of it is a number. */
static void page_of_nothing(void **state)
{
	char *text = page_of("{}");

	(void)state;
	assert_non_null(strstr(text, "No list registers:"));
	assert_non_null(strstr(text, "The recording has no exits in it."));
	assert_non_null(strstr(text, "</html>"));
	assert_null(strstr(text, "id=\"mi-total\""));
	assert_null(strstr(text, "note good\" id=\"notes\""));
}

/* What was made of somebody's trace says so, and does not count what it lacks. */
static void page_of_a_trace(void **state)
{
	static const char json[] =
		"{\"name\":\"x.vgr\",\"info\":{\"ending\":\"whole\",\"header\":{\"source\":\"trace."
		"dat\","
		"\"missing\":\"%s\",\"probes\":[]},\"vcpus\":[{\"vm\":0,\"vcpu\":1,\"exits\":7,"
		"\"exits_by_reason\":{\"irq\":7},\"mi\":0,\"dir\":0,\"sgi\":0,\"wfi\":3,\"wfe\":0,"
		"\"mmio\":0,\"kicks\":0,\"eoicount\":0,\"guest_ns\":0}],\"unknown_vcpus\":{"
		"\"exits\":5,"
		"\"exits_by_reason\":{\"irq\":5}}}}";
	char text[1000], *page;

	(void)state;
	snprintf(text, sizeof(text), json, "flush sync dir sgi-old wfx kick");
	page = page_of(text);
	assert_non_null(strstr(page,
			       "made of <code>trace.dat</code>. It lacks: <code>flush sync dir "
			       "sgi-old wfx kick</code>"));
	/* exits, MIs, DIR, SGI, WFI, WFE, MMIO, kicked, EOIcount: three WFIs were seen all the same
	 */
	assert_non_null(strstr(page, "0:1</th><td>7</td><td>–</td><td>–</td><td>0</td><td>3</td>"
				     "<td>–</td><td>0</td><td>–</td><td>–</td>"));
	assert_non_null(strstr(page, "id=\"exits-irq\">12<"));
	assert_non_null(strstr(page, "not known whose</th><td>5</td>"));
	assert_null(strstr(page, "id=\"exits-mi\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_files),	   cmocka_unit_test(bad_latencies),
		cmocka_unit_test(bad_timelines),   cmocka_unit_test(sweeps),
		cmocka_unit_test(good_file),	   cmocka_unit_test(percentiles_of_the_result),
		cmocka_unit_test(quantiles),	   cmocka_unit_test(quantile_stays_below_maximum),
		cmocka_unit_test(busiest),	   cmocka_unit_test(windows),
		cmocka_unit_test(texts),	   cmocka_unit_test(foreign_text_stays_text),
		cmocka_unit_test(kinds),	   cmocka_unit_test(axes),
		cmocka_unit_test(page_of_nothing), cmocka_unit_test(page_of_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
