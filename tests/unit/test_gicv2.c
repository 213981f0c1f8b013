// SPDX-License-Identifier: GPL-2.0-only
/* GICv2 hosts and guests, rule by rule: where they differ from GICv3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <vgicsim/gich.h>
#include <vgicsim/vgic.h>

#define NR_LR	 4
#define PMR_OPEN (0xf8u << VGIC_VMCR_VPMR_SHIFT)

static struct vgic *vgic;
static struct vgic_vcpu *v0;
static struct vgic_v3_cpuif_config hw_cfg;
static struct vgic_v3_cpuif hw;
static struct {
	unsigned int dirs, notified, requests[8];
	uint32_t last_dir, last_notified;
} world;

static void physical_dir(void *opaque, unsigned int vcpu, uint32_t pintid)
{
	world.dirs++;
	world.last_dir = pintid;
}

static void resample(void *opaque, uint32_t intid)
{
	world.notified++;
	world.last_notified = intid;
}

static void request(void *opaque, unsigned int vcpu, uint32_t req, bool kick)
{
	world.requests[vcpu]++;
}

static void start(const char *policy, unsigned int nr_lr)
{
	struct vgic_config cfg = {
		.policy = vgic_policy_find(policy),
		.nr_vcpus = 4,
		.nr_spis = 96,
		.nr_lr = nr_lr,
		.model_v2 = true,
		.gicv2 = true,
		.env = {.physical_dir = physical_dir, .resample = resample, .request = request},
	};

	vgic_destroy(vgic);
	vgic = NULL;
	assert_int_equal(vgic_create(&vgic, &cfg), 0);
	vgic->dist_enabled = true;
	v0 = &vgic->vcpus[0];
	v0->vmcr = VGIC_VMCR_VENG0 | PMR_OPEN;
	hw_cfg = vgic_v3_cpuif_defaults(nr_lr);
	vgic_v3_cpuif_init(&hw, &hw_cfg);
	vgic_load(vgic, 0, &hw);
	for (uint32_t i = 0; i < 128; i++)
		vgic_write_enable(vgic, 0, i, true);
	memset(&world, 0, sizeof(world));
}

static int setup(void **state)
{
	start("newest", NR_LR);
	return 0;
}

static int teardown(void **state)
{
	vgic_destroy(vgic);
	vgic = NULL;
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

static void enter(void)
{
	vgic_flush(vgic, 0);
	vgic_restore(vgic, 0, &hw);
}

static void leave(void)
{
	vgic_save(vgic, 0, &hw);
	vgic_sync(vgic, 0);
}

static void limits(void **state)
{
	struct vgic_config cfg = {.policy = vgic_policy_find("newest"),
				  .nr_vcpus = 1,
				  .nr_lr = 64,
				  .model_v2 = true,
				  .gicv2 = true};
	struct vgic *other;

	assert_int_equal(vgic_create(&other, &cfg), 0);
	vgic_destroy(other);
	cfg.nr_lr = 65;
	assert_int_equal(vgic_create(&other, &cfg), -EINVAL);
	cfg.nr_lr = 17;
	cfg.gicv2 = false;
	assert_int_equal(vgic_create(&other, &cfg), -EINVAL);
	/* A GICv2 host has no GICv3 guests. */
	cfg.gicv2 = true;
	cfg.model_v2 = false;
	assert_int_equal(vgic_create(&other, &cfg), -EINVAL);
}

static void sixty_four_lrs(void **state)
{
	start("newest", 64);
	for (uint32_t i = 0; i < 65; i++)
		raise(32 + i, 0x80);
	enter();
	assert_int_equal(v0->used_lrs, 64);
	assert_int_equal(hw.lr[63] & VGIC_LR_VINTID, 32 + 63);
	assert_int_equal(v0->boundary->intid, 32 + 63);
	assert_true(vgic_v3_cpuif_elrsr(&hw) == 0);
	hw.lr[63] &= ~(VGIC_LR_STATE | VGIC_LR_EOI);
	assert_true(vgic_v3_cpuif_elrsr(&hw) == 1ull << 63);
	hw.lr[63] |= VGIC_LR_EOI;
	assert_true(vgic_v3_cpuif_eisr(&hw) == 1ull << 63);
}

