// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>
#include <vgicsim/cpuif.h>
#include <vgicsim/gich.h>
#include <vgicsim/recording.h>
#include "text.h"

#define GICD_SGIR 0xf00

bool irq_pending(const struct vgr_irq *irq)
{
	return (irq->state & VGR_IRQ_LATCH) ||
	       ((irq->state & VGR_IRQ_LEVEL) && (irq->state & VGR_IRQ_LINE));
}

void text_gic_init(struct text_gic *g, const struct vgr_header *h)
{
	size_t i;

	memset(g, 0, sizeof(*g));
	g->gich = h->gic_host == 2;
	for (i = 0; i < h->totals.nr_vms && i < VGR_MAX_TABLE; i++) {
		if (h->totals.vms[i].vgic_model == 2)
			g->v2_guest[i / 8] |= (uint8_t)(1u << i % 8);
	}
}

void text_gic_note(struct text_gic *g, const struct vgr_rec *rec)
{
	const struct vgr_vcpu *v = (const struct vgr_vcpu *)rec;

	if (rec->type != VGR_VCPU || rec->vm >= VGR_MAX_TABLE)
		return;
	if (v->vgic_model == 2)
		g->v2_guest[rec->vm / 8] |= (uint8_t)(1u << rec->vm % 8);
	if (v->dist_page)
		g->dist_page[rec->vm] = v->dist_page;
}

int text_gic_dist(const struct text_gic *g, const struct vgr_rec *rec)
{
	const struct vgr_mmio *m = (const struct vgr_mmio *)rec;
	uint64_t base, size;

	if (rec->type != VGR_MMIO || rec->vm >= VGR_MAX_TABLE || !g->dist_page[rec->vm])
		return -1;
	base = (uint64_t)g->dist_page[rec->vm] << 12;
	size = text_gic_v2_guest(g, rec) ? 0x1000 : 0x10000;
	return m->gpa >= base && m->gpa - base < size ? (int)(m->gpa - base) : -1;
}

bool text_gic_sgir(const struct text_gic *g, const struct vgr_rec *rec)
{
	return text_gic_dist(g, rec) == GICD_SGIR && ((const struct vgr_mmio *)rec)->write &&
	       text_gic_v2_guest(g, rec);
}

bool text_gic_v2_guest(const struct text_gic *g, const struct vgr_rec *rec)
{
	return g->gich ||
	       (rec->vm < VGR_MAX_TABLE && (g->v2_guest[rec->vm / 8] >> rec->vm % 8 & 1));
}

uint64_t text_gic_lr(const struct text_gic *g, uint64_t slot)
{
	return g->gich ? vgic_gich_lr_decode((uint32_t)slot) : slot;
}

static uint32_t lr_intid(uint64_t lr, bool v2_guest)
{
	return (uint32_t)(lr & (v2_guest ? VGIC_GICH_LR_VINTID : VGIC_LR_VINTID));
}

uint32_t text_gic_intid(const struct text_gic *g, const struct vgr_rec *rec, uint64_t slot)
{
	return lr_intid(text_gic_lr(g, slot), text_gic_v2_guest(g, rec));
}

