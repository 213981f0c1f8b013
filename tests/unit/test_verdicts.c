/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a replay foretold what a recording shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/fates.h>

static struct vgic_fate fate(enum vgic_fate_kind kind, uint64_t delivered, uint64_t first_ns)
{
	return (struct vgic_fate){.intid = 40,
				  .vcpu = 0,
				  .kind = (uint8_t)kind,
				  .raised = 1,
				  .delivered = delivered,
				  .ended = delivered,
				  .first_ns = first_ns};
}

static enum vgic_verdict judge(const struct vgic_fate *source, const struct vgic_fate *replayed,
			       const struct vgic_fate *recorded, bool source_blocked,
			       bool recorded_blocked)
{
	struct vgic_fate_triple t = {source,	     replayed,	       recorded,
				     source_blocked, recorded_blocked, source_blocked};

	return vgic_fate_verdict(&t);
}

static void same_fate_agrees(void **state)
{
	for (int i = VGIC_FATE_DELIVERED; i < VGIC_FATE_KINDS; i++) {
		struct vgic_fate a = fate((enum vgic_fate_kind)i, 1, 0);
		struct vgic_fate b = fate((enum vgic_fate_kind)i, 100, 0);
		struct vgic_fate d = fate(VGIC_FATE_DELIVERED, 7, 0);

		assert_int_equal(judge(&d, &a, &b, false, true), VGIC_VERDICT_AGREE);
	}
	assert_int_equal(judge(NULL, NULL, NULL, false, false), VGIC_VERDICT_AGREE);
}

static void every_other_fate_differs(void **state)
{
	for (int i = VGIC_FATE_DELIVERED; i < VGIC_FATE_KINDS; i++)
		for (int k = VGIC_FATE_DELIVERED; k < VGIC_FATE_KINDS; k++) {
			struct vgic_fate a = fate((enum vgic_fate_kind)i, 1, 0);
			struct vgic_fate b = fate((enum vgic_fate_kind)k, 1, 0);
			bool both_through = (i == VGIC_FATE_DELIVERED || i == VGIC_FATE_WAITING) &&
					    (k == VGIC_FATE_DELIVERED || k == VGIC_FATE_WAITING);

			assert_int_equal(judge(&a, &a, &b, false, false),
					 i == k || both_through ? VGIC_VERDICT_AGREE
								: VGIC_VERDICT_DIFFER);
		}
}

static void waiting_counts_by_what_came_before(void **state)
{
	struct vgic_fate never = fate(VGIC_FATE_WAITING, 0, 0);
	struct vgic_fate before = fate(VGIC_FATE_WAITING, 3, 0);
	struct vgic_fate through = fate(VGIC_FATE_DELIVERED, 3, 0);
	struct vgic_fate starved = fate(VGIC_FATE_STARVED, 0, 0);

	assert_int_equal(judge(&through, &before, &through, false, false), VGIC_VERDICT_AGREE);
	assert_int_equal(judge(&through, &never, &through, false, false), VGIC_VERDICT_DIFFER);
	/* The source's guest starved before it let this one in. */
	assert_int_equal(judge(&never, &never, &through, true, false), VGIC_VERDICT_OPEN);
	assert_int_equal(judge(&starved, &never, &through, true, false), VGIC_VERDICT_OPEN);
	/* It was not held up: then the replay is wrong. */
	assert_int_equal(judge(&never, &never, &through, false, false), VGIC_VERDICT_DIFFER);
	/* It had let it in: then the replay is wrong, too. */
	assert_int_equal(judge(&through, &never, &through, true, false), VGIC_VERDICT_DIFFER);
}

static void what_was_never_raised_is_open(void **state)
{
	struct vgic_fate through = fate(VGIC_FATE_DELIVERED, 3, 0);
	struct vgic_fate starved = fate(VGIC_FATE_STARVED, 0, 0);

	assert_int_equal(judge(NULL, NULL, &through, true, false), VGIC_VERDICT_OPEN);
	/* Raised in the source, and no more in the replay. */
	assert_int_equal(judge(&through, NULL, &through, true, false), VGIC_VERDICT_DIFFER);
	/* The recorded guest does without it; held up, it would have asked. */
	assert_int_equal(judge(&through, &through, NULL, false, false), VGIC_VERDICT_OPEN);
	assert_int_equal(judge(&through, &through, NULL, false, true), VGIC_VERDICT_DIFFER);
	assert_int_equal(judge(&through, &starved, NULL, false, false), VGIC_VERDICT_DIFFER);
}

