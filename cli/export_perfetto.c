// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording as a Perfetto trace: TrackEvents in TracePackets. For every vCPU a track that
 * says what it did, one for each list register, two counters; for every interrupt a flow from
 * its raise through the list registers to its end. Numbers of fields are those of Perfetto's
 * protos/perfetto/trace/trace_packet.proto and what that includes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/cpuif.h>
#include <vgicsim/decode.h>
#include <vgicsim/metrics.h>
#include "export.h"
#include "protobuf.h"

#define TRACE_PACKET 1u

/* TracePacket */
#define PACKET_TIMESTAMP 8u
#define PACKET_SEQUENCE	 10u
#define PACKET_EVENT	 11u
#define PACKET_CLOCK	 58u
#define PACKET_TRACK	 60u

/* TrackDescriptor, ProcessDescriptor, CounterDescriptor */
#define TRACK_UUID    1u
#define TRACK_NAME    2u
#define TRACK_PROCESS 3u
#define TRACK_PARENT  5u
#define TRACK_COUNTER 8u
#define PROCESS_PID   1u
#define PROCESS_NAME  6u

/* TrackEvent */
#define EVENT_ARGUMENT	4u
#define EVENT_TYPE	9u
#define EVENT_TRACK	11u
#define EVENT_NAME	23u
#define EVENT_COUNT	30u
#define EVENT_FLOW	47u
#define EVENT_FLOW_ENDS 48u

/* DebugAnnotation */
#define ARGUMENT_STRING 6u
#define ARGUMENT_NAME	10u

enum event_type { SLICE_BEGIN = 1, SLICE_END = 2, INSTANT = 3, COUNTER = 4 };

/* BuiltinClock */
#define CLOCK_MONOTONIC_ID 3u
/* All packets come from one writer. */
#define SEQUENCE	   1u

/* Tracks of a vCPU, in the order in which they are shown. */
enum track { T_RUN = 0, T_EVENTS, T_IN_LRS, T_OUTSIDE, T_LR, T_HANDLERS = 0xff };

struct lr_slice {
	bool open, pending;
	uint32_t intid;
};

struct vcpu_tracks {
	uint16_t vm, vcpu;
	bool named;
	bool handlers_named;
	unsigned int handlers; /* under way */
	uint32_t lrs_named;
	/* From the exit until the next record says what it was for. */
	bool out;
	uint64_t out_since;
	uint32_t misr, ec, ret;
	uint32_t sync_misr; /* of the last run, or of none: an entry may be called off */
	const char *why;
	bool inside;
	uint64_t entry, synced;
	struct lr_slice lr[VGR_MAX_LRS];
};

/* An interrupt on its way: raised, and not ended. */
struct journey {
	uint64_t key; /* VM, vCPU of a private one, INTID; 0: free */
	uint64_t flow;
};

struct perfetto {
	struct protobuf p;
	uint8_t data[65536];
	unsigned int nr_lr;
	struct vgic_decoder *decoder;
	struct vcpu_tracks *vcpus;
	size_t nr_vcpus, cap_vcpus;
	bool vms[VGR_MAX_TABLE];
	struct journey *journeys;
	size_t nr_journeys, cap_journeys; /* a power of two */
	uint64_t flows;
};

/* ---- packets ---- */

static uint64_t uuid_of_vm(uint16_t vm)
{
	return 1u + vm;
}

static uint64_t uuid_of(const struct vcpu_tracks *v, unsigned int track)
{
	return (uint64_t)(1u + v->vm) << 32 | (uint64_t)(1u + v->vcpu) << 8 | track;
}

static size_t packet_begin(struct perfetto *x, uint64_t time)
{
	size_t mark;

	x->p.size = 0;
	mark = protobuf_begin(&x->p, TRACE_PACKET);
	if (time) {
		protobuf_uint(&x->p, PACKET_TIMESTAMP, time);
		protobuf_uint(&x->p, PACKET_CLOCK, CLOCK_MONOTONIC_ID);
	}
	protobuf_uint(&x->p, PACKET_SEQUENCE, SEQUENCE);
	return mark;
}

static int packet_end(struct perfetto *x, FILE *f, size_t mark)
{
	protobuf_end(&x->p, mark);
	if (x->p.full)
		return -E2BIG;
	return fwrite(x->p.data, 1, x->p.size, f) == x->p.size ? 0 : -EIO;
}

