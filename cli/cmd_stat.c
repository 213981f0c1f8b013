// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <vgicsim/outfile.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "stat_live.h"
#include "stat_set.h"

#define NS_PER_S   1000000000ull
/* vCPUs that have gone are taken at least so often: their room is needed. */
#define LOOK_MS	   1000
/* How often a file of metrics is written if nobody says. */
#define METRICS_NS (15 * NS_PER_S)

struct stat_values {
	struct stat_live_opts live;
	uint64_t duration, threads;
	const char *openmetrics, *recording;
	bool json;
};

static const struct stat_values defaults = {
	.live = {.vcpus = STAT_DEFAULT_VCPUS, .attach = "auto"},
};

#define MEMBER(m) offsetof(struct stat_values, m)

static const struct option options[] = {
	{'p', "pid", OPT_NUMBER, MEMBER(live.pid), .arg = "PID",
	 .help = "only the VMs of this process (default: all)", .min = 1, .max = 1u << 30},
	{'d', "duration", OPT_DURATION, MEMBER(duration), .arg = "SECONDS",
	 .help = "stop after this time", .min = 1000000, .max = 1000000000 * NS_PER_S},
	{'a', "all", OPT_FLAG, MEMBER(live.all),
	 .help = "with a command: all VMs of the host, not only those it starts"},
	{'j', "json", OPT_FLAG, MEMBER(json), .help = "print JSON, an object a line"},
	{0, "openmetrics", OPT_FILE, MEMBER(openmetrics), .arg = "FILE",
	 .help = "write metrics into FILE each interval (15 s), and print nothing else"},
	{0, "recording", OPT_FILE, MEMBER(recording), .arg = "FILE",
	 .help = "count a recording instead of this host"},
	{0, "vcpus", OPT_NUMBER, MEMBER(live.vcpus), .arg = "N",
	 .help = "room for so many vCPUs at a time (1024)", .min = 1, .max = VGIC_STAT_MAX_VCPUS},
	{0, "attach", OPT_CHOICE, MEMBER(live.attach), .arg = "HOW",
	 .help = "auto, fentry or kprobe (default auto)", .choices = stat_attach_names},
	THREADS_OPTION(MEMBER(threads)),
	{0},
};

struct run {
	const struct stat_values *v;
	struct stat_live live;
	struct stat_set set;
	uint64_t interval, count; /* ns; 0: none, no limit */
};

static double wall_clock(void)
{
	return (double)observed_now(CLOCK_REALTIME) / 1e9;
}

/* ---- output ---- */

static int print_total(const struct run *r, const struct stat_row *row)
{
	if (r->v->openmetrics)
		return EXIT_OK;
	if (!r->v->json) {
		stat_print_total(stdout, row, r->set.last - r->set.begin);
		return EXIT_OK;
	}
	return cli_print_json(stdout, stat_json_vcpu(row, "total"), true)
		       ? cli_fail(EXIT_SOFTWARE, "not enough memory")
		       : EXIT_OK;
}

static int write_metrics(const struct run *r)
{
	struct vgic_outfile o;
	int ret = vgic_outfile_open(&o, r->v->openmetrics);

	if (!ret) {
		stat_print_openmetrics(o.f, &r->set);
		ret = vgic_outfile_commit(&o);
	}
	if (ret)
		return cli_fail(EXIT_OUTPUT, "%s: %s: choose another file", r->v->openmetrics,
				strerror(-ret));
	return EXIT_OK;
}

/* What was counted since the last tick; those that have gone are told of for the last time. */
static int print_tick(struct run *r)
{
	int ret = EXIT_OK;
	size_t i;

	if (r->v->openmetrics)
		return write_metrics(r);
	if (!r->v->json)
		stat_print_head(stdout, &r->set);
	for (i = 0; i < r->set.n && !ret; i++) {
		if (!r->v->json)
			stat_print_row(stdout, &r->set.rows[i], r->set.span_ns);
		else if (cli_print_json(stdout, stat_json_vcpu(&r->set.rows[i], "interval"), true))
			ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	}
	if (!ret && r->v->json && cli_print_json(stdout, stat_json_tick(&r->set), true))
		ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	/* Whoever reads a pipe is not to wait for the next ones. */
	return ret ? ret : cli_finish_stdout();
}

