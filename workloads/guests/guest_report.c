// SPDX-License-Identifier: GPL-2.0-only
#include "guest_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ISPENDR	  0x200
#define ISACTIVER 0x300

static const char *const fail_words[GUEST_NR_FAILS] = {
	[GUEST_FAIL_NONE] = "none",
	[GUEST_FAIL_STARVED] = "starved",
	[GUEST_FAIL_TWICE] = "delivered_twice",
	[GUEST_FAIL_ORDER] = "priority_order",
	[GUEST_FAIL_RPR] = "running_priority",
	[GUEST_FAIL_NOT_IDLE] = "not_idle",
	[GUEST_FAIL_ACTIVE] = "stuck_active",
	[GUEST_FAIL_PENDING] = "stuck_pending",
	[GUEST_FAIL_GROUP] = "group_off",
	[GUEST_FAIL_EARLY] = "timer_early",
	[GUEST_FAIL_WRONG_CPU] = "wrong_vcpu",
	[GUEST_FAIL_EXCEPTION] = "guest_exception",
};

/* The bit of the vCPU that an SPI goes to; while that changes, of the first. */
static uint32_t route_bit(const struct guest_vm *vm, uint32_t intid)
{
	uint32_t route = vm->sh->route[intid];

	return 1U << (route < vm->o->vcpus ? route : 0);
}

static void read_bits(struct guest_vm *vm, uint32_t offset, uint32_t *by_intid)
{
	uint32_t c, i, bits, lines, intid, words = (GUEST_FIRST_SPI + vm->o->irqs + 31) / 32;

	for (c = 0; c < vm->o->vcpus; c++) {
		if (guest_vm_gicr_read(vm, c, offset, &bits))
			continue;
		for (i = 0; i < 32; i++)
			if (bits >> i & 1)
				by_intid[i] |= 1U << c;
	}
	for (c = 1; c < words; c++) {
		if (guest_vm_gicd_read(vm, offset + 4 * c, &bits))
			continue;
		if (offset == ISPENDR && !guest_vm_lines(vm, 32 * c, &lines))
			bits |= lines;
		for (i = 0; i < 32; i++) {
			intid = 32 * c + i;
			if (bits >> i & 1)
				by_intid[intid] |= route_bit(vm, intid);
		}
	}
}

void guest_judge(struct guest_vm *vm, struct guest_verdict *v)
{
	const struct guest_shared *sh = vm->sh;
	uint32_t c, i;
	bool any = false;

	memset(v, 0, sizeof(*v));
	v->starved = vm->timed_out;
	for (c = 0; c < vm->o->vcpus; c++) {
		const struct guest_vcpu *g = &sh->vcpu[c];

		v->interrupts += g->irqs;
		v->log_lost += g->log_lost;
		v->round = g->round > v->round ? g->round : v->round;
		any |= g->nr_fails || !g->done;
		for (i = 0; i < g->nr_fails && i < GUEST_MAX_FAILS; i++)
			v->starved |= g->fail[i].code == GUEST_FAIL_STARVED;
		for (i = 0; i < GUEST_FIRST_SPI; i++) {
			if (g->want[i] > g->got[i])
				v->missing[i] |= 1U << c;
			if (g->got[i] > g->want[i])
				v->surplus[i] |= 1U << c;
		}
	}
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + vm->o->irqs; i++) {
		/* While its group is off nobody owes the guest an interrupt. */
		if (v->starved && sh->is_group0[i] && sh->route[i] < GUEST_MAX_VCPUS &&
		    !sh->vcpu[sh->route[i]].group0_on)
			continue;
		if (sh->want[i] > sh->got[i])
			v->missing[i] |= route_bit(vm, i);
		if (sh->got[i] > sh->want[i])
			v->surplus[i] |= route_bit(vm, i);
	}
	for (i = 0; i < GUEST_MAX_LPIS; i++) {
		uint32_t bit = 1U << (sh->lpi_route[i] < vm->o->vcpus ? sh->lpi_route[i] : 0);

		if (sh->lpi_want[i] > sh->lpi_got[i])
			v->missing[GUEST_NR_INTIDS + i] |= bit;
		if (sh->lpi_got[i] > sh->lpi_want[i])
			v->surplus[GUEST_NR_INTIDS + i] |= bit;
	}
	/* KVM's word for it, independent of what the guest saw. */
	read_bits(vm, ISACTIVER, v->active);
	read_bits(vm, ISPENDR, v->pending);
	for (i = 0; i < GUEST_NR_SET; i++)
		any |= v->missing[i] || v->surplus[i] || v->active[i] || v->pending[i];
	v->pass = !any && !vm->timed_out;
}

