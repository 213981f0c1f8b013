/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world in which the invariants are tried: records that a second vgic writes in the
 * kernel's place, and its states.
 */
#ifndef VGICSIM_TESTS_INVARIANTS_WORLD_H
#define VGICSIM_TESTS_INVARIANTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/invariants.h>
#include <vgicsim/recording.h>
#include <vgicsim/vgic.h>

#define NR_LR	 4
#define NR_VCPUS 2
#define NR_SPIS	 64
#define MAX	 128
#define LPI	 8192u
#define TIMER	 27u
#define DEVICE	 50u /* thread of the devices, on a CPU of its own */
#define PMR_OPEN (0xf8u << VGIC_VMCR_VPMR_SHIFT)

static struct vgic *kernel;
static struct vgic_invariants *inv;
static struct vgic_invariants_config cfg;
static struct vgic_v3_cpuif_config hw_cfg;
static struct {
	struct vgic_v3_cpuif hw;
	bool running;
	bool update; /* asked to prune */
	uint32_t dropped[MAX], stack[MAX];
	unsigned int nr_dropped, depth;
} cpu[NR_VCPUS];
static bool line[NR_VCPUS];
static uint64_t now, rng, records;
static bool lying;

static unsigned int nr_found;
/* By rule and part; the first of each kind. */
static struct finding {
	unsigned int n;
	char known[4];
	uint32_t intid;
	uint64_t index, cause;
	char what[256];
} hits[VGIC_NR_INVARIANTS + 1][8];

static union {
	struct vgr_rec r;
	struct vgr_flush flush;
	struct vgr_sync sync;
	struct vgr_inject inject;
	struct vgr_dir dir;
	struct vgr_mmio mmio;
	struct vgr_msi msi;
	struct vgr_loss loss;
	uint64_t space[2048];
} u;

static inline void found(void *opaque, const struct vgic_violation *v)
{
	struct finding *f = &hits[v->rule][v->part - 'a'];

	assert_in_range(v->rule, 1, VGIC_NR_INVARIANTS);
	assert_string_equal(v->name, vgic_invariant_at(v->rule)->name);
	assert_non_null(v->text);
	nr_found++;
	if (f->n++)
		return;
	f->intid = v->intid;
	f->index = v->index;
	f->cause = v->cause;
	snprintf(f->known, sizeof(f->known), "%s", v->known ? v->known : "");
	snprintf(f->what, sizeof(f->what), "%s", v->what);
}

static inline void print_found(void)
{
	for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++)
		for (int part = 0; part < 8; part++)
			if (hits[rule][part].n)
				print_error("rule %d%c, %u times, interrupt %d: %s\n", rule,
					    'a' + part, hits[rule][part].n,
					    (int)hits[rule][part].intid, hits[rule][part].what);
}

static inline void restart(void)
{
	vgic_invariants_destroy(inv);
	assert_int_equal(vgic_invariants_create(&inv, &cfg), 0);
	nr_found = 0;
	records = 0;
	memset(hits, 0, sizeof(hits));
}

/* ---- records ---- */

static inline struct vgr_rec head(uint16_t type, uint32_t size, uint16_t vcpu)
{
	now += 1000;
	return (struct vgr_rec){
		.type = type,
		.size = size,
		.time = now,
		.cpu = vcpu == VGR_NO_VCPU ? NR_VCPUS : vcpu,
		.tid = vcpu == VGR_NO_VCPU ? DEVICE : 10u + vcpu,
		.vcpu = vcpu,
	};
}

static inline uint32_t rnd(uint32_t n)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(rng >> 33) % n;
}

/* Some bytes behind the head become others, as far as it is still a record. */
static inline void lie(void)
{
	static uint8_t was[sizeof(u)];

	memcpy(was, &u, u.r.size);
	for (int i = 0; i < 4; i++)
		((uint8_t *)&u)[sizeof(u.r) + rnd(u.r.size - sizeof(u.r) + 1) - 1] ^= 1u << rnd(8);
	if (vgr_rec_validate(&u.r, sizeof(u), NULL))
		memcpy(&u, was, ((const struct vgr_rec *)was)->size);
}

static inline void put(void)
{
	records++;
	if (lying)
		lie();
	assert_int_equal(vgr_rec_validate(&u.r, sizeof(u), NULL), 0);
	assert_int_equal(vgic_invariants_record(inv, &u.r), 0);
}

/* A record without effect, which says that the thread has done what it began. */
static inline void idle(uint16_t vcpu)
{
	u.mmio = (struct vgr_mmio){.r = head(VGR_MMIO, sizeof(u.mmio), vcpu), .len = 4};
	put();
}

