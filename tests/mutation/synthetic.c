// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings of hosts and states that no shipped recording has, written by the model with its
 * rules as they are: for the mutation test, which then changes a rule and looks whether verify
 * notices. They say nothing about kernels. Usage: synthetic DIRECTORY [nameless]
 * nameless: their headers do not say of which kernel they are; only their names do.
 *
 * Random states of all kinds of interrupts, on GICv3 and GICv2 hosts, with guests of either
 * GIC, hosts that cannot trap DIR, timers that are resampled, LPIs, and exits called off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/gich.h>
#include <vgicsim/vgic.h>
#include "sample.h"

#define NR_LR 4
#define RUNS  400
#define MAX   64

struct variant {
	const char *name;
	bool gicv2, model_v2, no_tdir;
	uint32_t static_traps;
};

static const struct variant variants[] = {
	{"v3", false, false, false, 0},
	{"v3-traps", false, false, true, VGIC_HCR_TC | VGIC_HCR_TALL0},
	{"v3-v2-guest", false, true, false, 0},
	{"gicv2", true, true, false, 0},
};

/* One of each generation; verify finds the policy by it. */
static const char *const releases[] = {"6.12.1", "6.19.1", "7.0.1", "7.2.12", "7.3.1"};

static const uint32_t intids[] = {0,  1,  2,  3,  16, 17, 26, 27, 28,	40,   41,  42,
				  43, 44, 45, 46, 47, 48, 49, 50, 8192, 8193, 8194};

#define NR_INTIDS (sizeof(intids) / sizeof(intids[0]))

static const struct vgr_probe probes[] = {
	{"kvm_vgic_flush_hwstate", "fexit", true},
	{"kvm_vgic_sync_hwstate", "fexit", true},
	{"kvm_entry", "tp_btf", true},
	{"get_input_level", "fexit", true},
	{"kvm_notify_acked_irq", "fentry", true},
};

struct world {
	const struct variant *variant;
	const struct vgic_policy *policy;
	struct vgic *vgic;
	struct vgic_vcpu *vcpu;
	struct sample s;
	uint64_t rng, begin;
};

static uint32_t draw(struct world *w, uint32_t n)
{
	w->rng = w->rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(w->rng >> 33) % n;
}

static bool level_of(void *opaque, unsigned int vcpu, const struct vgic_irq *irq)
{
	struct world *w = opaque;
	struct vgr_level l;

	sample_head(&w->s, &l.r, VGR_LEVEL, sizeof(l), 0, 0);
	l.intid = irq->intid;
	l.level = draw(w, 2);
	sample_put(&w->s, &l.r);
	return l.level;
}

static void notified(void *opaque, uint32_t intid)
{
	struct world *w = opaque;
	struct vgr_acked a;

	sample_head(&w->s, &a.r, VGR_ACKED, sizeof(a), 0, 0);
	a.pin = intid - 32;
	sample_put(&w->s, &a.r);
}

static uint64_t encode(const struct world *w, uint64_t lr)
{
	return w->variant->gicv2 ? vgic_gich_lr_encode(lr) : lr;
}

static unsigned int dump(const struct world *w, struct vgr_irq *to)
{
	unsigned int n = 0;

	for (struct vgic_irq *i = w->vcpu->list.head; i; i = i->next)
		vgic_irq_export(i, &to[n++]);
	return n;
}

static uint32_t boundary(const struct world *w)
{
	if (w->policy->last_lr == VGIC_LAST_LR_NEVER)
		return VGR_BOUNDARY_UNKNOWN;
	return w->vcpu->boundary ? w->vcpu->boundary->intid : VGR_BOUNDARY_NONE;
}

static int32_t counter(const struct world *w)
{
	return w->policy->track_spis ? w->vgic->active_spis : -1;
}

