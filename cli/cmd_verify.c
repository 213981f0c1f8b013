// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <vgicsim/verify.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "policy_option.h"
#include "text.h"

struct verify_values {
	const char *policy;
	bool json, quiet;
	uint64_t limit;
};

/* In the table; more are not tried. */
#define MAX_POLICIES 32

#define AT(member) offsetof(struct verify_values, member)

static const struct option options[] = {
	{'P', "policy", OPT_STRING, AT(policy), "NAME", POLICY_OPTION_HELP, 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing, the exit status tells", 0, 0,
	 NULL},
	{'n', "max-report", OPT_NUMBER, AT(limit), "N", "show at most N mismatches", 0, UINT64_MAX,
	 NULL},
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

static void print_json(const struct state *s, const char *path, const struct vgic_policy *policy,
		       const struct vgr_header *h, const struct vgic_verify_totals *t)
{
	json_t *why = json_object(), *o;

	for (int i = 0; i < VGIC_NR_UNDECIDED; i++)
		json_object_set_new(why, vgic_undecided_key(i),
				    json_integer((json_int_t)t->undecided[i]));
	o = json_pack("{s:s, s:s, s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		      "s:I, s:I, s:I, s:I, s:o, s:O}",
		      "file", path, "kernel", h->kernel_release, "policy", policy->name, "nr_lr",
		      (int)h->nr_lr, "ok", !t->mismatches, "pairs", (json_int_t)t->pairs, "flushes",
		      (json_int_t)t->flushes, "syncs", (json_int_t)t->syncs, "checked_flushes",
		      (json_int_t)t->checked_flushes, "checked_syncs", (json_int_t)t->checked_syncs,
		      "sorted", (json_int_t)t->sorted, "overflowing", (json_int_t)t->overflowing,
		      "replayed", (json_int_t)t->replayed, "mismatches", (json_int_t)t->mismatches,
		      "mismatched_records", (json_int_t)t->mismatched_records, "undecided_records",
		      (json_int_t)t->undecided_records, "undecided", why, "mismatch_list", s->list);
	if (s->searched) {
		json_t *fits = json_array();

		for (unsigned int i = 0; i < s->nr_fits; i++)
			json_array_append_new(fits, json_string(s->fits[i]->name));
		json_object_set_new(o, "fits", fits);
	}
	cli_print_json(stdout, o, false);
}

static int no_memory(void)
{
	return cli_fail(EXIT_SOFTWARE, "not enough memory");
}

static bool has_probe(const struct vgr_header *h, const char *name)
{
	for (size_t i = 0; i < h->nr_probes; i++)
		if (strstr(h->probes[i].name, name) && strcmp(h->probes[i].method, "none"))
			return true;
	return false;
}

/* s NULL: nobody is told of mismatches, they are only counted. */
static int create(struct vgic_verify **v, const struct vgic_policy *policy,
		  const struct vgr_header *h, struct state *s, const char *path)
{
	struct vgic_verify_config cfg = {
		.policy = policy,
		.gicv2 = h->gic_host == 2,
		.nr_lr = h->nr_lr,
		.no_tdir = h->tdir == VGR_NO,
		.static_traps = h->static_traps,
		.has_levels = has_probe(h, "get_input_level"),
		.has_acked = has_probe(h, "kvm_notify_acked_irq"),
		.has_entries = has_probe(h, "kvm_entry"),
		.sees_boundary = !strcmp(h->kvm_mode, "VHE"),
		.opaque = s,
		.mismatch = s ? on_mismatch : NULL,
	};
	int err = vgic_verify_create(v, &cfg);

	if (err == -EINVAL)
		return cli_fail(EXIT_INPUT,
				"the number of list registers is not known: %s: record it again",
				path);
	return err ? no_memory() : EXIT_OK;
}

/* Feeds all records to n verifiers; EXIT_OK or the exit code of an error that was printed. */
static int feed(struct vgic_verify **v, unsigned int n, struct state *s, struct vgr_reader *r,
		const char *path)
{
	const struct vgr_rec *rec;
	int got, err = 0;

	while ((got = vgr_reader_next(r, &rec)) > 0) {
		text_gic_note(&s->gic, rec);
		if (!s->start)
			s->start = rec->time;
		for (unsigned int i = 0; i < n && !err; i++)
			err = vgic_verify_record(v[i], rec);
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
	}
	if (got < 0)
		return cli_fail_recording(path, vgr_reader_error(r));
	for (unsigned int i = 0; i < n; i++)
		if (vgic_verify_finish(v[i]))
			return no_memory();
	return EXIT_OK;
}

