// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest_options.h"
#include "guest_plan.h"

static char err[200];

static int parse(struct guest_options *o, const char *line)
{
	char text[256], *argv[32], *save = NULL;
	int argc = 0, rc;
	FILE *sink = fopen("/dev/null", "w");

	assert_non_null(sink);
	snprintf(text, sizeof(text), "vgic-guest %s", line);
	for (argv[argc] = strtok_r(text, " ", &save); argv[argc];
	     argv[argc] = strtok_r(NULL, " ", &save))
		argc++;
	err[0] = '\0';
	/* The parser keeps pointers only to --log's value, which no test here looks at later. */
	rc = guest_options_parse(argc, argv, o, sink, err, sizeof(err));
	fclose(sink);
	return rc;
}

static void defaults_are_accepted(void **state)
{
	struct guest_options o;
	size_t i;

	(void)state;
	for (i = 0; i < GUEST_NR_STIMS; i++) {
		assert_int_equal(parse(&o, guest_stims[i].name), 0);
		assert_int_equal(o.stim, i);
		assert_true(o.irqs >= 1 && o.irqs <= guest_stims[i].max_irqs);
		assert_true(o.vcpus >= guest_stims[i].min_vcpus && o.vcpus <= GUEST_MAX_VCPUS);
		assert_true(o.repeat && o.timeout && o.patience && o.hold);
		/* The examples in the help are promises. */
		assert_int_equal(parse(&o, strchr(guest_stims[i].example, ' ') + 1), 0);
		assert_int_equal(o.stim, i);
	}
}

static void modes_are_accepted(void **state)
{
	struct guest_options o;
	char line[100];
	size_t i;
	uint32_t m;

	(void)state;
	for (i = 0; i < GUEST_NR_STIMS; i++) {
		for (m = 0; m < GUEST_MAX_MODES && guest_stims[i].modes[m]; m++) {
			snprintf(line, sizeof(line), "%s --mode=%s --json", guest_stims[i].name,
				 guest_stims[i].modes[m]);
			assert_int_equal(parse(&o, line), 0);
			assert_int_equal(o.mode, m);
		}
		assert_int_equal(parse(&o, guest_stims[i].name), 0);
		assert_int_equal(o.mode, 0);
	}
	assert_int_equal(parse(&o, "lpi --mode off-active --gic 3"), 0);
	assert_int_equal(o.mode, GUEST_LPI_OFF_ACTIVE);
	assert_int_equal(o.gic, GUEST_GIC_3);
	assert_int_equal(parse(&o, "hwdir --mode disabled --gic 2"), 0);
	assert_int_equal(o.mode, GUEST_HWDIR_DISABLED);
	assert_int_equal(o.gic, GUEST_GIC_2);
	assert_int_equal(parse(&o, "regroup --mode toggle --gic auto"), 0);
	assert_int_equal(o.mode, GUEST_REGROUP_TOGGLE);
	assert_int_equal(o.gic, GUEST_GIC_AUTO);
	assert_int_equal(parse(&o, "regroup --mode toggle --help"), 1);
}

static void values(void **state)
{
	struct guest_options o;

	(void)state;
	assert_int_equal(parse(&o, "burst --irqs 900 --vcpus=8 --trigger level --prio random "
				   "--eoimode 1 --repeat 7 --seed 4294967295 --timeout 3 --json"),
			 0);
	assert_int_equal(o.irqs, 900);
	assert_int_equal(o.vcpus, 8);
	assert_int_equal(o.trigger, GUEST_LEVEL_TRIGGER);
	assert_int_equal(o.prio, GUEST_PRIO_RANDOM);
	assert_int_equal(o.eoimode, 1);
	assert_int_equal(o.repeat, 7);
	assert_int_equal(o.seed, UINT32_MAX);
	assert_int_equal(o.timeout, 3);
	assert_int_equal(o.json, 1);
	assert_int_equal(o.inject, GUEST_INJECT_SYNC);
	assert_int_equal(parse(&o, "burst --pace 100"), 0);
	assert_int_equal(o.inject, GUEST_INJECT_THREAD);
	assert_int_equal(parse(&o, "mixed --pace 100"), 0);
	assert_int_equal(o.inject, GUEST_INJECT_SYNC);
	assert_int_equal(parse(&o, "--help"), 1);
	assert_int_equal(parse(&o, "level --help"), 1);
}

