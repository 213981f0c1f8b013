// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vgicsim/capture.h>
#include <vgicsim/policy.h>
#include <vgicsim/recording.h>
#include <vgicsim/ring.h>
#include "condition.h"
#include "exit.h"
#include "flight.h"
#include "observed.h"
#include "options.h"
#include "output.h"

#define NS_PER_S 1000000000ull

/* The ring is emptied by the clock: waking the reader would make the guest exit. */
#define CONSUME_MS	40
#define CONSUME_BUSY_MS 4

/* What the kernel saw this long ago has come out of the rings. */
#define ARRIVED_NS 10000000ull

struct record_values {
	const char *output;
	uint64_t pid;
	uint64_t duration;
	uint64_t ring_size;
	uint64_t level;
	const char *max_loss;
	const char *attach;
	const char *backend;
	bool all, quiet;
	const char *trigger;
	uint64_t before, after, rearm, count, memory;
	uint64_t entries;
};

#define NOT_SAID UINT64_MAX

#define DEFAULT_BEFORE 200000000ull
#define DEFAULT_AFTER  50000000ull
#define DEFAULT_REARM  NS_PER_S
#define DEFAULT_MEMORY (64ull << 20)

static const struct record_values defaults = {
	.output = "vgicsim.vgr",
	.level = 3,
	.max_loss = "0",
	.attach = "auto",
	.backend = "bpf",
	.before = NOT_SAID,
	.after = NOT_SAID,
	.rearm = NOT_SAID,
	.count = NOT_SAID,
	.memory = NOT_SAID,
};

static const char *const attach_names[] = {"auto", "fentry", "kprobe", NULL};
static const char *const backend_names[] = {"bpf", "tracefs", NULL};

#define MEMBER(m) offsetof(struct record_values, m)

static const struct option options[] = {
	{'o', "output", OPT_FILE, MEMBER(output), .arg = "FILE",
	 .help = "the recording (default vgicsim.vgr)"},
	{'p', "pid", OPT_NUMBER, MEMBER(pid), .arg = "PID",
	 .help = "only the VMs of this process (default: all)", .min = 1, .max = 1u << 30},
	{'d', "duration", OPT_DURATION, MEMBER(duration), .arg = "SECONDS",
	 .help = "stop after this time", .min = 1000000, .max = 1000000 * NS_PER_S},
	{'a', "all", OPT_FLAG, MEMBER(all),
	 .help = "with a command: all VMs of the host, not only those it starts"},
	{0, "ring-size", OPT_SIZE, MEMBER(ring_size), .arg = "BYTES",
	 .help = "rings between kernel and recorder, a power of two (default 64M or more)",
	 .min = 64u << 10, .max = 1u << 30},
	{0, "max-loss", OPT_STRING, MEMBER(max_loss), .arg = "N|N%",
	 .help = "lost records that are still no failure (default 0)"},
	{'z', "level", OPT_NUMBER, MEMBER(level), .arg = "N",
	 .help = "zstd level of the file (default 3)", .min = 1, .max = 22},
	{0, "attach", OPT_CHOICE, MEMBER(attach), .arg = "HOW",
	 .help = "auto, fentry or kprobe (default auto)", .choices = attach_names},
	{0, "backend", OPT_CHOICE, MEMBER(backend), .arg = "HOW",
	 .help = "bpf, or tracefs where BPF is locked down (default bpf)",
	 .choices = backend_names},
	{0, "entries", OPT_NUMBER, MEMBER(entries), .arg = "N",
	 .help = "with --backend=tracefs: of each list, 1 to 14 (default 14); fewer cost less",
	 .min = 1, .max = 14},
	{0, "trigger", OPT_STRING, MEMBER(trigger), .arg = "CONDITION",
	 .help = "write only the time around entries that meet it: 'raise-to-lr > 50us'"},
	{0, "before", OPT_DURATION, MEMBER(before), .arg = "TIME",
	 .help = "with --trigger: what came before the entry (default 200ms)",
	 .max = 3600 * NS_PER_S},
	{0, "after", OPT_DURATION, MEMBER(after), .arg = "TIME",
	 .help = "with --trigger: what comes after it (default 50ms)", .max = 3600 * NS_PER_S},
	{0, "memory", OPT_SIZE, MEMBER(memory), .arg = "BYTES",
	 .help = "with --trigger: memory for what came before (default 64M)", .min = VGR_RING_MIN,
	 .max = 1ull << 36},
	{0, "count", OPT_NUMBER, MEMBER(count), .arg = "N",
	 .help = "with --trigger: recordings, with numbers if not 1; 0: no end (default 1)",
	 .max = 1000000},
	{0, "rearm", OPT_DURATION, MEMBER(rearm), .arg = "TIME",
	 .help = "with --trigger: after a recording nothing counts for so long (default 1s)",
	 .max = 1000000 * NS_PER_S},
	{'q', "quiet", OPT_FLAG, MEMBER(quiet), .help = "no summary"},
	{0},
};

