// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/check.h>
#include <vgicsim/cpuif.h>
#include <vgicsim/gich.h>
#include "totals.h"

/* Where a vCPU stands between two flushes. */
enum stage {
	STAGE_UNKNOWN = 0, /* nothing seen yet, or records are missing */
	STAGE_OUT,	   /* synced */
	STAGE_FLUSHED,
	STAGE_ENTERED,
};

struct vcpu_state {
	uint16_t vm, vcpu;
	enum stage stage;
	bool may_exit; /* entered since the last exit */
	uint16_t cpu;  /* of the flush */
	uint16_t flags;
	uint16_t used_lrs;
	uint32_t lr_intid[VGR_MAX_LRS];
};

struct cpu_state {
	bool started;
	uint32_t next_seq;
	uint64_t time;
	uint32_t gap_first, gap_count; /* missing, and no loss record seen for it yet */
	uint64_t gap_record;
};

struct check {
	struct vgr_reader *r;
	void (*report)(void *ctx, const struct vgr_finding *f);
	void *ctx;
	struct vgr_check_result *res;
	struct totals totals;
	struct vgr_position pos;
	struct cpu_state *cpus; /* by number of the CPU */
	size_t nr_cpus;
	struct vcpu_state *vcpus;
	size_t nr_vcpus, cap_vcpus;
	uint8_t nr_lr; /* 0: not known yet */
	bool gich;     /* the host has a GICv2 */
	uint32_t scratch[VGR_MAX_IRQS];
	uint32_t scratch2[VGR_MAX_IRQS];
};

static const char *const rule_names[VGR_NR_RULES] = {
	[VGR_RULE_FRAME] = "frame",	  [VGR_RULE_ENDING] = "ending",
	[VGR_RULE_SEQUENCE] = "sequence", [VGR_RULE_TIME] = "time",
	[VGR_RULE_PAIRING] = "pairing",	  [VGR_RULE_VCPU] = "vcpu",
	[VGR_RULE_LIST] = "list",	  [VGR_RULE_LR] = "lr",
	[VGR_RULE_OWNER] = "owner",	  [VGR_RULE_TOTALS] = "totals",
};

const char *vgr_rule_name(enum vgr_rule rule)
{
	return rule < VGR_NR_RULES ? rule_names[rule] : "?";
}

static void finding_v(struct check *c, enum vgr_rule rule, uint64_t record, uint64_t offset,
		      const char *format, va_list ap)
{
	struct vgr_finding f = {.rule = rule, .record = record, .offset = offset};

	vsnprintf(f.what, sizeof(f.what), format, ap);
	c->res->findings[rule]++;
	c->res->total_findings++;
	if (c->report)
		c->report(c->ctx, &f);
}

/* About the record just read. */
__attribute__((format(printf, 3, 4))) static void finding(struct check *c, enum vgr_rule rule,
							  const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	finding_v(c, rule, c->pos.record, c->pos.frame_offset, format, ap);
	va_end(ap);
}

/* About the file. */
__attribute__((format(printf, 4, 5))) static void
finding_at(struct check *c, enum vgr_rule rule, uint64_t offset, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	finding_v(c, rule, 0, offset, format, ap);
	va_end(ap);
}

/* ---- sequence, losses, time ---- */

static struct cpu_state *get_cpu(struct check *c, uint16_t cpu)
{
	struct cpu_state *p;

	if (cpu >= c->nr_cpus) {
		size_t n = (size_t)cpu + 1;

		p = realloc(c->cpus, n * sizeof(*p));
		if (!p)
			return NULL;
		memset(p + c->nr_cpus, 0, (n - c->nr_cpus) * sizeof(*p));
		c->cpus = p;
		c->nr_cpus = n;
	}
	return &c->cpus[cpu];
}

static void report_gap(struct check *c, unsigned int cpu, struct cpu_state *s)
{
	struct vgr_position keep = c->pos;

	if (!s->gap_count)
		return;
	c->pos.record = s->gap_record;
	finding(c, VGR_RULE_SEQUENCE,
		"CPU %u: %" PRIu32 " records from sequence number %" PRIu32
		" are missing and no loss record says so",
		cpu, s->gap_count, s->gap_first);
	c->pos = keep;
	s->gap_count = 0;
}