struct event {
	uint64_t time, track, flow;
	enum event_type type;
	const char *name, *argument, *text;
	int64_t count;
	bool flow_ends;
};

static int put(struct perfetto *x, FILE *f, const struct event *e)
{
	struct protobuf *p = &x->p;
	size_t packet = packet_begin(x, e->time), event = protobuf_begin(p, PACKET_EVENT);

	protobuf_uint(p, EVENT_TYPE, e->type);
	protobuf_uint(p, EVENT_TRACK, e->track);
	if (e->name)
		protobuf_string(p, EVENT_NAME, e->name);
	if (e->type == COUNTER)
		protobuf_int(p, EVENT_COUNT, e->count);
	if (e->flow)
		protobuf_fixed64(p, e->flow_ends ? EVENT_FLOW_ENDS : EVENT_FLOW, e->flow);
	if (e->argument) {
		size_t argument = protobuf_begin(p, EVENT_ARGUMENT);

		protobuf_string(p, ARGUMENT_NAME, e->argument);
		protobuf_string(p, ARGUMENT_STRING, e->text);
		protobuf_end(p, argument);
	}
	protobuf_end(p, event);
	return packet_end(x, f, packet);
}

static int name_track(struct perfetto *x, FILE *f, uint64_t uuid, uint64_t parent, const char *name,
		      bool counter)
{
	struct protobuf *p = &x->p;
	size_t packet = packet_begin(x, 0), track = protobuf_begin(p, PACKET_TRACK);

	protobuf_uint(p, TRACK_UUID, uuid);
	protobuf_uint(p, TRACK_PARENT, parent);
	protobuf_string(p, TRACK_NAME, name);
	if (counter)
		protobuf_end(p, protobuf_begin(p, TRACK_COUNTER));
	protobuf_end(p, track);
	return packet_end(x, f, packet);
}

static int name_vm(struct perfetto *x, FILE *f, uint16_t vm, uint32_t pid, const char *comm)
{
	struct protobuf *p = &x->p;
	size_t packet, track, process;
	char name[40];

	if (vm >= VGR_MAX_TABLE || x->vms[vm])
		return 0;
	x->vms[vm] = true;
	snprintf(name, sizeof(name), "VM %u: %.16s", vm, comm);
	packet = packet_begin(x, 0);
	track = protobuf_begin(p, PACKET_TRACK);
	protobuf_uint(p, TRACK_UUID, uuid_of_vm(vm));
	process = protobuf_begin(p, TRACK_PROCESS);
	protobuf_uint(p, PROCESS_PID, pid);
	protobuf_string(p, PROCESS_NAME, name);
	protobuf_end(p, process);
	protobuf_end(p, track);
	return packet_end(x, f, packet);
}

/* ---- tracks of a vCPU ---- */

static struct vcpu_tracks *vcpu_of(struct perfetto *x, const struct vgr_rec *rec)
{
	for (size_t i = 0; i < x->nr_vcpus; i++)
		if (x->vcpus[i].vm == rec->vm && x->vcpus[i].vcpu == rec->vcpu)
			return &x->vcpus[i];
	if (x->nr_vcpus == x->cap_vcpus) {
		size_t cap = x->cap_vcpus * 2 + 8;
		struct vcpu_tracks *p = realloc(x->vcpus, cap * sizeof(*p));

		if (!p)
			return NULL;
		x->vcpus = p;
		x->cap_vcpus = cap;
	}
	x->vcpus[x->nr_vcpus] = (struct vcpu_tracks){.vm = rec->vm, .vcpu = rec->vcpu};
	return &x->vcpus[x->nr_vcpus++];
}

static int name_vcpu(struct perfetto *x, FILE *f, struct vcpu_tracks *v)
{
	static const struct {
		enum track track;
		const char *name;
		bool counter;
	} tracks[] = {
		{T_EVENTS, "interrupts", false},
		{T_IN_LRS, "list registers in use", true},
		{T_OUTSIDE, "overflow depth", true},
	};
	char name[48];
	int ret;

	if (v->named)
		return 0;
	v->named = true;
	snprintf(name, sizeof(name), "vCPU %u", v->vcpu);
	ret = name_track(x, f, uuid_of(v, T_RUN), uuid_of_vm(v->vm), name, false);
	for (size_t i = 0; !ret && i < sizeof(tracks) / sizeof(tracks[0]); i++) {
		snprintf(name, sizeof(name), "vCPU %u %s", v->vcpu, tracks[i].name);
		ret = name_track(x, f, uuid_of(v, tracks[i].track), uuid_of(v, T_RUN), name,
				 tracks[i].counter);
	}
	return ret;
}

