/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of one frame in the order that compresses best: what is alike stands
 * together, what counts up is a difference. Reversible byte for byte, same size.
 * vgicsim-recording(5), "Columns", is its definition.
 */
#ifndef VGICSIM_TRACE_COLUMNS_H
#define VGICSIM_TRACE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/records.h>

/* Bytes of a record of this type in front of its arrays, head included; 0: no such type. */
uint32_t rec_fixed_size(uint16_t type);

/*
 * May a host with max_lrs list registers have written this valid record? If not, *why
 * is set to a constant sentence.
 */
bool rec_fits_host(const struct vgr_rec *rec, unsigned int max_lrs, const char **why);

/* n valid records, size bytes in all, from raw to out (size bytes). 0 or -ENOMEM. */
int columns_encode(const void *raw, size_t size, uint32_t n, void *out);

/*
 * Back again. in may hold anything: -EPROTO if it cannot come from columns_encode()
 * with these numbers. The records are not valid for that; vgr_rec_validate() says.
 */
int columns_decode(const void *in, size_t size, uint32_t n, void *raw);

#endif
