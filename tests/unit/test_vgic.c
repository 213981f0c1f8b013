// SPDX-License-Identifier: GPL-2.0-only
/* The vgic of the newest policy, rule by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <vgicsim/vgic.h>

#define NR_LR	 4
#define PMR_OPEN (0xf8u << VGIC_VMCR_VPMR_SHIFT)

static struct vgic *vgic;
static struct vgic_vcpu *v0, *v1;
static struct {
	bool level;
	unsigned int samples, dirs, activated, deactivated, halts, resumed, notified;
	unsigned int pending[3], updates[3];
	uint32_t last_dir, last_notified;
} world;

static bool physical_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	world.samples++;
	return world.level;
}

static void physical_active(void *opaque, unsigned int vcpu, const struct vgic_irq *irq,
			    bool active)
{
	if (active)
		world.activated++;
	else
		world.deactivated++;
}

static void physical_dir(void *opaque, unsigned int vcpu, uint32_t pintid)
{
	world.dirs++;
	world.last_dir = pintid;
}

static void request(void *opaque, unsigned int vcpu, uint32_t req, bool kick)
{
	if (req == VGIC_REQ_IRQ_PENDING)
		world.pending[vcpu] += kick;
	else
		world.updates[vcpu] += !kick;
}

static void resample(void *opaque, uint32_t intid)
{
	world.notified++;
	world.last_notified = intid;
}

static void halt(void *opaque, bool on)
{
	if (on)
		world.halts++;
	else
		world.resumed++;
}

static struct vgic_config config(void)
{
	return (struct vgic_config){
		.policy = vgic_policy_find("newest"),
		.nr_vcpus = 3,
		.nr_spis = 96,
		.nr_lr = NR_LR,
		.has_tdir = true,
		.env =
			{
				.physical_level = physical_level,
				.physical_active = physical_active,
				.physical_dir = physical_dir,
				.request = request,
				.resample = resample,
				.halt = halt,
			},
	};
}

static void start(const struct vgic_config *cfg)
{
	assert_int_equal(vgic_create(&vgic, cfg), 0);
	memset(&world, 0, sizeof(world));
	vgic->dist_enabled = true;
	v0 = &vgic->vcpus[0];
	v1 = &vgic->vcpus[1];
	for (unsigned int i = 0; i < 3; i++)
		vgic->vcpus[i].vmcr = VGIC_VMCR_VENG1 | PMR_OPEN;
	for (uint32_t i = 0; i < 128; i++)
		vgic_write_enable(vgic, 0, i, true);
	memset(&world, 0, sizeof(world));
}

static int setup(void **state)
{
	struct vgic_config cfg = config();

	start(&cfg);
	return 0;
}

static int teardown(void **state)
{
	vgic_destroy(vgic);
	return 0;
}

static struct vgic_irq *irq(uint32_t intid)
{
	return vgic_irq_find(vgic, 0, intid);
}

static void raise(uint32_t intid, uint8_t prio)
{
	irq(intid)->priority = prio;
	vgic_inject(vgic, 0, intid, true);
}

static void make_active(uint32_t intid, uint8_t prio)
{
	irq(intid)->priority = prio;
	irq(intid)->active = true;
	vgic_queue(vgic, irq(intid));
}

static void edge(uint32_t intid)
{
	vgic_write_config(vgic, intid, false);
}

static void hw(uint32_t intid)
{
	vgic_map_hw(vgic, 0, intid, 900);
	irq(intid)->get_level = true;
}

static void expect_order(const struct vgic_vcpu *vcpu, unsigned int n, const uint32_t *intids)
{
	const struct vgic_irq *at = vcpu->list.head, *prev = NULL;

	assert_int_equal(vcpu->list.count, n);
	for (unsigned int i = 0; i < n; i++) {
		assert_non_null(at);
		assert_int_equal(at->intid, intids[i]);
		assert_int_equal(at->vcpu, vcpu->index);
		assert_ptr_equal(at->prev, prev);
		prev = at;
		at = at->next;
	}
	assert_null(at);
	assert_ptr_equal(vcpu->list.tail, prev);
}

#define EXPECT(vcpu, ...)                                                        \
	expect_order(vcpu, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), \
		     (uint32_t[]){__VA_ARGS__})

/* One run in which the guest leaves the LRs as given: sync of these images. */
static void run(unsigned int n, const uint64_t *lrs, unsigned int eoicount)
{
	for (unsigned int i = 0; i < n; i++)
		v0->lr[i] = lrs[i];
	v0->used_lrs = n;
	v0->hcr |= eoicount << VGIC_HCR_EOICOUNT_SHIFT;
	vgic_sync(vgic, 0);
}

#define RUN(eoicount, ...)                                                                   \
	run(sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (uint64_t[]){__VA_ARGS__}, \
	    eoicount)

/* ---- creation ---- */

static void defaults(void **state)
{
	struct vgic_config cfg = config();
	struct vgic *other;

	assert_int_equal(vgic_create(&other, &cfg), 0);
	assert_true(vgic_irq_find(other, 1, 3)->enabled);
	assert_false(vgic_irq_find(other, 1, 3)->level);
	assert_false(vgic_irq_find(other, 1, 27)->enabled);
	assert_true(vgic_irq_find(other, 1, 27)->level);
	assert_int_equal(vgic_irq_find(other, 1, 27)->target, 1);
	assert_true(vgic_irq_find(other, 0, 127)->group1);
	assert_int_equal(vgic_irq_find(other, 0, 127)->target, 0);
	assert_null(vgic_irq_find(other, 0, 128));
	assert_null(vgic_irq_find(other, 3, 5));
	assert_null(vgic_irq_find(other, 0, 8192));
	vgic_destroy(other);
	cfg.nr_lr = 17;
	assert_int_equal(vgic_create(&other, &cfg), -EINVAL);
	cfg.nr_lr = 0;
	assert_int_equal(vgic_create(&other, &cfg), -EINVAL);
	cfg.nr_lr = 4;
	cfg.nr_vcpus = 0;
	assert_int_equal(vgic_create(&other, &cfg), -EINVAL);
	vgic_destroy(NULL);
}

static void lpis_are_found_again(void **state)
{
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(vgic_lpi_add(vgic, 8192 + i * 7), 0);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(irq(8192 + i * 7)->intid, 8192 + i * 7);
	assert_null(irq(8193));
	assert_int_equal(vgic_lpi_add(vgic, 8192), -EEXIST);
	assert_int_equal(vgic_lpi_add(vgic, 8191), -EINVAL);
}

/* ---- OV-1, OV-5 ---- */

