/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/metrics.h>

static const struct vgic_metric metrics[] = {
	{"guest_time_ns", "ns",
	 "Time inside the guest: sum over all runs of all vCPUs of sync begun minus guest "
	 "entered."},
	{"wall_time_ns", "ns", "First entry of any vCPU to last exit of any vCPU."},
	{"exits.total", "exits",
	 "Guest exits that reached the run loop (tracepoint kvm_exit). The kinds below add up to "
	 "it."},
	{"exits.mi", "exits",
	 "IRQ exits at whose sync ICH_MISR_EL2, recomputed from LRs, HCR, EOIcount and VMCR as "
	 "read "
	 "back, is not zero. A trap that leaves the guest while MISR is set is counted as the "
	 "trap."},
	{"exits.dir", "exits", "Trapped writes of ICC_DIR_EL1 that became full exits."},
	{"exits.sgi", "exits", "Trapped writes of ICC_SGI0R/SGI1R/ASGI1R_EL1."},
	{"exits.wfi", "exits", "Trapped WFI and WFE."},
	{"exits.mmio", "exits", "Trapped MMIO accesses, emulated in the kernel or in user space."},
	{"exits.other_irq", "exits", "IRQ exits with MISR zero: host interrupts and kicks."},
	{"exits.other", "exits", "All other exits: hypercalls, stage-2 faults, system registers."},
	{"mi.total", "exits",
	 "As exits.mi. One MI may have several sources, so the sources may add up to more."},
	{"mi.eoi", "MIs", "MIs with MISR.EOI: an LR with EOI=1 and HW=0 became invalid."},
	{"mi.u", "MIs", "MIs with MISR.U: UIE set and at most one LR valid."},
	{"mi.lrenp", "MIs", "MIs with MISR.LRENP: LRENPIE set and EOIcount not zero."},
	{"mi.np", "MIs", "MIs with MISR.NP: NPIE set and no LR pending."},
	{"mi.grp0e", "MIs", "MIs with MISR.VGrp0E: group 0 was enabled."},
	{"mi.grp0d", "MIs", "MIs with MISR.VGrp0D: group 0 was disabled."},
	{"mi.grp1e", "MIs", "MIs with MISR.VGrp1E: group 1 was enabled."},
	{"mi.grp1d", "MIs", "MIs with MISR.VGrp1D: group 1 was disabled."},
	{"dir_traps", "traps", "DIR writes that trapped; as exits.dir."},
	{"eoicount_deactivations", "interrupts",
	 "Interrupts that a sync deactivated because of EOIcount: active before the fold, not "
	 "active "
	 "after it, and in no LR of the run."},
	{"kicks", "requests",
	 "Kick requests to a vCPU: IPI if it is in the guest, wake-up if it waits."},
	{"lr_writes", "writes", "LRs written at entries: sum of used_lrs."},
	{"lr_reads", "reads", "LRs read back at exits: used LRs whose state was not Invalid."},
	{"interrupts", "acknowledgements",
	 "Interrupts acknowledged. In the recording: LRs seen to leave the pending state in a "
	 "run."},
	{"excess_exits", "exits",
	 "exits.total minus exits.total of the same workload and policy with 16 LRs."},
	{"bound.mi", "MIs",
	 "Clairvoyant bound: the fewest MIs that any policy could have had with as many LRs, had "
	 "the guest acknowledged the same interrupts in the same order. The acknowledges of each "
	 "vCPU are cut wherever the LRs can be refilled without an MI: at every other exit, at "
	 "every DIR (a policy may trap it), wherever the vCPU is kicked because something was "
	 "raised, and at MIs that came together with such an exit. What lies between two cuts "
	 "needs one MI less than the fewest pieces of at most N different interrupts, for one "
	 "fill of N LRs is acknowledged in one run at most once each. mi.total is never less."},
	{"bound.lr_exits", "exits",
	 "The same for all exits that the LRs cause, MIs and DIR traps together: a DIR is not for "
	 "free. exits.mi plus exits.dir is never less."},
	{"occupancy.used_ns", "ns of guest time",
	 "Time with n valid LRs, n the index. In the recording the LRs count as programmed at the "
	 "entry for the whole run, for changes inside a run are not seen."},
	{"occupancy.pending_ns", "ns of guest time", "The same, LRs in state Pending or both."},
	{"occupancy.active_ns", "ns of guest time", "The same, LRs in state Active or both."},
	{"occupancy.entries", "entries", "Entries with n LRs in use."},
	{"overflow.max", "interrupts",
	 "Most deliverable interrupts that a flush left outside the LRs."},
	{"overflow.entries", "entries", "Flushes that left at least one outside."},
	{"overflow.depth_ns", "ns of wall time",
	 "Time with this many outside, from a flush to the vCPU's next flush."},
	{"latency.raise_to_lr", "ns",
	 "From a raise to the first entry with the interrupt pending in an LR; both ends are seen "
	 "by the host. A raise: of an edge, an SGI or an LPI (its MSI) the pending latch is set "
	 "while it was clear; of a level the line goes high, or is still high at the sync or the "
	 "trapped DIR that ends the interrupt. One without a record (a pending register was "
	 "written) counts from the flush or sync whose list shows it first. What is disabled when "
	 "it is raised, or whose distributor is, counts from the register write that lets the host "
	 "deliver it; what the guest masks by priority, group or PSTATE counts from the raise. The "
	 "same in a recording and in a replay. A percentile needs 10 samples beyond it; its "
	 "interval, 95 %, comes from 1000 samples made of blocks of neighbouring raises."},
	{"latency.raise_to_ack", "ns",
	 "From a raise to the guest's acknowledge. Not seen in a recording; in a replay estimated, "
	 "for the host does not see when in a run the guest acknowledges."},
	{"latency.ack_to_eoi", "ns",
	 "From acknowledge to priority drop, in the order of the acknowledges. Not seen in a "
	 "recording; estimated."},
	{"latency.raise_to_deactivate", "ns",
	 "From a raise to deactivation. Not seen in a recording; estimated, unless a DIR traps."},
	{"latency.uncertainty", "ns",
	 "Mean length of the runs in which these latencies end (0 for an end at a trap): none is "
	 "off by more than its run is long, as far as the estimator is concerned. 0 if both ends "
	 "are seen by the host."},
	{"merged_raises", "raises",
	 "Edges, SGIs and MSIs that found their interrupt pending already, in its latch or in an "
	 "LR that the guest had not taken: the guest sees one interrupt for both."},
	{"inversions.count", "entries",
	 "Entries at which a pending, deliverable interrupt of an enabled group stood outside the "
	 "LRs "
	 "while one of lower priority, pending or active, stood inside."},
	{"inversions.ns", "ns of guest time", "Time from these entries to the next exit."},
	{"spurious", "acknowledgements",
	 "Acknowledges of an interrupt that was no longer pending by its source."},
	{"lost", "interrupts",
	 "Interrupts that were pending and are no more, neither in an LR nor on a list, though "
	 "they "
	 "were neither acknowledged nor taken back by a line or a register write. Must be 0."},
	{"stuck", "interrupts",
	 "Interrupts that are active to the end because nobody deactivates them: for the last 32 "
	 "entries and 1 ms (or 8 and 100 ms), or after a DIR, or when all programs are over."},
	{"reordered", "flushes", "Flushes after which the list stood in another order."},
	{"starved", "interrupts",
	 "Deliverable interrupts that stood outside the LRs until the end, with the time since "
	 "when."},
};

