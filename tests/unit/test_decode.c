/* SPDX-License-Identifier: GPL-2.0-only */
/* The door: what recordings of GICv2 hosts and guests become behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/decode.h>
#include <vgicsim/derive.h>
#include <vgicsim/gich.h>
#include <vgicsim/metrics.h>
#include <vgicsim/replay.h>

#include "fake_host.h"

#define DIST 0x08000000u

static union {
	struct vgr_flush flush;
	struct vgr_sync sync;
	uint64_t space[64];
} u;

static struct vgic_decoder *door(unsigned int host, unsigned int guest)
{
	struct vgic_decoder *d;

	assert_int_equal(vgic_decoder_create(&d, host, guest), 0);
	return d;
}

/* SGI 5 of CPU 3 pending, SPI 40 active and mapped to 66. */
#define SGI_LR (VGIC_LR_PENDING | 5ull << VGIC_LR_PRIORITY_SHIFT << 3 | 3u << 10 | 5)
#define SPI_LR (VGIC_LR_ACTIVE | VGIC_LR_HW | 66ull << VGIC_LR_PINTID_SHIFT | 40)

static const struct vgr_rec *make_flush(bool gich)
{
	struct vgr_irq *q = (struct vgr_irq *)(&u.flush + 1);
	uint64_t *lr = (uint64_t *)(q + 3);

	memset(&u, 0, sizeof(u));
	u.flush.n_before = 1;
	u.flush.n_after = 2;
	u.flush.nr_lr = u.flush.used_lrs = 2;
	q[2].intid = 77;
	lr[0] = gich ? vgic_gich_lr_encode(SGI_LR) : SGI_LR;
	lr[1] = gich ? vgic_gich_lr_encode(SPI_LR) : SPI_LR;
	u.flush.r = (struct vgr_rec){.type = VGR_FLUSH, .size = vgr_flush_size(1, 2, 2)};
	return &u.flush.r;
}

static const struct vgr_rec *make_sync(bool gich)
{
	struct vgr_irq *q = (struct vgr_irq *)(&u.sync + 1);
	uint64_t *lr = (uint64_t *)(q + 2);

	memset(&u, 0, sizeof(u));
	u.sync.n_before = 1;
	u.sync.used_lrs = 2;
	lr[0] = gich ? vgic_gich_lr_encode(SGI_LR) : SGI_LR;
	lr[1] = gich ? vgic_gich_lr_encode(SPI_LR) : SPI_LR;
	u.sync.r = (struct vgr_rec){.type = VGR_SYNC, .size = vgr_sync_size(1, 2, 0)};
	return &u.sync.r;
}

static const uint64_t *lrs_of(const struct vgr_rec *rec)
{
	if (rec->type == VGR_FLUSH)
		return (const uint64_t *)((const struct vgr_irq *)((const struct vgr_flush *)rec +
								   1) +
					  3);
	return (const uint64_t *)((const struct vgr_irq *)((const struct vgr_sync *)rec + 1) + 2);
}

static void lrs_have_one_layout_and_bare_intids(void **state)
{
	for (int i = 0; i < 4; i++) {
		bool gich = i & 1;
		struct vgic_decoder *d = door(gich ? 2 : 3, 2);
		const struct vgr_rec *rec = i & 2 ? make_sync(gich) : make_flush(gich);
		const struct vgr_rec *out = vgic_decode(d, rec);

		assert_ptr_not_equal(out, rec);
		assert_int_equal(out->size, rec->size);
		assert_true(lrs_of(out)[0] == (SGI_LR & ~VGIC_LR_CPUID));
		assert_true(lrs_of(out)[1] == SPI_LR);
		/* The original is the reader's. */
		assert_true(lrs_of(rec)[0] & 3u << 10);
		assert_true(vgic_decoder_has_v2(d));
		vgic_decoder_destroy(d);
	}
}

static void other_recordings_pass_as_they_are(void **state)
{
	struct vgr_dir dir = {.r = {.type = VGR_DIR, .size = sizeof(dir)}, .value = 5 | 3u << 10};
	struct vgr_mmio m = {
		.r = {.type = VGR_MMIO, .size = sizeof(m)}, .gpa = DIST + 0xf00, .write = 1};
	struct vgic_decoder *d = door(3, 3);
	const struct vgr_rec *rec = make_flush(false);

	assert_ptr_equal(vgic_decode(d, rec), rec);
	assert_ptr_equal(vgic_decode(d, &dir.r), &dir.r);
	assert_ptr_equal(vgic_decode(d, &m.r), &m.r);
	assert_false(vgic_decoder_has_v2(d));
	vgic_decoder_destroy(d);
	vgic_decoder_destroy(NULL);
}

