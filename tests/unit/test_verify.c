// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verify against records that a second vgic wrote in the kernel's place: what is
 * right passes, every single change is found and named, and only what another
 * CPU's record explains is left undecided.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/recording.h>
#include <vgicsim/verify.h>
#include <vgicsim/vgic.h>

#define NR_LR 4
#define MAX   32

static struct vgic *kernel;
static struct vgic_verify *verify;
static struct vgic_verify_config cfg;
static unsigned int nr_found;
static char first_rule[16], first_field[32], first_hint[400];
static uint64_t now;

/* Room for one record with its lists. */
static union {
	struct vgr_rec r;
	struct vgr_flush flush;
	struct vgr_sync sync;
	uint64_t space[1024];
} u;

static void found(void *opaque, const struct vgic_verify_mismatch *m)
{
	if (!nr_found++) {
		strcpy(first_rule, m->rule);
		strcpy(first_field, m->field);
		strcpy(first_hint, m->hint ? m->hint : "");
	}
	assert_non_null(m->text);
	assert_int_equal(m->rec->vcpu, 0);
}

static void restart(void)
{
	vgic_verify_destroy(verify);
	assert_int_equal(vgic_verify_create(&verify, &cfg), 0);
	nr_found = 0;
	first_rule[0] = '\0';
}

static void use_policy(const char *name)
{
	struct vgic_config k = {
		.policy = vgic_policy_find(name),
		.nr_vcpus = 2,
		.nr_spis = 96,
		.nr_lr = NR_LR,
		.has_tdir = true,
	};

	vgic_destroy(kernel);
	assert_int_equal(vgic_create(&kernel, &k), 0);
	kernel->dist_enabled = true;
	kernel->vcpus[0].vmcr = VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
	for (uint32_t i = 16; i < 128; i++)
		vgic_write_enable(kernel, 0, i, true);
	cfg = (struct vgic_verify_config){
		.policy = k.policy,
		.nr_lr = NR_LR,
		.mismatch = found,
	};
	now = 1000000000;
	restart();
}

static int setup(void **state)
{
	use_policy("newest");
	return 0;
}

static int teardown(void **state)
{
	vgic_verify_destroy(verify);
	vgic_destroy(kernel);
	verify = NULL;
	kernel = NULL;
	return 0;
}

static struct vgic_irq *irq(uint32_t intid)
{
	return vgic_irq_find(kernel, 0, intid);
}

static struct vgr_rec head(uint16_t type, uint32_t size, uint16_t cpu)
{
	now += 1000;
	return (struct vgr_rec){.type = type, .size = size, .time = now, .cpu = cpu, .vcpu = 0};
}

static unsigned int dump(struct vgr_irq *to)
{
	unsigned int n = 0;

	for (struct vgic_irq *i = kernel->vcpus[0].list.head; i; i = i->next)
		vgic_irq_export(i, &to[n++]);
	return n;
}

static uint32_t boundary(void)
{
	if (kernel->cfg.policy->last_lr == VGIC_LAST_LR_NEVER)
		return VGR_BOUNDARY_UNKNOWN;
	return kernel->vcpus[0].boundary ? kernel->vcpus[0].boundary->intid : VGR_BOUNDARY_NONE;
}

static int32_t counter(void)
{
	return kernel->cfg.policy->track_spis ? (int32_t)kernel->active_spis : -1;
}

/* The second vgic flushes; its record is in u. */
static void make_flush(void)
{
	struct vgic_vcpu *v = &kernel->vcpus[0];
	struct vgr_irq before[MAX], after[MAX];
	unsigned int n = dump(before), size = vgr_flush_size(n, n, NR_LR);

	u.flush = (struct vgr_flush){
		.r = head(VGR_FLUSH, size, 0),
		.begin = now,
		.vmcr = v->vmcr,
		.active_spis = counter(),
		.nr_lr = NR_LR,
		.n_before = n,
		.n_after = n,
		.total_before = n,
		.total_after = n,
		.dist_enabled = 1,
	};
	u.r.time += 100;
	vgic_flush(kernel, 0);
	dump(after);
	u.flush.hcr = v->hcr;
	u.flush.boundary = boundary();
	u.flush.used_lrs = v->used_lrs;
	memcpy((void *)vgr_flush_before(&u.flush), before, n * sizeof(*before));
	memcpy((void *)vgr_flush_after(&u.flush), after, n * sizeof(*after));
	memcpy((void *)vgr_flush_lrs(&u.flush), v->lr, sizeof(v->lr[0]) * NR_LR);
}

/* ... and syncs, with the LRs as they stand in its shadow. */
static void make_sync(void)
{
	struct vgic_vcpu *v = &kernel->vcpus[0];
	struct vgr_irq before[MAX], after[MAX];
	unsigned int n = dump(before), m = 0;
	uint64_t lrs[NR_LR];
	uint32_t order[MAX];

	memcpy(lrs, v->lr, sizeof(lrs));
	u.sync = (struct vgr_sync){
		.r = head(VGR_SYNC, 0, 0),
		.begin = now,
		.hcr = v->hcr,
		.vmcr = v->vmcr,
		.boundary = boundary(),
		.active_spis_before = counter(),
		.used_lrs = v->used_lrs,
		.n_before = n,
		.total_before = n,
		.dist_enabled = 1,
	};
	u.r.time += 100;
	vgic_sync(kernel, 0);
	for (unsigned int i = 0; i < n; i++)
		vgic_irq_export(irq(before[i].intid), &after[i]);
	for (struct vgic_irq *i = v->list.head; i; i = i->next)
		order[m++] = i->intid;
	u.sync.n_after = u.sync.total_after = m;
	u.sync.active_spis_after = counter();
	u.r.size = vgr_sync_size(n, u.sync.used_lrs, m);
	memcpy((void *)vgr_sync_before(&u.sync), before, n * sizeof(*before));
	memcpy((void *)vgr_sync_after(&u.sync), after, n * sizeof(*after));
	memcpy((void *)vgr_sync_lrs(&u.sync), lrs, u.sync.used_lrs * sizeof(*lrs));
	memcpy((void *)vgr_sync_order(&u.sync), order, m * sizeof(*order));
}

static void put(void)
{
	assert_int_equal(vgic_verify_record(verify, &u.r), 0);
}

/* Ends the recording, whose first mismatch must be of that rule and field; "": none. */
static void expect(const char *rule, const char *field)
{
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_string_equal(first_rule, rule);
	if (*rule)
		assert_string_equal(first_field, field);
	else
		assert_int_equal(nr_found, 0);
	restart();
}

