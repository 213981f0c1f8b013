// SPDX-License-Identifier: GPL-2.0-only
/* Writes a sample recording: make_recording RUNS FILE [starve] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sample.h"

int main(int argc, char **argv)
{
	const struct vgr_writer_opts opts = { .frame_bytes = 4096 };
	int err;

	if (argc < 3)
		return 2;
	if (argc > 3 && !strcmp(argv[3], "starve"))
		err = sample_starving_file(argv[2]);
	else
		err = sample_file(argv[2], (unsigned int)atoi(argv[1]), &opts);
	if (err)
		fprintf(stderr, "make_recording: %s: %s\n", argv[2], strerror(-err));
	return err ? 1 : 0;
}
