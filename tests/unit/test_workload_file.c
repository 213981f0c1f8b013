// SPDX-License-Identifier: GPL-2.0-only
/* Workloads on disk: round trip, cut, flipped, forged; what may be appended later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include <zstd.h>
#include <vgicsim/outfile.h>
#include <vgicsim/replay.h>
#include "sample.h"
#include "workload_format.h"

#define NONE VGIC_WL_NONE

/* Two vCPUs, an SGI, a PPI, two SPIs, and something in every array. */
static struct vgw *made;

static uint32_t add_source(struct vgic_workload *wl, uint16_t vcpu, uint32_t intid)
{
	const struct vgr_irq irq = {
		.intid = intid,
		.state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
		.priority = (uint8_t)(0x80 + intid),
		.hwintid = (uint16_t)(300 + intid),
		.vcpu = VGR_NO_VCPU,
		.target = vcpu,
	};

	return vgic_workload_source(wl, vcpu, &irq);
}

static uint32_t add_op(struct vgic_workload *wl, uint32_t *link, enum vgic_op_kind kind)
{
	uint32_t i = vgic_workload_op(wl, kind);
	struct vgic_op *o = &wl->ops[i];

	*link = i;
	o->at = 100 * (i + 1);
	o->out_ns = 1000 + i;
	o->need = i % 2;
	o->nested = i % 3;
	o->count = i;
	o->value = 0xff000003;
	o->wall_ns = 3000 + i;
	o->entry_ns = 200 + i;
	o->sync_irqs = (uint16_t)(300 + i);
	o->entry_irqs = (uint16_t)(400 + i);
	o->sync_lrs = (uint8_t)(1 + i);
	o->entry_lrs = (uint8_t)(2 + i);
	o->entry_sorted = i % 2;
	return i;
}

static uint32_t add_effect(struct vgic_workload *wl, uint32_t *link, enum vgic_effect_kind kind,
			   uint32_t source)
{
	uint32_t i = vgic_workload_effect(wl, kind);
	struct vgic_effect *e = &wl->effects[i];

	*link = i;
	e->delay_ns = 10 + i;
	e->wall_ns = 20 + i;
	e->gap_ns = i ? 30 + i : UINT64_MAX;
	e->value = 40 + i;
	e->handled = i;
	e->level = 1;
	e->origin = VGIC_ORIGIN_OUTSIDE;
	e->source = source;
	return i;
}

/* A handler that acknowledges, ends and is asked for again. */
static void add_handlers(struct vgic_workload *wl, uint32_t source, unsigned int n)
{
	uint32_t last = NONE;

	for (unsigned int k = 0; k < n; k++) {
		uint32_t s = vgic_workload_script(wl, source, 0), op;

		op = add_op(wl, &wl->scripts[s].first, VGIC_OP_EOI);
		wl->ops[op].flags = VGIC_OP_LAST;
		wl->scripts[s].whole = true;
		wl->scripts[s].own_ns = 500 + k;
		wl->scripts[s].ack = (struct vgic_when){600 + k, 590, 690, true};
		wl->scripts[s].drop = (struct vgic_when){700 + k, 691, VGIC_WHEN_OPEN, true};
		wl->scripts[s].deact.from = 800 + k;
		if (last == NONE)
			wl->sources[source].first_script = s;
		else
			wl->scripts[last].next = s;
		last = s;
		wl->sources[source].acks++;
	}
}

static void fill_workload(struct vgic_workload *wl)
{
	uint32_t sgi = add_source(wl, 1, 5), spi, op, effect, script;
	struct vgr_irq prop;

	wl->nr_lr = 4;
	wl->host_cpus = 2;
	wl->start = 1000000000;
	wl->duration_ns = 5000000;
	wl->profile = (struct vgic_profile){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 3, 0, {0}};
	for (uint64_t i = 0; i < VGIC_MAX_MI_DELAYS; i++)
		wl->profile.mi_delays[i] = 14 + i;
	add_source(wl, 0, 27);
	spi = add_source(wl, 0, 40);
	add_source(wl, 0, 41);
	add_handlers(wl, spi, 3);
	add_handlers(wl, sgi, 1);
	prop = wl->sources[spi].initial;
	prop.priority = 0x40;
	vgic_workload_prop(wl, &prop);
	for (uint16_t i = 0; i < 2; i++) {
		script = vgic_workload_script(wl, NONE, i);
		wl->vcpus[i].background = script;
		wl->vcpus[i].start_ns = 7 + i;
		wl->vcpus[i].guest_ns = 4000000;
		op = add_op(wl, &wl->scripts[script].first, VGIC_OP_EXIT);
		wl->ops[op].exit = VGIC_EXIT_MMIO;
	}
	wl->vcpus[1].masked_handlers = true;
	/* vCPU 0: two exits; the first raises, changes a state and wakes. */
	op = wl->scripts[wl->vcpus[0].background].first;
	effect = add_effect(wl, &wl->ops[op].effects, VGIC_EFFECT_LINE, spi);
	wl->ops[op].asks = effect;
	effect = add_effect(wl, &wl->effects[effect].next, VGIC_EFFECT_STATE, spi);
	wl->effects[effect].prop = 0;
	wl->effects[effect - 1].ask_next = effect;
	effect = add_effect(wl, &wl->effects[effect].next, VGIC_EFFECT_WAKE, 1);
	effect = add_effect(wl, &wl->effects[effect].next, VGIC_EFFECT_SGI, NONE);
	wl->effects[effect].vcpu = 0;
	wl->effects[effect].value = 5ull << 24 | 2;
	op = add_op(wl, &wl->ops[op].next, VGIC_OP_EXIT);
	wl->ops[op].exit = VGIC_EXIT_OTHER_IRQ;
	wl->ops[op].flags = VGIC_OP_YIELDS;
	wl->ops[op].value = 1;
	op = add_op(wl, &wl->ops[op].next, VGIC_OP_DIR);
	wl->ops[op].source = spi;
	effect = add_effect(wl, &wl->open, VGIC_EFFECT_LATCH, spi);
	wl->effects[effect].prop = 0;
	add_effect(wl, &wl->effects[effect].next, VGIC_EFFECT_LINE, NONE);
	assert_int_equal(vgic_workload_typical(wl), 0);
}

/* Every size of values; blocks without any, and none at the end. */
static void fill_latency(struct vgic_latency_series *s)
{
	for (uint64_t i = 0; i < 400; i++)
		if (i / 16 % 3)
			assert_int_equal(vgic_latency_add(s, i, i % 5 + (1ull << i % 43)), 0);
	assert_int_equal(vgic_latency_add(s, 5, 0), 0);
	assert_int_equal(s->raises, 4);
}