static const char *const latency_names[VGIC_LATENCIES] = {
	"raise_to_lr",
	"raise_to_ack",
	"ack_to_eoi",
	"raise_to_deactivate",
};

const char *vgic_latency_name(enum vgic_latency latency)
{
	return latency_names[latency];
}

const struct vgic_metric *vgic_metric_at(size_t index)
{
	return index < sizeof(metrics) / sizeof(metrics[0]) ? &metrics[index] : NULL;
}

const struct vgic_metric *vgic_metric_find(const char *name)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
	return NULL;
}

int vgic_cell_init(struct vgic_cell *c, unsigned int nr_lr)
{
	memset(c, 0, sizeof(*c));
	c->nr_lr = nr_lr;
	c->depth_ns = calloc(VGIC_DEPTHS, sizeof(*c->depth_ns));
	if (!c->depth_ns)
		return -ENOMEM;
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		if (vgic_latency_init(&c->latency[i])) {
			vgic_cell_finish(c);
			return -ENOMEM;
		}
	}
	return 0;
}

void vgic_cell_finish(struct vgic_cell *c)
{
	free(c->depth_ns);
	for (int i = 0; i < VGIC_LATENCIES; i++)
		vgic_latency_finish(&c->latency[i]);
	free(c->timeline.segments);
	free(c->timeline.mis);
	free(c->timeline.depths);
	free(c->fates);
	memset(c, 0, sizeof(*c));
}

int vgic_cell_timeline(struct vgic_cell *c, uint16_t vcpu, uint64_t t0, uint64_t t1)
{
	struct vgic_timeline *tl = &c->timeline;

	tl->segments = calloc(VGIC_TIMELINE_MAX, sizeof(*tl->segments));
	tl->mis = calloc(VGIC_TIMELINE_MAX, sizeof(*tl->mis));
	tl->depths = calloc(VGIC_TIMELINE_MAX, sizeof(*tl->depths));
	tl->vcpu = vcpu;
	tl->t0 = t0;
	tl->t1 = t1;
	c->has_timeline = tl->segments && tl->mis && tl->depths;
	return c->has_timeline ? 0 : -ENOMEM;
}

