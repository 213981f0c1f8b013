// SPDX-License-Identifier: GPL-2.0-only
/* Order and losses of what comes out of the rings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "order.h"
#include "shared.h"

#define RING RING_MIN
#define EVER UINT64_MAX

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

/* The rings, written as the programs do. */
struct rings {
	uint8_t *areas;
	struct vgic_order *o;
};

static struct rings create(uint32_t cpus)
{
	struct rings r = {.areas = calloc(cpus, CPU_AREA(RING))};

	assert_non_null(r.areas);
	assert_int_equal(vgic_order_create(&r.o, r.areas, cpus, RING), 0);
	return r;
}

static void destroy(struct rings *r)
{
	vgic_order_destroy(r->o);
	free(r->areas);
}

static struct cpu_state *cpu_of(const struct rings *r, uint32_t cpu)
{
	return (void *)(r->areas + (size_t)cpu * CPU_AREA(RING));
}

/* Takes number and room for a record that is not whole yet; NULL: lost. */
static struct vgr_rec *reserve(struct rings *r, uint16_t cpu, uint32_t size, uint64_t time)
{
	struct cpu_state *s = cpu_of(r, cpu);
	uint32_t place = s->next, seq = (s->next >> 32) + 1, at = place & (RING - 1);
	struct vgr_rec *rec = (void *)((uint8_t *)s + CPU_AREA_RING + at);

	if (place - s->done + size > RING) {
		s->next += 1ull << 32;
		s->lost++;
		return NULL;
	}
	/* Where nothing stands all is zero. */
	for (uint32_t i = 0; i < size; i++)
		assert_int_equal(((uint8_t *)rec)[i], 0);
	place = at + size >= RING ? place - at + RING : place + size;
	s->next = (uint64_t)seq << 32 | place;
	rec->time = time;
	rec->seq = seq;
	rec->cpu = cpu;
	return rec;
}

static void commit(struct vgr_rec *rec, uint32_t size)
{
	struct vgr_rec head = {.type = VGR_KICK, .size = size};

	memset(rec + 1, 0xff, size - sizeof(*rec));
	memcpy(rec, &head, 8);
}

static void put(struct rings *r, uint16_t cpu, uint64_t time)
{
	struct vgr_rec *rec = reserve(r, cpu, sizeof(*rec), time);

	if (rec)
		commit(rec, sizeof(*rec));
}

static void test_by_time(void **state)
{
	struct rings r = create(3);
	struct got g = {0};
	int i;

	put(&r, 0, 100);
	put(&r, 0, 300);
	put(&r, 0, 400);
	put(&r, 2, 200);
	put(&r, 2, 350);
	put(&r, 1, 300);
	assert_int_equal(vgic_order_consume(r.o, EVER, take, &g), 3 * sizeof(struct vgr_rec));
	assert_int_equal(g.n, 6);
	for (i = 1; i < g.n; i++)
		assert_true(g.rec[i].time >= g.rec[i - 1].time);
	assert_int_equal(g.rec[1].cpu, 2);
	assert_int_equal(g.rec[5].seq, 3);
	assert_int_equal(vgic_order_handled(r.o, 0), 3);
	assert_int_equal(vgic_order_handled(r.o, 1), 1);
	assert_int_equal(vgic_order_consume(r.o, EVER, take, &g), 0);
	assert_int_equal(vgic_order_finish(r.o, take, &g), 0);
	assert_int_equal(g.n, 6);
	destroy(&r);
}

/* What is too young waits: another CPU may still have something older. */
static void test_young(void **state)
{
	struct rings r = create(2);
	struct got g = {0};

	put(&r, 0, 100);
	put(&r, 0, 200);
	assert_int_equal(vgic_order_consume(r.o, 200, take, &g), sizeof(struct vgr_rec));
	assert_int_equal(g.n, 1);
	put(&r, 1, 150);
	assert_int_equal(vgic_order_consume(r.o, 201, take, &g), sizeof(struct vgr_rec));
	assert_int_equal(g.n, 3);
	assert_int_equal(g.rec[1].cpu, 1);
	assert_int_equal(g.rec[2].time, 200);
	destroy(&r);
}

