// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/outfile.h>
#include <vgicsim/policy.h>
#include <vgicsim/profile_file.h>
#include "demand.h"
#include "exit.h"
#include "options.h"
#include "output.h"

#define MAX_LRS 16u

struct calibrate_values {
	const char *output;
	uint64_t lrs;
	bool json, quiet;
};

#define AT(member) offsetof(struct calibrate_values, member)

static const struct option options[] = {
	{'o', "output", OPT_FILE, AT(output), "FILE", "write the profile to FILE", 0, 0, NULL},
	{'l', "lrs", OPT_NUMBER, AT(lrs), "N", "list registers of the machine", 1, MAX_LRS, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print terms and residuals as JSON", 0, 0, NULL},
	{'q', "quiet", OPT_FLAG, AT(quiet), NULL, "print no table", 0, 0, NULL},
	{0}};

/* What of a profile each term is, and its unit in the table. */
static const struct term {
	const char *name;
	size_t offset;
	bool thousandths;
	const char *text;
} terms[] = {
#define TERM(name, member, ps, text)                                  \
	{                                                             \
		name, offsetof(struct vgic_profile, member), ps, text \
	}
	TERM("entry", entry_ns, false, "entry with nothing on the list"),
	TERM("entry_irq", entry_irq_ps, true, "and for each interrupt on the list"),
	TERM("entry_lr", entry_lr_ps, true, "and for each list register written"),
	TERM("sort", sort_ns, false, "and if it sorts"),
	TERM("sort_step", sort_step_ps, true, "and for each comparison of that"),
	TERM("exit", exit_ns, false, "exit with nothing on the list"),
	TERM("exit_irq", exit_irq_ps, true, "and for each interrupt on the list"),
	TERM("exit_lr", exit_lr_ps, true, "and for each list register read"),
	TERM("mi_out", mi_out_ns, false, "MI to the next entry, nothing on the list"),
	TERM("dir_out", dir_out_ns, false, "trapped DIR to the next entry, the same"),
	TERM("switch", switch_ns, false, "part of a run in which no guest runs"),
	TERM("kick", kick_ns, false, "kick to guest left (not measured)"),
	TERM("mi_delay", mi_delay_ns, false, "MI asserted to guest left, median"),
#undef TERM
};

static uint64_t term_of(const struct term *t, const struct vgic_profile *p)
{
	return *(const uint64_t *)((const char *)p + t->offset);
}

static bool is_open(const char *name, const struct vgic_fit_report *r)
{
	for (unsigned int i = 0; i < VGIC_TERMS; i++)
		if (!strcmp(vgic_term_name(i), name))
			return r->open[i];
	return false;
}

/* The machine of the first recording; another one must not differ. */
static int same_machine(struct vgic_profile_file *p, const struct vgr_header *h,
			const struct demand *d, const char *path)
{
	struct vgic_replay_config c = {0};
	struct vgic_profile_file m = {.gic = h->gic_host == 2 ? 2 : 3};

	demand_machine(&c, h, d);
	m.lrs = c.nr_lr;
	m.tdir = c.has_tdir;
	m.eoicount_on_split = c.eoicount_on_split;
	m.pre_bits = c.pre_bits ? c.pre_bits : 5;
	m.prio_bits = c.prio_bits ? c.prio_bits : 5;
	snprintf(m.cpu, sizeof(m.cpu), "%s", h->cpu_part);
	if (!p->gic) {
		*p = m;
		p->fitted = true;
		return EXIT_OK;
	}
	/* Seen in one is true of all. */
	p->eoicount_on_split |= m.eoicount_on_split;
	if (m.gic != p->gic || m.tdir != p->tdir || m.pre_bits != p->pre_bits ||
	    m.prio_bits != p->prio_bits || strcmp(m.cpu, p->cpu))
		return cli_fail(EXIT_INPUT,
				"another machine than that of the first recording: %s: calibrate "
				"each machine by itself",
				path);
	return EXIT_OK;
}

static int read_one(struct vgic_calibration *c, struct vgic_profile_file *p, const char *path)
{
	struct demand_wishes wishes = {.calibration = c};
	const char *slash = strrchr(path, '/');
	const struct vgic_policy *policy;
	const struct vgr_header *h;
	struct vgr_reader *r;
	struct demand d = {0};
	int ret, code;

	r = cli_open_pairs(path);
	if (!r)
		return EXIT_INPUT;
	h = vgr_reader_header(r);
	policy = vgic_policy_for_release(h->kernel_release);
	if (h->nr_lr < 1 || h->nr_lr > MAX_LRS)
		code = cli_fail(EXIT_INPUT, "unknown number of list registers: %s: record it again",
				path);
	else
		code = demand_read(&d, path, r, policy ? policy : vgic_policy_find("newest"),
				   &wishes);
	if (!code)
		code = same_machine(p, h, &d, path);
	if (!code) {
		cli_recording_ending(path, r);
		ret = vgic_profile_add_source(p, vgr_reader_identity(r), h->kernel_release,
					      slash ? slash + 1 : path);
		if (ret == -E2BIG)
			code = cli_fail(EXIT_USAGE, "too many recordings: %s: %u at most", path,
					VGIC_PROFILE_MAX_SOURCES);
		else if (ret)
			code = cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	}
	demand_finish(&d);
	vgr_reader_close(r);
	return code;
}

static void warn(const struct vgic_profile_file *p)
{
	for (size_t i = 1; i < p->nr_sources; i++) {
		if (!strcmp(p->sources[i].kernel, p->sources[0].kernel))
			continue;
		cli_warn("different kernels: %s and %s: the costs are a mean of theirs",
			 p->sources[0].kernel, p->sources[i].kernel);
		break;
	}
	for (unsigned int i = 0; i < VGIC_FITS; i++)
		if (p->report.fits[i].n < VGIC_FIT_FEW)
			cli_warn("too little data: %s: %" PRIu64
				 " samples: record a guest with more",
				 vgic_fit_name(i), p->report.fits[i].n);
	for (unsigned int i = 0; i < VGIC_TERMS; i++)
		if (p->report.open[i])
			cli_warn("too little data: %s is 0: record guests with shorter and longer "
				 "lists",
				 vgic_term_name(i));
}

static void print_table(const struct vgic_profile_file *p)
{
	printf("%zu recording%s of %s, GICv%u, %u list registers\n", p->nr_sources,
	       p->nr_sources == 1 ? "" : "s", *p->cpu ? p->cpu : "an unknown CPU", p->gic, p->lrs);
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		uint64_t v = term_of(&terms[i], &p->profile);

		if (terms[i].thousandths)
			printf("%-10s %8" PRIu64 ".%03" PRIu64 " ns  %s%s\n", terms[i].name,
			       v / 1000, v % 1000, terms[i].text,
			       is_open(terms[i].name, &p->report) ? " (too little data)" : "");
		else
			printf("%-10s %8" PRIu64 "     ns  %s%s\n", terms[i].name, v, terms[i].text,
			       is_open(terms[i].name, &p->report) ? " (too little data)" : "");
	}
	printf("%-10s %9s %12s %8s %12s %8s %10s\n", "residuals", "samples", "median", "", "p90",
	       "", "explained");
	for (unsigned int i = 0; i < VGIC_FITS; i++) {
		const struct vgic_fit *f = &p->report.fits[i];

		printf("%-10s %9" PRIu64 " %9" PRIu64 " ns %6.1f %% %9" PRIu64
		       " ns %6.1f %% %8.1f %%\n",
		       vgic_fit_name(i), f->n, f->median_ns, f->median_ppm / 1e4, f->p90_ns,
		       f->p90_ppm / 1e4, f->explained_ppm / 1e4);
	}
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *to_json(const struct vgic_profile_file *p)
{
	json_t *o = json_object(), *part = json_object(), *list = json_array();
	char hash[20];

	json_object_set_new(part, "cpu", json_string(p->cpu));
	json_object_set_new(part, "gic", number(p->gic));
	json_object_set_new(part, "lrs", number(p->lrs));
	json_object_set_new(part, "pre_bits", number(p->pre_bits));
	json_object_set_new(part, "prio_bits", number(p->prio_bits));
	json_object_set_new(part, "tdir", json_boolean(p->tdir));
	json_object_set_new(part, "eoicount_on_split", json_boolean(p->eoicount_on_split));
	json_object_set_new(o, "machine", part);
	for (size_t i = 0; i < p->nr_sources; i++) {
		snprintf(hash, sizeof(hash), "%016" PRIx64, p->sources[i].hash);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "file", p->sources[i].name,
						"hash", hash, "kernel", p->sources[i].kernel));
	}
	json_object_set_new(o, "recordings", list);
	part = json_object();
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s_%s", terms[i].name,
			 terms[i].thousandths ? "ps" : "ns");
		json_object_set_new(part, name, number(term_of(&terms[i], &p->profile)));
	}
	list = json_array();
	for (uint32_t i = 0; i < p->profile.nr_mi_delays; i++)
		json_array_append_new(list, number(p->profile.mi_delays[i]));
	json_object_set_new(part, "mi_delays_ns", list);
	json_object_set_new(o, "terms", part);
	part = json_object();
	for (unsigned int i = 0; i < VGIC_FITS; i++) {
		const struct vgic_fit *f = &p->report.fits[i];
		json_t *e = json_object();

		json_object_set_new(e, "samples", number(f->n));
		json_object_set_new(e, "median_ns", number(f->median_ns));
		json_object_set_new(e, "median_ppm", number(f->median_ppm));
		json_object_set_new(e, "p90_ns", number(f->p90_ns));
		json_object_set_new(e, "p90_ppm", number(f->p90_ppm));
		json_object_set_new(e, "explained_ppm", number(f->explained_ppm));
		json_object_set_new(part, vgic_fit_name(i), e);
	}
	json_object_set_new(o, "residuals", part);
	list = json_array();
	for (unsigned int i = 0; i < VGIC_TERMS; i++)
		if (p->report.open[i])
			json_array_append_new(list, json_string(vgic_term_name(i)));
	json_object_set_new(o, "too_little_data", list);
	return o;
}

