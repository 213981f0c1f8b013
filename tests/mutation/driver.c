// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verifies recordings one after another and stops at the first mismatch. Exit
 * status: 0 none found, 1 one found (its rule is printed), 2 trouble.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <vgicsim/recording.h>
#include <vgicsim/verify.h>

/* Differences are decided in between, once the records around them must have passed. */
#define SETTLE_EVERY 4000
#define SETTLE_AFTER 200000000ull /* ns */

struct finding {
	uint64_t n;
	char text[200];
};

static void found(void *opaque, const struct vgic_verify_mismatch *m)
{
	struct finding *f = opaque;

	if (!f->n++)
		snprintf(f->text, sizeof(f->text), "%s (%s) at record %" PRIu64, m->rule, m->field,
			 m->index);
}

static bool probed(const struct vgr_header *h, const char *name)
{
	for (size_t i = 0; i < h->nr_probes; i++)
		if (strstr(h->probes[i].name, name) && strcmp(h->probes[i].method, "none"))
			return true;
	return false;
}

static int feed(struct vgic_verify *v, struct vgr_reader *r, const struct finding *f)
{
	const struct vgr_rec *rec;
	uint64_t n = 0;
	int got;

	while ((got = vgr_reader_next(r, &rec)) > 0) {
		if (vgic_verify_record(v, rec))
			return 2;
		if (++n % SETTLE_EVERY || rec->time < SETTLE_AFTER)
			continue;
		if (vgic_verify_settle(v, rec->time - SETTLE_AFTER))
			return 2;
		if (f->n)
			return 1;
	}
	if (got < 0 || vgic_verify_finish(v))
		return 2;
	return f->n ? 1 : 0;
}

static int verify(const char *path, const char **why)
{
	static struct finding f;
	const struct vgr_header *h;
	struct vgr_error error;
	struct vgic_verify *v;
	struct vgr_reader *r;
	int ret = 2;

	if (vgr_reader_open(&r, path, NULL, &error)) {
		fprintf(stderr, "%s: %s\n", path, error.what);
		return 2;
	}
	h = vgr_reader_header(r);
	if (!vgic_verify_create(&v, &(struct vgic_verify_config){
					    .policy = vgic_policy_for_release(h->kernel_release),
					    .nr_lr = h->nr_lr,
					    .gicv2 = h->gic_host == 2,
					    .no_tdir = h->tdir == VGR_NO,
					    .static_traps = h->static_traps,
					    .has_levels = probed(h, "get_input_level"),
					    .has_acked = probed(h, "kvm_notify_acked_irq"),
					    .has_entries = probed(h, "kvm_entry"),
					    .sees_boundary = !strcmp(h->kvm_mode, "VHE"),
					    .opaque = &f,
					    .mismatch = found,
				    })) {
		ret = feed(v, r, &f);
		vgic_verify_destroy(v);
	}
	if (ret == 2)
		fprintf(stderr, "%s: cannot be verified\n", path);
	vgr_reader_close(r);
	*why = f.text;
	return ret;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *why;
		int ret = verify(argv[i], &why);

		if (ret) {
			if (ret == 1)
				printf("%s: %s\n", argv[i], why);
			return ret;
		}
	}
	return 0;
}
