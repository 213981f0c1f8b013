// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants, judged over records that a second vgic wrote in the kernel's place
 * and over its states: whatever it is asked to do, nothing is found; every single
 * wrong thing is found under its rule; what another thread explains is left open.
 */
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

static void found(void *opaque, const struct vgic_violation *v)
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

static void print_found(void)
{
	for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++)
		for (int part = 0; part < 8; part++)
			if (hits[rule][part].n)
				print_error("rule %d%c, %u times, interrupt %d: %s\n", rule,
					    'a' + part, hits[rule][part].n,
					    (int)hits[rule][part].intid, hits[rule][part].what);
}

static void restart(void)
{
	vgic_invariants_destroy(inv);
	assert_int_equal(vgic_invariants_create(&inv, &cfg), 0);
	nr_found = 0;
	records = 0;
	memset(hits, 0, sizeof(hits));
}

/* ---- records ---- */

static struct vgr_rec head(uint16_t type, uint32_t size, uint16_t vcpu)
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

static uint32_t rnd(uint32_t n)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(rng >> 33) % n;
}

/* Some bytes behind the head become others, as far as it is still a record. */
static void lie(void)
{
	static uint8_t was[sizeof(u)];

	memcpy(was, &u, u.r.size);
	for (int i = 0; i < 4; i++)
		((uint8_t *)&u)[sizeof(u.r) + rnd(u.r.size - sizeof(u.r) + 1) - 1] ^= 1u << rnd(8);
	if (vgr_rec_validate(&u.r, sizeof(u), NULL))
		memcpy(&u, was, ((const struct vgr_rec *)was)->size);
}

static void put(void)
{
	records++;
	if (lying)
		lie();
	assert_int_equal(vgr_rec_validate(&u.r, sizeof(u), NULL), 0);
	assert_int_equal(vgic_invariants_record(inv, &u.r), 0);
}

/* A record without effect, which says that the thread has done what it began. */
static void idle(uint16_t vcpu)
{
	u.mmio = (struct vgr_mmio){.r = head(VGR_MMIO, sizeof(u.mmio), vcpu), .len = 4};
	put();
}

static void introduce(void)
{
	struct vgr_vcpu intro = {.nr_spis = NR_SPIS, .vgic_model = 3};

	for (uint16_t v = 0; v < NR_VCPUS; v++) {
		intro.r = head(VGR_VCPU, sizeof(intro), v);
		memcpy(&u, &intro, sizeof(intro));
		put();
	}
}

static unsigned int dump(unsigned int v, struct vgr_irq *to)
{
	unsigned int n = 0;

	for (struct vgic_irq *i = kernel->vcpus[v].list.head; i; i = i->next)
		vgic_irq_export(i, &to[n++]);
	return n;
}

static uint32_t boundary(const struct vgic_vcpu *v)
{
	if (kernel->cfg.policy->last_lr == VGIC_LAST_LR_NEVER)
		return VGR_BOUNDARY_UNKNOWN;
	return v->boundary ? v->boundary->intid : VGR_BOUNDARY_NONE;
}

static int32_t counter(void)
{
	return kernel->cfg.policy->track_spis ? kernel->active_spis : -1;
}

static void make_flush(unsigned int index)
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

static void make_sync(unsigned int index)
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

static void states(unsigned int v, enum vgic_point point)
{
	int n = vgic_invariants_state(kernel, v, point, false, found, NULL);

	if (n)
		print_found();
	assert_int_equal(n, 0);
}

static void enter(unsigned int v)
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

static void leave(unsigned int v)
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

static bool physical_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	return irq->intid == TIMER && line[vcpu];
}

static void request(void *opaque, unsigned int vcpu, uint32_t req, bool kick)
{
	if (req == VGIC_REQ_PROCESS_UPDATE)
		cpu[vcpu].update = true;
}

static void halt(void *opaque, bool on)
{
	for (unsigned int v = 0; on && v < NR_VCPUS; v++)
		leave(v);
}

static void use_policy(const char *name, bool strict)
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

static int setup(void **state)
{
	use_policy("newest", false);
	return 0;
}

static int teardown(void **state)
{
	vgic_invariants_destroy(inv);
	vgic_destroy(kernel);
	inv = NULL;
	kernel = NULL;
	return 0;
}

static struct vgic_irq *irq(uint32_t intid)
{
	return vgic_irq_find(kernel, 0, intid);
}

static void inject(unsigned int v, uint32_t intid, bool level)
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
static void mmio(unsigned int v, uint32_t offset, unsigned int len)
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

static void dir(unsigned int v, uint32_t intid)
{
	u.dir = (struct vgr_dir){.r = head(VGR_DIR, sizeof(u.dir), v), .value = intid};
	put();
	vgic_deactivate(kernel, v, intid);
}

/* Ends the recording, in which nothing is wrong. */
static void expect_nothing(void)
{
	vgic_invariants_finish(inv);
	if (nr_found)
		print_found();
	assert_int_equal(nr_found, 0);
	assert_int_equal(vgic_invariants_totals(inv)->violations, 0);
}

/* Ends the recording, in which that is wrong. */
static const struct finding *expect(unsigned int rule, char part)
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

/* ---- whatever is asked of it ---- */

