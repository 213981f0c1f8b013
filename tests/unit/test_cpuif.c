// SPDX-License-Identifier: GPL-2.0-only
/* The CPU interface, rule by rule: illegal one step before, legal at the step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <vgicsim/cpuif.h>

#define PENDING VGIC_LR_PENDING
#define ACTIVE	VGIC_LR_ACTIVE
#define BOTH	(VGIC_LR_PENDING | VGIC_LR_ACTIVE)

static struct vgic_v3_cpuif_config cfg;
static struct vgic_v3_cpuif c;

static uint64_t lr(uint64_t state, uint32_t intid, unsigned int prio)
{
	return state | VGIC_LR_GROUP1 | intid | (uint64_t)prio << VGIC_LR_PRIORITY_SHIFT;
}

static int reset(void **state)
{
	cfg = vgic_v3_cpuif_defaults(4);
	vgic_v3_cpuif_init(&c, &cfg);
	c.hcr = VGIC_HCR_EN;
	c.vmcr = VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
	return 0;
}

static void split(bool on)
{
	c.vmcr = on ? c.vmcr | VGIC_VMCR_VEOIM : c.vmcr & ~VGIC_VMCR_VEOIM;
}

static void hppi_takes_only_pending(void **state)
{
	assert_int_equal(vgic_v3_cpuif_hppi(&c), -1);
	c.lr[1] = lr(ACTIVE, 40, 0x10);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), -1);
	c.lr[1] = lr(BOTH, 40, 0x10);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), -1);
	c.lr[1] = lr(PENDING, 40, 0x10);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 1);
}

static void hppi_lowest_number_then_lowest_lr(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x20);
	c.lr[1] = lr(PENDING, 41, 0x20);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 0);
	cfg.tie = VGIC_TIE_HIGHEST_LR;
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 1);
	cfg.tie = VGIC_TIE_LOWEST_LR;
	c.lr[3] = lr(PENDING, 42, 0x18);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 3);
}

static void hppi_ignores_bits_that_are_not_implemented(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x27);
	c.lr[1] = lr(PENDING, 41, 0x20);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 0);
	cfg.prio_bits = 8;
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 1);
}

static void lowest_priority_is_never_chosen(void **state)
{
	cfg.prio_bits = 8;
	c.lr[0] = lr(PENDING, 40, 0xff);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), -1);
	c.lr[0] = lr(PENDING, 40, 0xfe);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 0);
}

static void disabled_group_does_not_hide(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x00) & ~VGIC_LR_GROUP1;
	c.lr[1] = lr(PENDING, 41, 0x80);
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 1);
	assert_true(vgic_v3_cpuif_line(&c, 1));
	c.vmcr |= VGIC_VMCR_VENG0;
	assert_int_equal(vgic_v3_cpuif_hppi(&c), 0);
	assert_true(vgic_v3_cpuif_line(&c, 0));
	assert_false(vgic_v3_cpuif_line(&c, 1));
}

static void pmr_masks_at_and_above(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x80);
	assert_true(vgic_v3_cpuif_write_pmr(&c, 0x80));
	assert_false(vgic_v3_cpuif_can_signal(&c));
	assert_true(vgic_v3_cpuif_write_pmr(&c, 0x88));
	assert_true(vgic_v3_cpuif_can_signal(&c));
	c.hcr &= ~VGIC_HCR_EN;
	assert_false(vgic_v3_cpuif_can_signal(&c));
}

static void running_priority_masks_by_group_priority(void **state)
{
	struct vgic_access a;

	c.lr[0] = lr(PENDING, 40, 0x80);
	a = vgic_v3_cpuif_ack(&c, 1);
	assert_int_equal(a.intid, 40);
	assert_int_equal(a.did, VGIC_DID_ACK);
	assert_int_equal(vgic_v3_cpuif_running_priority(&c), 0x80);
	c.lr[1] = lr(PENDING, 41, 0x80);
	assert_int_equal(vgic_v3_cpuif_ack(&c, 1).intid, VGIC_SPURIOUS);
	c.lr[1] = lr(PENDING, 41, 0x78);
	/* Bits below the binary point do not preempt. */
	assert_true(vgic_v3_cpuif_write_bpr(&c, 1, 5));
	c.lr[1] = lr(PENDING, 41, 0x90);
	c.ap1r[0] = 1u << (0xa0 >> 3);
	assert_true(vgic_v3_cpuif_can_signal(&c));
	c.ap1r[0] = 1u << (0x80 >> 3);
	c.lr[1] = lr(PENDING, 41, 0x80);
	assert_false(vgic_v3_cpuif_can_signal(&c));
	c.lr[1] = lr(PENDING, 41, 0x78);
	assert_true(vgic_v3_cpuif_can_signal(&c));
}

