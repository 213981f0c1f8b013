// SPDX-License-Identifier: GPL-2.0-only
/* The axis of LR counts, the same in every figure that has one. */
#include "internal.h"

#define HALF_BAND 0.5

void vgic_plot_write_columns(struct vgic_plot_job *job, const struct vgic_plot_column *cols, int nr)
{
	bool starved = false, first = true;
	int endless = 0, band = 0, i;

	fprintf(job->vars, "set xtics (");
	for (i = 0; i < nr; i++) {
		const struct vgic_plot_cell *c = cols[i].cell;

		fprintf(job->vars, "%s'", first ? "" : ", ");
		if (cols[i].measured)
			fprintf(job->vars, "measured");
		else
			fprintf(job->vars, "%d%s", c->nr_lr,
				c->outcome == VGIC_PLOT_STARVED ? "*" : "");
		fprintf(job->vars, "' %g", cols[i].x);
		starved |= c->outcome == VGIC_PLOT_STARVED && !cols[i].measured;
		first = false;
	}
	fprintf(job->vars, ")\nXMIN = %g\nXMAX = %g\n", nr && cols[0].measured ? -2.1 : 0.3,
		job->res->nr_cells + 0.7);
	fprintf(job->vars, "XLABEL = 'list registers (LRs)%s%s'\n",
		job->res->nr_lr > 0 ? "; shaded: as recorded" : "",
		starved ? "; *: an interrupt starved" : "");

	vgic_plot_block(job->data, "endless");
	for (i = 0; i < nr; i++) {
		if (!vgic_plot_endless(cols[i].cell))
			continue;
		endless = 1;
		fprintf(job->data, "%g %g %g \"live-lock\"\n", cols[i].x, cols[i].x - 0.38,
			cols[i].x + 0.38);
	}
	vgic_plot_block(job->data, "band");
	for (i = 0; i < nr; i++) {
		if (cols[i].measured || cols[i].cell->nr_lr != job->res->nr_lr)
			continue;
		band = 1;
		fprintf(job->data, "%g %g %g\n", cols[i].x, cols[i].x - HALF_BAND,
			cols[i].x + HALF_BAND);
	}
	fprintf(job->vars, "ENDLESS = %d\nBANDS = %d\n", endless, band);
}
