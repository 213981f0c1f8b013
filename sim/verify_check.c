// SPDX-License-Identifier: GPL-2.0-only
/* Recomputes one flush or one sync and lists every difference. */
#include <errno.h>
#include <string.h>

#include <vgicsim/gich.h>

#include "verify_internal.h"
#include "vgic_internal.h"

/* An LR as recorded in the layout of the models. */
static uint64_t lr_decode(const struct check *c, uint64_t lr)
{
	return c->cfg->gicv2 ? vgic_gich_lr_decode((uint32_t)lr) : lr;
}

static uint32_t lr_intid(const struct check *c, uint64_t lr)
{
	return lr & (c->vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID);
}

/* Apart from where it is called: a record hardly ever differs, and its way is short then. */
#define RARE __attribute__((noinline, cold))

RARE static struct diff *differ(struct check *c, const struct rule *rule, const char *field,
				uint32_t intid, uint64_t kernel, uint64_t model)
{
	/* The first ones matter; the rest is only counted. */
	struct diff *d = &c->diffs[c->nr_diffs < MAX_DIFFS ? c->nr_diffs : MAX_DIFFS - 1];

	c->nr_diffs++;
	*d = (struct diff){
		.rule = rule,
		.field = field,
		.intid = intid,
		.kernel = kernel,
		.model = model,
	};
	return d;
}

/* Why nothing can be said about a record. */
static int incomparable(const struct vgr_rec *rec, bool nested)
{
	if (nested)
		return VGIC_UNDECIDED_NESTED;
	if (rec->flags & VGR_F_CUT)
		return VGIC_UNDECIDED_CUT;
	if (rec->flags & VGR_F_TORN)
		return VGIC_UNDECIDED_TORN;
	return VGIC_UNDECIDED_MALFORMED;
}

static inline bool comparable(struct check *c, const struct vgr_rec *rec, bool nested)
{
	c->undecided = -1;
	if (!nested && !(rec->flags & (VGR_F_CUT | VGR_F_TORN)) && rec->vcpu < VGIC_MAX_VCPUS)
		return true;
	c->undecided = incomparable(rec, nested);
	return false;
}

