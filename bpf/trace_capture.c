// SPDX-License-Identifier: GPL-2.0-only
/* Sets up a trace instance, reads its buffers raw, and has them turned into records. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <traceevent/event-parse.h>
#include <tracefs.h>
#include <vgicsim/dynamic.h>
#include <vgicsim/events.h>
#include "cleaner.h"
#include "subbuffers.h"
#include "trace_capture.h"

_Static_assert(VGR_EV_END <= VGIC_MAX_PROBES, "probes of a header");

/* ns from the moment at which an event takes its time to that at which it can be read. */
#define SLACK 2000000

#define CLOCK "mono"

/* Processes between a VM's and the one that the command is. */
#define MAX_ANCESTORS 64

struct cpu_files {
	int raw;   /* -1: there is no such CPU */
	int stats; /* what was overwritten before it was read */
	uint64_t handled, lost;
	uint64_t taken; /* bytes, in the call in progress */
};

struct vgic_tracefs {
	struct vgic_dynamic *dynamic;
	struct cleaner cleaner;
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct vgr_events *events;
	struct vgic_subbuffers *subbuffers;
	size_t size; /* of a sub-buffer */
	uint64_t ring;
	uint32_t nr_cpus;
	struct cpu_files *cpus;
	int tracing_on;
	uint32_t tgid, root_tgid;
	vgic_capture_sink *sink;
	void *ctx;
};

static int fail(struct vgic_capture_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

/* ---- whose VM ---- */

/* Of the process that this one comes from; 0: it is gone. */
static uint32_t parent_of(uint32_t pid)
{
	char path[64], text[512];
	unsigned int parent = 0;
	const char *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(text, sizeof(text), f)) {
		/* The name may have parentheses in it. */
		end = strrchr(text, ')');
		if (!end || sscanf(end + 1, " %*c %u", &parent) != 1)
			parent = 0;
	}
	fclose(f);
	return parent;
}

/*
 * One that is gone already when it is first heard of began and ended within the command: other
 * VMs of the host are there still.
 */
static bool descends(uint32_t pid, uint32_t root)
{
	int i;

	for (i = 0; i < MAX_ANCESTORS && pid != root; i++) {
		pid = parent_of(pid);
		if (!pid)
			return i == 0;
	}
	return pid == root;
}

static bool wanted(void *ctx, uint32_t tgid)
{
	const struct vgic_tracefs *t = ctx;

	/* The kernel keeps no owner: nobody can tell. */
	if (!tgid)
		return true;
	if (t->tgid)
		return tgid == t->tgid;
	return !t->root_tgid || descends(tgid, t->root_tgid);
}

/* ---- records ---- */

static int take_record(void *ctx, const struct vgr_rec *rec)
{
	struct vgic_tracefs *t = ctx;

	if (rec->type == VGR_LOSS)
		t->cpus[rec->cpu].lost += ((const struct vgr_loss *)rec)->count;
	else
		t->cpus[rec->cpu].handled++;
	return t->sink(t->ctx, rec);
}

/* ---- setting up ---- */

int vgic_tracefs_usable(const struct vgic_host *h, struct vgic_capture_error *err)
{
	const char *tracing;
	char path[4096];

	if (!h->arm64)
		return fail(err, -ENOTSUP,
			    "this is %s, not an arm64 host: record on one, or replay a recording",
			    h->machine);
	if (!h->have_btf)
		return fail(err, -ENOTSUP,
			    "/sys/kernel/btf/vmlinux: the kernel has no BTF: use one built with "
			    "CONFIG_DEBUG_INFO_BTF");
	if (!h->have_kvm_device)
		return fail(err, -ENODEV,
			    "/dev/kvm is missing: the kernel was not started at EL2, or with "
			    "kvm-arm.mode=none, or =protected with a GICv2");
	tracing = tracefs_tracing_dir();
	if (!tracing)
		return fail(err, -ENOENT,
			    "tracefs is not mounted: mount -t tracefs none /sys/kernel/tracing");
	snprintf(path, sizeof(path), "%s/dynamic_events", tracing);
	if (access(path, F_OK))
		return fail(err, errno == EACCES ? -EACCES : -ENOTSUP, "%s: %s: %s", path,
			    strerror(errno),
			    errno == EACCES ? "run as root"
					    : "use a kernel built with CONFIG_KPROBE_EVENTS");
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
		return fail(err, -EACCES, "%s: %s: run as root", path, strerror(errno));
	return 0;
}

static bool has_fprobes(void)
{
	char *text = tracefs_instance_file_read(NULL, "README", NULL);
	bool has = text && vgic_dynamic_has_fprobes(text);

	free(text);
	return has;
}

