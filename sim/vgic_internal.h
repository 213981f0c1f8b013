/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the vgic share with one another and with nobody else. */
#ifndef VGICSIM_SIM_VGIC_INTERNAL_H
#define VGICSIM_SIM_VGIC_INTERNAL_H

#include <vgicsim/vgic.h>

#define vgic_for_each_irq(irq, list) for (struct vgic_irq *irq = (list)->head; irq; irq = irq->next)

static inline bool vgic_irq_is_sgi(const struct vgic_irq *irq)
{
	return irq->intid < VGIC_NR_SGIS;
}

static inline bool vgic_valid_spi(const struct vgic *vgic, uint32_t intid)
{
	return intid >= VGIC_NR_PRIVATE && intid < VGIC_NR_PRIVATE + vgic->cfg.nr_spis;
}

/* OV-2 */
static inline bool vgic_irq_mapped_level(const struct vgic_irq *irq)
{
	return irq->level && irq->hw;
}

static inline bool vgic_irq_resampled(const struct vgic_irq *irq)
{
	return irq->resample;
}

static inline void vgic_note(const struct vgic *vgic, enum vgic_event what, unsigned int vcpu,
			     const struct vgic_irq *irq, uint32_t arg)
{
	if (vgic->cfg.env.event)
		vgic->cfg.env.event(vgic->cfg.env.opaque, what, vcpu, irq, arg);
}

static inline void vgic_request(const struct vgic *vgic, unsigned int vcpu, uint32_t req, bool kick)
{
	if (vgic->cfg.env.request)
		vgic->cfg.env.request(vgic->cfg.env.opaque, vcpu, req, kick);
}

static inline bool vgic_physical_level(const struct vgic *vgic, unsigned int vcpu,
				       const struct vgic_irq *irq)
{
	return vgic->cfg.env.physical_level &&
	       vgic->cfg.env.physical_level(vgic->cfg.env.opaque, vcpu, irq);
}

static inline void vgic_physical_active(const struct vgic *vgic, unsigned int vcpu,
					const struct vgic_irq *irq, bool active)
{
	if (vgic->cfg.env.physical_active)
		vgic->cfg.env.physical_active(vgic->cfg.env.opaque, vcpu, irq, active);
}

static inline void vgic_physical_dir(const struct vgic *vgic, unsigned int vcpu, uint64_t lr)
{
	if (vgic->cfg.env.physical_dir)
		vgic->cfg.env.physical_dir(vgic->cfg.env.opaque, vcpu,
					   (lr & VGIC_LR_PINTID) >> VGIC_LR_PINTID_SHIFT);
}

/* vgic_order.c */
bool vgic_needs_sort(const struct vgic *vgic, const struct vgic_summary *s);
int vgic_irq_compare(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
		     const struct vgic_irq *b);

/* vgic_hcr.c. more: the list goes on after the last LR. */
uint32_t vgic_make_hcr(const struct vgic *vgic, const struct vgic_vcpu *vcpu, bool more);

/* vgic_sync.c. Does the sync that comes fold, with the LRs used and the boundary as they are? */
bool vgic_folds(const struct vgic_vcpu *vcpu);

/* vgic_list.c */
void vgic_list_append(struct vgic *vgic, unsigned int vcpu, struct vgic_irq *irq);
void vgic_list_remove(struct vgic *vgic, struct vgic_irq *irq);
void vgic_list_sort(struct vgic_vcpu *vcpu);

/* vgic_lr.c */
unsigned int vgic_irq_lr_count(const struct vgic_irq *irq);
uint64_t vgic_compute_lr(const struct vgic *vgic, const struct vgic_irq *irq);
void vgic_populate_lr(struct vgic *vgic, struct vgic_vcpu *vcpu, struct vgic_irq *irq,
		      unsigned int lr);
bool vgic_fold_lr(struct vgic *vgic, struct vgic_vcpu *vcpu, uint64_t value);

#endif
