/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VGICSIM_CLI_RESULT_JSON_H
#define VGICSIM_CLI_RESULT_JSON_H

#include <stdio.h>
#include <jansson.h>
#include <vgicsim/result.h>

/* What a cell's numbers do not say, in one line; empty if there is nothing. */
void result_detail(const struct vgic_cell *c, char *buf, size_t size);

/* One fate, and one cell as it stands in the result; NULL without memory. brief: empty histograms.
 */
json_t *fate_json(const struct vgic_fate *f);
json_t *cell_json(const struct vgic_cell *c, bool brief);

/*
 * Writes the cell on one line, with its histograms; brief: what cell_json() gave. Histograms are
 * most of a result, and jansson takes long for them. 0 or -ENOMEM.
 */
int cell_write(FILE *f, const struct vgic_cell *c, const json_t *brief);

/* A result without numbers: null for the recorded ones, no cell. NULL without memory. */
json_t *result_head(const struct vgic_result *r);

/* Writes such a head up to where the recorded numbers stand. -EINVAL if it is none, -ENOMEM. */
int result_write_head(FILE *f, const json_t *head);

/* The whole result on one line; whether it arrived f knows. 0 or -ENOMEM. */
int result_write(FILE *f, const struct vgic_result *r);

#endif
