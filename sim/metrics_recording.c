/* SPDX-License-Identifier: GPL-2.0-only */
/* The metrics of a recording itself, from its records alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/metrics.h>
#include <vgicsim/raises.h>
#include <vgicsim/vgic.h>

#include "listed.h"

#define EC_WFX	0x01
#define EC_DABT 0x24

struct vcpu_meter {
	bool flushed, entered, synced;
	uint64_t flush_begin, entry, sync_begin;
	uint64_t lr[VGR_MAX_LRS];
	unsigned int used;
	uint32_t misr;
	uint32_t depth;
	bool inverted;
	bool idle;		  /* the run changed nothing that is seen */
	uint32_t idle_entries;	  /* in a row, each ended by an MI */
	enum vgic_exit_kind trap; /* what the records after the exit say */
	bool exited;
	struct vgic_vcpu_counts counts;
};

struct vgic_measure {
	struct vgic_cell cell;
	struct vgic_fates *fates;
	struct vgic_raises *raises;
	uint16_t vm;
	bool started;
	uint64_t start, first_entry, last_exit;
	struct vcpu_meter *vcpus;
	size_t nr_vcpus;
};

uint32_t vgic_sync_misr(const struct vgr_sync *s, unsigned int nr_lr)
{
	const uint64_t *lr = (const uint64_t *)((const struct vgr_irq *)(s + 1) + 2 * s->n_before);
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(nr_lr ? nr_lr : 1);
	unsigned int used = s->used_lrs < cfg.nr_lr ? s->used_lrs : cfg.nr_lr;
	struct vgic_v3_cpuif c;

	/* Nothing else of it is looked at. */
	c.cfg = &cfg;
	memcpy(c.lr, lr, used * sizeof(*lr));
	c.unused = (uint8_t)(cfg.nr_lr - used);
	c.hcr = s->hcr | VGIC_HCR_EN;
	c.vmcr = s->vmcr;
	return vgic_v3_cpuif_misr(&c);
}

int vgic_measure_create(struct vgic_measure **out, unsigned int nr_lr, uint16_t vm)
{
	struct vgic_measure *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	if (vgic_cell_init(&m->cell, nr_lr) || vgic_fates_create(&m->fates, vm) ||
	    vgic_raises_create(&m->raises, vm, &m->cell.latency[VGIC_LATENCY_RAISE_TO_LR])) {
		vgic_measure_destroy(m);
		return -ENOMEM;
	}
	m->vm = vm;
	*out = m;
	return 0;
}

void vgic_measure_destroy(struct vgic_measure *m)
{
	if (!m)
		return;
	free(m->vcpus);
	vgic_fates_destroy(m->fates);
	vgic_raises_destroy(m->raises);
	vgic_cell_finish(&m->cell);
	free(m);
}

int vgic_measure_timeline(struct vgic_measure *m, uint16_t vcpu, uint64_t t0, uint64_t t1)
{
	return vgic_cell_timeline(&m->cell, vcpu, t0, t1);
}

static struct vcpu_meter *meter_of(struct vgic_measure *m, uint16_t vcpu)
{
	if (vcpu >= m->nr_vcpus) {
		size_t n = (size_t)vcpu + 1;
		struct vcpu_meter *v = realloc(m->vcpus, n * sizeof(*v));

		if (!v)
			return NULL;
		memset(v + m->nr_vcpus, 0, (n - m->nr_vcpus) * sizeof(*v));
		m->vcpus = v;
		m->nr_vcpus = n;
	}
	return &m->vcpus[vcpu];
}

static bool timeline_of(const struct vgic_measure *m, uint16_t vcpu)
{
	return m->cell.has_timeline && m->cell.timeline.vcpu == vcpu;
}

static bool in_lr(const struct vcpu_meter *v, uint32_t intid)
{
	for (unsigned int i = 0; i < v->used; i++)
		if ((v->lr[i] & VGIC_LR_STATE) && (v->lr[i] & VGIC_LR_VINTID) == intid)
			return true;
	return false;
}

static bool group_enabled(uint32_t vmcr, uint16_t state)
{
	return vmcr & (state & VGR_IRQ_GROUP1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0);
}

