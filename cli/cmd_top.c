// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "stat_live.h"
#include "top_screen.h"

#define NS_PER_S       1000000000ull
/* A line of what stat prints is a few KiB long. */
#define LINE_MAX_BYTES (1u << 20)

struct top_values {
	struct stat_live_opts live;
	const char *input, *sort;
};

static const struct top_values defaults = {
	.live = {.vcpus = STAT_DEFAULT_VCPUS, .attach = "auto"},
	.sort = "exits",
};

#define MEMBER(m) offsetof(struct top_values, m)

static const struct option options[] = {
	{'p', "pid", OPT_NUMBER, MEMBER(live.pid), .arg = "PID",
	 .help = "only the VMs of this process (default: all)", .min = 1, .max = 1u << 30},
	{'i', "input", OPT_FILE, MEMBER(input), .arg = "FILE",
	 .help = "show what 'vgicsim stat --json' wrote, or - for a pipe from it"},
	{0, "sort", OPT_CHOICE, MEMBER(sort), .arg = "COLUMN",
	 .help = "what to sort by at first (exits)", .choices = top_sort_names},
	{0, "vcpus", OPT_NUMBER, MEMBER(live.vcpus), .arg = "N",
	 .help = "room for so many vCPUs at a time (1024)", .min = 1, .max = VGIC_STAT_MAX_VCPUS},
	{0, "attach", OPT_CHOICE, MEMBER(live.attach), .arg = "HOW",
	 .help = "auto, fentry or kprobe (default auto)", .choices = stat_attach_names},
	{0},
};

/* What stat wrote, line by line. */
struct input {
	int fd;	    /* -1: all has been read */
	bool paced; /* a file: as fast as it was written, not as fast as it can be read */
	char *buf;
	size_t n, cap;
	uint64_t lines;
};

struct run {
	const struct top_values *v;
	struct stat_live live;
	struct input in;
	struct stat_set set;
	struct top_screen *screen;
	struct top_status status;
	uint64_t interval; /* ns; 0 with a file: as it was written */
	char error[160];   /* told when the terminal is as it was */
	int code;
};

static int fail(struct run *r, int code, const char *what)
{
	snprintf(r->error, sizeof(r->error), "%s", what);
	r->code = code;
	return -1;
}

/* ---- sources ---- */

static int tick(struct run *r)
{
	return top_screen_show(r->screen, &r->set, &r->status)
		       ? fail(r, EXIT_SOFTWARE, "not enough memory")
		       : 0;
}

static int read_live(struct run *r)
{
	stat_set_forget_gone(&r->set);
	if (stat_live_read(&r->live, &r->set))
		return fail(r, EXIT_SOFTWARE, "the counters cannot be read");
	stat_set_tick(&r->set, observed_now(CLOCK_MONOTONIC),
		      (double)observed_now(CLOCK_REALTIME) / 1e9);
	return tick(r);
}

/* More of the input. 0: no more for now. */
static int fill(struct run *r)
{
	struct input *in = &r->in;
	ssize_t n;

	if (in->fd < 0)
		return 0;
	if (in->n + 65536 > in->cap) {
		size_t cap = in->cap ? 2 * in->cap : 131072;
		char *buf;

		if (in->n > LINE_MAX_BYTES)
			return fail(r, EXIT_INPUT,
				    "a line is too long for what 'vgicsim stat --json' prints");
		buf = realloc(in->buf, cap);
		if (!buf)
			return fail(r, EXIT_SOFTWARE, "not enough memory");
		in->buf = buf;
		in->cap = cap;
	}
	n = read(in->fd, in->buf + in->n, in->cap - in->n - 1);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return fail(r, EXIT_INPUT, strerror(errno));
	if (!n)
		in->fd = -1;
	in->n += (size_t)n;
	return n > 0;
}

/* The next line into the set. 1: it closed an interval; 0: there is no whole one. */
static int next_tick(struct run *r)
{
	struct input *in = &r->in;
	enum stat_line what;
	char *end;
	int ret;

	while (in->n && (end = memchr(in->buf, '\n', in->n))) {
		*end = '\0';
		in->lines++;
		ret = *in->buf ? stat_json_read(&r->set, in->buf, &what) : 0;
		if (!*in->buf)
			what = STAT_LINE_OTHER;
		in->n -= (size_t)(end + 1 - in->buf);
		memmove(in->buf, end + 1, in->n);
		if (ret) {
			char text[120];

			snprintf(text, sizeof(text),
				 "line %" PRIu64 ": not what 'vgicsim stat --json' prints",
				 in->lines);
			return ret == -ENOMEM ? fail(r, EXIT_SOFTWARE, "not enough memory")
					      : fail(r, EXIT_INPUT, text);
		}
		if (what == STAT_LINE_TICK)
			return 1;
	}
	return 0;
}