static int name_lrs(struct perfetto *x, FILE *f, struct vcpu_tracks *v, unsigned int n)
{
	char name[48];
	int ret = 0;

	for (; !ret && v->lrs_named < n; v->lrs_named++) {
		snprintf(name, sizeof(name), "vCPU %u LR %u", v->vcpu, v->lrs_named);
		ret = name_track(x, f, uuid_of(v, T_LR + v->lrs_named), uuid_of(v, T_RUN), name,
				 false);
	}
	return ret;
}

/* ---- journeys of interrupts ---- */

static uint64_t key_of(uint16_t vm, uint16_t vcpu, uint32_t intid)
{
	uint64_t whose = intid < 32 ? 1u + vcpu : 0;

	return (uint64_t)(1u + vm) << 48 | whose << 32 | intid;
}

static size_t slot_of(const struct perfetto *x, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20) & (x->cap_journeys - 1);

	while (x->journeys[i].key && x->journeys[i].key != key)
		i = (i + 1) & (x->cap_journeys - 1);
	return i;
}

static int grow(struct perfetto *x)
{
	struct journey *old = x->journeys;
	size_t cap = x->cap_journeys;

	x->journeys = calloc(cap * 2, sizeof(*old));
	if (!x->journeys) {
		x->journeys = old;
		return -ENOMEM;
	}
	x->cap_journeys = cap * 2;
	for (size_t i = 0; i < cap; i++)
		if (old[i].key)
			x->journeys[slot_of(x, old[i].key)] = old[i];
	free(old);
	return 0;
}

/* The flow of the interrupt, a new one if none is under way. 0: no memory. */
static uint64_t flow_of(struct perfetto *x, uint64_t key)
{
	size_t i;

	if (x->nr_journeys * 2 >= x->cap_journeys && grow(x))
		return 0;
	i = slot_of(x, key);
	if (!x->journeys[i].key) {
		x->journeys[i].key = key;
		x->nr_journeys++;
	}
	if (!x->journeys[i].flow)
		x->journeys[i].flow = ++x->flows;
	return x->journeys[i].flow;
}

/* An end without a beginning is part of no flow. */
static uint64_t flow_under_way(const struct perfetto *x, uint64_t key)
{
	const struct journey *j = &x->journeys[slot_of(x, key)];

	return j->key ? j->flow : 0;
}

/* It has ended: what comes next of it is another one. */
static void flow_over(struct perfetto *x, uint64_t key)
{
	x->journeys[slot_of(x, key)].flow = 0;
}

/* ---- records ---- */

static const char *ec_name(uint32_t ec)
{
	switch (ec) {
	case 0x01:
		return "WFI";
	case 0x16:
		return "hypercall";
	case 0x18:
		return "register";
	case 0x20:
		return "instruction fault";
	case 0x24:
		return "data fault";
	default:
		return "trap";
	}
}

static const char *mi_name(char *buf, size_t size, uint32_t misr)
{
	static const char *const sources[VGIC_MI_SOURCES] = {
		"EOI", "U", "LRENP", "NP", "VGrp0E", "VGrp0D", "VGrp1E", "VGrp1D",
	};
	size_t n = (size_t)snprintf(buf, size, "MI");

	for (unsigned int i = 0; i < VGIC_MI_SOURCES; i++)
		if (misr >> i & 1 && n < size)
			n += (size_t)snprintf(buf + n, size - n, " %s", sources[i]);
	return buf;
}

/* What it was outside for is known now, and when it came back. */
static int end_outside(struct perfetto *x, FILE *f, struct vcpu_tracks *v, uint64_t until)
{
	char mi[64];
	struct event e = {
		.time = v->out_since,
		.track = uuid_of(v, T_RUN),
		.type = SLICE_BEGIN,
		.name = v->why	      ? v->why
			: v->ret == 0 ? (v->misr ? mi_name(mi, sizeof(mi), v->misr) : "IRQ")
			: v->ret == 2 ? ec_name(v->ec)
				      : "SError",
	};
	int ret;

	if (!v->out)
		return 0;
	v->out = false;
	ret = put(x, f, &e);
	if (ret)
		return ret;
	e.time = until > v->out_since ? until : v->out_since;
	e.type = SLICE_END;
	e.name = NULL;
	return put(x, f, &e);
}

