// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vgicsim/recording.h>
#include "exit.h"
#include "options.h"
#include "output.h"

struct pack_values {
	bool quiet;
	const char *output;
	uint64_t level, frame;
};

#define AT(member) offsetof(struct pack_values, member)

static const struct option options[] = {
	{'o', "output", OPT_FILE, AT(output), "FILE", "where to; the file itself if left out", 0, 0,
	 NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing", 0, 0, NULL},
	{0, "level", OPT_NUMBER, AT(level), "N", "how hard to compress (19)", 1, 22, NULL},
	{0, "frame", OPT_SIZE, AT(frame), "SIZE", "records in one frame, in bytes (4M)", 4096,
	 VGR_MAX_FRAME, NULL},
	{0},
};

static const struct pack_values defaults = {.level = 19, .frame = 4 << 20};

static int copy(struct vgr_reader *r, struct vgr_writer *w, bool *reading)
{
	const struct vgr_rec *rec;
	int err;

	for (;;) {
		*reading = true;
		err = vgr_reader_next(r, &rec);
		if (err <= 0)
			return err;
		*reading = false;
		err = vgr_writer_put(w, rec);
		if (err)
			return err;
	}
}

/* Reads path, writes temp. */
static int pack(const struct pack_values *v, const char *path, const char *temp)
{
	const struct vgr_writer_opts opts = {.level = (int)v->level,
					     .frame_bytes = (uint32_t)v->frame};
	struct vgr_writer *w = NULL;
	struct vgr_reader *r;
	bool reading = false;
	int err, ret = EXIT_OK;

	r = cli_open_recording(path);
	if (!r)
		return EXIT_INPUT;
	err = vgr_writer_create(&w, temp, vgr_reader_header(r), &opts);
	if (!err)
		err = copy(r, w, &reading);
	if (err && reading) {
		ret = cli_fail_recording(path, vgr_reader_error(r));
	} else if (!err && vgr_reader_ending(r) != VGR_END_WHOLE) {
		/* Finishing it would hide that something is missing. */
		ret = cli_fail(EXIT_INPUT,
			       "its end is missing: %s: only whole recordings are packed", path);
	} else {
		reading = false;
		if (!err)
			err = vgr_writer_finish(w, &vgr_reader_header(r)->totals);
		if (err)
			ret = cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", temp, strerror(-err));
	}
	vgr_writer_destroy(w);
	vgr_reader_close(r);
	if (ret != EXIT_OK)
		unlink(temp);
	return ret;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct pack_values *v = values;
	const char *path = args->v[0], *to = v->output ? v->output : path;
	struct stat before = {0}, after = {0};
	char *temp;
	int ret;

	if (!strcmp(to, "-"))
		return cli_fail(EXIT_USAGE,
				"a recording cannot be written to standard output: -o -: "
				"give a file");
	if (asprintf(&temp, "%s.packing", to) < 0)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	(void)stat(path, &before);
	ret = pack(v, path, temp);
	if (ret == EXIT_OK && !stat(temp, &after) && rename(temp, to)) {
		ret = cli_fail(EXIT_OUTPUT, "cannot be replaced: %s: %s", to, strerror(errno));
		unlink(temp);
	}
	if (ret == EXIT_OK && !v->quiet)
		printf("%s: %" PRIu64 " -> %" PRIu64 " bytes\n", to, (uint64_t)before.st_size,
		       (uint64_t)after.st_size);
	free(temp);
	return ret == EXIT_OK ? cli_finish_stdout() : ret;
}

static const char *const examples[] = {
	"vgicsim pack run.vgr               # in place",
	"vgicsim pack -o small.vgr run.vgr",
	NULL,
};

const struct command cmd_pack = {
	.name = "pack",
	.summary = "Rewrite a recording in less space",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct pack_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
