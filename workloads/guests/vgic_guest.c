// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest_options.h"
#include "guest_report.h"
#include "guest_vm.h"

enum { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_CANNOT = 2 };

int main(int argc, char **argv)
{
	static struct guest_verdict verdict;
	static struct guest_options o;
	static struct guest_vm vm;
	char err[200];
	int rc;

	rc = guest_options_parse(argc, argv, &o, stdout, err, sizeof(err));
	if (rc > 0)
		return EXIT_PASS;
	if (rc < 0) {
		fprintf(stderr, "vgic-guest: %s\n", err);
		return EXIT_CANNOT;
	}
	rc = guest_vm_init(&vm, &o);
	if (!rc)
		rc = guest_vm_run(&vm);
	if (rc) {
		fprintf(stderr, "vgic-guest: %s\n", vm.error);
		guest_vm_finish(&vm);
		return EXIT_CANNOT;
	}
	/* A host too slow for what was asked proves nothing about its hypervisor. */
	if (vm.progressing) {
		fprintf(stderr,
			"vgic-guest: not done within --timeout %u s, yet interrupts keep coming; "
			"ask for less or for more time\n",
			o.timeout);
		guest_vm_finish(&vm);
		return EXIT_CANNOT;
	}
	guest_judge(&vm, &verdict);
	if (o.json)
		guest_print_json(&vm, &verdict, stdout);
	else
		guest_print_text(&vm, &verdict, stdout);
	rc = verdict.pass ? EXIT_PASS : EXIT_FAIL;
	if (verdict.log_lost && o.log)
		fprintf(stderr, "vgic-guest: %llu interrupts did not fit into the log\n",
			(unsigned long long)verdict.log_lost);
	if (o.log) {
		int lrc = guest_write_log(&vm, o.log);

		if (lrc) {
			fprintf(stderr, "vgic-guest: cannot write %s: %s\n", o.log, strerror(-lrc));
			rc = EXIT_CANNOT;
		}
	}
	guest_vm_finish(&vm);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "vgic-guest: standard output: %s\n", strerror(errno));
		return EXIT_CANNOT;
	}
	return rc;
}
