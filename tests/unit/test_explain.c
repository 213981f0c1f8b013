/* SPDX-License-Identifier: GPL-2.0-only */
/* Records written by hand, and why the interrupts in them waited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/explain.h>
#include <vgicsim/recording.h>

#define P VGIC_LR_PENDING
#define A VGIC_LR_ACTIVE

/* States of an interrupt on a list: enabled, group 1. */
#define IDLE   (VGR_IRQ_ENABLED | VGR_IRQ_GROUP1)
#define PEND   (IDLE | VGR_IRQ_LATCH)
#define ACTIVE (IDLE | VGR_IRQ_ACTIVE)
#define LEVEL  (IDLE | VGR_IRQ_LEVEL)
#define HIGH   (LEVEL | VGR_IRQ_LINE)

/* What stands on a list; the state after counts at a sync. */
#define E(i, before, then)                                       \
	{                                                        \
		.intid = (i), .state = (before), .after = (then) \
	}
#define LAST               \
	{                  \
		.intid = 0 \
	}

#define NR_LR 2u
#define STEP  1000u /* ns between records; a flush or sync begins in the middle */

static struct vgic_explain *ex;
static struct vgic_wait got[64];
static size_t nr_got;
static uint64_t now, nr_records;
static uint32_t vmcr, hcr;
static bool dist_on;

static union {
	struct vgr_flush f;
	struct vgr_sync s;
	uint64_t space[128];
} u;

struct on_list {
	uint32_t intid;
	unsigned int state, after; /* after: of a sync */
	uint8_t priority;
	uint16_t target;
};

static int keep(void *opaque, const struct vgic_wait *w)
{
	uint64_t sum = 0, told = w->left_out_ns;

	assert_true(nr_got < 64);
	for (unsigned int i = 0; i < VGIC_CAUSES; i++)
		sum += w->cause_ns[i];
	for (unsigned int i = 0; i < w->nr_spans; i++)
		told += w->span[i].t1 - w->span[i].t0;
	assert_int_equal(sum, w->end_ns - w->raised_ns);
	assert_int_equal(told, sum);
	got[nr_got++] = *w;
	return 0;
}

static void put(struct vgr_rec *rec, uint16_t type, uint32_t size, uint16_t vcpu)
{
	rec->type = type;
	rec->size = size;
	rec->vcpu = vcpu;
	rec->time = now += STEP;
	nr_records++;
	assert_int_equal(vgic_explain_record(ex, rec), 0);
}

static void plain(uint16_t type, uint16_t vcpu)
{
	struct vgr_plain p = {.r = {.cpu = 0}};

	put(&p.r, type, sizeof(p), vcpu);
}

static int begin(void **state)
{
	const struct vgic_explain_config cfg = {.nr_lr = NR_LR, .wait = keep};

	now = 1000000;
	nr_got = 0;
	nr_records = 0;
	vmcr = VGIC_VMCR_VENG1 | VGIC_VMCR_VPMR;
	hcr = 1;
	dist_on = true;
	assert_int_equal(vgic_explain_create(&ex, &cfg), 0);
	plain(VGR_LOAD, 0);
	return 0;
}

static int end(void **state)
{
	vgic_explain_destroy(ex);
	return 0;
}

static struct vgr_irq irq_of(const struct on_list *l, unsigned int state, uint16_t vcpu)
{
	return (struct vgr_irq){
		.intid = l->intid,
		.state = (uint16_t)state,
		.priority = l->priority ? l->priority : 0xa0,
		.vcpu = vcpu,
		.target = l->target ? l->target : vcpu,
	};
}

static unsigned int count(const struct on_list *list)
{
	unsigned int n = 0;

	while (list && list[n].intid)
		n++;
	return n;
}

static uint64_t lr_of(uint32_t intid, uint64_t state)
{
	return state | intid | 0xa0ull << VGIC_LR_PRIORITY_SHIFT | VGIC_LR_GROUP1;
}

