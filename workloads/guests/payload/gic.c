// SPDX-License-Identifier: GPL-2.0-only
#include "gic.h"

#include "payload.h"

#define GICD(offset)   (GUEST_GICD_BASE + (offset))
#define GICD_CTLR      GICD(0x0000)
#define GICD_IPRIORITY GICD(0x0400)
#define GICD_ITARGETS  GICD(0x0800)
#define GICD_ICFGR     GICD(0x0c00)
#define GICD_SGIR      GICD(0x0f00)
#define GICD_IROUTER   GICD(0x6000)
/* SGI_base frame of a redistributor: same offsets as the distributor's for INTIDs 0..31. */
#define GICR_SGI(cpu)  (GUEST_GICR_BASE + (cpu)*GUEST_GICR_STRIDE + 0x10000)

#define GICC(offset) (GUEST_GICC_BASE + (offset))
#define GICC_CTLR    GICC(0x0000)
#define GICC_PMR     GICC(0x0004)
#define GICC_BPR     GICC(0x0008)
#define GICC_IAR     GICC(0x000c)
#define GICC_EOIR    GICC(0x0010)
#define GICC_RPR     GICC(0x0014)
#define GICC_ABPR    GICC(0x001c)
#define GICC_APR     GICC(0x00d0)
#define GICC_DIR     GICC(0x1000)
#define GICC_ACKCTL  (1U << 2)
#define GICC_EOIMODE (1U << 9)

bool gic_is_v2(void)
{
	return SH->gic == 2;
}

uint32_t gic_iar(uint32_t group)
{
	if (gic_is_v2())
		return mmio_r32(GICC_IAR) & 0x1fff;
	return (uint32_t)(group ? sys_read(ICC_IAR1) : sys_read(ICC_IAR0)) & 0xffffff;
}

void gic_eoir(uint32_t group, uint32_t handle)
{
	if (gic_is_v2())
		mmio_w32(GICC_EOIR, handle);
	else if (group)
		sys_write(ICC_EOIR1, handle);
	else
		sys_write(ICC_EOIR0, handle);
	isb();
}

void gic_dir(uint32_t handle)
{
	if (gic_is_v2())
		mmio_w32(GICC_DIR, handle);
	else
		sys_write(ICC_DIR, handle);
	isb();
}

uint32_t gic_rpr(void)
{
	isb();
	return gic_is_v2() ? mmio_r32(GICC_RPR) : (uint32_t)sys_read(ICC_RPR);
}

void gic_group_enable(uint32_t group, bool on)
{
	uint32_t ctlr;

	if (gic_is_v2()) {
		ctlr = mmio_r32(GICC_CTLR) & ~(1U << group);
		mmio_w32(GICC_CTLR, ctlr | (uint32_t)on << group);
	} else if (group) {
		sys_write(ICC_IGRPEN1, on);
	} else {
		sys_write(ICC_IGRPEN0, on);
	}
	isb();
}

bool gic_group_enabled(uint32_t group)
{
	if (gic_is_v2())
		return mmio_r32(GICC_CTLR) >> group & 1;
	return (group ? sys_read(ICC_IGRPEN1) : sys_read(ICC_IGRPEN0)) & 1;
}

void gic_set_apr(uint32_t group, uint32_t bits)
{
	/* GICv2 has one register for both groups. */
	if (gic_is_v2())
		mmio_w32(GICC_APR, bits);
	else if (group)
		sys_write(ICC_AP1R0, bits);
	else
		sys_write(ICC_AP0R0, bits);
	isb();
}

void gic_dist_enable(bool on)
{
	/* Both groups; on GICv3 ARE_NS, which must not change while they are on. */
	mmio_w32(GICD_CTLR, (gic_is_v2() ? 0 : 1U << 4) | (on ? 3 : 0));
}

static uint64_t bits_frame(uint32_t cpu, uint32_t intid)
{
	return intid < GUEST_FIRST_SPI && !gic_is_v2() ? GICR_SGI(cpu) : GUEST_GICD_BASE;
}

uint32_t gic_read_word(uint32_t cpu, enum gic_bits reg, uint32_t intid)
{
	return mmio_r32(bits_frame(cpu, intid) + reg + intid / 32 * 4);
}

bool gic_read_bit(uint32_t cpu, enum gic_bits reg, uint32_t intid)
{
	return gic_read_word(cpu, reg, intid) >> intid % 32 & 1;
}

