// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "summary.h"
#include "text.h"

const char *summary_mi_name(unsigned int bit)
{
	static const char *const names[SUMMARY_MIS] = {"EOI",	 "U",	   "LRENP",  "NP",
						       "VGrp0E", "VGrp0D", "VGrp1E", "VGrp1D"};

	return bit < SUMMARY_MIS ? names[bit] : "?";
}

/* Arm ARM, ESR_EL2.EC. */
const char *summary_ec_name(unsigned int ec)
{
	switch (ec) {
	case 0x00:
		return "unknown";
	case 0x01:
		return "WFx";
	case 0x07:
		return "FP/SVE";
	case 0x12:
		return "HVC32";
	case 0x16:
		return "HVC";
	case 0x17:
		return "SMC";
	case 0x18:
		return "sysreg";
	case 0x19:
		return "SVE";
	case 0x1a:
		return "ERET";
	case 0x20:
		return "instruction abort";
	case 0x24:
		return "data abort";
	case 0x2f:
		return "SError";
	case 0x30:
		return "breakpoint";
	case 0x32:
		return "step";
	case 0x34:
		return "watchpoint";
	case 0x3c:
		return "BRK";
	default:
		return NULL;
	}
}

int summary_init(struct summary *s, const struct vgr_header *h)
{
	memset(s, 0, sizeof(*s));
	s->nr_lr = h->nr_lr ? h->nr_lr : vgr_lr_limit(h->gic_host);
	text_gic_init(&s->gic, h);
	if (vgic_latency_init(&s->to_lr))
		return -ENOMEM;
	return vgic_decoder_create(&s->decoder, h->gic_host, h->vgic_model);
}

void summary_finish(struct summary *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		free(s->vcpus[i].waiting);
	free(s->vcpus);
	for (i = 0; i < s->nr_vms; i++)
		vgic_measure_destroy(s->vms[i].measure);
	free(s->vms);
	vgic_decoder_destroy(s->decoder);
	vgic_latency_finish(&s->to_lr);
	memset(s, 0, sizeof(*s));
}