/* ---- a live host ---- */

/* Takes what there is; at an interval's end, says so. */
static int look(struct run *r, bool tick)
{
	int ret = stat_live_read(&r->live, &r->set);
	size_t i;

	if (ret)
		return ret;
	if (tick || !r->interval) {
		stat_set_tick(&r->set, observed_now(CLOCK_MONOTONIC), wall_clock());
		if (tick)
			ret = print_tick(r);
		for (i = 0; i < r->set.n && !ret; i++)
			if (r->set.rows[i].v.gone)
				ret = print_total(r, &r->set.rows[i]);
		stat_set_forget_gone(&r->set);
	}
	return ret;
}

static int watch(struct run *r)
{
	uint64_t start = r->set.begin, deadline = r->v->duration ? start + r->v->duration : 0;
	uint64_t next = start + r->interval, n = 0;
	int ret = EXIT_OK;

	while (!ret) {
		uint64_t now = observed_now(CLOCK_MONOTONIC);
		int wait = LOOK_MS;

		if (r->interval && next <= now + LOOK_MS * 1000000ull)
			wait = next > now ? (int)((next - now + 999999) / 1000000) : 0;
		if (observed_ended(&r->live.observed, deadline, wait, -1))
			break;
		now = observed_now(CLOCK_MONOTONIC);
		if (!r->interval || now < next) {
			ret = look(r, false);
			continue;
		}
		ret = look(r, true);
		next += r->interval;
		if (next < now)
			next = now + r->interval;
		if (r->count && ++n >= r->count) {
			snprintf(r->live.observed.stop, sizeof(r->live.observed.stop), "count");
			break;
		}
	}
	return ret;
}

/* Totals of all that is left. */
static int finish(struct run *r)
{
	int ret = stat_live_stop(&r->live, &r->set);
	size_t i;

	if (ret)
		return ret;
	stat_set_tick(&r->set, observed_now(CLOCK_MONOTONIC), wall_clock());
	if (r->v->openmetrics)
		return write_metrics(r);
	if (r->v->json || !r->interval)
		for (i = 0; i < r->set.n && !ret; i++)
			ret = print_total(r, &r->set.rows[i]);
	if (!ret && r->v->json &&
	    cli_print_json(stdout, stat_json_end(&r->set, r->live.observed.stop), true))
		ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	return ret;
}

static int live(struct run *r, const struct cli_args *args)
{
	int ret = stat_live_open(&r->live, &r->v->live, args, "count");

	stat_set_init(&r->set, observed_now(CLOCK_MONOTONIC));
	if (!ret)
		ret = watch(r);
	if (!ret)
		ret = finish(r);
	stat_live_close(&r->live);
	if (!ret)
		ret = cli_finish_stdout();
	if (!ret)
		ret = stat_live_missed(&r->set);
	if (!ret && r->live.observed.status > 0)
		cli_warn("the command ended with status %d", r->live.observed.status);
	stat_set_finish(&r->set);
	return ret;
}

/* ---- a recording ---- */

static int count_records(struct run *r, struct vgr_reader *reader, struct vgic_tally *t)
{
	const struct vgr_rec *rec;
	uint64_t first = 0, last = 0;
	int err;

	while ((err = vgr_reader_next(reader, &rec)) > 0) {
		if (!first)
			first = rec->time;
		if (rec->time > last)
			last = rec->time;
		err = vgic_tally_record(t, rec);
		if (err)
			return err;
	}
	if (!err)
		err = vgic_tally_finish(t, stat_set_take, &r->set);
	stat_set_tick(&r->set, last > first ? last - first : 0, 0);
	return err;
}

