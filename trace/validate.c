// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <vgicsim/recording.h>
#include "columns.h"

_Static_assert(sizeof(struct vgr_rec) == 32, "record head");
_Static_assert(sizeof(struct vgr_irq) == 16, "interrupt");
_Static_assert(sizeof(struct vgr_vcpu) == 64, "vcpu");
_Static_assert(sizeof(struct vgr_flush) == 72, "flush");
_Static_assert(sizeof(struct vgr_sync) == 80, "sync");
_Static_assert(sizeof(struct vgr_entry) == 40, "entry");
_Static_assert(sizeof(struct vgr_exit) == 48, "exit");
_Static_assert(sizeof(struct vgr_inject) == 40, "inject");
_Static_assert(sizeof(struct vgr_sgi) == 48, "sgi");
_Static_assert(sizeof(struct vgr_msi) == 48, "msi");
_Static_assert(sizeof(struct vgr_dir) == 40, "dir");
_Static_assert(sizeof(struct vgr_mmio) == 56, "mmio");
_Static_assert(sizeof(struct vgr_wfx) == 48, "wfx");
_Static_assert(sizeof(struct vgr_plain) == 32, "plain");
_Static_assert(sizeof(struct vgr_level) == 40, "level");
_Static_assert(sizeof(struct vgr_acked) == 40, "acked");
_Static_assert(sizeof(struct vgr_loss) == 56, "loss");
_Static_assert(sizeof(struct vgr_handler) == 64, "handler");

static const struct {
	const char *name;
	uint32_t size; /* smallest; the only one unless it has arrays */
	bool has_arrays;
} types[VGR_TYPE_MAX] = {
	[VGR_VCPU] = {"vcpu", sizeof(struct vgr_vcpu), false},
	[VGR_FLUSH] = {"flush", sizeof(struct vgr_flush), true},
	[VGR_SYNC] = {"sync", sizeof(struct vgr_sync), true},
	[VGR_ENTRY] = {"entry", sizeof(struct vgr_entry), false},
	[VGR_EXIT] = {"exit", sizeof(struct vgr_exit), false},
	[VGR_INJECT] = {"inject", sizeof(struct vgr_inject), false},
	[VGR_SGI] = {"sgi", sizeof(struct vgr_sgi), false},
	[VGR_MSI] = {"msi", sizeof(struct vgr_msi), false},
	[VGR_DIR] = {"dir", sizeof(struct vgr_dir), false},
	[VGR_MMIO] = {"mmio", sizeof(struct vgr_mmio), false},
	[VGR_WFX] = {"wfx", sizeof(struct vgr_wfx), false},
	[VGR_LOAD] = {"load", sizeof(struct vgr_plain), false},
	[VGR_PUT] = {"put", sizeof(struct vgr_plain), false},
	[VGR_KICK] = {"kick", sizeof(struct vgr_plain), false},
	[VGR_LEVEL] = {"level", sizeof(struct vgr_level), false},
	[VGR_ACKED] = {"acked", sizeof(struct vgr_acked), false},
	[VGR_PRUNE] = {"prune", sizeof(struct vgr_plain), false},
	[VGR_HANDLER] = {"handler", sizeof(struct vgr_handler), false},
	[VGR_LOSS] = {"loss", sizeof(struct vgr_loss), false},
};

const char *vgr_type_name(uint16_t type)
{
	if (type >= VGR_TYPE_MAX || !types[type].name)
		return "?";
	return types[type].name;
}

uint32_t rec_fixed_size(uint16_t type)
{
	return type < VGR_TYPE_MAX ? types[type].size : 0;
}

/* A list shorter than it was must say why: cut at the limit, or changed during the walk. */
static bool count_fits(uint16_t stored, uint16_t total, uint16_t flags)
{
	if (stored == total)
		return true;
	return stored < total && (flags & (VGR_F_CUT | VGR_F_TORN));
}

static const char *flush_wrong(const struct vgr_flush *f)
{
	if (f->n_before > VGR_MAX_IRQS || f->n_after > VGR_MAX_IRQS)
		return "a flush with more list entries than a record can hold";
	if (f->nr_lr > VGR_MAX_LRS)
		return "a flush with more list registers than the architecture has";
	if (f->used_lrs > f->nr_lr)
		return "a flush that uses more list registers than there are";
	if (f->r.size != vgr_flush_size(f->n_before, f->n_after, f->nr_lr))
		return "the size of a flush does not fit its counts";
	if (!count_fits(f->n_before, f->total_before, f->r.flags) ||
	    !count_fits(f->n_after, f->total_after, f->r.flags))
		return "a flush whose list is incomplete without being marked so";
	return NULL;
}

