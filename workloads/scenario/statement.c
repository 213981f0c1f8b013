// SPDX-License-Identifier: GPL-2.0-only
/* The second part of a scenario: what happens, line by line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum args {
	ARGS_NONE,
	ARGS_IDS, /* 32..35 */
	ARGS_IDS_OR_NOT,
	ARGS_ACK,	/* 32 33, none, or nothing; from N */
	ARGS_IDS_VALUE, /* 32 = 0x60 */
	ARGS_NUMBER,
	ARGS_COUNT, /* a number, 1 if there is none */
	ARGS_ON_OFF,
	ARGS_HANDLE,
	ARGS_WAIT,
	ARGS_SGI,
	ARGS_LPIS,
	ARGS_MOVALL,
	ARGS_INV,
	ARGS_TEXT,
};

/* Who does it. */
#define VCPU  1 /* a vCPU */
#define GUEST 2 /* the guest on a vCPU by an access that exits, or the VMM with "user" */
#define HOST  0

struct verb {
	const char *word;
	enum op op;
	enum args args;
	int who;
	int8_t group;
	uint32_t max;
};

static const struct verb verbs[] = {
	{"enter", OP_ENTER, ARGS_NONE, VCPU, -1, 0},
	{"exit", OP_EXIT, ARGS_NONE, VCPU, -1, 0},
	{"leave", OP_LEAVE, ARGS_NONE, VCPU, -1, 0},
	{"sync", OP_SYNC, ARGS_NONE, VCPU, -1, 0},
	{"call-off", OP_CALL_OFF, ARGS_NONE, VCPU, -1, 0},
	{"tick", OP_TICK, ARGS_NONE, VCPU, -1, 0},
	{"preempt", OP_PREEMPT, ARGS_NONE, VCPU, -1, 0},
	{"run-on", OP_RUN_ON, ARGS_NUMBER, VCPU, -1, VGIC_HOST_MAX_VCPUS - 1},
	{"ack", OP_ACK, ARGS_ACK, VCPU, -1, 0},
	{"ack0", OP_ACK, ARGS_ACK, VCPU, 0, 0},
	{"ack1", OP_ACK, ARGS_ACK, VCPU, 1, 0},
	{"eoi", OP_EOI, ARGS_IDS_OR_NOT, VCPU, -1, 0},
	{"eoi0", OP_EOI, ARGS_IDS_OR_NOT, VCPU, 0, 0},
	{"eoi1", OP_EOI, ARGS_IDS_OR_NOT, VCPU, 1, 0},
	{"dir", OP_DIR, ARGS_IDS_OR_NOT, VCPU, -1, 0},
	{"nested-end", OP_NESTED_END, ARGS_IDS, VCPU, -1, 0},
	{"handle", OP_HANDLE, ARGS_HANDLE, VCPU, -1, 0},
	{"wait", OP_WAIT, ARGS_WAIT, VCPU, -1, 0},
	{"step", OP_STEP, ARGS_COUNT, VCPU, -1, 10000},
	{"wfi", OP_WFI, ARGS_NONE, VCPU, -1, 0},
	{"mmio", OP_MMIO, ARGS_NONE, VCPU, -1, 0},
	{"pmr", OP_PMR, ARGS_NUMBER, VCPU, -1, 0xff},
	{"bpr0", OP_BPR, ARGS_NUMBER, VCPU, 0, 0xff},
	{"bpr1", OP_BPR, ARGS_NUMBER, VCPU, 1, 0xff},
	{"apr0", OP_APR, ARGS_NUMBER, VCPU, 0, 0xff},
	{"apr1", OP_APR, ARGS_NUMBER, VCPU, 1, 0xff},
	{"group0", OP_IGRPEN, ARGS_ON_OFF, VCPU, 0, 0},
	{"group1", OP_IGRPEN, ARGS_ON_OFF, VCPU, 1, 0},
	{"eoimode", OP_EOIMODE, ARGS_NUMBER, VCPU, -1, 1},
	{"cbpr", OP_CBPR, ARGS_ON_OFF, VCPU, -1, 0},
	{"sgi", OP_SGI, ARGS_SGI, VCPU, -1, 0},
	{"enable", OP_ENABLE, ARGS_IDS, GUEST, -1, 0},
	{"disable", OP_DISABLE, ARGS_IDS, GUEST, -1, 0},
	{"set-pending", OP_SET_PENDING, ARGS_IDS, GUEST, -1, 0},
	{"clear-pending", OP_CLEAR_PENDING, ARGS_IDS, GUEST, -1, 0},
	{"set-active", OP_SET_ACTIVE, ARGS_IDS, GUEST, -1, 0},
	{"clear-active", OP_CLEAR_ACTIVE, ARGS_IDS, GUEST, -1, 0},
	{"prio", OP_PRIO, ARGS_IDS_VALUE, GUEST, -1, 0xff},
	{"group", OP_GROUP, ARGS_IDS_VALUE, GUEST, -1, 1},
	{"config", OP_CONFIG, ARGS_IDS_VALUE, GUEST, -1, 1},
	{"route", OP_ROUTE, ARGS_IDS_VALUE, GUEST, -1, VGIC_HOST_MAX_VCPUS - 1},
	{"distributor", OP_DISTRIBUTOR, ARGS_ON_OFF, GUEST, -1, 0},
	{"lpis", OP_LPIS, ARGS_LPIS, GUEST, -1, 0},
	{"raise", OP_RAISE, ARGS_IDS, HOST, -1, 0},
	{"lower", OP_LOWER, ARGS_IDS, HOST, -1, 0},
	{"pulse", OP_PULSE, ARGS_IDS, HOST, -1, 0},
	{"msi", OP_MSI, ARGS_IDS, HOST, -1, 0},
	{"lpi-move", OP_LPI_MOVE, ARGS_IDS_VALUE, HOST, -1, VGIC_HOST_MAX_VCPUS - 1},
	{"movall", OP_MOVALL, ARGS_MOVALL, HOST, -1, 0},
	{"unmap", OP_UNMAP, ARGS_IDS, HOST, -1, 0},
	{"inv", OP_INV, ARGS_INV, HOST, -1, 0},
	{"map", OP_MAP, ARGS_IDS, HOST, -1, 0},
	{"kick", OP_KICK, ARGS_NONE, VCPU, -1, 0},
	{"halt", OP_HALT, ARGS_NONE, HOST, -1, 0},
	{"resume", OP_RESUME, ARGS_NONE, HOST, -1, 0},
	{"mark", OP_MARK, ARGS_NONE, HOST, -1, 0},
	{"say", OP_SAY, ARGS_TEXT, HOST, -1, 0},
};

