// SPDX-License-Identifier: GPL-2.0-only
/* The page about one recording: what it says in short, what must be known first, its sections. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "recording.h"

static bool mismatched(const struct recording *r)
{
	return vgic_plot_int(r->report, "verify/mismatches") > 0;
}

static const char *guest_of(const struct recording *r)
{
	const char *guest = vgic_plot_str(r->info, "header/guest_command");

	return *guest ? guest : r->name;
}

static int64_t duration(const struct recording *r)
{
	const json_t *totals = json_object_get(r->info, "totals");

	if (json_is_object(totals))
		return vgic_plot_int(totals, "last_time") - vgic_plot_int(totals, "first_time");
	return r->res ? r->res->duration : VGIC_PLOT_UNKNOWN;
}

/* "at least " where records are missing. */
static const char *at_least(const struct recording *r)
{
	return r->lost > 0 ? "at least " : "";
}

static bool whole(const struct recording *r)
{
	return !strcmp(vgic_plot_str(r->info, "ending"), "whole");
}

/* ---- what must be known first ---- */

static void note_lost(FILE *f, const struct recording *r)
{
	int64_t records = vgic_plot_int(r->info, "totals/records");

	if (r->lost <= 0)
		return;
	fprintf(f, "<p><b>%s record%s lost while recording</b>", vgic_plot_count(r->lost).s,
		r->lost == 1 ? " was" : "s were");
	if (records > 0)
		fprintf(f, " (%s of all)", recording_share(r->lost, records + r->lost).s);
	fprintf(f,
		". Counts are of what arrived: they are lower bounds. Percentiles and the replay "
		"know nothing of the rest.</p>\n");
}

static void note_starved(FILE *f, const struct recording *r)
{
	const json_t *starved = json_object_get(r->info, "starved");
	size_t n = json_array_size(starved), i, k, last;

	if (!n)
		return;
	fprintf(f,
		"<p id=\"starved\"><b>%zu interrupt%s starved:</b> pending and enabled, but never "
		"let into a list register until the recording ended: ",
		n, vgic_plot_plural((int64_t)n));
	for (i = 0, k = 0; i < n && k < 12; i = last + 1, k++) {
		const json_t *from = json_array_get(starved, i);
		int64_t vcpu = vgic_plot_int(from, "vcpu"), intid = vgic_plot_int(from, "intid");
		int64_t longest = vgic_plot_int(from, "waited_ns");

		for (last = i; last + 1 < n; last++) {
			const json_t *next = json_array_get(starved, last + 1);

			if (vgic_plot_int(next, "vcpu") != vcpu ||
			    vgic_plot_int(next, "intid") != intid + (int64_t)(last + 1 - i))
				break;
			if (vgic_plot_int(next, "waited_ns") > longest)
				longest = vgic_plot_int(next, "waited_ns");
		}
		fprintf(f, "%sINTID%s %lld", k ? ", " : "", last > i ? "s" : "", (long long)intid);
		if (last > i)
			fprintf(f, " to %lld", (long long)intid + (long long)(last - i));
		fprintf(f, " on vCPU %s for %s%s", vgic_plot_number(vcpu).s,
			last > i ? "up to " : "", vgic_plot_ns(longest).s);
	}
	if (i < n)
		fprintf(f, " and %zu more", n - i);
	fprintf(f,
		". A guest that waits for them asks for nothing more: the prediction below is of "
		"what it had asked for until then.</p>\n");
}

/* Nothing was attached to these. What was said of them; false: nothing of this kind. */
static bool list_probes(FILE *f, const struct recording *r, bool essential, const char *before)
{
	const json_t *probes = vgic_plot_at(r->info, "header/probes");
	size_t i, n = 0;

	for (i = 0; i < json_array_size(probes); i++) {
		const json_t *p = json_array_get(probes, i);

		if (strcmp(vgic_plot_str(p, "method"), "none") ||
		    json_is_true(json_object_get(p, "essential")) != essential)
			continue;
		fprintf(f, "%s<code>", n++ ? ", " : before);
		vgic_plot_html(f, vgic_plot_str(p, "name"));
		fprintf(f, "</code>");
	}
	return n;
}

/* Of a trace that others have made. */
static void note_source(FILE *f, const struct recording *r)
{
	const char *source = vgic_plot_str(r->info, "header/source");
	const char *missing = vgic_plot_str(r->info, "header/missing");

	if (!*source && !*missing)
		return;
	fprintf(f, "<p><b>Not recorded by vgicsim's own probes</b>");
	if (*source) {
		fprintf(f, ", but made of <code>");
		vgic_plot_html(f, source);
		fprintf(f, "</code>");
	}
	if (*missing) {
		fprintf(f, ". It lacks: <code>");
		vgic_plot_html(f, missing);
		fprintf(f, "</code>. What these would have told is missing, and not zero");
	}
	fprintf(f, ".</p>\n");
}