char *text_lr(char *buf, size_t size, uint64_t lr, bool v2_guest, bool verbose)
{
	uint32_t intid = lr_intid(lr, v2_guest);
	char source[8] = "";
	size_t n;

	if (!lr) {
		snprintf(buf, size, ".");
		return buf;
	}
	if (v2_guest && intid < 16)
		snprintf(source, sizeof(source), "<%u",
			 (unsigned int)(lr & VGIC_LR_CPUID) >> VGIC_LR_CPUID_SHIFT);
	n = (size_t)snprintf(buf, size, "%" PRIu32 "%s%s%s%s", intid, source,
			     lr & VGIC_LR_PENDING ? "p" : "", lr & VGIC_LR_ACTIVE ? "a" : "",
			     lr & VGIC_LR_STATE ? "" : "-");
	if (verbose)
		snprintf(buf + n, size - n, "(%02x%s%s%s)",
			 (unsigned int)((lr & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT),
			 lr & VGIC_LR_GROUP1 ? "" : " g0", lr & VGIC_LR_HW ? " hw" : "",
			 !(lr & VGIC_LR_HW) && (lr & VGIC_LR_EOI) ? " eoi" : "");
	return buf;
}

/* " from 0,2 by 1": CPUs whose SGI is pending, CPU whose SGI is active. */
static void text_sources(char *buf, size_t size, const struct vgr_irq *irq)
{
	const char *comma = " from ";
	unsigned int i;
	size_t n = 0;

	buf[0] = '\0';
	for (i = 0; i < 8; i++) {
		if (!(irq->source >> i & 1))
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%s%u", comma, i);
		comma = ",";
	}
	if (irq->active_source && (irq->state & VGR_IRQ_ACTIVE))
		snprintf(buf + n, size - n, " by %u", irq->active_source);
}

char *text_irq(char *buf, size_t size, const struct vgr_irq *irq, bool verbose)
{
	size_t n;
	bool pending = irq_pending(irq), active = irq->state & VGR_IRQ_ACTIVE;
	char sources[40];

	n = (size_t)snprintf(buf, size, "%" PRIu32 "%s%s%s%s%s", irq->intid, pending ? "P" : "",
			     active ? "A" : "", irq->state & VGR_IRQ_ON_LR ? "*" : "",
			     !pending && !active && !(irq->state & VGR_IRQ_ON_LR) ? "." : "",
			     irq->state & VGR_IRQ_ENABLED ? "" : "!");
	if (irq->state & VGR_IRQ_GONE) {
		snprintf(buf, size, "%" PRIu32 "?", irq->intid);
		return buf;
	}
	if (!verbose)
		return buf;
	text_sources(sources, sizeof(sources), irq);
	n += (size_t)snprintf(buf + n, size - n, "(%02x %s%s%s%s%s%s", irq->priority,
			      irq->state & VGR_IRQ_LEVEL ? "level" : "edge",
			      irq->state & VGR_IRQ_LINE ? " high" : "",
			      irq->state & VGR_IRQ_LATCH ? " latch" : "",
			      irq->state & VGR_IRQ_GROUP1 ? "" : " g0",
			      irq->state & VGR_IRQ_HW ? " hw" : "", sources);
	if (irq->target == VGR_NO_VCPU)
		snprintf(buf + n, size - n, ")");
	else
		snprintf(buf + n, size - n, " ->%u)", irq->target);
	return buf;
}

static void text_hcr(FILE *f, uint32_t hcr, bool verbose)
{
	static const struct {
		uint32_t bit;
		const char *name;
		bool always;
	} names[] = {
		{VGIC_HCR_UIE, "UIE", true},
		{VGIC_HCR_LRENPIE, "LRENPIE", true},
		{VGIC_HCR_NPIE, "NPIE", true},
		{VGIC_HCR_VGRP0EIE, "VGrp0EIE", false},
		{VGIC_HCR_VGRP0DIE, "VGrp0DIE", false},
		{VGIC_HCR_VGRP1EIE, "VGrp1EIE", false},
		{VGIC_HCR_VGRP1DIE, "VGrp1DIE", false},
		{VGIC_HCR_VSGIEOICOUNT, "vSGIEOICount", false},
		{VGIC_HCR_TC, "TC", true},
		{VGIC_HCR_TALL0, "TALL0", true},
		{VGIC_HCR_TALL1, "TALL1", true},
		{VGIC_HCR_TDIR, "TDIR", true},
	};
	const char *space = "";
	size_t i;

	fprintf(f, " hcr=%08" PRIx32 "[", hcr);
	if (!(hcr & VGIC_HCR_EN)) {
		fputs("off", f);
		space = " ";
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(hcr & names[i].bit) || !(names[i].always || verbose))
			continue;
		fprintf(f, "%s%s", space, names[i].name);
		space = " ";
	}
	if (vgic_v3_eoicount(hcr))
		fprintf(f, "%sEOIcount=%u", space, vgic_v3_eoicount(hcr));
	fputc(']', f);
}

