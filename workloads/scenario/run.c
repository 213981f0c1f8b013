// SPDX-License-Identifier: GPL-2.0-only
/* Runs a scenario statement by statement on a virtual host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* As many SPIs as a VM of kvmtool or a small selftest has; more if the scenario names them. */
#define FEWEST_SPIS 32u

static struct vgic_host_irq *find(const struct runner *r, const struct id *id, unsigned int vcpu)
{
	return vgic_host_irq(r->h, id->vcpu != VGIC_NO_VCPU ? id->vcpu : vcpu, id->intid);
}

static bool is_v2(const struct runner *r)
{
	return r->h->vgic->cfg.model_v2;
}

static void held(struct runner *r, const struct statement *st)
{
	r->result->nr_ok++;
}

static void broken(struct runner *r, const struct statement *st, const char *why)
{
	r->line = st->line;
	r->result->nr_failed++;
	record(r, VGIC_SCENARIO_FAILED, "%s: %s", st->written, why);
}

static const char *why_not(int err)
{
	switch (err) {
	case -EINVAL:
		return "no such interrupt";
	case -EEXIST:
		return "it has an event already";
	case -ENOENT:
		return "it has no event";
	case -EAGAIN:
		return "the vCPU is asleep";
	}
	return "the VM is halted";
}

/* An action of a guest that cannot act fails, unless that is what was expected. */
static void acted(struct runner *r, const struct statement *st, int err)
{
	if (err && st->refused)
		held(r, st);
	else if (err)
		broken(r, st, why_not(err));
	else if (st->refused)
		broken(r, st, "it was not refused");
}

/* ids by the VM, private ones by vCPU. */
static unsigned int id_vcpu(const struct id *id, unsigned int vcpu)
{
	return id->vcpu != VGIC_NO_VCPU ? id->vcpu : vcpu != VGIC_NO_VCPU ? vcpu : 0;
}

