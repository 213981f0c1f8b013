// SPDX-License-Identifier: GPL-2.0-only
/* The ITS: commands that map events to LPIs, and events. */
#include <vgicsim/its.h>

#include <errno.h>
#include <stdlib.h>

#include "vgic_internal.h"

struct event {
	uint32_t device, event, intid;
	unsigned int collection;
};

struct vgic_its {
	struct vgic *vgic;
	uint16_t targets[VGIC_ITS_COLLECTIONS];
	struct event *events;
	size_t nr_events, size;
};

int vgic_its_create(struct vgic_its **out, struct vgic *vgic)
{
	struct vgic_its *its = calloc(1, sizeof(*its));

	if (!its)
		return -ENOMEM;
	its->vgic = vgic;
	for (unsigned int i = 0; i < VGIC_ITS_COLLECTIONS; i++)
		its->targets[i] = VGIC_NO_VCPU;
	*out = its;
	return 0;
}

void vgic_its_destroy(struct vgic_its *its)
{
	if (!its)
		return;
	free(its->events);
	free(its);
}

static struct event *find(const struct vgic_its *its, uint32_t device, uint32_t event)
{
	for (size_t i = 0; i < its->nr_events; i++)
		if (its->events[i].device == device && its->events[i].event == event)
			return &its->events[i];
	return NULL;
}

static bool has_event(const struct vgic_its *its, uint32_t intid)
{
	for (size_t i = 0; i < its->nr_events; i++)
		if (its->events[i].intid == intid)
			return true;
	return false;
}

static struct vgic_irq *lpi_of(const struct vgic_its *its, const struct event *e)
{
	return vgic_irq_find(its->vgic, 0, e->intid);
}

int vgic_its_mapc(struct vgic_its *its, unsigned int collection, unsigned int target)
{
	if (collection >= VGIC_ITS_COLLECTIONS ||
	    (target != VGIC_NO_VCPU && target >= its->vgic->cfg.nr_vcpus))
		return -EINVAL;
	its->targets[collection] = target;
	for (size_t i = 0; target != VGIC_NO_VCPU && i < its->nr_events; i++)
		if (its->events[i].collection == collection)
			vgic_lpi_move(its->vgic, its->events[i].intid, target);
	return 0;
}

int vgic_its_mapti(struct vgic_its *its, uint32_t device, uint32_t event, uint32_t intid,
		   unsigned int collection)
{
	int err;

	if (collection >= VGIC_ITS_COLLECTIONS || intid < VGIC_LPI_BASE)
		return -EINVAL;
	if (find(its, device, event))
		return 0;
	if (its->vgic->cfg.policy->one_event_per_lpi && has_event(its, intid))
		return -EEXIST;
	if (its->nr_events == its->size) {
		size_t size = its->size ? its->size * 2 : 16;
		struct event *events = realloc(its->events, size * sizeof(*events));

		if (!events)
			return -ENOMEM;
		its->events = events;
		its->size = size;
	}
	/* An LPI that another event has made keeps its route. */
	err = vgic_lpi_map(its->vgic, intid, its->targets[collection]);
	if (err)
		return err;
	its->events[its->nr_events++] = (struct event){
		.device = device,
		.event = event,
		.intid = intid,
		.collection = collection,
	};
	return 0;
}

int vgic_its_movi(struct vgic_its *its, uint32_t device, uint32_t event, unsigned int collection)
{
	struct event *e = find(its, device, event);

	if (!e)
		return -ENOENT;
	if (collection >= VGIC_ITS_COLLECTIONS || its->targets[collection] == VGIC_NO_VCPU)
		return -EINVAL;
	e->collection = collection;
	vgic_lpi_move(its->vgic, e->intid, its->targets[collection]);
	return 0;
}

int vgic_its_movall(struct vgic_its *its, unsigned int from, unsigned int to)
{
	if (from >= its->vgic->cfg.nr_vcpus || to >= its->vgic->cfg.nr_vcpus)
		return -EINVAL;
	vgic_lpi_movall(its->vgic, from, to);
	return 0;
}

int vgic_its_discard(struct vgic_its *its, uint32_t device, uint32_t event)
{
	struct event *e = find(its, device, event);
	uint32_t intid;

	if (!e)
		return -ENOENT;
	intid = e->intid;
	*e = its->events[--its->nr_events];
	if (!has_event(its, intid))
		vgic_lpi_remove(its->vgic, intid);
	return 0;
}

int vgic_its_inv(struct vgic_its *its, uint32_t device, uint32_t event, uint8_t prio, bool enable)
{
	struct event *e = find(its, device, event);

	if (!e)
		return -ENOENT;
	vgic_lpi_config(its->vgic, e->intid, prio, enable);
	return 0;
}

int vgic_its_clear(struct vgic_its *its, uint32_t device, uint32_t event)
{
	struct event *e = find(its, device, event);

	if (!e)
		return -ENOENT;
	lpi_of(its, e)->pending_latch = false;
	return 0;
}

int vgic_its_int(struct vgic_its *its, uint32_t device, uint32_t event)
{
	struct event *e = find(its, device, event);

	if (!e || its->targets[e->collection] == VGIC_NO_VCPU)
		return -ENOENT;
	return vgic_msi(its->vgic, e->intid);
}
