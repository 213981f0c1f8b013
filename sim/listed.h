/* SPDX-License-Identifier: GPL-2.0-only */
/* What an entry of a recorded list says. */
#ifndef VGICSIM_LISTED_H
#define VGICSIM_LISTED_H

#include <stdbool.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/records.h>

static inline bool listed_pending(const struct vgr_irq *q)
{
	return (q->state & VGR_IRQ_LATCH) ||
	       ((q->state & VGR_IRQ_LEVEL) && (q->state & VGR_IRQ_LINE));
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
