/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/derive.h>
#include <vgicsim/replay.h>

#include "fake_host.h"

#define VMCR0 (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)
#define VMCR1 (VMCR0 | VGIC_VMCR_VEOIM)

struct tap {
	struct vgic_derive *derive;
	struct vgic_measure *measure;
};

static void sink(void *opaque, const struct vgr_rec *rec)
{
	struct tap *t = opaque;
	const char *why = NULL;

	if (vgr_rec_validate(rec, rec->size, &why))
		fail_msg("%s", why);
	assert_int_equal(vgic_derive_record(t->derive, rec), 0);
	assert_int_equal(vgic_measure_record(t->measure, rec), 0);
}

struct bench {
	struct fake_host host;
	struct tap tap;
	struct vgic_workload *wl;
	struct vgic_cell recorded;
	bool eager, split;
};

static void bench_begin(struct bench *b, const char *policy, unsigned int nr_lr)
{
	const struct vgic_policy *p = vgic_policy_find(policy);
	struct vgic_derive_config dc = {.nr_lr = nr_lr, .eager_vmcr = p->eager_vmcr};

	memset(b, 0, sizeof(*b));
	assert_int_equal(vgic_derive_create(&b->tap.derive, &dc), 0);
	assert_int_equal(vgic_measure_create(&b->tap.measure, nr_lr, 0), 0);
	fake_init(&b->host, policy, nr_lr, 1, sink, &b->tap);
	for (uint32_t i = 32; i < 62; i++) {
		vgic_write_config(b->host.vgic, i, false);
		vgic_write_enable(b->host.vgic, 0, i, true);
		vgic_write_priority(b->host.vgic, 0, i, (uint8_t)(0xf0 - (i - 32) * 8));
	}
}

static void bench_end(struct bench *b)
{
	assert_int_equal(vgic_derive_finish(b->tap.derive, &b->wl), 0);
	vgic_measure_finish(b->tap.measure, &b->recorded);
	vgic_derive_destroy(b->tap.derive);
	vgic_measure_destroy(b->tap.measure);
	assert_int_equal(b->recorded.exits, b->host.exits);
	assert_int_equal(b->recorded.mi, b->host.mis);
	fake_finish(&b->host);
}

static void bench_free(struct bench *b)
{
	vgic_workload_destroy(b->wl);
	vgic_cell_finish(&b->recorded);
}

static struct vgic_cell replay(struct bench *b, const char *policy, unsigned int nr_lr)
{
	struct vgic_replay_config c = {
		.policy = vgic_policy_find(policy),
		.nr_lr = nr_lr,
		.has_tdir = true,
		.eoicount_on_split = b->split,
		.seed = 1,
	};
	struct vgic_cell cell;

	assert_int_equal(vgic_replay(b->wl, &c, &cell), 0);
	return cell;
}

static void same(const struct vgic_cell *a, const struct vgic_cell *b)
{
	assert_int_equal(a->outcome, b->outcome);
	for (int i = 0; i < VGIC_EXIT_KINDS; i++)
		assert_int_equal(a->exit[i], b->exit[i]);
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		assert_int_equal(a->mi_source[i], b->mi_source[i]);
	assert_int_equal(a->eoicount, b->eoicount);
	assert_int_equal(a->interrupts, b->interrupts);
	assert_int_equal(a->overflow_entries, b->overflow_entries);
	assert_int_equal(a->overflow_max, b->overflow_max);
	assert_int_equal(a->merged, b->merged);
	const struct vgic_hist *x = &a->latency[VGIC_LATENCY_RAISE_TO_LR].hist,
			       *y = &b->latency[VGIC_LATENCY_RAISE_TO_LR].hist;

	assert_int_equal(x->n, y->n);
	assert_in_range(vgic_hist_mean(x), vgic_hist_mean(y) * 4 / 5, vgic_hist_mean(y) * 6 / 5);
	assert_in_range(vgic_hist_quantile(x, 0.5), vgic_hist_quantile(y, 0.5) * 4 / 5,
			vgic_hist_quantile(y, 0.5) * 6 / 5);
}

