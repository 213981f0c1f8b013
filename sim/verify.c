// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recomputes the flushes and syncs of a recording. A record that differs is kept
 * until its surroundings are known: other CPUs' records may come later in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/*
 * How much later (ns) than a record others of the file are once all that were made before
 * it have been read. They come in the order in which they found room in the recorder's
 * ring: within milliseconds, but a CPU may have been stopped in between. Where memory gets
 * scarce the shorter time must do, and then none.
 */
#define WAIT	   2000000000ull
#define SHORT_WAIT 200000000ull

/* The way of most records is short if these do not stand in it. */
#define NOT_INLINE __attribute__((noinline))
#define RARELY(x)  __builtin_expect(!!(x), 0)

/* Differing records kept; beyond this some are decided early. */
#define MAX_KEPT_BYTES (12u << 20)

struct vm;

/* One vCPU between its flush and its sync. */
struct run {
	const struct vm *vm; /* NULL until it has a record */
	uint32_t losses;     /* seen until the flush */
	uint32_t boundary;
	bool known; /* the boundary is */
	bool flush_checked;
	bool flushed; /* and since then nothing lost, and no entry */
	bool programmed;
	uint32_t hcr, vmcr; /* as the flush left them */
};

/* vCPUs of a VM, as they come up. */
#define RUNS_EACH 16u

struct vm {
	struct run *runs[VGIC_MAX_VCPUS / RUNS_EACH];
	bool model_v2; /* its guest programs a GICv2 */
};

