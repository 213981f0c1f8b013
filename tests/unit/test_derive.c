/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/derive.h>

#include "fake_host.h"

#define VMCR0 (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)
#define VMCR1 (VMCR0 | VGIC_VMCR_VEOIM)

struct bench {
	struct fake_host h;
	struct vgic_derive *d;
	struct vgic_workload *wl;
};

static void tap(void *opaque, const struct vgr_rec *rec)
{
	struct bench *b = opaque;

	assert_int_equal(vgic_derive_record(b->d, rec), 0);
}

static void prepare(struct bench *b, unsigned int nr_vcpus)
{
	struct vgic_derive_config cfg = {.nr_lr = 4, .eager_vmcr = true};

	assert_int_equal(vgic_derive_create(&b->d, &cfg), 0);
	fake_init(&b->h, "linux-7.3", 4, nr_vcpus, tap, b);
	for (uint32_t i = 32; i < 48; i++) {
		vgic_write_config(b->h.vgic, i, false);
		vgic_write_enable(b->h.vgic, 0, i, true);
		vgic_write_priority(b->h.vgic, 0, i, (uint8_t)(0xe8 - (i - 32) * 8));
	}
}

static void begin_smp(struct bench *b, uint32_t vmcr, unsigned int nr_vcpus)
{
	prepare(b, nr_vcpus);
	fake_enter(&b->h, 0);
	fake_vmcr(&b->h, 0, vmcr);
}

static void begin(struct bench *b, uint32_t vmcr)
{
	begin_smp(b, vmcr, 1);
}

static void end(struct bench *b, struct vgic_derive_stats *stats)
{
	fake_exit(&b->h, 0, 2, 0x16);
	assert_int_equal(vgic_derive_finish(b->d, &b->wl), 0);
	vgic_derive_stats(b->d, stats);
	vgic_derive_destroy(b->d);
	fake_finish(&b->h);
}

/* Kinds of the operations of a script, VGIC_OP_EXIT with its exit kind + 16. */
static unsigned int kinds(const struct vgic_workload *wl, uint32_t script, uint8_t *to,
			  unsigned int max)
{
	unsigned int n = 0;

	for (uint32_t i = wl->scripts[script].first; i != VGIC_WL_NONE && n < max;
	     i = wl->ops[i].next)
		to[n++] = wl->ops[i].kind == VGIC_OP_EXIT ? 16 + wl->ops[i].exit : wl->ops[i].kind;
	return n;
}

static void list_register_exits_are_not_demand(void **state)
{
	static const uint32_t list[8] = {32, 33, 34, 35, 36, 37, 38, 39};
	struct vgic_derive_stats stats;
	struct bench b;
	uint8_t k[32];
	uint32_t intid;

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, list, 8, true);
	while ((intid = fake_ack(&b.h, 0)) != VGIC_SPURIOUS)
		fake_eoi(&b.h, 0, intid);
	assert_true(b.h.mis > 1);
	end(&b, &stats);
	/* VMCR, the request, the last hypercall: no MI is left. */
	assert_int_equal(kinds(b.wl, b.wl->vcpus[0].background, k, 32), 3);
	assert_int_equal(k[0], VGIC_OP_VMCR);
	assert_int_equal(k[1], 16 + VGIC_EXIT_MMIO);
	assert_int_equal(k[2], 16 + VGIC_EXIT_OTHER);
	for (size_t i = 0; i < b.wl->nr_sources; i++) {
		assert_int_equal(b.wl->sources[i].acks, 1);
		assert_int_equal(kinds(b.wl, b.wl->sources[i].first_script, k, 32), 1);
		assert_int_equal(k[0], VGIC_OP_EOI);
		assert_true(b.wl->scripts[b.wl->sources[i].first_script].whole);
	}
	assert_int_equal(stats.forced, 0);
	assert_int_equal(stats.unseen, 0);
	vgic_workload_destroy(b.wl);
}

static void nested_handlers_have_their_own_time(void **state)
{
	static const uint32_t low = 32, high = 33;
	struct vgic_derive_stats stats;
	struct bench b;
	uint8_t k[8];

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &low, 1, true);
	assert_int_equal(fake_ack(&b.h, 0), 32);
	fake_raise(&b.h, 0, &high, 1, true);
	assert_int_equal(fake_ack(&b.h, 0), 33);
	fake_run(&b.h, 0, 50000);
	/* Both are active at this exit: only then is it known that they were nested. */
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	fake_eoi(&b.h, 0, 33);
	fake_eoi(&b.h, 0, 32);
	end(&b, &stats);
	uint32_t outer = b.wl->sources[vgic_workload_find(b.wl, 0, 32)].first_script;
	uint32_t inner = b.wl->sources[vgic_workload_find(b.wl, 0, 33)].first_script;

	assert_int_equal(kinds(b.wl, outer, k, 8), 2);
	assert_int_equal(k[0], 16 + VGIC_EXIT_MMIO);
	assert_int_equal(k[1], VGIC_OP_EOI);
	assert_int_equal(kinds(b.wl, inner, k, 8), 2);
	assert_int_equal(k[0], 16 + VGIC_EXIT_OTHER_IRQ);
	assert_int_equal(k[1], VGIC_OP_EOI);
	/* The outer handler waits for the interrupt that it asked for. */
	const struct vgic_op *eoi = &b.wl->ops[b.wl->ops[b.wl->scripts[outer].first].next];

	assert_int_equal(eoi->need, 1);
	assert_true(b.wl->scripts[inner].own_ns >= 40000);
	assert_true(b.wl->scripts[outer].own_ns + b.wl->scripts[inner].own_ns <=
		    b.wl->vcpus[0].guest_ns);
	vgic_workload_destroy(b.wl);
}

