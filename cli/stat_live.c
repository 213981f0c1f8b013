// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <vgicsim/capture.h>
#include "exit.h"
#include "output.h"
#include "stat_live.h"

const char *const stat_attach_names[] = {"auto", "fentry", "kprobe", NULL};

#ifdef VGICSIM_BPF

int stat_live_open(struct stat_live *l, const struct stat_live_opts *opts,
		   const struct cli_args *args, const char *purpose)
{
	struct vgic_stat_opts o = {.tgid = (uint32_t)opts->pid, .vcpus = (uint32_t)opts->vcpus};
	struct vgic_capture_error err;
	struct vgic_host host;
	int ret;

	memset(l, 0, sizeof(*l));
	observed_init(&l->observed, args, opts->pid);
	vgic_host_look(&host, !strcmp(opts->attach, "fentry")	? VGIC_ATTACH_FENTRY
			      : !strcmp(opts->attach, "kprobe") ? VGIC_ATTACH_KPROBE
								: VGIC_ATTACH_AUTO);
	if (vgic_host_usable(&host, &err))
		return cli_fail(EXIT_HOST, "%s", err.text);
	ret = observed_prepare(&l->observed);
	if (ret)
		return ret;
	if (args->n_command && !opts->all)
		o.root_tgid = (uint32_t)l->observed.child;
	ret = vgic_stat_create(&l->stat, &host, &o, &err);
	if (ret)
		return cli_fail(ret == -ENOMEM ? EXIT_SOFTWARE : EXIT_HOST, "%s", err.text);
	observed_drop_capabilities();
	return observed_start(&l->observed, purpose);
}

int stat_live_read(struct stat_live *l, struct stat_set *set)
{
	int ret = vgic_stat_read(l->stat, stat_set_take, set);

	vgic_stat_missed(l->stat, &set->missed);
	if (ret)
		return cli_fail(EXIT_SOFTWARE, "reading the counters: %s", strerror(-ret));
	return EXIT_OK;
}

int stat_live_stop(struct stat_live *l, struct stat_set *set)
{
	vgic_stat_stop(l->stat);
	return stat_live_read(l, set);
}

void stat_live_close(struct stat_live *l)
{
	observed_end(&l->observed);
	vgic_stat_destroy(l->stat);
	observed_finish(&l->observed);
}

#else

int stat_live_open(struct stat_live *l, const struct stat_live_opts *opts,
		   const struct cli_args *args, const char *purpose)
{
	memset(l, 0, sizeof(*l));
	observed_init(&l->observed, args, opts->pid);
	return cli_fail(EXIT_HOST,
			"this vgicsim was built without BPF: it can %s what was "
			"recorded only: see the man page",
			purpose);
}

int stat_live_read(struct stat_live *l, struct stat_set *set)
{
	return EXIT_OK;
}

int stat_live_stop(struct stat_live *l, struct stat_set *set)
{
	return EXIT_OK;
}

void stat_live_close(struct stat_live *l)
{
	observed_finish(&l->observed);
}

#endif

int stat_live_missed(const struct stat_set *set)
{
	const struct vgic_stat_missed *m = &set->missed;

	if (m->lists)
		cli_warn("%" PRIu64
			 " lists were too long to be followed, or changed under way: what "
			 "they left outside is a lower bound",
			 m->lists);
	if (m->raises)
		cli_warn("%" PRIu64 " LPIs found no room and count from a later flush", m->raises);
	if (m->runs)
		cli_warn("%" PRIu64
			 " runs of a BPF program were left out by the kernel: inside a run "
			 "of the same one",
			 m->runs);
	if (m->vcpus)
		return cli_fail(EXIT_FINDING,
				"%" PRIu64 " events of vCPUs that found no room were not counted: "
				"enlarge --vcpus",
				m->vcpus);
	return EXIT_OK;
}
