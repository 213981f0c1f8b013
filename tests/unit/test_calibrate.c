/* SPDX-License-Identifier: GPL-2.0-only */
/* Records whose times follow known costs: the fit finds these costs, and says what it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/profile.h>
#include <vgicsim/vgic.h>

static const struct vgic_profile truth = {
	.entry_ns = 2000,
	.exit_ns = 3000,
	.mi_out_ns = 2000 + 3000 + 700 + 900,
	.dir_out_ns = 2000 + 3000 + 1500,
	.kick_ns = 1000,
	.mi_delay_ns = 40,
	.switch_ns = 1100,
	.entry_irq_ps = 800000,
	.entry_lr_ps = 150000,
	.sort_ns = 400,
	.sort_step_ps = 90000,
	.exit_irq_ps = 1000000,
	.exit_lr_ps = 300000,
	.nr_mi_delays = 3,
	.mi_delays = {10, 40, 90},
};

/* What an MI's exit takes more than a trap's before it is recorded, and after. */
#define TAKEN	  700
#define HANDLE_MI 900

static struct {
	struct vgic_calibration *c;
	uint64_t now;
	unsigned int lrs;
	uint64_t noise; /* added to every n-th sample */
	unsigned int every, n;
	uint16_t vcpu;
} host;

static uint64_t noise(void)
{
	return host.every && ++host.n % host.every == 0 ? host.noise : 0;
}

static void tell(void *rec, uint16_t type, size_t size)
{
	struct vgr_rec *r = rec;

	r->type = type;
	r->size = (uint32_t)size;
	r->time = host.now;
	r->vcpu = host.vcpu;
	assert_int_equal(vgic_calibration_record(host.c, r), 0);
}

/* Entry with a list of that many pending interrupts, all deliverable but the last few. */
static void enter(unsigned int irqs, unsigned int disabled)
{
	struct {
		struct vgr_flush f;
		struct vgr_irq irq[256];
	} r = {.f = {.begin = host.now, .n_before = (uint16_t)irqs, .nr_lr = (uint16_t)host.lrs}};
	unsigned int ready = irqs - disabled;
	struct vgr_rec entry = {0};

	assert_true(irqs <= 256);
	r.f.used_lrs = (uint16_t)(ready < host.lrs ? ready : host.lrs);
	for (unsigned int i = 0; i < irqs; i++)
		r.irq[i] = (struct vgr_irq){.intid = 32 + i,
					    .state = VGR_IRQ_LATCH |
						     (i < ready ? VGR_IRQ_ENABLED : 0)};
	host.now += vgic_entry_cost(&truth, irqs, r.f.used_lrs, ready > host.lrs) - 150 + noise();
	tell(&r, VGR_FLUSH, sizeof(r));
	host.now += 150;
	tell(&entry, VGR_ENTRY, sizeof(entry));
}

enum why { BY_TRAP, BY_MI, BY_OTHER, BY_DIR };

static void leave(unsigned int irqs, unsigned int lrs, uint64_t ran, enum why why)
{
	struct {
		struct vgr_sync s;
		struct vgr_irq irq[512];
		uint64_t lr[16];
	} r = {.s = {.n_before = (uint16_t)irqs, .used_lrs = (uint16_t)lrs}};
	uint64_t *lr = (uint64_t *)(r.irq + (size_t)2 * irqs);
	struct vgr_exit x = {.ret = why == BY_MI || why == BY_OTHER ? 0 : 2};
	struct vgr_dir d = {.value = 40};

	for (unsigned int i = 0; i < lrs; i++)
		lr[i] = VGIC_LR_ACTIVE | (32 + i);
	/* One LR empty of its pending state: with NPIE that is an MI. */
	r.s.hcr = VGIC_HCR_EN | (why == BY_MI ? VGIC_HCR_NPIE : 0);
	host.now += truth.switch_ns + ran;
	r.s.begin = host.now;
	host.now += vgic_exit_cost(&truth, irqs, lrs) + (why == BY_MI ? TAKEN : 0) +
		    (why == BY_OTHER ? 50000 : 0) + noise();
	tell(&r, VGR_SYNC, sizeof(r));
	tell(&x, VGR_EXIT, sizeof(x));
	if (why == BY_DIR)
		tell(&d, VGR_DIR, sizeof(d));
	host.now += why == BY_DIR ? 1500 : why == BY_MI ? HANDLE_MI : 7777;
}

