/* SPDX-License-Identifier: GPL-2.0-only */
/* Bounds of a derivation, a rule each, against guests whose true times are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/derive.h>

#include "fake_host.h"

#define VMCR0	 (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)
#define VMCR1	 (VMCR0 | VGIC_VMCR_VEOIM)
#define MAX_RUNS 512

struct run {
	uint64_t entry, sync;
};

struct bench {
	struct fake_host h;
	struct vgic_derive *d;
	struct vgic_workload *wl;
	struct run runs[FAKE_VCPUS][MAX_RUNS];
	unsigned int nr_runs[FAKE_VCPUS];
};

static void tap(void *opaque, const struct vgr_rec *rec)
{
	struct bench *b = opaque;

	if (rec->type == VGR_ENTRY) {
		assert_true(b->nr_runs[rec->vcpu] < MAX_RUNS);
		b->runs[rec->vcpu][b->nr_runs[rec->vcpu]++] = (struct run){rec->time, UINT64_MAX};
	}
	if (rec->type == VGR_SYNC && b->nr_runs[rec->vcpu])
		b->runs[rec->vcpu][b->nr_runs[rec->vcpu] - 1].sync =
			((const struct vgr_sync *)rec)->begin;
	assert_int_equal(vgic_derive_record(b->d, rec), 0);
}

/* SPIs 32 to 47, each more urgent than the one before, edges. */
static void begin(struct bench *b, uint32_t vmcr, unsigned int nr_vcpus)
{
	struct vgic_derive_config cfg = {.nr_lr = 4, .eager_vmcr = true};

	b->nr_runs[0] = b->nr_runs[1] = 0;
	assert_int_equal(vgic_derive_create(&b->d, &cfg), 0);
	fake_init(&b->h, "linux-7.3", 4, nr_vcpus, tap, b);
	for (uint32_t i = 32; i < 48; i++) {
		vgic_write_config(b->h.vgic, i, false);
		vgic_write_enable(b->h.vgic, 0, i, true);
		vgic_write_priority(b->h.vgic, 0, i, (uint8_t)(0xe8 - (i - 32) * 8));
	}
	fake_enter(&b->h, 0);
	fake_vmcr(&b->h, 0, vmcr);
}

static void end(struct bench *b)
{
	fake_exit(&b->h, 0, 2, 0x16);
	assert_int_equal(vgic_derive_finish(b->d, &b->wl), 0);
	vgic_derive_destroy(b->d);
	fake_finish(&b->h);
}

/* The number-th acknowledge of an INTID, from 0. */
static const struct vgic_script *script(const struct bench *b, uint32_t intid, unsigned int number)
{
	uint32_t source = vgic_workload_find(b->wl, 0, intid);

	assert_int_not_equal(source, VGIC_WL_NONE);
	uint32_t s = b->wl->sources[source].first_script;

	while (number-- && s != VGIC_WL_NONE)
		s = b->wl->scripts[s].next;
	assert_int_not_equal(s, VGIC_WL_NONE);
	return &b->wl->scripts[s];
}

/* The run of vCPU 0 in which time lies, on the workload's clock. */
static struct run run_of(const struct bench *b, uint64_t time)
{
	for (unsigned int i = 0; i < b->nr_runs[0]; i++)
		if (b->runs[0][i].entry <= time && time <= b->runs[0][i].sync)
			return (struct run){b->runs[0][i].entry - b->wl->start,
					    b->runs[0][i].sync - b->wl->start};
	fail_msg("no run at %llu", (unsigned long long)time);
	return (struct run){0, 0};
}

/* It happened at this time, and the bounds are those of the run. */
static void assert_run(const struct bench *b, const struct vgic_when *w, uint64_t time)
{
	struct run r = run_of(b, time);

	assert_true(w->known);
	assert_int_equal(w->from, r.entry);
	assert_int_equal(w->to, r.sync);
	assert_in_range(w->at, w->from, w->to);
}

/* From the run of one time to the run of another. */
static void assert_between(const struct bench *b, const struct vgic_when *w, uint64_t first,
			   uint64_t last)
{
	assert_true(w->known);
	assert_int_equal(w->from, run_of(b, first).entry);
	assert_int_equal(w->to, run_of(b, last).sync);
}