static int close_lr(struct perfetto *x, FILE *f, struct vcpu_tracks *v, unsigned int i,
		    uint64_t time)
{
	struct event e = {.time = time, .track = uuid_of(v, T_LR + i), .type = SLICE_END};

	if (!v->lr[i].open)
		return 0;
	v->lr[i].open = false;
	return put(x, f, &e);
}

static int on_flush(struct perfetto *x, FILE *f, struct vcpu_tracks *v, const struct vgr_flush *r)
{
	const uint64_t *lr = vgr_flush_lrs(r);
	unsigned int used = r->used_lrs < r->nr_lr ? r->used_lrs : r->nr_lr;
	unsigned int outside = 0, n = used < VGR_MAX_LRS ? used : VGR_MAX_LRS;
	const struct vgr_irq *irq = vgr_flush_after(r);
	int ret = name_lrs(x, f, v, x->nr_lr < VGR_MAX_LRS ? x->nr_lr : VGR_MAX_LRS);

	for (unsigned int i = 0; !ret && i < VGR_MAX_LRS; i++)
		ret = close_lr(x, f, v, i, r->begin);
	for (unsigned int i = 0; !ret && i < n; i++) {
		uint64_t value = lr[i];
		uint32_t intid = (uint32_t)(lr[i] & VGIC_LR_VINTID);
		char name[48], hex[24];

		if (!(value & VGIC_LR_STATE))
			continue;
		snprintf(name, sizeof(name), "%u %s%s", intid,
			 value & VGIC_LR_PENDING ? "pending" : "active",
			 (value & VGIC_LR_STATE) == VGIC_LR_STATE ? " and active" : "");
		snprintf(hex, sizeof(hex), "0x%016llx", (unsigned long long)lr[i]);
		v->lr[i] = (struct lr_slice){true, value & VGIC_LR_PENDING, intid};
		ret = put(x, f,
			  &(struct event){
				  .time = r->r.time,
				  .track = uuid_of(v, T_LR + i),
				  .type = SLICE_BEGIN,
				  .name = name,
				  .argument = "LR",
				  .text = hex,
				  .flow = flow_of(x, key_of(v->vm, v->vcpu, intid)),
			  });
	}
	for (unsigned int i = 0; i < r->n_after; i++)
		outside += irq_pending(&irq[i]) || (irq[i].state & VGR_IRQ_ACTIVE);
	outside = outside > n ? outside - n : 0;
	if (!ret)
		ret = put(x, f,
			  &(struct event){.time = r->r.time,
					  .track = uuid_of(v, T_IN_LRS),
					  .type = COUNTER,
					  .count = n});
	if (!ret)
		ret = put(x, f,
			  &(struct event){.time = r->r.time,
					  .track = uuid_of(v, T_OUTSIDE),
					  .type = COUNTER,
					  .count = outside});
	return ret;
}

static int instant(struct perfetto *x, FILE *f, struct vcpu_tracks *v, uint64_t time,
		   const char *what, uint32_t intid, bool ends)
{
	uint64_t key = key_of(v->vm, v->vcpu, intid);
	char name[48];
	int ret;

	snprintf(name, sizeof(name), "%s %u", what, intid);
	ret = put(x, f,
		  &(struct event){.time = time,
				  .track = uuid_of(v, T_EVENTS),
				  .type = INSTANT,
				  .name = name,
				  .flow = ends ? flow_under_way(x, key) : flow_of(x, key),
				  .flow_ends = ends});
	if (ends)
		flow_over(x, key);
	return ret;
}

