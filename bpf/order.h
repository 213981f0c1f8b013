/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes the records out of the rings of all CPUs, puts them in the order of time and finds the
 * ones that are missing: in a ring records stand in the order of their numbers, so a gap is a loss.
 */
#ifndef VGICSIM_BPF_ORDER_H
#define VGICSIM_BPF_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include <vgicsim/capture.h>

/*
 * ns from the moment at which a record takes its time to that at which its room is taken, mostly a
 * few hundred. What takes longer is handed on late, behind records of other CPUs.
 */
#define VGIC_ORDER_SLACK 2000000

struct vgic_order;

/* areas: nr_cpus times CPU_AREA(ring) bytes, as bpf/shared.h says; stays with the caller. */
int vgic_order_create(struct vgic_order **o, void *areas, uint32_t nr_cpus, uint32_t ring);
void vgic_order_destroy(struct vgic_order *o);

/*
 * Hands on what was recorded before this time, and a VGR_LOSS where something is missing. Returns
 * the bytes taken from the ring from which most was taken, -EPROTO for what is no record, or what
 * sink returned.
 */
int64_t vgic_order_consume(struct vgic_order *o, uint64_t before, vgic_capture_sink *sink,
			   void *ctx);

/* All that is left, when nothing is recorded any more, and what is missing at the ends. */
int vgic_order_finish(struct vgic_order *o, vgic_capture_sink *sink, void *ctx);

/* Records of a CPU that came out of its ring. */
uint64_t vgic_order_handled(const struct vgic_order *o, uint32_t cpu);

#endif
