// SPDX-License-Identifier: GPL-2.0-only
/* Which maintenance interrupts and traps an entry arms. */
#include "vgic_internal.h"

/* vgic_v3_configure_hcr and vgic_v2_configure_hcr from 6.19 on: OV-29 to OV-34, OV-72. */
static uint32_t by_summary(const struct vgic *vgic, const struct vgic_summary *s)
{
	unsigned int nr_lr = vgic->cfg.nr_lr;
	bool outside = s->nr_pend + s->nr_act > nr_lr;
	uint32_t hcr = 0;

	if (s->nr_pend > nr_lr)
		hcr |= VGIC_HCR_NPIE;
	if (s->nr_act && outside)
		hcr |= VGIC_HCR_LRENPIE;
	if (outside)
		hcr |= VGIC_HCR_UIE;
	if (!vgic->cfg.gicv2 && !s->nr_sgi)
		hcr |= VGIC_HCR_VSGIEOICOUNT;
	return hcr;
}

static uint32_t groups(const struct vgic_vcpu *vcpu)
{
	return (vcpu->vmcr & VGIC_VMCR_VENG0 ? VGIC_HCR_VGRP0DIE : VGIC_HCR_VGRP0EIE) |
	       (vcpu->vmcr & VGIC_VMCR_VENG1 ? VGIC_HCR_VGRP1DIE : VGIC_HCR_VGRP1EIE);
}

/* OV-33 */
static bool traps_dir(const struct vgic *vgic, const struct vgic_summary *s)
{
	const struct vgic_policy *policy = vgic->cfg.policy;

	if (vgic->cfg.gicv2)
		return false;
	return (policy->tdir_without_tds && !vgic_has_tdir(vgic)) ||
	       (policy->tdir_on_overflow && s->nr_act &&
		s->nr_pend + s->nr_act > vgic->cfg.nr_lr) ||
	       (policy->track_spis && vgic->active_spis);
}

uint32_t vgic_make_hcr(const struct vgic *vgic, const struct vgic_vcpu *vcpu, bool more)
{
	const struct vgic_policy *policy = vgic->cfg.policy;
	const struct vgic_summary *s = &vcpu->summary;
	uint32_t hcr = VGIC_HCR_EN;

	if (policy->hcr) {
		hcr = policy->hcr(vgic, vcpu, s, more);
	} else {
		if (policy->mi_by_summary)
			hcr |= by_summary(vgic, s);
		else if (more)
			hcr |= VGIC_HCR_UIE; /* HI-4 */
		if (policy->grp_mi)
			hcr |= groups(vcpu);
		if (traps_dir(vgic, s))
			hcr |= VGIC_HCR_TDIR;
	}
	if (policy->static_traps_in_shadow) {
		hcr |= vgic->cfg.static_traps;
		/*
		 * vcpu_set_ich_hcr: against guests that would use the system registers of a
		 * GICv3 they were not given. On a GICv2 host they land in reserved bits.
		 */
		if (vgic->cfg.model_v2)
			hcr |= VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1;
	}
	return hcr;
}

bool vgic_has_tdir(const struct vgic *vgic)
{
	return vgic->cfg.has_tdir &&
	       !(vgic->cfg.policy->v1_tdir_probe_bug && vgic->cfg.unadvertised);
}

uint32_t vgic_static_traps(const struct vgic *vgic)
{
	uint32_t traps = vgic->cfg.static_traps;

	if (!vgic->cfg.gicv2 && vgic->cfg.policy->no_tds_traps_tc && !vgic_has_tdir(vgic))
		traps |= VGIC_HCR_TC;
	return traps;
}