static void fill_cell(struct vgic_cell *c)
{
	assert_int_equal(vgic_cell_init(c, 4), 0);
	assert_int_equal(vgic_cell_timeline(c, 1, 100, 900), 0);
	c->outcome = VGIC_OUTCOME_STARVED;
	c->stuck_vcpu = 1;
	c->unhandled = 2;
	c->guest_ns = 3;
	c->wall_ns = 4;
	for (int i = 0; i < VGIC_EXIT_KINDS; i++)
		c->exits += c->exit[i] = 10 + (uint64_t)i;
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		c->mi_source[i] = 20 + i;
	c->mi = 10;
	c->dir_traps = 31;
	c->eoicount = 32;
	c->kicks = 33;
	c->lr_writes = 34;
	c->lr_reads = 35;
	c->interrupts = 36;
	for (unsigned int i = 0; i <= VGR_MAX_LRS; i++) {
		c->used_ns[i] = 100 + i;
		c->pending_ns[i] = 200 + i;
		c->active_ns[i] = 300 + i;
		c->entries[i] = 400 + i;
	}
	c->overflow_max = 7;
	c->overflow_entries = 8;
	c->depth_ns[0] = 9;
	c->depth_ns[VGIC_DEPTHS - 1] = 10;
	c->latency_known[VGIC_LATENCY_RAISE_TO_LR] = true;
	fill_latency(&c->latency[VGIC_LATENCY_RAISE_TO_LR]);
	for (int i = 0; i < VGIC_LATENCIES; i++)
		c->inside_ns[i] = 500 + (uint64_t)i;
	c->merged = 16;
	c->inversions = 11;
	c->inversion_ns = 12;
	c->order_known = true;
	c->spurious = 13;
	c->lost = 14;
	c->reordered = 15;
	c->fates = calloc(2, sizeof(*c->fates));
	c->nr_fates = 2;
	c->fates[0] = (struct vgic_fate){5, 1, VGIC_FATE_STUCK, true, 0x80, 1, 2, 3, 4, 5, 6, 7, 8,
					 9, 10};
	c->fates[1] = (struct vgic_fate){.intid = 40, .kind = VGIC_FATE_LOST};
	c->starved[0] = (struct vgic_starved){1, 40, 77};
	c->nr_starved = 1;
	c->timeline.full = true;
	c->timeline.segments[0] = (struct vgic_segment){3, 2, 40, 200, 300};
	c->timeline.mis[0] = (struct vgic_mark){250, 2};
	c->timeline.mis[1] = (struct vgic_mark){260, 8};
	c->timeline.depths[0] = (struct vgic_mark){255, 3};
	c->timeline.nr_segments = 1;
	c->timeline.nr_mis = 2;
	c->timeline.nr_depths = 1;
}

/* Owns everything, as if it had been read; the arrays have room to spare. */
static struct vgw *make(void)
{
	struct vgic_workload *wl = vgic_workload_create(2);
	struct vgw *w = calloc(1, sizeof(*w));

	sample_header(&w->header);
	w->header.probes = NULL;
	w->header.nr_probes = 0;
	w->recording = 0x1122334455667788;
	w->ending = VGR_END_CUT;
	w->vm = 3;
	w->pairs = 44;
	strcpy(w->tool, "vgicsim test");
	strcpy(w->estimator, VGIC_ESTIMATOR);
	strcpy(w->policy, "linux-7.3");
	w->derived = (struct vgic_derive_stats){1, 2, 3, 4, 5};
	w->has_window = true;
	w->window_vcpu = 1;
	w->window_t0 = 100;
	w->window_t1 = 900;
	fill_workload(wl);
	w->workload = *wl;
	free(wl);
	w->has_recorded = true;
	fill_cell(&w->recorded);
	return w;
}

static int make_once(void **state)
{
	made = make();
	return 0;
}

static int drop(void **state)
{
	vgw_free(made);
	return 0;
}

static void encode(const struct vgw *w, bool plain, unsigned char **data, size_t *size)
{
	const struct vgw_writer_opts opts = {.plain = plain};
	struct vgr_error err = {0};
	void *p;

	if (vgw_encode(w, &opts, &p, size, &err))
		fail_msg("not written: %s", err.what);
	*data = p;
}

static void same_when(const struct vgic_when *a, const struct vgic_when *b)
{
	assert_int_equal(a->at, b->at);
	assert_int_equal(a->from, b->from);
	assert_int_equal(a->to, b->to);
	assert_int_equal(a->known, b->known);
}

#define SAME(a, b, what) \
	assert_memory_equal((a)->what##s, (b)->what##s, (a)->nr_##what##s * sizeof(*(a)->what##s))

static void same_workload(const struct vgic_workload *a, const struct vgic_workload *b)
{
	assert_int_equal(a->nr_vcpus, b->nr_vcpus);
	assert_int_equal(a->nr_sources, b->nr_sources);
	assert_int_equal(a->nr_scripts, b->nr_scripts);
	assert_int_equal(a->nr_ops, b->nr_ops);
	assert_int_equal(a->nr_effects, b->nr_effects);
	assert_int_equal(a->nr_props, b->nr_props);
	SAME(a, b, source);
	SAME(a, b, op);
	SAME(a, b, effect);
	SAME(a, b, prop);
	for (size_t i = 0; i < a->nr_scripts; i++) {
		assert_int_equal(a->scripts[i].first, b->scripts[i].first);
		assert_int_equal(a->scripts[i].source, b->scripts[i].source);
		assert_int_equal(a->scripts[i].next, b->scripts[i].next);
		assert_int_equal(a->scripts[i].vcpu, b->scripts[i].vcpu);
		assert_int_equal(a->scripts[i].whole, b->scripts[i].whole);
		assert_int_equal(a->scripts[i].own_ns, b->scripts[i].own_ns);
		same_when(&a->scripts[i].ack, &b->scripts[i].ack);
		same_when(&a->scripts[i].drop, &b->scripts[i].drop);
		same_when(&a->scripts[i].deact, &b->scripts[i].deact);
	}
	for (uint32_t i = 0; i < a->nr_vcpus; i++) {
		assert_int_equal(a->vcpus[i].background, b->vcpus[i].background);
		assert_int_equal(a->vcpus[i].start_ns, b->vcpus[i].start_ns);
		assert_int_equal(a->vcpus[i].guest_ns, b->vcpus[i].guest_ns);
		assert_int_equal(a->vcpus[i].masked_handlers, b->vcpus[i].masked_handlers);
	}
	assert_memory_equal(&a->profile, &b->profile, sizeof(a->profile));
	assert_int_equal(a->nr_lr, b->nr_lr);
	assert_int_equal(a->host_cpus, b->host_cpus);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->duration_ns, b->duration_ns);
	assert_int_equal(a->open, b->open);
	assert_int_equal(a->typical, b->typical);
	assert_int_equal(a->gicv2, b->gicv2);
	assert_int_equal(a->model_v2, b->model_v2);
	assert_int_equal(a->blocked, b->blocked);
	assert_int_equal(a->eoicount_on_split, b->eoicount_on_split);
}

