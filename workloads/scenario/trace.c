// SPDX-License-Identifier: GPL-2.0-only
/* What happened, in words. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/invariants.h>

#include "run.h"

void append(char *buf, size_t size, const char *format, ...)
{
	size_t n = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + n, size - n, format, args);
	va_end(args);
}

static const char *keep(struct runner *r, const char *text)
{
	char *copy = strdup(text);

	if (!copy || grow(&r->memory, r->nr_memory, &r->cap_memory, sizeof(*r->memory), SIZE_MAX)) {
		free(copy);
		r->nomem = true;
		return "";
	}
	r->memory[r->nr_memory++] = copy;
	return copy;
}

void record(struct runner *r, enum vgic_scenario_line what, const char *format, ...)
{
	struct vgic_scenario_result *result = r->result;
	char text[LINE_TEXT];
	va_list args;

	if (result->nr_events >= MAX_EVENTS)
		return;
	if (grow(&result->events, result->nr_events, &r->cap_events, sizeof(*result->events),
		 SIZE_MAX)) {
		r->nomem = true;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	result->events[result->nr_events++] = (struct vgic_scenario_event){
		.what = what, .line = r->line, .time = r->time, .text = keep(r, text)};
}

char *lr_text(const struct runner *r, char *buf, size_t size, uint64_t lr)
{
	uint32_t intid = lr & VGIC_LR_VINTID;

	buf[0] = '\0';
	if (!lr) {
		snprintf(buf, size, ".");
		return buf;
	}
	if (r->h->vgic->cfg.model_v2 && (intid & 0x3ff) < VGIC_NR_SGIS)
		append(buf, size, "%u<%u", intid & 0x3ff, (intid >> VGIC_LR_CPUID_SHIFT) & 7);
	else
		append(buf, size, "%u", intid);
	append(buf, size, "%s%s%s", lr & VGIC_LR_PENDING ? "p" : "", lr & VGIC_LR_ACTIVE ? "a" : "",
	       lr & VGIC_LR_STATE ? "" : "-");
	return buf;
}

/* The LRs, what stands outside, and what is armed. */
static void entry(struct runner *r, unsigned int vcpu)
{
	const struct vgic_vcpu *k = &r->h->vgic->vcpus[vcpu];
	char text[LINE_TEXT] = "", one[32], hcr[160];
	unsigned int outside = 0;

	for (unsigned int i = 0; i < k->used_lrs; i++)
		append(text, sizeof(text), " %s", lr_text(r, one, sizeof(one), k->lr[i]));
	if (!k->used_lrs)
		append(text, sizeof(text), " no LR in use");
	for (const struct vgic_irq *irq = k->list.head; irq; irq = irq->next) {
		bool inside = false;

		for (unsigned int i = 0; i < k->used_lrs && !inside; i++)
			inside =
				(k->lr[i] & (r->h->vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID)) ==
				irq->intid;
		if (inside)
			continue;
		append(text, sizeof(text), "%s %u%s%s%s", outside++ ? "" : " | outside", irq->intid,
		       vgic_irq_pending(irq) ? "p" : "", irq->active ? "a" : "",
		       vgic_irq_oracle(r->h->vgic, irq) == vcpu ? "" : "-");
	}
	record(r, VGIC_SCENARIO_STEP, "vcpu %u enters%s:%s | %s", vcpu,
	       k->sorted ? ", list sorted" : "", text,
	       hcr_names(hcr, sizeof(hcr), vgic_host_hcr(r->h, vcpu) & ~VGIC_HCR_EOICOUNT));
}

static void left(struct runner *r, const struct vgic_host_event *e)
{
	char misr[96];

	if (e->misr)
		record(r, VGIC_SCENARIO_STEP, "vcpu %u leaves the guest: %s (MISR %s)", e->vcpu,
		       exit_names[e->value], misr_names(misr, sizeof(misr), e->misr));
	else
		record(r, VGIC_SCENARIO_STEP, "vcpu %u leaves the guest: %s", e->vcpu,
		       exit_names[e->value]);
}

