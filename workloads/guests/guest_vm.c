// SPDX-License-Identifier: GPL-2.0-only
#include "guest_vm.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest_plan.h"

/* KVM_CAP_COUNTER_OFFSET is younger (6.4) than the headers this may be built with. */
#define CAP_COUNTER_OFFSET 227

struct counter_offset {
	uint64_t counter_offset;
	uint64_t reserved;
};

#define SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct counter_offset)

#define CORE_REG(field)                                        \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 offsetof(struct kvm_regs, field) / sizeof(uint32_t))

extern const char payload_start[], payload_end[];

static int fail(struct guest_vm *vm, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct guest_vm *vm, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(vm->error, sizeof(vm->error), fmt, ap);
	va_end(ap);
	return err ? -err : -EIO;
}

static uint64_t host_counter(void)
{
	uint64_t v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void read_clocks(const struct guest_vm *vm, struct guest_clock *c)
{
	uint64_t a, b, t, best = UINT64_MAX;
	int i;

	/* The narrowest of a few pairs: a preemption in between would shift the clocks. */
	for (i = 0; i < 20; i++) {
		a = host_counter();
		t = monotonic_ns();
		b = host_counter();
		if (b - a < best) {
			best = b - a;
			c->counter = a + (b - a) / 2 + (uint64_t)vm->cnt_offset;
			c->ns = t;
		}
	}
	c->error = best - best / 2;
}

static int make_gic(struct guest_vm *vm)
{
	struct kvm_create_device dev = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	int err = 0;

	vm->gic_version = 3;
	if (vm->o->gic == GUEST_GIC_2 || ioctl(vm->vm, KVM_CREATE_DEVICE, &dev)) {
		if (vm->o->gic == GUEST_GIC_3)
			return fail(vm, errno,
				    "KVM gives no GICv3 to guests here, its host has a GICv2; use "
				    "--gic 2 or a host with a GICv3");
		vm->gic_version = 2;
		dev.type = KVM_DEV_TYPE_ARM_VGIC_V2;
		if (ioctl(vm->vm, KVM_CREATE_DEVICE, &dev))
			err = errno;
	}
	if (err && vm->o->gic == GUEST_GIC_2)
		return fail(vm, err,
			    "KVM gives no GICv2 to guests here, its GICv3 has no GICv2 mode; use "
			    "--gic 3 or a host with a GICv2");
	if (err)
		return fail(vm, err, "KVM gives no GIC to guests here: %s", strerror(err));
	vm->gic = (int)dev.fd;
	if (vm->gic_version == 2 && vm->o->vcpus > GUEST_V2_VCPUS)
		return fail(vm, EINVAL, "--vcpus: a GICv2 has %u at most", GUEST_V2_VCPUS);
	return 0;
}

static int open_kvm(struct guest_vm *vm)
{
	unsigned long type = 0;
	int ipa, max;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0 && (errno == EACCES || errno == EPERM))
		return fail(vm, errno, "/dev/kvm: no permission; run as root or join group kvm");
	if (vm->kvm < 0)
		return fail(vm, errno, "/dev/kvm: %s; the kernel has no KVM or did not boot at EL2",
			    strerror(errno));
	if (ioctl(vm->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return fail(vm, ENOTSUP, "/dev/kvm: not the KVM API version 12");
	/* Hosts with fewer than the default 40 bits want to be asked for what they have. */
	ipa = ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	if (ipa > 0 && ipa < 40)
		type = KVM_VM_TYPE_ARM_IPA_SIZE((unsigned int)ipa);
	vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, type);
	if (vm->vm < 0)
		return fail(vm, errno, "KVM_CREATE_VM: %s", strerror(errno));
	max = ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	if (max > 0 && (uint32_t)max < vm->o->vcpus)
		return fail(vm, EINVAL, "--vcpus: this host allows %d at most", max);
	return make_gic(vm);
}

static int load_payload(struct guest_vm *vm)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)payload_start;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(payload_start + eh->e_phoff);
	int i;

	for (i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_filesz)
			memcpy((char *)vm->ram + (ph[i].p_paddr - GUEST_RAM_BASE),
			       payload_start + ph[i].p_offset, ph[i].p_filesz);
	return 0;
}