static uint32_t intid_at(uint32_t index)
{
	return index < GUEST_NR_INTIDS ? index : GUEST_FIRST_LPI + index - GUEST_NR_INTIDS;
}

/* "32-35, 40" for the INTIDs that have bit @c; false if there is none. */
static bool ranges(FILE *out, const uint32_t *by_intid, uint32_t c, const char *before)
{
	uint32_t i, first;
	bool any = false;

	for (i = 0; i < GUEST_NR_SET; i++) {
		if (!(by_intid[i] >> c & 1))
			continue;
		first = i;
		while (i + 1 < GUEST_NR_SET && i + 1 != GUEST_NR_INTIDS && by_intid[i + 1] >> c & 1)
			i++;
		fprintf(out, "%s%u", any ? ", " : before, intid_at(first));
		if (i > first)
			fprintf(out, "-%u", intid_at(i));
		any = true;
	}
	return any;
}

static void print_sets(FILE *out, const struct guest_vm *vm, const char *what,
		       const uint32_t *by_intid)
{
	char head[80];
	uint32_t c;

	for (c = 0; c < vm->o->vcpus; c++) {
		snprintf(head, sizeof(head), "  %s, vCPU %u: INTID ", what, c);
		if (ranges(out, by_intid, c, head))
			fputc('\n', out);
	}
}

static void print_fail(FILE *out, const struct guest_options *o, const struct guest_fail *f)
{
	switch (f->code) {
	case GUEST_FAIL_STARVED:
		fprintf(out, "starved: nothing delivered for %u ms", o->patience);
		if (f->intid != GUEST_SPURIOUS)
			fprintf(out, " while waiting for INTID %u", f->intid);
		break;
	case GUEST_FAIL_TWICE:
		fprintf(out, "INTID %u delivered once too often", f->intid);
		break;
	case GUEST_FAIL_ORDER:
		fprintf(out,
			"INTID %u of priority 0x%02" PRIx64
			" came after one of lower urgency, 0x%02" PRIx64,
			f->intid, f->got, f->want);
		break;
	case GUEST_FAIL_RPR:
		fprintf(out, "running priority 0x%02" PRIx64 ", must be 0x%02" PRIx64, f->got,
			f->want);
		if (f->intid != GUEST_SPURIOUS)
			fprintf(out, " (INTID %u)", f->intid);
		break;
	case GUEST_FAIL_NOT_IDLE:
		fprintf(out, "INTID %u delivered where nothing was due", f->intid);
		break;
	case GUEST_FAIL_ACTIVE:
		fprintf(out, "INTID %u stuck active after it was finished", f->intid);
		break;
	case GUEST_FAIL_PENDING:
		fprintf(out, "INTID %u still pending after it was finished", f->intid);
		break;
	case GUEST_FAIL_GROUP:
		fprintf(out, "an interrupt was delivered while group 1 was off");
		break;
	case GUEST_FAIL_EARLY:
		fprintf(out, "timer interrupt %" PRIu64 " ticks early", f->want - f->got);
		break;
	case GUEST_FAIL_WRONG_CPU:
		fprintf(out, "INTID %u taken by vCPU %" PRIu64 ", routed to %" PRIu64, f->intid,
			f->got, f->want);
		break;
	default:
		fprintf(out, "guest exception, vector %u, ESR 0x%" PRIx64 ", ELR 0x%" PRIx64,
			f->intid, f->got, f->want);
		break;
	}
}

/* INTIDs that were left active in some round, by the vCPU that they were routed to. */
static void left_sets(const struct guest_vm *vm, uint32_t *by_intid)
{
	uint32_t i;

	for (i = 0; i < GUEST_NR_INTIDS; i++)
		by_intid[i] = vm->sh->left[i] ? route_bit(vm, i) : 0;
}

static void print_notes(FILE *out, const struct guest_vm *vm)
{
	const struct guest_stim_info *s = &guest_stims[vm->o->stim];
	uint32_t left[GUEST_NR_SET] = {0}, i;

	for (i = 0; i < GUEST_MAX_NOTES && s->notes[i]; i++)
		fprintf(out, "%s%s %" PRIu64, i ? ", " : "  counted: ", s->notes[i],
			vm->sh->note[i]);
	if (i)
		fputc('\n', out);
	left_sets(vm, left);
	print_sets(out, vm, "left active by a round", left);
}

