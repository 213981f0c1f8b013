/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far a guest's trace clock is from the clock of the recorded host. A handler of the guest
 * begins and ends while its vCPU is in the guest, with something in its list registers: only few
 * distances put all of them there.
 */
#ifndef VGICSIM_GUEST_SYNC_H
#define VGICSIM_GUEST_SYNC_H

#include <stddef.h>
#include <stdint.h>

/* A stay in the guest that began with list registers in use: ns of the host's clock. */
struct vgic_guest_run {
	uint64_t entry, exit;
};

/* Those of one vCPU, in the order of time; they do not overlap. */
struct vgic_guest_runs {
	const struct vgic_guest_run *run;
	size_t n;
};

/* A handler's begin: ns of the guest's clock. */
struct vgic_guest_moment {
	uint64_t time;
	uint16_t vcpu;
};

/* Fewer moments than this say nothing. */
#define VGIC_GUEST_SYNC_LEAST 16u

struct vgic_guest_sync {
	int64_t offset;	   /* ns: host's clock minus guest's, in the middle between the two: */
	int64_t low, high; /* with both, as many moments are in a run */
	uint64_t inside;   /* moments in a run */
	uint64_t covered;  /* moments between the first run and the last, of their vCPUs */
	uint64_t second;   /* in a run at the next best offset, 10 ms away or more */
};

/* Counts how many moments an offset puts where: inside and covered of s, the rest stays. */
void vgic_guest_sync_count(const struct vgic_guest_runs *runs, size_t nr_vcpus,
			   const struct vgic_guest_moment *moments, size_t n, int64_t offset,
			   struct vgic_guest_sync *s);

/*
 * Finds the offset. 0; -ENODATA: there are too few moments, or no runs of their vCPUs; -ENOTUNIQ:
 * less than 99 % of those covered are in a run, or another offset is nearly as good (s is filled
 * in); -ENOMEM. While it works it takes 64 bytes for each run, 32 MiB at least.
 */
int vgic_guest_sync_find(const struct vgic_guest_runs *runs, size_t nr_vcpus,
			 const struct vgic_guest_moment *moments, size_t n,
			 struct vgic_guest_sync *s);

#endif