static void clean(void)
{
	expect("", "");
}

/* Six SPIs, one of them active: an overflowing list. */
static void overflow(void)
{
	for (uint32_t i = 40; i < 45; i++) {
		vgic_write_priority(kernel, 0, i, 0x80 - (i - 40) * 8);
		vgic_inject(kernel, 0, i, true);
	}
	vgic_write_active(kernel, 0, 0, 50, true);
}

static void right_records_pass(void **state)
{
	const struct vgic_verify_totals *t = vgic_verify_totals(verify);

	overflow();
	make_flush();
	put();
	kernel->vcpus[0].lr[0] ^= VGIC_LR_STATE;
	kernel->vcpus[0].hcr |= 1u << VGIC_HCR_EOICOUNT_SHIFT;
	make_sync();
	assert_false(irq(50)->active);
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_int_equal(t->flushes, 1);
	assert_int_equal(t->checked_flushes, 1);
	assert_int_equal(t->checked_syncs, 1);
	assert_int_equal(t->pairs, 1);
	assert_int_equal(t->sorted, 1);
	assert_int_equal(t->overflowing, 1);
	assert_int_equal(t->replayed, 1);
	assert_int_equal(t->irqs, 12);
	assert_int_equal(t->mismatches, 0);
	assert_int_equal(t->undecided_records, 0);
}

static struct vgr_irq *after(unsigned int i)
{
	return (struct vgr_irq *)(u.r.type == VGR_FLUSH ? vgr_flush_after(&u.flush)
							: vgr_sync_after(&u.sync)) +
	       i;
}

static uint64_t *lrs(void)
{
	return (uint64_t *)vgr_flush_lrs(&u.flush);
}

/* One change after the other in one flush: each is found under its rule. */
static void every_field_of_a_flush(void **state)
{
	struct vgr_irq swap;

	overflow();
	make_flush();
	put();
	clean();

#define CHANGED(change, undo, rule, field) \
	do {                               \
		change;                    \
		put();                     \
		undo;                      \
		expect(rule, field);       \
	} while (0)
#define FLIP(what, bits, rule, field) CHANGED(what ^= (bits), what ^= (bits), rule, field)

	FLIP(u.flush.hcr, VGIC_HCR_EN, "OV-29", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_UIE, "OV-30", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_NPIE, "OV-30", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_LRENPIE, "OV-30", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_VSGIEOICOUNT, "OV-31", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_VGRP0EIE, "OV-32", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_TDIR, "OV-33", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_EOICOUNT, "OV-34", "HCR");
	FLIP(u.flush.hcr, 1u << 13, "OV-35", "HCR");
	FLIP(lrs()[1], VGIC_LR_PENDING, "OV-26", "LR");
	FLIP(lrs()[1], VGIC_LR_ACTIVE, "OV-23", "LR");
	FLIP(lrs()[1], VGIC_LR_EOI, "OV-25", "LR");
	FLIP(lrs()[1], VGIC_LR_HW, "OV-24", "LR");
	FLIP(lrs()[1], VGIC_LR_GROUP1, "OV-27", "LR");
	FLIP(lrs()[1], 1ull << VGIC_LR_PRIORITY_SHIFT, "OV-27", "LR");
	FLIP(lrs()[1], 1, "OV-20", "LR");
	FLIP(u.flush.used_lrs, 7, "OV-20", "used LRs");
	FLIP(u.flush.boundary, 1, "OV-21", "boundary");
	FLIP(after(0)->state, VGR_IRQ_ON_LR, "OV-28", "state after");
	FLIP(after(0)->state, VGR_IRQ_LATCH, "OV-28", "state after");
	FLIP(after(5)->state, VGR_IRQ_ACTIVE, "OV-28", "state after");
	FLIP(after(5)->priority, 8, "OV-28", "priority");
	FLIP(after(5)->source, 8, "OV-28", "source");
	FLIP(after(5)->target, 1, "OV-28", "target");
	CHANGED((swap = *after(0), *after(0) = *after(1), *after(1) = swap),
		(swap = *after(0), *after(0) = *after(1), *after(1) = swap), "OV-17",
		"place in the list");
	put();
	clean();
}

static void every_field_of_a_sync(void **state)
{
	uint32_t *order, swap;

	overflow();
	make_flush();
	make_sync();
	put();
	clean();
	order = (uint32_t *)vgr_sync_order(&u.sync);

	FLIP(after(0)->state, VGR_IRQ_ACTIVE, "OV-43", "state after");
	FLIP(after(5)->state, VGR_IRQ_ACTIVE, "OV-52", "state after");
	FLIP(after(0)->state, VGR_IRQ_LATCH, "OV-45", "state after");
	FLIP(after(0)->state, VGR_IRQ_LINE, "OV-47", "state after");
	FLIP(after(0)->state, VGR_IRQ_ON_LR, "OV-48", "state after");
	FLIP(after(0)->state, VGR_IRQ_ENABLED, "OV-48", "state after");
	FLIP(after(0)->active_source, 1, "OV-46", "active source");
	CHANGED(after(0)->vcpu = VGR_NO_VCPU, after(0)->vcpu = 0, "OV-55", "owner");
	FLIP(u.sync.active_spis_after, 1, "OV-49", "active_spis");
	CHANGED((swap = order[2], order[2] = order[3], order[3] = swap),
		(swap = order[2], order[2] = order[3], order[3] = swap), "OV-55",
		"place in the list");
	/* The count of EOIs decides which interrupt is deactivated. */
	FLIP(u.sync.hcr, 1u << VGIC_HCR_EOICOUNT_SHIFT, "OV-52", "state after");
	put();
	clean();
}

static void no_detail_of_the_kernel_is_taken_for_granted(void **state)
{
	/* A kernel that goes by other rules is found out. */
	use_policy("linux-6.12");
	overflow();
	make_flush();
	put();
	clean();
	cfg.policy = vgic_policy_find("newest");
	restart();
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_true(nr_found > 5);
}

static void rules_of_6_12_have_their_names(void **state)
{
	use_policy("linux-6.12");
	overflow();
	make_flush();
	FLIP(u.flush.hcr, VGIC_HCR_UIE, "HI-4", "HCR");
	FLIP(u.flush.hcr, VGIC_HCR_NPIE, "HI-5", "HCR");
	/* on_lr does not exist there, nor does the counter. */
	FLIP(after(0)->state, VGR_IRQ_ON_LR, "OV-28", "state after");
	CHANGED(u.flush.active_spis = 0, u.flush.active_spis = -1, "OV-49", "active_spis");
	make_sync();
	FLIP(after(0)->state, VGR_IRQ_ACTIVE, "HI-8", "state after");
}

