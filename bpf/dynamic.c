// SPDX-License-Identifier: GPL-2.0-only
/* The dynamic events of this host's kernel: places and fetch arguments. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include <vgicsim/dynamic.h>
#include "refuse.h"
#include "symbols.h"

#define DEFAULT_ENTRIES VGR_EVENT_ENTRIES
/* The kernel refuses longer lines. */
#define LINE_MAX_BYTES	4000

enum builder {
	B_NONE,
	B_FLUSH_BEGIN,
	B_FLUSH_END,
	B_SYNC_BEGIN,
	B_SYNC_FOLD,
	B_FOLDED,
	B_SYNC_END,
	B_LOAD,
	B_VCPU,
	B_INJECT,
	B_SGI,
	B_MSI,
	B_MSI_ATOMIC,
	B_DIR,
	B_LEVEL,
	B_ACKED,
	B_VM,
};

/* Candidates of an event stand one behind the other, best first. */
static const struct place {
	enum vgr_event event;
	const char *function;
	bool at_return;
	uint8_t gic; /* 0: any */
	bool optional;
	enum builder builder;
} places[] = {
	{VGR_EV_FLUSH_BEGIN, "kvm_vgic_flush_hwstate", false, 0, false, B_FLUSH_BEGIN},
	{VGR_EV_FLUSH_END, "vgic_v3_configure_hcr", true, 3, true, B_FLUSH_END},
	{VGR_EV_FLUSH_END, "vgic_v2_configure_hcr", true, 2, true, B_FLUSH_END},
	{VGR_EV_FLUSH_LATE, "kvm_vgic_flush_hwstate", true, 0, true, B_FLUSH_END},
	{VGR_EV_SYNC_BEGIN, "kvm_vgic_sync_hwstate", false, 0, true, B_SYNC_BEGIN},
	{VGR_EV_SYNC_FOLD, "vgic_v3_fold_lr_state", false, 3, false, B_SYNC_FOLD},
	{VGR_EV_SYNC_FOLD, "vgic_v2_fold_lr_state", false, 2, false, B_SYNC_FOLD},
	{VGR_EV_FOLDED, "vgic_irq_handle_resampling", true, 0, false, B_FOLDED},
	{VGR_EV_SYNC_END, "kvm_vgic_sync_hwstate", true, 0, false, B_SYNC_END},
	{VGR_EV_LOAD, "kvm_vgic_load", false, 0, false, B_LOAD},
	{VGR_EV_PUT, "kvm_vgic_put", false, 0, false, B_VCPU},
	{VGR_EV_INJECT, "kvm_vgic_inject_irq", false, 0, false, B_INJECT},
	{VGR_EV_IRQFD_BEGIN, "vgic_irqfd_set_irq", false, 0, false, B_NONE},
	{VGR_EV_IRQFD_END, "vgic_irqfd_set_irq", true, 0, false, B_NONE},
	{VGR_EV_SGI, "vgic_v3_dispatch_sgi", false, 3, false, B_SGI},
	{VGR_EV_MSI, "vgic_its_inject_msi", true, 3, false, B_MSI},
	{VGR_EV_MSI_ATOMIC, "kvm_arch_set_irq_inatomic", true, 3, false, B_MSI_ATOMIC},
	{VGR_EV_DIR, "vgic_v3_deactivate", false, 3, true, B_DIR},
	{VGR_EV_DIR, "vgic_v2_deactivate", false, 2, true, B_DIR},
	{VGR_EV_PRUNE, "kvm_vgic_process_async_update", false, 0, true, B_VCPU},
	{VGR_EV_KICK, "__kvm_vcpu_kick", false, 0, false, B_VCPU},
	{VGR_EV_KICK, "kvm_vcpu_kick", false, 0, false, B_VCPU},
	{VGR_EV_LEVEL, "kvm_arch_timer_get_input_level", true, 0, false, B_LEVEL},
	{VGR_EV_ACKED, "kvm_notify_acked_irq", false, 0, false, B_ACKED},
	{VGR_EV_VCPU_GONE, "kvm_arch_vcpu_destroy", false, 0, false, B_VCPU},
	{VGR_EV_VM_GONE, "kvm_arch_destroy_vm", false, 0, false, B_VM},
	{VGR_EV_NESTED_FLUSH, "vgic_v3_flush_nested", false, 3, true, B_NONE},
	{VGR_EV_NESTED_SYNC, "vgic_v3_sync_nested", false, 3, true, B_NONE},
};
#define NR_PLACES (sizeof(places) / sizeof(places[0]))

