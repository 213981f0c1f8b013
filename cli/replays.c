// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "exit.h"
#include "output.h"
#include "pool.h"
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

void replays_describe(struct vgic_result *r, const struct replays_choice *choice,
		      const struct vgic_replay_config *c)
{
	r->policy = c->policy->name;
	r->arrivals = choice->arrivals;
	r->estimator = VGIC_ESTIMATOR;
	r->seed = choice->seed;
	r->profile = *c->profile;
	r->mi_delay_ns = c->mi_delay_ns;
	r->nr_mi_delays = c->nr_mi_delays;
	if (!r->nr_mi_delays) {
		r->mi_delay_ns =
			r->profile.nr_mi_delays ? r->profile.mi_delays : &r->profile.mi_delay_ns;
		r->nr_mi_delays = r->profile.nr_mi_delays ? r->profile.nr_mi_delays : 1;
	}
}

int replays_fail(int err, unsigned int nr_lr, const char *path)
{
	if (err == -EOVERFLOW)
		return cli_fail(EXIT_INPUT,
				"replay with %u LRs does not end: %s: this is no demand of a guest",
				nr_lr, path);
	return cli_fail(EXIT_SOFTWARE, "replay with %u LRs failed: %s: %s", nr_lr, path,
			strerror(-err));
}

bool replays_excess(enum vgic_outcome outcome, uint64_t exits, enum vgic_outcome of_most,
		    uint64_t exits_of_most, int64_t *excess)
{
	*excess = (int64_t)exits - (int64_t)exits_of_most;
	return outcome != VGIC_OUTCOME_LIVELOCK && of_most == VGIC_OUTCOME_COMPLETED;
}

void replays_ample_note(struct replays_ample *a, const struct vgic_workload *wl,
			const struct vgic_cell *cell)
{
	unsigned int known = atomic_load(&a->nr_lr);

	/* Good for any number of them is good for all but the recorded one. */
	if (!vgic_replay_same(wl, cell, UINT_MAX))
		return;
	while ((!known || cell->nr_lr < known) &&
	       !atomic_compare_exchange_weak(&a->nr_lr, &known, cell->nr_lr))
		continue;
}

unsigned int replays_ample_for(struct replays_ample *a, const struct vgic_workload *wl,
			       unsigned int nr_lr)
{
	unsigned int known = atomic_load(&a->nr_lr);

	return known && known < nr_lr && nr_lr != wl->nr_lr ? known : 0;
}

struct counts {
	const bool *wanted;
	int (*one)(void *opaque, unsigned int nr_lr);
	void *opaque;
	int *error;
	atomic_uint next, done;
	unsigned int all;
	uint64_t started;
};

static void show_progress(const struct counts *p)
{
	unsigned int done = p->done;
	char what[32];

	snprintf(what, sizeof(what), "%u of %u replays", done, p->all);
	cli_progress_share(what, (double)done / p->all, p->started);
}

static void work(void *opaque)
{
	struct counts *p = opaque;

	for (;;) {
		/* Few LRs take longest: first. */
		unsigned int n = atomic_fetch_add(&p->next, 1) + 1;

		if (n > REPLAYS_MAX_LRS)
			return;
		if (!p->wanted[n])
			continue;
		show_progress(p);
		p->error[n] = p->one(p->opaque, n);
		atomic_fetch_add(&p->done, 1);
	}
}

void replays_each(uint64_t threads, const bool *wanted,
		  int (*one)(void *opaque, unsigned int nr_lr), void *opaque, int *error)
{
	struct counts p = {.wanted = wanted,
			   .one = one,
			   .opaque = opaque,
			   .error = error,
			   .started = cli_clock()};

	memset(error, 0, (REPLAYS_MAX_LRS + 1) * sizeof(*error));
	atomic_init(&p.next, 0);
	atomic_init(&p.done, 0);
	for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
		p.all += wanted[n];
	pool_run(threads, work, &p);
	cli_progress_end();
}
