/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What live statistics count of a vCPU, and the rules by which they do. The BPF programs count
 * with them in the kernel, sim/stat_tally.c counts the records of a recording with them: the
 * same events give the same numbers. Plain types and inline functions only, for BPF compiles this.
 */
#ifndef VGICSIM_STAT_COUNTS_H
#define VGICSIM_STAT_COUNTS_H

#include <stdint.h>

#include <vgicsim/records.h>

/* Kinds of exits; the numbers are those of enum vgic_exit_kind (<vgicsim/workload.h>). */
enum vgic_stat_kind {
	VGIC_STAT_MI = 0,    /* an IRQ exit at whose sync MISR is not zero */
	VGIC_STAT_DIR,	     /* a trapped DIR */
	VGIC_STAT_SGI,	     /* a trapped SGI register */
	VGIC_STAT_WFI,	     /* WFI or WFE */
	VGIC_STAT_MMIO,	     /* a trapped MMIO access */
	VGIC_STAT_OTHER_IRQ, /* an IRQ exit with MISR zero: host interrupt, kick */
	VGIC_STAT_OTHER,
	VGIC_STAT_KINDS
};

#define VGIC_STAT_MIS	 8u  /* bits of ICH_MISR_EL2 */
#define VGIC_STAT_DEPTHS 64u /* overflow depths 0 to 62, and all deeper ones */
/* Durations: 8 of width 1, then 8 for each further power of two, up to 2^42 ns. */
#define VGIC_STAT_TIMES	 320u

/* Lines that ended in the last run: so many are remembered, as they may be high still. */
#define VGIC_STAT_ENDED 8u

struct vgic_stat_counts {
	uint64_t entries;
	uint64_t exits[VGIC_STAT_KINDS];
	uint64_t mi_source[VGIC_STAT_MIS]; /* of the MIs; one may have several */
	uint64_t dir, sgi, kicks;	   /* DIRs and SGI writes that trapped, kick requests */
	uint64_t eoicount;		   /* interrupts that a sync ended because of EOIcount */
	uint64_t guest_ns;		   /* from entries to their exits */
	uint64_t out[VGIC_STAT_KINDS];	   /* entries by the kind of the exit before ... */
	uint64_t out_ns[VGIC_STAT_KINDS];  /* ... and the time from that exit to the entry */
	uint64_t lrs[VGR_MAX_LRS + 1];	   /* entries by LRs in use */
	uint64_t depth[VGIC_STAT_DEPTHS];  /* entries by interrupts that stayed outside */
	uint64_t raise_ns;		   /* raise to LR: sum, and histogram */
	uint64_t raise[VGIC_STAT_TIMES];
	/* Not counters: the largest since the beginning. */
	uint64_t depth_max, raise_max_ns;
};

#define VGIC_STAT_MAXIMA 2u /* words at the end that are not counters */

#ifndef VGIC_STAT_INLINE
#define VGIC_STAT_INLINE static inline __attribute__((always_inline, unused))
#endif

/* ---- durations ---- */

/* Bucket of a duration in ns; the last one takes all that is longer. */
VGIC_STAT_INLINE uint32_t vgic_stat_time_bucket(uint64_t ns)
{
	uint64_t v = ns;
	uint32_t shift = 0;

	if (v >> 42)
		return VGIC_STAT_TIMES - 1;
	/* Down to 8 to 15. */
	if (v >> 20) {
		v >>= 16;
		shift += 16;
	}
	if (v >> 20) {
		v >>= 16;
		shift += 16;
	}
	if (v >> 12) {
		v >>= 8;
		shift += 8;
	}
	if (v >> 8) {
		v >>= 4;
		shift += 4;
	}
	if (v >> 6) {
		v >>= 2;
		shift += 2;
	}
	if (v >> 5) {
		v >>= 1;
		shift += 1;
	}
	if (v >> 4) {
		v >>= 1;
		shift += 1;
	}
	return shift * 8 + (uint32_t)v;
}

