/* SPDX-License-Identifier: GPL-2.0-only */
/* Demands between memory and workload files, and the window that their time lines show. */
#ifndef VGICSIM_CLI_DEMAND_FILE_H
#define VGICSIM_CLI_DEMAND_FILE_H

#include <jansson.h>
#include <vgicsim/workload_file.h>
#include "demand.h"

/* Length of the stretch that a time line shows unless another one is asked for. */
#define DEMAND_WINDOW_NS 5000000u

struct demand_window {
	bool found; /* false: no list register was ever used */
	uint16_t vcpu;
	uint64_t t0, t1; /* ns from the start */
};

/*
 * Reads r to its end: where most happens. Prints the line and gives an exit code
 * other than EXIT_OK if it cannot.
 */
int demand_find_window(struct demand_window *w, const char *path, struct vgr_reader *r,
		       uint16_t vm);

/* The same from a workload. */
struct demand_window demand_file_window(const struct vgw *w);

/* Opens a workload; prints the line and gives NULL if it cannot. */
struct vgw *demand_open(const char *path);

/* Moves the demand of w to d. 0 or -ENOMEM. */
int demand_take(struct demand *d, struct vgw *w);

/* What is in a workload, as a few lines or as members of a JSON object. */
void demand_print(const char *path, const struct vgw *w);
json_t *demand_json(const char *path, const struct vgw *w);

/* 'check' and 'info' of a workload: exit codes. */
int demand_check_file(const char *path, bool json, bool quiet);
int demand_info_file(const char *path, bool json);

#endif
