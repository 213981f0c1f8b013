/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the vgic share with one another and with nobody else. */
#ifndef VGICSIM_SIM_VGIC_INTERNAL_H
#define VGICSIM_SIM_VGIC_INTERNAL_H

#include <string.h>

#include <vgicsim/vgic.h>

#define vgic_for_each_irq(irq, list) for (struct vgic_irq *irq = (list)->head; irq; irq = irq->next)

static inline bool vgic_irq_is_sgi(const struct vgic_irq *irq)
{
	return irq->intid < VGIC_NR_SGIS;
}

static inline bool vgic_valid_spi(const struct vgic *vgic, uint32_t intid)
{
	return intid - VGIC_NR_PRIVATE < vgic->cfg.nr_spis;
}

/* vgic_irq.c */
struct vgic_irq *vgic_lpi_find(const struct vgic *vgic, uint32_t intid);
/*
 * vgic_list_import() of a list whose first ones, so many as same says, stand on the vCPU's list
 * already as they are to be; irq: the one that follows there. None: vgic_list_first().
 */
int vgic_list_import_from(struct vgic *vgic, unsigned int vcpu, const struct vgr_irq *from,
			  size_t n, size_t same, struct vgic_irq *irq);

/* The first one that an import may leave where it stands: those set aside are not to stay there. */
static inline struct vgic_irq *vgic_list_first(const struct vgic_vcpu *vcpu)
{
	return vcpu->overflow ? NULL : vcpu->list.head;
}

/* A recorded state is the model's, bit for bit. */
static inline bool vgic_irq_is(const struct vgic_irq *irq, const struct vgr_irq *rec)
{
	const struct vgr_irq mask = {.reserved = 0xff};
	uint64_t r[2], m[2], unused[2];

	memcpy(r, rec, sizeof(r));
	memcpy(m, &irq->intid, sizeof(m));
	memcpy(unused, &mask, sizeof(unused));
	return !((r[0] ^ m[0]) | ((r[1] ^ m[1]) & ~unused[1]));
}

/* vgic_irq_find, vgic_irq_pending and vgic_irq_oracle for those who call them all the time. */
static inline struct vgic_irq *vgic_find(const struct vgic *vgic, unsigned int vcpu, uint32_t intid)
{
	if (intid < VGIC_NR_PRIVATE)
		return vcpu < vgic->cfg.nr_vcpus ? &vgic->vcpus[vcpu].private_irqs[intid] : NULL;
	if (vgic_valid_spi(vgic, intid))
		return &vgic->spis[intid - VGIC_NR_PRIVATE];
	return vgic_lpi_find(vgic, intid);
}

/*
 * Sets of states, by their lowest six bits: a bit of a set for each state. Those with one bit
 * set, whatever the others are, and what follows from them.
 */
#define VGIC_WITH_LINE	  0xaaaaaaaaaaaaaaaaull
#define VGIC_WITH_LATCH	  0xccccccccccccccccull
#define VGIC_WITH_ACTIVE  0xf0f0f0f0f0f0f0f0ull
#define VGIC_WITH_ENABLED 0xff00ff00ff00ff00ull
#define VGIC_WITH_LEVEL	  0xffffffff00000000ull
#define VGIC_PENDING	  (VGIC_WITH_LATCH | (VGIC_WITH_LEVEL & VGIC_WITH_LINE))
#define VGIC_WANTED	  (VGIC_PENDING & VGIC_WITH_ENABLED)

_Static_assert(VGR_IRQ_LINE == 1 && VGR_IRQ_LATCH == 2 && VGR_IRQ_ACTIVE == 4 &&
		       VGR_IRQ_ENABLED == 8 && VGR_IRQ_ON_LR == 16 && VGR_IRQ_LEVEL == 32,
	       "the sets are of these bits");

static inline unsigned int vgic_is_of(uint64_t set, const struct vgic_irq *irq)
{
	return set >> (irq->state & 63) & 1;
}

static inline bool vgic_pending(const struct vgic_irq *irq)
{
	return vgic_is_of(VGIC_PENDING, irq);
}

/* The oracle for an interrupt that is not active. */
static inline unsigned int vgic_oracle_inactive(const struct vgic *vgic, const struct vgic_irq *irq)
{
	return vgic_is_of(VGIC_WANTED, irq) && vgic->dist_enabled ? irq->target : VGIC_NO_VCPU;
}

static inline unsigned int vgic_oracle(const struct vgic *vgic, const struct vgic_irq *irq)
{
	if (irq->state & VGR_IRQ_ACTIVE)
		return irq->vcpu != VGIC_NO_VCPU ? irq->vcpu : irq->target;
	return vgic_oracle_inactive(vgic, irq);
}

/*
 * How an interrupt stands on a list: the low eight bits of its state, of which VGR_IRQ_ON_LR, that
 * matters to nobody, makes room for whether it is routed to the vCPU whose list it is, and may
 * come. The sets are of its low six bits.
 */
#define VGIC_WITH_ROUTE	 0xffff0000ffff0000ull
#define VGIC_DELIVERABLE (VGIC_WITH_ACTIVE | (VGIC_WITH_ROUTE & VGIC_WANTED))

#define VGIC_IN_SET(set, standing) ((set) >> ((standing)&63) & 1)

/* A table with an entry for each standing, or for each of the first ones: f(standing). */
#define VGIC_EACH_4(f, s) f(s), f((s) + 1), f((s) + 2), f((s) + 3)
#define VGIC_EACH_16(f, s)                                                   \
	VGIC_EACH_4(f, s), VGIC_EACH_4(f, (s) + 4), VGIC_EACH_4(f, (s) + 8), \
		VGIC_EACH_4(f, (s) + 12)
