// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <vgicsim/verify.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "parts.h"
#include "policy_option.h"
#include "text.h"
#include "verify_machine.h"

struct verify_values {
	const char *policy;
	bool json, quiet;
	uint64_t limit, threads;
};

/* In the table; more are not tried. */
#define MAX_POLICIES 32
/* Records of a policy that may wait to be decided before the rest is left for later. */
#define PATIENCE     64
/* Records after which it is looked who has a mismatch. */
#define LOOK_EVERY   256

#define AT(member) offsetof(struct verify_values, member)

static const struct option options[] = {
	{'P', "policy", OPT_STRING, AT(policy), "NAME", POLICY_OPTION_HELP, 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing, the exit status tells", 0, 0,
	 NULL},
	{'n', "max-report", OPT_NUMBER, AT(limit), "N", "show at most N mismatches", 0, UINT64_MAX,
	 NULL},
	THREADS_OPTION(AT(threads)),
	{0},
};

static const struct verify_values defaults = {.policy = "auto", .limit = 20};

struct state {
	const struct verify_values *v;
	struct text_gic gic;
	uint64_t start, shown, last;
	json_t *list;
	/* With --policy auto, the policies that the recording has no mismatch with. */
	bool searched;
	unsigned int nr_fits;
	const struct vgic_policy *fits[MAX_POLICIES];
	json_t **wanted; /* JSON goes there; NULL: what was found is printed */
};

/* The record that a mismatch is about: what the rule was applied to. */
static void print_context(const struct state *s, const struct vgic_verify_mismatch *m)
{
	printf("    ");
	text_record(stdout, &s->gic, m->rec, s->start, true);
}

/* A value of the field that differs, as people read it; hexadecimal always. */
static void print_value(const char *field, uint64_t value)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} states[] = {
		{VGR_IRQ_LINE, "line"},
		{VGR_IRQ_LATCH, "latch"},
		{VGR_IRQ_ACTIVE, "active"},
		{VGR_IRQ_ENABLED, "enabled"},
		{VGR_IRQ_ON_LR, "on_lr"},
		{VGR_IRQ_LEVEL, "level"},
		{VGR_IRQ_HW, "hw"},
		{VGR_IRQ_GROUP1, "group1"},
		{VGR_IRQ_MAPPED, "mapped"},
		{VGR_IRQ_RESAMPLE, "resample"},
		{VGR_IRQ_GETLEVEL, "getlevel"},
	};
	const char *space = "";
	char lr[64];

	printf("0x%" PRIx64, value);
	if (!strcmp(field, "LR")) {
		printf(" (%s)", text_lr(lr, sizeof(lr), value, false, true));
	} else if (!strcmp(field, "state after")) {
		printf(" (");
		for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
			if (value & states[i].bit) {
				printf("%s%s", space, states[i].name);
				space = " ";
			}
		}
		printf(")");
	}
}

static void on_mismatch(void *opaque, const struct vgic_verify_mismatch *m)
{
	struct state *s = opaque;

	if (s->v->quiet || s->shown++ >= s->v->limit)
		return;
	if (s->v->json) {
		char kernel[24], model[24];
		json_t *j;

		snprintf(kernel, sizeof(kernel), "0x%" PRIx64, m->kernel);
		snprintf(model, sizeof(model), "0x%" PRIx64, m->model);
		j = json_pack("{s:I, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s}", "record",
			      (json_int_t)m->index, "type", vgr_type_name(m->rec->type), "vcpu",
			      (int)m->rec->vcpu, "cpu", (int)m->rec->cpu, "rule", m->rule, "text",
			      m->text, "field", m->field, "kernel", kernel, "model", model);
		if (m->intid != VGR_BOUNDARY_NONE)
			json_object_set_new(j, "intid", json_integer(m->intid));
		if (m->hint)
			json_object_set_new(j, "switch", json_string(m->hint));
		json_array_append_new(s->list, j);
		return;
	}
	printf("%s record %" PRIu64 ", vCPU %u: ", vgr_type_name(m->rec->type), m->index,
	       m->rec->vcpu);
	if (m->intid != VGR_BOUNDARY_NONE)
		printf("interrupt %" PRIu32 ", ", m->intid);
	printf("%s: kernel ", m->field);
	print_value(m->field, m->kernel);
	printf(", model ");
	print_value(m->field, m->model);
	printf("\n    %s: %s\n", m->rule, m->text);
	if (m->hint)
		printf("    %s\n", m->hint);
	if (m->index != s->last)
		print_context(s, m);
	s->last = m->index;
}