struct vgic_verify {
	struct vgic_verify_config cfg;
	struct vgic_verify_totals totals;
	struct check check;
	struct change_log changes;
	struct kept_log kept;
	uint64_t newest;    /* time of any record */
	uint64_t settle_at; /* when that is past this the first that are kept can be decided */
	struct vm **vms;
	size_t nr_vms;
	struct run *last; /* of the last record, and whose that was */
	uint16_t last_vm, last_vcpu;
	struct run nobody; /* of vCPUs that there cannot be */
	struct vm no_vm;
	uint32_t losses;
	size_t patience;
	bool passed_over; /* some flush or sync was */
	struct samples **cpus, none;
	size_t nr_cpus;
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
	v->settle_at = UINT64_MAX;
	v->patience = cfg->patience ? cfg->patience : SIZE_MAX;
	/* One vgic for all VMs: every record brings its whole state with it. */
	err = vgic_create(&v->check.vgic,
			  &(struct vgic_config){
				  .policy = cfg->policy,
				  .nr_vcpus = VGIC_MAX_VCPUS,
				  .on_demand = true,
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
	v->nobody.vm = &v->no_vm;
	v->last = &v->nobody;
	v->last_vm = VGR_NO_VM;
	v->last_vcpu = VGR_NO_VCPU;
	*out = v;
	return 0;
}

static void free_vm(struct vm *vm)
{
	if (!vm)
		return;
	for (size_t i = 0; i < sizeof(vm->runs) / sizeof(vm->runs[0]); i++)
		free(vm->runs[i]);
	free(vm);
}

void vgic_verify_destroy(struct vgic_verify *v)
{
	if (!v)
		return;
	kept_finish(&v->kept);
	for (size_t i = 0; i < v->nr_cpus; i++)
		free(v->cpus[i]);
	free(v->cpus);
	for (size_t i = 0; i < v->nr_vms; i++)
		free_vm(v->vms[i]);
	free(v->vms);
	change_log_finish(&v->changes);
	vgic_destroy(v->check.vgic);
	free(v);
}

const struct vgic_verify_totals *vgic_verify_totals(const struct vgic_verify *v)
{
	return &v->totals;
}

bool vgic_verify_whole(const struct vgic_verify *v)
{
	return !v->passed_over;
}

/* Room for pointer i of n: they are NULL at first. */
static void *more_pointers(void *v, size_t *n, size_t i)
{
	size_t want = *n ? *n : 8;
	void **more;

	while (want <= i)
		want *= 2;
	more = realloc(v, want * sizeof(void *));
	if (!more)
		return NULL;
	for (size_t k = *n; k < want; k++)
		more[k] = NULL;
	*n = want;
	return more;
}

NOT_INLINE static struct vm *new_vm(struct vgic_verify *v, uint16_t vm)
{
	if (vm >= v->nr_vms) {
		struct vm **vms = more_pointers(v->vms, &v->nr_vms, vm);

		if (!vms)
			return NULL;
		v->vms = vms;
	}
	if (!v->vms[vm])
		v->vms[vm] = calloc(1, sizeof(struct vm));
	return v->vms[vm];
}

/* Another one than that of the last record, or NULL: no memory. */
NOT_INLINE static struct run *other_run(struct vgic_verify *v, const struct vgr_rec *rec)
{
	struct run **runs, *run;
	struct vm *vm;

	/* None of its records can be compared. */
	if (rec->vcpu >= VGIC_MAX_VCPUS)
		return &v->nobody;
	vm = rec->vm < v->nr_vms && v->vms[rec->vm] ? v->vms[rec->vm] : new_vm(v, rec->vm);
	if (!vm)
		return NULL;
	runs = &vm->runs[rec->vcpu / RUNS_EACH];
	if (!*runs)
		*runs = calloc(RUNS_EACH, sizeof(struct run));
	if (!*runs)
		return NULL;
	run = &(*runs)[rec->vcpu % RUNS_EACH];
	run->vm = vm;
	v->last = run;
	v->last_vm = rec->vm;
	v->last_vcpu = rec->vcpu;
	return run;
}

/* NULL: no memory. */
static inline struct run *run_of(struct vgic_verify *v, const struct vgr_rec *rec)
{
	struct run *run = v->last;

	if (rec->vcpu != v->last_vcpu || rec->vm != v->last_vm)
		run = other_run(v, rec);
	/* An entry may be among what is lost, or a sync and a flush. */
	if (run && run->losses != v->losses) {
		run->losses = v->losses;
		run->flushed = run->programmed = false;
	}
	return run;
}

/* Of a CPU that has some; v->none if it has not. */
static struct samples *samples_of(struct vgic_verify *v, uint16_t cpu)
{
	return cpu < v->nr_cpus && v->cpus[cpu] ? v->cpus[cpu] : &v->none;
}

static struct samples *new_samples(struct vgic_verify *v, uint16_t cpu)
{
	if (cpu >= v->nr_cpus) {
		struct samples **cpus = more_pointers(v->cpus, &v->nr_cpus, cpu);

		if (!cpus)
			return NULL;
		v->cpus = cpus;
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

static uint64_t ago(const struct vgic_verify *v, uint64_t ns)
{
	return v->newest > ns ? v->newest - ns : 0;
}

int vgic_verify_settle(struct vgic_verify *v, uint64_t before)
{
	int err = 0;

	if (kept_first_end(&v->kept) < before)
		err = change_log_prepare(&v->changes);
	if (!err)
		err = kept_settle(&v->kept, &v->changes, &v->cfg, &v->totals, before);
	v->settle_at = kept_first_end(&v->kept);
	/* Not each one by itself. */
	v->settle_at = v->settle_at < UINT64_MAX - WAIT - WAIT / 2 ? v->settle_at + WAIT + WAIT / 2
								   : UINT64_MAX;
	return err;
}

/* Decides the first ones that are kept, until half the room is free again. */
static int settle_some(struct vgic_verify *v)
{
	int err = vgic_verify_settle(v, ago(v, WAIT));

	if (!err && kept_bytes(&v->kept) > MAX_KEPT_BYTES / 2)
		err = vgic_verify_settle(v, ago(v, SHORT_WAIT));
	if (!err && kept_bytes(&v->kept) > MAX_KEPT_BYTES / 2)
		err = vgic_verify_settle(v, UINT64_MAX);
	return err;
}

static int reclaim(struct vgic_verify *v, uint64_t wait)
{
	uint64_t earliest = kept_earliest(&v->kept), before = ago(v, wait);

	return change_log_reclaim(&v->changes, earliest < before ? earliest : before);
}

/* The log of changes has no more room: it lets go of what is old, or records are decided early. */
NOT_INLINE static int make_room(struct vgic_verify *v)
{
	int err = reclaim(v, WAIT);

	if (err > 0)
		err = vgic_verify_settle(v, ago(v, SHORT_WAIT)) ?: reclaim(v, SHORT_WAIT);
	if (err > 0)
		err = vgic_verify_settle(v, UINT64_MAX) ?: change_log_drop(&v->changes);
	return err;
}

/* *checked: the record could be compared. */
static int settle(struct vgic_verify *v, const struct vgr_rec *rec, uint64_t begin, bool *checked)
{
	int err;

	*checked = v->check.undecided < 0;
	if (!*checked) {
		undecided(v, v->check.undecided);
		return 0;
	}
	if (!v->check.nr_diffs)
		return 0;
	err = kept_add(&v->kept, &v->check, rec, begin, v->totals.records);
	if (err)
		return err;
	if (kept_bytes(&v->kept) > MAX_KEPT_BYTES)
		return settle_some(v);
	if (v->settle_at == UINT64_MAX && kept_first_end(&v->kept) < UINT64_MAX - 2 * WAIT)
		v->settle_at = kept_first_end(&v->kept) + WAIT + WAIT / 2;
	return 0;
}

/* What other CPUs may have done, for those who differ. 0 or -ENOMEM. */
NOT_INLINE static int take(struct vgic_verify *v, const struct vgr_rec *rec)
{
	if (RARELY(change_log_full(&v->changes))) {
		int err = make_room(v);

		if (err)
			return err;
	}
	return change_log_take(&v->changes, rec);
}

/* They are of the time since the CPU's last flush or sync. */
static void samples_end(struct samples *s)
{
	s->nr_levels = s->nr_acked = s->nr_lowered = 0;
}

static void begin_check(struct vgic_verify *v, const struct vgr_rec *rec, const struct run *run)
{
	v->check.samples = samples_of(v, rec->cpu);
	v->check.nr_diffs = 0;
	v->check.lpi = v->check.late = v->check.no_level = false;
	v->check.vgic->cfg.model_v2 = v->cfg.gicv2 || run->vm->model_v2;
}

/* A record whose sizes contradict one another is none. */
static int refuse(struct vgic_verify *v)
{
	v->totals.records--;
	return -EINVAL;
}

/* What every record of a type has at least, beyond its head; types that are not known: nothing. */
static inline bool size_fits(const struct vgr_rec *rec, unsigned int type)
{
	static const uint8_t more[VGR_TYPE_MAX + 1] = {
#define MORE(what) (uint8_t)(sizeof(what) - sizeof(struct vgr_rec))
		[VGR_VCPU] = MORE(struct vgr_vcpu),   [VGR_FLUSH] = MORE(struct vgr_flush),
		[VGR_SYNC] = MORE(struct vgr_sync),   [VGR_INJECT] = MORE(struct vgr_inject),
		[VGR_SGI] = MORE(struct vgr_sgi),     [VGR_DIR] = MORE(struct vgr_dir),
		[VGR_MMIO] = MORE(struct vgr_mmio),   [VGR_LEVEL] = MORE(struct vgr_level),
		[VGR_ACKED] = MORE(struct vgr_acked), [VGR_LOSS] = MORE(struct vgr_loss),
#undef MORE
	};

	return rec->size >= sizeof(*rec) + more[type];
}

static bool flush_fits(const struct vgr_flush *f)
{
	size_t irqs = (size_t)f->n_before + f->n_after;

	return f->nr_lr <= VGIC_MAX_LRS && f->used_lrs <= f->nr_lr &&
	       f->r.size >=
		       sizeof(*f) + irqs * sizeof(struct vgr_irq) + f->nr_lr * sizeof(uint64_t);
}

static bool sync_fits(const struct vgr_sync *s)
{
	size_t irqs = 2 * (size_t)s->n_before;

	return s->used_lrs <= VGIC_MAX_LRS &&
	       s->r.size >= sizeof(*s) + irqs * sizeof(struct vgr_irq) +
				    s->used_lrs * sizeof(uint64_t) + s->n_after * sizeof(uint32_t);
}

NOT_INLINE static int on_flush(struct vgic_verify *v, const struct vgr_flush *f)
{
	struct run *run;
	bool checked;
	int err;

	if (!flush_fits(f))
		return refuse(v);
	run = run_of(v, &f->r);
	if (!run)
		return -ENOMEM;
	v->totals.flushes++;
	begin_check(v, &f->r, run);
	err = check_flush(&v->check, f);
	if (!err)
		err = settle(v, &f->r, f->begin, &checked);
	if (err)
		return err;
	run->boundary = v->check.boundary;
	run->known = true;
	run->programmed = v->check.programmed;
	run->hcr = v->check.hcr;
	run->vmcr = v->check.vmcr;
	run->flush_checked = checked;
	run->flushed = true;
	v->totals.checked_flushes += checked;
	samples_end(v->check.samples);
	return 0;
}

NOT_INLINE static int on_sync(struct vgic_verify *v, const struct vgr_sync *s)
{
	struct run *run;
	bool checked;
	int err;

	if (!sync_fits(s))
		return refuse(v);
	run = run_of(v, &s->r);
	if (!run)
		return -ENOMEM;
	err = take(v, &s->r);
	if (err)
		return err;
	v->totals.syncs++;
	begin_check(v, &s->r, run);
	v->check.boundary = run->known ? run->boundary : VGR_BOUNDARY_UNKNOWN;
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
	run->flush_checked = run->flushed = run->programmed = run->known = false;
	samples_end(v->check.samples);
	return 0;
}

/* 0 or -ENOMEM. */
static int on_entry(struct vgic_verify *v, const struct vgr_rec *rec)
{
	struct run *run = run_of(v, rec);

	if (!run)
		return -ENOMEM;
	run->flushed = false;
	return 0;
}

NOT_INLINE static int on_vcpu(struct vgic_verify *v, const struct vgr_vcpu *vcpu)
{
	struct vm *vm;

	if (vcpu->vgic_model != 2 || vcpu->r.vm == VGR_NO_VM)
		return 0;
	vm = new_vm(v, vcpu->r.vm);
	if (!vm)
		return -ENOMEM;
	vm->model_v2 = true;
	return 0;
}

NOT_INLINE static int on_level(struct vgic_verify *v, const struct vgr_level *l)
{
	struct samples *s = new_samples(v, l->r.cpu);

	if (!s)
		return -ENOMEM;
	if (s->nr_levels == MAX_SAMPLES)
		return 0;
	s->levels[s->nr_levels].time = l->r.time;
	s->levels[s->nr_levels].intid = l->intid;
	s->levels[s->nr_levels].used = false;
	s->levels[s->nr_levels++].level = l->level;
	return 0;
}

static int on_inject(struct vgic_verify *v, const struct vgr_inject *i)
{
	struct samples *s;

	if (i->level)
		return take(v, &i->r);
	s = new_samples(v, i->r.cpu);
	if (!s)
		return -ENOMEM;
	if (s->nr_lowered < MAX_SAMPLES) {
		s->lowered[s->nr_lowered].time = i->r.time;
		s->lowered[s->nr_lowered++].intid = i->intid;
	}
	return take(v, &i->r);
}

NOT_INLINE static int on_acked(struct vgic_verify *v, const struct vgr_acked *a)
{
	struct samples *s = new_samples(v, a->r.cpu);

	if (!s)
		return -ENOMEM;
	if (s->nr_acked == MAX_SAMPLES)
		return 0;
	s->acked[s->nr_acked].time = a->r.time;
	s->acked[s->nr_acked++].intid = VGIC_NR_PRIVATE + a->pin;
	return 0;
}

/* 0, -EINVAL or -ENOMEM. */
static int pass_over(struct vgic_verify *v, const struct vgr_rec *rec)
{
	v->passed_over |= rec->type != VGR_VCPU;
	if (rec->type != VGR_SYNC)
		return 0;
	return sync_fits((const struct vgr_sync *)rec) ? take(v, rec) : refuse(v);
}

static inline int on_record(struct vgic_verify *v, const struct vgr_rec *rec, unsigned int type)
{
	switch (type) {
	case VGR_FLUSH:
		return on_flush(v, (const struct vgr_flush *)rec);
	case VGR_SYNC:
		return on_sync(v, (const struct vgr_sync *)rec);
	case VGR_ENTRY:
		return on_entry(v, rec);
	case VGR_INJECT:
		return on_inject(v, (const struct vgr_inject *)rec);
	case VGR_SGI:
	case VGR_MSI:
	case VGR_DIR:
	case VGR_MMIO:
	case VGR_PRUNE:
		return take(v, rec);
	case VGR_LEVEL:
		return on_level(v, (const struct vgr_level *)rec);
	case VGR_ACKED:
		return on_acked(v, (const struct vgr_acked *)rec);
	case VGR_VCPU:
		return on_vcpu(v, (const struct vgr_vcpu *)rec);
	case VGR_LOSS:
		v->losses++;
		return take(v, rec);
	}
	return 0;
}

/* Something is to be done before it. */
NOT_INLINE static int on_record_after(struct vgic_verify *v, const struct vgr_rec *rec)
{
	int err = 0;

	if (change_log_open(&v->changes, rec))
		change_log_end(&v->changes, rec);
	if (v->newest > v->settle_at)
		err = vgic_verify_settle(v, ago(v, WAIT));
	if (err)
		return err;
	if (v->kept.n >= v->patience && rec->type <= VGR_SYNC)
		return pass_over(v, rec);
	return on_record(v, rec, rec->type);
}

int vgic_verify_record(struct vgic_verify *v, const struct vgr_rec *rec)
{
	unsigned int type = rec->type < VGR_TYPE_MAX ? rec->type : VGR_TYPE_MAX;

	if (RARELY(!size_fits(rec, type)))
		return -EINVAL;
	v->totals.records++;
	if (rec->time > v->newest)
		v->newest = rec->time;
	if ((change_log_open(&v->changes, rec) && change_ends(rec)) || RARELY(v->kept.n))
		return on_record_after(v, rec);
	return on_record(v, rec, type);
}

int vgic_verify_finish(struct vgic_verify *v)
{
	return vgic_verify_settle(v, UINT64_MAX);
}
