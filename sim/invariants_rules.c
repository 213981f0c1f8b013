// SPDX-License-Identifier: GPL-2.0-only
/* The eighteen rules and their parts: words, and which switch promises which part. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "invariants_internal.h"

#define BOTH  (VGIC_INVARIANT_RECORDING | VGIC_INVARIANT_STATE)
#define MOVES VGIC_INVARIANT_RECORDING

static const struct vgic_invariant rules[VGIC_NR_INVARIANTS] = {
	{1, "one list",
	 "an interrupt that has an owner is on its list exactly once, and on no other",
	 "every kernel", BOTH, "interrupts on no list are in no record"},
	{2, "prune keeps what belongs",
	 "after a prune every listed interrupt is deliverable to the owner of the list",
	 "every kernel", BOTH, NULL},
	{3, "one LR", "no two list registers of a vCPU hold the same interrupt", "every kernel",
	 BOTH, NULL},
	{4, "LRs belong to the list",
	 "an interrupt in an LR is on this vCPU's list, deliverable to it and marked on_lr, and "
	 "outside the guest none is marked",
	 "every kernel; on_lr: track_on_lr", BOTH, "LPIs that were mapped anew while in an LR"},
	{5, "LRs filled", "LRs are the first deliverable interrupts of the list, as many as fit",
	 "every kernel, but for multi_sgi_barrier", BOTH, NULL},
	{6, "tail is outside", "nothing behind last_lr_irq is in an LR, and it is on the list",
	 "last_lr", BOTH, "kernels without last_lr_irq, and nVHE, where it cannot be read"},
	{7, "most urgent inside",
	 "no pending interrupt of an enabled group is left outside for a less urgent one, an "
	 "active one or one of a disabled group",
	 "a every kernel, b sort_pending_first, c sort_deliverable_first", BOTH, NULL},
	{8, "well-formed LRs", "an LR has a state, HW and EOI bits that the interrupt may have",
	 "every kernel", BOTH, NULL},
	{9, "well-formed HCR",
	 "EOIcount starts at 0, each group arms one interrupt, NPIE and LRENPIE go with UIE, "
	 "active interrupts outside with LRENPIE and TDIR",
	 "a every kernel, b grp_mi, c d f g mi_by_summary, e tdir_on_overflow", BOTH, NULL},
	{10, "no immediate MI", "no maintenance interrupt is asserted at the entry itself",
	 "every kernel, but for one LR, and NPIE with no LR pending", BOTH, NULL},
	{11, "replay", "EOIcount deactivates no more than it counted, and none that was in an LR",
	 "a every kernel, b replay=overflow, whole_skip_lr, tail", MOVES,
	 "an EOIcount that is armed but not saved (6.12)"},
	{12, "LPIs are never active", "after a sync no LPI is active", "fold_drops_lpi_active",
	 BOTH, NULL},
	{13, "no lost edge",
	 "an edge stays pending until an LR takes it over or it is cleared by a register",
	 "every kernel", MOVES,
	 "MSIs: a record says device and event, not the LPI; interrupts never seen on a list"},
	{14, "no lost level",
	 "an enabled interrupt whose line is high is on a list (but after ICENABLER, and what "
	 "came while the distributor was off)",
	 "every kernel", MOVES, "interrupts never seen on a list"},
	{15, "active is conserved",
	 "an interrupt becomes active by an acknowledge or a register only, and what is "
	 "deactivated stays inactive",
	 "every kernel", MOVES,
	 "a DIR that comes in the run of the acknowledge: which came first is not recorded; "
	 "DIRs that the hypervisor serves without an exit"},
	{16, "SPIs in flight trap DIR",
	 "active_spis is not negative, and while it is not zero every entry has TDIR", "track_spis",
	 BOTH, NULL},
	{17, "last_lr_irq is short-lived",
	 "last_lr_irq lives from a flush to the next prune and no longer", "last_lr", BOTH,
	 "its value after the prune, and the reference counts of LPIs, are not recorded"},
	{18, "progress",
	 "a deliverable interrupt that the guest would take is not kept out by what the guest "
	 "cannot take",
	 "sort_pending_first", MOVES,
	 "the running priority and PSTATE.I of the guest: only LRs full of what cannot be taken "
	 "count, entry after entry"},
};

const struct vgic_invariant *vgic_invariant_at(unsigned int rule)
{
	return rule >= 1 && rule <= VGIC_NR_INVARIANTS ? &rules[rule - 1] : NULL;
}

static const struct inv_part_info parts[INV_NR_PARTS] = {
	[INV_OWNER] = {1, 'a', "an interrupt on a list has the list's vCPU as its owner"},
	[INV_ONCE] = {1, 'b', "an interrupt is on a list once"},
	[INV_LISTED] = {1, 'c', "an interrupt that has an owner is on its list"},
	[INV_ORACLE] = {2, 'a', "what stays on a list after a prune is deliverable there"},
	[INV_ONE_LR] = {3, 'a', "an interrupt is in one LR"},
	[INV_LR_LISTED] = {4, 'a', "an interrupt in an LR is on the list"},
	[INV_LR_ORACLE] = {4, 'b', "an interrupt in an LR is deliverable to this vCPU"},
	[INV_ON_LR_SET] = {4, 'c', "an interrupt in an LR is marked on_lr", NULL, "track_on_lr=1"},
	[INV_ON_LR_CLEAR] = {4, 'd', "outside the guest no interrupt is marked on_lr", NULL,
			     "track_on_lr=1"},
	[INV_USED] = {5, 'a', "as many LRs are used as there are deliverable interrupts, or all"},
	[INV_LR_ORDER] = {5, 'b', "LRs hold the first deliverable interrupts in list order",
			  .together = true},
	[INV_TAIL] = {6, 'a', "nothing behind last_lr_irq is in an LR", NULL, "last_lr=1"},
	[INV_BOUNDARY] = {6, 'b', "last_lr_irq is on the list", NULL, "last_lr=1"},
	[INV_PRIORITY] = {7, 'a', "no more urgent pending interrupt is outside than inside",
			  .together = true},
	[INV_ACTIVE_IN] = {7, 'b', "no active interrupt keeps a pending one out", NULL,
			   "sort_pending_first=1", .together = true},
	[INV_GROUP_IN] = {7, 'c', "no interrupt of a disabled group keeps a pending one out", "L4",
			  "sort_deliverable_first=1", .together = true},
	[INV_LR_BOTH] = {8, 'a', "pending and active in an LR is for edges without HW only"},
	[INV_LR_HW] = {8, 'b', "HW is for mapped interrupts, with their physical INTID"},
	[INV_LR_EOI] = {8, 'c', "EOI is for levels without HW and SGIs of several sources"},
	[INV_EOICOUNT] = {9, 'a', "EOIcount is 0 at the entry"},
	[INV_GROUP_MI] = {9, 'b', "each group arms exactly one of its two interrupts", NULL,
			  "grp_mi=1"},
	[INV_NPIE_UIE] = {9, 'c', "NPIE goes with UIE", NULL, "mi_by_summary=1"},
	[INV_LRENPIE_UIE] = {9, 'd', "LRENPIE goes with UIE", NULL, "mi_by_summary=1"},
	[INV_TDIR] = {9, 'e', "active interrupts outside the LRs trap DIR", "L3",
		      "tdir_on_overflow=1"},
	[INV_LRENPIE] = {9, 'f', "the EOI of an active interrupt outside the LRs is counted", "L3",
			 "mi_by_summary=1"},
	[INV_UIE] = {9, 'g', "UIE is armed only if something deliverable is outside", "L7",
		     "mi_by_summary=1"},
	[INV_MISR] = {10, 'a', "MISR is 0 at the entry"},
	[INV_REPLAYED] = {11, 'a', "no more interrupts are deactivated than EOIcount says"},
	[INV_REPLAYED_LR] = {11, 'b', "EOIcount deactivates nothing that was in an LR", "SC-20",
			     "replay=overflow,whole_skip_lr,tail"},
	[INV_LPI_ACTIVE] = {12, 'a', "no LPI is active after a sync", "L6",
			    "fold_drops_lpi_active=1"},
	[INV_EDGE_FOLDED] = {13, 'a', "an edge that comes back pending from an LR is pending"},
	[INV_EDGE_KEPT] = {13, 'b', "an edge that is pending stays so until an LR takes it"},
	[INV_EDGE_SEEN] = {13, 'c', "an injected edge is pending at the target's next flush"},
	[INV_LEVEL_PRUNED] = {14, 'a', "a prune drops nothing that is still deliverable"},
	[INV_LEVEL_SEEN] = {14, 'b', "a raised line is pending at the target's next flush"},
	[INV_DEACTIVATED] = {15, 'a',
			     "a deactivation from outside is not undone by the fold of the owner"},
	[INV_DIR_EFFECT] = {15, 'b', "after a DIR the interrupt is inactive until acknowledged"},
	[INV_ACTIVE_GONE] = {15, 'c', "active ends by EOI, DIR or a register only"},
	[INV_ACTIVE_COMES] = {15, 'd', "active begins by an acknowledge or a register only"},
	[INV_SPIS_NEGATIVE] = {16, 'a', "active_spis is not negative", NULL, "track_spis=1"},
	[INV_SPIS_TDIR] = {16, 'b', "while SPIs are in flight every entry traps DIR", NULL,
			   "track_spis=1"},
	[INV_SPIS_UNTRAPPED] = {16, 'c', "while an SPI is active on one vCPU the others trap DIR",
				"L5", "track_spis=1"},
	[INV_BOUNDARY_KEPT] = {17, 'a', "last_lr_irq at the fold is that of the flush", NULL,
			       "last_lr=1"},
	[INV_BOUNDARY_NULL] = {17, 'b', "after a sync last_lr_irq is NULL", NULL, "last_lr=1"},
	[INV_PROGRESS] = {18, 'a', "LRs full of what cannot be taken do not stay so", NULL,
			  "sort_pending_first=1", .together = true},
};

const struct inv_part_info *inv_part_info(enum inv_part part)
{
	return &parts[part];
}

/* "name=value": value is the least number, or a list of names. */
bool inv_promised(const struct vgic_policy *policy, enum inv_part part)
{
	const char *follows = parts[part].follows, *value, *end;
	const struct vgic_switch *sw;
	unsigned int now;
	char name[64];

	if (!follows)
		return true;
	value = strchr(follows, '=') + 1;
	snprintf(name, sizeof(name), "%.*s", (int)(value - 1 - follows), follows);
	sw = vgic_switch_find(name);
	if (!sw)
		return false;
	now = vgic_switch_get(sw, policy);
	if (*value >= '0' && *value <= '9')
		return now >= (unsigned int)(*value - '0');
	for (; *value; value = *end ? end + 1 : end) {
		end = value + strcspn(value, ",");
		snprintf(name, sizeof(name), "%.*s", (int)(end - value), value);
		if (!strcmp(name, vgic_switch_value_name(sw, now)))
			return true;
	}
	return false;
}

