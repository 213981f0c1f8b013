// SPDX-License-Identifier: GPL-2.0-only
/* What this machine offers to a capture. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "hostinfo.h"
#include "host.skel.h"
#include "probes.h"
#include "refuse.h"
#include "shared.h"
#include "symbols.h"

/* ICH_HCR_EL2 */
#define HCR_TC	  (1u << 10)
#define HCR_TALL0 (1u << 11)
#define HCR_TALL1 (1u << 12)
#define HCR_TDIR  (1u << 14)
/* ICH_VTR_EL2 */
#define VTR_TDS	  (1u << 19)

enum {
	SYM_GLOBAL,
	SYM_MODE,
	SYM_HYP_PERCPU,
	SYM_PROTECTED,
	SYM_TRAP_KEY,
	SYM_GROUP0,
	SYM_GROUP1,
	SYM_COMMON,
	SYM_DIR,
	SYM_VTR_CODE,
	SYM_HYP_START,
	SYM_HYP_DATA,
	SYM_DIRECT,
	SYM_FIRST_PROBE
};

static const char *const variable_names[SYM_FIRST_PROBE] = {
	[SYM_GLOBAL] = "kvm_vgic_global_state",
	[SYM_MODE] = "kvm_mode",
	[SYM_HYP_PERCPU] = "__kvm_nvhe_kvm_arm_hyp_percpu_base",
	[SYM_PROTECTED] = "kvm_protected_mode_initialized",
	[SYM_TRAP_KEY] = "vgic_v3_cpuif_trap",
	[SYM_GROUP0] = "group0_trap",
	[SYM_GROUP1] = "group1_trap",
	[SYM_COMMON] = "common_trap",
	[SYM_DIR] = "dir_trap",
	[SYM_VTR_CODE] = "get_gic_ich_vtr",
	[SYM_HYP_START] = "__kvm_nvhe___per_cpu_start",
	[SYM_HYP_DATA] = "__kvm_nvhe_kvm_host_data",
	[SYM_DIRECT] = "register_ftrace_direct",
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return getenv("VGICSIM_BPF_LOG") ? vfprintf(stderr, format, args) : 0;
}

/* First bytes of a file as a string without its newline; false if it cannot be read. */
static bool read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

/* The GNU build id among the kernel's ELF notes. */
static void read_build_id(char *hex, size_t size)
{
	unsigned char buf[4096];
	int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	ssize_t n, at = 0;

	hex[0] = '\0';
	if (fd < 0)
		return;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	while (at + (ssize_t)sizeof(Elf64_Nhdr) <= n) {
		Elf64_Nhdr note;
		size_t name, desc, i;

		memcpy(&note, buf + at, sizeof(note));
		name = at + sizeof(note);
		desc = name + ((note.n_namesz + 3) & ~3u);
		if (desc + note.n_descsz > (size_t)n)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(buf + name, "GNU", 4)) {
			for (i = 0; i < note.n_descsz && 2 * i + 2 < size; i++)
				snprintf(hex + 2 * i, 3, "%02x", buf[desc + i]);
			return;
		}
		at = desc + ((note.n_descsz + 3) & ~3u);
	}
}

static void read_cpu(struct vgic_host *h)
{
	static const struct {
		uint32_t part; /* implementer << 16 | part */
		const char *name;
	} parts[] = {
		{0x410000 | 0xd03, "cortex-a53"},	 {0x410000 | 0xd04, "cortex-a35"},
		{0x410000 | 0xd05, "cortex-a55"},	 {0x410000 | 0xd07, "cortex-a57"},
		{0x410000 | 0xd08, "cortex-a72"},	 {0x410000 | 0xd09, "cortex-a73"},
		{0x410000 | 0xd0a, "cortex-a75"},	 {0x410000 | 0xd0b, "cortex-a76"},
		{0x410000 | 0xd0c, "neoverse-n1"},	 {0x410000 | 0xd40, "neoverse-v1"},
		{0x410000 | 0xd49, "neoverse-n2"},	 {0x410000 | 0xd4f, "neoverse-v2"},
		{0x410000 | 0xd84, "neoverse-v3"},	 {0x410000 | 0xd8e, "neoverse-n3"},
		{0xc00000 | 0xac3, "ampere1"},		 {0xc00000 | 0xac4, "ampere1a"},
		{0x610000 | 0x022, "apple-m1-icestorm"}, {0x610000 | 0x023, "apple-m1-firestorm"},
		{0x430000 | 0x0af, "thunderx2"},	 {0x480000 | 0xd01, "tsv110"},
		{0x000000 | 0x051, "qemu-max"},
	};
	char text[32];
	uint32_t part;
	size_t i;

	if (!read_text("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", text,
		       sizeof(text)))
		return;
	h->midr = strtoull(text, NULL, 16);
	part = (h->midr >> 24 & 0xff) << 16 | (h->midr >> 4 & 0xfff);
	snprintf(h->cpu_part, sizeof(h->cpu_part), "%06x", part);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].part == part)
			snprintf(h->cpu_part, sizeof(h->cpu_part), "%s", parts[i].name);
	}
}

