// SPDX-License-Identifier: GPL-2.0-only
/* LPIs: raised, moved, dropped while a vCPU runs; and the overflow list of the first posting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <vgicsim/vgic.h>

static struct vgic *vgic;
static struct vgic_vcpu *v0, *v1;
static struct vgic_v3_cpuif_config cfg;
static struct vgic_v3_cpuif hw;
static struct vgic_policy_spec spec;
static unsigned int halts, wild;
static uint32_t freed;

static void halt(void *opaque, bool on)
{
	halts += on;
}

static void event(void *opaque, enum vgic_event what, unsigned int vcpu, const struct vgic_irq *irq,
		  uint32_t arg)
{
	if (what != VGIC_EVENT_WILD)
		return;
	wild++;
	freed = arg;
}

static void start(const char *policy, const char *overrides)
{
	struct vgic_config vc = {
		.nr_vcpus = 3,
		.nr_spis = 64,
		.nr_lr = 2,
		.has_tdir = true,
		.env = {.halt = halt, .event = event},
	};

	spec.policy = *vgic_policy_find(policy);
	assert_int_equal(vgic_policy_override(&spec, overrides), 0);
	vc.policy = &spec.policy;
	vgic_destroy(vgic);
	vgic = NULL;
	assert_int_equal(vgic_create(&vgic, &vc), 0);
	vgic->dist_enabled = true;
	v0 = &vgic->vcpus[0];
	v1 = &vgic->vcpus[1];
	v0->vmcr = v1->vmcr = VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
	for (uint32_t i = 32; i < 96; i++)
		vgic_write_enable(vgic, 0, i, true);
	for (uint32_t i = 8192; i < 8200; i++) {
		assert_int_equal(vgic_lpi_add(vgic, i), 0);
		vgic_irq_find(vgic, 0, i)->enabled = true;
		vgic_irq_find(vgic, 0, i)->target = 0;
		vgic_irq_find(vgic, 0, i)->priority = 0xa0;
	}
	cfg = vgic_v3_cpuif_defaults(2);
	vgic_v3_cpuif_init(&hw, &cfg);
	vgic_load(vgic, 0, &hw);
	halts = wild = 0;
	freed = 99;
}

static int setup(void **state)
{
	start("newest", "");
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

static void raised_by_an_event(void **state)
{
	assert_false(vgic_msi(vgic, 40));
	assert_false(vgic_msi(vgic, 9000));
	irq(8193)->target = VGIC_NO_VCPU;
	assert_false(vgic_msi(vgic, 8193));
	vgic_lpi_remove(vgic, 8194);
	assert_false(vgic_msi(vgic, 8194));
	assert_true(vgic_msi(vgic, 8192));
	assert_int_equal(v0->list.count, 1);
	vgic_lpi_enable(vgic, 0, 0, false);
	assert_int_equal(v0->list.count, 0);
	assert_false(irq(8192)->pending_latch);
	assert_false(vgic_msi(vgic, 8192));
	vgic_lpi_enable(vgic, 0, 0, true);
	assert_true(vgic_msi(vgic, 8192));
	/* Once is enough. */
	vgic_lpi_enable(vgic, 0, 0, true);
	assert_int_equal(v0->list.count, 1);
	vgic_lpi_enable(vgic, 0, 7, false);
	vgic_lpi_remove(vgic, 9000);
}

/* OV-42 against HI-8, L6: what an exit between acknowledge and EOI does. */
static void active_over_an_exit(void **state)
{
	static const struct {
		const char *policy;
		bool active;
	} cases[] = {{"linux-6.12", true}, {"linux-6.19", false}, {"newest", false}};

	for (size_t i = 0; i < 3; i++) {
		start(cases[i].policy, "");
		vgic_msi(vgic, 8192);
		enter();
		assert_int_equal(vgic_v3_cpuif_ack(&hw, 1).intid, 8192);
		leave();
		assert_int_equal(irq(8192)->active, cases[i].active);
	}
}

static void moves(void **state)
{
	vgic_msi(vgic, 8192);
	vgic_lpi_move(vgic, 8192, 1);
	/* Nobody is kicked; the owner's prune moves it. */
	assert_int_equal(irq(8192)->vcpu, 0);
	vgic_prune(vgic, 0);
	assert_int_equal(irq(8192)->vcpu, 1);
	vgic_lpi_move(vgic, 8192, 99);
	assert_int_equal(irq(8192)->target, 1);
	vgic_lpi_move(vgic, 33, 2);
	assert_int_equal(irq(33)->target, 0);
}

/* movall_filter */
static void movall(void **state)
{
	for (int filter = 0; filter <= 1; filter++) {
		start("newest", filter ? "" : "movall_filter=0");
		irq(8195)->target = 2;
		vgic_lpi_movall(vgic, 0, 1);
		assert_int_equal(irq(8192)->target, 1);
		assert_int_equal(irq(8195)->target, filter ? 2 : 1);
		vgic_lpi_movall(vgic, 9, 1);
		vgic_lpi_movall(vgic, 1, 9);
		assert_int_equal(irq(8192)->target, 1);
		assert_int_equal(halts, 0);
	}
	start("newest", "lpi_disable_halts=1");
	vgic_lpi_movall(vgic, 0, 1);
	assert_int_equal(halts, 1);
}

