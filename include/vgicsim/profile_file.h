/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine profile as a file (INI); vgicsim-profile(5) documents every key. */
#ifndef VGICSIM_PROFILE_FILE_H
#define VGICSIM_PROFILE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vgicsim/profile.h>

/* Longest file that is read, and most recordings that one can be fitted from. */
#define VGIC_PROFILE_MAX_BYTES	 (256u << 10)
#define VGIC_PROFILE_MAX_SOURCES 1000u

/* A recording that a profile was fitted from. */
struct vgic_profile_source {
	uint64_t hash;	 /* vgr_reader_identity */
	char kernel[64]; /* release, without blanks */
	char name[64];	 /* of the file, without its folder */
};

struct vgic_profile_file {
	/* [machine] */
	unsigned int gic, lrs, pre_bits, prio_bits;
	bool tdir; /* DIR can be trapped on its own */
	bool eoicount_on_split;
	char cpu[32]; /* empty: not known */
	/* [cost] and [mi] */
	struct vgic_profile profile;
	/* [fit]; a profile written by hand has none */
	bool fitted;
	char command[128];
	struct vgic_profile_source *sources;
	size_t nr_sources;
	struct vgic_fit_report report;
};

struct vgic_profile_error {
	unsigned int line; /* from 1; 0: of the whole file */
	char text[200];	   /* "what: what to do" */
};

/*
 * Text to profile. Everything but [fit] must be there; nothing may be there that is
 * not known. 0, -EINVAL (error says why) or -ENOMEM; p is finished by the caller in
 * any case.
 */
int vgic_profile_parse(struct vgic_profile_file *p, const char *text, size_t size,
		       struct vgic_profile_error *error);

/* Profile to text, for the caller to free. 0 or -ENOMEM. */
int vgic_profile_format(const struct vgic_profile_file *p, char **text, size_t *size);

/* One more recording: name and kernel as they may stand in the file. 0, -E2BIG or -ENOMEM. */
int vgic_profile_add_source(struct vgic_profile_file *p, uint64_t hash, const char *kernel,
			    const char *name);

/* Frees what p owns; fine on a zeroed structure. */
void vgic_profile_finish(struct vgic_profile_file *p);

/* Names the content: xxh64 over the text. */
uint64_t vgic_profile_hash(const char *text, size_t size);

#endif