static void refusals(void **state)
{
	static const struct {
		const char *line, *names;
	} bad[] = {
		{"", "no stimulus"},
		{"brust", "brust"},
		{"burst --irqs", "--irqs"},
		{"burst --irqs 0", "'0'"},
		{"burst --irqs 961", "961"},
		{"burst --irqs 12x", "12x"},
		{"burst --irqs -1", "-1"},
		{"burst --irqs 99999999999999999999", "--irqs"},
		{"burst --vcpus 17", "--vcpus"},
		{"burst --trigger both", "both"},
		{"burst --eoimode 2", "--eoimode"},
		{"burst --hold 2", "--hold"},
		{"burst --json=1", "--json"},
		{"burst --nonsense 1", "--nonsense"},
		{"burst extra", "extra"},
		{"burst --pace 5 --inject sync", "--pace"},
		{"burst --inject irqfd --trigger level", "irqfd"},
		{"burst --again --trigger level", "--again"},
		{"sgi --irqs 17", "16"},
		{"sgi --trigger edge", "--trigger"},
		{"remote-dir --vcpus 1", "--vcpus"},
		{"remote-dir --eoimode 0", "--eoimode 1"},
		{"ackall --eoimode 0", "--eoimode 1"},
		{"preempt --prio same", "--prio"},
		{"burst --gic 4", "auto|2|3"},
		{"burst --mode storm", "--mode"},
		{"regroup --mode strom", "active storm toggle"},
		{"regroup --mode storm --vcpus 2", "one vCPU"},
		{"burst --gic 2 --vcpus 9", "8"},
		{"lpi --gic 2", "GICv2 has no LPIs"},
		{"lpi --mode move --vcpus 1", "--vcpus"},
		{"lpi --irqs 257", "256"},
		{"resample --trigger edge", "--trigger"},
		{"hwdir --eoimode 0", "--eoimode"},
		{"alias --mode pending", "--mode"},
	};
	struct guest_options o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(&o, bad[i].line), -EINVAL);
		if (!strstr(err, bad[i].names))
			fail_msg("'%s': '%s' does not name '%s'", bad[i].line, err, bad[i].names);
		assert_null(strchr(err, '\n'));
	}
}

