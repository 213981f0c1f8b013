// SPDX-License-Identifier: GPL-2.0-only
/* The invariants of one state of the live model: the same judges, fed from the model. */
#include <errno.h>
#include <stdlib.h>

#include "invariants_internal.h"
#include "vgic_internal.h"

struct state {
	const struct vgic *vgic;
	unsigned int vcpu;
	int violations;
	void (*report)(void *opaque, const struct vgic_violation *v);
	void *opaque;
};

/* A model has no other threads: whoever is suspected did it. */
static void suspect(void *to, const struct inv_suspect *s)
{
	const struct inv_part_info *part = inv_part_info(s->part);
	struct state *st = to;

	st->violations++;
	if (!st->report)
		return;
	st->report(st->opaque, &(struct vgic_violation){
				       .rule = part->rule,
				       .part = part->letter,
				       .name = vgic_invariant_at(part->rule)->name,
				       .text = part->text,
				       .what = s->what,
				       .known = s->known ? s->known : part->known,
				       .promise = part->follows,
				       .intid = s->intid,
				       .vcpu = st->vcpu,
			       });
}

/* Rule 1 from the interrupt's side: is it on its owner's list, once, and on no other? */
static void judge_place(struct inv_judge *j, const struct vgic *vgic, const struct vgic_irq *irq)
{
	unsigned int here = 0, elsewhere = 0;

	j->evaluated[1]++;
	for (unsigned int v = 0; v < vgic->cfg.nr_vcpus; v++) {
		const struct vgic_list *list = &vgic->vcpus[v].list;
		unsigned int left = list->count;

		vgic_for_each_irq (q, list) {
			if (q == irq)
				*(irq->vcpu == v ? &here : &elsewhere) += 1;
			if (!left--)
				break;
		}
	}
	if (elsewhere)
		inv_suspect(j, INV_OWNER, irq->intid, 0,
			    "its owner is %d, and it is on another list, %u times",
			    (int16_t)irq->vcpu, elsewhere);
	if (here > 1)
		inv_suspect(j, INV_ONCE, irq->intid, 0, "it stands %u times on the list of vCPU %u",
			    here, irq->vcpu);
	if (!here && irq->vcpu != VGIC_NO_VCPU)
		inv_suspect(j, INV_LISTED, irq->intid, 0,
			    "its owner is %u, and it is not on that list", irq->vcpu);
}

/* The chain itself, so that the others may walk it. */
static bool judge_chain(struct inv_judge *j, const struct vgic_vcpu *vcpu)
{
	const struct vgic_list *list = &vcpu->list;
	const struct vgic_irq *prev = NULL;
	unsigned int n = 0;

	for (const struct vgic_irq *q = list->head; q; prev = q, q = q->next) {
		if (q->prev != prev || ++n > list->count) {
			inv_suspect(j, INV_ONCE, q->intid, 0,
				    "the list of vCPU %u is not a chain there (%u entries counted)",
				    vcpu->index, list->count);
			return false;
		}
	}
	if (n != list->count || list->tail != prev) {
		inv_suspect(j, INV_LISTED, VGR_BOUNDARY_NONE, 0,
			    "the list of vCPU %u has %u entries and counts %u", vcpu->index, n,
			    list->count);
		return false;
	}
	return true;
}

static void judge_places(struct inv_judge *j, const struct vgic *vgic)
{
	for (unsigned int v = 0; v < vgic->cfg.nr_vcpus; v++)
		for (uint32_t i = 0; i < VGIC_NR_PRIVATE; i++)
			judge_place(j, vgic, &vgic->vcpus[v].private_irqs[i]);
	for (unsigned int i = 0; i < vgic->cfg.nr_spis; i++)
		judge_place(j, vgic, &vgic->spis[i]);
	for (size_t i = 0; i < vgic->lpi_buckets; i++)
		for (const struct vgic_irq *q = vgic->lpis[i]; q; q = q->hash_next)
			judge_place(j, vgic, q);
}

static uint32_t boundary_of(const struct vgic_vcpu *vcpu)
{
	return vcpu->boundary ? vcpu->boundary->intid : VGR_BOUNDARY_NONE;
}

