// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <traceevent/kbuffer.h>
#include "subbuffers.h"

struct subbuffer {
	struct subbuffer *next;
	uint64_t data[];
};

struct cpu_stream {
	struct kbuffer *kbuf;
	struct subbuffer *first, *last; /* the first is being read */
	struct subbuffer *room;
	void *event; /* the next one, in the first; NULL: none */
	unsigned long long time;
	int missed_now; /* before it */
	uint64_t missed, last_time;
};

struct vgic_subbuffers {
	struct cpu_stream *cpus;
	uint32_t nr_cpus;
	size_t size;
	struct subbuffer *spare;
};

int vgic_subbuffers_create(struct vgic_subbuffers **out, uint32_t nr_cpus, size_t size)
{
	struct vgic_subbuffers *s = calloc(1, sizeof(*s));
	uint32_t i;

	if (!s)
		return -ENOMEM;
	s->size = size;
	s->cpus = calloc(nr_cpus, sizeof(*s->cpus));
	if (!s->cpus)
		goto fail;
	s->nr_cpus = nr_cpus;
	for (i = 0; i < nr_cpus; i++) {
		s->cpus[i].kbuf =
			kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST, KBUFFER_ENDIAN_SAME_AS_HOST);
		if (!s->cpus[i].kbuf)
			goto fail;
	}
	*out = s;
	return 0;
fail:
	vgic_subbuffers_destroy(s);
	return -ENOMEM;
}

static void free_all(struct subbuffer *b)
{
	while (b) {
		struct subbuffer *next = b->next;

		free(b);
		b = next;
	}
}

void vgic_subbuffers_destroy(struct vgic_subbuffers *s)
{
	uint32_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr_cpus; i++) {
		free_all(s->cpus[i].first);
		free(s->cpus[i].room);
		kbuffer_free(s->cpus[i].kbuf);
	}
	free_all(s->spare);
	free(s->cpus);
	free(s);
}

void *vgic_subbuffers_room(struct vgic_subbuffers *s, uint32_t cpu)
{
	struct cpu_stream *c = &s->cpus[cpu];

	if (!c->room && s->spare) {
		c->room = s->spare;
		s->spare = c->room->next;
	}
	if (!c->room)
		c->room = malloc(sizeof(*c->room) + s->size);
	if (!c->room)
		return NULL;
	c->room->next = NULL;
	return c->room->data;
}

/* All events of the CPU's first one have been read. */
static void give_back(struct vgic_subbuffers *s, struct cpu_stream *c)
{
	struct subbuffer *b = c->first;

	c->first = b->next;
	if (!c->first)
		c->last = NULL;
	b->next = s->spare;
	s->spare = b;
}

/* Steps to the first event of what stands first; what holds none is done with. */
static int begin(struct vgic_subbuffers *s, struct cpu_stream *c)
{
	struct subbuffer *b;
	int missed;

	while ((b = c->first)) {
		if (kbuffer_load_subbuffer(c->kbuf, b->data) ||
		    kbuffer_subbuffer_size(c->kbuf) + kbuffer_start_of_data(c->kbuf) > (int)s->size)
			return -EPROTO;
		missed = kbuffer_missed_events(c->kbuf);
		if (missed) {
			c->missed += missed > 0 ? missed : 1;
			c->missed_now =
				missed < 0 || c->missed_now < 0 ? -1 : c->missed_now + missed;
		}
		c->event = kbuffer_read_event(c->kbuf, &c->time);
		if (c->event)
			return 0;
		give_back(s, c);
	}
	return 0;
}

int vgic_subbuffers_add(struct vgic_subbuffers *s, uint32_t cpu)
{
	struct cpu_stream *c = &s->cpus[cpu];
	struct subbuffer *b = c->room;

	c->room = NULL;
	b->next = NULL;
	if (c->last)
		c->last->next = b;
	else
		c->first = b;
	c->last = b;
	return c->first == b ? begin(s, c) : 0;
}

static int step(struct vgic_subbuffers *s, struct cpu_stream *c)
{
	c->last_time = c->time;
	c->missed_now = 0;
	c->event = kbuffer_next_event(c->kbuf, &c->time);
	if (c->event)
		return 0;
	give_back(s, c);
	return begin(s, c);
}

/* The CPU whose next event is the oldest; *limit: the time of that of the others. NULL: none. */
static struct cpu_stream *oldest(struct vgic_subbuffers *s, uint64_t before, uint64_t *limit)
{
	struct cpu_stream *found = NULL;
	uint64_t time = before;
	uint32_t i;

	*limit = before;
	for (i = 0; i < s->nr_cpus; i++) {
		struct cpu_stream *c = &s->cpus[i];

		if (!c->event || c->time >= *limit)
			continue;
		if (c->time < time) {
			*limit = time;
			time = c->time;
			found = c;
		} else {
			*limit = c->time;
		}
	}
	return found;
}

int vgic_subbuffers_take(struct vgic_subbuffers *s, uint64_t before,
			 int (*take)(void *ctx, struct tep_record *rec), void *ctx)
{
	struct cpu_stream *c;
	uint64_t limit;
	int ret = 0;

	while (!ret && (c = oldest(s, before, &limit))) {
		/* What has the same time as another's goes first, or nothing would move. */
		do {
			struct tep_record rec = {
				.ts = c->time,
				.missed_events = c->missed_now,
				.size = kbuffer_event_size(c->kbuf),
				.data = c->event,
				.cpu = c - s->cpus,
			};

			ret = take(ctx, &rec);
			if (!ret)
				ret = step(s, c);
		} while (!ret && c->event && c->time < limit);
	}
	return ret;
}

uint64_t vgic_subbuffers_missed(const struct vgic_subbuffers *s, uint32_t cpu)
{
	return s->cpus[cpu].missed;
}

uint64_t vgic_subbuffers_last(const struct vgic_subbuffers *s, uint32_t cpu)
{
	return s->cpus[cpu].last_time;
}
