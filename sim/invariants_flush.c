// SPDX-License-Identifier: GPL-2.0-only
/* One entry to the guest: do list, list registers and HCR agree? */
#include <stdio.h>
#include <string.h>

#include "invariants_internal.h"

#define HCR_GROUP0 (VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP0DIE)
#define HCR_GROUP1 (VGIC_HCR_VGRP1EIE | VGIC_HCR_VGRP1DIE)

const char *inv_state_text(char *buf, size_t size, const struct vgr_irq *irq)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s, priority 0x%02x",
		 irq->state & VGR_IRQ_LEVEL ? "level" : "edge",
		 irq->state & VGR_IRQ_ENABLED ? "" : " disabled",
		 irq->state & VGR_IRQ_LATCH ? " latched" : "",
		 irq->state & VGR_IRQ_LINE ? " line" : "",
		 irq->state & VGR_IRQ_ACTIVE ? " active" : "", irq->state & VGR_IRQ_HW ? " hw" : "",
		 irq->state & VGR_IRQ_ON_LR ? " on_lr" : "", irq->priority);
	return buf;
}

/* Populating takes the pending state away from the interrupt; it stands in the LR then. */
static struct vgr_irq as_populated(const struct vgr_irq *irq, const struct inv_entry *e, int lr)
{
	struct vgr_irq was = *irq;

	if (lr >= 0 && (e->lr[lr] & VGIC_LR_PENDING))
		was.state |= VGR_IRQ_LATCH;
	return was;
}

static bool deliverable(const struct inv_entry *e, const struct vgr_irq *irq)
{
	struct vgr_irq was =
		as_populated(irq, e, inv_lr_of(e->lr, e->used, irq->intid, e->model_v2));

	return inv_oracle(&was, e->dist_enabled) == e->vcpu;
}

/* What the list asks of the list registers. */
struct demand {
	unsigned int want;	      /* deliverable interrupts */
	unsigned int active_out;      /* of them, active and in no LR */
	bool sources;		      /* an SGI has sources left */
	const struct vgr_irq *urgent; /* most urgent one that is pending only and in no LR */
};

static struct demand demand_of(const struct inv_entry *e)
{
	struct demand d = {0};

	for (size_t i = 0; i < e->n; i++) {
		const struct vgr_irq *irq = &e->irqs[i];
		int lr = inv_lr_of(e->lr, e->used, irq->intid, e->model_v2);
		struct vgr_irq was;

		if (irq->intid < VGIC_NR_SGIS && irq->source)
			d.sources = true;
		was = as_populated(irq, e, lr);
		if (inv_oracle(&was, e->dist_enabled) != e->vcpu)
			continue;
		d.want++;
		if (lr >= 0)
			continue;
		if (irq->state & VGR_IRQ_ACTIVE)
			d.active_out++;
		else if (inv_group_on(e->vmcr, irq) &&
			 (!d.urgent || irq->priority < d.urgent->priority))
			d.urgent = irq;
	}
	return d;
}

static const struct vgr_irq *listed(const struct inv_entry *e, uint32_t intid)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->irqs[i].intid == intid)
			return &e->irqs[i];
	return NULL;
}

/* Rules 3 and 4. */
static void judge_lrs(struct inv_judge *j, const struct inv_entry *e)
{
	char text[96];

	for (unsigned int i = 0; i < e->used; i++) {
		uint32_t intid = inv_lr_intid(e->lr[i], e->model_v2);
		const struct vgr_irq *irq;
		struct vgr_irq was;

		if (!e->lr[i])
			continue;
		j->evaluated[3]++;
		j->evaluated[4]++;
		if (inv_lr_of(e->lr, i, intid, e->model_v2) >= 0)
			inv_suspect(
				j, INV_ONE_LR, intid, 0,
				"it is in LR %d (0x%016llx) and in LR %u (0x%016llx)",
				inv_lr_of(e->lr, i, intid, e->model_v2),
				(unsigned long long)e->lr[inv_lr_of(e->lr, i, intid, e->model_v2)],
				i, (unsigned long long)e->lr[i]);
		irq = listed(e, intid);
		if (!irq) {
			inv_suspect(j, INV_LR_LISTED, intid, INV_MAY_MOVE,
				    "LR %u is 0x%016llx, and the list of %zu interrupts has no %u",
				    i, (unsigned long long)e->lr[i], e->n, intid);
			continue;
		}
		was = as_populated(irq, e, i);
		if (inv_oracle(&was, e->dist_enabled) != e->vcpu)
			inv_suspect(j, INV_LR_ORACLE, intid, INV_MAY_ANY,
				    "LR %u is 0x%016llx, but it is %s, routed to vCPU %d", i,
				    (unsigned long long)e->lr[i],
				    inv_state_text(text, sizeof(text), irq), (int16_t)irq->target);
		if (!(irq->state & VGR_IRQ_ON_LR))
			inv_suspect(j, INV_ON_LR_SET, intid, 0,
				    "LR %u is 0x%016llx, and on_lr is 0", i,
				    (unsigned long long)e->lr[i]);
	}
}

