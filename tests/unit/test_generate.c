/* SPDX-License-Identifier: GPL-2.0-only */
/* Demands that are made: the same for the same seed, sound, and of the kind they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/generate.h>
#include <vgicsim/policy.h>
#include <vgicsim/replay.h>
#include <vgicsim/vgic.h>
#include <vgicsim/workload_file.h>
#include "../support/cells.h"

static struct vgic_generator *make(enum vgic_generate_kind kind, uint64_t n, uint64_t seed)
{
	const struct vgic_generate_config c = {.kind = kind, .interrupts = n, .seed = seed};
	struct vgic_generator *g;

	assert_int_equal(vgic_generator_create(&g, &c), 0);
	return g;
}

static int refused(struct vgic_generate_config c)
{
	struct vgic_generator *g;
	int ret = vgic_generator_create(&g, &c);

	assert_null(ret ? g : NULL);
	vgic_generator_destroy(g);
	return ret;
}

static void kinds_have_names(void **state)
{
	for (int i = 0; i < VGIC_GENERATE_KINDS; i++)
		assert_int_equal(vgic_generate_kind_parse(vgic_generate_kind_name(i)), i);
	assert_int_equal(vgic_generate_kind_parse("level-ish"), -1);
}

static void values_have_bounds(void **state)
{
	struct vgic_generate_config c = {.interrupts = 1};

	assert_int_equal(refused(c), 0);
	assert_int_equal(refused((struct vgic_generate_config){.kind = VGIC_GENERATE_KINDS}),
			 -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.interrupts = (1ull << 48) + 1}),
			 -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.vcpus = 513}), -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.in_flight = 257}), -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.vcpus = 512, .in_flight = 129}),
			 -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.period_ns = 99}), -EINVAL);
	/* Less than a nanosecond from one vCPU's raise to the next one's. */
	assert_int_equal(refused((struct vgic_generate_config){.vcpus = 200, .period_ns = 150}),
			 -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.handler_ns = 1}), -EINVAL);
	assert_int_equal(refused((struct vgic_generate_config){.interrupts = 1ull << 40}), -E2BIG);
	/* A line needs an SPI; an edge takes an LPI where there is none left. */
	c = (struct vgic_generate_config){
		.kind = VGIC_GENERATE_LEVEL, .vcpus = 13, .in_flight = 76};
	assert_int_equal(refused(c), 0);
	c.in_flight++;
	assert_int_equal(refused(c), -ENOSPC);
	c.kind = VGIC_GENERATE_STEADY;
	assert_int_equal(refused(c), 0);
}

static void times_never_fall(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		struct vgic_generator *g = make(kind, 5000, 3);
		uint64_t last = 0;

		for (uint64_t i = 0; i < 5000; i++) {
			uint64_t t = vgic_generator_time(g, i);

			assert_true(t >= last);
			last = t;
		}
		assert_true(last < vgic_generator_frame(g)->duration_ns);
		vgic_generator_destroy(g);
	}
}

/* Each at its own rate: of the last raise of n its time is n periods, but for what is drawn. */
static void rate_is_kept(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		struct vgic_generator *g = make(kind, 160000, 1);
		const struct vgic_generate_config *c = vgic_generator_config(g);
		uint64_t t = vgic_generator_time(g, 159999);
		uint64_t want = 160000 / c->vcpus * c->period_ns;

		assert_in_range(t, want - want / 100, want + want / 100);
		vgic_generator_destroy(g);
	}
}

static void seed_decides(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		struct vgic_generator *a = make(kind, 700, 1), *b = make(kind, 700, 1);
		struct vgic_generator *other = make(kind, 700, 2);
		struct vgic_workload *wa, *wb, *wo;

		assert_int_equal(vgic_generator_workload(a, &wa), 0);
		assert_int_equal(vgic_generator_workload(b, &wb), 0);
		assert_int_equal(vgic_generator_workload(other, &wo), 0);
		assert_memory_equal(wa->ops, wb->ops, wa->nr_ops * sizeof(*wa->ops));
		assert_memory_equal(wa->effects, wb->effects,
				    wa->nr_effects * sizeof(*wa->effects));
		assert_memory_equal(wa->scripts, wb->scripts,
				    wa->nr_scripts * sizeof(*wa->scripts));
		assert_memory_not_equal(wa->effects, wo->effects,
					wa->nr_effects * sizeof(*wa->effects));
		assert_memory_not_equal(wa->ops, wo->ops, wa->nr_ops * sizeof(*wa->ops));
		vgic_workload_destroy(wa);
		vgic_workload_destroy(wb);
		vgic_workload_destroy(wo);
		vgic_generator_destroy(a);
		vgic_generator_destroy(b);
		vgic_generator_destroy(other);
	}
}

