/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "msi_map.h"

void msi_map_finish(struct msi_map *m)
{
	free(m->known);
	memset(m, 0, sizeof(*m));
}

bool msi_map_find(const struct msi_map *m, uint32_t devid, uint32_t eventid, uint32_t *lpi)
{
	for (size_t i = 0; i < m->nr_known; i++) {
		if (m->known[i].devid != devid || m->known[i].eventid != eventid)
			continue;
		*lpi = m->known[i].lpi;
		return true;
	}
	return false;
}

void msi_map_wait(struct msi_map *m, const struct msi_wait *msi)
{
	if (m->nr_wait == MSI_WAITS) {
		memmove(m->wait, m->wait + 1, (MSI_WAITS - 1) * sizeof(m->wait[0]));
		m->nr_wait--;
	}
	m->wait[m->nr_wait++] = *msi;
}

int msi_map_claim(struct msi_map *m, uint32_t lpi,
		  void (*each)(void *opaque, const struct msi_wait *msi), void *opaque)
{
	const struct msi_wait first = m->wait[0];
	unsigned int kept = 0;

	if (!m->nr_wait)
		return 0;
	if (m->nr_known == m->cap_known) {
		size_t cap = m->cap_known ? m->cap_known * 2 : 16;
		struct msi_known *p = realloc(m->known, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		m->known = p;
		m->cap_known = cap;
	}
	m->known[m->nr_known++] = (struct msi_known){first.devid, first.eventid, lpi};
	for (unsigned int i = 0; i < m->nr_wait; i++) {
		if (m->wait[i].devid == first.devid && m->wait[i].eventid == first.eventid)
			each(opaque, &m->wait[i]);
		else
			m->wait[kept++] = m->wait[i];
	}
	m->nr_wait = kept;
	return 1;
}
