// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording as a trace.dat, for trace-cmd and KernelShark. What the kernel has a tracepoint
 * for is an event of that name with its fields (and the vCPU behind them); what only a recording
 * has is an event of the system vgic.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/decode.h>
#include <vgicsim/metrics.h>
#include "dat_file.h"
#include "export.h"

/* More vCPUs than this have no name and no MIs of their own. */
#define MAX_VCPUS 4096u

enum kind {
	K_ENTRY,
	K_EXIT,
	K_INJECT,
	K_ACKED,
	K_MMIO,
	K_WFX,
	K_VCPU,
	K_FLUSH,
	K_SYNC,
	K_HANDLER,
	K_MI,
	K_SGI,
	K_MSI,
	K_DIR,
	K_LOAD,
	K_PUT,
	K_KICK,
	K_PRUNE,
	K_LEVEL,
	K_LOSS,
	NR_KINDS
};

/* -1: none. Behind the fields that the kernel's event has. */
/* clang-format off */
#define THE_VM	 {"int", "vm", 4, true}
#define THE_VCPU {"int", "vcpu", 4, true}
#define WHO	 THE_VM, THE_VCPU
/* clang-format on */
#define ONE_VCPU "vCPU %d:%d"
#define ITS_VCPU "REC->vm, REC->vcpu"
#define JUST_IT	 "\"" ONE_VCPU "\", " ITS_VCPU
#define MI_SOURCES                                                                \
	"{ 0x1, \"EOI\" }, { 0x2, \"U\" }, { 0x4, \"LRENP\" }, { 0x8, \"NP\" }, " \
	"{ 0x10, \"VGrp0E\" }, { 0x20, \"VGrp0D\" }, { 0x40, \"VGrp1E\" }, { 0x80, \"VGrp1D\" }"

