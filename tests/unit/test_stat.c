// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of live statistics against those of the models, on every state that recordings show.
 * Arguments: recordings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/decode.h>
#include <vgicsim/gich.h>
#include <vgicsim/metrics.h>
#include <vgicsim/recording.h>
#include <vgicsim/tally.h>

static char **files;
static int nr_files;

/* ---- durations ---- */

static void buckets_are_without_gaps(void **state)
{
	for (uint32_t b = 0; b < VGIC_STAT_TIMES; b++) {
		assert_int_equal(vgic_stat_time_bucket(vgic_stat_time_lowest(b)), b);
		if (b)
			assert_int_equal(vgic_stat_time_bucket(vgic_stat_time_lowest(b) - 1),
					 b - 1);
	}
	assert_int_equal(vgic_stat_time_bucket(UINT64_MAX), VGIC_STAT_TIMES - 1);
}

/* ---- MISR ---- */

static uint32_t misr_of(uint32_t hcr, uint32_t vmcr, const uint64_t *lr, unsigned int n,
			uint32_t v2)
{
	uint32_t valid = 0, pending = 0, eoi = 0;

	for (unsigned int i = 0; i < n; i++) {
		valid += vgic_stat_lr_valid(lr[i], v2);
		pending += vgic_stat_lr_pending(lr[i], v2) && !vgic_stat_lr_active(lr[i], v2);
		eoi += !vgic_stat_lr_valid(lr[i], v2) && vgic_stat_lr_eoi(lr[i], v2);
	}
	return vgic_stat_misr(hcr, vmcr, valid, pending, eoi);
}