static int add(struct parser *p, const struct statement *st)
{
	struct vgic_scenario *s = p->s;
	int err = grow(&s->statements, s->nr_statements, &s->cap_statements, sizeof(*s->statements),
		       MAX_STATEMENTS);

	if (err)
		return err == -E2BIG ? fail(p, "more than %u statements", MAX_STATEMENTS) : err;
	s->statements[s->nr_statements++] = *st;
	return 0;
}

static int on_off(struct parser *p, struct statement *st)
{
	if (accept_word(p, "on"))
		st->value = 1;
	else if (!accept_word(p, "off"))
		return fail(p, "on or off is missing");
	return 0;
}

static int a_number(struct parser *p, struct statement *st, uint32_t max)
{
	return take_number(p, max, &st->value);
}

static int ids_value(struct parser *p, struct statement *st, uint32_t max)
{
	if (take_ids(p, &st->ids, NULL))
		return -EINVAL;
	if (!accept_word(p, "=") && !accept_word(p, "to"))
		return fail(p, "= is missing");
	if (st->op == OP_CONFIG) {
		if (accept_word(p, "level"))
			st->value = 1;
		else if (!accept_word(p, "edge"))
			return fail(p, "level or edge is missing");
		return 0;
	}
	return a_number(p, st, max);
}

static int handle(struct parser *p, struct statement *st)
{
	uint64_t n = 0;

	st->n = 1000;
	if (accept_word(p, "all")) {
		st->value = ALL;
	} else {
		if (take_number(p, 10000, &st->value))
			return -EINVAL;
	}
	if (accept_word(p, "within")) {
		if (take_number(p, 10000, &n))
			return -EINVAL;
		st->n = (uint32_t)n;
	}
	return 0;
}

static int wait_for(struct parser *p, struct statement *st)
{
	uint64_t n = 20;

	accept_word(p, "for");
	if (take_ids(p, &st->ids, NULL))
		return -EINVAL;
	if (accept_word(p, "within") && take_number(p, 10000, &n))
		return -EINVAL;
	st->n = (uint32_t)n;
	return 0;
}

