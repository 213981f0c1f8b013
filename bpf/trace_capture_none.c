// SPDX-License-Identifier: GPL-2.0-only
/* Built without libtracefs: nothing is ever created that the others could be called for. */
#include <errno.h>
#include <stdio.h>
#include "trace_capture.h"

int vgic_tracefs_usable(const struct vgic_host *h, struct vgic_capture_error *err)
{
	snprintf(err->text, sizeof(err->text),
		 "this vgicsim was built without libtracefs: install libtracefs-dev and build it "
		 "again");
	return -ENOSYS;
}

int vgic_tracefs_create(struct vgic_tracefs **t, const struct vgic_host *h,
			const struct vgic_capture_opts *opts, struct vgic_capture_error *err)
{
	return vgic_tracefs_usable(h, err);
}

void vgic_tracefs_describe(const struct vgic_tracefs *t, struct vgr_header *header,
			   struct vgr_probe *probes)
{
}

int64_t vgic_tracefs_consume(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx)
{
	return -ENOSYS;
}

int vgic_tracefs_stop(struct vgic_tracefs *t, vgic_capture_sink *sink, void *ctx)
{
	return -ENOSYS;
}

uint64_t vgic_tracefs_ring(const struct vgic_tracefs *t)
{
	return 0;
}

void vgic_tracefs_cpu_counters(const struct vgic_tracefs *t, uint32_t cpu,
			       struct vgic_capture_cpu *counters)
{
}

uint32_t vgic_tracefs_nr_cpus(const struct vgic_tracefs *t)
{
	return 0;
}

uint64_t vgic_tracefs_untracked(const struct vgic_tracefs *t)
{
	return 0;
}

int vgic_tracefs_destroy(struct vgic_tracefs *t)
{
	return 0;
}
