// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <vgicsim/invariants.h>
#include "check_invariants.h"
#include "exit.h"
#include "output.h"
#include "policy_option.h"
#include "text.h"

struct state {
	const struct check_invariants_opts *opts;
	uint64_t start, last;
	uint64_t shown[VGIC_NR_INVARIANTS + 1];
	json_t *list;
	struct text_gic gic;
};

static json_t *violation_json(const struct vgic_violation *v)
{
	json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:i, s:i, s:i}", "rule",
			      (int)v->rule, "part", (char[]){v->part, '\0'}, "name", v->name,
			      "text", v->text, "what", v->what, "record", (json_int_t)v->index,
			      "type", vgr_type_name(v->rec->type), "time", (json_int_t)v->rec->time,
			      "vm", (int)v->vm, "vcpu", (int)v->vcpu, "cpu", (int)v->rec->cpu);

	if (v->intid != VGR_BOUNDARY_NONE)
		json_object_set_new(j, "intid", json_integer(v->intid));
	if (v->cause)
		json_object_set_new(j, "cause", json_integer((json_int_t)v->cause));
	if (v->known)
		json_object_set_new(j, "known", json_string(v->known));
	if (v->promise)
		json_object_set_new(j, "promise", json_string(v->promise));
	return j;
}

static void on_violation(void *opaque, const struct vgic_violation *v)
{
	struct state *s = opaque;

	if (s->opts->quiet || s->shown[v->rule]++ >= s->opts->limit)
		return;
	if (s->opts->json) {
		json_array_append_new(s->list, violation_json(v));
		return;
	}
	printf("%s record %" PRIu64 ", vCPU %u, rule %u%c", vgr_type_name(v->rec->type), v->index,
	       v->vcpu, v->rule, v->part);
	if (v->intid != VGR_BOUNDARY_NONE)
		printf(", interrupt %" PRIu32, v->intid);
	if (v->known)
		printf(" [%s]", v->known);
	printf(": %s\n    %s: %s", v->what, v->name, v->text);
	if (v->promise)
		printf(" (%s)", v->promise);
	printf("\n");
	if (v->cause)
		printf("    cause: record %" PRIu64 "\n", v->cause);
	if (v->index != s->last) {
		printf("    ");
		text_record(stdout, &s->gic, v->rec, s->start, true);
	}
	s->last = v->index;
}

static bool has_probe(const struct vgr_header *h, const char *name)
{
	for (size_t i = 0; i < h->nr_probes; i++)
		if (strstr(h->probes[i].name, name) && strcmp(h->probes[i].method, "none"))
			return true;
	return false;
}

static void print_text(const struct state *s, const char *path, const struct vgic_policy *policy,
		       const struct vgr_header *h, const struct vgic_invariants_totals *t)
{
	for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++)
		if (s->shown[rule] > s->opts->limit)
			printf("rule %d: and %" PRIu64 " more\n", rule,
			       s->shown[rule] - s->opts->limit);
	printf("%s: kernel %s, %u list registers, promises of %s%s\n", path,
	       *h->kernel_release ? h->kernel_release : "unknown", h->nr_lr, policy->name,
	       s->opts->strict ? ", judged by the newest" : "");
	printf("  %" PRIu64 " flush/sync pairs, %" PRIu64 " deactivations followed\n", t->pairs,
	       t->deactivations);
	printf("  rule                            evaluated   violated  undecided\n");
	for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++)
		printf("  %2d %-28s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", rule,
		       vgic_invariant_at(rule)->name, t->rules[rule].evaluated,
		       t->rules[rule].violated, t->rules[rule].undecided);
	for (int i = 0; i < VGIC_NR_UNDECIDED; i++)
		if (t->undecided[i])
			printf("  undecided: %" PRIu64 " %s\n", t->undecided[i],
			       vgic_undecided_name(i));
	printf("  %" PRIu64 " violations\n", t->violations);
}

