// SPDX-License-Identifier: GPL-2.0-only
/* report.html: one page with everything, needing nothing beside it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

static const char *const outcome_name[] = {"completed", "live-lock", "starved"};

void vgic_plot_page_replay(FILE *f, const struct vgic_plot_result *res)
{
	char text[600];
	int i, len;

	fprintf(f, "<div><h3>How it was replayed</h3><dl>\n");
	vgic_plot_page_term(f, "policy", res->policy);
	snprintf(text, sizeof(text), "%s%s", res->arrivals,
		 !strcmp(res->arrivals, "open")	    ? " (raises keep their recorded distances)"
		 : !strcmp(res->arrivals, "causal") ? " (raises follow the exit they came with)"
		 : !strcmp(res->arrivals, "dependent")
			 ? " (raises follow the end of the previous handling)"
			 : "");
	vgic_plot_page_term(f, "arrivals", text);
	vgic_plot_page_term(f, "estimator", res->estimator);
	vgic_plot_page_term(f, "seed", vgic_plot_number(res->seed).s);
	snprintf(text, sizeof(text), "%s, %s", vgic_plot_ns(res->entry_ns).s,
		 vgic_plot_ns(res->exit_ns).s);
	vgic_plot_page_term(f, "cost of entry, exit", text);
	vgic_plot_page_term(f, "MI: exit to next entry", vgic_plot_ns(res->mi_out_ns).s);
	vgic_plot_page_term(f, "DIR trap: the same", vgic_plot_ns(res->dir_out_ns).s);
	vgic_plot_page_term(f, "kick", vgic_plot_ns(res->kick_ns).s);
	for (len = 0, i = 0; i < res->nr_mi_delay && len < (int)sizeof(text) - 64; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", i ? ", " : "",
				vgic_plot_ns(res->mi_delay[i]).s);
	if (!len)
		text[0] = '\0';
	vgic_plot_page_term(f, "MI delay", text);
	snprintf(text, sizeof(text), "vgicsim %s", res->tool_version);
	vgic_plot_page_term(f, "tool", text);
	vgic_plot_page_term(f, "result file", res->path);
	fprintf(f, "</dl></div>\n");
}

static void write_input(FILE *f, const struct vgic_plot_result *res)
{
	char text[600];

	fprintf(f, "<div class=\"two\"><div><h3>Recording</h3><dl>\n");
	vgic_plot_page_term(f, "guest", res->guest);
	vgic_plot_page_term(f, "file", res->file);
	vgic_plot_page_term(f, "hash (XXH64)", res->hash);
	vgic_plot_page_term(f, "kernel", res->kernel);
	vgic_plot_page_term(f, "CPU", res->cpu);
	vgic_plot_page_term(f, "list registers", vgic_plot_number(res->nr_lr).s);
	vgic_plot_page_term(f, "flush and sync pairs", vgic_plot_count(res->pairs).s);
	vgic_plot_page_term(f, "duration", vgic_plot_ns(res->duration).s);
	snprintf(text, sizeof(text), "%s record%s", vgic_plot_count(res->lost).s,
		 vgic_plot_plural(res->lost));
	vgic_plot_page_term(f, "lost while recording", res->lost < 0 ? "" : text);
	if (res->verified) {
		snprintf(text, sizeof(text), "%s checked, %s mismatch%s, %s not decidable",
			 vgic_plot_count(res->verify_checked).s,
			 vgic_plot_count(res->verify_mismatches).s,
			 res->verify_mismatches == 1 ? "" : "es",
			 vgic_plot_count(res->verify_undecided).s);
		vgic_plot_page_term(f, "verified", text);
	}
	fprintf(f, "</dl></div>");
	vgic_plot_page_replay(f, res);
	fprintf(f, "</div>\n");
}

static void list_starved(FILE *f, const struct vgic_plot_cell *c)
{
	int i, most = c->nr_starved > 12 ? 12 : c->nr_starved;

	fprintf(f, "starved %d interrupt%s: ", c->nr_starved, vgic_plot_plural(c->nr_starved));
	for (i = 0; i < most; i++) {
		fprintf(f, "%sINTID %lld on vCPU %s", i ? ", " : "", (long long)c->starved[i].intid,
			vgic_plot_number(c->starved[i].vcpu).s);
		if (c->starved[i].since >= 0)
			fprintf(f, " since %s", vgic_plot_ns_exact(c->starved[i].since).s);
	}
	if (c->nr_starved > most)
		fprintf(f, " and %d more", c->nr_starved - most);
}

static bool flawed(const struct vgic_plot_cell *c)
{
	return c->outcome != VGIC_PLOT_COMPLETED || c->nr_starved || c->lost > 0 || c->spurious > 0;
}

static void finding(FILE *f, const struct vgic_plot_cell *c, const char *who)
{
	const char *next = "";

	if (!flawed(c))
		return;
	fprintf(f, "<p><b>%s:</b> ", who);
	if (c->outcome == VGIC_PLOT_LIVELOCK) {
		fprintf(f, "live-locked, so it has no numbers");
		next = "; ";
	}
	if (c->nr_starved) {
		fputs(next, f);
		list_starved(f, c);
		next = "; ";
	} else if (c->outcome == VGIC_PLOT_STARVED) {
		fprintf(f, "starved an interrupt");
		next = "; ";
	}
	if (c->lost > 0) {
		fprintf(f, "%s%s interrupt%s lost", next, vgic_plot_count(c->lost).s,
			vgic_plot_plural(c->lost));
		next = "; ";
	}
	if (c->spurious > 0)
		fprintf(f, "%s%s spurious interrupt%s", next, vgic_plot_count(c->spurious).s,
			vgic_plot_plural(c->spurious));
	if (c->detail && c->detail[0]) {
		fprintf(f, " (");
		vgic_plot_html(f, c->detail);
		fprintf(f, ")");
	}
	fprintf(f, ".</p>\n");
}

/* What must not be overlooked, in front of the pictures. */
void vgic_plot_page_findings(FILE *f, const struct vgic_plot_result *res)
{
	bool any = res->lost > 0 || (res->recorded && flawed(res->recorded)) ||
		   (res->verified && res->verify_mismatches > 0);
	char who[64];
	int i;

	for (i = 0; i < res->nr_cells; i++)
		any |= flawed(&res->cells[i]);
	if (!any) {
		fprintf(f,
			"<div class=\"note good\"><p>Every replay came to its end; no interrupt "
			"was "
			"starved, lost or spurious%s.</p></div>\n",
			res->lost == 0 ? "; the recording lost nothing" : "");
		return;
	}
	fprintf(f, "<div class=\"note\">\n");
	if (res->lost > 0)
		fprintf(f,
			"<p><b>The recording lost %s record%s</b>: what they held is missing from "
			"every number below.</p>\n",
			vgic_plot_count(res->lost).s, vgic_plot_plural(res->lost));
	if (res->verified && res->verify_mismatches > 0)
		fprintf(f,
			"<p><b>verify found %s mismatch%s</b>: this kernel does not do what the "
			"policy says, so the replay may not hold.</p>\n",
			vgic_plot_count(res->verify_mismatches).s,
			res->verify_mismatches == 1 ? "" : "es");
	if (res->recorded)
		finding(f, res->recorded, "The recording itself");
	for (i = 0; i < res->nr_cells; i++) {
		snprintf(who, sizeof(who), "%d LR%s", res->cells[i].nr_lr,
			 vgic_plot_plural(res->cells[i].nr_lr));
		finding(f, &res->cells[i], who);
	}
	fprintf(f, "</div>\n");
}