static void begin(unsigned int lrs)
{
	memset(&host, 0, sizeof(host));
	assert_int_equal(vgic_calibration_create(&host.c), 0);
	host.lrs = lrs;
	host.now = 1000000;
	vgic_calibration_begin(host.c, lrs);
}

static void run_lists(unsigned int most)
{
	for (unsigned int round = 0; round < 8; round++) {
		for (unsigned int irqs = 0; irqs <= most; irqs++) {
			unsigned int lrs = irqs < host.lrs ? irqs : host.lrs;

			enter(irqs, 0);
			leave(irqs, lrs, round * 100, irqs % 4 == 3 ? BY_DIR : BY_TRAP);
			enter(irqs, irqs / 3);
			lrs = irqs - irqs / 3 < host.lrs ? irqs - irqs / 3 : host.lrs;
			leave(irqs, lrs, 300, BY_MI);
		}
	}
}

static void fit(struct vgic_profile *p, struct vgic_fit_report *r)
{
	struct vgic_profile bare;

	assert_int_equal(vgic_calibration_fit(host.c, p, r), 0);
	/* The same alone, and without what says how good it is. */
	assert_int_equal(vgic_calibration_switch(host.c), p->switch_ns);
	assert_int_equal(vgic_calibration_fit(host.c, &bare, NULL), 0);
	assert_memory_equal(&bare, p, sizeof(bare));
	vgic_calibration_destroy(host.c);
}

static void assert_close(uint64_t a, uint64_t b, uint64_t by)
{
	assert_in_range(a, b > by ? b - by : 0, b + by);
}

static void compare(const struct vgic_profile *p, uint64_t ns, uint64_t ps)
{
	assert_close(p->entry_ns, truth.entry_ns, ns);
	assert_close(p->entry_irq_ps, truth.entry_irq_ps, ps);
	assert_close(p->entry_lr_ps, truth.entry_lr_ps, ps);
	assert_close(p->sort_ns, truth.sort_ns, ns);
	assert_close(p->sort_step_ps, truth.sort_step_ps, ps);
	assert_close(p->exit_ns, truth.exit_ns, ns);
	assert_close(p->exit_irq_ps, truth.exit_irq_ps, ps);
	assert_close(p->exit_lr_ps, truth.exit_lr_ps, ps);
	assert_close(p->mi_out_ns, truth.mi_out_ns, 2 * ns);
	assert_close(p->dir_out_ns, truth.dir_out_ns, 2 * ns);
	assert_close(p->switch_ns, truth.switch_ns, ns);
}

static void sort_steps(void **state)
{
	assert_int_equal(vgic_sort_steps(0), 0);
	assert_int_equal(vgic_sort_steps(1), 0);
	assert_int_equal(vgic_sort_steps(2), 2);
	assert_int_equal(vgic_sort_steps(3), 3 + 2);
	assert_int_equal(vgic_sort_steps(8), 24);
	assert_int_equal(vgic_sort_steps(9), 27 + 2);
	assert_int_equal(vgic_sort_steps(1024), 10240);
}

static void costs_are_sums(void **state)
{
	assert_int_equal(vgic_entry_cost(&truth, 0, 0, false), 2000);
	assert_int_equal(vgic_entry_cost(&truth, 5, 3, false), 2000 + 4000 + 450);
	assert_int_equal(vgic_entry_cost(&truth, 8, 4, true), 2000 + 6400 + 600 + 400 + 24 * 90);
	assert_int_equal(vgic_exit_cost(&truth, 2, 1), 3000 + 2000 + 300);
}

