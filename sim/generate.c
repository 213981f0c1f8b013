/* SPDX-License-Identifier: GPL-2.0-only */
/* Demands of any length, each raise and each handling a function of its number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/generate.h>
#include <vgicsim/vgic.h>

#define MAX_INTERRUPTS (1ull << 48)
#define MAX_PERIOD_NS  1000000000u
#define MAX_HANDLER_NS 100000000u
/* No time in a workload is longer (workload_file.h). */
#define MAX_NS	       (1ull << 53)
/* vCPUs times interrupts of each. */
#define MAX_SOURCES    65536u
/* First raise: every guest has been entered by then. */
#define START_NS       10000u
/* The host does nothing else once the last interrupt is over. */
#define TAIL_NS	       1000000u
/* Operations of a vCPU's own program: enables interrupts, and is switched off. */
#define BACKGROUND_OPS 2u
/* Handlers of an interrupt: a long one and a short one, in turn. */
#define VARIANTS       2u
/* A sign of life of the feed for so many interrupts of a closed loop. */
#define HEARTBEAT      16u
/* Raises for each vCPU from one clump to the next, of the mixed kind. */
#define CLUMP	       8u
#define VMCR	       (VGIC_VMCR_VENG1 | 0xf8u << VGIC_VMCR_VPMR_SHIFT)

static const char *const kind_names[VGIC_GENERATE_KINDS] = {"steady", "burst", "overflow",
							    "many",   "level", "mixed"};

/* Costs of a machine that is made up: round numbers near those of real ones. */
static const struct vgic_profile made_up = {
	.entry_ns = 350,
	.exit_ns = 250,
	.mi_out_ns = 800,
	.dir_out_ns = 900,
	.kick_ns = 200,
	.mi_delay_ns = 100,
	.switch_ns = 50,
};

/* One interrupt of one vCPU. */
struct slot {
	uint32_t source, op, low; /* of what comes before it in a cycle */
	uint16_t vcpu;
	uint16_t sender;
	uint8_t kind; /* enum vgic_effect_kind of its raise */
	bool line;    /* the handler lowers it */
	bool loops;   /* the handler has it raised again */
};

struct vgic_generator {
	struct vgic_generate_config c;
	struct slot *slots; /* in the order in which they are raised, again and again */
	uint32_t nr_slots;
	uint32_t cycle_ops, cycle_lows; /* of all of them */
	uint64_t step_ns; /* from raise to raise of any vCPU; burst: from one to the next */
	uint64_t end_ns;
	struct vgic_workload *frame;
	struct vgic_source *sources; /* with handlers by their number, not in a ring */
};

static unsigned int handler_ops(const struct slot *s)
{
	return s->line || s->loops ? 2 : 1;
}

const char *vgic_generate_kind_name(enum vgic_generate_kind kind)
{
	return kind_names[kind];
}

int vgic_generate_kind_parse(const char *text)
{
	for (int i = 0; i < VGIC_GENERATE_KINDS; i++)
		if (!strcmp(text, kind_names[i]))
			return i;
	return -1;
}

void vgic_generate_defaults(struct vgic_generate_config *c)
{
	static const struct {
		uint32_t vcpus, in_flight, period_ns;
	} kinds[VGIC_GENERATE_KINDS] = {
		/* A handler and its exit take less than 5 us. */
		[VGIC_GENERATE_STEADY] = {1, 4, 10000}, [VGIC_GENERATE_BURST] = {1, 16, 10000},
		[VGIC_GENERATE_OVERFLOW] = {1, 12, 0},	[VGIC_GENERATE_MANY] = {16, 4, 10000},
		[VGIC_GENERATE_LEVEL] = {1, 4, 20000},	[VGIC_GENERATE_MIXED] = {4, 12, 20000},
	};

	if (!c->interrupts)
		c->interrupts = 1000000;
	if (!c->vcpus)
		c->vcpus = kinds[c->kind].vcpus;
	if (!c->in_flight)
		c->in_flight = kinds[c->kind].in_flight;
	if (!c->handler_ns)
		c->handler_ns = 4000;
	if (!c->period_ns)
		c->period_ns = kinds[c->kind].period_ns;
	/* A closed loop: the guest itself is what holds it up. */
	if (c->kind == VGIC_GENERATE_OVERFLOW)
		c->period_ns = c->handler_ns + made_up.mi_out_ns + made_up.switch_ns;
}