static const struct dat_kind kinds[NR_KINDS] = {
	[K_ENTRY] = {"kvm",
		     "kvm_entry",
		     {{"unsigned long", "vcpu_pc", 8, false}, WHO},
		     "\"" ONE_VCPU " PC: 0x%016lx\", " ITS_VCPU ", REC->vcpu_pc"},
	[K_EXIT] = {"kvm",
		    "kvm_exit",
		    {{"int", "ret", 4, true},
		     {"unsigned int", "esr_ec", 4, false},
		     {"unsigned long", "vcpu_pc", 8, false},
		     WHO},
		    "\"" ONE_VCPU " %s: HSR_EC: 0x%04x (%s), PC: 0x%016lx\", " ITS_VCPU ", "
		    "__print_symbolic(REC->ret, { 0, \"IRQ\" }, { 1, \"EL1_SERROR\" }, "
		    "{ 2, \"TRAP\" }), REC->esr_ec, "
		    "__print_symbolic(REC->esr_ec, { 0, \"-\" }, { 0x01, \"WFx\" }, "
		    "{ 0x16, \"HVC64\" }, { 0x17, \"SMC64\" }, { 0x18, \"SYS64\" }, "
		    "{ 0x20, \"IABT_LOW\" }, { 0x24, \"DABT_LOW\" }), REC->vcpu_pc"},
	[K_INJECT] = {"kvm",
		      "vgic_update_irq_pending",
		      {{"unsigned long", "vcpu_id", 8, false},
		       {"__u32", "irq", 4, false},
		       {"bool", "level", 1, false},
		       {"u8", "path", 1, false},
		       WHO},
		      "\"" ONE_VCPU " IRQ %u, level: %u, by %s\", " ITS_VCPU ", REC->irq, "
		      "REC->level, __print_symbolic(REC->path, { 0, \"-\" }, { 1, \"ioctl\" }, "
		      "{ 2, \"irqfd\" }, { 3, \"timer\" }, { 4, \"pmu\" }, { 5, \"nested\" })"},
	[K_ACKED] = {"kvm",
		     "kvm_ack_irq",
		     {{"unsigned int", "irqchip", 4, false}, {"unsigned int", "pin", 4, false}},
		     "\"irqchip %u pin %u\", REC->irqchip, REC->pin"},
	[K_MMIO] = {"kvm",
		    "kvm_mmio",
		    {{"u32", "type", 4, false},
		     {"u32", "len", 4, false},
		     {"u64", "gpa", 8, false},
		     {"u64", "val", 8, false},
		     WHO},
		    "\"" ONE_VCPU " mmio %s len %u gpa 0x%llx val 0x%llx\", " ITS_VCPU ", "
		    "__print_symbolic(REC->type, { 0, \"unsatisfied-read\" }, { 1, \"read\" }, "
		    "{ 2, \"write\" }), REC->len, REC->gpa, REC->val"},
	[K_WFX] = {"kvm",
		   "kvm_wfx_arm64",
		   {{"unsigned long", "vcpu_pc", 8, false}, {"bool", "is_wfe", 1, false}, WHO},
		   "\"" ONE_VCPU " guest executed wf%c at: 0x%016lx\", " ITS_VCPU ", "
		   "REC->is_wfe ? 'e' : 'i', REC->vcpu_pc"},
	[K_VCPU] = {"vgic",
		    "vcpu",
		    {WHO, {"u32", "tgid", 4, false}, {"u32", "id", 4, false}, DAT_TEXT("comm")},
		    "\"" ONE_VCPU " id %u of %s, process %u\", " ITS_VCPU ", REC->id, "
		    "__get_str(comm), REC->tgid"},
	[K_FLUSH] = {"vgic",
		     "flush",
		     {WHO,
		      {"u64", "begin", 8, false},
		      {"u32", "hcr", 4, false},
		      {"u32", "vmcr", 4, false},
		      {"u16", "used_lrs", 2, false},
		      {"u16", "nr_lr", 2, false},
		      {"u16", "nr_list", 2, false},
		      DAT_TEXT("lrs"),
		      DAT_TEXT("list")},
		     "\"" ONE_VCPU " hcr=%08x LR %u/%u: %s | ap_list %u: %s\", " ITS_VCPU ", "
		     "REC->hcr, REC->used_lrs, REC->nr_lr, __get_str(lrs), REC->nr_list, "
		     "__get_str(list)"},
	[K_SYNC] = {"vgic",
		    "sync",
		    {WHO,
		     {"u64", "begin", 8, false},
		     {"u32", "hcr", 4, false},
		     {"u32", "vmcr", 4, false},
		     {"u32", "misr", 4, false},
		     {"u16", "used_lrs", 2, false},
		     {"u16", "nr_list", 2, false},
		     DAT_TEXT("lrs"),
		     DAT_TEXT("list")},
		    "\"" ONE_VCPU " hcr=%08x LR %u: %s | ap_list %u: %s\", " ITS_VCPU ", REC->hcr, "
		    "REC->used_lrs, __get_str(lrs), REC->nr_list, __get_str(list)"},
	[K_HANDLER] = {"vgic",
		       "handler",
		       {WHO,
			{"u64", "guest_time", 8, false},
			{"u32", "irq", 4, false},
			{"bool", "begin", 1, false},
			{"bool", "handled", 1, false},
			DAT_TEXT("name")},
		       "\"" ONE_VCPU " irq %u %s %s\", " ITS_VCPU ", REC->irq, "
		       "__print_symbolic(REC->begin, { 0, \"end\" }, { 1, \"begin\" }), "
		       "__get_str(name)"},
	[K_MI] = {"vgic",
		  "mi",
		  {WHO, {"u32", "sources", 4, false}},
		  "\"" ONE_VCPU " %s\", " ITS_VCPU ", "
		  "__print_flags(REC->sources, \" \", " MI_SOURCES ")"},
	[K_SGI] = {"vgic",
		   "sgi",
		   {WHO, {"u64", "value", 8, false}, {"u32", "intid", 4, false}},
		   "\"" ONE_VCPU " SGI %u value=0x%llx\", " ITS_VCPU ", REC->intid, REC->value"},
	[K_MSI] =
		{"vgic",
		 "msi",
		 {WHO,
		  {"u32", "devid", 4, false},
		  {"u32", "eventid", 4, false},
		  {"int", "ret", 4, true},
		  {"bool", "cached", 1, false}},
		 "\"VM %d device 0x%x event %u: %d\", REC->vm, REC->devid, REC->eventid, REC->ret"},
	[K_DIR] = {"vgic",
		   "dir",
		   {WHO, {"u64", "value", 8, false}},
		   "\"" ONE_VCPU " 0x%llx\", " ITS_VCPU ", REC->value"},
	[K_LOAD] = {"vgic", "load", {WHO}, JUST_IT},
	[K_PUT] = {"vgic", "put", {WHO}, JUST_IT},
	[K_KICK] = {"vgic", "kick", {WHO}, JUST_IT},
	[K_PRUNE] = {"vgic", "prune", {WHO}, JUST_IT},
	[K_LEVEL] = {"vgic",
		     "level",
		     {WHO, {"u32", "intid", 4, false}, {"u32", "level", 4, false}},
		     "\"" ONE_VCPU " IRQ %u: %u\", " ITS_VCPU ", REC->intid, REC->level"},
	[K_LOSS] = {"vgic",
		    "loss",
		    {{"u32", "first_seq", 4, false},
		     {"u32", "count", 4, false},
		     {"u64", "from", 8, false},
		     {"u64", "to", 8, false}},
		    "\"%u records are missing between %llu and %llu ns\", REC->count, REC->from, "
		    "REC->to"},
};

