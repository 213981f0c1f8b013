// SPDX-License-Identifier: GPL-2.0-only
/* Sections and fields of a workload on disk. The order of the tables is the layout. */
#include "workload_format.h"

#define IS_FLAG(type, member) \
	__builtin_types_compatible_p(__typeof__(((struct type *)0)->member), bool)

/* One value; n values that follow one another; n flags. */
#define F(type, member)                                                               \
	{                                                                             \
		offsetof(struct type, member), sizeof(((struct type *)0)->member), 1, \
			IS_FLAG(type, member)                                         \
	}
#define A(type, member, count)                                                                     \
	{                                                                                          \
		offsetof(struct type, member), sizeof(((struct type *)0)->member[0]), count, false \
	}

/* What an interrupt is, wherever it stands. */
#define IRQ(type, at)                                                                   \
	F(type, at intid), F(type, at state), F(type, at priority), F(type, at source), \
		F(type, at active_source), F(type, at hwintid), F(type, at vcpu),       \
		F(type, at target)

static const struct workload_field derivation[] = {
	F(vgw, recording),    F(vgw, pairs),	      F(vgw, ending),	      F(vgw, vm),
	F(vgw, derived.runs), F(vgw, derived.forced), F(vgw, derived.unseen), F(vgw, derived.cut),
	F(vgw, derived.lost), F(vgw, has_window),     F(vgw, window_vcpu),    F(vgw, window_t0),
	F(vgw, window_t1),    F(vgw, has_recorded),
};

static const struct workload_field demand[] = {
	F(vgic_workload, nr_lr),   F(vgic_workload, host_cpus),
	F(vgic_workload, start),   F(vgic_workload, duration_ns),
	F(vgic_workload, open),	   F(vgic_workload, typical),
	F(vgic_workload, gicv2),   F(vgic_workload, model_v2),
	F(vgic_workload, blocked), F(vgic_workload, eoicount_on_split),
};

static const struct workload_field profile[] = {
	F(vgic_profile, entry_ns),   F(vgic_profile, exit_ns),	    F(vgic_profile, mi_out_ns),
	F(vgic_profile, dir_out_ns), F(vgic_profile, kick_ns),	    F(vgic_profile, mi_delay_ns),
	F(vgic_profile, switch_ns),  F(vgic_profile, entry_irq_ps), F(vgic_profile, entry_lr_ps),
	F(vgic_profile, sort_ns),    F(vgic_profile, sort_step_ps), F(vgic_profile, exit_irq_ps),
	F(vgic_profile, exit_lr_ps), F(vgic_profile, nr_mi_delays), A(vgic_profile, mi_delays, 64),
};

_Static_assert(VGIC_MAX_MI_DELAYS == 64, "delays of the profile");

static const struct workload_field vcpus[] = {
	F(vgic_wl_vcpu, background),
	F(vgic_wl_vcpu, start_ns),
	F(vgic_wl_vcpu, guest_ns),
	F(vgic_wl_vcpu, masked_handlers),
};

static const struct workload_field sources[] = {
	IRQ(vgic_source, initial.), F(vgic_source, vcpu), F(vgic_source, first_script),
	F(vgic_source, typical),    F(vgic_source, acks),
};

#define WHEN(which)                                                                     \
	F(vgic_script, which.at), F(vgic_script, which.from), F(vgic_script, which.to), \
		F(vgic_script, which.known)

static const struct workload_field scripts[] = {
	F(vgic_script, first),
	F(vgic_script, source),
	F(vgic_script, next),
	F(vgic_script, vcpu),
	F(vgic_script, whole),
	F(vgic_script, own_ns),
	WHEN(ack),
	WHEN(drop),
	WHEN(deact),
};

static const struct workload_field ops[] = {
	F(vgic_op, at),	       F(vgic_op, out_ns),	 F(vgic_op, next),
	F(vgic_op, effects),   F(vgic_op, asks),	 F(vgic_op, need),
	F(vgic_op, nested),    F(vgic_op, source),	 F(vgic_op, count),
	F(vgic_op, value),     F(vgic_op, kind),	 F(vgic_op, exit),
	F(vgic_op, flags),     F(vgic_op, wall_ns),	 F(vgic_op, entry_ns),
	F(vgic_op, sync_irqs), F(vgic_op, entry_irqs),	 F(vgic_op, sync_lrs),
	F(vgic_op, entry_lrs), F(vgic_op, entry_sorted),
};