static void assert_open(const struct bench *b, const struct vgic_when *w, uint64_t first)
{
	assert_false(w->known);
	assert_int_equal(w->from, run_of(b, first).entry);
	assert_int_equal(w->to, VGIC_WHEN_OPEN);
}

static void raise_one(struct bench *b, uint32_t intid)
{
	fake_raise(&b->h, 0, &intid, 1, true);
}

static uint64_t ack(struct bench *b, uint32_t intid)
{
	uint64_t now = b->h.now;

	assert_int_equal(fake_ack(&b->h, 0), intid);
	return now;
}

static uint64_t eoi(struct bench *b, uint32_t intid)
{
	uint64_t now = b->h.now;

	fake_eoi(&b->h, 0, intid);
	return now;
}

static uint64_t dir(struct bench *b, unsigned int vcpu, uint32_t intid)
{
	uint64_t now = b->h.now;

	fake_dir(&b->h, vcpu, intid);
	return now;
}

/* An exit that has nothing to do with interrupts. */
static void pause_guest(struct bench *b)
{
	b->h.now += 5000;
	fake_exit(&b->h, 0, 2, 0x16);
	b->h.now += 700;
	fake_enter(&b->h, 0);
}

static void list_registers_name_the_run(void **state)
{
	uint64_t acked, ended;
	struct bench b;

	begin(&b, VMCR0, 1);
	raise_one(&b, 32);
	pause_guest(&b);
	acked = ack(&b, 32);
	pause_guest(&b);
	pause_guest(&b);
	ended = eoi(&b, 32);
	pause_guest(&b);
	end(&b);
	assert_run(&b, &script(&b, 32, 0)->ack, acked);
	assert_run(&b, &script(&b, 32, 0)->deact, ended);
	assert_run(&b, &script(&b, 32, 0)->drop, ended);
	vgic_workload_destroy(b.wl);
}

static void an_interrupt_taken_twice_in_a_run(void **state)
{
	uint64_t acked[2], ended[2];
	struct bench b;

	begin(&b, VMCR0, 1);
	raise_one(&b, 32);
	acked[0] = ack(&b, 32);
	/* Pending and active in its list register. */
	raise_one(&b, 32);
	ended[0] = eoi(&b, 32);
	acked[1] = ack(&b, 32);
	ended[1] = eoi(&b, 32);
	end(&b);
	for (unsigned int i = 0; i < 2; i++) {
		assert_run(&b, &script(&b, 32, i)->ack, acked[i]);
		assert_run(&b, &script(&b, 32, i)->deact, ended[i]);
	}
	assert_int_equal(script(&b, 32, 0)->deact.from, script(&b, 32, 1)->ack.from);
	vgic_workload_destroy(b.wl);
}

/* Eight nested, the four outer ones outside the list registers. */
static void nest(struct bench *b, uint64_t *acked)
{
	for (uint32_t i = 0; i < 8; i++) {
		raise_one(b, 32 + i);
		acked[i] = ack(b, 32 + i);
	}
	pause_guest(b);
}

static void eoicount_goes_by_the_acknowledges(void **state)
{
	static const uint32_t pending[] = {32, 33, 34, 35, 36, 37};
	uint64_t acked[2], ended[2];
	struct bench b;

	begin(&b, VMCR0, 1);
	for (uint32_t i = 0; i < 2; i++) {
		raise_one(&b, 46 + i);
		acked[i] = ack(&b, 46 + i);
	}
	/* Neither is in a list register now, and for the EOIR of 47 KVM ends 46. */
	fake_raise(&b.h, 0, pending, 6, true);
	vgic_write_priority(b.h.vgic, 0, 47, 0x80);
	pause_guest(&b);
	ended[1] = eoi(&b, 47);
	assert_false(vgic_irq_find(b.h.vgic, 0, 46)->active);
	assert_true(vgic_irq_find(b.h.vgic, 0, 47)->active);
	pause_guest(&b);
	ended[0] = eoi(&b, 46);
	end(&b);
	for (uint32_t i = 0; i < 2; i++) {
		const struct vgic_script *s = script(&b, 46 + i, 0);

		assert_run(&b, &s->ack, acked[i]);
		assert_run(&b, &s->deact, ended[i]);
		assert_run(&b, &s->drop, ended[i]);
	}
	vgic_workload_destroy(b.wl);
}