static inline void introduce(void)
{
	struct vgr_vcpu intro = {.nr_spis = NR_SPIS, .vgic_model = 3};

	for (uint16_t v = 0; v < NR_VCPUS; v++) {
		intro.r = head(VGR_VCPU, sizeof(intro), v);
		memcpy(&u, &intro, sizeof(intro));
		put();
	}
}

static inline unsigned int dump(unsigned int v, struct vgr_irq *to)
{
	unsigned int n = 0;

	for (struct vgic_irq *i = kernel->vcpus[v].list.head; i; i = i->next)
		vgic_irq_export(i, &to[n++]);
	return n;
}

static inline uint32_t boundary(const struct vgic_vcpu *v)
{
	if (kernel->cfg.policy->last_lr == VGIC_LAST_LR_NEVER)
		return VGR_BOUNDARY_UNKNOWN;
	return v->boundary ? v->boundary->intid : VGR_BOUNDARY_NONE;
}

static inline int32_t counter(void)
{
	return kernel->cfg.policy->track_spis ? kernel->active_spis : -1;
}

static inline void make_flush(unsigned int index)
{
	struct vgic_vcpu *v = &kernel->vcpus[index];
	struct vgr_irq before[MAX], after[MAX];
	unsigned int n = dump(index, before);
	bool skip = !kernel->cfg.policy->no_empty_shortcut && !n;

	u.flush = (struct vgr_flush){
		.r = head(VGR_FLUSH, vgr_flush_size(n, n, NR_LR), index),
		.begin = now,
		.vmcr = v->vmcr,
		.nr_lr = NR_LR,
		.n_before = n,
		.n_after = n,
		.total_before = n,
		.total_after = n,
		.dist_enabled = kernel->dist_enabled,
		.active_spis = counter(),
	};
	u.r.flags = skip ? VGR_F_SKIPPED : 0;
	now += 100;
	u.r.time = now;
	vgic_flush(kernel, index);
	dump(index, after);
	u.flush.hcr = v->hcr;
	u.flush.boundary = boundary(v);
	u.flush.used_lrs = skip ? 0 : v->used_lrs;
	memcpy((void *)vgr_flush_before(&u.flush), before, n * sizeof(*before));
	memcpy((void *)vgr_flush_after(&u.flush), after, n * sizeof(*after));
	memcpy((void *)vgr_flush_lrs(&u.flush), v->lr, sizeof(v->lr[0]) * NR_LR);
}

static inline void make_sync(unsigned int index)
{
	struct vgic_vcpu *v = &kernel->vcpus[index];
	struct vgr_irq before[MAX], after[MAX];
	unsigned int n = dump(index, before), m = 0;
	bool skip = !kernel->cfg.policy->no_empty_shortcut && !n;
	uint64_t lrs[NR_LR];
	uint32_t order[MAX];

	memcpy(lrs, v->lr, sizeof(lrs));
	u.sync = (struct vgr_sync){
		.r = head(VGR_SYNC, 0, index),
		.begin = now,
		.hcr = v->hcr,
		.vmcr = v->vmcr,
		.boundary = boundary(v),
		.active_spis_before = counter(),
		.used_lrs = skip ? 0 : v->used_lrs,
		.n_before = n,
		.total_before = n,
		.dist_enabled = kernel->dist_enabled,
	};
	u.r.flags = skip ? VGR_F_SKIPPED : 0;
	now += 100;
	u.r.time = now;
	vgic_sync(kernel, index);
	for (unsigned int i = 0; i < n; i++)
		vgic_irq_export(vgic_irq_find(kernel, index, before[i].intid), &after[i]);
	for (struct vgic_irq *i = v->list.head; i; i = i->next)
		order[m++] = i->intid;
	u.sync.n_after = u.sync.total_after = m;
	u.sync.active_spis_after = counter();
	u.r.size = vgr_sync_size(n, u.sync.used_lrs, m);
	memcpy((void *)vgr_sync_before(&u.sync), before, n * sizeof(*before));
	memcpy((void *)vgr_sync_after(&u.sync), after, n * sizeof(*after));
	memcpy((void *)vgr_sync_lrs(&u.sync), lrs, u.sync.used_lrs * sizeof(*lrs));
	memcpy((void *)vgr_sync_order(&u.sync), order, m * sizeof(*order));
}

/* ---- the second vgic's world ---- */

static inline void states(unsigned int v, enum vgic_point point)
{
	int n = vgic_invariants_state(kernel, v, point, false, found, NULL);

	if (n)
		print_found();
	assert_int_equal(n, 0);
}

