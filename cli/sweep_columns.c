// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "sweep_columns.h"

#define PERCENTILE(latency, column, p)                                                          \
	{latency "_" column "_ns", "latency/" latency "/percentiles/" p "/ns"},                 \
		{latency "_" column "_low_ns", "latency/" latency "/percentiles/" p "/low_ns"}, \
	{                                                                                       \
		latency "_" column "_high_ns", "latency/" latency "/percentiles/" p "/high_ns"  \
	}

#define LATENCY(latency)                                                                  \
	{latency "_n", "latency/" latency "/n"},                                          \
		{latency "_min_ns", "latency/" latency "/min_ns"},                        \
		{latency "_mean_ns", "latency/" latency "/mean_ns"},                      \
		{latency "_max_ns", "latency/" latency "/max_ns"},                        \
		PERCENTILE(latency, "p50", "p50"), PERCENTILE(latency, "p90", "p90"),     \
		PERCENTILE(latency, "p99", "p99"), PERCENTILE(latency, "p99_9", "p99.9"), \
		PERCENTILE(latency, "p99_99", "p99.99")

static const struct sweep_column columns[] = {
	{"outcome", "outcome"},
	{"detail", "detail"},
	{"guest_time_ns", "guest_time_ns"},
	{"wall_time_ns", "wall_time_ns"},
	{"exits", "exits/total"},
	{"exits_mi", "exits/mi"},
	{"exits_dir", "exits/dir"},
	{"exits_sgi", "exits/sgi"},
	{"exits_wfi", "exits/wfi"},
	{"exits_mmio", "exits/mmio"},
	{"exits_other_irq", "exits/other_irq"},
	{"exits_other", "exits/other"},
	{"mi", "mi/total"},
	{"mi_eoi", "mi/eoi"},
	{"mi_u", "mi/u"},
	{"mi_lrenp", "mi/lrenp"},
	{"mi_np", "mi/np"},
	{"mi_grp0e", "mi/grp0e"},
	{"mi_grp0d", "mi/grp0d"},
	{"mi_grp1e", "mi/grp1e"},
	{"mi_grp1d", "mi/grp1d"},
	{"bound_mi", "bound/mi"},
	{"bound_lr_exits", "bound/lr_exits"},
	{"dir_traps", "dir_traps"},
	{"eoicount_deactivations", "eoicount_deactivations"},
	{"kicks", "kicks"},
	{"lr_writes", "lr_writes"},
	{"lr_reads", "lr_reads"},
	{"interrupts", "interrupts"},
	{"overflow_max", "overflow/max"},
	{"overflow_entries", "overflow/entries"},
	{"merged_raises", "merged_raises"},
	{"inversions", "inversions/count"},
	{"inversion_ns", "inversions/ns"},
	{"spurious", "spurious"},
	{"lost", "lost"},
	{"reordered", "reordered"},
	LATENCY("raise_to_lr"),
	LATENCY("raise_to_ack"),
	LATENCY("ack_to_eoi"),
	LATENCY("raise_to_deactivate"),
};

const struct sweep_column *sweep_column_at(size_t index)
{
	return index < sizeof(columns) / sizeof(columns[0]) ? &columns[index] : NULL;
}

const json_t *sweep_member(const json_t *o, const char *path)
{
	char name[32];

	for (;;) {
		size_t n = strcspn(path, "/");

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		o = json_object_get(o, name);
		if (!o || !path[n])
			return o;
		path += n + 1;
	}
}

json_t *sweep_row(const json_t *cell)
{
	json_t *row = json_object();

	for (size_t i = 0; row && i < sizeof(columns) / sizeof(columns[0]); i++) {
		json_t *v = (json_t *)sweep_member(cell, columns[i].path);

		if (json_object_set_new(row, columns[i].name, v ? json_incref(v) : json_null())) {
			json_decref(row);
			row = NULL;
		}
	}
	return row;
}
