// SPDX-License-Identifier: GPL-2.0-only
/* DIR: deactivation that the guest asks for by INTID, from any vCPU. */
#include "vgic_internal.h"

bool vgic_dir_fast(const struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw,
		   uint64_t value)
{
	bool tdir = vgic->vcpus[vcpu].hcr & VGIC_HCR_TDIR;
	uint32_t hcr = hw->hcr, intid = value & 0xffffffu;
	struct vgic_access a;

	/* Without a static trap the fast path is switched off: every trap is a full exit (OV-60).
	 */
	if (!vgic->cfg.static_traps)
		return false;
	if (!(hw->vmcr & VGIC_VMCR_VEOIM) || intid >= VGIC_LPI_BASE)
		return true;
	hw->hcr &= ~(VGIC_HCR_TC | VGIC_HCR_TDIR);
	a = vgic_v3_cpuif_dir(hw, intid);
	if (tdir && (a.did & VGIC_DID_COUNT)) {
		hw->hcr = hcr;
		return false;
	}
	hw->hcr = (hw->hcr & VGIC_HCR_EOICOUNT) | (hcr & ~VGIC_HCR_EOICOUNT);
	if ((a.did & VGIC_DID_HW) && vgic->cfg.env.physical_dir)
		vgic->cfg.env.physical_dir(vgic->cfg.env.opaque, vcpu, a.pintid);
	return true;
}

/* vgic_v3_deactivate: OV-63 to OV-68. */
void vgic_deactivate(struct vgic *vgic, unsigned int index, uint64_t value)
{
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];
	unsigned int cpuid = (value & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT, owner;
	struct vgic_irq *irq;

	if (vgic->cfg.policy->dir == VGIC_DIR_NONE)
		return;
	value &= ~VGIC_LR_CPUID;
	if (!(vcpu->vmcr & VGIC_VMCR_VEOIM) || value >= VGIC_NR_PRIVATE + vgic->cfg.nr_spis)
		return;
	irq = vgic_irq_find(vgic, index, value);
	if (!irq || irq->vcpu == VGIC_NO_VCPU)
		return;
	owner = irq->vcpu;

	if (irq->on_lr) {
		vgic_write_active(vgic, index, index, value, false);
	} else {
		uint64_t lr;

		if (vgic->cfg.model_v2 && vgic_irq_is_sgi(irq) && irq->active_source != cpuid)
			return;
		lr = vgic_compute_lr(vgic, irq) & ~VGIC_LR_ACTIVE;
		if (lr & VGIC_LR_HW)
			vgic_physical_dir(vgic, index, lr);
		if (vgic_fold_lr(vgic, vcpu, lr)) {
			vcpu->counts.dir_primitive++;
			vgic_note(vgic, VGIC_EVENT_DIR, owner, irq, 0);
		}
	}
	vgic_request(vgic, owner, VGIC_REQ_PROCESS_UPDATE, false);
}
