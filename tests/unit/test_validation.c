/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/validation.h>

static struct vgic_numbers numbers(double mi, double guest_ns)
{
	struct vgic_numbers n = {.guest_ns = guest_ns, .interrupts = 1000};

	for (int q = 0; q < VGIC_QUANTITIES; q++)
		n.known[q] = true;
	n.value[VGIC_QUANTITY_MI] = mi;
	return n;
}

static void numbers_come_from_the_cell(void **state)
{
	struct vgic_numbers n;
	struct vgic_cell c;

	assert_int_equal(vgic_cell_init(&c, 4), 0);
	c.exits = 7;
	c.mi = 5;
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		c.mi_source[i] = i + 1;
	c.dir_traps = 3;
	c.eoicount = 2;
	c.guest_ns = 400;
	/* Three quarters of the entries with two, one quarter with none. */
	c.entries[2] = 3;
	c.entries[0] = 1;
	c.latency_known[VGIC_LATENCY_RAISE_TO_LR] = true;
	for (int i = 0; i < 19; i++)
		vgic_hist_add(&c.latency[VGIC_LATENCY_RAISE_TO_LR].hist, 50);
	vgic_numbers_of(&n, &c);
	assert_true(n.value[VGIC_QUANTITY_EXITS] == 7 && n.value[VGIC_QUANTITY_MI] == 5);
	assert_true(n.value[VGIC_QUANTITY_MI_EOI] == 1 && n.value[VGIC_QUANTITY_MI_U] == 2);
	assert_true(n.value[VGIC_QUANTITY_MI_LRENP] == 3 && n.value[VGIC_QUANTITY_MI_NP] == 4);
	assert_true(n.value[VGIC_QUANTITY_MI_GRP] == 5 + 6 + 7 + 8);
	assert_true(n.value[VGIC_QUANTITY_DIR] == 3 && n.value[VGIC_QUANTITY_EOICOUNT] == 2);
	assert_true(fabs(n.value[VGIC_QUANTITY_OCCUPANCY] - 1.5) < 1e-9);
	assert_false(n.known[VGIC_QUANTITY_P50]);
	vgic_hist_add(&c.latency[VGIC_LATENCY_RAISE_TO_LR].hist, 50);
	vgic_numbers_of(&n, &c);
	assert_true(n.known[VGIC_QUANTITY_P50] && n.value[VGIC_QUANTITY_P50] == 50);
	assert_false(n.known[VGIC_QUANTITY_P99]);
	for (int i = 0; i < 979; i++)
		vgic_hist_add(&c.latency[VGIC_LATENCY_RAISE_TO_LR].hist, 50);
	vgic_numbers_of(&n, &c);
	assert_false(n.known[VGIC_QUANTITY_P99]);
	vgic_hist_add(&c.latency[VGIC_LATENCY_RAISE_TO_LR].hist, 50);
	vgic_numbers_of(&n, &c);
	assert_true(n.known[VGIC_QUANTITY_P99]);
	vgic_cell_finish(&c);
}

static void starved_ones_are_sorted(void **state)
{
	struct vgic_numbers a, b;
	struct vgic_cell c;

	assert_int_equal(vgic_cell_init(&c, 4), 0);
	c.outcome = VGIC_OUTCOME_STARVED;
	c.nr_starved = 2;
	c.starved[0] = (struct vgic_starved){.vcpu = 1, .intid = 40};
	c.starved[1] = (struct vgic_starved){.vcpu = 0, .intid = 33};
	vgic_numbers_of(&a, &c);
	c.starved[1] = c.starved[0];
	c.starved[0] = (struct vgic_starved){.vcpu = 0, .intid = 33, .since_ns = 9};
	vgic_numbers_of(&b, &c);
	assert_int_equal(vgic_numbers_agree(&a, &b), VGIC_AGREES);
	b.starved[1].vcpu = 0;
	assert_int_equal(vgic_numbers_agree(&a, &b), VGIC_OTHER_SET);
	b.nr_starved = 1;
	assert_int_equal(vgic_numbers_agree(&a, &b), VGIC_OTHER_SET);
	b.outcome = VGIC_OUTCOME_LIVELOCK;
	assert_int_equal(vgic_numbers_agree(&a, &b), VGIC_OTHER_END);
	/* What waits at the end of a live-lock is a matter of chance. */
	a.outcome = VGIC_OUTCOME_LIVELOCK;
	assert_int_equal(vgic_numbers_agree(&a, &b), VGIC_AGREES);
	vgic_cell_finish(&c);
}

