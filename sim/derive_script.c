/* SPDX-License-Identifier: GPL-2.0-only */
/* The stream of one vCPU becomes frames: background and handlers, each on its own time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derive_internal.h"

struct frame {
	uint32_t script;
	uint32_t last_op;
	uint64_t own;
	uint32_t acked; /* of interrupts this frame asked for */
	uint32_t nested;
};

struct raiser {
	uint32_t script; /* frame that asked for the source, VGIC_WL_NONE if none */
};

#define FOREIGN 1u /* no DIR on the vCPU that took it, so far */
#define CROSSED 2u /* its DIR is not part of its handler */
#define DROPPED 4u /* EOIR seen */
#define HAS_DIR 8u /* a DIR was seen, on whatever vCPU */

/* A DIR without a trace that the program writes after item at of the stream. */
struct owed {
	size_t at;
	uint32_t script;
};

struct builder {
	struct vgic_derive *d;
	struct vgic_workload *wl;
	uint16_t vcpu;
	struct frame *stack;
	size_t n, cap;
	uint64_t g;
	uint8_t *crossed;      /* by script */
	struct raiser *raiser; /* by source */
	struct owed *owed;
	size_t nr_owed, cap_owed;
};

/*
 * With EOImode 1 a handler may deactivate itself, or a later part of the program
 * may deactivate many at once. Where acknowledges and DIRs of two interrupts
 * cross, neither DIR belongs to its handler.
 */
static int find_crossings(struct builder *b, const struct dvcpu *v)
{
	uint32_t *open = calloc(v->nr_items + 1, sizeof(*open));
	size_t n = 0;

	if (!open)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_items; i++) {
		const struct item *it = &v->items[i];
		size_t at;

		vgic_store_pace(b->wl->store, i);
		if (it->kind == ITEM_ACK) {
			/* Dropped, and the program went on: its DIR is part of the program. */
			for (size_t k = 0; k < n; k++)
				if (b->crossed[open[k]] & DROPPED)
					b->crossed[open[k]] |= CROSSED;
			b->crossed[it->script] |= FOREIGN;
			open[n++] = it->script;
			continue;
		}
		if (it->kind == VGIC_OP_DROP && it->script != VGIC_WL_NONE)
			b->crossed[it->script] |= DROPPED;
		if (it->kind != VGIC_OP_EOI && it->kind != VGIC_OP_DIR)
			continue;
		for (at = n; at > 0 && open[at - 1] != it->script; at--)
			;
		if (!at)
			continue;
		at--;
		bool inner = false;

		for (size_t k = at + 1; k < n; k++) {
			b->crossed[open[k]] |= CROSSED;
			inner = true;
		}
		b->crossed[it->script] &= (uint8_t)~FOREIGN;
		if (inner)
			b->crossed[it->script] |= CROSSED;
		memmove(&open[at], &open[at + 1], (n - at - 1) * sizeof(*open));
		n--;
	}
	free(open);
	return 0;
}

static int frame_push(struct builder *b, uint32_t script)
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 32;
		struct frame *p = realloc(b->stack, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		b->stack = p;
		b->cap = cap;
	}
	b->stack[b->n++] = (struct frame){.script = script, .last_op = VGIC_WL_NONE};
	return 0;
}

static struct frame *frame_find(struct builder *b, uint32_t script)
{
	for (size_t i = b->n; i > 1; i--)
		if (b->stack[i - 1].script == script)
			return &b->stack[i - 1];
	return NULL;
}

static void frame_remove(struct builder *b, struct frame *f)
{
	size_t at = (size_t)(f - b->stack);

	memmove(f, f + 1, (b->n - at - 1) * sizeof(*f));
	b->n--;
}

/* What the frame that asked for the source asked for is there, or it is asked for again. */
static void answered(struct builder *b, uint32_t source)
{
	uint32_t asked = b->raiser[source].script;

	for (size_t k = 0; asked != VGIC_WL_NONE && k < b->n; k++)
		if (b->stack[k].script == asked)
			b->stack[k].acked++;
	b->raiser[source].script = VGIC_WL_NONE;
}

