// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/parting.h>
#include "demand.h"
#include "exit.h"
#include "options.h"
#include "output.h"
#include "result_json.h"
#include "summary.h"

struct compare_values {
	bool json, quiet;
	uint64_t max_report, seed;
};

#define AT(member) offsetof(struct compare_values, member)

static const struct option options[] = {
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{'n', "max-report", OPT_NUMBER, AT(max_report), "N",
	 "name at most N groups of interrupts in each list", 0, UINT64_MAX, NULL},
	{'s', "seed", OPT_NUMBER, AT(seed), "N", "seed of what the replays draw at random", 0,
	 UINT64_MAX, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing: only the exit status", 0, 0,
	 NULL},
	{0}};

static const struct compare_values defaults = {.max_report = 20, .seed = 1};

/* One recording, and the other one's demand on its kernel and machine. */
struct side {
	const char *path;
	struct vgr_reader *reader;
	const struct vgr_header *header;
	const struct vgic_policy *policy;
	struct demand demand;
	struct vgic_cell crossed;
	bool has_crossed, blocked, starved;
};

/* One interrupt on both sides; NULL: not there. */
struct row {
	uint32_t intid;
	uint16_t vcpu; /* VGR_NO_VCPU: not private */
	const struct vgic_fate *recorded[2];
	const struct vgic_fate *crossed[2];
	enum vgic_verdict verdict[2]; /* of crossed against recorded of the same side */
};

struct session {
	const struct compare_values *v;
	struct side side[2];
	struct vgic_parting *parting;
	unsigned int reading;
	struct vgic_parting_point point;
	bool parts;
	struct row *rows;
	size_t nr_rows;
	uint64_t verdicts[2][VGIC_VERDICTS];
};

/* ---- what is computed ---- */

static int tap(void *opaque, const struct vgr_rec *rec)
{
	struct session *s = opaque;

	return vgic_parting_record(s->parting, s->reading, rec);
}

static int open_side(struct session *s, unsigned int which)
{
	struct side *a = &s->side[which];

	a->reader = cli_open_pairs(a->path);
	if (!a->reader)
		return EXIT_INPUT;
	a->header = vgr_reader_header(a->reader);
	if (a->header->nr_lr < 1 || a->header->nr_lr > vgr_lr_limit(a->header->gic_host))
		return cli_fail(EXIT_INPUT, "unknown number of list registers: %s: record it again",
				a->path);
	a->policy = vgic_policy_for_release(a->header->kernel_release);
	if (!a->policy)
		return cli_fail(
			EXIT_INPUT, "no policy for kernel %s: %s: nothing to replay it with",
			*a->header->kernel_release ? a->header->kernel_release : "(unknown)",
			a->path);
	return EXIT_OK;
}

static int read_side(struct session *s, unsigned int which)
{
	struct side *a = &s->side[which];
	const struct demand_wishes wishes = {.tap = tap, .opaque = s};
	int code;

	s->reading = which;
	code = demand_read(&a->demand, a->path, a->reader, a->policy, &wishes);
	if (code)
		return code;
	cli_recording_ending(a->path, a->reader);
	a->blocked = a->demand.workload->blocked;
	a->starved = vgic_fates_any(a->demand.recorded.fates, a->demand.recorded.nr_fates,
				    VGIC_FATE_STARVED);
	return EXIT_OK;
}

/* The demand of the other side on this side's kernel and list registers. */
static int cross(struct session *s, unsigned int which)
{
	struct side *here = &s->side[which], *there = &s->side[!which];
	struct vgic_replay_config c = {.policy = here->policy};
	int ret;

	demand_machine(&c, here->header, &there->demand);
	c.seed = s->v->seed;
	ret = vgic_replay(there->demand.workload, &c, &here->crossed);
	if (ret)
		return cli_fail(EXIT_SOFTWARE, "replay failed: %s on %s: %s", there->path,
				here->policy->name, strerror(-ret));
	here->has_crossed = true;
	return EXIT_OK;
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	if (a->intid != b->intid)
		return a->intid < b->intid ? -1 : 1;
	return (a->vcpu > b->vcpu) - (a->vcpu < b->vcpu);
}

