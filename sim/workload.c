/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/workload.h>

struct vgic_workload *vgic_workload_create(uint32_t nr_vcpus)
{
	struct vgic_workload *wl = calloc(1, sizeof(*wl));

	if (!wl)
		return NULL;
	wl->vcpus = calloc(nr_vcpus ? nr_vcpus : 1, sizeof(*wl->vcpus));
	if (!wl->vcpus) {
		free(wl);
		return NULL;
	}
	wl->nr_vcpus = nr_vcpus;
	wl->typical = wl->open = VGIC_WL_NONE;
	for (uint32_t i = 0; i < nr_vcpus; i++)
		wl->vcpus[i].background = VGIC_WL_NONE;
	return wl;
}

void vgic_workload_destroy(struct vgic_workload *wl)
{
	if (!wl)
		return;
	free(wl->vcpus);
	free(wl->sources);
	free(wl->scripts);
	free(wl->ops);
	free(wl->effects);
	free(wl->props);
	free(wl);
}

/* Room for one more element of an array; the new element is zeroed. */
static void *grow(void **array, size_t *n, size_t *cap, size_t size)
{
	if (*n >= VGIC_WL_NONE - 1)
		return NULL;
	if (*n == *cap) {
		size_t want = *cap ? *cap * 2 : 64;
		void *p = realloc(*array, want * size);

		if (!p)
			return NULL;
		*array = p;
		*cap = want;
	}
	void *at = (char *)*array + *n * size;

	memset(at, 0, size);
	(*n)++;
	return at;
}

#define GROW(wl, what) \
	grow((void **)&(wl)->what, &(wl)->nr_##what, &(wl)->cap_##what, sizeof(*(wl)->what))

uint32_t vgic_workload_op(struct vgic_workload *wl, enum vgic_op_kind kind)
{
	struct vgic_op *op = GROW(wl, ops);

	if (!op)
		return VGIC_WL_NONE;
	op->kind = kind;
	op->next = op->effects = op->asks = op->source = VGIC_WL_NONE;
	return (uint32_t)(wl->nr_ops - 1);
}

uint32_t vgic_workload_effect(struct vgic_workload *wl, enum vgic_effect_kind kind)
{
	struct vgic_effect *e = GROW(wl, effects);

	if (!e)
		return VGIC_WL_NONE;
	e->kind = kind;
	e->next = e->ask_next = e->source = e->prop = VGIC_WL_NONE;
	e->gap_ns = UINT64_MAX;
	return (uint32_t)(wl->nr_effects - 1);
}

uint32_t vgic_workload_script(struct vgic_workload *wl, uint32_t source, uint16_t vcpu)
{
	struct vgic_script *s = GROW(wl, scripts);

	if (!s)
		return VGIC_WL_NONE;
	s->first = s->next = VGIC_WL_NONE;
	s->source = source;
	s->vcpu = vcpu;
	s->ack = s->drop = s->deact =
		(struct vgic_when){.at = VGIC_WHEN_OPEN, .to = VGIC_WHEN_OPEN};
	return (uint32_t)(wl->nr_scripts - 1);
}

uint32_t vgic_workload_prop(struct vgic_workload *wl, const struct vgr_irq *irq)
{
	struct vgr_irq *p = GROW(wl, props);

	if (!p)
		return VGIC_WL_NONE;
	*p = *irq;
	return (uint32_t)(wl->nr_props - 1);
}

uint32_t vgic_workload_source(struct vgic_workload *wl, uint16_t vcpu, const struct vgr_irq *irq)
{
	struct vgic_source *s = GROW(wl, sources);

	if (!s)
		return VGIC_WL_NONE;
	s->initial = *irq;
	s->initial.state &= ~(VGR_IRQ_LINE | VGR_IRQ_LATCH | VGR_IRQ_ACTIVE | VGR_IRQ_ON_LR);
	s->initial.vcpu = VGR_NO_VCPU;
	s->initial.source = s->initial.active_source = 0;
	s->vcpu = irq->intid < 32 ? vcpu : VGR_NO_VCPU;
	s->first_script = s->typical = VGIC_WL_NONE;
	return (uint32_t)(wl->nr_sources - 1);
}

uint32_t vgic_workload_find(const struct vgic_workload *wl, uint16_t vcpu, uint32_t intid)
{
	for (size_t i = 0; i < wl->nr_sources; i++) {
		const struct vgic_source *s = &wl->sources[i];

		if (s->initial.intid == intid && (intid >= 32 || s->vcpu == vcpu))
			return (uint32_t)i;
	}
	return VGIC_WL_NONE;
}

struct by_length {
	uint64_t own_ns;
	uint32_t source;
	uint32_t script;
};

static int compare_length(const void *pa, const void *pb)
{
	const struct by_length *a = pa, *b = pb;

	if (a->own_ns != b->own_ns)
		return a->own_ns < b->own_ns ? -1 : 1;
	return a->script < b->script ? -1 : a->script > b->script;
}

static int compare_source(const void *pa, const void *pb)
{
	const struct by_length *a = pa, *b = pb;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return compare_length(pa, pb);
}

int vgic_workload_typical(struct vgic_workload *wl)
{
	struct by_length *list = calloc(wl->nr_scripts ? wl->nr_scripts : 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < wl->nr_scripts; i++) {
		const struct vgic_script *s = &wl->scripts[i];

		if (!s->whole || s->source == VGIC_WL_NONE)
			continue;
		list[n++] = (struct by_length){s->own_ns, s->source, (uint32_t)i};
	}
	if (n) {
		qsort(list, n, sizeof(*list), compare_length);
		wl->typical = list[(n - 1) / 2].script;
		qsort(list, n, sizeof(*list), compare_source);
	}
	for (size_t i = 0; i < n;) {
		size_t end = i;

		while (end < n && list[end].source == list[i].source)
			end++;
		wl->sources[list[i].source].typical = list[i + (end - i - 1) / 2].script;
		i = end;
	}
	free(list);
	return 0;
}