/* Everything but the elements borrowed from the generator. */
static struct vgw describe(const struct vgic_generator *g)
{
	struct vgw w = {.ending = VGR_END_WHOLE};

	vgr_header_init(&w.header);
	w.header.gic_host = w.header.vgic_model = 3;
	w.header.nr_lr = 4;
	vgic_generator_head(g, &w.workload);
	return w;
}

static void scripts(const void *g, uint64_t first, uint32_t n, struct vgic_script *to)
{
	vgic_generator_scripts(g, first, n, to);
}

static void ops(const void *g, uint64_t first, uint32_t n, struct vgic_op *to)
{
	vgic_generator_ops(g, first, n, to);
}

static void effects(const void *g, uint64_t first, uint32_t n, struct vgic_effect *to)
{
	vgic_generator_effects(g, first, n, to);
}

/* Written piece by piece: the bytes of the same demand that is encoded whole, which is sound. */
static void pieces_make_the_whole(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		struct vgic_generator *g = make(kind, 60001, 7);
		struct vgic_generator_counts n = vgic_generator_count(g);
		const struct vgw_elements e = {g,	n.scripts, n.ops,  n.effects,
					       scripts, ops,	   effects};
		struct vgw w = describe(g), whole = w;
		struct vgic_workload *wl;
		struct vgr_error err;
		size_t size;
		void *data, *file;
		FILE *f = tmpfile();

		assert_non_null(f);
		assert_int_equal(vgw_write_elements(f, &w, &e, NULL, &err), 0);
		assert_int_equal(vgic_generator_workload(g, &wl), 0);
		whole.workload = *wl;
		assert_int_equal(vgw_encode(&whole, NULL, &data, &size, &err), 0);
		assert_int_equal(fseek(f, 0, SEEK_END), 0);
		assert_int_equal(ftell(f), size);
		file = malloc(size);
		rewind(f);
		assert_int_equal(fread(file, size, 1, f), 1);
		assert_memory_equal(file, data, size);
		free(file);
		free(data);
		fclose(f);
		vgic_workload_destroy(wl);
		vgic_generator_destroy(g);
	}
}

/* Nothing of it could be read back. */
static void files_have_bounds(void **state)
{
	struct vgic_generator *g = make(VGIC_GENERATE_STEADY, 1ull << 33, 1);
	struct vgic_generator_counts n = vgic_generator_count(g);
	const struct vgw_elements e = {g, n.scripts, n.ops, n.effects, scripts, ops, effects};
	const struct vgw_writer_opts bad = {.level = 99};
	struct vgw w = describe(g);
	struct vgic_workload *wl;
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(vgw_write_elements(f, &w, &e, NULL, NULL), -EFBIG);
	assert_int_equal(vgw_write_elements(f, &w, &e, &bad, NULL), -EINVAL);
	assert_int_equal(vgic_generator_workload(g, &wl), -EFBIG);
	fclose(f);
	vgic_generator_destroy(g);
}

static void full_disk_is_said(void **state)
{
	struct vgic_generator *g = make(VGIC_GENERATE_STEADY, 100000, 1);
	struct vgic_generator_counts n = vgic_generator_count(g);
	const struct vgw_elements e = {g, n.scripts, n.ops, n.effects, scripts, ops, effects};
	struct vgw w = describe(g);
	FILE *f = fopen("/dev/full", "w");

	if (!f)
		skip();
	assert_int_equal(vgw_write_elements(f, &w, &e, NULL, NULL), -ENOSPC);
	fclose(f);
	vgic_generator_destroy(g);
}

/* The feed raises what the file holds, whatever the pieces are it is asked for. */
static void feed_is_the_file(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		bool loop = kind == VGIC_GENERATE_OVERFLOW;
		struct vgic_generator *g = make(kind, 1000, 5);
		struct vgic_generator_feed f;
		struct vgic_arrival to[7];
		struct vgic_workload *wl;
		uint64_t i = 0;
		int got;

		assert_int_equal(vgic_generator_workload(g, &wl), 0);
		vgic_generator_feed(g, &f);
		while ((got = f.feed.next(f.feed.opaque, to, 1 + i % 7)) > 0) {
			for (int k = 0; k < got; k++, i++) {
				const struct vgic_effect *e = &wl->effects[i];

				/* After the first of each the guest itself asks. */
				if (loop && i >= 12) {
					assert_int_equal(to[k].kind, VGIC_EFFECT_NONE);
					continue;
				}
				const struct vgr_irq *irq = &wl->sources[to[k].source].initial;

				assert_int_equal(to[k].time, e->wall_ns);
				assert_int_equal(to[k].kind, e->kind);
				assert_int_equal(to[k].level, e->level);
				if (e->kind != VGIC_EFFECT_SGI) {
					assert_int_equal(to[k].source, e->source);
					continue;
				}
				assert_int_equal(to[k].vcpu, e->vcpu);
				assert_int_equal(e->value >> 24, irq->intid);
			}
		}
		assert_int_equal(got, 0);
		assert_int_equal(i, loop ? 12 + (1000 - 12 + 15) / 16 : 1000);
		vgic_workload_destroy(wl);
		vgic_generator_destroy(g);
	}
}

