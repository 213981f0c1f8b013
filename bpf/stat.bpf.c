// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics that are kept in the kernel: no records, no reader that has to keep up. What is
 * counted, and by which rules, stands in <vgicsim/stat_counts.h>; programs have the names of those
 * of the capture, so that one table says where each is attached (bpf/probes.c).
 */
#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "shared.h"
#include "statshared.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct stat_config config;

#include "vgic.bpf.h"

volatile struct stat_control control;
__u32 next_vm;
/* Counts vCPUs that have gone: what was kept by address holds no longer. */
__u32 vcpus_gone;

#define KVM_MMIO_READ_UNSATISFIED 0
#define KVM_MMIO_WRITE		  2
#define GICD_SGIR		  0xf00
#define NO_SLOT			  0xffffffffu
#define NO_VM			  0xffffffffu
#define NO_VCPU			  0xffffu
#define NR_PRIVATE		  32
#define FIRST_LPI		  8192
#define MAX_VCPUS		  512

/* FLUSHED: the guest has not been entered yet. */
enum phase { PHASE_NONE, PHASE_FLUSHED, PHASE_INSIDE, PHASE_FOLDED };

/* Who waited for an LR at a place of a list, and at which flush of the vCPU. */
struct waiting {
	__u64 addr;
	__u64 flush;
};

/* What one physical CPU is doing. */
struct stat_cpu {
	struct kvm_vcpu *known; /* the vCPU that was here last, if it is counted ... */
	__u32 gone;		/* ... for as long as vcpus_gone is the same */
	__u32 slot;		/* its slot */
	__u32 loaded;		/* slot of the vCPU loaded here, or NO_SLOT */
	__u32 phase;
	__u32 used; /* LRs of the last flush */
	__u32 depth;
	__u32 nested;
	__u32 n; /* of the loop in progress */
	__u32 outside;
	__u32 nr_active; /* candidates for EOIcount */
	__u64 at;
	__u64 flush_time;
	__u64 entry_time;
	struct images hw;	  /* as read last */
	__u64 lr[VGR_MAX_LRS];	  /* as the last flush left them */
	__u32 intid[VGR_MAX_LRS]; /* of the valid ones, nr_valid of them */
	__u32 nr_valid;
	__u64 active[VGR_MAX_IRQS]; /* addresses */
	struct waiting waiting[VGR_MAX_IRQS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stat_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stat_slot);
} slots SEC(".maps");

/* Numbers of slots that nobody has. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_slots SEC(".maps");

/* SPIs by slot of their VM, and slots that no VM has. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stat_vm);
} spis SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_vms SEC(".maps");

/* A VM by the address of its structure; number NO_VM: not counted. */
struct vm_identity {
	__u32 number;
	__u32 slot;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct vm_identity);
} vms SEC(".maps");

/* Slots of vCPUs by number of their VM, in the upper half, and vcpu_idx. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} by_index SEC(".maps");

/* The slot of a vCPU by its address; NO_SLOT: not counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} vcpus SEC(".maps");

/* LPIs between raise and LR: number of the VM above the INTID, and the word. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} lpis SEC(".maps");

static __always_inline struct stat_cpu *this_cpu(void)
{
	__u32 cpu;

	if (!control.running)
		return NULL;
	cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline struct stat_slot *slot_at(__u32 n)
{
	return bpf_map_lookup_elem(&slots, &n);
}

#define ADD(counter, n) ((counter) += (n))

/* ---- who it is ---- */

static __always_inline struct vm_identity *adopt_vm(__u64 key)
{
	struct vm_identity *vm = bpf_map_lookup_elem(&vms, &key), new = {NO_VM, NO_SLOT};

	if (vm)
		return vm;
	if (process_wanted()) {
		if (bpf_map_pop_elem(&free_vms, &new.slot))
			return NULL;
		new.number = __sync_fetch_and_add(&next_vm, 1) & 0xffffff;
	}
	if (bpf_map_update_elem(&vms, &key, &new, BPF_NOEXIST) && new.slot != NO_SLOT)
		bpf_map_push_elem(&free_vms, &new.slot, 0);
	return bpf_map_lookup_elem(&vms, &key);
}

static __always_inline __u64 index_key(__u32 vm, __u32 vcpu)
{
	return (__u64)vm << 32 | vcpu;
}

