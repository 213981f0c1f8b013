// SPDX-License-Identifier: GPL-2.0-only
/* Expectations against what is there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/gich.h>

#include "run.h"

void met(struct runner *r, const struct statement *st, bool yes, const char *expected,
	 const char *found)
{
	r->line = st->line;
	if (yes) {
		r->result->nr_ok++;
		record(r, VGIC_SCENARIO_OK, "%s", st->written);
		return;
	}
	r->result->nr_failed++;
	if (expected)
		record(r, VGIC_SCENARIO_FAILED, "%s: expected %s, it is %s", st->written, expected,
		       found);
	else
		record(r, VGIC_SCENARIO_FAILED, "%s: it is %s", st->written, found);
}

uint64_t counter_value(const struct runner *r, unsigned int vcpu, unsigned int counter)
{
	unsigned int row = vcpu == VGIC_NO_VCPU ? VGIC_HOST_MAX_VCPUS : vcpu;

	return vgic_host_count(r->h, vcpu, counter) - r->base[row][counter];
}

static void lr(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	uint64_t lr = vgic_host_lr(r->h, vcpu, st->n), mask = 0;
	bool v2 = r->h->vgic->cfg.model_v2, yes;
	char found[160], one[32];

	if (st->op == OP_EXPECT_GICH) {
		uint32_t gich = vgic_gich_lr_encode(lr);

		snprintf(found, sizeof(found), "0x%08x", gich);
		met(r, st, gich == st->value, NULL, found);
		return;
	}
	if (st->has & LR_SAYS_EMPTY) {
		yes = !(lr & VGIC_LR_STATE);
	} else if (st->has & LR_SAYS_RAW) {
		yes = lr == st->value;
	} else {
		mask |= st->has & LR_SAYS_STATE ? VGIC_LR_STATE : 0;
		mask |= st->has & LR_SAYS_EOI ? VGIC_LR_EOI : 0;
		mask |= st->has & LR_SAYS_GROUP ? VGIC_LR_GROUP1 : 0;
		mask |= st->has & LR_SAYS_PRIO ? VGIC_LR_PRIORITY : 0;
		mask |= st->has & LR_SAYS_SOURCE ? VGIC_LR_CPUID : 0;
		mask |= st->has & LR_SAYS_HW ? VGIC_LR_HW | VGIC_LR_PINTID : 0;
		yes = (lr & mask) == st->value && (lr & (v2 ? 0x3ffu : VGIC_LR_VINTID)) == st->mask;
	}
	snprintf(found, sizeof(found), "%s prio=0x%02x%s%s%s, 0x%016" PRIx64,
		 lr_text(r, one, sizeof(one), lr),
		 (unsigned int)((lr & VGIC_LR_PRIORITY) >> VGIC_LR_PRIORITY_SHIFT),
		 lr & VGIC_LR_HW    ? " hw"
		 : lr & VGIC_LR_EOI ? " eoi"
				    : "",
		 lr & VGIC_LR_GROUP1 ? " group1" : " group0", "", lr);
	met(r, st, yes, NULL, found);
}

static void lrs(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct vgic_vcpu *k = &r->h->vgic->vcpus[vcpu];
	char found[LINE_TEXT] = "", one[32];

	for (unsigned int i = 0; i < k->used_lrs; i++)
		append(found, sizeof(found), "%s%s", i ? " " : "",
		       lr_text(r, one, sizeof(one), vgic_host_lr(r->h, vcpu, i)));
	if (!k->used_lrs)
		append(found, sizeof(found), "none");
	met(r, st, !strcmp(found, st->text), NULL, found);
}

static bool bits_met(const struct statement *st, uint32_t value)
{
	uint32_t want = (uint32_t)st->value;

	if (st->is == 1)
		return (value & want) == want;
	if (st->is == 2)
		return !(value & want);
	return value == want;
}

static void hcr(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	uint32_t hcr = vgic_host_hcr(r->h, vcpu) & ~VGIC_HCR_EOICOUNT;
	char found[160];

	met(r, st, bits_met(st, hcr), NULL, hcr_names(found, sizeof(found), hcr));
}

static void misr(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	uint32_t misr = vgic_v3_cpuif_misr(vgic_host_hw(r->h, vcpu));
	char found[96];

	met(r, st, bits_met(st, misr), NULL, misr_names(found, sizeof(found), misr));
}

static void counter(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	uint64_t value = counter_value(r, vcpu, st->n);
	bool yes[] = {
		[CMP_EQ] = value == st->value,
		[CMP_NE] = value != st->value,
		[CMP_LT] =
			value<st->value, [CMP_LE] = value <= st->value, [CMP_GT] = value> st->value,
		[CMP_GE] = value >= st->value,
	};
	char found[32];

	snprintf(found, sizeof(found), "%" PRIu64, value);
	met(r, st, yes[st->compare], NULL, found);
}

static uint32_t look_virtual(const struct runner *r, const struct vgic_host_irq *i)
{
	const struct vgic_irq *irq = i->irq;
	unsigned int look = vgic_host_irq_look(r->h, i);

	return (look & VGIC_LOOK_PENDING ? IS_PENDING : 0) |
	       (look & VGIC_LOOK_ACTIVE ? IS_ACTIVE : 0) | (irq->line_level ? IS_LINE : 0) |
	       (irq->enabled ? IS_ENABLED : 0) | (look & VGIC_LOOK_LR ? IS_ON_LR : 0) |
	       (irq->vcpu != VGIC_NO_VCPU ? IS_LISTED : 0) | (irq->pending_latch ? IS_LATCHED : 0) |
	       (irq->group1 ? IS_GROUP : 0);
}

static uint32_t look_physical(const struct vgic_host_irq *i)
{
	return (vgic_physical_wants(i) ? IS_PENDING : 0) | (i->phys.active ? IS_ACTIVE : 0) |
	       (i->phys.level ? IS_LEVEL : 0) | (i->phys.lost ? IS_LOST : 0);
}

static void irq_words(char *buf, size_t size, uint32_t is, uint32_t has)
{
	static const char *const words[] = {"pending", "active",  "line",    "enabled",
					    "on-lr",   "listed",  "latched", "prio",
					    "vcpu",    "group=1", "level",   "lost"};

	buf[0] = '\0';
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has & (1u << i) & ~(IS_PRIO | IS_VCPU))
			append(buf, size, "%s%s%s", buf[0] ? " " : "", is & (1u << i) ? "" : "not ",
			       words[i]);
}

static unsigned int vcpu_of(const struct id *id, unsigned int vcpu)
{
	return id->vcpu != VGIC_NO_VCPU ? id->vcpu : vcpu != VGIC_NO_VCPU ? vcpu : 0;
}

static void irq(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct id *ids = scenario_ids(r->s, st);
	uint32_t bits = st->has & ~(IS_PRIO | IS_VCPU);

	for (uint32_t n = 0; n < st->ids.n; n++) {
		const struct vgic_host_irq *i =
			vgic_host_irq(r->h, vcpu_of(&ids[n], vcpu), ids[n].intid);
		char found[256] = "no such interrupt";
		uint32_t is;

		if (!i) {
			met(r, st, false, NULL, found);
			continue;
		}
		is = st->op == OP_EXPECT_PHYSICAL ? look_physical(i) : look_virtual(r, i);
		irq_words(found, sizeof(found), is, bits);
		if (st->has & IS_PRIO)
			append(found, sizeof(found), " prio=0x%02x", i->irq->priority);
		if (st->has & IS_VCPU)
			append(found, sizeof(found), " vcpu=%d",
			       i->irq->vcpu == VGIC_NO_VCPU ? -1 : i->irq->vcpu);
		if (st->ids.n > 1)
			append(found, sizeof(found), " (%u)", ids[n].intid);
		met(r, st,
		    (is & bits) == (st->is & bits) &&
			    (!(st->has & IS_PRIO) || i->irq->priority == st->value) &&
			    (!(st->has & IS_VCPU) || i->irq->vcpu == st->n),
		    NULL, found);
	}
}

/* Sequences of INTIDs: as they are, or put into order first. */
struct seq {
	uint64_t v[2048];
	size_t n;
};

