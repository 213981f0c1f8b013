/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/decode.h>
#include <vgicsim/metrics.h>
#include <vgicsim/raises.h>
#include <vgicsim/trigger.h>
#include <vgicsim/vgic.h>

#include "listed.h"

#define STEP_NS	    (VGIC_RATE_NS / VGIC_RATE_STEPS)
#define RATES_A_SEC (1000000000ull / VGIC_RATE_NS)

struct rate {
	uint64_t step; /* of the last event: time / STEP_NS */
	uint32_t n[VGIC_RATE_STEPS];
};

struct reading {
	uint64_t value;
	uint32_t intid;
};

struct vcpu {
	uint32_t misr; /* of the last sync */
	uint32_t depth;
	bool waits; /* what stands outside has been raised at a known time, the earliest ... */
	uint64_t since;
	uint32_t intid;
	struct rate exits, mi;
};

struct vm {
	uint16_t number;
	struct vgic_raises *raises;
	struct vcpu *vcpus;
	size_t nr_vcpus;
};

struct vgic_trigger {
	struct vgic_condition condition;
	bool asked[VGIC_FIGURES];
	unsigned int nr_lr;
	struct vgic_decoder *decoder;
	struct vgic_latency_series to_lr; /* of all VMs: nobody asks for it */
	struct vm *vms;
	size_t nr_vms, last_vm;
};

static const char *const names[VGIC_FIGURES] = {
	[VGIC_FIGURE_RAISE_TO_LR] = "raise-to-lr",
	[VGIC_FIGURE_WAIT] = "wait",
	[VGIC_FIGURE_OVERFLOW] = "overflow",
	[VGIC_FIGURE_EXITS] = "exits",
	[VGIC_FIGURE_MI] = "mi",
};

const char *vgic_figure_name(enum vgic_figure q)
{
	return (unsigned int)q < VGIC_FIGURES ? names[q] : "?";
}

/* Every operator finds its operands, and one value is left. */
static bool is_condition(const struct vgic_condition *c)
{
	unsigned int values = 0;

	if (!c->n || c->n > VGIC_CONDITION_MAX)
		return false;
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->step[i].op == VGIC_CONDITION_TERM) {
			if ((unsigned int)c->step[i].quantity >= VGIC_FIGURES)
				return false;
			values++;
		} else if (values-- < 2) {
			return false;
		}
	}
	return values == 1;
}

