/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that runs out, at every single allocation in turn: the answer is always
 * -ENOMEM, and nothing is left behind. The linker puts these functions in the
 * place of the allocator (see meson.build).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <cmocka.h>
#include <jansson.h>

#include <vgicsim/derive.h>
#include <vgicsim/explain.h>
#include <vgicsim/fates.h>
#include <vgicsim/generate.h>
#include <vgicsim/host.h>
#include <vgicsim/invariants.h>
#include <vgicsim/latency.h>
#include <vgicsim/metrics.h>
#include <vgicsim/parting.h>
#include <vgicsim/replay.h>
#include <vgicsim/tally.h>
#include <vgicsim/ring.h>
#include <vgicsim/trigger.h>
#include <vgicsim/truth.h>
#include <vgicsim/verify.h>
#include <vgicsim/workload_file.h>

#include "fake_host.h"

#define VMCR0 (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)
#define VMCR1 (VMCR0 | VGIC_VMCR_VEOIM)
#define LPI   VGIC_LPI_BASE

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static struct {
	bool armed, from_there_on;
	size_t fail_at, seen;
	long live;
} memory;

static bool fails(void)
{
	if (!memory.armed)
		return false;
	memory.seen++;
	return memory.from_there_on ? memory.seen >= memory.fail_at : memory.seen == memory.fail_at;
}

static void *counted(void *p)
{
	memory.live += memory.armed && p;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	return p ? __real_realloc(p, size) : counted(__real_realloc(p, size));
}

void __wrap_free(void *p)
{
	memory.live -= memory.armed && p;
	__real_free(p);
}

/* Returns how many allocations the scene makes when none fails. */
static size_t run_out_everywhere(int (*scene)(void))
{
	for (size_t n = 1;; n++) {
		bool failed = false;

		for (int mode = 0; mode < 2; mode++) {
			memory.fail_at = n;
			memory.seen = 0;
			memory.live = 0;
			memory.from_there_on = mode;
			memory.armed = true;
			int ret = scene();

			memory.armed = false;
			failed = memory.seen >= n;
			if (ret != (failed ? -ENOMEM : 0))
				fail_msg("allocation %zu of %zu: result %d", n, memory.seen, ret);
			if (memory.live)
				fail_msg("allocation %zu: %ld blocks are left", n, memory.live);
		}
		if (!failed)
			return n - 1;
	}
}

/* ---- a recording with something of everything, in memory ---- */

static struct tape {
	uint64_t *data;
	size_t n, cap; /* in words */
} whole, brief;	       /* brief: where every allocation costs a whole pass over all */

static void keep(void *opaque, const struct vgr_rec *rec)
{
	struct tape *t = opaque;
	size_t words = rec->size / 8;

	if (t->n + words > t->cap) {
		t->cap = (t->cap + words) * 2;
		t->data = realloc(t->data, t->cap * 8);
		assert_non_null(t->data);
	}
	memcpy(t->data + t->n, rec, rec->size);
	t->n += words;
}

static const struct vgr_rec *next_rec(const struct tape *t, const struct vgr_rec *rec)
{
	const uint64_t *at = rec ? (const uint64_t *)rec + rec->size / 8 : t->data;

	return at < t->data + t->n ? (const struct vgr_rec *)at : NULL;
}

/* Raised by a thread that runs no vCPU. */
static void from_outside(struct fake_host *h, uint32_t intid)
{
	struct vgr_inject in = {.intid = intid, .level = 1, .path = VGR_PATH_IRQFD};

	h->tid = 7;
	h->now += 50;
	fake_put(h, VGR_INJECT, VGR_NO_VCPU, &in, sizeof(in));
	vgic_inject(h->vgic, 0, intid, true);
}

static void burst(struct fake_host *h)
{
	uint32_t list[20], intid;

	for (uint32_t i = 0; i < 20; i++)
		list[i] = 32 + i;
	fake_raise(h, 0, list, 20, true);
	while ((intid = fake_ack(h, 0)) != VGIC_SPURIOUS)
		fake_eoi(h, 0, intid);
}

