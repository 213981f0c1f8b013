// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <vgicsim/capture.h>
#include "exit.h"
#include "options.h"
#include "output.h"

struct doctor_values {
	bool json;
};

static const struct option options[] = {
	{'j', "json", OPT_FLAG, offsetof(struct doctor_values, json), .help = "print JSON"},
	{0},
};

enum verdict { GOOD, FAIR, BAD };

static void line(enum verdict verdict, const char *what, const char *value, const char *advice)
{
	static const char *const words[] = {"ok", "--", "MISSING"};
	static const char *const colours[] = {CLI_GREEN, CLI_YELLOW, CLI_RED};
	bool colour = cli_color(stdout);

	printf("%-14s %s%-8s%s %s", what, colour ? colours[verdict] : "", words[verdict],
	       colour ? CLI_RESET : "", value);
	if (advice && *advice)
		printf("; %s", advice);
	printf("\n");
}

static const char *mode_name(const struct vgic_host *h)
{
	switch (h->mode) {
	case VGIC_KVM_VHE:
		return h->nested_mode ? "VHE, nested virtualization on" : "VHE";
	case VGIC_KVM_NVHE:
		return "nVHE";
	case VGIC_KVM_PROTECTED:
		return "protected (pKVM)";
	case VGIC_KVM_UNKNOWN:
		break;
	}
	return "unknown";
}

static const char *known(enum vgr_known k)
{
	return k == VGR_YES ? "yes" : k == VGR_NO ? "no" : "unknown";
}

static void print_host(const struct vgic_host *h)
{
	char text[256], caps[64];

	snprintf(text, sizeof(text), "%s (%s)", h->release, h->machine);
	line(h->arm64 ? GOOD : BAD, "kernel", text,
	     h->arm64 ? NULL
		      : "recording needs an arm64 host; recordings can be read and replayed here");
	line(h->have_btf ? GOOD : BAD, "BTF",
	     h->have_btf ? "/sys/kernel/btf/vmlinux" : "no /sys/kernel/btf/vmlinux",
	     h->have_btf ? NULL : "use a kernel built with CONFIG_DEBUG_INFO_BTF");
	line(h->have_kvm_device ? GOOD : BAD, "KVM",
	     h->have_kvm_device ? "/dev/kvm" : "no /dev/kvm",
	     h->have_kvm_device ? NULL : "start the kernel at EL2, without kvm-arm.mode=none");
	snprintf(caps, sizeof(caps), "%s%s%s", h->cap_bpf ? "CAP_BPF " : "",
		 h->cap_perfmon ? "CAP_PERFMON " : "", h->cap_syslog ? "CAP_SYSLOG" : "");
	line(h->cap_bpf && h->cap_perfmon ? GOOD : BAD, "privileges", *caps ? caps : "none",
	     h->cap_bpf && h->cap_perfmon
		     ? NULL
		     : "run as root, or with CAP_BPF, CAP_PERFMON, CAP_SYSLOG");
	line(h->have_addresses ? GOOD : BAD, "symbols",
	     h->have_addresses ? "/proc/kallsyms" : "/proc/kallsyms hides addresses",
	     h->have_addresses ? NULL
			       : "needs CAP_SYSLOG, or kernel.kptr_restrict=0 with "
				 "kernel.perf_event_paranoid=1");
	line(h->have_trampolines ? GOOD : FAIR, "trampolines",
	     h->have_trampolines ? "fentry and fexit" : "no fentry and fexit",
	     h->have_trampolines ? NULL : "breakpoints are used instead, which cost more");
	if (!h->looked) {
		line(BAD, "vgic", h->why_not_looked, NULL);
		return;
	}
	line(h->mode == VGIC_KVM_UNKNOWN ? FAIR : GOOD, "KVM mode", mode_name(h), NULL);
	snprintf(text, sizeof(text), "GICv%u", h->gic);
	line(h->gic == 2 || h->gic == 3 ? GOOD : BAD, "GIC", text,
	     h->gic == 2 || h->gic == 3 ? NULL : "only GICv2 and GICv3 can be recorded");
	snprintf(text, sizeof(text), "%d (priority bits %u, preemption bits %u, INTID bits %u)",
		 h->nr_lr, h->pri_bits, h->pre_bits, h->id_bits);
	line(h->nr_lr >= 1 && h->nr_lr <= (int)vgr_lr_limit(h->gic) ? GOOD : BAD, "LRs", text,
	     NULL);
	snprintf(text, sizeof(text), "DIR trapped alone: %s; static traps: %s (0x%x)",
		 known(h->tdir), known(h->traps), h->static_traps);
	line(GOOD, "traps", h->gic == 2 ? "none: a GICv2 has no such bits" : text, NULL);
	line(h->boundary ? GOOD : FAIR, "boundary",
	     h->boundary      ? "last_lr_irq"
	     : h->has_last_lr ? "last_lr_irq cannot be read"
			      : "this kernel has none",
	     NULL);
	snprintf(text, sizeof(text), "%s, MIDR 0x%" PRIx64 ", %u online; emulated: %s", h->cpu_part,
		 h->midr, h->nr_cpus, known(h->emulated));
	line(GOOD, "CPU", text, NULL);
}