/* The intervals of percentiles, too, which come from all of it. */
static void same_blocks(const struct vgic_latency_series *a, const struct vgic_latency_series *b)
{
	struct vgic_percentile p[VGIC_LATENCY_PERCENTILES], q[VGIC_LATENCY_PERCENTILES];

	assert_int_equal(a->raises, b->raises);
	assert_int_equal(a->nr_blocks, b->nr_blocks);
	for (size_t i = 0; i < VGIC_LATENCY_BLOCKS; i++) {
		assert_int_equal(a->blocks[i].n, b->blocks[i].n);
		for (unsigned int k = 0; k < VGIC_LATENCY_PARTS; k++) {
			const uint32_t *x = a->blocks[i].part[k], *y = b->blocks[i].part[k];

			assert_int_equal(!x, !y);
			if (x)
				assert_memory_equal(x, y, VGIC_LATENCY_PART * sizeof(*x));
		}
	}
	assert_int_equal(vgic_latency_percentiles(a, vgic_latency_p, VGIC_LATENCY_PERCENTILES, p),
			 0);
	assert_int_equal(vgic_latency_percentiles(b, vgic_latency_p, VGIC_LATENCY_PERCENTILES, q),
			 0);
	for (size_t i = 0; i < VGIC_LATENCY_PERCENTILES; i++) {
		assert_int_equal(p[i].known, q[i].known);
		assert_int_equal(p[i].low, q[i].low);
		assert_int_equal(p[i].high, q[i].high);
	}
}

/* All of a cell in front of its arrays is values; pointers apart. */
static void same_cell(const struct vgic_cell *a, const struct vgic_cell *b)
{
	const struct vgic_timeline *ta = &a->timeline, *tb = &b->timeline;

	assert_memory_equal(a, b, offsetof(struct vgic_cell, overflow_max));
	assert_int_equal(a->overflow_max, b->overflow_max);
	assert_int_equal(a->overflow_entries, b->overflow_entries);
	assert_memory_equal(a->depth_ns, b->depth_ns, VGIC_DEPTHS * sizeof(uint64_t));
	assert_memory_equal(a->latency_known, b->latency_known, sizeof(a->latency_known));
	for (int i = 0; i < VGIC_LATENCIES; i++) {
		const struct vgic_hist *x = &a->latency[i].hist, *y = &b->latency[i].hist;

		assert_memory_equal(x, y, offsetof(struct vgic_hist, count));
		assert_memory_equal(x->count, y->count, VGIC_HIST_BUCKETS * sizeof(uint64_t));
		same_blocks(&a->latency[i], &b->latency[i]);
		assert_int_equal(a->inside_ns[i], b->inside_ns[i]);
	}
	assert_int_equal(a->merged, b->merged);
	assert_int_equal(a->inversions, b->inversions);
	assert_int_equal(a->inversion_ns, b->inversion_ns);
	assert_int_equal(a->order_known, b->order_known);
	assert_int_equal(a->spurious, b->spurious);
	assert_int_equal(a->lost, b->lost);
	assert_int_equal(a->reordered, b->reordered);
	assert_int_equal(a->nr_fates, b->nr_fates);
	assert_memory_equal(a->fates, b->fates, a->nr_fates * sizeof(*a->fates));
	assert_int_equal(a->nr_starved, b->nr_starved);
	assert_memory_equal(a->starved, b->starved, a->nr_starved * sizeof(a->starved[0]));
	assert_int_equal(a->has_timeline, b->has_timeline);
	assert_int_equal(ta->t0, tb->t0);
	assert_int_equal(ta->t1, tb->t1);
	assert_int_equal(ta->vcpu, tb->vcpu);
	assert_int_equal(ta->full, tb->full);
	assert_int_equal(ta->nr_segments, tb->nr_segments);
	assert_int_equal(ta->nr_mis, tb->nr_mis);
	assert_int_equal(ta->nr_depths, tb->nr_depths);
	assert_memory_equal(ta->segments, tb->segments, ta->nr_segments * sizeof(*ta->segments));
	for (size_t i = 0; i < ta->nr_mis; i++) {
		assert_int_equal(ta->mis[i].t, tb->mis[i].t);
		assert_int_equal(ta->mis[i].value, tb->mis[i].value);
	}
	assert_int_equal(ta->depths[0].t, tb->depths[0].t);
	assert_int_equal(ta->depths[0].value, tb->depths[0].value);
}

static void same(const struct vgw *a, const struct vgw *b)
{
	assert_string_equal(a->header.kernel_release, b->header.kernel_release);
	assert_string_equal(a->header.guest_command, b->header.guest_command);
	assert_string_equal(a->header.cpu_part, b->header.cpu_part);
	assert_string_equal(a->header.policy, b->header.policy);
	assert_int_equal(a->header.nr_lr, b->header.nr_lr);
	assert_int_equal(a->header.tdir, b->header.tdir);
	assert_int_equal(a->header.emulated, b->header.emulated);
	assert_int_equal(a->header.pre_bits, b->header.pre_bits);
	assert_int_equal(a->header.pri_bits, b->header.pri_bits);
	assert_int_equal(a->recording, b->recording);
	assert_int_equal(a->ending, b->ending);
	assert_int_equal(a->vm, b->vm);
	assert_int_equal(a->pairs, b->pairs);
	assert_string_equal(a->tool, b->tool);
	assert_string_equal(a->estimator, b->estimator);
	assert_string_equal(a->policy, b->policy);
	assert_memory_equal(&a->derived, &b->derived, sizeof(a->derived));
	assert_int_equal(a->has_window, b->has_window);
	assert_int_equal(a->window_vcpu, b->window_vcpu);
	assert_int_equal(a->window_t0, b->window_t0);
	assert_int_equal(a->window_t1, b->window_t1);
	same_workload(&a->workload, &b->workload);
	assert_int_equal(a->has_recorded, b->has_recorded);
	if (a->has_recorded)
		same_cell(&a->recorded, &b->recorded);
}

static struct vgw *read_back(const void *data, size_t size)
{
	struct vgr_error err = {0};
	struct vgw *w;

	if (vgw_read_memory(&w, data, size, &err))
		fail_msg("not read: byte %llu: %s", (unsigned long long)err.offset, err.what);
	return w;
}

static void test_round_trip(void **state)
{
	for (int plain = 0; plain < 2; plain++) {
		unsigned char *data, *again;
		size_t size, size_again;
		struct vgw *w;

		encode(made, plain, &data, &size);
		w = read_back(data, size);
		same(made, w);
		assert_int_equal(w->version, VGW_VERSION);
		assert_int_equal(w->bytes, size);
		assert_int_not_equal(w->identity, 0);
		encode(w, plain, &again, &size_again);
		assert_int_equal(size, size_again);
		assert_memory_equal(data, again, size);
		vgw_free(w);
		free(again);
		free(data);
	}
}

static void test_without_recorded_numbers(void **state)
{
	unsigned char *data;
	struct vgw *w;
	size_t size;

	made->has_recorded = false;
	encode(made, false, &data, &size);
	w = read_back(data, size);
	same(made, w);
	made->has_recorded = true;
	vgw_free(w);
	free(data);
}