static void check_loss(struct check *c, struct cpu_state *s, const struct vgr_loss *loss)
{
	c->res->lost += loss->count;
	if (!loss->count) {
		finding(c, VGR_RULE_SEQUENCE, "CPU %u: a loss record of nothing", loss->r.cpu);
		return;
	}
	if (s->gap_count && loss->first_seq == s->gap_first && loss->count <= s->gap_count) {
		s->gap_first += loss->count;
		s->gap_count -= loss->count;
		return;
	}
	/* Seen before the record behind the gap, as the recorder writes it. */
	if (!s->started || loss->first_seq == s->next_seq) {
		s->started = true;
		s->next_seq = loss->first_seq + loss->count;
		return;
	}
	finding(c, VGR_RULE_SEQUENCE,
		"CPU %u: a loss from sequence number %" PRIu32 ", but that record is there",
		loss->r.cpu, loss->first_seq);
}

static void check_sequence(struct check *c, struct cpu_state *s, const struct vgr_rec *rec)
{
	uint32_t expected = s->started ? s->next_seq : 1;
	uint32_t ahead = rec->seq - expected;

	if (ahead >= 0x80000000u) {
		finding(c, VGR_RULE_SEQUENCE, "CPU %u: sequence number %" PRIu32 " after %" PRIu32,
			rec->cpu, rec->seq, expected - 1);
	} else if (ahead) {
		report_gap(c, rec->cpu, s);
		s->gap_first = expected;
		s->gap_count = ahead;
		s->gap_record = c->pos.record;
	}
	s->started = true;
	s->next_seq = rec->seq + 1;
	if (rec->time < s->time)
		finding(c, VGR_RULE_TIME, "CPU %u: time goes back by %" PRIu64 " ns", rec->cpu,
			s->time - rec->time);
	else
		s->time = rec->time;
}

/* ---- flush, entry, sync, exit ---- */

static struct vcpu_state *get_vcpu(struct check *c, const struct vgr_rec *rec, bool add)
{
	struct vcpu_state *v;
	size_t i;

	for (i = 0; i < c->nr_vcpus; i++) {
		if (c->vcpus[i].vm == rec->vm && c->vcpus[i].vcpu == rec->vcpu)
			return &c->vcpus[i];
	}
	if (!add)
		return NULL;
	if (c->nr_vcpus == c->cap_vcpus) {
		size_t cap = c->cap_vcpus ? c->cap_vcpus * 2 : 16;

		v = realloc(c->vcpus, cap * sizeof(*v));
		if (!v)
			return NULL;
		c->vcpus = v;
		c->cap_vcpus = cap;
	}
	v = &c->vcpus[c->nr_vcpus++];
	memset(v, 0, sizeof(*v));
	v->vm = rec->vm;
	v->vcpu = rec->vcpu;
	return v;
}

/* Records are missing: nobody knows where the vCPUs stand. */
static void forget_stages(struct check *c)
{
	size_t i;

	for (i = 0; i < c->nr_vcpus; i++) {
		c->vcpus[i].stage = STAGE_UNKNOWN;
		c->vcpus[i].may_exit = true;
	}
}

/* ---- list registers of either generation ---- */

/* A GICv2 guest has the source CPU of an SGI behind the INTID, whatever the host's GIC is. */
static bool gicv2_guest(const struct check *c, const struct vgr_rec *rec)
{
	return rec->vm < c->totals.nr_vms && c->totals.vms[rec->vm].vgic_model == 2;
}

static uint32_t lr_intid(const struct check *c, const struct vgr_rec *rec, uint64_t lr)
{
	if (c->gich || gicv2_guest(c, rec))
		return (uint32_t)lr & VGIC_GICH_LR_VINTID;
	return (uint32_t)(lr & VGIC_LR_VINTID);
}

static void pair_flush(struct check *c, struct vcpu_state *v, const struct vgr_flush *f)
{
	const uint64_t *lrs = vgr_flush_lrs(f);
	unsigned int i;

	if (v->stage == STAGE_FLUSHED || v->stage == STAGE_ENTERED)
		finding(c, VGR_RULE_PAIRING, "vCPU %u:%u: a second flush without a sync between",
			v->vm, v->vcpu);
	v->stage = STAGE_FLUSHED;
	v->cpu = f->r.cpu;
	v->flags = f->r.flags;
	v->used_lrs = f->used_lrs;
	for (i = 0; i < f->used_lrs; i++)
		v->lr_intid[i] = lr_intid(c, &f->r, lrs[i]);
}

