// SPDX-License-Identifier: GPL-2.0-only
/* What the guest does to its CPU interface, and where the access ends up. */
#include <errno.h>

#include "host_internal.h"

#define SPURIOUS(intid) ((intid) >= 1020 && (intid) <= VGIC_SPURIOUS)
#define SOURCE(value)	((uint8_t)(((value)&VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT))

static bool is_v2(const struct vgic_host *h)
{
	return h->vgic->cfg.model_v2;
}

/* INTID without the source of a GICv2 SGI. */
static uint32_t plain(const struct vgic_host *h, uint32_t value)
{
	return is_v2(h) ? value & 0x3ffu : value;
}

static void note_ack(struct vgic_host *h, unsigned int vcpu, unsigned int group, uint32_t value)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	uint32_t intid = plain(h, value);
	struct vgic_host_irq *i = vgic_host_irq(h, vcpu, intid);
	bool sgi = is_v2(h) && intid < VGIC_NR_SGIS;
	bool line;

	host_count(h, vcpu, VGIC_COUNT_ACKS);
	if (v->nr_acked < VGIC_HOST_MAX_ACKED)
		v->acked[v->nr_acked++] = (struct vgic_host_acked){
			.intid = intid, .group = (uint8_t)group, .source = sgi ? SOURCE(value) : 0};
	if (!i)
		return;
	i->acks++;
	i->owed = false;
	host_waited(h, vcpu, i);
	if (sgi ? i->guest_sources & (1u << SOURCE(value)) : i->guest_active)
		host_count(h, vcpu, VGIC_COUNT_REDELIVERED);
	i->guest_active = true;
	if (sgi)
		i->guest_sources |= 1u << SOURCE(value);
	line = i->phys.mapped ? i->phys.level : i->device;
	if (i->irq->level && !line && !i->irq->pending_latch)
		host_count(h, vcpu, VGIC_COUNT_SPURIOUS);
}

/* The newest acknowledge of it that waits for its EOI, or with dropped for its DIR; -1. */
static int find_acked(const struct vgic_host *h, unsigned int vcpu, uint32_t value, bool dropped)
{
	const struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	uint32_t intid = plain(h, value);

	for (int n = (int)v->nr_acked - 1; n >= 0; n--)
		if (v->acked[n].intid == intid && v->acked[n].dropped == dropped &&
		    (!is_v2(h) || intid >= VGIC_NR_SGIS || v->acked[n].source == SOURCE(value)))
			return n;
	return -1;
}

static void forget_acked(struct vgic_host_vcpu *v, int n)
{
	if (n < 0)
		return;
	v->nr_acked--;
	for (unsigned int i = (unsigned int)n; i < v->nr_acked; i++)
		v->acked[i] = v->acked[i + 1];
}

/* As far as the guest can know, the interrupt is over. */
static void note_over(struct vgic_host *h, unsigned int vcpu, uint32_t value)
{
	uint32_t intid = plain(h, value);
	struct vgic_host_irq *i = vgic_host_irq(h, vcpu, intid);

	if (!i)
		return;
	if (is_v2(h) && intid < VGIC_NR_SGIS)
		i->guest_sources &= (uint8_t) ~(1u << SOURCE(value));
	i->guest_active = i->guest_sources;
}

static void note_access(struct vgic_host *h, unsigned int vcpu, const struct vgic_access *a)
{
	if (a->did & VGIC_DID_COUNT)
		host_count(h, vcpu, VGIC_COUNT_EOICOUNTS);
	if (a->did & VGIC_DID_WRAP)
		host_count(h, vcpu, VGIC_COUNT_EOICOUNT_WRAPS);
}

/* Hardware has deactivated an LR with HW=1. */
static void hardware_did(struct vgic_host *h, unsigned int vcpu, const struct vgic_access *a)
{
	if (a->did & VGIC_DID_HW)
		physical_deactivate(h, vcpu, a->pintid);
}

static bool trapped(struct vgic_host *h, unsigned int vcpu, const struct vgic_access *a)
{
	if (!(a->did & VGIC_DID_TRAP))
		return false;
	host_count(h, vcpu, VGIC_COUNT_EL2_TRAPS);
	return true;
}

static unsigned int signalled_group(const struct vgic_host *h, unsigned int vcpu)
{
	return vgic_host_signal(h, vcpu) != 0;
}