/* The shortest duration of a bucket in ns. */
VGIC_STAT_INLINE uint64_t vgic_stat_time_lowest(uint32_t bucket)
{
	return bucket < 16 ? bucket : (8ull + bucket % 8) << (bucket / 8 - 1);
}

/* ---- list registers, in the layout of the host's GIC ---- */

/* v2: GICH_LR<n> in the lower half, else ICH_LR<n>_EL2; 1, 0. */
VGIC_STAT_INLINE uint32_t vgic_stat_lr_pending(uint64_t lr, uint32_t v2)
{
	return lr >> (v2 ? 28 : 62) & 1;
}

VGIC_STAT_INLINE uint32_t vgic_stat_lr_active(uint64_t lr, uint32_t v2)
{
	return lr >> (v2 ? 29 : 63) & 1;
}

VGIC_STAT_INLINE uint32_t vgic_stat_lr_valid(uint64_t lr, uint32_t v2)
{
	return (lr >> (v2 ? 28 : 62) & 3) != 0;
}

VGIC_STAT_INLINE uint32_t vgic_stat_lr_hw(uint64_t lr, uint32_t v2)
{
	return lr >> (v2 ? 31 : 61) & 1;
}

/* The LR asks for an MI when its interrupt ends: a line that is not mapped. */
VGIC_STAT_INLINE uint32_t vgic_stat_lr_eoi(uint64_t lr, uint32_t v2)
{
	return !vgic_stat_lr_hw(lr, v2) && (lr >> (v2 ? 19 : 41) & 1);
}

/* v2_guest: bits 12:10 are the source of an SGI, no part of the INTID. */
VGIC_STAT_INLINE uint32_t vgic_stat_lr_intid(uint64_t lr, uint32_t v2_guest)
{
	return v2_guest ? lr & 0x3ff : (uint32_t)lr;
}

/*
 * What ICH_MISR_EL2 was at an exit (hardware model 4), while the interface was on: the counts are
 * of the LRs in use, what is not in use is invalid. The bits of HCR and VMCR used here stand in
 * the same places on a GICv2. sim/cpuif_v3.c has the whole interface; a unit test holds this
 * against it in every state that recordings show.
 */
VGIC_STAT_INLINE uint32_t vgic_stat_misr(uint32_t hcr, uint32_t vmcr, uint32_t valid,
					 uint32_t only_pending, uint32_t eoi)
{
	uint32_t is = 0;

	is |= valid <= 1 ? 1u << 1 : 0;
	is |= hcr >> 27 ? 1u << 2 : 0;
	is |= only_pending ? 0 : 1u << 3;
	is |= vmcr & 1 ? 1u << 4 : 1u << 5;
	is |= vmcr & 2 ? 1u << 6 : 1u << 7;
	return (is & hcr) | (eoi ? 1 : 0);
}

VGIC_STAT_INLINE uint32_t vgic_stat_eoicount(uint32_t hcr)
{
	return hcr >> 27;
}

/* ---- exits ---- */

/* ret, ec: as tracepoint kvm_exit has them; misr: at the sync before. */
VGIC_STAT_INLINE uint32_t vgic_stat_exit_kind(uint32_t ret, uint32_t ec, uint32_t misr)
{
	if (!ret)
		return misr ? VGIC_STAT_MI : VGIC_STAT_OTHER_IRQ;
	return ec == 1 ? VGIC_STAT_WFI : VGIC_STAT_OTHER;
}

/* An exit is counted when it is known what it was for: at the vCPU's next flush. */
VGIC_STAT_INLINE void vgic_stat_count_exit(struct vgic_stat_counts *c, uint32_t kind, uint32_t misr)
{
	uint32_t i;

	if (kind >= VGIC_STAT_KINDS)
		return;
	c->exits[kind]++;
	if (kind != VGIC_STAT_MI)
		return;
	for (i = 0; i < VGIC_STAT_MIS; i++)
		c->mi_source[i] += misr >> i & 1;
}

/* ---- the list ---- */

