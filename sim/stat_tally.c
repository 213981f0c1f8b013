// SPDX-License-Identifier: GPL-2.0-only
/* What live statistics would have counted, from the records of a recording. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/decode.h>
#include <vgicsim/gich.h>
#include <vgicsim/tally.h>
#include <vgicsim/workload.h>

#include "irq_index.h"
#include "listed.h"

_Static_assert(VGIC_STAT_MI == (int)VGIC_EXIT_MI && VGIC_STAT_DIR == (int)VGIC_EXIT_DIR &&
		       VGIC_STAT_SGI == (int)VGIC_EXIT_SGI && VGIC_STAT_WFI == (int)VGIC_EXIT_WFI &&
		       VGIC_STAT_MMIO == (int)VGIC_EXIT_MMIO &&
		       VGIC_STAT_OTHER_IRQ == (int)VGIC_EXIT_OTHER_IRQ &&
		       VGIC_STAT_OTHER == (int)VGIC_EXIT_OTHER &&
		       VGIC_STAT_KINDS == (int)VGIC_EXIT_KINDS,
	       "kinds of exits have one numbering");

enum phase { PHASE_NONE, PHASE_FLUSHED, PHASE_INSIDE };

struct tally_vcpu {
	struct vgic_stat_vcpu v;
	bool ran;
	enum phase phase;
	bool exited;
	uint32_t kind, last_kind, misr;
	uint64_t flush_time, entry_time, exit_time;
	unsigned int used, depth;
	uint64_t lr[VGR_MAX_LRS]; /* in the layout of ICH_LR<n>_EL2 */
	uint32_t ended[VGIC_STAT_ENDED];
	unsigned int nr_ended;
};

struct tally_vm {
	uint32_t tgid;
	char comm[16];
	bool v2_guest;
	struct tally_vcpu *vcpus;
	size_t nr_vcpus;
	struct irq_index index;
	uint64_t *words;
	size_t cap_words;
};

struct vgic_tally {
	struct vgic_decoder *decoder;
	unsigned int nr_lr;
	bool v2_guests; /* all of them */
	struct tally_vm *vms;
	size_t nr_vms;
};

int vgic_tally_create(struct vgic_tally **out, unsigned int gic_host, unsigned int vgic_model,
		      unsigned int nr_lr)
{
	struct vgic_tally *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	if (vgic_decoder_create(&t->decoder, gic_host, vgic_model)) {
		free(t);
		return -ENOMEM;
	}
	t->nr_lr = nr_lr < VGR_MAX_LRS ? nr_lr : VGR_MAX_LRS;
	t->v2_guests = gic_host == 2 || vgic_model == 2;
	*out = t;
	return 0;
}

void vgic_tally_destroy(struct vgic_tally *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nr_vms; i++) {
		free(t->vms[i].vcpus);
		free(t->vms[i].words);
		irq_index_finish(&t->vms[i].index);
	}
	free(t->vms);
	vgic_decoder_destroy(t->decoder);
	free(t);
}

/* ---- tables ---- */

static struct tally_vm *vm_of(struct vgic_tally *t, uint16_t vm)
{
	if (vm >= t->nr_vms) {
		size_t n = (size_t)vm + 1;
		struct tally_vm *p = realloc(t->vms, n * sizeof(*p));

		if (!p)
			return NULL;
		memset(p + t->nr_vms, 0, (n - t->nr_vms) * sizeof(*p));
		t->vms = p;
		t->nr_vms = n;
	}
	return &t->vms[vm];
}

static struct tally_vcpu *vcpu_of(struct tally_vm *vm, const struct vgr_rec *r)
{
	if (r->vcpu >= vm->nr_vcpus) {
		size_t n = (size_t)r->vcpu + 1;
		struct tally_vcpu *p = realloc(vm->vcpus, n * sizeof(*p));

		if (!p)
			return NULL;
		memset(p + vm->nr_vcpus, 0, (n - vm->nr_vcpus) * sizeof(*p));
		for (size_t i = vm->nr_vcpus; i < n; i++) {
			p[i].v.vm = r->vm;
			p[i].v.vcpu = (uint32_t)i;
			p[i].last_kind = VGIC_STAT_OTHER;
		}
		vm->vcpus = p;
		vm->nr_vcpus = n;
	}
	return &vm->vcpus[r->vcpu];
}

