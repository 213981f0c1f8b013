// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants over a recording. A record that breaks a rule is kept until its
 * surroundings are known: what explains it may stand later in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/gich.h>

#include "invariants_track.h"

/*
 * A suspect is judged once all records of its time and of the longest effect must have
 * been seen: records of different CPUs stand in the file a little out of order.
 */
#define SETTLE_NS      300000000ull
/* Records kept for suspects at a time; beyond this the oldest is judged early. */
#define MAX_KEPT       256u
#define MAX_KEPT_BYTES (4u << 20)

struct kept {
	struct kept *next;
	uint64_t index;
	uint64_t begin, end; /* ns, of the record */
	struct inv_suspect *suspects;
	size_t n, room;
	uint64_t rec[]; /* whole record */
};

struct vgic_invariants {
	struct vgic_invariants_config cfg;
	struct vgic_invariants_totals totals;
	struct inv_judge judge;
	struct inv_causes *causes;
	struct inv_track track;
	struct kept *kept, **kept_tail;
	size_t nr_kept, kept_bytes;
	/* Of the record at hand. */
	const struct vgr_rec *rec;
	uint64_t begin;
	struct kept *current; /* NULL until it is suspected */
	bool no_memory;
	uint64_t excused[VGIC_NR_INVARIANTS + 1]; /* counted as evaluated by the judge */
	uint64_t lr[VGIC_MAX_LRS];
};

static void undecided(void *to, unsigned int rule, enum vgic_undecided why)
{
	struct vgic_invariants *inv = to;

	inv->totals.rules[rule].undecided++;
	inv->totals.undecided[why]++;
}

static struct kept *keep_record(struct vgic_invariants *inv)
{
	struct kept *k = malloc(sizeof(*k) + inv->rec->size);

	if (!k)
		return NULL;
	*k = (struct kept){
		.index = inv->totals.records + 1,
		.begin = inv->begin,
		.end = inv->rec->time,
	};
	memcpy(k->rec, inv->rec, inv->rec->size);
	*inv->kept_tail = k;
	inv->kept_tail = &k->next;
	inv->nr_kept++;
	inv->kept_bytes += sizeof(*k) + inv->rec->size;
	return k;
}

static void suspect(void *to, const struct inv_suspect *s)
{
	struct vgic_invariants *inv = to;
	struct kept *k;

	if (!inv->current)
		inv->current = keep_record(inv);
	k = inv->current;
	if (k && k->n == k->room) {
		size_t room = k->room ? k->room * 2 : 2;
		struct inv_suspect *v = realloc(k->suspects, room * sizeof(*v));

		if (!v) {
			inv->no_memory = true;
			return;
		}
		k->suspects = v;
		k->room = room;
	}
	if (!k) {
		inv->no_memory = true;
		return;
	}
	k->suspects[k->n] = *s;
	if (!s->begin)
		k->suspects[k->n].begin = k->begin;
	if (!s->end)
		k->suspects[k->n].end = k->end;
	k->n++;
}

static void convict(struct vgic_invariants *inv, const struct kept *k, const struct inv_suspect *s,
		    const struct inv_window *w)
{
	const struct inv_part_info *part = inv_part_info(s->part);
	const struct vgr_rec *rec = (const struct vgr_rec *)k->rec;
	uint64_t cause = s->cause;

	inv->totals.violations++;
	inv->totals.rules[part->rule].violated++;
	if (s->want_cause)
		cause = inv_causes_find(inv->causes, w, s->intid, INV_MAY_CLEAR);
	if (!inv->cfg.violation)
		return;
	inv->cfg.violation(inv->cfg.opaque, &(struct vgic_violation){
						    .index = k->index,
						    .rec = rec,
						    .rule = part->rule,
						    .part = part->letter,
						    .name = vgic_invariant_at(part->rule)->name,
						    .text = part->text,
						    .what = s->what,
						    .known = s->known ? s->known : part->known,
						    .promise = part->follows,
						    .intid = s->intid,
						    .vm = rec->vm,
						    .vcpu = rec->vcpu,
						    .cause = cause,
					    });
}

