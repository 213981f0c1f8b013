/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of trace-cmd, the writing half: trace.dat, version 6 (trace-cmd.dat.v6(5)). Events of
 * kinds that the caller describes, put in any order of CPUs; the file is written at the end, and
 * until then its pages are in a file without a name. What is in memory does not grow with it.
 *
 * Every int function returns 0 or a negative errno: -ENOMEM, -EIO and the like of the file
 * without a name, -ERANGE for a CPU beyond DAT_MAX_CPUS.
 */
#ifndef VGICSIM_CLI_DAT_FILE_H
#define VGICSIM_CLI_DAT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DAT_MAX_CPUS   4096u
#define DAT_MAX_FIELDS 12u
/* Bytes of one text in an event, of which a kind has two at most; a longer one is cut. */
#define DAT_MAX_TEXT   1024u

/* As the kernel would declare it. size 0: a text of any length (DAT_TEXT). */
struct dat_field {
	const char *type, *name;
	uint8_t size; /* 1, 2, 4 or 8 bytes */
	bool is_signed;
};

#define DAT_TEXT(name)              \
	{                           \
		NULL, name, 0, true \
	}

struct dat_kind {
	const char *system, *name; /* kinds of one system follow one another */
	struct dat_field fields[DAT_MAX_FIELDS];
	const char *print; /* what follows "print fmt: " */
};

struct dat_file;

/* kinds: borrowed until the end. */
int dat_file_create(struct dat_file **d, const struct dat_kind *kinds, size_t n);
void dat_file_destroy(struct dat_file *d);

/* One event: its values in the order of its fields, then where and when (ns). */
void dat_event_begin(struct dat_file *d, size_t kind, uint32_t pid);
void dat_event_number(struct dat_file *d, uint64_t value);
void dat_event_text(struct dat_file *d, const char *text);
/* A time before that of the CPU's last event is taken for that one: readers count upwards. */
int dat_event_end(struct dat_file *d, unsigned int cpu, uint64_t time);

/* The CPU lost that many events before its next one. */
int dat_file_lost(struct dat_file *d, unsigned int cpu, uint64_t count);

/* The name of a thread, the first that is given. Control characters become '?'. */
int dat_file_task(struct dat_file *d, uint32_t pid, const char *name);

/* Everything. clock: as tracefs calls it; release, version: free text. f is not closed. */
int dat_file_write(struct dat_file *d, FILE *f, const char *clock, const char *release,
		   const char *version);

#endif
