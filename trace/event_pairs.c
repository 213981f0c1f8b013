// SPDX-License-Identifier: GPL-2.0-only
/* Flush and sync: one record each, out of several events on one physical CPU. */
#include <string.h>
#include "event_internal.h"

/* ---- interrupts ---- */

static bool flag_set(const unsigned char *irq, const struct vgr_event_flag *flag, bool big_endian)
{
	switch (flag->width) {
	case 1:
		return irq[flag->bit / 8] &
		       (big_endian ? 0x80 >> flag->bit % 8 : 1 << flag->bit % 8);
	case 8:
	case 32:
		return event_memory_number(irq + flag->bit / 8, flag->width / 8, big_endian);
	default:
		return false;
	}
}

/* Which vCPU is at that address? false: nobody knows. */
static bool vcpu_at(struct vgr_events *e, uint64_t addr, uint64_t self, uint16_t self_idx,
		    uint16_t *vcpu)
{
	struct identity *id;
	size_t i;

	*vcpu = VGR_NO_VCPU;
	if (!addr)
		return true;
	if (addr == self) {
		*vcpu = self_idx;
		return true;
	}
	for (i = 0; i < e->nr_vcpus; i++) {
		id = &e->vcpus[i];
		if (id->addr == addr) {
			*vcpu = id->vcpu;
			return true;
		}
	}
	for (i = 0; i < e->nr_learned; i++) {
		if (e->learned[i].addr == addr && !e->learned[i].ambiguous) {
			*vcpu = e->learned[i].vcpu;
			return true;
		}
	}
	return false;
}

static uint64_t word(const struct vgr_events *e, const unsigned char *irq, unsigned int at,
		     unsigned int size)
{
	return event_memory_number(irq + at, size, e->formats.big_endian);
}

/* irq: the kernel's structure. self: address of the vCPU whose list it is on. */
static void convert_irq(struct vgr_events *e, const unsigned char *irq, uint64_t self,
			uint16_t self_idx, struct vgr_irq *to)
{
	const struct vgr_event_facts *f = &e->facts;
	bool be = e->formats.big_endian;
	uint16_t state = 0;

	memset(to, 0, sizeof(*to));
	to->intid = word(e, irq, f->intid, 4);
	state |= flag_set(irq, &f->line, be) ? VGR_IRQ_LINE : 0;
	state |= flag_set(irq, &f->latch, be) ? VGR_IRQ_LATCH : 0;
	state |= flag_set(irq, &f->active, be) ? VGR_IRQ_ACTIVE : 0;
	state |= flag_set(irq, &f->enabled, be) ? VGR_IRQ_ENABLED : 0;
	state |= flag_set(irq, &f->hw, be) ? VGR_IRQ_HW : 0;
	state |= flag_set(irq, &f->config, be) ? VGR_IRQ_LEVEL : 0;
	state |= flag_set(irq, &f->on_lr, be) ? VGR_IRQ_ON_LR : 0;
	state |= flag_set(irq, &f->mapped, be) ? VGR_IRQ_MAPPED : 0;
	state |= word(e, irq, f->group, 1) & 1 ? VGR_IRQ_GROUP1 : 0;
	/* Only the timers have operations where lists are kept, and they sample their level. */
	if (word(e, irq, f->ops, 8))
		state |= VGR_IRQ_GETLEVEL | (f->no_hw_deactivation ? VGR_IRQ_RESAMPLE : 0);
	to->priority = word(e, irq, f->priority, 1);
	to->source = word(e, irq, f->source, 1);
	to->active_source = word(e, irq, f->active_source, 1);
	to->hwintid = word(e, irq, f->hwintid, 4);
	if (!vcpu_at(e, word(e, irq, f->vcpu, 8), self, self_idx, &to->vcpu) ||
	    !vcpu_at(e, word(e, irq, f->target, 8), self, self_idx, &to->target))
		state |= VGR_IRQ_GONE;
	to->state = state;
}

