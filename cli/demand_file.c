// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/vgic.h>
#include "demand_file.h"
#include "exit.h"
#include "output.h"
#include "store.h"

int demand_find_window(struct demand_window *w, const char *path, struct vgr_reader *r, uint16_t vm)
{
	struct vgic_busy *b;
	const struct vgr_rec *rec;
	int ret = vgic_busy_create(&b, DEMAND_WINDOW_NS, vm);

	if (ret)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	while ((ret = vgr_reader_next(r, &rec)) > 0) {
		if (vgic_busy_record(b, rec)) {
			ret = -ENOMEM;
			break;
		}
	}
	w->found = !ret && vgic_busy_window(b, &w->vcpu, &w->t0, &w->t1);
	vgic_busy_destroy(b);
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	if (ret < 0)
		return cli_fail_recording(path, vgr_reader_error(r));
	return EXIT_OK;
}

struct demand_window demand_file_window(const struct vgw *w)
{
	return (struct demand_window){w->has_window, w->window_vcpu, w->window_t0, w->window_t1};
}

struct vgw *demand_open(const char *path)
{
	struct vgr_error err;
	struct vgw *w;

	if (vgw_read(&w, path, cli_store(), &err)) {
		cli_fail_recording(path, &err);
		return NULL;
	}
	return w;
}

int demand_take(struct demand *d, struct vgw *w)
{
	memset(d, 0, sizeof(*d));
	d->workload = vgic_workload_create(0);
	if (!d->workload)
		return -ENOMEM;
	free(d->workload->vcpus);
	*d->workload = w->workload;
	memset(&w->workload, 0, sizeof(w->workload));
	d->recorded = w->recorded;
	memset(&w->recorded, 0, sizeof(w->recorded));
	d->derived = w->derived;
	d->pairs = w->pairs;
	return 0;
}

/* ---- what is in it ---- */

static const char *const exit_names[VGIC_EXIT_KINDS] = {"mi",	"dir",	     "sgi",  "wfi",
							"mmio", "other_irq", "other"};

struct counts {
	uint64_t sgis, ppis, spis, lpis;
	uint64_t whole;		     /* instances whose end was seen */
	uint64_t instances, ignored; /* acknowledged, and known but never acknowledged */
	uint64_t exits, exit[VGIC_EXIT_KINDS];
	uint64_t lines, latches, sent; /* raises */
};

static void count(struct counts *c, const struct vgic_workload *wl)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < wl->nr_sources; i++) {
		uint32_t intid = wl->sources[i].initial.intid;

		c->sgis += intid < VGIC_NR_SGIS;
		c->ppis += intid >= VGIC_NR_SGIS && intid < VGIC_NR_PRIVATE;
		c->spis += intid >= VGIC_NR_PRIVATE && intid < VGIC_LPI_BASE;
		c->lpis += intid >= VGIC_LPI_BASE;
		c->ignored += wl->sources[i].first_script == VGIC_WL_NONE;
	}
	for (size_t i = 0; i < wl->nr_scripts; i++) {
		vgic_store_pace(wl->store, i);
		c->instances += wl->scripts[i].source != VGIC_WL_NONE;
		c->whole += wl->scripts[i].source != VGIC_WL_NONE && wl->scripts[i].whole;
	}
	for (size_t i = 0; i < wl->nr_ops; i++) {
		vgic_store_pace(wl->store, i);
		if (wl->ops[i].kind != VGIC_OP_EXIT)
			continue;
		c->exits++;
		c->exit[wl->ops[i].exit]++;
	}
	for (size_t i = 0; i < wl->nr_effects; i++) {
		const struct vgic_effect *e = &wl->effects[i];

		vgic_store_pace(wl->store, i);
		c->lines += e->kind == VGIC_EFFECT_LINE && e->level;
		c->latches += e->kind == VGIC_EFFECT_LATCH;
		c->sent += e->kind == VGIC_EFFECT_SGI;
	}
}

static const char *ending_name(enum vgr_ending e)
{
	return e == VGR_END_WHOLE ? "whole" : e == VGR_END_UNFINISHED ? "unfinished" : "cut";
}

static const char *known(const char *s)
{
	return *s ? s : "unknown";
}

void demand_print(const char *path, const struct vgw *w)
{
	const struct vgic_workload *wl = &w->workload;
	struct counts c;
	const char *comma = "";
	char duration[24];

	count(&c, wl);
	printf("%s: the demand of a guest on kernel %s, %u list registers\n", path,
	       known(w->header.kernel_release), w->header.nr_lr);
	printf("  guest       %s\n", known(w->header.guest_command));
	printf("  recording   %016" PRIx64 ", %s, VM %u, %" PRIu64 " flush/sync pairs, %s\n",
	       w->recording, ending_name(w->ending), w->vm, w->pairs,
	       cli_format_ns(duration, sizeof(duration), wl->duration_ns));
	printf("  derived     by %s, estimator %s, policy %s\n", known(w->tool),
	       known(w->estimator), known(w->policy));
	printf("  vCPUs       %" PRIu32 ", on %" PRIu32 " CPU%s of the host\n", wl->nr_vcpus,
	       wl->host_cpus, wl->host_cpus == 1 ? "" : "s");
	printf("  interrupts  %zu: %" PRIu64 " SGIs, %" PRIu64 " PPIs, %" PRIu64 " SPIs, %" PRIu64
	       " LPIs; %" PRIu64 " never acknowledged\n",
	       wl->nr_sources, c.sgis, c.ppis, c.spis, c.lpis, c.ignored);
	printf("  raises      %" PRIu64 " lines, %" PRIu64 " latches and MSIs, %" PRIu64
	       " SGI writes\n",
	       c.lines, c.latches, c.sent);
	printf("  instances   %" PRIu64 " acknowledged, of %" PRIu64 " the end was seen\n",
	       c.instances, c.whole);
	printf("  exits kept  %" PRIu64, c.exits);
	if (w->has_recorded)
		printf(" of %" PRIu64, w->recorded.exits);
	printf(", the others came from list registers");
	for (int i = 0; i < VGIC_EXIT_KINDS; i++) {
		if (!c.exit[i])
			continue;
		printf("%s%s %" PRIu64, *comma ? comma : ": ", exit_names[i], c.exit[i]);
		comma = ", ";
	}
	printf("\n  not fitting %" PRIu64 " acknowledges forced, %" PRIu64
	       " priority drops put in, %" PRIu64 " lists cut, %" PRIu64
	       " records lost, in %" PRIu64 " runs\n",
	       w->derived.forced, w->derived.unseen, w->derived.cut, w->derived.lost,
	       w->derived.runs);
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v));
}

