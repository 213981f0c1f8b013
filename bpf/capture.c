// SPDX-License-Identifier: GPL-2.0-only
/* Loads the probes, attaches them, reads the rings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <vgicsim/capture.h>
#include "shared.h"
#include "capture.skel.h"
#include "load.h"
#include "order.h"
#include "trace_capture.h"

struct vgic_capture {
	struct vgic_tracefs *trace; /* the capture is by tracefs, and all else unused */
	struct capture_bpf *skel;
	struct bpf_link *links[VGIC_MAX_PROBES];
	struct vgic_order *order;
	void *areas; /* of the CPUs, mapped */
	size_t mapped;
	uint32_t nr_cpus;
	uint32_t ring; /* bytes of a CPU's ring */
	uint64_t missed;
};

static void configure(struct vgic_capture *c, const struct vgic_host *h,
		      const struct vgic_capture_opts *opts)
{
	struct capture_config *config = (void *)&c->skel->rodata->config;
	int most = vgr_lr_limit(h->gic);

	config->tgid = opts->tgid;
	config->root_tgid = opts->root_tgid;
	config->nr_lr = h->nr_lr >= 0 && h->nr_lr < most ? h->nr_lr : most;
	config->gicv2 = h->gic == 2;
	config->no_hw_deactivation = h->no_hw_deactivation;
	config->words_tell_all = h->words_tell_all;
	config->begins_at_fold = h->begins_at_fold;
	/* The short cuts went with the rework of 6.19, which brought on_lr. */
	config->always_flushes = h->has_on_lr;
	if (!h->boundary) {
		config->boundary = BOUNDARY_NOWHERE;
	} else if (h->mode == VGIC_KVM_NVHE) {
		config->boundary = BOUNDARY_HYP;
		config->hyp_percpu = h->hyp_percpu;
		config->hyp_host_data = h->hyp_host_data;
	} else {
		config->boundary = BOUNDARY_KERNEL;
	}
	config->ring = c->ring;
	bpf_map__set_max_entries(c->skel->maps.cpus, c->nr_cpus);
	bpf_map__set_value_size(c->skel->maps.cpus, CPU_AREA(c->ring));
}

static int start(struct vgic_capture *c, struct vgic_host *h, const struct vgic_capture_opts *opts,
		 struct vgic_capture_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts);
	size_t page = sysconf(_SC_PAGESIZE);
	void *map;
	int ret;

	vgic_load_open_opts(&open_opts);
	c->skel = capture_bpf__open_opts(&open_opts);
	if (!c->skel)
		return vgic_load_fail(err, -errno, "the BPF programs cannot be opened: %s",
				      strerror(errno));
	ret = vgic_load_choose(c->skel->obj, h, NULL, true);
	if (ret)
		return vgic_load_fail(err, ret, "a BPF program is missing in this build");
	configure(c, h, opts);
	ret = capture_bpf__load(c->skel);
	if (ret)
		return vgic_load_fail(err, ret,
				      "the kernel refuses the BPF programs (%s): %s: set "
				      "VGICSIM_BPF_LOG=1 for its words",
				      strerror(-ret), vgic_load_warning());
	c->mapped = ((size_t)c->nr_cpus * CPU_AREA(c->ring) + page - 1) & ~(page - 1);
	map = mmap(NULL, c->mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
		   bpf_map__fd(c->skel->maps.cpus), 0);
	if (map == MAP_FAILED)
		return vgic_load_fail(err, -errno, "the rings cannot be mapped: %s",
				      strerror(errno));
	c->areas = map;
	ret = vgic_order_create(&c->order, c->areas, c->nr_cpus, c->ring);
	if (ret)
		return vgic_load_fail(err, ret, "not enough memory");
	ret = vgic_load_attach(c->skel->obj, h, c->links, err);
	if (!ret)
		c->skel->bss->control.running = 1;
	return ret;
}

/* All CPUs' rings together have the size that was asked for, if that is enough for each. */
static uint32_t ring_of_cpu(uint64_t bytes, uint32_t nr_cpus)
{
	uint32_t ring = RING_MIN;

	while (ring < RING_MAX && 2ull * ring * nr_cpus <= bytes)
		ring *= 2;
	return ring;
}

uint64_t vgic_capture_default_ring(void)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t bytes = 64u << 20;

	while (bytes < 1u << 30 && cpus > 0 && bytes < (uint64_t)cpus * (4u << 20))
		bytes *= 2;
	return bytes;
}