/* What a list tells of the line of an interrupt. */
static void learn_line(struct vgr_events *e, uint16_t vm, uint16_t vcpu, const struct vgr_irq *irq)
{
	struct line *line;

	if (irq->intid >= 1020)
		return;
	line = event_line(e, vm, irq->intid < 32 ? vcpu : VGR_NO_VCPU, irq->intid);
	if (!line)
		return;
	line->edge = !(irq->state & VGR_IRQ_LEVEL);
	line->edge_seen |= line->edge;
	line->level_seen |= !line->edge;
	line->high = irq->state & VGR_IRQ_LINE;
}

/* ---- lists ---- */

/*
 * Entry k of one direction. before: the entry that leads here, to which it must lead back.
 * false: it is not in the event, or the list changed meanwhile.
 */
static const unsigned char *entry_at(struct event *ev, unsigned int field, uint64_t before,
				     bool backwards)
{
	const struct vgr_event_facts *f = &ev->e->facts;
	const unsigned char *irq = event_memory(&ev->d, field, f->irq_size);

	if (!irq || word(ev->e, irq, f->list + (backwards ? 0 : 8), 8) != before)
		return NULL;
	return irq;
}

struct walk {
	struct event_list *l;
	uint64_t self, head;
	uint16_t vm, vcpu;
};

static void keep(struct event *ev, const struct walk *w, unsigned int at, uint64_t node,
		 const unsigned char *irq)
{
	w->l->addr[at] = node - ev->e->facts.list;
	convert_irq(ev->e, irq, w->self, w->vcpu, &w->l->irq[at]);
	learn_line(ev->e, w->vm, w->vcpu, &w->l->irq[at]);
}

static bool has_entry(const struct event *ev, unsigned int way, unsigned int k)
{
	return k < VGR_EVENT_ONE_WAY && event_has(&ev->d, EF_ENTRIES + way + k);
}

/* From the tail to where the walk from the head ended, which is at node, after l->n entries. */
static void walk_back(struct event *ev, const struct walk *w, uint64_t last, uint64_t node)
{
	const struct vgr_event_facts *f = &ev->e->facts;
	const unsigned char *found[VGR_EVENT_ONE_WAY];
	uint64_t nodes[VGR_EVENT_ONE_WAY];
	uint64_t after = w->head, at = last;
	unsigned int k, i;

	for (k = 0; has_entry(ev, VGR_EVENT_ONE_WAY, k); k++) {
		found[k] = entry_at(ev, EF_ENTRIES + VGR_EVENT_ONE_WAY + k, after, true);
		if (!found[k] || word(ev->e, found[k], f->vcpu, 8) != w->self) {
			w->l->flags |= VGR_F_TORN;
			w->l->total = w->l->n + 1;
			return;
		}
		nodes[k] = at;
		if (at == node) {
			for (i = 0; i <= k; i++)
				keep(ev, w, w->l->n + i, nodes[k - i], found[k - i]);
			w->l->n += k + 1;
			w->l->total = w->l->n;
			return;
		}
		after = at;
		at = word(ev->e, found[k], f->list + 8, 8);
	}
	/* Those in the middle are missing; there is at least one. */
	w->l->flags |= VGR_F_CUT;
	w->l->total = w->l->n + k + 1;
}

/* The list of the vCPU at self, whose number is vcpu. */
static void read_list(struct event *ev, uint64_t self, uint16_t vm, uint16_t vcpu,
		      struct event_list *l)
{
	const struct vgr_event_facts *f = &ev->e->facts;
	struct walk w = {.l = l, .self = self, .head = self + f->head, .vm = vm, .vcpu = vcpu};
	uint64_t at = event_number(&ev->d, EF_FIRST, &ev->ok), before = w.head;
	uint64_t last = event_number(&ev->d, EF_LAST, &ev->ok);
	const unsigned char *irq;