static void deactivation_belongs_to_who_writes_it(void **state)
{
	static const uint32_t list[2] = {32, 33};
	struct vgic_derive_stats stats;
	struct bench b;
	uint8_t k[16];

	/* Both are acknowledged before the first is deactivated: DIR is part of the program. */
	begin(&b, VMCR1);
	fake_raise(&b.h, 0, list, 2, true);
	for (unsigned int i = 0; i < 2; i++)
		fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	fake_dir(&b.h, 0, 33);
	fake_dir(&b.h, 0, 32);
	end(&b, &stats);
	uint32_t first = b.wl->sources[vgic_workload_find(b.wl, 0, 33)].first_script;

	assert_int_equal(kinds(b.wl, first, k, 16), 1);
	assert_int_equal(k[0], VGIC_OP_DROP);
	vgic_workload_destroy(b.wl);

	/* One after the other: DIR is part of the handler. */
	begin(&b, VMCR1);
	fake_raise(&b.h, 0, list, 2, true);
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t intid = fake_ack(&b.h, 0);

		fake_eoi(&b.h, 0, intid);
		fake_dir(&b.h, 0, intid);
	}
	end(&b, &stats);
	first = b.wl->sources[vgic_workload_find(b.wl, 0, 33)].first_script;
	assert_int_equal(kinds(b.wl, first, k, 16), 2);
	assert_int_equal(k[0], VGIC_OP_DROP);
	assert_int_equal(k[1], VGIC_OP_DIR);
	vgic_workload_destroy(b.wl);
}

static void masked_time_is_seen(void **state)
{
	static const uint32_t one = 32;
	struct vgic_derive_stats stats;
	struct bench b;
	uint8_t k[16];
	unsigned int n, masks = 0, unmasks = 0;

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &one, 1, true);
	fake_run(&b.h, 0, 20000);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	fake_run(&b.h, 0, 5000);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	end(&b, &stats);
	n = kinds(b.wl, b.wl->vcpus[0].background, k, 16);
	for (unsigned int i = 0; i < n; i++) {
		masks += k[i] == VGIC_OP_MASK;
		unmasks += k[i] == VGIC_OP_UNMASK;
	}
	assert_int_equal(masks, 1);
	assert_int_equal(unmasks, 1);
	vgic_workload_destroy(b.wl);
}

static void nothing_recorded_is_no_workload(void **state)
{
	struct vgic_derive_config cfg = {.nr_lr = 4};
	struct vgr_sgi sgi = {.r = {.type = VGR_SGI, .size = sizeof(sgi), .vcpu = VGR_NO_VCPU}};
	struct vgic_workload *wl;
	struct vgic_derive *d;

	assert_int_equal(vgic_derive_create(&d, &cfg), 0);
	assert_int_equal(vgic_derive_record(d, &sgi.r), 0);
	sgi.r.vcpu = 50000;
	assert_int_equal(vgic_derive_record(d, &sgi.r), 0);
	assert_int_equal(vgic_derive_finish(d, &wl), -ENODATA);
	vgic_derive_destroy(d);
	cfg.nr_lr = 17;
	assert_int_equal(vgic_derive_create(&d, &cfg), -EINVAL);
}

/* ---- where effects come from, and where they hang ---- */

/* First effect of this kind about this interrupt (any with VGIC_WL_NONE), VGIC_WL_NONE if none. */
static uint32_t effect_of(const struct vgic_workload *wl, enum vgic_effect_kind kind,
			  uint32_t source)
{
	for (uint32_t i = 0; i < wl->nr_effects; i++)
		if (wl->effects[i].kind == kind &&
		    (source == VGIC_WL_NONE || wl->effects[i].source == source))
			return i;
	return VGIC_WL_NONE;
}

static bool in_chain(const struct vgic_workload *wl, uint32_t first, uint32_t effect)
{
	for (; first != VGIC_WL_NONE; first = wl->effects[first].next)
		if (first == effect)
			return true;
	return false;
}

/* Kind of the exit of the vCPU's program that the effect hangs on, -1 if on none. */
static int hangs_on(const struct vgic_workload *wl, unsigned int vcpu, uint32_t effect)
{
	uint32_t op = wl->scripts[wl->vcpus[vcpu].background].first;

	for (; op != VGIC_WL_NONE; op = wl->ops[op].next)
		if (in_chain(wl, wl->ops[op].effects, effect))
			return wl->ops[op].exit;
	return -1;
}

static uint32_t source_of(const struct bench *b, uint32_t intid)
{
	uint32_t s = vgic_workload_find(b->wl, 0, intid);

	assert_int_not_equal(s, VGIC_WL_NONE);
	return s;
}

/* By a thread that runs no vCPU. */
static void say_inject(struct bench *b, uint32_t intid, uint16_t vcpu, uint8_t path)
{
	struct vgr_inject in = {.intid = intid, .level = 1, .path = path};

	b->h.tid = 7;
	b->h.now += 50;
	fake_put(&b->h, VGR_INJECT, vcpu, &in, sizeof(in));
	b->h.tid = 7;
}

