/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host of one CPU that runs a guest written as C calls and hands every record
 * to a sink, as a recorder would: the vgic and the CPU interface are the real
 * models, so that the records are consistent by construction.
 */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/recording.h>
#include <vgicsim/vgic.h>

#define FAKE_VCPUS 2

struct fake_host {
	struct vgic *vgic;
	struct vgic_v3_cpuif_config hw_cfg;
	struct vgic_v3_cpuif hw[FAKE_VCPUS];
	bool in_guest[FAKE_VCPUS];
	uint64_t now;
	uint32_t seq, tid;
	unsigned int exits, mis;
	void (*sink)(void *opaque, const struct vgr_rec *rec);
	void *opaque;
	uint64_t buf[8192];
};

static inline void fake_put(struct fake_host *h, uint16_t type, uint16_t vcpu, void *rec,
			    uint32_t size)
{
	struct vgr_rec *r = rec;

	r->type = type;
	r->size = size;
	r->time = h->now;
	r->seq = ++h->seq;
	r->vcpu = vcpu;
	if (vcpu != VGR_NO_VCPU)
		h->tid = 100u + vcpu;
	r->tid = h->tid;
	h->sink(h->opaque, r);
}

static inline void fake_init(struct fake_host *h, const char *policy, unsigned int nr_lr,
			     unsigned int nr_vcpus, void (*sink)(void *, const struct vgr_rec *),
			     void *opaque)
{
	struct vgic_config cfg = {
		.policy = vgic_policy_find(policy),
		.nr_vcpus = nr_vcpus,
		.nr_spis = 256,
		.nr_lr = nr_lr,
		.has_tdir = true,
	};

	memset(h, 0, sizeof(*h));
	h->now = 1000000;
	h->sink = sink;
	h->opaque = opaque;
	if (vgic_create(&h->vgic, &cfg))
		abort();
	vgic_write_dist_enable(h->vgic, true);
	h->hw_cfg = vgic_v3_cpuif_defaults(nr_lr);
	for (unsigned int i = 0; i < nr_vcpus; i++)
		vgic_v3_cpuif_init(&h->hw[i], &h->hw_cfg);
}

static inline void fake_finish(struct fake_host *h)
{
	vgic_destroy(h->vgic);
}

static inline unsigned int fake_list(struct fake_host *h, unsigned int v, struct vgr_irq *to)
{
	unsigned int n = 0;

	for (struct vgic_irq *q = h->vgic->vcpus[v].list.head; q; q = q->next)
		vgic_irq_export(q, &to[n++]);
	return n;
}

static inline void fake_enter(struct fake_host *h, unsigned int v)
{
	struct vgr_flush *f = (void *)h->buf;
	struct vgic_vcpu *k = &h->vgic->vcpus[v];
	struct vgr_irq *list = (struct vgr_irq *)(f + 1);
	struct vgr_entry e = {0};

	memset(f, 0, sizeof(*f));
	f->begin = h->now;
	f->n_before = (uint16_t)fake_list(h, v, list);
	vgic_flush(h->vgic, v);
	f->n_after = (uint16_t)fake_list(h, v, list + f->n_before);
	f->total_before = f->n_before;
	f->total_after = f->n_after;
	f->nr_lr = (uint16_t)h->vgic->cfg.nr_lr;
	f->used_lrs = (uint16_t)k->used_lrs;
	f->hcr = k->hcr;
	f->vmcr = k->vmcr;
	f->dist_enabled = 1;
	memcpy(list + f->n_before + f->n_after, k->lr, f->nr_lr * sizeof(uint64_t));
	h->now += 300;
	fake_put(h, VGR_FLUSH, (uint16_t)v, f, vgr_flush_size(f->n_before, f->n_after, f->nr_lr));
	vgic_restore(h->vgic, v, &h->hw[v]);
	h->now += 100;
	fake_put(h, VGR_ENTRY, (uint16_t)v, &e, sizeof(e));
	h->in_guest[v] = true;
}

