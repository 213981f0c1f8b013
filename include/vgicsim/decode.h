/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The door through which recordings come to those who know one kind of GIC only.
 * Whatever the host and its guests have, behind it
 *  - LRs have the layout of ICH_LR<n>_EL2, their vINTID is an INTID and nothing else
 *    (a GICv2 keeps the source of an SGI in it),
 *  - a GICv2 guest's write of GICD_SGIR is a VGR_SGI with the value that an
 *    ICC_SGI1R_EL1 would have, and its DIR a bare INTID.
 * HCR and VMCR of a GICv2 pass as they are (records.h).
 */
#ifndef VGICSIM_DECODE_H
#define VGICSIM_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include <vgicsim/records.h>

struct vgic_decoder;

/*
 * gic_host, vgic_model: of the header, 0 if unknown (then vCPU records tell what the
 * guest has). 0 or -ENOMEM.
 */
int vgic_decoder_create(struct vgic_decoder **d, unsigned int gic_host, unsigned int vgic_model);
void vgic_decoder_destroy(struct vgic_decoder *d);

/* rec itself, or what it becomes, valid until the next call. Records in file order. */
const struct vgr_rec *vgic_decode(struct vgic_decoder *d, const struct vgr_rec *rec);

/* A guest of the recording programs a GICv2, as far as is known by now. */
bool vgic_decoder_has_v2(const struct vgic_decoder *d);

#endif