static void raises_while_the_guest_runs(void **state)
{
	static const uint32_t other = 40;
	struct vgic_derive_stats stats;
	struct bench b;
	uint32_t first, second;
	uint64_t since;

	begin(&b, VMCR0);
	/* No exit of the program yet: at its own time. */
	say_inject(&b, 32, VGR_NO_VCPU, VGR_PATH_IRQFD);
	vgic_inject(b.h.vgic, 0, 32, true);
	fake_raise(&b.h, 0, &other, 1, true);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	since = b.h.now;
	say_inject(&b, 33, VGR_NO_VCPU, VGR_PATH_IRQFD);
	vgic_inject(b.h.vgic, 0, 33, true);
	end(&b, &stats);
	first = effect_of(b.wl, VGIC_EFFECT_LINE, source_of(&b, 32));
	second = effect_of(b.wl, VGIC_EFFECT_LINE, source_of(&b, 33));
	assert_true(in_chain(b.wl, b.wl->open, first));
	assert_int_equal(b.wl->effects[first].origin, VGIC_ORIGIN_OUTSIDE);
	/* After the access that it came behind, though that was over. */
	assert_int_equal(hangs_on(b.wl, 0, second), VGIC_EXIT_MMIO);
	assert_in_range(b.wl->effects[second].delay_ns, 1000, since);
	assert_int_equal(hangs_on(b.wl, 0, effect_of(b.wl, VGIC_EFFECT_LINE, source_of(&b, 40))),
			 VGIC_EXIT_MMIO);
	vgic_workload_destroy(b.wl);
}

static void a_raise_that_its_list_does_not_show(void **state)
{
	static const uint32_t one = 32;
	struct vgic_derive_stats stats;
	struct bench b;
	uint32_t e, s;

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &one, 1, true);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	/* Recorded when it was asked for, and the thread lost its CPU right then. */
	fake_exit(&b.h, 0, 0, 0);
	say_inject(&b, 32, VGR_NO_VCPU, VGR_PATH_IRQFD);
	fake_enter(&b.h, 0);
	fake_run(&b.h, 0, 1000);
	fake_exit(&b.h, 0, 0, 0);
	vgic_inject(b.h.vgic, 0, 32, true);
	fake_enter(&b.h, 0);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	end(&b, &stats);
	s = source_of(&b, 32);
	assert_int_equal(b.wl->sources[s].acks, 2);
	assert_int_not_equal(effect_of(b.wl, VGIC_EFFECT_NONE, s), VGIC_WL_NONE);
	e = effect_of(b.wl, VGIC_EFFECT_LATCH, s);
	assert_int_not_equal(e, VGIC_WL_NONE);
	assert_true(b.wl->effects[e].wall_ns >
		    b.wl->effects[effect_of(b.wl, VGIC_EFFECT_NONE, s)].wall_ns);
	assert_int_equal(hangs_on(b.wl, 0, e), VGIC_EXIT_OTHER_IRQ);
	vgic_workload_destroy(b.wl);
}

static void pending_and_active_by_register(void **state)
{
	static const uint32_t list[6] = {32, 33, 34, 35, 36, 37};
	struct vgr_mmio m = {.gpa = 0x8000280, .len = 4, .write = 1};
	struct vgic_derive_stats stats;
	uint32_t s, t, set, clear;
	struct bench b;

	begin(&b, VMCR0);
	/* More than LRs: 32, the least urgent, keeps its latch outside. */
	fake_raise(&b.h, 0, list, 6, true);
	fake_exit(&b.h, 0, 2, 0x24);
	fake_put(&b.h, VGR_MMIO, 0, &m, sizeof(m));
	vgic_write_pending(b.h.vgic, 0, 32, false);
	vgic_write_active(b.h.vgic, 0, 0, 45, true);
	fake_enter(&b.h, 0);
	fake_run(&b.h, 0, 1000);
	fake_exit(&b.h, 0, 2, 0x24);
	fake_put(&b.h, VGR_MMIO, 0, &m, sizeof(m));
	vgic_write_active(b.h.vgic, 0, 0, 45, false);
	fake_enter(&b.h, 0);
	end(&b, &stats);
	s = source_of(&b, 32);
	assert_int_equal(hangs_on(b.wl, 0, effect_of(b.wl, VGIC_EFFECT_UNLATCH, s)),
			 VGIC_EXIT_MMIO);
	assert_int_equal(effect_of(b.wl, VGIC_EFFECT_UNLATCH, source_of(&b, 33)), VGIC_WL_NONE);
	t = source_of(&b, 45);
	set = effect_of(b.wl, VGIC_EFFECT_ACTIVE, t);
	assert_int_equal(b.wl->effects[set].level, 1);
	assert_int_equal(hangs_on(b.wl, 0, set), VGIC_EXIT_MMIO);
	for (clear = set + 1; clear < b.wl->nr_effects; clear++)
		if (b.wl->effects[clear].kind == VGIC_EFFECT_ACTIVE)
			break;
	assert_true(clear < b.wl->nr_effects);
	assert_int_equal(b.wl->effects[clear].level, 0);
	assert_int_equal(b.wl->effects[clear].source, t);
	vgic_workload_destroy(b.wl);
}

