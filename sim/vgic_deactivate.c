// SPDX-License-Identifier: GPL-2.0-only
/* DIR: deactivation that the guest asks for by INTID, from any vCPU. */
#include "vgic_internal.h"
#include "vgic_lr.h"

bool vgic_dir_fast(const struct vgic *vgic, unsigned int vcpu, struct vgic_v3_cpuif *hw,
		   uint64_t value)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	/* Kernels without the primitive know TDIR as an erratum's trap alone (HI-10). */
	bool tdir =
		policy->dir_primitive != VGIC_DIR_NONE && (vgic->vcpus[vcpu].hcr & VGIC_HCR_TDIR);
	uint32_t hcr = hw->hcr, intid = value & 0xffffffu;
	struct vgic_access a;

	/* Without a static trap the fast path is switched off: every trap is a full exit (OV-60).
	 */
	if (!vgic_static_traps(vgic) || (tdir && !policy->dir_in_lr))
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

/*
 * The interrupt that a register write as of an ICACTIVER clears. As first posted the
 * offset of the register was not scaled: it names the wrong interrupt from 32 on.
 */
static uint32_t cleared_by_mmio(const struct vgic_policy *policy, uint32_t intid)
{
	if (!policy->icactiver_offset_bug || intid < VGIC_NR_PRIVATE)
		return intid;
	return 8 * (intid / 32) + intid % 32;
}

/* Case 4 of OV-65: as if the interrupt had been deactivated in an LR. */
static void deactivate_outside(struct vgic *vgic, struct vgic_vcpu *vcpu, unsigned int owner,
			       struct vgic_irq *irq)
{
	uint64_t lr = vgic_compute_lr(vgic, irq) & ~VGIC_LR_ACTIVE;

	if ((lr & VGIC_LR_HW) && !(vcpu->nested && vgic->cfg.policy->nested_no_phys_dir))
		vgic_physical_dir(vgic, vcpu->index, lr);
	if (vgic_fold_lr(vgic, vcpu, lr)) {
		vcpu->counts.dir_primitive++;
		vgic_note(vgic, VGIC_EVENT_DIR, owner, irq, 0);
	}
}

/* vgic_v3_deactivate, vgic_v2_deactivate: OV-63 to OV-68, OV-72; history 2.1 (5). */
void vgic_deactivate(struct vgic *vgic, unsigned int index, uint64_t value)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];
	unsigned int cpuid = (value & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT, owner;
	struct vgic_irq *irq;

	if (policy->dir_primitive == VGIC_DIR_NONE ||
	    (vgic->cfg.model_v2 && !policy->dir_primitive_v2))
		return;
	value &= ~VGIC_LR_CPUID;
	if (!(vcpu->vmcr & VGIC_VMCR_VEOIM) || value >= VGIC_NR_PRIVATE + vgic->cfg.nr_spis)
		return;
	irq = vgic_irq_find(vgic, index, value);
	if (!irq)
		return;
	owner = policy->dir_primitive == VGIC_DIR_V1 ? vgic_irq_oracle(vgic, irq) : irq->vcpu;
	/* As posted: an edge that was acknowledged in an LR is nobody's until the fold. */
	if (owner == VGIC_NO_VCPU)
		return;

	if (irq->on_lr) {
		vgic_write_active(vgic, index, index, cleared_by_mmio(policy, value), false);
	} else {
		if (policy->dir_primitive == VGIC_DIR_V1 && !irq->active)
			return;
		if (vgic->cfg.model_v2 && vgic_irq_is_sgi(irq) && policy->dir_checks_source &&
		    irq->active_source != cpuid)
			return;
		deactivate_outside(vgic, vcpu, owner, irq);
	}
	vgic_request(vgic, owner, VGIC_REQ_PROCESS_UPDATE, false);
}
