// SPDX-License-Identifier: GPL-2.0-only
/* The end of one run: does what the fold and the prune left follow from what came back? */
#include "invariants_internal.h"

void inv_judge_listed(struct inv_judge *j, uint16_t vcpu, bool dist_enabled,
		      const struct vgr_irq *irq)
{
	char text[96];

	j->evaluated[2]++;
	if (inv_oracle(irq, dist_enabled) != vcpu)
		inv_suspect(j, INV_ORACLE, irq->intid, INV_MAY_ANY,
			    "it stays on the list of vCPU %u: %s, routed to vCPU %d", vcpu,
			    inv_state_text(text, sizeof(text), irq), (int16_t)irq->target);
}

/* at: where it would stand if nothing before it in the earlier list has moved. */
static bool in_order(const struct inv_exit *x, uint32_t intid, size_t at)
{
	if (at < x->n_order && x->order[at] == intid)
		return true;
	for (size_t i = 0; i < x->n_order; i++)
		if (x->order[i] == intid)
			return true;
	return false;
}

/* Rules 1, 2 and 14: who stays on the list. */
static void judge_prune(struct inv_judge *j, const struct inv_exit *x, const struct vgr_irq *irq,
			bool stays)
{
	char text[96];

	j->evaluated[1]++;
	if (stays != (irq->vcpu == x->vcpu))
		inv_suspect(j, stays ? INV_OWNER : INV_LISTED, irq->intid, INV_MAY_ANY,
			    stays ? "it is on the list of vCPU %u, and its owner is %d"
				  : "it is not on the list of vCPU %u, and its owner is %d",
			    x->vcpu, (int16_t)irq->vcpu);
	else if (stays)
		inv_judge_listed(j, x->vcpu, x->dist_enabled, irq);
	j->evaluated[14]++;
	if (irq->vcpu == VGR_NO_VCPU && inv_oracle(irq, x->dist_enabled) != VGR_NO_VCPU)
		inv_suspect(j, INV_LEVEL_PRUNED, irq->intid, INV_MAY_ANY,
			    "it is on no list after the prune: %s, routed to vCPU %d",
			    inv_state_text(text, sizeof(text), irq), (int16_t)irq->target);
}