static void a_timer_that_was_disabled(void **state)
{
	struct vgic_derive_stats stats;
	struct bench b;
	uint32_t s, e;

	begin(&b, VMCR0);
	fake_exit(&b.h, 0, 2, 0x24);
	say_inject(&b, 27, 0, VGR_PATH_TIMER);
	vgic_inject(b.h.vgic, 0, 27, true);
	fake_enter(&b.h, 0);
	fake_exit(&b.h, 0, 2, 0x24);
	vgic_write_enable(b.h.vgic, 0, 27, true);
	fake_enter(&b.h, 0);
	assert_int_equal(fake_ack(&b.h, 0), 27);
	end(&b, &stats);
	s = source_of(&b, 27);
	assert_false(b.wl->sources[s].initial.state & VGR_IRQ_ENABLED);
	e = effect_of(b.wl, VGIC_EFFECT_STATE, s);
	assert_int_not_equal(e, VGIC_WL_NONE);
	assert_true(b.wl->props[b.wl->effects[e].prop].state & VGR_IRQ_ENABLED);
	e = effect_of(b.wl, VGIC_EFFECT_LINE, s);
	assert_int_equal(b.wl->effects[e].origin, VGIC_ORIGIN_TIMER);
	vgic_workload_destroy(b.wl);
}

static void another_vcpu_writes_the_register(void **state)
{
	static const uint32_t list[6] = {32, 33, 34, 35, 36, 37};
	struct vgr_mmio m = {.gpa = 0x8000420, .len = 1, .write = 1};
	struct vgic_derive_stats stats;
	struct bench b;
	uint32_t e;

	begin_smp(&b, VMCR0, 2);
	fake_raise(&b.h, 0, list, 6, true);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 1);
	fake_run(&b.h, 1, 500);
	fake_exit(&b.h, 1, 2, 0x24);
	b.h.now += 100;
	fake_put(&b.h, VGR_MMIO, 1, &m, sizeof(m));
	vgic_write_priority(b.h.vgic, 0, 32, 0x10);
	b.h.now += 100;
	fake_enter(&b.h, 0);
	fake_enter(&b.h, 1);
	fake_exit(&b.h, 1, 2, 0x16);
	end(&b, &stats);
	e = effect_of(b.wl, VGIC_EFFECT_STATE, source_of(&b, 32));
	assert_int_equal(b.wl->props[b.wl->effects[e].prop].priority, 0x10);
	assert_int_equal(hangs_on(b.wl, 0, e), -1);
	assert_int_equal(hangs_on(b.wl, 1, e), VGIC_EXIT_MMIO);
	vgic_workload_destroy(b.wl);
}

static void an_sgi_ends_a_wait(void **state)
{
	struct vgr_sgi sgi = {.value = 3ull << 24 | 2, .allow_group1 = 1};
	struct vgic_derive_stats stats;
	struct vgr_wfx wfx = {0};
	struct bench b;
	uint32_t e, wake;

	begin_smp(&b, VMCR0, 2);
	fake_enter(&b.h, 1);
	fake_vmcr(&b.h, 1, VMCR0);
	fake_exit(&b.h, 1, 2, 0x01);
	fake_put(&b.h, VGR_WFX, 1, &wfx, sizeof(wfx));
	fake_exit(&b.h, 0, 2, 0x18);
	b.h.now += 100;
	fake_put(&b.h, VGR_SGI, 0, &sgi, sizeof(sgi));
	vgic_write_sgir(b.h.vgic, 0, sgi.value, true);
	fake_enter(&b.h, 0);
	fake_enter(&b.h, 1);
	assert_int_equal(fake_ack(&b.h, 1), 3);
	fake_eoi(&b.h, 1, 3);
	fake_exit(&b.h, 1, 2, 0x16);
	end(&b, &stats);
	e = effect_of(b.wl, VGIC_EFFECT_SGI, VGIC_WL_NONE);
	assert_int_equal(b.wl->effects[e].value, sgi.value);
	assert_int_equal(b.wl->effects[e].vcpu, 0);
	assert_int_equal(hangs_on(b.wl, 0, e), VGIC_EXIT_SGI);
	wake = effect_of(b.wl, VGIC_EFFECT_WAKE, 1);
	assert_int_equal(b.wl->effects[wake].value, 1);
	assert_int_equal(hangs_on(b.wl, 0, wake), VGIC_EXIT_SGI);
	/* The SGI needs no effect of its own on the vCPU that got it. */
	assert_int_equal(effect_of(b.wl, VGIC_EFFECT_LATCH, vgic_workload_find(b.wl, 1, 3)),
			 VGIC_WL_NONE);
	vgic_workload_destroy(b.wl);
}

/* Which LPI an MSI raises shows only later; the oldest that is open is it. */
static void msis_find_their_lpi(void **state)
{
	struct vgr_msi msi = {.devid = 1};
	struct vgic_derive_stats stats;
	uint32_t latch[80], n = 0, s;
	struct bench b;

	begin(&b, VMCR0);
	assert_int_equal(vgic_lpi_add(b.h.vgic, VGIC_LPI_BASE), 0);
	vgic_irq_find(b.h.vgic, 0, VGIC_LPI_BASE)->enabled = true;
	vgic_irq_find(b.h.vgic, 0, VGIC_LPI_BASE)->target = 0;
	fake_exit(&b.h, 0, 2, 0x24);
	/* 70 of them, two by two; what is older than the last 64 is forgotten. */
	for (uint32_t i = 0; i < 70; i++) {
		msi.eventid = i / 2;
		fake_put(&b.h, VGR_MSI, VGR_NO_VCPU, &msi, sizeof(msi));
	}
	vgic_write_pending(b.h.vgic, 0, VGIC_LPI_BASE, true);
	fake_enter(&b.h, 0);
	assert_int_equal(fake_ack(&b.h, 0), VGIC_LPI_BASE);
	fake_eoi(&b.h, 0, VGIC_LPI_BASE);
	/* From now on it is known: event 3. */
	fake_exit(&b.h, 0, 2, 0x24);
	msi.eventid = 3;
	fake_put(&b.h, VGR_MSI, VGR_NO_VCPU, &msi, sizeof(msi));
	fake_enter(&b.h, 0);
	end(&b, &stats);
	s = source_of(&b, VGIC_LPI_BASE);
	for (uint32_t i = 0; i < b.wl->nr_effects; i++)
		if (b.wl->effects[i].kind == VGIC_EFFECT_LATCH && n < 80)
			latch[n++] = i;
	assert_int_equal(n, 71);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(b.wl->effects[latch[i]].source,
				 i == 6 || i == 7 || i == 70 ? s : VGIC_WL_NONE);
	vgic_workload_destroy(b.wl);
}