/* Rule 5. */
static void judge_filling(struct inv_judge *j, const struct inv_entry *e, const struct demand *d)
{
	unsigned int want = d->want < e->nr_lr ? d->want : e->nr_lr, lr = 0;

	j->evaluated[5]++;
	if (e->used != want && !(e->barrier && d->sources))
		inv_suspect(j, INV_USED, VGR_BOUNDARY_NONE, INV_MAY_ANY,
			    "%u LRs are used of %u, and %u interrupts are deliverable", e->used,
			    e->nr_lr, d->want);
	for (size_t i = 0; i < e->n && lr < e->used; i++) {
		if (!deliverable(e, &e->irqs[i]))
			continue;
		if (e->lr[lr] && inv_lr_intid(e->lr[lr], e->model_v2) != e->irqs[i].intid) {
			inv_suspect(j, INV_LR_ORDER, e->irqs[i].intid, INV_MAY_ANY,
				    "it is deliverable number %u of the list, and LR %u holds %u",
				    lr, lr, inv_lr_intid(e->lr[lr], e->model_v2));
			return;
		}
		lr++;
	}
}

/* Rule 6. */
static void judge_tail(struct inv_judge *j, const struct inv_entry *e)
{
	size_t i = 0;

	if (e->boundary == VGR_BOUNDARY_UNKNOWN) {
		if (j->undecided && j->on[INV_TAIL])
			j->undecided(j->to, 6, VGIC_UNDECIDED_GONE);
		return;
	}
	if (!j->on[INV_TAIL])
		return;
	j->evaluated[6]++;
	if (e->boundary == VGR_BOUNDARY_NONE)
		return;
	while (i < e->n && e->irqs[i].intid != e->boundary)
		i++;
	if (i == e->n) {
		inv_suspect(j, INV_BOUNDARY, e->boundary, 0,
			    "last_lr_irq is %u, and the list of %zu interrupts does not have it",
			    e->boundary, e->n);
		return;
	}
	for (i++; i < e->n; i++)
		if (inv_lr_of(e->lr, e->used, e->irqs[i].intid, e->model_v2) >= 0)
			inv_suspect(j, INV_TAIL, e->irqs[i].intid, 0,
				    "it is behind last_lr_irq %u and in LR %d", e->boundary,
				    inv_lr_of(e->lr, e->used, e->irqs[i].intid, e->model_v2));
}

/* Rule 7: is the most urgent one outside kept out by something less urgent? */
static void judge_choice(struct inv_judge *j, const struct inv_entry *e, const struct demand *d)
{
	const struct vgr_irq *out = d->urgent;
	bool split = e->vmcr & VGIC_VMCR_VEOIM;
	bool active = false, group = false, priority = false;

	if (d->want <= e->nr_lr)
		return;
	j->evaluated[7]++;
	for (unsigned int i = 0; out && i < e->used; i++) {
		uint32_t intid = inv_lr_intid(e->lr[i], e->model_v2);
		const struct vgr_irq *in = e->lr[i] ? listed(e, intid) : NULL;

		if (!in)
			continue;
		if (e->lr[i] & VGIC_LR_ACTIVE) {
			/* With EOImode 0 an active one runs: it may be the more urgent one. */
			const char *known = split			   ? "L1"
					    : out->priority < in->priority ? "L2"
									   : NULL;

			if (!active)
				inv_suspect_known(j, INV_ACTIVE_IN, out->intid, INV_MAY_ANY, known,
						  "pending with priority 0x%02x and outside, while "
						  "LR %u holds %u, active with 0x%02x; EOImode %d",
						  out->priority, i, intid, in->priority, split);
			active = true;
		} else if (!inv_group_on(e->vmcr, in) && j->on[INV_GROUP_IN]) {
			if (!group)
				inv_suspect(j, INV_GROUP_IN, out->intid, INV_MAY_ANY,
					    "pending with priority 0x%02x and outside, while LR %u "
					    "holds %u, whose group is disabled",
					    out->priority, i, intid);
			group = true;
		} else if (in->priority > out->priority) {
			if (!priority)
				inv_suspect(j, INV_PRIORITY, out->intid, INV_MAY_ANY,
					    "pending with priority 0x%02x and outside, while LR %u "
					    "holds %u with 0x%02x",
					    out->priority, i, intid, in->priority);
			priority = true;
		}
	}
}