static int sgi(struct parser *p, struct statement *st)
{
	uint64_t n;

	if (take_number(p, VGIC_NR_SGIS - 1, &n))
		return -EINVAL;
	st->n = (uint32_t)n;
	if (!accept_word(p, "to"))
		return fail(p, "to is missing: sgi 3 to 1");
	if (accept_word(p, "all")) {
		st->mask = UINT32_MAX;
		return 0;
	}
	if (accept_word(p, "others")) {
		st->mask = 0;
		return 0;
	}
	while (number_ahead(p)) {
		if (take_number(p, VGIC_HOST_MAX_VCPUS - 1, &n))
			return -EINVAL;
		st->mask |= 1u << n;
		accept_char(p, ',');
	}
	return st->mask ? 0 : fail(p, "vCPUs are missing: sgi 3 to 1, 2");
}

/* lpis off of 1 */
static int lpis(struct parser *p, struct statement *st)
{
	uint64_t of = VGIC_NO_VCPU;

	if (on_off(p, st))
		return -EINVAL;
	if (accept_word(p, "of") && take_number(p, VGIC_HOST_MAX_VCPUS - 1, &of))
		return -EINVAL;
	st->n = (uint32_t)of;
	return 0;
}

static int movall(struct parser *p, struct statement *st)
{
	uint64_t from;

	if (take_number(p, VGIC_HOST_MAX_VCPUS - 1, &from))
		return -EINVAL;
	st->n = (uint32_t)from;
	if (!accept_word(p, "to"))
		return fail(p, "to is missing: movall 0 to 1");
	return a_number(p, st, VGIC_HOST_MAX_VCPUS - 1);
}

/* inv 8192 prio=0x40 disabled: what is not said stays. */
static int inv(struct parser *p, struct statement *st)
{
	const char *text;

	if (take_ids(p, &st->ids, NULL))
		return -EINVAL;
	for (;;) {
		if (accept_word(p, "enabled")) {
			st->has |= IS_ENABLED;
			st->is |= IS_ENABLED;
		} else if (accept_word(p, "disabled")) {
			st->has |= IS_ENABLED;
			st->is &= ~IS_ENABLED;
		} else if ((text = accept_key(p, "prio"))) {
			if (key_number(p, "prio", text, 0xff, &st->value))
				return -EINVAL;
			st->has |= IS_PRIO;
		} else {
			return 0;
		}
	}
}

static int ack(struct parser *p, struct statement *st)
{
	uint64_t source;

	if (accept_word(p, "none"))
		st->none = true;
	else if (number_ahead(p) && take_ids(p, &st->ids, NULL))
		return -EINVAL;
	if (accept_word(p, "from")) {
		if (take_number(p, 7, &source))
			return -EINVAL;
		st->source = (int8_t)source;
	}
	return 0;
}

static int arguments(struct parser *p, struct statement *st, const struct verb *v)
{
	switch (v->args) {
	case ARGS_NONE:
		return 0;
	case ARGS_IDS:
		return take_ids(p, &st->ids, NULL);
	case ARGS_IDS_OR_NOT:
	case ARGS_ACK:
		return ack(p, st);
	case ARGS_IDS_VALUE:
		return ids_value(p, st, v->max);
	case ARGS_NUMBER:
		return a_number(p, st, v->max);
	case ARGS_COUNT:
		st->value = 1;
		return at_end(p) ? 0 : a_number(p, st, v->max);
	case ARGS_ON_OFF:
		return on_off(p, st);
	case ARGS_HANDLE:
		return handle(p, st);
	case ARGS_WAIT:
		return wait_for(p, st);
	case ARGS_SGI:
		return sgi(p, st);
	case ARGS_LPIS:
		return lpis(p, st);
	case ARGS_MOVALL:
		return movall(p, st);
	case ARGS_INV:
		return inv(p, st);
	case ARGS_TEXT:
		st->text = take_string(p);
		return st->text ? 0 : -EINVAL;
	}
	return 0;
}

