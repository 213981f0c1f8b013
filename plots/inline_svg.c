// SPDX-License-Identifier: GPL-2.0-only
/*
 * gnuplot's SVG as a part of a page. Two changes are needed: identifiers, which several
 * pictures in one page would share, and the colours of ink and paper, which follow the
 * page's light or dark scheme by style sheet variables. White text keeps its colour (without
 * blanks in its spelling): it stands on a coloured block.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Values as the SVG terminal of gnuplot 5.4 to 6.0 spells them. */
static const struct {
	const char *from, *to;
} exchange[] = {
	{"rgb( 31,  31,  31)", "var(--ink)"},
	{"rgb(31,31,31)", "var(--ink)"},
	{"#1f1f1f", "var(--ink)"},
	{"#1F1F1F", "var(--ink)"},
	{"rgb(107, 107, 107)", "var(--soft)"},
	{"rgb(107,107,107)", "var(--soft)"},
	{"rgb(220, 220, 220)", "var(--grid)"},
	{"rgb(220,220,220)", "var(--grid)"},
	{"rgb(238, 241, 245)", "var(--band)"},
	{"rgb(238,241,245)", "var(--band)"},
	{"rgb(255, 255, 255)", "var(--paper)"},
	{"#ffffff", "var(--paper)"},
	{"#FFFFFF", "var(--paper)"},
	{"fill = 'white'", "fill='var(--paper)'"},
};

/* Something in front of an identifier that must become the picture's own. */
static const char *const marks[] = {
	"xlink:href='#",
	"url(#",
	" id='",
	" id=\"",
};

static const char *emit(FILE *page, const char *p, const char *id)
{
	size_t i, n;

	for (i = 0; i < sizeof(exchange) / sizeof(exchange[0]); i++) {
		n = strlen(exchange[i].from);
		if (!strncmp(p, exchange[i].from, n)) {
			fputs(exchange[i].to, page);
			return p + n;
		}
	}
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		n = strlen(marks[i]);
		if (!strncmp(p, marks[i], n)) {
			fprintf(page, "%s%s-", marks[i], id);
			return p + n;
		}
	}
	fputc(*p, page);
	return p + 1;
}

static char *slurp(FILE *f)
{
	size_t size = 1 << 16, len = 0, n;
	char *s = malloc(size), *more;

	while (s && (n = fread(s + len, 1, size - len - 1, f)) > 0) {
		len += n;
		if (len + 1 < size)
			continue;
		more = realloc(s, size *= 2);
		if (!more)
			free(s);
		s = more;
	}
	if (s)
		s[len] = '\0';
	return s;
}

int vgic_plot_inline_svg(FILE *page, FILE *svg, const char *id, const char *label)
{
	char *text = slurp(svg);
	const char *p, *end;

	if (!text)
		return -ENOMEM;
	p = strstr(text, "<svg");
	end = p ? strchr(p, '>') : NULL;
	if (!end || ferror(svg)) {
		free(text);
		return -EIO;
	}
	fputs("<svg role=\"img\" aria-label=\"", page);
	vgic_plot_html(page, label);
	fputs("\"", page);
	/* A title would show as a tooltip over the whole picture; the label above says the same. */
	for (p += 4; p < end; p++)
		fputc(*p, page);
	p = strstr(end, "<desc>");
	fputs(">\n", page);
	for (p = p ? p : end + 1; *p;)
		p = emit(page, p, id);
	free(text);
	return 0;
}
