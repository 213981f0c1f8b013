// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "verify_machine.h"

static bool has_probe(const struct vgr_header *h, const char *name)
{
	for (size_t i = 0; i < h->nr_probes; i++)
		if (strstr(h->probes[i].name, name) && strcmp(h->probes[i].method, "none"))
			return true;
	return false;
}

/*
 * An event takes its time first and looks at its arguments then; the CPU of an emulated host may
 * stand still in between.
 */
static uint32_t late_ns(const struct vgr_header *h)
{
	if (!h->source[0])
		return 0;
	return h->emulated == VGR_YES ? 100000000 : 2000000;
}

struct vgic_verify_config verify_machine(const struct vgr_header *h,
					 const struct vgic_policy *policy)
{
	return (struct vgic_verify_config){
		.policy = policy,
		.gicv2 = h->gic_host == 2,
		.nr_lr = h->nr_lr,
		.no_tdir = h->tdir == VGR_NO,
		.static_traps = h->static_traps,
		.has_levels = has_probe(h, "get_input_level"),
		.has_acked = has_probe(h, "kvm_notify_acked_irq"),
		.has_entries = has_probe(h, "kvm_entry"),
		.sees_boundary = !strcmp(h->kvm_mode, "VHE") && !vgr_lacks(h, "boundary"),
		.late_ns = late_ns(h),
	};
}
