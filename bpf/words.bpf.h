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

/*
 * Is all that is read of an interrupt, but for its INTID, in those words? It is in all kernels
 * known: from 6.19 on in the first six, which is what is compared there.
 */
static __always_inline bool words_tell_all(void)
{
	__u32 last = bpf_core_field_exists(struct vgic_irq, on_lr) ? 8 * 6 : 8 * SEEN_WORDS;

	if (bpf_core_field_exists(struct vgic_irq, on_lr) && FROM_VCPU(on_lr) >= last)
		return false;
	if (bpf_core_field_exists(struct vgic_irq, mapped) && FROM_VCPU(mapped) >= last)
		return false;
	return FROM_VCPU(target_vcpu) < last && FROM_VCPU(pending_latch) < last &&
	       FROM_VCPU(config) < last && FROM_VCPU(line_level) < last &&
	       FROM_VCPU(enabled) < last && FROM_VCPU(active) < last && FROM_VCPU(hw) < last &&
	       FROM_VCPU(hwintid) < last && FROM_VCPU(source) < last &&
	       FROM_VCPU(active_source) < last && FROM_VCPU(priority) < last &&
	       FROM_VCPU(group) < last && FROM_VCPU(ops) < last &&
	       bpf_core_field_offset(struct vgic_irq, vcpu) % 8 == 0 &&
	       bpf_core_field_offset(struct vgic_irq, vcpu) + 8 * SEEN_WORDS <= RAW_IRQ_MAX;
}

#endif
