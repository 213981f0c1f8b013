// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <jansson.h>
#include <vgicsim/events.h>
#include <vgicsim/policy.h>
#include <vgicsim/recording.h>
#include <vgicsim/trace_dat.h>
#include "apart.h"
#include "exit.h"
#include "guest_merge.h"
#include "options.h"
#include "output.h"

struct import_values {
	const char *output, *guest, *offset;
	uint64_t level, vm;
	bool json, quiet, sync;
};

static const struct import_values defaults = {
	.output = "vgicsim.vgr",
	.level = 3,
};

#define MEMBER(m) offsetof(struct import_values, m)

static const struct option options[] = {
	{'o', "output", OPT_FILE, MEMBER(output), .arg = "FILE",
	 .help = "the recording (default vgicsim.vgr)"},
	{'z', "level", OPT_NUMBER, MEMBER(level), .arg = "N",
	 .help = "zstd level of the file (default 3)", .min = 1, .max = 22},
	{'g', "guest", OPT_FILE, MEMBER(guest), .arg = "TRACE",
	 .help = "merge a guest's own trace into the recording FILE"},
	{0, "offset", OPT_STRING, MEMBER(offset), .arg = "NS",
	 .help = "with --guest: the host's clock minus the guest's"},
	{0, "sync", OPT_FLAG, MEMBER(sync), .help = "with --guest: find the offset (the default)"},
	{0, "vm", OPT_NUMBER, MEMBER(vm), .arg = "N",
	 .help = "with --guest: whose trace it is (default 0)", .max = VGR_MAX_TABLE - 1},
	{'j', "json", OPT_FLAG, MEMBER(json), .help = "print what was read as JSON"},
	{'q', "quiet", OPT_FLAG, MEMBER(quiet), .help = "no summary"},
	{0},
};

/* How far the reading process came. */
enum stage { STAGE_OPEN, STAGE_FIRST, STAGE_SECOND, STAGE_WRITE, STAGE_DONE };

/* What it tells: through a pipe, as often as it comes to a new stage. */
struct progress {
	enum stage stage;
	int err; /* negative errno; 0: under way */
	bool given_up;
	uint64_t records, by_type[VGR_TYPE_MAX];
	struct vgr_events_totals totals;
	char clock[32], missing[256], release[128];
};

/* ---- the process that reads ---- */

struct reader {
	const struct import_values *v;
	int in, to_parent;
	struct vgr_events *events;
	struct vgr_writer *writer;
	struct progress p;
	uint64_t until_alarm;
	uint64_t lost; /* as the losses in the recording say */
};

static void tell(struct reader *r)
{
	/* A pipe takes it in one piece; a parent that is gone needs nothing. */
	if (write(r->to_parent, &r->p, sizeof(r->p)) != sizeof(r->p))
		_exit(EXIT_SOFTWARE);
}

static int give_up(struct reader *r, int err)
{
	r->p.err = err;
	if (r->events)
		r->p.totals = *vgr_events_totals(r->events);
	tell(r);
	return EXIT_FAILURE;
}

#define RECORDS_A_LOOK 65536

static int put(void *ctx, struct tep_record *rec)
{
	struct reader *r = ctx;

	if (!r->until_alarm--) {
		r->until_alarm = RECORDS_A_LOOK;
		apart_more_time();
	}
	return vgr_events_put(r->events, rec);
}

static int take_record(void *ctx, const struct vgr_rec *rec)
{
	struct reader *r = ctx;
	int err = vgr_writer_put(r->writer, rec);

	if (err == -EINVAL)
		return 0;
	if (err) {
		r->p.stage = STAGE_WRITE;
		return err;
	}
	r->p.records++;
	r->p.by_type[rec->type]++;
	if (rec->type == VGR_LOSS)
		r->lost += ((const struct vgr_loss *)rec)->count;
	return 0;
}

/* The third word of "Linux host 6.12.95 #1 SMP ... aarch64" and what stands around it. */
static void take_uname(const char *text, struct vgr_header *h)
{
	const char *word = text, *last;
	size_t len;
	int i;

	for (i = 0; i < 2 && word; i++) {
		word = strchr(word, ' ');
		word = word ? word + 1 : NULL;
	}
	if (!word)
		return;
	len = strcspn(word, " ");
	snprintf(h->kernel_release, sizeof(h->kernel_release), "%.*s", (int)len, word);
	word += len;
	word += *word == ' ';
	last = strrchr(word, ' ');
	if (!last)
		return;
	snprintf(h->kernel_version, sizeof(h->kernel_version), "%.*s", (int)(last - word), word);
	snprintf(h->machine, sizeof(h->machine), "%.31s", last + 1);
}

