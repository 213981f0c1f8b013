/* SPDX-License-Identifier: GPL-2.0-only */
/* Sub-buffers of the kernel's ring buffer, written by hand, and the order that their events come
 * in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <traceevent/event-parse.h>

#include "subbuffers.h"

#define SIZE   4096u
#define HEADER 16u

/* Of the kernel's ring_buffer.h: flags in the length of a sub-buffer, types of entries. */
#define MISSED_EVENTS (1ull << 31)
#define MISSED_STORED (1ull << 30)
#define TYPE_PADDING  29u
#define TYPE_EXTEND   30u

static struct vgic_subbuffers *s;
static unsigned char *page;
static uint64_t used, page_time;

static int begin(void **state)
{
	return vgic_subbuffers_create(&s, 3, SIZE);
}

static int end(void **state)
{
	vgic_subbuffers_destroy(s);
	return 0;
}

static void page_begin(uint32_t cpu, uint64_t time)
{
	page = vgic_subbuffers_room(s, cpu);
	assert_non_null(page);
	memset(page, 0, SIZE);
	memcpy(page, &time, sizeof(time));
	page_time = time;
	used = 0;
}

static void word(uint32_t w)
{
	memcpy(page + HEADER + used, &w, sizeof(w));
	used += sizeof(w);
}

/* An event of one word of data, at a time. */
static void event(uint64_t time, uint32_t data)
{
	uint64_t delta = time - page_time;

	if (delta >= 1u << 27) {
		word(TYPE_EXTEND | (uint32_t)(delta & ((1u << 27) - 1)) << 5);
		word((uint32_t)(delta >> 27));
		delta = 0;
	}
	word(1u | (uint32_t)delta << 5);
	word(data);
	page_time = time;
}

/* missed: 0 none, -1 some. */
static void page_end(uint32_t cpu, int64_t missed)
{
	uint64_t commit = used;

	if (missed) {
		commit |= MISSED_EVENTS;
		if (missed > 0) {
			commit |= MISSED_STORED;
			memcpy(page + HEADER + used, &missed, sizeof(missed));
		}
	}
	memcpy(page + 8, &commit, sizeof(commit));
	assert_int_equal(vgic_subbuffers_add(s, cpu), 0);
}

static struct taken {
	uint64_t time;
	int cpu, missed;
	uint32_t data;
} taken[64];
static size_t nr_taken;
static int answer;

static int take(void *ctx, struct tep_record *rec)
{
	struct taken *t = &taken[nr_taken++];

	assert_true(nr_taken < 64);
	assert_int_equal(rec->size, 4);
	*t = (struct taken){.time = rec->ts, .cpu = rec->cpu, .missed = rec->missed_events};
	memcpy(&t->data, rec->data, 4);
	return answer;
}

static void take_before(uint64_t time, size_t n)
{
	nr_taken = 0;
	assert_int_equal(vgic_subbuffers_take(s, time, take, NULL), 0);
	assert_int_equal(nr_taken, n);
}

static void events_of_all_cpus_in_order(void **state)
{
	page_begin(0, 100);
	event(100, 1);
	event(130, 4);
	page_end(0, 0);
	page_begin(2, 110);
	event(110, 2);
	event(120, 3);
	/* Farther than a delta reaches. */
	event(130 + (1ull << 30), 6);
	page_end(2, 0);
	page_begin(0, 140);
	event(140, 5);
	page_end(0, 0);
	take_before(UINT64_MAX, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(taken[i].data, i + 1);
	assert_int_equal(taken[5].time, 130 + (1ull << 30));
	assert_int_equal(taken[1].cpu, 2);
	assert_int_equal(vgic_subbuffers_last(s, 0), 140);
	assert_int_equal(vgic_subbuffers_last(s, 1), 0);
	take_before(UINT64_MAX, 0);
}

static void what_is_younger_waits(void **state)
{
	page_begin(0, 100);
	event(100, 1);
	event(200, 3);
	page_end(0, 0);
	take_before(200, 1);
	/* Another CPU's came in meanwhile. */
	page_begin(1, 150);
	event(150, 2);
	page_end(1, 0);
	take_before(201, 2);
	assert_int_equal(taken[0].data, 2);
	assert_int_equal(taken[1].data, 3);
}

static void equal_times_go_on(void **state)
{
	for (uint32_t cpu = 0; cpu < 3; cpu++) {
		page_begin(cpu, 100);
		event(100, cpu);
		event(100, cpu + 10);
		page_end(cpu, 0);
	}
	take_before(101, 6);
}

static void losses_stand_before_the_event_behind_them(void **state)
{
	page_begin(0, 100);
	event(100, 1);
	page_end(0, 0);
	page_begin(0, 200);
	event(200, 2);
	event(210, 3);
	page_end(0, 7);
	page_begin(0, 300);
	event(300, 4);
	page_end(0, -1);
	take_before(UINT64_MAX, 4);
	assert_int_equal(taken[0].missed, 0);
	assert_int_equal(taken[1].missed, 7);
	assert_int_equal(taken[2].missed, 0);
	assert_int_equal(taken[3].missed, -1);
	/* Of an unknown number one at least. */
	assert_int_equal(vgic_subbuffers_missed(s, 0), 8);
	assert_int_equal(vgic_subbuffers_missed(s, 1), 0);
}

static void a_page_without_events_keeps_its_loss(void **state)
{
	page_begin(0, 100);
	page_end(0, 5);
	page_begin(0, 100);
	word(TYPE_PADDING);
	page_end(0, 0);
	page_begin(0, 200);
	event(200, 1);
	page_end(0, 2);
	take_before(UINT64_MAX, 1);
	assert_int_equal(taken[0].missed, 7);
	assert_int_equal(vgic_subbuffers_missed(s, 0), 7);
}

static void a_length_that_cannot_be(void **state)
{
	uint64_t commit = SIZE - HEADER + 8;

	page_begin(1, 100);
	event(100, 1);
	memcpy(page + 8, &commit, sizeof(commit));
	assert_int_equal(vgic_subbuffers_add(s, 1), -EPROTO);
}

static void whoever_takes_may_end_it(void **state)
{
	page_begin(0, 100);
	event(100, 1);
	event(101, 2);
	page_end(0, 0);
	answer = -ENOSPC;
	nr_taken = 0;
	assert_int_equal(vgic_subbuffers_take(s, UINT64_MAX, take, NULL), -ENOSPC);
	assert_int_equal(nr_taken, 1);
	answer = 0;
}

/* The memory of what was read is used again, and what is left is freed. */
static void many_pages(void **state)
{
	uint64_t time = 0, next = 0;

	for (int i = 0; i < 100; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			page_begin(k, time);
			event(time, (uint32_t)time);
			time++;
			page_end(k, 0);
		}
		nr_taken = 0;
		assert_int_equal(vgic_subbuffers_take(s, time - 2, take, NULL), 0);
		for (size_t n = 0; n < nr_taken; n++)
			assert_int_equal(taken[n].data, next++);
	}
	assert_int_equal(next, 298);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(events_of_all_cpus_in_order),
		TEST(what_is_younger_waits),
		TEST(equal_times_go_on),
		TEST(losses_stand_before_the_event_behind_them),
		TEST(a_page_without_events_keeps_its_loss),
		TEST(a_length_that_cannot_be),
		TEST(whoever_takes_may_end_it),
		TEST(many_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