static void test_file(void **state)
{
	char path[64], other[64];
	struct vgr_error err;
	unsigned char *data;
	struct vgw *w;
	size_t size;

	assert_int_equal(sample_temp(path, sizeof(path)), 0);
	assert_int_equal(sample_temp(other, sizeof(other)), 0);
	encode(made, false, &data, &size);
	assert_int_equal(vgic_outfile_write(path, data, size), 0);
	assert_true(vgw_probe(path));
	assert_int_equal(vgw_read(&w, path, NULL, &err), 0);
	same(made, w);
	vgw_free(w);
	/* What the two readers say of each other's files. */
	assert_int_equal(sample_file(other, 3, NULL), 0);
	assert_false(vgw_probe(other));
	assert_int_equal(vgw_read(&w, other, NULL, &err), VGR_ENOTREC);
	assert_string_equal(err.what, "not a vgicsim workload");
	struct vgr_reader *r;

	assert_int_equal(vgr_reader_open(&r, path, NULL, &err), VGR_ENOTREC);
	assert_string_equal(err.what, "a workload, not a recording");
	assert_false(vgw_probe("/nonexistent"));
	assert_false(vgw_probe("/tmp"));
	assert_int_equal(vgw_read(&w, "/nonexistent", NULL, &err), -ENOENT);
	assert_int_equal(vgw_read(&w, "/tmp", NULL, &err), -EISDIR);
	assert_int_equal(vgw_read(&w, "/dev/null", NULL, NULL), -ESPIPE);
	unlink(path);
	unlink(other);
	free(data);
}

/* Memory of its own, so that free() may not be mistaken for it. */
static struct {
	long live, paced;
} counted;

static void *counted_resize(void *opaque, void *p, size_t size)
{
	uint64_t *head = p ? (uint64_t *)p - 2 : NULL, old = head ? *head : 0;

	counted.live += (size != 0) - (head != NULL);
	if (!size) {
		free(head);
		return NULL;
	}
	head = realloc(head, size + 16);
	assert_non_null(head);
	*head = size;
	if (size > old)
		memset((char *)(head + 2) + old, 0, size - old);
	return head + 2;
}

static void counted_pace(void *opaque)
{
	counted.paced++;
}

static void test_store(void **state)
{
	const struct vgic_store store = {.resize = counted_resize, .pace = counted_pace};
	struct vgr_error err;
	unsigned char *data, *written;
	struct vgic_cell cell;
	char path[64];
	struct vgw *w;
	size_t size;
	FILE *f;

	const struct vgic_replay_config c = {.policy = vgic_policy_find("newest"),
					     .nr_lr = 3,
					     .seed = 1,
					     .has_tdir = true,
					     .arrivals = VGIC_ARRIVALS_DEPENDENT};

	assert_int_equal(sample_temp(path, sizeof(path)), 0);
	encode(made, false, &data, &size);
	assert_int_equal(vgic_outfile_write(path, data, size), 0);
	assert_int_equal(vgw_read(&w, path, &store, &err), 0);
	assert_int_equal(counted.live, 4);
	assert_true(counted.paced > 0);
	same(made, w);
	assert_int_equal(vgic_replay(&w->workload, &c, &cell), 0);
	vgic_cell_finish(&cell);
	/* Written frame by frame it is the same file. */
	f = fopen(path, "w+");
	assert_non_null(f);
	assert_int_equal(vgw_write(f, w, NULL, &err), 0);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	assert_int_equal(ftell(f), size);
	rewind(f);
	written = malloc(size);
	assert_int_equal(fread(written, 1, size, f), size);
	assert_memory_equal(written, data, size);
	fclose(f);
	assert_int_equal(counted.live, 4);
	vgw_free(w);
	assert_int_equal(counted.live, 0);
	/* Neither is anything left of a file that is refused. */
	data[size - 1] ^= 1;
	assert_int_equal(vgic_outfile_write(path, data, size), 0);
	assert_true(vgw_read(&w, path, &store, &err) < 0);
	assert_int_equal(counted.live, 0);
	unlink(path);
	free(written);
	free(data);
}

/* Nothing is written of what no reader would take. */
static void test_write_refuses(void **state)
{
	struct vgr_error err = {0};
	struct vgw *w = make();
	FILE *f = tmpfile();

	assert_non_null(f);
	w->workload.ops[0].kind = 200;
	assert_int_equal(vgw_write(f, w, NULL, &err), VGR_EFORGED);
	assert_int_equal(err.code, VGR_EFORGED);
	assert_int_equal(ftell(f), 0);
	fclose(f);
	vgw_free(w);
}

static void test_every_cut(void **state)
{
	struct vgr_error err;
	unsigned char *data;
	struct vgw *w;
	size_t size;

	encode(made, false, &data, &size);
	for (size_t n = 0; n < size; n++) {
		int ret = vgw_read_memory(&w, data, n, &err);

		if (ret != (n < 8 ? VGR_ENOTREC : VGR_ESHORT))
			fail_msg("cut at %zu of %zu: %d, %s", n, size, ret, err.what);
		assert_null(w);
	}
	data = realloc(data, size + 1);
	data[size] = 0;
	assert_int_equal(vgw_read_memory(&w, data, size + 1, &err), VGR_EFORGED);
	free(data);
}

static void test_every_flip(void **state)
{
	struct vgr_error err;
	unsigned char *data;
	struct vgw *w;
	size_t size;

	for (int plain = 0; plain < 2; plain++) {
		encode(made, plain, &data, &size);
		for (size_t i = 0; i < size * 8; i += i < 4096 * 8 ? 1 : 37) {
			data[i / 8] ^= (unsigned char)(1u << i % 8);
			if (!vgw_read_memory(&w, data, size, &err))
				fail_msg("bit %zu flipped, and read", i);
			assert_true(err.what[0]);
			data[i / 8] ^= (unsigned char)(1u << i % 8);
		}
		free(data);
	}
}

/* ---- forged files: the checksums are right ---- */

static void mend(unsigned char *data, size_t size)
{
	struct workload_head *head = (struct workload_head *)data;
	XXH64_state_t *identity = XXH64_createState();
	struct workload_frame f;

	XXH64_reset(identity, 0);
	head->frames = 0;
	for (size_t at = sizeof(*head); at + sizeof(f) <= size;) {
		memcpy(&f, data + at, sizeof(f));
		if (f.stored_size > size - at - sizeof(f))
			break;
		f.payload_hash = XXH64(data + at + sizeof(f), f.stored_size, 0);
		f.hash = XXH64(&f, offsetof(struct workload_frame, hash), 0);
		memcpy(data + at, &f, sizeof(f));
		XXH64_update(identity, &f.hash, sizeof(f.hash));
		at += sizeof(f) + f.stored_size;
		head->frames++;
	}
	head->size = size;
	head->identity = XXH64_digest(identity);
	head->hash = XXH64(head, offsetof(struct workload_head, hash), 0);
	XXH64_freeState(identity);
}

static size_t frame_of(const unsigned char *data, size_t size, unsigned int tag)
{
	struct workload_frame f;

	for (size_t at = sizeof(struct workload_head); at < size; at += sizeof(f) + f.stored_size) {
		memcpy(&f, data + at, sizeof(f));
		if (f.tag == tag)
			return at;
	}
	fail_msg("no section %u", tag);
	return 0;
}

/* Frame of this section with a header as edit leaves it; the reader's answer. */
static int with_header(unsigned int tag, void (*edit)(struct workload_frame *f),
		       struct vgr_error *err)
{
	unsigned char *data;
	struct workload_frame f;
	size_t size, at;
	struct vgw *w;
	int ret;

	encode(made, true, &data, &size);
	at = frame_of(data, size, tag);
	memcpy(&f, data + at, sizeof(f));
	edit(&f);
	memcpy(data + at, &f, sizeof(f));
	mend(data, size);
	ret = vgw_read_memory(&w, data, size, err);
	vgw_free(w);
	free(data);
	return ret;
}

