/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit codes, the same for every command; documented in vgicsim(1). */
#ifndef VGICSIM_CLI_EXIT_H
#define VGICSIM_CLI_EXIT_H

enum vgicsim_exit {
	EXIT_OK = 0,
	EXIT_FINDING =
		1, /* it worked, and found something: mismatch, failed check, loss above limit */
	EXIT_USAGE = 2, /* the command line is wrong */
	EXIT_INPUT = 3, /* an input file cannot be used: absent, no recording, damaged, too new */
	EXIT_HOST = 4, /* this machine cannot: no KVM, no BTF, no privilege, a program is missing */
	EXIT_OUTPUT = 5,    /* an output could not be written: disk full, no permission */
	EXIT_SOFTWARE = 70, /* a fault in vgicsim itself, or no memory */
};

#endif