static void flush(uint16_t vcpu, const struct on_list *list, uint64_t lr0, uint64_t lr1)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.f + 1);
	unsigned int n = count(list);
	uint64_t *lr = (uint64_t *)(irq + 2 * n);

	memset(&u, 0, sizeof(u));
	u.f.begin = now + STEP / 2;
	u.f.vmcr = vmcr;
	u.f.nr_lr = NR_LR;
	u.f.used_lrs = (uint16_t)(lr1 ? 2 : lr0 ? 1 : 0);
	u.f.n_before = u.f.n_after = (uint16_t)n;
	u.f.dist_enabled = dist_on;
	for (unsigned int i = 0; i < n; i++)
		irq[i] = irq[n + i] = irq_of(&list[i], list[i].state, vcpu);
	lr[0] = lr0;
	lr[1] = lr1;
	put(&u.f.r, VGR_FLUSH, vgr_flush_size(n, n, NR_LR), vcpu);
}

/* Of the run whose LRs were lr0 and lr1. */
static void sync(uint16_t vcpu, const struct on_list *list, uint64_t lr0, uint64_t lr1)
{
	struct vgr_irq *irq = (struct vgr_irq *)(&u.s + 1);
	unsigned int n = count(list);
	uint64_t *lr = (uint64_t *)(irq + 2 * n);
	uint32_t *rest = (uint32_t *)(lr + NR_LR);

	memset(&u, 0, sizeof(u));
	u.s.begin = now + STEP / 2;
	u.s.hcr = hcr;
	u.s.vmcr = vmcr;
	u.s.used_lrs = NR_LR;
	u.s.n_before = u.s.n_after = (uint16_t)n;
	u.s.dist_enabled = dist_on;
	for (unsigned int i = 0; i < n; i++) {
		irq[i] = irq_of(&list[i], list[i].state, vcpu);
		irq[n + i] = irq_of(&list[i], list[i].after, vcpu);
		rest[i] = list[i].intid;
	}
	lr[0] = lr0;
	lr[1] = lr1;
	put(&u.s.r, VGR_SYNC, vgr_sync_size(n, NR_LR, n), vcpu);
}

static void left(uint16_t vcpu, uint32_t ret, uint32_t ec)
{
	struct vgr_exit x = {.ret = ret, .esr_ec = ec};

	put(&x.r, VGR_EXIT, sizeof(x), vcpu);
}

static void inject(uint32_t intid, uint8_t level)
{
	struct vgr_inject in = {.intid = intid, .level = level};

	put(&in.r, VGR_INJECT, sizeof(in), intid < 32 ? 0 : VGR_NO_VCPU);
}

static void finish(void)
{
	assert_int_equal(vgic_explain_finish(ex), 0);
}

static const struct vgic_wait *wait_of(uint32_t intid)
{
	for (size_t i = 0; i < nr_got; i++)
		if (got[i].intid == intid)
			return &got[i];
	fail_msg("no wait of %u", intid);
	return NULL;
}

/* An entry and an exit with nothing on the list. */
static void empty_run(uint16_t vcpu)
{
	flush(vcpu, NULL, 0, 0);
	sync(vcpu, NULL, 0, 0);
	left(vcpu, 0, 0);
}

/* ---- the story of the man page ---- */

