// SPDX-License-Identifier: GPL-2.0-only
/* The table of policies, and where two generations must differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <vgicsim/vgic.h>

static struct vgic *vgic;
static struct vgic_v3_cpuif_config hw_cfg;
static struct vgic_v3_cpuif hw;

static void start(const char *policy, unsigned int nr_lr)
{
	struct vgic_config cfg = {
		.policy = vgic_policy_find(policy),
		.nr_vcpus = 2,
		.nr_spis = 64,
		.nr_lr = nr_lr,
		.has_tdir = true,
	};

	assert_int_equal(vgic_create(&vgic, &cfg), 0);
	vgic->dist_enabled = true;
	for (uint32_t i = 32; i < 96; i++)
		vgic_write_enable(vgic, 0, i, true);
	hw_cfg = vgic_v3_cpuif_defaults(nr_lr);
	vgic_v3_cpuif_init(&hw, &hw_cfg);
	vgic->vcpus[0].vmcr = VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
	vgic->vcpus[1].vmcr = vgic->vcpus[0].vmcr;
	vgic_load(vgic, 0, &hw);
}

static void stop(void)
{
	vgic_destroy(vgic);
	vgic = NULL;
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

/* Acks until nothing is signalled, with an exit between; returns how many of n came. */
static unsigned int ack_all(unsigned int n, bool drop, uint32_t *order)
{
	unsigned int got = 0;

	for (unsigned int tries = 0; tries < 4 * n; tries++) {
		struct vgic_access a;

		enter();
		while ((a = vgic_v3_cpuif_ack(&hw, 1)).intid != VGIC_SPURIOUS) {
			order[got++] = a.intid;
			if (drop)
				vgic_v3_cpuif_eoi(&hw, 1, a.intid);
		}
		leave();
	}
	return got;
}

static void names_and_releases(void **state)
{
	const struct vgic_policy *old = vgic_policy_find("linux-6.12");
	const struct vgic_policy *new = vgic_policy_find("linux-7.3");

	assert_non_null(old);
	assert_non_null(new);
	assert_ptr_equal(vgic_policy_find("newest"), new);
	assert_null(vgic_policy_find("linux-9.9"));
	assert_null(vgic_policy_find(""));
	assert_ptr_equal(vgic_policy_for_release("6.12.95+deb12-cloud-arm64"), old);
	assert_ptr_equal(vgic_policy_for_release("6.1.0-30-arm64"), old);
	assert_ptr_equal(vgic_policy_for_release("7.3.4+deb13-cloud-arm64"), new);
	assert_ptr_equal(vgic_policy_for_release("7.2.13"), vgic_policy_find("linux-7.2"));
	assert_ptr_equal(vgic_policy_for_release("6.19.14"), vgic_policy_find("linux-7.0"));
	assert_ptr_equal(vgic_policy_for_release("7.0-rc3"), vgic_policy_find("linux-7.0"));
	assert_ptr_equal(vgic_policy_for_release("7.2.6+deb13-cloud-arm64"),
			 vgic_policy_find("linux-7.0"));
	/* The boundary changed within 7.2, and within 6.19. */
	assert_ptr_equal(vgic_policy_for_release("7.2.11+deb13-cloud-arm64"),
			 vgic_policy_find("linux-7.2"));
	assert_ptr_equal(vgic_policy_for_release("6.19.3"), vgic_policy_find("linux-6.19"));
	assert_null(vgic_policy_for_release("7.2.999"));
	assert_null(vgic_policy_for_release("8.0"));
	assert_null(vgic_policy_for_release("7"));
	assert_null(vgic_policy_for_release("x.y"));
	assert_null(vgic_policy_for_release(""));
	for (size_t i = 0; vgic_policy_at(i); i++)
		assert_ptr_equal(vgic_policy_find(vgic_policy_at(i)->name), vgic_policy_at(i));
}

/* L1: EOImode 1, more acknowledged than LRs. */
static void starvation_by_active_interrupts(void **state)
{
	static const struct {
		const char *policy;
		unsigned int got;
	} cases[] = {{"linux-6.12", 4}, {"linux-7.3", 8}};
	uint32_t order[64];

	for (int i = 0; i < 2; i++) {
		start(cases[i].policy, 4);
		hw.vmcr |= VGIC_VMCR_VEOIM;
		for (uint32_t n = 32; n < 40; n++)
			vgic_inject(vgic, 0, n, true);
		assert_int_equal(ack_all(8, true, order), cases[i].got);
		/* It keeps spinning: WFI would return at once. */
		assert_int_equal(vgic_vcpu_pending_irq(vgic, 0), cases[i].got < 8);
		stop();
	}
}

