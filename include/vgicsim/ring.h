/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last records of a capture, in memory of a fixed size, and a recording cut out of
 * them. What is too old makes room; nothing that is lost to the capture is lost here:
 * loss records are kept like others.
 *
 * A cut holds together as a recording that began at that moment would:
 *  - it begins with all vCPUs of the VMs that it tells of, introduced again, at the time
 *    of its first record;
 *  - of each vCPU flush, entry, sync and exit begin with the first flush; a flush has the
 *    whole list, so that what follows can be recomputed;
 *  - numbers of a physical CPU's records begin at 1, the missing ones of losses included;
 *  - VMs are numbered anew, without holes.
 */
#ifndef VGICSIM_RING_H
#define VGICSIM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/recording.h>

/* Room for a few of the largest records. */
#define VGR_RING_MIN (4u * VGR_MAX_RECORD)

struct vgr_ring;

/* 0, -EINVAL (bytes below VGR_RING_MIN) or -ENOMEM. */
int vgr_ring_create(struct vgr_ring **r, size_t bytes);
void vgr_ring_destroy(struct vgr_ring *r);

/*
 * Copies a record, at the cost of the oldest ones. -EINVAL: vgr_rec_validate() refuses it;
 * -ENOBUFS: there is no room but that of the cut in progress; -ENOMEM.
 */
int vgr_ring_put(struct vgr_ring *r, const struct vgr_rec *rec);

/* Time of the oldest record that is held; UINT64_MAX without any. */
uint64_t vgr_ring_oldest(const struct vgr_ring *r);

/* A record of this size can be put without making any other one go. */
bool vgr_ring_has_room(const struct vgr_ring *r, uint32_t size);

/* Records that made room for others. */
uint64_t vgr_ring_dropped(const struct vgr_ring *r);

/*
 * Begins a cut: the records from the first of this time or later on, up to the last that
 * is there now. They stay until the cut is over. 0, -EBUSY (one is in progress) or -ENOMEM.
 */
int vgr_ring_cut(struct vgr_ring *r, uint64_t from);

/*
 * Next record of the cut. 1: *rec is valid until the next call on r; 0: that was all, and
 * the cut is over; -ENOMEM.
 */
int vgr_ring_next(struct vgr_ring *r, const struct vgr_rec **rec);

/* Ends a cut before its end; fine without one. */
void vgr_ring_end(struct vgr_ring *r);

#endif
