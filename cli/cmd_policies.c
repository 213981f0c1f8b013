// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "policy_option.h"

struct policies_values {
	bool diff, json;
};

#define AT(member) offsetof(struct policies_values, member)

static const struct option options[] = {
	{0, "diff", OPT_FLAG, AT(diff), NULL,
	 "print only the switches in which two policies differ", 0, 0, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{0},
};

/* "4.7 to 6.18", "7.2.10 to 7.2.x": as of policy.h, 255 stands for the rest of the series. */
static const char *kernels(const struct vgic_policy *p, char *buf, size_t size)
{
	unsigned int first = p->first & 0xff, last = p->last & 0xff;
	int n;

	if (!p->last)
		return "none";
	n = snprintf(buf, size, "%u.%u", p->first >> 16, p->first >> 8 & 0xff);
	if (first)
		n += snprintf(buf + n, size - (size_t)n, ".%u", first);
	if (p->first >> 8 == p->last >> 8 && !first && last == 255)
		return buf;
	n += snprintf(buf + n, size - (size_t)n, " to %u.%u", p->last >> 16, p->last >> 8 & 0xff);
	if (last != 255)
		snprintf(buf + n, size - (size_t)n, ".%u", last);
	else if (p->first >> 8 == p->last >> 8)
		snprintf(buf + n, size - (size_t)n, ".x");
	return buf;
}

static const char *value(const struct vgic_switch *s, const struct vgic_policy *p)
{
	return vgic_switch_value_name(s, vgic_switch_get(s, p));
}

/* Rules that a policy from outside brings as functions. */
static const char *replaced(const struct vgic_policy *p, unsigned int index)
{
	if (p->needs_sort && !index--)
		return "needs_sort";
	if (p->compare && !index--)
		return "compare";
	if (p->hcr && !index--)
		return "hcr";
	return NULL;
}

static json_t *replaced_json(const struct vgic_policy *p)
{
	json_t *list = json_array();
	const char *name;

	for (unsigned int i = 0; (name = replaced(p, i)); i++)
		json_array_append_new(list, json_string(name));
	return list;
}

static json_t *policy_json(const struct vgic_policy *p)
{
	char buf[48];

	return json_pack("{s:s, s:s?, s:s, s:s?}", "name", p->name, "alias", p->alias, "kernels",
			 kernels(p, buf, sizeof(buf)), "summary", p->summary);
}

static json_t *switch_json(const struct vgic_switch *s)
{
	json_t *values = json_array();

	for (unsigned int i = 0; i < vgic_switch_values(s); i++)
		json_array_append_new(values, json_string(vgic_switch_value_name(s, i)));
	return json_pack("{s:s, s:o, s:s, s:s, s:s}", "switch", s->name, "values", values, "rule",
			 s->rule, "origin", s->origin, "text", s->text);
}

/* ---- the list ---- */

static void list(bool json)
{
	const struct vgic_policy *p;
	json_t *array = json_array();
	char buf[48];

	if (!json)
		printf("%-12s %-8s %-16s %s\n", "policy", "alias", "kernels", "what it is");
	for (size_t i = 0; (p = vgic_policy_at(i)); i++) {
		if (json)
			json_array_append_new(array, policy_json(p));
		else
			printf("%-12s %-8s %-16s %s\n", p->name, p->alias ? p->alias : "-",
			       kernels(p, buf, sizeof(buf)), p->summary);
	}
	if (json)
		cli_print_json(stdout, array, false);
	else
		json_decref(array);
}

/* ---- one policy ---- */

static void show_json(const struct vgic_policy *p)
{
	json_t *o = policy_json(p), *array = json_array();
	const struct vgic_switch *s;

	for (size_t i = 0; (s = vgic_switch_at(i)); i++) {
		json_t *j = switch_json(s);

		json_object_set_new(j, "value", json_string(value(s, p)));
		json_array_append_new(array, j);
	}
	json_object_set_new(o, "switches", array);
	json_object_set_new(o, "functions", replaced_json(p));
	cli_print_json(stdout, o, false);
}

static void show(const struct vgic_policy *p)
{
	const struct vgic_switch *s;
	const char *function;
	char buf[48];

	printf("%s: %s\n", p->name, p->summary ? p->summary : "no summary");
	if (p->alias)
		printf("alias %s\n", p->alias);
	printf("kernels: %s\n\n", kernels(p, buf, sizeof(buf)));
	for (size_t i = 0; (s = vgic_switch_at(i)); i++)
		printf("%s=%s\n    %s\n    %s%s%s\n", s->name, value(s, p), s->text,
		       strcmp(s->rule, "-") ? s->rule : "", strcmp(s->rule, "-") ? "; " : "",
		       s->origin);
	for (unsigned int i = 0; (function = replaced(p, i)); i++)
		printf("%s(): the policy's own, in place of the switches for it\n", function);
}

/* ---- two policies ---- */

static void diff_json(const struct vgic_policy *a, const struct vgic_policy *b)
{
	json_t *array = json_array();
	const struct vgic_switch *s;

	for (size_t i = 0; (s = vgic_switch_at(i)); i++) {
		json_t *j;

		if (vgic_switch_get(s, a) == vgic_switch_get(s, b))
			continue;
		j = switch_json(s);
		json_object_set_new(j, "a", json_string(value(s, a)));
		json_object_set_new(j, "b", json_string(value(s, b)));
		json_array_append_new(array, j);
	}
	cli_print_json(stdout,
		       json_pack("{s:s, s:s, s:o, s:o, s:o}", "a", a->name, "b", b->name,
				 "differences", array, "functions_a", replaced_json(a),
				 "functions_b", replaced_json(b)),
		       false);
}

static void diff(const struct vgic_policy *a, const struct vgic_policy *b)
{
	const struct vgic_policy *const sides[2] = {a, b};
	const struct vgic_switch *s;
	const char *function;
	unsigned int n = 0;

	for (size_t i = 0; (s = vgic_switch_at(i)); i++) {
		char both[64];

		if (vgic_switch_get(s, a) == vgic_switch_get(s, b))
			continue;
		snprintf(both, sizeof(both), "%s -> %s", value(s, a), value(s, b));
		printf("%-24s %-18s %s: %s\n", s->name, both, s->origin, s->text);
		n++;
	}
	for (int side = 0; side < 2; side++)
		for (unsigned int i = 0; (function = replaced(sides[side], i)); i++, n++)
			printf("%-24s only of %s\n", function, sides[side]->name);
	if (!n)
		printf("%s and %s do the same\n", a->name, b->name);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct policies_values *v = values;
	struct policy_option chosen[2] = {0};
	int code = EXIT_OK;

	if (v->diff ? args->n != 2 : args->n > 1)
		return cli_fail(EXIT_USAGE, "%s: see 'vgicsim policies --help'",
				v->diff ? "--diff takes two policies" : "two policies need --diff");
	for (int i = 0; i < args->n && !code; i++)
		code = policy_option_choose(&chosen[i], args->v[i], NULL, NULL);
	if (!code) {
		if (v->diff)
			(v->json ? diff_json : diff)(chosen[0].policy, chosen[1].policy);
		else if (args->n)
			(v->json ? show_json : show)(chosen[0].policy);
		else
			list(v->json);
		code = cli_finish_stdout();
	}
	for (int i = 0; i < 2; i++)
		policy_option_finish(&chosen[i]);
	return code;
}

static const char *const examples[] = {
	"vgicsim policies                                   # the generations there are",
	"vgicsim policies linux-7.3+replay=whole            # every switch, and what it does",
	"vgicsim policies --diff linux-6.12 linux-6.19      # what changed, by which patch",
	NULL,
};

const struct command cmd_policies = {
	.name = "policies",
	.summary = "The generations of KVM's vgic that are known, and what differs between them",
	.usage = "[OPTIONS] [POLICY | --diff A B]",
	.options = options,
	.values_size = sizeof(struct policies_values),
	.min_args = 0,
	.max_args = 2,
	.examples = examples,
	.run = run,
};
