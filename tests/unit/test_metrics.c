/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/fates.h>
#include <vgicsim/metrics.h>

#include "fake_host.h"

#define VMCR (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)

static void every_metric_is_explained(void **state)
{
	size_t n = 0;

	for (const struct vgic_metric *m; (m = vgic_metric_at(n)); n++) {
		assert_true(strlen(m->name) > 0 && strlen(m->unit) > 0 && strlen(m->text) > 10);
		assert_ptr_equal(vgic_metric_find(m->name), m);
	}
	assert_true(n > 30);
	assert_null(vgic_metric_find("mi"));
}

static void exits_add_up(void **state)
{
	struct vgic_cell c;
	uint64_t sum = 0;

	assert_int_equal(vgic_cell_init(&c, 4), 0);
	vgic_cell_exit(&c, VGIC_EXIT_MI, VGIC_MISR_U | VGIC_MISR_NP);
	vgic_cell_exit(&c, VGIC_EXIT_MI, VGIC_MISR_EOI);
	vgic_cell_exit(&c, VGIC_EXIT_DIR, 0);
	/* A trap that leaves with MISR set is the trap. */
	vgic_cell_exit(&c, VGIC_EXIT_MMIO, VGIC_MISR_U);
	for (int i = 0; i < VGIC_EXIT_KINDS; i++)
		sum += c.exit[i];
	assert_int_equal(c.exits, 4);
	assert_int_equal(sum, c.exits);
	assert_int_equal(c.mi, 2);
	assert_int_equal(c.mi_source[1], 1);
	assert_int_equal(c.mi_source[3], 1);
	assert_int_equal(c.mi_source[0], 1);
	assert_int_equal(c.dir_traps, 1);
	vgic_cell_finish(&c);
}

static void occupancy_by_state(void **state)
{
	const uint64_t lr[4] = {VGIC_LR_PENDING | 32, VGIC_LR_ACTIVE | 33, VGIC_LR_STATE | 34, 35};
	struct vgic_cell c;

	assert_int_equal(vgic_cell_init(&c, 4), 0);
	vgic_cell_occupancy(&c, lr, 4, 100);
	vgic_cell_occupancy(&c, lr, 1, 10);
	assert_int_equal(c.used_ns[3], 100);
	assert_int_equal(c.pending_ns[2], 100);
	assert_int_equal(c.active_ns[2], 100);
	assert_int_equal(c.used_ns[1], 10);
	assert_int_equal(c.active_ns[0], 10);
	vgic_cell_depth(&c, 5, 7);
	vgic_cell_depth(&c, 1u << 30, 8);
	assert_int_equal(c.depth_ns[5], 7);
	assert_int_equal(c.depth_ns[VGIC_DEPTHS - 1], 8);
	vgic_cell_finish(&c);
}

static void time_line_keeps_its_window(void **state)
{
	const uint64_t a[2] = {VGIC_LR_PENDING | 32, 0}, b[2] = {VGIC_LR_ACTIVE | 32, 0};
	struct vgic_cell c;
	struct vgic_timeline *tl = &c.timeline;

	assert_int_equal(vgic_cell_init(&c, 4), 0);
	assert_int_equal(vgic_cell_timeline(&c, 0, 100, 200), 0);
	vgic_timeline_lrs(tl, 50, a, 2);
	vgic_timeline_lrs(tl, 120, a, 2); /* no change, no segment */
	vgic_timeline_lrs(tl, 150, b, 2);
	vgic_timeline_mi(tl, 99, VGIC_MISR_U);
	vgic_timeline_mi(tl, 160, VGIC_MISR_U);
	vgic_timeline_mi(tl, 200, VGIC_MISR_U);
	vgic_timeline_depth(tl, 110, 3);
	vgic_timeline_depth(tl, 111, 3);
	vgic_timeline_close(tl, 300);
	assert_int_equal(tl->nr_segments, 2);
	assert_int_equal(tl->segments[0].t0, 100);
	assert_int_equal(tl->segments[0].t1, 150);
	assert_int_equal(tl->segments[0].state, 1);
	assert_int_equal(tl->segments[1].t1, 200);
	assert_int_equal(tl->segments[1].state, 2);
	assert_int_equal(tl->nr_mis, 1);
	assert_int_equal(tl->nr_depths, 1);
	vgic_cell_finish(&c);
}