static const struct workload_field effects[] = {
	F(vgic_effect, delay_ns), F(vgic_effect, wall_ns), F(vgic_effect, gap_ns),
	F(vgic_effect, value),	  F(vgic_effect, next),	   F(vgic_effect, ask_next),
	F(vgic_effect, source),	  F(vgic_effect, prop),	   F(vgic_effect, handled),
	F(vgic_effect, vcpu),	  F(vgic_effect, kind),	   F(vgic_effect, level),
	F(vgic_effect, origin),
};

static const struct workload_field props[] = {IRQ(vgr_irq, )};

static const struct workload_field cell[] = {
	F(vgic_cell, nr_lr),	    F(vgic_cell, outcome),	 F(vgic_cell, stuck_vcpu),
	F(vgic_cell, unhandled),    F(vgic_cell, guest_ns),	 F(vgic_cell, wall_ns),
	F(vgic_cell, exits),	    A(vgic_cell, exit, 7),	 F(vgic_cell, mi),
	A(vgic_cell, mi_source, 8), F(vgic_cell, dir_traps),	 F(vgic_cell, eoicount),
	F(vgic_cell, kicks),	    F(vgic_cell, lr_writes),	 F(vgic_cell, lr_reads),
	F(vgic_cell, interrupts),   F(vgic_cell, overflow_max),	 F(vgic_cell, overflow_entries),
	F(vgic_cell, merged),	    F(vgic_cell, inversions),	 F(vgic_cell, inversion_ns),
	F(vgic_cell, order_known),  F(vgic_cell, spurious),	 F(vgic_cell, lost),
	F(vgic_cell, reordered),    F(vgic_cell, has_timeline),	 F(vgic_cell, timeline.t0),
	F(vgic_cell, timeline.t1),  F(vgic_cell, timeline.vcpu), F(vgic_cell, timeline.full),
};

/* A new kind of exit or source is a new field at the end, not a longer one here. */
_Static_assert(VGIC_EXIT_KINDS == 7 && VGIC_MI_SOURCES == 8, "counts of the recorded cell");

static const struct workload_field occupancy[] = {
	F(workload_occupancy, used_ns),
	F(workload_occupancy, pending_ns),
	F(workload_occupancy, active_ns),
	F(workload_occupancy, entries),
};

static const struct workload_field depths[] = {{0, sizeof(uint64_t), 1, false}};

static const struct workload_field latencies[] = {
	F(workload_latency, known),  F(workload_latency, n),   F(workload_latency, min),
	F(workload_latency, max),    F(workload_latency, sum), F(workload_latency, inside_ns),
	F(workload_latency, raises),
};

static const struct workload_field buckets[] = {
	F(workload_bucket, latency),
	F(workload_bucket, bucket),
	F(workload_bucket, count),
};

static const struct workload_field blocks[] = {
	F(workload_block, latency),
	F(workload_block, block),
	F(workload_block, bucket),
	F(workload_block, count),
};

static const struct workload_field fates[] = {
	F(vgic_fate, intid),	      F(vgic_fate, vcpu),
	F(vgic_fate, kind),	      F(vgic_fate, refused),
	F(vgic_fate, priority),	      F(vgic_fate, raised),
	F(vgic_fate, first_ns),	      F(vgic_fate, delivered),
	F(vgic_fate, ended),	      F(vgic_fate, lost),
	F(vgic_fate, since_ns),	      F(vgic_fate, entries),
	F(vgic_fate, outside_ns),     F(vgic_fate, outside_entries),
	F(vgic_fate, outside_record),
};

static const struct workload_field starved[] = {
	F(vgic_starved, vcpu),
	F(vgic_starved, intid),
	F(vgic_starved, since_ns),
};

static const struct workload_field segments[] = {
	F(vgic_segment, lr), F(vgic_segment, state), F(vgic_segment, intid),
	F(vgic_segment, t0), F(vgic_segment, t1),
};

static const struct workload_field marks[] = {
	F(vgic_mark, t),
	F(vgic_mark, value),
};

