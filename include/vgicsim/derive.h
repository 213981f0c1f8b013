/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recording to workload. Records go in one by one, in file order; a workload
 * comes out at the end. The host sees in which run of the guest an interrupt was
 * acknowledged or deactivated, not at which instant: the estimator that places
 * the instants, and the bounds that it keeps, are described in vgicsim-model(7).
 */
#ifndef VGICSIM_DERIVE_H
#define VGICSIM_DERIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/records.h>
#include <vgicsim/workload.h>

#define VGIC_ESTIMATOR "paced-1"

struct vgic_derive_config {
	unsigned int nr_lr;	/* recorded, 1 to 16, on a GICv2 host to 64 */
	bool gicv2;		/* of a GICv2 host */
	bool model_v2;		/* the guest programs a GICv2; its records are decoded (decode.h) */
	unsigned int pre_bits;	/* 5 to 7; 0: 5 */
	unsigned int prio_bits; /* pre_bits to 8; 0: 5 */
	uint16_t vm;		/* of the recording; the others are left out */
	bool eager_vmcr;	/* the recorded kernel read VMCR back at every exit (6.19 on) */
	uint64_t switch_ns;	/* of each run, not guest's: vgic_profile */
	struct vgic_calibration *calibration; /* told of this recording too; NULL: of its own */
	const struct vgic_store *store; /* of the workload, until that is gone; NULL: malloc() */
};

/* What the derivation saw and could not use; all 0 in a good recording. */
struct vgic_derive_stats {
	uint64_t runs;	 /* guest runs read */
	uint64_t forced; /* acknowledges that the model CPU interface would not have given */
	uint64_t unseen; /* priority drops put in because a later acknowledge needs them */
	uint64_t cut;	 /* lists that were not whole */
	uint64_t lost;	 /* records that the recorder lost */
};

struct vgic_derive;

/* 0, -EINVAL or -ENOMEM. */
int vgic_derive_create(struct vgic_derive **d, const struct vgic_derive_config *cfg);
void vgic_derive_destroy(struct vgic_derive *d);

/* 0 or -ENOMEM. */
int vgic_derive_record(struct vgic_derive *d, const struct vgr_rec *rec);

/*
 * Ends the recording and gives the workload to the caller; d is only good for
 * vgic_derive_stats() and destroying afterwards. 0, -ENODATA (no vCPU ever
 * entered the guest) or -ENOMEM.
 */
int vgic_derive_finish(struct vgic_derive *d, struct vgic_workload **wl);

void vgic_derive_stats(const struct vgic_derive *d, struct vgic_derive_stats *stats);

#endif