static void an_lpi_is_not_counted(void **state)
{
	static const uint32_t pending[] = {32, 33, 34, 35, 36, 37};
	uint64_t acked, ended;
	struct bench b;

	begin(&b, VMCR0, 1);
	assert_int_equal(vgic_lpi_add(b.h.vgic, VGIC_LPI_BASE), 0);
	vgic_lpi_config(b.h.vgic, VGIC_LPI_BASE, 0x20, true);
	vgic_irq_find(b.h.vgic, 0, VGIC_LPI_BASE)->target = 0;
	raise_one(&b, 46);
	ack(&b, 46);
	pause_guest(&b);
	fake_exit(&b.h, 0, 0, 0);
	assert_true(vgic_msi(b.h.vgic, VGIC_LPI_BASE));
	fake_enter(&b.h, 0);
	acked = ack(&b, VGIC_LPI_BASE);
	fake_raise(&b.h, 0, pending, 6, true);
	/* Both are in no list register. */
	eoi(&b, VGIC_LPI_BASE);
	pause_guest(&b);
	ended = eoi(&b, 46);
	end(&b);
	assert_run(&b, &script(&b, 46, 0)->deact, ended);
	assert_open(&b, &script(&b, VGIC_LPI_BASE, 0)->deact, acked);
	vgic_workload_destroy(b.wl);
}

static void the_eoi_of_an_lpi_is_its_deactivation(void **state)
{
	uint64_t acked, next;
	struct bench b;

	begin(&b, VMCR1, 1);
	assert_int_equal(vgic_lpi_add(b.h.vgic, VGIC_LPI_BASE), 0);
	vgic_lpi_config(b.h.vgic, VGIC_LPI_BASE, 0x20, true);
	vgic_irq_find(b.h.vgic, 0, VGIC_LPI_BASE)->target = 0;
	fake_exit(&b.h, 0, 0, 0);
	assert_true(vgic_msi(b.h.vgic, VGIC_LPI_BASE));
	fake_enter(&b.h, 0);
	/* In one run: at its exit KVM takes an LPI out of the list registers. */
	acked = ack(&b, VGIC_LPI_BASE);
	next = eoi(&b, VGIC_LPI_BASE);
	pause_guest(&b);
	end(&b);
	const struct vgic_script *s = script(&b, VGIC_LPI_BASE, 0);

	assert_run(&b, &s->ack, acked);
	assert_run(&b, &s->drop, next);
	assert_run(&b, &s->deact, next);
	assert_int_equal(s->drop.at, s->deact.at);
	vgic_workload_destroy(b.wl);
}

static void an_active_state_that_was_written(void **state)
{
	uint64_t ended;
	struct bench b;

	begin(&b, VMCR0, 1);
	raise_one(&b, 32);
	ack(&b, 32);
	ended = eoi(&b, 32);
	pause_guest(&b);
	/* Without an acknowledge: its end is not that of the one before. */
	fake_exit(&b.h, 0, 2, 0x24);
	vgic_write_active(b.h.vgic, 0, 0, 32, true);
	b.h.hw[0].ap1r[0] |= 1u << (0xe8 >> 3);
	fake_enter(&b.h, 0);
	eoi(&b, 32);
	pause_guest(&b);
	assert_false(vgic_irq_find(b.h.vgic, 0, 32)->active);
	end(&b);
	assert_run(&b, &script(&b, 32, 0)->deact, ended);
	vgic_workload_destroy(b.wl);
}

static void eoicount_of_a_guest_out_of_order(void **state)
{
	uint64_t acked[8], again, ended[8];
	struct bench b;

	begin(&b, VMCR0, 1);
	nest(&b, acked);
	/* 39 is the one that should be ended: which one was is not known. */
	ended[0] = eoi(&b, 32);
	pause_guest(&b);
	for (uint32_t i = 1; i < 8; i++)
		ended[i] = eoi(&b, 32 + i);
	pause_guest(&b);
	raise_one(&b, 40);
	again = ack(&b, 40);
	end(&b);
	assert_open(&b, &script(&b, 40, 0)->deact, again);
	for (uint32_t i = 0; i < 8; i++) {
		const struct vgic_when *w = &script(&b, 32 + i, 0)->deact;

		assert_true(w->from <= ended[i] - b.wl->start);
		assert_true(w->to >= ended[i] - b.wl->start);
	}
	/* The one that KVM ended in its stead had not been ended yet. */
	assert_true(script(&b, 35, 0)->deact.to > run_of(&b, ended[0]).sync);
	vgic_workload_destroy(b.wl);
}

