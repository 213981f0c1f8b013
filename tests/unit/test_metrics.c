/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
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
	assert_int_equal(c.latency[VGIC_LATENCY_RAISE_TO_LR].n, 4);
	assert_int_equal(c.lr_reads, 3);
	assert_false(c.latency_known[VGIC_LATENCY_RAISE_TO_ACK]);
	vgic_cell_finish(&c);
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
		cmocka_unit_test(strange_records_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
