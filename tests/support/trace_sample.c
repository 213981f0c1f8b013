// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/events.h>
#include "trace_sample.h"

#define PAGE	      4096
#define VCPU	      0xffff000001230000ull
#define KVM	      0xffff000001110000ull
#define HEAD	      0x200 /* ap_list_head in the vCPU */
#define IRQ_SIZE      96
#define IRQ_AT(intid) (0xffff000002000000ull + (intid)*128ull)
#define LINK	      24 /* ap_list in an interrupt */

struct out {
	unsigned char *p;
	size_t n, room;
	bool big_endian;
};

static void put(struct out *o, const void *data, size_t n)
{
	if (o->n + n > o->room) {
		o->room = 2 * (o->n + n) + 4096;
		o->p = realloc(o->p, o->room);
		if (!o->p)
			abort();
	}
	if (data)
		memcpy(o->p + o->n, data, n);
	else
		memset(o->p + o->n, 0, n);
	o->n += n;
}

static void put_number(struct out *o, uint64_t v, size_t size)
{
	unsigned char b[8];
	size_t i;

	for (i = 0; i < size; i++)
		b[i] = v >> 8 * (o->big_endian ? size - 1 - i : i);
	put(o, b, size);
}

/* ---- formats ---- */

struct field {
	const char *name, *type;
	uint8_t size, count;
};

#define LIST_FIELDS                                                                    \
	{"first", "u64", 8, 1}, {"last", "u64", 8, 1}, {"e0", "u64", 8, IRQ_SIZE / 8}, \
		{"e1", "u64", 8, IRQ_SIZE / 8},                                        \
	{                                                                              \
		"b0", "u64", 8, IRQ_SIZE / 8                                           \
	}

#define WHO_FIELDS                                                         \
	{"vcpu", "u64", 8, 1}, {"kvm", "u64", 8, 1}, {"idx", "u32", 4, 1}, \
	{                                                                  \
		"id", "u32", 4, 1                                          \
	}

#define VM_FIELDS                                                             \
	{"model", "u32", 4, 1}, {"spis", "u32", 4, 1}, {"dist", "u64", 8, 1}, \
	{                                                                     \
		"tgid", "u32", 4, 1                                           \
	}

#define IF_FIELDS                                                           \
	{"hcr", "u32", 4, 1}, {"vmcr", "u32", 4, 1}, {"used", "u32", 4, 1}, \
	{                                                                   \
		"lr", "u64", 8, 4                                           \
	}

enum {
	S_LOAD,
	S_FLUSH_BEGIN,
	S_FLUSH_END,
	S_SYNC_FOLD,
	S_FOLDED,
	S_SYNC_END,
	S_INJECT,
	S_ENTRY,
	S_EXIT,
	S_KVM_INJECT,
	S_MMIO,
	S_SWITCH,
	S_END
};

static const struct {
	const char *system, *name;
	struct field fields[16];
} events[S_END] = {
	[S_LOAD] = {"vgicsim", "load", {WHO_FIELDS, VM_FIELDS}},
	[S_FLUSH_BEGIN] = {"vgicsim",
			   "flush_begin",
			   {WHO_FIELDS, {"mode", "u32", 4, 1}, VM_FIELDS, LIST_FIELDS}},
	[S_FLUSH_END] = {"vgicsim",
			 "flush_end",
			 {{"vcpu", "u64", 8, 1},
			  IF_FIELDS,
			  {"enabled", "u8", 1, 1},
			  {"active_spis", "s32", 4, 1},
			  LIST_FIELDS}},
	[S_SYNC_FOLD] = {"vgicsim",
			 "sync_fold",
			 {WHO_FIELDS,
			  IF_FIELDS,
			  {"mode", "u32", 4, 1},
			  {"active_spis", "s32", 4, 1},
			  LIST_FIELDS}},
	[S_FOLDED] = {"vgicsim", "folded", {{"irq", "u64", 8, 1}, {"e0", "u64", 8, IRQ_SIZE / 8}}},
	[S_SYNC_END] = {"vgicsim",
			"sync_end",
			{{"vcpu", "u64", 8, 1},
			 IF_FIELDS,
			 {"enabled", "u8", 1, 1},
			 {"active_spis", "s32", 4, 1},
			 LIST_FIELDS}},
	[S_INJECT] = {"vgicsim",
		      "inject",
		      {{"kvm", "u64", 8, 1},
		       {"vcpu", "u64", 8, 1},
		       {"intid", "u32", 4, 1},
		       {"level", "u8", 1, 1},
		       {"owner", "u64", 8, 1}}},
	[S_ENTRY] = {"kvm", "kvm_entry", {{"vcpu_pc", "unsigned long", 8, 1}}},
	[S_EXIT] = {"kvm",
		    "kvm_exit",
		    {{"ret", "int", 4, 1},
		     {"esr_ec", "unsigned int", 4, 1},
		     {"vcpu_pc", "unsigned long", 8, 1}}},
	[S_KVM_INJECT] = {"kvm",
			  "vgic_update_irq_pending",
			  {{"vcpu_id", "unsigned long", 8, 1},
			   {"irq", "__u32", 4, 1},
			   {"level", "bool", 1, 1}}},
	[S_MMIO] = {"kvm",
		    "kvm_mmio",
		    {{"type", "u32", 4, 1},
		     {"len", "u32", 4, 1},
		     {"gpa", "u64", 8, 1},
		     {"val", "u64", 8, 1}}},
	[S_SWITCH] = {"sched", "sched_switch", {{"prev_pid", "pid_t", 4, 1}}},
};

