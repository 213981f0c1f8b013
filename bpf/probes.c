// SPDX-License-Identifier: GPL-2.0-only
/*
 * One table: what is probed, for what, and how. Kernels differ in what they inline and
 * in names, so each probe has candidates, best first.
 */
#include <errno.h>
#include <string.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "probes.h"

#define ENTRY_ON(gic, function, base)                     \
	{WAY_FENTRY, function, "fentry_" base, gic},      \
	{                                                 \
		WAY_KPROBE, function, "kprobe_" base, gic \
	}
#define RETURN_ON(gic, function, base)                          \
	{WAY_FEXIT, function, "fexit_" base, gic},              \
	{                                                       \
		WAY_KRETPROBE, function, "kretprobe_" base, gic \
	}
#define ENTRY(function, base)  ENTRY_ON(0, function, base)
#define RETURN(function, base) RETURN_ON(0, function, base)

const struct probe vgic_probes[] = {
	{"flush-begin",
	 "list before a flush",
	 true,
	 false,
	 false,
	 {ENTRY("kvm_vgic_flush_hwstate", "flush_begin")}},
	/* Under the list lock where the kernel has a function of its own for this. */
	{"flush-end",
	 "list, list registers and HCR after a flush",
	 true,
	 false,
	 false,
	 {RETURN_ON(3, "vgic_v3_configure_hcr", "flush_config"),
	  RETURN_ON(2, "vgic_v2_configure_hcr", "flush_config_v2"),
	  RETURN("kvm_vgic_flush_hwstate", "flush_end")}},
	{"sync-begin",
	 "list before a sync",
	 true,
	 false,
	 false,
	 {ENTRY("kvm_vgic_sync_hwstate", "sync_begin")}},
	{"sync-fold",
	 "list registers, EOIcount and VMCR read back",
	 true,
	 false,
	 false,
	 {ENTRY_ON(3, "vgic_v3_fold_lr_state", "sync_fold"),
	  ENTRY_ON(2, "vgic_v2_fold_lr_state", "sync_fold_v2")}},
	{"sync-end",
	 "state after a sync",
	 true,
	 false,
	 false,
	 {RETURN("kvm_vgic_sync_hwstate", "sync_end")}},
	{"entry", "guest entries", true, false, false, {{WAY_TP_BTF, "kvm_entry", "tp_entry", 0}}},
	{"exit",
	 "guest exits and their reasons",
	 true,
	 false,
	 false,
	 {{WAY_TP_BTF, "kvm_exit", "tp_exit", 0}}},
	{"inject",
	 "interrupt lines of devices and timers",
	 true,
	 false,
	 false,
	 {ENTRY("kvm_vgic_inject_irq", "inject")}},
	/* A GICv2 guest writes GICD_SGIR, which "mmio" sees. */
	{"sgi",
	 "software-generated interrupts",
	 true,
	 false,
	 false,
	 {ENTRY_ON(3, "vgic_v3_dispatch_sgi", "sgi")}},
	{"load", "vCPU loaded on a CPU", true, false, false, {ENTRY("kvm_vgic_load", "load")}},
	{"put", "vCPU taken off a CPU", true, false, false, {ENTRY("kvm_vgic_put", "put")}},
	{"vcpu-gone",
	 "end of a vCPU, so that its address can be used again",
	 true,
	 false,
	 false,
	 {ENTRY("kvm_arch_vcpu_destroy", "vcpu_gone")}},
	{"vm-gone", "end of a VM", true, false, false, {ENTRY("kvm_arch_destroy_vm", "vm_gone")}},
	{"deactivate",
	 "trapped deactivations",
	 false,
	 true,
	 false,
	 {ENTRY_ON(3, "vgic_v3_deactivate", "dir"), ENTRY_ON(2, "vgic_v2_deactivate", "dir_v2")}},
	{"prune",
	 "deferred list updates",
	 false,
	 true,
	 false,
	 {ENTRY("kvm_vgic_process_async_update", "prune")}},
	{"mmio",
	 "trapped MMIO accesses",
	 false,
	 false,
	 false,
	 {{WAY_TP_BTF, "kvm_mmio", "tp_mmio", 0}}},
	{"wfx", "WFI and WFE", false, false, false, {{WAY_TP_BTF, "kvm_wfx_arm64", "tp_wfx", 0}}},
	{"kick",
	 "kicks of vCPUs",
	 false,
	 false,
	 false,
	 {ENTRY("__kvm_vcpu_kick", "kick"), ENTRY("kvm_vcpu_kick", "kick_old")}},
	{"msi",
	 "MSIs handed to the ITS",
	 false,
	 false,
	 false,
	 {{WAY_FEXIT, "vgic_its_inject_msi", "fexit_msi", 3}}},
	{"msi-atomic",
	 "MSIs of irqfds",
	 false,
	 false,
	 false,
	 {{WAY_FEXIT, "kvm_arch_set_irq_inatomic", "fexit_msi_atomic", 3}}},
	{"irqfd-begin",
	 "tells irqfds from ioctls",
	 false,
	 false,
	 false,
	 {{WAY_FENTRY, "vgic_irqfd_set_irq", "fentry_irqfd_begin", 0}}},
	{"irqfd-end",
	 "tells irqfds from ioctls",
	 false,
	 false,
	 false,
	 {{WAY_FEXIT, "vgic_irqfd_set_irq", "fexit_irqfd_end", 0}}},
	{"level",
	 "sampled levels of timers",
	 false,
	 false,
	 false,
	 {{WAY_FEXIT, "kvm_arch_timer_get_input_level", "fexit_level", 0}}},
	{"acked",
	 "resample notifications",
	 false,
	 false,
	 false,
	 {{WAY_FENTRY, "kvm_notify_acked_irq", "fentry_acked", 0}}},
	{"nested-flush",
	 "marks flushes of nested guests",
	 false,
	 true,
	 true,
	 {{WAY_FENTRY, "vgic_v3_flush_nested", "fentry_flush_nested", 3}}},
	/* In the nested state nothing configures ICH_HCR in the usual place. */
	{"nested-end",
	 "flushes of nested guests",
	 false,
	 true,
	 true,
	 {{WAY_FEXIT, "kvm_vgic_flush_hwstate", "fexit_flush_end", 3}}},
	{"nested-sync",
	 "marks syncs of nested guests",
	 false,
	 true,
	 true,
	 {{WAY_FENTRY, "vgic_v3_sync_nested", "fentry_sync_nested", 3}}},
};
const size_t vgic_nr_probes = sizeof(vgic_probes) / sizeof(vgic_probes[0]);

