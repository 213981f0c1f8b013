// SPDX-License-Identifier: GPL-2.0-only
/* The figures, in the order of the report, and how each is read. */
#include "internal.h"

const struct vgic_plot_figure vgic_plot_figures[] = {
	{"exits", "exits.gp", "Exits and maintenance interrupts",
	 "Each column is the same work replayed with that many list registers. Above: all exits of "
	 "the guest, stacked by reason; the number is the total. Below: maintenance interrupts "
	 "(MIs) "
	 "by source, side by side, because one MI may have several sources at once; the bar with "
	 "ends and the number are the MI exits. The first column and the diamond are what the "
	 "recording itself "
	 "shows: the closer the diamond is to the shaded column's top, the better the replay. A "
	 "hatched column never came to an end and has no numbers.",
	 vgic_plot_exits, 0},
	{"occupancy", "occupancy.gp", "List registers in use",
	 "For each LR count, the share of guest time with so many LRs in a state: the darker, the "
	 "more; what a column leaves empty is time with none. The framed part is time in which "
	 "every "
	 "LR was in use and the next interrupt had to wait. An LR that is pending and active "
	 "counts "
	 "as both. Bottom right: the share of the whole run in which interrupts waited outside the "
	 "LRs, by how many waited; the number is the most at once. A recording shows LRs only as "
	 "the "
	 "guest was entered, so its column stands for the moment of entry, held until the exit.",
	 vgic_plot_occupancy, 0},
	{"raise-to-lr", "latency.gp", "Latency: raise to list register",
	 "From the raise of an interrupt to the first entry with it in an LR. Left: the time "
	 "(up) that this share of interrupts (right) did not exceed; each step to the right is ten "
	 "times rarer, and a curve ends where fewer than ten interrupts lie beyond. Right: the "
	 "share "
	 "of interrupts that took longer than a time; the last mark is the maximum. Wider curves "
	 "are "
	 "drawn beneath narrower ones: one edge inside another means equal results.",
	 vgic_plot_latency, VGIC_PLOT_RAISE_TO_LR},
	{"raise-to-ack", "latency.gp", "Latency: raise to acknowledge",
	 "From the raise of an interrupt to the guest's acknowledge. Read as above. The host does "
	 "not "
	 "see the acknowledge: a measured curve is missing, and those of replays are estimated, to "
	 "within the length of a run of the guest.",
	 vgic_plot_latency, VGIC_PLOT_RAISE_TO_ACK},
	{"raise-to-deactivate", "latency.gp", "Latency: raise to deactivate",
	 "From the raise of an interrupt to its deactivation: waiting and handling. Read as above; "
	 "estimated as well.",
	 vgic_plot_latency, VGIC_PLOT_RAISE_TO_DEACTIVATE},
	{"timeline", "timeline.gp", "Time line of the list registers",
	 "One row for each LR; a block is the time an interrupt stood in it, its colour the state, "
	 "the number its INTID where there is room. Marks above the rows are maintenance "
	 "interrupts "
	 "by source. The strip below shows how many interrupts waited outside.",
	 vgic_plot_timeline, 0},
	{.name = NULL},
};

const struct vgic_plot_figure vgic_plot_comparison = {
	"compare",
	"compare.gp",
	"Comparison",
	"Exits and maintenance interrupts for a thousand interrupts, one curve for each result, so "
	"that runs of different length compare. A cross at the top stands where a result "
	"live-locked.",
	vgic_plot_compare,
	0};

void vgic_plot_base(char *buf, size_t size, struct vgic_plot_result *const *results, int nr,
		    const struct vgic_plot_result *res, const char *name)
{
	int i, twin = 0;

	if (nr < 2 || !res) {
		snprintf(buf, size, "%s", name);
		return;
	}
	/* Two files of one name in two directories. */
	for (i = 0; i < nr && results[i] != res; i++)
		twin += vgic_plot_same_stem(results[i], res);
	if (twin)
		snprintf(buf, size, "%s-%d-%s", res->stem, twin + 1, name);
	else
		snprintf(buf, size, "%s-%s", res->stem, name);
}
