/* SPDX-License-Identifier: GPL-2.0-only */
/* Flushes written by hand: where two recordings of the same guest part, and where not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/parting.h>
#include <vgicsim/recording.h>

#define P VGIC_LR_PENDING
#define A VGIC_LR_ACTIVE

static struct vgic_parting *parting;
static struct vgic_parting_point point;
static uint64_t now;

static union {
	struct vgr_flush f;
	uint64_t space[64];
} u;

/* A flush with these INTIDs pending on the list (0 ends it), in this order, and these LRs. */
static void make(const uint32_t *list, const uint64_t *lr)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);
	uint16_t n = 0, used = 0;

	memset(&u, 0, sizeof(u));
	for (; list[n]; n++)
		irq[n] = (struct vgr_irq){
			.intid = list[n],
			.state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1 | VGR_IRQ_LATCH,
			.priority = 0xa0,
		};
	while (lr[used])
		used++;
	u.f.n_before = n;
	u.f.used_lrs = u.f.nr_lr = used;
	memcpy(irq + n, lr, used * sizeof(*lr));
	u.f.r.type = VGR_FLUSH;
	u.f.r.size = vgr_flush_size(n, 0, used);
	u.f.r.time = now += 1000;
}

static void put(unsigned int side)
{
	assert_int_equal(vgic_parting_record(parting, side, &u.f.r), 0);
}

static void flush(unsigned int side, const uint32_t *list, const uint64_t *lr)
{
	make(list, lr);
	put(side);
}

static int setup(void **state)
{
	now = 1000000;
	return vgic_parting_create(&parting, (const uint16_t[2]){0, 0});
}

static int teardown(void **state)
{
	vgic_parting_destroy(parting);
	vgic_parting_destroy(NULL);
	return 0;
}

static const uint32_t abc[] = {40, 41, 42, 0}, cba[] = {42, 41, 40, 0};
static const uint64_t ab[] = {40 | P, 41 | P, 0}, ba[] = {41 | P, 40 | P, 0};
static const uint64_t bc[] = {41 | P, 42 | P, 0};

static void other_lrs(void **state)
{
	struct vgr_plain other = {.r = {.type = VGR_LOAD, .size = sizeof(other), .time = 500}};

	assert_int_equal(vgic_parting_record(parting, 0, &other.r), 0);
	now = 500;
	flush(0, abc, ab);
	/* The order of the list is the kernel's own: not part of what is asked for. */
	now = 7000;
	flush(1, cba, bc);
	assert_int_equal(vgic_parting_find(parting, &point), 1);
	assert_int_equal(point.vcpu, 0);
	assert_false(point.order_only);
	assert_int_equal(point.side[0].record, 2);
	assert_int_equal(point.side[0].time_ns, 1000);
	assert_int_equal(point.side[1].record, 1);
	assert_int_equal(point.side[1].time_ns, 0);
	assert_int_equal(point.side[0].nr_lr, 2);
	assert_int_equal(point.side[0].lr[0], 40 | VGIC_SHOWN_PENDING);
	assert_int_equal(point.side[0].lr[1], 41 | VGIC_SHOWN_PENDING);
	assert_int_equal(point.side[1].lr[1], 42 | VGIC_SHOWN_PENDING);
	assert_int_equal(point.side[0].nr_list, 3);
	assert_int_equal(point.side[0].list[0] & VGIC_SHOWN_INTID, 40);
	assert_int_equal(point.side[1].list[0] & VGIC_SHOWN_INTID, 42);
}

static void nothing_that_parts(void **state)
{
	assert_int_equal(vgic_parting_find(parting, &point), 0);
	flush(0, abc, ab);
	flush(0, abc, ab);
	flush(1, abc, ab);
	assert_int_equal(vgic_parting_find(parting, &point), 0);
	/* One of several ways of the other side is enough. */
	flush(1, abc, bc);
	assert_int_equal(vgic_parting_find(parting, &point), 0);
}