/* QEMU's virt board names itself; EL2 on it means that the CPU is emulated too. */
static enum vgr_known read_emulated(void)
{
	char text[64];

	if (!read_text("/sys/firmware/devicetree/base/compatible", text, sizeof(text)))
		return VGR_UNKNOWN;
	return !strcmp(text, "linux,dummy-virt") ? VGR_YES : VGR_NO;
}

static void read_capabilities(struct vgic_host *h)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	uint64_t effective;
	bool admin;

	if (syscall(SYS_capget, &head, data))
		return;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	admin = effective >> CAP_SYS_ADMIN & 1;
	h->cap_bpf = admin || (effective >> CAP_BPF & 1);
	h->cap_perfmon = admin || (effective >> CAP_PERFMON & 1);
	h->cap_syslog = effective >> CAP_SYSLOG & 1;
}

static struct vgic_host_probe *probe_named(struct vgic_host *h, const char *name)
{
	size_t p;

	for (p = 0; strcmp(h->probes[p].name, name); p++)
		;
	return &h->probes[p];
}

/*
 * From 7.3 on every sync folds, and does nothing to a list before: one program less at each exit,
 * where the others are told which vCPU it is. In the nested state nothing is folded.
 */
static void choose_sync_begin(struct vgic_host *h, unsigned int gic)
{
	struct vgic_host_probe *begin = probe_named(h, "sync-begin");

	if (gic != 3 || !h->has_mapped || h->nested_mode ||
	    strcmp(probe_named(h, "sync-fold")->method, "fentry") ||
	    strcmp(probe_named(h, "sync-end")->method, "fexit"))
		return;
	begin->state = VGIC_PROBE_ABSENT;
	begin->method = "none";
	h->begins_at_fold = true;
}

static void choose_probes(struct vgic_host *h, const struct probe_availability *a,
			  enum vgic_attach attach)
{
	/* What could not be looked at is most likely a GICv3. */
	unsigned int gic = h->gic == 2 ? 2 : 3;
	size_t p;

	h->nr_probes = vgic_nr_probes;
	for (p = 0; p < vgic_nr_probes; p++) {
		const struct probe *probe = &vgic_probes[p];
		struct vgic_host_probe *to = &h->probes[p];
		int c = vgic_probe_choose(p, a, h->have_trampolines, attach, gic);
		int first = vgic_probe_first(p, gic);

		to->name = probe->name;
		to->use = probe->use;
		to->essential = probe->essential;
		if (probe->nested && !h->nested_mode)
			c = -1;
		if (c >= 0)
			first = c;
		to->function = probe->candidates[first < 0 ? 0 : first].function;
		to->method = c < 0 ? "none" : vgic_probe_way_name(probe->candidates[c].way);
		if (c >= 0)
			to->state = VGIC_PROBE_OK;
		else if (first < 0)
			to->state = VGIC_PROBE_ABSENT;
		else if (probe->nested && !h->nested_mode)
			to->state = VGIC_PROBE_ABSENT;
		else if (probe->newer && h->have_btf && !h->has_last_lr)
			to->state = VGIC_PROBE_ABSENT;
		else
			to->state = VGIC_PROBE_MISSING;
	}
	choose_sync_begin(h, gic);
}

uint32_t vgic_vtr_from_code(const uint32_t *code, size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n; i++) {
		uint32_t low = code[i], high = code[i + 1];

		/* MOVZ Xd, #low; MOVK Xd, #high, LSL #16 */
		if ((low & 0xffe00000) == 0xd2800000 && (high & 0xffe00000) == 0xf2a00000 &&
		    (low & 0x1f) == (high & 0x1f))
			return (high >> 5 & 0xffff) << 16 | (low >> 5 & 0xffff);
	}
	return 0;
}