static inline size_t shorter(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many of the n interrupts of a list that begin at *irq are as recorded, until the first that
 * is not, which comes back in *irq.
 */
static inline size_t as_recorded(struct vgic_irq **irq, const struct vgr_irq *rec, size_t n)
{
	const struct vgr_irq *at = rec, *end = rec + n;
	struct vgic_irq *q = *irq;

	for (; at != end && vgic_irq_is(q, at); at++)
		q = q->next;
	*irq = q;
	return (size_t)(at - rec);
}

/* One of a list cannot be read any more, or stands on another vCPU's list. */
static int bad_list(const struct vgr_rec *rec, const struct vgr_irq *irqs, size_t n)
{
	int why = -1;

	for (size_t i = 0; i < n; i++) {
		if (irqs[i].state & VGR_IRQ_GONE)
			why = VGIC_UNDECIDED_GONE;
		else if (irqs[i].vcpu != rec->vcpu)
			why = VGIC_UNDECIDED_MALFORMED;
	}
	return why;
}

/*
 * Puts a recorded list on the vCPU's list. What stands there already as it was recorded, which
 * is most of it, is right and stays untouched.
 */
static inline int load(struct check *c, const struct vgr_rec *rec, const struct vgr_irq *irqs,
		       size_t n)
{
	const struct vgic_vcpu *vcpu = &c->vgic->vcpus[rec->vcpu];
	struct vgic_irq *irq = vgic_list_first(vcpu);
	size_t same = as_recorded(&irq, irqs, shorter(irq ? vcpu->list.count : 0, n));
	int err;

	/* A vCPU that never had a record is still to be made. */
	if (same == n && vcpu->list.count == n && vcpu->private_irqs)
		return 0;
	c->undecided = bad_list(rec, irqs + same, n - same);
	if (c->undecided >= 0)
		return 0;
	err = vgic_list_import_from(c->vgic, rec->vcpu, irqs, n, same, irq);
	if (err == -EINVAL) {
		c->undecided = VGIC_UNDECIDED_MALFORMED;
		return 0;
	}
	return err;
}

static void compare_irq(struct check *c, const struct vgr_irq *kernel, const struct vgr_irq *model,
			const struct rule *rule, const char *field)
{
	uint32_t intid = kernel->intid;

	if (kernel->state != model->state)
		differ(c, rule, field, intid, kernel->state, model->state);
	if (kernel->source != model->source)
		differ(c, rule, "source", intid, kernel->source, model->source);
	if (kernel->active_source != model->active_source)
		differ(c, rule, "active source", intid, kernel->active_source,
		       model->active_source);
	if (kernel->priority != model->priority)
		differ(c, rule, "priority", intid, kernel->priority, model->priority);
	if (kernel->hwintid != model->hwintid)
		differ(c, rule, "physical INTID", intid, kernel->hwintid, model->hwintid);
	if (kernel->target != model->target)
		differ(c, rule, "target", intid, kernel->target, model->target);
	if (kernel->vcpu != model->vcpu)
		differ(c, &rule_owner, "owner", intid, kernel->vcpu, model->vcpu);
}

RARE static void compare_populated(struct check *c, const struct vgr_irq *kernel,
				   const struct vgic_irq *irq)
{
	struct vgr_irq model;

	vgic_irq_export(irq, &model);
	compare_irq(c, kernel, &model, rule_of_populated(kernel, &model), "state after");
}

/* One difference for each bit of HCR: each is a rule of its own. */
static void compare_hcr(struct check *c, uint32_t kernel, uint32_t model)
{
	uint32_t diff = kernel ^ model;

	while (diff) {
		uint32_t bit = diff & -diff;
		struct diff *d;

		d = differ(c, rule_of_hcr(bit), "HCR", VGR_BOUNDARY_NONE, kernel, model);
		d->counter = bit == VGIC_HCR_TDIR;
		diff &= ~bit;
	}
}

/* Where the run loop sets the mode around flush and sync, if the recorder looked. */
static void compare_mode(struct check *c, const struct vgr_rec *rec, bool model,
			 const struct rule *rule)
{
	bool kernel = rec->flags & VGR_F_INSIDE;

	if (!(rec->flags & (VGR_F_INSIDE | VGR_F_OUTSIDE)) || kernel == model)
		return;
	differ(c, rule, "in guest mode", VGR_BOUNDARY_NONE, kernel, model);
}

static void compare_boundary(struct check *c, uint32_t kernel, uint32_t model)
{
	bool has = c->cfg->policy->last_lr != VGIC_LAST_LR_NEVER;

	if (!has)
		model = VGR_BOUNDARY_UNKNOWN;
	if (kernel == VGR_BOUNDARY_UNKNOWN && !(has && c->cfg->sees_boundary))
		return;
	if (kernel != model)
		differ(c, &rule_boundary, "boundary", VGR_BOUNDARY_NONE, kernel, model);
}

/* The counter exists in the kernels that track SPIs. */
static void compare_counter(struct check *c, int32_t kernel)
{
	bool has = c->cfg->policy->track_spis;

	if (has ? kernel < 0 : kernel >= 0)
		differ(c, &rule_counter, "active_spis", VGR_BOUNDARY_NONE, (uint64_t)kernel,
		       has ? 0 : (uint64_t)-1);
}

static void compare_lrs(struct check *c, const struct vgr_flush *f, const uint64_t *lrs,
			const struct vgic_vcpu *vcpu)
{
	bool gicv2 = c->cfg->gicv2;
	unsigned int i = 0;

	if (!gicv2)
		while (i < f->nr_lr && lrs[i] == vcpu->lr[i])
			i++;
	for (; i < f->nr_lr; i++) {
		uint64_t model = gicv2 ? vgic_gich_lr_encode(vcpu->lr[i]) : vcpu->lr[i], kernel;

		if (lrs[i] == model)
			continue;
		kernel = lr_decode(c, lrs[i]);
		differ(c, rule_of_lr(kernel ^ vcpu->lr[i]), "LR",
		       lr_intid(c, kernel ? kernel : vcpu->lr[i]), lrs[i], model);
	}
}

int check_flush(struct check *c, const struct vgr_flush *f)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(f + 1);
	const struct vgr_irq *after = before + f->n_before;
	const uint64_t *lrs = (const uint64_t *)(after + f->n_after);
	struct vgic_vcpu *vcpu;
	struct vgic_irq *irq;
	uint32_t boundary;
	unsigned int i;
	bool skipped;
	int err;

	c->boundary = VGR_BOUNDARY_UNKNOWN;
	c->programmed = false;
	if (!comparable(c, &f->r, f->nested))
		return 0;
	err = load(c, &f->r, before, f->n_before);
	if (err || c->undecided >= 0)
		return err;
	vcpu = &c->vgic->vcpus[f->r.vcpu];
	vcpu->vmcr = f->vmcr;
	c->vgic->active_spis = f->active_spis > 0 ? f->active_spis : 0;
	c->vgic->dist_enabled = f->dist_enabled;
	compare_mode(c, &f->r, c->cfg->policy->flush_after_check, &rule_mode_flush);

	skipped = f->r.flags & VGR_F_SKIPPED;
	if (skipped || (!c->cfg->policy->no_empty_shortcut && !f->n_before && !f->n_after)) {
		/* Nothing is written; the shadow is what some earlier flush left. */
		if (!skipped || c->cfg->policy->no_empty_shortcut || f->n_before)
			differ(c, &rule_skip, "skipped", VGR_BOUNDARY_NONE, skipped, !skipped);
		c->boundary = VGR_BOUNDARY_NONE;
		return 0;
	}

	vgic_flush(c->vgic, f->r.vcpu);
	c->totals->sorted += vcpu->sorted;
	c->totals->overflowing += vcpu->summary.nr_act + vcpu->summary.nr_pend > c->cfg->nr_lr;

	if (f->used_lrs != vcpu->used_lrs)
		differ(c, &rule_used, "used LRs", VGR_BOUNDARY_NONE, f->used_lrs, vcpu->used_lrs);
	compare_lrs(c, f, lrs, vcpu);
	compare_hcr(c, f->hcr, vcpu->hcr);
	compare_counter(c, f->active_spis);
	c->programmed = true;
	c->hcr = f->hcr;
	c->vmcr = f->vmcr;

	irq = vcpu->list.head;
	i = (unsigned int)as_recorded(&irq, after, shorter(vcpu->list.count, f->n_after));
	for (; irq && i < f->n_after; i++, irq = irq->next) {
		const struct vgic_irq *same = irq;

		if (vgic_irq_is(irq, &after[i]))
			continue;
		if (after[i].intid != irq->intid) {
			differ(c, &rule_order_flush, "place in the list", after[i].intid,
			       after[i].intid, irq->intid);
			/* The state is compared wherever the interrupt stands. */
			same = vgic_find(c->vgic, f->r.vcpu, after[i].intid);
			if (!same || same->vcpu != f->r.vcpu) {
				c->totals->irqs--;
				continue;
			}
		}
		if (!vgic_irq_is(same, &after[i]))
			compare_populated(c, &after[i], same);
	}
	c->totals->irqs += i;
	c->late = f->n_after > f->n_before;
	/* What came after the flush stands at the end, and only where the list was read late. */
	if (irq || (i < f->n_after && !(f->r.flags & VGR_F_NO_CONFIG)))
		differ(c, &rule_order_flush, "length of the list", VGR_BOUNDARY_NONE, f->n_after,
		       f->n_before);

	boundary = vcpu->boundary ? vcpu->boundary->intid : VGR_BOUNDARY_NONE;
	compare_boundary(c, f->boundary, boundary);
	c->boundary = boundary;
	return 0;
}