static void note_probes(FILE *f, const struct recording *r)
{
	if (list_probes(f, r, true, "<p><b>Not recorded:</b> "))
		fprintf(f, ". What these would have told is missing, and not zero.</p>\n");
}

static void note_missing(FILE *f, const struct recording *r)
{
	static const struct {
		const char *part, *name;
	} names[] = {{"verify", "Not verified"},
		     {"explain", "Waits are not explained"},
		     {"replay", "No prediction"}};
	const json_t *missing = json_object_get(r->report, "missing");
	const char *why = "";
	size_t i, k;

	for (i = 0; i < json_array_size(missing); i++) {
		const json_t *m = json_array_get(missing, i);
		const char *name = vgic_plot_str(m, "part");

		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (!strcmp(names[k].part, name))
				name = names[k].name;
		fprintf(f, i ? ". " : "<p>");
		fprintf(f, "<b>");
		vgic_plot_html(f, name);
		fprintf(f, ":</b> ");
		/* One reason may do for several. */
		if (i && !strcmp(why, vgic_plot_str(m, "why")))
			fprintf(f, "for the same reason");
		else
			vgic_plot_html(f, vgic_plot_str(m, "why"));
		why = vgic_plot_str(m, "why");
	}
	if (i)
		fprintf(f, ".</p>\n");
	if (!r->sums.flushes || !r->sums.syncs)
		fprintf(f,
			"<p><b>No list registers:</b> the recording has %s in it. Occupancy, "
			"maintenance interrupts and latencies cannot be told from it.</p>\n",
			r->sums.flushes ? "no sync"
			: r->sums.syncs ? "no flush"
					: "neither flush nor sync");
}

/* The VM with most vCPUs, the first of these: it alone is explained and replayed. */
static void note_vms(FILE *f, const struct recording *r)
{
	const json_t *vms = vgic_plot_at(r->info, "totals/vms");
	size_t n = 0, most = 0;

	/* Not all numbers need be in use. */
	for (size_t i = 0; i < json_array_size(vms); i++) {
		int64_t vcpus = vgic_plot_int(json_array_get(vms, i), "vcpus");

		n += vcpus > 0;
		if (vcpus > vgic_plot_int(json_array_get(vms, most), "vcpus"))
			most = i;
	}
	if (n > 1)
		fprintf(f,
			"<p><b>There are %zu VMs in the recording.</b> Exits, maintenance "
			"interrupts, "
			"list registers and measured latencies are of all of them; waits, "
			"estimates "
			"and the prediction of VM %zu alone, which has the most vCPUs.</p>\n",
			n, most);
}

/* With the recorded LR count the replay must come to the recorded end. */
static void note_disagreement(FILE *f, const struct recording *r)
{
	static const char *const ends[] = {"came to its end", "live-locked", "starved"};

	if (!r->same || !r->res->recorded || r->same->outcome == r->res->recorded->outcome)
		return;
	fprintf(f,
		"<p><b>The prediction cannot be believed:</b> with the recorded number of list "
		"registers the recording %s, and its replay %s.</p>\n",
		ends[r->res->recorded->outcome], ends[r->same->outcome]);
}

/* The emulator's times are no warning, but whoever reads one must know. */
static bool emulated(const struct recording *r)
{
	return json_is_true(vgic_plot_at(r->info, "header/emulated"));
}

