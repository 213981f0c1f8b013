// SPDX-License-Identifier: GPL-2.0-only
/* The ITS, command by command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <vgicsim/its.h>

static struct vgic *vgic;
static struct vgic_its *its;

static void start(const char *policy)
{
	struct vgic_config cfg = {
		.policy = vgic_policy_find(policy),
		.nr_vcpus = 3,
		.nr_spis = 32,
		.nr_lr = 4,
	};

	assert_int_equal(vgic_create(&vgic, &cfg), 0);
	assert_int_equal(vgic_its_create(&its, vgic), 0);
	vgic->dist_enabled = true;
	assert_int_equal(vgic_its_mapc(its, 0, 0), 0);
	assert_int_equal(vgic_its_mapc(its, 1, 1), 0);
}

static void stop(void)
{
	vgic_its_destroy(its);
	vgic_destroy(vgic);
}

static int setup(void **state)
{
	start("newest");
	return 0;
}

static int teardown(void **state)
{
	stop();
	return 0;
}

static struct vgic_irq *lpi(uint32_t intid)
{
	return vgic_irq_find(vgic, 0, intid);
}

static void event_to_list(void **state)
{
	assert_int_equal(vgic_its_int(its, 5, 1), -ENOENT);
	assert_int_equal(vgic_its_mapti(its, 5, 1, 8192, 1), 0);
	assert_int_equal(lpi(8192)->target, 1);
	/* Raised, but not yet enabled in the property table. */
	assert_int_equal(vgic_its_int(its, 5, 1), 1);
	assert_int_equal(vgic->vcpus[1].list.count, 0);
	assert_int_equal(vgic_its_inv(its, 5, 1, 0xa7, true), 0);
	assert_int_equal(lpi(8192)->priority, 0xa4);
	assert_int_equal(vgic->vcpus[1].list.count, 1);
	assert_int_equal(vgic_its_clear(its, 5, 1), 0);
	assert_false(lpi(8192)->pending_latch);
	vgic_lpi_enable(vgic, 0, 1, false);
	assert_int_equal(vgic_its_int(its, 5, 1), 0);
}

static void collections(void **state)
{
	assert_int_equal(vgic_its_mapti(its, 5, 1, 8192, 0), 0);
	assert_int_equal(vgic_its_mapc(its, 0, 2), 0);
	assert_int_equal(lpi(8192)->target, 2);
	assert_int_equal(vgic_its_movi(its, 5, 1, 1), 0);
	assert_int_equal(lpi(8192)->target, 1);
	assert_int_equal(vgic_its_movi(its, 5, 1, 9), -EINVAL);
	assert_int_equal(vgic_its_movi(its, 5, 2, 1), -ENOENT);
	assert_int_equal(vgic_its_movall(its, 1, 0), 0);
	assert_int_equal(lpi(8192)->target, 0);
	assert_int_equal(vgic_its_movall(its, 1, 3), -EINVAL);
	assert_int_equal(vgic_its_mapc(its, 1, VGIC_NO_VCPU), 0);
	assert_int_equal(vgic_its_int(its, 5, 1), -ENOENT);
	assert_int_equal(vgic_its_mapc(its, 1, 3), -EINVAL);
	assert_int_equal(vgic_its_mapc(its, VGIC_ITS_COLLECTIONS, 0), -EINVAL);
	assert_int_equal(vgic_its_mapti(its, 5, 3, 8193, VGIC_ITS_COLLECTIONS), -EINVAL);
	assert_int_equal(vgic_its_mapti(its, 5, 3, 8191, 0), -EINVAL);
}

/* one_event_per_lpi: 7.3 refuses what 7.2 takes. */
static void two_events_on_one_lpi(void **state)
{
	static const char *const policies[] = {"linux-7.2", "linux-7.3"};

	for (int i = 0; i < 2; i++) {
		stop();
		start(policies[i]);
		assert_int_equal(vgic_its_mapti(its, 5, 1, 8192, 0), 0);
		assert_int_equal(vgic_its_mapti(its, 5, 2, 8192, 1), i ? -EEXIST : 0);
		assert_int_equal(lpi(8192)->target, 0);
		assert_int_equal(vgic_its_discard(its, 5, 1), 0);
		/* The other event keeps it alive. */
		assert_int_equal(vgic_its_int(its, 5, 2), i ? -ENOENT : 1);
		assert_int_equal(lpi(8192)->mapped, !i);
		assert_int_equal(vgic_its_discard(its, 5, 1), -ENOENT);
	}
}

static void many_events(void **state)
{
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(vgic_its_mapti(its, i / 10, i % 10, 8192 + i, i % 2), 0);
	/* Mapped already: stays. */
	assert_int_equal(vgic_its_mapti(its, 3, 3, 9000, 0), 0);
	assert_null(lpi(9000));
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(vgic_its_int(its, i / 10, i % 10), 1);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(vgic_its_discard(its, i / 10, i % 10), 0);
	assert_int_equal(vgic_its_inv(its, 0, 0, 0, true), -ENOENT);
	assert_int_equal(vgic_its_clear(its, 0, 0), -ENOENT);
}

/*
 * DISCARD leaves a pending LPI where it is; once it is on no list any more it is forgotten, and
 * what comes back from an LR then finds a new one under its number (OV-79).
 */
static void remapped(void **state)
{
	assert_int_equal(vgic_its_mapti(its, 5, 1, 8192, 0), 0);
	assert_int_equal(vgic_its_inv(its, 5, 1, 0xa0, true), 0);
	assert_int_equal(vgic_its_int(its, 5, 1), 1);
	assert_int_equal(vgic_its_discard(its, 5, 1), 0);
	assert_int_equal(vgic->vcpus[0].list.count, 1);
	assert_int_equal(vgic_its_mapti(its, 5, 1, 8192, 1), 0);
	assert_true(lpi(8192)->pending_latch);
	assert_int_equal(lpi(8192)->vcpu, 0);
	assert_int_equal(lpi(8192)->target, 1);

	/* Disabled, it leaves its list pending; the next one of this number is not. */
	assert_int_equal(vgic_its_inv(its, 5, 1, 0xa0, false), 0);
	vgic_prune(vgic, 0);
	assert_int_equal(vgic->vcpus[0].list.count, 0);
	assert_true(lpi(8192)->pending_latch);
	assert_int_equal(vgic_its_discard(its, 5, 1), 0);
	assert_int_equal(vgic_its_mapti(its, 5, 1, 8192, 0), 0);
	assert_false(lpi(8192)->pending_latch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(event_to_list), TEST(collections), TEST(two_events_on_one_lpi),
		TEST(many_events),   TEST(remapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
