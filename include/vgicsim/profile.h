/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine takes for its entries, exits and traps, and how it is fitted from
 * recordings. An entry and an exit cost a constant, something for each interrupt of
 * the ap_list, for each list register, and an entry that sorts something for each
 * comparison of a merge sort; vgicsim-profile(5) has the formulas.
 */
#ifndef VGICSIM_PROFILE_H
#define VGICSIM_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/records.h>

#define VGIC_MAX_MI_DELAYS 64u

/* Largest value of a cost: ns of a constant, ps of what is counted. */
#define VGIC_MAX_COST_NS 1000000000ull
#define VGIC_MAX_COST_PS 1000000000ull

/* Costs of a host. *_ps: picoseconds, because they are multiplied. */
struct vgic_profile {
	uint64_t entry_ns;     /* flush begun to guest entered, nothing on the list */
	uint64_t exit_ns;      /* guest left to host ready to handle the exit, the same */
	uint64_t mi_out_ns;    /* guest left by an MI to the next entry, the same */
	uint64_t dir_out_ns;   /* guest left by a trapped DIR to the next entry, the same */
	uint64_t kick_ns;      /* request to guest left, multi-processor host; not measured */
	uint64_t mi_delay_ns;  /* MI asserted to guest left, median of what the runs show */
	uint64_t switch_ns;    /* guest entered to guest left, in which no guest runs */
	uint64_t entry_irq_ps; /* entry, for each interrupt on the list before the flush */
	uint64_t entry_lr_ps;  /* entry, for each list register written */
	uint64_t sort_ns;      /* entry that sorts */
	uint64_t sort_step_ps; /* entry that sorts, for each vgic_sort_steps() */
	uint64_t exit_irq_ps;  /* exit, for each interrupt on the list before the sync */
	uint64_t exit_lr_ps;   /* exit, for each list register read */
	uint32_t nr_mi_delays; /* 0: mi_delay_ns always */
	uint32_t reserved;
	uint64_t mi_delays[VGIC_MAX_MI_DELAYS]; /* quantiles of the delay, rising, ns */
};

/* Comparisons of a merge sort of n: n floor(log2 n) + 2 (n - 2^floor(log2 n)). */
uint64_t vgic_sort_steps(uint64_t n);

/* ns from the flush to the guest, and from the guest to the end of the sync. */
uint64_t vgic_entry_cost(const struct vgic_profile *p, unsigned int irqs, unsigned int lrs,
			 bool sorted);
uint64_t vgic_exit_cost(const struct vgic_profile *p, unsigned int irqs, unsigned int lrs);

/* Interrupts on the list before a flush that could go into an LR: more than LRs are sorted. */
unsigned int vgic_flush_deliverable(const struct vgr_flush *f);

/* ---- fit ---- */

enum vgic_fit_kind {
	VGIC_FIT_ENTRY = 0, /* flush begun to guest entered */
	VGIC_FIT_EXIT,	    /* guest left to exit recorded, the sync in between */
	VGIC_FIT_MI,	    /* exit recorded to flush begun, of MIs */
	VGIC_FIT_DIR,	    /* the same of trapped DIRs */
	VGIC_FIT_SWITCH,    /* guest entered to guest left: the shortest hundredth */
	VGIC_FIT_MI_DELAY,  /* MI asserted to guest left */
	VGIC_FITS
};

/* Terms of an entry, then of an exit, in the order in which they are looked for. */
enum vgic_fit_term {
	VGIC_TERM_ENTRY = 0,
	VGIC_TERM_ENTRY_IRQ,
	VGIC_TERM_ENTRY_LR,
	VGIC_TERM_SORT,
	VGIC_TERM_SORT_STEP,
	VGIC_TERM_EXIT,
	VGIC_TERM_EXIT_IRQ,
	VGIC_TERM_EXIT_LR,
	VGIC_TERMS
};

/* How well one kind is met by the terms fitted. */
struct vgic_fit {
	uint64_t n;		      /* samples; the longest hundredth is not fitted to */
	uint64_t median_ns, p90_ns;   /* absolute error */
	uint32_t median_ppm, p90_ppm; /* the same, of what was recorded */
	uint32_t explained_ppm; /* share of the variance (R^2) of what is fitted to; 0 of a constant
				 */
};

struct vgic_fit_report {
	struct vgic_fit fits[VGIC_FITS];
	bool open[VGIC_TERMS]; /* too little data for this term: it is 0 */
	uint64_t recordings;
};

/* Fewer samples than this are too little data for a kind. */
#define VGIC_FIT_FEW 20u

struct vgic_calibration;

/* 0 or -ENOMEM. */
int vgic_calibration_create(struct vgic_calibration **c);
void vgic_calibration_destroy(struct vgic_calibration *c);

/* Another recording, of a machine with nr_lr list registers, begins. */
void vgic_calibration_begin(struct vgic_calibration *c, unsigned int nr_lr);

/* One record of it, of the VM looked at. 0 or -ENOMEM. */
int vgic_calibration_record(struct vgic_calibration *c, const struct vgr_rec *rec);

/* An MI's delay, which only a derivation can tell. 0 or -ENOMEM. */
int vgic_calibration_mi_delay(struct vgic_calibration *c, uint64_t ns);

/* Of the profile only switch_ns, without a fit. */
uint64_t vgic_calibration_switch(struct vgic_calibration *c);

/* The fit of everything so far; report may be NULL. More may follow. 0 or -ENOMEM. */
int vgic_calibration_fit(struct vgic_calibration *c, struct vgic_profile *p,
			 struct vgic_fit_report *report);

/* "entry", ... as in the profile file; NULL beyond the last. */
const char *vgic_fit_name(unsigned int kind);
const char *vgic_term_name(unsigned int term);

#endif
