/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the kernel's struct vgic_irq has to be compared to see that nothing has changed. */
#ifndef VGICSIM_WORDS_BPF_H
#define VGICSIM_WORDS_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "shared.h"

/* Words from the vcpu on. */
#define SEEN_WORDS 8

#define FROM_VCPU(field)                                 \
	(bpf_core_field_offset(struct vgic_irq, field) - \
	 bpf_core_field_offset(struct vgic_irq, vcpu))

/* The vcpu stands so many bytes behind the node of the interrupt's list. */
#define VCPU_BEHIND_NODE 16

/* Where the words compared at every look are from 6.19 on: the first three and the fifth. */
#define IN_WORDS(field) (FROM_VCPU(field) < 8 * 3 || FROM_VCPU(field) / 8 == 4)

/* And in kernels whose flags are bytes: all but the fifth and the last. */
#define IN_MORE_WORDS(field) (FROM_VCPU(field) < 8 * (SEEN_WORDS - 1) && FROM_VCPU(field) / 8 != 4)

/*
 * Is all that is read of an interrupt in those words? It is in all kernels known: from 6.19 on, but
 * for the INTID, in the first six, which is what is compared there, and what changes by itself in
 * four of them; before in eight, and in six.
 */
static __always_inline bool words_tell_all(void)
{
	if (bpf_core_field_offset(struct vgic_irq, vcpu) % 8 ||
	    bpf_core_field_offset(struct vgic_irq, vcpu) + 8 * SEEN_WORDS > RAW_IRQ_MAX ||
	    FROM_VCPU(ap_list) + VCPU_BEHIND_NODE)
		return false;
	if (bpf_core_field_exists(struct vgic_irq, mapped) && !IN_WORDS(mapped))
		return false;
	if (bpf_core_field_exists(struct vgic_irq, on_lr))
		return IN_WORDS(on_lr) && IN_WORDS(target_vcpu) && IN_WORDS(pending_latch) &&
		       IN_WORDS(config) && IN_WORDS(line_level) && IN_WORDS(enabled) &&
		       IN_WORDS(active) && IN_WORDS(hw) && IN_WORDS(source) &&
		       IN_WORDS(active_source) && IN_WORDS(priority) && IN_WORDS(group) &&
		       FROM_VCPU(hwintid) < 8 * 6 && FROM_VCPU(ops) < 8 * 6;
	return IN_MORE_WORDS(intid) && IN_MORE_WORDS(target_vcpu) && IN_MORE_WORDS(pending_latch) &&
	       IN_MORE_WORDS(config) && IN_MORE_WORDS(line_level) && IN_MORE_WORDS(enabled) &&
	       IN_MORE_WORDS(active) && IN_MORE_WORDS(hw) && IN_MORE_WORDS(source) &&
	       IN_MORE_WORDS(active_source) && IN_MORE_WORDS(priority) && IN_MORE_WORDS(group) &&
	       FROM_VCPU(hwintid) < 8 * SEEN_WORDS && FROM_VCPU(ops) < 8 * SEEN_WORDS;
}

#endif
