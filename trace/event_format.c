// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include "event_format.h"

/* No event is larger: it must fit into a page of the ring buffer. */
#define MAX_EVENT 65536u

static const char *const field_names[EF_ENTRIES] = {
	[EF_VCPU] = "vcpu",	[EF_KVM] = "kvm",	  [EF_IDX] = "idx",
	[EF_ID] = "id",		[EF_MODE] = "mode",	  [EF_MODEL] = "model",
	[EF_SPIS] = "spis",	[EF_DIST] = "dist",	  [EF_TGID] = "tgid",
	[EF_COMM] = "comm",	[EF_FIRST] = "first",	  [EF_LAST] = "last",
	[EF_HCR] = "hcr",	[EF_VMCR] = "vmcr",	  [EF_USED] = "used",
	[EF_LR] = "lr",		[EF_ENABLED] = "enabled", [EF_ACTIVE_SPIS] = "active_spis",
	[EF_IRQ] = "irq",	[EF_INTID] = "intid",	  [EF_LEVEL] = "level",
	[EF_OWNER] = "owner",	[EF_VALUE] = "value",	  [EF_GROUP1] = "group1",
	[EF_DEVID] = "devid",	[EF_EVENTID] = "eventid", [EF_RET] = "ret",
	[EF_ROUTE] = "route",	[EF_IRQCHIP] = "irqchip", [EF_PIN] = "pin",
	[EF_PC] = "vcpu_pc",	[EF_ESR_EC] = "esr_ec",	  [EF_TYPE] = "type",
	[EF_LEN] = "len",	[EF_GPA] = "gpa",	  [EF_VAL] = "val",
	[EF_IS_WFE] = "is_wfe", [EF_VCPU_ID] = "vcpu_id",
};

struct names {
	char name[EF_END][32];
};

static void name_fields(struct names *n)
{
	unsigned int k;

	memset(n, 0, sizeof(*n));
	for (k = 0; k < EF_ENTRIES; k++)
		strcpy(n->name[k], field_names[k]);
	for (k = 0; k < VGR_EVENT_ONE_WAY; k++) {
		sprintf(n->name[EF_ENTRIES + k], "e%u", k);
		sprintf(n->name[EF_ENTRIES + VGR_EVENT_ONE_WAY + k], "b%u", k);
	}
	for (k = 0; k < vgr_nr_event_facts; k++)
		snprintf(n->name[EF_FACTS + k], sizeof(n->name[0]), "k_%s",
			 vgr_event_fact_table[k].name);
}

static int field_named(const struct names *n, const char *name)
{
	int k;

	for (k = 0; k < EF_END; k++) {
		if (*name && *name == *n->name[k] && !strcmp(name, n->name[k]))
			return k;
	}
	return -1;
}

/* Bytes of a number by the name of its type, which the library knows for single ones only. */
static unsigned int size_of_type(const char *type)
{
	if (!type)
		return 0;
	return strstr(type, "64")   ? 8
	       : strstr(type, "32") ? 4
	       : strstr(type, "16") ? 2
	       : strstr(type, "8")  ? 1
				    : 0;
}

/* Only what can be is taken: offsets and sizes are the file's. */
static bool take_place(struct field_place *p, const struct tep_format_field *field)
{
	unsigned int element = field->size, count = 1;

	memset(p, 0, sizeof(*p));
	if (field->offset < 0 || field->size <= 0 || (unsigned int)field->offset >= MAX_EVENT ||
	    (unsigned int)field->size > MAX_EVENT)
		return false;
	p->offset = field->offset;
	if (field->flags & TEP_FIELD_IS_DYNAMIC) {
		if (field->size != 4)
			return false;
		p->is_string = true;
		p->relative = field->flags & TEP_FIELD_IS_RELATIVE;
	} else if (field->flags & TEP_FIELD_IS_ARRAY) {
		if (field->arraylen && field->arraylen <= MAX_EVENT) {
			count = field->arraylen;
			element = field->size / count;
		} else {
			element =
				field->elementsize ? field->elementsize : size_of_type(field->type);
			count = element ? field->size / element : 0;
		}
		if (!count || element * count != (unsigned int)field->size)
			return false;
	}
	if (element != 1 && element != 2 && element != 4 && element != 8)
		return false;
	p->size = element;
	p->count = count;
	p->is_signed = field->flags & TEP_FIELD_IS_SIGNED;
	return true;
}

