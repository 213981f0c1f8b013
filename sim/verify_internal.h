/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of verify share: the log of other CPUs' changes, and the names of rules. */
#ifndef VGICSIM_SIM_VERIFY_INTERNAL_H
#define VGICSIM_SIM_VERIFY_INTERNAL_H

#include <vgicsim/verify.h>
#include <vgicsim/vgic.h>

/* ---- changes (verify_changes.c) ---- */

/* Interrupts that a change may concern; flags are ORed. */
#define CHANGE_INTIDS  0x01u /* first to last */
#define CHANGE_LPIS    0x02u /* any LPI */
#define CHANGE_SPIS    0x04u /* any SPI */
#define CHANGE_PRIVATE 0x08u /* any SGI or PPI */
#define CHANGE_COUNTER 0x10u /* active_spis */
#define CHANGE_ANY     (CHANGE_LPIS | CHANGE_SPIS | CHANGE_PRIVATE | CHANGE_COUNTER)

/* Something that a thread or a handler on one CPU did to interrupts between two moments. */
struct change {
	uint64_t from, to;    /* ns; to is UINT64_MAX until the thread's next record is seen */
	uint32_t first, last; /* INTIDs, with CHANGE_INTIDS */
	uint32_t tid;	      /* while it is open: it may not have taken effect yet; else 0 */
	uint32_t before;      /* the same thread's open one before it */
	uint16_t cpu, vm;
	uint16_t of; /* vCPU of private INTIDs, VGR_NO_VCPU for any */
	uint8_t what;
	uint8_t type; /* of the record */
};

/* A thread by its number; newest: its latest open change. */
struct open_slot {
	uint32_t tid, newest;
};

#define OPEN_CLASSES 256u

struct loss {
	uint64_t from, to;
};

/* Changes for which the log keeps one number together, the last moment one of them reaches to. */
#define CHANGE_BLOCK	 64u
/* What one record can have: a sync moves its whole list, and the counter. */
#define CHANGES_EACH	 (VGR_MAX_IRQS + 1u)
#define CHANGE_LAST_SIZE (384u * VGR_MAX_IRQS)

struct change_log {
	struct change *v;
	uint64_t *reach;
	size_t n, size, nr_sorted; /* the first ones stand in the order of from */
	struct open_slot *slots;   /* hash table */
	size_t nr_slots, used_slots;
	uint32_t open[OPEN_CLASSES]; /* number of open changes, by the last bits of the thread */
	/* Losses, for records that need every record around them. */
	struct loss *losses;
	size_t nr_losses, losses_size;
	bool endless; /* there are such whose end is not known; they began then */
	uint64_t endless_from;
};

/* What the record's thread did before may be done: for every record, first of all. */
void change_log_end(struct change_log *log, const struct vgr_rec *rec);

/*
 * Not of these: they are part of what the thread did before, or tell only that it lost its CPU
 * or came to another one, or what its guest did.
 */
static inline bool change_ends(const struct vgr_rec *rec)
{
	const uint32_t never = 1u << VGR_KICK | 1u << VGR_LEVEL | 1u << VGR_ACKED | 1u << VGR_VCPU |
			       1u << VGR_LOAD | 1u << VGR_PUT | 1u << VGR_HANDLER;

	return rec->type >= VGR_TYPE_MAX || !(never >> rec->type & 1);
}

static inline bool change_log_open(const struct change_log *log, const struct vgr_rec *rec)
{
	return log->open[rec->tid % OPEN_CLASSES];
}

/*
 * The log takes VGR_INJECT, SGI, MSI, DIR, MMIO, PRUNE, SYNC and LOSS. Before each: is there room
 * for all that it can say? If not, reclaim forgets what no window that begins at a time or later
 * can touch. 0; 1 if too much is left all the same, and somebody must do without; -ENOMEM.
 */
static inline bool change_log_full(const struct change_log *log)
{
	return log->n + CHANGES_EACH > log->size || log->used_slots * 2 >= log->nr_slots ||
	       log->nr_losses >= CHANGE_LAST_SIZE;
}

int change_log_reclaim(struct change_log *log, uint64_t before);
/* Forgets the earlier half, whatever is in it. 0 or -ENOMEM. */
int change_log_drop(struct change_log *log);
/* 0 or -ENOMEM. */
int change_log_take(struct change_log *log, const struct vgr_rec *rec);
void change_log_finish(struct change_log *log);
/* Call before the first query after records were given. 0 or -ENOMEM. */
int change_log_prepare(struct change_log *log);

struct window {
	uint64_t begin, end;
	uint16_t cpu, vm, vcpu;
};

/* Did another CPU change one of the n INTIDs in the window? */
bool change_log_hits(const struct change_log *log, const struct window *w, const uint32_t *intids,
		     size_t n);
bool change_log_counter(const struct change_log *log, const struct window *w);
bool change_log_lost(const struct change_log *log, const struct window *w);

/* ---- rules (verify_rules.c) ---- */

