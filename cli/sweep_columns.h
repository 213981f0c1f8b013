/* SPDX-License-Identifier: GPL-2.0-only */
/* The numbers of a cell that have a column of their own, in the database and as CSV. */
#ifndef VGICSIM_CLI_SWEEP_COLUMNS_H
#define VGICSIM_CLI_SWEEP_COLUMNS_H

#include <stddef.h>
#include <jansson.h>

struct sweep_column {
	const char *name;
	const char *path; /* where it stands in the cell: members with '/' between */
};

/* The table; NULL from the end on. */
const struct sweep_column *sweep_column_at(size_t index);

/* Integer, string or null as it stands in the cell; NULL if it is not there. Borrowed. */
const json_t *sweep_column_get(const struct sweep_column *c, const json_t *cell);
const json_t *sweep_member(const json_t *o, const char *path);

#endif
