// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "exit.h"
#include "output.h"
#include "top_screen.h"

const char *const top_sort_names[] = {"vm",  "exits", "mi",  "dir", "sgi", "wfi", "mmio",
				      "irq", "lrs",   "ovf", "out", "p99", NULL};

#ifdef VGICSIM_NCURSES

#include <curses.h>
#include "summary.h"

/* ---- columns ---- */

enum column_kind {
	COLUMN_NAME,
	COLUMN_COMM,
	COLUMN_EXITS,
	COLUMN_KIND,
	COLUMN_LRS,
	COLUMN_OVERFLOW,
	COLUMN_OUT,
	COLUMN_P99
};

struct column {
	const char *title;
	int width; /* with the blank before it */
	enum column_kind what;
	unsigned int kind; /* enum vgic_stat_kind */
	int sort;	   /* in top_sort_names; -1: cannot */
};

/* In order of the screen; what does not fit from the right is left out, and COMMAND where room is
 * rare. */
static const struct column columns[] = {
	{"VM:VCPU", 8, COLUMN_NAME, 0, 0},
	{"COMMAND", 9, COLUMN_COMM, 0, -1},
	{"EXITS", 6, COLUMN_EXITS, 0, 1},
	{"MI", 6, COLUMN_KIND, VGIC_STAT_MI, 2},
	{"DIR", 6, COLUMN_KIND, VGIC_STAT_DIR, 3},
	{"SGI", 6, COLUMN_KIND, VGIC_STAT_SGI, 4},
	{"WFI", 6, COLUMN_KIND, VGIC_STAT_WFI, 5},
	{"MMIO", 6, COLUMN_KIND, VGIC_STAT_MMIO, 6},
	{"IRQ", 6, COLUMN_KIND, VGIC_STAT_OTHER_IRQ, 7},
	{"LRS", 4, COLUMN_LRS, 0, 8},
	{"OVF%", 5, COLUMN_OVERFLOW, 0, 9},
	{"OUT%", 5, COLUMN_OUT, 0, 10},
	{"P99", 7, COLUMN_P99, 0, 11},
};
#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

enum pane { PANE_NONE, PANE_RAISE, PANE_LRS, PANE_DEPTH, PANE_CAUSES, PANES };

struct top_screen {
	SCREEN *screen;
	FILE *keys; /* not standard input */
	bool colour;
	int sort; /* in top_sort_names */
	bool reverse, paused, all, help;
	enum pane pane;
	uint32_t vm, vcpu; /* picked */
	size_t first;	   /* row at the top */
	struct stat_set shown;
	struct stat_row **order;
	char source[64];
	bool ended;
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static const struct vgic_stat_counts *counts_of(const struct top_screen *t,
						const struct stat_row *r)
{
	return t->all ? &r->v.counts : &r->span;
}

/* Time in which these were counted, ns. */
static uint64_t time_of(const struct top_screen *t)
{
	return t->all ? t->shown.last - t->shown.begin : t->shown.span_ns;
}

/* What a column sorts by. */
static double value_of(const struct top_screen *t, const struct stat_row *r,
		       const struct column *col)
{
	const struct vgic_stat_counts *c = counts_of(t, r);

	switch (col->what) {
	case COLUMN_EXITS:
		return (double)stat_exits(c);
	case COLUMN_KIND:
		return (double)c->exits[col->kind];
	case COLUMN_LRS:
		return stat_mean_lrs(c);
	case COLUMN_OVERFLOW:
		return percent(stat_overflows(c), c->entries);
	case COLUMN_OUT:
		return percent(stat_hypervisor_ns(c), stat_hypervisor_ns(c) + c->guest_ns);
	case COLUMN_P99:
		return (double)stat_raise_quantile(c, 0.99);
	default:
		/* The first comes first. */
		return -((double)r->v.vm * 65536 + r->v.vcpu);
	}
}

static void cell(const struct top_screen *t, const struct stat_row *r, const struct column *col,
		 char *buf, size_t size)
{
	double seconds = (double)time_of(t) / 1e9, v = value_of(t, r, col);
	char text[32];

	switch (col->what) {
	case COLUMN_NAME:
		snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32, r->v.vm, r->v.vcpu);
		snprintf(buf, size, "%-*s", col->width, text);
		return;
	case COLUMN_COMM:
		snprintf(buf, size, "%-*.*s", col->width, col->width - 1,
			 r->v.gone ? "(gone)" : r->v.comm);
		return;
	case COLUMN_EXITS:
	case COLUMN_KIND:
		stat_format_count(text, sizeof(text), seconds > 0 ? v / seconds : 0);
		break;
	case COLUMN_LRS:
		snprintf(text, sizeof(text), "%.1f", v);
		break;
	case COLUMN_P99:
		stat_format_time(text, sizeof(text), (uint64_t)v);
		break;
	default:
		snprintf(text, sizeof(text), "%.0f", v);
		break;
	}
	snprintf(buf, size, "%*s", col->width, text);
}

