// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <sched.h>
#include "pool.h"

struct job {
	void (*work)(void *opaque);
	void *opaque;
};

static void *start(void *opaque)
{
	const struct job *j = opaque;

	j->work(j->opaque);
	return NULL;
}

void pool_run(uint64_t threads, void (*work)(void *opaque), void *opaque)
{
	struct job j = {.work = work, .opaque = opaque};
	pthread_t other[POOL_MAX_THREADS];
	unsigned int started = 0;

	for (uint64_t i = 1; i < threads && started < POOL_MAX_THREADS; i++) {
		if (pthread_create(&other[started], NULL, start, &j))
			break;
		started++;
	}
	work(opaque);
	while (started)
		pthread_join(other[--started], NULL);
}

uint64_t pool_cpus(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : n > (int)POOL_MAX_THREADS ? POOL_MAX_THREADS : (uint64_t)n;
}
