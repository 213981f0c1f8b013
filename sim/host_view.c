// SPDX-License-Identifier: GPL-2.0-only
/* Reading a virtual host: the state of interrupts wherever it is, and what went wrong. */
#include <string.h>

#include "host_internal.h"

static bool in_hardware(const struct vgic_host *h, unsigned int vcpu)
{
	return h->vcpus[vcpu].state == VGIC_HOST_GUEST;
}

const struct vgic_v3_cpuif *vgic_host_hw(const struct vgic_host *h, unsigned int vcpu)
{
	return &h->cpus[h->vcpus[vcpu].cpu].hw;
}

uint64_t vgic_host_lr(const struct vgic_host *h, unsigned int vcpu, unsigned int lr)
{
	return in_hardware(h, vcpu) ? vgic_host_hw(h, vcpu)->lr[lr] : h->vgic->vcpus[vcpu].lr[lr];
}

uint32_t vgic_host_hcr(const struct vgic_host *h, unsigned int vcpu)
{
	return in_hardware(h, vcpu) ? vgic_host_hw(h, vcpu)->hcr : h->vgic->vcpus[vcpu].hcr;
}

/* LR that holds it, whatever its state; -1. */
static int find_lr(const struct vgic_host *h, unsigned int vcpu, uint32_t intid)
{
	uint64_t mask = h->vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID;
	enum vgic_host_state state = h->vcpus[vcpu].state;

	if (state != VGIC_HOST_GUEST && state != VGIC_HOST_LEFT)
		return -1;
	for (unsigned int i = 0; i < h->vgic->vcpus[vcpu].used_lrs; i++)
		if ((vgic_host_lr(h, vcpu, i) & mask) == intid)
			return (int)i;
	return -1;
}

unsigned int vgic_host_irq_look(const struct vgic_host *h, const struct vgic_host_irq *i)
{
	const struct vgic_irq *irq = i->irq;
	unsigned int look = vgic_irq_pending(irq) ? VGIC_LOOK_PENDING : 0;
	uint64_t lr;
	int n = -1;

	if (h->vgic->cfg.model_v2 && irq->intid < VGIC_NR_SGIS && irq->source)
		look |= VGIC_LOOK_PENDING;
	if (irq->vcpu != VGIC_NO_VCPU)
		n = find_lr(h, irq->vcpu, irq->intid);
	if (n < 0)
		return look | (irq->active ? VGIC_LOOK_ACTIVE : 0);
	lr = vgic_host_lr(h, irq->vcpu, (unsigned int)n);
	if (lr & VGIC_LR_PENDING)
		look |= VGIC_LOOK_PENDING;
	if (lr & VGIC_LR_ACTIVE)
		look |= VGIC_LOOK_ACTIVE;
	return look | (lr & VGIC_LR_STATE ? VGIC_LOOK_LR : 0);
}

int vgic_host_signal(const struct vgic_host *h, unsigned int vcpu)
{
	const struct vgic_v3_cpuif *hw = vgic_host_hw(h, vcpu);

	if (!in_hardware(h, vcpu) || !vgic_v3_cpuif_can_signal(hw))
		return -1;
	return hw->lr[vgic_v3_cpuif_hppi(hw)] & VGIC_LR_GROUP1 ? 1 : 0;
}

bool vgic_host_stuck(const struct vgic_host *h, const struct vgic_host_irq *i)
{
	return !i->guest_active && (vgic_host_irq_look(h, i) & VGIC_LOOK_ACTIVE);
}

bool vgic_host_early(const struct vgic_host *h, const struct vgic_host_irq *i)
{
	return i->guest_active && i->irq->intid < VGIC_LPI_BASE &&
	       !(vgic_host_irq_look(h, i) & VGIC_LOOK_ACTIVE);
}

bool vgic_host_lost(const struct vgic_host *h, const struct vgic_host_irq *i)
{
	if (i->phys.mapped && !i->phys.active && (i->phys.lost || i->phys.pending))
		return i->phys.lost;
	return i->owed && !(i->phys.mapped && i->phys.pending) &&
	       !(vgic_host_irq_look(h, i) & VGIC_LOOK_PENDING);
}

