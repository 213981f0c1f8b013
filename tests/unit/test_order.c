// SPDX-License-Identifier: GPL-2.0-only
/* Order and losses of what comes out of the ring. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "order.h"

struct got {
	struct {
		uint16_t type, cpu;
		uint32_t seq, count;
		uint64_t time, from, to;
	} rec[64];
	int n;
	int fail_after; /* records; then -EIO. 0: never */
};

static int take(void *ctx, const struct vgr_rec *rec)
{
	struct got *g = ctx;

	if (g->fail_after && g->n == g->fail_after)
		return -EIO;
	assert_true(g->n < 64);
	g->rec[g->n].type = rec->type;
	g->rec[g->n].cpu = rec->cpu;
	g->rec[g->n].seq = rec->seq;
	g->rec[g->n].time = rec->time;
	if (rec->type == VGR_LOSS) {
		const struct vgr_loss *loss = (const void *)rec;

		g->rec[g->n].seq = loss->first_seq;
		g->rec[g->n].count = loss->count;
		g->rec[g->n].from = loss->from;
		g->rec[g->n].to = loss->to;
	}
	g->n++;
	return 0;
}

/* Record seq of a CPU, at the time 100 * seq. */
static int push(struct vgic_order *o, uint16_t cpu, uint32_t seq, struct got *g)
{
	struct vgr_plain p = {
		.r = {.type = VGR_KICK,
		      .size = sizeof(p),
		      .cpu = cpu,
		      .seq = seq,
		      .time = 100 * seq},
	};

	return vgic_order_push(o, &p.r, take, g);
}

static struct vgic_order *create(uint32_t cpus)
{
	struct vgic_order *o;

	assert_int_equal(vgic_order_create(&o, cpus), 0);
	return o;
}

static void test_straight(void **state)
{
	struct vgic_order *o = create(2);
	struct got g = {0};
	uint32_t last[2] = {3, 1};

	push(o, 0, 1, &g);
	push(o, 1, 1, &g);
	push(o, 0, 2, &g);
	push(o, 0, 3, &g);
	assert_int_equal(g.n, 4);
	assert_int_equal(g.rec[1].cpu, 1);
	assert_int_equal(g.rec[3].seq, 3);
	assert_int_equal(vgic_order_finish(o, last, take, &g), 0);
	assert_int_equal(g.n, 4);
	vgic_order_destroy(o);
}

/* An interrupted probe: 3 stands before 2 in the ring. */
static void test_swapped(void **state)
{
	struct vgic_order *o = create(2);
	struct got g = {0};
	int i;

	push(o, 0, 1, &g);
	push(o, 0, 3, &g);
	push(o, 1, 1, &g);
	assert_int_equal(g.n, 1);
	push(o, 0, 2, &g);
	assert_int_equal(g.n, 4);
	assert_int_equal(g.rec[1].seq, 2);
	assert_int_equal(g.rec[2].cpu, 1);
	assert_int_equal(g.rec[3].seq, 3);
	for (i = 0; i < g.n; i++)
		assert_int_equal(g.rec[i].type, VGR_KICK);
	vgic_order_destroy(o);
}

