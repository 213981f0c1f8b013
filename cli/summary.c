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
	/* The reduced interface of misr_of() has always enough of them. */
	unsigned int model = h->nr_lr && h->gic_host != 2 ? h->nr_lr : VGIC_V3_MAX_LRS;

	memset(s, 0, sizeof(*s));
	s->nr_lr = h->nr_lr ? h->nr_lr : vgr_lr_limit(h->gic_host);
	text_gic_init(&s->gic, h);
	/* What QEMU does otherwise is its GICv3. */
	s->cpuif = h->emulated == VGR_YES && h->gic_host != 2 ? vgic_v3_cpuif_qemu(model)
							      : vgic_v3_cpuif_defaults(model);
	s->scratch = malloc(VGR_MAX_IRQS * sizeof(*s->scratch));
	return s->scratch ? 0 : -ENOMEM;
}

void summary_finish(struct summary *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		free(s->vcpus[i].waiting);
	free(s->vcpus);
	free(s->scratch);
	memset(s, 0, sizeof(*s));
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
	v->waiting = malloc(VGR_MAX_IRQS * sizeof(*v->waiting));
	if (!v->waiting)
		return NULL;
	s->nr++;
	v->vm = rec->vm;
	v->vcpu = rec->vcpu;
	v->first_time = rec->time;
	return v;
}

/* Kernels that save VMCR at a put only show nothing before the first: then any group may be on. */
static bool group_enabled(const struct summary *s, const struct vcpu_summary *v, uint32_t vmcr,
			  const struct vgr_irq *irq)
{
	return (s->stale_vmcr && v->loads < 2) ||
	       (vmcr & (irq->state & VGR_IRQ_GROUP1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0));
}

static bool in_lrs(const struct summary *s, const struct vgr_flush *f, uint32_t intid)
{
	const uint64_t *lrs = vgr_flush_lrs(f);
	unsigned int i;

	for (i = 0; i < f->used_lrs; i++) {
		if (text_gic_intid(&s->gic, &f->r, lrs[i]) == intid &&
		    (text_gic_lr(&s->gic, lrs[i]) & VGIC_LR_STATE))
			return true;
	}
	return false;
}

static int compare_waiting(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	return (x->intid > y->intid) - (x->intid < y->intid);
}

/* Who waits at this flush, and since when: those of the flush before keep their time. */
static void update_waiting(const struct summary *s, struct vcpu_summary *v,
			   const struct vgr_flush *f, uint64_t number)
{
	const struct vgr_irq *irq = vgr_flush_after(f);
	struct waiting *w, *old;
	unsigned int i;
	size_t n = 0;

	for (i = 0; i < f->n_after && f->dist_enabled && !f->nested; i++, irq++) {
		if (!(irq->state & VGR_IRQ_ENABLED) || !irq_pending(irq) ||
		    (irq->state & (VGR_IRQ_ACTIVE | VGR_IRQ_GONE)) || irq->target != v->vcpu ||
		    !group_enabled(s, v, f->vmcr, irq) || in_lrs(s, f, irq->intid))
			continue;
		s->scratch[n++] = (struct waiting){.intid = irq->intid,
						   .priority = irq->priority,
						   .since = f->r.time,
						   .record = number};
	}
	if (n > 1)
		qsort(s->scratch, n, sizeof(*s->scratch), compare_waiting);
	for (i = 0; i < n; i++) {
		w = &s->scratch[i];
		old = v->nr_waiting
			      ? bsearch(w, v->waiting, v->nr_waiting, sizeof(*w), compare_waiting)
			      : NULL;
		if (old) {
			w->since = old->since;
			w->record = old->record;
			w->entries = old->entries;
		}
		w->entries++;
	}
	memcpy(v->waiting, s->scratch, n * sizeof(*v->waiting));
	v->nr_waiting = n;
}

/* Deliverable as KVM's oracle sees it: active, or enabled and pending, for this vCPU. */
static unsigned int deliverable(const struct vgr_flush *f)
{
	const struct vgr_irq *irq = vgr_flush_before(f);
	unsigned int i, n = 0;

	for (i = 0; i < f->n_before; i++, irq++) {
		if (irq->state & VGR_IRQ_GONE)
			continue;
		if (irq->state & VGR_IRQ_ACTIVE)
			n++;
		else if (f->dist_enabled && (irq->state & VGR_IRQ_ENABLED) && irq_pending(irq) &&
			 irq->target == f->r.vcpu)
			n++;
	}
	return n;
}