/* Offsets of one kernel's structures in bytes; -1: it has no such member. */
struct offsets {
	int kvm, idx, id, mode; /* of struct kvm_vcpu */
	int hcr, vmcr, used, lr;
	int model, nr_spis, dist_base, dist_enabled, active_spis; /* of struct kvm */
	int mm, owner, tgid;
	int msi_devid, msi_data, route_type, route_devid, route_data;
	int global_nr_lr, global_no_hw, global_vtr;
};

struct build {
	struct vgic_dynamic *d;
	const struct btf *btf;
	struct offsets at;
	unsigned int entries;
	unsigned int lrs; /* that an event holds */
	bool gicv2, begins_at_fold;
	char text[LINE_MAX_BYTES];
	size_t len;
};

/* ---- offsets ---- */

static const struct btf_type *plain_type(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int depth;

	for (depth = 0; t && depth < 16 && (btf_is_mod(t) || btf_is_typedef(t)); depth++)
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* First part of path ("arch" of "arch.vgic_cpu") in t or what stands in it without a name. */
static const struct btf_type *find_member(const struct btf *btf, const struct btf_type *t,
					  const char *path, size_t len, uint32_t *bit,
					  uint32_t *width, int depth)
{
	const struct btf_member *m;
	int i;

	if (!t || !btf_is_composite(t) || depth > 8)
		return NULL;
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, m[i].name_off);
		const struct btf_type *of = plain_type(btf, m[i].type), *found;
		uint32_t at = btf_member_bit_offset(t, i);

		if (name && strlen(name) == len && !strncmp(name, path, len)) {
			*bit += at;
			*width = btf_member_bitfield_size(t, i);
			if (!*width && of && (btf_is_int(of) || btf_is_any_enum(of)))
				*width = 8 * of->size;
			return of;
		}
		if (name && *name)
			continue;
		found = find_member(btf, of, path, len, bit, width, depth + 1);
		if (found) {
			*bit += at;
			return found;
		}
	}
	return NULL;
}

/* Where a member is, in bits; false: there is none. */
static bool member_bits(const struct btf *btf, const char *type, const char *path, uint32_t *bit,
			uint32_t *width)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	*bit = *width = 0;
	while (t && *path) {
		size_t len = strcspn(path, ".");

		t = find_member(btf, t, path, len, bit, width, 0);
		path += len + (path[len] == '.');
	}
	return t;
}

static int offset_of(const struct btf *btf, const char *type, const char *path)
{
	uint32_t bit, width;

	return member_bits(btf, type, path, &bit, &width) ? (int)(bit / 8) : -1;
}

