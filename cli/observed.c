// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "exit.h"
#include "observed.h"
#include "output.h"

/* How long a command may take to end once it was asked to. */
#define GRACE_MS 3000

uint64_t observed_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void observed_init(struct observed *o, const struct cli_args *args, uint64_t process)
{
	sigset_t stop;

	memset(o, 0, sizeof(*o));
	o->command = args->n_command ? args->command : NULL;
	o->process = process;
	o->go = o->exec_failed = o->fd = -1;
	o->status = -1;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &o->old_mask);
	o->signal_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* go: written to start the command, closed to give it up. */
static int fork_command(struct observed *o)
{
	int ready[2], failed[2], err;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	if (pipe2(failed, O_CLOEXEC)) {
		err = -errno;
		close(ready[0]);
		close(ready[1]);
		return err;
	}
	o->child = fork();
	err = -errno;
	if (!o->child) {
		close(ready[1]);
		sigprocmask(SIG_SETMASK, &o->old_mask, NULL);
		if (read(ready[0], &byte, 1) != 1)
			_exit(127);
		execvp(o->command[0], o->command);
		err = errno;
		if (write(failed[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	close(ready[0]);
	close(failed[1]);
	o->go = ready[1];
	o->exec_failed = failed[0];
	return o->child < 0 ? err : 0;
}

int observed_prepare(struct observed *o)
{
	int ret;

	if (o->command) {
		ret = fork_command(o);
		if (ret)
			return cli_fail(EXIT_SOFTWARE, "fork: %s", strerror(-ret));
	}
	if (o->child > 0 || o->process) {
		o->fd = syscall(SYS_pidfd_open, o->child > 0 ? o->child : (pid_t)o->process, 0);
		if (o->fd < 0)
			return cli_fail(EXIT_HOST, "process %" PRIu64 ": %s", o->process,
					strerror(errno));
	}
	return EXIT_OK;
}

int observed_start(struct observed *o, const char *purpose)
{
	int err = 0;

	if (o->child <= 0)
		return EXIT_OK;
	if (write(o->go, "", 1) != 1)
		return cli_fail(EXIT_SOFTWARE, "the command cannot be started: %s",
				strerror(errno));
	/* The other end goes when the command takes the child's place. */
	if (read(o->exec_failed, &err, sizeof(err)) == sizeof(err))
		return cli_fail(EXIT_USAGE, "%s: %s: nothing to %s", o->command[0], strerror(err),
				purpose);
	return EXIT_OK;
}

static void reap(struct observed *o, bool wait)
{
	int status;

	if (o->child <= 0 || o->command_ended)
		return;
	if (waitpid(o->child, &status, wait ? 0 : WNOHANG) != o->child)
		return;
	o->command_ended = true;
	o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool observed_ended(struct observed *o, uint64_t deadline, int wait_ms, int extra)
{
	struct pollfd fds[3] = {
		{.fd = o->signal_fd, .events = POLLIN},
		{.fd = o->fd, .events = POLLIN},
		{.fd = extra, .events = POLLIN},
	};
	struct signalfd_siginfo info;
	uint64_t t = observed_now(CLOCK_MONOTONIC);

	if (deadline && t + wait_ms * 1000000ull > deadline)
		wait_ms = t >= deadline ? 0 : (deadline - t) / 1000000 + 1;
	if (poll(fds, 3, wait_ms) > 0) {
		if ((fds[0].revents & POLLIN) &&
		    read(o->signal_fd, &info, sizeof(info)) == sizeof(info)) {
			snprintf(o->stop, sizeof(o->stop), "%s",
				 info.ssi_signo == SIGINT    ? "SIGINT"
				 : info.ssi_signo == SIGTERM ? "SIGTERM"
							     : "SIGHUP");
			return true;
		}
		if (fds[1].revents & POLLIN) {
			reap(o, true);
			snprintf(o->stop, sizeof(o->stop), "%s",
				 o->child > 0 ? "guest command ended" : "guest process ended");
			return true;
		}
	}
	if (deadline && observed_now(CLOCK_MONOTONIC) >= deadline) {
		snprintf(o->stop, sizeof(o->stop), "duration");
		return true;
	}
	return false;
}

void observed_end(struct observed *o)
{
	int waited;

	if (o->go >= 0) {
		close(o->go);
		o->go = -1;
	}
	reap(o, false);
	if (o->child <= 0 || o->command_ended)
		return;
	kill(o->child, SIGTERM);
	for (waited = 0; waited < GRACE_MS && !o->command_ended; waited += 20) {
		struct timespec t = {.tv_nsec = 20000000};

		nanosleep(&t, NULL);
		reap(o, false);
	}
	if (!o->command_ended)
		kill(o->child, SIGKILL);
	reap(o, true);
}

void observed_finish(struct observed *o)
{
	if (o->fd >= 0)
		close(o->fd);
	if (o->exec_failed >= 0)
		close(o->exec_failed);
	close(o->signal_fd);
	sigprocmask(SIG_SETMASK, &o->old_mask, NULL);
}

/* Programs are loaded, files are open: nothing that is left to do needs a capability. */
void observed_drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_capset, &head, none))
		cli_warn("capabilities cannot be dropped: %s", strerror(errno));
}
