/* SPDX-License-Identifier: GPL-2.0-only */
/* Latencies as percentile distributions in the text format of HdrHistogram. */
#ifndef VGICSIM_CLI_HGRM_H
#define VGICSIM_CLI_HGRM_H

#include <stdio.h>
#include <vgicsim/metrics.h>

/* Values in us. Nothing is written of an empty one. */
void hgrm_write(FILE *f, const struct vgic_hist *h);

/*
 * Writes DIR/NAME-<latency>.hgrm for each latency that the cell knows. DIR is made
 * if it is not there. 0 or a negative errno; path is then what could not be written.
 */
int hgrm_write_cell(const char *dir, const char *name, const struct vgic_cell *c, char *path,
		    size_t size);

#endif