static int make_ram(struct guest_vm *vm)
{
	struct kvm_userspace_memory_region region = {.guest_phys_addr = GUEST_RAM_BASE};
	const struct guest_options *o = vm->o;
	struct guest_shared plan, *sh;
	uint64_t freq = vm->cntfrq;
	size_t size = sizeof(struct guest_log) + (o->log ? sizeof(struct guest_instants) : 0);

	memset(&plan, 0, sizeof(plan));
	sh = &plan;
	sh->stim = o->stim;
	sh->gic = vm->gic_version;
	/* What an operating system uses: group 1 of a GICv3, group 0 of a GICv2. */
	sh->group = vm->gic_version == 3 || o->stim == GUEST_GROUP || o->stim == GUEST_REGROUP;
	sh->nr_vcpus = o->vcpus;
	sh->nr_irqs = o->irqs;
	sh->eoimode = o->eoimode;
	sh->repeat = o->repeat;
	sh->order = o->order;
	sh->mode = o->mode;
	sh->hold = o->hold;
	sh->again = o->again;
	sh->group0 = o->group0;
	sh->use_wfi = o->wait == GUEST_WAIT_WFI;
	sh->sync_raise = o->inject == GUEST_INJECT_SYNC;
	sh->seed = o->seed;
	sh->pace = freq * o->pace / 1000000;
	sh->patience = freq * o->patience / 1000;
	sh->timer_ticks = freq / (o->stim == GUEST_MIXED ? 1000 : 20000);
	guest_plan(sh, o->prio, o->trigger == GUEST_LEVEL_TRIGGER);
	if (o->stim == GUEST_LPI)
		guest_plan_lpis(sh, o->prio);
	sh->log_gpa = GUEST_RAM_BASE + GUEST_LOG_OFFSET;
	sh->log_cap = guest_log_bound(sh);
	if (sh->log_cap > (512ULL << 20) / o->vcpus / size)
		sh->log_cap = (512ULL << 20) / o->vcpus / size;
	if (o->log)
		sh->instants_gpa = sh->log_gpa + sh->log_cap * o->vcpus * sizeof(struct guest_log);

	/* Untouched log pages cost nothing; 2 MiB steps suit every page size. */
	vm->ram_size = GUEST_LOG_OFFSET + sh->log_cap * o->vcpus * size;
	vm->ram_size = (vm->ram_size + 0x1fffff) & ~(size_t)0x1fffff;
	vm->ram = mmap(NULL, vm->ram_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->ram == MAP_FAILED) {
		vm->ram = NULL;
		return fail(vm, errno, "guest memory of %zu MiB: %s", vm->ram_size >> 20,
			    strerror(errno));
	}
	region.memory_size = vm->ram_size;
	region.userspace_addr = (uint64_t)(uintptr_t)vm->ram;
	if (ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return fail(vm, errno, "KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
	vm->sh = (struct guest_shared *)((char *)vm->ram + GUEST_SHARED_OFFSET);
	memcpy(vm->sh, &plan, sizeof(plan));
	return load_payload(vm);
}

/* One counter for host and guest makes the guest's log comparable with a trace of the host. */
static int set_clock(struct guest_vm *vm)
{
	struct counter_offset zero = {0, 0};
	struct kvm_one_reg reg = {.id = KVM_REG_ARM_TIMER_CNT};
	bool same = false;
	uint64_t guest = 0, a, b, best = UINT64_MAX;
	int i;

	if (ioctl(vm->vm, KVM_CHECK_EXTENSION, CAP_COUNTER_OFFSET) > 0)
		same = !ioctl(vm->vm, SET_COUNTER_OFFSET, &zero);
	reg.addr = (uint64_t)(uintptr_t)&guest;
	for (i = 0; i < 20; i++) {
		a = host_counter();
		if (ioctl(vm->cpu[0].fd, KVM_GET_ONE_REG, &reg))
			return fail(vm, errno, "KVM_GET_ONE_REG of the virtual counter: %s",
				    strerror(errno));
		b = host_counter();
		if (b - a < best) {
			best = b - a;
			vm->cnt_offset = (int64_t)(guest - (a + (b - a) / 2));
			vm->cnt_offset_error = best - best / 2;
		}
	}
	/* Host and guest read the same physical counter: what is left is the ioctl's time. */
	if (same && llabs(vm->cnt_offset) < (int64_t)(vm->cntfrq / 1000)) {
		vm->cnt_offset = 0;
		vm->cnt_offset_error = 0;
	}
	return 0;
}

static int make_cpus(struct guest_vm *vm)
{
	struct kvm_vcpu_init init;
	uint32_t i;

	if (ioctl(vm->vm, KVM_ARM_PREFERRED_TARGET, &init))
		return fail(vm, errno, "KVM_ARM_PREFERRED_TARGET: %s", strerror(errno));
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	vm->cpu[0].run_size = (size_t)ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	for (i = 0; i < vm->o->vcpus; i++) {
		struct guest_cpu *c = &vm->cpu[i];
		uint64_t x0 = i, pc = GUEST_RAM_BASE;
		struct kvm_one_reg set_x0 = {CORE_REG(regs.regs[0]), (uint64_t)(uintptr_t)&x0};
		struct kvm_one_reg set_pc = {CORE_REG(regs.pc), (uint64_t)(uintptr_t)&pc};

		c->vm = vm;
		c->id = i;
		c->run_size = vm->cpu[0].run_size;
		c->fd = ioctl(vm->vm, KVM_CREATE_VCPU, i);
		if (c->fd < 0)
			return fail(vm, errno, "KVM_CREATE_VCPU %u: %s", i, strerror(errno));
		c->run = mmap(NULL, c->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
		if (c->run == MAP_FAILED) {
			c->run = NULL;
			return fail(vm, errno, "vCPU %u's run page: %s", i, strerror(errno));
		}
		if (ioctl(c->fd, KVM_ARM_VCPU_INIT, &init))
			return fail(vm, errno, "KVM_ARM_VCPU_INIT: %s", strerror(errno));
		if (ioctl(c->fd, KVM_SET_ONE_REG, &set_x0) ||
		    ioctl(c->fd, KVM_SET_ONE_REG, &set_pc))
			return fail(vm, errno, "KVM_SET_ONE_REG: %s", strerror(errno));
	}
	return 0;
}

static int gic_set(struct guest_vm *vm, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr a = {
		.group = group, .attr = attr, .addr = (uint64_t)(uintptr_t)value};

	if (ioctl(vm->gic, KVM_SET_DEVICE_ATTR, &a))
		return fail(vm, errno, "vgic-v%u set-up (group %u, attribute %llu): %s",
			    vm->gic_version, group, (unsigned long long)attr, strerror(errno));
	return 0;
}

static int make_its(struct guest_vm *vm)
{
	struct kvm_create_device dev = {.type = KVM_DEV_TYPE_ARM_VGIC_ITS};
	uint64_t base = GUEST_GITS_BASE;
	struct kvm_device_attr addr = {.group = KVM_DEV_ARM_VGIC_GRP_ADDR,
				       .attr = KVM_VGIC_ITS_ADDR_TYPE,
				       .addr = (uint64_t)(uintptr_t)&base};
	struct kvm_device_attr init = {.group = KVM_DEV_ARM_VGIC_GRP_CTRL,
				       .attr = KVM_DEV_ARM_VGIC_CTRL_INIT};

	if (vm->gic_version != 3)
		return fail(vm, ENOTSUP, "%s: a GICv2 has no LPIs; needs a host with a GICv3",
			    guest_stims[vm->o->stim].name);
	if (ioctl(vm->vm, KVM_CREATE_DEVICE, &dev))
		return fail(vm, errno, "KVM gives no ITS to guests here: %s", strerror(errno));
	vm->its = (int)dev.fd;
	if (ioctl(vm->its, KVM_SET_DEVICE_ATTR, &addr) ||
	    ioctl(vm->its, KVM_SET_DEVICE_ATTR, &init))
		return fail(vm, errno, "ITS set-up: %s", strerror(errno));
	return 0;
}

static int set_up_gic(struct guest_vm *vm)
{
	const bool v2 = vm->gic_version == 2, resample = vm->o->stim == GUEST_RESAMPLE;
	uint64_t gicd = GUEST_GICD_BASE, second = v2 ? GUEST_GICC_BASE : GUEST_GICR_BASE;
	uint32_t nr = (GUEST_FIRST_SPI + vm->o->irqs + 31) / 32 * 32, i;
	int rc;

	if ((rc = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr)) ||
	    (rc = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR,
			  v2 ? KVM_VGIC_V2_ADDR_TYPE_DIST : KVM_VGIC_V3_ADDR_TYPE_DIST, &gicd)) ||
	    (rc = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR,
			  v2 ? KVM_VGIC_V2_ADDR_TYPE_CPU : KVM_VGIC_V3_ADDR_TYPE_REDIST,
			  &second)) ||
	    (rc = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL)))
		return rc;
	if (vm->o->stim == GUEST_LPI && (rc = make_its(vm)))
		return rc;
	for (i = 0; i < vm->o->irqs && (resample || vm->o->inject == GUEST_INJECT_IRQFD); i++) {
		struct kvm_irqfd fd = {.gsi = i};

		vm->eventfd[i] = eventfd(0, EFD_CLOEXEC);
		if (vm->eventfd[i] < 0)
			return fail(vm, errno, "eventfd %u: %s (raise ulimit -n)", i,
				    strerror(errno));
		fd.fd = (uint32_t)vm->eventfd[i];
		if (resample) {
			vm->resamplefd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			if (vm->resamplefd[i] < 0)
				return fail(vm, errno, "eventfd %u: %s (raise ulimit -n)", i,
					    strerror(errno));
			fd.flags = KVM_IRQFD_FLAG_RESAMPLE;
			fd.resamplefd = (uint32_t)vm->resamplefd[i];
		}
		if (ioctl(vm->vm, KVM_IRQFD, &fd))
			return fail(vm, errno, "KVM_IRQFD: %s", strerror(errno));
	}
	return 0;
}

