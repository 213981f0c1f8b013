// SPDX-License-Identifier: GPL-2.0-only
/* KVM's copy of the CPU interface, where it differs from hardware, and who sees a DIR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <vgicsim/vgic.h>

#define ALL_TRAPS (VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1 | VGIC_HCR_TDIR)

static struct vgic *vgic;
static struct vgic_v3_cpuif_config cfg;
static struct vgic_v3_cpuif hw;
static struct vgic_policy_spec spec;
static unsigned int dirs;

static void physical_dir(void *opaque, unsigned int vcpu, uint32_t pintid)
{
	dirs++;
}

static void start(const char *overrides, bool has_tdir, bool unadvertised, uint32_t traps)
{
	struct vgic_config vc = {
		.nr_vcpus = 1,
		.nr_spis = 64,
		.nr_lr = 4,
		.has_tdir = has_tdir,
		.unadvertised = unadvertised,
		.static_traps = traps,
		.env = {.physical_dir = physical_dir},
	};

	spec.policy = *vgic_policy_find("newest");
	assert_int_equal(vgic_policy_override(&spec, overrides), 0);
	vc.policy = &spec.policy;
	vgic_destroy(vgic);
	vgic = NULL;
	assert_int_equal(vgic_create(&vgic, &vc), 0);
	cfg = vgic_v3_cpuif_defaults(4);
	vgic_v3_cpuif_init(&hw, &cfg);
	hw.hcr = VGIC_HCR_EN | vgic_static_traps(vgic);
	hw.vmcr = VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
	dirs = 0;
}

static int setup(void **state)
{
	start("", true, false, ALL_TRAPS);
	return 0;
}

static int teardown(void **state)
{
	vgic_destroy(vgic);
	vgic = NULL;
	return 0;
}

static void put_lr(unsigned int i, uint64_t state, uint32_t intid, unsigned int prio)
{
	hw.lr[i] = state | VGIC_LR_GROUP1 | intid | (uint64_t)prio << VGIC_LR_PRIORITY_SHIFT;
}

static void whole_life_of_an_interrupt(void **state)
{
	put_lr(0, VGIC_LR_PENDING | VGIC_LR_HW | 77ull << VGIC_LR_PINTID_SHIFT, 40, 0x80);
	assert_int_equal(vgic_v3_cpuif_ack(&hw, 1).did, VGIC_DID_TRAP);
	assert_int_equal(vgic_el2_ack(vgic, 0, &hw, 1).intid, 40);
	assert_int_equal(hw.hcr & ALL_TRAPS, ALL_TRAPS);
	assert_ptr_equal(hw.cfg, &cfg);
	assert_int_equal(vgic_v3_cpuif_eoi(&hw, 1, 40).did, VGIC_DID_TRAP);
	assert_true(vgic_el2_eoi(vgic, 0, &hw, 1, 40).did & VGIC_DID_DEACTIVATE);
	assert_int_equal(dirs, 1);
	assert_int_equal(hw.lr[0] & VGIC_LR_STATE, 0);
}

/* Hardware model 3.4: the copy counts with EOImode 1 and without an active priority. */
static void misses_that_count(void **state)
{
	hw.vmcr |= VGIC_VMCR_VEOIM;
	hw.ap1r[0] = 1;
	assert_true(vgic_el2_eoi(vgic, 0, &hw, 1, 41).did & VGIC_DID_COUNT);
	assert_int_equal(vgic_v3_eoicount(hw.hcr), 1);
	assert_true(vgic_el2_eoi(vgic, 0, &hw, 1, 41).did & VGIC_DID_COUNT);
	assert_int_equal(vgic_v3_eoicount(hw.hcr), 2);
	/* HW-25 */
	hw.ap1r[0] = 1;
	vgic_el2_eoi(vgic, 0, &hw, 1, 8192);
	assert_int_equal(vgic_v3_eoicount(hw.hcr), 2);
}

