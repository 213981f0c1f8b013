/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest of a replay: acknowledges, handles, drops, deactivates, idles. */
#include <string.h>

#include "machine_records.h"
#include "vgic_internal.h"

/* Handler of an interrupt of which the recording shows no handling at all. */
#define UNKNOWN_HANDLER_NS 1000u

static bool is_over(const struct frame *f)
{
	return f->script != VGIC_WL_NONE && f->op == VGIC_WL_NONE;
}

/*
 * What is done next of a demand is far from what was done before: the memory is asked for it while
 * there is something else to do. No harm is done if it is not there.
 */
static inline void read_soon(const void *p)
{
	__builtin_prefetch(p);
}

/* op of the frame is being done. */
static void next_op(const struct machine *m, struct frame *f, const struct vgic_op *op)
{
	f->op = op->next;
	if (f->op != VGIC_WL_NONE)
		read_soon(&m->wl->ops[f->op]);
	if ((op->flags & VGIC_OP_REPEAT) && !m->arrivals.over &&
	    m->wl->scripts[f->script].source == VGIC_WL_NONE) {
		f->op = m->wl->scripts[f->script].first;
		f->own = 0;
		f->acked = 0;
		f->woken = 0;
	}
}

/* The guest asks again only for what was handled since it asked last, if it did so then. */
static bool asks_too_early(const struct machine *m, const struct vgic_op *op)
{
	if (op->exit != VGIC_EXIT_MMIO)
		return false;
	for (uint32_t i = op->asks; i != VGIC_WL_NONE; i = m->wl->effects[i].ask_next) {
		const struct vgic_effect *e = &m->wl->effects[i];

		/* A timer fires whether or not the one before was handled. */
		if (e->origin != VGIC_ORIGIN_TIMER && e->source != VGIC_WL_NONE &&
		    m->sources[e->source].handled < e->handled)
			return true;
	}
	return false;
}

/*
 * A program goes on from its WFI when as many interrupts have come as in the recording. What
 * brought it back may be less, or another one: then it finds nothing to do, and sleeps again.
 */
static bool sleeps_on(const struct frame *f, const struct vgic_op *op)
{
	return f->slept && f->woken < op->nested;
}

/* The WFI is due; one that it cannot take, and that is pending, would end it at once. */
static bool must_sleep(const struct machine *m, const struct mvcpu *v, const struct frame *f)
{
	if (f->script == VGIC_WL_NONE || f->op == VGIC_WL_NONE)
		return false;
	const struct vgic_op *op = &m->wl->ops[f->op];

	return f->own >= op->at && sleeps_on(f, op) &&
	       (v->progressed || !vgic_vcpu_pending_irq(m->vgic, v->index));
}

void guest_awake(struct machine *m, struct mvcpu *v)
{
	struct frame *f = v->top;

	if (f->script != VGIC_WL_NONE && f->op != VGIC_WL_NONE && sleeps_on(f, &m->wl->ops[f->op]))
		f->woken = m->wl->ops[f->op].nested;
}

/* A DIR or a step that must come after something which has not happened yet. */
static bool must_wait(const struct machine *m, const struct frame *f)
{
	if (f->script == VGIC_WL_NONE)
		return false;
	const struct vgic_op *op = &m->wl->ops[f->op];

	if (f->own < op->at)
		return false;
	if (f->acked < op->need || sleeps_on(f, op))
		return true;
	if (op->kind == VGIC_OP_EXIT)
		return asks_too_early(m, op);
	if (op->kind != VGIC_OP_DIR || op->source == VGIC_WL_NONE)
		return false;
	if (op->source == m->wl->scripts[f->script].source)
		return false;
	return m->sources[op->source].acks < op->count;
}

/*
 * An interrupt of the host that came together with an MI: when it arrived is not known, only
 * that it had not made the guest leave by then. It leaves what the guest takes meanwhile alone.
 */
static bool comes_along(const struct vgic_op *op)
{
	return op->kind == VGIC_OP_EXIT && (op->flags & VGIC_OP_WITH_MI);
}

/* What the guest does next: an acknowledge, an operation, what follows when there is none. */
enum doing { DOES_ACK, DOES_OP, DOES_ENDING, DOES_WAIT };

/*
 * *in: how long it still runs before it does. What is signalled is taken at once; only an
 * operation that is due at this very moment goes first if as many handlers as in the
 * recording have come before it.
 */
