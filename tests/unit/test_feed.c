/* SPDX-License-Identifier: GPL-2.0-only */
/* Demands delivered piece by piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/replay.h>
#include <vgicsim/vgic.h>

#define SOURCES 8u
#define VMCR	(VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)

/* n bursts of all sources, or of an SGI from vCPU 1 and an LPI too. */
struct bursts {
	unsigned int n, done, at;
	uint64_t period;
	int error;	   /* instead of the last burst */
	unsigned int most; /* asked for at once */
	uint32_t source;   /* instead of the first one */
};

static int next(void *opaque, struct vgic_arrival *to, unsigned int n)
{
	struct bursts *b = opaque;
	unsigned int k;

	b->most = n > b->most ? n : b->most;
	for (k = 0; k < n && b->done < b->n; k++) {
		to[k] = (struct vgic_arrival){
			.time = 10000 + b->done * b->period,
			.source = b->at ? b->at : b->source,
			.kind = VGIC_EFFECT_LINE,
			.level = 1,
		};
		if (++b->at == SOURCES) {
			b->at = 0;
			b->done++;
		}
	}
	return k || !b->error ? (int)k : b->error;
}

static uint32_t add_source(struct vgic_workload *wl, uint16_t vcpu, uint32_t intid, uint8_t prio)
{
	const struct vgr_irq q = {
		.intid = intid,
		.state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
		.priority = prio,
		.vcpu = VGR_NO_VCPU,
		.target = 0,
	};
	uint32_t s = vgic_workload_source(wl, vcpu, &q);
	uint32_t script = vgic_workload_script(wl, s, 0), op = vgic_workload_op(wl, VGIC_OP_EOI);

	wl->ops[op].at = 100;
	wl->ops[op].flags = VGIC_OP_LAST;
	wl->scripts[script].first = op;
	wl->scripts[script].next = script; /* a ring */
	wl->scripts[script].whole = true;
	wl->scripts[script].own_ns = 100;
	wl->sources[s].first_script = wl->sources[s].typical = script;
	return s;
}

static void add_program(struct vgic_workload *wl, uint16_t vcpu)
{
	uint32_t script = vgic_workload_script(wl, VGIC_WL_NONE, vcpu);
	uint32_t op = vgic_workload_op(wl, VGIC_OP_VMCR);

	wl->ops[op].value = VMCR;
	wl->scripts[script].first = op;
	wl->vcpus[vcpu].background = script;
}

static struct vgic_workload *make(uint32_t nr_vcpus)
{
	struct vgic_workload *wl = vgic_workload_create(nr_vcpus);

	assert_non_null(wl);
	wl->nr_lr = 4;
	wl->host_cpus = nr_vcpus + 1;
	wl->profile = (struct vgic_profile){.entry_ns = 500,
					    .exit_ns = 300,
					    .mi_out_ns = 900,
					    .kick_ns = 300,
					    .mi_delay_ns = 30};
	add_program(wl, 0);
	for (uint32_t i = 0; i < SOURCES; i++)
		add_source(wl, VGR_NO_VCPU, 32 + i, (uint8_t)(0x40 + 8 * i));
	return wl;
}

static int run(const struct vgic_workload *wl, const struct vgic_feed *feed, unsigned int nr_lr,
	       struct vgic_cell *cell)
{
	const struct vgic_replay_config c = {
		.policy = vgic_policy_find("linux-7.3"), .nr_lr = nr_lr, .seed = 1, .feed = feed};

	return vgic_replay(wl, &c, cell);
}

static void run_bursts(const struct vgic_workload *wl, struct bursts b, unsigned int nr_lr,
		       struct vgic_cell *cell)
{
	assert_int_equal(run(wl, &(struct vgic_feed){&b, next}, nr_lr, cell), 0);
	assert_in_range(b.most, 1, VGIC_FEED_PIECE);
	assert_int_equal(b.done, b.n);
}

static void rings_and_pieces_go_on(void **state)
{
	struct vgic_workload *wl = make(1);
	struct vgic_cell cell;

	/* Many pieces, all of them of one script for each source. */
	run_bursts(wl, (struct bursts){.n = 500, .period = 20000}, 16, &cell);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 500 * SOURCES);
	assert_int_equal(cell.merged, 0);
	assert_int_equal(cell.unhandled, 0);
	assert_int_equal(cell.lost, 0);
	assert_int_equal(cell.overflow_entries, 0);
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_DEACTIVATE].hist.n, 500 * SOURCES);
	vgic_cell_finish(&cell);
	/* And of fewer LRs than interrupts. */
	run_bursts(wl, (struct bursts){.n = 500, .period = 20000}, 4, &cell);
	assert_int_equal(cell.interrupts, 500 * SOURCES);
	assert_true(cell.mi >= 500);
	assert_true(cell.overflow_entries >= 500);
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);
}