static int dist_write(struct guest_vm *vm, uint32_t offset, uint32_t value)
{
	return gic_set(vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, offset, &value);
}

/* What a VMM does that receives a migrated guest: SPIs are active before the first instruction. */
static int restore_active(struct guest_vm *vm)
{
	const struct guest_shared *sh = vm->sh;
	uint32_t i, end = GUEST_FIRST_SPI + sh->nr_irqs, word;
	int rc = 0;

	for (i = GUEST_FIRST_SPI; i < end && !rc; i += 4) {
		memcpy(&word, &sh->prio[i], sizeof(word));
		rc = dist_write(vm, 0x400 + i, word);
	}
	for (i = GUEST_FIRST_SPI; i < end && !rc; i++)
		if (vm->gic_version == 3)
			rc = dist_write(vm, 0x6000 + 8 * i, sh->route[i]);
	for (i = GUEST_FIRST_SPI; i < end && !rc && vm->gic_version == 2; i += 4) {
		word = 1U << sh->route[i] | 0x100U << sh->route[i + 1] |
		       0x10000U << sh->route[i + 2] | 0x1000000U << sh->route[i + 3];
		rc = dist_write(vm, 0x800 + i, word);
	}
	for (i = GUEST_FIRST_SPI; i < end && !rc; i++)
		rc = dist_write(vm, 0x300 + i / 32 * 4, 1U << i % 32);
	return rc;
}

