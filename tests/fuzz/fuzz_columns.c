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
	static struct columns_seqs seqs;
	size_t len = size - 2, at = 0;
	const struct vgr_rec *rec;
	bool sound = true;
	uint8_t *in, *raw, *again;
	uint16_t n;

	if (size < 2)
		return 0;
	memcpy(&n, data, sizeof(n));
	in = malloc(len + COLUMNS_SLACK);
	raw = malloc(len + COLUMNS_SLACK);
	again = malloc(len + 1);
	memcpy(in, data + 2, len);
	if (columns_decode(&seqs, in, len, n, raw))
		goto out;
	/* Sizes add up to len, so this ends there; an odd one would misalign the rest. */
	while (sound && at < len) {
		rec = (const struct vgr_rec *)(raw + at);
		sound = !vgr_rec_validate(rec, len - at, NULL);
		at += rec->size;
	}
	if (!sound)
		goto out;
	columns_encode(&seqs, raw, len, n, again);
	if (memcmp(again, in, len))
		abort();
out:
	free(in);
	free(raw);
	free(again);
	return 0;
}
