/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capture on a live arm64 KVM host: what the host offers, and the recorder itself.
 * Built only where libbpf and a BPF compiler are; every function returns 0 or a
 * negative errno unless it says otherwise.
 */
#ifndef VGICSIM_CAPTURE_H
#define VGICSIM_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/recording.h>

/* One line, without a full stop: "what: where: what to do". */
struct vgic_capture_error {
	char text[400];
};

/* ---- what the host offers ---- */

enum vgic_probe_state {
	VGIC_PROBE_OK = 0,
	VGIC_PROBE_ABSENT = 1,	/* this kernel needs none, as it is or as it runs */
	VGIC_PROBE_MISSING = 2, /* it should be there, but nothing can be attached to */
};

struct vgic_host_probe {
	const char *name;     /* "flush-begin" ... */
	const char *function; /* kernel function or tracepoint that was chosen or looked for */
	const char *method;   /* "fentry" ...; "none" */
	const char *use;      /* what it is for, a few words */
	enum vgic_probe_state state;
	bool essential;
};

#define VGIC_MAX_PROBES 32

enum vgic_kvm_mode {
	VGIC_KVM_UNKNOWN = 0,
	VGIC_KVM_VHE,
	VGIC_KVM_NVHE,
	VGIC_KVM_PROTECTED,
};

struct vgic_host {
	char release[128], version[128], machine[72];
	char build_id[48];
	char cpu_part[32];
	char hostname_hash[20];
	uint64_t midr; /* 0: not readable */
	uint32_t nr_cpus;
	bool arm64;
	bool have_kvm_device;  /* /dev/kvm exists */
	bool have_btf;	       /* /sys/kernel/btf/vmlinux */
	bool have_kvm;	       /* the kernel has KVM's vgic (by BTF) */
	bool have_addresses;   /* /proc/kallsyms shows addresses to us */
	bool have_trampolines; /* fentry and fexit can attach */
	bool cap_bpf, cap_perfmon, cap_syslog;
	bool looked; /* the kernel's variables could be read: the fields below hold */
	char why_not_looked[200];
	enum vgic_kvm_mode mode;
	bool nested_mode; /* kvm-arm.mode=nested */
	uint8_t gic;	  /* 2, 3 or 5; 0 unknown */
	int nr_lr;
	uint32_t vtr;
	uint8_t pri_bits, pre_bits, id_bits;
	enum vgr_known tdir;   /* DIR can be trapped alone */
	enum vgr_known traps;  /* static traps in force */
	uint32_t static_traps; /* bits of ICH_HCR_EL2, valid if traps is known */
	enum vgr_known emulated;
	bool no_hw_deactivation;
	bool words_tell_all; /* what changes of an interrupt stands together, bpf/words.bpf.h */
	bool has_last_lr, has_on_lr, has_mapped, has_active_spis;
	bool begins_at_fold;		    /* syncs are watched from their fold on */
	uint32_t irq_size, cpuif_size;	    /* bytes of the kernel's vgic_irq and vgic_v3_cpu_if */
	bool boundary;			    /* last_lr_irq can be read */
	uint64_t hyp_percpu, hyp_host_data; /* kernel addresses, see bpf/shared.h */
	struct vgic_host_probe probes[VGIC_MAX_PROBES];
	size_t nr_probes;
};

/* How to get to a function. */
enum vgic_attach {
	VGIC_ATTACH_AUTO = 0,
	VGIC_ATTACH_FENTRY, /* trampolines only */
	VGIC_ATTACH_KPROBE, /* breakpoints only, slower */
};

/* Finds everything out that it may; what it may not stays unknown. Never fails. */
void vgic_host_look(struct vgic_host *h, enum vgic_attach attach);

/* 0, or -errno with one line that says why record would not work here and what to do. */
int vgic_host_usable(const struct vgic_host *h, struct vgic_capture_error *err);

/* The same for a capture by tracefs. -ENOSYS: this program was built without. */
int vgic_host_usable_tracefs(const struct vgic_host *h, struct vgic_capture_error *err);

/*
 * Fills the host's part of a recording's header. probes gives room for
 * VGIC_MAX_PROBES entries, which the header then borrows.
 */
void vgic_host_describe(const struct vgic_host *h, struct vgr_header *header,
			struct vgr_probe *probes);

/* ---- the recorder ---- */

struct vgic_capture_opts {
	uint32_t tgid;	    /* record the VMs of this process only; 0: all */
	uint32_t root_tgid; /* of this process and its descendants only; 0: all */
	/* Power of two, 64 KiB to 1 GiB: of all CPUs' rings, each of which has 64 KiB to 256 MiB.
	 */
	uint64_t ring_bytes;
	bool tracefs;		 /* by dynamic events, without BPF programs */
	unsigned int entries;	 /* of each list that these events hold; 0: as many as they can */
	enum vgic_attach attach; /* of these events; the others' stands in the vgic_host */
};

/* Bytes for opts.ring_bytes where nobody says: 64 MiB, or 4 MiB a CPU if that is more. */
uint64_t vgic_capture_default_ring(void);

/* Takes one record; a negative errno ends the consuming. */
typedef int vgic_capture_sink(void *ctx, const struct vgr_rec *rec);

struct vgic_capture;

/*
 * Loads and attaches: records are taken from here on. An optional probe that cannot be
 * attached is marked as missing in h.
 */
int vgic_capture_create(struct vgic_capture **c, struct vgic_host *h,
			const struct vgic_capture_opts *opts, struct vgic_capture_error *err);

/*
 * As vgic_host_describe(), with what is known of the capture. Without BPF the number of list
 * registers (nr_lr) and what else a header has of the vgic may be known only with the first
 * record: then nr_lr is 0.
 */
void vgic_capture_describe(const struct vgic_capture *c, const struct vgic_host *h,
			   struct vgr_header *header, struct vgr_probe *probes);

/*
 * Hands what has arrived to sink, in the order of time, losses as VGR_LOSS among them; what is
 * younger than a few milliseconds comes with the next call. Returns the number of bytes taken from
 * the ring from which most was taken (to tell how soon to call again) or what sink returned.
 */
int64_t vgic_capture_consume(struct vgic_capture *c, vgic_capture_sink *sink, void *ctx);

/* Bytes of the ring of one CPU. */
uint64_t vgic_capture_ring(const struct vgic_capture *c);

/* Detaches, hands over the rest, and the losses after the last record of each CPU. */
int vgic_capture_stop(struct vgic_capture *c, vgic_capture_sink *sink, void *ctx);

struct vgic_capture_cpu {
	uint64_t handled; /* reached the ring */
	uint64_t lost;	  /* found no room */
};

/* Counters of a CPU by its number; all zero beyond the last. */
void vgic_capture_cpu_counters(const struct vgic_capture *c, uint32_t cpu,
			       struct vgic_capture_cpu *counters);
uint32_t vgic_capture_nr_cpus(const struct vgic_capture *c);

/* vCPUs that were not recorded because a table was full; 0 in any sane use. */
uint64_t vgic_capture_untracked(const struct vgic_capture *c);

/*
 * After vgic_capture_stop(): events that no program saw, because it was under way on that CPU
 * for another thread. They have no number, so that no loss is recorded.
 */
uint64_t vgic_capture_missed(const struct vgic_capture *c);

/* 0, or -EBUSY: events or an instance were left in tracefs. NULL is fine. */
int vgic_capture_destroy(struct vgic_capture *c);

#endif
