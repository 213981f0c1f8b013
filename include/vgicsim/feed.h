/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raises delivered piece by piece: a demand of any length, of which never more than a piece
 * is in memory. The workload beside it has what does not grow with time: the vCPUs, the
 * interrupts, and what the guest does. It is only read, so that many replays, in threads of
 * their own, can share it; each of them needs a feed of its own, for it reads it to its end.
 *
 * Where a workload for a feed is made differently from a derived one:
 * - The handlings of a source (vgic_source.first_script) may follow one another in a ring
 *   (the last one's .next is the first): they come again and again.
 * - An operation of a handler that has VGIC_OP_REPEAT has its effects only while the feed goes
 *   on: so it may raise its own interrupt again (a closed loop).
 * - A vCPU's own program may have VGIC_OP_REPEAT in its last operation. While the feed goes
 *   on the program begins again after it, with its own time at 0.
 * - A vCPU whose program is over, or has no operation, stays in the guest and idles while the
 *   feed goes on. One without a program (vgic_wl_vcpu.background) never runs.
 * - Handlings that did not take place (vgic_cell.unhandled) are not counted.
 * Effects of the guest's own doing (lines that a handler lowers at an exit, SGIs) are effects
 * of operations, as always; an operation that comes again has them again.
 */
#ifndef VGICSIM_FEED_H
#define VGICSIM_FEED_H

#include <stdint.h>

/* Most raises of a piece. */
#define VGIC_FEED_PIECE 256u

struct vgic_arrival {
	uint64_t time;	 /* ns from the start; not before the arrival delivered before it */
	uint32_t source; /* which interrupt: index of the workload's sources */
	uint16_t vcpu;	 /* SGI: the sender */
	/* VGIC_EFFECT_LINE, _LATCH (MSI), _SGI, or _NONE: nothing, the feed goes on until then */
	uint8_t kind;
	uint8_t level; /* LINE: high or low, 1 for an edge; SGI: group 1 is allowed */
};

struct vgic_feed {
	void *opaque;
	/*
	 * Writes the next raises, n at most, in the order of their times. Their number; 0: that
	 * was all; or a negative errno, with which the replay then ends. Not called again after 0
	 * or an error.
	 */
	int (*next)(void *opaque, struct vgic_arrival *to, unsigned int n);
};

#endif
