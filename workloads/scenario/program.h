/* SPDX-License-Identifier: GPL-2.0-only */
/* A scenario as the parser leaves it and the runner takes it. */
#ifndef WORKLOADS_SCENARIO_PROGRAM_H
#define WORKLOADS_SCENARIO_PROGRAM_H

#include <vgicsim/scenario.h>

#define MAX_STATEMENTS 8192u
#define MAX_IDS	       65536u
#define MAX_DEPTH      8u
#define MAX_VARIANTS   32u
#define MAX_METRICS    16u
#define MAX_LPIS       4096u

/* Interrupts: one each, in the order of the text. */
struct id {
	uint32_t intid;
	uint16_t vcpu; /* 27@1; VGIC_NO_VCPU: of the statement's vCPU */
};

struct ids {
	uint32_t first, n;
};

enum op {
	/* Guest. */
	OP_ENTER,
	OP_EXIT,
	OP_LEAVE,
	OP_SYNC,
	OP_CALL_OFF,
	OP_TICK,
	OP_PREEMPT,
	OP_RUN_ON,
	OP_ACK,
	OP_EOI,
	OP_DIR,
	OP_HANDLE,
	OP_WAIT,
	OP_STEP,
	OP_WFI,
	OP_MMIO,
	OP_PMR,
	OP_BPR,
	OP_APR,
	OP_IGRPEN,
	OP_EOIMODE,
	OP_CBPR,
	OP_SGI,
	OP_NESTED_END,
	/* Registers of the distributor. */
	OP_ENABLE,
	OP_DISABLE,
	OP_SET_PENDING,
	OP_CLEAR_PENDING,
	OP_SET_ACTIVE,
	OP_CLEAR_ACTIVE,
	OP_PRIO,
	OP_GROUP,
	OP_CONFIG,
	OP_ROUTE,
	OP_DISTRIBUTOR,
	OP_LPIS,
	/* Devices, the ITS, the host. */
	OP_RAISE,
	OP_LOWER,
	OP_PULSE,
	OP_MSI,
	OP_LPI_MOVE,
	OP_MOVALL,
	OP_UNMAP,
	OP_MAP,
	OP_INV,
	OP_KICK,
	OP_HALT,
	OP_RESUME,
	/* The scenario itself. */
	OP_ON,
	OP_REPEAT,
	OP_MARK,
	OP_SAY,
	/* Expectations. */
	OP_EXPECT_LR,
	OP_EXPECT_GICH,
	OP_EXPECT_LRS,
	OP_EXPECT_HCR,
	OP_EXPECT_MISR,
	OP_EXPECT_COUNTER,
	OP_EXPECT_IRQ,
	OP_EXPECT_PHYSICAL,
	OP_EXPECT_LIST,
	OP_EXPECT_TAIL,
	OP_EXPECT_ACKS,
	OP_EXPECT_SET,
	OP_EXPECT_RUNNING,
	OP_EXPECT_EOICOUNT,
	OP_EXPECT_STATE,
	OP_EXPECT_SIGNAL,
	OP_EXPECT_OUTCOME,
};

enum set { SET_ACTIVE, SET_PENDING, SET_STUCK, SET_STARVED, SET_LOST, SET_EARLY };
enum compare { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

/* OP_HANDLE, OP_ACK: how many. */
#define ALL UINT32_MAX

/* What is said of an interrupt; a bit in has for each word. */
#define IS_PENDING 0x001u
#define IS_ACTIVE  0x002u
#define IS_LINE	   0x004u
#define IS_ENABLED 0x008u
#define IS_ON_LR   0x010u
#define IS_LISTED  0x020u
#define IS_LATCHED 0x040u
#define IS_PRIO	   0x080u
#define IS_VCPU	   0x100u /* on whose list */
#define IS_GROUP   0x200u
#define IS_LEVEL   0x400u /* physical */
#define IS_LOST	   0x800u

/* What is said of an LR. */
#define LR_SAYS_STATE  0x01u
#define LR_SAYS_PRIO   0x02u
#define LR_SAYS_EOI    0x04u
#define LR_SAYS_HW     0x08u
#define LR_SAYS_GROUP  0x10u
#define LR_SAYS_SOURCE 0x20u
#define LR_SAYS_RAW    0x40u
#define LR_SAYS_EMPTY  0x80u

struct statement {
	enum op op;
	unsigned int line;
	uint16_t vcpus; /* bit mask; 0: of no vCPU */
	bool by_user;	/* written by the VMM */
	bool refused;	/* and it must fail */
	bool none;	/* "none" stands for the interrupts */
	int8_t group;	/* of ack and eoi; -1 */
	int8_t source;	/* of a GICv2 SGI; -1 */
	struct ids ids;
	uint32_t n;	  /* number, limit, LR, counter, set, index of a block's condition */
	uint32_t has, is; /* IS_*, LR_SAYS_* */
	uint64_t value;
	uint64_t mask;
	enum compare compare;
	const char *text;
	const char *written; /* as the text has it */
	unsigned int end;    /* of a block: the statement after it */
};

/* "on A, B:" */
struct condition {
	bool not ;
	unsigned int n;
	const struct vgic_policy *policies[16];
};

enum irq_kind { KIND_SGI, KIND_PPI, KIND_SPI, KIND_LPI };

struct declaration {
	unsigned int line;
	enum irq_kind kind;
	struct ids ids;
	int level; /* 0, 1, or -1 if not said */
	int group;
	uint8_t prio;
	bool enabled, active, pending, line_high, resample, timer, hw;
	uint16_t target;
	uint16_t pintid; /* of the first one */
};

enum handler_step { STEP_EOI, STEP_DIR, STEP_LOWER, STEP_MMIO, STEP_STEP };

struct vgic_scenario {
	const char *title;
	const struct vgic_policy *policy;
	struct vgic_policy_spec *variants[MAX_VARIANTS];
	unsigned int nr_variants;
	uint8_t patches[33];
	unsigned int nr_patches;

