// SPDX-License-Identifier: GPL-2.0-only
/* The tables about one recording, each from the part of the report that a command prints. */
#include <string.h>
#include "recording.h"

const json_t *vgic_plot_at(const json_t *o, const char *path)
{
	char key[64];

	while (o && *path) {
		size_t n = strcspn(path, "/");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		o = json_object_get(o, key);
		path += n + (path[n] == '/');
	}
	return o;
}

int64_t vgic_plot_int(const json_t *o, const char *path)
{
	const json_t *v = vgic_plot_at(o, path);

	return json_is_integer(v) ? json_integer_value(v) : VGIC_PLOT_UNKNOWN;
}

const char *vgic_plot_str(const json_t *o, const char *path)
{
	const char *s = json_string_value(vgic_plot_at(o, path));

	return s ? s : "";
}

const char *const recording_mi[VGIC_PLOT_NR_MI] = {"EOI",    "U",      "LRENP",	 "NP",
						   "VGrp0E", "VGrp0D", "VGrp1E", "VGrp1D"};

static int64_t positive(int64_t n)
{
	return n > 0 ? n : 0;
}

static int64_t sum_of(const json_t *info, const char *path)
{
	const json_t *vcpus = json_object_get(info, "vcpus"), *v;
	int64_t sum = positive(vgic_plot_int(json_object_get(info, "unknown_vcpus"), path));
	size_t i;

	json_array_foreach(vcpus, i, v) sum += positive(vgic_plot_int(v, path));
	return sum;
}

void recording_sum(struct recording_sums *s, const json_t *info)
{
	const json_t *vcpus = json_object_get(info, "vcpus"), *used, *v;
	char key[32];
	size_t i, k;

	memset(s, 0, sizeof(*s));
	s->nr_vcpus = json_array_size(vcpus);
	s->exits = sum_of(info, "exits");
	s->irq = sum_of(info, "exits_by_reason/irq");
	json_array_foreach(vcpus, i, v)
	{
		s->mi += positive(vgic_plot_int(v, "mi"));
		for (k = 0; k < VGIC_PLOT_NR_MI; k++) {
			snprintf(key, sizeof(key), "mi_by_source/%s", recording_mi[k]);
			s->mi_source[k] += positive(vgic_plot_int(v, key));
		}
		s->flushes += positive(vgic_plot_int(v, "flushes"));
		s->syncs += positive(vgic_plot_int(v, "syncs"));
		s->guest_ns += positive(vgic_plot_int(v, "guest_ns"));
		s->overflowing += positive(vgic_plot_int(v, "overflowing_entries"));
		s->eoicount += positive(vgic_plot_int(v, "eoicount"));
		s->dir += positive(vgic_plot_int(v, "dir"));
		if (vgic_plot_int(v, "deepest_overflow") > s->deepest)
			s->deepest = vgic_plot_int(v, "deepest_overflow");
		if (vgic_plot_int(v, "longest_list") > s->longest)
			s->longest = vgic_plot_int(v, "longest_list");
		used = json_object_get(v, "flushes_by_lrs");
		for (k = 0; k < json_array_size(used) && k < VGIC_PLOT_LRS; k++)
			s->used[k] += json_integer_value(json_array_get(used, k));
		if (k > s->nr_used)
			s->nr_used = k;
	}
}

struct vgic_plot_text recording_share(int64_t part, int64_t all)
{
	struct vgic_plot_text t;
	double v = all > 0 ? 100.0 * (double)part / (double)all : 0;

	if (part < 0 || all <= 0)
		strcpy(t.s, "–");
	else if (v > 0 && v < 0.005)
		strcpy(t.s, "under 0.01 %");
	else
		snprintf(t.s, sizeof(t.s), "%.*f %%", v <= 0 ? 0 : v < 9.95 ? 2 : 1, v);
	return t;
}

/* The share as a bar; the number stands beside it. */
static void bar(FILE *f, int64_t part, int64_t all)
{
	fprintf(f,
		"<td class=\"bar\" aria-hidden=\"true\"><span style=\"width:%.1f%%\"></span></td>",
		all > 0 ? 100.0 * (double)part / (double)all : 0.0);
}

