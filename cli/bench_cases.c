// SPDX-License-Identifier: GPL-2.0-only
/* What is measured: reading, checking, verifying and deriving a recording, and replays. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/check.h>
#include <vgicsim/inflate.h>
#include <vgicsim/replay.h>
#include <vgicsim/verify.h>
#include "bench.h"
#include "condition.h"
#include "demand_file.h"
#include "exit.h"
#include "flight.h"
#include "output.h"
#include "policy_option.h"
#include "verify_machine.h"

/* Records of a recording that are kept in memory, bytes. */
#define MAX_KEPT (1u << 30)

#define FLIGHT_MEMORY (8u << 20)

struct state {
	const struct bench_load *load;
	struct policy_option chosen;
	struct vgr_reader *reader;
	char *records; /* of the whole recording */
	size_t size, cap;
	struct demand demand;
	struct vgic_generator *generator;
	struct vgic_replay_config config;
};

static int no_memory(const struct bench_load *load)
{
	return cli_fail(EXIT_SOFTWARE, "no memory: %s",
			load->path ? load->path : load->choice.kind);
}

static int state_open(struct state **out, const struct bench_load *load)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return no_memory(load);
	(*out)->load = load;
	return EXIT_OK;
}

static void state_close(void *opaque)
{
	struct state *s = opaque;

	if (!s)
		return;
	policy_option_finish(&s->chosen);
	demand_finish(&s->demand);
	vgic_generator_destroy(s->generator);
	vgr_reader_close(s->reader);
	free(s->records);
	free(s);
}

/* ---- a recording ---- */

static int open_reader(void **state, const struct bench_load *load)
{
	struct vgr_error err;
	struct state *s;
	int code = state_open(&s, load);

	*state = s;
	if (code)
		return code;
	/* Decoded by the thread that is measured. */
	if (vgr_reader_open(&s->reader, load->path, NULL, &err))
		return cli_fail_recording(load->path, &err);
	return policy_option_choose(&s->chosen, load->policy, vgr_reader_header(s->reader),
				    load->path);
}

static int rewind_reader(struct state *s)
{
	if (vgr_reader_rewind(s->reader))
		return cli_fail_recording(s->load->path, vgr_reader_error(s->reader));
	return EXIT_OK;
}

static int decode_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;
	const struct vgr_rec *rec;
	int code = rewind_reader(s), got;

	if (code)
		return code;
	while ((got = vgr_reader_next(s->reader, &rec)) > 0)
		(*items)++;
	return got ? cli_fail_recording(s->load->path, vgr_reader_error(s->reader)) : EXIT_OK;
}

/* ---- the frames of a recording, by Zstandard alone ---- */

struct frames {
	const struct bench_load *load;
	struct vgr_inflate *inflate;
};

static int open_frames(void **state, const struct bench_load *load)
{
	struct frames *f = calloc(1, sizeof(*f));
	struct vgr_error err;
	int ret;

	*state = f;
	if (!f)
		return no_memory(load);
	f->load = load;
	ret = vgr_inflate_open(&f->inflate, load->path, &err);
	if (ret == -ENOMEM)
		return no_memory(load);
	return ret ? cli_fail_recording(load->path, &err) : EXIT_OK;
}

static int inflate_pass(void *state, uint64_t *items)
{
	struct frames *f = state;
	uint64_t bytes = 0;

	if (vgr_inflate_pass(f->inflate, items, &bytes))
		return cli_fail(EXIT_INPUT, "a frame does not decompress: %s: see 'vgicsim check'",
				f->load->path);
	return EXIT_OK;
}

static void close_frames(void *state)
{
	struct frames *f = state;

	if (f)
		vgr_inflate_close(f->inflate);
	free(f);
}

/* ---- what works on records ---- */

static void no_report(void *ctx, const struct vgr_finding *f)
{
}

static int check_pass(void *opaque, uint64_t *items)
{
	struct vgr_check_result result;
	struct state *s = opaque;
	int code = rewind_reader(s), ret;

	if (code)
		return code;
	ret = vgr_check(s->reader, no_report, NULL, &result);
	if (ret == -ENOMEM)
		return no_memory(s->load);
	if (ret)
		return cli_fail_recording(s->load->path, vgr_reader_error(s->reader));
	*items += result.records;
	return EXIT_OK;
}

static int create_verifier(struct state *s, struct vgic_verify **v)
{
	struct vgic_verify_config c =
		verify_machine(vgr_reader_header(s->reader), s->chosen.policy);
	int ret = vgic_verify_create(v, &c);

	if (ret == -EINVAL)
		return cli_fail(EXIT_INPUT,
				"the number of list registers is not known: %s: record it again",
				s->load->path);
	return ret ? no_memory(s->load) : EXIT_OK;
}

