/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy: what one generation of KVM's vgic does with list registers, as plain
 * data. Every difference between generations is one named switch; a generation is
 * one setting of all of them, and the engine (vgic.h) reads nothing else. Names
 * follow the history document (kvm-history.md sections 2 to 4).
 *
 * A policy from outside is a shared object that exports
 *
 *	const unsigned int vgic_policy_abi = VGIC_POLICY_ABI;
 *	const struct vgic_policy vgic_policy_plugin = { .name = "mine", ... };
 *
 * It may be written in switches alone, or replace whole rules by the functions at
 * the end of the structure. vgicsim-policies(1) has an example.
 */
#ifndef VGICSIM_POLICY_H
#define VGICSIM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vgic;
struct vgic_irq;
struct vgic_vcpu;

/* Changes whenever struct vgic_policy, struct vgic_irq or struct vgic_vcpu do. */
#define VGIC_POLICY_ABI 2u

/* Counts over one ap_list before an entry (OV-14; HI-2 fills depth and multi_sgi). */
struct vgic_summary {
	unsigned int nr_pend; /* deliverable, pending and not active */
	unsigned int nr_act;  /* deliverable and active */
	unsigned int nr_sgi;  /* deliverable SGIs */
	unsigned int depth;   /* LRs the whole list asks for, whatever the oracle says */
	bool multi_sgi;	      /* an interrupt asks for more than one */
};

/* replay: which interrupts EOIcount deactivates at the sync. */
enum vgic_replay {
	VGIC_REPLAY_NONE = 0,	   /* EOIcount is not read */
	VGIC_REPLAY_OVERFLOW,	   /* those of the overflow list */
	VGIC_REPLAY_WHOLE,	   /* from the head of the list */
	VGIC_REPLAY_WHOLE_SKIP_LR, /* the same, but none that was in an LR of this run */
	VGIC_REPLAY_TAIL,	   /* from the entry after last_lr_irq */
};

/* last_lr: when last_lr_irq is set at a flush. */
enum vgic_last_lr {
	VGIC_LAST_LR_NEVER = 0,
	VGIC_LAST_LR_ALWAYS, /* every populated interrupt moves it */
	VGIC_LAST_LR_FULL,   /* only when the last LR is filled */
};

/* fold: whether a sync folds at all. */
enum vgic_fold {
	VGIC_FOLD_ALWAYS = 0,
	VGIC_FOLD_IF_LRS,     /* not if no LR was used */
	VGIC_FOLD_IF_LAST_LR, /* not if last_lr_irq is NULL */
};

/* dir_primitive: what a trapped DIR does. */
enum vgic_dir_primitive {
	VGIC_DIR_NONE = 0, /* the kernel does not see DIR */
	VGIC_DIR_V1,	   /* as first posted: the oracle's vCPU, nothing if not active */
	VGIC_DIR_MERGED,   /* OV-63..69 */
};

struct vgic_policy {
	const char *name;    /* as the user writes it: linux-7.3 */
	const char *alias;   /* second name, or NULL */
	const char *summary; /* one line */
	/*
	 * Kernel releases it describes: major << 16 | minor << 8 | patch, both ends
	 * included; last 0: none (never released).
	 */
	uint32_t first, last;

