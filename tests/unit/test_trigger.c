/* SPDX-License-Identifier: GPL-2.0-only */
/* Conditions: how they are read, and on records written by hand at which entry they are met. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/recording.h>
#include <vgicsim/trigger.h>

#include "condition.h"

#define MS 1000000ull

/* ---- reading ---- */

/* "raise-to-lr>50000 overflow>=4 and", as it is evaluated. */
static const char *postfix(const struct vgic_condition *c)
{
	static const char *const ops[] = {[VGIC_CONDITION_AND] = "and", [VGIC_CONDITION_OR] = "or"};
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < c->n; i++) {
		const struct vgic_condition_step *s = &c->step[i];

		if (i)
			text[n++] = ' ';
		if (s->op == VGIC_CONDITION_TERM)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%llu",
					      vgic_figure_name(s->quantity),
					      s->or_equal ? ">=" : ">",
					      (unsigned long long)s->limit);
		else
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", ops[s->op]);
	}
	return text;
}

static void reads(const char *text, const char *as)
{
	struct vgic_condition c;
	struct condition_error err;

	if (condition_parse(text, &c, &err))
		fail_msg("'%s': column %u: %s", text, err.column, err.what);
	assert_string_equal(postfix(&c), as);
}

static void grammar(void **state)
{
	reads("raise-to-lr > 50us", "raise-to-lr>50000");
	reads("raise-to-lr>=1.5ms", "raise-to-lr>=1500000");
	reads("\twait  >\t2s ", "wait>2000000000");
	reads("wait > 7ns", "wait>7");
	reads("overflow > 4", "overflow>4");
	reads("exits >= 20000/s", "exits>=20000");
	reads("mi > 0/s", "mi>0");
	reads("overflow > 1 or overflow > 2 and mi > 3/s", "overflow>1 overflow>2 mi>3 and or");
	reads("overflow > 1 and overflow > 2 or mi > 3/s", "overflow>1 overflow>2 and mi>3 or");
	reads("(overflow > 1 or overflow > 2)and(mi > 3/s)", "overflow>1 overflow>2 or mi>3 and");
	reads("((wait > 1us))", "wait>1000");
}

static void refuses(const char *text, unsigned int column, const char *what)
{
	struct vgic_condition c;
	struct condition_error err = {0};

	if (condition_parse(text, &c, &err) != -EINVAL)
		fail_msg("'%s' was read as '%s'", text, postfix(&c));
	if (err.column != column || !strstr(err.what, what))
		fail_msg("'%s': column %u: %s", text, err.column, err.what);
}

static void refusals(void **state)
{
	char deep[40], many[2048] = "overflow > 1";

	refuses("", 1, "raise-to-lr, wait");
	refuses("raise-to-ack > 5us", 1, "raise-to-lr, wait");
	refuses("overflows > 5", 1, "raise-to-lr, wait");
	refuses("overflow", 9, "> or >=");
	refuses("overflow < 4", 10, "> or >=");
	refuses("overflow > ", 12, "a number");
	refuses("overflow > 4us", 12, "a number");
	refuses("overflow > -4", 12, "a number");
	refuses("overflow > 99999999999999999999999", 12, "a number");
	refuses("raise-to-lr > 50", 15, "a time");
	refuses("raise-to-lr > 50lightyears", 15, "a time");
	refuses("raise-to-lr > us", 15, "a time");
	refuses("mi > 50", 6, "a rate");
	refuses("mi > /s", 6, "a rate");
	refuses("mi > 5/m", 6, "a rate");
	refuses("mi > 5/s/s", 6, "a rate");
	refuses("mi > 5/s and", 13, "raise-to-lr, wait");
	refuses("mi > 5/s wait > 1us", 10, "the end");
	refuses("mi > 5/s)", 9, "the end");
	refuses("wait > 1us or (mi > 5/s", 15, "not closed");
	refuses("(mi > 5/s wait > 1us)", 11, ")");
	refuses("()", 2, "raise-to-lr, wait");
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refuses(deep, 17, "too deep");
	for (unsigned int i = 0; i < VGIC_CONDITION_MAX; i++)
		strcat(many, " or overflow > 1");
	refuses(many, 526, "too long");
}

/* ---- records ---- */

static struct vgic_trigger *trigger;
static uint64_t now;

static union {
	struct vgr_flush f;
	struct vgr_sync s;
	uint64_t space[512];
} u;