static void test_full_lrs(void **state)
{
	const struct on_list two[] = {E(33, ACTIVE, ACTIVE), E(34, ACTIVE, ACTIVE), LAST};
	const struct on_list full[] = {E(33, ACTIVE, ACTIVE), E(34, ACTIVE, IDLE),
				       E(40, PEND, PEND), LAST};
	const struct on_list room[] = {E(33, ACTIVE, ACTIVE), E(40, PEND, ACTIVE), LAST};
	const struct on_list last[] = {E(33, ACTIVE, ACTIVE), E(40, ACTIVE, IDLE), LAST};
	const struct vgic_wait *w;

	flush(0, two, lr_of(33, A), lr_of(34, A));  /* 2 */
	inject(40, 1);				    /* 3 */
	plain(VGR_KICK, 0);			    /* 4 */
	sync(0, two, lr_of(33, A), lr_of(34, A));   /* 5 */
	left(0, 0, 0);				    /* 6 */
	hcr = 3;				    /* UIE */
	flush(0, full, lr_of(33, A), lr_of(34, A)); /* 7 */
	sync(0, full, lr_of(33, A), 34);	    /* 8 */
	left(0, 0, 0);				    /* 9 */
	hcr = 1;
	flush(0, room, lr_of(33, A), lr_of(40, P)); /* 10 */
	sync(0, room, lr_of(33, A), lr_of(40, A));  /* 11 */
	left(0, 0, 0);				    /* 12 */
	flush(0, last, lr_of(33, A), lr_of(40, A)); /* 13 */
	sync(0, last, lr_of(33, A), 40);	    /* 14 */
	finish();

	assert_int_equal(nr_got, 1);
	w = wait_of(40);
	assert_int_equal(w->vcpu, 0);
	assert_int_equal(w->how, VGIC_RAISE_LINE);
	assert_int_equal(w->end, VGIC_WAIT_TAKEN);
	assert_int_equal(w->raised_record, 3);
	assert_int_equal(w->raised_ns, 2 * STEP);
	assert_int_equal(w->end_ns, 9 * STEP);
	assert_int_equal(w->end_record, 10);
	assert_true(w->in_lr);
	assert_int_equal(w->lr, 1);
	assert_int_equal(w->lr_record, 10);
	assert_int_equal(w->run_record, 11);
	assert_int_equal(w->run_ns, 9 * STEP + STEP / 2);
	assert_true(w->ended);
	assert_int_equal(w->ended_record, 14);
	/* In the guest to the sync, its exit, a run outside, its exit. */
	assert_int_equal(w->cause_ns[VGIC_CAUSE_IN_GUEST], STEP + STEP / 2);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_LRS_FULL], STEP / 2);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_EXIT], 5 * STEP);
	assert_int_equal(w->nr_spans, 4);
	assert_int_equal(w->span[0].record, 2);
	assert_int_equal(w->span[0].exit, VGIC_EXIT_OTHER_IRQ);
	assert_int_equal(w->span[0].kick_record, 4);
	assert_int_equal(w->span[2].cause, VGIC_CAUSE_LRS_FULL);
	assert_int_equal(w->span[2].record, 7);
	assert_int_equal(w->span[2].place, 1);
	assert_int_equal(w->span[2].nr_lr, NR_LR);
	assert_int_equal(w->span[2].nr_holders, 2);
	assert_int_equal(w->span[2].holder[1].intid, 34);
	assert_int_equal(w->span[2].holder[1].state, 2);
	assert_int_equal(w->span[2].holder[1].priority, 0xa0);
	/* U, after 34 had ended. */
	assert_int_equal(w->span[2].exit, VGIC_EXIT_MI);
	assert_int_equal(w->span[2].misr, 2);
	assert_int_equal(w->span[2].nr_ended, 1);
	assert_int_equal(w->span[2].ended[0], 34);
	assert_int_equal(w->span[2].exit_record, 8);
}

/* ---- one cause each ---- */

/* One run in which the interrupt stood like this, pending before and after it. */
static uint64_t run_with(const struct on_list *list, uint64_t lr, enum vgic_cause cause)
{
	inject(list[0].intid, 1);
	flush(0, list, lr, 0);
	sync(0, list, lr, 0);
	left(0, 0, 0);
	flush(0, list, lr, 0);
	sync(0, list, lr, 0);
	finish();
	return wait_of(list[0].intid)->cause_ns[cause];
}