static bool has_fate(const struct vgic_fate *f)
{
	return f && f->kind != VGIC_FATE_NONE;
}

static struct vgic_fate_triple triple_of(const struct session *s, const struct row *r, int side)
{
	return (struct vgic_fate_triple){
		.source = r->recorded[!side],
		.replayed = r->crossed[side],
		.recorded = r->recorded[side],
		.source_blocked = s->side[!side].blocked,
		.recorded_blocked = s->side[side].blocked,
		.source_starved = s->side[!side].starved,
	};
}

static void find_swapped(struct session *s, int side)
{
	for (size_t i = 0; i < s->nr_rows; i++) {
		struct vgic_fate_triple a = triple_of(s, &s->rows[i], side);

		for (size_t k = i + 1;
		     k < s->nr_rows && s->rows[i].verdict[side] == VGIC_VERDICT_DIFFER; k++) {
			struct vgic_fate_triple b = triple_of(s, &s->rows[k], side);

			if (s->rows[k].verdict[side] == VGIC_VERDICT_DIFFER &&
			    vgic_fates_swapped(&a, &b))
				s->rows[i].verdict[side] = s->rows[k].verdict[side] =
					VGIC_VERDICT_SWAPPED;
		}
	}
}

/* Every interrupt that was raised anywhere. */
static int make_rows(struct session *s)
{
	const struct vgic_cell *cells[4] = {&s->side[0].demand.recorded,
					    &s->side[1].demand.recorded, &s->side[0].crossed,
					    &s->side[1].crossed};
	size_t cap = 0, n = 0;

	for (int i = 0; i < 4; i++)
		cap += cells[i]->nr_fates;
	s->rows = calloc(cap + 1, sizeof(*s->rows));
	if (!s->rows)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", s->side[0].path);
	for (int i = 0; i < 4; i++)
		for (size_t k = 0; k < cells[i]->nr_fates; k++)
			if (has_fate(&cells[i]->fates[k]))
				s->rows[n++] = (struct row){
					.intid = cells[i]->fates[k].intid,
					.vcpu = cells[i]->fates[k].intid < 32
							? cells[i]->fates[k].vcpu
							: VGR_NO_VCPU,
				};
	qsort(s->rows, n, sizeof(*s->rows), compare_rows);
	for (size_t i = 0; i < n; i++) {
		struct row *r = &s->rows[i];

		if (s->nr_rows && !compare_rows(&s->rows[s->nr_rows - 1], r))
			continue;
		for (int side = 0; side < 2; side++) {
			const struct vgic_cell *rec = cells[side], *cro = cells[2 + side];

			r->recorded[side] =
				vgic_fate_find(rec->fates, rec->nr_fates, r->vcpu, r->intid);
			r->crossed[side] =
				vgic_fate_find(cro->fates, cro->nr_fates, r->vcpu, r->intid);
		}
		for (int side = 0; side < 2; side++) {
			struct vgic_fate_triple t = triple_of(s, r, side);

			r->verdict[side] = vgic_fate_verdict(&t);
		}
		s->rows[s->nr_rows++] = *r;
	}
	for (int side = 0; side < 2; side++) {
		find_swapped(s, side);
		for (size_t i = 0; i < s->nr_rows; i++)
			s->verdicts[side][s->rows[i].verdict[side]]++;
	}
	return EXIT_OK;
}

/* What makes two recordings incomparable, one reason a call; NULL from the end on. */
static const char *stranger(const struct session *s, unsigned int index, char *buf, size_t size)
{
	const struct vgr_header *a = s->side[0].header, *b = s->side[1].header;
	uint32_t va = s->side[0].demand.workload->nr_vcpus,
		 vb = s->side[1].demand.workload->nr_vcpus;
	unsigned int n = 0;

	if (strcmp(a->guest_command, b->guest_command) && n++ == index)
		snprintf(buf, size, "not the same guest: %s / %s",
			 *a->guest_command ? a->guest_command : "(unknown)",
			 *b->guest_command ? b->guest_command : "(unknown)");
	else if (a->nr_lr != b->nr_lr && n++ == index)
		snprintf(buf, size, "not as many list registers: %u / %u", a->nr_lr, b->nr_lr);
	else if (a->gic_host != b->gic_host && n++ == index)
		snprintf(buf, size, "not the same GIC: GICv%u / GICv%u", a->gic_host, b->gic_host);
	else if (va != vb && n++ == index)
		snprintf(buf, size, "not as many vCPUs: %" PRIu32 " / %" PRIu32, va, vb);
	else
		return NULL;
	return buf;
}

