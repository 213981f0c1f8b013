// SPDX-License-Identifier: GPL-2.0-only
/* Statistics in the OpenMetrics text format, which node_exporter's textfile collector reads, too.
 */
#include <inttypes.h>
#include <stddef.h>
#include "stat_set.h"
#include "summary.h"

/* Seconds that a bucket of the exported histogram ends at: 1 us to 1 s. */
static const uint64_t bounds_ns[] = {1000,	2000,	   5000,      10000,	 20000,
				     50000,	100000,	   200000,    500000,	 1000000,
				     2000000,	5000000,   10000000,  20000000,	 50000000,
				     100000000, 200000000, 500000000, 1000000000};
#define NR_BOUNDS (sizeof(bounds_ns) / sizeof(bounds_ns[0]))

static void family(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP vgicsim_%s %s\n# TYPE vgicsim_%s %s\n", name, help, name, type);
}

/* Backslash, quote and newline, and nothing that is no plain text. */
static void label_value(FILE *f, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\\' || c == '"')
			fprintf(f, "\\%c", c);
		else
			fputc(c < 0x20 || c > 0x7e ? '?' : c, f);
	}
}

/* more: "kind", and value its value; NULL: no further label. */
static void sample(FILE *f, const char *name, const struct stat_row *r, const char *more,
		   const char *value)
{
	fprintf(f, "vgicsim_%s{vm=\"%" PRIu32 "\",vcpu=\"%" PRIu32 "\",pid=\"%" PRIu32 "\",comm=\"",
		name, r->v.vm, r->v.vcpu, r->v.tgid);
	label_value(f, r->v.comm);
	fprintf(f, "\"");
	if (more)
		fprintf(f, ",%s=\"%s\"", more, value);
	fprintf(f, "} ");
}

static void counters(FILE *f, const struct stat_set *s, const char *name, const char *help,
		     size_t offset)
{
	char total[64];

	family(f, name, "counter", help);
	snprintf(total, sizeof(total), "%s_total", name);
	for (size_t i = 0; i < s->n; i++) {
		sample(f, total, &s->rows[i], NULL, NULL);
		fprintf(f, "%" PRIu64 "\n",
			*(const uint64_t *)((const char *)&s->rows[i].v.counts + offset));
	}
}

#define COUNTERS(f, s, name, help, member) \
	counters(f, s, name, help, offsetof(struct vgic_stat_counts, member))

static void by_kind(FILE *f, const struct stat_set *s)
{
	family(f, "exits", "counter", "Guest exits by what they were for.");
	for (size_t i = 0; i < s->n; i++)
		for (unsigned int k = 0; k < VGIC_STAT_KINDS; k++) {
			sample(f, "exits_total", &s->rows[i], "kind", stat_kind_name(k));
			fprintf(f, "%" PRIu64 "\n", s->rows[i].v.counts.exits[k]);
		}
	family(f, "maintenance_interrupts", "counter",
	       "Maintenance interrupts by source (bit of ICH_MISR_EL2); one may have several.");
	for (size_t i = 0; i < s->n; i++)
		for (unsigned int k = 0; k < VGIC_STAT_MIS; k++) {
			sample(f, "maintenance_interrupts_total", &s->rows[i], "source",
			       summary_mi_name(k));
			fprintf(f, "%" PRIu64 "\n", s->rows[i].v.counts.mi_source[k]);
		}
	family(f, "hypervisor_entries", "counter", "Entries by the kind of the exit before.");
	for (size_t i = 0; i < s->n; i++)
		for (unsigned int k = 0; k < VGIC_STAT_KINDS; k++) {
			sample(f, "hypervisor_entries_total", &s->rows[i], "kind",
			       stat_kind_name(k));
			fprintf(f, "%" PRIu64 "\n", s->rows[i].v.counts.out[k]);
		}
	family(f, "hypervisor_seconds", "counter",
	       "Time from an exit to the next entry, by the kind of the exit.");
	for (size_t i = 0; i < s->n; i++)
		for (unsigned int k = 0; k < VGIC_STAT_KINDS; k++) {
			sample(f, "hypervisor_seconds_total", &s->rows[i], "kind",
			       stat_kind_name(k));
			fprintf(f, "%.9f\n", (double)s->rows[i].v.counts.out_ns[k] / 1e9);
		}
	family(f, "guest_seconds", "counter", "Time in the guest.");
	for (size_t i = 0; i < s->n; i++) {
		sample(f, "guest_seconds_total", &s->rows[i], NULL, NULL);
		fprintf(f, "%.9f\n", (double)s->rows[i].v.counts.guest_ns / 1e9);
	}
}