static void known_costs_are_found(void **state)
{
	struct vgic_fit_report r;
	struct vgic_profile p;

	begin(4);
	run_lists(20);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vgic_calibration_mi_delay(host.c, truth.mi_delays[i]), 0);
	fit(&p, &r);
	compare(&p, 1, 20);
	assert_int_equal(p.mi_delay_ns, 40);
	assert_int_equal(p.nr_mi_delays, 3);
	assert_memory_equal(p.mi_delays, truth.mi_delays, 3 * sizeof(p.mi_delays[0]));
	assert_int_equal(p.kick_ns, 1000);
	for (unsigned int i = 0; i < VGIC_TERMS; i++)
		assert_false(r.open[i]);
	assert_int_equal(r.recordings, 1);
	assert_int_equal(r.fits[VGIC_FIT_ENTRY].n, 8 * 21 * 2);
	assert_int_equal(r.fits[VGIC_FIT_EXIT].n, 8 * 21 * 2);
	assert_int_equal(r.fits[VGIC_FIT_DIR].n, 8 * 5);
	assert_true(r.fits[VGIC_FIT_MI].n > 100);
	assert_true(r.fits[VGIC_FIT_ENTRY].p90_ns <= 1);
	assert_true(r.fits[VGIC_FIT_ENTRY].explained_ppm > 999900);
	assert_true(r.fits[VGIC_FIT_EXIT].explained_ppm > 999900);
	assert_int_equal(r.fits[VGIC_FIT_MI].explained_ppm, 0);
}

/* Two recordings with different LR counts are one fit. */
static void recordings_add_up(void **state)
{
	struct vgic_fit_report r;
	struct vgic_profile p;

	begin(2);
	run_lists(3);
	/* An entry that the first one does not end is no part of the second. */
	enter(3, 0);
	host.lrs = 8;
	vgic_calibration_begin(host.c, 8);
	leave(3, 2, 10, BY_TRAP);
	run_lists(16);
	fit(&p, &r);
	compare(&p, 1, 50);
	assert_int_equal(r.recordings, 2);
}

/* One sample in 150 takes milliseconds: neither the first fit nor the second follows it. */
static void outliers_do_not_lead(void **state)
{
	struct vgic_fit_report r;
	struct vgic_profile p;

	begin(4);
	host.noise = 4000000;
	host.every = 151;
	run_lists(30);
	fit(&p, &r);
	compare(&p, 1, 20);
	assert_true(r.fits[VGIC_FIT_ENTRY].p90_ns <= 1);
}

/* What else the host does is no part of what an exit costs. */
static void disturbed_samples_are_left_out(void **state)
{
	struct vgr_inject in = {.intid = 40};
	struct vgr_rec load = {0};
	struct vgic_fit_report r;
	struct vgic_profile p;

	begin(4);
	run_lists(12);
	for (int i = 0; i < 200; i++) {
		/* A device raises something meanwhile; the thread loses its CPU. */
		leave(2, 2, 500, BY_MI);
		tell(&in, VGR_INJECT, sizeof(in));
		host.now += 90000;
		enter(2, 0);
		leave(2, 2, 500, BY_MI);
		tell(&load, i & 1 ? VGR_PUT : VGR_LOAD, sizeof(load));
		host.now += 90000;
		enter(2, 0);
		/* A host interrupt is handled before its exit is recorded. */
		leave(2, 2, 500, BY_OTHER);
		enter(2, 0);
	}
	fit(&p, &r);
	compare(&p, 1, 20);
}

