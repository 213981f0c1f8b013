/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list registers of a GICv2 virtual interface (GICH_LR<n>), 32 bits each. The
 * models and readers speak the 64-bit layout of ICH_LR<n>_EL2 (<vgicsim/cpuif.h>);
 * these two functions translate. Layouts: GIC architecture, IHI0048 (GICv2) and
 * IHI0069 (GICv3). GICH_HCR and GICH_MISR need no translation: the bits that exist
 * are where ICH_HCR_EL2 and ICH_MISR_EL2 have them.
 */
#ifndef VGICSIM_GICH_H
#define VGICSIM_GICH_H

#include <stdint.h>

/* GICH_VTR.ListRegs has 6 bits. */
#define VGIC_GICH_MAX_LRS 64

/* GICH_LR<n> */
#define VGIC_GICH_LR_VINTID	    0x3ffu
#define VGIC_GICH_LR_PINTID_SHIFT   10 /* HW=1: physical INTID, 10 bits */
#define VGIC_GICH_LR_PINTID	    (0x3ffu << VGIC_GICH_LR_PINTID_SHIFT)
#define VGIC_GICH_LR_CPUID_SHIFT    10 /* HW=0: source of an SGI */
#define VGIC_GICH_LR_CPUID	    (7u << VGIC_GICH_LR_CPUID_SHIFT)
#define VGIC_GICH_LR_EOI	    (1u << 19) /* HW=0 */
#define VGIC_GICH_LR_PRIORITY_SHIFT 23	       /* the upper 5 bits of the priority */
#define VGIC_GICH_LR_PRIORITY	    (0x1fu << VGIC_GICH_LR_PRIORITY_SHIFT)
#define VGIC_GICH_LR_PENDING	    (1u << 28)
#define VGIC_GICH_LR_ACTIVE	    (1u << 29)
#define VGIC_GICH_LR_GROUP1	    (1u << 30)
#define VGIC_GICH_LR_HW		    (1u << 31)

/* GICH_VMCR: what stands elsewhere than in ICH_VMCR_EL2. */
#define VGIC_GICH_VMCR_ACKCTL	 (1u << 2)
#define VGIC_GICH_VMCR_FIQEN	 (1u << 3)
#define VGIC_GICH_VMCR_PMR_SHIFT 27 /* the upper 5 bits of the priority mask */
#define VGIC_GICH_VMCR_PMR	 (0x1fu << VGIC_GICH_VMCR_PMR_SHIFT)

/*
 * GICH_LR as ICH_LR. Priority is widened to 8 bits (the lower 3 are 0). With HW=0
 * the EOI bit and the source CPU of an SGI (bits 12:10 in both) are kept, with HW=1
 * the physical INTID; the other bits of that field and 22:20 are reserved and dropped.
 */
uint64_t vgic_gich_lr_decode(uint32_t lr);

/*
 * The reverse. What GICH_LR has no room for is dropped: the lower 3 bits of the
 * priority, INTIDs and physical INTIDs beyond 10 bits.
 */
uint32_t vgic_gich_lr_encode(uint64_t lr);

#endif
