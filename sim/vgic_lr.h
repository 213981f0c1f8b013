/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One interrupt into one list register, and one list register back into its interrupt.
 * Inline, for that is what flush and sync are made of.
 */
#ifndef VGICSIM_SIM_VGIC_LR_H
#define VGICSIM_SIM_VGIC_LR_H

#include "vgic_internal.h"

/* OV-3 */
static inline unsigned int vgic_irq_lr_count(const struct vgic_irq *irq)
{
	if (vgic_irq_is_sgi(irq) && irq->source)
		return __builtin_popcount(irq->source) + irq->active;
	return (irq->state & VGR_IRQ_ACTIVE) || vgic_pending(irq);
}

static inline bool is_v2_sgi(const struct vgic *vgic, const struct vgic_irq *irq)
{
	return vgic->cfg.model_v2 && vgic_irq_is_sgi(irq);
}

/* vgic_v3_compute_lr: OV-23 to OV-27. No side effect, so that a pseudo-LR can be built. */
static inline uint64_t vgic_compute_lr(const struct vgic *vgic, const struct vgic_irq *irq)
{
	bool v2_sgi = is_v2_sgi(vgic, irq);
	bool allow_pending = true;
	uint64_t lr = irq->intid;

	if (irq->active) {
		lr |= VGIC_LR_ACTIVE;
		if (v2_sgi)
			lr |= (uint64_t)irq->active_source << VGIC_LR_CPUID_SHIFT;
		if (vgic_irq_lr_count(irq) > 1) {
			allow_pending = false;
			lr |= VGIC_LR_EOI;
		}
	}

	if (irq->hw && !vgic_irq_resampled(irq)) {
		lr |= VGIC_LR_HW | (uint64_t)irq->hwintid << VGIC_LR_PINTID_SHIFT;
		/* P+A is not allowed with HW: the pending state stays at the physical GIC. */
		if (irq->active)
			allow_pending = false;
	} else if (irq->level) {
		lr |= VGIC_LR_EOI;
		if (irq->active)
			allow_pending = false;
	}

	if (allow_pending && vgic_pending(irq)) {
		lr |= VGIC_LR_PENDING;
		if (v2_sgi) {
			if (!irq->source)
				return 0;
			lr |= (uint64_t)__builtin_ctz(irq->source) << VGIC_LR_CPUID_SHIFT;
			if (irq->source & (irq->source - 1))
				lr |= VGIC_LR_EOI;
		}
	}

	if (irq->group1)
		lr |= VGIC_LR_GROUP1;
	/* GICH_LR<n> has the upper five bits only. */
	return lr | (uint64_t)(irq->priority & (vgic->cfg.gicv2 ? 0xf8 : 0xff))
			    << VGIC_LR_PRIORITY_SHIFT;
}

/* vgic_v3_populate_lr: OV-28. */
static inline void vgic_populate_lr(struct vgic *vgic, struct vgic_vcpu *vcpu, struct vgic_irq *irq,
				    unsigned int lr)
{
	uint64_t value = vgic_compute_lr(vgic, irq);

	vcpu->lr[lr] = value;
	if (value & VGIC_LR_PENDING) {
		if (!irq->level)
			irq->pending_latch = false;
		if (is_v2_sgi(vgic, irq)) {
			irq->source &= irq->source - 1;
			if (irq->source)
				irq->pending_latch = true;
		}
		/* Only rising edges of a mapped level are seen: make room for the next one. */
		if (vgic_irq_mapped_level(irq))
			irq->line_level = false;
	}
	if (vgic->cfg.policy->track_on_lr)
		irq->on_lr = true;
	vgic_note(vgic, VGIC_EVENT_POPULATED, vcpu->index, irq, lr);
}

/* vgic_irq_handle_resampling: OV-47. */
static inline void handle_resampling(struct vgic *vgic, struct vgic_vcpu *vcpu,
				     struct vgic_irq *irq, bool deactivated, bool lr_pending)
{
	bool resample = false;

	if (!vgic_irq_mapped_level(irq))
		return;
	if (vgic_irq_resampled(irq)) {
		resample = !(irq->active || irq->pending_latch);
	} else if (lr_pending || (deactivated && irq->line_level)) {
		irq->line_level = vgic_physical_level(vgic, vcpu->index, irq);
		resample = !irq->line_level;
	}
	if (resample)
		vgic_physical_active(vgic, vcpu->index, irq, false);
}

static inline void notify(const struct vgic *vgic, uint32_t intid)
{
	if (vgic->cfg.env.resample)
		vgic->cfg.env.resample(vgic->cfg.env.opaque, intid);
}

/*
 * vgic_v3_fold_lr, vgic_v2_fold_lr: OV-42 to OV-49, OV-72, and HI-8 where the policy
 * says so. Returns true if the interrupt lost its active state.
 */
static inline bool vgic_fold_lr(struct vgic *vgic, struct vgic_vcpu *vcpu, uint64_t value)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	/* GICv2 hosts never took the condition over, nor the counter (OV-72). */
	bool after = policy->notify_needs_deactivated && !vgic->cfg.gicv2;
	uint32_t intid = value & (vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID);
	struct vgic_irq *irq = vgic_find(vgic, vcpu->index, intid);
	bool eoi_mi, deactivated;

	if (irq && policy->fold_drops_lpi_active && intid >= VGIC_LPI_BASE)
		value &= ~VGIC_LR_ACTIVE;
	eoi_mi = !(value & VGIC_LR_STATE) && (value & VGIC_LR_EOI) && !(value & VGIC_LR_HW) &&
		 vgic_valid_spi(vgic, intid);
	if (eoi_mi && !after)
		notify(vgic, intid);
	if (!irq)
		return false;

	deactivated = irq->active && !(value & VGIC_LR_ACTIVE);
	irq->active = value & VGIC_LR_ACTIVE;
	/* Never cleared here: an edge that came during the run must survive. */
	if (!irq->level && (value & VGIC_LR_PENDING))
		irq->pending_latch = true;
	if (irq->level && !(value & VGIC_LR_STATE))
		irq->pending_latch = false;
	if (is_v2_sgi(vgic, irq)) {
		unsigned int cpuid = (value & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT;

		if (irq->active)
			irq->active_source = cpuid;
		if (value & VGIC_LR_PENDING)
			irq->source |= 1u << cpuid;
	}
	handle_resampling(vgic, vcpu, irq, deactivated, value & VGIC_LR_PENDING);
	irq->on_lr = false;

	if (after && deactivated && eoi_mi) {
		notify(vgic, intid);
		if (vgic->active_spis > 0)
			vgic->active_spis--;
	}
	return deactivated;
}

#endif
