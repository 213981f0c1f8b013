/* SPDX-License-Identifier: GPL-2.0-only */
/* What Zstandard alone takes for a recording: the measure of how fast a reader can be. */
#ifndef VGICSIM_INFLATE_H
#define VGICSIM_INFLATE_H

#include <stdint.h>

#include <vgicsim/recording.h>

struct vgr_inflate;

/* The file goes into memory. 0 or a negative errno; err may be NULL. */
int vgr_inflate_open(struct vgr_inflate **i, const char *path, struct vgr_error *err);
void vgr_inflate_close(struct vgr_inflate *i); /* NULL is fine */

/*
 * Decompresses every frame of records, up to the first that is not sound, and throws it away.
 * Nothing is checked or made of it. Adds to records and bytes (as decompressed). 0, or
 * VGR_EDAMAGED if what is there does not decompress.
 */
int vgr_inflate_pass(struct vgr_inflate *i, uint64_t *records, uint64_t *bytes);

#endif