static void dir_is_a_bare_intid(void **state)
{
	struct vgr_dir dir = {.r = {.type = VGR_DIR, .size = sizeof(dir)}, .value = 5 | 3u << 10};
	struct vgic_decoder *d = door(2, 0);

	assert_int_equal(((const struct vgr_dir *)vgic_decode(d, &dir.r))->value, 5);
	/* An INTID that does not exist stays one. */
	dir.value = 1024 + 40;
	assert_int_equal(((const struct vgr_dir *)vgic_decode(d, &dir.r))->value, 1064);
	vgic_decoder_destroy(d);
}

static uint64_t sgi(struct vgic_decoder *d, uint32_t value, uint16_t vcpu)
{
	struct vgr_mmio m = {.r = {.type = VGR_MMIO, .size = sizeof(m), .vcpu = vcpu},
			     .gpa = DIST + 0xf00,
			     .value = value,
			     .write = 1};
	const struct vgr_rec *rec = vgic_decode(d, &m.r);

	assert_int_equal(rec->type, VGR_SGI);
	assert_int_equal(rec->size, sizeof(struct vgr_sgi));
	assert_int_equal(rec->vcpu, vcpu);
	assert_true(((const struct vgr_sgi *)rec)->allow_group1);
	return ((const struct vgr_sgi *)rec)->value;
}

static void gicd_sgir_is_an_sgi(void **state)
{
	struct vgr_vcpu v = {.r = {.type = VGR_VCPU, .size = sizeof(v)},
			     .vgic_model = 2,
			     .dist_page = DIST >> 12};
	struct vgr_mmio m = {
		.r = {.type = VGR_MMIO, .size = sizeof(m)}, .gpa = DIST + 0xf00, .write = 1};
	struct vgic_decoder *d = door(3, 0);

	/* Where the distributor is the vCPU's record tells. */
	assert_ptr_equal(vgic_decode(d, &m.r), &m.r);
	assert_false(vgic_decoder_has_v2(d));
	vgic_decode(d, &v.r);
	assert_true(vgic_decoder_has_v2(d));
	assert_true(sgi(d, 0x7u | 0x12u << 16, 0) == (7u << 24 | 0x12));
	assert_true(sgi(d, 0x7u | 1u << 24, 0) == (7u << 24 | 1ull << 40));
	assert_true(sgi(d, 0x7u | 2u << 24 | 0xff0000u, 3) == (7u << 24 | 1u << 3));
	m.gpa = DIST + 0x100;
	assert_ptr_equal(vgic_decode(d, &m.r), &m.r);
	m.gpa = DIST + 0xf00;
	m.write = 0;
	assert_ptr_equal(vgic_decode(d, &m.r), &m.r);
	/* Another VM, of which nothing is known. */
	m.write = 1;
	m.r.vm = 1;
	assert_ptr_equal(vgic_decode(d, &m.r), &m.r);
	m.r.vm = VGR_NO_VM;
	assert_ptr_equal(vgic_decode(d, &m.r), &m.r);
	vgic_decoder_destroy(d);
}

/* ---- from a GICv2 host to a replay ---- */

#define VMCR (VGIC_VMCR_VENG1 | VGIC_VMCR_VACKCTL | 0xf8u << VGIC_VMCR_VPMR_SHIFT)

struct tap {
	struct vgic_decoder *door;
	struct vgic_derive *derive;
	struct vgic_measure *measure;
};

/* As a recorder on that host would have it. */
static void sink(void *opaque, const struct vgr_rec *rec)
{
	static uint64_t copy[8192];
	struct tap *t = opaque;
	struct vgr_flush *f = (struct vgr_flush *)copy;
	struct vgr_sync *s = (struct vgr_sync *)copy;
	uint64_t *lr = NULL;
	unsigned int n = 0;

	memcpy(copy, rec, rec->size);
	if (rec->type == VGR_FLUSH) {
		lr = (uint64_t *)((struct vgr_irq *)(f + 1) + f->n_before + f->n_after);
		n = f->nr_lr;
	} else if (rec->type == VGR_SYNC) {
		lr = (uint64_t *)((struct vgr_irq *)(s + 1) + 2 * s->n_before);
		n = s->used_lrs;
	}
	for (unsigned int i = 0; i < n; i++)
		lr[i] = vgic_gich_lr_encode(lr[i]);
	rec = vgic_decode(t->door, &f->r);
	assert_int_equal(vgic_derive_record(t->derive, rec), 0);
	assert_int_equal(vgic_measure_record(t->measure, rec), 0);
}