/* Called on the vCPU's own thread only: it decides by the current process. */
static __noinline int adopt_vcpu(struct kvm_vcpu *vcpu)
{
	__u64 kvm_key = (__u64)BPF_CORE_READ(vcpu, kvm), key = (__u64)vcpu;
	struct vm_identity *vm = adopt_vm(kvm_key);
	__u32 n, vm_slot, slot = NO_SLOT, *found;
	struct stat_slot *s;

	if (!vm)
		goto full;
	n = vm->number;
	vm_slot = vm->slot;
	if (n != NO_VM && bpf_map_pop_elem(&free_slots, &slot))
		goto full;
	if (bpf_map_update_elem(&vcpus, &key, &slot, BPF_NOEXIST)) {
		if (n != NO_VM)
			bpf_map_push_elem(&free_slots, &slot, 0);
		found = bpf_map_lookup_elem(&vcpus, &key);
		if (!found)
			goto full;
		return *found;
	}
	s = slot_at(slot);
	if (!s)
		return NO_SLOT;
	s->vm = n;
	s->vm_slot = vm_slot;
	s->vcpu = BPF_CORE_READ(vcpu, vcpu_idx);
	s->tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(s->comm, sizeof(s->comm));
	s->kvm = kvm_key;
	s->exit_time = s->dist_page = 0;
	s->misr = s->exited = s->v2_guest = s->nr_ended = 0;
	s->kind = s->last_kind = VGIC_STAT_OTHER;
	__builtin_memset(s->private_words, 0, sizeof(s->private_words));
	__sync_lock_test_and_set(&s->state, SLOT_LIVE);
	key = index_key(n, s->vcpu);
	bpf_map_update_elem(&by_index, &key, &slot, BPF_ANY);
	return slot;
full:
	__sync_fetch_and_add(&control.vcpus_full, 1);
	return NO_SLOT;
}

/* The slot of a vCPU that has been seen before, or NO_SLOT. */
static __always_inline __u32 known_vcpu(struct kvm_vcpu *vcpu)
{
	__u64 key = (__u64)vcpu;
	__u32 *slot = bpf_map_lookup_elem(&vcpus, &key);

	return slot ? *slot : NO_SLOT;
}

static __always_inline __u32 own_vcpu(struct kvm_vcpu *vcpu)
{
	__u64 key = (__u64)vcpu;
	__u32 *slot = bpf_map_lookup_elem(&vcpus, &key);

	return slot ? *slot : (__u32)adopt_vcpu(vcpu);
}

/* Where the guest's distributor is, and which: both may come late. */
static __always_inline void look_at_guest(struct stat_slot *s)
{
	const struct vgic_dist *dist = &AT(struct kvm, s->kvm)->arch.vgic;
	__u64 base = dist->vgic_dist_base;

	/* KVM_DEV_TYPE_ARM_VGIC_V2 */
	s->v2_guest = dist->vgic_model == 5;
	s->dist_page = ~base ? base >> 12 : 0;
}

/* The vCPU that is here; NULL: it is not counted. */
static __always_inline struct stat_slot *enter_vcpu(struct stat_cpu *cs, struct kvm_vcpu *vcpu)
{
	__u32 gone = *(volatile __u32 *)&vcpus_gone;
	struct stat_slot *s;
	__u32 slot;

	if (cs->known == vcpu && cs->gone == gone)
		return slot_at(cs->slot);
	cs->known = NULL;
	cs->phase = PHASE_NONE;
	slot = own_vcpu(vcpu);
	cs->loaded = slot;
	if (slot == NO_SLOT)
		return NULL;
	s = slot_at(slot);
	if (!s)
		return NULL;
	look_at_guest(s);
	cs->slot = slot;
	cs->gone = gone;
	cs->known = vcpu;
	return s;
}

/* ---- raise to LR ---- */

/* Events on an interrupt; another CPU may come between reading and writing its word. */
enum raise_event { RAISED, LOWERED, OUTSIDE, ENTERED, LEFT_PENDING, LEFT_TAKEN };

static __always_inline __u64 after_event(__u64 word, const enum raise_event event, __u64 time)
{
	switch (event) {
	case RAISED:
		return vgic_stat_raised(word, time);
	case LOWERED:
		return vgic_stat_lowered(word);
	case OUTSIDE:
		return vgic_stat_outside(word, time);
	case ENTERED:
		return vgic_stat_entered(word);
	case LEFT_PENDING:
		return vgic_stat_left(word, 1);
	default:
		return vgic_stat_left(word, 0);
	}
}

/* The word of an interrupt that is no LPI, if it has one. s: slot of its vCPU, if it is private. */
static __always_inline uint64_t *word_of(struct stat_slot *s, __u32 vm_slot, __u32 intid)
{
	struct stat_vm *vm;

	if (intid < NR_PRIVATE)
		return s ? &s->private_words[intid] : NULL;
	intid -= NR_PRIVATE;
	if (intid >= NR_SPIS)
		return NULL;
	vm = bpf_map_lookup_elem(&spis, &vm_slot);
	return vm ? &vm->words[intid] : NULL;
}

/* What the word was before. */
static __always_inline __u64 change(uint64_t *word, const enum raise_event event, __u64 time)
{
	__u64 was = 0, is;
	int i;

	for (i = 0; i < 4; i++) {
		was = *(volatile __u64 *)word;
		is = after_event(was, event, time);
		if (is == was || __sync_val_compare_and_swap(word, was, is) == was)
			break;
	}
	return was;
}