/* The word of an interrupt; NULL: no memory. */
static uint64_t *word_of(struct tally_vm *vm, uint16_t vcpu, uint32_t intid)
{
	size_t at;

	if (irq_index_get(&vm->index, vcpu, intid, &at))
		return NULL;
	if (at >= vm->cap_words) {
		size_t n = vm->cap_words ? 2 * vm->cap_words : 64;
		uint64_t *p;

		while (n <= at)
			n *= 2;
		p = realloc(vm->words, n * sizeof(*p));
		if (!p)
			return NULL;
		memset(p + vm->cap_words, 0, (n - vm->cap_words) * sizeof(*p));
		vm->words = p;
		vm->cap_words = n;
	}
	return &vm->words[at];
}

/* ---- flush and entry ---- */

static void settle(struct tally_vcpu *v)
{
	if (!v->exited)
		return;
	v->exited = false;
	v->last_kind = v->kind;
	vgic_stat_count_exit(&v->v.counts, v->kind, v->misr);
}

static bool in_lr(const struct tally_vcpu *v, uint32_t intid)
{
	for (unsigned int i = 0; i < v->used; i++)
		if (vgic_stat_lr_valid(v->lr[i], 0) && vgic_stat_lr_intid(v->lr[i], 0) == intid)
			return true;
	return false;
}

static int count_outside(struct tally_vm *vm, struct tally_vcpu *v, const struct vgr_flush *f)
{
	const struct vgr_irq *q = (const struct vgr_irq *)(f + 1) + f->n_before;

	v->depth = 0;
	if (f->n_after <= v->used)
		return 0;
	for (unsigned int i = 0; i < f->n_after; i++) {
		bool active = q[i].state & VGR_IRQ_ACTIVE;
		bool waits =
			vgic_stat_waits(listed_pending(&q[i]), (q[i].state & VGR_IRQ_ENABLED) != 0,
					active, q[i].target == f->r.vcpu);
		uint64_t *word;

		if (!vgic_stat_overflows(waits, active) || in_lr(v, q[i].intid))
			continue;
		v->depth++;
		if (!waits)
			continue;
		word = word_of(vm, f->r.vcpu, q[i].intid);
		if (!word)
			return -ENOMEM;
		*word = vgic_stat_outside(*word, f->r.time);
	}
	return 0;
}

static int on_flush(const struct vgic_tally *t, struct tally_vm *vm, struct tally_vcpu *v,
		    const struct vgr_flush *f)
{
	const uint64_t *lr =
		(const uint64_t *)((const struct vgr_irq *)(f + 1) + f->n_before + f->n_after);
	unsigned int used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr;

	settle(v);
	v->ran = true;
	v->used = used < t->nr_lr ? used : t->nr_lr;
	memcpy(v->lr, lr, v->used * sizeof(*lr));
	v->flush_time = f->r.time;
	v->phase = PHASE_FLUSHED;
	return count_outside(vm, v, f);
}

static uint64_t unannounced(const struct tally_vcpu *v, uint32_t intid)
{
	for (unsigned int i = 0; i < v->nr_ended; i++)
		if (v->ended[i] == intid)
			return v->exit_time;
	return v->flush_time;
}

static int enter_lr(struct tally_vm *vm, struct tally_vcpu *v, unsigned int i, uint64_t now)
{
	struct vgic_stat_counts *c = &v->v.counts;
	uint32_t intid = vgic_stat_lr_intid(v->lr[i], 0);
	uint64_t *word, was, since, ns;

	if (!vgic_stat_lr_pending(v->lr[i], 0))
		return 0;
	word = word_of(vm, (uint16_t)v->v.vcpu, intid);
	if (!word)
		return -ENOMEM;
	was = *word;
	*word = vgic_stat_entered(was);
	if (!vgic_stat_arrives(was))
		return 0;
	since = vgic_stat_since(was, unannounced(v, intid));
	ns = now > since ? now - since : 0;
	c->raise[vgic_stat_time_bucket(ns)]++;
	c->raise_ns += ns;
	if (ns > c->raise_max_ns)
		c->raise_max_ns = ns;
	return 0;
}

