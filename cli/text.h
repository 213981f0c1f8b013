/* SPDX-License-Identifier: GPL-2.0-only */
/* Records as text for people and as one line of JSON for programs. */
#ifndef VGICSIM_CLI_TEXT_H
#define VGICSIM_CLI_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <vgicsim/recording.h>

/* How the list registers of a recording are to be read. */
struct text_gic {
	bool gich;			     /* the host has a GICv2: slots hold GICH_LR */
	uint8_t v2_guest[VGR_MAX_TABLE / 8]; /* a bit for each VM: its guest sees a GICv2 */
	uint32_t dist_page[VGR_MAX_TABLE];   /* by VM, as in struct vgr_vcpu */
};

/* From the header, with what its totals say of the VMs. */
void text_gic_init(struct text_gic *g, const struct vgr_header *h);

/* A name of 16 bytes from a recorded kernel, which may hold anything: printable, terminated. */
void text_comm(char *to, const char comm[16]);

/* To be called for every record: one that introduces a vCPU tells what its VM has. */
void text_gic_note(struct text_gic *g, const struct vgr_rec *rec);

bool text_gic_v2_guest(const struct text_gic *g, const struct vgr_rec *rec);

/* A list register of a flush or sync in the layout of ICH_LR<n>_EL2, and its INTID. */
uint64_t text_gic_lr(const struct text_gic *g, uint64_t slot);
uint32_t text_gic_intid(const struct text_gic *g, const struct vgr_rec *rec, uint64_t slot);

/*
 * Offset into the distributor of an MMIO access; -1 if it is another record or went
 * elsewhere, or if the recording does not say where the distributor is.
 */
int text_gic_dist(const struct text_gic *g, const struct vgr_rec *rec);

/* True for a write of GICD_SGIR by a GICv2 guest, which is how it sends an SGI. */
bool text_gic_sgir(const struct text_gic *g, const struct vgr_rec *rec);

/*
 * One line. start: time (ns) that counts as 0. verbose: priorities, groups and all
 * bits of HCR too.
 */
void text_record(FILE *f, const struct text_gic *g, const struct vgr_rec *rec, uint64_t start,
		 bool verbose);

/* One line of JSON; number is that of the record in the file. */
void json_record(FILE *f, const struct text_gic *g, const struct vgr_rec *rec, uint64_t number);

/*
 * "32a", "36p", "40pa", "32-" (empty, INTID left over), "." (all zero), from the layout
 * of ICH_LR<n>_EL2. v2_guest: "5<1p" is SGI 5 of CPU 1.
 */
char *text_lr(char *buf, size_t size, uint64_t lr, bool v2_guest, bool verbose);

/* "32A", "36P", "36*" (on an LR) ... */
char *text_irq(char *buf, size_t size, const struct vgr_irq *irq, bool verbose);

/* Pending as KVM sees it: latch, or line of a level-sensitive one (OV-1). */
bool irq_pending(const struct vgr_irq *irq);

#endif