static int remove_stale(struct vgic_capture_error *err)
{
	pid_t pid;
	int ret = cleaner_remove_stale(&pid);

	if (ret == -EBUSY && pid)
		return fail(err, ret, "process %d records by tracefs already: wait for it", pid);
	if (ret == -EBUSY)
		return fail(err, ret,
			    "events/" VGR_EVENT_GROUP " is in use: by trace-cmd perhaps: end it");
	if (ret)
		return fail(err, ret, "old events cannot be removed: %s", strerror(-ret));
	return 0;
}

static int write_file(struct vgic_tracefs *t, const char *file, const char *text,
		      struct vgic_capture_error *err)
{
	if (tracefs_instance_file_write(t->instance, file, text) >= 0)
		return 0;
	return fail(err, -errno, "instances/%s/%s: %s", tracefs_instance_get_name(t->instance),
		    file, strerror(errno));
}

static int create_instance(struct vgic_tracefs *t, uint64_t bytes, struct vgic_capture_error *err)
{
	char text[32], *clock, *buffer;
	int ret;

	snprintf(text, sizeof(text), CLEANER_INSTANCE "%d", getpid());
	ret = cleaner_start(&t->cleaner, text);
	if (ret)
		return fail(err, ret, "fork: %s", strerror(-ret));
	t->instance = tracefs_instance_create(text);
	if (!t->instance)
		return fail(err, -errno, "instances/%s: %s", text, strerror(errno));
	ret = write_file(t, "tracing_on", "0", err);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(bytes / t->nr_cpus / 1024));
	if (!ret)
		ret = write_file(t, "buffer_size_kb", text, err);
	if (!ret)
		ret = write_file(t, "trace_clock", CLOCK, err);
	if (ret)
		return ret;
	/* The kernel rounds to what it can; a clock of another name would be another time. */
	buffer = tracefs_instance_file_read(t->instance, "buffer_size_kb", NULL);
	t->ring = buffer ? strtoull(buffer, NULL, 10) * 1024 : bytes / t->nr_cpus;
	free(buffer);
	clock = tracefs_instance_file_read(t->instance, "trace_clock", NULL);
	if (!clock || !strstr(clock, "[" CLOCK "]"))
		ret = fail(err, -ENOTSUP, "the kernel has no trace clock " CLOCK);
	free(clock);
	return ret;
}

/* The format of one event that is watched. An event that the kernel has not is no fault here. */
static int read_format(struct vgic_tracefs *t, enum vgr_event event)
{
	const char *system = vgr_event_system(event), *name = vgr_event_name(event);
	int size, ret;
	char *text = tracefs_event_file_read(NULL, system, name, "format", &size);

	if (!text)
		return 0;
	ret = tep_parse_event(t->tep, text, size, system);
	free(text);
	return ret == TEP_ERRNO__MEM_ALLOC_FAILED ? -ENOMEM : 0;
}

static int create_events(struct vgic_tracefs *t, struct vgic_capture_error *err)
{
	struct vgr_events_opts opts = {
		.facts = t->dynamic->facts.nr_lr ? &t->dynamic->facts : NULL,
		.wanted = wanted,
		.sink = take_record,
		.ctx = t,
	};
	size_t i;
	int ret = 0;

	for (i = 0; i < t->dynamic->nr_events; i++) {
		const struct vgic_dynamic_event *e = &t->dynamic->events[i];

		if (tracefs_instance_file_append(NULL, "dynamic_events", e->line) < 0)
			return fail(err, -errno, "the kernel refuses event %s at %s: %s",
				    vgr_event_name(e->event), e->place, strerror(errno));
	}
	/* Not all that the systems have: to read them takes longer than all else. */
	t->tep = tep_alloc();
	if (!t->tep)
		return fail(err, -ENOMEM, "not enough memory");
	for (i = 0; i < t->dynamic->nr_events && !ret; i++)
		ret = read_format(t, t->dynamic->events[i].event);
	for (i = 0; i < t->dynamic->nr_tracepoints && !ret; i++)
		ret = read_format(t, t->dynamic->tracepoints[i]);
	if (ret)
		return fail(err, ret, "not enough memory");
	ret = vgr_events_create(&t->events, t->tep, &opts);
	return ret ? fail(err, ret, "not enough memory") : 0;
}

static int enable_events(struct vgic_tracefs *t, struct vgic_capture_error *err)
{
	size_t i;

	if (tracefs_event_enable(t->instance, VGR_EVENT_GROUP, NULL))
		return fail(err, -errno, "events/" VGR_EVENT_GROUP ": %s", strerror(errno));
	for (i = 0; i < t->dynamic->nr_tracepoints; i++) {
		enum vgr_event event = t->dynamic->tracepoints[i];

		/* What is missing is said in the recording. */
		if (!tracefs_event_enable(t->instance, vgr_event_system(event),
					  vgr_event_name(event)))
			vgr_events_watch(t->events, event);
	}
	return 0;
}