/* Deliverable interrupts left outside: depth and inversion. */
static void measure_outside(struct vcpu_meter *v, const struct vgr_flush *f)
{
	const struct vgr_irq *q = (const struct vgr_irq *)(f + 1) + f->n_before;
	int worst_inside = -1;

	v->depth = 0;
	v->inverted = false;
	for (unsigned int i = 0; i < v->used; i++) {
		int prio = (int)((v->lr[i] & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT);

		if ((v->lr[i] & VGIC_LR_STATE) && prio > worst_inside)
			worst_inside = prio;
	}
	if (f->n_after <= v->used)
		return;
	for (unsigned int i = 0; i < f->n_after; i++) {
		if (!listed_outside(f, &q[i], v->lr, v->used))
			continue;
		v->depth++;
		if (listed_ready(&q[i]) && group_enabled(f->vmcr, q[i].state) &&
		    q[i].priority < worst_inside)
			v->inverted = true;
	}
}

/* The list stands in another order than before: it was sorted. */
static bool is_reordered(const struct vgr_flush *f)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	const struct vgr_irq *after = before + f->n_before;

	if (f->n_before != f->n_after)
		return false;
	for (unsigned int i = 0; i < f->n_before; i++)
		if (before[i].intid != after[i].intid)
			return true;
	return false;
}

static void on_flush(struct vgic_measure *m, struct vcpu_meter *v, const struct vgr_flush *f)
{
	const struct vgr_irq *q = (const struct vgr_irq *)(f + 1);
	const uint64_t *lr = (const uint64_t *)(q + f->n_before + f->n_after);

	if (v->flush_begin)
		vgic_cell_depth(&m->cell, v->depth, f->begin - v->flush_begin);
	v->flush_begin = f->begin;
	v->flushed = true;
	v->entered = v->synced = false;
	v->used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr;
	memcpy(v->lr, lr, v->used * sizeof(*lr));
	measure_outside(v, f);
	m->cell.reordered += is_reordered(f);
	if (timeline_of(m, f->r.vcpu)) {
		vgic_timeline_lrs(&m->cell.timeline, f->r.time - m->start, v->lr, v->used);
		vgic_timeline_depth(&m->cell.timeline, f->r.time - m->start, v->depth);
	}
}

static void on_entry(struct vgic_measure *m, struct vcpu_meter *v, const struct vgr_rec *r)
{
	if (!m->first_entry)
		m->first_entry = r->time;
	v->entry = r->time;
	v->entered = true;
	if (!v->flushed)
		return;
	m->cell.entries[v->used]++;
	m->cell.lr_writes += v->used;
	if (v->depth > m->cell.overflow_max)
		m->cell.overflow_max = v->depth;
	m->cell.overflow_entries += v->depth > 0;
	v->counts.overflow_entries += v->depth > 0;
	if (v->depth > v->counts.overflow_max)
		v->counts.overflow_max = v->depth;
	m->cell.inversions += v->inverted;
}

static void on_sync(struct vgic_measure *m, struct vcpu_meter *v, const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);
	unsigned int used = s->used_lrs < v->used ? s->used_lrs : v->used;

	v->misr = s->nested ? 0 : vgic_sync_misr(s, m->cell.nr_lr);
	v->synced = true;
	v->idle = false;
	v->sync_begin = s->begin;
	if (timeline_of(m, s->r.vcpu))
		vgic_timeline_lrs(&m->cell.timeline, s->begin - m->start, NULL, 0);
	if (!v->entered)
		return;
	uint64_t ns = s->begin > v->entry ? s->begin - v->entry : 0;

	m->cell.guest_ns += ns;
	v->counts.guest_ns += ns;
	v->counts.used_ns += ns * v->used;
	vgic_cell_occupancy(&m->cell, v->lr, v->used, ns);
	if (v->inverted)
		m->cell.inversion_ns += ns;
	if (s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED))
		return;
	v->idle = !vgic_v3_eoicount(s->hcr);
	for (unsigned int i = 0; i < used; i++) {
		bool was_pending = v->lr[i] & VGIC_LR_PENDING;

		v->idle &= !((v->lr[i] ^ lr[i]) & VGIC_LR_STATE);
		m->cell.lr_reads += (lr[i] & VGIC_LR_STATE) != 0;
		m->cell.interrupts += was_pending && !(lr[i] & VGIC_LR_PENDING);
	}
	for (unsigned int i = 0; i < s->n_before; i++)
		if ((before[i].state & VGR_IRQ_ACTIVE) && !(after[i].state & VGR_IRQ_ACTIVE) &&
		    !in_lr(v, before[i].intid) && vgic_v3_eoicount(s->hcr)) {
			m->cell.eoicount++;
			v->counts.eoicount++;
		}
}