struct rule {
	const char *id;	 /* from 6.19 on */
	const char *old; /* the same rule in 6.12, NULL if it has the same name */
	const char *text;
};

extern const struct rule rule_skip, rule_used, rule_order_flush, rule_boundary, rule_order_sync,
	rule_owner, rule_counter, rule_level, rule_notify, rule_called_off, rule_mode_flush,
	rule_mode_sync, rule_fold, rule_vmcr, rule_hcr_back;

const struct rule *rule_of_lr(uint64_t diff);
const struct rule *rule_of_hcr(uint32_t diff);
const struct rule *rule_of_populated(const struct vgr_irq *kernel, const struct vgr_irq *model);
/* in_lr: the interrupt was in an LR of the run. */
const struct rule *rule_of_folded(const struct vgr_irq *kernel, const struct vgr_irq *model,
				  bool in_lr);

/* ---- one record (verify_check.c) ---- */

#define MAX_DIFFS   16
#define MAX_SAMPLES 64

struct diff {
	const struct rule *rule;
	const char *field;
	uint32_t intid; /* VGR_BOUNDARY_NONE: not about one interrupt */
	uint64_t kernel, model;
	bool counter; /* active_spis, or a bit that follows from it */
};

/* VGR_LEVEL, VGR_ACKED and lines that went low, of one CPU since its last flush or sync. */
struct samples {
	unsigned int nr_levels, nr_acked, nr_lowered;
	struct {
		uint64_t time;
		uint32_t intid;
		bool level, used;
	} levels[MAX_SAMPLES];
	struct {
		uint64_t time;
		uint32_t intid;
	} acked[MAX_SAMPLES], lowered[MAX_SAMPLES];
};

/* What comparing one record yields. */
struct check {
	const struct vgic_verify_config *cfg;
	struct vgic *vgic;
	struct vgic_verify_totals *totals;
	struct samples *samples; /* of the record's CPU */
	uint32_t boundary; /* in: of the vCPU's last flush by the model; out of a flush: its own */
	bool called_off;   /* in: the sync follows a flush, and no entry came between */
	/* In: what the flush of the same run left, if it is known. Out of a flush the same. */
	bool programmed;
	uint32_t hcr, vmcr;
	/* Results. */
	struct diff diffs[MAX_DIFFS];
	unsigned int nr_diffs;
	int undecided; /* enum vgic_undecided of a record that cannot be compared, else -1 */
	bool lpi;      /* an LR holds an LPI that the list does not show */
	bool late;     /* interrupts stand in the later list that the earlier one does not have */
	bool no_level; /* a physical level was needed and not recorded */
	/* While it runs. */
	uint64_t begin, end;
	unsigned int notified;
};

/* 0, or -ENOMEM. */
int check_flush(struct check *c, const struct vgr_flush *f);
int check_sync(struct check *c, const struct vgr_sync *s);

/* ---- records that differ, until they are decided (verify_kept.c) ---- */

struct kept;
struct hinted;

/* Rules that mismatch, and whether the switch behind them was looked for. */
#define MAX_HINTED 64

struct kept_log {
	char *v; /* struct kept one after another, from head to tail */
	size_t head, tail, size;
	size_t n;
	uint32_t *intids; /* of the record that is decided */
	size_t nr_intids;
	struct hinted *hinted; /* MAX_HINTED of them, or NULL */
	unsigned int nr_hinted;
};

static inline bool kept_any(const struct kept_log *log)
{
	return log->head != log->tail;
}

static inline size_t kept_bytes(const struct kept_log *log)
{
	return log->tail - log->head;
}

/* Keeps the record that c has just been the check of, which began at begin. 0 or -ENOMEM. */
int kept_add(struct kept_log *log, const struct check *c, const struct vgr_rec *rec, uint64_t begin,
	     uint64_t index);
/*
 * Decides what ended before a time, counts it and tells of mismatches. 0 or -ENOMEM.
 */
int kept_settle(struct kept_log *log, const struct change_log *changes,
		const struct vgic_verify_config *cfg, struct vgic_verify_totals *totals,
		uint64_t before);
/* The earliest begin of all, and the end of the first; UINT64_MAX if there is none. */
uint64_t kept_earliest(const struct kept_log *log);
uint64_t kept_first_end(const struct kept_log *log);
void kept_finish(struct kept_log *log);

/* ---- switches (verify_switches.c) ---- */

#define HINT_SIZE 384

/*
 * Which single switch of the policy would make the model agree with a record that c
 * has just been the check of: with all of it, or, if there is none, with the n-th
 * difference. Into text; 0 or -ENOMEM.
 */
int check_switches(const struct check *c, const struct vgr_rec *rec, unsigned int n, char *text);

/* vgic_env of the verifier: physical levels and notifications come from the record. */
bool check_physical_level(void *check, unsigned int vcpu, const struct vgic_irq *irq);
void check_notified(void *check, uint32_t intid);

#endif
