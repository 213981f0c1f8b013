// SPDX-License-Identifier: GPL-2.0-only
#include "its.h"
#include "payload.h"

/* LPIs: no active state in KVM, configuration in memory, commands through a queue. */

static uint8_t signalled[GUEST_MAX_LPIS];
/* LPI + 1 that a vCPU's handler turned LPIs off in; 0: the next one is to do so. */
static uint32_t off_in[GUEST_MAX_VCPUS];

static uint32_t share_size(uint32_t cpu)
{
	return guest_share_size(SH, cpu);
}

static uint32_t share(uint32_t cpu, uint32_t k)
{
	return cpu + k * SH->nr_vcpus;
}

static uint32_t missing_at(uint32_t lpi)
{
	return READ(SH->lpi_want[lpi]) - READ(SH->lpi_got[lpi]);
}

/* What is owed to @cpu, or with GUEST_ANY_CPU to all. */
static uint32_t owed(uint32_t cpu)
{
	uint32_t i, sum = 0;

	for (i = 0; i < SH->nr_irqs; i++)
		if (cpu == GUEST_ANY_CPU || READ(SH->lpi_route[i]) == cpu)
			sum += missing_at(i);
	return sum;
}

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

static void signal(uint32_t cpu, uint32_t lpi)
{
	batch_add(cpu, GUEST_FIRST_LPI + lpi);
	raise_batch(cpu);
}

static void signal_share(uint32_t cpu)
{
	uint32_t k, n = share_size(cpu);

	for (k = 0; k < n; k++)
		batch_add(cpu, GUEST_FIRST_LPI + share(cpu, k));
	raise_batch(cpu);
}

static void settle(void)
{
	barrier();
	yield();
	barrier();
	yield();
	barrier();
}

/* The next storey of the tower must come before this handler goes on. */
static void nest(uint32_t cpu, uint32_t lpi)
{
	uint32_t k = lpi / SH->nr_vcpus + 1, next = share(cpu, k);
	struct wait w;

	if (k >= share_size(cpu) || k % GUEST_PRIO_LEVELS == 0)
		return;
	signal(cpu, next);
	wait_begin(cpu, &w);
	while (missing_at(next)) {
		if (wait_step(cpu, &w, true))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_FIRST_LPI + next, 1, 0);
		break;
	}
	irq_off();
	if (!aborted())
		check_rpr(cpu, GUEST_FIRST_LPI + lpi, SH->lpi_prio[lpi]);
}

static void lpi_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	uint32_t lpi = intid - GUEST_FIRST_LPI;

	switch (SH->mode) {
	case GUEST_LPI_BURST:
		order_check(cpu, intid);
		break;
	case GUEST_LPI_NEST:
		nest(cpu, lpi);
		break;
	case GUEST_LPI_AGAIN:
		signalled[lpi] ^= 1;
		if (signalled[lpi])
			signal(cpu, lpi);
		break;
	case GUEST_LPI_MOVEALL:
		/* Those of vCPU 0 now belong to vCPU 1, all others stay. */
		if (lpi % SH->nr_vcpus > 1 && lpi % SH->nr_vcpus != cpu)
			note_add(1, 1);
		break;
	case GUEST_LPI_OFF_ACTIVE:
		if (!off_in[cpu]) {
			off_in[cpu] = lpi + 1;
			its_enable_lpis(cpu, false);
			yield();
			finish(cpu, intid, log);
			its_enable_lpis(cpu, true);
			return;
		}
		break;
	default:
		break;
	}
	finish(cpu, intid, log);
}

static bool tower(uint32_t cpu)
{
	uint32_t k, n = share_size(cpu);

	for (k = 0; k < n; k += GUEST_PRIO_LEVELS) {
		signal(cpu, share(cpu, k));
		if (!wait_owed(cpu, cpu))
			return false;
	}
	return true;
}

static void route_lpi(uint32_t lpi, uint32_t to)
{
	__atomic_store_n(&SH->lpi_route[lpi], (uint8_t)to, __ATOMIC_RELEASE);
}

/* The own share, while it pends, to the next vCPU, and home again when it has been taken there. */
static bool moved(uint32_t cpu)
{
	uint32_t k, n = share_size(cpu);

	signal_share(cpu);
	barrier();
	for (k = 0; k < n; k++) {
		route_lpi(share(cpu, k), (cpu + 1) % SH->nr_vcpus);
		its_move(share(cpu, k), (cpu + 1) % SH->nr_vcpus);
	}
	settle();
	if (aborted() || !wait_owed(cpu, cpu))
		return false;
	irq_on();
	barrier();
	irq_off();
	for (k = 0; k < n; k++) {
		route_lpi(share(cpu, k), cpu);
		its_move(share(cpu, k), cpu);
	}
	return true;
}

