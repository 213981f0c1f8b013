// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

#include <stddef.h>

/* A vCPU thread may have lost its host CPU: time alone is no proof of starvation. */
#define MIN_POLLS 2000
#define YIELDS	  16

static const struct stim *const stims[GUEST_NR_STIMS] = {
	[GUEST_BURST] = &stim_burst,
	[GUEST_ACKALL] = &stim_ackall,
	[GUEST_PREEMPT] = &stim_preempt,
	[GUEST_SGI] = &stim_sgi,
	[GUEST_TIMER] = &stim_timer,
	[GUEST_GROUP] = &stim_group,
	[GUEST_LEVEL] = &stim_level,
	[GUEST_REMOTE_DIR] = &stim_remote_dir,
	[GUEST_MIXED] = &stim_mixed,
	[GUEST_REGISTERS] = &stim_registers,
	[GUEST_EOI_ORDER] = &stim_eoi_order,
	[GUEST_RESTORE] = &stim_restore,
	[GUEST_REPRIO] = &stim_reprio,
	[GUEST_REGROUP] = &stim_regroup,
	[GUEST_MIGRATE] = &stim_migrate,
	[GUEST_DIST] = &stim_dist,
	[GUEST_INFLIGHT] = &stim_inflight,
	[GUEST_MULTISGI] = &stim_multisgi,
	[GUEST_LPI] = &stim_lpi,
	[GUEST_RESAMPLE] = &stim_resample,
	[GUEST_HWDIR] = &stim_hwdir,
	[GUEST_ALIAS] = &stim_alias,
	[GUEST_INTERFACE] = &stim_interface,
	[GUEST_EXITS] = &stim_exits,
};

static uint32_t last_prio[GUEST_MAX_VCPUS];
static struct guest_log unlogged[GUEST_MAX_VCPUS];
static uint32_t gic_ready;
/* What IAR gave for an interrupt and EOIR and DIR want back; SGIs of each vCPU by themselves. */
static uint32_t sgi_handle[GUEST_MAX_VCPUS][16];

/* The compiler may call these even in freestanding code. */
void *memset(void *d, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);

void *memset(void *d, int c, size_t n)
{
	volatile unsigned char *p = d;

	while (n--)
		*p++ = (unsigned char)c;
	return d;
}

void *memcpy(void *d, const void *s, size_t n)
{
	volatile unsigned char *p = d;
	const unsigned char *q = s;

	while (n--)
		*p++ = *q++;
	return d;
}

void fail(uint32_t cpu, enum guest_fail_code code, uint32_t intid, uint64_t got, uint64_t want)
{
	struct guest_vcpu *v = cpu_of(cpu);

	if (v->nr_fails < GUEST_MAX_FAILS)
		v->fail[v->nr_fails] = (struct guest_fail){code, intid, v->round, 0, got, want};
	v->nr_fails++;
	__atomic_store_n(&SH->abort, 1, __ATOMIC_RELEASE);
	/* Finishing what is active would set the others free and hide who starved. */
	while (code == GUEST_FAIL_STARVED)
		mmio_w32(GUEST_HC_BASE + GUEST_HC_DONE, 1);
}

void barrier(void)
{
	uint32_t gen, spins = 0;

	if (SH->nr_vcpus == 1)
		return;
	gen = __atomic_load_n(&SH->barrier_gen, __ATOMIC_ACQUIRE);
	if (__atomic_add_fetch(&SH->barrier_count, 1, __ATOMIC_ACQ_REL) == SH->nr_vcpus) {
		__atomic_store_n(&SH->barrier_count, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&SH->barrier_gen, gen + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&SH->barrier_gen, __ATOMIC_ACQUIRE) == gen && !aborted())
		if (++spins % 256 == 0)
			yield();
}

void order_reset(uint32_t cpu)
{
	last_prio[cpu] = 0;
}

static uint32_t prio_of(uint32_t intid)
{
	return intid >= GUEST_FIRST_LPI ? SH->lpi_prio[intid - GUEST_FIRST_LPI] : SH->prio[intid];
}

void order_check(uint32_t cpu, uint32_t intid)
{
	uint32_t prio = prio_of(intid);

	if (!SH->sync_raise)
		return;
	if (prio < last_prio[cpu])
		fail(cpu, GUEST_FAIL_ORDER, intid, prio, last_prio[cpu]);
	last_prio[cpu] = prio;
}

void check_rpr(uint32_t cpu, uint32_t intid, uint32_t want)
{
	uint32_t rpr;

	rpr = gic_rpr();
	if (rpr != want)
		fail(cpu, GUEST_FAIL_RPR, intid, rpr, want);
}

static struct guest_log *log_new(uint32_t cpu)
{
	struct guest_vcpu *v = cpu_of(cpu);
	struct guest_log *log = (struct guest_log *)SH->log_gpa;

