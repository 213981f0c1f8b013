// SPDX-License-Identifier: GPL-2.0-only
/* Before an entry: summarise, sort, fill the list registers, configure the interrupts. */
#include "vgic_internal.h"
#include "vgic_lr.h"
#include "vgic_order.h"

#include <string.h>

/* Counts of a summary that are added up at once. */
typedef uint32_t counts __attribute__((vector_size(16)));
enum { PENDING, ACTIVE, DEPTH };

/* LRs that it asks for whatever else it is; an SGI may ask for more. */
#define WANTS_LR (VGIC_PENDING | VGIC_WITH_ACTIVE)

/* What each standing adds. */
#define ADDS(s)                                                                     \
	{                                                                           \
		VGIC_IN_SET(VGIC_DELIVERABLE & ~VGIC_WITH_ACTIVE, s),               \
			VGIC_IN_SET(VGIC_WITH_ACTIVE, s), VGIC_IN_SET(WANTS_LR, s), \
	}
static const counts adds[256] = {VGIC_EACH_256(ADDS)};

/* summarize_ap_list (OV-14), and 6.12's compute_ap_list_depth (HI-2), of some interrupts. */
struct tally {
	counts sum;
	unsigned int nr_sgi;
	unsigned int more; /* LRs that SGIs ask for beyond those that their standing tells */
	bool multi_sgi;
};

/* Called, for it is rare, and what is around it needs all registers. */
static __attribute__((noinline, cold, pure)) unsigned int lrs_of_sgi(const struct vgic_irq *irq)
{
	return vgic_irq_lr_count(irq);
}

static inline void tally_add(struct tally *t, const struct vgic_irq *irq, unsigned int standing)
{
	t->sum += adds[standing];
	if (vgic_irq_is_sgi(irq)) {
		t->nr_sgi += VGIC_IN_SET(VGIC_DELIVERABLE, standing);
		if (VGIC_RARELY(irq->source)) {
			unsigned int want = lrs_of_sgi(irq);

			t->more += want - adds[standing][DEPTH];
			t->multi_sgi |= want > 1;
		}
	}
}

static inline void tally_end(const struct tally *t, struct vgic_summary *s)
{
	s->nr_pend = t->sum[PENDING];
	s->nr_act = t->sum[ACTIVE];
	s->nr_sgi = t->nr_sgi;
	s->depth = t->sum[DEPTH] + t->more;
	s->multi_sgi = t->multi_sgi;
}

/* r: the list may have to be sorted, by keys of this kind, or NULL. */
static inline void summarise(struct vgic_vcpu *vcpu, struct vgic_ranks *r, bool pending_first)
{
	const struct vgic_order order = vgic_order_of(vcpu);
	struct tally t = {0};
	unsigned int place = 0;

	vgic_for_each_irq (irq, &vcpu->list) {
		unsigned int standing = vgic_standing(order.route, irq);

		tally_add(&t, irq, standing);
		if (r)
			vgic_ranks_add(r, place++, irq,
				       vgic_sort_key(&order, pending_first, irq, standing));
	}
	tally_end(&t, &vcpu->summary);
}

/*
 * OV-20, OV-21, HI-4. Returns the number of LRs written; *more: the list goes on after the last.
 * t: the whole list fits, and is summarised on the way, or NULL.
 */
static inline unsigned int populate(struct vgic *vgic, struct vgic_vcpu *vcpu, struct tally *t,
				    bool *more)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	bool barrier = !t && policy->multi_sgi_barrier && vcpu->summary.multi_sgi;
	bool heard = vgic_is_heard(vgic, VGIC_EVENT_POPULATED);
	uint16_t route = vgic_route(vgic, vcpu);
	unsigned int nr_lr = vgic->cfg.nr_lr, count = 0;
	struct vgic_irq *last = NULL;
	uint8_t lowest = 0xff;

	vgic_for_each_irq (irq, &vcpu->list) {
		if (t)
			tally_add(t, irq, vgic_standing(route, irq));
		if (barrier && irq->priority > lowest)
			break;
		if (!vgic_deliverable(route, irq))
			continue;
		vgic_populate_lr(vgic, vcpu, irq, count);
		if (heard)
			vgic_note(vgic, VGIC_EVENT_POPULATED, vcpu->index, irq, count);
		/* Sources are left: nothing of lower priority may pass them. */
		if (barrier && irq->source)
			lowest = irq->priority;
		last = irq;
		if (++count == nr_lr && !t)
			break;
	}
	*more = !t && count == nr_lr && last->next;
	vcpu->boundary = policy->last_lr == VGIC_LAST_LR_ALWAYS ||
					 (policy->last_lr == VGIC_LAST_LR_FULL && count == nr_lr)
				 ? last
				 : NULL;
	if (policy->overflow_list)
		vcpu->overflow = last ? last->next : NULL;
	for (uint64_t *lr = vcpu->lr + count; lr < vcpu->lr + nr_lr; lr++)
		if (*lr)
			*lr = 0;
	return count;
}