static size_t say_field(char *to, size_t size, const char *type, const char *name, unsigned int at,
			unsigned int bytes, unsigned int count)
{
	char array[16] = "";

	if (count > 1)
		snprintf(array, sizeof(array), "[%u]", count);
	return snprintf(to, size, "\tfield:%s %s%s;\toffset:%u;\tsize:%u;\tsigned:%d;\n", type,
			name, array, at, bytes * count, *type == 's' || !strcmp(type, "int"));
}

static char *format_of(int e)
{
	static const char common[] =
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";
	size_t room = 8192, n, i;
	char *text = malloc(room), name[48];
	unsigned int at = 8;

	if (!text)
		abort();
	n = snprintf(text, room, "name: %s\nID: %d\nformat:\n%s", events[e].name, 100 + e, common);
	for (i = 0; events[e].fields[i].name; i++) {
		const struct field *f = &events[e].fields[i];

		n += say_field(text + n, room - n, f->type, f->name, at, f->size, f->count);
		at += f->size * f->count;
	}
	for (i = 0; e == S_LOAD && i < vgr_nr_event_facts; i++) {
		const struct vgr_event_fact *fact = &vgr_event_fact_table[i];
		unsigned int size = fact->flag ? 4 : fact->size;

		snprintf(name, sizeof(name), "k_%s", fact->name);
		n += say_field(text + n, room - n, "u32", name, at, size, 1);
		at += size;
	}
	snprintf(text + n, room - n, "\nprint fmt: \"x\"\n");
	return text;
}

/* ---- the kernel's memory ---- */

struct irq {
	uint32_t intid;
	bool latch, active, on_lr;
	uint64_t prev, next, vcpu;
};

static const struct vgr_event_facts facts = {
	.head = HEAD,
	.pmu = 0x400,
	.irq_size = IRQ_SIZE,
	.list = LINK,
	.intid = 4,
	.vcpu = 40,
	.target = 48,
	.hwintid = 64,
	.source = 76,
	.active_source = 77,
	.priority = 78,
	.group = 79,
	.ops = 80,
	.latch = {448, 1},
	.config = {449, 1},
	.line = {450, 1},
	.enabled = {451, 1},
	.active = {452, 1},
	.hw = {453, 1},
	.on_lr = {454, 1},
	.mapped = {455, 1},
	.gic = 3,
	.nr_lr = 4,
	.vtr = 0x90b80003,
	.tdir = VGR_YES,
	.mode = VGR_EVENT_VHE,
	.has_last_lr = true,
};

static void put_irq(struct out *o, const struct irq *irq)
{
	unsigned int flags[4] = {448, 451, 452, 454}, i;
	bool set[4] = {irq->latch, true, irq->active, irq->on_lr};
	size_t at = o->n;

	put_number(o, 0, 4);
	put_number(o, irq->intid, 4);
	put(o, NULL, 16);
	put_number(o, irq->next, 8);
	put_number(o, irq->prev, 8);
	put_number(o, irq->vcpu, 8);
	put_number(o, VCPU, 8);
	put(o, NULL, IRQ_SIZE - 56);
	for (i = 0; i < 4; i++) {
		if (set[i])
			o->p[at + flags[i] / 8] |=
				o->big_endian ? 0x80 >> flags[i] % 8 : 1 << flags[i] % 8;
	}
	o->p[at + 78] = 0xa0;
	o->p[at + 79] = 1;
}