	memset(l, 0, sizeof(*l));
	while (ev->ok && at != w.head) {
		if (!has_entry(ev, 0, l->n)) {
			walk_back(ev, &w, last, at);
			return;
		}
		irq = entry_at(ev, EF_ENTRIES + l->n, before, false);
		if (!irq || word(ev->e, irq, f->vcpu, 8) != self) {
			l->flags |= VGR_F_TORN;
			break;
		}
		keep(ev, &w, l->n, at, irq);
		l->n++;
		before = at;
		at = word(ev->e, irq, f->list, 8);
	}
	l->total = l->n + !!(l->flags & VGR_F_TORN);
}

/* ---- the interface ---- */

static void read_interface(struct event *ev, struct event_interface *to)
{
	const struct vgr_event_facts *f = &ev->e->facts;
	unsigned int i;

	memset(to, 0, sizeof(*to));
	to->hcr = event_number(&ev->d, EF_HCR, &ev->ok);
	to->vmcr = event_number(&ev->d, EF_VMCR, &ev->ok);
	to->used = event_number(&ev->d, EF_USED, &ev->ok);
	to->nr = f->nr_lr;
	for (i = 0; i < to->nr && i < VGR_MAX_LRS; i++)
		to->lr[i] = event_number_at(&ev->d, EF_LR, i, &ev->ok);
	/* A count that the host cannot have: the event is not what it says. */
	if (to->used > to->nr)
		ev->ok = false;
}

static int32_t read_counter(struct event *ev)
{
	if (!event_has(&ev->d, EF_ACTIVE_SPIS))
		return -1;
	return event_number(&ev->d, EF_ACTIVE_SPIS, &ev->ok);
}

static uint16_t read_mode(struct event *ev)
{
	if (!event_has(&ev->d, EF_MODE))
		return 0;
	return event_number(&ev->d, EF_MODE, &ev->ok) ? VGR_F_INSIDE : VGR_F_OUTSIDE;
}

/* ---- pairs ---- */

/* The vCPU whose flush or sync begins; NULL: it is not recorded, or the kernel is not known. */
static struct identity *enter(struct event *ev, bool flush, int *err)
{
	struct cpu *c = ev->c;
	struct identity *id;

	c->phase = PHASE_NONE;
	c->in_sync = false;
	if (!ev->e->have_facts) {
		ev->e->totals.too_early++;
		return NULL;
	}
	id = event_own_vcpu(ev, err);
	c->run_known = c->loaded_known = id;
	if (!id)
		return NULL;
	if (flush && !id->announced) {
		id->announced = true;
		*err = event_announce(ev, id);
	}
	c->run_vm = c->loaded_vm = id->vm;
	c->run_vcpu = c->loaded_vcpu = id->vcpu;
	c->run_tid = ev->tid;
	c->vcpu = event_number(&ev->d, EF_VCPU, &ev->ok);
	c->begin = ev->time;
	c->flags = read_mode(ev);
	c->nested = c->folded = false;
	c->nr_folded = 0;
	return *err ? NULL : id;
}

static void count_flags(struct vgr_events *e, uint16_t flags)
{
	if (flags & VGR_F_CUT)
		e->totals.cut++;
}

int event_flush_begin(struct event *ev)
{
	int err = 0;
	struct identity *id = enter(ev, true, &err);

	if (!id)
		return err;
	read_list(ev, ev->c->vcpu, id->vm, id->vcpu, &ev->c->before);
	if (ev->ok)
		ev->c->phase = PHASE_FLUSH;
	return 0;
}

