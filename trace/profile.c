// SPDX-License-Identifier: GPL-2.0-only
/* Machine profiles: INI text to numbers and back, nothing ignored. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <vgicsim/profile_file.h>

enum kind { KIND_UINT, KIND_BOOL, KIND_NS, KIND_PS, KIND_TEXT };

struct key {
	const char *section, *name;
	enum kind kind;
	size_t offset;
	uint64_t min, max; /* TEXT: max is the size with its end */
};

#define FILE_AT(member) offsetof(struct vgic_profile_file, member)
#define NS(section, name, member)                                                    \
	{                                                                            \
		section, name, KIND_NS, FILE_AT(profile.member), 0, VGIC_MAX_COST_NS \
	}
#define PS(section, name, member)                                                    \
	{                                                                            \
		section, name, KIND_PS, FILE_AT(profile.member), 0, VGIC_MAX_COST_PS \
	}

/* In the order in which they are written. */
static const struct key keys[] = {
	{"machine", "cpu", KIND_TEXT, FILE_AT(cpu), 0,
	 sizeof(((struct vgic_profile_file *)0)->cpu)},
	{"machine", "gic", KIND_UINT, FILE_AT(gic), 2, 3},
	{"machine", "lrs", KIND_UINT, FILE_AT(lrs), 1, 16},
	{"machine", "pre_bits", KIND_UINT, FILE_AT(pre_bits), 5, 7},
	{"machine", "prio_bits", KIND_UINT, FILE_AT(prio_bits), 5, 8},
	{"machine", "tdir", KIND_BOOL, FILE_AT(tdir), 0, 1},
	{"machine", "eoicount_on_split", KIND_BOOL, FILE_AT(eoicount_on_split), 0, 1},
	NS("cost", "entry", entry_ns),
	PS("cost", "entry_irq", entry_irq_ps),
	PS("cost", "entry_lr", entry_lr_ps),
	NS("cost", "sort", sort_ns),
	PS("cost", "sort_step", sort_step_ps),
	NS("cost", "exit", exit_ns),
	PS("cost", "exit_irq", exit_irq_ps),
	PS("cost", "exit_lr", exit_lr_ps),
	NS("cost", "mi_out", mi_out_ns),
	NS("cost", "dir_out", dir_out_ns),
	NS("cost", "switch", switch_ns),
	NS("cost", "kick", kick_ns),
	NS("mi", "median", mi_delay_ns),
};

#define NR_KEYS	      (sizeof(keys) / sizeof(keys[0]))
#define DELAYS_A_LINE 8u

/* Letters, digits and what names are made of; blanks only between words. */
static void copy_plain(char *to, size_t size, const char *from, bool blanks)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++) {
		unsigned char c = (unsigned char)*from;

		if (c == ' ' && blanks && n)
			to[n++] = ' ';
		else
			to[n++] = c > ' ' && c <= '~' && c != ';' ? (char)c : '_';
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
	if (!n)
		strcpy(to, "-");
}

struct parser {
	struct vgic_profile_file *p;
	struct vgic_profile_error *error;
	const char *text;
	size_t size, at;
	unsigned int line;
	int ret;
	bool seen[NR_KEYS];
	bool fit_seen[VGIC_FITS], command, open, delays;
};

static int refuse(struct parser *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first error counts. Gives what stops inih from taking the line for good. */
static int refuse(struct parser *s, const char *format, ...)
{
	va_list args;

	if (s->ret)
		return 0;
	s->ret = -EINVAL;
	s->error->line = s->line;
	va_start(args, format);
	vsnprintf(s->error->text, sizeof(s->error->text), format, args);
	va_end(args);
	return 0;
}

/* For inih: the next line; what it would cut or not see is refused here. */
static char *read_line(char *to, int num, void *opaque)
{
	struct parser *s = opaque;
	const char *from = s->text + s->at, *end;
	size_t left = s->size - s->at, n;

	if (!left || s->ret)
		return NULL;
	s->line++;
	end = memchr(from, '\n', left);
	n = end ? (size_t)(end - from) + 1 : left;
	s->at += n;
	if (n >= (size_t)num) {
		refuse(s, "line of more than %d characters: split it", num - 2);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (from[i] == '\n' || from[i] == '\t' || (from[i] >= ' ' && from[i] <= '~'))
			continue;
		refuse(s, "not a printable ASCII character: byte 0x%02x: write text",
		       (unsigned char)from[i]);
		return NULL;
	}
	if (from[0] == ' ' || from[0] == '\t') {
		refuse(s,
		       "line begins with a blank: each stands for itself, begin it with its key");
		return NULL;
	}
	memcpy(to, from, n);
	to[n] = '\0';
	end = *to == '[' ? strchr(to, ']') : NULL;
	if (end && end[1 + strspn(end + 1, " \t\n")] && end[1 + strspn(end + 1, " \t")] != ';') {
		refuse(s, "text after a section: give it a line of its own");
		return NULL;
	}
	return to;
}

/* Digits, and for ps a point and up to three more. */
static bool parse_number(const char *text, bool thousandths, uint64_t *value)
{
	uint64_t v = 0;
	unsigned int digits = 0, decimals = 0;
	bool point = false;

	for (; *text; text++) {
		if (*text == '.' && thousandths && digits && !point) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*text) || decimals == 3 || digits >= 15)
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
		digits++;
		decimals += point;
	}
	if (!digits || (point && !decimals))
		return false;
	for (; thousandths && decimals < 3; decimals++)
		v *= 10;
	*value = v;
	return true;
}

