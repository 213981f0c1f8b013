/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy: what one generation of KVM's vgic does with list registers, as a
 * constant structure of switches, with functions where whole rules differ. The
 * engine (vgic.h) reads the switches; a generation is one entry of one table.
 * Switch names follow the history document (kvm-history.md section 2 to 4).
 */
#ifndef VGICSIM_POLICY_H
#define VGICSIM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vgic;
struct vgic_irq;
struct vgic_vcpu;

/* Counts over one ap_list before an entry (OV-14; HI-2 fills depth and multi_sgi). */
struct vgic_summary {
	unsigned int nr_pend; /* deliverable, pending and not active */
	unsigned int nr_act;  /* deliverable and active */
	unsigned int nr_sgi;  /* deliverable SGIs */
	unsigned int depth;   /* LRs the whole list asks for, whatever the oracle says */
	bool multi_sgi;	      /* an interrupt asks for more than one */
};

/* Which interrupts EOIcount deactivates at the sync. */
enum vgic_replay {
	VGIC_REPLAY_NONE = 0,	   /* EOIcount is not read */
	VGIC_REPLAY_WHOLE,	   /* from the head of the list */
	VGIC_REPLAY_WHOLE_SKIP_LR, /* the same, but none that was in an LR of this run */
	VGIC_REPLAY_TAIL,	   /* from the entry after the boundary */
};

/* When the boundary (last_lr_irq) is set at a flush. */
enum vgic_boundary {
	VGIC_BOUNDARY_NEVER = 0,
	VGIC_BOUNDARY_ALWAYS, /* every populated interrupt moves it */
	VGIC_BOUNDARY_FULL,   /* only when the last LR is filled */
};

/* What a trapped DIR does. */
enum vgic_dir_primitive {
	VGIC_DIR_NONE = 0, /* the kernel does not see DIR */
	VGIC_DIR_MERGED,   /* OV-63..69 */
};

struct vgic_policy {
	const char *name;    /* as the user writes it: linux-7.3 */
	const char *alias;   /* second name, or NULL */
	const char *summary; /* one line */
	/* Kernel releases it describes: major << 16 | minor << 8 | patch, both ends included. */
	uint32_t first, last;

	/* Flush */
	bool empty_shortcut;	/* flush and sync do nothing on an empty list (HI-1) */
	bool multi_sgi_barrier; /* nothing passes an SGI with sources left (HI-4) */
	bool uie_if_not_last;	/* UIE iff the list goes on after the last LR (HI-4) */
	bool track_on_lr;	/* on_lr exists (OV-28, OV-48) */
	enum vgic_boundary boundary;
	/* True if the list is sorted before it is populated (OV-16, HI-2). */
	bool (*needs_sort)(const struct vgic_summary *s, unsigned int nr_lr);
	/* Order of two interrupts: < 0 if a goes first, 0 if equal (OV-17, HI-3). */
	int (*compare)(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
		       const struct vgic_irq *b);
	/* Shadow ICH_HCR_EL2 of the entry; NULL: En, and UIE by uie_if_not_last. */
	uint32_t (*hcr)(const struct vgic *vgic, const struct vgic_vcpu *vcpu,
			const struct vgic_summary *s);

	/* Save and sync */
	bool static_traps_in_shadow; /* errata trap bits are part of the shadow HCR */
	bool hcr_always;	     /* HCR is written though no LR is used */
	bool hcr_zero_on_exit;	  /* ICH_HCR := 0 at exit (OV-40), else shadow without En (HI-7) */
	bool eager_vmcr;	  /* VMCR read back at every exit (OV-39), else at put */
	bool save_eoicount;	  /* EOIcount kept if LRENPIE was armed (OV-41) */
	bool fold_needs_lrs;	  /* no fold if no LR was used (HI-8) */
	bool fold_needs_boundary; /* no fold if the boundary is NULL (7.0 range) */
	bool fold_drops_lpi_active;    /* OV-42 */
	bool notify_needs_deactivated; /* else any end of an LR notifies (OV-49, HI-8) */
	enum vgic_replay replay;

	/* Deactivation and requests */
	enum vgic_dir_primitive dir;
	bool track_spis; /* active_spis and the broadcast kick (OV-12) */

	/* Run loop, for the machine */
	bool flush_after_check; /* an entry that is aborted costs no flush (7.3) */
	bool mode_after_sync;	/* a vCPU counts as out of the guest only after its sync (7.3.4) */
	bool pause_counter;	/* overlapping halts nest (7.3.4) */
};

/* By name or alias; NULL if there is none. */
const struct vgic_policy *vgic_policy_find(const char *name);

/*
 * The policy for a kernel release string ("6.12.95+deb12-cloud-arm64"); NULL if
 * it is not a release, or none of the table describes that kernel.
 */
const struct vgic_policy *vgic_policy_for_release(const char *release);

/* The table, oldest first; NULL from the end on. */
const struct vgic_policy *vgic_policy_at(size_t index);

#endif
