// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "sweep_owner.h"

/* Field 22 of stat; the name in field 2 may hold anything. 0: there is no such process. */
static int64_t start_of(int64_t pid)
{
	char name[64], text[1024], *at;
	int64_t started = 0;
	size_t n;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%" PRId64 "/stat", pid);
	f = fopen(name, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			  "%*d %*d %" SCNd64,
			  &started) != 1)
		return 0;
	return started;
}

static void this_host(char *to, size_t size)
{
	char boot[64] = "", set[48] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	ssize_t n;

	if (f) {
		if (fscanf(f, "%63s", boot) != 1)
			boot[0] = 0;
		fclose(f);
	}
	/* In two containers of one host the same number is two processes. */
	n = readlink("/proc/self/ns/pid", set, sizeof(set) - 1);
	set[n > 0 ? n : 0] = 0;
	snprintf(to, size, "%s %s", boot, set);
}

void sweep_owner_self(struct sweep_owner *o)
{
	this_host(o->host, sizeof(o->host));
	o->pid = getpid();
	o->started = start_of(o->pid);
}

bool sweep_owner_is_here(const struct sweep_owner *o)
{
	char host[sizeof(o->host)];

	this_host(host, sizeof(host));
	return !strcmp(host, o->host);
}

bool sweep_owner_is_dead(const struct sweep_owner *o)
{
	return sweep_owner_is_here(o) && (o->pid < 1 || start_of(o->pid) != o->started);
}
