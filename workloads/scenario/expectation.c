// SPDX-License-Identifier: GPL-2.0-only
/* What can be expected, read. */
#include <errno.h>
#include <string.h>

#include "program.h"

/* "prio=0xa0", "36p" ... to the end of the statement, as one text with single spaces. */
static const char *rest(struct parser *p)
{
	char text[512];
	size_t n = 0;

	while (!at_end(p)) {
		const struct token *t = peek(p);

		if (n + t->len + 2 > sizeof(text)) {
			fail(p, "too long");
			return NULL;
		}
		if (n)
			text[n++] = ' ';
		memcpy(text + n, t->text, t->len);
		n += t->len;
		p->at++;
	}
	return keep_text(p, text, n);
}

static int one_lr_word(struct parser *p, struct statement *st)
{
	const char *text;
	uint64_t n;

	if (accept_word(p, "pending")) {
		st->has |= LR_SAYS_STATE;
		st->value |= VGIC_LR_PENDING;
	} else if (accept_word(p, "active")) {
		st->has |= LR_SAYS_STATE;
		st->value |= VGIC_LR_ACTIVE;
	} else if (accept_word(p, "inactive")) {
		st->has |= LR_SAYS_STATE;
	} else if (accept_word(p, "eoi")) {
		st->has |= LR_SAYS_EOI;
		st->value |= VGIC_LR_EOI;
	} else if (accept_word(p, "no-eoi")) {
		st->has |= LR_SAYS_EOI;
	} else if (accept_word(p, "group0")) {
		st->has |= LR_SAYS_GROUP;
	} else if (accept_word(p, "group1")) {
		st->has |= LR_SAYS_GROUP;
		st->value |= VGIC_LR_GROUP1;
	} else if ((text = accept_key(p, "prio"))) {
		if (key_number(p, "prio", text, 0xff, &n))
			return -1;
		st->has |= LR_SAYS_PRIO;
		st->value |= n << VGIC_LR_PRIORITY_SHIFT;
	} else if ((text = accept_key(p, "hw"))) {
		if (key_number(p, "hw", text, 0x1fff, &n))
			return -1;
		st->has |= LR_SAYS_HW;
		st->value |= VGIC_LR_HW | n << VGIC_LR_PINTID_SHIFT;
	} else if ((text = accept_key(p, "from"))) {
		if (key_number(p, "from", text, 7, &n))
			return -1;
		st->has |= LR_SAYS_SOURCE;
		st->value |= n << VGIC_LR_CPUID_SHIFT;
	} else {
		return fail(p, "%.*s: no word for a list register", (int)peek(p)->len,
			    peek(p)->text);
	}
	return 0;
}

/* lr 0 = 32 active prio=0xa0, lr 0 = empty, lr 0 = 0x50a0_0000_0000_0020; gich 0 = 0x... */
static int lr(struct parser *p, struct statement *st)
{
	const struct token *t;
	uint64_t n;

	if (take_number(p, VGIC_MAX_LRS - 1, &n))
		return -1;
	st->n = (uint32_t)n;
	accept_word(p, "=");
	if (accept_word(p, "empty")) {
		st->has = LR_SAYS_EMPTY;
		return 0;
	}
	t = peek(p);
	if (st->op == OP_EXPECT_GICH || (t->kind == 'w' && t->len > 2 && t->text[1] == 'x')) {
		st->has = LR_SAYS_RAW;
		return take_number(p, st->op == OP_EXPECT_GICH ? UINT32_MAX : UINT64_MAX,
				   &st->value);
	}
	if (take_number(p, UINT32_MAX, &n))
		return -1;
	st->mask = n;
	while (!at_end(p))
		if (one_lr_word(p, st))
			return -1;
	return 0;
}

static int bits(struct parser *p, struct statement *st, uint32_t (*bit)(const char *name),
		const char *what)
{
	if (accept_word(p, "has"))
		st->is = 1;
	else if (accept_word(p, "lacks"))
		st->is = 2;
	else
		accept_word(p, "=");
	if (accept_word(p, "none"))
		return 0;
	if (number_ahead(p))
		return take_number(p, UINT32_MAX, &st->value);
	do {
		const char *name = take_word(p);
		uint32_t b;

		if (!name)
			return -1;
		b = bit(name);
		if (!b) {
			p->at--;
			return fail(p, "%s: no bit of %s", name, what);
		}
		st->value |= b;
		accept_char(p, ',');
	} while (!at_end(p));
	return 0;
}

static int hcr(struct parser *p, struct statement *st)
{
	return bits(p, st, hcr_bit, "HCR");
}

static int misr(struct parser *p, struct statement *st)
{
	return bits(p, st, misr_bit, "MISR");
}