static void tap(void *opaque, const struct vgr_rec *rec)
{
	assert_int_equal(vgic_measure_record(opaque, rec), 0);
}

/* Six interrupts on four LRs; one is handled, then the recording ends. */
static void a_recording_is_measured(void **state)
{
	static const uint32_t list[6] = {32, 33, 34, 35, 36, 37};
	struct vgic_measure *m;
	struct vgic_cell c;
	struct fake_host h;

	assert_int_equal(vgic_measure_create(&m, 4, 0), 0);
	fake_init(&h, "linux-7.3", 4, 1, tap, m);
	for (uint32_t i = 32; i < 38; i++) {
		vgic_write_config(h.vgic, i, false);
		vgic_write_enable(h.vgic, 0, i, true);
		vgic_write_priority(h.vgic, 0, i, 0xa0);
	}
	fake_enter(&h, 0);
	fake_vmcr(&h, 0, VMCR);
	fake_raise(&h, 0, list, 6, true);
	fake_eoi(&h, 0, fake_ack(&h, 0));
	fake_exit(&h, 0, 2, 0x16);
	vgic_measure_finish(m, &c);
	vgic_measure_destroy(m);
	assert_int_equal(c.exit[VGIC_EXIT_MMIO], 1);
	assert_int_equal(c.exit[VGIC_EXIT_OTHER], 1);
	assert_int_equal(c.mi, 1); /* group 1 enabled */
	assert_int_equal(c.mi_source[6], 1);
	assert_int_equal(c.interrupts, 1);
	assert_int_equal(c.overflow_max, 2);
	assert_int_equal(c.overflow_entries, 1);
	assert_int_equal(c.entries[4], 1);
	assert_int_equal(c.latency[VGIC_LATENCY_RAISE_TO_LR].hist.n, 4);
	assert_int_equal(c.lr_reads, 3);
	assert_false(c.latency_known[VGIC_LATENCY_RAISE_TO_ACK]);
	vgic_cell_finish(&c);
	fake_finish(&h);
}

static void a_time_line_is_bounded(void **state)
{
	struct vgic_cell c;
	struct vgic_timeline *tl = &c.timeline;

	assert_int_equal(vgic_cell_init(&c, 4), 0);
	assert_int_equal(vgic_cell_timeline(&c, 0, 0, UINT64_MAX), 0);
	for (uint64_t t = 0; t < VGIC_TIMELINE_MAX; t++) {
		const uint64_t lr = VGIC_LR_PENDING | (32 + t % 2);

		assert_false(tl->full);
		vgic_timeline_lrs(tl, t, &lr, 1);
		vgic_timeline_mi(tl, t, VGIC_MISR_U);
	}
	assert_int_equal(tl->nr_segments, VGIC_TIMELINE_MAX - 1);
	assert_int_equal(tl->nr_mis, VGIC_TIMELINE_MAX);
	assert_false(tl->full);
	vgic_timeline_mi(tl, VGIC_TIMELINE_MAX, VGIC_MISR_U);
	assert_true(tl->full);
	tl->full = false;
	vgic_timeline_close(tl, VGIC_TIMELINE_MAX);
	assert_int_equal(tl->nr_segments, VGIC_TIMELINE_MAX);
	assert_false(tl->full);
	vgic_timeline_lrs(tl, VGIC_TIMELINE_MAX, &(const uint64_t){VGIC_LR_ACTIVE | 40}, 1);
	vgic_timeline_close(tl, VGIC_TIMELINE_MAX + 1);
	assert_int_equal(tl->nr_segments, VGIC_TIMELINE_MAX);
	assert_true(tl->full);
	vgic_cell_finish(&c);
}

