// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/ring.h>
#include "condition.h"
#include "flight.h"

/* Bytes of records written in one go, so that the capture does not wait long. */
#define SLICE (512u << 10)

enum phase {
	PHASE_ARMED,
	PHASE_AFTER, /* the condition was met: what comes after it is still wanted */
	PHASE_WRITING,
	PHASE_DONE,
};

struct flight {
	struct flight_opts opts;
	struct vgr_ring *ring;
	struct vgic_trigger *trigger;
	enum phase phase;
	uint64_t armed_at; /* ns: nothing before it counts */
	uint64_t met, files;
	struct vgr_writer *writer;
	struct flight_file file; /* of the event */
	uint64_t keep;		 /* ns: what is younger does not make room for what comes after */
	uint64_t end;		 /* ns: of the newest record taken */
};

int flight_create(struct flight **out, const struct flight_opts *opts)
{
	const struct vgr_header *h = opts->header;
	struct flight *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return -ENOMEM;
	f->opts = *opts;
	ret = vgr_ring_create(&f->ring, opts->memory);
	if (!ret)
		ret = vgic_trigger_create(&f->trigger, opts->condition, h->nr_lr, h->gic_host,
					  h->vgic_model);
	if (ret) {
		flight_destroy(f);
		return ret;
	}
	*out = f;
	return 0;
}

void flight_destroy(struct flight *f)
{
	if (!f)
		return;
	vgr_writer_destroy(f->writer);
	vgic_trigger_destroy(f->trigger);
	vgr_ring_destroy(f->ring);
	free(f);
}

void flight_path(char *path, size_t size, const char *output, uint64_t n)
{
	const char *slash = strrchr(output, '/'), *dot = strrchr(output, '.');
	int stem;

	if (!dot || dot == output || (slash && dot <= slash + 1))
		dot = output + strlen(output);
	stem = (int)(dot - output);
	snprintf(path, size, "%.*s-%" PRIu64 "%s", stem, output, n, dot);
}

/* ---- writing ---- */

static uint64_t first_wanted(const struct flight *f)
{
	uint64_t event = f->file.event.time;

	return event > f->opts.before ? event - f->opts.before : 0;
}

static int begin_file(struct flight *f)
{
	uint64_t from = first_wanted(f);
	int ret;

	if (f->opts.count == 1)
		snprintf(f->file.path, sizeof(f->file.path), "%s", f->opts.output);
	else
		flight_path(f->file.path, sizeof(f->file.path), f->opts.output, f->files + 1);
	f->file.records = f->file.lost = 0;
	f->file.before = f->file.after = 0;
	f->file.cut |= vgr_ring_oldest(f->ring) > from && vgr_ring_dropped(f->ring);
	ret = vgr_ring_cut(f->ring, from);
	if (!ret)
		ret = vgr_writer_create(&f->writer, f->file.path, f->opts.header, &f->opts.writer);
	if (ret)
		return ret;
	f->phase = PHASE_WRITING;
	return 0;
}

static void count(struct flight *f, const struct vgr_rec *rec)
{
	struct flight_file *file = &f->file;
	uint64_t event = file->event.time;

	file->records++;
	if (rec->type == VGR_LOSS) {
		file->lost += ((const struct vgr_loss *)rec)->count;
		return;
	}
	if (rec->time < event && event - rec->time > file->before)
		file->before = event - rec->time;
	if (rec->time > event && rec->time - event > file->after)
		file->after = rec->time - event;
}

static int end_file(struct flight *f)
{
	struct vgr_totals totals = {.guest_status = -1, .kernel_lost = f->file.lost};
	char what[sizeof(totals.stop)];
	int ret;

	snprintf(totals.stop, sizeof(totals.stop), "%s",
		 condition_event(what, sizeof(what), &f->file.event));
	ret = vgr_writer_finish(f->writer, &totals);
	vgr_writer_destroy(f->writer);
	f->writer = NULL;
	if (ret)
		return ret;
	f->files++;
	if (f->opts.whole)
		f->opts.whole(f->opts.ctx, &f->file);
	f->armed_at = f->end + f->opts.rearm;
	f->phase = f->files == f->opts.count ? PHASE_DONE : PHASE_ARMED;
	return 0;
}