/* L2: EOImode 0, nested handlers of rising priority. */
static void nested_preemption(void **state)
{
	static const struct {
		const char *policy;
		uint32_t got;
	} cases[] = {{"linux-6.12", 4}, {"linux-7.3", 8}};

	for (int i = 0; i < 2; i++) {
		uint32_t got = 0;

		start(cases[i].policy, 4);
		for (uint32_t n = 0; n < 8; n++) {
			vgic_write_priority(vgic, 0, 32 + n, 0x80 - n * 8);
			vgic_inject(vgic, 0, 32 + n, true);
			enter();
			got += vgic_v3_cpuif_ack(&hw, 1).intid == 32 + n;
			leave();
		}
		assert_int_equal(got, cases[i].got);
		stop();
	}
}

/* L4: a disabled group's pending interrupts of high priority fill the LRs. */
static void disabled_group_blocks(void **state)
{
	static const struct {
		const char *policy;
		uint32_t intid;
	} cases[] = {{"linux-6.12", VGIC_SPURIOUS}, {"linux-7.3", 40}};

	for (int i = 0; i < 2; i++) {
		start(cases[i].policy, 4);
		for (uint32_t n = 32; n < 36; n++) {
			vgic_write_priority(vgic, 0, n, 0x10);
			vgic_write_group(vgic, 0, n, 0);
			vgic_inject(vgic, 0, n, true);
		}
		vgic_write_priority(vgic, 0, 40, 0x90);
		vgic_inject(vgic, 0, 40, true);
		enter();
		assert_int_equal(vgic_v3_cpuif_ack(&hw, 1).intid, cases[i].intid);
		stop();
	}
}

/* L3, SC-3: more active than LRs, finished in order of priority by EOImode 0. */
static void restored_active_interrupts_end(void **state)
{
	static const struct {
		const char *policy;
		unsigned int stuck;
	} cases[] = {{"linux-6.12", 4}, {"linux-7.3", 0}};

	for (int i = 0; i < 2; i++) {
		unsigned int stuck = 0;

		start(cases[i].policy, 4);
		for (uint32_t n = 0; n < 8; n++) {
			vgic_write_priority(vgic, 0, 32 + n, (8 - n) * 8);
			vgic_write_active(vgic, 0, 0, 32 + n, true);
			hw.ap1r[0] |= 1u << (8 - n);
		}
		for (uint32_t n = 8; n-- > 0;) {
			enter();
			vgic_v3_cpuif_eoi(&hw, 1, 32 + n);
			leave();
		}
		for (uint32_t n = 0; n < 8; n++)
			stuck += vgic_irq_find(vgic, 0, 32 + n)->active;
		assert_int_equal(stuck, cases[i].stuck);
		assert_int_equal(vgic->vcpus[0].list.count, cases[i].stuck);
		assert_int_equal(hw.ap1r[0], 0);
		stop();
	}
}

/* SC-5 with the owner out of the guest: DIR on the other vCPU. */
static void asymmetric_dir(void **state)
{
	static const struct {
		const char *policy;
		bool active;
	} cases[] = {{"linux-6.12", true}, {"linux-7.3", false}};

	for (int i = 0; i < 2; i++) {
		start(cases[i].policy, 4);
		hw.vmcr |= VGIC_VMCR_VEOIM;
		vgic->vcpus[1].vmcr |= VGIC_VMCR_VEOIM;
		vgic_inject(vgic, 0, 40, true);
		enter();
		assert_int_equal(vgic_v3_cpuif_ack(&hw, 1).intid, 40);
		vgic_v3_cpuif_eoi(&hw, 1, 40);
		leave();
		vgic_flush(vgic, 1);
		assert_int_equal(!!(vgic->vcpus[1].hcr & VGIC_HCR_TDIR), !cases[i].active);
		vgic_deactivate(vgic, 1, 40);
		assert_int_equal(vgic_irq_find(vgic, 0, 40)->active, cases[i].active);
		stop();
	}
}

/* HI-1, HI-6: what an empty list costs, and what HCR holds. */
static void empty_list(void **state)
{
	start("linux-6.12", 4);
	hw.hcr = 0x55;
	enter();
	leave();
	assert_int_equal(vgic->vcpus[0].counts.flushes, 0);
	assert_int_equal(hw.hcr, 0x55);
	stop();

	start("linux-7.3", 4);
	enter();
	assert_int_equal(hw.hcr, VGIC_HCR_EN | VGIC_HCR_VSGIEOICOUNT | VGIC_HCR_VGRP0EIE |
					 VGIC_HCR_VGRP1DIE);
	leave();
	assert_int_equal(hw.hcr, 0);
	assert_int_equal(vgic->vcpus[0].counts.flushes, 1);
	stop();
}