/* Rule 8. */
static void judge_lr(struct inv_judge *j, const struct inv_entry *e, unsigned int i)
{
	uint64_t lr = e->lr[i];
	uint32_t intid = inv_lr_intid(lr, e->model_v2);
	bool both = (lr & VGIC_LR_STATE) == VGIC_LR_STATE;
	bool v2_sgi = e->model_v2 && intid < VGIC_NR_SGIS;
	const struct vgr_irq *irq = listed(e, intid);
	bool level, hw;
	uint16_t pintid = (lr & VGIC_LR_PINTID) >> VGIC_LR_PINTID_SHIFT;

	if (!lr || !irq)
		return;
	j->evaluated[8]++;
	level = irq->state & VGR_IRQ_LEVEL;
	hw = (irq->state & VGR_IRQ_HW) && !(irq->state & VGR_IRQ_RESAMPLE);
	if (both && ((lr & VGIC_LR_HW) || level || v2_sgi))
		inv_suspect(j, INV_LR_BOTH, intid, INV_MAY_CONFIG,
			    "LR %u is 0x%016llx: pending and active, of %s", i,
			    (unsigned long long)lr,
			    lr & VGIC_LR_HW ? "a mapped interrupt"
			    : level	    ? "a level interrupt"
					    : "an SGI of a GICv2 guest");
	if (hw != !!(lr & VGIC_LR_HW))
		inv_suspect(j, INV_LR_HW, intid, INV_MAY_CONFIG,
			    "LR %u is 0x%016llx: HW is %d, and it is %smapped", i,
			    (unsigned long long)lr, !!(lr & VGIC_LR_HW), hw ? "" : "not ");
	else if (hw && pintid != (irq->hwintid & (e->gicv2 ? 0x3ff : 0x1fff)))
		inv_suspect(j, INV_LR_HW, intid, INV_MAY_CONFIG,
			    "LR %u is 0x%016llx: physical INTID %u, and it is mapped to %u", i,
			    (unsigned long long)lr, pintid, irq->hwintid);
	/* With HW the bit is part of the physical INTID. */
	if (!(lr & VGIC_LR_HW) && (lr & VGIC_LR_EOI) && !level && !(v2_sgi && irq->source))
		inv_suspect(j, INV_LR_EOI, intid, INV_MAY_CONFIG,
			    "LR %u is 0x%016llx: EOI is set for an edge%s", i,
			    (unsigned long long)lr, v2_sgi ? " of one source" : "");
}

static bool one_of(uint32_t hcr, uint32_t bits)
{
	uint32_t set = hcr & bits;

	return set && set != bits;
}

/* Rule 9. */
static void judge_hcr(struct inv_judge *j, const struct inv_entry *e, const struct demand *d)
{
	uint32_t hcr = e->hcr;
	bool active_out = d->active_out && d->want > e->nr_lr;

	j->evaluated[9]++;
	if (hcr & VGIC_HCR_EOICOUNT)
		inv_suspect(j, INV_EOICOUNT, VGR_BOUNDARY_NONE, 0, "HCR is 0x%08x: EOIcount is %u",
			    hcr, vgic_v3_eoicount(hcr));
	if (!one_of(hcr, HCR_GROUP0) || !one_of(hcr, HCR_GROUP1))
		inv_suspect(j, INV_GROUP_MI, VGR_BOUNDARY_NONE, 0,
			    "HCR is 0x%08x: group %d arms %s of VGrp%dEIE and VGrp%dDIE", hcr,
			    one_of(hcr, HCR_GROUP0),
			    hcr & (one_of(hcr, HCR_GROUP0) ? HCR_GROUP1 : HCR_GROUP0) ? "both"
										      : "none",
			    one_of(hcr, HCR_GROUP0), one_of(hcr, HCR_GROUP0));
	if ((hcr & VGIC_HCR_NPIE) && !(hcr & VGIC_HCR_UIE))
		inv_suspect(j, INV_NPIE_UIE, VGR_BOUNDARY_NONE, 0,
			    "HCR is 0x%08x: NPIE without UIE", hcr);
	if ((hcr & VGIC_HCR_LRENPIE) && !(hcr & VGIC_HCR_UIE))
		inv_suspect(j, INV_LRENPIE_UIE, VGR_BOUNDARY_NONE, 0,
			    "HCR is 0x%08x: LRENPIE without UIE", hcr);
	if (active_out && !(hcr & VGIC_HCR_TDIR))
		inv_suspect(j, INV_TDIR, VGR_BOUNDARY_NONE, INV_MAY_ANY,
			    "HCR is 0x%08x: no TDIR, with %u active interrupts outside the LRs",
			    hcr, d->active_out);
	if (active_out && !(hcr & VGIC_HCR_LRENPIE))
		inv_suspect(j, INV_LRENPIE, VGR_BOUNDARY_NONE, INV_MAY_ANY,
			    "HCR is 0x%08x: no LRENPIE, with %u active interrupts outside the LRs",
			    hcr, d->active_out);
	if ((hcr & VGIC_HCR_UIE) && d->want <= e->nr_lr)
		inv_suspect(j, INV_UIE, VGR_BOUNDARY_NONE, INV_MAY_ANY,
			    "HCR is 0x%08x: UIE, and all %u deliverable interrupts are in LRs", hcr,
			    d->want);
}

