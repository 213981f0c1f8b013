// SPDX-License-Identifier: GPL-2.0-only
#include "its.h"

#include "payload.h"

#define GITS_CTLR    (GUEST_GITS_BASE + 0x0000)
#define GITS_CBASER  (GUEST_GITS_BASE + 0x0080)
#define GITS_CWRITER (GUEST_GITS_BASE + 0x0088)
#define GITS_DEVICES (GUEST_GITS_BASE + 0x0100)
#define GITS_COLLS   (GUEST_GITS_BASE + 0x0108)

#define GICR(cpu)	(GUEST_GICR_BASE + (cpu)*GUEST_GICR_STRIDE)
#define GICR_CTLR	0x00
#define GICR_PROPBASER	0x70
#define GICR_PENDBASER	0x78
#define GICR_ENABLELPIS 1U

/* 64 KiB each, which is also the alignment that pending tables and ITS tables want. */
#define TABLE(n)     (GUEST_RAM_BASE + GUEST_LPI_OFFSET + (n)*0x10000ULL)
#define PROPERTIES   TABLE(0)
#define QUEUE	     TABLE(1)
#define DEVICES	     TABLE(2)
#define COLLECTIONS  TABLE(3)
#define ITT	     TABLE(4)
#define PENDING(cpu) TABLE(8 + (cpu))
#define QUEUE_SIZE   0x10000ULL
#define VALID	     (1ULL << 63)
#define ID_BITS	     14
#define EVENT_BITS   8

enum { MOVI = 0x01, MAPD = 0x08, MAPC = 0x09, MAPTI = 0x0a, INV = 0x0c, MOVALL = 0x0e };

static uint32_t queue_lock;
static uint64_t queue_at;

static void command(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	volatile uint64_t *slot;

	while (__atomic_exchange_n(&queue_lock, 1, __ATOMIC_ACQUIRE))
		yield();
	slot = (volatile uint64_t *)(QUEUE + queue_at);
	slot[0] = w0;
	slot[1] = w1;
	slot[2] = w2;
	slot[3] = w3;
	queue_at = (queue_at + 32) % QUEUE_SIZE;
	dsb();
	mmio_w64(GITS_CWRITER, queue_at);
	__atomic_store_n(&queue_lock, 0, __ATOMIC_RELEASE);
}

static void set_property(uint32_t lpi, bool on)
{
	volatile uint8_t *table = (volatile uint8_t *)PROPERTIES;

	table[lpi] = (uint8_t)(SH->lpi_prio[lpi] | 2 | (on ? 1 : 0));
	dsb();
}

void its_init(void)
{
	uint32_t i;

	for (i = 0; i < SH->nr_irqs; i++)
		set_property(i, true);
	/* One page of 64 KiB each; the queue is counted in pages of 4 KiB. */
	mmio_w64(GITS_DEVICES, VALID | 2ULL << 8 | DEVICES);
	mmio_w64(GITS_COLLS, VALID | 2ULL << 8 | COLLECTIONS);
	mmio_w64(GITS_CBASER, VALID | QUEUE | (QUEUE_SIZE / 0x1000 - 1));
	mmio_w64(GITS_CWRITER, 0);
	mmio_w32(GITS_CTLR, 1);
}

void its_cpu_init(uint32_t cpu)
{
	mmio_w64(GICR(cpu) + GICR_PROPBASER, PROPERTIES | (ID_BITS - 1));
	mmio_w64(GICR(cpu) + GICR_PENDBASER, PENDING(cpu));
	its_enable_lpis(cpu, true);
}

void its_map_all(void)
{
	uint32_t i;

	for (i = 0; i < SH->nr_vcpus; i++)
		command(MAPC, 0, VALID | (uint64_t)i << 16 | i, 0);
	command(MAPD | (uint64_t)GUEST_LPI_DEVICE << 32, EVENT_BITS - 1, VALID | ITT, 0);
	for (i = 0; i < SH->nr_irqs; i++)
		command(MAPTI | (uint64_t)GUEST_LPI_DEVICE << 32,
			(uint64_t)(GUEST_FIRST_LPI + i) << 32 | i, SH->lpi_route[i], 0);
}

void its_move(uint32_t lpi, uint32_t cpu)
{
	command(MOVI | (uint64_t)GUEST_LPI_DEVICE << 32, lpi, cpu, 0);
}

void its_move_all(uint32_t from, uint32_t to)
{
	command(MOVALL, 0, (uint64_t)from << 16, (uint64_t)to << 16);
}

void its_enable_lpi(uint32_t lpi, bool on)
{
	set_property(lpi, on);
	command(INV | (uint64_t)GUEST_LPI_DEVICE << 32, lpi, 0, 0);
}

void its_enable_lpis(uint32_t cpu, bool on)
{
	mmio_w32(GICR(cpu) + GICR_CTLR, on ? GICR_ENABLELPIS : 0);
}