/* What the guest on v does next, without an exit if it can. */
static void guest_step(unsigned int v)
{
	bool split = cpu[v].hw.vmcr & VGIC_VMCR_VEOIM;
	struct vgic_access a;
	uint32_t intid;
	unsigned int i;

	switch (rnd(4)) {
	case 0:
	case 1:
		if (cpu[v].depth + cpu[v].nr_dropped >= MAX)
			break;
		a = vgic_v3_cpuif_ack(&cpu[v].hw, 1);
		if (a.did & VGIC_DID_ACK)
			cpu[v].stack[cpu[v].depth++] = a.intid;
		break;
	case 2:
		if (!cpu[v].depth)
			break;
		intid = cpu[v].stack[--cpu[v].depth];
		vgic_v3_cpuif_eoi(&cpu[v].hw, 1, intid);
		if (split && intid < LPI)
			cpu[v].dropped[cpu[v].nr_dropped++] = intid;
		break;
	case 3:
		if (!cpu[v].nr_dropped)
			break;
		i = rnd(cpu[v].nr_dropped);
		intid = cpu[v].dropped[i];
		cpu[v].dropped[i] = cpu[v].dropped[--cpu[v].nr_dropped];
		/* SPIs may be finished anywhere. */
		if (intid >= VGIC_NR_PRIVATE && rnd(2) && cpu[1 - v].running)
			v = 1 - v;
		a = vgic_v3_cpuif_dir(&cpu[v].hw, intid);
		if (a.did & VGIC_DID_TRAP) {
			leave(v);
			dir(v, intid);
		}
		break;
	}
}

static void register_step(unsigned int v)
{
	static const uint32_t offsets[] = {0x100, 0x180, 0x200, 0x280, 0x300, 0x380};
	uint32_t intid = 32 + rnd(NR_SPIS), what = rnd(9);

	if (what < 6)
		mmio(v, offsets[what] + intid / 32 * 4, 4);
	switch (what) {
	case 0:
	case 1:
		vgic_write_enable(kernel, v, intid, what == 0);
		break;
	case 2:
	case 3:
		vgic_write_pending(kernel, v, intid, what == 2);
		break;
	case 4:
	case 5:
		vgic_write_active(kernel, v, v, intid, what == 4);
		break;
	case 6:
		mmio(v, 0x400 + intid, 1);
		vgic_write_priority(kernel, v, intid, rnd(256));
		break;
	case 7:
		mmio(v, 0x6000 + intid * 8, 8);
		vgic_write_target(kernel, intid, rnd(NR_VCPUS));
		break;
	case 8:
		mmio(v, 0x80 + intid / 32 * 4, 4);
		vgic_write_group(kernel, v, intid, rnd(8) != 0);
		break;
	}
}

static void sgi(unsigned int v)
{
	struct vgr_sgi s = {.allow_group1 = 1, .value = 1ull << 40 | (uint64_t)rnd(16) << 24};

	leave(v);
	s.r = head(VGR_SGI, sizeof(s), v);
	memcpy(&u, &s, sizeof(s));
	put();
	vgic_write_sgir(kernel, v, s.value, true);
}

static void random_steps(uint64_t seed, bool split)
{
	rng = seed;
	for (unsigned int v = 0; split && v < NR_VCPUS; v++)
		kernel->vcpus[v].vmcr |= VGIC_VMCR_VEOIM;
	for (int step = 0; step < 4000; step++) {
		unsigned int v = rnd(NR_VCPUS);
		uint32_t spi = 32 + rnd(NR_SPIS), what = rnd(16);

		switch (what) {
		case 0:
		case 1:
			inject(v, spi, true);
			break;
		case 2:
			inject(v, spi, false);
			break;
		case 3:
			line[v] = rnd(2);
			if (line[v])
				inject(v, TIMER, true);
			break;
		case 4:
			u.msi = (struct vgr_msi){.r = head(VGR_MSI, sizeof(u.msi), VGR_NO_VCPU)};
			put();
			vgic_msi(kernel, LPI + rnd(4));
			idle(VGR_NO_VCPU);
			break;
		case 5:
			register_step(v);
			break;
		case 6:
			sgi(v);
			break;
		case 7:
		case 8:
			leave(v);
			break;
		default:
			if (!cpu[v].running)
				enter(v);
			else
				guest_step(v);
		}
	}
}

static void random_run(const char *policy, uint64_t seed, bool split)
{
	use_policy(policy, false);
	random_steps(seed, split);
	vgic_invariants_finish(inv);
	if (nr_found)
		print_error("%s, seed %llu\n", policy, (unsigned long long)seed);
	print_found();
	assert_int_equal(nr_found, 0);
}

/* Whatever the records say, the checker lives on, and says something. */
static void records_that_lie(void **state)
{
	uint64_t violations = 0;

	for (uint64_t seed = 1; seed <= 4; seed++) {
		use_policy("newest", true);
		lying = true;
		random_steps(seed, seed % 2);
		lying = false;
		vgic_invariants_finish(inv);
		violations += vgic_invariants_totals(inv)->violations;
	}
	assert_true(violations > 0);
}

static void random_operations(void **state)
{
	const struct vgic_invariants_totals *t;
	uint64_t pairs = 0, replays = 0;

	for (uint64_t seed = 1; seed <= 24; seed++) {
		random_run("newest", seed, seed % 2);
		t = vgic_invariants_totals(inv);
		pairs += t->pairs;
		for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++)
			assert_true(t->rules[rule].evaluated > 0 || rule == 7 || rule == 12);
		if (seed % 2)
			assert_true(t->deactivations > 0);
		replays += kernel->vcpus[0].counts.replayed + kernel->vcpus[1].counts.replayed;
	}
	assert_true(pairs > 5000);
	assert_true(replays > 0);
}