/* All that one run has open; NULL for what is not. */
struct run {
	const struct record_values *v;
	uint64_t ring_size;
	uint64_t memory; /* of --trigger */
	const struct cli_args *args;
	struct vgic_host host;
	struct vgr_header header;
	struct vgr_probe probes[VGIC_MAX_PROBES];
	struct vgic_capture *capture;
	bool tracefs;
	struct vgr_writer *writer; /* without --trigger; NULL: not yet */
	struct vgic_condition condition;
	struct flight *flight; /* with it */
	uint64_t records, lost, refused;
	uint64_t by_type[VGR_TYPE_MAX];
	uint64_t first, last; /* ns */
	uint64_t start_realtime, start_clock;
	struct vgr_loss *early; /* before there was a file, one of each CPU */
	size_t nr_early;
	struct observed observed;
};

/* ---- --max-loss ---- */

struct max_loss {
	uint64_t count;
	double percent; /* negative: count holds */
};

static int parse_max_loss(const char *text, struct max_loss *max)
{
	size_t n = strlen(text);

	max->percent = -1;
	if (n && text[n - 1] == '%')
		return parse_percent(text, &max->percent);
	return parse_number(text, &max->count);
}

static bool too_much_lost(const struct max_loss *max, uint64_t lost, uint64_t handled)
{
	if (max->percent >= 0)
		return lost && 100.0 * lost > max->percent * (lost + handled);
	return lost > max->count;
}

/* ---- the file, or the memory ---- */

static void join(char *to, size_t size, char *const *words)
{
	size_t n = 0;

	to[0] = '\0';
	for (; *words && n + 1 < size; words++) {
		snprintf(to + n, size - n, "%s%s", n ? " " : "", *words);
		n += strlen(to + n);
	}
}

static void describe(struct run *r)
{
	struct vgr_header *h = &r->header;
	const struct record_values *v = r->v;
	const struct vgic_policy *policy;
	int n;

	vgr_header_init(h);
	vgic_capture_describe(r->capture, &r->host, h, r->probes);
	policy = vgic_policy_for_release(h->kernel_release);
	if (policy)
		snprintf(h->policy, sizeof(h->policy), "%s", policy->name);
	h->start_realtime = r->start_realtime;
	h->start_clock = r->start_clock;
	n = snprintf(h->command, sizeof(h->command),
		     "vgicsim record -o %s --ring-size=%" PRIu64 " --attach=%s", v->output,
		     r->ring_size, v->attach);
	if (v->pid)
		n += snprintf(h->command + n, sizeof(h->command) - n, " -p %" PRIu64, v->pid);
	if (v->duration)
		n += snprintf(h->command + n, sizeof(h->command) - n, " -d %" PRIu64 "ns",
			      v->duration);
	if (v->all)
		n += snprintf(h->command + n, sizeof(h->command) - n, " --all");
	if (r->tracefs && n < (int)sizeof(h->command))
		n += snprintf(h->command + n, sizeof(h->command) - n, " --backend=tracefs");
	if (v->entries && n < (int)sizeof(h->command))
		n += snprintf(h->command + n, sizeof(h->command) - n, " --entries=%" PRIu64,
			      v->entries);
	if (v->trigger && n < (int)sizeof(h->command))
		snprintf(h->command + n, sizeof(h->command) - n, " --trigger='%s'", v->trigger);
	if (r->args->n_command)
		join(h->guest_command, sizeof(h->guest_command), r->args->command);
	snprintf(h->tool, sizeof(h->tool), "vgicsim %s", VGICSIM_VERSION);
	h->ring_bytes = r->ring_size;
}