/* n edge SPIs pending at once, handled one after the other. */
static void guest_burst(struct bench *b, unsigned int n, unsigned int rounds)
{
	uint32_t list[32], intid;

	for (unsigned int i = 0; i < n; i++)
		list[i] = 32 + i;
	fake_enter(&b->host, 0);
	fake_run(&b->host, 0, 5000);
	fake_vmcr(&b->host, 0, VMCR0);
	for (unsigned int r = 0; r < rounds; r++) {
		fake_raise(&b->host, 0, list, n, true);
		while ((intid = fake_ack(&b->host, 0)) != VGIC_SPURIOUS)
			fake_eoi(&b->host, 0, intid);
		fake_run(&b->host, 0, 3000);
	}
	fake_wfi(&b->host, 0, 10000);
	fake_exit(&b->host, 0, 2, 0x24);
}

static void burst_is_reproduced(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_burst(&b, 12, 5);
	bench_end(&b);
	assert_int_equal(b.recorded.interrupts, 60);
	assert_true(b.recorded.mi_source[1] > 0);
	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	same(&c, &b.recorded);
	assert_int_equal(c.unhandled, 0);
	vgic_cell_finish(&c);
	bench_free(&b);
}

static void burst_needs_no_mi_with_enough_lrs(void **state)
{
	struct bench b;
	uint64_t last = UINT64_MAX;

	bench_begin(&b, "linux-7.3", 4);
	guest_burst(&b, 12, 5);
	bench_end(&b);
	for (unsigned int n = 2; n <= 16; n++) {
		struct vgic_cell c = replay(&b, "linux-7.3", n);

		assert_int_equal(c.outcome, VGIC_OUTCOME_COMPLETED);
		assert_int_equal(c.interrupts, 60);
		assert_true(c.mi <= last);
		last = c.mi;
		if (n >= 12) {
			assert_int_equal(c.mi_source[1] + c.mi_source[2] + c.mi_source[3], 0);
			assert_int_equal(c.overflow_entries, 0);
		}
		vgic_cell_finish(&c);
	}
	bench_free(&b);
}

static void one_lr_is_a_livelock(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_burst(&b, 12, 1);
	bench_end(&b);
	for (unsigned int i = 0; i < 2; i++) {
		struct vgic_cell c = replay(&b, i ? "linux-6.12" : "linux-7.3", 1);

		assert_int_equal(c.outcome, VGIC_OUTCOME_LIVELOCK);
		assert_int_equal(c.stuck_vcpu, 0);
		assert_true(c.mi >= VGIC_LIVELOCK_ENTRIES);
		vgic_cell_finish(&c);
	}
	bench_free(&b);
}

/* Every handler raises a more urgent interrupt and waits for it; EOI in reverse order. */
static void preempt_from(struct bench *b, uint32_t intid, uint32_t last)
{
	uint32_t next = intid + 1;

	if (intid < last) {
		fake_raise(&b->host, 0, &next, 1, true);
		assert_int_equal(fake_ack(&b->host, 0), next);
		preempt_from(b, next, last);
	}
	fake_eoi(&b->host, 0, intid);
}

static void guest_preempt(struct bench *b, unsigned int depth, unsigned int rounds)
{
	uint32_t first = 32;

	fake_enter(&b->host, 0);
	fake_vmcr(&b->host, 0, VMCR0);
	for (unsigned int r = 0; r < rounds; r++) {
		fake_raise(&b->host, 0, &first, 1, true);
		assert_int_equal(fake_ack(&b->host, 0), 32);
		preempt_from(b, 32, 32 + depth - 1);
	}
	fake_exit(&b->host, 0, 2, 0x24);
}

static void preemption_is_reproduced(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_preempt(&b, 10, 4);
	bench_end(&b);
	assert_true(b.recorded.mi > 0);
	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	same(&c, &b.recorded);
	vgic_cell_finish(&c);
	c = replay(&b, "linux-7.3", 10);
	assert_int_equal(c.eoicount, 0);
	assert_int_equal(c.interrupts, 40);
	vgic_cell_finish(&c);
	bench_free(&b);
}

