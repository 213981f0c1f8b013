/* SPDX-License-Identifier: GPL-2.0-only */
/* What the records of a recording add up to, per vCPU; and which interrupts starved. */
#ifndef VGICSIM_CLI_SUMMARY_H
#define VGICSIM_CLI_SUMMARY_H

#include <vgicsim/decode.h>
#include <vgicsim/metrics.h>
#include <vgicsim/recording.h>
#include "text.h"

#define SUMMARY_ECS 64 /* ESR_EL2.EC is 6 bits */
#define SUMMARY_MIS 8  /* bits of ICH_MISR_EL2 */

/* An interrupt that could be taken but stands outside the list registers. */
struct waiting {
	uint32_t intid;
	uint8_t priority;
	uint64_t since;	  /* ns */
	uint64_t record;  /* number of the flush at which that began */
	uint64_t entries; /* flushes at which it has waited */
};

struct vcpu_summary {
	uint16_t vm, vcpu;
	uint64_t flushes, syncs, entries;
	uint64_t exits_irq, exits_serror, exits_trap[SUMMARY_ECS], exits_other;
	uint64_t dir, sgi, wfi, wfe, mmio, loads, kicks;
	uint64_t handlers;		/* that the guest's own trace tells of */
	struct vgic_vcpu_counts counts; /* after summary_end() */
	uint64_t used[VGR_MAX_LRS + 1]; /* flushes by list registers in use */
	uint32_t longest_list;
	uint64_t first_time, last_time; /* ns */
	/* the last flush */
	uint64_t lr[VGR_MAX_LRS]; /* in the layout of ICH_LR<n>_EL2 */
	bool v2_guest;
	unsigned int used_lrs;
	uint64_t lr_same;	 /* flushes in a row with the same list registers */
	struct waiting *waiting; /* sorted by INTID; after summary_end() */
	size_t nr_waiting;
};

struct vm_summary {
	uint16_t vm;
	uint64_t start;	 /* time of its first record, ns */
	uint64_t before; /* records of the recording before that */
	struct vgic_measure *measure;
};

struct summary {
	struct vgic_decoder *decoder;
	struct text_gic gic;
	unsigned int nr_lr;
	uint64_t injects, msis, acks;
	struct vcpu_summary nobody; /* entries and exits of vCPUs that the recording cannot name */
	struct vcpu_summary *vcpus;
	size_t nr, cap;
	struct vm_summary *vms;
	size_t nr_vms;
	/* Of all VMs together, after summary_end(). */
	struct vgic_latency_series to_lr;
	uint64_t merged; /* raises */
};

/* 0 or -ENOMEM. */
int summary_init(struct summary *s, const struct vgr_header *h);
int summary_add(struct summary *s, const struct vgr_rec *rec, uint64_t number);
/* After the last record: counts and who waits. 0 or -ENOMEM. */
int summary_end(struct summary *s);
void summary_finish(struct summary *s);

/* How long w has waited when the recording of v ends, ns. */
uint64_t summary_waited(const struct vcpu_summary *v, const struct waiting *w);

/* Time-weighted list registers in use while in the guest; 0 without guest time. */
double summary_mean_lrs(const struct vcpu_summary *v);

/* "EOI", "U", "LRENP", "NP", "VGrp0E" ... for a bit of ICH_MISR_EL2. */
const char *summary_mi_name(unsigned int bit);

/* "WFx", "sysreg" ... for an exception class; NULL if it has no name here. */
const char *summary_ec_name(unsigned int ec);

#endif