static void read_offsets(struct build *b)
{
	const struct btf *btf = b->btf;
	const char *lr =
		b->gicv2 ? "arch.vgic_cpu.vgic_v2.vgic_lr" : "arch.vgic_cpu.vgic_v3.vgic_lr";
	struct offsets *at = &b->at;

	at->kvm = offset_of(btf, "kvm_vcpu", "kvm");
	at->idx = offset_of(btf, "kvm_vcpu", "vcpu_idx");
	at->id = offset_of(btf, "kvm_vcpu", "vcpu_id");
	at->mode = offset_of(btf, "kvm_vcpu", "mode");
	at->hcr = offset_of(btf, "kvm_vcpu",
			    b->gicv2 ? "arch.vgic_cpu.vgic_v2.vgic_hcr"
				     : "arch.vgic_cpu.vgic_v3.vgic_hcr");
	at->vmcr = offset_of(btf, "kvm_vcpu",
			     b->gicv2 ? "arch.vgic_cpu.vgic_v2.vgic_vmcr"
				      : "arch.vgic_cpu.vgic_v3.vgic_vmcr");
	at->used = offset_of(btf, "kvm_vcpu",
			     b->gicv2 ? "arch.vgic_cpu.vgic_v2.used_lrs"
				      : "arch.vgic_cpu.vgic_v3.used_lrs");
	at->lr = offset_of(btf, "kvm_vcpu", lr);
	at->model = offset_of(btf, "kvm", "arch.vgic.vgic_model");
	at->nr_spis = offset_of(btf, "kvm", "arch.vgic.nr_spis");
	at->dist_base = offset_of(btf, "kvm", "arch.vgic.vgic_dist_base");
	at->dist_enabled = offset_of(btf, "kvm", "arch.vgic.enabled");
	at->active_spis = offset_of(btf, "kvm", "arch.vgic.active_spis");
	at->mm = offset_of(btf, "kvm", "mm");
	at->owner = offset_of(btf, "mm_struct", "owner");
	at->tgid = offset_of(btf, "task_struct", "tgid");
	at->msi_devid = offset_of(btf, "kvm_msi", "devid");
	at->msi_data = offset_of(btf, "kvm_msi", "data");
	at->route_type = offset_of(btf, "kvm_kernel_irq_routing_entry", "type");
	at->route_devid = offset_of(btf, "kvm_kernel_irq_routing_entry", "msi.devid");
	at->route_data = offset_of(btf, "kvm_kernel_irq_routing_entry", "msi.data");
	at->global_nr_lr = offset_of(btf, "vgic_global", "nr_lr");
	at->global_no_hw = offset_of(btf, "vgic_global", "no_hw_deactivation");
	at->global_vtr = offset_of(btf, "vgic_global", "ich_vtr_el2");
}

static void read_flag(const struct btf *btf, struct vgr_event_flag *flag, const char *name)
{
	uint32_t bit, width;

	memset(flag, 0, sizeof(*flag));
	if (member_bits(btf, "vgic_irq", name, &bit, &width) && bit <= UINT16_MAX) {
		flag->bit = bit;
		flag->width = width;
	}
}

static void read_facts(struct build *b, const struct vgic_host *h)
{
	static const struct {
		const char *name;
		size_t at;
	} members[] = {
		{"ap_list", offsetof(struct vgr_event_facts, list)},
		{"intid", offsetof(struct vgr_event_facts, intid)},
		{"vcpu", offsetof(struct vgr_event_facts, vcpu)},
		{"target_vcpu", offsetof(struct vgr_event_facts, target)},
		{"hwintid", offsetof(struct vgr_event_facts, hwintid)},
		{"source", offsetof(struct vgr_event_facts, source)},
		{"active_source", offsetof(struct vgr_event_facts, active_source)},
		{"priority", offsetof(struct vgr_event_facts, priority)},
		{"group", offsetof(struct vgr_event_facts, group)},
		{"ops", offsetof(struct vgr_event_facts, ops)},
	};
	struct vgr_event_facts *f = &b->d->facts;
	int id = btf__find_by_name_kind(b->btf, "vgic_irq", BTF_KIND_STRUCT), offset;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		offset = offset_of(b->btf, "vgic_irq", members[i].name);
		/* What does not fit is refused by vgr_event_facts_check(). */
		*(uint16_t *)((char *)f + members[i].at) = offset < 0 ? UINT16_MAX : offset;
	}
	f->irq_size = id > 0 ? (btf__type_by_id(b->btf, id)->size + 7) & ~7u : 0;
	read_flag(b->btf, &f->line, "line_level");
	read_flag(b->btf, &f->latch, "pending_latch");
	read_flag(b->btf, &f->active, "active");
	read_flag(b->btf, &f->enabled, "enabled");
	read_flag(b->btf, &f->hw, "hw");
	read_flag(b->btf, &f->config, "config");
	read_flag(b->btf, &f->on_lr, "on_lr");
	read_flag(b->btf, &f->mapped, "mapped");
	offset = offset_of(b->btf, "kvm_vcpu", "arch.vgic_cpu.ap_list_head");
	f->head = offset < 0 ? UINT32_MAX : (uint32_t)offset;
	offset = offset_of(b->btf, "kvm_vcpu", "arch.pmu");
	f->pmu = offset < 0 ? 0 : (uint32_t)offset;
	f->has_last_lr = offset_of(b->btf, "kvm_host_data", "last_lr_irq") >= 0;
	f->tdir = h->looked ? h->tdir : VGR_UNKNOWN;
	f->vtr = h->looked ? h->vtr : 0;
	f->static_traps = h->looked && h->traps == VGR_YES ? h->static_traps : 0;
	f->no_hw_deactivation = h->looked && h->no_hw_deactivation;
	f->mode = !h->looked			  ? VGR_EVENT_MODE_UNKNOWN
		  : h->nested_mode		  ? VGR_EVENT_NESTED
		  : h->mode == VGIC_KVM_VHE	  ? VGR_EVENT_VHE
		  : h->mode == VGIC_KVM_NVHE	  ? VGR_EVENT_NVHE
		  : h->mode == VGIC_KVM_PROTECTED ? VGR_EVENT_PROTECTED
						  : VGR_EVENT_MODE_UNKNOWN;
}

