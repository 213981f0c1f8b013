/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptive parts of a recording, and of a workload, as JSON text. */
#ifndef VGICSIM_TRACE_HEADER_H
#define VGICSIM_TRACE_HEADER_H

#include <vgicsim/recording.h>
#include <vgicsim/workload_file.h>

/* Compact JSON, to be freed by the caller; NULL without memory. */
char *header_encode(const struct vgr_header *h);
char *totals_encode(const struct vgr_totals *t);
/* Tool, estimator and policy of a workload. */
char *names_encode(const struct vgw *w);

/*
 * Text (not terminated) to structure. Unknown members are left alone, absent ones
 * keep what h and t hold. Tables are allocated: header_release(), totals_release().
 * 0; -ENOMEM; -EPROTO with *why.
 */
int header_decode(struct vgr_header *h, const char *text, size_t size, const char **why);
int totals_decode(struct vgr_totals *t, const char *text, size_t size, const char **why);
int names_decode(struct vgw *w, const char *text, size_t size, const char **why);

void header_release(struct vgr_header *h);
void totals_release(struct vgr_totals *t);

#endif
