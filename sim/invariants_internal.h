/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the invariant checker share: parts of rules, views of a moment, causes. */
#ifndef VGICSIM_SIM_INVARIANTS_INTERNAL_H
#define VGICSIM_SIM_INVARIANTS_INTERNAL_H

#include <vgicsim/cpuif.h>
#include <vgicsim/invariants.h>
#include <vgicsim/vgic.h>

/* ---- parts of rules (invariants_rules.c) ---- */

enum inv_part {
	INV_OWNER,	    /* 1a */
	INV_ONCE,	    /* 1b */
	INV_LISTED,	    /* 1c */
	INV_ORACLE,	    /* 2a */
	INV_ONE_LR,	    /* 3a */
	INV_LR_LISTED,	    /* 4a */
	INV_LR_ORACLE,	    /* 4b */
	INV_ON_LR_SET,	    /* 4c */
	INV_ON_LR_CLEAR,    /* 4d */
	INV_USED,	    /* 5a */
	INV_LR_ORDER,	    /* 5b */
	INV_TAIL,	    /* 6a */
	INV_BOUNDARY,	    /* 6b */
	INV_PRIORITY,	    /* 7a */
	INV_ACTIVE_IN,	    /* 7b */
	INV_GROUP_IN,	    /* 7c */
	INV_LR_BOTH,	    /* 8a */
	INV_LR_HW,	    /* 8b */
	INV_LR_EOI,	    /* 8c */
	INV_EOICOUNT,	    /* 9a */
	INV_GROUP_MI,	    /* 9b */
	INV_NPIE_UIE,	    /* 9c */
	INV_LRENPIE_UIE,    /* 9d */
	INV_TDIR,	    /* 9e */
	INV_LRENPIE,	    /* 9f */
	INV_UIE,	    /* 9g */
	INV_MISR,	    /* 10a */
	INV_REPLAYED,	    /* 11a */
	INV_REPLAYED_LR,    /* 11b */
	INV_LPI_ACTIVE,	    /* 12a */
	INV_EDGE_FOLDED,    /* 13a */
	INV_EDGE_KEPT,	    /* 13b */
	INV_EDGE_SEEN,	    /* 13c */
	INV_LEVEL_PRUNED,   /* 14a */
	INV_LEVEL_SEEN,	    /* 14b */
	INV_DEACTIVATED,    /* 15a */
	INV_DIR_EFFECT,	    /* 15b */
	INV_ACTIVE_GONE,    /* 15c */
	INV_ACTIVE_COMES,   /* 15d */
	INV_SPIS_NEGATIVE,  /* 16a */
	INV_SPIS_TDIR,	    /* 16b */
	INV_SPIS_UNTRAPPED, /* 16c */
	INV_BOUNDARY_KEPT,  /* 17a */
	INV_BOUNDARY_NULL,  /* 17b */
	INV_PROGRESS,	    /* 18a */
	INV_NR_PARTS
};

struct inv_part_info {
	uint8_t rule;
	char letter;
	const char *text;
	const char *known;   /* failure class of old kernels */
	const char *follows; /* switch=value, NULL: every kernel */
	bool together;	     /* about several interrupts: a change of any may explain it */
};

const struct inv_part_info *inv_part_info(enum inv_part part);
/* Does the policy promise this part? */
bool inv_promised(const struct vgic_policy *policy, enum inv_part part);

/* ---- judging one moment (invariants_flush.c, invariants_sync.c) ---- */

/* What can explain that two readings do not agree; the excuse of a suspect. Flags are ORed. */
#define INV_MAY_CLEAR  0x01u /* active may have been cleared */
#define INV_MAY_SET    0x02u /* active may have been set */
#define INV_MAY_PEND   0x04u /* pending latch or line may have changed */
#define INV_MAY_MOVE   0x08u /* on or off a list */
#define INV_MAY_CONFIG 0x10u /* enable, route, group, priority, trigger, distributor */
#define INV_MAY_COUNT  0x20u /* active_spis */
#define INV_MAY_ANY    0x3fu
#define INV_MAY_USER   0x40u /* the VMM may have written registers: no vCPU was loaded */

/* A rule is not kept, as far as one record shows; what else happened decides. */
struct inv_suspect {
	enum inv_part part;
	uint32_t intid;	     /* VGR_BOUNDARY_NONE: not about one interrupt */
	uint32_t excuse;     /* INV_MAY_*: of this interrupt, or of any if there is none */
	uint64_t begin, end; /* ns, of the window in which the excuse must fall; 0: of the record */
	uint64_t cause;	     /* record that was in vain, 0 none */
	bool want_cause;     /* the latest record that may have cleared active */
	bool lawful;	     /* the excuse is what the rule allows: then it was kept */
	const char *known;   /* instead of the part's, NULL: the part's */
	char what[256];
};

/* Where the judges report to, and what they count. */
struct inv_judge {
	bool on[INV_NR_PARTS]; /* parts that are looked at */
	uint64_t evaluated[VGIC_NR_INVARIANTS + 1];
	void *to;
	void (*suspect)(void *to, const struct inv_suspect *s);
	/* May be NULL. */
	void (*undecided)(void *to, unsigned int rule, enum vgic_undecided why);
};

void inv_judge_init(struct inv_judge *j, const struct vgic_policy *policy, bool strict, bool gicv2);

__attribute__((format(printf, 5, 6))) void inv_suspect(struct inv_judge *j, enum inv_part part,
						       uint32_t intid, uint32_t excuse,
						       const char *format, ...);

/* The same, with the name of a known failure that depends on the case. */
__attribute__((format(printf, 6, 7))) void inv_suspect_known(struct inv_judge *j,
							     enum inv_part part, uint32_t intid,
							     uint32_t excuse, const char *known,
							     const char *format, ...);

