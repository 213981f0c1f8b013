// SPDX-License-Identifier: GPL-2.0-only
/* Recordings: what is written comes back; what is broken is refused and named. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include "format.h"
#include "header.h"
#include "sample.h"

static char path[64];

static int make_path(void **state)
{
	return sample_temp(path, sizeof(path));
}

static int remove_path(void **state)
{
	return unlink(path);
}

/* All records of a file as one block of memory. */
struct block {
	unsigned char *data;
	size_t size;
	uint64_t records;
};

static int read_all(struct vgr_reader *r, struct block *b)
{
	const struct vgr_rec *rec;
	int err;

	memset(b, 0, sizeof(*b));
	while ((err = vgr_reader_next(r, &rec)) > 0) {
		b->data = realloc(b->data, b->size + rec->size);
		memcpy(b->data + b->size, rec, rec->size);
		b->size += rec->size;
		b->records++;
	}
	return err;
}

static void make_sample(unsigned int runs, struct block *b, unsigned char **file, size_t *size)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096, .level = 1};
	struct vgr_reader *r;

	assert_int_equal(sample_file(path, runs, &opts), 0);
	*file = sample_load(path, size);
	assert_non_null(*file);
	assert_int_equal(vgr_reader_open_memory(&r, *file, *size, NULL, NULL), 0);
	assert_int_equal(read_all(r, b), 0);
	assert_int_equal(vgr_reader_ending(r), VGR_END_WHOLE);
	vgr_reader_close(r);
}

static void round_trip(void **state)
{
	const struct vgr_header *h;
	struct vgr_header want;
	const struct vgr_rec *rec;
	struct vgr_position pos;
	struct vgr_reader *r;
	struct block a, b;
	uint64_t identity;

	assert_int_equal(sample_file(path, 100, NULL), 0);
	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	h = vgr_reader_header(r);
	sample_header(&want);
	assert_string_equal(h->kernel_release, want.kernel_release);
	assert_string_equal(h->command, want.command);
	assert_string_equal(h->policy, want.policy);
	assert_int_equal(h->midr, want.midr);
	assert_int_equal(h->vtr, want.vtr);
	assert_int_equal(h->nr_lr, 4);
	assert_int_equal(h->tdir, VGR_YES);
	assert_int_equal(h->nested, VGR_NO);
	assert_int_equal(h->start_realtime, want.start_realtime);
	assert_int_equal(h->nr_probes, 3);
	assert_string_equal(h->probes[2].name, "vgic_v3_deactivate");
	assert_string_equal(h->probes[2].method, "none");
	assert_true(h->probes[0].essential);
	assert_false(h->probes[2].essential);
	assert_false(h->unfinished);
	assert_true(h->has_totals);
	assert_int_equal(h->totals.guest_status, 0);
	assert_string_equal(h->totals.stop, "guest exited");
	/* 2 introductions, 34 injections, 100 runs of 4 records */
	assert_int_equal(h->totals.records, 436);
	assert_int_equal(h->totals.by_type[VGR_FLUSH], 100);
	assert_int_equal(h->totals.by_type[VGR_INJECT], 34);
	assert_int_equal(h->totals.nr_cpus, 3);
	assert_int_equal(h->totals.cpus[2].records, 34);
	assert_int_equal(h->totals.nr_vms, 1);
	assert_int_equal(h->totals.vms[0].nr_vcpus, 2);
	assert_int_equal(h->totals.vms[0].nr_spis, 64);
	assert_string_equal(h->totals.vms[0].comm, "guest");
	assert_int_equal(h->totals.nr_vcpus, 2);
	assert_int_equal(h->totals.vcpus[1].vcpu_id, 1);

	assert_int_equal(vgr_reader_next(r, &rec), 1);
	assert_int_equal(rec->type, VGR_VCPU);
	vgr_reader_position(r, &pos);
	assert_int_equal(pos.record, 1);
	assert_int_equal(pos.frame, 0);
	assert_int_equal(vgr_reader_rewind(r), 0);
	assert_int_equal(read_all(r, &a), 0);
	assert_int_equal(a.records, h->totals.records);
	assert_int_equal(a.size, h->totals.raw_bytes);
	assert_int_equal(vgr_reader_ending(r), VGR_END_WHOLE);
	vgr_reader_position(r, &pos);
	assert_int_equal(pos.record, 436);
	identity = vgr_reader_identity(r);
	/* What is given back at the end is there again. */
	vgr_reader_rest(r);
	assert_int_equal(vgr_reader_next(r, &rec), 0);
	assert_int_equal(vgr_reader_identity(r), identity);
	assert_int_equal(vgr_reader_rewind(r), 0);
	assert_int_equal(read_all(r, &b), 0);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.data, b.data, a.size);
	assert_int_equal(vgr_reader_identity(r), identity);
	vgr_reader_close(r);
	free(a.data);
	free(b.data);
}

