/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clairvoyant bound: the fewest exits for the sake of the list registers that any
 * policy could have had while the guest of a vCPU lives through a given sequence of
 * acknowledges and of moments at which the LRs can be refilled for nothing.
 *
 * Rules for the policy: it knows the future. At each entry it puts into the N LRs what it
 * likes (not the same interrupt twice) and leaves out what it likes, active ones too. What
 * it puts in changes only at an exit. It gets exits for nothing wherever the caller says
 * so; every other one is a maintenance interrupt, which it may have at any moment.
 *
 * Why this is a lower bound: only a hypervisor makes an LR pending, the guest's
 * acknowledge ends that state, and hardware never brings it back before the next entry. So
 * in a run without exit at most N interrupts are acknowledged, each at most once: an
 * acknowledged interrupt must have been pending in an LR, and a second LR with the same
 * INTID is not allowed. Every policy therefore cuts the acknowledges between two free
 * exits into pieces of at most N different interrupts, and each cut is an exit that the LRs
 * caused. Taking each piece as long as it can be gives the fewest pieces: a shorter first
 * piece leaves more for the others, and a part of an allowed piece is allowed. More LRs
 * allow every piece that fewer do, so the bound never grows with N. A policy that knows
 * the sequence and holds exactly the pieces in the LRs reaches it, if what is acknowledged in
 * a piece had become pending before it: so if every raise is a free exit.
 */
#ifndef VGICSIM_BOUND_H
#define VGICSIM_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/records.h>

/* Of one vCPU. */
struct vgic_bound {
	unsigned int nr_lr; /* 1 to VGR_MAX_LRS */
	uint64_t exits;	    /* the bound for what was told so far */
	bool filled;	    /* a piece was cut because it had nr_lr, not because one came again */
	unsigned int nr_taken;
	uint32_t taken[VGR_MAX_LRS]; /* in the piece that is being cut */
	uint64_t maybe;		     /* bits of those, by the lowest six bits of each */
};

void vgic_bound_init(struct vgic_bound *b, unsigned int nr_lr);

/* The guest acknowledges; iar: what it reads, so with the source of a GICv2's SGI. */
void vgic_bound_ack(struct vgic_bound *b, uint32_t iar);

/* The LRs can be refilled here without an exit of their own. */
void vgic_bound_free(struct vgic_bound *b);

#endif
