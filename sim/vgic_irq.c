// SPDX-License-Identifier: GPL-2.0-only
/* The interrupts of a VM: making them, finding them, moving whole states in and out. */
#include <vgicsim/vgic.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vgic_internal.h"

bool vgic_irq_pending(const struct vgic_irq *irq)
{
	return irq->pending_latch || (irq->level && irq->line_level);
}

/* vgic_target_oracle: OV-5. */
unsigned int vgic_irq_oracle(const struct vgic *vgic, const struct vgic_irq *irq)
{
	if (irq->active)
		return irq->vcpu != VGIC_NO_VCPU ? irq->vcpu : irq->target;
	if (irq->enabled && vgic_irq_pending(irq) && vgic->dist_enabled)
		return irq->target;
	return VGIC_NO_VCPU;
}

static size_t lpi_slot(const struct vgic *vgic, uint32_t intid)
{
	return (intid * 0x9e3779b1u >> 7) & (vgic->lpi_buckets - 1);
}

struct vgic_irq *vgic_irq_find(const struct vgic *vgic, unsigned int vcpu, uint32_t intid)
{
	if (intid < VGIC_NR_PRIVATE)
		return vcpu < vgic->cfg.nr_vcpus ? &vgic->vcpus[vcpu].private_irqs[intid] : NULL;
	if (vgic_valid_spi(vgic, intid))
		return &vgic->spis[intid - VGIC_NR_PRIVATE];
	if (intid < VGIC_LPI_BASE || !vgic->nr_lpis)
		return NULL;
	for (struct vgic_irq *irq = vgic->lpis[lpi_slot(vgic, intid)]; irq; irq = irq->hash_next)
		if (irq->intid == intid)
			return irq;
	return NULL;
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

int vgic_create(struct vgic **out, const struct vgic_config *cfg)
{
	struct vgic_irq *private_irqs;
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
	vgic->vcpus = calloc(cfg->nr_vcpus, sizeof(*vgic->vcpus));
	private_irqs = calloc(cfg->nr_vcpus, VGIC_NR_PRIVATE * sizeof(*private_irqs));
	vgic->spis = calloc(cfg->nr_spis ? cfg->nr_spis : 1, sizeof(*vgic->spis));
	if (!vgic->vcpus || !private_irqs || !vgic->spis) {
		free(private_irqs);
		free(vgic->spis);
		free(vgic->vcpus);
		free(vgic);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < cfg->nr_vcpus; i++)
		init_vcpu(vgic, i, private_irqs + i * VGIC_NR_PRIVATE);
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
	free(vgic->vcpus[0].private_irqs);
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

static uint16_t known_vcpu(const struct vgic *vgic, uint16_t vcpu)
{
	return vcpu < vgic->cfg.nr_vcpus ? vcpu : VGIC_NO_VCPU;
}

int vgic_irq_import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from)
{
	struct vgic_irq *irq = vgic_irq_find(vgic, vcpu, from->intid);
	int err;

	if (!irq) {
		err = vgic_lpi_add(vgic, from->intid);
		if (err)
			return err;
		irq = vgic_irq_find(vgic, vcpu, from->intid);
	}
	irq->target = known_vcpu(vgic, from->target);
	irq->hwintid = from->hwintid;
	irq->priority = from->priority;
	irq->source = from->source;
	irq->active_source = from->active_source;
	irq->level = from->state & VGR_IRQ_LEVEL;
	irq->line_level = from->state & VGR_IRQ_LINE;
	irq->pending_latch = from->state & VGR_IRQ_LATCH;
	irq->enabled = from->state & VGR_IRQ_ENABLED;
	irq->active = from->state & VGR_IRQ_ACTIVE;
	irq->hw = from->state & VGR_IRQ_HW;
	irq->on_lr = from->state & VGR_IRQ_ON_LR;
	irq->group1 = from->state & VGR_IRQ_GROUP1;
	irq->mapped = from->state & VGR_IRQ_MAPPED;
	irq->resample = from->state & VGR_IRQ_RESAMPLE;
	irq->get_level = from->state & VGR_IRQ_GETLEVEL;
	return 0;
}

void vgic_irq_export(const struct vgic_irq *irq, struct vgr_irq *to)
{
	*to = (struct vgr_irq){
		.intid = irq->intid,
		.state = (irq->line_level ? VGR_IRQ_LINE : 0) |
			 (irq->pending_latch ? VGR_IRQ_LATCH : 0) |
			 (irq->active ? VGR_IRQ_ACTIVE : 0) | (irq->enabled ? VGR_IRQ_ENABLED : 0) |
			 (irq->on_lr ? VGR_IRQ_ON_LR : 0) | (irq->level ? VGR_IRQ_LEVEL : 0) |
			 (irq->hw ? VGR_IRQ_HW : 0) | (irq->group1 ? VGR_IRQ_GROUP1 : 0) |
			 (irq->mapped ? VGR_IRQ_MAPPED : 0) |
			 (irq->resample ? VGR_IRQ_RESAMPLE : 0) |
			 (irq->get_level ? VGR_IRQ_GETLEVEL : 0),
		.priority = irq->priority,
		.source = irq->source,
		.active_source = irq->active_source,
		.hwintid = irq->hwintid,
		.vcpu = irq->vcpu,
		.target = irq->target,
	};
}

int vgic_list_import(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from, size_t n)
{
	struct vgic_list *list;
	int err;

	if (vcpu >= vgic->cfg.nr_vcpus)
		return -EINVAL;
	list = &vgic->vcpus[vcpu].list;
	while (list->head)
		vgic_list_remove(vgic, list->head);
	for (size_t i = 0; i < n; i++) {
		struct vgic_irq *irq;

		err = vgic_irq_import(vgic, vcpu, &from[i]);
		if (err)
			return err;
		irq = vgic_irq_find(vgic, vcpu, from[i].intid);
		if (irq->vcpu == vcpu)
			return -EINVAL;
		if (irq->vcpu != VGIC_NO_VCPU)
			vgic_list_remove(vgic, irq);
		vgic_list_append(vgic, vcpu, irq);
	}
	return 0;
}
