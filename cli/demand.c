// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <vgicsim/decode.h>
#include "demand.h"
#include "exit.h"
#include "output.h"
#include "relay.h"
#include "store.h"

uint16_t demand_vm(const struct vgr_header *h)
{
	const struct vgr_totals *t = &h->totals;
	size_t best = 0;

	for (size_t i = 1; h->has_totals && i < t->nr_vms; i++)
		if (t->vms[i].nr_vcpus > t->vms[best].nr_vcpus)
			best = i;
	return (uint16_t)best;
}

/* Runs that are looked at for the shortest there are. */
#define SWITCH_RUNS 20000u

/* A first look, from the beginning and back to it: what a run costs in which no guest runs. */
static int look_for_switch(struct vgr_reader *r, uint16_t vm, uint64_t *ns)
{
	struct vgic_calibration *c;
	const struct vgr_rec *rec;
	unsigned int runs = 0;
	int ret = vgic_calibration_create(&c);

	if (ret)
		return ret;
	while (runs < SWITCH_RUNS && (ret = vgr_reader_next(r, &rec)) > 0) {
		if (rec->vm != vm || (rec->type != VGR_ENTRY && rec->type != VGR_SYNC))
			continue;
		runs += rec->type == VGR_SYNC;
		ret = vgic_calibration_record(c, rec);
		if (ret)
			break;
	}
	if (ret >= 0)
		*ns = vgic_calibration_switch(c);
	vgic_calibration_destroy(c);
	if (ret < 0)
		return ret;
	return vgr_reader_rewind(r) ? -EIO : 0;
}

static int measure_record(void *opaque, const struct vgr_rec *rec)
{
	return vgic_measure_record(opaque, rec);
}

int demand_read(struct demand *d, const char *path, struct vgr_reader *r,
		const struct vgic_policy *policy, const struct demand_wishes *wishes)
{
	const struct vgr_header *h = vgr_reader_header(r);
	struct vgic_derive_config dc = {
		.nr_lr = h->nr_lr,
		.gicv2 = h->gic_host == 2,
		.model_v2 = h->vgic_model == 2,
		.pre_bits = h->pre_bits,
		.prio_bits = h->pri_bits,
		.vm = wishes && wishes->other_vm ? wishes->vm : demand_vm(h),
		.eager_vmcr = policy->eager_vmcr,
		.calibration = wishes ? wishes->calibration : NULL,
		.store = cli_store(),
	};
	struct vgic_derive *derive = NULL;
	struct vgic_measure *measure = NULL;
	struct vgic_decoder *decoder = NULL;
	struct relay *measuring = NULL;
	bool alone = (wishes && wishes->alone) || cli_threads() < 2;
	const struct vgr_rec *rec;
	int ret, code = EXIT_SOFTWARE;

	memset(d, 0, sizeof(*d));
	ret = look_for_switch(r, dc.vm, &dc.switch_ns);
	if (ret == -ENOMEM)
		goto nomem;
	if (ret) {
		code = cli_fail_recording(path, vgr_reader_error(r));
		goto out;
	}
	if (vgic_decoder_create(&decoder, h->gic_host, h->vgic_model) ||
	    vgic_derive_create(&derive, &dc) || vgic_measure_create(&measure, h->nr_lr, dc.vm))
		goto nomem;
	if (wishes && wishes->timeline &&
	    vgic_measure_timeline(measure, wishes->vcpu, wishes->t0, wishes->t1))
		goto nomem;
	/* What the recording's own numbers are does not matter for the demand, nor the other way.
	 */
	measuring = relay_create(measure_record, measure, alone);
	if (!measuring)
		goto nomem;
	while ((ret = vgr_reader_next(r, &rec)) > 0) {
		d->pairs += rec->type == VGR_SYNC;
		rec = vgic_decode(decoder, rec);
		if (vgic_derive_record(derive, rec) || relay_put(measuring, rec) ||
		    (wishes && wishes->tap && wishes->tap(wishes->opaque, rec)))
			goto nomem;
	}
	if (ret < 0) {
		code = cli_fail_recording(path, vgr_reader_error(r));
		goto out;
	}
	ret = vgic_derive_finish(derive, &d->workload);
	if (ret == -ENODATA) {
		code = cli_fail(EXIT_INPUT,
				"nothing to replay: %s: no vCPU of the recording entered its guest",
				path);
		goto out;
	}
	if (ret || relay_end(measuring) || vgic_measure_finish(measure, &d->recorded))
		goto nomem;
	d->workload->blocked =
		vgic_fates_any(d->recorded.fates, d->recorded.nr_fates, VGIC_FATE_STUCK);
	vgic_derive_stats(derive, &d->derived);
	code = EXIT_OK;
	goto out;
nomem:
	code = cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
out:
	relay_destroy(measuring);
	vgic_decoder_destroy(decoder);
	vgic_derive_destroy(derive);
	vgic_measure_destroy(measure);
	return code;
}

void demand_finish(struct demand *d)
{
	vgic_cell_finish(&d->recorded);
	vgic_workload_destroy(d->workload);
	memset(d, 0, sizeof(*d));
}

void demand_machine(struct vgic_replay_config *c, const struct vgr_header *h,
		    const struct demand *d)
{
	c->nr_lr = h->nr_lr;
	c->has_tdir = h->tdir != VGR_NO;
	/* What QEMU does otherwise is its GICv3. */
	c->eoicount_on_split =
		d->workload->eoicount_on_split || (h->emulated == VGR_YES && h->gic_host != 2);
	c->pre_bits = h->pre_bits;
	c->prio_bits = h->pri_bits;
	c->profile = &d->workload->profile;
	c->seed = 1;
	c->arrivals = VGIC_ARRIVALS_CAUSAL;
}
