/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads written by hand, so that the numbers of their replay can be worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/replay.h>
#include <vgicsim/vgic.h>

#define VMCR0 (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)
#define VMCR1 (VMCR0 | VGIC_VMCR_VEOIM)
#define LPI   VGIC_LPI_BASE
#define LEVEL VGR_IRQ_LEVEL

/* Costs, ns. */
#define ENTRY	 100
#define EXIT	 150
#define MI_OUT	 700
#define DIR_OUT	 900
#define KICK	 50
#define MI_DELAY 30
/* Every program begins by enabling group 1, which is an MI: all that follows is so much later. */
#define LATE	 MI_OUT
/* Nothing runs before the first entry is over. */
#define START	 ENTRY

static struct vgic_workload *wl;
static struct vgic_replay_config cfg;
static struct vgic_cell cell;
static uint32_t last_op[64];	 /* by script */
static uint32_t last_effect[64]; /* by operation */

static uint32_t add_op(uint32_t script, enum vgic_op_kind kind, uint64_t at)
{
	uint32_t op = vgic_workload_op(wl, kind);

	assert_true(op < 64);
	wl->ops[op].at = at;
	if (wl->scripts[script].first == VGIC_WL_NONE)
		wl->scripts[script].first = op;
	else
		wl->ops[last_op[script]].next = op;
	last_op[script] = op;
	wl->scripts[script].own_ns = at;
	return op;
}

static uint32_t add_exit(uint32_t script, enum vgic_exit_kind kind, uint64_t at, uint64_t out)
{
	uint32_t op = add_op(script, VGIC_OP_EXIT, at);

	wl->ops[op].exit = (uint8_t)kind;
	wl->ops[op].out_ns = out;
	wl->ops[op].entry_ns = ENTRY;
	return op;
}

static struct vgic_effect *add_effect(uint32_t op, enum vgic_effect_kind kind, uint32_t source,
				      uint64_t delay)
{
	uint32_t e = vgic_workload_effect(wl, kind);

	wl->effects[e].source = source;
	wl->effects[e].delay_ns = delay;
	wl->effects[e].level = 1;
	if (wl->ops[op].effects == VGIC_WL_NONE)
		wl->ops[op].effects = e;
	else
		wl->effects[last_effect[op]].next = e;
	last_effect[op] = e;
	return &wl->effects[e];
}

static struct vgr_irq irq_of(uint32_t intid, unsigned int state)
{
	return (struct vgr_irq){
		.intid = intid,
		.state = (uint16_t)(state | VGR_IRQ_GROUP1),
		.priority = 0x80,
		.vcpu = VGR_NO_VCPU,
	};
}

static uint32_t add_source(uint32_t intid, uint16_t vcpu, unsigned int state)
{
	struct vgr_irq irq = irq_of(intid, state);

	irq.target = intid < 32 ? vcpu : 0;
	return vgic_workload_source(wl, vcpu, &irq);
}

/* One more acknowledgement of the source; the caller ends the handler. */
static uint32_t add_script(uint32_t source)
{
	uint32_t s = vgic_workload_script(wl, source, 0), *link;

	assert_true(s < 64);
	link = &wl->sources[source].first_script;
	while (*link != VGIC_WL_NONE)
		link = &wl->scripts[*link].next;
	*link = s;
	wl->sources[source].acks++;
	return s;
}

static void end_script(uint32_t script, uint64_t at)
{
	uint32_t op = add_op(script, VGIC_OP_EOI, at);

	wl->ops[op].flags = VGIC_OP_LAST;
	wl->scripts[script].whole = true;
}

static void add_handler(uint32_t source, uint64_t ns)
{
	end_script(add_script(source), ns);
}

/* vCPUs with one host CPU each, whose programs begin by enabling group 1. */
static void begin(unsigned int nr_vcpus)
{
	wl = vgic_workload_create(nr_vcpus);
	assert_non_null(wl);
	wl->host_cpus = nr_vcpus + 1;
	wl->nr_lr = 4;
	wl->profile = (struct vgic_profile){
		.entry_ns = ENTRY,
		.exit_ns = EXIT,
		.mi_out_ns = MI_OUT,
		.dir_out_ns = DIR_OUT,
		.kick_ns = KICK,
		.mi_delay_ns = MI_DELAY,
	};
	for (uint16_t i = 0; i < nr_vcpus; i++) {
		uint32_t op;

		wl->vcpus[i].background = vgic_workload_script(wl, VGIC_WL_NONE, i);
		op = add_op(i, VGIC_OP_VMCR, 0);
		wl->ops[op].value = VMCR0;
	}
	cfg = (struct vgic_replay_config){
		.policy = vgic_policy_find("linux-7.3"),
		.nr_lr = 4,
		.has_tdir = true,
		.seed = 1,
		.timeline = true,
		.timeline_t1 = UINT64_MAX,
	};
}

static void run(void)
{
	assert_int_equal(vgic_workload_typical(wl), 0);
	assert_int_equal(vgic_replay(wl, &cfg, &cell), 0);
}

static void again(void)
{
	vgic_cell_finish(&cell);
	run();
}

static void end(void)
{
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);
}

/* When the guest acknowledged the INTID for the n-th time (from 0). */
static uint64_t taken(uint32_t intid, unsigned int n)
{
	for (size_t i = 0; i < cell.timeline.nr_segments; i++) {
		const struct vgic_segment *s = &cell.timeline.segments[i];

		if (s->intid == intid && s->state == 2 && !n--)
			return s->t0;
	}
	fail_msg("INTID %u was not taken so often", intid);
	return 0;
}

