/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a replay does, told to those who judge recordings: the fates of interrupts, and their
 * raises. What comes often goes in by the number of the interrupt, the rest as the record that
 * a recorder would make of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine_records.h"
#include "vgic_internal.h"

/*
 * A flush and a sync tell of the list what is not known already. Nothing is to be told of what
 * is
 * - CALM: it waits on the list, outside the LRs, as a flush has seen it wait before. It was
 *   pending, so all that a look finds out is known. What counts at each entry while it stands
 *   outside is made good by catch_up(), before the next look at it and before it is in an LR.
 * - the SAME: the last look was of this vCPU, and had it on the list. A flush after it is not to
 *   look at it again, but counts it; a sync is not to look at it again if it is pending, which
 *   may have been in an LR that the guest left alone.
 * Both only as long as it is in that state, nothing was told of it, no register was written, and
 * the same groups are enabled.
 */
int machine_records_init(struct machine *m)
{
	const struct vgr_rec origin = {.type = VGR_LOAD, .size = sizeof(origin)};
	size_t n = m->wl->nr_sources + 1;

	m->known = KNOWN_STEP;
	m->cap_listed = 64;
	m->listed = calloc(m->cap_listed, sizeof(*m->listed));
	m->fresh = calloc(m->cap_listed, sizeof(*m->fresh));
	m->off = calloc(m->cap_listed, sizeof(*m->off));
	m->logs = malloc(VGIC_LATENCIES * sizeof(*m->logs));
	if (!m->logs || !m->listed || !m->fresh || !m->off || vgic_fates_create(&m->fates, 0) ||
	    vgic_raises_create(&m->raises, 0, &m->cell->latency[VGIC_LATENCY_RAISE_TO_LR]) ||
	    fates_reserve(m->fates, n, m->nr_vcpus) || raises_reserve(m->raises, n, m->nr_vcpus))
		return -ENOMEM;
	for (int i = 0; i < VGIC_LATENCIES; i++)
		latency_log_init(&m->logs[i], &m->cell->latency[i]);
	m->raises->log = &m->logs[VGIC_LATENCY_RAISE_TO_LR];
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
	free(m->logs);
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

/* What happens to it is told, or an LR has it: it is to be looked at. */
static inline void stir(struct msource *s)
{
	s->known = NOT_KNOWN;
}

/* In the state in which it was last looked at. */
static inline bool as_seen(const struct msource *s, const struct vgic_irq *q)
{
	uint64_t is[2], was[2];

	memcpy(is, &q->intid, sizeof(is));
	memcpy(was, &s->seen, sizeof(was));
	return !((is[0] ^ was[0]) | (is[1] ^ was[1]));
}

/* known: of now, SAME or CALM. */
static inline bool is_known(const struct msource *s, const struct vgic_irq *q, uint64_t known)
{
	return s && s->known == known && as_seen(s, q);
}

static inline void keep_in_mind(struct msource *s, const struct vgic_irq *q, uint64_t known)
{
	memcpy(&s->seen, &q->intid, sizeof(s->seen));
	s->known = known;
}

/* While it was not looked at, it was on the list all the same. */
static void catch_up(struct machine *m, const struct msource *s)
{
	fates_listed(m->fates, s->number);
	raises_listed(m->raises, s->number);
}

static inline const struct vgr_irq *state_of(const struct vgic_irq *q)
{
	return (const struct vgr_irq *)&q->intid;
}

/* Its number. */
static inline uint32_t look_again(struct machine *m, struct msource *s, const struct vgic_irq *q)
{
	if (__builtin_expect(!s, 0))
		return number_of_stray(m, q);
	stir(s);
	if (s->left_out)
		catch_up(m, s);
	s->left_out = false;
	return s->number;
}

/* A GICv2 guest's LPI, which there is only in a made-up workload, shows the INTID of another one.
 */
static __attribute__((noinline, cold)) struct vgic_irq *
find_listed(const struct machine *m, const struct vgic_vcpu *k, uint32_t intid)
{
	struct vgic_irq *irq = k->list.head;

	while (irq->next && machine_intid(m, irq->intid) != intid)
		irq = irq->next;
	return irq;
}

/* Written to an LR by the flush. */
static inline void populated(struct machine *m, struct mvcpu *v, unsigned int i, uint64_t lr)
{
	struct vgic_irq *irq;
	struct msource *s;

	/* Nothing of an interrupt is in it. */
	v->in_lr[i].source = NULL;
	if (__builtin_expect(!(lr & VGIC_LR_STATE), 0))
		return;
	irq = vgic_find(m->vgic, v->index, machine_intid(m, lr));
	if (__builtin_expect(!irq || irq->vcpu != v->index, 0))
		irq = find_listed(m, &m->vgic->vcpus[v->index], machine_intid(m, lr));
	s = irq->user;
	if (!s) {
		v->in_lr[i].number = number_of_stray(m, irq);
		return;
	}
	v->in_lr[i].source = s;
	v->in_lr[i].number = s->number;
	s->inside = m->flushes;
	if (s->due && (lr & VGIC_LR_PENDING))
		s->in_lr = true;
	/* It was calm until now, and this flush is another one that has it on the list. */
	if (s->left_out) {
		catch_up(m, s);
		m->raises->v[s->number].on_flush++;
		s->left_out = false;
		s->known = (s->known & ~(uint64_t)CALM) | SAME;
		m->fresh[m->nr_fresh++] = (struct fresh){irq, s->number};
	}
}

bool machine_records_inside(struct machine *m, unsigned int index, const struct vgic_irq *irq)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];
	uint32_t number = number_of_stray(m, irq);

	for (unsigned int i = 0; i < k->used_lrs; i++)
		if ((k->lr[i] & VGIC_LR_STATE) && m->vcpus[index].in_lr[i].number == number)
			return true;
	return false;
}

