/* SPDX-License-Identifier: GPL-2.0-only */
/* Bounds of a workload made by hand against lines of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/truth.h>

#define START 1000000u
#define OPEN  VGIC_WHEN_OPEN

static struct vgic_when when(uint64_t from, uint64_t to)
{
	return (struct vgic_when){from == OPEN ? OPEN : (from + to) / 2, from, to, true};
}

static const struct vgic_when open_end = {OPEN, 100, OPEN, false};

/* SPI 40: three times, the last without an end; PPI 27 of vCPU 1 once. */
static struct vgic_workload *sample(void)
{
	struct vgic_workload *wl = vgic_workload_create(2);
	struct vgr_irq spi = {.intid = 40}, ppi = {.intid = 27};
	uint32_t a = vgic_workload_source(wl, 0, &spi), b = vgic_workload_source(wl, 1, &ppi);

	wl->start = START;
	vgic_workload_script(wl, VGIC_WL_NONE, 0);
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t t = 1000 * i;
		uint32_t s = vgic_workload_script(wl, a, 0);

		wl->scripts[s].ack = when(t + 100, t + 200);
		wl->scripts[s].drop = i == 2 ? open_end : when(t + 100, t + 300);
		wl->scripts[s].deact = i == 2 ? open_end : when(t + 400, t + 500);
	}
	uint32_t s = vgic_workload_script(wl, b, 1);

	wl->scripts[s].ack = wl->scripts[s].drop = wl->scripts[s].deact = when(5000, 5100);
	return wl;
}

static struct vgic_truth_instance line(uint16_t vcpu, uint32_t intid, uint64_t ack, uint64_t drop,
				       uint64_t deact)
{
	uint64_t t[] = {ack, drop, deact};
	struct vgic_truth_instance l = {.vcpu = vcpu, .intid = intid};

	for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++) {
		l.when[k].from = t[k] == OPEN ? OPEN : START + t[k];
		l.when[k].to = t[k] == OPEN ? OPEN : START + t[k] + 10;
	}
	return l;
}

static void feed(struct vgic_truth *t, struct vgic_truth_instance l)
{
	vgic_truth_feed(t, &l);
}

struct bench {
	struct vgic_workload *wl;
	struct vgic_truth *t;
};

static void begin(struct bench *b, uint64_t error_ns)
{
	b->wl = sample();
	assert_int_equal(vgic_truth_create(&b->t, b->wl, error_ns), 0);
}

static void end(struct bench *b)
{
	vgic_truth_destroy(b->t);
	vgic_workload_destroy(b->wl);
}

static void everything_agrees(void **state)
{
	const struct vgic_truth_result *r;
	struct bench b;

	begin(&b, 0);
	/* Grouped by vCPU and INTID or not: their order alone counts. */
	feed(b.t, line(1, 27, 5000, 5050, 5090));
	feed(b.t, line(0, 40, 190, 200, 450));
	feed(b.t, line(0, 40, 1100, 1290, 1400));
	feed(b.t, line(0, 40, 2150, 2500, OPEN));
	r = vgic_truth_finish(b.t, false);
	assert_int_equal(r->instances, 4);
	assert_int_equal(r->inside, 4);
	assert_int_equal(r->missed + r->extra + r->nr_misses, 0);
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].inside, 4);
	/* 190 to 200 and 1100 to 1110 just so. */
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].certain, 4);
	assert_int_equal(r->kind[VGIC_TRUTH_DROP].inside, 3);
	assert_int_equal(r->kind[VGIC_TRUTH_DROP].open, 1);
	assert_int_equal(r->kind[VGIC_TRUTH_DEACT].inside, 3);
	assert_int_equal(r->kind[VGIC_TRUTH_DEACT].open, 0);
	/* Estimates 150, 1150, 2150, 5050 against 190-200, 1100-1110, 2150-2160, 5000-5010. */
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].early, 1);
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].late, 2);
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].error.max, 40);
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].width.max, 100);
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].blur.max, 10);
	end(&b);
}