static inline void enter(unsigned int v)
{
	if (cpu[v].running)
		return;
	if (cpu[v].update) {
		u.r = head(VGR_PRUNE, sizeof(u.r), v);
		put();
		vgic_prune(kernel, v);
		cpu[v].update = false;
	}
	make_flush(v);
	put();
	states(v, VGIC_POINT_FLUSHED);
	vgic_load(kernel, v, &cpu[v].hw);
	vgic_restore(kernel, v, &cpu[v].hw);
	u.space[0] = u.space[1] = 0;
	memset(&u, 0, sizeof(struct vgr_entry));
	u.r = head(VGR_ENTRY, sizeof(struct vgr_entry), v);
	put();
	states(v, VGIC_POINT_RUNNING);
	cpu[v].running = true;
}

static inline void leave(unsigned int v)
{
	if (!cpu[v].running)
		return;
	states(v, VGIC_POINT_RUNNING);
	vgic_save(kernel, v, &cpu[v].hw);
	vgic_put(kernel, v, &cpu[v].hw);
	make_sync(v);
	put();
	cpu[v].running = false;
	states(v, VGIC_POINT_SYNCED);
}

static inline bool physical_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	return irq->intid == TIMER && line[vcpu];
}

static inline void request(void *opaque, unsigned int vcpu, uint32_t req, bool kick)
{
	if (req == VGIC_REQ_PROCESS_UPDATE)
		cpu[vcpu].update = true;
}

static inline void halt(void *opaque, bool on)
{
	for (unsigned int v = 0; on && v < NR_VCPUS; v++)
		leave(v);
}

static inline void use_policy(const char *name, bool strict)
{
	struct vgic_config k = {
		.policy = vgic_policy_find(name),
		.nr_vcpus = NR_VCPUS,
		.nr_spis = NR_SPIS,
		.nr_lr = NR_LR,
		.has_tdir = true,
		.env = {.physical_level = physical_level, .request = request, .halt = halt},
	};

	assert_non_null(k.policy);
	vgic_destroy(kernel);
	kernel = NULL;
	assert_int_equal(vgic_create(&kernel, &k), 0);
	kernel->dist_enabled = true;
	hw_cfg = vgic_v3_cpuif_defaults(NR_LR);
	memset(cpu, 0, sizeof(cpu));
	memset(line, 0, sizeof(line));
	for (unsigned int v = 0; v < NR_VCPUS; v++) {
		vgic_v3_cpuif_init(&cpu[v].hw, &hw_cfg);
		kernel->vcpus[v].vmcr = VGIC_VMCR_VENG1 | PMR_OPEN;
		for (uint32_t i = 16; i < 32; i++)
			vgic_write_enable(kernel, v, i, true);
		vgic_map_hw(kernel, v, TIMER, TIMER);
	}
	for (uint32_t i = 32; i < 32 + NR_SPIS; i++) {
		vgic_write_config(kernel, i, i % 2);
		vgic_write_enable(kernel, 0, i, true);
	}
	for (uint32_t i = LPI; i < LPI + 4; i++) {
		assert_int_equal(vgic_lpi_add(kernel, i), 0);
		vgic_irq_find(kernel, 0, i)->target = 0;
		vgic_irq_find(kernel, 0, i)->enabled = true;
	}
	cfg = (struct vgic_invariants_config){
		.policy = k.policy,
		.strict = strict,
		.nr_lr = NR_LR,
		.has_mmio = true,
		.violation = found,
	};
	now = 1000000000;
	restart();
	introduce();
}

static inline int setup(void **state)
{
	use_policy("newest", false);
	return 0;
}

static inline int teardown(void **state)
{
	vgic_invariants_destroy(inv);
	vgic_destroy(kernel);
	inv = NULL;
	kernel = NULL;
	return 0;
}

static inline struct vgic_irq *irq(uint32_t intid)
{
	return vgic_irq_find(kernel, 0, intid);
}

static inline void inject(unsigned int v, uint32_t intid, bool level)
{
	struct vgic_irq *q = vgic_irq_find(kernel, v, intid);

	/* What changes nothing is not recorded. */
	if (q->level ? q->line_level == level : !level)
		return;
	u.inject = (struct vgr_inject){
		.r = head(VGR_INJECT, sizeof(u.inject), VGR_NO_VCPU),
		.intid = intid,
		.level = level,
	};
	if (intid < VGIC_NR_PRIVATE)
		u.r.vcpu = v;
	put();
	assert_int_equal(vgic_inject(kernel, v, intid, level), 1);
	idle(VGR_NO_VCPU);
}

/* The guest of v writes a register of the distributor, which is an exit. */
static inline void mmio(unsigned int v, uint32_t offset, unsigned int len)
{
	leave(v);
	u.mmio = (struct vgr_mmio){
		.r = head(VGR_MMIO, sizeof(u.mmio), v),
		.gpa = 0x8000000 + offset,
		.len = len,
		.write = 1,
	};
	put();
}

