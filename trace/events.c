// SPDX-License-Identifier: GPL-2.0-only
/* Trace events to records: who is who, and the events that are a record by themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include "event_internal.h"

/* What a forged trace may make us keep. */
#define MAX_VCPUS 4096u
#define MAX_VMS	  4096u
#define MAX_LINES 65536u

#define KVM_IRQ_ROUTING_MSI	  2
#define KVM_MMIO_READ_UNSATISFIED 0
#define KVM_MMIO_WRITE		  2
#define KVM_DEV_TYPE_ARM_VGIC_V2  5
#define KVM_DEV_TYPE_ARM_VGIC_V3  7

int vgr_events_create(struct vgr_events **out, struct tep_handle *tep,
		      const struct vgr_events_opts *opts)
{
	struct vgr_events *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	e->opts = *opts;
	if (opts->facts && !vgr_event_facts_check(opts->facts)) {
		e->facts = *opts->facts;
		e->have_facts = true;
	}
	err = event_formats_read(&e->formats, tep);
	if (err) {
		vgr_events_destroy(e);
		return err;
	}
	*out = e;
	return 0;
}

void vgr_events_destroy(struct vgr_events *e)
{
	if (!e)
		return;
	event_formats_finish(&e->formats);
	free(e->cpus);
	free(e->vms);
	free(e->vcpus);
	free(e->learned);
	free(e->lines);
	free(e);
}

/* KVM lets no guest change that SGIs are edges and PPIs levels. */
static int8_t edge_at_first(uint32_t intid)
{
	return intid < 16 ? 1 : intid < 32 ? 0 : -1;
}

void vgr_events_again(struct vgr_events *e, vgr_events_sink *sink, void *ctx)
{
	size_t i;

	e->opts.sink = sink;
	e->opts.ctx = ctx;
	memset(&e->totals, 0, sizeof(e->totals));
	if (e->nr_cpus)
		memset(e->cpus, 0, e->nr_cpus * sizeof(*e->cpus));
	e->nr_vms = e->nr_vcpus = 0;
	e->next_vm = 0;
	for (i = 0; i < e->cap_lines; i++) {
		struct line *line = &e->lines[i];

		/* What was always the same was so from the beginning. */
		line->edge = line->edge_seen == line->level_seen ? edge_at_first(line->intid)
								 : line->edge_seen;
		line->high = false;
	}
}

const struct vgr_events_totals *vgr_events_totals(const struct vgr_events *e)
{
	return &e->totals;
}

const struct vgr_event_facts *vgr_events_facts(const struct vgr_events *e)
{
	return e->have_facts ? &e->facts : NULL;
}

bool vgr_events_defined(const struct vgr_events *e, enum vgr_event event)
{
	return event < VGR_EV_END && e->formats.defined[event];
}

void vgr_events_watch(struct vgr_events *e, enum vgr_event event)
{
	e->seen[event] = true;
}

/* ---- records ---- */

void *event_record(struct event *ev, uint16_t type, uint32_t size, uint16_t vm, uint16_t vcpu)
{
	struct vgr_rec *r = &ev->e->out.rec;

	memset(&ev->e->out, 0, size);
	r->type = type;
	r->size = size;
	r->time = ev->time;
	r->cpu = ev->cpu;
	r->vm = vm;
	r->vcpu = vcpu;
	r->tid = ev->tid;
	return r;
}

int event_emit(struct event *ev)
{
	struct vgr_rec *r = &ev->e->out.rec;

	r->seq = ++ev->c->seq;
	ev->c->time = r->time;
	return ev->e->opts.sink ? ev->e->opts.sink(ev->e->opts.ctx, r) : 0;
}

static int report_loss(struct event *ev, uint32_t count)
{
	struct vgr_loss *loss = event_record(ev, VGR_LOSS, sizeof(*loss), VGR_NO_VM, VGR_NO_VCPU);
	struct cpu *c = ev->c;

	loss->r.tid = 0;
	loss->first_seq = c->seq + 1;
	loss->count = count;
	loss->from = c->time;
	loss->to = ev->time;
	c->seq += count;
	/* Whoever was here may have gone. */
	c->phase = PHASE_NONE;
	c->in_sync = c->run_known = c->loaded_known = false;
	c->irqfd_tid = 0;
	return ev->e->opts.sink ? ev->e->opts.sink(ev->e->opts.ctx, &loss->r) : 0;
}

/* ---- who is who ---- */