static const char *sync_wrong(const struct vgr_sync *s)
{
	if (s->n_before > VGR_MAX_IRQS || s->n_after > VGR_MAX_IRQS)
		return "a sync with more list entries than a record can hold";
	if (s->used_lrs > VGR_MAX_LRS)
		return "a sync with more list registers than the architecture has";
	if (s->r.size != vgr_sync_size(s->n_before, s->used_lrs, s->n_after))
		return "the size of a sync does not fit its counts";
	if (!count_fits(s->n_before, s->total_before, s->r.flags) ||
	    !count_fits(s->n_after, s->total_after, s->r.flags))
		return "a sync whose list is incomplete without being marked so";
	return NULL;
}

bool rec_fits_host(const struct vgr_rec *rec, unsigned int max_lrs, const char **why)
{
	unsigned int n = 0;

	if (rec->type == VGR_FLUSH)
		n = ((const struct vgr_flush *)rec)->nr_lr;
	else if (rec->type == VGR_SYNC)
		n = ((const struct vgr_sync *)rec)->used_lrs;
	if (n > max_lrs)
		*why = "a record with more list registers than the host's GIC can have";
	return n <= max_lrs;
}

static inline const char *rec_wrong(const struct vgr_rec *rec, size_t avail)
{
	if (avail < sizeof(*rec))
		return "a record head that is not whole";
	if (rec->type >= VGR_TYPE_MAX || !types[rec->type].name)
		return "a record of an unknown type";
	if (rec->size % 8 || rec->size > VGR_MAX_RECORD)
		return "a record with an impossible size";
	if (rec->size < types[rec->type].size)
		return "a record that is shorter than its type";
	if (!types[rec->type].has_arrays && rec->size != types[rec->type].size)
		return "a record that is longer than its type";
	if (rec->size > avail)
		return "a record that reaches beyond its frame";
	if (rec->type == VGR_FLUSH)
		return flush_wrong((const struct vgr_flush *)rec);
	if (rec->type == VGR_SYNC)
		return sync_wrong((const struct vgr_sync *)rec);
	return NULL;
}

int vgr_rec_validate(const struct vgr_rec *rec, size_t avail, const char **why)
{
	const char *wrong = rec_wrong(rec, avail);

	if (!wrong)
		return 0;
	if (why)
		*why = wrong;
	return -EPROTO;
}

/*
 * Is there nothing to be said against it? Of what is not plain the rules are asked one by one:
 * a list that was cut, and all that is wrong. A type has either one size, or arrays.
 */
static inline bool is_plain(const struct vgr_rec *rec, uint32_t avail, unsigned int max_lrs)
{
	const struct vgr_flush *f = (const struct vgr_flush *)rec;
	const struct vgr_sync *s = (const struct vgr_sync *)rec;

	if (avail < sizeof(*rec) || rec->type >= VGR_TYPE_MAX || rec->size > avail)
		return false;
	if (!types[rec->type].has_arrays)
		return rec->size == types[rec->type].size && types[rec->type].size;
	if (rec->size < types[rec->type].size)
		return false;
	if (rec->type == VGR_FLUSH)
		return f->n_before == f->total_before && f->n_after == f->total_after &&
		       f->n_before <= VGR_MAX_IRQS && f->n_after <= VGR_MAX_IRQS &&
		       f->nr_lr <= VGR_MAX_LRS && f->nr_lr <= max_lrs && f->used_lrs <= f->nr_lr &&
		       f->r.size == vgr_flush_size(f->n_before, f->n_after, f->nr_lr);
	return s->n_before == s->total_before && s->n_after == s->total_after &&
	       s->n_before <= VGR_MAX_IRQS && s->n_after <= VGR_MAX_IRQS &&
	       s->used_lrs <= VGR_MAX_LRS && s->used_lrs <= max_lrs &&
	       s->r.size == vgr_sync_size(s->n_before, s->used_lrs, s->n_after);
}

uint32_t recs_sound(const void *raw, const struct rec_bounds *b, const char **why)
{
	uint32_t at = 0, done = 0;
	const struct vgr_rec *rec;
	uint64_t span = b->last_time - b->first_time;
	const char *wrong = NULL;

	while (at < b->size) {
		rec = (const struct vgr_rec *)((const char *)raw + at);
		if (!is_plain(rec, b->size - at, b->max_lrs)) {
			wrong = rec_wrong(rec, b->size - at);
			if (wrong || !rec_fits_host(rec, b->max_lrs, &wrong))
				break;
		}
		if (rec->time - b->first_time > span) {
			wrong = "a record outside the time of its frame";
			break;
		}
		at += rec->size;
		done++;
		if ((done == b->records) != (at == b->size)) {
			at -= rec->size;
			wrong = "a frame that holds more or fewer records than it says";
			break;
		}
	}
	*why = wrong;
	return at;
}
