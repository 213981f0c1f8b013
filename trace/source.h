/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a reader's bytes come from: a file or memory. */
#ifndef VGICSIM_TRACE_SOURCE_H
#define VGICSIM_TRACE_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <vgicsim/recording.h>

/* The file ends before what was asked for: no error by itself. */
#define CUT 1

struct source {
	int fd;
	const unsigned char *memory; /* instead of fd */
	uint64_t size;
};

/* 0, or a negative errno with *err filled. The source can be closed in either case. */
int source_open(struct source *s, const char *path, struct vgr_error *err);
void source_memory(struct source *s, const void *data, size_t size);
void source_close(struct source *s);

/* 0, CUT, or a negative errno with *err filled. */
int source_read(const struct source *s, uint64_t offset, void *to, size_t size,
		struct vgr_error *err);

#endif