/* EOImode 1: n handlers are running when the first is deactivated. */
static void pile(struct fake_host *h, uint32_t n)
{
	fake_vmcr(h, 0, VMCR1);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t intid = 60 + i;

		vgic_write_priority(h->vgic, 0, intid, 0x80);
		fake_raise(h, 0, &intid, 1, true);
		fake_eoi(h, 0, fake_ack(h, 0));
	}
	for (uint32_t i = 0; i < n; i++)
		fake_dir(h, 0, 60 + i);
	fake_vmcr(h, 0, VMCR0);
}

/* Each handler is interrupted by the next; more than 32 need priorities of 7 bits. */
static void nest(struct fake_host *h, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t intid = 60 + i;

		vgic_write_priority(h->vgic, 0, intid, (uint8_t)(0xf0 - 4 * i));
		fake_raise(h, 0, &intid, 1, true);
		fake_ack(h, 0);
	}
	for (uint32_t i = n; i--;)
		fake_eoi(h, 0, 60 + i);
}

static void make_tape(struct tape *t, unsigned int times, unsigned int deep, unsigned int wide)
{
	struct fake_host *h = malloc(sizeof(*h));
	struct vgr_msi msi = {.devid = 1, .eventid = 2};

	fake_init(h, "linux-7.3", 4, 2, keep, t);
	h->hw_cfg.pre_bits = h->hw_cfg.prio_bits = 7;
	vgic_v3_cpuif_init(&h->hw[0], &h->hw_cfg);
	for (uint32_t i = 32; i < 120; i++) {
		vgic_write_config(h->vgic, i, false);
		vgic_write_enable(h->vgic, 0, i, true);
		vgic_write_priority(h->vgic, 0, i, 0xa0);
	}
	assert_int_equal(vgic_lpi_add(h->vgic, LPI), 0);
	vgic_irq_find(h->vgic, 0, LPI)->enabled = true;
	vgic_irq_find(h->vgic, 0, LPI)->target = 0;
	fake_enter(h, 0);
	fake_vmcr(h, 0, VMCR0);
	for (unsigned int i = 0; i < times; i++)
		burst(h);
	pile(h, deep);
	nest(h, deep);
	/* Registers change, so that properties do. */
	for (uint32_t i = 0; i < 3 * times + 2; i++) {
		vgic_write_priority(h->vgic, 0, 32, (uint8_t)(0xa0 + i % 2 * 8));
		burst(h);
	}
	for (uint32_t i = 0; i < times; i++) {
		fake_exit(h, 0, 0, 0);
		fake_put(h, VGR_MSI, VGR_NO_VCPU, &msi, sizeof(msi));
		msi.eventid = i / 2;
		vgic_write_pending(h->vgic, 0, LPI, true);
		fake_enter(h, 0);
		fake_eoi(h, 0, fake_ack(h, 0));
	}
	fake_exit(h, 0, 0, 0);
	for (uint32_t i = 0; i < 1300; i++)
		from_outside(h, 32 + i % wide);
	fake_enter(h, 1);
	fake_exit(h, 1, 2, 0x16);
	fake_enter(h, 0);
	fake_exit(h, 0, 2, 0x16);
	fake_finish(h);
	free(h);
}

static int make_tapes(void **state)
{
	make_tape(&whole, 22, 40, 900);
	make_tape(&brief, 1, 3, 8);
	return 0;
}

static int drop_tapes(void **state)
{
	free(whole.data);
	free(brief.data);
	return 0;
}

static int derive(const struct tape *t, struct vgic_workload **wl)
{
	struct vgic_derive_config cfg = {
		.nr_lr = 4, .pre_bits = 7, .prio_bits = 7, .eager_vmcr = true};
	struct vgic_derive *d;
	int ret = vgic_derive_create(&d, &cfg);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(t, NULL); r && !ret; r = next_rec(t, r))
		ret = vgic_derive_record(d, r);
	if (!ret)
		ret = vgic_derive_finish(d, wl);
	vgic_derive_destroy(d);
	return ret;
}