static void empty_short_cut(void **state)
{
	make_flush();
	put();
	clean();
	u.r.flags = VGR_F_SKIPPED;
	put();
	expect("OV-18", "skipped");
	use_policy("linux-6.12");
	make_flush();
	u.r.flags = VGR_F_SKIPPED;
	u.flush.hcr = 0x123;
	put();
	clean();
	vgic_inject(kernel, 0, 40, true);
	make_flush();
	u.r.flags = VGR_F_SKIPPED;
	put();
	expect("HI-1", "skipped");
}

static void other_cpu_injects(uint32_t intid, uint64_t time, uint16_t cpu)
{
	struct vgr_inject inject = {
		.r = {.type = VGR_INJECT,
		      .size = sizeof(inject),
		      .time = time,
		      .cpu = cpu,
		      .vcpu = VGR_NO_VCPU,
		      .tid = 7},
		.intid = intid,
		.level = 1,
	};

	assert_int_equal(vgic_verify_record(verify, &inject.r), 0);
}

static void expect_undecided(enum vgic_undecided why)
{
	const struct vgic_verify_totals *t = vgic_verify_totals(verify);

	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_int_equal(nr_found, 0);
	assert_int_equal(t->undecided_records, 1);
	assert_int_equal(t->undecided[why], 1);
	restart();
}

/* What trace events show was read after the time that they have. */
static void a_record_may_be_younger_than_its_time(void **state)
{
	cfg.late_ns = 500;
	restart();
	overflow();
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	put();
	other_cpu_injects(40, u.r.time + 500, 1);
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	put();
	other_cpu_injects(40, u.r.time + 501, 1);
	expect("OV-28", "state after");
}

static void only_a_concurrent_change_excuses(void **state)
{
	struct vgr_plain kick = {.r = {.type = VGR_KICK, .size = sizeof(kick), .cpu = 1, .tid = 7}};
	uint64_t begin, end;

	overflow();
	make_flush();
	begin = u.flush.begin;
	end = u.r.time;
	after(0)->state ^= VGR_IRQ_LATCH;

	/* In the window, on another CPU; the record may come before or after in the file. */
	other_cpu_injects(40, begin + 50, 1);
	put();
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	put();
	other_cpu_injects(40, begin + 50, 1);
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	/* Begun before, and that CPU has said nothing since. */
	other_cpu_injects(40, begin - 500, 1);
	put();
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	/* It had done something else before the window began. */
	other_cpu_injects(40, begin - 500, 1);
	other_cpu_injects(99, begin - 1, 1);
	put();
	expect("OV-28", "state after");
	/* A kick is part of the injection; another thread's record ends nothing. */
	other_cpu_injects(40, begin - 500, 1);
	kick.r.time = begin - 100;
	vgic_verify_record(verify, &kick.r);
	kick.r.type = VGR_WFX;
	kick.r.tid = 8;
	vgic_verify_record(verify, &kick.r);
	put();
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	/* Too early, too late, the same CPU, another interrupt. */
	other_cpu_injects(40, begin - 200000000, 1);
	put();
	expect("OV-28", "state after");
	put();
	other_cpu_injects(40, end + 1, 1);
	expect("OV-28", "state after");
	put();
	other_cpu_injects(40, begin + 50, 0);
	expect("OV-28", "state after");
	put();
	other_cpu_injects(60, begin + 50, 1);
	expect("OV-28", "state after");
}

static void other_kinds_of_changes(void **state)
{
	struct vgr_mmio mmio = {
		.r = {.type = VGR_MMIO, .size = sizeof(mmio), .cpu = 1, .vcpu = 1},
		.gpa = 0x8000100 + 4, /* ISENABLER1: 32 to 63 */
		.len = 4,
		.write = 1,
	};
	struct vgr_sgi sgi = {
		.r = {.type = VGR_SGI, .size = sizeof(sgi), .cpu = 1, .vcpu = 1},
		.value = 3 << 24,
	};

	overflow();
	make_flush();
	mmio.r.time = sgi.r.time = u.flush.begin + 1;
	after(0)->state ^= VGR_IRQ_ENABLED;
	put();
	vgic_verify_record(verify, &mmio.r);
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	mmio.gpa += 4; /* 64 to 95 */
	put();
	vgic_verify_record(verify, &mmio.r);
	expect("OV-28", "state after");
	mmio.gpa = 0x8000420; /* IPRIORITYR of 32 to 35 */
	put();
	vgic_verify_record(verify, &mmio.r);
	expect("OV-28", "state after");
	mmio.gpa = 0x8000428; /* 40 to 43 */
	put();
	vgic_verify_record(verify, &mmio.r);
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	mmio.write = 0;
	put();
	vgic_verify_record(verify, &mmio.r);
	expect("OV-28", "state after");
	put();
	vgic_verify_record(verify, &sgi.r);
	expect("OV-28", "state after");
	vgic_send_sgi(kernel, 0, 3, true);
	make_sync();
	make_flush();
	sgi.r.time = u.flush.begin + 1;
	after(0)->state ^= VGR_IRQ_ENABLED;
	put();
	vgic_verify_record(verify, &sgi.r);
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
}

static void the_counter_needs_its_own_excuse(void **state)
{
	overflow();
	make_flush();
	make_sync();
	u.sync.active_spis_after++;
	put();
	expect("OV-49", "active_spis");
	put();
	other_cpu_injects(99, u.sync.begin + 1, 1);
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	put();
	other_cpu_injects(20, u.sync.begin + 1, 1);
	expect("OV-49", "active_spis");
}

static void losses_excuse_what_they_overlap(void **state)
{
	struct vgr_loss loss = {
		.r = {.type = VGR_LOSS, .size = sizeof(loss), .cpu = 1},
		.count = 3,
	};

	overflow();
	make_flush();
	loss.from = u.flush.begin - 5000;
	loss.to = u.flush.begin - 10;
	after(0)->state ^= VGR_IRQ_LATCH;
	put();
	vgic_verify_record(verify, &loss.r);
	expect("OV-28", "state after");
	loss.to = u.flush.begin + 10;
	put();
	vgic_verify_record(verify, &loss.r);
	expect_undecided(VGIC_UNDECIDED_LOSS);
}