/* Rule 10. */
static void judge_misr(struct inv_judge *j, const struct inv_entry *e)
{
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(e->nr_lr);
	struct vgic_v3_cpuif c;
	bool pending = false;
	uint32_t misr;

	vgic_v3_cpuif_init(&c, &cfg);
	for (unsigned int i = 0; i < e->used; i++) {
		c.lr[i] = e->lr[i];
		if ((e->lr[i] & VGIC_LR_STATE) == VGIC_LR_PENDING)
			pending = true;
	}
	c.hcr = e->hcr;
	c.vmcr = e->vmcr;
	misr = vgic_v3_cpuif_misr(&c);
	/* Both are known and harmless but for the time they cost (kvm-overflow.md 18, Q1; HW-T4).
	 */
	if (e->nr_lr == 1)
		misr &= ~VGIC_MISR_U;
	if (!pending)
		misr &= ~VGIC_MISR_NP;
	j->evaluated[10]++;
	if (misr)
		inv_suspect(j, INV_MISR, VGR_BOUNDARY_NONE, INV_MAY_ANY,
			    "MISR is 0x%02x at the entry: HCR 0x%08x, VMCR 0x%08x, %u LRs used",
			    misr, e->hcr, e->vmcr, e->used);
}

/* Rule 16. */
static void judge_spis(struct inv_judge *j, const struct inv_entry *e)
{
	if (!j->on[INV_SPIS_TDIR] || e->active_spis == -1)
		return;
	j->evaluated[16]++;
	if (e->active_spis < 0)
		inv_suspect(j, INV_SPIS_NEGATIVE, VGR_BOUNDARY_NONE, 0, "active_spis is %d",
			    e->active_spis);
	else if (e->active_spis && !(e->hcr & VGIC_HCR_TDIR))
		inv_suspect(j, INV_SPIS_TDIR, VGR_BOUNDARY_NONE, INV_MAY_COUNT,
			    "active_spis is %d, and HCR is 0x%08x: no TDIR", e->active_spis,
			    e->hcr);
}

void inv_judge_entry(struct inv_judge *j, const struct inv_entry *e)
{
	struct demand d = demand_of(e);

	j->evaluated[1]++;
	for (size_t i = 0; i < e->n; i++)
		if (e->irqs[i].vcpu != e->vcpu)
			inv_suspect(j, INV_OWNER, e->irqs[i].intid, INV_MAY_MOVE | INV_MAY_PEND,
				    "it is on the list of vCPU %u, and its owner is %d", e->vcpu,
				    (int16_t)e->irqs[i].vcpu);
	judge_lrs(j, e);
	judge_tail(j, e);
	if (e->late && j->undecided) {
		j->undecided(j->to, 5, VGIC_UNDECIDED_LATE);
		j->undecided(j->to, 9, VGIC_UNDECIDED_LATE);
	} else {
		judge_filling(j, e, &d);
		judge_choice(j, e, &d);
		judge_hcr(j, e, &d);
	}
	for (unsigned int i = 0; i < e->used; i++)
		judge_lr(j, e, i);
	judge_misr(j, e);
	judge_spis(j, e);
}
