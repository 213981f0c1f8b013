// SPDX-License-Identifier: GPL-2.0-only
/* Before an entry: summarise, sort, fill the list registers, configure the interrupts. */
#include "vgic_internal.h"
#include "vgic_lr.h"
#include "vgic_order.h"

#include <string.h>

/* What each standing adds to a summary: to those active, and those deliverable. */
#define ADDS(s)	   ((VGIC_WITH_ACTIVE >> (s)&1) | (VGIC_DELIVERABLE >> (s)&1) << 32)
#define FOUR(s)	   ADDS(s), ADDS((s) + 1), ADDS((s) + 2), ADDS((s) + 3)
#define SIXTEEN(s) FOUR(s), FOUR((s) + 4), FOUR((s) + 8), FOUR((s) + 12)
static const uint64_t adds[64] = {SIXTEEN(0), SIXTEEN(16), SIXTEEN(32), SIXTEEN(48)};

/* LRs that it asks for whatever else it is; an SGI may ask for more. */
#define WANTS_LR (VGIC_PENDING | VGIC_WITH_ACTIVE)

static void summarise_sgi(struct vgic_summary *s, const struct vgic_irq *irq, unsigned int standing)
{
	unsigned int want = vgic_irq_lr_count(irq);

	s->nr_sgi += VGIC_DELIVERABLE >> standing & 1;
	s->depth += want - (WANTS_LR >> standing & 1);
	s->multi_sgi |= want > 1;
}

/*
 * summarize_ap_list (OV-14), and 6.12's compute_ap_list_depth (HI-2). keyed: the list may have
 * to be sorted; *in_order: by the keys it is already.
 */
static inline struct vgic_summary summarise(const struct vgic_vcpu *vcpu, bool keyed,
					    bool *in_order)
{
	const struct vgic_order order = vgic_order_of(vcpu);
	unsigned int last = 0, depth = 0, falls = 0;
	struct vgic_summary s = {0};
	uint64_t sum = 0;

	vgic_for_each_irq (irq, &vcpu->list) {
		unsigned int standing = vgic_standing(order.dist_enabled, irq);

		sum += adds[standing];
		depth += WANTS_LR >> standing & 1;
		if (vgic_irq_is_sgi(irq))
			summarise_sgi(&s, irq, standing);
		if (keyed) {
			unsigned int key = vgic_sort_key_of(&order, irq, standing);

			falls |= last > key;
			last = key;
		}
	}
	s.nr_act = (uint32_t)sum;
	s.nr_pend = (uint32_t)(sum >> 32) - s.nr_act;
	s.depth += depth;
	*in_order = keyed && !falls;
	return s;
}

/* OV-20, OV-21, HI-4. Returns the number of LRs written; *more: the list goes on after the last. */
static unsigned int populate(struct vgic *vgic, struct vgic_vcpu *vcpu, bool *more)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	bool barrier = policy->multi_sgi_barrier && vcpu->summary.multi_sgi;
	unsigned int nr_lr = vgic->cfg.nr_lr, count = 0;
	struct vgic_irq *last = NULL;
	uint8_t lowest = 0xff;

	*more = false;
	vcpu->boundary = NULL;
	vgic_for_each_irq (irq, &vcpu->list) {
		if (barrier && irq->priority > lowest)
			break;
		if (!vgic_deliverable(vgic->dist_enabled, irq))
			continue;
		vgic_populate_lr(vgic, vcpu, irq, count++);
		/* Sources are left: nothing of lower priority may pass them. */
		if (irq->source)
			lowest = irq->priority;
		if (policy->last_lr == VGIC_LAST_LR_ALWAYS)
			vcpu->boundary = irq;
		last = irq;
		if (count < nr_lr)
			continue;
		if (policy->last_lr == VGIC_LAST_LR_FULL)
			vcpu->boundary = irq;
		*more = irq->next;
		break;
	}
	if (policy->overflow_list)
		vcpu->overflow = last ? last->next : NULL;
	for (unsigned int i = count; i < nr_lr; i++)
		vcpu->lr[i] = 0;
	return count;
}

/* vgic_v3_configure_hcr and vgic_v2_configure_hcr from 6.19 on: OV-29 to OV-34, OV-72. */
static uint32_t by_summary(const struct vgic *vgic, const struct vgic_summary *s)
{
	unsigned int nr_lr = vgic->cfg.nr_lr;
	bool outside = s->nr_pend + s->nr_act > nr_lr;
	uint32_t hcr = 0;

	if (s->nr_pend > nr_lr)
		hcr |= VGIC_HCR_NPIE;
	if (s->nr_act && outside)
		hcr |= VGIC_HCR_LRENPIE;
	if (outside)
		hcr |= VGIC_HCR_UIE;
	if (!vgic->cfg.gicv2 && !s->nr_sgi)
		hcr |= VGIC_HCR_VSGIEOICOUNT;
	return hcr;
}

