/* SPDX-License-Identifier: GPL-2.0-only */
/* The account of one wait: which cause has which part of its time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain_internal.h"

static const struct {
	const char *name, *text;
} causes[VGIC_CAUSES] = {
	[VGIC_CAUSE_IN_GUEST] = {"in-guest", "it was raised while its vCPU was in the guest, and "
					     "list registers are written at entries only"},
	[VGIC_CAUSE_LRS_FULL] = {"lrs-full", "every list register held another interrupt"},
	[VGIC_CAUSE_LEFT_OUT] = {"left-out", "the kernel left it out although a list register was "
					     "free"},
	[VGIC_CAUSE_GROUP_OFF] = {"group-off", "the guest had its group disabled"},
	[VGIC_CAUSE_DISTRIBUTOR_OFF] = {"distributor-off", "the distributor was off"},
	[VGIC_CAUSE_DISABLED] = {"disabled", "the guest had it disabled"},
	[VGIC_CAUSE_OTHER_VCPU] = {"other-vcpu", "it stood on the list of a vCPU that it is not "
						 "routed to"},
	[VGIC_CAUSE_NOT_LISTED] = {"not-listed", "it was on no list: disabled, or not routed to a "
						 "vCPU"},
	[VGIC_CAUSE_OWN_ACTIVE] = {"own-active", "its last handling was not over"},
	[VGIC_CAUSE_BEHIND] = {"behind", "an interrupt of the same or a higher priority was active "
					 "or was taken first"},
	[VGIC_CAUSE_PRIORITY_MASK] = {"priority-mask", "the guest's priority mask kept it out"},
	[VGIC_CAUSE_NOT_TAKEN] = {"not-taken", "it was presented and the guest did not take it: it "
					       "masked interrupts or was not there for long"},
	[VGIC_CAUSE_EXIT] = {"exit", "its vCPU was out of the guest, an exit was being handled"},
	[VGIC_CAUSE_WFI] = {"wfi", "its vCPU slept and was being woken"},
	[VGIC_CAUSE_CPU_TAKEN] = {"cpu-taken", "another vCPU had the CPU"},
	[VGIC_CAUSE_NOT_STARTED] = {"not-started", "its vCPU had not entered the guest yet"},
	[VGIC_CAUSE_UNKNOWN] = {"unknown", "the records do not tell"},
};

const char *vgic_cause_name(enum vgic_cause cause)
{
	return causes[cause].name;
}

const char *vgic_cause_text(enum vgic_cause cause)
{
	return causes[cause].text;
}

const char *vgic_raise_name(enum vgic_raise how)
{
	static const char *const names[] = {"line", "sgi", "msi", "register", "line-high", "seen"};

	return names[how];
}

const char *vgic_wait_end_name(enum vgic_wait_end end)
{
	static const char *const names[] = {"taken", "withdrawn", "open"};

	return names[end];
}

/* ---- phases ---- */

struct phase *phase_at(struct vcpu *v, uint64_t number)
{
	return number < v->nr_phases && v->nr_phases - number <= PHASES ? &v->phase[number % PHASES]
									: NULL;
}

struct phase *phase_now(struct vcpu *v)
{
	return v->nr_phases ? phase_at(v, v->nr_phases - 1) : NULL;
}

struct phase *phase_push(struct vcpu *v, enum phase_kind kind, uint64_t t0, uint64_t record)
{
	struct phase *p = &v->phase[v->nr_phases++ % PHASES];

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->t0 = t0;
	p->record = record;
	return p;
}

/* ---- stretches ---- */

static bool is_outside(const struct vgic_span *s)
{
	return s->cause >= VGIC_CAUSE_LRS_FULL && s->cause <= VGIC_CAUSE_NOT_LISTED;
}

/*
 * Makes room: the shortest stretch goes. The first one stays, the last ones, and the last one
 * outside the LRs, for it says what brought room.
 */
