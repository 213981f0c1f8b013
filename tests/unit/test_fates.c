/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists and LRs written by hand, and what became of the interrupts in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/fates.h>
#include <vgicsim/recording.h>

#define P VGIC_LR_PENDING
#define A VGIC_LR_ACTIVE

/* States of an interrupt on a list: enabled, group 1. */
#define IDLE   (VGR_IRQ_ENABLED | VGR_IRQ_GROUP1)
#define PEND   (IDLE | VGR_IRQ_LATCH)
#define ACTIVE (IDLE | VGR_IRQ_ACTIVE)
#define LEVEL  (IDLE | VGR_IRQ_LEVEL)
#define HIGH   (LEVEL | VGR_IRQ_LINE)

static struct vgic_fates *fates;
static struct vgic_fate *list;
static size_t nr_list;
static uint64_t now;
static uint32_t vmcr;
static uint16_t on_vcpu;

static union {
	struct vgr_flush f;
	struct vgr_sync s;
	uint64_t space[64];
} u;

static void begin(void)
{
	struct vgr_plain first = {.r = {.type = VGR_LOAD, .size = sizeof(first)}};

	now = 1000000;
	vmcr = VGIC_VMCR_VENG1;
	on_vcpu = 0;
	assert_int_equal(vgic_fates_create(&fates, 0), 0);
	first.r.time = now;
	assert_int_equal(vgic_fates_record(fates, &first.r), 0);
}

static void put(struct vgr_rec *rec, uint16_t type, uint32_t size, uint16_t vcpu)
{
	rec->type = type;
	rec->size = size;
	rec->vcpu = vcpu;
	rec->time = now += 1000;
	assert_int_equal(vgic_fates_record(fates, rec), 0);
}

static struct vgr_irq irq_of(uint32_t intid, unsigned int state)
{
	return (struct vgr_irq){
		.intid = intid,
		.state = (uint16_t)state,
		.priority = 0xa0,
		.vcpu = on_vcpu,
		.target = on_vcpu,
	};
}

/* A flush whose list is this one interrupt (0: empty), before and after, and whose LR is lr. */
static void make_flush(uint32_t intid, unsigned int state, uint64_t lr)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);
	unsigned int n = intid ? 1 : 0;

	memset(&u, 0, sizeof(u));
	u.f.begin = now + 500;
	u.f.vmcr = vmcr;
	u.f.nr_lr = 1;
	u.f.used_lrs = lr ? 1 : 0;
	u.f.n_before = u.f.n_after = (uint16_t)n;
	u.f.dist_enabled = 1;
	irq[0] = irq[n] = irq_of(intid, state);
	*(uint64_t *)(irq + 2 * n) = lr;
}

static void put_flush(void)
{
	put(&u.f.r, VGR_FLUSH, vgr_flush_size(u.f.n_before, u.f.n_after, 1), on_vcpu);
}

static void flush(uint32_t intid, unsigned int state, uint64_t lr)
{
	make_flush(intid, state, lr);
	put_flush();
}

/* A sync of the same: its LR as read back, its state after, and whether it stays on the list. */
static void make_sync(uint32_t intid, uint64_t lr, unsigned int after, bool stays)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.s + 1);

	memset(&u, 0, sizeof(u));
	u.s.begin = now + 500;
	u.s.used_lrs = 1;
	u.s.n_before = 1;
	u.s.n_after = stays;
	irq[0] = irq[1] = irq_of(intid, after);
	if (!stays)
		irq[1].vcpu = VGR_NO_VCPU;
	*(uint64_t *)(irq + 2) = lr;
	*(uint32_t *)((uint64_t *)(irq + 2) + 1) = intid;
}

static void sync(uint32_t intid, uint64_t lr, unsigned int after, bool stays)
{
	make_sync(intid, lr, after, stays);
	put(&u.s.r, VGR_SYNC, vgr_sync_size(1, 1, stays), on_vcpu);
}

static void inject(uint32_t intid, uint8_t level)
{
	struct vgr_inject in = {.intid = intid, .level = level};

	put(&in.r, VGR_INJECT, sizeof(in), intid < 32 ? 0 : VGR_NO_VCPU);
}

static void mmio(uint64_t gpa, uint8_t write)
{
	struct vgr_mmio m = {.gpa = gpa, .len = 4, .write = write};

	put(&m.r, VGR_MMIO, sizeof(m), 0);
}

