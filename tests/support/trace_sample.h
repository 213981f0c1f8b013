/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small file of trace-cmd (version 6), written by hand in either byte order: the formats of our
 * events and of one that is none of ours, and a few runs of one vCPU. The layout of the kernel's
 * structures is a made-up one.
 */
#ifndef TESTS_TRACE_SAMPLE_H
#define TESTS_TRACE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_sample {
	bool big_endian;
	/* the file */
	unsigned char *file;
	size_t size;
	/* its records one behind the other: size (4), time (8), data, in the byte order of this
	 * machine but for the data */
	unsigned char *records;
	size_t records_size;
	char *formats[24]; /* with NULL behind the last; "system\0" "text" */
	const char *systems[24];
};

enum {
	TRACE_SAMPLE_KVM_ONLY = 1,  /* only the kvm:* tracepoints are there */
	TRACE_SAMPLE_NO_LOAD = 2,   /* nothing tells the layout */
	TRACE_SAMPLE_USELESS = 4,   /* nothing of use */
	TRACE_SAMPLE_LONG_LIST = 8, /* a list longer than an event holds */
	TRACE_SAMPLE_MISSED = 32,   /* some events were missed */
	TRACE_SAMPLE_LINES = 16,    /* lines that go up and down instead of runs */
};

/* Not enough memory ends the program. */
void trace_sample_make(struct trace_sample *s, bool big_endian, unsigned int how);
void trace_sample_free(struct trace_sample *s);

#endif
