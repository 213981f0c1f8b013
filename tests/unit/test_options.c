// SPDX-License-Identifier: GPL-2.0-only
/* Command lines: what the tables accept, what they refuse, where values end up. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "options.h"
#include "output.h"

struct values {
	bool flag, json;
	const char *file, *choice;
	uint64_t number, size, time;
	double real, percent;
	struct option_range lrs;
	struct option_list list;
};

static const char *const colours[] = {"red", "green", NULL};

#define AT(member) offsetof(struct values, member)

static const struct option options[] = {
	{'f', "force", OPT_FLAG, AT(flag), NULL, "force it", 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{'o', "output", OPT_FILE, AT(file), "FILE", "where to", 0, 0, NULL},
	{0, "colour", OPT_CHOICE, AT(choice), "NAME", "which", 0, 0, colours},
	{'n', "number", OPT_NUMBER, AT(number), "N", "how many", 1, 16, NULL},
	{'z', "size", OPT_SIZE, AT(size), "SIZE", "how big", 4096, 1 << 30, NULL},
	{'d', "time", OPT_DURATION, AT(time), "TIME", "how long", 0, 0, NULL},
	{0, "real", OPT_REAL, AT(real), "X", "how much", 0, 10, NULL},
	{0, "percent", OPT_PERCENT, AT(percent), "P", "which part", 0, 0, NULL},
	{'l', "lrs", OPT_RANGE, AT(lrs), "RANGE", "list registers", 1, 16, NULL},
	{0, "want", OPT_LIST, AT(list), "TEXT", "one more", 0, 0, NULL},
	{0},
};

static const struct command plain = {
	.name = "plain",
	.summary = "Do it",
	.usage = "[OPTIONS] FILE...",
	.options = options,
	.values_size = sizeof(struct values),
	.min_args = 1,
	.max_args = 2,
};

static const struct command starter = {
	.name = "starter",
	.summary = "Start it",
	.usage = "[OPTIONS] -- COMMAND",
	.options = options,
	.values_size = sizeof(struct values),
	.max_args = 0,
	.takes_command = true,
};

static struct values v;
static struct cli_args args;

/* Parses words separated by blanks; messages go nowhere. */
static int parse(const struct command *cmd, const char *line)
{
	static char copy[512];
	static char *argv[64];
	int argc = 0, err, keep_out, keep_err, null;
	char *word;

	strcpy(copy, line);
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	memset(&v, 0, sizeof(v));
	cli_args_finish(&args);
	fflush(stdout);
	null = open("/dev/null", O_WRONLY);
	keep_out = dup(1);
	keep_err = dup(2);
	dup2(null, 1);
	dup2(null, 2);
	err = options_parse(cmd, argc, argv, &v, &args);
	fflush(stdout);
	dup2(keep_out, 1);
	dup2(keep_err, 2);
	close(null);
	close(keep_out);
	close(keep_err);
	return err;
}

static void every_kind(void **state)
{
	assert_int_equal(parse(&plain, "-f --json -o out --colour=green -n 16 -z 64K -d 500ms "
				       "--real 2.5 --percent 0.5% --lrs 1-16 in"),
			 0);
	assert_true(v.flag && v.json);
	assert_string_equal(v.file, "out");
	assert_string_equal(v.choice, "green");
	assert_int_equal(v.number, 16);
	assert_int_equal(v.size, 65536);
	assert_int_equal(v.time, 500000000);
	assert_true(v.real == 2.5 && v.percent == 0.5);
	assert_int_equal(v.lrs.first, 1);
	assert_int_equal(v.lrs.last, 16);
	assert_int_equal(args.n, 1);
	assert_string_equal(args.v[0], "in");
}

static void given_again(void **state)
{
	char many[512] = "a";

	assert_int_equal(parse(&plain, "--want one a --want=two"), 0);
	assert_int_equal(v.list.n, 2);
	assert_string_equal(v.list.v[0], "one");
	assert_string_equal(v.list.v[1], "two");
	assert_int_equal(parse(&plain, "--want= a"), -EINVAL);
	for (unsigned int i = 0; i < OPTION_LIST_MAX; i++)
		strcat(many, " --want=1");
	assert_int_equal(parse(&plain, many), 0);
	assert_int_equal(v.list.n, OPTION_LIST_MAX);
	/* The next one has no room. */
	strcat(many, " --want=1");
	assert_int_equal(parse(&plain, many), -EINVAL);
}