/* Of interrupts that wait, or stay in an LR, nothing is told: nor would there be anything to tell.
 */
static void looks_left_out_change_nothing(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		struct vgic_generator *g = make(kind, 1500, 5);
		struct vgic_workload *wl;

		assert_int_equal(vgic_generator_workload(g, &wl), 0);
		for (size_t p = 0; vgic_policy_at(p); p++) {
			for (unsigned int n = 1; n <= 6; n++) {
				struct vgic_replay_config c = {.policy = vgic_policy_at(p),
							       .nr_lr = n,
							       .seed = 1,
							       .has_tdir = true};
				struct vgic_cell some, all;
				const char *what;

				assert_int_equal(vgic_replay(wl, &c, &some), 0);
				c.thorough = true;
				assert_int_equal(vgic_replay(wl, &c, &all), 0);
				what = cells_differ(&some, &all);
				if (what)
					fail_msg("kind %d, %s, %u LRs: %s", kind, c.policy->name, n,
						 what);
				vgic_cell_finish(&some);
				vgic_cell_finish(&all);
			}
		}
		vgic_workload_destroy(wl);
		vgic_generator_destroy(g);
	}
}

static struct vgic_cell replay(const struct vgic_generator *g, unsigned int nr_lr)
{
	const struct vgic_replay_config cfg = {.policy = vgic_policy_find("linux-7.3"),
					       .nr_lr = nr_lr,
					       .seed = 1,
					       .has_tdir = true};
	struct vgic_workload *wl;
	struct vgic_cell cell;

	assert_int_equal(vgic_generator_workload(g, &wl), 0);
	assert_int_equal(vgic_replay(wl, &cfg, &cell), 0);
	vgic_workload_destroy(wl);
	return cell;
}

static struct vgic_cell replay_kind(enum vgic_generate_kind kind, unsigned int nr_lr)
{
	struct vgic_generator *g = make(kind, 4000, 1);
	struct vgic_cell cell = replay(g, nr_lr);

	vgic_generator_destroy(g);
	assert_int_equal(cell.outcome, VGIC_OUTCOME_COMPLETED);
	return cell;
}

static void steady_never_overflows(void **state)
{
	for (unsigned int n = 2; n <= 16; n *= 2) {
		struct vgic_cell c = replay_kind(VGIC_GENERATE_STEADY, n);

		assert_int_equal(c.interrupts, 4000);
		assert_int_equal(c.overflow_entries, 0);
		assert_int_equal(c.merged, 0);
		/* One for each, that which enables interrupts, and the end. */
		assert_int_equal(c.exits, 4002);
		vgic_cell_finish(&c);
	}
}

static void burst_fills_and_drains(void **state)
{
	struct vgic_cell few = replay_kind(VGIC_GENERATE_BURST, 4);
	struct vgic_cell all = replay_kind(VGIC_GENERATE_BURST, 16);

	assert_int_equal(few.overflow_max, 12);
	assert_true(few.mi > 2000);
	assert_int_equal(all.overflow_max, 0);
	assert_int_equal(all.exits, 4000 / 16 + 2);
	assert_int_equal(all.interrupts, 4000);
	vgic_cell_finish(&few);
	vgic_cell_finish(&all);
}

static void overflow_lasts(void **state)
{
	struct vgic_cell c = replay_kind(VGIC_GENERATE_OVERFLOW, 4);
	uint64_t entries = 0;

	for (int i = 0; i <= VGR_MAX_LRS; i++)
		entries += c.entries[i];
	/* But for the first entry and the last few. */
	assert_true(c.overflow_entries > entries - 16);
	assert_int_equal(c.overflow_max, 8);
	/* One exit for each, that which enables interrupts, and the end. */
	assert_int_equal(c.interrupts, 4000);
	assert_int_equal(c.exits, 4002 + 1);
	vgic_cell_finish(&c);
}