/* ---- order ---- */

static const struct top_screen *sorted; /* for qsort, which has no argument to give on */

static const struct column *sort_column(const struct top_screen *t)
{
	for (size_t i = 0; i < NR_COLUMNS; i++)
		if (columns[i].sort == t->sort)
			return &columns[i];
	return &columns[0];
}

static int compare(const void *pa, const void *pb)
{
	const struct stat_row *a = *(struct stat_row *const *)pa,
			      *b = *(struct stat_row *const *)pb;
	double x = value_of(sorted, a, sort_column(sorted));
	double y = value_of(sorted, b, sort_column(sorted));

	if (x != y)
		return ((x < y) - (x > y)) * (sorted->reverse ? -1 : 1);
	/* Rows that are equal keep their places. */
	return (a > b) - (a < b);
}

static void sort_rows(struct top_screen *t)
{
	for (size_t i = 0; i < t->shown.n; i++)
		t->order[i] = &t->shown.rows[i];
	sorted = t;
	if (t->shown.n)
		qsort(t->order, t->shown.n, sizeof(*t->order), compare);
}

/* Place of the picked one, or of the first if that has gone. */
static size_t picked(struct top_screen *t)
{
	for (size_t i = 0; i < t->shown.n; i++)
		if (t->order[i]->v.vm == t->vm && t->order[i]->v.vcpu == t->vcpu)
			return i;
	return 0;
}

static void pick(struct top_screen *t, size_t i)
{
	if (!t->shown.n)
		return;
	if (i >= t->shown.n)
		i = t->shown.n - 1;
	t->vm = t->order[i]->v.vm;
	t->vcpu = t->order[i]->v.vcpu;
}

/* ---- drawing ---- */

static bool has_room(const struct column *c, int x)
{
	return x + c->width <= COLS && (c->what != COLUMN_COMM || COLS >= 60);
}

enum style { PLAIN, BOLD, HEAD, HEAD_SORT, PICKED, WARN };

static attr_t attr_of(const struct top_screen *t, enum style s)
{
	switch (s) {
	case BOLD:
		return A_BOLD;
	case HEAD:
		return t->colour ? COLOR_PAIR(1) : A_REVERSE;
	case HEAD_SORT:
		return (t->colour ? COLOR_PAIR(1) : A_REVERSE) | A_BOLD | A_UNDERLINE;
	case PICKED:
		return A_REVERSE;
	case WARN:
		return t->colour ? COLOR_PAIR(2) | A_BOLD : A_BOLD;
	default:
		return A_NORMAL;
	}
}

/* Text from a place of a line on, no further than the screen's edge; gives the place behind it. */
static int put(const struct top_screen *t, int y, int x, enum style s, const char *text)
{
	if (y >= 0 && y < LINES && x < COLS) {
		attrset(attr_of(t, s));
		mvaddnstr(y, x, text, COLS - x);
		attrset(A_NORMAL);
	}
	return x + (int)strlen(text);
}

static void draw_status(const struct top_screen *t)
{
	const struct stat_set *s = &t->shown;
	time_t now = (time_t)s->time;
	char line[160], at[16] = "--:--:--";
	struct tm tm;
	size_t vms = 0;
	int x;

	for (size_t i = 0; i < s->n; i++)
		vms += !i || s->rows[i].v.vm != s->rows[i - 1].v.vm;
	if (s->ticks && now && localtime_r(&now, &tm))
		strftime(at, sizeof(at), "%H:%M:%S", &tm);
	x = put(t, 0, 0, BOLD, "vgicsim top");
	snprintf(line, sizeof(line), "  %s  %zu VM%s, %zu vCPU%s, %s %.1f s", at, vms,
		 vms == 1 ? "" : "s", s->n, s->n == 1 ? "" : "s", t->all ? "all" : "last",
		 (double)time_of(t) / 1e9);
	x = put(t, 0, x, PLAIN, line);
	if (t->paused)
		x = put(t, 0, x, WARN, "  PAUSED");
	else if (t->ended)
		x = put(t, 0, x, WARN, "  END");
	snprintf(line, sizeof(line), "  %s", t->source);
	put(t, 0, x, PLAIN, line);
}

