/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics per vCPU: kept in the kernel while guests run, or counted from a recording. Both by
 * the rules of <vgicsim/stat_counts.h>. Functions return 0 or a negative errno unless they say
 * otherwise.
 */
#ifndef VGICSIM_STAT_H
#define VGICSIM_STAT_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/capture.h>
#include <vgicsim/records.h>
#include <vgicsim/stat_counts.h>

/* One vCPU. VMs have numbers in order of appearance. */
struct vgic_stat_vcpu {
	uint32_t vm, vcpu;
	uint32_t tgid;
	char comm[16];
	bool gone; /* it is not there any more, and these are its last numbers */
	struct vgic_stat_counts counts; /* since the beginning */
};

/* What could not be counted; all zero in any sane use. */
struct vgic_stat_missed {
	uint64_t vcpus;	 /* events of vCPUs that found no room in the tables */
	uint64_t raises; /* LPIs that found none: they count from a later flush */
	uint64_t lists;	 /* lists too long to be followed, or changed under way */
	/* Runs of a program that the kernel left out, for they came inside a run of the same one.
	 */
	uint64_t runs;
};

typedef int vgic_stat_sink(void *ctx, const struct vgic_stat_vcpu *v);

/* ---- live; only where the tool is built with BPF ---- */

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

/* ---- from a recording ---- */

struct vgic_tally;

/* gic_host, vgic_model, nr_lr: as in its header (nr_lr not 0). */
int vgic_tally_create(struct vgic_tally **t, unsigned int gic_host, unsigned int vgic_model,
		      unsigned int nr_lr);
/* Every record, in file order and as it is in the file. 0 or -ENOMEM. */
int vgic_tally_record(struct vgic_tally *t, const struct vgr_rec *rec);
/* After the last record. By VM and vCPU; only what ran. */
int vgic_tally_finish(struct vgic_tally *t, vgic_stat_sink *sink, void *ctx);
/* NULL is fine. */
void vgic_tally_destroy(struct vgic_tally *t);

#endif
