// SPDX-License-Identifier: GPL-2.0-only
/* Which rule stands behind a difference, and its plain words. */
#include "verify_internal.h"

const struct rule rule_skip = {"OV-18", "HI-1",
			       "a flush or sync is skipped exactly if the list is empty, and only "
			       "by kernels that have the short cut"};
const struct rule rule_used = {"OV-20", "HI-4",
			       "every deliverable interrupt gets an LR until all are full"};
const struct rule rule_order_flush = {
	"OV-17", "HI-3",
	"the list is sorted if and only if it does not fit, by the policy's keys, stably"};
const struct rule rule_boundary = {
	"OV-21", NULL,
	"last_lr_irq is the interrupt in the last LR if all LRs are full, else none (7.0: the one "
	"in the last LR used; 6.12, 6.19: there is none)"};
const struct rule rule_order_sync = {
	"OV-55", "HI-9",
	"prune keeps what is deliverable here, in order, and drops or moves the rest"};
const struct rule rule_owner = {
	"OV-55", "HI-9",
	"an interrupt stays on the list of the vCPU that the oracle names, else it is on none"};
const struct rule rule_counter = {
	"OV-49", NULL,
	"active_spis falls by one for each level SPI whose software-active state ends"};
const struct rule rule_level = {"OV-47", NULL,
				"the physical level of a mapped interrupt is read if its LR came "
				"back pending, or it was deactivated while its line was high"};
const struct rule rule_notify = {
	"OV-49", "HI-8", "resamplers are notified of an SPI whose LR ended with the EOI bit set"};

const struct rule rule_called_off = {
	"OV-73", NULL, "from 7.3 on an entry is called off before its flush, and then has no sync"};
const struct rule rule_mode_flush = {
	"OV-73", NULL,
	"a vCPU counts as in the guest at the flush from 7.3 on, before only after it"};
const struct rule rule_mode_sync = {
	"OV-73", NULL,
	"a vCPU counts as in the guest until after the sync from 7.3 on, before not"};

const struct rule rule_fold = {
	"OV-50", "HI-8",
	"a sync folds: always, only if LRs were used (6.12), or only if last_lr_irq is set (7.0)"};
const struct rule rule_vmcr = {"OV-39", "HI-7",
			       "VMCR is read back at every exit (6.12: only when the vCPU is put)"};
const struct rule rule_hcr_back = {
	"OV-41", "HI-7",
	"HCR comes back as the flush left it, with EOIcount only under LRENPIE (6.12: never)"};

static const struct rule lr_intid = {
	"OV-20", "HI-4", "LRs hold the first deliverable interrupts of the list, in order"};
static const struct rule lr_active = {"OV-23", NULL,
				      "Active in the LR is the interrupt's active state"};
static const struct rule lr_hw = {
	"OV-24", NULL, "a mapped interrupt sets HW and the physical INTID, and never EOI"};
static const struct rule lr_eoi = {"OV-25", NULL, "EOI is set for a level interrupt without HW"};
static const struct rule lr_pending = {
	"OV-26", NULL, "Pending is set if the interrupt pends and may pend with its active state"};
static const struct rule lr_rest = {"OV-27", NULL, "group and priority are the interrupt's"};

static const struct rule hcr_en = {"OV-29", "HI-6", "En is always set"};
static const struct rule hcr_uie = {"OV-30", "HI-4", "UIE iff interrupts are left outside the LRs"};
static const struct rule hcr_np = {
	"OV-30", "HI-5", "NPIE iff more interrupts pend than there are LRs (6.12: never)"};
static const struct rule hcr_lrenp = {
	"OV-30", "HI-5",
	"LRENPIE iff there are active interrupts and the list does not fit (6.12: never)"};
static const struct rule hcr_sgi = {"OV-31", "HI-5",
				    "vSGIEOICount iff there is no SGI in the list (6.12: never)"};
static const struct rule hcr_grp = {"OV-32", "HI-5",
				    "each group arms the interrupt for its change: disabled if it "
				    "is on, enabled if it is off (6.12: never)"};
static const struct rule hcr_tdir = {"OV-33", "HI-6",
				     "TDIR iff active interrupts are outside, SPIs are about, or "
				     "the host lacks TDIR (6.12: never)"};
