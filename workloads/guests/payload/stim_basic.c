// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

/* Stimuli in which every vCPU works on its own share of the SPIs. */

struct taken {
	uint32_t n;
	uint32_t intid[GUEST_MAX_SPIS];
	struct guest_log *log[GUEST_MAX_SPIS];
};

static struct taken taken[GUEST_MAX_VCPUS];
static uint32_t held[GUEST_NR_INTIDS];
static uint32_t halted[GUEST_MAX_VCPUS];
static uint32_t halt_at[GUEST_MAX_VCPUS];

static void take(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	struct taken *t = &taken[cpu];

	t->intid[t->n] = intid;
	t->log[t->n++] = log;
}

/* Deactivate everything taken, in the order asked for. */
static void dir_all(uint32_t cpu, uint64_t *rng)
{
	static uint32_t index[GUEST_MAX_VCPUS][GUEST_MAX_SPIS];
	struct taken *t = &taken[cpu];
	uint32_t k;

	for (k = 0; k < t->n; k++)
		index[cpu][k] = k;
	guest_order_list(index[cpu], t->n, SH->order, rng);
	for (k = 0; k < t->n; k++)
		dir(cpu, t->intid[index[cpu][k]], t->log[index[cpu][k]]);
	t->n = 0;
}

/* Raise the neighbour's share while everybody has IRQs masked: all pending at once everywhere. */
static void raise_neighbour(uint32_t cpu)
{
	barrier();
	batch_share(cpu, (cpu + 1) % SH->nr_vcpus);
	raise_batch(cpu);
	barrier();
}

static void round_begin(uint32_t cpu, uint32_t round)
{
	set_round(cpu, round);
	order_reset(cpu);
	taken[cpu].n = 0;
}

/* An edge that comes while its interrupt is active must be delivered after it, once. */
static void raise_again(uint32_t cpu, uint32_t intid)
{
	if (!SH->again || SH->is_level[intid])
		return;
	held[intid] ^= 1;
	if (held[intid]) {
		batch_add(cpu, intid);
		raise_batch(cpu);
	}
}

static void burst_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (!SH->again)
		order_check(cpu, intid);
	if (SH->is_level[intid])
		lower_line(intid);
	raise_again(cpu, intid);
	finish(cpu, intid, log);
}

static void burst_run(uint32_t cpu)
{
	uint32_t r;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		round_begin(cpu, r);
		raise_neighbour(cpu);
		if (wait_share(cpu))
			check_round_over(cpu);
	}
}

const struct stim stim_burst = {burst_run, burst_irq};

/* Nanoseconds that so many exits take. */
static uint64_t time_exits(uint32_t n)
{
	uint64_t begin = counter();

	while (n--)
		hvc();
	return (counter() - begin) * 1000000000ULL / sys_read("cntfrq_el0");
}

/* Whatever else the host does only ever makes it more. */
static void note_least(uint32_t note, uint64_t n)
{
	if (!SH->note[note] || n < SH->note[note])
		SH->note[note] = n;
}

static void exits_run(uint32_t cpu)
{
	uint32_t r;

	if (cpu == 0)
		note_add(0, GUEST_EXITS_AT_ONCE);
	for (r = 0; r < SH->repeat && !aborted(); r++) {
		round_begin(cpu, r);
		note_least(1, time_exits(GUEST_EXITS_AT_ONCE));
		raise_neighbour(cpu);
		note_least(2, time_exits(GUEST_EXITS_AT_ONCE));
		if (wait_share(cpu))
			check_round_over(cpu);
	}
}

const struct stim stim_exits = {exits_run, burst_irq};

static void no_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	fail(cpu, GUEST_FAIL_NOT_IDLE, intid, intid, GUEST_SPURIOUS);
	finish(cpu, intid, log);
}

static bool ack_share(uint32_t cpu)
{
	struct guest_log *log;
	struct wait w;
	uint32_t intid;

	wait_begin(cpu, &w);
	while (share_missing(cpu, 1)) {
		intid = ack(cpu, &log);
		if (intid == GUEST_SPURIOUS) {
			if (wait_step(cpu, &w, false))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, share_missing(cpu, 1),
				     0);
			return false;
		}
		order_check(cpu, intid);
		if (SH->is_level[intid])
			lower_line(intid);
		eoi(intid, log);
		check_rpr(cpu, GUEST_SPURIOUS, 0xff);
		take(cpu, intid, log);
	}
	check_idle(cpu);
	return true;
}

static void ackall_run(uint32_t cpu)
{
	uint64_t rng = SH->seed ^ (cpu + 1);
	uint32_t r, k, intid;
	struct taken *t = &taken[cpu];

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		round_begin(cpu, r);
		raise_neighbour(cpu);
		if (!ack_share(cpu))
			return;
		if (!SH->again) {
			dir_all(cpu, &rng);
		} else {
			/* Edges on active interrupts: not one may come before its DIR. */
			for (k = 0; k < t->n; k++)
				batch_add(cpu, t->intid[k]);
			raise_batch(cpu);
			check_idle(cpu);
			dir_all(cpu, &rng);
			order_reset(cpu);
			for (k = 0; k < guest_share_size(SH, cpu); k++) {
				intid = guest_share(SH, cpu, k);
				if (READ(SH->got[intid]) == READ(SH->want[intid]))
					fail(cpu, GUEST_FAIL_TWICE, intid, 1, 0);
			}
			if (!ack_share(cpu))
				return;
			dir_all(cpu, &rng);
		}
		check_round_over(cpu);
	}
}

const struct stim stim_ackall = {ackall_run, no_irq};