static void control_registers(void **state)
{
	assert_false(vgic_v3_cpuif_write_pmr(&hw, 0x40));
	vgic_el2_write_pmr(&hw, 0x40);
	assert_int_equal(hw.vmcr >> VGIC_VMCR_VPMR_SHIFT, 0x40);
	vgic_el2_write_igrpen(&hw, 0, true);
	assert_true(hw.vmcr & VGIC_VMCR_VENG0);
	vgic_el2_write_igrpen(&hw, 1, false);
	assert_false(hw.vmcr & VGIC_VMCR_VENG1);
	vgic_el2_write_ctlr(&hw, true, true);
	assert_true(hw.vmcr & VGIC_VMCR_VEOIM);
	assert_true(hw.vmcr & VGIC_VMCR_VCBPR);
}

static unsigned int bpr1(void)
{
	return (hw.vmcr & VGIC_VMCR_VBPR1) >> VGIC_VMCR_VBPR1_SHIFT;
}

/* bpr1_cbpr_bug: which CBPR decides. */
static void bpr1_with_cbpr(void **state)
{
	static const struct {
		const char *overrides;
		bool cbpr;
		uint32_t value;
		unsigned int expect;
	} cases[] = {
		{"bpr1_cbpr_bug=0", false, 5, 5},  {"bpr1_cbpr_bug=0", true, 5, 3},
		{"bpr1_cbpr_bug=0", false, 21, 5}, {"bpr1_cbpr_bug=1", false, 5, 5},
		{"bpr1_cbpr_bug=1", true, 5, 5},   {"bpr1_cbpr_bug=1", false, 21, 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(cases[i].overrides, true, false, ALL_TRAPS);
		vgic_el2_write_bpr(vgic, &hw, 1, 3);
		if (cases[i].cbpr)
			hw.vmcr |= VGIC_VMCR_VCBPR;
		vgic_el2_write_bpr(vgic, &hw, 1, cases[i].value);
		assert_int_equal(bpr1(), cases[i].expect);
		assert_int_equal(!!(hw.vmcr & VGIC_VMCR_VCBPR), cases[i].cbpr);
	}
}

/* Hardware model 2: VBPR0 = 7 and CBPR. */
static void saturated_bpr0(void **state)
{
	hw.vmcr |= VGIC_VMCR_VCBPR | VGIC_VMCR_VBPR0;
	assert_int_equal(vgic_v3_cpuif_group_priority(&hw, 1, 0xf8), 0);
	cfg.cbpr_saturates = true;
	assert_int_equal(vgic_v3_cpuif_group_priority(&hw, 1, 0xf8), 0x80);
	assert_int_equal(vgic_v3_cpuif_group_priority(&hw, 0, 0xf8), 0);
}

/* OV-61: who serves a DIR. */
static void dir_in_an_lr(void **state)
{
	put_lr(0, VGIC_LR_ACTIVE, 40, 0x80);
	hw.vmcr |= VGIC_VMCR_VEOIM;
	vgic->vcpus[0].hcr = VGIC_HCR_EN | VGIC_HCR_TDIR;
	assert_true(vgic_dir_fast(vgic, 0, &hw, 40));
	assert_int_equal(hw.lr[0] & VGIC_LR_STATE, 0);
	/* Not there: an exit with TDIR, a count without. */
	assert_false(vgic_dir_fast(vgic, 0, &hw, 41));
	assert_int_equal(vgic_v3_eoicount(hw.hcr), 0);
	vgic->vcpus[0].hcr = VGIC_HCR_EN;
	assert_true(vgic_dir_fast(vgic, 0, &hw, 41));
	assert_int_equal(vgic_v3_eoicount(hw.hcr), 1);
	assert_int_equal(hw.hcr & ALL_TRAPS, ALL_TRAPS);
	/* EOImode 0: nothing to do. */
	hw.vmcr &= ~VGIC_VMCR_VEOIM;
	assert_true(vgic_dir_fast(vgic, 0, &hw, 41));
	assert_int_equal(vgic_v3_eoicount(hw.hcr), 1);
}

/* dir_in_lr=0, as first posted: TDIR always means an exit. */
static void dir_as_first_posted(void **state)
{
	start("dir_in_lr=0", true, false, ALL_TRAPS);
	put_lr(0, VGIC_LR_ACTIVE, 40, 0x80);
	hw.vmcr |= VGIC_VMCR_VEOIM;
	vgic->vcpus[0].hcr = VGIC_HCR_EN | VGIC_HCR_TDIR;
	assert_false(vgic_dir_fast(vgic, 0, &hw, 40));
	assert_true(hw.lr[0] & VGIC_LR_ACTIVE);
}

/* OV-60: without a static trap every trapped DIR is an exit. */
static void dir_on_a_plain_host(void **state)
{
	start("", true, false, 0);
	put_lr(0, VGIC_LR_ACTIVE, 40, 0x80);
	hw.vmcr |= VGIC_VMCR_VEOIM;
	vgic->vcpus[0].hcr = VGIC_HCR_EN | VGIC_HCR_TDIR;
	assert_false(vgic_dir_fast(vgic, 0, &hw, 40));
}

static void hosts(void **state)
{
	static const struct {
		const char *overrides;
		bool has_tdir, unadvertised;
		uint32_t traps, expect_traps;
		bool expect_tdir, shadow_tdir;
	} cases[] = {
		{"", true, false, 0, 0, true, false},
		{"", false, false, 0, VGIC_HCR_TC, false, true},
		{"tdir_without_tds=0", false, false, 0, VGIC_HCR_TC, false, false},
		{"no_tds_traps_tc=0", false, false, 0, 0, false, true},
		{"", true, true, VGIC_HCR_TALL1, VGIC_HCR_TALL1, true, false},
		{"v1_tdir_probe_bug=1", true, true, VGIC_HCR_TALL1, VGIC_HCR_TALL1 | VGIC_HCR_TC,
		 false, true},
		{"v1_tdir_probe_bug=1", true, false, 0, 0, true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(cases[i].overrides, cases[i].has_tdir, cases[i].unadvertised, cases[i].traps);
		assert_int_equal(vgic_static_traps(vgic), cases[i].expect_traps);
		assert_int_equal(vgic_has_tdir(vgic), cases[i].expect_tdir);
		vgic_flush(vgic, 0);
		assert_int_equal(!!(vgic->vcpus[0].hcr & VGIC_HCR_TDIR), cases[i].shadow_tdir);
	}
}

/* 6.12 writes HCR with LRs only; with traps it does so when the vCPU is loaded, too (HI-1). */
static void traps_without_lrs(void **state)
{
	vgic_destroy(vgic);
	vgic = NULL;
	assert_int_equal(vgic_create(&vgic,
				     &(struct vgic_config){
					     .policy = vgic_policy_find("linux-6.12"),
					     .nr_vcpus = 1,
					     .nr_lr = 4,
					     .static_traps = VGIC_HCR_TC,
				     }),
			 0);
	hw.hcr = 0;
	vgic_load(vgic, 0, &hw);
	vgic_flush(vgic, 0);
	vgic_restore(vgic, 0, &hw);
	assert_int_equal(hw.hcr, VGIC_HCR_EN | VGIC_HCR_TC);
	assert_false(vgic_v3_cpuif_write_pmr(&hw, 0x80));

	vgic->cfg.static_traps = 0;
	hw.hcr = 0;
	vgic_load(vgic, 0, &hw);
	assert_int_equal(hw.hcr, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_life_of_an_interrupt),
		TEST(misses_that_count),
		TEST(control_registers),
		TEST(bpr1_with_cbpr),
		TEST(saturated_bpr0),
		TEST(dir_in_an_lr),
		TEST(dir_as_first_posted),
		TEST(dir_on_a_plain_host),
		TEST(hosts),
		TEST(traps_without_lrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
