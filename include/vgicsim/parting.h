/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where two recordings of the same guest part: the first flush of one at which the
 * list held the same interrupts in the same states, the same groups enabled, as at some
 * flush of the other, and other LRs were shown to the guest. Only entries that leave interrupts
 * outside count: with room for all, their order is that of their arrival.
 */
#ifndef VGICSIM_PARTING_H
#define VGICSIM_PARTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/records.h>

/* An LR or an entry of the list: INTID and state. */
#define VGIC_SHOWN_PENDING (1ull << 62)
#define VGIC_SHOWN_ACTIVE  (1ull << 63)
#define VGIC_SHOWN_INTID   0xffffffffull

/* One side of the point; the lists belong to the search. */
struct vgic_shown {
	uint64_t record;  /* number of the flush, from 1 */
	uint64_t time_ns; /* from the start */
	const uint64_t *lr;
	size_t nr_lr;
	const uint64_t *list; /* in the order that the kernel had before the flush */
	size_t nr_list;
};

struct vgic_parting_point {
	uint16_t vcpu;
	bool order_only; /* the same LRs in another order */
	struct vgic_shown side[2];
};

struct vgic_parting;

/* vm: which one of each recording. 0 or -ENOMEM. */
int vgic_parting_create(struct vgic_parting **p, const uint16_t vm[2]);
void vgic_parting_destroy(struct vgic_parting *p);

/* Every record of side 0 or 1, in file order, LRs as in ICH_LR<n>_EL2. 0 or -ENOMEM. */
int vgic_parting_record(struct vgic_parting *p, unsigned int side, const struct vgr_rec *rec);

/* 1: found; 0: the recordings never part; -ENOMEM. */
int vgic_parting_find(struct vgic_parting *p, struct vgic_parting_point *point);

#endif