static void push(struct seq *s, unsigned int vcpu, uint32_t intid)
{
	if (s->n < sizeof(s->v) / sizeof(s->v[0]))
		s->v[s->n++] = (uint64_t)(intid < VGIC_NR_PRIVATE ? vcpu : 0) << 32 | intid;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void seq_text(const struct seq *s, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		append(buf, size, "%s%u", i ? " " : "", (uint32_t)s->v[i]);
		if (s->v[i] >> 32)
			append(buf, size, "@%u", (unsigned int)(s->v[i] >> 32));
	}
	if (!s->n)
		append(buf, size, "none");
}

static void compare_seq(struct runner *r, const struct statement *st, struct seq *found,
			unsigned int vcpu, bool sorted)
{
	const struct id *ids = scenario_ids(r->s, st);
	struct seq want = {.n = 0};
	char text[LINE_TEXT];
	bool yes;

	for (uint32_t n = 0; n < st->ids.n; n++)
		push(&want, vcpu_of(&ids[n], vcpu), ids[n].intid);
	if (sorted) {
		qsort(want.v, want.n, sizeof(want.v[0]), by_value);
		qsort(found->v, found->n, sizeof(found->v[0]), by_value);
	}
	yes = want.n == found->n && !memcmp(want.v, found->v, want.n * sizeof(want.v[0]));
	seq_text(found, text, sizeof(text));
	met(r, st, yes, NULL, text);
}

