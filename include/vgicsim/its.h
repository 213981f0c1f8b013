/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ITS in front of a vgic: which event of which device is which LPI, and to which
 * redistributor its collection belongs. Source of the rules: vgic-its.c, Linux 6.12
 * to 7.3 (kvm-overflow.md 11).
 */
#ifndef VGICSIM_ITS_H
#define VGICSIM_ITS_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/vgic.h>

/* Collections 0 to VGIC_ITS_COLLECTIONS - 1. */
#define VGIC_ITS_COLLECTIONS 64u

struct vgic_its;

/* The vgic must outlive it. 0 or -ENOMEM. */
int vgic_its_create(struct vgic_its **out, struct vgic *vgic);
void vgic_its_destroy(struct vgic_its *its);

/*
 * MAPC: the collection belongs to vCPU target, and its LPIs follow; VGIC_NO_VCPU
 * unmaps it. 0 or -EINVAL (no such collection or vCPU).
 */
int vgic_its_mapc(struct vgic_its *its, unsigned int collection, unsigned int target);

/*
 * MAPTI: the event is LPI intid from now on, which is made if it is not there. An event
 * that is mapped stays as it is. 0, -EINVAL (no such collection, no LPI), -EEXIST (the
 * LPI has an event, where the policy's kernel refuses a second one) or -ENOMEM.
 */
int vgic_its_mapti(struct vgic_its *its, uint32_t device, uint32_t event, uint32_t intid,
		   unsigned int collection);

/* MOVI: nobody is kicked. MOVALL moves what targets vCPU from. 0, -ENOENT or -EINVAL. */
int vgic_its_movi(struct vgic_its *its, uint32_t device, uint32_t event, unsigned int collection);
int vgic_its_movall(struct vgic_its *its, unsigned int from, unsigned int to);

/* DISCARD: the LPI is forgotten with its last event. 0 or -ENOENT. */
int vgic_its_discard(struct vgic_its *its, uint32_t device, uint32_t event);

/*
 * INV after the guest changed the property table: the six upper bits of prio count
 * (OV-4). 0 or -ENOENT.
 */
int vgic_its_inv(struct vgic_its *its, uint32_t device, uint32_t event, uint8_t prio, bool enable);

/* CLEAR: no longer pending. 0 or -ENOENT. */
int vgic_its_clear(struct vgic_its *its, uint32_t device, uint32_t event);

/*
 * INT, or an MSI of the device. 1: raised; 0: dropped, LPIs of the redistributor are
 * disabled; -ENOENT: not mapped, or its collection is not.
 */
int vgic_its_int(struct vgic_its *its, uint32_t device, uint32_t event);

#endif
