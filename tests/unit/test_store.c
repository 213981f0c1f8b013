/* SPDX-License-Identifier: GPL-2.0-only */
/* What grows with the length of a recording, kept out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vgicsim/workload.h>

#include "store.h"

#define MIB ((size_t)1 << 20)

/* Bytes in memory of this process. */
static size_t resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return (size_t)pages * 4096;
}

static uint32_t *grown(uint32_t *p, size_t *n, size_t to)
{
	p = vgic_store_grow(cli_store(), p, *n, to, sizeof(*p));
	assert_non_null(p);
	for (size_t i = *n; i < to; i++) {
		assert_int_equal(p[i], 0);
		p[i] = (uint32_t)(i * 2654435761u);
		vgic_store_pace(cli_store(), i);
	}
	*n = to;
	return p;
}

static void whole(const uint32_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		vgic_store_pace(cli_store(), i);
		if (p[i] != (uint32_t)(i * 2654435761u))
			fail_msg("element %zu has changed", i);
	}
}

static void little_is_in_memory(void **state)
{
	size_t before = resident(), most = 0, n[3] = {0};
	uint32_t *p[3] = {NULL};

	for (size_t to = 1000; to < 16 * MIB; to *= 2)
		for (int i = 0; i < 3; i++) {
			p[i] = grown(p[i], &n[i], to);
			most = resident() > most ? resident() : most;
		}
	for (int i = 0; i < 3; i++) {
		whole(p[i], n[i]);
		most = resident() > most ? resident() : most;
	}
	assert_true(n[0] * sizeof(*p[0]) > 30 * MIB);
	if (most - before > 30 * MIB)
		fail_msg("%zu KiB of %zu in memory", (most - before) >> 10,
			 3 * n[0] * sizeof(*p[0]) >> 10);
	for (int i = 0; i < 3; i++)
		vgic_store_free(cli_store(), p[i]);
}

static void short_ones_are_ordinary_memory(void **state)
{
	size_t n = 0;
	uint32_t *p = grown(NULL, &n, MIB);
	size_t before = resident();

	/* Nothing of it is let go. */
	for (unsigned int i = 0; i < 10000; i++)
		vgic_store_pace(cli_store(), 0);
	assert_true(resident() + MIB / 4 > before);
	whole(p, n);
	vgic_store_free(cli_store(), p);
}

/* No file can be opened: it is memory then, and the same. */
static void without_a_file(void **state)
{
	struct rlimit keep, none;
	size_t n = 0;
	uint32_t *p;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &keep), 0);
	none = keep;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	p = grown(NULL, &n, 4 * MIB);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &keep), 0);
	whole(p, n);
	/* What grows later finds one. */
	p = grown(p, &n, 8 * MIB);
	whole(p, n);
	vgic_store_free(cli_store(), p);
}

/* Larger than any address space. */
static void too_much_is_refused(void **state)
{
	size_t n = 0;
	uint32_t *p = grown(NULL, &n, 4 * MIB);

	assert_null(vgic_store_grow(cli_store(), NULL, 0, SIZE_MAX / 2, 4));
	whole(p, n);
	vgic_store_free(cli_store(), p);
}

/* Lengths as they come, and what a sort says of the one in the middle. */
static void the_one_in_the_middle(void **state)
{
	static const uint64_t lengths[] = {700, 3, 700, UINT64_MAX, 16, 700, 0, 1ull << 60, 15};
	const unsigned int n = sizeof(lengths) / sizeof(lengths[0]);
	const struct vgr_irq irq = {.intid = 40}, other = {.intid = 41}, never = {.intid = 42};
	struct vgic_workload *wl = vgic_workload_create(1);

	assert_non_null(wl);
	wl->store = cli_store();
	vgic_workload_source(wl, 0, &irq);
	vgic_workload_source(wl, 0, &other);
	vgic_workload_source(wl, 0, &never);
	for (unsigned int i = 0; i < n; i++) {
		uint32_t s = vgic_workload_script(wl, i % 2, 0);

		wl->scripts[s].whole = i != 8;
		wl->scripts[s].own_ns = lengths[i];
	}
	assert_int_equal(vgic_workload_typical(wl), 0);
	/* 0 16 700 700, for its end was not seen */
	assert_int_equal(wl->sources[0].typical, 4);
	/* 3 700 2^60 all */
	assert_int_equal(wl->sources[1].typical, 5);
	assert_int_equal(wl->sources[2].typical, VGIC_WL_NONE);
	/* 0 3 16 700 700 700 2^60 all */
	assert_int_equal(wl->typical, 0);
	vgic_workload_destroy(wl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_in_memory),
		cmocka_unit_test(short_ones_are_ordinary_memory),
		cmocka_unit_test(without_a_file),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(the_one_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