static void a_gicv2_host_is_replayed(void **state)
{
	const unsigned int lrs[2] = {4, 20};

	for (int k = 0; k < 2; k++) {
		struct vgic_derive_config dc = {.nr_lr = lrs[k], .gicv2 = true, .eager_vmcr = true};
		struct vgic_config cfg = {.policy = vgic_policy_find("linux-7.3"),
					  .nr_vcpus = 1,
					  .nr_spis = 256,
					  .nr_lr = lrs[k],
					  .model_v2 = true,
					  .gicv2 = true};
		struct tap tap = {.door = door(2, 2)};
		struct vgic_workload *wl;
		struct vgic_cell recorded, cell;
		struct fake_host h;
		uint32_t list[24], intid;

		assert_int_equal(vgic_derive_create(&tap.derive, &dc), 0);
		assert_int_equal(vgic_measure_create(&tap.measure, lrs[k], 0), 0);
		fake_init(&h, "linux-7.3", lrs[k] < 16 ? lrs[k] : 16, 1, sink, &tap);
		vgic_destroy(h.vgic);
		assert_int_equal(vgic_create(&h.vgic, &cfg), 0);
		vgic_write_dist_enable(h.vgic, true);
		h.hw_cfg = vgic_v3_cpuif_defaults(lrs[k]);
		for (uint32_t i = 0; i < 24; i++) {
			list[i] = 32 + i;
			vgic_write_config(h.vgic, 32 + i, false);
			vgic_write_group(h.vgic, 0, 32 + i, 1);
			vgic_write_priority(h.vgic, 0, 32 + i, (uint8_t)(0xe0 - i * 8));
			vgic_write_enable(h.vgic, 0, 32 + i, true);
		}
		fake_enter(&h, 0);
		fake_run(&h, 0, 5000);
		fake_vmcr(&h, 0, VMCR);
		for (int r = 0; r < 5; r++) {
			fake_raise(&h, 0, list, 24, true);
			while ((intid = fake_ack(&h, 0)) != VGIC_SPURIOUS)
				fake_eoi(&h, 0, intid);
			fake_run(&h, 0, 3000);
		}
		fake_wfi(&h, 0, 10000);
		fake_exit(&h, 0, 2, 0x24);
		assert_int_equal(vgic_derive_finish(tap.derive, &wl), 0);
		assert_int_equal(vgic_measure_finish(tap.measure, &recorded), 0);
		assert_true(wl->gicv2 && wl->model_v2);
		assert_int_equal(recorded.interrupts, 120);
		assert_int_equal(recorded.mi, h.mis);
		assert_true(recorded.mi > 0);

		struct vgic_replay_config rc = {.policy = cfg.policy, .nr_lr = lrs[k], .seed = 1};

		assert_int_equal(vgic_replay(wl, &rc, &cell), 0);
		assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
		assert_int_equal(cell.interrupts, 120);
		assert_int_equal(cell.exits, recorded.exits);
		assert_int_equal(cell.mi, recorded.mi);
		assert_int_equal(cell.overflow_entries, recorded.overflow_entries);
		assert_int_equal(cell.nr_fates, 24);
		for (size_t i = 0; i < cell.nr_fates; i++) {
			assert_int_equal(cell.fates[i].kind, VGIC_FATE_DELIVERED);
			assert_int_equal(cell.fates[i].delivered, 5);
			assert_int_equal(cell.fates[i].ended, 5);
		}
		vgic_cell_finish(&cell);
		/* More LRs than a GICv3 has need a GICv2. */
		rc.nr_lr = 65;
		assert_int_equal(vgic_replay(wl, &rc, &cell), -EINVAL);
		vgic_cell_finish(&recorded);
		vgic_workload_destroy(wl);
		vgic_derive_destroy(tap.derive);
		vgic_measure_destroy(tap.measure);
		vgic_decoder_destroy(tap.door);
		fake_finish(&h);
	}
	struct vgic_derive_config v3 = {.nr_lr = 20};
	struct vgic_derive *d;

	assert_int_equal(vgic_derive_create(&d, &v3), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lrs_have_one_layout_and_bare_intids),
		cmocka_unit_test(other_recordings_pass_as_they_are),
		cmocka_unit_test(dir_is_a_bare_intid),
		cmocka_unit_test(gicd_sgir_is_an_sgi),
		cmocka_unit_test(a_gicv2_host_is_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
