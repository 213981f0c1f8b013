/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_GUEST_ABI_H
#define GUESTS_GUEST_ABI_H

#include <stdint.h>

/*
 * What the VMM and the bare-metal payload share: the guest's physical address map, the hypercall
 * page and the block of memory in which orders go in and observations come out.
 */

/* Guest-physical map; the GIC frames need 64 KiB alignment (KVM_VGIC_V3_ADDR_TYPE_*). */
#define GUEST_GICD_BASE	    0x08000000ULL
#define GUEST_GICC_BASE	    0x08010000ULL /* GICv2 only */
#define GUEST_GITS_BASE	    0x08080000ULL
#define GUEST_GICR_BASE	    0x080a0000ULL
#define GUEST_GICR_STRIDE   0x20000ULL
#define GUEST_HC_BASE	    0x0c000000ULL
#define GUEST_RAM_BASE	    0x40000000ULL
#define GUEST_SHARED_OFFSET 0x400000ULL
#define GUEST_LPI_OFFSET    0x600000ULL /* tables and command queue, 2 MiB */
#define GUEST_LOG_OFFSET    0x800000ULL

#define GUEST_MAX_VCPUS	    16
#define GUEST_V2_VCPUS	    8
#define GUEST_MAX_SPIS	    960
#define GUEST_NR_INTIDS	    1024
#define GUEST_FIRST_SPI	    32
#define GUEST_TIMER_INTID   27
#define GUEST_SPURIOUS	    1023
#define GUEST_FIRST_LPI	    8192
#define GUEST_MAX_LPIS	    256
#define GUEST_LPI_DEVICE    7	 /* DeviceID whose EventID n is LPI 8192 + n */
#define GUEST_ANY_CPU	    0xff /* as a route: while it changes any vCPU may take the SPI */
#define GUEST_MULTI_SGIS    4	 /* SGI numbers of multisgi */
#define GUEST_EXITS_AT_ONCE 1000 /* exits in a row of exits */

/* Hypercall page: 32-bit stores, one register each. */
enum guest_hc {
	GUEST_HC_RAISE_BATCH = 0x00, /* value: entries of batch[] of this vCPU to raise, in order;
				      * an LPI is raised by KVM_SIGNAL_MSI */
	GUEST_HC_LOWER = 0x08,	     /* value: INTID whose line goes low */
	GUEST_HC_DONE = 0x10,	     /* this vCPU has finished */
	GUEST_HC_YIELD = 0x18,	     /* give the host CPU to another vCPU thread */
};

enum guest_stim {
	GUEST_BURST,
	GUEST_ACKALL,
	GUEST_PREEMPT,
	GUEST_SGI,
	GUEST_TIMER,
	GUEST_GROUP,
	GUEST_REMOTE_DIR,
	GUEST_LEVEL,
	GUEST_MIXED,
	GUEST_REGISTERS,
	GUEST_EOI_ORDER,
	GUEST_RESTORE,
	GUEST_REPRIO,
	GUEST_REGROUP,
	GUEST_MIGRATE,
	GUEST_DIST,
	GUEST_INFLIGHT,
	GUEST_MULTISGI,
	GUEST_LPI,
	GUEST_RESAMPLE,
	GUEST_HWDIR,
	GUEST_ALIAS,
	GUEST_INTERFACE,
	GUEST_EXITS,
	GUEST_NR_STIMS,
};

/* --mode of the stimuli that have one, in the order of their words. */
enum guest_regroup_mode { GUEST_REGROUP_ACTIVE, GUEST_REGROUP_STORM, GUEST_REGROUP_TOGGLE };
enum guest_interface_mode { GUEST_INTERFACE_BPR, GUEST_INTERFACE_GROUP0 };
enum guest_hwdir_mode { GUEST_HWDIR_PENDING, GUEST_HWDIR_DISABLED };
enum guest_lpi_mode {
	GUEST_LPI_BURST,
	GUEST_LPI_NEST,
	GUEST_LPI_AGAIN,
	GUEST_LPI_MOVE,
	GUEST_LPI_MOVEALL,
	GUEST_LPI_INV,
	GUEST_LPI_OFF,
	GUEST_LPI_OFF_ACTIVE,
};

enum guest_prio { GUEST_PRIO_SAME, GUEST_PRIO_RISING, GUEST_PRIO_FALLING, GUEST_PRIO_RANDOM };
enum guest_order { GUEST_FIFO, GUEST_LIFO, GUEST_RANDOM };

/* What a check of the payload found; the VMM puts each into words. */
enum guest_fail_code {
	GUEST_FAIL_NONE,
	GUEST_FAIL_STARVED,   /* nothing came within the patience; got = delivered, want = raised */
	GUEST_FAIL_TWICE,     /* acknowledged though not raised, or again */
	GUEST_FAIL_ORDER,     /* got = its priority, want = priority acknowledged before it */
	GUEST_FAIL_RPR,	      /* running priority is not what the active interrupts say */
	GUEST_FAIL_NOT_IDLE,  /* IAR gave an INTID where 1023 was due */
	GUEST_FAIL_ACTIVE,    /* ISACTIVER bit is not what it must be */
	GUEST_FAIL_PENDING,   /* ISPENDR bit is not what it must be */
	GUEST_FAIL_GROUP,     /* delivered while group 1 was off */
	GUEST_FAIL_EARLY,     /* timer interrupt before its time; got = counter, want = CVAL */
	GUEST_FAIL_WRONG_CPU, /* got = vCPU that took it, want = vCPU it is routed to */
	GUEST_FAIL_EXCEPTION, /* intid = vector slot, got = ESR_EL1, want = ELR_EL1 */
	GUEST_NR_FAILS,
};