/* An entry to the guest as the flush left it; LRs in the layout of ICH_LR. */
struct inv_entry {
	uint16_t vcpu;
	bool model_v2, gicv2;
	bool barrier; /* the policy has multi_sgi_barrier */
	bool late;    /* the list was read after its lock was dropped, and had grown */
	bool dist_enabled;
	uint32_t hcr, vmcr;
	uint32_t boundary;
	int32_t active_spis; /* -1: no such counter */
	unsigned int used, nr_lr;
	const uint64_t *lr; /* nr_lr of them */
	const struct vgr_irq *irqs;
	size_t n;
};

/* Rules 3 to 10 and 16, and what of rule 1 one list shows. */
void inv_judge_entry(struct inv_judge *j, const struct inv_entry *e);

/* The end of a run: what came back, and the list after the prune. */
struct inv_exit {
	uint16_t vcpu;
	bool model_v2, gicv2;
	bool folded; /* the kernel looked at the LRs */
	bool dist_enabled;
	uint32_t hcr;
	uint32_t boundary;
	int32_t spis_before, spis_after;
	unsigned int used;
	const uint64_t *lr;
	const struct vgr_irq *before, *after; /* the same interrupts in the same order */
	size_t n;
	const uint32_t *order; /* INTIDs of the list after the prune */
	size_t n_order;
};

/* Rules 1, 2, 4, 6, 11, 12, 13 and 16 of one sync. */
void inv_judge_exit(struct inv_judge *j, const struct inv_exit *x);

/* Rules 2, 4 and 12 of one listed interrupt of a vCPU that is out of the guest. */
void inv_judge_listed(struct inv_judge *j, uint16_t vcpu, bool dist_enabled,
		      const struct vgr_irq *irq);

/* Helpers of both. */

/* OV-1 */
static inline bool inv_pending(const struct vgr_irq *irq)
{
	return (irq->state & VGR_IRQ_LATCH) ||
	       ((irq->state & VGR_IRQ_LEVEL) && (irq->state & VGR_IRQ_LINE));
}

/* OV-5 */
static inline uint16_t inv_oracle(const struct vgr_irq *irq, bool dist_enabled)
{
	if (irq->state & VGR_IRQ_ACTIVE)
		return irq->vcpu != VGR_NO_VCPU ? irq->vcpu : irq->target;
	if ((irq->state & VGR_IRQ_ENABLED) && inv_pending(irq) && dist_enabled)
		return irq->target;
	return VGR_NO_VCPU;
}

static inline uint32_t inv_lr_intid(uint64_t lr, bool model_v2)
{
	return lr & (model_v2 ? 0x3ffu : VGIC_LR_VINTID);
}

/* LR of an interrupt, -1 if none. */
static inline int inv_lr_of(const uint64_t *lr, unsigned int used, uint32_t intid, bool model_v2)
{
	uint32_t mask = model_v2 ? 0x3ffu : VGIC_LR_VINTID;

	for (unsigned int i = 0; i < used; i++)
		if ((lr[i] & mask) == intid && lr[i])
			return (int)i;
	return -1;
}

static inline bool inv_group_on(uint32_t vmcr, const struct vgr_irq *irq)
{
	return vmcr & (irq->state & VGR_IRQ_GROUP1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0);
}

/* Of invariants_flush.c: "active enabled edge on_lr, priority 0xa0"; gives buf. */
const char *inv_state_text(char *buf, size_t size, const struct vgr_irq *irq);

/* ---- what other threads did (invariants_causes.c) ---- */

struct inv_action {
	uint64_t from, to;    /* ns; its effect falls between them */
	uint64_t index;	      /* of its record */
	uint32_t first, last; /* INTIDs */
	uint32_t tid;
	uint16_t vm, of; /* of: vCPU of private INTIDs, VGR_NO_VCPU for any */
	uint16_t cpu, type;
	uint16_t may; /* INV_MAY_* */
	bool open;    /* to is not known yet */
};

struct inv_causes;

int inv_causes_create(struct inv_causes **out);
void inv_causes_destroy(struct inv_causes *c);

/*
 * Takes note of a record. gicd_mask: how much of an address is the offset within a
 * frame of the distributor, 0xfff or 0xffff.
 */
void inv_causes_record(struct inv_causes *c, const struct vgr_rec *rec, uint64_t index,
		       uint32_t gicd_mask);
/* Between the two times no vCPU of the VM was loaded: its VMM may have done anything. */
void inv_causes_idle(struct inv_causes *c, const struct vgr_rec *rec, uint64_t index,
		     uint64_t from);
/* An action of a sync: an interrupt leaves a list, or the counter moves. */
void inv_causes_sync(struct inv_causes *c, const struct vgr_sync *s, uint64_t index, uint32_t intid,
		     uint16_t may);

struct inv_window {
	uint64_t begin, end;
	uint16_t vm, vcpu;
};

/* FORGOTTEN: so long ago that nobody knows. */
enum inv_verdict { INV_GUILTY, INV_EXCUSED, INV_FORGOTTEN, INV_LOST };

/* Could an action, other than those of the records except, explain it? intid as in inv_suspect. */
enum inv_verdict inv_causes_ask(const struct inv_causes *c, const struct inv_window *w,
				uint32_t intid, uint32_t excuse, const uint64_t except[2]);
/* Record of the latest action in the window that may be it; 0 none. */
uint64_t inv_causes_find(const struct inv_causes *c, const struct inv_window *w, uint32_t intid,
			 uint32_t may);
/* When the action of a record was over, at the latest. */
uint64_t inv_causes_over(const struct inv_causes *c, uint64_t index, uint64_t from);

#endif
