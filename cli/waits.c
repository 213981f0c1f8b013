// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"
#include "summary.h"
#include "waits.h"

static const char *const exit_words[VGIC_EXIT_KINDS] = {
	[VGIC_EXIT_MI] = "a maintenance interrupt",
	[VGIC_EXIT_DIR] = "a trapped DIR",
	[VGIC_EXIT_SGI] = "a trapped SGI write",
	[VGIC_EXIT_WFI] = "a WFI",
	[VGIC_EXIT_MMIO] = "an MMIO access",
	[VGIC_EXIT_OTHER_IRQ] = "a host interrupt or kick",
	[VGIC_EXIT_OTHER] = "another trap",
};

static const char *const exit_names[VGIC_EXIT_KINDS] = {"mi",	"dir",	     "sgi",  "wfi",
							"mmio", "other_irq", "other"};

/* ---- the worst ---- */

static uint64_t length_of(const struct vgic_wait *w)
{
	return w->end_ns - w->raised_ns;
}

int waits_keep(struct waits *ws, const struct vgic_wait *w)
{
	struct vgic_wait *copy;
	size_t at;

	if (!ws->max || (ws->n == ws->max && length_of(ws->v[ws->n - 1]) >= length_of(w)))
		return 0;
	if (ws->n == ws->max) {
		copy = ws->v[--ws->n];
	} else {
		struct vgic_wait **v = realloc(ws->v, (ws->n + 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		ws->v = v;
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
	}
	*copy = *w;
	for (at = ws->n; at && length_of(ws->v[at - 1]) < length_of(w); at--)
		ws->v[at] = ws->v[at - 1];
	ws->v[at] = copy;
	ws->n++;
	return 0;
}

void waits_finish(struct waits *ws)
{
	for (size_t i = 0; i < ws->n; i++)
		free(ws->v[i]);
	free(ws->v);
	ws->v = NULL;
	ws->n = 0;
}

/* ---- words ---- */

static const char *class_of(uint32_t intid)
{
	return intid < 16 ? "SGI" : intid < 32 ? "PPI" : intid < 8192 ? "SPI" : "LPI";
}

char *waits_name(char *buf, size_t size, uint32_t intid)
{
	snprintf(buf, size, "%s %" PRIu32, class_of(intid), intid);
	return buf;
}

/* A text that grows in a buffer and stops at its end. */
struct text {
	char *buf;
	size_t size, n;
};

static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->buf + t->n, t->size - t->n, format, ap);
	va_end(ap);
	if (n > 0)
		t->n += (size_t)n < t->size - t->n ? (size_t)n : t->size - t->n - 1;
}

static int by_intid(const void *pa, const void *pb)
{
	const struct vgic_holder *a = pa, *b = pb;

	return a->intid < b->intid ? -1 : a->intid > b->intid;
}

/* "active SPIs 33-36 (priority 0xa0) and pending PPI 27 (priority 0x80)" */
static void say_holders(struct text *t, const struct vgic_span *s)
{
	static const char *const states[] = {"", "pending", "active", "active and pending"};
	struct vgic_holder h[VGIC_HOLDERS];
	unsigned int n = s->nr_holders < VGIC_HOLDERS ? s->nr_holders : VGIC_HOLDERS;
	bool first = true;

	memcpy(h, s->holder, n * sizeof(*h));
	qsort(h, n, sizeof(*h), by_intid);
	for (unsigned int state = 1; state <= 3; state++) {
		for (unsigned int class = 0; class < 4; class ++) {
			static const uint32_t from[] = {0, 16, 32, 8192, UINT32_MAX};
			unsigned int lo = 255, hi = 0, count = 0, i, k;

			for (i = 0; i < n; i++) {
				if (h[i].state != state || h[i].intid < from[class] ||
				    h[i].intid >= from[class + 1])
					continue;
				lo = h[i].priority < lo ? h[i].priority : lo;
				hi = h[i].priority > hi ? h[i].priority : hi;
				count++;
			}
			if (!count)
				continue;
			say(t, "%s%s %s%s", first ? "" : " and ", states[state],
			    class_of(from[class]), count > 1 ? "s" : "");
			first = false;
			for (i = 0, k = 0; i < n; i++) {
				unsigned int last = i;

				if (h[i].state != state || h[i].intid < from[class] ||
				    h[i].intid >= from[class + 1])
					continue;
				while (last + 1 < n && h[last + 1].state == state &&
				       h[last + 1].intid == h[last].intid + 1 &&
				       h[last + 1].intid < from[class + 1])
					last++;
				say(t, "%s%" PRIu32, k++ ? ", " : " ", h[i].intid);
				if (last > i)
					say(t, "-%" PRIu32, h[last].intid);
				i = last;
			}
			if (lo == hi)
				say(t, " (priority 0x%02x)", lo);
			else
				say(t, " (priorities 0x%02x to 0x%02x)", lo, hi);
		}
	}
	if (s->nr_holders > n)
		say(t, " and %u more", s->nr_holders - n);
}

