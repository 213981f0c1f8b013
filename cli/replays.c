// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include "replays.h"

const char *const replays_arrivals[] = {"causal", "open", "dependent", NULL};

void replays_configure(struct vgic_replay_config *c, const struct replays_choice *choice,
		       const struct vgic_policy *policy, const struct vgr_header *h,
		       const struct demand *d)
{
	demand_machine(c, h, d);
	c->policy = policy;
	c->seed = choice->seed;
	c->arrivals = (enum vgic_arrivals)vgic_arrivals_parse(choice->arrivals);
	if (choice->mi_delay != UINT64_MAX) {
		c->mi_delay_ns[0] = choice->mi_delay;
		c->nr_mi_delays = 1;
	}
}

struct pool {
	const bool *wanted;
	int (*one)(void *opaque, unsigned int nr_lr);
	void *opaque;
	int *error;
	atomic_uint next;
};

static void *worker(void *opaque)
{
	struct pool *p = opaque;

	for (;;) {
		/* Few LRs take longest: first. */
		unsigned int n = atomic_fetch_add(&p->next, 1) + 1;

		if (n > REPLAYS_MAX_LRS)
			return NULL;
		if (p->wanted[n])
			p->error[n] = p->one(p->opaque, n);
	}
}

void replays_each(uint64_t jobs, const bool *wanted, int (*one)(void *opaque, unsigned int nr_lr),
		  void *opaque, int *error)
{
	struct pool p = {.wanted = wanted, .one = one, .opaque = opaque, .error = error};
	pthread_t threads[REPLAYS_MAX_JOBS];
	unsigned int started = 0;

	memset(error, 0, (REPLAYS_MAX_LRS + 1) * sizeof(*error));
	atomic_init(&p.next, 0);
	for (uint64_t i = 1; i < jobs && started < REPLAYS_MAX_JOBS; i++) {
		if (pthread_create(&threads[started], NULL, worker, &p))
			break;
		started++;
	}
	worker(&p);
	while (started)
		pthread_join(threads[--started], NULL);
}