static void old_kernel_starves_preemption(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_preempt(&b, 10, 1);
	bench_end(&b);
	struct vgic_cell c = replay(&b, "linux-6.12", 4);

	assert_int_equal(c.outcome, VGIC_OUTCOME_STARVED);
	assert_int_equal(c.nr_starved, 1);
	assert_int_equal(c.starved[0].intid, 36);
	assert_int_equal(c.interrupts, 4);
	vgic_cell_finish(&c);
	c = replay(&b, "linux-6.12", 10);
	assert_int_equal(c.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(c.interrupts, 10);
	vgic_cell_finish(&c);
	bench_free(&b);
}

/* The running interrupt is pushed out of the LRs by pending ones: its EOI only counts. */
static void evicted_eoi_is_reproduced(void **state)
{
	struct bench b;
	uint32_t first = 50, list[6] = {32, 33, 34, 35, 36, 37}, intid;

	bench_begin(&b, "linux-7.3", 4);
	fake_enter(&b.host, 0);
	fake_vmcr(&b.host, 0, VMCR0);
	for (unsigned int r = 0; r < 5; r++) {
		fake_raise(&b.host, 0, &first, 1, true);
		assert_int_equal(fake_ack(&b.host, 0), 50);
		fake_raise(&b.host, 0, list, 6, true);
		fake_eoi(&b.host, 0, 50);
		while ((intid = fake_ack(&b.host, 0)) != VGIC_SPURIOUS)
			fake_eoi(&b.host, 0, intid);
	}
	fake_exit(&b.host, 0, 2, 0x24);
	bench_end(&b);
	assert_int_equal(b.recorded.eoicount, 5);
	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	same(&c, &b.recorded);
	vgic_cell_finish(&c);
	c = replay(&b, "linux-7.3", 7);
	assert_int_equal(c.eoicount, 0);
	vgic_cell_finish(&c);
	bench_free(&b);
}

/* EOImode 1: acknowledge everything, then deactivate everything in the same order. */
static void guest_ackall(struct bench *b, unsigned int n, unsigned int rounds)
{
	uint32_t list[32], taken[32], intid;

	for (unsigned int i = 0; i < n; i++)
		list[i] = 32 + i;
	fake_enter(&b->host, 0);
	fake_vmcr(&b->host, 0, VMCR1);
	for (unsigned int r = 0; r < rounds; r++) {
		unsigned int k = 0;

		fake_raise(&b->host, 0, list, n, true);
		while ((intid = fake_ack(&b->host, 0)) != VGIC_SPURIOUS) {
			taken[k++] = intid;
			fake_eoi(&b->host, 0, intid);
		}
		assert_int_equal(k, n);
		for (unsigned int i = 0; i < k; i++)
			fake_dir(&b->host, 0, taken[i]);
	}
	fake_exit(&b->host, 0, 2, 0x24);
}

static void ackall_is_reproduced(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_ackall(&b, 12, 3);
	bench_end(&b);
	assert_true(b.recorded.dir_traps > 0);
	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	same(&c, &b.recorded);
	vgic_cell_finish(&c);
	bench_free(&b);
}

static void old_kernel_starves_ackall(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_ackall(&b, 12, 1);
	bench_end(&b);
	struct vgic_cell c = replay(&b, "linux-6.12", 4);

	assert_int_equal(c.outcome, VGIC_OUTCOME_STARVED);
	assert_int_equal(c.interrupts, 4);
	assert_int_equal(c.nr_starved, 8);
	vgic_cell_finish(&c);
	bench_free(&b);
}

/* Nothing comes any more: the guest polls, the host's interrupts take it out again and again. */
static void poll(struct bench *b, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++) {
		fake_run(&b->host, 0, 100000);
		assert_int_equal(fake_ack(&b->host, 0), VGIC_SPURIOUS);
		fake_exit(&b->host, 0, 0, 0);
		b->host.now += 1000;
		fake_enter(&b->host, 0);
	}
	fake_exit(&b->host, 0, 0, 0);
}

static void count_fates(const struct vgic_cell *c, unsigned int *n)
{
	memset(n, 0, VGIC_FATE_KINDS * sizeof(*n));
	for (size_t i = 0; i < c->nr_fates; i++)
		n[c->fates[i].kind]++;
}

