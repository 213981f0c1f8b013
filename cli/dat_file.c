// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dat_file.h"
#include "store.h"

#define PAGE 4096u
#define HEAD 16u /* of a page: time of the first event, bytes of events */

/* Of the bytes of events in a page's head: events are missing before it, and how many. */
#define MISSED_EVENTS (1u << 31)
#define MISSED_STORED (1u << 30)

/* An event's head: 5 bits of kind or length in words, 27 bits of time since the last one. */
#define TIME_BITS   27u
#define KIND_LONG   0u
#define KIND_EXTEND 30u
#define MAX_WORDS   28u

#define COMMON	    8u /* bytes of the fields that every event has */
#define FIRST_ID    1000u
#define MAX_TASKS   65536u
#define EVENT_BYTES 3072u

/* Options of the file. */
#define OPTION_CLOCK   4u
#define OPTION_UNAME   5u
#define OPTION_VERSION 9u

struct block {
	uint64_t next; /* of this CPU, as the number of the block; 0: none */
	uint8_t page[PAGE];
};

struct cpu {
	struct block block;
	uint32_t used; /* bytes of events in it */
	uint64_t last; /* ns */
	uint64_t lost; /* before the next event */
	bool lost_here;
	/* Blocks in the file without a name, from 1. */
	uint64_t first, newest, pages;
};

struct task {
	uint32_t pid;
	char name[44];
};

struct dat_file {
	const struct dat_kind *kinds;
	size_t nr_kinds;
	int fd;
	uint64_t blocks;
	struct cpu *cpus[DAT_MAX_CPUS];
	unsigned int nr_cpus; /* the highest that was seen, and one */
	struct task *tasks;
	size_t nr_tasks, cap_tasks; /* a power of two; half of them free */
	/* The event that is being put. */
	size_t kind, field;
	uint32_t size;
	uint32_t text_at[DAT_MAX_FIELDS];
	uint8_t event[EVENT_BYTES];
};

int dat_file_create(struct dat_file **out, const struct dat_kind *kinds, size_t n)
{
	struct dat_file *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->kinds = kinds;
	d->nr_kinds = n;
	d->fd = cli_open_nameless();
	if (d->fd < 0) {
		free(d);
		return -EIO;
	}
	*out = d;
	return 0;
}

void dat_file_destroy(struct dat_file *d)
{
	if (!d)
		return;
	close(d->fd);
	for (size_t i = 0; i < DAT_MAX_CPUS; i++)
		free(d->cpus[i]);
	free(d->tasks);
	free(d);
}