/* v: numbers of entries with 0, 1, 2 ... of something; buckets up to last, and +Inf. */
static void histogram(FILE *f, const char *name, const struct stat_row *r, const uint64_t *v,
		      size_t n, size_t last)
{
	uint64_t count = 0, sum = 0;
	char full[64], le[24];

	snprintf(full, sizeof(full), "%s_bucket", name);
	for (size_t i = 0; i < n; i++) {
		count += v[i];
		sum += i * v[i];
		if (i > last)
			continue;
		snprintf(le, sizeof(le), "%zu", i);
		sample(f, full, r, "le", le);
		fprintf(f, "%" PRIu64 "\n", count);
	}
	sample(f, full, r, "le", "+Inf");
	fprintf(f, "%" PRIu64 "\n", count);
	snprintf(full, sizeof(full), "%s_count", name);
	sample(f, full, r, NULL, NULL);
	fprintf(f, "%" PRIu64 "\n", count);
	snprintf(full, sizeof(full), "%s_sum", name);
	sample(f, full, r, NULL, NULL);
	fprintf(f, "%" PRIu64 "\n", sum);
}

/* A duration counts where the longest of its bucket is no longer than the bound. */
static void raise_histogram(FILE *f, const struct stat_row *r)
{
	const struct vgic_stat_counts *c = &r->v.counts;
	uint64_t count = 0;
	uint32_t at = 0;
	char le[24];

	for (size_t i = 0; i < NR_BOUNDS; i++) {
		while (at + 1 < VGIC_STAT_TIMES &&
		       vgic_stat_time_lowest(at + 1) - 1 <= bounds_ns[i])
			count += c->raise[at++];
		snprintf(le, sizeof(le), "%g", (double)bounds_ns[i] / 1e9);
		sample(f, "raise_to_lr_seconds_bucket", r, "le", le);
		fprintf(f, "%" PRIu64 "\n", count);
	}
	sample(f, "raise_to_lr_seconds_bucket", r, "le", "+Inf");
	fprintf(f, "%" PRIu64 "\n", stat_raises(c));
	sample(f, "raise_to_lr_seconds_count", r, NULL, NULL);
	fprintf(f, "%" PRIu64 "\n", stat_raises(c));
	sample(f, "raise_to_lr_seconds_sum", r, NULL, NULL);
	fprintf(f, "%.9f\n", (double)c->raise_ns / 1e9);
}

static void missed(FILE *f, const char *name, const char *help, uint64_t n)
{
	family(f, name, "counter", help);
	fprintf(f, "vgicsim_%s_total %" PRIu64 "\n", name, n);
}

void stat_print_openmetrics(FILE *f, const struct stat_set *s)
{
	family(f, "vcpus", "gauge", "vCPUs that are counted.");
	fprintf(f, "vgicsim_vcpus %zu\n", s->n);
	missed(f, "missed_vcpu_events", "Events of vCPUs that found no room in the tables.",
	       s->missed.vcpus);
	missed(f, "missed_raises", "LPIs that found no room: they count from a later flush.",
	       s->missed.raises);
	missed(f, "lists_cut", "Lists too long to be followed, or changed under way.",
	       s->missed.lists);
	missed(f, "runs_left_out",
	       "Runs of a BPF program that the kernel left out: inside a run of the same one.",
	       s->missed.runs);
	COUNTERS(f, s, "entries", "Guest entries.", entries);
	by_kind(f, s);
	COUNTERS(f, s, "dir_traps", "Deactivations (DIR) that trapped.", dir);
	COUNTERS(f, s, "sgi_traps", "Writes of an SGI register that trapped.", sgi);
	COUNTERS(f, s, "kicks", "Kick requests to the vCPU.", kicks);
	COUNTERS(f, s, "eoicount_deactivations", "Interrupts that EOIcount ended.", eoicount);
	family(f, "lrs_in_use", "histogram", "List registers in use at an entry.");
	for (size_t i = 0; i < s->n; i++)
		histogram(f, "lrs_in_use", &s->rows[i], s->rows[i].v.counts.lrs, VGR_MAX_LRS + 1,
			  VGR_MAX_LRS_V3);
	family(f, "overflow_depth", "histogram",
	       "Interrupts that stood outside the list registers at an entry.");
	for (size_t i = 0; i < s->n; i++)
		histogram(f, "overflow_depth", &s->rows[i], s->rows[i].v.counts.depth,
			  VGIC_STAT_DEPTHS, 16);
	family(f, "raise_to_lr_seconds", "histogram",
	       "From a raise to the entry with it in a list register.");
	for (size_t i = 0; i < s->n; i++)
		raise_histogram(f, &s->rows[i]);
	fprintf(f, "# EOF\n");
}