static unsigned int ack_v2(struct vgic_v3_cpuif *hw, int group, struct vgic_access *a)
{
	int lr = vgic_v3_cpuif_hppi(hw);
	bool of1 = lr >= 0 && (hw->lr[lr] & VGIC_LR_GROUP1);
	bool aliased = group < 0 ? of1 && !(hw->vmcr & VGIC_VMCR_VACKCTL) : group;

	*a = vgic_gicv_ack(hw, aliased);
	return aliased || of1;
}

int vgic_host_ack(struct vgic_host *h, unsigned int vcpu, int group, struct vgic_access *access)
{
	int err = host_in_guest(h, vcpu);
	struct vgic_v3_cpuif *hw;
	unsigned int g;

	if (err)
		return err;
	hw = host_hw(h, vcpu);
	if (is_v2(h)) {
		g = ack_v2(hw, group, access);
	} else {
		g = group < 0 ? signalled_group(h, vcpu) : (unsigned int)group;
		*access = vgic_v3_cpuif_ack(hw, g);
		if (trapped(h, vcpu, access))
			*access = vgic_el2_ack(h->vgic, vcpu, hw, g);
	}
	if (access->did & VGIC_DID_ACK)
		note_ack(h, vcpu, g, access->intid);
	host_access(h, vcpu, VGIC_HOST_OP_ACK, access->intid, g, access);
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_eoi(struct vgic_host *h, unsigned int vcpu, int group, uint32_t intid,
		  struct vgic_access *access)
{
	int err = host_in_guest(h, vcpu), n;
	struct vgic_v3_cpuif *hw;
	struct vgic_host_irq *i;
	unsigned int g;
	bool split;

	if (err)
		return err;
	hw = host_hw(h, vcpu);
	split = (hw->vmcr & VGIC_VMCR_VEOIM) && intid < VGIC_LPI_BASE;
	n = find_acked(h, vcpu, intid, false);
	i = vgic_host_irq(h, vcpu, plain(h, intid));
	g = group >= 0 ? (unsigned int)group
	    : n >= 0   ? h->vcpus[vcpu].acked[n].group
		       : i && i->irq->group1;
	if (n >= 0 && split)
		h->vcpus[vcpu].acked[n].dropped = true;
	else
		forget_acked(&h->vcpus[vcpu], n);
	if (!split)
		note_over(h, vcpu, intid);
	if (is_v2(h)) {
		*access = vgic_gicv_eoi(hw, g && !(hw->vmcr & VGIC_VMCR_VACKCTL), intid);
		hardware_did(h, vcpu, access);
	} else {
		*access = vgic_v3_cpuif_eoi(hw, g, intid);
		hardware_did(h, vcpu, access);
		if (trapped(h, vcpu, access))
			*access = vgic_el2_eoi(h->vgic, vcpu, hw, g, intid);
	}
	note_access(h, vcpu, access);
	host_access(h, vcpu, VGIC_HOST_OP_EOI, intid, g, access);
	host_step_end(h, vcpu);
	return 0;
}

/* The hypervisor does it, after a full exit. */
static void dir_by_exit(struct vgic_host *h, unsigned int vcpu, uint32_t value)
{
	vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_DIR);
	vgic_deactivate(h->vgic, vcpu, value);
	h->vcpus[vcpu].want_enter = true;
}

static void dir_v3(struct vgic_host *h, unsigned int vcpu, uint32_t intid,
		   struct vgic_access *access)
{
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);
	uint32_t before = hw->hcr & VGIC_HCR_EOICOUNT;

	*access = vgic_v3_cpuif_dir(hw, intid);
	hardware_did(h, vcpu, access);
	host_access(h, vcpu, VGIC_HOST_OP_DIR, intid, 0, access);
	if (!(access->did & VGIC_DID_TRAP)) {
		note_access(h, vcpu, access);
		return;
	}
	host_count(h, vcpu, VGIC_COUNT_DIR_TRAPS);
	if (vgic_dir_fast(h->vgic, vcpu, hw, intid)) {
		host_count(h, vcpu, VGIC_COUNT_DIR_FAST);
		if ((hw->hcr & VGIC_HCR_EOICOUNT) != before)
			host_count(h, vcpu, VGIC_COUNT_EOICOUNTS);
		return;
	}
	dir_by_exit(h, vcpu, intid);
}

int vgic_host_dir(struct vgic_host *h, unsigned int vcpu, uint32_t intid,
		  struct vgic_access *access)
{
	int err = host_in_guest(h, vcpu);