#define EDIT(name, ...)                                   \
	static void edit_##name(struct workload_frame *f) \
	{                                                 \
		__VA_ARGS__;                              \
	}

EDIT(nothing, (void)f)
EDIT(raw, f->raw_size = VGR_MAX_FRAME; f->element = 1; f->count = VGR_MAX_FRAME)
EDIT(raw_more, f->raw_size = UINT32_MAX)
EDIT(stored, f->stored_size = UINT32_MAX)
EDIT(codec, f->codec = 7)
EDIT(zstd, f->codec = WORKLOAD_ZSTD)
EDIT(tag, f->tag = 0)
EDIT(earlier, f->tag = WORKLOAD_DESCRIPTION)
EDIT(later, f->tag = 1000)
EDIT(number, f->number++)
EDIT(element, f->element = 0)
EDIT(elements, f->element = 1; f->count = f->raw_size; f->total = f->count)
EDIT(count, f->count++)
EDIT(none, f->count = 0)
EDIT(first, f->first = 1)
EDIT(total, f->total++)
EDIT(total_huge, f->total = UINT64_MAX)
EDIT(total_less, f->total = 0)
EDIT(twice, f->raw_size /= 2; f->element /= 2; f->count = 2; f->total = 2)

static void test_forged_headers(void **state)
{
	static const struct {
		const char *name;
		void (*edit)(struct workload_frame *f);
	} edits[] = {
		{"raw", edit_raw},	   {"raw more", edit_raw_more}, {"stored", edit_stored},
		{"codec", edit_codec},	   {"zstd", edit_zstd},		{"tag", edit_tag},
		{"earlier", edit_earlier}, {"later", edit_later},	{"number", edit_number},
		{"element", edit_element}, {"elements", edit_elements}, {"count", edit_count},
		{"none", edit_none},	   {"first", edit_first},	{"total", edit_total},
		{"huge", edit_total_huge}, {"less", edit_total_less},	{"twice", edit_twice},
	};
	static const unsigned int tags[] = {WORKLOAD_DEMAND, WORKLOAD_OPS, WORKLOAD_CELL};
	struct vgr_error err;

	for (size_t t = 0; t < 3; t++) {
		assert_int_equal(with_header(tags[t], edit_nothing, &err), 0);
		for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
			int ret = with_header(tags[t], edits[i].edit, &err);

			if (ret != VGR_EFORGED && ret != VGR_EDAMAGED)
				fail_msg("section %u, %s: %d", tags[t], edits[i].name, ret);
		}
	}
}

/* Bytes of the payload of a section replaced by those of an array, which may be longer. */
static unsigned char *splice(unsigned int tag, uint32_t element, const void *payload, size_t n,
			     size_t *size)
{
	unsigned char *data, *out;
	struct workload_frame f;
	size_t at, rest;

	encode(made, true, &data, size);
	at = frame_of(data, *size, tag);
	memcpy(&f, data + at, sizeof(f));
	rest = at + sizeof(f) + f.stored_size;
	out = malloc(*size + n);
	memcpy(out, data, at);
	f.element = element;
	f.raw_size = f.stored_size = (uint32_t)n;
	f.count = element ? (uint32_t)(n / element) : 0;
	f.total = f.count;
	memcpy(out + at, &f, sizeof(f));
	memcpy(out + at + sizeof(f), payload, n);
	memcpy(out + at + sizeof(f) + n, data + rest, *size - rest);
	*size = at + sizeof(f) + n + (*size - rest);
	free(data);
	mend(out, *size);
	return out;
}

static int read_spliced(unsigned int tag, uint32_t element, const void *payload, size_t n)
{
	struct vgr_error err;
	size_t size;
	unsigned char *data = splice(tag, element, payload, n, &size);
	struct vgw *w;
	int ret = vgw_read_memory(&w, data, size, &err);

	if (!ret)
		same(made, w);
	vgw_free(w);
	free(data);
	return ret;
}

/* Fields that a later version appends are left; a shorter element than ever is refused. */
static void test_appended_fields(void **state)
{
	const uint32_t nr_mi_delays = 3;
	unsigned char costs[636] = {0};
	uint64_t ns;

	for (ns = 1; ns <= 13; ns++)
		memcpy(costs + (ns - 1) * 8, &ns, 8);
	memcpy(costs + 104, &nr_mi_delays, 4);
	for (; ns < 14 + 64; ns++)
		memcpy(costs + 108 + (ns - 14) * 8, &ns, 8);
	assert_int_equal(read_spliced(WORKLOAD_PROFILE, 620, costs, 620), 0);
	assert_int_equal(read_spliced(WORKLOAD_PROFILE, 636, costs, 636), 0);
	assert_int_equal(read_spliced(WORKLOAD_PROFILE, 612, costs, 612), VGR_EFORGED);
	assert_int_equal(read_spliced(WORKLOAD_PROFILE, 620, costs, 0), VGR_EFORGED);
}

/* Elements are never shorter than in version 1, whose sizes the man page has. */
static void test_sizes(void **state)
{
	static const uint32_t least[WORKLOAD_TAG_MAX] = {
		[WORKLOAD_DESCRIPTION] = 1, [WORKLOAD_NAMES] = 1,     [WORKLOAD_DERIVATION] = 82,
		[WORKLOAD_DEMAND] = 36,	    [WORKLOAD_PROFILE] = 620, [WORKLOAD_VCPUS] = 21,
		[WORKLOAD_SOURCES] = 29,    [WORKLOAD_SCRIPTS] = 98,  [WORKLOAD_OPS] = 70,
		[WORKLOAD_EFFECTS] = 57,    [WORKLOAD_PROPS] = 15,    [WORKLOAD_CELL] = 299,
		[WORKLOAD_OCCUPANCY] = 32,  [WORKLOAD_DEPTHS] = 8,    [WORKLOAD_LATENCIES] = 49,
		[WORKLOAD_BUCKETS] = 13,    [WORKLOAD_BLOCKS] = 13,   [WORKLOAD_FATES] = 89,
		[WORKLOAD_STARVED] = 14,    [WORKLOAD_SEGMENTS] = 22, [WORKLOAD_MIS] = 12,
		[WORKLOAD_OVERFLOWS] = 12,
	};
	unsigned char *data;
	struct workload_frame f;
	size_t size;

	encode(made, true, &data, &size);
	for (unsigned int tag = 1; tag < WORKLOAD_TAG_MAX; tag++) {
		memcpy(&f, data + frame_of(data, size, tag), sizeof(f));
		assert_true(f.element >= least[tag]);
	}
	free(data);
}

static void test_unknown_section(void **state)
{
	struct workload_frame f = {
		.magic = WORKLOAD_FRAME_MAGIC,
		.tag = 500,
		.codec = WORKLOAD_PLAIN,
		.raw_size = 8,
		.stored_size = 8,
		.element = 4,
		.count = 2,
		.total = 2,
	};
	unsigned char *data;
	struct vgw *w;
	size_t size;

	encode(made, true, &data, &size);
	f.number = ((struct workload_head *)data)->frames;
	data = realloc(data, size + sizeof(f) + 8);
	memcpy(data + size, &f, sizeof(f));
	memset(data + size + sizeof(f), 9, 8);
	size += sizeof(f) + 8;
	mend(data, size);
	w = read_back(data, size);
	same(made, w);
	vgw_free(w);
	free(data);
}