static bool more(struct vgr_events *e, void **table, size_t *cap, size_t need, size_t size,
		 size_t max)
{
	size_t n = *cap ? *cap : 16;
	void *p;

	if (need <= *cap)
		return true;
	if (need > max)
		return false;
	while (n < need)
		n *= 2;
	p = realloc(*table, n * size);
	if (!p) {
		e->no_memory = true;
		return false;
	}
	*table = p;
	*cap = n;
	return true;
}

static struct identity *find(struct identity *table, size_t n, uint64_t addr)
{
	size_t i;

	for (i = n; i > 0; i--) {
		if (table[i - 1].addr == addr)
			return &table[i - 1];
	}
	return NULL;
}

struct identity *event_known_vcpu(struct vgr_events *e, uint64_t addr)
{
	struct identity *id = find(e->vcpus, e->nr_vcpus, addr);

	return id && id->vm != VGR_NO_VM ? id : NULL;
}

static uint16_t known_vm(const struct vgr_events *e, uint64_t addr)
{
	struct identity *id = find(e->vms, e->nr_vms, addr);

	return id ? id->vm : VGR_NO_VM;
}

static void learn_vcpu(struct vgr_events *e, uint64_t addr, uint16_t vcpu)
{
	size_t i;

	for (i = 0; i < e->nr_learned; i++) {
		if (e->learned[i].addr == addr) {
			e->learned[i].ambiguous |= e->learned[i].vcpu != vcpu;
			return;
		}
	}
	if (!more(e, (void **)&e->learned, &e->cap_learned, e->nr_learned + 1, sizeof(*e->learned),
		  MAX_VCPUS))
		return;
	e->learned[e->nr_learned++] = (struct learned){.addr = addr, .vcpu = vcpu};
}

static struct identity *adopt_vm(struct event *ev, uint64_t addr)
{
	struct vgr_events *e = ev->e;
	struct identity *vm = find(e->vms, e->nr_vms, addr);
	bool ok = true;
	uint32_t tgid = event_has(&ev->d, EF_TGID) ? event_number(&ev->d, EF_TGID, &ok) : 0;

	if (vm)
		return vm;
	if (!more(e, (void **)&e->vms, &e->cap_vms, e->nr_vms + 1, sizeof(*e->vms), MAX_VMS))
		return NULL;
	vm = &e->vms[e->nr_vms++];
	*vm = (struct identity){.addr = addr, .vm = VGR_NO_VM, .vcpu = VGR_NO_VCPU};
	if (e->next_vm < MAX_VMS && (!e->opts.wanted || e->opts.wanted(e->opts.ctx, tgid)))
		vm->vm = e->next_vm++;
	return vm;
}

/* Only what tells about the vCPU can introduce it: a sync does not. */
int event_announce(struct event *ev, const struct identity *id)
{
	struct vgr_vcpu *r;
	struct identity *vm;
	bool ok = true;
	uint64_t model, dist;

	if (!event_has(&ev->d, EF_MODEL))
		return 0;
	model = event_number(&ev->d, EF_MODEL, &ok);
	dist = event_number(&ev->d, EF_DIST, &ok);
	r = event_record(ev, VGR_VCPU, sizeof(*r), id->vm, id->vcpu);
	r->tgid = event_has(&ev->d, EF_TGID) ? event_number(&ev->d, EF_TGID, &ok) : 0;
	r->vcpu_id = event_number(&ev->d, EF_ID, &ok);
	r->nr_spis = event_number(&ev->d, EF_SPIS, &ok);
	r->vgic_model = model == KVM_DEV_TYPE_ARM_VGIC_V2   ? 2
			: model == KVM_DEV_TYPE_ARM_VGIC_V3 ? 3
			: model				    ? 5
							    : 0;
	/* All ones: the VMM has not placed it yet. */
	r->dist_page = ~dist ? dist >> 12 : 0;
	vm = find(ev->e->vms, ev->e->nr_vms, id->owner);
	if (vm)
		vm->dist = ~dist ? dist : 0;
	event_string(&ev->d, EF_COMM, r->comm, sizeof(r->comm));
	if (ok && r->vgic_model)
		ev->e->gic_model = r->vgic_model;
	return ok ? event_emit(ev) : 0;
}

struct identity *event_own_vcpu(struct event *ev, int *err)
{
	struct vgr_events *e = ev->e;
	uint64_t addr = event_number(&ev->d, EF_VCPU, &ev->ok);
	uint64_t kvm = event_number(&ev->d, EF_KVM, &ev->ok);
	uint64_t idx = event_number(&ev->d, EF_IDX, &ev->ok);
	struct identity *id = find(e->vcpus, e->nr_vcpus, addr), *vm;

