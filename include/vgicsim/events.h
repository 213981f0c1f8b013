/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events to records: what ftrace captured with the events of <vgicsim/dynamic.h> and the
 * kvm:* tracepoints, read by each file's own event formats. The events may come from a file
 * of trace-cmd or from a live kernel's buffers.
 *
 * Every int function returns 0 or a negative errno unless it says otherwise.
 */
#ifndef VGICSIM_EVENTS_H
#define VGICSIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/recording.h>

struct tep_handle;
struct tep_record;

/* Group of the dynamic events. */
#define VGR_EVENT_GROUP "vgicsim"

/*
 * List entries that one event can hold: an argument follows no more than eight pointers, so some
 * come from the head of the list and the others from its tail.
 */
#define VGR_EVENT_ONE_WAY 7u
#define VGR_EVENT_ENTRIES (2 * VGR_EVENT_ONE_WAY)

/* What each event is. The numbers are of this program only. */
enum vgr_event {
	VGR_EV_FLUSH_BEGIN, /* vcpu, kvm, idx, id, mode; VM; list */
	VGR_EV_FLUSH_END,   /* vcpu, interface, dist, list: under the list lock */
	VGR_EV_FLUSH_LATE,  /* the same at the end of the function, the lock dropped */
	VGR_EV_SYNC_BEGIN,  /* vcpu, kvm, idx, id, mode; list */
	VGR_EV_SYNC_FOLD,   /* vcpu, interface; all of the begin, where every sync folds */
	VGR_EV_FOLDED,	    /* irq, its words: one list register has been folded */
	VGR_EV_SYNC_END,    /* vcpu, interface, dist, list */
	VGR_EV_LOAD,	    /* vcpu, kvm, idx, id; VM; the facts (struct vgr_event_facts) */
	VGR_EV_PUT,	    /* vcpu */
	VGR_EV_INJECT,	    /* kvm, vcpu, intid, level, owner */
	VGR_EV_IRQFD_BEGIN,
	VGR_EV_IRQFD_END,
	VGR_EV_SGI,	   /* vcpu, value, group1 */
	VGR_EV_MSI,	   /* kvm, devid, eventid, ret */
	VGR_EV_MSI_ATOMIC, /* the same, type of the route */
	VGR_EV_DIR,	   /* vcpu, value */
	VGR_EV_PRUNE,	   /* vcpu */
	VGR_EV_KICK,	   /* vcpu */
	VGR_EV_LEVEL,	   /* intid, level */
	VGR_EV_ACKED,	   /* kvm, irqchip, pin */
	VGR_EV_VCPU_GONE,  /* vcpu */
	VGR_EV_VM_GONE,	   /* kvm */
	VGR_EV_NESTED_FLUSH,
	VGR_EV_NESTED_SYNC,
	VGR_EV_DYNAMIC_END,
	/* Tracepoints that the kernel has anyway. */
	VGR_EV_KVM_ENTRY = VGR_EV_DYNAMIC_END,
	VGR_EV_KVM_EXIT,
	VGR_EV_KVM_MMIO,
	VGR_EV_KVM_WFX,
	VGR_EV_KVM_INJECT, /* vgic_update_irq_pending: used where there is no VGR_EV_INJECT */
	VGR_EV_KVM_ACKED,  /* kvm_ack_irq: the same */
	VGR_EV_END
};

/* "flush_begin" ..., "kvm_entry" ...; system: VGR_EVENT_GROUP or "kvm". */
const char *vgr_event_name(enum vgr_event event);
const char *vgr_event_system(enum vgr_event event);

/* Bounds of what the facts may say, in bytes. */
#define VGR_EVENT_IRQ_MAX  128u
#define VGR_EVENT_VCPU_MAX (1u << 20)

enum vgr_event_mode {
	VGR_EVENT_MODE_UNKNOWN,
	VGR_EVENT_VHE,
	VGR_EVENT_NVHE,
	VGR_EVENT_PROTECTED,
	VGR_EVENT_NESTED,
};

/* Where a flag of an interrupt stands in its structure. */
struct vgr_event_flag {
	uint16_t bit;  /* from the beginning, as the BTF counts */
	uint8_t width; /* in bits: 1, 8 or 32; 0: the kernel has no such flag */
};

