/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each way into the guest and out of it tells, and each latency. Most exits find nothing on
 * the list and nothing in the LRs: then all there is to tell is that they were made.
 */
#ifndef VGICSIM_MACHINE_RECORDS_H
#define VGICSIM_MACHINE_RECORDS_H

#include "fates_inline.h"
#include "machine.h"
#include "raises_inline.h"

/* machine_records.c: what there is to tell of the list and the LRs. */
void records_look_at_all(struct machine *m, struct mvcpu *v);
void records_of_sync(struct machine *m, struct mvcpu *v);
void records_of_flush_begun(struct machine *m, struct mvcpu *v);
void records_of_flush(struct machine *m, struct mvcpu *v, uint64_t time);

static inline bool records_any(const struct machine *m, const struct mvcpu *v)
{
	return v->vgic->list.count | v->vgic->used_lrs | m->nr_off;
}

/* Before the sync; and when it is done. */
static inline void machine_records_before_sync(struct machine *m, struct mvcpu *v)
{
	if (m->cfg->thorough)
		m->known += KNOWN_STEP;
	if (v->known != m->known)
		records_look_at_all(m, v);
}

static inline void machine_records_sync(struct machine *m, struct mvcpu *v)
{
	fates_tick(m->fates, m->now);
	v->raises->sync = m->now;
	if (v->nr_fresh | v->running)
		records_of_sync(m, v);
}

static inline void machine_records_before_flush(struct machine *m, struct mvcpu *v)
{
	/* A vCPU is known from its first record on. */
	fates_vcpu_of(m->fates, v->index);
	raises_vcpu_of(m->raises, v->index);
	fates_tick(m->fates, m->now);
	m->flushes++;
	if (m->cfg->thorough)
		m->known += KNOWN_STEP;
	if (records_any(m, v))
		records_of_flush_begun(m, v);
}

/* After the flush; time: when the guest runs, which is known before. */
static inline void machine_records_entry(struct machine *m, struct mvcpu *v, uint64_t time)
{
	if (records_any(m, v))
		records_of_flush(m, v, time);
	else
		v->fates->entries++;
	fates_tick(m->fates, time);
	v->raises->flushes++;
	v->raises->begin = m->now;
}

/* Counts a latency that the guest of vCPU v ends now. */
static inline void machine_latency(struct machine *m, struct mvcpu *v, enum vgic_latency kind,
				   uint64_t number, uint64_t since)
{
	if (v->state == VCPU_GUEST) {
		v->ends[kind]++;
		v->any_end = true;
	}
	if (latency_log_add(&m->logs[kind], number, m->now - since))
		m->nomem = true;
}

#endif