bool check_physical_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	struct check *c = opaque;

	for (unsigned int i = 0; i < c->samples->nr_levels; i++) {
		if (c->samples->levels[i].used || c->samples->levels[i].intid != irq->intid ||
		    c->samples->levels[i].time < c->begin)
			continue;
		c->samples->levels[i].used = true;
		return c->samples->levels[i].level;
	}
	/* The irqchip's state, which no probe sees, stands in for an input level of its own. */
	if (c->cfg->has_levels && irq->get_level)
		differ(c, &rule_level, "level sampled", irq->intid, 0, 1);
	else
		c->no_level = true;
	return false;
}

static void compare_samples(struct check *c)
{
	for (unsigned int i = 0; i < c->samples->nr_levels; i++)
		if (!c->samples->levels[i].used && c->samples->levels[i].time >= c->begin &&
		    c->samples->levels[i].time <= c->end)
			differ(c, &rule_level, "level sampled", c->samples->levels[i].intid, 1, 0);
}

/* A resampler lowers the line while it is notified, in the midst of the fold (OV-71). */
static void lower_resampled(struct check *c, uint32_t intid)
{
	struct vgic_irq *irq = vgic_find(c->vgic, 0, intid);

	for (unsigned int i = 0; irq && i < c->samples->nr_lowered; i++)
		if (c->samples->lowered[i].intid == intid &&
		    c->samples->lowered[i].time >= c->begin &&
		    c->samples->lowered[i].time <= c->end)
			irq->line_level = false;
}