static bool agrees(const struct session *s)
{
	return !s->verdicts[0][VGIC_VERDICT_DIFFER] && !s->verdicts[1][VGIC_VERDICT_DIFFER];
}

/* ---- text ---- */

static void count_row(const char *name, const struct vgic_cell *const *c,
		      uint64_t (*get)(const struct vgic_cell *c, unsigned int arg),
		      unsigned int arg, bool even_if_zero)
{
	bool any = even_if_zero;

	for (int i = 0; i < 4; i++)
		any |= get(c[i], arg) != 0;
	if (!any)
		return;
	printf("%-24s", name);
	for (int i = 0; i < 4; i++)
		printf(" %18" PRIu64, get(c[i], arg));
	printf("\n");
}

static uint64_t get_exits(const struct vgic_cell *c, unsigned int arg)
{
	return c->exits;
}

static uint64_t get_exit(const struct vgic_cell *c, unsigned int arg)
{
	return c->exit[arg];
}

static uint64_t get_mi(const struct vgic_cell *c, unsigned int arg)
{
	return c->mi_source[arg];
}

static uint64_t get_fate(const struct vgic_cell *c, unsigned int arg)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->nr_fates; i++)
		n += c->fates[i].kind == arg;
	return n;
}

enum number {
	NUMBER_EOICOUNT,
	NUMBER_REORDERED,
	NUMBER_OVERFLOW,
	NUMBER_DEPTH,
	NUMBER_INVERSIONS,
	NUMBER_KICKS,
	NUMBER_TAKEN,
	NUMBERS
};

static uint64_t get_number(const struct vgic_cell *c, unsigned int arg)
{
	const uint64_t numbers[NUMBERS] = {
		[NUMBER_EOICOUNT] = c->eoicount,	 [NUMBER_REORDERED] = c->reordered,
		[NUMBER_OVERFLOW] = c->overflow_entries, [NUMBER_DEPTH] = c->overflow_max,
		[NUMBER_INVERSIONS] = c->inversions,	 [NUMBER_KICKS] = c->kicks,
		[NUMBER_TAKEN] = c->interrupts,
	};

	return numbers[arg];
}

