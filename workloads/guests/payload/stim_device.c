// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

/* Stimuli in which something outside the vgic has a part: an assigned device, the physical timer.
 */

#define MOST_REDELIVERIES 20

enum { NOTIFIED, REDELIVERED, NEEDED_EXIT };

static uint32_t seen[GUEST_NR_INTIDS];

static void resample_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	__atomic_store_n(&SH->device_on[intid], 0, __ATOMIC_RELEASE);
	if (seen[intid]++) {
		note_add(REDELIVERED, 1);
		/* The other side of the account, so that nothing is called surplus. */
		__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
	}
	if (seen[intid] == MOST_REDELIVERIES)
		note_add(NEEDED_EXIT, 1);
	if (seen[intid] >= MOST_REDELIVERIES)
		yield();
	finish(cpu, intid, log);
}

static uint32_t unnotified(uint32_t cpu, uint32_t round)
{
	uint32_t k, n = guest_share_size(SH, cpu), sum = 0;

	for (k = 0; k < n; k++)
		sum += READ(SH->notified[guest_share(SH, cpu, k)]) <= round;
	return sum;
}

static void resample_run(uint32_t cpu)
{
	uint32_t r, k, n = guest_share_size(SH, cpu), intid;
	struct wait w;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		for (k = 0; k < n; k++)
			seen[guest_share(SH, cpu, k)] = 0;
		barrier();
		batch_share(cpu, cpu);
		raise_batch(cpu);
		if (!wait_share(cpu))
			return;
		wait_begin(cpu, &w);
		while (unnotified(cpu, r)) {
			if (wait_step(cpu, &w, true))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, unnotified(cpu, r),
				     0);
			return;
		}
		/* Two notifications for one request are for KVM to explain; the next round counts
		 * on. */
		for (k = 0; k < n; k++) {
			intid = guest_share(SH, cpu, k);
			note_add(NOTIFIED, READ(SH->notified[intid]) - r);
			__atomic_store_n(&SH->notified[intid], r + 1, __ATOMIC_RELEASE);
		}
		check_round_over(cpu);
	}
}

const struct stim stim_resample = {resample_run, resample_irq};

static void no_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	fail(cpu, GUEST_FAIL_NOT_IDLE, intid, intid, GUEST_SPURIOUS);
	finish(cpu, intid, log);
}

static bool wait_timer_pending(uint32_t cpu)
{
	struct wait w;

	wait_begin(cpu, &w);
	while (!private_pending(cpu, GUEST_TIMER_INTID)) {
		if (wait_step(cpu, &w, false))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_TIMER_INTID, 1, 0);
		return false;
	}
	return true;
}

/* The next acknowledged one must be the timer; it is turned off and finished. */
static bool take_timer(uint32_t cpu)
{
	struct guest_log *log;
	struct wait w;
	uint32_t intid;

	wait_begin(cpu, &w);
	while ((intid = ack(cpu, &log)) == GUEST_SPURIOUS) {
		if (wait_step(cpu, &w, false))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_TIMER_INTID, 1, 0);
		return false;
	}
	timer_off();
	if (intid != GUEST_TIMER_INTID)
		fail(cpu, GUEST_FAIL_ORDER, intid, SH->prio[intid], SH->prio[GUEST_TIMER_INTID]);
	finish(cpu, intid, log);
	check_private_quiet(cpu, 1U << GUEST_TIMER_INTID);
	return !aborted();
}

static bool take_spi(uint32_t cpu, uint32_t intid)
{
	struct guest_log *log;

	if (!raise_and_ack(cpu, intid, &log))
		return false;
	finish(cpu, intid, log);
	return true;
}

static bool dir_while_pending(uint32_t cpu, uint32_t spi)
{
	if (!take_spi(cpu, spi))
		return false;
	timer_arm(cpu, counter());
	if (!wait_timer_pending(cpu))
		return false;
	gic_dir(GUEST_TIMER_INTID);
	if (!private_pending(cpu, GUEST_TIMER_INTID))
		note_add(0, 1);
	return take_timer(cpu);
}

static bool timer_before_disabled(uint32_t cpu, uint32_t spi)
{
	struct guest_log *log;
	struct wait w;

	enable_spi(spi, false);
	batch_add(cpu, spi);
	raise_batch(cpu);
	timer_arm(cpu, counter());
	if (!wait_timer_pending(cpu))
		return false;
	enable_spi(spi, true);
	if (!take_timer(cpu))
		return false;
	timer_arm(cpu, counter());
	if (!take_timer(cpu))
		return false;
	wait_begin(cpu, &w);
	while (ack(cpu, &log) != spi) {
		if (wait_step(cpu, &w, false))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, spi, 1, 0);
		return false;
	}
	if (SH->is_level[spi])
		lower_line(spi);
	finish(cpu, spi, log);
	return true;
}

static void hwdir_run(uint32_t cpu)
{
	uint32_t r, n = guest_share_size(SH, cpu), spi;

	for (r = 0; r < SH->repeat && n && !aborted(); r++) {
		set_round(cpu, r);
		spi = guest_share(SH, cpu, r % n);
		if (SH->mode == GUEST_HWDIR_PENDING ? !dir_while_pending(cpu, spi)
						    : !timer_before_disabled(cpu, spi))
			return;
		check_round_over(cpu);
	}
}

const struct stim stim_hwdir = {hwdir_run, no_irq};

static void alias_run(uint32_t cpu)
{
	uint32_t r, k, n = guest_share_size(SH, cpu), spi;
	struct guest_log *log;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		for (k = 0; k < n; k++) {
			spi = guest_share(SH, cpu, k);
			if (!raise_and_ack(cpu, spi, &log))
				return;
			eoi(spi, log);
			if (dir_by(cpu, spi, spi + 1024 * (1 + (r + k) % 7), log))
				note_add(0, 1);
			dir(cpu, spi, log);
		}
		check_round_over(cpu);
	}
}

const struct stim stim_alias = {alias_run, no_irq};

static void bpr_under_cbpr(void)
{
	uint64_t ctlr = sys_read(ICC_CTLR), before = sys_read(ICC_BPR1);

	sys_write(ICC_CTLR, ctlr | 1);
	isb();
	/* Above the least value there is, and with bit 4 clear, where ICH_VMCR has CBPR. */
	sys_write(ICC_BPR1, before == 5 ? 6 : 5);
	isb();
	yield();
	sys_write(ICC_CTLR, ctlr);
	isb();
	if (sys_read(ICC_BPR1) != before)
		note_add(0, 1);
	sys_write(ICC_BPR1, before);
	isb();
	yield();
}

static void group0_alone(void)
{
	uint32_t k;

	gic_group_enable(1, false);
	gic_group_enable(0, true);
	for (k = 0; k < 1000; k++)
		isb();
	gic_group_enable(1, true);
	gic_group_enable(0, false);
}

static void interface_run(uint32_t cpu)
{
	uint32_t r;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		if (SH->mode == GUEST_INTERFACE_BPR)
			bpr_under_cbpr();
		else
			group0_alone();
		check_round_over(cpu);
	}
}

const struct stim stim_interface = {interface_run, no_irq};