static inline enum doing doing_of(const struct machine *m, struct mvcpu *v, uint64_t *in)
{
	const struct frame *f = v->top;
	bool taken = v->nr_frames < MAX_FRAMES && !f->masked && machine_look(v)->signalled >= 0;
	const struct vgic_op *op;

	*in = 0;
	if (f->script == VGIC_WL_NONE) {
		if (f->own < UNKNOWN_HANDLER_NS)
			*in = UNKNOWN_HANDLER_NS - f->own;
		return taken ? DOES_ACK : DOES_OP;
	}
	if (f->op == VGIC_WL_NONE)
		return taken ? DOES_ACK : DOES_ENDING;
	op = &m->wl->ops[f->op];
	if (f->own < op->at) {
		*in = op->at - f->own;
		return taken ? DOES_ACK : DOES_OP;
	}
	if (taken && (f->nested < op->nested || comes_along(op)))
		return DOES_ACK;
	if (!must_wait(m, f))
		return DOES_OP;
	return taken ? DOES_ACK : DOES_WAIT;
}

/* Raised, and the guest lets it in: it has not come yet. */
static bool has_due(const struct machine *m, const struct mvcpu *v)
{
	uint32_t vmcr = v->hw.vmcr;

	for (size_t i = 0; i < m->wl->nr_sources; i++) {
		const struct msource *s = &m->sources[i];

		if (s->due && s->irq && s->irq->vcpu == v->index && s->irq->enabled &&
		    (vmcr & (s->irq->group1 ? VGIC_VMCR_VENG1 : VGIC_VMCR_VENG0)))
			return true;
	}
	return false;
}

/* One that the guest has neither finished nor deactivated, on a vCPU without frames. */
static struct msource *left_active(const struct machine *m, const struct mvcpu *v)
{
	for (size_t i = 0; i < m->wl->nr_sources; i++)
		if (m->sources[i].open && m->sources[i].taker == v->index)
			return &m->sources[i];
	return NULL;
}

/* The handler whose priority is the running one; NULL if none is. */
static struct frame *undropped(struct mvcpu *v)
{
	for (unsigned int i = v->nr_frames; i > 1; i--)
		if (!v->frames[i - 1].dropped)
			return &v->frames[i - 1];
	return NULL;
}

/*
 * The recorded program is over. What was raised still comes in; a handler whose end the
 * recording does not show ends when nothing is due any more, or when its priority is all
 * that keeps out what is due.
 */
enum ending { ENDING_WAIT, ENDING_DROP, ENDING_CLOSE, ENDING_DIR, ENDING_DONE };

static enum ending ending_of(const struct machine *m, struct mvcpu *v)
{
	const struct frame *f = v->top;
	bool split = v->hw.vmcr & VGIC_VMCR_VEOIM;

	if (v->nr_frames == 1 && !m->arrivals.over)
		return ENDING_WAIT;
	/* What it waits for does not come: nobody knows what it would have done. */
	if (v->gave_up)
		return ENDING_DONE;
	/* A guest that nothing held up would have ended its handlers by itself. */
	if (!m->wl->blocked && v->nr_frames > 1)
		return ENDING_CLOSE;
	if (has_due(m, v)) {
		if (!split || f->masked || machine_look(v)->hppi < 0 || v->look.signalled >= 0 ||
		    !undropped(v))
			return ENDING_WAIT;
		return ENDING_DROP;
	}
	if (v->nr_frames > 1)
		return ENDING_CLOSE;
	return split && left_active(m, v) ? ENDING_DIR : ENDING_DONE;
}

void guest_plan(struct machine *m, struct mvcpu *v)
{
	uint64_t in;

	v->stalled = false;
	machine_touch(m, v);
	switch (doing_of(m, v, &in)) {
	case DOES_ACK:
		v->next = v->now;
		break;
	case DOES_OP:
		v->next = v->now + in;
		break;
	case DOES_ENDING:
		v->stalled = v->draining && ending_of(m, v) == ENDING_WAIT;
		v->next = v->stalled ? NEVER : v->now;
		break;
	case DOES_WAIT:
		if (must_sleep(m, v, v->top)) {
			v->next = v->now;
			break;
		}
		v->stalled = true;
		v->next = NEVER;
		effects_serve_asked(m, v->index);
		break;
	}
}