static void span_drop(struct vgic_wait *w)
{
	unsigned int room = w->nr_spans - 1, out = 0;

	while (room && !is_outside(&w->span[room]))
		room--;
	for (unsigned int i = 1; i < w->nr_spans - VGIC_SPANS_TAIL; i++)
		if (i != room &&
		    (!out || w->span[i].t1 - w->span[i].t0 < w->span[out].t1 - w->span[out].t0))
			out = i;
	w->left_out++;
	w->left_out_ns += w->span[out].t1 - w->span[out].t0;
	w->nr_spans--;
	memmove(&w->span[out], &w->span[out + 1], (w->nr_spans - out) * sizeof(w->span[0]));
}

static void span_add(struct vgic_explain *ex, struct vgic_wait *w, const struct vgic_span *s)
{
	struct vgic_span *last = w->nr_spans ? &w->span[w->nr_spans - 1] : NULL;
	uint64_t ns = s->t1 - s->t0;

	if (!ns)
		return;
	w->cause_ns[s->cause] += ns;
	/* A run that goes on, and the many steps of one exit, are one stretch. */
	if (last && last->cause == s->cause && last->record == s->record &&
	    last->t1 == s->t0 - ex->start) {
		last->t1 = s->t1 - ex->start;
		return;
	}
	if (w->nr_spans == VGIC_SPANS)
		span_drop(w);
	w->span[w->nr_spans] = *s;
	w->span[w->nr_spans].t0 -= ex->start;
	w->span[w->nr_spans].t1 -= ex->start;
	w->nr_spans++;
}

static void phase_facts(struct vgic_span *s, const struct phase *p)
{
	s->record = p->record;
	s->left = p->left;
	s->exit = p->exit;
	s->misr = p->misr;
	s->exit_record = p->exit_record;
	s->kick_record = p->kick_record;
	s->nr_ended = p->nr_ended;
	s->other_vcpu = p->other;
	memcpy(s->ended, p->ended, sizeof(s->ended));
}

static void account_phase(struct vgic_explain *ex, struct open_wait *w, uint64_t number,
			  const struct phase *p, uint64_t until)
{
	static const enum vgic_cause by_kind[] = {
		[PHASE_NOT_STARTED] = VGIC_CAUSE_NOT_STARTED,
		[PHASE_EXIT] = VGIC_CAUSE_EXIT,
		[PHASE_WFI] = VGIC_CAUSE_WFI,
		[PHASE_CPU_TAKEN] = VGIC_CAUSE_CPU_TAKEN,
	};
	struct vgic_span s = {0};

	if (p->kind == PHASE_GUEST && w->placed_phase == number + 1)
		s = w->placed;
	else if (p->kind != PHASE_GUEST)
		s.cause = by_kind[p->kind];
	else if (p->t0 <= w->pub.raised_ns + ex->start)
		s.cause = VGIC_CAUSE_IN_GUEST;
	else
		s.cause = p->whole ? VGIC_CAUSE_NOT_LISTED : VGIC_CAUSE_UNKNOWN;
	phase_facts(&s, p);
	s.t0 = w->cursor;
	s.t1 = until;
	if (s.cause == VGIC_CAUSE_OTHER_VCPU)
		s.other_vcpu = w->placed.other_vcpu;
	span_add(ex, &w->pub, &s);
	w->cursor = until;
}

static void account_rest(struct vgic_explain *ex, struct open_wait *w, enum vgic_cause cause,
			 uint64_t until)
{
	const struct vgic_span s = {
		.cause = cause, .t0 = w->cursor, .t1 = until, .record = w->pub.raised_record};

	span_add(ex, &w->pub, &s);
	w->cursor = until;
}