static __always_inline __u64 change_lpi(__u32 vm, __u32 intid, const enum raise_event event,
					__u64 time)
{
	__u64 key = (__u64)vm << 32 | intid, was, is;
	uint64_t *word = bpf_map_lookup_elem(&lpis, &key);

	if (word) {
		was = change(word, event, time);
		if (!*(volatile __u64 *)word)
			bpf_map_delete_elem(&lpis, &key);
		return was;
	}
	is = after_event(0, event, time);
	if (is && bpf_map_update_elem(&lpis, &key, &is, BPF_ANY))
		__sync_fetch_and_add(&control.raises_full, 1);
	return 0;
}

static __always_inline __u64 raise_event(struct stat_slot *s, __u32 intid,
					 const enum raise_event event, __u64 time)
{
	uint64_t *word;

	if (intid >= FIRST_LPI)
		return change_lpi(s->vm, intid, event, time);
	word = word_of(s, s->vm_slot, intid);
	return word ? change(word, event, time) : 0;
}

/* ---- flush ---- */

/* What the last exit was for is known now. */
static __always_inline void settle(struct stat_slot *s)
{
	if (!s->exited)
		return;
	s->exited = 0;
	s->last_kind = s->kind;
	vgic_stat_count_exit(&s->counts, s->kind, s->misr);
}

/*
 * Is it in one of the LRs that the last flush left? A global function is verified once and not
 * again on every path that leads to it.
 */
__noinline int in_lr(struct stat_cpu *cs, __u32 intid)
{
	__u32 i;

	if (!cs)
		return 0;
	for (i = 0; i < VGR_MAX_LRS; i++) {
		if (i >= cs->nr_valid)
			break;
		if (cs->intid[i] == intid)
			return 1;
	}
	return 0;
}

static __always_inline bool is_pending(const struct vgic_irq *irq)
{
	return (BPF_CORE_READ_BITFIELD(irq, pending_latch) & 1) ||
	       (BPF_CORE_READ_BITFIELD(irq, config) == VGIC_CONFIG_LEVEL &&
		(BPF_CORE_READ_BITFIELD(irq, line_level) & 1));
}

/* Entry k of the list, which may stand outside the LRs. A global function, as above. */
__noinline int look_outside(struct stat_cpu *cs, struct stat_slot *s, __u64 addr, __u32 k)
{
	const struct vgic_irq *irq = irq_at(addr);
	__u32 active, waits;
	struct waiting *w;

	if (!cs || !s)
		return 0;
	active = BPF_CORE_READ_BITFIELD(irq, active) & 1;
	waits = vgic_stat_waits(is_pending(irq), BPF_CORE_READ_BITFIELD(irq, enabled) & 1, active,
				(__u64)irq->target_vcpu == (__u64)cs->known);
	if (!vgic_stat_overflows(waits, active) || in_lr(cs, irq->intid))
		return 0;
	cs->outside++;
	KEEP(k);
	if (!waits || k >= VGR_MAX_IRQS)
		return 0;
	w = &cs->waiting[k];
	/* Mostly it has waited before, and its word says so. */
	if (w->addr != addr || w->flush + 1 != s->flushes)
		raise_event(s, irq->intid, OUTSIDE, cs->flush_time);
	w->addr = addr;
	w->flush = s->flushes;
	return 0;
}

/* How many stand outside: only a list that is longer than the LRs in use can have any. */
static __always_inline void count_outside(struct stat_cpu *cs, struct stat_slot *s)
{
	__u64 head = (__u64)cs->known +
		     bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.ap_list_head);
	const struct vgic_irq *irq;

	cs->at = *words_at(head);
	cs->n = 0;
	cs->outside = 0;
	while (cs->at != head && cs->n < cs->used && can_loop) {
		cs->at = *words_at(cs->at);
		cs->n++;
	}
	if (cs->at == head)
		return;
	cs->at = *words_at(head);
	cs->n = 0;
	while (cs->at != head && can_loop) {
		__u64 addr = cs->at - bpf_core_field_offset(struct vgic_irq, ap_list);

		irq = irq_at(addr);
		/* It has moved to another list, and would lead there. */
		if (cs->n >= VGR_MAX_IRQS || (__u64)irq->vcpu != (__u64)cs->known) {
			__sync_fetch_and_add(&control.cut, 1);
			break;
		}
		cs->at = (__u64)irq->ap_list.next;
		cs->n++;
		look_outside(cs, s, addr, cs->n - 1);
	}
}

static __always_inline __u32 lr_limit(__u32 n)
{
	__u32 limit = config.gicv2 ? VGR_MAX_LRS : VGR_MAX_LRS_V3;

	if (n > config.nr_lr)
		n = config.nr_lr;
	return n > limit ? limit : n;
}

