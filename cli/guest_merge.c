// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vgicsim/guest_sync.h>
#include <vgicsim/recording.h>
#include "exit.h"
#include "guest_merge.h"
#include "guest_trace.h"
#include "output.h"

/* What is followed of a vCPU of the guest. */
struct merged_vcpu {
	struct vgic_guest_run *runs;
	size_t nr_runs, cap_runs;
	bool offers, entered, ran; /* list registers in use; now in the guest; ever */
	uint64_t entry;
	uint16_t cpu;
	uint32_t tid;
};

struct merger {
	const struct guest_merge *o;
	struct guest_merged *m;
	struct guest_trace trace;
	struct vgr_reader *r;
	struct vgr_writer *w;
	struct merged_vcpu *vcpus; /* VGR_MAX_TABLE */
	size_t nr_vcpus;
	/* By physical CPU: the last number as it is written, and how much later than recorded. */
	uint32_t *last_seq, *shift;
	size_t next; /* event */
};

static int no_memory(const struct merger *g)
{
	return cli_fail(EXIT_SOFTWARE, "%s: not enough memory", g->o->host);
}

static int bad_host(const struct merger *g)
{
	return cli_fail_recording(g->o->host, vgr_reader_error(g->r));
}

/* ---- the first look: when each vCPU was in the guest ---- */

static int end_run(struct merged_vcpu *v, uint64_t exit)
{
	if (!v->entered)
		return 0;
	v->entered = false;
	if (!v->offers || exit < v->entry ||
	    (v->nr_runs && v->runs[v->nr_runs - 1].exit >= v->entry))
		return 0;
	if (v->nr_runs == v->cap_runs) {
		size_t cap = v->cap_runs * 2 + 1024;
		struct vgic_guest_run *runs = realloc(v->runs, cap * sizeof(*runs));

		if (!runs)
			return -ENOMEM;
		v->runs = runs;
		v->cap_runs = cap;
	}
	v->runs[v->nr_runs++] = (struct vgic_guest_run){v->entry, exit};
	return 0;
}

static struct merged_vcpu *vcpu_of(struct merger *g, const struct vgr_rec *rec)
{
	if (rec->vm != g->o->vm || rec->vcpu >= VGR_MAX_TABLE)
		return NULL;
	if (rec->vcpu >= g->nr_vcpus)
		g->nr_vcpus = (size_t)rec->vcpu + 1;
	return &g->vcpus[rec->vcpu];
}

static int follow(struct merger *g, const struct vgr_rec *rec)
{
	struct merged_vcpu *v = vcpu_of(g, rec);

	if (!v)
		return 0;
	switch (rec->type) {
	case VGR_FLUSH:
		v->offers = ((const struct vgr_flush *)rec)->used_lrs > 0;
		return 0;
	case VGR_ENTRY:
		v->entered = v->ran = true;
		v->entry = rec->time;
		v->cpu = rec->cpu;
		v->tid = rec->tid;
		return 0;
	case VGR_SYNC:
		return end_run(v, ((const struct vgr_sync *)rec)->begin);
	case VGR_EXIT:
		return end_run(v, rec->time);
	default:
		return 0;
	}
}

static int find_runs(struct merger *g)
{
	const struct vgr_rec *rec;
	int err;

	while ((err = vgr_reader_next(g->r, &rec)) > 0)
		if (follow(g, rec))
			return no_memory(g);
	if (err)
		return bad_host(g);
	if (vgr_reader_ending(g->r) != VGR_END_WHOLE)
		return cli_fail(EXIT_INPUT,
				"its end is missing: %s: only whole recordings are merged",
				g->o->host);
	if (!g->nr_vcpus)
		return cli_fail(EXIT_INPUT, "%s: no VM %u in it: --vm names another one",
				g->o->host, g->o->vm);
	return vgr_reader_rewind(g->r) ? bad_host(g) : EXIT_OK;
}

/* ---- the clocks ---- */

static int find_offset(struct merger *g)
{
	struct vgic_guest_runs *runs = calloc(g->nr_vcpus, sizeof(*runs));
	struct vgic_guest_moment *moments = calloc(g->trace.n, sizeof(*moments));
	struct guest_merged *m = g->m;
	struct vgic_guest_sync s;
	size_t n = 0;
	int err = -ENOMEM;

	if (!runs || !moments)
		goto out;
	for (size_t i = 0; i < g->nr_vcpus; i++)
		runs[i] = (struct vgic_guest_runs){g->vcpus[i].runs, g->vcpus[i].nr_runs};
	for (size_t i = 0; i < g->trace.n; i++)
		if (g->trace.events[i].begin)
			moments[n++] = (struct vgic_guest_moment){g->trace.events[i].time,
								  g->trace.events[i].cpu};
	if (g->o->has_offset) {
		err = 0;
		m->offset = m->low = m->high = g->o->offset;
		vgic_guest_sync_count(runs, g->nr_vcpus, moments, n, m->offset, &s);
	} else {
		err = vgic_guest_sync_find(runs, g->nr_vcpus, moments, n, &s);
		m->offset = s.offset;
		m->low = s.low;
		m->high = s.high;
	}
	m->outside = err ? 0 : s.covered - s.inside;
out:
	free(runs);
	free(moments);
	switch (err) {
	case 0:
		return EXIT_OK;
	case -ENODATA:
		return cli_fail(EXIT_INPUT,
				"%s: too few handlers that the recording can have seen: the clocks "
				"cannot be matched: give --offset",
				g->o->guest);
	case -ENOTUNIQ:
		return cli_fail(EXIT_INPUT,
				"%s: the clocks cannot be matched: at best %" PRIu64 " of %" PRIu64
				" handlers begin where the vCPU can have taken an interrupt, and "
				"elsewhere %" PRIu64 ": is it the trace of VM %u? If so give "
				"--offset",
				g->o->guest, s.inside, s.covered, s.second, g->o->vm);
	default:
		return no_memory(g);
	}
}

