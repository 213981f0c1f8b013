// SPDX-License-Identifier: GPL-2.0-only
/* KVM's run loop (kvm_arch_vcpu_ioctl_run) around the vgic: entries, exits, kicks, halts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/its.h>

#include "host_internal.h"

/* Rounds in which kicks and interrupts may cause one another. */
#define MAX_ROUNDS 64

static uint32_t draw(struct vgic_host *h, uint32_t first, uint32_t last)
{
	uint64_t z;

	if (last <= first)
		return first;
	z = (h->rng += 0x9e3779b97f4a7c15ull);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return first + (uint32_t)((z ^ (z >> 31)) % (last - first + 1ull));
}

static void tell(struct vgic_host *h, enum vgic_host_what what, unsigned int vcpu)
{
	host_tell(h, &(struct vgic_host_event){.what = what, .vcpu = vcpu});
}

/* vgic_env: what the vgic asks of the rest of KVM. */

static void request(void *opaque, unsigned int vcpu, uint32_t req, bool kick)
{
	struct vgic_host *h = opaque;
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	v->requests |= req;
	if (!kick || v->kicked)
		return;
	if (v->state == VGIC_HOST_GUEST) {
		host_count(h, vcpu, VGIC_COUNT_KICKS);
		tell(h, VGIC_HOST_KICKED, vcpu);
		v->kick_left = h->cfg.kick_latency;
	}
	v->kicked = true;
}

static void notify(void *opaque, uint32_t intid)
{
	struct vgic_host *h = opaque;
	struct vgic_host_irq *i = vgic_host_irq(h, 0, intid);

	host_count(h, i->irq->target < h->vgic->cfg.nr_vcpus ? i->irq->target : 0,
		   VGIC_COUNT_NOTIFICATIONS);
	host_tell(h, &(struct vgic_host_event){
			     .what = VGIC_HOST_NOTIFIES, .vcpu = 0, .intid = intid, .irq = i->irq});
	if (!i->resampler)
		return;
	/* irqfd_resampler_ack: the line falls, and the device says again what it wants. */
	vgic_inject(h->vgic, 0, intid, false);
	if (i->device)
		vgic_inject(h->vgic, 0, intid, true);
}

static void event(void *opaque, enum vgic_event what, unsigned int vcpu, const struct vgic_irq *irq,
		  uint32_t arg)
{
	struct vgic_host *h = opaque;

	if (what == VGIC_EVENT_REPLAYED && host_side(irq)->guest_active)
		host_count(h, vcpu, VGIC_COUNT_WRONG_VICTIMS);
	if (what == VGIC_EVENT_WILD && arg)
		host_count(h, vcpu, VGIC_COUNT_FREED_WALKS);
	host_tell(h, &(struct vgic_host_event){.what = VGIC_HOST_VGIC,
					       .vcpu = vcpu,
					       .value = what,
					       .intid = irq->intid,
					       .arg = arg,
					       .irq = irq});
}

/* kvm_arm_halt_guest, kvm_arm_resume_guest (OV-73). */
static void halt(void *opaque, bool on)
{
	struct vgic_host *h = opaque;
	bool counted = h->vgic->cfg.policy->pause_counter;

	/* The VMM takes no notice of vCPUs that run; it is its business to stop them. */
	if (h->by_user)
		return;
	host_tell(h, &(struct vgic_host_event){.what = on ? VGIC_HOST_HALTS : VGIC_HOST_RESUMES});
	for (unsigned int i = 0; i < h->vgic->cfg.nr_vcpus; i++) {
		struct vgic_host_vcpu *v = &h->vcpus[i];

		if (!on) {
			v->pause = counted && v->pause ? v->pause - 1 : 0;
			continue;
		}
		v->pause = counted ? v->pause + 1 : 1;
		if (v->state == VGIC_HOST_GUEST) {
			vgic_host_exit(h, i, VGIC_HOST_EXIT_HALT);
			v->want_enter = true;
		} else if (v->state == VGIC_HOST_LEFT) {
			if (h->vgic->cfg.policy->mode_after_sync)
				vgic_host_sync(h, i);
			else
				host_count(h, i, VGIC_COUNT_LATE_FOLDS);
		}
	}
}