static void random_operations_of_older_kernels(void **state)
{
	static const char *const names[] = {"linux-7.2", "linux-7.0", "linux-6.19", "linux-6.12"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (uint64_t seed = 1; seed <= 6; seed++)
			random_run(names[i], seed, seed % 2);
}

/* ---- one wrong record ---- */

static struct vgr_irq *after(unsigned int i)
{
	return (struct vgr_irq *)(u.r.type == VGR_FLUSH ? vgr_flush_after(&u.flush)
							: vgr_sync_after(&u.sync)) +
	       i;
}

static struct vgr_irq *before(unsigned int i)
{
	return (struct vgr_irq *)(u.r.type == VGR_FLUSH ? vgr_flush_before(&u.flush)
							: vgr_sync_before(&u.sync)) +
	       i;
}

static uint64_t *lr(unsigned int i)
{
	return (uint64_t *)(u.r.type == VGR_FLUSH ? vgr_flush_lrs(&u.flush)
						  : vgr_sync_lrs(&u.sync)) +
	       i;
}

/* The first n edge SPIs, and a flush of them in u. */
static void flushed(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		inject(0, 32 + 2 * i, true);
	make_flush(0);
}

/* The same of active ones: more than fit. */
static void flushed_active(void)
{
	for (unsigned int i = 0; i < 6; i++)
		vgic_write_active(kernel, 0, 0, 32 + 2 * i, true);
	make_flush(0);
}

/* One case: what is wrong in the flush that is in u. */
struct flush_case {
	unsigned int rule;
	char part;
	unsigned int n; /* interrupts; 0: six active ones */
	void (*spoil)(void);
};

static void spoil_owner(void)
{
	after(5)->vcpu = 1;
}

static void spoil_two_lrs(void)
{
	*lr(1) = *lr(0);
}

static void spoil_lr_listed(void)
{
	*lr(0) = (*lr(0) & ~VGIC_LR_VINTID) | 90;
}

static void spoil_oracle(void)
{
	after(0)->state &= ~VGR_IRQ_ENABLED;
}

static void spoil_on_lr(void)
{
	after(0)->state &= ~VGR_IRQ_ON_LR;
}

static void spoil_on_lr_before(void)
{
	before(0)->state |= VGR_IRQ_ON_LR;
}

static void spoil_used(void)
{
	*lr(3) = 0;
	u.flush.used_lrs = 3;
}

static void spoil_order(void)
{
	uint64_t x = *lr(0);

	*lr(0) = *lr(1);
	*lr(1) = x;
}

static void spoil_tail(void)
{
	u.flush.boundary = after(0)->intid;
}

static void spoil_boundary(void)
{
	u.flush.boundary = 99;
}

static void spoil_priority(void)
{
	for (unsigned int i = 0; i < 4; i++)
		after(i)->priority = 0xa0;
}

static void spoil_active_in(void)
{
	after(0)->state |= VGR_IRQ_ACTIVE;
	*lr(0) ^= VGIC_LR_STATE;
}

static void spoil_group_in(void)
{
	after(0)->state &= ~VGR_IRQ_GROUP1;
	*lr(0) &= ~VGIC_LR_GROUP1;
}

static void spoil_both(void)
{
	after(0)->state |= VGR_IRQ_LEVEL;
	*lr(0) |= VGIC_LR_STATE;
}

static void spoil_hw(void)
{
	*lr(0) |= VGIC_LR_HW;
}

static void spoil_pintid(void)
{
	after(0)->state |= VGR_IRQ_HW;
	after(0)->hwintid = 40;
	*lr(0) |= VGIC_LR_HW | 41ull << VGIC_LR_PINTID_SHIFT;
}

static void spoil_eoi(void)
{
	*lr(0) |= VGIC_LR_EOI;
}

static void spoil_eoicount(void)
{
	u.flush.hcr |= 1u << VGIC_HCR_EOICOUNT_SHIFT;
}

static void spoil_group_mi(void)
{
	u.flush.hcr |= VGIC_HCR_VGRP1EIE;
}

static void spoil_npie(void)
{
	u.flush.hcr |= VGIC_HCR_NPIE;
}

static void spoil_lrenpie_alone(void)
{
	u.flush.hcr |= VGIC_HCR_LRENPIE;
}

static void spoil_tdir(void)
{
	u.flush.hcr &= ~VGIC_HCR_TDIR;
}

static void spoil_lrenpie(void)
{
	u.flush.hcr &= ~VGIC_HCR_LRENPIE;
}

static void spoil_uie(void)
{
	u.flush.hcr |= VGIC_HCR_UIE;
}

static void spoil_misr(void)
{
	u.flush.hcr ^= VGIC_HCR_VGRP1EIE | VGIC_HCR_VGRP1DIE;
}

static void spoil_counter(void)
{
	u.flush.active_spis = -2;
}

static void spoil_gone(void)
{
	after(0)->state &= ~VGR_IRQ_ACTIVE;
	*lr(0) &= ~VGIC_LR_ACTIVE;
}

static const struct flush_case flush_cases[] = {
	{1, 'a', 6, spoil_owner},    {3, 'a', 2, spoil_two_lrs},  {4, 'a', 2, spoil_lr_listed},
	{4, 'b', 2, spoil_oracle},   {4, 'c', 2, spoil_on_lr},	  {4, 'd', 2, spoil_on_lr_before},
	{5, 'a', 6, spoil_used},     {5, 'b', 3, spoil_order},	  {6, 'a', 6, spoil_tail},
	{6, 'b', 6, spoil_boundary}, {7, 'a', 6, spoil_priority}, {7, 'b', 6, spoil_active_in},
	{7, 'c', 6, spoil_group_in}, {8, 'a', 2, spoil_both},	  {8, 'b', 2, spoil_hw},
	{8, 'b', 2, spoil_pintid},   {8, 'c', 2, spoil_eoi},	  {9, 'a', 2, spoil_eoicount},
	{9, 'b', 2, spoil_group_mi}, {9, 'c', 2, spoil_npie},	  {9, 'd', 2, spoil_lrenpie_alone},
	{9, 'e', 0, spoil_tdir},     {9, 'f', 0, spoil_lrenpie},  {9, 'g', 2, spoil_uie},
	{10, 'a', 2, spoil_misr},    {15, 'c', 0, spoil_gone},	  {15, 'd', 6, spoil_active_in},
	{16, 'a', 2, spoil_counter}, {16, 'b', 2, spoil_tdir},
};

static void wrong_flushes(void **state)
{
	for (size_t i = 0; i < sizeof(flush_cases) / sizeof(flush_cases[0]); i++) {
		const struct flush_case *c = &flush_cases[i];

		use_policy("newest", false);
		c->n ? flushed(c->n) : flushed_active();
		put();
		expect_nothing();

		use_policy("newest", false);
		c->n ? flushed(c->n) : flushed_active();
		c->spoil();
		put();
		expect(c->rule, c->part);
	}
}

/* A run of vCPU 0 with n edge SPIs, of which it acknowledges one; its sync is in u. */
static void synced(unsigned int n, bool ack)
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
static void drop(uint32_t intid)
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

static void wrong_syncs(void **state)
{
	synced(2, false);
	put();
	expect_nothing();

	setup(state);
	synced(2, false);
	drop(32);
	after(0)->vcpu = 0;
	put();
	expect(1, 'c');

	setup(state);
	synced(2, false);
	after(0)->state &= ~VGR_IRQ_ENABLED;
	put();
	expect(2, 'a');

	setup(state);
	synced(2, false);
	after(0)->state |= VGR_IRQ_ON_LR;
	put();
	expect(4, 'd');

	setup(state);
	synced(2, false);
	before(0)->state &= ~VGR_IRQ_ON_LR;
	put();
	expect(4, 'c');

	setup(state);
	synced(6, false);
	u.sync.boundary = 99;
	put();
	expect(6, 'b');
	expect(17, 'a');

	setup(state);
	synced(2, true);
	after(0)->state &= ~VGR_IRQ_ACTIVE;
	drop(32);
	put();
	expect(11, 'b');

	setup(state);
	synced(2, false);
	after(0)->state &= ~VGR_IRQ_LATCH;
	drop(32);
	put();
	expect(13, 'a');

	setup(state);
	synced(2, false);
	drop(32);
	put();
	expect(14, 'a');

	setup(state);
	synced(2, false);
	after(0)->state |= VGR_IRQ_ACTIVE;
	put();
	expect(15, 'd');

	setup(state);
	synced(2, false);
	u.sync.active_spis_after = -2;
	put();
	expect(16, 'a');
}

static void replay_of_more_than_counted(void **state)
{
	for (unsigned int i = 0; i < 6; i++)
		vgic_write_active(kernel, 0, 0, 32 + 2 * i, true);
	enter(0);
	vgic_save(kernel, 0, &cpu[0].hw);
	make_sync(0);
	after(5)->state &= ~VGR_IRQ_ACTIVE;
	drop(after(5)->intid);
	put();
	expect(11, 'a');
}

static void edge_lost_in_the_fold(void **state)
{
	inject(0, 32, true);
	enter(0);
	assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, 32);
	inject(0, 32, true);
	vgic_save(kernel, 0, &cpu[0].hw);
	make_sync(0);
	assert_true(before(0)->state & VGR_IRQ_LATCH);
	after(0)->state &= ~VGR_IRQ_LATCH;
	put();
	expect(13, 'b');
}