int event_flush_end(struct event *ev, uint16_t flags)
{
	struct cpu *c = ev->c;
	struct vgr_events *e = ev->e;
	struct event_interface in;
	struct event_list after;
	struct vgr_flush *f;
	char *to;

	if (c->phase != PHASE_FLUSH)
		return 0;
	c->phase = PHASE_NONE;
	if (event_number(&ev->d, EF_VCPU, &ev->ok) != c->vcpu)
		return 0;
	read_list(ev, c->vcpu, c->run_vm, c->run_vcpu, &after);
	read_interface(ev, &in);
	f = event_record(ev, VGR_FLUSH, vgr_flush_size(c->before.n, after.n, in.nr), c->run_vm,
			 c->run_vcpu);
	f->begin = c->begin;
	f->hcr = in.hcr;
	f->vmcr = in.vmcr;
	f->boundary = VGR_BOUNDARY_UNKNOWN;
	f->active_spis = read_counter(ev);
	f->used_lrs = in.used;
	f->nr_lr = in.nr;
	f->n_before = c->before.n;
	f->total_before = c->before.total;
	f->n_after = after.n;
	f->total_after = after.total;
	f->dist_enabled = !!event_number(&ev->d, EF_ENABLED, &ev->ok);
	f->nested = c->nested;
	if ((flags & VGR_F_NO_CONFIG) && !e->facts.on_lr.width && !c->before.n && !in.used)
		flags |= VGR_F_SKIPPED;
	f->r.flags = c->flags | c->before.flags | after.flags | flags;
	to = (char *)(f + 1);
	memcpy(to, c->before.irq, c->before.n * sizeof(struct vgr_irq));
	to += c->before.n * sizeof(struct vgr_irq);
	memcpy(to, after.irq, after.n * sizeof(struct vgr_irq));
	to += after.n * sizeof(struct vgr_irq);
	memcpy(to, in.lr, in.nr * sizeof(uint64_t));
	if (!ev->ok)
		return 0;
	c->phase = PHASE_RUN;
	count_flags(e, f->r.flags);
	return event_emit(ev);
}

static void start_sync(struct event *ev, const struct identity *id)
{
	ev->c->active_spis = read_counter(ev);
	read_list(ev, ev->c->vcpu, id->vm, id->vcpu, &ev->c->before);
	if (ev->ok)
		ev->c->phase = PHASE_SYNC;
}

int event_sync_begin(struct event *ev)
{
	int err = 0;
	struct identity *id = enter(ev, false, &err);

	if (id)
		start_sync(ev, id);
	return err;
}

int event_sync_fold(struct event *ev)
{
	struct cpu *c = ev->c;

	/* Where nothing can happen to the list before, a sync is seen from here on. */
	if (event_has(&ev->d, EF_FIRST)) {
		int err = event_sync_begin(ev);

		if (err)
			return err;
	}
	if (c->phase != PHASE_SYNC || event_number(&ev->d, EF_VCPU, &ev->ok) != c->vcpu)
		return 0;
	read_interface(ev, &c->interface);
	if (!ev->ok) {
		c->phase = PHASE_NONE;
		return 0;
	}
	c->folded = true;
	c->in_sync = true;
	return 0;
}

int event_folded(struct event *ev)
{
	struct cpu *c = ev->c;
	const unsigned char *irq;
	struct folded *f;

	if (!ev->e->have_facts || c->phase != PHASE_SYNC || c->nr_folded >= MAX_FOLDED)
		return 0;
	irq = event_memory(&ev->d, EF_ENTRIES, ev->e->facts.irq_size);
	if (!irq) {
		ev->ok = false;
		return 0;
	}
	f = &c->irqs[c->nr_folded];
	f->addr = event_number(&ev->d, EF_IRQ, &ev->ok);
	convert_irq(ev->e, irq, c->vcpu, c->run_vcpu, &f->irq);
	if (!ev->ok)
		return 0;
	c->nr_folded++;
	/* A level that is resampled falls without an injection. */
	learn_line(ev->e, c->run_vm, c->run_vcpu, &f->irq);
	return 0;
}

/*
 * An interrupt that has left the list: as it was when its list register had been folded, which
 * is the last thing that happens to it; but it is in no register now, and on another list
 * if it is to be delivered to another vCPU. false: there is no telling.
 */
static bool as_folded(const struct cpu *c, uint64_t addr, uint32_t intid, struct vgr_irq *to)
{
	unsigned int i;

	for (i = c->nr_folded; i > 0; i--) {
		const struct folded *f = &c->irqs[i - 1];
		uint16_t state = f->irq.state;
		bool pending = state & (VGR_IRQ_LATCH | VGR_IRQ_LINE);

		if (f->addr != addr)
			continue;
		if (f->irq.intid != intid || (state & VGR_IRQ_ACTIVE))
			return false;
		*to = f->irq;
		to->state &= ~VGR_IRQ_ON_LR;
		to->vcpu = VGR_NO_VCPU;
		if (pending && (state & VGR_IRQ_ENABLED)) {
			if (to->target == c->run_vcpu)
				return false;
			to->vcpu = to->target;
		}
		return true;
	}
	return false;
}

