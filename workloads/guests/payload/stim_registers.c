// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

/*
 * Interrupts whose registers are rewritten while they are pending or active. What is done to an
 * SPI follows from its place in its vCPU's share.
 */
enum kind {
	DISABLED,   /* edge: disabled while pending, enabled when all others are through */
	SOFT,	    /* level: made pending by ISPENDR, its line stays low */
	ROUTED_OFF, /* level: routed elsewhere while active, which must not move it */
	MOVED,	    /* edge: routed elsewhere while pending, which must */
	NR_KINDS,
};

static uint32_t open_intid[GUEST_MAX_VCPUS][GUEST_MAX_SPIS + 1];
static struct guest_log *open_log[GUEST_MAX_VCPUS][GUEST_MAX_SPIS + 1];
static uint32_t nr_open[GUEST_MAX_VCPUS];

static enum kind kind_of(uint32_t intid)
{
	return (enum kind)((intid - GUEST_FIRST_SPI) / SH->nr_vcpus % NR_KINDS);
}

static uint32_t owner_of(uint32_t intid)
{
	return (intid - GUEST_FIRST_SPI) % SH->nr_vcpus;
}

static uint32_t next_cpu(uint32_t cpu)
{
	return (cpu + 1) % SH->nr_vcpus;
}

static void registers_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (intid == GUEST_TIMER_INTID) {
		sys_write("cntv_ctl_el0", 0);
		isb();
	} else if (kind_of(intid) == ROUTED_OFF) {
		route_spi(intid, next_cpu(cpu));
		lower_line(intid);
		route_spi(intid, cpu);
	} else {
		/* An exit, so that the hypervisor sees it active. */
		yield();
	}
	eoi(intid, log);
	open_intid[cpu][nr_open[cpu]] = intid;
	open_log[cpu][nr_open[cpu]++] = log;
}

/* Everything pending at once, and nothing taken yet. */
static void raise_share(uint32_t cpu)
{
	struct guest_vcpu *v = cpu_of(cpu);
	uint32_t k, intid, n = guest_share_size(SH, cpu);

	for (k = 0; k < n; k++) {
		intid = guest_share(SH, cpu, k);
		if (kind_of(intid) != SOFT) {
			batch_add(cpu, intid);
			continue;
		}
		SH->raised_at[intid] = counter();
		__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
		pend_spi(intid);
	}
	raise_batch(cpu);
	v->raised_at[GUEST_TIMER_INTID] = counter();
	v->want[GUEST_TIMER_INTID]++;
	sys_write("cntv_cval_el0", counter());
	sys_write("cntv_ctl_el0", 1);
	isb();
	for (k = 0; k < n; k++) {
		intid = guest_share(SH, cpu, k);
		if (kind_of(intid) == DISABLED) {
			enable_spi(intid, false);
		} else if (kind_of(intid) == MOVED) {
			SH->route[intid] = (uint8_t)next_cpu(cpu);
			route_spi(intid, next_cpu(cpu));
		}
	}
}

/* SPIs of the share that are still to come: the disabled ones, or all. */
static uint32_t missing(uint32_t cpu, bool disabled_only)
{
	uint32_t k, n = guest_share_size(SH, cpu), sum = 0;

	for (k = 0; k < n; k++) {
		uint32_t intid = guest_share(SH, cpu, k);

		if (!disabled_only || kind_of(intid) == DISABLED)
			sum += READ(SH->want[intid]) - READ(SH->got[intid]);
	}
	return sum;
}

static bool wait_until_missing(uint32_t cpu, uint32_t left)
{
	struct guest_vcpu *v = cpu_of(cpu);
	struct wait w;

	wait_begin(cpu, &w);
	while (missing(cpu, false) > left ||
	       READ(v->got[GUEST_TIMER_INTID]) != READ(v->want[GUEST_TIMER_INTID])) {
		if (wait_step(cpu, &w, true))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, missing(cpu, false), left);
		return false;
	}
	return true;
}

static bool take_share(uint32_t cpu)
{
	uint32_t k, n = guest_share_size(SH, cpu), held = missing(cpu, true);

	if (!wait_until_missing(cpu, held))
		return false;
	if (missing(cpu, true) != held) {
		fail(cpu, GUEST_FAIL_NOT_IDLE, GUEST_SPURIOUS, missing(cpu, true), held);
		return false;
	}
	for (k = 0; k < n; k++)
		if (kind_of(guest_share(SH, cpu, k)) == DISABLED)
			enable_spi(guest_share(SH, cpu, k), true);
	if (!wait_until_missing(cpu, 0))
		return false;
	/* What moved here may come after everything of this vCPU's own. */
	irq_on();
	barrier();
	irq_off();
	return !aborted();
}

static void registers_run(uint32_t cpu)
{
	static uint32_t index[GUEST_MAX_VCPUS][GUEST_MAX_SPIS + 1];
	uint64_t rng = SH->seed ^ (cpu + 1);
	uint32_t r, k, intid;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		nr_open[cpu] = 0;
		barrier();
		raise_share(cpu);
		barrier();
		if (!take_share(cpu))
			return;
		for (k = 0; k < nr_open[cpu]; k++)
			index[cpu][k] = k;
		guest_order_list(index[cpu], nr_open[cpu], SH->order, &rng);
		for (k = 0; k < nr_open[cpu]; k++)
			dir(cpu, open_intid[cpu][index[cpu][k]], open_log[cpu][index[cpu][k]]);
		barrier();
		for (k = 0; k < guest_share_size(SH, cpu); k++) {
			intid = guest_share(SH, cpu, k);
			if (kind_of(intid) == MOVED) {
				SH->route[intid] = (uint8_t)owner_of(intid);
				route_spi(intid, owner_of(intid));
			}
		}
		check_idle(cpu);
		check_rpr(cpu, GUEST_SPURIOUS, 0xff);
		check_share_quiet(cpu, cpu);
		if (private_active(cpu, GUEST_TIMER_INTID))
			fail(cpu, GUEST_FAIL_ACTIVE, GUEST_TIMER_INTID, 1, 0);
	}
}

const struct stim stim_registers = {registers_run, registers_irq};
