// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recomputes the flushes and syncs of a recording. A record that differs is kept
 * until its surroundings are known: other CPUs' records may come later in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/gich.h>

#include "verify_internal.h"

/* Differing records kept until the end; beyond this all are decided early. */
#define MAX_KEPT_BYTES (32u << 20)

struct kept {
	struct kept *next;
	uint64_t index;
	struct window window;
	unsigned int nr_diffs; /* may exceed MAX_DIFFS */
	struct diff diffs[MAX_DIFFS];
	bool lpi, late, no_level;
	unsigned int nr_hints;	  /* of the first differences */
	char (*hints)[HINT_SIZE]; /* empty: not looked for */
	uint64_t rec[];		  /* whole record */
};

/* Rules that mismatch, and whether the switch behind them was looked for. */
struct hinted {
	const struct rule *rule;
	unsigned int waiting; /* records kept that have a hint for it */
	bool reported;
};

/* Kept records that may get a hint for the same rule: the first ones may prove undecidable. */
#define MAX_WAITING 4
#define MAX_HINTED  64

/* One vCPU between its flush and its sync. */
struct run {
	uint16_t vm, vcpu;
	uint32_t boundary;
	bool flush_checked;
	bool flushed; /* and since then nothing lost, and no entry */
	bool programmed;
	uint32_t hcr, vmcr; /* as the flush left them */
};

struct vgic_verify {
	struct vgic_verify_config cfg;
	struct vgic_verify_totals totals;
	struct check check;
	struct change_log changes;
	struct run *runs;
	size_t nr_runs;
	bool *models_v2; /* by VM: its guest programs a GICv2 */
	size_t nr_models;
	struct samples **cpus;
	size_t nr_cpus;
	struct kept *kept, **kept_tail;
	size_t kept_bytes;
	struct hinted hinted[MAX_HINTED];
	unsigned int nr_hinted;
};

const char *vgic_undecided_name(enum vgic_undecided why)
{
	static const char *const names[VGIC_NR_UNDECIDED] = {
		[VGIC_UNDECIDED_CONCURRENT] = "changed by another CPU meanwhile",
		[VGIC_UNDECIDED_LATE] = "list read after its lock was dropped",
		[VGIC_UNDECIDED_LOSS] = "records lost around it",
		[VGIC_UNDECIDED_CUT] = "list longer than a record",
		[VGIC_UNDECIDED_TORN] = "list changed while it was read",
		[VGIC_UNDECIDED_GONE] = "interrupt could not be read",
		[VGIC_UNDECIDED_NESTED] = "vCPU in nested state",
		[VGIC_UNDECIDED_LPI] = "LPI not in the list",
		[VGIC_UNDECIDED_LEVEL] = "physical level not recorded",
		[VGIC_UNDECIDED_MALFORMED] = "record contradicts itself",
	};

	return (unsigned int)why < VGIC_NR_UNDECIDED ? names[why] : "?";
}

const char *vgic_undecided_key(enum vgic_undecided why)
{
	static const char *const keys[VGIC_NR_UNDECIDED] = {
		[VGIC_UNDECIDED_CONCURRENT] = "concurrent",
		[VGIC_UNDECIDED_LATE] = "late",
		[VGIC_UNDECIDED_LOSS] = "loss",
		[VGIC_UNDECIDED_CUT] = "cut",
		[VGIC_UNDECIDED_TORN] = "torn",
		[VGIC_UNDECIDED_GONE] = "gone",
		[VGIC_UNDECIDED_NESTED] = "nested",
		[VGIC_UNDECIDED_LPI] = "lpi",
		[VGIC_UNDECIDED_LEVEL] = "level",
		[VGIC_UNDECIDED_MALFORMED] = "malformed",
	};

	return (unsigned int)why < VGIC_NR_UNDECIDED ? keys[why] : "?";
}

