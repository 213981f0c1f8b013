// SPDX-License-Identifier: GPL-2.0-only
/* trace.dat, read back by a reader of its own, as far as it goes: pages, events, times. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dat_file.h"

#define PAGE 4096u

static const struct dat_kind kinds[] = {
	{"one", "short", {{"u8", "a", 1, false}, {"u64", "b", 8, false}}, "\"%u\", REC->a"},
	{"one", "text", {{"u16", "a", 2, false}, DAT_TEXT("words")}, "\"%s\", __get_str(words)"},
	{"two", "plain", {{"int", "a", 4, true}}, "\"%d\", REC->a"},
};
enum { SHORT, TEXT, PLAIN };

struct fixture {
	struct dat_file *d;
	char *file;
	size_t size;
	unsigned int cpus;
	size_t table; /* of offset and size of each CPU */
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	*state = x;
	return x ? dat_file_create(&x->d, kinds, 3) : -1;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	dat_file_destroy(x->d);
	free(x->file);
	free(x);
	return 0;
}

static uint64_t get(const struct fixture *x, size_t at, unsigned int bytes)
{
	uint64_t v = 0;

	assert_true(at + bytes <= x->size);
	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)(uint8_t)x->file[at + i] << 8 * i;
	return v;
}

static void finish(struct fixture *x)
{
	static const char mark[] = "flyrecord";
	FILE *f = open_memstream(&x->file, &x->size);
	char *at;

	assert_non_null(f);
	assert_int_equal(dat_file_write(x->d, f, "[mono]", "7.3\n", "vgicsim"), 0);
	assert_int_equal(fclose(f), 0);
	at = memmem(x->file, x->size, mark, sizeof(mark));
	assert_non_null(at);
	x->table = (size_t)(at - x->file) + sizeof(mark);
	at = memmem(x->file, x->size, "options  ", 10);
	assert_non_null(at);
	x->cpus = (unsigned int)get(x, (size_t)(at - x->file) - 4, 4);
}

struct event {
	uint64_t time;
	size_t at; /* in the file, of the event's own fields */
	uint32_t size, lost;
	unsigned int kind, pid;
};

/* All events of a CPU, as the ring buffer's format says. */
static size_t events_of(const struct fixture *x, unsigned int cpu, struct event *events, size_t max)
{
	uint64_t start = get(x, x->table + 16 * cpu, 8), size = get(x, x->table + 16 * cpu + 8, 8);
	size_t n = 0;

	assert_int_equal(start % PAGE, 0);
	assert_int_equal(size % PAGE, 0);
	for (size_t page = start; page < start + size; page += PAGE) {
		uint64_t time = get(x, page, 8), commit = get(x, page + 8, 8);
		size_t at = page + 16, end = at + (commit & 0xfffff);
		uint32_t lost = 0;

		assert_true(end <= page + PAGE && end > at);
		if (commit >> 31 & 1) {
			assert_true(commit >> 30 & 1);
			lost = (uint32_t)get(x, end, 8);
		}
		while (at < end) {
			uint32_t head = (uint32_t)get(x, at, 4), length = (head & 31) * 4;

			time += head >> 5;
			at += 4;
			if ((head & 31) == 30) {
				time += get(x, at, 4) << 27;
				at += 4;
				continue;
			}
			assert_true((head & 31) < 29);
			if (!length) {
				length = (uint32_t)get(x, at, 4) - 4;
				at += 4;
			}
			assert_true(n < max);
			events[n++] = (struct event){.time = time,
						     .at = at + 8,
						     .size = length,
						     .lost = lost,
						     .kind = (unsigned int)get(x, at, 2) - 1000,
						     .pid = (unsigned int)get(x, at + 4, 4)};
			lost = 0;
			at += length;
		}
		assert_int_equal(at, end);
	}
	return n;
}

static void put_plain(struct fixture *x, unsigned int cpu, uint64_t time, uint32_t value)
{
	dat_event_begin(x->d, PLAIN, 7);
	dat_event_number(x->d, value);
	assert_int_equal(dat_event_end(x->d, cpu, time), 0);
}

static void test_times(void **state)
{
	static const uint64_t times[] = {5,
					 5,
					 (1u << 27) + 4,
					 2u << 27,
					 (2u << 27) + (1u << 27) - 1,
					 1ull << 40,
					 (1ull << 40) + (1ull << 58),
					 UINT64_MAX};
	struct fixture *x = *state;
	struct event e[16];

	for (size_t i = 0; i < 8; i++)
		put_plain(x, 0, times[i], (uint32_t)i);
	/* Back in time: readers would go wrong. */
	put_plain(x, 0, 6, 8);
	finish(x);
	assert_int_equal(x->cpus, 1);
	assert_int_equal(events_of(x, 0, e, 16), 9);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(e[i].time, i < 8 ? times[i] : UINT64_MAX);
		assert_int_equal(get(x, e[i].at, 4), i);
		assert_int_equal(e[i].kind, PLAIN);
		assert_int_equal(e[i].pid, 7);
	}
}

/* Pages of several CPUs, filled in turn, with events that are short, and longer than a head tells.
 */
