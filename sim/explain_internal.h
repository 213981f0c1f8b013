/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the records of an explanation (explain.c) and its waits (explain_wait.c). */
#ifndef VGICSIM_EXPLAIN_INTERNAL_H
#define VGICSIM_EXPLAIN_INTERNAL_H

#include <stddef.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/explain.h>

#include "irq_index.h"
#include "msi_map.h"

#define PHASES 64u

enum phase_kind { PHASE_NOT_STARTED = 0, PHASE_GUEST, PHASE_EXIT, PHASE_WFI, PHASE_CPU_TAKEN };

/* What a vCPU did from t0 to the next phase. */
struct phase {
	enum phase_kind kind;
	uint64_t t0, record;
	bool left;  /* its exit is known: of the guest, or being handled */
	bool whole; /* GUEST: its lists are known */
	enum vgic_exit_kind exit;
	uint32_t misr;
	uint64_t exit_record, kick_record;
	uint16_t other;
	unsigned int nr_ended;
	uint32_t ended[4];
};

struct vcpu {
	struct phase phase[PHASES]; /* the last ones; number n is at n % PHASES */
	uint64_t nr_phases, guest_phase, exit_phase;
	bool flushed, loaded;
	uint16_t cpu;
	uint64_t lr[VGIC_MAX_LRS];
	unsigned int used;
	uint64_t flush_time, flush_record;
	uint64_t last_look; /* its list was last seen */
	uint32_t misr;	    /* of the last sync */
	uint32_t *list;	    /* entries on its list at the last look */
	size_t nr_list, cap_list;
};

/* A wait that is not over. */
struct open_wait {
	struct vgic_wait pub;
	uint64_t cursor; /* accounted for up to here */
	uint64_t losses; /* records that were lost before it */
	bool shown;	 /* a list or an LR had it pending */
	bool lowered;	 /* its line went down in this run: the sync tells whether it was taken */
	uint64_t lowered_ns, lowered_record;
	uint64_t placed_phase; /* of the run in which it stood so, 0: none */
	struct vgic_span placed;
};

struct entry {
	uint32_t intid;
	uint16_t vcpu;	   /* on whose list it is or was, VGR_NO_VCPU */
	uint16_t state;	   /* when last listed */
	bool seen, listed; /* was on a list; is on that of vcpu */
	uint64_t stamp;
	struct open_wait *wait;
	struct open_wait *handling; /* taken, not ended */
};

struct mark {
	uint64_t time, record;
};

struct vgic_explain {
	struct vgic_explain_config cfg;
	bool started;
	uint64_t start, now; /* ns; now never goes back */
	uint64_t nr_records, losses, stamp, missed;
	unsigned int nr_open;
	struct mark ispendr; /* last write that may have made something pending */
	struct msi_map msis;
	struct entry *v;
	size_t n, cap;
	struct irq_index index;
	struct vcpu *vcpus;
	size_t nr_vcpus;
};

struct phase *phase_push(struct vcpu *v, enum phase_kind kind, uint64_t t0, uint64_t record);
/* The phase of this number, NULL if it is no longer kept. */
struct phase *phase_at(struct vcpu *v, uint64_t number);
/* The phase that v is in; NULL before the first one. */
struct phase *phase_now(struct vcpu *v);

/* explain_wait.c; 0, -ENOMEM or what the caller's function gave */
int wait_open(struct vgic_explain *ex, struct entry *e, const struct mark *when,
	      enum vgic_raise how);
/* Gives the time up to now to what the vCPU of the entry did in it. */
void wait_account(struct vgic_explain *ex, struct entry *e, uint64_t until);
/* Over without being taken; accounted for up to the end. */
int wait_end(struct vgic_explain *ex, struct entry *e, enum vgic_wait_end how,
	     const struct mark *when);
/* Taken in the run that flush and sync enclose; ended in it, or to be ended. */
int wait_taken(struct vgic_explain *ex, struct entry *e, const struct vcpu *v, uint64_t left,
	       bool ended);
int handling_end(struct vgic_explain *ex, struct entry *e, uint64_t time);

#endif
