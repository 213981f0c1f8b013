/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest's own trace.dat tells of its interrupt handlers. */
#ifndef VGICSIM_CLI_GUEST_TRACE_H
#define VGICSIM_CLI_GUEST_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* irq:irq_handler_entry or irq:irq_handler_exit. */
struct guest_event {
	uint64_t time; /* ns of the guest's trace clock */
	uint32_t irq;  /* the guest kernel's number */
	uint16_t cpu;
	uint8_t begin, handled;
	char name[16]; /* of the device, at the begin; terminated unless it fills all */
};

struct guest_trace {
	struct guest_event *events; /* in the order of time */
	size_t n;
};

/*
 * Reads the file in a process of its own. Returns an exit code, and has told why if it is not
 * EXIT_OK.
 */
int guest_trace_read(struct guest_trace *t, const char *path);
void guest_trace_finish(struct guest_trace *t);

#endif
