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
#include "vgic_order.h"

/*
 * A flush and a sync tell of the list what is not known already. Each vCPU has those of its list
 * that are to be looked at: what comes onto the list, what is told of, what has changed in its
 * LR. Nothing is to be told of one that pends, and that nothing but what is told can change,
 * see lasts(), while it
 * - WAITS on the list, outside the LRs, as a flush has seen it wait before,
 * - STAYS in an LR that the guest leaves alone.
 * What counts at each entry meanwhile is made good by catch_up(), before the next look at it.
 * Those that are the SAME were looked at last while they were on this list. A flush after it is
 * not to look at them again, but counts them; a sync is not to look at them again if they pend.
 * All that only while no register was written, and the same groups are enabled: else all of the
 * list is looked at.
 */
int machine_records_init(struct machine *m)
{
	const struct vgr_rec origin = {.type = VGR_LOAD, .size = sizeof(origin)};
	const struct vgic_policy *policy = m->cfg->policy;
	size_t n = m->wl->nr_sources + 1;

	m->known = KNOWN_STEP;
	m->cap_listed = 64;
	m->listed = malloc(m->cap_listed * sizeof(struct vgic_irq *));
	m->off = malloc(m->cap_listed * sizeof(*m->off));
	m->logs = malloc(VGIC_LATENCIES * sizeof(*m->logs));
	if (!m->logs || !m->listed || !m->off || vgic_fates_create(&m->fates, 0) ||
	    vgic_raises_create(&m->raises, 0, &m->cell->latency[VGIC_LATENCY_RAISE_TO_LR]) ||
	    fates_reserve(m->fates, n, m->nr_vcpus) || raises_reserve(m->raises, n, m->nr_vcpus))
		return -ENOMEM;
	for (int i = 0; i < VGIC_LATENCIES; i++)
		latency_log_init(&m->logs[i], &m->cell->latency[i]);
	m->raises->log = &m->logs[VGIC_LATENCY_RAISE_TO_LR];
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		m->vcpus[i].fates = &m->fates->vcpus[i];
		m->vcpus[i].raises = &m->raises->vcpus[i];
	}
	/* For an SGI of several senders, which takes several LRs, or in an order of its own. */
	m->sorts_otherwise = policy->compare || policy->needs_sort || m->wl->model_v2;
	m->flush = (struct vgr_flush){
		.r = {.type = VGR_FLUSH, .size = sizeof(m->flush)},
		.active_spis = policy->eager_vmcr ? 0 : -1,
		.nr_lr = (uint16_t)m->cfg->nr_lr,
	};
	return vgic_fates_record(m->fates, &origin);
}