/* ---- arguments ---- */

__attribute__((format(printf, 2, 3))) static void say(struct build *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(b->text + b->len, sizeof(b->text) - b->len, format, args);
	va_end(args);
	/* What does not fit is seen by the length. */
	b->len += n > 0 ? n : 0;
	if (b->len > sizeof(b->text))
		b->len = sizeof(b->text);
}

/* Entry k is as many pointers away from the head; the whole structure, as it is in memory. */
static void say_entries(struct build *b, char way, unsigned int n, unsigned int link)
{
	const struct vgr_event_facts *f = &b->d->facts;
	unsigned int i, k;

	for (k = 0; k < n; k++) {
		say(b, " %c%u=-%u(", way, k, f->list);
		for (i = 0; i < k; i++)
			say(b, "+%u(", link);
		say(b, "+%u($arg1)", f->head + link);
		for (i = 0; i < k; i++)
			say(b, ")");
		say(b, "):x64[%u]", f->irq_size / 8);
	}
}

static void say_list(struct build *b)
{
	unsigned int head = b->d->facts.head;
	unsigned int n = b->entries < VGR_EVENT_ONE_WAY ? b->entries : VGR_EVENT_ONE_WAY;

	say(b, " first=+%u($arg1):x64 last=+%u($arg1):x64", head, head + 8);
	say_entries(b, 'e', n, 0);
	say_entries(b, 'b', b->entries - n, 8);
}

static void say_who(struct build *b)
{
	say(b, " vcpu=$arg1:x64 kvm=+%d($arg1):x64 idx=+%d($arg1):u32 id=+%d($arg1):u32", b->at.kvm,
	    b->at.idx, b->at.id);
}

static void say_vm(struct build *b)
{
	int kvm = b->at.kvm;

	say(b, " model=+%d(+%d($arg1)):u32 spis=+%d(+%d($arg1)):u32 dist=+%d(+%d($arg1)):x64",
	    b->at.model, kvm, b->at.nr_spis, kvm, b->at.dist_base, kvm);
	if (b->at.mm >= 0 && b->at.owner >= 0 && b->at.tgid >= 0)
		say(b, " tgid=+%d(+%d(+%d(+%d($arg1)))):u32", b->at.tgid, b->at.owner, b->at.mm,
		    kvm);
	say(b, " comm=$comm");
}

static void say_mode(struct build *b)
{
	if (b->at.mode >= 0)
		say(b, " mode=+%d($arg1):u32", b->at.mode);
}

static void say_interface(struct build *b)
{
	say(b, " hcr=+%d($arg1):x32 vmcr=+%d($arg1):x32 used=+%d($arg1):u32 lr=+%d($arg1):x%u[%u]",
	    b->at.hcr, b->at.vmcr, b->at.used, b->at.lr, b->gicv2 ? 32 : 64, b->lrs);
}

static void say_dist(struct build *b)
{
	say(b, " enabled=+%d(+%d($arg1)):u8", b->at.dist_enabled, b->at.kvm);
}