/* The list of so many interrupts, as an event shows it: two from the head, one from the tail. */
static void put_list(struct out *o, const struct irq *irqs, unsigned int n)
{
	static const struct irq none;
	struct irq link[16];
	unsigned int i;

	for (i = 0; i < n; i++) {
		link[i] = irqs[i];
		link[i].prev = i ? IRQ_AT(irqs[i - 1].intid) + LINK : VCPU + HEAD;
		link[i].next = i + 1 < n ? IRQ_AT(irqs[i + 1].intid) + LINK : VCPU + HEAD;
		link[i].vcpu = VCPU;
	}
	put_number(o, n ? IRQ_AT(irqs[0].intid) + LINK : VCPU + HEAD, 8);
	put_number(o, n ? IRQ_AT(irqs[n - 1].intid) + LINK : VCPU + HEAD, 8);
	put_irq(o, n > 0 ? &link[0] : &none);
	put_irq(o, n > 1 ? &link[1] : &none);
	put_irq(o, n > 0 ? &link[n - 1] : &none);
}

/* ---- events ---- */

struct story {
	struct out records, event;
	uint64_t time;
	unsigned int how;
};

static struct out *begin(struct story *t, int e)
{
	t->event.n = 0;
	put_number(&t->event, 100 + e, 2);
	put_number(&t->event, 0, 2);
	put_number(&t->event, 77, 4);
	return &t->event;
}

static void end(struct story *t)
{
	uint32_t size;

	/* As the ring buffer pads it. */
	while (t->event.n % 4)
		put(&t->event, NULL, 1);
	size = t->event.n;
	t->time += 1000;
	put(&t->records, &size, 4);
	put(&t->records, &t->time, 8);
	put(&t->records, t->event.p, t->event.n);
}

static bool has(const struct story *t, int e)
{
	if (t->how & TRACE_SAMPLE_USELESS)
		return e == S_SWITCH;
	if (t->how & TRACE_SAMPLE_KVM_ONLY)
		return e >= S_ENTRY && e != S_MMIO;
	if (e == S_MMIO)
		return t->how & TRACE_SAMPLE_LINES;
	return e != S_KVM_INJECT && (e != S_LOAD || !(t->how & TRACE_SAMPLE_NO_LOAD));
}

static void put_who(struct out *o)
{
	put_number(o, VCPU, 8);
	put_number(o, KVM, 8);
	put_number(o, 0, 4);
	put_number(o, 0, 4);
}

static void put_vm(struct out *o)
{
	put_number(o, 7, 4);
	put_number(o, 32, 4);
	put_number(o, 0x8000000, 8);
	put_number(o, 76, 4);
}

static void put_interface(struct out *o, unsigned int used, const uint64_t *lr)
{
	unsigned int i;

	put_number(o, 0x151, 4);
	put_number(o, 0x4c0008, 4);
	put_number(o, used, 4);
	for (i = 0; i < 4; i++)
		put_number(o, i < used ? lr[i] : 0, 8);
}

static void put_dist(struct out *o)
{
	put_number(o, 1, 1);
	put_number(o, 0, 4);
}