static void outside_by_one(void **state)
{
	const struct vgic_truth_result *r;
	struct bench b;

	for (unsigned int error = 0; error < 2; error++) {
		begin(&b, error);
		feed(b.t, line(0, 40, 150, 301, 389));
		r = vgic_truth_finish(b.t, true);
		assert_int_equal(r->instances, 1);
		/* What the log's error allows is not outside. */
		assert_int_equal(r->inside, error);
		assert_int_equal(r->kind[VGIC_TRUTH_DROP].outside, !error);
		assert_int_equal(r->kind[VGIC_TRUTH_DROP].certain, 0);
		assert_int_equal(r->kind[VGIC_TRUTH_DEACT].outside, !error);
		if (!error) {
			assert_int_equal(r->nr_misses, 2);
			assert_int_equal(r->miss[0].kind, VGIC_TRUTH_DROP);
			assert_int_equal(r->miss[0].number, 1);
			assert_int_equal(r->miss[0].bounds.to, START + 300);
		}
		end(&b);
	}
}

static void an_end_that_did_not_happen(void **state)
{
	const struct vgic_truth_result *r;
	struct bench b;

	begin(&b, 0);
	feed(b.t, line(0, 40, 150, 200, OPEN));
	r = vgic_truth_finish(b.t, true);
	assert_int_equal(r->inside, 0);
	assert_int_equal(r->kind[VGIC_TRUTH_DEACT].outside, 1);
	end(&b);
}

static void an_open_bound_still_has_a_begin(void **state)
{
	const struct vgic_truth_result *r;
	struct bench b;

	begin(&b, 0);
	b.wl->scripts[3].drop.from = 2100;
	feed(b.t, line(0, 40, 150, 200, 450));
	feed(b.t, line(0, 40, 1150, 1200, 1450));
	feed(b.t, line(0, 40, 2150, 2080, OPEN));
	r = vgic_truth_finish(b.t, true);
	assert_int_equal(r->instances, 3);
	assert_int_equal(r->inside, 2);
	assert_int_equal(r->kind[VGIC_TRUTH_DROP].outside, 1);
	end(&b);
}

static void only_one_of_the_two_has_it(void **state)
{
	const struct vgic_truth_result *r;
	struct bench b;

	begin(&b, 0);
	/* Before the first, between two, an INTID and a vCPU that the derivation has not. */
	feed(b.t, line(0, 40, 20, 30, 40));
	feed(b.t, line(0, 40, 150, 200, 450));
	feed(b.t, line(0, 40, 600, 610, 620));
	feed(b.t, line(0, 41, 150, 200, 450));
	feed(b.t, line(1, 40, 150, 200, 450));
	/* The second is left out. */
	feed(b.t, line(0, 40, 2150, OPEN, OPEN));
	r = vgic_truth_finish(b.t, false);
	assert_int_equal(r->missed, 4);
	/* And the PPI. */
	assert_int_equal(r->extra, 2);
	assert_int_equal(r->inside, 2);
	assert_int_equal(r->instances, 8);
	assert_int_equal(r->kind[VGIC_TRUTH_ACK].outside, 6);
	end(&b);
}

static void a_full_log_is_not_held_against_it(void **state)
{
	struct bench b;

	begin(&b, 0);
	feed(b.t, line(0, 40, 150, 200, 450));
	assert_int_equal(vgic_truth_finish(b.t, true)->instances, 1);
	end(&b);
	begin(&b, 0);
	feed(b.t, line(0, 40, 150, 200, 450));
	assert_int_equal(vgic_truth_finish(b.t, false)->instances, 4);
	end(&b);
}

static void more_misses_than_are_kept(void **state)
{
	const struct vgic_truth_result *r;
	struct bench b;

	begin(&b, 0);
	for (unsigned int i = 0; i < 2 * VGIC_TRUTH_MISSES; i++)
		feed(b.t, line(0, 99, 150, 200, 450));
	r = vgic_truth_finish(b.t, true);
	assert_int_equal(r->missed, 2 * VGIC_TRUTH_MISSES);
	assert_int_equal(r->nr_misses, VGIC_TRUTH_MISSES);
	end(&b);
	vgic_truth_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_agrees),
		cmocka_unit_test(outside_by_one),
		cmocka_unit_test(an_end_that_did_not_happen),
		cmocka_unit_test(an_open_bound_still_has_a_begin),
		cmocka_unit_test(only_one_of_the_two_has_it),
		cmocka_unit_test(a_full_log_is_not_held_against_it),
		cmocka_unit_test(more_misses_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
