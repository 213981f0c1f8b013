// SPDX-License-Identifier: GPL-2.0-only
/* The first part of a scenario: policy, host, guest, interrupts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define DEFAULT_PRIO 0xa0

void setup_defaults(struct vgic_scenario *s)
{
	s->title = "";
	s->policy = vgic_policy_find("newest");
	s->host.vgic.nr_vcpus = 1;
	s->host.vgic.nr_lr = 4;
	s->host.vgic.has_tdir = true;
	s->host.hw = vgic_v3_cpuif_defaults(4);
	s->vmcr = VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT;
	s->handler[0] = STEP_LOWER;
	s->handler[1] = STEP_EOI;
	s->handler[2] = STEP_DIR;
	s->nr_handler = 3;
}

/* One of the table, or a variant: base+switch=value, made once. */
const struct vgic_policy *parse_policy(struct parser *p, const char *name)
{
	const char *plus = strchr(name, '+');
	const struct vgic_policy *base;
	struct vgic_policy_spec *spec;
	struct vgic_scenario *s = p->s;
	char text[VGIC_POLICY_NAME];
	int err;

	if (!plus) {
		base = vgic_policy_find(name);
		if (!base)
			fail(p, "%s is no policy: 'vgicsim policies' lists them", name);
		return base;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(plus - name), name);
	base = vgic_policy_find(text);
	if (!base) {
		fail(p, "%s is no policy: 'vgicsim policies' lists them", text);
		return NULL;
	}
	spec = calloc(1, sizeof(*spec));
	if (!spec) {
		fail(p, "not enough memory");
		return NULL;
	}
	spec->policy = *base;
	err = vgic_policy_override(spec, plus + 1);
	if (err) {
		fail(p, "%s: %s", spec->bad[0] ? spec->bad : plus + 1,
		     err == -ENOENT  ? "no such switch"
		     : err == -E2BIG ? "too long"
				     : "the switch has no such value");
		free(spec);
		return NULL;
	}
	for (unsigned int i = 0; i < s->nr_variants; i++)
		if (!strcmp(s->variants[i]->name, spec->name)) {
			free(spec);
			return &s->variants[i]->policy;
		}
	if (s->nr_variants == MAX_VARIANTS) {
		fail(p, "more than %u policies with overrides", MAX_VARIANTS);
		free(spec);
		return NULL;
	}
	s->variants[s->nr_variants++] = spec;
	return &spec->policy;
}

static int policy_line(struct parser *p)
{
	const char *name = take_word(p);

	if (!name)
		return -EINVAL;
	p->s->policy = parse_policy(p, name);
	return p->s->policy ? 0 : -EINVAL;
}

static int patch_line(struct parser *p)
{
	struct vgic_scenario *s = p->s;
	uint64_t n;

	while (!at_end(p)) {
		if (take_number(p, 33, &n))
			return -EINVAL;
		if (!n || s->nr_patches == sizeof(s->patches))
			return fail(p, "patches are numbered from 1 to 33");
		s->patches[s->nr_patches++] = (uint8_t)n;
		accept_char(p, ',');
	}
	return 0;
}

static int metric_line(struct parser *p)
{
	struct vgic_scenario *s = p->s;
	const char *name, *counter;
	int n;

	name = peek(p)->kind == '"' ? take_string(p) : take_word(p);
	if (!name)
		return -EINVAL;
	counter = accept_word(p, "=") ? take_word(p) : name;
	if (!counter)
		return -EINVAL;
	n = vgic_host_counter_find(counter);
	if (n < 0)
		return fail(p, "%s is no counter", counter);
	if (s->nr_metrics == MAX_METRICS)
		return fail(p, "more than %u metrics", MAX_METRICS);
	s->metrics[s->nr_metrics].name = name;
	s->metrics[s->nr_metrics++].counter = (unsigned int)n;
	return 0;
}

/* What machines differ in (kvm-overflow.md 12). */
static int host_kind(struct parser *p)
{
	struct vgic_host_config *h = &p->s->host;

	if (accept_word(p, "v3"))
		return 0;
	if (accept_word(p, "v2")) {
		h->vgic.gicv2 = h->vgic.model_v2 = true;
		h->vgic.has_tdir = false;
		p->s->vmcr = (p->s->vmcr & ~VGIC_VMCR_VENG1) | VGIC_VMCR_VENG0;
	} else if (accept_word(p, "no-tds")) {
		h->vgic.has_tdir = h->hw.has_tds = false;
	} else if (accept_word(p, "apple")) {
		h->vgic.unadvertised = true;
		h->vgic.static_traps = VGIC_HCR_TALL0 | VGIC_HCR_TALL1 | VGIC_HCR_TDIR;
		h->no_hw_deactivation = true;
	} else if (accept_word(p, "seis")) {
		/* Broken SError generation: hidden, and the group registers trap. */
		h->vgic.static_traps = VGIC_HCR_TALL0 | VGIC_HCR_TALL1 | VGIC_HCR_TDIR;
	} else if (accept_word(p, "thunderx")) {
		h->vgic.static_traps = VGIC_HCR_TALL0 | VGIC_HCR_TALL1;
	} else if (accept_word(p, "ampereone")) {
		h->deact_inactive_hppi_loses_irq = true;
	} else {
		return 1;
	}
	return 0;
}