static void test_missing_section(void **state)
{
	struct vgr_error err;
	struct workload_frame f;
	unsigned char *data;
	struct vgw *w;
	size_t size, at, n;

	for (unsigned int tag = 1; tag < WORKLOAD_TAG_MAX; tag++) {
		encode(made, true, &data, &size);
		at = frame_of(data, size, tag);
		memcpy(&f, data + at, sizeof(f));
		n = sizeof(f) + f.stored_size;
		memmove(data + at, data + at + n, size - at - n);
		size -= n;
		for (size_t k = at; k < size; k += sizeof(f) + f.stored_size) {
			memcpy(&f, data + k, sizeof(f));
			f.number--;
			memcpy(data + k, &f, sizeof(f));
		}
		mend(data, size);
		assert_int_equal(vgw_read_memory(&w, data, size, &err), VGR_EFORGED);
		assert_string_equal(err.what, "a section is missing, or one too many");
		free(data);
	}
}

/* A file of a few kilobytes that says it holds, and decodes to, gigabytes. */
static void test_bomb(void **state)
{
	static char zeros[VGR_MAX_FRAME];
	struct workload_frame f = {
		.magic = WORKLOAD_FRAME_MAGIC,
		.tag = 500,
		.codec = WORKLOAD_ZSTD,
		.raw_size = VGR_MAX_FRAME,
		.element = 1,
		.count = VGR_MAX_FRAME,
		.total = 1000 * (uint64_t)VGR_MAX_FRAME,
	};
	unsigned char *data, *grown;
	struct vgr_error err;
	struct vgw *w;
	size_t size, at, n;

	encode(made, false, &data, &size);
	grown = malloc(ZSTD_compressBound(sizeof(zeros)));
	n = ZSTD_compress(grown, ZSTD_compressBound(sizeof(zeros)), zeros, sizeof(zeros), 3);
	assert_false(ZSTD_isError(n));
	data = realloc(data, size + 1000 * (sizeof(f) + n));
	f.stored_size = (uint32_t)n;
	f.number = ((struct workload_head *)data)->frames;
	at = size;
	for (unsigned int i = 0; i < 1000; i++, f.number++, f.first += f.count) {
		memcpy(data + at, &f, sizeof(f));
		memcpy(data + at + sizeof(f), grown, n);
		at += sizeof(f) + n;
	}
	mend(data, at);
	assert_int_equal(vgw_read_memory(&w, data, at, &err), VGR_EFORGED);
	assert_string_equal(err.what, "far more content than a file of this size can have");
	free(grown);
	free(data);
}

/* ---- forged content: each of these would crash, hang or mislead a replay ---- */

#define WL	(&w->workload)
#define LATENCY (w->recorded.latency[VGIC_LATENCY_RAISE_TO_LR])

struct forgery {
	const char *name;
	void (*forge)(struct vgw *w);
};

#define FORGE(name, ...)                        \
	static void forge_##name(struct vgw *w) \
	{                                       \
		__VA_ARGS__;                    \
	}

FORGE(no_vcpus, WL->nr_vcpus = 0)
FORGE(pre_bits, w->header.pre_bits = 4)
FORGE(pri_bits, w->header.pre_bits = 6)
FORGE(no_lrs, WL->nr_lr = w->header.nr_lr = 0)
FORGE(other_lrs, WL->nr_lr = 5)
FORGE(other_gic, WL->gicv2 = true)
FORGE(ending, w->ending = (enum vgr_ending)9)
FORGE(cost, WL->profile.mi_out_ns = UINT64_MAX)
FORGE(cost_switch, WL->profile.switch_ns = VGW_MAX_NS + 1)
FORGE(cost_sort, WL->profile.sort_ns = VGW_MAX_NS + 1)
FORGE(cost_entry_irq, WL->profile.entry_irq_ps = VGIC_MAX_COST_PS + 1)
FORGE(cost_entry_lr, WL->profile.entry_lr_ps = VGIC_MAX_COST_PS + 1)
FORGE(cost_sort_step, WL->profile.sort_step_ps = VGIC_MAX_COST_PS + 1)
FORGE(cost_exit_irq, WL->profile.exit_irq_ps = VGIC_MAX_COST_PS + 1)
FORGE(cost_exit_lr, WL->profile.exit_lr_ps = VGIC_MAX_COST_PS + 1)
FORGE(mi_delays, WL->profile.nr_mi_delays = VGIC_MAX_MI_DELAYS + 1)
FORGE(mi_delay, WL->profile.mi_delays[2] = VGW_MAX_NS + 1)
FORGE(duration, WL->duration_ns = VGW_MAX_NS + 1)
FORGE(window, w->window_t1 = w->window_t0)
FORGE(window_vcpu, w->window_vcpu = 2)
FORGE(background, WL->vcpus[0].background = (uint32_t)WL->nr_scripts)
FORGE(background_handler, WL->vcpus[0].background = 0)
FORGE(background_other, WL->vcpus[0].background = WL->vcpus[1].background)
FORGE(start, WL->vcpus[1].start_ns = UINT64_MAX)
FORGE(private_vcpu, WL->sources[0].vcpu = 2)
FORGE(shared_vcpu, WL->sources[2].vcpu = 0)
FORGE(active, WL->sources[2].initial.state |= VGR_IRQ_ACTIVE)
FORGE(listed, WL->sources[2].initial.vcpu = 0)
FORGE(twice, WL->sources[3].initial.intid = 40)
FORGE(typical, WL->sources[2].typical = 3)
FORGE(typical_beyond, WL->sources[2].typical = 4000)
FORGE(wl_typical, WL->typical = WL->vcpus[0].background)
FORGE(script_source, WL->scripts[0].source = (uint32_t)WL->nr_sources)
FORGE(script_vcpu, WL->scripts[0].vcpu = 2)
FORGE(script_time, WL->scripts[0].own_ns = UINT64_MAX)
FORGE(script_circle, WL->scripts[2].next = 0)
FORGE(script_self, WL->scripts[3].next = 3)
FORGE(script_beyond, WL->scripts[2].next = (uint32_t)WL->nr_scripts)
FORGE(script_of_other, WL->sources[3].first_script = 3; WL->sources[0].first_script = NONE)
FORGE(script_orphans, WL->sources[2].first_script = NONE)
FORGE(op_kind, WL->ops[0].kind = 7)
FORGE(op_exit, WL->ops[0].exit = VGIC_EXIT_KINDS)
FORGE(op_flags, WL->ops[0].flags = 0x80)
FORGE(op_source, WL->ops[0].source = 4)
FORGE(op_yields, WL->ops[7 - 1].value = 2)
FORGE(op_at, WL->ops[0].at = UINT64_MAX)
FORGE(op_out, WL->ops[0].out_ns = UINT64_MAX)
FORGE(op_wall, WL->ops[0].wall_ns = VGW_MAX_NS + 1)
FORGE(op_entry, WL->ops[0].entry_ns = (uint32_t)WL->ops[0].out_ns + 1)
FORGE(op_sync_lrs, WL->ops[0].sync_lrs = VGR_MAX_LRS + 1)
FORGE(op_entry_lrs, WL->ops[0].entry_lrs = VGR_MAX_LRS + 1)
FORGE(op_circle, WL->ops[7].next = WL->scripts[WL->vcpus[0].background].first)
FORGE(op_shared, WL->scripts[1].first = 0)
FORGE(op_beyond, WL->ops[7].next = (uint32_t)WL->nr_ops)
FORGE(op_ends_program, WL->ops[7].flags = VGIC_OP_LAST)
FORGE(effect_kind, WL->effects[0].kind = 8)
FORGE(effect_origin, WL->effects[0].origin = 3)
FORGE(effect_source, WL->effects[0].source = 4)
FORGE(effect_wake, WL->effects[2].source = 2)
FORGE(effect_sender, WL->effects[3].vcpu = 2)
FORGE(effect_prop, WL->effects[1].prop = 1)
FORGE(effect_prop_of_other, WL->props[0].intid = 41)
FORGE(effect_latch_prop, WL->effects[4].prop = 1)
FORGE(effect_line_prop, WL->effects[0].prop = 1)
FORGE(effect_line_prop_of_other, WL->effects[5].source = 3; WL->effects[5].prop = 0)
FORGE(effect_line_prop_of_none, WL->effects[5].prop = 0)
FORGE(effect_delay, WL->effects[0].delay_ns = UINT64_MAX)
FORGE(effect_gap, WL->effects[1].gap_ns = UINT64_MAX - 1)
FORGE(effect_circle, WL->effects[3].next = 0)
FORGE(effect_island, WL->open = NONE)
FORGE(open_beyond, WL->open = 6)
FORGE(asks_shared, WL->ops[7].asks = 1)
FORGE(asks_wake, WL->ops[7].asks = 2)
FORGE(asks_self, WL->effects[3].ask_next = 3)
FORGE(cell_lrs, w->recorded.nr_lr = 65)
FORGE(cell_outcome, w->recorded.outcome = (enum vgic_outcome)3)
FORGE(cell_histogram, w->recorded.latency[0].hist.n++)
FORGE(cell_bucket, LATENCY.hist.count[7]++)
FORGE(cell_wraps, LATENCY.hist.count[7] += 1ull << 63; LATENCY.hist.count[9] += 1ull << 63)
FORGE(cell_no_latency, LATENCY.hist.n = 0; memset(LATENCY.hist.count, 0, 100 * sizeof(uint64_t)))
FORGE(cell_raises, LATENCY.raises = 0)
FORGE(cell_raises_3, LATENCY.raises = 3)
FORGE(cell_raises_huge, LATENCY.raises = 1ull << 63)
FORGE(cell_no_blocks, LATENCY.nr_blocks = 0)
FORGE(cell_many_blocks, LATENCY.nr_blocks = VGIC_LATENCY_BLOCKS + 1)
FORGE(cell_empty_block, LATENCY.nr_blocks++)
FORGE(cell_block_n, LATENCY.blocks[1].n++)
FORGE(cell_block_count, LATENCY.blocks[1].part[0][0]++)
FORGE(cell_fate, w->recorded.fates[0].kind = VGIC_FATE_KINDS)
FORGE(cell_segment, w->recorded.timeline.segments[0].lr = 64)
FORGE(cell_segment_state, w->recorded.timeline.segments[0].state = 0)
FORGE(cell_no_window, w->recorded.has_timeline = false)