void machine_records_finish(struct machine *m)
{
	for (unsigned int i = 0; m->vcpus && i < m->nr_vcpus; i++)
		free(m->vcpus[i].fresh);
	free(m->listed);
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
static __attribute__((noinline, cold)) uint32_t number_of_stray(struct machine *m,
								const struct vgic_irq *irq)
{
	uint32_t number = 0;

	if (machine_records_number(m, irq->target, irq->intid, &number))
		m->nomem = true;
	return number;
}

static inline uint32_t number_of(struct machine *m, const struct vgic_irq *irq)
{
	const struct msource *s = irq->user;

	return __builtin_expect(!s, 0) ? number_of_stray(m, irq) : s->number;
}

static inline const struct vgr_irq *state_of(const struct vgic_irq *irq)
{
	return (const struct vgr_irq *)&irq->intid;
}

/* ---- those to be looked at ---- */

static __attribute__((noinline, cold)) bool more_fresh(struct machine *m, struct mvcpu *v)
{
	unsigned int cap = v->cap_fresh ? 2 * v->cap_fresh : 16;
	struct vgic_irq **fresh = realloc(v->fresh, cap * sizeof(struct vgic_irq *));

	if (!fresh) {
		m->nomem = true;
		return false;
	}
	v->fresh = fresh;
	v->cap_fresh = cap;
	return true;
}

static __attribute__((noinline, cold)) bool is_fresh_stray(const struct mvcpu *v,
							   const struct vgic_irq *irq)
{
	for (unsigned int i = 0; i < v->nr_fresh; i++)
		if (v->fresh[i] == irq)
			return true;
	return false;
}

static inline bool is_fresh(const struct mvcpu *v, const struct vgic_irq *irq)
{
	const struct msource *s = irq->user;

	return __builtin_expect(!s, 0) ? is_fresh_stray(v, irq) : s->fresh;
}

static inline void add_fresh(struct machine *m, struct mvcpu *v, struct vgic_irq *irq)
{
	struct msource *s = irq->user;

	if (is_fresh(v, irq))
		return;
	if (__builtin_expect(v->nr_fresh == v->cap_fresh, 0) && !more_fresh(m, v))
		return;
	if (s)
		s->fresh = true;
	/* What comes onto a list comes to its end. */
	v->in_order = (v->nr_fresh == 0) | (v->in_order & !irq->next);
	v->fresh[v->nr_fresh++] = irq;
}

static inline void add_if_listed(struct machine *m, struct vgic_irq *irq)
{
	if (irq->vcpu != VGIC_NO_VCPU)
		add_fresh(m, &m->vcpus[irq->vcpu], irq);
}

/* It is no longer known; an LR has it or not, which nobody was told while it stayed there. */
static inline void stir(struct machine *m, struct msource *s)
{
	if (__builtin_expect(s->known & STAYS, 0))
		m->raises->v[s->number].in_guest = m->vcpus[s->seen.vcpu].running;
	s->known = NOT_KNOWN;
}

/* Something is told of it. */
static inline void told(struct machine *m, struct msource *s)
{
	if (!s->irq)
		return;
	stir(m, s->irq->user);
	add_if_listed(m, s->irq);
}

/* In the state in which it was last looked at. */
static inline bool as_seen(const struct msource *s, const struct vgic_irq *q)
{
	uint64_t is[2], was[2];

	memcpy(is, &q->intid, sizeof(is));
	memcpy(was, &s->seen, sizeof(was));
	return !((is[0] ^ was[0]) | (is[1] ^ was[1]));
}

static inline bool is_same(const struct machine *m, const struct msource *s,
			   const struct vgic_irq *q)
{
	return s && s->known == (m->known | SAME) && as_seen(s, q);
}

static inline void keep_in_mind(const struct machine *m, struct msource *s,
				const struct vgic_irq *q)
{
	memcpy(&s->seen, &q->intid, sizeof(s->seen));
	s->known = m->known | SAME;
}

/*
 * Only what is told changes it now: it pends, and is to be delivered here. What is active an
 * EOIcount may end, the line of a mapped one may move, and other senders be left of an SGI.
 */
static inline bool lasts(const struct machine *m, const struct vgr_irq *seen, uint16_t index)
{
	const uint16_t what = VGR_IRQ_ACTIVE | VGR_IRQ_ENABLED | VGR_IRQ_HW;

	return listed_pending(seen) & ((seen->state & what) == VGR_IRQ_ENABLED) &
	       !(seen->source | seen->active_source) & (seen->target == index) &
	       m->vgic->dist_enabled;
}

/* While it was not looked at, it was on the list all the same. */
static void catch_up(struct machine *m, struct msource *s)
{
	/* Nothing counts in an LR. */
	if (s->left_out == WAITS)
		fates_listed(m->fates, s->number);
	raises_listed(m->raises, s->number);
	s->left_out = 0;
}

/* Its number. */
static inline uint32_t look_again(struct machine *m, struct msource *s, const struct vgic_irq *q)
{
	if (__builtin_expect(!s, 0))
		return number_of_stray(m, q);
	stir(m, s);
	if (s->left_out)
		catch_up(m, s);
	return s->number;
}

static bool more_room(struct machine *m, unsigned int n)
{
	struct vgic_irq **listed = realloc(m->listed, 2 * n * sizeof(struct vgic_irq *));
	uint32_t *off = realloc(m->off, 2 * n * sizeof(*off));

	m->listed = listed ? listed : m->listed;
	m->off = off ? off : m->off;
	m->nomem |= !listed || !off;
	m->cap_listed = m->nomem ? m->cap_listed : 2 * n;
	return !m->nomem;
}

/* Notes down how the list stands, with room for those to be looked at behind it. */
static void note_list(struct machine *m, const struct mvcpu *v)
{
	unsigned int most = v->vgic->list.count + v->nr_fresh;

	m->nr_listed = 0;
	if (most > m->cap_listed && !more_room(m, most))
		return;
	for (struct vgic_irq *q = v->vgic->list.head; q; q = q->next)
		m->listed[m->nr_listed++] = q;
}

static void forget_fresh(struct mvcpu *v)
{
	for (unsigned int i = 0; i < v->nr_fresh; i++) {
		struct msource *s = v->fresh[i]->user;

		if (s)
			s->fresh = false;
	}
	v->nr_fresh = 0;
}

void records_look_at_all(struct machine *m, struct mvcpu *v)
{
	v->known = m->known;
	forget_fresh(v);
	for (struct vgic_irq *q = v->vgic->list.head; q; q = q->next)
		add_fresh(m, v, q);
	v->in_order = true;
}

/* It pends, and no raise of it is known: the look at it will count one. */
static inline bool is_unexplained(struct machine *m, const struct vgic_irq *q)
{
	uint32_t number;

	if (!vgic_pending(q))
		return false;
	number = number_of(m, q);
	return !m->raises->v[number].waits && !m->raises->v[number].shown;
}

/* Raises have numbers in the order of the list. Those that have left it are none. */
static __attribute__((noinline)) void put_in_order(struct machine *m, struct mvcpu *v)
{
	unsigned int n = 0;

	note_list(m, v);
	for (unsigned int i = 0; i < m->nr_listed; i++)
		if (is_fresh(v, m->listed[i]))
			m->listed[n++] = m->listed[i];
	for (unsigned int i = 0; i < v->nr_fresh && !m->nomem; i++)
		if (v->fresh[i]->vcpu != v->index)
			m->listed[n++] = v->fresh[i];
	if (n == v->nr_fresh)
		memcpy(v->fresh, m->listed, n * sizeof(struct vgic_irq *));
	v->in_order = true;
}

static inline void order_fresh(struct machine *m, struct mvcpu *v)
{
	unsigned int n = 0;

	if (v->nr_fresh < 2 || v->in_order)
		return;
	for (unsigned int i = 0; i < v->nr_fresh; i++)
		n += is_unexplained(m, v->fresh[i]);
	if (n > 1)
		put_in_order(m, v);
}

void machine_records_prune(struct machine *m, unsigned int index)
{
	struct mvcpu *v = &m->vcpus[index];
	unsigned int n;

	note_list(m, v);
	vgic_prune(m->vgic, index);
	m->nr_off = 0;
	for (unsigned int i = 0; i < m->nr_listed; i++)
		if (m->listed[i]->vcpu != index)
			m->off[m->nr_off++] = look_again(m, m->listed[i]->user, m->listed[i]);
	n = v->nr_fresh;
	v->nr_fresh = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct msource *s = v->fresh[i]->user;

		if (v->fresh[i]->vcpu == index)
			v->fresh[v->nr_fresh++] = v->fresh[i];
		else if (s)
			s->fresh = false;
	}
	/* Another vCPU may have got it. */
	for (unsigned int i = 0; i < m->nr_listed; i++)
		if (m->listed[i]->vcpu != index)
			add_if_listed(m, m->listed[i]);
}