/* But for the one that each vCPU gets when it enables group 1. */
static uint64_t mis(void)
{
	return cell.mi - cell.mi_source[6];
}

static uint64_t max_of(enum vgic_latency l)
{
	return cell.latency[l].hist.max;
}

/* ---- arrivals ---- */

static void arrivals_have_names(void **state)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(vgic_arrivals_parse(vgic_arrivals_name((enum vgic_arrivals)i)), i);
	assert_int_equal(vgic_arrivals_parse("late"), -1);
}

static void arrivals_are_placed_as_asked(void **state)
{
	struct vgic_effect *e;
	uint32_t s, op, exits;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 2000, 1000);
	wl->ops[op].flags = VGIC_OP_ARRIVAL;
	e = add_effect(op, VGIC_EFFECT_LINE, s, 400);
	e->origin = VGIC_ORIGIN_OUTSIDE;
	e->wall_ns = 30000;
	e = add_effect(op, VGIC_EFFECT_LINE, s, 20000);
	e->origin = VGIC_ORIGIN_OUTSIDE;
	e->wall_ns = 70000;
	e->handled = 1;
	e->gap_ns = 9000;
	add_handler(s, 3000);
	add_handler(s, 3000);
	add_exit(0, VGIC_EXIT_OTHER, 200000, 1000);

	/* Causal: at their distance from the exit after 2 us of guest time. */
	run();
	assert_int_equal(cell.interrupts, 2);
	exits = (uint32_t)cell.exits;
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 2);
	assert_int_equal(taken(40, 0), START + LATE + 2000 + 1000);
	assert_int_equal(taken(40, 1), START + LATE + 2000 + 20000 + KICK + MI_OUT);

	/* Open: when they were recorded; the exit that only they explain goes with them. */
	cfg.arrivals = VGIC_ARRIVALS_OPEN;
	again();
	assert_int_equal(taken(40, 0), 30000 + KICK + MI_OUT);
	assert_int_equal(taken(40, 1), 70000 + KICK + MI_OUT);
	assert_int_equal(cell.exits, exits);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 2);

	/* Dependent: the second one 9 us after the end of the first handling. */
	cfg.arrivals = VGIC_ARRIVALS_DEPENDENT;
	again();
	assert_int_equal(taken(40, 0), 30000 + KICK + MI_OUT);
	assert_int_equal(taken(40, 1), taken(40, 0) + 3000 + 9000 + KICK + MI_OUT);
	end();
}

/* What belongs to no exit comes at its time, and what is not from outside stays where it is. */
static void effects_without_an_exit(void **state)
{
	struct vgic_effect *e;
	uint32_t s, t;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	t = add_source(41, 0, VGR_IRQ_ENABLED);
	wl->open = vgic_workload_effect(wl, VGIC_EFFECT_LINE);
	e = &wl->effects[wl->open];
	e->next = 1;
	e->source = s;
	e->level = 1;
	e->wall_ns = 5000;
	e->origin = VGIC_ORIGIN_OUTSIDE;
	vgic_workload_effect(wl, VGIC_EFFECT_LINE);
	wl->effects[1].source = t;
	wl->effects[1].level = 1;
	wl->effects[1].wall_ns = 20000;
	wl->effects[1].origin = VGIC_ORIGIN_TIMER;
	add_handler(s, 1000);
	add_handler(t, 1000);
	add_exit(0, VGIC_EXIT_OTHER, 100000, 1000);
	for (int i = 0; i < 3; i++) {
		cfg.arrivals = (enum vgic_arrivals)i;
		run();
		assert_int_equal(cell.interrupts, 2);
		assert_int_equal(taken(40, 0), 5000 + KICK + MI_OUT);
		assert_int_equal(taken(41, 0), 20000 + KICK + MI_OUT);
		vgic_cell_finish(&cell);
	}
	vgic_workload_destroy(wl);
}

/* ---- what register writes do ---- */

static void pending_taken_back_is_never_seen(void **state)
{
	uint32_t s, t, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	t = add_source(41, 0, VGR_IRQ_ENABLED | LEVEL);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	add_effect(op, VGIC_EFFECT_UNLATCH, s, 200);
	add_effect(op, VGIC_EFFECT_LINE, t, 300);
	add_effect(op, VGIC_EFFECT_LINE, t, 400)->level = 0;
	add_handler(s, 1000);
	add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 0);
	assert_int_equal(cell.lost, 0);
	assert_int_equal(cell.unhandled, 1);
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_LR].hist.n, 0);
	end();
}