static inline void fake_exit(struct fake_host *h, unsigned int v, uint32_t ret, uint32_t ec)
{
	struct vgr_sync *s = (void *)h->buf;
	struct vgic_vcpu *k = &h->vgic->vcpus[v];
	struct vgr_irq *list = (struct vgr_irq *)(s + 1);
	struct vgr_exit x = {.ret = ret, .esr_ec = ec};
	bool mi = vgic_v3_cpuif_mi(&h->hw[v]);
	unsigned int n;
	uint64_t *lr;

	memset(s, 0, sizeof(*s));
	s->begin = h->now;
	s->used_lrs = (uint16_t)k->used_lrs;
	s->n_before = (uint16_t)fake_list(h, v, list);
	s->total_before = s->n_before;
	s->dist_enabled = 1;
	vgic_save(h->vgic, v, &h->hw[v]);
	s->hcr = k->hcr;
	s->vmcr = k->vmcr;
	lr = (uint64_t *)(list + 2 * s->n_before);
	memcpy(lr, k->lr, s->used_lrs * sizeof(*lr));
	vgic_sync(h->vgic, v);
	for (n = 0; n < s->n_before; n++)
		vgic_irq_export(vgic_irq_find(h->vgic, v, list[n].intid), &list[s->n_before + n]);
	n = 0;
	for (struct vgic_irq *q = k->list.head; q; q = q->next)
		((uint32_t *)(lr + s->used_lrs))[n++] = q->intid;
	s->n_after = s->total_after = (uint16_t)n;
	h->now += 200;
	fake_put(h, VGR_SYNC, (uint16_t)v, s, vgr_sync_size(s->n_before, s->used_lrs, s->n_after));
	h->now += 100;
	fake_put(h, VGR_EXIT, (uint16_t)v, &x, sizeof(x));
	h->in_guest[v] = false;
	h->exits++;
	h->mis += ret == 0 && mi;
}

/* The guest runs for ns, the maintenance interrupt is served whenever it comes. */
static inline void fake_run(struct fake_host *h, unsigned int v, uint64_t ns)
{
	h->now += ns;
	for (unsigned int i = 0; vgic_v3_cpuif_mi(&h->hw[v]) && i < 100; i++) {
		fake_exit(h, v, 0, 0);
		h->now += 500;
		fake_enter(h, v);
	}
}

static inline void fake_vmcr(struct fake_host *h, unsigned int v, uint32_t vmcr)
{
	h->hw[v].vmcr = vmcr;
	fake_run(h, v, 100);
}

/* Guest writes the VMM's page: every interrupt of the list is raised before it goes on. */
static inline void fake_raise(struct fake_host *h, unsigned int v, const uint32_t *intid,
			      unsigned int n, bool level)
{
	struct vgr_mmio m = {.gpa = 0x0c000000, .len = 4, .write = 1};

	fake_exit(h, v, 2, 0x24);
	h->now += 100;
	fake_put(h, VGR_MMIO, (uint16_t)v, &m, sizeof(m));
	for (unsigned int i = 0; i < n; i++) {
		struct vgr_inject in = {.intid = intid[i], .level = level, .path = VGR_PATH_IOCTL};

		h->now += 50;
		fake_put(h, VGR_INJECT, VGR_NO_VCPU, &in, sizeof(in));
		vgic_inject(h->vgic, v, intid[i], level);
	}
	h->now += 500;
	fake_enter(h, v);
}

static inline void fake_wfi(struct fake_host *h, unsigned int v, uint64_t ns)
{
	struct vgr_wfx w = {0};

	fake_exit(h, v, 2, 0x01);
	h->now += 100;
	fake_put(h, VGR_WFX, (uint16_t)v, &w, sizeof(w));
	vgic_put(h->vgic, v, &h->hw[v]);
	vgic_load(h->vgic, v, &h->hw[v]);
	h->now += ns;
	fake_enter(h, v);
}

/* IAR1; VGIC_SPURIOUS if nothing is presented. */
static inline uint32_t fake_ack(struct fake_host *h, unsigned int v)
{
	uint32_t intid = vgic_v3_cpuif_ack(&h->hw[v], 1).intid;

	fake_run(h, v, 1000);
	return intid;
}

static inline void fake_eoi(struct fake_host *h, unsigned int v, uint32_t intid)
{
	vgic_v3_cpuif_eoi(&h->hw[v], 1, intid);
	fake_run(h, v, 1000);
}

static inline void fake_dir(struct fake_host *h, unsigned int v, uint32_t intid)
{
	struct vgr_dir d = {.value = intid};

	if (vgic_v3_cpuif_dir(&h->hw[v], intid).did & VGIC_DID_TRAP) {
		fake_exit(h, v, 2, 0x18);
		h->now += 100;
		fake_put(h, VGR_DIR, (uint16_t)v, &d, sizeof(d));
		vgic_deactivate(h->vgic, v, intid);
		h->now += 300;
		fake_enter(h, v);
	}
	fake_run(h, v, 1000);
}

#endif