static uint64_t mix(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	return z ^ (z >> 29);
}

/* Evenly from 0 to below; below less than 2^40. */
static uint64_t draw(const struct vgic_generator *g, uint64_t i, uint64_t below)
{
	return (mix(g->c.seed, i) >> 40) * below >> 24;
}

/* Raises that come at once before the next of a clump: those of a mixed kind. */
static uint64_t clumped(const struct vgic_generator *g, uint64_t i)
{
	uint64_t of = (uint64_t)CLUMP * g->c.vcpus, clump = i / of, at = i % of;
	uint64_t first = clump * of;

	return at < draw(g, ~clump, of) ? first : i;
}

uint64_t vgic_generator_time(const struct vgic_generator *g, uint64_t i)
{
	switch (g->c.kind) {
	case VGIC_GENERATE_BURST:
		i /= g->c.in_flight;
		break;
	case VGIC_GENERATE_OVERFLOW:
		if (i < g->nr_slots)
			return START_NS;
		i -= g->nr_slots;
		break;
	case VGIC_GENERATE_MIXED:
		i = clumped(g, i);
		break;
	default:
		break;
	}
	return START_NS + i * g->step_ns + draw(g, i, g->step_ns / 2);
}

/* Own time of the handlings of a source that are even, or odd: twice the mean together. */
static uint64_t handler_ns(const struct vgic_generator *g, uint32_t source, unsigned int variant)
{
	uint64_t more = draw(g, ~(uint64_t)source << 32, g->c.handler_ns / 2);

	return variant ? g->c.handler_ns - more : g->c.handler_ns + more;
}

/* ---- what there is ---- */

enum slot_kind { SLOT_EDGE, SLOT_LEVEL, SLOT_LPI, SLOT_SGI, SLOT_TIMER };

/* number: how many of its kind the vCPU has already, by the order of the slots. */
static enum slot_kind slot_kind(enum vgic_generate_kind kind, uint32_t slot, uint32_t *number)
{
	static const enum slot_kind mixed[] = {SLOT_EDGE, SLOT_LEVEL, SLOT_LPI,
					       SLOT_SGI,  SLOT_TIMER, SLOT_EDGE};
	uint32_t of = sizeof(mixed) / sizeof(mixed[0]);
	enum slot_kind is = SLOT_EDGE;

	*number = slot / of;
	if (kind == VGIC_GENERATE_LEVEL)
		return SLOT_LEVEL;
	if (kind == VGIC_GENERATE_MIXED) {
		is = mixed[slot % of];
	} else if (kind == VGIC_GENERATE_MANY) {
		*number = slot / 4;
		is = slot % 4 == 3 ? SLOT_SGI : SLOT_EDGE;
	}
	/* There are 16 SGIs and 16 PPIs. */
	return (is == SLOT_SGI || is == SLOT_TIMER) && *number >= VGIC_NR_SGIS ? SLOT_EDGE : is;
}

/* Interrupts that all vCPUs share the numbers of. */
struct numbers {
	uint32_t spis, lpis;
};

static int make_source(struct vgic_workload *wl, struct numbers *used, struct slot *s,
		       enum slot_kind kind, uint32_t number)
{
	struct vgr_irq irq = {
		.state = VGR_IRQ_ENABLED | VGR_IRQ_GROUP1,
		.priority = 0xa0,
		.vcpu = VGR_NO_VCPU,
		.target = s->vcpu,
	};

	s->kind = VGIC_EFFECT_LINE;
	if (kind == SLOT_EDGE && used->spis == VGIC_MAX_SPIS)
		kind = SLOT_LPI;
	switch (kind) {
	case SLOT_SGI:
		irq.intid = number;
		s->kind = VGIC_EFFECT_SGI;
		break;
	case SLOT_TIMER:
		irq.intid = VGIC_NR_PRIVATE - 1 - number;
		irq.priority = 0x60;
		break;
	case SLOT_LPI:
		irq.intid = VGIC_LPI_BASE + used->lpis++;
		irq.state |= VGR_IRQ_MAPPED;
		s->kind = VGIC_EFFECT_LATCH;
		break;
	default:
		if (used->spis == VGIC_MAX_SPIS)
			return -ENOSPC;
		irq.intid = VGIC_NR_PRIVATE + used->spis++;
		break;
	}
	s->line = kind == SLOT_LEVEL || kind == SLOT_TIMER;
	if (s->line)
		irq.state |= VGR_IRQ_LEVEL;
	if (kind == SLOT_LEVEL)
		irq.priority = 0x80;
	s->source = vgic_workload_source(wl, s->vcpu, &irq);
	return s->source == VGIC_WL_NONE ? -ENOMEM : 0;
}