static void preempt_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	uint32_t k = (intid - GUEST_FIRST_SPI) / SH->nr_vcpus, next;
	struct wait w;

	if (SH->is_level[intid])
		lower_line(intid);
	take(cpu, intid, log);
	next = guest_share(SH, cpu, k + 1);
	if (next && (k + 1) % GUEST_PRIO_LEVELS) {
		batch_add(cpu, next);
		raise_batch(cpu);
		wait_begin(cpu, &w);
		while (READ(SH->got[next]) != READ(SH->want[next])) {
			if (wait_step(cpu, &w, true))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, next, 1, 0);
			break;
		}
		irq_off();
		if (!aborted())
			check_rpr(cpu, intid, SH->prio[intid]);
	} else {
		check_idle(cpu);
	}
	eoi(intid, log);
	if (SH->order == GUEST_LIFO)
		dir(cpu, intid, log);
}

static void preempt_run(uint32_t cpu)
{
	uint64_t rng = SH->seed ^ (cpu + 1);
	uint32_t r, k, base, n = guest_share_size(SH, cpu);
	struct wait w;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		round_begin(cpu, r);
		barrier();
		for (k = 0; k < n && !aborted(); k += GUEST_PRIO_LEVELS) {
			base = guest_share(SH, cpu, k);
			batch_add(cpu, base);
			raise_batch(cpu);
			wait_begin(cpu, &w);
			while (READ(SH->got[base]) != READ(SH->want[base])) {
				if (wait_step(cpu, &w, true))
					continue;
				if (!aborted())
					fail(cpu, GUEST_FAIL_STARVED, base, 1, 0);
				return;
			}
			if (aborted())
				return;
			check_rpr(cpu, GUEST_SPURIOUS, 0xff);
			if (SH->order != GUEST_LIFO)
				dir_all(cpu, &rng);
			taken[cpu].n = 0;
		}
		if (!aborted())
			check_round_over(cpu);
	}
}

const struct stim stim_preempt = {preempt_run, preempt_irq};

/* Group 1 is off: no exception may come, IAR must give 1023, also across an exit. */
static void check_dark(uint32_t cpu)
{
	uint32_t before = cpu_of(cpu)->irqs, k;

	irq_on();
	for (k = 0; k < 50; k++)
		isb();
	yield();
	for (k = 0; k < 50; k++)
		isb();
	irq_off();
	if (READ(cpu_of(cpu)->irqs) != before)
		fail(cpu, GUEST_FAIL_GROUP, GUEST_SPURIOUS, READ(cpu_of(cpu)->irqs), before);
	check_idle(cpu);
}

static void group1(uint32_t on)
{
	gic_group_enable(1, on);
}

static void group_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (!gic_group_enabled(1))
		fail(cpu, GUEST_FAIL_GROUP, intid, 1, 0);
	order_check(cpu, intid);
	if (SH->is_level[intid])
		lower_line(intid);
	if (halt_at[cpu] && --halt_at[cpu] == 0) {
		group1(0);
		halted[cpu] = 1;
	}
	finish(cpu, intid, log);
}

/* Nothing of group 0 while it is off, although it was the most urgent; all of it once it is on. */
static bool take_group0(uint32_t cpu)
{
	uint32_t k, intid, n = guest_share_size(SH, cpu);
	struct guest_log *log;
	struct wait w;

	intid = gic_iar(0);
	if (intid != GUEST_SPURIOUS)
		fail(cpu, GUEST_FAIL_GROUP, intid, 1, 0);
	for (k = 0; k < n; k++) {
		intid = guest_share(SH, cpu, k);
		if (SH->is_group0[intid] && READ(SH->got[intid]) == READ(SH->want[intid]))
			fail(cpu, GUEST_FAIL_GROUP, intid, 1, 0);
	}
	cpu_of(cpu)->group0_on = 1;
	gic_group_enable(0, true);
	wait_begin(cpu, &w);
	while (share_missing(cpu, 0)) {
		intid = ack_group0(cpu, &log);
		if (intid == GUEST_SPURIOUS) {
			if (wait_step(cpu, &w, false))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, share_missing(cpu, 0),
				     0);
			return false;
		}
		if (SH->is_level[intid])
			lower_line(intid);
		finish(cpu, intid, log);
	}
	gic_group_enable(0, false);
	cpu_of(cpu)->group0_on = 0;
	return true;
}

static void group_run(uint32_t cpu)
{
	uint32_t r, n;
	struct wait w;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		round_begin(cpu, r);
		/* Odd rounds start dark, even ones go dark in the middle, at a wandering place. */
		if (r & 1)
			group1(0);
		raise_neighbour(cpu);
		if (r & 1) {
			check_dark(cpu);
			group1(1);
		}
		halted[cpu] = 0;
		n = share_missing(cpu, 1);
		halt_at[cpu] = n ? 1 + r % n : 0;
		wait_begin(cpu, &w);
		while (halt_at[cpu] && wait_step(cpu, &w, true))
			;
		if (halted[cpu]) {
			check_dark(cpu);
			group1(1);
		}
		halt_at[cpu] = 0;
		if (!wait_share(cpu))
			return;
		if (SH->group0 && !take_group0(cpu))
			return;
		check_round_over(cpu);
	}
}

const struct stim stim_group = {group_run, group_irq};

static void level_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (SH->hold == 1)
		order_check(cpu, intid);
	if (++held[intid] == SH->hold) {
		held[intid] = 0;
		lower_line(intid);
	} else {
		/* The line stays up: deactivation must bring it back once more. */
		__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
	}
	finish(cpu, intid, log);
}

const struct stim stim_level = {burst_run, level_irq};