int guest_vm_init(struct guest_vm *vm, const struct guest_options *o)
{
	int i, rc;

	memset(vm, 0, sizeof(*vm));
	vm->o = o;
	vm->kvm = vm->vm = vm->gic = vm->its = -1;
	for (i = 0; i < GUEST_MAX_VCPUS; i++)
		vm->cpu[i].fd = -1;
	for (i = 0; i < GUEST_MAX_SPIS; i++)
		vm->eventfd[i] = vm->resamplefd[i] = -1;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->ended, NULL);
	pthread_mutex_init(&vm->inj.lock, NULL);
	pthread_cond_init(&vm->inj.more, NULL);
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(vm->cntfrq));
	if ((rc = open_kvm(vm)) || (rc = make_ram(vm)) || (rc = make_cpus(vm)) ||
	    (rc = set_up_gic(vm)) || (rc = set_clock(vm)))
		return rc;
	return o->stim == GUEST_RESTORE ? restore_active(vm) : 0;
}

static int line(struct guest_vm *vm, uint32_t intid, uint32_t level)
{
	struct kvm_irq_level irq = {.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid,
				    .level = level};

	return ioctl(vm->vm, KVM_IRQ_LINE, &irq) < 0 ? -errno : 0;
}

static int signal_msi(struct guest_vm *vm, uint32_t intid)
{
	const uint64_t doorbell = GUEST_GITS_BASE + 0x10040;
	struct kvm_msi msi = {.address_lo = (uint32_t)doorbell,
			      .address_hi = (uint32_t)(doorbell >> 32),
			      .data = intid - GUEST_FIRST_LPI,
			      .flags = KVM_MSI_VALID_DEVID,
			      .devid = GUEST_LPI_DEVICE};

	__atomic_store_n(&vm->sh->lpi_raised_at[intid - GUEST_FIRST_LPI],
			 host_counter() + (uint64_t)vm->cnt_offset, __ATOMIC_RELEASE);
	return ioctl(vm->vm, KVM_SIGNAL_MSI, &msi) < 0 ? -errno : 0;
}