static void read_format(struct event_format *format, const struct tep_event *event,
			const struct names *names)
{
	struct tep_format_field *field;
	int k;

	for (field = event->format.fields; field; field = field->next) {
		k = field->name ? field_named(names, field->name) : -1;
		if (k >= 0)
			take_place(&format->at[k], field);
	}
}

static int event_of(const struct tep_event *event)
{
	int e;

	if (!event->system || !event->name)
		return -1;
	for (e = 0; e < VGR_EV_END; e++) {
		if (!strcmp(event->name, vgr_event_name(e)) &&
		    !strcmp(event->system, vgr_event_system(e)))
			return e;
	}
	return -1;
}

/* Numbers that stand at the beginning of every event, whatever it is. */
static bool take_common(struct field_place *p, struct tep_event *event, const char *name)
{
	struct tep_format_field *field = tep_find_common_field(event, name);

	return field && take_place(p, field) && p->count == 1 && !p->is_string;
}

int event_formats_read(struct event_formats *f, struct tep_handle *tep)
{
	int n = tep_get_events_count(tep), i, e;
	struct names names;

	memset(f, 0, sizeof(*f));
	name_fields(&names);
	f->big_endian = tep_is_file_bigendian(tep);
	f->formats = calloc(VGR_EV_END, sizeof(*f->formats));
	if (!f->formats)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct tep_event *event = tep_get_event(tep, i);

		e = event ? event_of(event) : -1;
		if (e < 0 || f->defined[e] || event->id < 0 || event->id > 0xffff)
			continue;
		if (!f->type.size && (!take_common(&f->type, event, "common_type") ||
				      !take_common(&f->pid, event, "common_pid"))) {
			f->type.size = 0;
			continue;
		}
		f->defined[e] = true;
		f->formats[f->nr].event = e;
		read_format(&f->formats[f->nr], event, &names);
		f->by_id[event->id] = ++f->nr;
	}
	return 0;
}

void event_formats_finish(struct event_formats *f)
{
	free(f->formats);
	f->formats = NULL;
}

uint64_t event_memory_number(const unsigned char *p, size_t size, bool big_endian)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < size; i++)
		value |= (uint64_t)p[i] << 8 * (big_endian ? size - 1 - i : i);
	return value;
}

static bool read_place(const struct event_formats *f, const struct field_place *p,
		       const unsigned char *data, size_t size, unsigned int k, uint64_t *value)
{
	size_t at = p->offset + (size_t)k * p->size;

	if (!p->size || k >= p->count || at + p->size > size)
		return false;
	*value = event_memory_number(data + at, p->size, f->big_endian);
	if (p->is_signed && p->size < 8 && *value >> (8 * p->size - 1))
		*value |= ~0ull << 8 * p->size;
	return true;
}

bool event_data_of(const struct event_formats *f, const void *data, size_t size,
		   struct event_data *to, uint32_t *pid)
{
	uint64_t type, value;

	if (!read_place(f, &f->type, data, size, 0, &type) || (type & 0xffff) != type ||
	    !f->by_id[type] || !read_place(f, &f->pid, data, size, 0, &value))
		return false;
	to->formats = f;
	to->format = &f->formats[f->by_id[type] - 1];
	to->data = data;
	to->size = size;
	*pid = value;
	return true;
}

uint64_t event_number_at(const struct event_data *d, enum event_field field, unsigned int k,
			 bool *ok)
{
	const struct field_place *p = &d->format->at[field];
	uint64_t value = 0;

	if (p->is_string || !read_place(d->formats, p, d->data, d->size, k, &value))
		*ok = false;
	return value;
}

const unsigned char *event_memory(const struct event_data *d, enum event_field field, size_t size)
{
	const struct field_place *p = &d->format->at[field];

	if (!p->size || p->is_string || (size_t)p->size * p->count < size ||
	    p->offset + size > d->size)
		return NULL;
	return d->data + p->offset;
}

void event_string(const struct event_data *d, enum event_field field, char *to, size_t size)
{
	const struct field_place *p = &d->format->at[field];
	uint64_t where;
	size_t at, len;

	*to = '\0';
	if (!p->is_string || !read_place(d->formats, p, d->data, d->size, 0, &where))
		return;
	at = (where & 0xffff) + (p->relative ? p->offset + 4 : 0);
	len = where >> 16 & 0xffff;
	if (at >= d->size || len > d->size - at)
		return;
	if (len >= size)
		len = size - 1;
	memcpy(to, d->data + at, len);
	to[len] = '\0';
}
