// SPDX-License-Identifier: GPL-2.0-only
/* The table of kernel generations. A new one is an entry here, and nothing elsewhere. */
#include <vgicsim/policy.h>

#include <stdlib.h>
#include <string.h>

#include "vgic_internal.h"

#define RELEASE(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
/* Patch level of a whole series. */
#define ANY			     255

/* OV-15 */
static bool outside(const struct vgic_summary *s, unsigned int nr_lr)
{
	return s->nr_pend + s->nr_act > nr_lr;
}

/* HI-2 */
static bool too_deep(const struct vgic_summary *s, unsigned int nr_lr)
{
	return s->depth > nr_lr || s->multi_sgi;
}

/* vgic_irq_cmp of 6.12: HI-3. */
static int active_first(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
			const struct vgic_irq *b)
{
	bool pend_a = a->enabled && vgic_irq_pending(a);
	bool pend_b = b->enabled && vgic_irq_pending(b);

	if (a->active || b->active)
		return b->active - a->active;
	if (!pend_a || !pend_b)
		return pend_b - pend_a;
	return a->priority - b->priority;
}

static bool deliverable(const struct vgic_vcpu *vcpu, const struct vgic_irq *irq)
{
	return vgic_irq_oracle(vcpu->vgic, irq) == vcpu->index;
}

static bool group_enabled(const struct vgic_vcpu *vcpu, const struct vgic_irq *irq)
{
	return vcpu->vmcr & (irq->group1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0);
}

/* vgic_irq_cmp from 6.19 on: OV-17. */
static int pending_first(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
			 const struct vgic_irq *b)
{
	bool pend_a = a->enabled && vgic_irq_pending(a) && !a->active;
	bool pend_b = b->enabled && vgic_irq_pending(b) && !b->active;
	int diff;

	diff = deliverable(vcpu, b) - deliverable(vcpu, a);
	if (diff)
		return diff;
	diff = group_enabled(vcpu, b) - group_enabled(vcpu, a);
	if (diff)
		return diff;
	diff = pend_b - pend_a;
	if (diff)
		return diff;
	diff = a->priority - b->priority;
	if (diff)
		return diff;
	return b->hw - a->hw;
}

/* vgic_v3_configure_hcr from 6.19 on: OV-29 to OV-34. */
static uint32_t hcr_by_summary(const struct vgic *vgic, const struct vgic_vcpu *vcpu,
			       const struct vgic_summary *s)
{
	bool over = outside(s, vgic->cfg.nr_lr);
	bool active_over = s->nr_act && over;
	uint32_t hcr = VGIC_HCR_EN;

	if (s->nr_pend > vgic->cfg.nr_lr)
		hcr |= VGIC_HCR_NPIE;
	if (active_over)
		hcr |= VGIC_HCR_LRENPIE;
	if (over)
		hcr |= VGIC_HCR_UIE;
	if (!s->nr_sgi)
		hcr |= VGIC_HCR_VSGIEOICOUNT;
	hcr |= vcpu->vmcr & VGIC_VMCR_VENG0 ? VGIC_HCR_VGRP0DIE : VGIC_HCR_VGRP0EIE;
	hcr |= vcpu->vmcr & VGIC_VMCR_VENG1 ? VGIC_HCR_VGRP1DIE : VGIC_HCR_VGRP1EIE;
	if (!vgic->cfg.has_tdir || active_over || vgic->active_spis)
		hcr |= VGIC_HCR_TDIR;
	return hcr;
}

static const struct vgic_policy policies[] = {
	{
		.name = "linux-6.12",
		.summary = "active interrupts first, no EOIcount, no DIR trap",
		.first = RELEASE(4, 7, 0),
		.last = RELEASE(6, 18, ANY),
		.empty_shortcut = true,
		.multi_sgi_barrier = true,
		.uie_if_not_last = true,
		.needs_sort = too_deep,
		.compare = active_first,
		.static_traps_in_shadow = true,
		.fold_needs_lrs = true,
	},
	{
		.name = "linux-7.0",
		.summary = "as 7.3, but the last filled LR bounds the replay even if the list fits",
		.first = RELEASE(6, 19, 14),
		.last = RELEASE(7, 2, 9),
		.track_on_lr = true,
		.boundary = VGIC_BOUNDARY_ALWAYS,
		.needs_sort = outside,
		.compare = pending_first,
		.hcr = hcr_by_summary,
		.hcr_always = true,
		.hcr_zero_on_exit = true,
		.eager_vmcr = true,
		.save_eoicount = true,
		.fold_needs_boundary = true,
		.fold_drops_lpi_active = true,
		.notify_needs_deactivated = true,
		.replay = VGIC_REPLAY_TAIL,
		.dir = VGIC_DIR_MERGED,
		.track_spis = true,
	},
	{
		.name = "linux-7.3",
		.alias = "newest",
		.summary = "pending interrupts first, EOIcount replayed from the tail, DIR trapped",
		.first = RELEASE(7, 2, 11),
		.last = RELEASE(7, 3, ANY),
		.track_on_lr = true,
		.boundary = VGIC_BOUNDARY_FULL,
		.needs_sort = outside,
		.compare = pending_first,
		.hcr = hcr_by_summary,
		.hcr_always = true,
		.hcr_zero_on_exit = true,
		.eager_vmcr = true,
		.save_eoicount = true,
		.fold_drops_lpi_active = true,
		.notify_needs_deactivated = true,
		.replay = VGIC_REPLAY_TAIL,
		.dir = VGIC_DIR_MERGED,
		.track_spis = true,
		.flush_after_check = true,
		.mode_after_sync = true,
		.pause_counter = true,
	},
};

#define NR_POLICIES (sizeof(policies) / sizeof(policies[0]))

const struct vgic_policy *vgic_policy_at(size_t index)
{
	return index < NR_POLICIES ? &policies[index] : NULL;
}

const struct vgic_policy *vgic_policy_find(const char *name)
{
	for (size_t i = 0; i < NR_POLICIES; i++)
		if (!strcmp(name, policies[i].name) ||
		    (policies[i].alias && !strcmp(name, policies[i].alias)))
			return &policies[i];
	return NULL;
}

const struct vgic_policy *vgic_policy_for_release(const char *release)
{
	unsigned long part[3] = {0, 0, 0};
	uint32_t version;

	for (int i = 0; i < 3; i++) {
		char *end;

		part[i] = strtoul(release, &end, 10);
		if (end == release || part[i] > 255)
			return NULL;
		release = end + 1;
		/* "7.0-rc3" has two numbers; one alone is not a release. */
		if (*end != '.' && i)
			break;
		if (*end != '.' && !i)
			return NULL;
	}
	version = RELEASE(part[0], part[1], part[2]);
	for (size_t i = 0; i < NR_POLICIES; i++)
		if (version >= policies[i].first && version <= policies[i].last)
			return &policies[i];
	return NULL;
}
