/* SPDX-License-Identifier: GPL-2.0-only */
/* Series of latencies: percentiles, their intervals, merging. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <vgicsim/latency.h>

static uint64_t state;

static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

static uint64_t exponential(void)
{
	return (uint64_t)(-log(1 - uniform()) * 100000);
}

static void add(struct vgic_latency_series *s, uint64_t raise, uint64_t ns)
{
	assert_int_equal(vgic_latency_add(s, raise, ns), 0);
}

/* One below and at the threshold: ten samples beyond the percentile. */
static void too_small(void **unused)
{
	static const struct {
		double p;
		uint64_t least;
	} cases[] = {{0.5, 20}, {0.9, 100}, {0.99, 1000}, {0.999, 10000}, {0.9999, 100000}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(vgic_latency_enough(cases[i].least, cases[i].p));
		assert_false(vgic_latency_enough(cases[i].least - 1, cases[i].p));
	}
	struct vgic_latency_series s;
	struct vgic_percentile q;

	assert_int_equal(vgic_latency_init(&s), 0);
	assert_int_equal(vgic_latency_percentile(&s, 0.5, &q), 0);
	assert_false(q.known);
	assert_int_equal(vgic_latency_block_length(&s), 0);
	for (uint64_t i = 0; i < 999; i++)
		add(&s, i, i + 1);
	assert_int_equal(vgic_latency_percentile(&s, 0.99, &q), 0);
	assert_false(q.known);
	assert_int_equal(q.value | q.low | q.high, 0);
	add(&s, 999, 1000);
	assert_int_equal(vgic_latency_percentile(&s, 0.99, &q), 0);
	assert_true(q.known);
	assert_int_equal(q.value, 990);
	assert_in_range(q.low, 850, 989);
	assert_in_range(q.high, 990, 1000);
	vgic_latency_finish(&s);
}

/* Several at once are what each alone is; the same again is the same. */
static void several_at_once(void **unused)
{
	struct vgic_percentile all[VGIC_LATENCY_PERCENTILES], one;
	struct vgic_latency_series s;

	state = 7;
	assert_int_equal(vgic_latency_init(&s), 0);
	for (uint64_t i = 0; i < 20000; i++)
		add(&s, i, exponential());
	assert_int_equal(
		vgic_latency_percentiles(&s, vgic_latency_p, VGIC_LATENCY_PERCENTILES, all), 0);
	for (size_t i = 0; i < VGIC_LATENCY_PERCENTILES; i++) {
		assert_int_equal(vgic_latency_percentile(&s, vgic_latency_p[i], &one), 0);
		assert_memory_equal(&one, &all[i], sizeof(one));
		assert_int_equal(one.known, i < 4);
		assert_true(one.low <= one.value && one.value <= one.high);
	}
	assert_true(all[0].high < all[1].low && all[1].high < all[2].low);
	vgic_latency_finish(&s);
}

/* How many of 200 series have the true percentile inside its interval. */
static unsigned int covered(uint64_t n, double p, unsigned int burst)
{
	uint64_t truth = (uint64_t)(-log(1 - p) * 100000);
	unsigned int inside = 0;

	state = 4711;
	for (unsigned int run = 0; run < 200; run++) {
		struct vgic_latency_series s;
		struct vgic_percentile q;
		uint64_t value = 0;

		assert_int_equal(vgic_latency_init(&s), 0);
		for (uint64_t i = 0; i < n; i++) {
			if (i % burst == 0)
				value = exponential();
			add(&s, i, value);
		}
		assert_int_equal(vgic_latency_percentile(&s, p, &q), 0);
		assert_true(q.known);
		inside += q.low <= truth && truth <= q.high;
		vgic_latency_finish(&s);
	}
	return inside;
}

/* 95 % of 200 are 190; four standard deviations of the count are 12. */
static void coverage(void **unused)
{
	assert_in_range(covered(500, 0.5, 1), 178, 200);
	assert_in_range(covered(2000, 0.5, 1), 178, 200);
	assert_in_range(covered(2000, 0.9, 1), 178, 200);
	assert_in_range(covered(20000, 0.99, 1), 178, 200);
}

/* Bursts of 20 alike: intervals for independent samples would hold the truth in a third. */
static void coverage_of_bursts(void **unused)
{
	assert_in_range(covered(2000, 0.5, 20), 170, 200);
	assert_in_range(covered(20000, 0.9, 20), 176, 200);
}

/* The same values in another order: neighbours that are alike tell less. */
static void bursts_widen_the_interval(void **unused)
{
	struct vgic_latency_series bursts, mixed;
	struct vgic_percentile a, b;

	state = 99;
	assert_int_equal(vgic_latency_init(&bursts), 0);
	assert_int_equal(vgic_latency_init(&mixed), 0);
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t value = exponential();

		for (uint64_t k = 0; k < 20; k++) {
			add(&bursts, i * 20 + k, value);
			add(&mixed, k * 200 + i, value);
		}
	}
	assert_int_equal(vgic_latency_percentile(&bursts, 0.5, &a), 0);
	assert_int_equal(vgic_latency_percentile(&mixed, 0.5, &b), 0);
	assert_int_equal(a.value, b.value);
	assert_true(a.high - a.low > 2 * (b.high - b.low));
	vgic_latency_finish(&bursts);
	vgic_latency_finish(&mixed);
}

