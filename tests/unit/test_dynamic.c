// SPDX-License-Identifier: GPL-2.0-only
/* The dynamic events of kernels that are made up: their BTF is built here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <bpf/btf.h>
#include <vgicsim/dynamic.h>

struct kernel {
	struct btf *btf;
	int u8, u32, u64, pointer;
};

static int member(struct kernel *k, const char *name, int type, unsigned int byte)
{
	int err = btf__add_field(k->btf, name, type, 8 * byte, 0);

	assert_int_equal(err, 0);
	return type;
}

/* newer: flags are bits, and there is what came later. */
static void make_kernel(struct kernel *k, bool newer)
{
	int v3, lrs, list, head, cpu, arch, dist, karch, inner, mm;

	k->btf = btf__new_empty();
	assert_non_null(k->btf);
	k->u8 = btf__add_int(k->btf, "u8", 1, 0);
	k->u32 = btf__add_int(k->btf, "u32", 4, 0);
	k->u64 = btf__add_int(k->btf, "u64", 8, 0);
	k->pointer = btf__add_ptr(k->btf, 0);
	lrs = btf__add_array(k->btf, k->u32, k->u64, 16);
	list = btf__add_struct(k->btf, "list_head", 16);
	member(k, "next", k->pointer, 0);
	member(k, "prev", k->pointer, 8);
	btf__add_struct(k->btf, "vgic_irq", newer ? 96 : 112);
	member(k, "intid", k->u32, newer ? 4 : 56);
	member(k, "ap_list", list, 24);
	member(k, "vcpu", k->pointer, 40);
	member(k, "target_vcpu", k->pointer, 48);
	if (newer) {
		static const char *const flags[] = {"pending_latch", "config", "line_level",
						    "enabled",	     "active", "hw",
						    "on_lr",	     "mapped"};
		int i;

		for (i = 0; i < 8; i++)
			assert_int_equal(btf__add_field(k->btf, flags[i], k->u8, 56 * 8 + i, 1), 0);
	} else {
		static const char *const flags[] = {"line_level", "pending_latch", "active",
						    "enabled", "hw"};
		int i;

		for (i = 0; i < 5; i++)
			member(k, flags[i], k->u8, 60 + i);
		member(k, "config", k->u32, 88);
	}
	member(k, "hwintid", k->u32, newer ? 64 : 72);
	member(k, "source", k->u8, newer ? 76 : 84);
	member(k, "active_source", k->u8, newer ? 77 : 85);
	member(k, "priority", k->u8, newer ? 78 : 86);
	member(k, "group", k->u8, newer ? 79 : 87);
	member(k, "ops", k->pointer, newer ? 80 : 96);
	v3 = btf__add_struct(k->btf, "vgic_v3_cpu_if", 304);
	member(k, "vgic_hcr", k->u32, 0);
	member(k, "vgic_vmcr", k->u32, 4);
	member(k, "vgic_lr", lrs, 48);
	member(k, "used_lrs", k->u32, 296);
	/* It stands in a union without a name. */
	inner = btf__add_union(k->btf, NULL, 304);
	member(k, "vgic_v3", v3, 0);
	head = btf__add_typedef(k->btf, "vgic_cpu_t", btf__type_cnt(k->btf));
	cpu = btf__add_struct(k->btf, "vgic_cpu", 400);
	member(k, "", inner, 0);
	member(k, "ap_list_head", list, 320);
	arch = btf__add_struct(k->btf, "kvm_vcpu_arch", 1000);
	member(k, "vgic_cpu", head, 100 * 8);
	arch = btf__add_struct(k->btf, "kvm_vcpu_arch_real", 1300);
	member(k, "vgic_cpu", cpu, 800);
	member(k, "pmu", k->u64, 1280);
	btf__add_struct(k->btf, "kvm_vcpu", 2000);
	member(k, "kvm", k->pointer, 0);
	member(k, "vcpu_id", k->u32, 36);
	member(k, "vcpu_idx", k->u32, 40);
	member(k, "mode", k->u32, 48);
	member(k, "arch", arch, 200);
	dist = btf__add_struct(k->btf, "vgic_dist", 200);
	member(k, "vgic_model", k->u32, 4);
	member(k, "nr_spis", k->u32, 16);
	member(k, "vgic_dist_base", k->u64, 32);
	member(k, "enabled", k->u8, 56);
	if (newer)
		member(k, "active_spis", k->u32, 24);
	karch = btf__add_struct(k->btf, "kvm_arch", 300);
	member(k, "vgic", dist, 16);
	btf__add_struct(k->btf, "kvm", 400);
	member(k, "mm", k->pointer, 8);
	member(k, "arch", karch, 64);
	mm = btf__add_struct(k->btf, NULL, 100);
	member(k, "owner", k->pointer, 40);
	btf__add_struct(k->btf, "mm_struct", 100);
	member(k, "", mm, 0);
	btf__add_struct(k->btf, "task_struct", 100);
	member(k, "tgid", k->u32, 20);
	btf__add_struct(k->btf, "kvm_msi", 32);
	member(k, "data", k->u32, 8);
	member(k, "devid", k->u32, 16);
	mm = btf__add_struct(k->btf, NULL, 20);
	member(k, "data", k->u32, 8);
	member(k, "devid", k->u32, 16);
	btf__add_struct(k->btf, "kvm_kernel_irq_routing_entry", 64);
	member(k, "type", k->u32, 4);
	member(k, "msi", mm, 16);
	if (newer) {
		btf__add_struct(k->btf, "kvm_host_data", 64);
		member(k, "last_lr_irq", k->pointer, 8);
	}
}