static int take_key(struct parser *s, size_t i, const char *text)
{
	const struct key *k = &keys[i];
	char *at = (char *)s->p + k->offset;
	uint64_t v;

	if (s->seen[i])
		return refuse(s, "%s twice: keep one", k->name);
	s->seen[i] = true;
	switch (k->kind) {
	case KIND_TEXT:
		if (strlen(text) >= k->max)
			return refuse(s, "%s has more than %u characters: shorten it", k->name,
				      (unsigned int)k->max - 1);
		strcpy(at, text);
		return 1;
	case KIND_BOOL:
		if (strcmp(text, "yes") && strcmp(text, "no"))
			return refuse(s, "bad %s: '%s': yes or no", k->name, text);
		*(bool *)at = *text == 'y';
		return 1;
	default:
		break;
	}
	if (!parse_number(text, k->kind == KIND_PS, &v))
		return refuse(s, "bad %s: '%s': a number%s without a sign", k->name, text,
			      k->kind == KIND_PS   ? " with up to 3 decimals"
			      : k->kind == KIND_NS ? " of whole ns"
						   : "");
	if (v < k->min || v > k->max)
		return refuse(s, "%s out of range: '%s': from %" PRIu64 " to %" PRIu64, k->name,
			      text, k->min, k->kind == KIND_PS ? k->max / 1000 : k->max);
	if (k->kind == KIND_UINT)
		*(unsigned int *)at = (unsigned int)v;
	else
		*(uint64_t *)at = v;
	return 1;
}

static int take_delays(struct parser *s, char *text)
{
	struct vgic_profile *p = &s->p->profile;
	char *save, *word;
	uint64_t v;

	s->delays = true;
	for (word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (p->nr_mi_delays == VGIC_MAX_MI_DELAYS)
			return refuse(s, "more than %u delays: leave some out", VGIC_MAX_MI_DELAYS);
		if (!parse_number(word, false, &v) || v > VGIC_MAX_COST_NS)
			return refuse(s, "bad delay: '%s': whole ns, up to %llu", word,
				      VGIC_MAX_COST_NS);
		if (p->nr_mi_delays && v < p->mi_delays[p->nr_mi_delays - 1])
			return refuse(s, "delay less than the one before: '%s': sort them", word);
		p->mi_delays[p->nr_mi_delays++] = v;
	}
	return 1;
}

/* ---- [fit] ---- */

#define FIT_FORMAT                                                                               \
	"%" PRIu64 " samples, median %" PRIu64 " ns %u.%04u %%, p90 %" PRIu64 " ns %u.%04u %%, " \
	"explained %u.%04u %%"

static void format_fit(char *to, size_t size, const struct vgic_fit *f)
{
	snprintf(to, size, FIT_FORMAT, f->n, f->median_ns, f->median_ppm / 10000,
		 f->median_ppm % 10000, f->p90_ns, f->p90_ppm / 10000, f->p90_ppm % 10000,
		 f->explained_ppm / 10000, f->explained_ppm % 10000);
}

static int take_fit(struct parser *s, unsigned int kind, const char *text)
{
	struct vgic_fit f = {0};
	unsigned int a, b, c, d, g, h;
	char again[200] = "";

	if (s->fit_seen[kind])
		return refuse(s, "%s twice: keep one", vgic_fit_name(kind));
	s->fit_seen[kind] = true;
	if (sscanf(text,
		   "%20" SCNu64 " samples, median %20" SCNu64 " ns %6u.%4u %%, p90 %20" SCNu64
		   " ns %6u.%4u %%, explained %6u.%4u %%",
		   &f.n, &f.median_ns, &a, &b, &f.p90_ns, &c, &d, &g, &h) == 9) {
		f.median_ppm = a * 10000 + b;
		f.p90_ppm = c * 10000 + d;
		f.explained_ppm = g * 10000 + h;
		format_fit(again, sizeof(again), &f);
	}
	if (strcmp(again, text))
		return refuse(s, "bad %s: '%.60s': leave [fit] to vgicsim calibrate",
			      vgic_fit_name(kind), text);
	s->p->report.fits[kind] = f;
	return 1;
}

