// SPDX-License-Identifier: GPL-2.0-only
/*
 * What grows with the length of a recording is in files that have no name, mapped, and of the
 * mappings little is in memory at a time: what was touched goes back to the page cache, which
 * is the kernel's to keep or to write out, and comes from there when it is touched again. Short
 * demands never see a file. Where none can be had they are in memory as a whole.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "store.h"

/* Together so much stays in ordinary memory, and beyond it what is smaller than a part. */
#define PLAIN_BYTES (4u << 20)
#define PLAIN_PART  (64u << 10)

/* What is mapped is let go when so much of it is in memory; looked at after so many faults. */
#define MOST_BYTES (12u << 20)
#define FAULTS	   16

struct area {
	void *p;
	size_t size;
	int fd; /* -1: not mapped */
};

static struct {
	pthread_mutex_t lock;
	struct area *areas;
	size_t n, cap;
	size_t plain;	      /* bytes that are not mapped */
	atomic_size_t mapped; /* areas that are */
	atomic_long faults;   /* of the process, when it was looked at */
	int statm; /* tells what is in memory; 0: not opened yet, -1: it is not to be had */
	long base; /* pages of files in memory before the first mapping */
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

int cli_open_nameless(void)
{
	const char *const folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char name[4096];
		size_t n = folders[i] ? strlen(folders[i]) : 0;
		int fd;

		if (!n || n > sizeof(name) - 32)
			continue;
		fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		memcpy(name, folders[i], n);
		memcpy(name + n, "/vgicsim-XXXXXX", sizeof("/vgicsim-XXXXXX"));
		fd = mkostemp(name, O_CLOEXEC);
		if (fd < 0)
			continue;
		unlink(name);
		return fd;
	}
	return -1;
}

/* In memory, of this process; if it cannot be told, as if there were too many. */
static long pages_of_files(void)
{
	char text[128];
	ssize_t n = kept.statm < 0 ? 0 : pread(kept.statm, text, sizeof(text) - 1, 0);
	long pages;

	text[n > 0 ? n : 0] = 0;
	return sscanf(text, "%*s %*s %ld", &pages) == 1 ? pages : LONG_MAX;
}

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t in_pages(size_t size)
{
	return (size + page() - 1) / page() * page();
}

/* The blocks must be there: a mapping of a full disk is no error, but a signal. */
static bool extend(int fd, size_t from, size_t to)
{
	return to <= from || !fallocate(fd, 0, (off_t)from, (off_t)(to - from));
}

/* Its content moves into a file. False: it stays where it is, as it is. */
static bool map(struct area *a, size_t size)
{
	int fd = cli_open_nameless();
	void *p;

	if (fd < 0)
		return false;
	if (!kept.statm) {
		kept.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
		kept.base = kept.statm < 0 ? 0 : pages_of_files();
	}
	p = extend(fd, 0, in_pages(size))
		    ? mmap(NULL, in_pages(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
		    : MAP_FAILED;
	if (p == MAP_FAILED) {
		close(fd);
		return false;
	}
	/* A fault shall bring little: without it some kernels map 2 MiB at a time. */
	madvise(p, in_pages(size), MADV_RANDOM);
	if (a->p)
		memcpy(p, a->p, a->size);
	free(a->p);
	kept.plain -= a->size;
	kept.mapped++;
	*a = (struct area){p, size, fd};
	return true;
}

static bool resize_mapped(struct area *a, size_t size)
{
	void *p;

	if (!extend(a->fd, in_pages(a->size), in_pages(size)))
		return false;
	p = mremap(a->p, in_pages(a->size), in_pages(size), MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return false;
	a->p = p;
	a->size = size;
	return true;
}

static bool resize_plain(struct area *a, size_t size)
{
	void *p = realloc(a->p, size);

	if (!p)
		return false;
	if (size > a->size)
		memset((char *)p + a->size, 0, size - a->size);
	kept.plain += size - a->size;
	a->p = p;
	a->size = size;
	return true;
}

/* No file, or no room for it: it has to be memory. */
static bool unmap(struct area *a, size_t size)
{
	struct area to = {.fd = -1};

	if (!resize_plain(&to, size))
		return false;
	memcpy(to.p, a->p, a->size < size ? a->size : size);
	munmap(a->p, in_pages(a->size));
	close(a->fd);
	kept.mapped--;
	*a = to;
	return true;
}

static void release(struct area *a)
{
	if (a->fd >= 0) {
		munmap(a->p, in_pages(a->size));
		close(a->fd);
		kept.mapped--;
	} else {
		free(a->p);
		kept.plain -= a->size;
	}
	*a = kept.areas[--kept.n];
}

static struct area *area_of(void *p)
{
	for (size_t i = 0; p && i < kept.n; i++)
		if (kept.areas[i].p == p)
			return &kept.areas[i];
	if (kept.n == kept.cap) {
		size_t cap = kept.cap * 2 + 16;
		struct area *more = realloc(kept.areas, cap * sizeof(*more));

		if (!more)
			return NULL;
		kept.areas = more;
		kept.cap = cap;
	}
	kept.areas[kept.n] = (struct area){.fd = -1};
	return &kept.areas[kept.n++];
}

static bool change(struct area *a, size_t size)
{
	if (a->fd >= 0)
		return resize_mapped(a, size) || unmap(a, size);
	return (size >= PLAIN_PART && kept.plain - a->size + size > PLAIN_BYTES && map(a, size)) ||
	       resize_plain(a, size);
}

static void *resize(void *opaque, void *p, size_t size)
{
	void *now = NULL;
	struct area *a;

	pthread_mutex_lock(&kept.lock);
	a = area_of(p);
	if (a && !size) {
		release(a);
	} else if (a && change(a, size)) {
		now = a->p;
	} else if (a && !p) {
		release(a);
	}
	pthread_mutex_unlock(&kept.lock);
	return now;
}

static void pace(void *opaque)
{
	struct rusage u;
	long faults, pages;

	if (!kept.mapped)
		return;
	getrusage(RUSAGE_SELF, &u);
	faults = u.ru_minflt + u.ru_majflt;
	if (faults - kept.faults < FAULTS)
		return;
	kept.faults = faults;
	pages = pages_of_files();
	if (pages - kept.base < (long)(MOST_BYTES / page()))
		return;
	pthread_mutex_lock(&kept.lock);
	for (size_t i = 0; i < kept.n; i++)
		/* Of a shared mapping of a file nothing is lost. */
		if (kept.areas[i].fd >= 0)
			madvise(kept.areas[i].p, in_pages(kept.areas[i].size), MADV_DONTNEED);
	pthread_mutex_unlock(&kept.lock);
}

const struct vgic_store *cli_store(void)
{
	static const struct vgic_store store = {.resize = resize, .pace = pace};

	return &store;
}