static void describe(struct reader *r, struct vgr_trace_dat *t, struct vgr_header *h,
		     struct vgr_probe *probes)
{
	const struct vgic_policy *policy;
	const char *name = vgr_trace_dat_uname(t);

	vgr_header_init(h);
	vgr_events_describe(r->events, h, probes);
	if (name)
		take_uname(name, h);
	policy = *h->kernel_release ? vgic_policy_for_release(h->kernel_release) : NULL;
	if (policy)
		snprintf(h->policy, sizeof(h->policy), "%s", policy->name);
	vgr_trace_dat_clock(t, r->p.clock, sizeof(r->p.clock));
	if (strcmp(r->p.clock, "mono"))
		snprintf(h->clock, sizeof(h->clock), "trace clock %.18s",
			 *r->p.clock ? r->p.clock : "unknown");
	snprintf(h->source, sizeof(h->source), "trace.dat");
	snprintf(h->command, sizeof(h->command), "vgicsim import");
	snprintf(h->tool, sizeof(h->tool), "vgicsim %s", VGICSIM_VERSION);
	snprintf(r->p.missing, sizeof(r->p.missing), "%s", h->missing);
	snprintf(r->p.release, sizeof(r->p.release), "%s", h->kernel_release);
}

/* One look at all of the file. */
static int read_all(struct reader *r, struct vgr_trace_dat **t)
{
	int err;

	if (lseek(r->in, 0, SEEK_SET))
		return -errno;
	err = vgr_trace_dat_open(t, r->in);
	if (err)
		return err;
	if (!r->events) {
		struct vgr_events_opts opts = {0};

		err = vgr_events_create(&r->events, vgr_trace_dat_tep(*t), &opts);
		if (err)
			return err;
	}
	r->p.stage++;
	tell(r);
	return vgr_trace_dat_read(*t, put, r);
}

static int finish(struct reader *r, bool whole)
{
	struct vgr_totals totals = {.guest_status = -1, .kernel_lost = r->lost};
	int err;

	snprintf(totals.stop, sizeof(totals.stop), "%s",
		 whole ? "end of the trace" : "the trace cannot be read any further");
	r->p.stage = STAGE_WRITE;
	err = vgr_writer_finish(r->writer, &totals);
	if (err)
		return give_up(r, err);
	r->p.stage = STAGE_DONE;
	r->p.totals = *vgr_events_totals(r->events);
	tell(r);
	return EXIT_SUCCESS;
}

/* The whole of the reading process. */
static int read_trace(struct reader *r)
{
	struct vgr_writer_opts wopts = {.level = r->v->level};
	struct vgr_probe probes[VGR_EV_END];
	struct vgr_trace_dat *t = NULL;
	struct vgr_header header;
	int err;

	tell(r);
	err = read_all(r, &t);
	/* What can be read of a damaged one is read twice as well. */
	if (err && (err != -EPROTO || !r->events || !vgr_events_totals(r->events)->events))
		return give_up(r, err);
	r->p.given_up = err;
	describe(r, t, &header, probes);
	vgr_trace_dat_close(t);
	t = NULL;
	r->p.totals = *vgr_events_totals(r->events);
	if (r->p.totals.unknown + r->p.totals.malformed + r->p.totals.too_early ==
	    r->p.totals.events)
		return give_up(r, -ENODATA);
	r->p.stage = STAGE_WRITE;
	err = vgr_writer_create(&r->writer, r->v->output, &header, &wopts);
	if (err)
		return give_up(r, err);
	r->p.stage = STAGE_FIRST;
	vgr_events_again(r->events, take_record, r);
	err = read_all(r, &t);
	if (err && err != -EPROTO)
		return give_up(r, err);
	vgr_trace_dat_close(t);
	return finish(r, !err && !r->p.given_up);
}

/* ---- the process that waits for it ---- */

static void print_summary(const char *path, const struct import_values *v, const struct progress *p)
{
	const struct vgr_events_totals *t = &p->totals;

	if (v->quiet || v->json)
		return;
	fprintf(stderr,
		"%s: %" PRIu64 " records from %" PRIu64 " events: %" PRIu64 " flushes, %" PRIu64
		" syncs, %" PRIu64 " entries, %" PRIu64 " exits, %" PRIu64 " injections\n",
		v->output, p->records, t->events, p->by_type[VGR_FLUSH], p->by_type[VGR_SYNC],
		p->by_type[VGR_ENTRY], p->by_type[VGR_EXIT], p->by_type[VGR_INJECT]);
	if (*p->missing)
		fprintf(stderr, "missing: %s\n", p->missing);
	if (t->unknown)
		fprintf(stderr, "not of use: %" PRIu64 " events of other kinds\n", t->unknown);
	if (t->cut)
		fprintf(stderr,
			"%" PRIu64 " flushes and syncs had longer lists than their events hold\n",
			t->cut);
	if (t->gone)
		fprintf(stderr, "%" PRIu64 " syncs with an interrupt that was not seen again\n",
			t->gone);
}

