// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "totals.h"

void totals_init(struct totals *t)
{
	memset(t, 0, sizeof(*t));
	t->sum.guest_status = -1;
}

void totals_finish(struct totals *t)
{
	free(t->cpus);
	free(t->vms);
	free(t->vcpus);
	memset(t, 0, sizeof(*t));
}

static int grow(void **table, size_t *cap, size_t need, size_t size)
{
	size_t more = *cap ? *cap * 2 : 8;
	void *p;

	if (need <= *cap)
		return 0;
	if (need > VGR_MAX_TABLE)
		return -E2BIG;
	while (more < need)
		more *= 2;
	p = realloc(*table, more * size);
	if (!p)
		return -ENOMEM;
	memset((char *)p + *cap * size, 0, (more - *cap) * size);
	*table = p;
	*cap = more;
	return 0;
}

static int find_cpu(struct totals *t, uint16_t cpu, struct vgr_cpu_total **found)
{
	size_t i;
	int err;

	if (t->last_cpu < t->nr_cpus && t->cpus[t->last_cpu].cpu == cpu) {
		*found = &t->cpus[t->last_cpu];
		return 0;
	}
	for (i = 0; i < t->nr_cpus; i++) {
		if (t->cpus[i].cpu == cpu) {
			t->last_cpu = i;
			*found = &t->cpus[i];
			return 0;
		}
	}
	err = grow((void **)&t->cpus, &t->cap_cpus, t->nr_cpus + 1, sizeof(*t->cpus));
	if (err)
		return err;
	*found = &t->cpus[t->nr_cpus++];
	(*found)->cpu = cpu;
	return 0;
}

/* A vCPU may be introduced again once more is known of its VM. */
static void set_vm(struct vgr_vm *vm, const struct vgr_vcpu *v)
{
	vm->tgid = v->tgid;
	if (v->nr_spis)
		vm->nr_spis = v->nr_spis;
	if (v->vgic_model)
		vm->vgic_model = v->vgic_model;
	memcpy(vm->comm, v->comm, sizeof(v->comm));
	vm->comm[sizeof(v->comm) - 1] = '\0';
}

static int add_vcpu(struct totals *t, const struct vgr_vcpu *v)
{
	struct vgr_vcpu_info *info;
	size_t i;
	int err;

	if (v->r.vm == VGR_NO_VM || v->r.vcpu == VGR_NO_VCPU)
		return 0;
	for (i = 0; i < t->nr_vcpus; i++) {
		if (t->vcpus[i].vm == v->r.vm && t->vcpus[i].vcpu == v->r.vcpu) {
			set_vm(&t->vms[v->r.vm], v);
			return 0;
		}
	}
	err = grow((void **)&t->vcpus, &t->cap_vcpus, t->nr_vcpus + 1, sizeof(*t->vcpus));
	if (!err)
		err = grow((void **)&t->vms, &t->cap_vms, (size_t)v->r.vm + 1, sizeof(*t->vms));
	if (err)
		return err;
	info = &t->vcpus[t->nr_vcpus++];
	info->vm = v->r.vm;
	info->vcpu = v->r.vcpu;
	info->vcpu_id = v->vcpu_id;
	if (t->nr_vms <= v->r.vm)
		t->nr_vms = (size_t)v->r.vm + 1;
	t->vms[v->r.vm].nr_vcpus++;
	set_vm(&t->vms[v->r.vm], v);
	return 0;
}

int totals_add(struct totals *t, const struct vgr_rec *rec)
{
	struct vgr_cpu_total *cpu;
	int err;

	err = find_cpu(t, rec->cpu, &cpu);
	if (err)
		return err;
	if (rec->type == VGR_LOSS) {
		const struct vgr_loss *loss = (const struct vgr_loss *)rec;

		cpu->lost += loss->count;
		t->sum.lost += loss->count;
	} else {
		cpu->records++;
	}
	if (rec->type == VGR_VCPU) {
		err = add_vcpu(t, (const struct vgr_vcpu *)rec);
		if (err)
			return err;
	}
	if (rec->type != VGR_LOSS) {
		if (t->sum.records == t->sum.by_type[VGR_LOSS] || rec->time < t->sum.first_time)
			t->sum.first_time = rec->time;
		if (rec->time > t->sum.last_time)
			t->sum.last_time = rec->time;
	}
	t->sum.records++;
	t->sum.raw_bytes += rec->size;
	t->sum.by_type[rec->type]++;
	return 0;
}

static int compare_cpu(const void *a, const void *b)
{
	const struct vgr_cpu_total *x = a, *y = b;

	return (int)x->cpu - (int)y->cpu;
}

static int compare_vcpu(const void *a, const void *b)
{
	const struct vgr_vcpu_info *x = a, *y = b;

	if (x->vm != y->vm)
		return (int)x->vm - (int)y->vm;
	return (int)x->vcpu - (int)y->vcpu;
}

const struct vgr_totals *totals_get(struct totals *t)
{
	if (t->nr_cpus)
		qsort(t->cpus, t->nr_cpus, sizeof(*t->cpus), compare_cpu);
	if (t->nr_vcpus)
		qsort(t->vcpus, t->nr_vcpus, sizeof(*t->vcpus), compare_vcpu);
	t->sum.cpus = t->cpus;
	t->sum.nr_cpus = t->nr_cpus;
	t->sum.vms = t->vms;
	t->sum.nr_vms = t->nr_vms;
	t->sum.vcpus = t->vcpus;
	t->sum.nr_vcpus = t->nr_vcpus;
	return &t->sum;
}
