/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture without BPF programs: dynamic events and tracepoints in a trace instance of its
 * own. What the functions of <vgicsim/capture.h> do with it; capture.c decides.
 */
#ifndef VGICSIM_BPF_TRACE_CAPTURE_H
#define VGICSIM_BPF_TRACE_CAPTURE_H

#include <vgicsim/capture.h>

struct vgic_tracefs;

int vgic_tracefs_usable(const struct vgic_host *h, struct vgic_capture_error *err);
int vgic_tracefs_create(struct vgic_tracefs **t, const struct vgic_host *h,
			const struct vgic_capture_opts *opts, struct vgic_capture_error *err);
void vgic_tracefs_describe(const struct vgic_tracefs *t, struct vgr_header *header,
			   struct vgr_probe *probes);
int64_t vgic_tracefs_consume(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx);
int vgic_tracefs_stop(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx);
uint64_t vgic_tracefs_ring(const struct vgic_tracefs *t);
void vgic_tracefs_cpu_counters(const struct vgic_tracefs *t, uint32_t cpu,
			       struct vgic_capture_cpu *counters);
uint32_t vgic_tracefs_nr_cpus(const struct vgic_tracefs *t);
uint64_t vgic_tracefs_untracked(const struct vgic_tracefs *t);

/* 0, or -EBUSY: something is left behind. NULL is fine. */
int vgic_tracefs_destroy(struct vgic_tracefs *t);

#endif