static void deactivated(struct machine *m, struct mvcpu *v, struct msource *s,
			const struct vgic_raise *raise)
{
	if (!s->irq)
		return;
	if (raise)
		machine_latency(m, v, VGIC_LATENCY_RAISE_TO_DEACTIVATE, raise->number, raise->time);
	/* A line that is still high asks again. */
	if (s->irq->level && s->irq->line_level && !s->irq->hw)
		raised(m, s);
	effects_handled(m, s);
}

static bool is_aliased(const struct mvcpu *v, unsigned int group)
{
	return group && !(v->hw.vmcr & VGIC_VMCR_VACKCTL);
}

/* The access was made, with what machine_look() saw before it. */
static void accessed(const struct machine *m, struct mvcpu *v, const struct vgic_access *a,
		     uint64_t was)
{
	if (v->changed || m->wl->model_v2)
		v->changed = true;
	else
		vgic_v3_cpuif_look_again(&v->hw, &v->look, a->lr, was);
}

static struct vgic_access read_iar(const struct machine *m, struct mvcpu *v, unsigned int group,
				   unsigned int lr)
{
	uint64_t was = v->hw.lr[lr];
	struct vgic_access a = m->wl->model_v2 ? vgic_gicv_ack(&v->hw, is_aliased(v, group))
					       : vgic_v3_cpuif_ack_lr(&v->hw, lr);

	accessed(m, v, &a, was);
	return a;
}

static struct vgic_access write_eoir(const struct machine *m, struct mvcpu *v,
				     const struct frame *f)
{
	struct vgic_access a = m->wl->model_v2
				       ? vgic_gicv_eoi(&v->hw, is_aliased(v, f->group), f->iar)
				       : vgic_v3_cpuif_eoi(&v->hw, f->group, f->iar);
	uint64_t was = a.lr < 0 ? 0 : v->hw.lr[a.lr];

	if (a.did & VGIC_DID_DEACTIVATE)
		was |= VGIC_LR_ACTIVE;
	accessed(m, v, &a, was);
	return a;
}

static void acknowledge(struct machine *m, struct mvcpu *v)
{
	unsigned int lr = (unsigned int)machine_look(v)->signalled;
	unsigned int group = v->hw.lr[lr] & VGIC_LR_GROUP1 ? 1 : 0;
	struct vgic_access a = read_iar(m, v, group, lr);
	struct vgic_irq *irq = vgic_find(m->vgic, v->index, machine_intid(m, a.intid));
	struct msource *s = irq ? irq->user : NULL;
	struct frame *f = v->top + 1;

	vgic_bound_ack(&v->fewest_mi, a.intid);
	vgic_bound_ack(&v->fewest_lr_exits, a.intid);
	v->progressed = true;
	v->gave_up = false;
	v->unsynced = true;
	v->top->nested++;
	v->top->woken++;
	m->cell->interrupts++;
	memset(f, 0, offsetof(struct frame, raise));
	f->script = f->op = f->source = VGIC_WL_NONE;
	f->serial = ++m->serial;
	f->group = (uint8_t)group;
	f->iar = a.intid;
	f->ack_time = m->now;
	f->masked = m->wl->vcpus[v->index].masked_handlers;
	v->nr_frames++;
	v->top = f;
	if (!s)
		return;
	f->source = s->index;
	f->raise_known = raises_in_lr(m->raises, s->number, &f->raise);
	if (f->raise_known)
		machine_latency(m, v, VGIC_LATENCY_RAISE_TO_ACK, f->raise.number, f->raise.time);
	if (irq->level && !irq->hw && !irq->line_level && !irq->pending_latch)
		m->cell->spurious++;
	s->active_raise_known = f->raise_known;
	if (f->raise_known)
		s->active_raise = f->raise;
	s->due = false;
	s->in_lr = false;
	s->physical = false;
	s->acks++;
	s->open++;
	s->taker = v->index;
	effects_answered(m, s, v->index);
	f->script = s->cursor;
	f->extra = s->cursor == VGIC_WL_NONE;
	if (s->cursor != VGIC_WL_NONE) {
		s->cursor = m->wl->scripts[s->cursor].next;
		if (s->cursor != VGIC_WL_NONE)
			read_soon(&m->wl->scripts[s->cursor]);
	} else if (m->wl->sources[s->index].typical != VGIC_WL_NONE) {
		f->script = m->wl->sources[s->index].typical;
	} else {
		f->script = m->wl->typical;
	}
	if (f->script != VGIC_WL_NONE)
		f->op = m->wl->scripts[f->script].first;
}

