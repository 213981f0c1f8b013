// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "order.h"

struct waiting {
	struct vgr_rec *rec; /* own copy */
	uint64_t round;	     /* when it came */
};

struct cpu_order {
	uint32_t next; /* number that comes next */
	uint64_t time; /* of the last record handed on */
};

struct vgic_order {
	struct cpu_order *cpus;
	uint32_t nr_cpus;
	struct waiting *queue; /* from head to tail, in the order of arrival */
	size_t head, tail, room;
	size_t bytes;
	uint64_t round;
	uint64_t late;
	uint64_t last_time;
};

int vgic_order_create(struct vgic_order **out, uint32_t nr_cpus)
{
	struct vgic_order *o = calloc(1, sizeof(*o));
	uint32_t i;

	if (!o)
		return -ENOMEM;
	o->cpus = calloc(nr_cpus, sizeof(*o->cpus));
	if (!o->cpus) {
		free(o);
		return -ENOMEM;
	}
	o->nr_cpus = nr_cpus;
	for (i = 0; i < nr_cpus; i++)
		o->cpus[i].next = 1;
	*out = o;
	return 0;
}

void vgic_order_destroy(struct vgic_order *o)
{
	if (!o)
		return;
	for (; o->head < o->tail; o->head++)
		free(o->queue[o->head].rec);
	free(o->queue);
	free(o->cpus);
	free(o);
}

uint64_t vgic_order_late(const struct vgic_order *o)
{
	return o->late;
}

/* a before b; numbers wrap around. */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static int report_loss(struct vgic_order *o, uint16_t cpu, uint32_t count, uint64_t to,
		       vgic_capture_sink *sink, void *ctx)
{
	struct cpu_order *c = &o->cpus[cpu];
	struct vgr_loss loss = {
		.r =
			{
				.type = VGR_LOSS,
				.size = sizeof(loss),
				.time = to ? to : o->last_time,
				.cpu = cpu,
				.vm = VGR_NO_VM,
				.vcpu = VGR_NO_VCPU,
			},
		.first_seq = c->next,
		.count = count,
		.from = c->time,
		.to = to,
	};

	c->next += count;
	return sink(ctx, &loss.r);
}

static int hand_on(struct vgic_order *o, const struct vgr_rec *rec, vgic_capture_sink *sink,
		   void *ctx)
{
	struct cpu_order *c = &o->cpus[rec->cpu];

	c->next = rec->seq + 1;
	c->time = rec->time;
	if (rec->time > o->last_time)
		o->last_time = rec->time;
	return sink(ctx, rec);
}

/*
 * Hands on what stands at the head. It stops at a record with a gap before it, unless
 * that record has waited long enough, or all must go.
 */
static int drain(struct vgic_order *o, bool all, vgic_capture_sink *sink, void *ctx)
{
	int ret = 0;

	while (o->head < o->tail && !ret) {
		struct waiting *w = &o->queue[o->head];
		struct vgr_rec *rec = w->rec;
		const struct cpu_order *c = &o->cpus[rec->cpu];

		if (before(rec->seq, c->next)) {
			o->late++;
		} else {
			if (rec->seq != c->next) {
				if (!all && o->bytes < VGIC_ORDER_BYTES &&
				    o->round - w->round < VGIC_ORDER_ROUNDS)
					break;
				ret = report_loss(o, rec->cpu, rec->seq - c->next, rec->time, sink,
						  ctx);
			}
			if (!ret)
				ret = hand_on(o, rec, sink, ctx);
		}
		o->bytes -= rec->size;
		free(rec);
		o->head++;
	}
	if (o->head == o->tail)
		o->head = o->tail = 0;
	return ret;
}

/* Lets a record that came too late change places with its CPU's records before it. */
static void settle(struct vgic_order *o)
{
	size_t at = o->tail - 1, i = at;

	while (i > o->head) {
		struct vgr_rec *late = o->queue[at].rec, *other;

		other = o->queue[--i].rec;
		if (other->cpu != late->cpu)
			continue;
		if (before(other->seq, late->seq))
			return;
		o->queue[i].rec = late;
		o->queue[at].rec = other;
		at = i;
	}
}

int vgic_order_push(struct vgic_order *o, const struct vgr_rec *rec, vgic_capture_sink *sink,
		    void *ctx)
{
	struct waiting *w;

	if (rec->cpu >= o->nr_cpus)
		return -EPROTO;
	if (o->head == o->tail && rec->seq == o->cpus[rec->cpu].next)
		return hand_on(o, rec, sink, ctx);
	if (o->tail == o->room) {
		/* Room at the front is used again before the queue grows. */
		if (o->head > o->room / 2) {
			memmove(o->queue, o->queue + o->head,
				(o->tail - o->head) * sizeof(*o->queue));
			o->tail -= o->head;
			o->head = 0;
		} else {
			size_t room = o->room ? 2 * o->room : 256;

			w = realloc(o->queue, room * sizeof(*w));
			if (!w)
				return -ENOMEM;
			o->queue = w;
			o->room = room;
		}
	}
	w = &o->queue[o->tail];
	w->rec = malloc(rec->size);
	if (!w->rec)
		return -ENOMEM;
	memcpy(w->rec, rec, rec->size);
	w->round = o->round;
	o->tail++;
	o->bytes += rec->size;
	settle(o);
	return drain(o, false, sink, ctx);
}

int vgic_order_round(struct vgic_order *o, vgic_capture_sink *sink, void *ctx)
{
	o->round++;
	return drain(o, false, sink, ctx);
}

int vgic_order_finish(struct vgic_order *o, const uint32_t *last_seq, vgic_capture_sink *sink,
		      void *ctx)
{
	uint32_t i;
	int ret;

	ret = drain(o, true, sink, ctx);
	for (i = 0; i < o->nr_cpus && !ret; i++) {
		if (before(o->cpus[i].next, last_seq[i] + 1))
			ret = report_loss(o, i, last_seq[i] + 1 - o->cpus[i].next, 0, sink, ctx);
	}
	return ret;
}