static void test_outside(void **state)
{
	static const struct {
		unsigned int state;
		uint16_t target;
		bool group_on, dist_on;
		enum vgic_cause cause;
	} cases[] = {
		{PEND, 0, true, true, VGIC_CAUSE_LEFT_OUT},
		{PEND, 0, false, true, VGIC_CAUSE_GROUP_OFF},
		{PEND, 0, true, false, VGIC_CAUSE_DISTRIBUTOR_OFF},
		{PEND & ~VGR_IRQ_ENABLED, 0, true, true, VGIC_CAUSE_DISABLED},
		{PEND, 1, true, true, VGIC_CAUSE_OTHER_VCPU},
		{PEND | VGR_IRQ_ACTIVE, 0, true, true, VGIC_CAUSE_OWN_ACTIVE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct on_list list[] = {{.intid = 40,
						.state = cases[i].state,
						.after = cases[i].state,
						.target = cases[i].target},
					       LAST};

		if (i) {
			end(state);
			begin(state);
		}
		if (!cases[i].group_on)
			vmcr &= ~VGIC_VMCR_VENG1;
		dist_on = cases[i].dist_on;
		/* Two runs of half a step. */
		assert_int_equal(run_with(list, 0, cases[i].cause), STEP);
		assert_int_equal(wait_of(40)->end, VGIC_WAIT_OPEN);
		assert_false(wait_of(40)->in_lr);
	}
}

static void test_in_lr(void **state)
{
	const struct on_list only[] = {E(40, PEND, PEND), LAST};
	const struct on_list behind[] = {
		E(40, PEND, PEND),
		{.intid = 33, .state = ACTIVE, .after = ACTIVE, .priority = 0x80},
		LAST};
	const struct on_list before[] = {
		E(40, PEND, PEND),
		{.intid = 33, .state = ACTIVE, .after = ACTIVE, .priority = 0xb0},
		LAST};
	const uint64_t ns = STEP;

	assert_int_equal(run_with(only, lr_of(40, P), VGIC_CAUSE_NOT_TAKEN), ns);
	assert_true(wait_of(40)->in_lr);
	end(state), begin(state);
	assert_int_equal(run_with(only, lr_of(40, P | A), VGIC_CAUSE_OWN_ACTIVE), ns);
	end(state), begin(state);
	assert_int_equal(run_with(behind, lr_of(40, P), VGIC_CAUSE_BEHIND), ns);
	assert_int_equal(wait_of(40)->span[1].holder[0].intid, 33);
	end(state), begin(state);
	/* A less urgent one is in nobody's way. */
	assert_int_equal(run_with(before, lr_of(40, P), VGIC_CAUSE_NOT_TAKEN), ns);
	end(state), begin(state);
	vmcr = VGIC_VMCR_VENG1 | 0xa0u << VGIC_VMCR_VPMR_SHIFT;
	assert_int_equal(run_with(only, lr_of(40, P), VGIC_CAUSE_PRIORITY_MASK), ns);
	end(state), begin(state);
	vmcr = VGIC_VMCR_VENG0 | VGIC_VMCR_VPMR;
	assert_int_equal(run_with(only, lr_of(40, P), VGIC_CAUSE_GROUP_OFF), ns);
}

static void test_asleep(void **state)
{
	struct vgr_wfx wfx = {.wfe = 0};
	const struct on_list list[] = {E(40, PEND, ACTIVE), LAST};
	const struct vgic_wait *w;

	empty_run(0); /* its first exit */
	flush(0, NULL, 0, 0);
	sync(0, NULL, 0, 0);
	left(0, 2, 1);
	put(&wfx.r, VGR_WFX, sizeof(wfx), 0);
	plain(VGR_PUT, 0);
	inject(40, 1);
	plain(VGR_KICK, 0);
	plain(VGR_LOAD, 0);
	flush(0, list, lr_of(40, P), 0);
	sync(0, list, lr_of(40, A), 0);
	finish();
	w = wait_of(40);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_WFI], 2 * STEP);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_EXIT], STEP);
	assert_int_equal(w->end, VGIC_WAIT_TAKEN);
	assert_false(w->ended);
}

static void test_cpu_taken(void **state)
{
	const struct on_list list[] = {E(27, PEND, IDLE), LAST};
	const struct vgic_wait *w;

	empty_run(0);
	inject(27, 1);
	plain(VGR_PUT, 0);
	plain(VGR_LOAD, 1);
	empty_run(1);
	plain(VGR_PUT, 1);
	plain(VGR_LOAD, 0);
	flush(0, list, lr_of(27, P), 0);
	sync(0, list, 27, 0);
	w = wait_of(27);
	/* Put, then 1 has the CPU for a load, a run and its put, then 0 again. */
	assert_int_equal(w->cause_ns[VGIC_CAUSE_CPU_TAKEN], 5 * STEP);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_EXIT], 3 * STEP);
	assert_int_equal(w->span[1].other_vcpu, 1);
	assert_true(w->ended);
	assert_int_equal(w->ended_record, w->run_record);
}