static int on_entry(struct tally_vm *vm, struct tally_vcpu *v, uint64_t now)
{
	struct vgic_stat_counts *c = &v->v.counts;
	int ret = 0;

	v->ran = true;
	c->entries++;
	v->entry_time = now;
	if (v->phase != PHASE_FLUSHED)
		return 0;
	v->phase = PHASE_INSIDE;
	if (v->exit_time) {
		c->out[v->last_kind]++;
		c->out_ns[v->last_kind] += now - v->exit_time;
	}
	c->lrs[v->used]++;
	c->depth[vgic_stat_depth_bucket(v->depth)]++;
	if (v->depth > c->depth_max)
		c->depth_max = v->depth;
	for (unsigned int i = 0; i < v->used && !ret; i++)
		ret = enter_lr(vm, v, i, now);
	return ret;
}

/* ---- sync and exit ---- */

static int leave_lr(struct tally_vm *vm, struct tally_vcpu *v, unsigned int i, uint64_t is)
{
	uint64_t was = v->lr[i], *word;
	uint32_t intid = vgic_stat_lr_intid(was, 0);

	if (vgic_stat_lr_pending(was, 0)) {
		word = word_of(vm, (uint16_t)v->v.vcpu, intid);
		if (!word)
			return -ENOMEM;
		*word = vgic_stat_left(*word, vgic_stat_lr_pending(is, 0));
	}
	if (vgic_stat_lr_valid(was, 0) && !vgic_stat_lr_valid(is, 0) &&
	    (vgic_stat_lr_hw(was, 0) || vgic_stat_lr_eoi(was, 0)) && v->nr_ended < VGIC_STAT_ENDED)
		v->ended[v->nr_ended++] = intid;
	return 0;
}

static int on_sync(const struct vgic_tally *t, struct tally_vm *vm, struct tally_vcpu *v,
		   const struct vgr_sync *s)
{
	const struct vgr_irq *before = (const struct vgr_irq *)(s + 1);
	const struct vgr_irq *after = before + s->n_before;
	const uint64_t *lr = (const uint64_t *)(after + s->n_before);
	unsigned int read = s->used_lrs < t->nr_lr ? s->used_lrs : t->nr_lr;
	uint32_t valid = 0, pending = 0, eoi = 0;
	bool inside = v->phase == PHASE_INSIDE;
	int ret = 0;

	v->nr_ended = 0;
	for (unsigned int i = 0; i < read && !ret; i++) {
		valid += vgic_stat_lr_valid(lr[i], 0);
		pending += vgic_stat_lr_pending(lr[i], 0) && !vgic_stat_lr_active(lr[i], 0);
		eoi += !vgic_stat_lr_valid(lr[i], 0) && vgic_stat_lr_eoi(lr[i], 0);
		if (v->phase != PHASE_NONE && i < v->used)
			ret = leave_lr(vm, v, i, lr[i]);
	}
	v->misr = s->nested ? 0 : vgic_stat_misr(s->hcr, s->vmcr, valid, pending, eoi);
	v->phase = PHASE_NONE;
	if (ret || !inside)
		return ret;
	v->exit_time = s->begin;
	v->v.counts.guest_ns += s->begin > v->entry_time ? s->begin - v->entry_time : 0;
	if ((s->r.flags & (VGR_F_NO_FOLD | VGR_F_SKIPPED)) || !vgic_stat_eoicount(s->hcr))
		return 0;
	for (unsigned int i = 0; i < s->n_before; i++)
		v->v.counts.eoicount += (before[i].state & VGR_IRQ_ACTIVE) &&
					!(after[i].state & VGR_IRQ_ACTIVE) &&
					!in_lr(v, before[i].intid);
	return 0;
}

static void on_exit_record(struct tally_vcpu *v, const struct vgr_exit *x)
{
	settle(v);
	v->ran = true;
	v->exited = true;
	v->kind = vgic_stat_exit_kind(x->ret, x->esr_ec, v->misr);
}

/* ---- raises ---- */