static int raise_one(struct guest_vm *vm, uint32_t intid)
{
	uint64_t one = 1;

	__atomic_store_n(&vm->sh->raised_at[intid], host_counter() + (uint64_t)vm->cnt_offset,
			 __ATOMIC_RELEASE);
	if (vm->o->stim == GUEST_RESAMPLE)
		__atomic_store_n(&vm->sh->device_on[intid], 1, __ATOMIC_RELEASE);
	if (vm->eventfd[intid - GUEST_FIRST_SPI] >= 0)
		return write(vm->eventfd[intid - GUEST_FIRST_SPI], &one, 8) == 8 ? 0 : -errno;
	return line(vm, intid, 1);
}

/* The device's other half: KVM says that a line was lowered; a device not yet content raises it. */
static void *resampler(void *arg)
{
	struct guest_vm *vm = arg;
	struct pollfd fds[GUEST_MAX_SPIS];
	uint32_t i, intid, n = vm->o->irqs;
	uint64_t count, one = 1;

	for (i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = vm->resamplefd[i], .events = POLLIN};
	while (!__atomic_load_n(&vm->stop, __ATOMIC_ACQUIRE)) {
		if (poll(fds, n, 20) <= 0)
			continue;
		for (i = 0; i < n; i++) {
			if (!(fds[i].revents & POLLIN) ||
			    read(vm->resamplefd[i], &count, sizeof(count)) != sizeof(count))
				continue;
			intid = GUEST_FIRST_SPI + i;
			if (__atomic_load_n(&vm->sh->device_on[intid], __ATOMIC_ACQUIRE) &&
			    write(vm->eventfd[i], &one, sizeof(one)) != sizeof(one))
				continue;
			__atomic_fetch_add(&vm->sh->notified[intid], 1, __ATOMIC_RELEASE);
		}
	}
	return NULL;
}

static void *injector(void *arg)
{
	struct guest_vm *vm = arg;
	struct guest_injector *inj = &vm->inj;
	struct timespec pause = {vm->o->pace / 1000000, (long)(vm->o->pace % 1000000) * 1000};
	uint32_t intid;

	pthread_mutex_lock(&inj->lock);
	while (!inj->stop) {
		if (inj->head == inj->tail) {
			pthread_cond_wait(&inj->more, &inj->lock);
			continue;
		}
		intid = inj->queue[inj->tail++ % inj->size];
		pthread_mutex_unlock(&inj->lock);
		raise_one(vm, intid);
		if (vm->o->pace)
			nanosleep(&pause, NULL);
		pthread_mutex_lock(&inj->lock);
	}
	pthread_mutex_unlock(&inj->lock);
	return NULL;
}