/* The same raises, once fed and once in the workload. */
static void a_feed_is_as_the_workloads_own(void **state)
{
	struct vgic_workload *wl = make(1);
	struct vgic_cell fed, own;
	uint32_t last = VGIC_WL_NONE, script;

	run_bursts(wl, (struct bursts){.n = 60, .period = 6000}, 4, &fed);
	for (unsigned int b = 0; b < 60; b++) {
		for (uint32_t s = 0; s < SOURCES; s++) {
			uint32_t e = vgic_workload_effect(wl, VGIC_EFFECT_LINE);

			wl->effects[e].wall_ns = 10000 + b * 6000;
			wl->effects[e].source = s;
			wl->effects[e].level = 1;
			wl->effects[e].origin = VGIC_ORIGIN_OUTSIDE;
			*(last == VGIC_WL_NONE ? &wl->open : &wl->effects[last].next) = e;
			last = e;
		}
	}
	/* Without a feed there are no rings: what is not there is taken for typical. */
	for (size_t i = 0; i < wl->nr_scripts; i++)
		wl->scripts[i].next = VGIC_WL_NONE;
	/* And the program must last as long as there is something to come. */
	script = wl->vcpus[0].background;
	last = vgic_workload_op(wl, VGIC_OP_MASK);
	wl->ops[last].at = fed.guest_ns;
	wl->ops[wl->scripts[script].first].next = last;
	assert_int_equal(run(wl, NULL, 4, &own), 0);
	assert_int_equal(own.interrupts, fed.interrupts);
	assert_int_equal(own.mi, fed.mi);
	assert_int_equal(own.kicks, fed.kicks);
	assert_int_equal(own.merged, fed.merged);
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		assert_int_equal(own.latency[i].hist.n, fed.latency[i].hist.n);
		assert_int_equal(own.latency[i].hist.sum, fed.latency[i].hist.sum);
		assert_int_equal(own.latency[i].hist.max, fed.latency[i].hist.max);
	}
	vgic_cell_finish(&fed);
	vgic_cell_finish(&own);
	vgic_workload_destroy(wl);
}

/* A program that begins again idles between the bursts in WFI, and ends with the feed. */
static void programs_repeat(void **state)
{
	struct vgic_workload *wl = make(1);
	uint32_t op = vgic_workload_op(wl, VGIC_OP_EXIT);
	struct vgic_cell cell;

	wl->ops[op].at = 50;
	wl->ops[op].exit = VGIC_EXIT_WFI;
	wl->ops[op].count = 1;
	wl->ops[op].out_ns = 1000;
	wl->ops[op].flags = VGIC_OP_REPEAT;
	wl->ops[wl->scripts[wl->vcpus[0].background].first].next = op;
	run_bursts(wl, (struct bursts){.n = 20, .period = 100000}, 16, &cell);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(cell.interrupts, 20 * SOURCES);
	assert_true(cell.exit[VGIC_EXIT_WFI] >= 20);
	assert_true(cell.exit[VGIC_EXIT_WFI] <= 42);
	assert_true(cell.guest_ns < cell.wall_ns / 5);
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);
}

static int raise_once(void *opaque, struct vgic_arrival *to, unsigned int n)
{
	const uint64_t times[] = {10000, 1000000};
	unsigned int *step = opaque;

	if (*step == 2)
		return 0;
	to[0] = (struct vgic_arrival){.time = times[*step],
				      .kind = *step ? VGIC_EFFECT_NONE : VGIC_EFFECT_LINE,
				      .level = 1};
	(*step)++;
	return 1;
}

/* A handler that raises its own interrupt again, until an arrival that is none. */
static void handlers_repeat(void **state)
{
	struct vgic_workload *wl = make(1);
	uint32_t exit = vgic_workload_op(wl, VGIC_OP_EXIT);
	uint32_t effect = vgic_workload_effect(wl, VGIC_EFFECT_LINE);
	uint32_t eoi = wl->scripts[wl->sources[0].first_script].first;
	unsigned int step = 0;
	struct vgic_cell cell;

	wl->effects[effect].source = 0;
	wl->effects[effect].level = 1;
	wl->ops[eoi].flags = 0;
	wl->ops[eoi].next = exit;
	wl->ops[exit].at = 100;
	wl->ops[exit].exit = VGIC_EXIT_MMIO;
	wl->ops[exit].out_ns = 1000;
	wl->ops[exit].effects = effect;
	wl->ops[exit].flags = VGIC_OP_LAST | VGIC_OP_REPEAT;
	assert_int_equal(run(wl, &(struct vgic_feed){&step, raise_once}, 4, &cell), 0);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	assert_in_range(cell.interrupts, 300, 990000 / 1000);
	assert_int_equal(cell.exit[VGIC_EXIT_MMIO], cell.interrupts);
	assert_int_equal(cell.merged, 0);
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);
}

