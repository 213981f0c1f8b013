// SPDX-License-Identifier: GPL-2.0-only
/* Which traps a host has, and which of them always stand in hardware. */
#include "vgic_internal.h"

bool vgic_has_tdir(const struct vgic *vgic)
{
	return vgic->cfg.has_tdir &&
	       !(vgic->cfg.unadvertised && vgic->cfg.policy->v1_tdir_probe_bug);
}

uint32_t vgic_static_traps(const struct vgic *vgic)
{
	uint32_t traps = vgic->cfg.static_traps;

	if (!vgic_has_tdir(vgic) && !vgic->cfg.gicv2 && vgic->cfg.policy->no_tds_traps_tc)
		traps |= VGIC_HCR_TC;
	return traps;
}