static void a_kick_is_no_demand(void **state)
{
	struct vgr_plain kick;
	struct vgic_derive_stats stats;
	struct bench b;
	uint8_t k[8];

	begin(&b, VMCR0);
	fake_run(&b.h, 0, 1000);
	memset(&kick, 0, sizeof(kick));
	fake_put(&b.h, VGR_KICK, 0, &kick, sizeof(kick));
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	fake_run(&b.h, 0, 1000);
	fake_exit(&b.h, 0, 0, 0);
	/* Too late: nobody is in the guest. */
	fake_put(&b.h, VGR_KICK, 0, &kick, sizeof(kick));
	fake_enter(&b.h, 0);
	end(&b, &stats);
	assert_int_equal(kinds(b.wl, b.wl->vcpus[0].background, k, 8), 3);
	assert_int_equal(k[0], VGIC_OP_VMCR);
	assert_int_equal(k[1], 16 + VGIC_EXIT_OTHER_IRQ);
	assert_int_equal(k[2], 16 + VGIC_EXIT_OTHER);
	vgic_workload_destroy(b.wl);
}

/* ---- what the rules would not have given ---- */

static uint64_t *lr_with(struct bench *b, uint32_t intid)
{
	for (unsigned int i = 0; i < 4; i++)
		if ((b->h.hw[0].lr[i] & VGIC_LR_STATE) &&
		    (b->h.hw[0].lr[i] & VGIC_LR_VINTID) == intid)
			return &b->h.hw[0].lr[i];
	fail_msg("INTID %u is in no LR", intid);
	return NULL;
}

static void set_lr(struct bench *b, uint32_t intid, uint64_t what)
{
	uint64_t *lr = lr_with(b, intid);

	*lr = (*lr & ~VGIC_LR_STATE) | what;
}

/* The less urgent one is taken, and later the other one: a guest that polls. */
static void an_acknowledge_out_of_order(void **state)
{
	static const uint32_t list[2] = {32, 33};
	struct vgic_derive_stats stats;
	unsigned int n, unmasks = 0;
	struct bench b;
	uint8_t k[16];

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, list, 2, true);
	fake_run(&b.h, 0, 20000);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	fake_run(&b.h, 0, 1000);
	set_lr(&b, 32, VGIC_LR_ACTIVE);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	set_lr(&b, 32, 0);
	end(&b, &stats);
	assert_int_equal(stats.forced, 1);
	assert_int_equal(b.wl->sources[source_of(&b, 32)].acks, 1);
	assert_int_equal(b.wl->sources[source_of(&b, 33)].acks, 0);
	assert_true(b.wl->scripts[b.wl->sources[source_of(&b, 32)].first_script].whole);
	/* Nothing was taken in the first run: it was masked, and is no more. */
	n = kinds(b.wl, b.wl->vcpus[0].background, k, 16);
	for (unsigned int i = 0; i < n; i++)
		unmasks += k[i] == VGIC_OP_UNMASK;
	assert_int_equal(unmasks, 1);
	vgic_workload_destroy(b.wl);
}

static void a_priority_drop_that_nothing_shows(void **state)
{
	static const uint32_t low = 32, high = 33;
	struct vgic_derive_stats stats;
	struct bench b;

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &high, 1, true);
	assert_int_equal(fake_ack(&b.h, 0), 33);
	fake_raise(&b.h, 0, &low, 1, true);
	/* 33 stands as active, and still 32, less urgent, is taken. */
	set_lr(&b, 32, VGIC_LR_ACTIVE);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	end(&b, &stats);
	assert_int_equal(stats.unseen, 1);
	assert_int_equal(stats.forced, 0);
	assert_int_equal(b.wl->sources[source_of(&b, 32)].acks, 1);
	vgic_workload_destroy(b.wl);
}

static void ended_out_of_order(void **state)
{
	static const uint32_t low = 32, high = 33;
	struct vgic_derive_stats stats;
	struct bench b;
	uint8_t k[8];

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &low, 1, true);
	assert_int_equal(fake_ack(&b.h, 0), 32);
	fake_raise(&b.h, 0, &high, 1, true);
	assert_int_equal(fake_ack(&b.h, 0), 33);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	/* The outer one ends first. */
	set_lr(&b, 32, 0);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	set_lr(&b, 33, 0);
	end(&b, &stats);
	assert_int_equal(stats.forced + stats.unseen, 0);
	for (uint32_t i = 32; i < 34; i++) {
		uint32_t script = b.wl->sources[source_of(&b, i)].first_script;
		unsigned int n = kinds(b.wl, script, k, 8);

		assert_true(b.wl->scripts[script].whole);
		assert_int_equal(k[n - 1], VGIC_OP_EOI);
	}
	vgic_workload_destroy(b.wl);
}