static void put16(uint8_t *p, uint16_t v)
{
	for (unsigned int i = 0; i < 2; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void put64(uint8_t *p, uint64_t v)
{
	for (unsigned int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* ---- pages ---- */

static int write_whole(int fd, const void *data, size_t size, uint64_t offset)
{
	const uint8_t *p = data;

	while (size) {
		ssize_t n = pwrite(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int read_whole(int fd, void *data, size_t size, uint64_t offset)
{
	uint8_t *p = data;

	while (size) {
		ssize_t n = pread(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static uint64_t offset_of(uint64_t block)
{
	return (block - 1) * sizeof(struct block);
}

/* The CPU's page is full, or has to end: the next event begins another. */
static int close_page(struct dat_file *d, struct cpu *c)
{
	uint32_t commit = c->used;
	uint64_t number = d->blocks + 1;
	int ret;

	if (!c->used)
		return 0;
	if (c->lost_here) {
		commit |= MISSED_EVENTS | MISSED_STORED;
		put64(c->block.page + HEAD + c->used, c->lost);
		c->lost_here = false;
		c->lost = 0;
	}
	put64(c->block.page + 8, commit);
	ret = write_whole(d->fd, &c->block, sizeof(c->block), offset_of(number));
	if (!ret && c->newest)
		ret = write_whole(d->fd, &number, sizeof(number), offset_of(c->newest));
	if (ret)
		return ret;
	d->blocks = number;
	c->first = c->first ? c->first : number;
	c->newest = number;
	c->pages++;
	c->used = 0;
	memset(&c->block, 0, sizeof(c->block));
	return 0;
}

static int cpu_of(struct dat_file *d, unsigned int cpu, struct cpu **c)
{
	if (cpu >= DAT_MAX_CPUS)
		return -ERANGE;
	if (!d->cpus[cpu]) {
		d->cpus[cpu] = calloc(1, sizeof(**c));
		if (!d->cpus[cpu])
			return -ENOMEM;
	}
	d->nr_cpus = cpu >= d->nr_cpus ? cpu + 1 : d->nr_cpus;
	*c = d->cpus[cpu];
	return 0;
}

int dat_file_lost(struct dat_file *d, unsigned int cpu, uint64_t count)
{
	struct cpu *c;
	int ret = cpu_of(d, cpu, &c);

	if (!ret)
		ret = close_page(d, c);
	if (!ret)
		c->lost += count;
	return ret;
}

/* ---- events ---- */

static uint32_t aligned(uint32_t at, uint32_t size)
{
	return (at + size - 1) & ~(size - 1);
}

void dat_event_begin(struct dat_file *d, size_t kind, uint32_t pid)
{
	d->kind = kind;
	d->field = 0;
	memset(d->event, 0, COMMON);
	put16(d->event, (uint16_t)(FIRST_ID + kind));
	put32(d->event + 4, pid);
	d->size = COMMON;
	/* Texts come behind all fields. */
	for (const struct dat_field *f = d->kinds[kind].fields; f->name; f++) {
		uint32_t size = f->size ? f->size : 4, at = aligned(d->size, size);

		memset(d->event + d->size, 0, at + size - d->size);
		d->text_at[f - d->kinds[kind].fields] = at;
		d->size = at + size;
	}
}

void dat_event_number(struct dat_file *d, uint64_t value)
{
	const struct dat_field *f = &d->kinds[d->kind].fields[d->field];
	uint8_t *p = d->event + d->text_at[d->field++];

	for (unsigned int i = 0; i < f->size; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

void dat_event_text(struct dat_file *d, const char *text)
{
	size_t n = strnlen(text, DAT_MAX_TEXT - 1);

	if (n > EVENT_BYTES - 1 - d->size)
		n = EVENT_BYTES - 1 - d->size;
	put32(d->event + d->text_at[d->field++], (uint32_t)(n + 1) << 16 | d->size);
	memcpy(d->event + d->size, text, n);
	d->event[d->size + n] = 0;
	d->size += (uint32_t)n + 1;
}

int dat_event_end(struct dat_file *d, unsigned int cpu, uint64_t time)
{
	uint32_t size = aligned(d->size, 4), words = size / 4, head, need;
	uint64_t delta;
	struct cpu *c;
	uint8_t *p;
	int ret = cpu_of(d, cpu, &c);

	if (ret)
		return ret;
	memset(d->event + d->size, 0, size - d->size);
	if (time < c->last)
		time = c->last;
	delta = time - c->last;
	/* An extension of the time, a head, a length, and room for how many were lost. */
	need = 8 + 4 + 4 + size + 8;
	if (c->used && (c->used + need > PAGE - HEAD || delta >> (TIME_BITS + 32))) {
		ret = close_page(d, c);
		if (ret)
			return ret;
	}
	if (!c->used) {
		put64(c->block.page, time);
		c->lost_here = c->lost;
		delta = 0;
	}
	c->last = time;
	p = c->block.page + HEAD + c->used;
	if (delta >> TIME_BITS) {
		put32(p, KIND_EXTEND | (uint32_t)(delta & ((1u << TIME_BITS) - 1)) << 5);
		put32(p + 4, (uint32_t)(delta >> TIME_BITS));
		p += 8;
		delta = 0;
	}
	head = words <= MAX_WORDS ? words : KIND_LONG;
	put32(p, head | (uint32_t)delta << 5);
	p += 4;
	if (head == KIND_LONG) {
		put32(p, size + 4);
		p += 4;
	}
	memcpy(p, d->event, size);
	c->used = (uint32_t)(p + size - (c->block.page + HEAD));
	return 0;
}

/* ---- names of threads ---- */

static struct task *slot_of(struct task *tasks, size_t cap, uint32_t pid)
{
	size_t i = (size_t)(pid * 0x9e3779b1u) & (cap - 1);

	while (tasks[i].name[0] && tasks[i].pid != pid)
		i = (i + 1) & (cap - 1);
	return &tasks[i];
}

static int more_tasks(struct dat_file *d)
{
	size_t cap = d->cap_tasks ? d->cap_tasks * 2 : 64;
	struct task *tasks = calloc(cap, sizeof(*tasks));

	if (!tasks)
		return -ENOMEM;
	for (size_t i = 0; i < d->cap_tasks; i++)
		if (d->tasks[i].name[0])
			*slot_of(tasks, cap, d->tasks[i].pid) = d->tasks[i];
	free(d->tasks);
	d->tasks = tasks;
	d->cap_tasks = cap;
	return 0;
}

int dat_file_task(struct dat_file *d, uint32_t pid, const char *name)
{
	struct task *t;

	/* 0 is the idle thread, which readers name themselves. */
	if (!pid || pid > INT32_MAX || !*name || d->nr_tasks == MAX_TASKS)
		return 0;
	if (d->nr_tasks * 2 >= d->cap_tasks && more_tasks(d))
		return -ENOMEM;
	t = slot_of(d->tasks, d->cap_tasks, pid);
	if (t->name[0])
		return 0;
	t->pid = pid;
	for (size_t i = 0; name[i] && i < sizeof(t->name) - 1; i++)
		t->name[i] = name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?';
	d->nr_tasks++;
	return 0;
}

/* ---- the file ---- */

static const char header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static const char header_event[] = "# compressed entry header\n"
				   "\ttype_len    :    5 bits\n"
				   "\ttime_delta  :   27 bits\n"
				   "\tarray       :   32 bits\n"
				   "\n"
				   "\tpadding     : type == 29\n"
				   "\ttime_extend : type == 30\n"
				   "\ttime_stamp : type == 31\n"
				   "\tdata max type_len  == 28\n";

static void add(FILE *f, uint64_t value, unsigned int bytes)
{
	uint8_t p[8];

	put64(p, value);
	fwrite(p, 1, bytes, f);
}

static void add_sized(FILE *f, const char *text, unsigned int bytes_of_size)
{
	add(f, strlen(text), bytes_of_size);
	fputs(text, f);
}

static void add_field(FILE *f, const char *type, const char *name, uint32_t at, uint32_t size,
		      bool is_signed)
{
	fprintf(f, "\tfield:%s %s;\toffset:%" PRIu32 ";\tsize:%" PRIu32 ";\tsigned:%d;\n", type,
		name, at, size, is_signed);
}

static void describe(FILE *f, const struct dat_kind *k, unsigned int id)
{
	uint32_t at = COMMON;

	fprintf(f, "name: %s\nID: %u\nformat:\n", k->name, id);
	add_field(f, "unsigned short", "common_type", 0, 2, false);
	add_field(f, "unsigned char", "common_flags", 2, 1, false);
	add_field(f, "unsigned char", "common_preempt_count", 3, 1, false);
	add_field(f, "int", "common_pid", 4, 4, true);
	fputc('\n', f);
	for (const struct dat_field *field = k->fields; field->name; field++) {
		uint32_t size = field->size ? field->size : 4;

		at = aligned(at, size);
		add_field(f, field->size ? field->type : "__data_loc char[]", field->name, at, size,
			  field->size ? field->is_signed : true);
		at += size;
	}
	fprintf(f, "\nprint fmt: %s\n", k->print);
}

static int describe_all(FILE *f, const struct dat_file *d)
{
	unsigned int systems = 0, n;
	size_t i, size;
	char *text;

	for (i = 0; i < d->nr_kinds; i++)
		systems += !i || strcmp(d->kinds[i].system, d->kinds[i - 1].system) != 0;
	add(f, systems, 4);
	for (i = 0; i < d->nr_kinds; i++) {
		if (!i || strcmp(d->kinds[i].system, d->kinds[i - 1].system) != 0) {
			for (n = 1; i + n < d->nr_kinds; n++)
				if (strcmp(d->kinds[i + n].system, d->kinds[i].system) != 0)
					break;
			fwrite(d->kinds[i].system, 1, strlen(d->kinds[i].system) + 1, f);
			add(f, n, 4);
		}
		FILE *one = open_memstream(&text, &size);

		if (!one)
			return -ENOMEM;
		describe(one, &d->kinds[i], FIRST_ID + (unsigned int)i);
		if (fclose(one)) {
			free(text);
			return -ENOMEM;
		}
		add_sized(f, text, 8);
		free(text);
	}
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	uint32_t x = ((const struct task *)a)->pid, y = ((const struct task *)b)->pid;

	return x < y ? -1 : x > y;
}

/* Sorted: the order of a table is nothing to show. */
static int name_tasks(FILE *f, const struct dat_file *d)
{
	struct task *sorted = calloc(d->nr_tasks + 1, sizeof(*sorted));
	size_t n = 0;
	uint64_t size = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < d->cap_tasks; i++)
		if (d->tasks[i].name[0])
			sorted[n++] = d->tasks[i];
	qsort(sorted, n, sizeof(*sorted), by_pid);
	for (size_t i = 0; i < n; i++)
		size += (uint64_t)snprintf(NULL, 0, "%" PRIu32 " %s\n", sorted[i].pid,
					   sorted[i].name);
	add(f, size, 8);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%" PRIu32 " %s\n", sorted[i].pid, sorted[i].name);
	free(sorted);
	return 0;
}

/* Of whoever made the recording: shown to people. */
static void add_option(FILE *f, unsigned int option, const char *text)
{
	add(f, option, 2);
	add(f, strlen(text) + 1, 4);
	for (; *text; text++)
		fputc(*text >= ' ' && *text < 0x7f ? *text : '?', f);
	fputc(0, f);
}

/* All that stands before the offsets of the CPUs' pages. */
static int write_head(const struct dat_file *d, FILE *f, const char *clock, const char *release,
		      const char *version)
{
	int ret;

	fwrite("\x17\x08\x44tracing6", 1, 12, f);
	add(f, 0, 1); /* little-endian, and the next: bytes of a long */
	add(f, 8, 1);
	add(f, PAGE, 4);
	fwrite("header_page", 1, 12, f);
	add_sized(f, header_page, 8);
	fwrite("header_event", 1, 13, f);
	add_sized(f, header_event, 8);
	add(f, 0, 4); /* events of ftrace's own */
	ret = describe_all(f, d);
	if (ret)
		return ret;
	add(f, 0, 4); /* kallsyms */
	add(f, 0, 4); /* formats of trace_printk */
	ret = name_tasks(f, d);
	if (ret)
		return ret;
	add(f, d->nr_cpus ? d->nr_cpus : 1, 4);
	fwrite("options  ", 1, 10, f);
	add_option(f, OPTION_CLOCK, clock);
	add_option(f, OPTION_UNAME, release);
	add_option(f, OPTION_VERSION, version);
	add(f, 0, 2);
	fwrite("flyrecord", 1, 10, f);
	return 0;
}

static int write_pages(const struct dat_file *d, FILE *f, const struct cpu *c)
{
	struct block b;

	for (uint64_t number = c->first; number; number = b.next) {
		int ret = read_whole(d->fd, &b, sizeof(b), offset_of(number));

		if (ret)
			return ret;
		if (fwrite(b.page, 1, PAGE, f) != PAGE)
			return -EIO;
	}
	return 0;
}

int dat_file_write(struct dat_file *d, FILE *f, const char *clock, const char *release,
		   const char *version)
{
	unsigned int cpus = d->nr_cpus ? d->nr_cpus : 1;
	uint64_t at, padding;
	char *head = NULL;
	size_t size;
	FILE *m;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < d->nr_cpus; i++)
		if (d->cpus[i])
			ret = close_page(d, d->cpus[i]);
	if (ret)
		return ret;
	m = open_memstream(&head, &size);
	if (!m)
		return -ENOMEM;
	ret = write_head(d, m, clock, release, version);
	if (fclose(m) && !ret)
		ret = -ENOMEM;
	if (ret) {
		free(head);
		return ret;
	}
	fwrite(head, 1, size, f);
	free(head);
	at = size + 16ull * cpus;
	padding = (PAGE - at % PAGE) % PAGE;
	at += padding;
	for (unsigned int i = 0; i < cpus; i++) {
		uint64_t bytes = i < d->nr_cpus && d->cpus[i] ? d->cpus[i]->pages * PAGE : 0;

		add(f, at, 8);
		add(f, bytes, 8);
		at += bytes;
	}
	for (; padding; padding--)
		fputc(0, f);
	for (unsigned int i = 0; !ret && i < d->nr_cpus; i++)
		if (d->cpus[i])
			ret = write_pages(d, f, d->cpus[i]);
	return ret ? ret : ferror(f) ? -EIO : 0;
}
