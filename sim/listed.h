/* SPDX-License-Identifier: GPL-2.0-only */
/* What an entry of a recorded list says. */
#ifndef VGICSIM_LISTED_H
#define VGICSIM_LISTED_H

#include <stdbool.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/records.h>

static inline bool listed_pending(const struct vgr_irq *q)
{
	/* Without a branch: asked of all kinds in turn, it could not be foretold. */
	unsigned int level = q->state / VGR_IRQ_LEVEL & 1;

	return q->state & (VGR_IRQ_LATCH | level * VGR_IRQ_LINE);
}

/* The host could show it to the guest. */
static inline bool listed_ready(const struct vgr_irq *q)
{
	return listed_pending(q) && (q->state & VGR_IRQ_ENABLED) && !(q->state & VGR_IRQ_ACTIVE);
}

/*
 * Outside the LRs: active, or ready for this vCPU, and in none of the used ones, which have
 * the layout of ICH_LR<n>_EL2. q: of the list after a flush.
 */
static inline bool listed_outside(const struct vgr_flush *f, const struct vgr_irq *q,
				  const uint64_t *lr, unsigned int used)
{
	if (!(q->state & VGR_IRQ_ACTIVE) && !(listed_ready(q) && q->target == f->r.vcpu))
		return false;
	for (unsigned int i = 0; i < used; i++)
		if ((lr[i] & VGIC_LR_STATE) && (lr[i] & VGIC_LR_VINTID) == q->intid)
			return false;
	return true;
}

/* state: of the list's entry. */
static inline bool listed_group_enabled(const struct vgr_flush *fl, uint16_t state)
{
	const uint32_t any = VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1;

	/* Kernels that save VMCR at a put only have nothing to show before the first one. */
	if (fl->active_spis < 0 && !(fl->vmcr & any))
		return true;
	return fl->vmcr & (state & VGR_IRQ_GROUP1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0);
}

#endif