static void test_taken_back(void **state)
{
	const struct on_list high[] = {E(40, HIGH, HIGH), LAST};

	flush(0, NULL, 0, 0);
	inject(40, 1);
	inject(40, 0);
	sync(0, NULL, 0, 0);
	left(0, 0, 0);
	assert_int_equal(wait_of(40)->end, VGIC_WAIT_WITHDRAWN);
	assert_int_equal(wait_of(40)->end_record, 4);
	assert_int_equal(wait_of(40)->cause_ns[VGIC_CAUSE_NOT_LISTED], STEP);
	/* Lowered while it was in an LR: only the sync says whether it had been taken. */
	nr_got = 0;
	inject(40, 1);
	flush(0, high, lr_of(40, P), 0);
	inject(40, 0);
	assert_int_equal(nr_got, 0);
	sync(0, (struct on_list[]){E(40, HIGH, LEVEL | VGR_IRQ_ACTIVE), LAST}, lr_of(40, A), 0);
	finish();
	assert_int_equal(nr_got, 1);
	assert_int_equal(wait_of(40)->end, VGIC_WAIT_TAKEN);
}

static void test_raises(void **state)
{
	struct vgr_sgi sgi = {.value = 5u << 24 | 1, .allow_group1 = 1};
	struct vgr_mmio pend = {.gpa = 0x8000204, .write = 1, .len = 4};
	struct vgr_msi msi = {.devid = 1, .eventid = 2};
	const struct on_list all[] = {E(5, PEND, PEND),	 E(41, PEND, PEND), E(8192, PEND, PEND),
				      E(42, PEND, PEND), E(43, HIGH, HIGH), LAST};

	empty_run(0);
	put(&sgi.r, VGR_SGI, sizeof(sgi), 0);
	put(&pend.r, VGR_MMIO, sizeof(pend), 0);
	put(&msi.r, VGR_MSI, sizeof(msi), VGR_NO_VCPU);
	flush(0, all, 0, 0);
	finish();
	assert_int_equal(nr_got, 5);
	assert_int_equal(wait_of(5)->how, VGIC_RAISE_SGI);
	assert_int_equal(wait_of(5)->raised_record, 5);
	assert_int_equal(wait_of(41)->how, VGIC_RAISE_REGISTER);
	assert_int_equal(wait_of(41)->raised_record, 6);
	assert_int_equal(wait_of(8192)->how, VGIC_RAISE_MSI);
	assert_int_equal(wait_of(8192)->raised_record, 7);
	assert_int_equal(wait_of(43)->how, VGIC_RAISE_SEEN);
	assert_int_equal(wait_of(43)->raised_record, 8);
}

static void test_line_stays_high(void **state)
{
	const struct on_list first[] = {E(40, HIGH, HIGH | VGR_IRQ_ACTIVE), LAST};
	const struct on_list second[] = {E(40, HIGH | VGR_IRQ_ACTIVE, HIGH), LAST};

	empty_run(0);
	inject(40, 1);
	flush(0, first, lr_of(40, P), 0);
	sync(0, first, lr_of(40, A), 0);
	flush(0, second, lr_of(40, A), 0);
	sync(0, second, 40, 0);
	finish();
	/* While it was active its line asked for nothing. */
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[0].end, VGIC_WAIT_TAKEN);
	assert_int_equal(got[0].ended_record, 9);
	assert_int_equal(got[1].how, VGIC_RAISE_LINE_HIGH);
	assert_int_equal(got[1].raised_record, 9);
	assert_int_equal(got[1].end, VGIC_WAIT_OPEN);
}

static void test_dir_ends(void **state)
{
	struct vgr_dir dir = {.value = 40};
	const struct on_list list[] = {E(40, PEND, ACTIVE), LAST};

	empty_run(0);
	inject(40, 1);
	inject(40, 1);
	flush(0, list, lr_of(40, P), 0);
	sync(0, list, lr_of(40, A), 0);
	left(0, 2, 0x18);
	put(&dir.r, VGR_DIR, sizeof(dir), 0);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0].merged, 1);
	assert_int_equal(got[0].ended_record, nr_records);
}