static int close_verifier(struct state *s, struct vgic_verify *v, int ret, uint64_t *items)
{
	if (!ret)
		ret = vgic_verify_finish(v);
	if (!ret)
		*items += vgic_verify_totals(v)->pairs;
	vgic_verify_destroy(v);
	if (ret == -EINVAL)
		return cli_fail(EXIT_INPUT, "a record contradicts itself: %s: record it again",
				s->load->path);
	return ret ? no_memory(s->load) : EXIT_OK;
}

static int verify_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;
	const struct vgr_rec *rec;
	struct vgic_verify *v;
	int code = rewind_reader(s), got, ret = 0;

	if (!code)
		code = create_verifier(s, &v);
	if (code)
		return code;
	while (!ret && (got = vgr_reader_next(s->reader, &rec)) > 0)
		ret = vgic_verify_record(v, rec);
	if (!ret && got < 0) {
		vgic_verify_destroy(v);
		return cli_fail_recording(s->load->path, vgr_reader_error(s->reader));
	}
	return close_verifier(s, v, ret, items);
}

/* All records, one after the other, as a reader gives them. */
static int keep_records(struct state *s)
{
	const struct vgr_rec *rec;
	int got;

	while ((got = vgr_reader_next(s->reader, &rec)) > 0) {
		size_t size = (rec->size + 7u) & ~(size_t)7;

		if (s->size + size > MAX_KEPT)
			return cli_fail(EXIT_INPUT,
					"too long to be kept in memory: %s: leave case recompute "
					"out",
					s->load->path);
		if (s->size + size > s->cap) {
			size_t cap = 2 * s->cap + size + 65536;
			char *p = realloc(s->records, cap);

			if (!p)
				return no_memory(s->load);
			s->records = p;
			s->cap = cap;
		}
		memcpy(s->records + s->size, rec, rec->size);
		s->size += size;
	}
	return got ? cli_fail_recording(s->load->path, vgr_reader_error(s->reader)) : EXIT_OK;
}

static int open_records(void **state, const struct bench_load *load)
{
	int code = open_reader(state, load);

	return code ? code : keep_records(*state);
}

static int recompute_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;
	struct vgic_verify *v;
	int code = create_verifier(s, &v), ret = 0;

	if (code)
		return code;
	for (size_t at = 0; !ret && at < s->size;) {
		const struct vgr_rec *rec = (const void *)(s->records + at);

		ret = vgic_verify_record(v, rec);
		at += (rec->size + 7u) & ~(size_t)7;
	}
	return close_verifier(s, v, ret, items);
}

/* What 'vgicsim record --trigger' does with each record for as long as nothing happens. */
static int trigger_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;
	const struct vgr_header *h = vgr_reader_header(s->reader);
	struct vgic_condition condition;
	struct condition_error err;
	struct flight_opts opts = {.condition = &condition, .memory = FLIGHT_MEMORY, .header = h};
	struct flight *f;
	int ret;

	if (condition_parse("raise-to-lr > 1h or wait > 1h or overflow > 1000000 or "
			    "exits > 1000000000/s or mi > 1000000000/s",
			    &condition, &err))
		return EXIT_SOFTWARE;
	ret = flight_create(&f, &opts);
	for (size_t at = 0; !ret && at < s->size;) {
		const struct vgr_rec *rec = (const void *)(s->records + at);

		ret = flight_take(f, rec);
		at += (rec->size + 7u) & ~(size_t)7;
		++*items;
	}
	flight_destroy(f);
	return ret ? no_memory(s->load) : EXIT_OK;
}

/* A thread is measured, not what others do for it. */
static const struct demand_wishes alone = {.alone = true};

static int derive_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;
	int code = rewind_reader(s);

	if (!code)
		code = demand_read(&s->demand, s->load->path, s->reader, s->chosen.policy, &alone);
	*items += s->demand.pairs;
	demand_finish(&s->demand);
	return code;
}

/* ---- replays ---- */

static int replay(struct state *s, const struct vgic_workload *wl, uint64_t *items)
{
	const char *what = s->load->path ? s->load->path : s->load->choice.kind;
	struct vgic_cell cell;
	int ret = vgic_replay(wl, &s->config, &cell);

	if (ret == -ENOMEM)
		return no_memory(s->load);
	if (ret)
		return cli_fail(EXIT_INPUT,
				"replay with %u LRs failed: %s: this is no demand of a guest",
				s->config.nr_lr, what);
	*items += cell.interrupts;
	ret = cell.outcome == VGIC_OUTCOME_LIVELOCK;
	vgic_cell_finish(&cell);
	if (ret)
		return cli_fail(EXIT_INPUT,
				"a live-lock with %u LRs: %s: measure with another number of them",
				s->config.nr_lr, what);
	return EXIT_OK;
}