static void one_ack(struct runner *r, const struct statement *st, unsigned int vcpu, uint32_t want)
{
	struct vgic_access a;
	char why[64];
	int err = vgic_host_ack(r->h, vcpu, st->group, &a);
	uint32_t intid;
	bool yes;

	if (err || st->refused) {
		acted(r, st, err);
		return;
	}
	intid = is_v2(r) ? a.intid & 0x3ff : a.intid;
	yes = intid == want;
	if (st->source >= 0)
		yes &= ((a.intid & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT) == (uint32_t)st->source;
	if (yes) {
		held(r, st);
		return;
	}
	snprintf(why, sizeof(why), "%u was expected, it is %u from %u", want, intid,
		 (a.intid >> VGIC_LR_CPUID_SHIFT) & 7);
	if (!is_v2(r) || intid >= VGIC_NR_SGIS)
		snprintf(why, sizeof(why), "%u was expected, it is %u", want, intid);
	broken(r, st, why);
}

static void ack(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct id *ids = scenario_ids(r->s, st);
	struct vgic_access a;

	if (st->none) {
		one_ack(r, st, vcpu, VGIC_SPURIOUS);
		return;
	}
	if (!st->ids.n)
		acted(r, st, vgic_host_ack(r->h, vcpu, st->group, &a));
	for (uint32_t n = 0; n < st->ids.n; n++)
		one_ack(r, st, vcpu, ids[n].intid);
}

/* The newest acknowledge that waits for an EOI (or a DIR): intid, or any if UINT32_MAX. */
static const struct vgic_host_acked *newest(const struct runner *r, unsigned int vcpu,
					    uint32_t intid, bool dropped)
{
	const struct vgic_host_vcpu *v = &r->h->vcpus[vcpu];

	for (unsigned int n = v->nr_acked; n--;)
		if ((intid == UINT32_MAX || v->acked[n].intid == intid) &&
		    v->acked[n].dropped == dropped)
			return &v->acked[n];
	return NULL;
}

static int finish(struct runner *r, const struct statement *st, unsigned int vcpu, uint32_t intid,
		  int source)
{
	bool dir = st->op == OP_DIR;
	const struct vgic_host_acked *a = newest(r, vcpu, intid, dir);
	uint32_t value = intid;
	struct vgic_access access;

	if (is_v2(r) && intid < VGIC_NR_SGIS)
		value |= (uint32_t)(source >= 0 ? source
				    : a		? a->source
						: 0)
			 << VGIC_LR_CPUID_SHIFT;
	return dir ? vgic_host_dir(r->h, vcpu, value, &access)
		   : vgic_host_eoi(r->h, vcpu, st->group, value, &access);
}

static void end(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct id *ids = scenario_ids(r->s, st);
	const struct vgic_host_acked *a;

	if (!st->ids.n) {
		a = newest(r, vcpu, UINT32_MAX, st->op == OP_DIR);
		if (a)
			acted(r, st, finish(r, st, vcpu, a->intid, a->source));
		else
			broken(r, st, "the guest has nothing to finish");
		return;
	}
	for (uint32_t n = 0; n < st->ids.n; n++)
		acted(r, st, finish(r, st, vcpu, ids[n].intid, st->source));
}

/* EOImode at this moment, as far as this interrupt is concerned. */
static bool needs_dir(const struct runner *r, unsigned int vcpu, uint32_t intid)
{
	const struct vgic_host_vcpu *v = &r->h->vcpus[vcpu];
	uint32_t vmcr = v->state == VGIC_HOST_GUEST ? vgic_host_hw(r->h, vcpu)->vmcr
						    : r->h->vgic->vcpus[vcpu].vmcr;

	return (vmcr & VGIC_VMCR_VEOIM) && intid < VGIC_LPI_BASE;
}

/* The scenario's handler for one interrupt that was acknowledged. */
static int handler(struct runner *r, unsigned int vcpu, uint32_t intid, int source)
{
	struct statement eoi = {.op = OP_EOI, .group = -1}, dir = {.op = OP_DIR, .group = -1};
	struct vgic_host_irq *i = vgic_host_irq(r->h, vcpu, intid);
	int err = 0;

	for (unsigned int n = 0; n < r->s->nr_handler && !err; n++) {
		switch (r->s->handler[n]) {
		case STEP_EOI:
			err = finish(r, &eoi, vcpu, intid, source);
			break;
		case STEP_DIR:
			if (needs_dir(r, vcpu, intid))
				err = finish(r, &dir, vcpu, intid, source);
			break;
		case STEP_LOWER:
			if (i && i->irq->level && i->device) {
				record(r, VGIC_SCENARIO_STEP, "the line of %u falls", intid);
				vgic_host_lower(r->h, i->vcpu, intid);
			}
			break;
		case STEP_MMIO:
			err = vgic_host_mmio_begin(r->h, vcpu);
			if (!err)
				vgic_host_mmio_end(r->h, vcpu);
			break;
		case STEP_STEP:
			err = vgic_host_step(r->h, vcpu, 1);
			break;
		}
	}
	return err;
}

static bool will_exit(const struct runner *r, unsigned int vcpu)
{
	const struct vgic_host_vcpu *v = &r->h->vcpus[vcpu];

	return (v->mi && v->mi_left != VGIC_HOST_NEVER) ||
	       (v->kicked && v->kick_left != VGIC_HOST_NEVER);
}

static uint32_t plain(const struct runner *r, uint32_t value)
{
	return is_v2(r) ? value & 0x3ff : value;
}

/* What handle did not get through. */
static void endless(struct runner *r, unsigned int vcpu, const char *what)
{
	r->h->vcpus[vcpu].count[VGIC_COUNT_LIVELOCKS]++;
	record(r, VGIC_SCENARIO_STEP, "vcpu %u: %s", vcpu, what);
}

static void handle(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	uint64_t want = st->value;
	uint32_t done = 0, rounds = 0;

	if (r->h->vcpus[vcpu].state != VGIC_HOST_ASLEEP)
		vgic_host_enter(r->h, vcpu);
	vgic_host_settle(r->h);
	while (done < want) {
		struct vgic_access a;
		int err;

		if (rounds++ >= st->n) {
			endless(r, vcpu, "interrupts without end");
			return;
		}
		if (vgic_host_signal(r->h, vcpu) < 0) {
			if (!will_exit(r, vcpu) || vgic_host_step(r->h, vcpu, 1))
				break;
			continue;
		}
		err = vgic_host_ack(r->h, vcpu, -1, &a);
		if (err || !(a.did & VGIC_DID_ACK))
			break;
		done++;
		if (handler(r, vcpu, plain(r, a.intid),
			    (int)((a.intid >> VGIC_LR_CPUID_SHIFT) & 7)))
			break;
	}
	if (want == ALL)
		return;
	if (done == want)
		held(r, st);
	else
		broken(r, st, "there were not so many");
}

/* Polls and sleeps until it is there; others are handled on the way. */
static bool wait_one(struct runner *r, unsigned int vcpu, uint32_t intid, uint32_t limit)
{
	struct vgic_access a;

	for (uint32_t n = 0; n < limit; n++) {
		if (vgic_host_ack(r->h, vcpu, -1, &a))
			return false;
		if ((a.did & VGIC_DID_ACK) && plain(r, a.intid) == intid)
			return true;
		if (a.did & VGIC_DID_ACK) {
			handler(r, vcpu, plain(r, a.intid),
				(int)((a.intid >> VGIC_LR_CPUID_SHIFT) & 7));
			continue;
		}
		if (vgic_host_signal(r->h, vcpu) < 0 && vgic_host_wfi(r->h, vcpu) <= 0)
			return false;
	}
	endless(r, vcpu, "it waits without end");
	return false;
}

static void wait_for(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct id *ids = scenario_ids(r->s, st);

	for (uint32_t n = 0; n < st->ids.n; n++) {
		bool got = wait_one(r, vcpu, ids[n].intid, st->n);

		if (got != st->refused) {
			held(r, st);
			continue;
		}
		broken(r, st, got ? "it came" : "it did not come");
		return;
	}
}

static void write_register(struct runner *r, const struct statement *st, const struct id *id,
			   unsigned int by)
{
	struct vgic *vgic = r->h->vgic;
	unsigned int of = id_vcpu(id, by);
	struct vgic_host_irq *i = find(r, id, of);
	uint32_t intid = id->intid;

	by = by == VGIC_NO_VCPU ? of : by;
	switch (st->op) {
	case OP_ENABLE:
		vgic_write_enable(vgic, of, intid, true);
		break;
	case OP_DISABLE:
		vgic_write_enable(vgic, of, intid, false);
		break;
	case OP_SET_PENDING:
		vgic_write_pending(vgic, of, intid, true);
		if (i)
			i->owed = i->irq->pending_latch;
		break;
	case OP_CLEAR_PENDING:
		vgic_write_pending(vgic, of, intid, false);
		if (i)
			i->owed = false;
		break;
	case OP_SET_ACTIVE:
	case OP_CLEAR_ACTIVE:
		/* KVM leaves the state of a mapped one to the hardware (OV-74). */
		if (!i || (st->by_user && i->irq->hw))
			break;
		i->guest_active = st->op == OP_SET_ACTIVE;
		vgic_write_active(vgic, by, of, intid, i->guest_active);
		i->guest_sources = 0;
		if (is_v2(r) && intid < VGIC_NR_SGIS && i->guest_active)
			i->guest_sources = (uint8_t)(1u << i->irq->active_source);
		break;
	case OP_PRIO:
		vgic_write_priority(vgic, of, intid, (uint8_t)st->value);
		break;
	case OP_GROUP:
		vgic_write_group(vgic, of, intid, (unsigned int)st->value);
		break;
	case OP_CONFIG:
		vgic_write_config(vgic, intid, st->value);
		break;
	case OP_ROUTE:
		vgic_write_target(vgic, intid, (unsigned int)st->value);
		break;
	default:
		break;
	}
}

static void write_lpis(struct runner *r, const struct statement *st, unsigned int by)
{
	unsigned int of = st->n != VGIC_NO_VCPU ? st->n : by == VGIC_NO_VCPU ? 0 : by;

	vgic_lpi_enable(r->h->vgic, by == VGIC_NO_VCPU ? 0 : by, of, st->value);
	/* What was pending is in the guest's table now, and no longer KVM's. */
	for (size_t n = 0; n < r->h->nr_irqs && !st->value; n++)
		if (r->h->irqs[n]->irq->intid >= VGIC_LPI_BASE && r->h->irqs[n]->irq->target == of)
			r->h->irqs[n]->owed = false;
}

/* A register of the distributor or of a redistributor. */
static void registers(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct id *ids = scenario_ids(r->s, st);
	int err = 0;

	if (!st->by_user)
		err = vgic_host_mmio_begin(r->h, vcpu);
	if (err || st->refused) {
		acted(r, st, err);
		return;
	}
	if (st->by_user)
		record(r, VGIC_SCENARIO_STEP, "the VMM: %s", st->written + strlen("user "));
	else
		record(r, VGIC_SCENARIO_STEP, "vcpu %u writes: %s", vcpu, st->written);
	r->h->by_user = st->by_user;
	for (uint32_t n = 0; n < st->ids.n; n++)
		write_register(r, st, &ids[n], vcpu);
	if (st->op == OP_DISTRIBUTOR)
		vgic_write_dist_enable(r->h->vgic, st->value);
	else if (st->op == OP_LPIS)
		write_lpis(r, st, vcpu);
	r->h->by_user = false;
	if (st->by_user)
		vgic_host_settle(r->h);
	else
		vgic_host_mmio_end(r->h, vcpu);
}

static int inv(struct runner *r, const struct statement *st, uint32_t intid)
{
	const struct vgic_host_irq *i = vgic_host_irq(r->h, 0, intid);

	if (!i || intid < VGIC_LPI_BASE)
		return -EINVAL;
	vgic_lpi_config(r->h->vgic, intid,
			st->has & IS_PRIO ? (uint8_t)st->value : i->irq->priority,
			st->has & IS_ENABLED ? st->is & IS_ENABLED : i->irq->enabled);
	return 0;
}

static void devices(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct id *ids = scenario_ids(r->s, st);

	for (uint32_t n = 0; n < st->ids.n; n++) {
		unsigned int of = id_vcpu(&ids[n], vcpu);
		uint32_t intid = ids[n].intid;
		int err = 0;

		switch (st->op) {
		case OP_RAISE:
			record(r, VGIC_SCENARIO_STEP, "%u is raised", intid);
			err = vgic_host_raise(r->h, of, intid);
			break;
		case OP_LOWER:
			record(r, VGIC_SCENARIO_STEP, "the line of %u falls", intid);
			err = vgic_host_lower(r->h, of, intid);
			break;
		case OP_PULSE:
			record(r, VGIC_SCENARIO_STEP, "a pulse of %u", intid);
			err = vgic_host_raise(r->h, of, intid);
			if (!err)
				err = vgic_host_lower(r->h, of, intid);
			break;
		case OP_MSI:
			record(r, VGIC_SCENARIO_STEP, "an MSI: %u", intid);
			err = vgic_host_msi(r->h, intid) ? 0 : -EINVAL;
			break;
		case OP_LPI_MOVE:
			record(r, VGIC_SCENARIO_STEP, "the ITS: %s", st->written);
			vgic_lpi_move(r->h->vgic, intid, (unsigned int)st->value);
			break;
		case OP_INV:
			record(r, VGIC_SCENARIO_STEP, "the ITS: %s", st->written);
			err = inv(r, st, intid);
			break;
		case OP_NESTED_END:
			err = vgic_host_nested_end(r->h, of, intid);
			break;
		default:
			record(r, VGIC_SCENARIO_STEP, "the ITS: %s", st->written);
			err = st->op == OP_MAP ? vgic_host_map_event(r->h, intid)
					       : vgic_host_unmap_event(r->h, intid);
			break;
		}
		acted(r, st, err);
	}
	vgic_host_settle(r->h);
}

static void leave(struct runner *r, unsigned int vcpu)
{
	if (r->h->vcpus[vcpu].state == VGIC_HOST_LEFT)
		vgic_host_sync(r->h, vcpu);
	else
		vgic_host_exit(r->h, vcpu, VGIC_HOST_EXIT_ELSE);
	vgic_host_settle(r->h);
}

static int enter(struct runner *r, unsigned int vcpu)
{
	int err = vgic_host_enter(r->h, vcpu);

	vgic_host_settle(r->h);
	return err;
}

static int mmio(struct runner *r, unsigned int vcpu)
{
	int err = vgic_host_mmio_begin(r->h, vcpu);

	if (!err)
		vgic_host_mmio_end(r->h, vcpu);
	return err;
}

static uint32_t sgi_targets(const struct runner *r, const struct statement *st, unsigned int vcpu)
{
	uint32_t all = (uint32_t)((1ull << nr_vcpus(r)) - 1);

	return st->mask ? (uint32_t)st->mask & all : all & ~(1u << vcpu);
}

static uint32_t live_vmcr(const struct runner *r, unsigned int vcpu)
{
	return r->h->vcpus[vcpu].state == VGIC_HOST_GUEST ? vgic_host_hw(r->h, vcpu)->vmcr
							  : r->h->vgic->vcpus[vcpu].vmcr;
}

static int write_ctlr(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	int err = enter(r, vcpu);
	uint32_t vmcr = live_vmcr(r, vcpu);
	bool split = vmcr & VGIC_VMCR_VEOIM, common = vmcr & VGIC_VMCR_VCBPR;

	if (err)
		return err;
	if (st->op == OP_EOIMODE)
		split = st->value;
	else
		common = st->value;
	return vgic_host_write_ctlr(r->h, vcpu, split, common);
}

/* Everything that a vCPU does and that has no result but success. */
static int of_vcpu(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	struct vgic_host *h = r->h;
	int woke;

	switch (st->op) {
	case OP_ENTER:
		return enter(r, vcpu);
	case OP_EXIT:
		leave(r, vcpu);
		return 0;
	case OP_LEAVE:
		vgic_host_leave(h, vcpu, VGIC_HOST_EXIT_ELSE);
		return 0;
	case OP_SYNC:
		vgic_host_sync(h, vcpu);
		vgic_host_settle(h);
		return 0;
	case OP_CALL_OFF:
		return vgic_host_call_off(h, vcpu);
	case OP_TICK:
		leave(r, vcpu);
		return enter(r, vcpu);
	case OP_PREEMPT:
		vgic_host_put(h, vcpu);
		vgic_host_settle(h);
		return 0;
	case OP_RUN_ON:
		return vgic_host_move(h, vcpu, (unsigned int)st->value);
	case OP_STEP:
		return vgic_host_step(h, vcpu, (unsigned int)st->value);
	case OP_WFI:
		woke = vgic_host_wfi(h, vcpu);
		return woke < 0 ? woke : 0;
	case OP_MMIO:
		return mmio(r, vcpu);
	case OP_PMR:
		return vgic_host_write_pmr(h, vcpu, (uint8_t)st->value);
	case OP_BPR:
		return vgic_host_write_bpr(h, vcpu, (unsigned int)st->group, (uint32_t)st->value);
	case OP_APR:
		return vgic_host_write_apr(h, vcpu, (unsigned int)st->group, (uint8_t)st->value);
	case OP_IGRPEN:
		return vgic_host_write_igrpen(h, vcpu, (unsigned int)st->group, st->value);
	case OP_EOIMODE:
	case OP_CBPR:
		return write_ctlr(r, st, vcpu);
	case OP_SGI:
		return vgic_host_sgi(h, vcpu, st->n, sgi_targets(r, st, vcpu));
	default: /* OP_KICK */
		vgic_host_kick(h, vcpu);
		return 0;
	}
}

static void mark(struct runner *r)
{
	for (unsigned int row = 0; row <= VGIC_HOST_MAX_VCPUS; row++) {
		unsigned int vcpu = row == VGIC_HOST_MAX_VCPUS ? VGIC_NO_VCPU : row;

		if (vcpu != VGIC_NO_VCPU && vcpu >= nr_vcpus(r))
			continue;
		/* What comes last is read, not counted. */
		for (unsigned int c = 0; c < VGIC_COUNT_ACTIVE_SPIS; c++)
			r->base[row][c] = vgic_host_count(r->h, vcpu, c);
	}
	for (unsigned int v = 0; v < nr_vcpus(r); v++)
		r->acks[v].n = 0;
}

static void execute(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	r->line = st->line;
	if (st->op >= OP_EXPECT_LR) {
		check_expectation(r, st, vcpu);
		return;
	}
	r->time++;
	switch (st->op) {
	case OP_ACK:
		ack(r, st, vcpu);
		break;
	case OP_EOI:
	case OP_DIR:
		end(r, st, vcpu);
		break;
	case OP_HANDLE:
		handle(r, st, vcpu);
		break;
	case OP_WAIT:
		wait_for(r, st, vcpu);
		break;
	case OP_RAISE:
	case OP_LOWER:
	case OP_PULSE:
	case OP_MSI:
	case OP_LPI_MOVE:
	case OP_UNMAP:
	case OP_MAP:
	case OP_INV:
	case OP_NESTED_END:
		devices(r, st, vcpu);
		break;
	case OP_MOVALL:
		record(r, VGIC_SCENARIO_STEP, "the ITS: %s", st->written);
		vgic_lpi_movall(r->h->vgic, st->n, (unsigned int)st->value);
		vgic_host_settle(r->h);
		break;
	case OP_HALT:
	case OP_RESUME:
		vgic_host_halt(r->h, st->op == OP_HALT);
		break;
	case OP_MARK:
		mark(r);
		break;
	case OP_SAY:
		r->said = st->text;
		record(r, VGIC_SCENARIO_SAID, "%s", st->text);
		break;
	default:
		if (st->op >= OP_ENABLE && st->op <= OP_LPIS)
			registers(r, st, vcpu);
		else
			acted(r, st, of_vcpu(r, st, vcpu));
		break;
	}
}

static bool applies(const struct runner *r, const struct condition *c)
{
	bool among = false;

	for (unsigned int i = 0; i < c->n; i++)
		among |= !strcmp(c->policies[i]->name, r->policy->name);
	/* "not" speaks of the table; variants have blocks of their own. */
	return c->not ? !among && !strchr(r->policy->name, '+') : among;
}

static int run_range(struct runner *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct statement *st = &r->s->statements[i];
		int err = 0;

		if (r->nomem)
			return -ENOMEM;
		if (++r->executed > VGIC_SCENARIO_MAX_STEPS ||
		    vgic_host_count(r->h, VGIC_NO_VCPU, VGIC_COUNT_STEPS) >
			    VGIC_SCENARIO_MAX_STEPS) {
			r->error->line = st->line;
			snprintf(r->error->text, sizeof(r->error->text),
				 "more than %u steps: this does not end", VGIC_SCENARIO_MAX_STEPS);
			return -E2BIG;
		}
		if (st->op == OP_ON || st->op == OP_REPEAT) {
			uint64_t times = st->op == OP_REPEAT ? st->value
							     : applies(r, &r->s->conditions[st->n]);

			for (uint64_t n = 0; n < times && !err; n++)
				err = run_range(r, i + 1, st->end);
			if (err)
				return err;
			i = st->end - 1;
			continue;
		}
		if (!st->vcpus)
			execute(r, st, VGIC_NO_VCPU);
		for (unsigned int v = 0; v < nr_vcpus(r); v++)
			if (st->vcpus & (1u << v))
				execute(r, st, v);
	}
	return 0;
}