/* What the events of one kernel mean. Offsets in bytes. */
struct vgr_event_facts {
	uint32_t head; /* vcpu: arch.vgic_cpu.ap_list_head */
	uint32_t pmu;  /* vcpu: arch.pmu; 0: none */
	/* struct vgic_irq */
	uint16_t irq_size; /* up to 128 */
	uint16_t list, intid, vcpu, target, hwintid, source, active_source, priority, group, ops;
	struct vgr_event_flag line, latch, active, enabled, hw, config, on_lr, mapped;
	/* the host */
	uint8_t gic;		 /* 2 or 3 */
	uint8_t nr_lr;		 /* list registers that KVM uses */
	uint32_t vtr;		 /* ICH_VTR_EL2; 0 unknown */
	uint32_t static_traps;	 /* as in the header of a recording */
	int8_t tdir;		 /* enum vgr_known */
	uint8_t mode;		 /* enum vgr_event_mode */
	bool no_hw_deactivation; /* timers are resampled in software */
	bool has_last_lr;	 /* the kernel has last_lr_irq; no event can show it */
};

/* One number of the facts: its name as an argument of the event, and where it is kept. */
struct vgr_event_fact {
	const char *name;
	uint16_t offset, size;
	bool flag; /* a struct vgr_event_flag: bit | width << 16 */
};
extern const struct vgr_event_fact vgr_event_fact_table[];
extern const size_t vgr_nr_event_facts;

uint64_t vgr_event_fact_get(const struct vgr_event_facts *facts, size_t i);
void vgr_event_fact_set(struct vgr_event_facts *facts, size_t i, uint64_t value);

/* 0, or -EPROTO for facts that cannot be. */
int vgr_event_facts_check(const struct vgr_event_facts *facts);

/* Takes one record; a negative errno ends the reading. */
typedef int vgr_events_sink(void *ctx, const struct vgr_rec *rec);

struct vgr_events;

struct vgr_events_opts {
	/* NULL: they are taken from the first VGR_EV_LOAD. */
	const struct vgr_event_facts *facts;
	/* Are VMs of this process recorded? NULL: all. tgid is 0 where the kernel keeps none. */
	bool (*wanted)(void *ctx, uint32_t tgid);
	/* NULL: records are only counted, and what they teach is kept. */
	vgr_events_sink *sink;
	void *ctx;
};

/* tep: of the file or the live kernel, with its event formats; must outlive it. */
int vgr_events_create(struct vgr_events **e, struct tep_handle *tep,
		      const struct vgr_events_opts *opts);

/*
 * One event, in the order of time; those of one CPU never go back. An event that is none of
 * ours is counted and left out. Before a record with missed_events a VGR_LOSS is written, and
 * one in the place of an event that does not hold what it should.
 * What the sink returned, -ENOMEM, -E2BIG (a CPU beyond VGR_MAX_TABLE), or 0.
 */
int vgr_events_put(struct vgr_events *e, struct tep_record *rec);

/*
 * From the beginning again with another sink: what has been learned (facts, vCPUs by address,
 * which interrupts are edge-triggered) is kept. A file is read twice, so that
 * its first events are understood as well as its last.
 */
void vgr_events_again(struct vgr_events *e, vgr_events_sink *sink, void *ctx);

struct vgr_events_totals {
	uint64_t events;	       /* put */
	uint64_t by_event[VGR_EV_END]; /* of these, understood */
	uint64_t unknown;	       /* of no use here */
	uint64_t malformed;	       /* lacks an argument, or holds what cannot be */
	uint64_t too_early;	       /* lists before the facts or the vCPU were known */
	uint64_t lost;		       /* missed, at least */
	uint64_t untracked;	       /* of vCPUs beyond the tables */
	uint64_t cut;  /* flushes and syncs with a longer list than an event holds */
	uint64_t gone; /* syncs with an interrupt that could not be read at its end */
};
const struct vgr_events_totals *vgr_events_totals(const struct vgr_events *e);

/* NULL: not known. */
const struct vgr_event_facts *vgr_events_facts(const struct vgr_events *e);

/* It is known to be watched, though none has been seen yet: a tracepoint that was enabled. */
void vgr_events_watch(struct vgr_events *e, enum vgr_event event);

/* Is this event among the formats? A dynamic event is there only where it was set up. */
bool vgr_events_defined(const struct vgr_events *e, enum vgr_event event);

/*
 * Fills the part of a recording's header that the events tell: the vgic, the probes, and in
 * missing what they cannot tell; the tracepoints count as probes once one has been seen.
 * probes gives room for VGR_EV_END entries, which the header then borrows.
 */
void vgr_events_describe(const struct vgr_events *e, struct vgr_header *h,
			 struct vgr_probe *probes);

/* NULL is fine. */
void vgr_events_destroy(struct vgr_events *e);

#endif