static void tell_file(void *ctx, const struct flight_file *f)
{
	const struct run *r = ctx;
	char what[80], before[32], after[32];

	if (f->cut)
		cli_warn("%s: --memory=%" PRIu64 " holds no more than %s before and %s after",
			 f->path, r->memory, cli_format_ns(before, sizeof(before), f->before),
			 cli_format_ns(after, sizeof(after), f->after));
	if (r->v->quiet)
		return;
	cli_progress_end();
	fprintf(stderr,
		"%s: %s; %" PRIu64 " records from %s before to %s after, %" PRIu64 " lost\n",
		f->path, condition_event(what, sizeof(what), &f->event), f->records,
		cli_format_ns(before, sizeof(before), f->before),
		cli_format_ns(after, sizeof(after), f->after), f->lost);
}

static int create_flight(struct run *r)
{
	const struct record_values *v = r->v;
	struct flight_opts opts = {
		.condition = &r->condition,
		.before = v->before == NOT_SAID ? DEFAULT_BEFORE : v->before,
		.after = v->after == NOT_SAID ? DEFAULT_AFTER : v->after,
		.rearm = v->rearm == NOT_SAID ? DEFAULT_REARM : v->rearm,
		.count = v->count == NOT_SAID ? 1 : v->count,
		.memory = r->memory,
		.output = v->output,
		.header = &r->header,
		.writer = {.level = v->level},
		.whole = tell_file,
		.ctx = r,
	};

	return flight_create(&r->flight, &opts);
}

/*
 * As soon as it is known what host this is, which without BPF the first record tells. 0 or a
 * negative errno.
 */
static int open_output(struct run *r)
{
	struct vgr_writer_opts opts = {.level = r->v->level};

	describe(r);
	return r->v->trigger ? create_flight(r)
			     : vgr_writer_create(&r->writer, r->v->output, &r->header, &opts);
}

/* ---- recording ---- */

static int put_record(struct run *r, const struct vgr_rec *rec)
{
	int ret = r->flight ? flight_take(r->flight, rec) : vgr_writer_put(r->writer, rec);

	if (ret == -EINVAL) {
		/* Not fit to be written: a fault of the capture, told at the end. */
		r->refused++;
		return 0;
	}
	if (ret)
		return ret;
	r->records++;
	if (rec->type == VGR_LOSS)
		r->lost += ((const struct vgr_loss *)rec)->count;
	if (rec->type < VGR_TYPE_MAX)
		r->by_type[rec->type]++;
	if (!r->first)
		r->first = rec->time;
	if (rec->time > r->last)
		r->last = rec->time;
	return 0;
}

/* What was lost first of all tells nothing of the host. */
static int keep_early(struct run *r, const struct vgr_loss *loss)
{
	struct vgr_loss *p;
	size_t i;

	for (i = 0; i < r->nr_early; i++) {
		p = &r->early[i];
		if (p->r.cpu != loss->r.cpu || p->first_seq + p->count != loss->first_seq)
			continue;
		p->count += loss->count;
		p->to = loss->to;
		p->r.time = loss->r.time;
		return 0;
	}
	p = realloc(r->early, (r->nr_early + 1) * sizeof(*p));
	if (!p)
		return -ENOMEM;
	r->early = p;
	p[r->nr_early++] = *loss;
	return 0;
}

/* The file, if there is none yet, and what came before it. 0 or a negative errno. */
static int begin_output(struct run *r)
{
	size_t i;
	int ret;

	if (r->writer || r->flight)
		return 0;
	ret = open_output(r);
	for (i = 0; i < r->nr_early && !ret; i++)
		ret = put_record(r, &r->early[i].r);
	return ret;
}

static int take_record(void *ctx, const struct vgr_rec *rec)
{
	struct run *r = ctx;
	int ret;

	if (!r->writer && !r->flight && rec->type == VGR_LOSS)
		return keep_early(r, (const struct vgr_loss *)rec);
	ret = begin_output(r);
	return ret ? ret : put_record(r, rec);
}