static uint64_t any(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void misr_is_the_interfaces(void **state)
{
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(4);
	uint64_t seed = 1, images[4];
	struct vgic_v3_cpuif c;

	for (int n = 0; n < 200000; n++) {
		vgic_v3_cpuif_init(&c, &cfg);
		c.hcr = (uint32_t)any(&seed) | VGIC_HCR_EN;
		if (any(&seed) & 1)
			c.hcr &= ~VGIC_HCR_EOICOUNT;
		c.vmcr = (uint32_t)any(&seed);
		for (int i = 0; i < 4; i++) {
			images[i] = (uint32_t)any(&seed);
			if (any(&seed) & 1)
				images[i] &=
					~(uint64_t)(VGIC_GICH_LR_PENDING | VGIC_GICH_LR_ACTIVE);
			c.lr[i] = vgic_gich_lr_decode((uint32_t)images[i]);
		}
		assert_int_equal(misr_of(c.hcr, c.vmcr, c.lr, 4, 0), vgic_v3_cpuif_misr(&c));
		assert_int_equal(misr_of(c.hcr, c.vmcr, images, 4, 1), vgic_v3_cpuif_misr(&c));
	}
}

/* ---- recordings ---- */

struct held {
	const char *file;
	struct vgic_measure *measure;
	uint16_t vm;
	struct vgic_stat_counts sum;
	size_t nr_vcpus;
};

#define SAME(a, b)                                                                \
	do {                                                                      \
		uint64_t x_ = (a), y_ = (b);                                      \
		if (x_ != y_)                                                     \
			fail_msg("%s: " #a " is %llu, " #b " is %llu", h->file,   \
				 (unsigned long long)x_, (unsigned long long)y_); \
	} while (0)

static uint64_t sum_of(const uint64_t *v, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += v[n];
	return sum;
}

static int hold_against(void *ctx, const struct vgic_stat_vcpu *v)
{
	const struct vgic_stat_counts *c = &v->counts;
	struct held *h = ctx;
	struct vgic_vcpu_counts m;

	if (v->vm != h->vm)
		return 0;
	m = vgic_measure_vcpu(h->measure, (uint16_t)v->vcpu);
	h->nr_vcpus++;
	SAME(sum_of(c->exits, VGIC_STAT_KINDS), m.exits);
	SAME(c->exits[VGIC_STAT_MI], m.mi);
	for (unsigned int i = 0; i < VGIC_STAT_MIS; i++)
		SAME(c->mi_source[i], m.mi_source[i]);
	SAME(c->eoicount, m.eoicount);
	SAME(sum_of(c->depth + 1, VGIC_STAT_DEPTHS - 1), m.overflow_entries);
	SAME(c->depth_max, m.overflow_max);
	SAME(c->guest_ns, m.guest_ns);
	for (size_t i = 0; i < sizeof(*c) / 8 - VGIC_STAT_MAXIMA; i++)
		((uint64_t *)&h->sum)[i] += ((const uint64_t *)c)[i];
	return 0;
}

/* What stands at all vCPUs together only. */
static void hold_cell(struct held *h, const struct vgic_cell *cell)
{
	for (unsigned int i = 0; i < VGIC_STAT_KINDS; i++)
		SAME(h->sum.exits[i], cell->exit[i]);
	for (unsigned int i = 0; i <= cell->nr_lr; i++)
		SAME(h->sum.lrs[i], cell->entries[i]);
	SAME(h->sum.kicks, cell->kicks);
	/* No interrupt of these recordings is taken back by a register write and raised again. */
	SAME(sum_of(h->sum.raise, VGIC_STAT_TIMES), cell->latency[VGIC_LATENCY_RAISE_TO_LR].hist.n);
}

static void one_recording(const char *file)
{
	struct vgic_decoder *decoder;
	const struct vgr_header *head;
	struct vgic_tally *tally;
	const struct vgr_rec *r;
	struct vgr_reader *reader;
	struct vgr_error err;
	struct vgic_cell cell;
	struct held held = {.file = file};
	unsigned int nr_lr;
	uint64_t misrs = 0;
	int ret;

	assert_int_equal(vgr_reader_open(&reader, file, NULL, &err), 0);
	head = vgr_reader_header(reader);
	nr_lr = head->nr_lr ? head->nr_lr : vgr_lr_limit(head->gic_host);
	assert_int_equal(vgic_tally_create(&tally, head->gic_host, head->vgic_model, nr_lr), 0);
	assert_int_equal(vgic_decoder_create(&decoder, head->gic_host, head->vgic_model), 0);
	assert_int_equal(vgic_measure_create(&held.measure, nr_lr, 0), 0);
	while ((ret = vgr_reader_next(reader, &r)) > 0) {
		assert_int_equal(vgic_tally_record(tally, r), 0);
		if (r->type == VGR_SYNC) {
			const struct vgr_sync *s = (const struct vgr_sync *)r;
			const uint64_t *lr = (const uint64_t *)((const struct vgr_irq *)(s + 1) +
								2 * s->n_before);
			uint32_t is =
				misr_of(s->hcr, s->vmcr, lr, s->used_lrs, head->gic_host == 2);

			r = vgic_decode(decoder, r);
			assert_int_equal(is, vgic_sync_misr((const struct vgr_sync *)r, nr_lr));
			misrs++;
		} else {
			r = vgic_decode(decoder, r);
		}
		assert_int_equal(vgic_measure_record(held.measure, r), 0);
	}
	assert_int_equal(ret, 0);
	vgic_measure_settle(held.measure);
	assert_int_equal(vgic_tally_finish(tally, hold_against, &held), 0);
	assert_true(held.nr_vcpus > 0 && misrs > 0);
	assert_int_equal(vgic_measure_finish(held.measure, &cell), 0);
	hold_cell(&held, &cell);
	vgic_cell_finish(&cell);
	vgic_measure_destroy(held.measure);
	vgic_tally_destroy(tally);
	vgic_decoder_destroy(decoder);
	vgr_reader_close(reader);
}

static void recordings_agree(void **state)
{
	assert_true(nr_files > 0);
	for (int i = 0; i < nr_files; i++)
		one_recording(files[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_without_gaps),
		cmocka_unit_test(misr_is_the_interfaces),
		cmocka_unit_test(recordings_agree),
	};

	files = argv + 1;
	nr_files = argc - 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