static void print_json(const struct state *s, const char *path, const struct vgic_policy *policy,
		       const struct vgr_header *h, const struct vgic_invariants_totals *t)
{
	json_t *rules = json_array(), *why = json_object();

	for (int rule = 1; rule <= VGIC_NR_INVARIANTS; rule++) {
		const struct vgic_invariant *info = vgic_invariant_at(rule);
		const struct vgic_invariant_totals *r = &t->rules[rule];
		json_t *j =
			json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:I}", "rule", rule, "name",
				  info->name, "text", info->text, "follows", info->follows,
				  "evaluated", (json_int_t)r->evaluated, "violated",
				  (json_int_t)r->violated, "undecided", (json_int_t)r->undecided);

		if (info->undecidable)
			json_object_set_new(j, "undecidable", json_string(info->undecidable));
		json_array_append_new(rules, j);
	}
	for (int i = 0; i < VGIC_NR_UNDECIDED; i++)
		json_object_set_new(why, vgic_undecided_key(i),
				    json_integer((json_int_t)t->undecided[i]));
	cli_print_json(
		stdout,
		json_pack("{s:s, s:s, s:s, s:b, s:i, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:O}",
			  "file", path, "kernel", h->kernel_release, "policy", policy->name,
			  "strict", s->opts->strict, "nr_lr", (int)h->nr_lr, "ok", !t->violations,
			  "records", (json_int_t)t->records, "pairs", (json_int_t)t->pairs,
			  "deactivations", (json_int_t)t->deactivations, "violations_total",
			  (json_int_t)t->violations, "rules", rules, "undecided", why, "violations",
			  s->list),
		false);
}

static int feed(struct vgic_invariants *inv, struct state *s, struct vgr_reader *r,
		const char *path)
{
	const struct vgr_rec *rec;
	int got;

	while ((got = vgr_reader_next(r, &rec)) > 0) {
		if (!s->start)
			s->start = rec->time;
		text_gic_note(&s->gic, rec);
		if (vgic_invariants_record(inv, rec))
			return cli_fail(EXIT_SOFTWARE, "not enough memory");
	}
	if (got < 0)
		return cli_fail_recording(path, vgr_reader_error(r));
	vgic_invariants_finish(inv);
	return EXIT_OK;
}

static int check_reader(const char *path, struct state *s, struct vgr_reader *r,
			const struct vgic_policy *policy)
{
	const struct vgr_header *h = vgr_reader_header(r);
	const struct vgic_invariants_totals *t;
	struct vgic_invariants *inv;
	int ret;

	text_gic_init(&s->gic, h);
	ret = vgic_invariants_create(&inv, &(struct vgic_invariants_config){
						   .policy = policy,
						   .strict = s->opts->strict,
						   .nr_lr = h->nr_lr,
						   .gicv2 = h->gic_host == 2,
						   .model_v2 = h->vgic_model == 2,
						   .has_mmio = has_probe(h, "kvm_mmio"),
						   .opaque = s,
						   .violation = on_violation,
					   });
	if (ret == -EINVAL)
		return cli_fail(EXIT_INPUT,
				"the number of list registers is not known: %s: record it again",
				path);
	if (ret)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	ret = feed(inv, s, r, path);
	t = vgic_invariants_totals(inv);
	if (ret == EXIT_OK && !t->flushes && !t->syncs) {
		cli_recording_ending(path, r);
		ret = cli_fail(EXIT_INPUT, "nothing to check: %s: it holds no flush and no sync",
			       path);
	} else if (ret == EXIT_OK) {
		if (s->opts->json && !s->opts->quiet)
			print_json(s, path, policy, h, t);
		else if (!s->opts->quiet)
			print_text(s, path, policy, h, t);
		cli_recording_ending(path, r);
		ret = cli_finish_stdout();
		if (ret == EXIT_OK && t->violations)
			ret = EXIT_FINDING;
	}
	vgic_invariants_destroy(inv);
	return ret;
}

int check_invariants(const char *path, const struct check_invariants_opts *opts)
{
	struct state s = {.opts = opts};
	struct vgr_reader *r = cli_open_pairs(path);
	struct policy_option chosen;
	int ret;

	if (!r)
		return EXIT_INPUT;
	s.list = json_array();
	ret = policy_option_choose(&chosen, opts->policy, vgr_reader_header(r), path);
	if (ret == EXIT_OK)
		ret = check_reader(path, &s, r, chosen.policy);
	policy_option_finish(&chosen);
	json_decref(s.list);
	vgr_reader_close(r);
	return ret;
}
