// SPDX-License-Identifier: GPL-2.0-only
/* What plot --json prints: the numbers in the figures. */
#include <stdlib.h>
#include <jansson.h>
#include "internal.h"

static json_t *number(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *latency(const struct vgic_plot_latency *lat)
{
	json_t *o, *quantiles;
	int i;

	if (!lat->known)
		return json_null();
	quantiles = json_object();
	for (i = 0; i < VGIC_PLOT_NR_QUANTILES; i++) {
		struct vgic_plot_quantile q = vgic_plot_quantile(lat, vgic_plot_p[i]);

		json_object_set_new(
			quantiles, vgic_plot_p_name[i],
			q.shown ? json_pack("{s:I, s:I, s:I}", "ns", (json_int_t)q.value, "low_ns",
					    (json_int_t)q.low, "high_ns", (json_int_t)q.high)
				: json_null());
	}
	o = json_pack("{s:I, s:o, s:o, s:o, s:b}", "n", (json_int_t)lat->n, "max_ns",
		      number(lat->max), "mean_ns", number(lat->mean), "quantiles", quantiles,
		      "estimated", lat->estimated);
	return o;
}

static json_t *cell(const struct vgic_plot_cell *c)
{
	static const char *const outcome[] = {"completed", "livelock", "starved"};
	static const char *const kinds[VGIC_PLOT_NR_LATENCIES] = {
		"raise_to_lr",
		"raise_to_ack",
		"ack_to_eoi",
		"raise_to_deactivate",
	};
	json_t *o = json_pack("{s:i, s:s}", "nr_lr", c->nr_lr, "outcome", outcome[c->outcome]);
	json_t *lat;
	int i;

	/* A cell that never ended has no numbers, here as in the figures. */
	if (vgic_plot_endless(c))
		return o;
	json_object_set_new(o, "exits", number(c->exits_total));
	json_object_set_new(o, "mi", number(c->mi_total));
	json_object_set_new(o, "interrupts", number(c->interrupts));
	json_object_set_new(o, "overflow_max", number(c->overflow_max));
	json_object_set_new(o, "merged_raises", number(c->merged));
	lat = json_object();
	for (i = 0; i < VGIC_PLOT_NR_LATENCIES; i++)
		json_object_set_new(lat, kinds[i], latency(&c->latency[i]));
	json_object_set_new(o, "latency", lat);
	return o;
}

static json_t *result(struct vgic_plot_result *const *results, int nr,
		      const struct vgic_plot_result *res)
{
	json_t *cells = json_array(), *window = json_null();
	const struct vgic_plot_cell *line = vgic_plot_line_cell(res);
	char base[160];
	int i;

	for (i = 0; i < res->nr_cells; i++)
		json_array_append_new(cells, cell(&res->cells[i]));
	if (line)
		window = json_pack("[I, I]", (json_int_t)line->timeline->t0,
				   (json_int_t)line->timeline->t1);
	vgic_plot_base(base, sizeof(base), results, nr, res, "exits");
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "result", res->path, "figures", base,
			 "timeline_ns", window, "recorded",
			 res->recorded ? cell(res->recorded) : json_null(), "cells", cells);
}

void *vgic_plot_summary(struct vgic_plot_result *const *results, int nr_results,
			const struct vgic_plot_options *options)
{
	json_t *list = json_array(), *root;
	char *report;
	int i;

	for (i = 0; i < nr_results; i++)
		json_array_append_new(list, result(results, nr_results, results[i]));
	if (asprintf(&report, "%s/report.html", options->dir) < 0) {
		json_decref(list);
		return NULL;
	}
	root = json_pack("{s:s, s:i, s:s, s:o}", "format", "vgicsim-plot", "version", 1, "report",
			 report, "results", list);
	free(report);
	return root;
}
