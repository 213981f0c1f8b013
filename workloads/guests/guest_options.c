// SPDX-License-Identifier: GPL-2.0-only
#include "guest_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ALL    (GUEST_USES_TRIGGER | GUEST_USES_PRIO | GUEST_USES_EOIMODE)
#define COMMON .seed = 1, .patience = 500
/* Most stimuli: one vCPU, all of one priority, finished in reverse order. */
#define PLAIN  COMMON, .vcpus = 1, .order = GUEST_LIFO, .hold = 1, .timeout = 10

/* clang-format off */
const struct guest_stim_info guest_stims[GUEST_NR_STIMS] = {
	[GUEST_BURST] = {
		"burst", "N SPIs pending at once, N far above the list registers",
		"Raises N SPIs in one exit while the guest has IRQs masked, unmasks, and takes\n"
		"them one by one. --again raises each edge SPI once more while it is active.",
		"every SPI once, in order of priority, nothing left pending or active",
		"vgic-guest burst --irqs 200 --prio random --eoimode 1",
		{ PLAIN, .stim = GUEST_BURST, .irqs = 64, .repeat = 100 },
		GUEST_MAX_SPIS, 1,
		ALL | GUEST_USES_AGAIN | GUEST_USES_INJECT | GUEST_USES_PACE,
	},
	[GUEST_ACKALL] = {
		"ackall", "acknowledge all, then finish: more active than list registers",
		"EOImode 1. Raises N SPIs, acknowledges each with a priority drop (EOIR) but no\n"
		"deactivation, and only when all are active writes DIR for all, in --order.\n"
		"--again raises all edge SPIs again while they are active.",
		"all N acknowledged although none was deactivated; after the DIRs none active",
		"vgic-guest ackall --irqs 40 --order random --trigger level",
		{ PLAIN, .stim = GUEST_ACKALL, .irqs = 16, .repeat = 100, .eoimode = 1 },
		GUEST_MAX_SPIS, 1,
		ALL | GUEST_USES_ORDER | GUEST_USES_AGAIN | GUEST_USES_INJECT | GUEST_USES_PACE,
	},
	[GUEST_PREEMPT] = {
		"preempt", "nested preemption by priority, deeper than the list registers",
		"Each handler raises an SPI of higher priority and waits in the handler until it\n"
		"has been preempted by it; handlers end from the inside out. Towers of up to 31\n"
		"(one for each priority), more SPIs make more towers. EOImode 1: --order lifo\n"
		"deactivates at each handler's end, fifo and random after the whole tower.",
		"every SPI preempts at once; the running priority follows both ways",
		"vgic-guest preempt --irqs 31 --eoimode 1 --order fifo",
		{ PLAIN, .stim = GUEST_PREEMPT, .irqs = 16, .repeat = 100,
		  .prio = GUEST_PRIO_RISING },
		GUEST_MAX_SPIS, 1,
		GUEST_USES_TRIGGER | GUEST_USES_EOIMODE | GUEST_USES_ORDER | GUEST_USES_INJECT,
	},
	[GUEST_SGI] = {
		"sgi", "many vCPUs exchanging SGIs",
		"Even rounds: every vCPU sends its share of the N SGI numbers to all, itself\n"
		"included, while all have IRQs masked; then everybody takes N. Odd rounds: SGIs\n"
		"go round the ring one at a time with IRQs enabled.",
		"every SGI once on every target, in order of priority in even rounds",
		"vgic-guest sgi --vcpus 8 --prio rising",
		{ COMMON, .stim = GUEST_SGI, .irqs = 16, .repeat = 40, .vcpus = 4,
		  .wait = GUEST_WAIT_WFI, .hold = 1, .timeout = 30 },
		16, 1, GUEST_USES_PRIO | GUEST_USES_EOIMODE,
	},
	[GUEST_TIMER] = {
		"timer", "virtual timer PPI (hardware-mapped) together with device SPIs",
		"Arms the virtual timer and raises N SPIs. Even rounds take nothing before all are\n"
		"pending, odd rounds take the SPIs while the timer is still running.",
		"one timer interrupt for each arming, never early, first in even rounds; every\n"
		"SPI once; the timer neither active nor pending afterwards, and able to fire again",
		"vgic-guest timer --irqs 32 --eoimode 1 --vcpus 2",
		{ PLAIN, .stim = GUEST_TIMER, .irqs = 8, .repeat = 200 },
		GUEST_MAX_SPIS, 1, ALL | GUEST_USES_INJECT,
	},
	[GUEST_GROUP] = {
		"group", "group 1 disabled and enabled in mid-flight with many pending",
		"Raises N SPIs. Even rounds: a handler turns group 1 off with the others pending.\n"
		"Odd rounds: group 1 is off from the start, and off again later.\n"
		"--group0 puts every second SPI into group 0, which stays off until all of group 1\n"
		"have been taken, although its interrupts are the most urgent.",
		"nothing delivered and IAR 1023 while off; once on again every SPI once, in order",
		"vgic-guest group --irqs 100 --group0",
		{ PLAIN, .stim = GUEST_GROUP, .irqs = 32, .repeat = 100 },
		GUEST_MAX_SPIS, 1, ALL | GUEST_USES_GROUP0,
	},
	[GUEST_REMOTE_DIR] = {
		"remote-dir", "SPIs acknowledged on one vCPU, deactivated on another",
		"EOImode 1. vCPU 0 acknowledges N SPIs and drops their priority; the other vCPUs\n"
		"write DIR for them, in --order.",
		"all N acknowledged; after the DIRs none active, and all come again next round",
		"vgic-guest remote-dir --irqs 4 --vcpus 3",
		{ COMMON, .stim = GUEST_REMOTE_DIR, .irqs = 12, .repeat = 100, .vcpus = 2,
		  .eoimode = 1, .hold = 1, .timeout = 10 },
		GUEST_MAX_SPIS, 2,
		ALL | GUEST_USES_ORDER | GUEST_USES_INJECT | GUEST_USES_PACE,
	},
	[GUEST_LEVEL] = {
		"level", "level lines held across several handlers",
		"Raises N level lines at once. Each stays high for --hold handlers of its\n"
		"interrupt; the last of them lowers it by a device write (an exit).",
		"each line delivered exactly --hold times, and never once it is low",
		"vgic-guest level --irqs 40 --hold 5 --eoimode 1",
		{ COMMON, .stim = GUEST_LEVEL, .irqs = 12, .repeat = 60, .hold = 3,
		  .vcpus = 1, .timeout = 10, .trigger = GUEST_LEVEL_TRIGGER },
		GUEST_MAX_SPIS, 1, GUEST_USES_PRIO | GUEST_USES_EOIMODE | GUEST_USES_HOLD,
	},
	[GUEST_MIXED] = {
		"mixed", "long steady load of SGIs, timers, edge and level SPIs",
		"Every vCPU raises random batches of its share of N SPIs (one in four a level line,\n"
		"held across two handlers now and then, half of them routed to another vCPU), sends\n"
		"SGIs, and has a timer running. A batch begins when the one before is done, and not\n"
		"sooner than --pace after it began. The defaults make more than 100,000 interrupts.",
		"every interrupt once, whatever the order, over the whole run",
		"vgic-guest mixed --repeat 500 --vcpus 4 --eoimode 1",
		{ COMMON, .stim = GUEST_MIXED, .irqs = 36, .repeat = 3000, .vcpus = 2,
		  .prio = GUEST_PRIO_RANDOM, .wait = GUEST_WAIT_WFI, .timeout = 300,
		  .hold = 1, .trigger = GUEST_BOTH_TRIGGERS },
		GUEST_MAX_SPIS, 1, GUEST_USES_PRIO | GUEST_USES_EOIMODE | GUEST_USES_PACE,
	},
	[GUEST_REGISTERS] = {
		"registers", "registers rewritten while interrupts are pending and active",
		"Raises N SPIs and the timer at once. Of each four SPIs one is disabled while it\n"
		"pends and enabled when the others are through, one is made pending by register\n"
		"instead of by its line, one is routed to the next vCPU and back while it is active,\n"
		"one is routed to the next vCPU while it pends. EOImode 1: all are acknowledged\n"
		"before the first is deactivated, in --order.",
		"every SPI once and on the vCPU it is routed to, the disabled ones only when they\n"
		"are enabled again; nothing left pending or active",
		"vgic-guest registers --irqs 40 --prio random",
		{ COMMON, .stim = GUEST_REGISTERS, .irqs = 24, .repeat = 40, .vcpus = 2,
		  .eoimode = 1, .hold = 1, .timeout = 20, .trigger = GUEST_BOTH_TRIGGERS },
		GUEST_MAX_SPIS, 2, GUEST_USES_PRIO | GUEST_USES_EOIMODE | GUEST_USES_ORDER,
	},
	[GUEST_EOI_ORDER] = {
		.name = "eoi-order",
		.summary = "active interrupts finished in another order than the hardware drops them",
		.does = "Nests N SPIs by priority, deeper than the list registers, then writes EOIR for all\n"
			"of them in --order: fifo begins with the oldest and least urgent, which is in no\n"
			"list register, lifo with the newest. EOImode 1: DIR in the same order afterwards.",
		.must = "N nested; with lifo, or EOImode 1, nothing active afterwards. EOImode 0 in another\n"
			"order is not promised by the architecture: what stays active is counted",
		.notes = { "left_active" },
		.example = "vgic-guest eoi-order --irqs 8 --order random --seed 3",
		.defaults = { COMMON, .stim = GUEST_EOI_ORDER, .irqs = 8, .repeat = 50, .vcpus = 1,
			      .hold = 1, .timeout = 10, .prio = GUEST_PRIO_RISING },
		.max_irqs = 31, .min_vcpus = 1,
		.uses = GUEST_USES_TRIGGER | GUEST_USES_EOIMODE | GUEST_USES_ORDER,
	},
	[GUEST_RESTORE] = {
		.name = "restore",
		.summary = "more active interrupts than list registers before the guest runs",
		.does = "As after a migration: the VMM sets N SPIs active (ISACTIVER) before the first run,\n"
			"the guest sets their bits in the active priority registers and ends them (EOIR, in\n"
			"EOImode 1 and DIR) from the most urgent down. Later rounds set ISACTIVER themselves.\n"
			"More than 31 share priorities: their bit is set once more before each EOIR.",
		.must = "all N active at first, none afterwards, running priority 0xff",
		.example = "vgic-guest restore --irqs 40 --eoimode 1",
		.defaults = { PLAIN, .stim = GUEST_RESTORE, .irqs = 16, .repeat = 50,
			      .prio = GUEST_PRIO_RISING },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = GUEST_USES_TRIGGER | GUEST_USES_EOIMODE,
	},
	[GUEST_REPRIO] = {
		.name = "reprio",
		.summary = "the priority of an active interrupt changed before its EOI",
		.does = "B is preempted by A, then N - 2 less urgent SPIs become pending, so that neither A\n"
			"nor B is in a list register. The guest makes A less urgent than B by IPRIORITYR and\n"
			"ends A, then B, then takes the others.",
		.must = "every SPI once, nothing active in the end. Which of the two the hypervisor ends for\n"
			"the EOI of A is counted: wrong_victim when A is still active",
		.notes = { "wrong_victim", "left_active" },
		.example = "vgic-guest reprio --irqs 20",
		.defaults = { PLAIN, .stim = GUEST_REPRIO, .irqs = 12, .repeat = 50 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = GUEST_USES_TRIGGER | GUEST_USES_EOIMODE,
	},
	[GUEST_MIGRATE] = {
		.name = "migrate",
		.summary = "routes changed while SPIs are pending, active and in list registers",
		.does = "Even rounds: every vCPU raises its share and acknowledges half of it (EOImode 0: one);\n"
			"its neighbour routes all of them to vCPUs by chance; after an exit everywhere the\n"
			"active ones are finished and raised again. Odd rounds: routes change all the time\n"
			"while everybody takes what comes.",
		.must = "every SPI once, in even rounds on the vCPU that it was routed to last; nothing left\n"
			"active or pending",
		.example = "vgic-guest migrate --irqs 40 --vcpus 4 --seed 7",
		.defaults = { COMMON, .stim = GUEST_MIGRATE, .irqs = 24, .repeat = 40, .vcpus = 2,
			      .eoimode = 1, .hold = 1, .timeout = 20 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 2,
		.uses = ALL,
	},
	[GUEST_DIST] = {
		.name = "dist",
		.summary = "the distributor off with SPIs pending, more of them meanwhile, and on again",
		.does = "Every vCPU raises half of its share; vCPU 0 turns the distributor off; after an exit\n"
			"the other half is raised; vCPU 0 turns it on. What has not come a few exits later is\n"
			"raised once more (edge) or enabled once more (level).",
		.must = "nothing while it is off, in the end every SPI once. Counted: what came by itself, and\n"
			"what came only with that help",
		.notes = { "came_alone", "needed_help" },
		.example = "vgic-guest dist --irqs 24 --trigger level",
		.defaults = { PLAIN, .stim = GUEST_DIST, .irqs = 12, .repeat = 40 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = ALL,
	},
	[GUEST_INFLIGHT] = {
		.name = "inflight",
		.summary = "enable and pending bits changed while another vCPU has the SPI in a list register",
		.does = "A vCPU has its share pending and makes no exits; the next one writes for each SPI in\n"
			"turn ICENABLER, ICPENDR, ISPENDR, nothing. Then the first takes what comes, and the\n"
			"disabled ones are enabled again.",
		.must = "untouched and disabled ones once, cleared ones at most once, those made pending again\n"
			"once or twice. Counted: disabled and cleared ones that came all the same, and twice",
		.notes = { "disabled_came", "cleared_came", "came_twice" },
		.example = "vgic-guest inflight --irqs 40 --vcpus 3",
		.defaults = { COMMON, .stim = GUEST_INFLIGHT, .irqs = 24, .repeat = 40, .vcpus = 2,
			      .hold = 1, .timeout = 20 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 2,
		.uses = ALL,
	},
	[GUEST_MULTISGI] = {
		.name = "multisgi",
		.summary = "several vCPUs send the same SGIs to one vCPU that has less urgent SPIs pending",
		.does = "While one vCPU has IRQs masked and its share of SPIs pending, all vCPUs send it SGIs 0\n"
			"to 3. A GICv2 keeps one of each sender, a GICv3 one of all.",
		.must = "every SGI once from every sender (GICv3: once), every SPI once. Counted: SPIs that came\n"
			"while a more urgent SGI was still owed",
		.notes = { "interleaved" },
		.example = "vgic-guest multisgi --vcpus 8 --gic 2",
		.defaults = { COMMON, .stim = GUEST_MULTISGI, .irqs = 24, .repeat = 40, .vcpus = 4,
			      .hold = 1, .timeout = 20 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 2,
		.uses = GUEST_USES_TRIGGER | GUEST_USES_EOIMODE,
	},
	[GUEST_LPI] = {
		.name = "lpi",
		.summary = "LPIs of an ITS: bursts, nested, moved, disabled while they run",
		.does = "The guest maps N events of one device to LPIs of its vCPUs; the VMM signals MSIs.\n"
			"burst: all of a share at once. nest: each handler signals a more urgent one.\n"
			"again: each handler signals its own LPI once more. move: pending ones to the next vCPU\n"
			"by MOVI. moveall: those of vCPU 0 to vCPU 1 by MOVALL. inv: every second one turned off\n"
			"in the property table while it pends, and on again, with INV. off: the next vCPU turns\n"
			"EnableLPIs of this one off and on while its share pends; what is gone is signalled again.\n"
			"off-active: a handler turns EnableLPIs off before its EOIR and on after it.",
		.must = "every MSI once and on the vCPU that it is mapped or moved to; in order of priority in\n"
			"a burst. Counted: dropped by EnableLPIs and signalled again; moved by MOVALL though\n"
			"another vCPU's",
		.notes = { "dropped", "moved_foreign" },
		.modes = { "burst", "nest", "again", "move", "moveall", "inv", "off", "off-active" },
		.example = "vgic-guest lpi --mode nest --irqs 12",
		.defaults = { COMMON, .stim = GUEST_LPI, .irqs = 24, .repeat = 40, .vcpus = 2,
			      .prio = GUEST_PRIO_RISING, .hold = 1, .timeout = 20 },
		.max_irqs = GUEST_MAX_LPIS, .min_vcpus = 1,
		.uses = GUEST_USES_PRIO | GUEST_USES_EOIMODE | GUEST_NEEDS_GIC3,
	},
	[GUEST_RESAMPLE] = {
		.name = "resample",
		.summary = "level SPIs of an assigned device: a resampling irqfd lowers the line",
		.does = "The VMM raises N lines by eventfds with a resamplefd, as for an assigned device. The\n"
			"handler satisfies the device without an exit and writes EOIR. KVM then has to lower\n"
			"the line and tell the VMM, which raises it again only if the device still wants it.\n"
			"After 20 deliveries of one request the handler makes an exit before its EOIR.",
		.must = "every request delivered and in the end notified. Counted: notifications, deliveries\n"
			"beyond the first of a request, requests that needed the exit",
		.notes = { "notified", "redelivered", "needed_exit" },
		.example = "vgic-guest resample --irqs 8",
		.defaults = { PLAIN, .stim = GUEST_RESAMPLE, .irqs = 2, .repeat = 50,
			      .trigger = GUEST_LEVEL_TRIGGER },
		.max_irqs = 64, .min_vcpus = 1,
		.uses = GUEST_USES_EOIMODE,
	},
	[GUEST_HWDIR] = {
		.name = "hwdir",
		.summary = "DIR of the timer while it is pending and not active; timer before a disabled SPI",
		.does = "EOImode 1. pending: after an SPI (whose deactivation may be trapped from then on) the\n"
			"timer becomes pending and DIR is written for it although it is not active.\n"
			"disabled: an SPI pends while disabled, the timer becomes pending, the SPI is enabled.",
		.must = "one timer interrupt for each arming, before the SPI; inactive after its DIR and able\n"
			"to fire again. Counted: the timer not pending any more after the DIR; interrupts of the\n"
			"guest timer that the host took (of all guests): one for each arming is enough",
		.notes = { "lost_pending", "host_interrupts" },
		.modes = { "pending", "disabled" },
		.example = "vgic-guest hwdir --mode disabled",
		.defaults = { PLAIN, .stim = GUEST_HWDIR, .irqs = 1, .repeat = 100, .eoimode = 1 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = GUEST_USES_TRIGGER,
	},
	[GUEST_ALIAS] = {
		.name = "alias",
		.summary = "DIR of an INTID that does not exist but equals an active one in its low bits",
		.does = "EOImode 1. Acknowledges an SPI n, drops its priority and writes DIR for n + 1024 times\n"
			"1 to 7, then for n.",
		.must = "nothing active in the end. Counted: n inactive after the wrong DIR",
		.notes = { "aliased" },
		.example = "vgic-guest alias --irqs 8",
		.defaults = { PLAIN, .stim = GUEST_ALIAS, .irqs = 2, .repeat = 50, .eoimode = 1 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = GUEST_USES_TRIGGER,
	},
	[GUEST_INTERFACE] = {
		.name = "interface",
		.summary = "registers of the CPU interface by themselves: BPR1 under CBPR, group 0 without group 1",
		.does = "bpr: with ICC_CTLR.CBPR set the guest writes 5 to BPR1, which must be ignored; with CBPR\n"
			"clear again it reads BPR1. Boot the host with kvm-arm.vgic_v3_group1_trap=1 to have KVM\n"
			"emulate these accesses.\n"
			"group0: group 0 is on and group 1 off, which asks for no maintenance interrupt; after a\n"
			"while group 1 is on again.",
		.must = "bpr: BPR1 as before. Counted: rounds in which it is not. group0: the guest goes on",
		.notes = { "written" },
		.modes = { "bpr", "group0" },
		.example = "vgic-guest interface --mode bpr",
		.defaults = { PLAIN, .stim = GUEST_INTERFACE, .irqs = 1, .repeat = 5 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = GUEST_NEEDS_GIC3,
	},
	[GUEST_EXITS] = {
		.name = "exits",
		.summary = "exits and nothing else, with an empty list and with N SPIs on it",
		.does = "Each round makes 1000 exits that KVM deals with by itself, one after the other, with\n"
			"nothing pending, raises N SPIs with IRQs masked, makes 1000 exits more, and takes the\n"
			"SPIs. For measurements: what does an exit cost with so many interrupts on the list?",
		.must = "every SPI once. Counted: exits in a row, and the nanoseconds of the shortest row of\n"
			"each kind",
		.notes = { "exits", "empty_ns", "listed_ns" },
		.example = "vgic-guest exits --irqs 16 --repeat 10",
		.defaults = { PLAIN, .stim = GUEST_EXITS, .irqs = 4, .repeat = 10 },
		.max_irqs = GUEST_MAX_SPIS, .min_vcpus = 1,
		.uses = ALL,
	},
	[GUEST_REGROUP] = {
		.name = "regroup",
		.summary = "groups turned off and on while active interrupts are in no list register",
		.does = "active: as reprio, but A is in group 0, which is turned off before A is ended.\n"
			"storm: half of the SPIs active in group 1, the rest pending in group 0, which is off:\n"
			"no list register is pending, so that the hardware asks at each entry for pending ones.\n"
			"If the guest cannot run at all the VMM takes the pending ones away.\n"
			"toggle: N / 2 SPIs of both groups nested, the rest pending, and both groups turned off\n"
			"and on at random before each EOI.",
		.must = "every SPI once, nothing active in the end. Counted: wrong_victim when what was ended is\n"
			"still active; stalled: rounds that needed the VMM's help",
		.notes = { "stalled", "wrong_victim", "left_active" },
		.modes = { "active", "storm", "toggle" },
		.example = "vgic-guest regroup --mode toggle --irqs 20 --seed 5",
		.defaults = { PLAIN, .stim = GUEST_REGROUP, .irqs = 12, .repeat = 20 },
		.max_irqs = 60, .min_vcpus = 1,
		.uses = GUEST_USES_TRIGGER | GUEST_USES_EOIMODE,
	},
};
/* clang-format on */

struct option {
	const char *name;
	const char *arg; /* NULL: a switch */
	size_t offset;	 /* of the uint32_t (or, for log, the pointer) in guest_options */
	uint32_t min, max;
	const char *words[4]; /* values 0.. by name, instead of a number */
	unsigned int needs;   /* GUEST_USES_* that the stimulus must have */
	const char *help;
};

#define AT(field) offsetof(struct guest_options, field)

/* clang-format off */
static const struct option options[] = {
	{ "irqs", "N", AT(irqs), 1, GUEST_MAX_SPIS, { 0 }, 0,
	  "SPIs in each round (sgi: SGI numbers, up to 16)" },
	{ "vcpus", "N", AT(vcpus), 1, GUEST_MAX_VCPUS, { 0 }, 0,
	  "vCPUs; SPIs are dealt out to them in turn" },
	{ "trigger", "edge|level", AT(trigger), 0, 0, { "edge", "level" }, GUEST_USES_TRIGGER,
	  "how the SPIs are triggered" },
	{ "prio", "same|rising|falling|random", AT(prio), 0, 0,
	  { "same", "rising", "falling", "random" }, GUEST_USES_PRIO,
	  "priorities by INTID; rising: each more urgent than the one before" },
	{ "eoimode", "0|1", AT(eoimode), 0, 1, { 0 }, GUEST_USES_EOIMODE,
	  "1: EOIR drops the priority, DIR deactivates" },
	{ "repeat", "N", AT(repeat), 1, 1000000, { 0 }, 0, "rounds" },
	{ "pace", "USEC", AT(pace), 0, 1000000, { 0 }, GUEST_USES_PACE,
	  "time between two raises (mixed: two batches); 0: no pause" },
	{ "seed", "N", AT(seed), 0, UINT32_MAX, { 0 }, 0,
	  "of everything random; one seed gives one demand" },
	{ "order", "fifo|lifo|random", AT(order), 0, 0, { "fifo", "lifo", "random" },
	  GUEST_USES_ORDER, "in which active interrupts are finished" },
	{ "mode", "WORD", AT(mode), 0, 0, { 0 }, 0, "which of the things that it does; see above" },
	{ "hold", "N", AT(hold), 1, 100, { 0 }, GUEST_USES_HOLD,
	  "handlers that see a level line before it goes low" },
	{ "again", NULL, AT(again), 0, 1, { 0 }, GUEST_USES_AGAIN,
	  "raise each edge SPI once more while it is active" },
	{ "group0", NULL, AT(group0), 0, 1, { 0 }, GUEST_USES_GROUP0,
	  "every second SPI in group 0: off, and more urgent than all others" },
	{ "wait", "poll|wfi", AT(wait), 0, 0, { "poll", "wfi" }, 0,
	  "how the guest waits: in a loop without exits, or blocked" },
	{ "inject", "sync|thread|irqfd", AT(inject), 0, 0, { "sync", "thread", "irqfd" },
	  GUEST_USES_INJECT, "who raises: the vCPU's exit, another thread, an eventfd" },
	{ "gic", "auto|2|3", AT(gic), 0, 0, { "auto", "2", "3" }, 0,
	  "the guest's GIC; auto: GICv3 where the host has one" },
	{ "timeout", "SEC", AT(timeout), 1, 86400, { 0 }, 0, "end of the whole run, at the latest" },
	{ "patience", "MS", AT(patience), 10, 600000, { 0 }, 0,
	  "time without any delivery that counts as starvation" },
	{ "json", NULL, AT(json), 0, 1, { 0 }, 0, "print the result as one JSON object" },
	{ "log", "FILE", AT(log), 0, 0, { 0 }, 0,
	  "write the guest's own times of each interrupt, ns of CLOCK_MONOTONIC, as CSV" },
};
/* clang-format on */

#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

static uint32_t *slot(struct guest_options *o, const struct option *opt)
{
	return (uint32_t *)((char *)o + opt->offset);
}

static bool applies(const struct guest_stim_info *s, const struct option *opt)
{
	if (opt->offset == AT(mode))
		return s->modes[0] != NULL;
	return !opt->needs || (s->uses & opt->needs);
}

const char *guest_option_word(const char *option, uint32_t value)
{
	size_t i;

	for (i = 0; i < NR_OPTIONS; i++)
		if (!strcmp(options[i].name, option) && value < 4 && options[i].words[value])
			return options[i].words[value];
	return "both";
}

static void print_indented(FILE *out, const char *text)
{
	fputs("  ", out);
	for (; *text; text++) {
		fputc(*text, out);
		if (*text == '\n')
			fputs("  ", out);
	}
	fputc('\n', out);
}

static void help_options(FILE *out, const struct guest_stim_info *s)
{
	char head[64];
	size_t i;

	fputs("Options:\n", out);
	for (i = 0; i < NR_OPTIONS; i++) {
		const struct option *opt = &options[i];
		struct guest_options defaults;
		uint32_t def;

		if (s && !applies(s, opt))
			continue;
		snprintf(head, sizeof(head), "--%s %s", opt->name, opt->arg ? opt->arg : "");
		if (strlen(head) > 22)
			fprintf(out, "  %s\n  %-22s %s", head, "", opt->help);
		else
			fprintf(out, "  %-22s %s", head, opt->help);
		if (s && opt->arg && opt->offset != AT(log)) {
			defaults = s->defaults;
			def = *slot(&defaults, opt);
			if (opt->offset == AT(mode))
				fprintf(out, " [%s]", s->modes[def]);
			else if (opt->words[0])
				fprintf(out, " [%s]", opt->words[def]);
			else
				fprintf(out, " [%u]", def);
		}
		fputc('\n', out);
	}
}

static const char exit_help[] =
	"Exit: 0 every check held; 1 the hypervisor did not show what it must (the interrupts are\n"
	"named); 2 usage, or this host cannot run it (what is missing is named).\n";

static void help_all(FILE *out)
{
	size_t i;

	fputs("Usage: vgic-guest STIMULUS [OPTION...]\n\n"
	      "Runs a bare-metal guest on /dev/kvm that puts one kind of stress on the virtual\n"
	      "GIC and checks what the hypervisor does with it.\n\nStimuli:\n",
	      out);
	for (i = 0; i < GUEST_NR_STIMS; i++)
		fprintf(out, "  %-12s %s\n", guest_stims[i].name, guest_stims[i].summary);
	fputc('\n', out);
	help_options(out, NULL);
	fprintf(out,
		"\n%s\nvgic-guest STIMULUS --help says what it does, what must hold, and its "
		"defaults.\n\nExamples:\n",
		exit_help);
	for (i = 0; i < GUEST_NR_STIMS; i++)
		fprintf(out, "  %s\n", guest_stims[i].example);
}

static void help_stim(FILE *out, const struct guest_stim_info *s)
{
	fprintf(out, "Usage: vgic-guest %s [OPTION...]\n\n%s\n\nWhat it does:\n", s->name,
		s->summary);
	print_indented(out, s->does);
	fputs("\nA correct hypervisor shows:\n", out);
	print_indented(out, s->must);
	fputc('\n', out);
	help_options(out, s);
	fprintf(out, "\n%s\nExample:\n  %s\n", exit_help, s->example);
}

static int parse_mode(const struct guest_stim_info *s, const char *text, uint32_t *value, char *err,
		      size_t len)
{
	size_t used;
	uint32_t i;

	for (i = 0; i < GUEST_MAX_MODES && s->modes[i]; i++) {
		if (!strcmp(text, s->modes[i])) {
			*value = i;
			return 0;
		}
	}
	used = (size_t)snprintf(err, len, "--mode: '%s' is not one of", text);
	for (i = 0; i < GUEST_MAX_MODES && s->modes[i] && used < len; i++)
		used += (size_t)snprintf(err + used, len - used, " %s", s->modes[i]);
	return -EINVAL;
}

static int parse_value(const struct option *opt, const char *text, uint32_t *value, char *err,
		       size_t len)
{
	unsigned long n;
	char *end;
	uint32_t i;

	if (opt->words[0]) {
		for (i = 0; i < 4 && opt->words[i]; i++) {
			if (!strcmp(text, opt->words[i])) {
				*value = i;
				return 0;
			}
		}
		snprintf(err, len, "--%s: '%s' is not one of %s", opt->name, text, opt->arg);
		return -EINVAL;
	}
	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < opt->min || n > opt->max) {
		snprintf(err, len, "--%s: '%s' is not a number from %u to %u", opt->name, text,
			 opt->min, opt->max);
		return -EINVAL;
	}
	*value = (uint32_t)n;
	return 0;
}

static int check(const struct guest_options *o, char *err, size_t len)
{
	const struct guest_stim_info *s = &guest_stims[o->stim];

	if (o->irqs > s->max_irqs)
		snprintf(err, len, "%s: --irqs is at most %u", s->name, s->max_irqs);
	else if (o->vcpus < s->min_vcpus)
		snprintf(err, len, "%s: --vcpus is at least %u", s->name, s->min_vcpus);
	else if (o->gic == GUEST_GIC_2 && o->vcpus > GUEST_V2_VCPUS)
		snprintf(err, len, "--gic 2: a GICv2 has %u vCPUs at most", GUEST_V2_VCPUS);
	else if ((o->stim == GUEST_ACKALL || o->stim == GUEST_REMOTE_DIR) && !o->eoimode)
		snprintf(err, len, "%s: needs --eoimode 1, where EOIR does not deactivate",
			 s->name);
	else if (o->gic == GUEST_GIC_2 && (s->uses & GUEST_NEEDS_GIC3))
		snprintf(err, len, "%s: a GICv2 has no LPIs; needs --gic 3", s->name);
	else if (o->stim == GUEST_LPI && o->vcpus < 2 &&
		 (o->mode == GUEST_LPI_MOVE || o->mode == GUEST_LPI_MOVEALL ||
		  o->mode == GUEST_LPI_OFF))
		snprintf(err, len, "lpi --mode %s: --vcpus is at least 2", s->modes[o->mode]);
	else if (o->stim == GUEST_REGROUP && o->mode == GUEST_REGROUP_STORM &&
		 (o->repeat > 1000 || o->vcpus > 1))
		snprintf(err, len, "regroup --mode storm: one vCPU and 1000 rounds at most");
	else if (o->inject == GUEST_INJECT_IRQFD && o->trigger != GUEST_EDGE)
		snprintf(err, len, "--inject irqfd: an eventfd can only pulse; use --trigger edge");
	else if (o->again && o->trigger != GUEST_EDGE)
		snprintf(err, len, "--again: a level has no second edge; use --trigger edge");
	else if (o->again && o->inject != GUEST_INJECT_SYNC)
		snprintf(err, len, "--again: only with --inject sync, else two raises may melt");
	else if (o->pace && o->inject == GUEST_INJECT_SYNC && o->stim != GUEST_MIXED)
		snprintf(err, len, "--pace: needs --inject thread or irqfd");
	else
		return 0;
	return -EINVAL;
}

int guest_options_parse(int argc, char **argv, struct guest_options *o, FILE *out, char *err,
			size_t len)
{
	const struct guest_stim_info *s = NULL;
	const struct option *opt;
	const char *name, *eq, *value;
	bool inject_given = false;
	size_t i, n;
	int a, rc;

	if (argc < 2) {
		snprintf(err, len, "no stimulus; vgic-guest --help lists them");
		return -EINVAL;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help_all(out);
		return 1;
	}
	for (i = 0; i < GUEST_NR_STIMS; i++)
		if (!strcmp(argv[1], guest_stims[i].name))
			s = &guest_stims[i];
	if (!s) {
		snprintf(err, len, "'%s' is no stimulus; vgic-guest --help lists them", argv[1]);
		return -EINVAL;
	}
	*o = s->defaults;
	for (a = 2; a < argc; a++) {
		if (!strcmp(argv[a], "--help") || !strcmp(argv[a], "-h")) {
			help_stim(out, s);
			return 1;
		}
		name = argv[a];
		if (strncmp(name, "--", 2)) {
			snprintf(err, len, "'%s' is not an option", argv[a]);
			return -EINVAL;
		}
		name += 2;
		eq = strchr(name, '=');
		n = eq ? (size_t)(eq - name) : strlen(name);
		for (i = 0; i < NR_OPTIONS; i++)
			if (strlen(options[i].name) == n && !strncmp(options[i].name, name, n))
				break;
		if (i == NR_OPTIONS) {
			snprintf(err, len, "'%s' is not an option; see vgic-guest %s --help",
				 argv[a], s->name);
			return -EINVAL;
		}
		opt = &options[i];
		if (!applies(s, opt)) {
			snprintf(err, len, "--%s means nothing for %s", opt->name, s->name);
			return -EINVAL;
		}
		if (!opt->arg) {
			if (eq) {
				snprintf(err, len, "--%s takes no value", opt->name);
				return -EINVAL;
			}
			*slot(o, opt) = 1;
			continue;
		}
		value = eq ? eq + 1 : ++a < argc ? argv[a] : NULL;
		if (!value || !*value) {
			snprintf(err, len, "--%s needs a value (%s)", opt->name, opt->arg);
			return -EINVAL;
		}
		if (opt->offset == AT(log)) {
			o->log = value;
			continue;
		}
		rc = opt->offset == AT(mode) ? parse_mode(s, value, slot(o, opt), err, len)
					     : parse_value(opt, value, slot(o, opt), err, len);
		if (rc)
			return rc;
		inject_given |= opt->offset == AT(inject);
	}
	/* A pause between raises needs somebody other than the vCPU to make it. */
	if (o->pace && !inject_given && o->stim != GUEST_MIXED)
		o->inject = GUEST_INJECT_THREAD;
	return check(o, err, len);
}
