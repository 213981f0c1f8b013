// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a small file of trace-cmd: make_trace FILE [WORD]...
 * big: of a big-endian machine; kvm: only kvm:* tracepoints; noload: without the event that tells
 * the layout; useless: nothing of use; long: a long list; missed: events were missed; lines: lines
 * that go up and down instead of runs; events: as the fuzzer of the translator wants it.
 */
#include <stdio.h>
#include <string.h>
#include "trace_sample.h"

static const struct {
	const char *word;
	unsigned int how;
} words[] = {
	{"kvm", TRACE_SAMPLE_KVM_ONLY},	   {"noload", TRACE_SAMPLE_NO_LOAD},
	{"useless", TRACE_SAMPLE_USELESS}, {"long", TRACE_SAMPLE_LONG_LIST},
	{"lines", TRACE_SAMPLE_LINES},	   {"missed", TRACE_SAMPLE_MISSED},
};

int main(int argc, char **argv)
{
	bool big = false, events = false, ok;
	struct trace_sample s;
	unsigned int how = 0;
	size_t k;
	FILE *f;
	int i;

	if (argc < 2)
		return 2;
	for (i = 2; i < argc; i++) {
		big |= !strcmp(argv[i], "big");
		events |= !strcmp(argv[i], "events");
		for (k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			how |= strcmp(argv[i], words[k].word) ? 0 : words[k].how;
	}
	f = fopen(argv[1], "wb");
	if (!f)
		return 1;
	trace_sample_make(&s, big, how);
	if (events)
		ok = fputc(big, f) != EOF && fwrite(s.records, s.records_size, 1, f) == 1;
	else
		ok = fwrite(s.file, s.size, 1, f) == 1;
	trace_sample_free(&s);
	return fclose(f) || !ok;
}
