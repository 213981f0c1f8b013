// SPDX-License-Identifier: GPL-2.0-only
/* The GICv3 virtual CPU interface: what hardware does with the list registers. */
#include <vgicsim/cpuif.h>

#include <string.h>

struct vgic_v3_cpuif_config vgic_v3_cpuif_defaults(unsigned int nr_lr)
{
	return (struct vgic_v3_cpuif_config){
		.nr_lr = nr_lr,
		.pre_bits = 5,
		.prio_bits = 5,
		.has_tds = true,
	};
}

struct vgic_v3_cpuif_config vgic_v3_cpuif_qemu(unsigned int nr_lr)
{
	struct vgic_v3_cpuif_config cfg = vgic_v3_cpuif_defaults(nr_lr);

	cfg.eoicount_on_split_eoir = true;
	cfg.vgrp0d_tests_veng1 = true;
	return cfg;
}

void vgic_v3_cpuif_init(struct vgic_v3_cpuif *c, const struct vgic_v3_cpuif_config *cfg)
{
	memset(c, 0, sizeof(*c));
	c->cfg = cfg;
}

static bool special(uint32_t intid)
{
	return intid >= 1020 && intid <= VGIC_SPURIOUS;
}

static unsigned int lr_group(uint64_t lr)
{
	return !!(lr & VGIC_LR_GROUP1);
}

static uint8_t lr_priority(const struct vgic_v3_cpuif *c, uint64_t lr)
{
	return (lr >> VGIC_LR_PRIORITY_SHIFT) & (0xff00u >> c->cfg->prio_bits);
}

static bool group_enabled(const struct vgic_v3_cpuif *c, unsigned int group)
{
	return c->vmcr & (group ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0);
}

static unsigned int min_bpr0(const struct vgic_v3_cpuif *c)
{
	return 7 - c->cfg->pre_bits;
}

/* First bit of a priority that belongs to the group priority (HW-9). */
static unsigned int group_shift(const struct vgic_v3_cpuif *c, unsigned int group)
{
	unsigned int bpr0 = (c->vmcr & VGIC_VMCR_VBPR0) >> VGIC_VMCR_VBPR0_SHIFT;
	unsigned int bpr1 = (c->vmcr & VGIC_VMCR_VBPR1) >> VGIC_VMCR_VBPR1_SHIFT;

	if (group && !(c->vmcr & VGIC_VMCR_VCBPR))
		return bpr1 > min_bpr0(c) + 1 ? bpr1 : min_bpr0(c) + 1;
	bpr0 = (bpr0 > min_bpr0(c) ? bpr0 : min_bpr0(c)) + 1;
	return group && c->cfg->cbpr_saturates && bpr0 > 7 ? 7 : bpr0;
}

uint8_t vgic_v3_cpuif_group_priority(const struct vgic_v3_cpuif *c, unsigned int group,
				     uint8_t prio)
{
	return prio & (0xffu << group_shift(c, group));
}

static unsigned int nr_aprs(const struct vgic_v3_cpuif *c)
{
	return 1u << (c->cfg->pre_bits - 5);
}

/* Position of the lowest bit over both groups' registers, -1 if none. */
static int lowest_active(const struct vgic_v3_cpuif *c)
{
	for (unsigned int i = 0; i < nr_aprs(c); i++) {
		uint32_t both = c->ap0r[i] | c->ap1r[i];

		if (both)
			return i * 32 + __builtin_ctz(both);
	}
	return -1;
}

uint8_t vgic_v3_cpuif_running_priority(const struct vgic_v3_cpuif *c)
{
	int level = lowest_active(c);

	if (level < 0)
		return VGIC_IDLE_PRIORITY;
	return level << (8 - c->cfg->pre_bits);
}

static unsigned int nr_looked_at(const struct vgic_v3_cpuif *c)
{
	return c->cfg->nr_lr - c->unused;
}

