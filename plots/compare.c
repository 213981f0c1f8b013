// SPDX-License-Identifier: GPL-2.0-only
/* Data for compare.gp: totals of several results about the same kind of recording. */
#include <math.h>
#include <string.h>
#include "internal.h"

#define MOST 8 /* as many colours as there are */

/* The results of the largest group that shares a kind. Gives how many. */
static int largest_group(const struct vgic_plot_job *job, const struct vgic_plot_result **group)
{
	int best = 0, best_n = 0, i, k, n;

	for (i = 0; i < job->nr_all; i++) {
		for (n = 0, k = 0; k < job->nr_all; k++)
			n += vgic_plot_same_kind(job->all[i], job->all[k]);
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	for (n = 0, k = 0; k < job->nr_all && n < MOST; k++)
		if (vgic_plot_same_kind(job->all[best], job->all[k]))
			group[n++] = job->all[k];
	return n;
}

/* Events for a thousand interrupts, so that runs of different length compare. */
static double rate(const struct vgic_plot_cell *c, int64_t events)
{
	if (events < 0 || c->interrupts <= 0 || vgic_plot_endless(c))
		return -1;
	return 1000 * (double)events / (double)c->interrupts;
}

/*
 * A decade axis whose lowest line stands for none: rates of neighbouring LR counts differ by
 * orders of magnitude, and zero must still be seen.
 */
static void write_axis(FILE *f, const char *name, double floor_at, double top, bool zeros)
{
	int low = isinf(floor_at) ? 1 : (int)floor(log10(floor_at) - 1e-9), high, k;

	high = top > 0 ? (int)ceil(log10(top * 1.2)) : low + 2;
	if (high - low < 2)
		high = low + 2;
	fprintf(f, "%s_low = %.6g\n%s_high = %.6g\n%s_tics = \"('%s' %.6g", name,
		pow(10, zeros ? low - 1 : low), name, pow(10, high) * 1.6, name, zeros ? "0" : "",
		pow(10, zeros ? low - 1 : low));
	for (k = low; k <= high; k++) {
		if (k < 3)
			fprintf(f, ", '%g' %.6g", pow(10, k), pow(10, k));
		else
			fprintf(f, ", '%g%s' %.6g", pow(10, k % 3),
				k < 6	? "k"
				: k < 9 ? "M"
					: "G",
				pow(10, k));
	}
	fprintf(f, ")\"\n");
}

int vgic_plot_compare(struct vgic_plot_job *job)
{
	const struct vgic_plot_result *group[MOST];
	double tops[2] = {0, 0}, floors[2] = {INFINITY, INFINITY}, v;
	int n, i, k, mi, first = VGIC_PLOT_LRS, last = 0, drawn = 0;
	bool same_policy = true, same_kernel = true, zeros[2] = {false, false};

	n = largest_group(job, group);
	if (n < 2) {
		snprintf(job->note, job->note_size,
			 "no two results are about the same guest or recording");
		return 0;
	}
	for (i = 1; i < n; i++) {
		same_policy &= !strcmp(group[0]->policy, group[i]->policy);
		same_kernel &= !strcmp(group[0]->kernel, group[i]->kernel);
	}
	for (i = 0; i < n; i++) {
		fprintf(job->vars, "name_result_%d = '", i + 1);
		vgic_plot_quote(job->vars, group[i]->stem, 80);
		fprintf(job->vars, "'\n");
		for (mi = 0; mi < 2; mi++) {
			fprintf(job->data, "\n\n# %s_%d\n", mi ? "mi" : "exits", i + 1);
			for (k = 0; k < group[i]->nr_cells; k++) {
				const struct vgic_plot_cell *c = &group[i]->cells[k];

				v = rate(c, mi ? c->mi_total : c->exits_total);
				if (v < 0) {
					fprintf(job->data, "%d NaN\n", c->nr_lr);
				} else {
					fprintf(job->data, "%d %.6g\n", c->nr_lr, v);
					drawn++;
				}
				zeros[mi] |= v == 0;
				tops[mi] = v > tops[mi] ? v : tops[mi];
				floors[mi] = v > 0 && v < floors[mi] ? v : floors[mi];
				first = c->nr_lr < first ? c->nr_lr : first;
				last = c->nr_lr > last ? c->nr_lr : last;
			}
		}
	}
	if (!drawn) {
		snprintf(job->note, job->note_size, "no cell came to an end");
		return 0;
	}
	vgic_plot_block(job->data, "endless");
	for (k = 0, i = 0; i < n; i++) {
		int cell;

		for (cell = 0; cell < group[i]->nr_cells; cell++) {
			if (!vgic_plot_endless(&group[i]->cells[cell]))
				continue;
			k++;
			fprintf(job->data, "%d %d\n", group[i]->cells[cell].nr_lr, i + 1);
		}
	}
	fprintf(job->vars, "ENDLESS = %d\nRESULTS = %d\nFIRST = %d\nLAST = %d\n", k > 0, n, first,
		last);
	write_axis(job->vars, "exit", floors[0], tops[0], zeros[0]);
	write_axis(job->vars, "mi", floors[1], tops[1], zeros[1]);
	fprintf(job->vars, "W = 1200\nH = %d\n", 600 + 26 * n);
	snprintf(job->note, job->note_size, "%d results about the same %s; %s, %s.%s", n,
		 group[0]->guest[0] ? "guest" : "recording",
		 same_policy ? "one policy" : "different policies",
		 same_kernel ? "one kernel" : "different kernels",
		 n < job->nr_all ? " Results about others are left out." : "");
	return 1;
}