static void judge_kept(struct vgic_invariants *inv, struct kept *k)
{
	const struct vgr_rec *rec = (const struct vgr_rec *)k->rec;

	for (size_t i = 0; i < k->n; i++) {
		const struct inv_suspect *s = &k->suspects[i];
		struct inv_window w = {
			.begin = s->begin,
			.end = s->end,
			.vm = rec->vm,
			.vcpu = rec->vcpu,
		};

		unsigned int rule = inv_part_info(s->part)->rule;
		uint32_t whose = inv_part_info(s->part)->together ? VGR_BOUNDARY_NONE : s->intid;

		/* Neither what was in vain nor the record itself explains anything. */
		switch (inv_causes_ask(inv->causes, &w, whose, s->excuse,
				       (uint64_t[]){s->cause, k->index})) {
		case INV_GUILTY:
			convict(inv, k, s, &w);
			continue;
		case INV_EXCUSED:
			if (s->lawful)
				continue;
			/* fall through */
		case INV_FORGOTTEN:
			undecided(inv, rule, VGIC_UNDECIDED_CONCURRENT);
			break;
		case INV_LOST:
			undecided(inv, rule, VGIC_UNDECIDED_LOSS);
			break;
		}
		inv->excused[rule]++;
	}
}

/* Judges what ended before a time, and what there is no room for. */
static void settle(struct vgic_invariants *inv, uint64_t before)
{
	while (inv->kept && (inv->kept->end < before || inv->nr_kept > MAX_KEPT ||
			     inv->kept_bytes > MAX_KEPT_BYTES)) {
		struct kept *k = inv->kept;

		judge_kept(inv, k);
		inv->kept = k->next;
		inv->nr_kept--;
		inv->kept_bytes -= sizeof(*k) + ((const struct vgr_rec *)k->rec)->size;
		free(k->suspects);
		free(k);
	}
	if (!inv->kept)
		inv->kept_tail = &inv->kept;
}

int vgic_invariants_create(struct vgic_invariants **out, const struct vgic_invariants_config *cfg)
{
	struct vgic_invariants *inv;

	if (!cfg->policy || !cfg->nr_lr ||
	    cfg->nr_lr > (cfg->gicv2 ? VGIC_MAX_LRS : VGIC_V3_MAX_LRS))
		return -EINVAL;
	inv = calloc(1, sizeof(*inv));
	if (!inv)
		return -ENOMEM;
	if (inv_causes_create(&inv->causes)) {
		free(inv);
		return -ENOMEM;
	}
	inv->cfg = *cfg;
	inv->cfg.model_v2 |= cfg->gicv2;
	inv->kept_tail = &inv->kept;
	inv->track.generation = 1;
	inv_judge_init(&inv->judge, cfg->policy, cfg->strict, cfg->gicv2);
	inv->judge.to = inv;
	inv->judge.suspect = suspect;
	inv->judge.undecided = undecided;
	*out = inv;
	return 0;
}

void vgic_invariants_destroy(struct vgic_invariants *inv)
{
	if (!inv)
		return;
	while (inv->kept) {
		struct kept *next = inv->kept->next;

		free(inv->kept->suspects);
		free(inv->kept);
		inv->kept = next;
	}
	inv_track_finish(&inv->track);
	inv_causes_destroy(inv->causes);
	free(inv);
}

const struct vgic_invariants_totals *vgic_invariants_totals(const struct vgic_invariants *inv)
{
	return &inv->totals;
}

static bool has_gone(const struct vgr_irq *irqs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (irqs[i].state & VGR_IRQ_GONE)
			return true;
	return false;
}

/* Nothing can be said about a record, and nothing that follows can build on it. */
static void pass_over(struct vgic_invariants *inv, struct inv_vcpu *v, enum vgic_undecided why)
{
	static const uint8_t of_flush[] = {1, 3, 4, 5, 6, 7, 8, 9, 10, 16};
	static const uint8_t of_sync[] = {1, 2, 4, 11, 12, 13, 14, 15};
	bool flush = inv->rec->type == VGR_FLUSH;
	size_t n = flush ? sizeof(of_flush) : sizeof(of_sync);

	for (size_t i = 0; i < n; i++) {
		undecided(inv, flush ? of_flush[i] : of_sync[i], why);
		/* One record, one reason. */
		if (i)
			inv->totals.undecided[why]--;
	}
	inv_chain_forget(v);
}