/* What 6.12 starves is delivered and ended on 7.3; on 6.12 it starves again. */
static void starved_demand_is_set_free(struct bench *b, unsigned int through, unsigned int starving)
{
	unsigned int n[VGIC_FATE_KINDS];

	assert_int_equal(b->recorded.outcome, VGIC_OUTCOME_STARVED);
	count_fates(&b->recorded, n);
	assert_int_equal(n[VGIC_FATE_STUCK], through);
	assert_int_equal(n[VGIC_FATE_STARVED], starving);
	b->wl->blocked = true;

	struct vgic_cell c = replay(b, "linux-6.12", 4);

	assert_int_equal(c.outcome, VGIC_OUTCOME_STARVED);
	assert_int_equal(c.exits, b->recorded.exits);
	count_fates(&c, n);
	assert_int_equal(n[VGIC_FATE_STUCK], through);
	assert_int_equal(n[VGIC_FATE_STARVED], starving);
	vgic_cell_finish(&c);

	c = replay(b, "linux-7.3", 4);
	assert_int_equal(c.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(c.interrupts, through + starving);
	count_fates(&c, n);
	assert_int_equal(n[VGIC_FATE_DELIVERED], through + starving);
	for (size_t i = 0; i < c.nr_fates; i++)
		assert_int_equal(c.fates[i].ended, c.fates[i].delivered);
	vgic_cell_finish(&c);
}

static void starved_ackall_is_set_free(void **state)
{
	for (int level = 0; level < 2; level++) {
		struct bench b;
		uint32_t list[12], intid;
		unsigned int k = 0;

		bench_begin(&b, "linux-6.12", 4);
		for (uint32_t i = 0; i < 12; i++) {
			list[i] = 32 + i;
			vgic_write_config(b.host.vgic, 32 + i, level);
		}
		fake_enter(&b.host, 0);
		fake_vmcr(&b.host, 0, VMCR1);
		fake_wfi(&b.host, 0, 1000);
		fake_raise(&b.host, 0, list, 12, true);
		while ((intid = fake_ack(&b.host, 0)) != VGIC_SPURIOUS) {
			k++;
			fake_eoi(&b.host, 0, intid);
		}
		assert_int_equal(k, 4);
		poll(&b, 50);
		bench_end(&b);
		starved_demand_is_set_free(&b, 4, 8);
		bench_free(&b);
	}
}

static void starved_preemption_is_set_free(void **state)
{
	struct bench b;
	uint32_t intid;

	bench_begin(&b, "linux-6.12", 4);
	fake_enter(&b.host, 0);
	fake_vmcr(&b.host, 0, VMCR0);
	fake_wfi(&b.host, 0, 1000);
	for (intid = 32; intid < 37; intid++) {
		fake_raise(&b.host, 0, &intid, 1, true);
		assert_int_equal(fake_ack(&b.host, 0), intid < 36 ? intid : VGIC_SPURIOUS);
	}
	poll(&b, 50);
	bench_end(&b);
	starved_demand_is_set_free(&b, 4, 1);
	bench_free(&b);
}

/* A group that a kernel with a stale VMCR never showed enabled stays off on another kernel. */
static void group_that_was_off_stays_off(void **state)
{
	unsigned int n[VGIC_FATE_KINDS];
	struct bench b;
	uint32_t list[6] = {32, 33, 34, 35, 36, 37};

	bench_begin(&b, "linux-6.12", 4);
	for (uint32_t i = 32; i < 37; i++)
		vgic_write_group(b.host.vgic, 0, i, 0);
	/* 32 to 36 are of group 0, and more urgent: 37 is never let in. */
	vgic_write_priority(b.host.vgic, 0, 37, 0xf0);
	fake_enter(&b.host, 0);
	fake_vmcr(&b.host, 0, VMCR0);
	fake_wfi(&b.host, 0, 1000);
	fake_raise(&b.host, 0, list, 6, true);
	assert_int_equal(fake_ack(&b.host, 0), VGIC_SPURIOUS);
	poll(&b, 50);
	bench_end(&b);
	assert_int_equal(b.recorded.nr_starved, 1);
	assert_int_equal(b.recorded.starved[0].intid, 37);
	b.wl->blocked = true;

	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	count_fates(&c, n);
	assert_int_equal(n[VGIC_FATE_DELIVERED], 1);
	assert_int_equal(n[VGIC_FATE_WAITING], 5);
	assert_int_equal(c.interrupts, 1);
	vgic_cell_finish(&c);
	bench_free(&b);
}

/* A level line held over three handlings. */
static void level_is_reproduced(void **state)
{
	struct bench b;
	uint32_t list[2] = {32, 33};

	bench_begin(&b, "linux-7.3", 4);
	for (uint32_t i = 32; i < 34; i++)
		vgic_write_config(b.host.vgic, i, true);
	fake_enter(&b.host, 0);
	fake_vmcr(&b.host, 0, VMCR0);
	for (unsigned int r = 0; r < 4; r++) {
		unsigned int seen[2] = {0, 0};
		uint32_t intid;

		fake_raise(&b.host, 0, list, 2, true);
		while ((intid = fake_ack(&b.host, 0)) != VGIC_SPURIOUS) {
			if (++seen[intid - 32] == 3)
				fake_raise(&b.host, 0, &intid, 1, false);
			fake_eoi(&b.host, 0, intid);
		}
		assert_int_equal(seen[0] + seen[1], 6);
	}
	fake_exit(&b.host, 0, 2, 0x24);
	bench_end(&b);
	assert_true(b.recorded.mi_source[0] > 0);
	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	same(&c, &b.recorded);
	vgic_cell_finish(&c);
	bench_free(&b);
}

/* MSIs, all at once and some of them twice before they are taken. */
static void lpis_are_reproduced(void **state)
{
	const unsigned int n = 7, rounds = 5;
	struct fake_host *h;
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	h = &b.host;
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(vgic_lpi_add(h->vgic, VGIC_LPI_BASE + i), 0);
		vgic_irq_find(h->vgic, 0, VGIC_LPI_BASE + i)->enabled = true;
		vgic_irq_find(h->vgic, 0, VGIC_LPI_BASE + i)->target = 0;
	}
	fake_enter(h, 0);
	fake_vmcr(h, 0, VMCR0);
	for (unsigned int r = 0; r < rounds; r++) {
		uint32_t intid;

		fake_exit(h, 0, 0, 0);
		for (unsigned int i = 0; i < n + 2; i++) {
			struct vgr_msi msi = {.devid = 1, .eventid = i % n, .ret = 1};

			h->now += 100;
			fake_put(h, VGR_MSI, VGR_NO_VCPU, &msi, sizeof(msi));
			vgic_write_pending(h->vgic, 0, VGIC_LPI_BASE + i % n, true);
		}
		h->now += 400;
		fake_enter(h, 0);
		while ((intid = fake_ack(h, 0)) != VGIC_SPURIOUS)
			fake_eoi(h, 0, intid);
		fake_run(h, 0, 3000);
	}
	fake_exit(h, 0, 2, 0x24);
	bench_end(&b);
	assert_int_equal(b.recorded.latency[VGIC_LATENCY_RAISE_TO_LR].hist.n, n * rounds);
	assert_int_equal(b.recorded.merged, 2 * rounds);
	struct vgic_cell c = replay(&b, "linux-7.3", 4);

	same(&c, &b.recorded);
	vgic_cell_finish(&c);
	bench_free(&b);
}

