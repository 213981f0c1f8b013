/* SPDX-License-Identifier: GPL-2.0-only */
/* Records written by hand, and the latencies from raise to LR in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/raises.h>
#include <vgicsim/recording.h>

#define P VGIC_LR_PENDING
#define A VGIC_LR_ACTIVE

#define OFF    VGR_IRQ_GROUP1
#define IDLE   (VGR_IRQ_ENABLED | VGR_IRQ_GROUP1)
#define PEND   (IDLE | VGR_IRQ_LATCH)
#define ACTIVE (IDLE | VGR_IRQ_ACTIVE)
#define LEVEL  (IDLE | VGR_IRQ_LEVEL)
#define HIGH   (LEVEL | VGR_IRQ_LINE)

#define LPI 8200u

static struct vgic_latency_series to_lr;
static struct vgic_raises *raises;
static uint64_t now, sum;

static int begin(void **state)
{
	now = sum = 0;
	return vgic_latency_init(&to_lr) || vgic_raises_create(&raises, 0, &to_lr);
}

static int end(void **state)
{
	vgic_raises_destroy(raises);
	vgic_latency_finish(&to_lr);
	return 0;
}

static void put(void *record, uint16_t type, uint32_t size, uint16_t vcpu)
{
	struct vgr_rec *rec = record;

	rec->type = type;
	rec->size = size;
	rec->vcpu = vcpu;
	rec->time = now;
	assert_int_equal(vgic_raises_record(raises, rec), 0);
}

static union {
	struct vgr_flush f;
	struct vgr_sync s;
	uint64_t space[64];
} u;

/* On a list that is this one interrupt (0: empty); lr: the only LR. From begin to end 10 ns. */
static void flush_on(uint16_t vcpu, uint32_t intid, unsigned int state, uint64_t lr)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);
	unsigned int n = intid ? 1 : 0;

	memset(&u, 0, sizeof(u));
	u.f.begin = now;
	u.f.nr_lr = 1;
	u.f.used_lrs = lr ? 1 : 0;
	u.f.n_before = u.f.n_after = (uint16_t)n;
	u.f.dist_enabled = 1;
	irq[0] = irq[n] = (struct vgr_irq){
		.intid = intid, .state = (uint16_t)state, .vcpu = vcpu, .target = vcpu};
	*(uint64_t *)(irq + 2 * n) = lr;
	now += 10;
	put(&u.f, VGR_FLUSH, vgr_flush_size(n, n, 1), vcpu);
}

static void flush(uint32_t intid, unsigned int state, uint64_t lr)
{
	flush_on(0, intid, state, lr);
}

static void entry(void)
{
	struct vgr_entry e = {0};

	put(&e, VGR_ENTRY, sizeof(e), 0);
}

/* The same at a sync: the LR as read back, the state after it. */
static void sync(uint32_t intid, uint64_t lr, unsigned int after)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.s + 1);

	memset(&u, 0, sizeof(u));
	u.s.begin = now;
	u.s.used_lrs = 1;
	u.s.n_before = u.s.n_after = 1;
	irq[0] = irq[1] = (struct vgr_irq){.intid = intid, .state = (uint16_t)after};
	*(uint64_t *)(irq + 2) = lr;
	now += 10;
	put(&u.s, VGR_SYNC, vgr_sync_size(1, 1, 1), 0);
}

static void line(uint32_t intid, bool level)
{
	struct vgr_inject in = {.intid = intid, .level = level};

	put(&in, VGR_INJECT, sizeof(in), VGR_NO_VCPU);
}

static void write_register(void)
{
	struct vgr_mmio m = {.write = 1};

	put(&m, VGR_MMIO, sizeof(m), 0);
}

static void msi(uint32_t event)
{
	struct vgr_msi m = {.devid = 7, .eventid = event, .ret = 1};

	put(&m, VGR_MSI, sizeof(m), VGR_NO_VCPU);
}

/* One more latency, and it is this one. */
static void measured(uint64_t n, uint64_t ns)
{
	assert_int_equal(to_lr.hist.n, n);
	assert_int_equal(to_lr.hist.sum - sum, ns);
	sum = to_lr.hist.sum;
}

static void an_edge(void **state)
{
	struct vgic_raise raise;

	flush(0, 0, 0);
	now = 100;
	line(40, true);
	now = 150;
	flush(40, PEND, P | 40);
	measured(0, 0);
	assert_false(vgic_raises_in_lr(raises, 0, 40, &raise));
	now = 170;
	entry();
	measured(1, 70);
	assert_true(vgic_raises_in_lr(raises, 0, 40, &raise));
	assert_int_equal(raise.time, 100);
	assert_int_equal(raise.number, 0);
	/* Not taken: it was in an LR already. */
	now = 200;
	sync(40, P | 40, PEND);
	flush(40, PEND, P | 40);
	entry();
	measured(1, 0);
	now = 300;
	sync(40, 0, IDLE);
	assert_false(vgic_raises_in_lr(raises, 0, 40, &raise));
	assert_int_equal(vgic_raises_merged(raises), 0);
}

