// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <vgicsim/gich.h>
#include <vgicsim/recording.h>
#include "exit.h"
#include "options.h"
#include "output.h"
#include "text.h"

#define ANY UINT64_MAX

struct dump_values {
	bool json, verbose;
	const char *type;
	uint64_t vm, vcpu, cpu, intid;
	uint64_t limit, threads;
	uint64_t from, to;
	struct option_range records;
};

static const char *const type_names[] = {
	"vcpu", "flush", "sync", "entry", "exit",  "inject", "sgi",   "msi",  "dir",	 "mmio",
	"wfx",	"load",	 "put",	 "kick",  "level", "acked",  "prune", "loss", "handler", NULL,
};

#define AT(member) offsetof(struct dump_values, member)

static const struct option options[] = {
	{'j', "json", OPT_FLAG, AT(json), NULL, "one line of JSON a record", 0, 0, NULL},
	{'v', "verbose", OPT_FLAG, AT(verbose), NULL,
	 "priorities, groups, lists before and all HCR bits too", 0, 0, NULL},
	{'n', "limit", OPT_NUMBER, AT(limit), "N", "stop after N records", 1, UINT64_MAX, NULL},
	{0, "type", OPT_CHOICE, AT(type), "TYPE", "only records of this type", 0, 0, type_names},
	{0, "vm", OPT_NUMBER, AT(vm), "N", "only this VM", 0, 65534, NULL},
	{0, "vcpu", OPT_NUMBER, AT(vcpu), "N", "only vCPUs of this index", 0, 65534, NULL},
	{0, "cpu", OPT_NUMBER, AT(cpu), "N", "only this physical CPU", 0, 65535, NULL},
	{0, "irq", OPT_NUMBER, AT(intid), "INTID", "only records in which this interrupt occurs", 0,
	 UINT32_MAX - 2, NULL},
	{0, "records", OPT_RANGE, AT(records), "N-M", "only records of these numbers", 1,
	 UINT64_MAX, NULL},
	{0, "from", OPT_DURATION, AT(from), "TIME", "leave out what came earlier after the start",
	 0, 0, NULL},
	{0, "to", OPT_DURATION, AT(to), "TIME", "leave out what came later after the start", 0, 0,
	 NULL},
	THREADS_OPTION(AT(threads)),
	{0},
};

static const struct dump_values defaults = {
	.vm = ANY,
	.vcpu = ANY,
	.cpu = ANY,
	.intid = ANY,
	.limit = UINT64_MAX,
	.to = UINT64_MAX,
	.records = {1, UINT64_MAX},
};

static bool in_list(const struct vgr_irq *irqs, unsigned int n, uint64_t intid)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (irqs[i].intid == intid)
			return true;
	}
	return false;
}

static bool concerns(const struct text_gic *g, const struct vgr_rec *rec, uint64_t intid)
{
	const void *p = rec;

	switch (rec->type) {
	case VGR_FLUSH: {
		const struct vgr_flush *v = p;

		return in_list(vgr_flush_before(v), v->n_before, intid) ||
		       in_list(vgr_flush_after(v), v->n_after, intid);
	}
	case VGR_SYNC: {
		const struct vgr_sync *v = p;

		return in_list(vgr_sync_before(v), v->n_before, intid);
	}
	case VGR_INJECT:
		return ((const struct vgr_inject *)p)->intid == intid;
	case VGR_LEVEL:
		return ((const struct vgr_level *)p)->intid == intid;
	case VGR_DIR:
		/* Behind the INTID: the source CPU of an SGI. */
		return (((const struct vgr_dir *)p)->value &
			(text_gic_v2_guest(g, rec) ? VGIC_GICH_LR_VINTID : UINT64_MAX)) == intid;
	case VGR_MMIO:
		return text_gic_sgir(g, rec) &&
		       (((const struct vgr_mmio *)p)->value & 0xf) == intid;
	case VGR_SGI: /* ICC_SGI1R_EL1.INTID, bits 27:24 */
		return ((((const struct vgr_sgi *)p)->value >> 24) & 0xf) == intid;
	default:
		return false;
	}
}

static bool wanted(const struct dump_values *v, const struct text_gic *g, const struct vgr_rec *rec,
		   uint64_t start)
{
	uint64_t t = rec->time < start ? 0 : rec->time - start;

	return (!v->type || !strcmp(v->type, vgr_type_name(rec->type))) &&
	       (v->vm == ANY || v->vm == rec->vm) && (v->vcpu == ANY || v->vcpu == rec->vcpu) &&
	       (v->cpu == ANY || v->cpu == rec->cpu) && t >= v->from && t <= v->to &&
	       (v->intid == ANY || concerns(g, rec, v->intid));
}

static int run(const void *values, const struct cli_args *args)
{
	const struct dump_values *v = values;
	const struct vgr_rec *rec;
	struct vgr_position pos;
	struct vgr_reader *r;
	struct text_gic g;
	uint64_t start = 0, shown = 0;
	bool started = false;
	int err = 0, ret;

	cli_set_threads(v->threads);
	r = cli_open_recording(args->v[0]);
	if (!r)
		return EXIT_INPUT;
	text_gic_init(&g, vgr_reader_header(r));
	while (shown < v->limit && (err = vgr_reader_next(r, &rec)) > 0) {
		if (!started) {
			start = rec->time;
			started = true;
		}
		text_gic_note(&g, rec);
		vgr_reader_position(r, &pos);
		if (pos.record > v->records.last)
			break;
		if (pos.record < v->records.first || !wanted(v, &g, rec, start))
			continue;
		shown++;
		if (v->json)
			json_record(stdout, &g, rec, pos.record);
		else
			text_record(stdout, &g, rec, start, v->verbose);
		if (ferror(stdout))
			break;
	}
	ret = cli_finish_stdout();
	if (ret == EXIT_OK && shown < v->limit && err <= 0) {
		if (err < 0)
			ret = cli_fail_recording(args->v[0], vgr_reader_error(r));
		else
			cli_recording_ending(args->v[0], r);
	}
	vgr_reader_close(r);
	return ret;
}

static const char *const examples[] = {
	"vgicsim dump run.vgr | less                 # everything",
	"vgicsim dump --type=flush --vcpu=0 run.vgr  # what entered the list registers",
	"vgicsim dump --irq=27 --to=100ms run.vgr    # one interrupt, first 100 ms",
	"vgicsim dump --json run.vgr | jq .type      # for programs",
	NULL,
};

const struct command cmd_dump = {
	.name = "dump",
	.summary = "Print the records of a recording, one line each",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct dump_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
	.notes = "In a list 36P is pending, 36A active, 36* on a list register, 36! disabled;\n"
		 "in a list register 36p is pending, 36a active, 36- empty again. Of a GICv2\n"
		 "guest 5<1p is SGI 5 of its CPU 1.",
	.run = run,
};