struct flag {
	const char *word;
	size_t offset;
};

#define HW(member) offsetof(struct vgic_host_config, hw.member)

/* Behaviour in which implementations differ (hardware model 8). */
static const struct flag flags[] = {
	{"elrsr-state-only", HW(elrsr_state_only)},
	{"eoir-without-apr-continues", HW(eoir_without_apr_continues)},
	{"eoicount-on-split-eoir", HW(eoicount_on_split_eoir)},
	{"eoicount-on-lpi", HW(eoicount_on_lpi)},
	{"eoicount-saturates", HW(eoicount_saturates)},
	{"eoir-ignores-split", HW(eoir_ignores_split)},
	{"vgrp0d-tests-veng1", HW(vgrp0d_tests_veng1)},
	{"cbpr-saturates", HW(cbpr_saturates)},
	{"deact-inactive-loses", offsetof(struct vgic_host_config, deact_inactive_hppi_loses_irq)},
	{"no-hw-deactivation", offsetof(struct vgic_host_config, no_hw_deactivation)},
	{"unadvertised", offsetof(struct vgic_host_config, vgic.unadvertised)},
};

static int host_flag(struct parser *p)
{
	struct vgic_host_config *h = &p->s->host;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (accept_word(p, flags[i].word)) {
			*(bool *)((char *)h + flags[i].offset) = true;
			return 0;
		}
	if (accept_word(p, "group0-trap"))
		h->vgic.static_traps |= VGIC_HCR_TALL0;
	else if (accept_word(p, "group1-trap"))
		h->vgic.static_traps |= VGIC_HCR_TALL1;
	else if (accept_word(p, "common-trap"))
		h->vgic.static_traps |= VGIC_HCR_TC;
	else if (accept_word(p, "qemu"))
		h->hw.eoicount_on_split_eoir = h->hw.vgrp0d_tests_veng1 = true;
	else if (accept_word(p, "gem5"))
		h->hw.eoicount_on_lpi = h->hw.eoir_ignores_split = true;
	else if (accept_word(p, "tie=highest"))
		h->hw.tie = VGIC_TIE_HIGHEST_LR;
	else if (accept_word(p, "tie=lowest"))
		h->hw.tie = VGIC_TIE_LOWEST_LR;
	else
		return 1;
	return 0;
}

/* N, N..M, never */
static int latency(struct parser *p, const char *key, const char *text, uint32_t *first,
		   uint32_t *last)
{
	const char *dots = strstr(text, "..");
	uint64_t a, b;

	*first = *last = VGIC_HOST_NEVER;
	if (!strcmp(text, "never"))
		return 0;
	if (number(text, dots ? (size_t)(dots - text) : strlen(text), 1000000, &a) ||
	    (dots && number(dots + 2, strlen(dots + 2), 1000000, &b))) {
		p->at--;
		return fail(p, "%s=%s: guest steps, 2 or 0..5 or never", key, text);
	}
	*first = (uint32_t)a;
	*last = dots ? (uint32_t)b : *first;
	return 0;
}

/* 1: no such key. */
static int host_number(struct parser *p)
{
	struct vgic_host_config *h = &p->s->host;
	uint32_t ignored;
	const char *text;
	uint64_t n;
	int err;

	if ((text = accept_key(p, "mi-latency")))
		return latency(p, "mi-latency", text, &h->mi_latency, &h->mi_latency_last);
	if ((text = accept_key(p, "kick-latency")))
		return latency(p, "kick-latency", text, &h->kick_latency, &ignored);
	if ((text = accept_key(p, "lrs"))) {
		err = key_number(p, "lrs", text, VGIC_MAX_LRS, &n);
		h->vgic.nr_lr = (unsigned int)n;
		h->hw.nr_lr = (uint8_t)n;
	} else if ((text = accept_key(p, "cpus"))) {
		err = key_number(p, "cpus", text, VGIC_HOST_MAX_VCPUS, &n);
		h->nr_cpus = (unsigned int)n;
	} else if ((text = accept_key(p, "pre-bits"))) {
		err = key_number(p, "pre-bits", text, 7, &n);
		h->hw.pre_bits = (uint8_t)n;
	} else if ((text = accept_key(p, "prio-bits"))) {
		err = key_number(p, "prio-bits", text, 8, &n);
		h->hw.prio_bits = (uint8_t)n;
	} else {
		return 1;
	}
	if (!err && n < 1) {
		p->at--;
		return fail(p, "0 is too small");
	}
	return err;
}