/* SGIs with EOImode 1: their DIRs do not trap, and come long after their drops. */
static void dirs_that_do_not_trap(void **state)
{
	struct vgic_derive_stats stats;
	unsigned int n, dirs = 0;
	struct bench b;
	uint8_t k[16];

	begin(&b, VMCR1);
	fake_exit(&b.h, 0, 2, 0x18);
	vgic_send_sgi(b.h.vgic, 0, 3, true);
	vgic_send_sgi(b.h.vgic, 0, 4, true);
	fake_enter(&b.h, 0);
	for (unsigned int i = 0; i < 2; i++)
		fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	fake_exit(&b.h, 0, 2, 0x16);
	fake_enter(&b.h, 0);
	fake_dir(&b.h, 0, 3);
	fake_dir(&b.h, 0, 4);
	end(&b, &stats);
	assert_int_equal(stats.forced, 0);
	n = kinds(b.wl, b.wl->vcpus[0].background, k, 16);
	for (unsigned int i = 0; i < n; i++)
		dirs += k[i] == VGIC_OP_DIR;
	for (uint32_t intid = 3; intid < 5; intid++) {
		uint32_t s = source_of(&b, intid);

		assert_int_equal(b.wl->sources[s].acks, 1);
		n = kinds(b.wl, b.wl->sources[s].first_script, k, 16);
		for (unsigned int i = 0; i < n; i++)
			dirs += k[i] == VGIC_OP_DIR;
	}
	assert_int_equal(dirs, 2);
	vgic_workload_destroy(b.wl);
}

/* Priority written while the interrupt is on no list, seen only when it was raised. */
static void what_is_written_before_a_raise(void **state)
{
	static const uint32_t one = 32;
	struct vgic_derive_stats stats;
	const struct vgic_effect *raise = NULL;
	struct bench b;

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &one, 1, true);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	fake_exit(&b.h, 0, 2, 0x16);
	vgic_write_priority(b.h.vgic, 0, one, 0x40);
	fake_enter(&b.h, 0);
	fake_raise(&b.h, 0, &one, 1, true);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	end(&b, &stats);
	for (size_t i = 0; i < b.wl->nr_effects; i++) {
		assert_int_not_equal(b.wl->effects[i].kind, VGIC_EFFECT_STATE);
		if (b.wl->effects[i].prop != VGIC_WL_NONE)
			raise = &b.wl->effects[i];
	}
	assert_non_null(raise);
	assert_int_equal(raise->kind, VGIC_EFFECT_LINE);
	assert_int_equal(b.wl->props[raise->prop].priority, 0x40);
	vgic_workload_destroy(b.wl);
}

/* A handler that leaves the guest once, and drops its priority then. */
static uint32_t handle_with_an_exit(struct bench *b)
{
	uint32_t intid = fake_ack(&b->h, 0);

	if (intid == VGIC_SPURIOUS)
		return intid;
	fake_exit(&b->h, 0, 2, 0x16);
	fake_enter(&b->h, 0);
	fake_eoi(&b->h, 0, intid);
	return intid;
}

/*
 * EOImode 1 on hardware that counts an EOIR without an LR: where others were counted tells
 * when one was written that was not.
 */
static void unseen_drops_are_where_seen_ones_were(void **state)
{
	static const uint32_t many[8] = {32, 33, 34, 35, 36, 37, 38, 39}, one = 47, next = 40;
	struct vgic_derive_stats stats;
	uint32_t taken[8], n = 0;
	struct bench b;
	uint8_t k[32];

	begin(&b, VMCR1);
	b.h.hw_cfg.eoicount_on_split_eoir = true;
	fake_raise(&b.h, 0, many, 8, true);
	while (n < 8 && (taken[n] = handle_with_an_exit(&b)) != VGIC_SPURIOUS)
		n++;
	assert_int_equal(n, 8);
	for (uint32_t i = 0; i < n; i++)
		fake_dir(&b.h, 0, taken[i]);
	/* This one keeps its LR: nothing shows its EOIR but the next acknowledge, much later. */
	fake_raise(&b.h, 0, &one, 1, true);
	assert_int_equal(handle_with_an_exit(&b), one);
	for (int i = 0; i < 3; i++) {
		fake_exit(&b.h, 0, 2, 0x16);
		fake_enter(&b.h, 0);
	}
	fake_raise(&b.h, 0, &next, 1, true);
	assert_int_equal(handle_with_an_exit(&b), next);
	fake_dir(&b.h, 0, one);
	fake_dir(&b.h, 0, next);
	end(&b, &stats);
	uint32_t script = b.wl->sources[vgic_workload_find(b.wl, 0, one)].first_script;

	n = kinds(b.wl, script, k, 32);
	assert_true(n >= 2);
	assert_int_equal(k[0], 16 + VGIC_EXIT_OTHER);
	assert_int_equal(k[1], VGIC_OP_DROP);
	vgic_workload_destroy(b.wl);
}

/* ---- recordings that are not whole ---- */

static void what_is_missing_is_counted(void **state)
{
	struct vgr_loss loss = {.count = 5};
	struct vgic_derive_stats stats;
	struct vgr_exit stray = {0};
	struct vgr_entry entry = {0};
	struct bench b;

	begin(&b, VMCR0);
	fake_exit(&b.h, 0, 2, 0x16);
	/* An exit and an entry whose flush is missing. */
	fake_put(&b.h, VGR_EXIT, 0, &stray, sizeof(stray));
	fake_put(&b.h, VGR_ENTRY, 0, &entry, sizeof(entry));
	fake_put(&b.h, VGR_LOSS, VGR_NO_VCPU, &loss, sizeof(loss));
	fake_enter(&b.h, 0);
	struct vgr_flush *f = (void *)b.h.buf;

	f->r.flags = VGR_F_CUT;
	/* Lies about its LRs do no harm. */
	f->used_lrs = 9;
	f->nr_lr = 2;
	assert_int_equal(vgic_derive_record(b.d, &f->r), 0);
	end(&b, &stats);
	assert_int_equal(stats.cut, 1);
	assert_int_equal(stats.lost, 5);
	assert_int_equal(stats.runs, 3);
	vgic_workload_destroy(b.wl);
	vgic_derive_destroy(NULL);
}