void gic_write_bit(uint32_t cpu, enum gic_bits reg, uint32_t intid)
{
	mmio_w32(bits_frame(cpu, intid) + reg + intid / 32 * 4, 1U << intid % 32);
}

void gic_set_prio(uint32_t intid, uint32_t prio)
{
	mmio_w8(GICD_IPRIORITY + intid, (uint8_t)prio);
}

void gic_set_route(uint32_t intid, uint32_t cpu)
{
	if (gic_is_v2())
		mmio_w8(GICD_ITARGETS + intid, (uint8_t)(1U << cpu));
	else
		mmio_w64(GICD_IROUTER + 8 * intid, cpu);
}

void gic_sgi(uint32_t intid, uint32_t mask)
{
	dsb();
	if (gic_is_v2())
		mmio_w32(GICD_SGIR, mask << 16 | intid);
	else
		/* Affinity 0.0.0.x: the vCPU number is Aff0, see reset_mpidr in KVM. */
		sys_write(ICC_SGI1R, (uint64_t)intid << 24 | mask);
	isb();
}

/* IGROUPR of the 32 INTIDs from @first: a group 1 guest with some of group 0 in between. */
static uint32_t group_word(uint32_t first)
{
	uint32_t i, v = 0;

	for (i = 0; i < 32; i++)
		v |= (SH->is_group0[first + i] ? 0U : SH->group) << i;
	return v;
}

void gic_dist_init(void)
{
	uint32_t i, r, n = SH->nr_irqs, words = (GUEST_FIRST_SPI + n + 31) / 32;

	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n; i += 4) {
		uint32_t v = 0;

		for (r = 0; r < 4; r++)
			v |= (uint32_t)SH->prio[i + r] << 8 * r;
		mmio_w32(GICD_IPRIORITY + i, v);
	}
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n; i += 16) {
		uint32_t v = 0;

		for (r = 0; r < 16; r++)
			v |= (SH->is_level[i + r] ? 0U : 2U) << 2 * r;
		mmio_w32(GICD_ICFGR + i / 4, v);
	}
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n; i++)
		if (SH->route[i])
			gic_set_route(i, SH->route[i]);
	/* Reset leaves everything in group 1 of a GICv3, in group 0 of a GICv2. */
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n && SH->group; i += 32)
		if (gic_is_v2() || SH->group0)
			mmio_w32(GICD(GIC_IGROUPR) + i / 8, group_word(i));
	gic_dist_enable(true);
	for (i = 1; i < words; i++) {
		uint32_t left = GUEST_FIRST_SPI + n - 32 * i;

		mmio_w32(GICD(GIC_ISENABLER) + 4 * i, left >= 32 ? 0xffffffff : (1U << left) - 1);
	}
}

static void cpu_interface_v2(void)
{
	uint32_t ctlr = 1U << SH->group;

	mmio_w32(GICC_PMR, 0xff);
	mmio_w32(GICC_BPR, 0);
	mmio_w32(GICC_ABPR, 0);
	/* One IAR for both groups: emulators lack the aliased registers of group 1. */
	if (SH->group)
		ctlr |= GICC_ACKCTL;
	if (SH->eoimode)
		ctlr |= GICC_EOIMODE;
	mmio_w32(GICC_CTLR, ctlr);
}

static void cpu_interface_v3(void)
{
	sys_write(ICC_SRE, 7);
	isb();
	sys_write(ICC_PMR, 0xff);
	/* Zero is raised to the minimum: every priority bit that there is preempts. */
	sys_write(ICC_BPR0, 0);
	sys_write(ICC_BPR1, 0);
	sys_write(ICC_CTLR, SH->eoimode ? 2 : 0);
	sys_write(ICC_IGRPEN1, 1);
	isb();
}

void gic_cpu_init(uint32_t cpu)
{
	const uint64_t frame = bits_frame(cpu, 0);
	uint32_t i, r;

	for (i = 0; i < GUEST_FIRST_SPI; i += 4) {
		uint32_t v = 0;

		for (r = 0; r < 4; r++)
			v |= (uint32_t)SH->prio[i + r] << 8 * r;
		mmio_w32(frame + 0x400 + i, v);
	}
	if (gic_is_v2() && SH->group)
		mmio_w32(frame + GIC_IGROUPR, group_word(0));
	mmio_w32(frame + GIC_ISENABLER, 1U << GUEST_TIMER_INTID | 0xffff);
	if (gic_is_v2())
		cpu_interface_v2();
	else
		cpu_interface_v3();
}