static void say_counter(struct build *b)
{
	if (b->at.active_spis >= 0)
		say(b, " active_spis=+%d(+%d($arg1)):s32", b->at.active_spis, b->at.kvm);
}

static void say_facts(struct build *b, const struct vgic_host *h)
{
	const struct vgr_event_facts *f = &b->d->facts;
	size_t i;

	for (i = 0; i < vgr_nr_event_facts; i++) {
		const struct vgr_event_fact *fact = &vgr_event_fact_table[i];
		unsigned int bits = fact->flag ? 32 : 8 * fact->size;

		say(b, " k_%s=", fact->name);
		/* What could not be found out is read when the event happens. */
		if (!strcmp(fact->name, "nr_lr") && !f->nr_lr && b->at.global_nr_lr >= 0)
			say(b, "@kvm_vgic_global_state+%d", b->at.global_nr_lr);
		else if (!strcmp(fact->name, "no_hw_deactivation") && !h->looked &&
			 b->at.global_no_hw >= 0)
			say(b, "@kvm_vgic_global_state+%d", b->at.global_no_hw);
		else if (!strcmp(fact->name, "vtr") && !h->looked && !b->gicv2 &&
			 b->at.global_vtr >= 0)
			say(b, "@kvm_vgic_global_state+%d", b->at.global_vtr);
		else
			say(b, "\\%llu", (unsigned long long)vgr_event_fact_get(f, i));
		say(b, ":u%u", bits);
	}
}

static void say_args(struct build *b, const struct place *p, const struct vgic_host *h)
{
	switch (p->builder) {
	case B_NONE:
		break;
	case B_FLUSH_BEGIN:
		say_who(b);
		say_mode(b);
		say_vm(b);
		say_list(b);
		break;
	case B_FLUSH_END:
		say(b, " vcpu=$arg1:x64");
		say_interface(b);
		say_dist(b);
		say_counter(b);
		say_list(b);
		break;
	case B_SYNC_BEGIN:
		say_who(b);
		say_mode(b);
		say_counter(b);
		say_list(b);
		break;
	case B_SYNC_FOLD:
		say_who(b);
		say_interface(b);
		if (b->begins_at_fold) {
			say_mode(b);
			say_counter(b);
			say_list(b);
		}
		break;
	case B_FOLDED:
		say(b, " irq=$arg1:x64 e0=+0($arg1):x64[%u]", b->d->facts.irq_size / 8);
		break;
	case B_SYNC_END:
		say_who(b);
		say_mode(b);
		say_interface(b);
		say_dist(b);
		say_counter(b);
		say_list(b);
		break;
	case B_LOAD:
		say_who(b);
		say_vm(b);
		say_facts(b, h);
		break;
	case B_VCPU:
		say(b, " vcpu=$arg1:x64");
		break;
	case B_INJECT:
		say(b,
		    " kvm=$arg1:x64 vcpu=$arg2:x64 intid=$arg3:u32 level=$arg4:u8 owner=$arg5:x64");
		break;
	case B_SGI:
		say(b, " vcpu=$arg1:x64 value=$arg2:x64 group1=$arg3:u8");
		break;
	case B_MSI:
		say(b, " kvm=$arg1:x64 devid=+%d($arg2):u32 eventid=+%d($arg2):u32 ret=$retval:s32",
		    b->at.msi_devid, b->at.msi_data);
		break;
	case B_MSI_ATOMIC:
		say(b,
		    " kvm=$arg2:x64 route=+%d($arg1):u32 devid=+%d($arg1):u32 "
		    "eventid=+%d($arg1):u32 ret=$retval:s32",
		    b->at.route_type, b->at.route_devid, b->at.route_data);
		break;
	case B_DIR:
		say(b, " vcpu=$arg1:x64 value=$arg2:x%u", b->gicv2 ? 32 : 64);
		break;
	case B_LEVEL:
		say(b, " intid=$arg1:u32 level=$retval:u8");
		break;
	case B_ACKED:
		say(b, " kvm=$arg1:x64 irqchip=$arg2:u32 pin=$arg3:u32");
		break;
	case B_VM:
		say(b, " kvm=$arg1:x64");
		break;
	}
}

