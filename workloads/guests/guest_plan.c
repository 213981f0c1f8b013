// SPDX-License-Identifier: GPL-2.0-only
#include "guest_plan.h"

uint64_t guest_rng(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint32_t guest_rng_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((guest_rng(state) >> 32) * n >> 32);
}

void guest_order_list(uint32_t *list, uint32_t n, enum guest_order order, uint64_t *state)
{
	uint32_t i, j, t;

	if (order == GUEST_FIFO)
		return;
	for (i = 0; i < n; i++) {
		if (order == GUEST_LIFO) {
			j = n - 1 - i;
			if (j <= i)
				break;
		} else {
			j = i + guest_rng_below(state, n - i);
		}
		t = list[i];
		list[i] = list[j];
		list[j] = t;
	}
}

/* Priority of member k of a share of n; levels 2..30 so that the timer can stand above all. */
static uint8_t share_prio(enum guest_prio prio, uint32_t k, uint32_t n, uint64_t *state)
{
	const uint32_t levels = GUEST_PRIO_LEVELS - 2;
	uint32_t step = n <= levels ? k : (uint32_t)((uint64_t)k * levels / n);

	switch (prio) {
	case GUEST_PRIO_RISING:
		return (uint8_t)(0xf0 - 8 * step);
	case GUEST_PRIO_FALLING:
		return (uint8_t)(0x10 + 8 * step);
	case GUEST_PRIO_RANDOM:
		return (uint8_t)(0x10 + 8 * guest_rng_below(state, levels));
	case GUEST_PRIO_SAME:
		break;
	}
	return 0xa0;
}

/* Stimuli in which the k-th SPI of a share preempts the one before it. */
static int is_tower(const struct guest_shared *sh)
{
	return sh->stim == GUEST_PREEMPT || sh->stim == GUEST_EOI_ORDER ||
	       sh->stim == GUEST_RESTORE;
}

uint32_t guest_nested(const struct guest_shared *sh, uint32_t vcpu)
{
	uint32_t n = guest_share_size(sh, vcpu), depth = 2;

	if (sh->stim == GUEST_REGROUP && sh->mode == GUEST_REGROUP_STORM)
		depth = n > 1 ? (n - 1) / 2 : 0;
	if (sh->stim == GUEST_REGROUP && sh->mode == GUEST_REGROUP_TOGGLE)
		depth = n / 2;
	if (depth > GUEST_PRIO_LEVELS - 3)
		depth = GUEST_PRIO_LEVELS - 3;
	return depth < n ? depth : n;
}

/* reprio and regroup: what is nested is above everything that stays pending meanwhile. */
static void plan_nested(struct guest_shared *sh, uint32_t intid, uint32_t k, uint32_t vcpu)
{
	const uint32_t depth = guest_nested(sh, vcpu);

	if (k < depth)
		sh->prio[intid] = (uint8_t)(0x10 + 8 * (depth - 1 - k));
	else
		sh->prio[intid] = (uint8_t)(0x80 + 8 * (k % 14));
	if (depth > 12 && k >= depth)
		sh->prio[intid] = 0xf0;
	if (sh->stim != GUEST_REGROUP)
		return;
	sh->group0 = 1;
	if (sh->mode == GUEST_REGROUP_ACTIVE)
		sh->is_group0[intid] = k == 1;
	else if (sh->mode == GUEST_REGROUP_STORM)
		sh->is_group0[intid] = k >= depth;
	else
		sh->is_group0[intid] = k % 2;
	/* Lines that can be taken away again. */
	if (sh->mode == GUEST_REGROUP_STORM && k >= depth)
		sh->is_level[intid] = 1;
}