static void replays_are_repeatable(void **state)
{
	struct bench b;

	bench_begin(&b, "linux-7.3", 4);
	guest_burst(&b, 12, 5);
	bench_end(&b);
	struct vgic_cell one = replay(&b, "linux-7.3", 3), two = replay(&b, "linux-7.3", 3);

	same(&one, &two);
	assert_int_equal(one.wall_ns, two.wall_ns);
	assert_int_equal(one.latency[VGIC_LATENCY_RAISE_TO_ACK].hist.sum,
			 two.latency[VGIC_LATENCY_RAISE_TO_ACK].hist.sum);
	vgic_cell_finish(&one);
	vgic_cell_finish(&two);
	bench_free(&b);
}

static bool never_sorts(const struct vgic_summary *s, unsigned int nr_lr)
{
	return false;
}

/* Twelve in flight: from thirteen LRs on nothing comes of how many there are. */
static void more_lrs_than_ample_are_the_same(void **state)
{
	static const char *const policies[] = {"linux-6.12", "linux-7.3"};
	struct vgic_policy asks = *vgic_policy_find("linux-7.3");
	struct bench b;

	for (size_t i = 0; i < 2; i++) {
		bench_begin(&b, policies[i], 4);
		if (i)
			guest_ackall(&b, 12, 3);
		guest_burst(&b, 12, 5);
		bench_end(&b);
		struct vgic_cell few = replay(&b, policies[i], 12),
				 ample = replay(&b, policies[i], 13),
				 more = replay(&b, policies[i], 16);

		assert_false(few.ample);
		assert_false(vgic_replay_same(b.wl, &few, 13));
		assert_true(ample.ample && more.ample);
		assert_true(vgic_replay_same(b.wl, &ample, 16));
		assert_false(vgic_replay_same(b.wl, &more, 13));
		/* Only the recorded number may be different from all others. */
		b.wl->nr_lr = 16;
		assert_false(vgic_replay_same(b.wl, &ample, 16));
		assert_true(vgic_replay_same(b.wl, &ample, 15));
		b.wl->nr_lr = 4;
		same(&ample, &more);
		assert_int_equal(ample.wall_ns, more.wall_ns);
		assert_int_equal(ample.bound_lr_exits, more.bound_lr_exits);
		assert_memory_equal(ample.used_ns, more.used_ns, sizeof(more.used_ns));
		assert_memory_equal(ample.entries, more.entries, sizeof(more.entries));
		vgic_cell_finish(&few);
		vgic_cell_finish(&ample);
		vgic_cell_finish(&more);
		if (i) {
			/* A policy from outside may ask how many there are. */
			struct vgic_replay_config c = {
				.policy = &asks, .nr_lr = 16, .has_tdir = true, .seed = 1};

			asks.needs_sort = never_sorts;
			assert_int_equal(vgic_replay(b.wl, &c, &more), 0);
			assert_false(more.ample);
			vgic_cell_finish(&more);
		}
		bench_free(&b);
	}
}