/* Two are in the LRs, the third one waits at every entry; a guest that is masked takes none. */
static void who_waits_is_counted_at_each_entry(void **state)
{
	static const enum vgic_effect_kind writes[] = {VGIC_EFFECT_NONE, VGIC_EFFECT_UNLATCH};

	for (int i = 0; i < 2; i++) {
		uint32_t s[4], op;

		begin(1);
		cfg.nr_lr = 2;
		for (uint32_t k = 0; k < 4; k++)
			s[k] = add_source(40 + k, VGR_NO_VCPU, VGR_IRQ_ENABLED);
		add_op(0, VGIC_OP_MASK, 500);
		op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
		for (uint32_t k = 0; k < 3; k++)
			add_effect(op, VGIC_EFFECT_LATCH, s[k], 100 + k)->origin =
				VGIC_ORIGIN_OUTSIDE;
		for (unsigned int k = 1; k <= 5; k++) {
			op = add_exit(0, VGIC_EXIT_OTHER, 1000 + 1000 * k, 1000);
			/* In the midst of it, and of another one: it waits as it did. */
			if (k == 3)
				add_effect(op, writes[i], s[3], 100);
		}
		run();
		assert_int_equal(cell.interrupts, 0);
		for (uint32_t k = 0; k < 3; k++) {
			const struct vgic_fate *f =
				vgic_fate_find(cell.fates, cell.nr_fates, VGR_NO_VCPU, 40 + k);

			assert_non_null(f);
			assert_int_equal(f->outside_entries, k < 2 ? 0 : 6);
		}
		end();
	}
}

/* Two stay in the LRs of a masked guest, until one that is more urgent takes the place of one. */
static void who_is_pushed_out_waits(void **state)
{
	static const uint64_t outside[] = {0, 3, 0};
	uint32_t s[3], op;

	begin(1);
	cfg.nr_lr = 2;
	for (uint32_t k = 0; k < 3; k++)
		s[k] = add_source(40 + k, VGR_NO_VCPU, VGR_IRQ_ENABLED);
	wl->sources[s[2]].initial.priority = 0x10;
	add_op(0, VGIC_OP_MASK, 500);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	for (uint32_t k = 0; k < 2; k++)
		add_effect(op, VGIC_EFFECT_LATCH, s[k], 100 + k)->origin = VGIC_ORIGIN_OUTSIDE;
	for (unsigned int k = 1; k <= 6; k++) {
		op = add_exit(0, VGIC_EXIT_OTHER, 1000 + 1000 * k, 1000);
		if (k == 4)
			add_effect(op, VGIC_EFFECT_LATCH, s[2], 100)->origin = VGIC_ORIGIN_OUTSIDE;
	}
	run();
	for (uint32_t k = 0; k < 3; k++) {
		const struct vgic_fate *f =
			vgic_fate_find(cell.fates, cell.nr_fates, VGR_NO_VCPU, 40 + k);

		assert_non_null(f);
		assert_int_equal(f->outside_entries, outside[k]);
	}
	end();
}

/* What nobody can have: its LR shows an INTID that is no interrupt's, or another one's. */
static void an_lpi_of_a_gicv2_is_still_itself(void **state)
{
	static const uint32_t lpis[] = {LPI + 1020, LPI + 40};

	for (int i = 0; i < 2; i++) {
		uint32_t s, op;

		begin(1);
		wl->model_v2 = true;
		s = add_source(lpis[i], VGR_NO_VCPU, VGR_IRQ_ENABLED);
		op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
		add_effect(op, VGIC_EFFECT_LATCH, s, 100)->origin = VGIC_ORIGIN_OUTSIDE;
		add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
		run();
		assert_int_equal(cell.nr_fates, 1);
		assert_int_equal(cell.fates[0].intid, lpis[i]);
		assert_int_equal(cell.fates[0].raised, 1);
		end();
	}
}

static void a_level_that_falls_in_its_lr_is_spurious(void **state)
{
	uint32_t s, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED | LEVEL);
	add_op(0, VGIC_OP_MASK, 500);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100);
	add_effect(op, VGIC_EFFECT_LINE, s, 5000)->level = 0;
	add_op(0, VGIC_OP_UNMASK, 20000);
	add_handler(s, 1000);
	add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
	run();
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.spurious, 1);
	assert_int_equal(cell.lost, 0);
	end();
}

static void properties_take_effect(void **state)
{
	struct vgr_irq prop = irq_of(40, VGR_IRQ_ENABLED);
	uint32_t s, t, op;
	struct vgic_effect *e;

	begin(1);
	s = add_source(40, 0, 0);
	t = add_source(41, 0, VGR_IRQ_ENABLED);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	add_handler(s, 1000);
	add_handler(t, 1000);
	/* Both at once, and the one with the larger INTID is less urgent only from then on. */
	op = add_exit(0, VGIC_EXIT_MMIO, 30000, 1000);
	prop.priority = 0x40;
	/* A vCPU that this guest does not have: vCPU 0 takes it. */
	prop.target = 9;
	e = add_effect(op, VGIC_EFFECT_STATE, s, 100);
	e->prop = vgic_workload_prop(wl, &prop);
	add_effect(op, VGIC_EFFECT_LATCH, t, 50);
	add_exit(0, VGIC_EXIT_OTHER, 60000, 1000);
	run();
	assert_int_equal(cell.interrupts, 2);
	assert_int_equal(taken(40, 0), START + LATE + 30000 + 1000 + 1000);
	/* 41 waits for the handler of 40: its priority counted. */
	assert_int_equal(cell.latency[VGIC_LATENCY_ACK_TO_EOI].hist.n, 2);
	assert_int_equal(max_of(VGIC_LATENCY_ACK_TO_EOI), 1000);
	for (size_t i = 0; i < cell.timeline.nr_segments; i++)
		if (cell.timeline.segments[i].state == 2)
			assert_int_equal(cell.timeline.segments[i].intid,
					 cell.timeline.segments[i].t0 < LATE + 33000 ? 40 : 41);
	end();
}