/* What all do together; or what could not be counted, which is more important. */
static void draw_sum(const struct top_screen *t)
{
	const struct vgic_stat_missed *m = &t->shown.missed;
	uint64_t all = 0, kinds[VGIC_STAT_KINDS] = {0};
	char line[200], n[32];
	size_t k;

	if (m->vcpus || m->raises) {
		snprintf(line, sizeof(line),
			 "MISSED %" PRIu64 " events of vCPUs without room, %" PRIu64 " LPIs",
			 m->vcpus, m->raises);
		put(t, 1, 0, WARN, line);
		return;
	}
	for (size_t i = 0; i < t->shown.n; i++) {
		const struct vgic_stat_counts *c = counts_of(t, &t->shown.rows[i]);

		all += stat_exits(c);
		for (unsigned int j = 0; j < VGIC_STAT_KINDS; j++)
			kinds[j] += c->exits[j];
	}
	k = (size_t)snprintf(line, sizeof(line), "%s exits/s:",
			     stat_format_count(n, sizeof(n),
					       time_of(t) ? 1e9 * (double)all / (double)time_of(t)
							  : 0));
	for (unsigned int j = 0; j < VGIC_STAT_KINDS && k < sizeof(line); j++)
		k += (size_t)snprintf(line + k, sizeof(line) - k, " %s %.0f%%", stat_kind_title(j),
				      percent(kinds[j], all));
	put(t, 1, 0, PLAIN, line);
}

static void draw_table(struct top_screen *t, int y, int height)
{
	size_t at = picked(t);
	char text[64];
	int x = 0;

	for (size_t i = 0; i < NR_COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (!has_room(c, x))
			continue;
		snprintf(text, sizeof(text),
			 c->what == COLUMN_NAME || c->what == COLUMN_COMM ? "%-*s" : "%*s",
			 c->width, c->title);
		/* Only the word is marked. */
		put(t, y, x, HEAD, text);
		if (c->sort == t->sort)
			put(t, y, x + (int)strspn(text, " "), HEAD_SORT, c->title);
		x += c->width;
	}
	while (x < COLS)
		x = put(t, y, x, HEAD, " ");
	height--;
	y++;
	if (height < 1)
		return;
	if (at < t->first)
		t->first = at;
	if (at >= t->first + (size_t)height)
		t->first = at - (size_t)height + 1;
	if (!t->shown.n)
		put(t, y, 0, PLAIN, t->ended ? "No vCPU ran." : "No vCPU has run yet.");
	for (size_t i = t->first; i < t->shown.n && height > 0; i++, y++, height--) {
		enum style s = i == at ? PICKED : t->order[i]->v.gone ? BOLD : PLAIN;

		x = 0;
		for (size_t k = 0; k < NR_COLUMNS; k++) {
			if (!has_room(&columns[k], x))
				continue;
			cell(t, t->order[i], &columns[k], text, sizeof(text));
			x = put(t, y, x, s, text);
		}
		while (s == PICKED && x < COLS)
			x = put(t, y, x, s, " ");
	}
}

/* ---- the pane ---- */

static void bar(const struct top_screen *t, int y, const char *name, uint64_t n, uint64_t most,
		uint64_t all)
{
	int room = COLS - 24,
	    len = most && room > 0 ? (int)((double)room * (double)n / (double)most + 0.5) : 0;
	char line[80], count[32];
	int x;

	snprintf(line, sizeof(line), "%9.9s %6s %4.0f%% ", name,
		 stat_format_count(count, sizeof(count), (double)n), percent(n, all));
	x = put(t, y, 0, PLAIN, line);
	if (n && !len)
		len = 1;
	while (len-- > 0 && x < COLS)
		x = put(t, y, x, PLAIN, "#");
}

