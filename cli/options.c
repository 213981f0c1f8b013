// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"
#include "output.h"

/* Unsigned integer at the start of text; *end is what follows it. */
static int leading_number(const char *text, uint64_t *value, const char **end)
{
	char *rest;
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;

	/* strtoull takes blanks and signs; a command line should not. */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &rest, base);
	if (errno)
		return -ERANGE;
	if (rest == text || (base == 16 && rest == text + 1))
		return -EINVAL;
	*end = rest;
	return 0;
}

int parse_number(const char *text, uint64_t *value)
{
	const char *end;
	int err = leading_number(text, value, &end);

	return err ? err : *end ? -EINVAL : 0;
}

int parse_range(const char *text, struct option_range *range)
{
	const char *end;
	int err;

	err = leading_number(text, &range->first, &end);
	if (err)
		return err;
	range->last = range->first;
	if (*end == '-') {
		err = leading_number(end + 1, &range->last, &end);
		if (err)
			return err;
	}
	if (*end || range->last < range->first)
		return -EINVAL;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A number with decimals allowed and one of the units; base is that of no unit. */
static int parse_scaled(const char *text, const struct unit *units, uint64_t base, uint64_t *value)
{
	const char *end;
	uint64_t whole, part = 0, scale = 1;
	int err;

	err = leading_number(text, &whole, &end);
	if (err)
		return err;
	if (*end == '.') {
		if (!isdigit((unsigned char)*++end))
			return -EINVAL;
		for (; isdigit((unsigned char)*end); end++) {
			if (scale >= UINT64_C(1000000000))
				return -EINVAL;
			part = part * 10 + (uint64_t)(*end - '0');
			scale *= 10;
		}
	}
	if (*end) {
		while (units->name && strcmp(units->name, end))
			units++;
		if (!units->name)
			return -EINVAL;
		base = units->factor;
	}
	if (whole > UINT64_MAX / base)
		return -ERANGE;
	whole *= base;
	/* base <= 3600e9, part < 1e9: the product may need more than 64 bits. */
	part = (uint64_t)((unsigned __int128)part * base / scale);
	if (whole > UINT64_MAX - part)
		return -ERANGE;
	*value = whole + part;
	return 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {{"K", UINT64_C(1) << 10},	{"k", UINT64_C(1) << 10},
					    {"KiB", UINT64_C(1) << 10}, {"M", UINT64_C(1) << 20},
					    {"MiB", UINT64_C(1) << 20}, {"G", UINT64_C(1) << 30},
					    {"GiB", UINT64_C(1) << 30}, {0}};

	return parse_scaled(text, units, 1, bytes);
}

int parse_duration(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {{"ns", 1},
					    {"us", 1000},
					    {"ms", 1000000},
					    {"s", UINT64_C(1000000000)},
					    {"m", UINT64_C(60000000000)},
					    {"h", UINT64_C(3600000000000)},
					    {0}};

	return parse_scaled(text, units, UINT64_C(1000000000), ns);
}

static int parse_real(const char *text, double *value, const char **end)
{
	char *rest;

	if (!isdigit((unsigned char)text[0]) &&
	    !(text[0] == '-' && isdigit((unsigned char)text[1])))
		return -EINVAL;
	errno = 0;
	*value = strtod(text, &rest);
	if (errno)
		return -ERANGE;
	*end = rest;
	return 0;
}

int parse_percent(const char *text, double *value)
{
	const char *end;
	int err = parse_real(text, value, &end);

	if (err)
		return err;
	if (*end == '%')
		end++;
	if (*end)
		return -EINVAL;
	return *value < 0 || *value > 100 ? -ERANGE : 0;
}

static bool bounded(const struct option *o)
{
	return o->min || o->max;
}

/* What the option wants, for the message: "a number from 1 to 16". */
static void describe(const struct option *o, char *buf, size_t size)
{
	static const char *const nouns[] = {
		[OPT_STRING] = "a word",
		[OPT_FILE] = "a file name",
		[OPT_NUMBER] = "a number",
		[OPT_REAL] = "a number",
		[OPT_RANGE] = "a number or a range like 2-8",
		[OPT_SIZE] = "a size like 64M",
		[OPT_DURATION] = "a time like 500ms or 10s",
		[OPT_PERCENT] = "a percentage from 0 to 100",
		[OPT_CHOICE] = "one of",
		[OPT_LIST] = "a text, at most 32 times",
	};
	const char *const *c;
	char lo[32], hi[32];
	size_t n;

	n = (size_t)snprintf(buf, size, "%s", nouns[o->kind]);
	if (o->kind == OPT_CHOICE) {
		for (c = o->choices; *c && n < size; c++)
			n += (size_t)snprintf(buf + n, size - n, " %s", *c);
	} else if (o->kind == OPT_DURATION && bounded(o)) {
		snprintf(buf + n, size - n, ", from %s to %s",
			 cli_format_ns(lo, sizeof(lo), o->min),
			 cli_format_ns(hi, sizeof(hi), o->max));
	} else if (bounded(o) && (o->kind == OPT_NUMBER || o->kind == OPT_REAL ||
				  o->kind == OPT_RANGE || o->kind == OPT_SIZE)) {
		if (o->max == UINT64_MAX)
			snprintf(buf + n, size - n, " of at least %" PRIu64, o->min);
		else
			snprintf(buf + n, size - n, " from %" PRIu64 " to %" PRIu64, o->min,
				 o->max);
	}
}

static int within(const struct option *o, uint64_t v)
{
	return !bounded(o) || (v >= o->min && v <= o->max) ? 0 : -ERANGE;
}

/* Text into the option's member of values. */
static int set_value(const struct option *o, const char *text, void *values)
{
	char *at = (char *)values + o->offset;
	const char *const *c;
	struct option_range range;
	const char *end;
	uint64_t n;
	double d;
	int err;

	switch (o->kind) {
	case OPT_STRING:
	case OPT_FILE:
		if (!*text)
			return -EINVAL;
		memcpy(at, &text, sizeof(text));
		return 0;
	case OPT_LIST: {
		struct option_list list;

		memcpy(&list, at, sizeof(list));
		if (!*text || list.n == OPTION_LIST_MAX)
			return -EINVAL;
		list.v[list.n++] = text;
		memcpy(at, &list, sizeof(list));
		return 0;
	}
	case OPT_CHOICE:
		for (c = o->choices; *c; c++) {
			if (!strcmp(*c, text)) {
				memcpy(at, c, sizeof(*c));
				return 0;
			}
		}
		return -EINVAL;
	case OPT_RANGE:
		err = parse_range(text, &range);
		if (!err)
			err = within(o, range.first);
		if (!err)
			err = within(o, range.last);
		if (!err)
			memcpy(at, &range, sizeof(range));
		return err;
	case OPT_REAL:
	case OPT_PERCENT:
		if (o->kind == OPT_PERCENT) {
			err = parse_percent(text, &d);
		} else {
			err = parse_real(text, &d, &end);
			if (!err && *end)
				err = -EINVAL;
			if (!err && bounded(o) && (d < (double)o->min || d > (double)o->max))
				err = -ERANGE;
		}
		if (!err)
			memcpy(at, &d, sizeof(d));
		return err;
	case OPT_NUMBER:
		err = parse_number(text, &n);
		break;
	case OPT_SIZE:
		err = parse_size(text, &n);
		break;
	case OPT_DURATION:
		err = parse_duration(text, &n);
		break;
	default:
		return -EINVAL;
	}
	if (!err)
		err = within(o, n);
	if (!err)
		memcpy(at, &n, sizeof(n));
	return err;
}

static const struct option *find_long(const struct option *o, const char *name, size_t len)
{
	for (; o && o->kind != OPT_NONE; o++) {
		if (o->name && strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	}
	return NULL;
}

static const struct option *find_letter(const struct option *o, char letter)
{
	for (; o && o->kind != OPT_NONE; o++) {
		if (o->letter && o->letter == letter)
			return o;
	}
	return NULL;
}

static int bad_value(const struct command *cmd, const char *shown, const struct option *o,
		     const char *text)
{
	char wants[256];

	describe(o, wants, sizeof(wants));
	cli_fail(0, "bad value '%s': %s: give %s", text, shown, wants);
	return -EINVAL;
}

static int missing_value(const char *shown, const struct option *o)
{
	char wants[256];

	describe(o, wants, sizeof(wants));
	cli_fail(0, "no value: %s: give %s", shown, wants);
	return -EINVAL;
}

static int unknown(const struct command *cmd, const char *shown)
{
	cli_fail(0, "no such option: %s: see 'vgicsim %s --help'", shown, cmd->name);
	return -EINVAL;
}

/* One word that begins with "--". *i is moved over a value in the next word. */
static int parse_long(const struct command *cmd, int argc, char **argv, int *i, void *values)
{
	const char *word = argv[*i] + 2, *equals = strchr(word, '='), *text;
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *o;
	char shown[80];

	snprintf(shown, sizeof(shown), "--%.*s", (int)(len > 64 ? 64 : len), word);
	if (len == 4 && !memcmp(word, "help", 4) && !equals) {
		options_help(cmd);
		return 1;
	}
	o = find_long(cmd->options, word, len);
	if (!o)
		return unknown(cmd, shown);
	if (o->kind == OPT_FLAG) {
		if (equals) {
			cli_fail(0, "takes no value: %s: leave out '%s'", shown, equals);
			return -EINVAL;
		}
		*((bool *)((char *)values + o->offset)) = true;
		return 0;
	}
	if (!equals && *i + 1 == argc)
		return missing_value(shown, o);
	text = equals ? equals + 1 : argv[++*i];
	return set_value(o, text, values) ? bad_value(cmd, shown, o, text) : 0;
}

/* One word of letters: flags together, the last may take a value: -qo FILE, -qoFILE. */
static int parse_letters(const struct command *cmd, int argc, char **argv, int *i, void *values)
{
	const char *p = argv[*i] + 1, *text;
	const struct option *o;
	char shown[8];

	for (; *p; p++) {
		snprintf(shown, sizeof(shown), "-%c", isprint((unsigned char)*p) ? *p : '?');
		if (*p == 'h') {
			options_help(cmd);
			return 1;
		}
		o = find_letter(cmd->options, *p);
		if (!o)
			return unknown(cmd, shown);
		if (o->kind == OPT_FLAG) {
			*((bool *)((char *)values + o->offset)) = true;
			continue;
		}
		if (!p[1] && *i + 1 == argc)
			return missing_value(shown, o);
		text = p[1] ? p + 1 : argv[++*i];
		return set_value(o, text, values) ? bad_value(cmd, shown, o, text) : 0;
	}
	return 0;
}

static int check_operands(const struct command *cmd, const struct cli_args *args)
{
	if (args->n < cmd->min_args) {
		cli_fail(0, "too few operands: %d given: usage: vgicsim %s %s", args->n, cmd->name,
			 cmd->usage);
		return -EINVAL;
	}
	if (cmd->max_args >= 0 && args->n > cmd->max_args) {
		cli_fail(0, "too many operands: '%s': usage: vgicsim %s %s", args->v[cmd->max_args],
			 cmd->name, cmd->usage);
		return -EINVAL;
	}
	return 0;
}

int options_parse(const struct command *cmd, int argc, char **argv, void *values,
		  struct cli_args *args)
{
	int i, err = 0;

	memset(args, 0, sizeof(*args));
	args->v = calloc((size_t)argc + 1, sizeof(*args->v));
	if (!args->v) {
		cli_fail(0, "not enough memory");
		return -EINVAL;
	}
	for (i = 0; i < argc && !err; i++) {
		if (!strcmp(argv[i], "--")) {
			if (!cmd->takes_command) {
				while (++i < argc)
					args->v[args->n++] = argv[i];
				break;
			}
			args->command = argv + i + 1;
			args->n_command = argc - i - 1;
			if (!args->n_command) {
				cli_fail(0, "no command: after '--': give one, or leave out '--'");
				err = -EINVAL;
			}
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			args->v[args->n++] = argv[i];
		else if (argv[i][1] == '-')
			err = parse_long(cmd, argc, argv, &i, values);
		else
			err = parse_letters(cmd, argc, argv, &i, values);
	}
	if (!err)
		err = check_operands(cmd, args);
	if (err)
		cli_args_finish(args);
	return err;
}

void cli_args_finish(struct cli_args *args)
{
	free(args->v);
	memset(args, 0, sizeof(*args));
}

/* Where the texts of options begin, so that there is room for them in 80 columns. */
#define HELP_COLUMN 32

static void help_option(const struct option *o)
{
	char left[64], bounds[64] = "", text[1024];
	size_t n = 0;

	if (o->letter)
		n += (size_t)snprintf(left, sizeof(left), "  -%c", o->letter);
	else
		n += (size_t)snprintf(left, sizeof(left), "    ");
	if (o->name)
		n += (size_t)snprintf(left + n, sizeof(left) - n, "%s --%s", o->letter ? "," : " ",
				      o->name);
	if (o->arg)
		snprintf(left + n, sizeof(left) - n, o->name ? "=%s" : " %s", o->arg);
	if ((o->kind == OPT_NUMBER || o->kind == OPT_RANGE) && bounded(o) && o->max < UINT32_MAX)
		snprintf(bounds, sizeof(bounds), " (%" PRIu64 " to %" PRIu64 ")", o->min, o->max);
	snprintf(text, sizeof(text), "%s%s", o->help, bounds);
	printf("%-*s", HELP_COLUMN, left);
	/* One that is too long has its line to itself. */
	if (strlen(left) > HELP_COLUMN - 2)
		printf("\n%*s", HELP_COLUMN, "");
	cli_print_wrapped(stdout, HELP_COLUMN, text);
	if (o->kind == OPT_CHOICE) {
		const char *const *c;

		n = (size_t)snprintf(text, sizeof(text), "one of:");
		for (c = o->choices; *c && n < sizeof(text); c++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", *c);
		printf("%*s", HELP_COLUMN, "");
		cli_print_wrapped(stdout, HELP_COLUMN, text);
	}
}

void options_help(const struct command *cmd)
{
	const struct option *o;
	const char *const *e;
	char summary[256];

	printf("usage: vgicsim %s %s\n\n", cmd->name, cmd->usage);
	snprintf(summary, sizeof(summary), "%s.", cmd->summary);
	cli_print_wrapped(stdout, 0, summary);
	printf("\noptions:\n");
	for (o = cmd->options; o && o->kind != OPT_NONE; o++)
		help_option(o);
	printf("%-30s  %s\n", "  -h, --help", "this help");
	if (cmd->notes)
		printf("\n%s\n", cmd->notes);
	if (cmd->examples) {
		printf("\nexamples:\n");
		for (e = cmd->examples; *e; e++)
			printf("  %s\n", *e);
	}
}
