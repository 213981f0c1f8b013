/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fates and raises of a replay, which has every interrupt at hand: by its number, and without
 * making records. The rules are those for records; see fates_inline.h and raises_inline.h.
 */
#ifndef VGICSIM_WATCH_H
#define VGICSIM_WATCH_H

#include <vgicsim/fates.h>
#include <vgicsim/raises.h>

/*
 * Numbers of interrupts count from 0 in the order in which they are asked for, so that both
 * give the same if both are asked the same. Before the first: room for n interrupts and as
 * many vCPUs, so that nothing is allocated later. 0 or -ENOMEM.
 */
int fates_reserve(struct vgic_fates *f, size_t n, unsigned int nr_vcpus);
int raises_reserve(struct vgic_raises *r, size_t n, unsigned int nr_vcpus);
int fates_number(struct vgic_fates *f, uint16_t vcpu, uint32_t intid, uint32_t *number);
int raises_number(struct vgic_raises *r, uint16_t vcpu, uint32_t intid, uint32_t *number);

/* vgic_raises_in_lr() */
bool raises_in_lr(const struct vgic_raises *r, uint32_t number, struct vgic_raise *raise);

#endif