/* GICD_ISACTIVER: nobody is in the guest meanwhile, and the interrupt does not come. */
static void active_by_register(void **state)
{
	struct vgic_effect *e;
	uint32_t s, op;

	begin(2);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	add_handler(s, 1000);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_ACTIVE, s, 100);
	add_effect(op, VGIC_EFFECT_LATCH, s, 200);
	op = add_exit(0, VGIC_EXIT_MMIO, 30000, 1000);
	e = add_effect(op, VGIC_EFFECT_ACTIVE, s, 100);
	e->level = 0;
	add_exit(0, VGIC_EXIT_OTHER, 60000, 1000);
	add_exit(1, VGIC_EXIT_OTHER, 60000, 1000);
	cfg.timeline_vcpu = 0;
	run();
	assert_int_equal(cell.interrupts, 1);
	/* Pending since 1.2 us, and shown after the second write. */
	assert_in_range(max_of(VGIC_LATENCY_RAISE_TO_ACK), 30000, 33000);
	/* vCPU 1 left twice for these writes and once by itself. */
	assert_int_equal(cell.exit[VGIC_EXIT_MMIO], 2);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 2);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 2);
	end();
}

static void sgi_to_others(void **state)
{
	struct vgic_effect *e;
	uint32_t op;

	begin(3);
	for (uint16_t i = 0; i < 3; i++) {
		add_handler(add_source(5, i, VGR_IRQ_ENABLED), 1000);
		add_exit(i, VGIC_EXIT_OTHER, i ? 90000 : 80000, 1000);
	}
	/* Before the last exit of vCPU 0: all but itself. */
	wl->ops[last_op[0]].exit = VGIC_EXIT_SGI;
	op = last_op[0];
	e = add_effect(op, VGIC_EFFECT_SGI, VGIC_WL_NONE, 100);
	e->value = 5ull << 24 | 1ull << 40;
	run();
	assert_int_equal(cell.interrupts, 2);
	assert_int_equal(cell.kicks, 2);
	assert_int_equal(cell.unhandled, 1);
	/* Only vCPU 2. */
	e->value = 5ull << 24 | 4;
	again();
	assert_int_equal(cell.interrupts, 1);
	/* Group 1 by the register for group 0: KVM drops it, and it is not lost. */
	e->level = 0;
	again();
	assert_int_equal(cell.interrupts, 0);
	assert_int_equal(cell.unhandled, 3);
	assert_int_equal(cell.lost, 0);
	end();
}

/* ---- sources ---- */

static void lpis_and_what_is_no_interrupt(void **state)
{
	struct vgic_effect *e;
	uint32_t s, t, op;

	begin(1);
	s = add_source(LPI + 3, 0, VGR_IRQ_ENABLED);
	wl->sources[s].initial.target = 7; /* no such vCPU: 0 */
	t = add_source(1022, 0, VGR_IRQ_ENABLED);
	add_handler(s, 1000);
	add_handler(t, 1000);
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	add_effect(op, VGIC_EFFECT_LATCH, t, 100);
	/* An MSI of which the recording never showed the LPI. */
	e = add_effect(op, VGIC_EFFECT_LATCH, VGIC_WL_NONE, 100);
	assert_non_null(e);
	add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(taken(LPI + 3, 0), START + LATE + 2000);
	assert_int_equal(cell.unhandled, 1);
	end();
}

/* Nothing in the recording says what its handler does: it takes a microsecond. */
static void an_interrupt_without_a_handler(void **state)
{
	uint32_t s, op;

	for (int mode = 0; mode < 2; mode++) {
		begin(1);
		wl->ops[0].value = mode ? VMCR1 : VMCR0;
		s = add_source(40, 0, VGR_IRQ_ENABLED);
		op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 1000, 1000);
		add_effect(op, VGIC_EFFECT_LINE, s, 100);
		add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
		run();
		assert_int_equal(cell.interrupts, 1);
		assert_int_equal(max_of(VGIC_LATENCY_ACK_TO_EOI), 1000);
		assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_DEACTIVATE].hist.n, 1);
		/* With EOImode 1 it writes DIR, too, which traps while an SPI is in flight (OV-33).
		 */
		assert_int_equal(cell.dir_traps, mode);
		end();
	}
}

/*
 * A third interrupt was not handled in the recording: it gets the handler of
 * typical length, which lowers the line of the interrupt that it stands for.
 */
static void a_handler_stands_in_for_another(void **state)
{
	uint32_t s, t, h, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED | LEVEL);
	t = add_source(41, 0, VGR_IRQ_ENABLED | LEVEL);
	h = add_script(s);
	op = add_exit(h, VGIC_EXIT_MMIO, 2000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100)->level = 0;
	end_script(h, 3000);
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100);
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 30000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100);
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 60000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, t, 100);
	add_exit(0, VGIC_EXIT_OTHER, 90000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 3);
	assert_int_equal(cell.exit[VGIC_EXIT_MMIO], 3);
	assert_int_equal(cell.spurious, 0);
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_DEACTIVATE].hist.n, 3);
	end();
}

/* ---- maintenance interrupts ---- */

/* Six at once on four LRs. */
static void six_at_once(void)
{
	uint32_t op;

	begin(1);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	for (uint32_t i = 0; i < 6; i++) {
		uint32_t s = add_source(40 + i, 0, VGR_IRQ_ENABLED);

		add_handler(s, 1000);
		add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	}
	add_exit(0, VGIC_EXIT_OTHER, 100000, 1000);
}

