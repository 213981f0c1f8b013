// SPDX-License-Identifier: GPL-2.0-only
/* KVM's own copy of the CPU interface, for hosts on which the guest's accesses trap. */
#include "vgic_internal.h"

#define TRAPS (VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1 | VGIC_HCR_TDIR)

/* The interface as the copy sees it: nothing traps, and its deviations are in force. */
struct el2 {
	struct vgic_v3_cpuif *hw;
	const struct vgic_v3_cpuif_config *cfg;
	struct vgic_v3_cpuif_config copy;
	uint32_t traps;
};

static void enter(struct el2 *e, struct vgic_v3_cpuif *hw)
{
	e->hw = hw;
	e->cfg = hw->cfg;
	e->copy = *hw->cfg;
	e->copy.eoicount_on_split_eoir = true;
	e->copy.eoicount_on_lpi = false;
	e->copy.eoir_without_apr_continues = true;
	e->copy.eoir_ignores_split = false;
	e->copy.cbpr_saturates = true;
	e->copy.tie = VGIC_TIE_LOWEST_LR;
	e->traps = hw->hcr & TRAPS;
	hw->cfg = &e->copy;
	hw->hcr &= ~TRAPS;
}

static void leave(struct el2 *e)
{
	e->hw->cfg = e->cfg;
	e->hw->hcr |= e->traps;
}

/* __vgic_v3_read_iar */
struct vgic_access vgic_el2_ack(const struct vgic *vgic, unsigned int vcpu,
				struct vgic_v3_cpuif *hw, unsigned int group)
{
	struct vgic_access a;
	struct el2 e;

	enter(&e, hw);
	a = vgic_v3_cpuif_ack(hw, group);
	leave(&e);
	return a;
}

/* __vgic_v3_write_eoir */
struct vgic_access vgic_el2_eoi(const struct vgic *vgic, unsigned int vcpu,
				struct vgic_v3_cpuif *hw, unsigned int group, uint32_t intid)
{
	struct vgic_access a;
	struct el2 e;

	enter(&e, hw);
	a = vgic_v3_cpuif_eoi(hw, group, intid);
	leave(&e);
	if ((a.did & VGIC_DID_HW) && vgic->cfg.env.physical_dir)
		vgic->cfg.env.physical_dir(vgic->cfg.env.opaque, vcpu, a.pintid);
	return a;
}

void vgic_el2_write_pmr(struct vgic_v3_cpuif *hw, uint8_t prio)
{
	struct el2 e;

	enter(&e, hw);
	vgic_v3_cpuif_write_pmr(hw, prio);
	leave(&e);
}

/* __vgic_v3_write_bpr0, __vgic_v3_write_bpr1 */
void vgic_el2_write_bpr(const struct vgic *vgic, struct vgic_v3_cpuif *hw, unsigned int group,
			uint32_t value)
{
	uint32_t cbpr = hw->vmcr & VGIC_VMCR_VCBPR;
	struct el2 e;

	if (group && vgic->cfg.policy->bpr1_cbpr_bug) {
		if (value & VGIC_VMCR_VCBPR)
			return;
		hw->vmcr &= ~VGIC_VMCR_VCBPR;
	}
	enter(&e, hw);
	vgic_v3_cpuif_write_bpr(hw, group, value & 7);
	leave(&e);
	hw->vmcr |= cbpr;
}

void vgic_el2_write_igrpen(struct vgic_v3_cpuif *hw, unsigned int group, bool enable)
{
	struct el2 e;

	enter(&e, hw);
	vgic_v3_cpuif_write_igrpen(hw, group, enable);
	leave(&e);
}

void vgic_el2_write_ctlr(struct vgic_v3_cpuif *hw, bool eoimode, bool cbpr)
{
	struct el2 e;

	enter(&e, hw);
	vgic_v3_cpuif_write_ctlr(hw, eoimode, cbpr);
	leave(&e);
}