static void append(struct builder *b, struct frame *f, uint32_t op, bool last)
{
	struct vgic_op *o = &b->wl->ops[op];
	struct vgic_script *s = &b->wl->scripts[f->script];

	o->at = f->own;
	o->need = f->acked;
	o->nested = f->nested;
	f->nested = 0;
	if (f->last_op == VGIC_WL_NONE)
		s->first = op;
	else
		b->wl->ops[f->last_op].next = op;
	f->last_op = op;
	s->own_ns = f->own;
	if (last) {
		o->flags |= VGIC_OP_LAST;
		s->whole = true;
	}
	for (uint32_t e = o->asks; e != VGIC_WL_NONE; e = b->wl->effects[e].ask_next) {
		uint32_t source = b->wl->effects[e].source;
		if (source == VGIC_WL_NONE)
			continue;
		answered(b, source);
		b->raiser[source].script = f->script;
	}
}

/*
 * Hardware that counts a split EOIR has KVM deactivate before the guest's DIR,
 * which then finds nothing and, untrapped, leaves no trace. Taken again later, or
 * not active in the end, without a DIR: it was written.
 */
static bool unseen_dir(const struct builder *b, uint32_t script)
{
	const struct vgic_script *s = &b->wl->scripts[script];

	return !(b->crossed[script] & HAS_DIR) &&
	       (s->next != VGIC_WL_NONE || !b->d->known[s->source].active_seen);
}

/*
 * When: where the program writes DIRs of its own, after many EOIRs, with the last of
 * them before the source is taken again; else right after the EOIR.
 */
static int owe_dir(struct builder *b, const struct dvcpu *v, size_t item, bool *owed)
{
	uint32_t script = v->items[item].script, again = b->wl->scripts[script].next;
	size_t last = item;

	for (size_t i = item + 1; i < v->nr_items; i++) {
		const struct item *it = &v->items[i];

		if (it->kind == ITEM_ACK && it->script == again)
			break;
		if (it->kind == VGIC_OP_DIR && it->script != VGIC_WL_NONE &&
		    (b->crossed[it->script] & (FOREIGN | CROSSED)))
			last = i;
	}
	*owed = last != item;
	if (!*owed)
		return 0;
	if (b->nr_owed == b->cap_owed) {
		size_t cap = b->cap_owed ? b->cap_owed * 2 : 32;
		struct owed *p = realloc(b->owed, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		b->owed = p;
		b->cap_owed = cap;
	}
	b->owed[b->nr_owed++] = (struct owed){last, script};
	return 0;
}

/* The how manieth acknowledge of its source it is, from 1. */
static uint32_t ordinal(const struct vgic_workload *wl, uint32_t script)
{
	uint32_t n = 1;

	for (uint32_t s = wl->sources[wl->scripts[script].source].first_script; s != script;
	     s = wl->scripts[s].next)
		n++;
	return n;
}

/* The DIRs that come after this item, in the order of their EOIRs. */
static int pay_owed(struct builder *b, size_t item)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->nr_owed; i++) {
		uint32_t script = b->owed[i].script, op;

		if (b->owed[i].at != item) {
			b->owed[kept++] = b->owed[i];
			continue;
		}
		op = vgic_workload_op(b->wl, VGIC_OP_DIR);
		if (op == VGIC_WL_NONE)
			return -ENOMEM;
		b->wl->ops[op].source = b->wl->scripts[script].source;
		b->wl->ops[op].count = ordinal(b->wl, script);
		append(b, &b->stack[b->n - 1], op, false);
	}
	b->nr_owed = kept;
	return 0;
}

static int append_unseen_dir(struct builder *b, struct frame *f)
{
	uint32_t source = b->wl->scripts[f->script].source;
	uint32_t op = vgic_workload_op(b->wl, VGIC_OP_DIR);

	if (op == VGIC_WL_NONE)
		return -ENOMEM;
	b->wl->ops[op].source = source;
	append(b, f, op, true);
	return 0;
}