static int verb(struct parser *p, struct statement *st)
{
	const struct token *t = peek(p);

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		const struct verb *v = &verbs[i];
		int err;

		if (t->len != strlen(v->word) || memcmp(t->text, v->word, t->len))
			continue;
		if (v->who == VCPU && !p->vcpus)
			return fail(p, "which vCPU does this? vcpu 0: %s ...", v->word);
		if (v->who == GUEST && !p->vcpus && !st->by_user)
			return fail(p, "who writes this? vcpu 0: %s ..., or user %s ...", v->word,
				    v->word);
		if (v->who != GUEST && st->by_user)
			return fail(p, "%s is no register write: no user does it", v->word);
		p->at++;
		st->op = v->op;
		st->group = v->group;
		err = arguments(p, st, v);
		if (err)
			return err;
		st->refused = accept_word(p, "refused") || accept_word(p, "in-vain");
		return 0;
	}
	return fail(p, "%.*s: no such statement", (int)t->len, t->text);
}

static int statements_until(struct parser *p, char end);

/* ": statement; statement" to the end of the line, or "{ ... }". */
static int body(struct parser *p)
{
	int err;

	if (++p->depth > MAX_DEPTH)
		return fail(p, "blocks stand more than %u deep", MAX_DEPTH);
	if (accept_char(p, '{')) {
		err = statements_until(p, '}');
		if (!err && !accept_char(p, '}'))
			err = fail(p, "} is missing");
	} else if (accept_char(p, ':')) {
		err = statements_until(p, '\n');
	} else {
		err = fail(p, ": or { is missing");
	}
	p->depth--;
	return err;
}

static int vcpu_prefix(struct parser *p)
{
	uint16_t outer = p->vcpus;
	uint64_t n;
	int err;

	p->vcpus = 0;
	if (accept_word(p, "all"))
		p->vcpus = (uint16_t)((1u << p->s->host.vgic.nr_vcpus) - 1);
	while (number_ahead(p)) {
		if (take_number(p, p->s->host.vgic.nr_vcpus - 1, &n))
			return -EINVAL;
		p->vcpus |= (uint16_t)(1u << n);
		accept_char(p, ',');
	}
	if (!p->vcpus)
		return fail(p, "which vCPU? vcpu 0:");
	err = body(p);
	p->vcpus = outer;
	return err;
}

static int add_policy(struct parser *p, struct condition *c, const char *name)
{
	if (c->n == sizeof(c->policies) / sizeof(c->policies[0]))
		return fail(p, "too many policies");
	p->at--;
	c->policies[c->n] = parse_policy(p, name);
	if (!c->policies[c->n])
		return -EINVAL;
	p->at++;
	c->n++;
	return 0;
}

static int policies(struct parser *p, struct condition *c, bool with)
{
	char text[VGIC_POLICY_NAME];
	const char *name;

	c->not = !with && accept_word(p, "not");
	do {
		name = take_word(p);
		if (!name)
			return -EINVAL;
		if (with) {
			if (strlen(p->s->policy->name) + strlen(name) + 2 > sizeof(text))
				return fail(p, "too long");
			strcpy(text, p->s->policy->name);
			strcat(text, "+");
			strcat(text, name);
			name = text;
		}
		if (add_policy(p, c, name))
			return -EINVAL;
		accept_char(p, ',');
	} while (peek(p)->kind == 'w');
	return 0;
}

/* A statement with a body; its end is known only afterwards. */
static int block(struct parser *p, struct statement *st)
{
	size_t at = p->s->nr_statements;
	int err = add(p, st);

	if (!err)
		err = body(p);
	if (!err)
		p->s->statements[at].end = (unsigned int)p->s->nr_statements;
	return err;
}

static int on_prefix(struct parser *p, struct statement *st, bool with)
{
	struct vgic_scenario *s = p->s;
	struct condition c = {.n = 0};
	int err = policies(p, &c, with);

	if (err)
		return err;
	if (grow(&s->conditions, s->nr_conditions, &s->cap_conditions, sizeof(c), MAX_STATEMENTS))
		return fail(p, "too many conditions");
	st->op = OP_ON;
	st->n = (uint32_t)s->nr_conditions;
	s->conditions[s->nr_conditions++] = c;
	return block(p, st);
}

static int repeat(struct parser *p, struct statement *st)
{
	if (a_number(p, st, 10000))
		return -EINVAL;
	accept_word(p, "times");
	st->op = OP_REPEAT;
	return block(p, st);
}

/* The words from there to here, as they are written. */
static const char *source_text(struct parser *p, size_t first)
{
	const struct token *a = &p->tokens[first], *b = &p->tokens[p->at - 1];

	return keep_text(p, a->text, (size_t)(b->text + b->len - a->text));
}