	/* The switches; what each does is in the table of switches.c. Flush: */
	uint8_t no_empty_shortcut;
	uint8_t sort_by_summary;
	uint8_t sort_pending_first;
	uint8_t sort_deliverable_first;
	uint8_t multi_sgi_barrier;
	uint8_t mi_by_summary;
	uint8_t grp_mi;
	uint8_t overflow_list;
	uint8_t track_on_lr;
	uint8_t last_lr; /* enum vgic_last_lr */
	uint8_t last_lr_ref;
	/* save and sync: */
	uint8_t static_traps_in_shadow;
	uint8_t hcr_always;
	uint8_t hcr_zero_on_exit;
	uint8_t eager_vmcr;
	uint8_t save_eoicount;
	uint8_t fold; /* enum vgic_fold */
	uint8_t fold_drops_lpi_active;
	uint8_t notify_needs_deactivated;
	uint8_t replay; /* enum vgic_replay */
	uint8_t replay_on_v2;
	uint8_t replay_hw_v2;
	uint8_t v1_list_bug;
	/* deactivation and its traps: */
	uint8_t tdir_on_overflow;
	uint8_t track_spis;
	uint8_t no_tds_traps_tc;
	uint8_t tdir_without_tds;
	uint8_t v1_tdir_probe_bug;
	uint8_t dir_primitive; /* enum vgic_dir_primitive */
	uint8_t dir_primitive_v2;
	uint8_t dir_in_lr;
	uint8_t dir_checks_source;
	uint8_t trap_gicv_dir;
	uint8_t icactiver_offset_bug;
	uint8_t nested_no_phys_dir;
	uint8_t bpr1_cbpr_bug;
	/* run loop: */
	uint8_t flush_after_check;
	uint8_t mode_after_sync;
	uint8_t pause_counter;
	/* LPIs: */
	uint8_t movall_filter;
	uint8_t lpi_disable_halts;
	uint8_t one_event_per_lpi;

	/* Instead of the rules that the switches choose; NULL in the table. */
	/* True if the list is sorted before it is populated (OV-16, HI-2). */
	bool (*needs_sort)(const struct vgic_summary *s, unsigned int nr_lr);
	/* Order of two interrupts: < 0 if a goes first, 0 if equal (OV-17, HI-3). */
	int (*compare)(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
		       const struct vgic_irq *b);
	/* Shadow HCR of the entry; more: the list goes on after the last LR. */
	uint32_t (*hcr)(const struct vgic *vgic, const struct vgic_vcpu *vcpu,
			const struct vgic_summary *s, bool more);
};

/* One switch of struct vgic_policy. */
struct vgic_switch {
	const char *name;
	const char *rule;	   /* OV-n or HI-n where it acts, "-" if none is numbered */
	const char *origin;	   /* patch and commit that turned it, kernel */
	const char *text;	   /* what it does when on, one sentence */
	const char *const *values; /* names of its values, NULL-terminated; NULL: 0 and 1 */
	size_t offset;		   /* of its byte in struct vgic_policy */
};

/* The table of switches in the order of the structure; NULL from the end on. By name; NULL. */
const struct vgic_switch *vgic_switch_at(size_t index);
const struct vgic_switch *vgic_switch_find(const char *name);

static inline uint8_t vgic_switch_get(const struct vgic_switch *s, const struct vgic_policy *p)
{
	return *((const uint8_t *)p + s->offset);
}

static inline void vgic_switch_set(const struct vgic_switch *s, struct vgic_policy *p, uint8_t v)
{
	*((uint8_t *)p + s->offset) = v;
}

/* Number of values a switch has, and the name of one ("?" if there is no such value). */
unsigned int vgic_switch_values(const struct vgic_switch *s);
const char *vgic_switch_value_name(const struct vgic_switch *s, unsigned int value);
/* Number of a value by its name; -1 if the switch has none of that name. */
int vgic_switch_parse(const struct vgic_switch *s, const char *value);

/* By name or alias; NULL if there is none. */
const struct vgic_policy *vgic_policy_find(const char *name);

/* Longest name of a policy with overrides, with its NUL. */
#define VGIC_POLICY_NAME 256

/* A policy of one's own: a base with overrides. The name of the policy is in the structure. */
struct vgic_policy_spec {
	struct vgic_policy policy;
	char name[VGIC_POLICY_NAME];
	char bad[64]; /* of a specification that was refused: the part that is wrong */
};

/*
 * Applies "switch=value+switch=value" to spec->policy, which the caller has set to the
 * base, and gives it the name "base+switch=value...". Empty: the base itself. 0;
 * -ENOENT (no such switch, in spec->bad), -EINVAL (no such value), -E2BIG (too long).
 */
int vgic_policy_override(struct vgic_policy_spec *spec, const char *overrides);

/*
 * The policy for a kernel release string ("6.12.95+deb12-cloud-arm64"); NULL if
 * it is not a release, or none of the table describes that kernel.
 */
const struct vgic_policy *vgic_policy_for_release(const char *release);

/* The table, oldest first; NULL from the end on. */
const struct vgic_policy *vgic_policy_at(size_t index);

#endif