static double share_full(const struct vgic_plot_cell *c)
{
	double sum = 0;
	int i;

	for (i = 0; i < VGIC_PLOT_LRS; i++)
		sum += (double)c->used[i];
	return c->occupancy_known && sum > 0 ? 100 * (double)c->used[c->nr_lr] / sum : -1;
}

static void cell_number(FILE *f, int64_t n)
{
	fprintf(f, "<td>%s</td>", vgic_plot_count(n).s);
}

static void write_row(FILE *f, const struct vgic_plot_result *res, const struct vgic_plot_cell *c)
{
	bool measured = c == res->recorded;
	double full = share_full(c);
	int64_t per = -1;

	fprintf(f, "<tr%s><td>",
		measured		 ? " class=\"measured\""
		: c->nr_lr == res->nr_lr ? " class=\"recorded\""
					 : "");
	if (measured)
		fprintf(f, "measured, %d", c->nr_lr);
	else
		fprintf(f, "%d", c->nr_lr);
	fprintf(f, "</td><td class=\"text\">%s</td>",
		measured && c->outcome == VGIC_PLOT_COMPLETED ? "–" : outcome_name[c->outcome]);
	if (vgic_plot_endless(c)) {
		fprintf(f, "<td class=\"text\" colspan=\"15\">no numbers: it never came to an "
			   "end</td></tr>\n");
		return;
	}
	cell_number(f, c->interrupts);
	cell_number(f, c->merged);
	fprintf(f, "<td>%s</td>", vgic_plot_ns(c->guest_time).s);
	cell_number(f, c->exits_total);
	if (c->exits_total >= 0 && c->guest_time > 0)
		per = (int64_t)((double)c->exits_total * 1e9 / (double)c->guest_time + 0.5);
	fprintf(f, "<td>%s</td>", vgic_plot_short(per).s);
	if (c->exits_total >= 0 && c->interrupts > 0)
		fprintf(f, "<td>%.2f</td>", (double)c->exits_total / (double)c->interrupts);
	else
		fprintf(f, "<td>–</td>");
	cell_number(f, c->excess_exits);
	cell_number(f, c->mi_total);
	cell_number(f, c->bound_mi);
	cell_number(f, c->dir_traps);
	cell_number(f, c->eoicount);
	cell_number(f, c->kicks);
	if (full >= 0)
		fprintf(f, "<td>%.*f %%</td>", full < 10 ? 2 : 1, full);
	else
		fprintf(f, "<td>–</td>");
	cell_number(f, c->overflow_max);
	cell_number(f, c->inversions);
	fprintf(f, "</tr>\n");
}

