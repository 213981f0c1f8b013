// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants, judged over records that a second vgic wrote in the kernel's place
 * and over its states: whatever it is asked to do, nothing is found; every single
 * wrong thing is found under its rule.
 */
#include "invariants_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_that_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(random_operations, setup, teardown),
		cmocka_unit_test_setup_teardown(random_operations_of_older_kernels, setup,
						teardown),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
