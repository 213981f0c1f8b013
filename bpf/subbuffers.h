/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sub-buffers of ftrace's per-CPU ring buffers, as trace_pipe_raw gives them, and the order of time
 * among the events of all CPUs.
 */
#ifndef VGICSIM_BPF_SUBBUFFERS_H
#define VGICSIM_BPF_SUBBUFFERS_H

#include <stddef.h>
#include <stdint.h>

struct tep_record;
struct vgic_subbuffers;

/* size: bytes of a sub-buffer. 0 or -ENOMEM. */
int vgic_subbuffers_create(struct vgic_subbuffers **s, uint32_t nr_cpus, size_t size);
void vgic_subbuffers_destroy(struct vgic_subbuffers *s);

/* Where the next sub-buffer of this CPU is to be put, size bytes; NULL: no memory. */
void *vgic_subbuffers_room(struct vgic_subbuffers *s, uint32_t cpu);

/* It is there. 0, or -EPROTO: that is none. */
int vgic_subbuffers_add(struct vgic_subbuffers *s, uint32_t cpu);

/*
 * Hands on the events before this time, in the order of time; missed_events of an event says
 * how many its CPU lost before it, -1 for an unknown number. 0 or what take returned.
 */
int vgic_subbuffers_take(struct vgic_subbuffers *s, uint64_t before,
			 int (*take)(void *ctx, struct tep_record *rec), void *ctx);

/* Events of this CPU that were said to be missed, and the time of its last one. */
uint64_t vgic_subbuffers_missed(const struct vgic_subbuffers *s, uint32_t cpu);
uint64_t vgic_subbuffers_last(const struct vgic_subbuffers *s, uint32_t cpu);

#endif
