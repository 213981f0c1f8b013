/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of plots/: figures, their data, text, the page. */
#ifndef VGICSIM_PLOTS_INTERNAL_H
#define VGICSIM_PLOTS_INTERNAL_H

#include <stdio.h>
#include <jansson.h>
#include <vgicsim/plot.h>

/* Writes the message and gives code back. */
int vgic_plot_fail(struct vgic_plot_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* result.c: what vgic_plot_load() does, of a result in memory; name stands for its file. */
int vgic_plot_from_json(json_t *root, const char *name, struct vgic_plot_result **result,
			struct vgic_plot_error *err);

/* stats.c */
extern const char *const vgic_plot_latency_name[VGIC_PLOT_NR_LATENCIES];
extern const char *const vgic_plot_exit_name[VGIC_PLOT_NR_EXITS];
extern const char *const vgic_plot_mi_name[VGIC_PLOT_NR_MI];

/* The column of a figure: a cell, or the recording itself in front. */
struct vgic_plot_column {
	const struct vgic_plot_cell *cell;
	double x;
	bool measured;
};

/* Measured column first, if there is one. Caller frees. NULL without memory. */
struct vgic_plot_column *vgic_plot_columns(const struct vgic_plot_result *res, int *nr);

/* No numbers of this cell may be drawn: it never came to an end. */
bool vgic_plot_endless(const struct vgic_plot_cell *c);

/*
 * The cells whose latencies are drawn: those with 1, 2, 4, 8 ... LRs and the recorded
 * count, or all if there are at most six. Caller frees. NULL without memory.
 */
const struct vgic_plot_cell **vgic_plot_selected(const struct vgic_plot_result *res, int *nr);

/* The cell (or recording) whose time line is drawn; NULL: there is none. */
const struct vgic_plot_cell *vgic_plot_line_cell(const struct vgic_plot_result *res);

/* The window drawn of it. -ERANGE: the wish lies outside. */
int vgic_plot_window(const struct vgic_plot_timeline *line, const struct vgic_plot_options *o,
		     int64_t *t0, int64_t *t1);

/* Top of a linear axis from 0 that holds value and the label above it. */
double vgic_plot_axis_top(double value);

/* Both results are about the same guest's work, so their totals compare. */
bool vgic_plot_same_kind(const struct vgic_plot_result *a, const struct vgic_plot_result *b);

/* Their file names make the same stem. */
bool vgic_plot_same_stem(const struct vgic_plot_result *a, const struct vgic_plot_result *b);

/* text.c: what the formatters return lives in the caller's buffer. */
struct vgic_plot_text {
	char s[48];
};

struct vgic_plot_text vgic_plot_ns(int64_t ns);	      /* "12.3 µs" */
struct vgic_plot_text vgic_plot_ns_exact(int64_t ns); /* "1.234567 s", all digits */
struct vgic_plot_text vgic_plot_count(int64_t n);     /* "1,234,567" */
struct vgic_plot_text vgic_plot_short(int64_t n);     /* "1.23M", at most five characters */
struct vgic_plot_text vgic_plot_number(int64_t n);    /* "1234", "–" if unknown */

/*
 * The inside of a gnuplot string in single quotes, at most so many bytes of text. gnuplot
 * looks for backquotes even there, so quotes of both kinds become typographic ones.
 */
void vgic_plot_quote(FILE *f, const char *text, size_t most);
/* text as HTML. */
void vgic_plot_html(FILE *f, const char *text);

/* figures.c and one file per kind of figure */
struct vgic_plot_job {
	const struct vgic_plot_result *res;
	struct vgic_plot_result *const *all; /* comparison only */
	int nr_all;
	const struct vgic_plot_options *options;
	enum vgic_plot_latency_kind latency;
	FILE *vars; /* gnuplot variables, in front of the script */
	FILE *data; /* blocks named by a comment line, two empty lines between */
	char *note; /* out: why there is no figure, or what to add to the caption */
	size_t note_size;
	struct vgic_plot_error *err;
};

/* 1: written; 0: nothing to draw, the note says why; negative errno. */
int vgic_plot_exits(struct vgic_plot_job *job);
int vgic_plot_occupancy(struct vgic_plot_job *job);
int vgic_plot_latency(struct vgic_plot_job *job);
int vgic_plot_timeline(struct vgic_plot_job *job);
int vgic_plot_compare(struct vgic_plot_job *job);

/* Variable name: the ticks of a linear axis of counts from 0 to top. */
void vgic_plot_tics(FILE *f, const char *name, double top);
/* A named data block. */
void vgic_plot_block(FILE *f, const char *name);
/* Blocks and variables that every figure over LR counts shares: ticks, hatched columns. */
void vgic_plot_write_columns(struct vgic_plot_job *job, const struct vgic_plot_column *cols,
			     int nr);

struct vgic_plot_figure {
	const char *name;
	const char *script;
	const char *title;
	const char *caption; /* how to read it; HTML */
	int (*write)(struct vgic_plot_job *job);
	enum vgic_plot_latency_kind latency;
};

extern const struct vgic_plot_figure vgic_plot_figures[]; /* ended by name NULL */
extern const struct vgic_plot_figure vgic_plot_comparison;

/* A figure that was drawn, or why not. */
struct vgic_plot_drawn {
	const struct vgic_plot_figure *figure;
	const struct vgic_plot_result *res; /* NULL: the comparison */
	char base[160];			    /* of its files, without ending */
	bool drawn;
	char note[512];
};

/* "burst-exits" when there are several results, "exits" for one. */
void vgic_plot_base(char *buf, size_t size, struct vgic_plot_result *const *results, int nr,
		    const struct vgic_plot_result *res, const char *name);

/* scripts.c (generated by embed.py): the text of plots/<name>, NULL if there is none. */
const char *vgic_plot_embedded(const char *name);

/* gnuplot.c */
/* -ENOPKG: missing or too old. */
int vgic_plot_find_gnuplot(struct vgic_plot_error *err);
/* Runs script (relative to dir) for each format; its complaints go into err. */
int vgic_plot_gnuplot(const char *dir, const char *script, unsigned int formats,
		      struct vgic_plot_error *err);

/* publish.c: a directory that becomes another one at the end. */
struct vgic_plot_stage {
	char *dir;  /* as wanted */
	char *temp; /* written to meanwhile */
	bool fresh; /* dir did not exist */
};

int vgic_plot_stage_open(struct vgic_plot_stage *stage, const char *dir,
			 struct vgic_plot_error *err);
FILE *vgic_plot_stage_file(const struct vgic_plot_stage *stage, const char *name,
			   struct vgic_plot_error *err, int *error);
/* Closes f; every write error until then counts. */
int vgic_plot_stage_close(FILE *f, const char *name, struct vgic_plot_error *err);
/* Removes the files of that ending from the top of the stage. */
int vgic_plot_stage_drop_ending(const struct vgic_plot_stage *stage, const char *ending,
				struct vgic_plot_error *err);
int vgic_plot_stage_publish(struct vgic_plot_stage *stage, struct vgic_plot_error *err);
/* Removes what was not published; fine after publish or on a zeroed structure. */
void vgic_plot_stage_finish(struct vgic_plot_stage *stage);

/* interrupt.c: SIGINT and SIGTERM become a flag between begin and end. */
void vgic_plot_signals_begin(void);
void vgic_plot_signals_end(void);
bool vgic_plot_interrupted(void);

/* page.c: what every page has around its own. Subject and title are text, what else is said HTML.
 */
void vgic_plot_page_open(FILE *f, const char *generator, const char *subject, const char *title);
void vgic_plot_page_close(FILE *f);
void vgic_plot_page_term(FILE *f, const char *name, const char *value); /* of a <dl> */
/* A table that is moved sideways where it has no room; close ends its <tbody> too. */
void vgic_plot_table_open(FILE *f, const char *label, const char *caption);
void vgic_plot_table_close(FILE *f);
/* The SVG of a drawn figure with its caption, or says why there is none. */
int vgic_plot_page_figure(FILE *f, const struct vgic_plot_stage *stage,
			  const struct vgic_plot_drawn *d, struct vgic_plot_error *err);
const char *vgic_plot_plural(int64_t n);

/* recording.c: the page of 'vgicsim report'; res: its replay, NULL if there is none. */
int vgic_plot_recording_page(const struct vgic_plot_stage *stage, FILE *f, const json_t *report,
			     const struct vgic_plot_result *res,
			     const struct vgic_plot_drawn *drawn, int nr_drawn,
			     struct vgic_plot_error *err);

/* recording_parts.c: its tables. */
const json_t *vgic_plot_at(const json_t *o, const char *path); /* members, with / between */
int64_t vgic_plot_int(const json_t *o, const char *path);      /* VGIC_PLOT_UNKNOWN: none */
const char *vgic_plot_str(const json_t *o, const char *path);  /* "": none */

/* report.c: the page; svg files are read from the stage. */
int vgic_plot_report(const struct vgic_plot_stage *stage, FILE *f,
		     struct vgic_plot_result *const *results, int nr_results,
		     const struct vgic_plot_drawn *drawn, int nr_drawn,
		     struct vgic_plot_error *err);

/* What a page says of one result: what must not be overlooked, totals, latencies, input. */
void vgic_plot_page_findings(FILE *f, const struct vgic_plot_result *res);
void vgic_plot_page_cells(FILE *f, const struct vgic_plot_result *res);
void vgic_plot_page_latencies(FILE *f, const struct vgic_plot_result *res);
void vgic_plot_page_replay(FILE *f, const struct vgic_plot_result *res);
/* Four percentiles and the maximum, a cell of the table each. */
void vgic_plot_page_quantiles(FILE *f, const struct vgic_plot_latency *lat);

/* inline_svg.c: copies an SVG of gnuplot's into a page: own ids, colours by style sheet. */
int vgic_plot_inline_svg(FILE *page, FILE *svg, const char *id, const char *label);

#endif