/* HI-7 against OV-39: when the shadow VMCR follows the guest. */
static void vmcr_comes_back(void **state)
{
	start("linux-6.12", 4);
	vgic_inject(vgic, 0, 40, true);
	enter();
	vgic_v3_cpuif_write_igrpen(&hw, 1, false);
	leave();
	assert_true(vgic->vcpus[0].vmcr & VGIC_VMCR_VENG1);
	vgic_put(vgic, 0, &hw);
	assert_false(vgic->vcpus[0].vmcr & VGIC_VMCR_VENG1);
	stop();

	start("linux-7.3", 4);
	enter();
	vgic_v3_cpuif_write_igrpen(&hw, 1, false);
	leave();
	assert_false(vgic->vcpus[0].vmcr & VGIC_VMCR_VENG1);
	stop();
}

/* HI-4: UIE iff something follows the last LR. */
static void underflow_of_6_12(void **state)
{
	start("linux-6.12", 2);
	vgic_inject(vgic, 0, 40, true);
	vgic_inject(vgic, 0, 41, true);
	enter();
	assert_int_equal(vgic->vcpus[0].hcr, VGIC_HCR_EN);
	leave();
	vgic_inject(vgic, 0, 42, true);
	enter();
	assert_int_equal(vgic->vcpus[0].hcr, VGIC_HCR_EN | VGIC_HCR_UIE);
	leave();
	/* The hardware keeps what the shadow had, without En; only the shadow's UIE is cleared. */
	assert_int_equal(hw.hcr, VGIC_HCR_UIE);
	assert_int_equal(vgic->vcpus[0].hcr, VGIC_HCR_EN);
	stop();
}

/* OV-21 and its past: what bounds the replay when the list fits. */
static void boundary_of_a_list_that_fits(void **state)
{
	static const struct {
		const char *policy;
		bool set;
	} cases[] = {{"linux-6.12", false}, {"linux-7.0", true}, {"linux-7.3", false}};

	for (int i = 0; i < 3; i++) {
		start(cases[i].policy, 4);
		vgic_inject(vgic, 0, 40, true);
		vgic_inject(vgic, 0, 41, true);
		vgic_flush(vgic, 0);
		assert_int_equal(!!vgic->vcpus[0].boundary, cases[i].set);
		if (cases[i].set)
			assert_int_equal(vgic->vcpus[0].boundary->intid, 41);
		stop();
	}
}

/* L6: an LPI that is active at the exit. */
static void active_lpi(void **state)
{
	static const struct {
		const char *policy;
		bool active;
	} cases[] = {{"linux-6.12", true}, {"linux-7.3", false}};

	for (int i = 0; i < 2; i++) {
		struct vgic_irq *lpi;

		start(cases[i].policy, 4);
		assert_int_equal(vgic_lpi_add(vgic, 8200), 0);
		vgic_write_target(vgic, 8200, 0);
		vgic_write_enable(vgic, 0, 8200, true);
		lpi = vgic_irq_find(vgic, 0, 8200);
		vgic_inject(vgic, 0, 8200, true);
		enter();
		assert_int_equal(vgic_v3_cpuif_ack(&hw, 1).intid, 8200);
		leave();
		assert_int_equal(lpi->active, cases[i].active);
		stop();
	}
}

/* ---- the rules of a list, said one by one ---- */

static const struct vgic_policy *said;

static bool said_needs_sort(const struct vgic_summary *s, unsigned int nr_lr)
{
	if (said->sort_by_summary)
		return s->nr_pend + s->nr_act > nr_lr;
	return s->depth > nr_lr || s->multi_sgi;
}

static int wins(bool a, bool b)
{
	return (int)b - (int)a;
}

/* OV-17, HI-3 */
static int said_compare(const struct vgic_vcpu *vcpu, const struct vgic_irq *a,
			const struct vgic_irq *b)
{
	uint32_t bits[] = {VGIC_VMCR_VENG0, VGIC_VMCR_VENG1};
	bool wanted_a = a->enabled && vgic_irq_pending(a);
	bool wanted_b = b->enabled && vgic_irq_pending(b);
	int diff = 0;

	if (said->sort_deliverable_first) {
		diff = wins(vgic_irq_oracle(vcpu->vgic, a) == vcpu->index,
			    vgic_irq_oracle(vcpu->vgic, b) == vcpu->index);
		if (!diff)
			diff = wins(vcpu->vmcr & bits[a->group1], vcpu->vmcr & bits[b->group1]);
	}
	if (!diff && said->sort_pending_first) {
		diff = wins(wanted_a && !a->active, wanted_b && !b->active);
		if (!diff)
			diff = a->priority - b->priority;
		return diff ? diff : wins(a->hw, b->hw);
	}
	if (!diff)
		diff = wins(a->active, b->active);
	if (diff || a->active)
		return diff;
	diff = wins(wanted_a, wanted_b);
	return diff || !wanted_a ? diff : a->priority - b->priority;
}

