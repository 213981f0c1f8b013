/* SPDX-License-Identifier: GPL-2.0-only */
/* Percentile distributions against ones worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hgrm.h"

static char *written;
static size_t size;

static void write_all(const uint64_t *values, size_t n)
{
	struct vgic_hist h;
	FILE *f;

	free(written);
	written = NULL;
	f = open_memstream(&written, &size);
	assert_non_null(f);
	assert_int_equal(vgic_hist_init(&h), 0);
	for (size_t i = 0; i < n; i++)
		vgic_hist_add(&h, values[i]);
	hgrm_write(f, &h);
	fclose(f);
	vgic_hist_finish(&h);
}

static void nothing(void **state)
{
	write_all(NULL, 0);
	assert_int_equal(size, 0);
}

static void one_value(void **state)
{
	const uint64_t value = 1500;

	write_all(&value, 1);
	assert_string_equal(written, "       Value     Percentile TotalCount 1/(1-Percentile)\n"
				     "\n"
				     "       1.500 0.000000000000          1           1.00\n"
				     "       1.500 1.000000000000          1\n"
				     "#[Mean    =        1.500, StdDeviation   =        0.000]\n"
				     "#[Max     =        1.500, Total count    =            1]\n"
				     "#[Buckets =           32, SubBuckets     =         2048]\n");
}

/*
 * Four values: three quarters are at most 300 ns. Up to one half the lines are 10 % apart,
 * from there on 5 %, from three quarters on 2.5 %. The mean is 400 ns, the deviation
 * sqrt((300^2 + 200^2 + 100^2 + 600^2) / 4) = 353.553.
 */
static void four_values(void **state)
{
	const uint64_t values[] = {200, 100, 300, 1000};

	write_all(values, 4);
	assert_string_equal(written, "       Value     Percentile TotalCount 1/(1-Percentile)\n"
				     "\n"
				     "       0.100 0.000000000000          1           1.00\n"
				     "       0.100 0.100000000000          1           1.11\n"
				     "       0.100 0.200000000000          1           1.25\n"
				     "       0.200 0.300000000000          2           1.43\n"
				     "       0.200 0.400000000000          2           1.67\n"
				     "       0.200 0.500000000000          2           2.00\n"
				     "       0.300 0.550000000000          3           2.22\n"
				     "       0.300 0.600000000000          3           2.50\n"
				     "       0.300 0.650000000000          3           2.86\n"
				     "       0.300 0.700000000000          3           3.33\n"
				     "       0.300 0.750000000000          3           4.00\n"
				     "       1.000 0.775000000000          4           4.44\n"
				     "       1.000 1.000000000000          4\n"
				     "#[Mean    =        0.400, StdDeviation   =        0.354]\n"
				     "#[Max     =        1.000, Total count    =            4]\n"
				     "#[Buckets =           32, SubBuckets     =         2048]\n");
}

/* A value stands for its bucket, but never for more than the largest. */
static void buckets(void **state)
{
	const uint64_t values[] = {1000000, 1000001};

	write_all(values, 2);
	assert_non_null(strstr(written, "    1000.001 0.000000000000          2           1.00\n"));
	assert_non_null(strstr(written, "#[Max     =     1000.001,"));
}

static int end(void **state)
{
	free(written);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(one_value),
		cmocka_unit_test(four_values),
		cmocka_unit_test(buckets),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