static void running_priority_does_not_look_at_lrs(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x80);
	vgic_v3_cpuif_ack(&c, 1);
	c.lr[0] = 0;
	assert_int_equal(vgic_v3_cpuif_running_priority(&c), 0x80);
}

static void binary_points_have_minima_and_cbpr(void **state)
{
	vgic_v3_cpuif_write_bpr(&c, 0, 0);
	vgic_v3_cpuif_write_bpr(&c, 1, 0);
	assert_int_equal((c.vmcr & VGIC_VMCR_VBPR0) >> VGIC_VMCR_VBPR0_SHIFT, 2);
	assert_int_equal((c.vmcr & VGIC_VMCR_VBPR1) >> VGIC_VMCR_VBPR1_SHIFT, 3);
	assert_int_equal(vgic_v3_cpuif_group_priority(&c, 1, 0xff), 0xf8);
	assert_int_equal(vgic_v3_cpuif_group_priority(&c, 0, 0xff), 0xf8);
	vgic_v3_cpuif_write_bpr(&c, 0, 4);
	assert_int_equal(vgic_v3_cpuif_group_priority(&c, 0, 0xff), 0xe0);
	assert_int_equal(vgic_v3_cpuif_group_priority(&c, 1, 0xff), 0xf8);
	vgic_v3_cpuif_write_ctlr(&c, false, true);
	assert_int_equal(vgic_v3_cpuif_group_priority(&c, 1, 0xff), 0xe0);
	vgic_v3_cpuif_write_bpr(&c, 1, 7);
	assert_int_equal((c.vmcr & VGIC_VMCR_VBPR1) >> VGIC_VMCR_VBPR1_SHIFT, 3);
}

static void ack_of_the_other_group_is_spurious(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x80);
	assert_int_equal(vgic_v3_cpuif_ack(&c, 0).intid, VGIC_SPURIOUS);
	assert_int_equal(c.lr[0], lr(PENDING, 40, 0x80));
	assert_int_equal(vgic_v3_cpuif_ack(&c, 1).intid, 40);
	assert_int_equal(c.lr[0], lr(ACTIVE, 40, 0x80));
}

static void ack_of_a_special_intid_leaves_no_priority(void **state)
{
	c.lr[0] = lr(PENDING, 1021, 0x80);
	assert_int_equal(vgic_v3_cpuif_ack(&c, 1).intid, 1021);
	assert_int_equal(c.lr[0] & VGIC_LR_STATE, 0);
	assert_int_equal(vgic_v3_cpuif_running_priority(&c), VGIC_IDLE_PRIORITY);
}

static void eoi_deactivates_in_mode_0_only(void **state)
{
	struct vgic_access a;

	c.lr[2] = lr(PENDING, 40, 0x80) | VGIC_LR_HW | 27ull << VGIC_LR_PINTID_SHIFT;
	vgic_v3_cpuif_ack(&c, 1);
	split(true);
	a = vgic_v3_cpuif_eoi(&c, 1, 40);
	assert_int_equal(a.did, VGIC_DID_DROP);
	assert_true(c.lr[2] & ACTIVE);
	assert_int_equal(vgic_v3_cpuif_running_priority(&c), VGIC_IDLE_PRIORITY);
	split(false);
	c.ap1r[0] = 1u << 16;
	a = vgic_v3_cpuif_eoi(&c, 1, 40);
	assert_int_equal(a.did, VGIC_DID_DROP | VGIC_DID_DEACTIVATE | VGIC_DID_HW);
	assert_int_equal(a.pintid, 27);
	assert_int_equal(a.lr, 2);
	assert_int_equal(c.lr[2] & VGIC_LR_STATE, 0);
}