static void frame_end(struct mvcpu *v)
{
	v->nr_frames--;
	v->top--;
}

static void finish_access(struct machine *m, struct mvcpu *v, struct frame *f,
			  const struct vgic_access *a)
{
	struct msource *s = f->source == VGIC_WL_NONE ? NULL : &m->sources[f->source];

	if ((a->did & VGIC_DID_DROP) && !f->dropped) {
		f->dropped = true;
		machine_latency(m, v, VGIC_LATENCY_ACK_TO_EOI, f->serial, f->ack_time);
	}
	if (s && (a->did & (VGIC_DID_DEACTIVATE | VGIC_DID_COUNT)))
		deactivated(m, v, s, f->raise_known ? &f->raise : NULL);
}

/* A line that nothing in the recording lowers any more: the handler does. */
static void silence(struct machine *m, struct msource *s)
{
	if (s->irq && s->irq->level && s->irq->line_level && !s->irq->hw)
		machine_inject(m, s, false);
}

static void write_eoi(struct machine *m, struct mvcpu *v, struct frame *f, bool again)
{
	if (f->source == VGIC_WL_NONE)
		return;

	if (f->extra && m->sources[f->source].lowered)
		silence(m, &m->sources[f->source]);
	/* A handler silences its device before it ends; a new expiry is an event of its own. */
	m->sources[f->source].physical = again;
	struct vgic_access a = write_eoir(m, v, f);

	v->unsynced = true;
	if (!(v->hw.vmcr & VGIC_VMCR_VEOIM) && m->sources[f->source].open)
		m->sources[f->source].open--;
	finish_access(m, v, f, &a);
}

/* DIR of a source; leaves the guest if it is trapped. */
static void write_dir(struct machine *m, struct mvcpu *v, uint32_t source, const struct vgic_op *op,
		      const struct frame *f)
{
	struct msource *s = &m->sources[source];
	uint32_t intid = m->wl->sources[source].initial.intid;
	struct vgic_access a = {.did = VGIC_DID_TRAP};
	uint64_t value = intid;
	bool trapped = false;
	uint64_t out = 0;
	int64_t shift = 0;

	v->changed = true;
	/* GICV_DIR is in a page of its own, which newer kernels do not map. */
	if (!m->wl->model_v2)
		a = vgic_v3_cpuif_dir(&v->hw, intid);
	else if (!m->cfg->policy->trap_gicv_dir)
		a = vgic_gicv_dir(&v->hw, f && f->source == source ? f->iar : intid);

	vgic_bound_free(&v->fewest_mi);
	if (s->open)
		s->open--;
	if ((a.did & VGIC_DID_TRAP) &&
	    (m->wl->model_v2 || !vgic_dir_fast(m->vgic, v->index, &v->hw, intid))) {
		machine_exit(m, v, VGIC_EXIT_DIR);
		machine_records_dir(m, s);
		if (m->wl->model_v2 && intid < VGIC_NR_SGIS && s->irq)
			value |= (uint64_t)s->irq->active_source << VGIC_LR_CPUID_SHIFT;
		vgic_deactivate(m->vgic, v->index, value);
		machine_enter_at(m, v, m->now + machine_out(m, v, m->profile.dir_out_ns));
		trapped = true;
	}
	deactivated(m, v, s, s->active_raise_known ? &s->active_raise : NULL);
	s->active_raise_known = false;
	if (!op)
		return;
	if (trapped)
		out = machine_out_of(m, v, op, &shift);
	effects_start(m, op, v->index, f, shift);
	if (trapped && m->one_cpu && (op->flags & VGIC_OP_YIELDS))
		machine_release_cpu(m, v, op->value, out);
}

