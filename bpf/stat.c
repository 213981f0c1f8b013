// SPDX-License-Identifier: GPL-2.0-only
/* Loads the programs that keep statistics, and reads what they have counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <vgicsim/stat.h>
#include "load.h"
#include "statshared.h"
#include "stat.skel.h"

struct vgic_stat {
	struct stat_bpf *skel;
	struct bpf_link *links[VGIC_MAX_PROBES];
	void *map; /* of the slots */
	size_t mapped, slot_size;
	uint32_t slots;
};

static volatile struct stat_slot *slot_at(const struct vgic_stat *s, uint32_t n)
{
	return (void *)((char *)s->map + n * s->slot_size);
}

static void configure(struct vgic_stat *s, const struct vgic_host *h,
		      const struct vgic_stat_opts *opts)
{
	struct stat_config *config = (void *)&s->skel->rodata->config;
	uint32_t lpis = 16 * s->slots;

	config->tgid = opts->tgid;
	config->root_tgid = opts->root_tgid;
	config->nr_lr = h->nr_lr;
	config->gicv2 = h->gic == 2;
	bpf_map__set_max_entries(s->skel->maps.cpus, libbpf_num_possible_cpus());
	bpf_map__set_max_entries(s->skel->maps.slots, s->slots);
	bpf_map__set_max_entries(s->skel->maps.free_slots, s->slots);
	/* VMs that are not counted are in these tables, too. */
	bpf_map__set_max_entries(s->skel->maps.vcpus, 4 * s->slots);
	bpf_map__set_max_entries(s->skel->maps.vms, 4 * s->slots);
	bpf_map__set_max_entries(s->skel->maps.by_index, s->slots);
	/* As many VMs as vCPUs, if each has but one. */
	bpf_map__set_max_entries(s->skel->maps.spis, s->slots);
	bpf_map__set_max_entries(s->skel->maps.free_vms, s->slots);
	bpf_map__set_max_entries(s->skel->maps.lpis, lpis < 16384 ? 16384 : lpis);
}

/* A flush need not be watched from its begin where its end says whose it is. */
static const char *not_needed(const struct vgic_host *h)
{
	size_t p;

	for (p = 0; p < h->nr_probes; p++)
		if (!strcmp(h->probes[p].name, "flush-end"))
			return strcmp(h->probes[p].method, "fexit") ? NULL : "flush-begin";
	return NULL;
}

static int map_slots(struct vgic_stat *s)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uint32_t n;
	int ret;

	/* As the kernel lays an array out. */
	s->slot_size = (sizeof(struct stat_slot) + 7) & ~(size_t)7;
	s->mapped = (s->slot_size * s->slots + page - 1) & ~(page - 1);
	s->map = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(s->skel->maps.slots), 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return -errno;
	}
	for (n = 0; n < s->slots; n++) {
		ret = bpf_map_update_elem(bpf_map__fd(s->skel->maps.free_slots), NULL, &n, 0);
		if (!ret)
			ret = bpf_map_update_elem(bpf_map__fd(s->skel->maps.free_vms), NULL, &n, 0);
		if (ret)
			return ret;
	}
	return 0;
}

static int start(struct vgic_stat *s, struct vgic_host *h, const struct vgic_stat_opts *opts,
		 struct vgic_capture_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts);
	int ret;

	vgic_load_open_opts(&open_opts);
	s->skel = stat_bpf__open_opts(&open_opts);
	if (!s->skel)
		return vgic_load_fail(err, -errno, "the BPF programs cannot be opened: %s",
				      strerror(errno));
	vgic_load_choose(s->skel->obj, h, not_needed(h), false);
	configure(s, h, opts);
	ret = stat_bpf__load(s->skel);
	if (ret)
		return vgic_load_fail(err, ret,
				      "the kernel refuses the BPF programs (%s): %s: set "
				      "VGICSIM_BPF_LOG=1 for its words",
				      strerror(-ret), vgic_load_warning());
	ret = map_slots(s);
	if (ret)
		return vgic_load_fail(err, ret, "the counters cannot be mapped: %s",
				      strerror(-ret));
	ret = vgic_load_attach(s->skel->obj, h, s->links, err);
	if (!ret)
		s->skel->bss->control.running = 1;
	return ret;
}