/* Of a GICv3; 0 if it cannot be found out. KVM takes the number of LRs from its bits 3:0. */
static uint32_t vtr_of(const struct host_values *v)
{
	uint32_t vtr = v->vtr ? v->vtr : vgic_vtr_from_code(v->vtr_code, VTR_CODE_WORDS);

	return (vtr & 0xf) + 1 == (uint32_t)v->nr_lr ? vtr : 0;
}

static void take_values(struct vgic_host *h, const struct host_values *v, const struct symbol *s)
{
	h->looked = v->have_vgic;
	if (!h->looked)
		return;
	h->nr_lr = v->nr_lr;
	h->gic = v->vgic_type == 0 ? 2 : v->vgic_type == 1 ? 3 : 5;
	h->no_hw_deactivation = v->no_hw_deactivation;
	if (h->gic == 3)
		h->vtr = vtr_of(v);
	if (h->vtr) {
		h->pri_bits = (h->vtr >> 29 & 7) + 1;
		h->pre_bits = (h->vtr >> 26 & 7) + 1;
		h->id_bits = (h->vtr >> 23 & 7) ? 24 : 16;
		h->tdir = h->vtr & VTR_TDS ? VGR_YES : VGR_NO;
	} else if (h->gic == 2) {
		/* The kernel keeps no GICH_VTR: widths of GICH_LR and of the one GICH_APR. */
		h->pri_bits = 5;
		h->pre_bits = 5;
		h->id_bits = 10;
		/* GICH_HCR has no trap bits. */
		h->tdir = VGR_NO;
		h->traps = VGR_NO;
	}
	if (h->gic != 2 && v->have_traps) {
		h->traps = v->traps ? VGR_YES : VGR_NO;
		if (v->traps)
			h->static_traps = (v->group0_trap ? HCR_TALL0 : 0) |
					  (v->group1_trap ? HCR_TALL1 : 0) |
					  (v->common_trap ? HCR_TC : 0) |
					  (v->dir_trap ? HCR_TDIR : 0);
	}
	if (v->is_protected)
		h->mode = VGIC_KVM_PROTECTED;
	else if (s[SYM_HYP_PERCPU].address)
		h->mode = v->hyp_percpu ? VGIC_KVM_NVHE : VGIC_KVM_VHE;
	h->nested_mode = v->have_mode && v->kvm_mode == 2;
	if (h->mode == VGIC_KVM_NVHE && s[SYM_HYP_DATA].address && s[SYM_HYP_START].address) {
		h->hyp_percpu = s[SYM_HYP_PERCPU].address;
		h->hyp_host_data = s[SYM_HYP_DATA].address - s[SYM_HYP_START].address;
	}
	h->boundary = v->has_last_lr && (h->mode != VGIC_KVM_NVHE || h->hyp_percpu);
}

/* An ambiguous name is as good as none. */
static uint64_t unique(const struct symbol *s)
{
	return s->count == 1 ? s->address : 0;
}

static void look_into_kernel(struct vgic_host *h, const struct symbol *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct host_bpf *skel = host_bpf__open();
	int ret = skel ? 0 : -errno;

	if (!ret) {
		struct host_addresses *a = (void *)&skel->rodata->addresses;

		a->vgic_global = unique(&s[SYM_GLOBAL]);
		a->kvm_mode = unique(&s[SYM_MODE]);
		a->hyp_percpu = unique(&s[SYM_HYP_PERCPU]);
		a->protected_key = unique(&s[SYM_PROTECTED]);
		a->trap_key = unique(&s[SYM_TRAP_KEY]);
		a->group0_trap = unique(&s[SYM_GROUP0]);
		a->group1_trap = unique(&s[SYM_GROUP1]);
		a->common_trap = unique(&s[SYM_COMMON]);
		a->dir_trap = unique(&s[SYM_DIR]);
		a->vtr_code = unique(&s[SYM_VTR_CODE]);
		ret = host_bpf__load(skel);
	}
	if (!ret)
		ret = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.look), &run);
	if (ret) {
		snprintf(h->why_not_looked, sizeof(h->why_not_looked),
			 "a BPF program cannot be loaded: %s", strerror(-ret));
	} else if (skel->bss->values.ran) {
		const struct host_values *v = &skel->bss->values;

		h->irq_size = v->irq_size;
		h->cpuif_size = v->cpuif_size;

		h->has_last_lr = v->has_last_lr;
		h->has_on_lr = v->has_on_lr;
		h->words_tell_all = v->words_tell_all;
		h->has_mapped = v->has_mapped;
		h->has_active_spis = v->has_active_spis;
		take_values(h, v, s);
		if (!h->looked)
			snprintf(h->why_not_looked, sizeof(h->why_not_looked),
				 "kvm_vgic_global_state cannot be read");
	}
	host_bpf__destroy(skel);
}

