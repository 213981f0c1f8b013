/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_PAYLOAD_GIC_H
#define GUESTS_PAYLOAD_GIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The two programming models behind one set of calls: GICv3 by system registers, GICv2 by the
 * GICC frame. A "handle" is what IAR gives and what EOIR and DIR want: the INTID, and on GICv2 in
 * bits 12:10 the vCPU that sent an SGI.
 */

#define GIC_SOURCE(handle) ((handle) >> 10 & 7)

bool gic_is_v2(void);

/* IAR and EOIR of @group (0 or 1; a GICv2's IAR gives either); DIR; RPR. */
uint32_t gic_iar(uint32_t group);
void gic_eoir(uint32_t group, uint32_t handle);
void gic_dir(uint32_t handle);
uint32_t gic_rpr(void);

/* Enable of one group at this vCPU's interface. */
void gic_group_enable(uint32_t group, bool on);
bool gic_group_enabled(uint32_t group);

/* Active priorities of this vCPU, one bit for each of the 32 levels, as a restore writes them. */
void gic_set_apr(uint32_t group, uint32_t bits);

/* Distributor: once, by vCPU 0, as the plan says. Interface and private interrupts: every vCPU. */
void gic_dist_init(void);
void gic_cpu_init(uint32_t cpu);

/* All groups of the distributor on or off. */
void gic_dist_enable(bool on);

/* SGI @intid to the vCPUs of @mask. */
void gic_sgi(uint32_t intid, uint32_t mask);

/*
 * A register with one bit for each INTID. Private INTIDs are those of @cpu; on GICv2 they are
 * banked, so that @cpu must be the caller.
 */
enum gic_bits {
	GIC_IGROUPR = 0x080,
	GIC_ISENABLER = 0x100,
	GIC_ICENABLER = 0x180,
	GIC_ISPENDR = 0x200,
	GIC_ICPENDR = 0x280,
	GIC_ISACTIVER = 0x300,
	GIC_ICACTIVER = 0x380,
};
uint32_t gic_read_word(uint32_t cpu, enum gic_bits reg, uint32_t intid);
bool gic_read_bit(uint32_t cpu, enum gic_bits reg, uint32_t intid);
void gic_write_bit(uint32_t cpu, enum gic_bits reg, uint32_t intid);

/* IPRIORITYR, and IROUTER or ITARGETSR, of one SPI. */
void gic_set_prio(uint32_t intid, uint32_t prio);
void gic_set_route(uint32_t intid, uint32_t cpu);

#endif