/* Lowered in an LR and not taken: taken back then, not at the sync. */
static void test_lowered_in_lr(void **state)
{
	const struct on_list list[] = {E(40, HIGH, LEVEL), LAST};

	empty_run(0);
	inject(40, 1);
	flush(0, list, lr_of(40, P), 0);
	inject(40, 0);
	sync(0, list, lr_of(40, P), 0);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0].end, VGIC_WAIT_WITHDRAWN);
	assert_int_equal(got[0].end_record, 7);
	assert_int_equal(got[0].cause_ns[VGIC_CAUSE_NOT_TAKEN], STEP);
	assert_int_equal(got[0].end_ns - got[0].raised_ns, 2 * STEP);
}

/* The pending state is cleared by a register write, or goes with the list. */
static void test_cleared(void **state)
{
	const struct on_list pending[] = {E(40, PEND, PEND), E(41, LEVEL | VGR_IRQ_LATCH, 0), LAST};
	const struct on_list cleared[] = {E(40, IDLE, IDLE), LAST};

	empty_run(0);
	inject(40, 1);
	flush(0, pending, 0, 0);
	sync(0,
	     (struct on_list[]){E(40, PEND, PEND),
				E(41, LEVEL | VGR_IRQ_LATCH, LEVEL | VGR_IRQ_LATCH), LAST},
	     0, 0);
	left(0, 0, 0);
	flush(0, cleared, 0, 0);
	assert_int_equal(nr_got, 2);
	assert_int_equal(wait_of(40)->end, VGIC_WAIT_WITHDRAWN);
	assert_int_equal(wait_of(41)->end, VGIC_WAIT_WITHDRAWN);
	assert_int_equal(wait_of(40)->end_record, nr_records);
}

static void test_moves(void **state)
{
	const struct on_list list[] = {E(40, PEND, PEND), LAST};
	const struct on_list away[] = {{.intid = 40, .state = PEND, .after = PEND, .target = 1},
				       LAST};
	const struct vgic_wait *w;

	empty_run(0);
	empty_run(1);
	inject(40, 1);
	flush(0, away, 0, 0);
	sync(0, away, 0, 0);
	left(0, 0, 0);
	flush(1, list, lr_of(40, P), 0);
	sync(1, (struct on_list[]){E(40, PEND, ACTIVE), LAST}, lr_of(40, A), 0);
	finish();
	w = wait_of(40);
	assert_int_equal(w->vcpu, 1);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_OTHER_VCPU], STEP / 2);
	assert_int_equal(w->end, VGIC_WAIT_TAKEN);
	assert_int_equal(w->lr_ns, w->end_ns);
}

/* Woken, but another vCPU has the CPU that it slept on. */
static void test_woken_without_cpu(void **state)
{
	struct vgr_wfx wfx = {.wfe = 0};
	const struct on_list list[] = {E(40, PEND, IDLE), LAST};

	empty_run(0);
	put(&wfx.r, VGR_WFX, sizeof(wfx), 0);
	plain(VGR_PUT, 0);
	inject(40, 1);
	plain(VGR_LOAD, 1);
	plain(VGR_KICK, 0);
	plain(VGR_PUT, 1);
	plain(VGR_LOAD, 0);
	flush(0, list, lr_of(40, P), 0);
	sync(0, list, 40, 0);
	assert_int_equal(wait_of(40)->cause_ns[VGIC_CAUSE_WFI], 2 * STEP);
	assert_int_equal(wait_of(40)->cause_ns[VGIC_CAUSE_CPU_TAKEN], 2 * STEP);
	assert_int_equal(wait_of(40)->cause_ns[VGIC_CAUSE_EXIT], STEP);
	/* An SPI without a vCPU so far: what counts is the vCPU that it came to. */
	assert_int_equal(wait_of(40)->vcpu, 0);
}