static int add_event(struct build *b, const struct place *p, bool fprobes,
		     const struct vgic_host *h)
{
	struct vgic_dynamic_event *e = &b->d->events[b->d->nr_events];

	b->len = 0;
	b->text[0] = '\0';
	say_args(b, p, h);
	if (b->len >= sizeof(b->text))
		return -E2BIG;
	e->event = p->event;
	e->kind = fprobes ? (p->at_return ? VGIC_DYNAMIC_FPROBE_RETURN : VGIC_DYNAMIC_FPROBE)
			  : (p->at_return ? VGIC_DYNAMIC_KRETPROBE : VGIC_DYNAMIC_KPROBE);
	e->place = p->function;
	e->args = strdup(b->text + (b->text[0] == ' '));
	if (!e->args)
		return -ENOMEM;
	/* The line owns what it holds; counted from here on, so that it is freed. */
	b->d->nr_events++;
	if (asprintf(&e->line, "%s:%s/%s %s%s%s%s",
		     fprobes	    ? "f"
		     : p->at_return ? "r"
				    : "p",
		     VGR_EVENT_GROUP, vgr_event_name(p->event), p->function,
		     fprobes && p->at_return ? "%return" : "", *e->args ? " " : "", e->args) < 0) {
		e->line = NULL;
		return -ENOMEM;
	}
	return strlen(e->line) < LINE_MAX_BYTES ? 0 : -E2BIG;
}

/* Is it of no use on this kernel? */
static bool not_needed(const struct build *b, const struct place *p, const struct vgic_host *h,
		       bool have_end)
{
	if (p->gic && p->gic != (b->gicv2 ? 2 : 3))
		return true;
	if (p->event == VGR_EV_FLUSH_LATE)
		return have_end;
	if (p->event == VGR_EV_SYNC_BEGIN)
		return b->begins_at_fold;
	if (p->event == VGR_EV_NESTED_FLUSH || p->event == VGR_EV_NESTED_SYNC)
		return !h->nested_mode;
	return false;
}

static int add_events(struct build *b, const struct vgic_host *h, bool fprobes,
		      bool (*has)(void *ctx, const char *name), void *ctx)
{
	bool have[VGR_EV_DYNAMIC_END] = {false};
	size_t i;
	int ret;

	for (i = 0; i < NR_PLACES; i++) {
		const struct place *p = &places[i];

		if (have[p->event] || not_needed(b, p, h, have[VGR_EV_FLUSH_END]))
			continue;
		if (!has(ctx, p->function)) {
			b->d->missing[p->event] = !p->optional;
			continue;
		}
		ret = add_event(b, p, fprobes, h);
		if (ret)
			return ret;
		have[p->event] = true;
		b->d->missing[p->event] = false;
	}
	return 0;
}

static void add_tracepoints(struct vgic_dynamic *d)
{
	/* The others say what a dynamic event says better. */
	d->tracepoints[d->nr_tracepoints++] = VGR_EV_KVM_ENTRY;
	d->tracepoints[d->nr_tracepoints++] = VGR_EV_KVM_EXIT;
	d->tracepoints[d->nr_tracepoints++] = VGR_EV_KVM_MMIO;
	d->tracepoints[d->nr_tracepoints++] = VGR_EV_KVM_WFX;
}

static bool offsets_known(const struct offsets *at)
{
	return at->kvm >= 0 && at->idx >= 0 && at->id >= 0 && at->hcr >= 0 && at->vmcr >= 0 &&
	       at->used >= 0 && at->lr >= 0 && at->model >= 0 && at->nr_spis >= 0 &&
	       at->dist_base >= 0 && at->dist_enabled >= 0 && at->msi_devid >= 0 &&
	       at->msi_data >= 0 && at->route_type >= 0 && at->route_devid >= 0 &&
	       at->route_data >= 0;
}

