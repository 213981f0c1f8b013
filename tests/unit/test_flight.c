/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring of the last records, what is cut out of it, and the flight recorder around both. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <vgicsim/check.h>
#include <vgicsim/ring.h>

#include "condition.h"
#include "flight.h"
#include "sample.h"

static struct vgr_ring *ring;

static int begin(void **state)
{
	return vgr_ring_create(&ring, VGR_RING_MIN);
}

static int end(void **state)
{
	vgr_ring_destroy(ring);
	return 0;
}

static void put_plain(uint16_t type, uint64_t time, uint16_t cpu, uint16_t vm, uint16_t vcpu)
{
	struct vgr_plain p = {.r = {.type = type,
				    .size = sizeof(p),
				    .time = time,
				    .cpu = cpu,
				    .vm = vm,
				    .vcpu = vcpu}};

	assert_int_equal(vgr_ring_put(ring, &p.r), 0);
}

static void put_vcpu(uint64_t time, uint16_t cpu, uint16_t vm, uint16_t vcpu, uint16_t nr_spis)
{
	struct vgr_vcpu v = {.r = {.type = VGR_VCPU,
				   .size = sizeof(v),
				   .time = time,
				   .cpu = cpu,
				   .vm = vm,
				   .vcpu = vcpu},
			     .tgid = 100u + vm,
			     .nr_spis = nr_spis};

	assert_int_equal(vgr_ring_put(ring, &v.r), 0);
}

static const struct vgr_rec *next(void)
{
	const struct vgr_rec *rec;
	int ret = vgr_ring_next(ring, &rec);

	assert_true(ret >= 0);
	return ret ? rec : NULL;
}

static void the_oldest_make_room(void **state)
{
	const uint64_t fit = VGR_RING_MIN / sizeof(struct vgr_plain);

	assert_true(vgr_ring_oldest(ring) == UINT64_MAX);
	assert_int_equal(vgr_ring_cut(ring, 0), 0);
	assert_null(next());
	for (uint64_t t = 1; t <= 3 * fit; t++)
		put_plain(VGR_KICK, t, 0, VGR_NO_VM, 0);
	assert_int_equal(vgr_ring_oldest(ring), 2 * fit + 1);
	assert_int_equal(vgr_ring_dropped(ring), 2 * fit);
	assert_int_equal(vgr_ring_cut(ring, 0), 0);
	for (uint64_t t = 2 * fit + 1; t <= 3 * fit; t++) {
		const struct vgr_rec *rec = next();

		assert_int_equal(rec->time, t);
		assert_int_equal(rec->seq, t - 2 * fit);
	}
	assert_null(next());
}

/* Records of every size: the end of the memory is met in every way. */
static void no_record_is_torn(void **state)
{
	static uint64_t space[VGR_MAX_RECORD / 8];
	struct vgr_flush *f = (void *)space;
	uint32_t state_of = 1;
	uint64_t time = 0;

	for (int i = 0; i < 5000; i++) {
		unsigned int n = (state_of = state_of * 1664525u + 1013904223u) >> 23;
		const struct vgr_rec *rec;
		uint64_t first = 0, last = 0;

		memset(f, 0, sizeof(*f));
		f->n_before = f->total_before = (uint16_t)n;
		f->r = (struct vgr_rec){.type = VGR_FLUSH,
					.size = vgr_flush_size(n, 0, 0),
					.time = ++time,
					.vm = VGR_NO_VM};
		assert_int_equal(vgr_ring_put(ring, &f->r), 0);
		if (i % 100)
			continue;
		assert_int_equal(vgr_ring_cut(ring, 0), 0);
		while ((rec = next())) {
			assert_int_equal(rec->type, VGR_FLUSH);
			first = first ? first : rec->time;
			assert_true(!last || rec->time == last + 1);
			last = rec->time;
		}
		assert_int_equal(first, vgr_ring_oldest(ring));
		assert_int_equal(last, time);
	}
}

