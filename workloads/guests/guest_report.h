/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_GUEST_REPORT_H
#define GUESTS_GUEST_REPORT_H

#include <stdio.h>

#include "guest_vm.h"

/* Indices of sets of INTIDs: LPI 8192 + n has index 1024 + n. */
#define GUEST_NR_SET (GUEST_NR_INTIDS + GUEST_MAX_LPIS)

/* What is wrong with a finished run, gathered from the guest's memory and KVM's own state. */
struct guest_verdict {
	bool pass;
	bool starved;
	uint64_t interrupts;
	uint32_t round; /* the furthest that a vCPU began */
	uint64_t log_lost;
	/* By INTID; private INTIDs of vCPU c in bit c, SPIs in the bit of the vCPU they go to. */
	uint32_t missing[GUEST_NR_SET];
	uint32_t surplus[GUEST_NR_SET];
	uint32_t active[GUEST_NR_SET];
	uint32_t pending[GUEST_NR_SET];
};

/* To be called after guest_vm_run(), when no vCPU runs. */
void guest_judge(struct guest_vm *vm, struct guest_verdict *v);

void guest_print_text(const struct guest_vm *vm, const struct guest_verdict *v, FILE *out);
void guest_print_json(const struct guest_vm *vm, const struct guest_verdict *v, FILE *out);

/*
 * Write the guest's log as CSV, one line an interrupt, with the clocks needed to lay it over a
 * trace of the host in comment lines at the top. Negative errno if @path cannot be written whole;
 * nothing stays behind then.
 */
int guest_write_log(const struct guest_vm *vm, const char *path);

#endif
