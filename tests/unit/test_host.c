/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual host by itself: what each call of it does, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/host.h>

#define VMCR0 (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)

static struct vgic_host_config cfg;
static struct vgic_host *h;
static struct vgic_access a;
static unsigned int told[VGIC_HOST_ACCESS + 1];

static void event(void *opaque, const struct vgic_host_event *e)
{
	assert_ptr_equal(opaque, told);
	told[e->what]++;
}

static void configure(const char *policy)
{
	memset(told, 0, sizeof(told));
	cfg = (struct vgic_host_config){
		.vgic = {.policy = vgic_policy_find(policy),
			 .nr_vcpus = 2,
			 .nr_spis = 64,
			 .nr_lr = 4,
			 .has_tdir = true},
		.hw = vgic_v3_cpuif_defaults(4),
		.vmcr = VMCR0,
		.opaque = told,
		.event = event,
	};
	cfg.hw.has_tds = true;
}

static void start(void)
{
	assert_int_equal(vgic_host_create(&h, &cfg), 0);
	for (uint32_t i = 32; i < 96; i++) {
		vgic_write_config(h->vgic, i, false);
		vgic_write_enable(h->vgic, 0, i, true);
		vgic_write_priority(h->vgic, 0, i, 0x80);
	}
}

static void begin(const char *policy)
{
	configure(policy);
	start();
}

static void end(void)
{
	vgic_host_destroy(h);
	h = NULL;
}

static uint64_t count(unsigned int counter)
{
	return vgic_host_count(h, VGIC_NO_VCPU, counter);
}

static unsigned int look(uint32_t intid)
{
	return vgic_host_irq_look(h, vgic_host_irq(h, 0, intid));
}

static uint32_t ack(unsigned int vcpu)
{
	assert_int_equal(vgic_host_ack(h, vcpu, -1, &a), 0);
	return a.intid;
}

static void eoi(unsigned int vcpu, uint32_t intid)
{
	assert_int_equal(vgic_host_eoi(h, vcpu, -1, intid, &a), 0);
}

static void what_cannot_be_made(void **state)
{
	struct vgic_host *none;

	configure("newest");
	cfg.vgic.nr_vcpus = 0;
	assert_int_equal(vgic_host_create(&none, &cfg), -EINVAL);
	cfg.vgic.nr_vcpus = VGIC_HOST_MAX_VCPUS + 1;
	assert_int_equal(vgic_host_create(&none, &cfg), -EINVAL);
	cfg.vgic.nr_vcpus = 1;
	cfg.nr_cpus = VGIC_HOST_MAX_VCPUS + 1;
	assert_int_equal(vgic_host_create(&none, &cfg), -EINVAL);
	cfg.nr_cpus = 0;
	cfg.vgic.nr_lr = 5;
	assert_int_equal(vgic_host_create(&none, &cfg), -EINVAL);
	cfg.vgic.nr_lr = 4;
	cfg.vgic.policy = NULL;
	assert_int_equal(vgic_host_create(&none, &cfg), -EINVAL);
	vgic_host_destroy(NULL);
}

static void counters_have_names(void **state)
{
	for (unsigned int i = 0; i < VGIC_NR_COUNTERS; i++) {
		assert_non_null(vgic_host_counter_name(i));
		assert_int_equal(vgic_host_counter_find(vgic_host_counter_name(i)), i);
	}
	assert_null(vgic_host_counter_name(VGIC_NR_COUNTERS));
	assert_int_equal(vgic_host_counter_find("exits-none"), -1);
}

