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

/* What a frame says of its records. */
struct rec_bounds {
	uint32_t size, records;
	uint64_t first_time, last_time;
	unsigned int max_lrs; /* list registers that the host can have */
};

/* Bytes of raw that are sound records. *why: what is wrong behind them; NULL: nothing. */
uint32_t recs_sound(const void *raw, const struct rec_bounds *b, const char **why);

/*
 * Last sequence number of every CPU that vgr_rec.cpu can name, for one frame. A forged file
 * may name all of them, a real one names a few. Set to zero once, and used again and again.
 */
struct columns_seqs {
	bool used[256];
	uint32_t last[256][256];
};

/* n valid records, size bytes in all, from raw to out (size bytes). */
void columns_encode(struct columns_seqs *seqs, const void *raw, size_t size, uint32_t n, void *out);

/* Bytes behind in and raw that columns_decode() may read and write, whatever they hold. */
#define COLUMNS_SLACK 64

/*
 * Back again. in may hold anything: -EPROTO if it cannot come from columns_encode()
 * with these numbers. The records are not valid for that; vgr_rec_validate() says.
 */
int columns_decode(struct columns_seqs *seqs, const void *in, size_t size, uint32_t n, void *raw);

#endif
