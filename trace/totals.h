/* SPDX-License-Identifier: GPL-2.0-only */
/* Totals of a stream of records, counted as they pass. */
#ifndef VGICSIM_TRACE_TOTALS_H
#define VGICSIM_TRACE_TOTALS_H

#include <vgicsim/recording.h>

struct totals {
	struct vgr_totals sum; /* its tables are filled by totals_get() */
	struct vgr_cpu_total *cpus;
	size_t nr_cpus, cap_cpus, last_cpu;
	struct vgr_vm *vms;
	size_t nr_vms, cap_vms;
	struct vgr_vcpu_info *vcpus;
	size_t nr_vcpus, cap_vcpus;
};

void totals_init(struct totals *t);
void totals_finish(struct totals *t);

/* Counts one valid record. 0; -ENOMEM; -E2BIG if a table would exceed VGR_MAX_TABLE. */
int totals_add(struct totals *t, const struct vgr_rec *rec);

/* The sums with their tables; valid until the next call on t. */
const struct vgr_totals *totals_get(struct totals *t);

#endif
