/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a replay does, as the records that a recorder would make of it, for those
 * who judge recordings: the fates of interrupts, and their raises.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define MAX_RECORD                                                        \
	(sizeof(struct vgr_flush) + sizeof(struct vgr_sync) +             \
	 VGR_MAX_IRQS * (2 * sizeof(struct vgr_irq) + sizeof(uint32_t)) + \
	 VGR_MAX_LRS * sizeof(uint64_t))

int machine_records_init(struct machine *m)
{
	const struct vgr_rec origin = {.type = VGR_LOAD, .size = sizeof(origin)};

	m->record = malloc(MAX_RECORD);
	m->listed = calloc(VGR_MAX_IRQS, sizeof(struct vgic_irq *));
	if (!m->record || !m->listed || vgic_fates_create(&m->fates, 0) ||
	    vgic_raises_create(&m->raises, 0, &m->cell->latency[VGIC_LATENCY_RAISE_TO_LR]))
		return -ENOMEM;
	return vgic_fates_record(m->fates, &origin);
}

void machine_records_finish(struct machine *m)
{
	free(m->record);
	free(m->listed);
	vgic_fates_destroy(m->fates);
	vgic_raises_destroy(m->raises);
}

static void tell(struct machine *m, const struct vgr_rec *rec)
{
	if (vgic_fates_record(m->fates, rec) || vgic_raises_record(m->raises, rec))
		m->nomem = true;
}

static struct vgr_rec head(const struct machine *m, enum vgr_type type, unsigned int vcpu)
{
	return (struct vgr_rec){.type = type, .time = m->now, .vcpu = (uint16_t)vcpu};
}

static unsigned int put_list(struct vgr_irq *to, const struct vgic_vcpu *k, uint16_t *flags)
{
	unsigned int n = 0;

	for (struct vgic_irq *q = k->list.head; q; q = q->next) {
		if (n == VGR_MAX_IRQS) {
			*flags |= VGR_F_CUT;
			break;
		}
		vgic_irq_export(q, &to[n++]);
	}
	return n;
}

static void put_lrs(const struct machine *m, uint64_t *to, const uint64_t *lr, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		to[i] = (lr[i] & ~VGIC_LR_VINTID) | machine_intid(m, lr[i]);
}

void machine_records_before_flush(struct machine *m, unsigned int index)
{
	struct vgr_flush *f = m->record;

	memset(f, 0, sizeof(*f));
	f->r = head(m, VGR_FLUSH, index);
	f->begin = m->now;
	f->n_before =
		(uint16_t)put_list((struct vgr_irq *)(f + 1), &m->vgic->vcpus[index], &f->r.flags);
}

static bool same_order(const struct vgr_irq *a, unsigned int na, const struct vgr_irq *b,
		       unsigned int nb)
{
	for (unsigned int i = 0; na == nb && i < na; i++)
		if (a[i].intid != b[i].intid)
			return false;
	return true;
}

void machine_records_flush(struct machine *m, unsigned int index)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];
	struct vgr_flush *f = m->record;
	struct vgr_irq *before = (struct vgr_irq *)(f + 1), *after = before + f->n_before;

	f->n_after = (uint16_t)put_list(after, k, &f->r.flags);
	f->hcr = k->hcr;
	f->vmcr = k->vmcr;
	f->active_spis = m->cfg->policy->eager_vmcr ? 0 : -1;
	f->dist_enabled = m->vgic->dist_enabled;
	f->used_lrs = (uint16_t)k->used_lrs;
	f->nr_lr = (uint16_t)m->cfg->nr_lr;
	put_lrs(m, (uint64_t *)(after + f->n_after), k->lr, f->nr_lr);
	m->cell->reordered += !m->uncounted && !same_order(before, f->n_before, after, f->n_after);
	tell(m, &f->r);
}

void machine_records_entry(struct machine *m, unsigned int index, uint64_t time)
{
	struct vgr_rec entry = head(m, VGR_ENTRY, index);

	entry.time = time;
	tell(m, &entry);
}

void machine_records_before_sync(struct machine *m, unsigned int index)
{
	m->nr_listed = 0;
	for (struct vgic_irq *q = m->vgic->vcpus[index].list.head; q && m->nr_listed < VGR_MAX_IRQS;
	     q = q->next)
		m->listed[m->nr_listed++] = q;
	m->nr_back = m->vgic->vcpus[index].used_lrs;
	put_lrs(m, m->back, m->vcpus[index].hw.lr, m->nr_back);
}

void machine_records_sync(struct machine *m, unsigned int index)
{
	struct vgr_sync *s = m->record;
	struct vgr_irq *before = (struct vgr_irq *)(s + 1), *after = before + m->nr_listed;
	uint64_t *lr = (uint64_t *)(after + m->nr_listed);
	uint32_t *rest = (uint32_t *)(lr + m->nr_back);

	memset(s, 0, sizeof(*s));
	s->r = head(m, VGR_SYNC, index);
	s->begin = m->now;
	s->used_lrs = (uint16_t)m->nr_back;
	s->n_before = (uint16_t)m->nr_listed;
	for (unsigned int i = 0; i < m->nr_listed; i++) {
		vgic_irq_export(m->listed[i], &after[i]);
		before[i] = after[i];
	}
	memcpy(lr, m->back, m->nr_back * sizeof(*lr));
	for (struct vgic_irq *q = m->vgic->vcpus[index].list.head; q && s->n_after < VGR_MAX_IRQS;
	     q = q->next)
		rest[s->n_after++] = q->intid;
	tell(m, &s->r);
}

void machine_records_inject(struct machine *m, uint16_t vcpu, uint32_t intid, bool level)
{
	struct vgr_inject in = {
		.r = head(m, VGR_INJECT, vcpu),
		.intid = intid,
		.level = level,
	};

	tell(m, &in.r);
}

void machine_records_lpi(struct machine *m, uint32_t lpi)
{
	if (vgic_raises_lpi(m->raises, lpi, m->now))
		m->nomem = true;
}

void machine_records_sgi(struct machine *m, const struct vgic_effect *e)
{
	struct vgr_sgi s = {
		.r = head(m, VGR_SGI, e->vcpu),
		.value = e->value,
		.allow_group1 = e->level,
	};

	tell(m, &s.r);
}

void machine_records_dir(struct machine *m, unsigned int vcpu, uint32_t intid)
{
	struct vgr_dir d = {.r = head(m, VGR_DIR, vcpu), .value = intid};

	tell(m, &d.r);
}

void machine_records_write(struct machine *m)
{
	struct vgr_mmio w = {.r = head(m, VGR_MMIO, 0), .write = 1};

	tell(m, &w.r);
}