void recording_command(FILE *f, const char *name, const char *before, const char *after)
{
	const char *p;
	char quoted[1200];
	size_t n = 0;

	if (name[0] && name[0] != '-' &&
	    !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			       "_.+:@%=-")]) {
		snprintf(quoted, sizeof(quoted), "%s", name);
	} else {
		/* As a shell takes it: in single quotes, and these one by one. */
		n = (size_t)snprintf(quoted, sizeof(quoted), "%s'", name[0] == '-' ? "./" : "");
		for (p = name; *p && n < sizeof(quoted) - 8; p++)
			n += (size_t)snprintf(quoted + n, 8, *p == '\'' ? "'\\''" : "%c", *p);
		snprintf(quoted + n, 2, "'");
	}
	fprintf(f, "vgicsim %s", before);
	vgic_plot_html(f, quoted);
	fprintf(f, "%s", after);
}

void recording_how(FILE *f, const char *name, const char *before, const char *after)
{
	fprintf(f, "<p class=\"how\">Printed by <code>");
	recording_command(f, name, before, after);
	fprintf(f, "</code></p>\n");
}

/* ---- exits ---- */

static void exit_row(FILE *f, const char *id, const char *name, const char *what, int64_t n,
		     int64_t all)
{
	fprintf(f, "<tr><th scope=\"row\">");
	vgic_plot_html(f, name);
	fprintf(f, "</th><td id=\"exits-%s\">%s</td><td>%s</td>", id, vgic_plot_count(n).s,
		recording_share(n, all).s);
	bar(f, n, all);
	fprintf(f, "<td class=\"text\">%s</td></tr>\n", what);
}