static void text_list(FILE *f, const char *title, const struct vgr_irq *irqs, unsigned int n,
		      unsigned int total, bool verbose)
{
	char buf[128];
	unsigned int i;

	fprintf(f, " | %s:", title);
	for (i = 0; i < n; i++)
		fprintf(f, " %s", text_irq(buf, sizeof(buf), &irqs[i], verbose));
	if (total > n)
		fprintf(f, " ... %u more", total - n);
	if (!total)
		fputs(" empty", f);
}

static void text_lrs(FILE *f, const struct text_gic *g, const struct vgr_rec *rec,
		     const uint64_t *lrs, unsigned int n, bool verbose)
{
	bool v2_guest = text_gic_v2_guest(g, rec);
	char buf[64];
	unsigned int i;

	fputs(" LR:", f);
	for (i = 0; i < n; i++)
		fprintf(f, " %s",
			text_lr(buf, sizeof(buf), text_gic_lr(g, lrs[i]), v2_guest, verbose));
	if (!n)
		fputs(" none", f);
}

static void text_boundary(FILE *f, uint32_t boundary)
{
	if (boundary == VGR_BOUNDARY_UNKNOWN || boundary == VGR_BOUNDARY_NONE)
		return;
	fprintf(f, ", last_lr_irq=%" PRIu32, boundary);
}

static void text_flags(FILE *f, uint16_t flags)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} names[] = {
		{VGR_F_CUT, "cut"},
		{VGR_F_NO_FOLD, "no-fold"},
		{VGR_F_TORN, "torn"},
		{VGR_F_NO_CONFIG, "unlocked"},
		{VGR_F_SKIPPED, "skipped"},
		{VGR_F_INSIDE, "inside"},
		{VGR_F_AT_FOLD, "left-at-fold"},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (flags & names[i].flag)
			fprintf(f, " (%s)", names[i].name);
	}
}

static void text_flush(FILE *f, const struct text_gic *g, const struct vgr_flush *v, bool verbose)
{
	text_hcr(f, v->hcr, verbose);
	if (verbose)
		fprintf(f, " vmcr=%08" PRIx32, v->vmcr);
	text_lrs(f, g, &v->r, vgr_flush_lrs(v), v->used_lrs, verbose);
	if (verbose)
		text_list(f, "before", vgr_flush_before(v), v->n_before, v->total_before, true);
	text_list(f, "ap_list", vgr_flush_after(v), v->n_after, v->total_after, verbose);
	text_boundary(f, v->boundary);
	if (verbose && v->active_spis >= 0)
		fprintf(f, ", active_spis=%" PRId32, v->active_spis);
	if (!v->dist_enabled)
		fputs(", distributor off", f);
	if (v->nested)
		fputs(", nested", f);
}

static void text_sync(FILE *f, const struct text_gic *g, const struct vgr_sync *v, bool verbose)
{
	const uint32_t *order = vgr_sync_order(v);
	unsigned int i;

	text_hcr(f, v->hcr, verbose);
	if (verbose)
		fprintf(f, " vmcr=%08" PRIx32, v->vmcr);
	text_lrs(f, g, &v->r, vgr_sync_lrs(v), v->used_lrs, verbose);
	text_list(f, "ap_list", vgr_sync_before(v), v->n_before, v->total_before, verbose);
	text_list(f, "then", vgr_sync_after(v), v->n_before, v->total_before, verbose);
	if (verbose) {
		fputs(" | order:", f);
		for (i = 0; i < v->n_after; i++)
			fprintf(f, " %" PRIu32, order[i]);
	} else {
		fprintf(f, " | left: %u", v->total_after);
	}
	text_boundary(f, v->boundary);
	if (verbose && v->active_spis_before >= 0)
		fprintf(f, ", active_spis=%" PRId32 "->%" PRId32, v->active_spis_before,
			v->active_spis_after);
	if (v->nested)
		fputs(", nested", f);
}

