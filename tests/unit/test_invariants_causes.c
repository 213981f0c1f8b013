// SPDX-License-Identifier: GPL-2.0-only
/* What another thread, an old kernel or a state of the model explains, and what it does not. */
#include "invariants_world.h"

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
