// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "exit.h"
#include "output.h"
#include "replay_input.h"
#include "replays.h"

int replay_input_open(struct replay_input *in, const char *path)
{
	memset(in, 0, sizeof(*in));
	in->path = path;
	if (vgw_probe(path)) {
		in->file = demand_open(path);
		in->header = in->file ? &in->file->header : NULL;
	} else {
		in->reader = cli_open_pairs(path);
		in->header = in->reader ? vgr_reader_header(in->reader) : NULL;
	}
	if (!in->header)
		return EXIT_INPUT;
	if (in->header->nr_lr < 1 || in->header->nr_lr > REPLAYS_MAX_LRS)
		return cli_fail(EXIT_INPUT, "unknown number of list registers: %s: record it again",
				path);
	return EXIT_OK;
}

int replay_input_window(struct replay_input *in, struct demand_window *window)
{
	int code;

	memset(window, 0, sizeof(*window));
	if (in->file) {
		*window = demand_file_window(in->file);
		return EXIT_OK;
	}
	code = demand_find_window(window, in->path, in->reader, demand_vm(in->header));
	if (!code && vgr_reader_rewind(in->reader))
		code = cli_fail_recording(in->path, vgr_reader_error(in->reader));
	return code;
}

static int read_recording(struct replay_input *in, const struct vgic_policy *policy,
			  const struct demand_wishes *wishes)
{
	int code = demand_read(&in->demand, in->path, in->reader, policy, wishes);

	if (code)
		return code;
	cli_recording_ending(in->path, in->reader);
	in->hash = vgr_reader_identity(in->reader);
	/* It is kept for what its header says. */
	vgr_reader_rest(in->reader);
	return EXIT_OK;
}

/* All of that was done when the workload was derived. */
static int take_workload(struct replay_input *in, const struct demand_wishes *wishes)
{
	const struct vgic_timeline *tl = &in->demand.recorded.timeline;

	in->hash = in->file->identity;
	if (demand_take(&in->demand, in->file))
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	/* Of the recording nothing else was kept. */
	if (!wishes || !wishes->timeline || tl->t0 != wishes->t0 || tl->t1 != wishes->t1)
		in->demand.recorded.has_timeline = false;
	return EXIT_OK;
}

int replay_input_read(struct replay_input *in, const struct vgic_policy *policy,
		      const struct demand_wishes *wishes)
{
	return in->file ? take_workload(in, wishes) : read_recording(in, policy, wishes);
}

bool replay_input_hash(const struct replay_input *in, uint64_t *hash)
{
	*hash = in->file		 ? in->file->identity
		: in->header->unfinished ? 0
					 : vgr_reader_identity(in->reader);
	return in->file || !in->header->unfinished;
}

bool replay_input_has_recorded(const struct replay_input *in)
{
	return !in->file || in->file->has_recorded;
}

void replay_input_describe(const struct replay_input *in, struct vgic_result *r)
{
	r->file = in->path;
	r->hash = in->hash;
	r->derived = in->file;
	r->derived_from = in->file ? in->file->recording : 0;
	r->kernel = in->header->kernel_release;
	r->cpu = in->header->cpu_part;
	r->guest = in->header->guest_command;
	r->nr_lr = in->header->nr_lr;
	r->pairs = in->demand.pairs;
	r->lost = in->demand.derived.lost;
	r->duration_ns = in->demand.workload->duration_ns;
	r->recorded = replay_input_has_recorded(in) ? &in->demand.recorded : NULL;
}

void replay_input_finish(struct replay_input *in)
{
	demand_finish(&in->demand);
	vgr_reader_close(in->reader);
	vgw_free(in->file);
	memset(in, 0, sizeof(*in));
}