static void pending_by_kind(void **state)
{
	edge(40);
	irq(40)->line_level = true;
	assert_false(vgic_irq_pending(irq(40)));
	irq(40)->pending_latch = true;
	assert_true(vgic_irq_pending(irq(40)));
	irq(41)->line_level = true;
	assert_true(vgic_irq_pending(irq(41)));
	irq(41)->line_level = false;
	irq(41)->pending_latch = true;
	assert_true(vgic_irq_pending(irq(41)));
}

static void oracle(void **state)
{
	struct vgic_irq *i = irq(40);

	assert_int_equal(vgic_irq_oracle(vgic, i), VGIC_NO_VCPU);
	i->line_level = true;
	i->target = 1;
	assert_int_equal(vgic_irq_oracle(vgic, i), 1);
	i->enabled = false;
	assert_int_equal(vgic_irq_oracle(vgic, i), VGIC_NO_VCPU);
	i->enabled = true;
	vgic->dist_enabled = false;
	assert_int_equal(vgic_irq_oracle(vgic, i), VGIC_NO_VCPU);
	i->active = true;
	assert_int_equal(vgic_irq_oracle(vgic, i), 1);
	i->enabled = false;
	i->line_level = false;
	i->vcpu = 2;
	assert_int_equal(vgic_irq_oracle(vgic, i), 2);
	i->vcpu = VGIC_NO_VCPU;
}

/* ---- OV-7 to OV-13 ---- */

static void injection_needs_a_change(void **state)
{
	assert_int_equal(vgic_inject(vgic, 0, 128, true), -EINVAL);
	assert_int_equal(vgic_inject(vgic, 7, 27, true), -EINVAL);
	assert_int_equal(vgic_inject(vgic, 0, 40, false), 0);
	assert_int_equal(vgic_inject(vgic, 0, 40, true), 1);
	assert_int_equal(vgic_inject(vgic, 0, 40, true), 0);
	assert_int_equal(vgic_inject(vgic, 0, 40, false), 1);
	edge(41);
	assert_int_equal(vgic_inject(vgic, 0, 41, false), 0);
	assert_int_equal(vgic_inject(vgic, 0, 41, true), 1);
	assert_int_equal(vgic_inject(vgic, 0, 41, true), 1);
	EXPECT(v0, 40, 41);
}

static void lowering_a_listed_line_kicks_nobody(void **state)
{
	raise(40, 0);
	memset(&world, 0, sizeof(world));
	vgic_inject(vgic, 0, 40, false);
	assert_int_equal(world.pending[0], 0);
	vgic_inject(vgic, 0, 40, true);
	assert_int_equal(world.pending[0], 1);
}

static void first_spi_kicks_all(void **state)
{
	raise(40, 0);
	assert_int_equal(vgic->active_spis, 1);
	assert_int_equal(world.pending[0] + world.pending[1] + world.pending[2], 3);
	raise(41, 0);
	assert_int_equal(vgic->active_spis, 2);
	assert_int_equal(world.pending[0], 2);
	assert_int_equal(world.pending[1], 1);
	vgic_inject(vgic, 0, 20, true);
	assert_int_equal(vgic->active_spis, 2);
}

static void no_broadcast_without_tdir(void **state)
{
	vgic->cfg.has_tdir = false;
	raise(40, 0);
	assert_int_equal(vgic->active_spis, 0);
	assert_int_equal(world.pending[1], 0);
	vgic_flush(vgic, 0);
	assert_true(v0->hcr & VGIC_HCR_TDIR);
}

static void sgi_targets(void **state)
{
	vgic_write_sgir(vgic, 1, 5ull << 24 | 1ull << 40, true);
	EXPECT(v0, 5);
	assert_int_equal(v1->list.count, 0);
	EXPECT(&vgic->vcpus[2], 5);
	vgic_write_sgir(vgic, 1, 6ull << 24 | 0x6, true);
	EXPECT(v1, 6);
	EXPECT(&vgic->vcpus[2], 5, 6);
	/* SGI0R does not reach group 1; a vCPU that is not there is not reached. */
	vgic_write_sgir(vgic, 1, 7ull << 24 | 0x1, false);
	EXPECT(v0, 5);
	vgic_write_group(vgic, 0, 7, 0);
	vgic_write_sgir(vgic, 1, 7ull << 24 | 0x1, false);
	EXPECT(v0, 5, 7);
	vgic_write_sgir(vgic, 1, 7ull << 24 | 1ull << 16 | 0x1, true);
	assert_false(vgic_send_sgi(vgic, 3, 1, true));
	assert_false(vgic_send_sgi(vgic, 0, 16, true));
}

/* ---- OV-14 to OV-19 ---- */

static void no_sort_while_it_fits(void **state)
{
	raise(40, 0x80);
	raise(41, 0x40);
	raise(42, 0x20);
	raise(43, 0x10);
	vgic_flush(vgic, 0);
	assert_false(v0->sorted);
	EXPECT(v0, 40, 41, 42, 43);
	raise(44, 0x18);
	for (uint32_t i = 40; i < 44; i++)
		irq(i)->on_lr = false;
	vgic_flush(vgic, 0);
	assert_true(v0->sorted);
	EXPECT(v0, 43, 44, 42, 41, 40);
}

static void what_does_not_belong_here_does_not_count(void **state)
{
	for (uint32_t i = 40; i < 46; i++)
		raise(i, 0);
	vgic_write_enable(vgic, 0, 40, false);
	vgic_write_target(vgic, 41, 1);
	vgic_flush(vgic, 0);
	assert_false(v0->sorted);
	assert_int_equal(v0->summary.nr_pend, 4);
	assert_int_equal(v0->used_lrs, 4);
	assert_int_equal(v0->lr[0] & VGIC_LR_VINTID, 42);
}

/* Fills up with four interrupts that sort last by priority, so that a sort happens. */
static void overflow(void)
{
	for (uint32_t i = 100; i < 104; i++)
		raise(i, 0xf0);
}

static void key_deliverable(void **state)
{
	raise(40, 0x10);
	raise(41, 0x20);
	vgic_write_enable(vgic, 0, 40, false);
	overflow();
	vgic_flush(vgic, 0);
	EXPECT(v0, 41, 100, 101, 102, 103, 40);
}

static void key_group(void **state)
{
	raise(40, 0x10);
	raise(41, 0x20);
	vgic_write_group(vgic, 0, 40, 0);
	overflow();
	vgic_flush(vgic, 0);
	EXPECT(v0, 41, 100, 101, 102, 103, 40);
	for (uint32_t i = 40; i < 128; i++)
		irq(i)->on_lr = false;
	v0->vmcr |= VGIC_VMCR_VENG0;
	vgic_flush(vgic, 0);
	EXPECT(v0, 40, 41, 100, 101, 102, 103);
	v0->vmcr &= ~VGIC_VMCR_VENG1;
	vgic_flush(vgic, 0);
	EXPECT(v0, 40, 41, 100, 101, 102, 103);
}

