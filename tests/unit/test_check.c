// SPDX-License-Identifier: GPL-2.0-only
/* vgr_check: silent about what is right, and each rule speaks when it is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <vgicsim/check.h>
#include <vgicsim/cpuif.h>
#include <vgicsim/gich.h>
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

/* What to do with the nth record of a type before it is written into the copy. */
struct change {
	uint16_t type;
	unsigned int nth; /* from 1 */
	void (*make)(struct vgr_rec *rec);
	bool drop;
};

/* A sample, its records changed on the way into another file. */
static void write_on(uint8_t gic_host, void (*every)(struct vgr_rec *rec),
		     const struct change *change, unsigned int nr_cpus)
{
	struct vgr_header h;
	struct vgr_totals end = {.guest_status = -1};
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	struct vgr_writer *w;
	unsigned int n = 0;
	char *copy;
	char source[80];

	snprintf(source, sizeof(source), "%s.source", path);
	assert_int_equal(sample_file(source, 21, NULL), 0);
	assert_int_equal(vgr_reader_open(&r, source, NULL, NULL), 0);
	h = *vgr_reader_header(r);
	h.nr_cpus = nr_cpus;
	h.gic_host = gic_host;
	assert_int_equal(vgr_writer_create(&w, path, &h, NULL), 0);
	while (vgr_reader_next(r, &rec) > 0) {
		copy = malloc(rec->size);
		memcpy(copy, rec, rec->size);
		if (every)
			every((struct vgr_rec *)copy);
		if (change && rec->type == change->type && ++n == change->nth) {
			if (change->make)
				change->make((struct vgr_rec *)copy);
			if (change->drop) {
				free(copy);
				continue;
			}
		}
		assert_int_equal(vgr_writer_put(w, (struct vgr_rec *)copy), 0);
		free(copy);
	}
	assert_int_equal(vgr_writer_finish(w, &end), 0);
	vgr_writer_destroy(w);
	vgr_reader_close(r);
	unlink(source);
}

static void write_changed(const struct change *change, unsigned int nr_cpus)
{
	write_on(3, NULL, change, nr_cpus);
}

static void check_file(struct vgr_check_result *res)
{
	const struct vgr_reader_opts opts = {.skip_damaged = true};
	struct vgr_reader *r;

	assert_int_equal(vgr_reader_open(&r, path, &opts, NULL), 0);
	assert_int_equal(vgr_check(r, NULL, NULL, res), 0);
	vgr_reader_close(r);
}

static void says_nothing(void **state)
{
	struct vgr_check_result res;

	write_changed(NULL, 1);
	check_file(&res);
	assert_int_equal(res.total_findings, 0);
	assert_int_equal(res.ending, VGR_END_WHOLE);
	assert_int_equal(res.records, 2 + 7 + 84);
	assert_int_equal(res.pairs, 21);
	assert_int_equal(res.lost, 0);
}

static void set_seq(struct vgr_rec *rec)
{
	rec->seq += 5;
}
static void set_same_seq(struct vgr_rec *rec)
{
	rec->seq--;
}
static void set_time(struct vgr_rec *rec)
{
	rec->time -= 10000000;
}
static void set_begin(struct vgr_rec *rec)
{
	((struct vgr_flush *)rec)->begin = rec->time + 1;
}
static void set_cpu(struct vgr_rec *rec)
{
	rec->cpu = 3;
	rec->seq = 1;
}
static void set_vcpu(struct vgr_rec *rec)
{
	rec->vcpu = 9;
}
static void set_eoicount(struct vgr_rec *rec)
{
	((struct vgr_flush *)rec)->hcr |= 1u << 27;
}
static void set_boundary(struct vgr_rec *rec)
{
	((struct vgr_flush *)rec)->boundary = 99;
}

static struct vgr_irq *irqs_of(struct vgr_rec *rec)
{
	return rec->type == VGR_FLUSH ? (struct vgr_irq *)vgr_flush_before((struct vgr_flush *)rec)
				      : (struct vgr_irq *)vgr_sync_before((struct vgr_sync *)rec);
}