static void one_interrupt(void **state)
{
	begin("newest");
	assert_int_equal(vgic_host_raise(h, 0, 40), 0);
	assert_int_equal(look(40), VGIC_LOOK_PENDING);
	assert_int_equal(vgic_host_enter(h, 0), 0);
	assert_int_equal(look(40), VGIC_LOOK_PENDING | VGIC_LOOK_LR);
	assert_int_equal(vgic_host_signal(h, 0), 1);
	assert_int_equal(vgic_host_signal(h, 1), -1);
	assert_int_equal(ack(0), 40);
	assert_int_equal(look(40), VGIC_LOOK_ACTIVE | VGIC_LOOK_LR);
	assert_int_equal(ack(0), VGIC_SPURIOUS);
	eoi(0, 40);
	assert_int_equal(look(40), 0);
	vgic_host_exit(h, 0, VGIC_HOST_EXIT_ELSE);
	assert_int_equal(count(VGIC_COUNT_ACKS), 1);
	assert_int_equal(count(VGIC_COUNT_ENTRIES), 1);
	assert_int_equal(count(VGIC_COUNT_EXITS), 1);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_ELSE), 1);
	assert_int_equal(count(VGIC_COUNT_FLUSHES), 1);
	assert_int_equal(count(VGIC_COUNT_SYNCS), 1);
	assert_int_equal(count(VGIC_COUNT_POPULATED), 1);
	assert_int_equal(count(VGIC_COUNT_PRUNED), 1);
	assert_int_equal(count(VGIC_COUNT_STEPS), 3);
	for (unsigned int i = VGIC_COUNT_OUTSIDE; i <= VGIC_COUNT_DIR_PRIMITIVE; i++)
		assert_int_equal(count(i), 0);
	assert_int_equal(count(VGIC_COUNT_MIGRATED), 0);
	assert_int_equal(vgic_host_count(h, 1, VGIC_COUNT_ENTRIES), 0);
	assert_int_equal(told[VGIC_HOST_ENTERS], 1);
	assert_int_equal(told[VGIC_HOST_ACCESS], 3);
	/* What is not there. */
	assert_int_equal(vgic_host_raise(h, 0, 200), -EINVAL);
	assert_int_equal(vgic_host_lower(h, 0, 8192), -EINVAL);
	assert_null(vgic_host_irq(h, 0, 200));
	end();
}

/* A PPI with EOImode 1: the drop leaves it active, DIR ends it without a trap. */
static void split_eoi(void **state)
{
	configure("newest");
	cfg.vmcr |= VGIC_VMCR_VEOIM;
	start();
	vgic_host_sgi(h, 1, 3, 1);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_SGI), 1);
	assert_int_equal(ack(0), 3);
	eoi(0, 3);
	assert_true(look(3) & VGIC_LOOK_ACTIVE);
	assert_int_equal(vgic_host_dir(h, 0, 3, &a), 0);
	assert_int_equal(look(3), 0);
	assert_int_equal(h->vcpus[0].nr_acked, 0);
	assert_int_equal(count(VGIC_COUNT_DIR_TRAPS), 0);
	/* An SPI in flight: DIR traps (OV-33). */
	vgic_host_raise(h, 0, 40);
	assert_int_equal(ack(0), 40);
	eoi(0, 40);
	vgic_host_exit(h, 0, VGIC_HOST_EXIT_ELSE);
	assert_int_equal(count(VGIC_COUNT_ACTIVE_SPIS), 1);
	assert_int_equal(vgic_host_dir(h, 0, 40, &a), 0);
	assert_int_equal(count(VGIC_COUNT_DIR_TRAPS), 1);
	assert_int_equal(look(40), 0);
	assert_false(vgic_host_stuck(h, vgic_host_irq(h, 0, 40)));
	assert_false(vgic_host_early(h, vgic_host_irq(h, 0, 40)));
	/* DIR with EOImode 0 does nothing. */
	assert_int_equal(vgic_host_write_ctlr(h, 0, false, false), 0);
	vgic_host_raise(h, 0, 41);
	assert_int_equal(ack(0), 41);
	assert_int_equal(vgic_host_dir(h, 0, 41, &a), 0);
	assert_true(look(41) & VGIC_LOOK_ACTIVE);
	end();
}