static void lpi_that_stays_active(void **state)
{
	vgic_msi(kernel, LPI);
	enter(0);
	assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, LPI);
	vgic_save(kernel, 0, &cpu[0].hw);
	make_sync(0);
	after(0)->state |= VGR_IRQ_ACTIVE;
	put();
	assert_int_equal(expect(12, 'a')->intid, LPI);
}

static void twice_on_the_list(void **state)
{
	flushed(3);
	*before(2) = *before(1);
	put();
	assert_int_equal(expect(1, 'b')->intid, 34);
}

/* ---- from one record to the next ---- */

static void active_that_vanishes(void **state)
{
	synced(1, true);
	put();
	irq(32)->active = false;
	enter(0);
	expect(15, 'c');

	setup(state);
	synced(1, true);
	put();
	irq(32)->active = false;
	vgic_prune(kernel, 0);
	enter(0);
	assert_int_equal(expect(15, 'c')->intid, 32);
}

static void pending_that_vanishes(void **state)
{
	synced(1, false);
	put();
	irq(32)->pending_latch = false;
	vgic_prune(kernel, 0);
	enter(0);
	assert_int_equal(expect(14, 'a')->intid, 32);

	setup(state);
	synced(2, true);
	put();
	inject(0, 32, true);
	enter(0);
	leave(0);
	irq(32)->pending_latch = false;
	enter(0);
	assert_int_equal(expect(13, 'b')->intid, 32);
}

/* A whole life, so that the interrupt is known. */
static void live(uint32_t intid)
{
	inject(0, intid, true);
	enter(0);
	assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, intid);
	if (irq(intid)->level)
		inject(0, intid, false);
	vgic_v3_cpuif_eoi(&cpu[0].hw, 1, intid);
	leave(0);
	enter(0);
	leave(0);
}

static void injection_that_is_lost(void **state)
{
	const struct finding *f;
	uint64_t index;

	for (uint32_t intid = 32; intid <= 33; intid++) {
		setup(state);
		live(intid);
		u.inject = (struct vgr_inject){
			.r = head(VGR_INJECT, sizeof(u.inject), VGR_NO_VCPU),
			.intid = intid,
			.level = 1,
		};
		put();
		index = records;
		idle(VGR_NO_VCPU);
		enter(0);
		f = intid == 32 ? expect(13, 'c') : expect(14, 'b');
		assert_int_equal(f->intid, intid);
		assert_int_equal(f->cause, index);
	}

	/* Nobody need deliver what is disabled, and a register may have done it. */
	setup(state);
	live(32);
	mmio(0, 0x184, 4);
	vgic_write_enable(kernel, 0, 32, false);
	inject(0, 32, true);
	enter(0);
	expect_nothing();
}

/* ---- a DIR from elsewhere ---- */

/* SPI 32 is active in an LR of vCPU 0, which runs, and so does vCPU 1, with EOImode 1. */
static void share(bool acked_before)
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
static uint64_t bare_dir(unsigned int v)
{
	leave(v);
	u.dir = (struct vgr_dir){.r = head(VGR_DIR, sizeof(u.dir), v), .value = 32};
	put();
	return records;
}

static void dir_from_elsewhere(void **state)
{
	share(true);
	leave(1);
	dir(1, 32);
	assert_false(irq(32)->active);
	enter(1);
	enter(0);
	leave(0);
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->deactivations, 1);
}