/* Levels and frame sizes change the file, never the records. */
struct told {
	unsigned int calls;
	uint64_t done, size;
};

static void listen(void *ctx, uint64_t done, uint64_t size)
{
	struct told *t = ctx;

	assert_true(done >= t->done && done <= size);
	assert_true(!t->size || size == t->size);
	t->calls++;
	t->done = done;
	t->size = size;
}

/* Upwards, frame by frame, to the end of the file; by however many threads. */
static void tells_how_far(void **state)
{
	const struct vgr_writer_opts small = {.frame_bytes = 4096};
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	unsigned char *file;
	size_t size;

	assert_int_equal(sample_file(path, 100, &small), 0);
	file = sample_load(path, &size);
	assert_non_null(file);
	for (unsigned int threads = 1; threads <= 4; threads += 3) {
		struct told t = {0};
		const struct vgr_reader_opts opts = {
			.threads = threads, .progress = listen, .progress_ctx = &t};

		assert_int_equal(vgr_reader_open_memory(&r, file, size, &opts, NULL), 0);
		while (vgr_reader_next(r, &rec) > 0)
			assert_true(t.calls && t.done < size);
		assert_true(t.calls > 5);
		assert_int_equal(t.done, size);
		assert_int_equal(t.size, size);
		vgr_reader_close(r);
	}
	free(file);
}

static void same_records_in_any_shape(void **state)
{
	const struct vgr_writer_opts shapes[] = {
		{.level = 1, .frame_bytes = 4096},
		{.level = 19, .frame_bytes = 1 << 20},
		{.level = 3, .frame_bytes = 8 << 20},
	};
	struct block first = {0}, b;
	struct vgr_reader *r;
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(sample_file(path, 200, &shapes[i]), 0);
		assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
		assert_int_equal(read_all(r, &b), 0);
		vgr_reader_close(r);
		if (!i) {
			first = b;
			continue;
		}
		assert_int_equal(b.size, first.size);
		assert_memory_equal(b.data, first.data, b.size);
		free(b.data);
	}
	free(first.data);
}

static void bad_options(void **state)
{
	const struct vgr_writer_opts bad[] = {
		{.level = -1},
		{.level = 23},
		{.frame_bytes = 4095},
		{.frame_bytes = VGR_MAX_FRAME + 1},
	};
	struct vgr_writer *w;
	struct vgr_header h;
	size_t i;

	sample_header(&h);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vgr_writer_create(&w, path, &h, &bad[i]), -EINVAL);
	h.nr_lr = 17;
	assert_int_equal(vgr_writer_create(&w, path, &h, NULL), -EINVAL);
	h.nr_lr = 4;
	assert_int_equal(vgr_writer_create(&w, "/nonexistent/x.vgr", &h, NULL), -ENOENT);
	assert_null(w);
	vgr_writer_destroy(NULL);
	vgr_reader_close(NULL);
}