int vgic_dynamic_create_from(struct vgic_dynamic **out, const struct vgic_host *h,
			     const struct vgic_dynamic_opts *opts, const struct btf *btf,
			     bool (*has)(void *ctx, const char *name), void *ctx,
			     struct vgic_capture_error *err)
{
	unsigned int gic = opts->gic ? opts->gic : h->looked ? h->gic : 3;
	unsigned int nr_lr = opts->nr_lr ? opts->nr_lr : h->looked ? h->nr_lr : 0;
	struct vgr_event_facts facts;
	struct vgic_dynamic *d;
	struct build *b;
	int ret;

	if (gic != 2 && gic != 3)
		return refuse(err, -ENOTSUP,
			      "this host has a GICv%u: only GICv2 and GICv3 can be recorded", gic);
	d = calloc(1, sizeof(*d));
	b = calloc(1, sizeof(*b));
	if (!d || !b) {
		free(d);
		free(b);
		return refuse(err, -ENOMEM, "not enough memory");
	}
	b->d = d;
	b->btf = btf;
	b->gicv2 = gic == 2;
	b->entries = opts->entries ? opts->entries : DEFAULT_ENTRIES;
	if (b->entries > VGR_EVENT_ENTRIES)
		b->entries = VGR_EVENT_ENTRIES;
	d->facts.gic = gic;
	d->facts.nr_lr = nr_lr;
	b->lrs = nr_lr ? nr_lr : VGR_MAX_LRS_V3;
	read_offsets(b);
	read_facts(b, h);
	b->begins_at_fold = !b->gicv2 && d->facts.mapped.width && !h->nested_mode;
	facts = d->facts;
	if (!facts.nr_lr)
		facts.nr_lr = 1;
	if (!offsets_known(&b->at) || vgr_event_facts_check(&facts))
		ret = refuse(err, -ENOTSUP,
			     "kernel %s: its BTF has no vgic as it is known here: use a kernel "
			     "from 6.12 on",
			     h->release);
	else
		ret = add_events(b, h, opts->fprobes, has, ctx);
	if (ret == -ENOMEM)
		refuse(err, ret, "not enough memory");
	else if (ret == -E2BIG)
		refuse(err, ret,
		       "an event would be longer than the kernel takes: ask for fewer list "
		       "entries");
	free(b);
	if (ret) {
		vgic_dynamic_destroy(d);
		return ret;
	}
	add_tracepoints(d);
	*out = d;
	return 0;
}

/* Functions that have exactly one place. */
struct known {
	struct symbol symbols[NR_PLACES];
};

static bool symbol_known(void *ctx, const char *name)
{
	const struct known *k = ctx;
	size_t i;

	for (i = 0; i < NR_PLACES; i++) {
		if (!strcmp(k->symbols[i].name, name))
			return k->symbols[i].count == 1;
	}
	return false;
}

int vgic_dynamic_create(struct vgic_dynamic **d, const struct vgic_host *h,
			const struct vgic_dynamic_opts *opts, struct vgic_capture_error *err)
{
	struct known known = {0};
	struct btf *btf;
	size_t i;
	int ret;

	if (!h->arm64)
		return refuse(err, -ENOTSUP, "this is %s, not an arm64 host", h->machine);
	for (i = 0; i < NR_PLACES; i++)
		known.symbols[i].name = places[i].function;
	ret = vgic_symbols_find(known.symbols, NR_PLACES);
	if (ret)
		return refuse(err, ret, "/proc/kallsyms: %s", strerror(-ret));
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return refuse(err, -ENOTSUP,
			      "/sys/kernel/btf/vmlinux: the kernel has no BTF: use one built with "
			      "CONFIG_DEBUG_INFO_BTF");
	ret = vgic_dynamic_create_from(d, h, opts, btf, symbol_known, &known, err);
	btf__free(btf);
	return ret;
}

bool vgic_dynamic_has_fprobes(const char *readme)
{
	return strstr(readme, "f[:[<group>/][<event>]] <func-name>");
}

void vgic_dynamic_destroy(struct vgic_dynamic *d)
{
	size_t i;

	if (!d)
		return;
	for (i = 0; i < d->nr_events; i++) {
		free(d->events[i].args);
		free(d->events[i].line);
	}
	free(d);
}