int vgic_verify_create(struct vgic_verify **out, const struct vgic_verify_config *cfg)
{
	struct vgic_verify *v;
	int err;

	if (!cfg->policy)
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->cfg = *cfg;
	v->kept_tail = &v->kept;
	/* One vgic for all VMs: every record brings its whole state with it. */
	err = vgic_create(&v->check.vgic,
			  &(struct vgic_config){
				  .policy = cfg->policy,
				  .nr_vcpus = VGIC_MAX_VCPUS,
				  .nr_spis = VGIC_MAX_SPIS,
				  .nr_lr = cfg->nr_lr,
				  .gicv2 = cfg->gicv2,
				  .model_v2 = cfg->gicv2,
				  .has_tdir = !cfg->no_tdir,
				  .static_traps = cfg->static_traps,
				  .env =
					  {
						  .opaque = &v->check,
						  .physical_level = check_physical_level,
						  .resample = check_notified,
					  },
			  });
	if (err) {
		free(v);
		return err;
	}
	v->check.cfg = &v->cfg;
	v->check.totals = &v->totals;
	*out = v;
	return 0;
}

static void free_kept(struct kept *k)
{
	free(k->hints);
	free(k);
}

void vgic_verify_destroy(struct vgic_verify *v)
{
	if (!v)
		return;
	while (v->kept) {
		struct kept *next = v->kept->next;

		free_kept(v->kept);
		v->kept = next;
	}
	for (size_t i = 0; i < v->nr_cpus; i++)
		free(v->cpus[i]);
	free(v->cpus);
	free(v->runs);
	free(v->models_v2);
	change_log_finish(&v->changes);
	vgic_destroy(v->check.vgic);
	free(v);
}

const struct vgic_verify_totals *vgic_verify_totals(const struct vgic_verify *v)
{
	return &v->totals;
}

static struct run *run_of(struct vgic_verify *v, const struct vgr_rec *rec)
{
	struct run *runs;

	for (size_t i = 0; i < v->nr_runs; i++)
		if (v->runs[i].vm == rec->vm && v->runs[i].vcpu == rec->vcpu)
			return &v->runs[i];
	runs = realloc(v->runs, (v->nr_runs + 1) * sizeof(*runs));
	if (!runs)
		return NULL;
	v->runs = runs;
	runs[v->nr_runs] = (struct run){
		.vm = rec->vm,
		.vcpu = rec->vcpu,
		.boundary = VGR_BOUNDARY_UNKNOWN,
	};
	return &runs[v->nr_runs++];
}

static struct samples *samples_of(struct vgic_verify *v, uint16_t cpu)
{
	if (cpu >= v->nr_cpus) {
		size_t n = cpu + 1u;
		struct samples **cpus = realloc(v->cpus, n * sizeof(struct samples *));

		if (!cpus)
			return NULL;
		memset(cpus + v->nr_cpus, 0, (n - v->nr_cpus) * sizeof(struct samples *));
		v->cpus = cpus;
		v->nr_cpus = n;
	}
	if (!v->cpus[cpu])
		v->cpus[cpu] = calloc(1, sizeof(struct samples));
	return v->cpus[cpu];
}

static void undecided(struct vgic_verify *v, enum vgic_undecided why)
{
	v->totals.undecided_records++;
	v->totals.undecided[why]++;
}

/* All INTIDs that a record is about; room for every one of its entries. */
static size_t intids_of(const struct vgr_rec *rec, bool gicv2, uint32_t *to)
{
	const struct vgr_irq *irqs;
	size_t n = 0, nr_irqs;

	if (rec->type == VGR_FLUSH) {
		const struct vgr_flush *f = (const struct vgr_flush *)rec;

		irqs = (const struct vgr_irq *)(f + 1);
		nr_irqs = (size_t)f->n_before + f->n_after;
		for (size_t i = 0; i < nr_irqs; i++)
			to[n++] = irqs[i].intid;
	} else {
		const struct vgr_sync *s = (const struct vgr_sync *)rec;
		const uint64_t *lrs;
		const uint32_t *order;

		irqs = (const struct vgr_irq *)(s + 1);
		lrs = (const uint64_t *)(irqs + 2 * (size_t)s->n_before);
		order = (const uint32_t *)(lrs + s->used_lrs);
		for (size_t i = 0; i < s->n_before; i++)
			to[n++] = irqs[i].intid;
		for (size_t i = 0; i < s->used_lrs; i++)
			to[n++] = lrs[i] & (gicv2 ? VGIC_GICH_LR_VINTID : VGIC_LR_VINTID);
		for (size_t i = 0; i < s->n_after; i++)
			to[n++] = order[i];
	}
	return n;
}