static int make_slots(struct vgic_generator *g)
{
	const struct vgic_generate_config *c = &g->c;
	struct numbers used = {0};
	uint32_t number;
	int err;

	for (uint32_t i = 0; i < g->nr_slots; i++) {
		bool burst = c->kind == VGIC_GENERATE_BURST;
		uint32_t at = burst ? i % c->in_flight : i / c->vcpus;
		enum slot_kind kind = slot_kind(c->kind, at, &number);
		struct slot *s = &g->slots[i];

		s->vcpu = (uint16_t)(burst ? i / c->in_flight : i % c->vcpus);
		s->sender = (uint16_t)((s->vcpu + c->vcpus - 1) % c->vcpus);
		s->op = g->cycle_ops;
		s->low = g->cycle_lows;
		err = make_source(g->frame, &used, s, kind, number);
		if (err)
			return err;
		s->loops = c->kind == VGIC_GENERATE_OVERFLOW;
		g->cycle_ops += handler_ops(s);
		g->cycle_lows += s->line;
	}
	return 0;
}

static void *copy_of(const void *from, size_t n, size_t size)
{
	void *to = malloc(n * size);

	if (to)
		memcpy(to, from, n * size);
	return to;
}

/* ---- elements ---- */

static struct vgic_op op_of_nothing(enum vgic_op_kind kind)
{
	return (struct vgic_op){
		.kind = (uint8_t)kind,
		.next = VGIC_WL_NONE,
		.effects = VGIC_WL_NONE,
		.asks = VGIC_WL_NONE,
		.source = VGIC_WL_NONE,
	};
}

static struct vgic_op enable_op(void)
{
	struct vgic_op op = op_of_nothing(VGIC_OP_VMCR);

	op.value = VMCR;
	return op;
}

/*
 * Operations of a handler, at is 0 or 1. Of a line: the access that lowers it, then the end. Of
 * a loop: the end, then a hypercall that asks for the next. Of all others: the end.
 */
static struct vgic_op handler_op(const struct slot *s, uint64_t own_ns, unsigned int at)
{
	bool exits = s->line ? !at : at;
	struct vgic_op op = op_of_nothing(exits ? VGIC_OP_EXIT : VGIC_OP_EOI);

	op.at = s->line && !at ? own_ns / 2 : own_ns;
	if (exits) {
		op.exit = s->line ? VGIC_EXIT_MMIO : VGIC_EXIT_OTHER;
		op.out_ns = made_up.mi_out_ns;
		op.entry_ns = made_up.entry_ns;
	}
	if (at + 1 == handler_ops(s))
		op.flags = VGIC_OP_LAST;
	return op;
}

static struct vgic_effect effect_of(enum vgic_effect_kind kind, uint32_t source)
{
	return (struct vgic_effect){
		.kind = (uint8_t)kind,
		.source = source,
		.gap_ns = UINT64_MAX,
		.next = VGIC_WL_NONE,
		.ask_next = VGIC_WL_NONE,
		.prop = VGIC_WL_NONE,
	};
}

static struct vgic_script script_of(uint32_t source, uint16_t vcpu, uint64_t own_ns)
{
	const struct vgic_when unseen = {.at = VGIC_WHEN_OPEN, .to = VGIC_WHEN_OPEN};

	return (struct vgic_script){
		.source = source,
		.vcpu = vcpu,
		.whole = source != VGIC_WL_NONE,
		.own_ns = own_ns,
		.next = VGIC_WL_NONE,
		.ack = unseen,
		.drop = unseen,
		.deact = unseen,
	};
}

/* ---- beside a feed: every handler once, and again and again ---- */

static int append_op(struct vgic_workload *wl, uint32_t script, uint32_t *last,
		     const struct vgic_op *op)
{
	uint32_t i = vgic_workload_op(wl, op->kind);

	if (i == VGIC_WL_NONE)
		return -ENOMEM;
	wl->ops[i] = *op;
	if (*last == VGIC_WL_NONE)
		wl->scripts[script].first = i;
	else
		wl->ops[*last].next = i;
	*last = i;
	return 0;
}

