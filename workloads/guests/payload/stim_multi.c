// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

/* Stimuli with private interrupts or with work that crosses vCPUs. */

void timer_arm(uint32_t cpu, uint64_t cval)
{
	struct guest_vcpu *v = cpu_of(cpu);

	v->raised_at[GUEST_TIMER_INTID] = cval;
	v->want[GUEST_TIMER_INTID]++;
	sys_write("cntv_cval_el0", cval);
	sys_write("cntv_ctl_el0", 1);
	isb();
}

void timer_off(void)
{
	sys_write("cntv_ctl_el0", 0);
	isb();
}

static void timer_check_time(uint32_t cpu)
{
	uint64_t cval = sys_read("cntv_cval_el0"), now = counter();

	if (now < cval)
		fail(cpu, GUEST_FAIL_EARLY, GUEST_TIMER_INTID, now, cval);
}

static bool private_missing(uint32_t cpu, uint32_t mask)
{
	struct guest_vcpu *v = cpu_of(cpu);
	uint32_t i;

	for (i = 0; i < 32; i++)
		if (mask >> i & 1 && READ(v->got[i]) != READ(v->want[i]))
			return true;
	return false;
}

bool wait_private(uint32_t cpu, uint32_t mask)
{
	struct wait w;

	wait_begin(cpu, &w);
	while (private_missing(cpu, mask)) {
		if (wait_step(cpu, &w, true))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, 1, 0);
		return false;
	}
	return true;
}

void check_private_quiet(uint32_t cpu, uint32_t mask)
{
	uint32_t i;

	for (i = 0; i < 32; i++) {
		if (!(mask >> i & 1))
			continue;
		if (private_active(cpu, i))
			fail(cpu, GUEST_FAIL_ACTIVE, i, 1, 0);
		if (private_pending(cpu, i))
			fail(cpu, GUEST_FAIL_PENDING, i, 1, 0);
	}
}

static void sgi_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	finish(cpu, intid, log);
}

static void sgi_masked_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	/* Only rounds with everything pending beforehand have a determined order. */
	if (!(cpu_of(cpu)->round & 1))
		order_check(cpu, intid);
	sgi_irq(cpu, intid, log);
}

/* SGI numbers cpu, cpu + vCPUs, ... belong to one sender: a pending bit is never sent twice. */
static void sgi_run(uint32_t cpu)
{
	uint32_t all = (1U << SH->nr_vcpus) - 1, ids = (1U << SH->nr_irqs) - 1, r, i, t, mine;
	struct wait w;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		order_reset(cpu);
		barrier();
		if (!(r & 1)) {
			/* Everybody to everybody, self included, delivered only afterwards. */
			for (i = cpu; i < SH->nr_irqs; i += SH->nr_vcpus)
				send_sgi(i, all);
			barrier();
		} else {
			/* Free running: one SGI at a time round the ring, IRQs enabled. */
			for (i = cpu; i < SH->nr_irqs; i += SH->nr_vcpus) {
				t = (cpu + 1 + r / 2) % SH->nr_vcpus;
				send_sgi(i, 1U << t);
				wait_begin(cpu, &w);
				mine = cpu_of(t)->want[i];
				while (READ(cpu_of(t)->got[i]) != mine &&
				       wait_step(cpu, &w, false)) {
					irq_on();
					irq_off();
					yield();
				}
			}
			/* Those who are not done yet still send to this vCPU. */
			irq_on();
			barrier();
			irq_off();
		}
		if (!wait_private(cpu, ids))
			return;
		check_idle(cpu);
		check_rpr(cpu, GUEST_SPURIOUS, 0xff);
		check_private_quiet(cpu, ids);
	}
}

const struct stim stim_sgi = {sgi_run, sgi_masked_irq};

static void timer_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (!(cpu_of(cpu)->round & 1))
		order_check(cpu, intid);
	if (intid == GUEST_TIMER_INTID) {
		timer_check_time(cpu);
		timer_off();
	} else if (SH->is_level[intid]) {
		lower_line(intid);
	}
	finish(cpu, intid, log);
}

static void timer_run(uint32_t cpu)
{
	const uint32_t bit = 1U << GUEST_TIMER_INTID;
	uint32_t r;
	struct wait w;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		order_reset(cpu);
		barrier();
		timer_arm(cpu, counter() + SH->timer_ticks);
		batch_share(cpu, (cpu + 1) % SH->nr_vcpus);
		raise_batch(cpu);
		if (!(r & 1)) {
			/* Both kinds pending before the first is taken: the timer must be it. */
			barrier();
			wait_begin(cpu, &w);
			while (!private_pending(cpu, GUEST_TIMER_INTID)) {
				if (wait_step(cpu, &w, false))
					continue;
				if (!aborted())
					fail(cpu, GUEST_FAIL_STARVED, GUEST_TIMER_INTID, 1, 0);
				return;
			}
		} else {
			/* Until the neighbour has raised, nothing missing means nothing. */
			irq_on();
			barrier();
			irq_off();
		}
		if (!wait_share(cpu) || !wait_private(cpu, bit))
			return;
		check_idle(cpu);
		check_rpr(cpu, GUEST_SPURIOUS, 0xff);
		check_share_quiet(cpu, cpu);
		check_private_quiet(cpu, bit);
	}
}

const struct stim stim_timer = {timer_run, timer_irq};

static uint32_t handed[GUEST_MAX_SPIS];
static struct guest_log *handed_log[GUEST_NR_INTIDS];