static void what_cannot_be_compared(void **state)
{
	static const struct {
		uint16_t flags;
		bool nested, gone;
		enum vgic_undecided why;
	} cases[] = {
		{.flags = VGR_F_CUT, .why = VGIC_UNDECIDED_CUT},
		{.flags = VGR_F_TORN, .why = VGIC_UNDECIDED_TORN},
		{.nested = true, .why = VGIC_UNDECIDED_NESTED},
		{.gone = true, .why = VGIC_UNDECIDED_GONE},
	};

	overflow();
	for (size_t i = 0; i < 4; i++) {
		make_flush();
		u.r.flags = cases[i].flags;
		u.flush.nested = cases[i].nested;
		if (cases[i].gone)
			((struct vgr_irq *)vgr_flush_before(&u.flush))->state |= VGR_IRQ_GONE;
		put();
		expect_undecided(cases[i].why);
		make_sync();
		u.r.flags = cases[i].flags;
		u.sync.nested = cases[i].nested;
		if (cases[i].gone)
			after(0)->state |= VGR_IRQ_GONE;
		put();
		expect_undecided(cases[i].why);
	}
}

/* A list that stands already as it is recorded is not looked at any closer; others are. */
static void a_list_that_stands(void **state)
{
	const struct vgic_verify_totals *t = vgic_verify_totals(verify);
	struct vgr_irq *before = (struct vgr_irq *)vgr_flush_before(&u.flush), kept;

	overflow();
	make_flush();
	put();
	make_sync();
	put();
	make_flush();
	put();
	make_sync();
	put();
	make_flush();
	kept = before[3];
	before[3].state |= VGR_IRQ_GONE;
	put();
	assert_int_equal(t->undecided[VGIC_UNDECIDED_GONE], 1);
	before[3] = kept;
	before[3].vcpu = 1;
	put();
	assert_int_equal(t->undecided[VGIC_UNDECIDED_MALFORMED], 1);
	before[3] = before[2];
	put();
	assert_int_equal(t->undecided[VGIC_UNDECIDED_MALFORMED], 2);
	before[3] = kept;
	before[3].reserved = 1;
	put();
	before[3] = kept;
	put();
	assert_int_equal(t->undecided_records, 3);
	assert_int_equal(t->checked_flushes, 4);
	before[5].state ^= VGR_IRQ_LATCH;
	put();
	expect("OV-28", "state after");
}

static void late_arrival(void **state)
{
	struct vgr_irq extra;

	use_policy("linux-6.12");
	overflow();
	make_flush();
	vgic_irq_export(irq(60), &extra);
	extra.vcpu = 0;
	/* One more entry at the end; the LRs move up behind it. */
	*after(6) = extra;
	u.flush.n_after = u.flush.total_after = 7;
	u.r.size = vgr_flush_size(6, 7, NR_LR);
	memcpy(lrs(), kernel->vcpus[0].lr, NR_LR * sizeof(uint64_t));
	put();
	expect("HI-3", "length of the list");
	/* Read after the lock was dropped, it may be there. */
	u.r.flags = VGR_F_NO_CONFIG;
	put();
	clean();
}

static void physical_levels(void **state)
{
	struct vgr_level level = {
		.r = {.type = VGR_LEVEL, .size = sizeof(level)},
		.intid = 27,
		.level = 0,
	};

	cfg.has_levels = true;
	restart();
	vgic_map_hw(kernel, 0, 27, 27);
	irq(27)->get_level = true;
	vgic_inject(kernel, 0, 27, true);
	make_flush();
	make_sync(); /* comes back pending; the second vgic's level is low */
	level.r.time = u.sync.begin + 10;
	vgic_verify_record(verify, &level.r);
	put();
	clean();
	/* The kernel did not look, or saw something else, or looked twice. */
	put();
	expect("OV-47", "level sampled");
	level.level = 1;
	vgic_verify_record(verify, &level.r);
	put();
	expect("OV-47", "state after");
	level.level = 0;
	vgic_verify_record(verify, &level.r);
	vgic_verify_record(verify, &level.r);
	put();
	expect("OV-47", "level sampled");
	/* Without that probe nothing can be said of a difference. */
	cfg.has_levels = false;
	restart();
	after(0)->state |= VGR_IRQ_LINE;
	put();
	expect_undecided(VGIC_UNDECIDED_LEVEL);
}

static void notifications(void **state)
{
	struct vgr_acked acked = {
		.r = {.type = VGR_ACKED, .size = sizeof(acked)},
		.pin = 40 - 32,
	};

	cfg.has_acked = true;
	restart();
	vgic_write_active(kernel, 0, 0, 40, true);
	make_flush();
	kernel->vcpus[0].lr[0] &= ~VGIC_LR_STATE;
	make_sync();
	put();
	expect("OV-49", "notification");
	acked.r.time = u.sync.begin + 10;
	vgic_verify_record(verify, &acked.r);
	put();
	clean();
	acked.pin++;
	vgic_verify_record(verify, &acked.r);
	put();
	expect("OV-49", "notification");
	acked.pin--;
	vgic_verify_record(verify, &acked.r);
	vgic_verify_record(verify, &acked.r);
	put();
	expect("OV-49", "notification");
}

static void lower(void *opaque, uint32_t intid)
{
	(void)opaque;
	irq(intid)->line_level = false;
}

/* A resampler that is notified in the midst of a fold lowers its line there. */
static void a_resampler_lowers_its_line(void **state)
{
	struct vgr_inject low = {
		.r = {.type = VGR_INJECT, .size = sizeof(low), .vcpu = VGR_NO_VCPU},
		.intid = 40,
	};

	(void)state;
	kernel->cfg.env.resample = lower;
	vgic_inject(kernel, 0, 40, true);
	vgic_write_active(kernel, 0, 0, 40, true);
	make_flush();
	kernel->vcpus[0].lr[0] &= ~VGIC_LR_STATE;
	make_sync();
	put();
	expect("OV-47", "state after");
	low.r.time = u.sync.begin + 10;
	assert_int_equal(vgic_verify_record(verify, &low.r), 0);
	put();
	clean();
	/* Another one's line, one that went up, and one of before. */
	low.intid = 41;
	assert_int_equal(vgic_verify_record(verify, &low.r), 0);
	low.intid = 40;
	low.level = 1;
	assert_int_equal(vgic_verify_record(verify, &low.r), 0);
	low.level = 0;
	low.r.time = u.sync.begin - 10;
	assert_int_equal(vgic_verify_record(verify, &low.r), 0);
	put();
	expect("OV-47", "state after");
}

static void unknown_boundary_is_the_model_s(void **state)
{
	overflow();
	make_flush();
	u.flush.boundary = VGR_BOUNDARY_UNKNOWN;
	put();
	kernel->vcpus[0].hcr |= 1u << VGIC_HCR_EOICOUNT_SHIFT;
	make_sync();
	u.sync.boundary = VGR_BOUNDARY_UNKNOWN;
	put();
	clean();
	/* Without the flush before it, EOIcount has no place to begin. */
	put();
	expect("OV-52", "state after");
}

