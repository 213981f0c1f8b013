// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and strings as people and the other programs read them. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include "internal.h"

int vgic_plot_fail(struct vgic_plot_error *err, int code, const char *format, ...)
{
	va_list ap;
	char *p;

	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	for (p = err->text; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	return code;
}

static const struct {
	double size;
	const char *name;
} time_units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};

struct vgic_plot_text vgic_plot_ns(int64_t ns)
{
	struct vgic_plot_text t;
	unsigned int i = 0;
	double v;

	if (ns < 0) {
		strcpy(t.s, "–");
		return t;
	}
	/* 999.6 would be rounded up to 1000 of its unit. */
	while (i < 3 && (double)ns < time_units[i].size * 0.9995)
		i++;
	v = (double)ns / time_units[i].size;
	snprintf(t.s, sizeof(t.s), "%.*f %s",
		 i == 3 || v >= 99.95 ? 0
		 : v >= 9.995	      ? 1
				      : 2,
		 v, time_units[i].name);
	return t;
}

struct vgic_plot_text vgic_plot_ns_exact(int64_t ns)
{
	static const struct {
		int64_t size;
		int digits;
		const char *name;
	} units[] = {{1000000000, 9, "s"}, {1000000, 6, "ms"}, {1000, 3, "µs"}};
	struct vgic_plot_text t;
	size_t n;
	int i;

	for (i = 0; i < 3 && ns < units[i].size; i++)
		;
	if (i == 3) {
		snprintf(t.s, sizeof(t.s), "%" PRId64 " ns", ns);
		return t;
	}
	n = (size_t)snprintf(t.s, sizeof(t.s), "%" PRId64 ".%0*" PRId64, ns / units[i].size,
			     units[i].digits, ns % units[i].size);
	while (t.s[n - 1] == '0')
		n--;
	if (t.s[n - 1] == '.')
		n--;
	snprintf(t.s + n, sizeof(t.s) - n, " %s", units[i].name);
	return t;
}

struct vgic_plot_text vgic_plot_count(int64_t n)
{
	struct vgic_plot_text t;
	char plain[24];
	size_t len, i, out = 0;

	if (n < 0) {
		strcpy(t.s, "–");
		return t;
	}
	len = (size_t)snprintf(plain, sizeof(plain), "%" PRId64, n);
	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			t.s[out++] = ',';
		t.s[out++] = plain[i];
	}
	t.s[out] = '\0';
	return t;
}

struct vgic_plot_text vgic_plot_short(int64_t n)
{
	static const char unit[] = " kMGTPE";
	struct vgic_plot_text t;
	double v = (double)n;
	int u = 0;

	if (n < 0) {
		strcpy(t.s, "–");
		return t;
	}
	if (n < 10000) {
		snprintf(t.s, sizeof(t.s), "%" PRId64, n);
		return t;
	}
	while (v >= 999.5 && u < 6) {
		v /= 1000;
		u++;
	}
	snprintf(t.s, sizeof(t.s), "%.*f%c", v >= 99.95 ? 0 : 1, v, unit[u]);
	return t;
}

struct vgic_plot_text vgic_plot_number(int64_t n)
{
	struct vgic_plot_text t;

	if (n < 0)
		strcpy(t.s, "–");
	else
		snprintf(t.s, sizeof(t.s), "%" PRId64, n);
	return t;
}

void vgic_plot_quote(FILE *f, const char *text, size_t most)
{
	size_t i, n = strlen(text);

	if (n > most) {
		/* Not in the middle of a character. */
		for (n = most; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	}
	for (i = 0; i < n; i++) {
		if ((unsigned char)text[i] < ' ')
			fputc(' ', f);
		else if (text[i] == '\'')
			fputs("’", f);
		else if (text[i] == '`')
			fputs("‘", f);
		else
			fputc(text[i], f);
	}
	if (text[n])
		fputs("…", f);
}

void vgic_plot_html(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

void vgic_plot_tics(FILE *f, const char *name, double top)
{
	double step = pow(10, floor(log10(top / 4))), v;
	char label[32];
	int i;

	if (top / step > 10)
		step *= top / step > 20 ? 5 : 2;
	if (step < 1)
		step = 1;
	fprintf(f, "%s = \"(", name);
	for (i = 0, v = 0; v <= top * 1.0001; i++, v = i * step) {
		if (top >= 10000)
			snprintf(label, sizeof(label), "%g%s", v / (top >= 1e7 ? 1e6 : 1e3),
				 v <= 0	      ? ""
				 : top >= 1e7 ? "M"
					      : "k");
		else
			snprintf(label, sizeof(label), "%g", v);
		fprintf(f, "%s'%s' %.10g", i ? ", " : "", label, v);
	}
	fprintf(f, ")\"\n");
}

void vgic_plot_block(FILE *f, const char *name)
{
	fprintf(f, "\n\n# %s\n", name);
}
