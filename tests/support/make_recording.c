// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a sample recording: make_recording RUNS FILE [starve|gicv2|hostile|bare]
 * Or its records as fuzz_columns wants them: make_recording RUNS FILE columns
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "sample.h"

/* The records of the file, rearranged, instead of the file. */
static int to_columns(const char *path)
{
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	static struct columns_seqs seqs;
	char raw[65536], out[65536];
	size_t size = 0;
	uint16_t n = 0;
	FILE *f;
	int err;

	err = vgr_reader_open(&r, path, NULL, NULL);
	if (err)
		return err;
	while ((err = vgr_reader_next(r, &rec)) > 0 && size + rec->size <= sizeof(raw)) {
		memcpy(raw + size, rec, rec->size);
		size += rec->size;
		n++;
	}
	vgr_reader_close(r);
	if (err < 0)
		return -EINVAL;
	columns_encode(&seqs, raw, size, n, out);
	f = fopen(path, "wb");
	if (!f)
		return -errno;
	if (fwrite(&n, sizeof(n), 1, f) != 1 || fwrite(out, size, 1, f) != 1)
		err = -EIO;
	return fclose(f) ? -EIO : err;
}

int main(int argc, char **argv)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096};
	int err;

	if (argc < 3)
		return 2;
	if (argc > 3 && !strcmp(argv[3], "starve"))
		err = sample_starving_file(argv[2]);
	else if (argc > 3 && !strcmp(argv[3], "gicv2"))
		err = sample_gicv2_file(argv[2]);
	else if (argc > 3 && (!strcmp(argv[3], "hostile") || !strcmp(argv[3], "bare")))
		err = sample_hostile_file(argv[2], !strcmp(argv[3], "hostile"));
	else
		err = sample_file(argv[2], (unsigned int)atoi(argv[1]), &opts);
	if (!err && argc > 3 && !strcmp(argv[3], "columns"))
		err = to_columns(argv[2]);
	if (err < 0)
		fprintf(stderr, "make_recording: %s: %s\n", argv[2], strerror(-err));
	return err < 0 ? 1 : 0;
}