void wait_account(struct vgic_explain *ex, struct entry *e, uint64_t until)
{
	struct open_wait *w = e->wait;
	struct vcpu *v = e->vcpu < ex->nr_vcpus ? &ex->vcpus[e->vcpu] : NULL;
	uint64_t from;

	if (!w || w->cursor >= until)
		return;
	if (!v || !v->nr_phases) {
		account_rest(ex, w, v ? VGIC_CAUSE_NOT_STARTED : VGIC_CAUSE_NOT_LISTED, until);
		return;
	}
	/* The phase that the cursor is in, or the oldest one kept. */
	for (from = v->nr_phases - 1; from && phase_at(v, from - 1); from--)
		if (phase_at(v, from)->t0 <= w->cursor)
			break;
	if (phase_at(v, from)->t0 > w->cursor) {
		uint64_t t0 = phase_at(v, from)->t0;

		/* One that no list had for so long; else too much happened to tell. */
		account_rest(ex, w,
			     !from	 ? VGIC_CAUSE_NOT_STARTED
			     : e->listed ? VGIC_CAUSE_UNKNOWN
					 : VGIC_CAUSE_NOT_LISTED,
			     t0 < until ? t0 : until);
	}
	for (; from < v->nr_phases && w->cursor < until; from++) {
		const struct phase *next = phase_at(v, from + 1);
		uint64_t to = next && next->t0 < until ? next->t0 : until;

		if (to > w->cursor)
			account_phase(ex, w, from, phase_at(v, from), to);
	}
}

/* ---- begin and end ---- */

int wait_open(struct vgic_explain *ex, struct entry *e, const struct mark *when,
	      enum vgic_raise how)
{
	struct open_wait *w;

	if (e->wait) {
		e->wait->pub.merged++;
		e->wait->lowered = false;
		return 0;
	}
	if (ex->nr_open >= VGIC_EXPLAIN_OPEN) {
		ex->missed++;
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	ex->nr_open++;
	w->pub.intid = e->intid;
	w->pub.how = how;
	w->pub.raised_ns = when->time - ex->start;
	w->pub.raised_record = when->record;
	w->cursor = when->time;
	w->losses = ex->losses;
	e->wait = w;
	return 0;
}

/* The wait of e is over and e's no more; its account is ready to be handed out. */
static struct open_wait *wait_take(struct vgic_explain *ex, struct entry *e)
{
	struct open_wait *w = e->wait;

	e->wait = NULL;
	ex->nr_open--;
	w->pub.vcpu = e->vcpu;
	w->pub.losses = w->losses != ex->losses;
	return w;
}

int wait_end(struct vgic_explain *ex, struct entry *e, enum vgic_wait_end how,
	     const struct mark *when)
{
	struct open_wait *w;
	int ret;

	if (!e->wait)
		return 0;
	wait_account(ex, e, when->time);
	w = wait_take(ex, e);
	w->pub.end = how;
	w->pub.end_ns = w->cursor - ex->start;
	w->pub.end_record = when->record;
	ret = ex->cfg.wait(ex->cfg.opaque, &w->pub);
	free(w);
	return ret;
}

int handling_end(struct vgic_explain *ex, struct entry *e, uint64_t time)
{
	struct open_wait *w = e->handling;
	int ret;

	if (!w)
		return 0;
	e->handling = NULL;
	ex->nr_open--;
	w->pub.ended = true;
	w->pub.ended_ns = time - ex->start;
	w->pub.ended_record = ex->nr_records;
	ret = ex->cfg.wait(ex->cfg.opaque, &w->pub);
	free(w);
	return ret;
}

int wait_taken(struct vgic_explain *ex, struct entry *e, const struct vcpu *v, uint64_t left,
	       bool ended)
{
	struct open_wait *w;
	int ret = handling_end(ex, e, left);

	if (ret || !e->wait)
		return ret;
	wait_account(ex, e, v->flush_time);
	w = wait_take(ex, e);
	w->pub.end = VGIC_WAIT_TAKEN;
	/* Raised again while an older raise, of which no record tells, was being taken. */
	w->pub.end_ns = w->cursor - ex->start;
	w->pub.end_record = v->flush_record;
	w->pub.run_ns = left - ex->start;
	w->pub.run_record = ex->nr_records;
	e->handling = w;
	ex->nr_open++;
	return ended ? handling_end(ex, e, left) : 0;
}
