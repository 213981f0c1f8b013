/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What live statistics (<vgicsim/stat.h>) have counted of a vCPU; and the same counted from the
 * records of a recording, by the same rules.
 */
#ifndef VGICSIM_TALLY_H
#define VGICSIM_TALLY_H

#include <stdbool.h>
#include <stdint.h>

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

typedef int vgic_stat_sink(void *ctx, const struct vgic_stat_vcpu *v);

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
