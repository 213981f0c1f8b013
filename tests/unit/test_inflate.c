// SPDX-License-Identifier: GPL-2.0-only
/* The frames of a recording, decompressed for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <vgicsim/inflate.h>
#include "format.h"
#include "sample.h"

static char path[64];

static int make(void **state)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096};
	int fd;

	snprintf(path, sizeof(path), "/tmp/vgicsim-inflate-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return sample_file(path, 100, &opts);
}

static int drop(void **state)
{
	return unlink(path);
}

static void all_records_and_bytes(void **state)
{
	const struct vgr_header *h;
	uint64_t records = 0, bytes = 0;
	struct vgr_inflate *i;
	struct vgr_reader *r;

	assert_int_equal(vgr_inflate_open(&i, path, NULL), 0);
	assert_int_equal(vgr_inflate_pass(i, &records, &bytes), 0);
	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	h = vgr_reader_header(r);
	assert_int_equal(records, h->totals.records);
	assert_int_equal(bytes, h->totals.raw_bytes);
	/* They add up. */
	assert_int_equal(vgr_inflate_pass(i, &records, &bytes), 0);
	assert_int_equal(records, 2 * h->totals.records);
	vgr_reader_close(r);
	vgr_inflate_close(i);
}

static void damage_is_said(void **state)
{
	uint64_t records = 0, bytes = 0;
	struct vgr_inflate *i;
	struct format_frame f;
	FILE *file = fopen(path, "r+b");
	long at = sizeof(struct format_head);

	assert_non_null(file);
	/* The first frame of records: its content becomes something else. */
	for (;; at += (long)(sizeof(f) + f.stored_size)) {
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		assert_int_equal(fread(&f, sizeof(f), 1, file), 1);
		if (f.kind == FORMAT_DATA)
			break;
	}
	assert_int_equal(fseek(file, at + (long)sizeof(f), SEEK_SET), 0);
	assert_int_equal(fwrite("no Zstandard", 12, 1, file), 1);
	fclose(file);
	assert_int_equal(vgr_inflate_open(&i, path, NULL), 0);
	assert_int_equal(vgr_inflate_pass(i, &records, &bytes), VGR_EDAMAGED);
	vgr_inflate_close(i);
}

/* What is whole, then an end. */
static void cut_anywhere(void **state)
{
	uint64_t last = UINT64_MAX;
	struct vgr_inflate *i;
	int ret;

	for (off_t size = 9000; size >= 0; size -= 400) {
		uint64_t records = 0, bytes = 0;

		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(vgr_inflate_open(&i, path, NULL), 0);
		ret = vgr_inflate_pass(i, &records, &bytes);
		assert_int_equal(ret, 0);
		assert_true(records <= last);
		last = records;
		vgr_inflate_close(i);
	}
	assert_int_equal(last, 0);
}

static void absent(void **state)
{
	struct vgr_inflate *i;
	struct vgr_error err;

	assert_int_equal(vgr_inflate_open(&i, "/nowhere/at/all", &err), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_null(i);
	vgr_inflate_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_records_and_bytes, make, drop),
		cmocka_unit_test_setup_teardown(damage_is_said, make, drop),
		cmocka_unit_test_setup_teardown(cut_anywhere, make, drop),
		cmocka_unit_test(absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