static void pair_sync(struct check *c, struct vcpu_state *v, const struct vgr_sync *s)
{
	const uint64_t *lrs = vgr_sync_lrs(s);
	unsigned int i;

	if (v->stage == STAGE_OUT) {
		finding(c, VGR_RULE_PAIRING, "vCPU %u:%u: a sync without a flush before it", v->vm,
			v->vcpu);
		return;
	}
	if (v->stage == STAGE_UNKNOWN) {
		v->stage = STAGE_OUT;
		/* Of the entry, too, nothing is known. */
		v->may_exit = true;
		return;
	}
	c->res->pairs++;
	v->stage = STAGE_OUT;
	if (v->cpu != s->r.cpu)
		finding(c, VGR_RULE_PAIRING, "vCPU %u:%u: flushed on CPU %u, synced on CPU %u",
			v->vm, v->vcpu, v->cpu, s->r.cpu);
	if ((s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED)) || (v->flags & VGR_F_SKIPPED))
		return;
	if (s->used_lrs != v->used_lrs) {
		finding(c, VGR_RULE_LR,
			"vCPU %u:%u: %u list registers were written and %u read back", v->vm,
			v->vcpu, v->used_lrs, s->used_lrs);
		return;
	}
	for (i = 0; i < s->used_lrs; i++) {
		if (lr_intid(c, &s->r, lrs[i]) == v->lr_intid[i])
			continue;
		finding(c, VGR_RULE_LR,
			"vCPU %u:%u: list register %u was written with interrupt %" PRIu32
			" and read back with %" PRIu32,
			v->vm, v->vcpu, i, v->lr_intid[i], lr_intid(c, &s->r, lrs[i]));
	}
}

static int check_pairing(struct check *c, const struct vgr_rec *rec)
{
	struct vcpu_state *v;

	switch (rec->type) {
	case VGR_VCPU:
		return get_vcpu(c, rec, true) ? 0 : -ENOMEM;
	case VGR_FLUSH:
	case VGR_SYNC:
	case VGR_ENTRY:
	case VGR_EXIT:
		break;
	default:
		return 0;
	}
	/* A trace may not tell whose it is. */
	if (rec->vm == VGR_NO_VM && vgr_lacks(vgr_reader_header(c->r), "vcpu"))
		return 0;
	v = get_vcpu(c, rec, false);
	if (!v) {
		finding(c, VGR_RULE_VCPU, "vCPU %u:%u was not introduced by a vcpu record", rec->vm,
			rec->vcpu);
		v = get_vcpu(c, rec, true);
		if (!v)
			return -ENOMEM;
	}
	switch (rec->type) {
	case VGR_FLUSH:
		pair_flush(c, v, (const struct vgr_flush *)rec);
		break;
	case VGR_SYNC:
		pair_sync(c, v, (const struct vgr_sync *)rec);
		break;
	case VGR_ENTRY:
		if (v->stage == STAGE_OUT || v->stage == STAGE_ENTERED)
			finding(c, VGR_RULE_PAIRING,
				"vCPU %u:%u: an entry without a flush before it", v->vm, v->vcpu);
		if (v->stage == STAGE_FLUSHED)
			v->stage = STAGE_ENTERED;
		v->may_exit = true;
		break;
	default:
		if (v->stage == STAGE_FLUSHED || v->stage == STAGE_ENTERED)
			finding(c, VGR_RULE_PAIRING, "vCPU %u:%u: an exit before its sync", v->vm,
				v->vcpu);
		else if (v->stage == STAGE_OUT && !v->may_exit)
			finding(c, VGR_RULE_PAIRING, "vCPU %u:%u: an exit without an entry", v->vm,
				v->vcpu);
		v->may_exit = false;
		break;
	}
	return 0;
}

/* ---- lists and list registers ---- */

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Most lists are short: they are sorted where they stand. */
#define SHORT 32u

