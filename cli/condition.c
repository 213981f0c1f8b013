// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "condition.h"
#include "options.h"
#include "output.h"

/* Parentheses in one another; a reader of such a condition has given up long before. */
#define MAX_DEPTH 16u

#define SUFFIX_RATE "/s"

struct parser {
	const char *text, *at;
	struct vgic_condition *c;
	struct condition_error *err;
	unsigned int depth;
};

static int fail_at(struct parser *p, const char *at, const char *what)
{
	p->err->column = (unsigned int)(at - p->text) + 1;
	p->err->what = what;
	return -EINVAL;
}

static int fail(struct parser *p, const char *what)
{
	return fail_at(p, p->at, what);
}

static void skip_blanks(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static size_t word_length(const char *s)
{
	size_t n = 0;

	while (islower((unsigned char)s[n]) || s[n] == '-')
		n++;
	return n;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	skip_blanks(p);
	if (word_length(p->at) != n || strncmp(p->at, word, n))
		return false;
	p->at += n;
	return true;
}

static int add(struct parser *p, struct vgic_condition_step step)
{
	if (p->c->n == VGIC_CONDITION_MAX)
		return fail(p, "the condition is too long");
	p->c->step[p->c->n++] = step;
	return 0;
}

static int parse_limit(struct parser *p, struct vgic_condition_step *s)
{
	const char *first, *what;
	char text[32];
	size_t n = 0, digits;
	int ret;

	skip_blanks(p);
	first = p->at;
	while (isalnum((unsigned char)first[n]) || first[n] == '.' || first[n] == '/')
		n++;
	switch (s->quantity) {
	case VGIC_FIGURE_RAISE_TO_LR:
	case VGIC_FIGURE_WAIT:
		what = "a time with its unit is needed here, as 50us or 2ms";
		break;
	case VGIC_FIGURE_OVERFLOW:
		what = "a number of interrupts is needed here, as 4";
		break;
	default:
		what = "a rate is needed here, as 2000/s";
		break;
	}
	if (!n || n >= sizeof(text))
		return fail(p, what);
	memcpy(text, first, n);
	text[n] = '\0';
	switch (s->quantity) {
	case VGIC_FIGURE_RAISE_TO_LR:
	case VGIC_FIGURE_WAIT:
		ret = isalpha((unsigned char)text[n - 1]) ? parse_duration(text, &s->limit)
							  : -EINVAL;
		break;
	case VGIC_FIGURE_OVERFLOW:
		ret = parse_number(text, &s->limit);
		break;
	default:
		digits = n > 2 ? n - 2 : 0;
		ret = -EINVAL;
		if (!strcmp(text + digits, SUFFIX_RATE)) {
			text[digits] = '\0';
			ret = parse_number(text, &s->limit);
		}
		break;
	}
	if (ret)
		return fail(p, what);
	p->at += n;
	return 0;
}

static int parse_term(struct parser *p)
{
	struct vgic_condition_step s = {.op = VGIC_CONDITION_TERM};
	unsigned int q;
	int ret;

	skip_blanks(p);
	for (q = 0; q < VGIC_FIGURES; q++) {
		if (take_word(p, vgic_figure_name((enum vgic_figure)q)))
			break;
	}
	if (q == VGIC_FIGURES)
		return fail(p, "raise-to-lr, wait, overflow, exits or mi is needed here");
	s.quantity = (enum vgic_figure)q;
	skip_blanks(p);
	if (*p->at != '>')
		return fail(p, "> or >= is needed here");
	p->at++;
	s.or_equal = *p->at == '=';
	p->at += s.or_equal;
	ret = parse_limit(p, &s);
	return ret ? ret : add(p, s);
}

static int parse_any(struct parser *p);

static int parse_part(struct parser *p)
{
	const char *open;
	int ret;

	skip_blanks(p);
	if (*p->at != '(')
		return parse_term(p);
	if (p->depth == MAX_DEPTH)
		return fail(p, "parentheses are too deep here");
	open = p->at++;
	p->depth++;
	ret = parse_any(p);
	p->depth--;
	if (ret)
		return ret;
	skip_blanks(p);
	if (!*p->at)
		return fail_at(p, open, "this parenthesis is not closed");
	if (*p->at != ')')
		return fail(p, "and, or or ) is needed here");
	p->at++;
	return 0;
}

static int parse_all(struct parser *p)
{
	int ret = parse_part(p);

	while (!ret && take_word(p, "and")) {
		ret = parse_part(p);
		if (!ret)
			ret = add(p, (struct vgic_condition_step){.op = VGIC_CONDITION_AND});
	}
	return ret;
}

static int parse_any(struct parser *p)
{
	int ret = parse_all(p);

	while (!ret && take_word(p, "or")) {
		ret = parse_all(p);
		if (!ret)
			ret = add(p, (struct vgic_condition_step){.op = VGIC_CONDITION_OR});
	}
	return ret;
}

int condition_parse(const char *text, struct vgic_condition *condition, struct condition_error *err)
{
	struct parser p = {.text = text, .at = text, .c = condition, .err = err};
	int ret;

	memset(condition, 0, sizeof(*condition));
	ret = parse_any(&p);
	if (ret)
		return ret;
	skip_blanks(&p);
	return *p.at ? fail(&p, "and, or or the end is needed here") : 0;
}

char *condition_event(char *buf, size_t size, const struct vgic_trigger_event *event)
{
	const char *name = vgic_figure_name(event->quantity);
	char time[32];

	switch (event->quantity) {
	case VGIC_FIGURE_RAISE_TO_LR:
	case VGIC_FIGURE_WAIT:
		snprintf(buf, size, "%s %s of INTID %" PRIu32 ", vCPU %u:%u", name,
			 cli_format_ns(time, sizeof(time), event->value), event->intid, event->vm,
			 event->vcpu);
		break;
	case VGIC_FIGURE_OVERFLOW:
		snprintf(buf, size, "%s %" PRIu64 ", vCPU %u:%u", name, event->value, event->vm,
			 event->vcpu);
		break;
	default:
		snprintf(buf, size, "%s %" PRIu64 "/s, vCPU %u:%u", name, event->value, event->vm,
			 event->vcpu);
		break;
	}
	return buf;
}