static void priority_has_five_bits(void **state)
{
	raise(40, 0x47);
	enter();
	assert_int_equal(v0->lr[0] >> VGIC_LR_PRIORITY_SHIFT & 0xff, 0x40);
	assert_true(vgic_gich_lr_decode(vgic_gich_lr_encode(v0->lr[0])) == v0->lr[0]);
}

/* OV-72 */
static void hcr_without_traps(void **state)
{
	for (uint32_t i = 0; i < NR_LR + 1; i++)
		raise(40 + i, 0x80);
	irq(40)->active = true;
	enter();
	assert_int_equal(v0->hcr, VGIC_HCR_EN | VGIC_HCR_UIE | VGIC_HCR_LRENPIE |
					  VGIC_HCR_VGRP0DIE | VGIC_HCR_VGRP1EIE);
	assert_int_equal(vgic->active_spis, 0);
	assert_int_equal(vgic_static_traps(vgic), 0);
}

/* vcpu_set_ich_hcr of 6.12: bits of a GICv3, in the shadow of every GICv2 guest. */
static void old_shadow_holds_trap_bits(void **state)
{
	start("linux-6.12", NR_LR);
	raise(40, 0x80);
	enter();
	assert_int_equal(v0->hcr, VGIC_HCR_EN | VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1);
	start("linux-6.19", NR_LR);
	raise(40, 0x80);
	enter();
	assert_false(v0->hcr & (VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1));
}

/* A host with errata of a GICv3 has no bearing on a GICv2. */
static void no_broadcast(void **state)
{
	raise(40, 0x80);
	assert_int_equal(world.requests[0], 1);
	assert_int_equal(world.requests[1], 0);
}

/* OV-72: told at every end of an LR, as before 6.19. */
static void notification_without_a_fold_between(void **state)
{
	raise(40, 0x80);
	enter();
	assert_int_equal(vgic_gicv_ack(&hw, false).intid, 40);
	assert_true(vgic_gicv_eoi(&hw, false, 40).did & VGIC_DID_DEACTIVATE);
	leave();
	assert_int_equal(world.notified, 1);
	assert_int_equal(world.last_notified, 40);
}

