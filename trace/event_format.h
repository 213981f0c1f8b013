/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the events, by the formats that a trace brings along. */
#ifndef VGICSIM_TRACE_EVENT_FORMAT_H
#define VGICSIM_TRACE_EVENT_FORMAT_H

#include <vgicsim/events.h>

/* Every field that some event has, by name. */
enum event_field {
	EF_VCPU,
	EF_KVM,
	EF_IDX,
	EF_ID,
	EF_MODE,
	EF_MODEL,
	EF_SPIS,
	EF_DIST,
	EF_TGID,
	EF_COMM,
	EF_FIRST,
	EF_LAST,
	EF_HCR,
	EF_VMCR,
	EF_USED,
	EF_LR,
	EF_ENABLED,
	EF_ACTIVE_SPIS,
	EF_IRQ,
	EF_INTID,
	EF_LEVEL,
	EF_OWNER,
	EF_VALUE,
	EF_GROUP1,
	EF_DEVID,
	EF_EVENTID,
	EF_RET,
	EF_ROUTE,
	EF_IRQCHIP,
	EF_PIN,
	EF_PC,	    /* vcpu_pc */
	EF_ESR_EC,  /* esr_ec */
	EF_TYPE,    /* type */
	EF_LEN,	    /* len */
	EF_GPA,	    /* gpa */
	EF_VAL,	    /* val */
	EF_IS_WFE,  /* is_wfe */
	EF_VCPU_ID, /* vcpu_id */
	EF_ENTRIES, /* e0 ..., then b0 ... */
	EF_FACTS = EF_ENTRIES + VGR_EVENT_ENTRIES,
	EF_END = EF_FACTS + 40
};

struct field_place {
	uint32_t offset;
	uint16_t size;	/* of one number in bytes: 1, 2, 4, 8; 0: the event has no such field */
	uint16_t count; /* of them; 1: no array */
	bool is_signed;
	bool is_string; /* its place and length stand at offset */
	bool relative;	/* to the end of what stands there */
};

struct event_format {
	enum vgr_event event;
	struct field_place at[EF_END];
};

struct event_formats {
	struct event_format *formats;
	size_t nr;
	uint8_t by_id[65536]; /* index of the format, from 1 */
	struct field_place type, pid;
	bool big_endian;
	bool defined[VGR_EV_END];
};

int event_formats_read(struct event_formats *f, struct tep_handle *tep);
void event_formats_finish(struct event_formats *f);

/* One event as it lies in memory. */
struct event_data {
	const struct event_formats *formats;
	const struct event_format *format;
	const unsigned char *data;
	size_t size;
};

/* false: it is none of ours, or not whole. */
bool event_data_of(const struct event_formats *f, const void *data, size_t size,
		   struct event_data *to, uint32_t *pid);

static inline bool event_has(const struct event_data *d, enum event_field field)
{
	return d->format->at[field].size;
}

/* Number k of a field; *ok becomes false where there is none. Signed ones are extended. */
uint64_t event_number_at(const struct event_data *d, enum event_field field, unsigned int k,
			 bool *ok);

static inline uint64_t event_number(const struct event_data *d, enum event_field field, bool *ok)
{
	return event_number_at(d, field, 0, ok);
}

/* A field as it was in the kernel's memory, NULL if it is not there or shorter. */
const unsigned char *event_memory(const struct event_data *d, enum event_field field, size_t size);

/* Fills to, with its end; empty if there is none. */
void event_string(const struct event_data *d, enum event_field field, char *to, size_t size);

/* A number of the kernel's memory. */
uint64_t event_memory_number(const unsigned char *p, size_t size, bool big_endian);

#endif
