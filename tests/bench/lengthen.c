// SPDX-License-Identifier: GPL-2.0-only
/*
 * A long recording out of a short one: the same host with more virtual machines, each of which
 * does what that of the recording did, one after the other. Usage: lengthen TIMES FROM TO
 * With --again in front it is the same virtual machine that does all of it: a demand as long.
 * Where it begins again the lists are not what they were, and verify says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/recording.h>

#define MAX_CPUS 1024

struct lengthen {
	struct vgr_reader *from;
	struct vgr_writer *to;
	union {
		struct vgr_rec rec;
		char bytes[VGR_MAX_RECORD];
	} one;
	uint32_t seq[MAX_CPUS]; /* last of each CPU in the recording */
	uint64_t ns;		/* from the first to the last, and a moment */
	uint16_t vms;
	bool again; /* in the same virtual machines */
};

static void die(const char *path, const char *what)
{
	fprintf(stderr, "lengthen: %s: %s\n", path, what);
	exit(1);
}

/* How far each copy is from the one before. */
static void survey(struct lengthen *l)
{
	const struct vgr_rec *rec;
	uint64_t first = 0, last = 0;

	while (vgr_reader_next(l->from, &rec) > 0) {
		if (!first || rec->time < first)
			first = rec->time;
		if (rec->time > last)
			last = rec->time;
		if (rec->cpu < MAX_CPUS && rec->seq > l->seq[rec->cpu])
			l->seq[rec->cpu] = rec->seq;
		if (rec->vm != VGR_NO_VM && rec->vm >= l->vms)
			l->vms = (uint16_t)(rec->vm + 1);
	}
	l->ns = last - first + 1000000;
}

/* The record of copy number k. */
static const struct vgr_rec *shifted(struct lengthen *l, const struct vgr_rec *rec, uint32_t k)
{
	struct vgr_rec *r = &l->one.rec;
	uint64_t ns = k * l->ns;

	memcpy(r, rec, rec->size);
	r->time += ns;
	if (r->vm != VGR_NO_VM && !l->again)
		r->vm = (uint16_t)(r->vm + k * l->vms);
	if (r->type != VGR_LOSS && r->cpu < MAX_CPUS)
		r->seq += k * l->seq[r->cpu];
	switch (r->type) {
	case VGR_FLUSH:
		((struct vgr_flush *)r)->begin += ns;
		break;
	case VGR_SYNC:
		((struct vgr_sync *)r)->begin += ns;
		break;
	case VGR_VCPU:
		((struct vgr_vcpu *)r)->tgid += l->again ? 0 : k;
		break;
	case VGR_LOSS:
		((struct vgr_loss *)r)->from += ns;
		((struct vgr_loss *)r)->to += ns;
		if (r->cpu < MAX_CPUS)
			((struct vgr_loss *)r)->first_seq += k * l->seq[r->cpu];
		break;
	default:
		break;
	}
	return r;
}

static void copy(struct lengthen *l, uint32_t k, const char *path)
{
	const struct vgr_rec *rec;
	int got;

	if (vgr_reader_rewind(l->from))
		die(path, "cannot be read again");
	while ((got = vgr_reader_next(l->from, &rec)) > 0)
		if (vgr_writer_put(l->to, shifted(l, rec, k)))
			die(path, "a record is not written");
	if (got)
		die(path, "cannot be read");
}

int main(int argc, char **argv)
{
	struct lengthen *l = calloc(1, sizeof(*l));
	bool again = argc == 5 && !strcmp(argv[1], "--again");
	uint32_t times;

	argv += again;
	times = argc == 4 + again ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	if (!l || !times) {
		fprintf(stderr, "usage: lengthen [--again] TIMES FROM TO\n");
		return 2;
	}
	l->again = again;
	if (vgr_reader_open(&l->from, argv[2], NULL, NULL))
		die(argv[2], "no recording");
	survey(l);
	if (!again && (uint64_t)times * l->vms >= VGR_NO_VM)
		die(argv[2], "more virtual machines than a recording can have");
	if (vgr_writer_create(&l->to, argv[3], vgr_reader_header(l->from), NULL))
		die(argv[3], "cannot be created");
	for (uint32_t k = 0; k < times; k++)
		copy(l, k, argv[2]);
	if (vgr_writer_finish(l->to, &vgr_reader_header(l->from)->totals))
		die(argv[3], "cannot be written");
	vgr_writer_destroy(l->to);
	vgr_reader_close(l->from);
	free(l);
	return 0;
}
