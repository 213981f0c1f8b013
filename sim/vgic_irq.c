// SPDX-License-Identifier: GPL-2.0-only
/* The interrupts of a VM: making them, finding them, moving whole states in and out. */
#include <vgicsim/vgic.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vgic_internal.h"

bool vgic_irq_pending(const struct vgic_irq *irq)
{
	return vgic_pending(irq);
}

/* vgic_target_oracle: OV-5. */
unsigned int vgic_irq_oracle(const struct vgic *vgic, const struct vgic_irq *irq)
{
	return vgic_oracle(vgic, irq);
}

static size_t lpi_slot(const struct vgic *vgic, uint32_t intid)
{
	return (intid * 0x9e3779b1u >> 7) & (vgic->lpi_buckets - 1);
}

struct vgic_irq *vgic_lpi_find(const struct vgic *vgic, uint32_t intid)
{
	if (intid < VGIC_LPI_BASE || !vgic->nr_lpis)
		return NULL;
	for (struct vgic_irq *irq = vgic->lpis[lpi_slot(vgic, intid)]; irq; irq = irq->hash_next)
		if (irq->intid == intid)
			return irq;
	return NULL;
}

struct vgic_irq *vgic_irq_find(const struct vgic *vgic, unsigned int vcpu, uint32_t intid)
{
	if (intid < VGIC_NR_PRIVATE && vcpu < vgic->cfg.nr_vcpus && !vgic->vcpus[vcpu].private_irqs)
		return NULL;
	return vgic_find(vgic, vcpu, intid);
}

static void link_lpi(struct vgic *vgic, struct vgic_irq *irq)
{
	struct vgic_irq **slot = &vgic->lpis[lpi_slot(vgic, irq->intid)];

	irq->hash_next = *slot;
	*slot = irq;
}

static int grow_lpis(struct vgic *vgic)
{
	struct vgic_irq **old = vgic->lpis;
	size_t nr_old = vgic->lpi_buckets;

	vgic->lpi_buckets = nr_old ? nr_old * 2 : 64;
	vgic->lpis = calloc(vgic->lpi_buckets, sizeof(struct vgic_irq *));
	if (!vgic->lpis) {
		vgic->lpis = old;
		vgic->lpi_buckets = nr_old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr_old; i++) {
		struct vgic_irq *irq = old[i];

		while (irq) {
			struct vgic_irq *next = irq->hash_next;

			link_lpi(vgic, irq);
			irq = next;
		}
	}
	free(old);
	return 0;
}

static void init_irq(struct vgic_irq *irq, uint32_t intid)
{
	*irq = (struct vgic_irq){
		.intid = intid,
		.vcpu = VGIC_NO_VCPU,
		.target = VGIC_NO_VCPU,
	};
}

int vgic_lpi_add(struct vgic *vgic, uint32_t intid)
{
	struct vgic_irq *irq;
	int err;

	if (intid < VGIC_LPI_BASE)
		return -EINVAL;
	if (vgic_irq_find(vgic, 0, intid))
		return -EEXIST;
	if (vgic->nr_lpis >= vgic->lpi_buckets) {
		err = grow_lpis(vgic);
		if (err)
			return err;
	}
	irq = malloc(sizeof(*irq));
	if (!irq)
		return -ENOMEM;
	init_irq(irq, intid);
	irq->group1 = true;
	irq->mapped = true;
	link_lpi(vgic, irq);
	vgic->nr_lpis++;
	return 0;
}

static void init_vcpu(struct vgic *vgic, unsigned int index, struct vgic_irq *irqs)
{
	struct vgic_vcpu *vcpu = &vgic->vcpus[index];

	vcpu->vgic = vgic;
	vcpu->index = index;
	vcpu->private_irqs = irqs;
	for (uint32_t i = 0; i < VGIC_NR_PRIVATE; i++) {
		init_irq(&irqs[i], i);
		irqs[i].target = index;
		irqs[i].group1 = !vgic->cfg.model_v2;
		irqs[i].enabled = i < VGIC_NR_SGIS;
		irqs[i].level = i >= VGIC_NR_SGIS;
	}
}