/* One that idles nowhere is stopped. */
static void a_program_without_time_is_refused(void **state)
{
	struct vgic_workload *wl = make(1);
	struct bursts b = {.n = 1};
	struct vgic_cell cell;

	wl->ops[wl->scripts[wl->vcpus[0].background].first].flags = VGIC_OP_REPEAT;
	assert_int_equal(run(wl, &(struct vgic_feed){&b, next}, 4, &cell), -EOVERFLOW);
	vgic_workload_destroy(wl);
}

static int sgi_then_lpi(void *opaque, struct vgic_arrival *to, unsigned int n)
{
	unsigned int *step = opaque;

	to[0] = (struct vgic_arrival){.time = 10000 + *step * 5000,
				      .source = SOURCES + *step % 2,
				      .vcpu = 1,
				      .kind = *step % 2 ? VGIC_EFFECT_LATCH : VGIC_EFFECT_SGI,
				      .level = 1};
	return (*step)++ < 10;
}

static void sgis_and_msis_come_too(void **state)
{
	struct vgic_workload *wl = make(2);
	unsigned int step = 0;
	struct vgic_cell cell;

	wl->vcpus[1].background = vgic_workload_script(wl, VGIC_WL_NONE, 1);
	add_source(wl, 0, 3, 0x40);
	add_source(wl, VGR_NO_VCPU, VGIC_LPI_BASE, 0x40);
	assert_int_equal(run(wl, &(struct vgic_feed){&step, sgi_then_lpi}, 4, &cell), 0);
	assert_int_equal(cell.interrupts, 10);
	assert_int_equal(cell.merged, 0);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	/* vCPU 1 has nothing to do, and was entered all the same. */
	assert_true(cell.entries[0] >= 2);
	assert_int_equal(cell.latency[VGIC_LATENCY_RAISE_TO_LR].hist.n, 10);
	vgic_cell_finish(&cell);
	vgic_workload_destroy(wl);
}

static int of_kind(void *opaque, struct vgic_arrival *to, unsigned int n)
{
	const struct vgic_arrival *x = opaque;

	to[0] = *x;
	return 1;
}

static void bad_feeds_are_refused(void **state)
{
	struct vgic_workload *wl = make(1);
	struct bursts b = {.n = 300, .period = 1000, .error = -EIO};
	const struct vgic_arrival bad[] = {
		{.source = SOURCES + 1, .kind = VGIC_EFFECT_LINE},	 /* no such source */
		{.source = 0, .kind = VGIC_EFFECT_LATCH},		 /* no LPI */
		{.source = 0, .kind = VGIC_EFFECT_SGI},			 /* no SGI */
		{.source = SOURCES, .kind = VGIC_EFFECT_SGI, .vcpu = 1}, /* no such sender */
		{.source = SOURCES, .kind = VGIC_EFFECT_LINE},		 /* an SGI has no line */
		{.source = 0, .kind = VGIC_EFFECT_STATE},
		{.source = 0, .kind = VGIC_EFFECT_WAKE},
	};
	struct vgic_cell cell;

	assert_int_equal(run(wl, &(struct vgic_feed){&b, next}, 4, &cell), -EIO);
	b = (struct bursts){.n = 300, .period = 1000, .source = SOURCES};
	assert_int_equal(run(wl, &(struct vgic_feed){&b, next}, 4, &cell), -EINVAL);
	add_source(wl, 0, 3, 0x40);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(run(wl, &(struct vgic_feed){(void *)&bad[i], of_kind}, 4, &cell),
				 -EINVAL);
	/* Without end: so long does nobody wait. */
	assert_int_equal(run(wl,
			     &(struct vgic_feed){&(struct vgic_arrival){.time = UINT64_MAX - 1,
									.kind = VGIC_EFFECT_LINE},
						 of_kind},
			     4, &cell),
			 -EOVERFLOW);
	vgic_workload_destroy(wl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_and_pieces_go_on),
		cmocka_unit_test(a_feed_is_as_the_workloads_own),
		cmocka_unit_test(programs_repeat),
		cmocka_unit_test(handlers_repeat),
		cmocka_unit_test(a_program_without_time_is_refused),
		cmocka_unit_test(sgis_and_msis_come_too),
		cmocka_unit_test(bad_feeds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