int vgic_stat_create(struct vgic_stat **out, struct vgic_host *h, const struct vgic_stat_opts *opts,
		     struct vgic_capture_error *err)
{
	libbpf_print_fn_t print;
	struct vgic_stat *s;
	int ret;

	if (opts->vcpus < 1 || opts->vcpus > VGIC_STAT_MAX_VCPUS)
		return vgic_load_fail(err, -EINVAL, "room for %u vCPUs: must be 1 to %u",
				      opts->vcpus, VGIC_STAT_MAX_VCPUS);
	s = calloc(1, sizeof(*s));
	if (!s)
		return vgic_load_fail(err, -ENOMEM, "not enough memory");
	s->slots = opts->vcpus;
	print = vgic_load_listen();
	ret = start(s, h, opts, err);
	libbpf_set_print(print);
	if (ret) {
		vgic_stat_destroy(s);
		return ret;
	}
	*out = s;
	return 0;
}

/* As the programs do at the next flush. */
static void settle(volatile struct stat_slot *slot)
{
	if (!slot->exited)
		return;
	slot->exited = 0;
	vgic_stat_count_exit((struct vgic_stat_counts *)&slot->counts, slot->kind, slot->misr);
}

void vgic_stat_stop(struct vgic_stat *s)
{
	uint32_t n;

	s->skel->bss->control.running = 0;
	vgic_load_detach(s->links);
	for (n = 0; n < s->slots; n++)
		if (slot_at(s, n)->state != SLOT_FREE)
			settle(slot_at(s, n));
}

/* Word by word: each is whole, while the programs go on counting. */
static void copy_counts(struct vgic_stat_counts *to, const volatile struct vgic_stat_counts *from)
{
	const volatile uint64_t *words = (const volatile uint64_t *)from;
	uint64_t *out = (uint64_t *)to;
	size_t i;

	for (i = 0; i < sizeof(*to) / sizeof(*out); i++)
		out[i] = words[i];
}

static int give_back(struct vgic_stat *s, uint32_t n)
{
	memset((void *)&slot_at(s, n)->counts, 0, sizeof(struct vgic_stat_counts));
	slot_at(s, n)->state = SLOT_FREE;
	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.free_slots), NULL, &n, 0);
}

int vgic_stat_read(struct vgic_stat *s, vgic_stat_sink *sink, void *ctx)
{
	struct vgic_stat_vcpu v;
	uint32_t n;
	int ret;

	for (n = 0; n < s->slots; n++) {
		volatile struct stat_slot *slot = slot_at(s, n);
		uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

		if (state == SLOT_FREE)
			continue;
		v.vm = slot->vm;
		v.vcpu = slot->vcpu;
		v.tgid = slot->tgid;
		memcpy(v.comm, (const void *)slot->comm, sizeof(v.comm));
		v.comm[sizeof(v.comm) - 1] = '\0';
		v.gone = state == SLOT_GONE;
		copy_counts(&v.counts, &slot->counts);
		ret = sink(ctx, &v);
		if (!ret && v.gone)
			ret = give_back(s, n);
		if (ret)
			return ret;
	}
	return 0;
}

void vgic_stat_missed(struct vgic_stat *s, struct vgic_stat_missed *missed)
{
	missed->vcpus = s->skel->bss->control.vcpus_full;
	missed->raises = s->skel->bss->control.raises_full;
	missed->lists = s->skel->bss->control.cut;
	missed->runs = vgic_load_left_out(s->skel->obj);
}

void vgic_stat_destroy(struct vgic_stat *s)
{
	if (!s)
		return;
	vgic_load_detach(s->links);
	if (s->map)
		munmap(s->map, s->mapped);
	stat_bpf__destroy(s->skel);
	free(s);
}