static void deviations(void **state)
{
	struct vgic_numbers t = numbers(200, 1), p = numbers(190, 1);
	struct vgic_deviation d = vgic_deviation_of(&p, &t, VGIC_QUANTITY_MI);

	assert_true(d.judged && !d.few && d.difference == -10 && fabs(d.error + 0.05) < 1e-12);
	/* One below the bound a count has no percentage, at the bound it has. */
	t.value[VGIC_QUANTITY_MI] = VGIC_FEW - 1;
	d = vgic_deviation_of(&p, &t, VGIC_QUANTITY_MI);
	assert_true(d.judged && d.few && d.error == 0 && d.difference == 91);
	t.value[VGIC_QUANTITY_MI] = VGIC_FEW;
	d = vgic_deviation_of(&p, &t, VGIC_QUANTITY_MI);
	assert_true(!d.few && fabs(d.error - 0.9) < 1e-12);
	/* Times and occupancies have no such bound. */
	t.value[VGIC_QUANTITY_P50] = 4;
	p.value[VGIC_QUANTITY_P50] = 5;
	d = vgic_deviation_of(&p, &t, VGIC_QUANTITY_P50);
	assert_true(!d.few && fabs(d.error - 0.25) < 1e-12);
	t.value[VGIC_QUANTITY_P50] = 0;
	d = vgic_deviation_of(&p, &t, VGIC_QUANTITY_P50);
	assert_true(isinf(d.error));
	p.value[VGIC_QUANTITY_P50] = 0;
	d = vgic_deviation_of(&p, &t, VGIC_QUANTITY_P50);
	assert_true(d.judged && d.error == 0);
	/* What did not end, or is not known, is not judged. */
	t.outcome = VGIC_OUTCOME_STARVED;
	assert_false(vgic_deviation_of(&p, &t, VGIC_QUANTITY_MI).judged);
	t.outcome = VGIC_OUTCOME_COMPLETED;
	p.outcome = VGIC_OUTCOME_LIVELOCK;
	assert_false(vgic_deviation_of(&p, &t, VGIC_QUANTITY_MI).judged);
	p.outcome = VGIC_OUTCOME_COMPLETED;
	p.known[VGIC_QUANTITY_MI] = false;
	assert_false(vgic_deviation_of(&p, &t, VGIC_QUANTITY_MI).judged);
}

static void errors_add_up(void **state)
{
	struct vgic_error_sum s = {0};

	assert_true(vgic_error_mean(&s) == 0);
	vgic_error_add(&s, &(struct vgic_deviation){.judged = true, .error = -0.2});
	vgic_error_add(&s, &(struct vgic_deviation){.judged = true, .error = 0.1});
	vgic_error_add(&s, &(struct vgic_deviation){.judged = false, .error = 9});
	vgic_error_add(&s, &(struct vgic_deviation){.judged = true, .few = true, .difference = -7});
	assert_int_equal(s.n, 2);
	assert_int_equal(s.few_n, 1);
	assert_true(fabs(vgic_error_mean(&s) - 0.15) < 1e-12 && s.max == 0.2 && s.few_max == 7);
}