static void key_purely_pending(void **state)
{
	make_active(40, 0x10);
	edge(41);
	make_active(41, 0x08);
	vgic_inject(vgic, 0, 41, true);
	raise(42, 0x80);
	overflow();
	vgic_flush(vgic, 0);
	EXPECT(v0, 42, 100, 101, 102, 103, 41, 40);
}

static void key_priority_and_hw(void **state)
{
	make_active(40, 0x20);
	make_active(41, 0x20);
	make_active(42, 0x18);
	hw(41);
	overflow();
	vgic_flush(vgic, 0);
	EXPECT(v0, 100, 101, 102, 103, 42, 41, 40);
}

static void ties_keep_their_order(void **state)
{
	static const uint32_t intids[] = {77, 40, 66, 41, 90, 33, 34, 70, 42};

	for (int i = 0; i < 9; i++)
		raise(intids[i], 0x40);
	vgic_flush(vgic, 0);
	assert_true(v0->sorted);
	EXPECT(v0, 77, 40, 66, 41, 90, 33, 34, 70, 42);
}

static void order_persists(void **state)
{
	no_sort_while_it_fits(NULL);
	for (uint32_t i = 40; i < 45; i++)
		irq(i)->on_lr = false;
	vgic_inject(vgic, 0, 44, false);
	vgic_prune(vgic, 0);
	raise(45, 0);
	vgic_inject(vgic, 0, 43, false);
	vgic_prune(vgic, 0);
	vgic_flush(vgic, 0);
	assert_false(v0->sorted);
	EXPECT(v0, 42, 41, 40, 45);
}

static void sorts_long_lists(void **state)
{
	uint8_t last = 0;

	for (uint32_t i = 32; i < 128; i++)
		raise(i, (i * 37) & 0xf8);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->list.count, 96);
	for (struct vgic_irq *i = v0->list.head; i; i = i->next) {
		assert_true(i->priority >= last);
		assert_true(!i->next || i->next->prev == i);
		if (i->next && i->next->priority == i->priority)
			assert_true(i->intid < i->next->intid);
		last = i->priority;
	}
}

/* ---- OV-20 to OV-28 ---- */

static void boundary_only_when_full(void **state)
{
	for (uint32_t i = 40; i < 43; i++)
		raise(i, 0);
	vgic_flush(vgic, 0);
	assert_null(v0->boundary);
	assert_int_equal(v0->used_lrs, 3);
	assert_int_equal(v0->lr[3], 0);
	RUN(0, v0->lr[0], v0->lr[1], v0->lr[2]);
	raise(43, 0);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->boundary->intid, 43);
	vgic_sync(vgic, 0);
	assert_null(v0->boundary);
}

static void old_images_are_zeroed(void **state)
{
	v0->lr[0] = v0->lr[3] = ~0ull;
	raise(40, 0);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->lr[0] & VGIC_LR_VINTID, 40);
	assert_int_equal(v0->lr[3], 0);
}

struct lr_case {
	bool level, is_hw, latch, line, active;
	uint64_t expect; /* state, HW, EOI */
	bool latch_after, line_after;
};

static void lr_by_kind_and_state(void **state)
{
	static const uint64_t P = VGIC_LR_PENDING, A = VGIC_LR_ACTIVE, E = VGIC_LR_EOI,
			      H = VGIC_LR_HW | 900ull << VGIC_LR_PINTID_SHIFT;
	const struct lr_case cases[] = {
		/* edge */
		{.latch = true, .expect = P},
		{.active = true, .expect = A},
		{.latch = true, .active = true, .expect = P | A},
		/* level */
		{.level = true, .line = true, .expect = P | E, .line_after = true},
		{.level = true, .latch = true, .expect = P | E, .latch_after = true},
		{.level = true, .active = true, .expect = A | E},
		{.level = true, .line = true, .active = true, .expect = A | E, .line_after = true},
		/* mapped */
		{.level = true, .is_hw = true, .line = true, .expect = P | H},
		{.level = true, .is_hw = true, .latch = true, .expect = P | H, .latch_after = true},
		{.level = true, .is_hw = true, .active = true, .expect = A | H},
		{.level = true,
		 .is_hw = true,
		 .line = true,
		 .active = true,
		 .expect = A | H,
		 .line_after = true},
		{.is_hw = true, .latch = true, .expect = P | H},
		{.is_hw = true,
		 .latch = true,
		 .active = true,
		 .expect = A | H,
		 .latch_after = true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct lr_case *t = &cases[i];
		struct vgic_irq *n = irq(40 + i);

		n->level = t->level;
		n->hw = t->is_hw;
		n->hwintid = 900;
		n->pending_latch = t->latch;
		n->line_level = t->line;
		n->active = t->active;
		n->priority = 0x55;
		assert_true(vgic_queue(vgic, n));
		vgic_flush(vgic, 0);
		assert_int_equal(v0->used_lrs, 1);
		assert_int_equal(v0->lr[0], t->expect | (40 + i) | VGIC_LR_GROUP1 |
						    0x55ull << VGIC_LR_PRIORITY_SHIFT);
		assert_int_equal(n->pending_latch, t->latch_after);
		assert_int_equal(n->line_level, t->line_after);
		assert_true(n->on_lr);
		RUN(0, 40 + i);
		n->line_level = n->pending_latch = n->on_lr = false;
		vgic_prune(vgic, 0);
		assert_int_equal(v0->list.count, 0);
	}
}

static void resampled_is_a_plain_level(void **state)
{
	hw(27);
	irq(27)->resample = true;
	vgic_inject(vgic, 0, 27, true);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->lr[0] & (VGIC_LR_HW | VGIC_LR_EOI), VGIC_LR_EOI);
	/* Done, and not soft-pending: the physical side is released without a look at its level. */
	RUN(0, 27);
	assert_int_equal(world.samples, 0);
	assert_int_equal(world.deactivated, 1);
}

static void group_in_the_lr(void **state)
{
	vgic_write_group(vgic, 0, 40, 0);
	raise(40, 0);
	vgic_flush(vgic, 0);
	assert_false(v0->lr[0] & VGIC_LR_GROUP1);
}

/* ---- OV-29 to OV-34 ---- */

#define BASE (VGIC_HCR_EN | VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP1DIE)

static void hcr_of_pending(void **state)
{
	for (uint32_t i = 16; i < 20; i++)
		vgic_inject(vgic, 0, i, true);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->hcr, BASE | VGIC_HCR_VSGIEOICOUNT);
	vgic_send_sgi(vgic, 0, 1, true);
	for (uint32_t i = 16; i < 20; i++)
		irq(i)->on_lr = false;
	vgic_flush(vgic, 0);
	assert_int_equal(v0->hcr, BASE | VGIC_HCR_NPIE | VGIC_HCR_UIE);
}

