// SPDX-License-Identifier: GPL-2.0-only
/* The table of switches, and policies made of a base and overrides. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vgicsim/policy.h>

static const char *const replay_values[] = {"none",	     "overflow", "whole",
					    "whole_skip_lr", "tail",	 NULL};
static const char *const last_lr_values[] = {"never", "always", "full", NULL};
static const char *const fold_values[] = {"always", "if_lrs", "if_last_lr", NULL};
static const char *const dir_values[] = {"none", "v1", "merged", NULL};
static const char *const flag_values[] = {"0", "1", NULL};

#define ENTRY(field, rule_, origin_, values_, text_)                              \
	{                                                                         \
		.name = #field, .rule = rule_, .origin = origin_, .text = text_,  \
		.values = values_, .offset = offsetof(struct vgic_policy, field), \
	}
#define FLAG(field, rule, origin, text) ENTRY(field, rule, origin, NULL, text)

/* Patch numbers are those of the series as first posted (2025-11-03). */
static const struct vgic_switch switches[] = {
	FLAG(no_empty_shortcut, "HI-1", "patch 18, dd598fc1139f (6.19)",
	     "flush and sync run though the list is empty"),
	FLAG(sort_by_summary, "OV-16", "patch 20, 6780a756044c (6.19)",
	     "the list is sorted if more is deliverable than there are LRs, else by its depth"),
	FLAG(sort_pending_first, "OV-17", "patch 22, 05984ba67eb6 (6.19)",
	     "what is only pending goes before what is active, so that it always finds an LR"),
	FLAG(sort_deliverable_first, "OV-17", "patch 23, 33c1f60b3213 (6.19)",
	     "what cannot be delivered, or whose group is disabled, goes last"),
	FLAG(multi_sgi_barrier, "HI-4", "removed by patch 20, 6780a756044c (6.19)",
	     "nothing of lower priority enters while an SGI has sources left"),
	FLAG(mi_by_summary, "OV-30", "patch 20, 6780a756044c (6.19)",
	     "UIE, NPIE and LRENPIE are armed by what is left outside; else UIE alone, if the list "
	     "goes on"),
	FLAG(grp_mi, "OV-32", "patch 24, a69e2d6f8934 (6.19)",
	     "the guest's enabling or disabling of a group raises a maintenance interrupt"),
	FLAG(overflow_list, "OV-20", "patch 25, never merged",
	     "what finds no LR moves to a list of its own until the sync"),
	FLAG(track_on_lr, "OV-28", "patch 7, 879a7fd4fd64 (6.19)",
	     "an interrupt knows that it is in an LR"),
	ENTRY(last_lr, "OV-21", "6da5e537f5af (7.0), e079ef0b1c40 (7.3, 7.2.11)", last_lr_values,
	      "when the interrupt in the last LR is remembered as the start of the tail"),
	FLAG(last_lr_ref, "OV-21", "19bc5d79ece6 (7.3, 7.2.11)",
	     "the remembered interrupt is kept alive by a reference"),
	FLAG(static_traps_in_shadow, "OV-35", "removed by patch 4, 8d3dfab1d305 (6.19)",
	     "trap bits of errata are part of the shadow HCR"),
	FLAG(hcr_always, "OV-35", "patch 11, 00c6d0d4a805 (6.19)",
	     "HCR is written at every entry, though no LR is used"),
	FLAG(hcr_zero_on_exit, "OV-40", "v3 2/5, squashed into 6.19",
	     "HCR is zero outside the guest, so that no trap or maintenance interrupt is left on"),
	FLAG(eager_vmcr, "OV-39", "patch 19, cf72ee637119 (6.19)",
	     "VMCR is read back at every exit, else only when the vCPU is put"),
	FLAG(save_eoicount, "OV-41", "patch 10, f4ded7b0848e (6.19)",
	     "EOIcount is kept at the exit if LRENPIE was armed"),
	ENTRY(fold, "OV-50", "patch 11 (6.19), 6da5e537f5af (7.0), e079ef0b1c40 (7.3, 7.2.11)",
	      fold_values,
	      "whether a sync folds: always, only if LRs were used, only if last_lr_irq is set"),
	FLAG(fold_drops_lpi_active, "OV-42", "patch 9, 73c9726975af (6.19)",
	     "an LPI loses its active state at the fold"),
	FLAG(notify_needs_deactivated, "OV-49", "patch 33, 1c3b3cadcd69 (6.19)",
	     "resamplers are told only if the fold ended an active state; else at any end of an "
	     "LR"),
	ENTRY(replay, "OV-52", "patch 26, 3cfd59f81e0f (6.19); 6da5e537f5af (7.0)", replay_values,
	      "where the interrupts are looked for that EOIcount says the guest has finished"),
	FLAG(replay_on_v2, "OV-72", "patch 30, 281c6c06e2a7 (6.19)",
	     "EOIcount is replayed on GICv2 hosts too"),
	FLAG(replay_hw_v2, "OV-72", "patch 2, fa8f11e8e183 (6.19)",
	     "a replay on a GICv2 host deactivates the physical interrupt as well"),
	FLAG(v1_list_bug, "OV-52", "patch 25, never merged",
	     "a walk of the overflow list that is not ended by the count runs into the ap_list"),
	FLAG(tdir_on_overflow, "OV-33", "patch 29, 70fd60bdedc9 (6.19)",
	     "DIR is trapped while an active interrupt is outside the LRs"),
	FLAG(track_spis, "OV-12", "patch 33, 1c3b3cadcd69 (6.19)",
	     "SPIs in flight are counted, and every vCPU traps DIR while there are any"),
	FLAG(no_tds_traps_tc, "OV-59", "patch 5, 2a28810cbb8b (6.19)",
	     "a host that cannot trap DIR alone traps all common registers"),
	FLAG(tdir_without_tds, "OV-33", "v4 33/49, 84792050e039 (6.19)",
	     "on such a host every DIR that finds no LR becomes an exit"),
	FLAG(v1_tdir_probe_bug, "OV-59", "patch 5 as posted",
	     "hosts that do not advertise their GICv3 count as unable to trap DIR"),
	ENTRY(dir_primitive, "OV-63", "patch 27, cd4f6ee99b28 (6.19)", dir_values,
	      "what KVM does with a trapped DIR"),
	FLAG(dir_primitive_v2, "OV-72", "patch 31, 255de897e7fb (6.19)",
	     "the same for GICV_DIR of a GICv2 guest"),
	FLAG(dir_in_lr, "OV-61", "v4 32/49, ca3c34da3644 (6.19)",
	     "a trapped DIR that finds its interrupt in an LR is done at EL2 though TDIR is set"),
	FLAG(dir_checks_source, "OV-65", "patch 28, 295b69216558 (6.19)",
	     "DIR of a GICv2 SGI counts only for the source that is active"),
	FLAG(trap_gicv_dir, "OV-72", "patch 32, 07bb1c5622a5 (6.19)",
	     "GICV_DIR is not mapped into the guest and always traps"),
	FLAG(icactiver_offset_bug, "OV-67", "patches 27 and 31 as posted",
	     "DIR of an interrupt in another vCPU's LR clears the active state of a wrong one"),
	FLAG(nested_no_phys_dir, "OV-66", "fixes 6dd333c8942b (7.2 stable)",
	     "a DIR in the nested state does not deactivate the physical interrupt again"),
	FLAG(bpr1_cbpr_bug, "-", "conversion to FIELD_GET (7.0)",
	     "a trapped write of BPR1 looks for CBPR in the value written instead of in VMCR"),
	FLAG(flush_after_check, "-", "7.3",
	     "an entry that is called off is called off before the flush"),
	FLAG(mode_after_sync, "OV-73", "7.3 (last_lr_irq fixes)",
	     "a vCPU counts as out of the guest only after its sync"),
	FLAG(pause_counter, "OV-73", "7.3 (last_lr_irq fixes)",
	     "halts of the VM that overlap are counted, so that the first end does not end all"),
	FLAG(movall_filter, "OV-78", "751f4641560b (7.3)",
	     "MOVALL moves the LPIs of the source redistributor only"),
	FLAG(lpi_disable_halts, "OV-78", "v2 5/7 and 7/7 of 2026-09-29, not merged",
	     "the VM is halted while LPIs are disabled or moved"),
	FLAG(one_event_per_lpi, "-", "7.3",
	     "a second event cannot be mapped to an LPI that has one"),
};

