// SPDX-License-Identifier: GPL-2.0-only
/* Text into words, and the small things that are made of them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define MAX_TOKENS 65536u

int fail(struct parser *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	p->error->line = p->tokens && p->nr_tokens ? peek(p)->line : p->error->line;
	return -EINVAL;
}

int grow(void *array, size_t n, size_t *cap, size_t size, size_t max)
{
	void **to = array;
	size_t more = *cap ? *cap * 2 : 16;
	void *new;

	if (n < *cap)
		return 0;
	if (n >= max)
		return -E2BIG;
	new = realloc(*to, more * size);
	if (!new)
		return -ENOMEM;
	*to = new;
	*cap = more;
	return 0;
}

static int add(struct parser *p, size_t *cap, const char *text, size_t len, unsigned int line,
	       char kind)
{
	int err = grow(&p->tokens, p->nr_tokens, cap, sizeof(*p->tokens), MAX_TOKENS);

	if (err)
		return err;
	p->tokens[p->nr_tokens++] =
		(struct token){.text = text, .len = (unsigned int)len, .line = line, .kind = kind};
	return 0;
}

static bool word_char(char c)
{
	return (unsigned char)c > ' ' && !strchr("{};:,\"#", c);
}

/* One token from *at on; moves *at behind it. */
static int next(struct parser *p, size_t *cap, const char *text, size_t size, size_t *at,
		unsigned int line)
{
	size_t i = *at, start = i;

	if (text[i] == '"') {
		while (++i < size && text[i] != '"' && text[i] != '\n')
			;
		if (i >= size || text[i] != '"') {
			p->error->line = line;
			snprintf(p->error->text, sizeof(p->error->text),
				 "this text has no end: \" is missing");
			return -EINVAL;
		}
		*at = i + 1;
		return add(p, cap, text + start + 1, i - start - 1, line, '"');
	}
	if (!word_char(text[i])) {
		*at = i + 1;
		return add(p, cap, text + i, 1, line, text[i]);
	}
	while (i < size && word_char(text[i]))
		i++;
	*at = i;
	/* A stroke by itself parts statements, as ; does. */
	return add(p, cap, text + start, i - start, line,
		   i - start == 1 && text[start] == '/' ? ';' : 'w');
}

int lex(struct parser *p, const char *text, size_t size)
{
	unsigned int line = 1;
	size_t cap = 0, i = 0;
	int err = 0;

	while (i < size && !err) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n') {
			err = add(p, &cap, text + i++, 1, line++, '\n');
		} else if (c == ' ' || c == '\t' || c == '\r') {
			i++;
		} else if (c == '#') {
			while (i < size && text[i] != '\n')
				i++;
		} else if (c < ' ' || c == 0x7f) {
			p->error->line = line;
			snprintf(p->error->text, sizeof(p->error->text),
				 "a control character, 0x%02x: this is no text", c);
			return -EINVAL;
		} else {
			err = next(p, &cap, text, size, &i, line);
		}
	}
	if (!err)
		err = add(p, &cap, "", 0, line, '\n');
	if (!err)
		err = add(p, &cap, "", 0, line, 0);
	if (err == -E2BIG)
		snprintf(p->error->text, sizeof(p->error->text), "more than %u words", MAX_TOKENS);
	return err;
}

const struct token *peek(const struct parser *p)
{
	return &p->tokens[p->at < p->nr_tokens ? p->at : p->nr_tokens - 1];
}

bool at_end(const struct parser *p)
{
	char kind = peek(p)->kind;

	return kind == '\n' || kind == ';' || kind == '}' || !kind;
}

static bool is(const struct token *t, const char *word)
{
	return t->kind == 'w' && t->len == strlen(word) && !memcmp(t->text, word, t->len);
}

bool accept_word(struct parser *p, const char *word)
{
	if (!is(peek(p), word))
		return false;
	p->at++;
	return true;
}

bool accept_char(struct parser *p, char c)
{
	if (peek(p)->kind != c)
		return false;
	p->at++;
	return true;
}

const char *keep_text(struct parser *p, const char *text, size_t len)
{
	struct vgic_scenario *s = p->s;
	char *copy;

	if (grow(&s->texts, s->nr_texts, &s->cap_texts, sizeof(*s->texts), MAX_TOKENS))
		return NULL;
	copy = malloc(len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	s->texts[s->nr_texts++] = copy;
	return copy;
}

static const char *take(struct parser *p, char kind, const char *what)
{
	const struct token *t = peek(p);
	const char *text;

	if (t->kind != kind) {
		fail(p, "%s is missing", what);
		return NULL;
	}
	text = keep_text(p, t->text, t->len);
	if (text)
		p->at++;
	else
		fail(p, "not enough memory");
	return text;
}

const char *take_word(struct parser *p)
{
	return take(p, 'w', "a word");
}

const char *take_string(struct parser *p)
{
	return take(p, '"', "a text in \"...\"");
}

int number(const char *text, size_t len, uint64_t max, uint64_t *value)
{
	unsigned int base = 10;
	size_t i = 0;

	*value = 0;
	if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == len)
		return -EINVAL;
	for (; i < len; i++) {
		char c = text[i];
		unsigned int digit = c >= '0' && c <= '9'   ? (unsigned int)(c - '0')
				     : c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10)
				     : c >= 'A' && c <= 'F' ? (unsigned int)(c - 'A' + 10)
							    : 99;

		/* Digits of a long number in groups: 0x50a0_0000_0000_0020 */
		if (c == '_' && base == 16)
			continue;
		if (digit >= base || *value > (UINT64_MAX - digit) / base)
			return -EINVAL;
		*value = *value * base + digit;
	}
	return *value > max ? -ERANGE : 0;
}