static __always_inline int flush_begin(struct kvm_vcpu *vcpu)
{
	struct stat_cpu *cs = this_cpu();

	if (cs)
		enter_vcpu(cs, vcpu);
	return 0;
}

/* vcpu: NULL where it is not at hand, and a flush has a probe at its begin. */
static __always_inline int flush_end(struct kvm_vcpu *vcpu)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s;
	struct cpuif cpuif;
	__u32 i, used;

	if (!cs)
		return 0;
	if (!vcpu)
		vcpu = cs->known;
	s = vcpu ? enter_vcpu(cs, vcpu) : NULL;
	if (!s)
		return 0;
	settle(s);
	read_cpuif(&cs->hw, vcpu, &cpuif);
	used = lr_limit(cpuif.used_lrs);
	cs->used = used;
	cs->flush_time = bpf_ktime_get_ns();
	cs->nested = 0;
	cs->nr_valid = 0;
	read_lrs(&cs->hw, vcpu, used);
	for (i = 0; i < VGR_MAX_LRS; i++) {
		if (i >= used)
			break;
		cs->lr[i] = cs->hw.lr[i];
		if (vgic_stat_lr_valid(cs->lr[i], config.gicv2))
			cs->intid[cs->nr_valid++ & (VGR_MAX_LRS - 1)] =
				vgic_stat_lr_intid(cs->lr[i], s->v2_guest);
	}
	s->flushes++;
	count_outside(cs, s);
	cs->depth = cs->outside;
	cs->phase = PHASE_FLUSHED;
	return 0;
}

/* ---- entry ---- */

/* Since when an interrupt counts that nobody announced. */
static __always_inline __u64 unannounced(const struct stat_cpu *cs, const struct stat_slot *s,
					 __u32 intid)
{
	__u32 i;

	for (i = 0; i < VGIC_STAT_ENDED; i++) {
		if (i >= s->nr_ended)
			break;
		if (s->ended[i] == intid)
			return s->exit_time;
	}
	return cs->flush_time;
}

__noinline int enter_lr(struct stat_cpu *cs, struct stat_slot *s, __u32 i, __u64 now)
{
	__u64 word, since, ns;
	__u32 intid, bucket;

	if (!cs || !s || i >= VGR_MAX_LRS || !vgic_stat_lr_pending(cs->lr[i], config.gicv2))
		return 0;
	intid = vgic_stat_lr_intid(cs->lr[i], s->v2_guest);
	word = raise_event(s, intid, ENTERED, now);
	if (!vgic_stat_arrives(word))
		return 0;
	since = vgic_stat_since(word, unannounced(cs, s, intid));
	ns = now > since ? now - since : 0;
	bucket = vgic_stat_time_bucket(ns);
	if (bucket >= VGIC_STAT_TIMES)
		return 0;
	ADD(s->counts.raise[bucket], 1);
	ADD(s->counts.raise_ns, ns);
	if (ns > s->counts.raise_max_ns)
		s->counts.raise_max_ns = ns;
	return 0;
}

static __always_inline int enter(void)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s;
	__u32 used, depth, kind, i;
	__u64 now;

	if (!cs || !cs->known)
		return 0;
	s = slot_at(cs->slot);
	if (!s)
		return 0;
	now = bpf_ktime_get_ns();
	cs->entry_time = now;
	ADD(s->counts.entries, 1);
	if (cs->phase != PHASE_FLUSHED)
		return 0;
	cs->phase = PHASE_INSIDE;
	kind = s->last_kind;
	if (s->exit_time && kind < VGIC_STAT_KINDS) {
		ADD(s->counts.out[kind], 1);
		ADD(s->counts.out_ns[kind], now - s->exit_time);
	}
	used = cs->used;
	if (used <= VGR_MAX_LRS)
		ADD(s->counts.lrs[used], 1);
	depth = vgic_stat_depth_bucket(cs->depth);
	if (depth < VGIC_STAT_DEPTHS)
		ADD(s->counts.depth[depth], 1);
	if (cs->depth > s->counts.depth_max)
		s->counts.depth_max = cs->depth;
	for (i = 0; i < VGR_MAX_LRS; i++) {
		if (i >= used)
			break;
		enter_lr(cs, s, i, now);
	}
	return 0;
}

/* ---- sync ---- */