static int host_line(struct parser *p)
{
	struct vgic_host_config *h = &p->s->host;

	p->s->host_line = peek(p)->line;
	while (!at_end(p)) {
		int err = host_kind(p);

		if (err)
			err = host_flag(p);
		if (err == 1)
			err = host_number(p);
		if (err == 1)
			return fail(p, "%.*s: no word for a host", (int)peek(p)->len,
				    peek(p)->text);
		if (err)
			return err;
	}
	if (h->vgic.nr_lr > VGIC_V3_MAX_LRS && !h->vgic.gicv2)
		return fail(p, "a GICv3 has at most %u list registers", VGIC_V3_MAX_LRS);
	if (h->hw.pre_bits < 5 || h->hw.prio_bits < h->hw.pre_bits)
		return fail(p, "pre-bits are 5 to 7, prio-bits as many at least and 8 at most");
	return 0;
}

static int on_off(struct parser *p, const char *key, uint32_t bit, bool *found)
{
	const char *text = accept_key(p, key);

	*found = text;
	if (!text)
		return 0;
	if (!strcmp(text, "on") || !strcmp(text, "1")) {
		p->s->vmcr |= bit;
	} else if (!strcmp(text, "off") || !strcmp(text, "0")) {
		p->s->vmcr &= ~bit;
	} else {
		p->at--;
		return fail(p, "%s is on or off", key);
	}
	return 0;
}

static int guest_field(struct parser *p)
{
	static const struct {
		const char *key;
		uint32_t max, shift, mask;
	} fields[] = {
		{"pmr", 0xff, VGIC_VMCR_VPMR_SHIFT, VGIC_VMCR_VPMR},
		{"bpr0", 7, VGIC_VMCR_VBPR0_SHIFT, VGIC_VMCR_VBPR0},
		{"bpr1", 7, VGIC_VMCR_VBPR1_SHIFT, VGIC_VMCR_VBPR1},
	};
	static const struct {
		const char *key;
		uint32_t bit;
	} bits[] = {
		{"eoimode", VGIC_VMCR_VEOIM},  {"group0", VGIC_VMCR_VENG0},
		{"group1", VGIC_VMCR_VENG1},   {"cbpr", VGIC_VMCR_VCBPR},
		{"ackctl", VGIC_VMCR_VACKCTL}, {"fiqen", VGIC_VMCR_VFIQEN},
	};
	const char *text;
	uint64_t n;
	bool found;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		int err = on_off(p, bits[i].key, bits[i].bit, &found);

		if (err || found)
			return err;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		text = accept_key(p, fields[i].key);
		if (!text)
			continue;
		if (key_number(p, fields[i].key, text, fields[i].max, &n))
			return -EINVAL;
		p->s->vmcr = (p->s->vmcr & ~fields[i].mask) | (uint32_t)n << fields[i].shift;
		return 0;
	}
	return fail(p, "%.*s: no word for a guest", (int)peek(p)->len, peek(p)->text);
}

static int guest_line(struct parser *p)
{
	while (!at_end(p)) {
		int err = 0;

		if (accept_word(p, "v2")) {
			p->s->host.vgic.model_v2 = true;
			p->s->vmcr = (p->s->vmcr & ~VGIC_VMCR_VENG1) | VGIC_VMCR_VENG0;
		} else if (!accept_word(p, "v3")) {
			err = guest_field(p);
		}
		if (err)
			return err;
	}
	if (p->s->host.vgic.gicv2 && !p->s->host.vgic.model_v2)
		return fail(p, "a GICv2 host has no GICv3 guests");
	return 0;
}

static int handler_line(struct parser *p)
{
	static const char *const words[] = {"eoi", "dir", "lower", "mmio", "step"};
	struct vgic_scenario *s = p->s;

	s->nr_handler = 0;
	accept_word(p, "ack");
	while (!at_end(p)) {
		unsigned int i = 0;

		while (i < 5 && !accept_word(p, words[i]))
			i++;
		if (i == 5)
			return fail(p, "a handler is made of ack, eoi, dir, lower, mmio, step");
		if (s->nr_handler == 16)
			return fail(p, "a handler of more than 16 steps");
		s->handler[s->nr_handler++] = (enum handler_step)i;
		accept_char(p, ',');
	}
	return 0;
}