static void exit_settle(struct vgic_measure *m, struct vcpu_meter *v)
{
	if (!v->exited)
		return;
	v->exited = false;
	vgic_cell_exit(&m->cell, v->trap, v->misr);
	v->counts.exits++;
	if (v->trap != VGIC_EXIT_MI)
		return;
	v->counts.mi++;
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		v->counts.mi_source[i] += v->misr >> i & 1;
}

static void on_exit_record(struct vgic_measure *m, struct vcpu_meter *v, const struct vgr_exit *x)
{
	m->last_exit = x->r.time;
	v->exited = true;
	v->flushed = false;
	if (x->ret == 0) {
		v->trap = v->misr ? VGIC_EXIT_MI : VGIC_EXIT_OTHER_IRQ;
		if (v->misr && timeline_of(m, x->r.vcpu))
			vgic_timeline_mi(&m->cell.timeline, v->sync_begin - m->start, v->misr);
	} else {
		v->trap = x->esr_ec == EC_WFX ? VGIC_EXIT_WFI : VGIC_EXIT_OTHER;
	}
	v->misr = v->trap == VGIC_EXIT_MI ? v->misr : 0;
	v->idle_entries = v->trap == VGIC_EXIT_MI && v->idle ? v->idle_entries + 1 : 0;
}

int vgic_measure_record(struct vgic_measure *m, const struct vgr_rec *rec)
{
	struct vcpu_meter *v = NULL;

	if (vgic_fates_record(m->fates, rec) || vgic_raises_record(m->raises, rec))
		return -ENOMEM;
	if (!m->started) {
		m->started = true;
		m->start = rec->time;
	}
	if (rec->vm != m->vm || (rec->vcpu >= VGIC_MAX_VCPUS && rec->vcpu != VGR_NO_VCPU))
		return 0;
	if (rec->vcpu != VGR_NO_VCPU) {
		v = meter_of(m, rec->vcpu);
		if (!v)
			return -ENOMEM;
	}
	if (!v)
		return 0;
	switch (rec->type) {
	case VGR_FLUSH:
		exit_settle(m, v);
		on_flush(m, v, (const struct vgr_flush *)rec);
		break;
	case VGR_ENTRY:
		on_entry(m, v, rec);
		break;
	case VGR_SYNC:
		on_sync(m, v, (const struct vgr_sync *)rec);
		break;
	case VGR_EXIT:
		exit_settle(m, v);
		on_exit_record(m, v, (const struct vgr_exit *)rec);
		break;
	case VGR_DIR:
		v->trap = VGIC_EXIT_DIR;
		break;
	case VGR_SGI:
		v->trap = VGIC_EXIT_SGI;
		break;
	case VGR_MMIO:
		v->trap = VGIC_EXIT_MMIO;
		break;
	case VGR_KICK:
		m->cell.kicks++;
		break;
	default:
		break;
	}
	return 0;
}

struct vgic_vcpu_counts vgic_measure_vcpu(const struct vgic_measure *m, uint16_t vcpu)
{
	return vcpu < m->nr_vcpus ? m->vcpus[vcpu].counts : (struct vgic_vcpu_counts){0};
}

void vgic_measure_settle(struct vgic_measure *m)
{
	for (size_t i = 0; i < m->nr_vcpus; i++)
		exit_settle(m, &m->vcpus[i]);
}

