// SPDX-License-Identifier: GPL-2.0-only
/* Trace events to records, of traces written by hand in both byte orders. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <vgicsim/events.h>
#include "trace_sample.h"

/* ---- memory that runs out ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static size_t fail_at, allocations;

static bool fails(void)
{
	return fail_at && ++allocations == fail_at;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

/* ---- a trace and its records ---- */

#define MAX_RECORDS 64

struct trace {
	struct trace_sample sample;
	struct tep_handle *tep;
	struct vgr_events *e;
	/* what came out of it */
	unsigned char bytes[64 << 10];
	size_t used, n;
	const struct vgr_rec *rec[MAX_RECORDS];
};

static int take(void *ctx, const struct vgr_rec *rec)
{
	struct trace *t = ctx;

	assert_int_equal(vgr_rec_validate(rec, rec->size, NULL), 0);
	assert_true(t->n < MAX_RECORDS && t->used + rec->size <= sizeof(t->bytes));
	t->rec[t->n++] = memcpy(t->bytes + t->used, rec, rec->size);
	t->used += rec->size;
	return 0;
}

static void open_trace(struct trace *t, bool big_endian, unsigned int how)
{
	int i;

	memset(t, 0, sizeof(*t));
	trace_sample_make(&t->sample, big_endian, how);
	t->tep = tep_alloc();
	tep_set_file_bigendian(t->tep, big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_long_size(t->tep, 8);
	for (i = 0; t->sample.formats[i]; i++)
		assert_int_equal(tep_parse_event(t->tep, t->sample.formats[i],
						 strlen(t->sample.formats[i]),
						 t->sample.systems[i]),
				 0);
}

static int put_all(struct trace *t, int missed_before)
{
	size_t at = 0;
	int n = 0, err = 0;

	while (at < t->sample.records_size && !err) {
		struct tep_record rec = {0};
		uint32_t len;

		memcpy(&len, t->sample.records + at, 4);
		memcpy(&rec.ts, t->sample.records + at + 4, 8);
		rec.size = len;
		rec.data = t->sample.records + at + 12;
		rec.missed_events = ++n == missed_before ? 5 : 0;
		err = vgr_events_put(t->e, &rec);
		at += 12 + len;
	}
	return err;
}

static void read_trace(struct trace *t, bool big_endian, unsigned int how)
{
	struct vgr_events_opts opts = {.sink = take, .ctx = t};

	open_trace(t, big_endian, how);
	assert_int_equal(vgr_events_create(&t->e, t->tep, &opts), 0);
	assert_int_equal(put_all(t, 0), 0);
}

static void close_trace(struct trace *t)
{
	vgr_events_destroy(t->e);
	tep_free(t->tep);
	trace_sample_free(&t->sample);
}

/* The k-th record of a type. */
static const void *nth(const struct trace *t, uint16_t type, unsigned int k)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->rec[i]->type == type && !k--)
			return t->rec[i];
	}
	fail_msg("no such record of type %u", type);
	return NULL;
}

static unsigned int count(const struct trace *t, uint16_t type)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		n += t->rec[i]->type == type;
	return n;
}

/* ---- tests ---- */

static void test_byte_order(void **state)
{
	static struct trace little, big;

	read_trace(&little, false, 0);
	read_trace(&big, true, 0);
	assert_int_equal(little.n, 18);
	assert_int_equal(little.used, big.used);
	assert_memory_equal(little.bytes, big.bytes, little.used);
	/* The data themselves are not the same. */
	assert_memory_not_equal(little.sample.records + 12, big.sample.records + 12, 100);
	close_trace(&little);
	close_trace(&big);
}

