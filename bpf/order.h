/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts the records of each CPU in the order of their numbers and finds the ones
 * that are missing. An interrupt between taking a number and taking room in the ring
 * lets two records of a CPU change places; so a gap is a loss only when it is still
 * open some rounds later.
 */
#ifndef VGICSIM_BPF_ORDER_H
#define VGICSIM_BPF_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include <vgicsim/capture.h>

/* Rounds for which a gap may be filled, and bytes that may wait for it. */
#define VGIC_ORDER_ROUNDS 3
#define VGIC_ORDER_BYTES  (32u << 20)

struct vgic_order;

int vgic_order_create(struct vgic_order **o, uint32_t nr_cpus);
void vgic_order_destroy(struct vgic_order *o);

/* Takes one record (copied if it must wait). 0, -ENOMEM, -EPROTO or what sink returned. */
int vgic_order_push(struct vgic_order *o, const struct vgr_rec *rec, vgic_capture_sink *sink,
		    void *ctx);

/* End of a round: gaps that have stood too long become losses. */
int vgic_order_round(struct vgic_order *o, vgic_capture_sink *sink, void *ctx);

/* End of all: every gap is a loss. last_seq: number last given by each CPU, nr_cpus of them. */
int vgic_order_finish(struct vgic_order *o, const uint32_t *last_seq, vgic_capture_sink *sink,
		      void *ctx);

/* Records that came after they had been declared lost; they are dropped. */
uint64_t vgic_order_late(const struct vgic_order *o);

#endif