static void eoi_leaves_pending_of_both(void **state)
{
	c.lr[0] = lr(BOTH, 40, 0x80);
	c.ap1r[0] = 1u << 16;
	vgic_v3_cpuif_eoi(&c, 1, 40);
	assert_int_equal(c.lr[0], lr(PENDING, 40, 0x80));
}

static void eoi_out_of_order_deactivates_nothing(void **state)
{
	c.lr[0] = lr(ACTIVE, 40, 0x80);
	c.ap1r[0] = 1u << 16 | 1u << 8;
	assert_int_equal(vgic_v3_cpuif_eoi(&c, 1, 40).did, VGIC_DID_DROP);
	assert_int_equal(vgic_v3_cpuif_eoi(&c, 1, 40).did, VGIC_DID_DROP | VGIC_DID_DEACTIVATE);
}

static void a_pending_lr_does_not_answer_an_eoi(void **state)
{
	c.lr[0] = lr(PENDING, 40, 0x80);
	c.ap1r[0] = 1u << 16;
	assert_int_equal(vgic_v3_cpuif_eoi(&c, 1, 40).did, VGIC_DID_DROP | VGIC_DID_COUNT);
	assert_int_equal(c.lr[0], lr(PENDING, 40, 0x80));
}

struct count_case {
	bool dir, split, apr;
	uint32_t intid;
	bool on_split, on_lpi, continues; /* switches */
	unsigned int counts;
};