static bool in_set(const struct runner *r, enum set set, const struct vgic_host_irq *i)
{
	switch (set) {
	case SET_ACTIVE:
		return vgic_host_irq_look(r->h, i) & VGIC_LOOK_ACTIVE;
	case SET_PENDING:
		return vgic_host_irq_look(r->h, i) & VGIC_LOOK_PENDING;
	case SET_STUCK:
		return vgic_host_stuck(r->h, i);
	case SET_STARVED:
		return vgic_host_starved(r->h, i);
	case SET_LOST:
		return vgic_host_lost(r->h, i);
	case SET_EARLY:
		return vgic_host_early(r->h, i);
	}
	return false;
}

static void collect(const struct runner *r, enum set set, unsigned int vcpu, struct seq *to)
{
	for (size_t n = 0; n < r->h->nr_irqs; n++) {
		const struct vgic_host_irq *i = r->h->irqs[n];
		bool private = i->irq->intid < VGIC_NR_PRIVATE;

		if (private && vcpu != VGIC_NO_VCPU && i->vcpu != vcpu)
			continue;
		if (in_set(r, set, i))
			push(to, i->vcpu, i->irq->intid);
	}
}

static void set(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	struct seq found = {.n = 0};

	collect(r, (enum set)st->n, vcpu, &found);
	compare_seq(r, st, &found, vcpu, true);
}

static bool in_lrs(const struct runner *r, unsigned int vcpu, uint32_t intid)
{
	const struct vgic_vcpu *k = &r->h->vgic->vcpus[vcpu];
	uint64_t mask = r->h->vgic->cfg.model_v2 ? 0x3ffu : VGIC_LR_VINTID;

	for (unsigned int i = 0; i < k->used_lrs; i++)
		if ((k->lr[i] & mask) == intid)
			return true;
	return false;
}

static void list(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	struct seq found = {.n = 0};

	for (const struct vgic_irq *q = r->h->vgic->vcpus[vcpu].list.head; q; q = q->next)
		if (st->op == OP_EXPECT_LIST || !in_lrs(r, vcpu, q->intid))
			push(&found, vcpu, q->intid);
	compare_seq(r, st, &found, vcpu, false);
}

