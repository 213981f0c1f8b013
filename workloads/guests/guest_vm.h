/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_GUEST_VM_H
#define GUESTS_GUEST_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest_abi.h"
#include "guest_options.h"

struct guest_vm;

struct guest_cpu {
	struct guest_vm *vm;
	uint32_t id;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	pthread_t thread;
	bool started;
	char error[160]; /* why the thread ended, if not because the guest had finished */
};

/* Raises that another thread makes for the vCPUs (--inject thread, irqfd). */
struct guest_injector {
	pthread_t thread;
	bool started;
	bool stop;
	pthread_mutex_t lock;
	pthread_cond_t more;
	uint32_t *queue; /* ring of INTIDs */
	uint32_t head, tail, size;
};

/* Both clocks at one moment. */
struct guest_clock {
	uint64_t counter; /* the guest's */
	uint64_t ns;	  /* CLOCK_MONOTONIC */
	uint64_t error;	  /* ticks by which the counter may be off */
};

struct guest_vm {
	const struct guest_options *o;
	int kvm, vm, gic, its; /* its: -1 without */
	uint32_t gic_version;  /* 2 or 3 */
	void *ram;
	size_t ram_size;
	struct guest_shared *sh;
	struct guest_cpu cpu[GUEST_MAX_VCPUS];
	struct guest_injector inj;
	int eventfd[GUEST_MAX_SPIS];	/* for --inject irqfd and resample, else -1 */
	int resamplefd[GUEST_MAX_SPIS]; /* for resample, else -1 */
	pthread_t resampler;
	bool resampling;
	uint64_t cntfrq;
	int64_t cnt_offset;	   /* guest's counter = host's CNTVCT + this */
	uint64_t cnt_offset_error; /* ticks */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	uint32_t nr_ended;
	uint32_t last_beat, still; /* watch on guest_shared.storm */
	bool stop;
	bool timed_out;
	bool progressing; /* timed out, but interrupts were still being taken */
	double seconds;
	struct guest_clock clock[2]; /* before and after the run */
	char error[200];	     /* the line for the user after a negative return */
};

/*
 * Set up a VM for @o. Returns 0; negative errno with vm->error saying what is missing and what
 * to do. guest_vm_finish() must follow in either case.
 */
int guest_vm_init(struct guest_vm *vm, const struct guest_options *o);

/* Run until all vCPUs have finished or the time is over (vm->timed_out). Returns as init does. */
int guest_vm_run(struct guest_vm *vm);

/*
 * 32 bits of a distributor register (@vcpu ignored) or, for @offset < 0x400 of words of private
 * INTIDs, of a redistributor's SGI frame (GICv2: of the banked ones). To be used when no vCPU runs.
 */
int guest_vm_gicd_read(struct guest_vm *vm, uint32_t offset, uint32_t *value);
int guest_vm_gicr_read(struct guest_vm *vm, uint32_t vcpu, uint32_t offset, uint32_t *value);

/* Levels of the 32 SPI lines around @intid: userspace's ISPENDR does not hold them. */
int guest_vm_lines(struct guest_vm *vm, uint32_t intid, uint32_t *value);

void guest_vm_finish(struct guest_vm *vm);

#endif
