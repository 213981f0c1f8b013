// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verifies recordings one after another and stops at the first mismatch. With
 * --turn SWITCH FROM TO only those of kernels whose policy has the switch at FROM, and with
 * it at TO. Exit status: 0 none found, 1 one found (its rule is printed), 2 trouble.
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

struct turn {
	const struct vgic_switch *what;
	uint8_t from, to;
};

static int parse_turn(struct turn *t, char **words)
{
	int from, to;

	t->what = vgic_switch_find(words[0]);
	if (!t->what)
		return -1;
	from = vgic_switch_parse(t->what, words[1]);
	to = vgic_switch_parse(t->what, words[2]);
	t->from = (uint8_t)from;
	t->to = (uint8_t)to;
	return from < 0 || to < 0 ? -1 : 0;
}

/* The policy of the recorded kernel, turned; NULL: it is not one that is wanted. */
static const struct vgic_policy *policy_of(const struct vgr_header *h, const struct turn *t)
{
	static struct vgic_policy turned;
	const struct vgic_policy *p = vgic_policy_for_release(h->kernel_release);

	if (!t->what || !p)
		return p;
	if (vgic_switch_get(t->what, p) != t->from)
		return NULL;
	turned = *p;
	vgic_switch_set(t->what, &turned, t->to);
	return &turned;
}

static int verify(const char *path, const struct turn *turn, const char **why)
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
	if (turn->what && !policy_of(h, turn)) {
		vgr_reader_close(r);
		return 0;
	}
	if (!vgic_verify_create(&v, &(struct vgic_verify_config){
					    .policy = policy_of(h, turn),
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
	struct turn turn = {NULL};
	int first = 1;

	if (argc > 4 && !strcmp(argv[1], "--turn")) {
		if (parse_turn(&turn, argv + 2))
			return 2;
		first = 5;
	}
	for (int i = first; i < argc; i++) {
		const char *why;
		int ret = verify(argv[i], &turn, &why);

		if (ret) {
			if (ret == 1)
				printf("%s: %s\n", argv[i], why);
			return ret;
		}
	}
	return 0;
}