/* A flush that the guest is not entered after shows it nothing. */
static void no_entry(void **state)
{
	flush(0, 0, 0);
	now = 100;
	line(40, true);
	flush(40, PEND, P | 40);
	sync(40, P | 40, PEND);
	now = 500;
	flush(40, PEND, P | 40);
	entry();
	measured(1, 410);
}

static void edges_merge(void **state)
{
	flush(0, 0, 0);
	now = 100;
	line(40, true);
	now = 120;
	line(40, true);
	assert_int_equal(vgic_raises_merged(raises), 1);
	flush(40, PEND, P | 40);
	entry();
	measured(1, 30);
	/* In the guest: whether it was taken before shows at the sync only. */
	now = 200;
	line(40, true);
	assert_int_equal(vgic_raises_merged(raises), 1);
	now = 210;
	line(40, true);
	assert_int_equal(vgic_raises_merged(raises), 2);
	sync(40, P | 40, PEND);
	assert_int_equal(vgic_raises_merged(raises), 3);
	now = 300;
	line(40, true);
	assert_int_equal(vgic_raises_merged(raises), 4);
	flush(40, PEND, P | 40);
	entry();
	measured(1, 0);
	/* Taken: a raise of its own. */
	now = 400;
	line(40, true);
	now = 500;
	sync(40, A | 40, ACTIVE | VGR_IRQ_LATCH);
	flush(40, ACTIVE | VGR_IRQ_LATCH, P | A | 40);
	entry();
	measured(2, 120);
	assert_int_equal(vgic_raises_merged(raises), 4);
}

/* Its line stays high over the handling: raised again when the host learns of its end. */
static void a_line_that_stays_high(void **state)
{
	flush(40, LEVEL, 0);
	now = 100;
	line(40, true);
	now = 150;
	flush(40, HIGH, P | 40);
	entry();
	measured(1, 60);
	now = 1000;
	sync(40, A | 40, HIGH | VGR_IRQ_ACTIVE);
	now = 1100;
	flush(40, HIGH | VGR_IRQ_ACTIVE, A | 40);
	entry();
	now = 2000;
	sync(40, 0, HIGH);
	now = 2100;
	flush(40, HIGH, P | 40);
	entry();
	measured(2, 110);
	/* Taken and ended in one run. */
	now = 3000;
	sync(40, 0, HIGH);
	now = 3010;
	flush(40, HIGH, P | 40);
	entry();
	measured(3, 20);
	assert_int_equal(vgic_raises_merged(raises), 0);
}

/* Ended by a DIR that trapped: from then on, not from the flush that shows it. */
static void a_line_that_stays_high_over_a_dir(void **state)
{
	struct vgr_dir d = {.value = 40};

	flush(40, HIGH, P | 40);
	entry();
	now = 1000;
	sync(40, A | 40, HIGH | VGR_IRQ_ACTIVE);
	sum = to_lr.hist.sum;
	now = 1100;
	put(&d, VGR_DIR, sizeof(d), 0);
	now = 1500;
	flush(40, HIGH, P | 40);
	entry();
	measured(2, 410);
}

static void a_line_that_falls(void **state)
{
	flush(40, LEVEL, 0);
	now = 100;
	line(40, true);
	now = 200;
	line(40, false);
	now = 300;
	line(40, true);
	flush(40, HIGH, P | 40);
	entry();
	measured(1, 10);
	/* Down and up while it is active: it waits for the deactivation from then on. */
	now = 400;
	sync(40, A | 40, HIGH | VGR_IRQ_ACTIVE);
	line(40, false);
	now = 500;
	line(40, true);
	flush(40, HIGH | VGR_IRQ_ACTIVE, A | 40);
	entry();
	now = 700;
	sync(40, 0, HIGH);
	flush(40, HIGH, P | 40);
	entry();
	measured(2, 220);
	/* Down and up before it was taken: still the same to the guest. */
	line(40, false);
	line(40, true);
	sync(40, P | 40, HIGH);
	flush(40, HIGH, P | 40);
	entry();
	measured(2, 0);
	assert_int_equal(vgic_raises_merged(raises), 0);
}

/* Nobody may deliver it: it counts from the write that changes that. */
static void a_disabled_one(void **state)
{
	flush(0, 0, 0);
	now = 100;
	line(40, true);
	now = 200;
	flush(0, 0, 0);
	now = 300;
	write_register();
	now = 350;
	flush(40, PEND, P | 40);
	entry();
	measured(1, 60);
	/* Active it stays on the list although it is disabled. */
	now = 500;
	line(40, true);
	sync(40, A | 40, OFF | VGR_IRQ_ACTIVE | VGR_IRQ_LATCH);
	flush(40, OFF | VGR_IRQ_ACTIVE | VGR_IRQ_LATCH, A | 40);
	entry();
	now = 600;
	sync(40, A | 40, OFF | VGR_IRQ_ACTIVE | VGR_IRQ_LATCH);
	now = 700;
	flush(40, ACTIVE | VGR_IRQ_LATCH, P | A | 40);
	entry();
	measured(2, 10);
}