/* An MSI of a device and event whose LPI is known is a raise at once. */
static void test_known_msi(void **state)
{
	struct vgr_msi msi = {.devid = 1, .eventid = 2};
	const struct on_list list[] = {E(8192, PEND, IDLE), LAST};

	empty_run(0);
	for (unsigned int i = 0; i < 2; i++) {
		put(&msi.r, VGR_MSI, sizeof(msi), VGR_NO_VCPU);
		flush(0, list, lr_of(8192, P), 0);
		sync(0, list, 8192, 0);
		left(0, 0, 0);
	}
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[1].how, VGIC_RAISE_MSI);
	assert_int_equal(got[1].raised_record, 9);
	assert_true(got[1].ended);
}

/* What the records do not tell is not made up. */
static void test_unknown(void **state)
{
	const struct on_list list[] = {E(40, PEND, PEND), LAST};
	const struct vgic_wait *w;

	empty_run(0);
	inject(40, 1);
	memset(&u, 0, sizeof(u));
	u.f.nr_lr = NR_LR;
	u.f.nested = 1;
	put(&u.f.r, VGR_FLUSH, vgr_flush_size(0, 0, NR_LR), 0);
	memset(&u, 0, sizeof(u));
	u.s.nested = 1;
	u.s.begin = now + STEP / 2;
	put(&u.s.r, VGR_SYNC, vgr_sync_size(0, 0, 0), 0);
	left(0, 0, 0);
	flush(0, list, lr_of(40, P), 0);
	finish();
	w = wait_of(40);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_UNKNOWN], STEP / 2);
	assert_int_equal(w->cause_ns[VGIC_CAUSE_NOT_LISTED], 0);
}

static void test_not_ours(void **state)
{
	struct vgr_inject in = {.r = {.vm = 1}, .intid = 40, .level = 1};

	put(&in.r, VGR_INJECT, sizeof(in), VGR_NO_VCPU);
	in.r.vm = 0;
	put(&in.r, VGR_INJECT, sizeof(in), 5000);
	plain(VGR_ENTRY, 0);
	finish();
	assert_int_equal(nr_got, 0);
}

/* Before its vCPU has entered the guest at all; and a clock that goes back. */
static void test_early(void **state)
{
	const struct on_list list[] = {E(27, PEND, PEND), LAST};

	inject(27, 1);
	now -= 5 * STEP;
	inject(27, 1);
	now += 5 * STEP;
	flush(0, list, lr_of(27, P), 0);
	finish();
	assert_int_equal(wait_of(27)->cause_ns[VGIC_CAUSE_NOT_STARTED], 2 * STEP);
	assert_int_equal(wait_of(27)->merged, 1);
}

/* Twelve stretches are kept: the first, the last four, the longest. */
static void test_many_stretches(void **state)
{
	const struct on_list full[] = {E(33, ACTIVE, ACTIVE), E(34, ACTIVE, ACTIVE),
				       E(40, PEND, PEND), LAST};
	const struct vgic_wait *w;
	uint64_t longest = 0;

	empty_run(0);
	inject(40, 1);
	for (unsigned int i = 0; i < 40; i++) {
		flush(0, full, lr_of(33, A), lr_of(34, A));
		if (i == 20)
			now += 100 * STEP;
		sync(0, full, lr_of(33, A), lr_of(34, A));
		left(0, 0, 0);
	}
	finish();
	w = wait_of(40);
	assert_int_equal(w->nr_spans, VGIC_SPANS);
	assert_int_equal(w->left_out, 1 + 40 + 40 - VGIC_SPANS);
	assert_int_equal(w->span[0].t0, w->raised_ns);
	assert_int_equal(w->span[VGIC_SPANS - 1].t1, w->end_ns);
	for (unsigned int i = 0; i < w->nr_spans; i++) {
		uint64_t ns = w->span[i].t1 - w->span[i].t0;

		longest = ns > longest ? ns : longest;
		assert_true(!i || w->span[i].t0 >= w->span[i - 1].t1);
	}
	assert_int_equal(longest, 100 * STEP + STEP / 2);
}

