// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

#include <stddef.h>

/* Stimuli in which somebody else changes what is pending or active: routes, enables, the
 * distributor. */

static uint32_t held[GUEST_MAX_VCPUS][GUEST_MAX_SPIS];
static struct guest_log *held_log[GUEST_MAX_VCPUS][GUEST_MAX_SPIS];

static uint32_t next_of(uint32_t cpu)
{
	return (cpu + 1) % SH->nr_vcpus;
}

static void take_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (SH->is_level[intid])
		lower_line(intid);
	finish(cpu, intid, log);
}

/* Two meetings with an exit in between: whatever a prune has to move has been moved. */
static void settle(void)
{
	barrier();
	yield();
	barrier();
	yield();
	barrier();
}

/* SPIs that are owed and routed to @cpu, or with GUEST_ANY_CPU all that are owed. */
static uint32_t owed(uint32_t cpu)
{
	uint32_t i, sum = 0;

	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + SH->nr_irqs; i++)
		if (cpu == GUEST_ANY_CPU || READ(SH->route[i]) == cpu)
			sum += READ(SH->want[i]) - READ(SH->got[i]);
	return sum;
}

/* Until nothing of @whose is owed; progress is what anybody takes. */
static bool wait_owed(uint32_t cpu, uint32_t whose)
{
	uint32_t left, last = 0;
	struct wait w;

	wait_begin(cpu, &w);
	while ((left = owed(whose)) != 0) {
		if (left != last)
			wait_begin(cpu, &w);
		last = left;
		if (wait_step(cpu, &w, true))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, left, 0);
		return false;
	}
	return true;
}

/* All of the share of @owner to a vCPU each by chance, or home. */
static void route_share(uint32_t owner, uint64_t *rng, bool announce)
{
	uint32_t k, n = guest_share_size(SH, owner), intid, to;

	for (k = 0; k < n; k++) {
		intid = guest_share(SH, owner, k);
		to = rng ? guest_rng_below(rng, SH->nr_vcpus) : owner;
		if (announce)
			__atomic_store_n(&SH->route[intid], (uint8_t)to, __ATOMIC_RELEASE);
		route_spi(intid, to);
	}
}

/* Acknowledge up to @most of what is pending here; they stay active. */
static uint32_t hold_some(uint32_t cpu, uint32_t most)
{
	struct guest_log *log;
	uint32_t n = 0, intid;
	struct wait w;

	wait_begin(cpu, &w);
	while (n < most) {
		intid = ack(cpu, &log);
		if (intid == GUEST_SPURIOUS) {
			if (wait_step(cpu, &w, false))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, most - n, 0);
			break;
		}
		if (SH->is_level[intid])
			lower_line(intid);
		if (SH->eoimode)
			eoi(intid, log);
		held[cpu][n] = intid;
		held_log[cpu][n++] = log;
	}
	return n;
}

static bool migrate_settled(uint32_t cpu, uint64_t *rng)
{
	uint32_t k, n = guest_share_size(SH, cpu), most = SH->eoimode ? n / 2 : n > 0, held_n;

	batch_share(cpu, cpu);
	raise_batch(cpu);
	held_n = hold_some(cpu, most);
	barrier();
	if (aborted())
		return false;
	route_share(next_of(cpu), rng, true);
	settle();
	for (k = 0; k < held_n; k++) {
		if (!SH->eoimode)
			eoi(held[cpu][k], held_log[cpu][k]);
		dir(cpu, held[cpu][k], held_log[cpu][k]);
	}
	settle();
	for (k = 0; k < held_n; k++)
		batch_add(cpu, held[cpu][k]);
	raise_batch(cpu);
	settle();
	return !aborted() && wait_owed(cpu, cpu);
}

static bool migrate_flying(uint32_t cpu, uint64_t *rng)
{
	uint32_t k, n = guest_share_size(SH, cpu), turn;

	for (k = 0; k < n; k++)
		__atomic_store_n(&SH->route[guest_share(SH, cpu, k)], GUEST_ANY_CPU,
				 __ATOMIC_RELEASE);
	barrier();
	batch_share(cpu, cpu);
	raise_batch(cpu);
	for (turn = 0; turn < 4 && !aborted(); turn++) {
		route_share(next_of(cpu), rng, false);
		irq_on();
		irq_off();
	}
	return !aborted() && wait_owed(cpu, GUEST_ANY_CPU);
}

