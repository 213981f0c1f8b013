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
	vgic_store_free(wl->store, wl->scripts);
	vgic_store_free(wl->store, wl->ops);
	vgic_store_free(wl->store, wl->effects);
	vgic_store_free(wl->store, wl->props);
	free(wl);
}

/* Room for one more element of an array; the new element is zeroed. */
static void *grow(const struct vgic_store *store, void **array, size_t *n, size_t *cap, size_t size)
{
	if (*n >= VGIC_WL_NONE - 1)
		return NULL;
	if (*n == *cap) {
		size_t want = *cap ? *cap * 2 : 64;
		void *p = vgic_store_grow(store, *array, *n, want, size);

		if (!p)
			return NULL;
		*array = p;
		*cap = want;
	}
	return (char *)*array + (*n)++ * size;
}

#define GROW(store, wl, what) \
	grow(store, (void **)&(wl)->what, &(wl)->nr_##what, &(wl)->cap_##what, sizeof(*(wl)->what))

uint32_t vgic_workload_op(struct vgic_workload *wl, enum vgic_op_kind kind)
{
	struct vgic_op *op = GROW(wl->store, wl, ops);

	if (!op)
		return VGIC_WL_NONE;
	op->kind = kind;
	op->next = op->effects = op->asks = op->source = VGIC_WL_NONE;
	return (uint32_t)(wl->nr_ops - 1);
}

uint32_t vgic_workload_effect(struct vgic_workload *wl, enum vgic_effect_kind kind)
{
	struct vgic_effect *e = GROW(wl->store, wl, effects);

	if (!e)
		return VGIC_WL_NONE;
	e->kind = kind;
	e->next = e->ask_next = e->source = e->prop = VGIC_WL_NONE;
	e->gap_ns = UINT64_MAX;
	return (uint32_t)(wl->nr_effects - 1);
}

uint32_t vgic_workload_script(struct vgic_workload *wl, uint32_t source, uint16_t vcpu)
{
	struct vgic_script *s = GROW(wl->store, wl, scripts);

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
	struct vgr_irq *p = GROW(wl->store, wl, props);

	if (!p)
		return VGIC_WL_NONE;
	*p = *irq;
	return (uint32_t)(wl->nr_props - 1);
}

uint32_t vgic_workload_source(struct vgic_workload *wl, uint16_t vcpu, const struct vgr_irq *irq)
{
	struct vgic_source *s = GROW(NULL, wl, sources);

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

/* The length of a handling of which the end was seen. */
struct length {
	uint64_t own_ns;
	uint32_t source;
	uint32_t script;
};

/* Four bits of a length decide at a time. */
#define DIGITS 16u

/* Looks for the k-th of some lengths, by digits from the highest down. */
struct median {
	uint64_t own_ns; /* its digits so far, the others 0 */
	uint64_t k;	 /* among those that begin with them */
	uint32_t count[DIGITS];
};

static void narrow(struct median *m, unsigned int shift)
{
	unsigned int digit = 0;

	while (digit < DIGITS - 1 && m->k >= m->count[digit])
		m->k -= m->count[digit++];
	m->own_ns |= (uint64_t)digit << shift;
	memset(m->count, 0, sizeof(m->count));
}

static void tally(struct median *m, uint64_t own_ns, unsigned int shift)
{
	if ((own_ns >> shift) >> 4 == (m->own_ns >> shift) >> 4)
		m->count[own_ns >> shift & (DIGITS - 1)]++;
}

/* Of as long ones the earlier script comes first. */
static void hit(struct median *m, const struct length *l, uint32_t *typical)
{
	if (l->own_ns == m->own_ns && !m->k--)
		*typical = l->script;
}

int vgic_workload_typical(struct vgic_workload *wl)
{
	const struct vgic_store *store = wl->store;
	struct length *list = vgic_store_grow(store, NULL, 0, wl->nr_scripts + 1, sizeof(*list));
	struct median *of = calloc(wl->nr_sources + 1, sizeof(*of)), *all;
	uint64_t longest = 0;
	unsigned int shift = 0;
	size_t n = 0;

	if (!list || !of) {
		vgic_store_free(store, list);
		free(of);
		return -ENOMEM;
	}
	for (size_t i = 0; i < wl->nr_scripts; i++) {
		const struct vgic_script *s = &wl->scripts[i];

		vgic_store_pace(store, i);
		if (!s->whole || s->source == VGIC_WL_NONE)
			continue;
		list[n++] = (struct length){s->own_ns, s->source, (uint32_t)i};
		of[s->source].k++;
		longest = s->own_ns > longest ? s->own_ns : longest;
	}
	all = &of[wl->nr_sources];
	all->k = n;
	/* The lower of two in the middle. */
	for (size_t i = 0; i <= wl->nr_sources; i++)
		of[i].k = of[i].k ? (of[i].k - 1) / 2 : 0;
	while (shift < 60 && longest >> shift >> 4)
		shift += 4;
	for (bool last = false; !last; shift -= 4) {
		last = !shift;
		for (size_t i = 0; i < n; i++) {
			vgic_store_pace(store, i);
			tally(&of[list[i].source], list[i].own_ns, shift);
			tally(all, list[i].own_ns, shift);
		}
		for (size_t i = 0; i <= wl->nr_sources; i++)
			narrow(&of[i], shift);
	}
	for (size_t i = 0; i < n; i++) {
		vgic_store_pace(store, i);
		hit(&of[list[i].source], &list[i], &wl->sources[list[i].source].typical);
		hit(all, &list[i], &wl->typical);
	}
	vgic_store_free(store, list);
	free(of);
	return 0;
}