/* least is what version 1 began with: it stays when fields are appended. */
#define S(name, fields, least, size, one, max)                                            \
	{                                                                                 \
		name, fields, sizeof(fields) / sizeof((fields)[0]), least, size, one, max \
	}
#define MANY		      (VGIC_WL_NONE - 1)
/* Counts of the blocks of one latency. */
#define WORKLOAD_BLOCK_COUNTS (VGIC_LATENCY_BLOCKS * VGIC_LATENCY_PARTS * VGIC_LATENCY_PART)

static const struct workload_section sections[WORKLOAD_TAG_MAX] = {
	[WORKLOAD_DESCRIPTION] = {"description", NULL, 0, 1, 1, false, VGR_MAX_FRAME},
	[WORKLOAD_NAMES] = {"names", NULL, 0, 1, 1, false, VGR_MAX_FRAME},
	[WORKLOAD_DERIVATION] = S("derivation", derivation, 82, sizeof(struct vgw), true, 1),
	[WORKLOAD_DEMAND] = S("demand", demand, 36, sizeof(struct vgic_workload), true, 1),
	[WORKLOAD_PROFILE] = S("profile", profile, 620, sizeof(struct vgic_profile), true, 1),
	[WORKLOAD_VCPUS] = S("vCPU", vcpus, 21, sizeof(struct vgic_wl_vcpu), false, VGW_MAX_VCPUS),
	[WORKLOAD_SOURCES] = S("interrupt", sources, 29, sizeof(struct vgic_source), false, MANY),
	[WORKLOAD_SCRIPTS] = S("script", scripts, 98, sizeof(struct vgic_script), false, MANY),
	[WORKLOAD_OPS] = S("operation", ops, 70, sizeof(struct vgic_op), false, MANY),
	[WORKLOAD_EFFECTS] = S("effect", effects, 57, sizeof(struct vgic_effect), false, MANY),
	[WORKLOAD_PROPS] = S("state", props, 15, sizeof(struct vgr_irq), false, MANY),
	[WORKLOAD_CELL] = S("recorded numbers", cell, 299, sizeof(struct vgic_cell), true, 1),
	[WORKLOAD_OCCUPANCY] = S("occupancy", occupancy, 32, sizeof(struct workload_occupancy),
				 false, VGR_MAX_LRS + 1),
	[WORKLOAD_DEPTHS] = S("depth", depths, 8, sizeof(uint64_t), false, VGIC_DEPTHS),
	[WORKLOAD_LATENCIES] =
		S("latency", latencies, 49, sizeof(struct workload_latency), false, VGIC_LATENCIES),
	[WORKLOAD_BUCKETS] = S("bucket", buckets, 13, sizeof(struct workload_bucket), false,
			       VGIC_LATENCIES *VGIC_HIST_BUCKETS),
	[WORKLOAD_BLOCKS] = S("block", blocks, 13, sizeof(struct workload_block), false,
			      VGIC_LATENCIES *WORKLOAD_BLOCK_COUNTS),
	[WORKLOAD_FATES] = S("fate", fates, 89, sizeof(struct vgic_fate), false, MANY),
	[WORKLOAD_STARVED] = S("starved interrupt", starved, 14, sizeof(struct vgic_starved), false,
			       VGIC_MAX_STARVED),
	[WORKLOAD_SEGMENTS] =
		S("segment", segments, 22, sizeof(struct vgic_segment), false, VGIC_TIMELINE_MAX),
	[WORKLOAD_MIS] = S("MI", marks, 12, sizeof(struct vgic_mark), false, VGIC_TIMELINE_MAX),
	[WORKLOAD_OVERFLOWS] =
		S("overflow", marks, 12, sizeof(struct vgic_mark), false, VGIC_TIMELINE_MAX),
};

const struct workload_section *workload_section(unsigned int tag)
{
	return tag < WORKLOAD_TAG_MAX && sections[tag].name ? &sections[tag] : NULL;
}

uint32_t workload_element(const struct workload_section *s)
{
	uint32_t bytes = 0;

	if (!s->fields)
		return 1;
	for (unsigned int i = 0; i < s->nr_fields; i++)
		bytes += (uint32_t)s->fields[i].width * s->fields[i].n;
	return bytes;
}
