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

/* A member of members, '/' between their names; NULL: not there. Borrowed. */
const json_t *sweep_member(const json_t *o, const char *path);

/* All columns of a cell as one flat object, by name; NULL without memory. */
json_t *sweep_row(const json_t *cell);

#endif