static void dir_that_the_fold_undoes(void **state)
{
	const struct finding *f;
	uint64_t index;

	share(true);
	index = bare_dir(1);
	/* 7.2: the owner counts as out of the guest while its LRs are not folded. */
	irq(32)->active = false;
	leave(0);
	assert_true(irq(32)->active);
	f = &hits[15][0];
	enter(1);
	enter(0);
	leave(0);
	expect(15, 'a');
	assert_int_equal(f->intid, 32);
	assert_int_equal(f->cause, index);
	assert_int_equal(f->n, 1);
	/* Once is enough. */
	assert_int_equal(nr_found, 1);
}

static void dir_that_comes_late_in_the_file(void **state)
{
	uint64_t seen;

	share(true);
	leave(1);
	now += 1000;
	seen = now;
	irq(32)->active = false;
	leave(0);
	/* Its time is earlier than that of the sync. */
	u.dir = (struct vgr_dir){.r = head(VGR_DIR, sizeof(u.dir), 1), .value = 32};
	u.r.time = seen;
	put();
	enter(1);
	enter(0);
	assert_int_equal(expect(15, 'a')->cause, records - 4);
}

static void dir_without_effect(void **state)
{
	uint64_t index;

	share(true);
	index = bare_dir(1);
	/* Until the writer goes on, its effect may still come. */
	leave(0);
	enter(0);
	assert_int_equal(nr_found, 0);
	enter(1);
	leave(0);
	enter(0);
	assert_int_equal(expect(15, 'b')->intid, 32);
	assert_int_equal(hits[15][1].cause, index);
	assert_int_equal(nr_found, 1);
}

static void dir_that_decides_nothing(void **state)
{
	/* In the run of the acknowledge: which came first? */
	share(false);
	bare_dir(1);
	enter(1);
	leave(0);
	enter(0);
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->rules[15].undecided, 1);

	/* EOImode 0: DIR does nothing. */
	setup(state);
	share(true);
	leave(1);
	kernel->vcpus[1].vmcr &= ~VGIC_VMCR_VEOIM;
	enter(1);
	bare_dir(1);
	enter(1);
	leave(0);
	enter(0);
	expect_nothing();

	/* Made active anew by a register. */
	setup(state);
	share(true);
	leave(1);
	dir(1, 32);
	mmio(1, 0x304, 4);
	vgic_write_active(kernel, 1, 1, 32, true);
	enter(1);
	enter(0);
	leave(0);
	expect_nothing();

	/* Records are missing. */
	setup(state);
	share(true);
	bare_dir(1);
	enter(1);
	u.loss = (struct vgr_loss){
		.r = head(VGR_LOSS, sizeof(u.loss), VGR_NO_VCPU),
		.first_seq = 1,
		.count = 1,
		.from = now - 3000,
		.to = now,
	};
	u.r.vm = VGR_NO_VM;
	put();
	leave(0);
	enter(0);
	expect_nothing();
}

/* ---- what others explain ---- */

static void another_thread_explains_it(void **state)
{
	/* Still under way: the device thread has not gone on. */
	flushed(2);
	u.inject.r.time = now;
	put();
	setup(state);
	for (unsigned int i = 0; i < 2; i++)
		inject(0, 32 + 2 * i, true);
	u.inject = (struct vgr_inject){
		.r = head(VGR_INJECT, sizeof(u.inject), VGR_NO_VCPU),
		.intid = 36,
		.level = 1,
	};
	put();
	make_flush(0);
	spoil_uie();
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->undecided[VGIC_UNDECIDED_CONCURRENT], 1);

	/* Another VM's device has nothing to do with it. */
	setup(state);
	for (unsigned int i = 0; i < 2; i++)
		inject(0, 32 + 2 * i, true);
	u.inject = (struct vgr_inject){
		.r = head(VGR_INJECT, sizeof(u.inject), VGR_NO_VCPU),
		.intid = 36,
		.level = 1,
	};
	u.r.vm = 7;
	put();
	make_flush(0);
	spoil_uie();
	put();
	expect(9, 'g');
}

/* It moved, and its new vCPU had acknowledged it before the slow sync of the old one was over. */
static void handled_elsewhere_meanwhile(void **state)
{
	synced(2, false);
	drop(32);
	after(0)->vcpu = after(0)->target = 1;
	after(0)->state = (after(0)->state & ~VGR_IRQ_LATCH) | VGR_IRQ_ACTIVE | VGR_IRQ_ON_LR;
	put();
	expect_nothing();

	/* The route of the one in the LR changes, and another seems to have been passed over. */
	setup(state);
	for (unsigned int i = 0; i < 6; i++)
		inject(0, 32 + 2 * i, true);
	mmio(1, 0x6000 + 8 * 34, 8);
	make_flush(0);
	after(1)->target = 1;
	put();
	expect_nothing();
	assert_true(vgic_invariants_totals(inv)->rules[5].undecided > 0);
}

static void loss_decides_nothing(void **state)
{
	flushed(2);
	spoil_uie();
	put();
	u.loss = (struct vgr_loss){
		.r = head(VGR_LOSS, sizeof(u.loss), VGR_NO_VCPU),
		.first_seq = 1,
		.count = 1,
		.from = now - 3000,
		.to = now,
	};
	u.r.vm = VGR_NO_VM;
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->undecided[VGIC_UNDECIDED_LOSS], 1);
}

static void records_that_cannot_be_judged(void **state)
{
	static const struct {
		uint16_t flags;
		enum vgic_undecided why;
	} cases[] = {{VGR_F_CUT, VGIC_UNDECIDED_CUT}, {VGR_F_TORN, VGIC_UNDECIDED_TORN}};

	for (int i = 0; i < 2; i++) {
		setup(state);
		flushed(2);
		spoil_two_lrs();
		u.r.flags |= cases[i].flags;
		put();
		expect_nothing();
		assert_int_equal(vgic_invariants_totals(inv)->undecided[cases[i].why], 1);
		assert_int_equal(vgic_invariants_totals(inv)->rules[3].undecided, 1);
	}
	setup(state);
	flushed(2);
	spoil_two_lrs();
	u.flush.nested = 1;
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->undecided[VGIC_UNDECIDED_NESTED], 1);

	setup(state);
	flushed(2);
	after(0)->state |= VGR_IRQ_GONE;
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->undecided[VGIC_UNDECIDED_GONE], 1);
}