/* Entries of an empty vCPU, or of one whose interrupt stays as it is, 50 us apart. */
static void entries(unsigned int n, uint32_t intid, unsigned int state, uint64_t lr)
{
	for (unsigned int i = 0; i < n; i++) {
		now += 50000;
		flush(intid, state, lr);
	}
}

static const struct vgic_fate *end_as(enum vgic_fates_end how, uint32_t intid)
{
	const struct vgic_fate *f;

	free(list);
	assert_int_equal(vgic_fates_finish(fates, how, &list, &nr_list), 0);
	vgic_fates_destroy(fates);
	fates = NULL;
	f = vgic_fate_find(list, nr_list, 0, intid);
	assert_non_null(f);
	return f;
}

static void expect(enum vgic_fates_end how, uint32_t intid, enum vgic_fate_kind kind)
{
	const struct vgic_fate *f = end_as(how, intid);

	if (f->kind != kind)
		fail_msg("%s, not %s", vgic_fate_name(f->kind), vgic_fate_name(kind));
}

static int drop_list(void **state)
{
	free(list);
	vgic_fates_destroy(NULL);
	return 0;
}

/* ---- one interrupt that comes and goes ---- */

static void delivered(void **state)
{
	const struct vgic_fate *f;

	begin();
	inject(40, 1);
	flush(40, PEND, 40 | P);
	sync(40, 0, IDLE, false);
	f = end_as(VGIC_FATES_CUT, 40);
	assert_int_equal(f->kind, VGIC_FATE_DELIVERED);
	assert_int_equal(f->raised, 1);
	assert_int_equal(f->delivered, 1);
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->priority, 0xa0);
	assert_null(vgic_fate_find(list, nr_list, 0, 41));
	assert_false(vgic_fates_any(list, nr_list, VGIC_FATE_STUCK));
}

/* Taken and still active in its LR, then ended by a later run; once more meanwhile. */
static void delivered_twice(void **state)
{
	const struct vgic_fate *f;

	begin();
	inject(40, 1);
	flush(40, PEND, 40 | P);
	inject(40, 1);
	sync(40, 40 | A, ACTIVE | VGR_IRQ_LATCH, true);
	flush(40, ACTIVE | VGR_IRQ_LATCH, 40 | P | A);
	/* Ended, taken again, and ended. */
	sync(40, 0, IDLE, false);
	f = end_as(VGIC_FATES_CUT, 40);
	assert_int_equal(f->kind, VGIC_FATE_DELIVERED);
	assert_int_equal(f->raised, 2);
	assert_int_equal(f->delivered, 2);
	assert_int_equal(f->ended, 2);
}

static void without_a_record_of_its_raise(void **state)
{
	const struct vgic_fate *f;

	begin();
	flush(40, PEND, 40 | P);
	sync(40, 0, IDLE, false);
	f = end_as(VGIC_FATES_CUT, 40);
	assert_int_equal(f->kind, VGIC_FATE_DELIVERED);
	assert_int_equal(f->raised, 1);
}

static void an_lpi_is_never_active(void **state)
{
	const struct vgic_fate *f;

	begin();
	flush(8192, PEND, 8192 | P);
	sync(8192, 8192 | A, ACTIVE, false);
	f = end_as(VGIC_FATES_OVER, 8192);
	assert_int_equal(f->kind, VGIC_FATE_DELIVERED);
	assert_int_equal(f->ended, 1);
}

static void withdrawn_or_waiting(void **state)
{
	const struct vgic_fate *f;

	begin();
	inject(40, 1);
	inject(40, 0);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_WITHDRAWN);

	begin();
	now += 5000;
	inject(40, 1);
	f = end_as(VGIC_FATES_CUT, 40);
	assert_int_equal(f->kind, VGIC_FATE_WAITING);
	assert_int_equal(f->since_ns, 6000);

	/* Active by a register write, and never asked for. */
	begin();
	flush(40, ACTIVE, 40 | A);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_NONE);
}

/* ---- what goes wrong ---- */

