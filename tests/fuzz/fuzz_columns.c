// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rearranged records: two bytes how many, then the columns. What decodes into sound
 * records must encode into the same bytes again.
 */
#include <stdlib.h>
#include <string.h>
#include <vgicsim/recording.h>
#include "columns.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size - 2, at = 0;
	const struct vgr_rec *rec;
	bool sound = true;
	uint8_t *raw, *again;
	uint16_t n;

	if (size < 2)
		return 0;
	memcpy(&n, data, sizeof(n));
	raw = malloc(len + 1);
	again = malloc(len + 1);
	if (columns_decode(data + 2, len, n, raw))
		goto out;
	/* Sizes add up to len, so this ends there; an odd one would misalign the rest. */
	while (sound && at < len) {
		rec = (const struct vgr_rec *)(raw + at);
		sound = !vgr_rec_validate(rec, len - at, NULL);
		at += rec->size;
	}
	if (sound && (columns_encode(raw, len, n, again) || memcmp(again, data + 2, len)))
		abort();
out:
	free(raw);
	free(again);
	return 0;
}
