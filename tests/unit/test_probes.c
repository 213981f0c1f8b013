// SPDX-License-Identifier: GPL-2.0-only
/* Which way to a probe is taken, and when a host is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "hostinfo.h"
#include "probes.h"

static size_t probe_named(const char *name)
{
	size_t p;

	for (p = 0; p < vgic_nr_probes; p++) {
		if (!strcmp(vgic_probes[p].name, name))
			return p;
	}
	fail_msg("no probe %s", name);
	return 0;
}

static const struct probe_candidate *choice_on(unsigned int gic, const char *name,
					       const struct probe_availability *a, bool trampolines,
					       enum vgic_attach attach)
{
	size_t p = probe_named(name);
	int c = vgic_probe_choose(p, a, trampolines, attach, gic);

	return c < 0 ? NULL : &vgic_probes[p].candidates[c];
}

static const struct probe_candidate *choice(const char *name, const struct probe_availability *a,
					    bool trampolines, enum vgic_attach attach)
{
	return choice_on(3, name, a, trampolines, attach);
}

/* Everything that a kernel can have, but for one function. */
static void all_but(struct probe_availability *a, const char *function)
{
	size_t p;
	int i;

	memset(a, 0, sizeof(*a));
	for (p = 0; p < vgic_nr_probes; p++) {
		const struct probe_candidate *c = vgic_probes[p].candidates;

		for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++) {
			bool have = !function || strcmp(c[i].function, function) != 0;

			a->by_btf[p * PROBE_CANDIDATES + i] = have;
			a->by_name[p * PROBE_CANDIDATES + i] = have;
		}
	}
}

static void test_best_way(void **state)
{
	const struct probe_candidate *c;
	struct probe_availability a;

	all_but(&a, NULL);
	c = choice("flush-begin", &a, true, VGIC_ATTACH_AUTO);
	assert_int_equal(c->way, WAY_FENTRY);
	c = choice("flush-begin", &a, false, VGIC_ATTACH_AUTO);
	assert_int_equal(c->way, WAY_KPROBE);
	c = choice("flush-begin", &a, true, VGIC_ATTACH_KPROBE);
	assert_int_equal(c->way, WAY_KPROBE);
	assert_null(choice("flush-begin", &a, false, VGIC_ATTACH_FENTRY));
	/* A tracepoint is a tracepoint however functions are reached. */
	c = choice("exit", &a, false, VGIC_ATTACH_KPROBE);
	assert_int_equal(c->way, WAY_TP_BTF);
}

static void test_other_function(void **state)
{
	const struct probe_candidate *c;
	struct probe_availability a;

	all_but(&a, NULL);
	c = choice("flush-end", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "vgic_v3_configure_hcr");
	/* By a breakpoint is still better than later. */
	c = choice("flush-end", &a, false, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "vgic_v3_configure_hcr");
	assert_int_equal(c->way, WAY_KRETPROBE);
	all_but(&a, "vgic_v3_configure_hcr");
	c = choice("flush-end", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "kvm_vgic_flush_hwstate");
	assert_int_equal(c->way, WAY_FEXIT);
	all_but(&a, "kvm_exit");
	assert_null(choice("exit", &a, true, VGIC_ATTACH_AUTO));
}

/* A function that only the symbol table knows (inlined clones, no BTF). */
static void test_symbol_only(void **state)
{
	const struct probe_candidate *c;
	struct probe_availability a;

	all_but(&a, NULL);
	memset(a.by_btf, 0, sizeof(a.by_btf));
	c = choice("inject", &a, true, VGIC_ATTACH_AUTO);
	assert_int_equal(c->way, WAY_KPROBE);
	assert_null(choice("exit", &a, true, VGIC_ATTACH_AUTO));
}

/* One kernel has the functions of both; the host's GIC says which of them run. */
static void test_gicv2(void **state)
{
	const struct probe_candidate *c;
	struct probe_availability a;
	size_t p;
	int i;

	all_but(&a, NULL);
	c = choice_on(2, "flush-end", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "vgic_v2_configure_hcr");
	c = choice_on(2, "flush-end", &a, true, VGIC_ATTACH_KPROBE);
	assert_string_equal(c->function, "vgic_v2_configure_hcr");
	assert_int_equal(c->way, WAY_KRETPROBE);
	c = choice_on(2, "sync-fold", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "vgic_v2_fold_lr_state");
	c = choice_on(2, "deactivate", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "vgic_v2_deactivate");
	c = choice_on(2, "sync-end", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "kvm_vgic_sync_hwstate");
	/* GICD_SGIR is MMIO, and there is no ITS. */
	assert_null(choice_on(2, "sgi", &a, true, VGIC_ATTACH_AUTO));
	assert_int_equal(vgic_probe_first(probe_named("sgi"), 2), -1);
	assert_int_equal(vgic_probe_first(probe_named("msi"), 2), -1);
	assert_int_equal(vgic_probe_first(probe_named("mmio"), 2), 0);
	all_but(&a, "vgic_v2_configure_hcr");
	c = choice_on(2, "flush-end", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "kvm_vgic_flush_hwstate");
	c = choice_on(3, "flush-end", &a, true, VGIC_ATTACH_AUTO);
	assert_string_equal(c->function, "vgic_v3_configure_hcr");
	/* Nothing of the one is ever chosen for the other. */
	for (p = 0; p < vgic_nr_probes; p++) {
		for (i = 0; i < PROBE_CANDIDATES && vgic_probes[p].candidates[i].way; i++) {
			const struct probe_candidate *k = &vgic_probes[p].candidates[i];

			assert_int_equal(k->gic == 2, !!strstr(k->function, "_v2_"));
			if (strstr(k->function, "_v3_") || strstr(k->function, "_its_"))
				assert_int_equal(k->gic, 3);
		}
	}
}

