/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flight recorder: keeps the last records in memory, and when a condition is met writes a
 * recording of the time around that moment. It is told the time by its records, and by
 * whoever knows that there were none.
 */
#ifndef VGICSIM_CLI_FLIGHT_H
#define VGICSIM_CLI_FLIGHT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/recording.h>
#include <vgicsim/trigger.h>

/* One recording that was written. */
struct flight_file {
	char path[PATH_MAX];
	struct vgic_trigger_event event;
	uint64_t records, lost; /* in it */
	uint64_t before, after; /* ns that it holds around the event */
	bool cut;		/* memory was too small for all of it */
};

struct flight_opts {
	const struct vgic_condition *condition;
	uint64_t before, after; /* ns around the event */
	uint64_t rearm;		/* ns from the end of one recording on, in which nothing counts */
	uint64_t count;		/* recordings; 0: as many as there are events */
	size_t memory;		/* bytes, at least VGR_RING_MIN */
	const char *output;	/* the recording; with another count than 1 they are numbered */
	const struct vgr_header *header; /* stays with the caller, as the others */
	struct vgr_writer_opts writer;
	/* Called for each recording that is whole. NULL is fine. */
	void (*whole)(void *ctx, const struct flight_file *file);
	void *ctx;
};

struct flight;

/* 0, -EINVAL or -ENOMEM. */
int flight_create(struct flight **f, const struct flight_opts *opts);
void flight_destroy(struct flight *f);

/* One record of the capture. 0, -EINVAL (malformed: left out), -ENOMEM or what writing returned. */
int flight_take(struct flight *f, const struct vgr_rec *rec);

/*
 * Writes a part of what is to be written. time: all records before it have been taken. 0 or what
 * writing returned.
 */
int flight_work(struct flight *f, uint64_t time);

/* There are no more records: what is under way is written to its end. As flight_work(). */
int flight_finish(struct flight *f);

/* There is more to write than one call of flight_work() did. */
bool flight_busy(const struct flight *f);

/* All recordings that were asked for are there. */
bool flight_done(const struct flight *f);

/* The one that could not be written. */
const char *flight_failed(const struct flight *f);

/* Recordings that are whole, and entries that met the condition. */
uint64_t flight_files(const struct flight *f);
uint64_t flight_met(const struct flight *f);

/* The path of recording number n of several: "host.vgr" becomes "host-3.vgr". */
void flight_path(char *path, size_t size, const char *output, uint64_t n);

#endif
