/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the virtual host share. */
#ifndef VGICSIM_SIM_HOST_INTERNAL_H
#define VGICSIM_SIM_HOST_INTERNAL_H

#include <vgicsim/host.h>

static inline struct vgic_v3_cpuif *host_hw(struct vgic_host *h, unsigned int vcpu)
{
	return &h->cpus[h->vcpus[vcpu].cpu].hw;
}

static inline void host_count(struct vgic_host *h, unsigned int vcpu, unsigned int counter)
{
	h->vcpus[vcpu].count[counter]++;
}

static inline void host_tell(struct vgic_host *h, const struct vgic_host_event *e)
{
	if (h->cfg.event)
		h->cfg.event(h->cfg.opaque, e);
}

static inline void host_access(struct vgic_host *h, unsigned int vcpu, enum vgic_host_op op,
			       uint32_t value, uint32_t arg, const struct vgic_access *access)
{
	host_tell(h, &(struct vgic_host_event){.what = VGIC_HOST_ACCESS,
					       .vcpu = vcpu,
					       .value = op,
					       .intid = value,
					       .arg = arg,
					       .access = access});
}

static inline struct vgic_host_irq *host_side(const struct vgic_irq *irq)
{
	return irq->user;
}

/* host.c: after each thing the guest did in the guest, its MI and IPI come nearer. */
void host_step_end(struct vgic_host *h, unsigned int vcpu);
int host_in_guest(struct vgic_host *h, unsigned int vcpu);

/* host_view.c: it waits for the guest from now on; the guest has it. */
void host_rises(const struct vgic_host *h, struct vgic_host_irq *i);
void host_waited(struct vgic_host *h, unsigned int vcpu, struct vgic_host_irq *i);

/* physical.c */
void physical_deactivate(struct vgic_host *h, unsigned int vcpu, uint32_t pintid);
bool physical_level(void *opaque, unsigned int vcpu, const struct vgic_irq *irq);
void physical_active(void *opaque, unsigned int vcpu, const struct vgic_irq *irq, bool active);
void physical_dir(void *opaque, unsigned int vcpu, uint32_t pintid);
/* The host takes what is pending. True: something was. */
bool physical_take(struct vgic_host *h);

#endif