static void set_twice(struct vgr_rec *rec)
{
	struct vgr_irq *irq = irqs_of(rec);

	irq[1].intid = irq[0].intid;
}

static void set_gone(struct vgr_rec *rec)
{
	struct vgr_flush *f = (struct vgr_flush *)rec;

	irqs_of(rec)[f->n_before - 1].intid = 77;
}

static uint64_t *lrs_of(struct vgr_rec *rec)
{
	return rec->type == VGR_FLUSH ? (uint64_t *)vgr_flush_lrs((struct vgr_flush *)rec)
				      : (uint64_t *)vgr_sync_lrs((struct vgr_sync *)rec);
}

static void set_lr_twice(struct vgr_rec *rec)
{
	lrs_of(rec)[1] = lrs_of(rec)[0];
}

static void set_lr_other(struct vgr_rec *rec)
{
	lrs_of(rec)[0] = (lrs_of(rec)[0] & ~VGIC_LR_VINTID) | 78;
}

static void set_lr_unused(struct vgr_rec *rec)
{
	lrs_of(rec)[3] = 1;
}

static void set_owner(struct vgr_rec *rec)
{
	struct vgr_sync *s = (struct vgr_sync *)rec;
	struct vgr_irq *after = (struct vgr_irq *)vgr_sync_after(s);

	after[0].vcpu = rec->vcpu;
}

static void set_other_irq(struct vgr_rec *rec)
{
	((struct vgr_irq *)vgr_sync_after((struct vgr_sync *)rec))[0].intid = 79;
}

/* In the sample, run n (from 1) has (n - 1) % 7 interrupts. */
static void each_rule_speaks(void **state)
{
	static const struct {
		struct change change;
		enum vgr_rule rule;
	} cases[] = {
		{{VGR_FLUSH, 5, set_seq, false}, VGR_RULE_SEQUENCE},
		{{VGR_FLUSH, 5, set_same_seq, false}, VGR_RULE_SEQUENCE},
		{{VGR_INJECT, 3, NULL, true}, VGR_RULE_SEQUENCE},
		{{VGR_EXIT, 8, set_time, false}, VGR_RULE_TIME},
		{{VGR_FLUSH, 8, set_begin, false}, VGR_RULE_TIME},
		{{VGR_SYNC, 5, set_cpu, false}, VGR_RULE_PAIRING},
		{{VGR_SYNC, 5, NULL, true}, VGR_RULE_PAIRING},
		{{VGR_FLUSH, 5, NULL, true}, VGR_RULE_PAIRING},
		{{VGR_ENTRY, 5, set_vcpu, false}, VGR_RULE_VCPU},
		{{VGR_VCPU, 2, NULL, true}, VGR_RULE_VCPU},
		{{VGR_FLUSH, 5, set_twice, false}, VGR_RULE_LIST},
		{{VGR_SYNC, 5, set_twice, false}, VGR_RULE_LIST},
		{{VGR_FLUSH, 5, set_gone, false}, VGR_RULE_LIST},
		{{VGR_FLUSH, 5, set_boundary, false}, VGR_RULE_LIST},
		{{VGR_SYNC, 5, set_other_irq, false}, VGR_RULE_LIST},
		{{VGR_FLUSH, 5, set_lr_twice, false}, VGR_RULE_LR},
		{{VGR_FLUSH, 5, set_lr_other, false}, VGR_RULE_LR},
		{{VGR_SYNC, 5, set_lr_other, false}, VGR_RULE_LR},
		{{VGR_FLUSH, 2, set_lr_unused, false}, VGR_RULE_LR},
		{{VGR_FLUSH, 2, set_eoicount, false}, VGR_RULE_LR},
		{{VGR_SYNC, 5, set_owner, false}, VGR_RULE_OWNER},
	};
	struct vgr_check_result res;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_changed(&cases[i].change, 1);
		check_file(&res);
		if (!res.findings[cases[i].rule])
			fail_msg("case %zu: rule %s is silent", i, vgr_rule_name(cases[i].rule));
	}
}

