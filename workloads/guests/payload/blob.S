/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata.payload, "a"
	.balign	16
	.global payload_start, payload_end
payload_start:
	.incbin	PAYLOAD
payload_end:
	.byte	0
	.section .note.GNU-stack, "", %progbits