/* One interrupt as it is declared, for one vCPU if it is private. */
static int declare(struct runner *r, const struct declaration *d, unsigned int vcpu, uint32_t intid,
		   uint32_t nth)
{
	struct vgic *vgic = r->h->vgic;
	struct vgic_host_irq *i;
	int err = 0;

	if (d->kind == KIND_LPI) {
		err = vgic_host_add_lpi(r->h, intid);
		if (err)
			return err;
	}
	i = vgic_host_irq(r->h, vcpu, intid);
	if (!i)
		return -EINVAL;
	if (d->level >= 0)
		i->irq->level = d->level;
	if (d->group >= 0)
		i->irq->group1 = d->group;
	i->irq->priority = d->prio;
	if (d->kind >= KIND_SPI)
		i->irq->target = d->target;
	i->resampler = d->resample;
	if (d->hw)
		err = vgic_host_map(r->h, vcpu, intid, (uint16_t)(d->pintid + nth), d->timer);
	if (err)
		return err;
	if (d->enabled)
		vgic_write_enable(vgic, vcpu, intid, true);
	else
		i->irq->enabled = false;
	if (d->active) {
		i->irq->active = i->guest_active = true;
		vgic_queue(vgic, i->irq);
	}
	if (d->pending) {
		i->irq->pending_latch = i->owed = true;
		vgic_queue(vgic, i->irq);
	}
	if (d->line_high)
		vgic_host_raise(r->h, vcpu, intid);
	return 0;
}

