/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workloads on disk (.vgw): a demand, and all that a replay of it needs beside it,
 * without the recording it was derived from. vgicsim-workload(5) has the layout.
 *
 * Every int function returns 0 or a negative errno; of the codes of
 * <vgicsim/recording.h> VGR_ENOTREC means "no workload at all".
 */
#ifndef VGICSIM_WORKLOAD_FILE_H
#define VGICSIM_WORKLOAD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <vgicsim/derive.h>
#include <vgicsim/metrics.h>
#include <vgicsim/recording.h>
#include <vgicsim/workload.h>

/* Version of the layout that this library writes, and the newest it reads. */
#define VGW_VERSION 1

/* No time in a workload is longer, ns (104 days): sums of some hundreds stay whole. */
#define VGW_MAX_NS (1ull << 53)

/* Most vCPUs; KVM's bound for a GICv3. */
#define VGW_MAX_VCPUS 512u

struct vgw {
	/* The recording. */
	struct vgr_header header; /* its description; no totals */
	uint64_t recording;	  /* its identity */
	enum vgr_ending ending;	  /* how it ended */
	uint16_t vm;		  /* which of its virtual machines */
	uint64_t pairs;		  /* flush/sync pairs of all of them */
	/* The derivation. */
	char tool[64];	    /* "vgicsim 0.1.0" */
	char estimator[32]; /* VGIC_ESTIMATOR */
	char policy[256];   /* by whose rules the recording was read */
	struct vgic_derive_stats derived;
	/* The stretch with most to see, for time lines: vCPU, ns from the start. */
	bool has_window;
	uint16_t window_vcpu;
	uint64_t window_t0, window_t1;
	/* Its fruit. Capacities (cap_*) are 0. */
	struct vgic_workload workload;
	/* The recording's own numbers, with the time line of the window. */
	bool has_recorded;
	struct vgic_cell recorded;
	/* Set by the reader. */
	uint16_t version;
	uint64_t identity; /* xxh64 that names the content of the file */
	uint64_t bytes;	   /* of the file */
	uint32_t frames;
};

/*
 * May a replay trust it? Every index points to something that is there, chains end
 * and share no element, enumerations and times are in their ranges, a background has
 * no end. What a reader gives has passed, and a writer refuses everything else. err
 * says what is wrong (offset 0). 0, VGR_EFORGED or -ENOMEM.
 */
int vgw_validate(const struct vgw *w, struct vgr_error *err);

struct vgw_writer_opts {
	int level;  /* zstd level 1 to 22; 0 = 6 */
	bool plain; /* nothing is compressed */
};

/*
 * The bytes of the file, to be freed. The same workload gives the same bytes. opts may
 * be NULL. -EINVAL for values outside their ranges, as vgw_validate(), or -EFBIG.
 */
int vgw_encode(const struct vgw *w, const struct vgw_writer_opts *opts, void **data, size_t *size,
	       struct vgr_error *err);

/*
 * Writes the file to f, frame by frame; f must stand at its beginning and be able to go back
 * to it. As vgw_encode(), -ESPIPE if f cannot go back, or what writing reports.
 */
int vgw_write(FILE *f, const struct vgw *w, const struct vgw_writer_opts *opts,
	      struct vgr_error *err);

/*
 * A demand whose scripts, operations and effects are made when they are written, n at a time
 * from the first on: of any length, and never in memory whole.
 */
struct vgw_elements {
	const void *opaque;
	uint64_t nr_scripts, nr_ops, nr_effects;
	void (*scripts)(const void *opaque, uint64_t first, uint32_t n, struct vgic_script *to);
	void (*ops)(const void *opaque, uint64_t first, uint32_t n, struct vgic_op *to);
	void (*effects)(const void *opaque, uint64_t first, uint32_t n, struct vgic_effect *to);
};

/*
 * Writes the file to f, which must stand at its beginning and be able to go back to it. What
 * w->workload has of scripts, operations and effects is ignored. The caller answers for the
 * elements: vgw_validate() does not see them. -EINVAL for values outside their ranges, -EFBIG,
 * -ENOMEM, -ESPIPE if f cannot go back, or what writing reports.
 */
int vgw_write_elements(FILE *f, const struct vgw *w, const struct vgw_elements *e,
		       const struct vgw_writer_opts *opts, struct vgr_error *err);

/* True if the file begins as a workload does: a file for this reader, whatever its name. */
bool vgw_probe(const char *path);

/* store: of the workload, until w is freed; NULL: malloc(). err may be NULL. */
int vgw_read(struct vgw **w, const char *path, const struct vgic_store *store,
	     struct vgr_error *err);
int vgw_read_memory(struct vgw **w, const void *data, size_t size, struct vgr_error *err);

/*
 * Frees; NULL is fine. A caller that takes workload or recorded over
 * (vgic_workload_destroy(), vgic_cell_finish()) zeroes them here.
 */
void vgw_free(struct vgw *w);

#endif
