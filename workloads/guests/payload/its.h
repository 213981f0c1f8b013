/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_PAYLOAD_ITS_H
#define GUESTS_PAYLOAD_ITS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * An ITS with one device, a collection for each vCPU (of the same number), and EventID n mapped to
 * LPI 8192 + n. Commands have taken effect when their call returns: KVM works them off at the write
 * of CWRITER.
 */

/* Once, by vCPU 0, before any its_cpu_init(): tables, properties and the ITS itself. */
void its_init(void);

/* Every vCPU: its redistributor's tables, EnableLPIs. */
void its_cpu_init(uint32_t cpu);

/* Map what its_init() prepared; when every vCPU has been through its_cpu_init(). */
void its_map_all(void);

/* Route LPI number @lpi to @cpu (MOVI); all LPIs of @from to @to (MOVALL). */
void its_move(uint32_t lpi, uint32_t cpu);
void its_move_all(uint32_t from, uint32_t to);

/* Enable bit in the property table, and INV. */
void its_enable_lpi(uint32_t lpi, bool on);

/* GICR_CTLR.EnableLPIs of any vCPU. */
void its_enable_lpis(uint32_t cpu, bool on);

#endif