/* The GIC of the host bounds the list registers of the header and of every record. */
static void list_registers_of_the_host(void **state)
{
	static const struct {
		uint8_t gic, header;
		uint16_t record;
		int create, put;
	} cases[] = {
		{2, 4, 64, 0, 0},  {2, 64, 64, 0, 0},	   {2, 65, 4, -EINVAL, 0},
		{3, 16, 16, 0, 0}, {3, 17, 4, -EINVAL, 0}, {3, 4, 17, 0, -EINVAL},
		{0, 0, 16, 0, 0},  {0, 17, 4, -EINVAL, 0}, {5, 4, 17, 0, -EINVAL},
	};
	union {
		struct vgr_rec r;
		struct vgr_flush flush;
		struct vgr_sync sync;
		char room[2048];
	} u;
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct vgr_writer *w;
	struct vgr_header h;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_header(&h);
		h.gic_host = cases[i].gic;
		h.nr_lr = cases[i].header;
		assert_int_equal(vgr_writer_create(&w, path, &h, NULL), cases[i].create);
		if (cases[i].create)
			continue;
		memset(&u, 0, sizeof(u));
		u.r.type = VGR_FLUSH;
		u.r.size = vgr_flush_size(0, 0, cases[i].record);
		u.flush.nr_lr = cases[i].record;
		assert_int_equal(vgr_writer_put(w, &u.r), cases[i].put);
		memset(&u, 0, sizeof(u));
		u.r.type = VGR_SYNC;
		u.r.size = vgr_sync_size(0, cases[i].record, 0);
		u.sync.used_lrs = cases[i].record;
		assert_int_equal(vgr_writer_put(w, &u.r), cases[i].put);
		assert_int_equal(vgr_writer_finish(w, NULL), 0);
		vgr_writer_destroy(w);
		assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
		assert_int_equal(vgr_reader_header(r)->nr_lr, cases[i].header);
		if (!cases[i].put) {
			assert_int_equal(vgr_reader_next(r, &rec), 1);
			assert_int_equal(((const struct vgr_flush *)rec)->nr_lr, cases[i].record);
			assert_int_equal(vgr_reader_next(r, &rec), 1);
		}
		assert_int_equal(vgr_reader_next(r, &rec), 0);
		vgr_reader_close(r);
	}
}

/* The writer refuses to make such a file, so this is what somebody else would have put there. */
static void forged_list_registers(void **state)
{
	static const struct {
		uint8_t gic, nr_lr;
		int want;
	} cases[] = {{3, 16, 0}, {3, 17, -EPROTO}, {2, 64, 0}, {2, 65, -EPROTO}, {0, 17, -EPROTO}};
	struct vgr_header h, back;
	const char *why;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_header(&h);
		h.gic_host = cases[i].gic;
		h.nr_lr = cases[i].nr_lr;
		text = header_encode(&h);
		assert_non_null(text);
		vgr_header_init(&back);
		why = NULL;
		assert_int_equal(header_decode(&back, text, strlen(text), &why), cases[i].want);
		assert_int_equal(why != NULL, cases[i].want != 0);
		header_release(&back);
		free(text);
	}
}

static void empty_recording(void **state)
{
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct vgr_writer *w;
	struct vgr_header h;

	vgr_header_init(&h);
	assert_int_equal(vgr_writer_create(&w, path, &h, NULL), 0);
	assert_int_equal(vgr_writer_finish(w, NULL), 0);
	assert_int_equal(vgr_writer_finish(w, NULL), -EINVAL);
	vgr_writer_destroy(w);
	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	assert_int_equal(vgr_reader_next(r, &rec), 0);
	assert_null(rec);
	assert_int_equal(vgr_reader_ending(r), VGR_END_WHOLE);
	assert_int_equal(vgr_reader_header(r)->totals.records, 0);
	assert_int_equal(vgr_reader_header(r)->totals.guest_status, -1);
	vgr_reader_close(r);
}

/* Names from a running system may hold anything; a terminal must not see it. */
static void hostile_names(void **state)
{
	const struct vgr_header *got;
	struct vgr_reader *r;
	struct vgr_writer *w;
	struct vgr_header h;

	vgr_header_init(&h);
	strcpy(h.guest_command, "a\x1b[31m\n\xff\xfe\"\\");
	memset(h.command, 'x', sizeof(h.command));
	assert_int_equal(vgr_writer_create(&w, path, &h, NULL), 0);
	assert_int_equal(vgr_writer_finish(w, NULL), 0);
	vgr_writer_destroy(w);
	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	got = vgr_reader_header(r);
	assert_string_equal(got->guest_command, "a?[31m???\"\\");
	assert_int_equal(strlen(got->command), sizeof(h.command) - 1);
	vgr_reader_close(r);
}