/* What the search for a policy has found, unless it is just the one that is used. */
static void print_fits(const struct state *s)
{
	if (!s->searched || s->nr_fits == 1)
		return;
	if (!s->nr_fits) {
		printf("  no policy fits: this is the one with the fewest mismatches\n");
		return;
	}
	for (unsigned int i = 0; i < s->nr_fits; i++)
		printf("%s%s", !i ? "  " : i + 1 == s->nr_fits ? " and " : ", ", s->fits[i]->name);
	printf(" fit: this recording does not tell them apart\n");
}

static void print_text(const struct state *s, const char *path, const struct vgic_policy *policy,
		       const struct vgr_header *h, const struct vgic_verify_totals *t)
{
	if (s->shown > s->v->limit)
		printf("and %" PRIu64 " more mismatches\n", s->shown - s->v->limit);
	printf("%s: kernel %s, %u list registers, policy %s\n", path,
	       *h->kernel_release ? h->kernel_release : "unknown", h->nr_lr, policy->name);
	print_fits(s);
	printf("  %" PRIu64 " flush/sync pairs; %" PRIu64 " of %" PRIu64 " flushes and %" PRIu64
	       " of %" PRIu64 " syncs compared\n",
	       t->pairs, t->checked_flushes, t->flushes, t->checked_syncs, t->syncs);
	printf("  %" PRIu64 " interrupt states; %" PRIu64 " lists sorted, %" PRIu64
	       " overflowing, %" PRIu64 " EOIcount deactivations\n",
	       t->irqs, t->sorted, t->overflowing, t->replayed);
	printf("  %" PRIu64 " not decidable", t->undecided_records);
	if (t->flushes + t->syncs)
		printf(" (%.3f %%)",
		       100.0 * t->undecided_records / (double)(t->flushes + t->syncs));
	printf("\n");
	for (int i = 0; i < VGIC_NR_UNDECIDED; i++)
		if (t->undecided[i])
			printf("    %" PRIu64 " %s\n", t->undecided[i], vgic_undecided_name(i));
	if (t->mismatches)
		printf("  %" PRIu64 " mismatches in %" PRIu64 " records\n", t->mismatches,
		       t->mismatched_records);
	else
		printf("  0 mismatches\n");
}

static json_t *to_json(const struct state *s, const char *path, const struct vgic_policy *policy,
		       const struct vgr_header *h, const struct vgic_verify_totals *t)
{
	json_t *why = json_object(), *o;

	for (int i = 0; i < VGIC_NR_UNDECIDED; i++)
		json_object_set_new(why, vgic_undecided_key(i),
				    json_integer((json_int_t)t->undecided[i]));
	o = json_pack("{s:o, s:s, s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		      "s:I, s:I, s:I, s:I, s:o, s:O}",
		      "file", cli_json_string(path), "kernel", h->kernel_release, "policy",
		      policy->name, "nr_lr", (int)h->nr_lr, "ok", !t->mismatches, "pairs",
		      (json_int_t)t->pairs, "flushes", (json_int_t)t->flushes, "syncs",
		      (json_int_t)t->syncs, "checked_flushes", (json_int_t)t->checked_flushes,
		      "checked_syncs", (json_int_t)t->checked_syncs, "sorted",
		      (json_int_t)t->sorted, "overflowing", (json_int_t)t->overflowing, "replayed",
		      (json_int_t)t->replayed, "mismatches", (json_int_t)t->mismatches,
		      "mismatched_records", (json_int_t)t->mismatched_records, "undecided_records",
		      (json_int_t)t->undecided_records, "undecided", why, "mismatch_list", s->list);
	if (s->searched) {
		json_t *fits = json_array();

		for (unsigned int i = 0; i < s->nr_fits; i++)
			json_array_append_new(fits, json_string(s->fits[i]->name));
		json_object_set_new(o, "fits", fits);
	}
	return o;
}

static int no_memory(void)
{
	return cli_fail(EXIT_SOFTWARE, "not enough memory");
}

/* s NULL: nobody is told of mismatches, they are only counted. */
static int create(struct vgic_verify **v, const struct vgic_policy *policy,
		  const struct vgr_header *h, struct state *s, unsigned int patience,
		  const char *path)
{
	struct vgic_verify_config cfg = verify_machine(h, policy);
	int err;

	cfg.patience = patience;
	cfg.opaque = s;
	cfg.mismatch = s ? on_mismatch : NULL;
	err = vgic_verify_create(v, &cfg);

	if (err == -EINVAL)
		return cli_fail(EXIT_INPUT,
				"the number of list registers is not known: %s: record it again",
				path);
	return err ? no_memory() : EXIT_OK;
}

/* Policies that may be the one of the recorded kernel, oldest first. */
struct candidates {
	unsigned int n;
	const struct vgic_policy *policy[MAX_POLICIES];
	struct vgic_verify *v[MAX_POLICIES]; /* NULL: out, or not asked this time */
};

