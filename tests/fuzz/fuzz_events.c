// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as trace events, of a file in either byte order whose formats are sound. What comes
 * out must be sound records; those of the second reading as well.
 */
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <vgicsim/events.h>
#include "fuzz.h"
#include "trace_sample.h"

static struct tep_handle *teps[2];

static struct tep_handle *tep_of(bool big_endian)
{
	struct trace_sample s;
	struct tep_handle *tep;
	int i;

	if (teps[big_endian])
		return teps[big_endian];
	tep = tep_alloc();
	if (!tep)
		abort();
	tep_set_file_bigendian(tep, big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_long_size(tep, 8);
	trace_sample_make(&s, big_endian, 0);
	for (i = 0; s.formats[i]; i++) {
		if (tep_parse_event(tep, s.formats[i], strlen(s.formats[i]), s.systems[i]))
			abort();
	}
	trace_sample_free(&s);
	teps[big_endian] = tep;
	return tep;
}

static int take(void *ctx, const struct vgr_rec *rec)
{
	if (vgr_rec_validate(rec, rec->size, NULL))
		abort();
	return 0;
}

static void read_all(struct vgr_events *e, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at + 12 <= size) {
		struct tep_record rec = {0};
		uint32_t len;

		memcpy(&len, data + at, 4);
		memcpy(&rec.ts, data + at + 4, 8);
		at += 12;
		/* Two bits that the sizes of real events never need. */
		rec.missed_events = len >> 31 ? -1 : len >> 30 & 1 ? 7 : 0;
		rec.cpu = len >> 16 & 0xf;
		len &= 0xffff;
		if (len > size - at)
			len = size - at;
		rec.size = len;
		rec.data = (void *)(data + at);
		if (vgr_events_put(e, &rec))
			return;
		at += len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgr_events_opts opts = {.sink = take};
	struct vgr_probe probes[VGR_EV_END];
	struct vgr_header header;
	struct vgr_events *e;

	if (!size || vgr_events_create(&e, tep_of(data[0] & 1), &opts))
		return 0;
	read_all(e, data + 1, size - 1);
	vgr_header_init(&header);
	vgr_events_describe(e, &header, probes);
	vgr_events_again(e, take, NULL);
	read_all(e, data + 1, size - 1);
	vgr_events_destroy(e);
	return 0;
}