/* What the last run did to an interrupt that was in an LR. */
static __always_inline void leave_lr(struct stat_slot *s, __u64 was, __u64 is)
{
	__u32 intid = vgic_stat_lr_intid(was, s->v2_guest), n;

	if (vgic_stat_lr_pending(was, config.gicv2)) {
		if (vgic_stat_lr_pending(is, config.gicv2))
			raise_event(s, intid, LEFT_PENDING, 0);
		else
			raise_event(s, intid, LEFT_TAKEN, 0);
	}
	if (vgic_stat_lr_valid(was, config.gicv2) && !vgic_stat_lr_valid(is, config.gicv2) &&
	    (vgic_stat_lr_hw(was, config.gicv2) || vgic_stat_lr_eoi(was, config.gicv2))) {
		n = s->nr_ended;
		if (n < VGIC_STAT_ENDED) {
			s->ended[n] = intid;
			s->nr_ended = n + 1;
		}
	}
}

/* What MISR asks of an LR, to be added up: valid, only pending, an EOI to be told of. */
#define LR_VALID   1u
#define LR_PENDING (1u << 8)
#define LR_EOI	   (1u << 16)

/* A global function, as above; and a sum that the verifier does not follow. */
__noinline int read_lr(struct stat_cpu *cs, struct stat_slot *s, __u32 i, __u32 used)
{
	__u32 sum = 0;
	__u64 lr;

	if (!cs || !s || i >= VGR_MAX_LRS)
		return 0;
	lr = cs->hw.lr[i];
	if (i < used)
		leave_lr(s, cs->lr[i], lr);
	if (!vgic_stat_lr_valid(lr, config.gicv2))
		return vgic_stat_lr_eoi(lr, config.gicv2) ? LR_EOI : 0;
	sum = LR_VALID;
	if (vgic_stat_lr_pending(lr, config.gicv2) && !vgic_stat_lr_active(lr, config.gicv2))
		sum |= LR_PENDING;
	return sum;
}

/* The active ones that are in no LR: what EOIcount may have ended is among them. */
__noinline int keep_active(struct stat_cpu *cs, __u64 addr)
{
	const struct vgic_irq *irq = irq_at(addr);
	__u32 n;

	if (!cs || !(BPF_CORE_READ_BITFIELD(irq, active) & 1) || in_lr(cs, irq->intid))
		return 0;
	n = cs->nr_active;
	if (n < VGR_MAX_IRQS) {
		cs->active[n] = addr;
		cs->nr_active = n + 1;
	}
	return 0;
}

static __always_inline void keep_all_active(struct stat_cpu *cs)
{
	__u64 head = (__u64)cs->known +
		     bpf_core_field_offset(struct kvm_vcpu, arch.vgic_cpu.ap_list_head);
	const struct vgic_irq *irq;

	cs->at = *words_at(head);
	cs->n = 0;
	while (cs->at != head && can_loop) {
		__u64 addr = cs->at - bpf_core_field_offset(struct vgic_irq, ap_list);

		irq = irq_at(addr);
		if (cs->n >= VGR_MAX_IRQS || (__u64)irq->vcpu != (__u64)cs->known) {
			__sync_fetch_and_add(&control.cut, 1);
			break;
		}
		cs->at = (__u64)irq->ap_list.next;
		cs->n++;
		keep_active(cs, addr);
	}
}

/* The hardware's state stands in the shadow, and nothing has been folded yet. */
static __always_inline void sample(struct stat_cpu *cs, struct stat_slot *s, bool folded)
{
	__u32 sum = 0, used, read, i;
	struct cpuif cpuif;
	__u64 now = bpf_ktime_get_ns();

	read_cpuif(&cs->hw, cs->known, &cpuif);
	read = lr_limit(cpuif.used_lrs);
	read_lrs(&cs->hw, cs->known, read);
	used = read < cs->used ? read : cs->used;
	if (cs->phase == PHASE_NONE)
		used = 0;
	s->nr_ended = 0;
	cs->nr_active = 0;
	for (i = 0; i < VGR_MAX_LRS; i++) {
		if (i >= read)
			break;
		sum += read_lr(cs, s, i, used);
	}
	s->misr = cs->nested ? 0
			     : vgic_stat_misr(cpuif.hcr_vmcr, cpuif.hcr_vmcr >> 32, sum & 0xff,
					      sum >> 8 & 0xff, sum >> 16);
	if (cs->phase != PHASE_INSIDE)
		return;
	s->exit_time = now;
	ADD(s->counts.guest_ns, now - cs->entry_time);
	if (folded && vgic_stat_eoicount(cpuif.hcr_vmcr))
		keep_all_active(cs);
}

static __always_inline int sync_fold(struct kvm_vcpu *vcpu)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s;

	if (!cs)
		return 0;
	s = enter_vcpu(cs, vcpu);
	if (!s)
		return 0;
	sample(cs, s, true);
	cs->phase = PHASE_FOLDED;
	return 0;
}