static void write_notes(FILE *f, const struct recording *r)
{
	const json_t *warnings = json_object_get(r->report, "warnings"), *w;
	bool bad;
	size_t i;
	char *text = NULL;
	size_t size;
	FILE *notes = open_memstream(&text, &size);

	if (!notes)
		return;
	json_array_foreach(warnings, i, w)
	{
		fprintf(notes, "<p><b>Warning:</b> ");
		vgic_plot_html(notes, json_string_value(w));
		fprintf(notes, ".</p>\n");
	}
	if (!whole(r))
		fprintf(notes,
			"<p><b>The recording has no end:</b> every number below is of the part "
			"that is there.</p>\n");
	note_lost(notes, r);
	if (mismatched(r))
		fprintf(notes,
			"<p><b>The kernel did not do what the algorithm says:</b> %s mismatches in "
			"%s records. A prediction by that algorithm may not hold for it.</p>\n",
			vgic_plot_count(vgic_plot_int(r->report, "verify/mismatches")).s,
			vgic_plot_count(vgic_plot_int(r->report, "verify/mismatched_records")).s);
	note_starved(notes, r);
	note_disagreement(notes, r);
	note_vms(notes, r);
	note_missing(notes, r);
	note_source(notes, r);
	note_probes(notes, r);
	fclose(notes);
	bad = size > 0;
	if (bad)
		fprintf(f, "<div class=\"note\" id=\"notes\">\n%s</div>\n", text);
	else
		fprintf(f,
			"<div class=\"note good\" id=\"notes\"><p>The recording is whole and lost "
			"nothing, no interrupt starved, and the kernel did in every comparison "
			"what the algorithm says.</p></div>\n");
	free(text);
	if (list_probes(f, r, false, "<p class=\"soft\">Nothing was attached to "))
		fprintf(f,
			", which not every kernel has: what only these would tell is missing, and "
			"not zero.</p>\n");
	if (emulated(r))
		fprintf(f,
			"<p class=\"soft\">This host is an emulated machine: counts are those of a "
			"real kernel, times are the emulator's.</p>\n");
}

/* ---- in short ---- */

static void tile(FILE *f, const char *id, const char *value, const char *what)
{
	fprintf(f, "<div><dt>%s</dt><dd id=\"tile-%s\">", what, id);
	vgic_plot_html(f, value);
	fprintf(f, "</dd></div>\n");
}

static void write_tiles(FILE *f, const struct recording *r)
{
	const struct recording_sums *s = &r->sums;
	int64_t interrupts = r->res && r->res->recorded ? r->res->recorded->interrupts : -1;
	int64_t bad = vgic_plot_int(r->report, "verify/mismatches");

	fprintf(f, "<dl class=\"tiles\">\n");
	if (s->exits)
		tile(f, "exits", vgic_plot_count(s->exits).s, "exits of the guest");
	if (interrupts > 0)
		tile(f, "interrupts", vgic_plot_count(interrupts).s, "interrupts delivered");
	if (s->syncs && s->exits) {
		tile(f, "mi", vgic_plot_count(s->mi).s, "maintenance interrupts");
		tile(f, "mi-share", recording_share(s->mi, s->exits).s, "of exits are these");
	}
	if (s->flushes) {
		const json_t *q = vgic_plot_at(r->info, "raise_to_lr/percentiles/p99");

		tile(f, "overflowing", recording_share(s->overflowing, s->flushes).s,
		     "of entries left interrupts outside");
		if (json_is_object(q))
			tile(f, "p99", vgic_plot_ns(vgic_plot_int(q, "ns")).s,
			     "99 % are in a list register within");
	}
	if (bad >= 0)
		tile(f, "verify", vgic_plot_count(bad).s, "mismatches with the algorithm");
	fprintf(f, "</dl>\n");
}

static void say_interrupts(FILE *f, const struct recording *r)
{
	const struct recording_sums *s = &r->sums;
	const struct vgic_plot_cell *c = r->res ? r->res->recorded : NULL;

	if (!s->exits)
		return;
	fprintf(f, "<li>");
	if (duration(r) > 0)
		fprintf(f, "In %s, ", vgic_plot_ns(duration(r)).s);
	if (s->nr_vcpus)
		fprintf(f, "%zu vCPU%s", s->nr_vcpus, vgic_plot_plural((int64_t)s->nr_vcpus));
	else
		fprintf(f, "vCPUs");
	fprintf(f, " left the guest %s<b>%s</b> times", at_least(r), vgic_plot_count(s->exits).s);
	if (c && c->interrupts > 0 && c->exits_total == s->exits)
		fprintf(f, ", %.2f times for each of %s interrupts",
			(double)s->exits / (double)c->interrupts, vgic_plot_count(c->interrupts).s);
	fprintf(f, ".");
	if (s->syncs) {
		fprintf(f, " %s<b>%s</b> of these exits", r->lost > 0 ? "At least " : "",
			vgic_plot_count(s->mi).s);
		if (s->mi)
			fprintf(f, " (%s)", recording_share(s->mi, s->exits).s);
		fprintf(f, " were maintenance interrupts, which the guest never sees: the price of "
			   "having fewer list registers than interrupts, or of level interrupts.");
	}
	fprintf(f, "</li>\n");
}