/* The registers of the CPU interface; with traps set the hypervisor does the same. */
static void registers(void **state)
{
	for (int trapped = 0; trapped < 2; trapped++) {
		const struct vgic_v3_cpuif *hw;
		uint64_t traps;

		configure("newest");
		if (trapped)
			cfg.vgic.static_traps = VGIC_HCR_TC | VGIC_HCR_TALL0 | VGIC_HCR_TALL1;
		start();
		assert_int_equal(vgic_host_enter(h, 0), 0);
		hw = vgic_host_hw(h, 0);
		assert_int_equal(vgic_host_write_pmr(h, 0, 0x40), 0);
		assert_int_equal((hw->vmcr & VGIC_VMCR_VPMR) >> VGIC_VMCR_VPMR_SHIFT, 0x40);
		vgic_host_raise(h, 0, 40);
		assert_int_equal(ack(0), VGIC_SPURIOUS);
		/* Nothing but the mask keeps it away: not starved. */
		assert_false(vgic_host_starved(h, vgic_host_irq(h, 0, 40)));
		assert_int_equal(vgic_host_write_pmr(h, 0, 0xf8), 0);
		assert_int_equal(vgic_host_write_igrpen(h, 0, 1, false), 0);
		assert_false(hw->vmcr & VGIC_VMCR_VENG1);
		assert_int_equal(vgic_host_signal(h, 0), -1);
		assert_int_equal(vgic_host_write_igrpen(h, 0, 1, true), 0);
		assert_int_equal(vgic_host_write_igrpen(h, 0, 0, true), 0);
		assert_true(hw->vmcr & VGIC_VMCR_VENG0);
		assert_int_equal(vgic_host_write_ctlr(h, 0, true, true), 0);
		assert_int_equal(hw->vmcr & (VGIC_VMCR_VEOIM | VGIC_VMCR_VCBPR),
				 VGIC_VMCR_VEOIM | VGIC_VMCR_VCBPR);
		assert_int_equal(vgic_host_write_ctlr(h, 0, false, false), 0);
		assert_int_equal(hw->vmcr & (VGIC_VMCR_VEOIM | VGIC_VMCR_VCBPR), 0);
		uint32_t before = hw->vmcr;

		assert_int_equal(vgic_host_write_bpr(h, 0, 1, 5), 0);
		assert_int_not_equal(hw->vmcr, before);
		assert_int_equal(ack(0), 40);
		eoi(0, 40);
		assert_int_equal(look(40), 0);
		traps = count(VGIC_COUNT_EL2_TRAPS);
		if (trapped)
			assert_true(traps >= 9);
		else
			assert_int_equal(traps, 0);
		/* A priority that the guest makes active holds off all that is not more urgent. */
		vgic_host_raise(h, 0, 41);
		assert_int_equal(vgic_host_write_apr(h, 0, 1, 0x40), 0);
		assert_int_equal(vgic_host_signal(h, 0), -1);
		end();
	}
}

static void waiting_for_an_interrupt(void **state)
{
	begin("newest");
	assert_int_equal(vgic_host_wfi(h, 0), 0);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_ASLEEP);
	assert_int_equal(vgic_host_enter(h, 0), -EAGAIN);
	assert_int_equal(vgic_host_step(h, 0, 3), -EAGAIN);
	assert_int_equal(vgic_host_call_off(h, 0), -EAGAIN);
	/* A kick without a reason wakes nobody. */
	vgic_host_kick(h, 0);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_ASLEEP);
	vgic_host_raise(h, 0, 40);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_GUEST);
	assert_int_equal(count(VGIC_COUNT_WAKEUPS), 1);
	/* Signalled already: no exit. */
	assert_int_equal(vgic_host_wfi(h, 0), 1);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_WFI), 1);
	/* KVM does not look at group enables: it comes back, and nothing is signalled. */
	assert_int_equal(vgic_host_write_igrpen(h, 0, 1, false), 0);
	assert_int_equal(vgic_host_wfi(h, 0), 1);
	assert_int_equal(count(VGIC_COUNT_WFI_SPINS), 1);
	end();
}