/* One run with these interrupts on the list, of which the guest handles the first. */
static void one_run(struct story *t, struct irq *irqs, unsigned int n)
{
	uint64_t lr[4];
	unsigned int used = n < 4 ? n : 4, i;
	struct out *o;

	if (has(t, S_FLUSH_BEGIN)) {
		o = begin(t, S_FLUSH_BEGIN);
		put_who(o);
		put_number(o, 1, 4);
		put_vm(o);
		put_list(o, irqs, n);
		end(t);
	}
	for (i = 0; i < used; i++) {
		lr[i] = 1ull << 62 | 1ull << 60 | 0xa0ull << 48 | irqs[i].intid;
		irqs[i].on_lr = true;
		irqs[i].latch = false;
	}
	if (has(t, S_FLUSH_END)) {
		o = begin(t, S_FLUSH_END);
		put_number(o, VCPU, 8);
		put_interface(o, used, lr);
		put_dist(o);
		put_list(o, irqs, n);
		end(t);
	}
	if (has(t, S_ENTRY)) {
		put_number(begin(t, S_ENTRY), 0x40000000, 8);
		end(t);
	}
	if (used)
		lr[0] &= ~(3ull << 62);
	if (has(t, S_SYNC_FOLD)) {
		o = begin(t, S_SYNC_FOLD);
		put_who(o);
		put_interface(o, used, lr);
		put_number(o, 1, 4);
		put_number(o, 0, 4);
		put_list(o, irqs, n);
		end(t);
	}
	for (i = 0; i < used; i++) {
		irqs[i].latch = i;
		if (has(t, S_FOLDED)) {
			struct irq irq = irqs[i];

			irq.vcpu = VCPU;
			o = begin(t, S_FOLDED);
			put_number(o, IRQ_AT(irq.intid), 8);
			put_irq(o, &irq);
			end(t);
		}
		irqs[i].on_lr = false;
	}
	if (has(t, S_SYNC_END)) {
		o = begin(t, S_SYNC_END);
		put_number(o, VCPU, 8);
		put_interface(o, used, lr);
		put_dist(o);
		put_list(o, irqs + !!n, n - !!n);
		end(t);
	}
	if (has(t, S_EXIT)) {
		o = begin(t, S_EXIT);
		put_number(o, 0, 4);
		put_number(o, 0, 4);
		put_number(o, 0x40000010, 8);
		end(t);
	}
}

static void inject(struct story *t, uint32_t intid, bool level)
{
	struct out *o;

	if (has(t, S_INJECT)) {
		o = begin(t, S_INJECT);
		put_number(o, KVM, 8);
		put_number(o, 0, 8);
		put_number(o, intid, 4);
		put_number(o, level, 1);
		put_number(o, 0, 8);
		end(t);
	}
	if (has(t, S_KVM_INJECT)) {
		o = begin(t, S_KVM_INJECT);
		put_number(o, 0, 8);
		put_number(o, intid, 4);
		put_number(o, level, 1);
		end(t);
	}
}

/* The guest makes 40 an edge and leaves 41 a level; then both lines go up and down. */
static void tell_lines(struct story *t)
{
	struct out *o = begin(t, S_MMIO);

	put_number(o, 2, 4);
	put_number(o, 4, 4);
	put_number(o, 0x8000c08, 8);
	put_number(o, 2u << 2 * 8, 8);
	end(t);
	inject(t, 40, true);
	inject(t, 40, false);
	inject(t, 40, true);
	inject(t, 41, true);
	inject(t, 41, true);
	inject(t, 41, false);
	inject(t, 41, false);
}

static void tell(struct story *t)
{
	struct irq irqs[6] = {{.intid = 40, .latch = true}, {.intid = 41, .latch = true},
			      {.intid = 42, .latch = true}, {.intid = 43, .latch = true},
			      {.intid = 44, .latch = true}, {.intid = 45, .latch = true}};
	unsigned int n = t->how & TRACE_SAMPLE_LONG_LIST ? 5 : 3, i;
	struct out *o;
	size_t k;

	put_number(begin(t, S_SWITCH), 1, 4);
	end(t);
	if (has(t, S_LOAD)) {
		o = begin(t, S_LOAD);
		put_who(o);
		put_vm(o);
		for (k = 0; k < vgr_nr_event_facts; k++)
			put_number(o, vgr_event_fact_get(&facts, k),
				   vgr_event_fact_table[k].flag ? 4 : vgr_event_fact_table[k].size);
		end(t);
	}
	if (t->how & TRACE_SAMPLE_LINES) {
		tell_lines(t);
		return;
	}
	one_run(t, irqs, 0);
	for (i = 0; i < n; i++)
		inject(t, irqs[i].intid, true);
	one_run(t, irqs, n);
	one_run(t, irqs + 1, n - 1);
}

/* ---- the file ---- */

static void put_text(struct out *o, const char *text)
{
	put_number(o, strlen(text), 8);
	put(o, text, strlen(text));
}

