// SPDX-License-Identifier: GPL-2.0-only
/* Threads that share one piece of work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "pool.h"

struct count {
	atomic_uint calls;
	pthread_barrier_t together;
};

static void meet(void *opaque)
{
	struct count *c = opaque;

	atomic_fetch_add(&c->calls, 1);
	/* Whoever called it one after the other would wait here for ever. */
	pthread_barrier_wait(&c->together);
}

static void all_at_the_same_time(void **state)
{
	static const unsigned int threads[] = {1, 2, 7, POOL_MAX_THREADS};

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		struct count c;

		atomic_init(&c.calls, 0);
		pthread_barrier_init(&c.together, NULL, threads[i]);
		pool_run(threads[i], meet, &c);
		assert_int_equal(atomic_load(&c.calls), threads[i]);
		pthread_barrier_destroy(&c.together);
	}
}

static void here(void *opaque)
{
	*(pthread_t *)opaque = pthread_self();
}

static void one_is_this_one(void **state)
{
	pthread_t who;

	pool_run(1, here, &who);
	assert_true(pthread_equal(who, pthread_self()));
}

static void cpus(void **state)
{
	assert_in_range(pool_cpus(), 1, POOL_MAX_THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_the_same_time),
		cmocka_unit_test(one_is_this_one),
		cmocka_unit_test(cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