static void after_sync(struct event *ev, const struct event_list *after, struct vgr_irq *to,
		       uint16_t *flags)
{
	const struct cpu *c = ev->c;
	unsigned int i, k;
	bool gone = false;

	for (i = 0; i < c->before.n; i++) {
		for (k = 0; k < after->n && after->addr[k] != c->before.addr[i]; k++)
			;
		if (k < after->n) {
			to[i] = after->irq[k];
		} else if (!after->flags &&
			   as_folded(c, c->before.addr[i], c->before.irq[i].intid, &to[i])) {
			*flags |= VGR_F_AT_FOLD;
		} else {
			memset(&to[i], 0, sizeof(to[i]));
			to[i].state = VGR_IRQ_GONE;
			to[i].vcpu = to[i].target = VGR_NO_VCPU;
			gone = true;
		}
	}
	ev->e->totals.gone += gone;
}

/* A sync without a fold: what it is at its end is all that is known. */
static int sync_at_end(struct event *ev)
{
	struct cpu *c = ev->c;
	bool fresh = c->phase == PHASE_RUN && !ev->e->formats.defined[VGR_EV_SYNC_BEGIN];

	if (c->phase != PHASE_SYNC && fresh) {
		int err = event_sync_begin(ev);

		if (err)
			return err;
	}
	if (c->phase == PHASE_SYNC && !c->folded) {
		read_interface(ev, &c->interface);
		c->flags |= VGR_F_NO_FOLD;
		if (!ev->e->facts.on_lr.width && !c->before.n)
			c->flags |= VGR_F_SKIPPED;
	}
	return 0;
}

int event_sync_end(struct event *ev)
{
	struct cpu *c = ev->c;
	struct event_list after;
	struct vgr_sync *s;
	unsigned int i, used;
	int err = sync_at_end(ev);
	char *to;

	c->in_sync = false;
	if (err || c->phase != PHASE_SYNC || event_number(&ev->d, EF_VCPU, &ev->ok) != c->vcpu) {
		c->phase = PHASE_NONE;
		return err;
	}
	c->phase = PHASE_NONE;
	read_list(ev, c->vcpu, c->run_vm, c->run_vcpu, &after);
	used = c->interface.used;
	s = event_record(ev, VGR_SYNC, vgr_sync_size(c->before.n, used, after.n), c->run_vm,
			 c->run_vcpu);
	s->begin = c->begin;
	s->hcr = c->interface.hcr;
	s->vmcr = c->interface.vmcr;
	s->boundary = VGR_BOUNDARY_UNKNOWN;
	s->active_spis_before = c->active_spis;
	s->active_spis_after = read_counter(ev);
	s->used_lrs = used;
	s->n_before = c->before.n;
	s->total_before = c->before.total;
	s->n_after = after.n;
	s->total_after = after.total;
	s->dist_enabled = !!event_number(&ev->d, EF_ENABLED, &ev->ok);
	s->nested = c->nested;
	s->r.flags = c->flags | c->before.flags | after.flags;
	to = (char *)(s + 1);
	memcpy(to, c->before.irq, s->n_before * sizeof(struct vgr_irq));
	to += s->n_before * sizeof(struct vgr_irq);
	after_sync(ev, &after, (struct vgr_irq *)to, &s->r.flags);
	to += s->n_before * sizeof(struct vgr_irq);
	memcpy(to, c->interface.lr, used * sizeof(uint64_t));
	to += used * sizeof(uint64_t);
	for (i = 0; i < after.n; i++)
		memcpy(to + i * sizeof(uint32_t), &after.irq[i].intid, sizeof(uint32_t));
	if (!ev->ok)
		return 0;
	count_flags(ev->e, s->r.flags);
	return event_emit(ev);
}