static void say_lrs(FILE *f, const struct recording *r)
{
	const struct recording_sums *s = &r->sums;

	if (!s->flushes || r->nr_lr < 0)
		return;
	fprintf(f,
		"<li>All %s list registers were in use at %s of the entries to the guest. At "
		"<b>%s</b> of %s entries (%s) interrupts had to wait outside, at most %s at "
		"once.</li>\n",
		vgic_plot_number(r->nr_lr).s,
		recording_share((size_t)r->nr_lr < s->nr_used ? s->used[r->nr_lr] : -1, s->flushes)
			.s,
		vgic_plot_count(s->overflowing).s, vgic_plot_count(s->flushes).s,
		recording_share(s->overflowing, s->flushes).s, vgic_plot_count(s->deepest).s);
}

static void say_latency(FILE *f, const struct recording *r)
{
	const json_t *lat = json_object_get(r->info, "raise_to_lr"), *p50, *p99;

	if (!r->sums.flushes || vgic_plot_int(lat, "n") <= 0)
		return;
	p50 = vgic_plot_at(lat, "percentiles/p50");
	p99 = vgic_plot_at(lat, "percentiles/p99");
	fprintf(f, "<li>");
	if (json_is_object(p50))
		fprintf(f, "Half of the interrupts were in a list register within <b>%s</b>",
			vgic_plot_ns(vgic_plot_int(p50, "ns")).s);
	if (json_is_object(p99))
		fprintf(f, ", 99 %% within <b>%s</b> (between %s and %s, with 95 %% confidence)",
			vgic_plot_ns(vgic_plot_int(p99, "ns")).s,
			vgic_plot_ns(vgic_plot_int(p99, "low_ns")).s,
			vgic_plot_ns(vgic_plot_int(p99, "high_ns")).s);
	fprintf(f, "%s longest took %s.", json_is_object(p50) ? "; the" : "The",
		vgic_plot_ns(vgic_plot_int(lat, "max_ns")).s);
	if (!json_is_object(p99))
		fprintf(f, " There are too few (%s) to name a 99th percentile.",
			vgic_plot_count(vgic_plot_int(lat, "n")).s);
	fprintf(f, "</li>\n");
}

static void say_fidelity(FILE *f, const struct recording *r)
{
	const json_t *v = json_object_get(r->report, "verify");
	int64_t checked = vgic_plot_int(v, "checked_flushes") + vgic_plot_int(v, "checked_syncs");
	int64_t undecided = vgic_plot_int(v, "undecided_records");

	if (!json_is_object(v))
		return;
	if (mismatched(r))
		fprintf(f, "<li><b>%s mismatches</b> with the algorithm of ",
			vgic_plot_count(vgic_plot_int(v, "mismatches")).s);
	else
		fprintf(f, "<li>The kernel did what the algorithm says, that of ");
	vgic_plot_html(f, vgic_plot_str(v, "policy"));
	fprintf(f, ": %s flushes and syncs were computed again and compared bit for bit",
		vgic_plot_count(checked).s);
	if (undecided > 0)
		fprintf(f, "; %s could not be decided", vgic_plot_count(undecided).s);
	fprintf(f, ".</li>\n");
}

/* "1 to 3, 7" of those for which it holds. */
static int list_lrs(FILE *f, const struct vgic_plot_result *res,
		    bool (*holds)(const struct vgic_plot_cell *c))
{
	int i, k, n = 0;

	for (i = 0; i < res->nr_cells; i = k + 1) {
		for (k = i; k < res->nr_cells && holds(&res->cells[k]); k++)
			;
		if (k == i)
			continue;
		fprintf(f, "%s%d", n ? ", " : "", res->cells[i].nr_lr);
		if (k - 1 > i)
			fprintf(f, " to %d", res->cells[k - 1].nr_lr);
		n += k - i;
	}
	return n;
}

static bool is_starved(const struct vgic_plot_cell *c)
{
	return c->outcome == VGIC_PLOT_STARVED;
}

static void say_outcomes(FILE *f, const struct vgic_plot_result *res)
{
	static const struct {
		bool (*holds)(const struct vgic_plot_cell *c);
		const char *what;
	} kinds[] = {{vgic_plot_endless, "the guest would make no progress (live-lock)"},
		     {is_starved, "an interrupt would never be delivered (starvation)"}};
	size_t k;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		char *text = NULL;
		size_t size;
		FILE *t = open_memstream(&text, &size);
		int n = t ? list_lrs(t, res, kinds[k].holds) : 0;

		if (t)
			fclose(t);
		if (n)
			fprintf(f, " With %s list register%s %s.", text,
				n == 1 && res->cells[0].nr_lr == 1 && kinds[k].holds(&res->cells[0])
					? ""
					: "s",
				kinds[k].what);
		free(text);
	}
}

