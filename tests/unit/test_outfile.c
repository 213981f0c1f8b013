// SPDX-License-Identifier: GPL-2.0-only
/* Output files are whole or absent. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <vgicsim/outfile.h>

static char dir[64];
static char path[96];

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/vgicsim-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/out.json", dir);
	return 0;
}

static int remove_dir(void **state)
{
	unlink(path);
	return rmdir(dir);
}

static size_t files_in_dir(void)
{
	char pattern[96];
	glob_t g;
	size_t n;

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	if (glob(pattern, 0, NULL, &g))
		return 0;
	n = g.gl_pathc;
	globfree(&g);
	return n;
}

static void read_back(char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
}

static void absent_until_committed(void **state)
{
	struct vgic_outfile o;
	struct stat st;
	char buf[32];
	mode_t mask = umask(027);

	assert_int_equal(vgic_outfile_open(&o, path), 0);
	fputs("first", o.f);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(vgic_outfile_commit(&o), 0);
	read_back(buf, sizeof(buf));
	assert_string_equal(buf, "first");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	umask(mask);
	vgic_outfile_abandon(&o);
	assert_int_equal(files_in_dir(), 1);
}

static void abandoned_leaves_the_old(void **state)
{
	struct vgic_outfile o;
	char buf[32];

	assert_int_equal(vgic_outfile_write(path, "old", 3), 0);
	assert_int_equal(vgic_outfile_open(&o, path), 0);
	fputs("new", o.f);
	vgic_outfile_abandon(&o);
	read_back(buf, sizeof(buf));
	assert_string_equal(buf, "old");
	assert_int_equal(files_in_dir(), 1);
}

static void full_disk_leaves_the_old(void **state)
{
	struct rlimit old, limit;
	char big[9000], buf[32];

	memset(big, 'x', sizeof(big));
	assert_int_equal(vgic_outfile_write(path, "old", 3), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(vgic_outfile_write(path, big, sizeof(big)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	read_back(buf, sizeof(buf));
	assert_string_equal(buf, "old");
	assert_int_equal(files_in_dir(), 1);
}

static void cannot_be_created(void **state)
{
	struct vgic_outfile o;

	assert_int_equal(vgic_outfile_open(&o, "/nonexistent/out.json"), -ENOENT);
	assert_null(o.f);
	assert_int_equal(vgic_outfile_commit(&o), -EBADF);
}

/* A device is written to and stays a device. */
static void devices_stay(void **state)
{
	struct stat st;

	assert_int_equal(vgic_outfile_write("/dev/null", "x", 1), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(vgic_outfile_write("/dev/full", "x", 1), -ENOSPC);
}

/* A link to a file: the file gets the content, the link is still one. */
static void links_stay(void **state)
{
	char link[128], text[32];
	struct stat st;

	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(vgic_outfile_write(path, "old", 3), 0);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(vgic_outfile_write(link, "new", 3), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	read_back(text, sizeof(text));
	assert_string_equal(text, "new");
	assert_int_equal(files_in_dir(), 2);
	assert_int_equal(unlink(link), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_until_committed),
		cmocka_unit_test(abandoned_leaves_the_old),
		cmocka_unit_test(full_disk_leaves_the_old),
		cmocka_unit_test(cannot_be_created),
		cmocka_unit_test(devices_stay),
		cmocka_unit_test(links_stay),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