static __always_inline int sync_end(void)
{
	struct stat_cpu *cs = this_cpu();
	const struct vgic_irq *irq;
	struct stat_slot *s;
	__u32 i;

	if (!cs || !cs->known)
		return 0;
	/* Legacy kernels do not fold where no LR is in use; nobody does in the nested state. */
	if (cs->phase == PHASE_FOLDED) {
		cs->phase = PHASE_NONE;
		if (!cs->nr_active)
			return 0;
	} else if (cs->phase == PHASE_NONE) {
		return 0;
	}
	s = slot_at(cs->slot);
	if (!s)
		return 0;
	if (cs->phase != PHASE_NONE) {
		sample(cs, s, false);
		cs->phase = PHASE_NONE;
		return 0;
	}
	cs->n = 0;
	while (cs->n < cs->nr_active && can_loop) {
		i = cs->n;
		if (i >= VGR_MAX_IRQS)
			break;
		irq = irq_at(cs->active[i]);
		if (!(BPF_CORE_READ_BITFIELD(irq, active) & 1))
			ADD(s->counts.eoicount, 1);
		cs->n = i + 1;
	}
	return 0;
}

/* ---- exit and what it was for ---- */

static __always_inline int leave(int ret, unsigned int esr_ec)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s;

	if (!cs || !cs->known)
		return 0;
	s = slot_at(cs->slot);
	if (!s)
		return 0;
	settle(s);
	s->exited = 1;
	s->kind = vgic_stat_exit_kind(ret, esr_ec, s->misr);
	return 0;
}

static __always_inline void explain(struct stat_slot *s, const __u32 kind)
{
	s->kind = kind;
	if (kind == VGIC_STAT_DIR)
		ADD(s->counts.dir, 1);
	if (kind == VGIC_STAT_SGI)
		ADD(s->counts.sgi, 1);
}

static __always_inline int dir(struct kvm_vcpu *vcpu)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s = cs ? slot_at(known_vcpu(vcpu)) : NULL;

	if (s)
		explain(s, VGIC_STAT_DIR);
	return 0;
}

/* An SGI for a vCPU; one that has not run yet has no word. */
__noinline int raise_sgi(__u32 vm, __u32 vcpu, __u32 intid, __u64 now)
{
	__u64 key = index_key(vm, vcpu);
	__u32 *slot = bpf_map_lookup_elem(&by_index, &key);
	struct stat_slot *s = slot ? slot_at(*slot) : NULL;

	if (s && intid < NR_PRIVATE)
		change(&s->private_words[intid], RAISED, now);
	return 0;
}

static __always_inline int sgi(struct kvm_vcpu *vcpu, __u64 value, bool allow_group1)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s = cs ? slot_at(known_vcpu(vcpu)) : NULL;
	__u32 vm, self, intid = vgic_stat_sgi_intid(value), first, n, i;
	__u64 now;

	if (!s)
		return 0;
	explain(s, VGIC_STAT_SGI);
	if (!allow_group1)
		return 0;
	vm = s->vm;
	self = s->vcpu;
	now = bpf_ktime_get_ns();
	if (!vgic_stat_sgi_all(value)) {
		first = vgic_stat_sgi_group(value) * 16;
		for (i = 0; i < 16; i++) {
			if (value >> i & 1)
				raise_sgi(vm, first + i, intid, now);
		}
		return 0;
	}
	n = AT(struct kvm, s->kvm)->online_vcpus.counter;
	if (n > MAX_VCPUS)
		n = MAX_VCPUS;
	cs->n = 0;
	while (cs->n < n && can_loop) {
		if (cs->n != self)
			raise_sgi(vm, cs->n, intid, now);
		cs->n++;
	}
	return 0;
}

static __always_inline int inject(struct kvm *kvm, struct kvm_vcpu *vcpu, __u32 intid, bool level,
				  void *owner)
{
	struct vm_identity *vm;
	struct stat_slot *s = NULL;
	__u64 key = (__u64)kvm;
	uint64_t *word;

	if (!this_cpu())
		return 0;
	vm = bpf_map_lookup_elem(&vms, &key);
	if (!vm || vm->number == NO_VM || !line_changes(kvm, vcpu, intid, level, owner))
		return 0;
	if (intid < NR_PRIVATE && vcpu)
		s = slot_at(known_vcpu(vcpu));
	word = word_of(s, vm->slot, intid);
	if (!word)
		return 0;
	if (level)
		change(word, RAISED, bpf_ktime_get_ns());
	else
		change(word, LOWERED, 0);
	return 0;
}

/* ---- programs ---- */

SEC("fentry/kvm_vgic_flush_hwstate")
int BPF_PROG(fentry_flush_begin, struct kvm_vcpu *vcpu)
{
	return flush_begin(vcpu);
}

SEC("kprobe/kvm_vgic_flush_hwstate")
int BPF_KPROBE(kprobe_flush_begin, struct kvm_vcpu *vcpu)
{
	return flush_begin(vcpu);
}