/* The last stretch outside says what brought room: it is kept though it is short. */
static void test_what_brought_room(void **state)
{
	const struct on_list full[] = {E(33, ACTIVE, ACTIVE), E(34, ACTIVE, IDLE),
				       E(40, PEND, PEND), LAST};
	const struct on_list in[] = {E(33, ACTIVE, ACTIVE), E(40, PEND, PEND), LAST};
	unsigned int outside = 0;

	empty_run(0);
	inject(40, 1);
	for (unsigned int i = 0; i < 30; i++) {
		flush(0, full, lr_of(33, A), lr_of(34, A));
		sync(0, full, lr_of(33, A), 34);
		left(0, 0, 0);
	}
	for (unsigned int i = 0; i < 30; i++) {
		now += 10 * STEP;
		flush(0, in, lr_of(33, A), lr_of(40, P));
		now += 10 * STEP;
		sync(0, in, lr_of(33, A), lr_of(40, P));
		left(0, 0, 0);
	}
	finish();
	for (unsigned int i = 0; i < wait_of(40)->nr_spans; i++) {
		const struct vgic_span *s = &wait_of(40)->span[i];

		if (s->cause != VGIC_CAUSE_LRS_FULL)
			continue;
		outside++;
		assert_int_equal(s->record, 6 + 29 * 3);
		assert_int_equal(s->ended[0], 34);
	}
	assert_int_equal(outside, 1);
}

/* More waits at once than are followed: counted, and the rest goes on. */
static void test_too_many(void **state)
{
	empty_run(0);
	for (uint32_t i = 0; i < VGIC_EXPLAIN_OPEN + 10; i++)
		inject(100 + i, 1);
	assert_int_equal(vgic_explain_missed(ex), 10);
	inject(100, 0);
	inject(99, 1);
	inject(99, 0);
	assert_int_equal(nr_got, 2);
	assert_int_equal(vgic_explain_missed(ex), 10);
}

static void test_losses(void **state)
{
	struct vgr_loss loss = {.r = {.cpu = 0}};

	empty_run(0);
	inject(40, 1);
	put(&loss.r, VGR_LOSS, sizeof(loss), VGR_NO_VCPU);
	inject(41, 1);
	finish();
	assert_true(wait_of(40)->losses);
	assert_false(wait_of(41)->losses);
}

static int refuse(void *opaque, const struct vgic_wait *w)
{
	return -42;
}

static void test_caller_stops(void **state)
{
	const struct vgic_explain_config cfg = {.nr_lr = NR_LR, .wait = refuse};
	struct vgr_inject in = {.r = {.type = VGR_INJECT, .size = sizeof(in), .vcpu = VGR_NO_VCPU},
				.intid = 40,
				.level = 1};

	end(state);
	assert_int_equal(vgic_explain_create(&ex, &cfg), 0);
	assert_int_equal(vgic_explain_record(ex, &in.r), 0);
	in.level = 0;
	assert_int_equal(vgic_explain_record(ex, &in.r), -42);
}

static void test_names(void **state)
{
	for (unsigned int i = 0; i < VGIC_CAUSES; i++) {
		assert_non_null(vgic_cause_name((enum vgic_cause)i));
		assert_non_null(vgic_cause_text((enum vgic_cause)i));
	}
	assert_string_equal(vgic_cause_name(VGIC_CAUSE_LRS_FULL), "lrs-full");
	assert_string_equal(vgic_raise_name(VGIC_RAISE_SEEN), "seen");
	assert_string_equal(vgic_wait_end_name(VGIC_WAIT_OPEN), "open");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_full_lrs),
		TEST(test_outside),
		TEST(test_in_lr),
		TEST(test_asleep),
		TEST(test_cpu_taken),
		TEST(test_taken_back),
		TEST(test_raises),
		TEST(test_line_stays_high),
		TEST(test_dir_ends),
		TEST(test_lowered_in_lr),
		TEST(test_cleared),
		TEST(test_moves),
		TEST(test_woken_without_cpu),
		TEST(test_known_msi),
		TEST(test_unknown),
		TEST(test_not_ours),
		TEST(test_early),
		TEST(test_many_stretches),
		TEST(test_what_brought_room),
		TEST(test_too_many),
		TEST(test_losses),
		TEST(test_caller_stops),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
