// SPDX-License-Identifier: GPL-2.0-only
/* Where a number was measured: without it the number says nothing. */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "bench.h"
#include "build.h"

/* The first line "KEY : VALUE" of /proc/cpuinfo; empty if there is none. */
static void cpuinfo(const char *key, char *value, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];

	*value = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) || !colon)
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(value, size, "%s", colon);
		break;
	}
	if (f)
		fclose(f);
}

json_t *bench_machine(void)
{
	struct utsname u = {0};
	char model[256], part[64];

	uname(&u);
	cpuinfo("model name", model, sizeof(model));
	/* Arm has numbers, not names. */
	cpuinfo("CPU part", part, sizeof(part));
	if (!*model && *part)
		snprintf(model, sizeof(model), "CPU part %s", part);
	return json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "cpu",
			 *model ? model : "unknown", "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN),
			 "memory_bytes",
			 (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE), "machine",
			 u.machine, "kernel", u.release, "compiler", VGICSIM_COMPILER, "flags",
			 VGICSIM_FLAGS, "version", VGICSIM_VERSION, "commit", VGICSIM_COMMIT);
}