static int get_vm(struct summary *s, const struct vgr_rec *rec, uint64_t number)
{
	struct vm_summary *v;
	size_t i;

	for (i = 0; i < s->nr_vms; i++)
		if (s->vms[i].vm == rec->vm)
			return 0;
	v = realloc(s->vms, (s->nr_vms + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->vms = v;
	v += s->nr_vms;
	*v = (struct vm_summary){.vm = rec->vm, .start = rec->time, .before = number - 1};
	if (vgic_measure_create(&v->measure, s->nr_lr, rec->vm))
		return -ENOMEM;
	s->nr_vms++;
	return 0;
}

static struct vcpu_summary *get_vcpu(struct summary *s, const struct vgr_rec *rec)
{
	struct vcpu_summary *v;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		if (s->vcpus[i].vm == rec->vm && s->vcpus[i].vcpu == rec->vcpu)
			return &s->vcpus[i];
	}
	if (s->nr == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;

		v = realloc(s->vcpus, cap * sizeof(*v));
		if (!v)
			return NULL;
		s->vcpus = v;
		s->cap = cap;
	}
	v = &s->vcpus[s->nr];
	memset(v, 0, sizeof(*v));
	s->nr++;
	v->vm = rec->vm;
	v->vcpu = rec->vcpu;
	v->first_time = rec->time;
	return v;
}

static void add_flush(struct summary *s, struct vcpu_summary *v, const struct vgr_flush *f)
{
	const uint64_t *lrs = vgr_flush_lrs(f);
	bool same = f->used_lrs == v->used_lrs;
	unsigned int i;

	v->flushes++;
	v->used[f->used_lrs]++;
	if (f->total_before > v->longest_list)
		v->longest_list = f->total_before;
	if (f->total_after > v->longest_list)
		v->longest_list = f->total_after;
	for (i = 0; i < f->used_lrs; i++) {
		uint64_t lr = text_gic_lr(&s->gic, lrs[i]);

		same = same && v->lr[i] == lr;
		v->lr[i] = lr;
	}
	v->lr_same = same ? v->lr_same + 1 : 1;
	v->used_lrs = f->used_lrs;
	v->v2_guest = text_gic_v2_guest(&s->gic, &f->r);
}

/* Why, as far as the exit itself tells. */
static void add_exit(struct vcpu_summary *v, const struct vgr_exit *e)
{
	switch (e->ret) {
	case 0:
		v->exits_irq++;
		break;
	case 1:
		v->exits_serror++;
		break;
	case 2:
		v->exits_trap[e->esr_ec % SUMMARY_ECS]++;
		break;
	default:
		v->exits_other++;
		break;
	}
}

static void add_wfx(struct vcpu_summary *v, const struct vgr_wfx *w)
{
	if (w->wfe)
		v->wfe++;
	else
		v->wfi++;
}

/* Traces may not tell whose an entry or an exit is. */
static void add_nobodys(struct vcpu_summary *v, const struct vgr_rec *rec)
{
	switch (rec->type) {
	case VGR_ENTRY:
		v->entries++;
		break;
	case VGR_EXIT:
		v->counts.exits++;
		add_exit(v, (const struct vgr_exit *)rec);
		break;
	case VGR_MMIO:
		v->mmio++;
		break;
	case VGR_WFX:
		add_wfx(v, (const struct vgr_wfx *)rec);
		break;
	default:
		break;
	}
}

int summary_add(struct summary *s, const struct vgr_rec *rec, uint64_t number)
{
	const struct vgr_rec *decoded;
	struct vcpu_summary *v;
	size_t i;

	text_gic_note(&s->gic, rec);
	if (rec->vm != VGR_NO_VM && get_vm(s, rec, number))
		return -ENOMEM;
	decoded = vgic_decode(s->decoder, rec);
	for (i = 0; i < s->nr_vms; i++)
		if (vgic_measure_record(s->vms[i].measure, decoded))
			return -ENOMEM;
	switch (rec->type) {
	case VGR_INJECT:
		s->injects++;
		return 0;
	case VGR_MSI:
		s->msis++;
		return 0;
	case VGR_ACKED:
		s->acks++;
		return 0;
	default:
		break;
	}
	if (rec->vm == VGR_NO_VM || rec->vcpu == VGR_NO_VCPU) {
		add_nobodys(&s->nobody, rec);
		return 0;
	}
	v = get_vcpu(s, rec);
	if (!v)
		return -ENOMEM;
	if (rec->time > v->last_time && rec->type != VGR_KICK)
		v->last_time = rec->time;
	switch (rec->type) {
	case VGR_FLUSH:
		add_flush(s, v, (const struct vgr_flush *)rec);
		break;
	case VGR_SYNC:
		v->syncs++;
		break;
	case VGR_ENTRY:
		v->entries++;
		break;
	case VGR_EXIT:
		add_exit(v, (const struct vgr_exit *)rec);
		break;
	case VGR_DIR:
		v->dir++;
		break;
	case VGR_SGI:
		v->sgi++;
		break;
	case VGR_MMIO:
		v->mmio++;
		v->sgi += text_gic_sgir(&s->gic, rec);
		break;
	case VGR_LOAD:
		v->loads++;
		break;
	case VGR_KICK:
		v->kicks++;
		break;
	case VGR_WFX:
		add_wfx(v, (const struct vgr_wfx *)rec);
		break;
	case VGR_HANDLER:
		v->handlers += ((const struct vgr_handler *)rec)->begin;
		break;
	default:
		break;
	}
	return 0;
}

static struct vcpu_summary *find_vcpu(struct summary *s, uint16_t vm, uint16_t vcpu)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->vcpus[i].vm == vm && s->vcpus[i].vcpu == vcpu)
			return &s->vcpus[i];
	return NULL;
}

static int add_waiting(struct summary *s, const struct vm_summary *vm, const struct vgic_fate *f)
{
	struct vcpu_summary *v = find_vcpu(s, vm->vm, f->vcpu);
	struct waiting *w;

	if (!v)
		return 0;
	w = realloc(v->waiting, (v->nr_waiting + 1) * sizeof(*w));
	if (!w)
		return -ENOMEM;
	v->waiting = w;
	w[v->nr_waiting++] = (struct waiting){
		.intid = f->intid,
		.priority = f->priority,
		.since = vm->start + f->outside_ns,
		.record = vm->before + f->outside_record,
		.entries = f->outside_entries,
	};
	return 0;
}

int summary_end(struct summary *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->nr_vms && !ret; i++) {
		struct vm_summary *vm = &s->vms[i];
		struct vgic_cell cell;

		vgic_measure_settle(vm->measure);
		for (size_t k = 0; k < s->nr; k++)
			if (s->vcpus[k].vm == vm->vm)
				s->vcpus[k].counts =
					vgic_measure_vcpu(vm->measure, s->vcpus[k].vcpu);
		ret = vgic_measure_finish(vm->measure, &cell);
		if (ret)
			break;
		for (size_t k = 0; k < cell.nr_fates && !ret; k++)
			if (cell.fates[k].outside_entries)
				ret = add_waiting(s, vm, &cell.fates[k]);
		s->merged += cell.merged;
		if (!ret)
			ret = vgic_latency_merge(&s->to_lr,
						 &cell.latency[VGIC_LATENCY_RAISE_TO_LR]);
		vgic_cell_finish(&cell);
	}
	return ret;
}

uint64_t summary_waited(const struct vcpu_summary *v, const struct waiting *w)
{
	return v->last_time > w->since ? v->last_time - w->since : 0;
}

double summary_mean_lrs(const struct vcpu_summary *v)
{
	const struct vgic_vcpu_counts *c = &v->counts;

	return c->guest_ns ? (double)c->used_ns / (double)c->guest_ns : 0;
}