static const struct rule hcr_eoicount = {"OV-34", "HI-7", "EOIcount starts at 0"};
static const struct rule hcr_rest = {"OV-35", "HI-6", "no other bit is set in the shadow"};

static const struct rule populated = {"OV-28", NULL,
				      "a pending interrupt moves into its LR: edge latch and "
				      "mapped line are cleared, on_lr is set"};
static const struct rule unchanged = {"OV-28", NULL, "nothing else of the interrupt changes"};

static const struct rule fold_lpi = {
	"OV-42", "HI-8", "an LPI is never active after a fold (6.12: it keeps the LR's state)"};
static const struct rule fold_active = {"OV-43", "HI-8", "active is the LR's Active bit"};
static const struct rule replayed = {
	"OV-52", "HI-7",
	"EOIcount deactivates active interrupts of the list behind the boundary, in order"};
static const struct rule fold_edge = {"OV-44", "HI-8",
				      "an edge interrupt that comes back pending is pending again"};
static const struct rule fold_level = {
	"OV-45", "HI-8",
	"a level interrupt whose LR comes back empty loses its soft-pending state"};
static const struct rule fold_source = {"OV-46", "HI-8",
					"the source of a GICv2 SGI comes back with its LR"};
static const struct rule fold_line = {
	"OV-47", NULL,
	"a mapped line is sampled again when its LR comes back pending or was deactivated"};
static const struct rule fold_on_lr = {"OV-48", NULL, "after the fold no interrupt is on an LR"};
static const struct rule fold_unchanged = {"OV-48", "HI-8",
					   "nothing else of the interrupt changes"};

const struct rule *rule_of_lr(uint64_t diff)
{
	if (diff & 0xffffffffull)
		return &lr_intid;
	if (diff & VGIC_LR_ACTIVE)
		return &lr_active;
	if (diff & VGIC_LR_HW)
		return &lr_hw;
	if (diff & VGIC_LR_PENDING)
		return &lr_pending;
	if (diff & VGIC_LR_EOI)
		return &lr_eoi;
	if (diff & VGIC_LR_PINTID)
		return &lr_hw;
	return &lr_rest;
}

const struct rule *rule_of_hcr(uint32_t diff)
{
	if (diff & VGIC_HCR_EN)
		return &hcr_en;
	if (diff & VGIC_HCR_UIE)
		return &hcr_uie;
	if (diff & VGIC_HCR_NPIE)
		return &hcr_np;
	if (diff & VGIC_HCR_LRENPIE)
		return &hcr_lrenp;
	if (diff & VGIC_HCR_VSGIEOICOUNT)
		return &hcr_sgi;
	if (diff & (VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP0DIE | VGIC_HCR_VGRP1EIE | VGIC_HCR_VGRP1DIE))
		return &hcr_grp;
	if (diff & VGIC_HCR_TDIR)
		return &hcr_tdir;
	if (diff & VGIC_HCR_EOICOUNT)
		return &hcr_eoicount;
	return &hcr_rest;
}

const struct rule *rule_of_populated(const struct vgr_irq *kernel, const struct vgr_irq *model)
{
	uint16_t diff = kernel->state ^ model->state;

	if ((diff & (VGR_IRQ_LATCH | VGR_IRQ_LINE | VGR_IRQ_ON_LR)) ||
	    kernel->source != model->source)
		return &populated;
	return &unchanged;
}

const struct rule *rule_of_folded(const struct vgr_irq *kernel, const struct vgr_irq *model,
				  bool in_lr)
{
	uint16_t diff = kernel->state ^ model->state;

	if (diff & VGR_IRQ_ACTIVE) {
		if (kernel->intid >= VGIC_LPI_BASE)
			return &fold_lpi;
		return in_lr ? &fold_active : &replayed;
	}
	if (diff & VGR_IRQ_LATCH)
		return kernel->state & VGR_IRQ_LEVEL ? &fold_level : &fold_edge;
	if (diff & VGR_IRQ_LINE)
		return &fold_line;
	if (diff & VGR_IRQ_ON_LR)
		return &fold_on_lr;
	if (kernel->source != model->source || kernel->active_source != model->active_source)
		return &fold_source;
	if (kernel->vcpu != model->vcpu)
		return &rule_owner;
	return &fold_unchanged;
}