/* An interrupted program: its record is finished after the one behind it. */
static void test_not_whole(void **state)
{
	struct rings r = create(2);
	struct got g = {0};
	struct vgr_rec *rec;

	put(&r, 0, 100);
	rec = reserve(&r, 0, 64, 200);
	put(&r, 0, 300);
	put(&r, 1, 400);
	assert_int_equal(vgic_order_consume(r.o, 250, take, &g), sizeof(struct vgr_rec));
	assert_int_equal(g.n, 1);
	commit(rec, 64);
	assert_int_equal(vgic_order_consume(r.o, EVER, take, &g), 64 + sizeof(struct vgr_rec));
	assert_int_equal(g.n, 4);
	assert_int_equal(g.rec[1].seq, 2);
	assert_int_equal(g.rec[2].seq, 3);
	assert_int_equal(g.rec[3].cpu, 1);
	destroy(&r);
}

static void test_loss(void **state)
{
	struct rings r = create(2);
	uint32_t i, fit = RING / sizeof(struct vgr_rec);
	struct got g = {.fail_after = 1};

	for (i = 0; i < fit + 5; i++)
		put(&r, 1, 100 + i);
	assert_int_equal(cpu_of(&r, 1)->lost, 5);
	/* The sink's error is told, and what it got is gone. */
	assert_int_equal(vgic_order_consume(r.o, 102, take, &g), -EIO);
	g = (struct got){0};
	assert_int_equal(vgic_order_consume(r.o, 104, take, &g), 2 * sizeof(struct vgr_rec));
	assert_int_equal(g.rec[1].seq, 4);
	put(&r, 1, 1000000);
	for (i = 104; i < 100 + fit; i += 32) {
		g = (struct got){0};
		assert_true(vgic_order_consume(r.o, i + 32, take, &g) > 0);
	}
	g = (struct got){0};
	assert_int_equal(vgic_order_consume(r.o, EVER, take, &g), sizeof(struct vgr_rec));
	assert_int_equal(g.n, 2);
	assert_int_equal(g.rec[0].type, VGR_LOSS);
	assert_int_equal(g.rec[0].cpu, 1);
	assert_int_equal(g.rec[0].seq, fit + 1);
	assert_int_equal(g.rec[0].count, 5);
	assert_int_equal(g.rec[0].from, 100 + fit - 1);
	assert_int_equal(g.rec[0].to, 1000000);
	assert_int_equal(g.rec[1].seq, fit + 6);
	destroy(&r);
}

static void test_loss_at_the_ends(void **state)
{
	struct rings r = create(3);
	struct got g = {0};

	/* CPU 0 lost its first two, CPU 1 its last, CPU 2 all. */
	cpu_of(&r, 0)->next = 2ull << 32;
	put(&r, 0, 300);
	put(&r, 1, 100);
	cpu_of(&r, 1)->next += 1ull << 32;
	cpu_of(&r, 2)->next = 7ull << 32;
	assert_int_equal(vgic_order_finish(r.o, take, &g), 0);
	assert_int_equal(g.n, 5);
	assert_int_equal(g.rec[0].cpu, 1);
	assert_int_equal(g.rec[1].type, VGR_LOSS);
	assert_int_equal(g.rec[1].seq, 1);
	assert_int_equal(g.rec[1].count, 2);
	assert_int_equal(g.rec[1].from, 0);
	assert_int_equal(g.rec[1].to, 300);
	assert_int_equal(g.rec[2].seq, 3);
	assert_int_equal(g.rec[3].cpu, 1);
	assert_int_equal(g.rec[3].seq, 2);
	assert_int_equal(g.rec[3].count, 1);
	assert_int_equal(g.rec[3].to, 0);
	assert_int_equal(g.rec[3].time, 300);
	assert_int_equal(g.rec[4].cpu, 2);
	assert_int_equal(g.rec[4].count, 7);
	destroy(&r);
}

