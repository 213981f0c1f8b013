// SPDX-License-Identifier: GPL-2.0-only
/* After an exit: read the hardware back, fold it, replay EOIcount, prune. */
#include "vgic_internal.h"
#include "vgic_lr.h"

#include <string.h>

/* __vgic_v3_save_state: OV-38 to OV-41, HI-7. */
void vgic_save(struct vgic *vgic, unsigned int index, struct vgic_v3_cpuif *hw)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];
	unsigned int used = vcpu->used_lrs;
	uint64_t elrsr = used ? vgic_v3_cpuif_elrsr(hw) : 0;

	if (policy->eager_vmcr)
		vcpu->vmcr = hw->vmcr;
	if (!policy->hcr_always && !used)
		return;

	for (unsigned int i = 0; i < used; i++, elrsr >>= 1) {
		if (elrsr & 1)
			vcpu->lr[i] &= ~VGIC_LR_STATE;
		else
			vcpu->lr[i] = hw->lr[i];
		hw->lr[i] = 0;
	}
	if (policy->save_eoicount && (vcpu->hcr & VGIC_HCR_LRENPIE)) {
		vcpu->hcr &= ~VGIC_HCR_EOICOUNT;
		vcpu->hcr |= hw->hcr & VGIC_HCR_EOICOUNT;
	}
	hw->hcr = policy->hcr_zero_on_exit ? 0 : vcpu->hcr & ~VGIC_HCR_EN;
}

void vgic_put(struct vgic *vgic, unsigned int index, struct vgic_v3_cpuif *hw)
{
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];

	vcpu->vmcr = hw->vmcr;
	memcpy(vcpu->ap0r, hw->ap0r, sizeof(hw->ap0r));
	memcpy(vcpu->ap1r, hw->ap1r, sizeof(hw->ap1r));
}

/* Was this INTID in an LR of the run that ends? */
static bool in_lrs(const struct vgic_vcpu *vcpu, unsigned int used, uint32_t intid)
{
	for (unsigned int i = 0; i < used; i++)
		if ((vcpu->lr[i] & VGIC_LR_VINTID) == intid)
			return true;
	return false;
}

/* Where the walk for EOIcount begins. */
static struct vgic_irq *replay_start(const struct vgic_policy *policy, struct vgic_vcpu *vcpu)
{
	switch ((enum vgic_replay)policy->replay) {
	case VGIC_REPLAY_OVERFLOW:
		return vcpu->overflow;
	case VGIC_REPLAY_WHOLE:
	case VGIC_REPLAY_WHOLE_SKIP_LR:
		return vcpu->list.head;
	case VGIC_REPLAY_TAIL:
		return vcpu->boundary ? vcpu->boundary->next : NULL;
	case VGIC_REPLAY_NONE:
		break;
	}
	return NULL;
}

/* Walks from irq to end while n are left; returns how many are left then. */
static unsigned int replay(struct vgic *vgic, struct vgic_vcpu *vcpu, struct vgic_irq *irq,
			   const struct vgic_irq *end, unsigned int used, unsigned int n)
{
	const struct vgic_policy *policy = vgic->cfg.policy;

	for (; irq != end && n; irq = irq->next) {
		uint64_t lr;

		/* It is deliverable, then. */
		if (!irq->active)
			continue;
		if (policy->replay == VGIC_REPLAY_WHOLE_SKIP_LR && in_lrs(vcpu, used, irq->intid))
			continue;
		lr = vgic_compute_lr(vgic, irq) & ~VGIC_LR_ACTIVE;
		if ((lr & VGIC_LR_HW) && (!vgic->cfg.gicv2 || policy->replay_hw_v2))
			vgic_physical_dir(vgic, vcpu->index, lr);
		vgic_fold_lr(vgic, vcpu, lr);
		vgic_note(vgic, VGIC_EVENT_REPLAYED, vcpu->index, irq, 0);
		vcpu->counts.replayed++;
		n--;
	}
	return n;
}