/* Of interrupts that are on the list and in no LR, those that overflow. 1, 0. */
VGIC_STAT_INLINE uint32_t vgic_stat_waits(uint32_t pending, uint32_t enabled, uint32_t active,
					  uint32_t own)
{
	return pending && enabled && !active && own;
}

VGIC_STAT_INLINE uint32_t vgic_stat_overflows(uint32_t waits, uint32_t active)
{
	return waits || active;
}

VGIC_STAT_INLINE uint32_t vgic_stat_depth_bucket(uint32_t depth)
{
	return depth < VGIC_STAT_DEPTHS ? depth : VGIC_STAT_DEPTHS - 1;
}

/* ---- raise to LR ---- */

/*
 * One interrupt between its raise and its LR is one word: flags, and above them the time of the
 * raise. A raise: a line that goes high, an edge, an SGI of a GICv3 guest. What nobody announces,
 * such as an LPI or a pending bit that was written, counts from the flush that first leaves it
 * outside, or puts it into an LR; a line that is still high when its interrupt ends, from that
 * exit. The flags are those of <vgicsim/raises.h>: a test holds one against the other.
 */
#define VGIC_STAT_RAISED   1u /* and in no LR since */
#define VGIC_STAT_SHOWN	   2u /* reached an LR, and was not taken */
#define VGIC_STAT_IN_GUEST 4u /* that LR is in a guest that runs */

/* 0: nothing is to be remembered of the interrupt. Time in ns. */
VGIC_STAT_INLINE uint64_t vgic_stat_raised(uint64_t word, uint64_t time)
{
	/* Merged with one before. */
	if ((word & VGIC_STAT_RAISED) || (word & 6) == VGIC_STAT_SHOWN)
		return word;
	return time << 3 | (word & 6) | VGIC_STAT_RAISED;
}

VGIC_STAT_INLINE uint64_t vgic_stat_lowered(uint64_t word)
{
	return word & VGIC_STAT_IN_GUEST ? word & 6 : 0;
}

/* Left outside by a flush. */
VGIC_STAT_INLINE uint64_t vgic_stat_outside(uint64_t word, uint64_t time)
{
	return word ? word : time << 3 | VGIC_STAT_RAISED;
}

/* An entry is made with it pending in an LR. Nonzero: a latency from vgic_stat_since() on. */
VGIC_STAT_INLINE uint32_t vgic_stat_arrives(uint64_t word)
{
	return !(word & VGIC_STAT_SHOWN);
}

VGIC_STAT_INLINE uint64_t vgic_stat_since(uint64_t word, uint64_t unannounced)
{
	return word & VGIC_STAT_RAISED ? word >> 3 : unannounced;
}

VGIC_STAT_INLINE uint64_t vgic_stat_entered(uint64_t word)
{
	/* What was raised again while the LR was there has a time of its own. */
	if (vgic_stat_arrives(word))
		return VGIC_STAT_SHOWN | VGIC_STAT_IN_GUEST;
	return word | VGIC_STAT_IN_GUEST;
}

/* The run is over. pending: it still is in the LR. */
VGIC_STAT_INLINE uint64_t vgic_stat_left(uint64_t word, uint32_t pending)
{
	/* The kernel thought better of it between flush and entry. */
	if (!(word & VGIC_STAT_IN_GUEST))
		return word;
	if (pending)
		return VGIC_STAT_SHOWN;
	return word & VGIC_STAT_RAISED ? word & ~6ull : 0;
}

/* Targets of ICC_SGI1R_EL1: all but the sender, or bits of one group of 16. */
VGIC_STAT_INLINE uint32_t vgic_stat_sgi_all(uint64_t value)
{
	return value >> 40 & 1;
}

VGIC_STAT_INLINE uint32_t vgic_stat_sgi_group(uint64_t value)
{
	return value >> 16 & 0xff;
}

VGIC_STAT_INLINE uint32_t vgic_stat_sgi_intid(uint64_t value)
{
	return value >> 24 & 0xf;
}

#endif
