/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conditions on what a guest meets while it runs: at each entry of a vCPU its figures
 * are held against the limits of a condition. For whoever wants to know the moment at
 * which something was out of the ordinary, and not only that it was.
 */
#ifndef VGICSIM_TRIGGER_H
#define VGICSIM_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/records.h>

/* Figures of the vCPU that enters its guest. */
enum vgic_figure {
	/* ns: the longest raise to LR (raises.h) of what this entry shows for the first time */
	VGIC_FIGURE_RAISE_TO_LR = 0,
	/* ns since its raise, of what could be taken, stands outside the LRs and waited longest */
	VGIC_FIGURE_WAIT,
	/* interrupts outside the LRs that are active or could be taken */
	VGIC_FIGURE_OVERFLOW,
	/* exits, and those by a maintenance interrupt, in a second: of the last VGIC_RATE_NS */
	VGIC_FIGURE_EXITS,
	VGIC_FIGURE_MI,
	VGIC_FIGURES
};

/* Rates are counted over this time in steps of a tenth of it, the tenth of now included. */
#define VGIC_RATE_NS	100000000ull
#define VGIC_RATE_STEPS 10u

/* "raise-to-lr" ... */
const char *vgic_figure_name(enum vgic_figure q);

/* A condition, operators behind their operands. */
#define VGIC_CONDITION_MAX 64u

enum vgic_condition_op { VGIC_CONDITION_TERM = 0, VGIC_CONDITION_AND, VGIC_CONDITION_OR };

struct vgic_condition {
	struct vgic_condition_step {
		enum vgic_condition_op op;
		enum vgic_figure quantity; /* a term: it is met if the figure is larger */
		bool or_equal;		   /* or as large */
		uint64_t limit;
	} step[VGIC_CONDITION_MAX];
	unsigned int n;
};

/* An entry at which the condition is met, by the first of its terms that is. */
struct vgic_trigger_event {
	uint64_t time; /* ns, of the entry */
	uint16_t vm, vcpu;
	enum vgic_figure quantity;
	uint64_t value;
	uint32_t intid; /* of a time; VGR_BOUNDARY_NONE for what is no interrupt's */
};

struct vgic_trigger;

/*
 * nr_lr, gic_host, vgic_model: of the recording's header. 0, -EINVAL (a condition that is
 * none) or -ENOMEM.
 */
int vgic_trigger_create(struct vgic_trigger **t, const struct vgic_condition *condition,
			unsigned int nr_lr, unsigned int gic_host, unsigned int vgic_model);
void vgic_trigger_destroy(struct vgic_trigger *t);

/* One record, in file order. 1: it is such an entry, *event says which; 0 or -ENOMEM. */
int vgic_trigger_record(struct vgic_trigger *t, const struct vgr_rec *rec,
			struct vgic_trigger_event *event);

#endif