static int derive_scene(void)
{
	struct vgic_workload *wl;
	int ret = derive(&whole, &wl);

	if (!ret)
		vgic_workload_destroy(wl);
	return ret;
}

/* Two recordings, and what is fitted to both. */
static int calibrate_scene(void)
{
	struct vgic_calibration *c = NULL;
	struct vgic_profile p;
	int ret = vgic_calibration_create(&c);

	for (int i = 0; i < 2 && !ret; i++) {
		vgic_calibration_begin(c, 4);
		for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret;
		     r = next_rec(&whole, r))
			ret = vgic_calibration_record(c, r);
		if (!ret)
			ret = vgic_calibration_mi_delay(c, 40);
	}
	if (!ret)
		ret = vgic_calibration_fit(c, &p, NULL);
	vgic_calibration_destroy(c);
	return ret;
}

static int count_vcpu(void *ctx, const struct vgic_stat_vcpu *v)
{
	return 0;
}

static int tally_scene(void)
{
	struct vgic_tally *t;
	int ret = vgic_tally_create(&t, 3, 3, 4);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_tally_record(t, r);
	if (!ret)
		ret = vgic_tally_finish(t, count_vcpu, NULL);
	vgic_tally_destroy(t);
	return ret;
}

static int measure_scene(void)
{
	struct vgic_measure *m;
	struct vgic_cell c;
	int ret = vgic_measure_create(&m, 4, 0);

	if (ret)
		return ret;
	ret = vgic_measure_timeline(m, 0, 0, 1000000);
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_measure_record(m, r);
	if (!ret)
		ret = vgic_measure_finish(m, &c);
	if (!ret)
		vgic_cell_finish(&c);
	vgic_measure_destroy(m);
	return ret;
}

static int busy_scene(void)
{
	struct vgic_busy *b;
	int ret = vgic_busy_create(&b, 5000, 0);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_busy_record(b, r);
	vgic_busy_destroy(b);
	return ret;
}

static int fates_scene(void)
{
	struct vgic_fates *f;
	struct vgic_fate *list;
	size_t n;
	int ret = vgic_fates_create(&f, 0);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_fates_record(f, r);
	if (!ret)
		ret = vgic_fates_finish(f, VGIC_FATES_CUT, &list, &n);
	if (!ret)
		free(list);
	vgic_fates_destroy(f);
	return ret;
}

static int trigger_scene(void)
{
	const struct vgic_condition c = {
		.n = 1, .step = {{.quantity = VGIC_FIGURE_WAIT, .limit = 1000000000}}};
	struct vgic_trigger_event event;
	struct vgic_trigger *t;
	int ret = vgic_trigger_create(&t, &c, 4, 3, 3);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_trigger_record(t, r, &event);
	vgic_trigger_destroy(t);
	return ret;
}

static int ring_scene(void)
{
	const struct vgr_rec *rec;
	struct vgr_ring *ring;
	int ret = vgr_ring_create(&ring, VGR_RING_MIN);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&brief, NULL); r && !ret; r = next_rec(&brief, r))
		ret = vgr_ring_put(ring, r);
	if (!ret)
		ret = vgr_ring_cut(ring, 0);
	while (!ret && (ret = vgr_ring_next(ring, &rec)) > 0)
		ret = 0;
	vgr_ring_destroy(ring);
	return ret;
}

static int wait_over(void *opaque, const struct vgic_wait *w)
{
	return 0;
}

static int explain_scene(void)
{
	struct vgic_explain_config cfg = {.nr_lr = 4, .wait = wait_over};
	struct vgic_explain *ex;
	int ret = vgic_explain_create(&ex, &cfg);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_explain_record(ex, r);
	if (!ret)
		ret = vgic_explain_finish(ex);
	vgic_explain_destroy(ex);
	return ret;
}

