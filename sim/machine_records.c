/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a replay does, told to those who judge recordings: the fates of interrupts, and their
 * raises. What comes often goes in by the number of the interrupt, the rest as the record that
 * a recorder would make of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "vgic_internal.h"

int machine_records_init(struct machine *m)
{
	const struct vgr_rec origin = {.type = VGR_LOAD, .size = sizeof(origin)};
	size_t n = m->wl->nr_sources + 1;

	m->writes = 1;
	m->cap_listed = 64;
	m->listed = calloc(m->cap_listed, sizeof(*m->listed));
	m->fresh = calloc(m->cap_listed, sizeof(*m->fresh));
	m->off = calloc(m->cap_listed, sizeof(*m->off));
	if (!m->listed || !m->fresh || !m->off || vgic_fates_create(&m->fates, 0) ||
	    vgic_raises_create(&m->raises, 0, &m->cell->latency[VGIC_LATENCY_RAISE_TO_LR]) ||
	    fates_reserve(m->fates, n, m->nr_vcpus) || raises_reserve(m->raises, n, m->nr_vcpus))
		return -ENOMEM;
	m->flush = (struct vgr_flush){
		.r = {.type = VGR_FLUSH, .size = sizeof(m->flush)},
		.active_spis = m->cfg->policy->eager_vmcr ? 0 : -1,
		.nr_lr = (uint16_t)m->cfg->nr_lr,
	};
	return vgic_fates_record(m->fates, &origin);
}

void machine_records_finish(struct machine *m)
{
	free(m->listed);
	free(m->fresh);
	free(m->off);
	vgic_fates_destroy(m->fates);
	vgic_raises_destroy(m->raises);
}

int machine_records_number(struct machine *m, uint16_t vcpu, uint32_t intid, uint32_t *number)
{
	uint32_t same;

	if (fates_number(m->fates, vcpu, intid, number) ||
	    raises_number(m->raises, vcpu, intid, &same))
		return -ENOMEM;
	return 0;
}

/* An SGI of which the workload knows nothing: another one's broadcast. */
static uint32_t number_of_stray(struct machine *m, const struct vgic_irq *irq)
{
	uint32_t number = 0;

	if (machine_records_number(m, irq->target, irq->intid, &number))
		m->nomem = true;
	return number;
}

static uint32_t number_of(struct machine *m, const struct vgic_irq *irq)
{
	const struct msource *s = irq->user;

	return s ? s->number : number_of_stray(m, irq);
}

void machine_records_populated(struct machine *m, unsigned int index, const struct vgic_irq *irq,
			       unsigned int lr)
{
	struct msource *s = irq->user;

	m->vcpus[index].in_lr[lr] = number_of(m, irq);
	if (!s)
		return;
	s->calm = 0;
	if (m->vgic->vcpus[index].lr[lr] & VGIC_LR_STATE)
		s->inside = m->flushes;
}

/* An SGI of which the workload knows nothing is looked for. */
static bool is_inside(const struct machine *m, unsigned int index, const struct watched *w)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];
	const struct msource *s = machine_irq(w)->user;

	if (s)
		return s->inside == m->flushes;
	for (unsigned int i = 0; i < k->used_lrs; i++)
		if ((k->lr[i] & VGIC_LR_STATE) && m->vcpus[index].in_lr[i] == w->number)
			return true;
	return false;
}

/* It waits as it did: see watch.h. */
static bool is_calm(const struct machine *m, const struct msource *s, const struct vgic_irq *q)
{
	return s && s->calm == m->writes && !memcmp(&s->seen, &q->intid, sizeof(s->seen));
}

/* It is looked at again. While it was not, it was on the list all the same. */
static struct watched look_again(struct machine *m, struct msource *s, const struct vgic_irq *q)
{
	uint32_t number = number_of(m, q);

	if (s) {
		s->calm = 0;
		if (s->left_out)
			raises_listed(m->raises, number);
		s->left_out = false;
	}
	return (struct watched){.irq = (const struct vgr_irq *)&q->intid, .number = number};
}

/* Who got an LR of the flush. Those who wait are as they were looked at, and are kept in mind. */
static void find_inside(struct machine *m, unsigned int index)
{
	for (unsigned int i = 0; i < m->nr_listed; i++) {
		struct watched *w = &m->listed[i];
		struct msource *s = machine_irq(w)->user;

		w->inside = is_inside(m, index, w);
		if (!w->inside && s && !s->calm && vgic_pending(machine_irq(w))) {
			s->seen = *w->irq;
			s->calm = m->writes;
		}
	}
}

static bool more_room(struct machine *m, unsigned int n)
{
	struct watched *listed = realloc(m->listed, 2 * n * sizeof(*listed));
	struct watched *fresh = realloc(m->fresh, 2 * n * sizeof(*fresh));
	uint32_t *off = realloc(m->off, 2 * n * sizeof(*off));

	m->listed = listed ? listed : m->listed;
	m->fresh = fresh ? fresh : m->fresh;
	m->off = off ? off : m->off;
	m->nomem |= !listed || !fresh || !off;
	m->cap_listed = m->nomem ? m->cap_listed : 2 * n;
	return !m->nomem;
}

static bool has_room(struct machine *m, const struct vgic_vcpu *k)
{
	return k->list.count <= m->cap_listed || more_room(m, k->list.count);
}