static void starved(void **state)
{
	const struct vgic_fate *f;

	begin();
	inject(40, 1);
	entries(VGIC_FATE_ENTRIES, 40, PEND, 99 | A);
	f = end_as(VGIC_FATES_CUT, 40);
	assert_int_equal(f->kind, VGIC_FATE_STARVED);
	assert_int_equal(f->entries, VGIC_FATE_ENTRIES);
	assert_int_equal(f->since_ns, 1000 + 51000);
	assert_int_equal(f->outside_record, 3);
	assert_true(vgic_fates_any(list, nr_list, VGIC_FATE_STUCK));

	/* One entry fewer; unless nothing can happen any more. */
	begin();
	entries(VGIC_FATE_ENTRIES - 1, 40, PEND, 99 | A);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_WAITING);
	begin();
	entries(1, 40, PEND, 99 | A);
	expect(VGIC_FATES_BLOCKED, 40, VGIC_FATE_STARVED);

	/* Seldom entered, but for long. */
	begin();
	entries(1, 40, PEND, 99 | A);
	now += VGIC_FATE_LONG_NS;
	entries(VGIC_FATE_SOME_ENTRIES - 2, 40, PEND, 99 | A);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_WAITING);
	begin();
	entries(1, 40, PEND, 99 | A);
	now += VGIC_FATE_LONG_NS;
	entries(VGIC_FATE_SOME_ENTRIES - 1, 40, PEND, 99 | A);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_STARVED);

	/* Often enough, but all of it within a millisecond. */
	begin();
	for (unsigned int i = 0; i < 100; i++)
		flush(40, PEND, 99 | A);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_WAITING);

	/* It got its LR in the end. */
	begin();
	entries(100, 40, PEND, 99 | A);
	entries(1, 40, PEND, 40 | P);
	expect(VGIC_FATES_BLOCKED, 40, VGIC_FATE_WAITING);
}

static void only_what_could_be_taken_starves(void **state)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);

	for (int i = 0; i < 6; i++) {
		begin();
		if (i == 0)
			vmcr = VGIC_VMCR_VENG0;
		for (int n = 0; n < 50; n++) {
			now += 50000;
			make_flush(40, PEND, 99 | A);
			if (i == 1)
				irq[0].state = irq[1].state = PEND & ~VGR_IRQ_ENABLED;
			if (i == 2)
				irq[0].target = irq[1].target = 1;
			if (i == 3)
				u.f.dist_enabled = 0;
			if (i == 4)
				irq[1].state |= VGR_IRQ_GONE;
			if (i == 5)
				u.f.nested = 1;
			put_flush();
		}
		if (i == 5) {
			inject(40, 1);
			expect(VGIC_FATES_BLOCKED, 40, VGIC_FATE_WAITING);
			continue;
		}
		expect(VGIC_FATES_BLOCKED, 40, VGIC_FATE_WAITING);
	}
	/* A kernel that has not yet saved VMCR shows no group as enabled. */
	begin();
	vmcr = 0;
	for (int n = 0; n < 50; n++) {
		now += 50000;
		make_flush(40, PEND, 99 | A);
		u.f.active_spis = -1;
		put_flush();
	}
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_STARVED);
}

static void stuck(void **state)
{
	struct vgr_dir dir = {.value = 40};
	const struct vgic_fate *f;

	for (int how = 0; how < 4; how++) {
		begin();
		inject(40, 1);
		flush(40, PEND, 40 | P);
		sync(40, 40 | A, ACTIVE, true);
		if (how == 1)
			put(&dir.r, VGR_DIR, sizeof(dir), 0);
		entries(how == 2 ? 33 : 3, 40, ACTIVE, 40 | A);
		f = end_as(how == 3 ? VGIC_FATES_OVER : VGIC_FATES_CUT, 40);
		/* Its handler may just be running; unless a DIR did not help, or it lasts. */
		assert_int_equal(f->kind, how ? VGIC_FATE_STUCK : VGIC_FATE_DELIVERED);
		assert_int_equal(f->refused, how == 1);
		if (how)
			assert_int_equal(f->entries, how == 2 ? 33 : 3);
	}
	/* A DIR of what is not active refuses nothing. */
	begin();
	put(&dir.r, VGR_DIR, sizeof(dir), 0);
	flush(40, ACTIVE, 40 | A);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_NONE);
}

