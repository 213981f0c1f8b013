// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

/* Stimuli that have more interrupts active than list registers, and finish them in odd ways. */

struct stack {
	uint32_t n;
	uint32_t intid[GUEST_MAX_SPIS];
	struct guest_log *log[GUEST_MAX_SPIS];
	uint32_t index[GUEST_MAX_SPIS];
};

static struct stack stacks[GUEST_MAX_VCPUS];

/* IRQs stay masked in these stimuli: an exception means that somebody has unmasked them. */
static void unexpected_irq(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	fail(cpu, GUEST_FAIL_NOT_IDLE, intid, intid, GUEST_SPURIOUS);
	finish(cpu, intid, log);
}

static bool push(uint32_t cpu, uint32_t intid)
{
	struct stack *s = &stacks[cpu];

	if (!raise_and_ack(cpu, intid, &s->log[s->n]))
		return false;
	s->intid[s->n++] = intid;
	return true;
}

/* The order in which the stack is to be finished, as indices into it. */
static void order_stack(uint32_t cpu, uint64_t *rng)
{
	struct stack *s = &stacks[cpu];
	uint32_t k;

	for (k = 0; k < s->n; k++)
		s->index[k] = k;
	guest_order_list(s->index, s->n, SH->order, rng);
}

static void eoi_order_run(uint32_t cpu)
{
	const bool promised = SH->eoimode || SH->order == GUEST_LIFO;
	uint64_t rng = SH->seed ^ (cpu + 1);
	struct stack *s = &stacks[cpu];
	uint32_t r, k, n = guest_share_size(SH, cpu);

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		s->n = 0;
		barrier();
		for (k = 0; k < n; k++)
			if (!push(cpu, guest_share(SH, cpu, k)))
				return;
		order_stack(cpu, &rng);
		for (k = 0; k < s->n; k++)
			eoi(s->intid[s->index[k]], s->log[s->index[k]]);
		for (k = 0; k < s->n; k++)
			dir(cpu, s->intid[s->index[k]], s->log[s->index[k]]);
		if (!promised)
			count_left(cpu, 0);
		check_round_over(cpu);
	}
}

const struct stim stim_eoi_order = {eoi_order_run, unexpected_irq};

static uint32_t level_of(uint32_t intid)
{
	return SH->prio[intid] >> 3;
}

/* From the most urgent level down, each EOIR with the bit of its level as the first one set. */
static void end_restored(uint32_t cpu)
{
	uint32_t n = guest_share_size(SH, cpu), left[32] = {0}, bits = 0, level, k, intid;

	for (k = 0; k < n; k++)
		left[level_of(guest_share(SH, cpu, k))]++;
	for (level = 0; level < 32; level++)
		bits |= (left[level] ? 1U : 0) << level;
	gic_set_apr(SH->group, bits);
	for (level = 0; level < 32; level++) {
		for (k = n; k-- > 0;) {
			intid = guest_share(SH, cpu, k);
			if (level_of(intid) != level)
				continue;
			check_rpr(cpu, intid, SH->prio[intid]);
			gic_eoir(SH->group, intid);
			if (SH->eoimode)
				gic_dir(intid);
			if (--left[level])
				gic_set_apr(SH->group, bits);
			else
				bits &= ~(1U << level);
		}
	}
}

static void restore_run(uint32_t cpu)
{
	uint32_t r, k, n = guest_share_size(SH, cpu), intid;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		barrier();
		for (k = 0; k < n && !aborted(); k++) {
			intid = guest_share(SH, cpu, k);
			if (r)
				gic_write_bit(cpu, GIC_ISACTIVER, intid);
			if (!spi_active(intid))
				fail(cpu, GUEST_FAIL_ACTIVE, intid, 0, 1);
		}
		end_restored(cpu);
		check_round_over(cpu);
		barrier();
	}
}

const struct stim stim_restore = {restore_run, unexpected_irq};

/* Everything of the share that is still owed, one after the other, in either group. */
static bool take_rest(uint32_t cpu)
{
	struct guest_log *log;
	struct wait w;
	uint32_t intid;

	wait_begin(cpu, &w);
	while (share_missing(cpu, 1) + share_missing(cpu, 0)) {
		intid = ack(cpu, &log);
		if (intid == GUEST_SPURIOUS && SH->group0)
			intid = ack_group0(cpu, &log);
		if (intid == GUEST_SPURIOUS) {
			if (wait_step(cpu, &w, false))
				continue;
			if (!aborted())
				fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS,
				     share_missing(cpu, 1) + share_missing(cpu, 0), 0);
			return false;
		}
		if (SH->is_level[intid])
			lower_line(intid);
		finish(cpu, intid, log);
	}
	return true;
}