	*err = 0;
	if (!addr || !kvm || idx >= VGR_MAX_TABLE)
		ev->ok = false;
	if (!ev->ok)
		return NULL;
	/* Its end was not seen, and another one is there now. */
	if (id && (id->owner != kvm || id->vcpu != idx)) {
		*id = e->vcpus[--e->nr_vcpus];
		id = NULL;
	}
	if (!id) {
		/* Who it is, and whose, its next flush tells: this one was preceded by a loss. */
		if (!event_has(&ev->d, EF_MODEL)) {
			e->totals.too_early++;
			return NULL;
		}
		vm = adopt_vm(ev, kvm);
		if (!vm || !more(e, (void **)&e->vcpus, &e->cap_vcpus, e->nr_vcpus + 1,
				 sizeof(*e->vcpus), MAX_VCPUS)) {
			e->totals.untracked++;
			return NULL;
		}
		learn_vcpu(e, addr, idx);
		id = &e->vcpus[e->nr_vcpus++];
		*id = (struct identity){.addr = addr, .owner = kvm, .vm = vm->vm, .vcpu = idx};
		if (id->vm != VGR_NO_VM)
			*err = event_announce(ev, id);
	}
	return id->vm != VGR_NO_VM && !*err ? id : NULL;
}

static void forget(struct identity *table, size_t *n, uint64_t addr)
{
	struct identity *id = find(table, *n, addr);

	if (id)
		*id = table[--*n];
}

/* ---- lines ---- */

static size_t line_place(const struct line *lines, size_t cap, uint16_t vm, uint16_t vcpu,
			 uint32_t intid)
{
	uint64_t key = (uint64_t)vm << 48 | (uint64_t)vcpu << 32 | intid;
	size_t at = (key * 0x9e3779b97f4a7c15ull) >> 40 & (cap - 1);

	while (lines[at].used &&
	       (lines[at].vm != vm || lines[at].vcpu != vcpu || lines[at].intid != intid))
		at = (at + 1) & (cap - 1);
	return at;
}

static bool more_lines(struct vgr_events *e)
{
	size_t cap = e->cap_lines ? 2 * e->cap_lines : 256, i;
	struct line *lines;

	if (cap > 2 * MAX_LINES)
		return false;
	lines = calloc(cap, sizeof(*lines));
	if (!lines) {
		e->no_memory = true;
		return false;
	}
	for (i = 0; i < e->cap_lines; i++) {
		const struct line *l = &e->lines[i];

		if (l->used)
			lines[line_place(lines, cap, l->vm, l->vcpu, l->intid)] = *l;
	}
	free(e->lines);
	e->lines = lines;
	e->cap_lines = cap;
	return true;
}

struct line *event_line(struct vgr_events *e, uint16_t vm, uint16_t vcpu, uint32_t intid)
{
	struct line *line;

	if (2 * e->nr_lines >= e->cap_lines && !more_lines(e))
		return NULL;
	line = &e->lines[line_place(e->lines, e->cap_lines, vm, vcpu, intid)];
	if (!line->used) {
		*line = (struct line){.used = true,
				      .vm = vm,
				      .vcpu = vcpu,
				      .intid = intid,
				      .edge = edge_at_first(intid)};
		e->nr_lines++;
	}
	return line;
}

/*
 * KVM drops what changes nothing: the falling edge of an edge-triggered interrupt, the level that
 * a line has. What kind an interrupt is, only a list tells; until then, a line
 * that rises twice is taken for an edge. The fold lowers the lines of timers, which only a list
 * tells, too: without any, a timer that fires has a line that is low.
 */
static bool changes_line(struct vgr_events *e, uint16_t vm, uint16_t vcpu, uint32_t intid,
			 bool level)
{
	struct line *line = event_line(e, vm, vcpu, intid);
	bool was;

	if (!line)
		return true;
	was = line->high;
	line->high = level;
	if (line->edge > 0)
		return level;
	if (level && (line->edge < 0 || (intid < 32 && !e->have_facts)))
		return true;
	return level != was;
}

/* ---- events that are records ---- */

static struct identity *vcpu_of(struct event *ev)
{
	return event_known_vcpu(ev->e, event_number(&ev->d, EF_VCPU, &ev->ok));
}

static int plain(struct event *ev, uint16_t type)
{
	const struct identity *id = vcpu_of(ev);

	if (!ev->ok || !id)
		return 0;
	event_record(ev, type, sizeof(struct vgr_plain), id->vm, id->vcpu);
	return event_emit(ev);
}

static void take_facts(struct event *ev)
{
	struct vgr_event_facts facts = {0};
	bool ok = true;
	size_t i;

	if (ev->e->have_facts)
		return;
	for (i = 0; i < vgr_nr_event_facts; i++)
		vgr_event_fact_set(&facts, i, event_number(&ev->d, EF_FACTS + i, &ok));
	if (!ok || vgr_event_facts_check(&facts)) {
		ev->ok = false;
		return;
	}
	ev->e->facts = facts;
	ev->e->have_facts = true;
}