static void print_probes(const struct vgic_host *h)
{
	size_t p;

	printf("\n%-14s %-8s %-10s %-34s %s\n", "probe", "", "method", "function", "for");
	for (p = 0; p < h->nr_probes; p++) {
		const struct vgic_host_probe *probe = &h->probes[p];
		const char *state = probe->state == VGIC_PROBE_OK ? "ok"
				    : probe->state == VGIC_PROBE_ABSENT || !probe->essential
					    ? "--"
					    : "MISSING";

		printf("%-14s %-8s %-10s %-34s %s%s\n", probe->name, state, probe->method,
		       probe->function, probe->use,
		       probe->state == VGIC_PROBE_ABSENT ? " (not needed here)" : "");
	}
}

static int print_json(const struct vgic_host *h, const char *why_not, const char *why_no_tracefs)
{
	json_t *probes = json_array(), *o;
	size_t p;

	for (p = 0; p < h->nr_probes; p++) {
		const struct vgic_host_probe *probe = &h->probes[p];
		static const char *const states[] = {"ok", "absent", "missing"};

		json_array_append_new(
			probes, json_pack("{s:s,s:s,s:s,s:s,s:b}", "name", probe->name, "function",
					  probe->function, "method", probe->method, "state",
					  states[probe->state], "essential", probe->essential));
	}
	o = json_pack("{s:b,s:s?,s:s,s:s,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b}", "usable", !why_not,
		      "why_not", why_not, "kernel", h->release, "machine", h->machine, "btf",
		      h->have_btf, "kvm", h->have_kvm_device, "kallsyms", h->have_addresses,
		      "trampolines", h->have_trampolines, "cap_bpf", h->cap_bpf, "cap_perfmon",
		      h->cap_perfmon, "cap_syslog", h->cap_syslog, "looked", h->looked);
	if (o) {
		json_object_set_new(o, "usable_by_tracefs", json_boolean(!why_no_tracefs));
		json_object_set_new(o, "why_no_tracefs",
				    why_no_tracefs ? json_string(why_no_tracefs) : json_null());
	}
	if (o && h->looked) {
		json_object_set_new(o, "kvm_mode", json_string(mode_name(h)));
		json_object_set_new(o, "nested", json_boolean(h->nested_mode));
		json_object_set_new(o, "gic", json_integer(h->gic));
		json_object_set_new(o, "lrs", json_integer(h->nr_lr));
		json_object_set_new(o, "priority_bits", json_integer(h->pri_bits));
		json_object_set_new(o, "preemption_bits", json_integer(h->pre_bits));
		json_object_set_new(o, "id_bits", json_integer(h->id_bits));
		json_object_set_new(o, "vtr", json_sprintf("0x%08x", h->vtr));
		json_object_set_new(o, "tdir", json_string(known(h->tdir)));
		json_object_set_new(o, "static_traps",
				    h->traps == VGR_UNKNOWN
					    ? json_null()
					    : json_sprintf("0x%x", h->static_traps));
		json_object_set_new(o, "boundary", json_boolean(h->boundary));
	}
	if (o)
		json_object_set_new(o, "probes", probes);
	return cli_print_json(stdout, o, false);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct doctor_values *v = values;
	struct vgic_capture_error err = {""}, trace_err = {""};
	struct vgic_host h;
	int unusable, untraced, ret;

	vgic_host_look(&h, VGIC_ATTACH_AUTO);
	unusable = vgic_host_usable(&h, &err);
	untraced = vgic_host_usable_tracefs(&h, &trace_err);
	if (v->json) {
		print_json(&h, unusable ? err.text : NULL, untraced ? trace_err.text : NULL);
	} else {
		print_host(&h);
		if (h.have_kvm)
			print_probes(&h);
		if (!unusable)
			printf("\nvgicsim record works here.\n");
		if (h.arm64 && untraced)
			printf("Not with --backend=tracefs: %s\n", trace_err.text);
		else if (h.arm64)
			printf("vgicsim record --backend=tracefs works here%s.\n",
			       unusable ? ", without it not" : ", too");
	}
	ret = cli_finish_stdout();
	if (ret)
		return ret;
	if (unusable && untraced)
		return cli_fail(EXIT_HOST, "recording does not work here: %s", err.text);
	return EXIT_OK;
}

static const char *const examples[] = {
	"vgicsim doctor                      # what can be recorded here, and how",
	"vgicsim doctor --json | jq .usable  # for programs",
	NULL,
};

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "Say what this host offers to a recording, and what is missing",
	.usage = "[OPTIONS]",
	.options = options,
	.values_size = sizeof(struct doctor_values),
	.examples = examples,
	.run = run,
};