static void print_numbers(const struct session *s)
{
	static const char *const exits[VGIC_EXIT_KINDS] = {
		"  by maintenance irq", "  by DIR trap", "  by SGI register",
		"  by WFI or WFE",	"  by MMIO",	 "  by host irq, kick",
		"  by others"};
	static const char *const outcomes[] = {"completed", "livelock", "starved"};
	const struct side *a = &s->side[0], *b = &s->side[1];
	const struct vgic_cell *const c[4] = {&a->demand.recorded, &b->demand.recorded, &b->crossed,
					      &a->crossed};
	char name[40];

	printf("A: %s\n   %s, policy %s, %u list registers, %" PRIu64 " flush/sync pairs\n",
	       a->path, a->header->kernel_release, a->policy->name, a->header->nr_lr,
	       a->demand.pairs);
	printf("B: %s\n   %s, policy %s, %u list registers, %" PRIu64 " flush/sync pairs\n",
	       b->path, b->header->kernel_release, b->policy->name, b->header->nr_lr,
	       b->demand.pairs);
	if (*a->header->guest_command)
		printf("guest: %s\n", a->header->guest_command);
	printf("\n%-24s %18s %18s %18s %18s\n", "", "A recorded", "B recorded", "A's demand",
	       "B's demand");
	printf("%-24s %18s %18s %18s %18s\n", "vgic", a->policy->name, b->policy->name,
	       b->policy->name, a->policy->name);
	printf("%-24s", "outcome");
	for (int i = 0; i < 4; i++)
		printf(" %18s", outcomes[c[i]->outcome]);
	printf("\n");
	count_row("exits", c, get_exits, 0, true);
	for (unsigned int i = 0; i < VGIC_EXIT_KINDS; i++)
		count_row(exits[i], c, get_exit, i, i == VGIC_EXIT_MI || i == VGIC_EXIT_DIR);
	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++) {
		snprintf(name, sizeof(name), "MI source %s", summary_mi_name(i));
		count_row(name, c, get_mi, i, i < 4);
	}
	count_row("ended by EOIcount", c, get_number, NUMBER_EOICOUNT, true);
	count_row("lists reordered", c, get_number, NUMBER_REORDERED, true);
	count_row("overflowing entries", c, get_number, NUMBER_OVERFLOW, true);
	count_row("deepest overflow", c, get_number, NUMBER_DEPTH, true);
	count_row("inverted entries", c, get_number, NUMBER_INVERSIONS, true);
	count_row("kicks", c, get_number, NUMBER_KICKS, false);
	count_row("interrupts taken", c, get_number, NUMBER_TAKEN, true);
	for (unsigned int i = VGIC_FATE_DELIVERED; i < VGIC_FATE_KINDS; i++) {
		snprintf(name, sizeof(name), "INTIDs %s", vgic_fate_name((enum vgic_fate_kind)i));
		count_row(name, c, get_fate, i, i == VGIC_FATE_DELIVERED || i >= VGIC_FATE_STUCK);
	}
}

/* One fate in words. */
static const char *fate_text(const struct vgic_fate *f, char *buf, size_t size)
{
	char since[32] = "", times[32] = "";

	if (!has_fate(f))
		return "not raised";
	if (f->kind >= VGIC_FATE_WAITING) {
		char ns[24];

		snprintf(since, sizeof(since), " since %s",
			 cli_format_ns(ns, sizeof(ns), f->since_ns));
	}
	if (f->delivered)
		snprintf(times, sizeof(times), "delivered %" PRIu64, f->delivered);
	if (f->kind == VGIC_FATE_DELIVERED)
		snprintf(buf, size, "%s", times);
	else
		snprintf(buf, size, "%s%s%s%s", times, *times ? ", " : "",
			 f->kind == VGIC_FATE_STUCK ? "stuck active"
			 : f->kind == VGIC_FATE_STARVED
				 ? "starved"
				 : vgic_fate_name((enum vgic_fate_kind)f->kind),
			 since);
	return buf;
}

/* The same story, for a range of INTIDs; times differ. */
static bool same_fate(const struct vgic_fate *a, const struct vgic_fate *b)
{
	if (!has_fate(a) || !has_fate(b))
		return has_fate(a) == has_fate(b);
	return a->kind == b->kind && a->delivered == b->delivered;
}

static bool same_story(const struct row *a, const struct row *b)
{
	for (int i = 0; i < 2; i++)
		if (!same_fate(a->recorded[i], b->recorded[i]) ||
		    !same_fate(a->crossed[i], b->crossed[i]) || a->verdict[i] != b->verdict[i])
			return false;
	return a->vcpu == b->vcpu;
}

/* INTIDs in ascending order, neighbours as ranges; so many ranges are named. */
#define MAX_RANGES 8u

struct name {
	char text[128];
	size_t len;
	unsigned int ranges;
	uint32_t first, last; /* of the range being put together */
	uint64_t left_out;
};

static void name_range(struct name *n)
{
	if (!n->ranges++)
		n->len = 0;
	if (n->ranges > MAX_RANGES) {
		n->left_out += n->last - n->first + 1;
		return;
	}
	n->len += (size_t)snprintf(n->text + n->len, sizeof(n->text) - n->len, "%s%" PRIu32,
				   n->ranges > 1 ? " " : "", n->first);
	if (n->last != n->first)
		n->len += (size_t)snprintf(n->text + n->len, sizeof(n->text) - n->len, "-%" PRIu32,
					   n->last);
}