struct vcpu {
	uint16_t vm, vcpu;
	uint32_t misr; /* of the last sync */
	uint32_t tgid, named;
	char comm[17];
};

struct trace_dat {
	struct dat_file *file;
	struct vgic_decoder *decoder;
	unsigned int nr_lr;
	struct vcpu *vcpus;
	size_t nr_vcpus;
	char release[128];
};

static struct vcpu *vcpu_of(struct trace_dat *x, const struct vgr_rec *rec)
{
	static const size_t step = 64;

	if (rec->vm == VGR_NO_VM || rec->vcpu == VGR_NO_VCPU)
		return NULL;
	for (size_t i = 0; i < x->nr_vcpus; i++)
		if (x->vcpus[i].vm == rec->vm && x->vcpus[i].vcpu == rec->vcpu)
			return &x->vcpus[i];
	if (x->nr_vcpus == MAX_VCPUS)
		return NULL;
	if (x->nr_vcpus % step == 0) {
		struct vcpu *p = realloc(x->vcpus, (x->nr_vcpus + step) * sizeof(*p));

		if (!p)
			return NULL;
		x->vcpus = p;
	}
	x->vcpus[x->nr_vcpus] = (struct vcpu){.vm = rec->vm, .vcpu = rec->vcpu};
	return &x->vcpus[x->nr_vcpus++];
}

/* ---- one event ---- */

static void begin(struct trace_dat *x, enum kind kind, const struct vgr_rec *rec)
{
	dat_event_begin(x->file, kind, rec->tid);
}

static void number(struct trace_dat *x, uint64_t value)
{
	dat_event_number(x->file, value);
}

static void who(struct trace_dat *x, const struct vgr_rec *rec)
{
	number(x, rec->vm == VGR_NO_VM ? UINT32_MAX : rec->vm);
	number(x, rec->vcpu == VGR_NO_VCPU ? UINT32_MAX : rec->vcpu);
}

static int end(struct trace_dat *x, const struct vgr_rec *rec)
{
	return dat_event_end(x->file, rec->cpu, rec->time);
}

/* One behind the other, as vgicsim-dump(1) writes them; "..." where there are more. */
struct words {
	char text[DAT_MAX_TEXT];
	size_t n;
	bool full;
};

static void add_word(struct words *w, const char *word)
{
	size_t n = strlen(word);

	if (w->full)
		return;
	if (w->n + n + sizeof(" ...") + 1 > sizeof(w->text)) {
		w->full = true;
		word = "...";
		n = 3;
	}
	if (w->n)
		w->text[w->n++] = ' ';
	memcpy(w->text + w->n, word, n + 1);
	w->n += n;
}

static void put_lrs(struct trace_dat *x, const struct text_gic *g, const struct vgr_rec *rec,
		    const uint64_t *lr, unsigned int n)
{
	struct words w = {.n = 0};
	char word[64];

	for (unsigned int i = 0; i < n; i++)
		add_word(&w, text_lr(word, sizeof(word), text_gic_lr(g, lr[i]),
				     text_gic_v2_guest(g, rec), false));
	dat_event_text(x->file, w.text);
}

static void put_list(struct trace_dat *x, const struct vgr_irq *irqs, unsigned int n)
{
	struct words w = {.n = 0};
	char word[64];

	for (unsigned int i = 0; i < n && !w.full; i++)
		add_word(&w, text_irq(word, sizeof(word), &irqs[i], false));
	dat_event_text(x->file, w.text);
}

static int put_flush(struct trace_dat *x, const struct text_gic *g, const struct vgr_flush *r)
{
	unsigned int used = r->used_lrs < r->nr_lr ? r->used_lrs : r->nr_lr;

	begin(x, K_FLUSH, &r->r);
	who(x, &r->r);
	number(x, r->begin);
	number(x, r->hcr);
	number(x, r->vmcr);
	number(x, used);
	number(x, r->nr_lr);
	number(x, r->n_after);
	put_lrs(x, g, &r->r, vgr_flush_lrs(r), used);
	put_list(x, vgr_flush_after(r), r->n_after);
	return end(x, &r->r);
}