static void forged_records(void **state)
{
	overflow();
	make_flush();
	u.r.size -= 8;
	assert_int_equal(vgic_verify_record(verify, &u.r), -EINVAL);
	u.r.size += 8;
	u.flush.nr_lr = 40;
	assert_int_equal(vgic_verify_record(verify, &u.r), -EINVAL);
	u.flush.nr_lr = NR_LR;
	assert_int_equal(vgic_verify_totals(verify)->records, 0);
	((struct vgr_irq *)vgr_flush_before(&u.flush))->intid = 41;
	put();
	expect_undecided(VGIC_UNDECIDED_MALFORMED);
	((struct vgr_irq *)vgr_flush_before(&u.flush))->intid = 1020;
	put();
	expect_undecided(VGIC_UNDECIDED_MALFORMED);
	make_flush();
	u.r.vcpu = 600;
	put();
	expect_undecided(VGIC_UNDECIDED_MALFORMED);
	make_sync();
	after(2)->intid = 5000;
	put();
	expect_undecided(VGIC_UNDECIDED_MALFORMED);
	u.r.type = 999;
	assert_int_equal(vgic_verify_record(verify, &u.r), 0);
	cfg.nr_lr = 0;
	vgic_verify_destroy(verify);
	assert_int_equal(vgic_verify_create(&verify, &cfg), -EINVAL);
	verify = NULL;
}

/* A change in the window of the record in u, whose first interrupt differs; then the verdict. */
static void tell_change(struct vgr_rec *rec, uint16_t type, uint32_t size)
{
	rec->type = type;
	rec->size = size;
	rec->time = u.flush.begin + 1;
	rec->cpu = 1;
	put();
	assert_int_equal(vgic_verify_record(verify, rec), 0);
}

static void changes_that_name_no_interrupt(void **state)
{
	struct vgr_msi msi = {.r.vcpu = VGR_NO_VCPU, .devid = 1};
	struct vgr_plain prune = {.r.vcpu = 1};
	struct vgr_mmio ctlr = {.r.vcpu = 1, .gpa = 0x8000000, .len = 4, .write = 1};
	struct vgic_irq *lpi;

	/* 0: an LPI, 1: an SPI, 2: a PPI */
	for (int what = 0; what < 3; what++) {
		use_policy("newest");
		assert_int_equal(vgic_lpi_add(kernel, VGIC_LPI_BASE), 0);
		lpi = irq(VGIC_LPI_BASE);
		lpi->enabled = true;
		lpi->target = 0;
		if (what == 0)
			vgic_write_pending(kernel, 0, VGIC_LPI_BASE, true);
		else
			vgic_inject(kernel, 0, what == 1 ? 40 : 20, true);
		make_flush();
		put();
		clean();
		after(0)->state ^= VGR_IRQ_ENABLED;
		/* The ITS moves and raises LPIs only. */
		tell_change(&msi.r, VGR_MSI, sizeof(msi));
		if (what == 0)
			expect_undecided(VGIC_UNDECIDED_CONCURRENT);
		else
			expect("OV-28", "state after");
		/* A prune moves what can move: LPIs and SPIs. */
		tell_change(&prune.r, VGR_PRUNE, sizeof(prune));
		if (what < 2)
			expect_undecided(VGIC_UNDECIDED_CONCURRENT);
		else
			expect("OV-28", "state after");
		/* GICD_CTLR is about all. */
		tell_change(&ctlr.r, VGR_MMIO, sizeof(ctlr));
		expect_undecided(VGIC_UNDECIDED_CONCURRENT);
	}
}

static void changes_of_another_vm(void **state)
{
	struct vgr_inject inject = {.r = {.vcpu = VGR_NO_VCPU, .tid = 7}, .intid = 40, .level = 1};

	overflow();
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	inject.r.vm = 1;
	tell_change(&inject.r, VGR_INJECT, sizeof(inject));
	expect("OV-28", "state after");
	/* Whose it is was not seen: it may be this one's. */
	inject.r.vm = VGR_NO_VM;
	tell_change(&inject.r, VGR_INJECT, sizeof(inject));
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
}

/* In idle there is no thread whose next record would end it. */
static void a_handler_in_idle(void **state)
{
	struct vgr_inject inject = {
		.r = {.type = VGR_INJECT, .size = sizeof(inject), .vcpu = VGR_NO_VCPU, .cpu = 1},
		.intid = 40,
		.level = 1};
	struct vgr_plain load = {.r = {.type = VGR_WFX, .size = sizeof(load), .cpu = 1}};

	overflow();
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	inject.r.time = u.flush.begin - 300;
	load.r.time = u.flush.begin - 200;
	assert_int_equal(vgic_verify_record(verify, &inject.r), 0);
	assert_int_equal(vgic_verify_record(verify, &load.r), 0);
	put();
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
}

/* A guest with a GICv2: its SGIs have a source, which its LR shows. */
static void a_vm_with_a_gicv2(void **state)
{
	struct vgr_vcpu vcpu = {
		.r = {.type = VGR_VCPU, .size = sizeof(vcpu)},
		.vgic_model = 2,
	};

	kernel->cfg.model_v2 = true;
	vgic_write_gicd_sgir(kernel, 1, 5 | 1u << 16);
	assert_int_equal(irq(5)->source, 2);
	make_flush();
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_true(nr_found > 0);
	restart();
	/* Of another VM that does not tell. */
	vcpu.r.vm = 3;
	assert_int_equal(vgic_verify_record(verify, &vcpu.r), 0);
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_true(nr_found > 0);
	restart();
	vcpu.r.vm = VGR_NO_VM;
	assert_int_equal(vgic_verify_record(verify, &vcpu.r), 0);
	vcpu.r.vm = 0;
	assert_int_equal(vgic_verify_record(verify, &vcpu.r), 0);
	put();
	clean();
}