static int on_sync(struct perfetto *x, FILE *f, struct vcpu_tracks *v, const struct vgr_sync *r)
{
	const struct vgr_irq *before = vgr_sync_before(r), *after = vgr_sync_after(r);
	const uint64_t *lr = vgr_sync_lrs(r);
	int ret = 0;

	v->sync_misr = vgic_sync_misr(r, x->nr_lr);
	for (unsigned int i = 0; !ret && i < VGR_MAX_LRS; i++) {
		if (!v->lr[i].open)
			continue;
		ret = close_lr(x, f, v, i, r->begin);
		if (ret || i >= r->used_lrs)
			continue;
		uint64_t value = lr[i];

		/* In the run that is over: when in it, the host does not see. */
		if (v->lr[i].pending && !(value & VGIC_LR_PENDING))
			ret = instant(x, f, v, r->begin, "acknowledged", v->lr[i].intid, false);
		if (!ret && !(value & VGIC_LR_STATE))
			ret = instant(x, f, v, r->begin, "ended", v->lr[i].intid, true);
	}
	/* Deactivated without one: EOIcount. */
	for (unsigned int i = 0; !ret && i < r->n_before; i++) {
		bool in_lr = false;

		for (unsigned int k = 0; k < r->used_lrs; k++)
			in_lr |= (lr[k] & VGIC_LR_VINTID) == before[i].intid;
		if ((before[i].state & VGR_IRQ_ACTIVE) && !(after[i].state & VGR_IRQ_ACTIVE) &&
		    !in_lr)
			ret = instant(x, f, v, r->begin, "ended by EOIcount", before[i].intid,
				      true);
	}
	v->synced = r->begin;
	return ret;
}

/* Leaves the guest: from the entry to the begin of the sync it was in it. */
static int on_guest_exit(struct perfetto *x, FILE *f, struct vcpu_tracks *v,
			 const struct vgr_exit *r)
{
	int ret = 0;

	if (v->inside) {
		uint64_t left = v->synced >= v->entry ? v->synced : r->r.time;
		struct event e = {.time = v->entry,
				  .track = uuid_of(v, T_RUN),
				  .type = SLICE_BEGIN,
				  .name = "guest"};

		ret = put(x, f, &e);
		if (!ret) {
			e = (struct event){.time = left, .track = e.track, .type = SLICE_END};
			ret = put(x, f, &e);
		}
		v->out_since = left;
	} else {
		v->out_since = r->r.time;
	}
	v->inside = false;
	v->out = true;
	v->why = NULL;
	v->ret = r->ret;
	v->misr = v->sync_misr;
	v->ec = r->esr_ec;
	return ret;
}

static int on_raise(struct perfetto *x, FILE *f, const struct vgr_inject *r)
{
	struct vcpu_tracks *v;
	struct vgr_rec whose = r->r;

	/* An SPI is on nobody's track until it has a list register: on that of vCPU 0. */
	if (whose.vcpu == VGR_NO_VCPU)
		whose.vcpu = 0;
	v = vcpu_of(x, &whose);
	if (!v)
		return -ENOMEM;
	int ret = name_vcpu(x, f, v);

	if (ret)
		return ret;
	return instant(x, f, v, r->r.time, r->level ? "raised" : "lowered", r->intid, false);
}

/* Raised on the track of the vCPU that it is for. */
static int on_sgi(struct perfetto *x, FILE *f, const struct vgr_rec *rec, uint32_t intid,
		  uint64_t targets)
{
	struct vgr_rec whose = *rec;
	size_t n = x->nr_vcpus;
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		if (x->vcpus[i].vm == rec->vm && x->vcpus[i].vcpu < 64 &&
		    (targets >> x->vcpus[i].vcpu & 1)) {
			whose.vcpu = x->vcpus[i].vcpu;
			ret = instant(x, f, vcpu_of(x, &whose), rec->time, "raised", intid, false);
		}
	return ret;
}

/* ICC_SGI1R_EL1: IRM (40) is all others; else Aff1 (23:16) and a list of 16 (15:0). */
static uint64_t sgi_targets(const struct vgr_sgi *r)
{
	uint64_t self = r->r.vcpu < 64 ? 1ull << r->r.vcpu : 0, aff1 = r->value >> 16 & 0xff;

	if (r->value >> 40 & 1)
		return ~self;
	return aff1 < 4 ? (r->value & 0xffff) << (16 * aff1) : 0;
}

/* What the guest itself says: slices that nest, on a track that only those have who say something.
 */