static void records_that_contradict_themselves(void **state)
{
	flushed(2);
	spoil_two_lrs();
	cfg.nr_lr = NR_LR + 1;
	restart();
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->undecided[VGIC_UNDECIDED_MALFORMED], 1);

	setup(state);
	synced(2, false);
	after(0)->intid = 90;
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->undecided[VGIC_UNDECIDED_MALFORMED], 1);

	setup(state);
	synced(3, false);
	*before(2) = *before(1);
	*after(2) = *after(1);
	put();
	assert_int_equal(expect(1, 'b')->intid, 34);
}

/* A kernel whose last_lr_irq cannot be read (nVHE). */
static void boundary_that_is_not_known(void **state)
{
	synced(6, false);
	u.sync.boundary = VGR_BOUNDARY_UNKNOWN;
	put();
	flushed(6);
	u.flush.boundary = VGR_BOUNDARY_UNKNOWN;
	put();
	expect_nothing();
	assert_int_equal(vgic_invariants_totals(inv)->rules[6].undecided, 1);
	assert_int_equal(vgic_invariants_totals(inv)->rules[17].undecided, 1);
}

/* More wrong records than are kept at a time, and some that nobody waits for. */
static void many_suspects(void **state)
{
	for (unsigned int i = 0; i < 600; i++) {
		make_flush(0);
		spoil_eoicount();
		put();
	}
	assert_in_range(nr_found, 300, 599);
	vgic_invariants_finish(inv);
	assert_int_equal(hits[9][0].n, 600);
	assert_int_equal(nr_found, 600);

	setup(state);
	for (unsigned int i = 0; i < 4; i++) {
		make_flush(0);
		spoil_eoicount();
		put();
	}
	assert_int_equal(nr_found, 0);
}

/* More losses than there are places for. */
static void many_losses(void **state)
{
	for (unsigned int i = 0; i < 100; i++) {
		u.loss = (struct vgr_loss){
			.r = head(VGR_LOSS, sizeof(u.loss), VGR_NO_VCPU),
			.first_seq = 1,
			.count = 1,
			.from = now - 500,
			.to = now - 400,
		};
		u.r.vm = VGR_NO_VM;
		put();
	}
	flushed(2);
	spoil_uie();
	put();
	expect(9, 'g');
}

/* Too long ago: nobody knows any more what happened since. */
static void what_is_forgotten(void **state)
{
	synced(1, true);
	put();
	for (unsigned int i = 0; i < 40000; i++)
		inject(0, 95, i % 2 == 0);
	irq(32)->active = false;
	leave(0);
	enter(0);
	expect_nothing();
	assert_true(vgic_invariants_totals(inv)->rules[15].undecided > 0);
}

/* While no vCPU is on a CPU its VMM may write registers, and nothing records that. */
static void registers_written_by_the_vmm(void **state)
{
	for (int both = 0; both < 2; both++) {
		setup(state);
		synced(1, true);
		put();
		enter(1);
		leave(1);
		for (uint16_t v = 0; v <= both; v++) {
			u.r = head(VGR_PUT, sizeof(u.r), v);
			put();
		}
		irq(32)->active = false;
		for (uint16_t v = 0; v <= both; v++) {
			u.r = head(VGR_LOAD, sizeof(u.r), v);
			put();
		}
		enter(0);
		if (!both) {
			expect(15, 'c');
			continue;
		}
		expect_nothing();
		assert_int_equal(vgic_invariants_totals(inv)->rules[15].undecided, 1);
	}
}

/* GICD_SGIR is how a GICv2 guest sends; the edge of an SGI may be gone for it. */
static void sgi_register(void **state)
{
	vgic_send_sgi(kernel, 0, 3, true);
	enter(0);
	leave(0);
	irq(3)->pending_latch = false;
	enter(0);
	expect(13, 'b');

	setup(state);
	vgic_send_sgi(kernel, 0, 3, true);
	inject(0, 32, true);
	enter(0);
	assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, 3);
	leave(0);
	vgic_send_sgi(kernel, 0, 3, true);
	enter(0);
	leave(0);
	mmio(1, 0xf00, 4);
	irq(3)->pending_latch = false;
	enter(0);
	expect_nothing();
}

/* Pending again while it is active: the guest may acknowledge it after the DIR. */
static void dir_of_one_that_came_again(void **state)
{
	share(true);
	inject(0, 32, true);
	bare_dir(1);
	leave(0);
	enter(0);
	enter(1);
	leave(0);
	enter(0);
	expect_nothing();
	assert_true(vgic_invariants_totals(inv)->rules[15].undecided > 0);
}

/* ---- what old kernels do ---- */

static void six_twelve(bool strict)
{
	use_policy("linux-6.12", strict);
	for (unsigned int v = 0; v < NR_VCPUS; v++)
		kernel->vcpus[v].vmcr |= VGIC_VMCR_VEOIM;
}

/* Four acknowledged, the fifth waits for ever. */
static void starve(bool split)
{
	if (!split)
		kernel->vcpus[0].vmcr &= ~VGIC_VMCR_VEOIM;
	for (unsigned int i = 0; i < 5; i++) {
		irq(32 + 2 * i)->priority = 0xa0 - 8 * i;
		inject(0, 32 + 2 * i, true);
		leave(0);
		enter(0);
		if (i < 4)
			assert_int_equal(vgic_v3_cpuif_ack(&cpu[0].hw, 1).intid, 32 + 2 * i);
		if (i < 4 && split)
			vgic_v3_cpuif_eoi(&cpu[0].hw, 1, 32 + 2 * i);
	}
	for (unsigned int i = 0; i < 400; i++) {
		leave(0);
		enter(0);
	}
}