/* A writer that dies leaves what it had put, marked. */
static void unfinished(void **state)
{
	struct vgr_reader *r;
	struct vgr_writer *w;
	struct vgr_header h;
	struct sample s;
	struct block b;

	sample_header(&h);
	assert_int_equal(vgr_writer_create(&w, path, &h, NULL), 0);
	sample_init(&s, w);
	sample_write_runs(&s, 30);
	assert_int_equal(s.error, 0);
	assert_int_equal(vgr_writer_flush(w), 0);
	/* Read while the writer still holds it. */
	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	assert_true(vgr_reader_header(r)->unfinished);
	assert_false(vgr_reader_header(r)->has_totals);
	assert_int_equal(read_all(r, &b), 0);
	assert_int_equal(b.records, 2 + 10 + 120);
	assert_int_equal(vgr_reader_ending(r), VGR_END_UNFINISHED);
	vgr_reader_close(r);
	free(b.data);
	vgr_writer_destroy(w);
}

static void refuses_unsound_records(void **state)
{
	union {
		struct vgr_rec r;
		struct vgr_flush flush;
		struct vgr_sync sync;
		struct vgr_entry entry;
		unsigned char bytes[4096];
	} u;
	const struct {
		uint16_t type;
		uint32_t size;
		uint16_t n_before, n_after, total_before, total_after, used, nr, flags;
		int want;
	} cases[] = {
		{0, 32, 0, 0, 0, 0, 0, 0, 0, -EPROTO},
		{VGR_TYPE_MAX, 32, 0, 0, 0, 0, 0, 0, 0, -EPROTO},
		{VGR_ENTRY, 40, 0, 0, 0, 0, 0, 0, 0, 0},
		{VGR_ENTRY, 32, 0, 0, 0, 0, 0, 0, 0, -EPROTO},
		{VGR_ENTRY, 48, 0, 0, 0, 0, 0, 0, 0, -EPROTO},
		{VGR_ENTRY, 41, 0, 0, 0, 0, 0, 0, 0, -EPROTO},
		{VGR_FLUSH, 72, 0, 0, 0, 0, 0, 0, 0, 0},
		{VGR_FLUSH, 72 + 16 * 3 + 32, 1, 2, 1, 2, 2, 4, 0, 0},
		{VGR_FLUSH, 72 + 16 * 3 + 32, 1, 2, 1, 2, 5, 4, 0, -EPROTO},
		{VGR_FLUSH, 72 + 16 * 3 + 24, 1, 2, 1, 2, 2, 4, 0, -EPROTO},
		{VGR_FLUSH, 72 + 8 * 64, 0, 0, 0, 0, 0, 64, 0, 0},
		{VGR_FLUSH, 72 + 8 * 65, 0, 0, 0, 0, 0, 65, 0, -EPROTO},
		{VGR_FLUSH, 72 + 16 * 3, 1, 2, 1, 3, 0, 0, 0, -EPROTO},
		{VGR_FLUSH, 72 + 16 * 3, 1, 2, 1, 3, 0, 0, VGR_F_CUT, 0},
		{VGR_FLUSH, 72 + 16 * 3, 1, 2, 1, 1, 0, 0, VGR_F_CUT, -EPROTO},
		{VGR_SYNC, 80, 0, 0, 0, 0, 0, 0, 0, 0},
		{VGR_SYNC, 80 + 32 * 2 + 8 * 2 + 8, 2, 1, 2, 1, 2, 0, 0, 0},
		{VGR_SYNC, 80 + 32 * 2 + 8 * 2 + 16, 2, 1, 2, 1, 2, 0, 0, -EPROTO},
		{VGR_SYNC, 80 + 8 * 64, 0, 0, 0, 0, 64, 0, 0, 0},
		{VGR_SYNC, 80 + 8 * 65, 0, 0, 0, 0, 65, 0, 0, -EPROTO},
		{VGR_SYNC, 80 + 32 * 2, 2, 0, 1, 0, 0, 0, 0, -EPROTO},
	};
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&u, 0, sizeof(u));
		u.r.type = cases[i].type;
		u.r.size = cases[i].size;
		u.r.flags = cases[i].flags;
		if (cases[i].type == VGR_FLUSH) {
			u.flush.n_before = cases[i].n_before;
			u.flush.n_after = cases[i].n_after;
			u.flush.total_before = cases[i].total_before;
			u.flush.total_after = cases[i].total_after;
			u.flush.used_lrs = cases[i].used;
			u.flush.nr_lr = cases[i].nr;
		} else if (cases[i].type == VGR_SYNC) {
			u.sync.n_before = cases[i].n_before;
			u.sync.n_after = cases[i].n_after;
			u.sync.total_before = cases[i].total_before;
			u.sync.total_after = cases[i].total_after;
			u.sync.used_lrs = cases[i].used;
		}
		why = NULL;
		assert_int_equal(vgr_rec_validate(&u.r, sizeof(u), &why), cases[i].want);
		assert_int_equal(why != NULL, cases[i].want != 0);
		if (!cases[i].want)
			assert_int_equal(vgr_rec_validate(&u.r, u.r.size - 1, &why), -EPROTO);
	}
}