static int reason(struct vgic_verify *v, const struct kept *k, const uint32_t *intids, size_t n)
{
	bool counter = true;

	if (change_log_lost(&v->changes, &k->window))
		return VGIC_UNDECIDED_LOSS;
	if (k->lpi)
		return VGIC_UNDECIDED_LPI;
	if (k->no_level)
		return VGIC_UNDECIDED_LEVEL;
	for (unsigned int i = 0; i < k->nr_diffs && i < MAX_DIFFS; i++)
		counter &= k->diffs[i].counter;
	if (counter && k->nr_diffs <= MAX_DIFFS)
		return change_log_counter(&v->changes, &k->window) ? VGIC_UNDECIDED_CONCURRENT : -1;
	if (!change_log_hits(&v->changes, &k->window, intids, n))
		return -1;
	return k->late && (((const struct vgr_rec *)k->rec)->flags & VGR_F_NO_CONFIG)
		       ? VGIC_UNDECIDED_LATE
		       : VGIC_UNDECIDED_CONCURRENT;
}

/* NULL: no room, which no number of rules reaches. */
static struct hinted *hinted_of(struct vgic_verify *v, const struct rule *rule)
{
	for (unsigned int i = 0; i < v->nr_hinted; i++)
		if (v->hinted[i].rule == rule)
			return &v->hinted[i];
	if (v->nr_hinted == MAX_HINTED)
		return NULL;
	v->hinted[v->nr_hinted] = (struct hinted){.rule = rule};
	return &v->hinted[v->nr_hinted++];
}

/* Only somebody who is told of mismatches wants hints. */
static int look_for_switches(struct vgic_verify *v, struct kept *k)
{
	unsigned int n = k->nr_diffs < MAX_DIFFS ? k->nr_diffs : MAX_DIFFS;
	int err = 0;

	if (!v->cfg.mismatch)
		return 0;
	for (unsigned int i = 0; i < n && !err; i++) {
		struct hinted *h = hinted_of(v, k->diffs[i].rule);

		if (!h || h->reported || h->waiting >= MAX_WAITING)
			continue;
		if (!k->hints)
			k->hints = calloc(n, sizeof(*k->hints));
		if (!k->hints)
			return -ENOMEM;
		k->nr_hints = n;
		h->waiting++;
		err = check_switches(&v->check, (const struct vgr_rec *)k->rec, i, k->hints[i]);
	}
	return err;
}

/* The hint for one difference of a record that is decided now. */
static const char *take_hint(struct vgic_verify *v, const struct kept *k, unsigned int i,
			     bool report)
{
	struct hinted *h;

	if (i >= k->nr_hints || !k->hints[i][0])
		return NULL;
	h = hinted_of(v, k->diffs[i].rule);
	h->waiting--;
	if (!report || h->reported)
		return NULL;
	h->reported = true;
	return k->hints[i];
}

static void report(struct vgic_verify *v, const struct kept *k)
{
	bool old = v->cfg.policy->replay == VGIC_REPLAY_NONE;

	v->totals.mismatched_records++;
	v->totals.mismatches += k->nr_diffs;
	for (unsigned int i = 0; v->cfg.mismatch && i < k->nr_diffs && i < MAX_DIFFS; i++) {
		const struct diff *d = &k->diffs[i];

		v->cfg.mismatch(v->cfg.opaque,
				&(struct vgic_verify_mismatch){
					.index = k->index,
					.rec = (const struct vgr_rec *)k->rec,
					.rule = old && d->rule->old ? d->rule->old : d->rule->id,
					.text = d->rule->text,
					.field = d->field,
					.intid = d->intid,
					.kernel = d->kernel,
					.model = d->model,
					.hint = take_hint(v, k, i, true),
				});
	}
}

int vgic_verify_settle(struct vgic_verify *v, uint64_t before)
{
	if (!v->kept)
		return 0;
	change_log_prepare(&v->changes);
	while (v->kept && v->kept->window.end < before) {
		struct kept *k = v->kept;
		const struct vgr_rec *rec = (const struct vgr_rec *)k->rec;
		uint32_t *intids = malloc((size_t)rec->size + sizeof(*intids));
		int why;

		if (!intids)
			return -ENOMEM;
		why = reason(v, k, intids, intids_of(rec, v->cfg.gicv2, intids));
		free(intids);
		if (why >= 0) {
			for (unsigned int i = 0; i < k->nr_hints; i++)
				take_hint(v, k, i, false);
			undecided(v, why);
		} else {
			report(v, k);
		}
		v->kept = k->next;
		v->kept_bytes -= sizeof(*k) + rec->size;
		free_kept(k);
	}
	if (!v->kept)
		v->kept_tail = &v->kept;
	return 0;
}

