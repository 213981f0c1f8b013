/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VGICSIM_CLI_RESULT_JSON_H
#define VGICSIM_CLI_RESULT_JSON_H

#include <jansson.h>
#include <vgicsim/result.h>

/* What a cell's numbers do not say, in one line; empty if there is nothing. */
void result_detail(const struct vgic_cell *c, char *buf, size_t size);

/* One cell as it stands in the result, and one fate; NULL without memory. */
json_t *cell_json(const struct vgic_cell *c);
json_t *fate_json(const struct vgic_fate *f);

/* The whole result as a JSON value; NULL without memory. */
json_t *result_json(const struct vgic_result *r);

#endif
