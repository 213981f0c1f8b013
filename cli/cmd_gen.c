// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include <vgicsim/workload_file.h>
#include "exit.h"
#include "generated.h"
#include "options.h"
#include "output.h"

struct gen_values {
	struct generated_choice choice;
	const char *output;
	bool json, quiet;
};

#define AT(member) offsetof(struct gen_values, member)

static const struct option options[] = {
	{'o', "output", OPT_FILE, AT(output), "FILE", "write the workload to FILE", 0, 0, NULL},
	{0, "kind", OPT_CHOICE, AT(choice.kind), "KIND", "what the load is like", 0, 0,
	 generated_kinds},
	GENERATED_OPTIONS(AT(choice)),
	{'j', "json", OPT_FLAG, AT(json), NULL, "print what was made as JSON", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing", 0, 0, NULL},
	{0}};

static const struct gen_values defaults = {.choice = {.kind = "steady", .seed = 1}};

static void scripts(const void *g, uint64_t first, uint32_t n, struct vgic_script *to)
{
	vgic_generator_scripts(g, first, n, to);
}

static void ops(const void *g, uint64_t first, uint32_t n, struct vgic_op *to)
{
	vgic_generator_ops(g, first, n, to);
}

static void effects(const void *g, uint64_t first, uint32_t n, struct vgic_effect *to)
{
	vgic_generator_effects(g, first, n, to);
}

/* Compressed fast: a long one takes long enough. */
static int write_to(FILE *f, const struct vgw *w, const struct vgic_generator *g,
		    struct vgr_error *err)
{
	const struct vgw_writer_opts opts = {.level = 1};
	struct vgic_generator_counts n = vgic_generator_count(g);
	const struct vgw_elements elements = {
		.opaque = g,
		.nr_scripts = n.scripts,
		.nr_ops = n.ops,
		.nr_effects = n.effects,
		.scripts = scripts,
		.ops = ops,
		.effects = effects,
	};

	return vgw_write_elements(f, w, &elements, &opts, err);
}

static int write_file(const struct vgw *w, const struct vgic_generator *g, const char *path)
{
	struct vgic_outfile o;
	struct vgr_error err = {0};
	int ret = vgic_outfile_open(&o, path);

	if (!ret)
		ret = write_to(o.f, w, g, &err);
	if (ret)
		vgic_outfile_abandon(&o);
	else
		ret = vgic_outfile_commit(&o);
	if (ret == -EFBIG)
		return cli_fail(EXIT_USAGE,
				"too many interrupts for a file: %" PRIu64
				": 'vgicsim bench' replays as many without one",
				vgic_generator_config(g)->interrupts);
	if (ret == -ESPIPE)
		return cli_fail(EXIT_OUTPUT,
				"cannot go back to the beginning: %s: name a file, not a pipe",
				path);
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	if (ret)
		return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", path, strerror(-ret));
	return EXIT_OK;
}

static void print_text(const char *path, const struct vgic_generator *g)
{
	const struct vgic_generate_config *c = vgic_generator_config(g);
	struct vgic_generator_counts n = vgic_generator_count(g);
	char period[24], handler[24], duration[24];

	printf("%s: a demand made by 'vgicsim gen'\n", path);
	printf("  kind        %s, seed %" PRIu64 "\n", vgic_generate_kind_name(c->kind), c->seed);
	printf("  interrupts  %" PRIu64 ", every %s a vCPU, handled for %s\n", c->interrupts,
	       cli_format_ns(period, sizeof(period), c->period_ns),
	       cli_format_ns(handler, sizeof(handler), c->handler_ns));
	printf("  sources     %" PRIu32 " of each of %" PRIu32 " vCPU%s\n", c->in_flight, c->vcpus,
	       c->vcpus == 1 ? "" : "s");
	printf("  length      %s; %" PRIu64 " scripts, %" PRIu64 " operations, %" PRIu64
	       " effects\n",
	       cli_format_ns(duration, sizeof(duration), vgic_generator_frame(g)->duration_ns),
	       n.scripts, n.ops, n.effects);
}

static void print_json(const char *path, const struct vgic_generator *g)
{
	const struct vgic_generate_config *c = vgic_generator_config(g);
	struct vgic_generator_counts n = vgic_generator_count(g);

	cli_print_json(stdout,
		       json_pack("{s:s, s:s, s:I, s:i, s:i, s:I, s:I, s:o, s:I, s:I, s:I, s:I}",
				 "file", path, "kind", vgic_generate_kind_name(c->kind),
				 "interrupts", (json_int_t)c->interrupts, "vcpus", (int)c->vcpus,
				 "in_flight", (int)c->in_flight, "period_ns",
				 (json_int_t)c->period_ns, "handler_ns", (json_int_t)c->handler_ns,
				 "seed", generated_seed(c->seed), "duration_ns",
				 (json_int_t)vgic_generator_frame(g)->duration_ns, "scripts",
				 (json_int_t)n.scripts, "operations", (json_int_t)n.ops, "effects",
				 (json_int_t)n.effects),
		       false);
}

static int run(const void *values, const struct cli_args *args)
{
	const struct gen_values *v = values;
	struct vgic_generator *g;
	struct vgw *w;
	int code;

	if (!v->output)
		return cli_fail(EXIT_USAGE, "no output named: gen: vgicsim gen -o FILE.vgw");
	if (!strcmp(v->output, "-"))
		return cli_fail(EXIT_USAGE, "cannot write to standard output: gen: name a file");
	code = generated_create(&g, &v->choice);
	if (code)
		return code;
	w = calloc(1, sizeof(*w));
	if (w) {
		generated_describe(w, g);
		code = write_file(w, g, v->output);
	} else {
		code = cli_fail(EXIT_SOFTWARE, "no memory: %s", v->output);
	}
	if (!code && !v->quiet) {
		if (v->json)
			print_json(v->output, g);
		else
			print_text(v->output, g);
		code = cli_finish_stdout();
	}
	free(w);
	vgic_generator_destroy(g);
	return code;
}

static const char *const examples[] = {
	"vgicsim gen -o steady.vgw                           # a million interrupts, one at a time",
	"vgicsim gen --kind overflow --in-flight 24 -o o.vgw  # far more than list registers",
	"vgicsim gen --kind many --vcpus 64 -n 10000000 -o m.vgw",
	"vgicsim replay m.vgw --lrs 2-8                      # as any other workload",
	NULL,
};

const struct command cmd_gen = {
	.name = "gen",
	.summary = "Make a workload of any length, of a known kind",
	.usage = "[OPTIONS] -o WORKLOAD",
	.options = options,
	.values_size = sizeof(struct gen_values),
	.defaults = &defaults,
	.examples = examples,
	.run = run,
};