/*
 * Of the policies that were tried: the one that the release names if it fits, else the
 * newest that does, else the one with the fewest mismatches.
 */
static const struct vgic_policy *choose(struct state *s, struct vgic_verify **v, unsigned int n,
					const struct vgic_policy **tried, const char *release)
{
	const struct vgic_policy *named = vgic_policy_for_release(release), *best = NULL;
	uint64_t fewest = UINT64_MAX;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t mismatches = vgic_verify_totals(v[i])->mismatches;

		if (!mismatches)
			s->fits[s->nr_fits++] = tried[i];
		/* Of equals the newer one, unless the other is named. */
		if (mismatches < fewest || (mismatches == fewest && best != named))
			best = tried[i];
		if (mismatches < fewest)
			fewest = mismatches;
	}
	if (named && best != named)
		cli_warn("the release says %s, the recording says %s: kernel %s", named->name,
			 best->name, release);
	return best;
}

/* Runs every policy that a kernel was released with over the recording. */
static int search(struct state *s, struct vgr_reader *r, const char *path,
		  const struct vgic_policy **found)
{
	const struct vgr_header *h = vgr_reader_header(r);
	const struct vgic_policy *p, *tried[MAX_POLICIES];
	struct vgic_verify *v[MAX_POLICIES];
	unsigned int n = 0;
	int ret = EXIT_OK;

	for (size_t i = 0; !ret && n < MAX_POLICIES && (p = vgic_policy_at(i)); i++) {
		if (!p->last)
			continue;
		ret = create(&v[n], p, h, NULL, path);
		if (!ret)
			tried[n++] = p;
	}
	if (!ret)
		ret = feed(v, n, s, r, path);
	if (!ret) {
		s->searched = true;
		*found = choose(s, v, n, tried, h->kernel_release);
		if (vgr_reader_rewind(r))
			ret = cli_fail_recording(path, vgr_reader_error(r));
	}
	while (n)
		vgic_verify_destroy(v[--n]);
	return ret;
}

static int verify_file(const char *path, struct state *s, struct vgr_reader *r,
		       const struct vgic_policy *policy)
{
	const struct vgr_header *h = vgr_reader_header(r);
	const struct vgic_verify_totals *t;
	struct vgic_verify *v;
	int ret = create(&v, policy, h, s, path);

	if (ret)
		return ret;
	ret = feed(&v, 1, s, r, path);
	if (ret == EXIT_OK) {
		t = vgic_verify_totals(v);
		if (!t->flushes && !t->syncs) {
			cli_recording_ending(path, r);
			vgic_verify_destroy(v);
			return cli_fail(EXIT_INPUT,
					"nothing to verify: %s: it holds no flush and no sync",
					path);
		}
		if (s->v->json && !s->v->quiet)
			print_json(s, path, policy, h, t);
		else if (!s->v->quiet)
			print_text(s, path, policy, h, t);
		cli_recording_ending(path, r);
		ret = cli_finish_stdout();
		if (ret == EXIT_OK && t->mismatches)
			ret = EXIT_FINDING;
	}
	vgic_verify_destroy(v);
	return ret;
}

static int run(const void *values, const struct cli_args *args)
{
	struct state s = {.v = values};
	struct vgr_reader *r = cli_open_recording(args->v[0]);
	struct policy_option chosen = {0};
	int ret;

	if (!r)
		return EXIT_INPUT;
	s.list = json_array();
	text_gic_init(&s.gic, vgr_reader_header(r));
	if (strcmp(s.v->policy, "auto"))
		ret = policy_option_choose(&chosen, s.v->policy, vgr_reader_header(r), args->v[0]);
	else
		ret = search(&s, r, args->v[0], &chosen.policy);
	if (ret == EXIT_OK)
		ret = verify_file(args->v[0], &s, r, chosen.policy);
	policy_option_finish(&chosen);
	json_decref(s.list);
	vgr_reader_close(r);
	return ret;
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
	.examples = examples,
	.run = run,
};
