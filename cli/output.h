/* SPDX-License-Identifier: GPL-2.0-only */
/* What every command prints the same way: errors, progress, colour, JSON. */
#ifndef VGICSIM_CLI_OUTPUT_H
#define VGICSIM_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <jansson.h>
#include <vgicsim/recording.h>

/* Set once by main(): the name that stands in front of messages. */
void cli_set_command(const char *name);

/*
 * One line on standard error, "vgicsim CMD: " in front; the text reads
 * "what: where: what to do". Gives code back, for return cli_fail(EXIT_INPUT, ...).
 */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * From now on such lines, without what stands in front of them, are appended to this list and
 * not printed; NULL: printed again.
 */
void cli_collect(json_t *list);

/* Of any bytes: what is no UTF-8 becomes U+FFFD. */
json_t *cli_json_string(const char *text);

/* The line for a recording that could not be read; gives EXIT_INPUT. */
int cli_fail_recording(const char *path, const struct vgr_error *err);

/*
 * Threads that decode a recording: what -T says, or as many as there are CPUs, at most 4.
 * 0 takes back what was said.
 */
#define THREADS_OPTION(offset)                                                             \
	{                                                                                  \
		'T', "threads", OPT_NUMBER, offset, "N",                                   \
			"decode with N threads (as many as there are CPUs, at most 4)", 1, \
			VGR_MAX_THREADS, NULL                                              \
	}
void cli_set_threads(uint64_t n);
unsigned int cli_threads(void);

/*
 * Opens a recording; prints the line and gives NULL if it cannot. A warning says
 * at the end (cli_recording_ending) if the file was cut or never finished.
 */
struct vgr_reader *cli_open_recording(const char *path);
/* The same for what rests on flushes and syncs: refuses a recording that lacks them. */
struct vgr_reader *cli_open_pairs(const char *path);
void cli_recording_ending(const char *path, const struct vgr_reader *r);

/* Colour: standard output is a terminal, NO_COLOR is unset or empty, TERM is not "dumb". */
bool cli_color(FILE *f);
#define CLI_BOLD   "\033[1m"
#define CLI_RED	   "\033[31m"
#define CLI_GREEN  "\033[32m"
#define CLI_YELLOW "\033[33m"
#define CLI_RESET  "\033[0m"

/* A line that replaces itself, on standard error, only if that is a terminal. */
void cli_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_progress_end(void);

/*
 * The same with how much is done and how long the rest takes, as far as that can be told:
 * what is left takes as long for its share as what is done. At most ten times a second.
 * share: 0 to 1; started: cli_clock() when it began.
 */
void cli_progress_share(const char *what, double share, uint64_t started);
uint64_t cli_clock(void); /* ns */

/* "43 %, 0:12 left", or only what is done while nothing can be told. Gives buf. */
char *cli_format_share(char *buf, size_t size, double share, uint64_t elapsed_ns);

/*
 * From now on, reading a recording shows how far it is, if that takes longer than half a
 * second. For commands that print nothing before they have read it.
 */
void cli_show_reading(void);

/* Words of a help text, in lines of 80 characters that begin at column; the first stands there. */
void cli_print_wrapped(FILE *f, unsigned int column, const char *text);

/* value as indented (or, with line, one-line) JSON and a newline; takes the reference. */
int cli_print_json(FILE *f, json_t *value, bool line);

/* Flushes standard output and says whether everything arrived: EXIT_OK or EXIT_OUTPUT. */
int cli_finish_stdout(void);

/* 1.234 s, 12.3 us ... into buf; gives buf. */
char *cli_format_ns(char *buf, size_t size, uint64_t ns);

#endif