static void change(struct world *w, struct vgic_irq *irq)
{
	static const uint8_t priorities[] = {0x20, 0x80, 0x84, 0xa0};
	bool v2_sgi = w->variant->model_v2 && irq->intid < 16, lpi = irq->intid >= VGIC_LPI_BASE;

	irq->enabled = draw(w, 8);
	irq->group1 = draw(w, 4);
	irq->priority = priorities[draw(w, 4)];
	irq->pending_latch = draw(w, 2);
	irq->line_level = irq->level && draw(w, 2);
	irq->active = !draw(w, 3) && !(lpi && w->policy->fold_drops_lpi_active);
	irq->active_source = v2_sgi ? (uint8_t)draw(w, 3) : 0;
	if (v2_sgi)
		irq->source = irq->pending_latch && draw(w, 10) ? (uint8_t)(1 + draw(w, 7)) : 0;
	if (irq->intid >= 32)
		irq->target = draw(w, 5) ? 0 : 1;
	if (lpi && !draw(w, 8))
		irq->target = VGIC_NO_VCPU;
}

/* Some interrupts come, some change while they stand on the list. */
static void stir(struct world *w, unsigned int one_of)
{
	/* What went to the other vCPU comes back, so that there is enough here. */
	for (struct vgic_irq *i = w->vgic->vcpus[1].list.head; i; i = i->next)
		i->active = i->enabled = false;
	vgic_prune(w->vgic, 1);
	for (size_t i = 0; i < NR_INTIDS; i++) {
		struct vgic_irq *irq = vgic_irq_find(w->vgic, 0, intids[i]);

		if (!irq || draw(w, one_of))
			continue;
		change(w, irq);
		if (irq->target == 0)
			vgic_queue(w->vgic, irq);
	}
	w->vgic->dist_enabled = draw(w, 16);
	w->vgic->active_spis = w->policy->track_spis ? (int32_t)draw(w, 3) : 0;
}

static void put_flush(struct world *w)
{
	static uint64_t space[1024];
	struct vgr_flush *f = (struct vgr_flush *)space;
	bool skipped = !w->policy->no_empty_shortcut && !w->vcpu->list.count;
	struct vgr_irq before[MAX], after[MAX];
	unsigned int n = dump(w, before);

	sample_head(&w->s, &f->r, VGR_FLUSH, vgr_flush_size(n, n, NR_LR), 0, 0);
	f->begin = f->r.time - 500;
	f->r.flags = (skipped ? VGR_F_SKIPPED : 0) |
		     (w->policy->flush_after_check ? VGR_F_INSIDE : VGR_F_OUTSIDE);
	vgic_flush(w->vgic, 0);
	dump(w, after);
	f->hcr = w->vcpu->hcr;
	f->vmcr = w->vcpu->vmcr;
	f->boundary = boundary(w);
	f->active_spis = counter(w);
	f->used_lrs = skipped ? 0 : (uint16_t)w->vcpu->used_lrs;
	f->nr_lr = NR_LR;
	f->n_before = f->n_after = f->total_before = f->total_after = (uint16_t)n;
	f->dist_enabled = w->vgic->dist_enabled;
	memcpy((void *)vgr_flush_before(f), before, n * sizeof(*before));
	memcpy((void *)vgr_flush_after(f), after, n * sizeof(*after));
	for (unsigned int i = 0; i < NR_LR; i++)
		((uint64_t *)vgr_flush_lrs(f))[i] = encode(w, w->vcpu->lr[i]);
	sample_put(&w->s, &f->r);
}

static void put_entry(struct world *w)
{
	struct vgr_entry entry;

	sample_head(&w->s, &entry.r, VGR_ENTRY, sizeof(entry), 0, 0);
	sample_put(&w->s, &entry.r);
}