static bool more_room(struct machine *m, unsigned int n)
{
	const struct vgic_irq **listed = realloc(m->listed, 2 * n * sizeof(*listed));
	struct fresh *fresh = realloc(m->fresh, 2 * n * sizeof(*fresh));
	uint32_t *off = realloc(m->off, 2 * n * sizeof(*off));

	m->listed = listed ? listed : m->listed;
	m->fresh = fresh ? fresh : m->fresh;
	m->off = off ? off : m->off;
	m->nomem |= !listed || !fresh || !off;
	m->cap_listed = m->nomem ? m->cap_listed : 2 * n;
	return !m->nomem;
}

static inline struct vgic_irq *first_listed(struct machine *m, const struct vgic_vcpu *k)
{
	return k->list.count <= m->cap_listed || more_room(m, k->list.count) ? k->list.head : NULL;
}

void machine_records_prune(struct machine *m, unsigned int index)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];
	unsigned int n = 0;

	for (const struct vgic_irq *q = first_listed(m, k); q; q = q->next)
		m->listed[n++] = q;
	vgic_prune(m->vgic, index);
	m->nr_off = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct vgic_irq *q = m->listed[i];

		if (q->vcpu != index)
			m->off[m->nr_off++] = look_again(m, q->user, q);
	}
}

/* What counts as standing outside depends on it, for those who are left out, too. */
static inline void look_at_groups(struct machine *m, struct mvcpu *v)
{
	const uint32_t any = VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1;
	uint32_t groups = (v->vgic->vmcr & any) | (m->vgic->dist_enabled ? 1u << 31 : 0);

	if (groups != v->groups)
		m->known += KNOWN_STEP;
	v->groups = groups;
}

void records_of_flush_begun(struct machine *m, struct mvcpu *v)
{
	const struct vgic_vcpu *k = v->vgic;
	struct vgic_fates *fates = m->fates;
	struct vgic_raises *raises = m->raises;
	struct vgr_flush *f = &m->flush;
	const struct raises_vcpu *r = &raises->vcpus[v->index];
	struct vgic_irq *q = first_listed(m, k);
	const struct vgic_irq **listed = m->listed;
	struct fresh *fresh = m->fresh;
	uint64_t now = m->now, known;

	f->r.time = f->begin = now;
	f->r.vcpu = v->index;
	f->dist_enabled = m->vgic->dist_enabled;
	look_at_groups(m, v);
	known = m->known;
	for (; q; q = q->next) {
		struct msource *s = q->user;
		struct raises_entry *e;

		*listed++ = q;
		if (is_known(s, q, known | CALM)) {
			s->left_out = true;
			continue;
		}
		fresh->irq = q;
		if (is_known(s, q, known | SAME)) {
			fresh->number = s->number;
			e = &raises->v[s->number];
			raises_on_list(raises, r, f, e, !raises_is_listed(raises, e));
		} else {
			fresh->number = look_again(m, s, q);
			e = &raises->v[fresh->number];
			fates_look(fates, fates_numbered(fates, fresh->number), f->r.vcpu,
				   state_of(q), now);
			if (raises_look_before(raises, r, f, e, state_of(q)))
				m->nomem = true;
			if (s)
				keep_in_mind(s, q, known | SAME);
		}
		fresh++;
	}
	for (unsigned int i = 0; i < m->nr_off; i++)
		if (fates->v[m->off[i]].listed)
			fates_left_list(&fates->v[m->off[i]], f->r.vcpu);
	m->nr_off = 0;
	m->nr_listed = (unsigned int)(listed - m->listed);
	m->nr_fresh = (unsigned int)(fresh - m->fresh);
}

static bool is_reordered(const struct machine *m, const struct vgic_vcpu *k)
{
	const struct vgic_irq **was = m->listed;

	if (!k->sorted || !k->moved)
		return false;
	for (const struct vgic_irq *q = k->list.head; q; q = q->next, was++)
		if (*was != q)
			return true;
	return false;
}