/* What follows an exit of the program: effects, the time outside, who gets the CPU. */
static void after_exit(struct machine *m, struct mvcpu *v, const struct vgic_op *op,
		       const struct frame *f)
{
	const struct vgic_profile *p = &m->profile;
	bool yields = m->one_cpu && (op->flags & VGIC_OP_YIELDS);
	int64_t shift;
	uint64_t recorded = machine_out_of(m, v, op, &shift);
	uint64_t at_once = vgic_exit_cost(p, v->sync_irqs, v->sync_lrs);
	uint64_t out = yields ? at_once : recorded;
	unsigned int next = yields ? op->value : VGIC_NO_VCPU;

	effects_start(m, op, v->index, f, shift);
	if (op->exit == VGIC_EXIT_WFI && !(op->flags & VGIC_OP_TIMED)) {
		v->wfi = op->count;
		if (!vgic_vcpu_pending_irq(m->vgic, v->index) && v->wfi_woken < v->wfi) {
			v->state = VCPU_WFI;
			v->next = NEVER;
			v->not_before = 0;
			/* Nobody else had the CPU meanwhile: keep it for as long. */
			if (m->one_cpu && !yields)
				v->next = v->not_before = m->now + recorded;
			else
				machine_release_cpu(m, v, next, recorded);
			return;
		}
		/* It did not wait: recorded waiting is not a cost. */
		if (out > 2 * (at_once + p->entry_ns))
			out = at_once;
	} else if (op->exit == VGIC_EXIT_WFI) {
		yields = m->one_cpu;
	}
	machine_enter_at(m, v, m->now + out);
	if (yields)
		machine_release_cpu(m, v, next, recorded);
}

static void do_exit(struct machine *m, struct mvcpu *v, const struct vgic_op *op,
		    const struct frame *f)
{
	if ((op->flags & VGIC_OP_ARRIVAL) && m->cfg->arrivals != VGIC_ARRIVALS_CAUSAL) {
		effects_start(m, op, v->index, f, 0);
		return;
	}
	if (tick_is(op) && !ticks_take(m))
		return;
	machine_exit(m, v, op->exit);
	if (op->exit == VGIC_EXIT_WFI || op->exit == VGIC_EXIT_MMIO) {
		vgic_put(m->vgic, v->index, &v->hw);
		vgic_load(m->vgic, v->index, &v->hw);
		v->changed = true;
	}
	after_exit(m, v, op, f);
}

bool guest_traps_first(const struct machine *m, struct mvcpu *v)
{
	const struct frame *f = v->top;

	if (f->script == VGIC_WL_NONE || f->op == VGIC_WL_NONE)
		return false;
	const struct vgic_op *op = &m->wl->ops[f->op];

	return op->kind == VGIC_OP_EXIT && (op->flags & VGIC_OP_FIRST) && f->own >= op->at &&
	       f->nested >= op->nested && !must_wait(m, f);
}

bool guest_merge(struct machine *m, struct mvcpu *v)
{
	/* It may have been due for long, under the handlers of what the guest took meanwhile. */
	for (unsigned int i = v->nr_frames; i; i--) {
		struct frame *f = &v->frames[i - 1];

		if (f->script == VGIC_WL_NONE || f->op == VGIC_WL_NONE)
			continue;
		const struct vgic_op *op = &m->wl->ops[f->op];

		if (!comes_along(op) || f->own < op->at || f->nested < op->nested ||
		    must_wait(m, f))
			continue;
		machine_free_exit(v);
		next_op(m, f, op);
		f->nested = 0;
		f->woken -= op->nested;
		after_exit(m, v, op, f);
		return true;
	}
	return false;
}

/* The end of a handler of which no recording tells: its device is silenced, it is finished. */
static void close_frame(struct machine *m, struct mvcpu *v)
{
	struct frame copy = *v->top;
	struct msource *s = copy.source == VGIC_WL_NONE ? NULL : &m->sources[copy.source];

	if (s)
		silence(m, s);
	if (!copy.dropped)
		write_eoi(m, v, v->top, false);
	frame_end(v);
	if ((v->hw.vmcr & VGIC_VMCR_VEOIM) && s && s->open)
		write_dir(m, v, copy.source, NULL, &copy);
}

static void do_ending(struct machine *m, struct mvcpu *v)
{
	struct msource *s;

	v->draining = true;
	switch (ending_of(m, v)) {
	case ENDING_WAIT:
		return;
	case ENDING_DROP:
		write_eoi(m, v, undropped(v), false);
		break;
	case ENDING_CLOSE:
		close_frame(m, v);
		break;
	case ENDING_DIR:
		s = left_active(m, v);
		silence(m, s);
		write_dir(m, v, s->index, NULL, v->top);
		break;
	case ENDING_DONE:
		/* What it did last takes effect at an exit, and may let more in. */
		if (v->unsynced) {
			machine_refold(m, v);
			return;
		}
		v->state = VCPU_DONE;
		m->over = !--m->nr_alive;
		v->next = v->mi_at = v->exit_at = NEVER;
		machine_release_cpu(m, v, VGIC_NO_VCPU, 0);
		return;
	}
	v->progressed = v->unsynced = true;
}

