/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_GUEST_PLAN_H
#define GUESTS_GUEST_PLAN_H

#include <stdint.h>

#include "guest_abi.h"

/*
 * Everything about a run that is decided before it starts, as pure functions of the options and
 * the seed. Freestanding: the VMM, the payload and the unit test compile the same file.
 */

/* Preemption levels under PMR 0xf8: KVM keeps 5 priority bits, and 0xf8 itself is masked. */
#define GUEST_PRIO_LEVELS 31

/* Deterministic 64-bit generator (splitmix64); *state is the seed and advances. */
uint64_t guest_rng(uint64_t *state);

/* Number in 0..n-1; n must not be 0. */
uint32_t guest_rng_below(uint64_t *state, uint32_t n);

/*
 * Put list[0..n-1] into the order in which it is to be finished: fifo leaves it, lifo reverses
 * it, random shuffles it with *state.
 */
void guest_order_list(uint32_t *list, uint32_t n, enum guest_order order, uint64_t *state);

/*
 * Fill prio[], route[], is_level[] and is_group0[] of *sh from its other orders. SPI number i
 * (INTID 32 + i) goes to vCPU i modulo the vCPUs; mixed shifts it on so that half the raises cross
 * vCPUs. Every vCPU's share gets the whole span of priorities. Within a share, "rising" makes each
 * later interrupt at least as urgent as the one before (numerically lower or equal).
 */
void guest_plan(struct guest_shared *sh, enum guest_prio prio, int level);

/*
 * The same for lpi_prio[] and lpi_route[]: LPI number i goes to vCPU i modulo the vCPUs. To be
 * called after guest_plan(), as nest depends on the mode.
 */
void guest_plan_lpis(struct guest_shared *sh, enum guest_prio prio);

/* The k-th SPI of the share of @vcpu in the order of INTIDs, or 0 if the share is shorter. */
uint32_t guest_share(const struct guest_shared *sh, uint32_t vcpu, uint32_t k);

/*
 * reprio and regroup: how many of the first SPIs of the share of @vcpu are nested before the others
 * become pending.
 */
uint32_t guest_nested(const struct guest_shared *sh, uint32_t vcpu);

/* How many SPIs belong to @vcpu. */
uint32_t guest_share_size(const struct guest_shared *sh, uint32_t vcpu);

/*
 * Upper bound of the log records that one vCPU can write in this run, timer ticks of mixed
 * (whose number depends on time) at a generous estimate.
 */
uint64_t guest_log_bound(const struct guest_shared *sh);

#endif