/* Hardware model 3.4, row by row; no LR holds the interrupt. */
static void eoicount_table(void **state)
{
	static const struct count_case cases[] = {
		{.apr = true, .intid = 40, .counts = 1},
		{.apr = true, .intid = 8191, .counts = 1},
		{.apr = true, .intid = 8192, .counts = 0},
		{.apr = true, .intid = 8192, .on_lpi = true, .counts = 1},
		{.apr = true, .intid = 40, .split = true, .counts = 0},
		{.apr = true, .intid = 40, .split = true, .on_split = true, .counts = 1},
		{.apr = false, .intid = 40, .counts = 0},
		{.apr = false, .intid = 40, .continues = true, .counts = 1},
		{.dir = true, .split = true, .intid = 40, .counts = 1},
		{.dir = true, .split = true, .intid = 8192, .counts = 0},
		{.dir = true, .split = false, .intid = 40, .counts = 0},
		{.apr = true, .intid = 1019, .counts = 1},
		{.apr = true, .intid = 1020, .counts = 0},
		{.apr = true, .intid = 1023, .counts = 0},
		{.dir = true, .split = true, .intid = 1020, .counts = 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct count_case *t = &cases[i];
		struct vgic_access a;

		reset(NULL);
		split(t->split);
		cfg.eoicount_on_split_eoir = t->on_split;
		cfg.eoicount_on_lpi = t->on_lpi;
		cfg.eoir_without_apr_continues = t->continues;
		c.ap1r[0] = t->apr ? 1u << 16 : 0;
		a = t->dir ? vgic_v3_cpuif_dir(&c, t->intid) : vgic_v3_cpuif_eoi(&c, 1, t->intid);
		assert_int_equal(vgic_v3_eoicount(c.hcr), t->counts);
		assert_int_equal(!!(a.did & VGIC_DID_COUNT), t->counts);
	}
}

static void eoicount_wraps_or_saturates(void **state)
{
	split(true);
	for (int i = 0; i < 31; i++)
		assert_false(vgic_v3_cpuif_dir(&c, 40).did & VGIC_DID_WRAP);
	assert_int_equal(vgic_v3_eoicount(c.hcr), 31);
	cfg.eoicount_saturates = true;
	vgic_v3_cpuif_dir(&c, 40);
	assert_int_equal(vgic_v3_eoicount(c.hcr), 31);
	cfg.eoicount_saturates = false;
	assert_true(vgic_v3_cpuif_dir(&c, 40).did & VGIC_DID_WRAP);
	assert_int_equal(c.hcr, VGIC_HCR_EN);
}

static void lpi_ends_with_its_eoi(void **state)
{
	split(true);
	c.lr[0] = lr(ACTIVE, 8192, 0x80);
	c.ap1r[0] = 1u << 16;
	assert_int_equal(vgic_v3_cpuif_dir(&c, 8192).did, VGIC_DID_NOTHING);
	assert_true(vgic_v3_cpuif_eoi(&c, 1, 8192).did & VGIC_DID_DEACTIVATE);
}

static void dir_needs_split_mode(void **state)
{
	c.lr[0] = lr(ACTIVE, 40, 0x80);
	assert_int_equal(vgic_v3_cpuif_dir(&c, 40).did, VGIC_DID_NOTHING);
	split(true);
	assert_int_equal(vgic_v3_cpuif_dir(&c, 40).did, VGIC_DID_DEACTIVATE);
	assert_int_equal(c.lr[0] & VGIC_LR_STATE, 0);
}

static void traps_do_nothing_else(void **state)
{
	struct vgic_v3_cpuif before;

	split(true);
	c.lr[0] = lr(ACTIVE, 40, 0x80);
	c.lr[1] = lr(PENDING, 41, 0x40);
	c.hcr |= VGIC_HCR_TDIR;
	before = c;
	assert_int_equal(vgic_v3_cpuif_dir(&c, 40).did, VGIC_DID_TRAP);
	assert_memory_equal(&c, &before, sizeof(c));
	cfg.has_tds = false;
	assert_int_equal(vgic_v3_cpuif_dir(&c, 99).did, VGIC_DID_COUNT);
	c.hcr = VGIC_HCR_EN | VGIC_HCR_TC;
	assert_int_equal(vgic_v3_cpuif_dir(&c, 40).did, VGIC_DID_TRAP);
	assert_false(vgic_v3_cpuif_write_pmr(&c, 0));
	assert_false(vgic_v3_cpuif_write_ctlr(&c, false, false));
	assert_true(vgic_v3_cpuif_write_bpr(&c, 1, 3));
	c.hcr = VGIC_HCR_EN | VGIC_HCR_TALL1;
	assert_int_equal(vgic_v3_cpuif_ack(&c, 1).did, VGIC_DID_TRAP);
	assert_int_equal(vgic_v3_cpuif_eoi(&c, 1, 40).did, VGIC_DID_TRAP);
	assert_false(vgic_v3_cpuif_write_igrpen(&c, 1, false));
	assert_false(vgic_v3_cpuif_write_bpr(&c, 1, 3));
	assert_true(vgic_v3_cpuif_write_igrpen(&c, 0, true));
	c.hcr = VGIC_HCR_EN | VGIC_HCR_TALL0;
	assert_int_equal(vgic_v3_cpuif_ack(&c, 0).did, VGIC_DID_TRAP);
	assert_false(vgic_v3_cpuif_write_igrpen(&c, 0, false));
}

static void misr_u(void **state)
{
	c.hcr |= VGIC_HCR_UIE;
	c.lr[0] = lr(PENDING, 40, 0x80);
	c.lr[3] = lr(ACTIVE, 41, 0x80);
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
	c.lr[3] &= ~VGIC_LR_STATE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_U);
	c.lr[0] = 0;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_U);
	c.hcr &= ~VGIC_HCR_UIE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
}

static void misr_np(void **state)
{
	c.hcr |= VGIC_HCR_NPIE;
	c.lr[0] = lr(PENDING, 40, 0x80);
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
	c.lr[0] = lr(BOTH, 40, 0x80);
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_NP);
}