static void a_halted_vm(void **state)
{
	begin("newest");
	assert_int_equal(vgic_host_enter(h, 0), 0);
	vgic_host_halt(h, true);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_OUT);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_HALT), 1);
	assert_int_equal(vgic_host_enter(h, 1), -EBUSY);
	assert_int_equal(vgic_host_call_off(h, 1), -EBUSY);
	assert_int_equal(vgic_host_ack(h, 0, -1, &a), -EBUSY);
	assert_int_equal(vgic_host_eoi(h, 0, -1, 40, &a), -EBUSY);
	assert_int_equal(vgic_host_dir(h, 0, 40, &a), -EBUSY);
	assert_int_equal(vgic_host_write_pmr(h, 0, 0), -EBUSY);
	assert_int_equal(vgic_host_write_bpr(h, 0, 1, 2), -EBUSY);
	assert_int_equal(vgic_host_write_igrpen(h, 0, 1, true), -EBUSY);
	assert_int_equal(vgic_host_write_ctlr(h, 0, true, true), -EBUSY);
	assert_int_equal(vgic_host_write_apr(h, 0, 1, 0), -EBUSY);
	assert_int_equal(vgic_host_wfi(h, 0), -EBUSY);
	assert_int_equal(vgic_host_sgi(h, 0, 1, 2), -EBUSY);
	/* It was on its way to the register. */
	assert_int_equal(vgic_host_mmio_begin(h, 0), 0);
	vgic_host_mmio_end(h, 0);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_OUT);
	vgic_host_halt(h, false);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_GUEST);
	assert_int_equal(vgic_host_mmio_begin(h, 0), 0);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_OUT);
	vgic_host_mmio_end(h, 0);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_GUEST);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_MMIO), 1);
	end();
}

/* Two vCPUs on one CPU take turns; the interface of the other is in memory. */
static void vcpus_share_a_cpu(void **state)
{
	configure("newest");
	cfg.nr_cpus = 2;
	start();
	assert_int_equal(vgic_host_move(h, 1, 5), -EINVAL);
	assert_int_equal(vgic_host_move(h, 1, 0), 0);
	vgic_host_raise(h, 0, 40);
	assert_int_equal(ack(0), 40);
	assert_int_equal(vgic_host_enter(h, 1), 0);
	assert_int_not_equal(h->vcpus[0].state, VGIC_HOST_GUEST);
	assert_int_equal(h->cpus[0].loaded, 1);
	/* Its active priority comes along to another CPU. */
	vgic_host_exit(h, 1, VGIC_HOST_EXIT_ELSE);
	assert_int_equal(vgic_host_enter(h, 0), 0);
	assert_int_equal(vgic_host_move(h, 0, 1), 0);
	assert_int_equal(h->vcpus[0].state, VGIC_HOST_GUEST);
	assert_int_equal(h->cpus[1].loaded, 0);
	eoi(0, 40);
	assert_int_equal(look(40), 0);
	end();
}

static void late_kicks_and_mis(void **state)
{
	configure("newest");
	cfg.kick_latency = 2;
	cfg.mi_latency = 1;
	cfg.mi_latency_last = 3;
	cfg.seed = 5;
	start();
	assert_int_equal(vgic_host_enter(h, 0), 0);
	vgic_host_raise(h, 0, 40);
	/* The IPI is on its way for two steps. */
	assert_int_equal(look(40), VGIC_LOOK_PENDING);
	assert_false(vgic_host_starved(h, vgic_host_irq(h, 0, 40)));
	assert_int_equal(vgic_host_step(h, 0, 1), 0);
	assert_int_equal(count(VGIC_COUNT_EXITS), 0);
	assert_int_equal(vgic_host_step(h, 0, 1), 0);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_KICK), 1);
	assert_int_equal(ack(0), 40);
	eoi(0, 40);
	/* Six on four LRs: it is the MI that brings the last ones, within three steps. */
	vgic_host_exit(h, 0, VGIC_HOST_EXIT_ELSE);
	for (uint32_t i = 40; i < 46; i++)
		vgic_host_raise(h, 0, i);
	for (unsigned int i = 0; i < 6; i++) {
		uint32_t intid;

		for (unsigned int n = 0; n < 6 && (intid = ack(0)) == VGIC_SPURIOUS; n++)
			assert_int_equal(vgic_host_step(h, 0, 1), 0);
		assert_in_range(intid, 40, 45);
		eoi(0, intid);
	}
	assert_true(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_MI) > 0);
	assert_int_equal(count(VGIC_COUNT_ACKS), 7);
	end();
}