int parse_statement(struct parser *p)
{
	struct statement st = {
		.line = peek(p)->line, .vcpus = p->vcpus, .group = -1, .source = -1, .mask = 0};
	size_t first = p->at;
	int err = parse_setup(p);

	if (err)
		return err > 0 ? 0 : err;
	p->running = true;
	if (peek(p)->kind != 'w')
		return fail(p, "a statement is missing");
	if (accept_word(p, "vcpu"))
		return vcpu_prefix(p);
	if (accept_word(p, "on"))
		return on_prefix(p, &st, false);
	if (accept_word(p, "with"))
		return on_prefix(p, &st, true);
	if (accept_word(p, "repeat"))
		return repeat(p, &st);
	if (accept_word(p, "expect")) {
		err = parse_expectation(p, &st);
	} else {
		st.by_user = accept_word(p, "user");
		err = verb(p, &st);
	}
	if (err)
		return err;
	st.written = source_text(p, first);
	return st.written ? add(p, &st) : -ENOMEM;
}

static int statements_until(struct parser *p, char end)
{
	for (;;) {
		int err;

		while (accept_char(p, ';') || (end != '\n' && accept_char(p, '\n')))
			;
		if (peek(p)->kind == end || !peek(p)->kind)
			return 0;
		/* "on A { vcpu 0: ack }": the brace ends both. */
		if (end == '\n' && peek(p)->kind == '}')
			return p->depth ? 0 : fail(p, "} without {");
		err = parse_statement(p);
		if (err)
			return err;
		if (!at_end(p))
			return fail(p,
				    "%.*s: unexpected; ; or the end of the line ends a statement",
				    (int)peek(p)->len, peek(p)->text);
	}
}

static int check(struct parser *p)
{
	struct vgic_scenario *s = p->s;

	p->error->line = s->host_line;
	for (size_t i = 0; i < s->nr_declarations; i++) {
		const struct declaration *d = &s->declarations[i];
		bool bad = d->target >= s->host.vgic.nr_vcpus;

		for (uint32_t n = 0; n < d->ids.n; n++) {
			const struct id *id = &s->ids[d->ids.first + n];

			bad |= id->vcpu != VGIC_NO_VCPU && id->vcpu >= s->host.vgic.nr_vcpus;
		}
		if (!bad)
			continue;
		p->nr_tokens = 0;
		p->error->line = d->line;
		return fail(p, "there are only %u vCPUs", s->host.vgic.nr_vcpus);
	}
	return 0;
}

int vgic_scenario_parse(struct vgic_scenario **out, const char *text, size_t size,
			struct vgic_scenario_error *error)
{
	struct parser p = {.error = error};
	int err;

	error->line = 0;
	error->text[0] = '\0';
	*out = NULL;
	if (size > VGIC_SCENARIO_MAX_SIZE) {
		fail(&p, "more than %u bytes: this is no small case", VGIC_SCENARIO_MAX_SIZE);
		return -E2BIG;
	}
	p.s = calloc(1, sizeof(*p.s));
	if (!p.s)
		return -ENOMEM;
	setup_defaults(p.s);
	err = lex(&p, text, size);
	if (!err)
		err = statements_until(&p, 0);
	if (!err)
		err = check(&p);
	free(p.tokens);
	if (!err) {
		*out = p.s;
		return 0;
	}
	if (!error->text[0])
		fail(&(struct parser){.error = error}, "not enough memory");
	vgic_scenario_free(p.s);
	return err == -E2BIG ? -EINVAL : err;
}

void vgic_scenario_free(struct vgic_scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_texts; i++)
		free(s->texts[i]);
	for (unsigned int i = 0; i < s->nr_variants; i++)
		free(s->variants[i]);
	free(s->texts);
	free(s->declarations);
	free(s->ids);
	free(s->conditions);
	free(s->statements);
	free(s);
}

const char *vgic_scenario_title(const struct vgic_scenario *s)
{
	return s->title;
}

const struct vgic_policy *vgic_scenario_policy(const struct vgic_scenario *s)
{
	return s->policy;
}

size_t vgic_scenario_patches(const struct vgic_scenario *s, const uint8_t **patches)
{
	*patches = s->patches;
	return s->nr_patches;
}

const struct vgic_policy *vgic_scenario_variant(const struct vgic_scenario *s, size_t index)
{
	return index < s->nr_variants ? &s->variants[index]->policy : NULL;
}
