// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flight recorder writes is a recording like others. Out of every recording below a
 * folder pieces are cut at places drawn with a fixed seed: each passes check, and verify says of
 * it what it says of the whole; the demand of each can be derived. TAP, a line for each folder.
 * Usage: cuts DIR
 * Or one recording, as 'vgicsim record --trigger' would have written it, from another one:
 *	cuts RECORDING CONDITION OUTPUT [BEFORE_MS AFTER_MS [COUNT]]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vgicsim/check.h>
#include <vgicsim/derive.h>
#include <vgicsim/ring.h>
#include <vgicsim/verify.h>
#include "condition.h"
#include "flight.h"
#include "sample.h"
#include "verify_machine.h"

#define CUTS 4u

struct folder {
	unsigned int recordings, cuts, bad;
	uint64_t pairs;
};

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

/* ---- one piece ---- */

static void first_finding(void *ctx, const struct vgr_finding *f)
{
	char *what = ctx;

	if (!what[0])
		snprintf(what, sizeof(f->what) + 40, "record %llu: %s",
			 (unsigned long long)f->record, f->what);
}

/* A line of why not, or NULL. */
static const char *check(struct vgr_reader *r)
{
	static char what[300];
	struct vgr_check_result res;

	what[0] = '\0';
	if (vgr_check(r, first_finding, what, &res))
		return "cannot be read";
	if (res.ending != VGR_END_WHOLE)
		return "is not whole";
	return res.total_findings ? what : NULL;
}

static void judge(struct vgr_reader *r, const struct vgic_policy *policy,
		  struct vgic_verify_totals *totals)
{
	struct vgic_verify_config cfg = verify_machine(vgr_reader_header(r), policy);
	const struct vgr_rec *rec;
	struct vgic_verify *v;

	if (vgr_reader_rewind(r) || vgic_verify_create(&v, &cfg))
		abort();
	while (vgr_reader_next(r, &rec) > 0)
		if (vgic_verify_record(v, rec))
			abort();
	if (vgic_verify_finish(v))
		abort();
	*totals = *vgic_verify_totals(v);
	vgic_verify_destroy(v);
}

static const char *derive(struct vgr_reader *r)
{
	const struct vgr_header *h = vgr_reader_header(r);
	struct vgic_derive_config cfg = {
		.nr_lr = h->nr_lr,
		.gicv2 = h->gic_host == 2,
		.model_v2 = h->gic_host == 2 || h->vgic_model == 2,
		.pre_bits = h->pre_bits,
		.prio_bits = h->pri_bits,
	};
	struct vgic_derive_stats stats;
	struct vgic_workload *wl;
	const struct vgr_rec *rec;
	struct vgic_derive *d;
	int ret;

	if (vgr_reader_rewind(r) || vgic_derive_create(&d, &cfg))
		abort();
	while (vgr_reader_next(r, &rec) > 0)
		if (vgic_derive_record(d, rec))
			abort();
	ret = vgic_derive_finish(d, &wl);
	vgic_derive_stats(d, &stats);
	if (!ret)
		vgic_workload_destroy(wl);
	vgic_derive_destroy(d);
	return ret && ret != -ENODATA ? "cannot be derived" : NULL;
}

static const char *try_cut(struct vgr_ring *ring, uint64_t from, const struct vgr_header *h,
			   const struct vgic_policy *policy, bool right, bool sound,
			   struct folder *folder)
{
	struct vgic_verify_totals totals;
	const struct vgr_rec *rec;
	struct vgr_writer *w;
	struct vgr_reader *r;
	const char *why;
	char path[64];

	if (sample_temp(path, sizeof(path)) || vgr_writer_create(&w, path, h, NULL) ||
	    vgr_ring_cut(ring, from))
		abort();
	while (vgr_ring_next(ring, &rec) > 0)
		if (vgr_writer_put(w, rec))
			abort();
	if (vgr_writer_finish(w, NULL) || vgr_reader_open(&r, path, NULL, NULL))
		abort();
	vgr_writer_destroy(w);
	why = check(r);
	if (!sound)
		why = NULL;
	judge(r, policy, &totals);
	if (!why && right && totals.mismatches)
		why = "mismatches where the whole has none";
	if (!why)
		why = derive(r);
	folder->pairs += totals.pairs;
	vgr_reader_close(r);
	unlink(path);
	return why;
}

/* ---- one recording ---- */