/* -1: the record can be judged. */
static int unfit(const struct vgr_rec *rec, bool nested)
{
	if (nested)
		return VGIC_UNDECIDED_NESTED;
	if (rec->flags & VGR_F_CUT)
		return VGIC_UNDECIDED_CUT;
	if (rec->flags & VGR_F_TORN)
		return VGIC_UNDECIDED_TORN;
	return -1;
}

static const uint64_t *decoded(struct vgic_invariants *inv, const uint64_t *lr, unsigned int n)
{
	if (!inv->cfg.gicv2)
		return lr;
	for (unsigned int i = 0; i < n && i < VGIC_MAX_LRS; i++)
		inv->lr[i] = lr[i] ? vgic_gich_lr_decode(lr[i]) : 0;
	return inv->lr;
}

static int on_flush(struct vgic_invariants *inv, struct inv_moment *m)
{
	const struct vgr_flush *f = (const struct vgr_flush *)m->rec;
	const struct vgr_irq *after = vgr_flush_after(f);
	int why = unfit(m->rec, f->nested);
	struct inv_entry e = {
		.vcpu = f->r.vcpu,
		.model_v2 = m->vm->model_v2,
		.gicv2 = inv->cfg.gicv2,
		.barrier = inv->cfg.policy->multi_sgi_barrier,
		.late = (f->r.flags & VGR_F_NO_CONFIG) && f->n_after != f->n_before,
		.dist_enabled = f->dist_enabled,
		.hcr = f->hcr,
		.vmcr = f->vmcr,
		.boundary = f->boundary,
		.active_spis = f->active_spis,
		.used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr,
		.nr_lr = f->nr_lr,
		.irqs = after,
		.n = f->n_after,
	};

	inv->totals.flushes++;
	if (why < 0 && has_gone(vgr_flush_before(f), f->n_before + (size_t)f->n_after))
		why = VGIC_UNDECIDED_GONE;
	if (why < 0 && (!f->nr_lr || f->nr_lr != inv->cfg.nr_lr))
		why = VGIC_UNDECIDED_MALFORMED;
	if (why >= 0) {
		pass_over(inv, m->vcpu, why);
		return 0;
	}
	/* With the short cut of 6.12 LRs and HCR are what some earlier flush left. */
	if (f->r.flags & VGR_F_SKIPPED) {
		e.used = 0;
	} else {
		e.lr = decoded(inv, vgr_flush_lrs(f), f->nr_lr);
		inv_judge_entry(&inv->judge, &e);
	}
	return inv_chain_flush(m, f, &e);
}

static int on_sync(struct vgic_invariants *inv, struct inv_moment *m)
{
	const struct vgr_sync *s = (const struct vgr_sync *)m->rec;
	const struct vgr_irq *before = vgr_sync_before(s), *after = vgr_sync_after(s);
	int why = unfit(m->rec, s->nested);
	struct inv_exit x = {
		.vcpu = s->r.vcpu,
		.model_v2 = m->vm->model_v2,
		.gicv2 = inv->cfg.gicv2,
		.folded = !(s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED)),
		.dist_enabled = s->dist_enabled,
		.hcr = s->hcr,
		.boundary = s->boundary,
		.spis_before = s->active_spis_before,
		.spis_after = s->active_spis_after,
		.used = s->used_lrs,
		.lr = decoded(inv, vgr_sync_lrs(s), s->used_lrs),
		.before = before,
		.after = after,
		.n = s->n_before,
		.order = vgr_sync_order(s),
		.n_order = s->n_after,
	};

	inv->totals.syncs++;
	if (why < 0 && has_gone(before, 2 * (size_t)s->n_before))
		why = VGIC_UNDECIDED_GONE;
	for (unsigned int i = 0; why < 0 && i < s->n_before; i++)
		if (before[i].intid != after[i].intid)
			why = VGIC_UNDECIDED_MALFORMED;
	if (why >= 0) {
		pass_over(inv, m->vcpu, why);
		return 0;
	}
	/* For others this sync is a change from outside. */
	for (unsigned int i = 0; i < s->n_before; i++)
		if (after[i].vcpu != before[i].vcpu && before[i].intid >= VGIC_NR_PRIVATE)
			inv_causes_sync(inv->causes, s, m->index, before[i].intid, INV_MAY_MOVE);
	if (s->active_spis_before != s->active_spis_after)
		inv_causes_sync(inv->causes, s, m->index, VGIC_NR_PRIVATE, INV_MAY_COUNT);
	inv_judge_exit(&inv->judge, &x);
	return inv_chain_sync(m, s, &x);
}

