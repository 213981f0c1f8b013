// SPDX-License-Identifier: GPL-2.0-only
/* One row a record, the same columns in each; vgicsim-export(1) says what they hold. */
#include <inttypes.h>
#include "export.h"

static const char columns[] =
	"number,type,time_ns,begin_ns,seq,cpu,tid,vm,vcpu,flags,intid,level,path,value,address,"
	"bytes,write,ret,ec,pc,hcr,vmcr,used_lrs,lrs,list,after\n";

/* Behind the columns that every record has, in the order of the header, C_BEGIN apart. */
enum column {
	C_BEGIN,
	C_INTID,
	C_LEVEL,
	C_PATH,
	C_VALUE,
	C_ADDRESS,
	C_BYTES,
	C_WRITE,
	C_RET,
	C_EC,
	C_PC,
	C_HCR,
	C_VMCR,
	C_USED,
	C_N
};

struct cells {
	uint64_t value[C_N];
	uint32_t has;
};

static void set(struct cells *c, enum column column, uint64_t value)
{
	c->value[column] = value;
	c->has |= 1u << column;
}

static void fill(struct cells *c, const struct vgr_rec *rec)
{
	const void *p = rec;

	switch (rec->type) {
	case VGR_FLUSH: {
		const struct vgr_flush *v = p;

		set(c, C_BEGIN, v->begin);
		set(c, C_HCR, v->hcr);
		set(c, C_VMCR, v->vmcr);
		set(c, C_USED, v->used_lrs);
		break;
	}
	case VGR_SYNC: {
		const struct vgr_sync *v = p;

		set(c, C_BEGIN, v->begin);
		set(c, C_HCR, v->hcr);
		set(c, C_VMCR, v->vmcr);
		set(c, C_USED, v->used_lrs);
		break;
	}
	case VGR_ENTRY:
		set(c, C_PC, ((const struct vgr_entry *)p)->pc);
		break;
	case VGR_EXIT: {
		const struct vgr_exit *v = p;

		set(c, C_RET, v->ret);
		set(c, C_EC, v->esr_ec);
		set(c, C_PC, v->pc);
		break;
	}
	case VGR_INJECT: {
		const struct vgr_inject *v = p;

		set(c, C_INTID, v->intid);
		set(c, C_LEVEL, v->level);
		set(c, C_PATH, v->path);
		break;
	}
	case VGR_SGI:
		set(c, C_VALUE, ((const struct vgr_sgi *)p)->value);
		break;
	case VGR_MSI: {
		const struct vgr_msi *v = p;

		set(c, C_ADDRESS, v->devid);
		set(c, C_VALUE, v->eventid);
		set(c, C_RET, (uint64_t)(int64_t)v->ret);
		break;
	}
	case VGR_DIR:
		set(c, C_VALUE, ((const struct vgr_dir *)p)->value);
		break;
	case VGR_MMIO: {
		const struct vgr_mmio *v = p;

		set(c, C_ADDRESS, v->gpa);
		set(c, C_BYTES, v->len);
		set(c, C_WRITE, v->write);
		if (v->write)
			set(c, C_VALUE, v->value);
		break;
	}
	case VGR_WFX: {
		const struct vgr_wfx *v = p;

		set(c, C_VALUE, v->wfe);
		set(c, C_PC, v->pc);
		break;
	}
	case VGR_LEVEL: {
		const struct vgr_level *v = p;

		set(c, C_INTID, v->intid);
		set(c, C_LEVEL, v->level);
		break;
	}
	case VGR_ACKED: {
		const struct vgr_acked *v = p;

		set(c, C_ADDRESS, v->irqchip);
		set(c, C_VALUE, v->pin);
		break;
	}
	case VGR_HANDLER: {
		const struct vgr_handler *v = p;

		set(c, C_VALUE, v->irq);
		set(c, C_LEVEL, v->begin);
		break;
	}
	case VGR_LOSS: {
		const struct vgr_loss *v = p;

		set(c, C_BEGIN, v->from);
		set(c, C_VALUE, v->count);
		break;
	}
	default:
		break;
	}
}

static void lrs(FILE *f, const struct text_gic *g, const struct vgr_rec *rec, const uint64_t *lr,
		unsigned int n)
{
	char text[64];

	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? " " : "",
			text_lr(text, sizeof(text), text_gic_lr(g, lr[i]),
				text_gic_v2_guest(g, rec), false));
}

static void list(FILE *f, const struct vgr_irq *irqs, unsigned int n)
{
	char text[64];

	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? " " : "", text_irq(text, sizeof(text), &irqs[i], false));
}

static int csv_begin(void **state, FILE *f, const struct vgr_header *h)
{
	*state = NULL;
	fputs(columns, f);
	return 0;
}

/* Registers are hexadecimal, return values signed. */
static void cell(FILE *f, const struct cells *c, enum column column)
{
	fputc(',', f);
	if (!(c->has & 1u << column))
		return;
	switch (column) {
	case C_VALUE:
	case C_ADDRESS:
	case C_PC:
	case C_HCR:
	case C_VMCR:
		fprintf(f, "0x%" PRIx64, c->value[column]);
		break;
	case C_RET:
		fprintf(f, "%" PRId64, (int64_t)c->value[column]);
		break;
	default:
		fprintf(f, "%" PRIu64, c->value[column]);
		break;
	}
}

static void number_or_none(FILE *f, uint16_t value, uint16_t none)
{
	if (value == none)
		fputc(',', f);
	else
		fprintf(f, ",%u", value);
}

static int csv_record(void *state, FILE *f, const struct text_gic *g, const struct vgr_rec *rec,
		      uint64_t number)
{
	struct cells c = {.has = 0};
	const void *p = rec;

	fill(&c, rec);
	fprintf(f, "%" PRIu64 ",%s,%" PRIu64, number, vgr_type_name(rec->type), rec->time);
	cell(f, &c, C_BEGIN);
	fprintf(f, ",%" PRIu32 ",%u,%" PRIu32, rec->seq, rec->cpu, rec->tid);
	number_or_none(f, rec->vm, VGR_NO_VM);
	number_or_none(f, rec->vcpu, VGR_NO_VCPU);
	fprintf(f, ",%u", rec->flags);
	for (enum column i = C_INTID; i < C_N; i++)
		cell(f, &c, i);
	fputc(',', f);
	if (rec->type == VGR_FLUSH) {
		const struct vgr_flush *v = p;

		lrs(f, g, rec, vgr_flush_lrs(v), v->used_lrs < v->nr_lr ? v->used_lrs : v->nr_lr);
		fputc(',', f);
		list(f, vgr_flush_before(v), v->n_before);
		fputc(',', f);
		list(f, vgr_flush_after(v), v->n_after);
	} else if (rec->type == VGR_SYNC) {
		const struct vgr_sync *v = p;

		lrs(f, g, rec, vgr_sync_lrs(v), v->used_lrs);
		fputc(',', f);
		list(f, vgr_sync_before(v), v->n_before);
		fputc(',', f);
		list(f, vgr_sync_after(v), v->n_before);
	} else {
		fputs(",,", f);
	}
	fputc('\n', f);
	return 0;
}

const struct export_format export_csv = {
	.name = "csv",
	.begin = csv_begin,
	.record = csv_record,
};