static void say_ordinal(struct text *t, unsigned int n)
{
	const char *end = n % 100 >= 11 && n % 100 <= 13 ? "th"
			  : n % 10 == 1			 ? "st"
			  : n % 10 == 2			 ? "nd"
			  : n % 10 == 3			 ? "rd"
							 : "th";

	say(t, "%u%s", n, end);
}

static void say_mi(struct text *t, uint32_t misr)
{
	bool first = true;

	for (unsigned int i = 0; i < 8; i++) {
		if (!(misr >> i & 1))
			continue;
		say(t, "%s%s", first ? "" : "+", summary_mi_name(i));
		first = false;
	}
}

/* How a run of the guest ended: what let KVM have another look. */
static void say_exit(struct text *t, const struct vgic_span *s)
{
	char name[24];

	if (!s->left)
		return;
	if (s->exit == VGIC_EXIT_MI) {
		say(t, "; MI ");
		say_mi(t, s->misr);
		say(t, " fired");
	} else {
		say(t, "; left by %s", exit_words[s->exit]);
		if (s->exit == VGIC_EXIT_OTHER_IRQ && s->kick_record)
			say(t, " (kicked at record %" PRIu64 ")", s->kick_record);
	}
	if (s->nr_ended) {
		say(t, " after %s", waits_name(name, sizeof(name), s->ended[0]));
		for (unsigned int i = 1; i < s->nr_ended && i < 4; i++)
			say(t, ", %" PRIu32, s->ended[i]);
		if (s->nr_ended > 4)
			say(t, " and %u more", s->nr_ended - 4);
		say(t, " ended");
	}
	if (s->exit_record)
		say(t, " (record %" PRIu64 ")", s->exit_record);
}

/* What stands behind a stretch. */
static void say_span(struct text *t, const struct vgic_wait *w, const struct vgic_span *s)
{
	char name[24];

	switch (s->cause) {
	case VGIC_CAUSE_LRS_FULL:
	case VGIC_CAUSE_LEFT_OUT:
		say(t, "%u of %u LRs held ", s->nr_holders, s->nr_lr);
		if (s->nr_holders)
			say_holders(t, s);
		else
			say(t, "anything");
		say(t, ", %" PRIu32 " stood ", w->intid);
		say_ordinal(t, s->place);
		say(t, " outside");
		break;
	case VGIC_CAUSE_BEHIND:
		say(t, "%s with priority 0x%02x was active or taken first",
		    waits_name(name, sizeof(name), s->holder[0].intid), s->holder[0].priority);
		break;
	case VGIC_CAUSE_EXIT:
		if (s->left)
			say(t, "its vCPU was out of the guest for %s", exit_words[s->exit]);
		else
			say(t, "%s", vgic_cause_text(s->cause));
		break;
	case VGIC_CAUSE_CPU_TAKEN:
		say(t, "vCPU %u had the CPU", s->other_vcpu);
		break;
	case VGIC_CAUSE_OTHER_VCPU:
		if (s->other_vcpu == VGR_NO_VCPU)
			say(t, "it stood on the list of vCPU %u and was meant for none", w->vcpu);
		else
			say(t, "it stood on the list of vCPU %u and was meant for vCPU %u", w->vcpu,
			    s->other_vcpu);
		break;
	default:
		say(t, "%s", vgic_cause_text(s->cause));
	}
	if (s->cause < VGIC_CAUSE_EXIT)
		say_exit(t, s);
	else if (s->kick_record)
		say(t, ", kicked at record %" PRIu64, s->kick_record);
}

/*
 * The stretch that says most: the last one outside the LRs, whose end brought room; if there
 * is none, the longest of the cause that has most time.
 */
static const struct vgic_span *main_span(const struct vgic_wait *w)
{
	const struct vgic_span *best = NULL;
	unsigned int most = 0;

	for (unsigned int i = w->nr_spans; i-- > 0;)
		if (w->span[i].cause >= VGIC_CAUSE_LRS_FULL &&
		    w->span[i].cause <= VGIC_CAUSE_NOT_LISTED)
			return &w->span[i];
	for (unsigned int i = 1; i < VGIC_CAUSES; i++)
		if (w->cause_ns[i] > w->cause_ns[most])
			most = i;
	for (unsigned int i = 0; i < w->nr_spans; i++)
		if (w->span[i].cause == (enum vgic_cause)most &&
		    (!best || w->span[i].t1 - w->span[i].t0 > best->t1 - best->t0))
			best = &w->span[i];
	return best;
}