static int write_failed(struct run *r, int err)
{
	struct vgr_writer_kept kept;

	if (!r->writer && !r->flight)
		return cli_fail(EXIT_OUTPUT, "%s: %s: choose another file with -o", r->v->output,
				strerror(-err));
	if (r->flight)
		return cli_fail(EXIT_OUTPUT, "%s: %s: the recording is not whole",
				flight_failed(r->flight), strerror(-err));
	vgr_writer_kept(r->writer, &kept);
	return cli_fail(EXIT_OUTPUT,
			"%s: %s: %" PRIu64 " records in %u frames are safe and can be "
			"read: free some space and record again",
			r->v->output, strerror(-err), kept.records, kept.frames);
}

/* Goes on with the recordings of a trigger. 1: that was the last one. */
static int work(struct run *r, uint64_t time)
{
	int ret;

	if (!r->flight)
		return 0;
	ret = flight_work(r->flight, time);
	if (ret)
		return ret;
	if (!flight_done(r->flight))
		return 0;
	snprintf(r->observed.stop, sizeof(r->observed.stop), "trigger");
	return 1;
}

static int consume_until_end(struct run *r)
{
	uint64_t start = observed_now(CLOCK_MONOTONIC);
	uint64_t deadline = r->v->duration ? start + r->v->duration : 0;
	int wait_ms = CONSUME_MS;
	uint64_t time;
	int64_t n;
	int ret;

	while (!observed_ended(&r->observed, deadline, wait_ms, -1)) {
		time = observed_now(CLOCK_MONOTONIC);
		n = vgic_capture_consume(r->capture, take_record, r);
		if (n < 0)
			return n;
		/* Never let more than a small part of a ring fill up between two looks. */
		wait_ms = (uint64_t)n > vgic_capture_ring(r->capture) / 8 ? CONSUME_BUSY_MS
									  : CONSUME_MS;
		ret = work(r, time - ARRIVED_NS);
		if (ret)
			return ret < 0 ? ret : 0;
		if (r->flight && flight_busy(r->flight))
			wait_ms = 0;
		cli_progress("%" PRIu64 " records, %" PRIu64 " lost, %.1f s", r->records, r->lost,
			     (observed_now(CLOCK_MONOTONIC) - start) / 1e9);
	}
	return 0;
}

static void summary(const struct run *r)
{
	struct vgic_capture_cpu cpu;
	uint64_t lost;
	uint32_t i;
	struct stat st;

	cli_progress_end();
	if (r->v->quiet)
		return;
	fprintf(stderr, "%s: %" PRIu64 " records in %.3f s, %" PRIu64 " flushes, %" PRIu64 " syncs",
		r->flight ? "seen" : r->v->output, r->records, (r->last - r->first) / 1e9,
		r->by_type[VGR_FLUSH], r->by_type[VGR_SYNC]);
	if (r->flight)
		fprintf(stderr, "; %" PRIu64 " entries met the condition, %" PRIu64 " recordings",
			flight_met(r->flight), flight_files(r->flight));
	else if (!stat(r->v->output, &st))
		fprintf(stderr, ", %.1f KiB", st.st_size / 1024.0);
	fprintf(stderr, "; ended by: %s\n", r->observed.stop);
	if (r->observed.status >= 0)
		fprintf(stderr, "command: exit status %d\n", r->observed.status);
	fprintf(stderr, "%5s %12s %12s %8s\n", "CPU", "handled", "lost", "lost %");
	for (i = 0; i < vgic_capture_nr_cpus(r->capture); i++) {
		vgic_capture_cpu_counters(r->capture, i, &cpu);
		lost = cpu.lost;
		if (cpu.handled || lost)
			fprintf(stderr, "%5u %12" PRIu64 " %12" PRIu64 " %8.3f\n", i, cpu.handled,
				lost, 100.0 * lost / (cpu.handled + lost));
	}
	if (!r->by_type[VGR_FLUSH] && !r->flight)
		cli_warn("no guest ran: nothing but the description is in %s", r->v->output);
}

/* The totals of the file, and its end. */
static int close_file(struct run *r)
{
	struct vgr_totals totals = {.guest_status = r->observed.status};
	struct vgic_capture_cpu cpu;
	uint32_t i;

	snprintf(totals.stop, sizeof(totals.stop), "%s", r->observed.stop);
	for (i = 0; i < vgic_capture_nr_cpus(r->capture); i++) {
		vgic_capture_cpu_counters(r->capture, i, &cpu);
		totals.kernel_lost += cpu.lost;
	}
	return vgr_writer_finish(r->writer, &totals);
}