static void of_vgic(struct runner *r, const struct vgic_host_event *e)
{
	switch ((enum vgic_event)e->value) {
	case VGIC_EVENT_REPLAYED:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u: EOIcount deactivates %u", e->vcpu,
		       e->intid);
		break;
	case VGIC_EVENT_DIR:
		record(r, VGIC_SCENARIO_STEP, "KVM deactivates %u of vcpu %u", e->intid, e->vcpu);
		break;
	case VGIC_EVENT_MIGRATED:
		record(r, VGIC_SCENARIO_STEP, "%u moves from vcpu %u to vcpu %u", e->intid, e->vcpu,
		       e->arg);
		break;
	case VGIC_EVENT_WILD:
		record(r, VGIC_SCENARIO_STEP,
		       "vcpu %u: the walk for EOIcount begins at %u, which is on no list%s",
		       e->vcpu, e->intid, e->arg ? " and may be freed" : "");
		break;
	case VGIC_EVENT_QUEUED:
	case VGIC_EVENT_POPULATED:
	case VGIC_EVENT_FOLDED:
	case VGIC_EVENT_PRUNED:
		break;
	}
}

static void acked(struct runner *r, const struct vgic_host_event *e)
{
	struct acks *a = &r->acks[e->vcpu];

	if (!(e->access->did & VGIC_DID_ACK)) {
		record(r, VGIC_SCENARIO_STEP, "vcpu %u acknowledges: nothing is there (%u)",
		       e->vcpu, e->intid);
		return;
	}
	if (grow(&a->v, a->n, &a->cap, sizeof(*a->v), SIZE_MAX))
		r->nomem = true;
	else
		a->v[a->n++] = r->h->vgic->cfg.model_v2 ? e->intid & 0x3ff : e->intid;
	if (r->h->vgic->cfg.model_v2 && (e->intid & 0x3ff) < VGIC_NR_SGIS)
		record(r, VGIC_SCENARIO_STEP, "vcpu %u acknowledges %u from %u", e->vcpu,
		       e->intid & 0x3ff, (e->intid >> VGIC_LR_CPUID_SHIFT) & 7);
	else
		record(r, VGIC_SCENARIO_STEP, "vcpu %u acknowledges %u", e->vcpu, e->intid);
}

/* What became of an EOI or a DIR. */
static void ended(struct runner *r, const struct vgic_host_event *e, const char *how)
{
	uint32_t did = e->access->did;
	char text[128] = "";

	if (did & VGIC_DID_DEACTIVATE)
		append(text, sizeof(text), ", deactivated in LR%d%s", e->access->lr,
		       did & VGIC_DID_HW ? " and at the physical GIC" : "");
	if (did & VGIC_DID_COUNT)
		append(text, sizeof(text), ", in no LR: EOIcount %u%s",
		       vgic_v3_eoicount(vgic_host_hw(r->h, e->vcpu)->hcr),
		       did & VGIC_DID_WRAP ? ", it has wrapped" : "");
	if (did & VGIC_DID_TRAP)
		append(text, sizeof(text), ", trapped");
	if (did & VGIC_DID_NOTHING)
		append(text, sizeof(text), ", ignored");
	if (!(did & ~VGIC_DID_DROP))
		append(text, sizeof(text), ", %s",
		       e->access->lr >= 0 ? "priority dropped" : "in no LR, not counted");
	record(r, VGIC_SCENARIO_STEP, "vcpu %u %s %u%s", e->vcpu, how,
	       r->h->vgic->cfg.model_v2 ? e->intid & 0x3ff : e->intid, text);
}