/* What an exit of a handler does to its own interrupt. */
static int append_effect(struct vgic_workload *wl, uint32_t op, const struct slot *s)
{
	uint32_t e = vgic_workload_effect(wl, VGIC_EFFECT_LINE);

	if (e == VGIC_WL_NONE)
		return -ENOMEM;
	wl->effects[e].source = s->source;
	wl->effects[e].level = s->loops;
	wl->ops[op].effects = e;
	if (s->loops)
		wl->ops[op].flags |= VGIC_OP_REPEAT;
	return 0;
}

static int append_handler(struct vgic_generator *g, const struct slot *s, unsigned int variant,
			  uint32_t *script)
{
	uint64_t own = handler_ns(g, s->source, variant);
	struct vgic_workload *wl = g->frame;
	uint32_t last = VGIC_WL_NONE;
	struct vgic_op op;
	int err = 0;

	*script = vgic_workload_script(wl, s->source, s->vcpu);
	if (*script == VGIC_WL_NONE)
		return -ENOMEM;
	wl->scripts[*script].whole = true;
	wl->scripts[*script].own_ns = own;
	for (unsigned int i = 0; !err && i < handler_ops(s); i++) {
		op = handler_op(s, own, i);
		err = append_op(wl, *script, &last, &op);
		if (!err && op.kind == VGIC_OP_EXIT)
			err = append_effect(wl, last, s);
	}
	return err;
}

static int make_handlers(struct vgic_generator *g)
{
	struct vgic_workload *wl = g->frame;

	for (uint32_t i = 0; i < g->nr_slots; i++) {
		const struct slot *s = &g->slots[i];
		uint32_t script[VARIANTS];

		for (unsigned int k = 0; k < VARIANTS; k++) {
			int err = append_handler(g, s, k, &script[k]);

			if (err)
				return err;
			if (k)
				wl->scripts[script[k - 1]].next = script[k];
		}
		wl->scripts[script[VARIANTS - 1]].next = script[0];
		wl->sources[s->source].first_script = script[0];
		wl->sources[s->source].typical = script[VARIANTS - 1];
	}
	wl->typical = wl->sources[g->slots[0].source].typical;
	return 0;
}

static int make_programs(struct vgic_generator *g)
{
	struct vgic_workload *wl = g->frame;

	for (uint32_t v = 0; v < g->c.vcpus; v++) {
		uint32_t script = vgic_workload_script(wl, VGIC_WL_NONE, (uint16_t)v);
		uint32_t last = VGIC_WL_NONE;
		struct vgic_op op = enable_op();

		if (script == VGIC_WL_NONE || append_op(wl, script, &last, &op))
			return -ENOMEM;
		wl->vcpus[v].background = script;
		wl->vcpus[v].start_ns = made_up.entry_ns;
		wl->vcpus[v].masked_handlers = g->c.kind != VGIC_GENERATE_MIXED;
	}
	return 0;
}

static int make_frame(struct vgic_generator *g)
{
	struct vgic_workload *wl = vgic_workload_create(g->c.vcpus);
	int err;

	g->frame = wl;
	if (!wl)
		return -ENOMEM;
	wl->nr_lr = 4;
	wl->host_cpus = g->c.vcpus;
	wl->profile = made_up;
	err = make_slots(g);
	if (!err)
		err = make_programs(g);
	if (!err)
		err = make_handlers(g);
	return err;
}

/* The interrupts as they are where every handling is an element of its own. */
static int make_sources(struct vgic_generator *g)
{
	uint64_t n = g->c.interrupts;

	g->sources = copy_of(g->frame->sources, g->frame->nr_sources, sizeof(*g->sources));
	if (!g->sources)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->nr_slots; i++) {
		struct vgic_source *s = &g->sources[g->slots[i].source];

		s->first_script = s->typical = i < n ? g->c.vcpus + i : VGIC_WL_NONE;
		s->acks = (uint32_t)(n / g->nr_slots + (i < n % g->nr_slots));
	}
	return 0;
}

static int check(const struct vgic_generate_config *c)
{
	if (c->kind >= VGIC_GENERATE_KINDS || c->interrupts > MAX_INTERRUPTS ||
	    c->vcpus > VGIC_GENERATE_MAX_VCPUS || c->in_flight > VGIC_GENERATE_MAX_IN_FLIGHT ||
	    c->period_ns < 100 || c->period_ns < c->vcpus || c->period_ns > MAX_PERIOD_NS ||
	    c->handler_ns < 2 || c->handler_ns > MAX_HANDLER_NS ||
	    c->vcpus * c->in_flight > MAX_SOURCES)
		return -EINVAL;
	return 0;
}

