/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output files that are whole or absent: written beside their name, moved into
 * place at the end. Not for recordings, which must survive a crash half-way.
 */
#ifndef VGICSIM_OUTFILE_H
#define VGICSIM_OUTFILE_H

#include <stdio.h>

struct vgic_outfile {
	FILE *f;    /* write here */
	char *path; /* NULL: standard output */
	char *temp;
};

/*
 * path NULL or "-" is standard output. Otherwise an unnamed-looking temporary in
 * the same directory. 0 or a negative errno (open).
 */
int vgic_outfile_open(struct vgic_outfile *o, const char *path);

/*
 * Flushes, checks every write error so far, syncs and renames into place (mode
 * 0666 less the umask). 0 or a negative errno; on error the temporary is gone and
 * an older file of that name is untouched. o is finished in every case.
 */
int vgic_outfile_commit(struct vgic_outfile *o);

/* Drops what was written. Fine after a commit or on a zeroed structure. */
void vgic_outfile_abandon(struct vgic_outfile *o);

/* The same in one call: size bytes of data become path. */
int vgic_outfile_write(const char *path, const void *data, size_t size);

#endif