int vgic_cell_pack(struct vgic_cell *c)
{
	struct vgic_timeline *tl = &c->timeline;
	struct vgic_segment *segments;
	struct vgic_mark *mis, *depths;

	for (int i = 0; i < VGIC_LATENCIES; i++)
		if (vgic_latency_pack(&c->latency[i]))
			return -ENOMEM;
	if (!c->has_timeline)
		return 0;
	/* One at least: of nothing realloc() may make nothing. */
	segments = realloc(tl->segments, (tl->nr_segments + 1) * sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	tl->segments = segments;
	mis = realloc(tl->mis, (tl->nr_mis + 1) * sizeof(*mis));
	if (!mis)
		return -ENOMEM;
	tl->mis = mis;
	depths = realloc(tl->depths, (tl->nr_depths + 1) * sizeof(*depths));
	if (!depths)
		return -ENOMEM;
	tl->depths = depths;
	return 0;
}

void vgic_cell_exit(struct vgic_cell *c, enum vgic_exit_kind kind, uint32_t misr)
{
	c->exits++;
	c->exit[kind]++;
	if (kind == VGIC_EXIT_DIR)
		c->dir_traps++;
	if (kind != VGIC_EXIT_MI)
		return;
	c->mi++;
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		c->mi_source[i] += misr >> i & 1;
}

void vgic_cell_occupancy(struct vgic_cell *c, const uint64_t *lr, unsigned int n, uint64_t ns)
{
	unsigned int used = 0, pending = 0, active = 0;

	for (unsigned int i = 0; i < n; i++) {
		used += (lr[i] & VGIC_LR_STATE) != 0;
		pending += (lr[i] & VGIC_LR_PENDING) != 0;
		active += (lr[i] & VGIC_LR_ACTIVE) != 0;
	}
	vgic_cell_occupied(c, used, pending, active, ns);
}

void vgic_cell_depth(struct vgic_cell *c, uint32_t depth, uint64_t ns)
{
	c->depth_ns[depth < VGIC_DEPTHS ? depth : VGIC_DEPTHS - 1] += ns;
}

int vgic_cell_fates(struct vgic_cell *c, struct vgic_fates *f, enum vgic_fates_end end)
{
	int ret = vgic_fates_finish(f, end, &c->fates, &c->nr_fates);

	if (ret)
		return ret;
	for (size_t i = 0; i < c->nr_fates; i++) {
		const struct vgic_fate *t = &c->fates[i];

		c->lost += t->lost;
		if (t->kind == VGIC_FATE_STARVED && c->nr_starved < VGIC_MAX_STARVED)
			c->starved[c->nr_starved++] =
				(struct vgic_starved){t->vcpu, t->intid, t->since_ns};
	}
	return 0;
}

static void segment_end(struct vgic_timeline *tl, unsigned int i, uint64_t t)
{
	uint64_t from = tl->since[i] > tl->t0 ? tl->since[i] : tl->t0;
	uint64_t to = t < tl->t1 ? t : tl->t1;

	if (!(tl->lr[i] & VGIC_LR_STATE) || from >= to)
		return;
	if (tl->nr_segments == VGIC_TIMELINE_MAX) {
		tl->full = true;
		return;
	}
	tl->segments[tl->nr_segments++] = (struct vgic_segment){
		.lr = (uint8_t)i,
		.state = (uint8_t)(tl->lr[i] >> 62),
		.intid = (uint32_t)(tl->lr[i] & VGIC_LR_VINTID),
		.t0 = from,
		.t1 = to,
	};
}

void vgic_timeline_lrs(struct vgic_timeline *tl, uint64_t t, const uint64_t *lr, unsigned int n)
{
	const uint64_t what = VGIC_LR_STATE | VGIC_LR_VINTID;
	unsigned int end = n > tl->nr_shown ? n : tl->nr_shown;
	bool open = false;

	if (tl->over)
		return;
	tl->nr_shown = n;
	for (unsigned int i = 0; i < end; i++) {
		uint64_t v = i < n ? lr[i] : 0;

		if (!(v & VGIC_LR_STATE))
			v = 0;
		if ((v & what) != (tl->lr[i] & what)) {
			segment_end(tl, i, t);
			tl->lr[i] = v;
			tl->since[i] = t;
		}
		open |= tl->lr[i] && tl->since[i] < tl->t1;
	}
	/* Nothing that begins now is in the window any more. */
	tl->over = t >= tl->t1 && !open;
}

static void mark(struct vgic_timeline *tl, struct vgic_mark *list, size_t *n, uint64_t t,
		 uint32_t value)
{
	if (t < tl->t0 || t >= tl->t1)
		return;
	if (*n == VGIC_TIMELINE_MAX) {
		tl->full = true;
		return;
	}
	list[(*n)++] = (struct vgic_mark){t, value};
}

void vgic_timeline_mi(struct vgic_timeline *tl, uint64_t t, uint32_t misr)
{
	mark(tl, tl->mis, &tl->nr_mis, t, misr);
}

void vgic_timeline_depth(struct vgic_timeline *tl, uint64_t t, uint32_t depth)
{
	if (tl->nr_depths && tl->depths[tl->nr_depths - 1].value == depth)
		return;
	mark(tl, tl->depths, &tl->nr_depths, t, depth);
}

void vgic_timeline_close(struct vgic_timeline *tl, uint64_t t)
{
	vgic_timeline_lrs(tl, t, NULL, 0);
}