/* Rules 4, 11, 12, 13 and 15 for one interrupt. True: deactivated, and not in its LR. */
static bool judge_fold(struct inv_judge *j, const struct inv_exit *x, size_t i, bool stays)
{
	const struct vgr_irq *before = &x->before[i], *after = &x->after[i];
	int k = x->folded ? inv_lr_of(x->lr, x->used, before->intid, x->model_v2) : -1;
	uint64_t lr = k >= 0 ? x->lr[k] : 0;
	bool was = before->state & VGR_IRQ_ACTIVE, is = after->state & VGR_IRQ_ACTIVE;
	bool lpi = before->intid >= VGIC_LPI_BASE;
	/* What moved to another vCPU may have been handled there before it was read here. */
	bool here = after->vcpu == x->vcpu || after->vcpu == VGR_NO_VCPU;
	uint32_t move = before->intid < VGIC_NR_PRIVATE || stays ? 0 : INV_MAY_MOVE;
	bool gone = false;

	if (x->folded) {
		j->evaluated[4]++;
		if (k >= 0 && !(before->state & VGR_IRQ_ON_LR))
			inv_suspect(j, INV_ON_LR_SET, before->intid, 0,
				    "LR %d came back as 0x%016llx, and on_lr was 0 before the fold",
				    k, (unsigned long long)lr);
		else if (k < 0 && (before->state & VGR_IRQ_ON_LR))
			inv_suspect(j, INV_ON_LR_CLEAR, before->intid, 0,
				    "on_lr was 1 before the fold, and none of %u LRs held it",
				    x->used);
	}
	if (here && (after->state & VGR_IRQ_ON_LR))
		inv_suspect(j, INV_ON_LR_CLEAR, before->intid, INV_MAY_MOVE,
			    "on_lr is 1 after the fold");

	if (!here)
		return false;
	if (lpi && j->on[INV_LPI_ACTIVE]) {
		j->evaluated[12]++;
		if (is)
			inv_suspect(j, INV_LPI_ACTIVE, before->intid, move,
				    "it is active after the sync; its LR came back as 0x%016llx",
				    (unsigned long long)lr);
	}

	j->evaluated[15]++;
	if (was && !is && k < 0) {
		gone = true;
	} else if (!lpi && (lr & VGIC_LR_ACTIVE) && !is) {
		j->evaluated[11]++;
		inv_suspect(j, INV_REPLAYED_LR, before->intid, INV_MAY_CLEAR | move,
			    "LR %d came back as 0x%016llx, active, and it is inactive after the "
			    "fold; EOIcount %u",
			    k, (unsigned long long)lr, vgic_v3_eoicount(x->hcr));
	} else if (is && !(lr & VGIC_LR_ACTIVE) && (!was || k >= 0)) {
		inv_suspect(j, INV_ACTIVE_COMES, before->intid, INV_MAY_SET | move,
			    "it is active after the fold; %s%s",
			    was ? "it was active before" : "it was inactive before",
			    k >= 0 ? ", and its LR came back inactive" : ", and it was in no LR");
	}

	if (!(before->state & VGR_IRQ_LEVEL) && !(after->state & VGR_IRQ_LEVEL)) {
		bool v2_sgi = x->model_v2 && before->intid < VGIC_NR_SGIS;
		bool latch = after->state & VGR_IRQ_LATCH;

		j->evaluated[13]++;
		if ((lr & VGIC_LR_PENDING) && (!latch || (v2_sgi && !after->source)))
			inv_suspect(j, INV_EDGE_FOLDED, before->intid, INV_MAY_PEND | move,
				    "LR %d came back as 0x%016llx, pending, and the latch is %d", k,
				    (unsigned long long)lr, latch);
		else if ((before->state & VGR_IRQ_LATCH) && !latch)
			inv_suspect(j, INV_EDGE_KEPT, before->intid, INV_MAY_PEND | move,
				    "it was latched before the fold and is not after it; its LR "
				    "came back as 0x%016llx",
				    (unsigned long long)lr);
	}
	return gone;
}

void inv_judge_exit(struct inv_judge *j, const struct inv_exit *x)
{
	unsigned int count = vgic_v3_eoicount(x->hcr), gone = 0;
	uint32_t last = VGR_BOUNDARY_NONE;
	size_t i, at = 0;

	for (i = 0; i < x->n; i++) {
		bool stays = in_order(x, x->after[i].intid, at);

		at += stays;
		judge_prune(j, x, &x->after[i], stays);
		if (judge_fold(j, x, i, stays)) {
			gone++;
			last = x->before[i].intid;
		}
	}
	j->evaluated[11]++;
	if (gone > count)
		inv_suspect(j, INV_REPLAYED, gone == 1 ? last : VGR_BOUNDARY_NONE, INV_MAY_CLEAR,
			    "%u interrupts outside the LRs were deactivated, the last %u, and "
			    "EOIcount is %u",
			    gone, last, count);

	if (j->on[INV_SPIS_TDIR] && x->spis_before != -1) {
		j->evaluated[16]++;
		if (x->spis_before < 0 || x->spis_after < 0)
			inv_suspect(j, INV_SPIS_NEGATIVE, VGR_BOUNDARY_NONE, 0,
				    "active_spis is %d before the sync and %d after it",
				    x->spis_before, x->spis_after);
	}

	if (!j->on[INV_BOUNDARY] || x->boundary == VGR_BOUNDARY_UNKNOWN ||
	    x->boundary == VGR_BOUNDARY_NONE)
		return;
	for (i = 0; i < x->n && x->before[i].intid != x->boundary; i++)
		;
	j->evaluated[6]++;
	if (i == x->n)
		inv_suspect(j, INV_BOUNDARY, x->boundary, 0,
			    "last_lr_irq is %u, and the list of %zu interrupts does not have it at "
			    "the fold: it was taken off while the guest ran",
			    x->boundary, x->n);
}