static void good_host(struct vgic_host *h)
{
	size_t p;

	memset(h, 0, sizeof(*h));
	strcpy(h->machine, "aarch64");
	strcpy(h->release, "7.2.0");
	h->arm64 = h->have_btf = h->have_kvm = h->have_kvm_device = true;
	h->cap_bpf = h->cap_perfmon = h->have_addresses = h->looked = true;
	h->gic = 3;
	h->nr_lr = 4;
	h->nr_probes = vgic_nr_probes;
	for (p = 0; p < vgic_nr_probes; p++) {
		h->probes[p].name = vgic_probes[p].name;
		h->probes[p].function = vgic_probes[p].candidates[0].function;
		h->probes[p].method = "fentry";
		h->probes[p].essential = vgic_probes[p].essential;
	}
}

static void refused(const struct vgic_host *h, const char *word)
{
	struct vgic_capture_error err = {""};

	assert_true(vgic_host_usable(h, &err) < 0);
	if (!strstr(err.text, word))
		fail_msg("'%s' is not in: %s", word, err.text);
	assert_null(strchr(err.text, '\n'));
}

static void test_refusals(void **state)
{
	struct vgic_capture_error err;
	struct vgic_host h;

	good_host(&h);
	assert_int_equal(vgic_host_usable(&h, &err), 0);
	h.have_btf = false;
	refused(&h, "BTF");
	good_host(&h);
	h.have_kvm = false;
	refused(&h, "no KVM");
	good_host(&h);
	h.have_kvm_device = false;
	refused(&h, "/dev/kvm");
	good_host(&h);
	h.cap_perfmon = false;
	refused(&h, "CAP_PERFMON");
	good_host(&h);
	h.have_addresses = false;
	refused(&h, "CAP_SYSLOG");
	good_host(&h);
	h.gic = 5;
	refused(&h, "GICv5");
	good_host(&h);
	h.nr_lr = 17;
	refused(&h, "17 list registers");
	good_host(&h);
	h.gic = 2;
	h.nr_lr = 64;
	assert_int_equal(vgic_host_usable(&h, &err), 0);
	h.nr_lr = 65;
	refused(&h, "65 list registers");
	good_host(&h);
	h.irq_size = 4096;
	refused(&h, "lock debugging");
	good_host(&h);
	h.arm64 = false;
	strcpy(h.machine, "x86_64");
	refused(&h, "x86_64");
}

static void test_missing_probe(void **state)
{
	struct vgic_capture_error err;
	struct vgic_host h;
	size_t p;

	for (p = 0; p < vgic_nr_probes; p++) {
		good_host(&h);
		h.probes[p].state = VGIC_PROBE_MISSING;
		h.probes[p].method = "none";
		if (h.probes[p].essential)
			refused(&h, h.probes[p].name);
		else
			assert_int_equal(vgic_host_usable(&h, &err), 0);
	}
}

/* What the header of a recording says about the probes and the kernel. */
static void test_description(void **state)
{
	struct vgr_probe probes[VGIC_MAX_PROBES];
	struct vgr_header header;
	struct vgic_host h;

	good_host(&h);
	h.probes[probe_named("msi")].method = "none";
	h.has_on_lr = h.has_last_lr = true;
	h.mode = VGIC_KVM_NVHE;
	vgr_header_init(&header);
	vgic_host_describe(&h, &header, probes);
	assert_int_equal(header.nr_probes, vgic_nr_probes);
	assert_string_equal(header.probes[probe_named("msi")].method, "none");
	assert_true(header.probes[probe_named("flush-begin")].essential);
	assert_string_equal(header.kvm_mode, "nVHE");
	assert_string_equal(header.features, "on_lr last_lr_irq");
	assert_int_equal(header.gic_host, 3);
	assert_int_equal(header.vgic_model, 3);
	good_host(&h);
	h.gic = 2;
	h.tdir = VGR_NO;
	vgr_header_init(&header);
	vgic_host_describe(&h, &header, probes);
	assert_int_equal(header.gic_host, 2);
	assert_int_equal(header.vgic_model, 2);
	assert_int_equal(header.static_traps, 0);
	assert_int_equal(header.tdir, VGR_NO);
}

/* get_gic_ich_vtr of Debian's 7.3.4 with 0x90180003 patched in, as aarch64 objdump reads it. */
static void test_vtr_in_code(void **state)
{
	uint32_t code[] = {
		0xd503201f, 0xd503201f, 0xd2800061, 0xf2b20301, /* nop; nop; movz x1; movk x1 */
		0x92a07480, 0x8a000021, 0xb26c0021, 0x52800000,
	};

	assert_int_equal(vgic_vtr_from_code(code, 8), 0x90180003);
	assert_int_equal(vgic_vtr_from_code(code, 3), 0);
	/* Another register, and halves the other way round, are something else. */
	code[3] = 0xf2b20302;
	assert_int_equal(vgic_vtr_from_code(code, 8), 0);
	code[2] = 0xf2b20301;
	code[3] = 0xd2800061;
	assert_int_equal(vgic_vtr_from_code(code, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_way),    cmocka_unit_test(test_other_function),
		cmocka_unit_test(test_symbol_only), cmocka_unit_test(test_gicv2),
		cmocka_unit_test(test_refusals),    cmocka_unit_test(test_missing_probe),
		cmocka_unit_test(test_vtr_in_code), cmocka_unit_test(test_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
