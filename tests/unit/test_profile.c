/* SPDX-License-Identifier: GPL-2.0-only */
/* Machine profiles as text: read, written, and every line that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/profile_file.h>

static const char by_hand[] = "; a machine that somebody thought of\n"
			      "[machine]\n"
			      "cpu = neoverse-v9 (planned)\n"
			      "gic = 3\n"
			      "lrs = 6\n"
			      "pre_bits = 5\n"
			      "prio_bits = 7\n"
			      "tdir = yes\n"
			      "eoicount_on_split = no\n"
			      "\n"
			      "[cost]\n"
			      "entry = 300 ; ns\n"
			      "entry_irq = 12.5\n"
			      "entry_lr = 8\n"
			      "sort = 20\n"
			      "sort_step = 3.025\n"
			      "exit = 400\n"
			      "exit_irq = 15.000\n"
			      "exit_lr = 9.1\n"
			      "mi_out = 900\n"
			      "dir_out = 1100\n"
			      "switch = 500\n"
			      "kick = 700\n"
			      "[mi]\n"
			      "median = 250\n"
			      "delays = 100 200\n"
			      "delays = 250\t900\n";

static struct vgic_profile_file p;
static struct vgic_profile_error e;

static int parse(const char *text)
{
	return vgic_profile_parse(&p, text, strlen(text), &e);
}

static char *format(size_t *size)
{
	char *text;

	assert_int_equal(vgic_profile_format(&p, &text, size), 0);
	assert_int_equal(strlen(text), *size);
	return text;
}

static void a_profile_by_hand(void **state)
{
	assert_int_equal(parse(by_hand), 0);
	assert_string_equal(p.cpu, "neoverse-v9 (planned)");
	assert_int_equal(p.gic, 3);
	assert_int_equal(p.lrs, 6);
	assert_int_equal(p.pre_bits, 5);
	assert_int_equal(p.prio_bits, 7);
	assert_true(p.tdir);
	assert_false(p.eoicount_on_split);
	assert_int_equal(p.profile.entry_ns, 300);
	assert_int_equal(p.profile.entry_irq_ps, 12500);
	assert_int_equal(p.profile.entry_lr_ps, 8000);
	assert_int_equal(p.profile.sort_step_ps, 3025);
	assert_int_equal(p.profile.exit_lr_ps, 9100);
	assert_int_equal(p.profile.kick_ns, 700);
	assert_int_equal(p.profile.mi_delay_ns, 250);
	assert_int_equal(p.profile.nr_mi_delays, 4);
	assert_int_equal(p.profile.mi_delays[3], 900);
	assert_false(p.fitted);
	vgic_profile_finish(&p);
}

/* What was written is read as what it was, and written again as the same bytes. */
static void there_and_back(void **state)
{
	struct vgic_profile_file first;
	char *text, *again;
	size_t size, size_again;

	assert_int_equal(parse(by_hand), 0);
	p.fitted = true;
	strcpy(p.command, "vgicsim calibrate RECORDING...");
	strcpy(p.cpu, "a;b\nc ");
	assert_int_equal(vgic_profile_add_source(&p, 0xfull << 60, "7.3.4 x", "a ; b\t=.vgr "), 0);
	assert_int_equal(vgic_profile_add_source(&p, 1, "", ""), 0);
	for (unsigned int i = 0; i < VGIC_FITS; i++)
		p.report.fits[i] = (struct vgic_fit){
			.n = UINT64_MAX - i,
			.median_ns = i,
			.p90_ns = UINT64_MAX,
			.median_ppm = 5,
			.p90_ppm = UINT32_MAX,
			.explained_ppm = 1000000 - i,
		};
	p.report.open[VGIC_TERM_SORT] = p.report.open[VGIC_TERM_EXIT_LR] = true;
	while (p.profile.nr_mi_delays < VGIC_MAX_MI_DELAYS)
		p.profile.mi_delays[p.profile.nr_mi_delays++] = VGIC_MAX_COST_NS;
	text = format(&size);
	first = p;
	assert_int_equal(parse(text), 0);
	assert_memory_equal(&p.profile, &first.profile, sizeof(p.profile));
	assert_memory_equal(p.report.fits, first.report.fits, sizeof(p.report.fits));
	assert_memory_equal(p.report.open, first.report.open, sizeof(p.report.open));
	assert_string_equal(p.cpu, "a_b_c");
	assert_int_equal(p.nr_sources, 2);
	assert_int_equal(p.report.recordings, 2);
	assert_int_equal(p.sources[0].hash, 0xfull << 60);
	assert_string_equal(p.sources[0].kernel, "7.3.4_x");
	assert_string_equal(p.sources[0].name, "a _ b_=.vgr");
	assert_string_equal(p.sources[1].kernel, "-");
	again = format(&size_again);
	assert_string_equal(again, text);
	assert_int_equal(vgic_profile_hash(text, size), vgic_profile_hash(again, size_again));
	assert_true(vgic_profile_hash(text, size) != vgic_profile_hash(text, size - 1));
	vgic_profile_finish(&p);
	vgic_profile_finish(&first);
	free(again);
	free(text);

	/* Without delays and without a fit. */
	assert_int_equal(parse(by_hand), 0);
	p.profile.nr_mi_delays = 0;
	text = format(&size);
	assert_int_equal(parse(text), 0);
	assert_int_equal(p.profile.nr_mi_delays, 0);
	again = format(&size);
	assert_string_equal(again, text);
	free(again);
	free(text);
	vgic_profile_finish(&p);
}

