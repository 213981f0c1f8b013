// SPDX-License-Identifier: GPL-2.0-only
/* Nobody can tell how many threads read a recording, but by the time and the memory it took. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include "format.h"
#include "sample.h"

static char path[64];

static int make_path(void **state)
{
	return sample_temp(path, sizeof(path));
}

static int remove_path(void **state)
{
	return unlink(path);
}

/* All that can be seen of one reading. */
struct seen {
	int err;
	uint64_t records, hash, identity;
	uint32_t damaged;
	enum vgr_ending ending;
	struct vgr_position pos;
	struct vgr_error error;
};

static void look(struct vgr_reader *r, struct seen *seen)
{
	const struct vgr_rec *rec;
	uint64_t hash = 0;

	while ((seen->err = vgr_reader_next(r, &rec)) > 0) {
		hash = XXH64(rec, rec->size, hash);
		seen->records++;
	}
	assert_null(rec);
	/* An error stays. */
	assert_int_equal(vgr_reader_next(r, &rec), seen->err);
	seen->hash = hash;
	seen->identity = vgr_reader_identity(r);
	seen->damaged = vgr_reader_damaged(r);
	seen->ending = vgr_reader_ending(r);
	vgr_reader_position(r, &seen->pos);
	seen->error = *vgr_reader_error(r);
}

static void read_with(const unsigned char *file, size_t size, bool skip, unsigned int threads,
		      struct seen *seen)
{
	const struct vgr_reader_opts opts = {.skip_damaged = skip, .threads = threads};
	struct vgr_reader *r;

	memset(seen, 0, sizeof(*seen));
	seen->err = vgr_reader_open_memory(&r, file, size, &opts, &seen->error);
	if (seen->err)
		return;
	look(r, seen);
	vgr_reader_close(r);
}

/* What one thread sees is what three see; gives it. */
static struct seen same_for_all(const unsigned char *file, size_t size, bool skip)
{
	struct seen one, more;

	read_with(file, size, skip, 1, &one);
	read_with(file, size, skip, 3, &more);
	assert_int_equal(more.err, one.err);
	assert_string_equal(more.error.what, one.error.what);
	assert_memory_equal(&more, &one, sizeof(one));
	return one;
}

static unsigned char *make_file(unsigned int runs, size_t *size)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096, .level = 1};
	unsigned char *file;

	assert_int_equal(sample_file(path, runs, &opts), 0);
	file = sample_load(path, size);
	assert_non_null(file);
	return file;
}

static void whole(void **state)
{
	struct seen seen;
	size_t size;
	unsigned char *file = make_file(2000, &size);

	seen = same_for_all(file, size, false);
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.ending, VGR_END_WHOLE);
	assert_true(seen.pos.frame > 50);
	free(file);
}

static void cut_anywhere(void **state)
{
	unsigned int some = 0;
	size_t size, cut;
	unsigned char *file = make_file(36, &size);

	for (cut = 0; cut < size; cut++)
		some += same_for_all(file, cut, cut % 2).records > 0;
	assert_true(some > 0);
	free(file);
}

/* Checksums of the frames as they are now. */
static void mend(unsigned char *file, size_t size)
{
	size_t at = sizeof(struct format_head);
	struct format_frame f;

	for (; at + sizeof(f) <= size; at += sizeof(f) + f.stored_size) {
		memcpy(&f, file + at, sizeof(f));
		if (f.stored_size > size - at - sizeof(f))
			break;
		f.payload_hash = XXH64(file + at + sizeof(f), f.stored_size, 0);
		f.hash = XXH64(&f, offsetof(struct format_frame, hash), 0);
		memcpy(file + at, &f, sizeof(f));
	}
}