static uint32_t groups(const struct vgic_vcpu *vcpu)
{
	return (vcpu->vmcr & VGIC_VMCR_VENG0 ? VGIC_HCR_VGRP0DIE : VGIC_HCR_VGRP0EIE) |
	       (vcpu->vmcr & VGIC_VMCR_VENG1 ? VGIC_HCR_VGRP1DIE : VGIC_HCR_VGRP1EIE);
}

/* OV-33 */
static bool traps_dir(const struct vgic *vgic, const struct vgic_summary *s)
{
	const struct vgic_policy *policy = vgic->cfg.policy;

	if (vgic->cfg.gicv2)
		return false;
	return (policy->tdir_without_tds && !vgic_has_tdir(vgic)) ||
	       (policy->tdir_on_overflow && s->nr_act &&
		s->nr_pend + s->nr_act > vgic->cfg.nr_lr) ||
	       (policy->track_spis && vgic->active_spis);
}

static uint32_t make_hcr(const struct vgic *vgic, const struct vgic_vcpu *vcpu, bool more)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	const struct vgic_summary *s = &vcpu->summary;
	uint32_t hcr = VGIC_HCR_EN;

	if (policy->hcr) {
		hcr = policy->hcr(vgic, vcpu, s, more);
	} else {
		if (policy->mi_by_summary)
			hcr |= by_summary(vgic, s);
		else if (more)
			hcr |= VGIC_HCR_UIE; /* HI-4 */
		if (policy->grp_mi)
			hcr |= groups(vcpu);
		if (traps_dir(vgic, s))
			hcr |= VGIC_HCR_TDIR;
	}
	if (policy->static_traps_in_shadow) {
		hcr |= vgic->cfg.static_traps;
		/*
		 * vcpu_set_ich_hcr: against guests that would use the system registers of a
		 * GICv3 they were not given. On a GICv2 host they land in reserved bits.
		 */
		if (vgic->cfg.model_v2)
			hcr |= VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1;
	}
	return hcr;
}

void vgic_flush(struct vgic *vgic, unsigned int index)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];
	bool more, in_order;

	vcpu->sorted = false;
	if (!policy->no_empty_shortcut && !vcpu->list.count)
		return;

	if (vcpu->list.count <= vgic->cfg.nr_lr)
		vcpu->summary = summarise(vcpu, false, &in_order);
	else
		vcpu->summary = summarise(vcpu, true, &in_order);
	if (vgic_needs_sort(vgic, &vcpu->summary)) {
		vcpu->moved = !in_order || policy->compare;
		if (vcpu->moved)
			vgic_list_sort(vcpu);
		vcpu->sorted = true;
		vcpu->counts.sorts++;
	}
	vcpu->used_lrs = populate(vgic, vcpu, &more);

	vcpu->hcr = make_hcr(vgic, vcpu, more);

	vcpu->counts.flushes++;
	vcpu->counts.populated += vcpu->used_lrs;
	vcpu->counts.outside += vcpu->summary.nr_pend + vcpu->summary.nr_act - vcpu->used_lrs;
}

bool vgic_restore(const struct vgic *vgic, unsigned int index, struct vgic_v3_cpuif *hw)
{
	const struct vgic_vcpu *vcpu = &vgic->vcpus[index];

	if (!vgic->cfg.policy->hcr_always && !vcpu->used_lrs)
		return false;
	hw->hcr = vcpu->hcr | vgic_static_traps(vgic);
	for (unsigned int i = 0; i < vcpu->used_lrs; i++)
		hw->lr[i] = vcpu->lr[i];
	return true;
}

void vgic_load(const struct vgic *vgic, unsigned int index, struct vgic_v3_cpuif *hw)
{
	const struct vgic_vcpu *vcpu = &vgic->vcpus[index];

	hw->vmcr = vcpu->vmcr;
	memcpy(hw->ap0r, vcpu->ap0r, sizeof(hw->ap0r));
	memcpy(hw->ap1r, vcpu->ap1r, sizeof(hw->ap1r));
	/* __vgic_v3_activate_traps (HI-1): accesses must trap before any LR is in use. */
	if (!vgic->cfg.policy->hcr_always && vgic->cfg.static_traps)
		hw->hcr = VGIC_HCR_EN | vgic->cfg.static_traps;
}