/* Writes at most so many bytes of records. */
static int write_some(struct flight *f, uint64_t bytes)
{
	const struct vgr_rec *rec;
	uint64_t done = 0;
	int ret = 0;

	while (done < bytes) {
		ret = vgr_ring_next(f->ring, &rec);
		if (ret <= 0)
			break;
		ret = vgr_writer_put(f->writer, rec);
		if (ret)
			return ret;
		count(f, rec);
		done += rec->size;
	}
	if (ret < 0)
		return ret;
	return ret ? 0 : end_file(f);
}

static int write_rest(struct flight *f)
{
	int ret = 0;

	while (!ret && f->phase == PHASE_WRITING)
		ret = write_some(f, UINT64_MAX);
	return ret;
}

static int write_all(struct flight *f)
{
	int ret = begin_file(f);

	return ret ? ret : write_rest(f);
}

/* ---- records ---- */

static bool time_is_over(const struct flight *f, uint64_t time)
{
	uint64_t event = f->file.event.time;

	return f->phase == PHASE_AFTER && time > event && time - event > f->opts.after;
}

/* The record would push out what led to the event. */
static bool memory_is_over(struct flight *f, const struct vgr_rec *rec)
{
	if (f->phase != PHASE_AFTER || vgr_ring_has_room(f->ring, rec->size) ||
	    vgr_ring_oldest(f->ring) < f->keep)
		return false;
	f->file.cut = true;
	return true;
}

/* What comes after the event may cost half of what came before it, where memory is short. */
static void seize(struct flight *f, const struct vgic_trigger_event *event)
{
	uint64_t oldest;

	f->file.event = *event;
	f->file.cut = false;
	oldest = vgr_ring_oldest(f->ring);
	if (oldest < first_wanted(f))
		oldest = first_wanted(f);
	f->keep = oldest < event->time ? oldest + (event->time - oldest) / 2 : event->time;
	f->phase = PHASE_AFTER;
}

int flight_take(struct flight *f, const struct vgr_rec *rec)
{
	struct vgic_trigger_event event;
	int ret = 0, met;

	if (time_is_over(f, rec->time) || memory_is_over(f, rec))
		ret = begin_file(f);
	if (!ret)
		ret = vgr_ring_put(f->ring, rec);
	if (ret == -ENOBUFS) {
		ret = write_rest(f);
		if (!ret)
			ret = vgr_ring_put(f->ring, rec);
	}
	if (ret)
		return ret;
	if (rec->time > f->end)
		f->end = rec->time;
	met = vgic_trigger_record(f->trigger, rec, &event);
	if (met <= 0)
		return met;
	f->met++;
	if (f->phase == PHASE_ARMED && rec->time >= f->armed_at)
		seize(f, &event);
	return 0;
}

int flight_work(struct flight *f, uint64_t time)
{
	int ret = 0;

	if (time_is_over(f, time))
		ret = begin_file(f);
	else if (f->phase == PHASE_WRITING)
		ret = write_some(f, SLICE);
	return ret;
}

int flight_finish(struct flight *f)
{
	int ret = 0;

	if (f->phase == PHASE_AFTER)
		ret = write_all(f);
	else if (f->phase == PHASE_WRITING)
		ret = write_rest(f);
	return ret;
}

bool flight_busy(const struct flight *f)
{
	return f->phase == PHASE_WRITING;
}

bool flight_done(const struct flight *f)
{
	return f->phase == PHASE_DONE;
}

const char *flight_failed(const struct flight *f)
{
	return f->file.path;
}

uint64_t flight_files(const struct flight *f)
{
	return f->files;
}

uint64_t flight_met(const struct flight *f)
{
	return f->met;
}