_Static_assert(sizeof(vgic_probes) / sizeof(vgic_probes[0]) <= VGIC_MAX_PROBES,
	       "VGIC_MAX_PROBES is too small");

const char *vgic_probe_way_name(enum probe_way way)
{
	switch (way) {
	case WAY_FENTRY:
		return "fentry";
	case WAY_FEXIT:
		return "fexit";
	case WAY_TP_BTF:
		return "tp_btf";
	case WAY_KPROBE:
		return "kprobe";
	case WAY_KRETPROBE:
		return "kretprobe";
	}
	return "none";
}

static bool suits(const struct probe_candidate *c, unsigned int gic)
{
	return !c->gic || c->gic == gic;
}

int vgic_probe_first(size_t p, unsigned int gic)
{
	const struct probe_candidate *c = vgic_probes[p].candidates;
	int i;

	for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++) {
		if (suits(&c[i], gic))
			return i;
	}
	return -1;
}

int vgic_probe_choose(size_t p, const struct probe_availability *a, bool trampolines,
		      enum vgic_attach attach, unsigned int gic)
{
	const struct probe_candidate *c = vgic_probes[p].candidates;
	int pass, i;

	/*
	 * A function that can only be reached by a breakpoint still beats the next
	 * function, so candidates go by pairs in the table's order.
	 */
	for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++) {
		size_t at = p * PROBE_CANDIDATES + i;

		pass = 0;
		if (!suits(&c[i], gic))
			continue;
		switch (c[i].way) {
		case WAY_FENTRY:
		case WAY_FEXIT:
			pass = a->by_btf[at] && trampolines && attach != VGIC_ATTACH_KPROBE;
			break;
		case WAY_TP_BTF:
			pass = a->by_btf[at];
			break;
		case WAY_KPROBE:
		case WAY_KRETPROBE:
			pass = a->by_name[at] && attach != VGIC_ATTACH_FENTRY;
			break;
		}
		if (pass)
			return i;
	}
	return -1;
}

int vgic_probes_in_btf(struct probe_availability *a, bool *have_kvm)
{
	struct btf *btf = btf__load_vmlinux_btf();
	__u32 id, n;
	size_t p;

	if (!btf)
		return errno ? -errno : -ENOENT;
	n = btf__type_cnt(btf);
	for (id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);
		bool typedef_name = btf_is_typedef(t);

		if (!name || (!btf_is_func(t) && !typedef_name))
			continue;
		if (typedef_name) {
			if (strncmp(name, "btf_trace_", 10))
				continue;
			name += 10;
		}
		/* A kernel has a hundred thousand functions. */
		if (*name != 'k' && *name != 'v' && *name != '_')
			continue;
		for (p = 0; p < vgic_nr_probes; p++) {
			const struct probe_candidate *c = vgic_probes[p].candidates;
			int i;

			for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++) {
				if ((c[i].way == WAY_TP_BTF) == typedef_name &&
				    !strcmp(name, c[i].function))
					a->by_btf[p * PROBE_CANDIDATES + i] = true;
			}
		}
	}
	*have_kvm = btf__find_by_name_kind(btf, "vgic_irq", BTF_KIND_STRUCT) > 0;
	btf__free(btf);
	return 0;
}