static void do_op(struct machine *m, struct mvcpu *v)
{
	struct frame *f = v->top;

	v->progressed = true;
	if (f->script == VGIC_WL_NONE) {
		close_frame(m, v);
		return;
	}
	const struct vgic_op *op = &m->wl->ops[f->op];
	bool last = op->flags & VGIC_OP_LAST;
	uint32_t target = op->source;
	struct frame copy;

	next_op(m, f, op);
	f->nested = 0;
	f->woken -= op->nested;
	f->slept = op->kind == VGIC_OP_EXIT && op->exit == VGIC_EXIT_WFI &&
		   !(op->flags & VGIC_OP_TIMED);
	if (f->slept && f->woken < 0)
		f->woken = 0;
	switch (op->kind) {
	case VGIC_OP_EXIT:
		copy = *f;
		if (last)
			frame_end(v);
		do_exit(m, v, op, &copy);
		return;
	case VGIC_OP_EOI:
	case VGIC_OP_DROP:
		write_eoi(m, v, f, op->flags & VGIC_OP_AGAIN);
		break;
	case VGIC_OP_DIR:
		copy = *f;
		if (target == m->wl->scripts[f->script].source)
			target = f->source;
		if (last)
			frame_end(v);
		if (target != VGIC_WL_NONE)
			write_dir(m, v, target, op, &copy);
		return;
	case VGIC_OP_VMCR:
		v->hw.vmcr = op->value;
		v->changed = true;
		break;
	case VGIC_OP_MASK:
		f->masked = true;
		break;
	case VGIC_OP_UNMASK:
		f->masked = false;
		break;
	}
	if (last)
		frame_end(v);
}

static void sleep_again(struct machine *m, struct mvcpu *v)
{
	machine_exit(m, v, VGIC_EXIT_WFI);
	vgic_put(m->vgic, v->index, &v->hw);
	vgic_load(m->vgic, v->index, &v->hw);
	v->changed = true;
	if (vgic_vcpu_pending_irq(m->vgic, v->index)) {
		machine_enter_at(m, v,
				 m->now + vgic_exit_cost(&m->profile, v->sync_irqs, v->sync_lrs));
		return;
	}
	v->state = VCPU_WFI;
	v->next = NEVER;
	v->not_before = 0;
	machine_release_cpu(m, v, VGIC_NO_VCPU, 0);
}

void guest_step(struct machine *m, struct mvcpu *v)
{
	uint64_t in;

	switch (doing_of(m, v, &in)) {
	case DOES_ACK:
		acknowledge(m, v);
		break;
	case DOES_OP:
		if (!in)
			do_op(m, v);
		break;
	case DOES_ENDING:
		do_ending(m, v);
		break;
	case DOES_WAIT:
		if (must_sleep(m, v, v->top))
			sleep_again(m, v);
		break;
	}
}

bool guest_waits(const struct machine *m, struct mvcpu *v)
{
	const struct frame *f = v->top;

	if (v->state == VCPU_DONE || v->state == VCPU_WFI || f->masked)
		return false;
	return v->draining && is_over(f) ? has_due(m, v) : !is_over(f) && must_wait(m, f);
}

bool guest_give_up(struct machine *m, struct mvcpu *v)
{
	struct frame *f = v->top;

	if (v->state != VCPU_GUEST || !v->stalled)
		return false;
	if (v->draining && is_over(f)) {
		if (v->nr_frames == 1 && !m->arrivals.over)
			return false;
		v->gave_up = true;
		guest_plan(m, v);
		return true;
	}
	if (is_over(f) || f->script == VGIC_WL_NONE)
		return false;
	const struct vgic_op *op = &m->wl->ops[f->op];

	if (f->acked < op->need) {
		f->acked = op->need;
	} else if (sleeps_on(f, op)) {
		f->woken = op->nested;
	} else if (op->kind == VGIC_OP_EXIT) {
		for (uint32_t i = op->asks; i != VGIC_WL_NONE; i = m->wl->effects[i].ask_next) {
			const struct vgic_effect *e = &m->wl->effects[i];

			if (e->source != VGIC_WL_NONE && m->sources[e->source].handled < e->handled)
				m->sources[e->source].handled = e->handled;
		}
	} else {
		/* DIR of an interrupt that was never acknowledged: the guest would not write it. */
		bool last = op->flags & VGIC_OP_LAST;

		next_op(m, f, op);
		if (last)
			frame_end(v);
	}
	guest_plan(m, v);
	return true;
}
