// SPDX-License-Identifier: GPL-2.0-only
/* Which way to a probe is taken, and when a host is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
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

static const struct probe_candidate *choice(const char *name, const struct probe_availability *a,
					    bool trampolines, enum vgic_attach attach)
{
	size_t p = probe_named(name);
	int c = vgic_probe_choose(p, a, trampolines, attach);

	return c < 0 ? NULL : &vgic_probes[p].candidates[c];
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
	h.gic = 2;
	refused(&h, "GICv2");
	good_host(&h);
	h.nr_lr = 17;
	refused(&h, "17 list registers");
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
	assert_string_equal(header.policy, "linux-7.3");
	assert_string_equal(header.kvm_mode, "nVHE");
	assert_string_equal(header.features, "on_lr last_lr_irq");
	strcpy(h.release, "6.19.3");
	vgic_host_describe(&h, &header, probes);
	assert_string_equal(header.policy, "");
	h.has_on_lr = false;
	vgic_host_describe(&h, &header, probes);
	assert_string_equal(header.policy, "linux-6.12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_way),      cmocka_unit_test(test_other_function),
		cmocka_unit_test(test_symbol_only),   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_missing_probe), cmocka_unit_test(test_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