/* 0 or -ENOMEM. */
static int make_vcpu(struct vgic *vgic, unsigned int index)
{
	struct vgic_irq *irqs = malloc(VGIC_NR_PRIVATE * sizeof(*irqs));

	if (!irqs)
		return -ENOMEM;
	init_vcpu(vgic, index, irqs);
	return 0;
}

static int make_vcpus(struct vgic *vgic)
{
	struct vgic_irq *irqs;

	if (vgic->cfg.on_demand)
		return 0;
	irqs = calloc(vgic->cfg.nr_vcpus, VGIC_NR_PRIVATE * sizeof(*irqs));
	if (!irqs)
		return -ENOMEM;
	for (unsigned int i = 0; i < vgic->cfg.nr_vcpus; i++)
		init_vcpu(vgic, i, irqs + i * VGIC_NR_PRIVATE);
	return 0;
}

int vgic_create(struct vgic **out, const struct vgic_config *cfg)
{
	struct vgic *vgic;

	if (!cfg->policy || !cfg->nr_vcpus || cfg->nr_vcpus > VGIC_MAX_VCPUS ||
	    cfg->nr_spis > VGIC_MAX_SPIS || !cfg->nr_lr ||
	    cfg->nr_lr > (cfg->gicv2 ? VGIC_MAX_LRS : VGIC_V3_MAX_LRS) ||
	    (cfg->gicv2 && !cfg->model_v2))
		return -EINVAL;

	vgic = calloc(1, sizeof(*vgic));
	if (!vgic)
		return -ENOMEM;
	vgic->cfg = *cfg;
	if (!cfg->env.event)
		vgic->cfg.env.quiet = UINT32_MAX;
	vgic->vcpus = calloc(cfg->nr_vcpus, sizeof(*vgic->vcpus));
	vgic->spis = calloc(cfg->nr_spis ? cfg->nr_spis : 1, sizeof(*vgic->spis));
	if (!vgic->vcpus || !vgic->spis || make_vcpus(vgic)) {
		free(vgic->spis);
		free(vgic->vcpus);
		free(vgic);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < cfg->nr_spis; i++) {
		init_irq(&vgic->spis[i], VGIC_NR_PRIVATE + i);
		vgic->spis[i].target = 0;
		vgic->spis[i].group1 = !cfg->model_v2;
		vgic->spis[i].level = true;
	}
	*out = vgic;
	return 0;
}

void vgic_destroy(struct vgic *vgic)
{
	if (!vgic)
		return;
	for (size_t i = 0; i < vgic->lpi_buckets; i++) {
		struct vgic_irq *irq = vgic->lpis[i];

		while (irq) {
			struct vgic_irq *next = irq->hash_next;

			free(irq);
			irq = next;
		}
	}
	free(vgic->lpis);
	free(vgic->spis);
	/* One piece, if they were not made one by one. */
	for (unsigned int i = 0; i < (vgic->cfg.on_demand ? vgic->cfg.nr_vcpus : 1); i++)
		free(vgic->vcpus[i].private_irqs);
	free(vgic->vcpus);
	free(vgic);
}

void vgic_map_hw(struct vgic *vgic, unsigned int of, uint32_t intid, uint16_t hwintid)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, of, intid);

	if (!irq)
		return;
	irq->hw = true;
	irq->hwintid = hwintid;
}

#define SAME_PLACE(member)                                                                     \
	_Static_assert(offsetof(struct vgic_irq, member) - offsetof(struct vgic_irq, intid) == \
			       offsetof(struct vgr_irq, member),                               \
		       "moving a state is a copy")
SAME_PLACE(intid);
SAME_PLACE(state);
SAME_PLACE(priority);
SAME_PLACE(source);
SAME_PLACE(active_source);
SAME_PLACE(reserved);
SAME_PLACE(hwintid);
SAME_PLACE(vcpu);
SAME_PLACE(target);