static uint64_t mismatches(const struct vgic_verify *v)
{
	return vgic_verify_totals(v)->mismatches;
}

static void drop(struct candidates *c, unsigned int i)
{
	vgic_verify_destroy(c->v[i]);
	c->v[i] = NULL;
}

static void drop_mismatched(struct candidates *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (c->v[i] && mismatches(c->v[i]))
			drop(c, i);
}

/* Those that are in; their number. */
static unsigned int who_is_in(const struct candidates *c, struct vgic_verify **in)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->v[i])
			in[n++] = c->v[i];
	return n;
}

/*
 * Feeds all records to those that are in; one with a mismatch may be dropped, and with the last
 * of them it ends. EXIT_OK or the exit code of an error that was printed.
 */
static int feed(struct candidates *c, bool may_drop, struct state *s, struct vgr_reader *r,
		const char *path)
{
	struct vgic_verify *in[MAX_POLICIES];
	unsigned int nr_in = who_is_in(c, in);
	const struct vgr_rec *rec;
	uint64_t n = 0;
	int got = 0, err = 0;

	while (nr_in && (got = vgr_reader_next(r, &rec)) > 0) {
		text_gic_note(&s->gic, rec);
		if (!s->start)
			s->start = rec->time;
		for (unsigned int i = 0; i < nr_in && !err; i++)
			err = vgic_verify_record(in[i], rec);
		if (err == -EINVAL) {
			struct vgr_position pos;

			vgr_reader_position(r, &pos);
			return cli_fail(EXIT_INPUT,
					"record %" PRIu64
					" contradicts itself: %s: record it again",
					pos.record, path);
		}
		if (err)
			return no_memory();
		if (may_drop && !(++n % LOOK_EVERY)) {
			drop_mismatched(c);
			nr_in = who_is_in(c, in);
		}
	}
	if (got < 0)
		return cli_fail_recording(path, vgr_reader_error(r));
	for (unsigned int i = 0; i < nr_in; i++)
		if (vgic_verify_finish(in[i]))
			return no_memory();
	if (may_drop)
		drop_mismatched(c);
	return EXIT_OK;
}

/*
 * Of the policies that were tried: the one that the release names if it fits, else the
 * newest that does, else the one with the fewest mismatches. Its index.
 */
static unsigned int choose(struct state *s, const struct candidates *c, const char *release)
{
	const struct vgic_policy *named = vgic_policy_for_release(release);
	uint64_t fewest = UINT64_MAX;
	unsigned int best = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		if (!c->v[i])
			continue;
		if (!mismatches(c->v[i]))
			s->fits[s->nr_fits++] = c->policy[i];
		/* Of equals the newer one, unless the other is named. */
		if (mismatches(c->v[i]) < fewest ||
		    (mismatches(c->v[i]) == fewest && c->policy[best] != named))
			best = i;
		if (mismatches(c->v[i]) < fewest)
			fewest = mismatches(c->v[i]);
	}
	if (named && c->policy[best] != named)
		cli_warn("the release says %s, the recording says %s: kernel %s", named->name,
			 c->policy[best]->name, release);
	return best;
}

static int rewind_reader(struct vgr_reader *r, const char *path)
{
	return vgr_reader_rewind(r) ? cli_fail_recording(path, vgr_reader_error(r)) : EXIT_OK;
}

/* All that were tried, from the beginning: none fits, and the number of mismatches decides. */
static int count_all(struct candidates *c, struct state *s, struct vgr_reader *r, const char *path)
{
	int ret = rewind_reader(r, path);

	for (unsigned int i = 0; i < c->n && !ret; i++)
		ret = create(&c->v[i], c->policy[i], vgr_reader_header(r), NULL, 0, path);
	return ret ? ret : feed(c, false, s, r, path);
}

/* Those that ran out of patience, and whose waiting records told nothing, once more. */
static int run_rest(struct candidates *c, struct state *s, struct vgr_reader *r, const char *path)
{
	struct candidates rest = *c;
	bool any = false;
	int ret = EXIT_OK;

	for (unsigned int i = 0; i < c->n && !ret; i++) {
		rest.v[i] = NULL;
		if (!c->v[i] || vgic_verify_whole(c->v[i]))
			continue;
		drop(c, i);
		ret = create(&rest.v[i], c->policy[i], vgr_reader_header(r), NULL, 0, path);
		any = true;
	}
	if (!ret && any)
		ret = rewind_reader(r, path);
	if (!ret && any)
		ret = feed(&rest, true, s, r, path);
	for (unsigned int i = 0; i < c->n; i++)
		if (rest.v[i])
			c->v[i] = rest.v[i];
	return ret;
}