bool recording_lacks(const struct recording *r, const char *word)
{
	const char *all = vgic_plot_str(r->info, "header/missing"), *at = all;
	size_t n = strlen(word);

	while ((at = strstr(at, word))) {
		if ((at == all || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
		at += n;
	}
	return false;
}

/* Something was attached that tells of it, or the recording does not say what was. */
static bool can_know(const struct recording *r, const char *type, const char *probe)
{
	const json_t *probes = vgic_plot_at(r->info, "header/probes");
	size_t i;

	if (recording_lacks(r, type))
		return false;
	for (i = 0; i < json_array_size(probes); i++) {
		const json_t *p = json_array_get(probes, i);

		if (strstr(vgic_plot_str(p, "name"), probe) &&
		    strcmp(vgic_plot_str(p, "method"), "none"))
			return true;
	}
	return !i;
}

static void by_vcpu(FILE *f, const struct recording *r, const json_t *vcpus)
{
	/* From records of a type, by a probe with this in its name; or from the list registers. */
	static const struct {
		const char *key, *type, *probe;
	} columns[] = {{"exits", NULL, NULL},	     {"mi", "sync", ""},
		       {"dir", "dir", "deactivate"}, {"sgi", "sgi", "sgi"},
		       {"wfi", "wfx", "wfx"},	     {"wfe", "wfx", "wfx"},
		       {"mmio", "mmio", "mmio"},     {"kicks", "kick", "kick"},
		       {"eoicount", "sync", ""}};
	const json_t *v;
	size_t i, k;

	vgic_plot_table_open(f, "Exits by vCPU",
			     "The same for each vCPU. DIR: trapped writes of ICC_DIR_EL1. Kicked: "
			     "made to leave by another CPU. EOIcount: interrupts that the guest "
			     "ended while they had no list register. Average LRs: over guest time. "
			     "A dash: not recorded.");
	fprintf(f, "<thead><tr><th scope=\"col\">VM:vCPU</th><th>exits</th><th>MIs</th><th>DIR</th>"
		   "<th>SGI</th><th>WFI</th><th>WFE</th><th>MMIO</th><th>kicked</th>"
		   "<th>EOIcount</th><th>guest time</th><th>exits per s<br>of it</th>"
		   "<th>average<br>LRs</th></tr></thead><tbody>\n");
	json_array_foreach(vcpus, i, v)
	{
		int64_t ns = vgic_plot_int(v, "guest_ns"), exits = vgic_plot_int(v, "exits");

		fprintf(f, "<tr><th scope=\"row\">%s:%s</th>",
			vgic_plot_number(vgic_plot_int(v, "vm")).s,
			vgic_plot_number(vgic_plot_int(v, "vcpu")).s);
		for (k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
			const char *probe = columns[k].probe;
			int64_t n = vgic_plot_int(v, columns[k].key);

			if (!n && probe &&
			    (*probe ? !can_know(r, columns[k].type, probe) : !r->sums.syncs))
				n = VGIC_PLOT_UNKNOWN;
			fprintf(f, "<td>%s</td>", vgic_plot_count(n).s);
		}
		fprintf(f, "<td>%s</td><td>%s</td>", vgic_plot_ns(ns > 0 ? ns : -1).s,
			vgic_plot_count(ns > 0 && exits > 0
						? (int64_t)((double)exits * 1e9 / (double)ns)
						: -1)
				.s);
		if (ns > 0 && r->sums.flushes)
			fprintf(f, "<td>%.2f</td></tr>\n",
				json_number_value(json_object_get(v, "mean_lrs")));
		else
			fprintf(f, "<td>–</td></tr>\n");
	}
	v = json_object_get(r->info, "unknown_vcpus");
	if (json_is_object(v))
		fprintf(f,
			"<tr><th scope=\"row\">not known whose</th><td>%s</td><td class=\"text\" "
			"colspan=\"11\">nothing in the recording says which vCPU they were "
			"of</td></tr>\n",
			vgic_plot_count(vgic_plot_int(v, "exits")).s);
	vgic_plot_table_close(f);
}

void recording_exits(FILE *f, const struct recording *r)
{
	const struct recording_sums *s = &r->sums;
	const json_t *vcpus = json_object_get(r->info, "vcpus");
	const char *key;
	json_t *name;
	char path[40];
	int64_t n;

	if (!s->exits) {
		fprintf(f, "<p>The recording has no exits in it.</p>\n");
		return;
	}
	vgic_plot_table_open(
		f, "Exits by cause",
		"Every exit of the guest, all vCPUs together. To the CPU, and to perf, "
		"a maintenance interrupt is an IRQ like any other.");
	fprintf(f, "<thead><tr><th scope=\"col\">cause</th><th scope=\"col\">exits</th>"
		   "<th scope=\"col\">share</th><th aria-hidden=\"true\"></th>"
		   "<th scope=\"col\" class=\"text\">what it is</th></tr></thead><tbody>\n");
	if (s->syncs && s->irq >= s->mi) {
		exit_row(f, "mi", "IRQ: maintenance interrupt",
			 "the vgic asked to be called: see below", s->mi, s->exits);
		exit_row(f, "irq", "IRQ: any other", "host interrupts, timers, kicks",
			 s->irq - s->mi, s->exits);
	} else if (s->irq) {
		exit_row(f, "irq", "IRQ", "host interrupts, kicks, maintenance interrupts", s->irq,
			 s->exits);
	}
	json_object_foreach((json_t *)vgic_plot_at(r->report, "words/exits"), key, name)
	{
		snprintf(path, sizeof(path), "exits_by_reason/%s", key);
		n = sum_of(r->info, path);
		if (n)
			exit_row(f, key, json_string_value(name), "a trap of the guest's own", n,
				 s->exits);
	}
	n = sum_of(r->info, "exits_by_reason/serror");
	if (n)
		exit_row(f, "serror", "SError", "an error of the machine", n, s->exits);
	n = sum_of(r->info, "exits_by_reason/other");
	if (n)
		exit_row(f, "other", "other", "neither interrupt nor trap", n, s->exits);
	exit_row(f, "total", "all", "", s->exits, s->exits);
	vgic_plot_table_close(f);
	by_vcpu(f, r, vcpus);
	recording_how(f, r->name, "info ", "");
}

/* ---- maintenance interrupts ---- */

void recording_mis(FILE *f, const struct recording *r)
{
	static const char *const why[VGIC_PLOT_NR_MI] = {
		"a level interrupt ended: its line must be looked at again",
		"interrupts wait outside, and at most one LR is in use",
		"the guest ended an interrupt that had no LR (EOIcount)",
		"interrupts wait outside, and no LR is pending",
		"the guest enabled group 0",
		"the guest disabled group 0",
		"the guest enabled group 1",
		"the guest disabled group 1",
	};
	const struct recording_sums *s = &r->sums;
	int i;

	if (!s->syncs) {
		fprintf(f, "<p>The recording does not show the list registers at the exits, so "
			   "maintenance interrupts cannot be told from other ones.</p>\n");
		return;
	}
	vgic_plot_table_open(f, "Maintenance interrupts by source",
			     "Exits by maintenance interrupt (MI), by what asked for them. One MI "
			     "may have several sources, so these may add up to more than all. "
			     "EOI is the price of level interrupts; U, NP and LRENP are the price "
			     "of too few list registers.");
	fprintf(f, "<thead><tr><th scope=\"col\">source</th><th scope=\"col\">MIs</th>"
		   "<th scope=\"col\">of all MIs</th><th aria-hidden=\"true\"></th>"
		   "<th scope=\"col\" class=\"text\">why</th></tr></thead><tbody>\n");
	for (i = 0; i < VGIC_PLOT_NR_MI; i++) {
		fprintf(f, "<tr><th scope=\"row\">%s</th><td id=\"mi-%s\">%s</td><td>%s</td>",
			recording_mi[i], recording_mi[i], vgic_plot_count(s->mi_source[i]).s,
			recording_share(s->mi_source[i], s->mi).s);
		bar(f, s->mi_source[i], s->mi);
		fprintf(f, "<td class=\"text\">%s</td></tr>\n", why[i]);
	}
	fprintf(f,
		"<tr><th scope=\"row\">all</th><td id=\"mi-total\">%s</td><td>–</td><td "
		"class=\"bar\"></td>"
		"<td class=\"text\">%s of all exits</td></tr>\n",
		vgic_plot_count(s->mi).s, recording_share(s->mi, s->exits).s);
	vgic_plot_table_close(f);
	recording_how(f, r->name, "info ", "");
}

/* ---- list registers ---- */

void recording_lrs(FILE *f, const struct recording *r)
{
	const struct recording_sums *s = &r->sums;
	size_t i;

	if (!s->flushes) {
		fprintf(f, "<p>The recording does not show the list registers.</p>\n");
		return;
	}
	vgic_plot_table_open(f, "List registers in use",
			     "List registers in use when the guest was entered, all vCPUs "
			     "together: so many entries had so many in use.");
	fprintf(f, "<thead><tr><th scope=\"col\">in use</th><th scope=\"col\">entries</th>"
		   "<th scope=\"col\">share</th><th aria-hidden=\"true\"></th></tr></thead>"
		   "<tbody>\n");
	for (i = 0; i < s->nr_used; i++) {
		fprintf(f, "<tr><th scope=\"row\">%zu%s</th><td id=\"used-%zu\">%s</td><td>%s</td>",
			i, (int64_t)i == r->nr_lr ? " (all)" : "", i, vgic_plot_count(s->used[i]).s,
			recording_share(s->used[i], s->flushes).s);
		bar(f, s->used[i], s->flushes);
		fprintf(f, "</tr>\n");
	}
	vgic_plot_table_close(f);
	fprintf(f,
		"<p>At <b id=\"overflowing\">%s</b> of %s entries interrupts stood outside the "
		"list "
		"registers, at most %s at once; the longest list held %s.</p>\n",
		vgic_plot_count(s->overflowing).s, vgic_plot_count(s->flushes).s,
		vgic_plot_count(s->deepest).s, vgic_plot_count(s->longest).s);
	recording_how(f, r->name, "info ", "");
}

/* ---- latencies ---- */

static void measured_row(FILE *f, const json_t *lat)
{
	int64_t n = vgic_plot_int(lat, "n");
	char path[64];
	int i;

	fprintf(f,
		"<tr class=\"measured\"><th scope=\"row\">raise to LR<br><small>measured</small>"
		"</th><td id=\"raise-to-lr-n\">%s</td>",
		vgic_plot_count(n).s);
	for (i = 0; i < 4; i++) {
		const json_t *q;

		snprintf(path, sizeof(path), "percentiles/%s", vgic_plot_p_name[i]);
		q = vgic_plot_at(lat, path);
		if (json_is_object(q))
			fprintf(f, "<td data-ns=\"%lld\">%s<br><small>%s … %s</small></td>",
				(long long)vgic_plot_int(q, "ns"),
				vgic_plot_ns(vgic_plot_int(q, "ns")).s,
				vgic_plot_ns(vgic_plot_int(q, "low_ns")).s,
				vgic_plot_ns(vgic_plot_int(q, "high_ns")).s);
		else
			fprintf(f, "<td><small>n too small</small></td>");
	}
	fprintf(f, "<td>%s</td></tr>\n", vgic_plot_ns(n > 0 ? vgic_plot_int(lat, "max_ns") : -1).s);
}

void recording_latencies(FILE *f, const struct recording *r)
{
	const struct vgic_plot_cell *c = r->same;
	const json_t *lat = json_object_get(r->info, "raise_to_lr");
	int kind;

	if (!r->sums.flushes) {
		fprintf(f, "<p>The recording does not show when interrupts entered a list "
			   "register.</p>\n");
		return;
	}
	vgic_plot_table_open(f, "Latencies",
			     "From the moment an interrupt became pending, never from a flush; "
			     "95 % intervals below. A percentile stands here only if at least ten "
			     "interrupts were slower. Estimated: the host does not see when in a "
			     "run the guest acknowledges or ends an interrupt, so these are from a "
			     "replay with the recorded number of list registers, to within the "
			     "length of the runs named.");
	fprintf(f, "<thead><tr><th scope=\"col\">latency</th><th scope=\"col\">n</th><th>p50</th>"
		   "<th>p90</th><th>p99</th><th>p99.9</th><th>maximum</th></tr></thead><tbody>\n");
	measured_row(f, lat);
	for (kind = VGIC_PLOT_RAISE_TO_ACK; c && kind < VGIC_PLOT_NR_LATENCIES; kind++) {
		if (!c->latency[kind].known)
			continue;
		fprintf(f,
			"<tr><th scope=\"row\">%s<br><small>estimated, in runs of %s</small></th>",
			vgic_plot_latency_name[kind], vgic_plot_ns(c->latency[kind].uncertainty).s);
		vgic_plot_page_quantiles(f, &c->latency[kind]);
		fprintf(f, "</tr>\n");
	}
	vgic_plot_table_close(f);
	recording_how(f, r->name, "info ", "");
}

/* ---- waits ---- */

static void stretches(FILE *f, const json_t *w)
{
	const json_t *list = json_object_get(w, "stretches"), *s;
	int64_t end = -1;
	size_t i;

	fprintf(f, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">for</th>"
		   "<th scope=\"col\" class=\"text\">cause</th><th scope=\"col\">record</th>"
		   "<th scope=\"col\" class=\"text\">what it shows</th></tr></thead><tbody>\n");
	json_array_foreach(list, i, s)
	{
		int64_t t0 = vgic_plot_int(s, "t0_ns"), t1 = vgic_plot_int(s, "t1_ns");

		if (end >= 0 && t0 > end)
			fprintf(f,
				"<tr><td>%s</td><td class=\"text\" colspan=\"3\">… more, left out "
				"here</td></tr>\n",
				vgic_plot_ns(t0 - end).s);
		end = t1;
		fprintf(f, "<tr><td>%s</td><td class=\"text\">", vgic_plot_ns(t1 - t0).s);
		vgic_plot_html(f, vgic_plot_str(s, "cause"));
		fprintf(f, "</td><td>%s</td><td class=\"text\">",
			vgic_plot_number(vgic_plot_int(s, "record")).s);
		vgic_plot_html(f, vgic_plot_str(s, "text"));
		fprintf(f, "</td></tr>\n");
	}
	vgic_plot_table_close(f);
}

static void causes(FILE *f, const struct recording *r, const json_t *explain)
{
	int64_t all = vgic_plot_int(explain, "wait_ns");
	const char *key;
	json_t *ns;
	char path[64];

	vgic_plot_table_open(
		f, "Waiting time by cause",
		"All waits together, by what they waited for. Each nanosecond of a wait "
		"has one cause.");
	fprintf(f, "<thead><tr><th scope=\"col\">cause</th><th scope=\"col\">time</th>"
		   "<th scope=\"col\">share</th><th aria-hidden=\"true\"></th>"
		   "<th scope=\"col\" class=\"text\">what it is</th></tr></thead><tbody>\n");
	json_object_foreach(json_object_get(explain, "causes_ns"), key, ns)
	{
		fprintf(f, "<tr><th scope=\"row\">");
		vgic_plot_html(f, key);
		fprintf(f, "</th><td>%s</td><td>%s</td>", vgic_plot_ns(json_integer_value(ns)).s,
			recording_share(json_integer_value(ns), all).s);
		bar(f, json_integer_value(ns), all);
		fprintf(f, "<td class=\"text\">");
		snprintf(path, sizeof(path), "words/causes/%s", key);
		vgic_plot_html(f, vgic_plot_str(r->report, path));
		fprintf(f, "</td></tr>\n");
	}
	vgic_plot_table_close(f);
}

void recording_waits(FILE *f, const struct recording *r)
{
	const json_t *explain = json_object_get(r->report, "explain"), *w;
	const json_t *waits = json_object_get(explain, "waits");
	int64_t missed = vgic_plot_int(explain, "not_followed");
	char after[64];
	size_t i;

	if (!json_is_object(explain) || !r->sums.flushes) {
		fprintf(f, "<p>%s</p>\n",
			json_is_object(explain)
				? "The recording does not show the list registers, so "
				  "it cannot be said what interrupts waited for."
				: "Not explained; the reason stands on top.");
		return;
	}
	if (!json_array_size(waits)) {
		fprintf(f, "<p>No interrupt waited.</p>\n");
		return;
	}
	fprintf(f,
		"<p>A wait is over when the guest is entered to the run in which it takes the "
		"interrupt: <b>%s</b> were taken, %s taken back, %s still waited at the end.",
		vgic_plot_count(vgic_plot_int(explain, "taken")).s,
		vgic_plot_count(vgic_plot_int(explain, "withdrawn")).s,
		vgic_plot_count(vgic_plot_int(explain, "open")).s);
	if (missed > 0)
		fprintf(f, " %s more could not be followed: too many at once.",
			vgic_plot_count(missed).s);
	fprintf(f, "</p>\n");
	causes(f, r, explain);
	fprintf(f, "<h3>The longest, longest first</h3>\n<ol class=\"waits\">\n");
	json_array_foreach(waits, i, w)
	{
		fprintf(f, "<li><p>");
		vgic_plot_html(f, vgic_plot_str(w, "text"));
		fprintf(f, "</p>\n");
		if (json_is_true(json_object_get(w, "losses")))
			fprintf(f, "<p><b>Records were lost meanwhile: the account may be "
				   "wrong.</b></p>\n");
		fprintf(f, "<details%s><summary>Step by step</summary>\n", i ? "" : " open");
		stretches(f, w);
		fprintf(f, "</details></li>\n");
	}
	fprintf(f, "</ol>\n");
	snprintf(after, sizeof(after), " --worst %zu", json_array_size(waits));
	recording_how(f, r->name, "explain ", after);
}

/* ---- losses ---- */

void recording_losses(FILE *f, const struct recording *r)
{
	const json_t *totals = json_object_get(r->info, "totals"), *cpu;
	size_t i;

	if (!json_is_object(totals)) {
		fprintf(f,
			"<p>How much was lost in all is not known: the totals stand at the end of "
			"the file, which is missing.");
		if (r->lost >= 0)
			fprintf(f, " In what is there, <b id=\"lost\">%s</b> record%s lost.",
				vgic_plot_count(r->lost).s, r->lost == 1 ? " is" : "s are");
		fprintf(f, "</p>\n");
		return;
	}
	vgic_plot_table_open(f, "Records and losses",
			     "A record is lost where the recorder could not keep up. A loss stands "
			     "in the recording as such; it costs the interval that it was in.");
	fprintf(f, "<thead><tr><th scope=\"col\">CPU</th><th scope=\"col\">records</th>"
		   "<th scope=\"col\">lost</th><th scope=\"col\">share lost</th></tr></thead>"
		   "<tbody>\n");
	json_array_foreach(json_object_get(totals, "cpus"), i, cpu)
	{
		int64_t n = vgic_plot_int(cpu, "records"), lost = vgic_plot_int(cpu, "lost");

		fprintf(f, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td><td>%s</td></tr>\n",
			vgic_plot_number(vgic_plot_int(cpu, "cpu")).s, vgic_plot_count(n).s,
			vgic_plot_count(lost).s, recording_share(lost, n + lost).s);
	}
	fprintf(f,
		"<tr><th scope=\"row\">all</th><td id=\"records\">%s</td><td id=\"lost\">%s</td>"
		"<td>%s</td></tr>\n",
		vgic_plot_count(vgic_plot_int(totals, "records")).s, vgic_plot_count(r->lost).s,
		recording_share(r->lost, vgic_plot_int(totals, "records") + r->lost).s);
	vgic_plot_table_close(f);
	if (vgic_plot_int(totals, "kernel_lost") != r->lost)
		fprintf(f, "<p>The kernel itself counted %s.</p>\n",
			vgic_plot_count(vgic_plot_int(totals, "kernel_lost")).s);
	recording_how(f, r->name, "info --header ", "");
}

/* ---- fidelity ---- */

static void mismatch(FILE *f, const json_t *m)
{
	static const struct {
		const char *key, *name;
	} parts[] = {{"type", "record of a"}, {"rule", "rule"},	    {"text", "which says"},
		     {"field", "field"},      {"kernel", "kernel"}, {"model", "model"},
		     {"switch", "told by"}};
	size_t i;

	fprintf(f, "<h3>The first mismatch</h3>\n<dl id=\"first-mismatch\">\n");
	vgic_plot_page_term(f, "record", vgic_plot_number(vgic_plot_int(m, "record")).s);
	vgic_plot_page_term(f, "vCPU", vgic_plot_number(vgic_plot_int(m, "vcpu")).s);
	vgic_plot_page_term(f, "interrupt", vgic_plot_number(vgic_plot_int(m, "intid")).s);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (*vgic_plot_str(m, parts[i].key))
			vgic_plot_page_term(f, parts[i].name, vgic_plot_str(m, parts[i].key));
	fprintf(f, "</dl>\n");
}

void recording_fidelity(FILE *f, const struct recording *r)
{
	static const struct {
		const char *key, *name;
	} rows[] = {{"pairs", "flush and sync pairs"},	    {"checked_flushes", "flushes compared"},
		    {"checked_syncs", "syncs compared"},    {"sorted", "lists sorted"},
		    {"overflowing", "lists that overflow"}, {"replayed", "EOIcount deactivations"},
		    {"undecided_records", "not decidable"}, {"mismatches", "mismatches"}};
	const json_t *v = json_object_get(r->report, "verify"), *fits = json_object_get(v, "fits");
	const char *key;
	json_t *n;
	char path[64];
	size_t i;

	if (!json_is_object(v)) {
		fprintf(f, "<p>Not verified; the reason stands on top.</p>\n");
		return;
	}
	fprintf(f, "<p>Every flush and sync of the kernel is computed again from what stood before "
		   "it, "
		   "and compared bit for bit with what the kernel did.</p>\n");
	vgic_plot_table_open(f, "Comparison with the algorithm",
			     "The recording against the algorithm of the policy named.");
	fprintf(f, "<tbody>\n<tr><th scope=\"row\">policy</th><td id=\"verify-policy\">");
	vgic_plot_html(f, vgic_plot_str(v, "policy"));
	fprintf(f, "</td></tr>\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(f, "<tr><th scope=\"row\">%s</th><td id=\"verify-%s\">%s</td></tr>\n",
			rows[i].name, rows[i].key,
			vgic_plot_count(vgic_plot_int(v, rows[i].key)).s);
	json_object_foreach(json_object_get(v, "undecided"), key, n)
	{
		if (!json_integer_value(n))
			continue;
		snprintf(path, sizeof(path), "words/undecided/%s", key);
		fprintf(f, "<tr><th scope=\"row\">not decidable: ");
		vgic_plot_html(f, vgic_plot_str(r->report, path));
		fprintf(f, "</th><td>%s</td></tr>\n", vgic_plot_count(json_integer_value(n)).s);
	}
	vgic_plot_table_close(f);
	if (json_array_size(fits) > 1) {
		fprintf(f, "<p>This recording does not tell apart:");
		for (i = 0; i < json_array_size(fits); i++) {
			fprintf(f, "%s ", i ? "," : "");
			vgic_plot_html(f, json_string_value(json_array_get(fits, i)));
		}
		fprintf(f, ".</p>\n");
	}
	if (json_array_size(json_object_get(v, "mismatch_list")))
		mismatch(f, json_array_get(json_object_get(v, "mismatch_list"), 0));
	recording_how(f, r->name, "verify ", "");
}