/* On the list of another vCPU before: it has waited all the time. */
static void a_moved_one(void **state)
{
	flush_on(1, 0, 0, 0);
	flush(0, 0, 0);
	now = 100;
	line(40, true);
	flush_on(1, 40, PEND, 0);
	now = 200;
	flush(0, 0, 0);
	now = 300;
	flush(40, PEND, P | 40);
	entry();
	measured(1, 210);
}

/* Made pending by a register: from when a list shows it. */
static void an_unexplained_one(void **state)
{
	flush(0, 0, 0);
	now = 100;
	write_register();
	now = 200;
	flush(40, PEND, P | 40);
	entry();
	measured(1, 10);
}

static void sgi(uint16_t sender, uint64_t targets, bool group1)
{
	struct vgr_sgi s = {.value = 5ull << 24 | targets, .allow_group1 = group1};

	put(&s, VGR_SGI, sizeof(s), sender);
}

static void sgis(void **state)
{
	flush_on(1, 0, 0, 0);
	flush(5, IDLE, 0);
	now = 100;
	sgi(1, 1, true);
	now = 110;
	sgi(1, 1, true);
	sgi(0, 1, true);
	assert_int_equal(vgic_raises_merged(raises), 2);
	/* Not for its group: dropped. */
	sgi(1, 1, false);
	assert_int_equal(vgic_raises_merged(raises), 2);
	flush(5, PEND, P | 5);
	entry();
	measured(1, 20);
}

/* A GICv2 keeps one for each sender. */
static void sgis_of_a_gicv2(void **state)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);

	flush_on(1, 0, 0, 0);
	flush_on(2, 0, 0, 0);
	sgi(1, 1, true);
	flush(5, PEND, 0);
	irq[0].source = irq[1].source = 2;
	put(&u.f, VGR_FLUSH, vgr_flush_size(1, 1, 1), 0);
	sgi(2, 1, true);
	assert_int_equal(vgic_raises_merged(raises), 0);
	sgi(2, 1, true);
	sgi(1, 1, true);
	assert_int_equal(vgic_raises_merged(raises), 2);
}

/* The first LPI that pends for no known reason was the first MSI. */
static void msis(void **state)
{
	flush(0, 0, 0);
	now = 100;
	msi(3);
	now = 150;
	msi(3);
	now = 200;
	flush(LPI, PEND, P | LPI);
	entry();
	measured(1, 110);
	assert_int_equal(vgic_raises_merged(raises), 1);
	now = 300;
	sync(LPI, 0, IDLE);
	now = 400;
	msi(3);
	flush(LPI, PEND, P | LPI);
	entry();
	measured(2, 10);
	/* Known by other means. */
	now = 500;
	sync(LPI, 0, IDLE);
	assert_int_equal(vgic_raises_lpi(raises, LPI, now), 0);
	flush(LPI, PEND, P | LPI);
	entry();
	measured(3, 10);
}

/* What was lost may have been the raise. */
static void a_loss(void **state)
{
	struct vgr_loss loss = {.count = 3};
	struct vgic_raise raise;

	flush(0, 0, 0);
	now = 100;
	line(40, true);
	put(&loss, VGR_LOSS, sizeof(loss), VGR_NO_VCPU);
	flush(40, PEND, P | 40);
	entry();
	measured(0, 0);
	assert_false(vgic_raises_in_lr(raises, 0, 40, &raise));
	sync(40, 0, IDLE);
	now = 200;
	line(40, true);
	flush(40, PEND, P | 40);
	entry();
	measured(1, 10);
}

static void others(void **state)
{
	struct vgr_inject in = {.r = {.vm = 1}, .intid = 40, .level = 1};
	struct vgr_entry e = {0};

	flush(0, 0, 0);
	put(&in, VGR_INJECT, sizeof(in), VGR_NO_VCPU);
	in.r.vm = 0;
	put(&in, VGR_INJECT, sizeof(in), 60000);
	put(&e, VGR_ENTRY, sizeof(e), VGR_NO_VCPU);
	put(&e, VGR_TYPE_MAX, sizeof(e), 0);
	now = 100;
	flush(40, PEND, P | 40);
	entry();
	measured(1, 10);
	assert_int_equal(vgic_raises_merged(raises), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_edge),
		TEST(no_entry),
		TEST(edges_merge),
		TEST(a_line_that_stays_high),
		TEST(a_line_that_stays_high_over_a_dir),
		TEST(a_line_that_falls),
		TEST(a_disabled_one),
		TEST(a_moved_one),
		TEST(an_unexplained_one),
		TEST(sgis),
		TEST(sgis_of_a_gicv2),
		TEST(msis),
		TEST(a_loss),
		TEST(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
