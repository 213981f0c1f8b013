/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics per vCPU, kept in the kernel while guests run, by the rules of
 * <vgicsim/stat_counts.h>. Only where the tool is built with BPF. Functions return 0 or a negative
 * errno unless they say otherwise.
 */
#ifndef VGICSIM_STAT_H
#define VGICSIM_STAT_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/capture.h>
#include <vgicsim/tally.h>

/* What could not be counted; all zero in any sane use. */
struct vgic_stat_missed {
	uint64_t vcpus;	 /* events of vCPUs that found no room in the tables */
	uint64_t raises; /* LPIs that found none: they count from a later flush */
	uint64_t lists;	 /* lists too long to be followed, or changed under way */
	/* Runs of a program that the kernel left out, for they came inside a run of the same one.
	 */
	uint64_t runs;
};

struct vgic_stat_opts {
	uint32_t tgid;	    /* only the VMs of this process; 0: all */
	uint32_t root_tgid; /* of this process and its descendants only; 0: all */
	uint32_t vcpus;	    /* room for so many vCPUs at a time, 1 to VGIC_STAT_MAX_VCPUS */
};

#define VGIC_STAT_MAX_VCPUS 65536u

struct vgic_stat;

/* Loads and attaches: all is counted from here on. Marks in h as vgic_capture_create() does. */
int vgic_stat_create(struct vgic_stat **s, struct vgic_host *h, const struct vgic_stat_opts *opts,
		     struct vgic_capture_error *err);
/* Counts no more; what the last exits were is as far known as it will ever be. Detaches. */
void vgic_stat_stop(struct vgic_stat *s);
/*
 * Every vCPU as it stands, those that have gone for the last time; their room is free afterwards.
 * What sink returns ends the reading if it is not 0.
 */
int vgic_stat_read(struct vgic_stat *s, vgic_stat_sink *sink, void *ctx);
void vgic_stat_missed(struct vgic_stat *s, struct vgic_stat_missed *missed);
/* NULL is fine. */
void vgic_stat_destroy(struct vgic_stat *s);

#endif
