// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <vgicsim/decode.h>
#include <vgicsim/explain.h>
#include "demand.h"
#include "exit.h"
#include "options.h"
#include "output.h"
#include "parts.h"
#include "waits.h"

#define ANY UINT64_MAX

struct explain_values {
	uint64_t at, irq, vcpu, worst;
	bool json;
};

#define AT(member) offsetof(struct explain_values, member)

static const struct option options[] = {
	{0, "at", OPT_DURATION, AT(at), "TIME", "what waited at this time after the start", 0, 0,
	 NULL},
	{0, "irq", OPT_NUMBER, AT(irq), "INTID", "only waits of this interrupt", 0, UINT32_MAX - 2,
	 NULL},
	{0, "vcpu", OPT_NUMBER, AT(vcpu), "N", "only waits of this vCPU", 0, 65534, NULL},
	{'n', "worst", OPT_NUMBER, AT(worst), "N", "how many waits to tell, longest first", 1,
	 10000, NULL},
	{'j', "json", OPT_FLAG, AT(json), NULL, "print JSON", 0, 0, NULL},
	{0}};

static const struct explain_values defaults = {
	.at = ANY,
	.irq = ANY,
	.vcpu = ANY,
	.worst = 10,
};

/* What was asked for: how many waits, their time by cause, and the worst. */
struct account {
	const struct explain_values *v;
	struct waits worst;
	uint64_t nr[VGIC_WAIT_OPEN + 1];
	uint64_t ns, cause_ns[VGIC_CAUSES];
};

static int on_wait(void *opaque, const struct vgic_wait *w)
{
	struct account *a = opaque;
	const struct explain_values *v = a->v;

	if ((v->irq != ANY && v->irq != w->intid) || (v->vcpu != ANY && v->vcpu != w->vcpu) ||
	    (v->at != ANY && (v->at < w->raised_ns || v->at >= w->end_ns)))
		return 0;
	a->nr[w->end]++;
	a->ns += w->end_ns - w->raised_ns;
	for (unsigned int i = 0; i < VGIC_CAUSES; i++)
		a->cause_ns[i] += w->cause_ns[i];
	return waits_keep(&a->worst, w);
}

static uint64_t all_of(const struct account *a)
{
	return a->nr[VGIC_WAIT_TAKEN] + a->nr[VGIC_WAIT_WITHDRAWN] + a->nr[VGIC_WAIT_OPEN];
}

static void print(const struct account *a, const char *path, const struct vgr_header *h,
		  uint64_t missed)
{
	char ns[32];

	printf("%s: kernel %s, %u list registers\n", path,
	       *h->kernel_release ? h->kernel_release : "unknown", h->nr_lr);
	if (!all_of(a)) {
		printf("no wait%s\n", a->v->at != ANY ? " at this time" : "");
		return;
	}
	printf("waits: %" PRIu64 " (%" PRIu64 " taken, %" PRIu64 " taken back, %" PRIu64
	       " open at the end), together %s\n",
	       all_of(a), a->nr[VGIC_WAIT_TAKEN], a->nr[VGIC_WAIT_WITHDRAWN], a->nr[VGIC_WAIT_OPEN],
	       cli_format_ns(ns, sizeof(ns), a->ns));
	if (missed)
		printf("not followed, too many at once: %" PRIu64 "\n", missed);
	for (unsigned int i = 0; i < VGIC_CAUSES; i++) {
		if (!a->cause_ns[i])
			continue;
		printf("  %5.1f %%  %-15s %s\n", 100.0 * (double)a->cause_ns[i] / (double)a->ns,
		       vgic_cause_name((enum vgic_cause)i), vgic_cause_text((enum vgic_cause)i));
	}
	for (size_t i = 0; i < a->worst.n; i++) {
		printf("\n");
		waits_text(stdout, a->worst.v[i]);
	}
	if (all_of(a) > a->worst.n)
		printf("\n%" PRIu64 " shorter ones are not told: --worst N tells more\n",
		       all_of(a) - a->worst.n);
}

