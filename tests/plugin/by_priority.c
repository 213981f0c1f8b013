// SPDX-License-Identifier: GPL-2.0-only
/* A policy from outside: the newest kernel, but the more urgent interrupt goes first. */
#include <vgicsim/vgic.h>

static int by_priority(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
		       const struct vgic_irq *b)
{
	bool here_a = vgic_irq_oracle(vcpu->vgic, a) == vcpu->index;
	bool here_b = vgic_irq_oracle(vcpu->vgic, b) == vcpu->index;

	return here_a != here_b ? here_b - here_a : a->priority - b->priority;
}

#ifndef NO_ABI
#ifndef ABI
#define ABI VGIC_POLICY_ABI
#endif
const unsigned int vgic_policy_abi = ABI;
#endif

#ifndef NO_POLICY
const struct vgic_policy vgic_policy_plugin = {
	.name = "by-priority",
	.summary = "priority alone decides who is in the list registers",
	.no_empty_shortcut = 1,
	.sort_by_summary = 1,
	.mi_by_summary = 1,
	.grp_mi = 1,
	.track_on_lr = 1,
	.last_lr = VGIC_LAST_LR_FULL,
	.hcr_always = 1,
	.hcr_zero_on_exit = 1,
	.eager_vmcr = 1,
	.save_eoicount = 1,
	.fold_drops_lpi_active = 1,
	.notify_needs_deactivated = 1,
#ifdef BAD_VALUE
	.replay = 77,
#else
	.replay = VGIC_REPLAY_TAIL,
#endif
	.replay_on_v2 = 1,
	.replay_hw_v2 = 1,
	.tdir_on_overflow = 1,
	.track_spis = 1,
	.dir_primitive = VGIC_DIR_MERGED,
	.dir_primitive_v2 = 1,
	.dir_checks_source = 1,
	.trap_gicv_dir = 1,
	.compare = by_priority,
};
#endif