void records_of_flush(struct machine *m, struct mvcpu *v, uint64_t time)
{
	const struct vgic_vcpu *k = v->vgic;
	struct vgic_fates *fates = m->fates;
	struct vgic_raises *raises = m->raises;
	struct vgr_flush *f = &m->flush;
	uint64_t calm = m->known | CALM;

	f->vmcr = k->vmcr;
	m->cell->reordered += !m->uncounted && is_reordered(m, k);
	/* The flush of an empty list may have filled none. */
	for (unsigned int i = 0; i < k->used_lrs && k->list.count; i++)
		populated(m, v, i, k->lr[i]);
	fates->vcpus[v->index].entries++;
	for (const struct fresh *w = m->fresh, *end = w + m->nr_fresh; w < end; w++) {
		struct fates_entry *e = &fates->v[w->number];
		struct msource *s = w->irq->user;

		if (machine_inside(m, v->index, w->irq)) {
			fates_inside(e, state_of(w->irq));
			continue;
		}
		fates_counted(fates, f, e, state_of(w->irq));
		/* The flush changes nothing of those who wait: they are as they were seen. */
		if (s && vgic_pending(w->irq))
			s->known = calm;
	}
	for (unsigned int i = 0; i < k->used_lrs; i++)
		if ((k->lr[i] & VGIC_LR_PENDING) &&
		    raises_enter_lr(raises, &raises->v[v->in_lr[i].number], time))
			m->nomem = true;
}

void records_of_sync_begun(struct machine *m, struct mvcpu *v)
{
	const struct vgic_vcpu *k = v->vgic;
	struct vgic_irq *q = first_listed(m, k);
	const struct vgic_irq **listed = m->listed;

	for (; q; q = q->next)
		*listed++ = q;
	m->nr_listed = (unsigned int)(listed - m->listed);
	/* The LRs as the flush filled them, and as the guest leaves them. */
	for (unsigned int i = 0; i < k->used_lrs; i++) {
		uint64_t was = k->lr[i], is = v->hw.lr[i];
		uint32_t number = v->in_lr[i].number;

		if (was & VGIC_LR_PENDING)
			raises_run_of_lr(m->raises, &m->raises->v[number], is);
		if (is == was || !(was & VGIC_LR_STATE))
			continue;
		fates_run_of_lr(m->fates, &m->fates->v[number], was, is, m->now);
		if (v->in_lr[i].source)
			stir(v->in_lr[i].source);
	}
}

void records_of_sync(struct machine *m, struct mvcpu *v)
{
	struct vgic_fates *fates = m->fates;
	struct vgic_raises *raises = m->raises;
	const struct raises_vcpu *r = &raises->vcpus[v->index];
	const struct vgic_irq **p = m->listed, **end = p + m->nr_listed;
	uint64_t now = m->now, known = m->known;

	for (; p < end; p++) {
		const struct vgic_irq *q = *p;
		struct msource *s = q->user;
		struct fates_entry *e;
		uint32_t number;

		if (is_known(s, q, known | CALM) ||
		    (is_known(s, q, known | SAME) && vgic_pending(q)))
			continue;
		number = look_again(m, s, q);
		e = fates_numbered(fates, number);
		fates_look(fates, e, v->index, state_of(q), now);
		if (raises_look(raises, r, &raises->v[number], state_of(q), now))
			m->nomem = true;
		e->listed = q->vcpu == v->index;
		if (e->listed && s)
			keep_in_mind(s, q, known | SAME);
	}
}

/* Before the fates are judged. */
int machine_records_end(struct machine *m)
{
	for (size_t i = 0; i < m->wl->nr_sources; i++)
		if (m->sources[i].left_out)
			catch_up(m, &m->sources[i]);
	for (int i = 0; i < VGIC_LATENCIES; i++)
		if (latency_log_end(&m->logs[i]))
			return -ENOMEM;
	return 0;
}

void machine_records_inject(struct machine *m, uint16_t vcpu, struct msource *s, bool level)
{
	stir(s);
	/* A vCPU is known from its first record on. */
	if (vcpu != VGR_NO_VCPU) {
		fates_vcpu_of(m->fates, vcpu);
		raises_vcpu_of(m->raises, vcpu);
	}
	fates_tick(m->fates, m->now);
	fates_inject(m->fates, fates_numbered(m->fates, s->number), level, m->now);
	raises_inject(m->raises, &m->raises->v[s->number], level, m->now);
}

void machine_records_msi(struct machine *m, struct msource *s)
{
	stir(s);
	raises_edge(m->raises, &m->raises->v[s->number], m->now);
}

void machine_records_dir(struct machine *m, struct msource *s)
{
	stir(s);
	fates_tick(m->fates, m->now);
	fates_dir(fates_numbered(m->fates, s->number));
	m->raises->v[s->number].dir = m->now;
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
			stir(irq->user);
		else
			number_of_stray(m, irq);
	}
	tell(m, &s.r);
}

void machine_records_write(struct machine *m)
{
	struct vgr_mmio w = {.r = head(m, VGR_MMIO, 0), .write = 1};

	m->known += KNOWN_STEP;
	tell(m, &w.r);
}
