// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "load.h"
#include "probes.h"

static char last_warning[200];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[sizeof(last_warning)];

	if (getenv("VGICSIM_BPF_LOG"))
		vfprintf(stderr, format, args);
	else if (level == LIBBPF_WARN && !last_warning[0]) {
		vsnprintf(line, sizeof(line), format, args);
		line[strcspn(line, "\n")] = '\0';
		snprintf(last_warning, sizeof(last_warning), "%s",
			 strncmp(line, "libbpf: ", 8) ? line : line + 8);
	}
	return 0;
}

libbpf_print_fn_t vgic_load_listen(void)
{
	last_warning[0] = '\0';
	return libbpf_set_print(keep_warning);
}

const char *vgic_load_warning(void)
{
	return last_warning[0] ? last_warning : "no reason given";
}

int vgic_load_fail(struct vgic_capture_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

void vgic_load_open_opts(struct bpf_object_open_opts *opts)
{
	if (getenv("VGICSIM_BPF_LOG"))
		opts->kernel_log_level = 4;
}

/* The program of the chosen candidate of each probe; the others are not loaded. */
static const char *program_of(const struct vgic_host *h, size_t p)
{
	const struct probe_candidate *c = vgic_probes[p].candidates;
	int i;

	if (h->probes[p].state != VGIC_PROBE_OK)
		return NULL;
	for (i = 0; i < PROBE_CANDIDATES && c[i].way; i++) {
		if (!strcmp(c[i].function, h->probes[p].function) &&
		    !strcmp(vgic_probe_way_name(c[i].way), h->probes[p].method))
			return c[i].program;
	}
	return NULL;
}

int vgic_load_choose(struct bpf_object *obj, const struct vgic_host *h, const char *without,
		     bool needed)
{
	struct bpf_program *prog;
	size_t p;

	bpf_object__for_each_program(prog, obj) bpf_program__set_autoload(prog, false);
	for (p = 0; p < h->nr_probes; p++) {
		const char *name = program_of(h, p);

		if (!name || (without && !strcmp(h->probes[p].name, without)))
			continue;
		prog = bpf_object__find_program_by_name(obj, name);
		if (prog)
			bpf_program__set_autoload(prog, true);
		else if (needed)
			return -ENOENT;
	}
	return 0;
}

int vgic_load_attach(struct bpf_object *obj, struct vgic_host *h, struct bpf_link **links,
		     struct vgic_capture_error *err)
{
	size_t p;

	for (p = 0; p < h->nr_probes; p++) {
		const char *name = program_of(h, p);
		struct bpf_program *prog;
		int ret;

		prog = name ? bpf_object__find_program_by_name(obj, name) : NULL;
		if (!prog || !bpf_program__autoload(prog))
			continue;
		last_warning[0] = '\0';
		links[p] = bpf_program__attach(prog);
		if (links[p])
			continue;
		ret = -errno;
		if (h->probes[p].essential)
			return vgic_load_fail(err, ret,
					      "probe %s (%s %s) cannot be attached: %s: see "
					      "'vgicsim doctor'",
					      h->probes[p].name, h->probes[p].method,
					      h->probes[p].function, strerror(-ret));
		h->probes[p].state = VGIC_PROBE_MISSING;
		h->probes[p].method = "none";
	}
	return 0;
}

/* Programs that were not loaded have no descriptor. */
uint64_t vgic_load_left_out(const struct bpf_object *obj)
{
	struct bpf_program *prog;
	uint64_t sum = 0;

	bpf_object__for_each_program(prog, obj)
	{
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
			sum += info.recursion_misses;
	}
	return sum;
}

void vgic_load_detach(struct bpf_link **links)
{
	size_t p;

	for (p = 0; p < VGIC_MAX_PROBES; p++) {
		bpf_link__destroy(links[p]);
		links[p] = NULL;
	}
}