static void put_formats(struct out *o, const struct story *t, struct trace_sample *s)
{
	static const char *const systems[] = {"vgicsim", "kvm", "sched"};
	unsigned int k, n;
	int e;

	put_number(o, 3, 4);
	for (k = 0; k < 3; k++) {
		put(o, systems[k], strlen(systems[k]) + 1);
		for (n = 0, e = 0; e < S_END; e++)
			n += has(t, e) && !strcmp(events[e].system, systems[k]);
		put_number(o, n, 4);
		for (e = 0; e < S_END; e++) {
			if (!has(t, e) || strcmp(events[e].system, systems[k]))
				continue;
			for (n = 0; s->formats[n]; n++)
				;
			s->formats[n] = format_of(e);
			s->systems[n] = events[e].system;
			put_text(o, s->formats[n]);
		}
	}
}

/* One event behind the other in pages, each of which begins with a time. */
static void put_pages(struct out *o, const struct story *t)
{
	size_t at, start = 0, commit = 0;
	uint64_t before = 0;

	for (at = 0; at < t->records.n;) {
		uint32_t size, delta;
		uint64_t time;

		memcpy(&size, t->records.p + at, 4);
		memcpy(&time, t->records.p + at + 4, 8);
		if (!commit || o->n + size + 8 > start + PAGE) {
			if (commit)
				put(o, NULL, start + PAGE - o->n);
			start = o->n;
			put_number(o, time, 8);
			commit = o->n;
			put_number(o, 0, 8);
			before = time;
		}
		delta = time - before;
		/* Its length stands in a word of its own. */
		put_number(o, o->big_endian ? delta : delta << 5, 4);
		put_number(o, size + 4, 4);
		put(o, t->records.p + at + 12, size);
		before = time;
		at += 12 + size;
		{
			struct out number = {.big_endian = o->big_endian};

			/* Before what is in any page but the first some were missed. */
			put_number(&number,
				   (o->n - commit - 8) |
					   (start && t->how & TRACE_SAMPLE_MISSED ? 1u << 31 : 0),
				   8);
			memcpy(o->p + commit, number.p, 8);
			free(number.p);
		}
	}
	if (commit)
		put(o, NULL, start + PAGE - o->n);
}

void trace_sample_make(struct trace_sample *s, bool big_endian, unsigned int how)
{
	static const char header_page[] =
		"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
		"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
		"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";
	struct story t = {.records = {.big_endian = big_endian},
			  .event = {.big_endian = big_endian},
			  .time = 5000000,
			  .how = how};
	struct out o = {.big_endian = big_endian}, pages = {.big_endian = big_endian};
	static const char clock[] = "[mono]";

	memset(s, 0, sizeof(*s));
	tell(&t);
	put(&o, "\027\010\104tracing6", 12);
	put_number(&o, big_endian, 1);
	put_number(&o, 8, 1);
	put_number(&o, PAGE, 4);
	put(&o, "header_page", 12);
	put_text(&o, header_page);
	put(&o, "header_event", 13);
	put_text(&o, "# compressed entry header\n");
	put_number(&o, 0, 4); /* events of ftrace itself */
	put_formats(&o, &t, s);
	put_number(&o, 0, 4); /* kallsyms */
	put_number(&o, 0, 4); /* formats of printk */
	put_text(&o, "77 vcpu\n");
	put_number(&o, 1, 4); /* CPUs */
	put(&o, "options  ", 10);
	put_number(&o, 4, 2); /* the trace clock */
	put_number(&o, sizeof(clock), 4);
	put(&o, clock, sizeof(clock));
	put_number(&o, 0, 2);
	put(&o, "flyrecord", 10);
	put_pages(&pages, &t);
	put_number(&o, (o.n + 16 + PAGE - 1) / PAGE * PAGE, 8);
	put_number(&o, pages.n, 8);
	put(&o, NULL, (PAGE - o.n % PAGE) % PAGE);
	put(&o, pages.p, pages.n);
	free(pages.p);
	free(t.event.p);
	s->big_endian = big_endian;
	s->file = o.p;
	s->size = o.n;
	s->records = t.records.p;
	s->records_size = t.records.n;
}

void trace_sample_free(struct trace_sample *s)
{
	size_t i;

	for (i = 0; s->formats[i]; i++)
		free(s->formats[i]);
	free(s->file);
	free(s->records);
}
