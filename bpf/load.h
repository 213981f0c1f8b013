/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading and attaching what the probes' table names, for all who do. */
#ifndef VGICSIM_BPF_LOAD_H
#define VGICSIM_BPF_LOAD_H

#include <bpf/libbpf.h>
#include <vgicsim/capture.h>

/* Fills err and gives code. */
int vgic_load_fail(struct vgic_capture_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * libbpf tells what went wrong only through its log: between these two its first warning is kept.
 * VGICSIM_BPF_LOG shows all of it.
 */
libbpf_print_fn_t vgic_load_listen(void);
const char *vgic_load_warning(void); /* "no reason given" if there was none */

/* The verifier's figures, if VGICSIM_BPF_LOG asks for them. */
void vgic_load_open_opts(struct bpf_object_open_opts *opts);

/*
 * Of the object's programs those are loaded that h's probes have chosen, but not that of the probe
 * named without (NULL: of all). needed: -ENOENT if the object has no program for one of them.
 */
int vgic_load_choose(struct bpf_object *obj, const struct vgic_host *h, const char *without,
		     bool needed);

/*
 * Attaches what was loaded; links holds VGIC_MAX_PROBES, by probe. An optional probe that cannot
 * be attached is marked as missing in h.
 */
int vgic_load_attach(struct bpf_object *obj, struct vgic_host *h, struct bpf_link **links,
		     struct vgic_capture_error *err);

/*
 * Runs of the object's programs that the kernel left out: a program does not run on a CPU where it
 * is under way already, for a thread that was put aside or in an interrupt. It only counts.
 */
uint64_t vgic_load_left_out(const struct bpf_object *obj);

/* Detaches; what has gone is NULL then. */
void vgic_load_detach(struct bpf_link **links);

#endif
