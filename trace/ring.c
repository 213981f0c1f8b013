// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/ring.h>

/* Places count bytes over all rounds; what does not fit before the end begins at the start. */

struct ring_vcpu {
	struct vgr_vcpu intro; /* all that was ever said of it */
	bool known;
	uint64_t first; /* place of the first introduction */
	bool begun;	/* in the cut: its first flush has been */
	bool introduced;
};

struct ring_vm {
	struct ring_vcpu *vcpus;
	size_t nr_vcpus;
	uint16_t number; /* in the cut; VGR_NO_VM: nothing is told of it */
};

struct vgr_ring {
	uint8_t *bytes;
	size_t size;
	uint64_t tail, head; /* places of the oldest record and of the next one */
	uint64_t dropped;
	struct ring_vm *vms;
	size_t nr_vms;
	/* the cut */
	bool cutting;
	uint64_t from, to, at; /* places: of the whole and of the next record */
	uint64_t start;	       /* ns: the earliest time in it */
	uint16_t first_cpu;
	size_t vm, vcpu; /* the next one to introduce */
	uint32_t *seqs;	 /* by CPU: the next number */
	size_t nr_seqs;
	uint64_t out[VGR_MAX_RECORD / 8];
};

int vgr_ring_create(struct vgr_ring **out, size_t bytes)
{
	struct vgr_ring *r;

	bytes &= ~(size_t)7;
	if (bytes < VGR_RING_MIN)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->bytes = malloc(bytes);
	if (!r->bytes) {
		free(r);
		return -ENOMEM;
	}
	r->size = bytes;
	*out = r;
	return 0;
}

void vgr_ring_destroy(struct vgr_ring *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->nr_vms; i++)
		free(r->vms[i].vcpus);
	free(r->vms);
	free(r->seqs);
	free(r->bytes);
	free(r);
}

/* The record at a place, which moves on over what was left empty before the end. */
static const struct vgr_rec *record_at(const struct vgr_ring *r, uint64_t *place)
{
	size_t at = *place % r->size, left = r->size - at;
	const struct vgr_rec *rec = (const void *)(r->bytes + at);

	if (left < sizeof(*rec) || !rec->type) {
		*place += left;
		rec = (const void *)r->bytes;
	}
	return rec;
}

static void drop_oldest(struct vgr_ring *r)
{
	const struct vgr_rec *rec = record_at(r, &r->tail);

	r->tail += rec->size;
	r->dropped++;
}

uint64_t vgr_ring_dropped(const struct vgr_ring *r)
{
	return r->dropped;
}

uint64_t vgr_ring_oldest(const struct vgr_ring *r)
{
	uint64_t place = r->tail;

	return r->tail == r->head ? UINT64_MAX : record_at(r, &place)->time;
}

/* ---- vCPUs ---- */

static int grow(void **table, size_t *n, size_t need, size_t size)
{
	char *p;

	if (need <= *n)
		return 0;
	p = realloc(*table, need * size);
	if (!p)
		return -ENOMEM;
	memset(p + *n * size, 0, (need - *n) * size);
	*table = p;
	*n = need;
	return 0;
}

static int grow_vms(struct vgr_ring *r, uint16_t vm)
{
	size_t i = r->nr_vms;

	if (grow((void **)&r->vms, &r->nr_vms, (size_t)vm + 1, sizeof(*r->vms)))
		return -ENOMEM;
	for (; i < r->nr_vms; i++)
		r->vms[i].number = VGR_NO_VM;
	return 0;
}

static int note_vcpu(struct vgr_ring *r, const struct vgr_vcpu *v, uint64_t place)
{
	struct vgr_vcpu before;
	struct ring_vcpu *rv;
	struct ring_vm *vm;

	if (v->r.vm == VGR_NO_VM || v->r.vcpu == VGR_NO_VCPU)
		return 0;
	if (grow_vms(r, v->r.vm))
		return -ENOMEM;
	vm = &r->vms[v->r.vm];
	if (grow((void **)&vm->vcpus, &vm->nr_vcpus, (size_t)v->r.vcpu + 1, sizeof(*vm->vcpus)))
		return -ENOMEM;
	rv = &vm->vcpus[v->r.vcpu];
	before = rv->intro;
	rv->intro = *v;
	if (!rv->known) {
		rv->known = true;
		rv->first = place;
		return 0;
	}
	if (!v->nr_spis)
		rv->intro.nr_spis = before.nr_spis;
	if (!v->vgic_model)
		rv->intro.vgic_model = before.vgic_model;
	if (!v->dist_page)
		rv->intro.dist_page = before.dist_page;
	return 0;
}

/* ---- putting ---- */

/* Where the next record of this size will stand: not across the end. */
static uint64_t next_place(const struct vgr_ring *r, uint32_t size)
{
	size_t left = r->size - r->head % r->size;

	return left < size ? r->head + left : r->head;
}

bool vgr_ring_has_room(const struct vgr_ring *r, uint32_t size)
{
	return next_place(r, size) + size - r->tail <= r->size;
}