static void try_recording(const char *path, const char *name, struct folder *folder)
{
	struct vgic_verify_totals totals;
	const struct vgic_policy *policy;
	uint64_t records, from, times[CUTS], ends[CUTS];
	const struct vgr_rec *rec;
	const struct vgr_header *h;
	struct vgr_ring *ring;
	struct vgr_reader *r;
	const char *why;
	uint64_t number = 0;
	unsigned int i;
	bool sound;

	if (vgr_reader_open(&r, path, NULL, NULL))
		return;
	h = vgr_reader_header(r);
	policy = vgic_policy_find(h->policy);
	if (!policy || !h->has_totals) {
		vgr_reader_close(r);
		return;
	}
	sound = !check(r);
	judge(r, policy, &totals);
	records = h->totals.records;
	folder->recordings++;
	for (i = 0; i < CUTS; i++) {
		uint64_t span = h->totals.last_time - h->totals.first_time;

		/* The last piece is all that the memory has. */
		ends[i] = records * (i + 1) / CUTS;
		from = draw(1000) * (span / 1000 + 1) / (i + 2);
		times[i] = h->totals.first_time + span * (i + 1) / CUTS;
		times[i] = i == CUTS - 1 || times[i] < from ? 0 : times[i] - from;
	}
	if (vgr_ring_create(&ring, VGR_RING_MIN << draw(5)) || vgr_reader_rewind(r))
		abort();
	i = 0;
	while (vgr_reader_next(r, &rec) > 0) {
		if (vgr_ring_put(ring, rec))
			abort();
		number++;
		while (i < CUTS && number >= ends[i]) {
			why = try_cut(ring, times[i], h, policy, !totals.mismatches, sound, folder);
			folder->cuts++;
			if (why) {
				folder->bad++;
				printf("# %s: piece %u to record %llu: %s\n", name, i,
				       (unsigned long long)ends[i], why);
			}
			i++;
		}
	}
	vgr_ring_destroy(ring);
	vgr_reader_close(r);
}

/* ---- folders ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(const char *dir, const char *name, unsigned int *n, unsigned int *bad)
{
	struct folder folder = {0};
	struct dirent **list;
	char path[4096];
	struct stat st;
	int i, entries = scandir(dir, &list, NULL, by_name);

	for (i = 0; i < entries; i++) {
		const char *entry = list[i]->d_name, *dot = strrchr(entry, '.');

		snprintf(path, sizeof(path), "%s/%s", dir, entry);
		if (entry[0] != '.' && !stat(path, &st)) {
			if (S_ISDIR(st.st_mode))
				walk(path, entry, n, bad);
			else if (dot && !strcmp(dot, ".vgr"))
				try_recording(path, entry, &folder);
		}
		free(list[i]);
	}
	if (entries > 0)
		free(list);
	if (!folder.recordings)
		return;
	*bad += folder.bad > 0;
	printf("%sok %u - %u pieces of the %u recordings of %s (%llu pairs)\n",
	       folder.bad ? "not " : "", ++*n, folder.cuts, folder.recordings, name,
	       (unsigned long long)folder.pairs);
}

/* ---- one recording by a condition ---- */

static void print_file(void *ctx, const struct flight_file *file)
{
	char what[80];

	printf("%s: %s\n", file->path, condition_event(what, sizeof(what), &file->event));
}

static int fly(int argc, char **argv)
{
	struct vgic_condition condition;
	struct condition_error err;
	struct flight_opts opts = {
		.condition = &condition,
		.before = (argc > 5 ? strtoull(argv[4], NULL, 10) : 200) * 1000000,
		.after = (argc > 5 ? strtoull(argv[5], NULL, 10) : 50) * 1000000,
		.count = argc > 6 ? strtoull(argv[6], NULL, 10) : 1,
		.memory = 64 << 20,
		.output = argv[3],
		.whole = print_file,
	};
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct flight *f;
	int ret;

	if (condition_parse(argv[2], &condition, &err)) {
		fprintf(stderr, "cuts: column %u: %s\n", err.column, err.what);
		return 2;
	}
	if (vgr_reader_open(&r, argv[1], NULL, NULL))
		return 3;
	opts.header = vgr_reader_header(r);
	if (flight_create(&f, &opts))
		return 70;
	while (vgr_reader_next(r, &rec) > 0) {
		if (flight_take(f, rec) || flight_work(f, 0))
			return 5;
	}
	if (flight_finish(f))
		return 5;
	printf("%llu entries met it\n", (unsigned long long)flight_met(f));
	ret = flight_files(f) ? 0 : 1;
	flight_destroy(f);
	vgr_reader_close(r);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned int n = 0, bad = 0;

	if (argc > 3)
		return fly(argc, argv);
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	walk(argv[1], "recordings", &n, &bad);
	printf("1..%u\n", n);
	return bad || !n;
}