/* The fewest from which on more save less than one exit of a hundred. */
static const struct vgic_plot_cell *enough(const struct vgic_plot_result *res)
{
	const struct vgic_plot_cell *last = &res->cells[res->nr_cells - 1], *least = last;
	int i;

	if (last->outcome != VGIC_PLOT_COMPLETED || last->exits_total < 0)
		return NULL;
	for (i = res->nr_cells - 1; i >= 0; i--) {
		const struct vgic_plot_cell *c = &res->cells[i];

		if (c->outcome != VGIC_PLOT_COMPLETED ||
		    (double)c->exits_total > 1.01 * (double)last->exits_total)
			break;
		least = c;
	}
	return least;
}

static void say_prediction(FILE *f, const struct recording *r)
{
	const struct vgic_plot_cell *least, *last;

	if (!r->res)
		return;
	last = &r->res->cells[r->res->nr_cells - 1];
	least = enough(r->res);
	fprintf(f, "<li>The same demand was replayed with %d to %d list registers.",
		r->res->cells[0].nr_lr, last->nr_lr);
	if (least == last && r->res->nr_cells > 1 && last[-1].outcome == VGIC_PLOT_COMPLETED)
		fprintf(f, " Each more saves exits, to the last one.");
	else if (least && least != last)
		fprintf(f,
			" From <b id=\"enough\">%d</b> on, more save less than 1 %% of the exits "
			"(%s exits and %s maintenance interrupts with %d, %s and %s with %d).",
			least->nr_lr, vgic_plot_count(least->exits_total).s,
			vgic_plot_count(least->mi_total).s, least->nr_lr,
			vgic_plot_count(last->exits_total).s, vgic_plot_count(last->mi_total).s,
			last->nr_lr);
	say_outcomes(f, r->res);
	fprintf(f, " How far to believe that stands <a href=\"#prediction\">there</a>.</li>\n");
}

static void write_short(FILE *f, const struct recording *r)
{
	fprintf(f, "<section id=\"short\"><h2>In short</h2>\n");
	write_tiles(f, r);
	fprintf(f, "<ul class=\"short\">\n");
	say_interrupts(f, r);
	say_lrs(f, r);
	say_latency(f, r);
	say_fidelity(f, r);
	say_prediction(f, r);
	fprintf(f, "</ul>\n</section>\n");
}

/* ---- what ran ---- */

static void term_known(FILE *f, const char *name, const char *value)
{
	if (*value)
		vgic_plot_page_term(f, name, value);
}

static const char *yes_no(const json_t *v)
{
	return json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "unknown";
}

/* 0 stands for what could not be found out. */
static struct vgic_plot_text known_number(const json_t *h, const char *name)
{
	struct vgic_plot_text t = {"unknown"};
	int64_t n = vgic_plot_int(h, name);

	return n > 0 ? vgic_plot_number(n) : t;
}

static void write_host(FILE *f, const json_t *h)
{
	char text[600];

	fprintf(f, "<div><h3>Host</h3><dl>\n");
	term_known(f, "kernel", vgic_plot_str(h, "kernel_release"));
	term_known(f, "", vgic_plot_str(h, "kernel_version"));
	term_known(f, "build id", vgic_plot_str(h, "build_id"));
	vgic_plot_page_term(
		f, "CPU", *vgic_plot_str(h, "cpu_part") ? vgic_plot_str(h, "cpu_part") : "unknown");
	vgic_plot_page_term(f, "CPUs online", known_number(h, "nr_cpus").s);
	vgic_plot_page_term(f, "KVM mode",
			    *vgic_plot_str(h, "kvm_mode") ? vgic_plot_str(h, "kvm_mode")
							  : "unknown");
	snprintf(text, sizeof(text), "host: version %s, guest: version %s",
		 known_number(h, "gic_host").s, known_number(h, "vgic_model").s);
	vgic_plot_page_term(f, "GIC", text);
	vgic_plot_page_term(f, "list registers", known_number(h, "nr_lr").s);
	snprintf(text, sizeof(text), "priority %s, preemption %s, INTID %s",
		 known_number(h, "pri_bits").s, known_number(h, "pre_bits").s,
		 known_number(h, "id_bits").s);
	vgic_plot_page_term(f, "bits", text);
	vgic_plot_page_term(f, "traps DIR alone", yes_no(json_object_get(h, "tdir")));
	vgic_plot_page_term(f, "always trapped", vgic_plot_str(h, "static_traps"));
	vgic_plot_page_term(f, "nested guest", yes_no(json_object_get(h, "nested")));
	vgic_plot_page_term(f, "emulated", yes_no(json_object_get(h, "emulated")));
	fprintf(f, "</dl></div>\n");
}