static void off_its_list_it_has_ended(void **state)
{
	const struct vgic_fate *f;

	begin();
	inject(40, 1);
	flush(40, PEND, 40 | P);
	sync(40, 40 | A, ACTIVE, true);
	flush(0, 0, 0);
	f = end_as(VGIC_FATES_OVER, 40);
	assert_int_equal(f->kind, VGIC_FATE_DELIVERED);
	assert_int_equal(f->ended, 1);
	/* Not so if the list was cut. */
	begin();
	inject(40, 1);
	flush(40, PEND, 40 | P);
	sync(40, 40 | A, ACTIVE, true);
	make_flush(0, 0, 0);
	u.f.r.flags = VGR_F_CUT;
	put_flush();
	expect(VGIC_FATES_OVER, 40, VGIC_FATE_STUCK);
}

static void lost(void **state)
{
	struct vgr_loss loss = {.count = 1};
	const struct vgic_fate *f;

	/* An edge was pending and is no more, and nobody took it. */
	begin();
	flush(40, PEND, 40 | P);
	sync(40, 40 | P, IDLE, false);
	f = end_as(VGIC_FATES_CUT, 40);
	assert_int_equal(f->kind, VGIC_FATE_LOST);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->since_ns, 2000);

	/* A level went; a register took it back; that may be what is missing. */
	for (int i = 0; i < 5; i++) {
		static const uint64_t gpa[] = {0x8000000, 0x8000180, 0x80a0284};

		begin();
		flush(40, i ? PEND : HIGH, 40 | P);
		if (i == 4)
			put(&loss.r, VGR_LOSS, sizeof(loss), VGR_NO_VCPU);
		else if (i)
			mmio(gpa[i - 1], 1);
		sync(40, 40 | P, i ? IDLE : LEVEL, false);
		expect(VGIC_FATES_CUT, 40, VGIC_FATE_WITHDRAWN);
	}
	/* A read, or a write to another place, takes nothing back. */
	for (int i = 0; i < 2; i++) {
		begin();
		flush(40, PEND, 40 | P);
		mmio(i ? 0x8000100 : 0x8000180, (uint8_t)i);
		sync(40, 40 | P, IDLE, false);
		expect(VGIC_FATES_CUT, 40, VGIC_FATE_LOST);
	}
}

static void raised_and_on_no_list(void **state)
{
	begin();
	flush(40, PEND, 40 | P);
	sync(40, 0, IDLE, false);
	inject(40, 1);
	entries(40, 0, 0, 0);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_LOST);

	/* Not long enough; but for ever if nothing can happen any more. */
	for (int i = 0; i < 2; i++) {
		begin();
		flush(40, PEND, 40 | P);
		sync(40, 0, IDLE, false);
		inject(40, 1);
		entries(3, 0, 0, 0);
		expect(i ? VGIC_FATES_BLOCKED : VGIC_FATES_CUT, 40,
		       i ? VGIC_FATE_LOST : VGIC_FATE_WAITING);
	}
	/* It may have been disabled since it was last seen. */
	begin();
	flush(40, PEND, 40 | P);
	sync(40, 0, IDLE, false);
	inject(40, 1);
	mmio(0x8000184, 1);
	entries(40, 0, 0, 0);
	expect(VGIC_FATES_CUT, 40, VGIC_FATE_WAITING);
}

/* ---- whose ---- */

static void sgis(void **state)
{
	struct vgr_sgi all = {.value = 5ull << 24 | 1ull << 40, .allow_group1 = 1};
	struct vgr_sgi one = {.value = 5ull << 24 | 4, .allow_group1 = 0};

	begin();
	for (on_vcpu = 0; on_vcpu < 3; on_vcpu++) {
		flush(5, IDLE, 0);
		sync(5, 0, IDLE, false);
	}
	put(&all.r, VGR_SGI, sizeof(all), 0);
	/* Group 1 by the register of group 0: dropped. */
	put(&one.r, VGR_SGI, sizeof(one), 0);
	assert_int_equal(end_as(VGIC_FATES_CUT, 5)->raised, 0);
	for (uint16_t i = 1; i < 3; i++) {
		const struct vgic_fate *f = vgic_fate_find(list, nr_list, i, 5);

		assert_int_equal(f->vcpu, i);
		assert_int_equal(f->raised, 1);
		assert_int_equal(f->kind, VGIC_FATE_WAITING);
	}
	assert_null(vgic_fate_find(list, nr_list, 3, 5));
}

