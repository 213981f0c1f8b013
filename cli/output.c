// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "exit.h"
#include "output.h"

static const char *command_name;
static bool progress_shown;
static json_t *collected;    /* NULL: messages are printed */
static unsigned int threads; /* 0: not said */
static bool reading_shown;
static uint64_t reading_started; /* 0: it has not */

void cli_set_command(const char *name)
{
	command_name = name;
}

static void message(const char *kind, const char *format, va_list ap)
{
	/* One line at a time, whatever other threads have to say. */
	flockfile(stderr);
	if (collected) {
		char text[1024];

		vsnprintf(text, sizeof(text), format, ap);
		json_array_append_new(collected, cli_json_string(text));
		funlockfile(stderr);
		return;
	}
	cli_progress_end();
	/* What was printed before stays before it when both go to one place. */
	fflush(stdout);
	fprintf(stderr, "vgicsim%s%s: %s", command_name ? " " : "",
		command_name ? command_name : "", kind);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void cli_collect(json_t *list)
{
	collected = list;
}

/* Bytes of the UTF-8 sequence at s, 0 if it is none. Overlong ones and surrogates are none. */
static size_t sequence(const unsigned char *s)
{
	size_t n = *s < 0x80   ? 1
		   : *s < 0xc2 ? 0
		   : *s < 0xe0 ? 2
		   : *s < 0xf0 ? 3
		   : *s < 0xf5 ? 4
			       : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

json_t *cli_json_string(const char *text)
{
	char *clean = malloc(3 * strlen(text) + 1), *at = clean;
	json_t *s;
	size_t n;

	if (!clean)
		return NULL;
	for (; *text; text += n) {
		n = sequence((const unsigned char *)text);
		if (n) {
			memcpy(at, text, n);
			at += n;
		} else {
			n = 1;
			at = stpcpy(at, "\xef\xbf\xbd"); /* the replacement character */
		}
	}
	*at = '\0';
	s = json_string(clean);
	free(clean);
	return s;
}

int cli_fail(int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	message("", format, ap);
	va_end(ap);
	return code;
}

void cli_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	message("warning: ", format, ap);
	va_end(ap);
}

int cli_fail_recording(const char *path, const struct vgr_error *err)
{
	char where[64] = "";

	if (err->record)
		snprintf(where, sizeof(where), " at byte %" PRIu64 ", record %" PRIu64, err->offset,
			 err->record);
	else if (err->offset)
		snprintf(where, sizeof(where), " at byte %" PRIu64, err->offset);
	return cli_fail(EXIT_INPUT, "%s: %s%s%s%s", err->what, path, where,
			err->hint[0] ? ": " : "", err->hint);
}

void cli_set_threads(uint64_t n)
{
	threads = (unsigned int)n;
}

unsigned int cli_threads(void)
{
	cpu_set_t cpus;
	unsigned int n;

	if (threads)
		return threads;
	n = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : (unsigned int)CPU_COUNT(&cpus);
	/* More decode faster than any command can use what they decoded. */
	return n < 4 ? n : 4;
}

void cli_show_reading(void)
{
	reading_shown = isatty(STDERR_FILENO);
}

static void show_reading(void *ctx, uint64_t done, uint64_t size)
{
	uint64_t now = cli_clock();

	if (!reading_started)
		reading_started = now;
	if (done < size) {
		/* Most are read before one has looked. */
		if (now - reading_started > UINT64_C(500000000))
			cli_progress_share("reading", (double)done / (double)size, reading_started);
		return;
	}
	reading_started = 0;
	cli_progress_end();
}

struct vgr_reader *cli_open_recording(const char *path)
{
	const struct vgr_reader_opts opts = {.threads = cli_threads(),
					     .progress = reading_shown ? show_reading : NULL};
	struct vgr_reader *r;
	struct vgr_error err;

	if (vgr_reader_open(&r, path, &opts, &err)) {
		cli_fail_recording(path, &err);
		return NULL;
	}
	return r;
}

/* What a verdict rests on. Without one of them there is none. */
static const char *const grounds[] = {"vcpu", "flush", "sync"};

struct vgr_reader *cli_open_pairs(const char *path)
{
	struct vgr_reader *r = cli_open_recording(path);
	const struct vgr_header *h;
	size_t i;

	if (!r)
		return NULL;
	h = vgr_reader_header(r);
	for (i = 0; i < sizeof(grounds) / sizeof(grounds[0]); i++) {
		if (!vgr_lacks(h, grounds[i]))
			continue;
		cli_fail(EXIT_INPUT,
			 "it was made from a %s and lacks %s: %s: 'vgicsim info' tells what is in "
			 "it, "
			 "'vgicsim probes --trace-cmd' what to capture",
			 h->source, h->missing, path);
		vgr_reader_close(r);
		return NULL;
	}
	if (h->missing[0])
		cli_warn("made from a %s that does not show: %s: %s", h->source, h->missing, path);
	return r;
}

void cli_recording_ending(const char *path, const struct vgr_reader *r)
{
	struct vgr_position pos;

	vgr_reader_position(r, &pos);
	if (vgr_reader_ending(r) == VGR_END_UNFINISHED)
		cli_warn("the capture did not end properly: %s: read up to its last whole frame, "
			 "%" PRIu64 " records",
			 path, pos.record);
	else if (vgr_reader_ending(r) == VGR_END_CUT)
		cli_warn("the end of the file is missing: %s: read up to its last whole frame, "
			 "%" PRIu64 " records",
			 path, pos.record);
}

bool cli_color(FILE *f)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(f)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

void cli_progress(const char *format, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	flockfile(stderr);
	fputs("\r\033[K", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fflush(stderr);
	progress_shown = true;
	funlockfile(stderr);
}

void cli_progress_end(void)
{
	flockfile(stderr);
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
	funlockfile(stderr);
}

uint64_t cli_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

char *cli_format_share(char *buf, size_t size, double share, uint64_t elapsed_ns)
{
	double left;

	/* The first hundredth tells nothing of the others. */
	if (!(share >= 0.01)) {
		snprintf(buf, size, "0 %%");
		return buf;
	}
	share = share < 1 ? share : 1;
	left = (double)elapsed_ns / share * (1 - share) / 1e9 + 0.5;
	/* Nobody waits for a month. */
	if (left > 3e6)
		snprintf(buf, size, "%.0f %%", 100 * share);
	else
		snprintf(buf, size, "%.0f %%, %u:%02u left", 100 * share, (unsigned int)left / 60,
			 (unsigned int)left % 60);
	return buf;
}

void cli_progress_share(const char *what, double share, uint64_t started)
{
	/* Of several threads one more line may pass: it replaces the other. */
	static _Atomic uint64_t shown;
	uint64_t now = cli_clock();
	char buf[64];

	if (now - shown < UINT64_C(100000000))
		return;
	shown = now;
	cli_progress("%s: %s", what, cli_format_share(buf, sizeof(buf), share, now - started));
}

void cli_print_wrapped(FILE *f, unsigned int column, const char *text)
{
	unsigned int at = column;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (at > column && at + 1 + n > 80) {
			fprintf(f, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', f);
			at++;
		}
		fwrite(text, 1, n, f);
		at += (unsigned int)n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

int cli_print_json(FILE *f, json_t *value, bool line)
{
	int err;

	if (!value)
		return -ENOMEM;
	err = json_dumpf(value, f, line ? JSON_COMPACT : JSON_INDENT(2));
	json_decref(value);
	if (err || fputc('\n', f) == EOF)
		return -EIO;
	return 0;
}

int cli_finish_stdout(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	/* A reader that has seen enough (head) is no failure worth a message. */
	if (errno == EPIPE)
		return EXIT_OUTPUT;
	return cli_fail(EXIT_OUTPUT, "cannot write: standard output: %s",
			strerror(errno ? errno : EIO));
}

char *cli_format_ns(char *buf, size_t size, uint64_t ns)
{
	if (ns < 1000)
		snprintf(buf, size, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(buf, size, "%.2f us", (double)ns / 1e3);
	else if (ns < UINT64_C(1000000000))
		snprintf(buf, size, "%.2f ms", (double)ns / 1e6);
	else
		snprintf(buf, size, "%.3f s", (double)ns / 1e9);
	return buf;
}
