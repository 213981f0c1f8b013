// SPDX-License-Identifier: GPL-2.0-only
/*
 * When in a run the guest took each of its steps: the estimator of vgicsim-model(7). The
 * order is known by now (derive_run.c), and so are the two ends of the run. What is learned
 * here is how long handlers take: some are seen from end to end, and each run that holds a
 * part of one says how long that part can have been.
 */
#include "derive_internal.h"

static struct known *known_of(struct vgic_derive *d, uint32_t script)
{
	return &d->known[d->wl->scripts[script].source];
}

static bool ends_handler(const struct step *s)
{
	return s->kind == VGIC_OP_EOI || s->kind == VGIC_OP_DROP;
}

/* The line of a mapped interrupt was sampled high at the sync that saw its handling end. */
static bool stays_high(struct vgic_derive *d, uint32_t script)
{
	const struct known *k = known_of(d, script);

	return (k->props.state & VGR_IRQ_HW) && k->line == 2;
}

/*
 * One more such part of a handler took from lo to hi ns. What was learned moves towards the
 * middle of that only if it lies outside, at first by large steps.
 */
static void learn(struct pace *p, uint64_t lo, uint64_t hi)
{
	uint64_t middle;
	uint32_t share;

	lo = lo < PACE_MOST ? lo : PACE_MOST;
	hi = hi < PACE_MOST ? hi : PACE_MOST;
	middle = lo + (hi - lo) / 2;
	p->seen += p->seen < PACE_STEADY;
	share = (p->ns >> p->seen / (PACE_STEADY / 4)) + 1;
	if (p->ns > hi)
		p->ns = p->ns - middle > share ? p->ns - share : (uint32_t)middle;
	else if (p->ns < lo)
		p->ns = middle - p->ns > share ? p->ns + share : (uint32_t)middle;
}

/* It has begun, or goes on after a trap. */
static void begin(struct known *k, enum pace_part part)
{
	k->part = part;
	k->paced = true;
	k->spent = k->least = k->most = 0;
}

/* The part that runs is over, in this run after ns as placed, lo to hi as seen. */
static void over(struct known *k, uint64_t ns, uint64_t lo, uint64_t hi)
{
	struct pace *p = &k->pace[k->part];

	if (!k->paced)
		return;
	k->spent += ns;
	k->least += lo;
	k->most += hi;
	if (!p->seen)
		p->ns = k->spent < PACE_MOST ? (uint32_t)k->spent : PACE_MOST;
	learn(p, k->least, k->most);
	k->paced = false;
}

/* How much of such a part is left; false: not known, or it took longer already. */
static bool left_of(const struct known *k, enum pace_part part, uint64_t *ns)
{
	const struct pace *p = &k->pace[part];

	*ns = p->ns;
	if (!k->paced || !p->seen || p->ns <= k->spent)
		return false;
	*ns -= k->spent;
	return true;
}

bool derive_left(const struct known *k, uint64_t *ns)
{
	return left_of(k, k->part, ns);
}

/* A handler follows the one before it at once; everything else takes time. */
static bool takes_time(const struct vgic_derive *d, size_t i, bool first_fixed)
{
	if (!i)
		return !first_fixed;
	/* A handler that ends with EOIR and DIR writes them together. */
	if (d->steps[i].kind == VGIC_OP_DIR && d->steps[i - 1].kind == VGIC_OP_DROP &&
	    d->steps[i].script == d->steps[i - 1].script)
		return false;
	return d->steps[i].kind != ITEM_ACK || d->steps[i - 1].kind == ITEM_ACK ||
	       d->steps[i - 1].kind == VGIC_OP_VMCR;
}

/*
 * What is known of the time before step i, or after the last one: the end of a handler that
 * began with the step before it or goes on from the run before, or the trap that it makes.
 */
static bool usual_ns(struct vgic_derive *d, const struct dvcpu *v, size_t i, uint64_t *ns)
{
	const struct step *s = &d->steps[i], *before = i ? s - 1 : NULL;
	uint32_t script;
	enum pace_part part;

	if (i < d->nr_steps) {
		if (!ends_handler(s))
			return false;
		script = s->script;
		part = PACE_WHOLE;
	} else {
		if (!v->trapped || !v->nr_stack)
			return false;
		script = v->stack[v->nr_stack - 1].script;
		part = PACE_LEAD;
	}
	struct known *k = known_of(d, script);

	if (before && (before->kind != ITEM_ACK || before->script != script))
		return false;
	if (before) {
		/* It has only just begun. */
		*ns = k->pace[part].ns;
		return k->pace[part].seen;
	}
	if (i == d->nr_steps && k->part == PACE_WHOLE)
		return left_of(k, PACE_LEAD, ns);
	return derive_left(k, ns);
}

/*
 * Sets .ns of each step, and d->rest_ns, to what lies before it; together the whole run. Where
 * something is not known, that takes what the rest leaves; else all stretch alike.
 */