static void the_delay_of_an_mi_is_drawn(void **state)
{
	six_at_once();
	run();
	assert_true(mis() > 0);
	assert_int_equal(cell.overflow_max, 2);
	/* The first one comes when the guest, entered at 0, enables group 1. */
	assert_int_equal(cell.timeline.mis[0].value, VGIC_MISR_VGRP1E);
	assert_int_equal(cell.timeline.mis[0].t, START + MI_DELAY);
	cfg.nr_mi_delays = 1;
	cfg.mi_delay_ns[0] = 500;
	again();
	assert_int_equal(cell.timeline.mis[0].t, START + 500);
	cfg.nr_mi_delays = 2;
	cfg.mi_delay_ns[1] = 40;
	unsigned int slow = 0, fast = 0;

	for (cfg.seed = 0; cfg.seed < 32; cfg.seed++) {
		uint64_t t;

		again();
		t = cell.timeline.mis[0].t - START;
		slow += t == 500;
		fast += t == 40;
		again();
		assert_int_equal(cell.timeline.mis[0].t, START + t);
	}
	assert_true(slow && fast);
	assert_int_equal(slow + fast, 32);
	cfg.nr_mi_delays = VGIC_MAX_MI_DELAYS + 1;
	vgic_cell_finish(&cell);
	assert_int_equal(vgic_replay(wl, &cfg, &cell), -EINVAL);
	vgic_workload_destroy(wl);
}

/* Twenty interrupts at once, four LRs: what one entry and one exit take grows with the list. */
static void costs_follow_the_list(void **state)
{
	struct vgic_profile other;
	uint64_t wall, walls[3], p;
	uint32_t op;

	begin(1);
	op = add_exit(0, VGIC_EXIT_OTHER, 1000, 1000);
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t s = add_source(32 + i, 0, VGR_IRQ_ENABLED);

		add_handler(s, 1000);
		add_effect(op, VGIC_EFFECT_LINE, s, 100);
	}
	add_exit(0, VGIC_EXIT_OTHER, 100000, 1000);
	run();
	wall = cell.wall_ns;
	/* The first four, of the entry after the exit: when its flush is over. */
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_LR].hist.min, 1000 - 100);
	wl->profile.entry_irq_ps = 2500;
	wl->profile.entry_lr_ps = 10000;
	wl->profile.sort_ns = 5;
	wl->profile.sort_step_ps = 100;
	again();
	p = 20 * 5 / 2 + 40 + 5 + (20 * 4 + 2 * 4) / 10;
	assert_int_equal(vgic_entry_cost(&wl->profile, 20, 4, true), ENTRY + p);
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_LR].hist.min, 1000 - 100 + p);
	assert_true(cell.wall_ns > wall + p);
	wall = cell.wall_ns;

	/* An exit with a list takes longer than it did, or less, if it was recorded with one. */
	wl->profile.exit_irq_ps = 1000;
	for (int i = 0; i < 3; i++) {
		wl->ops[last_op[0]].sync_irqs = (uint16_t)(2 * i);
		wl->ops[op].sync_irqs = (uint16_t)(2 * i);
		again();
		walls[i] = cell.wall_ns;
	}
	assert_true(walls[0] > wall);
	/* Nothing is on the list at the first; the last one's entry is not seen. */
	assert_int_equal(walls[1], walls[0] - 2);
	assert_int_equal(walls[2], walls[0] - 4);
	/* Less than the time there was: the raise comes at once, and so does the entry. */
	wl->ops[op].sync_irqs = 5000;
	again();
	assert_true(cell.wall_ns < walls[0] - 800);
	assert_int_equal(cell.interrupts, 20);

	/* Another host: its costs now, the recorded one's for what was recorded. */
	wl->ops[op].sync_irqs = 0;
	other = wl->profile;
	other.entry_ns += 7;
	cfg.profile = &other;
	wall = walls[2];
	again();
	assert_true(cell.wall_ns > wall);
	other = wl->profile;
	other.switch_ns = 300;
	again();
	/* Each exit ends a run, and the last one begins another. */
	assert_int_equal(cell.guest_ns, 100000 + 20 * 1000 + (cell.exits + 1) * 300);
	end();
}

/* The host's own exit came with an MI: with enough LRs it comes alone, else they are one. */
static void an_exit_joins_its_mi(void **state)
{
	uint64_t joined, alone;

	six_at_once();
	run();
	joined = cell.exits;
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);

	six_at_once();
	uint32_t last = last_op[0];
	uint32_t op = vgic_workload_op(wl, VGIC_OP_EXIT);

	/* At the time of the first MI: after the VMCR and the request, at once. */
	wl->ops[op].exit = VGIC_EXIT_OTHER_IRQ;
	wl->ops[op].at = 1000;
	wl->ops[op].nested = 5;
	wl->ops[op].out_ns = MI_OUT;
	wl->ops[op].flags = VGIC_OP_WITH_MI;
	wl->ops[op].next = last;
	wl->ops[wl->ops[wl->scripts[0].first].next].next = op;
	run();
	assert_true(mis() > 0);
	assert_int_equal(cell.interrupts, 6);
	assert_in_range(cell.exits, joined, joined + 1);
	cfg.nr_lr = 16;
	again();
	alone = cell.exits;
	assert_int_equal(mis(), 0);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 1);
	assert_int_equal(alone, 4);
	end();
}