void vgic_plot_page_cells(FILE *f, const struct vgic_plot_result *res)
{
	int i;

	vgic_plot_table_open(
		f, "Totals",
		"Totals of each replay; the shaded row has the "
		"recorded LR count, the first is what the recording shows. "
		"Merged: raises that found their interrupt pending already. "
		"Excess: exits that a machine with unlimited LRs would not have had. "
		"Fewest MIs: what no policy can have less of on the same acknowledges. "
		"Full: share of guest time with every LR in use. "
		"Inversions: flushes that left a more urgent interrupt outside the LRs than one "
		"inside.");
	fprintf(f, "<thead><tr><th>LRs</th><th>outcome</th><th>interrupts</th><th>merged</"
		   "th><th>guest time</th>"
		   "<th>exits</th><th>per s of<br>guest time</th><th>per<br>interrupt</th>"
		   "<th>excess</th><th>MIs</th><th>fewest<br>MIs</th><th>DIR<br>traps</"
		   "th><th>EOIcount<br>deact.</th>"
		   "<th>kicks</th><th>full</th><th>most<br>outside</th><th>inver-<br>sions</th>"
		   "</tr></thead><tbody>\n");
	if (res->recorded)
		write_row(f, res, res->recorded);
	for (i = 0; i < res->nr_cells; i++)
		write_row(f, res, &res->cells[i]);
	vgic_plot_table_close(f);
}

void vgic_plot_page_quantiles(FILE *f, const struct vgic_plot_latency *lat)
{
	int i;

	fprintf(f, "<td>%s</td>", vgic_plot_count(lat->known ? lat->n : 0).s);
	for (i = 0; i < 4; i++) {
		struct vgic_plot_quantile q = vgic_plot_quantile(lat, vgic_plot_p[i]);

		if (q.shown)
			fprintf(f, "<td>%s<br><small>%s … %s</small></td>", vgic_plot_ns(q.value).s,
				vgic_plot_ns(q.low).s, vgic_plot_ns(q.high).s);
		else
			fprintf(f, "<td><small>n too small</small></td>");
	}
	fprintf(f, "<td>%s</td>", vgic_plot_ns(lat->known ? lat->max : -1).s);
}

static void write_kind(FILE *f, int kind, const struct vgic_plot_latency *lat)
{
	fprintf(f, "<td>%s", vgic_plot_latency_name[kind]);
	if (lat->known && lat->estimated && lat->uncertainty >= 0)
		fprintf(f, "<br><small>estimated, in runs of %s</small>",
			vgic_plot_ns(lat->uncertainty).s);
	fprintf(f, "</td>");
}