static int keep(struct vgic_verify *v, const struct vgr_rec *rec, uint64_t begin)
{
	size_t size = sizeof(struct kept) + rec->size;
	struct kept *k = malloc(size);
	int err;

	if (!k)
		return -ENOMEM;
	k->next = NULL;
	k->hints = NULL;
	k->nr_hints = 0;
	k->index = v->totals.records + 1;
	k->window = (struct window){
		.begin = begin,
		.end = rec->time,
		.cpu = rec->cpu,
		.vm = rec->vm,
		.vcpu = rec->vcpu,
	};
	k->nr_diffs = v->check.nr_diffs;
	memcpy(k->diffs, v->check.diffs, sizeof(k->diffs));
	k->lpi = v->check.lpi;
	k->late = v->check.late;
	k->no_level = v->check.no_level;
	memcpy(k->rec, rec, rec->size);
	err = look_for_switches(v, k);
	if (err) {
		free_kept(k);
		return err;
	}
	*v->kept_tail = k;
	v->kept_tail = &k->next;
	v->kept_bytes += size;
	return v->kept_bytes > MAX_KEPT_BYTES ? vgic_verify_settle(v, UINT64_MAX) : 0;
}

/* *checked: the record could be compared. */
static int settle(struct vgic_verify *v, const struct vgr_rec *rec, uint64_t begin, bool *checked)
{
	*checked = false;
	if (v->check.undecided >= 0) {
		undecided(v, v->check.undecided);
		return 0;
	}
	*checked = true;
	if (v->check.nr_diffs)
		return keep(v, rec, begin);
	return 0;
}

static int on_flush(struct vgic_verify *v, const struct vgr_flush *f)
{
	struct run *run = run_of(v, &f->r);
	bool checked;
	int err;

	if (!run)
		return -ENOMEM;
	v->totals.flushes++;
	err = check_flush(&v->check, f);
	if (!err)
		err = settle(v, &f->r, f->begin, &checked);
	if (err)
		return err;
	run->boundary = v->check.boundary;
	run->programmed = v->check.programmed;
	run->hcr = v->check.hcr;
	run->vmcr = v->check.vmcr;
	run->flush_checked = checked;
	run->flushed = true;
	v->totals.checked_flushes += checked;
	return 0;
}

static int on_sync(struct vgic_verify *v, const struct vgr_sync *s)
{
	struct run *run = run_of(v, &s->r);
	bool checked;
	int err;

	if (!run)
		return -ENOMEM;
	v->totals.syncs++;
	v->check.boundary = run->boundary;
	v->check.called_off = run->flushed && v->cfg.has_entries;
	v->check.programmed = run->programmed;
	v->check.hcr = run->hcr;
	v->check.vmcr = run->vmcr;
	err = check_sync(&v->check, s);
	if (!err)
		err = settle(v, &s->r, s->begin, &checked);
	if (err)
		return err;
	v->totals.checked_syncs += checked;
	v->totals.pairs += checked && run->flush_checked;
	run->flush_checked = run->flushed = run->programmed = false;
	run->boundary = VGR_BOUNDARY_UNKNOWN;
	return 0;
}

static bool sizes_fit(const struct vgr_rec *rec)
{
	size_t need = sizeof(*rec);

	switch (rec->type) {
	case VGR_FLUSH: {
		const struct vgr_flush *f = (const struct vgr_flush *)rec;

		need = sizeof(*f);
		if (rec->size < need || f->nr_lr > VGIC_MAX_LRS || f->used_lrs > f->nr_lr)
			return false;
		need += ((size_t)f->n_before + f->n_after) * sizeof(struct vgr_irq) +
			f->nr_lr * sizeof(uint64_t);
		break;
	}
	case VGR_SYNC: {
		const struct vgr_sync *s = (const struct vgr_sync *)rec;

		need = sizeof(*s);
		if (rec->size < need || s->used_lrs > VGIC_MAX_LRS)
			return false;
		need += 2 * (size_t)s->n_before * sizeof(struct vgr_irq) +
			s->used_lrs * sizeof(uint64_t) + s->n_after * sizeof(uint32_t);
		break;
	}
	case VGR_VCPU:
		need = sizeof(struct vgr_vcpu);
		break;
	case VGR_INJECT:
		need = sizeof(struct vgr_inject);
		break;
	case VGR_SGI:
		need = sizeof(struct vgr_sgi);
		break;
	case VGR_DIR:
		need = sizeof(struct vgr_dir);
		break;
	case VGR_MMIO:
		need = sizeof(struct vgr_mmio);
		break;
	case VGR_LEVEL:
		need = sizeof(struct vgr_level);
		break;
	case VGR_ACKED:
		need = sizeof(struct vgr_acked);
		break;
	case VGR_LOSS:
		need = sizeof(struct vgr_loss);
		break;
	}
	return rec->size >= need;
}

