// SPDX-License-Identifier: GPL-2.0-only
/* What shells complete, from the tables that the parser goes by. */
#include <stdio.h>
#include <string.h>
#include "exit.h"
#include "options.h"
#include "output.h"

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static bool takes_value(const struct option *o)
{
	return o->kind != OPT_FLAG;
}

/* Its argument is a path: the shell knows those. */
static bool takes_path(const struct option *o)
{
	return o->kind == OPT_FILE ||
	       (o->arg && (!strcmp(o->arg, "FILE") || !strcmp(o->arg, "DIR")));
}

/* text between single quotes; zsh's _arguments reads brackets and colons besides. */
static void quoted(const char *text, bool zsh)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (zsh && strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void choices_of(const struct option *o)
{
	for (const char *const *c = o->choices; c && *c; c++)
		printf("%s%s", c == o->choices ? "" : " ", *c);
}

static const struct option *options_of(const struct command *cmd)
{
	static const struct option none[] = {{0}};

	return cmd->options ? cmd->options : none;
}

/* ---- bash ---- */

static void bash_words(const struct command *cmd)
{
	for (const struct option *o = options_of(cmd); o->kind; o++)
		printf("%s--%s", o == cmd->options ? "" : " ", o->name);
	fputs(cmd->options ? " --help" : "--help", stdout);
}

static void bash_command(const struct command *cmd)
{
	printf("\t%s)\n\t\twords='", cmd->name);
	bash_words(cmd);
	fputs("'\n\t\tcase $prev in\n", stdout);
	for (const struct option *o = options_of(cmd); o->kind; o++) {
		if (!takes_value(o))
			continue;
		fputs("\t\t", stdout);
		if (o->letter)
			printf("-%c | ", o->letter);
		printf("--%s) ", o->name);
		if (o->kind == OPT_CHOICE) {
			fputs("values='", stdout);
			choices_of(o);
			fputs("' ;;\n", stdout);
		} else {
			fputs(takes_path(o) ? "paths=1 ;;\n" : "free=1 ;;\n", stdout);
		}
	}
	fputs("\t\tesac ;;\n", stdout);
}

static void bash(const struct command *const *cmds, size_t n)
{
	fputs("# bash completion for vgicsim; written by 'vgicsim completion bash'\n"
	      "_vgicsim()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal words= values= paths= free= i\n\n"
	      "\tCOMPREPLY=()\n"
	      "\t# bash takes --name=value apart.\n"
	      "\tif [[ $cur == = ]]; then\n\t\tcur=\n"
	      "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '",
	      stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s ", cmds[i]->name);
	fputs("help --help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n"
	      "\t# Behind -- stands the command of somebody else.\n"
	      "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t[[ ${COMP_WORDS[i]} == -- ]] && return\n\tdone\n"
	      "\tcase ${COMP_WORDS[1]} in\n\thelp)\n\t\tvalues='",
	      stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? " " : "", cmds[i]->name);
	fputs("' ;;\n", stdout);
	for (size_t i = 0; i < n; i++)
		bash_command(cmds[i]);
	fputs("\t*) return ;;\n\tesac\n"
	      "\tif [[ $values ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
	      "\telif [[ $paths ]]; then\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	      "\telif [[ $free ]]; then\n\t\treturn\n"
	      "\telif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- "
	      "\"$cur\"))\n"
	      "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\tfi\n}\n"
	      "complete -o filenames -o bashdefault -F _vgicsim vgicsim\n",
	      stdout);
}

/* ---- zsh ---- */

static void zsh_option(const struct option *o)
{
	fputs(" \\\n\t\t\t", stdout);
	if (o->letter && o->kind != OPT_LIST)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
		       takes_value(o) ? "+" : "", o->name, takes_value(o) ? "=" : "");
	else
		printf("'%s--%s%s[", o->kind == OPT_LIST ? "*" : "", o->name,
		       takes_value(o) ? "=" : "");
	quoted(o->help, true);
	putchar(']');
	if (takes_value(o)) {
		putchar(':');
		quoted(o->arg ? o->arg : "value", true);
		putchar(':');
		if (o->kind == OPT_CHOICE) {
			putchar('(');
			choices_of(o);
			putchar(')');
		} else if (takes_path(o)) {
			fputs("_files", stdout);
		}
	}
	putchar('\'');
}

static void zsh(const struct command *const *cmds, size_t n)
{
	fputs("#compdef vgicsim\n# zsh completion; written by 'vgicsim completion zsh'\n"
	      "_vgicsim()\n{\n\tlocal -a commands\n\n\tcommands=(\n",
	      stdout);
	for (size_t i = 0; i < n; i++) {
		printf("\t\t'%s:", cmds[i]->name);
		quoted(cmds[i]->summary, true);
		fputs("'\n", stdout);
	}
	fputs("\t\t'help:explain a command'\n\t)\n"
	      "\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tlocal name=$words[2]\n\n"
	      "\tshift words\n\t((CURRENT--))\n\tcase $name in\n"
	      "\thelp)\n\t\t_describe command commands ;;\n",
	      stdout);
	for (size_t i = 0; i < n; i++) {
		printf("\t%s)\n\t\t_arguments -s", cmds[i]->name);
		for (const struct option *o = options_of(cmds[i]); o->kind; o++)
			zsh_option(o);
		fputs(" \\\n\t\t\t'(-h --help)'{-h,--help}'[print this help]'", stdout);
		if (cmds[i]->max_args)
			fputs(" \\\n\t\t\t'*:file:_files'", stdout);
		fputs(" ;;\n", stdout);
	}
	fputs("\tesac\n}\n_vgicsim \"$@\"\n", stdout);
}

/* ---- fish ---- */

static void fish_option(const struct command *cmd, const struct option *o)
{
	printf("complete -c vgicsim -n '__fish_seen_subcommand_from %s'", cmd->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	printf(" -l %s", o->name);
	if (o->kind == OPT_CHOICE) {
		fputs(" -x -a '", stdout);
		choices_of(o);
		putchar('\'');
	} else if (takes_value(o)) {
		fputs(takes_path(o) ? " -r -F" : " -x", stdout);
	}
	fputs(" -d '", stdout);
	quoted(o->help, false);
	fputs("'\n", stdout);
}

static void fish(const struct command *const *cmds, size_t n)
{
	fputs("# fish completion for vgicsim; written by 'vgicsim completion fish'\n", stdout);
	for (size_t i = 0; i < n; i++) {
		printf("complete -c vgicsim -n __fish_use_subcommand -f -a %s -d '", cmds[i]->name);
		quoted(cmds[i]->summary, false);
		fputs("'\n", stdout);
	}
	fputs("complete -c vgicsim -n __fish_use_subcommand -f -a help -d 'explain a command'\n",
	      stdout);
	for (size_t i = 0; i < n; i++) {
		for (const struct option *o = options_of(cmds[i]); o->kind; o++)
			fish_option(cmds[i], o);
		printf("complete -c vgicsim -n '__fish_seen_subcommand_from %s' -s h -l help -d "
		       "'print this help'\n",
		       cmds[i]->name);
	}
}

static int run(const void *values, const struct cli_args *args)
{
	static void (*const writers[])(const struct command *const *, size_t) = {bash, zsh, fish};
	const struct command *const *cmds;
	size_t n;

	cmds = cli_commands(&n);
	for (size_t i = 0; shells[i]; i++) {
		if (strcmp(args->v[0], shells[i]))
			continue;
		writers[i](cmds, n);
		return cli_finish_stdout();
	}
	return cli_fail(EXIT_USAGE, "no such shell: '%s': bash, zsh or fish", args->v[0]);
}

static const char *const examples[] = {
	"vgicsim completion bash >~/.local/share/bash-completion/completions/vgicsim",
	"vgicsim completion zsh >~/.zfunc/_vgicsim      # a folder in $fpath",
	"vgicsim completion fish >~/.config/fish/completions/vgicsim.fish",
	NULL,
};

const struct command cmd_completion = {
	.name = "completion",
	.summary = "Print what a shell needs to complete vgicsim's command lines",
	.usage = "[OPTIONS] bash|zsh|fish",
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
	.run = run,
};