static void many_send_to_one_another(void **state)
{
	struct vgic_generator *g = make(VGIC_GENERATE_MANY, 4000, 1);
	const struct vgic_workload *frame = vgic_generator_frame(g);
	struct vgic_cell c = replay(g, 4);
	unsigned int sgis = 0;

	assert_int_equal(frame->nr_vcpus, 16);
	for (size_t i = 0; i < frame->nr_sources; i++)
		sgis += frame->sources[i].initial.intid < VGIC_NR_SGIS;
	assert_int_equal(sgis, 16);
	assert_int_equal(c.interrupts, 4000);
	assert_int_equal(c.unhandled, 0);
	vgic_cell_finish(&c);
	vgic_generator_destroy(g);
}

/* Lowered by an access of the device, and one maintenance interrupt at each end. */
static void lines_are_lowered(void **state)
{
	struct vgic_cell c = replay_kind(VGIC_GENERATE_LEVEL, 4);

	assert_int_equal(c.interrupts, 4000);
	assert_int_equal(c.exit[VGIC_EXIT_MMIO], 4000);
	assert_int_equal(c.spurious, 0);
	vgic_cell_finish(&c);
}

static void mixed_has_everything(void **state)
{
	struct vgic_generator *g = make(VGIC_GENERATE_MIXED, 4000, 1);
	const struct vgic_workload *frame = vgic_generator_frame(g);
	struct vgic_cell c = replay(g, 4);
	unsigned int kinds = 0;

	for (size_t i = 0; i < frame->nr_sources; i++) {
		const struct vgr_irq *irq = &frame->sources[i].initial;

		kinds |= irq->intid < 16 ? 1 : irq->intid < 32 ? 2 : irq->intid < 8192 ? 4 : 8;
		kinds |= irq->state & VGR_IRQ_LEVEL ? 16 : 32;
	}
	assert_int_equal(kinds, 63);
	assert_int_equal(c.outcome, VGIC_OUTCOME_COMPLETED);
	assert_int_equal(c.interrupts, 4000);
	assert_true(c.overflow_entries > 0);
	vgic_cell_finish(&c);
	vgic_generator_destroy(g);
}

/* Without a file, and without memory that grows: the same, but for how each vCPU ends. */
static void feed_replays_the_same(void **state)
{
	for (int kind = 0; kind < VGIC_GENERATE_KINDS; kind++) {
		struct vgic_generator *g = make(kind, 6000, 2);
		struct vgic_generator_feed f;
		struct vgic_cell whole = replay(g, 4), fed;
		struct vgic_replay_config cfg = {.policy = vgic_policy_find("linux-7.3"),
						 .nr_lr = 4,
						 .seed = 1,
						 .has_tdir = true,
						 .feed = &f.feed};

		uint32_t vcpus = vgic_generator_config(g)->vcpus;

		vgic_generator_feed(g, &f);
		assert_int_equal(vgic_replay(vgic_generator_frame(g), &cfg, &fed), 0);
		assert_int_equal(fed.outcome, VGIC_OUTCOME_COMPLETED);
		/* A closed loop ends by the clock. */
		if (kind == VGIC_GENERATE_OVERFLOW) {
			assert_in_range(fed.interrupts, 5980, 6020);
			assert_in_range(fed.overflow_entries, 5960, 6020);
			fed.interrupts = whole.interrupts;
			fed.exits = whole.exits - vcpus;
			fed.overflow_entries = whole.overflow_entries;
		}
		assert_int_equal(fed.interrupts, whole.interrupts);
		assert_in_range(whole.mi - fed.mi, 0, vcpus);
		assert_int_equal(fed.merged, whole.merged);
		assert_in_range(fed.exits, whole.exits - 2 * vcpus, whole.exits - vcpus);
		assert_int_equal(fed.overflow_entries, whole.overflow_entries);
		vgic_cell_finish(&whole);
		vgic_cell_finish(&fed);
		vgic_generator_destroy(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(values_have_bounds),
		cmocka_unit_test(times_never_fall),
		cmocka_unit_test(rate_is_kept),
		cmocka_unit_test(seed_decides),
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(files_have_bounds),
		cmocka_unit_test(full_disk_is_said),
		cmocka_unit_test(feed_is_the_file),
		cmocka_unit_test(steady_never_overflows),
		cmocka_unit_test(burst_fills_and_drains),
		cmocka_unit_test(overflow_lasts),
		cmocka_unit_test(many_send_to_one_another),
		cmocka_unit_test(lines_are_lowered),
		cmocka_unit_test(mixed_has_everything),
		cmocka_unit_test(feed_replays_the_same),
		cmocka_unit_test(looks_left_out_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
