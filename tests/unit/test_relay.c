/* SPDX-License-Identifier: GPL-2.0-only */
/* Records handed on to another thread: all of them, in order, and what becomes of an error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>

#include "relay.h"

#define RECORDS 60000u

struct seen {
	uint32_t n, fail_at;
	bool slow, wrong;
};

static uint32_t size_of(uint32_t i)
{
	return (uint32_t)sizeof(struct vgr_rec) + 8 * (i % 97);
}

/* The last byte; that of a record without more than its head is part of the head. */
static char last_of(uint32_t i)
{
	return i % 97 ? (char)i : 0;
}

static int each(void *opaque, const struct vgr_rec *rec)
{
	struct seen *s = opaque;

	s->wrong |= rec->seq != s->n || rec->size != size_of(s->n) ||
		    ((const char *)rec)[rec->size - 1] != last_of(s->n);
	if (s->slow && s->n % 2000 == 0)
		usleep(1000);
	s->n++;
	return s->n == s->fail_at ? -ENOMEM : 0;
}

/* How many were taken until it was said that no more are wanted. */
static uint32_t put_all(struct relay *r)
{
	union {
		struct vgr_rec rec;
		char bytes[1024];
	} one;
	uint32_t i;

	for (i = 0; i < RECORDS; i++) {
		memset(&one, 0, sizeof(one));
		one.rec.size = size_of(i);
		one.rec.seq = i;
		if (i % 97)
			one.bytes[one.rec.size - 1] = last_of(i);
		if (relay_put(r, &one.rec))
			break;
	}
	return i;
}

static void everything(bool here, bool slow)
{
	struct seen s = {.slow = slow};
	struct relay *r = relay_create(each, &s, here);

	assert_non_null(r);
	assert_int_equal(put_all(r), RECORDS);
	assert_int_equal(relay_end(r), 0);
	assert_int_equal(s.n, RECORDS);
	assert_false(s.wrong);
	relay_destroy(r);
}

static void all_arrive_in_order(void **state)
{
	everything(true, false);
	everything(false, false);
	everything(false, true);
}

static void an_error_is_the_end(void **state)
{
	for (int here = 0; here < 2; here++) {
		struct seen s = {.fail_at = 100};
		struct relay *r = relay_create(each, &s, here);
		uint32_t n = put_all(r);

		assert_true(here ? n == 99 : n >= 99 && n < RECORDS);
		assert_int_equal(relay_end(r), -ENOMEM);
		/* Not called again. */
		assert_int_equal(s.n, 100);
		relay_destroy(r);
	}
}

/* Of the last block, which nobody had been told of. */
static void an_error_at_the_end(void **state)
{
	struct seen s = {.fail_at = RECORDS};
	struct relay *r = relay_create(each, &s, false);

	assert_int_equal(put_all(r), RECORDS);
	assert_int_equal(relay_end(r), -ENOMEM);
	relay_destroy(r);
}

static void given_up(void **state)
{
	struct seen s = {0};
	struct relay *r = relay_create(each, &s, false);

	relay_destroy(r);
	assert_int_equal(s.n, 0);
	relay_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrive_in_order),
		cmocka_unit_test(an_error_is_the_end),
		cmocka_unit_test(an_error_at_the_end),
		cmocka_unit_test(given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