static inline void dir(unsigned int v, uint32_t intid)
{
	u.dir = (struct vgr_dir){.r = head(VGR_DIR, sizeof(u.dir), v), .value = intid};
	put();
	vgic_deactivate(kernel, v, intid);
}

/* Ends the recording, in which nothing is wrong. */
static inline void expect_nothing(void)
{
	vgic_invariants_finish(inv);
	if (nr_found)
		print_found();
	assert_int_equal(nr_found, 0);
	assert_int_equal(vgic_invariants_totals(inv)->violations, 0);
}

/* Ends the recording, in which that is wrong. */
static inline const struct finding *expect(unsigned int rule, char part)
{
	const struct vgic_invariant_totals *t;

	vgic_invariants_finish(inv);
	t = &vgic_invariants_totals(inv)->rules[rule];
	if (!hits[rule][part - 'a'].n) {
		print_error("not found: rule %u%c; found:\n", rule, part);
		print_found();
	}
	assert_true(hits[rule][part - 'a'].n > 0);
	assert_true(t->violated > 0 && t->evaluated >= t->violated);
	return &hits[rule][part - 'a'];
}

/* ---- what is made wrong of a record ---- */

static inline struct vgr_irq *after(unsigned int i)
{
	return (struct vgr_irq *)(u.r.type == VGR_FLUSH ? vgr_flush_after(&u.flush)
							: vgr_sync_after(&u.sync)) +
	       i;
}

static inline struct vgr_irq *before(unsigned int i)
{
	return (struct vgr_irq *)(u.r.type == VGR_FLUSH ? vgr_flush_before(&u.flush)
							: vgr_sync_before(&u.sync)) +
	       i;
}

static inline uint64_t *lr(unsigned int i)
{
	return (uint64_t *)(u.r.type == VGR_FLUSH ? vgr_flush_lrs(&u.flush)
						  : vgr_sync_lrs(&u.sync)) +
	       i;
}

/* The first n edge SPIs, and a flush of them in u. */
static inline void flushed(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		inject(0, 32 + 2 * i, true);
	make_flush(0);
}

/* The same of active ones: more than fit. */
static inline void flushed_active(void)
{
	for (unsigned int i = 0; i < 6; i++)
		vgic_write_active(kernel, 0, 0, 32 + 2 * i, true);
	make_flush(0);
}

static inline void spoil_two_lrs(void)
{
	*lr(1) = *lr(0);
}

static inline void spoil_group_in(void)
{
	after(0)->state &= ~VGR_IRQ_GROUP1;
	*lr(0) &= ~VGIC_LR_GROUP1;
}

static inline void spoil_eoicount(void)
{
	u.flush.hcr |= 1u << VGIC_HCR_EOICOUNT_SHIFT;
}

static inline void spoil_uie(void)
{
	u.flush.hcr |= VGIC_HCR_UIE;
}

/* A run of vCPU 0 with n edge SPIs, of which it acknowledges one; its sync is in u. */
static inline void synced(unsigned int n, bool ack)
{
	for (unsigned int i = 0; i < n; i++)
		inject(0, 32 + 2 * i, true);
	enter(0);
	if (ack)
		assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, 32);
	vgic_save(kernel, 0, &cpu[0].hw);
	make_sync(0);
	cpu[0].running = false;
}

/* Takes an interrupt off the list that the sync leaves. */
static inline void drop(uint32_t intid)
{
	uint32_t *order = (uint32_t *)vgr_sync_order(&u.sync);
	unsigned int n = 0;

	for (unsigned int i = 0; i < u.sync.n_after; i++)
		if (order[i] != intid)
			order[n++] = order[i];
	u.sync.n_after = u.sync.total_after = n;
	u.r.size = vgr_sync_size(u.sync.n_before, u.sync.used_lrs, n);
	for (unsigned int i = 0; i < u.sync.n_before; i++)
		if (after(i)->intid == intid)
			after(i)->vcpu = VGR_NO_VCPU;
}

/* SPI 32 is active in an LR of vCPU 0, which runs, and so does vCPU 1, with EOImode 1. */
static inline void share(bool acked_before)
{
	for (unsigned int v = 0; v < NR_VCPUS; v++)
		kernel->vcpus[v].vmcr |= VGIC_VMCR_VEOIM;
	inject(0, 32, true);
	enter(0);
	enter(1);
	assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, 32);
	vgic_v3_cpuif_eoi(&cpu[0].hw, 1, 32);
	if (!acked_before)
		return;
	leave(0);
	enter(0);
}

/* The DIR is recorded, and what it did to the interrupt is up to the caller. */
static inline uint64_t bare_dir(unsigned int v)
{
	leave(v);
	u.dir = (struct vgr_dir){.r = head(VGR_DIR, sizeof(u.dir), v), .value = 32};
	put();
	return records;
}

#endif