/* Whatever is cut off, what comes out is a beginning of what was put in. */
static void cut_anywhere(void **state)
{
	struct vgr_error error;
	struct vgr_reader *r;
	struct block all, b;
	unsigned char *file;
	size_t size, cut;
	unsigned int opened = 0, some = 0;
	int err;

	make_sample(60, &all, &file, &size);
	for (cut = 0; cut < size; cut++) {
		err = vgr_reader_open_memory(&r, file, cut, NULL, &error);
		if (err) {
			assert_int_equal(err, cut < FORMAT_MAGIC_LEN ? VGR_ENOTREC : VGR_ESHORT);
			assert_int_equal(error.code, err);
			assert_true(error.what[0] != '\0');
			continue;
		}
		opened++;
		err = read_all(r, &b);
		assert_int_equal(err, 0);
		assert_int_equal(vgr_reader_ending(r), VGR_END_CUT);
		assert_true(b.size <= all.size);
		if (b.size) {
			assert_memory_equal(b.data, all.data, b.size);
			some++;
		}
		vgr_reader_close(r);
		free(b.data);
	}
	/* The loop above must have seen both kinds. */
	assert_true(opened > some && some > 0);
	free(all.data);
	free(file);
}

/* A flipped bit is noticed, and nothing that was not written comes out before. */
static void flip_anywhere(void **state)
{
	struct vgr_reader *r;
	struct block all, b;
	unsigned char *file;
	size_t size, at;
	int bit, err;

	make_sample(20, &all, &file, &size);
	/* Every bit of the head and the first frame, one bit of every byte behind. */
	for (at = 0; at < size; at++) {
		for (bit = at < 128 ? 0 : (int)(at % 8); bit < 8; bit += at < 128 ? 1 : 8) {
			file[at] ^= 1u << bit;
			err = vgr_reader_open_memory(&r, file, size, NULL, NULL);
			if (at < FORMAT_MAGIC_LEN)
				assert_int_equal(err, VGR_ENOTREC);
			if (!err) {
				err = read_all(r, &b);
				assert_true(b.size <= all.size);
				if (b.size)
					assert_memory_equal(b.data, all.data, b.size);
				free(b.data);
				vgr_reader_close(r);
			}
			assert_true(err == VGR_EDAMAGED || err == VGR_EFORGED ||
				    err == VGR_ENOTREC);
			file[at] ^= 1u << bit;
		}
	}
	free(all.data);
	free(file);
}