static void a_cut_introduces_its_vcpus_and_begins_with_flushes(void **state)
{
	static uint64_t space[32];
	struct vgr_flush *f = (void *)space;
	const struct vgr_rec *rec;

	/* VM 1 is silent in the cut; of VM 2 one vCPU is. What was learned later is not forgotten.
	 */
	put_vcpu(1, 0, 1, 0, 8);
	put_vcpu(2, 1, 2, 0, 32);
	put_vcpu(3, 1, 2, 0, 0);
	put_vcpu(4, 1, 2, 1, 32);
	put_plain(VGR_LOAD, 10, 3, 2, 0);
	put_plain(VGR_PUT, 11, 3, 2, 0);
	for (int i = 0; i < 2; i++) {
		struct vgr_entry e = {
			.r = {.type = VGR_ENTRY, .size = sizeof(e), .time = 12, .cpu = 3, .vm = 2}};

		f->r = (struct vgr_rec){.type = VGR_FLUSH,
					.size = vgr_flush_size(0, 0, 0),
					.time = 12,
					.cpu = 3,
					.vm = 2};
		assert_int_equal(vgr_ring_put(ring, i ? &f->r : &e.r), 0);
		if (i)
			assert_int_equal(vgr_ring_put(ring, &e.r), 0);
	}
	/* One that is new in the cut introduces itself there. */
	put_vcpu(13, 3, 4, 0, 32);
	assert_int_equal(vgr_ring_cut(ring, 11), 0);
	assert_int_equal(vgr_ring_cut(ring, 11), -EBUSY);
	for (unsigned int i = 0; i < 2; i++) {
		rec = next();
		assert_int_equal(rec->type, VGR_VCPU);
		assert_int_equal(rec->vm, 0);
		assert_int_equal(rec->vcpu, i);
		assert_int_equal(rec->time, 11);
		assert_int_equal(rec->cpu, 3);
		assert_int_equal(rec->seq, i + 1);
		assert_int_equal(((const struct vgr_vcpu *)rec)->tgid, 102);
		assert_int_equal(((const struct vgr_vcpu *)rec)->nr_spis, 32);
	}
	rec = next();
	assert_int_equal(rec->type, VGR_PUT);
	assert_int_equal(rec->seq, 3);
	rec = next();
	assert_int_equal(rec->type, VGR_FLUSH);
	rec = next();
	assert_int_equal(rec->type, VGR_ENTRY);
	rec = next();
	assert_int_equal(rec->type, VGR_VCPU);
	assert_int_equal(rec->vm, 1);
	assert_int_equal(rec->time, 13);
	assert_null(next());
}

static void losses_are_kept_and_numbered(void **state)
{
	struct vgr_loss loss = {.r = {.type = VGR_LOSS,
				      .size = sizeof(loss),
				      .time = 7,
				      .cpu = 1,
				      .vm = VGR_NO_VM,
				      .vcpu = VGR_NO_VCPU},
				.first_seq = 900,
				.count = 5};
	const struct vgr_rec *rec;

	put_plain(VGR_KICK, 5, 1, VGR_NO_VM, 0);
	put_plain(VGR_KICK, 6, 1, VGR_NO_VM, 0);
	assert_int_equal(vgr_ring_put(ring, &loss.r), 0);
	put_plain(VGR_KICK, 7, 1, VGR_NO_VM, 0);
	assert_int_equal(vgr_ring_cut(ring, 6), 0);
	assert_int_equal(next()->seq, 1);
	rec = next();
	assert_int_equal(rec->type, VGR_LOSS);
	assert_int_equal(((const struct vgr_loss *)rec)->first_seq, 2);
	assert_int_equal(((const struct vgr_loss *)rec)->count, 5);
	assert_int_equal(next()->seq, 7);
	assert_null(next());
}

static void what_is_being_written_stays(void **state)
{
	struct vgr_plain p = {.r = {.type = VGR_KICK, .size = sizeof(p), .vm = VGR_NO_VM}};
	uint64_t fit = VGR_RING_MIN / sizeof(p), t;

	for (t = 1; t <= fit; t++)
		put_plain(VGR_KICK, t, 0, VGR_NO_VM, 0);
	assert_int_equal(vgr_ring_cut(ring, 0), 0);
	p.r.time = t;
	assert_int_equal(vgr_ring_put(ring, &p.r), -ENOBUFS);
	assert_int_equal(next()->time, 1);
	assert_int_equal(vgr_ring_put(ring, &p.r), 0);
	assert_int_equal(vgr_ring_put(ring, &p.r), -ENOBUFS);
	for (t = 2; t <= fit; t++)
		assert_int_equal(next()->time, t);
	assert_null(next());
	assert_int_equal(vgr_ring_put(ring, &p.r), 0);
	assert_int_equal(vgr_ring_cut(ring, 0), 0);
	vgr_ring_end(ring);
	for (t = 0; t < 2 * fit; t++)
		assert_int_equal(vgr_ring_put(ring, &p.r), 0);
}