static void hcr_of_active(void **state)
{
	for (uint32_t i = 16; i < 20; i++)
		make_active(i, 0);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->hcr, BASE | VGIC_HCR_VSGIEOICOUNT);
	vgic_inject(vgic, 0, 21, true);
	vgic_flush(vgic, 0);
	/* More than fit, but not more pending than fit. */
	assert_int_equal(v0->hcr, BASE | VGIC_HCR_VSGIEOICOUNT | VGIC_HCR_UIE | VGIC_HCR_LRENPIE |
					  VGIC_HCR_TDIR);
}

static void hcr_of_groups_and_spis(void **state)
{
	v0->vmcr = VGIC_VMCR_VENG0;
	vgic_flush(vgic, 0);
	assert_int_equal(v0->hcr, VGIC_HCR_EN | VGIC_HCR_VSGIEOICOUNT | VGIC_HCR_VGRP0DIE |
					  VGIC_HCR_VGRP1EIE);
	vgic->active_spis = 1;
	v0->hcr = 3u << VGIC_HCR_EOICOUNT_SHIFT;
	vgic_flush(vgic, 0);
	assert_int_equal(v0->hcr, VGIC_HCR_EN | VGIC_HCR_VSGIEOICOUNT | VGIC_HCR_VGRP0DIE |
					  VGIC_HCR_VGRP1EIE | VGIC_HCR_TDIR);
}

/* ---- OV-38 to OV-41 ---- */

static void save_and_restore(void **state)
{
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(NR_LR);
	struct vgic_v3_cpuif c;

	vgic_v3_cpuif_init(&c, &cfg);
	vgic->cfg.static_traps = VGIC_HCR_TC;
	for (uint32_t i = 16; i < 21; i++)
		make_active(i, 0);
	vgic_load(vgic, 0, &c);
	vgic_flush(vgic, 0);
	vgic_restore(vgic, 0, &c);
	assert_int_equal(c.hcr, v0->hcr | VGIC_HCR_TC);
	assert_false(v0->hcr & VGIC_HCR_TC);
	assert_memory_equal(c.lr, v0->lr, sizeof(v0->lr[0]) * NR_LR);
	c.hcr |= 2u << VGIC_HCR_EOICOUNT_SHIFT;
	c.lr[1] &= ~VGIC_LR_STATE;
	c.vmcr |= VGIC_VMCR_VENG0;
	vgic_save(vgic, 0, &c);
	assert_int_equal(vgic_v3_eoicount(v0->hcr), 2);
	assert_int_equal(v0->lr[1] & VGIC_LR_STATE, 0);
	assert_int_equal(v0->lr[2] & VGIC_LR_STATE, VGIC_LR_ACTIVE);
	assert_int_equal(c.hcr, 0);
	assert_int_equal(c.lr[0], 0);
	assert_true(v0->vmcr & VGIC_VMCR_VENG0);
	/* Without LRENPIE the count stays in the hardware. */
	vgic_flush(vgic, 0);
	v0->hcr &= ~VGIC_HCR_LRENPIE;
	vgic_restore(vgic, 0, &c);
	c.hcr |= 2u << VGIC_HCR_EOICOUNT_SHIFT;
	vgic_save(vgic, 0, &c);
	assert_int_equal(vgic_v3_eoicount(v0->hcr), 0);
	c.ap1r[0] = 5;
	vgic_put(vgic, 0, &c);
	assert_int_equal(v0->ap1r[0], 5);
}

/* ---- OV-42 to OV-50 ---- */

static void fold_active_and_edge(void **state)
{
	edge(40);
	raise(40, 0);
	vgic_flush(vgic, 0);
	assert_false(irq(40)->pending_latch);
	vgic_inject(vgic, 0, 40, true);
	RUN(0, 40 | VGIC_LR_ACTIVE);
	assert_true(irq(40)->active);
	assert_true(irq(40)->pending_latch);
	assert_false(irq(40)->on_lr);
	vgic_flush(vgic, 0);
	assert_false(irq(40)->pending_latch);
	RUN(0, 40 | VGIC_LR_PENDING);
	assert_false(irq(40)->active);
	assert_true(irq(40)->pending_latch);
	vgic_flush(vgic, 0);
	RUN(0, 40);
	assert_false(irq(40)->pending_latch);
	assert_int_equal(v0->list.count, 0);
	assert_int_equal(irq(40)->vcpu, VGIC_NO_VCPU);
}

static void fold_level_latch(void **state)
{
	irq(40)->pending_latch = true;
	vgic_queue(vgic, irq(40));
	vgic_flush(vgic, 0);
	RUN(0, 40 | VGIC_LR_ACTIVE | VGIC_LR_EOI);
	assert_true(irq(40)->pending_latch);
	vgic_flush(vgic, 0);
	RUN(0, 40 | VGIC_LR_PENDING | VGIC_LR_EOI);
	assert_true(irq(40)->pending_latch);
	vgic_flush(vgic, 0);
	RUN(0, 40 | VGIC_LR_EOI);
	assert_false(irq(40)->pending_latch);
}

static void fold_lpi(void **state)
{
	vgic_lpi_add(vgic, 8192);
	vgic_write_target(vgic, 8192, 0);
	vgic_write_enable(vgic, 0, 8192, true);
	vgic_inject(vgic, 0, 8192, true);
	vgic_flush(vgic, 0);
	RUN(0, 8192 | VGIC_LR_ACTIVE);
	assert_false(irq(8192)->active);
	assert_int_equal(v0->list.count, 0);
}

static void fold_of_an_unknown_lpi(void **state)
{
	RUN(0, 9000 | VGIC_LR_ACTIVE);
	assert_int_equal(v0->used_lrs, 0);
}

static void resampling(void **state)
{
	hw(27);
	vgic_inject(vgic, 0, 27, true);
	vgic_flush(vgic, 0);
	assert_false(irq(27)->line_level);
	/* Came back pending: the line is read. */
	world.level = true;
	RUN(0, 27 | VGIC_LR_PENDING | VGIC_LR_HW);
	assert_int_equal(world.samples, 1);
	assert_true(irq(27)->line_level);
	assert_int_equal(world.deactivated, 0);
	vgic_flush(vgic, 0);
	world.level = false;
	RUN(0, 27 | VGIC_LR_PENDING | VGIC_LR_HW);
	assert_int_equal(world.samples, 2);
	assert_int_equal(world.deactivated, 1);
	/* Acknowledged and finished in one run: nothing to read. */
	vgic_inject(vgic, 0, 27, true);
	vgic_flush(vgic, 0);
	RUN(0, 27 | VGIC_LR_HW);
	assert_int_equal(world.samples, 2);
	/* Was active in software, and its line rose meanwhile: read at the deactivation. */
	make_active(27, 0);
	vgic_flush(vgic, 0);
	RUN(0, 27 | VGIC_LR_HW);
	assert_int_equal(world.samples, 2);
	make_active(27, 0);
	vgic_inject(vgic, 0, 27, true);
	vgic_flush(vgic, 0);
	assert_true(irq(27)->line_level);
	RUN(0, 27 | VGIC_LR_HW);
	assert_int_equal(world.samples, 3);
}