static int raise_batch(struct guest_cpu *c, uint32_t n)
{
	struct guest_vm *vm = c->vm;
	struct guest_injector *inj = &vm->inj;
	const uint32_t *batch = vm->sh->vcpu[c->id].batch;
	uint32_t i, intid;
	int rc = 0;

	if (n > GUEST_NR_INTIDS)
		return -ERANGE;
	for (i = 0; i < n && !rc; i++) {
		intid = batch[i];
		if (intid >= GUEST_FIRST_LPI && intid < GUEST_FIRST_LPI + vm->o->irqs &&
		    vm->its >= 0) {
			rc = signal_msi(vm, intid);
			continue;
		}
		if (intid < GUEST_FIRST_SPI || intid >= GUEST_FIRST_SPI + vm->o->irqs)
			return -ERANGE;
		if (vm->o->inject == GUEST_INJECT_SYNC) {
			rc = raise_one(vm, intid);
			continue;
		}
		pthread_mutex_lock(&inj->lock);
		inj->queue[inj->head++ % inj->size] = intid;
		pthread_cond_signal(&inj->more);
		pthread_mutex_unlock(&inj->lock);
	}
	return rc;
}

/* Returns true when the vCPU has finished. */
static bool hypercall(struct guest_cpu *c)
{
	struct kvm_run *run = c->run;
	uint32_t value, reg;
	int rc = 0;

	memcpy(&value, run->mmio.data, sizeof(value));
	reg = (uint32_t)(run->mmio.phys_addr - GUEST_HC_BASE);
	if (!run->mmio.is_write || run->mmio.len != 4)
		reg = UINT32_MAX;
	switch (reg) {
	case GUEST_HC_RAISE_BATCH:
		rc = raise_batch(c, value);
		break;
	case GUEST_HC_LOWER:
		rc = line(c->vm, value, 0);
		break;
	case GUEST_HC_YIELD:
		sched_yield();
		break;
	case GUEST_HC_DONE:
		return true;
	default:
		snprintf(c->error, sizeof(c->error), "access to unknown address %#llx",
			 (unsigned long long)run->mmio.phys_addr);
		return true;
	}
	if (rc)
		snprintf(c->error, sizeof(c->error), "hypercall %#x (%u): %s", reg, value,
			 strerror(-rc));
	return rc != 0;
}

static void *run_cpu(void *arg)
{
	struct guest_cpu *c = arg;
	struct guest_vm *vm = c->vm;
	bool done = false;

	while (!done && !__atomic_load_n(&vm->stop, __ATOMIC_ACQUIRE)) {
		if (ioctl(c->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			snprintf(c->error, sizeof(c->error), "KVM_RUN: %s", strerror(errno));
			break;
		}
		if (c->run->exit_reason == KVM_EXIT_MMIO) {
			done = hypercall(c);
			continue;
		}
		snprintf(c->error, sizeof(c->error), "unexpected exit, reason %u",
			 c->run->exit_reason);
		done = true;
	}
	pthread_mutex_lock(&vm->lock);
	vm->nr_ended++;
	pthread_cond_signal(&vm->ended);
	pthread_mutex_unlock(&vm->lock);
	return NULL;
}

static void no_op(int sig)
{
	(void)sig;
}

static void kick_all(struct guest_vm *vm)
{
	const struct timespec ms = {0, 1000000};
	uint32_t i;

	__atomic_store_n(&vm->stop, true, __ATOMIC_RELEASE);
	/* The signal breaks a running guest; immediate_exit covers the instant before KVM_RUN. */
	for (;;) {
		for (i = 0; i < vm->o->vcpus; i++) {
			if (!vm->cpu[i].started)
				continue;
			vm->cpu[i].run->immediate_exit = 1;
			pthread_kill(vm->cpu[i].thread, SIGUSR1);
		}
		pthread_mutex_lock(&vm->lock);
		for (i = 0; i < vm->o->vcpus && vm->cpu[i].started; i++)
			;
		if (vm->nr_ended >= i) {
			pthread_mutex_unlock(&vm->lock);
			return;
		}
		pthread_mutex_unlock(&vm->lock);
		nanosleep(&ms, NULL);
	}
}

static bool any_error(struct guest_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->o->vcpus; i++)
		if (vm->cpu[i].error[0])
			return true;
	return false;
}

