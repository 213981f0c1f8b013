/* SPDX-License-Identifier: GPL-2.0-only */
/* What the streaming checker remembers of VMs, vCPUs and interrupts between two records. */
#ifndef VGICSIM_SIM_INVARIANTS_TRACK_H
#define VGICSIM_SIM_INVARIANTS_TRACK_H

#include <vgicsim/recording.h>

#include "invariants_internal.h"

/* A DIR whose effect has not been seen yet. */
struct inv_dir {
	bool armed, done; /* done: the writer was seen to go on, at t1 */
	uint16_t writer;  /* vCPU */
	uint64_t t0, t1;  /* ns */
	uint64_t index;	  /* of its record */
};

/* An injection that no list has shown yet. */
struct inv_raise {
	bool armed;
	uint64_t since; /* ns: then its configuration was seen last */
	uint64_t t0;
	uint64_t index;
};

struct inv_irq {
	struct inv_irq *hash_next;
	uint32_t intid;
	uint16_t vm, of;     /* of: vCPU of a private interrupt, else VGR_NO_VCPU */
	uint32_t generation; /* of the checker when this was written; an older one means nothing */
	uint32_t mark;	     /* number of the record that listed it last */
	bool valid;	     /* last is a state that was read */
	bool listed;	     /* and it was on the list of vCPU at then */
	uint16_t at;
	struct vgr_irq last;
	uint64_t last_begin; /* ns, of the record that showed it */
	uint64_t lr;	     /* written by the flush of the present run; 0 none */
	uint32_t run;	     /* number of that run */
	uint64_t ack_until;  /* ns: until then the guest may have acknowledged it */
	uint64_t lost_at;    /* ns: last deactivation that was found lost */
	struct inv_dir dir;
	struct inv_raise raise;
};

struct inv_irqs {
	struct inv_irq **v;
	size_t n, room;
};

struct inv_vcpu {
	uint16_t vm, index;
	uint32_t generation;
	bool loaded; /* on a CPU */
	bool in_run; /* flushed and not yet synced */
	bool entered;
	bool split; /* EOImode 1, as last seen */
	uint32_t run;
	uint64_t flush_begin;
	uint32_t boundary;	  /* of the flush */
	struct inv_irqs listed;	  /* by its last record */
	struct inv_irqs dirs;	  /* that it has written and not gone on from */
	struct inv_irqs raised;	  /* injections that should show up on its list */
	unsigned int active_spis; /* on its list */
	/* Rule 18: entries in a row that could not bring the guest on. */
	uint32_t stuck;
	uint64_t stuck_since;
	bool stuck_told;
};

struct inv_vm {
	uint16_t index;
	bool model_v2;
	uint16_t nr_spis;	  /* 0: not known */
	unsigned int active_spis; /* on all lists */
	unsigned int nr_loaded;	  /* vCPUs */
	uint64_t idle_since;	  /* ns; while none is loaded */
	struct inv_vcpu **vcpus;
	size_t nr_vcpus;
};

struct inv_track {
	struct inv_vm *vms;
	size_t nr_vms;
	struct inv_irq **hash;
	size_t buckets, nr_irqs;
	uint32_t generation; /* starts at 1; after a loss nothing earlier counts */
	uint32_t mark;
	struct inv_irqs seen; /* those of the list at hand, in its order */
};

void inv_track_finish(struct inv_track *t);
/* NULL: no memory. */
struct inv_vm *inv_track_vm(struct inv_track *t, uint16_t vm, bool model_v2);
struct inv_vcpu *inv_track_vcpu(struct inv_track *t, struct inv_vm *vm, uint16_t vcpu);
struct inv_irq *inv_track_irq(struct inv_track *t, uint16_t vm, uint16_t vcpu, uint32_t intid);
/* NULL: never seen. */
struct inv_irq *inv_track_find(const struct inv_track *t, uint16_t vm, uint16_t vcpu,
			       uint32_t intid);
int inv_irqs_add(struct inv_irqs *set, struct inv_irq *irq);

/* ---- rules between records (invariants_chain.c) ---- */

/* The record at hand, and where its rules report to. */
struct inv_moment {
	struct inv_judge *judge;
	struct inv_track *track;
	const struct inv_causes *causes;
	const struct vgic_invariants_config *cfg;
	struct vgic_invariants_totals *totals;
	struct inv_vm *vm;
	struct inv_vcpu *vcpu;
	const struct vgr_rec *rec;
	uint64_t begin; /* of the record */
	uint64_t index;
};

/* 0 or -ENOMEM. LRs in the layout of ICH_LR. */
int inv_chain_flush(struct inv_moment *m, const struct vgr_flush *f, const struct inv_entry *e);
int inv_chain_sync(struct inv_moment *m, const struct vgr_sync *s, const struct inv_exit *x);
int inv_chain_dir(struct inv_moment *m, const struct vgr_dir *d);
int inv_chain_inject(struct inv_moment *m, const struct vgr_inject *in);
/* What was known of the vCPU's list is worth nothing any more. */
void inv_chain_forget(struct inv_vcpu *v);

#endif