static const char *exit_name(uint32_t ret)
{
	static const char *const names[] = {"IRQ", "SERROR", "TRAP"};

	return ret < 3 ? names[ret] : "OTHER";
}

static const char *path_name(uint8_t path)
{
	static const char *const names[] = {"unknown", "ioctl", "irqfd", "timer", "pmu"};

	return path < 5 ? names[path] : "unknown";
}

/* A name from the recorded kernel, which may hold anything. */
void text_comm(char *to, const char comm[16])
{
	int i;

	for (i = 0; i < 15 && comm[i]; i++)
		to[i] = comm[i] < 0x20 || comm[i] > 0x7e || comm[i] == '"' || comm[i] == '\\'
				? '?'
				: comm[i];
	to[i] = '\0';
}

/* GICD_SGIR: filter 25:24, targets 23:16, INTID 3:0. */
static void text_sgir(FILE *f, uint64_t value)
{
	const char *comma = " ";
	unsigned int i;

	fprintf(f, " SGI %u to", (unsigned int)(value & 15));
	switch (value >> 24 & 3) {
	case 0:
		for (i = 0; i < 8; i++) {
			if (!(value >> (16 + i) & 1))
				continue;
			fprintf(f, "%s%u", comma, i);
			comma = ",";
		}
		if (*comma != ',')
			fputs(" nobody", f);
		break;
	case 1:
		fputs(" all others", f);
		break;
	case 2:
		fputs(" itself", f);
		break;
	default:
		fputs(" ?", f);
		break;
	}
}

static void text_rest(FILE *f, const struct text_gic *g, const struct vgr_rec *rec, bool verbose)
{
	const void *p = rec;
	char comm[16];

	switch (rec->type) {
	case VGR_VCPU: {
		const struct vgr_vcpu *v = p;

		text_comm(comm, v->comm);
		fprintf(f, " id=%" PRIu32 " process=%" PRIu32 " (%s)", v->vcpu_id, v->tgid, comm);
		if (v->vgic_model)
			fprintf(f, " GICv%u", v->vgic_model);
		break;
	}
	case VGR_FLUSH:
		text_flush(f, g, p, verbose);
		break;
	case VGR_SYNC:
		text_sync(f, g, p, verbose);
		break;
	case VGR_ENTRY:
		fprintf(f, " pc=%" PRIx64, ((const struct vgr_entry *)p)->pc);
		break;
	case VGR_EXIT: {
		const struct vgr_exit *v = p;

		fprintf(f, " %s", exit_name(v->ret));
		if (v->ret == 2)
			fprintf(f, " ec=%02" PRIx32, v->esr_ec);
		fprintf(f, " pc=%" PRIx64, v->pc);
		break;
	}
	case VGR_INJECT: {
		const struct vgr_inject *v = p;

		fprintf(f, " %" PRIu32 " level=%u %s", v->intid, v->level, path_name(v->path));
		break;
	}
	case VGR_SGI:
		fprintf(f, " value=%016" PRIx64, ((const struct vgr_sgi *)p)->value);
		break;
	case VGR_MSI: {
		const struct vgr_msi *v = p;

		fprintf(f, " device=%" PRIx32 " event=%" PRIu32 " ret=%" PRId32 "%s", v->devid,
			v->eventid, v->ret, v->cached ? " cached" : "");
		break;
	}
	case VGR_DIR: {
		uint64_t value = ((const struct vgr_dir *)p)->value;

		/* A GICv2 guest names the source of an SGI with it. */
		if (text_gic_v2_guest(g, rec) && (value & VGIC_GICH_LR_VINTID) < 16)
			fprintf(f, " %" PRIu64 "<%" PRIu64, value & VGIC_GICH_LR_VINTID,
				(value & VGIC_GICH_LR_CPUID) >> VGIC_GICH_LR_CPUID_SHIFT);
		else
			fprintf(f, " %" PRIu64, value);
		break;
	}
	case VGR_MMIO: {
		const struct vgr_mmio *v = p;

		fprintf(f, " %s %" PRIx64 " %u bytes", v->write ? "write" : "read", v->gpa, v->len);
		if (v->write)
			fprintf(f, " value=%" PRIx64, v->value);
		if (text_gic_sgir(g, rec))
			text_sgir(f, v->value);
		else if (text_gic_dist(g, rec) >= 0)
			fprintf(f, " GICD+%x", text_gic_dist(g, rec));
		break;
	}
	case VGR_WFX: {
		const struct vgr_wfx *v = p;

		fprintf(f, " %s pc=%" PRIx64, v->wfe ? "WFE" : "WFI", v->pc);
		break;
	}
	case VGR_LEVEL: {
		const struct vgr_level *v = p;

		fprintf(f, " %" PRIu32 " level=%" PRIu32, v->intid, v->level);
		break;
	}
	case VGR_ACKED: {
		const struct vgr_acked *v = p;

		fprintf(f, " irqchip=%" PRIu32 " pin=%" PRIu32, v->irqchip, v->pin);
		break;
	}
	case VGR_HANDLER: {
		const struct vgr_handler *v = p;

		text_comm(comm, v->name);
		fprintf(f, " %s irq=%" PRIu32 " %s", v->begin ? "begin" : "end", v->irq,
			v->begin     ? comm
			: v->handled ? "handled"
				     : "not handled");
		break;
	}
	case VGR_LOSS: {
		const struct vgr_loss *v = p;

		fprintf(f, " %" PRIu32 " records from seq %" PRIu32, v->count, v->first_seq);
		break;
	}
	default:
		break;
	}
}