static struct vgic_plot_text date_of(int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct vgic_plot_text t;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(t.s, sizeof(t.s), "%Y-%m-%d %H:%M:%S UTC", &tm))
		strcpy(t.s, "–");
	return t;
}

static void write_capture(FILE *f, const struct recording *r, const json_t *h)
{
	const json_t *vms = vgic_plot_at(r->info, "totals/vms"), *v;
	int64_t start = vgic_plot_int(h, "start_realtime");
	char text[600];
	size_t i;

	fprintf(f, "<div><h3>Recording</h3><dl>\n");
	vgic_plot_page_term(f, "file", r->name);
	vgic_plot_page_term(f, "hash (XXH64)", vgic_plot_str(r->info, "identity"));
	term_known(f, "guest", vgic_plot_str(h, "guest_command"));
	json_array_foreach(vms, i, v)
	{
		snprintf(text, sizeof(text), "process %s (%s), %s vCPUs",
			 vgic_plot_number(vgic_plot_int(v, "tgid")).s, vgic_plot_str(v, "comm"),
			 vgic_plot_number(vgic_plot_int(v, "vcpus")).s);
		vgic_plot_page_term(f, "VM", text);
	}
	if (start > 0)
		vgic_plot_page_term(f, "start", date_of(start).s);
	vgic_plot_page_term(f, "duration", vgic_plot_ns(duration(r)).s);
	term_known(f, "ended by", vgic_plot_str(r->info, "totals/stop"));
	if (vgic_plot_int(r->info, "totals/guest_status") >= 0)
		vgic_plot_page_term(
			f, "guest's exit status",
			vgic_plot_number(vgic_plot_int(r->info, "totals/guest_status")).s);
	vgic_plot_page_term(f, "records",
			    vgic_plot_count(vgic_plot_int(r->info, "totals/records")).s);
	term_known(f, "recorded by", vgic_plot_str(h, "tool"));
	term_known(f, "clock", vgic_plot_str(h, "clock"));
	snprintf(text, sizeof(text), "vgicsim %s", vgic_plot_str(r->report, "tool/version"));
	vgic_plot_page_term(f, "report by", text);
	fprintf(f, "</dl></div>\n");
}

static void write_what_ran(FILE *f, const struct recording *r)
{
	const json_t *h = json_object_get(r->info, "header"), *probes, *p;
	size_t i;

	fprintf(f, "<section id=\"ran\"><h2>What ran</h2>\n<div class=\"two\">\n");
	write_host(f, h);
	write_capture(f, r, h);
	fprintf(f, "</div>\n");
	probes = json_object_get(h, "probes");
	if (json_array_size(probes)) {
		fprintf(f, "<details><summary>Where it was recorded: %zu probes</summary><p>",
			json_array_size(probes));
		json_array_foreach(probes, i, p)
		{
			fprintf(f, "%s<code>", i ? ", " : "");
			vgic_plot_html(f, vgic_plot_str(p, "method"));
			fprintf(f, " ");
			vgic_plot_html(f, vgic_plot_str(p, "name"));
			fprintf(f, "</code>");
		}
		fprintf(f, "</p></details>\n");
	}
	recording_how(f, r->name, "info --header ", "");
	fprintf(f, "</section>\n");
}

/* ---- prediction ---- */

static void worth_row(FILE *f, const char *id, const char *name, int64_t recorded, int64_t replayed)
{
	fprintf(f, "<tr><th scope=\"row\">%s</th><td id=\"recorded-%s\">%s</td>", name, id,
		vgic_plot_count(recorded).s);
	fprintf(f, "<td id=\"replayed-%s\">%s</td><td>", id, vgic_plot_count(replayed).s);
	if (recorded < 0 || replayed < 0)
		fprintf(f, "–");
	else if (recorded == replayed)
		fprintf(f, "none");
	else if (recorded >= 100)
		fprintf(f, "%+.2f %%",
			100.0 * ((double)replayed - (double)recorded) / (double)recorded);
	else
		fprintf(f, "%+lld", (long long)(replayed - recorded));
	fprintf(f, "</td></tr>\n");
}

