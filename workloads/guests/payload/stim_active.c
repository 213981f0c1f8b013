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
		check_idle(cpu);
		check_rpr(cpu, GUEST_SPURIOUS, 0xff);
		check_share_quiet(cpu, cpu);
	}
}

const struct stim stim_eoi_order = {eoi_order_run, unexpected_irq};