static void the_list_of_the_starved_is_bounded(void **state)
{
	const uint16_t n = VGIC_MAX_STARVED + 44;
	uint32_t size = vgr_flush_size(n, n, 0);
	struct vgr_flush *f = calloc(1, size);
	struct vgr_irq *irq = (struct vgr_irq *)(f + 1);
	struct vgic_fates *fates;
	struct vgic_cell c;

	f->r.type = VGR_FLUSH;
	f->r.size = size;
	f->vmcr = VMCR;
	f->n_before = f->n_after = n;
	f->dist_enabled = 1;
	for (uint32_t i = 0; i < 2u * n; i++)
		irq[i] = (struct vgr_irq){
			.intid = 32 + i % n,
			.state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1 | VGR_IRQ_LATCH,
		};
	assert_int_equal(vgic_cell_init(&c, 4), 0);
	assert_int_equal(vgic_fates_create(&fates, 0), 0);
	assert_int_equal(vgic_fates_record(fates, &f->r), 0);
	assert_int_equal(vgic_cell_fates(&c, fates, VGIC_FATES_BLOCKED), 0);
	assert_int_equal(c.nr_fates, n);
	assert_int_equal(c.nr_starved, VGIC_MAX_STARVED);
	assert_int_equal(c.starved[VGIC_MAX_STARVED - 1].intid, 32 + VGIC_MAX_STARVED - 1);
	assert_int_equal(c.lost, 0);
	vgic_fates_destroy(fates);
	vgic_cell_finish(&c);
	free(f);
}

static void busy_flush(struct vgic_busy *b, uint64_t time, uint16_t vcpu, uint16_t used,
		       uint16_t listed)
{
	struct vgr_flush f = {
		.r = {.type = VGR_FLUSH, .size = sizeof(f), .time = time, .vcpu = vcpu},
		.used_lrs = used,
		.n_after = listed,
	};

	assert_int_equal(vgic_busy_record(b, &f.r), 0);
}

static void the_busiest_stretch(void **state)
{
	struct vgr_plain other = {.r = {.type = VGR_LOAD, .size = sizeof(other), .time = 1000}};
	struct vgr_flush f = {.r = {.type = VGR_FLUSH, .size = sizeof(f), .time = 5000, .vm = 1}};
	uint64_t t0, t1;
	struct vgic_busy *b;
	uint16_t vcpu;

	assert_int_equal(vgic_busy_create(&b, 100, 0), 0);
	assert_false(vgic_busy_window(b, &vcpu, &t0, &t1));
	assert_int_equal(vgic_busy_record(b, &other.r), 0);
	/* No LR, another VM, before the start, years later: nothing to see. */
	busy_flush(b, 1500, 0, 0, 9);
	f.used_lrs = 4;
	assert_int_equal(vgic_busy_record(b, &f.r), 0);
	busy_flush(b, 500, 0, 4, 4);
	busy_flush(b, UINT64_MAX, 0, 4, 4);
	busy_flush(b, 1500, VGR_NO_VCPU, 4, 4);
	assert_false(vgic_busy_window(b, &vcpu, &t0, &t1));
	/* 3 + 3 LRs on vCPU 0, 5 on vCPU 2. */
	busy_flush(b, 1210, 0, 3, 3);
	busy_flush(b, 1290, 0, 3, 3);
	busy_flush(b, 1300, 0, 5, 5);
	busy_flush(b, 1750, 2, 5, 5);
	assert_true(vgic_busy_window(b, &vcpu, &t0, &t1));
	assert_int_equal(vcpu, 0);
	assert_int_equal(t0, 200);
	assert_int_equal(t1, 300);
	/* One that leaves interrupts outside weighs more than many that do not. */
	busy_flush(b, 9999, 2, 1, 2);
	assert_true(vgic_busy_window(b, &vcpu, &t0, &t1));
	assert_int_equal(vcpu, 2);
	assert_int_equal(t0, 8900);
	vgic_busy_destroy(b);
	vgic_busy_destroy(NULL);
}

/* A window of no length is one of a nanosecond. */
static void a_stretch_of_no_length(void **state)
{
	uint64_t t0, t1;
	struct vgic_busy *b;
	uint16_t vcpu;

	assert_int_equal(vgic_busy_create(&b, 0, 0), 0);
	busy_flush(b, 1000, 0, 1, 1);
	busy_flush(b, 1007, 0, 2, 2);
	assert_true(vgic_busy_window(b, &vcpu, &t0, &t1));
	assert_int_equal(t0, 7);
	assert_int_equal(t1, 8);
	vgic_busy_destroy(b);
}

