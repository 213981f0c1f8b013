/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fates and raises of a replay, which has every interrupt at hand: by its number, and without
 * making records. The rules are those for records; see fates.h and raises.h.
 */
#ifndef VGICSIM_WATCH_H
#define VGICSIM_WATCH_H

#include <vgicsim/fates.h>
#include <vgicsim/raises.h>

/* One interrupt of a list: its state as it stands, and its number. */
struct watched {
	const struct vgr_irq *irq;
	uint32_t number;
	bool inside; /* after the flush: in an LR */
	bool same;   /* before the flush: as the sync of this vCPU left it, see below */
};

/*
 * Numbers of interrupts count from 0 in the order in which they are asked for, so that both
 * give the same if both are asked the same. Before the first: room for n interrupts and as
 * many vCPUs, so that nothing is allocated later. 0 or -ENOMEM.
 */
int fates_reserve(struct vgic_fates *f, size_t n, unsigned int nr_vcpus);
int raises_reserve(struct vgic_raises *r, size_t n, unsigned int nr_vcpus);
int fates_number(struct vgic_fates *f, uint16_t vcpu, uint32_t intid, uint32_t *number);
int raises_number(struct vgic_raises *r, uint16_t vcpu, uint32_t intid, uint32_t *number);

/*
 * A flush of fl's vCPU, with the list of it: before (off: what left the list since the sync),
 * and after. Of fl only the numbers count that have no list behind them. 0 or -ENOMEM.
 *
 * At all three, and at a sync, those may be left out who are calm: they wait on the list, outside
 * the LRs, as a flush has seen them wait before, and since then nothing was told of them, nor of
 * a register write, and the same groups are enabled. To look at such a one again would change
 * nothing: it was pending, so all that a look finds out is known. fates_listed() and
 * raises_listed() before the next look at it, or its being in an LR: it was on the list meanwhile.
 *
 * Before the flush one may also be the same: nothing has happened to it since the last sync of
 * this vCPU, and that had it on the list. A second look finds out no more than the first.
 */
void fates_before(struct vgic_fates *f, const struct vgr_flush *fl, const struct watched *list,
		  unsigned int n, const uint32_t *off, unsigned int nr_off);
void fates_listed(struct vgic_fates *f, uint32_t number);
void raises_listed(struct vgic_raises *r, uint32_t number);
int raises_before(struct vgic_raises *r, const struct vgr_flush *fl, const struct watched *list,
		  unsigned int n);
void fates_after(struct vgic_fates *f, const struct vgr_flush *fl, const struct watched *list,
		 unsigned int n);
/* The entry after it, at a time of its own, with what is in the LRs. 0 or -ENOMEM. */
void fates_entry(struct vgic_fates *f, uint64_t time);
int raises_entry(struct vgic_raises *r, const struct vgr_flush *fl, uint64_t time,
		 const uint64_t *lr, const uint32_t *numbers);

/*
 * A sync: what the run did to each LR that the flush had filled, then what had been on the list
 * before it. 0 or -ENOMEM.
 */
void fates_leave(struct vgic_fates *f, uint64_t time, const uint64_t *was, const uint64_t *is,
		 unsigned int n, const uint32_t *numbers);
void raises_leave(struct vgic_raises *r, const uint64_t *was, const uint64_t *is, unsigned int n,
		  const uint32_t *numbers);
void fates_sync(struct vgic_fates *f, uint16_t vcpu, uint64_t time, const struct watched *list,
		unsigned int n);
int raises_sync(struct vgic_raises *r, uint16_t vcpu, uint64_t time, const struct watched *list,
		unsigned int n);

/* A line moves or an edge comes; vcpu of a private interrupt, VGR_NO_VCPU. 0 or -ENOMEM. */
int fates_inject(struct vgic_fates *f, uint16_t vcpu, uint32_t number, bool level, uint64_t time);
int raises_inject(struct vgic_raises *r, uint16_t vcpu, uint32_t number, bool level, uint64_t time);
/* An MSI of it. */
void raises_msi(struct vgic_raises *r, uint32_t number, uint64_t time);
/* A trapped DIR. */
void fates_dir(struct vgic_fates *f, uint32_t number, uint64_t time);
void raises_dir(struct vgic_raises *r, uint32_t number, uint64_t time);

/* vgic_raises_in_lr() */
bool raises_in_lr(const struct vgic_raises *r, uint32_t number, struct vgic_raise *raise);

#endif