/* Nothing active or pending, and the guest's deactivation is to be told. */
static bool signals_eoi(uint64_t lr)
{
	return (lr & (VGIC_LR_STATE | VGIC_LR_EOI | VGIC_LR_HW)) == VGIC_LR_EOI;
}

/* What one LR adds to struct vgic_lr_look.counts, by its state. */
static inline uint64_t count_of(uint64_t lr)
{
	static const uint64_t by_state[4] = {
		0,
		1ull | 1ull << 24,
		1ull << 8 | 1ull << 24,
		1ull | 1ull << 8 | 1ull << 16 | 1ull << 24,
	};

	return by_state[lr >> 62] + ((uint64_t)signals_eoi(lr) << 32);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the counts lie in this order");

/* The LR with the highest priority among the pending ones of enabled groups. */
static inline int highest(const struct vgic_v3_cpuif *c)
{
	/* Bits of the groups that are enabled, and those of a priority that are implemented. */
	unsigned int groups = (group_enabled(c, 0) ? 1u : 0) | (group_enabled(c, 1) ? 2u : 0);
	unsigned int implemented = 0xff00u >> c->cfg->prio_bits, best = 0xff;
	bool last = c->cfg->tie == VGIC_TIE_HIGHEST_LR;
	int hppi = -1;

	for (unsigned int i = 0, end = nr_looked_at(c); i < end; i++) {
		uint64_t lr = c->lr[i];
		unsigned int prio = (lr >> VGIC_LR_PRIORITY_SHIFT) & implemented;

		if (lr >> 62 != 1 || prio > best || !(groups & (1u << lr_group(lr))))
			continue;
		if (prio < best || (last && hppi >= 0)) {
			best = prio;
			hppi = (int)i;
		}
	}
	return hppi;
}

int vgic_v3_cpuif_hppi(const struct vgic_v3_cpuif *c)
{
	return highest(c);
}

static bool can_signal(const struct vgic_v3_cpuif *c, int i)
{
	unsigned int group, prio;
	uint8_t running;

	if (i < 0 || !(c->hcr & VGIC_HCR_EN))
		return false;
	group = lr_group(c->lr[i]);
	prio = lr_priority(c, c->lr[i]);
	if (prio >= c->vmcr >> VGIC_VMCR_VPMR_SHIFT)
		return false;
	running = vgic_v3_cpuif_running_priority(c);
	if (running == VGIC_IDLE_PRIORITY)
		return true;
	return vgic_v3_cpuif_group_priority(c, group, prio) <
	       vgic_v3_cpuif_group_priority(c, group, running);
}

bool vgic_v3_cpuif_can_signal(const struct vgic_v3_cpuif *c)
{
	return can_signal(c, vgic_v3_cpuif_hppi(c));
}

bool vgic_v3_cpuif_line(const struct vgic_v3_cpuif *c, unsigned int group)
{
	int i = vgic_v3_cpuif_hppi(c);

	return can_signal(c, i) && lr_group(c->lr[i]) == group;
}

static bool group_trapped(const struct vgic_v3_cpuif *c, unsigned int group)
{
	return c->hcr & (group ? VGIC_HCR_TALL1 : VGIC_HCR_TALL0);
}

/* Acknowledges what LR i has pending. */
static void ack_lr(struct vgic_v3_cpuif *c, unsigned int i, struct vgic_access *a)
{
	unsigned int group = lr_group(c->lr[i]);

	a->intid = c->lr[i] & VGIC_LR_VINTID;
	a->lr = (int)i;
	c->lr[i] &= ~VGIC_LR_STATE;
	if (special(a->intid)) {
		a->did = VGIC_DID_NOTHING;
		return;
	}
	c->lr[i] |= VGIC_LR_ACTIVE;
	a->did = VGIC_DID_ACK;

	uint8_t prio = vgic_v3_cpuif_group_priority(c, group, lr_priority(c, c->lr[i]));
	unsigned int level = prio >> (8 - c->cfg->pre_bits);

	if (group)
		c->ap1r[level / 32] |= 1u << (level % 32);
	else
		c->ap0r[level / 32] |= 1u << (level % 32);
}

struct vgic_access vgic_v3_cpuif_ack(struct vgic_v3_cpuif *c, unsigned int group)
{
	struct vgic_access a = {.intid = VGIC_SPURIOUS, .lr = -1};
	int i = vgic_v3_cpuif_hppi(c);

	if (group_trapped(c, group))
		a.did = VGIC_DID_TRAP;
	else if (!can_signal(c, i) || lr_group(c->lr[i]) != group)
		a.did = VGIC_DID_NOTHING;
	else
		ack_lr(c, (unsigned int)i, &a);
	return a;
}

struct vgic_access vgic_v3_cpuif_ack_lr(struct vgic_v3_cpuif *c, unsigned int i)
{
	struct vgic_access a = {.intid = VGIC_SPURIOUS, .lr = -1};

	if (group_trapped(c, lr_group(c->lr[i])))
		a.did = VGIC_DID_TRAP;
	else
		ack_lr(c, i, &a);
	return a;
}

static int find_active(const struct vgic_v3_cpuif *c, uint32_t intid)
{
	for (unsigned int i = 0, n = nr_looked_at(c); i < n; i++)
		if ((c->lr[i] & VGIC_LR_ACTIVE) && (c->lr[i] & VGIC_LR_VINTID) == intid)
			return i;
	return -1;
}

static void deactivate(struct vgic_v3_cpuif *c, int i, struct vgic_access *a)
{
	c->lr[i] &= ~VGIC_LR_ACTIVE;
	a->did |= VGIC_DID_DEACTIVATE;
	if (c->lr[i] & VGIC_LR_HW) {
		a->did |= VGIC_DID_HW;
		a->pintid = (c->lr[i] & VGIC_LR_PINTID) >> VGIC_LR_PINTID_SHIFT;
	}
}

static void count_eoi(struct vgic_v3_cpuif *c, struct vgic_access *a)
{
	unsigned int n = vgic_v3_eoicount(c->hcr) + 1;

	a->did |= VGIC_DID_COUNT;
	if (n > 31) {
		if (c->cfg->eoicount_saturates)
			return;
		a->did |= VGIC_DID_WRAP;
	}
	c->hcr &= ~VGIC_HCR_EOICOUNT;
	c->hcr |= n << VGIC_HCR_EOICOUNT_SHIFT;
}

/* Clears the lowest active priority and returns it; VGIC_IDLE_PRIORITY if there was none. */
static uint8_t drop_priority(struct vgic_v3_cpuif *c)
{
	int level = lowest_active(c);
	uint32_t bit;

	if (level < 0)
		return VGIC_IDLE_PRIORITY;
	bit = 1u << (level % 32);
	if (c->ap0r[level / 32] & bit)
		c->ap0r[level / 32] &= ~bit;
	else
		c->ap1r[level / 32] &= ~bit;
	return level << (8 - c->cfg->pre_bits);
}

struct vgic_access vgic_v3_cpuif_eoi(struct vgic_v3_cpuif *c, unsigned int group, uint32_t intid)
{
	struct vgic_access a = {.intid = intid, .lr = -1};
	bool split = c->vmcr & VGIC_VMCR_VEOIM;
	bool lpi = intid >= VGIC_LPI_BASE;
	uint8_t dropped;

	if (group_trapped(c, group)) {
		a.did = VGIC_DID_TRAP;
		return a;
	}
	if (special(intid)) {
		a.did = VGIC_DID_NOTHING;
		return a;
	}
	dropped = drop_priority(c);
	if (dropped == VGIC_IDLE_PRIORITY) {
		if (!c->cfg->eoir_without_apr_continues) {
			a.did = VGIC_DID_NOTHING;
			return a;
		}
	} else {
		a.did |= VGIC_DID_DROP;
	}

	a.lr = find_active(c, intid);
	if (a.lr < 0) {
		if (lpi ? c->cfg->eoicount_on_lpi : !split || c->cfg->eoicount_on_split_eoir)
			count_eoi(c, &a);
		return a;
	}
	if (split && !lpi && !c->cfg->eoir_ignores_split)
		return a;
	/* An EOI out of order hits another interrupt's priority: a guest error, no deactivation. */
	if (lr_group(c->lr[a.lr]) == group &&
	    vgic_v3_cpuif_group_priority(c, group, lr_priority(c, c->lr[a.lr])) == dropped)
		deactivate(c, a.lr, &a);
	return a;
}

struct vgic_access vgic_v3_cpuif_dir(struct vgic_v3_cpuif *c, uint32_t intid)
{
	struct vgic_access a = {.intid = intid, .lr = -1};

	if ((c->hcr & VGIC_HCR_TC) || ((c->hcr & VGIC_HCR_TDIR) && c->cfg->has_tds)) {
		a.did = VGIC_DID_TRAP;
		return a;
	}
	if (!(c->vmcr & VGIC_VMCR_VEOIM) || intid >= VGIC_LPI_BASE || special(intid)) {
		a.did = VGIC_DID_NOTHING;
		return a;
	}
	a.lr = find_active(c, intid);
	if (a.lr < 0)
		count_eoi(c, &a);
	else
		deactivate(c, a.lr, &a);
	return a;
}

uint64_t vgic_v3_cpuif_eisr(const struct vgic_v3_cpuif *c)
{
	uint64_t eisr = 0;

	for (unsigned int i = 0, n = nr_looked_at(c); i < n; i++)
		if (signals_eoi(c->lr[i]))
			eisr |= 1ull << i;
	return eisr;
}

uint64_t vgic_v3_cpuif_elrsr(const struct vgic_v3_cpuif *c)
{
	unsigned int looked_at = nr_looked_at(c);
	uint64_t all = c->cfg->nr_lr < 64 ? (1ull << c->cfg->nr_lr) - 1 : UINT64_MAX;
	uint64_t elrsr = looked_at < 64 ? all & UINT64_MAX << looked_at : 0;

	for (unsigned int i = 0; i < looked_at; i++)
		if (!(c->lr[i] & VGIC_LR_STATE) &&
		    (c->cfg->elrsr_state_only || !signals_eoi(c->lr[i])))
			elrsr |= 1ull << i;
	return elrsr;
}

/* Each source has the bit of its enable in HCR; the EOIs need none. Those of the groups: */
static inline uint8_t group_misr(const struct vgic_v3_cpuif *c)
{
	uint32_t eng1 = group_enabled(c, 1), eng0 = group_enabled(c, 0);
	uint32_t eng0d = c->cfg->vgrp0d_tests_veng1 ? eng1 : eng0, is = 0;

	is |= eng0 ? VGIC_MISR_VGRP0E : 0;
	is |= eng0d ? 0 : VGIC_MISR_VGRP0D;
	is |= eng1 ? VGIC_MISR_VGRP1E : VGIC_MISR_VGRP1D;
	return (uint8_t)(is & c->hcr);
}

static inline uint32_t misr_of(const struct vgic_v3_cpuif *c, const struct vgic_lr_look *n)
{
	uint32_t is = 0;

	is |= n->valid <= 1 ? VGIC_MISR_U : 0;
	is |= vgic_v3_eoicount(c->hcr) ? VGIC_MISR_LRENP : 0;
	is |= n->pending == n->both ? VGIC_MISR_NP : 0;
	return (is & c->hcr) | n->group_misr | (n->eoi ? VGIC_MISR_EOI : 0);
}

_Static_assert(VGIC_HCR_UIE == VGIC_MISR_U && VGIC_HCR_LRENPIE == VGIC_MISR_LRENP &&
		       VGIC_HCR_NPIE == VGIC_MISR_NP && VGIC_HCR_VGRP0EIE == VGIC_MISR_VGRP0E &&
		       VGIC_HCR_VGRP0DIE == VGIC_MISR_VGRP0D &&
		       VGIC_HCR_VGRP1EIE == VGIC_MISR_VGRP1E &&
		       VGIC_HCR_VGRP1DIE == VGIC_MISR_VGRP1D,
	       "an enable stands where its source does");

static inline void count_all(const struct vgic_v3_cpuif *c, struct vgic_lr_look *n)
{
	n->counts = 0;
	n->group_misr = group_misr(c);
	for (unsigned int i = 0, end = nr_looked_at(c); i < end; i++)
		n->counts += count_of(c->lr[i]);
}

/* What follows from the numbers and the highest one pending. */
static inline void conclude(const struct vgic_v3_cpuif *c, struct vgic_lr_look *n)
{
	n->signalled = can_signal(c, n->hppi) ? n->hppi : -1;
	n->misr = misr_of(c, n);
	n->mi = (c->hcr & VGIC_HCR_EN) && n->misr;
}

uint32_t vgic_v3_cpuif_misr(const struct vgic_v3_cpuif *c)
{
	struct vgic_lr_look n;

	count_all(c, &n);
	return misr_of(c, &n);
}

void vgic_v3_cpuif_look(const struct vgic_v3_cpuif *c, struct vgic_lr_look *look)
{
	count_all(c, look);
	look->hppi = (int8_t)highest(c);
	conclude(c, look);
}

void vgic_v3_cpuif_look_again(const struct vgic_v3_cpuif *c, struct vgic_lr_look *look, int i,
			      uint64_t was)
{
	if (i >= 0) {
		look->counts += count_of(c->lr[i]) - count_of(was);
		if (was >> 62 == 1 || c->lr[i] >> 62 == 1)
			look->hppi = (int8_t)(look->pending > look->both ? highest(c) : -1);
	}
	conclude(c, look);
}

bool vgic_v3_cpuif_mi(const struct vgic_v3_cpuif *c)
{
	return (c->hcr & VGIC_HCR_EN) && vgic_v3_cpuif_misr(c);
}

bool vgic_v3_cpuif_write_pmr(struct vgic_v3_cpuif *c, uint8_t prio)
{
	if (c->hcr & VGIC_HCR_TC)
		return false;
	prio &= 0xff00u >> c->cfg->prio_bits;
	c->vmcr &= ~VGIC_VMCR_VPMR;
	c->vmcr |= (uint32_t)prio << VGIC_VMCR_VPMR_SHIFT;
	return true;
}

bool vgic_v3_cpuif_write_bpr(struct vgic_v3_cpuif *c, unsigned int group, unsigned int bpr)
{
	unsigned int min = min_bpr0(c) + !!group;

	if (group_trapped(c, group))
		return false;
	if (group && (c->vmcr & VGIC_VMCR_VCBPR))
		return true;
	bpr &= 7;
	if (bpr < min)
		bpr = min;
	if (group) {
		c->vmcr &= ~VGIC_VMCR_VBPR1;
		c->vmcr |= bpr << VGIC_VMCR_VBPR1_SHIFT;
	} else {
		c->vmcr &= ~VGIC_VMCR_VBPR0;
		c->vmcr |= bpr << VGIC_VMCR_VBPR0_SHIFT;
	}
	return true;
}

bool vgic_v3_cpuif_write_igrpen(struct vgic_v3_cpuif *c, unsigned int group, bool enable)
{
	uint32_t bit = group ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0;

	if (group_trapped(c, group))
		return false;
	c->vmcr = enable ? c->vmcr | bit : c->vmcr & ~bit;
	return true;
}

bool vgic_v3_cpuif_write_ctlr(struct vgic_v3_cpuif *c, bool eoimode, bool cbpr)
{
	if (c->hcr & VGIC_HCR_TC)
		return false;
	c->vmcr &= ~(VGIC_VMCR_VEOIM | VGIC_VMCR_VCBPR);
	if (eoimode)
		c->vmcr |= VGIC_VMCR_VEOIM;
	if (cbpr)
		c->vmcr |= VGIC_VMCR_VCBPR;
	return true;
}
