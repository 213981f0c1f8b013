/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dynamic events by which ftrace captures what the BPF programs do, as far as it can: for
 * the kernel that runs here, with the offsets of its BTF. <vgicsim/events.h> reads them. Needs
 * no privilege of its own but to see /proc/kallsyms.
 */
#ifndef VGICSIM_DYNAMIC_H
#define VGICSIM_DYNAMIC_H

#include <vgicsim/capture.h>
#include <vgicsim/events.h>

struct btf;

enum vgic_dynamic_kind {
	VGIC_DYNAMIC_KPROBE,
	VGIC_DYNAMIC_KRETPROBE,
	VGIC_DYNAMIC_FPROBE,
	VGIC_DYNAMIC_FPROBE_RETURN,
};

struct vgic_dynamic_event {
	enum vgr_event event;
	enum vgic_dynamic_kind kind;
	const char *place; /* kernel function */
	char *args;	   /* "vcpu=$arg1:x64 ..." */
	/* As it is written into dynamic_events: "p:vgicsim/flush_begin kvm_vgic_flush_hwstate ..."
	 */
	char *line;
};

struct vgic_dynamic {
	struct vgic_dynamic_event events[VGR_EV_DYNAMIC_END];
	size_t nr_events;
	/* Existing tracepoints of the system kvm that belong to it. */
	enum vgr_event tracepoints[VGR_EV_END - VGR_EV_DYNAMIC_END];
	size_t nr_tracepoints;
	struct vgr_event_facts facts;
	bool missing[VGR_EV_END]; /* this kernel should have it, and has no place for it */
};

struct vgic_dynamic_opts {
	unsigned int entries; /* of each list, 1 to VGR_EVENT_ENTRIES; 0: as many as can be */
	bool fprobes;	      /* the kernel has f: events (its README says so): they cost less */
	/*
	 * What is not known of the host (vgic_host.looked is false where BPF is locked down):
	 * taken instead of it if not 0.
	 */
	uint8_t gic, nr_lr;
};

/* By h, as vgic_host_look() filled it. -ENOMEM, or -ENOTSUP with one line that says why. */
int vgic_dynamic_create(struct vgic_dynamic **d, const struct vgic_host *h,
			const struct vgic_dynamic_opts *opts, struct vgic_capture_error *err);

/* By a BTF and a question whether the kernel has a symbol of that name, just one. */
int vgic_dynamic_create_from(struct vgic_dynamic **d, const struct vgic_host *h,
			     const struct vgic_dynamic_opts *opts, const struct btf *btf,
			     bool (*has)(void *ctx, const char *name), void *ctx,
			     struct vgic_capture_error *err);

/* Does this text, of tracefs' README, offer f: events? */
bool vgic_dynamic_has_fprobes(const char *readme);

/* NULL is fine. */
void vgic_dynamic_destroy(struct vgic_dynamic *d);

#endif