/* Everything from the first record to the closed file. */
static int record(struct run *r)
{
	uint64_t untracked, missed;
	int ret, end;

	ret = observed_start(&r->observed, "record");
	if (ret) {
		if (!r->flight)
			unlink(r->v->output);
		return ret;
	}
	ret = consume_until_end(r);
	if (ret)
		snprintf(r->observed.stop, sizeof(r->observed.stop), "%s", strerror(-ret));
	/*
	 * The probes go first: what the command does when it is ended by us is not what
	 * was to be recorded.
	 */
	end = vgic_capture_stop(r->capture, take_record, r);
	if (!ret)
		ret = end;
	observed_end(&r->observed);
	if (ret == -ENOMEM || ret == -EPROTO)
		return cli_fail(EXIT_SOFTWARE, "reading the ring: %s", strerror(-ret));
	if (ret)
		return write_failed(r, ret);
	ret = begin_output(r);
	if (!ret)
		ret = r->flight ? flight_finish(r->flight) : close_file(r);
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	if (ret)
		return write_failed(r, ret);
	summary(r);
	untracked = vgic_capture_untracked(r->capture);
	if (untracked)
		cli_warn("%" PRIu64 " events of vCPUs beyond the tables' size were not recorded",
			 untracked);
	missed = vgic_capture_missed(r->capture);
	if (missed)
		cli_warn("%" PRIu64
			 " events came while their program was busy on that CPU: they are "
			 "not recorded, nor told as losses",
			 missed);
	if (r->refused)
		return cli_fail(EXIT_SOFTWARE,
				"%" PRIu64 " records were malformed and left out: please "
				"report this",
				r->refused);
	if (r->flight && !flight_files(r->flight))
		return cli_fail(EXIT_FINDING,
				"--trigger=%s: no entry met it, nothing was written: ended by: %s",
				r->v->trigger, r->observed.stop);
	return EXIT_OK;
}

static enum vgic_attach attach_of(const struct record_values *v)
{
	return !strcmp(v->attach, "fentry")   ? VGIC_ATTACH_FENTRY
	       : !strcmp(v->attach, "kprobe") ? VGIC_ATTACH_KPROBE
					      : VGIC_ATTACH_AUTO;
}

static void warn_missing(const struct vgic_host *h)
{
	size_t p;

	for (p = 0; p < h->nr_probes; p++) {
		if (h->probes[p].state == VGIC_PROBE_MISSING)
			cli_warn("probe %s (%s) cannot be attached: the recording will lack: %s",
				 h->probes[p].name, h->probes[p].function, h->probes[p].use);
	}
}

/* A file can be made beside this one. */
static bool directory_is_open(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (!slash)
		return !faccessat(AT_FDCWD, ".", W_OK | X_OK, AT_EACCESS);
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	return !faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS);
}

static int open_all(struct run *r)
{
	struct vgic_capture_opts opts = {
		.ring_bytes = r->ring_size,
		.tgid = r->v->pid,
		.tracefs = r->tracefs,
		.entries = r->v->entries,
		.attach = attach_of(r->v),
	};
	struct vgic_capture_error err;
	int ret;

	ret = observed_prepare(&r->observed);
	if (ret)
		return ret;
	if (r->args->n_command && !r->v->all)
		opts.root_tgid = r->observed.child;
	ret = vgic_capture_create(&r->capture, &r->host, &opts, &err);
	if (ret)
		return cli_fail(ret == -ENOMEM ? EXIT_SOFTWARE : EXIT_HOST, "%s", err.text);
	if (!r->tracefs)
		warn_missing(&r->host);
	r->start_realtime = observed_now(CLOCK_REALTIME);
	r->start_clock = observed_now(CLOCK_MONOTONIC);
	describe(r);
	ret = r->header.nr_lr ? open_output(r) : 0;
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	if (ret)
		return cli_fail(EXIT_OUTPUT, "%s: %s: choose another file with -o", r->v->output,
				strerror(-ret));
	observed_drop_capabilities();
	/* Files come later here, and without the capabilities. */
	if (!r->writer && !directory_is_open(r->v->output))
		return cli_fail(EXIT_OUTPUT, "%s: %s: choose another file with -o", r->v->output,
				strerror(errno));
	return EXIT_OK;
}