/* In whatever order the latencies become known: the raise counts. */
static void order_of_the_raises(void **unused)
{
	struct vgic_latency_series a, b;
	struct vgic_percentile qa, qb;
	uint64_t values[1000];

	state = 5;
	assert_int_equal(vgic_latency_init(&a), 0);
	assert_int_equal(vgic_latency_init(&b), 0);
	for (uint64_t i = 0; i < 1000; i++) {
		values[i] = exponential();
		add(&a, i, values[i]);
	}
	for (uint64_t i = 1000; i--;)
		add(&b, i, values[i]);
	assert_int_equal(vgic_latency_percentile(&a, 0.9, &qa), 0);
	assert_int_equal(vgic_latency_percentile(&b, 0.9, &qb), 0);
	assert_memory_equal(&qa, &qb, sizeof(qa));
	vgic_latency_finish(&a);
	vgic_latency_finish(&b);
}

static void assert_same(struct vgic_latency_series *a, struct vgic_latency_series *b)
{
	assert_int_equal(a->raises, b->raises);
	assert_int_equal(a->nr_blocks, b->nr_blocks);
	for (size_t i = 0; i < a->nr_blocks; i++)
		assert_int_equal(a->blocks[i].n, b->blocks[i].n);
	assert_int_equal(vgic_latency_pack(a), 0);
	assert_int_equal(vgic_latency_pack(b), 0);
	assert_int_equal(a->packed_size, b->packed_size);
	assert_memory_equal(a->packed, b->packed, a->packed_size);
	assert_int_equal(a->hist.n, b->hist.n);
	assert_int_equal(a->hist.sum, b->hist.sum);
	assert_int_equal(a->hist.min, b->hist.min);
	assert_int_equal(a->hist.max, b->hist.max);
	assert_memory_equal(a->hist.count, b->hist.count,
			    VGIC_HIST_BUCKETS * sizeof(*a->hist.count));
}

/* One by one, all at once, packed at once: the series is the same. */
static void many_at_a_time(void **unused)
{
	static const size_t sizes[] = {1, 127, 128, 129, 1000, 5000};
	struct vgic_latency_series one, all, packed;
	struct vgic_latency_sample v[5000];

	state = 7;
	for (size_t c = 0; c < sizeof(sizes) / sizeof(sizes[0]); c++) {
		size_t n = sizes[c];

		assert_int_equal(vgic_latency_init(&one), 0);
		assert_int_equal(vgic_latency_init(&all), 0);
		assert_int_equal(vgic_latency_init(&packed), 0);
		for (size_t i = 0; i < n; i++) {
			/* Late ones, gaps, very short and very long ones. */
			v[i].raise = i % 7 ? i * 3 : i;
			v[i].ns = i % 11 == 5 ? UINT64_MAX : exponential() >> (i % 13);
			add(&one, v[i].raise, v[i].ns);
		}
		assert_int_equal(vgic_latency_add_all(&all, v, n / 2), 0);
		assert_int_equal(vgic_latency_add_all(&all, v + n / 2, n - n / 2), 0);
		assert_int_equal(vgic_latency_pack_all(&packed, v, n), 0);
		assert_non_null(packed.packed);
		assert_same(&one, &all);
		assert_same(&one, &packed);
		vgic_latency_finish(&one);
		vgic_latency_finish(&all);
		vgic_latency_finish(&packed);
	}
}

/* A million raises, and one with the last number there is, are as many blocks as a hundred. */
static void blocks_stay_few(void **unused)
{
	struct vgic_latency_series s;
	struct vgic_percentile q;
	uint64_t sum = 0;

	assert_int_equal(vgic_latency_init(&s), 0);
	for (uint64_t i = 0; i < 1000000; i++)
		add(&s, i, i % 1000);
	assert_int_equal(s.raises, 8192);
	assert_int_equal(s.nr_blocks, 123);
	for (size_t i = 0; i < s.nr_blocks; i++)
		sum += s.blocks[i].n;
	assert_int_equal(sum, 1000000);
	assert_int_equal(vgic_latency_block_length(&s), 1000000 / 123);
	add(&s, UINT64_MAX, UINT64_MAX);
	assert_int_equal(s.nr_blocks, VGIC_LATENCY_BLOCKS);
	assert_int_equal(s.blocks[0].n, 1000000);
	assert_int_equal(vgic_latency_percentile(&s, 0.9999, &q), 0);
	assert_true(q.known);
	assert_int_equal(q.value, 999);
	assert_int_equal(s.hist.max, UINT64_MAX);
	vgic_latency_finish(&s);
}

static void same_percentiles(const struct vgic_latency_series *a,
			     const struct vgic_latency_series *b)
{
	struct vgic_percentile p[VGIC_LATENCY_PERCENTILES], q[VGIC_LATENCY_PERCENTILES];

	assert_int_equal(vgic_latency_percentiles(a, vgic_latency_p, VGIC_LATENCY_PERCENTILES, p),
			 0);
	assert_int_equal(vgic_latency_percentiles(b, vgic_latency_p, VGIC_LATENCY_PERCENTILES, q),
			 0);
	assert_memory_equal(p, q, sizeof(p));
	assert_int_equal(vgic_latency_block_length(a), vgic_latency_block_length(b));
}

