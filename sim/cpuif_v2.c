// SPDX-License-Identifier: GPL-2.0-only
/* What a guest that programs a GICv2 does to the list registers. */
#include <vgicsim/cpuif.h>

#define GICV_CTLR_BITS                                                              \
	(VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1 | VGIC_VMCR_VACKCTL | VGIC_VMCR_VFIQEN | \
	 VGIC_VMCR_VCBPR | VGIC_VMCR_VEOIM)

#define TRAPS (VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1 | VGIC_HCR_TDIR)

/* Traps of ICH_HCR_EL2 are of system registers; this guest's are in memory. */
static uint32_t untrap(struct vgic_v3_cpuif *c)
{
	uint32_t traps = c->hcr & TRAPS;

	c->hcr &= ~TRAPS;
	return traps;
}

static unsigned int group_of(const struct vgic_v3_cpuif *c, int lr)
{
	return !!(c->lr[lr] & VGIC_LR_GROUP1);
}

struct vgic_access vgic_gicv_ack(struct vgic_v3_cpuif *c, bool aliased)
{
	int lr = vgic_v3_cpuif_hppi(c);
	unsigned int group = aliased;
	struct vgic_access a;
	uint32_t traps;

	if (lr >= 0 && !aliased && group_of(c, lr)) {
		if (!(c->vmcr & VGIC_VMCR_VACKCTL)) {
			bool there = vgic_v3_cpuif_can_signal(c);

			return (struct vgic_access){
				.did = VGIC_DID_NOTHING,
				.intid = there ? VGIC_GICV_GROUP1 : VGIC_SPURIOUS,
				.lr = -1,
			};
		}
		group = 1;
	}
	traps = untrap(c);
	a = vgic_v3_cpuif_ack(c, group);
	c->hcr |= traps;
	return a;
}

/* The active LR with this INTID, and for an SGI this source. */
static int find_active(const struct vgic_v3_cpuif *c, uint32_t value)
{
	for (unsigned int i = 0, n = c->cfg->nr_lr - c->unused; i < n; i++)
		if ((c->lr[i] & VGIC_LR_ACTIVE) && (c->lr[i] & VGIC_LR_VINTID) == value)
			return i;
	return -1;
}

struct vgic_access vgic_gicv_eoi(struct vgic_v3_cpuif *c, bool aliased, uint32_t value)
{
	int lr = find_active(c, value);
	unsigned int group = aliased;
	struct vgic_access a;
	uint32_t traps;

	/* With AckCtl one register ends the interrupts of both groups. */
	if (!aliased && lr >= 0 && (c->vmcr & VGIC_VMCR_VACKCTL))
		group = group_of(c, lr);
	traps = untrap(c);
	a = vgic_v3_cpuif_eoi(c, group, value);
	c->hcr |= traps;
	return a;
}

struct vgic_access vgic_gicv_dir(struct vgic_v3_cpuif *c, uint32_t value)
{
	uint32_t traps = untrap(c);
	struct vgic_access a = vgic_v3_cpuif_dir(c, value);

	c->hcr |= traps;
	return a;
}

void vgic_gicv_write_ctlr(struct vgic_v3_cpuif *c, uint32_t bits)
{
	c->vmcr = (c->vmcr & ~GICV_CTLR_BITS) | (bits & GICV_CTLR_BITS);
}

bool vgic_gicv_line(const struct vgic_v3_cpuif *c, bool fiq)
{
	int lr = vgic_v3_cpuif_hppi(c);

	if (!vgic_v3_cpuif_can_signal(c))
		return false;
	return fiq == (!group_of(c, lr) && (c->vmcr & VGIC_VMCR_VFIQEN));
}
