// SPDX-License-Identifier: GPL-2.0-only
/* The frames of a recording, decompressed for nothing. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <vgicsim/inflate.h>
#include "format.h"
#include "source.h"

struct vgr_inflate {
	char *file;
	size_t size;
	char *raw;
	ZSTD_DCtx *zstd;
};

static int read_file(struct vgr_inflate *i, const struct source *from, struct vgr_error *err)
{
	int ret;

	i->size = (size_t)from->size;
	i->file = malloc(i->size + 1);
	i->raw = malloc(VGR_MAX_FRAME);
	i->zstd = ZSTD_createDCtx();
	if (!i->file || !i->raw || !i->zstd)
		return -ENOMEM;
	ret = source_read(from, 0, i->file, i->size, err);
	if (ret != CUT)
		return ret;
	*err = (struct vgr_error){.code = -EIO, .what = "shorter than it was a moment ago"};
	return -EIO;
}

int vgr_inflate_open(struct vgr_inflate **out, const char *path, struct vgr_error *err)
{
	struct vgr_error unused;
	struct source from;
	int ret = source_open(&from, path, err ? err : &unused);

	*out = NULL;
	if (!ret) {
		*out = calloc(1, sizeof(**out));
		ret = *out ? read_file(*out, &from, err ? err : &unused) : -ENOMEM;
	}
	source_close(&from);
	if (ret) {
		vgr_inflate_close(*out);
		*out = NULL;
	}
	return ret;
}

void vgr_inflate_close(struct vgr_inflate *i)
{
	if (!i)
		return;
	ZSTD_freeDCtx(i->zstd);
	free(i->file);
	free(i->raw);
	free(i);
}

int vgr_inflate_pass(struct vgr_inflate *i, uint64_t *records, uint64_t *bytes)
{
	size_t at = sizeof(struct format_head);
	struct format_frame f;

	for (; at + sizeof(f) <= i->size; at += sizeof(f) + f.stored_size) {
		memcpy(&f, i->file + at, sizeof(f));
		if (f.magic != FORMAT_FRAME_MAGIC || f.stored_size > i->size - at - sizeof(f))
			break;
		if (f.kind != FORMAT_DATA)
			continue;
		if (ZSTD_decompressDCtx(i->zstd, i->raw, VGR_MAX_FRAME, i->file + at + sizeof(f),
					f.stored_size) != f.raw_size)
			return VGR_EDAMAGED;
		*records += f.records;
		*bytes += f.raw_size;
	}
	return 0;
}