/* It came with an MI after two handlers; here the MI comes after four, and so does it. */
static void an_exit_waits_for_its_mi(void **state)
{
	uint64_t joined;

	six_at_once();
	cfg.nr_lr = 5;
	run();
	joined = cell.exits;
	assert_true(mis() > 0);
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);

	six_at_once();
	cfg.nr_lr = 5;
	uint32_t last = last_op[0];
	uint32_t op = vgic_workload_op(wl, VGIC_OP_EXIT);

	wl->ops[op].exit = VGIC_EXIT_OTHER_IRQ;
	wl->ops[op].at = 1000;
	wl->ops[op].nested = 2;
	wl->ops[op].out_ns = MI_OUT;
	wl->ops[op].flags = VGIC_OP_WITH_MI;
	wl->ops[op].next = last;
	wl->ops[wl->ops[wl->scripts[0].first].next].next = op;
	run();
	assert_int_equal(cell.interrupts, 6);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 0);
	assert_int_equal(cell.exits, joined);
	end();
}

/* The host's own exits keep their place in the program, but come with the time. */
static void host_exits_come_with_time(void **state)
{
	uint32_t op;

	/* Forty of them, one every 100 us; the program takes as long. */
	begin(1);
	for (uint32_t i = 0; i < 40; i++) {
		op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 100000 * (i + 1), 0);
		wl->ops[op].wall_ns = 100000 * (i + 1);
	}
	add_exit(0, VGIC_EXIT_OTHER, 4100000, 0);
	wl->duration_ns = 4100000;
	run();
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 40);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 1);
	/* The recording took four times as long for it: they were that much rarer. */
	for (uint32_t i = 0; i < 40; i++)
		wl->ops[i + 1].wall_ns *= 4;
	wl->duration_ns *= 4;
	again();
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER_IRQ], 40);
	cfg.nr_lr = 5;
	again();
	assert_in_range(cell.exit[VGIC_EXIT_OTHER_IRQ], 10, 13);
	/* A quarter of the time: there is one every 25 us. */
	for (uint32_t i = 0; i < 40; i++)
		wl->ops[i + 1].wall_ns /= 16;
	wl->duration_ns /= 16;
	again();
	assert_true(cell.exit[VGIC_EXIT_OTHER_IRQ] > 140);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 1);
	end();
}

/* Two vCPUs ask for the same interrupt before it is taken; the first one waits for it. */
static void each_vcpu_waits_for_what_it_asked(void **state)
{
	uint32_t s, op;

	begin(2);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	add_op(0, VGIC_OP_MASK, 500);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	wl->ops[op].asks = wl->ops[op].effects;
	add_op(0, VGIC_OP_UNMASK, 50000);
	op = add_exit(0, VGIC_EXIT_MMIO, 60000, 1000);
	wl->ops[op].need = 1;
	add_exit(0, VGIC_EXIT_OTHER, 70000, 1000);
	add_handler(s, 1000);
	op = add_exit(1, VGIC_EXIT_MMIO, 10000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	wl->ops[op].asks = wl->ops[op].effects;
	add_exit(1, VGIC_EXIT_OTHER, 5000000, 1000);
	run();
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 2);
	/* It did not wait until the other vCPU had nothing more to do. */
	assert_true(cell.guest_ns < 5500000);
	end();
}

/* A route written while the interrupt was not to be seen: it is raised where it says. */
static void a_raise_goes_where_it_was_routed(void **state)
{
	uint32_t s, op;
	struct vgr_irq moved;

	begin(2);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	moved = irq_of(40, VGR_IRQ_ENABLED);
	moved.target = 1;
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100)->prop = vgic_workload_prop(wl, &moved);
	add_handler(s, 1000);
	add_exit(0, VGIC_EXIT_OTHER, 20000, 1000);
	add_exit(1, VGIC_EXIT_OTHER, 20000, 1000);
	run();
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.fates[0].vcpu, 1);
	end();
}

/* ---- guests that wait ---- */

static void what_cannot_come_is_given_up(void **state)
{
	uint32_t s, t, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	t = add_source(41, 0, VGR_IRQ_ENABLED);
	/* It waited for two acknowledgements that nothing brings. */
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	wl->ops[op].need = 2;
	/* It asked again when 41 had been handled once; here it never is. */
	op = add_exit(0, VGIC_EXIT_MMIO, 2000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, t, 100)->handled = 1;
	wl->ops[op].asks = wl->ops[op].effects;
	/* A DIR of what was never acknowledged is not written. */
	op = add_op(0, VGIC_OP_DIR, 3000);
	wl->ops[op].source = s;
	wl->ops[op].count = 1;
	add_handler(t, 1000);
	add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.exit[VGIC_EXIT_MMIO], 2);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 1);
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_DEACTIVATE].hist.n, 1);
	end();
}

/* The program is over, and an interrupt that the recorded guest handled comes still. */
static void the_end_waits_for_what_is_due(void **state)
{
	uint32_t s, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	add_op(0, VGIC_OP_MASK, 500);
	add_handler(s, 1000);
	op = add_exit(0, VGIC_EXIT_OTHER, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	add_op(0, VGIC_OP_UNMASK, 5000);
	run();
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.unhandled, 0);
	/* Masked to the end: it is given up. */
	wl->ops[last_op[0]].kind = VGIC_OP_MASK;
	again();
	assert_int_equal(cell.interrupts, 0);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.unhandled, 1);
	end();
}