	if (v->log_n == SH->log_cap) {
		v->log_lost++;
		return &unlogged[cpu];
	}
	return &log[cpu * SH->log_cap + v->log_n++];
}

/* NULL without --log, and for what did not fit. */
static struct guest_instants *instants_of(const struct guest_log *log)
{
	const struct guest_log *first = (const struct guest_log *)SH->log_gpa;

	if (!SH->instants_gpa || (log >= unlogged && log < unlogged + GUEST_MAX_VCPUS))
		return NULL;
	return (struct guest_instants *)SH->instants_gpa + (log - first);
}

/* The first access to a page is an exit: all of them before there are interrupts. */
static void touch_instants(uint32_t cpu)
{
	uint64_t at = SH->instants_gpa + cpu * SH->log_cap * sizeof(struct guest_instants);
	uint64_t end = at + SH->log_cap * sizeof(struct guest_instants);

	if (!SH->instants_gpa)
		return;
	for (at &= ~4095ULL; at < end; at += 4096)
		*(volatile uint8_t *)at = 0;
}

static bool is_lpi(uint32_t intid)
{
	return intid - GUEST_FIRST_LPI < SH->nr_irqs && SH->stim == GUEST_LPI;
}

static uint32_t acked(uint32_t cpu, uint32_t intid, uint64_t from, struct guest_log **log)
{
	struct guest_instants *in;
	struct guest_vcpu *v = cpu_of(cpu);
	uint64_t now, raised;
	uint32_t got, want, route = cpu, lpi;

	if (intid == GUEST_SPURIOUS)
		return intid;
	dsb();
	now = counter();
	if (intid >= GUEST_NR_INTIDS && !is_lpi(intid)) {
		fail(cpu, GUEST_FAIL_TWICE, intid, 0, 0);
		return GUEST_SPURIOUS;
	}
	if (intid < GUEST_FIRST_SPI) {
		got = ++v->got[intid];
		want = __atomic_load_n(&v->want[intid], __ATOMIC_ACQUIRE);
		raised = READ(v->raised_at[intid]);
	} else if (is_lpi(intid)) {
		lpi = intid - GUEST_FIRST_LPI;
		got = __atomic_add_fetch(&SH->lpi_got[lpi], 1, __ATOMIC_ACQ_REL);
		want = __atomic_load_n(&SH->lpi_want[lpi], __ATOMIC_ACQUIRE);
		raised = READ(SH->lpi_raised_at[lpi]);
		route = READ(SH->lpi_route[lpi]);
	} else {
		got = __atomic_add_fetch(&SH->got[intid], 1, __ATOMIC_ACQ_REL);
		want = __atomic_load_n(&SH->want[intid], __ATOMIC_ACQUIRE);
		raised = READ(SH->raised_at[intid]);
		route = READ(SH->route[intid]);
	}
	if (route != cpu && route != GUEST_ANY_CPU)
		fail(cpu, GUEST_FAIL_WRONG_CPU, intid, cpu, route);
	v->irqs++;
	*log = log_new(cpu);
	**log = (struct guest_log){.intid = intid,
				   .round = v->round,
				   .raise = raised,
				   .ack = now,
				   .prio = prio_of(intid)};
	in = instants_of(*log);
	if (in)
		*in = (struct guest_instants){.ack_from = from};
	/* A line that somebody else lowers may be seen more than once; resample counts it. */
	if (got > want && SH->stim != GUEST_RESAMPLE)
		fail(cpu, GUEST_FAIL_TWICE, intid, got, want);
	check_rpr(cpu, intid, prio_of(intid));
	return intid;
}

static uint32_t handle_of(uint32_t cpu, uint32_t intid)
{
	return intid < 16 ? sgi_handle[cpu][intid] : intid;
}

uint32_t sgi_source(uint32_t cpu, uint32_t intid)
{
	return GIC_SOURCE(sgi_handle[cpu][intid]);
}

static uint32_t ack_group(uint32_t cpu, uint32_t group, struct guest_log **log)
{
	uint64_t from = SH->instants_gpa ? counter() : 0;
	uint32_t handle = gic_iar(group), intid = handle;

	if (gic_is_v2())
		intid &= 0x3ff;
	if (intid < 16)
		sgi_handle[cpu][intid] = handle;
	return acked(cpu, intid, from, log);
}

uint32_t ack(uint32_t cpu, struct guest_log **log)
{
	return ack_group(cpu, SH->group, log);
}

uint32_t ack_group0(uint32_t cpu, struct guest_log **log)
{
	return ack_group(cpu, 0, log);
}

