// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a workload: refused with a reason, or written again with the same
 * content and replayed to an end, with few and with many list registers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <vgicsim/replay.h>
#include "../support/cells.h"
#include "fuzz.h"
#include "workload_format.h"

/* No look that was left out would have found anything. */
static void replay_thoroughly(const struct vgw *w, struct vgic_replay_config c,
			      struct vgic_cell *cell)
{
	struct vgic_cell whole;

	c.thorough = true;
	if (vgic_replay(&w->workload, &c, &whole) || cells_differ(cell, &whole))
		abort();
	vgic_cell_finish(&whole);
	vgic_cell_finish(cell);
}

static void replay(const struct vgw *w)
{
	static const char *const policies[] = {"linux-6.12", "newest"};
	struct vgic_replay_config c = {
		.seed = 1,
		.has_tdir = w->header.tdir != VGR_NO,
		.pre_bits = w->header.pre_bits,
		.prio_bits = w->header.pri_bits,
		.timeline = w->has_window,
		.timeline_vcpu = w->window_vcpu,
		.timeline_t0 = w->window_t0,
		.timeline_t1 = w->window_t1,
	};
	struct vgic_cell cell;

	for (unsigned int i = 0; i < 2; i++) {
		c.policy = vgic_policy_find(policies[i]);
		c.nr_lr = i ? 4 : 1;
		c.arrivals = i ? VGIC_ARRIVALS_CAUSAL : VGIC_ARRIVALS_DEPENDENT;
		int ret = vgic_replay(&w->workload, &c, &cell);

		if (!ret)
			replay_thoroughly(w, c, &cell);
		else if (ret != -EOVERFLOW)
			abort();
	}
}

static void read_one(const uint8_t *data, size_t size)
{
	const struct vgw_writer_opts opts = {.plain = true};
	struct vgr_error err = {0};
	struct vgw *w, *again;
	void *written;
	size_t n;

	if (vgw_read_memory(&w, data, size, &err)) {
		if (!err.what[0] || w)
			abort();
		return;
	}
	if (vgw_encode(w, &opts, &written, &n, &err) || vgw_read_memory(&again, written, n, &err) ||
	    again->workload.nr_ops != w->workload.nr_ops)
		abort();
	free(written);
	vgw_free(again);
	replay(w);
	vgw_free(w);
}

/* Checksums stop almost every mutation, so the same bytes once more with them mended. */
static void mend(uint8_t *data, size_t size)
{
	struct workload_head *head = (struct workload_head *)data;
	XXH64_state_t *identity = XXH64_createState();
	struct workload_frame f;
	uint32_t frames = 0;
	size_t at = sizeof(*head);

	XXH64_reset(identity, 0);
	while (at + sizeof(f) <= size) {
		memcpy(&f, data + at, sizeof(f));
		if (f.stored_size > size - at - sizeof(f))
			break;
		f.payload_hash = XXH64(data + at + sizeof(f), f.stored_size, 0);
		f.hash = XXH64(&f, offsetof(struct workload_frame, hash), 0);
		memcpy(data + at, &f, sizeof(f));
		XXH64_update(identity, &f.hash, sizeof(f.hash));
		at += sizeof(f) + f.stored_size;
		frames++;
	}
	if (size >= sizeof(*head)) {
		head->frames = frames;
		head->size = size;
		head->identity = XXH64_digest(identity);
		head->hash = XXH64(head, offsetof(struct workload_head, hash), 0);
	}
	XXH64_freeState(identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	read_one(data, size);
	memcpy(copy, data, size);
	mend(copy, size);
	read_one(copy, size);
	free(copy);
	return 0;
}
