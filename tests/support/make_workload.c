// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload without compression, so that a fuzzer finds its fields, and without
 * the recorded numbers unless the third word is "whole": make_workload FROM TO [whole]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include <vgicsim/workload_file.h>

int main(int argc, char **argv)
{
	const struct vgw_writer_opts opts = {.plain = true};
	struct vgr_error error = {0};
	struct vgw *w = NULL;
	size_t size;
	void *data;
	int err;

	if (argc < 3)
		return 2;
	err = vgw_read(&w, argv[1], NULL, &error);
	if (!err && argc == 3)
		w->has_recorded = false;
	if (!err)
		err = vgw_encode(w, &opts, &data, &size, &error);
	vgw_free(w);
	if (!err) {
		err = vgic_outfile_write(argv[2], data, size);
		free(data);
	}
	if (err)
		fprintf(stderr, "make_workload: %s: %s\n", argv[1], error.what);
	return err ? 1 : 0;
}