static uint64_t interrupts(const struct guest_vm *vm)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < vm->o->vcpus; i++)
		n += __atomic_load_n(&vm->sh->vcpu[i].irqs, __ATOMIC_RELAXED);
	return n;
}

/* A guest whose vCPU leaves at each entry before its first instruction cannot help itself. */
static void watch_storm(struct guest_vm *vm)
{
	struct guest_shared *sh = vm->sh;
	uint32_t beat = __atomic_load_n(&sh->beat, __ATOMIC_ACQUIRE), i;

	if (__atomic_load_n(&sh->storm, __ATOMIC_ACQUIRE) != 1 || beat != vm->last_beat) {
		vm->last_beat = beat;
		vm->still = 0;
		return;
	}
	if (++vm->still < 3)
		return;
	__atomic_store_n(&sh->storm, 2, __ATOMIC_RELEASE);
	__atomic_fetch_add(&sh->note[0], 1, __ATOMIC_RELAXED);
	for (i = GUEST_FIRST_SPI; i < GUEST_FIRST_SPI + sh->nr_irqs; i++)
		if (sh->is_group0[i])
			line(vm, i, 0);
}

/* Interrupts of guests' virtual timers that the host has taken so far, on all CPUs. */
static uint64_t host_timer_interrupts(void)
{
	FILE *f = fopen("/proc/interrupts", "re");
	uint64_t sum = 0, n;
	char *line = NULL, *at, *end;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (!strstr(line, "kvm guest vtimer"))
			continue;
		at = strchr(line, ':');
		/* The columns of the CPUs end at the name of the interrupt controller. */
		for (at = at ? at + 1 : line;; at = end) {
			n = strtoull(at, &end, 10);
			if (end == at)
				break;
			sum += n;
		}
	}
	free(line);
	if (f)
		fclose(f);
	return sum;
}