static int on_handler(struct perfetto *x, FILE *f, struct vcpu_tracks *v,
		      const struct vgr_handler *r)
{
	struct event e = {.time = r->r.time, .track = uuid_of(v, T_HANDLERS), .type = SLICE_END};
	char name[48];
	int ret;

	if (!v->handlers_named) {
		v->handlers_named = true;
		snprintf(name, sizeof(name), "vCPU %u guest handlers", v->vcpu);
		ret = name_track(x, f, e.track, uuid_of(v, T_RUN), name, false);
		if (ret)
			return ret;
	}
	/* The trace may have begun within one. */
	if (!r->begin && !v->handlers)
		return 0;
	if (r->begin) {
		char device[sizeof(r->name)];

		text_comm(device, r->name);
		snprintf(name, sizeof(name), "%s (%u)", device, r->irq);
		e.type = SLICE_BEGIN;
		e.name = name;
	}
	v->handlers += r->begin ? 1 : -1;
	return put(x, f, &e);
}

static int vcpu_record(struct perfetto *x, FILE *f, struct vcpu_tracks *v,
		       const struct vgr_rec *rec)
{
	const void *p = rec;
	int ret;

	switch (rec->type) {
	case VGR_FLUSH:
		return on_flush(x, f, v, p);
	case VGR_SYNC:
		return on_sync(x, f, v, p);
	case VGR_ENTRY:
		ret = end_outside(x, f, v, rec->time);
		v->inside = true;
		v->entry = rec->time;
		return ret;
	case VGR_EXIT:
		ret = end_outside(x, f, v, rec->time);
		return ret ? ret : on_guest_exit(x, f, v, p);
	case VGR_DIR:
		v->why = "DIR";
		return instant(x, f, v, rec->time, "DIR",
			       (uint32_t)((const struct vgr_dir *)p)->value & 0xffffff, true);
	case VGR_SGI: {
		const struct vgr_sgi *r = p;

		v->why = "SGI";
		return on_sgi(x, f, rec, r->value >> 24 & 0xf, sgi_targets(r));
	}
	case VGR_MMIO:
		v->why = "MMIO";
		return 0;
	case VGR_WFX:
		v->why = ((const struct vgr_wfx *)p)->wfe ? "WFE" : "WFI";
		return 0;
	case VGR_HANDLER:
		return on_handler(x, f, v, p);
	default:
		return 0;
	}
}

static int perfetto_record(void *state, FILE *f, const struct text_gic *g,
			   const struct vgr_rec *rec, uint64_t number)
{
	struct perfetto *x = state;
	struct vcpu_tracks *v;
	int ret = 0;

	rec = vgic_decode(x->decoder, rec);
	if (rec->type == VGR_VCPU) {
		const struct vgr_vcpu *r = (const void *)rec;

		ret = name_vm(x, f, rec->vm, r->tgid, r->comm);
	}
	if (ret || rec->vm == VGR_NO_VM)
		return ret;
	if (rec->type == VGR_INJECT)
		return on_raise(x, f, (const void *)rec);
	if (rec->vcpu == VGR_NO_VCPU)
		return 0;
	v = vcpu_of(x, rec);
	if (!v)
		return -ENOMEM;
	ret = name_vcpu(x, f, v);
	return ret ? ret : vcpu_record(x, f, v, rec);
}

static int perfetto_begin(void **state, FILE *f, const struct vgr_header *h)
{
	struct perfetto *x = calloc(1, sizeof(*x));

	*state = x;
	if (!x)
		return -ENOMEM;
	x->p = (struct protobuf){.data = x->data, .cap = sizeof(x->data)};
	x->nr_lr = h->nr_lr;
	x->cap_journeys = 1024;
	x->journeys = calloc(x->cap_journeys, sizeof(*x->journeys));
	if (!x->journeys)
		return -ENOMEM;
	return vgic_decoder_create(&x->decoder, h->gic_host, h->vgic_model);
}

/* What is still going on ends with the recording. */
static int perfetto_end(void *state, FILE *f, uint64_t last)
{
	struct perfetto *x = state;
	int ret = 0;

	for (size_t i = 0; !ret && i < x->nr_vcpus; i++) {
		ret = end_outside(x, f, &x->vcpus[i], last);
		for (unsigned int k = 0; !ret && k < VGR_MAX_LRS; k++)
			ret = close_lr(x, f, &x->vcpus[i], k, last);
	}
	return ret;
}

static void perfetto_destroy(void *state)
{
	struct perfetto *x = state;

	if (!x)
		return;
	vgic_decoder_destroy(x->decoder);
	free(x->vcpus);
	free(x->journeys);
	free(x);
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.begin = perfetto_begin,
	.record = perfetto_record,
	.end = perfetto_end,
	.destroy = perfetto_destroy,
};