static json_t *to_json(const struct account *a, const char *path, const struct vgr_reader *r,
		       uint64_t missed)
{
	const struct vgr_header *h = vgr_reader_header(r);
	json_t *o = json_object(), *causes = json_object(), *waits = json_array();
	char hash[20];

	snprintf(hash, sizeof(hash), "%016" PRIx64, vgr_reader_identity(r));
	json_object_set_new(o, "version", json_string(VGICSIM_VERSION));
	json_object_set_new(o, "file", cli_json_string(path));
	json_object_set_new(o, "hash", json_string(hash));
	json_object_set_new(o, "kernel", json_string(h->kernel_release));
	json_object_set_new(o, "nr_lr", json_integer(h->nr_lr));
	for (unsigned int i = 0; i <= VGIC_WAIT_OPEN; i++)
		json_object_set_new(o, vgic_wait_end_name((enum vgic_wait_end)i),
				    json_integer((json_int_t)a->nr[i]));
	json_object_set_new(o, "not_followed", json_integer((json_int_t)missed));
	json_object_set_new(o, "wait_ns", json_integer((json_int_t)a->ns));
	for (unsigned int i = 0; i < VGIC_CAUSES; i++)
		if (a->cause_ns[i])
			json_object_set_new(causes, vgic_cause_name((enum vgic_cause)i),
					    json_integer((json_int_t)a->cause_ns[i]));
	json_object_set_new(o, "causes_ns", causes);
	for (size_t i = 0; i < a->worst.n; i++)
		json_array_append_new(waits, waits_json(a->worst.v[i]));
	json_object_set_new(o, "waits", waits);
	return o;
}

/* o: JSON goes there; NULL: it is printed, or text. */
static int read_file(const struct explain_values *v, const char *path, json_t **o)
{
	struct account a = {.v = v, .worst = {.max = (size_t)v->worst}};
	struct vgic_explain_config cfg = {.wait = on_wait, .opaque = &a};
	struct vgic_explain *ex = NULL;
	struct vgic_decoder *decoder = NULL;
	const struct vgr_header *h;
	const struct vgr_rec *rec;
	struct vgr_reader *r = cli_open_pairs(path);
	int ret = 0, code;

	if (!r)
		return EXIT_INPUT;
	h = vgr_reader_header(r);
	cfg.nr_lr = h->nr_lr;
	cfg.gicv2 = h->gic_host == 2;
	cfg.vm = demand_vm(h);
	if (vgic_explain_create(&ex, &cfg) ||
	    vgic_decoder_create(&decoder, h->gic_host, h->vgic_model))
		ret = -ENOMEM;
	while (!ret && (ret = vgr_reader_next(r, &rec)) > 0)
		ret = vgic_explain_record(ex, vgic_decode(decoder, rec));
	if (ret < 0 && ret != -ENOMEM) {
		code = cli_fail_recording(path, vgr_reader_error(r));
	} else if (ret || vgic_explain_finish(ex)) {
		code = cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	} else {
		cli_recording_ending(path, r);
		if (o)
			*o = to_json(&a, path, r, vgic_explain_missed(ex));
		else if (v->json)
			cli_print_json(stdout, to_json(&a, path, r, vgic_explain_missed(ex)),
				       false);
		else
			print(&a, path, h, vgic_explain_missed(ex));
		code = o ? EXIT_OK : cli_finish_stdout();
	}
	waits_finish(&a.worst);
	vgic_explain_destroy(ex);
	vgic_decoder_destroy(decoder);
	vgr_reader_close(r);
	return code;
}

int explain_json(const char *path, uint64_t worst, json_t **o)
{
	struct explain_values v = defaults;

	v.worst = worst;
	return read_file(&v, path, o);
}

static int run(const void *values, const struct cli_args *args)
{
	return read_file(values, args->v[0], NULL);
}

static const char *const examples[] = {
	"vgicsim explain run.vgr                    # the ten longest waits",
	"vgicsim explain --at 1234567us run.vgr     # what waited then, and why",
	"vgicsim explain --irq 40 --worst 3 run.vgr",
	"vgicsim dump --records 6100-6112 run.vgr   # the records that prove it", NULL};

const struct command cmd_explain = {
	.name = "explain",
	.summary = "Say why interrupts waited, with the records that prove it",
	.usage = "[OPTIONS] FILE",
	.options = options,
	.values_size = sizeof(struct explain_values),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.reads_first = true,
	.examples = examples,
	.run = run,
};