/* With skip_damaged a damaged frame costs that frame only. */
static void skips_damage(void **state)
{
	const struct vgr_reader_opts opts = {.skip_damaged = true};
	struct format_frame f;
	struct vgr_reader *r;
	struct block all, b;
	unsigned char *file;
	size_t size, at, damaged = 0;
	uint64_t lost = 0;
	int err, place;

	/* place 0: header of the frame; 1: its payload */
	for (place = 0; place < 2; place++) {
		make_sample(200, &all, &file, &size);
		at = sizeof(struct format_head);
		for (damaged = 0; !damaged; at += sizeof(f) + f.stored_size) {
			memcpy(&f, file + at, sizeof(f));
			if (f.kind == FORMAT_DATA && f.first_record > 1)
				damaged = at;
		}
		lost = f.records;
		file[damaged + (place ? sizeof(f) + 5 : 20)] ^= 4;
		assert_int_equal(vgr_reader_open_memory(&r, file, size, NULL, NULL), 0);
		assert_int_equal(read_all(r, &b), VGR_EDAMAGED);
		assert_int_equal(vgr_reader_error(r)->offset, damaged);
		free(b.data);
		vgr_reader_close(r);

		assert_int_equal(vgr_reader_open_memory(&r, file, size, &opts, NULL), 0);
		err = read_all(r, &b);
		assert_int_equal(err, 0);
		assert_int_equal(vgr_reader_damaged(r), 1);
		assert_int_equal(vgr_reader_ending(r), VGR_END_WHOLE);
		assert_int_equal(b.records, all.records - lost);
		free(b.data);
		vgr_reader_close(r);
		free(all.data);
		free(file);
	}
}

/* Frames stand at any address: they are copied out, changed, hashed and copied back. */
static void put_head(unsigned char *file, struct format_head *h)
{
	h->hash = XXH64(h, offsetof(struct format_head, hash), 0);
	memcpy(file, h, sizeof(*h));
}

static void put_frame(unsigned char *file, size_t at, struct format_frame *f)
{
	f->hash = XXH64(f, offsetof(struct format_frame, hash), 0);
	memcpy(file + at, f, sizeof(*f));
}

static int open_and_read(const unsigned char *file, size_t size, struct vgr_error *error)
{
	struct vgr_reader *r;
	struct block b;
	int err;

	memset(error, 0, sizeof(*error));
	err = vgr_reader_open_memory(&r, file, size, NULL, error);
	if (err)
		return err;
	err = read_all(r, &b);
	*error = *vgr_reader_error(r);
	free(b.data);
	vgr_reader_close(r);
	return err;
}

static void other_files(void **state)
{
	static const char text[] =
		"#!/bin/sh\necho this is no recording, but long enough for one\n";
	struct format_head head;
	struct vgr_error error;
	struct vgr_reader *r;
	unsigned char *file;
	struct block all;
	size_t size;

	assert_int_equal(open_and_read(NULL, 0, &error), VGR_ENOTREC);
	assert_int_equal(open_and_read((const unsigned char *)text, sizeof(text), &error),
			 VGR_ENOTREC);
	assert_int_equal(vgr_reader_open(&r, "/nonexistent", NULL, &error), -ENOENT);
	assert_null(r);
	assert_int_equal(vgr_reader_open(&r, "/tmp", NULL, &error), -EISDIR);
	assert_int_equal(vgr_reader_open(&r, "/dev/null", NULL, &error), -ESPIPE);

	make_sample(5, &all, &file, &size);
	memcpy(&head, file, sizeof(head));
	file[offsetof(struct format_head, version)] = VGR_VERSION + 1;
	assert_int_equal(open_and_read(file, size, &error), VGR_EDAMAGED);
	head.version = VGR_VERSION + 1;
	put_head(file, &head);
	assert_int_equal(open_and_read(file, size, &error), VGR_EVERSION);
	assert_non_null(strstr(error.what, "version 2"));
	head.version = 0;
	put_head(file, &head);
	assert_int_equal(open_and_read(file, size, &error), VGR_EFORGED);
	head.version = VGR_VERSION;
	head.flags = 0x80;
	put_head(file, &head);
	assert_int_equal(open_and_read(file, size, &error), VGR_EFORGED);
	free(all.data);
	free(file);
}

/* Offset of the nth frame of a kind. */
static size_t frame_at(const unsigned char *file, uint16_t kind, unsigned int n)
{
	size_t at = sizeof(struct format_head);
	struct format_frame f;

	for (;; at += sizeof(f) + f.stored_size) {
		memcpy(&f, file + at, sizeof(f));
		if (f.kind == kind && !n--)
			return at;
	}
}