void text_record(FILE *f, const struct text_gic *g, const struct vgr_rec *rec, uint64_t start,
		 bool verbose)
{
	bool before = rec->time < start;
	uint64_t t = before ? start - rec->time : rec->time - start;

	fprintf(f, "%c%4" PRIu64 ".%09" PRIu64 " [%03u] ", before ? '-' : ' ', t / 1000000000,
		t % 1000000000, rec->cpu);
	if (rec->vm == VGR_NO_VM)
		fputs("-   ", f);
	else if (rec->vcpu == VGR_NO_VCPU)
		fprintf(f, "%u:- ", rec->vm);
	else
		fprintf(f, "%u:%u ", rec->vm, rec->vcpu);
	fprintf(f, "%-6s", vgr_type_name(rec->type));
	text_rest(f, g, rec, verbose);
	text_flags(f, rec->flags);
	fputc('\n', f);
}

static void json_irqs(FILE *f, const char *key, const struct vgr_irq *irqs, unsigned int n)
{
	unsigned int i;

	fprintf(f, ",\"%s\":[", key);
	for (i = 0; i < n; i++) {
		fprintf(f, "%s{\"intid\":%" PRIu32 ",\"state\":%u,\"priority\":%u", i ? "," : "",
			irqs[i].intid, irqs[i].state, irqs[i].priority);
		if (irqs[i].source || irqs[i].active_source)
			fprintf(f, ",\"source\":%u,\"active_source\":%u", irqs[i].source,
				irqs[i].active_source);
		if (irqs[i].state & VGR_IRQ_HW)
			fprintf(f, ",\"hwintid\":%u", irqs[i].hwintid);
		if (irqs[i].vcpu != VGR_NO_VCPU)
			fprintf(f, ",\"vcpu\":%u", irqs[i].vcpu);
		if (irqs[i].target != VGR_NO_VCPU)
			fprintf(f, ",\"target\":%u", irqs[i].target);
		fputc('}', f);
	}
	fputc(']', f);
}

static void json_lrs(FILE *f, const struct text_gic *g, const uint64_t *lrs, unsigned int n)
{
	int digits = g->gich ? 8 : 16;
	unsigned int i;

	fputs(",\"lr\":[", f);
	/* As text: most JSON readers keep only 53 bits of a number. */
	for (i = 0; i < n; i++)
		fprintf(f, "%s\"0x%0*" PRIx64 "\"", i ? "," : "", digits, lrs[i]);
	fputc(']', f);
}