static void worth_time(FILE *f, const char *name, const struct vgic_plot_cell *was,
		       const struct vgic_plot_cell *is, double p)
{
	struct vgic_plot_quantile a, b;

	a = vgic_plot_quantile(&was->latency[VGIC_PLOT_RAISE_TO_LR], p);
	b = vgic_plot_quantile(&is->latency[VGIC_PLOT_RAISE_TO_LR], p);
	if (!a.shown || !b.shown)
		return;
	fprintf(f, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td><td>", name,
		vgic_plot_ns(a.value).s, vgic_plot_ns(b.value).s);
	if (a.value == b.value)
		fprintf(f, "none");
	else
		fprintf(f, "%+.1f %%", 100.0 * (double)(b.value - a.value) / (double)a.value);
	fprintf(f, "</td></tr>\n");
}

static void write_worth(FILE *f, const struct recording *r)
{
	const struct vgic_plot_cell *was = r->res->recorded, *is = r->same;
	char after[64];

	fprintf(f, "<h3>What it is worth</h3>\n");
	if (was && is && !vgic_plot_endless(is)) {
		vgic_plot_table_open(
			f, "Recorded and replayed",
			"The same number of list registers and the same kernel, recorded and "
			"replayed: what differs is the error of the model on this guest. Counts "
			"below 100 have no percentage.");
		fprintf(f, "<thead><tr><th scope=\"col\">number</th><th scope=\"col\">recorded</th>"
			   "<th scope=\"col\">replayed</th><th scope=\"col\">difference</th></tr>"
			   "</thead><tbody>\n");
		worth_row(f, "exits", "exits", was->exits_total, is->exits_total);
		worth_row(f, "mi", "maintenance interrupts", was->mi_total, is->mi_total);
		worth_row(f, "dir", "DIR traps", was->dir_traps, is->dir_traps);
		worth_row(f, "eoicount", "EOIcount deactivations", was->eoicount, is->eoicount);
		worth_row(f, "interrupts", "interrupts", was->interrupts, is->interrupts);
		worth_time(f, "raise to LR, p50", was, is, 0.5);
		worth_time(f, "raise to LR, p99", was, is, 0.99);
		vgic_plot_table_close(f);
		snprintf(after, sizeof(after), " --lrs %s", vgic_plot_number(r->nr_lr).s);
		recording_how(f, r->name, "replay ", after);
	}
	fprintf(f, "<p>With another number of list registers only a machine that has it can tell: "
		   "record the same guest there, and <code>vgicsim validate</code> holds the "
		   "prediction against it. Without that, trust a column no further than the table "
		   "above agrees, and differences between columns more than the columns.</p>\n");
}

static int write_prediction(FILE *f, const struct recording *r, const struct vgic_plot_stage *stage,
			    const struct vgic_plot_drawn *drawn, int nr_drawn,
			    struct vgic_plot_error *err)
{
	int error = 0, i;

	if (!r->res)
		return 0;
	fprintf(f,
		"<section id=\"prediction\"><h2>With other list registers</h2>\n<p>What the guest "
		"demanded, replayed on the model of the recorded kernel with %d to %d list "
		"registers.</p>\n",
		r->res->cells[0].nr_lr, r->res->cells[r->res->nr_cells - 1].nr_lr);
	write_worth(f, r);
	fprintf(f, "<h3>What it says</h3>\n");
	vgic_plot_page_findings(f, r->res);
	for (i = 0; i < nr_drawn && !error; i++)
		error = vgic_plot_page_figure(f, stage, &drawn[i], err);
	fprintf(f, "<h3 class=\"apart\">Totals</h3>\n");
	vgic_plot_page_cells(f, r->res);
	fprintf(f, "<h3>Latencies</h3>\n");
	vgic_plot_page_latencies(f, r->res);
	vgic_plot_page_replay(f, r->res);
	recording_how(f, r->name, "replay ", "");
	fprintf(f, "</section>\n");
	return error;
}

/* ---- the rest ---- */

static void write_repeat(FILE *f, const struct recording *r)
{
	const char *command = vgic_plot_str(r->info, "header/command");
	const char *guest = vgic_plot_str(r->info, "header/guest_command");

	fprintf(f, "<section id=\"repeat\"><h2>How to repeat it</h2>\n");
	if (*command) {
		fprintf(f, "<p>It was made by</p>\n<pre><code>");
		vgic_plot_html(f, command);
		if (*guest) {
			fprintf(f, " -- ");
			vgic_plot_html(f, guest);
		}
		fprintf(f, "</code></pre>\n");
	}
	fprintf(f,
		"<p>Everything on this page comes from the recording alone, and again the same, to "
		"the byte:</p>\n<pre><code>");
	recording_command(f, r->name, "info ", "\n");
	recording_command(f, r->name, "verify ", "\n");
	recording_command(f, r->name, "explain ", "\n");
	recording_command(f, r->name, "replay ", "\n");
	recording_command(f, r->name, "report ", " -o DIR</code></pre>\n");
	fprintf(f, "<p>More of it: <code>");
	recording_command(f, r->name, "dump ", "</code> prints its records, <code>");
	recording_command(f, r->name, "replay ",
			  " -P NAME</code> replays it by the algorithm of another kernel, "
			  "<code>vgicsim compare</code> sets it beside another recording.</p>\n"
			  "</section>\n");
}