void guest_plan(struct guest_shared *sh, enum guest_prio prio, int level)
{
	uint64_t state = sh->seed;
	uint32_t v = sh->nr_vcpus, i, k, share;

	for (i = 0; i < 16; i++)
		sh->prio[i] = share_prio(prio, i, 16, &state);
	for (; i < GUEST_FIRST_SPI; i++)
		sh->prio[i] = 0xa0;
	sh->prio[GUEST_TIMER_INTID] = 0x08;

	/* Equal priorities let the rule behind them show: mapped interrupts first. */
	if (sh->stim == GUEST_REGISTERS)
		sh->prio[GUEST_TIMER_INTID] = 0xa0;

	for (i = 0; i < sh->nr_irqs; i++) {
		uint32_t intid = GUEST_FIRST_SPI + i;

		k = sh->stim == GUEST_REMOTE_DIR ? i : i / v;
		share = guest_share_size(sh, sh->stim == GUEST_REMOTE_DIR ? 0 : i % v);
		if (is_tower(sh))
			sh->prio[intid] = (uint8_t)(0xf0 - 8 * (k % GUEST_PRIO_LEVELS));
		else
			sh->prio[intid] = share_prio(prio, k, share, &state);
		sh->route[intid] = (uint8_t)(i % v);
		sh->is_level[intid] = (uint8_t)(level != 0);
		if (sh->stim == GUEST_REPRIO || sh->stim == GUEST_REGROUP)
			plan_nested(sh, intid, k, i % v);
		if (sh->stim == GUEST_GROUP && sh->group0 && k % 2) {
			/* Above everything of group 1, but not deliverable. */
			sh->is_group0[intid] = 1;
			sh->prio[intid] = 0x08;
		}
		if (sh->stim == GUEST_MULTISGI)
			sh->prio[intid] = 0xc0;
		if (sh->stim == GUEST_REMOTE_DIR)
			sh->route[intid] = 0;
		if (sh->stim == GUEST_MIXED) {
			sh->route[intid] = (uint8_t)((i + k) % v);
			sh->is_level[intid] = (uint8_t)(k % 4 == 3);
		}
		if (sh->stim == GUEST_REGISTERS)
			sh->is_level[intid] = (uint8_t)(k % 4 == 1 || k % 4 == 2);
	}
}

void guest_plan_lpis(struct guest_shared *sh, enum guest_prio prio)
{
	uint64_t state = sh->seed;
	uint32_t v = sh->nr_vcpus, n = sh->nr_irqs, i;

	for (i = 0; i < n && i < GUEST_MAX_LPIS; i++) {
		/* A tower has one level for each storey; it begins anew after the last level. */
		if (sh->mode == GUEST_LPI_NEST)
			sh->lpi_prio[i] = (uint8_t)(0xf0 - 8 * (i / v % GUEST_PRIO_LEVELS));
		else
			sh->lpi_prio[i] =
				share_prio(prio, i / v, guest_share_size(sh, i % v), &state);
		sh->lpi_route[i] = (uint8_t)(i % v);
	}
}

uint32_t guest_share_size(const struct guest_shared *sh, uint32_t vcpu)
{
	if (sh->stim == GUEST_REMOTE_DIR)
		return vcpu ? 0 : sh->nr_irqs;
	if (vcpu >= sh->nr_vcpus || vcpu >= sh->nr_irqs)
		return 0;
	return (sh->nr_irqs - vcpu + sh->nr_vcpus - 1) / sh->nr_vcpus;
}

uint32_t guest_share(const struct guest_shared *sh, uint32_t vcpu, uint32_t k)
{
	if (k >= guest_share_size(sh, vcpu))
		return 0;
	if (sh->stim == GUEST_REMOTE_DIR)
		return GUEST_FIRST_SPI + k;
	return GUEST_FIRST_SPI + vcpu + k * sh->nr_vcpus;
}

uint64_t guest_log_bound(const struct guest_shared *sh)
{
	uint64_t per_round = sh->nr_irqs;

	if (sh->stim == GUEST_SGI)
		per_round = 16;
	if (sh->stim == GUEST_TIMER)
		per_round += 1;
	per_round *= sh->hold > 1 ? sh->hold : 1;
	if (sh->again)
		per_round *= 2;
	if (sh->stim == GUEST_MIXED)
		per_round += 16;
	/* Its own, the neighbour's, and the timer. */
	if (sh->stim == GUEST_REGISTERS)
		per_round = 2 * sh->nr_irqs + 1;
	/* Whoever is routed to, and once more. */
	if (sh->stim == GUEST_MIGRATE || sh->stim == GUEST_INFLIGHT)
		per_round = 2 * sh->nr_irqs;
	if (sh->stim == GUEST_LPI)
		per_round = 2 * sh->nr_irqs;
	/* Redeliveries have an end, but only by the handler's exit. */
	if (sh->stim == GUEST_RESAMPLE)
		per_round *= 40;
	if (sh->stim == GUEST_HWDIR)
		per_round += 2;
	if (sh->stim == GUEST_MULTISGI)
		per_round += GUEST_MULTI_SGIS * sh->nr_vcpus;
	return per_round * sh->repeat + (sh->stim == GUEST_MIXED ? 200000 : 64);
}