static void what_is_no_record_is_refused(void **state)
{
	struct vgr_plain p = {.r = {.type = VGR_KICK, .size = sizeof(p) + 8}};
	struct vgr_ring *r;

	assert_int_equal(vgr_ring_put(ring, &p.r), -EINVAL);
	p.r.size = 1u << 20;
	assert_int_equal(vgr_ring_put(ring, &p.r), -EINVAL);
	assert_int_equal(vgr_ring_create(&r, VGR_RING_MIN - 8), -EINVAL);
	vgr_ring_destroy(NULL);
}

/* ---- the flight recorder ---- */

static char dir[] = "/tmp/vgicsim-flight-XXXXXX";
static char sample[64], output[64];
static struct vgr_header header;
static struct vgic_condition condition;
static struct flight_opts opts;

static struct flight_file whole[256];
static size_t nr_whole;

static void keep_file(void *ctx, const struct flight_file *file)
{
	assert_true(nr_whole < 256);
	whole[nr_whole++] = *file;
}

/* Runs of 0 to 6 interrupts in turn on 4 LRs: the deepest overflow is 2, twice in 14 runs. */
static int fly_begin(void **state)
{
	struct condition_error err;

	if (!mkdtemp(dir))
		return -1;
	snprintf(sample, sizeof(sample), "%s/in.vgr", dir);
	snprintf(output, sizeof(output), "%s/out.vgr", dir);
	sample_header(&header);
	if (sample_file(sample, 1200, NULL))
		return -1;
	opts = (struct flight_opts){.condition = &condition,
				    .before = 100000,
				    .after = 200000,
				    .count = 1,
				    .memory = VGR_RING_MIN,
				    .output = output,
				    .header = &header,
				    .whole = keep_file};
	return condition_parse("overflow > 1", &condition, &err);
}

static int fly_end(void **state)
{
	char path[128];

	snprintf(path, sizeof(path), "rm -rf %s", dir);
	return system(path);
}

struct flown {
	uint64_t files, met, records, first, last;
	struct flight_file last_file;
	bool early; /* whole before the records ended */
};

static struct flown fly(uint64_t work_every)
{
	const struct vgr_rec *rec;
	struct flown flown = {0};
	struct vgr_reader *r;
	struct flight *f;
	uint64_t n = 0;

	nr_whole = 0;
	assert_int_equal(vgr_reader_open(&r, sample, NULL, NULL), 0);
	assert_int_equal(flight_create(&f, &opts), 0);
	while (vgr_reader_next(r, &rec) > 0) {
		int ret = flight_take(f, rec);

		assert_int_equal(ret, 0);
		if (work_every && ++n % work_every == 0)
			assert_int_equal(flight_work(f, 0), 0);
	}
	flown.early = nr_whole;
	assert_int_equal(flight_finish(f), 0);
	flown.files = flight_files(f);
	flown.met = flight_met(f);
	/* Of each somebody was told. */
	assert_int_equal(nr_whole, flown.files);
	if (nr_whole)
		flown.last_file = whole[nr_whole - 1];
	flight_destroy(f);
	vgr_reader_close(r);
	return flown;
}

static void is_sound(const char *path, uint64_t first, uint64_t last)
{
	struct vgr_check_result result;
	struct vgr_reader *r;

	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	assert_int_equal(vgr_check(r, NULL, NULL, &result), 0);
	assert_int_equal(result.total_findings, 0);
	assert_int_equal(result.ending, VGR_END_WHOLE);
	assert_true(vgr_reader_header(r)->totals.first_time >= first);
	assert_true(vgr_reader_header(r)->totals.last_time <= last);
	vgr_reader_close(r);
}

static void the_time_around_the_event(void **state)
{
	struct flown f = fly(1);
	uint64_t event = f.last_file.event.time;

	assert_int_equal(f.files, 1);
	assert_true(f.met > 1);
	assert_true(f.early);
	assert_string_equal(f.last_file.path, output);
	assert_int_equal(f.last_file.event.quantity, VGIC_FIGURE_OVERFLOW);
	assert_int_equal(f.last_file.event.value, 2);
	assert_in_range(f.last_file.before, 70000, 100000);
	assert_in_range(f.last_file.after, 150000, 200000);
	assert_false(f.last_file.cut);
	is_sound(output, event - 100000, event + 200000);
	unlink(output);
	/* However late it is written, it is the same. */
	f = fly(0);
	assert_in_range(f.last_file.after, 150000, 200000);
	is_sound(output, event - 100000, event + 200000);
	unlink(output);
}

