// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records that differ from the model, until it is known whether something else than a
 * rule is behind it: what other CPUs did meanwhile may stand later in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/gich.h>

#include "verify_internal.h"

/* A record that waits, followed by its first differences, and by itself or its INTIDs. */
struct kept {
	size_t bytes; /* with all that follows */
	uint64_t index;
	struct window window;
	unsigned int nr_diffs; /* may exceed MAX_DIFFS */
	unsigned int stored,
		intids; /* differences and INTIDs that follow; intids if no record does */
	bool lpi, late, no_level;
	bool counter; /* of all differences */
	bool has_rec;
	char (*hints)[HINT_SIZE]; /* of the differences; empty: not looked for. NULL: none */
};

/* Kept records that may get a hint for the same rule: the first ones may prove undecidable. */
#define MAX_WAITING 4

struct hinted {
	const struct rule *rule;
	unsigned int waiting; /* records kept that have a hint for it */
	bool reported;
};

static struct diff *diffs_of(const struct kept *k)
{
	return (struct diff *)(k + 1);
}

static const struct vgr_rec *rec_of(const struct kept *k)
{
	return (const struct vgr_rec *)(diffs_of(k) + k->stored);
}

static struct kept *first(const struct kept_log *log)
{
	return (struct kept *)(log->v + log->head);
}

/* All INTIDs that a record is about; to NULL: only their number. */
static size_t intids_of(const struct vgr_rec *rec, bool gicv2, uint32_t *to)
{
	const struct vgr_irq *irqs;
	size_t n = 0, nr_irqs;

	if (rec->type == VGR_FLUSH) {
		const struct vgr_flush *f = (const struct vgr_flush *)rec;

		irqs = (const struct vgr_irq *)(f + 1);
		nr_irqs = (size_t)f->n_before + f->n_after;
		for (size_t i = 0; to && i < nr_irqs; i++)
			to[n++] = irqs[i].intid;
		return nr_irqs;
	}

	const struct vgr_sync *s = (const struct vgr_sync *)rec;
	const uint64_t *lrs;
	const uint32_t *order;

	irqs = (const struct vgr_irq *)(s + 1);
	lrs = (const uint64_t *)(irqs + 2 * (size_t)s->n_before);
	order = (const uint32_t *)(lrs + s->used_lrs);
	for (size_t i = 0; to && i < s->n_before; i++)
		to[n++] = irqs[i].intid;
	for (size_t i = 0; to && i < s->used_lrs; i++)
		to[n++] = lrs[i] & (gicv2 ? VGIC_GICH_LR_VINTID : VGIC_LR_VINTID);
	for (size_t i = 0; to && i < s->n_after; i++)
		to[n++] = order[i];
	return (size_t)s->n_before + s->used_lrs + s->n_after;
}

/* ---- hints ---- */

/* NULL: no room, which no number of rules reaches. */
static struct hinted *hinted_of(struct kept_log *log, const struct rule *rule)
{
	for (unsigned int i = 0; i < log->nr_hinted; i++)
		if (log->hinted[i].rule == rule)
			return &log->hinted[i];
	if (log->nr_hinted == MAX_HINTED)
		return NULL;
	log->hinted[log->nr_hinted] = (struct hinted){.rule = rule};
	return &log->hinted[log->nr_hinted++];
}

static int look_for_switches(struct kept_log *log, struct kept *k, const struct check *c,
			     const struct vgr_rec *rec)
{
	int err = 0;

	if (!log->hinted)
		log->hinted = calloc(MAX_HINTED, sizeof(*log->hinted));
	if (!log->hinted)
		return -ENOMEM;
	for (unsigned int i = 0; i < k->stored && !err; i++) {
		struct hinted *h = hinted_of(log, c->diffs[i].rule);

		if (!h || h->reported || h->waiting >= MAX_WAITING)
			continue;
		if (!k->hints)
			k->hints = calloc(k->stored, sizeof(*k->hints));
		if (!k->hints)
			return -ENOMEM;
		h->waiting++;
		err = check_switches(c, rec, i, k->hints[i]);
	}
	return err;
}

/* The hint for one difference of a record that is decided now. */
static const char *take_hint(struct kept_log *log, const struct kept *k, unsigned int i,
			     bool report)
{
	struct hinted *h;

	if (!k->hints || !k->hints[i][0])
		return NULL;
	h = hinted_of(log, diffs_of(k)[i].rule);
	h->waiting--;
	if (!report || h->reported)
		return NULL;
	h->reported = true;
	return k->hints[i];
}

/* ---- keeping ---- */

/* Room at the tail; what is there may move. */
static int reserve(struct kept_log *log, size_t need)
{
	size_t size = log->size ? log->size : 65536, used = kept_bytes(log);
	char *v;

	if (log->size - log->tail >= need)
		return 0;
	while (size < used + need || size / 2 < used)
		size *= 2;
	if (log->head) {
		memmove(log->v, log->v + log->head, used);
		log->head = 0;
		log->tail = used;
	}
	if (size == log->size)
		return 0;
	v = realloc(log->v, size);
	if (!v)
		return -ENOMEM;
	log->v = v;
	log->size = size;
	return 0;
}