static void notification_and_counter(void **state)
{
	raise(40, 0);
	vgic_flush(vgic, 0);
	/* Started and ended within one run: neither is told. */
	RUN(0, 40 | VGIC_LR_EOI);
	assert_int_equal(world.notified, 0);
	assert_int_equal(vgic->active_spis, 1);
	vgic_flush(vgic, 0);
	RUN(0, 40 | VGIC_LR_ACTIVE | VGIC_LR_EOI);
	assert_int_equal(world.notified, 0);
	vgic_flush(vgic, 0);
	RUN(0, 40 | VGIC_LR_EOI);
	assert_int_equal(world.notified, 1);
	assert_int_equal(world.last_notified, 40);
	assert_int_equal(vgic->active_spis, 0);
	/* Neither an edge nor a PPI has the EOI bit or is an SPI; the count never goes below 0. */
	irq(40)->active = true;
	vgic_flush(vgic, 0);
	RUN(0, 40 | VGIC_LR_EOI);
	assert_int_equal(vgic->active_spis, 0);
	make_active(20, 0);
	vgic_flush(vgic, 0);
	RUN(0, 20 | VGIC_LR_EOI);
	assert_int_equal(world.notified, 2);
}

/* ---- OV-51 to OV-54 ---- */

static void replay_takes_the_tail_in_order(void **state)
{
	for (uint32_t i = 40; i < 44; i++)
		raise(i, 0x80);
	make_active(50, 0x30);
	make_active(51, 0x20);
	make_active(52, 0x10);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->boundary->intid, 43);
	RUN(2, 40 | VGIC_LR_ACTIVE | VGIC_LR_EOI, 41 | VGIC_LR_PENDING | VGIC_LR_EOI,
	    42 | VGIC_LR_PENDING | VGIC_LR_EOI, 43 | VGIC_LR_PENDING | VGIC_LR_EOI);
	assert_true(irq(40)->active);
	assert_false(irq(52)->active);
	assert_false(irq(51)->active);
	assert_true(irq(50)->active);
	EXPECT(v0, 40, 41, 42, 43, 50);
	assert_int_equal(v0->counts.replayed, 2);
}

static void replay_stops_at_the_end(void **state)
{
	for (uint32_t i = 40; i < 44; i++)
		raise(i, 0x80);
	make_active(50, 0x30);
	vgic_flush(vgic, 0);
	RUN(3, 40 | VGIC_LR_ACTIVE, 41 | VGIC_LR_ACTIVE, 42 | VGIC_LR_ACTIVE, 43 | VGIC_LR_ACTIVE);
	assert_false(irq(50)->active);
	assert_int_equal(v0->counts.replay_lost, 2);
	for (uint32_t i = 40; i < 44; i++)
		assert_true(irq(i)->active);
}

static void no_boundary_no_replay(void **state)
{
	make_active(50, 0x30);
	vgic_flush(vgic, 0);
	assert_null(v0->boundary);
	RUN(1, 50 | VGIC_LR_ACTIVE);
	assert_true(irq(50)->active);
}

static void replay_of_hw_and_of_a_pending_edge(void **state)
{
	for (uint32_t i = 40; i < 44; i++)
		raise(i, 0x80);
	hw(27);
	make_active(27, 0x10);
	edge(60);
	make_active(60, 0x20);
	vgic_inject(vgic, 0, 60, true);
	vgic_flush(vgic, 0);
	RUN(2, 40, 41, 42, 43);
	assert_int_equal(world.dirs, 1);
	assert_int_equal(world.last_dir, 900);
	assert_false(irq(27)->active);
	assert_false(irq(60)->active);
	assert_true(irq(60)->pending_latch);
}

static void replay_skips_what_is_not_active(void **state)
{
	for (uint32_t i = 40; i < 46; i++)
		raise(i, 0x80);
	make_active(50, 0x90);
	vgic_flush(vgic, 0);
	EXPECT(v0, 40, 41, 42, 43, 44, 45, 50);
	RUN(1, 40, 41, 42, 43);
	assert_false(irq(50)->active);
}

/* ---- OV-55 ---- */

static void prune_keeps_moves_drops(void **state)
{
	for (uint32_t i = 40; i < 45; i++)
		raise(i, 0);
	vgic_write_target(vgic, 45, 1);
	raise(45, 0);
	vgic_write_target(vgic, 41, 1);
	vgic_write_target(vgic, 43, 1);
	vgic_write_enable(vgic, 0, 42, false);
	memset(&world, 0, sizeof(world));
	vgic_prune(vgic, 0);
	EXPECT(v0, 40, 44);
	EXPECT(v1, 45, 41, 43);
	assert_int_equal(world.pending[1], 2);
	assert_int_equal(irq(42)->vcpu, VGIC_NO_VCPU);
	/* An active one stays with its vCPU whatever its route says. */
	irq(40)->active = true;
	vgic_write_target(vgic, 40, 2);
	vgic_prune(vgic, 0);
	EXPECT(v0, 40, 44);
}

/* ---- OV-59 to OV-68 ---- */

static void dir_primitive(void **state)
{
	make_active(40, 0);
	vgic_deactivate(vgic, 1, 40);
	assert_true(irq(40)->active);
	v1->vmcr |= VGIC_VMCR_VEOIM;
	vgic_deactivate(vgic, 1, 40);
	assert_false(irq(40)->active);
	assert_int_equal(world.updates[0], 1);
	assert_int_equal(world.pending[1], 1);
	assert_int_equal(world.notified, 1);
	assert_int_equal(vgic->active_spis, 0);
	EXPECT(v0, 40);
	vgic_prune(vgic, 0);
	/* On no list: nothing. Beyond the SPIs: nothing. */
	irq(40)->active = true;
	vgic_deactivate(vgic, 1, 40);
	assert_true(irq(40)->active);
	vgic_deactivate(vgic, 1, 128);
	assert_int_equal(world.updates[0], 1);
}

static void dir_of_what_is_in_an_lr(void **state)
{
	make_active(40, 0);
	vgic_flush(vgic, 0);
	v1->vmcr |= VGIC_VMCR_VEOIM;
	vgic_deactivate(vgic, 1, 40);
	assert_int_equal(world.halts, 1);
	assert_int_equal(world.resumed, 1);
	assert_false(irq(40)->active);
	assert_int_equal(world.updates[0], 1);
	assert_int_equal(world.notified, 0);
}