/* Would an interface with room for everything signal it now? */
static bool wanted(const struct vgic_host *h, unsigned int vcpu, const struct vgic_irq *irq)
{
	struct vgic_v3_cpuif hw = *vgic_host_hw(h, vcpu);

	/* Asleep, its registers are in memory. */
	if (!in_hardware(h, vcpu)) {
		const struct vgic_vcpu *k = &h->vgic->vcpus[vcpu];

		hw.vmcr = k->vmcr;
		memcpy(hw.ap0r, k->ap0r, sizeof(hw.ap0r));
		memcpy(hw.ap1r, k->ap1r, sizeof(hw.ap1r));
	}
	memset(hw.lr, 0, sizeof(hw.lr));
	hw.hcr |= VGIC_HCR_EN;
	hw.lr[0] = VGIC_LR_PENDING | irq->intid | (irq->group1 ? VGIC_LR_GROUP1 : 0) |
		   (uint64_t)irq->priority << VGIC_LR_PRIORITY_SHIFT;
	return vgic_v3_cpuif_can_signal(&hw);
}

/* The host will come back to this vCPU by itself. */
static bool will_exit(const struct vgic_host *h, unsigned int vcpu)
{
	const struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	return (v->mi && v->mi_left != VGIC_HOST_NEVER) ||
	       (v->kicked && v->kick_left != VGIC_HOST_NEVER);
}

bool vgic_host_starved(const struct vgic_host *h, const struct vgic_host_irq *i)
{
	const struct vgic_irq *irq = i->irq;
	unsigned int look = vgic_host_irq_look(h, i), vcpu = irq->target;

	if (!(look & VGIC_LOOK_PENDING) || (look & (VGIC_LOOK_ACTIVE | VGIC_LOOK_LR)) ||
	    !irq->enabled || !h->vgic->dist_enabled || vcpu >= h->vgic->cfg.nr_vcpus)
		return false;
	if (h->vcpus[vcpu].state == VGIC_HOST_GUEST)
		return vgic_host_signal(h, vcpu) < 0 && !will_exit(h, vcpu) && wanted(h, vcpu, irq);
	return h->vcpus[vcpu].state == VGIC_HOST_ASLEEP && wanted(h, vcpu, irq);
}

static uint64_t of_vgic(const struct vgic_counts *c, unsigned int counter)
{
	switch (counter) {
	case VGIC_COUNT_FLUSHES:
		return c->flushes;
	case VGIC_COUNT_SYNCS:
		return c->syncs;
	case VGIC_COUNT_SORTS:
		return c->sorts;
	case VGIC_COUNT_POPULATED:
		return c->populated;
	case VGIC_COUNT_OUTSIDE:
		return c->outside;
	case VGIC_COUNT_REPLAYED:
		return c->replayed;
	case VGIC_COUNT_REPLAY_LOST:
		return c->replay_lost;
	case VGIC_COUNT_WILD_WALKS:
		return c->wild_walks;
	case VGIC_COUNT_DIR_PRIMITIVE:
		return c->dir_primitive;
	case VGIC_COUNT_PRUNED:
		return c->pruned;
	case VGIC_COUNT_MIGRATED:
		return c->migrated;
	}
	return 0;
}

void host_rises(const struct vgic_host *h, struct vgic_host_irq *i)
{
	if (!i->since)
		i->since = vgic_host_count(h, VGIC_NO_VCPU, VGIC_COUNT_STEPS) + 1;
}

void host_waited(struct vgic_host *h, unsigned int vcpu, struct vgic_host_irq *i)
{
	uint64_t now = vgic_host_count(h, VGIC_NO_VCPU, VGIC_COUNT_STEPS) + 1;

	if (i->since && now - i->since > h->vcpus[vcpu].longest_wait)
		h->vcpus[vcpu].longest_wait = now - i->since;
	i->since = 0;
}

static uint64_t longest_wait(const struct vgic_host *h, unsigned int vcpu)
{
	uint64_t longest = 0;

	for (unsigned int v = 0; v < h->vgic->cfg.nr_vcpus; v++)
		if ((vcpu == VGIC_NO_VCPU || vcpu == v) && h->vcpus[v].longest_wait > longest)
			longest = h->vcpus[v].longest_wait;
	return longest;
}

uint64_t vgic_host_count(const struct vgic_host *h, unsigned int vcpu, unsigned int counter)
{
	uint64_t sum = 0;

	if (counter == VGIC_COUNT_ACTIVE_SPIS)
		return (uint64_t)h->vgic->active_spis;
	if (counter == VGIC_COUNT_LONGEST_WAIT)
		return longest_wait(h, vcpu);
	for (unsigned int v = 0; v < h->vgic->cfg.nr_vcpus; v++) {
		if (vcpu != VGIC_NO_VCPU && vcpu != v)
			continue;
		sum += counter < VGIC_COUNT_FLUSHES ? h->vcpus[v].count[counter]
						    : of_vgic(&h->vgic->vcpus[v].counts, counter);
	}
	return sum;
}