static void test_flush_and_sync(void **state)
{
	static struct trace t;
	const struct vgr_flush *f;
	const struct vgr_sync *s;
	const struct vgr_irq *irq;

	read_trace(&t, false, 0);
	assert_int_equal(count(&t, VGR_FLUSH), 3);
	assert_int_equal(count(&t, VGR_SYNC), 3);
	assert_int_equal(count(&t, VGR_INJECT), 3);
	f = nth(&t, VGR_FLUSH, 1);
	assert_int_equal(f->n_before, 3);
	assert_int_equal(f->n_after, 3);
	assert_int_equal(f->used_lrs, 3);
	assert_int_equal(f->nr_lr, 4);
	assert_int_equal(f->boundary, VGR_BOUNDARY_UNKNOWN);
	assert_int_equal(f->r.flags, VGR_F_INSIDE);
	assert_true(f->begin < f->r.time);
	irq = vgr_flush_before(f);
	assert_int_equal(irq[0].intid, 40);
	assert_int_equal(irq[2].intid, 42);
	assert_int_equal(irq[1].state, VGR_IRQ_LATCH | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1);
	assert_int_equal(irq[1].priority, 0xa0);
	assert_int_equal(irq[1].vcpu, 0);
	assert_int_equal(vgr_flush_after(f)[0].state,
			 VGR_IRQ_ON_LR | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1);
	assert_int_equal(vgr_flush_lrs(f)[2] & 0xffffffff, 42);
	/* 40 has been handled and leaves the list: it is as its fold left it. */
	s = nth(&t, VGR_SYNC, 1);
	assert_int_equal(s->r.flags, VGR_F_INSIDE | VGR_F_AT_FOLD);
	assert_int_equal(s->n_before, 3);
	assert_int_equal(s->n_after, 2);
	assert_int_equal(vgr_sync_order(s)[0], 41);
	irq = vgr_sync_after(s);
	assert_int_equal(irq[0].intid, 40);
	assert_int_equal(irq[0].state, VGR_IRQ_ENABLED | VGR_IRQ_GROUP1);
	assert_int_equal(irq[0].vcpu, VGR_NO_VCPU);
	assert_int_equal(irq[1].state, VGR_IRQ_LATCH | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1);
	assert_int_equal(vgr_events_totals(t.e)->gone, 0);
	close_trace(&t);
}

static void test_long_list(void **state)
{
	static struct trace t;
	const struct vgr_flush *f;

	read_trace(&t, false, TRACE_SAMPLE_LONG_LIST);
	/* Five: two from the head, one from the tail, and those between are not seen. */
	f = nth(&t, VGR_FLUSH, 1);
	assert_true(f->r.flags & VGR_F_CUT);
	assert_int_equal(f->n_before, 2);
	assert_int_equal(f->total_before, 4);
	assert_true(vgr_events_totals(t.e)->cut > 0);
	/* Where they are all seen, it is not cut. */
	assert_false(((const struct vgr_flush *)nth(&t, VGR_FLUSH, 0))->r.flags & VGR_F_CUT);
	close_trace(&t);
}

static void test_without_facts(void **state)
{
	static struct trace t;
	struct vgr_events_opts opts = {.sink = take, .ctx = &t};

	read_trace(&t, false, TRACE_SAMPLE_NO_LOAD);
	assert_int_equal(count(&t, VGR_FLUSH), 0);
	assert_int_equal(vgr_events_totals(t.e)->too_early, 6);
	assert_null(vgr_events_facts(t.e));
	close_trace(&t);

	/* A first reading finds them, a second one has them from the beginning; so do options. */
	open_trace(&t, true, 0);
	opts.sink = NULL;
	assert_int_equal(vgr_events_create(&t.e, t.tep, &opts), 0);
	assert_int_equal(put_all(&t, 0), 0);
	assert_int_equal(t.n, 0);
	vgr_events_again(t.e, take, &t);
	assert_int_equal(put_all(&t, 0), 0);
	assert_int_equal(t.n, 18);
	close_trace(&t);
}