/* OV-51 to OV-54: deactivations that the guest did outside the LRs, in list order. */
static void replay_eoicount(struct vgic *vgic, struct vgic_vcpu *vcpu, unsigned int used)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	unsigned int n = vgic_v3_eoicount(vcpu->hcr);

	if (!n || policy->replay == VGIC_REPLAY_NONE || (vgic->cfg.gicv2 && !policy->replay_on_v2))
		return;
	if (policy->replay == VGIC_REPLAY_TAIL && vcpu->boundary &&
	    vcpu->boundary->vcpu == VGIC_NO_VCPU) {
		/* Its links lead nowhere that a model could follow (OV-78). */
		bool freed = !policy->last_lr_ref && !vcpu->boundary->mapped;

		vcpu->counts.wild_walks++;
		vgic_note(vgic, VGIC_EVENT_WILD, vcpu->index, vcpu->boundary, freed);
		return;
	}
	n = replay(vgic, vcpu, replay_start(policy, vcpu), NULL, used, n);
	if (policy->overflow_list && policy->v1_list_bug && vcpu->overflow)
		n = replay(vgic, vcpu, vcpu->list.head, vcpu->overflow, used, n);
	vcpu->counts.replay_lost += n;
}

bool vgic_folds(const struct vgic_vcpu *vcpu)
{
	unsigned int fold = vcpu->vgic->cfg.policy->fold;

	if (fold == VGIC_FOLD_IF_LRS)
		return vcpu->used_lrs;
	return fold != VGIC_FOLD_IF_LAST_LR || vcpu->boundary;
}

static void note_folded(const struct vgic *vgic, const struct vgic_vcpu *vcpu, uint64_t lr,
			bool deactivated)
{
	uint32_t intid = lr & (vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID);
	const struct vgic_irq *irq = vgic_find(vgic, vcpu->index, intid);

	if (irq)
		vgic_note(vgic, VGIC_EVENT_FOLDED, vcpu->index, irq, deactivated);
}

static void fold_state(struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	unsigned int used = vcpu->used_lrs;

	if (!vgic_folds(vcpu))
		return;
	if (!policy->mi_by_summary && !policy->hcr)
		vcpu->hcr &= ~VGIC_HCR_UIE;
	for (unsigned int i = 0; i < used; i++) {
		bool deactivated = vgic_fold_lr(vgic, vcpu, vcpu->lr[i]);

		if (vgic_is_heard(vgic, VGIC_EVENT_FOLDED))
			note_folded(vgic, vcpu, vcpu->lr[i], deactivated);
	}
	vcpu->used_lrs = 0;
	replay_eoicount(vgic, vcpu, used);
}

/* Off the list, or to that of another vCPU. */
static void leave(struct vgic *vgic, struct vgic_vcpu *vcpu, struct vgic_irq *irq)
{
	/* Were it active it would be deliverable. */
	unsigned int to = vgic_oracle_inactive(vgic, irq);

	vgic_list_take(vcpu, irq);
	if (to == VGIC_NO_VCPU) {
		vcpu->counts.pruned++;
		vgic_note(vgic, VGIC_EVENT_PRUNED, vcpu->index, irq, 0);
	} else {
		vgic_list_append(vgic, to, irq);
		vcpu->counts.migrated++;
		vgic_note(vgic, VGIC_EVENT_MIGRATED, vcpu->index, irq, to);
		vgic_request(vgic, to, VGIC_REQ_IRQ_PENDING, true);
	}
}

/* vgic_prune_ap_list: OV-55. */
static inline void prune(struct vgic *vgic, struct vgic_vcpu *vcpu)
{
	uint16_t route = vgic_route(vgic, vcpu);
	struct vgic_irq *irq = vcpu->list.head, *next;

	vcpu->overflow = NULL;
	for (; irq; irq = next) {
		next = irq->next;
		if (!vgic_deliverable(route, irq))
			leave(vgic, vcpu, irq);
	}
}

void vgic_prune(struct vgic *vgic, unsigned int index)
{
	prune(vgic, &vgic->vcpus[index]);
}

void vgic_sync(struct vgic *vgic, unsigned int index)
{
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];

	if (!vgic->cfg.policy->no_empty_shortcut && !vcpu->list.count)
		return;
	fold_state(vgic, vcpu);
	prune(vgic, vcpu);
	vcpu->boundary = NULL;
	vcpu->counts.syncs++;
}
