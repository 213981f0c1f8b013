// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/truth.h>

/* A script under the key by which the log names it. */
struct entry {
	uint32_t intid, script;
	uint16_t vcpu;
	/* Of the first entry of its key only: the next one to be held against the log. */
	size_t next;
	uint32_t lines;
};

struct vgic_truth {
	const struct vgic_workload *wl;
	uint64_t error_ns;
	struct entry *entries;
	size_t nr_entries;
	struct vgic_truth_result result;
};

static int compare_key(const struct entry *a, const struct entry *b)
{
	if (a->vcpu != b->vcpu)
		return a->vcpu < b->vcpu ? -1 : 1;
	return a->intid < b->intid ? -1 : a->intid > b->intid;
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int order = compare_key(a, b);

	return order ? order : a->script < b->script ? -1 : a->script > b->script;
}

int vgic_truth_create(struct vgic_truth **out, const struct vgic_workload *wl, uint64_t error_ns)
{
	struct vgic_truth *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->wl = wl;
	t->error_ns = error_ns;
	t->entries = calloc(wl->nr_scripts + 1, sizeof(*t->entries));
	if (!t->entries)
		goto nomem;
	for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++) {
		struct vgic_truth_count *c = &t->result.kind[k];

		if (vgic_hist_init(&c->error) || vgic_hist_init(&c->width) ||
		    vgic_hist_init(&c->blur))
			goto nomem;
	}
	for (uint32_t i = 0; i < wl->nr_scripts; i++) {
		const struct vgic_script *s = &wl->scripts[i];

		if (s->source == VGIC_WL_NONE)
			continue;
		t->entries[t->nr_entries++] = (struct entry){
			.intid = wl->sources[s->source].initial.intid,
			.script = i,
			.vcpu = s->vcpu,
		};
	}
	qsort(t->entries, t->nr_entries, sizeof(*t->entries), compare_entries);
	for (size_t i = 0, first = 0; i < t->nr_entries; i++) {
		if (compare_key(&t->entries[i], &t->entries[first]))
			first = i;
		t->entries[i].next = first;
	}
	*out = t;
	return 0;
nomem:
	vgic_truth_destroy(t);
	return -ENOMEM;
}

void vgic_truth_destroy(struct vgic_truth *t)
{
	if (!t)
		return;
	for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++) {
		vgic_hist_finish(&t->result.kind[k].error);
		vgic_hist_finish(&t->result.kind[k].width);
		vgic_hist_finish(&t->result.kind[k].blur);
	}
	free(t->entries);
	free(t);
}