/* " (71 % lrs-full, 29 % exit)", the largest first, if there is more than one. */
static void say_shares(struct text *t, const struct vgic_wait *w)
{
	bool said[VGIC_CAUSES] = {false};
	unsigned int n = 0;

	for (unsigned int i = 0; i < VGIC_CAUSES; i++)
		n += w->cause_ns[i] > 0;
	for (unsigned int k = 0; n > 1 && k < n; k++) {
		unsigned int most = VGIC_CAUSES;

		for (unsigned int i = 0; i < VGIC_CAUSES; i++)
			if (w->cause_ns[i] && !said[i] &&
			    (most == VGIC_CAUSES || w->cause_ns[i] > w->cause_ns[most]))
				most = i;
		said[most] = true;
		say(t, "%s%.0f %% %s", k ? ", " : " (",
		    100.0 * (double)w->cause_ns[most] / (double)length_of(w),
		    vgic_cause_name((enum vgic_cause)most));
	}
	if (n > 1)
		say(t, ")");
}

static void say_end(struct text *t, const struct vgic_wait *w)
{
	char ns[32];

	if (w->in_lr)
		say(t, "; entered LR %u at record %" PRIu64, w->lr, w->lr_record);
	switch (w->end) {
	case VGIC_WAIT_TAKEN:
		say(t,
		    "; the guest took it in the run of records %" PRIu64 " to %" PRIu64
		    ", within %s",
		    w->end_record, w->run_record,
		    cli_format_ns(ns, sizeof(ns),
				  w->run_ns > w->end_ns ? w->run_ns - w->end_ns : 0));
		if (w->ended && w->ended_record == w->run_record)
			say(t, ", and ended it there");
		else if (w->ended)
			say(t, ", and had ended it by record %" PRIu64, w->ended_record);
		else
			say(t, ", and had not ended it when the recording stopped");
		break;
	case VGIC_WAIT_WITHDRAWN:
		say(t, "; taken back at record %" PRIu64, w->end_record);
		break;
	case VGIC_WAIT_OPEN:
		say(t, "; it still waited when the recording stopped");
		break;
	}
}

static const char *const raise_words[] = {
	[VGIC_RAISE_LINE] = "injected at record",
	[VGIC_RAISE_SGI] = "sent at record",
	[VGIC_RAISE_MSI] = "MSI at record",
	[VGIC_RAISE_REGISTER] = "made pending by a register write at record",
	[VGIC_RAISE_LINE_HIGH] = "line still high after its last handling, record",
	[VGIC_RAISE_SEEN] = "first seen pending at record",
};

/* All of a wait in a sentence. */
static void say_wait(struct text *t, const struct vgic_wait *w)
{
	const struct vgic_span *s = main_span(w);
	char name[24], ns[32];

	say(t, "%s of ", waits_name(name, sizeof(name), w->intid));
	if (w->vcpu == VGR_NO_VCPU)
		say(t, "no vCPU");
	else
		say(t, "vCPU %u", w->vcpu);
	say(t, " waited %s%s", w->how == VGIC_RAISE_SEEN ? "at least " : "",
	    cli_format_ns(ns, sizeof(ns), length_of(w)));
	say_shares(t, w);
	say(t, " at %" PRIu64 ".%09" PRIu64 " s (%s %" PRIu64 ")", w->raised_ns / 1000000000,
	    w->raised_ns % 1000000000, raise_words[w->how], w->raised_record);
	if (s) {
		say(t, ": ");
		say_span(t, w, s);
	}
	say_end(t, w);
	say(t, ".");
}

void waits_text(FILE *f, const struct vgic_wait *w)
{
	const struct vgic_span *s;
	char buf[2048], ns[32];
	struct text t = {buf, sizeof(buf), 0};

	say_wait(&t, w);
	fprintf(f, "%s\n", buf);
	if (w->merged)
		fprintf(f, "    raised again while it waited: %" PRIu64 "\n", w->merged);
	if (w->losses)
		fprintf(f, "    records were lost meanwhile: the account may be wrong\n");
	for (unsigned int i = 0; i < w->nr_spans; i++) {
		s = &w->span[i];
		if (i && s->t0 > w->span[i - 1].t1)
			fprintf(f, "    %11s  ...\n",
				cli_format_ns(ns, sizeof(ns), s->t0 - w->span[i - 1].t1));
		t.n = 0;
		say_span(&t, w, s);
		fprintf(f, "    %11s  %-15s record %" PRIu64 ": %s\n",
			cli_format_ns(ns, sizeof(ns), s->t1 - s->t0), vgic_cause_name(s->cause),
			s->record, buf);
	}
}