void eoi(uint32_t intid, struct guest_log *log)
{
	struct guest_instants *in = instants_of(log);

	log->eoi = counter();
	gic_eoir(intid < GUEST_NR_INTIDS && SH->is_group0[intid] ? 0 : SH->group,
		 handle_of(this_cpu(), intid));
	if (in)
		in->eoi_to = counter();
}

/* The first one counts: what it deactivated is not deactivated again. */
static void log_dir(uint32_t cpu, uint32_t handle, struct guest_log *log)
{
	struct guest_instants *in = instants_of(log);
	bool first = !log->dir;

	if (first) {
		log->dir = counter();
		log->dir_vcpu = cpu;
	}
	gic_dir(handle);
	if (first && in)
		in->dir_to = counter();
}

void dir(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	/* An LPI has no DIR: its EOIR deactivates in either mode. */
	if (!SH->eoimode || is_lpi(intid))
		return;
	log_dir(cpu, handle_of(cpu, intid), log);
}

bool dir_by(uint32_t cpu, uint32_t intid, uint32_t handle, struct guest_log *log)
{
	const struct guest_log before = *log;

	log_dir(cpu, handle, log);
	if (!spi_active(intid))
		return true;
	*log = before;
	return false;
}

void finish(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	eoi(intid, log);
	dir(cpu, intid, log);
}

void batch_add(uint32_t cpu, uint32_t intid)
{
	struct guest_vcpu *v = cpu_of(cpu);

	if (is_lpi(intid))
		__atomic_fetch_add(&SH->lpi_want[intid - GUEST_FIRST_LPI], 1, __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
	v->batch[v->nr_batch++] = intid;
}

void batch_add_unowed(uint32_t cpu, uint32_t intid)
{
	struct guest_vcpu *v = cpu_of(cpu);

	v->batch[v->nr_batch++] = intid;
}

void raise_batch(uint32_t cpu)
{
	struct guest_vcpu *v = cpu_of(cpu);
	uint32_t n = v->nr_batch;

	v->nr_batch = 0;
	if (!n)
		return;
	dsb();
	mmio_w32(GUEST_HC_BASE + GUEST_HC_RAISE_BATCH, n);
}

void batch_share(uint32_t cpu, uint32_t owner)
{
	uint32_t k, n = guest_share_size(SH, owner);

	for (k = 0; k < n; k++)
		batch_add(cpu, guest_share(SH, owner, k));
}

void wait_begin(uint32_t cpu, struct wait *w)
{
	w->since = counter();
	w->irqs = cpu_of(cpu)->irqs;
	w->polls = 0;
	w->yields = 0;
}

bool wait_step(uint32_t cpu, struct wait *w, bool take_irqs)
{
	struct guest_vcpu *v = cpu_of(cpu);
	uint64_t waited;

	if (READ(v->irqs) != w->irqs)
		wait_begin(cpu, w);
	if (aborted())
		return false;
	waited = counter() - w->since;
	if (waited > SH->patience && w->polls > MIN_POLLS && w->yields >= YIELDS)
		return false;
	/* Whoever is to raise or to send may need this host CPU. */
	if (waited > SH->patience / 2 + w->yields * (SH->patience / (2 * YIELDS))) {
		yield();
		w->yields++;
	}
	w->polls++;
	if (!take_irqs)
		return true;
	/* Called with IRQs masked, so that nothing can slip in between the look and the WFI. */
	if (SH->use_wfi)
		wfi();
	irq_on();
	irq_off();
	return true;
}

uint32_t share_missing(uint32_t cpu, uint32_t group)
{
	uint32_t k, n = guest_share_size(SH, cpu), missing = 0;

	for (k = 0; k < n; k++) {
		uint32_t intid = guest_share(SH, cpu, k);

		if (SH->is_group0[intid] == !group)
			missing += READ(SH->want[intid]) - READ(SH->got[intid]);
	}
	return missing;
}

bool wait_share(uint32_t cpu)
{
	struct wait w;
	uint32_t missing;

	wait_begin(cpu, &w);
	while ((missing = share_missing(cpu, 1)) != 0) {
		if (wait_step(cpu, &w, true))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, GUEST_SPURIOUS, missing, 0);
		return false;
	}
	return true;
}

bool raise_and_ack(uint32_t cpu, uint32_t intid, struct guest_log **log)
{
	struct wait w;
	uint32_t got;

	batch_add(cpu, intid);
	raise_batch(cpu);
	wait_begin(cpu, &w);
	while ((got = SH->is_group0[intid] ? ack_group0(cpu, log) : ack(cpu, log)) ==
	       GUEST_SPURIOUS) {
		if (wait_step(cpu, &w, false))
			continue;
		if (!aborted())
			fail(cpu, GUEST_FAIL_STARVED, intid, 1, 0);
		return false;
	}
	if (SH->is_level[got])
		lower_line(got);
	if (got != intid)
		fail(cpu, GUEST_FAIL_ORDER, got, SH->prio[got], SH->prio[intid]);
	return got == intid;
}