/* Those with the same story as row i, which is the first of them. */
static void print_names(const struct session *s, bool (*wanted)(const struct row *r, int arg),
			int arg, size_t i)
{
	struct name n = {.first = s->rows[i].intid, .last = s->rows[i].intid};

	for (size_t k = i + 1; k < s->nr_rows; k++) {
		if (!wanted(&s->rows[k], arg) || !same_story(&s->rows[i], &s->rows[k]))
			continue;
		if (s->rows[k].intid == n.last + 1) {
			n.last++;
			continue;
		}
		name_range(&n);
		n.first = n.last = s->rows[k].intid;
	}
	name_range(&n);
	printf("  %s", n.text);
	if (n.left_out)
		printf(" and %" PRIu64 " more", n.left_out);
	if (s->rows[i].vcpu != VGR_NO_VCPU)
		printf(" of vCPU %u", s->rows[i].vcpu);
	printf("\n");
}

/* Rows of a kind, those with the same story together. */
static void print_rows(const struct session *s, bool (*wanted)(const struct row *r, int arg),
		       int arg, void (*tell)(const struct row *r, int arg))
{
	uint64_t groups = 0;

	for (size_t i = 0; i < s->nr_rows; i++) {
		bool told = false;

		if (!wanted(&s->rows[i], arg))
			continue;
		for (size_t k = 0; k < i && !told; k++)
			told = wanted(&s->rows[k], arg) && same_story(&s->rows[k], &s->rows[i]);
		if (told || groups++ >= s->v->max_report)
			continue;
		print_names(s, wanted, arg, i);
		tell(&s->rows[i], arg);
	}
	if (groups > s->v->max_report)
		printf("  and %" PRIu64 " more\n", groups - s->v->max_report);
}

static bool fared_differently(const struct row *r, int arg)
{
	const struct vgic_fate *a = r->recorded[0], *b = r->recorded[1];

	return (has_fate(a) ? a->kind : VGIC_FATE_NONE) != (has_fate(b) ? b->kind : VGIC_FATE_NONE);
}

static void tell_recorded(const struct row *r, int arg)
{
	char a[96], b[96];

	printf("    A: %s\n    B: %s\n", fate_text(r->recorded[0], a, sizeof(a)),
	       fate_text(r->recorded[1], b, sizeof(b)));
}

static bool has_verdict(const struct row *r, int arg)
{
	return r->verdict[arg & 1] == (enum vgic_verdict)(arg >> 1);
}

static void tell_crossed(const struct row *r, int arg)
{
	char a[96], b[96];

	printf("    replayed: %s\n    recorded: %s\n", fate_text(r->crossed[arg & 1], a, sizeof(a)),
	       fate_text(r->recorded[arg & 1], b, sizeof(b)));
}

static void print_shown(const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 24) {
			printf(" and %zu more", n - i);
			break;
		}
		printf("%s%" PRIu32 "%s%s", i ? " " : "", (uint32_t)(v[i] & VGIC_SHOWN_INTID),
		       v[i] & VGIC_SHOWN_PENDING ? "P" : "", v[i] & VGIC_SHOWN_ACTIVE ? "A" : "");
	}
}

static void print_parting(const struct session *s)
{
	const struct vgic_parting_point *p = &s->point;
	char t[2][24];

	if (!s->parts) {
		printf("\nThe runs never part: no entry of both had the same interrupts on the "
		       "list, "
		       "no room for all, and different list registers.\n");
		return;
	}
	for (int i = 0; i < 2; i++)
		cli_format_ns(t[i], sizeof(t[i]), p->side[i].time_ns);
	printf("\nThe runs part at an entry of vCPU %u (A: %s, record %" PRIu64
	       "; B: %s, record %" PRIu64 ").\nOn both lists stood ",
	       p->vcpu, t[0], p->side[0].record, t[1], p->side[1].record);
	print_shown(p->side[0].list, p->side[0].nr_list);
	printf(".\nA showed ");
	print_shown(p->side[0].lr, p->side[0].nr_lr);
	printf(", B showed ");
	print_shown(p->side[1].lr, p->side[1].nr_lr);
	printf("%s.\n", p->order_only ? ": the same ones in another order" : "");
}

