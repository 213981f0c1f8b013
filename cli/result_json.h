/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VGICSIM_CLI_RESULT_JSON_H
#define VGICSIM_CLI_RESULT_JSON_H

#include <jansson.h>
#include <vgicsim/result.h>

/* The whole result as a JSON value; NULL without memory. */
json_t *result_json(const struct vgic_result *r);

#endif