/* With one CPU it cannot be; with several, somebody else may have done it. */
static void owners_may_change_meanwhile(void **state)
{
	const struct change change = {VGR_SYNC, 5, set_owner, false};
	struct vgr_check_result res;

	write_changed(&change, 2);
	check_file(&res);
	assert_int_equal(res.racy, 1);
	assert_int_equal(res.total_findings, 0);
	write_changed(&change, 1);
	check_file(&res);
	assert_int_equal(res.racy, 0);
	assert_int_equal(res.findings[VGR_RULE_OWNER], 1);
}

static void set_unreadable(struct vgr_rec *rec)
{
	struct vgr_irq *after = (struct vgr_irq *)vgr_sync_after((struct vgr_sync *)rec);

	memset(&after[0], 0, sizeof(after[0]));
	after[0].state = VGR_IRQ_GONE;
	after[0].vcpu = after[0].target = VGR_NO_VCPU;
}

static void what_could_not_be_read_is_no_other_interrupt(void **state)
{
	const struct change change = {VGR_SYNC, 5, set_unreadable, false};
	struct vgr_check_result res;

	write_changed(&change, 1);
	check_file(&res);
	assert_int_equal(res.total_findings, 0);
}

/* The first entry of CPU 0 is something else, of the same size. */
static void no_first_entry(struct vgr_rec *rec)
{
	if (rec->type == VGR_ENTRY && !rec->cpu && rec->seq <= 4)
		rec->type = VGR_LEVEL;
}

static void what_was_before_the_first_sync_is_not_known(void **state)
{
	const struct change change = {VGR_FLUSH, 1, NULL, true};
	struct vgr_check_result res;

	write_on(3, no_first_entry, &change, 1);
	check_file(&res);
	assert_int_equal(res.pairs, 20);
	assert_int_equal(res.findings[VGR_RULE_SEQUENCE], 1); /* the flush */
	assert_int_equal(res.total_findings, 1);
}

static void losses_are_accounted(void **state)
{
	struct vgr_totals end = {.guest_status = -1, .kernel_lost = 7};
	struct vgr_check_result res;
	struct vgr_writer *w;
	struct vgr_header h;
	struct sample s;
	int wrong;

	for (wrong = 0; wrong < 2; wrong++) {
		sample_header(&h);
		assert_int_equal(vgr_writer_create(&w, path, &h, NULL), 0);
		sample_init(&s, w);
		sample_vcpu(&s, 0, 0);
		sample_run(&s, 0, 0, 3);
		/* A flush is lost with it: no finding, the pairing starts anew. */
		sample_loss(&s, 0, 7);
		sample_run(&s, 0, 0, 3);
		assert_int_equal(s.error, 0);
		end.kernel_lost = wrong ? 8 : 7;
		assert_int_equal(vgr_writer_finish(w, &end), 0);
		vgr_writer_destroy(w);
		check_file(&res);
		assert_int_equal(res.lost, 7);
		assert_int_equal(res.total_findings, wrong);
	}
}

static void cut_and_damaged(void **state)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096};
	struct vgr_check_result res;
	unsigned char *file;
	size_t size;
	FILE *f;

	assert_int_equal(sample_file(path, 100, &opts), 0);
	file = sample_load(path, &size);
	assert_int_equal(truncate(path, (off_t)size - 10), 0);
	check_file(&res);
	assert_int_equal(res.ending, VGR_END_CUT);
	assert_int_equal(res.findings[VGR_RULE_ENDING], 1);
	assert_int_equal(res.total_findings, 1);

	file[size / 2] ^= 1;
	f = fopen(path, "wb");
	assert_int_equal(fwrite(file, 1, size, f), size);
	fclose(f);
	check_file(&res);
	/* One frame is damaged, and nothing else is blamed for it. */
	assert_int_equal(res.damaged_frames, 1);
	assert_int_equal(res.findings[VGR_RULE_FRAME], 1);
	assert_int_equal(res.total_findings, 1);
	free(file);
}