static void a_later_acknowledge_bounds_a_drop(void **state)
{
	uint64_t low, high, other;
	struct bench b;

	begin(&b, VMCR1, 1);
	raise_one(&b, 40);
	low = ack(&b, 40);
	eoi(&b, 40);
	pause_guest(&b);
	/* More urgent: says nothing of 40. */
	raise_one(&b, 41);
	high = ack(&b, 41);
	eoi(&b, 41);
	pause_guest(&b);
	raise_one(&b, 33);
	other = ack(&b, 33);
	pause_guest(&b);
	end(&b);
	assert_between(&b, &script(&b, 40, 0)->drop, low, other);
	assert_between(&b, &script(&b, 41, 0)->drop, high, other);
	assert_open(&b, &script(&b, 33, 0)->drop, other);
	assert_open(&b, &script(&b, 40, 0)->deact, low);
	vgic_workload_destroy(b.wl);
}

static void an_equal_priority_bounds_a_drop_too(void **state)
{
	uint64_t first, second;
	struct bench b;

	begin(&b, VMCR1, 1);
	vgic_write_priority(b.h.vgic, 0, 41, 0xa8);
	vgic_write_priority(b.h.vgic, 0, 40, 0xa8);
	raise_one(&b, 40);
	first = ack(&b, 40);
	eoi(&b, 40);
	pause_guest(&b);
	raise_one(&b, 41);
	second = ack(&b, 41);
	end(&b);
	assert_between(&b, &script(&b, 40, 0)->drop, first, second);
	vgic_workload_destroy(b.wl);
}

static void a_deactivation_bounds_its_drop(void **state)
{
	uint64_t acked, ended;
	struct bench b;

	/* The DIR of a PPI is not trapped. */
	begin(&b, VMCR1, 1);
	vgic_write_config(b.h.vgic, 20, false);
	vgic_write_enable(b.h.vgic, 0, 20, true);
	raise_one(&b, 20);
	acked = ack(&b, 20);
	pause_guest(&b);
	eoi(&b, 20);
	pause_guest(&b);
	ended = dir(&b, 0, 20);
	end(&b);
	assert_between(&b, &script(&b, 20, 0)->drop, acked, ended);
	assert_run(&b, &script(&b, 20, 0)->deact, ended);
	vgic_workload_destroy(b.wl);
}

/* More active than list registers: each DIR is trapped. */
static void a_trapped_dir_is_exact(void **state)
{
	uint64_t acked[8], ended[8];
	struct bench b;

	begin(&b, VMCR1, 1);
	for (uint32_t i = 0; i < 8; i++) {
		raise_one(&b, 32 + i);
		acked[i] = ack(&b, 32 + i);
		eoi(&b, 32 + i);
	}
	pause_guest(&b);
	for (uint32_t i = 0; i < 8; i++) {
		ended[i] = dir(&b, 0, 32 + i);
		pause_guest(&b);
	}
	end(&b);
	const struct vgic_script *s = script(&b, 32, 0);

	assert_true(s->deact.known);
	assert_int_equal(s->deact.from, ended[0] - b.wl->start);
	assert_int_equal(s->deact.at, s->deact.from);
	/* The record is written 300 ns after the sync has begun, and 100 ns later. */
	assert_int_equal(s->deact.to, s->deact.from + 400);
	assert_int_equal(s->drop.from, run_of(&b, acked[0]).entry);
	assert_int_equal(s->drop.to, s->deact.to);
	vgic_workload_destroy(b.wl);
}

static void a_dir_of_another_vcpu(void **state)
{
	uint64_t acked[8], ended;
	struct bench b;

	begin(&b, VMCR1, 2);
	for (uint32_t i = 0; i < 8; i++) {
		raise_one(&b, 32 + i);
		acked[i] = ack(&b, 32 + i);
		eoi(&b, 32 + i);
	}
	pause_guest(&b);
	b.h.hw[1].vmcr = VMCR1;
	b.h.vgic->vcpus[1].vmcr = VMCR1;
	fake_enter(&b.h, 1);
	b.h.now += 2000;
	struct vgr_dir d = {.value = 33};

	ended = b.h.now;
	fake_exit(&b.h, 1, 2, 0x18);
	b.h.now += 100;
	fake_put(&b.h, VGR_DIR, 1, &d, sizeof(d));
	vgic_deactivate(b.h.vgic, 1, 33);
	fake_enter(&b.h, 1);
	end(&b);
	const struct vgic_script *s = script(&b, 33, 0);

	assert_int_equal(s->vcpu, 0);
	assert_int_equal(s->deact.from, ended - b.wl->start);
	assert_int_equal(s->drop.from, run_of(&b, acked[1]).entry);
	vgic_workload_destroy(b.wl);
}