void check_notified(void *opaque, uint32_t intid)
{
	struct check *c = opaque;
	unsigned int i, n = 0;

	lower_resampled(c, intid);

	if (!c->cfg->has_acked)
		return;
	/* Notifications come in the order of the LRs, so the n-th answers the n-th. */
	for (i = 0; i < c->samples->nr_acked; i++)
		if (c->samples->acked[i].time >= c->begin && n++ == c->notified)
			break;
	if (i == c->samples->nr_acked)
		differ(c, &rule_notify, "notification", intid, 0, 1);
	else if (c->samples->acked[i].intid != intid)
		differ(c, &rule_notify, "notification", intid, c->samples->acked[i].intid, intid);
	c->notified++;
}

static void compare_notifications(struct check *c)
{
	unsigned int n = 0;

	if (!c->cfg->has_acked)
		return;
	for (unsigned int i = 0; i < c->samples->nr_acked; i++)
		if (c->samples->acked[i].time >= c->begin && c->samples->acked[i].time <= c->end &&
		    n++ >= c->notified)
			differ(c, &rule_notify, "notification", c->samples->acked[i].intid, 1, 0);
}

static bool in_lrs(const struct check *c, const uint64_t *lrs, unsigned int n, uint32_t intid)
{
	for (unsigned int i = 0; i < n; i++)
		if (lr_intid(c, lr_decode(c, lrs[i])) == intid)
			return true;
	return false;
}

/* last_lr_irq as the fold finds it: recorded, or the model's own of the last flush. */
static void load_boundary(struct check *c, struct vgic_vcpu *vcpu, uint32_t recorded)
{
	uint32_t intid = recorded != VGR_BOUNDARY_UNKNOWN ? recorded : c->boundary;
	struct vgic_irq *irq;

	vcpu->boundary = NULL;
	if (intid == VGR_BOUNDARY_NONE || intid == VGR_BOUNDARY_UNKNOWN)
		return;
	irq = vgic_find(c->vgic, vcpu->index, intid);
	if (irq && irq->vcpu == vcpu->index)
		vcpu->boundary = irq;
	else
		c->undecided =
			intid >= VGIC_LPI_BASE ? VGIC_UNDECIDED_LPI : VGIC_UNDECIDED_MALFORMED;
}

/* What the hardware gave back, against what the flush of the same run programmed. */
static void compare_programmed(struct check *c, const struct vgr_sync *s)
{
	const struct vgic_policy *policy = c->cfg->policy;
	uint32_t model = c->hcr;

	if (!c->programmed)
		return;
	if (policy->save_eoicount && (c->hcr & VGIC_HCR_LRENPIE))
		model |= s->hcr & VGIC_HCR_EOICOUNT;
	if (s->hcr != model)
		differ(c, &rule_hcr_back, "HCR", VGR_BOUNDARY_NONE, s->hcr, model);
	if (!policy->eager_vmcr && s->vmcr != c->vmcr)
		differ(c, &rule_vmcr, "VMCR", VGR_BOUNDARY_NONE, s->vmcr, c->vmcr);
}

static void compare_fold(struct check *c, const struct vgr_sync *s)
{
	struct vgic_vcpu *vcpu = &c->vgic->vcpus[s->r.vcpu];
	bool kernel = !(s->r.flags & VGR_F_NO_FOLD), model = vgic_folds(vcpu);

	if (c->cfg->policy->fold == VGIC_FOLD_IF_LAST_LR && s->boundary == VGR_BOUNDARY_UNKNOWN &&
	    c->boundary == VGR_BOUNDARY_UNKNOWN)
		return;
	if (kernel != model)
		differ(c, &rule_fold, "folded", VGR_BOUNDARY_NONE, kernel, model);
}

RARE static void compare_folded(struct check *c, const struct vgr_sync *s,
				const struct vgr_irq *kernel, const struct vgic_irq *irq)
{
	const uint64_t *lrs =
		(const uint64_t *)((const struct vgr_irq *)(s + 1) + 2 * (size_t)s->n_before);
	struct vgr_irq model;

	vgic_irq_export(irq, &model);
	compare_irq(c, kernel, &model,
		    rule_of_folded(kernel, &model, in_lrs(c, lrs, s->used_lrs, kernel->intid)),
		    "state after");
}

RARE static void compare_order(struct check *c, const struct vgic_vcpu *vcpu, const uint32_t *order,
			       unsigned int n)
{
	const struct vgic_irq *irq = vcpu->list.head;
	unsigned int i;

	for (i = 0; irq && i < n; i++, irq = irq->next)
		if (order[i] != irq->intid)
			differ(c, &rule_order_sync, "place in the list", order[i], order[i],
			       irq->intid);
	if (irq || i < n)
		differ(c, &rule_order_sync, "length of the list", irq ? irq->intid : order[i], n,
		       vcpu->list.count);
}