static int invariants_scene(void)
{
	struct vgic_invariants_config cfg = {.policy = vgic_policy_find("linux-7.3"), .nr_lr = 4};
	struct vgic_invariants *inv;
	int ret = vgic_invariants_create(&inv, &cfg);

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&brief, NULL); r && !ret; r = next_rec(&brief, r))
		ret = vgic_invariants_record(inv, r);
	if (!ret)
		vgic_invariants_finish(inv);
	vgic_invariants_destroy(inv);
	return ret;
}

static int host_scene(void)
{
	struct vgic_host_config cfg = {
		.vgic = {.policy = vgic_policy_find("linux-7.3"),
			 .nr_vcpus = 2,
			 .nr_spis = 8,
			 .nr_lr = 4},
		.hw = vgic_v3_cpuif_defaults(4),
	};
	struct vgic_host *h;
	int ret = vgic_host_create(&h, &cfg);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < 70 && !ret; i++)
		ret = vgic_host_add_lpi(h, LPI + i);
	vgic_host_destroy(h);
	return ret;
}

static int parting_scene(void)
{
	struct vgic_parting_point point;
	struct vgic_parting *p;
	int ret = vgic_parting_create(&p, (const uint16_t[2]){0, 0});

	if (ret)
		return ret;
	for (const struct vgr_rec *r = next_rec(&whole, NULL); r && !ret; r = next_rec(&whole, r))
		ret = vgic_parting_record(p, 0, r);
	for (const struct vgr_rec *r = next_rec(&brief, NULL); r && !ret; r = next_rec(&brief, r))
		ret = vgic_parting_record(p, 1, r);
	if (!ret && vgic_parting_find(p, &point) < 0)
		ret = -EINVAL;
	vgic_parting_destroy(p);
	return ret;
}

static void told(void *opaque, const struct vgic_verify_mismatch *m)
{
}

/*
 * The made-up host keeps no boundary: every sync differs and is kept until the end. With
 * somebody who is told of it there are hints, too; and more changes than there is room for at
 * first.
 */
static int verify_one(struct vgic_verify *v)
{
	struct vgr_loss loss = {.r = {.type = VGR_LOSS, .size = sizeof(loss)}, .to = 1};
	struct vgr_level level = {.r = {.type = VGR_LEVEL, .size = sizeof(level), .cpu = 3}};
	struct vgr_inject inject = {
		.r = {.type = VGR_INJECT, .size = sizeof(inject), .cpu = 2, .vcpu = VGR_NO_VCPU},
		.level = 1,
	};
	int ret = vgic_verify_record(v, &level.r);

	for (const struct vgr_rec *r = next_rec(&brief, NULL); r && !ret; r = next_rec(&brief, r))
		ret = vgic_verify_record(v, r);
	if (!ret)
		ret = vgic_verify_record(v, &loss.r);
	for (uint32_t i = 0; i < 5000 && !ret; i++) {
		inject.r.tid = i + 1;
		/* They are sorted once it comes to deciding. */
		inject.r.time = 1000000 - i;
		ret = vgic_verify_record(v, &inject.r);
	}
	if (!ret)
		ret = vgic_verify_finish(v);
	return ret;
}

static int verify_scene(void)
{
	struct vgic_verify_config cfg = {.policy = vgic_policy_find("linux-7.3"), .nr_lr = 4};
	struct vgic_verify *v;
	int ret = 0;

	for (int i = 0; i < 2 && !ret; i++) {
		cfg.mismatch = i ? told : NULL;
		ret = vgic_verify_create(&v, &cfg);
		if (ret)
			return ret;
		ret = verify_one(v);
		vgic_verify_destroy(v);
	}
	return ret;
}

static struct vgic_workload *demand;
static enum vgic_arrivals arrivals;

