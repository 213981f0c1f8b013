// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "demand_file.h"
#include "exit.h"
#include "latencies.h"
#include "options.h"
#include "output.h"
#include "parts.h"
#include "summary.h"
#include "text.h"

struct info_values {
	bool json, header_only;
	uint64_t starved, threads;
};

#define AT(member) offsetof(struct info_values, member)

static const struct option options[] = {
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{0, "header", OPT_FLAG, AT(header_only), NULL, "only what the header and the totals say", 0,
	 0, NULL},
	{'t', "starved", OPT_DURATION, AT(starved), "TIME",
	 "call an interrupt starved if it waited so long at the end (10ms)", 0, 0, NULL},
	THREADS_OPTION(AT(threads)),
	{0},
};

static const struct info_values defaults = {.starved = 10000000};

/* ---- text ---- */

static void line(const char *name, const char *value)
{
	if (*value)
		printf("%-16s%s\n", name, value);
}

static const char *known(enum vgr_known k)
{
	return k == VGR_YES ? "yes" : k == VGR_NO ? "no" : "unknown";
}

static void print_gic(const struct vgr_header *h)
{
	printf("%-16s%u list registers", "GIC", h->nr_lr);
	if (h->vgic_model)
		printf(", guest sees GICv%u", h->vgic_model);
	if (h->gic_host)
		printf(", host has GICv%u", h->gic_host);
	if (h->pri_bits)
		printf(", %u priority bits, %u preemption bits", h->pri_bits, h->pre_bits);
	if (h->id_bits)
		printf(", %u INTID bits", h->id_bits);
	printf("\n%-16sTDIR %s, nested %s, emulated host %s", "",
	       h->gic_host == 2 ? "none (GICv2)" : known(h->tdir), known(h->nested),
	       known(h->emulated));
	if (h->static_traps)
		printf(", always trapped: hcr %08" PRIx32, h->static_traps);
	printf("\n");
}

static void print_probes(const struct vgr_header *h)
{
	const struct vgr_probe *p;
	size_t i, width = 0;

	if (!h->nr_probes)
		return;
	printf("%-16s", "probes");
	for (i = 0; i < h->nr_probes; i++) {
		p = &h->probes[i];
		if (i) {
			width += strlen(p->name) + strlen(p->method) + 3;
			if (width > 76) {
				printf(",\n%-16s", "");
				width = strlen(p->name) + strlen(p->method) + 3;
			} else {
				printf(", ");
			}
		} else {
			width = strlen(p->name) + strlen(p->method) + 3;
		}
		printf("%s %s", p->method, p->name);
	}
	printf("\n");
}

static void print_header(const struct vgr_header *h, const char *path, uint64_t identity)
{
	char buf[300], start[64];
	time_t t = (time_t)(h->start_realtime / 1000000000);
	struct tm tm;

	printf("%-16s%s\n%-16s%016" PRIx64 ", format %u\n", "recording", path, "identity", identity,
	       h->version);
	snprintf(buf, sizeof(buf), "%s %s", h->kernel_release, h->machine);
	line("kernel", h->kernel_release[0] ? buf : "");
	line("", h->kernel_version);
	snprintf(buf, sizeof(buf), "%s, %u online, MIDR %08" PRIx64 ", KVM mode %s",
		 h->cpu_part[0] ? h->cpu_part : "unknown", h->nr_cpus, h->midr,
		 h->kvm_mode[0] ? h->kvm_mode : "unknown");
	line("CPUs", buf);
	print_gic(h);
	line("policy", h->policy);
	line("features", h->features);
	if (h->source[0]) {
		line("made from", h->source);
		line("missing", h->missing[0] ? h->missing : "nothing");
	}
	line("tool", h->tool);
	line("command", h->command);
	line("guest command", h->guest_command);
	if (h->start_realtime && gmtime_r(&t, &tm) &&
	    strftime(start, sizeof(start), "%Y-%m-%d %H:%M:%S UTC", &tm))
		line("start", start);
	print_probes(h);
}