int vgic_measure_finish(struct vgic_measure *m, struct vgic_cell *cell)
{
	struct vgic_cell *c = &m->cell;

	vgic_measure_settle(m);
	if (vgic_cell_fates(c, m->fates, VGIC_FATES_CUT))
		return -ENOMEM;
	c->latency_known[VGIC_LATENCY_RAISE_TO_LR] = true;
	c->merged = vgic_raises_merged(m->raises);
	c->wall_ns = m->last_exit > m->first_entry ? m->last_exit - m->first_entry : 0;
	if (c->nr_starved)
		c->outcome = VGIC_OUTCOME_STARVED;
	for (size_t i = 0; i < m->nr_vcpus; i++) {
		if (m->vcpus[i].idle_entries < VGIC_LIVELOCK_ENTRIES)
			continue;
		c->outcome = VGIC_OUTCOME_LIVELOCK;
		c->stuck_vcpu = (uint16_t)i;
		break;
	}
	if (c->has_timeline)
		vgic_timeline_close(&c->timeline, m->last_exit - m->start);
	*cell = *c;
	memset(c, 0, sizeof(*c));
	return 0;
}

/* ---- the busiest stretch ---- */

#define BUSY_MAX_SLOTS (4u << 20) /* 5.8 hours of windows of 5 ms, 32 MiB a vCPU */

struct busy_vcpu {
	uint64_t *slots;
	size_t nr;
};

struct vgic_busy {
	uint64_t window_ns;
	uint16_t vm;
	bool started;
	uint64_t start;
	struct busy_vcpu *vcpus;
	size_t nr_vcpus;
};

int vgic_busy_create(struct vgic_busy **out, uint64_t window_ns, uint16_t vm)
{
	struct vgic_busy *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->window_ns = window_ns ? window_ns : 1;
	b->vm = vm;
	*out = b;
	return 0;
}

void vgic_busy_destroy(struct vgic_busy *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->nr_vcpus; i++)
		free(b->vcpus[i].slots);
	free(b->vcpus);
	free(b);
}

int vgic_busy_record(struct vgic_busy *b, const struct vgr_rec *rec)
{
	const struct vgr_flush *f = (const struct vgr_flush *)rec;

	if (!b->started) {
		b->started = true;
		b->start = rec->time;
	}
	if (rec->type != VGR_FLUSH || rec->vm != b->vm || !f->used_lrs ||
	    rec->vcpu == VGR_NO_VCPU || rec->time < b->start)
		return 0;
	if (rec->vcpu >= b->nr_vcpus) {
		size_t n = (size_t)rec->vcpu + 1;
		struct busy_vcpu *v = realloc(b->vcpus, n * sizeof(*v));

		if (!v)
			return -ENOMEM;
		memset(v + b->nr_vcpus, 0, (n - b->nr_vcpus) * sizeof(*v));
		b->vcpus = v;
		b->nr_vcpus = n;
	}
	struct busy_vcpu *v = &b->vcpus[rec->vcpu];
	uint64_t slot = (rec->time - b->start) / b->window_ns;

	/* A clock that leaps must not ask for memory. */
	if (slot >= BUSY_MAX_SLOTS)
		return 0;
	if (slot >= v->nr) {
		size_t n = (size_t)(slot + slot / 2 + 16);
		uint64_t *p = realloc(v->slots, n * sizeof(*p));

		if (!p)
			return -ENOMEM;
		memset(p + v->nr, 0, (n - v->nr) * sizeof(*p));
		v->slots = p;
		v->nr = n;
	}
	/* Overflow weighs most: it is what a time line is looked at for. */
	v->slots[slot] += f->used_lrs + (f->n_after > f->used_lrs ? 64 : 0);
	return 0;
}

bool vgic_busy_window(const struct vgic_busy *b, uint16_t *vcpu, uint64_t *t0, uint64_t *t1)
{
	uint64_t best = 0;

	for (size_t i = 0; i < b->nr_vcpus; i++) {
		for (size_t k = 0; k < b->vcpus[i].nr; k++) {
			if (b->vcpus[i].slots[k] <= best)
				continue;
			best = b->vcpus[i].slots[k];
			*vcpu = (uint16_t)i;
			*t0 = k * b->window_ns;
			*t1 = *t0 + b->window_ns;
		}
	}
	return best > 0;
}