void vgic_host_look(struct vgic_host *h, enum vgic_attach attach)
{
	struct symbol s[SYM_FIRST_PROBE + VGIC_MAX_PROBES * PROBE_CANDIDATES] = {{0}};
	size_t at[VGIC_MAX_PROBES * PROBE_CANDIDATES];
	struct probe_availability a = {0};
	libbpf_print_fn_t print;
	size_t n = SYM_FIRST_PROBE, p, i;
	struct utsname u;
	char host[256];

	memset(h, 0, sizeof(*h));
	h->tdir = h->traps = VGR_UNKNOWN;
	if (!uname(&u)) {
		snprintf(h->release, sizeof(h->release), "%s", u.release);
		snprintf(h->version, sizeof(h->version), "%s", u.version);
		snprintf(h->machine, sizeof(h->machine), "%s", u.machine);
	}
	h->arm64 = !strcmp(h->machine, "aarch64");
	if (!gethostname(host, sizeof(host) - 1)) {
		host[sizeof(host) - 1] = '\0';
		snprintf(h->hostname_hash, sizeof(h->hostname_hash), "%016llx",
			 (unsigned long long)XXH64(host, strlen(host), 0));
	}
	h->nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	h->have_kvm_device = !access("/dev/kvm", F_OK);
	h->have_btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	read_build_id(h->build_id, sizeof(h->build_id));
	read_cpu(h);
	h->emulated = read_emulated();
	read_capabilities(h);

	for (i = 0; i < SYM_FIRST_PROBE; i++)
		s[i].name = variable_names[i];
	for (p = 0; p < vgic_nr_probes; p++) {
		const struct probe_candidate *c = vgic_probes[p].candidates;

		for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++) {
			at[p * PROBE_CANDIDATES + i] = n;
			s[n++].name = c[i].function;
		}
	}
	if (!vgic_symbols_find(s, n)) {
		h->have_trampolines = s[SYM_DIRECT].count;
		h->have_addresses = s[SYM_DIRECT].address || s[SYM_GLOBAL].address;
		for (p = 0; p < vgic_nr_probes; p++) {
			const struct probe_candidate *c = vgic_probes[p].candidates;

			for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++)
				a.by_name[p * PROBE_CANDIDATES + i] =
					s[at[p * PROBE_CANDIDATES + i]].count;
		}
	}
	print = libbpf_set_print(quiet);
	if (h->have_btf && h->arm64)
		vgic_probes_in_btf(&a, &h->have_kvm);
	if (h->have_kvm)
		look_into_kernel(h, s);
	else
		snprintf(h->why_not_looked, sizeof(h->why_not_looked), "no KVM for arm64 here");
	libbpf_set_print(print);
	choose_probes(h, &a, attach);
}