static bool has_all(void *ctx, const char *name)
{
	char *const *but = ctx;

	for (; but && *but; but++) {
		if (!strcmp(*but, name))
			return false;
	}
	return true;
}

static const struct vgic_host host = {
	.arm64 = true, .looked = true, .gic = 3, .nr_lr = 4, .mode = VGIC_KVM_VHE, .tdir = VGR_YES};

static const struct vgic_dynamic_event *event_of(const struct vgic_dynamic *d, enum vgr_event event)
{
	size_t i;

	for (i = 0; i < d->nr_events; i++) {
		if (d->events[i].event == event)
			return &d->events[i];
	}
	return NULL;
}

static void test_newer(void **state)
{
	struct vgic_dynamic_opts opts = {.fprobes = true};
	const struct vgic_dynamic_event *e;
	struct vgic_capture_error err;
	struct vgic_dynamic *d;
	struct kernel k;
	size_t i;

	make_kernel(&k, true);
	assert_int_equal(vgic_dynamic_create_from(&d, &host, &opts, k.btf, has_all, NULL, &err), 0);
	assert_int_equal(d->facts.head, 200 + 800 + 320);
	assert_int_equal(d->facts.pmu, 200 + 1280);
	assert_int_equal(d->facts.active.bit, 56 * 8 + 4);
	assert_int_equal(d->facts.active.width, 1);
	assert_int_equal(d->facts.mapped.width, 1);
	assert_true(d->facts.has_last_lr);
	e = event_of(d, VGR_EV_FLUSH_END);
	assert_non_null(e);
	assert_string_equal(e->place, "vgic_v3_configure_hcr");
	assert_int_equal(strncmp(e->line,
				 "f:vgicsim/flush_end vgic_v3_configure_hcr%return vcpu=$arg1", 59),
			 0);
	assert_non_null(strstr(e->args, "lr=+1048($arg1):x64[4]"));
	assert_non_null(strstr(e->args, "e2=-24(+0(+0(+1320($arg1)))):x64[12]"));
	assert_non_null(strstr(e->args, "b1=-24(+8(+1328($arg1))):x64[12]"));
	assert_non_null(strstr(e->args, "active_spis=+104(+0($arg1)):s32"));
	/* Every sync folds: the fold is its begin; and nothing else ends a flush. */
	assert_null(event_of(d, VGR_EV_SYNC_BEGIN));
	assert_null(event_of(d, VGR_EV_FLUSH_LATE));
	assert_non_null(strstr(event_of(d, VGR_EV_SYNC_FOLD)->args, "first="));
	assert_null(event_of(d, VGR_EV_NESTED_FLUSH));
	assert_non_null(strstr(event_of(d, VGR_EV_LOAD)->args, "tgid=+20(+40(+8(+0($arg1)))):u32"));
	/* The kernel takes no longer line, no longer argument, and no deeper one. */
	for (i = 0; i < d->nr_events; i++) {
		char copy[4096], *arg;

		assert_true(strlen(d->events[i].line) < 4000);
		snprintf(copy, sizeof(copy), "%s", d->events[i].args);
		for (arg = strtok(copy, " "); arg; arg = strtok(NULL, " ")) {
			unsigned int depth = 0;
			char *p;

			assert_true(strlen(strchr(arg, '=') + 1) <= 63);
			for (p = arg; *p; p++)
				depth += *p == '(';
			assert_true(depth <= 8);
		}
	}
	vgic_dynamic_destroy(d);
	btf__free(k.btf);
}

