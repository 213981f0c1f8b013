// SPDX-License-Identifier: GPL-2.0-only
/* Runs gnuplot: found by PATH, without the user's settings, told exactly what to draw. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "internal.h"

extern char **environ;

static int missing(struct vgic_plot_error *err)
{
	return vgic_plot_fail(
		err, -ENOPKG,
		"gnuplot: not found: install it (Debian: apt-get install gnuplot-nox)");
}

/*
 * The environment for gnuplot: in a locale that is not UTF-8 it warns of characters that no figure
 * uses. NULL without memory; the caller frees the array, not the strings.
 */
static char **utf8_environment(void)
{
	static char locale[] = "LC_ALL=C.UTF-8";
	size_t i, n = 0;
	char **copy;

	while (environ[n])
		n++;
	copy = malloc((n + 2) * sizeof(*copy));
	if (!copy)
		return NULL;
	n = 0;
	for (i = 0; environ[i]; i++)
		if (strncmp(environ[i], "LC_ALL=", 7))
			copy[n++] = environ[i];
	copy[n++] = locale;
	copy[n] = NULL;
	return copy;
}

/* Starts argv in dir with both outputs into a pipe, whose end to read comes back. */
static int start(const char *dir, const char *const argv[], pid_t *pid, struct vgic_plot_error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int pipes[2], error;
	char **env;

	if (pipe2(pipes, O_CLOEXEC))
		return vgic_plot_fail(err, -errno, "gnuplot: cannot start: %s", strerror(errno));
	env = utf8_environment();
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
	if (dir)
		posix_spawn_file_actions_addchdir_np(&actions, dir);
	error = env ? posix_spawnp(pid, argv[0], &actions, &attr, (char *const *)argv, env)
		    : ENOMEM;
	free(env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	close(pipes[1]);
	if (!error)
		return pipes[0];
	close(pipes[0]);
	if (error == ENOENT)
		return missing(err);
	return vgic_plot_fail(err, -error, "gnuplot: cannot start: %s", strerror(error));
}

/* Reads what it said (the first size - 1 bytes) and waits. Its status or -EINTR. */
static int finish(int fd, pid_t pid, char *said, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	char rest[256];
	ssize_t n;
	int status;

	/* Looking up now and then: a signal just before a read would not end it. */
	while (!vgic_plot_interrupted()) {
		if (poll(&wait, 1, 200) <= 0)
			continue;
		n = len + 1 < size ? read(fd, said + len, size - 1 - len)
				   : read(fd, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (len + 1 < size)
			len += (size_t)n;
	}
	said[len] = '\0';
	close(fd);
	if (vgic_plot_interrupted())
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return vgic_plot_interrupted() ? -EINTR : status;
}

int vgic_plot_find_gnuplot(struct vgic_plot_error *err)
{
	const char *const argv[] = {"gnuplot", "--version", NULL};
	char said[128];
	int major, minor, fd, status;
	pid_t pid;

	fd = start(NULL, argv, &pid, err);
	if (fd < 0)
		return fd;
	status = finish(fd, pid, said, sizeof(said));
	if (status == -EINTR)
		return vgic_plot_fail(err, -EINTR, "interrupted");
	if (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) && WEXITSTATUS(status) == 127
			       ? missing(err)
			       : vgic_plot_fail(err, -ECHILD, "gnuplot: does not run: %s", said);
	if (sscanf(said, "gnuplot %d.%d", &major, &minor) != 2 || major < 5 ||
	    (major == 5 && minor < 4))
		return vgic_plot_fail(err, -ENOPKG, "gnuplot: version 5.4 or newer is needed: %s",
				      said);
	return 0;
}

int vgic_plot_gnuplot(const char *dir, const char *script, unsigned int formats,
		      struct vgic_plot_error *err)
{
	static const struct {
		unsigned int bit;
		const char *set;
	} kinds[] = {{VGIC_PLOT_SVG, "FORMAT='svg'"}, {VGIC_PLOT_PNG, "FORMAT='png'"}};
	int fd[2] = {-1, -1}, error = 0, status, i;
	char said[512], *p;
	pid_t pid[2];

	/* Both at once: two processors are common, and neither knows of the other. */
	for (i = 0; i < 2 && !error; i++) {
		const char *const argv[] = {
			"gnuplot", "--default-settings", "-e", kinds[i].set, script, NULL};

		if (!(formats & kinds[i].bit))
			continue;
		fd[i] = start(dir, argv, &pid[i], err);
		if (fd[i] < 0)
			error = fd[i];
	}
	for (i = 0; i < 2; i++) {
		if (fd[i] < 0)
			continue;
		status = finish(fd[i], pid[i], said, sizeof(said));
		if (error)
			continue;
		/* A warning is a figure that does not show what it should: as bad as a failure. */
		if (status == -EINTR) {
			error = vgic_plot_fail(err, -EINTR, "interrupted");
		} else if (status || said[0]) {
			while ((p = strchr(said, '\n')))
				*p = ' ';
			error = vgic_plot_fail(err, -ECHILD, "gnuplot: failed on %s: %.300s",
					       script, said[0] ? said : "without a word");
		}
	}
	return error;
}