static int open_demand(void **state, const struct bench_load *load)
{
	int code = open_reader(state, load);
	struct state *s = *state;

	if (!code)
		code = demand_read(&s->demand, load->path, s->reader, s->chosen.policy, &alone);
	if (code)
		return code;
	demand_machine(&s->config, vgr_reader_header(s->reader), &s->demand);
	s->config.policy = s->chosen.policy;
	s->config.nr_lr = load->nr_lr;
	return EXIT_OK;
}

static int replay_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;

	return replay(s, s->demand.workload, items);
}

/* With every number of list registers; a live-lock of too few ends by itself. */
static int sweep_pass(void *opaque, uint64_t *items)
{
	struct state *s = opaque;

	for (unsigned int n = 1; n <= 16; n++) {
		struct vgic_cell cell;
		int ret;

		s->config.nr_lr = n;
		ret = vgic_replay(s->demand.workload, &s->config, &cell);
		if (ret == -ENOMEM)
			return no_memory(s->load);
		if (ret)
			return cli_fail(EXIT_INPUT,
					"replay with %u LRs failed: %s: this is no demand of a "
					"guest",
					n, s->load->path);
		*items += cell.interrupts;
		vgic_cell_finish(&cell);
	}
	return EXIT_OK;
}

static int open_generated(void **state, const struct bench_load *load)
{
	struct vgw description;
	struct state *s;
	int code = state_open(&s, load);

	*state = s;
	if (!code)
		code = generated_create(&s->generator, &load->choice);
	if (code)
		return code;
	generated_describe(&description, s->generator);
	code = policy_option_choose(&s->chosen, load->policy, &description.header,
				    load->choice.kind);
	s->config = (struct vgic_replay_config){
		.policy = s->chosen.policy,
		.nr_lr = load->nr_lr,
		.seed = 1,
		.has_tdir = true,
	};
	return code;
}

static int generated_pass(void *opaque, uint64_t *items)
{
	struct vgic_generator_feed feed;
	struct state *s = opaque;
	int code;

	vgic_generator_feed(s->generator, &feed);
	s->config.feed = &feed.feed;
	code = replay(s, vgic_generator_frame(s->generator), items);
	s->config.feed = NULL;
	return code;
}

#define RECORDING(name, item, open, pass, help)                 \
	{                                                       \
		name, item, help, NULL, open, pass, state_close \
	}
#define GENERATED(name, help)                                                              \
	{                                                                                  \
		name, "interrupt", help, name, open_generated, generated_pass, state_close \
	}

static const struct bench_case cases[] = {
	{"inflate", "record", "decompress its frames, and nothing else", NULL, open_frames,
	 inflate_pass, close_frames},
	RECORDING("decode", "record", open_reader, decode_pass, "read every record"),
	RECORDING("check", "record", open_reader, check_pass, "as 'vgicsim check'"),
	RECORDING("verify", "pair", open_reader, verify_pass,
		  "as 'vgicsim verify' with its kernel's policy"),
	RECORDING("recompute", "pair", open_records, recompute_pass,
		  "the same, but the records are in memory already"),
	RECORDING("trigger", "record", open_records, trigger_pass,
		  "kept and looked at as by 'vgicsim record --trigger'"),
	RECORDING("derive", "pair", open_reader, derive_pass, "as 'vgicsim derive'"),
	RECORDING("replay", "interrupt", open_demand, replay_pass,
		  "its demand, with the LRs of --lrs"),
	RECORDING("sweep", "interrupt", open_demand, sweep_pass, "its demand, with 1 to 16 LRs"),
	GENERATED("steady", "replay: one interrupt at a time, none overflows"),
	GENERATED("burst", "replay: 16 at a time"),
	GENERATED("overflow", "replay: 12 in flight nearly all the time"),
	GENERATED("many", "replay: 16 vCPUs that send SGIs"),
	GENERATED("level", "replay: level-triggered ones"),
	GENERATED("mixed", "replay: of every kind, nested, on 4 vCPUs"),
};

#define NR_CASES (sizeof(cases) / sizeof(cases[0]))

const struct bench_case *bench_case_at(size_t i)
{
	return i < NR_CASES ? &cases[i] : NULL;
}

const struct bench_case *bench_case_find(const char *name)
{
	for (size_t i = 0; i < NR_CASES; i++)
		if (!strcmp(cases[i].name, name))
			return &cases[i];
	return NULL;
}