void vgic_host_kick(struct vgic_host *h, unsigned int vcpu)
{
	request(h, vcpu, 0, true);
	vgic_host_settle(h);
}

void vgic_host_halt(struct vgic_host *h, bool on)
{
	halt(h, on);
	vgic_host_settle(h);
}

static int add_irq(struct vgic_host *h, unsigned int vcpu, struct vgic_irq *irq)
{
	struct vgic_host_irq *i;

	if (h->nr_irqs == h->cap_irqs) {
		size_t cap = h->cap_irqs ? h->cap_irqs * 2 : 128;
		struct vgic_host_irq **more =
			realloc(h->irqs, cap * sizeof(struct vgic_host_irq *));

		if (!more)
			return -ENOMEM;
		h->irqs = more;
		h->cap_irqs = cap;
	}
	i = calloc(1, sizeof(*i));
	if (!i)
		return -ENOMEM;
	i->irq = irq;
	i->vcpu = (uint16_t)vcpu;
	irq->user = i;
	h->irqs[h->nr_irqs++] = i;
	return 0;
}

int vgic_host_add_lpi(struct vgic_host *h, uint32_t intid)
{
	int err;

	if (vgic_irq_find(h->vgic, 0, intid))
		return intid < VGIC_LPI_BASE ? -EINVAL : -EEXIST;
	err = vgic_its_mapti(h->its, 0, intid, intid, 0);
	if (!err)
		err = add_irq(h, 0, vgic_irq_find(h->vgic, 0, intid));
	if (!err)
		vgic_host_irq(h, 0, intid)->events = 1;
	return err;
}

/* Each event of an LPI is of a device of its own: device 0 has the first. */
int vgic_host_map_event(struct vgic_host *h, uint32_t intid)
{
	struct vgic_host_irq *i = vgic_host_irq(h, 0, intid);
	int err;

	if (!i || intid < VGIC_LPI_BASE)
		return -EINVAL;
	err = vgic_its_mapti(h->its, i->events, intid, intid, 0);
	if (!err)
		i->events++;
	return err;
}

int vgic_host_unmap_event(struct vgic_host *h, uint32_t intid)
{
	struct vgic_host_irq *i = vgic_host_irq(h, 0, intid);

	if (!i || intid < VGIC_LPI_BASE)
		return -EINVAL;
	return i->events ? vgic_its_discard(h->its, --i->events, intid) : -ENOENT;
}

struct vgic_host_irq *vgic_host_irq(const struct vgic_host *h, unsigned int vcpu, uint32_t intid)
{
	struct vgic_irq *irq = vgic_irq_find(h->vgic, vcpu, intid);

	return irq ? host_side(irq) : NULL;
}

static int make_irqs(struct vgic_host *h)
{
	int err = 0;

	for (unsigned int v = 0; v < h->vgic->cfg.nr_vcpus && !err; v++)
		for (uint32_t i = 0; i < VGIC_NR_PRIVATE && !err; i++)
			err = add_irq(h, v, &h->vgic->vcpus[v].private_irqs[i]);
	for (unsigned int i = 0; i < h->vgic->cfg.nr_spis && !err; i++)
		err = add_irq(h, 0, &h->vgic->spis[i]);
	return err;
}