static void remote_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	fail(cpu, GUEST_FAIL_NOT_IDLE, intid, intid, GUEST_SPURIOUS);
	finish(cpu, intid, log);
}

static bool remote_ack_all(uint32_t cpu, uint64_t *rng)
{
	struct guest_log *log;
	struct wait w;
	uint32_t n = 0, intid;

	batch_share(cpu, 0);
	raise_batch(cpu);
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
		handed[n++] = intid;
		handed_log[intid] = log;
	}
	check_idle(cpu);
	guest_order_list(handed, n, SH->order, rng);
	return true;
}

static void remote_run(uint32_t cpu)
{
	uint64_t rng = SH->seed;
	uint32_t r, k;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		order_reset(cpu);
		barrier();
		if (cpu == 0 && !remote_ack_all(cpu, &rng))
			return;
		barrier();
		if (aborted())
			return;
		if (cpu)
			for (k = cpu - 1; k < SH->nr_irqs; k += SH->nr_vcpus - 1)
				dir(cpu, handed[k], handed_log[handed[k]]);
		barrier();
		if (cpu == 0 && !aborted()) {
			check_idle(cpu);
			check_rpr(cpu, GUEST_SPURIOUS, 0xff);
			check_share_quiet(cpu, cpu);
		}
	}
}

const struct stim stim_remote_dir = {remote_run, remote_irq};

static uint8_t kept[GUEST_NR_INTIDS];
static uint32_t timer_stop[GUEST_MAX_VCPUS];

static void mixed_timer(uint32_t cpu)
{
	uint64_t next = sys_read("cntv_cval_el0") + SH->timer_ticks, now = counter();

	timer_check_time(cpu);
	if (READ(timer_stop[cpu])) {
		timer_off();
		return;
	}
	timer_arm(cpu, next > now ? next : now + SH->timer_ticks);
}

static void mixed_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	uint32_t owner;

	if (intid == GUEST_TIMER_INTID) {
		mixed_timer(cpu);
	} else if (intid >= GUEST_FIRST_SPI) {
		owner = (intid - GUEST_FIRST_SPI) % SH->nr_vcpus;
		if (SH->is_level[intid] && !kept[intid] && READ(SH->got[intid]) % 3 == 0) {
			/* Every third time the line is held across two handlers. */
			kept[intid] = 1;
			__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
		} else {
			kept[intid] = 0;
			if (SH->is_level[intid])
				lower_line(intid);
			/* Last: from here on the owner may raise it again. */
			finish(cpu, intid, log);
			__atomic_fetch_sub(&SH->outstanding[owner], 1, __ATOMIC_ACQ_REL);
			return;
		}
	}
	finish(cpu, intid, log);
}

static void mixed_batch(uint32_t cpu, uint64_t *rng)
{
	static uint32_t list[GUEST_MAX_VCPUS][GUEST_MAX_SPIS];
	uint32_t n = guest_share_size(SH, cpu), k, m;

	if (!n)
		return;
	for (k = 0; k < n; k++)
		list[cpu][k] = guest_share(SH, cpu, k);
	guest_order_list(list[cpu], n, GUEST_RANDOM, rng);
	/* Three quarters or more of the share at a time. */
	m = n - guest_rng_below(rng, n / 4 + 1);
	__atomic_store_n(&SH->outstanding[cpu], m, __ATOMIC_RELEASE);
	for (k = 0; k < m; k++)
		batch_add(cpu, list[cpu][k]);
	raise_batch(cpu);
}

static void mixed_sgi(uint32_t cpu, uint32_t r)
{
	uint32_t v = SH->nr_vcpus, slots = 16 / v;
	uint32_t intid = cpu + v * (r % slots), t = v > 1 ? (cpu + 1 + r % (v - 1)) % v : cpu;

	/* Still pending there: a second one would melt into it. */
	if (READ(cpu_of(t)->got[intid]) == READ(cpu_of(t)->want[intid]))
		send_sgi(intid, 1U << t);
}

static void mixed_run(uint32_t cpu)
{
	uint64_t rng = SH->seed ^ (cpu + 1), next = counter(), limit;
	const uint32_t private = 0xffff | 1U << GUEST_TIMER_INTID;
	struct wait w;
	uint32_t r;

	timer_arm(cpu, counter() + SH->timer_ticks);
	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		mixed_sgi(cpu, r);
		mixed_batch(cpu, &rng);
		/* The timer goes on ticking while an SPI starves: progress needs a limit, too. */
		limit = counter() + 10 * SH->patience;
		wait_begin(cpu, &w);
		while (__atomic_load_n(&SH->outstanding[cpu], __ATOMIC_ACQUIRE)) {
			if (wait_step(cpu, &w, true) && counter() < limit)
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, SH->outstanding[cpu],
				     0);
			return;
		}
		next += SH->pace;
		while (counter() < next && !aborted()) {
			irq_on();
			irq_off();
		}
		if (counter() > next)
			next = counter();
	}
	timer_stop[cpu] = 1;
	if (!wait_private(cpu, 1U << GUEST_TIMER_INTID))
		return;
	/* The others may still send to this vCPU, and raise what is routed to it. */
	irq_on();
	barrier();
	irq_off();
	if (!wait_private(cpu, private))
		return;
	barrier();
	if (aborted())
		return;
	check_idle(cpu);
	check_rpr(cpu, GUEST_SPURIOUS, 0xff);
	check_share_quiet(cpu, cpu);
	check_private_quiet(cpu, private);
}

const struct stim stim_mixed = {mixed_run, mixed_irq};
