/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/parting.h>
#include <vgicsim/vgic.h>

/* A flush that left interrupts outside; the first one of its kind on its side. */
struct seen {
	uint64_t demand; /* hash of vCPU and set of what was listed */
	uint64_t set;	 /* hash of what the LRs held */
	uint64_t order;	 /* the same, order included */
	uint64_t record, time;
	size_t at; /* LRs, then the list, in the pool */
	uint16_t vcpu, nr_lr, nr_list;
};

struct side {
	struct seen *v;
	size_t n, cap;
	uint16_t vm;
	uint64_t records, start;
	uint32_t *index; /* hash of (demand, order) to seen + 1 */
	size_t nr_index;
};

struct vgic_parting {
	struct side side[2];
	uint64_t *pool;
	size_t nr_pool, cap_pool;
};

int vgic_parting_create(struct vgic_parting **out, const uint16_t vm[2])
{
	struct vgic_parting *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	for (int i = 0; i < 2; i++)
		p->side[i].vm = vm[i];
	*out = p;
	return 0;
}

void vgic_parting_destroy(struct vgic_parting *p)
{
	if (!p)
		return;
	for (int i = 0; i < 2; i++) {
		free(p->side[i].v);
		free(p->side[i].index);
	}
	free(p->pool);
	free(p);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static bool is_pending(const struct vgr_irq *q)
{
	return (q->state & VGR_IRQ_LATCH) ||
	       ((q->state & VGR_IRQ_LEVEL) && (q->state & VGR_IRQ_LINE));
}

static uint64_t shown_of(const struct vgr_irq *q)
{
	return q->intid | (is_pending(q) ? VGIC_SHOWN_PENDING : 0) |
	       (q->state & VGR_IRQ_ACTIVE ? VGIC_SHOWN_ACTIVE : 0);
}

/* What makes two entries of a list the same demand. */
static uint64_t demand_of(const struct vgr_irq *q)
{
	const uint16_t what = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1 | VGR_IRQ_LEVEL | VGR_IRQ_HW;

	return mix(mix(shown_of(q)) + ((uint64_t)q->priority << 16 | (q->state & what)));
}

static int pool_put(struct vgic_parting *p, uint64_t value)
{
	if (p->nr_pool == p->cap_pool) {
		size_t cap = p->cap_pool ? p->cap_pool * 2 : 4096;
		uint64_t *v = realloc(p->pool, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->pool = v;
		p->cap_pool = cap;
	}
	p->pool[p->nr_pool++] = value;
	return 0;
}

static int grow_index(struct side *s)
{
	size_t n = s->nr_index ? s->nr_index * 2 : 1024;
	uint32_t *v = calloc(n, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		size_t h = mix(s->v[i].demand + s->v[i].order) & (n - 1);

		while (v[h])
			h = (h + 1) & (n - 1);
		v[h] = (uint32_t)i + 1;
	}
	free(s->index);
	s->index = v;
	s->nr_index = n;
	return 0;
}

/* Adds seen unless its side has the same already; 1: added. */
static int add(struct side *s, const struct seen *seen)
{
	if (s->n * 2 >= s->nr_index && grow_index(s))
		return -ENOMEM;
	size_t h = mix(seen->demand + seen->order) & (s->nr_index - 1);

	for (; s->index[h]; h = (h + 1) & (s->nr_index - 1)) {
		const struct seen *o = &s->v[s->index[h] - 1];

		if (o->demand == seen->demand && o->order == seen->order)
			return 0;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct seen *v = realloc(s->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = *seen;
	s->index[h] = (uint32_t)s->n;
	return 1;
}

int vgic_parting_record(struct vgic_parting *p, unsigned int which, const struct vgr_rec *rec)
{
	const struct vgr_flush *f = (const struct vgr_flush *)rec;
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	struct side *s = &p->side[which & 1];

	if (!s->records++)
		s->start = rec->time;
	if (rec->type != VGR_FLUSH || rec->vm != s->vm || f->nested ||
	    (rec->flags & (VGR_F_CUT | VGR_F_TORN)) || f->n_before <= f->used_lrs)
		return 0;
	const uint64_t *lr = (const uint64_t *)(before + f->n_before + f->n_after);
	struct seen seen = {
		.demand = mix((uint64_t)(f->vmcr & (VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1)) << 16 |
			      rec->vcpu),
		.record = s->records,
		.time = rec->time - s->start,
		.at = p->nr_pool,
		.vcpu = rec->vcpu,
		.nr_list = f->n_before,
	};
	const uint64_t what = VGIC_LR_STATE | VGIC_LR_VINTID;

	for (unsigned int i = 0; i < f->n_before; i++)
		seen.demand += demand_of(&before[i]);
	for (unsigned int i = 0; i < f->used_lrs && i < f->nr_lr; i++) {
		if (!(lr[i] & VGIC_LR_STATE))
			continue;
		seen.set += mix(lr[i] & what);
		seen.order = mix(seen.order + (lr[i] & what));
		seen.nr_lr++;
	}
	int ret = add(s, &seen);

	if (ret <= 0)
		return ret;
	for (unsigned int i = 0; i < f->used_lrs && i < f->nr_lr; i++)
		if ((lr[i] & VGIC_LR_STATE) && pool_put(p, lr[i] & what))
			return -ENOMEM;
	for (unsigned int i = 0; i < f->n_before; i++)
		if (pool_put(p, shown_of(&before[i])))
			return -ENOMEM;
	return 0;
}

static int by_demand(const void *pa, const void *pb)
{
	const struct seen *a = pa, *b = pb;

	if (a->demand != b->demand)
		return a->demand < b->demand ? -1 : 1;
	return a->record < b->record ? -1 : a->record > b->record;
}

static void fill(const struct vgic_parting *p, const struct seen *s, struct vgic_shown *to)
{
	*to = (struct vgic_shown){
		.record = s->record,
		.time_ns = s->time,
		.lr = p->pool + s->at,
		.nr_lr = s->nr_lr,
		.list = p->pool + s->at + s->nr_lr,
		.nr_list = s->nr_list,
	};
}

int vgic_parting_find(struct vgic_parting *p, struct vgic_parting_point *point)
{
	struct side *a = &p->side[0], *b = &p->side[1];
	const struct seen *best_a = NULL, *best_b = NULL;
	bool order_only = false;

	/* Not needed any more, and wrong once the other side is sorted. */
	free(b->index);
	b->index = NULL;
	b->nr_index = 0;
	if (b->n)
		qsort(b->v, b->n, sizeof(*b->v), by_demand);
	for (size_t i = 0; i < a->n; i++) {
		const struct seen *x = &a->v[i];
		size_t from = 0, to = b->n;
		bool same_set = false, same = false;

		while (from < to) {
			size_t mid = from + (to - from) / 2;

			if (b->v[mid].demand < x->demand)
				from = mid + 1;
			else
				to = mid;
		}
		for (to = from; to < b->n && b->v[to].demand == x->demand; to++) {
			same_set |= b->v[to].set == x->set;
			same |= b->v[to].order == x->order;
		}
		if (from == to || same || (best_a && (same_set || !order_only)))
			continue;
		best_a = x;
		best_b = &b->v[from];
		order_only = same_set;
		if (!order_only)
			break;
	}
	if (!best_a)
		return 0;
	point->vcpu = best_a->vcpu;
	point->order_only = order_only;
	fill(p, best_a, &point->side[0]);
	fill(p, best_b, &point->side[1]);
	return 1;
}