void vgic_plot_page_latencies(FILE *f, const struct vgic_plot_result *res)
{
	const struct vgic_plot_cell **cells;
	int nr, kind, i;

	cells = vgic_plot_selected(res, &nr);
	if (!cells)
		return;
	vgic_plot_table_open(
		f, "Latencies",
		"Percentiles of the latencies, with their "
		"95 % intervals below. A percentile stands here only if at least ten "
		"interrupts were slower. Estimated: the host does not see when in a run the "
		"guest acknowledges or ends an interrupt; below stands how long these runs "
		"are.");
	fprintf(f, "<thead><tr><th>latency</th><th>LRs</th><th>n</th><th>p50</th><th>p90</th>"
		   "<th>p99</th><th>p99.9</th><th>maximum</th></tr></thead><tbody>\n");
	for (kind = 0; kind < VGIC_PLOT_NR_LATENCIES; kind++) {
		if (res->recorded && res->recorded->latency[kind].known) {
			fprintf(f, "<tr class=\"measured\">");
			write_kind(f, kind, &res->recorded->latency[kind]);
			fprintf(f, "<td>measured</td>");
			vgic_plot_page_quantiles(f, &res->recorded->latency[kind]);
			fprintf(f, "</tr>\n");
		}
		for (i = 0; i < nr; i++) {
			fprintf(f, "<tr%s>",
				cells[i]->nr_lr == res->nr_lr ? " class=\"recorded\"" : "");
			write_kind(f, kind, &cells[i]->latency[kind]);
			fprintf(f, "<td>%d</td>", cells[i]->nr_lr);
			if (vgic_plot_endless(cells[i]))
				fprintf(f, "<td class=\"text\" colspan=\"6\">live-lock: no "
					   "numbers</td>");
			else
				vgic_plot_page_quantiles(f, &cells[i]->latency[kind]);
			fprintf(f, "</tr>\n");
		}
	}
	free(cells);
	vgic_plot_table_close(f);
}

static const char *name_of(const struct vgic_plot_result *res)
{
	return res->guest[0] ? res->guest : res->file[0] ? res->file : res->stem;
}

static void write_head(FILE *f, struct vgic_plot_result *const *results, int nr)
{
	char subject[300], title[100] = "What would more or fewer list registers change?";
	int i;

	snprintf(subject, sizeof(subject), "List registers: %s",
		 nr == 1 ? name_of(results[0]) : "several recordings");
	if (nr > 1)
		snprintf(title, sizeof(title),
			 "What would more or fewer list registers change? %d results", nr);
	vgic_plot_page_open(f, "vgicsim plot", subject, title);
	fprintf(f, "<p class=\"lead\">");
	if (nr == 1) {
		vgic_plot_html(f, name_of(results[0]));
		fprintf(f, ", recorded with %s list register%s on kernel ",
			vgic_plot_number(results[0]->nr_lr).s, vgic_plot_plural(results[0]->nr_lr));
		vgic_plot_html(f, results[0]->kernel[0] ? results[0]->kernel : "unknown");
		fprintf(f, ", replayed with %d to %d.", results[0]->cells[0].nr_lr,
			results[0]->cells[results[0]->nr_cells - 1].nr_lr);
	}
	fprintf(f, "</p>\n");
	if (nr > 1) {
		fprintf(f, "<nav><ul>\n");
		for (i = 0; i < nr; i++) {
			fprintf(f, "<li><a href=\"#result-%d\">", i + 1);
			vgic_plot_html(f, results[i]->stem);
			fprintf(f, "</a></li>\n");
		}
		fprintf(f, "</ul></nav>\n");
	}
}

int vgic_plot_report(const struct vgic_plot_stage *stage, FILE *f,
		     struct vgic_plot_result *const *results, int nr_results,
		     const struct vgic_plot_drawn *drawn, int nr_drawn, struct vgic_plot_error *err)
{
	int error = 0, i, k;

	write_head(f, results, nr_results);
	for (k = 0; k < nr_drawn && !error; k++)
		if (!drawn[k].res)
			error = vgic_plot_page_figure(f, stage, &drawn[k], err);
	for (i = 0; i < nr_results && !error; i++) {
		const struct vgic_plot_result *res = results[i];

		if (nr_results > 1) {
			fprintf(f, "<section id=\"result-%d\"><h2>", i + 1);
			vgic_plot_html(f, res->stem);
			fprintf(f, "</h2>\n<p class=\"soft\">");
			vgic_plot_html(f, name_of(res));
			fprintf(f, "</p>\n");
		} else {
			fprintf(f, "<section>\n");
		}
		vgic_plot_page_findings(f, res);
		for (k = 0; k < nr_drawn && !error; k++)
			if (drawn[k].res == res)
				error = vgic_plot_page_figure(f, stage, &drawn[k], err);
		fprintf(f, "<h3 class=\"apart\">Totals</h3>\n");
		vgic_plot_page_cells(f, res);
		fprintf(f, "<h3>Latencies</h3>\n");
		vgic_plot_page_latencies(f, res);
		write_input(f, res);
		fprintf(f, "</section>\n");
	}
	fprintf(f,
		"</main>\n<footer>Written by vgicsim %s. Every figure can be drawn again from "
		"<code>data/</code>: <code>gnuplot data/NAME.gp</code>. A latency starts when the "
		"source becomes pending, never at a flush.",
		VGICSIM_VERSION);
	vgic_plot_page_close(f);
	return error;
}
