// SPDX-License-Identifier: GPL-2.0-only
#include "payload.h"

#include <stddef.h>

#define GICD_CTLR	(GUEST_GICD_BASE + 0x0000)
#define GICD_IGROUPR	(GUEST_GICD_BASE + 0x0080)
#define GICD_ISENABLER	(GUEST_GICD_BASE + 0x0100)
#define GICD_ICENABLER	(GUEST_GICD_BASE + 0x0180)
#define GICD_ISPENDR	(GUEST_GICD_BASE + 0x0200)
#define GICD_ISACTIVER	(GUEST_GICD_BASE + 0x0300)
#define GICD_ICACTIVER	(GUEST_GICD_BASE + 0x0380)
#define GICD_IPRIORITYR (GUEST_GICD_BASE + 0x0400)
#define GICD_ICFGR	(GUEST_GICD_BASE + 0x0c00)
#define GICD_IROUTER	(GUEST_GICD_BASE + 0x6000)
/* SGI_base frame of a redistributor: same offsets as the distributor's for INTIDs 0..31. */
#define GICR_SGI(cpu)	(GUEST_GICR_BASE + (cpu)*GUEST_GICR_STRIDE + 0x10000)

/* A vCPU thread may have lost its host CPU: time alone is no proof of starvation. */
#define MIN_POLLS 2000
#define YIELDS	  16

static const struct stim *const stims[GUEST_NR_STIMS] = {
	[GUEST_BURST] = &stim_burst,	     [GUEST_ACKALL] = &stim_ackall,
	[GUEST_PREEMPT] = &stim_preempt,     [GUEST_SGI] = &stim_sgi,
	[GUEST_TIMER] = &stim_timer,	     [GUEST_GROUP] = &stim_group,
	[GUEST_LEVEL] = &stim_level,	     [GUEST_REMOTE_DIR] = &stim_remote_dir,
	[GUEST_MIXED] = &stim_mixed,	     [GUEST_REGISTERS] = &stim_registers,
	[GUEST_EOI_ORDER] = &stim_eoi_order,
};

static uint32_t last_prio[GUEST_MAX_VCPUS];
static struct guest_log unlogged[GUEST_MAX_VCPUS];
static uint32_t gic_ready;

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

void order_check(uint32_t cpu, uint32_t intid)
{
	uint32_t prio = SH->prio[intid];

	if (!SH->sync_raise)
		return;
	if (prio < last_prio[cpu])
		fail(cpu, GUEST_FAIL_ORDER, intid, prio, last_prio[cpu]);
	last_prio[cpu] = prio;
}