/*
 * As posted: what was acknowledged in an LR and not folded since is nobody's if it is an edge; of a
 * level that is still high, ICACTIVER is written all the same, though not its own (history 2.1, 5).
 */
static void dir_as_first_posted(void **state)
{
	vgic->cfg.policy = vgic_policy_find("posted-v1");
	v1->vmcr |= VGIC_VMCR_VEOIM;
	irq(40)->level = false;
	vgic_inject(vgic, 0, 40, true);
	vgic_inject(vgic, 0, 44, true);
	vgic_flush(vgic, 0);
	assert_true(irq(40)->on_lr && irq(44)->on_lr);
	vgic_deactivate(vgic, 1, 40);
	assert_int_equal(world.updates[0], 0);
	assert_true(irq(44)->level && !irq(44)->active);
	vgic_irq_find(vgic, 1, 20)->active = true;
	vgic_deactivate(vgic, 1, 44);
	assert_false(vgic_irq_find(vgic, 1, 20)->active);
	assert_int_equal(world.updates[0], 1);
	/* Not active, and in no LR: nothing. */
	hw(27);
	vgic_inject(vgic, 0, 27, true);
	v0->vmcr |= VGIC_VMCR_VEOIM;
	vgic_deactivate(vgic, 0, 27);
	assert_int_equal(world.dirs, 0);
	assert_int_equal(world.updates[0], 1);
}

static void dir_aliases_and_inactive_hw(void **state)
{
	v0->vmcr |= VGIC_VMCR_VEOIM;
	make_active(40, 0);
	vgic_deactivate(vgic, 0, 40 | 1 << 10);
	assert_false(irq(40)->active);
	/* No check for active: the physical interrupt is deactivated all the same. */
	hw(27);
	vgic_inject(vgic, 0, 27, true);
	vgic_deactivate(vgic, 0, 27);
	assert_int_equal(world.dirs, 1);
	assert_int_equal(world.samples, 1);
}

static void dir_fast_path(void **state)
{
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(NR_LR);
	struct vgic_v3_cpuif c;

	vgic_v3_cpuif_init(&c, &cfg);
	c.vmcr = VGIC_VMCR_VEOIM;
	c.hcr = VGIC_HCR_EN | VGIC_HCR_TC;
	c.lr[0] = 27 | VGIC_LR_ACTIVE | VGIC_LR_HW | 900ull << VGIC_LR_PINTID_SHIFT;
	assert_false(vgic_dir_fast(vgic, 0, &c, 27));
	vgic->cfg.static_traps = VGIC_HCR_TC;
	v0->hcr = VGIC_HCR_EN | VGIC_HCR_TDIR;
	assert_true(vgic_dir_fast(vgic, 0, &c, 27));
	assert_int_equal(c.lr[0] & VGIC_LR_STATE, 0);
	assert_int_equal(world.last_dir, 900);
	/* A miss is a full exit with TDIR in the shadow, a count without. */
	assert_false(vgic_dir_fast(vgic, 0, &c, 28));
	assert_int_equal(c.hcr, VGIC_HCR_EN | VGIC_HCR_TC);
	v0->hcr = VGIC_HCR_EN;
	assert_true(vgic_dir_fast(vgic, 0, &c, 28));
	assert_int_equal(c.hcr, VGIC_HCR_EN | VGIC_HCR_TC | 1u << VGIC_HCR_EOICOUNT_SHIFT);
	assert_true(vgic_dir_fast(vgic, 0, &c, 8192));
	c.vmcr = 0;
	assert_true(vgic_dir_fast(vgic, 0, &c, 28));
	assert_int_equal(vgic_v3_eoicount(c.hcr), 1);
}

/* 6.12 has the trap bits of errata in its shadow HCR: they do not make a DIR an exit (HI-10). */
static void dir_fast_path_of_6_12(void **state)
{
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(NR_LR);
	struct vgic_v3_cpuif c;

	vgic->cfg.policy = vgic_policy_find("linux-6.12");
	vgic->cfg.static_traps = VGIC_HCR_TALL1 | VGIC_HCR_TDIR;
	vgic_v3_cpuif_init(&c, &cfg);
	c.vmcr = VGIC_VMCR_VEOIM;
	v0->hcr = c.hcr = VGIC_HCR_EN | vgic->cfg.static_traps;
	c.lr[0] = 27 | VGIC_LR_ACTIVE;
	assert_true(vgic_dir_fast(vgic, 0, &c, 27));
	assert_int_equal(c.lr[0] & VGIC_LR_STATE, 0);
	assert_true(vgic_dir_fast(vgic, 0, &c, 28));
	assert_int_equal(vgic_v3_eoicount(c.hcr), 1);
}

/* ---- OV-73, OV-74, section 15 ---- */

static void active_writes_halt(void **state)
{
	vgic_write_active(vgic, 0, 0, 20, true);
	assert_int_equal(world.halts, 0);
	EXPECT(v0, 20);
	vgic_write_active(vgic, 0, 1, 20, true);
	assert_int_equal(world.halts, 1);
	EXPECT(v1, 20);
	vgic_write_active(vgic, 0, 0, 40, true);
	assert_int_equal(world.halts, 2);
	vgic_write_active(vgic, 0, 0, 40, false);
	assert_int_equal(world.resumed, 3);
	EXPECT(v0, 20, 40);
	vgic_prune(vgic, 0);
	EXPECT(v0, 20);
	hw(27);
	vgic_write_active(vgic, 0, 0, 27, true);
	assert_int_equal(world.activated, 1);
}

static void enable_reads_a_mapped_line(void **state)
{
	hw(27);
	irq(27)->enabled = false;
	irq(27)->line_level = true;
	vgic_write_enable(vgic, 0, 27, true);
	assert_int_equal(world.deactivated, 1);
	assert_false(irq(27)->line_level);
	world.level = true;
	vgic_write_enable(vgic, 0, 27, true);
	EXPECT(v0, 27);
	vgic_write_enable(vgic, 0, 27, false);
	EXPECT(v0, 27);
	assert_int_equal(world.pending[0], 1);
}

static void pending_writes(void **state)
{
	vgic_write_pending(vgic, 0, 40, true);
	EXPECT(v0, 40);
	vgic_write_pending(vgic, 0, 40, false);
	vgic_prune(vgic, 0);
	assert_int_equal(v0->list.count, 0);
	hw(27);
	vgic_write_pending(vgic, 0, 27, true);
	vgic_write_pending(vgic, 0, 27, false);
	assert_int_equal(world.activated, 1);
	assert_int_equal(world.deactivated, 1);
}