/* While no vCPU is loaded the VMM may write any register, as it does at a reset. */
static void on_load(struct vgic_invariants *inv, struct inv_moment *m, bool load)
{
	struct inv_vm *vm = m->vm;

	if (m->vcpu->loaded == load)
		return;
	m->vcpu->loaded = load;
	if (load && !vm->nr_loaded++)
		inv_causes_idle(inv->causes, m->rec, m->index, vm->idle_since);
	else if (!load && !--vm->nr_loaded)
		vm->idle_since = m->rec->time;
}

static int on_record(struct vgic_invariants *inv, struct inv_moment *m)
{
	const struct vgr_vcpu *intro = (const struct vgr_vcpu *)m->rec;

	switch (m->rec->type) {
	case VGR_VCPU:
		if (intro->nr_spis)
			m->vm->nr_spis = intro->nr_spis;
		if (intro->vgic_model)
			m->vm->model_v2 = intro->vgic_model == 2;
		return 0;
	case VGR_INJECT:
		return inv_chain_inject(m, (const struct vgr_inject *)m->rec);
	}
	if (!m->vcpu)
		return 0;
	switch (m->rec->type) {
	case VGR_LOAD:
	case VGR_PUT:
		on_load(inv, m, m->rec->type == VGR_LOAD);
		return 0;
	case VGR_FLUSH:
		/* A recording may begin with a vCPU in the guest. */
		on_load(inv, m, true);
		return on_flush(inv, m);
	case VGR_SYNC:
		return on_sync(inv, m);
	case VGR_ENTRY:
		m->vcpu->entered = true;
		return 0;
	case VGR_DIR:
		return inv_chain_dir(m, (const struct vgr_dir *)m->rec);
	}
	return 0;
}

static uint64_t begin_of(const struct vgr_rec *rec)
{
	if (rec->type == VGR_FLUSH)
		return ((const struct vgr_flush *)rec)->begin;
	if (rec->type == VGR_SYNC)
		return ((const struct vgr_sync *)rec)->begin;
	return rec->time;
}

int vgic_invariants_record(struct vgic_invariants *inv, const struct vgr_rec *rec)
{
	struct inv_moment m = {
		.judge = &inv->judge,
		.track = &inv->track,
		.causes = inv->causes,
		.cfg = &inv->cfg,
		.totals = &inv->totals,
		.rec = rec,
		.begin = begin_of(rec),
		.index = inv->totals.records + 1,
	};
	int err = 0;

	inv->rec = rec;
	inv->begin = m.begin;
	inv->current = NULL;
	if (rec->vm != VGR_NO_VM) {
		m.vm = inv_track_vm(&inv->track, rec->vm, inv->cfg.model_v2);
		if (!m.vm)
			return -ENOMEM;
		if (rec->vcpu < VGIC_MAX_VCPUS) {
			m.vcpu = inv_track_vcpu(&inv->track, m.vm, rec->vcpu);
			if (!m.vcpu)
				return -ENOMEM;
		}
	}
	inv_causes_record(inv->causes, rec, m.index, m.vm && m.vm->model_v2 ? 0xfff : 0xffff);
	if (rec->type == VGR_LOSS)
		inv->track.generation++;
	else if (m.vm)
		err = on_record(inv, &m);
	inv->totals.records++;
	if (rec->time > SETTLE_NS)
		settle(inv, rec->time - SETTLE_NS);
	return err ? err : inv->no_memory ? -ENOMEM : 0;
}

void vgic_invariants_finish(struct vgic_invariants *inv)
{
	settle(inv, UINT64_MAX);
	for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++) {
		struct vgic_invariant_totals *t = &inv->totals.rules[rule];
		uint64_t done = inv->judge.evaluated[rule];

		done = done > inv->excused[rule] ? done - inv->excused[rule] : 0;
		/* One look may find more than one thing. */
		t->evaluated = done > t->violated ? done : t->violated;
	}
}