int kept_add(struct kept_log *log, const struct check *c, const struct vgr_rec *rec, uint64_t begin,
	     uint64_t index)
{
	const struct vgic_verify_config *cfg = c->cfg;
	struct kept k = {
		.index = index,
		.window =
			{
				.begin = begin,
				.end = rec->time + cfg->late_ns,
				.cpu = rec->cpu,
				.vm = rec->vm,
				.vcpu = rec->vcpu,
			},
		.nr_diffs = c->nr_diffs,
		.stored = c->nr_diffs < MAX_DIFFS ? c->nr_diffs : MAX_DIFFS,
		.lpi = c->lpi,
		.late = c->late && (rec->flags & VGR_F_NO_CONFIG),
		.no_level = c->no_level,
		.counter = c->nr_diffs <= MAX_DIFFS,
		.has_rec = cfg->mismatch,
	};
	size_t follow;
	int err;

	for (unsigned int i = 0; i < k.stored; i++)
		k.counter &= c->diffs[i].counter;
	/* Only somebody who is told of mismatches wants differences, records and hints. */
	if (!k.has_rec) {
		k.stored = 0;
		k.intids = (unsigned int)intids_of(rec, cfg->gicv2, NULL);
	}
	follow = k.has_rec ? rec->size : k.intids * sizeof(uint32_t);
	follow = (follow + 7) & ~(size_t)7;
	k.bytes = sizeof(k) + k.stored * sizeof(struct diff) + follow;
	err = reserve(log, k.bytes);
	if (!err && k.has_rec)
		err = look_for_switches(log, &k, c, rec);
	if (err) {
		free(k.hints);
		return err;
	}

	struct kept *to = (struct kept *)(log->v + log->tail);

	*to = k;
	if (k.has_rec) {
		memcpy(diffs_of(to), c->diffs, k.stored * sizeof(struct diff));
		memcpy(diffs_of(to) + k.stored, rec, rec->size);
	} else {
		intids_of(rec, cfg->gicv2, (uint32_t *)(to + 1));
	}
	log->tail += k.bytes;
	log->n++;
	return 0;
}

/* ---- deciding ---- */

/* 0 or -ENOMEM. */
static int get_intids(struct kept_log *log, const struct kept *k, bool gicv2, const uint32_t **v,
		      size_t *n)
{
	uint32_t *more;

	*v = (const uint32_t *)(k + 1);
	*n = k->intids;
	if (!k->has_rec)
		return 0;
	*n = intids_of(rec_of(k), gicv2, NULL);
	if (*n > log->nr_intids) {
		more = realloc(log->intids, *n * sizeof(*more));
		if (!more)
			return -ENOMEM;
		log->intids = more;
		log->nr_intids = *n;
	}
	*v = log->intids;
	if (*n)
		intids_of(rec_of(k), gicv2, log->intids);
	return 0;
}

/* enum vgic_undecided in *why, -1 for a mismatch. 0 or -ENOMEM. */
static int reason(struct kept_log *log, const struct change_log *changes, const struct kept *k,
		  bool gicv2, int *why)
{
	const uint32_t *intids;
	size_t n;
	int err = 0;

	*why = -1;
	if (change_log_lost(changes, &k->window)) {
		*why = VGIC_UNDECIDED_LOSS;
	} else if (k->lpi) {
		*why = VGIC_UNDECIDED_LPI;
	} else if (k->no_level) {
		*why = VGIC_UNDECIDED_LEVEL;
	} else if (k->counter) {
		if (change_log_counter(changes, &k->window))
			*why = VGIC_UNDECIDED_CONCURRENT;
	} else {
		err = get_intids(log, k, gicv2, &intids, &n);
		if (!err && change_log_hits(changes, &k->window, intids, n))
			*why = k->late ? VGIC_UNDECIDED_LATE : VGIC_UNDECIDED_CONCURRENT;
	}
	return err;
}

static void report(struct kept_log *log, const struct kept *k, const struct vgic_verify_config *cfg)
{
	bool old = cfg->policy->replay == VGIC_REPLAY_NONE;

	for (unsigned int i = 0; i < k->stored; i++) {
		const struct diff *d = &diffs_of(k)[i];

		cfg->mismatch(cfg->opaque,
			      &(struct vgic_verify_mismatch){
				      .index = k->index,
				      .rec = rec_of(k),
				      .rule = old && d->rule->old ? d->rule->old : d->rule->id,
				      .text = d->rule->text,
				      .field = d->field,
				      .intid = d->intid,
				      .kernel = d->kernel,
				      .model = d->model,
				      .hint = take_hint(log, k, i, true),
			      });
	}
}

int kept_settle(struct kept_log *log, const struct change_log *changes,
		const struct vgic_verify_config *cfg, struct vgic_verify_totals *totals,
		uint64_t before)
{
	while (kept_any(log) && first(log)->window.end < before) {
		struct kept *k = first(log);
		int why, err = reason(log, changes, k, cfg->gicv2, &why);

		if (err)
			return err;
		if (why >= 0) {
			for (unsigned int i = 0; i < k->stored; i++)
				take_hint(log, k, i, false);
			totals->undecided_records++;
			totals->undecided[why]++;
		} else {
			totals->mismatched_records++;
			totals->mismatches += k->nr_diffs;
			report(log, k, cfg);
		}
		free(k->hints);
		log->head += k->bytes;
		log->n--;
	}
	if (!kept_any(log))
		log->head = log->tail = 0;
	return 0;
}

uint64_t kept_earliest(const struct kept_log *log)
{
	uint64_t earliest = UINT64_MAX;

	for (size_t at = log->head; at < log->tail;) {
		const struct kept *k = (const struct kept *)(log->v + at);

		if (k->window.begin < earliest)
			earliest = k->window.begin;
		at += k->bytes;
	}
	return earliest;
}

uint64_t kept_first_end(const struct kept_log *log)
{
	return kept_any(log) ? first(log)->window.end : UINT64_MAX;
}

void kept_finish(struct kept_log *log)
{
	for (; kept_any(log); log->head += first(log)->bytes)
		free(first(log)->hints);
	free(log->v);
	free(log->intids);
	free(log->hinted);
}