static void spellings(void **state)
{
	assert_int_equal(parse(&plain, "a -fj b"), 0);
	assert_true(v.flag && v.json);
	assert_int_equal(args.n, 2);
	assert_int_equal(parse(&plain, "-fofile a"), 0);
	assert_true(v.flag);
	assert_string_equal(v.file, "file");
	assert_int_equal(parse(&plain, "-fo file a"), 0);
	assert_string_equal(v.file, "file");
	assert_int_equal(parse(&plain, "--output file -"), 0);
	assert_string_equal(v.file, "file");
	assert_string_equal(args.v[0], "-");
	assert_int_equal(parse(&plain, "-o - a"), 0);
	assert_string_equal(v.file, "-");
	assert_int_equal(parse(&plain, "-- -f a"), 0);
	assert_false(v.flag);
	assert_int_equal(args.n, 2);
	assert_string_equal(args.v[0], "-f");
}

static void refused(void **state)
{
	static const char *const lines[] = {
		"",
		"a b c",
		"-x a",
		"--nothing a",
		"--forc a",
		"--force=1 a",
		"-n a",
		"-n 0 a",
		"-n 17 a",
		"-n 1x a",
		"-n -1 a",
		"-n +1 a",
		"-n 18446744073709551616 a",
		"-n 0x a",
		"-l 0 a",
		"-l 1-17 a",
		"-l 4-2 a",
		"-l 1- a",
		"-l -4 a",
		"-l 1-2-3 a",
		"-z 4095 a",
		"-z 2G a",
		"-z 1X a",
		"-z 99999999999999G a",
		"-d 1y a",
		"-d .5 a",
		"-d 1. a",
		"--real 11 a",
		"--real x a",
		"--real inf a",
		"--percent 101 a",
		"--percent -1 a",
		"--colour blue a",
		"--colour a",
		"--output= a",
		"a -o",
		"a --output",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(&plain, lines[i]) != -EINVAL)
			fail_msg("accepted: %s", lines[i]);
	}
}

static void commands_after_dashes(void **state)
{
	assert_int_equal(parse(&starter, "-f -- prog -o x --help"), 0);
	assert_true(v.flag);
	assert_null(v.file);
	assert_int_equal(args.n, 0);
	assert_int_equal(args.n_command, 4);
	assert_string_equal(args.command[0], "prog");
	assert_null(args.command[4]);
	assert_int_equal(parse(&starter, "-f"), 0);
	assert_null(args.command);
	assert_int_equal(parse(&starter, "--"), -EINVAL);
	assert_int_equal(parse(&starter, "prog"), -EINVAL);
}

static void asks_for_help(void **state)
{
	assert_int_equal(parse(&plain, "--help"), 1);
	assert_int_equal(parse(&plain, "-h"), 1);
	assert_int_equal(parse(&plain, "-fh"), 1);
	assert_int_equal(parse(&plain, "-n 3 --help"), 1);
	assert_int_equal(parse(&plain, "--help=x a"), -EINVAL);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
		int err;
	} times[] = {
		{"0", 0, 0},
		{"10", 10000000000u, 0},
		{"1.5s", 1500000000, 0},
		{"1ns", 1, 0},
		{"2.5us", 2500, 0},
		{"2m", 120000000000u, 0},
		{"1h", 3600000000000u, 0},
		{"0.000000001", 1, 0},
		{"0.0000000001", 0, -EINVAL},
		{"5124095h", 0, 0},
		{"99999999999999999999", 0, -ERANGE},
		{"9999999999999h", 0, -ERANGE},
		{" 1", 0, -EINVAL},
		{"1 s", 0, -EINVAL},
		{"", 0, -EINVAL},
	};
	uint64_t n;
	size_t i;
	int err;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		err = parse_duration(times[i].text, &n);
		if (err != times[i].err || (!err && times[i].ns && n != times[i].ns))
			fail_msg("%s: %d, %llu", times[i].text, err, (unsigned long long)n);
	}
	assert_int_equal(parse_number("0x1F", &n), 0);
	assert_int_equal(n, 31);
	assert_int_equal(parse_number("18446744073709551615", &n), 0);
	assert_int_equal(n, UINT64_MAX);
	assert_int_equal(parse_size("1.5K", &n), 0);
	assert_int_equal(n, 1536);
	assert_int_equal(parse_size("2MiB", &n), 0);
	assert_int_equal(n, 2 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(given_again),
		cmocka_unit_test(spellings),
		cmocka_unit_test(refused),
		cmocka_unit_test(commands_after_dashes),
		cmocka_unit_test(asks_for_help),
		cmocka_unit_test(numbers),
	};
	int ret = cmocka_run_group_tests(tests, NULL, NULL);

	cli_args_finish(&args);
	return ret;
}