static void medians(void **state)
{
	struct vgic_numbers runs[4] = {numbers(10, 1), numbers(40, 1), numbers(20, 1),
				       numbers(30, 1)},
			    mid;
	double low[VGIC_QUANTITIES], high[VGIC_QUANTITIES];

	vgic_numbers_median(&mid, low, high, runs, 3);
	assert_true(mid.value[VGIC_QUANTITY_MI] == 20);
	assert_true(low[VGIC_QUANTITY_MI] == 10 && high[VGIC_QUANTITY_MI] == 40);
	vgic_numbers_median(&mid, NULL, NULL, runs, 4);
	assert_true(mid.value[VGIC_QUANTITY_MI] == 25);
	/* As many runs as there are, the last ones too. */
	struct vgic_numbers many[101];

	for (int i = 0; i < 101; i++)
		many[i] = numbers(i, 1);
	vgic_numbers_median(&mid, NULL, NULL, many, 101);
	assert_true(mid.value[VGIC_QUANTITY_MI] == 50);
	assert_int_equal(mid.outcome, VGIC_OUTCOME_COMPLETED);
	/* The outcome of most; of two equally frequent ones the worse. */
	runs[3].outcome = VGIC_OUTCOME_STARVED;
	vgic_numbers_median(&mid, NULL, NULL, runs, 4);
	assert_int_equal(mid.outcome, VGIC_OUTCOME_COMPLETED);
	runs[2].outcome = VGIC_OUTCOME_STARVED;
	vgic_numbers_median(&mid, NULL, NULL, runs, 4);
	assert_int_equal(mid.outcome, VGIC_OUTCOME_STARVED);
	runs[0].known[VGIC_QUANTITY_P99] = false;
	vgic_numbers_median(&mid, NULL, NULL, runs, 4);
	assert_false(mid.known[VGIC_QUANTITY_P99]);
}

static void orders(void **state)
{
	struct vgic_numbers t[3] = {numbers(1000, 1e6), numbers(500, 1e6), numbers(498, 1e6)};
	struct vgic_numbers p[3] = {numbers(900, 1e6), numbers(600, 1e6), numbers(700, 1e6)};
	const struct vgic_numbers *tp[3] = {&t[0], &t[1], &t[2]}, *pp[3] = {&p[0], &p[1], &p[2]};
	struct vgic_ranking r = {0};

	/* 500 and 498 have no order. */
	vgic_ranking_add(&r, pp, tp, 3);
	assert_int_equal(r.pairs, 2);
	assert_int_equal(r.wrong, 0);
	t[2].value[VGIC_QUANTITY_MI] = 400;
	vgic_ranking_add(&r, pp, tp, 3);
	assert_int_equal(r.pairs, 5);
	assert_int_equal(r.wrong, 1);
	assert_int_equal(r.timed_pairs, 5);
	assert_int_equal(r.timed_wrong, 1);
	/* It is the rate that is ordered: as many in less time, or of fewer, are more. */
	r = (struct vgic_ranking){0};
	t[1].guest_ns = 1e5;
	vgic_ranking_add(&r, pp, tp, 2);
	assert_int_equal(r.pairs, 1);
	assert_int_equal(r.wrong, 0);
	assert_int_equal(r.timed_wrong, 1);
	r = (struct vgic_ranking){0};
	t[1].interrupts = 100;
	vgic_ranking_add(&r, pp, tp, 2);
	assert_int_equal(r.wrong, 1);
	/* A run without an end has no rate. */
	r = (struct vgic_ranking){0};
	t[0].outcome = VGIC_OUTCOME_LIVELOCK;
	vgic_ranking_add(&r, pp, tp, 2);
	assert_int_equal(r.pairs, 0);
}

static void every_quantity_has_a_name(void **state)
{
	for (int q = 0; q < VGIC_QUANTITIES; q++) {
		assert_non_null(vgic_quantity_name((enum vgic_quantity)q));
		assert_true(vgic_quantity_kind((enum vgic_quantity)q) < VGIC_QUANTITY_KINDS);
	}
	assert_int_equal(vgic_quantity_kind(VGIC_QUANTITY_P99), VGIC_KIND_LATENCY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_from_the_cell),
		cmocka_unit_test(starved_ones_are_sorted),
		cmocka_unit_test(deviations),
		cmocka_unit_test(errors_add_up),
		cmocka_unit_test(medians),
		cmocka_unit_test(orders),
		cmocka_unit_test(every_quantity_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