static int declare_all(struct runner *r)
{
	for (size_t n = 0; n < r->s->nr_declarations; n++) {
		const struct declaration *d = &r->s->declarations[n];

		r->error->line = d->line;
		for (uint32_t k = 0; k < d->ids.n; k++) {
			const struct id *id = &r->s->ids[d->ids.first + k];
			bool private = d->kind <= KIND_PPI;

			for (unsigned int v = 0; v < (private ? nr_vcpus(r) : 1); v++) {
				int err;

				if (private && id->vcpu != VGIC_NO_VCPU && id->vcpu != v)
					continue;
				err = declare(r, d, v, id->intid, k);
				if (err)
					return err;
			}
		}
	}
	return 0;
}

static unsigned int nr_spis(const struct vgic_scenario *s)
{
	uint32_t last = VGIC_NR_PRIVATE + FEWEST_SPIS - 1;

	for (size_t n = 0; n < s->nr_declarations; n++) {
		const struct declaration *d = &s->declarations[n];

		for (uint32_t k = 0; k < d->ids.n && d->kind == KIND_SPI; k++)
			if (s->ids[d->ids.first + k].intid > last)
				last = s->ids[d->ids.first + k].intid;
	}
	/* Registers hold 32 of them each. */
	last = (last + 1 + 31) / 32 * 32 - VGIC_NR_PRIVATE;
	return last > VGIC_MAX_SPIS ? VGIC_MAX_SPIS : last;
}

