/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When interrupts are raised, and when they reach an LR: one meter for a recording
 * and for the records that a replay makes of itself, so that both mean the same.
 *
 * A raise is
 * - of an edge-triggered interrupt, an SGI or an LPI: its pending latch is set while
 *   it was clear and no LR had it pending;
 * - of a level-triggered one: its line goes high, or is still high when the host
 *   learns that the interrupt is no longer active: at the sync, or at the trapped DIR.
 * One that no record tells of (a pending register was written) counts from when a
 * list shows it first. An MSI is a raise of its LPI, which is known once the LPI was
 * seen pending.
 *
 * A raise counts from the moment at which the host may deliver it: while the
 * interrupt is disabled, or the distributor is, it is not on the list, and counts
 * from the register write that brings it there. What the guest masks (PMR, groups,
 * PSTATE) counts, for an LR is used all the same.
 *
 * A raise that finds its interrupt pending already is merged with the one before.
 */
#ifndef VGICSIM_RAISES_H
#define VGICSIM_RAISES_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/latency.h>
#include <vgicsim/records.h>

struct vgic_raises;

/*
 * vm: of the recording; the others are left out. Latencies from a raise to the first
 * entry with the interrupt pending in an LR are added to to_lr. 0 or -ENOMEM.
 */
int vgic_raises_create(struct vgic_raises **r, uint16_t vm, struct vgic_latency_series *to_lr);
void vgic_raises_destroy(struct vgic_raises *r);

/* One record, in file order, LRs in the layout of ICH_LR<n>_EL2. 0 or -ENOMEM. */
int vgic_raises_record(struct vgic_raises *r, const struct vgr_rec *rec);

/* An MSI of which the LPI is known. 0 or -ENOMEM. */
int vgic_raises_lpi(struct vgic_raises *r, uint32_t lpi, uint64_t time);

/* Raises of edges, SGIs and LPIs that were merged with one before. */
uint64_t vgic_raises_merged(const struct vgic_raises *r);

struct vgic_raise {
	uint64_t number; /* counts from 0, in the order of the raises */
	uint64_t time;	 /* ns */
};

/*
 * The raise because of which an LR of the vCPU has this interrupt pending, since the
 * entry. False: it has not, or of this raise nothing is known.
 */
bool vgic_raises_in_lr(struct vgic_raises *r, uint16_t vcpu, uint32_t intid,
		       struct vgic_raise *raise);

struct vgic_raised {
	uint32_t intid;
	uint64_t ns; /* from its raise on */
};

/*
 * Of what the last entry showed in an LR for the first time since its raise, the one whose
 * raise was longest ago. False: there was none.
 */
bool vgic_raises_longest(const struct vgic_raises *r, struct vgic_raised *longest);

/*
 * The raise of an interrupt that a list shows outside the LRs: not in one since, or back from
 * one without having been taken. False: it is not known.
 */
bool vgic_raises_outside(struct vgic_raises *r, uint16_t vcpu, uint32_t intid,
			 struct vgic_raise *raise);

#endif