/* So many values in lines of a pane: the last line takes what is left over. */
static void bars_of(const struct top_screen *t, int y, int height, const uint64_t *v, size_t n,
		    const char *(*name)(size_t i, bool and_more))
{
	uint64_t most = 0, all = 0, rest = 0;
	size_t lines;

	while (n && !v[n - 1])
		n--;
	lines = height > 0 && (size_t)height < n ? (size_t)height : n;
	for (size_t i = 0; i < n; i++) {
		all += v[i];
		rest += i + 1 >= lines ? v[i] : 0;
		most = i + 1 < lines && v[i] > most ? v[i] : most;
	}
	most = rest > most ? rest : most;
	if (!all || height < 1) {
		put(t, y, 0, PLAIN, "Nothing was counted.");
		return;
	}
	for (size_t i = 0; i < lines; i++) {
		bool last = i + 1 == lines;

		bar(t, y + (int)i, name(i, last && lines < n), last ? rest : v[i], most, all);
	}
}

static const char *number_name(size_t i, bool and_more)
{
	static char buf[24];

	snprintf(buf, sizeof(buf), "%zu%s", i, and_more || i == VGIC_STAT_DEPTHS - 1 ? "+" : "");
	return buf;
}

static const char *lr_name(size_t i, bool and_more)
{
	static char buf[24];

	snprintf(buf, sizeof(buf), "%zu%s", i, and_more ? "+" : "");
	return buf;
}

/* Durations by powers of two, or of four where lines are few. */
struct scale {
	unsigned int first, step; /* power of two of the first line, powers a line */
};
static struct scale scale;

static const char *time_name(size_t i, bool and_more)
{
	static char buf[24];
	char time[16];

	snprintf(buf, sizeof(buf), "%s%s", and_more ? ">=" : "<",
		 stat_format_time(time, sizeof(time),
				  1ull << (scale.first + (i + !and_more) * scale.step)));
	return buf;
}

static void draw_raise(const struct top_screen *t, int y, int height,
		       const struct vgic_stat_counts *c)
{
	uint64_t powers[48] = {0}, lines[48] = {0};
	unsigned int first = 48, last = 0, n;

	for (uint32_t b = 0; b < VGIC_STAT_TIMES; b++) {
		unsigned int p = b < 16 ? 3 : b / 8 + 2;

		if (!c->raise[b])
			continue;
		powers[p] += c->raise[b];
		first = p < first ? p : first;
		last = p > last ? p : last;
	}
	if (first > last)
		first = last = 0;
	scale.first = first;
	scale.step = 1;
	n = last - first + 1;
	while (height > 0 && (n + scale.step - 1) / scale.step > (unsigned int)height)
		scale.step++;
	for (unsigned int p = first; p <= last; p++)
		lines[(p - first) / scale.step] += powers[p];
	bars_of(t, y, height, lines, (n + scale.step - 1) / scale.step, time_name);
}

static void draw_causes(const struct top_screen *t, int y, int height,
			const struct vgic_stat_counts *c)
{
	uint64_t most = 0, all = stat_hypervisor_ns(c);
	char line[200], a[32];
	size_t k;

	for (unsigned int i = 0; i < VGIC_STAT_KINDS; i++)
		most = c->out_ns[i] > most ? c->out_ns[i] : most;
	for (unsigned int i = 0; i < VGIC_STAT_KINDS && height > 1; i++, y++, height--) {
		int x, len, room = COLS - 24;

		snprintf(line, sizeof(line), "%9s %6s %4.0f%% ", stat_kind_title(i),
			 stat_format_time(a, sizeof(a), c->out[i] ? c->out_ns[i] / c->out[i] : 0),
			 percent(c->out_ns[i], all));
		x = put(t, y, 0, PLAIN, line);
		len = most && room > 0
			      ? (int)((double)room * (double)c->out_ns[i] / (double)most + 0.5)
			      : 0;
		while (len-- > 0 && x < COLS)
			x = put(t, y, x, PLAIN, "#");
	}
	k = (size_t)snprintf(line, sizeof(line), "MI by source:");
	for (unsigned int i = 0; i < VGIC_STAT_MIS && k < sizeof(line); i++)
		if (c->mi_source[i])
			k += (size_t)snprintf(
				line + k, sizeof(line) - k, " %s %s", summary_mi_name(i),
				stat_format_count(a, sizeof(a), (double)c->mi_source[i]));
	put(t, y, 0, PLAIN, line);
}

