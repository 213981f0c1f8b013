// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command as the user nobody with just the capabilities that recording and counting ask for:
 * what AmbientCapabilities= of a systemd unit does. Usage: as-nobody COMMAND [ARGUMENT]...
 */
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

int main(int argc, char **argv)
{
	static const int wanted[] = {CAP_BPF, CAP_PERFMON, CAP_SYSLOG};
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {{0}};
	unsigned int i;

	if (argc < 2)
		return 2;
	for (i = 0; i < 3; i++) {
		caps[wanted[i] / 32].permitted |= 1u << wanted[i] % 32;
		caps[wanted[i] / 32].effective |= 1u << wanted[i] % 32;
		caps[wanted[i] / 32].inheritable |= 1u << wanted[i] % 32;
	}
	for (i = 0; i <= CAP_LAST_CAP; i++)
		if (i != CAP_BPF && i != CAP_PERFMON && i != CAP_SYSLOG)
			prctl(PR_CAPBSET_DROP, i);
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || syscall(SYS_capset, &head, caps)) {
		perror("as-nobody");
		return 126;
	}
	for (i = 0; i < 3; i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0)) {
			perror("as-nobody");
			return 126;
		}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