/* The bits of a recorded state that the models know. */
#define STATE                                                                              \
	(VGR_IRQ_LINE | VGR_IRQ_LATCH | VGR_IRQ_ACTIVE | VGR_IRQ_ENABLED | VGR_IRQ_ON_LR | \
	 VGR_IRQ_LEVEL | VGR_IRQ_HW | VGR_IRQ_GROUP1 | VGR_IRQ_MAPPED | VGR_IRQ_RESAMPLE | \
	 VGR_IRQ_GETLEVEL)

static inline void set_state(const struct vgic *vgic, struct vgic_irq *irq,
			     const struct vgr_irq *from)
{
	/* By words: what of each is to go, and what of the interrupt's own stays. */
	const struct vgr_irq go = {.state = (uint16_t)~STATE, .reserved = 0xff, .vcpu = 0xffff};
	const struct vgr_irq stay = {.vcpu = 0xffff}, nobody = {.target = VGIC_NO_VCPU};
	uint64_t to[2], own[2], gone[2], kept[2], none[2];

	memcpy(to, from, sizeof(to));
	memcpy(own, &irq->intid, sizeof(own));
	memcpy(gone, &go, sizeof(gone));
	memcpy(kept, &stay, sizeof(kept));
	memcpy(none, &nobody, sizeof(none));
	to[0] &= ~gone[0];
	to[1] = (to[1] & ~gone[1]) | (own[1] & kept[1]);
	if (__builtin_expect(from->target >= vgic->cfg.nr_vcpus, 0))
		to[1] |= none[1];
	memcpy(&irq->intid, to, sizeof(to));
}

/* NULL: *err says why. */
static struct vgic_irq *import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from,
			       int *err)
{
	struct vgic_irq *irq = vgic_find(vgic, vcpu, from->intid);

	if (__builtin_expect(!irq, 0)) {
		*err = vgic_lpi_add(vgic, from->intid);
		if (*err)
			return NULL;
		irq = vgic_lpi_find(vgic, from->intid);
	}
	set_state(vgic, irq, from);
	return irq;
}

/* 0 or -ENOMEM. */
static inline int ready(struct vgic *vgic, unsigned int vcpu)
{
	return vgic->vcpus[vcpu].private_irqs ? 0 : make_vcpu(vgic, vcpu);
}

int vgic_irq_import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from)
{
	int err = vcpu < vgic->cfg.nr_vcpus ? ready(vgic, vcpu) : 0;

	if (!err)
		import(vgic, vcpu, from, &err);
	return err;
}

void vgic_irq_export(const struct vgic_irq *irq, struct vgr_irq *to)
{
	memcpy(to, &irq->intid, sizeof(*to));
}

/*
 * How many interrupts stand where they stood: their links may stay. The first i do, and irq is
 * the one after them.
 */
static inline size_t import_same(struct vgic *vgic, struct vgic_vcpu *vcpu,
				 const struct vgr_irq *from, size_t n, size_t i,
				 struct vgic_irq *irq)
{
	for (; irq && i < n && irq->intid == from[i].intid; i++, irq = irq->next)
		set_state(vgic, irq, &from[i]);
	if (irq || vcpu->overflow)
		vgic_list_cut(vcpu, i ? (irq ? irq->prev : vcpu->list.tail) : NULL, i);
	return i;
}

int vgic_list_import_from(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from,
			  size_t n, size_t same, struct vgic_irq *irq)
{
	int err = ready(vgic, vcpu);

	if (err)
		return err;
	for (size_t i = import_same(vgic, &vgic->vcpus[vcpu], from, n, same, irq); i < n; i++) {
		irq = import(vgic, vcpu, &from[i], &err);
		if (!irq)
			return err;
		if (irq->vcpu != VGIC_NO_VCPU) {
			if (irq->vcpu == vcpu)
				return -EINVAL;
			vgic_list_remove(vgic, irq);
		}
		vgic_list_add(&vgic->vcpus[vcpu], vcpu, irq);
	}
	return 0;
}

int vgic_list_import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from, size_t n)
{
	if (vcpu >= vgic->cfg.nr_vcpus)
		return -EINVAL;
	return vgic_list_import_from(vgic, vcpu, from, n, 0, vgic_list_first(&vgic->vcpus[vcpu]));
}