static void share_out(struct vgic_derive *d, const struct dvcpu *v, bool first_fixed,
		      bool last_fixed)
{
	uint64_t len = v->g1 - v->g0, usual = 0, most = 0, least = VGIC_WHEN_OPEN;
	uint64_t *last = &d->rest_ns, sum = 0;
	size_t n = d->nr_steps, open = 0, known = 0;

	for (size_t i = 0; i <= n; i++) {
		uint64_t *ns = i < n ? &d->steps[i].ns : &d->rest_ns;

		*ns = 0;
		if (i < n ? !takes_time(d, i, first_fixed) : last_fixed)
			continue;
		if (!usual_ns(d, v, i, ns)) {
			*ns = VGIC_WHEN_OPEN;
			open++;
			continue;
		}
		usual += *ns;
		known++;
		most = *ns > most ? *ns : most;
		least = *ns < least ? *ns : least;
	}
	/* What was learned of handlers that are much alike says less than that they are. */
	bool alike = known && most / 2 <= least;
	double scale = usual > len || (usual && !open) ? (double)len / (double)usual : 1.0;
	uint64_t each = open && usual < len ? (len - usual) / open : 0;

	for (size_t i = 0; i <= n; i++) {
		uint64_t *ns = i < n ? &d->steps[i].ns : &d->rest_ns;

		if (!*ns)
			continue;
		if (*ns == VGIC_WHEN_OPEN)
			*ns = each;
		else
			*ns = (uint64_t)((double)(alike ? usual / known : *ns) * scale);
		last = ns;
		sum += *ns;
	}
	/* What rounding left over: a step that is the run's end is so to the ns. */
	*last += len > sum ? len - sum : 0;
}

static void put(struct vgic_derive *d, struct dvcpu *v, const struct step *s, uint64_t g)
{
	struct item *it = derive_item(d, v);

	if (!it)
		return;
	it->g = g;
	it->wall = derive_estimate(d, v, g);
	it->kind = s->kind;
	it->script = s->script;
	it->op = VGIC_WL_NONE;
	if (s->kind == ITEM_ACK)
		return;
	uint32_t op = s->kind == VGIC_OP_DIR ? derive_dir_op(d, d->wl->scripts[s->script].source)
					     : vgic_workload_op(d->wl, s->kind);

	if (op == VGIC_WL_NONE) {
		d->nomem = true;
		return;
	}
	it->op = op;
	d->wl->ops[op].value = s->value;
	if (ends_handler(s) && stays_high(d, s->script))
		d->wl->ops[op].flags |= VGIC_OP_AGAIN;
	if (s->kind == VGIC_OP_EOI || s->kind == VGIC_OP_DIR)
		derive_handled(d, s->script, v->sync_begin);
}

/* What this run says of the handlers in it; top: that which runs at its begin. */
static void learn_run(struct vgic_derive *d, const struct dvcpu *v, uint32_t top, bool first_fixed,
		      bool last_fixed)
{
	uint64_t len = v->g1 - v->g0, at = 0, begun = 0;
	bool exact = true; /* begun is more than an estimate */
	size_t n = d->nr_steps;

	for (size_t i = 0; i < n; i++) {
		const struct step *s = &d->steps[i];

		at += s->ns;
		if (s->kind == ITEM_ACK) {
			/* Whoever is interrupted teaches nothing more. */
			if (top != VGIC_WL_NONE)
				known_of(d, top)->paced = false;
			top = s->script;
			begin(known_of(d, top), PACE_WHOLE);
			begun = at;
			exact = !i && first_fixed;
		} else if (ends_handler(s) && s->script == top) {
			bool whole = exact && last_fixed && i == n - 1;

			over(known_of(d, top), at - begun, whole ? len : 0, len);
			top = VGIC_WL_NONE;
		}
	}
	if (top == VGIC_WL_NONE)
		return;
	struct known *k = known_of(d, top);

	if (!v->trapped) {
		k->spent += len - begun;
		k->least += exact ? len : 0;
		k->most += len;
		return;
	}
	if (k->part == PACE_WHOLE) {
		k->part = PACE_LEAD;
		over(k, len - begun, exact ? len : 0, len);
	}
	begin(k, PACE_TAIL);
}

void derive_place(struct vgic_derive *d, struct dvcpu *v, uint32_t top, bool first_fixed,
		  bool last_fixed)
{
	size_t n = d->nr_steps, first_item = v->nr_items;
	uint64_t g = v->g0;

	if (n)
		share_out(d, v, first_fixed, last_fixed);
	for (size_t i = 0; i < n && !d->nomem; i++) {
		g += d->steps[i].ns;
		put(d, v, &d->steps[i], g);
	}
	if (d->nomem)
		return;
	learn_run(d, v, top, first_fixed, last_fixed);
	if (n && v->exit_kind == VGIC_EXIT_MI && d->mi_step && d->mi_step <= n)
		derive_mi_delay(d, v->items[first_item + d->mi_step - 1].g, v->g1);
}