static void test_missed(void **state)
{
	static struct trace t;
	struct vgr_events_opts opts = {.sink = take, .ctx = &t};
	const struct vgr_loss *loss;

	open_trace(&t, false, 0);
	assert_int_equal(vgr_events_create(&t.e, t.tep, &opts), 0);
	/* Between begin and end of the second flush: it is not made of halves. */
	assert_int_equal(put_all(&t, 13), 0);
	loss = nth(&t, VGR_LOSS, 0);
	assert_int_equal(loss->count, 5);
	assert_int_equal(loss->first_seq, 11);
	assert_int_equal(count(&t, VGR_FLUSH), 2);
	assert_int_equal(vgr_events_totals(t.e)->lost, 5);
	close_trace(&t);
}

static void test_tracepoints_alone(void **state)
{
	static struct trace t;
	struct vgr_probe probes[VGR_EV_END];
	struct vgr_header h;
	const struct vgr_exit *x;
	const struct vgr_inject *i;

	read_trace(&t, false, TRACE_SAMPLE_KVM_ONLY);
	assert_int_equal(count(&t, VGR_ENTRY), 3);
	assert_int_equal(count(&t, VGR_EXIT), 3);
	x = nth(&t, VGR_EXIT, 0);
	assert_int_equal(x->r.vm, VGR_NO_VM);
	assert_int_equal(x->r.vcpu, VGR_NO_VCPU);
	assert_int_equal(x->r.tid, 77);
	i = nth(&t, VGR_INJECT, 0);
	assert_int_equal(i->intid, 40);
	assert_int_equal(i->path, VGR_PATH_UNKNOWN);
	vgr_header_init(&h);
	vgr_events_describe(t.e, &h, probes);
	assert_true(vgr_lacks(&h, "flush") && vgr_lacks(&h, "vcpu") && vgr_lacks(&h, "path"));
	assert_false(vgr_lacks(&h, "exit") || vgr_lacks(&h, "inject"));
	assert_int_equal(h.nr_lr, 0);
	close_trace(&t);
}

/* What changes nothing is dropped by KVM, and by us as soon as we know what it is. */
static void test_lines(void **state)
{
	static const struct {
		uint32_t intid;
		bool level;
	} expected[] = {{40, true}, {40, true}, {41, true}, {41, false}};
	static struct trace t;
	unsigned int i;

	read_trace(&t, true, TRACE_SAMPLE_LINES);
	assert_int_equal(count(&t, VGR_MMIO), 1);
	assert_int_equal(count(&t, VGR_INJECT), 4);
	for (i = 0; i < 4; i++) {
		const struct vgr_inject *r = nth(&t, VGR_INJECT, i);

		assert_int_equal(r->intid, expected[i].intid);
		assert_int_equal(r->level, expected[i].level);
		assert_int_equal(r->path, VGR_PATH_IOCTL);
	}
	close_trace(&t);
}

static void test_header(void **state)
{
	static struct trace t;
	struct vgr_probe probes[VGR_EV_END];
	struct vgr_header h;

	read_trace(&t, true, 0);
	vgr_header_init(&h);
	vgr_events_describe(t.e, &h, probes);
	assert_int_equal(h.nr_lr, 4);
	assert_int_equal(h.gic_host, 3);
	assert_int_equal(h.pri_bits, 5);
	assert_int_equal(h.tdir, VGR_YES);
	assert_string_equal(h.kvm_mode, "VHE");
	assert_true(vgr_lacks(&h, "boundary") && vgr_lacks(&h, "sgi"));
	assert_false(vgr_lacks(&h, "flush") || vgr_lacks(&h, "sync") || vgr_lacks(&h, "vcpu"));
	/* A part of a word is none. */
	assert_false(vgr_lacks(&h, "bound"));
	close_trace(&t);
}

static bool nobody(void *ctx, uint32_t tgid)
{
	assert_int_equal(tgid, 76);
	return false;
}

static void test_not_wanted(void **state)
{
	static struct trace t;
	struct vgr_events_opts opts = {.sink = take, .ctx = &t, .wanted = nobody};

	open_trace(&t, false, 0);
	assert_int_equal(vgr_events_create(&t.e, t.tep, &opts), 0);
	assert_int_equal(put_all(&t, 0), 0);
	assert_int_equal(t.n, 0);
	close_trace(&t);
}

