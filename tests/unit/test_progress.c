// SPDX-License-Identifier: GPL-2.0-only
/* What is said on the way, and how help is broken into lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "output.h"

#define SECOND UINT64_C(1000000000)

static void shares(void **state)
{
	static const struct {
		double share;
		uint64_t elapsed;
		const char *text;
	} cases[] = {
		{0, 0, "0 %"},
		{0.005, SECOND, "0 %"},
		{NAN, SECOND, "0 %"},
		{0.01, SECOND, "1 %, 1:39 left"},
		{0.25, 20 * SECOND, "25 %, 1:00 left"},
		{0.5, 3 * SECOND, "50 %, 0:03 left"},
		{0.999, SECOND, "100 %, 0:00 left"},
		{1, SECOND, "100 %, 0:00 left"},
		{7, SECOND, "100 %, 0:00 left"},
		{0.5, 3600 * SECOND, "50 %, 60:00 left"},
		{0.5, UINT64_MAX, "50 %"},
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(cli_format_share(buf, sizeof(buf), cases[i].share,
						     cases[i].elapsed),
				    cases[i].text);
}

static void wraps_to(unsigned int column, const char *text, const char *want)
{
	char *got;
	size_t size;
	FILE *f = open_memstream(&got, &size);

	assert_non_null(f);
	cli_print_wrapped(f, column, text);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
}

static void lines(void **state)
{
	char word[101], text[210];

	memset(word, 'w', 100);
	word[100] = 0;
	wraps_to(0, "", "\n");
	wraps_to(70, "of it", "of it\n");
	/* The 80th column is the last. */
	wraps_to(70, "one two 89 x",
		 "one two 89\n"
		 "                                    "
		 "                                  x\n");
	wraps_to(75, "one  two",
		 "one\n"
		 "                                        "
		 "                                   two\n");
	/* A word that fits nowhere is not broken. */
	snprintf(text, sizeof(text), "%s\n", word);
	wraps_to(2, word, text);
	snprintf(text, sizeof(text), "a\n  %s\n", word);
	snprintf(word, sizeof(word), "a %.98s", text + 4);
	text[4 + 98] = '\n';
	text[4 + 99] = 0;
	wraps_to(2, word, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