static void print_totals(const struct vgr_header *h)
{
	const struct vgr_totals *t = &h->totals;
	char buf[32];
	size_t i;
	int type;

	if (!h->has_totals) {
		printf("%-16s%s\n", "totals",
		       h->unfinished ? "none: the capture did not end properly"
				     : "none: the end of the file is missing");
		return;
	}
	printf("%-16s%" PRIu64 " records in %s, %" PRIu64 " lost", "totals", t->records,
	       cli_format_ns(buf, sizeof(buf), t->last_time - t->first_time), t->lost);
	if (t->kernel_lost != t->lost)
		printf(" (the kernel counted %" PRIu64 ")", t->kernel_lost);
	printf("\n%-16s", "");
	for (type = 1; type < VGR_TYPE_MAX; type++) {
		if (t->by_type[type])
			printf("%s %" PRIu64 "  ", vgr_type_name((uint16_t)type), t->by_type[type]);
	}
	printf("\n");
	for (i = 0; i < t->nr_cpus; i++)
		printf("%-16sCPU %u: %" PRIu64 " records, %" PRIu64 " lost\n", "", t->cpus[i].cpu,
		       t->cpus[i].records, t->cpus[i].lost);
	for (i = 0; i < t->nr_vms; i++)
		printf("%-16sVM %zu: process %" PRIu32 " (%s), %u vCPUs%s\n", "", i, t->vms[i].tgid,
		       t->vms[i].comm, t->vms[i].nr_vcpus,
		       t->vms[i].vgic_model == 2 ? ", GICv2" : "");
	line("ended by", t->stop);
	if (t->guest_status >= 0)
		printf("%-16s%d\n", "guest status", t->guest_status);
}

static void print_reasons(const struct vcpu_summary *v)
{
	const char *name;
	unsigned int i;

	printf("  exits         %" PRIu64 ":", v->counts.exits);
	if (v->exits_irq)
		printf(" IRQ %" PRIu64, v->exits_irq);
	if (v->exits_serror)
		printf(" SError %" PRIu64, v->exits_serror);
	for (i = 0; i < SUMMARY_ECS; i++) {
		if (!v->exits_trap[i])
			continue;
		name = summary_ec_name(i);
		if (name)
			printf(" %s %" PRIu64, name, v->exits_trap[i]);
		else
			printf(" EC%02x %" PRIu64, i, v->exits_trap[i]);
	}
	if (v->exits_other)
		printf(" other %" PRIu64, v->exits_other);
	printf("\n");
}

static void print_exits(const struct vcpu_summary *v)
{
	unsigned int i;

	print_reasons(v);
	printf("  MI            %" PRIu64, v->counts.mi);
	for (i = 0; i < SUMMARY_MIS; i++) {
		if (v->counts.mi_source[i])
			printf(" %s %" PRIu64, summary_mi_name(i), v->counts.mi_source[i]);
	}
	printf("\n");
}

static void print_nobody(const struct vcpu_summary *v, uint64_t injects)
{
	if (!v->entries && !v->counts.exits && !v->mmio && !v->wfi && !v->wfe)
		return;
	printf("\nunknown vCPUs\n  runs          %" PRIu64 " entries\n", v->entries);
	print_reasons(v);
	printf("  requests      WFI %" PRIu64 ", WFE %" PRIu64 ", MMIO %" PRIu64
	       "; injections %" PRIu64 "\n",
	       v->wfi, v->wfe, v->mmio, injects);
}