/* Nest the first of the share, then make the others pending: they take the list registers. */
static bool nest_and_fill(uint32_t cpu)
{
	uint32_t k, n = guest_share_size(SH, cpu), depth = guest_nested(SH, cpu);

	stacks[cpu].n = 0;
	for (k = 0; k < depth; k++)
		if (!push(cpu, guest_share(SH, cpu, k)))
			return false;
	for (; k < n; k++)
		batch_add(cpu, guest_share(SH, cpu, k));
	raise_batch(cpu);
	return true;
}

/* End the newest of the stack, and see whether the hypervisor has ended another one instead. */
static void end_top(uint32_t cpu, uint32_t wrong_victim)
{
	struct stack *s = &stacks[cpu];
	uint32_t intid = s->intid[--s->n];

	finish(cpu, intid, s->log[s->n]);
	if (spi_active(intid))
		note_add(wrong_victim, 1);
}

static void round_over(uint32_t cpu, uint32_t left_active)
{
	count_left(cpu, left_active);
	check_round_over(cpu);
}

static void reprio_run(uint32_t cpu)
{
	struct stack *s = &stacks[cpu];
	uint32_t r, a;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		barrier();
		if (!nest_and_fill(cpu))
			return;
		a = s->n ? s->intid[s->n - 1] : 0;
		if (a)
			gic_set_prio(a, 0x60);
		yield();
		while (s->n)
			end_top(cpu, 0);
		if (a)
			gic_set_prio(a, SH->prio[a]);
		if (!take_rest(cpu))
			return;
		round_over(cpu, 1);
	}
}

const struct stim stim_reprio = {reprio_run, unexpected_irq};

/*
 * Never group 0 on with group 1 off: QEMU raises the maintenance interrupt "group 0 disabled" by
 * the enable of group 1, for ever, and the guest would not run.
 */
static void set_groups(bool group0, bool group1)
{
	group0 = group0 && group1;
	if (!group0)
		gic_group_enable(0, false);
	gic_group_enable(1, group1);
	if (group0)
		gic_group_enable(0, true);
}

/* The guest may not get to run here until the VMM has lowered the lines. */
static bool storm_round(uint32_t cpu)
{
	uint32_t k, n = guest_share_size(SH, cpu), depth = guest_nested(SH, cpu);

	stacks[cpu].n = 0;
	set_groups(false, true);
	for (k = 0; k < depth; k++)
		if (!push(cpu, guest_share(SH, cpu, k)))
			return false;
	for (; k < n; k++)
		batch_add_unowed(cpu, guest_share(SH, cpu, k));
	__atomic_store_n(&SH->storm, 1, __ATOMIC_RELEASE);
	raise_batch(cpu);
	for (k = 0; k < 1000; k++)
		__atomic_fetch_add(&SH->beat, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&SH->storm, 0, __ATOMIC_RELEASE);
	for (k = depth; k < n; k++)
		lower_line(guest_share(SH, cpu, k));
	while (stacks[cpu].n)
		end_top(cpu, 1);
	return true;
}

static bool regroup_round(uint32_t cpu, uint64_t *rng)
{
	uint32_t toggles;

	set_groups(true, true);
	if (!nest_and_fill(cpu))
		return false;
	if (SH->mode == GUEST_REGROUP_ACTIVE) {
		set_groups(false, true);
		yield();
	}
	while (stacks[cpu].n) {
		if (SH->mode == GUEST_REGROUP_TOGGLE) {
			toggles = guest_rng_below(rng, 8);
			set_groups(toggles & 1, toggles & 2);
			if (toggles & 4)
				yield();
		}
		end_top(cpu, 1);
	}
	set_groups(true, true);
	return take_rest(cpu);
}

static void regroup_run(uint32_t cpu)
{
	uint64_t rng = SH->seed ^ (cpu + 1);
	uint32_t r;

	for (r = 0; r < SH->repeat && !aborted(); r++) {
		set_round(cpu, r);
		barrier();
		if (SH->mode == GUEST_REGROUP_STORM ? !storm_round(cpu) : !regroup_round(cpu, &rng))
			return;
		round_over(cpu, 2);
	}
}

const struct stim stim_regroup = {regroup_run, unexpected_irq};