static bool moved_all(uint32_t cpu)
{
	uint32_t k, n = share_size(cpu);

	signal_share(cpu);
	for (k = 0; k < n; k++)
		route_lpi(share(cpu, k), cpu ? GUEST_ANY_CPU : 1);
	barrier();
	if (cpu == 0)
		its_move_all(0, 1);
	settle();
	if (aborted() || !wait_owed(cpu, GUEST_ANY_CPU))
		return false;
	irq_on();
	barrier();
	irq_off();
	for (k = 0; k < n; k++) {
		route_lpi(share(cpu, k), cpu);
		its_move(share(cpu, k), cpu);
	}
	return true;
}

/* Every second one of the share is off while it pends: the others come, then it does. */
static bool turned_off(uint32_t cpu)
{
	uint32_t k, n = share_size(cpu);

	signal_share(cpu);
	for (k = 0; k < n; k += 2) {
		its_enable_lpi(share(cpu, k), false);
		/* Nobody's for now, so that owed() leaves it out. */
		route_lpi(share(cpu, k), GUEST_ANY_CPU);
	}
	if (!wait_owed(cpu, cpu))
		return false;
	for (k = 0; k < n; k += 2) {
		if (!missing_at(share(cpu, k)))
			fail(cpu, GUEST_FAIL_NOT_IDLE, GUEST_FIRST_LPI + share(cpu, k), 0, 1);
		route_lpi(share(cpu, k), cpu);
		its_enable_lpi(share(cpu, k), true);
	}
	return wait_owed(cpu, cpu);
}

/* Whatever EnableLPIs has taken away is signalled once more. */
static bool signal_dropped(uint32_t cpu)
{
	uint32_t k, n = share_size(cpu), dropped = 0;

	for (k = 0; k < 200; k++) {
		irq_on();
		irq_off();
	}
	yield();
	irq_on();
	irq_off();
	for (k = 0; k < n; k++) {
		if (!missing_at(share(cpu, k)))
			continue;
		dropped++;
		batch_add_unowed(cpu, GUEST_FIRST_LPI + share(cpu, k));
	}
	note_add(0, dropped);
	raise_batch(cpu);
	return wait_owed(cpu, cpu);
}

/* First the odd vCPUs turn off their neighbour, then the even ones: one of two is in the guest. */
static bool lpis_off(uint32_t cpu)
{
	uint32_t next = (cpu + 1) % SH->nr_vcpus, turn, spins;

	signal_share(cpu);
	for (turn = 0; turn < 2; turn++) {
		barrier();
		if (cpu % 2 == turn)
			continue;
		its_enable_lpis(next, false);
		for (spins = 0; spins < 2000; spins++)
			isb();
		its_enable_lpis(next, true);
	}
	barrier();
	return !aborted() && signal_dropped(cpu);
}

/* The first one's handler turns LPIs off and on; then it must be able to come again. */
static bool off_active(uint32_t cpu)
{
	off_in[cpu] = 0;
	signal_share(cpu);
	if (!signal_dropped(cpu))
		return false;
	if (off_in[cpu])
		signal(cpu, off_in[cpu] - 1);
	return wait_owed(cpu, cpu);
}

static bool lpi_round(uint32_t cpu)
{
	switch (SH->mode) {
	case GUEST_LPI_NEST:
		return tower(cpu);
	case GUEST_LPI_MOVE:
		return moved(cpu);
	case GUEST_LPI_MOVEALL:
		return moved_all(cpu);
	case GUEST_LPI_INV:
		return turned_off(cpu);
	case GUEST_LPI_OFF:
		return lpis_off(cpu);
	case GUEST_LPI_OFF_ACTIVE:
		return off_active(cpu);
	default:
		signal_share(cpu);
		return wait_owed(cpu, cpu);
	}
}

static void lpi_run(uint32_t cpu)
{
	uint32_t r;

	if (cpu == 0)
		its_init();
	barrier();
	its_cpu_init(cpu);
	barrier();
	if (cpu == 0)
		its_map_all();
	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		order_reset(cpu);
		barrier();
		if (!lpi_round(cpu))
			return;
		irq_on();
		barrier();
		irq_off();
		check_idle(cpu);
		check_rpr(cpu, GUEST_SPURIOUS, 0xff);
	}
}

const struct stim stim_lpi = {lpi_run, lpi_irq};
