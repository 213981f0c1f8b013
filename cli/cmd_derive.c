// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include "demand_file.h"
#include "exit.h"
#include "options.h"
#include "output.h"
#include "policy_option.h"

/* Of the recording's virtual machines: the one with most vCPUs. */
#define ANY_VM UINT64_MAX

struct derive_values {
	const char *output, *policy;
	uint64_t vm;
	bool json, quiet;
};

#define AT(member) offsetof(struct derive_values, member)

static const struct option options[] = {
	{'o', "output", OPT_FILE, AT(output), "FILE", "write the workload to FILE", 0, 0, NULL},
	{'P', "policy", OPT_STRING, AT(policy), "NAME",
	 "the recorded kernel's generation, if its release does not tell", 0, 0, NULL},
	{0, "vm", OPT_NUMBER, AT(vm), "N",
	 "the VM whose demand it is: else the one with most vCPUs", 0, 65534, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print what was derived as JSON", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print nothing", 0, 0, NULL},
	{0},
};

static const struct derive_values defaults = {.policy = "auto", .vm = ANY_VM};

/* By whose rules the recording is read: the recorded kernel's own, if they are known. */
static int choose(struct policy_option *o, const struct derive_values *v,
		  const struct vgr_header *h, const char *path, const struct vgic_policy **policy)
{
	int code = policy_option_choose(o, v->policy, h, path);

	*policy = vgic_policy_for_release(h->kernel_release);
	if (!*policy)
		*policy = o->policy;
	return code;
}

static int derive(struct vgw *w, struct demand *d, const struct derive_values *v, const char *path,
		  struct vgr_reader *r)
{
	const struct vgr_header *h = vgr_reader_header(r);
	struct demand_wishes wishes = {.other_vm = true, .vm = demand_vm(h)};
	const struct vgic_policy *policy;
	struct policy_option chosen;
	struct demand_window window;
	int code = choose(&chosen, v, h, path, &policy);

	if (v->vm != ANY_VM)
		wishes.vm = (uint16_t)v->vm;
	if (!code && h->has_totals && wishes.vm && wishes.vm >= h->totals.nr_vms)
		code = cli_fail(EXIT_INPUT, "no VM %u: %s: it has %zu, from 0", wishes.vm, path,
				h->totals.nr_vms);
	if (!code && (h->nr_lr < 1 || h->nr_lr > vgr_lr_limit(h->gic_host)))
		code = cli_fail(EXIT_INPUT, "unknown number of list registers: %s: record it again",
				path);
	if (!code)
		code = demand_find_window(&window, path, r, wishes.vm);
	if (!code && vgr_reader_rewind(r))
		code = cli_fail_recording(path, vgr_reader_error(r));
	if (!code) {
		wishes.timeline = window.found;
		wishes.vcpu = window.vcpu;
		wishes.t0 = window.t0;
		wishes.t1 = window.t1;
		code = demand_read(d, path, r, policy, &wishes);
	}
	if (!code) {
		cli_recording_ending(path, r);
		w->header = *h;
		w->recording = vgr_reader_identity(r);
		w->ending = vgr_reader_ending(r);
		w->vm = wishes.vm;
		w->pairs = d->pairs;
		snprintf(w->tool, sizeof(w->tool), "vgicsim %s", VGICSIM_VERSION);
		snprintf(w->estimator, sizeof(w->estimator), "%s", VGIC_ESTIMATOR);
		snprintf(w->policy, sizeof(w->policy), "%s", policy->name);
		w->derived = d->derived;
		w->has_window = window.found;
		w->window_vcpu = window.vcpu;
		w->window_t0 = window.t0;
		w->window_t1 = window.t1;
		w->workload = *d->workload;
		w->has_recorded = true;
		w->recorded = d->recorded;
	}
	policy_option_finish(&chosen);
	return code;
}

static int copy(FILE *from, FILE *to)
{
	char some[65536];
	size_t n;

	errno = 0;
	rewind(from);
	while ((n = fread(some, 1, sizeof(some), from)))
		if (fwrite(some, 1, n, to) != n)
			break;
	return n || ferror(from) ? (errno ? -errno : -EIO) : 0;
}

/* A pipe cannot be gone back in: it gets what is whole. */
static int write_to_pipe(const struct vgw *w, FILE *to, struct vgr_error *err)
{
	FILE *f = tmpfile();
	int ret = f ? vgw_write(f, w, NULL, err) : -errno;

	if (!ret)
		ret = copy(f, to);
	if (f)
		fclose(f);
	return ret;
}

static int write_file(const struct vgw *w, const char *path, const char *output)
{
	struct vgr_error err = {0};
	struct vgic_outfile o;
	int ret = vgic_outfile_open(&o, output);

	if (!ret) {
		ret = !o.path || ftello(o.f) < 0 ? write_to_pipe(w, o.f, &err)
						 : vgw_write(o.f, w, NULL, &err);
		if (ret)
			vgic_outfile_abandon(&o);
		else
			ret = vgic_outfile_commit(&o);
	}
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	if (err.code)
		return cli_fail(EXIT_INPUT, "no demand to write: %s: %s", path, err.what);
	if (ret)
		return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", output, strerror(-ret));
	return EXIT_OK;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct derive_values *v = values;
	const char *path = args->v[0];
	struct demand demand = {0};
	struct vgr_reader *r;
	struct vgw *w;
	int code;

	if (!v->output)
		return cli_fail(EXIT_USAGE, "no output named: derive: vgicsim derive -o FILE.vgw "
					    "RECORDING");
	r = cli_open_pairs(path);
	if (!r)
		return EXIT_INPUT;
	w = calloc(1, sizeof(*w));
	code = w ? derive(w, &demand, v, path, r) : cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	if (!code)
		code = write_file(w, path, v->output);
	if (!code && !v->quiet && strcmp(v->output, "-")) {
		if (v->json)
			cli_print_json(stdout, demand_json(v->output, w), false);
		else
			demand_print(v->output, w);
		code = cli_finish_stdout();
	}
	/* Everything in it is borrowed. */
	free(w);
	demand_finish(&demand);
	vgr_reader_close(r);
	return code;
}

static const char *const examples[] = {
	"vgicsim derive run.vgr -o run.vgw      # what the guest asked for, without the recording",
	"vgicsim replay run.vgw --lrs 2-8       # the same numbers as from run.vgr",
	"vgicsim info run.vgw                   # what is in it",
	NULL,
};

const struct command cmd_derive = {
	.name = "derive",
	.summary = "Derive the demand of a recorded guest into a workload file",
	.usage = "[OPTIONS] -o WORKLOAD RECORDING",
	.options = options,
	.values_size = sizeof(struct derive_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