void check_idle(uint32_t cpu)
{
	uint32_t intid = gic_iar(SH->group);

	if (intid != GUEST_SPURIOUS)
		fail(cpu, GUEST_FAIL_NOT_IDLE, intid, intid, GUEST_SPURIOUS);
}

static void check_bits(uint32_t cpu, uint32_t owner, enum gic_bits reg, enum guest_fail_code code)
{
	uint32_t k, n = guest_share_size(SH, owner), word = 0, bits = 0;

	for (k = 0; k < n; k++) {
		uint32_t intid = guest_share(SH, owner, k);

		if (intid / 32 != word) {
			word = intid / 32;
			bits = gic_read_word(cpu, reg, intid);
		}
		if (bits >> intid % 32 & 1)
			fail(cpu, code, intid, 1, 0);
	}
}

void check_share_quiet(uint32_t cpu, uint32_t owner)
{
	check_bits(cpu, owner, GIC_ISACTIVER, GUEST_FAIL_ACTIVE);
	check_bits(cpu, owner, GIC_ISPENDR, GUEST_FAIL_PENDING);
}

void check_round_over(uint32_t cpu)
{
	check_idle(cpu);
	check_rpr(cpu, GUEST_SPURIOUS, 0xff);
	check_share_quiet(cpu, cpu);
}

bool private_active(uint32_t cpu, uint32_t intid)
{
	return gic_read_bit(cpu, GIC_ISACTIVER, intid);
}

bool private_pending(uint32_t cpu, uint32_t intid)
{
	return gic_read_bit(cpu, GIC_ISPENDR, intid);
}

bool spi_active(uint32_t intid)
{
	return gic_read_bit(0, GIC_ISACTIVER, intid);
}

void deactivate_spi(uint32_t intid)
{
	gic_write_bit(0, GIC_ICACTIVER, intid);
}

void note_add(uint32_t note, uint64_t n)
{
	__atomic_fetch_add(&SH->note[note], n, __ATOMIC_RELAXED);
}

void count_left(uint32_t cpu, uint32_t note)
{
	uint32_t k, intid, n = guest_share_size(SH, cpu);

	for (k = 0; k < n; k++) {
		intid = guest_share(SH, cpu, k);
		if (!spi_active(intid))
			continue;
		SH->left[intid]++;
		note_add(note, 1);
		deactivate_spi(intid);
	}
}

void pend_spi(uint32_t intid)
{
	gic_write_bit(0, GIC_ISPENDR, intid);
}

void enable_spi(uint32_t intid, bool on)
{
	gic_write_bit(0, on ? GIC_ISENABLER : GIC_ICENABLER, intid);
}

void route_spi(uint32_t intid, uint32_t cpu)
{
	gic_set_route(intid, cpu);
}

void set_round(uint32_t cpu, uint32_t round)
{
	cpu_of(cpu)->round = round;
}

void send_sgi(uint32_t intid, uint32_t mask)
{
	uint32_t t;

	for (t = 0; t < SH->nr_vcpus; t++) {
		if (!(mask >> t & 1))
			continue;
		cpu_of(t)->raised_at[intid] = counter();
		__atomic_fetch_add(&cpu_of(t)->want[intid], 1, __ATOMIC_ACQ_REL);
	}
	gic_sgi(intid, mask);
}

void guest_irq(void);
void guest_exception(uint32_t slot, uint64_t esr, uint64_t elr);
void guest_main(uint32_t cpu);

void guest_irq(void)
{
	uint32_t cpu = this_cpu();
	struct guest_log *log;
	uint32_t intid = ack(cpu, &log);

	if (intid == GUEST_SPURIOUS) {
		cpu_of(cpu)->spurious++;
		return;
	}
	stims[SH->stim]->irq(cpu, intid, log);
}

void guest_exception(uint32_t slot, uint64_t esr, uint64_t elr)
{
	uint32_t cpu = this_cpu();

	fail(cpu, GUEST_FAIL_EXCEPTION, slot, esr, elr);
	mmio_w32(GUEST_HC_BASE + GUEST_HC_DONE, 1);
}

void guest_main(uint32_t cpu)
{
	if (cpu == 0) {
		gic_dist_init();
		__atomic_store_n(&gic_ready, 1, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(&gic_ready, __ATOMIC_ACQUIRE))
		yield();
	gic_cpu_init(cpu);
	touch_instants(cpu);
	barrier();
	stims[SH->stim]->run(cpu);
	irq_off();
	cpu_of(cpu)->done = 1;
	dsb();
	mmio_w32(GUEST_HC_BASE + GUEST_HC_DONE, 0);
}