static int write_profile(const struct vgic_profile_file *p, const char *path)
{
	char *text;
	size_t size;
	int ret = vgic_profile_format(p, &text, &size);

	if (ret)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	ret = vgic_outfile_write(path, text, size);
	free(text);
	if (ret)
		return cli_fail(EXIT_OUTPUT, "cannot write: %s: %s", path, strerror(-ret));
	return EXIT_OK;
}

static int run(const void *values, const struct cli_args *args)
{
	const struct calibrate_values *v = values;
	struct vgic_profile_file p = {0};
	struct vgic_calibration *c;
	int code = EXIT_OK;

	if (vgic_calibration_create(&c))
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", args->v[0]);
	for (int i = 0; i < args->n && !code; i++)
		code = read_one(c, &p, args->v[i]);
	if (!code && vgic_calibration_fit(c, &p.profile, &p.report))
		code = cli_fail(EXIT_SOFTWARE, "no memory: %s", args->v[0]);
	if (!code) {
		strcpy(p.command, "vgicsim calibrate RECORDING...");
		if (v->lrs) {
			p.lrs = (unsigned int)v->lrs;
			snprintf(p.command, sizeof(p.command),
				 "vgicsim calibrate --lrs %u RECORDING...", p.lrs);
		}
		warn(&p);
		if (v->output)
			code = write_profile(&p, v->output);
	}
	if (!code && v->json)
		cli_print_json(stdout, to_json(&p), false);
	else if (!code && !v->quiet && !(v->output && !strcmp(v->output, "-")))
		print_table(&p);
	if (!code)
		code = cli_finish_stdout();
	vgic_calibration_destroy(c);
	vgic_profile_finish(&p);
	return code;
}

static const char *const examples[] = {
	"vgicsim calibrate -o host.ini *.vgr           # what this host takes for what it does",
	"vgicsim replay --profile host.ini other.vgr   # another host's guest, on this one", NULL};

const struct command cmd_calibrate = {
	.name = "calibrate",
	.summary = "Fit a machine profile, the costs of a host, to its recordings",
	.usage = "[OPTIONS] RECORDING...",
	.options = options,
	.values_size = sizeof(struct calibrate_values),
	.min_args = 1,
	.max_args = -1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