static uint32_t number;

static uint32_t next(uint32_t n)
{
	number = number * 1664525u + 1013904223u;
	return (number >> 8) % n;
}

/* n interrupts on vCPU 0's list, in any state. */
static void any_list(struct vgr_irq *irqs, unsigned int n, bool sources)
{
	for (unsigned int i = 0; i < n; i++) {
		uint32_t intid = n > 64 ? VGIC_LPI_BASE + i : i < 8 ? i : 24 + i;

		irqs[i] = (struct vgr_irq){
			.intid = intid,
			.state = (uint16_t)(next(2048) & ~VGR_IRQ_ON_LR),
			.priority = (uint8_t)(next(5) << 3),
			.source = sources && intid < VGIC_NR_SGIS ? (uint8_t)next(16) : 0,
			.hwintid = (uint16_t)intid,
			.target = next(5) ? 0 : 1,
		};
		if (next(3))
			irqs[i].state |= VGR_IRQ_ENABLED;
	}
}

static struct vgic *made(const struct vgic_policy *policy, unsigned int nr_lr, bool v2)
{
	const struct vgic_config cfg = {
		.policy = policy,
		.nr_vcpus = 2,
		.nr_spis = 64,
		.nr_lr = nr_lr,
		.model_v2 = v2,
	};
	struct vgic *v;

	assert_int_equal(vgic_create(&v, &cfg), 0);
	return v;
}

static void same_lists(const struct vgic_vcpu *a, const struct vgic_vcpu *b)
{
	const struct vgic_irq *p = a->list.head, *q = b->list.head;
	struct vgr_irq x, y;

	assert_int_equal(a->list.count, b->list.count);
	for (; p && q; p = p->next, q = q->next) {
		vgic_irq_export(p, &x);
		vgic_irq_export(q, &y);
		assert_memory_equal(&x, &y, sizeof(x));
	}
	assert_true(!p && !q);
}

/*
 * Flushes take the short ways where a policy says its rules by switches, and ask functions where
 * it has them. Both do the same, whatever the list.
 */
static void functions_do_what_the_switches_do(void **state)
{
	static struct vgr_irq irqs[1100];

	for (unsigned int round = 0; round < 3000; round++) {
		const struct vgic_policy *policy = vgic_policy_at(round % 6);
		unsigned int n = round % 500 == 7 ? 60 + next(1040) : next(24);
		unsigned int nr_lr = 1 + next(next(2) ? 4 : 16);
		struct vgic_policy by_functions = *policy;
		bool v2 = !next(3);
		struct vgic *a, *b;

		by_functions.needs_sort = said_needs_sort;
		by_functions.compare = said_compare;
		said = policy;
		a = made(policy, nr_lr, v2);
		b = made(&by_functions, nr_lr, v2);
		any_list(irqs, n, v2);
		a->dist_enabled = b->dist_enabled = next(8);
		a->vcpus[0].vmcr = b->vcpus[0].vmcr = next(4);
		assert_int_equal(vgic_list_import(a, 0, irqs, n), 0);
		assert_int_equal(vgic_list_import(b, 0, irqs, n), 0);
		vgic_flush(a, 0);
		vgic_flush(b, 0);
		same_lists(&a->vcpus[0], &b->vcpus[0]);
		assert_memory_equal(a->vcpus[0].lr, b->vcpus[0].lr, sizeof(a->vcpus[0].lr));
		assert_int_equal(a->vcpus[0].used_lrs, b->vcpus[0].used_lrs);
		assert_int_equal(a->vcpus[0].hcr, b->vcpus[0].hcr);
		assert_int_equal(a->vcpus[0].sorted, b->vcpus[0].sorted);
		assert_memory_equal(&a->vcpus[0].counts, &b->vcpus[0].counts,
				    sizeof(a->vcpus[0].counts));
		vgic_destroy(a);
		vgic_destroy(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_releases),
		cmocka_unit_test(starvation_by_active_interrupts),
		cmocka_unit_test(nested_preemption),
		cmocka_unit_test(disabled_group_blocks),
		cmocka_unit_test(restored_active_interrupts_end),
		cmocka_unit_test(asymmetric_dir),
		cmocka_unit_test(empty_list),
		cmocka_unit_test(vmcr_comes_back),
		cmocka_unit_test(underflow_of_6_12),
		cmocka_unit_test(boundary_of_a_list_that_fits),
		cmocka_unit_test(active_lpi),
		cmocka_unit_test(functions_do_what_the_switches_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