static int irq_word(struct parser *p, struct declaration *d)
{
	const char *text;
	uint64_t n;

	if (accept_word(p, "level"))
		d->level = 1;
	else if (accept_word(p, "edge"))
		d->level = 0;
	else if (accept_word(p, "enabled"))
		d->enabled = true;
	else if (accept_word(p, "disabled"))
		d->enabled = false;
	else if (accept_word(p, "active"))
		d->active = true;
	else if (accept_word(p, "pending"))
		d->pending = true;
	else if (accept_word(p, "high"))
		d->line_high = true;
	else if (accept_word(p, "resample"))
		d->resample = true;
	else if (accept_word(p, "group0"))
		d->group = 0;
	else if (accept_word(p, "group1"))
		d->group = 1;
	else if ((text = accept_key(p, "prio"))) {
		if (key_number(p, "prio", text, 0xff, &n))
			return -EINVAL;
		d->prio = (uint8_t)n;
	} else if ((text = accept_key(p, "target"))) {
		if (key_number(p, "target", text, VGIC_HOST_MAX_VCPUS - 1, &n))
			return -EINVAL;
		d->target = (uint16_t)n;
	} else if ((text = accept_key(p, "hw"))) {
		if (key_number(p, "hw", text, 1019, &n))
			return -EINVAL;
		d->hw = true;
		d->pintid = (uint16_t)n;
	} else {
		return fail(p, "%.*s: no word for an interrupt", (int)peek(p)->len, peek(p)->text);
	}
	return 0;
}

static int irq_line(struct parser *p, enum irq_kind kind, bool timer)
{
	static const struct {
		uint32_t first, last;
	} limits[] = {{0, 15}, {16, 31}, {32, 31 + VGIC_MAX_SPIS}, {VGIC_LPI_BASE, UINT32_MAX}};
	struct vgic_scenario *s = p->s;
	struct declaration d = {.line = peek(p)->line,
				.kind = kind,
				.level = -1,
				.group = -1,
				.prio = DEFAULT_PRIO,
				.enabled = true,
				.timer = timer};
	int err;

	if (take_ids(p, &d.ids, NULL))
		return -EINVAL;
	for (uint32_t i = 0; i < d.ids.n; i++) {
		uint32_t intid = s->ids[d.ids.first + i].intid;

		if (intid < limits[kind].first || intid > limits[kind].last)
			return fail(p, "%u is of another kind: %u to %u", intid, limits[kind].first,
				    limits[kind].last);
	}
	if (timer) {
		d.hw = true;
		d.pintid = (uint16_t)s->ids[d.ids.first].intid;
	}
	while (!at_end(p))
		if (irq_word(p, &d))
			return -EINVAL;
	if (kind == KIND_SPI && d.level < 0)
		return fail(p, "an SPI is level or edge");
	err = grow(&s->declarations, s->nr_declarations, &s->cap_declarations,
		   sizeof(*s->declarations), 1024);
	if (err)
		return fail(p, "too many interrupts");
	s->declarations[s->nr_declarations++] = d;
	return 0;
}

static int vcpus_line(struct parser *p)
{
	uint64_t n;

	if (take_number(p, VGIC_HOST_MAX_VCPUS, &n))
		return -EINVAL;
	if (!n)
		return fail(p, "a VM has a vCPU at least");
	p->s->host.vgic.nr_vcpus = (unsigned int)n;
	return 0;
}

static int title_line(struct parser *p)
{
	const char *text = take_string(p);

	if (!text)
		return -EINVAL;
	p->s->title = text;
	return 0;
}

static int sgi_line(struct parser *p)
{
	return irq_line(p, KIND_SGI, false);
}

static int ppi_line(struct parser *p)
{
	return irq_line(p, KIND_PPI, false);
}

static int spi_line(struct parser *p)
{
	return irq_line(p, KIND_SPI, false);
}

static int lpi_line(struct parser *p)
{
	return irq_line(p, KIND_LPI, false);
}

static int timer_line(struct parser *p)
{
	return irq_line(p, KIND_PPI, true);
}

int parse_setup(struct parser *p)
{
	static const struct {
		const char *word;
		int (*parse)(struct parser *p);
	} lines[] = {
		{"title", title_line},	   {"policy", policy_line}, {"patch", patch_line},
		{"metric", metric_line},   {"host", host_line},	    {"guest", guest_line},
		{"handler", handler_line}, {"vcpus", vcpus_line},   {"ppi", ppi_line},
		{"spi", spi_line},	   {"lpi", lpi_line},	    {"timer", timer_line},
	};
	int err;

	/* "sgi 3 to 1" is something a guest does: it stands after a vCPU. */
	if (!p->vcpus && accept_word(p, "sgi")) {
		err = p->running ? fail(p, "a vCPU sends an SGI: vcpu 0: sgi ...") : sgi_line(p);
		return err ? err : 1;
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!accept_word(p, lines[i].word))
			continue;
		if (p->running && i > 3) {
			p->at--;
			return fail(p, "%s belongs to the set-up, before anything happens",
				    lines[i].word);
		}
		err = lines[i].parse(p);
		return err ? err : 1;
	}
	return 0;
}