static void warn_about(const char *path, const struct progress *p)
{
	const struct vgr_events_totals *t = &p->totals;

	if (p->given_up)
		cli_warn("%s: cannot be read to its end: what stands before is in the recording",
			 path);
	if (t->lost)
		cli_warn("%s: at least %" PRIu64
			 " events were lost: give trace-cmd larger buffers (-b)",
			 path, t->lost);
	if (t->malformed)
		cli_warn("%s: %" PRIu64 " events lack something or hold what cannot be: left out",
			 path, t->malformed);
	if (t->too_early)
		cli_warn("%s: %" PRIu64 " flushes and syncs without a vgicsim:load event, which "
			 "tells how the kernel lays out "
			 "its lists: left out",
			 path, t->too_early);
	if (*p->clock && strcmp(p->clock, "mono"))
		cli_warn("%s: times are those of the trace clock '%s': use -C mono", path,
			 p->clock);
}

static int print_json(const struct import_values *v, const struct progress *p)
{
	const struct vgr_events_totals *t = &p->totals;
	json_t *types = json_object();
	int i;

	for (i = 1; i < VGR_TYPE_MAX; i++) {
		if (p->by_type[i])
			json_object_set_new(types, vgr_type_name(i), json_integer(p->by_type[i]));
	}
	return cli_print_json(
		stdout,
		json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:I,s:I}", "output",
			  v->output, "kernel", p->release, "clock", p->clock, "missing", p->missing,
			  "whole", !p->given_up, "records", (json_int_t)p->records, "events",
			  (json_int_t)t->events, "by_type", types, "unknown",
			  (json_int_t)t->unknown, "malformed", (json_int_t)t->malformed,
			  "too_early", (json_int_t)t->too_early, "lost", (json_int_t)t->lost, "cut",
			  (json_int_t)t->cut, "gone", (json_int_t)t->gone),
		false);
}

/* The line for a trace that could not be made a recording. */
static int failed(const char *path, const struct import_values *v, const struct progress *p,
		  int status)
{
	bool killed = WIFSIGNALED(status);
	const char *how = killed && WTERMSIG(status) == SIGXCPU	  ? "does not come to an end"
			  : killed && WTERMSIG(status) == SIGXFSZ ? "unpacks to more than can be"
								  : "fails";

	if (p->err && p->stage == STAGE_WRITE)
		return cli_fail(EXIT_OUTPUT, "%s: %s: choose another file with -o", v->output,
				strerror(-p->err));
	if (p->err == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "%s: not enough memory", path);
	if (p->err == -E2BIG)
		return cli_fail(EXIT_INPUT, "%s: an event of a CPU beyond %u: damaged", path,
				VGR_MAX_TABLE);
	if (p->err == -ENODATA)
		return cli_fail(EXIT_INPUT,
				"%s: none of its %" PRIu64
				" events is of use: capture kvm:* or what 'vgicsim probes "
				"--trace-cmd' prints",
				path, p->totals.events);
	if (p->err)
		return cli_fail(EXIT_INPUT,
				"%s: cannot be read by libtracecmd: damaged, or cut off", path);
	if (p->stage == STAGE_SECOND)
		return cli_fail(
			EXIT_INPUT,
			"%s: libtracecmd %s on it: damaged; %s holds what was read before and is "
			"marked as unfinished",
			path, how, v->output);
	return cli_fail(EXIT_INPUT, "%s: libtracecmd %s on it: damaged, or cut off", path, how);
}

static int look(const char *path, int fd)
{
	struct vgr_trace_dat_head head;
	unsigned char first[64];
	char why[120];
	ssize_t n = pread(fd, first, sizeof(first), 0);

	if (n < 0)
		return cli_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
	if (vgr_trace_dat_look(first, n, &head, why, sizeof(why)))
		return cli_fail(EXIT_INPUT, "%s: %s", path, why);
	return EXIT_OK;
}

/* The same file twice would be read and truncated at the same time. */
static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * The library trusts its input, prints, and may fall over: it works in a process of its own, with
 * limits, and this one tells what became of it.
 */