int vgic_generator_create(struct vgic_generator **out, const struct vgic_generate_config *c)
{
	struct vgic_generator *g = calloc(1, sizeof(*g));
	uint64_t rounds;
	int err;

	*out = NULL;
	if (!g)
		return -ENOMEM;
	g->c = *c;
	if (g->c.kind < VGIC_GENERATE_KINDS)
		vgic_generate_defaults(&g->c);
	err = check(&g->c);
	if (err)
		goto fail;
	g->nr_slots = g->c.vcpus * g->c.in_flight;
	g->step_ns = g->c.period_ns / g->c.vcpus;
	rounds = g->c.interrupts;
	if (g->c.kind == VGIC_GENERATE_BURST) {
		g->step_ns = g->c.period_ns * g->c.in_flight / g->c.vcpus;
		rounds = rounds / g->c.in_flight + 1;
	}
	err = -E2BIG;
	if (rounds >= MAX_NS / 2 / g->step_ns)
		goto fail;
	err = -ENOMEM;
	g->slots = calloc(g->nr_slots, sizeof(*g->slots));
	if (!g->slots)
		goto fail;
	err = make_frame(g);
	if (!err)
		err = make_sources(g);
	if (err)
		goto fail;
	g->end_ns = vgic_generator_time(g, g->c.interrupts - 1) + TAIL_NS +
		    2 * g->c.handler_ns * g->c.in_flight;
	g->frame->duration_ns = g->end_ns;
	*out = g;
	return 0;
fail:
	vgic_generator_destroy(g);
	return err;
}

void vgic_generator_destroy(struct vgic_generator *g)
{
	if (!g)
		return;
	vgic_workload_destroy(g->frame);
	free(g->sources);
	free(g->slots);
	free(g);
}

const struct vgic_generate_config *vgic_generator_config(const struct vgic_generator *g)
{
	return &g->c;
}

const struct vgic_workload *vgic_generator_frame(const struct vgic_generator *g)
{
	return g->frame;
}

/* Raises that come from outside: of a closed loop only the first of each interrupt. */
static uint64_t outside(const struct vgic_generator *g)
{
	uint64_t n = g->c.interrupts;

	return g->c.kind == VGIC_GENERATE_OVERFLOW && n > g->nr_slots ? g->nr_slots : n;
}

static int next_raises(void *opaque, struct vgic_arrival *to, unsigned int n)
{
	struct vgic_generator_feed *f = opaque;
	const struct vgic_generator *g = f->g;
	uint64_t left = outside(g) - f->next;
	uint32_t at = (uint32_t)(f->next % g->nr_slots);

	if (n > left)
		n = (unsigned int)left;
	for (unsigned int i = 0; i < n; i++) {
		const struct slot *s = &g->slots[at];

		to[i] = (struct vgic_arrival){
			.time = vgic_generator_time(g, f->next + i),
			.source = s->source,
			.vcpu = s->sender,
			.kind = s->kind,
			.level = 1,
		};
		if (++at == g->nr_slots)
			at = 0;
	}
	f->next += n;
	return (int)n;
}

/* The raises, then nothing but time, until the guest has had so many interrupts. */
static int next_of_loop(void *opaque, struct vgic_arrival *to, unsigned int n)
{
	struct vgic_generator_feed *f = opaque;
	const struct vgic_generator *g = f->g;
	unsigned int i;

	if (f->next < outside(g))
		return next_raises(opaque, to, n);
	for (i = 0; i < n && f->next < g->c.interrupts; i++) {
		f->next += HEARTBEAT;
		if (f->next > g->c.interrupts)
			f->next = g->c.interrupts;
		to[i] = (struct vgic_arrival){
			.time = START_NS + (f->next - g->nr_slots) * g->step_ns,
			.kind = VGIC_EFFECT_NONE,
		};
	}
	return (int)i;
}

void vgic_generator_feed(const struct vgic_generator *g, struct vgic_generator_feed *f)
{
	bool loop = g->c.kind == VGIC_GENERATE_OVERFLOW;

	*f = (struct vgic_generator_feed){
		.g = g,
		.feed = {.opaque = f, .next = loop ? next_of_loop : next_raises},
	};
}

/* ---- element by element ---- */