static int take_open(struct parser *s, char *text)
{
	char *save, *word;

	if (s->open)
		return refuse(s, "too_little twice: keep one");
	s->open = true;
	if (!strcmp(text, "none"))
		return 1;
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		unsigned int i = 0;

		while (i < VGIC_TERMS && strcmp(vgic_term_name(i), word))
			i++;
		if (i == VGIC_TERMS || s->p->report.open[i])
			return refuse(s,
				      "bad term in too_little: '%s': leave [fit] to vgicsim "
				      "calibrate",
				      word);
		s->p->report.open[i] = true;
	}
	return 1;
}

/* HASH KERNEL NAME */
static int take_source(struct parser *s, const char *text)
{
	char hash[17] = "", kernel[64] = "", name[64] = "";
	int end = 0, ret;
	uint64_t v;

	if (sscanf(text, "%16[0-9a-f] %63s %63[^\n]%n", hash, kernel, name, &end) != 3 ||
	    text[end] || strlen(hash) != 16)
		return refuse(s, "bad recording: '%.60s': 16 hex digits, kernel and name", text);
	v = strtoull(hash, NULL, 16);
	ret = vgic_profile_add_source(s->p, v, kernel, name);
	if (ret == -E2BIG)
		return refuse(s, "more than %u recordings: leave some out",
			      VGIC_PROFILE_MAX_SOURCES);
	if (ret)
		s->ret = ret;
	return !ret;
}

static int take_command(struct parser *s, const char *text)
{
	if (s->command)
		return refuse(s, "command twice: keep one");
	s->command = true;
	if (strlen(text) >= sizeof(s->p->command))
		return refuse(s, "command has more than %zu characters: shorten it",
			      sizeof(s->p->command) - 1);
	strcpy(s->p->command, text);
	return 1;
}

