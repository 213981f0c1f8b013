/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why interrupts waited: from the records of a recording, one by one in file order, to one
 * account for each wait. A wait begins when an interrupt becomes pending and ends with
 * the entry to the run in which the guest acknowledges it (within the run the host does not see
 * when). All of its time is given to causes, and they add up to it exactly.
 */
#ifndef VGICSIM_EXPLAIN_H
#define VGICSIM_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/records.h>
#include <vgicsim/workload.h>

/* What held an interrupt up; names and sentences in vgicsim-explain(1). */
enum vgic_cause {
	/* the vCPU was in its guest, the interrupt in none of its LRs */
	VGIC_CAUSE_IN_GUEST = 0, /* raised in this run: LRs are written at entries only */
	VGIC_CAUSE_LRS_FULL,	 /* every LR held another one */
	VGIC_CAUSE_LEFT_OUT, /* deliverable, an LR was free, and it stood outside all the same */
	VGIC_CAUSE_GROUP_OFF,
	VGIC_CAUSE_DISTRIBUTOR_OFF,
	VGIC_CAUSE_DISABLED,
	VGIC_CAUSE_OTHER_VCPU, /* on this list, and meant for another vCPU */
	VGIC_CAUSE_NOT_LISTED, /* on no list: disabled, or not yet routed here */
	/* in an LR */
	VGIC_CAUSE_OWN_ACTIVE, /* its last handling was not over */
	VGIC_CAUSE_BEHIND,     /* another of at least its priority was active or taken first */
	VGIC_CAUSE_PRIORITY_MASK,
	VGIC_CAUSE_NOT_TAKEN, /* the guest could have, and did not: it masks interrupts */
	/* the vCPU was not in its guest */
	VGIC_CAUSE_EXIT,      /* an exit was being handled */
	VGIC_CAUSE_WFI,	      /* it slept, and was being woken */
	VGIC_CAUSE_CPU_TAKEN, /* another vCPU had its CPU */
	VGIC_CAUSE_NOT_STARTED,
	VGIC_CAUSE_UNKNOWN, /* records do not tell: cut or torn list, nested guest, too long ago */
	VGIC_CAUSES
};

/* "lrs-full"; and a sentence: "every list register held another interrupt". */
const char *vgic_cause_name(enum vgic_cause cause);
const char *vgic_cause_text(enum vgic_cause cause);

/* How it became pending, as far as the records say. */
enum vgic_raise {
	VGIC_RAISE_LINE = 0, /* injected: device, irqfd, timer */
	VGIC_RAISE_SGI,
	VGIC_RAISE_MSI,
	VGIC_RAISE_REGISTER,  /* the guest wrote ISPENDR */
	VGIC_RAISE_LINE_HIGH, /* its line was still high when its last handling had ended */
	VGIC_RAISE_SEEN,      /* not recorded: from the first list that shows it pending */
};

const char *vgic_raise_name(enum vgic_raise how);

enum vgic_wait_end {
	VGIC_WAIT_TAKEN = 0, /* acknowledged */
	VGIC_WAIT_WITHDRAWN, /* line lowered, or pending state cleared */
	VGIC_WAIT_OPEN,	     /* pending when the recording ended */
};

const char *vgic_wait_end_name(enum vgic_wait_end end);

#define VGIC_HOLDERS 16u

/* What an LR held. */
struct vgic_holder {
	uint32_t intid;
	uint8_t state; /* 1 pending, 2 active, 3 both */
	uint8_t priority;
};

/* A stretch of a wait. Times in ns from the start, records by number from 1. */
struct vgic_span {
	enum vgic_cause cause;
	uint64_t t0, t1;
	uint64_t record; /* what shows it: flush, sync, load ... */
	/* Of a run of the guest: how it ended. VGIC_CAUSE_EXIT: what is being handled. */
	bool left;
	enum vgic_exit_kind exit;
	uint32_t misr;		 /* of an MI */
	uint64_t exit_record;	 /* the sync */
	uint64_t kick_record;	 /* last kick in that time, 0: none */
	unsigned int nr_ended;	 /* interrupts that ended in the run ... */
	uint32_t ended[4];	 /* ... the first of them */
	uint16_t other_vcpu;	 /* CPU_TAKEN, OTHER_VCPU */
	unsigned int place;	 /* LRS_FULL, LEFT_OUT: 1 is the first deliverable one outside */
	unsigned int nr_lr;	 /* the same: LRs of the host */
	unsigned int nr_holders; /* the same: LRs in use; BEHIND: 1 */
	struct vgic_holder holder[VGIC_HOLDERS];
};

/* Of more stretches the first, the last ones, the last one outside the LRs and the longest stay. */
#define VGIC_SPANS	12u
#define VGIC_SPANS_TAIL 4u

struct vgic_wait {
	uint32_t intid;
	uint16_t vcpu;	  /* on whose list, or meant for; VGR_NO_VCPU if nothing tells */
	uint8_t priority; /* when last listed */
	bool listed;	  /* priority is known */
	bool losses;	  /* records were lost meanwhile */
	enum vgic_raise how;
	enum vgic_wait_end end;
	uint64_t merged; /* raised again while it was pending */
	uint64_t raised_ns, raised_record;
	bool in_lr; /* it came into an LR */
	unsigned int lr;
	uint64_t lr_ns, lr_record;
	uint64_t end_ns, end_record; /* TAKEN: the flush before the run */
	uint64_t run_ns, run_record; /* TAKEN: the sync after it */
	bool ended;		     /* TAKEN: its handling, too */
	uint64_t ended_ns, ended_record;
	uint64_t cause_ns[VGIC_CAUSES]; /* adds up to end_ns - raised_ns */
	/* In order of time; left_out more are not among them. */
	struct vgic_span span[VGIC_SPANS];
	unsigned int nr_spans;
	uint64_t left_out, left_out_ns;
};

struct vgic_explain_config {
	unsigned int nr_lr; /* of the host */
	bool gicv2;	    /* host */
	uint16_t vm;	    /* the others are left out */
	/* Told of each wait that is over, and of the others at the end. 0 or a negative errno. */
	int (*wait)(void *opaque, const struct vgic_wait *w);
	void *opaque;
};

/* Waits followed at the same time; more are counted only. */
#define VGIC_EXPLAIN_OPEN 16384u

struct vgic_explain;

/* 0 or -ENOMEM. */
int vgic_explain_create(struct vgic_explain **ex, const struct vgic_explain_config *cfg);
void vgic_explain_destroy(struct vgic_explain *ex);

/* LRs in the layout of ICH_LR<n>_EL2 (<vgicsim/decode.h>). 0, -ENOMEM, or what wait() gave. */
int vgic_explain_record(struct vgic_explain *ex, const struct vgr_rec *rec);

/* The records are over: hands out what is open. The same results. */
int vgic_explain_finish(struct vgic_explain *ex);

/* Waits that were not followed (see VGIC_EXPLAIN_OPEN). */
uint64_t vgic_explain_missed(const struct vgic_explain *ex);

#endif