struct vgic_generator_counts vgic_generator_count(const struct vgic_generator *g)
{
	uint64_t n = g->c.interrupts, cycles = n / g->nr_slots, rest = n % g->nr_slots;

	return (struct vgic_generator_counts){
		.scripts = g->c.vcpus + n,
		.ops = (uint64_t)BACKGROUND_OPS * g->c.vcpus + cycles * g->cycle_ops +
		       g->slots[rest].op,
		.effects = n + cycles * g->cycle_lows + g->slots[rest].low,
	};
}

/* First operation of the handling of raise i; all operations before come before it. */
static uint64_t first_op(const struct vgic_generator *g, uint64_t i)
{
	return (uint64_t)BACKGROUND_OPS * g->c.vcpus + i / g->nr_slots * g->cycle_ops +
	       g->slots[i % g->nr_slots].op;
}

/* The effect that lowers the line of raise i. */
static uint64_t lower_effect(const struct vgic_generator *g, uint64_t i)
{
	return g->c.interrupts + i / g->nr_slots * g->cycle_lows + g->slots[i % g->nr_slots].low;
}

/* What the exit of the handling of raise i does: of a loop the next raise, if there is one. */
static uint64_t exit_effect(const struct vgic_generator *g, const struct slot *s, uint64_t i)
{
	if (s->line)
		return lower_effect(g, i);
	return i + g->nr_slots < g->c.interrupts ? i + g->nr_slots : VGIC_WL_NONE;
}

static unsigned int variant_of(const struct vgic_generator *g, uint64_t i)
{
	return i / g->nr_slots % VARIANTS;
}

void vgic_generator_scripts(const struct vgic_generator *g, uint64_t first, uint32_t n,
			    struct vgic_script *to)
{
	uint32_t vcpus = g->c.vcpus;

	for (uint64_t at = first; at < first + n; at++, to++) {
		if (at < vcpus) {
			*to = script_of(VGIC_WL_NONE, (uint16_t)at, g->end_ns);
			to->first = (uint32_t)at * BACKGROUND_OPS;
			continue;
		}
		uint64_t i = at - vcpus;
		const struct slot *s = &g->slots[i % g->nr_slots];

		*to = script_of(s->source, s->vcpu, handler_ns(g, s->source, variant_of(g, i)));
		to->first = (uint32_t)first_op(g, i);
		if (i + g->nr_slots < g->c.interrupts)
			to->next = (uint32_t)(at + g->nr_slots);
	}
}

/* Which raise an operation belongs to, or the lowering of a line. */
static uint64_t raise_of(const struct vgic_generator *g, uint64_t at, uint32_t in_cycle, bool low)
{
	uint64_t cycle = at / in_cycle, rest = at % in_cycle;
	uint32_t from = 0, to = g->nr_slots;

	/* The last slot that begins at rest or before, of those that have any. */
	while (to - from > 1) {
		uint32_t mid = from + (to - from) / 2;

		if ((low ? g->slots[mid].low : g->slots[mid].op) <= rest)
			from = mid;
		else
			to = mid;
	}
	return cycle * g->nr_slots + from;
}

void vgic_generator_ops(const struct vgic_generator *g, uint64_t first, uint32_t n,
			struct vgic_op *to)
{
	uint64_t background = (uint64_t)BACKGROUND_OPS * g->c.vcpus;

	for (uint64_t at = first; at < first + n; at++, to++) {
		if (at < background && at % BACKGROUND_OPS == 0) {
			*to = enable_op();
			to->next = (uint32_t)at + 1;
			continue;
		}
		if (at < background) {
			*to = op_of_nothing(VGIC_OP_EXIT);
			to->at = to->wall_ns = g->end_ns;
			to->exit = VGIC_EXIT_OTHER;
			to->out_ns = made_up.mi_out_ns;
			to->entry_ns = made_up.entry_ns;
			continue;
		}
		uint64_t i = raise_of(g, at - background, g->cycle_ops, false);
		const struct slot *s = &g->slots[i % g->nr_slots];
		unsigned int k = (unsigned int)(at - first_op(g, i));

		*to = handler_op(s, handler_ns(g, s->source, variant_of(g, i)), k);
		if (k + 1 < handler_ops(s))
			to->next = (uint32_t)at + 1;
		if (to->kind == VGIC_OP_EXIT) {
			to->effects = (uint32_t)exit_effect(g, s, i);
			to->wall_ns = vgic_generator_time(g, i) + to->at;
		}
	}
}