void guest_print_text(const struct guest_vm *vm, const struct guest_verdict *v, FILE *out)
{
	const struct guest_stim_info *s = &guest_stims[vm->o->stim];
	uint32_t c, i;

	if (v->pass) {
		fprintf(out,
			"vgic-guest %s: pass: %" PRIu64 " interrupts on %u vCPU%s, %u rounds, "
			"%.2f s\n",
			s->name, v->interrupts, vm->o->vcpus, vm->o->vcpus > 1 ? "s" : "",
			vm->o->repeat, vm->seconds);
		print_notes(out, vm);
		return;
	}
	fprintf(out, "vgic-guest %s: FAIL in round %u of %u after %" PRIu64 " interrupts, %.2f s\n",
		s->name, v->round + 1, vm->o->repeat, v->interrupts, vm->seconds);
	if (vm->timed_out)
		fprintf(out, "  the guest was not done within --timeout %u s\n", vm->o->timeout);
	for (c = 0; c < vm->o->vcpus; c++) {
		const struct guest_vcpu *g = &vm->sh->vcpu[c];

		for (i = 0; i < g->nr_fails && i < 8; i++) {
			fprintf(out, "  vCPU %u, round %u: ", c, g->fail[i].round + 1);
			print_fail(out, vm->o, &g->fail[i]);
			fputc('\n', out);
		}
		if (g->nr_fails > 8)
			fprintf(out, "  vCPU %u: %u more\n", c, g->nr_fails - 8);
	}
	/* A run that stopped for another reason leaves raises in flight that prove nothing. */
	if (v->starved)
		print_sets(out, vm, "never delivered", v->missing);
	print_sets(out, vm, "delivered too often", v->surplus);
	print_sets(out, vm, "active at the end", v->active);
	print_sets(out, vm, "pending at the end", v->pending);
	print_notes(out, vm);
	fputs("  must hold: ", out);
	for (i = 0; s->must[i]; i++)
		fputs(s->must[i] == '\n' ? "\n  " : (char[]){s->must[i], 0}, out);
	fputc('\n', out);
}

static void json_set(FILE *out, const struct guest_vm *vm, const char *name,
		     const uint32_t *by_intid)
{
	const char *sep = "";
	uint32_t c, i;

	fprintf(out, ",\"%s\":[", name);
	for (c = 0; c < vm->o->vcpus; c++) {
		for (i = 0; i < GUEST_NR_SET; i++) {
			if (!(by_intid[i] >> c & 1))
				continue;
			fprintf(out, "%s{\"vcpu\":%u,\"intid\":%u}", sep, c, intid_at(i));
			sep = ",";
		}
	}
	fputc(']', out);
}

void guest_print_json(const struct guest_vm *vm, const struct guest_verdict *v, FILE *out)
{
	static const uint32_t none[GUEST_NR_SET];
	uint32_t left[GUEST_NR_SET] = {0};
	const struct guest_options *o = vm->o;
	const char *sep = "";
	struct utsname host;
	uint32_t c, i;

	memset(&host, 0, sizeof(host));
	uname(&host);
	fprintf(out, "{\"stimulus\":\"%s\",\"result\":\"%s\",\"kernel\":\"%s\"",
		guest_stims[o->stim].name, v->pass ? "pass" : "fail", host.release);
	fprintf(out,
		",\"gic\":%u,\"options\":{\"irqs\":%u,\"vcpus\":%u,\"trigger\":\"%s\",\"prio\":\"%"
		"s\""
		",\"eoimode\":%u,\"repeat\":%u,\"pace\":%u,\"seed\":%u,\"order\":\"%s\""
		",\"mode\":\"%s\",\"hold\":%u,\"again\":%u,\"group0\":%u,\"wait\":\"%s\","
		"\"inject\":\"%s\","
		"\"timeout\":%u"
		",\"patience\":%u}",
		vm->gic_version, o->irqs, o->vcpus, guest_option_word("trigger", o->trigger),
		guest_option_word("prio", o->prio), o->eoimode, o->repeat, o->pace, o->seed,
		guest_option_word("order", o->order),
		guest_stims[o->stim].modes[0] ? guest_stims[o->stim].modes[o->mode] : "", o->hold,
		o->again, o->group0, guest_option_word("wait", o->wait),
		guest_option_word("inject", o->inject), o->timeout, o->patience);
	fprintf(out, ",\"interrupts\":%" PRIu64 ",\"rounds\":%u,\"seconds\":%.3f,\"timed_out\":%s",
		v->interrupts, v->pass ? o->repeat : v->round + 1, vm->seconds,
		vm->timed_out ? "true" : "false");
	fputs(",\"failures\":[", out);
	for (c = 0; c < o->vcpus; c++) {
		const struct guest_vcpu *g = &vm->sh->vcpu[c];

		for (i = 0; i < g->nr_fails && i < GUEST_MAX_FAILS; i++) {
			const struct guest_fail *f = &g->fail[i];

			fprintf(out,
				"%s{\"vcpu\":%u,\"round\":%u,\"check\":\"%s\",\"intid\":%u"
				",\"got\":%" PRIu64 ",\"want\":%" PRIu64 "}",
				sep, c, f->round + 1,
				f->code < GUEST_NR_FAILS ? fail_words[f->code] : "unknown",
				f->intid, f->got, f->want);
			sep = ",";
		}
	}
	fputc(']', out);
	json_set(out, vm, "never_delivered", v->starved ? v->missing : none);
	json_set(out, vm, "delivered_too_often", v->surplus);
	json_set(out, vm, "active_at_end", v->active);
	json_set(out, vm, "pending_at_end", v->pending);
	left_sets(vm, left);
	json_set(out, vm, "left_active", left);
	fputs(",\"counted\":{", out);
	for (i = 0; i < GUEST_MAX_NOTES && guest_stims[o->stim].notes[i]; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", guest_stims[o->stim].notes[i],
			vm->sh->note[i]);
	fputs("}}\n", out);
}