static void test_older(void **state)
{
	static const char *const but[] = {"vgic_v3_configure_hcr", "__kvm_vcpu_kick",
					  "vgic_v3_deactivate", "kvm_arch_destroy_vm", NULL};
	struct vgic_dynamic_opts opts = {.entries = 3};
	const struct vgic_dynamic_event *e;
	struct vgic_capture_error err;
	struct vgic_dynamic *d;
	struct kernel k;

	make_kernel(&k, false);
	assert_int_equal(
		vgic_dynamic_create_from(&d, &host, &opts, k.btf, has_all, (void *)but, &err), 0);
	assert_int_equal(d->facts.line.bit, 60 * 8);
	assert_int_equal(d->facts.line.width, 8);
	assert_int_equal(d->facts.config.width, 32);
	assert_int_equal(d->facts.on_lr.width, 0);
	e = event_of(d, VGR_EV_FLUSH_LATE);
	assert_non_null(e);
	assert_int_equal(strncmp(e->line, "r:vgicsim/flush_late kvm_vgic_flush_hwstate vcpu", 48),
			 0);
	assert_null(strstr(e->args, "e3="));
	assert_null(strstr(e->args, "b0="));
	assert_null(strstr(e->args, "active_spis"));
	assert_non_null(event_of(d, VGR_EV_SYNC_BEGIN));
	assert_null(strstr(event_of(d, VGR_EV_SYNC_FOLD)->args, "first="));
	assert_string_equal(event_of(d, VGR_EV_KICK)->place, "kvm_vcpu_kick");
	/* What older kernels need not have is not missing; what all have is. */
	assert_false(d->missing[VGR_EV_DIR]);
	assert_true(d->missing[VGR_EV_VM_GONE]);
	vgic_dynamic_destroy(d);
	btf__free(k.btf);
}

/* Where BPF may not look, the event itself reads what it can. */
static void test_not_looked(void **state)
{
	struct vgic_host blind = {.arm64 = true};
	struct vgic_dynamic_opts opts = {0};
	struct vgic_capture_error err;
	struct vgic_dynamic *d;
	struct kernel k;

	make_kernel(&k, true);
	btf__add_struct(k.btf, "vgic_global", 100);
	member(&k, "nr_lr", k.u32, 56);
	member(&k, "no_hw_deactivation", k.u8, 71);
	assert_int_equal(vgic_dynamic_create_from(&d, &blind, &opts, k.btf, has_all, NULL, &err),
			 0);
	assert_int_equal(d->facts.nr_lr, 0);
	assert_non_null(
		strstr(event_of(d, VGR_EV_LOAD)->args, "k_nr_lr=@kvm_vgic_global_state+56:u8"));
	assert_non_null(strstr(event_of(d, VGR_EV_SYNC_END)->args, "x64[16]"));
	vgic_dynamic_destroy(d);
	btf__free(k.btf);
}

static void test_refused(void **state)
{
	struct vgic_host odd = host;
	struct vgic_dynamic_opts opts = {0};
	struct vgic_capture_error err;
	struct vgic_dynamic *d;
	struct btf *empty = btf__new_empty();

	assert_int_equal(vgic_dynamic_create_from(&d, &host, &opts, empty, has_all, NULL, &err),
			 -ENOTSUP);
	assert_non_null(strstr(err.text, "BTF"));
	odd.gic = 5;
	assert_int_equal(vgic_dynamic_create_from(&d, &odd, &opts, empty, has_all, NULL, &err),
			 -ENOTSUP);
	assert_non_null(strstr(err.text, "GICv5"));
	btf__free(empty);
	assert_true(vgic_dynamic_has_fprobes(
		"\t           f[:[<group>/][<event>]] <func-name>[%return] [<args>]\n"));
	assert_false(vgic_dynamic_has_fprobes(
		"\t   Format: p[:[<group>/][<event>]] <place> [<args>]\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_not_looked),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
