// SPDX-License-Identifier: GPL-2.0-only
/* What is said, and to whom: messages that are collected, text of any bytes in JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>
#include "exit.h"
#include "output.h"

static void becomes(const char *text, const char *wanted)
{
	json_t *s = cli_json_string(text);

	assert_non_null(s);
	assert_string_equal(json_string_value(s), wanted);
	json_decref(s);
}

static void test_valid_text_stays(void **state)
{
	(void)state;
	becomes("", "");
	becomes("run.vgr", "run.vgr");
	becomes("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	becomes("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
		"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

/* One mark for each byte that cannot be. */
static void test_other_bytes_are_marked(void **state)
{
#define MARK "\xef\xbf\xbd"
	(void)state;
	becomes("a\xff"
		"b",
		"a" MARK "b");
	becomes("\x80", MARK);
	becomes("\xc3", MARK);
	becomes("\xe2\x82", MARK MARK);
	becomes("\xc0\xaf", MARK MARK);		 /* overlong */
	becomes("\xe0\x9f\xbf", MARK MARK MARK); /* overlong */
	becomes("\xf0\x8f\xbf\xbf", MARK MARK MARK MARK);
	becomes("\xed\xa0\x80", MARK MARK MARK); /* a surrogate */
	becomes("\xf4\x90\x80\x80", MARK MARK MARK MARK);
	becomes("\xf5\x80\x80\x80", MARK MARK MARK MARK);
}

/* Whole lines, in order; the code is given back all the same. */
static void test_messages_are_collected(void **state)
{
	json_t *list = json_array();

	(void)state;
	cli_collect(list);
	assert_int_equal(cli_fail(EXIT_INPUT, "no such %s: %d", "thing", 7), EXIT_INPUT);
	cli_warn("%s", "bytes \xff");
	cli_collect(NULL);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "no such thing: 7");
	assert_string_equal(json_string_value(json_array_get(list, 1)), "bytes " MARK);
	json_decref(list);
}

/* And afterwards they are printed again, to standard error. */
static void test_then_printed_again(void **state)
{
	json_t *list = json_array();
	int ends[2], stderr_was = dup(STDERR_FILENO);
	char text[100] = "";

	(void)state;
	cli_collect(list);
	cli_collect(NULL);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	cli_warn("heard");
	fflush(stderr);
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	close(ends[1]);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	close(ends[0]);
	assert_non_null(strstr(text, "warning: heard\n"));
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_text_stays),
		cmocka_unit_test(test_other_bytes_are_marked),
		cmocka_unit_test(test_messages_are_collected),
		cmocka_unit_test(test_then_printed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