static int raise(struct tally_vm *vm, uint16_t vcpu, uint32_t intid, uint64_t time)
{
	uint64_t *word = word_of(vm, vcpu, intid);

	if (!word)
		return -ENOMEM;
	*word = vgic_stat_raised(*word, time);
	return 0;
}

static int on_sgi(struct tally_vm *vm, struct tally_vcpu *v, const struct vgr_sgi *s)
{
	uint32_t intid = vgic_stat_sgi_intid(s->value), first = vgic_stat_sgi_group(s->value) * 16;
	int ret = 0;

	v->kind = VGIC_STAT_SGI;
	v->v.counts.sgi++;
	if (!s->allow_group1 || vm->v2_guest)
		return 0;
	if (vgic_stat_sgi_all(s->value)) {
		for (size_t i = 0; i < vm->nr_vcpus && !ret; i++)
			if (i != s->r.vcpu)
				ret = raise(vm, (uint16_t)i, intid, s->r.time);
		return ret;
	}
	for (uint32_t i = 0; i < 16 && !ret; i++)
		if (s->value >> i & 1)
			ret = raise(vm, (uint16_t)(first + i), intid, s->r.time);
	return ret;
}

static int on_inject(struct tally_vm *vm, const struct vgr_inject *in)
{
	uint64_t *word = word_of(vm, in->r.vcpu, in->intid);

	if (!word)
		return -ENOMEM;
	*word = in->level ? vgic_stat_raised(*word, in->r.time) : vgic_stat_lowered(*word);
	return 0;
}

static void introduce(const struct vgic_tally *t, struct tally_vm *vm, const struct vgr_vcpu *v)
{
	vm->tgid = v->tgid;
	memcpy(vm->comm, v->comm, sizeof(vm->comm));
	vm->comm[sizeof(vm->comm) - 1] = '\0';
	vm->v2_guest |= t->v2_guests || v->vgic_model == 2;
}

int vgic_tally_record(struct vgic_tally *t, const struct vgr_rec *rec)
{
	struct tally_vcpu *v;
	struct tally_vm *vm;

	rec = vgic_decode(t->decoder, rec);
	if (rec->vm == VGR_NO_VM || rec->type == VGR_LOSS)
		return 0;
	vm = vm_of(t, rec->vm);
	if (!vm)
		return -ENOMEM;
	if (rec->type == VGR_INJECT)
		return on_inject(vm, (const struct vgr_inject *)rec);
	if (rec->vcpu == VGR_NO_VCPU)
		return 0;
	v = vcpu_of(vm, rec);
	if (!v)
		return -ENOMEM;
	switch (rec->type) {
	case VGR_VCPU:
		introduce(t, vm, (const struct vgr_vcpu *)rec);
		return 0;
	case VGR_FLUSH:
		return on_flush(t, vm, v, (const struct vgr_flush *)rec);
	case VGR_ENTRY:
		return on_entry(vm, v, rec->time);
	case VGR_SYNC:
		return on_sync(t, vm, v, (const struct vgr_sync *)rec);
	case VGR_EXIT:
		on_exit_record(v, (const struct vgr_exit *)rec);
		return 0;
	case VGR_SGI:
		return on_sgi(vm, v, (const struct vgr_sgi *)rec);
	case VGR_DIR:
		v->kind = VGIC_STAT_DIR;
		v->v.counts.dir++;
		return 0;
	case VGR_MMIO:
		v->kind = VGIC_STAT_MMIO;
		return 0;
	case VGR_KICK:
		v->v.counts.kicks++;
		return 0;
	default:
		return 0;
	}
}

int vgic_tally_finish(struct vgic_tally *t, vgic_stat_sink *sink, void *ctx)
{
	int ret = 0;

	for (size_t i = 0; i < t->nr_vms; i++) {
		struct tally_vm *vm = &t->vms[i];

		for (size_t k = 0; k < vm->nr_vcpus && !ret; k++) {
			struct tally_vcpu *v = &vm->vcpus[k];

			if (!v->ran)
				continue;
			settle(v);
			v->v.tgid = vm->tgid;
			memcpy(v->v.comm, vm->comm, sizeof(vm->comm));
			ret = sink(ctx, &v->v);
		}
	}
	return ret;
}