static void arm(const char *text)
{
	struct vgic_condition c;
	struct condition_error err;

	vgic_trigger_destroy(trigger);
	assert_int_equal(condition_parse(text, &c, &err), 0);
	assert_int_equal(vgic_trigger_create(&trigger, &c, 2, 3, 3), 0);
	now = 1000 * MS;
}

static int end(void **state)
{
	vgic_trigger_destroy(trigger);
	trigger = NULL;
	return 0;
}

static struct vgic_trigger_event event;

static int put(void *record, uint16_t type, uint32_t size, uint16_t vcpu)
{
	struct vgr_rec *rec = record;

	rec->type = type;
	rec->size = size;
	rec->vcpu = vcpu;
	rec->time = now;
	return vgic_trigger_record(trigger, rec, &event);
}

static void inject(uint32_t intid)
{
	struct vgr_inject in = {.intid = intid, .level = 1};

	assert_int_equal(put(&in, VGR_INJECT, sizeof(in), VGR_NO_VCPU), 0);
}

#define PEND (VGR_IRQ_ENABLED | VGR_IRQ_GROUP1 | VGR_IRQ_LATCH)

/*
 * SPIs 32 to 31 + n are listed, pending; the first two stand in the LRs. 1: the entry
 * meets the condition.
 */
static int enter(unsigned int n, uint16_t vcpu)
{
	unsigned int used = n < 2 ? n : 2;
	struct vgr_irq *q = (struct vgr_irq *)(&u.f + 1);
	struct vgr_entry e = {0};
	uint64_t *lr;

	memset(&u, 0, sizeof(u));
	u.f.begin = now;
	u.f.nr_lr = 2;
	u.f.used_lrs = (uint16_t)used;
	u.f.n_before = u.f.n_after = u.f.total_before = u.f.total_after = (uint16_t)n;
	u.f.dist_enabled = 1;
	for (unsigned int i = 0; i < 2 * n; i++)
		q[i] = (struct vgr_irq){
			.intid = 32 + i % n, .state = PEND, .vcpu = vcpu, .target = vcpu};
	lr = (uint64_t *)(q + 2 * n);
	for (unsigned int i = 0; i < used; i++)
		lr[i] = VGIC_LR_PENDING | (32 + i);
	assert_int_equal(put(&u, VGR_FLUSH, vgr_flush_size(n, n, 2), vcpu), 0);
	return put(&e, VGR_ENTRY, sizeof(e), vcpu);
}

/* LRs empty: the guest took what they had. hcr decides whether that is an MI. */
static void leave(uint32_t hcr, uint16_t vcpu)
{
	unsigned int used = u.f.used_lrs;
	struct vgr_exit x = {0};

	memset(&u, 0, sizeof(u));
	u.s.begin = now;
	u.s.hcr = hcr;
	u.s.used_lrs = (uint16_t)used;
	assert_int_equal(put(&u, VGR_SYNC, vgr_sync_size(0, used, 0), vcpu), 0);
	assert_int_equal(put(&x, VGR_EXIT, sizeof(x), vcpu), 0);
}

static void a_raise_that_came_late_into_an_lr(void **state)
{
	arm("raise-to-lr > 2ms");
	assert_int_equal(enter(0, 0), 0);
	leave(0, 0);
	inject(32);
	now += 2 * MS;
	/* As long as the limit is not longer. */
	assert_int_equal(enter(1, 0), 0);
	leave(0, 0);
	now += MS;
	inject(32);
	now += 2 * MS + 1;
	assert_int_equal(enter(1, 0), 1);
	assert_int_equal(event.time, now);
	assert_int_equal(event.vcpu, 0);
	assert_int_equal(event.quantity, VGIC_FIGURE_RAISE_TO_LR);
	assert_int_equal(event.value, 2 * MS + 1);
	assert_int_equal(event.intid, 32);
	/* It is told of once, not at each entry. */
	assert_int_equal(enter(1, 0), 0);
}

static void what_waits_outside(void **state)
{
	arm("wait >= 3ms");
	assert_int_equal(enter(0, 0), 0);
	leave(0, 0);
	inject(32);
	inject(33);
	now += MS;
	inject(34);
	inject(35);
	assert_int_equal(enter(4, 0), 0);
	leave(0, 0);
	now += 3 * MS - 1;
	assert_int_equal(enter(4, 0), 0);
	leave(0, 0);
	now += 1;
	assert_int_equal(enter(4, 0), 1);
	assert_int_equal(event.value, 3 * MS);
	assert_int_equal(event.intid, 34);
	/* Those in the LRs do not wait. */
	leave(0, 0);
	now += 10 * MS;
	assert_int_equal(enter(2, 0), 0);
}