/*
 * The states that the sync left, and the order of the list; a list that stays as it is is
 * gone through once. False: the record is no good.
 */
static inline bool compare_after(struct check *c, const struct vgr_sync *s,
				 const struct vgr_irq *before, const struct vgr_irq *after,
				 const uint32_t *order)
{
	const struct vgic_vcpu *vcpu = &c->vgic->vcpus[s->r.vcpu];
	const struct vgic_irq *irq, *at = vcpu->list.head;
	bool ordered = s->n_after == vcpu->list.count;
	const uint32_t *place = order;

	for (const struct vgr_irq *was = before, *is = after; was != after; was++, is++) {
		/* Those that stay on the list stay in their order. */
		if (at && at->intid == was->intid) {
			irq = at;
			at = at->next;
			if (ordered)
				ordered = *place++ == irq->intid;
		} else {
			irq = vgic_find(c->vgic, s->r.vcpu, was->intid);
		}
		/* Who is gone is not the same, nor is another one. */
		if (vgic_irq_is(irq, is))
			continue;
		if (is->state & VGR_IRQ_GONE || is->intid != was->intid) {
			c->undecided = is->state & VGR_IRQ_GONE ? VGIC_UNDECIDED_GONE
								: VGIC_UNDECIDED_MALFORMED;
			c->totals->irqs += (size_t)(was - before);
			return false;
		}
		compare_folded(c, s, is, irq);
	}
	c->totals->irqs += s->n_before;
	if (!ordered || at)
		compare_order(c, vcpu, order, s->n_after);
	return true;
}

int check_sync(struct check *c, const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	const uint64_t *lrs = (const uint64_t *)(after + s->n_before);
	const uint32_t *order = (const uint32_t *)(lrs + s->used_lrs);
	uint64_t replayed;
	struct vgic_vcpu *vcpu;
	struct vgic_irq *irq;
	unsigned int i;
	bool skipped;
	int err;

	if (!comparable(c, &s->r, s->nested))
		return 0;
	err = load(c, &s->r, before, s->n_before);
	if (err || c->undecided >= 0)
		return err;
	vcpu = &c->vgic->vcpus[s->r.vcpu];
	c->begin = s->begin;
	c->end = s->r.time;
	c->notified = 0;
	if (c->called_off && c->cfg->policy->flush_after_check)
		differ(c, &rule_called_off, "entered", VGR_BOUNDARY_NONE, false, true);
	compare_mode(c, &s->r, c->cfg->policy->mode_after_sync, &rule_mode_sync);

	skipped = s->r.flags & VGR_F_SKIPPED;
	if (skipped || (!c->cfg->policy->no_empty_shortcut && !s->n_before)) {
		if (!skipped || c->cfg->policy->no_empty_shortcut || s->n_before)
			differ(c, &rule_skip, "skipped", VGR_BOUNDARY_NONE, skipped, !skipped);
		return 0;
	}
	load_boundary(c, vcpu, s->boundary);
	if (c->undecided >= 0)
		return 0;
	vcpu->hcr = s->hcr;
	vcpu->vmcr = s->vmcr;
	vcpu->used_lrs = s->used_lrs;
	for (i = 0; i < s->used_lrs; i++) {
		uint64_t lr = lr_decode(c, lrs[i]);

		if ((uint32_t)lr >= VGIC_LPI_BASE && lr_intid(c, lr) >= VGIC_LPI_BASE) {
			irq = vgic_find(c->vgic, s->r.vcpu, lr_intid(c, lr));
			c->lpi |= !irq || irq->vcpu != s->r.vcpu;
		}
		vcpu->lr[i] = lr;
	}
	c->vgic->active_spis = s->active_spis_before > 0 ? s->active_spis_before : 0;
	c->vgic->dist_enabled = s->dist_enabled;
	compare_programmed(c, s);
	compare_counter(c, s->active_spis_before);
	compare_fold(c, s);

	replayed = vcpu->counts.replayed;
	vgic_sync(c->vgic, s->r.vcpu);
	c->totals->replayed += vcpu->counts.replayed - replayed;

	if (!compare_after(c, s, before, after, order))
		return 0;
	c->late = s->n_after > vcpu->list.count;

	if (s->active_spis_before >= 0 && s->active_spis_after != c->vgic->active_spis)
		differ(c, &rule_counter, "active_spis", VGR_BOUNDARY_NONE, s->active_spis_after,
		       c->vgic->active_spis)
			->counter = true;
	compare_samples(c);
	compare_notifications(c);
	return 0;
}