static void print_vcpu(const struct vcpu_summary *v, unsigned int nr_lr)
{
	char buf[32];
	unsigned int i;

	printf("\nvCPU %u:%u\n", v->vm, v->vcpu);
	printf("  runs          %" PRIu64 " (%" PRIu64 " entries), %s in the guest\n", v->syncs,
	       v->entries, cli_format_ns(buf, sizeof(buf), v->counts.guest_ns));
	print_exits(v);
	printf("  requests      DIR %" PRIu64 ", SGI %" PRIu64 ", WFI %" PRIu64 ", WFE %" PRIu64
	       ", MMIO %" PRIu64 "; kicked %" PRIu64 ", loaded %" PRIu64 ", EOIcount %" PRIu64 "\n",
	       v->dir, v->sgi, v->wfi, v->wfe, v->mmio, v->kicks, v->loads, v->counts.eoicount);
	if (v->handlers)
		printf("  guest's trace %" PRIu64 " handlers\n", v->handlers);
	printf("  LRs in use   ");
	for (i = 0; i <= VGR_MAX_LRS; i++) {
		if (i <= nr_lr || v->used[i])
			printf(" %u: %" PRIu64, i, v->used[i]);
	}
	printf("; %.2f on average\n", summary_mean_lrs(v));
	printf("  list          longest %" PRIu32 ", %" PRIu64
	       " overflowing entries, at most %" PRIu32 " outside\n",
	       v->longest_list, v->counts.overflow_entries, v->counts.overflow_max);
}

static void held_by(const struct vcpu_summary *v, char *buf, size_t size)
{
	char lr[32];
	unsigned int i;
	size_t n = 0;

	buf[0] = '\0';
	for (i = 0; i < v->used_lrs && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "",
				      text_lr(lr, sizeof(lr), v->lr[i], v->v2_guest, false));
}

static unsigned int print_starved(const struct summary *s, uint64_t threshold, uint64_t start)
{
	const char *on = cli_color(stdout) ? CLI_RED : "", *off = *on ? CLI_RESET : "";
	char waited[32], since[32], lrs[1024];
	const struct waiting *w;
	unsigned int found = 0;
	size_t i, j;

	for (i = 0; i < s->nr; i++) {
		for (j = 0; j < s->vcpus[i].nr_waiting; j++) {
			w = &s->vcpus[i].waiting[j];
			if (summary_waited(&s->vcpus[i], w) < threshold)
				continue;
			if (!found++)
				printf("\n");
			held_by(&s->vcpus[i], lrs, sizeof(lrs));
			printf("%sSTARVED%s vCPU %u:%u interrupt %" PRIu32 ": pending and enabled, "
			       "but in no list register for the last %s (%" PRIu64
			       " entries), since %s, record %" PRIu64 "; the list registers held "
			       "%s, unchanged for %" PRIu64 " entries\n",
			       on, off, s->vcpus[i].vm, s->vcpus[i].vcpu, w->intid,
			       cli_format_ns(waited, sizeof(waited),
					     summary_waited(&s->vcpus[i], w)),
			       w->entries,
			       cli_format_ns(since, sizeof(since),
					     w->since > start ? w->since - start : 0),
			       w->record, lrs, s->vcpus[i].lr_same);
		}
	}
	return found;
}