int vgic_host_usable_tracefs(const struct vgic_host *h, struct vgic_capture_error *err)
{
	return vgic_tracefs_usable(h, err);
}

static int create_trace(struct vgic_capture **out, const struct vgic_host *h,
			const struct vgic_capture_opts *opts, struct vgic_capture_error *err)
{
	struct vgic_capture *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return vgic_load_fail(err, -ENOMEM, "not enough memory");
	ret = vgic_tracefs_create(&c->trace, h, opts, err);
	if (ret)
		free(c);
	else
		*out = c;
	return ret;
}

int vgic_capture_create(struct vgic_capture **out, struct vgic_host *h,
			const struct vgic_capture_opts *opts, struct vgic_capture_error *err)
{
	libbpf_print_fn_t print;
	struct vgic_capture *c;
	int ret, cpus;

	if (opts->ring_bytes < 64u << 10 || opts->ring_bytes > 1u << 30 ||
	    (opts->ring_bytes & (opts->ring_bytes - 1)))
		return vgic_load_fail(err, -EINVAL,
				      "ring size %llu: must be a power of two from 64K to 1G",
				      (unsigned long long)opts->ring_bytes);
	if (opts->tracefs)
		return create_trace(out, h, opts, err);
	cpus = libbpf_num_possible_cpus();
	c = calloc(1, sizeof(*c));
	if (!c || cpus <= 0) {
		free(c);
		return vgic_load_fail(err, -ENOMEM, "not enough memory");
	}
	c->nr_cpus = cpus;
	c->ring = ring_of_cpu(opts->ring_bytes, cpus);
	print = vgic_load_listen();
	ret = start(c, h, opts, err);
	libbpf_set_print(print);
	if (ret) {
		vgic_capture_destroy(c);
		return ret;
	}
	*out = c;
	return 0;
}

void vgic_capture_describe(const struct vgic_capture *c, const struct vgic_host *h,
			   struct vgr_header *header, struct vgr_probe *probes)
{
	vgic_host_describe(h, header, probes);
	if (c->trace)
		vgic_tracefs_describe(c->trace, header, probes);
}

int64_t vgic_capture_consume(struct vgic_capture *c, vgic_capture_sink *sink, void *ctx)
{
	struct timespec t;

	if (c->trace)
		return vgic_tracefs_consume(c->trace, sink, ctx);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return vgic_order_consume(c->order, t.tv_sec * 1000000000ull + t.tv_nsec - VGIC_ORDER_SLACK,
				  sink, ctx);
}

uint64_t vgic_capture_ring(const struct vgic_capture *c)
{
	return c->trace ? vgic_tracefs_ring(c->trace) : c->ring;
}

int vgic_capture_stop(struct vgic_capture *c, vgic_capture_sink *sink, void *ctx)
{
	if (c->trace)
		return vgic_tracefs_stop(c->trace, sink, ctx);
	c->skel->bss->control.running = 0;
	c->missed = vgic_load_left_out(c->skel->obj);
	vgic_load_detach(c->links);
	return vgic_order_finish(c->order, sink, ctx);
}

void vgic_capture_cpu_counters(const struct vgic_capture *c, uint32_t cpu,
			       struct vgic_capture_cpu *counters)
{
	const struct cpu_state *state;

	if (c->trace) {
		vgic_tracefs_cpu_counters(c->trace, cpu, counters);
		return;
	}
	memset(counters, 0, sizeof(*counters));
	if (cpu < c->nr_cpus) {
		state = (const void *)((const char *)c->areas + (size_t)cpu * CPU_AREA(c->ring));
		counters->handled = vgic_order_handled(c->order, cpu);
		counters->lost = state->lost;
	}
}

uint32_t vgic_capture_nr_cpus(const struct vgic_capture *c)
{
	return c->trace ? vgic_tracefs_nr_cpus(c->trace) : c->nr_cpus;
}

uint64_t vgic_capture_untracked(const struct vgic_capture *c)
{
	return c->trace ? vgic_tracefs_untracked(c->trace) : c->skel->bss->control.vcpu_table_full;
}

uint64_t vgic_capture_missed(const struct vgic_capture *c)
{
	return c->missed;
}

int vgic_capture_destroy(struct vgic_capture *c)
{
	int ret;

	if (!c)
		return 0;
	ret = vgic_tracefs_destroy(c->trace);
	vgic_load_detach(c->links);
	vgic_order_destroy(c->order);
	if (c->areas)
		munmap(c->areas, c->mapped);
	capture_bpf__destroy(c->skel);
	free(c);
	return ret;
}
