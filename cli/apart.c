// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apart.h"

#define SECONDS_WITHOUT_PROGRESS 60

/* Another minute of the processor's time. */
void apart_more_time(void)
{
	struct rlimit limit;
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_CPU, &limit))
		return;
	limit.rlim_cur = used.ru_utime.tv_sec + used.ru_stime.tv_sec + SECONDS_WITHOUT_PROGRESS;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CPU, &limit);
}

/*
 * What a forged length can make the library ask for. Sanitizers need all the address space there
 * is.
 */
static void set_limits(int fd)
{
	struct rlimit none = {0}, limit;
	struct stat st;
	uint64_t size = fstat(fd, &st) ? 0 : st.st_size;

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	limit.rlim_cur = limit.rlim_max = (2ull << 30) + 4 * size;
	setrlimit(RLIMIT_AS, &limit);
#endif
	/* It unpacks into files of its own. */
	limit.rlim_cur = limit.rlim_max = (1ull << 30) + 64 * size;
	setrlimit(RLIMIT_FSIZE, &limit);
	apart_more_time();
}

static void be_silent(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

void apart_begin(int fd)
{
	be_silent();
	set_limits(fd);
}