/* Packed it says the same, alone and merged, and can be added to. One count is beyond 16 bits. */
static void packed(void **unused)
{
	struct vgic_latency_series s, same, more, as_much;

	state = 11;
	assert_int_equal(vgic_latency_init(&s), 0);
	assert_int_equal(vgic_latency_init(&same), 0);
	assert_int_equal(vgic_latency_pack(&s), 0);
	assert_null(s.packed);
	for (uint64_t i = 0; i < 170000; i++) {
		uint64_t ns = i % 2 ? exponential() : 7, raise = i % 2 ? i : 1000;

		add(&s, raise, ns);
		add(&same, raise, ns);
	}
	assert_int_equal(vgic_latency_pack(&s), 0);
	assert_non_null(s.packed);
	for (size_t i = 0; i < s.nr_blocks; i++)
		for (unsigned int k = 0; k < VGIC_LATENCY_PARTS; k++)
			assert_null(s.blocks[i].part[k]);
	same_percentiles(&s, &same);
	assert_int_equal(vgic_latency_pack(&s), 0);
	same_percentiles(&s, &same);

	assert_int_equal(vgic_latency_init(&more), 0);
	assert_int_equal(vgic_latency_init(&as_much), 0);
	assert_int_equal(vgic_latency_merge(&more, &s), 0);
	assert_int_equal(vgic_latency_merge(&as_much, &same), 0);
	same_percentiles(&more, &as_much);
	vgic_latency_finish(&more);
	vgic_latency_finish(&as_much);

	for (uint64_t i = 170000; i < 200000; i++) {
		add(&s, i, i % 1000);
		add(&same, i, i % 1000);
	}
	assert_null(s.packed);
	same_percentiles(&s, &same);
	vgic_latency_finish(&s);
	vgic_latency_finish(&same);
}

/* Sixteen blocks at least: a small sample has short ones. */
static void block_length(void **unused)
{
	static const struct {
		uint64_t n, length;
	} cases[] = {{20, 1}, {32, 2}, {256, 16}, {1000, 31}, {6400, 128}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vgic_latency_series s;

		assert_int_equal(vgic_latency_init(&s), 0);
		for (uint64_t k = 0; k < cases[i].n; k++)
			add(&s, k, k);
		assert_int_equal(vgic_latency_block_length(&s), cases[i].length);
		vgic_latency_finish(&s);
	}
}

/* Merged is the same as counted together, and knows more than either. */
static void merge(void **unused)
{
	static const uint64_t sizes[][2] = {
		{700, 90000}, {90000, 700}, {64, 64}, {0, 300}, {300, 0}};

	for (size_t c = 0; c < sizeof(sizes) / sizeof(sizes[0]); c++) {
		struct vgic_latency_series a, b, all;
		struct vgic_percentile q, p;
		uint64_t sum = 0;

		state = 3 + c;
		assert_int_equal(vgic_latency_init(&a), 0);
		assert_int_equal(vgic_latency_init(&b), 0);
		assert_int_equal(vgic_latency_init(&all), 0);
		for (uint64_t i = 0; i < sizes[c][0] + sizes[c][1]; i++) {
			uint64_t value = exponential() * (i < sizes[c][0] ? 3 : 1);

			add(&all, i, value);
			if (i < sizes[c][0])
				add(&a, i, value);
			else
				add(&b, i - sizes[c][0], value);
		}
		assert_int_equal(vgic_latency_merge(&a, &b), 0);
		assert_int_equal(a.hist.n, all.hist.n);
		assert_int_equal(a.hist.sum, all.hist.sum);
		assert_int_equal(a.hist.min, all.hist.min);
		assert_int_equal(a.hist.max, all.hist.max);
		assert_memory_equal(a.hist.count, all.hist.count,
				    VGIC_HIST_BUCKETS * sizeof(*all.hist.count));
		assert_true(a.nr_blocks <= VGIC_LATENCY_BLOCKS);
		for (size_t i = 0; i < a.nr_blocks; i++)
			sum += a.blocks[i].n;
		assert_int_equal(sum, all.hist.n);
		assert_int_equal(vgic_latency_percentile(&a, 0.5, &q), 0);
		assert_int_equal(vgic_latency_percentile(&all, 0.5, &p), 0);
		assert_true(q.known);
		assert_int_equal(q.value, p.value);
		vgic_latency_finish(&a);
		vgic_latency_finish(&b);
		vgic_latency_finish(&all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_small),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(coverage),
		cmocka_unit_test(coverage_of_bursts),
		cmocka_unit_test(bursts_widen_the_interval),
		cmocka_unit_test(order_of_the_raises),
		cmocka_unit_test(many_at_a_time),
		cmocka_unit_test(blocks_stay_few),
		cmocka_unit_test(packed),
		cmocka_unit_test(block_length),
		cmocka_unit_test(merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