static int recorded(struct run *r)
{
	const char *path = r->v->recording;
	const struct vgr_header *h;
	struct vgr_reader *reader;
	struct vgic_tally *t = NULL;
	int err, ret = EXIT_OK;
	size_t i;

	cli_set_threads(r->v->threads);
	reader = cli_open_recording(path);
	if (!reader)
		return EXIT_INPUT;
	stat_set_init(&r->set, 0);
	h = vgr_reader_header(reader);
	err = vgic_tally_create(&t, h->gic_host, h->vgic_model,
				h->nr_lr ? h->nr_lr : vgr_lr_limit(h->gic_host));
	if (!err)
		err = count_records(r, reader, t);
	if (err == -ENOMEM)
		ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	else if (err)
		ret = cli_fail_recording(path, vgr_reader_error(reader));
	if (!ret && r->v->openmetrics)
		ret = write_metrics(r);
	for (i = 0; i < r->set.n && !ret; i++)
		ret = print_total(r, &r->set.rows[i]);
	if (!ret && r->v->json && !r->v->openmetrics &&
	    cli_print_json(stdout, stat_json_end(&r->set, "end of the recording"), true))
		ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	if (!ret)
		ret = cli_finish_stdout();
	if (!err)
		cli_recording_ending(path, reader);
	vgic_tally_destroy(t);
	vgr_reader_close(reader);
	stat_set_finish(&r->set);
	return ret;
}

/* ---- the command ---- */

static int run(const void *values, const struct cli_args *args)
{
	const struct stat_values *v = values;
	struct run r = {.v = v};

	if (v->recording) {
		if (args->n || args->n_command || v->live.pid || v->duration)
			return cli_fail(EXIT_USAGE, "--recording goes without a process, a time "
						    "and a command");
		return recorded(&r);
	}
	if (args->n > 0 && (parse_duration(args->v[0], &r.interval) || r.interval < 10000000))
		return cli_fail(EXIT_USAGE, "interval %s: must be a time of at least 10ms",
				args->v[0]);
	if (args->n > 1 && (parse_number(args->v[1], &r.count) || !r.count))
		return cli_fail(EXIT_USAGE, "count %s: must be a number from 1", args->v[1]);
	if (v->live.pid && args->n_command)
		return cli_fail(EXIT_USAGE, "-p and a command exclude one another");
	if (v->live.all && !args->n_command)
		return cli_fail(EXIT_USAGE,
				"--all is for use with a command: without one all is the "
				"default");
	if (v->openmetrics && v->json)
		return cli_fail(EXIT_USAGE, "--openmetrics and --json exclude one another");
	if (v->openmetrics && !strcmp(v->openmetrics, "-"))
		return cli_fail(EXIT_USAGE, "--openmetrics -: name a file, it is replaced each "
					    "interval");
	if (v->openmetrics && !r.interval)
		r.interval = METRICS_NS;
	return live(&r, args);
}

static const char *const examples[] = {
	"vgicsim stat                              # all guests, totals on ^C",
	"vgicsim stat -p $(pidof qemu-system-aarch64) 1 10   # a line a vCPU and second, ten times",
	"vgicsim stat --json 1 | vgicsim top -i -  # look at it elsewhere",
	"vgicsim stat --openmetrics /var/lib/prometheus/node-exporter/vgicsim.prom 15",
	"vgicsim stat -- vgic-guest burst          # what one command's guests do",
	"vgicsim stat --recording run.vgr          # the same numbers from a recording",
	NULL,
};

const struct command cmd_stat = {
	.name = "stat",
	.summary = "Count what this host's guests do with their interrupts",
	.usage = "[OPTIONS] [INTERVAL [COUNT]] [-- COMMAND [ARGUMENT]...]",
	.options = options,
	.values_size = sizeof(struct stat_values),
	.defaults = &defaults,
	.max_args = 2,
	.takes_command = true,
	.examples = examples,
	.notes = "The counters are in the kernel: nothing is written for each event, and nothing\n"
		 "is lost if nobody reads. Needs CAP_BPF, CAP_PERFMON and CAP_SYSLOG, which are\n"
		 "dropped once the probes are attached.",
	.run = run,
};
