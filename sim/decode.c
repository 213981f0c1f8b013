/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/decode.h>
#include <vgicsim/gich.h>

#define GICD_SGIR  0xf00u
#define NR_SGIS	   16u
#define MAX_VMS	   4096u
#define MAX_RECORD 65536u

struct vm {
	bool v2;
	uint32_t dist_page;
};

struct vgic_decoder {
	bool gich, v2; /* v2: every guest */
	bool any_v2;
	struct vm *vms;
	size_t nr_vms;
	union {
		struct vgr_rec rec;
		struct vgr_sgi sgi;
		struct vgr_dir dir;
		unsigned char bytes[MAX_RECORD];
	} u;
};

int vgic_decoder_create(struct vgic_decoder **out, unsigned int gic_host, unsigned int vgic_model)
{
	struct vgic_decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->vms = calloc(MAX_VMS, sizeof(*d->vms));
	if (!d->vms) {
		free(d);
		return -ENOMEM;
	}
	d->gich = gic_host == 2;
	d->v2 = d->any_v2 = d->gich || vgic_model == 2;
	*out = d;
	return 0;
}

void vgic_decoder_destroy(struct vgic_decoder *d)
{
	if (!d)
		return;
	free(d->vms);
	free(d);
}

bool vgic_decoder_has_v2(const struct vgic_decoder *d)
{
	return d->any_v2;
}

static void introduce(struct vgic_decoder *d, const struct vgr_vcpu *v)
{
	if (v->r.vm >= MAX_VMS)
		return;
	if (v->vgic_model == 2)
		d->vms[v->r.vm].v2 = d->any_v2 = true;
	if (v->dist_page)
		d->vms[v->r.vm].dist_page = v->dist_page;
}

static bool is_v2(const struct vgic_decoder *d, const struct vgr_rec *rec)
{
	return d->v2 || (rec->vm < MAX_VMS && d->vms[rec->vm].v2);
}

static void translate(const struct vgic_decoder *d, uint64_t *lr, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t v = d->gich ? vgic_gich_lr_decode((uint32_t)lr[i]) : lr[i];

		lr[i] = (v & ~VGIC_LR_VINTID) | (v & VGIC_GICH_LR_VINTID);
	}
}

/* INTID, target list or all but oneself, in the fields of ICC_SGI1R_EL1 (Arm ARM). */
static const struct vgr_rec *sgi_of(struct vgic_decoder *d, const struct vgr_mmio *m)
{
	unsigned int filter = m->value >> 24 & 3;
	uint64_t targets = m->value >> 16 & 0xff;

	if (filter == 2)
		targets = m->r.vcpu < 8 ? 1u << m->r.vcpu : 0;
	memset(&d->u.sgi, 0, sizeof(d->u.sgi));
	d->u.sgi.r = m->r;
	d->u.sgi.r.type = VGR_SGI;
	d->u.sgi.r.size = sizeof(d->u.sgi);
	d->u.sgi.value = (m->value & 0xf) << 24 | (filter == 1 ? 1ull << 40 : targets);
	d->u.sgi.allow_group1 = 1;
	return &d->u.rec;
}

const struct vgr_rec *vgic_decode(struct vgic_decoder *d, const struct vgr_rec *rec)
{
	const struct vgr_mmio *m = (const struct vgr_mmio *)rec;
	const struct vgr_flush *f = (const struct vgr_flush *)rec;
	const struct vgr_sync *s = (const struct vgr_sync *)rec;
	uint64_t page;

	if (rec->type == VGR_VCPU)
		introduce(d, (const struct vgr_vcpu *)rec);
	if (!is_v2(d, rec) || rec->size > MAX_RECORD)
		return rec;
	switch (rec->type) {
	case VGR_FLUSH:
		memcpy(d->u.bytes, rec, rec->size);
		translate(d,
			  (uint64_t *)(d->u.bytes + sizeof(*f) +
				       (f->n_before + f->n_after) * sizeof(struct vgr_irq)),
			  f->nr_lr);
		return &d->u.rec;
	case VGR_SYNC:
		memcpy(d->u.bytes, rec, rec->size);
		translate(d,
			  (uint64_t *)(d->u.bytes + sizeof(*s) +
				       2 * s->n_before * sizeof(struct vgr_irq)),
			  s->used_lrs);
		return &d->u.rec;
	case VGR_DIR:
		memcpy(d->u.bytes, rec, sizeof(d->u.dir));
		/* Bits 12:10 are the source of an SGI, and nothing for others. */
		if ((d->u.dir.value & VGIC_GICH_LR_VINTID) < NR_SGIS)
			d->u.dir.value &= VGIC_GICH_LR_VINTID;
		return &d->u.rec;
	case VGR_MMIO:
		page = rec->vm < MAX_VMS ? d->vms[rec->vm].dist_page : 0;
		if (!m->write || !page || m->gpa != (page << 12) + GICD_SGIR)
			return rec;
		return sgi_of(d, m);
	default:
		return rec;
	}
}