static void write_contents(FILE *f, const struct recording *r, const char *const (*sections)[2],
			   size_t nr)
{
	size_t i;

	fprintf(f, "<nav aria-label=\"Contents\"><ul>\n");
	for (i = 0; i < nr; i++)
		fprintf(f, "<li><a href=\"#%s\">%s</a></li>\n", sections[i][0], sections[i][1]);
	if (r->res)
		fprintf(f, "<li><a href=\"#prediction\">With other list registers</a></li>\n");
	fprintf(f, "<li><a href=\"#ran\">What ran</a></li>\n"
		   "<li><a href=\"#repeat\">How to repeat it</a></li>\n</ul></nav>\n");
}

static const struct vgic_plot_cell *same_lrs(const struct vgic_plot_result *res, int64_t nr_lr)
{
	int i;

	for (i = 0; res && i < res->nr_cells; i++)
		if (res->cells[i].nr_lr == nr_lr)
			return &res->cells[i];
	return NULL;
}

int vgic_plot_recording_page(const struct vgic_plot_stage *stage, FILE *f, const json_t *report,
			     const struct vgic_plot_result *res,
			     const struct vgic_plot_drawn *drawn, int nr_drawn,
			     struct vgic_plot_error *err)
{
	static const char *const sections[][2] = {
		{"exits-by-cause", "Exits by cause"},
		{"mi", "Maintenance interrupts"},
		{"lrs", "List registers in use"},
		{"latency", "Latencies"},
		{"waits", "The longest waits"},
		{"losses", "Losses"},
		{"fidelity", "Did the kernel do what the algorithm says?"},
	};
	static void (*const write[])(FILE * f, const struct recording *r) = {
		recording_exits, recording_mis,	   recording_lrs,      recording_latencies,
		recording_waits, recording_losses, recording_fidelity,
	};
	struct recording r = {
		.report = report,
		.info = json_object_get(report, "info"),
		.name = vgic_plot_str(report, "name"),
		.res = res,
	};
	char title[1200];
	size_t i;
	int error;

	recording_sum(&r.sums, r.info);
	r.nr_lr = vgic_plot_int(r.info, "header/nr_lr");
	r.nr_lr = r.nr_lr ? r.nr_lr : VGIC_PLOT_UNKNOWN;
	r.same = same_lrs(res, r.nr_lr);
	r.lost = json_is_object(json_object_get(r.info, "totals"))
			 ? vgic_plot_int(r.info, "totals/lost")
		 : res ? res->lost
		       : VGIC_PLOT_UNKNOWN;
	snprintf(title, sizeof(title), "Interrupts of %s", guest_of(&r));
	vgic_plot_page_open(f, "vgicsim report", title, title);
	fprintf(f, "<p class=\"lead\">");
	vgic_plot_html(f, r.name);
	fprintf(f, ": recorded on kernel ");
	vgic_plot_html(f, *vgic_plot_str(r.info, "header/kernel_release")
				  ? vgic_plot_str(r.info, "header/kernel_release")
				  : "unknown");
	if (r.nr_lr > 0)
		fprintf(f, " with %s list register%s", vgic_plot_number(r.nr_lr).s,
			vgic_plot_plural(r.nr_lr));
	fprintf(f, ".</p>\n");
	write_notes(f, &r);
	write_short(f, &r);
	write_contents(f, &r, sections, sizeof(sections) / sizeof(sections[0]));
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		fprintf(f, "<section id=\"%s\"><h2>%s</h2>\n", sections[i][0], sections[i][1]);
		write[i](f, &r);
		fprintf(f, "</section>\n");
	}
	error = write_prediction(f, &r, stage, drawn, nr_drawn, err);
	write_what_ran(f, &r);
	write_repeat(f, &r);
	fprintf(f, "</main>\n<footer>Written by vgicsim %s from a recording with the hash ",
		VGICSIM_VERSION);
	vgic_plot_html(f, vgic_plot_str(r.info, "identity"));
	fprintf(f, ".");
	vgic_plot_page_close(f);
	return error;
}