bool number_ahead(const struct parser *p)
{
	const struct token *t = peek(p);

	return t->kind == 'w' && t->text[0] >= '0' && t->text[0] <= '9';
}

int take_number(struct parser *p, uint64_t max, uint64_t *value)
{
	const struct token *t = peek(p);
	int err;

	if (t->kind != 'w')
		return fail(p, "a number is missing");
	err = number(t->text, t->len, max, value);
	if (err == -ERANGE)
		return fail(p, "%.*s is too large: at most %llu", (int)t->len, t->text,
			    (unsigned long long)max);
	if (err)
		return fail(p, "%.*s is no number", (int)t->len, t->text);
	p->at++;
	return 0;
}

static int add_id(struct parser *p, struct ids *ids, uint32_t intid, uint16_t vcpu)
{
	struct vgic_scenario *s = p->s;
	int err = grow(&s->ids, s->nr_ids, &s->cap_ids, sizeof(*s->ids), MAX_IDS);

	if (err)
		return err == -E2BIG ? fail(p, "more than %u interrupts are named", MAX_IDS) : err;
	s->ids[s->nr_ids++] = (struct id){.intid = intid, .vcpu = vcpu};
	ids->n++;
	return 0;
}

/* A, A..B, A@V */
static int one_range(struct parser *p, struct ids *ids)
{
	const struct token *t = peek(p);
	const char *end = t->text + t->len, *mark = memchr(t->text, '@', t->len);
	const char *stop = mark ? mark : end, *dots = NULL;
	uint64_t first, last, vcpu = VGIC_NO_VCPU;

	for (const char *c = t->text; c + 1 < stop && !dots; c++)
		if (c[0] == '.' && c[1] == '.')
			dots = c;
	if (number(t->text, (size_t)((dots ? dots : stop) - t->text), UINT32_MAX, &first))
		return fail(p, "%.*s is no interrupt", (int)t->len, t->text);
	last = first;
	if (dots && number(dots + 2, (size_t)(stop - dots - 2), UINT32_MAX, &last))
		return fail(p, "%.*s is no range of interrupts", (int)t->len, t->text);
	if (mark && number(mark + 1, (size_t)(end - mark - 1), VGIC_HOST_MAX_VCPUS - 1, &vcpu))
		return fail(p, "%.*s: after @ stands a vCPU", (int)t->len, t->text);
	/* Downwards is an order, too: eoi 35..32 */
	for (uint64_t i = first;; i = first <= last ? i + 1 : i - 1) {
		int err = add_id(p, ids, (uint32_t)i, (uint16_t)vcpu);

		if (err)
			return err;
		if (i == last)
			break;
	}
	p->at++;
	return 0;
}

int take_ids(struct parser *p, struct ids *ids, bool *none)
{
	ids->first = (uint32_t)p->s->nr_ids;
	ids->n = 0;
	if (none) {
		*none = accept_word(p, "none") || accept_word(p, "empty");
		if (*none)
			return 0;
	}
	while (number_ahead(p)) {
		int err = one_range(p, ids);

		if (err)
			return err;
		accept_char(p, ',');
	}
	return ids->n ? 0 : fail(p, "interrupts are missing: 32, 32..35%s", none ? ", none" : "");
}

const char *accept_key(struct parser *p, const char *key)
{
	const struct token *t = peek(p);
	size_t n = strlen(key);
	const char *value;

	if (t->kind != 'w' || t->len <= n + 1 || t->text[n] != '=' || memcmp(t->text, key, n))
		return NULL;
	value = keep_text(p, t->text + n + 1, t->len - n - 1);
	if (value)
		p->at++;
	return value;
}

int key_number(struct parser *p, const char *key, const char *text, uint64_t max, uint64_t *value)
{
	int err = number(text, strlen(text), max, value);

	p->at--;
	if (err == -ERANGE)
		return fail(p, "%s=%s is too large: at most %llu", key, text,
			    (unsigned long long)max);
	if (err)
		return fail(p, "%s=%s: a number is missing", key, text);
	p->at++;
	return 0;
}