static void access_event(struct runner *r, const struct vgic_host_event *e)
{
	switch ((enum vgic_host_op)e->value) {
	case VGIC_HOST_OP_ACK:
		acked(r, e);
		break;
	case VGIC_HOST_OP_EOI:
		ended(r, e, "EOIs");
		break;
	case VGIC_HOST_OP_DIR:
		ended(r, e, "DIRs");
		break;
	case VGIC_HOST_OP_PMR:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u sets PMR to 0x%02x", e->vcpu, e->intid);
		break;
	case VGIC_HOST_OP_BPR:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u writes 0x%x to BPR%u", e->vcpu, e->intid,
		       e->arg);
		break;
	case VGIC_HOST_OP_IGRPEN:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u %s group %u", e->vcpu,
		       e->intid ? "enables" : "disables", e->arg);
		break;
	case VGIC_HOST_OP_CTLR:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u sets EOImode %u, CBPR %u", e->vcpu,
		       e->intid & 1, e->intid >> 1);
		break;
	case VGIC_HOST_OP_APR:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u makes priority 0x%02x of group %u active",
		       e->vcpu, e->intid, e->arg);
		break;
	case VGIC_HOST_OP_WFI:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u waits for an interrupt", e->vcpu);
		break;
	case VGIC_HOST_OP_NESTED_END:
		record(r, VGIC_SCENARIO_STEP, "the guest of vcpu %u ends %u", e->vcpu, e->intid);
		break;
	case VGIC_HOST_OP_SGI:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u sends SGI %u", e->vcpu, e->intid);
		break;
	}
}

static void violated(void *opaque, const struct vgic_violation *v)
{
	struct runner *r = opaque;

	r->result->nr_broken++;
	record(r, VGIC_SCENARIO_BROKEN, "vcpu %u: rule %u%c, %s: %s", v->vcpu, v->rule, v->part,
	       v->text, v->what);
}

static void judge(struct runner *r, const struct vgic_host_event *e)
{
	if (e->what == VGIC_HOST_ENTERS)
		vgic_invariants_state(r->h->vgic, e->vcpu, VGIC_POINT_FLUSHED, r->strict, violated,
				      r);
	else if (e->what == VGIC_HOST_SYNCS)
		vgic_invariants_state(r->h->vgic, e->vcpu, VGIC_POINT_SYNCED, r->strict, violated,
				      r);
}

/* A storm is shown by its beginning. */
static bool is_repeat(struct runner *r, const struct vgic_host_event *e)
{
	if (e->what == VGIC_HOST_EXITS && e->value == VGIC_HOST_EXIT_MI)
		r->repeats++;
	else if (e->what != VGIC_HOST_ENTERS && e->what != VGIC_HOST_SYNCS &&
		 e->what != VGIC_HOST_VGIC)
		r->repeats = 0;
	return r->repeats > 3;
}

void trace_event(void *opaque, const struct vgic_host_event *e)
{
	struct runner *r = opaque;

	if (r->check)
		judge(r, e);
	if (is_repeat(r, e))
		return;
	switch (e->what) {
	case VGIC_HOST_ENTERS:
		entry(r, e->vcpu);
		break;
	case VGIC_HOST_CALLED_OFF:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u: its entry is called off", e->vcpu);
		break;
	case VGIC_HOST_EXITS:
		left(r, e);
		break;
	case VGIC_HOST_SLEEPS:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u falls asleep", e->vcpu);
		break;
	case VGIC_HOST_WAKES:
		record(r, VGIC_SCENARIO_STEP, "vcpu %u wakes up", e->vcpu);
		break;
	case VGIC_HOST_KICKED:
		record(r, VGIC_SCENARIO_STEP, "an IPI is sent to vcpu %u", e->vcpu);
		break;
	case VGIC_HOST_TAKES:
		record(r, VGIC_SCENARIO_STEP, "the host takes physical interrupt %u", e->intid);
		break;
	case VGIC_HOST_NOTIFIES:
		record(r, VGIC_SCENARIO_STEP, "the end of %u is reported to irqfd", e->intid);
		break;
	case VGIC_HOST_HALTS:
		record(r, VGIC_SCENARIO_STEP, "the VM is halted");
		break;
	case VGIC_HOST_RESUMES:
		record(r, VGIC_SCENARIO_STEP, "the VM is resumed");
		break;
	case VGIC_HOST_STORMS:
		record(r, VGIC_SCENARIO_STEP,
		       "vcpu %u: entries without end, each ended at once: a storm", e->vcpu);
		break;
	case VGIC_HOST_SYNCS:
		break;
	case VGIC_HOST_VGIC:
		of_vgic(r, e);
		break;
	case VGIC_HOST_ACCESS:
		access_event(r, e);
		break;
	}
}