static int on_load(struct event *ev)
{
	struct cpu *c = ev->c;
	struct identity *id;
	int err;

	take_facts(ev);
	id = event_own_vcpu(ev, &err);
	c->loaded_known = id;
	if (err || !id)
		return err;
	c->loaded_vm = id->vm;
	c->loaded_vcpu = id->vcpu;
	c->run_tid = ev->tid;
	event_record(ev, VGR_LOAD, sizeof(struct vgr_plain), id->vm, id->vcpu);
	return event_emit(ev);
}

static int on_put(struct event *ev)
{
	ev->c->loaded_known = false;
	return plain(ev, VGR_PUT);
}

static int emit_inject(struct event *ev, uint16_t vm, uint16_t vcpu, uint32_t intid, bool level,
		       uint8_t path)
{
	struct vgr_inject *r;

	if (!changes_line(ev->e, vm, vcpu, intid, level))
		return 0;
	r = event_record(ev, VGR_INJECT, sizeof(*r), vm, vcpu);
	r->intid = intid;
	r->level = level;
	r->path = path;
	return event_emit(ev);
}

static int on_inject(struct event *ev)
{
	struct vgr_events *e = ev->e;
	uint64_t vcpu = event_number(&ev->d, EF_VCPU, &ev->ok);
	uint32_t intid = event_number(&ev->d, EF_INTID, &ev->ok);
	uint64_t owner = event_number(&ev->d, EF_OWNER, &ev->ok);
	bool level = event_number(&ev->d, EF_LEVEL, &ev->ok);
	uint16_t vm = known_vm(e, event_number(&ev->d, EF_KVM, &ev->ok));
	struct identity *id = intid < 32 ? event_known_vcpu(e, vcpu) : NULL;
	uint8_t path;

	if (!ev->ok || vm == VGR_NO_VM || (intid < 32 && !vcpu))
		return 0;
	if (owner && e->have_facts && e->facts.pmu && owner == vcpu + e->facts.pmu)
		path = VGR_PATH_PMU;
	else if (owner)
		path = owner == vcpu ? VGR_PATH_NESTED : VGR_PATH_TIMER;
	else if (ev->c->irqfd_tid && ev->c->irqfd_tid == ev->tid)
		path = VGR_PATH_IRQFD;
	else
		path = VGR_PATH_IOCTL;
	return emit_inject(ev, vm, id ? id->vcpu : VGR_NO_VCPU, intid, level, path);
}

/* The tracepoint names neither VM nor path, and 0 as the vCPU of an SPI. */
static int on_kvm_inject(struct event *ev)
{
	uint32_t intid = event_number(&ev->d, EF_IRQ, &ev->ok);
	uint64_t vcpu = event_number(&ev->d, EF_VCPU_ID, &ev->ok);
	bool level = event_number(&ev->d, EF_LEVEL, &ev->ok);

	if (!ev->ok || ev->e->formats.defined[VGR_EV_INJECT])
		return 0;
	if (intid >= 32)
		vcpu = VGR_NO_VCPU;
	else if (vcpu >= VGR_MAX_TABLE)
		return 0;
	return emit_inject(ev, VGR_NO_VM, vcpu, intid, level, VGR_PATH_UNKNOWN);
}