	if (err)
		return err;
	if (host_hw(h, vcpu)->vmcr & VGIC_VMCR_VEOIM) {
		/* Whoever acknowledged it, it is over now. */
		for (unsigned int v = 0; v < h->vgic->cfg.nr_vcpus; v++)
			if (plain(h, intid) >= VGIC_NR_PRIVATE || v == vcpu)
				forget_acked(&h->vcpus[v], find_acked(h, v, intid, true));
		note_over(h, vcpu, intid);
	}
	if (!is_v2(h)) {
		dir_v3(h, vcpu, intid, access);
	} else if (h->vgic->cfg.policy->trap_gicv_dir) {
		*access = (struct vgic_access){.did = VGIC_DID_TRAP, .intid = intid, .lr = -1};
		host_count(h, vcpu, VGIC_COUNT_DIR_TRAPS);
		host_access(h, vcpu, VGIC_HOST_OP_DIR, intid, 0, access);
		dir_by_exit(h, vcpu, intid);
	} else {
		*access = vgic_gicv_dir(host_hw(h, vcpu), intid);
		host_access(h, vcpu, VGIC_HOST_OP_DIR, intid, 0, access);
		hardware_did(h, vcpu, access);
		note_access(h, vcpu, access);
	}
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_nested_end(struct vgic_host *h, unsigned int vcpu, uint32_t intid)
{
	struct vgic_host_irq *i = vgic_host_irq(h, vcpu, intid);
	int err = i ? host_in_guest(h, vcpu) : -EINVAL;

	if (err)
		return err;
	forget_acked(&h->vcpus[vcpu], find_acked(h, vcpu, intid, true));
	note_over(h, vcpu, intid);
	host_access(h, vcpu, VGIC_HOST_OP_NESTED_END, intid, 0, NULL);
	host_count(h, vcpu, VGIC_COUNT_STEPS);
	/* Its ERET is an exit; what its guest ends is in the hardware's LRs by translation. */
	vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_ELSE);
	if (i->phys.mapped)
		physical_deactivate(h, vcpu, i->phys.pintid);
	h->vgic->vcpus[vcpu].nested = true;
	vgic_deactivate(h->vgic, vcpu, intid);
	h->vgic->vcpus[vcpu].nested = false;
	h->vcpus[vcpu].want_enter = true;
	vgic_host_settle(h);
	return 0;
}

int vgic_host_write_pmr(struct vgic_host *h, unsigned int vcpu, uint8_t prio)
{
	int err = host_in_guest(h, vcpu);
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);
	uint32_t traps = is_v2(h) ? hw->hcr & VGIC_HCR_TC : 0;

	if (err)
		return err;
	hw->hcr &= ~traps;
	if (!vgic_v3_cpuif_write_pmr(hw, prio)) {
		host_count(h, vcpu, VGIC_COUNT_EL2_TRAPS);
		vgic_el2_write_pmr(hw, prio);
	}
	hw->hcr |= traps;
	host_access(h, vcpu, VGIC_HOST_OP_PMR, prio, 0, NULL);
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_write_bpr(struct vgic_host *h, unsigned int vcpu, unsigned int group, uint32_t value)
{
	int err = host_in_guest(h, vcpu);
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);
	uint32_t all = VGIC_HCR_TALL0 | VGIC_HCR_TALL1, traps = is_v2(h) ? hw->hcr & all : 0;

	if (err)
		return err;
	hw->hcr &= ~traps;
	if (!vgic_v3_cpuif_write_bpr(hw, group, value & 7)) {
		host_count(h, vcpu, VGIC_COUNT_EL2_TRAPS);
		vgic_el2_write_bpr(h->vgic, hw, group, value);
	}
	hw->hcr |= traps;
	host_access(h, vcpu, VGIC_HOST_OP_BPR, value, group, NULL);
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_write_igrpen(struct vgic_host *h, unsigned int vcpu, unsigned int group, bool on)
{
	int err = host_in_guest(h, vcpu);
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);
	uint32_t bit = group ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0;

	if (err)
		return err;
	if (is_v2(h)) {
		vgic_gicv_write_ctlr(hw, on ? hw->vmcr | bit : hw->vmcr & ~bit);
	} else if (!vgic_v3_cpuif_write_igrpen(hw, group, on)) {
		host_count(h, vcpu, VGIC_COUNT_EL2_TRAPS);
		vgic_el2_write_igrpen(hw, group, on);
	}
	host_access(h, vcpu, VGIC_HOST_OP_IGRPEN, on, group, NULL);
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_write_ctlr(struct vgic_host *h, unsigned int vcpu, bool eoimode, bool cbpr)
{
	int err = host_in_guest(h, vcpu);
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);

	if (err)
		return err;
	if (is_v2(h)) {
		vgic_gicv_write_ctlr(hw, (hw->vmcr & ~(VGIC_VMCR_VEOIM | VGIC_VMCR_VCBPR)) |
						 (eoimode ? VGIC_VMCR_VEOIM : 0) |
						 (cbpr ? VGIC_VMCR_VCBPR : 0));
	} else if (!vgic_v3_cpuif_write_ctlr(hw, eoimode, cbpr)) {
		host_count(h, vcpu, VGIC_COUNT_EL2_TRAPS);
		vgic_el2_write_ctlr(hw, eoimode, cbpr);
	}
	host_access(h, vcpu, VGIC_HOST_OP_CTLR, eoimode | (uint32_t)cbpr << 1, 0, NULL);
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_write_apr(struct vgic_host *h, unsigned int vcpu, unsigned int group, uint8_t prio)
{
	int err = host_in_guest(h, vcpu);
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);
	unsigned int level =
		vgic_v3_cpuif_group_priority(hw, group, prio) >> (8 - hw->cfg->pre_bits);

	if (err)
		return err;
	(group ? hw->ap1r : hw->ap0r)[level / 32] |= 1u << (level % 32);
	host_access(h, vcpu, VGIC_HOST_OP_APR, prio, group, NULL);
	host_step_end(h, vcpu);
	return 0;
}