static int replay_scene(void)
{
	struct vgic_replay_config cfg = {
		.policy = vgic_policy_find("linux-7.3"),
		.nr_lr = 3,
		.has_tdir = true,
		.arrivals = arrivals,
		.timeline = true,
		.timeline_t1 = UINT64_MAX,
	};
	struct vgic_cell cell;
	int ret = vgic_busy_create(&cfg.busy, 5000, 0);

	if (ret)
		return ret;
	ret = vgic_replay(demand, &cfg, &cell);
	if (!ret) {
		ret = vgic_cell_pack(&cell);
		vgic_cell_finish(&cell);
	}
	vgic_busy_destroy(cfg.busy);
	return ret;
}

/* Two series that share no power of two, merged, and their percentiles. */
static int latency_scene(void)
{
	struct vgic_latency_series a, b = {0};
	struct vgic_percentile q;
	int ret = vgic_latency_init(&a);

	if (ret)
		return ret;
	ret = vgic_latency_init(&b);
	for (uint64_t i = 0; i < 300 && !ret; i++) {
		ret = vgic_latency_add(&a, i, 100 << i % 3);
		if (!ret)
			ret = vgic_latency_add(&b, i, 5000 << i % 3);
	}
	if (!ret) {
		ret = vgic_latency_merge(&a, &b);
		/* It failed: nothing has happened. */
		assert_int_equal(a.hist.n, ret ? 300 : 600);
	}
	if (!ret)
		ret = vgic_latency_percentile(&a, 0.9, &q);
	if (!ret)
		ret = vgic_latency_pack(&b);
	if (!ret)
		ret = vgic_latency_merge(&a, &b);
	if (!ret) {
		uint64_t length = vgic_latency_block_length(&b);

		ret = vgic_latency_add(&b, 300, 5000);
		/* It failed: it is packed still, and says what it said. */
		assert_int_equal(b.hist.n, ret ? 300 : 301);
		if (ret)
			assert_int_equal(vgic_latency_block_length(&b), length);
	}
	vgic_latency_finish(&a);
	vgic_latency_finish(&b);
	return ret;
}

static void latencies(void **state)
{
	assert_true(run_out_everywhere(latency_scene) > 20);
}

static int truth_scene(void)
{
	struct vgic_truth *t;
	int ret = vgic_truth_create(&t, demand, 100);

	if (!ret)
		vgic_truth_destroy(t);
	return ret;
}

/* A demand as a file would hold it; everything in it is borrowed. */
static struct vgw *filed;
static void *file_data;
static size_t file_size;

static int write_scene(void)
{
	size_t size;
	void *data;
	int ret = vgw_encode(filed, NULL, &data, &size, NULL);

	if (!ret)
		free(data);
	return ret;
}

static int read_scene(void)
{
	struct vgw *w;
	int ret = vgw_read_memory(&w, file_data, file_size, NULL);

	if (!ret)
		vgw_free(w);
	return ret;
}

/* Jansson's blocks are counted, but it is not the one that is tested. */
static void *steady_malloc(size_t size)
{
	return counted(__real_malloc(size));
}

static int generate_scene(void)
{
	const struct vgic_generate_config c = {.kind = VGIC_GENERATE_MIXED, .interrupts = 100};
	struct vgic_generator *g;
	struct vgic_workload *wl;
	int ret = vgic_generator_create(&g, &c);

	if (ret)
		return ret;
	ret = vgic_generator_workload(g, &wl);
	vgic_generator_destroy(g);
	if (!ret)
		vgic_workload_destroy(wl);
	return ret;
}

static struct vgic_generator *generator;

static void made_scripts(const void *g, uint64_t first, uint32_t n, struct vgic_script *to)
{
	vgic_generator_scripts(g, first, n, to);
}

static void made_ops(const void *g, uint64_t first, uint32_t n, struct vgic_op *to)
{
	vgic_generator_ops(g, first, n, to);
}