/* An event whose end is missing, one of a CPU that cannot be, time that goes back. */
static void test_nonsense(void **state)
{
	static struct trace t;
	struct vgr_events_opts opts = {.sink = take, .ctx = &t};
	struct tep_record rec = {.ts = 1};
	uint32_t len;

	open_trace(&t, false, 0);
	assert_int_equal(vgr_events_create(&t.e, t.tep, &opts), 0);
	memcpy(&len, t.sample.records, 4);
	/* The second one is the load. */
	rec.data = t.sample.records + 12 + len + 12;
	rec.size = 20;
	assert_int_equal(vgr_events_put(t.e, &rec), 0);
	assert_int_equal(vgr_events_totals(t.e)->malformed, 1);
	assert_null(vgr_events_facts(t.e));
	rec.size = 0;
	assert_int_equal(vgr_events_put(t.e, &rec), 0);
	rec.cpu = VGR_MAX_TABLE;
	assert_int_equal(vgr_events_put(t.e, &rec), -E2BIG);
	assert_int_equal(put_all(&t, 0), 0);
	assert_int_equal(t.n - count(&t, VGR_LOSS), 18);
	/* What is left out is marked. */
	assert_int_equal(count(&t, VGR_LOSS), 1);
	assert_int_equal(vgr_events_totals(t.e)->lost, 0);
	/* Once more: all but the last one are older than what was there. */
	assert_int_equal(put_all(&t, 0), 0);
	assert_int_equal(t.n - count(&t, VGR_LOSS), 18);
	assert_int_equal(count(&t, VGR_LOSS), vgr_events_totals(t.e)->malformed);
	close_trace(&t);
}

static void test_facts(void **state)
{
	static struct trace t;
	struct vgr_event_facts good, f;
	size_t i;

	read_trace(&t, false, 0);
	good = *vgr_events_facts(t.e);
	assert_int_equal(vgr_event_facts_check(&good), 0);
	memset(&f, 0, sizeof(f));
	for (i = 0; i < vgr_nr_event_facts; i++)
		vgr_event_fact_set(&f, i, vgr_event_fact_get(&good, i));
	assert_memory_equal(&f, &good, sizeof(f));
	f.irq_size = 136;
	assert_int_equal(vgr_event_facts_check(&f), -EPROTO);
	f = good;
	f.ops = 90;
	assert_int_equal(vgr_event_facts_check(&f), -EPROTO);
	f = good;
	f.line.bit = 96 * 8;
	assert_int_equal(vgr_event_facts_check(&f), -EPROTO);
	f = good;
	f.nr_lr = 17;
	assert_int_equal(vgr_event_facts_check(&f), -EPROTO);
	close_trace(&t);
}

static void test_no_memory(void **state)
{
	static struct trace t;
	struct vgr_events_opts opts = {.sink = take, .ctx = &t};
	size_t k;
	int err;

	open_trace(&t, false, 0);
	for (k = 1;; k++) {
		t.n = t.used = 0;
		t.e = NULL;
		allocations = 0;
		fail_at = k;
		err = vgr_events_create(&t.e, t.tep, &opts);
		if (!err)
			err = put_all(&t, 0);
		fail_at = 0;
		vgr_events_destroy(t.e);
		if (allocations < k)
			break;
		assert_int_equal(err, -ENOMEM);
	}
	assert_int_equal(err, 0);
	assert_true(k > 6);
	t.e = NULL;
	close_trace(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_order), cmocka_unit_test(test_flush_and_sync),
		cmocka_unit_test(test_long_list),  cmocka_unit_test(test_without_facts),
		cmocka_unit_test(test_missed),	   cmocka_unit_test(test_tracepoints_alone),
		cmocka_unit_test(test_lines),	   cmocka_unit_test(test_header),
		cmocka_unit_test(test_not_wanted), cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_facts),	   cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
