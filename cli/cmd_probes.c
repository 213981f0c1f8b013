// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include <vgicsim/capture.h>
#include <vgicsim/dynamic.h>
#include "exit.h"
#include "options.h"
#include "output.h"

#define TRACEFS "/sys/kernel/tracing"

struct probes_values {
	bool trace_cmd, json;
	uint64_t entries, buffer;
	const char *attach;
};

static const struct probes_values defaults = {
	.entries = VGR_EVENT_ENTRIES,
	.buffer = 16384,
	.attach = "auto",
};

static const char *const attach_names[] = {"auto", "fprobe", "kprobe", NULL};

#define MEMBER(m) offsetof(struct probes_values, m)

static const struct option options[] = {
	{0, "trace-cmd", OPT_FLAG, MEMBER(trace_cmd),
	 .help = "print a shell script that captures the same with trace-cmd"},
	{0, "entries", OPT_NUMBER, MEMBER(entries), .arg = "N",
	 .help = "entries of each list that its events hold, 1 to 14 (default 14)", .min = 1,
	 .max = VGR_EVENT_ENTRIES},
	{0, "attach", OPT_CHOICE, MEMBER(attach), .arg = "HOW",
	 .help = "events: auto, fprobe or kprobe (default auto)", .choices = attach_names},
	{'b', "buffer", OPT_NUMBER, MEMBER(buffer), .arg = "KIB",
	 .help = "trace-cmd's buffer for each CPU (default 16384)", .min = 64, .max = 4u << 20},
	{'j', "json", OPT_FLAG, MEMBER(json), .help = "print JSON"},
	{0},
};