/* The handler is over with EOIR; DIR comes from elsewhere. */
static bool leaves_dir(const struct builder *b, uint32_t script)
{
	return b->crossed[script] & (FOREIGN | CROSSED);
}

static int walk(struct builder *b, const struct dvcpu *v)
{
	for (size_t i = 0; i < v->nr_items; i++) {
		const struct item *it = &v->items[i];
		struct frame *top = &b->stack[b->n - 1];
		struct frame *f;

		vgic_store_pace(b->wl->store, i);
		if (it->g > b->g) {
			top->own += it->g - b->g;
			b->g = it->g;
		}
		if (it->kind == ITEM_ACK) {
			answered(b, b->wl->scripts[it->script].source);
			top->nested++;
			if (frame_push(b, it->script))
				return -ENOMEM;
			continue;
		}
		f = it->script == VGIC_WL_NONE ? NULL : frame_find(b, it->script);
		switch (it->kind) {
		case VGIC_OP_EOI:
			append(b, f ? f : top, it->op, f != NULL);
			if (f)
				frame_remove(b, f);
			break;
		case VGIC_OP_DROP:
			if (f && unseen_dir(b, it->script)) {
				bool owed;

				if (owe_dir(b, v, i, &owed))
					return -ENOMEM;
				append(b, f, it->op, owed);
				if (!owed && append_unseen_dir(b, f))
					return -ENOMEM;
				frame_remove(b, f);
				break;
			}
			append(b, f ? f : top, it->op, f && leaves_dir(b, it->script));
			if (f && leaves_dir(b, it->script))
				frame_remove(b, f);
			break;
		case VGIC_OP_DIR:
			if (f && !leaves_dir(b, it->script)) {
				append(b, f, it->op, true);
				frame_remove(b, f);
			} else {
				append(b, top, it->op, false);
			}
			break;
		default:
			append(b, top, it->op, false);
		}
		if (b->nr_owed && pay_owed(b, i))
			return -ENOMEM;
	}
	return 0;
}

int derive_scripts(struct vgic_derive *d)
{
	struct vgic_workload *wl = d->wl;
	struct builder b = {.d = d, .wl = wl};
	int ret = -ENOMEM;

	b.crossed = vgic_store_grow(wl->store, NULL, 0, wl->nr_scripts + d->nr_vcpus + 1, 1);
	b.raiser = calloc(wl->nr_sources + 1, sizeof(*b.raiser));
	if (!b.crossed || !b.raiser)
		goto out;
	for (size_t i = 0; i < d->nr_vcpus; i++)
		for (size_t k = 0; k < d->vcpus[i].nr_items; k++) {
			vgic_store_pace(wl->store, k);
			if (d->vcpus[i].items[k].kind == VGIC_OP_DIR &&
			    d->vcpus[i].items[k].script != VGIC_WL_NONE)
				b.crossed[d->vcpus[i].items[k].script] |= HAS_DIR;
		}
	for (size_t i = 0; i < d->nr_vcpus; i++) {
		struct dvcpu *v = &d->vcpus[i];
		uint32_t bg = vgic_workload_script(wl, VGIC_WL_NONE, (uint16_t)i);

		if (bg == VGIC_WL_NONE)
			goto out;
		wl->vcpus[i].background = bg;
		wl->vcpus[i].start_ns = v->started_at;
		wl->vcpus[i].guest_ns = v->g;
		wl->vcpus[i].masked_handlers = v->holds && !v->nests;
		for (size_t s = 0; s < wl->nr_sources; s++)
			b.raiser[s].script = VGIC_WL_NONE;
		b.vcpu = (uint16_t)i;
		b.n = 0;
		b.g = 0;
		if (frame_push(&b, bg) || find_crossings(&b, v) || walk(&b, v))
			goto out;
	}
	ret = 0;
out:
	vgic_store_free(wl->store, b.crossed);
	free(b.raiser);
	free(b.stack);
	free(b.owed);
	return ret;
}