static void what_the_source_did_not_end_is_open(void **state)
{
	struct vgic_fate running = fate(VGIC_FATE_DELIVERED, 3, 0);
	struct vgic_fate through = fate(VGIC_FATE_DELIVERED, 3, 0);
	struct vgic_fate stuck = fate(VGIC_FATE_STUCK, 3, 0);
	struct vgic_fate starved = fate(VGIC_FATE_STARVED, 3, 0);

	running.ended = 2;
	assert_int_equal(judge(&running, &stuck, &through, false, false), VGIC_VERDICT_OPEN);
	assert_int_equal(judge(&running, &through, &stuck, false, false), VGIC_VERDICT_OPEN);
	assert_int_equal(judge(&running, &through, &through, false, false), VGIC_VERDICT_AGREE);
	assert_int_equal(judge(&running, &starved, &through, false, false), VGIC_VERDICT_DIFFER);
	/* A guest that starved holds on to it: the other kernel must let it go. */
	assert_int_equal(judge(&running, &stuck, &through, true, false), VGIC_VERDICT_DIFFER);
	assert_int_equal(judge(&through, &stuck, &through, false, false), VGIC_VERDICT_DIFFER);
}

static void two_that_race_change_places(void **state)
{
	struct vgic_fate early = fate(VGIC_FATE_DELIVERED, 1, 10);
	struct vgic_fate late = fate(VGIC_FATE_DELIVERED, 1, 20);
	struct vgic_fate stuck10 = fate(VGIC_FATE_STUCK, 1, 10);
	struct vgic_fate stuck20 = fate(VGIC_FATE_STUCK, 1, 20);
	struct vgic_fate starved10 = fate(VGIC_FATE_STARVED, 0, 10);
	struct vgic_fate starved20 = fate(VGIC_FATE_STARVED, 0, 20);
	/* x came first in the source and got the LR in its replay; y in the recording. */
	struct vgic_fate_triple x = {&early, &stuck10, &starved20, false, true, false};
	struct vgic_fate_triple y = {&late, &starved20, &stuck10, false, true, false};
	struct vgic_fate_triple z = y;

	assert_int_equal(vgic_fate_verdict(&x), VGIC_VERDICT_DIFFER);
	assert_int_equal(vgic_fate_verdict(&y), VGIC_VERDICT_DIFFER);
	assert_true(vgic_fates_swapped(&x, &y));
	assert_true(vgic_fates_swapped(&y, &x));
	/* In the same order everywhere: no excuse. */
	x.recorded = &starved10;
	y.recorded = &stuck20;
	assert_false(vgic_fates_swapped(&x, &y));
	/* Not each other's fate. */
	x.recorded = &starved20;
	z.replayed = &late;
	assert_false(vgic_fates_swapped(&x, &z));
	z.replayed = &starved20;
	z.source = NULL;
	assert_false(vgic_fates_swapped(&x, &z));
}

static void blocked_is_what_will_not_go_on(void **state)
{
	struct vgic_fate list[3] = {fate(VGIC_FATE_DELIVERED, 1, 0), fate(VGIC_FATE_WAITING, 1, 0),
				    fate(VGIC_FATE_WITHDRAWN, 0, 0)};

	assert_false(vgic_fates_any(list, 3, VGIC_FATE_STUCK));
	list[1].kind = VGIC_FATE_STUCK;
	assert_true(vgic_fates_any(list, 3, VGIC_FATE_STUCK));
	list[1].kind = VGIC_FATE_STARVED;
	assert_true(vgic_fates_any(list, 3, VGIC_FATE_STUCK));
	assert_false(vgic_fates_any(list, 1, VGIC_FATE_STUCK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_fate_agrees),
		cmocka_unit_test(every_other_fate_differs),
		cmocka_unit_test(waiting_counts_by_what_came_before),
		cmocka_unit_test(what_was_never_raised_is_open),
		cmocka_unit_test(what_the_source_did_not_end_is_open),
		cmocka_unit_test(two_that_race_change_places),
		cmocka_unit_test(blocked_is_what_will_not_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