/* GICD_SGIR: list, all but self, self, reserved. */
static void sgir_targets(void **state)
{
	static const struct {
		uint32_t value;
		unsigned int expect; /* vCPUs */
	} cases[] = {
		{0u << 24 | 0x5 << 16 | 3, 0x5},  {1u << 24 | 0xff << 16 | 3, 0xd},
		{2u << 24 | 0xff << 16 | 3, 0x2}, {3u << 24 | 0xff << 16 | 3, 0x0},
		{0u << 24 | 0xf0 << 16 | 3, 0x0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start("newest", NR_LR);
		vgic_write_gicd_sgir(vgic, 1, cases[i].value);
		for (unsigned int v = 0; v < 4; v++) {
			struct vgic_irq *sgi = vgic_irq_find(vgic, v, 3);
			bool hit = cases[i].expect & (1u << v);

			assert_int_equal(sgi->pending_latch, hit);
			assert_int_equal(sgi->source, hit ? 1u << 1 : 0);
		}
	}
}

/* One source an entry; each EOI names its own (HW-27, OV-26, OV-46). */
static void sources_one_by_one(void **state)
{
	struct vgic_access a;

	vgic_write_gicd_sgir(vgic, 2, 1u << 16 | 5);
	vgic_write_gicd_sgir(vgic, 1, 1u << 16 | 5);
	assert_int_equal(irq(5)->source, 0x6);
	enter();
	assert_int_equal(v0->used_lrs, 1);
	assert_true(v0->lr[0] & VGIC_LR_EOI);
	assert_int_equal(irq(5)->source, 0x4);
	assert_true(irq(5)->pending_latch);
	a = vgic_gicv_ack(&hw, false);
	assert_int_equal(a.intid, 1u << 10 | 5);
	/* Another source's EOI finds no LR. */
	assert_true(vgic_gicv_eoi(&hw, false, 2u << 10 | 5).did & VGIC_DID_COUNT);
	hw.hcr &= ~VGIC_HCR_EOICOUNT;
	hw.ap0r[0] = 1;
	hw.lr[0] &= ~VGIC_LR_PRIORITY;
	assert_true(vgic_gicv_eoi(&hw, false, a.intid).did & VGIC_DID_DEACTIVATE);
	assert_int_equal(vgic_v3_cpuif_misr(&hw), VGIC_MISR_EOI);
	leave();
	assert_false(irq(5)->active);
	enter();
	assert_int_equal((v0->lr[0] & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT, 2);
	assert_false(v0->lr[0] & VGIC_LR_EOI);
	leave();
	assert_int_equal(irq(5)->source, 0x4);
}

/* OV-23: what is active keeps its own source; the pending ones wait. */
static void active_with_sources_left(void **state)
{
	vgic_write_gicd_sgir(vgic, 2, 1u << 16 | 5);
	vgic_write_gicd_sgir(vgic, 1, 1u << 16 | 5);
	enter();
	vgic_gicv_ack(&hw, false);
	leave();
	assert_true(irq(5)->active);
	assert_int_equal(irq(5)->active_source, 1);
	enter();
	assert_int_equal(v0->lr[0] & VGIC_LR_STATE, VGIC_LR_ACTIVE);
	assert_true(v0->lr[0] & VGIC_LR_EOI);
	assert_int_equal((v0->lr[0] & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT, 1);
}

/* GICV_IAR, GICV_AIAR, AckCtl. */
static void groups_and_ackctl(void **state)
{
	irq(40)->group1 = true;
	hw.vmcr |= VGIC_VMCR_VENG1;
	raise(40, 0x80);
	enter();
	assert_int_equal(vgic_gicv_ack(&hw, false).intid, VGIC_GICV_GROUP1);
	assert_int_equal(vgic_gicv_ack(&hw, true).intid, 40);
	assert_int_equal(vgic_gicv_ack(&hw, false).intid, VGIC_SPURIOUS);
	assert_true(vgic_gicv_eoi(&hw, true, 40).did & VGIC_DID_DEACTIVATE);

	hw.lr[0] |= VGIC_LR_PENDING;
	vgic_gicv_write_ctlr(&hw, VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1 | VGIC_VMCR_VACKCTL);
	assert_int_equal(hw.vmcr & VGIC_VMCR_VPMR, PMR_OPEN);
	assert_int_equal(vgic_gicv_ack(&hw, false).intid, 40);
	assert_true(vgic_gicv_eoi(&hw, false, 40).did & VGIC_DID_DEACTIVATE);
	/* Masked: no 1022 either. */
	hw.lr[0] |= VGIC_LR_PENDING;
	vgic_gicv_write_ctlr(&hw, VGIC_VMCR_VENG1);
	vgic_v3_cpuif_write_pmr(&hw, 0x80);
	assert_int_equal(vgic_gicv_ack(&hw, false).intid, VGIC_SPURIOUS);
}

/* On a GICv3 host the trap bits are of system registers, which this guest has not. */
static void traps_are_not_for_memory(void **state)
{
	const uint32_t traps = VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1 | VGIC_HCR_TDIR;

	raise(40, 0x80);
	enter();
	hw.hcr |= traps;
	hw.vmcr |= VGIC_VMCR_VEOIM;
	assert_int_equal(vgic_gicv_ack(&hw, false).intid, 40);
	assert_true(vgic_gicv_eoi(&hw, false, 40).did & VGIC_DID_DROP);
	assert_true(vgic_gicv_dir(&hw, 40).did & VGIC_DID_DEACTIVATE);
	assert_int_equal(hw.hcr & traps, traps);
}

/* Group 0 is an IRQ unless FIQEn says otherwise. */
static void lines(void **state)
{
	raise(40, 0x80);
	enter();
	assert_true(vgic_gicv_line(&hw, false));
	assert_false(vgic_gicv_line(&hw, true));
	vgic_gicv_write_ctlr(&hw, VGIC_VMCR_VENG0 | VGIC_VMCR_VFIQEN);
	assert_false(vgic_gicv_line(&hw, false));
	assert_true(vgic_gicv_line(&hw, true));
	vgic_gicv_ack(&hw, false);
	assert_false(vgic_gicv_line(&hw, true));
}

/* OV-72, dir_primitive_v2: what GICV_DIR's trap does, by policy. */
static void deactivate_by_policy(void **state)
{
	static const struct {
		const char *policy;
		bool still_active;
	} cases[] = {{"linux-6.12", true}, {"linux-6.19", false}, {"newest", false}};

	for (size_t i = 0; i < 3; i++) {
		start(cases[i].policy, NR_LR);
		v0->vmcr |= VGIC_VMCR_VEOIM;
		irq(40)->active = true;
		vgic_queue(vgic, irq(40));
		vgic_deactivate(vgic, 0, 40);
		assert_int_equal(irq(40)->active, cases[i].still_active);
	}
}

/* OV-65 (3), dir_checks_source */
static void deactivate_needs_the_source(void **state)
{
	static struct vgic_policy_spec spec;

	for (int check = 1; check >= 0; check--) {
		start("newest", NR_LR);
		spec.policy = *vgic_policy_find("newest");
		assert_int_equal(vgic_policy_override(&spec, check ? "" : "dir_checks_source=0"),
				 0);
		vgic->cfg.policy = &spec.policy;
		v0->vmcr |= VGIC_VMCR_VEOIM;
		irq(5)->active = true;
		irq(5)->active_source = 2;
		vgic_queue(vgic, irq(5));
		vgic_deactivate(vgic, 0, 1u << 10 | 5);
		assert_int_equal(irq(5)->active, check);
		vgic_deactivate(vgic, 0, 2u << 10 | 5);
		assert_false(irq(5)->active);
	}
}

/* Two active in the LRs, one in the tail, which is mapped to hardware; the guest EOIs it. */
static void tail_with_hw(const char *policy)
{
	start(policy, 2);
	vgic_map_hw(vgic, 0, 42, 77);
	for (uint32_t i = 40; i <= 42; i++) {
		irq(i)->active = true;
		irq(i)->priority = (i - 39) * 0x10;
		vgic_queue(vgic, irq(i));
	}
	enter();
	assert_int_equal(v0->used_lrs, 2);
	hw.ap0r[0] = 0x7 << 2;
	assert_true(vgic_gicv_eoi(&hw, false, 42).did & VGIC_DID_COUNT);
	leave();
}

/* replay_on_v2 and replay_hw_v2 */
static void replay(void **state)
{
	static struct vgic_policy_spec spec;

	tail_with_hw("linux-6.12");
	assert_true(irq(42)->active);
	tail_with_hw("newest");
	assert_false(irq(42)->active);
	assert_int_equal(world.dirs, 1);
	assert_int_equal(world.last_dir, 77);

	spec.policy = *vgic_policy_find("newest");
	assert_int_equal(vgic_policy_override(&spec, "replay_on_v2=0"), 0);
	tail_with_hw("newest");
	irq(42)->active = true;
	vgic->cfg.policy = &spec.policy;
	vgic_queue(vgic, irq(42));
	enter();
	hw.ap0r[0] = 0x7 << 2;
	vgic_gicv_eoi(&hw, false, 42);
	leave();
	assert_true(irq(42)->active);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(limits),
		TEST(sixty_four_lrs),
		TEST(priority_has_five_bits),
		TEST(hcr_without_traps),
		TEST(old_shadow_holds_trap_bits),
		TEST(no_broadcast),
		TEST(notification_without_a_fold_between),
		TEST(sgir_targets),
		TEST(sources_one_by_one),
		TEST(active_with_sources_left),
		TEST(groups_and_ackctl),
		TEST(traps_are_not_for_memory),
		TEST(lines),
		TEST(deactivate_by_policy),
		TEST(deactivate_needs_the_source),
		TEST(replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