/* ---- in and out ---- */

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

bool machine_records_inside(struct machine *m, unsigned int index, const struct vgic_irq *irq)
{
	const struct vgic_vcpu *k = &m->vgic->vcpus[index];
	uint32_t number = number_of_stray(m, irq);

	for (unsigned int i = 0; i < k->used_lrs; i++)
		if ((k->lr[i] & VGIC_LR_STATE) && m->vcpus[index].in_lr[i].number == number)
			return true;
	return false;
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

/* The vgic knows for certain whether it stands in another order than before the flush. */
static inline bool knows_order(const struct machine *m, const struct vgic_vcpu *k)
{
	return !m->sorts_otherwise && k->list.count <= VGIC_RANKED;
}

void records_of_flush_begun(struct machine *m, struct mvcpu *v)
{
	struct vgic_fates *fates = m->fates;
	struct vgic_raises *raises = m->raises;
	struct vgr_flush *f = &m->flush;
	uint64_t now = m->now;

	f->r.time = f->begin = now;
	f->r.vcpu = v->index;
	f->dist_enabled = m->vgic->dist_enabled;
	look_at_groups(m, v);
	if (v->known != m->known)
		records_look_at_all(m, v);
	order_fresh(m, v);
	for (unsigned int i = 0; i < v->nr_fresh; i++) {
		const struct vgic_irq *q = v->fresh[i];
		struct msource *s = q->user;
		struct raises_entry *e;
		uint32_t number;

		if (is_same(m, s, q)) {
			e = &raises->v[s->number];
			raises_on_list(raises, v->raises, f, e, !raises_is_listed(raises, e));
			continue;
		}
		number = look_again(m, s, q);
		fates_look(fates, fates_numbered(fates, number), v->index, state_of(q), now);
		if (raises_look_before(raises, v->raises, f, &raises->v[number], state_of(q)))
			m->nomem = true;
		if (s)
			keep_in_mind(m, s, q);
	}
	for (unsigned int i = 0; i < m->nr_off; i++)
		if (fates->v[m->off[i]].listed)
			fates_left_list(&fates->v[m->off[i]], v->index);
	m->nr_off = 0;
	if (!knows_order(m, v->vgic))
		note_list(m, v);
}

static bool is_reordered(const struct machine *m, const struct vgic_vcpu *k)
{
	const struct vgic_irq *q = k->list.head;

	if (!k->sorted || !k->moved || knows_order(m, k))
		return k->sorted && k->moved;
	for (unsigned int i = 0; i < m->nr_listed; i++, q = q->next)
		if (m->listed[i] != q)
			return true;
	return false;
}

/*
 * Written to an LR by the flush. kept: what is known of one that was in an LR before, and stays
 * in one; true if it is such a one.
 */
static inline bool populated(struct machine *m, struct mvcpu *v, unsigned int i, uint64_t kept,
			     uint64_t time)
{
	uint64_t lr = v->vgic->lr[i];
	struct vgic_irq *irq;
	struct msource *s;

	/* Nothing of an interrupt is in it. */
	v->in_lr[i].lr = lr;
	v->in_lr[i].source = NULL;
	if (__builtin_expect(!(lr & VGIC_LR_STATE), 0))
		return false;
	irq = vgic_find(m->vgic, v->index, machine_intid(m, lr));
	if (__builtin_expect(!irq || irq->vcpu != v->index, 0))
		irq = find_listed(m, v->vgic, machine_intid(m, lr));
	s = irq->user;
	v->in_lr[i].number = number_of(m, irq);
	if (s) {
		v->in_lr[i].source = s;
		s->again = s->inside == v->flush;
		s->inside = m->flushes;
		if (s->due && (lr & VGIC_LR_PENDING))
			s->in_lr = true;
		if (s->known == kept)
			return true;
		/* It waited until now, and this flush is another one that has it on the list. */
		if (s->left_out) {
			catch_up(m, s);
			m->raises->v[s->number].on_flush++;
			s->known = m->known | SAME;
			s->again = true;
			add_fresh(m, v, irq);
		}
	}
	if ((lr & VGIC_LR_PENDING) &&
	    raises_enter_lr(m->raises, &m->raises->v[v->in_lr[i].number], time))
		m->nomem = true;
	return false;
}

/* Those that stayed in an LR until this flush, which has left them out. */
static __attribute__((noinline)) void count_pushed_out(struct machine *m, struct mvcpu *v)
{
	for (struct vgic_irq *q = v->vgic->list.head; q; q = q->next) {
		struct msource *s = q->user;

		if (!s || s->known != (m->known | STAYS) || s->inside == m->flushes)
			continue;
		m->raises->v[s->number].in_guest = false;
		fates_counted(m->fates, &m->flush, &m->fates->v[s->number], state_of(q));
		s->known = m->known | WAITS;
		s->left_out = WAITS;
	}
}

/* Those of the list that were looked at, as the flush leaves them. */
static inline void count_fresh(struct machine *m, struct mvcpu *v)
{
	struct vgic_fates *fates = m->fates;
	unsigned int n = 0;

	for (unsigned int i = 0; i < v->nr_fresh; i++) {
		struct vgic_irq *irq = v->fresh[i];
		uint32_t number = number_of(m, irq);
		struct fates_entry *e = &fates->v[number];
		struct msource *s = irq->user;
		bool inside = machine_inside(m, v->index, irq);

		if (inside)
			fates_inside(e, state_of(irq));
		else
			fates_counted(fates, &m->flush, e, state_of(irq));
		/* Most that are in an LR for the first time are so for the last time, too. */
		if (s && (!inside || s->again) && lasts(m, &s->seen, v->index)) {
			s->left_out = inside ? STAYS : WAITS;
			s->known = m->known | s->left_out;
			s->fresh = false;
			continue;
		}
		v->fresh[n++] = irq;
	}
	v->nr_fresh = n;
}

void records_of_flush(struct machine *m, struct mvcpu *v, uint64_t time)
{
	const struct vgic_vcpu *k = v->vgic;
	uint64_t kept = m->known | STAYS;
	unsigned int kept_here = 0;

	m->flush.vmcr = k->vmcr;
	if (is_reordered(m, k)) {
		m->cell->reordered += !m->uncounted;
		v->in_order = false;
	}
	/* The flush of an empty list may have filled none. */
	v->nr_in_lr = k->list.count ? k->used_lrs : 0;
	for (unsigned int i = 0; i < v->nr_in_lr; i++)
		kept_here += populated(m, v, i, kept, time);
	v->fates->entries++;
	if (kept_here < v->nr_stays)
		count_pushed_out(m, v);
	count_fresh(m, v);
	v->flush = m->flushes;
	v->running = true;
}

/* The LRs as the flush filled them, and as the guest left them. */
static inline void look_at_lrs(struct machine *m, struct mvcpu *v)
{
	const struct vgic_vcpu *k = v->vgic;
	/* Nothing stays in an LR that was not folded. */
	uint64_t kept = (k->used_lrs ? 0 : m->known) | STAYS;

	v->nr_stays = 0;
	for (unsigned int i = 0; i < v->nr_in_lr; i++) {
		uint64_t was = v->in_lr[i].lr, is = k->lr[i];
		struct msource *s = v->in_lr[i].source;
		uint32_t number = v->in_lr[i].number;

		if (is == was && s && s->known == kept) {
			v->nr_stays++;
			continue;
		}
		if (was & VGIC_LR_PENDING)
			raises_run_of_lr(m->raises, &m->raises->v[number], is);
		if (!(was & VGIC_LR_STATE))
			continue;
		if (is != was)
			fates_run_of_lr(m->fates, &m->fates->v[number], was, is, m->now);
		if (!s)
			continue;
		if (is != was)
			s->known = NOT_KNOWN;
		add_fresh(m, v, s->irq);
	}
}

void records_of_sync(struct machine *m, struct mvcpu *v)
{
	struct vgic_fates *fates = m->fates;
	struct vgic_raises *raises = m->raises;
	uint64_t now = m->now;
	unsigned int n;

	if (v->running) {
		v->running = false;
		look_at_lrs(m, v);
	}
	order_fresh(m, v);
	n = v->nr_fresh;
	v->nr_fresh = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct vgic_irq *q = v->fresh[i];
		struct msource *s = q->user;
		struct fates_entry *e;
		uint32_t number;

		if (is_same(m, s, q) && vgic_pending(q)) {
			v->fresh[v->nr_fresh++] = q;
			continue;
		}
		number = look_again(m, s, q);
		e = fates_numbered(fates, number);
		fates_look(fates, e, v->index, state_of(q), now);
		if (raises_look(raises, v->raises, &raises->v[number], state_of(q), now))
			m->nomem = true;
		e->listed = q->vcpu == v->index;
		if (e->listed) {
			v->fresh[v->nr_fresh++] = q;
			if (s)
				keep_in_mind(m, s, q);
			continue;
		}
		if (s)
			s->fresh = false;
		/* Another vCPU may have got it. */
		add_if_listed(m, q);
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
	told(m, s);
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
	told(m, s);
	raises_edge(m->raises, &m->raises->v[s->number], m->now);
}

void machine_records_dir(struct machine *m, struct msource *s)
{
	told(m, s);
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
			told(m, irq->user);
		else
			number_of_stray(m, irq);
	}
	tell(m, &s.r);
}

void machine_records_sent(struct machine *m, struct vgic_irq *irq)
{
	add_if_listed(m, irq);
}

void machine_records_touched(struct machine *m, struct msource *s)
{
	told(m, s);
}

void machine_records_write(struct machine *m)
{
	struct vgr_mmio w = {.r = head(m, VGR_MMIO, 0), .write = 1};

	m->known += KNOWN_STEP;
	tell(m, &w.r);
}