int vgic_host_usable(const struct vgic_host *h, struct vgic_capture_error *err)
{
	size_t p;

	if (!h->arm64)
		return refuse(err, -ENOTSUP,
			      "this is %s, not an arm64 host: record on one, or replay "
			      "a recording",
			      h->machine);
	if (!h->have_btf)
		return refuse(err, -ENOTSUP,
			      "/sys/kernel/btf/vmlinux: the kernel has no BTF: use one "
			      "built with CONFIG_DEBUG_INFO_BTF");
	if (!h->have_kvm)
		return refuse(err, -ENOTSUP, "kernel %s has no KVM: use one built with CONFIG_KVM",
			      h->release);
	if (!h->have_kvm_device)
		return refuse(err, -ENODEV,
			      "/dev/kvm is missing: the kernel was not started at EL2, or with "
			      "kvm-arm.mode=none, or =protected with a GICv2");
	if (!h->cap_bpf || !h->cap_perfmon)
		return refuse(err, -EPERM,
			      "no privilege: %s%s%s missing: run as root or give these "
			      "capabilities",
			      h->cap_bpf ? "" : "CAP_BPF",
			      h->cap_bpf || h->cap_perfmon ? "" : " and ",
			      h->cap_perfmon ? "" : "CAP_PERFMON");
	if (!h->have_addresses)
		return refuse(err, -EPERM,
			      "/proc/kallsyms hides addresses: run with CAP_SYSLOG, or set "
			      "kernel.kptr_restrict=0 and kernel.perf_event_paranoid=1");
	if (!h->looked)
		return refuse(err, -EACCES, "the kernel's vgic: %s: see 'vgicsim doctor'",
			      h->why_not_looked);
	if (h->gic != 2 && h->gic != 3)
		return refuse(err, -ENOTSUP,
			      "this host has a GICv%u: only GICv2 and GICv3 can be recorded",
			      h->gic);
	if (h->nr_lr < 1 || h->nr_lr > (int)vgr_lr_limit(h->gic))
		return refuse(err, -ERANGE, "the kernel says %d list registers: expected 1 to %u",
			      h->nr_lr, vgr_lr_limit(h->gic));
	if (h->irq_size > RAW_IRQ_MAX || h->cpuif_size > RAW_CPUIF_MAX)
		return refuse(err, -ENOTSUP,
			      "kernel %s has structures of %u and %u bytes, larger than "
			      "expected: use one without lock debugging",
			      h->release, h->irq_size, h->cpuif_size);
	for (p = 0; p < h->nr_probes; p++) {
		const struct vgic_host_probe *probe = &h->probes[p];

		if (probe->essential && probe->state == VGIC_PROBE_MISSING)
			return refuse(err, -ENOTSUP,
				      "probe %s (%s): kernel %s has nothing to attach to: "
				      "see 'vgicsim doctor'",
				      probe->name, probe->function, h->release);
	}
	return 0;
}

static void feature(char *list, size_t size, const char *name, bool have)
{
	size_t n = strlen(list);

	if (have)
		snprintf(list + n, size - n, "%s%s", n ? " " : "", name);
}

void vgic_host_describe(const struct vgic_host *h, struct vgr_header *to, struct vgr_probe *probes)
{
	static const char *const modes[] = {
		[VGIC_KVM_UNKNOWN] = "",
		[VGIC_KVM_VHE] = "VHE",
		[VGIC_KVM_NVHE] = "nVHE",
		[VGIC_KVM_PROTECTED] = "protected",
	};
	size_t p;

	snprintf(to->kernel_release, sizeof(to->kernel_release), "%s", h->release);
	snprintf(to->kernel_version, sizeof(to->kernel_version), "%s", h->version);
	snprintf(to->build_id, sizeof(to->build_id), "%s", h->build_id);
	snprintf(to->machine, sizeof(to->machine), "%.31s", h->machine);
	snprintf(to->hostname_hash, sizeof(to->hostname_hash), "%s", h->hostname_hash);
	to->midr = h->midr;
	snprintf(to->cpu_part, sizeof(to->cpu_part), "%s", h->cpu_part);
	to->nr_cpus = h->nr_cpus;
	snprintf(to->kvm_mode, sizeof(to->kvm_mode), "%s",
		 h->nested_mode ? "nested" : modes[h->mode]);
	to->vgic_model = h->gic;
	to->gic_host = h->gic;
	to->nr_lr = h->nr_lr;
	to->pri_bits = h->pri_bits;
	to->pre_bits = h->pre_bits;
	to->id_bits = h->id_bits;
	to->vtr = h->vtr;
	to->static_traps = h->static_traps;
	to->tdir = h->tdir;
	to->nested = h->nested_mode ? VGR_UNKNOWN : VGR_NO;
	to->emulated = h->emulated;
	feature(to->features, sizeof(to->features), "on_lr", h->has_on_lr);
	feature(to->features, sizeof(to->features), "last_lr_irq", h->has_last_lr);
	feature(to->features, sizeof(to->features), "active_spis", h->has_active_spis);
	feature(to->features, sizeof(to->features), "mapped", h->has_mapped);
	feature(to->features, sizeof(to->features), "no_hw_deactivation", h->no_hw_deactivation);
	for (p = 0; p < h->nr_probes; p++) {
		memset(&probes[p], 0, sizeof(probes[p]));
		snprintf(probes[p].name, sizeof(probes[p].name), "%s", h->probes[p].function);
		snprintf(probes[p].method, sizeof(probes[p].method), "%s", h->probes[p].method);
		probes[p].essential = h->probes[p].essential;
	}
	to->probes = probes;
	to->nr_probes = h->nr_probes;
}
