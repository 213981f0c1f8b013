// SPDX-License-Identifier: GPL-2.0-only
/* The table of kernel generations. A new one is an entry here, and nothing elsewhere. */
#include <vgicsim/policy.h>

#include <stdlib.h>
#include <string.h>

#define RELEASE(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
/* Patch level of a whole series. */
#define ANY			     255

/* What the series as first posted and all kernels since 6.19 have in common. */
#define REWRITTEN                                                                        \
	.no_empty_shortcut = 1, .sort_by_summary = 1, .sort_pending_first = 1,           \
	.sort_deliverable_first = 1, .mi_by_summary = 1, .grp_mi = 1, .track_on_lr = 1,  \
	.hcr_always = 1, .hcr_zero_on_exit = 1, .eager_vmcr = 1, .save_eoicount = 1,     \
	.fold_drops_lpi_active = 1, .notify_needs_deactivated = 1, .replay_on_v2 = 1,    \
	.replay_hw_v2 = 1, .tdir_on_overflow = 1, .track_spis = 1, .no_tds_traps_tc = 1, \
	.dir_primitive_v2 = 1, .dir_checks_source = 1, .trap_gicv_dir = 1

#define MERGED REWRITTEN, .tdir_without_tds = 1, .dir_primitive = VGIC_DIR_MERGED, .dir_in_lr = 1

/*
 * Where a series changes in its middle the releases are those that recordings tell: 6.19.8
 * has no last_lr_irq and 6.19.10 has it; 7.2.9 keeps it with LRs free, 7.2.11 does not. Of
 * 6.19.9 and 7.2.10 there is no kernel to ask: they go with the change.
 */
/* clang-format off */
static const struct vgic_policy policies[] = {
	{
		.name = "linux-6.12",
		.summary = "active interrupts first, no EOIcount, no DIR trap",
		.first = RELEASE(4, 7, 0),
		.last = RELEASE(6, 18, ANY),
		.multi_sgi_barrier = 1,
		.static_traps_in_shadow = 1,
		.fold = VGIC_FOLD_IF_LRS,
	},
	{
		.name = "posted-v1",
		.summary = "the 33 patches as first posted: pending first, an overflow list of its own",
		REWRITTEN,
		.overflow_list = 1,
		.replay = VGIC_REPLAY_OVERFLOW,
		.v1_list_bug = 1,
		.v1_tdir_probe_bug = 1,
		.dir_primitive = VGIC_DIR_V1,
		.icactiver_offset_bug = 1,
	},
	{
		.name = "linux-6.19",
		.summary = "as merged: EOIcount replayed over the whole list",
		.first = RELEASE(6, 19, 0),
		.last = RELEASE(6, 19, 8),
		MERGED,
		.replay = VGIC_REPLAY_WHOLE,
	},
	{
		.name = "linux-7.0",
		.summary = "EOIcount replayed from the tail, which starts after any filled LR",
		.first = RELEASE(6, 19, 9),
		.last = RELEASE(7, 2, 9),
		MERGED,
		.last_lr = VGIC_LAST_LR_ALWAYS,
		.fold = VGIC_FOLD_IF_LAST_LR,
		.replay = VGIC_REPLAY_TAIL,
		/* Not yet in 6.19.14, which is the same in all else. */
		.bpr1_cbpr_bug = 1,
	},
	{
		.name = "linux-7.2",
		.summary = "the tail exists only if all LRs are filled",
		.first = RELEASE(7, 2, 10),
		.last = RELEASE(7, 2, ANY),
		MERGED,
		.last_lr = VGIC_LAST_LR_FULL,
		.last_lr_ref = 1,
		.replay = VGIC_REPLAY_TAIL,
		.nested_no_phys_dir = 1,
		.bpr1_cbpr_bug = 1,
	},
	{
		.name = "linux-7.3",
		.alias = "newest",
		.summary = "entries called off before the flush; halts that wait for the sync",
		.first = RELEASE(7, 3, 0),
		.last = RELEASE(7, 3, ANY),
		MERGED,
		.last_lr = VGIC_LAST_LR_FULL,
		.last_lr_ref = 1,
		.replay = VGIC_REPLAY_TAIL,
		.nested_no_phys_dir = 1,
		.bpr1_cbpr_bug = 1,
		.flush_after_check = 1,
		.mode_after_sync = 1,
		.pause_counter = 1,
		.movall_filter = 1,
		.one_event_per_lpi = 1,
	},
};
/* clang-format on */

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