/* f: events are there from 6.14 on; the kernel tells what it takes. */
static bool has_fprobes(void)
{
	static char readme[65536];
	size_t have = 0;
	ssize_t n;
	int fd = open(TRACEFS "/README", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while (have < sizeof(readme) - 1 &&
	       (n = read(fd, readme + have, sizeof(readme) - 1 - have)) > 0)
		have += n;
	close(fd);
	readme[have] = '\0';
	return vgic_dynamic_has_fprobes(readme);
}

static const char *kind_name(enum vgic_dynamic_kind kind)
{
	static const char *const names[] = {
		[VGIC_DYNAMIC_KPROBE] = "kprobe",
		[VGIC_DYNAMIC_KRETPROBE] = "kretprobe",
		[VGIC_DYNAMIC_FPROBE] = "fprobe",
		[VGIC_DYNAMIC_FPROBE_RETURN] = "fprobe return",
	};

	return names[kind];
}

static void print_script(const struct vgic_host *h, const struct vgic_dynamic *d,
			 const struct probes_values *v)
{
	size_t i;

	printf("#!/bin/sh\n"
	       "# For Linux %s only. As root:\n"
	       "#   sh FILE [COMMAND [ARGUMENT]...]     until COMMAND ends, or ^C\n"
	       "#   vgicsim import trace.dat            (or what OUT says)\n"
	       "t=" TRACEFS "\n"
	       "clean() {\n"
	       "\t[ ! -e $t/events/" VGR_EVENT_GROUP " ] || echo 0 > $t/events/" VGR_EVENT_GROUP
	       "/enable\n"
	       "\tfor e in $(ls $t/events/" VGR_EVENT_GROUP " 2> /dev/null); do\n"
	       "\t\t[ ! -d $t/events/" VGR_EVENT_GROUP "/$e ] || echo \"-:" VGR_EVENT_GROUP
	       "/$e\" >> $t/dynamic_events\n"
	       "\tdone\n"
	       "}\n"
	       "clean\n"
	       "trap clean EXIT\n"
	       "set -e\n",
	       h->release);
	for (i = 0; i < d->nr_events; i++)
		printf("echo '%s' >> $t/dynamic_events\n", d->events[i].line);
	printf("trace-cmd record -C mono -b %llu -o \"${OUT:-trace.dat}\" -e " VGR_EVENT_GROUP,
	       (unsigned long long)v->buffer);
	for (i = 0; i < d->nr_tracepoints; i++)
		printf(" -e kvm:%s", vgr_event_name(d->tracepoints[i]));
	printf(" \"$@\"\n");
}

static void print_table(const struct vgic_host *h, const struct vgic_dynamic *d, const char *why)
{
	size_t i;

	printf("%-14s %-10s %-34s %s\n", "record: probe", "method", "function", "for");
	for (i = 0; i < h->nr_probes; i++) {
		const struct vgic_host_probe *p = &h->probes[i];

		printf("%-14s %-10s %-34s %s%s\n", p->name, p->method, p->function, p->use,
		       p->state == VGIC_PROBE_ABSENT	? " (not needed here)"
		       : p->state == VGIC_PROBE_MISSING ? " (MISSING)"
							: "");
	}
	if (!d) {
		printf("\nNo events for trace-cmd: %s\n", why);
		return;
	}
	printf("\n%-14s %-14s %s\n", "trace-cmd:", "", "");
	for (i = 0; i < d->nr_events; i++)
		printf("%-14s %-14s %s\n", vgr_event_name(d->events[i].event),
		       kind_name(d->events[i].kind), d->events[i].place);
	for (i = 0; i < d->nr_tracepoints; i++)
		printf("%-14s %-14s kvm:%s\n", vgr_event_name(d->tracepoints[i]), "tracepoint",
		       vgr_event_name(d->tracepoints[i]));
	for (i = 0; i < VGR_EV_END; i++) {
		if (d->missing[i])
			printf("%-14s %-14s this kernel has no place for it\n", vgr_event_name(i),
			       "MISSING");
	}
}

static int print_json(const struct vgic_host *h, const struct vgic_dynamic *d, const char *why)
{
	json_t *o, *probes = json_array(), *events = json_array();
	size_t i;

	for (i = 0; i < h->nr_probes; i++)
		json_array_append_new(probes,
				      json_pack("{s:s,s:s,s:s,s:s,s:b}", "name", h->probes[i].name,
						"method", h->probes[i].method, "function",
						h->probes[i].function, "for", h->probes[i].use,
						"essential", h->probes[i].essential));
	for (i = 0; d && i < d->nr_events; i++)
		json_array_append_new(
			events,
			json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "system", VGR_EVENT_GROUP, "name",
				  vgr_event_name(d->events[i].event), "kind",
				  kind_name(d->events[i].kind), "place", d->events[i].place,
				  "arguments", d->events[i].args, "line", d->events[i].line));
	for (i = 0; d && i < d->nr_tracepoints; i++)
		json_array_append_new(events, json_pack("{s:s,s:s,s:s}", "system", "kvm", "name",
							vgr_event_name(d->tracepoints[i]), "kind",
							"tracepoint"));
	o = json_pack("{s:s,s:o,s:o}", "kernel", h->release, "probes", probes, "events", events);
	if (o && !d)
		json_object_set_new(o, "no_events", json_string(why));
	return cli_print_json(stdout, o, false);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct probes_values *v = values;
	struct vgic_dynamic_opts opts = {.entries = v->entries};
	struct vgic_capture_error err = {""};
	struct vgic_dynamic *d = NULL;
	struct vgic_host h;
	int ret;

	if (v->trace_cmd && v->json)
		return cli_fail(EXIT_USAGE, "--trace-cmd and --json exclude one another");
	vgic_host_look(&h, VGIC_ATTACH_AUTO);
	if (!h.have_kvm)
		return cli_fail(EXIT_HOST, "%s: see 'vgicsim doctor'",
				h.arm64 ? h.why_not_looked : "this is not an arm64 host");
	opts.fprobes =
		!strcmp(v->attach, "fprobe") || (!strcmp(v->attach, "auto") && has_fprobes());
	ret = vgic_dynamic_create(&d, &h, &opts, &err);
	if (ret && (v->trace_cmd || ret == -ENOMEM))
		return cli_fail(ret == -ENOMEM ? EXIT_SOFTWARE : EXIT_HOST, "%s", err.text);
	if (v->trace_cmd)
		print_script(&h, d, v);
	else if (v->json)
		print_json(&h, d, err.text);
	else
		print_table(&h, d, err.text);
	vgic_dynamic_destroy(d);
	return cli_finish_stdout();
}

static const char *const examples[] = {
	"vgicsim probes                         # what record watches on this host, and how",
	"vgicsim probes --trace-cmd > watch.sh  # the same for trace-cmd, where BPF is not to be "
	"had",
	"sh watch.sh vgic-guest burst && vgicsim import trace.dat",
	NULL,
};

const struct command cmd_probes = {
	.name = "probes",
	.summary = "List what record watches on this host, or print it for trace-cmd",
	.usage = "[OPTIONS]",
	.options = options,
	.values_size = sizeof(struct probes_values),
	.defaults = &defaults,
	.examples = examples,
	.run = run,
};