int vgic_trigger_create(struct vgic_trigger **out, const struct vgic_condition *condition,
			unsigned int nr_lr, unsigned int gic_host, unsigned int vgic_model)
{
	struct vgic_trigger *t;

	if (!is_condition(condition))
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->condition = *condition;
	t->nr_lr = nr_lr ? nr_lr : VGR_MAX_LRS;
	for (unsigned int i = 0; i < condition->n; i++)
		if (condition->step[i].op == VGIC_CONDITION_TERM)
			t->asked[condition->step[i].quantity] = true;
	if (vgic_latency_init(&t->to_lr) ||
	    vgic_decoder_create(&t->decoder, gic_host, vgic_model)) {
		vgic_trigger_destroy(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void vgic_trigger_destroy(struct vgic_trigger *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nr_vms; i++) {
		vgic_raises_destroy(t->vms[i].raises);
		free(t->vms[i].vcpus);
	}
	free(t->vms);
	vgic_decoder_destroy(t->decoder);
	vgic_latency_finish(&t->to_lr);
	free(t);
}

static struct vm *vm_of(struct vgic_trigger *t, uint16_t number)
{
	struct vm *vm;

	if (t->last_vm < t->nr_vms && t->vms[t->last_vm].number == number)
		return &t->vms[t->last_vm];
	for (size_t i = 0; i < t->nr_vms; i++)
		if (t->vms[i].number == number) {
			t->last_vm = i;
			return &t->vms[i];
		}
	vm = realloc(t->vms, (t->nr_vms + 1) * sizeof(*vm));
	if (!vm)
		return NULL;
	t->vms = vm;
	vm += t->nr_vms;
	*vm = (struct vm){.number = number};
	if (vgic_raises_create(&vm->raises, number, &t->to_lr))
		return NULL;
	t->last_vm = t->nr_vms++;
	return vm;
}

static struct vcpu *vcpu_of(struct vm *vm, uint16_t number)
{
	size_t n = (size_t)number + 1;
	struct vcpu *v;

	if (n <= vm->nr_vcpus)
		return &vm->vcpus[number];
	v = realloc(vm->vcpus, n * sizeof(*v));
	if (!v)
		return NULL;
	memset(v + vm->nr_vcpus, 0, (n - vm->nr_vcpus) * sizeof(*v));
	vm->vcpus = v;
	vm->nr_vcpus = n;
	return &v[number];
}

/* ---- rates ---- */

static void rate_move(struct rate *r, uint64_t step)
{
	if (step <= r->step)
		return;
	if (step - r->step >= VGIC_RATE_STEPS)
		memset(r->n, 0, sizeof(r->n));
	else
		for (uint64_t i = r->step + 1; i <= step; i++)
			r->n[i % VGIC_RATE_STEPS] = 0;
	r->step = step;
}

static void rate_add(struct rate *r, uint64_t time)
{
	rate_move(r, time / STEP_NS);
	r->n[r->step % VGIC_RATE_STEPS]++;
}

static uint64_t rate_of(struct rate *r, uint64_t time)
{
	uint64_t sum = 0;

	rate_move(r, time / STEP_NS);
	for (unsigned int i = 0; i < VGIC_RATE_STEPS; i++)
		sum += r->n[i];
	return sum * RATES_A_SEC;
}

/* ---- records ---- */

static void on_flush(struct vm *vm, struct vcpu *v, const struct vgr_flush *f)
{
	const struct vgr_irq *q = (const struct vgr_irq *)(f + 1) + f->n_before;
	const uint64_t *lr = (const uint64_t *)(q + f->n_after);
	unsigned int used = f->used_lrs < f->nr_lr ? f->used_lrs : f->nr_lr;
	struct vgic_raise raise;

	v->depth = 0;
	v->waits = false;
	if (f->nested || f->n_after <= used)
		return;
	for (unsigned int i = 0; i < f->n_after; i++) {
		if (!listed_outside(f, &q[i], lr, used))
			continue;
		v->depth++;
		if ((q[i].state & VGR_IRQ_ACTIVE) || !f->dist_enabled ||
		    !vgic_raises_outside(vm->raises, f->r.vcpu, q[i].intid, &raise) ||
		    (v->waits && raise.time >= v->since))
			continue;
		v->waits = true;
		v->since = raise.time;
		v->intid = q[i].intid;
	}
}

static void on_exit_record(struct vcpu *v, const struct vgr_exit *x)
{
	rate_add(&v->exits, x->r.time);
	if (!x->ret && v->misr)
		rate_add(&v->mi, x->r.time);
	v->misr = 0;
}

static struct reading figure_of(struct vm *vm, struct vcpu *v, uint64_t time, enum vgic_figure q)
{
	struct vgic_raised longest;

	switch (q) {
	case VGIC_FIGURE_RAISE_TO_LR:
		if (vgic_raises_longest(vm->raises, &longest))
			return (struct reading){longest.ns, longest.intid};
		return (struct reading){0, VGR_BOUNDARY_NONE};
	case VGIC_FIGURE_WAIT:
		if (v->waits && time > v->since)
			return (struct reading){time - v->since, v->intid};
		return (struct reading){0, VGR_BOUNDARY_NONE};
	case VGIC_FIGURE_OVERFLOW:
		return (struct reading){v->depth, VGR_BOUNDARY_NONE};
	case VGIC_FIGURE_EXITS:
		return (struct reading){rate_of(&v->exits, time), VGR_BOUNDARY_NONE};
	default:
		return (struct reading){rate_of(&v->mi, time), VGR_BOUNDARY_NONE};
	}
}

/* 1: met, and the first term that is stands in the event. */
static int evaluate(struct vgic_trigger *t, struct vm *vm, struct vcpu *v,
		    struct vgic_trigger_event *event, uint64_t time)
{
	const struct vgic_condition *c = &t->condition;
	struct reading figure[VGIC_FIGURES];
	bool stack[VGIC_CONDITION_MAX], found = false;
	unsigned int n = 0;

	for (unsigned int q = 0; q < VGIC_FIGURES; q++)
		if (t->asked[q])
			figure[q] = figure_of(vm, v, time, (enum vgic_figure)q);
	for (unsigned int i = 0; i < c->n; i++) {
		const struct vgic_condition_step *s = &c->step[i];
		const struct reading *f = &figure[s->quantity];

		if (s->op != VGIC_CONDITION_TERM) {
			n--;
			stack[n - 1] = s->op == VGIC_CONDITION_AND ? stack[n - 1] && stack[n]
								   : stack[n - 1] || stack[n];
			continue;
		}
		stack[n] = s->or_equal ? f->value >= s->limit : f->value > s->limit;
		if (stack[n++] && !found) {
			found = true;
			event->quantity = s->quantity;
			event->value = f->value;
			event->intid = f->intid;
		}
	}
	return stack[0];
}

int vgic_trigger_record(struct vgic_trigger *t, const struct vgr_rec *raw,
			struct vgic_trigger_event *event)
{
	const struct vgr_rec *rec = vgic_decode(t->decoder, raw);
	struct vcpu *v;
	struct vm *vm;

	if (rec->type == VGR_LOSS) {
		for (size_t i = 0; i < t->nr_vms; i++)
			if (vgic_raises_record(t->vms[i].raises, rec))
				return -ENOMEM;
		return 0;
	}
	if (rec->vm == VGR_NO_VM)
		return 0;
	vm = vm_of(t, rec->vm);
	if (!vm || vgic_raises_record(vm->raises, rec))
		return -ENOMEM;
	if (rec->vcpu >= VGIC_MAX_VCPUS)
		return 0;
	v = vcpu_of(vm, rec->vcpu);
	if (!v)
		return -ENOMEM;
	switch (rec->type) {
	case VGR_FLUSH:
		on_flush(vm, v, (const struct vgr_flush *)rec);
		return 0;
	case VGR_SYNC:
		v->misr = ((const struct vgr_sync *)rec)->nested
				  ? 0
				  : vgic_sync_misr((const struct vgr_sync *)rec, t->nr_lr);
		return 0;
	case VGR_EXIT:
		on_exit_record(v, (const struct vgr_exit *)rec);
		return 0;
	case VGR_ENTRY:
		event->time = rec->time;
		event->vm = rec->vm;
		event->vcpu = rec->vcpu;
		return evaluate(t, vm, v, event, rec->time);
	default:
		return 0;
	}
}
