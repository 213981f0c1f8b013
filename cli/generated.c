// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "exit.h"
#include "generated.h"
#include "output.h"

const char *const generated_kinds[] = {"steady", "burst", "overflow", "many",
				       "level",	 "mixed", NULL};

int generated_create(struct vgic_generator **g, const struct generated_choice *choice)
{
	struct vgic_generate_config c = {
		.kind = (enum vgic_generate_kind)vgic_generate_kind_parse(choice->kind),
		.interrupts = choice->interrupts,
		.vcpus = (uint32_t)choice->vcpus,
		.in_flight = (uint32_t)choice->in_flight,
		.period_ns = choice->rate ? 1000000000 / choice->rate : 0,
		.handler_ns = choice->handler_ns,
		.seed = choice->seed,
	};
	int ret;

	if (choice->rate && c.kind == VGIC_GENERATE_OVERFLOW)
		return cli_fail(EXIT_USAGE, "no rate to choose: overflow: its guest asks for the "
					    "next interrupt when it has ended one");
	ret = vgic_generator_create(g, &c);
	vgic_generate_defaults(&c);
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -ENOMEM:
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", choice->kind);
	case -E2BIG:
		return cli_fail(EXIT_USAGE,
				"longer than a workload can be: %" PRIu64 " interrupts, one every "
				"%" PRIu64 " ns: fewer, or at a higher rate",
				c.interrupts, c.period_ns);
	case -ENOSPC:
		return cli_fail(EXIT_USAGE,
				"too many level-triggered interrupts: %" PRIu32 " vCPUs with "
				"%" PRIu32 " in flight: a GICv3 has 988 SPIs for all vCPUs",
				c.vcpus, c.in_flight);
	default:
		return cli_fail(EXIT_USAGE,
				"too many interrupts in flight: %" PRIu32 " vCPUs with %" PRIu32
				": 65536 together",
				c.vcpus, c.in_flight);
	}
}

void generated_describe(struct vgw *w, const struct vgic_generator *g)
{
	const struct vgic_generate_config *c = vgic_generator_config(g);
	struct vgr_header *h = &w->header;
	char rate[40] = "";

	memset(w, 0, sizeof(*w));
	vgr_header_init(h);
	/* The newest kernel that a policy describes. */
	snprintf(h->kernel_release, sizeof(h->kernel_release), "%s", "7.3.0-generated");
	snprintf(h->machine, sizeof(h->machine), "%s", "aarch64");
	snprintf(h->cpu_part, sizeof(h->cpu_part), "%s", "made up");
	if (c->kind != VGIC_GENERATE_OVERFLOW)
		snprintf(rate, sizeof(rate), " --rate %" PRIu64, 1000000000 / c->period_ns);
	snprintf(h->guest_command, sizeof(h->guest_command),
		 "vgicsim gen --kind %s -n %" PRIu64 " --vcpus %" PRIu32 " --in-flight %" PRIu32
		 "%s --handler %" PRIu64 "ns -s %" PRIu64,
		 vgic_generate_kind_name(c->kind), c->interrupts, c->vcpus, c->in_flight, rate,
		 c->handler_ns, c->seed);
	snprintf(h->tool, sizeof(h->tool), "vgicsim %s", VGICSIM_VERSION);
	h->nr_cpus = c->vcpus;
	h->vgic_model = h->gic_host = 3;
	h->pri_bits = h->pre_bits = 5;
	h->id_bits = 16;
	h->tdir = VGR_YES;
	vgic_generator_head(g, &w->workload);
	h->nr_lr = (uint8_t)w->workload.nr_lr;
	w->ending = VGR_END_WHOLE;
	snprintf(w->tool, sizeof(w->tool), "vgicsim %s", VGICSIM_VERSION);
	snprintf(w->estimator, sizeof(w->estimator), "%s", "none");
	snprintf(w->policy, sizeof(w->policy), "%s", "none");
}

json_t *generated_seed(uint64_t seed)
{
	return seed > INT64_MAX ? json_sprintf("%" PRIu64, seed) : json_integer((json_int_t)seed);
}