/* Lengths and counts that lie, with checksums that fit. */
static void forged_values(void **state)
{
	unsigned char *file, *copy;
	struct format_trailer t;
	struct format_head head;
	struct format_frame f;
	struct vgr_error error;
	struct block all;
	size_t size, at;
	int i, want;

	make_sample(60, &all, &file, &size);
	copy = malloc(size + 16);
	at = frame_at(file, FORMAT_DATA, 1);
	for (i = 0; i < 17; i++) {
		memcpy(copy, file, size);
		memcpy(&f, copy + at, sizeof(f));
		want = VGR_EFORGED;
		switch (i) {
		case 0:
			f.raw_size = 0xffffffffu;
			break;
		case 1:
			f.stored_size = 0xffffffffu;
			break;
		case 2:
			f.raw_size += 8;
			break;
		case 3:
			f.raw_size -= 8;
			break;
		case 4:
			f.records++;
			break;
		case 5:
			f.records--;
			break;
		case 6:
			f.records = 0xffffffffu;
			break;
		case 7:
			f.first_record++;
			break;
		case 8:
			f.first_record = 0;
			break;
		case 9:
			f.first_time++;
			break;
		case 10:
			f.last_time--;
			break;
		case 11:
			f.number++;
			break;
		case 12:
			f.number--;
			break;
		case 13:
			f.kind = FORMAT_DESCRIPTION;
			break;
		case 14:
			f.codec = 9;
			break;
		case 15:
			f.kind = 77;
			break;
		case 16: /* payload seems longer than the file: as good as cut */
			f.stored_size = (uint32_t)size;
			want = 0;
			break;
		}
		put_frame(copy, at, &f);
		if (open_and_read(copy, size, &error) != want)
			fail_msg("case %d: %d, %s", i, error.code, error.what);
	}
	/* Totals, index, trailer and head that contradict the stream. */
	memcpy(copy, file, size);
	memcpy(&t, copy + size - sizeof(t), sizeof(t));
	t.identity ^= 1;
	t.hash = XXH64(&t, offsetof(struct format_trailer, hash), 0);
	memcpy(copy + size - sizeof(t), &t, sizeof(t));
	assert_int_equal(open_and_read(copy, size, &error), VGR_EFORGED);
	memcpy(copy, file, size);
	memcpy(&head, copy, sizeof(head));
	head.totals_offset++;
	put_head(copy, &head);
	assert_int_equal(open_and_read(copy, size, &error), VGR_EFORGED);
	memcpy(copy, file, size);
	head.totals_offset--;
	head.identity++;
	put_head(copy, &head);
	assert_int_equal(open_and_read(copy, size, &error), VGR_EFORGED);
	memcpy(copy, file, size);
	memset(copy + size, 0, 16);
	assert_int_equal(open_and_read(copy, size + 16, &error), VGR_EFORGED);
	assert_int_equal(error.offset, size);
	free(copy);
	free(all.data);
	free(file);
}

/* A disk that fills up: an error, and a file that can be read up to it. */
static void full_disk(void **state)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096, .level = 1};
	struct rlimit old, limit;
	struct vgr_writer_kept kept;
	struct vgr_reader *r;
	struct vgr_writer *w;
	struct vgr_header h;
	struct sample s;
	struct block b;
	struct stat st;

	sample_header(&h);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 5000;
	assert_int_equal(vgr_writer_create(&w, path, &h, &opts), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	sample_init(&s, w);
	sample_write_runs(&s, 2000);
	assert_int_equal(s.error, -EFBIG);
	assert_int_equal(vgr_writer_finish(w, NULL), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	vgr_writer_kept(w, &kept);
	vgr_writer_destroy(w);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, kept.bytes);
	assert_true(kept.records > 0 && kept.frames > 1);
	assert_int_equal(vgr_reader_open(&r, path, NULL, NULL), 0);
	assert_int_equal(read_all(r, &b), 0);
	assert_int_equal(b.records, kept.records);
	assert_int_equal(vgr_reader_ending(r), VGR_END_UNFINISHED);
	vgr_reader_close(r);
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(tells_how_far),
		cmocka_unit_test(same_records_in_any_shape),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(list_registers_of_the_host),
		cmocka_unit_test(forged_list_registers),
		cmocka_unit_test(empty_recording),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(unfinished),
		cmocka_unit_test(refuses_unsound_records),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flip_anywhere),
		cmocka_unit_test(skips_damage),
		cmocka_unit_test(other_files),
		cmocka_unit_test(forged_values),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