static void priority_keeps_five_bits(void **state)
{
	vgic_write_priority(vgic, 0, 40, 0xff);
	assert_int_equal(irq(40)->priority, 0xf8);
}

static void distributor_on_kicks_who_waits(void **state)
{
	raise(40, 0x80);
	vgic->dist_enabled = false;
	raise(41, 0x80);
	EXPECT(v0, 40);
	assert_false(vgic_vcpu_pending_irq(vgic, 0));
	memset(&world, 0, sizeof(world));
	vgic_write_dist_enable(vgic, true);
	assert_int_equal(world.pending[0], 1);
	assert_int_equal(world.pending[1], 0);
	vgic_write_dist_enable(vgic, true);
	assert_int_equal(world.pending[0], 1);
	/* What came while it was off is still on no list. */
	EXPECT(v0, 40);
}

static void wakes_by_pmr_only(void **state)
{
	raise(40, 0xf8);
	assert_false(vgic_vcpu_pending_irq(vgic, 0));
	irq(40)->priority = 0xf0;
	assert_true(vgic_vcpu_pending_irq(vgic, 0));
	/* OV-84: neither the group nor an active priority is looked at. */
	v0->vmcr &= ~VGIC_VMCR_VENG1;
	v0->ap1r[0] = 1;
	assert_true(vgic_vcpu_pending_irq(vgic, 0));
	irq(40)->active = true;
	assert_false(vgic_vcpu_pending_irq(vgic, 0));
	irq(40)->active = false;
	irq(40)->enabled = false;
	assert_false(vgic_vcpu_pending_irq(vgic, 0));
}

/* ---- states as a whole ---- */

static void import_and_export(void **state)
{
	struct vgr_irq in[3] = {
		{.intid = 40,
		 .state = VGR_IRQ_LEVEL | VGR_IRQ_LINE | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
		 .priority = 0x20,
		 .vcpu = 1,
		 .target = 1},
		{.intid = 8200,
		 .state = VGR_IRQ_LATCH | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1 | VGR_IRQ_MAPPED,
		 .priority = 0xa0,
		 .vcpu = 1,
		 .target = 1},
		{.intid = 27,
		 .state = 0x07df & ~VGR_IRQ_LINE,
		 .hwintid = 27,
		 .vcpu = 1,
		 .target = 1},
	};
	struct vgr_irq out;

	raise(40, 0);
	assert_int_equal(vgic_list_import(vgic, 1, in, 3), 0);
	assert_int_equal(v0->list.count, 0);
	EXPECT(v1, 40, 8200, 27);
	for (int i = 0; i < 3; i++) {
		vgic_irq_export(vgic_irq_find(vgic, 1, in[i].intid), &out);
		assert_memory_equal(&out, &in[i], sizeof(out));
	}
	in[1].intid = 40;
	assert_int_equal(vgic_list_import(vgic, 1, in, 3), -EINVAL);
	in[1].intid = 2000;
	assert_int_equal(vgic_list_import(vgic, 1, in, 3), -EINVAL);
	assert_int_equal(vgic_list_import(vgic, 3, in, 1), -EINVAL);
	assert_int_equal(vgic_list_import(vgic, 1, in, 0), 0);
	assert_int_equal(v1->list.count, 0);
}

/* ---- GICv2 guest: several sources of one SGI ---- */

static void sgi_sources(void **state)
{
	struct vgic_config cfg = config();
	struct vgic_irq *sgi;

	vgic_destroy(vgic);
	cfg.model_v2 = true;
	start(&cfg);
	sgi = irq(3);
	sgi->source = 0x0a;
	sgi->pending_latch = true;
	vgic_queue(vgic, sgi);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->lr[0],
			 3 | 1ull << VGIC_LR_CPUID_SHIFT | VGIC_LR_PENDING | VGIC_LR_EOI);
	assert_int_equal(sgi->source, 0x08);
	assert_true(sgi->pending_latch);
	RUN(0, 3 | 1ull << VGIC_LR_CPUID_SHIFT | VGIC_LR_ACTIVE | VGIC_LR_EOI);
	assert_int_equal(sgi->active_source, 1);
	vgic_flush(vgic, 0);
	/* Active and one more source: the pending one waits. */
	assert_int_equal(v0->lr[0], 3 | 1ull << VGIC_LR_CPUID_SHIFT | VGIC_LR_ACTIVE | VGIC_LR_EOI);
	RUN(0, 3 | 1ull << VGIC_LR_CPUID_SHIFT | VGIC_LR_EOI);
	vgic_flush(vgic, 0);
	assert_int_equal(v0->lr[0], 3 | 3ull << VGIC_LR_CPUID_SHIFT | VGIC_LR_PENDING);
	RUN(0, 3 | 3ull << VGIC_LR_CPUID_SHIFT | VGIC_LR_PENDING);
	assert_int_equal(sgi->source, 0x08);
	assert_true(sgi->pending_latch);
}

/* 6.12: nothing of lower priority passes an SGI with sources left (HI-4). */
static void sgi_barrier(void **state)
{
	struct vgic_config cfg = config();

	for (int i = 0; i < 2; i++) {
		vgic_destroy(vgic);
		cfg.model_v2 = true;
		cfg.policy = vgic_policy_find(i ? "linux-6.12" : "linux-7.3");
		start(&cfg);
		irq(3)->source = 0x06;
		irq(3)->pending_latch = true;
		irq(3)->priority = 0x40;
		vgic_queue(vgic, irq(3));
		raise(40, 0x80);
		raise(41, 0x40);
		vgic_flush(vgic, 0);
		assert_int_equal(v0->used_lrs, i ? 2 : 3);
	}
}

/* Of 512 vCPUs only those cost something that are there. */
static void vcpus_on_demand(void **state)
{
	struct vgic_config cfg = config();
	struct vgr_irq in = {
		.intid = 40,
		.state = VGR_IRQ_LATCH | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
		.vcpu = 3,
		.target = 400,
	};
	struct vgic *v;

	cfg.nr_vcpus = VGIC_MAX_VCPUS;
	cfg.on_demand = true;
	cfg.env = (struct vgic_env){NULL};
	assert_int_equal(vgic_create(&v, &cfg), 0);
	v->dist_enabled = true;
	assert_null(vgic_irq_find(v, 3, 20));
	assert_non_null(vgic_irq_find(v, 3, 40));
	assert_int_equal(vgic_list_import(v, 3, &in, 1), 0);
	assert_int_equal(vgic_irq_find(v, 3, 20)->intid, 20);
	/* It moves to one that nobody has named. */
	vgic_prune(v, 3);
	assert_int_equal(v->vcpus[3].list.count, 0);
	assert_int_equal(v->vcpus[400].list.count, 1);
	assert_int_equal(vgic_irq_find(v, 0, 40)->vcpu, 400);
	in = (struct vgr_irq){.intid = 20, .state = VGR_IRQ_LEVEL, .vcpu = 400, .target = 400};
	assert_int_equal(vgic_list_import(v, 400, &in, 1), 0);
	assert_ptr_equal(v->vcpus[400].list.head, vgic_irq_find(v, 400, 20));
	assert_int_equal(vgic_irq_find(v, 0, 40)->vcpu, VGIC_NO_VCPU);
	in.vcpu = 5;
	assert_int_equal(vgic_irq_import(v, 5, &in), 0);
	assert_true(vgic_irq_find(v, 5, 20)->level);
	vgic_destroy(v);
}