static int check_trigger(const struct record_values *v, struct vgic_condition *condition)
{
	struct condition_error err;

	if (v->trigger) {
		if (!condition_parse(v->trigger, condition, &err))
			return EXIT_OK;
		return cli_fail(EXIT_USAGE, "--trigger='%s': column %u: %s", v->trigger, err.column,
				err.what);
	}
	if (v->before != NOT_SAID || v->after != NOT_SAID || v->rearm != NOT_SAID ||
	    v->count != NOT_SAID || v->memory != NOT_SAID)
		return cli_fail(EXIT_USAGE,
				"--before, --after, --rearm, --count and --memory are for use with "
				"--trigger");
	return EXIT_OK;
}

static int check_values(const struct record_values *v, const struct cli_args *args,
			struct max_loss *max)
{
	if (parse_max_loss(v->max_loss, max))
		return cli_fail(EXIT_USAGE, "--max-loss=%s: must be a number or a percentage",
				v->max_loss);
	if (v->ring_size & (v->ring_size - 1))
		return cli_fail(EXIT_USAGE, "--ring-size: must be a power of two, 64K to 1G");
	if (!strcmp(v->output, "-"))
		return cli_fail(EXIT_USAGE,
				"-o -: a recording cannot go to standard output: name a file");
	if (v->pid && args->n_command)
		return cli_fail(EXIT_USAGE, "-p and a command exclude one another");
	if (v->entries && strcmp(v->backend, "tracefs"))
		return cli_fail(EXIT_USAGE, "--entries is for use with --backend=tracefs");
	if (v->all && !args->n_command)
		return cli_fail(EXIT_USAGE,
				"--all is for use with a command: without one all is the "
				"default");
	return EXIT_OK;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct record_values *v = values;
	struct run r = {.v = v,
			.ring_size = v->ring_size ? v->ring_size : vgic_capture_default_ring(),
			.tracefs = !strcmp(v->backend, "tracefs"),
			.memory = v->memory == NOT_SAID ? DEFAULT_MEMORY : v->memory,
			.args = args};
	struct vgic_capture_error err;
	struct max_loss max;
	int ret;

	ret = check_values(v, args, &max);
	if (!ret)
		ret = check_trigger(v, &r.condition);
	if (ret)
		return ret;
	vgic_host_look(&r.host, attach_of(v));
	if (r.tracefs ? vgic_host_usable_tracefs(&r.host, &err) : vgic_host_usable(&r.host, &err))
		return cli_fail(EXIT_HOST, "%s", err.text);

	observed_init(&r.observed, args, v->pid);
	ret = open_all(&r);
	if (!ret)
		ret = record(&r);
	observed_end(&r.observed);
	if (!ret && too_much_lost(&max, r.lost, r.records))
		ret = cli_fail(EXIT_FINDING,
			       "%" PRIu64 " records were lost, more than --max-loss=%s: "
			       "enlarge --ring-size",
			       r.lost, v->max_loss);
	if (vgic_capture_destroy(r.capture))
		cli_warn("not all events could be removed: vgicsim-%d and events/vgicsim are left "
			 "in tracefs",
			 getpid());
	vgr_writer_destroy(r.writer);
	flight_destroy(r.flight);
	free(r.early);
	observed_finish(&r.observed);
	return ret;
}

static const char *const examples[] = {
	"vgicsim record -d 10                      # all guests of this host, ten seconds",
	"vgicsim record -p $(pidof qemu-system-aarch64) -o vm.vgr",
	"vgicsim record -o burst.vgr -- vgic-guest burst  # what one command's guests do",
	"vgicsim record --trigger 'raise-to-lr > 50us or overflow > 4' --count 3 -o late.vgr",
	NULL,
};

const struct command cmd_record = {
	.name = "record",
	.summary = "Record what this host does with its guests' interrupts",
	.usage = "[OPTIONS] [-- COMMAND [ARGUMENT]...]",
	.options = options,
	.values_size = sizeof(struct record_values),
	.defaults = &defaults,
	.takes_command = true,
	.examples = examples,
	.notes = "Needs CAP_BPF, CAP_PERFMON and, to find the kernel's variables, CAP_SYSLOG; all\n"
		 "capabilities are dropped once the probes are attached.",
	.run = run,
};