/* First entry of a key, NULL if the derivation has none. */
static struct entry *find(struct vgic_truth *t, const struct vgic_truth_instance *line)
{
	const struct entry key = {.intid = line->intid, .vcpu = line->vcpu};
	size_t low = 0, high = t->nr_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_key(&t->entries[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == t->nr_entries || compare_key(&t->entries[low], &key))
		return NULL;
	return &t->entries[low];
}

static uint64_t absolute(const struct vgic_truth *t, uint64_t ns)
{
	return ns == VGIC_WHEN_OPEN ? ns : t->wl->start + ns;
}

static struct vgic_when bounds_of(const struct vgic_truth *t, const struct vgic_script *s,
				  unsigned int kind)
{
	struct vgic_when w = kind == VGIC_TRUTH_ACK    ? s->ack
			     : kind == VGIC_TRUTH_DROP ? s->drop
						       : s->deact;

	w.at = absolute(t, w.at);
	w.from = absolute(t, w.from);
	w.to = absolute(t, w.to);
	return w;
}

static struct vgic_truth_bracket widened(const struct vgic_truth *t, struct vgic_truth_bracket b)
{
	b.from = b.from > t->error_ns ? b.from - t->error_ns : 0;
	b.to = b.to < VGIC_WHEN_OPEN - t->error_ns ? b.to + t->error_ns : VGIC_WHEN_OPEN;
	return b;
}

static void note_miss(struct vgic_truth *t, const struct vgic_truth_miss *miss)
{
	struct vgic_truth_result *r = &t->result;

	r->kind[miss->kind].outside++;
	if (r->nr_misses < VGIC_TRUTH_MISSES)
		r->miss[r->nr_misses++] = *miss;
}

/* One instant; false if the bounds do not hold. */
static bool judge(struct vgic_truth *t, const struct vgic_truth_instance *line, uint32_t number,
		  const struct vgic_script *s, unsigned int kind)
{
	struct vgic_truth_count *c = &t->result.kind[kind];
	struct vgic_when w = bounds_of(t, s, kind);
	struct vgic_truth_bracket log = line->when[kind], b = widened(t, log);
	bool logged = log.from != VGIC_WHEN_OPEN;

	if (!logged && !w.known)
		return true;
	if (!logged || b.to < w.from || b.from > w.to) {
		note_miss(t, &(struct vgic_truth_miss){line->intid, number, line->vcpu,
						       (uint8_t)kind, log, w});
		return false;
	}
	if (w.to == VGIC_WHEN_OPEN) {
		c->open++;
	} else {
		c->inside++;
		c->certain += b.from >= w.from && b.to <= w.to;
		vgic_hist_add(&c->width, w.to - w.from);
	}
	if (log.to != VGIC_WHEN_OPEN)
		vgic_hist_add(&c->blur, log.to - log.from);
	if (w.at == VGIC_WHEN_OPEN)
		return true;
	c->early += w.at < log.from;
	c->late += w.at > log.to;
	vgic_hist_add(&c->error, w.at < log.from ? log.from - w.at
				 : w.at > log.to ? w.at - log.to
						 : 0);
	return true;
}

/* An instance that only the log (script NULL) or only the derivation has. */
static void lone(struct vgic_truth *t, const struct vgic_truth_instance *line, uint32_t number,
		 const struct vgic_script *s)
{
	const struct vgic_when none = {VGIC_WHEN_OPEN, 0, VGIC_WHEN_OPEN, false};

	t->result.instances++;
	note_miss(t, &(struct vgic_truth_miss){line->intid, number, line->vcpu, VGIC_TRUTH_ACK,
					       line->when[VGIC_TRUTH_ACK],
					       s ? bounds_of(t, s, VGIC_TRUTH_ACK) : none});
}

static void lone_script(struct vgic_truth *t, const struct entry *e, uint32_t number)
{
	struct vgic_truth_instance line = {.intid = e->intid, .vcpu = e->vcpu};

	line.when[VGIC_TRUTH_ACK].from = line.when[VGIC_TRUTH_ACK].to = VGIC_WHEN_OPEN;
	t->result.extra++;
	lone(t, &line, number, &t->wl->scripts[e->script]);
}

void vgic_truth_feed(struct vgic_truth *t, const struct vgic_truth_instance *line)
{
	struct vgic_truth_bracket b = widened(t, line->when[VGIC_TRUTH_ACK]);
	struct entry *first = find(t, line);
	uint32_t number = first ? ++first->lines : 1;

	while (first && first->next < t->nr_entries &&
	       !compare_key(&t->entries[first->next], first)) {
		const struct entry *e = &t->entries[first->next];
		const struct vgic_script *s = &t->wl->scripts[e->script];
		struct vgic_when ack = bounds_of(t, s, VGIC_TRUTH_ACK);
		bool holds = true;

		if (ack.from > b.to)
			break;
		first->next++;
		if (ack.to < b.from) {
			lone_script(t, e, number);
			continue;
		}
		for (unsigned int k = 0; k < VGIC_TRUTH_KINDS; k++)
			holds &= judge(t, line, number, s, k);
		t->result.instances++;
		t->result.inside += holds;
		return;
	}
	t->result.missed++;
	lone(t, line, number, NULL);
}

const struct vgic_truth_result *vgic_truth_finish(struct vgic_truth *t, bool full)
{
	for (size_t i = 0; i < t->nr_entries && !full; i++) {
		const struct entry *e = &t->entries[i];

		if (i && !compare_key(e, e - 1))
			continue;
		for (size_t k = e->next; k < t->nr_entries && !compare_key(&t->entries[k], e); k++)
			lone_script(t, &t->entries[k], e->lines);
	}
	return &t->result;
}