static void records_that_are_too_short(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t size;
	} types[] = {
		{VGR_VCPU, sizeof(struct vgr_vcpu)},   {VGR_FLUSH, sizeof(struct vgr_flush)},
		{VGR_SYNC, sizeof(struct vgr_sync)},   {VGR_INJECT, sizeof(struct vgr_inject)},
		{VGR_SGI, sizeof(struct vgr_sgi)},     {VGR_DIR, sizeof(struct vgr_dir)},
		{VGR_MMIO, sizeof(struct vgr_mmio)},   {VGR_LEVEL, sizeof(struct vgr_level)},
		{VGR_ACKED, sizeof(struct vgr_acked)}, {VGR_LOSS, sizeof(struct vgr_loss)},
		{VGR_KICK, sizeof(struct vgr_rec)},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		memset(&u, 0, sizeof(u));
		u.r.type = types[i].type;
		u.r.size = types[i].size - 8;
		assert_int_equal(vgic_verify_record(verify, &u.r), -EINVAL);
		u.r.size = types[i].size;
		assert_int_equal(vgic_verify_record(verify, &u.r), 0);
	}
	memset(&u, 0, sizeof(u));
	u.r.type = VGR_SYNC;
	u.r.size = sizeof(u);
	u.sync.used_lrs = VGIC_MAX_LRS + 1;
	assert_int_equal(vgic_verify_record(verify, &u.r), -EINVAL);
}

/* More levels and notifications than KVM makes in one sync: the first ones count. */
static void a_flood_of_samples(void **state)
{
	struct vgr_level level = {
		.r = {.type = VGR_LEVEL, .size = sizeof(level)},
		.intid = 27,
	};
	struct vgr_acked acked = {.r = {.type = VGR_ACKED, .size = sizeof(acked)}, .pin = 8};

	cfg.has_levels = cfg.has_acked = true;
	restart();
	overflow();
	make_flush();
	make_sync();
	level.r.time = acked.r.time = u.sync.begin + 1;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(vgic_verify_record(verify, &level.r), 0);
		assert_int_equal(vgic_verify_record(verify, &acked.r), 0);
	}
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_int_equal(vgic_verify_totals(verify)->mismatched_records, 1);
	assert_in_range(vgic_verify_totals(verify)->mismatches, 64, 128);
}

static void reasons_have_names(void **state)
{
	for (int i = 0; i <= VGIC_NR_UNDECIDED; i++) {
		const char *name = vgic_undecided_name((enum vgic_undecided)i);
		const char *key = vgic_undecided_key((enum vgic_undecided)i);

		assert_int_equal(strcmp(name, "?") == 0, i == VGIC_NR_UNDECIDED);
		assert_int_equal(strcmp(key, "?") == 0, i == VGIC_NR_UNDECIDED);
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(name, vgic_undecided_name((enum vgic_undecided)k));
			assert_string_not_equal(key, vgic_undecided_key((enum vgic_undecided)k));
		}
	}
	cfg.policy = NULL;
	vgic_verify_destroy(verify);
	assert_int_equal(vgic_verify_create(&verify, &cfg), -EINVAL);
	verify = NULL;
}

/* Whatever bits are turned in a record that keeps its sizes, verify answers and stays whole. */
static void flipped_bits(void **state)
{
	static const size_t lists = sizeof(struct vgr_sync) > sizeof(struct vgr_flush)
					    ? sizeof(struct vgr_sync)
					    : sizeof(struct vgr_flush);
	uint64_t rng = 1, good[1024];
	const char *names[] = {"linux-6.12", "linux-7.0", "linux-7.3"};

	for (int round = 0; round < 6000; round++) {
		if (round % 2000 == 0) {
			use_policy(names[round / 2000]);
			cfg.has_levels = cfg.has_acked = true;
			cfg.mismatch = NULL;
			restart();
			overflow();
			vgic_map_hw(kernel, 0, 27, 27);
			vgic_inject(kernel, 0, 27, true);
		}
		if (round % 2)
			make_sync();
		else
			make_flush();
		memcpy(good, u.space, u.r.size);
		for (int i = 0; i < 8; i++) {
			size_t at;

			rng = rng * 6364136223846793005ull + 1442695040888963407ull;
			at = lists + (rng >> 33) % (u.r.size - lists);
			((unsigned char *)u.space)[at] ^= 1u << (rng >> 30) % 8;
		}
		put();
		/* Another bit: the head that says how the record is to be taken. */
		memcpy(u.space, good, u.r.size);
		u.r.flags ^= 1u << (rng >> 40) % 16;
		u.r.vcpu ^= 1u << (rng >> 44) % 16;
		put();
	}
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_true(vgic_verify_totals(verify)->mismatches > 1000);
}

/* What of the run loop a recording shows tells 7.3 from 7.2. */
static void where_the_mode_changes(void **state)
{
	static const struct {
		const char *policy;
		uint16_t right, wrong;
	} cases[] = {
		{"linux-7.2", VGR_F_OUTSIDE, VGR_F_INSIDE},
		{"linux-7.3", VGR_F_INSIDE, VGR_F_OUTSIDE},
	};

	for (size_t i = 0; i < 2; i++) {
		for (int sync = 0; sync < 2; sync++) {
			use_policy(cases[i].policy);
			overflow();
			make_flush();
			if (sync) {
				put();
				make_sync();
			}
			u.r.flags |= cases[i].right;
			put();
			assert_int_equal(nr_found, 0);
			u.r.flags ^= cases[i].right | cases[i].wrong;
			put();
			assert_int_equal(vgic_verify_finish(verify), 0);
			assert_int_equal(nr_found, 1);
			assert_string_equal(first_rule, "OV-73");
			assert_string_equal(first_field, "in guest mode");
		}
	}
}

/* last_lr_irq where there should be none, and none where there should be one. */
static void who_has_a_boundary(void **state)
{
	use_policy("linux-6.19");
	overflow();
	make_flush();
	put();
	clean();
	u.flush.boundary = 43;
	put();
	expect("OV-21", "boundary");

	use_policy("linux-7.0");
	overflow();
	make_flush();
	u.flush.boundary = VGR_BOUNDARY_UNKNOWN;
	put();
	clean();
	cfg.sees_boundary = true;
	restart();
	put();
	expect("OV-21", "boundary");
}

/* 6.12 folds if LRs were used, 7.0 if last_lr_irq is set, the others always. */
static void who_folds(void **state)
{
	static const struct {
		const char *policy;
		bool empty;
	} cases[] = {{"linux-6.19", true}, {"linux-7.0", false}, {"linux-7.2", true}};

	for (size_t i = 0; i < 3; i++) {
		use_policy(cases[i].policy);
		make_flush();
		make_sync();
		u.r.flags = cases[i].empty ? 0 : VGR_F_NO_FOLD;
		put();
		clean();
		u.r.flags ^= VGR_F_NO_FOLD;
		put();
		expect("OV-50", "folded");
		overflow();
		make_flush();
		make_sync();
		put();
		clean();
		u.r.flags = VGR_F_NO_FOLD;
		put();
		expect("OV-50", "folded");
	}
	/* Not known where 7.0 has its boundary: not known whether it folds. */
	use_policy("linux-7.0");
	make_flush();
	make_sync();
	u.sync.boundary = VGR_BOUNDARY_UNKNOWN;
	put();
	clean();
}

