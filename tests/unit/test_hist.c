/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/hist.h>

static void buckets_cover_every_value_once(void **state)
{
	for (size_t i = 0; i + 1 < VGIC_HIST_BUCKETS; i++) {
		assert_int_equal(vgic_hist_highest(i) + 1, vgic_hist_lowest(i + 1));
		assert_int_equal(vgic_hist_bucket(vgic_hist_lowest(i)), i);
		assert_int_equal(vgic_hist_bucket(vgic_hist_highest(i)), i);
	}
	assert_int_equal(vgic_hist_bucket(VGIC_HIST_MAX), VGIC_HIST_BUCKETS - 1);
	assert_int_equal(vgic_hist_highest(VGIC_HIST_BUCKETS - 1), VGIC_HIST_MAX);
	assert_int_equal(vgic_hist_bucket(UINT64_MAX), VGIC_HIST_BUCKETS - 1);
}

static void three_digits(void **state)
{
	for (uint64_t v = 1; v < VGIC_HIST_MAX; v = v * 5 / 4 + 1) {
		size_t b = vgic_hist_bucket(v);
		uint64_t width = vgic_hist_highest(b) - vgic_hist_lowest(b);

		assert_true(width * 1000 <= v);
	}
}

static void exact_numbers(void **state)
{
	struct vgic_hist h;

	assert_int_equal(vgic_hist_init(&h), 0);
	assert_int_equal(vgic_hist_quantile(&h, 0.5), 0);
	assert_int_equal(vgic_hist_mean(&h), 0);
	for (uint64_t i = 1; i <= 100; i++)
		vgic_hist_add(&h, i * 10);
	assert_int_equal(h.n, 100);
	assert_int_equal(h.min, 10);
	assert_int_equal(h.max, 1000);
	assert_int_equal(vgic_hist_mean(&h), 505);
	assert_int_equal(vgic_hist_quantile(&h, 0.5), 500);
	assert_int_equal(vgic_hist_quantile(&h, 0.99), 990);
	assert_int_equal(vgic_hist_quantile(&h, 0.991), 1000);
	assert_int_equal(vgic_hist_quantile(&h, 1.0), 1000);
	assert_int_equal(vgic_hist_quantile(&h, 0.0001), 10);
	vgic_hist_finish(&h);
}

static void the_largest_is_never_overstated(void **state)
{
	struct vgic_hist h;

	assert_int_equal(vgic_hist_init(&h), 0);
	vgic_hist_add(&h, 1000001);
	assert_true(vgic_hist_highest(vgic_hist_bucket(1000001)) > 1000001);
	assert_int_equal(vgic_hist_quantile(&h, 0.5), 1000001);
	vgic_hist_add(&h, UINT64_MAX);
	assert_int_equal(h.max, UINT64_MAX);
	vgic_hist_finish(&h);
}

static void merging_is_counting_together(void **state)
{
	struct vgic_hist a, b, all;

	assert_int_equal(vgic_hist_init(&a), 0);
	assert_int_equal(vgic_hist_init(&b), 0);
	assert_int_equal(vgic_hist_init(&all), 0);
	vgic_hist_merge(&a, &b);
	assert_int_equal(a.n, 0);
	for (uint64_t v = 3; v < 1000000; v = v * 3 / 2) {
		vgic_hist_add(v & 1 ? &a : &b, v);
		vgic_hist_add(&all, v);
	}
	vgic_hist_merge(&a, &b);
	assert_int_equal(a.n, all.n);
	assert_int_equal(a.sum, all.sum);
	assert_int_equal(a.min, all.min);
	assert_int_equal(a.max, all.max);
	assert_memory_equal(a.count, all.count, VGIC_HIST_BUCKETS * sizeof(*a.count));
	vgic_hist_finish(&a);
	vgic_hist_finish(&b);
	vgic_hist_finish(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_cover_every_value_once),
		cmocka_unit_test(three_digits),
		cmocka_unit_test(exact_numbers),
		cmocka_unit_test(the_largest_is_never_overstated),
		cmocka_unit_test(merging_is_counting_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
