/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands and their options, declared as tables. One table gives parsing,
 * validation, --help and completions.
 *
 * A letter means the same in every command:
 *   -d SECONDS  duration       -l RANGE  list registers   -q  quiet
 *   -f          force          -o FILE   output           -s N  seed
 *   -h          help           -p PID    process          -t DURATION  threshold
 *   -j          JSON           -n N      how many         -v  more
 *   -T N        threads        -P NAME  policy          -w WINDOW  window of time
 */
#ifndef VGICSIM_CLI_OPTIONS_H
#define VGICSIM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Type of the member that an option fills in the command's value structure. */
enum option_kind {
	OPT_NONE = 0, /* end of the table */
	OPT_FLAG,     /* bool */
	OPT_STRING,   /* const char *: any non-empty string */
	OPT_FILE,     /* const char *: a path, "-" allowed */
	OPT_NUMBER,   /* uint64_t: decimal or 0x; min to max */
	OPT_REAL,     /* double: min to max (as integers) */
	OPT_RANGE,    /* struct option_range: N or N-M; min to max */
	OPT_SIZE,     /* uint64_t bytes: N with K, M or G (powers of 1024); min to max bytes */
	OPT_DURATION, /* uint64_t ns: N with ns, us, ms, s, m or h; plain N is seconds; min, max ns
		       */
	OPT_PERCENT,  /* double: 0 to 100, with or without % */
	OPT_CHOICE,   /* const char *: one of choices */
	OPT_LIST,     /* struct option_list: any non-empty strings, may be given again */
};

struct option_range {
	uint64_t first, last;
};

#define OPTION_LIST_MAX 32u
struct option_list {
	const char *v[OPTION_LIST_MAX];
	size_t n;
};

struct option {
	char letter;	  /* 0: none */
	const char *name; /* without the dashes */
	enum option_kind kind;
	size_t offset;		    /* of the member: offsetof(struct x_values, member) */
	const char *arg;	    /* name of the argument in the help; NULL for a flag */
	const char *help;	    /* one line, no full stop */
	uint64_t min, max;	    /* both 0: no bounds */
	const char *const *choices; /* NULL-terminated, for OPT_CHOICE */
};

/* What is left of the command line once the options are taken. */
struct cli_args {
	int n; /* operands before "--" */
	char **v;
	int n_command;	/* words after "--" */
	char **command; /* NULL-terminated */
};

/*
 * A sub-command. Each cli/cmd_<name>.c defines one; cli/main.c lists them.
 *
 *	struct info_values { bool json; };
 *	static const struct option options[] = {
 *		{ 'j', "json", OPT_FLAG, offsetof(struct info_values, json),
 *		  .help = "print JSON" },
 *		{ 0 }
 *	};
 *	const struct command cmd_info = {
 *		.name = "info", .summary = "...", .usage = "[OPTIONS] FILE",
 *		.options = options, .values_size = sizeof(struct info_values),
 *		.min_args = 1, .max_args = 1, .examples = examples, .run = run };
 *
 * Every command also has -h, --help.
 */
struct command {
	const char *name;
	const char *summary;	      /* one line, no full stop */
	const char *usage;	      /* after "vgicsim NAME " */
	const struct option *options; /* ended by an entry of kind OPT_NONE; may be NULL */
	size_t values_size;
	const void *defaults;	     /* values before parsing; NULL: all zero */
	int min_args, max_args;	     /* operands; max_args -1: no limit */
	bool takes_command;	     /* words after "--" are allowed */
	bool reads_first;	     /* prints nothing before it has read its recording: that
					shows how far it is */
	const char *const *examples; /* command lines with a comment, NULL-terminated */
	const char *notes;	     /* a paragraph for --help; may be NULL */
	/* values: as filled by the parser. Returns one of enum vgicsim_exit. */
	int (*run)(const void *values, const struct cli_args *args);
};

/* main.c: every command of this build, in the order of 'vgicsim help'. */
const struct command *const *cli_commands(size_t *n);

/*
 * Parses argv[0..argc-1] (the words after the command's name) into values, which
 * the caller has set to the defaults. args->v points into a copy owned by args.
 * 0: go on; 1: help was printed; -EINVAL: one line was printed on standard error.
 */
int options_parse(const struct command *cmd, int argc, char **argv, void *values,
		  struct cli_args *args);
void cli_args_finish(struct cli_args *args);

/* --help of one command on standard output. */
void options_help(const struct command *cmd);

/* The parsers by themselves; all of text must be consumed. 0 or -EINVAL/-ERANGE. */
int parse_number(const char *text, uint64_t *value);
int parse_range(const char *text, struct option_range *range);
int parse_size(const char *text, uint64_t *bytes);
int parse_duration(const char *text, uint64_t *ns);
int parse_percent(const char *text, double *value);

#endif