/* An entry that is called off: with and without a flush before it. */
static void called_off(void **state)
{
	static const char *const policies[] = {"linux-7.2", "newest"};

	for (int i = 0; i < 2; i++) {
		begin(policies[i]);
		bool after = h->vgic->cfg.policy->flush_after_check;

		vgic_host_raise(h, 0, 40);
		assert_int_equal(vgic_host_call_off(h, 0), 0);
		assert_int_equal(count(VGIC_COUNT_CALLED_OFF), 1);
		assert_int_equal(count(VGIC_COUNT_FLUSHES), after ? 0 : 1);
		assert_int_equal(count(VGIC_COUNT_ENTRIES), 0);
		assert_int_equal(told[VGIC_HOST_CALLED_OFF], 1);
		/* From within the guest it leaves first. */
		assert_int_equal(ack(0), 40);
		assert_int_equal(vgic_host_call_off(h, 0), 0);
		assert_int_equal(count(VGIC_COUNT_EXITS), 1);
		eoi(0, 40);
		assert_int_equal(look(40), 0);
		end();
	}
}

/* A timer behind PPI 27: the physical one stays active until the guest is done. */
static void mapped_to_hardware(void **state)
{
	struct vgic_host_irq *timer;

	begin("newest");
	vgic_write_enable(h->vgic, 0, 27, true);
	assert_int_equal(vgic_host_map(h, 0, 3, 3, true), -EINVAL);
	assert_int_equal(vgic_host_map(h, 0, 900, 3, true), -EINVAL);
	assert_int_equal(vgic_host_map(h, 0, 27, 27, true), 0);
	timer = vgic_host_irq(h, 0, 27);
	assert_int_equal(vgic_host_enter(h, 0), 0);
	vgic_host_raise(h, 0, 27);
	assert_true(timer->phys.active);
	assert_false(vgic_physical_wants(timer));
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_IRQ), 1);
	assert_int_equal(ack(0), 27);
	vgic_host_lower(h, 0, 27);
	eoi(0, 27);
	assert_false(timer->phys.active);
	assert_int_equal(count(VGIC_COUNT_HOST_IRQS), 1);
	assert_int_equal(look(27), 0);
	/* Still high after the EOI: the host takes it again at once. */
	vgic_host_raise(h, 0, 27);
	assert_int_equal(ack(0), 27);
	eoi(0, 27);
	assert_true(timer->phys.active);
	assert_int_equal(count(VGIC_COUNT_HOST_IRQS), 3);
	assert_int_equal(ack(0), 27);
	end();
}

/* AmpereOne: a deactivation of what is not active swallows what would be taken next. */
static void the_erratum_swallows_an_interrupt(void **state)
{
	for (int bad = 0; bad < 2; bad++) {
		struct vgic_host_irq *i;

		configure("newest");
		cfg.deact_inactive_hppi_loses_irq = bad;
		start();
		assert_int_equal(vgic_host_map(h, 0, 50, 77, false), 0);
		i = vgic_host_irq(h, 0, 50);
		/* The edge is in the physical GIC when a deactivation of nothing comes. */
		i->phys.pending = true;
		i->phys.active = false;
		h->vgic->cfg.env.physical_dir(h->vgic->cfg.env.opaque, 0, 77);
		assert_int_equal(vgic_host_lost(h, i), bad);
		vgic_host_settle(h);
		assert_int_equal(ack(0), bad ? VGIC_SPURIOUS : 50);
		/* The next edge brings it back. */
		if (bad) {
			vgic_host_raise(h, 0, 50);
			assert_false(vgic_host_lost(h, i));
			assert_int_equal(ack(0), 50);
		}
		end();
	}
}

static void lpis(void **state)
{
	struct vgic_irq *irq;

	begin("newest");
	assert_int_equal(vgic_host_add_lpi(h, 40), -EINVAL);
	assert_int_equal(vgic_host_add_lpi(h, 8192), 0);
	assert_int_equal(vgic_host_add_lpi(h, 8192), -EEXIST);
	irq = vgic_host_irq(h, 0, 8192)->irq;
	irq->target = VGIC_NO_VCPU;
	assert_false(vgic_host_msi(h, 8192));
	assert_false(vgic_host_msi(h, 9000));
	irq->target = 1;
	irq->enabled = true;
	assert_true(vgic_host_msi(h, 8192));
	assert_int_equal(ack(1), 8192);
	eoi(1, 8192);
	assert_int_equal(look(8192), 0);
	assert_false(vgic_host_lost(h, vgic_host_irq(h, 0, 8192)));
	end();
}