static void draw_pane(struct top_screen *t, int y, int height)
{
	const struct stat_row *r = t->shown.n ? t->order[picked(t)] : NULL;
	const struct vgic_stat_counts *c;
	char line[160], p50[16], p99[16], max[16];
	int x;

	if (!r || height < 2)
		return;
	c = counts_of(t, r);
	switch (t->pane) {
	case PANE_RAISE:
		snprintf(line, sizeof(line),
			 "%" PRIu32 ":%" PRIu32 " raise to LR: p50 %s p99 %s, longest ever %s",
			 r->v.vm, r->v.vcpu,
			 stat_format_time(p50, sizeof(p50), stat_raise_quantile(c, 0.5)),
			 stat_format_time(p99, sizeof(p99), stat_raise_quantile(c, 0.99)),
			 stat_format_time(max, sizeof(max), c->raise_max_ns));
		break;
	case PANE_LRS:
		snprintf(line, sizeof(line),
			 "%" PRIu32 ":%" PRIu32 " entries by LRs in use: %.2f on average", r->v.vm,
			 r->v.vcpu, stat_mean_lrs(c));
		break;
	case PANE_DEPTH:
		snprintf(line, sizeof(line),
			 "%" PRIu32 ":%" PRIu32
			 " entries by interrupts left outside: most ever %" PRIu64,
			 r->v.vm, r->v.vcpu, c->depth_max);
		break;
	default:
		snprintf(line, sizeof(line),
			 "%" PRIu32 ":%" PRIu32
			 " time in the hypervisor: mean, and share of it, by exit",
			 r->v.vm, r->v.vcpu);
		break;
	}
	x = put(t, y, 0, HEAD, line);
	while (x < COLS)
		x = put(t, y, x, HEAD, " ");
	y++;
	height--;
	switch (t->pane) {
	case PANE_RAISE:
		draw_raise(t, y, height, c);
		break;
	case PANE_LRS:
		bars_of(t, y, height, c->lrs, VGR_MAX_LRS + 1, lr_name);
		break;
	case PANE_DEPTH:
		bars_of(t, y, height, c->depth, VGIC_STAT_DEPTHS, number_name);
		break;
	default:
		draw_causes(t, y, height, c);
		break;
	}
}

static void draw_help(const struct top_screen *t)
{
	static const char *const lines[] = {
		"q       quit",
		"space   pause, and go on",
		"< >     sort by the column to the left, to the right (s: as >)",
		"r       the other way round",
		"up down pick a vCPU (k j; page up and down, home, end)",
		"enter   histograms of it: raise to LR, LRs in use, left outside,",
		"        time in the hypervisor, none (h: as enter)",
		"a       all since the beginning, or the last interval only",
		"",
		"EXITS to IRQ: exits a second by what they were for. LRS: list",
		"registers in use, on average. OVF%: entries that left something",
		"outside. OUT%: time in the hypervisor. P99: raise to LR.",
		"",
		"Any key: back",
	};

	put(t, 0, 0, BOLD, "vgicsim top: keys");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put(t, 2 + (int)i, 0, PLAIN, lines[i]);
}

static void draw(struct top_screen *t)
{
	int table = LINES - 3, pane = 0, x;

	if (t->pane != PANE_NONE && LINES >= 8) {
		/* No more lines to the table than it has rows, if the pane can do with them. */
		pane = (LINES - 3) / 2;
		table = LINES - 3 - pane;
		if ((size_t)table > t->shown.n + 1) {
			table = (int)t->shown.n + 1 > 2 ? (int)t->shown.n + 1 : 2;
			pane = LINES - 3 - table;
		}
	}
	erase();
	if (t->help) {
		draw_help(t);
	} else {
		draw_status(t);
		draw_sum(t);
		draw_table(t, 2, table);
		if (pane)
			draw_pane(t, 2 + table, pane);
		x = put(t, LINES - 1, 0, HEAD,
			COLS >= 76
				? "q quit  space pause  < > sort  r reverse  up/down pick  enter "
				  "histogram  ? help"
				: "q quit  < > sort  enter hist  ? help");
		while (x < COLS)
			x = put(t, LINES - 1, x, HEAD, " ");
	}
	refresh();
}

/* ---- doors ---- */