static int set_up(struct runner *r, const struct vgic_scenario_options *options)
{
	struct vgic_host_config cfg = r->s->host;
	int err;

	cfg.vgic.policy = r->policy;
	cfg.vgic.nr_spis = nr_spis(r->s);
	if (options->nr_lr) {
		cfg.vgic.nr_lr = options->nr_lr;
		cfg.hw.nr_lr = (uint8_t)options->nr_lr;
	}
	cfg.vmcr = r->s->vmcr;
	cfg.seed = options->seed;
	cfg.opaque = r;
	cfg.event = trace_event;
	err = vgic_host_create(&r->h, &cfg);
	if (!err)
		err = declare_all(r);
	if (err == -EINVAL || err == -EEXIST) {
		if (!r->error->line)
			r->error->line = r->s->host_line;
		snprintf(r->error->text, sizeof(r->error->text), "%s",
			 err == -EEXIST ? "an LPI is there already"
			 : r->h		? "this interrupt cannot be set up"
					: "there is no such host");
		err = -EINVAL;
	}
	return err;
}

static int results(struct runner *r)
{
	struct vgic_scenario_result *to = r->result;

	outcome(r, to->outcome, sizeof(to->outcome));
	to->said = r->said;
	to->nr_lr = r->h->vgic->cfg.nr_lr;
	to->metrics = calloc(r->s->nr_metrics ? r->s->nr_metrics : 1, sizeof(*to->metrics));
	if (!to->metrics)
		return -ENOMEM;
	for (unsigned int i = 0; i < r->s->nr_metrics; i++)
		to->metrics[i] = (struct vgic_scenario_metric){
			.name = r->s->metrics[i].name,
			.value = vgic_host_count(r->h, VGIC_NO_VCPU, r->s->metrics[i].counter)};
	to->nr_metrics = r->s->nr_metrics;
	return 0;
}