#define VGIC_EACH_64(f, s)                                                        \
	VGIC_EACH_16(f, s), VGIC_EACH_16(f, (s) + 16), VGIC_EACH_16(f, (s) + 32), \
		VGIC_EACH_16(f, (s) + 48)
#define VGIC_EACH_256(f) \
	VGIC_EACH_64(f, 0), VGIC_EACH_64(f, 64), VGIC_EACH_64(f, 128), VGIC_EACH_64(f, 192)

/* What is rare stays out of the way of what is not. */
#define VGIC_RARELY(x) __builtin_expect(!!(x), 0)

/* No interrupt has this target. */
#define VGIC_NO_ROUTE 0xfffeu

/* The target of those on a vCPU's list that may come to it. */
static inline uint16_t vgic_route(const struct vgic *vgic, const struct vgic_vcpu *vcpu)
{
	return vgic->dist_enabled ? vcpu->index : VGIC_NO_ROUTE;
}

static inline unsigned int vgic_standing(uint16_t route, const struct vgic_irq *irq)
{
	unsigned int routed = irq->target == route;

	return (irq->state & 0xefu) | routed << 4;
}

/* Does the oracle name the vCPU on whose list it is? */
static inline unsigned int vgic_deliverable(uint16_t route, const struct vgic_irq *irq)
{
	return vgic_is_of(irq->target == route ? VGIC_WITH_ACTIVE | VGIC_WANTED : VGIC_WITH_ACTIVE,
			  irq);
}

/* OV-2 */
static inline bool vgic_irq_mapped_level(const struct vgic_irq *irq)
{
	return irq->level && irq->hw;
}

static inline bool vgic_irq_resampled(const struct vgic_irq *irq)
{
	return irq->resample;
}

/* vgic_create() sees to it that all is quiet if nobody listens. */
static inline bool vgic_is_heard(const struct vgic *vgic, enum vgic_event what)
{
	return !(vgic->cfg.env.quiet & (1u << what));
}

static inline void vgic_note(const struct vgic *vgic, enum vgic_event what, unsigned int vcpu,
			     const struct vgic_irq *irq, uint32_t arg)
{
	if (vgic_is_heard(vgic, what))
		vgic->cfg.env.event(vgic->cfg.env.opaque, what, vcpu, irq, arg);
}

static inline void vgic_request(const struct vgic *vgic, unsigned int vcpu, uint32_t req, bool kick)
{
	if (vgic->cfg.env.request)
		vgic->cfg.env.request(vgic->cfg.env.opaque, vcpu, req, kick);
}

static inline bool vgic_physical_level(const struct vgic *vgic, unsigned int vcpu,
				       const struct vgic_irq *irq)
{
	return vgic->cfg.env.physical_level &&
	       vgic->cfg.env.physical_level(vgic->cfg.env.opaque, vcpu, irq);
}

static inline void vgic_physical_active(const struct vgic *vgic, unsigned int vcpu,
					const struct vgic_irq *irq, bool active)
{
	if (vgic->cfg.env.physical_active)
		vgic->cfg.env.physical_active(vgic->cfg.env.opaque, vcpu, irq, active);
}

static inline void vgic_physical_dir(const struct vgic *vgic, unsigned int vcpu, uint64_t lr)
{
	if (vgic->cfg.env.physical_dir)
		vgic->cfg.env.physical_dir(vgic->cfg.env.opaque, vcpu,
					   (lr & VGIC_LR_PINTID) >> VGIC_LR_PINTID_SHIFT);
}

/* vgic_sync.c. Does the sync that comes fold, with the LRs used and the boundary as they are? */
bool vgic_folds(const struct vgic_vcpu *vcpu);

/* vgic_list.c */
void vgic_list_append(struct vgic *vgic, unsigned int vcpu, struct vgic_irq *irq);
void vgic_list_remove(struct vgic *vgic, struct vgic_irq *irq);
/* Takes off what stands after the n-th one, last; NULL and 0: all. */
void vgic_list_cut(struct vgic_vcpu *vcpu, struct vgic_irq *last, unsigned int n);

/* The same as vgic_list_remove(): it is on the vCPU's list. */
static inline void vgic_list_take(struct vgic_vcpu *vcpu, struct vgic_irq *irq)
{
	struct vgic_list *list = &vcpu->list;

	if (vcpu->overflow == irq)
		vcpu->overflow = irq->next;
	if (irq->prev)
		irq->prev->next = irq->next;
	else
		list->head = irq->next;
	if (irq->next)
		irq->next->prev = irq->prev;
	else
		list->tail = irq->prev;
	list->count--;
	irq->next = irq->prev = NULL;
	irq->vcpu = VGIC_NO_VCPU;
}

/* The same as vgic_list_append(). */
static inline void vgic_list_add(struct vgic_vcpu *vcpu, unsigned int index, struct vgic_irq *irq)
{
	struct vgic_list *list = &vcpu->list;
	/* What comes while others are set aside stands before them, and stays there. */
	struct vgic_irq *after = vcpu->overflow;

	irq->vcpu = (uint16_t)index;
	irq->next = after;
	irq->prev = after ? after->prev : list->tail;
	if (irq->prev)
		irq->prev->next = irq;
	else
		list->head = irq;
	if (after)
		after->prev = irq;
	else
		list->tail = irq;
	list->count++;
}

#endif