static void test_pages(void **state)
{
	static struct event e[4000];
	struct fixture *x = *state;
	char words[2000];

	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = 0;
	for (unsigned int i = 0; i < 9000; i++) {
		unsigned int length = i * 7 % 1200;

		dat_event_begin(x->d, i % 3 == 1 ? TEXT : SHORT, i);
		dat_event_number(x->d, i);
		if (i % 3 == 1)
			dat_event_text(x->d, words + sizeof(words) - 1 - length);
		else
			dat_event_number(x->d, ~(uint64_t)i);
		assert_int_equal(dat_event_end(x->d, i % 3 * 2, 1000 + i), 0);
	}
	finish(x);
	assert_int_equal(x->cpus, 5);
	assert_int_equal(events_of(x, 1, e, 1), 0);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		assert_int_equal(events_of(x, cpu * 2, e, 4000), 3000);
		for (unsigned int k = 0; k < 3000; k++) {
			unsigned int i = 3 * k + cpu, length = i * 7 % 1200;

			assert_int_equal(e[k].time, 1000 + i);
			assert_int_equal(e[k].pid, i);
			assert_int_equal(e[k].kind, cpu == 1 ? TEXT : SHORT);
			if (cpu != 1) {
				assert_int_equal(get(x, e[k].at, 1), i & 0xff);
				assert_int_equal(get(x, e[k].at + 8, 8), ~(uint64_t)i);
				continue;
			}
			uint32_t where = (uint32_t)get(x, e[k].at + 4, 4);

			assert_int_equal(get(x, e[k].at, 2), i & 0xffff);
			length = length < DAT_MAX_TEXT ? length : DAT_MAX_TEXT - 1;
			assert_int_equal(where >> 16, length + 1);
			assert_int_equal(strlen(x->file + e[k].at - 8 + (where & 0xffff)), length);
		}
	}
}

static void test_lost(void **state)
{
	struct fixture *x = *state;
	struct event e[8];

	assert_int_equal(dat_file_lost(x->d, 1, 3), 0);
	put_plain(x, 1, 10, 0);
	put_plain(x, 1, 11, 1);
	assert_int_equal(dat_file_lost(x->d, 1, 4), 0);
	assert_int_equal(dat_file_lost(x->d, 1, 5), 0);
	put_plain(x, 1, 12, 2);
	finish(x);
	assert_int_equal(events_of(x, 0, e, 8), 0);
	assert_int_equal(events_of(x, 1, e, 8), 3);
	assert_int_equal(e[0].lost, 3);
	assert_int_equal(e[1].lost, 0);
	assert_int_equal(e[2].lost, 9);
}

static void test_description(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(dat_file_task(x->d, 9, "nine"), 0);
	assert_int_equal(dat_file_task(x->d, 5, "a\nb\033[m\x80"), 0);
	assert_int_equal(dat_file_task(x->d, 9, "another"), 0);
	assert_int_equal(dat_file_task(x->d, 0, "idle"), 0);
	assert_int_equal(dat_file_task(x->d, UINT32_MAX, "none"), 0);
	finish(x);
	assert_memory_equal(x->file, "\x17\x08\x44tracing6\0\0\x08\0\x10\0\0header_page", 30);
	assert_non_null(memmem(x->file, x->size,
			       "\x11\0\0\0\0\0\0\0"
			       "5 a?b?[m?\n9 nine\n",
			       25));
	assert_null(memmem(x->file, x->size, "idle", 4));
	assert_non_null(memmem(x->file, x->size,
			       "\x05\0\x05\0\0\0"
			       "7.3?",
			       11));
	/* Two systems: two kinds, and one. */
	assert_non_null(memmem(x->file, x->size, "\x02\0\0\0one\0\x02\0\0\0", 12));
	assert_non_null(memmem(x->file, x->size, "two\0\x01\0\0\0", 8));
	assert_non_null(memmem(x->file, x->size,
			       "\tfield:__data_loc char[] words;\toffset:12;\tsize:4;\tsigned:1;\n",
			       60));
	assert_non_null(
		memmem(x->file, x->size, "\tfield:u64 b;\toffset:16;\tsize:8;\tsigned:0;\n", 43));
}

static void test_no_such_cpu(void **state)
{
	struct fixture *x = *state;

	dat_event_begin(x->d, PLAIN, 1);
	dat_event_number(x->d, 1);
	assert_int_equal(dat_event_end(x->d, DAT_MAX_CPUS, 1), -ERANGE);
	assert_int_equal(dat_file_lost(x->d, DAT_MAX_CPUS, 1), -ERANGE);
	put_plain(x, DAT_MAX_CPUS - 1, 1, 1);
	finish(x);
	assert_int_equal(x->cpus, DAT_MAX_CPUS);
}

/* Nothing at all is a file, too. */
static void test_empty(void **state)
{
	struct fixture *x = *state;
	struct event e[1];

	finish(x);
	assert_int_equal(x->cpus, 1);
	assert_int_equal(events_of(x, 0, e, 1), 0);
	assert_int_equal(x->size % PAGE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_description, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_such_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