SEC("fexit/vgic_v3_configure_hcr")
int BPF_PROG(fexit_flush_config, struct kvm_vcpu *vcpu)
{
	return flush_end(vcpu);
}

SEC("kretprobe/vgic_v3_configure_hcr")
int BPF_KRETPROBE(kretprobe_flush_config)
{
	return flush_end(NULL);
}

SEC("fexit/vgic_v2_configure_hcr")
int BPF_PROG(fexit_flush_config_v2, struct kvm_vcpu *vcpu)
{
	return flush_end(vcpu);
}

SEC("kretprobe/vgic_v2_configure_hcr")
int BPF_KRETPROBE(kretprobe_flush_config_v2)
{
	return flush_end(NULL);
}

SEC("fexit/kvm_vgic_flush_hwstate")
int BPF_PROG(fexit_flush_end, struct kvm_vcpu *vcpu)
{
	return flush_end(vcpu);
}

SEC("kretprobe/kvm_vgic_flush_hwstate")
int BPF_KRETPROBE(kretprobe_flush_end)
{
	return flush_end(NULL);
}

SEC("fentry/vgic_v3_fold_lr_state")
int BPF_PROG(fentry_sync_fold, struct kvm_vcpu *vcpu)
{
	return sync_fold(vcpu);
}

SEC("kprobe/vgic_v3_fold_lr_state")
int BPF_KPROBE(kprobe_sync_fold, struct kvm_vcpu *vcpu)
{
	return sync_fold(vcpu);
}

SEC("fentry/vgic_v2_fold_lr_state")
int BPF_PROG(fentry_sync_fold_v2, struct kvm_vcpu *vcpu)
{
	return sync_fold(vcpu);
}

SEC("kprobe/vgic_v2_fold_lr_state")
int BPF_KPROBE(kprobe_sync_fold_v2, struct kvm_vcpu *vcpu)
{
	return sync_fold(vcpu);
}

SEC("fexit/kvm_vgic_sync_hwstate")
int BPF_PROG(fexit_sync_end)
{
	return sync_end();
}

SEC("kretprobe/kvm_vgic_sync_hwstate")
int BPF_KRETPROBE(kretprobe_sync_end)
{
	return sync_end();
}