static const char *const names[] = {
	[VGIC_COUNT_ENTRIES] = "entries",
	[VGIC_COUNT_EXITS] = "exits",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_MI] = "exits-mi",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_WFI] = "exits-wfi",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_MMIO] = "exits-mmio",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_DIR] = "exits-dir",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_SGI] = "exits-sgi",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_KICK] = "exits-kick",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_IRQ] = "exits-irq",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_HALT] = "exits-halt",
	[VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_ELSE] = "exits-else",
	[VGIC_COUNT_MI_FIRST + 0] = "mi-eoi",
	[VGIC_COUNT_MI_FIRST + 1] = "mi-u",
	[VGIC_COUNT_MI_FIRST + 2] = "mi-lrenp",
	[VGIC_COUNT_MI_FIRST + 3] = "mi-np",
	[VGIC_COUNT_MI_FIRST + 4] = "mi-vgrp0e",
	[VGIC_COUNT_MI_FIRST + 5] = "mi-vgrp0d",
	[VGIC_COUNT_MI_FIRST + 6] = "mi-vgrp1e",
	[VGIC_COUNT_MI_FIRST + 7] = "mi-vgrp1d",
	[VGIC_COUNT_STEPS] = "steps",
	[VGIC_COUNT_ACKS] = "acked",
	[VGIC_COUNT_SPURIOUS] = "spurious",
	[VGIC_COUNT_REDELIVERED] = "redelivered",
	[VGIC_COUNT_KICKS] = "kicks",
	[VGIC_COUNT_WAKEUPS] = "wakeups",
	[VGIC_COUNT_WFI_SPINS] = "wfi-spins",
	[VGIC_COUNT_DIR_TRAPS] = "dir-traps",
	[VGIC_COUNT_DIR_FAST] = "dir-fast",
	[VGIC_COUNT_EL2_TRAPS] = "el2-traps",
	[VGIC_COUNT_EOICOUNTS] = "eoicounts",
	[VGIC_COUNT_EOICOUNT_WRAPS] = "eoicount-wraps",
	[VGIC_COUNT_NOTIFICATIONS] = "notifications",
	[VGIC_COUNT_HOST_IRQS] = "host-irqs",
	[VGIC_COUNT_STORMS] = "storms",
	[VGIC_COUNT_WRONG_VICTIMS] = "wrong-victims",
	[VGIC_COUNT_LATE_FOLDS] = "late-folds",
	[VGIC_COUNT_CALLED_OFF] = "called-off",
	[VGIC_COUNT_LIVELOCKS] = "livelocks",
	[VGIC_COUNT_HCR_WRITES] = "hcr-writes",
	[VGIC_COUNT_HCR_LEFT] = "hcr-left",
	[VGIC_COUNT_STALE_VMCR] = "stale-vmcr",
	[VGIC_COUNT_FREED_WALKS] = "freed-walks",
	[VGIC_COUNT_FLUSHES] = "flushes",
	[VGIC_COUNT_SYNCS] = "syncs",
	[VGIC_COUNT_SORTS] = "sorts",
	[VGIC_COUNT_POPULATED] = "populated",
	[VGIC_COUNT_OUTSIDE] = "outside",
	[VGIC_COUNT_REPLAYED] = "replayed",
	[VGIC_COUNT_REPLAY_LOST] = "replay-lost",
	[VGIC_COUNT_WILD_WALKS] = "wild-walks",
	[VGIC_COUNT_DIR_PRIMITIVE] = "dir-primitive",
	[VGIC_COUNT_PRUNED] = "pruned",
	[VGIC_COUNT_MIGRATED] = "migrated",
	[VGIC_COUNT_ACTIVE_SPIS] = "active-spis",
	[VGIC_COUNT_LONGEST_WAIT] = "longest-wait",
};

const char *vgic_host_counter_name(unsigned int counter)
{
	return counter < VGIC_NR_COUNTERS ? names[counter] : NULL;
}

int vgic_host_counter_find(const char *name)
{
	for (unsigned int i = 0; i < VGIC_NR_COUNTERS; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}