/* The register that sends it: to one vCPU, named by its affinity. */
static uint64_t sgi_value(const struct vgic_generator *g, const struct slot *s)
{
	return (uint64_t)g->frame->sources[s->source].initial.intid << 24 |
	       (uint64_t)(s->vcpu / 16) << 16 | 1ull << (s->vcpu % 16);
}

static struct vgic_effect raise_effect(const struct vgic_generator *g, uint64_t i)
{
	const struct slot *s = &g->slots[i % g->nr_slots];
	uint64_t again = g->nr_slots * g->step_ns;
	struct vgic_effect e = effect_of(s->kind, s->source);

	e.level = 1;
	e.wall_ns = vgic_generator_time(g, i);
	e.handled = (uint32_t)(i / g->nr_slots);
	/* By another operation of the guest's own. */
	if (i >= outside(g))
		return e;
	e.origin = VGIC_ORIGIN_OUTSIDE;
	if (g->c.kind == VGIC_GENERATE_BURST)
		again = g->c.vcpus * g->step_ns;
	if (i >= g->nr_slots)
		e.gap_ns = again > g->c.handler_ns ? again - g->c.handler_ns : 0;
	if (i + 1 < outside(g))
		e.next = (uint32_t)(i + 1);
	if (s->kind == VGIC_EFFECT_SGI) {
		e.source = VGIC_WL_NONE;
		e.vcpu = s->sender;
		e.value = sgi_value(g, s);
		/* Another vCPU's doing, which no device can move. */
		e.origin = VGIC_ORIGIN_OWN;
	}
	return e;
}

void vgic_generator_effects(const struct vgic_generator *g, uint64_t first, uint32_t n,
			    struct vgic_effect *to)
{
	for (uint64_t at = first; at < first + n; at++, to++) {
		if (at < g->c.interrupts) {
			*to = raise_effect(g, at);
			continue;
		}
		uint64_t i = raise_of(g, at - g->c.interrupts, g->cycle_lows, true);
		uint32_t source = g->slots[i % g->nr_slots].source;

		*to = effect_of(VGIC_EFFECT_LINE, source);
		to->wall_ns =
			vgic_generator_time(g, i) + handler_ns(g, source, variant_of(g, i)) / 2;
	}
}

void vgic_generator_head(const struct vgic_generator *g, struct vgic_workload *head)
{
	*head = *g->frame;
	head->sources = g->sources;
	head->scripts = NULL;
	head->ops = NULL;
	head->effects = NULL;
	head->nr_scripts = head->nr_ops = head->nr_effects = 0;
	head->cap_sources = head->cap_scripts = head->cap_ops = head->cap_effects = 0;
	head->open = 0;
	head->typical = g->c.vcpus;
}

int vgic_generator_workload(const struct vgic_generator *g, struct vgic_workload **out)
{
	struct vgic_generator_counts n = vgic_generator_count(g);
	struct vgic_workload *wl;

	*out = NULL;
	if (n.scripts >= VGIC_WL_NONE || n.ops >= VGIC_WL_NONE || n.effects >= VGIC_WL_NONE)
		return -EFBIG;
	wl = calloc(1, sizeof(*wl));
	if (!wl)
		return -ENOMEM;
	vgic_generator_head(g, wl);
	wl->vcpus = copy_of(wl->vcpus, wl->nr_vcpus, sizeof(*wl->vcpus));
	wl->sources = copy_of(wl->sources, wl->nr_sources, sizeof(*wl->sources));
	wl->scripts = calloc(n.scripts, sizeof(*wl->scripts));
	wl->ops = calloc(n.ops, sizeof(*wl->ops));
	wl->effects = calloc(n.effects, sizeof(*wl->effects));
	if (!wl->vcpus || !wl->sources || !wl->scripts || !wl->ops || !wl->effects) {
		vgic_workload_destroy(wl);
		return -ENOMEM;
	}
	wl->nr_scripts = n.scripts;
	wl->nr_ops = n.ops;
	wl->nr_effects = n.effects;
	vgic_generator_scripts(g, 0, (uint32_t)n.scripts, wl->scripts);
	vgic_generator_ops(g, 0, (uint32_t)n.ops, wl->ops);
	vgic_generator_effects(g, 0, (uint32_t)n.effects, wl->effects);
	*out = wl;
	return 0;
}