/* The guest acknowledges and finishes some of what is in the LRs, and some that is not. */
static void run_guest(struct world *w)
{
	static const uint32_t groups = VGIC_VMCR_VENG0 | VGIC_VMCR_VENG1;

	for (unsigned int i = 0; i < w->vcpu->used_lrs; i++) {
		uint64_t *lr = &w->vcpu->lr[i], state = *lr & VGIC_LR_STATE;

		if (draw(w, 2))
			continue;
		if (state == VGIC_LR_PENDING)
			state = draw(w, 2) ? VGIC_LR_ACTIVE : 0;
		else if (state == VGIC_LR_STATE)
			state = draw(w, 2) ? VGIC_LR_PENDING : VGIC_LR_ACTIVE;
		else
			state = 0;
		*lr = (*lr & ~VGIC_LR_STATE) | state;
	}
	if (w->policy->save_eoicount && (w->vcpu->hcr & VGIC_HCR_LRENPIE))
		w->vcpu->hcr |= draw(w, 6) << VGIC_HCR_EOICOUNT_SHIFT;
	if (w->policy->eager_vmcr && !draw(w, 4))
		w->vcpu->vmcr ^= 1u << draw(w, 2) & groups;
}

static void put_sync(struct world *w)
{
	static uint64_t space[1024];
	struct vgr_sync *s = (struct vgr_sync *)space;
	bool skipped = !w->policy->no_empty_shortcut && !w->vcpu->list.count;
	unsigned int used = skipped ? 0 : w->vcpu->used_lrs, m = 0;
	struct vgr_irq before[MAX], after[MAX];
	unsigned int n = dump(w, before);
	bool folds = w->policy->fold == VGIC_FOLD_ALWAYS ||
		     (w->policy->fold == VGIC_FOLD_IF_LRS ? used > 0 : w->vcpu->boundary != NULL);
	struct vgr_sync head = {
		.begin = w->s.time + 10,
		.hcr = w->vcpu->hcr,
		.vmcr = w->vcpu->vmcr,
		.boundary = boundary(w),
		.active_spis_before = counter(w),
		.used_lrs = (uint16_t)used,
		.n_before = (uint16_t)n,
		.total_before = (uint16_t)n,
		.dist_enabled = w->vgic->dist_enabled,
	};
	uint64_t lrs[NR_LR];
	uint32_t order[MAX];

	for (unsigned int i = 0; i < used; i++)
		lrs[i] = encode(w, w->vcpu->lr[i]);
	vgic_sync(w->vgic, 0);
	for (struct vgic_irq *i = w->vcpu->list.head; i; i = i->next)
		order[m++] = i->intid;
	for (unsigned int i = 0; i < n; i++)
		vgic_irq_export(vgic_irq_find(w->vgic, 0, before[i].intid), &after[i]);
	sample_head(&w->s, &s->r, VGR_SYNC, vgr_sync_size(n, used, m), 0, 0);
	head.r = s->r;
	*s = head;
	s->r.flags = (skipped ? VGR_F_SKIPPED : 0) | (skipped || !folds ? VGR_F_NO_FOLD : 0) |
		     (w->policy->mode_after_sync ? VGR_F_INSIDE : VGR_F_OUTSIDE);
	s->active_spis_after = counter(w);
	s->n_after = s->total_after = (uint16_t)m;
	memcpy((void *)vgr_sync_before(s), before, n * sizeof(*before));
	memcpy((void *)vgr_sync_after(s), after, n * sizeof(*after));
	memcpy((void *)vgr_sync_lrs(s), lrs, used * sizeof(*lrs));
	memcpy((void *)vgr_sync_order(s), order, m * sizeof(*order));
	sample_put(&w->s, &s->r);
}