static void what_is_active_at_the_end_is_open(void **state)
{
	uint64_t acked;
	struct bench b;

	begin(&b, VMCR0, 1);
	raise_one(&b, 32);
	acked = ack(&b, 32);
	pause_guest(&b);
	end(&b);
	assert_run(&b, &script(&b, 32, 0)->ack, acked);
	assert_open(&b, &script(&b, 32, 0)->drop, acked);
	assert_open(&b, &script(&b, 32, 0)->deact, acked);
	assert_int_equal(script(&b, 32, 0)->deact.at, VGIC_WHEN_OPEN);
	/* The background is no interrupt. */
	const struct vgic_script *bg = &b.wl->scripts[b.wl->vcpus[0].background];

	assert_false(bg->ack.known || bg->drop.known || bg->deact.known);
	vgic_workload_destroy(b.wl);
}

static void the_shortest_run_is_no_guest_time(void **state)
{
	uint64_t entry;
	struct bench b;

	begin(&b, VMCR0, 1);
	/* The run in which the guest set its VMCR was 100 ns long, the next one is longer. */
	b.h.now += 300;
	raise_one(&b, 32);
	entry = b.h.now;
	ack(&b, 32);
	pause_guest(&b);
	end(&b);
	assert_int_equal(script(&b, 32, 0)->ack.at, entry + 40 - b.wl->start);
	vgic_workload_destroy(b.wl);
}

static void estimates_lie_inside(void **state)
{
	static const uint32_t list[] = {32, 33, 34, 35, 36, 37, 38, 39, 40, 41};
	unsigned int ended = 0;
	struct bench b;
	uint32_t intid;

	begin(&b, VMCR1, 1);
	for (unsigned int round = 0; round < 5; round++) {
		fake_raise(&b.h, 0, list, 10, true);
		while ((intid = fake_ack(&b.h, 0)) != VGIC_SPURIOUS) {
			fake_eoi(&b.h, 0, intid);
			if (ended++ % 3)
				fake_dir(&b.h, 0, intid);
		}
		for (uint32_t i = 0; i < 10; i++)
			fake_dir(&b.h, 0, list[i]);
	}
	end(&b);
	assert_true(b.wl->nr_scripts > 50);
	for (size_t i = 0; i < b.wl->nr_scripts; i++) {
		const struct vgic_script *s = &b.wl->scripts[i];
		const struct vgic_when *w[] = {&s->ack, &s->drop, &s->deact};

		for (unsigned int k = 0; k < 3 && s->source != VGIC_WL_NONE; k++) {
			assert_true(w[k]->from <= w[k]->to);
			assert_int_equal(w[k]->known, w[k]->to != VGIC_WHEN_OPEN);
			if (w[k]->at != VGIC_WHEN_OPEN)
				assert_in_range(w[k]->at, w[k]->from, w[k]->to);
		}
	}
	vgic_workload_destroy(b.wl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_registers_name_the_run),
		cmocka_unit_test(an_interrupt_taken_twice_in_a_run),
		cmocka_unit_test(eoicount_goes_by_the_acknowledges),
		cmocka_unit_test(an_lpi_is_not_counted),
		cmocka_unit_test(the_eoi_of_an_lpi_is_its_deactivation),
		cmocka_unit_test(an_active_state_that_was_written),
		cmocka_unit_test(eoicount_of_a_guest_out_of_order),
		cmocka_unit_test(a_later_acknowledge_bounds_a_drop),
		cmocka_unit_test(an_equal_priority_bounds_a_drop_too),
		cmocka_unit_test(a_deactivation_bounds_its_drop),
		cmocka_unit_test(a_trapped_dir_is_exact),
		cmocka_unit_test(a_dir_of_another_vcpu),
		cmocka_unit_test(what_is_active_at_the_end_is_open),
		cmocka_unit_test(the_shortest_run_is_no_guest_time),
		cmocka_unit_test(estimates_lie_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
