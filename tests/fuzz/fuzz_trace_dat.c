// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a file of trace-cmd. As 'vgicsim import' does it: the first bytes are looked at
 * here, the rest is read by the library in a process of its own, which may fall over by itself but
 * not by a fault of ours.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vgicsim/events.h>
#include <vgicsim/trace_dat.h>
#include "fuzz.h"

/* Ways in which the library itself ended. */
static unsigned long inputs, refused, fell, hung;

/* A fault of the library is a signal, not an error of the sanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:detect_leaks=0:"
	       "allocator_may_return_null=1";
}

static void summary(void)
{
	printf("trace_dat: %lu inputs, %lu refused by their first bytes, libtracecmd fell over %lu "
	       "and hung %lu times\n",
	       inputs, refused, fell, hung);
}

/*
 * Whose fault does the sanitizer report? The library's, if one of its functions is called before
 * any of ours that handles events.
 */
static bool our_fault(int fd)
{
	char text[8192], *line;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return true;
	text[n] = '\0';
	for (line = strstr(text, "    #0 "); line; line = strchr(line + 1, '\n')) {
		size_t len = strcspn(line + 1, "\n");

		if (memmem(line + 1, len, "libtrace", 8))
			return false;
		if (memmem(line + 1, len, "trace/event", 11))
			break;
	}
	fputs(text, stderr);
	return true;
}

static int take(void *ctx, const struct vgr_rec *rec)
{
	return vgr_rec_validate(rec, rec->size, NULL) ? (abort(), 0) : 0;
}

static int put(void *ctx, struct tep_record *rec)
{
	return vgr_events_put(ctx, rec);
}

static int read_file(int fd)
{
	struct vgr_events_opts opts = {.sink = take};
	struct rlimit cpu = {.rlim_cur = 2, .rlim_max = 2};
	struct vgr_trace_dat *t;
	struct vgr_events *e;

#ifndef __SANITIZE_ADDRESS__
	struct rlimit space = {.rlim_cur = 1u << 30, .rlim_max = 1u << 30};

	setrlimit(RLIMIT_AS, &space);
#endif
	setrlimit(RLIMIT_CPU, &cpu);
	if (vgr_trace_dat_open(&t, fd))
		return 0;
	if (vgr_events_create(&e, vgr_trace_dat_tep(t), &opts))
		return 0;
	vgr_trace_dat_read(t, put, e);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgr_trace_dat_head head;
	char why[200];
	int fd, said, status;
	pid_t child;

	if (!inputs++)
		atexit(summary);
	if (vgr_trace_dat_look(data, size, &head, why, sizeof(why))) {
		refused++;
		return 0;
	}
	fd = memfd_create("trace", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	said = memfd_create("said", MFD_CLOEXEC);
	if (said < 0)
		abort();
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (!child) {
		dup2(said, STDERR_FILENO);
		_exit(read_file(fd));
	}
	close(fd);
	if (waitpid(child, &status, 0) != child)
		abort();
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		hung++;
	else if (WIFSIGNALED(status))
		fell++;
	else if (WEXITSTATUS(status) && our_fault(said))
		abort();
	else if (WEXITSTATUS(status))
		fell++;
	close(said);
	return 0;
}
