// SPDX-License-Identifier: GPL-2.0-only
/* The distance between a guest's clock and its host's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <vgicsim/guest_sync.h>

#define RUNS	4000u
#define MOMENTS 300u
#define OFFSET	9964391096

static struct vgic_guest_run runs[2][RUNS];
static struct vgic_guest_runs both[2] = {{runs[0], RUNS}, {runs[1], RUNS}};
static struct vgic_guest_moment moments[MOMENTS];
static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* Runs of 5 to 55 us, 50 to 1050 us apart, and moments in some of them. */
static void make(uint64_t seed)
{
	state = seed;
	for (unsigned int v = 0; v < 2; v++) {
		uint64_t t = 1000000000000 + below(1000000);

		for (unsigned int i = 0; i < RUNS; i++) {
			t += 50000 + below(1000000);
			runs[v][i].entry = t;
			t += 5000 + below(50000);
			runs[v][i].exit = t;
		}
	}
	for (unsigned int i = 0; i < MOMENTS; i++) {
		const struct vgic_guest_run *r = &runs[i % 2][1000 + 5 * i];

		moments[i].vcpu = i % 2;
		moments[i].time = r->entry + below(r->exit - r->entry + 1) - OFFSET;
	}
}

static void found(void **unused)
{
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct vgic_guest_sync s;

		make(seed);
		assert_int_equal(vgic_guest_sync_find(both, 2, moments, MOMENTS, &s), 0);
		assert_int_equal(s.inside, MOMENTS);
		assert_int_equal(s.covered, MOMENTS);
		assert_true(s.low <= OFFSET && OFFSET <= s.high);
		/* The shortest run that holds a moment is 5 us, and one of many is nearly so. */
		assert_true(s.high - s.low < 10000);
		assert_true(s.low <= s.offset && s.offset <= s.high);
		assert_true(s.second * 2 < s.inside);
		/* The ends are the ends: a ns beyond either, one moment is out. */
		vgic_guest_sync_count(both, 2, moments, MOMENTS, s.low, &s);
		assert_int_equal(s.inside, MOMENTS);
		vgic_guest_sync_count(both, 2, moments, MOMENTS, s.low - 1, &s);
		assert_int_equal(s.inside, MOMENTS - 1);
		vgic_guest_sync_count(both, 2, moments, MOMENTS, s.high + 1, &s);
		assert_int_equal(s.inside, MOMENTS - 1);
	}
}

/* Moments before the recording and after it count for nothing; nor do those of other CPUs. */
static void longer_than_the_recording(void **unused)
{
	struct vgic_guest_runs part[2] = {{&runs[0][1200], 800}, {&runs[1][1200], 800}};
	struct vgic_guest_sync s;

	make(9);
	for (unsigned int i = 0; i < MOMENTS; i += 10)
		moments[i].vcpu = 7;
	assert_int_equal(vgic_guest_sync_find(part, 2, moments, MOMENTS, &s), 0);
	assert_true(s.low <= OFFSET && OFFSET <= s.high);
	assert_true(s.covered < MOMENTS * 6 / 10 && s.inside == s.covered);
}

/* Up to 1 % may be elsewhere, not more. */
static void some_elsewhere(void **unused)
{
	struct vgic_guest_sync s;

	for (unsigned int out = 3; out <= 4; out++) {
		make(4);
		for (unsigned int i = 0; i < out; i++)
			moments[50 + i].time = runs[i % 2][1500 + i].exit + 20000 - OFFSET;
		assert_int_equal(vgic_guest_sync_find(both, 2, moments, MOMENTS, &s),
				 out == 3 ? 0 : -ENOTUNIQ);
		assert_int_equal(s.inside, MOMENTS - out);
	}
}

/* Every period is as good as any other. */
static void periodic(void **unused)
{
	struct vgic_guest_sync s;

	make(2);
	for (unsigned int i = 0; i < RUNS; i++)
		runs[0][i] = runs[1][i] = (struct vgic_guest_run){
			1000000000000 + i * 4000000ull, 1000000000000 + i * 4000000ull + 30000};
	for (unsigned int i = 0; i < MOMENTS; i++)
		moments[i].time = runs[0][1000 + 5 * i].entry + 100 - OFFSET;
	assert_int_equal(vgic_guest_sync_find(both, 2, moments, MOMENTS, &s), -ENOTUNIQ);
	assert_true(s.second * 10 > s.inside * 9);
}

static void too_few(void **unused)
{
	static const struct vgic_guest_runs none[2];
	struct vgic_guest_sync s;

	make(3);
	assert_int_equal(vgic_guest_sync_find(both, 2, moments, VGIC_GUEST_SYNC_LEAST - 1, &s),
			 -ENODATA);
	assert_int_equal(vgic_guest_sync_find(both, 2, moments, VGIC_GUEST_SYNC_LEAST, &s), 0);
	assert_int_equal(vgic_guest_sync_find(none, 2, moments, MOMENTS, &s), -ENODATA);
	assert_int_equal(vgic_guest_sync_find(both, 0, moments, MOMENTS, &s), -ENODATA);
}

/* Times at either end of what there is overflow nothing. */
static void far_apart(void **unused)
{
	struct vgic_guest_sync s;

	make(6);
	for (unsigned int i = 0; i < MOMENTS; i++)
		moments[i].time = INT64_MAX - i;
	(void)vgic_guest_sync_find(both, 2, moments, MOMENTS, &s);
	vgic_guest_sync_count(both, 2, moments, MOMENTS, INT64_MAX, &s);
	assert_int_equal(s.covered, 0);
	vgic_guest_sync_count(both, 2, moments, MOMENTS, INT64_MIN, &s);
	assert_int_equal(s.covered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),	  cmocka_unit_test(longer_than_the_recording),
		cmocka_unit_test(some_elsewhere), cmocka_unit_test(periodic),
		cmocka_unit_test(too_few),	  cmocka_unit_test(far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