static int on_sgi(struct event *ev)
{
	const struct identity *id = vcpu_of(ev);
	struct vgr_sgi *r;

	if (!ev->ok || !id)
		return 0;
	r = event_record(ev, VGR_SGI, sizeof(*r), id->vm, id->vcpu);
	r->value = event_number(&ev->d, EF_VALUE, &ev->ok);
	r->allow_group1 = event_number(&ev->d, EF_GROUP1, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

static int on_msi(struct event *ev, bool cached)
{
	uint16_t vm = known_vm(ev->e, event_number(&ev->d, EF_KVM, &ev->ok));
	int32_t ret = event_number(&ev->d, EF_RET, &ev->ok);
	struct vgr_msi *r;

	/* What the short cut refuses comes again the long way. */
	if (cached && (ret || event_number(&ev->d, EF_ROUTE, &ev->ok) != KVM_IRQ_ROUTING_MSI))
		return 0;
	if (!ev->ok || vm == VGR_NO_VM)
		return 0;
	r = event_record(ev, VGR_MSI, sizeof(*r), vm, VGR_NO_VCPU);
	r->devid = event_number(&ev->d, EF_DEVID, &ev->ok);
	r->eventid = event_number(&ev->d, EF_EVENTID, &ev->ok);
	r->ret = ret;
	r->cached = cached;
	return ev->ok ? event_emit(ev) : 0;
}

static int on_dir(struct event *ev)
{
	const struct identity *id = vcpu_of(ev);
	struct vgr_dir *r;

	if (!ev->ok || !id)
		return 0;
	r = event_record(ev, VGR_DIR, sizeof(*r), id->vm, id->vcpu);
	r->value = event_number(&ev->d, EF_VALUE, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

static int on_acked(struct event *ev, bool tracepoint)
{
	uint16_t vm = VGR_NO_VM;
	struct vgr_acked *r;

	if (tracepoint && ev->e->formats.defined[VGR_EV_ACKED])
		return 0;
	if (!tracepoint) {
		vm = known_vm(ev->e, event_number(&ev->d, EF_KVM, &ev->ok));
		if (vm == VGR_NO_VM)
			return 0;
	}
	r = event_record(ev, VGR_ACKED, sizeof(*r), vm, VGR_NO_VCPU);
	r->irqchip = event_number(&ev->d, EF_IRQCHIP, &ev->ok);
	r->pin = event_number(&ev->d, EF_PIN, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

static int on_level(struct event *ev)
{
	struct cpu *c = ev->c;
	struct vgr_level *r;

	if (!c->in_sync || !c->run_known)
		return 0;
	r = event_record(ev, VGR_LEVEL, sizeof(*r), c->run_vm, c->run_vcpu);
	r->r.tid = c->run_tid;
	r->intid = event_number(&ev->d, EF_INTID, &ev->ok);
	r->level = !!event_number(&ev->d, EF_LEVEL, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

/*
 * Whose tracepoint is this? The one of the last flush here, or what is loaded here; where the
 * trace has nothing that could tell, nobody's that is known. false: a VM that is not recorded.
 */
static bool whose(struct event *ev, bool run, uint16_t *vm, uint16_t *vcpu)
{
	const struct cpu *c = ev->c;
	const bool *defined = ev->e->formats.defined;

	*vm = VGR_NO_VM;
	*vcpu = VGR_NO_VCPU;
	if (run && c->run_known) {
		*vm = c->run_vm;
		*vcpu = c->run_vcpu;
		return true;
	}
	if (c->loaded_known) {
		*vm = c->loaded_vm;
		*vcpu = c->loaded_vcpu;
		return !run || !defined[VGR_EV_FLUSH_BEGIN];
	}
	return !defined[VGR_EV_LOAD] && !defined[VGR_EV_FLUSH_BEGIN];
}

static int on_kvm_entry(struct event *ev)
{
	struct vgr_entry *r;
	uint16_t vm, vcpu;

	if (!whose(ev, true, &vm, &vcpu))
		return 0;
	r = event_record(ev, VGR_ENTRY, sizeof(*r), vm, vcpu);
	r->pc = event_number(&ev->d, EF_PC, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

static int on_kvm_exit(struct event *ev)
{
	struct vgr_exit *r;
	uint16_t vm, vcpu;

	if (!whose(ev, true, &vm, &vcpu))
		return 0;
	r = event_record(ev, VGR_EXIT, sizeof(*r), vm, vcpu);
	r->pc = event_number(&ev->d, EF_PC, &ev->ok);
	r->ret = event_number(&ev->d, EF_RET, &ev->ok);
	r->esr_ec = event_number(&ev->d, EF_ESR_EC, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

/* GICD_ICFGR: the guest says which of its SPIs are edges. */
#define GICD_ICFGR     0xc00
#define GICD_ICFGR_END 0xd00

static void follow_config(struct vgr_events *e, const struct vgr_mmio *r)
{
	uint64_t offset = 0;
	uint32_t intid, i;
	size_t k;

	for (k = 0; k < e->nr_vms; k++) {
		if (e->vms[k].vm == r->r.vm && e->vms[k].dist)
			offset = r->gpa - e->vms[k].dist;
	}
	if (!r->write || r->r.vm == VGR_NO_VM || r->len != 4 || offset < GICD_ICFGR ||
	    offset >= GICD_ICFGR_END || offset % 4)
		return;
	intid = 4 * (offset - GICD_ICFGR);
	for (i = 0; i < 16 && intid >= 32; i++) {
		struct line *line = event_line(e, r->r.vm, VGR_NO_VCPU, intid + i);

		if (line)
			line->edge = r->value >> (2 * i + 1) & 1;
	}
}

static int on_kvm_mmio(struct event *ev)
{
	uint32_t type = event_number(&ev->d, EF_TYPE, &ev->ok);
	struct vgr_mmio *r;
	uint16_t vm, vcpu;
	uint32_t len;

	if (type != KVM_MMIO_READ_UNSATISFIED && type != KVM_MMIO_WRITE)
		return 0;
	if (!whose(ev, false, &vm, &vcpu))
		return 0;
	r = event_record(ev, VGR_MMIO, sizeof(*r), vm, vcpu);
	len = event_number(&ev->d, EF_LEN, &ev->ok);
	r->gpa = event_number(&ev->d, EF_GPA, &ev->ok);
	r->write = type == KVM_MMIO_WRITE;
	if (r->write)
		r->value = event_number(&ev->d, EF_VAL, &ev->ok);
	if (len > 0 && len < 8)
		r->value &= (1ull << 8 * len) - 1;
	r->len = len;
	if (!ev->ok)
		return 0;
	follow_config(ev->e, r);
	return event_emit(ev);
}

static int on_kvm_wfx(struct event *ev)
{
	struct vgr_wfx *r;
	uint16_t vm, vcpu;

	if (!whose(ev, false, &vm, &vcpu))
		return 0;
	r = event_record(ev, VGR_WFX, sizeof(*r), vm, vcpu);
	r->pc = event_number(&ev->d, EF_PC, &ev->ok);
	r->wfe = !!event_number(&ev->d, EF_IS_WFE, &ev->ok);
	return ev->ok ? event_emit(ev) : 0;
}

static int dispatch(struct event *ev)
{
	struct vgr_events *e = ev->e;

	switch (ev->d.format->event) {
	case VGR_EV_FLUSH_BEGIN:
		return event_flush_begin(ev);
	case VGR_EV_FLUSH_END:
		return event_flush_end(ev, 0);
	case VGR_EV_FLUSH_LATE:
		return event_flush_end(ev, VGR_F_NO_CONFIG);
	case VGR_EV_SYNC_BEGIN:
		return event_sync_begin(ev);
	case VGR_EV_SYNC_FOLD:
		return event_sync_fold(ev);
	case VGR_EV_FOLDED:
		return event_folded(ev);
	case VGR_EV_SYNC_END:
		return event_sync_end(ev);
	case VGR_EV_LOAD:
		return on_load(ev);
	case VGR_EV_PUT:
		return on_put(ev);
	case VGR_EV_INJECT:
		return on_inject(ev);
	case VGR_EV_IRQFD_BEGIN:
		ev->c->irqfd_tid = ev->tid;
		return 0;
	case VGR_EV_IRQFD_END:
		ev->c->irqfd_tid = 0;
		return 0;
	case VGR_EV_SGI:
		return on_sgi(ev);
	case VGR_EV_MSI:
		return on_msi(ev, false);
	case VGR_EV_MSI_ATOMIC:
		return on_msi(ev, true);
	case VGR_EV_DIR:
		return on_dir(ev);
	case VGR_EV_PRUNE:
		return plain(ev, VGR_PRUNE);
	case VGR_EV_KICK:
		return plain(ev, VGR_KICK);
	case VGR_EV_LEVEL:
		return on_level(ev);
	case VGR_EV_ACKED:
		return on_acked(ev, false);
	case VGR_EV_VCPU_GONE:
		forget(e->vcpus, &e->nr_vcpus, event_number(&ev->d, EF_VCPU, &ev->ok));
		return 0;
	case VGR_EV_VM_GONE:
		forget(e->vms, &e->nr_vms, event_number(&ev->d, EF_KVM, &ev->ok));
		return 0;
	case VGR_EV_NESTED_FLUSH:
	case VGR_EV_NESTED_SYNC:
		ev->c->nested |= ev->c->phase != PHASE_NONE;
		return 0;
	case VGR_EV_KVM_ENTRY:
		return on_kvm_entry(ev);
	case VGR_EV_KVM_EXIT:
		return on_kvm_exit(ev);
	case VGR_EV_KVM_MMIO:
		return on_kvm_mmio(ev);
	case VGR_EV_KVM_WFX:
		return on_kvm_wfx(ev);
	case VGR_EV_KVM_INJECT:
		return on_kvm_inject(ev);
	case VGR_EV_KVM_ACKED:
		return on_acked(ev, true);
	case VGR_EV_END:
		break;
	}
	return 0;
}

static struct cpu *cpu_of(struct vgr_events *e, uint16_t cpu)
{
	if (cpu < e->nr_cpus)
		return &e->cpus[cpu];
	if (!more(e, (void **)&e->cpus, &e->cap_cpus, (size_t)cpu + 1, sizeof(*e->cpus),
		  VGR_MAX_TABLE))
		return NULL;
	memset(e->cpus + e->nr_cpus, 0, (cpu + 1 - e->nr_cpus) * sizeof(*e->cpus));
	e->nr_cpus = (size_t)cpu + 1;
	return &e->cpus[cpu];
}

/* What it was to tell is missing from here on, as if it had been lost. */
static int leave_out(struct event *ev)
{
	ev->e->totals.malformed++;
	ev->time = ev->c->event_time;
	return report_loss(ev, 1);
}

int vgr_events_put(struct vgr_events *e, struct tep_record *rec)
{
	struct event ev = {.e = e, .time = rec->ts, .ok = true};
	int err = 0;
	bool ours;

	e->totals.events++;
	if (rec->cpu < 0 || rec->cpu >= (int)VGR_MAX_TABLE)
		return -E2BIG;
	ev.cpu = rec->cpu;
	ev.c = cpu_of(e, ev.cpu);
	if (!ev.c)
		return -ENOMEM;
	ours = rec->size > 0 && event_data_of(&e->formats, rec->data, rec->size, &ev.d, &ev.tid);
	if (rec->missed_events) {
		uint32_t lost = rec->missed_events > 0 ? rec->missed_events : 1;

		e->totals.lost += lost;
		err = report_loss(&ev, lost);
		if (err)
			return err;
	}
	if (!ours) {
		e->totals.unknown++;
		return 0;
	}
	if (ev.time < ev.c->event_time)
		return leave_out(&ev);
	ev.c->event_time = ev.time;
	err = dispatch(&ev);
	if (!err && !ev.ok) {
		err = leave_out(&ev);
	} else {
		e->totals.by_event[ev.d.format->event]++;
		e->seen[ev.d.format->event] = true;
	}
	return err ? err : e->no_memory ? -ENOMEM : 0;
}

/* ---- the header ---- */

static const struct {
	enum vgr_event event;
	const char *function;
} functions[] = {
	{VGR_EV_FLUSH_BEGIN, "kvm_vgic_flush_hwstate"},
	{VGR_EV_FLUSH_END, "vgic_v3_configure_hcr"},
	{VGR_EV_FLUSH_LATE, "kvm_vgic_flush_hwstate"},
	{VGR_EV_SYNC_BEGIN, "kvm_vgic_sync_hwstate"},
	{VGR_EV_SYNC_FOLD, "vgic_v3_fold_lr_state"},
	{VGR_EV_FOLDED, "vgic_irq_handle_resampling"},
	{VGR_EV_SYNC_END, "kvm_vgic_sync_hwstate"},
	{VGR_EV_KVM_ENTRY, "kvm_entry"},
	{VGR_EV_KVM_EXIT, "kvm_exit"},
	{VGR_EV_INJECT, "kvm_vgic_inject_irq"},
	{VGR_EV_KVM_INJECT, "vgic_update_irq_pending"},
	{VGR_EV_SGI, "vgic_v3_dispatch_sgi"},
	{VGR_EV_LOAD, "kvm_vgic_load"},
	{VGR_EV_PUT, "kvm_vgic_put"},
	{VGR_EV_VCPU_GONE, "kvm_arch_vcpu_destroy"},
	{VGR_EV_VM_GONE, "kvm_arch_destroy_vm"},
	{VGR_EV_DIR, "vgic_v3_deactivate"},
	{VGR_EV_PRUNE, "kvm_vgic_process_async_update"},
	{VGR_EV_KVM_MMIO, "kvm_mmio"},
	{VGR_EV_KVM_WFX, "kvm_wfx_arm64"},
	{VGR_EV_KICK, "__kvm_vcpu_kick"},
	{VGR_EV_MSI, "vgic_its_inject_msi"},
	{VGR_EV_MSI_ATOMIC, "kvm_arch_set_irq_inatomic"},
	{VGR_EV_IRQFD_BEGIN, "vgic_irqfd_set_irq"},
	{VGR_EV_LEVEL, "kvm_arch_timer_get_input_level"},
	{VGR_EV_ACKED, "kvm_notify_acked_irq"},
	{VGR_EV_KVM_ACKED, "kvm_ack_irq"},
	{VGR_EV_NESTED_FLUSH, "vgic_v3_flush_nested"},
	{VGR_EV_NESTED_SYNC, "vgic_v3_sync_nested"},
};

static bool watched(const struct vgr_events *e, enum vgr_event event)
{
	return event < VGR_EV_DYNAMIC_END ? e->formats.defined[event] : e->seen[event];
}

static void missing(struct vgr_header *h, const char *what, bool is)
{
	size_t n = strlen(h->missing);

	if (is)
		snprintf(h->missing + n, sizeof(h->missing) - n, "%s%s", n ? " " : "", what);
}

static void feature(struct vgr_header *h, const char *what, bool is)
{
	size_t n = strlen(h->features);

	if (is)
		snprintf(h->features + n, sizeof(h->features) - n, "%s%s", n ? " " : "", what);
}

static void describe_missing(const struct vgr_events *e, struct vgr_header *h)
{
	bool flush = watched(e, VGR_EV_FLUSH_BEGIN) &&
		     (watched(e, VGR_EV_FLUSH_END) || watched(e, VGR_EV_FLUSH_LATE));
	bool sync = watched(e, VGR_EV_SYNC_FOLD) && watched(e, VGR_EV_SYNC_END);
	bool newer = e->have_facts && e->facts.on_lr.width;
	bool gicv3 = !e->have_facts || e->facts.gic != 2;

	missing(h, "vcpu", !e->have_facts);
	missing(h, "flush", !flush || !e->have_facts);
	missing(h, "sync", !sync || !e->have_facts);
	missing(h, "boundary", !e->have_facts || e->facts.has_last_lr);
	missing(h, "folded", sync && !watched(e, VGR_EV_FOLDED));
	missing(h, "entry", !watched(e, VGR_EV_KVM_ENTRY));
	missing(h, "exit", !watched(e, VGR_EV_KVM_EXIT));
	missing(h, "inject", !watched(e, VGR_EV_INJECT) && !watched(e, VGR_EV_KVM_INJECT));
	missing(h, "path", !watched(e, VGR_EV_INJECT) && watched(e, VGR_EV_KVM_INJECT));
	missing(h, "sgi", gicv3 && !watched(e, VGR_EV_SGI));
	missing(h, "msi", gicv3 && (!watched(e, VGR_EV_MSI) || !watched(e, VGR_EV_MSI_ATOMIC)));
	missing(h, "dir", newer && !watched(e, VGR_EV_DIR));
	missing(h, "prune", newer && !watched(e, VGR_EV_PRUNE));
	missing(h, "mmio", !watched(e, VGR_EV_KVM_MMIO));
	missing(h, "wfx", !watched(e, VGR_EV_KVM_WFX));
	missing(h, "load", !watched(e, VGR_EV_LOAD));
	missing(h, "put", !watched(e, VGR_EV_PUT));
	missing(h, "kick", !watched(e, VGR_EV_KICK));
	missing(h, "level", !watched(e, VGR_EV_LEVEL));
	missing(h, "acked", !watched(e, VGR_EV_ACKED) && !watched(e, VGR_EV_KVM_ACKED));
}

void vgr_events_describe(const struct vgr_events *e, struct vgr_header *h, struct vgr_probe *probes)
{
	static const char *const modes[] = {"", "VHE", "nVHE", "protected", "nested"};
	const struct vgr_event_facts *f = &e->facts;
	size_t i, n = 0;

	h->missing[0] = h->features[0] = '\0';
	describe_missing(e, h);
	if (e->have_facts) {
		snprintf(h->kvm_mode, sizeof(h->kvm_mode), "%s", modes[f->mode]);
		h->vgic_model = e->gic_model ? e->gic_model : f->gic;
		h->gic_host = f->gic;
		h->nr_lr = f->nr_lr;
		h->vtr = f->gic == 2 ? 0 : f->vtr;
		if (f->gic == 2) {
			h->pri_bits = h->pre_bits = 5;
			h->id_bits = 10;
		} else if (f->vtr) {
			h->pri_bits = (f->vtr >> 29 & 7) + 1;
			h->pre_bits = (f->vtr >> 26 & 7) + 1;
			h->id_bits = (f->vtr >> 23 & 7) ? 24 : 16;
		}
		h->static_traps = f->static_traps;
		h->tdir = f->tdir;
		h->nested = f->mode == VGR_EVENT_NESTED ? VGR_UNKNOWN : VGR_NO;
		feature(h, "on_lr", f->on_lr.width);
		feature(h, "last_lr_irq", f->has_last_lr);
		feature(h, "mapped", f->mapped.width);
		feature(h, "no_hw_deactivation", f->no_hw_deactivation);
	}
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		enum vgr_event event = functions[i].event;

		if (!watched(e, event))
			continue;
		memset(&probes[n], 0, sizeof(probes[n]));
		snprintf(probes[n].name, sizeof(probes[n].name), "%s", functions[i].function);
		snprintf(probes[n].method, sizeof(probes[n].method), "%s",
			 event < VGR_EV_DYNAMIC_END ? "event" : "tracepoint");
		n++;
	}
	h->probes = probes;
	h->nr_probes = n;
}