static void acks(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	struct seq found = {.n = 0};

	for (size_t i = 0; i < r->acks[vcpu].n; i++)
		push(&found, vcpu, r->acks[vcpu].v[i]);
	compare_seq(r, st, &found, vcpu, false);
}

static void value(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	const struct vgic_v3_cpuif *hw = vgic_host_hw(r->h, vcpu);
	const struct vgic_host_vcpu *v = &r->h->vcpus[vcpu];
	char found[32];
	uint64_t is;

	switch (st->op) {
	case OP_EXPECT_RUNNING:
		is = vgic_v3_cpuif_running_priority(hw);
		snprintf(found, sizeof(found), "0x%02x", (unsigned int)is);
		break;
	case OP_EXPECT_EOICOUNT:
		is = vgic_v3_eoicount(vgic_host_hcr(r->h, vcpu));
		snprintf(found, sizeof(found), "%u", (unsigned int)is);
		break;
	case OP_EXPECT_STATE:
		is = v->state == VGIC_HOST_OUT && v->pause ? 4 : v->state;
		snprintf(found, sizeof(found), "%s", state_names[is]);
		break;
	default:
		is = (uint64_t)(int64_t)vgic_host_signal(r->h, vcpu);
		snprintf(found, sizeof(found), "%s", is == 0 ? "fiq" : is == 1 ? "irq" : "none");
		break;
	}
	met(r, st, is == st->value, NULL, found);
}

void outcome(const struct runner *r, char *buf, size_t size)
{
	static const struct {
		enum set set;
		const char *word;
	} sets[] = {{SET_STARVED, "starved"},
		    {SET_STUCK, "stuck"},
		    {SET_LOST, "lost"},
		    {SET_EARLY, "early"}};
	static const struct {
		unsigned int counter;
		const char *word;
	} counters[] = {{VGIC_COUNT_LIVELOCKS, "live-lock"},
			{VGIC_COUNT_STORMS, "storm"},
			{VGIC_COUNT_WRONG_VICTIMS, "wrong-victim"},
			{VGIC_COUNT_WILD_WALKS, "wild-walk"}};

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct seq found = {.n = 0};

		collect(r, sets[i].set, VGIC_NO_VCPU, &found);
		if (found.n)
			append(buf, size, "%s%s", buf[0] ? " " : "", sets[i].word);
	}
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (vgic_host_count(r->h, VGIC_NO_VCPU, counters[i].counter))
			append(buf, size, "%s%s", buf[0] ? " " : "", counters[i].word);
	if (!buf[0])
		append(buf, size, "ok");
}

void check_expectation(struct runner *r, const struct statement *st, unsigned int vcpu)
{
	char found[96];

	switch (st->op) {
	case OP_EXPECT_LR:
	case OP_EXPECT_GICH:
		if (st->n < r->h->vgic->cfg.nr_lr)
			lr(r, st, vcpu);
		else
			met(r, st, false, NULL, "not there");
		break;
	case OP_EXPECT_LRS:
		lrs(r, st, vcpu);
		break;
	case OP_EXPECT_HCR:
		hcr(r, st, vcpu);
		break;
	case OP_EXPECT_MISR:
		misr(r, st, vcpu);
		break;
	case OP_EXPECT_COUNTER:
		counter(r, st, vcpu);
		break;
	case OP_EXPECT_IRQ:
	case OP_EXPECT_PHYSICAL:
		irq(r, st, vcpu);
		break;
	case OP_EXPECT_LIST:
	case OP_EXPECT_TAIL:
		list(r, st, vcpu);
		break;
	case OP_EXPECT_ACKS:
		acks(r, st, vcpu);
		break;
	case OP_EXPECT_SET:
		set(r, st, vcpu);
		break;
	case OP_EXPECT_OUTCOME:
		r->result->judged = true;
		outcome(r, found, sizeof(found));
		met(r, st, !strcmp(found, st->text), NULL, found);
		break;
	default:
		value(r, st, vcpu);
		break;
	}
}
