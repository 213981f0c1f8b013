/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_PAYLOAD_PAYLOAD_H
#define GUESTS_PAYLOAD_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "../guest_abi.h"
#include "../guest_plan.h"
#include "arch.h"
#include "gic.h"

#define SH	((struct guest_shared *)(GUEST_RAM_BASE + GUEST_SHARED_OFFSET))
#define READ(x) (*(volatile __typeof__(x) *)&(x))

struct stim {
	void (*run)(uint32_t cpu);
	void (*irq)(uint32_t cpu, uint32_t intid, struct guest_log *log);
};

extern const struct stim stim_burst, stim_ackall, stim_preempt, stim_group, stim_level;
extern const struct stim stim_sgi, stim_timer, stim_remote_dir, stim_mixed, stim_registers;
extern const struct stim stim_eoi_order, stim_restore, stim_reprio, stim_regroup;
extern const struct stim stim_migrate, stim_dist, stim_inflight, stim_multisgi;
extern const struct stim stim_lpi, stim_resample, stim_hwdir, stim_alias, stim_interface,
	stim_exits;

static inline uint32_t this_cpu(void)
{
	return (uint32_t)sys_read("tpidr_el1");
}

static inline struct guest_vcpu *cpu_of(uint32_t cpu)
{
	return &SH->vcpu[cpu];
}

static inline bool aborted(void)
{
	return READ(SH->abort) != 0;
}

/* Record a failed check and make every vCPU stop at its next look. */
void fail(uint32_t cpu, enum guest_fail_code code, uint32_t intid, uint64_t got, uint64_t want);

/* Meet all vCPUs; the state of the IRQ mask is kept. */
void barrier(void);

/*
 * Acknowledge: reads IAR, counts, logs, checks (raised before, right vCPU, running priority equal
 * to the interrupt's, which is the only or the most urgent active one). Returns 1023 for none.
 */
uint32_t ack(uint32_t cpu, struct guest_log **log);

/* The same for group 0, which is only ever polled. */
uint32_t ack_group0(uint32_t cpu, struct guest_log **log);

/* The vCPU that sent the SGI @intid which @cpu acknowledged last (GICv2; else 0). */
uint32_t sgi_source(uint32_t cpu, uint32_t intid);

/* EOIR: priority drop, and in EOImode 0 deactivation. */
void eoi(uint32_t intid, struct guest_log *log);

/* DIR, from whichever vCPU calls it. Does nothing in EOImode 0. */
void dir(uint32_t cpu, uint32_t intid, struct guest_log *log);

/* DIR of another value than the handle; true, and logged, if it deactivated SPI @intid. */
bool dir_by(uint32_t cpu, uint32_t intid, uint32_t handle, struct guest_log *log);

/* eoi() and dir(). */
void finish(uint32_t cpu, uint32_t intid, struct guest_log *log);

/* Priority order: each ack at most as urgent as the one before since order_reset(). */
void order_reset(uint32_t cpu);
void order_check(uint32_t cpu, uint32_t intid);

/* Put an SPI on the batch of this vCPU; raise_batch() hands it to the VMM in one exit. */
void batch_add(uint32_t cpu, uint32_t intid);
void raise_batch(uint32_t cpu);

/* The same without counting it as owed: it may or may not come. */
void batch_add_unowed(uint32_t cpu, uint32_t intid);

/* Add the whole share of vCPU @owner to the batch of @cpu. */
void batch_share(uint32_t cpu, uint32_t owner);

/* The device register write by which a guest makes a level interrupt go away. */
static inline void lower_line(uint32_t intid)
{
	mmio_w32(GUEST_HC_BASE + GUEST_HC_LOWER, intid);
}

static inline void yield(void)
{
	mmio_w32(GUEST_HC_BASE + GUEST_HC_YIELD, 0);
}

/*
 * One step of waiting for interrupts with IRQs enabled (polling or in WFI). The caller loops until
 * its condition holds, starting with wait_begin(). False when nothing has come for the patience:
 * the caller then says what it was waiting for.
 */
struct wait {
	uint64_t since;
	uint32_t irqs;
	uint32_t polls;
	uint32_t yields;
};
void wait_begin(uint32_t cpu, struct wait *w);
bool wait_step(uint32_t cpu, struct wait *w, bool take_irqs);

/*
 * Raise one SPI with IRQs masked and acknowledge it, in its group, by polling. False after a report
 * of starvation, or if something else was acknowledged.
 */
bool raise_and_ack(uint32_t cpu, uint32_t intid, struct guest_log **log);

/*
 * Wait until this vCPU has taken everything of its share that is in group 1; reports starvation
 * itself. share_missing() counts what is still to come of one group.
 */
bool wait_share(uint32_t cpu);
uint32_t share_missing(uint32_t cpu, uint32_t group);

/* IAR must give 1023; anything else is acknowledged by the read and reported. */
void check_idle(uint32_t cpu);

/* Running priority must be @want. */
void check_rpr(uint32_t cpu, uint32_t intid, uint32_t want);

/* ISACTIVER and ISPENDR of the share of @owner must be all zero. */
void check_share_quiet(uint32_t cpu, uint32_t owner);

/*
 * The SPIs of this vCPU's share that are active although all were finished: counted in left[], in
 * note @note, and cleared. For stimuli whose outcome the architecture does not promise.
 */
void count_left(uint32_t cpu, uint32_t note);

/* Add to what the stimulus counts. */
void note_add(uint32_t note, uint64_t n);

/* IAR 1023, running priority 0xff, and check_share_quiet() of the own share. */
void check_round_over(uint32_t cpu);

/* Virtual timer: fires at @cval of the counter; off. wait_private() waits for INTIDs of @mask. */
void timer_arm(uint32_t cpu, uint64_t cval);
void timer_off(void);
bool wait_private(uint32_t cpu, uint32_t mask);
void check_private_quiet(uint32_t cpu, uint32_t mask);

/* ISACTIVER, ISPENDR of one private interrupt of this vCPU. */
bool private_active(uint32_t cpu, uint32_t intid);
bool private_pending(uint32_t cpu, uint32_t intid);

/* Number of the current round, for logs and reports. */
void set_round(uint32_t cpu, uint32_t round);

/* ISACTIVER, ICACTIVER, ISPENDR, ISENABLER or ICENABLER, IROUTER of one SPI. */
bool spi_active(uint32_t intid);
void deactivate_spi(uint32_t intid);
void pend_spi(uint32_t intid);
void enable_spi(uint32_t intid, bool on);
void route_spi(uint32_t intid, uint32_t cpu);

/* Send SGI @intid to the vCPUs of @mask (bit = vCPU), counting it as raised for each. */
void send_sgi(uint32_t intid, uint32_t mask);

#endif