static json_t *text(const char *s)
{
	return *s ? json_string(s) : json_null();
}

json_t *demand_json(const char *path, const struct vgw *w)
{
	const struct vgic_workload *wl = &w->workload;
	json_t *o = json_object(), *exits = json_object();
	char identity[24], recording[24];
	struct counts c;

	count(&c, wl);
	snprintf(identity, sizeof(identity), "%016" PRIx64, w->identity);
	snprintf(recording, sizeof(recording), "%016" PRIx64, w->recording);
	for (int i = 0; i < VGIC_EXIT_KINDS; i++)
		json_object_set_new(exits, exit_names[i], number(c.exit[i]));
	json_object_set_new(o, "file", json_string(path));
	json_object_set_new(o, "identity", json_string(identity));
	json_object_set_new(o, "recording",
			    json_pack("{s:s, s:s, s:o, s:o, s:o, s:i, s:i, s:o, s:o}", "identity",
				      recording, "ending", ending_name(w->ending), "kernel",
				      text(w->header.kernel_release), "cpu",
				      text(w->header.cpu_part), "guest",
				      text(w->header.guest_command), "nr_lr", (int)w->header.nr_lr,
				      "vm", (int)w->vm, "pairs", number(w->pairs), "duration_ns",
				      number(wl->duration_ns)));
	json_object_set_new(o, "derivation",
			    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tool",
				      text(w->tool), "estimator", text(w->estimator), "policy",
				      text(w->policy), "runs", number(w->derived.runs), "forced",
				      number(w->derived.forced), "unseen",
				      number(w->derived.unseen), "cut", number(w->derived.cut),
				      "lost", number(w->derived.lost)));
	json_object_set_new(o, "vcpus", number(wl->nr_vcpus));
	json_object_set_new(o, "host_cpus", number(wl->host_cpus));
	json_object_set_new(o, "interrupts",
			    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "total",
				      number(wl->nr_sources), "sgi", number(c.sgis), "ppi",
				      number(c.ppis), "spi", number(c.spis), "lpi", number(c.lpis),
				      "never_acknowledged", number(c.ignored)));
	json_object_set_new(o, "raises",
			    json_pack("{s:o, s:o, s:o}", "lines", number(c.lines), "latches",
				      number(c.latches), "sgi_writes", number(c.sent)));
	json_object_set_new(o, "instances",
			    json_pack("{s:o, s:o}", "total", number(c.instances), "whole",
				      number(c.whole)));
	json_object_set_new(o, "exits",
			    json_pack("{s:o, s:o, s:o}", "kept", number(c.exits), "kept_by_kind",
				      exits, "recorded",
				      w->has_recorded ? number(w->recorded.exits) : json_null()));
	json_object_set_new(o, "operations", number(wl->nr_ops));
	json_object_set_new(o, "effects", number(wl->nr_effects));
	return o;
}

/* ---- check and info ---- */

/* What a file may have wrong, in contrast to a file that cannot be looked at. */
static bool is_finding(int code)
{
	return code == VGR_EDAMAGED || code == VGR_EFORGED || code == VGR_ESHORT;
}

int demand_check_file(const char *path, bool json, bool quiet)
{
	struct vgr_error err = {0};
	struct vgw *w;
	int ret = vgw_read(&w, path, cli_store(), &err);
	char identity[24];

	if (ret && !is_finding(ret))
		return cli_fail_recording(path, &err);
	snprintf(identity, sizeof(identity), "%016" PRIx64, ret ? 0 : w->identity);
	if (json && !quiet)
		cli_print_json(stdout,
			       json_pack("{s:s, s:s, s:b, s:s?, s:I, s:s?}", "file", path, "kind",
					 "workload", "ok", !ret, "identity", ret ? NULL : identity,
					 "offset", (json_int_t)err.offset, "what",
					 ret ? err.what : NULL),
			       false);
	else if (ret && !quiet)
		printf("workload: byte %" PRIu64 ": %s\n%s: unusable\n", err.offset, err.what,
		       path);
	else if (!quiet)
		printf("%s: whole, a workload of %" PRIu32 " frames, %zu operations, %zu effects: "
		       "nothing wrong\n",
		       path, w->frames, w->workload.nr_ops, w->workload.nr_effects);
	if (!ret)
		vgw_free(w);
	return cli_finish_stdout() ? EXIT_OUTPUT : ret ? EXIT_FINDING : EXIT_OK;
}

int demand_info_file(const char *path, bool json)
{
	struct vgw *w = demand_open(path);

	if (!w)
		return EXIT_INPUT;
	if (json)
		cli_print_json(stdout, demand_json(path, w), false);
	else
		demand_print(path, w);
	vgw_free(w);
	return cli_finish_stdout();
}
