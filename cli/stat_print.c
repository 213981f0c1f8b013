// SPDX-License-Identifier: GPL-2.0-only
/* Statistics as tables, and for a collector of metrics. */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "output.h"
#include "stat_set.h"
#include "summary.h"

/* Interrupts a second and the like in a column of its own width, a blank before it. */
static void rate(FILE *f, int width, uint64_t n, uint64_t ns)
{
	char buf[32];

	fprintf(f, "%*s", width,
		stat_format_count(buf, sizeof(buf), ns ? 1e9 * (double)n / (double)ns : 0));
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

void stat_print_head(FILE *f, const struct stat_set *s)
{
	const char *on = cli_color(f) ? CLI_BOLD : "", *off = *on ? CLI_RESET : "";
	time_t t = (time_t)s->time;
	char at[32] = "";
	struct tm tm;

	if (localtime_r(&t, &tm))
		strftime(at, sizeof(at), "%H:%M:%S", &tm);
	fprintf(f, "%s %.1f s, a second:\n", at, (double)s->span_ns / 1e9);
	fprintf(f, "%s%-8s%-10s%7s%6s%6s%6s%6s%6s%6s%5s%5s%7s%s\n", on, "VM:vCPU", "COMMAND",
		"EXITS", "MI", "DIR", "SGI", "WFI", "MMIO", "IRQ", "LRS", "OVF%", "P99", off);
}

void stat_print_row(FILE *f, const struct stat_row *row, uint64_t ns)
{
	static const int shown[] = {VGIC_STAT_MI,  VGIC_STAT_DIR,  VGIC_STAT_SGI,
				    VGIC_STAT_WFI, VGIC_STAT_MMIO, VGIC_STAT_OTHER_IRQ};
	const struct vgic_stat_counts *c = &row->span;
	char name[32], time[32];

	snprintf(name, sizeof(name), "%" PRIu32 ":%" PRIu32, row->v.vm, row->v.vcpu);
	fprintf(f, "%-7s %-9.9s ", name, row->v.comm);
	rate(f, 7, stat_exits(c), ns);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		rate(f, 6, c->exits[shown[i]], ns);
	fprintf(f, "%5.1f%5.0f%7s%s\n", stat_mean_lrs(c), percent(stat_overflows(c), c->entries),
		stat_format_time(time, sizeof(time), stat_raise_quantile(c, 0.99)),
		row->v.gone ? " gone" : "");
}

static void print_kinds(FILE *f, const uint64_t *v)
{
	bool any = false;

	for (unsigned int i = 0; i < VGIC_STAT_KINDS; i++) {
		if (v[i])
			fprintf(f, "%s %s %" PRIu64, any ? "," : "", stat_kind_title(i), v[i]);
		any |= v[i] != 0;
	}
	fprintf(f, "%s\n", any ? "" : " none");
}

static void print_histogram(FILE *f, const char *name, const uint64_t *v, size_t n)
{
	int column = fprintf(f, "  %-14s", name);
	char item[64];

	for (size_t i = 0; i < n; i++) {
		int width;

		if (!v[i])
			continue;
		width = snprintf(item, sizeof(item), "%zu: %" PRIu64, i, v[i]);
		if (column + 2 + width > 80)
			column = fprintf(f, "\n  %-14s", "") - 1;
		else if (column > 16)
			column += fprintf(f, "  ");
		column += fprintf(f, "%s", item);
	}
	fprintf(f, "\n");
}

void stat_print_total(FILE *f, const struct stat_row *row, uint64_t ns)
{
	const struct vgic_stat_counts *c = &row->v.counts;
	char a[32], b[32], whole[32];
	bool any = false;

	fprintf(f, "\nVM %" PRIu32 " vCPU %" PRIu32 ": process %" PRIu32 " (%s)%s\n", row->v.vm,
		row->v.vcpu, row->v.tgid, row->v.comm, row->v.gone ? ", gone" : "");
	fprintf(f, "  %-14s%" PRIu64 ", %s in the guest, %s in the hypervisor, of %s\n", "entries",
		c->entries, stat_format_time(a, sizeof(a), c->guest_ns),
		stat_format_time(b, sizeof(b), stat_hypervisor_ns(c)),
		stat_format_time(whole, sizeof(whole), ns));
	fprintf(f, "  %-14s%" PRIu64 ":", "exits", stat_exits(c));
	print_kinds(f, c->exits);
	fprintf(f, "  %-14s%" PRIu64 ":", "MI", c->exits[VGIC_STAT_MI]);
	for (unsigned int i = 0; i < VGIC_STAT_MIS; i++) {
		if (c->mi_source[i])
			fprintf(f, "%s %s %" PRIu64, any ? "," : "", summary_mi_name(i),
				c->mi_source[i]);
		any |= c->mi_source[i] != 0;
	}
	fprintf(f, "%s\n", any ? "" : " none");
	fprintf(f,
		"  %-14sDIR %" PRIu64 ", SGI %" PRIu64 "; kicked %" PRIu64 ", EOIcount %" PRIu64
		"\n",
		"requests", c->dir, c->sgi, c->kicks, c->eoicount);
	print_histogram(f, "LRs in use", c->lrs, VGR_MAX_LRS + 1);
	print_histogram(f, "left outside", c->depth, VGIC_STAT_DEPTHS);
	fprintf(f, "  %-14s", "mean time out");
	any = false;
	for (unsigned int i = 0; i < VGIC_STAT_KINDS; i++) {
		if (!c->out[i])
			continue;
		fprintf(f, "%s%s %s", any ? ", " : "", stat_kind_title(i),
			stat_format_time(a, sizeof(a), c->out_ns[i] / c->out[i]));
		any = true;
	}
	fprintf(f, "%s\n  %-14s%" PRIu64, any ? "" : "-", "raise to LR", stat_raises(c));
	if (stat_raises(c)) {
		static const double p[] = {0.5, 0.9, 0.99, 0.999};
		static const char *const names[] = {"p50", "p90", "p99", "p99.9"};

		for (size_t i = 0; i < 4; i++)
			fprintf(f, ", %s %s", names[i],
				stat_format_time(a, sizeof(a), stat_raise_quantile(c, p[i])));
		fprintf(f, ", longest %s", stat_format_time(a, sizeof(a), c->raise_max_ns));
	}
	fprintf(f, "\n");
}
