/* SPDX-License-Identifier: GPL-2.0-only */
/* Small recordings that keep every rule, for tests to read, cut and break. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include <vgicsim/recording.h>

#define SAMPLE_CPUS 4

struct sample {
	struct vgr_writer *w;
	int error; /* first one */
	uint64_t time;
	uint32_t seq[SAMPLE_CPUS];
	unsigned int nr_lr;
};

/* A host with 4 list registers. */
void sample_header(struct vgr_header *h);

void sample_init(struct sample *s, struct vgr_writer *w);

/* Fills type, size, time, seq, cpu, vm 0 and vcpu; time moves on by 1 us. */
void sample_head(struct sample *s, struct vgr_rec *rec, uint16_t type, uint32_t size,
		 unsigned int cpu, unsigned int vcpu);
void sample_put(struct sample *s, const struct vgr_rec *rec);

void sample_vcpu(struct sample *s, unsigned int cpu, unsigned int vcpu);
void sample_inject(struct sample *s, unsigned int cpu, uint32_t intid, unsigned int level);
void sample_loss(struct sample *s, unsigned int cpu, uint32_t count);

/*
 * One run of the guest: flush, entry, sync, exit. SPIs 32 to 31 + n are on the list,
 * pending; the first min(n, nr_lr) go to list registers, the first is handled.
 */
void sample_run(struct sample *s, unsigned int cpu, unsigned int vcpu, unsigned int n);

/* Two vCPUs on CPUs 0 and 1, injections on CPU 2, runs of 0 to 6 interrupts in turn. */
void sample_write_runs(struct sample *s, unsigned int runs);

/* The same as a finished file. 0 or a negative errno. */
int sample_file(const char *path, unsigned int runs, const struct vgr_writer_opts *opts);

/*
 * What kernel 6.12 does to a guest that acknowledges eight SPIs before it finishes one
 * (EOImode 1): 32 to 35 stay active in the four list registers, and 36 to 39 wait until
 * the end. 40 runs on vCPU 0, the last three seconds of them without change; vCPU 1 runs
 * and starves nothing.
 */
int sample_starving_file(const char *path);

/*
 * A host with a GICv2, the distributor at 0x8000000. vCPU 1 sends SGI 5 to vCPU 0, which
 * takes it while the one of vCPU 2 still waits, deactivates it, and then ends SPI 40,
 * whose list register asks for a maintenance interrupt: one of the source EOI.
 */
int sample_gicv2_file(const char *path);

/*
 * Every text in it would do harm to whoever takes it for HTML, for gnuplot's or a shell's; five
 * records are lost at its end. lists: with flushes and syncs, and a second VM that does nothing;
 * else the essential probe is missing that they come from, and there are exits only.
 */
int sample_hostile_file(const char *path, bool lists);

/*
 * An empty file of a new name, in memory if the machine can: the writer syncs what it
 * finishes, and a test should not wait for somebody else's disk. size: of path.
 */
int sample_temp(char *path, size_t size);

/* A whole file in memory, to be freed; NULL if it cannot be read. */
unsigned char *sample_load(const char *path, size_t *size);

#endif
