// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exit.h"
#include "options.h"
#include "output.h"

/* commands.h has one COMMAND(name) for each name in cli/meson.build, in that order. */
#define COMMAND(name) extern const struct command cmd_##name;
#include "commands.h"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &cmd_##name,
#include "commands.h"
#undef COMMAND
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct command *const *cli_commands(size_t *n)
{
	*n = NR_COMMANDS;
	return commands;
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static void help(FILE *f)
{
	size_t i;

	fprintf(f,
		"usage: vgicsim COMMAND [OPTIONS] ...\n\n"
		"Records what a KVM/arm64 host does with its guests' interrupts, checks it, and\n"
		"replays it with other numbers of list registers.\n\ncommands:\n");
	for (i = 0; i < NR_COMMANDS; i++) {
		fprintf(f, "  %-10s ", commands[i]->name);
		cli_print_wrapped(f, 13, commands[i]->summary);
	}
	fprintf(f, "  %-10s %s\n\n", "help", "Explain a command");
	fprintf(f,
		"vgicsim COMMAND --help lists the options, man vgicsim-COMMAND tells the rest.\n");
}

/* Commands that some builds have not, and the option of the build that brings them. */
static const struct {
	const char *name, *option;
} optional[] = {
	{"doctor", "bpf"},
	{"probes", "bpf"},
	{"record", "bpf"},
	{"import", "import"},
};

static int no_such_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		if (!strcmp(optional[i].name, name))
			return cli_fail(
				EXIT_USAGE,
				"%s: is not in this build: use one configured with -D%s=enabled",
				name, optional[i].option);
	}
	return cli_fail(EXIT_USAGE, "no such command: '%s': see 'vgicsim help'", name);
}

static int cmd_help(int argc, char **argv)
{
	const struct command *cmd;

	if (!argc) {
		help(stdout);
	} else {
		cmd = find_command(argv[0]);
		if (!cmd)
			return no_such_command(argv[0]);
		options_help(cmd);
	}
	return cli_finish_stdout();
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct cli_args args;
	void *values;
	int ret;

	cli_set_command(cmd->name);
	values = calloc(1, cmd->values_size ? cmd->values_size : 1);
	if (!values)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	if (cmd->defaults)
		memcpy(values, cmd->defaults, cmd->values_size);
	ret = options_parse(cmd, argc, argv, values, &args);
	if (ret) {
		free(values);
		return ret > 0 ? cli_finish_stdout() : EXIT_USAGE;
	}
	if (cmd->reads_first)
		cli_show_reading();
	ret = cmd->run(values, &args);
	cli_progress_end();
	cli_args_finish(&args);
	free(values);
	return ret;
}

int main(int argc, char **argv)
{
	const struct command *cmd;
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("vgicsim %s\n", VGICSIM_VERSION);
		return cli_finish_stdout();
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
		return cmd_help(argc - 2, argv + 2);
	cmd = find_command(word);
	if (!cmd)
		return no_such_command(word);
	return run(cmd, argc - 2, argv + 2);
}