/* Bytes of what one read gives: a header, and what the kernel says follows. */
static size_t subbuffer_size(void)
{
	char *text = tracefs_instance_file_read(NULL, "events/header_page", NULL);
	char *data = text ? strstr(text, "char data;") : NULL;
	unsigned int offset = 0, size = 0;

	if (!data || sscanf(data, "char data; offset:%u; size:%u", &offset, &size) != 2)
		offset = size = 0;
	free(text);
	return size ? (size_t)offset + size : (size_t)sysconf(_SC_PAGESIZE);
}

static int open_buffers(struct vgic_tracefs *t, struct vgic_capture_error *err)
{
	char path[64];
	uint32_t i, any = 0;

	t->tracing_on = tracefs_instance_file_open(t->instance, "tracing_on", O_WRONLY | O_CLOEXEC);
	if (t->tracing_on < 0)
		return fail(err, -errno, "tracing_on: %s", strerror(errno));
	for (i = 0; i < t->nr_cpus; i++) {
		snprintf(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw", i);
		t->cpus[i].raw = tracefs_instance_file_open(t->instance, path,
							    O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (t->cpus[i].raw < 0 && errno != ENOENT)
			return fail(err, -errno, "%s: %s", path, strerror(errno));
		snprintf(path, sizeof(path), "per_cpu/cpu%u/stats", i);
		t->cpus[i].stats =
			tracefs_instance_file_open(t->instance, path, O_RDONLY | O_CLOEXEC);
		any += t->cpus[i].raw >= 0;
	}
	return any ? 0 : fail(err, -ENODEV, "the instance has no buffers");
}

static int set_up(struct vgic_tracefs *t, const struct vgic_host *h,
		  const struct vgic_capture_opts *opts, struct vgic_capture_error *err)
{
	struct vgic_dynamic_opts wishes = {
		.entries = opts->entries ? opts->entries : VGR_EVENT_ENTRIES,
		.fprobes = opts->attach == VGIC_ATTACH_FENTRY ||
			   (opts->attach == VGIC_ATTACH_AUTO && has_fprobes()),
	};
	int ret;

	ret = remove_stale(err);
	if (ret)
		return ret;
	/* As many entries as fit into one line of the kernel's. */
	do {
		ret = vgic_dynamic_create(&t->dynamic, h, &wishes, err);
	} while (ret == -E2BIG && --wishes.entries);
	if (!ret)
		ret = create_instance(t, opts->ring_bytes, err);
	if (!ret)
		ret = create_events(t, err);
	if (!ret)
		ret = enable_events(t, err);
	if (!ret)
		ret = open_buffers(t, err);
	if (ret)
		return ret;
	t->size = subbuffer_size();
	if (vgic_subbuffers_create(&t->subbuffers, t->nr_cpus, t->size))
		return fail(err, -ENOMEM, "not enough memory");
	if (pwrite(t->tracing_on, "1", 1, 0) != 1)
		return fail(err, -errno, "tracing_on: %s", strerror(errno));
	return 0;
}

int vgic_tracefs_create(struct vgic_tracefs **out, const struct vgic_host *h,
			const struct vgic_capture_opts *opts, struct vgic_capture_error *err)
{
	int cpus = libbpf_num_possible_cpus(), ret;
	struct vgic_tracefs *t = calloc(1, sizeof(*t));
	uint32_t i;

	if (t && cpus > 0)
		t->cpus = calloc(cpus, sizeof(*t->cpus));
	if (!t || !t->cpus) {
		free(t);
		return fail(err, -ENOMEM, "not enough memory");
	}
	t->nr_cpus = cpus;
	for (i = 0; i < t->nr_cpus; i++)
		t->cpus[i].raw = t->cpus[i].stats = -1;
	t->tracing_on = -1;
	t->tgid = opts->tgid;
	t->root_tgid = opts->root_tgid;
	ret = set_up(t, h, opts, err);
	if (ret) {
		vgic_tracefs_destroy(t);
		return ret;
	}
	*out = t;
	return 0;
}

void vgic_tracefs_describe(const struct vgic_tracefs *t, struct vgr_header *header,
			   struct vgr_probe *probes)
{
	vgr_events_describe(t->events, header, probes);
	snprintf(header->source, sizeof(header->source), "tracefs");
}

/* ---- reading ---- */

static int take_event(void *ctx, struct tep_record *rec)
{
	struct vgic_tracefs *t = ctx;

	return vgr_events_put(t->events, rec);
}

/* All that the kernel has of one CPU now, but no more than its buffer holds. */
static int read_cpu(struct vgic_tracefs *t, uint32_t cpu)
{
	struct cpu_files *c = &t->cpus[cpu];
	int ret = 0;
	ssize_t n;
	void *room;

	c->taken = 0;
	while (!ret && c->raw >= 0 && c->taken <= t->ring) {
		room = vgic_subbuffers_room(t->subbuffers, cpu);
		if (!room)
			return -ENOMEM;
		n = read(c->raw, room, t->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!n)
			return 0;
		if ((size_t)n < t->size)
			memset((char *)room + n, 0, t->size - n);
		c->taken += n;
		ret = vgic_subbuffers_add(t->subbuffers, cpu);
	}
	return ret;
}

static int64_t read_all(struct vgic_tracefs *t, uint64_t before)
{
	uint64_t most = 0;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < t->nr_cpus && !ret; i++) {
		ret = read_cpu(t, i);
		if (t->cpus[i].taken > most)
			most = t->cpus[i].taken;
	}
	if (!ret)
		ret = vgic_subbuffers_take(t->subbuffers, before, take_event, t);
	return ret ? ret : (int64_t)most;
}

static void listen(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx)
{
	t->sink = sink;
	t->ctx = ctx;
}

int64_t vgic_tracefs_consume(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	listen(t, sink, ctx);
	return read_all(t, now.tv_sec * 1000000000ull + now.tv_nsec - SLACK);
}

/* Events of a CPU that were overwritten; 0 if the kernel does not tell. */
static uint64_t overrun_of(const struct cpu_files *c)
{
	char text[1024], *at;
	ssize_t n = c->stats >= 0 ? pread(c->stats, text, sizeof(text) - 1, 0) : -1;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strstr(text, "\noverrun: ");
	return at ? strtoull(at + strlen("\noverrun: "), NULL, 10) : 0;
}

/* What was lost at the very end has no event behind it that would tell. */
static int tell_rest(struct vgic_tracefs *t, uint32_t cpu)
{
	uint64_t overrun = overrun_of(&t->cpus[cpu]);
	uint64_t told = vgic_subbuffers_missed(t->subbuffers, cpu);
	struct tep_record rec = {
		.ts = vgic_subbuffers_last(t->subbuffers, cpu),
		.cpu = cpu,
	};

	if (overrun <= told)
		return 0;
	rec.missed_events = overrun - told > INT32_MAX ? INT32_MAX : (int)(overrun - told);
	return vgr_events_put(t->events, &rec);
}

int vgic_tracefs_stop(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx)
{
	int64_t n;
	uint32_t i;
	int ret;

	listen(t, sink, ctx);
	if (pwrite(t->tracing_on, "0", 1, 0) != 1)
		return -errno;
	do {
		n = read_all(t, UINT64_MAX);
	} while (n > 0);
	ret = n < 0 ? n : 0;
	for (i = 0; i < t->nr_cpus && !ret; i++)
		ret = tell_rest(t, i);
	return ret;
}

uint64_t vgic_tracefs_ring(const struct vgic_tracefs *t)
{
	return t->ring;
}

void vgic_tracefs_cpu_counters(const struct vgic_tracefs *t, uint32_t cpu,
			       struct vgic_capture_cpu *counters)
{
	memset(counters, 0, sizeof(*counters));
	if (cpu < t->nr_cpus) {
		counters->handled = t->cpus[cpu].handled;
		counters->lost = t->cpus[cpu].lost;
	}
}

uint32_t vgic_tracefs_nr_cpus(const struct vgic_tracefs *t)
{
	return t->nr_cpus;
}

uint64_t vgic_tracefs_untracked(const struct vgic_tracefs *t)
{
	return vgr_events_totals(t->events)->untracked;
}

int vgic_tracefs_destroy(struct vgic_tracefs *t)
{
	uint32_t i;
	int ret;

	if (!t)
		return 0;
	for (i = 0; i < t->nr_cpus; i++) {
		if (t->cpus[i].raw >= 0)
			close(t->cpus[i].raw);
		if (t->cpus[i].stats >= 0)
			close(t->cpus[i].stats);
	}
	if (t->tracing_on >= 0)
		close(t->tracing_on);
	/* Nothing of it is open any more. */
	ret = cleaner_finish(&t->cleaner);
	vgic_subbuffers_destroy(t->subbuffers);
	vgr_events_destroy(t->events);
	tep_free(t->tep);
	if (t->instance)
		tracefs_instance_free(t->instance);
	vgic_dynamic_destroy(t->dynamic);
	free(t->cpus);
	free(t);
	return ret;
}