static void json_boundary(FILE *f, uint32_t boundary)
{
	if (boundary == VGR_BOUNDARY_UNKNOWN)
		fputs(",\"boundary\":\"unknown\"", f);
	else if (boundary == VGR_BOUNDARY_NONE)
		fputs(",\"boundary\":null", f);
	else
		fprintf(f, ",\"boundary\":%" PRIu32, boundary);
}

static void json_flush(FILE *f, const struct text_gic *g, const struct vgr_flush *v)
{
	fprintf(f,
		",\"begin\":%" PRIu64 ",\"hcr\":%" PRIu32 ",\"vmcr\":%" PRIu32
		",\"active_spis\":%" PRId32 ",\"used_lrs\":%u,\"nr_lr\":%u"
		",\"total_before\":%u,\"total_after\":%u,\"dist_enabled\":%s,\"nested\":%s",
		v->begin, v->hcr, v->vmcr, v->active_spis, v->used_lrs, v->nr_lr, v->total_before,
		v->total_after, v->dist_enabled ? "true" : "false", v->nested ? "true" : "false");
	json_boundary(f, v->boundary);
	json_irqs(f, "before", vgr_flush_before(v), v->n_before);
	json_irqs(f, "after", vgr_flush_after(v), v->n_after);
	json_lrs(f, g, vgr_flush_lrs(v), v->nr_lr);
}

static void json_sync(FILE *f, const struct text_gic *g, const struct vgr_sync *v)
{
	const uint32_t *order = vgr_sync_order(v);
	unsigned int i;

	fprintf(f,
		",\"begin\":%" PRIu64 ",\"hcr\":%" PRIu32 ",\"vmcr\":%" PRIu32
		",\"active_spis_before\":%" PRId32 ",\"active_spis_after\":%" PRId32
		",\"total_before\":%u,\"total_after\":%u,\"dist_enabled\":%s,\"nested\":%s",
		v->begin, v->hcr, v->vmcr, v->active_spis_before, v->active_spis_after,
		v->total_before, v->total_after, v->dist_enabled ? "true" : "false",
		v->nested ? "true" : "false");
	json_boundary(f, v->boundary);
	json_irqs(f, "before", vgr_sync_before(v), v->n_before);
	json_irqs(f, "after", vgr_sync_after(v), v->n_before);
	json_lrs(f, g, vgr_sync_lrs(v), v->used_lrs);
	fputs(",\"order\":[", f);
	for (i = 0; i < v->n_after; i++)
		fprintf(f, "%s%" PRIu32, i ? "," : "", order[i]);
	fputc(']', f);
}