/* All that is on the list now. */
static void remember_list(struct machine *m, const struct vgic_vcpu *k)
{
	unsigned int n = 0;

	for (struct vgic_irq *q = has_room(m, k) ? k->list.head : NULL; q; q = q->next)
		m->listed[n++].irq = (const struct vgr_irq *)&q->intid;
	m->nr_listed = n;
}

/* Of those those that must be looked at. */
static void find_fresh(struct machine *m)
{
	m->nr_fresh = 0;
	for (unsigned int i = 0; i < m->nr_listed; i++) {
		const struct vgic_irq *q = machine_irq(&m->listed[i]);

		if (!is_calm(m, q->user, q))
			m->fresh[m->nr_fresh++] = look_again(m, q->user, q);
	}
}

void machine_records_prune(struct machine *m, unsigned int index)
{
	remember_list(m, &m->vgic->vcpus[index]);
	vgic_prune(m->vgic, index);
	m->nr_off = 0;
	for (unsigned int i = 0; i < m->nr_listed; i++) {
		const struct vgic_irq *q = machine_irq(&m->listed[i]);

		if (q->vcpu != index)
			m->off[m->nr_off++] = look_again(m, q->user, q).number;
	}
}

/* Both at once. */
static void look_at_list(struct machine *m, const struct vgic_vcpu *k)
{
	unsigned int n = 0;

	m->nr_fresh = 0;
	for (struct vgic_irq *q = has_room(m, k) ? k->list.head : NULL; q; q = q->next) {
		struct msource *s = q->user;
		struct watched *w = &m->listed[n++];

		if (is_calm(m, s, q)) {
			*w = (struct watched){(const struct vgr_irq *)&q->intid, s->number, false};
			s->left_out = true;
			continue;
		}
		*w = m->fresh[m->nr_fresh++] = look_again(m, s, q);
	}
	m->nr_listed = n;
}

void machine_records_before_flush(struct machine *m, unsigned int index)
{
	struct vgr_flush *f = &m->flush;

	m->flushes++;
	look_at_list(m, &m->vgic->vcpus[index]);
	f->r.time = f->begin = m->now;
	f->r.vcpu = (uint16_t)index;
	f->dist_enabled = m->vgic->dist_enabled;
	fates_before(m->fates, f, m->fresh, m->nr_fresh, m->off, m->nr_off);
	if (raises_before(m->raises, f, m->fresh, m->nr_fresh))
		m->nomem = true;
	m->nr_off = 0;
}

static bool is_reordered(const struct machine *m, const struct vgic_vcpu *k)
{
	const struct watched *w = m->listed;

	if (!k->sorted)
		return false;
	for (const struct vgic_irq *q = k->list.head; q; q = q->next, w++)
		if (w->irq->intid != q->intid)
			return true;
	return false;
}

void machine_records_flush(struct machine *m, unsigned int index)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];
	struct vgr_flush *f = &m->flush;

	f->vmcr = k->vmcr;
	f->used_lrs = (uint16_t)k->used_lrs;
	find_inside(m, index);
	m->cell->reordered += !m->uncounted && is_reordered(m, k);
	fates_after(m->fates, f, m->listed, m->nr_listed, k->lr, m->vcpus[index].in_lr);
	raises_after(m->raises, f, k->lr, m->vcpus[index].in_lr);
}

void machine_records_entry(struct machine *m, unsigned int index, uint64_t time)
{
	fates_entry(m->fates, time);
	if (raises_entry(m->raises, (uint16_t)index, time))
		m->nomem = true;
}

void machine_records_before_sync(struct machine *m, unsigned int index)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];

	remember_list(m, k);
	m->nr_back = k->used_lrs;
	for (unsigned int i = 0; i < m->nr_back; i++)
		m->back[i] = m->vcpus[index].hw.lr[i];
}

void machine_records_sync(struct machine *m, unsigned int index)
{
	find_fresh(m);
	fates_sync(m->fates, (uint16_t)index, m->now, m->fresh, m->nr_fresh, m->back, m->nr_back);
	if (raises_sync(m->raises, (uint16_t)index, m->now, m->fresh, m->nr_fresh, m->back,
			m->nr_back))
		m->nomem = true;
}

void machine_records_inject(struct machine *m, uint16_t vcpu, struct msource *s, bool level)
{
	s->calm = 0;
	if (fates_inject(m->fates, vcpu, s->number, level, m->now) ||
	    raises_inject(m->raises, vcpu, s->number, level, m->now))
		m->nomem = true;
}

void machine_records_msi(struct machine *m, struct msource *s)
{
	s->calm = 0;
	raises_msi(m->raises, s->number, m->now);
}

void machine_records_dir(struct machine *m, struct msource *s)
{
	s->calm = 0;
	fates_dir(m->fates, s->number, m->now);
	raises_dir(m->raises, s->number, m->now);
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

void machine_records_sgi(struct machine *m, const struct vgic_effect *e)
{
	struct vgr_sgi s = {
		.r = head(m, VGR_SGI, e->vcpu),
		.value = e->value,
		.allow_group1 = e->level,
	};
	uint32_t intid = (e->value >> 24) & 0xf;

	/* Whoever is hit has a number, and the same one with both, before they name it. */
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		struct vgic_irq *irq = &m->vgic->vcpus[i].private_irqs[intid];

		if (irq->user)
			((struct msource *)irq->user)->calm = 0;
		else
			number_of(m, irq);
	}
	tell(m, &s.r);
}

void machine_records_write(struct machine *m)
{
	struct vgr_mmio w = {.r = head(m, VGR_MMIO, 0), .write = 1};

	m->writes++;
	tell(m, &w.r);
}