SEC("fentry/vgic_v3_sync_nested")
int BPF_PROG(fentry_sync_nested)
{
	struct stat_cpu *cs = this_cpu();

	if (cs)
		cs->nested = 1;
	return 0;
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(tp_entry)
{
	return enter();
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(tp_exit, int ret, unsigned int esr_ec)
{
	return leave(ret, esr_ec);
}

SEC("fentry/kvm_vgic_inject_irq")
int BPF_PROG(fentry_inject, struct kvm *kvm, struct kvm_vcpu *vcpu, unsigned int intid, bool level,
	     void *owner)
{
	return inject(kvm, vcpu, intid, level, owner);
}

SEC("kprobe/kvm_vgic_inject_irq")
int BPF_KPROBE(kprobe_inject, struct kvm *kvm, struct kvm_vcpu *vcpu, unsigned int intid,
	       bool level, void *owner)
{
	return inject(kvm, vcpu, intid, level, owner);
}

SEC("fentry/vgic_v3_dispatch_sgi")
int BPF_PROG(fentry_sgi, struct kvm_vcpu *vcpu, __u64 value, bool allow_group1)
{
	return sgi(vcpu, value, allow_group1);
}

SEC("kprobe/vgic_v3_dispatch_sgi")
int BPF_KPROBE(kprobe_sgi, struct kvm_vcpu *vcpu, __u64 value, bool allow_group1)
{
	return sgi(vcpu, value, allow_group1);
}

SEC("fentry/vgic_v3_deactivate")
int BPF_PROG(fentry_dir, struct kvm_vcpu *vcpu)
{
	return dir(vcpu);
}

SEC("kprobe/vgic_v3_deactivate")
int BPF_KPROBE(kprobe_dir, struct kvm_vcpu *vcpu)
{
	return dir(vcpu);
}

SEC("fentry/vgic_v2_deactivate")
int BPF_PROG(fentry_dir_v2, struct kvm_vcpu *vcpu)
{
	return dir(vcpu);
}

SEC("kprobe/vgic_v2_deactivate")
int BPF_KPROBE(kprobe_dir_v2, struct kvm_vcpu *vcpu)
{
	return dir(vcpu);
}

SEC("tp_btf/kvm_mmio")
int BPF_PROG(tp_mmio, int type, int len, __u64 gpa)
{
	struct stat_cpu *cs = this_cpu();
	struct stat_slot *s = cs ? slot_at(cs->loaded) : NULL;

	if (!s || (type != KVM_MMIO_READ_UNSATISFIED && type != KVM_MMIO_WRITE))
		return 0;
	/* The SGI register of a GICv2 guest. */
	if (type == KVM_MMIO_WRITE && s->v2_guest && s->dist_page &&
	    gpa == (s->dist_page << 12) + GICD_SGIR)
		explain(s, VGIC_STAT_SGI);
	else
		explain(s, VGIC_STAT_MMIO);
	return 0;
}

static __always_inline int load(struct kvm_vcpu *vcpu)
{
	struct stat_cpu *cs = this_cpu();

	if (cs)
		cs->loaded = own_vcpu(vcpu);
	return 0;
}

SEC("fentry/kvm_vgic_load")
int BPF_PROG(fentry_load, struct kvm_vcpu *vcpu)
{
	return load(vcpu);
}

SEC("kprobe/kvm_vgic_load")
int BPF_KPROBE(kprobe_load, struct kvm_vcpu *vcpu)
{
	return load(vcpu);
}

static __always_inline int put(void)
{
	struct stat_cpu *cs = this_cpu();

	if (cs)
		cs->loaded = NO_SLOT;
	return 0;
}

SEC("fentry/kvm_vgic_put")
int BPF_PROG(fentry_put)
{
	return put();
}

SEC("kprobe/kvm_vgic_put")
int BPF_KPROBE(kprobe_put)
{
	return put();
}

static __always_inline int kick(struct kvm_vcpu *vcpu)
{
	struct stat_slot *s;

	if (!this_cpu())
		return 0;
	s = slot_at(known_vcpu(vcpu));
	if (s)
		__sync_fetch_and_add(&s->counts.kicks, 1);
	return 0;
}

SEC("fentry/__kvm_vcpu_kick")
int BPF_PROG(fentry_kick, struct kvm_vcpu *vcpu)
{
	return kick(vcpu);
}

SEC("kprobe/__kvm_vcpu_kick")
int BPF_KPROBE(kprobe_kick, struct kvm_vcpu *vcpu)
{
	return kick(vcpu);
}

SEC("fentry/kvm_vcpu_kick")
int BPF_PROG(fentry_kick_old, struct kvm_vcpu *vcpu)
{
	return kick(vcpu);
}

SEC("kprobe/kvm_vcpu_kick")
int BPF_KPROBE(kprobe_kick_old, struct kvm_vcpu *vcpu)
{
	return kick(vcpu);
}

/* The addresses may be given to others now; the loader takes the slot once it has read it. */
static __always_inline int vcpu_gone(__u64 key)
{
	__u32 *slot = bpf_map_lookup_elem(&vcpus, &key), n;
	struct stat_slot *s;

	__sync_fetch_and_add(&vcpus_gone, 1);
	if (!slot)
		return 0;
	n = *slot;
	bpf_map_delete_elem(&vcpus, &key);
	s = slot_at(n);
	if (!s)
		return 0;
	if (control.running)
		settle(s);
	key = index_key(s->vm, s->vcpu);
	bpf_map_delete_elem(&by_index, &key);
	__sync_lock_test_and_set(&s->state, SLOT_GONE);
	return 0;
}

SEC("fentry/kvm_arch_vcpu_destroy")
int BPF_PROG(fentry_vcpu_gone, struct kvm_vcpu *vcpu)
{
	return vcpu_gone((__u64)vcpu);
}

SEC("kprobe/kvm_arch_vcpu_destroy")
int BPF_KPROBE(kprobe_vcpu_gone, struct kvm_vcpu *vcpu)
{
	return vcpu_gone((__u64)vcpu);
}

struct bpf_map;

static long forget_lpi(struct bpf_map *map, __u64 *key, __u64 *word, __u32 *vm)
{
	if (*key >> 32 == *vm)
		bpf_map_delete_elem(map, key);
	return 0;
}

/* Its vCPUs do not run any more. */
static __always_inline int vm_gone(__u64 key)
{
	struct vm_identity *vm = bpf_map_lookup_elem(&vms, &key);
	struct stat_vm *words;
	__u32 n, slot, i;

	if (!vm)
		return 0;
	n = vm->number;
	slot = vm->slot;
	bpf_map_delete_elem(&vms, &key);
	if (n == NO_VM)
		return 0;
	bpf_for_each_map_elem(&lpis, forget_lpi, &n, 0);
	words = bpf_map_lookup_elem(&spis, &slot);
	if (!words)
		return 0;
	for (i = 0; i < NR_SPIS; i++)
		*(volatile __u64 *)&words->words[i] = 0;
	bpf_map_push_elem(&free_vms, &slot, 0);
	return 0;
}

SEC("fentry/kvm_arch_destroy_vm")
int BPF_PROG(fentry_vm_gone, struct kvm *kvm)
{
	return vm_gone((__u64)kvm);
}

SEC("kprobe/kvm_arch_destroy_vm")
int BPF_KPROBE(kprobe_vm_gone, struct kvm *kvm)
{
	return vm_gone((__u64)kvm);
}