int vgic_host_create(struct vgic_host **out, const struct vgic_host_config *cfg)
{
	struct vgic_config vgic = cfg->vgic;
	struct vgic_host *h;
	int err;

	if (!vgic.nr_vcpus || vgic.nr_vcpus > VGIC_HOST_MAX_VCPUS ||
	    cfg->nr_cpus > VGIC_HOST_MAX_VCPUS || vgic.nr_lr != cfg->hw.nr_lr)
		return -EINVAL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->cfg = *cfg;
	h->rng = cfg->seed;
	if (!h->cfg.nr_cpus)
		h->cfg.nr_cpus = vgic.nr_vcpus;
	vgic.env = (struct vgic_env){
		.opaque = h,
		.physical_level = physical_level,
		.physical_active = physical_active,
		.physical_dir = physical_dir,
		.request = request,
		.resample = notify,
		.halt = halt,
		.event = event,
	};
	err = vgic_create(&h->vgic, &vgic);
	if (!err)
		err = vgic_its_create(&h->its, h->vgic);
	if (err)
		goto fail;
	vgic_its_mapc(h->its, 0, 0);
	err = -ENOMEM;
	h->vcpus = calloc(vgic.nr_vcpus, sizeof(*h->vcpus));
	h->cpus = calloc(h->cfg.nr_cpus, sizeof(*h->cpus));
	if (!h->vcpus || !h->cpus)
		goto fail;
	for (unsigned int i = 0; i < vgic.nr_vcpus; i++) {
		h->vcpus[i].cpu = i % h->cfg.nr_cpus;
		h->vgic->vcpus[i].vmcr = cfg->vmcr;
		h->vcpus[i].acked = calloc(VGIC_HOST_MAX_ACKED, sizeof(struct vgic_host_acked));
		if (!h->vcpus[i].acked)
			goto fail;
	}
	for (unsigned int i = 0; i < h->cfg.nr_cpus; i++) {
		vgic_v3_cpuif_init(&h->cpus[i].hw, &h->cfg.hw);
		h->cpus[i].loaded = VGIC_NO_VCPU;
	}
	err = make_irqs(h);
	if (err)
		goto fail;
	vgic_write_dist_enable(h->vgic, true);
	*out = h;
	return 0;
fail:
	vgic_host_destroy(h);
	return err;
}

void vgic_host_destroy(struct vgic_host *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->nr_irqs; i++)
		free(h->irqs[i]);
	free(h->irqs);
	for (unsigned int i = 0; h->vcpus && i < h->vgic->cfg.nr_vcpus; i++)
		free(h->vcpus[i].acked);
	vgic_its_destroy(h->its);
	vgic_destroy(h->vgic);
	free(h->vcpus);
	free(h->cpus);
	free(h);
}

/* kvm_arch_vcpu_put: what is still on its way out comes to its end first. */
void vgic_host_put(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	struct vgic_host_cpu *cpu = &h->cpus[v->cpu];

	if (cpu->loaded != vcpu)
		return;
	if (v->state == VGIC_HOST_GUEST)
		vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_ELSE);
	else if (v->state == VGIC_HOST_LEFT)
		vgic_host_sync(h, vcpu);
	vgic_put(h->vgic, vcpu, &cpu->hw);
	cpu->loaded = VGIC_NO_VCPU;
}

static void load(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_cpu *cpu = &h->cpus[h->vcpus[vcpu].cpu];

	if (cpu->loaded == vcpu)
		return;
	if (cpu->loaded != VGIC_NO_VCPU)
		vgic_host_put(h, cpu->loaded);
	vgic_load(h->vgic, vcpu, &cpu->hw);
	cpu->loaded = vcpu;
}

int vgic_host_move(struct vgic_host *h, unsigned int vcpu, unsigned int cpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	bool back = v->state == VGIC_HOST_GUEST;

	if (cpu >= h->cfg.nr_cpus)
		return -EINVAL;
	vgic_host_put(h, vcpu);
	v->cpu = cpu;
	v->want_enter |= back;
	vgic_host_settle(h);
	return 0;
}

static uint32_t mi_latency(struct vgic_host *h)
{
	return draw(h, h->cfg.mi_latency, h->cfg.mi_latency_last);
}

