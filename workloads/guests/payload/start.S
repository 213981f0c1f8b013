/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry of every vCPU (x0 = vCPU number): identity map, caches on, a stack of its own. Exclusives
 * need Normal cacheable memory, so nothing may be shared before the MMU is on.
 */
#define STACK_SHIFT 16

	.section .text.start, "ax"
	.global _start
_start:
	mov	x19, x0
	msr	tpidr_el1, x19

	adrp	x1, page_table
	add	x1, x1, :lo12:page_table
	msr	ttbr0_el1, x1
	ldr	x1, =0xff00		/* attribute 0: Device-nGnRnE, 1: Normal write-back */
	msr	mair_el1, x1
	/* T0SZ 25 (39 bits, starts at level 1), 4 KiB, inner shareable write-back walks, EPD1 */
	ldr	x1, =(25 | (1 << 8) | (1 << 10) | (3 << 12) | (1 << 23) | (2 << 32))
	msr	tcr_el1, x1
	tlbi	vmalle1
	dsb	nsh
	isb
	mrs	x1, sctlr_el1
	mov	x2, #(1 << 0 | 1 << 2)
	orr	x1, x1, x2
	mov	x2, #(1 << 12)
	orr	x1, x1, x2
	bic	x1, x1, #2		/* no alignment checks */
	msr	sctlr_el1, x1
	isb

	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	add	x2, x19, #1
	add	x1, x1, x2, lsl #STACK_SHIFT
	mov	sp, x1
	isb
	mov	x0, x19
	bl	guest_main
1:	wfi
	b	1b

/* Frame: x0..x18, x29, x30, ELR, SPSR; handlers nest as deep as there are priorities. */
	.macro	save
	sub	sp, sp, #192
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	mrs	x0, elr_el1
	stp	x30, x0, [sp, #160]
	mrs	x0, spsr_el1
	str	x0, [sp, #176]
	.endm

	.macro	restore
	ldr	x0, [sp, #176]
	msr	spsr_el1, x0
	ldp	x30, x0, [sp, #160]
	msr	elr_el1, x0
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #192
	.endm

	.macro	bad slot
	.balign	128
	mov	x0, #\slot
	b	bad_exception
	.endm

	.text
	.balign	2048
vectors:
	bad	0
	bad	1
	bad	2
	bad	3
	bad	4			/* synchronous, current EL: a defect of the payload */
	.balign	128			/* IRQ, current EL */
	b	irq_entry
	bad	6			/* FIQ: no group 0 interrupt is ever enabled */
	bad	7
	bad	8
	bad	9
	bad	10
	bad	11
	bad	12
	bad	13
	bad	14
	bad	15

irq_entry:
	save
	bl	guest_irq
	restore
	eret

bad_exception:
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	bl	guest_exception
1:	wfi
	b	1b

	.section .data.page_table, "aw"
	.balign	4096
page_table:
	/* 0..1 GiB: Device, execute never; 1..2 GiB: Normal, inner shareable; the rest faults */
	.quad	0x00000000 | 1 | (0 << 2) | (1 << 10) | (3 << 53)
	.quad	0x40000000 | 1 | (1 << 2) | (3 << 8) | (1 << 10)
	.fill	510, 8, 0

	.section .bss.stacks, "aw", %nobits
	.balign	65536
stacks:
	.skip	16 << STACK_SHIFT
