// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "order.h"
#include "shared.h"

struct cpu_order {
	struct cpu_state *state;
	uint8_t *ring;
	uint32_t place; /* of the next record */
	uint32_t next;	/* number that comes next */
	uint64_t time;	/* of the last record handed on */
	uint64_t handled;
	uint64_t taken; /* bytes, in the call in progress */
};

struct vgic_order {
	struct cpu_order *cpus;
	uint32_t nr_cpus;
	uint32_t ring;
	uint64_t last_time;
};

int vgic_order_create(struct vgic_order **out, void *areas, uint32_t nr_cpus, uint32_t ring)
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
	o->ring = ring;
	for (i = 0; i < nr_cpus; i++) {
		uint8_t *area = (uint8_t *)areas + (size_t)i * CPU_AREA(ring);

		o->cpus[i].state = (void *)area;
		o->cpus[i].ring = area + CPU_AREA_RING;
		o->cpus[i].place = o->cpus[i].state->done;
		o->cpus[i].next = (o->cpus[i].state->next >> 32) + 1;
	}
	*out = o;
	return 0;
}

void vgic_order_destroy(struct vgic_order *o)
{
	if (!o)
		return;
	free(o->cpus);
	free(o);
}

uint64_t vgic_order_handled(const struct vgic_order *o, uint32_t cpu)
{
	return o->cpus[cpu].handled;
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

/* The next record of a CPU; NULL: there is none yet, or none before this time. */
static struct vgr_rec *look(const struct cpu_order *c, uint32_t ring, uint64_t before)
{
	struct vgr_rec *rec = (void *)(c->ring + (c->place & (ring - 1)));

	if (!__atomic_load_n((uint64_t *)rec, __ATOMIC_ACQUIRE) || rec->time >= before)
		return NULL;
	return rec;
}

/* What the programs write is like this; anything else would be a fault of theirs. */
static bool sound(const struct cpu_order *c, const struct vgr_rec *rec, uint32_t cpu)
{
	uint32_t last = __atomic_load_n(&c->state->next, __ATOMIC_ACQUIRE) >> 32;

	return rec->type && rec->type < VGR_TYPE_MAX && rec->size >= sizeof(*rec) &&
	       rec->size <= OUT_MAX && rec->size % 8 == 0 && rec->cpu == cpu &&
	       rec->seq - c->next <= last - c->next;
}

static int hand_on(struct vgic_order *o, uint32_t cpu, struct vgr_rec *rec, vgic_capture_sink *sink,
		   void *ctx)
{
	struct cpu_order *c = &o->cpus[cpu];
	uint32_t size = rec->size, at = c->place & (o->ring - 1);
	int ret = 0;

	if (!sound(c, rec, cpu))
		return -EPROTO;
	if (rec->seq != c->next)
		ret = report_loss(o, cpu, rec->seq - c->next, rec->time, sink, ctx);
	if (ret)
		return ret;
	c->next = rec->seq + 1;
	c->time = rec->time;
	if (rec->time > o->last_time)
		o->last_time = rec->time;
	ret = sink(ctx, rec);
	memset(rec, 0, size);
	c->place = at + size >= o->ring ? c->place - at + o->ring : c->place + size;
	c->handled++;
	c->taken += size;
	return ret;
}

/* The CPU whose next record is the oldest; limit: the time of that of the others. -1: there is
 * none. */
static int64_t oldest(const struct vgic_order *o, uint64_t before, uint64_t *limit)
{
	int64_t first = -1;
	uint64_t time = before;
	uint32_t i;

	*limit = before;
	for (i = 0; i < o->nr_cpus; i++) {
		const struct vgr_rec *rec = look(&o->cpus[i], o->ring, *limit);

		if (!rec)
			continue;
		if (rec->time < time) {
			*limit = time;
			time = rec->time;
			first = i;
		} else {
			*limit = rec->time;
		}
	}
	return first;
}

int64_t vgic_order_consume(struct vgic_order *o, uint64_t before, vgic_capture_sink *sink,
			   void *ctx)
{
	uint64_t limit, most = 0;
	struct vgr_rec *rec;
	struct cpu_order *c;
	int64_t cpu;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < o->nr_cpus; i++)
		o->cpus[i].taken = 0;
	while (!ret && (cpu = oldest(o, before, &limit)) >= 0) {
		c = &o->cpus[cpu];
		/* What has the same time as another's record goes first, or nothing would move. */
		rec = look(c, o->ring, before);
		do {
			ret = hand_on(o, cpu, rec, sink, ctx);
		} while (!ret && (rec = look(c, o->ring, limit)));
		__atomic_store_n(&c->state->done, c->place, __ATOMIC_RELEASE);
	}
	for (i = 0; i < o->nr_cpus; i++) {
		if (o->cpus[i].taken > most)
			most = o->cpus[i].taken;
	}
	return ret ? ret : (int64_t)most;
}

int vgic_order_finish(struct vgic_order *o, vgic_capture_sink *sink, void *ctx)
{
	int64_t n = vgic_order_consume(o, UINT64_MAX, sink, ctx);
	uint32_t i, last;
	int ret = n < 0 ? n : 0;

	for (i = 0; i < o->nr_cpus && !ret; i++) {
		last = o->cpus[i].state->next >> 32;
		if (last + 1 != o->cpus[i].next)
			ret = report_loss(o, i, last + 1 - o->cpus[i].next, 0, sink, ctx);
	}
	return ret;
}