/* A guest with a GICv2: SGIs have sources, each to be ended by itself. */
static void sgis_of_a_gicv2(void **state)
{
	uint32_t first, second;

	configure("newest");
	cfg.vgic.model_v2 = true;
	cfg.vmcr = VMCR0 | VGIC_VMCR_VENG0;
	start();
	assert_int_equal(vgic_host_sgi(h, 0, 5, 2), 0);
	assert_int_equal(vgic_host_sgi(h, 1, 5, 2), 0);
	assert_int_equal(vgic_host_sgi(h, 0, 20, 2), 0); /* no SGI */
	assert_int_equal(vgic_host_irq(h, 1, 5)->irq->source |
				 vgic_host_irq(h, 1, 5)->guest_sources,
			 vgic_host_irq(h, 1, 5)->irq->source);
	first = ack(1);
	assert_int_equal(first & 0x3ff, 5);
	eoi(1, first);
	second = ack(1);
	assert_int_equal(second & 0x3ff, 5);
	assert_int_not_equal(first, second);
	eoi(1, second);
	assert_int_equal(count(VGIC_COUNT_ACKS), 2);
	assert_int_equal(count(VGIC_COUNT_REDELIVERED), 0);
	assert_false(vgic_host_irq(h, 1, 5)->guest_active);
	assert_int_equal(count(VGIC_COUNT_EXIT_FIRST + VGIC_HOST_EXIT_SGI), 0);
	/* The registers of GICV. */
	assert_int_equal(vgic_host_write_igrpen(h, 1, 1, false), 0);
	assert_false(vgic_host_hw(h, 1)->vmcr & VGIC_VMCR_VENG1);
	assert_int_equal(vgic_host_write_ctlr(h, 1, true, true), 0);
	assert_true(vgic_host_hw(h, 1)->vmcr & VGIC_VMCR_VEOIM);
	assert_int_equal(vgic_host_write_pmr(h, 1, 0x80), 0);
	assert_int_equal(vgic_host_write_bpr(h, 1, 0, 3), 0);
	assert_int_equal(count(VGIC_COUNT_EL2_TRAPS), 0);
	/* EOImode 1: the drop leaves it active until DIR. */
	assert_int_equal(vgic_host_write_pmr(h, 1, 0xf8), 0);
	assert_int_equal(vgic_host_write_igrpen(h, 1, 1, true), 0);
	assert_int_equal(vgic_host_sgi(h, 0, 6, 2), 0);
	first = ack(1);
	assert_int_equal(first & 0x3ff, 6);
	eoi(1, first);
	assert_true(vgic_host_irq(h, 1, 6)->guest_active);
	assert_int_equal(vgic_host_dir(h, 1, first, &a), 0);
	assert_false(vgic_host_irq(h, 1, 6)->guest_active);
	assert_int_equal(vgic_host_irq_look(h, vgic_host_irq(h, 1, 6)), 0);
	end();
}

/* What is counted of HCR and VMCR, and how long an interrupt waits. */
static void entries_are_measured(void **state)
{
	static const struct {
		const char *policy;
		uint64_t written, left, stale;
	} cases[] = {{"linux-6.12", 1, 1, 1}, {"newest", 3, 0, 0}};

	for (size_t i = 0; i < 2; i++) {
		begin(cases[i].policy);
		assert_int_equal(vgic_host_enter(h, 0), 0);
		assert_int_equal(vgic_host_write_pmr(h, 0, 0xf0), 0);
		vgic_host_exit(h, 0, VGIC_HOST_EXIT_ELSE);
		assert_int_equal(vgic_host_raise(h, 0, 40), 0);
		assert_int_equal(vgic_host_enter(h, 0), 0);
		assert_int_equal(vgic_host_step(h, 0, 7), 0);
		assert_int_equal(count(VGIC_COUNT_LONGEST_WAIT), 0);
		assert_int_equal(ack(0), 40);
		assert_int_equal(count(VGIC_COUNT_LONGEST_WAIT), 7);
		assert_int_equal(vgic_host_count(h, 1, VGIC_COUNT_LONGEST_WAIT), 0);
		eoi(0, 40);
		/* 6.12 writes HCR for its LR alone, and leaves what it had. */
		h->vgic->vcpus[0].hcr |= VGIC_HCR_TC;
		vgic_host_exit(h, 0, VGIC_HOST_EXIT_ELSE);
		assert_int_equal(count(VGIC_COUNT_HCR_LEFT), cases[i].left);
		assert_int_equal(count(VGIC_COUNT_STALE_VMCR), cases[i].stale);
		vgic_host_put(h, 0);
		assert_int_equal(vgic_host_enter(h, 0), 0);
		assert_int_equal(count(VGIC_COUNT_STALE_VMCR), cases[i].stale);
		assert_int_equal(count(VGIC_COUNT_HCR_WRITES), cases[i].written);
		/* It comes anew: the time before does not count. */
		assert_int_equal(vgic_host_raise(h, 0, 41), 0);
		assert_int_equal(ack(0), 41);
		assert_int_equal(count(VGIC_COUNT_LONGEST_WAIT), 7);
		end();
	}
}