int vgr_ring_put(struct vgr_ring *r, const struct vgr_rec *rec)
{
	size_t at = r->head % r->size;
	uint64_t place, end;
	int err;

	if (rec->size > VGR_MAX_RECORD || vgr_rec_validate(rec, rec->size, NULL))
		return -EINVAL;
	place = next_place(r, rec->size);
	end = place + rec->size;
	while (end - r->tail > r->size) {
		if (r->cutting && r->tail >= r->at)
			return -ENOBUFS;
		drop_oldest(r);
	}
	if (rec->type == VGR_VCPU) {
		err = note_vcpu(r, (const struct vgr_vcpu *)rec, place);
		if (err)
			return err;
	}
	if (place != r->head && r->size - at >= sizeof(*rec))
		memset(r->bytes + at, 0, sizeof(*rec));
	memcpy(r->bytes + place % r->size, rec, rec->size);
	r->head = end;
	return 0;
}

/* ---- the cut ---- */

static int look_through(struct vgr_ring *r)
{
	const struct vgr_rec *rec;
	uint64_t place = r->from;
	uint16_t vms = 0;
	bool first = true;
	size_t i, k;

	for (i = 0; i < r->nr_vms; i++) {
		r->vms[i].number = VGR_NO_VM;
		for (k = 0; k < r->vms[i].nr_vcpus; k++)
			r->vms[i].vcpus[k].begun = false;
	}
	for (; place < r->to; place += rec->size) {
		rec = record_at(r, &place);
		if (rec->type != VGR_LOSS && (first || rec->time < r->start)) {
			r->start = rec->time;
			r->first_cpu = rec->cpu;
			first = false;
		}
		if (rec->vm == VGR_NO_VM)
			continue;
		/* An event may tell of a VM before one of its vCPUs is seen. */
		if (grow_vms(r, rec->vm))
			return -ENOMEM;
		r->vms[rec->vm].number = 0;
	}
	for (i = 0; i < r->nr_vms; i++) {
		if (!r->vms[i].number)
			r->vms[i].number = vms++;
	}
	return 0;
}

int vgr_ring_cut(struct vgr_ring *r, uint64_t from)
{
	const struct vgr_rec *rec;
	uint64_t place = r->tail;
	int err;

	if (r->cutting)
		return -EBUSY;
	for (; place < r->head; place += rec->size) {
		rec = record_at(r, &place);
		if (rec->time >= from)
			break;
	}
	r->from = r->at = place;
	r->to = r->head;
	r->vm = r->vcpu = 0;
	if (r->nr_seqs)
		memset(r->seqs, 0, r->nr_seqs * sizeof(*r->seqs));
	err = look_through(r);
	r->cutting = !err;
	return err;
}

void vgr_ring_end(struct vgr_ring *r)
{
	r->cutting = false;
}

/* The next vCPU that was known before the cut begins; NULL: no more. */
static const struct ring_vcpu *next_intro(struct vgr_ring *r)
{
	for (; r->vm < r->nr_vms; r->vm++, r->vcpu = 0) {
		const struct ring_vm *vm = &r->vms[r->vm];

		while (vm->number != VGR_NO_VM && r->vcpu < vm->nr_vcpus) {
			const struct ring_vcpu *v = &vm->vcpus[r->vcpu++];

			if (v->known && v->first < r->from)
				return v;
		}
	}
	return NULL;
}

/* Flush, entry, sync and exit of a vCPU begin with a flush. */
static bool belongs(struct vgr_ring *r, const struct vgr_rec *rec)
{
	struct ring_vm *vm = rec->vm < r->nr_vms ? &r->vms[rec->vm] : NULL;
	struct ring_vcpu *v = vm && rec->vcpu < vm->nr_vcpus ? &vm->vcpus[rec->vcpu] : NULL;

	switch (rec->type) {
	case VGR_FLUSH:
		if (v)
			v->begun = true;
		return true;
	case VGR_ENTRY:
	case VGR_SYNC:
	case VGR_EXIT:
		return !v || v->begun;
	default:
		return true;
	}
}

/* As a record of the cut: its number, its VM. */
static int hand_out(struct vgr_ring *r, const struct vgr_rec *rec, const struct vgr_rec **out)
{
	struct vgr_rec *to = (void *)r->out;
	struct vgr_loss *loss = (void *)r->out;
	uint32_t *seq;

	if (grow((void **)&r->seqs, &r->nr_seqs, (size_t)rec->cpu + 1, sizeof(*r->seqs)))
		return -ENOMEM;
	seq = &r->seqs[rec->cpu];
	memcpy(to, rec, rec->size);
	if (rec->type == VGR_LOSS) {
		loss->first_seq = *seq + 1;
		*seq += loss->count;
	} else {
		to->seq = ++*seq;
	}
	if (to->vm != VGR_NO_VM)
		to->vm = r->vms[to->vm].number;
	*out = to;
	return 1;
}

int vgr_ring_next(struct vgr_ring *r, const struct vgr_rec **out)
{
	const struct ring_vcpu *intro;
	const struct vgr_rec *rec;
	struct vgr_vcpu v;

	if (!r->cutting)
		return 0;
	if (r->from < r->to) {
		intro = next_intro(r);
		if (intro) {
			v = intro->intro;
			v.r.time = r->start;
			v.r.cpu = r->first_cpu;
			return hand_out(r, &v.r, out);
		}
	}
	while (r->at < r->to) {
		rec = record_at(r, &r->at);
		r->at += rec->size;
		if (belongs(r, rec))
			return hand_out(r, rec, out);
	}
	r->cutting = false;
	return 0;
}