int vgic_host_step(struct vgic_host *h, unsigned int vcpu, unsigned int n)
{
	while (n--) {
		int err = host_in_guest(h, vcpu);

		if (err)
			return err;
		host_step_end(h, vcpu);
	}
	return 0;
}

/* kvm_vcpu_wfi: OV-83. What is signalled already wakes the CPU without an exit. */
int vgic_host_wfi(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	int err = host_in_guest(h, vcpu);

	if (err)
		return err;
	host_access(h, vcpu, VGIC_HOST_OP_WFI, 0, 0, NULL);
	if (vgic_host_signal(h, vcpu) >= 0) {
		host_step_end(h, vcpu);
		return 1;
	}
	host_count(h, vcpu, VGIC_COUNT_STEPS);
	vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_WFI);
	vgic_host_put(h, vcpu);
	if (vgic_vcpu_pending_irq(h->vgic, vcpu)) {
		v->want_enter = true;
		vgic_host_settle(h);
		if (vgic_host_signal(h, vcpu) < 0)
			host_count(h, vcpu, VGIC_COUNT_WFI_SPINS);
		return 1;
	}
	v->state = VGIC_HOST_ASLEEP;
	v->kicked = false;
	host_tell(h, &(struct vgic_host_event){.what = VGIC_HOST_SLEEPS, .vcpu = vcpu});
	vgic_host_settle(h);
	return v->state == VGIC_HOST_ASLEEP ? 0 : 1;
}

int vgic_host_sgi(struct vgic_host *h, unsigned int vcpu, uint32_t intid, uint32_t targets)
{
	int err = host_in_guest(h, vcpu);

	if (err)
		return err;
	host_access(h, vcpu, VGIC_HOST_OP_SGI, intid, targets, NULL);
	host_count(h, vcpu, VGIC_COUNT_STEPS);
	vgic_host_exit(h, vcpu, is_v2(h) ? VGIC_HOST_EXIT_MMIO : VGIC_HOST_EXIT_SGI);
	for (unsigned int t = 0; t < h->vgic->cfg.nr_vcpus; t++) {
		struct vgic_host_irq *i = vgic_host_irq(h, t, intid);

		if (!(targets & (1u << t)) || !i || intid >= VGIC_NR_SGIS)
			continue;
		if (is_v2(h))
			vgic_write_gicd_sgir(h->vgic, vcpu, (1u << t) << 16 | intid);
		else if (!vgic_send_sgi(h->vgic, t, intid, true))
			continue;
		i->owed = true;
		host_rises(h, i);
	}
	h->vcpus[vcpu].want_enter = true;
	vgic_host_settle(h);
	return 0;
}

int vgic_host_mmio_begin(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	int err;

	if (v->pause && v->state == VGIC_HOST_OUT)
		return 0;
	err = host_in_guest(h, vcpu);
	if (err)
		return err;
	host_count(h, vcpu, VGIC_COUNT_STEPS);
	vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_MMIO);
	return 0;
}

void vgic_host_mmio_end(struct vgic_host *h, unsigned int vcpu)
{
	h->vcpus[vcpu].want_enter = true;
	vgic_host_settle(h);
}