static void how_deep_it_overflows(void **state)
{
	arm("overflow > 2");
	assert_int_equal(enter(4, 1), 0);
	leave(0, 1);
	assert_int_equal(enter(5, 1), 1);
	assert_int_equal(event.value, 3);
	assert_int_equal(event.vcpu, 1);
	assert_int_equal(event.intid, VGR_BOUNDARY_NONE);
}

static void rates_are_of_one_vcpu_and_of_the_last_tenth_of_a_second(void **state)
{
	arm("exits > 50/s");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(enter(0, 0), 0);
		leave(0, 0);
	}
	/* Ten a tenth of a second on two vCPUs are five on each. */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(enter(0, 1), 0);
		leave(0, 1);
	}
	assert_int_equal(enter(0, 0), 0);
	leave(0, 0);
	assert_int_equal(enter(0, 0), 1);
	assert_int_equal(event.value, 60);
	now += 89 * MS;
	assert_int_equal(enter(0, 0), 1);
	now += 11 * MS;
	assert_int_equal(enter(0, 0), 0);
	/* MIs are those of the exits whose MISR says so. */
	arm("mi > 10/s");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enter(0, 0), i > 2);
		leave(i == 1 ? VGIC_HCR_NPIE : VGIC_HCR_NPIE * (i == 2), 0);
	}
	assert_int_equal(enter(0, 0), 1);
	assert_int_equal(event.value, 20);
}

static void terms_are_joined_within_one_entry(void **state)
{
	arm("wait > 1ms and overflow > 2 or overflow > 6");
	assert_int_equal(enter(0, 0), 0);
	leave(0, 0);
	for (uint32_t i = 32; i < 37; i++)
		inject(i);
	now += 2 * MS;
	assert_int_equal(enter(4, 0), 0);
	leave(0, 0);
	assert_int_equal(enter(5, 0), 1);
	assert_int_equal(event.quantity, VGIC_FIGURE_WAIT);
	leave(0, 0);
	assert_int_equal(enter(9, 0), 1);
}

static void after_a_loss_nobody_knows_how_long(void **state)
{
	struct vgr_loss loss = {.r = {.vm = VGR_NO_VM}, .count = 1};

	arm("raise-to-lr > 2ms or wait > 2ms");
	assert_int_equal(enter(0, 0), 0);
	leave(0, 0);
	inject(32);
	inject(34);
	assert_int_equal(put(&loss, VGR_LOSS, sizeof(loss), VGR_NO_VCPU), 0);
	now += 3 * MS;
	assert_int_equal(enter(1, 0), 0);
}

static void conditions_that_are_none(void **state)
{
	struct vgic_condition c = {0};
	struct vgic_trigger *t;

	assert_int_equal(vgic_trigger_create(&t, &c, 4, 3, 3), -EINVAL);
	c.n = 1;
	c.step[0].op = VGIC_CONDITION_AND;
	assert_int_equal(vgic_trigger_create(&t, &c, 4, 3, 3), -EINVAL);
	c.n = 2;
	c.step[0].op = c.step[1].op = VGIC_CONDITION_TERM;
	assert_int_equal(vgic_trigger_create(&t, &c, 4, 3, 3), -EINVAL);
	c.n = 1;
	c.step[0].quantity = VGIC_FIGURES;
	assert_int_equal(vgic_trigger_create(&t, &c, 4, 3, 3), -EINVAL);
	vgic_trigger_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(refusals),
		cmocka_unit_test_teardown(a_raise_that_came_late_into_an_lr, end),
		cmocka_unit_test_teardown(what_waits_outside, end),
		cmocka_unit_test_teardown(how_deep_it_overflows, end),
		cmocka_unit_test_teardown(rates_are_of_one_vcpu_and_of_the_last_tenth_of_a_second,
					  end),
		cmocka_unit_test_teardown(terms_are_joined_within_one_entry, end),
		cmocka_unit_test_teardown(after_a_loss_nobody_knows_how_long, end),
		cmocka_unit_test(conditions_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
