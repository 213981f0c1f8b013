// SPDX-License-Identifier: GPL-2.0-only
/* Which switch stands behind a difference: the record is checked again with each one turned. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/* A check of its own, so that what the caller's has found stays. */
struct trial {
	struct check check;
	struct vgic_verify_config cfg;
	struct vgic_policy policy;
	struct vgic_verify_totals totals;
	struct samples samples;
};

static int run(struct trial *t, const struct check *c, const struct vgr_rec *rec,
	       const struct vgic_policy *policy)
{
	const struct vgic_config before = c->vgic->cfg;
	struct vgic_vcpu *vcpu = &c->vgic->vcpus[rec->vcpu];
	struct vgic_irq *overflow = vcpu->overflow;
	int err;

	t->check = *c;
	t->cfg = *c->cfg;
	t->cfg.policy = policy;
	t->samples = *c->samples;
	for (unsigned int i = 0; i < t->samples.nr_levels; i++)
		t->samples.levels[i].used = false;
	t->check.cfg = &t->cfg;
	t->check.totals = &t->totals;
	t->check.samples = &t->samples;
	t->check.nr_diffs = 0;
	t->check.lpi = t->check.late = t->check.no_level = false;
	c->vgic->cfg.policy = policy;
	c->vgic->cfg.env.opaque = &t->check;
	if (rec->type == VGR_FLUSH)
		err = check_flush(&t->check, (const struct vgr_flush *)rec);
	else
		err = check_sync(&t->check, (const struct vgr_sync *)rec);
	c->vgic->cfg = before;
	/* Of the last flush; the trial may have been one. */
	vcpu->overflow = overflow;
	return err;
}

static bool has(const struct check *c, const struct diff *d)
{
	for (unsigned int i = 0; i < c->nr_diffs && i < MAX_DIFFS; i++)
		if (c->diffs[i].rule == d->rule && c->diffs[i].intid == d->intid &&
		    !strcmp(c->diffs[i].field, d->field))
			return true;
	return c->nr_diffs > MAX_DIFFS;
}

/* Does some generation have this value? */
static bool in_use(const struct vgic_switch *s, unsigned int value)
{
	const struct vgic_policy *p;

	for (size_t i = 0; (p = vgic_policy_at(i)); i++)
		if (vgic_switch_get(s, p) == value)
			return true;
	return false;
}

/* "a=1 or a=2 would agree (...), or b=0 would agree (...)" */
static void append(char *text, const struct vgic_switch *s, uint32_t values)
{
	const char *before = *text ? ", or " : "";
	size_t n = strlen(text);

	for (unsigned int v = 0; v < vgic_switch_values(s); v++) {
		if (!(values & (1u << v)) || n >= HINT_SIZE)
			continue;
		n += (size_t)snprintf(text + n, HINT_SIZE - n, "%s%s=%s", before, s->name,
				      vgic_switch_value_name(s, v));
		before = " or ";
	}
	if (values && n < HINT_SIZE)
		snprintf(text + n, HINT_SIZE - n, " would agree (%s)", s->origin);
}

/* Where a flush or sync is skipped nothing else was compared: what comes to light is new. */
static bool better(const struct check *trial, const struct check *c, const struct diff *d)
{
	return !has(trial, d) && (trial->nr_diffs < c->nr_diffs || d->rule == &rule_skip);
}

int check_switches(const struct check *c, const struct vgr_rec *rec, unsigned int n, char *text)
{
	const struct vgic_policy *base = c->cfg->policy;
	const struct vgic_switch *s;
	char part[HINT_SIZE] = "";
	struct trial *t = malloc(sizeof(*t));
	int err = t ? 0 : -ENOMEM;

	text[0] = '\0';
	for (size_t i = 0; !err && (s = vgic_switch_at(i)); i++) {
		uint32_t all = 0, this = 0; /* values, as bits */

		for (unsigned int v = 0; !err && v < vgic_switch_values(s); v++) {
			if (v == vgic_switch_get(s, base) || !in_use(s, v))
				continue;
			t->policy = *base;
			vgic_switch_set(s, &t->policy, (uint8_t)v);
			err = run(t, c, rec, &t->policy);
			if (err || t->check.undecided >= 0)
				continue;
			if (!t->check.nr_diffs)
				all |= 1u << v;
			else if (better(&t->check, c, &c->diffs[n]))
				this |= 1u << v;
		}
		append(text, s, all);
		append(part, s, this);
	}
	free(t);
	if (!text[0])
		strcpy(text, part[0] ? part : "no single switch explains it");
	return err;
}