static void made_effects(const void *g, uint64_t first, uint32_t n, struct vgic_effect *to)
{
	vgic_generator_effects(g, first, n, to);
}

static FILE *made_file;

static int elements_scene(void)
{
	struct vgic_generator_counts n = vgic_generator_count(generator);
	const struct vgw_elements e = {generator,    n.scripts, n.ops,	     n.effects,
				       made_scripts, made_ops,	made_effects};

	rewind(made_file);
	return vgw_write_elements(made_file, filed, &e, NULL, NULL);
}

static void generating(void **state)
{
	const struct vgic_generate_config c = {.kind = VGIC_GENERATE_LEVEL, .interrupts = 100};

	assert_true(run_out_everywhere(generate_scene) > 10);
	assert_int_equal(vgic_generator_create(&generator, &c), 0);
	filed = calloc(1, sizeof(*filed));
	made_file = tmpfile();
	assert_non_null(made_file);
	vgr_header_init(&filed->header);
	vgic_generator_head(generator, &filed->workload);
	json_set_alloc_funcs(steady_malloc, free);
	assert_true(run_out_everywhere(elements_scene) > 10);
	fclose(made_file);
	free(filed);
	vgic_generator_destroy(generator);
}

static void filing(void **state)
{
	assert_int_equal(derive(&brief, &demand), 0);
	filed = calloc(1, sizeof(*filed));
	vgr_header_init(&filed->header);
	filed->header.gic_host = 3;
	filed->header.nr_lr = 4;
	filed->ending = VGR_END_WHOLE;
	filed->workload = *demand;
	filed->has_recorded = true;
	assert_int_equal(vgic_cell_init(&filed->recorded, 4), 0);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(vgic_latency_add(&filed->recorded.latency[0], i, 50 * i), 0);
	json_set_alloc_funcs(steady_malloc, free);
	assert_true(run_out_everywhere(write_scene) > 20);
	assert_int_equal(vgw_encode(filed, NULL, &file_data, &file_size, NULL), 0);
	assert_true(run_out_everywhere(read_scene) > 20);
	free(file_data);
	vgic_cell_finish(&filed->recorded);
	free(filed);
	vgic_workload_destroy(demand);
}

static void deriving(void **state)
{
	assert_true(run_out_everywhere(derive_scene) > 50);
}

static void measuring(void **state)
{
	assert_true(run_out_everywhere(calibrate_scene) > 8);
	assert_true(run_out_everywhere(measure_scene) > 10);
	assert_true(run_out_everywhere(tally_scene) > 3);
	assert_true(run_out_everywhere(busy_scene) > 3);
	assert_true(run_out_everywhere(trigger_scene) > 6);
	assert_true(run_out_everywhere(ring_scene) > 2);
}

static void comparing(void **state)
{
	assert_true(run_out_everywhere(fates_scene) > 8);
	assert_true(run_out_everywhere(explain_scene) > 20);
	assert_true(run_out_everywhere(parting_scene) > 4);
	assert_true(run_out_everywhere(invariants_scene) > 4);
	assert_true(run_out_everywhere(host_scene) > 140);
}

static void verifying(void **state)
{
	assert_true(run_out_everywhere(verify_scene) > 20);
}

static void replaying(void **state)
{
	assert_int_equal(derive(&brief, &demand), 0);
	for (int i = 0; i < 3; i++) {
		arrivals = (enum vgic_arrivals)i;
		assert_true(run_out_everywhere(replay_scene) > 20);
	}
	assert_true(run_out_everywhere(truth_scene) > 8);
	vgic_workload_destroy(demand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deriving),  cmocka_unit_test(measuring),
		cmocka_unit_test(comparing), cmocka_unit_test(verifying),
		cmocka_unit_test(replaying), cmocka_unit_test(latencies),
		cmocka_unit_test(filing),    cmocka_unit_test(generating),
	};

	return cmocka_run_group_tests(tests, make_tapes, drop_tapes);
}