struct memory {
	char **v;
	size_t n;
};

int vgic_scenario_run(const struct vgic_scenario *s, const struct vgic_scenario_options *options,
		      struct vgic_scenario_result *result, struct vgic_scenario_error *error)
{
	struct runner *r = calloc(1, sizeof(*r));
	struct memory *memory = calloc(1, sizeof(*memory));
	int err = -ENOMEM;

	memset(result, 0, sizeof(*result));
	error->line = 0;
	error->text[0] = '\0';
	if (!r || !memory)
		goto out;
	r->s = s;
	r->policy = options->policy ? options->policy : s->policy;
	r->result = result;
	r->error = error;
	r->check = options->check || options->strict;
	r->strict = options->strict;
	err = set_up(r, options);
	if (!err)
		err = run_range(r, 0, s->nr_statements);
	if (!err && r->nomem)
		err = -ENOMEM;
	if (!err)
		err = results(r);
	if (err == -ENOMEM)
		snprintf(error->text, sizeof(error->text), "not enough memory");
	for (unsigned int i = 0; i < VGIC_HOST_MAX_VCPUS; i++)
		free(r->acks[i].v);
	vgic_host_destroy(r->h);
	memory->v = r->memory;
	memory->n = r->nr_memory;
	result->memory = memory;
	memory = NULL;
	if (err)
		vgic_scenario_result_finish(result);
out:
	free(memory);
	free(r);
	return err;
}

void vgic_scenario_result_finish(struct vgic_scenario_result *result)
{
	struct memory *memory = result->memory;

	if (memory) {
		for (size_t i = 0; i < memory->n; i++)
			free(memory->v[i]);
		free(memory->v);
		free(memory);
	}
	free(result->events);
	free(result->metrics);
	memset(result, 0, sizeof(*result));
}