/* Runs every policy that a kernel was released with over the recording, until it mismatches. */
static int search(struct candidates *c, struct state *s, struct vgr_reader *r, const char *path,
		  unsigned int *best)
{
	const struct vgr_header *h = vgr_reader_header(r);
	const struct vgic_policy *p;
	bool any = false;
	int ret = EXIT_OK;

	for (size_t i = 0; !ret && c->n < MAX_POLICIES && (p = vgic_policy_at(i)); i++) {
		if (!p->last)
			continue;
		c->policy[c->n] = p;
		ret = create(&c->v[c->n++], p, h, NULL, PATIENCE, path);
	}
	if (!ret)
		ret = feed(c, true, s, r, path);
	if (!ret)
		ret = run_rest(c, s, r, path);
	for (unsigned int i = 0; i < c->n; i++)
		any |= c->v[i] != NULL;
	if (!ret && !any)
		ret = count_all(c, s, r, path);
	if (ret)
		return ret;
	s->searched = true;
	*best = choose(s, c, h->kernel_release);
	return EXIT_OK;
}

static int print_result(const char *path, struct state *s, struct vgr_reader *r,
			const struct vgic_policy *policy, const struct vgic_verify_totals *t)
{
	const struct vgr_header *h = vgr_reader_header(r);
	int ret;

	if (!t->flushes && !t->syncs) {
		cli_recording_ending(path, r);
		return cli_fail(EXIT_INPUT, "nothing to verify: %s: it holds no flush and no sync",
				path);
	}
	if (s->wanted) {
		*s->wanted = to_json(s, path, policy, h, t);
		cli_recording_ending(path, r);
		return EXIT_OK;
	}
	if (s->v->json && !s->v->quiet)
		cli_print_json(stdout, to_json(s, path, policy, h, t), false);
	else if (!s->v->quiet)
		print_text(s, path, policy, h, t);
	cli_recording_ending(path, r);
	ret = cli_finish_stdout();
	if (ret == EXIT_OK && t->mismatches)
		ret = EXIT_FINDING;
	return ret;
}

static int verify_file(const char *path, struct state *s, struct vgr_reader *r,
		       const struct vgic_policy *policy)
{
	struct candidates one = {.n = 1};
	int ret = create(&one.v[0], policy, vgr_reader_header(r), s, 0, path);

	if (ret)
		return ret;
	ret = feed(&one, false, s, r, path);
	if (ret == EXIT_OK)
		ret = print_result(path, s, r, policy, vgic_verify_totals(one.v[0]));
	vgic_verify_destroy(one.v[0]);
	return ret;
}

/* What fits has said all there is to say; the mismatches of another are still to be told. */
static int verify_auto(const char *path, struct state *s, struct vgr_reader *r)
{
	struct candidates c = {0};
	unsigned int best;
	int ret = search(&c, s, r, path, &best);

	if (!ret && s->nr_fits)
		ret = print_result(path, s, r, c.policy[best], vgic_verify_totals(c.v[best]));
	else if (!ret)
		ret = rewind_reader(r, path) ?: verify_file(path, s, r, c.policy[best]);
	for (unsigned int i = 0; i < c.n; i++)
		drop(&c, i);
	return ret;
}

static int read_file(const struct verify_values *v, const char *path, json_t **wanted)
{
	struct state s = {.v = v, .wanted = wanted};
	struct policy_option chosen = {0};
	struct vgr_reader *r = cli_open_pairs(path);
	int ret;

	if (!r)
		return EXIT_INPUT;
	s.list = json_array();
	text_gic_init(&s.gic, vgr_reader_header(r));
	if (!strcmp(v->policy, "auto")) {
		ret = verify_auto(path, &s, r);
	} else {
		ret = policy_option_choose(&chosen, v->policy, vgr_reader_header(r), path);
		if (ret == EXIT_OK)
			ret = verify_file(path, &s, r, chosen.policy);
		policy_option_finish(&chosen);
	}
	json_decref(s.list);
	vgr_reader_close(r);
	return ret;
}

int verify_json(const char *path, json_t **o)
{
	struct verify_values v = defaults;

	v.json = true;
	return read_file(&v, path, o);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct verify_values *v = values;

	cli_set_threads(v->threads);
	return read_file(v, args->v[0], NULL);
}

static const char *const examples[] = {
	"vgicsim verify run.vgr                      # exit status 0: no mismatch",
	"vgicsim verify -P linux-6.12 -n 5 run.vgr   # as another kernel would have done it",
	"vgicsim verify --json run.vgr | jq .undecided",
	NULL,
};

const struct command cmd_verify = {
	.name = "verify",
	.summary = "Recompute every flush and sync of a recording and compare",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct verify_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