/* ---- JSON ---- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *hex(uint64_t n)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, n);
	return json_string(buf);
}

static json_t *json_known(enum vgr_known k)
{
	return k == VGR_UNKNOWN ? json_null() : json_boolean(k == VGR_YES);
}

static json_t *json_header(const struct vgr_header *h)
{
	json_t *o = json_object(), *probes = json_array();
	size_t i;

	for (i = 0; i < h->nr_probes; i++)
		json_array_append_new(probes,
				      json_pack("{s:s, s:s, s:b}", "name", h->probes[i].name,
						"method", h->probes[i].method, "essential",
						h->probes[i].essential));
	json_object_set_new(o, "version", number(h->version));
	json_object_set_new(o, "unfinished", json_boolean(h->unfinished));
	json_object_set_new(o, "kernel_release", json_string(h->kernel_release));
	json_object_set_new(o, "kernel_version", json_string(h->kernel_version));
	json_object_set_new(o, "build_id", json_string(h->build_id));
	json_object_set_new(o, "machine", json_string(h->machine));
	json_object_set_new(o, "midr", hex(h->midr));
	json_object_set_new(o, "cpu_part", json_string(h->cpu_part));
	json_object_set_new(o, "nr_cpus", number(h->nr_cpus));
	json_object_set_new(o, "kvm_mode", json_string(h->kvm_mode));
	json_object_set_new(o, "vgic_model", number(h->vgic_model));
	json_object_set_new(o, "gic_host", number(h->gic_host));
	json_object_set_new(o, "nr_lr", number(h->nr_lr));
	json_object_set_new(o, "pri_bits", number(h->pri_bits));
	json_object_set_new(o, "pre_bits", number(h->pre_bits));
	json_object_set_new(o, "id_bits", number(h->id_bits));
	json_object_set_new(o, "vtr", hex(h->vtr));
	json_object_set_new(o, "static_traps", hex(h->static_traps));
	json_object_set_new(o, "tdir", json_known(h->tdir));
	json_object_set_new(o, "nested", json_known(h->nested));
	json_object_set_new(o, "emulated", json_known(h->emulated));
	json_object_set_new(o, "policy", json_string(h->policy));
	json_object_set_new(o, "features", json_string(h->features));
	json_object_set_new(o, "clock", json_string(h->clock));
	json_object_set_new(o, "start_realtime", number(h->start_realtime));
	json_object_set_new(o, "start_clock", number(h->start_clock));
	json_object_set_new(o, "command", json_string(h->command));
	json_object_set_new(o, "guest_command", json_string(h->guest_command));
	json_object_set_new(o, "tool", json_string(h->tool));
	json_object_set_new(o, "ring_bytes", number(h->ring_bytes));
	if (h->source[0]) {
		json_object_set_new(o, "source", json_string(h->source));
		json_object_set_new(o, "missing", json_string(h->missing));
	}
	json_object_set_new(o, "probes", probes);
	return o;
}

static json_t *json_totals(const struct vgr_header *h)
{
	const struct vgr_totals *t = &h->totals;
	json_t *o, *types, *cpus, *vms;
	size_t i;

	if (!h->has_totals)
		return json_null();
	o = json_object();
	types = json_object();
	cpus = json_array();
	vms = json_array();
	for (i = 1; i < VGR_TYPE_MAX; i++) {
		if (t->by_type[i])
			json_object_set_new(types, vgr_type_name((uint16_t)i),
					    number(t->by_type[i]));
	}
	for (i = 0; i < t->nr_cpus; i++)
		json_array_append_new(cpus, json_pack("{s:i, s:I, s:I}", "cpu", t->cpus[i].cpu,
						      "records", (json_int_t)t->cpus[i].records,
						      "lost", (json_int_t)t->cpus[i].lost));
	for (i = 0; i < t->nr_vms; i++)
		json_array_append_new(vms,
				      json_pack("{s:i, s:s, s:i, s:i}", "tgid", t->vms[i].tgid,
						"comm", t->vms[i].comm, "vcpus", t->vms[i].nr_vcpus,
						"vgic_model", t->vms[i].vgic_model));
	json_object_set_new(o, "records", number(t->records));
	json_object_set_new(o, "lost", number(t->lost));
	json_object_set_new(o, "kernel_lost", number(t->kernel_lost));
	json_object_set_new(o, "raw_bytes", number(t->raw_bytes));
	json_object_set_new(o, "first_time", number(t->first_time));
	json_object_set_new(o, "last_time", number(t->last_time));
	json_object_set_new(o, "guest_status", json_integer(t->guest_status));
	json_object_set_new(o, "stop", json_string(t->stop));
	json_object_set_new(o, "by_type", types);
	json_object_set_new(o, "cpus", cpus);
	json_object_set_new(o, "vms", vms);
	return o;
}

static json_t *json_exits(const struct vcpu_summary *v)
{
	json_t *o = json_object();
	char ec[8];
	unsigned int i;

	if (v->exits_irq)
		json_object_set_new(o, "irq", number(v->exits_irq));
	if (v->exits_serror)
		json_object_set_new(o, "serror", number(v->exits_serror));
	if (v->exits_other)
		json_object_set_new(o, "other", number(v->exits_other));
	for (i = 0; i < SUMMARY_ECS; i++) {
		snprintf(ec, sizeof(ec), "ec%02x", i);
		if (v->exits_trap[i])
			json_object_set_new(o, ec, number(v->exits_trap[i]));
	}
	return o;
}

static json_t *json_vcpu(const struct vcpu_summary *v, unsigned int nr_lr)
{
	json_t *o = json_object(), *sources = json_object(), *used = json_array();
	unsigned int i;

	for (i = 0; i < SUMMARY_MIS; i++)
		json_object_set_new(sources, summary_mi_name(i), number(v->counts.mi_source[i]));
	for (i = 0; i <= nr_lr; i++)
		json_array_append_new(used, number(v->used[i]));
	json_object_set_new(o, "vm", number(v->vm));
	json_object_set_new(o, "vcpu", number(v->vcpu));
	json_object_set_new(o, "flushes", number(v->flushes));
	json_object_set_new(o, "syncs", number(v->syncs));
	json_object_set_new(o, "entries", number(v->entries));
	json_object_set_new(o, "exits", number(v->counts.exits));
	json_object_set_new(o, "exits_by_reason", json_exits(v));
	json_object_set_new(o, "mi", number(v->counts.mi));
	json_object_set_new(o, "mi_by_source", sources);
	json_object_set_new(o, "dir", number(v->dir));
	json_object_set_new(o, "sgi", number(v->sgi));
	json_object_set_new(o, "wfi", number(v->wfi));
	json_object_set_new(o, "wfe", number(v->wfe));
	json_object_set_new(o, "mmio", number(v->mmio));
	json_object_set_new(o, "kicks", number(v->kicks));
	json_object_set_new(o, "loads", number(v->loads));
	if (v->handlers)
		json_object_set_new(o, "handlers", number(v->handlers));
	json_object_set_new(o, "eoicount", number(v->counts.eoicount));
	json_object_set_new(o, "guest_ns", number(v->counts.guest_ns));
	json_object_set_new(o, "flushes_by_lrs", used);
	json_object_set_new(o, "mean_lrs", json_real(summary_mean_lrs(v)));
	json_object_set_new(o, "longest_list", number(v->longest_list));
	json_object_set_new(o, "overflowing_entries", number(v->counts.overflow_entries));
	json_object_set_new(o, "deepest_overflow", number(v->counts.overflow_max));
	return o;
}

static json_t *json_starved(const struct summary *s, uint64_t threshold)
{
	json_t *array = json_array();
	const struct waiting *w;
	char lrs[1024];
	size_t i, j;

	for (i = 0; i < s->nr; i++) {
		held_by(&s->vcpus[i], lrs, sizeof(lrs));
		for (j = 0; j < s->vcpus[i].nr_waiting; j++) {
			w = &s->vcpus[i].waiting[j];
			if (summary_waited(&s->vcpus[i], w) < threshold)
				continue;
			json_array_append_new(
				array,
				json_pack("{s:i, s:i, s:I, s:i, s:I, s:I, s:I, s:I, s:s, s:I}",
					  "vm", s->vcpus[i].vm, "vcpu", s->vcpus[i].vcpu, "intid",
					  (json_int_t)w->intid, "priority", w->priority, "since",
					  (json_int_t)w->since, "record", (json_int_t)w->record,
					  "waited_ns", (json_int_t)summary_waited(&s->vcpus[i], w),
					  "entries", (json_int_t)w->entries, "held_by", lrs,
					  "unchanged_entries", (json_int_t)s->vcpus[i].lr_same));
		}
	}
	return array;
}

static const char *ending_name(enum vgr_ending e)
{
	return e == VGR_END_WHOLE ? "whole" : e == VGR_END_CUT ? "cut" : "unfinished";
}

static json_t *to_json(const struct info_values *v, const char *path, const struct vgr_reader *r,
		       const struct summary *s)
{
	const struct vgr_header *h = vgr_reader_header(r);
	json_t *o = json_object(), *vcpus;
	char identity[24];
	size_t i;

	snprintf(identity, sizeof(identity), "%016" PRIx64, vgr_reader_identity(r));
	json_object_set_new(o, "file", cli_json_string(path));
	json_object_set_new(o, "identity", json_string(identity));
	json_object_set_new(o, "header", json_header(h));
	json_object_set_new(o, "totals", json_totals(h));
	if (!v->header_only) {
		vcpus = json_array();
		for (i = 0; i < s->nr; i++)
			json_array_append_new(vcpus, json_vcpu(&s->vcpus[i], s->nr_lr));
		json_object_set_new(o, "ending", json_string(ending_name(vgr_reader_ending(r))));
		json_object_set_new(o, "injections", number(s->injects));
		json_object_set_new(o, "msis", number(s->msis));
		json_object_set_new(o, "vcpus", vcpus);
		if (s->nobody.counts.exits)
			json_object_set_new(o, "unknown_vcpus",
					    json_pack("{s:I, s:I, s:o}", "entries",
						      (json_int_t)s->nobody.entries, "exits",
						      (json_int_t)s->nobody.counts.exits,
						      "exits_by_reason", json_exits(&s->nobody)));
		json_object_set_new(o, "starved", json_starved(s, v->starved));
		json_object_set_new(o, "raise_to_lr", latencies_json(&s->to_lr, false));
		json_object_set_new(o, "merged_raises", number(s->merged));
	}
	return o;
}

/* ---- the command ---- */

