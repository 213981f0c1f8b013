// SPDX-License-Identifier: GPL-2.0-only
/* Demands on a latency: what is understood, what is refused and why. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "slo.h"

static void understands(const char *text, const char *name, double p, enum vgic_latency latency,
			bool or_equal, uint64_t ns)
{
	struct slo slo;
	const char *why;

	if (slo_parse(text, &slo, &why))
		fail_msg("'%s': %s", text, why);
	assert_string_equal(slo.name, name);
	assert_true(slo.p > p - 1e-12 && slo.p < p + 1e-12);
	assert_int_equal(slo.latency, latency);
	assert_int_equal(slo.or_equal, or_equal);
	assert_int_equal(slo.limit_ns, ns);
}

static void test_grammar(void **state)
{
	understands("p99(raise-to-ack) < 20us", "p99(raise-to-ack)", 0.99,
		    VGIC_LATENCY_RAISE_TO_ACK, false, 20000);
	understands("p99.9(raise-to-lr)<=1ms", "p99.9(raise-to-lr)", 0.999,
		    VGIC_LATENCY_RAISE_TO_LR, true, 1000000);
	understands(" p50 ( raise-to-deactivate )<1.5s ", "p50(raise-to-deactivate)", 0.5,
		    VGIC_LATENCY_RAISE_TO_DEACTIVATE, false, 1500000000);
	understands("p0.01(ack-to-eoi)\t<\t3ns", "p0.01(ack-to-eoi)", 0.0001,
		    VGIC_LATENCY_ACK_TO_EOI, false, 3);
	understands("p99.9999(ack-to-eoi)<1m", "p99.9999(ack-to-eoi)", 0.999999,
		    VGIC_LATENCY_ACK_TO_EOI, false, 60000000000);
}

static void refuses(const char *text, const char *why_has)
{
	struct slo slo;
	const char *why = NULL;

	if (slo_parse(text, &slo, &why) != -EINVAL)
		fail_msg("'%s' was understood", text);
	if (!strstr(why, why_has))
		fail_msg("'%s': '%s' says nothing of '%s'", text, why, why_has);
}

static void test_refusals(void **state)
{
	refuses("", "percentile");
	refuses("99(raise-to-ack) < 20us", "percentile");
	refuses("p(raise-to-ack) < 20us", "percentile");
	refuses("p0(raise-to-ack) < 20us", "percentile");
	refuses("p100(raise-to-ack) < 20us", "percentile");
	refuses("p99.(raise-to-ack) < 20us", "percentile");
	refuses("p-1(raise-to-ack) < 20us", "percentile");
	refuses("p1000(raise-to-ack) < 20us", "percentile");
	refuses("p99.99999(raise-to-ack) < 20us", "behind the percentile");
	refuses("p99", "behind the percentile");
	refuses("p99 raise-to-ack < 20us", "behind the percentile");
	refuses("p99(raise-to-eoi) < 20us", "behind the percentile");
	refuses("p99(raise-to-ack < 20us", "behind the percentile");
	refuses("p99(raise-to-ack)", "< or <=");
	refuses("p99(raise-to-ack) > 20us", "< or <=");
	refuses("p99(raise-to-ack) = 20us", "< or <=");
	refuses("p99(raise-to-ack) <", "time");
	refuses("p99(raise-to-ack) < 20", "time");
	refuses("p99(raise-to-ack) < 0us", "time");
	refuses("p99(raise-to-ack) < -1us", "time");
	refuses("p99(raise-to-ack) < 20 us", "time");
	refuses("p99(raise-to-ack) < 20us and more", "time");
	refuses("p99(raise-to-ack) < 99999999999999999999s", "time");
}

static void test_limit(void **state)
{
	struct slo below = {.limit_ns = 20}, up_to = {.limit_ns = 20, .or_equal = true};

	assert_true(slo_allows(&below, 19));
	assert_false(slo_allows(&below, 20));
	assert_true(slo_allows(&up_to, 20));
	assert_false(slo_allows(&up_to, 21));
}

static uint32_t random32(uint64_t *rng)
{
	*rng = *rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*rng >> 33);
}

/*
 * Texts near the grammar: refused with a reason, or what was understood says the same once
 * more when it is written down.
 */
static void test_random_texts(void **state)
{
	/* What may stand at each place; the first three are right. */
	static const char *const words[][6] = {
		{"p99", "p5", " p99.9", "p", "99", "p100"},
		{"(", " (", "( ", "", "[", "(("},
		{"raise-to-ack", "raise-to-lr", "ack-to-eoi", "ack", "", "raise-to-"},
		{")", " )", ") ", "", "]", "))"},
		{"<", "<=", " <\t", ">", "", "=<"},
		{"20", "1.5", "0.001", "-1", "", "99999999999999999999"},
		{"us", "ms", "s ", "", "years", "us;"},
	};
	const size_t n = sizeof(words) / sizeof(words[0]);
	unsigned int understood = 0, refused = 0;
	uint64_t rng = 3;

	for (unsigned int round = 0; round < 20000; round++) {
		char text[256] = "", again[128];
		const char *why = NULL;
		struct slo a, b;

		for (size_t k = 0; k < n; k++) {
			uint32_t r = random32(&rng);

			strcat(text, words[k][r % 8 ? r / 8 % 3 : r / 8 % 6]);
		}
		if (slo_parse(text, &a, &why)) {
			assert_non_null(why);
			refused++;
			continue;
		}
		understood++;
		assert_true(a.p > 0 && a.p < 1 && a.limit_ns);
		snprintf(again, sizeof(again), "%s%s%lluns", a.name, a.or_equal ? "<=" : "<",
			 (unsigned long long)a.limit_ns);
		assert_int_equal(slo_parse(again, &b, &why), 0);
		assert_memory_equal(&a, &b, sizeof(a));
	}
	assert_true(understood > 1000 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_random_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