static void json_rest(FILE *f, const struct text_gic *g, const struct vgr_rec *rec)
{
	const void *p = rec;
	char comm[16];

	switch (rec->type) {
	case VGR_VCPU: {
		const struct vgr_vcpu *v = p;

		text_comm(comm, v->comm);
		fprintf(f, ",\"tgid\":%" PRIu32 ",\"vcpu_id\":%" PRIu32 ",\"comm\":\"%s\"", v->tgid,
			v->vcpu_id, comm);
		if (v->vgic_model)
			fprintf(f, ",\"vgic_model\":%u,\"nr_spis\":%u", v->vgic_model, v->nr_spis);
		if (v->dist_page)
			fprintf(f, ",\"distributor\":\"0x%" PRIx64 "\"",
				(uint64_t)v->dist_page << 12);
		break;
	}
	case VGR_FLUSH:
		json_flush(f, g, p);
		break;
	case VGR_SYNC:
		json_sync(f, g, p);
		break;
	case VGR_ENTRY:
		fprintf(f, ",\"pc\":\"0x%" PRIx64 "\"", ((const struct vgr_entry *)p)->pc);
		break;
	case VGR_EXIT: {
		const struct vgr_exit *v = p;

		fprintf(f, ",\"pc\":\"0x%" PRIx64 "\",\"ret\":%" PRIu32 ",\"esr_ec\":%" PRIu32,
			v->pc, v->ret, v->esr_ec);
		break;
	}
	case VGR_INJECT: {
		const struct vgr_inject *v = p;

		fprintf(f, ",\"intid\":%" PRIu32 ",\"level\":%u,\"path\":\"%s\"", v->intid,
			v->level, path_name(v->path));
		break;
	}
	case VGR_SGI: {
		const struct vgr_sgi *v = p;

		fprintf(f, ",\"value\":\"0x%" PRIx64 "\",\"allow_group1\":%s", v->value,
			v->allow_group1 ? "true" : "false");
		break;
	}
	case VGR_MSI: {
		const struct vgr_msi *v = p;

		fprintf(f,
			",\"devid\":%" PRIu32 ",\"eventid\":%" PRIu32 ",\"ret\":%" PRId32
			",\"cached\":%s",
			v->devid, v->eventid, v->ret, v->cached ? "true" : "false");
		break;
	}
	case VGR_DIR:
		fprintf(f, ",\"value\":%" PRIu64, ((const struct vgr_dir *)p)->value);
		break;
	case VGR_MMIO: {
		const struct vgr_mmio *v = p;

		fprintf(f,
			",\"gpa\":\"0x%" PRIx64 "\",\"len\":%u,\"write\":%s,\"value\":\"0x%" PRIx64
			"\"",
			v->gpa, v->len, v->write ? "true" : "false", v->value);
		break;
	}
	case VGR_WFX: {
		const struct vgr_wfx *v = p;

		fprintf(f, ",\"pc\":\"0x%" PRIx64 "\",\"wfe\":%s", v->pc,
			v->wfe ? "true" : "false");
		break;
	}
	case VGR_LEVEL: {
		const struct vgr_level *v = p;

		fprintf(f, ",\"intid\":%" PRIu32 ",\"level\":%" PRIu32, v->intid, v->level);
		break;
	}
	case VGR_ACKED: {
		const struct vgr_acked *v = p;

		fprintf(f, ",\"irqchip\":%" PRIu32 ",\"pin\":%" PRIu32, v->irqchip, v->pin);
		break;
	}
	case VGR_HANDLER: {
		const struct vgr_handler *v = p;

		fprintf(f, ",\"begin\":%s,\"irq\":%" PRIu32 ",\"guest_time\":%" PRIu64,
			v->begin ? "true" : "false", v->irq, v->guest_time);
		text_comm(comm, v->name);
		if (v->begin)
			fprintf(f, ",\"name\":\"%s\"", comm);
		else
			fprintf(f, ",\"handled\":%s", v->handled ? "true" : "false");
		break;
	}
	case VGR_LOSS: {
		const struct vgr_loss *v = p;

		fprintf(f,
			",\"first_seq\":%" PRIu32 ",\"count\":%" PRIu32 ",\"from\":%" PRIu64
			",\"to\":%" PRIu64,
			v->first_seq, v->count, v->from, v->to);
		break;
	}
	default:
		break;
	}
}

void json_record(FILE *f, const struct text_gic *g, const struct vgr_rec *rec, uint64_t number)
{
	fprintf(f,
		"{\"n\":%" PRIu64 ",\"type\":\"%s\",\"time\":%" PRIu64 ",\"seq\":%" PRIu32
		",\"cpu\":%u,\"tid\":%" PRIu32 ",\"flags\":%u",
		number, vgr_type_name(rec->type), rec->time, rec->seq, rec->cpu, rec->tid,
		rec->flags);
	if (rec->vm != VGR_NO_VM)
		fprintf(f, ",\"vm\":%u", rec->vm);
	if (rec->vcpu != VGR_NO_VCPU)
		fprintf(f, ",\"vcpu\":%u", rec->vcpu);
	json_rest(f, g, rec);
	fputs("}\n", f);
}