/* by_hand with the line that begins with key replaced. */
static char *with(const char *key, const char *line)
{
	const char *at = strstr(by_hand, key), *end = strchr(at, '\n') + 1;
	char *text;

	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - by_hand), by_hand, line, end) > 0);
	return text;
}

static unsigned int line_of(const char *key)
{
	unsigned int n = 1;

	for (const char *at = by_hand; at < strstr(by_hand, key); at++)
		n += *at == '\n';
	return n;
}

#define FIT                                                                                \
	"[fit]\ncommand = vgicsim\nrecording = 0123456789abcdef 7.3 a.vgr\n"               \
	"entry = 1 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained 0.0006 %\n" \
	"exit = 1 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained 0.0006 %\n"  \
	"mi = 1 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained 0.0006 %\n"    \
	"dir = 1 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained 0.0006 %\n"   \
	"switch = 1 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained 0.0006 %\n"

static void lines_that_are_refused(void **state)
{
	static const struct {
		const char *key, *line;
		const char *says; /* after a *: of the whole file */
	} cases[] = {
		{"lrs", "", "*no lrs in [machine]: add it"},
		{"kick", "", "*no kick in [cost]"},
		{"median", "", "*no median in [mi]"},
		{"lrs", "lrs =\n", "bad lrs: ''"},
		{"lrs", "lrs = 0\n", "lrs out of range: '0': from 1 to 16"},
		{"lrs", "lrs = 17\n", "lrs out of range"},
		{"lrs", "lrs = 4.0\n", "bad lrs"},
		{"lrs", "lrs = four\n", "bad lrs"},
		{"lrs", "lrs = 4 4\n", "bad lrs"},
		{"lrs", "lrs = -4\n", "bad lrs"},
		{"lrs", "lrs = 0x4\n", "bad lrs"},
		{"lrs", "lrs = 4\nlrs = 4\n", "lrs twice"},
		{"lrs", "LRs = 4\n", "unknown key in [machine]: 'LRs'"},
		{"gic", "gic = 5\n", "gic out of range"},
		{"pre_bits", "pre_bits = 8\n", "pre_bits out of range"},
		{"prio_bits", "prio_bits = 4\n", "prio_bits out of range"},
		{"pre_bits", "pre_bits = 7\n", NULL},
		{"tdir", "tdir = 1\n", "bad tdir: '1': yes or no"},
		{"tdir", "tdir = Yes\n", "bad tdir"},
		{"cpu", "cpu = 0123456789012345678901234567890123456789\n", "cpu has more than 31"},
		{"sort =", "sort = 1.5\n", "bad sort: '1.5'"},
		{"sort =", "sort = 1000000001\n", "sort out of range"},
		{"sort_step", "sort_step = 1.2345\n", "bad sort_step"},
		{"sort_step", "sort_step = 1.\n", "bad sort_step"},
		{"sort_step", "sort_step = .5\n", "bad sort_step"},
		{"sort_step", "sort_step = 1.2.3\n", "bad sort_step"},
		{"sort_step", "sort_step = 1000000.001\n",
		 "sort_step out of range: '1000000.001': from "
		 "0 to 1000000"},
		{"sort_step", "sort_step = 99999999999999999999\n", "bad sort_step"},
		{"sort_step", "sort_step = 1e3\n", "bad sort_step"},
		{"kick", "kick = 1\nspeed = 9\n", "unknown key in [cost]: 'speed'"},
		{"kick", "kick\n", "neither [section] nor key = value"},
		{"kick", " kick = 4\n", "line begins with a blank"},
		{"kick", "\tkick = 4\n", "line begins with a blank"},
		{"kick", "kick = 4\r\n", "byte 0x0d"},
		{"kick", "kick = 4\xc2\xb5s\n", "byte 0xc2"},
		{"[mi]", "[mi] median = 3\n", "text after a section"},
		{"[mi]", "[mi\n", "neither [section] nor"},
		{"[mi]", "[im]\n", "unknown section: [im]"},
		{"[machine]", "", "key before any section: 'cpu'"},
		{"delays = 100", "delays = 100 90\n", "delay less than the one before: '90'"},
		{"delays = 100", "delays = 100 9x\n", "bad delay: '9x'"},
		{"delays = 100", "delays = 100 1000000001\n", "bad delay: '1000000001'"},
		{"delays = 250", "delays = 150\n", "delay less than the one before: '150'"},
		{"delays = 250", FIT "too_little = none\n", "*no mi_delay in [fit]"},
		{"delays = 250", FIT "too_little = entry entry\n", "bad term in too_little"},
		{"delays = 250", FIT "too_little = speed\n", "bad term in too_little: 'speed'"},
		{"delays = 250", FIT "too_little = none\ntoo_little = none\n", "too_little twice"},
		{"delays = 250", FIT "command = again\n", "command twice"},
		{"delays = 250", FIT "note = 1\n", "unknown key in [fit]: 'note'"},
		{"delays = 250", FIT "recording = 0123456789abcde 7.3 a.vgr\n", "bad recording"},
		{"delays = 250", FIT "recording = 0123456789abcdef 7.3\n", "bad recording"},
		{"delays = 250", FIT "recording =\n", "bad recording"},
		{"delays = 250",
		 FIT
		 "mi = 1 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained 0.0006 %\n",
		 "mi twice"},
		{"delays = 250", FIT "mi_delay = 1 samples\n", "bad mi_delay: '1 samples'"},
		{"delays = 250",
		 FIT "mi_delay = 01 samples, median 2 ns 0.0003 %, p90 4 ns 0.0005 %, explained "
		     "0.0006 %\n",
		 "bad mi_delay"},
		{"delays = 250", "[fit]\nrecording = 0123456789abcdef 7.3 a.vgr\n", "*in [fit]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = with(cases[i].key, cases[i].line);
		int ret = parse(text);
		bool whole = cases[i].says && *cases[i].says == '*';
		const char *says = whole ? cases[i].says + 1 : cases[i].says;

		if (ret != (says ? -EINVAL : 0) || (says && !strstr(e.text, says)))
			fail_msg("case %zu, %s: %d, line %u: %s", i, cases[i].line, ret, e.line,
				 e.text);
		if (says && !strchr(e.text, ':'))
			fail_msg("case %zu does not say what to do: %s", i, e.text);
		if (says && whole != !e.line)
			fail_msg("case %zu: line %u: %s", i, e.line, e.text);
		if (says && !whole &&
		    (e.line < line_of(cases[i].key) || e.line > line_of(cases[i].key) + 9))
			fail_msg("case %zu: line %u", i, e.line);
		vgic_profile_finish(&p);
		free(text);
	}
}

/* The very line. */
static void the_line_is_named(void **state)
{
	char *text = with("kick", "kick = many\n");

	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(e.line, line_of("kick"));
	free(text);
	vgic_profile_finish(&p);
	/* The first of two. */
	text = with("lrs", "lrs = x\ntdir = x\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(e.line, line_of("lrs"));
	free(text);
	vgic_profile_finish(&p);
}

static void texts_that_are_refused(void **state)
{
	char *text = malloc(VGIC_PROFILE_MAX_BYTES + 1), line[400];

	assert_int_equal(parse(""), -EINVAL);
	vgic_profile_finish(&p);
	assert_int_equal(vgic_profile_parse(&p, "[machine]\0lrs = 4\n", 19, &e), -EINVAL);
	assert_non_null(strstr(e.text, "byte 0x00"));
	memset(text, '\n', VGIC_PROFILE_MAX_BYTES + 1);
	assert_int_equal(vgic_profile_parse(&p, text, VGIC_PROFILE_MAX_BYTES + 1, &e), -EINVAL);
	assert_non_null(strstr(e.text, "more than 262144 bytes"));
	free(text);

	snprintf(line, sizeof(line), "cpu = %0*d\n", 300, 0);
	text = with("cpu", line);
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(e.line, line_of("cpu"));
	assert_non_null(strstr(e.text, "line of more than"));
	free(text);

	/* One delay too many. */
	text = with("delays = 250", "delays = 250\n");
	for (int i = 0; i < 62; i++) {
		char *more;

		assert_true(asprintf(&more, "%sdelays = 1000\n", text) > 0);
		free(text);
		text = more;
		vgic_profile_finish(&p);
		assert_int_equal(parse(text), i < 61 ? 0 : -EINVAL);
	}
	assert_non_null(strstr(e.text, "more than 64 delays"));
	free(text);
	vgic_profile_finish(&p);
}

static void too_many_recordings(void **state)
{
	memset(&p, 0, sizeof(p));
	for (unsigned int i = 0; i < VGIC_PROFILE_MAX_SOURCES; i++)
		assert_int_equal(vgic_profile_add_source(&p, i, "7.3", "a.vgr"), 0);
	assert_int_equal(vgic_profile_add_source(&p, 0, "7.3", "a.vgr"), -E2BIG);
	vgic_profile_finish(&p);
	vgic_profile_finish(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_profile_by_hand),	  cmocka_unit_test(there_and_back),
		cmocka_unit_test(lines_that_are_refused), cmocka_unit_test(the_line_is_named),
		cmocka_unit_test(texts_that_are_refused), cmocka_unit_test(too_many_recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