static int read_apart(struct reader *r, struct progress *p, int *status)
{
	struct progress got;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	if (!child) {
		r->to_parent = ends[1];
		apart_begin(r->in);
		_exit(read_trace(r));
	}
	close(ends[1]);
	while (read(ends[0], &got, sizeof(got)) == sizeof(got))
		*p = got;
	close(ends[0]);
	while (waitpid(child, status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* ---- with the guest's own trace ---- */

static int parse_offset(const char *text, int64_t *ns)
{
	char *end;

	errno = 0;
	*ns = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return cli_fail(EXIT_USAGE, "--offset %s: not a number of nanoseconds", text);
	return EXIT_OK;
}

static int merge(const struct import_values *v, const char *path)
{
	struct guest_merge o = {.host = path,
				.guest = v->guest,
				.output = v->output,
				.vm = (unsigned int)v->vm,
				.has_offset = v->offset,
				.level = (int)v->level};
	struct guest_merged m;
	int ret;

	if (v->offset && v->sync)
		return cli_fail(EXIT_USAGE, "--offset and --sync: one of them");
	ret = v->offset ? parse_offset(v->offset, &o.offset) : EXIT_OK;
	if (!ret)
		ret = guest_trace_merge(&o, &m);
	if (ret)
		return ret;
	if (m.outside * 100 > m.begins)
		cli_warn("%s: %" PRIu64 " of %" PRIu64 " handlers begin where their vCPU cannot "
			 "have taken an interrupt: is the offset right?",
			 v->guest, m.outside, m.begins);
	if (!v->quiet && !v->json)
		fprintf(stderr,
			"%s: %" PRIu64 " records, %" PRIu64 " begins and %" PRIu64
			" ends of handlers among them; offset %" PRId64 " ns (%" PRId64
			" to %" PRId64 "), %" PRIu64 " begins outside, %" PRIu64
			" events left out\n",
			v->output, m.records, m.begins, m.ends, m.offset, m.low, m.high, m.outside,
			m.left_out);
	if (v->json)
		cli_print_json(stdout,
			       json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "output",
					 v->output, "records", (json_int_t)m.records, "begins",
					 (json_int_t)m.begins, "ends", (json_int_t)m.ends,
					 "outside", (json_int_t)m.outside, "left_out",
					 (json_int_t)m.left_out, "offset_ns", (json_int_t)m.offset,
					 "offset_low_ns", (json_int_t)m.low, "offset_high_ns",
					 (json_int_t)m.high),
			       false);
	return cli_finish_stdout();
}

static int run(const void *values, const struct cli_args *args)
{
	const struct import_values *v = values;
	const char *path = args->v[0];
	struct reader r = {.v = v};
	struct progress p = {0};
	int ret, status = 0;

	if (!strcmp(v->output, "-"))
		return cli_fail(EXIT_USAGE,
				"-o -: a recording cannot go to standard output: name a file");
	if (!v->guest && (v->offset || v->sync || v->vm))
		return cli_fail(EXIT_USAGE, "--offset, --sync and --vm: only with --guest");
	r.in = open(path, O_RDONLY | O_CLOEXEC);
	if (r.in < 0)
		return cli_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
	if (v->guest) {
		ret = same_file(r.in, v->output)
			      ? cli_fail(EXIT_USAGE, "-o %s: is the recording itself", v->output)
			      : merge(v, path);
		close(r.in);
		return ret;
	}
	ret = look(path, r.in);
	if (!ret && same_file(r.in, v->output))
		ret = cli_fail(EXIT_USAGE, "-o %s: is the trace itself", v->output);
	if (!ret) {
		ret = read_apart(&r, &p, &status);
		if (ret)
			ret = cli_fail(EXIT_SOFTWARE, "fork: %s", strerror(-ret));
		else if (p.stage != STAGE_DONE)
			ret = failed(path, v, &p, status);
	}
	close(r.in);
	if (ret)
		return ret;
	print_summary(path, v, &p);
	warn_about(path, &p);
	if (v->json)
		print_json(v, &p);
	return cli_finish_stdout();
}

static const char *const examples[] = {
	"vgicsim import trace.dat -o vm.vgr         # what trace-cmd captured on this or another "
	"host",
	"vgicsim probes --trace-cmd > watch.sh      # on the host: what to capture",
	"trace-cmd record -C mono -e kvm -o t.dat   # kvm:* alone: exits and injections",
	"vgicsim import --guest guest.dat -o both.vgr vm.vgr   # what the guest traced of itself",
	NULL,
};

const struct command cmd_import = {
	.name = "import",
	.summary = "Make a recording of a trace.dat of trace-cmd",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct import_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
	.run = run,
};