#define GUEST_MAX_FAILS 32
#define GUEST_MAX_NOTES 6

struct guest_fail {
	uint32_t code;
	uint32_t intid;
	uint32_t round;
	uint32_t pad;
	uint64_t got;
	uint64_t want;
};

/* One interrupt as the guest saw it; times are values of the guest's virtual counter, 0 = none. */
struct guest_log {
	uint32_t intid;
	uint32_t round;
	uint64_t raise;
	uint64_t ack;
	uint64_t eoi;
	uint64_t dir;
	uint32_t prio;
	uint32_t dir_vcpu;
};

/*
 * With --log: the other ends of the brackets that enclose the instants of a guest_log, in an array
 * beside it. What happens to an interrupt and a read of the counter are two instructions, and an
 * exit may come in between.
 */
struct guest_instants {
	uint64_t ack_from; /* before IAR was read; guest_log.ack is after it */
	uint64_t eoi_to;   /* after EOIR; guest_log.eoi is before it */
	uint64_t dir_to;   /* after DIR */
};

struct guest_vcpu {
	/* Interrupts of the private INTIDs: raised, acknowledged, and when last raised. */
	uint32_t want[32];
	uint32_t got[32];
	uint64_t raised_at[32];
	uint32_t irqs;	   /* acknowledged by this vCPU, all kinds */
	uint32_t spurious; /* IRQ exceptions whose IAR read gave 1023 */
	uint32_t done;
	uint32_t round;
	uint32_t group0_on; /* group 0 is due on this vCPU */
	uint32_t nr_fails;
	uint32_t nr_batch;
	uint64_t log_n;
	uint64_t log_lost;
	struct guest_fail fail[GUEST_MAX_FAILS];
	uint32_t batch[GUEST_NR_INTIDS];
};

struct guest_shared {
	/* Orders: written by the VMM before the first run. */
	uint32_t stim;
	uint32_t gic;	/* 2 or 3: programming model */
	uint32_t group; /* of everything that is not in is_group0[] */
	uint32_t nr_vcpus;
	uint32_t nr_irqs;
	uint32_t eoimode;
	uint32_t repeat;
	uint32_t order;
	uint32_t mode;	     /* of a stimulus that has several */
	uint32_t hold;	     /* deliveries of a level line before the guest lowers it */
	uint32_t again;	     /* 1: every edge SPI is raised once more while it is active */
	uint32_t group0;     /* 1: every second SPI is in group 0, which is off at first */
	uint32_t use_wfi;    /* 1: wait in WFI, 0: poll */
	uint32_t sync_raise; /* 1: a batch is pending when its hypercall returns */
	uint64_t seed;
	uint64_t pace;	      /* counter ticks between batches (mixed) */
	uint64_t patience;    /* counter ticks without progress that count as starvation */
	uint64_t timer_ticks; /* period of the virtual timer */
	uint64_t log_gpa;
	uint64_t log_cap;      /* records for each vCPU */
	uint64_t instants_gpa; /* as many guest_instants; 0: not kept */
	uint8_t prio[GUEST_NR_INTIDS];
	uint8_t route[GUEST_NR_INTIDS];
	uint8_t is_level[GUEST_NR_INTIDS];
	uint8_t is_group0[GUEST_NR_INTIDS];
	uint8_t lpi_prio[GUEST_MAX_LPIS];
	uint8_t lpi_route[GUEST_MAX_LPIS];

	/* Observations, and what the vCPUs need to meet. */
	uint32_t abort __attribute__((aligned(64)));
	uint32_t barrier_count;
	uint32_t barrier_gen;
	uint32_t outstanding[GUEST_MAX_VCPUS];
	uint32_t want[GUEST_NR_INTIDS];
	uint32_t got[GUEST_NR_INTIDS];
	uint64_t raised_at[GUEST_NR_INTIDS];
	/* resample: the device wants its line up; notifications that the VMM has had of it. */
	uint32_t device_on[GUEST_NR_INTIDS];
	uint32_t notified[GUEST_NR_INTIDS];
	uint32_t lpi_want[GUEST_MAX_LPIS];
	uint32_t lpi_got[GUEST_MAX_LPIS];
	uint64_t lpi_raised_at[GUEST_MAX_LPIS];
	/*
	 * Set by a guest that may now be kept from running at all: it counts beat up; if that
	 * stands still the VMM lowers the lines of group 0, counts note[0] and sets storm to 2.
	 */
	uint32_t storm;
	uint32_t beat;
	/* What a stimulus counts instead of judging it; guest_stim_info names them. */
	uint64_t note[GUEST_MAX_NOTES];
	uint32_t left[GUEST_NR_INTIDS]; /* rounds that left this INTID active after its last EOI */
	struct guest_vcpu vcpu[GUEST_MAX_VCPUS];
};

#endif