int guest_vm_run(struct guest_vm *vm)
{
	struct sigaction sa = {.sa_handler = no_op};
	uint64_t t0 = monotonic_ns(), now, progress = t0, last = 0, timer = host_timer_interrupts();
	struct timespec slice;
	int rc = 0, err = 0;
	uint32_t i;

	sigaction(SIGUSR1, &sa, NULL);
	read_clocks(vm, &vm->clock[0]);
	vm->inj.size = GUEST_NR_INTIDS * GUEST_MAX_VCPUS;
	vm->inj.queue = calloc(vm->inj.size, sizeof(*vm->inj.queue));
	if (!vm->inj.queue)
		return fail(vm, ENOMEM, "no memory for the queue of raises");
	if (vm->o->inject != GUEST_INJECT_SYNC) {
		err = pthread_create(&vm->inj.thread, NULL, injector, vm);
		vm->inj.started = !err;
	}
	if (vm->o->stim == GUEST_RESAMPLE) {
		err = pthread_create(&vm->resampler, NULL, resampler, vm);
		vm->resampling = !err;
	}
	for (i = 0; i < vm->o->vcpus && !err; i++) {
		err = pthread_create(&vm->cpu[i].thread, NULL, run_cpu, &vm->cpu[i]);
		vm->cpu[i].started = !err;
	}
	pthread_mutex_lock(&vm->lock);
	while (!err && vm->nr_ended < vm->o->vcpus && !any_error(vm)) {
		clock_gettime(CLOCK_REALTIME, &slice);
		slice.tv_nsec += 50000000;
		slice.tv_sec += slice.tv_nsec / 1000000000;
		slice.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&vm->ended, &vm->lock, &slice);
		now = monotonic_ns();
		watch_storm(vm);
		if (interrupts(vm) != last) {
			last = interrupts(vm);
			progress = now;
		}
		if (now - t0 < vm->o->timeout * 1000000000ULL || vm->nr_ended == vm->o->vcpus)
			continue;
		vm->timed_out = true;
		vm->progressing = now - progress < vm->o->patience * 1000000ULL;
		break;
	}
	pthread_mutex_unlock(&vm->lock);
	kick_all(vm);
	for (i = 0; i < vm->o->vcpus; i++)
		if (vm->cpu[i].started)
			pthread_join(vm->cpu[i].thread, NULL);
	if (vm->resampling)
		pthread_join(vm->resampler, NULL);
	if (vm->o->stim == GUEST_HWDIR)
		vm->sh->note[1] = host_timer_interrupts() - timer;
	vm->seconds = (double)(monotonic_ns() - t0) / 1e9;
	read_clocks(vm, &vm->clock[1]);
	if (vm->inj.started) {
		pthread_mutex_lock(&vm->inj.lock);
		vm->inj.stop = true;
		pthread_cond_signal(&vm->inj.more);
		pthread_mutex_unlock(&vm->inj.lock);
		pthread_join(vm->inj.thread, NULL);
	}
	if (err)
		return fail(vm, err, "cannot start a thread: %s", strerror(err));
	for (i = 0; i < vm->o->vcpus && !rc; i++)
		if (vm->cpu[i].error[0])
			rc = fail(vm, EIO, "vCPU %u: %s", i, vm->cpu[i].error);
	return rc;
}

static int gic_read(struct guest_vm *vm, uint32_t group, uint64_t attr, uint32_t *value)
{
	uint64_t v = 0;
	struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uint64_t)(uintptr_t)&v};

	if (ioctl(vm->gic, KVM_GET_DEVICE_ATTR, &a))
		return -errno;
	*value = (uint32_t)v;
	return 0;
}

int guest_vm_gicd_read(struct guest_vm *vm, uint32_t offset, uint32_t *value)
{
	return gic_read(vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, offset, value);
}

int guest_vm_gicr_read(struct guest_vm *vm, uint32_t vcpu, uint32_t offset, uint32_t *value)
{
	if (vm->gic_version == 2)
		return gic_read(vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
				(uint64_t)vcpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT | offset, value);
	return gic_read(vm, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
			(uint64_t)vcpu << KVM_DEV_ARM_VGIC_V3_MPIDR_SHIFT | (0x10000 + offset),
			value);
}

int guest_vm_lines(struct guest_vm *vm, uint32_t intid, uint32_t *value)
{
	/* A GICv2's ISPENDR holds the lines, also for userspace. */
	if (vm->gic_version == 2) {
		*value = 0;
		return 0;
	}
	return gic_read(vm, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
			VGIC_LEVEL_INFO_LINE_LEVEL << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT |
				(intid & ~31U),
			value);
}

void guest_vm_finish(struct guest_vm *vm)
{
	int i;

	for (i = 0; i < GUEST_MAX_VCPUS; i++) {
		if (vm->cpu[i].run)
			munmap(vm->cpu[i].run, vm->cpu[i].run_size);
		if (vm->cpu[i].fd >= 0)
			close(vm->cpu[i].fd);
	}
	for (i = 0; i < GUEST_MAX_SPIS; i++)
		if (vm->eventfd[i] >= 0)
			close(vm->eventfd[i]);
	for (i = 0; i < GUEST_MAX_SPIS; i++)
		if (vm->resamplefd[i] >= 0)
			close(vm->resamplefd[i]);
	if (vm->its >= 0)
		close(vm->its);
	if (vm->gic >= 0)
		close(vm->gic);
	if (vm->vm >= 0)
		close(vm->vm);
	if (vm->kvm >= 0)
		close(vm->kvm);
	if (vm->ram)
		munmap(vm->ram, vm->ram_size);
	free(vm->inj.queue);
}