static void sort_u32(uint32_t *v, unsigned int n)
{
	if (n > SHORT) {
		qsort(v, n, sizeof(*v), compare_u32);
		return;
	}
	for (unsigned int i = 1; i < n; i++) {
		uint32_t x = v[i];
		unsigned int at = i;

		for (; at && v[at - 1] > x; at--)
			v[at] = v[at - 1];
		v[at] = x;
	}
}

/* Sorted copy of the INTIDs of a list; false if one occurs twice (*twice). */
static bool sort_intids(uint32_t *to, const struct vgr_irq *irqs, unsigned int n, uint32_t *twice)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		to[i] = irqs[i].intid;
	if (n > 1)
		sort_u32(to, n);
	for (i = 1; i < n; i++) {
		if (to[i] == to[i - 1]) {
			*twice = to[i];
			return false;
		}
	}
	return true;
}

static bool has(const uint32_t *sorted, unsigned int n, uint32_t intid)
{
	unsigned int lo = 0, hi = n;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (sorted[mid] < intid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && sorted[lo] == intid;
}

/* LRs with a state or an INTID: each once, each on the list (sorted, n entries). */
static void check_lrs(struct check *c, const struct vgr_rec *rec, const uint64_t *lrs,
		      unsigned int used, const uint32_t *sorted, unsigned int n, bool whole)
{
	const char *when = vgr_type_name(rec->type);
	unsigned int i, j;
	uint32_t intid;

	for (i = 0; i < used; i++) {
		intid = lr_intid(c, rec, lrs[i]);
		if (!lrs[i])
			continue;
		if (c->gich && lrs[i] >> 32)
			finding(c, VGR_RULE_LR,
				"%s: list register %u of a GICv2 has more than 32 bits", when, i);
		for (j = 0; j < i; j++) {
			if (lr_intid(c, rec, lrs[j]) == intid && lrs[j])
				finding(c, VGR_RULE_LR,
					"%s: interrupt %" PRIu32 " is in list registers %u and %u",
					when, intid, j, i);
		}
		if (whole && !has(sorted, n, intid))
			finding(c, VGR_RULE_LR,
				"%s: interrupt %" PRIu32
				" is in list register %u but not on the list",
				when, intid, i);
	}
}

static void check_flush(struct check *c, const struct vgr_flush *f)
{
	bool whole = !(f->r.flags & (VGR_F_CUT | VGR_F_TORN));
	const uint64_t *lrs = vgr_flush_lrs(f);
	uint32_t twice, i;

	if (f->begin > f->r.time)
		finding(c, VGR_RULE_TIME, "a flush that ends before it begins");
	if (!c->nr_lr)
		c->nr_lr = (uint8_t)f->nr_lr;
	if (f->nr_lr != c->nr_lr)
		finding(c, VGR_RULE_LR, "%u list registers where there were %u before", f->nr_lr,
			c->nr_lr);
	if (!sort_intids(c->scratch, vgr_flush_before(f), f->n_before, &twice) && whole)
		finding(c, VGR_RULE_LIST,
			"flush: interrupt %" PRIu32 " is on the list twice before", twice);
	if (!sort_intids(c->scratch2, vgr_flush_after(f), f->n_after, &twice) && whole)
		finding(c, VGR_RULE_LIST, "flush: interrupt %" PRIu32 " is on the list twice after",
			twice);
	/* Others may append while the function runs, before its lock and after; nobody removes. */
	for (i = 0; whole && i < f->n_before; i++) {
		if (c->scratch[i] >= VGIC_LPI_BASE || has(c->scratch2, f->n_after, c->scratch[i]))
			continue;
		finding(c, VGR_RULE_LIST,
			"flush: interrupt %" PRIu32 " was on the list and is not any more",
			c->scratch[i]);
	}
	if (f->r.flags & VGR_F_SKIPPED)
		return;
	if (whole && f->used_lrs > f->total_after)
		finding(c, VGR_RULE_LR, "%u list registers in use for a list of %u", f->used_lrs,
			f->total_after);
	for (i = f->used_lrs; i < f->nr_lr; i++) {
		if (lrs[i])
			finding(c, VGR_RULE_LR,
				"list register %" PRIu32 " is not in use and not zero", i);
	}
	check_lrs(c, &f->r, lrs, f->used_lrs, c->scratch2, f->n_after, whole);
	if (vgic_v3_eoicount(f->hcr))
		finding(c, VGR_RULE_LR, "flush: EOIcount is %u and not 0",
			vgic_v3_eoicount(f->hcr));
	if (whole && f->boundary < VGR_BOUNDARY_UNKNOWN && !f->nested &&
	    !has(c->scratch2, f->n_after, f->boundary))
		finding(c, VGR_RULE_LIST,
			"flush: last_lr_irq is %" PRIu32 ", which is not on the list", f->boundary);
}

static void check_sync(struct check *c, const struct vgr_sync *s)
{
	const struct vgr_irq *before = vgr_sync_before(s), *after = vgr_sync_after(s);
	bool whole = !(s->r.flags & (VGR_F_CUT | VGR_F_TORN));
	const uint32_t *order = vgr_sync_order(s);
	uint32_t twice, i;
	bool listed;

	if (s->begin > s->r.time)
		finding(c, VGR_RULE_TIME, "a sync that ends before it begins");
	if (c->nr_lr && s->used_lrs > c->nr_lr)
		finding(c, VGR_RULE_LR, "sync: %u list registers in use of %u", s->used_lrs,
			c->nr_lr);
	if (!sort_intids(c->scratch, before, s->n_before, &twice) && whole)
		finding(c, VGR_RULE_LIST, "sync: interrupt %" PRIu32 " is on the list twice",
			twice);
	check_lrs(c, &s->r, vgr_sync_lrs(s), s->used_lrs, c->scratch, s->n_before, whole);
	memcpy(c->scratch2, order, s->n_after * sizeof(*order));
	if (s->n_after > 1)
		sort_u32(c->scratch2, s->n_after);
	for (i = 1; i < s->n_after && whole; i++) {
		if (c->scratch2[i] == c->scratch2[i - 1])
			finding(c, VGR_RULE_LIST,
				"sync: interrupt %" PRIu32 " is on the list twice after",
				c->scratch2[i]);
	}
	for (i = 0; i < s->n_before && whole; i++) {
		/* What could not be read any more has no number either. */
		if (after[i].intid != before[i].intid &&
		    !(!after[i].intid && (after[i].state & VGR_IRQ_GONE))) {
			finding(c, VGR_RULE_LIST,
				"sync: entry %" PRIu32 " is interrupt %" PRIu32
				" before and %" PRIu32 " after",
				i, before[i].intid, after[i].intid);
			continue;
		}
		if ((before[i].state | after[i].state) & VGR_IRQ_GONE)
			continue;
		listed = has(c->scratch2, s->n_after, before[i].intid);
		if (listed == (after[i].vcpu == s->r.vcpu))
			continue;
		if (vgr_reader_header(c->r)->nr_cpus > 1)
			c->res->racy++;
		else
			finding(c, VGR_RULE_OWNER,
				"sync: interrupt %" PRIu32 " is %s the list, its owner is vCPU %d",
				before[i].intid, listed ? "on" : "not on",
				after[i].vcpu == VGR_NO_VCPU ? -1 : (int)after[i].vcpu);
	}
}

/* ---- the whole ---- */

static int check_record(struct check *c, const struct vgr_rec *rec)
{
	struct cpu_state *s = get_cpu(c, rec->cpu);
	int err;

	if (!s)
		return -ENOMEM;
	c->res->records++;
	err = totals_add(&c->totals, rec);
	if (err)
		return err;
	if (rec->type == VGR_LOSS) {
		check_loss(c, s, (const struct vgr_loss *)rec);
		forget_stages(c);
		return 0;
	}
	check_sequence(c, s, rec);
	if (rec->type == VGR_FLUSH)
		check_flush(c, (const struct vgr_flush *)rec);
	else if (rec->type == VGR_SYNC)
		check_sync(c, (const struct vgr_sync *)rec);
	return check_pairing(c, rec);
}

static void compare(struct check *c, const char *name, uint64_t file, uint64_t stream)
{
	if (file != stream)
		finding_at(c, VGR_RULE_TOTALS, 0,
			   "%s: the totals say %" PRIu64 ", the records give %" PRIu64, name, file,
			   stream);
}

static void check_totals(struct check *c)
{
	const struct vgr_header *h = vgr_reader_header(c->r);
	const struct vgr_totals *file = &h->totals, *stream = totals_get(&c->totals);
	char name[64];
	size_t i;

	if (!h->has_totals)
		return;
	compare(c, "records", file->records, stream->records);
	compare(c, "lost records", file->lost, stream->lost);
	compare(c, "bytes of records", file->raw_bytes, stream->raw_bytes);
	compare(c, "time of the first record", file->first_time, stream->first_time);
	compare(c, "time of the last record", file->last_time, stream->last_time);
	for (i = 1; i < VGR_TYPE_MAX; i++)
		compare(c, vgr_type_name((uint16_t)i), file->by_type[i], stream->by_type[i]);
	compare(c, "CPUs", file->nr_cpus, stream->nr_cpus);
	for (i = 0; i < file->nr_cpus && i < stream->nr_cpus; i++) {
		snprintf(name, sizeof(name), "records of CPU %u", file->cpus[i].cpu);
		compare(c, name, file->cpus[i].records, stream->cpus[i].records);
		snprintf(name, sizeof(name), "lost records of CPU %u", file->cpus[i].cpu);
		compare(c, name, file->cpus[i].lost, stream->cpus[i].lost);
	}
	compare(c, "VMs", file->nr_vms, stream->nr_vms);
	compare(c, "vCPUs", file->nr_vcpus, stream->nr_vcpus);
	if (file->kernel_lost != stream->lost)
		finding_at(c, VGR_RULE_SEQUENCE, 0,
			   "the kernel counted %" PRIu64 " lost records, loss records account for "
			   "%" PRIu64,
			   file->kernel_lost, stream->lost);
}

/* A damaged frame was left out: whatever depends on its records starts anew. */
static void after_damage(struct check *c)
{
	const struct vgr_error *e = vgr_reader_error(c->r);
	size_t i;

	c->res->damaged_frames = vgr_reader_damaged(c->r);
	if (e->record)
		finding_at(c, VGR_RULE_FRAME, e->offset, "%s (record %" PRIu64 ")", e->what,
			   e->record);
	else
		finding_at(c, VGR_RULE_FRAME, e->offset, "%s", e->what);
	forget_stages(c);
	for (i = 0; i < c->nr_cpus; i++)
		c->cpus[i].started = false;
}

static int check_stream(struct check *c)
{
	const struct vgr_rec *rec;
	bool restarted = false;
	struct cpu_state *s;
	int err;

	for (;;) {
		err = vgr_reader_next(c->r, &rec);
		vgr_reader_position(c->r, &c->pos);
		if (vgr_reader_damaged(c->r) != c->res->damaged_frames) {
			after_damage(c);
			restarted = true;
		}
		if (err <= 0)
			return err;
		/* Behind damage the first number of each CPU is as good as any. */
		s = restarted && rec->type != VGR_LOSS ? get_cpu(c, rec->cpu) : NULL;
		if (s && !s->started) {
			s->started = true;
			s->next_seq = rec->seq;
		}
		err = check_record(c, rec);
		if (err)
			return err;
	}
}

int vgr_check(struct vgr_reader *r, void (*report)(void *ctx, const struct vgr_finding *f),
	      void *ctx, struct vgr_check_result *result)
{
	struct check *c = calloc(1, sizeof(*c));
	size_t i;
	int err;

	memset(result, 0, sizeof(*result));
	if (!c)
		return -ENOMEM;
	c->r = r;
	c->report = report;
	c->ctx = ctx;
	c->res = result;
	c->nr_lr = vgr_reader_header(r)->nr_lr;
	c->gich = vgr_reader_header(r)->gic_host == 2;
	totals_init(&c->totals);
	err = check_stream(c);
	if (!err) {
		for (i = 0; i < c->nr_cpus; i++)
			report_gap(c, (unsigned int)i, &c->cpus[i]);
		result->ending = vgr_reader_ending(r);
		if (result->ending == VGR_END_UNFINISHED)
			finding_at(c, VGR_RULE_ENDING, 0, "the capture did not end properly");
		else if (result->ending == VGR_END_CUT)
			finding_at(c, VGR_RULE_ENDING, 0, "the end of the file is missing");
		/* Otherwise they differ for the reason already given. */
		if (result->ending == VGR_END_WHOLE && !result->damaged_frames)
			check_totals(c);
	}
	totals_finish(&c->totals);
	free(c->cpus);
	free(c->vcpus);
	free(c);
	return err;
}
