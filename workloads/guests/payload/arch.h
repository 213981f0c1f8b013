/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_PAYLOAD_ARCH_H
#define GUESTS_PAYLOAD_ARCH_H

#include <stdint.h>

/*
 * Device accesses are single stores and loads of one register: KVM cannot decode write-back and
 * pair forms (no valid syndrome) and would end the run with ENOSYS.
 */
static inline void mmio_w32(uint64_t addr, uint32_t v)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(v), "r"(addr) : "memory");
}

static inline uint32_t mmio_r32(uint64_t addr)
{
	uint32_t v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

static inline void mmio_w8(uint64_t addr, uint8_t v)
{
	__asm__ volatile("strb %w0, [%1]" : : "r"(v), "r"(addr) : "memory");
}

static inline void mmio_w64(uint64_t addr, uint64_t v)
{
	__asm__ volatile("str %0, [%1]" : : "r"(v), "r"(addr) : "memory");
}

#define sys_read(reg)                                                     \
	({                                                                \
		uint64_t v_;                                              \
		__asm__ volatile("mrs %0, " reg : "=r"(v_) : : "memory"); \
		v_;                                                       \
	})
#define sys_write(reg, v) __asm__ volatile("msr " reg ", %0" : : "r"((uint64_t)(v)) : "memory")

/* GICv3 CPU interface by encoding, so that no assembler needs to know the names. */
#define ICC_PMR	    "S3_0_C4_C6_0"
#define ICC_IAR0    "S3_0_C12_C8_0"
#define ICC_EOIR0   "S3_0_C12_C8_1"
#define ICC_BPR0    "S3_0_C12_C8_3"
#define ICC_AP0R0   "S3_0_C12_C8_4"
#define ICC_AP1R0   "S3_0_C12_C9_0"
#define ICC_IGRPEN0 "S3_0_C12_C12_6"
#define ICC_DIR	    "S3_0_C12_C11_1"
#define ICC_RPR	    "S3_0_C12_C11_3"
#define ICC_SGI1R   "S3_0_C12_C11_5"
#define ICC_IAR1    "S3_0_C12_C12_0"
#define ICC_EOIR1   "S3_0_C12_C12_1"
#define ICC_BPR1    "S3_0_C12_C12_3"
#define ICC_CTLR    "S3_0_C12_C12_4"
#define ICC_SRE	    "S3_0_C12_C12_5"
#define ICC_IGRPEN1 "S3_0_C12_C12_7"

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void dsb(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

static inline void wfi(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

/* SMCCC_VERSION: KVM answers by itself, the VMM does not see it. */
static inline void hvc(void)
{
	register uint64_t x0 __asm__("x0") = 0x80000000;

	__asm__ volatile("hvc #0"
			 : "+r"(x0)
			 :
			 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "memory");
}

static inline void irq_on(void)
{
	__asm__ volatile("msr daifclr, #2\n\tisb" : : : "memory");
}

static inline void irq_off(void)
{
	__asm__ volatile("msr daifset, #2\n\tisb" : : : "memory");
}

/* The ISB keeps the counter read from moving up past earlier system register accesses. */
static inline uint64_t counter(void)
{
	isb();
	return sys_read("cntvct_el0");
}

#endif