/* Numbers and places go on over the end of 32 bits. */
static void test_wraps(void **state)
{
	struct rings r = create(1);
	struct got g = {0};
	struct cpu_state *s = cpu_of(&r, 0);
	int i;

	vgic_order_destroy(r.o);
	s->next = 0xfffffffeull << 32 | (uint32_t)-RING;
	s->done = -RING;
	assert_int_equal(vgic_order_create(&r.o, r.areas, 1, RING), 0);
	for (i = 0; i < 4; i++) {
		struct vgr_rec *rec = reserve(&r, 0, RING / 4 + 8, 100 + i);

		assert_non_null(rec);
		commit(rec, RING / 4 + 8);
		assert_true(vgic_order_consume(r.o, EVER, take, &g) > 0);
	}
	assert_int_equal(g.n, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(g.rec[i].seq, 0xffffffffu + i);
	assert_int_equal(s->done, 0);
	assert_int_equal(vgic_order_finish(r.o, take, &g), 0);
	assert_int_equal(g.n, 4);
	destroy(&r);
}

/* What is no record ends it, whatever is wrong with it. */
static void test_no_record(void **state)
{
	static const struct vgr_rec wrong[] = {
		{.type = 0, .flags = 1, .size = 32, .seq = 1},
		{.type = VGR_TYPE_MAX, .size = 32, .seq = 1},
		{.type = VGR_KICK, .size = 24, .seq = 1},
		{.type = VGR_KICK, .size = 36, .seq = 1},
		{.type = VGR_KICK, .size = OUT_MAX + 8, .seq = 1},
		{.type = VGR_KICK, .size = 32, .seq = 1, .cpu = 1},
		{.type = VGR_KICK, .size = 32, .seq = 2},
		{.type = VGR_KICK, .size = 32, .seq = 0},
	};
	struct got g = {0};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct rings r = create(1);

		memcpy(reserve(&r, 0, 32, 1), &wrong[i], sizeof(wrong[i]));
		assert_int_equal(vgic_order_consume(r.o, EVER, take, &g), -EPROTO);
		assert_int_equal(g.n, 0);
		destroy(&r);
	}
	vgic_order_destroy(NULL);
}

/* Records of all sizes on three CPUs, taken at odd moments: all come, in order, or are counted. */
static uint64_t last_time;
static uint32_t last_seq[3];
static uint64_t seen, missing;

static int in_order(void *ctx, const struct vgr_rec *rec)
{
	assert_true(rec->time >= last_time);
	last_time = rec->time;
	if (rec->type == VGR_LOSS) {
		const struct vgr_loss *loss = (const void *)rec;

		assert_int_equal(loss->first_seq, last_seq[rec->cpu] + 1);
		last_seq[rec->cpu] += loss->count;
		missing += loss->count;
		return 0;
	}
	assert_int_equal(rec->type, VGR_KICK);
	assert_int_equal(rec->seq, last_seq[rec->cpu] + 1);
	assert_int_equal(((const uint8_t *)rec)[rec->size - 1],
			 rec->size > sizeof(*rec) ? 0xff : 0);
	last_seq[rec->cpu]++;
	seen++;
	return 0;
}

static void test_many(void **state)
{
	struct rings r = create(3);
	uint32_t x = 1, i;

	last_time = seen = missing = 0;
	memset(last_seq, 0, sizeof(last_seq));
	for (i = 1; i <= 100000; i++) {
		struct vgr_rec *rec;
		uint32_t size;

		x = x * 1664525u + 1013904223u;
		size = x >> 30 ? 32 + (x >> 8 & 0x1f8) : 32 + (x >> 8 & 0x7ff8);
		rec = reserve(&r, (x >> 4) % 3, size, i);
		if (rec)
			commit(rec, size);
		if ((x >> 16) % 37 == 0)
			assert_true(vgic_order_consume(r.o, i - (x & 15), in_order, NULL) >= 0);
	}
	assert_int_equal(vgic_order_finish(r.o, in_order, NULL), 0);
	assert_int_equal(seen + missing, 100000);
	assert_true(missing > 100 && seen > 10000);
	destroy(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_time),		 cmocka_unit_test(test_young),
		cmocka_unit_test(test_not_whole),	 cmocka_unit_test(test_loss),
		cmocka_unit_test(test_loss_at_the_ends), cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_no_record),	 cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
