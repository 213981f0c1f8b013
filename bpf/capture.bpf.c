// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probes. Each one that a recording cannot do without comes twice, as fentry or
 * fexit and as kprobe or kretprobe; bpf/probes.c says which are loaded.
 *
 * All of them sit outside the world switch: with the hypervisor's vectors in place a
 * breakpoint or a fault would be fatal.
 */
#include "pairs.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define KVM_IRQ_ROUTING_MSI	  2
#define KVM_MMIO_READ_UNSATISFIED 0
#define KVM_MMIO_WRITE		  2

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
int BPF_PROG(fexit_flush_config)
{
	return flush_end(0);
}

SEC("kretprobe/vgic_v3_configure_hcr")
int BPF_KRETPROBE(kretprobe_flush_config)
{
	return flush_end(0);
}

SEC("fexit/vgic_v2_configure_hcr")
int BPF_PROG(fexit_flush_config_v2)
{
	return flush_end(0);
}

SEC("kretprobe/vgic_v2_configure_hcr")
int BPF_KRETPROBE(kretprobe_flush_config_v2)
{
	return flush_end(0);
}

SEC("fexit/kvm_vgic_flush_hwstate")
int BPF_PROG(fexit_flush_end)
{
	return flush_end(VGR_F_NO_CONFIG);
}

SEC("kretprobe/kvm_vgic_flush_hwstate")
int BPF_KRETPROBE(kretprobe_flush_end)
{
	return flush_end(VGR_F_NO_CONFIG);
}

SEC("fentry/kvm_vgic_sync_hwstate")
int BPF_PROG(fentry_sync_begin, struct kvm_vcpu *vcpu)
{
	return sync_begin(vcpu);
}