/* What the flush programmed comes back, but for EOIcount and VMCR. */
static void what_comes_back(void **state)
{
	struct vgr_loss loss = {.r = {.type = VGR_LOSS, .size = sizeof(loss)}, .first_seq = 1};

	for (int i = 0; i < 6; i++) {
		use_policy(i < 3 ? "linux-6.12" : "linux-7.3");
		if (i == 3)
			vgic_inject(kernel, 0, 40, true);
		else
			overflow();
		make_flush();
		put();
		if (i == 2)
			assert_int_equal(vgic_verify_record(verify, &loss.r), 0);
		make_sync();
		if (i == 1 || i == 2 || i == 4)
			u.sync.vmcr ^= VGIC_VMCR_VENG0;
		else
			u.sync.hcr ^= i == 5 ? VGIC_HCR_VGRP0EIE : 1u << VGIC_HCR_EOICOUNT_SHIFT;
		put();
		if (i == 0)
			expect("HI-7", "HCR");
		else if (i == 1)
			expect("HI-7", "VMCR");
		else if (i == 3 || i == 5)
			expect("OV-41", "HCR");
		else
			clean();
	}
}

/* A kernel of one policy, verified against another: the first mismatch says which switch. */
static void the_switch_is_named(void **state)
{
	static const struct {
		const char *kernel, *policy, *hint;
	} cases[] = {
		{"linux-7.2", "linux-7.2+grp_mi=0", "grp_mi=1 would agree (patch 24, "},
		{"linux-7.2", "linux-7.2+sort_pending_first=0", "sort_pending_first=1 would agree"},
		{"linux-7.2", "linux-7.2+mi_by_summary=0", "mi_by_summary=1 would agree"},
		{"linux-7.0", "linux-6.19", "last_lr=always or last_lr=full would agree"},
		{"linux-7.2", "linux-7.2+replay=none", "replay=tail would agree"},
		{"linux-7.2", "linux-7.2+fold=if_last_lr", ""},
		/* Several at once: the one behind this difference. */
		{"linux-6.19", "linux-6.12", "sort_pending_first=1 would agree"},
		{"linux-7.2", "linux-7.2+grp_mi=0+mi_by_summary=0", "mi_by_summary=1 would agree"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vgic_policy_spec spec;
		const char *plus = strchr(cases[i].policy, '+');
		char base[32] = "";

		strncat(base, cases[i].policy,
			plus ? (size_t)(plus - cases[i].policy) : sizeof(base) - 1);
		use_policy(cases[i].kernel);
		spec.policy = *vgic_policy_find(base);
		assert_int_equal(vgic_policy_override(&spec, plus ? plus + 1 : ""), 0);
		cfg.policy = &spec.policy;
		restart();
		overflow();
		make_flush();
		put();
		kernel->vcpus[0].hcr |= 1u << VGIC_HCR_EOICOUNT_SHIFT;
		make_sync();
		put();
		assert_int_equal(vgic_verify_finish(verify), 0);
		assert_int_equal(nr_found > 0, *cases[i].hint != 0);
		if (*cases[i].hint)
			assert_non_null(strstr(first_hint, cases[i].hint));
	}
}

/* No generation would have done that; and a rule is explained once. */
static void no_switch_explains_it(void **state)
{
	overflow();
	make_flush();
	lrs()[1] ^= VGIC_LR_GROUP1;
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_string_equal(first_hint, "no single switch explains it");
	nr_found = 0;
	put();
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_int_equal(nr_found, 1);
	assert_string_equal(first_hint, "");
}

/* The first mismatches of a rule are another CPU's doing: the hint waits for one that is not. */
static void the_hint_waits_for_a_mismatch(void **state)
{
	struct vgr_inject inject = {
		.r = {.type = VGR_INJECT, .size = sizeof(inject), .cpu = 1, .tid = 7},
		.intid = 41,
	};

	for (int i = 0; i < 6; i++) {
		vgic_inject(kernel, 0, 41, true);
		make_flush();
		lrs()[0] ^= VGIC_LR_GROUP1;
		inject.r.time = u.flush.begin + 10;
		if (i < 3)
			assert_int_equal(vgic_verify_record(verify, &inject.r), 0);
		put();
		if (i == 2)
			assert_int_equal(vgic_verify_settle(verify, now + 1000), 0);
		now += 1000000000;
	}
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_true(nr_found > 0 && nr_found < 6);
	assert_string_equal(first_hint, "no single switch explains it");
}

static void entry_called_off(void **state)
{
	struct vgr_entry entry = {.r = {.type = VGR_ENTRY, .size = sizeof(entry)}};
	struct vgr_loss loss = {.r = {.type = VGR_LOSS, .size = sizeof(loss)}, .first_seq = 1};

	for (int i = 0; i < 5; i++) {
		use_policy(i == 1 ? "linux-7.2" : "linux-7.3");
		cfg.has_entries = i != 2;
		restart();
		overflow();
		make_flush();
		put();
		if (i == 3)
			assert_int_equal(vgic_verify_record(verify, &entry.r), 0);
		if (i == 4)
			assert_int_equal(vgic_verify_record(verify, &loss.r), 0);
		make_sync();
		put();
		assert_int_equal(vgic_verify_finish(verify), 0);
		assert_int_equal(nr_found, i == 0);
		if (!i) {
			assert_string_equal(first_rule, "OV-73");
			assert_string_equal(first_field, "entered");
		}
	}
}

/*
 * What one thread begins while a handler came on top of another thread's access is its own: it
 * does not end when that other thread goes on.
 */
static void threads_end_their_own_changes(void **state)
{
	struct vgr_mmio mmio = {
		.r = {.type = VGR_MMIO, .size = sizeof(mmio), .cpu = 2, .tid = 8},
		.gpa = 0x8000128, /* GICD_ISENABLER of INTIDs nobody has */
		.len = 4,
		.write = 1,
	};
	struct vgr_inject handler = {
		.r = {.type = VGR_INJECT, .size = sizeof(handler), .cpu = 2, .tid = 8},
		.intid = 99,
	};
	struct vgr_plain exit = {.r = {.type = VGR_WFX, .size = sizeof(exit), .cpu = 2, .tid = 8}};

	overflow();
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	mmio.r.time = u.flush.begin - 600;
	handler.r.time = u.flush.begin - 400;
	exit.r.time = u.flush.begin - 300;
	assert_int_equal(vgic_verify_record(verify, &mmio.r), 0);
	other_cpu_injects(40, u.flush.begin - 500, 1);
	assert_int_equal(vgic_verify_record(verify, &handler.r), 0);
	assert_int_equal(vgic_verify_record(verify, &exit.r), 0);
	put();
	expect_undecided(VGIC_UNDECIDED_CONCURRENT);
}

/* A pair that is right, and one whose flush differs if the interrupt of other is not changed. */
static void differ_after(uint64_t pause)
{
	now += pause;
	vgic_inject(kernel, 0, 41, true);
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	put();
}

/* Nobody has to wait for the end of a long recording. */
static void long_recordings_are_decided_as_they_come(void **state)
{
	const struct vgic_verify_totals *t = vgic_verify_totals(verify);

	differ_after(1000);
	assert_int_equal(t->mismatched_records, 0);
	/* A CPU that was stopped for more than a second before its record found room. */
	differ_after(1500000000);
	other_cpu_injects(41, u.flush.begin - 1499999000 + 50, 1);
	differ_after(1400000000);
	other_cpu_injects(99, u.flush.begin + 100, 3);
	assert_int_equal(t->mismatched_records + t->undecided_records, 0);
	for (int i = 0; i < 10; i++) {
		differ_after(1000000000);
		/* At most some seconds of it are kept. */
		assert_true(t->mismatched_records + t->undecided_records + 4 >= (uint64_t)i + 3);
	}
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_int_equal(t->mismatched_records + t->undecided_records, 13);
}

/* More changes and losses in a moment than are ever kept: what is right stays right. */
static void a_flood_of_changes(void **state)
{
	const struct vgic_verify_totals *t = vgic_verify_totals(verify);
	struct vgr_inject inject = {
		.r = {.type = VGR_INJECT, .size = sizeof(inject), .cpu = 1, .vcpu = VGR_NO_VCPU},
		.intid = 99,
		.level = 1,
	};
	struct vgr_loss loss = {.r = {.type = VGR_LOSS, .size = sizeof(loss), .cpu = 1}};

	overflow();
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	put();
	loss.to = 1;
	for (uint32_t i = 0; i < 1000000; i++) {
		/* Every other one earlier than the one before it. */
		inject.r.time = now + 1000 + i / 10 + (i % 2) * 20;
		inject.r.tid = 1 + i % 5000;
		assert_int_equal(vgic_verify_record(verify, &inject.r), 0);
		loss.from = loss.to = loss.r.time = inject.r.time;
		if (i % 4 == 0)
			assert_int_equal(vgic_verify_record(verify, &loss.r), 0);
	}
	assert_int_equal(t->mismatched_records, 1);
	now += 200000;
	make_sync();
	put();
	make_flush();
	after(0)->state ^= VGR_IRQ_LATCH;
	put();
	/* The last of them is still known. */
	other_cpu_injects(after(0)->intid, u.flush.begin + 10, 1);
	assert_int_equal(vgic_verify_finish(verify), 0);
	assert_int_equal(t->mismatched_records, 1);
	assert_int_equal(t->undecided[VGIC_UNDECIDED_CONCURRENT], 1);
	assert_int_equal(t->checked_flushes + t->checked_syncs, 3);
}

/* More records that differ than are kept, with and without somebody who is told of them. */
static void a_flood_of_differences(void **state)
{
	const struct vgic_verify_totals *t;

	overflow();
	for (int told = 0; told < 2; told++) {
		cfg.mismatch = told ? found : NULL;
		restart();
		t = vgic_verify_totals(verify);
		for (int i = 0; i < 200000; i++) {
			make_flush();
			after(0)->state ^= VGR_IRQ_LATCH;
			u.r.time = u.flush.begin + 1;
			now -= 900;
			put();
		}
		assert_true(t->mismatched_records > 0);
		assert_int_equal(vgic_verify_finish(verify), 0);
		assert_int_equal(t->mismatched_records, 200000);
		assert_int_equal(nr_found, told ? t->mismatches : 0);
	}
}

/* One that has no patience left compares nothing, but goes on once it knows. */
static void patience(void **state)
{
	const struct vgic_verify_totals *t;

	cfg.patience = 2;
	restart();
	t = vgic_verify_totals(verify);
	overflow();
	for (int i = 0; i < 4; i++) {
		make_flush();
		after(0)->state ^= VGR_IRQ_LATCH;
		put();
		assert_int_equal(vgic_verify_whole(verify), i < 2);
		assert_int_equal(t->checked_flushes, i < 2 ? i + 1 : 2);
		make_sync();
		put();
	}
	/* The syncs that were passed over have changed what others see. */
	assert_int_equal(t->records, 8);
	assert_int_equal(vgic_verify_settle(verify, now + 1000), 0);
	assert_int_equal(t->mismatched_records, 2);
	make_flush();
	put();
	assert_int_equal(t->checked_flushes, 3);
	assert_false(vgic_verify_whole(verify));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_records_pass),
		TEST(every_field_of_a_flush),
		TEST(every_field_of_a_sync),
		TEST(no_detail_of_the_kernel_is_taken_for_granted),
		TEST(rules_of_6_12_have_their_names),
		TEST(empty_short_cut),
		TEST(only_a_concurrent_change_excuses),
		TEST(a_record_may_be_younger_than_its_time),
		TEST(other_kinds_of_changes),
		TEST(the_counter_needs_its_own_excuse),
		TEST(losses_excuse_what_they_overlap),
		TEST(what_cannot_be_compared),
		TEST(a_list_that_stands),
		TEST(late_arrival),
		TEST(physical_levels),
		TEST(notifications),
		TEST(a_resampler_lowers_its_line),
		TEST(unknown_boundary_is_the_model_s),
		TEST(forged_records),
		TEST(changes_that_name_no_interrupt),
		TEST(changes_of_another_vm),
		TEST(a_handler_in_idle),
		TEST(a_vm_with_a_gicv2),
		TEST(records_that_are_too_short),
		TEST(a_flood_of_samples),
		TEST(reasons_have_names),
		TEST(flipped_bits),
		TEST(where_the_mode_changes),
		TEST(entry_called_off),
		TEST(who_has_a_boundary),
		TEST(who_folds),
		TEST(what_comes_back),
		TEST(the_switch_is_named),
		TEST(no_switch_explains_it),
		TEST(the_hint_waits_for_a_mismatch),
		TEST(threads_end_their_own_changes),
		TEST(long_recordings_are_decided_as_they_come),
		TEST(a_flood_of_changes),
		TEST(a_flood_of_differences),
		TEST(patience),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