#define NR_SWITCHES (sizeof(switches) / sizeof(switches[0]))

const struct vgic_switch *vgic_switch_at(size_t index)
{
	return index < NR_SWITCHES ? &switches[index] : NULL;
}

const struct vgic_switch *vgic_switch_find(const char *name)
{
	for (size_t i = 0; i < NR_SWITCHES; i++)
		if (!strcmp(name, switches[i].name))
			return &switches[i];
	return NULL;
}

static const char *const *values_of(const struct vgic_switch *s)
{
	return s->values ? s->values : flag_values;
}

unsigned int vgic_switch_values(const struct vgic_switch *s)
{
	unsigned int n = 0;

	while (values_of(s)[n])
		n++;
	return n;
}

const char *vgic_switch_value_name(const struct vgic_switch *s, unsigned int value)
{
	return value < vgic_switch_values(s) ? values_of(s)[value] : "?";
}

int vgic_switch_parse(const struct vgic_switch *s, const char *value)
{
	for (unsigned int i = 0; i < vgic_switch_values(s); i++)
		if (!strcmp(value, values_of(s)[i]))
			return (int)i;
	return -1;
}

/* One "switch=value" of length n. */
static int override_one(struct vgic_policy_spec *spec, const char *text, size_t n)
{
	char part[sizeof(spec->bad)], *value;
	const struct vgic_switch *s;
	int v;

	snprintf(part, sizeof(part), "%.*s", (int)(n < sizeof(part) ? n : sizeof(part) - 1), text);
	memcpy(spec->bad, part, sizeof(part));
	if (n >= sizeof(part))
		return -E2BIG;
	value = strchr(part, '=');
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	s = vgic_switch_find(part);
	if (!s)
		return -ENOENT;
	v = vgic_switch_parse(s, value);
	if (v < 0)
		return -EINVAL;
	vgic_switch_set(s, &spec->policy, (uint8_t)v);
	spec->bad[0] = '\0';
	return 0;
}

int vgic_policy_override(struct vgic_policy_spec *spec, const char *overrides)
{
	int len, err;

	len = snprintf(spec->name, sizeof(spec->name), "%s%s%s", spec->policy.name,
		       *overrides ? "+" : "", overrides);
	if (len < 0 || (size_t)len >= sizeof(spec->name))
		return -E2BIG;
	while (*overrides) {
		size_t n = strcspn(overrides, "+");

		err = override_one(spec, overrides, n);
		if (err)
			return err;
		overrides += n + (overrides[n] == '+');
	}
	spec->policy.name = spec->name;
	spec->policy.alias = NULL;
	return 0;
}