static void print_text(const struct session *s)
{
	print_numbers(s);
	printf("\nInterrupts that fared differently:\n");
	print_rows(s, fared_differently, 0, tell_recorded);
	print_parting(s);
	for (int side = 1; side >= 0; side--) {
		static const struct {
			enum vgic_verdict verdict;
			const char *text;
		} lists[] = {
			{VGIC_VERDICT_DIFFER, "differ"},
			{VGIC_VERDICT_SWAPPED,
			 "swapped two by two, for the guests raised them in another order"},
			{VGIC_VERDICT_OPEN, "open, for the demand does not reach so far"},
		};
		const uint64_t *n = s->verdicts[side];

		printf("\n%c's demand on %s against %c's recording: %" PRIu64 " agree, %" PRIu64
		       " differ, %" PRIu64 " swapped, %" PRIu64 " open\n",
		       side ? 'A' : 'B', s->side[side].policy->name, side ? 'B' : 'A',
		       n[VGIC_VERDICT_AGREE], n[VGIC_VERDICT_DIFFER], n[VGIC_VERDICT_SWAPPED],
		       n[VGIC_VERDICT_OPEN]);
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
			if (!n[lists[i].verdict])
				continue;
			printf(" %s:\n", lists[i].text);
			print_rows(s, has_verdict, (int)lists[i].verdict << 1 | side, tell_crossed);
		}
	}
}

/* ---- JSON ---- */

static json_t *shown_json(const struct vgic_shown *p)
{
	json_t *o = json_object(), *lists[2] = {json_array(), json_array()};
	const uint64_t *from[2] = {p->lr, p->list};
	const size_t n[2] = {p->nr_lr, p->nr_list};

	for (int l = 0; l < 2; l++)
		for (size_t i = 0; i < n[l]; i++)
			json_array_append_new(
				lists[l],
				json_pack("{s:I, s:b, s:b}", "intid",
					  (json_int_t)(from[l][i] & VGIC_SHOWN_INTID), "pending",
					  (from[l][i] & VGIC_SHOWN_PENDING) != 0, "active",
					  (from[l][i] & VGIC_SHOWN_ACTIVE) != 0));
	json_object_set_new(o, "record", json_integer((json_int_t)p->record));
	json_object_set_new(o, "time_ns", json_integer((json_int_t)p->time_ns));
	json_object_set_new(o, "lrs", lists[0]);
	json_object_set_new(o, "list", lists[1]);
	return o;
}

static json_t *side_json(const struct side *a)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:o}", "file", a->path, "kernel",
			 a->header->kernel_release, "policy", a->policy->name, "guest",
			 a->header->guest_command, "nr_lr", a->header->nr_lr, "pairs",
			 (json_int_t)a->demand.pairs, "recorded",
			 cell_json(&a->demand.recorded, false));
}

static json_t *cross_json(const struct session *s, int side)
{
	const uint64_t *n = s->verdicts[side];

	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "demand", s->side[!side].path,
			 "policy", s->side[side].policy->name, "agree",
			 (json_int_t)n[VGIC_VERDICT_AGREE], "differ",
			 (json_int_t)n[VGIC_VERDICT_DIFFER], "swapped",
			 (json_int_t)n[VGIC_VERDICT_SWAPPED], "open",
			 (json_int_t)n[VGIC_VERDICT_OPEN], "replayed",
			 cell_json(&s->side[side].crossed, false));
}

static json_t *rows_json(const struct session *s)
{
	static const char *const verdicts[VGIC_VERDICTS] = {"agree", "open", "swapped", "differ"};
	json_t *list = json_array();

	for (size_t i = 0; i < s->nr_rows; i++) {
		const struct row *r = &s->rows[i];

		json_array_append_new(
			list,
			json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "intid",
				  (json_int_t)r->intid, "vcpu",
				  r->vcpu == VGR_NO_VCPU ? json_null() : json_integer(r->vcpu), "a",
				  fate_json(r->recorded[0]), "b", fate_json(r->recorded[1]),
				  "a_on_b", fate_json(r->crossed[1]), "b_on_a",
				  fate_json(r->crossed[0]), "verdict_a_on_b",
				  verdicts[r->verdict[1]], "verdict_b_on_a",
				  verdicts[r->verdict[0]]));
	}
	return list;
}

