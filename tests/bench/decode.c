// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast are recordings decoded, and how fast could they be? The reader, with one thread
 * and with more, against Zstandard alone on the same frames, in turns within one run:
 *
 *	decode [--json] [THREADS [ROUNDS]] FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>
#include <vgicsim/recording.h>
#include "format.h"
#include "sample.h"

struct file {
	const char *path;
	unsigned char *data;
	size_t size;
	uint64_t raw, stored, frames, records;
};

struct best {
	double zstd, one, many; /* seconds, the shortest of all rounds */
};

static double clock_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void keep_best(double *best, double seconds)
{
	if (!*best || seconds < *best)
		*best = seconds;
}

static void die(const char *path, const char *what)
{
	fprintf(stderr, "decode: %s: %s\n", path, what);
	exit(1);
}

/* Every frame of records, and nothing but the decompression. */
static void zstd_alone(struct file *f, ZSTD_DCtx *zstd, void *to)
{
	size_t at = sizeof(struct format_head);
	struct format_frame h;

	f->raw = f->stored = f->frames = f->records = 0;
	for (; at + sizeof(h) <= f->size; at += sizeof(h) + h.stored_size) {
		memcpy(&h, f->data + at, sizeof(h));
		if (h.magic != FORMAT_FRAME_MAGIC || h.stored_size > f->size - at - sizeof(h))
			break;
		if (h.kind != FORMAT_DATA)
			continue;
		if (ZSTD_decompressDCtx(zstd, to, VGR_MAX_FRAME, f->data + at + sizeof(h),
					h.stored_size) != h.raw_size)
			die(f->path, "a frame does not decompress");
		f->raw += h.raw_size;
		f->stored += h.stored_size;
		f->records += h.records;
		f->frames++;
	}
}

static double reader(const struct file *f, unsigned int threads, clockid_t clock)
{
	const struct vgr_reader_opts opts = {.threads = threads};
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	double start;
	uint64_t n;
	int err;

	if (vgr_reader_open_memory(&r, f->data, f->size, &opts, NULL))
		die(f->path, "not a recording");
	/* Once for the memory, then for the clock. */
	for (int i = 0; i < 2; i++) {
		start = clock_s(clock);
		vgr_reader_rewind(r);
		for (n = 0; (err = vgr_reader_next(r, &rec)) > 0; n++)
			;
		if (err || n != f->records)
			die(f->path, "does not read to its end");
	}
	start = clock_s(clock) - start;
	vgr_reader_close(r);
	return start;
}

int main(int argc, char **argv)
{
	unsigned int threads = 2, rounds = 5, i;
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	void *to = malloc(VGR_MAX_FRAME);
	bool json = false;
	int at = 1;

	if (at < argc && !strcmp(argv[at], "--json")) {
		json = true;
		at++;
	}
	if (at < argc && atoi(argv[at]) > 0)
		threads = (unsigned int)atoi(argv[at++]);
	if (at < argc && atoi(argv[at]) > 0)
		rounds = (unsigned int)atoi(argv[at++]);
	if (!zstd || !to || at == argc)
		die("usage", "decode [--json] [THREADS [ROUNDS]] FILE...");
	if (!json)
		printf("%-40s %9s %7s %7s %11s %11s %7s %7s\n", "recording", "records", "MB",
		       "ratio", "zstd MB/s", "decode MB/s", "one", "many");
	for (; at < argc; at++) {
		struct file f = {.path = argv[at]};
		struct best best = {0};
		double mb, start;

		f.data = sample_load(f.path, &f.size);
		if (!f.data)
			die(f.path, "cannot be read");
		for (i = 0; i < rounds; i++) {
			start = clock_s(CLOCK_THREAD_CPUTIME_ID);
			zstd_alone(&f, zstd, to);
			keep_best(&best.zstd, clock_s(CLOCK_THREAD_CPUTIME_ID) - start);
			keep_best(&best.one, reader(&f, 1, CLOCK_THREAD_CPUTIME_ID));
			keep_best(&best.many, reader(&f, threads, CLOCK_MONOTONIC));
		}
		if (!f.frames)
			die(f.path, "holds no records");
		mb = (double)f.raw * 1e-6;
		if (json)
			printf("{\"file\": \"%s\", \"records\": %lu, \"raw_bytes\": %lu, "
			       "\"stored_bytes\": %lu, \"zstd_mb_s\": %.1f, \"decode_mb_s\": %.1f, "
			       "\"threads\": %u, \"one_to_zstd\": %.3f, \"many_to_zstd\": %.3f}\n",
			       f.path, (unsigned long)f.records, (unsigned long)f.raw,
			       (unsigned long)f.stored, mb / best.zstd, mb / best.one, threads,
			       best.zstd / best.one, best.zstd / best.many);
		else
			printf("%-40s %9lu %7.1f %7.1f %11.0f %11.0f %6.0f%% %6.0f%%\n", f.path,
			       (unsigned long)f.records, mb, (double)f.raw / (double)f.stored,
			       mb / best.zstd, mb / best.one, 100 * best.zstd / best.one,
			       100 * best.zstd / best.many);
		free(f.data);
	}
	free(to);
	ZSTD_freeDCtx(zstd);
	return 0;
}