static void migrate_run(uint32_t cpu)
{
	uint64_t rng = SH->seed ^ (cpu + 1);
	uint32_t r;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		barrier();
		if (r & 1 ? !migrate_flying(cpu, &rng) : !migrate_settled(cpu, &rng))
			return;
		/* Another one may still be waiting for what is routed here. */
		irq_on();
		barrier();
		irq_off();
		route_share(cpu, NULL, true);
		settle();
		check_round_over(cpu);
	}
}

const struct stim stim_migrate = {migrate_run, take_irq};

static uint32_t dist_off;

static void dist_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (READ(dist_off))
		fail(cpu, GUEST_FAIL_GROUP, intid, 1, 0);
	take_irq(cpu, intid, log);
}

static void dist_set(uint32_t cpu, bool on)
{
	barrier();
	if (cpu == 0)
		gic_dist_enable(on);
	settle();
	if (cpu == 0)
		__atomic_store_n(&dist_off, !on, __ATOMIC_RELEASE);
	barrier();
}

/* Half of the share, from the @from-th on in steps of two. */
static void raise_half(uint32_t cpu, uint32_t from)
{
	uint32_t k, n = guest_share_size(SH, cpu);

	for (k = from; k < n; k += 2)
		batch_add(cpu, guest_share(SH, cpu, k));
	raise_batch(cpu);
}

static void look_for_a_while(void)
{
	uint32_t k;

	for (k = 0; k < 400; k++) {
		irq_on();
		irq_off();
		if (k % 100 == 99)
			yield();
	}
}

static void dist_run(uint32_t cpu)
{
	uint32_t r, k, n = guest_share_size(SH, cpu), intid, before;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		before = cpu_of(cpu)->irqs;
		raise_half(cpu, 0);
		dist_set(cpu, false);
		raise_half(cpu, 1);
		look_for_a_while();
		/* Before it is on: what comes from here on is right. */
		barrier();
		__atomic_store_n(&dist_off, 0, __ATOMIC_RELEASE);
		dist_set(cpu, true);
		look_for_a_while();
		note_add(0, cpu_of(cpu)->irqs - before);
		for (k = 0; k < n && !aborted(); k++) {
			intid = guest_share(SH, cpu, k);
			if (READ(SH->got[intid]) == READ(SH->want[intid]))
				continue;
			note_add(1, 1);
			/* A level that is up already has no new edge to give. */
			if (SH->is_level[intid])
				enable_spi(intid, true);
			else
				batch_add_unowed(cpu, intid);
		}
		raise_batch(cpu);
		if (!wait_share(cpu))
			return;
		check_round_over(cpu);
	}
}

const struct stim stim_dist = {dist_run, dist_irq};

enum kind { DISABLED, CLEARED, PENDED, UNTOUCHED, NR_KINDS };

static uint32_t changed;

static enum kind kind_of(uint32_t intid)
{
	return (enum kind)((intid - GUEST_FIRST_SPI) / SH->nr_vcpus % NR_KINDS);
}

static void change(uint32_t owner, uint32_t intid)
{
	if (kind_of(intid) == PENDED) {
		__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
		pend_spi(intid);
	} else if (kind_of(intid) == CLEARED) {
		gic_write_bit(owner, GIC_ICPENDR, intid);
	} else if (kind_of(intid) == DISABLED) {
		enable_spi(intid, false);
	}
}

/* ISPENDR first: it makes the owner leave the guest, after which the others would find it out. */
static void change_share(uint32_t owner)
{
	static const enum kind turns[] = {PENDED, CLEARED, DISABLED};
	uint32_t t, k, n = guest_share_size(SH, owner);

	for (t = 0; t < sizeof(turns) / sizeof(turns[0]); t++) {
		for (k = 0; k < n; k++)
			if (kind_of(guest_share(SH, owner, k)) == turns[t])
				change(owner, guest_share(SH, owner, k));
		/* Time for it to be back in the guest. */
		for (k = 0; k < 5000 && turns[t] != DISABLED; k++)
			isb();
	}
	__atomic_store_n(&changed, 1, __ATOMIC_RELEASE);
}