/* ---- the second look: both into one file ---- */

static int put(struct merger *g, const struct vgr_rec *rec)
{
	int err = vgr_writer_put(g->w, rec);

	if (err)
		return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", g->o->output, strerror(-err));
	g->m->records++;
	return EXIT_OK;
}

/* The recorded record, its number moved on by what stands before it now. */
static int put_recorded(struct merger *g, const struct vgr_rec *rec)
{
	union {
		struct vgr_rec r;
		struct vgr_loss loss;
		char bytes[VGR_MAX_RECORD];
	} copy;
	uint32_t shift;

	if (rec->cpu >= VGR_MAX_TABLE)
		return put(g, rec);
	shift = g->shift[rec->cpu];
	memcpy(&copy, rec, rec->size);
	if (rec->type == VGR_LOSS) {
		/* It has no number of its own. */
		copy.loss.first_seq += shift;
		g->last_seq[rec->cpu] = copy.loss.first_seq + copy.loss.count - 1;
	} else {
		copy.r.seq += shift;
		g->last_seq[rec->cpu] = copy.r.seq;
	}
	return put(g, &copy.r);
}

static int put_event(struct merger *g, const struct guest_event *e, uint64_t time)
{
	const struct merged_vcpu *v = e->cpu < g->nr_vcpus ? &g->vcpus[e->cpu] : NULL;
	struct vgr_handler h = {
		.r = {.type = VGR_HANDLER,
		      .size = sizeof(h),
		      .time = time,
		      .vm = (uint16_t)g->o->vm,
		      .vcpu = e->cpu},
		.guest_time = e->time,
		.irq = e->irq,
		.begin = e->begin,
		.handled = e->handled,
	};

	if (!v || !v->ran || v->cpu >= VGR_MAX_TABLE) {
		g->m->left_out++;
		return EXIT_OK;
	}
	memcpy(h.name, e->name, sizeof(h.name));
	h.r.cpu = v->cpu;
	h.r.tid = v->tid;
	h.r.seq = ++g->last_seq[v->cpu];
	g->shift[v->cpu]++;
	g->m->begins += e->begin;
	g->m->ends += !e->begin;
	return put(g, &h.r);
}

/* All events that came before t. */
static int put_until(struct merger *g, uint64_t t)
{
	for (; g->next < g->trace.n; g->next++) {
		const struct guest_event *e = &g->trace.events[g->next];
		int64_t at;
		int ret;

		if (__builtin_add_overflow((int64_t)e->time, g->m->offset, &at) || at < 0) {
			g->m->left_out++;
			continue;
		}
		if ((uint64_t)at >= t)
			return EXIT_OK;
		ret = put_event(g, e, (uint64_t)at);
		if (ret)
			return ret;
	}
	return EXIT_OK;
}

static int write_both(struct merger *g)
{
	const struct vgr_rec *rec;
	int ret, err;

	for (size_t i = 0; i < g->nr_vcpus; i++)
		g->vcpus[i].ran = false;
	while ((err = vgr_reader_next(g->r, &rec)) > 0) {
		ret = put_until(g, rec->time);
		if (!ret)
			ret = put_recorded(g, rec);
		if (ret)
			return ret;
		if (rec->type == VGR_ENTRY && follow(g, rec))
			return no_memory(g);
	}
	if (err)
		return bad_host(g);
	g->m->left_out += g->trace.n - g->next;
	err = vgr_writer_finish(g->w, &vgr_reader_header(g->r)->totals);
	return err ? cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", g->o->output, strerror(-err))
		   : EXIT_OK;
}

int guest_trace_merge(const struct guest_merge *o, struct guest_merged *m)
{
	struct merger g = {.o = o, .m = m};
	struct vgr_writer_opts opts = {.level = o->level};
	int ret, err;

	*m = (struct guest_merged){0};
	g.r = cli_open_pairs(o->host);
	if (!g.r)
		return EXIT_INPUT;
	g.vcpus = calloc(VGR_MAX_TABLE, sizeof(*g.vcpus));
	g.last_seq = calloc(VGR_MAX_TABLE, sizeof(*g.last_seq));
	g.shift = calloc(VGR_MAX_TABLE, sizeof(*g.shift));
	ret = g.vcpus && g.last_seq && g.shift ? EXIT_OK : no_memory(&g);
	if (!ret)
		ret = guest_trace_read(&g.trace, o->guest);
	if (!ret)
		ret = find_runs(&g);
	if (!ret)
		ret = find_offset(&g);
	if (ret)
		goto out;
	err = vgr_writer_create(&g.w, o->output, vgr_reader_header(g.r), &opts);
	if (err) {
		ret = cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", o->output, strerror(-err));
		goto out;
	}
	ret = write_both(&g);
	vgr_writer_destroy(g.w);
	if (ret)
		unlink(o->output);
out:
	guest_trace_finish(&g.trace);
	vgr_reader_close(g.r);
	for (size_t i = 0; g.vcpus && i < g.nr_vcpus; i++)
		free(g.vcpus[i].runs);
	free(g.vcpus);
	free(g.last_seq);
	free(g.shift);
	return ret;
}