static void interrupts_that_could_not_be_read(void **state)
{
	static const uint32_t one = 32;
	struct vgic_derive_stats stats;
	struct bench b;
	struct vgr_flush *f;
	struct vgr_irq *irq;
	uint32_t e;

	begin(&b, VMCR0);
	fake_raise(&b.h, 0, &one, 1, true);
	f = (void *)b.h.buf;
	irq = (struct vgr_irq *)(f + 1);
	assert_int_equal(f->n_before, 1);
	irq[0].state = irq[1].state = VGR_IRQ_GONE;
	irq[0].priority = irq[1].priority = 1;
	assert_int_equal(vgic_derive_record(b.d, &f->r), 0);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	end(&b, &stats);
	/* Its state then says nothing: no change of it. */
	e = effect_of(b.wl, VGIC_EFFECT_STATE, source_of(&b, 32));
	assert_int_equal(e, VGIC_WL_NONE);
	assert_int_equal(b.wl->sources[source_of(&b, 32)].acks, 1);
	vgic_workload_destroy(b.wl);
}

/* A recorder that comes to a running guest: the first flush began before its record. */
static void pending_before_the_first_record(void **state)
{
	struct vgic_derive_stats stats;
	struct bench b;
	uint32_t e;

	prepare(&b, 1);
	vgic_inject(b.h.vgic, 0, 40, true);
	fake_enter(&b.h, 0);
	fake_vmcr(&b.h, 0, VMCR0);
	fake_eoi(&b.h, 0, fake_ack(&b.h, 0));
	end(&b, &stats);
	e = effect_of(b.wl, VGIC_EFFECT_LATCH, source_of(&b, 40));
	assert_int_not_equal(e, VGIC_WL_NONE);
	assert_int_equal(b.wl->effects[e].wall_ns, 0);
	vgic_workload_destroy(b.wl);
}

/* ---- the estimator ---- */

static uint32_t script_of(const struct bench *b, uint32_t intid, unsigned int n)
{
	uint32_t s = b->wl->sources[source_of(b, intid)].first_script;

	for (; n; n--)
		s = b->wl->scripts[s].next;
	return s;
}

/* Short runs say how long a handler takes at most: in a long run it takes no longer. */
static void a_handler_takes_what_others_took(void **state)
{
	static const uint32_t intid = 32;
	struct vgic_derive_stats stats;
	struct bench b;

	begin(&b, VMCR0);
	for (unsigned int i = 0; i < 9; i++) {
		fake_raise(&b.h, 0, &intid, 1, true);
		assert_int_equal(fake_ack(&b.h, 0), intid);
		fake_run(&b.h, 0, 3000);
		fake_eoi(&b.h, 0, intid);
		fake_run(&b.h, 0, i == 0 || i == 8 ? 100000 : 500);
	}
	end(&b, &stats);
	/* Nothing was known of the first one: half of its run. */
	assert_true(b.wl->scripts[script_of(&b, intid, 0)].own_ns > 40000);
	assert_true(b.wl->scripts[script_of(&b, intid, 8)].own_ns > 2500);
	assert_true(b.wl->scripts[script_of(&b, intid, 8)].own_ns < 8000);
	vgic_workload_destroy(b.wl);
}

/* An MI comes with the end of a handler: that is the run's end, to the ns. */
static void the_last_step_is_the_end_of_its_run(void **state)
{
	static const uint32_t list[7] = {32, 33, 34, 35, 36, 37, 38};
	struct vgic_derive_stats stats;
	struct bench b;
	uint32_t intid;

	for (uint64_t ns = 1000; ns < 1007; ns++) {
		begin(&b, VMCR0);
		fake_raise(&b.h, 0, list, 7, true);
		while ((intid = fake_ack(&b.h, 0)) != VGIC_SPURIOUS) {
			fake_run(&b.h, 0, ns);
			fake_eoi(&b.h, 0, intid);
			fake_run(&b.h, 0, 0);
		}
		end(&b, &stats);
		assert_true(b.wl->profile.nr_mi_delays > 0);
		for (unsigned int i = 0; i < b.wl->profile.nr_mi_delays; i++)
			assert_int_equal(b.wl->profile.mi_delays[i], 0);
		vgic_workload_destroy(b.wl);
	}
}

