// SPDX-License-Identifier: GPL-2.0-only
/* The host's GIC, as far as interrupts that are mapped into the guest have to do with it. */
#include <errno.h>

#include "host_internal.h"

bool vgic_physical_wants(const struct vgic_host_irq *i)
{
	const struct vgic_physical *p = &i->phys;

	return p->mapped && !p->active && !p->lost && (i->irq->level ? p->level : p->pending);
}

static void deactivate(struct vgic_host *h, struct vgic_host_irq *i)
{
	/* Not active, and the one the host would take next: the erratum swallows it. */
	if (h->cfg.deact_inactive_hppi_loses_irq && vgic_physical_wants(i))
		i->phys.lost = true;
	i->phys.active = false;
}

/* A private interrupt is that of the CPU on which its vCPU runs. */
void physical_deactivate(struct vgic_host *h, unsigned int vcpu, uint32_t pintid)
{
	for (size_t n = 0; n < h->nr_irqs; n++) {
		struct vgic_host_irq *i = h->irqs[n];

		if (i->phys.mapped && i->phys.pintid == pintid &&
		    (i->irq->intid >= VGIC_NR_PRIVATE || i->vcpu == vcpu))
			deactivate(h, i);
	}
}

void physical_dir(void *opaque, unsigned int vcpu, uint32_t pintid)
{
	physical_deactivate(opaque, vcpu, pintid);
}

bool physical_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	const struct vgic_host_irq *i = host_side(irq);

	return irq->level ? i->phys.level : i->phys.pending;
}

void physical_active(void *opaque, unsigned int vcpu, const struct vgic_irq *irq, bool active)
{
	struct vgic_host *h = opaque;
	struct vgic_host_irq *i = host_side(irq);

	if (!i->phys.mapped || h->by_user)
		return;
	if (active)
		i->phys.active = true;
	else
		deactivate(h, i);
}

/* Priority is dropped at once, the interrupt stays active until the guest is done (EOImode 1). */
static void take(struct vgic_host *h, struct vgic_host_irq *i)
{
	struct vgic_host_vcpu *v = &h->vcpus[i->vcpu];

	i->phys.active = true;
	i->phys.pending = false;
	host_count(h, i->vcpu, VGIC_COUNT_HOST_IRQS);
	host_tell(h, &(struct vgic_host_event){.what = VGIC_HOST_TAKES,
					       .vcpu = i->vcpu,
					       .intid = i->phys.pintid,
					       .irq = i->irq});
	/* One of the CPU's own takes the CPU out of the guest; an SPI may come anywhere. */
	if (i->irq->intid < VGIC_NR_PRIVATE && v->state == VGIC_HOST_GUEST) {
		vgic_host_exit(h, i->vcpu, VGIC_HOST_EXIT_IRQ);
		v->want_enter = true;
	}
	vgic_inject(h->vgic, i->vcpu, i->irq->intid, true);
}

bool physical_take(struct vgic_host *h)
{
	bool any = false;

	for (size_t n = 0; n < h->nr_irqs; n++) {
		struct vgic_host_irq *i = h->irqs[n];

		/* Interrupts are off on that CPU until the sync is done. */
		if (!vgic_physical_wants(i) ||
		    (i->irq->intid < VGIC_NR_PRIVATE && h->vcpus[i->vcpu].state == VGIC_HOST_LEFT))
			continue;
		take(h, i);
		any = true;
	}
	return any;
}

int vgic_host_map(struct vgic_host *h, unsigned int vcpu, uint32_t intid, uint16_t pintid,
		  bool timer)
{
	struct vgic_host_irq *i = vgic_host_irq(h, vcpu, intid);

	if (!i || intid < VGIC_NR_SGIS || intid >= VGIC_LPI_BASE)
		return -EINVAL;
	vgic_map_hw(h->vgic, vcpu, intid, pintid);
	i->irq->get_level = timer;
	i->irq->resample = timer && h->cfg.no_hw_deactivation;
	i->phys.mapped = true;
	i->phys.pintid = pintid;
	return 0;
}

int vgic_host_raise(struct vgic_host *h, unsigned int vcpu, uint32_t intid)
{
	struct vgic_host_irq *i = vgic_host_irq(h, vcpu, intid);

	if (!i || intid >= VGIC_LPI_BASE)
		return -EINVAL;
	i->device = true;
	host_rises(h, i);
	if (!i->irq->level)
		i->owed = true;
	if (i->phys.mapped) {
		i->phys.level = true;
		i->phys.pending = !i->irq->level;
		if (!i->irq->level)
			i->phys.lost = false;
	} else {
		vgic_inject(h->vgic, vcpu, intid, true);
	}
	vgic_host_settle(h);
	return 0;
}

int vgic_host_lower(struct vgic_host *h, unsigned int vcpu, uint32_t intid)
{
	struct vgic_host_irq *i = vgic_host_irq(h, vcpu, intid);

	if (!i || intid >= VGIC_LPI_BASE)
		return -EINVAL;
	i->device = false;
	if (i->irq->level)
		i->since = 0;
	if (i->phys.mapped) {
		i->phys.level = false;
		i->phys.lost = false;
	} else if (!i->resampler) {
		vgic_inject(h->vgic, vcpu, intid, false);
	}
	vgic_host_settle(h);
	return 0;
}

bool vgic_host_msi(struct vgic_host *h, uint32_t intid)
{
	struct vgic_host_irq *i = vgic_host_irq(h, 0, intid);
	bool taken = vgic_msi(h->vgic, intid);

	if (taken && i) {
		i->owed = true;
		host_rises(h, i);
	}
	vgic_host_settle(h);
	return taken;
}