/* The list registers of a flush or a sync, n of them; NULL for other records. */
static uint64_t *slots(struct vgr_rec *rec, unsigned int *n)
{
	if (rec->type == VGR_FLUSH) {
		struct vgr_flush *f = (struct vgr_flush *)rec;

		*n = f->nr_lr;
		return (uint64_t *)vgr_flush_lrs(f);
	}
	if (rec->type == VGR_SYNC) {
		struct vgr_sync *s = (struct vgr_sync *)rec;

		*n = s->used_lrs;
		return (uint64_t *)vgr_sync_lrs(s);
	}
	*n = 0;
	return NULL;
}

static void see_gicv2(struct vgr_rec *rec)
{
	if (rec->type == VGR_VCPU)
		((struct vgr_vcpu *)rec)->vgic_model = 2;
}

static void make_gich(struct vgr_rec *rec)
{
	unsigned int i, n;
	uint64_t *lr = slots(rec, &n);

	see_gicv2(rec);
	for (i = 0; i < n; i++)
		lr[i] = vgic_gich_lr_encode(lr[i]);
}

/* Bits 12:10 are no part of the INTID where the guest's GIC is a GICv2. */
static void add_source(struct vgr_rec *rec)
{
	unsigned int i, n;
	uint64_t *lr = slots(rec, &n);

	for (i = 0; i < n; i++) {
		if (lr[i])
			lr[i] |= UINT64_C(5) << 10;
	}
}

static void add_source_gicv2(struct vgr_rec *rec)
{
	see_gicv2(rec);
	add_source(rec);
}

static void set_upper_half(struct vgr_rec *rec)
{
	unsigned int n;

	slots(rec, &n)[0] |= UINT64_C(1) << 32;
}

static void set_other_gich_intid(struct vgr_rec *rec)
{
	unsigned int n;

	slots(rec, &n)[0] ^= 0x40;
}

static void gicv2(void **state)
{
	const struct change upper = {VGR_FLUSH, 6, set_upper_half, false};
	const struct change other = {VGR_SYNC, 6, set_other_gich_intid, false};
	struct vgr_check_result res;

	write_on(2, make_gich, NULL, 1);
	check_file(&res);
	assert_int_equal(res.total_findings, 0);
	assert_int_equal(res.pairs, 21);
	write_on(2, make_gich, &upper, 1);
	check_file(&res);
	assert_int_equal(res.findings[VGR_RULE_LR], 1);
	assert_int_equal(res.total_findings, 1);
	/* Read back as another interrupt, and that one is not on the list. */
	write_on(2, make_gich, &other, 1);
	check_file(&res);
	assert_int_equal(res.findings[VGR_RULE_LR], 2);
	assert_int_equal(res.total_findings, 2);
}

static void gicv2_guest_of_gicv3(void **state)
{
	struct vgr_check_result res;

	write_on(3, add_source_gicv2, NULL, 1);
	check_file(&res);
	assert_int_equal(res.total_findings, 0);
	write_on(3, add_source, NULL, 1);
	check_file(&res);
	assert_true(res.findings[VGR_RULE_LR] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing),
		cmocka_unit_test(each_rule_speaks),
		cmocka_unit_test(owners_may_change_meanwhile),
		cmocka_unit_test(what_was_before_the_first_sync_is_not_known),
		cmocka_unit_test(what_could_not_be_read_is_no_other_interrupt),
		cmocka_unit_test(losses_are_accounted),
		cmocka_unit_test(cut_and_damaged),
		cmocka_unit_test(gicv2),
		cmocka_unit_test(gicv2_guest_of_gicv3),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
