/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of trace-cmd (trace.dat), read through libtracecmd.
 *
 * The library trusts its input: what comes from elsewhere is to be read in a process of its own,
 * with limits (cli/cmd_import.c does).
 */
#ifndef VGICSIM_TRACE_DAT_H
#define VGICSIM_TRACE_DAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tep_handle;
struct tep_record;
struct vgr_trace_dat;

/* What stands at the beginning of such a file. */
struct vgr_trace_dat_head {
	unsigned int version; /* 6 or 7 */
	bool big_endian;
	unsigned int long_size; /* 4 or 8 */
};

/*
 * Looks at the first bytes, without the library. 0, or -ENOEXEC with one line in why: it is no
 * file that the library reads.
 */
int vgr_trace_dat_look(const void *data, size_t size, struct vgr_trace_dat_head *head, char *why,
		       size_t why_size);

/*
 * fd: open for reading, at its beginning; stays with the caller. No plugins are loaded. -EPROTO:
 * the library does not make sense of it.
 */
int vgr_trace_dat_open(struct vgr_trace_dat **t, int fd);

/* Formats of its events. */
struct tep_handle *vgr_trace_dat_tep(const struct vgr_trace_dat *t);

/*
 * Hands over the records of all CPUs and buffers in the order of time, once. What put returns
 * ends it; -EPROTO: the library gave up.
 */
int vgr_trace_dat_read(struct vgr_trace_dat *t, int (*put)(void *ctx, struct tep_record *rec),
		       void *ctx);

/* As uname -a of the traced machine; NULL where it cannot be told. */
const char *vgr_trace_dat_uname(const struct vgr_trace_dat *t);

/* Name of the trace clock: "local", "mono" ...; empty where it cannot be told. */
void vgr_trace_dat_clock(const struct vgr_trace_dat *t, char *name, size_t size);

/* NULL is fine. */
void vgr_trace_dat_close(struct vgr_trace_dat *t);

#endif
