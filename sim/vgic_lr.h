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

/*
 * The bits of an LR that follow from a state, of which VGR_IRQ_HW is to tell whether the LR is
 * bound to the physical interrupt: OV-23 to OV-27. P+A is not allowed with HW, where the pending
 * state stays at the physical GIC, nor for a level.
 */
#define VGIC_LR_OF(s)                                                                            \
	(((s)&VGR_IRQ_ACTIVE ? VGIC_LR_ACTIVE : 0) | ((s)&VGR_IRQ_GROUP1 ? VGIC_LR_GROUP1 : 0) | \
	 ((s)&VGR_IRQ_HW      ? VGIC_LR_HW                                                       \
	  : (s)&VGR_IRQ_LEVEL ? VGIC_LR_EOI                                                      \
			      : 0) |                                                             \
	 (VGIC_IN_SET(VGIC_PENDING, s) &&                                                        \
			  !((s)&VGR_IRQ_ACTIVE && (s) & (VGR_IRQ_HW | VGR_IRQ_LEVEL))            \
		  ? VGIC_LR_PENDING                                                              \
		  : 0))

/* What its sources make of an SGI's LR. */
static inline uint64_t vgic_sgi_lr(const struct vgic *vgic, const struct vgic_irq *irq, uint64_t lr)
{
	if (irq->active) {
		if (vgic->cfg.model_v2)
			lr |= (uint64_t)irq->active_source << VGIC_LR_CPUID_SHIFT;
		if (vgic_irq_lr_count(irq) > 1)
			lr = (lr & ~VGIC_LR_PENDING) | VGIC_LR_EOI;
	}
	if (vgic->cfg.model_v2 && (lr & VGIC_LR_PENDING)) {
		if (!irq->source)
			return 0;
		lr |= (uint64_t)__builtin_ctz(irq->source) << VGIC_LR_CPUID_SHIFT;
		if (irq->source & (irq->source - 1))
			lr |= VGIC_LR_EOI;
	}
	return lr;
}

/* vgic_v3_compute_lr: OV-23 to OV-27. No side effect, so that a pseudo-LR can be built. */
static inline uint64_t vgic_compute_lr(const struct vgic *vgic, const struct vgic_irq *irq)
{
	static const uint64_t by_state[256] = {VGIC_EACH_256(VGIC_LR_OF)};
	unsigned int state = irq->state & 0xff;
	uint64_t lr;

	if (vgic_irq_resampled(irq))
		state &= ~(unsigned int)VGR_IRQ_HW;
	lr = by_state[state] | irq->intid | (uint64_t)irq->priority << VGIC_LR_PRIORITY_SHIFT;
	if (state & VGR_IRQ_HW)
		lr |= (uint64_t)irq->hwintid << VGIC_LR_PINTID_SHIFT;
	/* GICH_LR<n> has the upper five bits of a priority only. */
	if (vgic->cfg.gicv2)
		lr &= ~(7ull << VGIC_LR_PRIORITY_SHIFT);
	return vgic_irq_is_sgi(irq) ? vgic_sgi_lr(vgic, irq, lr) : lr;
}

/* vgic_v3_populate_lr: OV-28. */
static inline void vgic_populate_lr(struct vgic *vgic, struct vgic_vcpu *vcpu, struct vgic_irq *irq,
				    unsigned int lr)
{
	/*
	 * What stays. An LR takes over an edge; of a mapped level, of which only rising edges are
	 * seen, the line, to make room for the next one; of other levels nothing.
	 */
	static const uint16_t left[4] = {~VGR_IRQ_LATCH, ~0, ~VGR_IRQ_LATCH, ~VGR_IRQ_LINE};
	uint64_t value = vgic_compute_lr(vgic, irq);

	vcpu->lr[lr] = value;
	if (value & VGIC_LR_PENDING) {
		irq->state &= left[irq->state / VGR_IRQ_LEVEL & 3];
		if (is_v2_sgi(vgic, irq)) {
			irq->source &= irq->source - 1;
			if (irq->source)
				irq->pending_latch = true;
		}
	}
	if (vgic->cfg.policy->track_on_lr)
		irq->on_lr = true;
}

/* vgic_irq_handle_resampling: OV-47. The interrupt is a mapped level. */
static inline void handle_resampling(struct vgic *vgic, struct vgic_vcpu *vcpu,
				     struct vgic_irq *irq, bool deactivated, bool lr_pending)
{
	bool resample = false;