/* What came of each kind, and the counts of those that need not come made even. */
static void inflight_settle(uint32_t cpu)
{
	uint32_t k, n = guest_share_size(SH, cpu), intid, missing;

	for (k = 0; k < n; k++) {
		intid = guest_share(SH, cpu, k);
		missing = READ(SH->want[intid]) - READ(SH->got[intid]);
		if (kind_of(intid) == CLEARED)
			note_add(1, !missing);
		if (kind_of(intid) == PENDED)
			note_add(2, !missing);
		if (kind_of(intid) == CLEARED || (kind_of(intid) == PENDED && missing == 1))
			SH->want[intid] = SH->got[intid];
	}
}

static bool inflight_victim(uint32_t cpu)
{
	uint32_t k, n = guest_share_size(SH, cpu), intid, spins = 0;

	batch_share(cpu, cpu);
	raise_batch(cpu);
	barrier();
	/* No exits of its own: the share stays in the list registers. */
	while (!__atomic_load_n(&changed, __ATOMIC_ACQUIRE) && !aborted())
		if (++spins % 20000 == 0)
			yield();
	for (k = 0; k < 2 * n; k++) {
		irq_on();
		irq_off();
	}
	look_for_a_while();
	for (k = 0; k < n && !aborted(); k++) {
		intid = guest_share(SH, cpu, k);
		if (kind_of(intid) != DISABLED)
			continue;
		note_add(0, READ(SH->got[intid]) == READ(SH->want[intid]));
		enable_spi(intid, true);
	}
	inflight_settle(cpu);
	return wait_share(cpu);
}

static void inflight_run(uint32_t cpu)
{
	uint32_t r, victim;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		victim = r % SH->nr_vcpus;
		if (cpu == 0)
			__atomic_store_n(&changed, 0, __ATOMIC_RELEASE);
		barrier();
		if (cpu == victim) {
			if (!inflight_victim(cpu))
				return;
		} else {
			barrier();
			if (cpu == next_of(victim) && !aborted())
				change_share(victim);
		}
		barrier();
		check_round_over(cpu);
	}
}

const struct stim stim_inflight = {inflight_run, take_irq};

static uint32_t senders_seen[GUEST_MULTI_SGIS];

static bool sgis_owed(uint32_t cpu)
{
	struct guest_vcpu *v = cpu_of(cpu);
	uint32_t i;

	for (i = 0; i < GUEST_MULTI_SGIS; i++)
		if (v->got[i] != READ(v->want[i]))
			return true;
	return false;
}

static void multisgi_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	uint32_t bit;

	if (intid < GUEST_MULTI_SGIS) {
		bit = 1U << sgi_source(cpu, intid);
		if (senders_seen[intid] & bit)
			fail(cpu, GUEST_FAIL_TWICE, intid, bit, 0);
		senders_seen[intid] |= bit;
	} else if (sgis_owed(cpu)) {
		note_add(0, 1);
	}
	take_irq(cpu, intid, log);
}

static void multisgi_run(uint32_t cpu)
{
	uint32_t r, i, target;
	struct wait w;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		barrier();
		target = r % SH->nr_vcpus;
		if (cpu == target) {
			for (i = 0; i < GUEST_MULTI_SGIS; i++) {
				senders_seen[i] = 0;
				cpu_of(cpu)->want[i] += gic_is_v2() ? SH->nr_vcpus : 1;
				cpu_of(cpu)->raised_at[i] = counter();
			}
			batch_share(cpu, cpu);
			raise_batch(cpu);
		}
		barrier();
		for (i = 0; i < GUEST_MULTI_SGIS; i++)
			gic_sgi(i, 1U << target);
		barrier();
		if (cpu != target)
			continue;
		wait_begin(cpu, &w);
		while (sgis_owed(cpu)) {
			if (wait_step(cpu, &w, true))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, 1, 0);
			return;
		}
		if (!wait_share(cpu))
			return;
		check_round_over(cpu);
		for (i = 0; i < GUEST_MULTI_SGIS; i++) {
			if (private_active(cpu, i))
				fail(cpu, GUEST_FAIL_ACTIVE, i, 1, 0);
			if (private_pending(cpu, i))
				fail(cpu, GUEST_FAIL_PENDING, i, 1, 0);
		}
	}
}

const struct stim stim_multisgi = {multisgi_run, multisgi_irq};