static void records_of_others(void **state)
{
	struct vgr_inject in = {.intid = 40, .level = 1};
	struct vgr_plain kick = {.r = {.vcpu = 0}};

	begin();
	in.r.vm = 2;
	put(&in.r, VGR_INJECT, sizeof(in), VGR_NO_VCPU);
	in.r.vm = 0;
	put(&in.r, VGR_INJECT, sizeof(in), 600);
	put(&kick.r, VGR_KICK, sizeof(kick), VGR_NO_VCPU);
	now = 500; /* before the start */
	put(&in.r, VGR_INJECT, sizeof(in), VGR_NO_VCPU);
	free(list);
	assert_int_equal(vgic_fates_finish(fates, VGIC_FATES_CUT, &list, &nr_list), 0);
	assert_int_equal(nr_list, 0);
	assert_false(vgic_fates_any(list, nr_list, VGIC_FATE_STUCK));
	vgic_fates_destroy(fates);
}

/* ---- two recordings and a replay ---- */

static void verdicts(void **state)
{
	enum { N, D, WD, W, STUCK, S, L };
	static const enum vgic_fate_kind kinds[] = {VGIC_FATE_NONE,	 VGIC_FATE_DELIVERED,
						    VGIC_FATE_WITHDRAWN, VGIC_FATE_WAITING,
						    VGIC_FATE_STUCK,	 VGIC_FATE_STARVED,
						    VGIC_FATE_LOST};
	static const struct {
		uint8_t source, replayed, recorded;
		bool source_blocked, recorded_blocked;
		enum vgic_verdict verdict;
	} cases[] = {
		{D, D, D, false, false, VGIC_VERDICT_AGREE},
		{D, S, S, false, true, VGIC_VERDICT_AGREE},
		{D, S, D, false, false, VGIC_VERDICT_DIFFER},
		{D, D, S, false, true, VGIC_VERDICT_DIFFER},
		{D, L, STUCK, false, true, VGIC_VERDICT_DIFFER},
		/* The source never asked for it. */
		{N, N, D, false, false, VGIC_VERDICT_OPEN},
		/* The source was held up before it let it in. */
		{W, W, D, true, false, VGIC_VERDICT_OPEN},
		{W, W, D, false, false, VGIC_VERDICT_DIFFER},
		{D, W, D, true, false, VGIC_VERDICT_AGREE},
		/* The recorded guest did not raise it, and nothing held it up. */
		{D, D, N, false, false, VGIC_VERDICT_OPEN},
		{D, D, N, false, true, VGIC_VERDICT_DIFFER},
		{D, WD, L, false, false, VGIC_VERDICT_DIFFER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vgic_fate f[3] = {
			{.kind = (uint8_t)kinds[cases[i].source]},
			{.kind = (uint8_t)kinds[cases[i].replayed]},
			{.kind = (uint8_t)kinds[cases[i].recorded]},
		};
		struct vgic_fate_triple t = {
			.source = cases[i].source ? &f[0] : NULL,
			.replayed = cases[i].replayed ? &f[1] : NULL,
			.recorded = cases[i].recorded ? &f[2] : NULL,
			.source_blocked = cases[i].source_blocked,
			.recorded_blocked = cases[i].recorded_blocked,
		};

		for (int k = 0; k < 3; k++)
			f[k].delivered = f[k].kind == VGIC_FATE_DELIVERED;
		/* Delivered before, and asked for again at the end: it does come through. */
		if (i == 8)
			f[1].delivered = 3;
		if (vgic_fate_verdict(&t) != cases[i].verdict)
			fail_msg("case %zu: verdict %d", i, vgic_fate_verdict(&t));
	}
	for (int i = 0; i < VGIC_FATE_KINDS; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(vgic_fate_name((enum vgic_fate_kind)i),
						vgic_fate_name((enum vgic_fate_kind)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivered),
		cmocka_unit_test(delivered_twice),
		cmocka_unit_test(without_a_record_of_its_raise),
		cmocka_unit_test(an_lpi_is_never_active),
		cmocka_unit_test(withdrawn_or_waiting),
		cmocka_unit_test(starved),
		cmocka_unit_test(only_what_could_be_taken_starves),
		cmocka_unit_test(stuck),
		cmocka_unit_test(off_its_list_it_has_ended),
		cmocka_unit_test(lost),
		cmocka_unit_test(raised_and_on_no_list),
		cmocka_unit_test(sgis),
		cmocka_unit_test(records_of_others),
		cmocka_unit_test(verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, drop_list);
}