static void known_failures_have_names(void **state)
{
	static const uint32_t edges[] = {32, 34, 36, 38};

	six_twelve(false);
	starve(true);
	expect_nothing();

	six_twelve(true);
	starve(true);
	assert_string_equal(expect(7, 'b')->known, "L1");
	assert_string_equal(expect(18, 'a')->known, "L1");
	assert_int_equal(hits[18][0].intid, 40);
	assert_int_equal(hits[18][0].n, 1);

	six_twelve(true);
	starve(false);
	assert_string_equal(expect(18, 'a')->known, "L2");

	/* More active than LRs: the EOI of the fifth will go unseen. */
	six_twelve(true);
	for (unsigned int i = 0; i < 5; i++)
		vgic_write_active(kernel, 0, 0, 32 + 2 * i, true);
	enter(0);
	assert_string_equal(expect(9, 'f')->known, "L3");

	six_twelve(true);
	for (unsigned int i = 0; i < 5; i++) {
		irq(32 + 2 * i)->group1 = i == 4;
		irq(32 + 2 * i)->priority = 8 * i;
		inject(0, 32 + 2 * i, true);
	}
	for (unsigned int i = 0; i < 400; i++) {
		enter(0);
		leave(0);
	}
	assert_string_equal(expect(7, 'c')->known, "L4");
	assert_string_equal(expect(18, 'a')->known, "L4");

	six_twelve(true);
	inject(0, 32, true);
	enter(0);
	vgic_v3_cpuif_ack(&cpu[0].hw, 1);
	leave(0);
	inject(1, 20, true);
	enter(1);
	assert_string_equal(expect(16, 'c')->known, "L5");

	six_twelve(true);
	vgic_msi(kernel, LPI);
	enter(0);
	vgic_v3_cpuif_ack(&cpu[0].hw, 1);
	leave(0);
	assert_string_equal(expect(12, 'a')->known, "L6");

	/* A disabled one at the end of the list. */
	six_twelve(true);
	for (unsigned int i = 0; i < 4; i++)
		inject(0, edges[i], true);
	inject(0, 40, true);
	vgic_write_enable(kernel, 0, 40, false);
	enter(0);
	assert_string_equal(expect(9, 'g')->known, "L7");
}

static void promises_follow_the_switches(void **state)
{
	struct vgic_policy p = *vgic_policy_find("newest");

	flushed(6);
	spoil_group_in();
	put();
	expect(7, 'c');

	setup(state);
	p.sort_deliverable_first = 0;
	cfg.policy = &p;
	restart();
	introduce();
	flushed(6);
	spoil_group_in();
	put();
	vgic_invariants_finish(inv);
	assert_int_equal(hits[7][2].n, 0);

	/* Judged by the newest nevertheless. */
	setup(state);
	cfg.policy = &p;
	cfg.strict = true;
	restart();
	introduce();
	flushed(6);
	spoil_group_in();
	put();
	expect(7, 'c');
}

/* LRs of a GICv2 host are 32 bits wide. */
static void list_registers_of_gicv2(void **state)
{
	cfg.gicv2 = true;
	restart();
	flushed(2);
	u.flush.active_spis = -1;
	for (unsigned int i = 0; i < 2; i++)
		*lr(i) = (32 + 2 * i) | 1u << 28 | 1u << 30;
	put();
	expect_nothing();

	setup(state);
	cfg.gicv2 = true;
	restart();
	flushed(2);
	for (unsigned int i = 0; i < 2; i++)
		*lr(i) = 32 | 1u << 28 | 1u << 30;
	put();
	expect(3, 'a');
}

/* ---- states of the model ---- */

struct state_case {
	unsigned int rule;
	char part;
	enum vgic_point point;
	unsigned int n; /* interrupts; 0: six active ones */
	void (*spoil)(void);
};

static void state_owner(void)
{
	irq(32)->vcpu = 1;
}

static void state_listed(void)
{
	irq(60)->vcpu = 0;
}

static void state_chain(void)
{
	irq(34)->prev = NULL;
}

static void state_count(void)
{
	kernel->vcpus[0].list.count++;
}

static void state_twice(void)
{
	kernel->vcpus[1].list = kernel->vcpus[0].list;
}

static void state_marked(void)
{
	irq(32)->on_lr = true;
	kernel->vcpus[0].used_lrs = 0;
}

static void state_oracle(void)
{
	irq(32)->enabled = false;
}

static void state_two_lrs(void)
{
	kernel->vcpus[0].lr[1] = kernel->vcpus[0].lr[0];
}

static void state_on_lr(void)
{
	irq(32)->on_lr = !irq(32)->on_lr;
}

static void state_used(void)
{
	kernel->vcpus[0].used_lrs = 1;
	irq(34)->pending_latch = true;
}

static void state_tail(void)
{
	kernel->vcpus[0].boundary = irq(32);
}

static void state_boundary_off(void)
{
	kernel->vcpus[0].boundary = irq(60);
}

static void state_priority(void)
{
	for (unsigned int i = 0; i < 4; i++)
		irq(32 + 2 * i)->priority = 0xa0;
}

static void state_eoi(void)
{
	kernel->vcpus[0].lr[0] |= VGIC_LR_EOI;
}

static void state_hcr(void)
{
	kernel->vcpus[0].hcr |= VGIC_HCR_NPIE;
}

static void state_no_lrenpie(void)
{
	kernel->vcpus[0].hcr &= ~VGIC_HCR_LRENPIE;
}

static void state_misr(void)
{
	kernel->vcpus[0].hcr ^= VGIC_HCR_VGRP1EIE | VGIC_HCR_VGRP1DIE;
}

static void state_lpi(void)
{
	irq(LPI)->active = true;
}

static void state_spis(void)
{
	kernel->active_spis = -2;
}

static void state_tdir(void)
{
	kernel->vcpus[0].hcr &= ~VGIC_HCR_TDIR;
}