/* Two active in the tail, the last LR holds an LPI that is dropped under way (OV-78, SC-26). */
static void drop_last_lr(const char *policy, const char *overrides, bool discard)
{
	start(policy, overrides);
	vgic_inject(vgic, 0, 40, true);
	vgic_msi(vgic, 8192);
	irq(40)->priority = 0x10;
	for (uint32_t i = 50; i < 52; i++) {
		irq(i)->active = true;
		vgic_queue(vgic, irq(i));
	}
	enter();
	assert_int_equal(hw.lr[1] & VGIC_LR_VINTID, 8192);
	hw.ap1r[0] = 1;
	assert_true(vgic_v3_cpuif_eoi(&hw, 1, 50).did & VGIC_DID_COUNT);
	if (discard)
		vgic_lpi_remove(vgic, 8192);
	vgic_lpi_enable(vgic, 1, 0, false);
	leave();
}

static void last_lr_is_dropped(void **state)
{
	drop_last_lr("linux-7.0", "", true);
	assert_int_equal(wild, 1);
	assert_int_equal(freed, 1);
	/* As long as an event is mapped to it, the ITS keeps it. */
	drop_last_lr("linux-7.0", "", false);
	assert_int_equal(wild, 1);
	assert_int_equal(freed, 0);
	assert_int_equal(v0->counts.wild_walks, 1);
	assert_true(irq(50)->active);
	drop_last_lr("newest", "", true);
	assert_int_equal(wild, 1);
	assert_int_equal(freed, 0);
	assert_int_equal(halts, 0);
	drop_last_lr("newest", "lpi_disable_halts=1", true);
	assert_int_equal(halts, 1);
}

/* n pending in the LRs, rest active outside; order after the prune (history 2.1, 1). */
static void overflow_list(void **state)
{
	static const uint32_t posted[] = {40, 41, 60, 50, 51}, merged[] = {40, 41, 50, 51, 60};

	for (int i = 0; i < 2; i++) {
		const uint32_t *expect = i ? merged : posted;
		unsigned int n = 0;

		start(i ? "linux-6.19" : "posted-v1", "");
		for (uint32_t k = 50; k < 52; k++) {
			irq(k)->active = true;
			vgic_queue(vgic, irq(k));
		}
		vgic_inject(vgic, 0, 40, true);
		vgic_inject(vgic, 0, 41, true);
		enter();
		assert_int_equal(v0->used_lrs, 2);
		assert_int_equal(!!v0->overflow, !i);
		vgic_inject(vgic, 0, 60, true);
		leave();
		assert_null(v0->overflow);
		for (struct vgic_irq *q = v0->list.head; q; q = q->next)
			assert_int_equal(q->intid, expect[n++]);
		assert_int_equal(n, 5);
	}
}

/* The count ends the walk, or it runs into the ap_list (history 2.1, 4). */
static void overflow_list_bug(void **state)
{
	for (int bug = 0; bug <= 1; bug++) {
		start("posted-v1", bug ? "" : "v1_list_bug=0");
		irq(50)->active = true;
		vgic_queue(vgic, irq(50));
		vgic_inject(vgic, 0, 40, true);
		vgic_inject(vgic, 0, 41, true);
		enter();
		assert_int_equal(vgic_v3_cpuif_ack(&hw, 1).intid, 40);
		v0->hcr |= VGIC_HCR_LRENPIE;
		hw.hcr |= 2u << VGIC_HCR_EOICOUNT_SHIFT;
		leave();
		assert_false(irq(50)->active);
		assert_int_equal(irq(40)->active, !bug);
		assert_int_equal(v0->counts.replay_lost, !bug);
	}
}

/* The list stays whole when its overflow part loses its first or its only interrupt. */
/* What has been set aside is not seen by what walks the ap_list meanwhile (history 2.1, 2). */
static void overflow_list_is_not_seen(void **state)
{
	start("posted-v1", "");
	irq(40)->priority = 0;
	for (uint32_t i = 8192; i < 8195; i++)
		vgic_msi(vgic, i);
	enter();
	assert_int_equal(v0->overflow->intid, 8194);
	assert_false(irq(8192)->pending_latch);
	assert_false(vgic_vcpu_pending_irq(vgic, 0));
	vgic_lpi_enable(vgic, 1, 0, false);
	assert_int_equal(v0->overflow->intid, 8194);
	assert_int_equal(v0->list.count, 1);
	vgic_inject(vgic, 0, 40, true);
	assert_int_equal(v0->list.head->intid, 40);
	assert_true(vgic_vcpu_pending_irq(vgic, 0));
	leave();
	/* It stays pending, though its redistributor has no LPIs any more. */
	assert_int_equal(v0->list.tail->intid, 8194);
	assert_true(irq(8194)->pending_latch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(raised_by_an_event),
		TEST(active_over_an_exit),
		TEST(moves),
		TEST(movall),
		TEST(last_lr_is_dropped),
		TEST(overflow_list),
		TEST(overflow_list_bug),
		TEST(overflow_list_is_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