void check_rpr(uint32_t cpu, uint32_t intid, uint32_t want)
{
	uint32_t rpr;

	isb();
	rpr = (uint32_t)sys_read(ICC_RPR);
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

static uint32_t acked(uint32_t cpu, uint32_t intid, struct guest_log **log)
{
	struct guest_vcpu *v = cpu_of(cpu);
	uint64_t now, raised;
	uint32_t got, want;

	if (intid == GUEST_SPURIOUS)
		return intid;
	dsb();
	now = counter();
	if (intid >= GUEST_NR_INTIDS) {
		fail(cpu, GUEST_FAIL_TWICE, intid, 0, 0);
		return GUEST_SPURIOUS;
	}
	if (intid < GUEST_FIRST_SPI) {
		got = ++v->got[intid];
		want = __atomic_load_n(&v->want[intid], __ATOMIC_ACQUIRE);
		raised = READ(v->raised_at[intid]);
	} else {
		got = __atomic_add_fetch(&SH->got[intid], 1, __ATOMIC_ACQ_REL);
		want = __atomic_load_n(&SH->want[intid], __ATOMIC_ACQUIRE);
		raised = READ(SH->raised_at[intid]);
		if (SH->route[intid] != cpu)
			fail(cpu, GUEST_FAIL_WRONG_CPU, intid, cpu, SH->route[intid]);
	}
	v->irqs++;
	*log = log_new(cpu);
	**log = (struct guest_log){.intid = intid,
				   .round = v->round,
				   .raise = raised,
				   .ack = now,
				   .prio = SH->prio[intid]};
	if (got > want)
		fail(cpu, GUEST_FAIL_TWICE, intid, got, want);
	check_rpr(cpu, intid, SH->prio[intid]);
	return intid;
}

uint32_t ack(uint32_t cpu, struct guest_log **log)
{
	return acked(cpu, (uint32_t)sys_read(ICC_IAR1) & 0xffffff, log);
}

uint32_t ack_group0(uint32_t cpu, struct guest_log **log)
{
	return acked(cpu, (uint32_t)sys_read(ICC_IAR0) & 0xffffff, log);
}

void eoi(uint32_t intid, struct guest_log *log)
{
	log->eoi = counter();
	if (SH->is_group0[intid])
		sys_write(ICC_EOIR0, intid);
	else
		sys_write(ICC_EOIR1, intid);
	isb();
}

void dir(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	if (!SH->eoimode)
		return;
	log->dir = counter();
	log->dir_vcpu = cpu;
	sys_write(ICC_DIR, intid);
	isb();
}

void finish(uint32_t cpu, uint32_t intid, struct guest_log *log)
{
	eoi(intid, log);
	dir(cpu, intid, log);
}

void batch_add(uint32_t cpu, uint32_t intid)
{
	struct guest_vcpu *v = cpu_of(cpu);

	__atomic_fetch_add(&SH->want[intid], 1, __ATOMIC_ACQ_REL);
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
	while ((got = ack(cpu, log)) == GUEST_SPURIOUS) {
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
	uint32_t intid = (uint32_t)sys_read(ICC_IAR1) & 0xffffff;

	if (intid != GUEST_SPURIOUS)
		fail(cpu, GUEST_FAIL_NOT_IDLE, intid, intid, GUEST_SPURIOUS);
}

static void check_bits(uint32_t cpu, uint32_t owner, uint64_t reg, enum guest_fail_code code)
{
	uint32_t k, n = guest_share_size(SH, owner), word = 0, bits = 0;

	for (k = 0; k < n; k++) {
		uint32_t intid = guest_share(SH, owner, k);

		if (intid / 32 != word) {
			word = intid / 32;
			bits = mmio_r32(reg + 4 * word);
		}
		if (bits >> intid % 32 & 1)
			fail(cpu, code, intid, 1, 0);
	}
}

void check_share_quiet(uint32_t cpu, uint32_t owner)
{
	check_bits(cpu, owner, GICD_ISACTIVER, GUEST_FAIL_ACTIVE);
	check_bits(cpu, owner, GICD_ISPENDR, GUEST_FAIL_PENDING);
}

bool private_active(uint32_t cpu, uint32_t intid)
{
	return mmio_r32(GICR_SGI(cpu) + 0x300) >> intid & 1;
}

bool private_pending(uint32_t cpu, uint32_t intid)
{
	return mmio_r32(GICR_SGI(cpu) + 0x200) >> intid & 1;
}

bool spi_active(uint32_t intid)
{
	return mmio_r32(GICD_ISACTIVER + intid / 32 * 4) >> intid % 32 & 1;
}

void deactivate_spi(uint32_t intid)
{
	mmio_w32(GICD_ICACTIVER + intid / 32 * 4, 1U << intid % 32);
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
	mmio_w32(GICD_ISPENDR + intid / 32 * 4, 1U << intid % 32);
}

void enable_spi(uint32_t intid, bool on)
{
	mmio_w32((on ? GICD_ISENABLER : GICD_ICENABLER) + intid / 32 * 4, 1U << intid % 32);
}

void route_spi(uint32_t intid, uint32_t cpu)
{
	mmio_w64(GICD_IROUTER + 8 * intid, cpu);
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
	dsb();
	/* Affinity 0.0.0.x: the vCPU number is Aff0, see vcpu_id to MPIDR in KVM's reset_mpidr. */
	sys_write(ICC_SGI1R, (uint64_t)intid << 24 | mask);
	isb();
}

static void gicd_init(void)
{
	uint32_t i, r, n = SH->nr_irqs, words = (GUEST_FIRST_SPI + n + 31) / 32;

	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n; i += 4) {
		uint32_t v = 0;

		for (r = 0; r < 4; r++)
			v |= (uint32_t)SH->prio[i + r] << 8 * r;
		mmio_w32(GICD_IPRIORITYR + i, v);
	}
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n; i += 16) {
		uint32_t v = 0;

		for (r = 0; r < 16; r++)
			v |= (SH->is_level[i + r] ? 0U : 2U) << 2 * r;
		mmio_w32(GICD_ICFGR + i / 4, v);
	}
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n; i++)
		if (SH->route[i])
			mmio_w64(GICD_IROUTER + 8 * i, SH->route[i]);
	/* The reset state has every interrupt in group 1. */
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + n && SH->group0; i += 32) {
		uint32_t v = 0;

		for (r = 0; r < 32; r++)
			v |= (SH->is_group0[i + r] ? 0U : 1U) << r;
		mmio_w32(GICD_IGROUPR + i / 8, v);
	}
	/* ARE_NS, both groups. */
	mmio_w32(GICD_CTLR, 1 << 4 | 1 << 1 | 1 << 0);
	for (i = 1; i < words; i++) {
		uint32_t left = GUEST_FIRST_SPI + n - 32 * i;

		mmio_w32(GICD_ISENABLER + 4 * i, left >= 32 ? 0xffffffff : (1U << left) - 1);
	}
}

static void cpu_init(uint32_t cpu)
{
	uint32_t i, r;

	for (i = 0; i < GUEST_FIRST_SPI; i += 4) {
		uint32_t v = 0;

		for (r = 0; r < 4; r++)
			v |= (uint32_t)SH->prio[i + r] << 8 * r;
		mmio_w32(GICR_SGI(cpu) + 0x400 + i, v);
	}
	mmio_w32(GICR_SGI(cpu) + 0x100, 1U << GUEST_TIMER_INTID | 0xffff);
	sys_write(ICC_SRE, 7);
	isb();
	sys_write(ICC_PMR, 0xff);
	/* Zero is raised to the minimum: every priority bit that there is preempts. */
	sys_write(ICC_BPR0, 0);
	sys_write(ICC_BPR1, 0);
	sys_write(ICC_CTLR, SH->eoimode ? 2 : 0);
	sys_write(ICC_IGRPEN1, 1);
	isb();
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
		gicd_init();
		__atomic_store_n(&gic_ready, 1, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(&gic_ready, __ATOMIC_ACQUIRE))
		yield();
	cpu_init(cpu);
	barrier();
	stims[SH->stim]->run(cpu);
	irq_off();
	cpu_of(cpu)->done = 1;
	dsb();
	mmio_w32(GUEST_HC_BASE + GUEST_HC_DONE, 0);
}