static void wrong_states(void **state)
{
	static const struct state_case cases[] = {
		{1, 'a', VGIC_POINT_FLUSHED, 2, state_owner},
		{1, 'c', VGIC_POINT_FLUSHED, 2, state_listed},
		{1, 'b', VGIC_POINT_FLUSHED, 2, state_chain},
		{1, 'c', VGIC_POINT_FLUSHED, 2, state_count},
		{1, 'a', VGIC_POINT_SYNCED, 3, state_twice},
		{4, 'd', VGIC_POINT_RUNNING, 2, state_marked},
		{2, 'a', VGIC_POINT_SYNCED, 2, state_oracle},
		{3, 'a', VGIC_POINT_FLUSHED, 2, state_two_lrs},
		{4, 'b', VGIC_POINT_FLUSHED, 2, state_oracle},
		{4, 'c', VGIC_POINT_FLUSHED, 2, state_on_lr},
		{4, 'c', VGIC_POINT_RUNNING, 2, state_on_lr},
		{4, 'd', VGIC_POINT_SYNCED, 2, state_on_lr},
		{5, 'a', VGIC_POINT_FLUSHED, 2, state_used},
		{6, 'a', VGIC_POINT_FLUSHED, 6, state_tail},
		{6, 'b', VGIC_POINT_FLUSHED, 6, state_boundary_off},
		{7, 'a', VGIC_POINT_FLUSHED, 6, state_priority},
		{8, 'c', VGIC_POINT_FLUSHED, 2, state_eoi},
		{9, 'c', VGIC_POINT_FLUSHED, 2, state_hcr},
		{9, 'f', VGIC_POINT_FLUSHED, 0, state_no_lrenpie},
		{10, 'a', VGIC_POINT_FLUSHED, 2, state_misr},
		{12, 'a', VGIC_POINT_SYNCED, 2, state_lpi},
		{16, 'a', VGIC_POINT_SYNCED, 2, state_spis},
		{16, 'b', VGIC_POINT_FLUSHED, 2, state_tdir},
		{17, 'b', VGIC_POINT_SYNCED, 2, state_tail},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct state_case *c = &cases[i];

		setup(state);
		vgic_msi(kernel, LPI);
		c->n ? flushed(c->n) : flushed_active();
		if (c->point == VGIC_POINT_SYNCED)
			make_sync(0);
		states(0, c->point);
		c->spoil();
		vgic_invariants_state(kernel, 0, c->point, false, found, NULL);
		if (!hits[c->rule][c->part - 'a'].n)
			print_error("state %zu: rule %u%c was not found\n", i, c->rule, c->part);
		assert_true(hits[c->rule][c->part - 'a'].n > 0);
		/* Put right again, so that the model can be taken apart. */
		irq(34)->prev = irq(34)->prev ? irq(34)->prev : irq(32);
	}
	assert_int_equal(vgic_invariants_state(kernel, NR_VCPUS, VGIC_POINT_SYNCED, false, NULL,
					       NULL),
			 -EINVAL);
}

static void table(void **state)
{
	for (unsigned int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++) {
		const struct vgic_invariant *i = vgic_invariant_at(rule);

		assert_int_equal(i->rule, rule);
		assert_true(*i->name && *i->text && *i->follows);
		assert_true(i->decidable & VGIC_INVARIANT_RECORDING);
	}
	assert_null(vgic_invariant_at(0));
	assert_null(vgic_invariant_at(VGIC_NR_INVARIANTS + 1));
}

static void bad_configuration(void **state)
{
	struct vgic_invariants *other;
	struct vgic_invariants_config c = cfg;

	c.policy = NULL;
	assert_int_equal(vgic_invariants_create(&other, &c), -EINVAL);
	c = cfg;
	c.nr_lr = 0;
	assert_int_equal(vgic_invariants_create(&other, &c), -EINVAL);
	c.nr_lr = 17;
	assert_int_equal(vgic_invariants_create(&other, &c), -EINVAL);
	c.gicv2 = true;
	assert_int_equal(vgic_invariants_create(&other, &c), 0);
	vgic_invariants_destroy(other);
	vgic_invariants_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_operations, setup, teardown),
		cmocka_unit_test_setup_teardown(random_operations_of_older_kernels, setup,
						teardown),
		cmocka_unit_test_setup_teardown(records_that_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_flushes, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_syncs, setup, teardown),
		cmocka_unit_test_setup_teardown(replay_of_more_than_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(edge_lost_in_the_fold, setup, teardown),
		cmocka_unit_test_setup_teardown(lpi_that_stays_active, setup, teardown),
		cmocka_unit_test_setup_teardown(twice_on_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(active_that_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(pending_that_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(injection_that_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(dir_from_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(dir_that_the_fold_undoes, setup, teardown),
		cmocka_unit_test_setup_teardown(dir_that_comes_late_in_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(dir_without_effect, setup, teardown),
		cmocka_unit_test_setup_teardown(dir_that_decides_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(another_thread_explains_it, setup, teardown),
		cmocka_unit_test_setup_teardown(handled_elsewhere_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(loss_decides_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(records_that_cannot_be_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(records_that_contradict_themselves, setup,
						teardown),
		cmocka_unit_test_setup_teardown(boundary_that_is_not_known, setup, teardown),
		cmocka_unit_test_setup_teardown(many_suspects, setup, teardown),
		cmocka_unit_test_setup_teardown(many_losses, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(registers_written_by_the_vmm, setup, teardown),
		cmocka_unit_test_setup_teardown(sgi_register, setup, teardown),
		cmocka_unit_test_setup_teardown(dir_of_one_that_came_again, setup, teardown),
		cmocka_unit_test_setup_teardown(known_failures_have_names, setup, teardown),
		cmocka_unit_test_setup_teardown(promises_follow_the_switches, setup, teardown),
		cmocka_unit_test_setup_teardown(list_registers_of_gicv2, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_states, setup, teardown),
		cmocka_unit_test_setup_teardown(table, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_configuration, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