static int put_sync(struct trace_dat *x, const struct text_gic *g, const struct vgr_sync *r,
		    uint32_t misr)
{
	begin(x, K_SYNC, &r->r);
	who(x, &r->r);
	number(x, r->begin);
	number(x, r->hcr);
	number(x, r->vmcr);
	number(x, misr);
	number(x, r->used_lrs);
	number(x, r->n_before);
	put_lrs(x, g, &r->r, vgr_sync_lrs(r), r->used_lrs);
	put_list(x, vgr_sync_after(r), r->n_before);
	return end(x, &r->r);
}

static int put_vcpu(struct trace_dat *x, const struct vgr_vcpu *r, struct vcpu *v)
{
	char comm[sizeof(r->comm) + 1] = "";

	text_comm(comm, r->comm);
	if (v) {
		v->tgid = r->tgid;
		memcpy(v->comm, comm, sizeof(v->comm));
	}
	begin(x, K_VCPU, &r->r);
	who(x, &r->r);
	number(x, r->tgid);
	number(x, r->vcpu_id);
	dat_event_text(x->file, comm);
	return end(x, &r->r);
}

static int put_handler(struct trace_dat *x, const struct vgr_handler *r)
{
	char name[sizeof(r->name)];

	text_comm(name, r->name);
	begin(x, K_HANDLER, &r->r);
	who(x, &r->r);
	number(x, r->guest_time);
	number(x, r->irq);
	number(x, r->begin);
	number(x, r->handled);
	dat_event_text(x->file, name);
	return end(x, &r->r);
}

/* The exit, and behind it what it was for if that was a maintenance interrupt. */
static int put_exit(struct trace_dat *x, const struct vgr_exit *r, struct vcpu *v)
{
	uint32_t misr = v && r->ret == 0 ? v->misr : 0;
	int ret;

	begin(x, K_EXIT, &r->r);
	number(x, r->ret);
	number(x, r->esr_ec);
	number(x, r->pc);
	who(x, &r->r);
	ret = end(x, &r->r);
	if (v)
		v->misr = 0;
	if (ret || !misr)
		return ret;
	begin(x, K_MI, &r->r);
	who(x, &r->r);
	number(x, misr);
	return end(x, &r->r);
}

static int put_inject(struct trace_dat *x, const struct vgr_inject *r)
{
	begin(x, K_INJECT, &r->r);
	/* The tracepoint has 0 for an SPI. */
	number(x, r->r.vcpu == VGR_NO_VCPU ? 0 : r->r.vcpu);
	number(x, r->intid);
	number(x, r->level);
	number(x, r->path);
	who(x, &r->r);
	return end(x, &r->r);
}

static int put_mmio(struct trace_dat *x, const struct vgr_mmio *r)
{
	begin(x, K_MMIO, &r->r);
	number(x, r->write ? 2 : 0);
	number(x, r->len);
	number(x, r->gpa);
	number(x, r->value);
	who(x, &r->r);
	return end(x, &r->r);
}

static int put_sgi(struct trace_dat *x, const struct vgr_sgi *r)
{
	begin(x, K_SGI, &r->r);
	who(x, &r->r);
	number(x, r->value);
	number(x, r->value >> 24 & 0xf);
	return end(x, &r->r);
}

static int put_msi(struct trace_dat *x, const struct vgr_msi *r)
{
	begin(x, K_MSI, &r->r);
	who(x, &r->r);
	number(x, r->devid);
	number(x, r->eventid);
	number(x, (uint32_t)r->ret);
	number(x, r->cached);
	return end(x, &r->r);
}

static int put_loss(struct trace_dat *x, const struct vgr_loss *r)
{
	int ret = dat_file_lost(x->file, r->r.cpu, r->count);

	if (ret)
		return ret;
	begin(x, K_LOSS, &r->r);
	number(x, r->first_seq);
	number(x, r->count);
	number(x, r->from);
	number(x, r->to);
	return end(x, &r->r);
}

static int put_plain(struct trace_dat *x, enum kind kind, const struct vgr_rec *rec)
{
	begin(x, kind, rec);
	who(x, rec);
	return end(x, rec);
}

/* Two numbers of whatever it is. */
static int put_pair(struct trace_dat *x, enum kind kind, const struct vgr_rec *rec, uint64_t a,
		    uint64_t b)
{
	begin(x, kind, rec);
	if (kind == K_LEVEL)
		who(x, rec);
	number(x, a);
	number(x, b);
	if (kind == K_WFX)
		who(x, rec);
	return end(x, rec);
}

/* ---- records ---- */