static void misr_lrenp(void **state)
{
	split(true);
	vgic_v3_cpuif_dir(&c, 40);
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
	c.hcr |= VGIC_HCR_LRENPIE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_LRENP);
	c.hcr &= ~VGIC_HCR_EOICOUNT;
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
}

static void misr_eoi_needs_no_enable(void **state)
{
	c.lr[1] = lr(ACTIVE, 40, 0x80) | VGIC_LR_EOI;
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
	c.lr[1] &= ~VGIC_LR_STATE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_EOI);
	assert_int_equal(vgic_v3_cpuif_eisr(&c), 2);
	assert_int_equal(vgic_v3_cpuif_elrsr(&c), 0xd);
	cfg.elrsr_state_only = true;
	assert_int_equal(vgic_v3_cpuif_elrsr(&c), 0xf);
	assert_true(vgic_v3_cpuif_mi(&c));
	c.hcr = 0;
	assert_false(vgic_v3_cpuif_mi(&c));
	c.lr[1] |= VGIC_LR_HW;
	assert_int_equal(vgic_v3_cpuif_eisr(&c), 0);
}

static void misr_groups(void **state)
{
	c.hcr |= VGIC_HCR_VGRP1EIE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_VGRP1E);
	vgic_v3_cpuif_write_igrpen(&c, 1, false);
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
	c.hcr |= VGIC_HCR_VGRP1DIE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_VGRP1D);
	c.hcr = VGIC_HCR_EN | VGIC_HCR_VGRP0DIE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_VGRP0D);
	vgic_v3_cpuif_write_igrpen(&c, 0, true);
	assert_int_equal(vgic_v3_cpuif_misr(&c), 0);
	cfg.vgrp0d_tests_veng1 = true;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_VGRP0D);
	c.hcr = VGIC_HCR_EN | VGIC_HCR_VGRP0EIE;
	assert_int_equal(vgic_v3_cpuif_misr(&c), VGIC_MISR_VGRP0E);
}

static void seven_bits_use_four_registers(void **state)
{
	cfg.pre_bits = 7;
	cfg.prio_bits = 8;
	c.lr[0] = lr(PENDING, 40, 0xf0);
	vgic_v3_cpuif_ack(&c, 1);
	assert_int_equal(c.ap1r[3], 1u << (0x78 - 96));
	assert_int_equal(vgic_v3_cpuif_running_priority(&c), 0xf0);
	assert_int_equal(vgic_v3_cpuif_eoi(&c, 1, 40).did, VGIC_DID_DROP | VGIC_DID_DEACTIVATE);
	assert_int_equal(c.ap1r[3], 0);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hppi_takes_only_pending),
		TEST(hppi_lowest_number_then_lowest_lr),
		TEST(hppi_ignores_bits_that_are_not_implemented),
		TEST(lowest_priority_is_never_chosen),
		TEST(disabled_group_does_not_hide),
		TEST(pmr_masks_at_and_above),
		TEST(running_priority_masks_by_group_priority),
		TEST(running_priority_does_not_look_at_lrs),
		TEST(binary_points_have_minima_and_cbpr),
		TEST(ack_of_the_other_group_is_spurious),
		TEST(ack_of_a_special_intid_leaves_no_priority),
		TEST(eoi_deactivates_in_mode_0_only),
		TEST(eoi_leaves_pending_of_both),
		TEST(eoi_out_of_order_deactivates_nothing),
		TEST(a_pending_lr_does_not_answer_an_eoi),
		TEST(eoicount_table),
		TEST(eoicount_wraps_or_saturates),
		TEST(lpi_ends_with_its_eoi),
		TEST(dir_needs_split_mode),
		TEST(traps_do_nothing_else),
		TEST(misr_u),
		TEST(misr_np),
		TEST(misr_lrenp),
		TEST(misr_eoi_needs_no_enable),
		TEST(misr_groups),
		TEST(seven_bits_use_four_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