SEC("kprobe/kvm_vgic_sync_hwstate")
int BPF_KPROBE(kprobe_sync_begin, struct kvm_vcpu *vcpu)
{
	return sync_begin(vcpu);
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
int BPF_PROG(fexit_sync_end, struct kvm_vcpu *vcpu)
{
	return sync_end(vcpu);
}

SEC("kretprobe/kvm_vgic_sync_hwstate")
int BPF_KRETPROBE(kretprobe_sync_end)
{
	return sync_end(NULL);
}

SEC("fentry/vgic_v3_flush_nested")
int BPF_PROG(fentry_flush_nested)
{
	return mark_nested();
}

SEC("fentry/vgic_v3_sync_nested")
int BPF_PROG(fentry_sync_nested)
{
	return mark_nested();
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(tp_entry, unsigned long pc)
{
	struct cpu_state *cs = this_cpu();
	struct vgr_entry *r;

	if (!cs || !cs->run_known)
		return 0;
	r = record_begin_run(cs, sizeof(*r));
	if (r) {
		r->pc = pc;
		record_end(r, VGR_ENTRY);
	}
	return 0;
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(tp_exit, int ret, unsigned int esr_ec, unsigned long pc)
{
	struct cpu_state *cs = this_cpu();
	struct vgr_exit *r;

	if (!cs || !cs->run_known)
		return 0;
	r = record_begin_run(cs, sizeof(*r));
	if (r) {
		r->pc = pc;
		r->ret = ret;
		r->esr_ec = esr_ec;
		record_end(r, VGR_EXIT);
	}
	return 0;
}

static __always_inline int inject(struct kvm *kvm, struct kvm_vcpu *vcpu, __u32 intid, bool level,
				  void *owner)
{
	struct cpu_state *cs = this_cpu();
	struct identity *id = NULL;
	struct vgr_inject *r;
	__u16 vm, path;

	if (!cs)
		return 0;
	vm = known_vm(kvm);
	if (vm == VGR_NO_VM)
		return 0;
	if (intid < 32 && vcpu)
		id = known_vcpu(vcpu);
	if (!line_changes(kvm, vcpu, intid, level, owner))
		return 0;
	if (owner && vcpu &&
	    (__u64)owner == (__u64)vcpu + bpf_core_field_offset(struct kvm_vcpu, arch.pmu))
		path = VGR_PATH_PMU;
	else if (owner)
		path = owner == vcpu ? VGR_PATH_NESTED : VGR_PATH_TIMER;
	else if (cs->irqfd_tid && cs->irqfd_tid == (__u32)bpf_get_current_pid_tgid())
		path = VGR_PATH_IRQFD;
	else
		path = VGR_PATH_IOCTL;
	r = record_begin(cs, sizeof(*r), vm, id ? id->vcpu : VGR_NO_VCPU);
	if (r) {
		r->intid = intid;
		r->level = level;
		r->path = path;
		r->reserved = 0;
		record_end(r, VGR_INJECT);
	}
	return 0;
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

/* A thread that migrates between these two only changes the name of the path. */
SEC("fentry/vgic_irqfd_set_irq")
int BPF_PROG(fentry_irqfd_begin)
{
	struct cpu_state *cs = this_cpu();

	if (cs)
		cs->irqfd_tid = (__u32)bpf_get_current_pid_tgid();
	return 0;
}

SEC("fexit/vgic_irqfd_set_irq")
int BPF_PROG(fexit_irqfd_end)
{
	struct cpu_state *cs = this_cpu();

	if (cs)
		cs->irqfd_tid = 0;
	return 0;
}

static __always_inline int sgi(struct kvm_vcpu *vcpu, __u64 value, bool allow_group1)
{
	struct cpu_state *cs = this_cpu();
	struct identity *id = known_vcpu(vcpu);
	struct vgr_sgi *r;

	if (!cs || !id)
		return 0;
	r = record_begin(cs, sizeof(*r), id->vm, id->vcpu);
	if (r) {
		r->value = value;
		r->allow_group1 = allow_group1;
		__builtin_memset(r->reserved, 0, sizeof(r->reserved));
		record_end(r, VGR_SGI);
	}
	return 0;
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

static __always_inline void msi(struct kvm *kvm, __u32 devid, __u32 eventid, int ret, bool cached)
{
	struct cpu_state *cs = this_cpu();
	__u16 vm = known_vm(kvm);
	struct vgr_msi *r;

	if (!cs || vm == VGR_NO_VM)
		return;
	r = record_begin(cs, sizeof(*r), vm, VGR_NO_VCPU);
	if (r) {
		r->devid = devid;
		r->eventid = eventid;
		r->ret = ret;
		r->cached = cached;
		record_end(r, VGR_MSI);
	}
}

SEC("fexit/vgic_its_inject_msi")
int BPF_PROG(fexit_msi, struct kvm *kvm, struct kvm_msi *m, int ret)
{
	msi(kvm, m->devid, m->data, ret, false);
	return 0;
}

/* What this refuses comes again through vgic_its_inject_msi. */
SEC("fexit/kvm_arch_set_irq_inatomic")
int BPF_PROG(fexit_msi_atomic, struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm, int source,
	     int level, bool line_status, int ret)
{
	if (ret == 0 && BPF_CORE_READ(e, type) == KVM_IRQ_ROUTING_MSI)
		msi(kvm, BPF_CORE_READ(e, msi.devid), BPF_CORE_READ(e, msi.data), ret, true);
	return 0;
}

static __always_inline int dir(struct kvm_vcpu *vcpu, __u64 value)
{
	struct cpu_state *cs = this_cpu();
	struct identity *id = known_vcpu(vcpu);
	struct vgr_dir *r;

	if (!cs || !id)
		return 0;
	r = record_begin(cs, sizeof(*r), id->vm, id->vcpu);
	if (r) {
		r->value = value;
		record_end(r, VGR_DIR);
	}
	return 0;
}

SEC("fentry/vgic_v3_deactivate")
int BPF_PROG(fentry_dir, struct kvm_vcpu *vcpu, __u64 value)
{
	return dir(vcpu, value);
}

SEC("kprobe/vgic_v3_deactivate")
int BPF_KPROBE(kprobe_dir, struct kvm_vcpu *vcpu, __u64 value)
{
	return dir(vcpu, value);
}

SEC("fentry/vgic_v2_deactivate")
int BPF_PROG(fentry_dir_v2, struct kvm_vcpu *vcpu, __u32 value)
{
	return dir(vcpu, value);
}

SEC("kprobe/vgic_v2_deactivate")
int BPF_KPROBE(kprobe_dir_v2, struct kvm_vcpu *vcpu, __u32 value)
{
	return dir(vcpu, value);
}

SEC("tp_btf/kvm_mmio")
int BPF_PROG(tp_mmio, int type, int len, __u64 gpa, void *val)
{
	struct cpu_state *cs = this_cpu();
	struct vgr_mmio *r;
	__u64 value = 0;

	if (!cs || !cs->loaded_known)
		return 0;
	if (type != KVM_MMIO_READ_UNSATISFIED && type != KVM_MMIO_WRITE)
		return 0;
	/* The kernel hands over a buffer of 8 bytes, whatever the length. */
	if (type == KVM_MMIO_WRITE && val) {
		bpf_probe_read_kernel(&value, sizeof(value), val);
		if (len > 0 && len < 8)
			value &= (1ull << 8 * len) - 1;
	}
	r = record_begin(cs, sizeof(*r), cs->loaded_vm, cs->loaded_vcpu);
	if (r) {
		r->gpa = gpa;
		r->value = value;
		r->len = len;
		r->write = type == KVM_MMIO_WRITE;
		__builtin_memset(r->reserved, 0, sizeof(r->reserved));
		record_end(r, VGR_MMIO);
	}
	return 0;
}

SEC("tp_btf/kvm_wfx_arm64")
int BPF_PROG(tp_wfx, unsigned long pc, bool is_wfe)
{
	struct cpu_state *cs = this_cpu();
	struct vgr_wfx *r;

	if (!cs || !cs->loaded_known)
		return 0;
	r = record_begin(cs, sizeof(*r), cs->loaded_vm, cs->loaded_vcpu);
	if (r) {
		r->pc = pc;
		r->wfe = is_wfe;
		r->reserved = 0;
		record_end(r, VGR_WFX);
	}
	return 0;
}

static __always_inline int load(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct identity *id;

	if (!cs)
		return 0;
	id = own_vcpu(cs, vcpu);
	cs->loaded_known = !!id;
	if (!id)
		return 0;
	cs->loaded_vm = id->vm;
	cs->loaded_vcpu = id->vcpu;
	cs->who = who_is(cs->who, bpf_get_current_pid_tgid());
	record_plain(cs, VGR_LOAD, id->vm, id->vcpu);
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

static __always_inline int put(struct kvm_vcpu *vcpu)
{
	struct cpu_state *cs = this_cpu();
	struct identity *id = known_vcpu(vcpu);

	if (!cs)
		return 0;
	cs->loaded_known = 0;
	if (id)
		record_plain(cs, VGR_PUT, id->vm, id->vcpu);
	return 0;
}

SEC("fentry/kvm_vgic_put")
int BPF_PROG(fentry_put, struct kvm_vcpu *vcpu)
{
	return put(vcpu);
}

SEC("kprobe/kvm_vgic_put")
int BPF_KPROBE(kprobe_put, struct kvm_vcpu *vcpu)
{
	return put(vcpu);
}

static __always_inline int plain(struct kvm_vcpu *vcpu, __u16 type)
{
	struct cpu_state *cs = this_cpu();
	struct identity *id = known_vcpu(vcpu);

	if (cs && id)
		record_plain(cs, type, id->vm, id->vcpu);
	return 0;
}

SEC("fentry/__kvm_vcpu_kick")
int BPF_PROG(fentry_kick, struct kvm_vcpu *vcpu)
{
	return plain(vcpu, VGR_KICK);
}

SEC("kprobe/__kvm_vcpu_kick")
int BPF_KPROBE(kprobe_kick, struct kvm_vcpu *vcpu)
{
	return plain(vcpu, VGR_KICK);
}

SEC("fentry/kvm_vcpu_kick")
int BPF_PROG(fentry_kick_old, struct kvm_vcpu *vcpu)
{
	return plain(vcpu, VGR_KICK);
}

SEC("kprobe/kvm_vcpu_kick")
int BPF_KPROBE(kprobe_kick_old, struct kvm_vcpu *vcpu)
{
	return plain(vcpu, VGR_KICK);
}

SEC("fentry/kvm_vgic_process_async_update")
int BPF_PROG(fentry_prune, struct kvm_vcpu *vcpu)
{
	return plain(vcpu, VGR_PRUNE);
}

SEC("kprobe/kvm_vgic_process_async_update")
int BPF_KPROBE(kprobe_prune, struct kvm_vcpu *vcpu)
{
	return plain(vcpu, VGR_PRUNE);
}

SEC("fexit/kvm_arch_timer_get_input_level")
int BPF_PROG(fexit_level, int intid, bool ret)
{
	struct cpu_state *cs = this_cpu();
	struct vgr_level *r;

	if (!cs || !cs->in_sync)
		return 0;
	r = record_begin_run(cs, sizeof(*r));
	if (r) {
		r->intid = intid;
		r->level = ret;
		record_end(r, VGR_LEVEL);
	}
	return 0;
}

SEC("fentry/kvm_notify_acked_irq")
int BPF_PROG(fentry_acked, struct kvm *kvm, unsigned int irqchip, unsigned int pin)
{
	struct cpu_state *cs = this_cpu();
	__u16 vm = known_vm(kvm);
	struct vgr_acked *r;

	if (!cs || vm == VGR_NO_VM)
		return 0;
	r = record_begin(cs, sizeof(*r), vm, VGR_NO_VCPU);
	if (r) {
		r->irqchip = irqchip;
		r->pin = pin;
		record_end(r, VGR_ACKED);
	}
	return 0;
}

/* The addresses may be given to others now; nothing is written about it. */
static __always_inline int vcpu_gone(__u64 key)
{
	bpf_map_delete_elem(&vcpus, &key);
	__sync_fetch_and_add(&vcpus_gone, 1);
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

SEC("fentry/kvm_arch_destroy_vm")
int BPF_PROG(fentry_vm_gone, struct kvm *kvm)
{
	__u64 key = (__u64)kvm;

	bpf_map_delete_elem(&vms, &key);
	return 0;
}

SEC("kprobe/kvm_arch_destroy_vm")
int BPF_KPROBE(kprobe_vm_gone, struct kvm *kvm)
{
	__u64 key = (__u64)kvm;

	bpf_map_delete_elem(&vms, &key);
	return 0;
}
