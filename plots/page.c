// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every page has: it needs nothing beside it, and asks for nothing. The policy in its head
 * makes a browser refuse whatever would load something or run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

const char *vgic_plot_plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

void vgic_plot_page_open(FILE *f, const char *generator, const char *subject, const char *title)
{
	fprintf(f,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"generator\" content=\"%s\">\n<title>",
		generator);
	vgic_plot_html(f, subject);
	fprintf(f, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>",
		vgic_plot_embedded("report.css"));
	vgic_plot_html(f, title);
	fprintf(f, "</h1>\n");
}

void vgic_plot_page_close(FILE *f)
{
	fprintf(f, "</footer>\n</body>\n</html>\n");
}

void vgic_plot_page_term(FILE *f, const char *name, const char *value)
{
	fprintf(f, "<dt>%s</dt><dd>", name);
	vgic_plot_html(f, value[0] ? value : "–");
	fprintf(f, "</dd>\n");
}

/* Moved by the keyboard, too: it can have the focus, and then has a name. */
void vgic_plot_table_open(FILE *f, const char *label, const char *caption)
{
	fprintf(f,
		"<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>"
		"<caption>%s</caption>\n",
		label, caption);
}

void vgic_plot_table_close(FILE *f)
{
	fprintf(f, "</tbody></table></div>\n");
}

int vgic_plot_page_figure(FILE *f, const struct vgic_plot_stage *stage,
			  const struct vgic_plot_drawn *d, struct vgic_plot_error *err)
{
	char name[200], alt[640];
	int error = 0;
	char *path;
	FILE *svg;

	if (!d->drawn) {
		fprintf(f, "<p class=\"soft\"><b>%s:</b> not drawn, ", d->figure->title);
		vgic_plot_html(f, d->note);
		fprintf(f, ".</p>\n");
		return 0;
	}
	snprintf(name, sizeof(name), "%s.svg", d->base);
	if (asprintf(&path, "%s/%s", stage->temp, name) < 0)
		return vgic_plot_fail(err, -ENOMEM, "not enough memory");
	svg = fopen(path, "re");
	if (!svg)
		error = vgic_plot_fail(err, -errno, "%s: cannot read: %s", name, strerror(errno));
	free(path);
	if (error)
		return error;
	fprintf(f, "<figure id=\"%s\">\n", d->base);
	snprintf(alt, sizeof(alt), "%s%s%s", d->figure->title, d->note[0] ? ". " : "", d->note);
	error = vgic_plot_inline_svg(f, svg, d->base, alt);
	fclose(svg);
	if (error)
		return vgic_plot_fail(err, error, "%s: gnuplot made no usable picture", name);
	fprintf(f, "<figcaption><b>%s.</b> %s ", d->figure->title, d->figure->caption);
	vgic_plot_html(f, d->note);
	fprintf(f,
		" <span class=\"files\">Numbers: <code>data/%s.dat</code></span>"
		"</figcaption></figure>\n",
		d->base);
	return 0;
}
