// SPDX-License-Identifier: GPL-2.0-only
#include <vgicsim/cpuif.h>
#include <vgicsim/gich.h>

uint64_t vgic_gich_lr_decode(uint32_t lr)
{
	uint64_t to = lr & VGIC_GICH_LR_VINTID;
	uint64_t prio = (lr & VGIC_GICH_LR_PRIORITY) >> VGIC_GICH_LR_PRIORITY_SHIFT;

	to |= prio << 3 << VGIC_LR_PRIORITY_SHIFT;
	if (lr & VGIC_GICH_LR_PENDING)
		to |= VGIC_LR_PENDING;
	if (lr & VGIC_GICH_LR_ACTIVE)
		to |= VGIC_LR_ACTIVE;
	if (lr & VGIC_GICH_LR_GROUP1)
		to |= VGIC_LR_GROUP1;
	if (lr & VGIC_GICH_LR_HW) {
		uint64_t pintid = (lr & VGIC_GICH_LR_PINTID) >> VGIC_GICH_LR_PINTID_SHIFT;

		return to | VGIC_LR_HW | pintid << VGIC_LR_PINTID_SHIFT;
	}
	if (lr & VGIC_GICH_LR_EOI)
		to |= VGIC_LR_EOI;
	return to | (lr & VGIC_GICH_LR_CPUID);
}

uint32_t vgic_gich_lr_encode(uint64_t lr)
{
	uint32_t to = lr & VGIC_GICH_LR_VINTID;
	uint32_t prio = (lr & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT;

	to |= prio >> 3 << VGIC_GICH_LR_PRIORITY_SHIFT;
	if (lr & VGIC_LR_PENDING)
		to |= VGIC_GICH_LR_PENDING;
	if (lr & VGIC_LR_ACTIVE)
		to |= VGIC_GICH_LR_ACTIVE;
	if (lr & VGIC_LR_GROUP1)
		to |= VGIC_GICH_LR_GROUP1;
	if (lr & VGIC_LR_HW) {
		uint32_t pintid = lr >> VGIC_LR_PINTID_SHIFT;

		return to | VGIC_GICH_LR_HW |
		       (pintid << VGIC_GICH_LR_PINTID_SHIFT & VGIC_GICH_LR_PINTID);
	}
	if (lr & VGIC_LR_EOI)
		to |= VGIC_GICH_LR_EOI;
	return to | (lr & VGIC_LR_CPUID);
}
