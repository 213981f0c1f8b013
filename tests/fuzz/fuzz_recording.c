// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a recording: read both ways, check, and print. With -Dfuzzing=true this
 * is a libFuzzer target; otherwise driver.c feeds it a fixed, seeded set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <vgicsim/check.h>
#include <vgicsim/explain.h>
#include <vgicsim/invariants.h>
#include "format.h"
#include "fuzz.h"
#include "text.h"
#include "waits.h"

static FILE *null;

/* The laws of the vgic over whatever passes for records. */
static struct vgic_invariants *judge(const struct vgr_header *h)
{
	struct vgic_invariants *inv;
	struct vgic_invariants_config cfg = {
		.policy = vgic_policy_find("newest"),
		.strict = true,
		.nr_lr = h->nr_lr,
		.gicv2 = h->gic_host == 2,
		.model_v2 = h->vgic_model == 2,
		.has_mmio = true,
	};

	return vgic_invariants_create(&inv, &cfg) ? NULL : inv;
}

/* The causes of a wait add up to it whatever the records say. */
static int add_up(void *opaque, const struct vgic_wait *w)
{
	uint64_t sum = 0, told = w->left_out_ns;

	for (unsigned int i = 0; i < VGIC_CAUSES; i++)
		sum += w->cause_ns[i];
	for (unsigned int i = 0; i < w->nr_spans; i++)
		told += w->span[i].t1 - w->span[i].t0;
	if (sum != w->end_ns - w->raised_ns || told != sum)
		abort();
	waits_text(null, w);
	return 0;
}

static struct vgic_explain *explain(const struct vgr_header *h)
{
	const struct vgic_explain_config cfg = {
		.nr_lr = h->nr_lr, .gicv2 = h->gic_host == 2, .wait = add_up};
	struct vgic_explain *ex;

	return vgic_explain_create(&ex, &cfg) ? NULL : ex;
}

static void read_one(const uint8_t *data, size_t size, bool skip)
{
	const struct vgr_reader_opts opts = {.skip_damaged = skip, .threads = skip ? 3 : 1};
	struct vgr_check_result res;
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct vgic_invariants *inv;
	struct vgic_explain *ex;
	struct text_gic g;
	uint64_t n = 0;
	int err;

	if (vgr_reader_open_memory(&r, data, size, &opts, NULL))
		return;
	inv = judge(vgr_reader_header(r));
	ex = explain(vgr_reader_header(r));
	text_gic_init(&g, vgr_reader_header(r));
	while ((err = vgr_reader_next(r, &rec)) > 0) {
		if (vgr_rec_validate(rec, rec->size, NULL))
			abort();
		text_gic_note(&g, rec);
		text_record(null, &g, rec, 0, true);
		json_record(null, &g, rec, ++n);
		if (inv && vgic_invariants_record(inv, rec))
			abort();
		if (ex && vgic_explain_record(ex, rec))
			abort();
	}
	if (inv)
		vgic_invariants_finish(inv);
	vgic_invariants_destroy(inv);
	if (ex && vgic_explain_finish(ex))
		abort();
	vgic_explain_destroy(ex);
	/* An ending is known if and only if there was no error. */
	if ((err == 0) != (vgr_reader_ending(r) != VGR_END_NOT_YET))
		abort();
	vgr_reader_rewind(r);
	if (vgr_check(r, NULL, NULL, &res) == 0 && err == 0 && res.records != n)
		abort();
	vgr_reader_close(r);
}

/* Records and error of one reading in one number. */
static uint64_t digest(const uint8_t *data, size_t size, bool skip, unsigned int threads)
{
	const struct vgr_reader_opts opts = {.skip_damaged = skip, .threads = threads};
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	uint64_t sum = 0;
	int err;

	if (vgr_reader_open_memory(&r, data, size, &opts, NULL))
		return 0;
	while ((err = vgr_reader_next(r, &rec)) > 0)
		sum = XXH64(rec, rec->size, sum);
	if (err)
		sum = XXH64(vgr_reader_error(r), sizeof(struct vgr_error), sum);
	vgr_reader_close(r);
	return sum;
}

/* Checksums stop almost every mutation, so the same bytes once more with them mended. */
static void mend(uint8_t *data, size_t size)
{
	struct format_head *head = (struct format_head *)data;
	struct format_frame f;
	size_t at = sizeof(*head);

	if (size < sizeof(*head))
		return;
	head->hash = XXH64(head, offsetof(struct format_head, hash), 0);
	while (at + sizeof(f) <= size) {
		memcpy(&f, data + at, sizeof(f));
		if (f.stored_size > size - at - sizeof(f))
			break;
		f.payload_hash = XXH64(data + at + sizeof(f), f.stored_size, 0);
		f.hash = XXH64(&f, offsetof(struct format_frame, hash), 0);
		memcpy(data + at, &f, sizeof(f));
		at += sizeof(f) + f.stored_size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!null)
		null = fopen("/dev/null", "w");
	read_one(data, size, false);
	read_one(data, size, true);
	copy = malloc(size + 1);
	memcpy(copy, data, size);
	mend(copy, size);
	read_one(copy, size, false);
	read_one(copy, size, true);
	if (digest(copy, size, false, 1) != digest(copy, size, false, 2) ||
	    digest(copy, size, true, 1) != digest(copy, size, true, 3))
		abort();
	free(copy);
	return 0;
}