static int on_entry(struct vgic_verify *v, const struct vgr_rec *rec)
{
	struct run *run = run_of(v, rec);

	if (!run)
		return -ENOMEM;
	run->flushed = false;
	return 0;
}

/* An entry may be among what is lost, or a sync and a flush. */
static void on_loss(struct vgic_verify *v)
{
	for (size_t i = 0; i < v->nr_runs; i++)
		v->runs[i].flushed = v->runs[i].programmed = false;
}

/* 0 or -ENOMEM. */
static int on_vcpu(struct vgic_verify *v, const struct vgr_vcpu *vcpu)
{
	uint16_t vm = vcpu->r.vm;

	if (vcpu->vgic_model != 2 || vm == VGR_NO_VM)
		return 0;
	if (vm >= v->nr_models) {
		bool *models = realloc(v->models_v2, (vm + 1u) * sizeof(*models));

		if (!models)
			return -ENOMEM;
		memset(models + v->nr_models, 0, (vm + 1u - v->nr_models) * sizeof(*models));
		v->models_v2 = models;
		v->nr_models = vm + 1u;
	}
	v->models_v2[vm] = true;
	return 0;
}

int vgic_verify_record(struct vgic_verify *v, const struct vgr_rec *rec)
{
	struct samples *s;
	int err;

	if (!sizes_fit(rec))
		return -EINVAL;
	err = change_log_record(&v->changes, rec);
	if (err)
		return err;
	s = samples_of(v, rec->cpu);
	if (!s)
		return -ENOMEM;
	v->check.samples = s;
	v->check.nr_diffs = 0;
	v->check.lpi = v->check.late = v->check.no_level = false;

	v->check.vgic->cfg.model_v2 =
		v->cfg.gicv2 || (rec->vm < v->nr_models && v->models_v2[rec->vm]);

	switch (rec->type) {
	case VGR_VCPU:
		err = on_vcpu(v, (const struct vgr_vcpu *)rec);
		break;
	case VGR_FLUSH:
		err = on_flush(v, (const struct vgr_flush *)rec);
		s->nr_levels = s->nr_acked = s->nr_lowered = 0;
		break;
	case VGR_SYNC:
		err = on_sync(v, (const struct vgr_sync *)rec);
		s->nr_levels = s->nr_acked = s->nr_lowered = 0;
		break;
	case VGR_ENTRY:
		err = on_entry(v, rec);
		break;
	case VGR_LOSS:
		on_loss(v);
		break;
	case VGR_LEVEL:
		if (s->nr_levels < MAX_SAMPLES) {
			const struct vgr_level *l = (const struct vgr_level *)rec;

			s->levels[s->nr_levels].time = rec->time;
			s->levels[s->nr_levels].intid = l->intid;
			s->levels[s->nr_levels].used = false;
			s->levels[s->nr_levels++].level = l->level;
		}
		break;
	case VGR_INJECT:
		if (!((const struct vgr_inject *)rec)->level && s->nr_lowered < MAX_SAMPLES) {
			s->lowered[s->nr_lowered].time = rec->time;
			s->lowered[s->nr_lowered++].intid = ((const struct vgr_inject *)rec)->intid;
		}
		break;
	case VGR_ACKED:
		if (s->nr_acked < MAX_SAMPLES) {
			const struct vgr_acked *a = (const struct vgr_acked *)rec;

			s->acked[s->nr_acked].time = rec->time;
			s->acked[s->nr_acked++].intid = VGIC_NR_PRIVATE + a->pin;
		}
		break;
	}
	v->totals.records++;
	return err;
}

int vgic_verify_finish(struct vgic_verify *v)
{
	return vgic_verify_settle(v, UINT64_MAX);
}
