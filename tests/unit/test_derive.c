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

static void begin(struct bench *b, uint32_t vmcr)
{
	struct vgic_derive_config cfg = {.nr_lr = 4, .eager_vmcr = true};

	assert_int_equal(vgic_derive_create(&b->d, &cfg), 0);
	fake_init(&b->h, "linux-7.3", 4, 1, tap, b);
	for (uint32_t i = 32; i < 48; i++) {
		vgic_write_config(b->h.vgic, i, false);
		vgic_write_enable(b->h.vgic, 0, i, true);
		vgic_write_priority(b->h.vgic, 0, i, (uint8_t)(0xe8 - (i - 32) * 8));
	}
	fake_enter(&b->h, 0);
	fake_vmcr(&b->h, 0, vmcr);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_register_exits_are_not_demand),
		cmocka_unit_test(nested_handlers_have_their_own_time),
		cmocka_unit_test(deactivation_belongs_to_who_writes_it),
		cmocka_unit_test(masked_time_is_seen),
		cmocka_unit_test(nothing_recorded_is_no_workload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