static void too_little_is_said(void **state)
{
	struct vgic_fit_report r;
	struct vgic_profile p;

	/* Nothing at all: the defaults. */
	begin(4);
	fit(&p, &r);
	for (unsigned int i = 0; i < VGIC_FITS; i++)
		assert_int_equal(r.fits[i].n, 0);
	for (unsigned int i = 0; i < VGIC_TERMS; i++)
		assert_true(r.open[i]);
	assert_int_equal(p.entry_ns, 1000);
	assert_int_equal(p.exit_ns, 1000);
	assert_int_equal(p.mi_out_ns, 2000);
	assert_int_equal(p.nr_mi_delays, 0);
	assert_int_equal(p.switch_ns, 0);

	/* As many LRs as interrupts, never sorted: what is one's and what the other's? */
	begin(16);
	for (int i = 0; i < 60; i++) {
		unsigned int n = (unsigned int)i % 8;

		enter(n, 0);
		leave(n, n, 0, BY_TRAP);
	}
	fit(&p, &r);
	assert_false(r.open[VGIC_TERM_ENTRY]);
	assert_false(r.open[VGIC_TERM_ENTRY_IRQ]);
	assert_true(r.open[VGIC_TERM_ENTRY_LR]);
	assert_true(r.open[VGIC_TERM_SORT]);
	assert_true(r.open[VGIC_TERM_SORT_STEP]);
	assert_false(r.open[VGIC_TERM_EXIT_IRQ]);
	assert_true(r.open[VGIC_TERM_EXIT_LR]);
	assert_int_equal(p.entry_lr_ps, 0);
	assert_close(p.entry_irq_ps, truth.entry_irq_ps + truth.entry_lr_ps, 20);
	assert_close(p.exit_irq_ps, truth.exit_irq_ps + truth.exit_lr_ps, 20);

	/* One length only: a constant. */
	begin(4);
	for (int i = 0; i < 30; i++) {
		enter(7, 0);
		leave(7, 4, 0, BY_TRAP);
	}
	fit(&p, &r);
	assert_true(r.open[VGIC_TERM_ENTRY_IRQ] && r.open[VGIC_TERM_SORT_STEP]);
	assert_close(p.entry_ns, vgic_entry_cost(&truth, 7, 4, true), 1);
}

/* More than are kept: the same costs from a choice of them, of MIs and traps that take turns. */
static void samples_without_end(void **state)
{
	struct vgic_fit_report r;
	struct vgic_profile p;

	begin(4);
	for (int i = 0; i < 300; i++) {
		host.vcpu = (uint16_t)(i % 3);
		run_lists(30);
	}
	fit(&p, &r);
	compare(&p, 1, 20);
	assert_int_equal(r.fits[VGIC_FIT_ENTRY].n, 300 * 8 * 31 * 2);
}

static void records_of_no_vcpu(void **state)
{
	struct vgic_fit_report r;
	struct vgic_profile p;

	begin(4);
	host.vcpu = VGR_NO_VCPU;
	enter(3, 0);
	leave(3, 3, 0, BY_MI);
	host.vcpu = 0;
	/* An exit without a sync, a sync without an entry, an entry without a flush. */
	struct vgr_exit x = {.ret = 2};
	struct vgr_rec entry = {0};

	tell(&x, VGR_EXIT, sizeof(x));
	leave(3, 3, 0, BY_TRAP);
	tell(&entry, VGR_ENTRY, sizeof(entry));
	fit(&p, &r);
	assert_int_equal(r.fits[VGIC_FIT_ENTRY].n, 0);
	assert_int_equal(r.fits[VGIC_FIT_EXIT].n, 1);
	assert_int_equal(r.fits[VGIC_FIT_SWITCH].n, 0);
}

static void names(void **state)
{
	assert_string_equal(vgic_fit_name(VGIC_FIT_SWITCH), "switch");
	assert_null(vgic_fit_name(VGIC_FITS));
	assert_string_equal(vgic_term_name(VGIC_TERM_SORT_STEP), "sort_step");
	assert_null(vgic_term_name(VGIC_TERMS));
	vgic_calibration_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sort_steps),
		cmocka_unit_test(costs_are_sums),
		cmocka_unit_test(known_costs_are_found),
		cmocka_unit_test(recordings_add_up),
		cmocka_unit_test(outliers_do_not_lead),
		cmocka_unit_test(disturbed_samples_are_left_out),
		cmocka_unit_test(too_little_is_said),
		cmocka_unit_test(samples_without_end),
		cmocka_unit_test(records_of_no_vcpu),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