/* check_vcpu_requests */
static void serve_requests(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	if (v->requests & VGIC_REQ_PROCESS_UPDATE)
		vgic_prune(h->vgic, vcpu);
	v->requests = 0;
	v->kicked = false;
}

static void flush(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	load(h, vcpu);
	serve_requests(h, vcpu);
	if (h->vgic->vcpus[vcpu].vmcr != host_hw(h, vcpu)->vmcr)
		host_count(h, vcpu, VGIC_COUNT_STALE_VMCR);
	vgic_flush(h->vgic, vcpu);
	if (vgic_restore(h->vgic, vcpu, host_hw(h, vcpu)))
		host_count(h, vcpu, VGIC_COUNT_HCR_WRITES);
	v->want_enter = false;
	v->mi = false;
}

/* One entry. True: a maintenance interrupt that is asserted already has ended it. */
static bool enter_once(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	flush(h, vcpu);
	v->state = VGIC_HOST_GUEST;
	host_count(h, vcpu, VGIC_COUNT_ENTRIES);
	tell(h, VGIC_HOST_ENTERS, vcpu);
	if (!vgic_v3_cpuif_mi(host_hw(h, vcpu)))
		return false;
	v->mi = true;
	v->mi_left = mi_latency(h);
	if (v->mi_left)
		return false;
	vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_MI);
	return true;
}

int vgic_host_enter(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	unsigned int n = 0;

	if (v->state == VGIC_HOST_GUEST)
		return 0;
	if (v->state == VGIC_HOST_LEFT)
		vgic_host_sync(h, vcpu);
	if (v->state == VGIC_HOST_ASLEEP)
		return -EAGAIN;
	if (v->pause)
		return -EBUSY;
	while (++n < VGIC_HOST_STORM)
		if (!enter_once(h, vcpu))
			return 0;
	/* Some instruction always gets through in the end. */
	host_count(h, vcpu, VGIC_COUNT_STORMS);
	tell(h, VGIC_HOST_STORMS, vcpu);
	flush(h, vcpu);
	v->state = VGIC_HOST_GUEST;
	host_count(h, vcpu, VGIC_COUNT_ENTRIES);
	tell(h, VGIC_HOST_ENTERS, vcpu);
	v->mi = true;
	v->mi_left = 1;
	return 0;
}

/* A signal or a request comes between the last check and the guest (kvm-overflow.md 7). */
int vgic_host_call_off(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	if (v->state == VGIC_HOST_GUEST)
		vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_ELSE);
	if (v->state == VGIC_HOST_LEFT)
		vgic_host_sync(h, vcpu);
	if (v->state == VGIC_HOST_ASLEEP)
		return -EAGAIN;
	if (v->pause)
		return -EBUSY;
	host_count(h, vcpu, VGIC_COUNT_CALLED_OFF);
	load(h, vcpu);
	if (h->vgic->cfg.policy->flush_after_check) {
		serve_requests(h, vcpu);
	} else {
		flush(h, vcpu);
		vgic_save(h->vgic, vcpu, host_hw(h, vcpu));
		vgic_sync(h->vgic, vcpu);
	}
	tell(h, VGIC_HOST_CALLED_OFF, vcpu);
	vgic_host_settle(h);
	return 0;
}

void vgic_host_leave(struct vgic_host *h, unsigned int vcpu, enum vgic_host_exit kind)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];
	struct vgic_v3_cpuif *hw = host_hw(h, vcpu);
	uint32_t misr = vgic_v3_cpuif_mi(hw) ? vgic_v3_cpuif_misr(hw) : 0;

	if (v->state != VGIC_HOST_GUEST)
		return;
	host_count(h, vcpu, VGIC_COUNT_EXITS);
	host_count(h, vcpu, VGIC_COUNT_EXIT_FIRST + kind);
	for (unsigned int i = 0; i < 8 && kind == VGIC_HOST_EXIT_MI; i++)
		if (misr & (1u << i))
			host_count(h, vcpu, VGIC_COUNT_MI_FIRST + i);
	host_tell(h, &(struct vgic_host_event){
			     .what = VGIC_HOST_EXITS, .vcpu = vcpu, .value = kind, .misr = misr});
	vgic_save(h->vgic, vcpu, hw);
	if (hw->hcr)
		host_count(h, vcpu, VGIC_COUNT_HCR_LEFT);
	v->state = VGIC_HOST_LEFT;
	v->mi = v->kicked = false;
}