static void flip_anywhere(void **state)
{
	unsigned int refused = 0, forged = 0, skipped = 0;
	struct seen seen;
	size_t size, at;
	unsigned char *file = make_file(40, &size), *copy = malloc(size);

	assert_non_null(copy);
	for (at = sizeof(struct format_head); at < size; at++) {
		memcpy(copy, file, size);
		copy[at] ^= 1u << at % 8;
		refused += same_for_all(copy, size, false).err == VGR_EDAMAGED;
		seen = same_for_all(copy, size, true);
		skipped += !seen.err && seen.damaged && seen.records;
		mend(copy, size);
		seen = same_for_all(copy, size, at % 3);
		forged += seen.err == VGR_EFORGED || seen.damaged;
	}
	/* All kinds must have been there. */
	assert_true(refused > size / 2 && forged > 100 && skipped > 100);
	free(copy);
	free(file);
}

/* Again from the start, from anywhere, with frames on their way. */
static void rewinds(void **state)
{
	const struct vgr_reader_opts opts = {.threads = 3};
	const struct vgr_rec *rec;
	struct seen one, again;
	struct vgr_reader *r;
	size_t size;
	unsigned char *file = make_file(1000, &size);

	read_with(file, size, false, 1, &one);
	assert_int_equal(vgr_reader_open_memory(&r, file, size, &opts, NULL), 0);
	for (unsigned int n = 0; n < 4400; n = n * 3 + 1) {
		for (unsigned int i = 0; i < n; i++)
			vgr_reader_next(r, &rec);
		/* Before the end nothing is given back. */
		vgr_reader_rest(r);
		assert_int_equal(vgr_reader_next(r, &rec), n < 4000);
		vgr_reader_rewind(r);
	}
	memset(&again, 0, sizeof(again));
	look(r, &again);
	assert_memory_equal(&again, &one, sizeof(one));
	/* Closed with frames on their way, too. */
	vgr_reader_rewind(r);
	assert_int_equal(vgr_reader_next(r, &rec), 1);
	vgr_reader_close(r);
	free(file);
}

/* Frames of several sizes, the longest there may be among them, that do not compress well. */
static uint64_t write_long(void)
{
	static const uint32_t bytes[] = {4096, VGR_MAX_FRAME, 1 << 20, VGR_MAX_FRAME};
	const struct vgr_writer_opts opts = {.frame_bytes = VGR_MAX_FRAME, .level = 1};
	struct vgr_mmio rec = {.r = {.type = VGR_MMIO, .size = sizeof(rec)}};
	struct vgr_writer *w;
	struct vgr_header h;
	uint64_t n = 0, noise = 1;

	sample_header(&h);
	assert_int_equal(vgr_writer_create(&w, path, &h, &opts), 0);
	for (unsigned int i = 0; i < 24; i++) {
		for (uint32_t at = 0; at + sizeof(rec) <= bytes[i / 3 % 4]; at += sizeof(rec)) {
			noise = noise * 6364136223846793005u + 1442695040888963407u;
			rec.r.time = ++n;
			rec.gpa = noise;
			rec.value = noise * noise;
			assert_int_equal(vgr_writer_put(w, &rec.r), 0);
		}
		assert_int_equal(vgr_writer_flush(w), 0);
	}
	assert_int_equal(vgr_writer_finish(w, NULL), 0);
	vgr_writer_destroy(w);
	return n;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAX_RSS_KIB LONG_MAX /* the sanitizers' own memory is not ours */
#else
#define MAX_RSS_KIB (64 << 10)
#endif

/* In a process of its own, whose memory can be measured. */
static int read_long(unsigned int threads, uint64_t want)
{
	const struct vgr_reader_opts opts = {.threads = threads};
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct rusage usage;
	uint64_t n = 0;

	if (vgr_reader_open(&r, path, &opts, NULL))
		return 2;
	while (vgr_reader_next(r, &rec) > 0)
		n++;
	vgr_reader_close(r);
	getrusage(RUSAGE_SELF, &usage);
	return n != want ? 3 : usage.ru_maxrss > MAX_RSS_KIB ? 4 : 0;
}

static void memory_is_bounded(void **state)
{
	uint64_t n = write_long();
	int status;
	pid_t pid;

	for (unsigned int threads = 1; threads <= 64; threads *= 4) {
		pid = fork();
		assert_true(pid >= 0);
		if (!pid)
			_exit(read_long(threads, n));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flip_anywhere),
		cmocka_unit_test(rewinds),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