void inv_judge_init(struct inv_judge *j, const struct vgic_policy *policy, bool strict, bool gicv2)
{
	for (int part = 0; part < INV_NR_PARTS; part++)
		j->on[part] = strict || inv_promised(policy, part);
	/* GICH_HCR has no trap bits: there GICV_DIR traps by not being mapped. */
	if (gicv2)
		j->on[INV_TDIR] = j->on[INV_SPIS_TDIR] = j->on[INV_SPIS_UNTRAPPED] = false;
	/* Where there is a counter, it says more than what was seen active. */
	if (policy->track_spis)
		j->on[INV_SPIS_UNTRAPPED] = false;
	/* The fields that these parts read do not exist there. */
	if (!policy->track_on_lr)
		j->on[INV_ON_LR_SET] = j->on[INV_ON_LR_CLEAR] = false;
	if (policy->last_lr == VGIC_LAST_LR_NEVER)
		j->on[INV_TAIL] = j->on[INV_BOUNDARY] = j->on[INV_BOUNDARY_KEPT] =
			j->on[INV_BOUNDARY_NULL] = false;
}

static void vsuspect(struct inv_judge *j, struct inv_suspect *s, const char *format, va_list ap)
{
	if (!j->on[s->part])
		return;
	vsnprintf(s->what, sizeof(s->what), format, ap);
	j->suspect(j->to, s);
}

void inv_suspect(struct inv_judge *j, enum inv_part part, uint32_t intid, uint32_t excuse,
		 const char *format, ...)
{
	struct inv_suspect s = {.part = part, .intid = intid, .excuse = excuse};
	va_list ap;

	va_start(ap, format);
	vsuspect(j, &s, format, ap);
	va_end(ap);
}

void inv_suspect_known(struct inv_judge *j, enum inv_part part, uint32_t intid, uint32_t excuse,
		       const char *known, const char *format, ...)
{
	struct inv_suspect s = {.part = part, .intid = intid, .excuse = excuse, .known = known};
	va_list ap;

	va_start(ap, format);
	vsuspect(j, &s, format, ap);
	va_end(ap);
}