/* The bits of a state stand where records have them, each with its own name. */
static void states_have_the_bits_of_records(void **state)
{
	static const uint16_t bits[] = {
		VGR_IRQ_LINE,	VGR_IRQ_LATCH,	  VGR_IRQ_ACTIVE,   VGR_IRQ_ENABLED,
		VGR_IRQ_ON_LR,	VGR_IRQ_LEVEL,	  VGR_IRQ_HW,	    VGR_IRQ_GROUP1,
		VGR_IRQ_MAPPED, VGR_IRQ_RESAMPLE, VGR_IRQ_GETLEVEL,
	};
	struct vgr_irq in = {.intid = 40, .vcpu = 7, .target = 1, .reserved = 0xff}, out;
	const struct vgic_irq *i = vgic_irq_find(vgic, 0, 40);

	for (size_t n = 0; n < sizeof(bits) / sizeof(bits[0]); n++) {
		/* Bits that nobody has given a meaning yet are left behind. */
		in.state = bits[n] | 0x0800;
		assert_int_equal(vgic_irq_import(vgic, 0, &in), 0);
		assert_int_equal(i->line_level, bits[n] == VGR_IRQ_LINE);
		assert_int_equal(i->pending_latch, bits[n] == VGR_IRQ_LATCH);
		assert_int_equal(i->active, bits[n] == VGR_IRQ_ACTIVE);
		assert_int_equal(i->enabled, bits[n] == VGR_IRQ_ENABLED);
		assert_int_equal(i->on_lr, bits[n] == VGR_IRQ_ON_LR);
		assert_int_equal(i->level, bits[n] == VGR_IRQ_LEVEL);
		assert_int_equal(i->hw, bits[n] == VGR_IRQ_HW);
		assert_int_equal(i->group1, bits[n] == VGR_IRQ_GROUP1);
		assert_int_equal(i->mapped, bits[n] == VGR_IRQ_MAPPED);
		assert_int_equal(i->resample, bits[n] == VGR_IRQ_RESAMPLE);
		assert_int_equal(i->get_level, bits[n] == VGR_IRQ_GETLEVEL);
		vgic_irq_export(i, &out);
		assert_int_equal(out.state, bits[n]);
		assert_int_equal(out.reserved, 0);
		/* Whose list it is on is the list's business. */
		assert_int_equal(out.vcpu, VGIC_NO_VCPU);
	}
}

/* Whatever the length: by priority, and those that are equal as they came. */
static void long_lists_are_sorted_stably(void **state)
{
	static const unsigned int lengths[] = {2, 63, 64, 65, 100, 900, 1500};
	static struct vgr_irq in[1500];

	for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		unsigned int n = lengths[l];
		const struct vgic_irq *i, *before = NULL;
		unsigned int count = 0;

		for (unsigned int k = 0; k < n; k++)
			in[k] = (struct vgr_irq){
				.intid = VGIC_LPI_BASE + k,
				.state = VGR_IRQ_LATCH | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
				.priority = (uint8_t)(k * 7919 % 11 * 8),
				.vcpu = 0,
				.target = 0,
			};
		vgic->dist_enabled = true;
		assert_int_equal(vgic_list_import(vgic, 0, in, n), 0);
		vgic_flush(vgic, 0);
		for (i = vgic->vcpus[0].list.head; i; before = i, i = i->next, count++) {
			assert_ptr_equal(i->prev, before);
			if (before)
				assert_true(before->priority < i->priority ||
					    (before->priority == i->priority &&
					     before->intid < i->intid));
		}
		assert_ptr_equal(vgic->vcpus[0].list.tail, before);
		assert_int_equal(count, n);
		assert_true(vgic->vcpus[0].sorted || n <= NR_LR);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults),
		TEST(lpis_are_found_again),
		TEST(pending_by_kind),
		TEST(oracle),
		TEST(injection_needs_a_change),
		TEST(lowering_a_listed_line_kicks_nobody),
		TEST(first_spi_kicks_all),
		TEST(no_broadcast_without_tdir),
		TEST(sgi_targets),
		TEST(no_sort_while_it_fits),
		TEST(what_does_not_belong_here_does_not_count),
		TEST(key_deliverable),
		TEST(key_group),
		TEST(key_purely_pending),
		TEST(key_priority_and_hw),
		TEST(ties_keep_their_order),
		TEST(order_persists),
		TEST(sorts_long_lists),
		TEST(boundary_only_when_full),
		TEST(old_images_are_zeroed),
		TEST(lr_by_kind_and_state),
		TEST(resampled_is_a_plain_level),
		TEST(group_in_the_lr),
		TEST(hcr_of_pending),
		TEST(hcr_of_active),
		TEST(hcr_of_groups_and_spis),
		TEST(save_and_restore),
		TEST(fold_active_and_edge),
		TEST(fold_level_latch),
		TEST(fold_lpi),
		TEST(fold_of_an_unknown_lpi),
		TEST(resampling),
		TEST(notification_and_counter),
		TEST(replay_takes_the_tail_in_order),
		TEST(replay_stops_at_the_end),
		TEST(no_boundary_no_replay),
		TEST(replay_of_hw_and_of_a_pending_edge),
		TEST(replay_skips_what_is_not_active),
		TEST(prune_keeps_moves_drops),
		TEST(dir_primitive),
		TEST(dir_of_what_is_in_an_lr),
		TEST(dir_as_first_posted),
		TEST(dir_aliases_and_inactive_hw),
		TEST(dir_fast_path),
		TEST(dir_fast_path_of_6_12),
		TEST(active_writes_halt),
		TEST(enable_reads_a_mapped_line),
		TEST(pending_writes),
		TEST(priority_keeps_five_bits),
		TEST(distributor_on_kicks_who_waits),
		TEST(wakes_by_pmr_only),
		TEST(import_and_export),
		TEST(vcpus_on_demand),
		TEST(states_have_the_bits_of_records),
		TEST(long_lists_are_sorted_stably),
		TEST(sgi_sources),
		TEST(sgi_barrier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