/* vgic_v3_configure_hcr and vgic_v2_configure_hcr from 6.19 on: OV-29 to OV-34, OV-72. */
static uint32_t by_summary(const struct vgic *vgic, const struct vgic_summary *s)
{
	unsigned int nr_lr = vgic->cfg.nr_lr;
	uint32_t hcr = 0;

	if (s->nr_pend + s->nr_act > nr_lr) {
		hcr |= VGIC_HCR_UIE;
		if (s->nr_pend > nr_lr)
			hcr |= VGIC_HCR_NPIE;
		if (s->nr_act)
			hcr |= VGIC_HCR_LRENPIE;
	}
	if (!vgic->cfg.gicv2 && !s->nr_sgi)
		hcr |= VGIC_HCR_VSGIEOICOUNT;
	return hcr;
}

static uint32_t groups(const struct vgic_vcpu *vcpu)
{
	/* By those that are enabled. */
	static const uint8_t mi[] = {
		[0] = VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP1EIE,
		[VGIC_VMCR_VENG0] = VGIC_HCR_VGRP0DIE | VGIC_HCR_VGRP1EIE,
		[VGIC_VMCR_VENG1] = VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP1DIE,
		[VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1] = VGIC_HCR_VGRP0DIE | VGIC_HCR_VGRP1DIE,
	};

	return mi[vcpu->vmcr & (VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1)];
}

/* OV-33 */
static bool traps_dir(const struct vgic *vgic, const struct vgic_summary *s)
{
	const struct vgic_policy *policy = vgic->cfg.policy;

	if (vgic->cfg.gicv2)
		return false;
	return (!vgic_has_tdir(vgic) && policy->tdir_without_tds) ||
	       (s->nr_act && policy->tdir_on_overflow &&
		s->nr_pend + s->nr_act > vgic->cfg.nr_lr) ||
	       (vgic->active_spis && policy->track_spis);
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

static inline bool needs_sort(const struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	if (!vgic_needs_sort(vgic, &vcpu->summary))
		return false;
	vcpu->sorted = true;
	vcpu->counts.sorts++;
	return true;
}

/* Apart from what calls it, for it has much on its stack, and a loop that needs all registers. */
static __attribute__((noinline)) void order_by_key(struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	struct vgic_ranks ranks;

	vgic_ranks_start(&ranks, vcpu->list.count);
	/* Two loops, each of which knows the kind of its keys. */
	if (vgic->cfg.policy->sort_pending_first)
		summarise(vcpu, &ranks, true);
	else
		summarise(vcpu, &ranks, false);
	if (!needs_sort(vgic, vcpu))
		return;
	vcpu->moved = ranks.moved;
	if (vcpu->moved)
		vgic_list_rank(vcpu, &ranks);
}

static void order(struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	summarise(vcpu, NULL, false);
	if (!needs_sort(vgic, vcpu))
		return;
	vcpu->moved = true;
	vgic_list_sort(vcpu);
}

static inline void finish(struct vgic *vgic, struct vgic_vcpu *vcpu, unsigned int used, bool more)
{
	vcpu->used_lrs = used;
	vcpu->hcr = make_hcr(vgic, vcpu, more);

	vcpu->counts.flushes++;
	vcpu->counts.populated += used;
	vcpu->counts.outside += vcpu->summary.nr_pend + vcpu->summary.nr_act - used;
}

static __attribute__((noinline)) void flush_any(struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	unsigned int used;
	bool more;

	if (vcpu->list.count > vgic->cfg.nr_lr && vcpu->list.count <= VGIC_RANKED &&
	    !vgic->cfg.policy->compare)
		order_by_key(vgic, vcpu);
	else
		order(vgic, vcpu);
	used = populate(vgic, vcpu, NULL, &more);
	finish(vgic, vcpu, used, more);
}

/* A list that stays in its order is summarised while it is populated. */
static inline void flush_in_order(struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	struct tally t = {0};
	bool more;
	unsigned int used = populate(vgic, vcpu, &t, &more);

	tally_end(&t, &vcpu->summary);
	finish(vgic, vcpu, used, more);
}

void vgic_flush(struct vgic *vgic, unsigned int index)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];

	vcpu->sorted = false;
	if (!policy->no_empty_shortcut && !vcpu->list.count)
		return;
	/* Whatever the summary will be, as many as there are LRs are not sorted by it. */
	if (vcpu->list.count <= vgic->cfg.nr_lr && policy->sort_by_summary && !policy->needs_sort &&
	    !policy->multi_sgi_barrier)
		flush_in_order(vgic, vcpu);
	else
		flush_any(vgic, vcpu);
}

bool vgic_restore(const struct vgic *vgic, unsigned int index, struct vgic_v3_cpuif *hw)
{
	const struct vgic_vcpu *vcpu = &vgic->vcpus[index];
	unsigned int used = vcpu->used_lrs;

	if (!vgic->cfg.policy->hcr_always && !used)
		return false;
	hw->hcr = vcpu->hcr | vgic_static_traps(vgic);
	for (unsigned int i = 0; i < used; i++)
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