static void bad_configuration_is_refused(void **state)
{
	struct bench b;
	struct vgic_cell c;
	struct vgic_replay_config cfg = {.policy = vgic_policy_find("linux-7.3"), .nr_lr = 17};

	bench_begin(&b, "linux-7.3", 4);
	guest_burst(&b, 2, 1);
	bench_end(&b);
	assert_int_equal(vgic_replay(b.wl, &cfg, &c), -EINVAL);
	cfg.nr_lr = 0;
	assert_int_equal(vgic_replay(b.wl, &cfg, &c), -EINVAL);
	cfg.nr_lr = 4;
	cfg.policy = NULL;
	assert_int_equal(vgic_replay(b.wl, &cfg, &c), -EINVAL);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_is_reproduced),
		cmocka_unit_test(burst_needs_no_mi_with_enough_lrs),
		cmocka_unit_test(one_lr_is_a_livelock),
		cmocka_unit_test(preemption_is_reproduced),
		cmocka_unit_test(old_kernel_starves_preemption),
		cmocka_unit_test(evicted_eoi_is_reproduced),
		cmocka_unit_test(ackall_is_reproduced),
		cmocka_unit_test(old_kernel_starves_ackall),
		cmocka_unit_test(starved_ackall_is_set_free),
		cmocka_unit_test(starved_preemption_is_set_free),
		cmocka_unit_test(group_that_was_off_stays_off),
		cmocka_unit_test(level_is_reproduced),
		cmocka_unit_test(lpis_are_reproduced),
		cmocka_unit_test(replays_are_repeatable),
		cmocka_unit_test(more_lrs_than_ample_are_the_same),
		cmocka_unit_test(bad_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
