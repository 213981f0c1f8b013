/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which LPI an MSI is. A record names device and event, the ITS's tables are not
 * recorded: an LPI that is found pending for no known reason is the oldest MSI
 * that is not yet accounted for, and from then on the LPI of this device and event.
 */
#ifndef VGICSIM_MSI_MAP_H
#define VGICSIM_MSI_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSI_WAITS 64u

struct msi_wait {
	uint32_t devid, eventid;
	uint64_t time;
	uint32_t cookie; /* the caller's */
};

struct msi_known {
	uint32_t devid, eventid, lpi;
};

struct msi_map {
	struct msi_known *known;
	size_t nr_known, cap_known;
	struct msi_wait wait[MSI_WAITS];
	unsigned int nr_wait;
};

/* Frees; fine on a zeroed structure, which is an empty map. */
void msi_map_finish(struct msi_map *m);

/* The number that msi_map_claim() was given. */
bool msi_map_find(const struct msi_map *m, uint32_t devid, uint32_t eventid, uint32_t *lpi);

/* An MSI of which msi_map_find() knows nothing. Of too many the oldest is forgotten. */
void msi_map_wait(struct msi_map *m, const struct msi_wait *msi);

/*
 * The oldest MSI was lpi; each one of the same device and event is told of, the
 * oldest first. 1, or 0 if none waits, or -ENOMEM.
 */
int msi_map_claim(struct msi_map *m, uint32_t lpi,
		  void (*each)(void *opaque, const struct msi_wait *msi), void *opaque);

#endif