/* ---- JSON ---- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static void set(json_t *o, const char *name, uint64_t n)
{
	json_object_set_new(o, name, number(n));
}

static void set_known(json_t *o, const char *name, uint64_t n, bool known)
{
	json_object_set_new(o, name, known ? number(n) : json_null());
}

static json_t *span_json(const struct vgic_wait *w, const struct vgic_span *s)
{
	static const char *const states[] = {"", "pending", "active", "both"};
	json_t *o = json_object(), *list;
	char buf[2048];
	struct text t = {buf, sizeof(buf), 0};

	say_span(&t, w, s);
	json_object_set_new(o, "cause", json_string(vgic_cause_name(s->cause)));
	json_object_set_new(o, "text", json_string(buf));
	set(o, "t0_ns", s->t0);
	set(o, "t1_ns", s->t1);
	set(o, "record", s->record);
	if (s->left)
		json_object_set_new(o, "exit", json_string(exit_names[s->exit]));
	if (s->misr) {
		list = json_array();
		for (unsigned int i = 0; i < 8; i++)
			if (s->misr >> i & 1)
				json_array_append_new(list, json_string(summary_mi_name(i)));
		json_object_set_new(o, "mi", list);
	}
	if (s->exit_record)
		set(o, "exit_record", s->exit_record);
	if (s->kick_record)
		set(o, "kick_record", s->kick_record);
	if (s->nr_ended) {
		list = json_array();
		for (unsigned int i = 0; i < s->nr_ended && i < 4; i++)
			json_array_append_new(list, number(s->ended[i]));
		json_object_set_new(o, "ended", list);
		set(o, "nr_ended", s->nr_ended);
	}
	if (s->cause == VGIC_CAUSE_CPU_TAKEN || s->cause == VGIC_CAUSE_OTHER_VCPU)
		set_known(o, "other_vcpu", s->other_vcpu, s->other_vcpu != VGR_NO_VCPU);
	if (s->place) {
		set(o, "place", s->place);
		set(o, "nr_lr", s->nr_lr);
	}
	if (s->nr_holders) {
		list = json_array();
		for (unsigned int i = 0; i < s->nr_holders && i < VGIC_HOLDERS; i++) {
			json_t *h = json_object();

			set(h, "intid", s->holder[i].intid);
			json_object_set_new(h, "state",
					    json_string(states[s->holder[i].state & 3]));
			set(h, "priority", s->holder[i].priority);
			json_array_append_new(list, h);
		}
		json_object_set_new(o, "held", list);
		set(o, "nr_held", s->nr_holders);
	}
	return o;
}

json_t *waits_json(const struct vgic_wait *w)
{
	json_t *o = json_object(), *part = json_object();
	bool taken = w->end == VGIC_WAIT_TAKEN;
	char buf[2048];
	struct text t = {buf, sizeof(buf), 0};

	say_wait(&t, w);
	json_object_set_new(o, "text", json_string(buf));
	set(o, "intid", w->intid);
	set_known(o, "vcpu", w->vcpu, w->vcpu != VGR_NO_VCPU);
	set_known(o, "priority", w->priority, w->listed);
	json_object_set_new(o, "raised_by", json_string(vgic_raise_name(w->how)));
	json_object_set_new(o, "end", json_string(vgic_wait_end_name(w->end)));
	set(o, "wait_ns", length_of(w));
	set(o, "raised_ns", w->raised_ns);
	set(o, "raised_record", w->raised_record);
	set(o, "merged", w->merged);
	set_known(o, "lr", w->lr, w->in_lr);
	set_known(o, "lr_ns", w->lr_ns, w->in_lr);
	set_known(o, "lr_record", w->lr_record, w->in_lr);
	set(o, "end_ns", w->end_ns);
	set(o, "end_record", w->end_record);
	set_known(o, "run_left_ns", w->run_ns, taken);
	set_known(o, "run_left_record", w->run_record, taken);
	set_known(o, "handled_ns", w->ended_ns, w->ended);
	set_known(o, "handled_record", w->ended_record, w->ended);
	json_object_set_new(o, "losses", json_boolean(w->losses));
	for (unsigned int i = 0; i < VGIC_CAUSES; i++)
		if (w->cause_ns[i])
			set(part, vgic_cause_name((enum vgic_cause)i), w->cause_ns[i]);
	json_object_set_new(o, "causes_ns", part);
	part = json_array();
	for (unsigned int i = 0; i < w->nr_spans; i++)
		json_array_append_new(part, span_json(w, &w->span[i]));
	json_object_set_new(o, "stretches", part);
	set(o, "left_out", w->left_out);
	set(o, "left_out_ns", w->left_out_ns);
	return o;
}