#define ENTRY(name)                 \
	{                           \
#name, forge_##name \
	}

static const struct forgery forgeries[] = {
	ENTRY(no_vcpus),
	ENTRY(pre_bits),
	ENTRY(pri_bits),
	ENTRY(no_lrs),
	ENTRY(other_lrs),
	ENTRY(other_gic),
	ENTRY(ending),
	ENTRY(cost),
	ENTRY(cost_switch),
	ENTRY(cost_sort),
	ENTRY(cost_entry_irq),
	ENTRY(cost_entry_lr),
	ENTRY(cost_sort_step),
	ENTRY(cost_exit_irq),
	ENTRY(cost_exit_lr),
	ENTRY(mi_delays),
	ENTRY(mi_delay),
	ENTRY(duration),
	ENTRY(window),
	ENTRY(window_vcpu),
	ENTRY(background),
	ENTRY(background_handler),
	ENTRY(background_other),
	ENTRY(start),
	ENTRY(private_vcpu),
	ENTRY(shared_vcpu),
	ENTRY(active),
	ENTRY(listed),
	ENTRY(twice),
	ENTRY(typical),
	ENTRY(typical_beyond),
	ENTRY(wl_typical),
	ENTRY(script_source),
	ENTRY(script_vcpu),
	ENTRY(script_time),
	ENTRY(script_circle),
	ENTRY(script_self),
	ENTRY(script_beyond),
	ENTRY(script_of_other),
	ENTRY(script_orphans),
	ENTRY(op_kind),
	ENTRY(op_exit),
	ENTRY(op_flags),
	ENTRY(op_source),
	ENTRY(op_yields),
	ENTRY(op_at),
	ENTRY(op_out),
	ENTRY(op_wall),
	ENTRY(op_entry),
	ENTRY(op_sync_lrs),
	ENTRY(op_entry_lrs),
	ENTRY(op_circle),
	ENTRY(op_shared),
	ENTRY(op_beyond),
	ENTRY(op_ends_program),
	ENTRY(effect_kind),
	ENTRY(effect_origin),
	ENTRY(effect_source),
	ENTRY(effect_wake),
	ENTRY(effect_sender),
	ENTRY(effect_prop),
	ENTRY(effect_prop_of_other),
	ENTRY(effect_latch_prop),
	ENTRY(effect_line_prop),
	ENTRY(effect_line_prop_of_other),
	ENTRY(effect_line_prop_of_none),
	ENTRY(effect_delay),
	ENTRY(effect_gap),
	ENTRY(effect_circle),
	ENTRY(effect_island),
	ENTRY(open_beyond),
	ENTRY(asks_shared),
	ENTRY(asks_wake),
	ENTRY(asks_self),
	ENTRY(cell_lrs),
	ENTRY(cell_outcome),
	ENTRY(cell_histogram),
	ENTRY(cell_bucket),
	ENTRY(cell_wraps),
	ENTRY(cell_no_latency),
	ENTRY(cell_raises),
	ENTRY(cell_raises_3),
	ENTRY(cell_raises_huge),
	ENTRY(cell_no_blocks),
	ENTRY(cell_many_blocks),
	ENTRY(cell_empty_block),
	ENTRY(cell_block_n),
	ENTRY(cell_block_count),
	ENTRY(cell_fate),
	ENTRY(cell_segment),
	ENTRY(cell_segment_state),
	ENTRY(cell_no_window),
};

static void test_forged_content(void **state)
{
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		struct vgw *w = make();
		struct vgr_error err = {0};
		size_t size;
		void *data;

		assert_int_equal(vgw_validate(w, &err), 0);
		forgeries[i].forge(w);
		if (vgw_validate(w, &err) != VGR_EFORGED || !err.what[0])
			fail_msg("%s: accepted", forgeries[i].name);
		assert_int_equal(vgw_encode(w, NULL, &data, &size, &err), VGR_EFORGED);
		vgw_free(w);
	}
}