/* The thread that enters the guest is the vCPU's. */
static int name_thread(struct trace_dat *x, const struct vgr_rec *rec, struct vcpu *v)
{
	char name[48];

	if (!v || v->named == rec->tid)
		return 0;
	v->named = rec->tid;
	snprintf(name, sizeof(name), "vCPU %u:%u%s%s", v->vm, v->vcpu, v->comm[0] ? " " : "",
		 v->comm);
	return dat_file_task(x->file, rec->tid, name);
}

static int trace_dat_record(void *state, FILE *f, const struct text_gic *g,
			    const struct vgr_rec *rec, uint64_t number_of)
{
	struct trace_dat *x = state;
	const struct vgr_rec *decoded = vgic_decode(x->decoder, rec);
	struct vcpu *v = vcpu_of(x, rec);
	const void *p = rec;
	int ret;

	switch (rec->type) {
	case VGR_VCPU:
		return put_vcpu(x, p, v);
	case VGR_FLUSH:
		return put_flush(x, g, p);
	case VGR_SYNC: {
		const struct vgr_sync *r = p;
		uint32_t misr = r->nested ? 0 : vgic_sync_misr((const void *)decoded, x->nr_lr);

		if (v)
			v->misr = misr;
		return put_sync(x, g, r, misr);
	}
	case VGR_ENTRY:
		ret = name_thread(x, rec, v);
		if (ret)
			return ret;
		begin(x, K_ENTRY, rec);
		number(x, ((const struct vgr_entry *)p)->pc);
		who(x, rec);
		return end(x, rec);
	case VGR_EXIT:
		return put_exit(x, p, v);
	case VGR_INJECT:
		return put_inject(x, p);
	case VGR_SGI:
		return put_sgi(x, p);
	case VGR_MSI:
		return put_msi(x, p);
	case VGR_DIR:
		begin(x, K_DIR, rec);
		who(x, rec);
		number(x, ((const struct vgr_dir *)p)->value);
		return end(x, rec);
	case VGR_MMIO:
		ret = put_mmio(x, p);
		/* How the guest of a GICv2 sends one. */
		if (!ret && decoded->type == VGR_SGI)
			ret = put_sgi(x, (const void *)decoded);
		return ret;
	case VGR_WFX:
		return put_pair(x, K_WFX, rec, ((const struct vgr_wfx *)p)->pc,
				((const struct vgr_wfx *)p)->wfe != 0);
	case VGR_LOAD:
		return put_plain(x, K_LOAD, rec);
	case VGR_PUT:
		return put_plain(x, K_PUT, rec);
	case VGR_KICK:
		return put_plain(x, K_KICK, rec);
	case VGR_PRUNE:
		return put_plain(x, K_PRUNE, rec);
	case VGR_LEVEL:
		return put_pair(x, K_LEVEL, rec, ((const struct vgr_level *)p)->intid,
				((const struct vgr_level *)p)->level);
	case VGR_ACKED:
		return put_pair(x, K_ACKED, rec, ((const struct vgr_acked *)p)->irqchip,
				((const struct vgr_acked *)p)->pin);
	case VGR_HANDLER:
		return put_handler(x, p);
	case VGR_LOSS:
		return put_loss(x, p);
	default:
		return 0;
	}
}

static int trace_dat_begin(void **state, FILE *f, const struct vgr_header *h)
{
	struct trace_dat *x = calloc(1, sizeof(*x));
	int ret;

	*state = x;
	if (!x)
		return -ENOMEM;
	x->nr_lr = h->nr_lr ? h->nr_lr : vgr_lr_limit(h->gic_host);
	snprintf(x->release, sizeof(x->release), "%s", h->kernel_release);
	ret = dat_file_create(&x->file, kinds, NR_KINDS);
	return ret ? ret : vgic_decoder_create(&x->decoder, h->gic_host, h->vgic_model);
}

static int trace_dat_end(void *state, FILE *f, uint64_t last)
{
	struct trace_dat *x = state;
	int ret = 0;

	for (size_t i = 0; !ret && i < x->nr_vcpus; i++)
		ret = dat_file_task(x->file, x->vcpus[i].tgid, x->vcpus[i].comm);
	if (ret)
		return ret;
	return dat_file_write(x->file, f, "[mono]", x->release, "vgicsim " VGICSIM_VERSION);
}

static void trace_dat_destroy(void *state)
{
	struct trace_dat *x = state;

	if (!x)
		return;
	dat_file_destroy(x->file);
	vgic_decoder_destroy(x->decoder);
	free(x->vcpus);
	free(x);
}

const struct export_format export_trace_dat = {
	.name = "trace.dat",
	.begin = trace_dat_begin,
	.record = trace_dat_record,
	.end = trace_dat_end,
	.destroy = trace_dat_destroy,
};