static void judge_flushed(struct inv_judge *j, const struct vgic *vgic, const struct vgic_vcpu *v,
			  const struct vgr_irq *irqs)
{
	struct inv_entry e = {
		.vcpu = v->index,
		.model_v2 = vgic->cfg.model_v2,
		.gicv2 = vgic->cfg.gicv2,
		.barrier = vgic->cfg.policy->multi_sgi_barrier,
		.dist_enabled = vgic->dist_enabled,
		.hcr = v->hcr,
		.vmcr = v->vmcr,
		.boundary = boundary_of(v),
		.active_spis = vgic->cfg.policy->track_spis ? vgic->active_spis : -1,
		.used = v->used_lrs,
		.nr_lr = vgic->cfg.nr_lr,
		.lr = v->lr,
		.irqs = irqs,
		.n = v->list.count,
	};

	/* The short cut leaves HCR and LRs of an earlier flush. */
	if (!vgic->cfg.policy->no_empty_shortcut && !v->list.count)
		return;
	inv_judge_entry(j, &e);
}

static void judge_synced(struct inv_judge *j, const struct vgic *vgic, const struct vgic_vcpu *v,
			 const struct vgr_irq *irqs)
{
	for (unsigned int i = 0; i < v->list.count; i++) {
		inv_judge_listed(j, v->index, vgic->dist_enabled, &irqs[i]);
		j->evaluated[4]++;
		if (irqs[i].state & VGR_IRQ_ON_LR)
			inv_suspect(j, INV_ON_LR_CLEAR, irqs[i].intid, 0,
				    "on_lr is 1, and vCPU %u is out of the guest", v->index);
		if (irqs[i].intid < VGIC_LPI_BASE)
			continue;
		j->evaluated[12]++;
		if (irqs[i].state & VGR_IRQ_ACTIVE)
			inv_suspect(j, INV_LPI_ACTIVE, irqs[i].intid, 0,
				    "it is active after the sync of vCPU %u", v->index);
	}
	j->evaluated[16]++;
	if (vgic->active_spis < 0)
		inv_suspect(j, INV_SPIS_NEGATIVE, VGR_BOUNDARY_NONE, 0, "active_spis is %d",
			    vgic->active_spis);
	j->evaluated[17]++;
	if (v->boundary)
		inv_suspect(j, INV_BOUNDARY_NULL, v->boundary->intid, 0,
			    "last_lr_irq is still %u after the sync of vCPU %u", v->boundary->intid,
			    v->index);
}

/* In the guest: what is marked on_lr is in an LR, and the other way round. */
static void judge_running(struct inv_judge *j, const struct vgic *vgic, const struct vgic_vcpu *v,
			  const struct vgr_irq *irqs)
{
	for (unsigned int i = 0; i < v->list.count; i++) {
		int lr = inv_lr_of(v->lr, v->used_lrs, irqs[i].intid, vgic->cfg.model_v2);
		bool on_lr = irqs[i].state & VGR_IRQ_ON_LR;

		j->evaluated[4]++;
		if (lr >= 0 && !on_lr)
			inv_suspect(j, INV_ON_LR_SET, irqs[i].intid, 0,
				    "it is in LR %d of vCPU %u, and on_lr is 0", lr, v->index);
		else if (lr < 0 && on_lr)
			inv_suspect(j, INV_ON_LR_CLEAR, irqs[i].intid, 0,
				    "on_lr is 1, and no LR of vCPU %u holds it", v->index);
	}
}

int vgic_invariants_state(const struct vgic *vgic, unsigned int vcpu, enum vgic_point point,
			  bool strict, void (*report)(void *opaque, const struct vgic_violation *v),
			  void *opaque)
{
	struct state st = {.vgic = vgic, .vcpu = vcpu, .report = report, .opaque = opaque};
	struct inv_judge j = {.to = &st, .suspect = suspect};
	const struct vgic_vcpu *v;
	struct vgr_irq *irqs;
	size_t n = 0;

	if (vcpu >= vgic->cfg.nr_vcpus)
		return -EINVAL;
	inv_judge_init(&j, vgic->cfg.policy, strict, vgic->cfg.gicv2);
	for (unsigned int i = 0; i < vgic->cfg.nr_vcpus; i++)
		if (!judge_chain(&j, &vgic->vcpus[i]))
			return st.violations;
	judge_places(&j, vgic);

	v = &vgic->vcpus[vcpu];
	irqs = calloc(v->list.count + 1, sizeof(*irqs));
	if (!irqs)
		return -ENOMEM;
	vgic_for_each_irq (q, &v->list)
		vgic_irq_export(q, &irqs[n++]);
	switch (point) {
	case VGIC_POINT_FLUSHED:
		judge_flushed(&j, vgic, v, irqs);
		break;
	case VGIC_POINT_SYNCED:
		judge_synced(&j, vgic, v, irqs);
		break;
	case VGIC_POINT_RUNNING:
		judge_running(&j, vgic, v, irqs);
		break;
	}
	free(irqs);
	return st.violations;
}
