/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes of the capture and the ways to attach each. */
#ifndef VGICSIM_BPF_PROBES_H
#define VGICSIM_BPF_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <vgicsim/capture.h>

enum probe_way {
	WAY_FENTRY = 1, /* needs a BTF FUNC and trampolines */
	WAY_FEXIT,
	WAY_TP_BTF, /* needs the tracepoint's type in the BTF */
	WAY_KPROBE, /* needs the symbol */
	WAY_KRETPROBE,
};

#define PROBE_CANDIDATES 6

struct probe_candidate {
	enum probe_way way; /* 0: end */
	const char *function;
	const char *program; /* in bpf/capture.bpf.c */
	uint8_t gic;	     /* only for hosts with this GIC; 0: for all */
};

struct probe {
	const char *name;
	const char *use;
	bool essential;
	bool newer;  /* legacy kernels have no such function, and need none */
	bool nested; /* of use only where KVM runs with nested virtualization */
	struct probe_candidate candidates[PROBE_CANDIDATES]; /* best first */
};

extern const struct probe vgic_probes[];
extern const size_t vgic_nr_probes;

const char *vgic_probe_way_name(enum probe_way way);

/*
 * For each candidate of each probe: is it there? by_btf: BTF FUNC or tracepoint type,
 * by_name: kernel symbol. Index: probe * PROBE_CANDIDATES + candidate.
 */
struct probe_availability {
	bool by_btf[VGIC_MAX_PROBES * PROBE_CANDIDATES];
	bool by_name[VGIC_MAX_PROBES * PROBE_CANDIDATES];
};

/* Index of the first candidate of probe p that a host with this GIC can need, or -1. */
int vgic_probe_first(size_t p, unsigned int gic);

/* Index of the best candidate of probe p that is there, or -1. gic: of the host, 2 or 3. */
int vgic_probe_choose(size_t p, const struct probe_availability *a, bool trampolines,
		      enum vgic_attach attach, unsigned int gic);

/* Fills by_btf; 0 or a negative errno (no BTF). have_kvm: the kernel knows struct vgic_irq. */
int vgic_probes_in_btf(struct probe_availability *a, bool *have_kvm);

#endif