static void several_are_numbered(void **state)
{
	char path[PATH_MAX];
	struct flown f;

	opts.count = 3;
	f = fly(1);
	assert_int_equal(f.files, 3);
	for (uint64_t n = 1; n <= 3; n++) {
		flight_path(path, sizeof(path), output, n);
		is_sound(path, 0, UINT64_MAX);
		unlink(path);
	}
	assert_int_equal(access(output, F_OK), -1);
	/* Nothing counts for a while after each. */
	opts.rearm = 1000000;
	f = fly(1);
	assert_int_equal(f.files, 3);
	opts.rearm = 1000000000;
	f = fly(1);
	assert_int_equal(f.files, 1);
	for (uint64_t n = 1; n <= 3; n++) {
		flight_path(path, sizeof(path), output, n);
		unlink(path);
	}
	/* Without an end: as many as there are. */
	opts.rearm = 0;
	opts.count = 0;
	f = fly(1);
	assert_in_range(f.files, 4, f.met);
	for (uint64_t n = 1; n <= f.files; n++) {
		flight_path(path, sizeof(path), output, n);
		is_sound(path, 0, UINT64_MAX);
		unlink(path);
	}
	opts.count = 1;
}

static void a_condition_that_is_not_met_writes_nothing(void **state)
{
	struct condition_error err;
	struct flown f;

	assert_int_equal(condition_parse("overflow > 2", &condition, &err), 0);
	f = fly(1);
	assert_int_equal(f.files, 0);
	assert_int_equal(f.met, 0);
	assert_int_equal(access(output, F_OK), -1);
	assert_int_equal(condition_parse("overflow > 1", &condition, &err), 0);
}

static void memory_that_is_too_small_is_told(void **state)
{
	struct flown f;

	/* Half of what led to the event is worth more than what came after it. */
	opts.before = opts.after = 1000000000;
	f = fly(1);
	assert_true(f.early);
	assert_true(f.last_file.cut);
	assert_in_range(f.last_file.before, 70000, 80000);
	assert_true(f.last_file.after > 0);
	is_sound(output, 0, UINT64_MAX);
	unlink(output);
	opts.before = 100000;
	opts.after = 200000;
}

static void a_file_that_cannot_be_made(void **state)
{
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct flight *f;
	int ret = 0;

	opts.output = "/nowhere/x.vgr";
	assert_int_equal(vgr_reader_open(&r, sample, NULL, NULL), 0);
	assert_int_equal(flight_create(&f, &opts), 0);
	while (!ret && vgr_reader_next(r, &rec) > 0)
		ret = flight_take(f, rec);
	assert_int_equal(ret, -ENOENT);
	assert_string_equal(flight_failed(f), "/nowhere/x.vgr");
	flight_destroy(f);
	vgr_reader_close(r);
	opts.output = output;
}

static void names(void **state)
{
	static const char *const pairs[][2] = {
		{"host.vgr", "host-7.vgr"}, {"host", "host-7"},
		{"a.b/host", "a.b/host-7"}, {"a.b/host.x.vgr", "a.b/host.x-7.vgr"},
		{"a/.vgr", "a/.vgr-7"},	    {".vgr", ".vgr-7"},
	};
	char path[64];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		flight_path(path, sizeof(path), pairs[i][0], 7);
		assert_string_equal(path, pairs[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest rings[] = {
		cmocka_unit_test_setup_teardown(the_oldest_make_room, begin, end),
		cmocka_unit_test_setup_teardown(no_record_is_torn, begin, end),
		cmocka_unit_test_setup_teardown(a_cut_introduces_its_vcpus_and_begins_with_flushes,
						begin, end),
		cmocka_unit_test_setup_teardown(losses_are_kept_and_numbered, begin, end),
		cmocka_unit_test_setup_teardown(what_is_being_written_stays, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_record_is_refused, begin, end),
	};
	const struct CMUnitTest flights[] = {
		cmocka_unit_test(the_time_around_the_event),
		cmocka_unit_test(several_are_numbered),
		cmocka_unit_test(a_condition_that_is_not_met_writes_nothing),
		cmocka_unit_test(memory_that_is_too_small_is_told),
		cmocka_unit_test(a_file_that_cannot_be_made),
		cmocka_unit_test(names),
	};
	int bad = cmocka_run_group_tests(rings, NULL, NULL);

	return bad + cmocka_run_group_tests(flights, fly_begin, fly_end);
}