/* One interval of a file, or all that a pipe has. -1: failed; 1: something is new. */
static int read_input(struct run *r)
{
	int ret, any = 0;

	do {
		ret = next_tick(r);
		if (ret > 0) {
			any = 1;
			if (r->in.paced)
				break;
			stat_set_forget_gone(&r->set);
			continue;
		}
		if (!ret)
			ret = fill(r);
	} while (ret > 0);
	if (ret < 0)
		return ret;
	if (r->in.fd < 0 && !r->status.ended && !(r->in.n && memchr(r->in.buf, '\n', r->in.n))) {
		r->status.ended = true;
		any = 1;
	}
	if (any && tick(r))
		return -1;
	stat_set_forget_gone(&r->set);
	return any;
}

static int open_input(struct run *r)
{
	const char *path = r->v->input;
	struct stat st;

	r->in.fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
				     : dup(STDIN_FILENO);
	if (r->in.fd < 0 || fstat(r->in.fd, &st))
		return cli_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return cli_fail(EXIT_INPUT, "%s: a directory", path);
	if (isatty(r->in.fd))
		return cli_fail(
			EXIT_USAGE,
			"-i %s: a terminal: give a file, or a pipe from 'vgicsim stat --json'",
			path);
	r->in.paced = S_ISREG(st.st_mode);
	if (!r->in.paced)
		fcntl(r->in.fd, F_SETFL, fcntl(r->in.fd, F_GETFL) | O_NONBLOCK);
	r->status.source = path;
	return EXIT_OK;
}

/* ---- the command ---- */

/* ms until t, at least 0. */
static int ms_until(uint64_t t)
{
	uint64_t now = observed_now(CLOCK_MONOTONIC);

	return t > now ? (int)((t - now + 999999) / 1000000) : 0;
}

static int loop(struct run *r)
{
	bool from_file = r->v->input != NULL;
	uint64_t next = observed_now(CLOCK_MONOTONIC) + (from_file ? 0 : r->interval);
	/* What there is is shown at once, be it nothing. */
	int ret = tick(r);

	while (!ret) {
		int wait = r->status.ended ? 1000 : ms_until(next);

		if (wait > 1000)
			wait = 1000;
		if (observed_ended(&r->live.observed, 0, wait, top_screen_input(r->screen)) ||
		    top_screen_keys(r->screen))
			break;
		if (r->status.ended || ms_until(next))
			continue;
		if (!from_file) {
			ret = read_live(r);
			next += r->interval;
			continue;
		}
		ret = read_input(r);
		if (ret > 0 && r->in.paced)
			next += r->interval ? r->interval : r->set.span_ns;
		else
			next = observed_now(CLOCK_MONOTONIC) + 50000000;
		ret = ret < 0 ? ret : 0;
	}
	return ret;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct top_values *v = values;
	struct run r = {.v = v, .in = {.fd = -1}, .status = {.source = "live"}};
	bool live = !v->input, begun = false;
	int ret = EXIT_OK;

	if (args->n && (parse_duration(args->v[0], &r.interval) || r.interval < 10000000))
		return cli_fail(EXIT_USAGE, "interval %s: must be a time of at least 10ms",
				args->v[0]);
	if (v->input && v->live.pid)
		return cli_fail(EXIT_USAGE, "-i and -p exclude one another");
	if (live && !r.interval)
		r.interval = NS_PER_S;
	if (!live)
		ret = open_input(&r);
	if (!ret)
		ret = top_screen_open(&r.screen, v->sort);
	/* What goes wrong from here on is told on a terminal that is as it was. */
	if (!ret && live) {
		top_screen_close(r.screen);
		r.screen = NULL;
		begun = true;
		ret = stat_live_open(&r.live, &v->live, args, "show");
		if (!ret)
			ret = top_screen_open(&r.screen, v->sort);
	} else if (!ret) {
		observed_init(&r.live.observed, args, 0);
	}
	stat_set_init(&r.set, live ? observed_now(CLOCK_MONOTONIC) : 0);
	if (!ret && loop(&r))
		ret = r.code;
	top_screen_close(r.screen);
	if (r.error[0])
		cli_fail(ret, "%s: %s", r.status.source, r.error);
	if (begun)
		stat_live_close(&r.live);
	else if (r.live.observed.signal_fd)
		observed_finish(&r.live.observed);
	if (!ret && live)
		ret = stat_live_missed(&r.set);
	free(r.in.buf);
	if (r.in.fd >= 0)
		close(r.in.fd);
	stat_set_finish(&r.set);
	return ret;
}

static const char *const examples[] = {
	"vgicsim top                       # all guests of this host, a look a second",
	"vgicsim top -p $(pidof qemu-system-aarch64) 200ms",
	"ssh host vgicsim stat --json 1 | vgicsim top -i -",
	"vgicsim top -i stat.ndjson 100ms  # what was counted before, in a hurry",
	NULL,
};

const struct command cmd_top = {
	.name = "top",
	.summary = "Watch what this host's guests do with their interrupts",
	.usage = "[OPTIONS] [INTERVAL]",
	.options = options,
	.values_size = sizeof(struct top_values),
	.defaults = &defaults,
	.max_args = 1,
	.examples = examples,
	.notes = "Keys: q quits, ? shows the others. Needs what stat needs; with -i nothing.",
	.run = run,
};