static int read_all(struct vgr_reader *r, struct summary *s, uint64_t *start)
{
	const struct vgr_rec *rec;
	uint64_t n = 0;
	int err;

	while ((err = vgr_reader_next(r, &rec)) > 0) {
		if (!n++)
			*start = rec->time;
		err = summary_add(s, rec, n);
		if (err)
			return err;
	}
	return err < 0 ? err : summary_end(s);
}

static int print_text(const struct info_values *v, const char *path, const struct vgr_reader *r,
		      const struct summary *s, uint64_t start)
{
	const struct vgr_header *h = vgr_reader_header(r);
	size_t i;

	print_header(h, path, vgr_reader_identity(r));
	print_totals(h);
	if (v->header_only)
		return 0;
	for (i = 0; i < s->nr; i++)
		print_vcpu(&s->vcpus[i], s->nr_lr);
	print_nobody(&s->nobody, s->injects);
	print_starved(s, v->starved, start);
	printf("\n");
	latencies_print_head("latency");
	if (latencies_print("raise to LR", &s->to_lr))
		return -ENOMEM;
	printf("%" PRIu64 " raises were merged with one before\n", s->merged);
	return 0;
}

/* o: JSON goes there; NULL: it is printed, or text. */
static int read_file(const struct info_values *v, const char *path, json_t **o)
{
	struct vgr_reader *r = cli_open_recording(path);
	struct summary s;
	uint64_t start = 0;
	int err, ret;

	if (!r)
		return EXIT_INPUT;
	err = summary_init(&s, vgr_reader_header(r));
	if (!err && !v->header_only)
		err = read_all(r, &s, &start);
	if (err == -ENOMEM) {
		ret = cli_fail(EXIT_SOFTWARE, "not enough memory");
	} else if (err) {
		ret = cli_fail_recording(path, vgr_reader_error(r));
	} else {
		if (o)
			*o = to_json(v, path, r, &s);
		err = o		? 0
		      : v->json ? cli_print_json(stdout, to_json(v, path, r, &s), false)
				: print_text(v, path, r, &s, start);
		ret = err == -ENOMEM ? cli_fail(EXIT_SOFTWARE, "not enough memory")
		      : o	     ? EXIT_OK
				     : cli_finish_stdout();
		if (!v->header_only)
			cli_recording_ending(path, r);
	}
	summary_finish(&s);
	vgr_reader_close(r);
	return ret;
}

int info_json(const char *path, uint64_t starved, json_t **o)
{
	const struct info_values v = {.json = true, .starved = starved};

	return read_file(&v, path, o);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct info_values *v = values;

	if (vgw_probe(args->v[0]))
		return demand_info_file(args->v[0], v->json);
	cli_set_threads(v->threads);
	return read_file(v, args->v[0], NULL);
}

static const char *const examples[] = {
	"vgicsim info run.vgr                 # header, totals, every vCPU, starved interrupts",
	"vgicsim info --starved=1s run.vgr    # only what waited longer than a second",
	"vgicsim info --json run.vgr | jq '.vcpus[].mi'",
	NULL,
};

const struct command cmd_info = {
	.name = "info",
	.summary = "Summarise a recording",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct info_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