/* The last exit is one of a handler, which ends in the run after it: it is not active for ever. */
static void the_last_run_is_folded(void **state)
{
	uint32_t s, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	op = add_exit(0, VGIC_EXIT_OTHER, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100);
	op = add_script(s);
	add_exit(op, VGIC_EXIT_OTHER, 100, 1000);
	end_script(op, 500);
	run();
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_false(vgic_fates_any(cell.fates, cell.nr_fates, VGIC_FATE_STUCK));
	end();
}

static void wfi_ends_with_its_wake(void **state)
{
	uint32_t op;
	struct vgic_effect *e;

	begin(2);
	op = add_exit(1, VGIC_EXIT_WFI, 1000, 1000);
	wl->ops[op].count = 1;
	op = add_exit(1, VGIC_EXIT_WFI, 2000, 1000);
	wl->ops[op].count = 2;
	add_exit(1, VGIC_EXIT_OTHER, 3000, 1000);
	/* vCPU 0 ends the first wait after 40 us, and the second after 90. */
	op = add_exit(0, VGIC_EXIT_MMIO, 40000, 1000);
	e = add_effect(op, VGIC_EFFECT_WAKE, 1, 0);
	e->value = 1;
	/* A wake of a vCPU that is not there wakes nobody. */
	add_effect(op, VGIC_EFFECT_WAKE, 5, 0)->value = 2;
	op = add_exit(0, VGIC_EXIT_MMIO, 89000, 1000);
	e = add_effect(op, VGIC_EFFECT_WAKE, 1, 0);
	e->value = 2;
	add_exit(0, VGIC_EXIT_OTHER, 95000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.exit[VGIC_EXIT_WFI], 2);
	/* vCPU 0: 95 us, two exits of 1 us, and the MI; vCPU 1 is over before. */
	assert_int_equal(cell.wall_ns, 97000 + LATE);
	assert_int_equal(cell.guest_ns, 95000 + 3000);
	end();
}

/* An interrupt that is already pending: no waiting. A timed WFI waits as recorded. */
static void wfi_that_does_not_wait(void **state)
{
	uint32_t s, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	add_op(0, VGIC_OP_MASK, 100);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	add_handler(s, 1000);
	op = add_exit(0, VGIC_EXIT_WFI, 2000, 500000);
	wl->ops[op].count = 1;
	add_op(0, VGIC_OP_UNMASK, 3000);
	add_exit(0, VGIC_EXIT_OTHER, 10000, 1000);
	run();
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.wall_ns, 10000 + 1000 /* handler */ + 1000 + ENTRY + EXIT + LATE);
	wl->ops[op].flags = VGIC_OP_TIMED;
	again();
	assert_int_equal(cell.wall_ns, 10000 + 1000 + 1000 + 500000 + LATE);
	/* Nobody wakes it: it goes on as it did when it was recorded. */
	wl->ops[op].flags = 0;
	wl->effects[0].kind = VGIC_EFFECT_NONE;
	again();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 0);
	assert_int_equal(cell.exit[VGIC_EXIT_WFI], 1);
	end();
}

/* One came where two did: the program finds nothing to do, and sleeps again. */
static void wfi_waits_for_as_many_as_came(void **state)
{
	uint32_t s, t, op, after;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	t = add_source(41, 0, VGR_IRQ_ENABLED);
	add_handler(s, 1000);
	add_handler(t, 1000);
	op = add_exit(0, VGIC_EXIT_WFI, 2000, 100000);
	wl->ops[op].count = 1;
	add_effect(op, VGIC_EFFECT_LATCH, s, 10000);
	add_effect(op, VGIC_EFFECT_LATCH, t, 100000);
	after = add_exit(0, VGIC_EXIT_OTHER, 5000, 1000);
	wl->ops[after].nested = 2;
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 2);
	assert_int_equal(cell.exit[VGIC_EXIT_WFI], 2);
	assert_true(cell.wall_ns > 102000);
	wl->ops[after].nested = 1;
	again();
	assert_int_equal(cell.exit[VGIC_EXIT_WFI], 1);
	assert_true(cell.wall_ns < 20000);
	/* What never comes is given up. */
	wl->ops[after].nested = 3;
	again();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 2);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 1);
	end();
}

/* The device lowers the line for the access: the vCPU does not come back before that. */
static void what_an_exit_waits_for_is_done_before_the_entry(void **state)
{
	struct vgic_effect *e;
	uint32_t s, op;

	begin(2);
	wl->host_cpus = 1;
	s = add_source(40, 0, VGR_IRQ_ENABLED | LEVEL);
	add_handler(s, 1000);
	add_op(0, VGIC_OP_MASK, 500);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100);
	op = add_exit(0, VGIC_EXIT_MMIO, 2000, 1000);
	wl->ops[op].flags = VGIC_OP_YIELDS;
	wl->ops[op].value = 1;
	e = add_effect(op, VGIC_EFFECT_LINE, s, 900000);
	e->level = 0;
	add_op(0, VGIC_OP_UNMASK, 3000);
	add_exit(0, VGIC_EXIT_OTHER, 5000, 1000);
	add_exit(1, VGIC_EXIT_OTHER, 2000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 0);
	/* By another thread, whenever that gets to it. */
	e->origin = VGIC_ORIGIN_OUTSIDE;
	again();
	assert_true(cell.interrupts > 0);
	end();
}

/* ---- one host CPU ---- */