	/* The host and its guest; line says where for errors. */
	struct vgic_host_config host;
	unsigned int host_line;
	uint32_t vmcr;
	enum handler_step handler[16];
	unsigned int nr_handler;

	struct declaration *declarations;
	size_t nr_declarations, cap_declarations;
	struct id *ids;
	size_t nr_ids, cap_ids;
	struct condition *conditions;
	size_t nr_conditions, cap_conditions;
	struct statement *statements;
	size_t nr_statements, cap_statements;
	struct {
		const char *name;
		unsigned int counter;
	} metrics[MAX_METRICS];
	unsigned int nr_metrics;

	char **texts; /* everything above that is text */
	size_t nr_texts, cap_texts;
};

static inline const struct id *scenario_ids(const struct vgic_scenario *s,
					    const struct statement *st)
{
	return s->ids + st->ids.first;
}

/* names.c */
uint32_t hcr_bit(const char *name);
uint32_t misr_bit(const char *name);
/* "En UIE" into buf; gives buf. */
char *hcr_names(char *buf, size_t size, uint32_t hcr);
char *misr_names(char *buf, size_t size, uint32_t misr);
extern const char *const set_names[];
extern const char *const state_names[];
extern const char *const exit_names[];

/* setup.c, syntax.c share this. */
struct token {
	const char *text; /* not terminated */
	unsigned int len, line;
	char kind; /* 'w' word, '"' string, '\n' end of line, or the character itself; 0 the end */
};

struct parser {
	struct vgic_scenario *s;
	struct vgic_scenario_error *error;
	struct token *tokens;
	size_t nr_tokens, at;
	uint16_t vcpus;
	unsigned int depth;
	bool running; /* the first statement has been seen: no more set-up */
};

/* lex.c. Each helper gives 0 or a negative errno, with error filled. */
int lex(struct parser *p, const char *text, size_t size);
int fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
const struct token *peek(const struct parser *p);
bool at_end(const struct parser *p); /* of the statement */
bool accept_word(struct parser *p, const char *word);
bool accept_char(struct parser *p, char c);
/* word or string, in scenario memory. NULL: no memory or not there, error says so. */
const char *take_word(struct parser *p);
const char *take_string(struct parser *p);
const char *keep_text(struct parser *p, const char *text, size_t len);
int take_number(struct parser *p, uint64_t max, uint64_t *value);
bool number_ahead(const struct parser *p);
/* "32", "32..35", "27@1", several of them, commas between; none too if allow_none. */
int take_ids(struct parser *p, struct ids *ids, bool *none);
int number(const char *text, size_t len, uint64_t max, uint64_t *value);
/* If the token is key=..., the value in scenario memory, and the token is taken. */
const char *accept_key(struct parser *p, const char *key);
int key_number(struct parser *p, const char *key, const char *text, uint64_t max, uint64_t *value);
int grow(void *array, size_t n, size_t *cap, size_t size, size_t max);

/* setup.c: 1 if it was one of its lines. */
int parse_setup(struct parser *p);
void setup_defaults(struct vgic_scenario *s);
const struct vgic_policy *parse_policy(struct parser *p, const char *name);

/* statement.c */
int parse_statement(struct parser *p);
/* expectation.c: after "expect". */
int parse_expectation(struct parser *p, struct statement *st);
#endif