/* KVM knows no active LPI: one that an exit interrupts has no LR any more when it ends. */
static void an_lpi_that_ends_without_a_trace(void **state)
{
	struct vgic_derive_stats stats;
	struct vgr_wfx wfx = {0};
	struct bench b;
	uint8_t k[8];

	begin(&b, VMCR0);
	assert_int_equal(vgic_lpi_add(b.h.vgic, VGIC_LPI_BASE), 0);
	vgic_irq_find(b.h.vgic, 0, VGIC_LPI_BASE)->enabled = true;
	vgic_irq_find(b.h.vgic, 0, VGIC_LPI_BASE)->target = 0;
	fake_exit(&b.h, 0, 2, 0x24);
	vgic_write_pending(b.h.vgic, 0, VGIC_LPI_BASE, true);
	fake_enter(&b.h, 0);
	assert_int_equal(fake_ack(&b.h, 0), VGIC_LPI_BASE);
	fake_run(&b.h, 0, 1000);
	fake_exit(&b.h, 0, 0, 0);
	fake_enter(&b.h, 0);
	fake_run(&b.h, 0, 10000);
	fake_exit(&b.h, 0, 2, 0x01);
	fake_put(&b.h, VGR_WFX, 0, &wfx, sizeof(wfx));
	fake_enter(&b.h, 0);
	end(&b, &stats);
	assert_int_equal(stats.unseen, 1);
	assert_int_equal(kinds(b.wl, script_of(&b, VGIC_LPI_BASE, 0), k, 8), 2);
	assert_int_equal(k[0], 16 + VGIC_EXIT_OTHER_IRQ);
	assert_int_equal(k[1], VGIC_OP_EOI);
	/* The program sleeps, not the handler. */
	assert_int_equal(kinds(b.wl, b.wl->vcpus[0].background, k, 8), 4);
	assert_int_equal(k[2], 16 + VGIC_EXIT_WFI);
	vgic_workload_destroy(b.wl);
}

/* ---- what a guest asks for ---- */

static bool asks_for_timer(const struct bench *b)
{
	uint32_t op = b->wl->scripts[b->wl->vcpus[0].background].first;

	for (; op != VGIC_WL_NONE; op = b->wl->ops[op].next)
		if (b->wl->ops[op].kind == VGIC_OP_EXIT &&
		    b->wl->ops[op].exit == VGIC_EXIT_OTHER_IRQ)
			return b->wl->ops[op].asks != VGIC_WL_NONE;
	return false;
}

/* A timer that made the guest leave is waited for; one that fired while others ran is not. */
static void a_timer_that_fires_while_another_runs(void **state)
{
	for (int other = 0; other < 2; other++) {
		struct vgic_derive_stats stats;
		struct bench b;

		begin_smp(&b, VMCR0, 2);
		vgic_write_enable(b.h.vgic, 0, 27, true);
		fake_exit(&b.h, 0, 0, 0);
		if (other) {
			fake_enter(&b.h, 1);
			fake_exit(&b.h, 1, 2, 0x24);
		}
		say_inject(&b, 27, 0, VGR_PATH_TIMER);
		vgic_inject(b.h.vgic, 0, 27, true);
		fake_enter(&b.h, 0);
		assert_int_equal(fake_ack(&b.h, 0), 27);
		end(&b, &stats);
		assert_int_equal(asks_for_timer(&b), !other);
		vgic_workload_destroy(b.wl);
	}
}

/* Asked for twice and answered once: nobody waits for a second answer, or for none. */
static void asked_for_again_before_the_answer(void **state)
{
	static const uint32_t intid = 32;
	struct vgic_derive_stats stats;
	uint32_t op, need = 0;
	struct bench b;

	begin(&b, VMCR0);
	/* The first one is masked by its priority. */
	fake_vmcr(&b.h, 0, VGIC_VMCR_VENG1);
	fake_raise(&b.h, 0, &intid, 1, true);
	fake_raise(&b.h, 0, &intid, 1, true);
	fake_vmcr(&b.h, 0, VMCR0);
	assert_int_equal(fake_ack(&b.h, 0), intid);
	fake_eoi(&b.h, 0, intid);
	end(&b, &stats);
	for (op = b.wl->scripts[b.wl->vcpus[0].background].first; op != VGIC_WL_NONE;
	     op = b.wl->ops[op].next)
		need = b.wl->ops[op].need;
	assert_int_equal(need, 2);
	vgic_workload_destroy(b.wl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_register_exits_are_not_demand),
		cmocka_unit_test(nested_handlers_have_their_own_time),
		cmocka_unit_test(deactivation_belongs_to_who_writes_it),
		cmocka_unit_test(masked_time_is_seen),
		cmocka_unit_test(nothing_recorded_is_no_workload),
		cmocka_unit_test(raises_while_the_guest_runs),
		cmocka_unit_test(a_raise_that_its_list_does_not_show),
		cmocka_unit_test(pending_and_active_by_register),
		cmocka_unit_test(a_timer_that_was_disabled),
		cmocka_unit_test(another_vcpu_writes_the_register),
		cmocka_unit_test(an_sgi_ends_a_wait),
		cmocka_unit_test(msis_find_their_lpi),
		cmocka_unit_test(a_kick_is_no_demand),
		cmocka_unit_test(an_acknowledge_out_of_order),
		cmocka_unit_test(a_priority_drop_that_nothing_shows),
		cmocka_unit_test(ended_out_of_order),
		cmocka_unit_test(dirs_that_do_not_trap),
		cmocka_unit_test(what_is_written_before_a_raise),
		cmocka_unit_test(unseen_drops_are_where_seen_ones_were),
		cmocka_unit_test(what_is_missing_is_counted),
		cmocka_unit_test(interrupts_that_could_not_be_read),
		cmocka_unit_test(a_handler_takes_what_others_took),
		cmocka_unit_test(the_last_step_is_the_end_of_its_run),
		cmocka_unit_test(an_lpi_that_ends_without_a_trace),
		cmocka_unit_test(a_timer_that_fires_while_another_runs),
		cmocka_unit_test(asked_for_again_before_the_answer),
		cmocka_unit_test(pending_before_the_first_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