static json_t *session_json(const struct session *s)
{
	json_t *o = json_object(), *strange = json_array();
	char buf[2300];
	const char *why;

	for (unsigned int i = 0; (why = stranger(s, i, buf, sizeof(buf))); i++)
		json_array_append_new(strange, json_string(why));
	json_object_set_new(o, "format", json_string("vgicsim-compare"));
	json_object_set_new(o, "version", json_integer(1));
	json_object_set_new(o, "agree", json_boolean(agrees(s)));
	json_object_set_new(o, "not_comparable", strange);
	json_object_set_new(o, "a", side_json(&s->side[0]));
	json_object_set_new(o, "b", side_json(&s->side[1]));
	json_object_set_new(o, "a_on_b", cross_json(s, 1));
	json_object_set_new(o, "b_on_a", cross_json(s, 0));
	if (s->parts)
		json_object_set_new(o, "parting",
				    json_pack("{s:i, s:b, s:o, s:o}", "vcpu", s->point.vcpu,
					      "order_only", s->point.order_only, "a",
					      shown_json(&s->point.side[0]), "b",
					      shown_json(&s->point.side[1])));
	else
		json_object_set_new(o, "parting", json_null());
	json_object_set_new(o, "interrupts", rows_json(s));
	return o;
}

/* ---- the command ---- */

static int compute(struct session *s)
{
	uint16_t vm[2];
	char buf[2300];
	const char *why;
	int code;

	for (unsigned int i = 0; i < 2; i++) {
		code = open_side(s, i);
		if (code)
			return code;
		vm[i] = demand_vm(s->side[i].header);
	}
	if (vgic_parting_create(&s->parting, vm))
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", s->side[0].path);
	for (unsigned int i = 0; i < 2; i++) {
		code = read_side(s, i);
		if (code)
			return code;
	}
	for (unsigned int i = 0; (why = stranger(s, i, buf, sizeof(buf))); i++)
		cli_warn("%s: compared all the same", why);
	int parts = vgic_parting_find(s->parting, &s->point);

	if (parts < 0)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", s->side[0].path);
	s->parts = parts;
	for (unsigned int i = 0; i < 2; i++) {
		code = cross(s, i);
		if (code)
			return code;
	}
	return make_rows(s);
}

static int run(const void *values, const struct cli_args *args)
{
	struct session s = {.v = values};
	int code;

	for (int i = 0; i < 2; i++)
		s.side[i].path = args->v[i];
	code = compute(&s);
	if (!code) {
		if (s.v->json)
			cli_print_json(stdout, session_json(&s), false);
		else if (!s.v->quiet)
			print_text(&s);
		code = cli_finish_stdout();
		if (!code && !agrees(&s))
			code = EXIT_FINDING;
	}
	for (int i = 0; i < 2; i++) {
		if (s.side[i].has_crossed)
			vgic_cell_finish(&s.side[i].crossed);
		demand_finish(&s.side[i].demand);
		vgr_reader_close(s.side[i].reader);
	}
	vgic_parting_destroy(s.parting);
	free(s.rows);
	return code;
}

static const char *const examples[] = {
	"vgicsim compare 6.12-guest.vgr 7.2-guest.vgr    # what each generation did with the same "
	"guest",
	"vgicsim compare -q old.vgr new.vgr && echo 'the replays foretell both'", NULL};

const struct command cmd_compare = {
	.name = "compare",
	.summary = "Set two recordings of one guest side by side, and replay each on the other's "
		   "kernel",
	.usage = "[OPTIONS] A B",
	.options = options,
	.values_size = sizeof(struct compare_values),
	.defaults = &defaults,
	.min_args = 2,
	.max_args = 2,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