static void write_runs(struct world *w)
{
	struct vgr_vcpu v;

	sample_head(&w->s, &v.r, VGR_VCPU, sizeof(v), 0, 0);
	v.tgid = 100;
	v.nr_spis = 64;
	v.vgic_model = w->variant->model_v2 ? 2 : 3;
	sample_put(&w->s, &v.r);
	for (unsigned int i = 0; i < RUNS; i++) {
		/* Lists of every length, the empty one too. */
		stir(w, 2 + i % 40);
		if (i % 50 == 0) {
			while (w->vcpu->list.head) {
				w->vcpu->list.head->active = w->vcpu->list.head->enabled = false;
				vgic_prune(w->vgic, 0);
				if (w->vcpu->list.head)
					w->vcpu->list.head->target = 0;
			}
		}
		w->vcpu->vmcr = draw(w, 4) | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
		put_flush(w);
		if (w->policy->flush_after_check || draw(w, 8)) {
			put_entry(w);
			run_guest(w);
		}
		if (draw(w, 2))
			stir(w, 6);
		put_sync(w);
	}
}

static void make_irqs(struct vgic *vgic, const struct variant *variant)
{
	for (uint32_t i = 40; i < 51; i++)
		vgic_write_config(vgic, i, i % 2);
	vgic_map_hw(vgic, 0, 26, 26);
	vgic_map_hw(vgic, 0, 27, 27);
	vgic_map_hw(vgic, 0, 50, 70);
	vgic_map_hw(vgic, 0, 47, 71);
	vgic_irq_find(vgic, 0, 26)->resample = true;
	vgic_irq_find(vgic, 0, 26)->get_level = true;
	vgic_irq_find(vgic, 0, 27)->get_level = true;
	vgic_irq_find(vgic, 0, 47)->get_level = true;
	for (uint32_t i = 0; !variant->model_v2 && i < 3; i++)
		vgic_lpi_add(vgic, 8192 + i);
}

static int write_one(const char *dir, const char *release, const struct variant *variant,
		     bool nameless)
{
	struct world w = {.variant = variant, .policy = vgic_policy_for_release(release), .rng = 1};
	struct vgic_config cfg = {
		.policy = w.policy,
		.nr_vcpus = 2,
		.nr_spis = 64,
		.nr_lr = NR_LR,
		.gicv2 = variant->gicv2,
		.model_v2 = variant->model_v2,
		.has_tdir = !variant->no_tdir,
		.static_traps = variant->static_traps,
		.env = {.opaque = &w, .physical_level = level_of, .resample = notified},
	};
	const struct vgr_totals end = {.stop = "enough"};
	struct vgr_writer *writer;
	struct vgr_header h;
	char path[4096];
	int err = -1;

	if (!w.policy || vgic_create(&w.vgic, &cfg))
		return -1;
	w.vcpu = &w.vgic->vcpus[0];
	make_irqs(w.vgic, variant);
	sample_header(&h);
	snprintf(h.kernel_release, sizeof(h.kernel_release), "%s", nameless ? "" : release);
	snprintf(h.policy, sizeof(h.policy), "%s", nameless ? "" : w.policy->name);
	strcpy(h.guest_command, "synthetic");
	h.gic_host = variant->gicv2 ? 2 : 3;
	h.vgic_model = variant->model_v2 ? 2 : 3;
	h.tdir = variant->no_tdir ? VGR_NO : VGR_YES;
	h.static_traps = variant->static_traps;
	h.probes = probes;
	h.nr_probes = sizeof(probes) / sizeof(probes[0]);
	snprintf(path, sizeof(path), "%s/%s-%s.vgr", dir, release, variant->name);
	if (!vgr_writer_create(&writer, path, &h, NULL)) {
		sample_init(&w.s, writer);
		write_runs(&w);
		err = w.s.error ? w.s.error : vgr_writer_finish(writer, &end);
		vgr_writer_destroy(writer);
	}
	vgic_destroy(w.vgic);
	if (err)
		fprintf(stderr, "%s: cannot be written\n", path);
	return err;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
		for (size_t j = 0; j < sizeof(variants) / sizeof(variants[0]); j++)
			if (write_one(argv[1], releases[i], &variants[j], argc > 2))
				return 1;
	return 0;
}