void vgic_host_sync(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	if (v->state != VGIC_HOST_LEFT)
		return;
	vgic_sync(h->vgic, vcpu);
	v->state = VGIC_HOST_OUT;
	tell(h, VGIC_HOST_SYNCS, vcpu);
}

void vgic_host_exit(struct vgic_host *h, unsigned int vcpu, enum vgic_host_exit kind)
{
	vgic_host_leave(h, vcpu, kind);
	vgic_host_sync(h, vcpu);
}

static void wake(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	v->state = VGIC_HOST_OUT;
	v->kicked = false;
	v->want_enter = true;
	host_count(h, vcpu, VGIC_COUNT_WAKEUPS);
	tell(h, VGIC_HOST_WAKES, vcpu);
}

/* True: it did something. */
static bool settle_vcpu(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	switch (v->state) {
	case VGIC_HOST_GUEST:
		if (!v->kicked || v->kick_left)
			return false;
		vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_KICK);
		v->want_enter = true;
		return true;
	case VGIC_HOST_ASLEEP:
		if (!v->kicked)
			return false;
		v->kicked = false;
		/* kvm_vcpu_block looks again whenever it is woken up. */
		if (vgic_vcpu_pending_irq(h->vgic, vcpu))
			wake(h, vcpu);
		return true;
	case VGIC_HOST_OUT:
		return v->want_enter && !v->pause && !vgic_host_enter(h, vcpu);
	case VGIC_HOST_LEFT:
		break;
	}
	return false;
}

void vgic_host_settle(struct vgic_host *h)
{
	for (unsigned int round = 0; round < MAX_ROUNDS; round++) {
		bool any = physical_take(h);

		for (unsigned int i = 0; i < h->vgic->cfg.nr_vcpus; i++)
			any |= settle_vcpu(h, i);
		if (!any)
			return;
	}
	for (unsigned int i = 0; i < h->vgic->cfg.nr_vcpus; i++)
		if (h->vcpus[i].state == VGIC_HOST_GUEST) {
			host_count(h, i, VGIC_COUNT_STORMS);
			tell(h, VGIC_HOST_STORMS, i);
		}
}

int host_in_guest(struct vgic_host *h, unsigned int vcpu)
{
	int err = vgic_host_enter(h, vcpu);

	if (!err)
		vgic_host_settle(h);
	return err ? err : h->vcpus[vcpu].state == VGIC_HOST_GUEST ? 0 : -EBUSY;
}

static void mi_step(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	if (!vgic_v3_cpuif_mi(host_hw(h, vcpu))) {
		v->mi = false;
		return;
	}
	if (!v->mi) {
		v->mi = true;
		v->mi_left = mi_latency(h);
	} else if (v->mi_left && v->mi_left != VGIC_HOST_NEVER) {
		v->mi_left--;
	}
	if (v->mi_left)
		return;
	vgic_host_exit(h, vcpu, VGIC_HOST_EXIT_MI);
	v->want_enter = true;
}

void host_step_end(struct vgic_host *h, unsigned int vcpu)
{
	struct vgic_host_vcpu *v = &h->vcpus[vcpu];

	host_count(h, vcpu, VGIC_COUNT_STEPS);
	if (v->state == VGIC_HOST_GUEST && v->kicked && v->kick_left &&
	    v->kick_left != VGIC_HOST_NEVER)
		v->kick_left--;
	if (v->state == VGIC_HOST_GUEST)
		mi_step(h, vcpu);
	vgic_host_settle(h);
}