int top_screen_open(struct top_screen **out, const char *sort)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct top_screen *t;

	if (!isatty(STDOUT_FILENO))
		return cli_fail(EXIT_USAGE,
				"standard output is no terminal: use 'vgicsim stat' instead");
	t = calloc(1, sizeof(*t));
	if (!t)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	t->sort = 1;
	for (int i = 0; sort && top_sort_names[i]; i++)
		if (!strcmp(sort, top_sort_names[i]))
			t->sort = i;
	t->keys = isatty(STDIN_FILENO) ? fdopen(dup(STDIN_FILENO), "r") : fopen("/dev/tty", "re");
	if (t->keys)
		t->screen = newterm(NULL, stdout, t->keys);
	if (!t->screen) {
		int ret = cli_fail(EXIT_HOST,
				   "%s: the terminal cannot be used: set TERM to one that is known "
				   "here, such as xterm or vt100",
				   term ? term : "TERM is not set");

		if (t->keys)
			fclose(t->keys);
		free(t);
		return ret;
	}
	set_term(t->screen);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	if (has_colors() && !(no_color && *no_color)) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_BLACK, COLOR_CYAN);
		init_pair(2, COLOR_RED, -1);
		t->colour = true;
	}
	*out = t;
	return EXIT_OK;
}

void top_screen_close(struct top_screen *t)
{
	if (!t)
		return;
	endwin();
	delscreen(t->screen);
	fclose(t->keys);
	free(t->shown.rows);
	free(t->order);
	free(t);
}

int top_screen_show(struct top_screen *t, const struct stat_set *set,
		    const struct top_status *status)
{
	struct stat_row *rows, **order;

	snprintf(t->source, sizeof(t->source), "%s", status->source);
	t->ended = status->ended;
	if (!t->paused) {
		rows = realloc(t->shown.rows, (set->n ? set->n : 1) * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		t->shown.rows = rows;
		order = realloc(t->order, (set->n ? set->n : 1) * sizeof(*order));
		if (!order)
			return -ENOMEM;
		t->order = order;
		if (set->n)
			memcpy(rows, set->rows, set->n * sizeof(*rows));
		t->shown = *set;
		t->shown.rows = rows;
		sort_rows(t);
	}
	draw(t);
	return 0;
}

int top_screen_input(const struct top_screen *t)
{
	return fileno(t->keys);
}

static int sort_names(void)
{
	int n = 0;

	while (top_sort_names[n])
		n++;
	return n;
}

static bool key(struct top_screen *t, int c)
{
	int page = LINES / 2 > 1 ? LINES / 2 : 1, n = sort_names();
	size_t at = picked(t);

	if (t->help && c != KEY_RESIZE && c != 'q') {
		t->help = false;
		return false;
	}
	switch (c) {
	case 'q':
		return true;
	case ' ':
		t->paused = !t->paused;
		break;
	case '>':
	case 's':
		t->sort = (t->sort + 1) % n;
		break;
	case '<':
		t->sort = (t->sort + n - 1) % n;
		break;
	case 'r':
		t->reverse = !t->reverse;
		break;
	case 'a':
		t->all = !t->all;
		break;
	case '\r':
	case '\n':
	case KEY_ENTER:
	case 'h':
		t->pane = (t->pane + 1) % PANES;
		break;
	case '?':
		t->help = true;
		break;
	case KEY_UP:
	case 'k':
		pick(t, at ? at - 1 : 0);
		return false;
	case KEY_DOWN:
	case 'j':
		pick(t, at + 1);
		return false;
	case KEY_PPAGE:
		pick(t, at > (size_t)page ? at - (size_t)page : 0);
		return false;
	case KEY_NPAGE:
		pick(t, at + (size_t)page);
		return false;
	case KEY_HOME:
		pick(t, 0);
		return false;
	case KEY_END:
		pick(t, t->shown.n);
		return false;
	default:
		return false;
	}
	/* Who is picked stays so in any order. */
	pick(t, at);
	sort_rows(t);
	return false;
}

bool top_screen_keys(struct top_screen *t)
{
	bool quit = false, any = false;
	int c;

	while (!quit && (c = getch()) != ERR) {
		quit = key(t, c);
		any = true;
	}
	if (any && !quit)
		draw(t);
	return quit;
}

#else

struct top_screen {
	int none;
};

int top_screen_open(struct top_screen **t, const char *sort)
{
	return cli_fail(EXIT_HOST,
			"this vgicsim was built without ncurses: use 'vgicsim stat' instead");
}

void top_screen_close(struct top_screen *t)
{
}

int top_screen_show(struct top_screen *t, const struct stat_set *set,
		    const struct top_status *status)
{
	return 0;
}

int top_screen_input(const struct top_screen *t)
{
	return -1;
}

bool top_screen_keys(struct top_screen *t)
{
	return true;
}

#endif
