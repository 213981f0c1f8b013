// SPDX-License-Identifier: GPL-2.0-only
/* Tables of VMs, vCPUs and interrupts; they grow with what is seen, and never shrink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "invariants_track.h"

void inv_track_finish(struct inv_track *t)
{
	for (size_t i = 0; i < t->nr_vms; i++) {
		for (size_t k = 0; k < t->vms[i].nr_vcpus; k++) {
			struct inv_vcpu *v = t->vms[i].vcpus[k];

			if (!v)
				continue;
			free(v->listed.v);
			free(v->dirs.v);
			free(v->raised.v);
			free(v);
		}
		free(t->vms[i].vcpus);
	}
	free(t->vms);
	for (size_t i = 0; i < t->buckets; i++) {
		while (t->hash[i]) {
			struct inv_irq *next = t->hash[i]->hash_next;

			free(t->hash[i]);
			t->hash[i] = next;
		}
	}
	free(t->hash);
	free(t->seen.v);
}

struct inv_vm *inv_track_vm(struct inv_track *t, uint16_t vm, bool model_v2)
{
	struct inv_vm *vms;

	for (size_t i = 0; i < t->nr_vms; i++)
		if (t->vms[i].index == vm)
			return &t->vms[i];
	vms = realloc(t->vms, (t->nr_vms + 1) * sizeof(*vms));
	if (!vms)
		return NULL;
	t->vms = vms;
	vms[t->nr_vms] = (struct inv_vm){.index = vm, .model_v2 = model_v2};
	return &vms[t->nr_vms++];
}

struct inv_vcpu *inv_track_vcpu(struct inv_track *t, struct inv_vm *vm, uint16_t vcpu)
{
	struct inv_vcpu *v;

	if (vcpu >= vm->nr_vcpus) {
		size_t n = vcpu + 1u;
		struct inv_vcpu **vcpus = realloc(vm->vcpus, n * sizeof(struct inv_vcpu *));

		if (!vcpus)
			return NULL;
		memset(vcpus + vm->nr_vcpus, 0, (n - vm->nr_vcpus) * sizeof(struct inv_vcpu *));
		vm->vcpus = vcpus;
		vm->nr_vcpus = n;
	}
	v = vm->vcpus[vcpu];
	if (!v) {
		v = calloc(1, sizeof(*v));
		if (!v)
			return NULL;
		v->vm = vm->index;
		v->index = vcpu;
		v->generation = t->generation;
		vm->vcpus[vcpu] = v;
	}
	if (v->generation != t->generation) {
		inv_chain_forget(v);
		v->generation = t->generation;
	}
	return v;
}

static uint16_t owner_of(uint16_t vcpu, uint32_t intid)
{
	return intid < VGIC_NR_PRIVATE ? vcpu : VGR_NO_VCPU;
}

static size_t slot_of(const struct inv_track *t, uint16_t vm, uint16_t of, uint32_t intid)
{
	uint64_t key = (uint64_t)vm << 48 ^ (uint64_t)of << 32 ^ intid;

	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (t->buckets - 1);
}

struct inv_irq *inv_track_find(const struct inv_track *t, uint16_t vm, uint16_t vcpu,
			       uint32_t intid)
{
	uint16_t of = owner_of(vcpu, intid);

	if (!t->buckets)
		return NULL;
	for (struct inv_irq *q = t->hash[slot_of(t, vm, of, intid)]; q; q = q->hash_next)
		if (q->intid == intid && q->of == of && q->vm == vm)
			return q;
	return NULL;
}

static int grow(struct inv_track *t)
{
	struct inv_irq **old = t->hash;
	size_t nr_old = t->buckets;

	t->buckets = nr_old ? nr_old * 2 : 256;
	t->hash = calloc(t->buckets, sizeof(struct inv_irq *));
	if (!t->hash) {
		t->hash = old;
		t->buckets = nr_old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr_old; i++) {
		while (old[i]) {
			struct inv_irq *q = old[i];
			size_t slot = slot_of(t, q->vm, q->of, q->intid);

			old[i] = q->hash_next;
			q->hash_next = t->hash[slot];
			t->hash[slot] = q;
		}
	}
	free(old);
	return 0;
}

struct inv_irq *inv_track_irq(struct inv_track *t, uint16_t vm, uint16_t vcpu, uint32_t intid)
{
	struct inv_irq *q = inv_track_find(t, vm, vcpu, intid);

	if (!q) {
		size_t slot;

		if (t->nr_irqs >= t->buckets && grow(t))
			return NULL;
		q = calloc(1, sizeof(*q));
		if (!q)
			return NULL;
		q->intid = intid;
		q->vm = vm;
		q->of = owner_of(vcpu, intid);
		q->generation = t->generation;
		slot = slot_of(t, vm, q->of, intid);
		q->hash_next = t->hash[slot];
		t->hash[slot] = q;
		t->nr_irqs++;
	}
	if (q->generation != t->generation) {
		q->generation = t->generation;
		q->valid = q->listed = false;
		q->dir.armed = q->raise.armed = false;
		q->ack_until = 0;
	}
	return q;
}

int inv_irqs_add(struct inv_irqs *set, struct inv_irq *irq)
{
	if (set->n == set->room) {
		size_t room = set->room ? set->room * 2 : 16;
		struct inv_irq **v = realloc(set->v, room * sizeof(struct inv_irq *));

		if (!v)
			return -ENOMEM;
		set->v = v;
		set->room = room;
	}
	set->v[set->n++] = irq;
	return 0;
}
