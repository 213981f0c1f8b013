// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include <vgicsim/recording.h>
#include "exit.h"
#include "export.h"
#include "options.h"
#include "output.h"
#include "text.h"

#define ANY UINT64_MAX

struct export_values {
	const char *to, *output;
	uint64_t vm, vcpu, from, until, threads;
};

static int ndjson_begin(void **state, FILE *f, const struct vgr_header *h)
{
	*state = NULL;
	return 0;
}

static int ndjson_record(void *state, FILE *f, const struct text_gic *g, const struct vgr_rec *rec,
			 uint64_t number)
{
	json_record(f, g, rec, number);
	return 0;
}

const struct export_format export_ndjson = {
	.name = "ndjson",
	.begin = ndjson_begin,
	.record = ndjson_record,
};

static const struct export_format *const formats[] = {&export_perfetto, &export_csv, &export_ndjson,
						      &export_trace_dat};
static const char *const format_names[] = {"perfetto", "csv", "ndjson", "trace.dat", NULL};

#define AT(member) offsetof(struct export_values, member)

static const struct option options[] = {
	{0, "to", OPT_CHOICE, AT(to), "FORMAT", "what to write", 0, 0, format_names},
	{'o', "output", OPT_STRING, AT(output), "FILE", "write to FILE, not to standard output", 0,
	 0, NULL},
	{0, "vm", OPT_NUMBER, AT(vm), "N", "only this VM", 0, 65534, NULL},
	{0, "vcpu", OPT_NUMBER, AT(vcpu), "N", "only vCPUs of this index", 0, 65534, NULL},
	{0, "from", OPT_DURATION, AT(from), "TIME", "leave out what came earlier after the start",
	 0, 0, NULL},
	{0, "until", OPT_DURATION, AT(until), "TIME", "leave out what came later after the start",
	 0, 0, NULL},
	THREADS_OPTION(AT(threads)),
	{0},
};

static const struct export_values defaults = {
	.to = "perfetto",
	.vm = ANY,
	.vcpu = ANY,
	.until = UINT64_MAX,
};

static const struct export_format *format_of(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

/* A line of a device has no vCPU: it is part of each. */
static bool wanted(const struct export_values *v, const struct vgr_rec *rec, uint64_t start)
{
	uint64_t t = rec->time > start ? rec->time - start : 0;

	return t >= v->from && t <= v->until && (v->vm == ANY || v->vm == rec->vm) &&
	       (v->vcpu == ANY || v->vcpu == rec->vcpu || rec->vcpu == VGR_NO_VCPU);
}

/* All records: 0, a negative errno of the format, or 1: the recording cannot be read. */
static int write_all(const struct export_values *v, const struct export_format *format, FILE *f,
		     struct vgr_reader *r)
{
	const struct vgr_header *h = vgr_reader_header(r);
	uint64_t start = 0, last = 0, number = 0;
	const struct vgr_rec *rec;
	struct vgr_position pos;
	struct text_gic g;
	void *state = NULL;
	int got = 0, ret;

	text_gic_init(&g, h);
	ret = format->begin(&state, f, h);
	while (!ret && (got = vgr_reader_next(r, &rec)) > 0) {
		start = number++ ? start : rec->time;
		text_gic_note(&g, rec);
		/* Who a vCPU is, is said once, and wanted for all that comes after. */
		if (!wanted(v, rec, start) && rec->type != VGR_VCPU)
			continue;
		vgr_reader_position(r, &pos);
		last = rec->time > last ? rec->time : last;
		ret = format->record(state, f, &g, rec, pos.record);
		if (!ret && ferror(f))
			ret = -EIO;
	}
	if (!ret && got < 0)
		ret = 1;
	else if (!ret && format->end)
		ret = format->end(state, f, last);
	if (format->destroy)
		format->destroy(state);
	return ret;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct export_values *v = values;
	const char *path = args->v[0], *to = v->output ? v->output : "standard output";
	struct vgic_outfile o = {0};
	struct vgr_reader *r;
	int ret;

	cli_set_threads(v->threads);
	if (v->output)
		cli_show_reading();
	r = cli_open_recording(path);
	if (!r)
		return EXIT_INPUT;
	ret = vgic_outfile_open(&o, v->output);
	if (ret) {
		vgr_reader_close(r);
		return cli_fail(EXIT_OUTPUT, "%s: %s: choose another file with -o", to,
				strerror(-ret));
	}
	ret = write_all(v, format_of(v->to), o.f, r);
	if (ret == 1) {
		ret = cli_fail_recording(path, vgr_reader_error(r));
		vgic_outfile_abandon(&o);
	} else if (ret == -ENOMEM) {
		ret = cli_fail(EXIT_SOFTWARE, "%s: no memory: export less with --vm or --until",
			       path);
		vgic_outfile_abandon(&o);
	} else if (ret == -ERANGE) {
		ret = cli_fail(EXIT_INPUT,
			       "a record of a CPU that no trace.dat has room for: %s: choose "
			       "another format with --to",
			       path);
		vgic_outfile_abandon(&o);
	} else {
		if (ret)
			vgic_outfile_abandon(&o);
		else
			ret = vgic_outfile_commit(&o);
		if (ret)
			ret = cli_fail(EXIT_OUTPUT, "%s: %s: is the disk full?", to,
				       strerror(-ret));
		else
			cli_recording_ending(path, r);
	}
	vgr_reader_close(r);
	return ret;
}

static const char *const examples[] = {
	"vgicsim export -o run.pftrace run.vgr         # for ui.perfetto.dev",
	"vgicsim export --to csv --vcpu 0 run.vgr >run.csv",
	"vgicsim export --to trace.dat -o trace.dat run.vgr && trace-cmd report -N trace.dat",
	"vgicsim export --to ndjson run.vgr | jq -c 'select(.type == \"inject\")'",
	NULL,
};

const struct command cmd_export = {
	.name = "export",
	.summary = "Write a recording in the format of another tool",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct export_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
	.run = run,
};