/* The guest's counter to CLOCK_MONOTONIC, on the line through the run's begin and end. */
static uint64_t to_ns(const struct guest_vm *vm, uint64_t counter)
{
	const struct guest_clock *a = &vm->clock[0], *b = &vm->clock[1];
	__int128 ticks = (__int128)counter - a->counter;

	if (b->counter <= a->counter)
		return a->ns;
	return (uint64_t)(a->ns +
			  ticks * (__int128)(b->ns - a->ns) / (__int128)(b->counter - a->counter));
}

/* How far a converted time may be off: the moments of the two ends, and a tick of the counter. */
static uint64_t error_ns(const struct guest_vm *vm)
{
	const struct guest_clock *a = &vm->clock[0], *b = &vm->clock[1];
	uint64_t ticks = (a->error > b->error ? a->error : b->error) + vm->cnt_offset_error + 1;

	return (ticks * 1000000000ULL + vm->cntfrq - 1) / vm->cntfrq + 1;
}

static void log_time(const struct guest_vm *vm, FILE *f, uint64_t t)
{
	if (t)
		fprintf(f, ",%" PRIu64, to_ns(vm, t));
	else
		fputc(',', f);
}

static void log_line(const struct guest_vm *vm, FILE *f, uint32_t c, const struct guest_log *l,
		     const struct guest_instants *in)
{
	/* Where EOIR deactivates, its instant is both. */
	bool both = l->eoi && (!vm->o->eoimode || l->intid >= GUEST_FIRST_LPI);
	bool dir = both || l->dir;

	fprintf(f, "%u,%u,%u,%u", c, l->intid, l->round, l->prio);
	log_time(vm, f, l->raise);
	log_time(vm, f, in->ack_from);
	log_time(vm, f, l->ack);
	log_time(vm, f, l->eoi);
	log_time(vm, f, in->eoi_to);
	log_time(vm, f, both ? l->eoi : l->dir);
	log_time(vm, f, both ? in->eoi_to : in->dir_to);
	if (dir)
		fprintf(f, ",%u\n", both ? c : l->dir_vcpu);
	else
		fputs(",\n", f);
}

int guest_write_log(const struct guest_vm *vm, const char *path)
{
	const struct guest_shared *sh = vm->sh;
	const struct guest_log *log =
		(const struct guest_log *)((const char *)vm->ram + GUEST_LOG_OFFSET);
	const struct guest_instants *in =
		(const struct guest_instants *)((const char *)vm->ram +
						(sh->instants_gpa - GUEST_RAM_BASE));
	uint64_t lost = 0, n;
	FILE *f = fopen(path, "w");
	int rc = 0;
	uint32_t c;

	if (!f)
		return -errno;
	for (c = 0; c < vm->o->vcpus; c++)
		lost += sh->vcpu[c].log_lost;
	fprintf(f, "# vgic-guest %s: the guest's own times, ns of CLOCK_MONOTONIC\n",
		guest_stims[vm->o->stim].name);
	fprintf(f, "# counter_hz %" PRIu64 "\n# counter_minus_host %" PRId64 "\n", vm->cntfrq,
		vm->cnt_offset);
	fprintf(f, "# error_ns %" PRIu64 "\n# lost %" PRIu64 "\n", error_ns(vm), lost);
	fputs("vcpu,intid,round,priority,raise,ack_from,ack_to,drop_from,drop_to,deact_from,"
	      "deact_to,deact_vcpu\n",
	      f);
	for (c = 0; c < vm->o->vcpus; c++)
		for (n = 0; n < sh->vcpu[c].log_n; n++)
			log_line(vm, f, c, &log[c * sh->log_cap + n], &in[c * sh->log_cap + n]);
	if (ferror(f))
		rc = -EIO;
	if (fclose(f) && !rc)
		rc = -errno;
	if (rc)
		unlink(path);
	return rc;
}
