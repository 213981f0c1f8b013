// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <tracefs.h>
#include <vgicsim/events.h>
#include "cleaner.h"

/* The buffers are closed when their owner is gone, but not before. */
#define TRIES  100
#define TRY_NS 100000000l

static int append(const char *dir, const char *file, const char *text)
{
	char path[4096];
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int remove_instance(const char *name)
{
	const char *tracing = tracefs_tracing_dir();
	char path[4096];

	if (!tracing)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/instances/%s", tracing, name);
	append(path, "tracing_on", "0");
	append(path, "events/enable", "0");
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

/* All events of our group. The first error, after all have been tried. */
static int remove_events(void)
{
	const char *tracing = tracefs_tracing_dir();
	char line[300], path[4096];
	const struct dirent *entry;
	int err, first = 0;
	DIR *dir;

	if (!tracing)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/events/%s", tracing, VGR_EVENT_GROUP);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		snprintf(line, sizeof(line), "-:%s/%s", VGR_EVENT_GROUP, entry->d_name);
		err = append(tracing, "dynamic_events", line);
		if (err && err != -ENOENT && !first)
			first = err;
	}
	closedir(dir);
	return first;
}

static int remove_both(const char *instance)
{
	int err = remove_instance(instance), more = remove_events();

	return err ? err : more;
}

static int remove_in_the_end(const char *instance)
{
	const struct timespec t = {.tv_nsec = TRY_NS};
	int i, err = 0;

	for (i = 0; i < TRIES; i++) {
		err = remove_both(instance);
		if (!err)
			return 0;
		nanosleep(&t, NULL);
	}
	return err;
}

/* Nothing of the recorder's but the pipe; nobody's signal but SIGKILL. */
static void watch(int fd, const char *instance)
{
	sigset_t all;
	char byte;
	int null;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "vgicsim-cleaner");
	if (dup2(fd, 3) < 0)
		_exit(1);
	syscall(SYS_close_range, 4u, ~0u, 0u);
	null = open("/dev/null", O_RDWR);
	for (fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	while (read(3, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(remove_in_the_end(instance) ? 1 : 0);
}

int cleaner_start(struct cleaner *c, const char *instance)
{
	int fds[2], err;

	/* The child must not be the first to look where tracefs is. */
	if (!tracefs_tracing_dir())
		return -ENOENT;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	err = -errno;
	if (!c->pid) {
		close(fds[1]);
		watch(fds[0], instance);
	}
	close(fds[0]);
	if (c->pid < 0) {
		c->pid = 0;
		close(fds[1]);
		return err;
	}
	c->fd = fds[1];
	return 0;
}

int cleaner_finish(struct cleaner *c)
{
	int status = 0;
	pid_t pid = c->pid;

	if (!pid)
		return 0;
	c->pid = 0;
	close(c->fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EBUSY;
}

/* Does a recorder, or its cleaner, have this number? */
static bool at_work(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return !strncmp(name, "vgicsim", 7);
}

int cleaner_remove_stale(pid_t *pid)
{
	const char *tracing = tracefs_tracing_dir();
	const struct dirent *entry;
	char path[4096], *end;
	int err = 0;
	DIR *dir;

	*pid = 0;
	if (!tracing)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/instances", tracing);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, CLEANER_INSTANCE, strlen(CLEANER_INSTANCE)))
			continue;
		*pid = strtol(entry->d_name + strlen(CLEANER_INSTANCE), &end, 10);
		if (*pid <= 0 || *end)
			continue;
		if (*pid != getpid() && at_work(*pid))
			err = -EBUSY;
		else
			err = remove_instance(entry->d_name);
	}
	closedir(dir);
	if (err)
		return err;
	*pid = 0;
	return remove_events();
}