/* The guest polls for what the other vCPU has yet to do: the host's tick lets that one run. */
static void the_tick_of_a_busy_host(void **state)
{
	uint32_t s, op;

	begin(2);
	wl->host_cpus = 1;
	s = add_source(40, 0, VGR_IRQ_ENABLED);
	add_handler(s, 1000);
	op = add_exit(0, VGIC_EXIT_MMIO, 1000, 1000);
	add_effect(op, VGIC_EFFECT_NONE, s, 0);
	wl->ops[op].asks = 0;
	op = add_exit(0, VGIC_EXIT_OTHER, 5000, 1000);
	wl->ops[op].need = 1;
	op = add_exit(1, VGIC_EXIT_MMIO, 2000, 1000);
	add_effect(op, VGIC_EFFECT_LATCH, s, 100);
	add_exit(1, VGIC_EXIT_OTHER, 3000, 1000);
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 1);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 2);
	assert_true(cell.wall_ns >= 4000000);
	assert_true(cell.exit[VGIC_EXIT_OTHER_IRQ] >= 1);
	/* On a CPU of its own it need not wait for the tick. */
	wl->host_cpus = 2;
	again();
	assert_int_equal(cell.interrupts, 1);
	assert_true(cell.wall_ns < 20000);
	end();
}

/* Both poll for what never comes: after some ticks they go on. */
static void two_that_wait_for_ever(void **state)
{
	uint32_t op;

	begin(2);
	wl->host_cpus = 1;
	for (uint32_t i = 0; i < 2; i++) {
		op = add_exit(i, VGIC_EXIT_OTHER, 1000, 1000);
		wl->ops[op].need = 1;
	}
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.exit[VGIC_EXIT_OTHER], 2);
	assert_true(cell.wall_ns >= 4000000);
	end();
}

/* The CPU goes to the vCPU that had it in the recording, for as long. */
static void the_cpu_is_handed_over(void **state)
{
	uint32_t op;

	begin(3);
	wl->host_cpus = 1;
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 1000, 8000);
	wl->ops[op].flags = VGIC_OP_YIELDS;
	wl->ops[op].value = 2;
	add_exit(0, VGIC_EXIT_OTHER, 2000, 1000);
	add_exit(1, VGIC_EXIT_OTHER, 3000, 1000);
	add_exit(2, VGIC_EXIT_OTHER, 4000, 1000);
	cfg.timeline = false;
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.guest_ns, 2000 + 3000 + 4000);
	assert_int_equal(cell.exits, 4 + 3 /* group 1 enabled */);
	/* One CPU: the guests never ran at the same time. */
	assert_true(cell.wall_ns >= cell.guest_ns + 8000);
	end();
}

/* ---- no end ---- */

/* A line that nobody lowers: every handler makes progress, and it never ends. */
static void a_storm_is_a_livelock(void **state)
{
	uint32_t s, op;

	begin(1);
	s = add_source(40, 0, VGR_IRQ_ENABLED | LEVEL);
	op = add_exit(0, VGIC_EXIT_OTHER_IRQ, 1000, 1000);
	add_effect(op, VGIC_EFFECT_LINE, s, 100);
	add_handler(s, 100);
	add_exit(0, VGIC_EXIT_OTHER, 50000, 1000);
	/* The program has no time left between two handlers. */
	wl->profile.mi_delay_ns = 0;
	cfg.timeline = false;
	run();
	assert_int_equal(cell.outcome, VGIC_OUTCOME_LIVELOCK);
	assert_int_equal(cell.stuck_vcpu, 0);
	assert_true(cell.interrupts > 100000);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrivals_have_names),
		cmocka_unit_test(arrivals_are_placed_as_asked),
		cmocka_unit_test(effects_without_an_exit),
		cmocka_unit_test(pending_taken_back_is_never_seen),
		cmocka_unit_test(who_waits_is_counted_at_each_entry),
		cmocka_unit_test(who_is_pushed_out_waits),
		cmocka_unit_test(an_lpi_of_a_gicv2_is_still_itself),
		cmocka_unit_test(a_level_that_falls_in_its_lr_is_spurious),
		cmocka_unit_test(properties_take_effect),
		cmocka_unit_test(active_by_register),
		cmocka_unit_test(sgi_to_others),
		cmocka_unit_test(lpis_and_what_is_no_interrupt),
		cmocka_unit_test(an_interrupt_without_a_handler),
		cmocka_unit_test(a_handler_stands_in_for_another),
		cmocka_unit_test(the_delay_of_an_mi_is_drawn),
		cmocka_unit_test(costs_follow_the_list),
		cmocka_unit_test(an_exit_joins_its_mi),
		cmocka_unit_test(an_exit_waits_for_its_mi),
		cmocka_unit_test(host_exits_come_with_time),
		cmocka_unit_test(each_vcpu_waits_for_what_it_asked),
		cmocka_unit_test(a_raise_goes_where_it_was_routed),
		cmocka_unit_test(what_cannot_come_is_given_up),
		cmocka_unit_test(the_end_waits_for_what_is_due),
		cmocka_unit_test(the_last_run_is_folded),
		cmocka_unit_test(wfi_ends_with_its_wake),
		cmocka_unit_test(wfi_that_does_not_wait),
		cmocka_unit_test(wfi_waits_for_as_many_as_came),
		cmocka_unit_test(what_an_exit_waits_for_is_done_before_the_entry),
		cmocka_unit_test(the_tick_of_a_busy_host),
		cmocka_unit_test(two_that_wait_for_ever),
		cmocka_unit_test(the_cpu_is_handed_over),
		cmocka_unit_test(a_storm_is_a_livelock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