static void orders(void **state)
{
	uint32_t list[100], seen[100] = {0}, again[100], i;
	uint64_t a = 7, b = 7;

	(void)state;
	for (i = 0; i < 100; i++)
		list[i] = again[i] = i;
	guest_order_list(list, 100, GUEST_FIFO, &a);
	for (i = 0; i < 100; i++)
		assert_int_equal(list[i], i);
	guest_order_list(list, 99, GUEST_LIFO, &a);
	for (i = 0; i < 99; i++)
		assert_int_equal(list[i], 98 - i);
	assert_int_equal(list[99], 99);
	guest_order_list(list, 99, GUEST_LIFO, &a);
	assert_int_equal(a, b);
	guest_order_list(list, 100, GUEST_RANDOM, &a);
	guest_order_list(again, 100, GUEST_RANDOM, &b);
	assert_memory_equal(list, again, sizeof(list));
	for (i = 0; i < 100; i++)
		seen[list[i]]++;
	for (i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
}

static struct guest_shared sh;

static void plan(enum guest_stim stim, uint32_t irqs, uint32_t vcpus, enum guest_prio prio)
{
	memset(&sh, 0, sizeof(sh));
	sh.stim = stim;
	sh.nr_irqs = irqs;
	sh.nr_vcpus = vcpus;
	sh.seed = 1;
	guest_plan(&sh, prio, 0);
}

static void shares(void **state)
{
	static const uint32_t irqs[] = {1, 2, 3, 16, 47, 960};
	uint32_t n, v, c, k, total;
	unsigned int seen[GUEST_NR_INTIDS];

	(void)state;
	for (n = 0; n < sizeof(irqs) / sizeof(irqs[0]); n++) {
		for (v = 1; v <= GUEST_MAX_VCPUS; v++) {
			plan(GUEST_BURST, irqs[n], v, GUEST_PRIO_SAME);
			memset(seen, 0, sizeof(seen));
			total = 0;
			for (c = 0; c < v; c++) {
				total += guest_share_size(&sh, c);
				for (k = 0; k < guest_share_size(&sh, c); k++) {
					assert_int_equal(sh.route[guest_share(&sh, c, k)], c);
					seen[guest_share(&sh, c, k)]++;
				}
				assert_int_equal(guest_share(&sh, c, k), 0);
			}
			assert_int_equal(total, irqs[n]);
			for (k = 0; k < irqs[n]; k++)
				assert_int_equal(seen[GUEST_FIRST_SPI + k], 1);
		}
	}
}

static void priorities(void **state)
{
	static const uint32_t irqs[] = {1, 4, 29, 30, 64, 960};
	uint32_t n, k, p, last;

	(void)state;
	for (n = 0; n < sizeof(irqs) / sizeof(irqs[0]); n++) {
		for (p = GUEST_PRIO_SAME; p <= GUEST_PRIO_RANDOM; p++) {
			plan(GUEST_BURST, irqs[n], 1, p);
			last = sh.prio[GUEST_FIRST_SPI];
			for (k = 0; k < irqs[n]; k++) {
				uint32_t prio = sh.prio[GUEST_FIRST_SPI + k];

				/* Deliverable under PMR 0xf8, on a level of KVM's, under the timer.
				 */
				assert_true(prio > sh.prio[GUEST_TIMER_INTID] && prio < 0xf8);
				assert_int_equal(prio & 7, 0);
				if (p == GUEST_PRIO_RISING)
					assert_true(prio <= last);
				if (p == GUEST_PRIO_FALLING)
					assert_true(prio >= last);
				last = prio;
			}
		}
	}
	/* Towers: each storey strictly more urgent, 31 storeys, then the next tower. */
	plan(GUEST_PREEMPT, 64, 1, GUEST_PRIO_RISING);
	for (k = 1; k < 64; k++)
		if (k % GUEST_PRIO_LEVELS)
			assert_true(sh.prio[GUEST_FIRST_SPI + k] <
				    sh.prio[GUEST_FIRST_SPI + k - 1]);
		else
			assert_int_equal(sh.prio[GUEST_FIRST_SPI + k], 0xf0);
	/* Group 0 is every second one of a share, and above all of group 1. */
	memset(&sh, 0, sizeof(sh));
	sh.stim = GUEST_GROUP;
	sh.nr_irqs = 40;
	sh.nr_vcpus = 2;
	sh.group0 = 1;
	guest_plan(&sh, GUEST_PRIO_RISING, 0);
	for (k = 0; k < 40; k++) {
		assert_int_equal(sh.is_group0[GUEST_FIRST_SPI + k], k / 2 % 2);
		assert_true((sh.prio[GUEST_FIRST_SPI + k] < 0x10) == (k / 2 % 2));
	}
	/* What is nested is nested in order, and above all that waits behind it. */
	for (p = GUEST_REGROUP_ACTIVE; p <= GUEST_REGROUP_TOGGLE; p++) {
		memset(&sh, 0, sizeof(sh));
		sh.stim = GUEST_REGROUP;
		sh.mode = p;
		sh.nr_irqs = 60;
		sh.nr_vcpus = 1;
		guest_plan(&sh, GUEST_PRIO_SAME, 0);
		n = guest_nested(&sh, 0);
		assert_true(n >= 2 && n < 60);
		for (k = 1; k < 60; k++)
			if (k < n)
				assert_true(sh.prio[32 + k] < sh.prio[32 + k - 1]);
			else
				assert_true(sh.prio[32 + k] > sh.prio[32]);
		assert_true(sh.is_group0[32 + (p == GUEST_REGROUP_STORM ? n : 1)]);
		assert_false(sh.is_group0[32]);
	}
	/* LPIs are dealt out as SPIs are, and nest up to a tower's height. */
	memset(&sh, 0, sizeof(sh));
	sh.stim = GUEST_LPI;
	sh.mode = GUEST_LPI_NEST;
	sh.nr_irqs = 80;
	sh.nr_vcpus = 2;
	guest_plan(&sh, GUEST_PRIO_RISING, 0);
	guest_plan_lpis(&sh, GUEST_PRIO_RISING);
	for (k = 0; k < 80; k++) {
		assert_int_equal(sh.lpi_route[k], k % 2);
		assert_true(sh.lpi_prio[k] < 0xf8 && !(sh.lpi_prio[k] & 7));
		if (k >= 2 && k / 2 % GUEST_PRIO_LEVELS)
			assert_true(sh.lpi_prio[k] < sh.lpi_prio[k - 2]);
	}
	/* All of a remote-dir goes to vCPU 0, whose share is the whole. */
	plan(GUEST_REMOTE_DIR, 40, 4, GUEST_PRIO_RISING);
	for (k = 0; k < 40; k++)
		assert_int_equal(sh.route[GUEST_FIRST_SPI + k], 0);
	assert_int_equal(guest_share_size(&sh, 0), 40);
	assert_int_equal(guest_share_size(&sh, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_accepted),
		cmocka_unit_test(modes_are_accepted),
		cmocka_unit_test(values),
		cmocka_unit_test(refusals),
		cmocka_unit_test(orders),
		cmocka_unit_test(shares),
		cmocka_unit_test(priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