static void another_demand_proves_nothing(void **state)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);

	flush(0, abc, ab);
	/* Another priority, state, vCPU: not what the first one had to choose from. */
	make(abc, bc);
	irq[0].priority = 0x80;
	put(1);
	make(abc, bc);
	irq[0].state |= VGR_IRQ_ACTIVE;
	put(1);
	make(abc, bc);
	irq[0].state &= ~VGR_IRQ_LATCH;
	put(1);
	make(abc, bc);
	u.f.r.vcpu = 1;
	put(1);
	assert_int_equal(vgic_parting_find(parting, &point), 0);
	/* A level line that is high is as pending as a latch, but another interrupt. */
	make(abc, bc);
	irq[0].state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1 | VGR_IRQ_LEVEL | VGR_IRQ_LINE;
	put(1);
	assert_int_equal(vgic_parting_find(parting, &point), 0);
	flush(1, abc, bc);
	assert_int_equal(vgic_parting_find(parting, &point), 1);
}

static void what_cannot_be_compared(void **state)
{
	static const uint32_t two[] = {41, 42, 0};

	flush(0, abc, ab);
	make(abc, bc);
	u.f.nested = 1;
	put(1);
	make(abc, bc);
	u.f.r.vm = 3;
	put(1);
	make(abc, bc);
	u.f.r.flags = VGR_F_CUT;
	put(1);
	make(abc, bc);
	u.f.r.flags = VGR_F_TORN;
	put(1);
	make(abc, bc);
	u.f.r.type = VGR_KICK;
	put(1);
	/* Room for all: their places are those of their arrival. */
	flush(0, two, (const uint64_t[]){41 | P, 42 | P, 0});
	flush(1, two, (const uint64_t[]){42 | P, 41 | P, 0});
	assert_int_equal(vgic_parting_find(parting, &point), 0);
}

static void order_counts_if_nothing_else_does(void **state)
{
	static const uint32_t other[] = {50, 51, 52, 0};

	flush(0, abc, ab);
	flush(1, abc, ba);
	assert_int_equal(vgic_parting_find(parting, &point), 1);
	assert_true(point.order_only);
	assert_int_equal(point.side[0].record, 1);
	/* A later entry with other interrupts in its LRs says more than an earlier order. */
	flush(0, other, (const uint64_t[]){50 | P, 51 | A, 0});
	flush(1, other, (const uint64_t[]){50 | P, 51 | P, 0});
	assert_int_equal(vgic_parting_find(parting, &point), 1);
	assert_false(point.order_only);
	assert_int_equal(point.side[0].record, 2);
	assert_int_equal(point.side[0].lr[1], 51 | VGIC_SHOWN_ACTIVE);
}

/* An LR that holds nothing is none. */
static void empty_lrs_show_nothing(void **state)
{
	flush(0, abc, (const uint64_t[]){40 | P, 77, 0});
	flush(1, abc, (const uint64_t[]){40 | P, 0});
	assert_int_equal(vgic_parting_find(parting, &point), 0);
}

static void one_among_thousands(void **state)
{
	for (uint32_t i = 0; i < 3000; i++) {
		const uint32_t list[] = {32 + i % 900, 2000 + i / 900, 5000, 0};
		const uint64_t lr[] = {list[0] | P, 0}, wrong[] = {list[1] | P, 0};

		flush(0, list, lr);
		flush(1, list, i == 1234 ? wrong : lr);
	}
	assert_int_equal(vgic_parting_find(parting, &point), 1);
	assert_int_equal(point.side[0].record, 1235);
	assert_int_equal(point.side[1].record, 1235);
	assert_int_equal(point.side[0].lr[0] & VGIC_SHOWN_INTID, 32 + 1234 % 900);
	assert_int_equal(point.side[1].lr[0] & VGIC_SHOWN_INTID, 2001);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_lrs),
		TEST(nothing_that_parts),
		TEST(another_demand_proves_nothing),
		TEST(what_cannot_be_compared),
		TEST(order_counts_if_nothing_else_does),
		TEST(empty_lrs_show_nothing),
		TEST(one_among_thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