static int irq_words(struct parser *p, struct statement *st)
{
	static const struct {
		const char *word;
		uint32_t bit;
		bool physical, virtual;
	} words[] = {
		{"pending", IS_PENDING, true, true},  {"active", IS_ACTIVE, true, true},
		{"line", IS_LINE, false, true},	      {"enabled", IS_ENABLED, false, true},
		{"on-lr", IS_ON_LR, false, true},     {"listed", IS_LISTED, false, true},
		{"latched", IS_LATCHED, false, true}, {"level", IS_LEVEL, true, false},
		{"lost", IS_LOST, true, false},
	};
	bool physical = st->op == OP_EXPECT_PHYSICAL, not ;
	const char *text;
	uint64_t n;
	size_t i;

	while (!at_end(p)) {
		if (!physical && (text = accept_key(p, "prio"))) {
			if (key_number(p, "prio", text, 0xff, &n))
				return -1;
			st->has |= IS_PRIO;
			st->value = n;
			continue;
		}
		if (!physical && (text = accept_key(p, "group"))) {
			if (key_number(p, "group", text, 1, &n))
				return -1;
			st->has |= IS_GROUP;
			st->is |= n ? IS_GROUP : 0;
			continue;
		}
		if (!physical && (text = accept_key(p, "vcpu"))) {
			if (key_number(p, "vcpu", text, VGIC_HOST_MAX_VCPUS - 1, &n))
				return -1;
			st->has |= IS_VCPU;
			st->n = (uint32_t)n;
			continue;
		}
		if (accept_word(p, "idle")) {
			st->has |= IS_PENDING | IS_ACTIVE;
			continue;
		}
		if (accept_word(p, "inactive")) {
			st->has |= IS_ACTIVE;
			continue;
		}
		not = accept_word(p, "not");
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if ((physical ? words[i].physical : words[i].virtual) &&
			    accept_word(p, words[i].word))
				break;
		if (i == sizeof(words) / sizeof(words[0]))
			return fail(p, "%.*s: no word for the state of an interrupt",
				    (int)peek(p)->len, peek(p)->text);
		st->has |= words[i].bit;
		st->is |= not ? 0 : words[i].bit;
		accept_char(p, ',');
	}
	return st->has ? 0 : fail(p, "its state is missing: active, not pending, prio=0x80 ...");
}

static int irq(struct parser *p, struct statement *st)
{
	return take_ids(p, &st->ids, NULL) ? -1 : irq_words(p, st);
}

static int ids(struct parser *p, struct statement *st)
{
	accept_word(p, "=");
	return take_ids(p, &st->ids, &st->none);
}

static int running(struct parser *p, struct statement *st)
{
	accept_word(p, "=");
	st->value = VGIC_IDLE_PRIORITY;
	return accept_word(p, "idle") ? 0 : take_number(p, 0xff, &st->value);
}

static int eoicount(struct parser *p, struct statement *st)
{
	accept_word(p, "=");
	return take_number(p, 31, &st->value);
}

static int state(struct parser *p, struct statement *st)
{
	accept_word(p, "=");
	for (unsigned int i = 0; state_names[i]; i++)
		if (accept_word(p, state_names[i])) {
			st->value = i;
			return 0;
		}
	return fail(p, "a state is missing: guest, out, left, asleep, paused");
}

static int signal(struct parser *p, struct statement *st)
{
	accept_word(p, "=");
	if (accept_word(p, "fiq"))
		st->value = 0;
	else if (accept_word(p, "irq"))
		st->value = 1;
	else if (accept_word(p, "none"))
		st->value = UINT64_MAX;
	else
		return fail(p, "irq, fiq or none is missing");
	return 0;
}

static int text(struct parser *p, struct statement *st)
{
	accept_word(p, "=");
	if (at_end(p))
		return fail(p, "something to expect is missing");
	st->text = rest(p);
	return st->text ? 0 : -1;
}

static int counter(struct parser *p, struct statement *st)
{
	static const char *const operators[] = {"=", "!=", "<", "<=", ">", ">="};
	const char *name = take_word(p);
	int n;

	if (!name)
		return -1;
	n = vgic_host_counter_find(name);
	if (n < 0) {
		p->at--;
		return fail(p, "%s: nothing of that name can be expected", name);
	}
	st->op = OP_EXPECT_COUNTER;
	st->n = (uint32_t)n;
	for (unsigned int i = 0; i < 6; i++)
		if (accept_word(p, operators[i])) {
			st->compare = (enum compare)i;
			return take_number(p, UINT32_MAX, &st->value);
		}
	return take_number(p, UINT32_MAX, &st->value);
}

static const struct {
	const char *word;
	enum op op;
	bool vcpu;
	int (*parse)(struct parser *p, struct statement *st);
} kinds[] = {
	{"lr", OP_EXPECT_LR, true, lr},
	{"gich", OP_EXPECT_GICH, true, lr},
	{"lrs", OP_EXPECT_LRS, true, text},
	{"hcr", OP_EXPECT_HCR, true, hcr},
	{"misr", OP_EXPECT_MISR, true, misr},
	{"irq", OP_EXPECT_IRQ, false, irq},
	{"physical", OP_EXPECT_PHYSICAL, false, irq},
	{"list", OP_EXPECT_LIST, true, ids},
	{"tail", OP_EXPECT_TAIL, true, ids},
	{"acks", OP_EXPECT_ACKS, true, ids},
	{"running", OP_EXPECT_RUNNING, true, running},
	{"eoicount", OP_EXPECT_EOICOUNT, true, eoicount},
	{"state", OP_EXPECT_STATE, true, state},
	{"signal", OP_EXPECT_SIGNAL, true, signal},
	{"outcome", OP_EXPECT_OUTCOME, false, text},
};

int parse_expectation(struct parser *p, struct statement *st)
{
	for (unsigned int i = 0; set_names[i]; i++)
		if (accept_word(p, set_names[i])) {
			st->op = OP_EXPECT_SET;
			st->n = i;
			return ids(p, st) ? -EINVAL : 0;
		}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!accept_word(p, kinds[i].word))
			continue;
		if (kinds[i].vcpu && !p->vcpus) {
			p->at--;
			return fail(p, "of which vCPU? vcpu 0: expect %s ...", kinds[i].word);
		}
		st->op = kinds[i].op;
		return kinds[i].parse(p, st) ? -EINVAL : 0;
	}
	return counter(p, st) ? -EINVAL : 0;
}
