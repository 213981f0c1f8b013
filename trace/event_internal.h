/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the reader of trace events. */
#ifndef VGICSIM_TRACE_EVENT_INTERNAL_H
#define VGICSIM_TRACE_EVENT_INTERNAL_H

#include "event_format.h"

/* Interrupts folded in one sync: no more than list registers, and what EOIcount deactivates. */
#define MAX_FOLDED (2 * VGR_MAX_LRS)

/* A list as one event shows it: from the head, in order. */
struct event_list {
	unsigned int n;	    /* entries kept */
	unsigned int total; /* that there were, at least */
	uint16_t flags;	    /* VGR_F_CUT, VGR_F_TORN */
	uint64_t addr[VGR_EVENT_ENTRIES];
	struct vgr_irq irq[VGR_EVENT_ENTRIES];
};

/* The interface of a vCPU. */
struct event_interface {
	uint32_t hcr, vmcr;
	unsigned int used;
	unsigned int nr;
	uint64_t lr[VGR_MAX_LRS];
};

struct identity {
	uint64_t addr;	/* of the vCPU's or the VM's structure; 0: free */
	uint64_t owner; /* vCPU: its VM's */
	uint16_t vm;	/* VGR_NO_VM: not recorded */
	uint16_t vcpu;
	bool announced;
	uint64_t dist; /* VM: address of its distributor, 0 not known */
};

/* By address, for the whole of the trace; ambiguous where an address was used again. */
struct learned {
	uint64_t addr;
	uint16_t vcpu;
	bool ambiguous;
};

struct line {
	bool used;
	uint16_t vm, vcpu;
	uint32_t intid;
	bool edge_seen, level_seen; /* in the whole of the trace */
	int8_t edge;		    /* as it is now; -1 not known */
	bool high;
};

enum phase { PHASE_NONE, PHASE_FLUSH, PHASE_RUN, PHASE_SYNC };

struct folded {
	uint64_t addr;
	struct vgr_irq irq;
};

struct cpu {
	bool seen;
	uint32_t seq;	     /* of the last record */
	uint64_t time;	     /* of the last record */
	uint64_t event_time; /* of the last event */
	/* the vCPU of the last flush, and that loaded here */
	bool run_known, loaded_known;
	uint16_t run_vm, run_vcpu, loaded_vm, loaded_vcpu;
	uint32_t run_tid, irqfd_tid;
	bool in_sync;
	enum phase phase;
	/* the pair in progress */
	uint64_t vcpu;
	uint64_t begin;
	uint16_t flags;
	bool nested, folded;
	int32_t active_spis;
	struct event_list before;
	struct event_interface interface;
	unsigned int nr_folded;
	struct folded irqs[MAX_FOLDED];
};

struct vgr_events {
	struct event_formats formats;
	struct vgr_events_opts opts;
	struct vgr_events_totals totals;
	struct vgr_event_facts facts;
	bool have_facts;
	bool no_memory; /* somewhere on the way */
	bool seen[VGR_EV_END];
	uint16_t gic_model; /* of the guests, 0 not known */
	struct cpu *cpus;
	size_t nr_cpus, cap_cpus;
	struct identity *vms, *vcpus;
	size_t nr_vms, nr_vcpus, cap_vms, cap_vcpus;
	uint16_t next_vm;
	struct learned *learned;
	size_t nr_learned, cap_learned;
	struct line *lines; /* a hash table; its size is a power of two */
	size_t nr_lines, cap_lines;
	/* one record in the making */
	union {
		struct vgr_rec rec;
		uint64_t words[512];
	} out;
};

/* One event under way. */
struct event {
	struct vgr_events *e;
	struct event_data d;
	struct cpu *c;
	uint16_t cpu;
	uint32_t tid;
	uint64_t time;
	bool ok; /* false: something it needs is not in it */
};

/* The head of the record in the making, which is all zero behind it. */
void *event_record(struct event *ev, uint16_t type, uint32_t size, uint16_t vm, uint16_t vcpu);
int event_emit(struct event *ev);

/* NULL: that vCPU is not recorded. */
struct identity *event_known_vcpu(struct vgr_events *e, uint64_t addr);

/* The same for the vCPU whose own event this is: it is made known. *err: a negative errno. */
struct identity *event_own_vcpu(struct event *ev, int *err);

/* The line of an interrupt; vcpu: VGR_NO_VCPU for an SPI. NULL: no room for more. */
struct line *event_line(struct vgr_events *e, uint16_t vm, uint16_t vcpu, uint32_t intid);

/* Writes what is known of a vCPU. */
int event_announce(struct event *ev, const struct identity *id);

int event_flush_begin(struct event *ev);
int event_flush_end(struct event *ev, uint16_t flags);
int event_sync_begin(struct event *ev);
int event_sync_fold(struct event *ev);
int event_folded(struct event *ev);
int event_sync_end(struct event *ev);

#endif