static void add_flush(struct summary *s, struct vcpu_summary *v, const struct vgr_flush *f,
		      uint64_t number)
{
	const uint64_t *lrs = vgr_flush_lrs(f);
	unsigned int i, n = deliverable(f);
	bool same = f->used_lrs == v->used_lrs;

	/* Kernels from 6.19 on save VMCR at every exit, and those have the counter. */
	s->stale_vmcr = f->active_spis < 0;
	v->flushes++;
	v->used[f->used_lrs]++;
	if (f->nr_lr && n > f->nr_lr) {
		v->overflows++;
		if (n - f->nr_lr > v->deepest_overflow)
			v->deepest_overflow = n - f->nr_lr;
	}
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
	v->flush_time = f->r.time;
	v->in_guest = true;
	update_waiting(s, v, f, number);
}

/*
 * The maintenance interrupt asks three things of the list registers: is one empty with
 * its EOI unserved, is one pending, and are there more than one with a state. Four of
 * them tell as much as the 64 that a GICv2 can have.
 */
static uint32_t misr_of(const struct summary *s, const struct vgr_sync *y)
{
	const uint64_t *lrs = vgr_sync_lrs(y);
	unsigned int i, n = 0, valid = 0;
	bool eoi = false, pending = false;
	struct vgic_v3_cpuif c;

	vgic_v3_cpuif_init(&c, &s->cpuif);
	for (i = 0; i < y->used_lrs; i++) {
		uint64_t lr = text_gic_lr(&s->gic, lrs[i]);
		bool is_pending = (lr & VGIC_LR_STATE) == VGIC_LR_PENDING;
		bool is_eoi = !(lr & VGIC_LR_STATE) && !(lr & VGIC_LR_HW) && (lr & VGIC_LR_EOI);

		if ((is_pending && !pending) || (is_eoi && !eoi) ||
		    ((lr & VGIC_LR_STATE) && valid < 2))
			c.lr[n++] = lr;
		pending |= is_pending;
		eoi |= is_eoi;
		valid += !!(lr & VGIC_LR_STATE);
	}
	c.hcr = y->hcr;
	c.vmcr = y->vmcr;
	return vgic_v3_cpuif_mi(&c) ? vgic_v3_cpuif_misr(&c) : 0;
}

static void add_sync(const struct summary *s, struct vcpu_summary *v, const struct vgr_sync *y)
{
	v->syncs++;
	if (v->in_guest && y->begin > v->flush_time) {
		v->guest_ns += y->begin - v->flush_time;
		v->used_ns += (y->begin - v->flush_time) * v->used_lrs;
	}
	v->in_guest = false;
	v->eoicount += vgic_v3_eoicount(y->hcr);
	v->misr = y->nested ? 0 : misr_of(s, y);
}

static void add_exit(struct vcpu_summary *v, const struct vgr_exit *e)
{
	unsigned int i;

	v->exits++;
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
	if (e->ret == 0 && v->misr) {
		v->mi++;
		for (i = 0; i < SUMMARY_MIS; i++)
			v->mi_source[i] += v->misr >> i & 1;
	}
	v->misr = 0;
}

int summary_add(struct summary *s, const struct vgr_rec *rec, uint64_t number)
{
	struct vcpu_summary *v;

	text_gic_note(&s->gic, rec);
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
	if (rec->vm == VGR_NO_VM || rec->vcpu == VGR_NO_VCPU)
		return 0;
	v = get_vcpu(s, rec);
	if (!v)
		return -ENOMEM;
	if (rec->time > v->last_time && rec->type != VGR_KICK)
		v->last_time = rec->time;
	switch (rec->type) {
	case VGR_FLUSH:
		add_flush(s, v, (const struct vgr_flush *)rec, number);
		break;
	case VGR_SYNC:
		add_sync(s, v, (const struct vgr_sync *)rec);
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
		if (((const struct vgr_wfx *)rec)->wfe)
			v->wfe++;
		else
			v->wfi++;
		break;
	default:
		break;
	}
	return 0;
}

uint64_t summary_waited(const struct vcpu_summary *v, const struct waiting *w)
{
	return v->last_time > w->since ? v->last_time - w->since : 0;
}

double summary_mean_lrs(const struct vcpu_summary *v)
{
	return v->guest_ns ? (double)v->used_ns / (double)v->guest_ns : 0;
}