/* Three deep, and filled only in a later round. */
static void test_swapped_across_rounds(void **state)
{
	struct vgic_order *o = create(1);
	struct got g = {0};
	uint32_t i;

	push(o, 0, 3, &g);
	push(o, 0, 4, &g);
	push(o, 0, 2, &g);
	assert_int_equal(vgic_order_round(o, take, &g), 0);
	assert_int_equal(g.n, 0);
	push(o, 0, 1, &g);
	assert_int_equal(g.n, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(g.rec[i].seq, i + 1);
	assert_int_equal(vgic_order_late(o), 0);
	vgic_order_destroy(o);
}

static void test_loss(void **state)
{
	struct vgic_order *o = create(2);
	struct got g = {0};
	int round;

	push(o, 0, 1, &g);
	push(o, 0, 5, &g);
	push(o, 1, 1, &g);
	push(o, 0, 6, &g);
	for (round = 0; round < VGIC_ORDER_ROUNDS - 1; round++)
		vgic_order_round(o, take, &g);
	assert_int_equal(g.n, 1);
	vgic_order_round(o, take, &g);
	assert_int_equal(g.n, 5);
	assert_int_equal(g.rec[1].type, VGR_LOSS);
	assert_int_equal(g.rec[1].cpu, 0);
	assert_int_equal(g.rec[1].seq, 2);
	assert_int_equal(g.rec[1].count, 3);
	assert_int_equal(g.rec[1].from, 100);
	assert_int_equal(g.rec[1].to, 500);
	assert_int_equal(g.rec[2].seq, 5);
	assert_int_equal(g.rec[3].cpu, 1);
	assert_int_equal(g.rec[4].seq, 6);
	/* What comes after it was given up is dropped, and counted. */
	push(o, 0, 3, &g);
	assert_int_equal(g.n, 5);
	assert_int_equal(vgic_order_late(o), 1);
	push(o, 0, 7, &g);
	assert_int_equal(g.n, 6);
	vgic_order_destroy(o);
}

/* The first and the last records of a CPU are missing, and all of another's. */
static void test_loss_at_the_ends(void **state)
{
	struct vgic_order *o = create(3);
	struct got g = {0};
	uint32_t last[3] = {9, 0, 4};

	push(o, 0, 3, &g);
	assert_int_equal(g.n, 0);
	assert_int_equal(vgic_order_finish(o, last, take, &g), 0);
	assert_int_equal(g.n, 4);
	assert_int_equal(g.rec[0].type, VGR_LOSS);
	assert_int_equal(g.rec[0].seq, 1);
	assert_int_equal(g.rec[0].count, 2);
	assert_int_equal(g.rec[1].seq, 3);
	assert_int_equal(g.rec[2].type, VGR_LOSS);
	assert_int_equal(g.rec[2].seq, 4);
	assert_int_equal(g.rec[2].count, 6);
	assert_int_equal(g.rec[2].from, 300);
	assert_int_equal(g.rec[2].to, 0);
	assert_int_equal(g.rec[2].time, 300);
	assert_int_equal(g.rec[3].cpu, 2);
	assert_int_equal(g.rec[3].seq, 1);
	assert_int_equal(g.rec[3].count, 4);
	vgic_order_destroy(o);
}

static void test_sink_fails(void **state)
{
	struct vgic_order *o = create(1);
	struct got g = {.fail_after = 1};
	uint32_t last[1] = {4};

	assert_int_equal(push(o, 0, 1, &g), 0);
	assert_int_equal(push(o, 0, 2, &g), -EIO);
	assert_int_equal(push(o, 0, 4, &g), 0);
	assert_int_equal(vgic_order_finish(o, last, take, &g), -EIO);
	vgic_order_destroy(o);
}

static void test_no_such_cpu(void **state)
{
	struct vgic_order *o = create(2);
	struct got g = {0};

	assert_int_equal(push(o, 2, 1, &g), -EPROTO);
	vgic_order_destroy(o);
	vgic_order_destroy(NULL);
}

/* Ten thousand records in pseudo-random disorder within windows come out in order. */
static uint32_t expected;

static int in_order(void *ctx, const struct vgr_rec *rec)
{
	assert_int_equal(rec->type, VGR_KICK);
	assert_int_equal(rec->seq, ++expected);
	return 0;
}

static void test_many(void **state)
{
	struct vgic_order *o = create(1);
	uint32_t base, i, x = 1, last = 10000;

	expected = 0;
	for (base = 1; base <= 10000; base += 8) {
		uint32_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};

		for (i = 7; i > 0; i--) {
			uint32_t j, t;

			x = x * 1664525u + 1013904223u;
			j = (x >> 16) % (i + 1);
			t = order[i];
			order[i] = order[j];
			order[j] = t;
		}
		for (i = 0; i < 8; i++) {
			struct vgr_plain p = {
				.r = {.type = VGR_KICK, .size = sizeof(p), .seq = base + order[i]}};

			assert_int_equal(vgic_order_push(o, &p.r, in_order, NULL), 0);
		}
	}
	assert_int_equal(vgic_order_finish(o, &last, in_order, NULL), 0);
	assert_int_equal(expected, 10000);
	vgic_order_destroy(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_swapped_across_rounds),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_loss_at_the_ends),
		cmocka_unit_test(test_sink_fails),
		cmocka_unit_test(test_no_such_cpu),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