	if (vgic_irq_resampled(irq)) {
		resample = !(irq->active || irq->pending_latch);
	} else if (lr_pending || (deactivated && irq->line_level)) {
		irq->line_level = vgic_physical_level(vgic, vcpu->index, irq);
		resample = !irq->line_level;
	}
	if (resample)
		vgic_physical_active(vgic, vcpu->index, irq, false);
}

/*
 * A state after the fold of an LR. Active is what the LR shows. The latch of an edge is never
 * cleared here, for one that came during the run must survive; that of a level is, if the LR is
 * done.
 */
static inline uint16_t vgic_folded(uint16_t state, uint64_t lr)
{
	/* What stays and what is set, by what the LR shows, for edges and for levels. */
	static const struct {
		uint16_t stays, set;
	} by_lr[8] = {
		{~VGR_IRQ_ACTIVE, 0},
		{~VGR_IRQ_ACTIVE, VGR_IRQ_LATCH},
		{~VGR_IRQ_ACTIVE, VGR_IRQ_ACTIVE},
		{~VGR_IRQ_ACTIVE, VGR_IRQ_ACTIVE | VGR_IRQ_LATCH},
		{~(VGR_IRQ_ACTIVE | VGR_IRQ_LATCH), 0},
		{~VGR_IRQ_ACTIVE, 0},
		{~VGR_IRQ_ACTIVE, VGR_IRQ_ACTIVE},
		{~VGR_IRQ_ACTIVE, VGR_IRQ_ACTIVE},
	};
	unsigned int i = (unsigned int)(lr >> 62) | (state & VGR_IRQ_LEVEL) / (VGR_IRQ_LEVEL / 4);

	return (state & by_lr[i].stays) | by_lr[i].set;
}

static inline void notify(const struct vgic *vgic, uint32_t intid)
{
	if (vgic->cfg.env.resample)
		vgic->cfg.env.resample(vgic->cfg.env.opaque, intid);
}

/* GICv2 hosts never took the condition over, nor the counter (OV-72). */
static inline bool vgic_notifies_after(const struct vgic *vgic)
{
	return vgic->cfg.policy->notify_needs_deactivated && !vgic->cfg.gicv2;
}

/*
 * vgic_v3_fold_lr, vgic_v2_fold_lr: OV-42 to OV-49, OV-72, and HI-8 where the policy
 * says so. Returns true if the interrupt lost its active state.
 */
static inline bool vgic_fold_lr(struct vgic *vgic, struct vgic_vcpu *vcpu, uint64_t value)
{
	uint32_t intid = value & (vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID);
	struct vgic_irq *irq;
	bool eoi_mi = false, deactivated;

	if (intid < VGIC_NR_PRIVATE) {
		irq = &vcpu->private_irqs[intid];
	} else if (vgic_valid_spi(vgic, intid)) {
		irq = &vgic->spis[intid - VGIC_NR_PRIVATE];
		eoi_mi = (value & (VGIC_LR_STATE | VGIC_LR_EOI | VGIC_LR_HW)) == VGIC_LR_EOI;
		if (eoi_mi && !vgic_notifies_after(vgic))
			notify(vgic, intid);
	} else {
		irq = vgic_lpi_find(vgic, intid);
		if (!irq)
			return false;
		if (vgic->cfg.policy->fold_drops_lpi_active)
			value &= ~VGIC_LR_ACTIVE;
	}

	deactivated = irq->active && !(value & VGIC_LR_ACTIVE);
	irq->state = vgic_folded(irq->state, value);
	if (is_v2_sgi(vgic, irq)) {
		unsigned int cpuid = (value & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT;

		if (irq->active)
			irq->active_source = cpuid;
		if (value & VGIC_LR_PENDING)
			irq->source |= 1u << cpuid;
	}
	if (vgic_irq_mapped_level(irq))
		handle_resampling(vgic, vcpu, irq, deactivated, value & VGIC_LR_PENDING);
	irq->on_lr = false;

	if (eoi_mi && deactivated && vgic_notifies_after(vgic)) {
		notify(vgic, intid);
		if (vgic->active_spis > 0)
			vgic->active_spis--;
	}
	return deactivated;
}

#endif