static void events_of_an_lpi(void **state)
{
	begin("linux-7.2");
	assert_int_equal(vgic_host_map_event(h, 8192), -EINVAL);
	assert_int_equal(vgic_host_unmap_event(h, 40), -EINVAL);
	assert_int_equal(vgic_host_add_lpi(h, 31), -EINVAL);
	assert_int_equal(vgic_host_add_lpi(h, 8191), -EINVAL);
	assert_int_equal(vgic_host_add_lpi(h, 8192), 0);
	assert_int_equal(vgic_host_add_lpi(h, 8192), -EEXIST);
	assert_int_equal(vgic_host_map_event(h, 8192), 0);
	assert_int_equal(vgic_host_unmap_event(h, 8192), 0);
	assert_true(vgic_host_msi(h, 8192));
	assert_int_equal(vgic_host_unmap_event(h, 8192), 0);
	assert_false(vgic_host_msi(h, 8192));
	assert_int_equal(vgic_host_unmap_event(h, 8192), -ENOENT);
	end();
	begin("newest");
	assert_int_equal(vgic_host_add_lpi(h, 8192), 0);
	assert_int_equal(vgic_host_map_event(h, 8192), -EEXIST);
	assert_int_equal(vgic_host_unmap_event(h, 8192), 0);
	assert_int_equal(vgic_host_map_event(h, 8192), 0);
	end();
}

/* The guest of the guest ends an interrupt; on an AmpereOne KVM must leave hardware alone. */
static void the_guests_own_guest(void **state)
{
	for (unsigned int fixed = 0; fixed < 2; fixed++) {
		configure(fixed ? "linux-7.2" : "linux-7.0");
		cfg.vmcr |= VGIC_VMCR_VEOIM;
		cfg.deact_inactive_hppi_loses_irq = true;
		start();
		assert_int_equal(vgic_host_nested_end(h, 0, 999), -EINVAL);
		h->vgic->spis[10].level = true;
		assert_int_equal(vgic_host_map(h, 0, 42, 77, false), 0);
		assert_int_equal(vgic_host_raise(h, 0, 42), 0);
		assert_int_equal(ack(0), 42);
		eoi(0, 42);
		assert_true(look(42) & VGIC_LOOK_ACTIVE);
		/* The device has not been quenched: the host would take it at once. */
		assert_int_equal(vgic_host_nested_end(h, 0, 42), 0);
		assert_false(look(42) & VGIC_LOOK_ACTIVE);
		assert_int_equal(vgic_host_irq(h, 0, 42)->phys.lost, !fixed);
		assert_int_equal(count(VGIC_COUNT_HOST_IRQS), 1 + fixed);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_made),
		cmocka_unit_test(counters_have_names),
		cmocka_unit_test(one_interrupt),
		cmocka_unit_test(split_eoi),
		cmocka_unit_test(registers),
		cmocka_unit_test(waiting_for_an_interrupt),
		cmocka_unit_test(a_halted_vm),
		cmocka_unit_test(vcpus_share_a_cpu),
		cmocka_unit_test(late_kicks_and_mis),
		cmocka_unit_test(called_off),
		cmocka_unit_test(mapped_to_hardware),
		cmocka_unit_test(the_erratum_swallows_an_interrupt),
		cmocka_unit_test(lpis),
		cmocka_unit_test(sgis_of_a_gicv2),
		cmocka_unit_test(entries_are_measured),
		cmocka_unit_test(events_of_an_lpi),
		cmocka_unit_test(the_guests_own_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