/* An SGI reaches an LR of the other vCPU; the kick that brings it there is counted. */
static void sgis_and_kicks_are_measured(void **state)
{
	struct vgr_sgi sgi = {.value = 3ull << 24 | 2, .allow_group1 = 1};
	struct vgr_plain kick;
	struct vgic_measure *m;
	struct vgic_cell c;
	struct fake_host h;

	assert_int_equal(vgic_measure_create(&m, 4, 0), 0);
	fake_init(&h, "linux-7.3", 4, 2, tap, m);
	fake_enter(&h, 0);
	fake_enter(&h, 1);
	fake_vmcr(&h, 1, VMCR);
	fake_exit(&h, 0, 2, 0x18);
	fake_put(&h, VGR_SGI, 0, &sgi, sizeof(sgi));
	vgic_write_sgir(h.vgic, 0, sgi.value, true);
	memset(&kick, 0, sizeof(kick));
	fake_put(&h, VGR_KICK, 1, &kick, sizeof(kick));
	fake_exit(&h, 1, 0, 0);
	h.now += 700;
	fake_enter(&h, 1);
	assert_int_equal(fake_ack(&h, 1), 3);
	fake_eoi(&h, 1, 3);
	fake_enter(&h, 0);
	/* All but itself. */
	fake_exit(&h, 0, 2, 0x18);
	sgi.value = 4ull << 24 | 1ull << 40;
	fake_put(&h, VGR_SGI, 0, &sgi, sizeof(sgi));
	vgic_write_sgir(h.vgic, 0, sgi.value, true);
	fake_exit(&h, 1, 0, 0);
	fake_enter(&h, 1);
	fake_exit(&h, 1, 2, 0x01);
	vgic_measure_finish(m, &c);
	assert_int_equal(c.exit[VGIC_EXIT_SGI], 2);
	assert_int_equal(c.exit[VGIC_EXIT_WFI], 1);
	assert_int_equal(c.exit[VGIC_EXIT_OTHER_IRQ], 2);
	assert_int_equal(c.kicks, 1);
	assert_int_equal(c.latency[VGIC_LATENCY_RAISE_TO_LR].hist.n, 2);
	/* Exit 300, on the way 700, flush 300, entry 100. */
	assert_int_equal(c.latency[VGIC_LATENCY_RAISE_TO_LR].hist.max, 1400);
	vgic_cell_finish(&c);
	vgic_measure_destroy(m);
	vgic_measure_destroy(NULL);
	fake_finish(&h);
}

static void strange_records_do_no_harm(void **state)
{
	struct vgic_measure *m;
	struct vgic_cell c;
	struct vgr_exit x = {.r = {.type = VGR_EXIT, .size = sizeof(x), .vcpu = VGR_NO_VCPU}};

	assert_int_equal(vgic_measure_create(&m, 4, 0), 0);
	assert_int_equal(vgic_measure_record(m, &x.r), 0);
	x.r.vcpu = 60000;
	assert_int_equal(vgic_measure_record(m, &x.r), 0);
	x.r.type = VGR_TYPE_MAX;
	assert_int_equal(vgic_measure_record(m, &x.r), 0);
	vgic_measure_finish(m, &c);
	assert_int_equal(c.exits, 0);
	assert_int_equal(c.wall_ns, 0);
	vgic_cell_finish(&c);
	vgic_measure_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_metric_is_explained),
		cmocka_unit_test(exits_add_up),
		cmocka_unit_test(occupancy_by_state),
		cmocka_unit_test(time_line_keeps_its_window),
		cmocka_unit_test(a_recording_is_measured),
		cmocka_unit_test(a_time_line_is_bounded),
		cmocka_unit_test(the_list_of_the_starved_is_bounded),
		cmocka_unit_test(the_busiest_stretch),
		cmocka_unit_test(a_stretch_of_no_length),
		cmocka_unit_test(sgis_and_kicks_are_measured),
		cmocka_unit_test(strange_records_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