/* A count that is full stands for what the histogram has. */
static void test_full_count(void **state)
{
	struct vgw *w = make(), *back;
	struct vgic_latency_block *b = &LATENCY.blocks[1];
	struct vgr_error err;
	unsigned char *data;
	size_t size;

	b->n += UINT32_MAX - b->part[0][0];
	LATENCY.hist.n += UINT32_MAX - b->part[0][0];
	LATENCY.hist.count[0] += UINT32_MAX - b->part[0][0];
	b->part[0][0] = UINT32_MAX;
	for (uint64_t more = 0; more < 3; more++) {
		assert_int_equal(vgic_latency_add(&LATENCY, 5, 0), 0);
		encode(w, false, &data, &size);
		assert_int_equal(vgw_read_memory(&back, data, size, &err), 0);
		assert_int_equal(back->recorded.latency[0].hist.n, LATENCY.hist.n);
		assert_int_equal(back->recorded.latency[0].blocks[1].part[0][0], UINT32_MAX);
		vgw_free(back);
		free(data);
	}
	/* Less than full is less. */
	b->part[0][0]--;
	assert_int_equal(vgw_validate(w, &err), VGR_EFORGED);
	vgw_free(w);
}

/* Counts of blocks that there are not, or of nothing, or that the histogram has not. */
static void test_forged_blocks(void **state)
{
	static const struct {
		uint8_t latency;
		uint32_t block, bucket, count;
	} cases[] = {{4, 0, 0, 1}, {0, 128, 0, 1}, {0, 0, 36 * 128, 1}, {1, 0, 0, 0}, {1, 0, 0, 1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char payload[13];

		payload[0] = cases[i].latency;
		memcpy(payload + 1, &cases[i].block, 4);
		memcpy(payload + 5, &cases[i].bucket, 4);
		memcpy(payload + 9, &cases[i].count, 4);
		assert_int_equal(read_spliced(WORKLOAD_BLOCKS, 13, payload, sizeof(payload)),
				 VGR_EFORGED);
	}
}

/* The reader asks the same: an index in the bytes of a file. */
static void test_forged_index(void **state)
{
	struct vgr_error err;
	unsigned char *data;
	struct workload_frame f;
	size_t size, at;
	struct vgw *w;
	uint32_t next = 5000;

	encode(made, true, &data, &size);
	at = frame_of(data, size, WORKLOAD_OPS);
	memcpy(&f, data + at, sizeof(f));
	/* Behind the columns at and out. */
	memcpy(data + at + sizeof(f) + (size_t)f.count * 16, &next, sizeof(next));
	mend(data, size);
	assert_int_equal(vgw_read_memory(&w, data, size, &err), VGR_EFORGED);
	assert_string_equal(err.what, "a link to operation 5000, there are 8");
	free(data);
}

static void test_forged_flag(void **state)
{
	struct vgr_error err;
	unsigned char *data;
	struct workload_frame f;
	size_t size, at;
	struct vgw *w;

	encode(made, true, &data, &size);
	at = frame_of(data, size, WORKLOAD_VCPUS);
	memcpy(&f, data + at, sizeof(f));
	data[at + sizeof(f) + f.stored_size - 1] = 2;
	mend(data, size);
	assert_int_equal(vgw_read_memory(&w, data, size, &err), VGR_EFORGED);
	assert_string_equal(err.what, "a flag that is neither 0 nor 1");
	free(data);
}

static void test_later_version(void **state)
{
	struct vgr_error err;
	unsigned char *data;
	struct vgw *w;
	size_t size;

	encode(made, true, &data, &size);
	((struct workload_head *)data)->version = VGW_VERSION + 1;
	mend(data, size);
	assert_int_equal(vgw_read_memory(&w, data, size, &err), VGR_EVERSION);
	((struct workload_head *)data)->version = 0;
	mend(data, size);
	assert_int_equal(vgw_read_memory(&w, data, size, &err), VGR_EFORGED);
	free(data);
}

static void test_bad_level(void **state)
{
	const struct vgw_writer_opts opts = {.level = 99};
	size_t size;
	void *data;

	assert_int_equal(vgw_encode(made, &opts, &data, &size, NULL), -EINVAL);
}

/* A time that only sums make too long: the replay says so, and comes back. */
static void test_endless_replay(void **state)
{
	struct vgic_replay_config c = {
		.policy = vgic_policy_find("newest"), .nr_lr = 4, .seed = 1, .has_tdir = true};
	struct vgw *w = make();
	struct vgic_workload *wl = &w->workload;
	struct vgic_cell cell;
	uint32_t last = 7;

	assert_int_equal(vgic_replay(wl, &c, &cell), 0);
	vgic_cell_finish(&cell);
	for (unsigned int i = 0; i < 3000; i++) {
		uint32_t op = vgic_workload_op(wl, VGIC_OP_EXIT);

		wl->ops[last].next = op;
		wl->ops[op].exit = VGIC_EXIT_OTHER;
		wl->ops[op].out_ns = VGW_MAX_NS;
		last = op;
	}
	assert_int_equal(vgw_validate(w, NULL), 0);
	assert_int_equal(vgic_replay(wl, &c, &cell), -EOVERFLOW);
	vgw_free(w);
}

/* Interrupts of the host that come again a million million times while the guest is away. */
static void test_short_recording(void **state)
{
	struct vgic_replay_config c = {
		.policy = vgic_policy_find("newest"), .nr_lr = 3, .seed = 1, .has_tdir = true};
	struct vgw *w = make();
	struct vgic_workload *wl = &w->workload;
	struct vgic_cell cell;
	uint32_t last = 7;

	wl->duration_ns = 1000;
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t op = vgic_workload_op(wl, VGIC_OP_EXIT);

		wl->ops[last].next = op;
		wl->ops[op].exit = i == 1 ? VGIC_EXIT_OTHER : VGIC_EXIT_OTHER_IRQ;
		wl->ops[op].at = wl->ops[last].at + 10;
		wl->ops[op].out_ns = i == 1 ? VGW_MAX_NS : 0;
		last = op;
	}
	assert_int_equal(vgw_validate(w, NULL), 0);
	assert_int_equal(vgic_replay(wl, &c, &cell), 0);
	assert_true(cell.wall_ns > VGW_MAX_NS);
	vgic_cell_finish(&cell);
	vgw_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_without_recorded_numbers),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_forged_headers),
		cmocka_unit_test(test_appended_fields),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_unknown_section),
		cmocka_unit_test(test_missing_section),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_forged_content),
		cmocka_unit_test(test_full_count),
		cmocka_unit_test(test_forged_blocks),
		cmocka_unit_test(test_forged_index),
		cmocka_unit_test(test_forged_flag),
		cmocka_unit_test(test_later_version),
		cmocka_unit_test(test_bad_level),
		cmocka_unit_test(test_endless_replay),
		cmocka_unit_test(test_short_recording),
	};

	return cmocka_run_group_tests(tests, make_once, drop);
}