static int take(void *opaque, const char *section, const char *name, const char *value)
{
	static const char *const sections[] = {"machine", "cost", "mi", "fit"};
	struct parser *s = opaque;
	char text[512];
	size_t known = 0;

	if (s->ret)
		return 0;
	if (strlen(value) >= sizeof(text))
		return refuse(s, "value too long: shorten it");
	strcpy(text, value);
	for (size_t i = 0; i < NR_KEYS; i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
			return take_key(s, i, text);
	if (!strcmp(section, "mi") && !strcmp(name, "delays"))
		return take_delays(s, text);
	if (!strcmp(section, "fit")) {
		s->p->fitted = true;
		if (!strcmp(name, "command"))
			return take_command(s, text);
		if (!strcmp(name, "recording"))
			return take_source(s, text);
		if (!strcmp(name, "too_little"))
			return take_open(s, text);
		for (unsigned int i = 0; i < VGIC_FITS; i++)
			if (!strcmp(name, vgic_fit_name(i)))
				return take_fit(s, i, text);
	}
	while (known < 4 && strcmp(section, sections[known]))
		known++;
	if (!*section)
		return refuse(s, "key before any section: '%.60s': begin with [machine]", name);
	if (known == 4)
		return refuse(s, "unknown section: [%.50s]: vgicsim-profile(5) lists them",
			      section);
	return refuse(s, "unknown key in [%s]: '%.60s': vgicsim-profile(5) lists them", section,
		      name);
}

/* What only the whole file shows. */
static void look_over(struct parser *s)
{
	s->line = 0;
	for (size_t i = 0; i < NR_KEYS; i++)
		if (!s->seen[i])
			refuse(s, "no %s in [%s]: add it", keys[i].name, keys[i].section);
	if (!s->delays)
		refuse(s, "no delays in [mi]: add it, empty if the median is to count");
	if (s->p->prio_bits < s->p->pre_bits)
		refuse(s, "prio_bits is less than pre_bits: raise it");
	if (!s->p->fitted)
		return;
	for (unsigned int i = 0; i < VGIC_FITS; i++)
		if (!s->fit_seen[i])
			refuse(s, "no %s in [fit]: leave all of [fit] out", vgic_fit_name(i));
	if (!s->command || !s->open || !s->p->nr_sources)
		refuse(s, "no %s in [fit]: leave all of [fit] out",
		       !s->command ? "command"
		       : !s->open  ? "too_little"
				   : "recording");
	s->p->report.recordings = s->p->nr_sources;
}

int vgic_profile_parse(struct vgic_profile_file *p, const char *text, size_t size,
		       struct vgic_profile_error *error)
{
	struct parser s = {.p = p, .error = error, .text = text, .size = size};
	int line;

	memset(p, 0, sizeof(*p));
	memset(error, 0, sizeof(*error));
	if (size > VGIC_PROFILE_MAX_BYTES) {
		refuse(&s, "more than %u bytes: this is no profile", VGIC_PROFILE_MAX_BYTES);
		return s.ret;
	}
	line = ini_parse_stream(read_line, &s, take, &s);
	/* It goes on after a line that is none: what comes then may be refused for that. */
	if (line > 0 && s.ret != -ENOMEM && (!s.ret || (unsigned int)line < error->line)) {
		s.line = (unsigned int)line;
		s.ret = 0;
		refuse(&s, "neither [section] nor key = value: make it one");
	}
	if (line < 0 && !s.ret)
		s.ret = -ENOMEM;
	if (!s.ret)
		look_over(&s);
	return s.ret;
}

/* ---- and back ---- */

static void put_key(FILE *f, const struct key *k, const struct vgic_profile_file *p)
{
	const char *at = (const char *)p + k->offset;
	char text[128];
	uint64_t v;

	fprintf(f, "%s = ", k->name);
	switch (k->kind) {
	case KIND_TEXT:
		copy_plain(text, sizeof(text), at, true);
		fprintf(f, "%s\n", text);
		break;
	case KIND_BOOL:
		fprintf(f, "%s\n", *(const bool *)at ? "yes" : "no");
		break;
	case KIND_UINT:
		fprintf(f, "%u\n", *(const unsigned int *)at);
		break;
	case KIND_NS:
		fprintf(f, "%" PRIu64 "\n", *(const uint64_t *)at);
		break;
	case KIND_PS:
		v = *(const uint64_t *)at;
		fprintf(f, "%" PRIu64 ".%03" PRIu64 "\n", v / 1000, v % 1000);
		break;
	}
}

static void put_fit(FILE *f, const struct vgic_profile_file *p)
{
	char text[200];
	bool any = false;

	copy_plain(text, sizeof(text), p->command, true);
	fprintf(f, "\n[fit]\ncommand = %s\n", text);
	for (size_t i = 0; i < p->nr_sources; i++)
		fprintf(f, "recording = %016" PRIx64 " %s %s\n", p->sources[i].hash,
			p->sources[i].kernel, p->sources[i].name);
	for (unsigned int i = 0; i < VGIC_FITS; i++) {
		format_fit(text, sizeof(text), &p->report.fits[i]);
		fprintf(f, "%s = %s\n", vgic_fit_name(i), text);
	}
	fprintf(f, "too_little =");
	for (unsigned int i = 0; i < VGIC_TERMS; i++) {
		if (p->report.open[i])
			fprintf(f, " %s", vgic_term_name(i));
		any |= p->report.open[i];
	}
	fprintf(f, "%s\n", any ? "" : " none");
}

int vgic_profile_format(const struct vgic_profile_file *p, char **text, size_t *size)
{
	const struct vgic_profile *q = &p->profile;
	const char *section = NULL;
	FILE *f = open_memstream(text, size);
	bool failed;

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < NR_KEYS; i++) {
		if (!section || strcmp(section, keys[i].section))
			fprintf(f, "%s[%s]\n", section ? "\n" : "", keys[i].section);
		section = keys[i].section;
		put_key(f, &keys[i], p);
	}
	for (uint32_t i = 0; i < q->nr_mi_delays; i++)
		fprintf(f, "%s %" PRIu64,
			i % DELAYS_A_LINE ? ""
			: i		  ? "\ndelays ="
					  : "delays =",
			q->mi_delays[i]);
	fprintf(f, "%s\n", q->nr_mi_delays ? "" : "delays =");
	if (p->fitted)
		put_fit(f, p);
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(*text);
		*text = NULL;
		return -ENOMEM;
	}
	return 0;
}

int vgic_profile_add_source(struct vgic_profile_file *p, uint64_t hash, const char *kernel,
			    const char *name)
{
	struct vgic_profile_source *s;

	if (p->nr_sources == VGIC_PROFILE_MAX_SOURCES)
		return -E2BIG;
	s = realloc(p->sources, (p->nr_sources + 1) * sizeof(*s));
	if (!s)
		return -ENOMEM;
	p->sources = s;
	s += p->nr_sources++;
	s->hash = hash;
	copy_plain(s->kernel, sizeof(s->kernel), kernel, false);
	copy_plain(s->name, sizeof(s->name), name, true);
	return 0;
}

void vgic_profile_finish(struct vgic_profile_file *p)
{
	free(p->sources);
	p->sources = NULL;
	p->nr_sources = 0;
}

uint64_t vgic_profile_hash(const char *text, size_t size)
{
	return XXH64(text, size, 0);
}
