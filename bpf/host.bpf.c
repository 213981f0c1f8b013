// SPDX-License-Identifier: GPL-2.0-only
/* Reads the few kernel variables that say what KVM found at boot. Run once, by hand. */
#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "hostinfo.h"
#include "words.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct host_addresses addresses;
struct host_values values;

static __always_inline void read_flag(__u8 *flag, __u64 address)
{
	__u8 v = 0;

	if (address && !bpf_probe_read_kernel(&v, sizeof(v), (void *)address))
		*flag = !!v;
}

SEC("raw_tp")
int look(void *ctx)
{
	struct vgic_global *g = (void *)addresses.vgic_global;
	__u32 mode = 0;
	int key = 0;

	if (g) {
		int nr_lr = 0;

		if (!bpf_core_read(&nr_lr, sizeof(nr_lr), &g->nr_lr)) {
			values.have_vgic = 1;
			values.nr_lr = nr_lr;
			values.vgic_type = BPF_CORE_READ(g, type);
			/* Gone in 7.3. */
			if (bpf_core_field_exists(g->ich_vtr_el2))
				values.vtr = BPF_CORE_READ(g, ich_vtr_el2);
			values.has_gicv4 = BPF_CORE_READ(g, has_gicv4);
			values.no_hw_deactivation = BPF_CORE_READ(g, no_hw_deactivation);
		}
	}
	if (addresses.kvm_mode &&
	    !bpf_probe_read_kernel(&mode, sizeof(mode), (void *)addresses.kvm_mode)) {
		values.have_mode = 1;
		values.kvm_mode = mode;
	}
	if (addresses.hyp_percpu)
		bpf_probe_read_kernel(&values.hyp_percpu, sizeof(values.hyp_percpu),
				      (void *)addresses.hyp_percpu);
	if (addresses.protected_key &&
	    !bpf_probe_read_kernel(&key, sizeof(key), (void *)addresses.protected_key))
		values.is_protected = key > 0;
	key = 0;
	if (addresses.trap_key &&
	    !bpf_probe_read_kernel(&key, sizeof(key), (void *)addresses.trap_key)) {
		values.have_traps = 1;
		values.traps = key > 0;
	}
	if (addresses.vtr_code)
		bpf_probe_read_kernel(values.vtr_code, sizeof(values.vtr_code),
				      (void *)addresses.vtr_code);
	read_flag(&values.group0_trap, addresses.group0_trap);
	read_flag(&values.group1_trap, addresses.group1_trap);
	read_flag(&values.common_trap, addresses.common_trap);
	read_flag(&values.dir_trap, addresses.dir_trap);
	values.has_last_lr = bpf_core_field_exists(struct kvm_host_data, last_lr_irq);
	values.words_tell_all = words_tell_all();
	values.has_on_lr = bpf_core_field_exists(struct vgic_irq, on_lr);
	values.has_mapped = bpf_core_field_exists(struct vgic_irq, mapped);
	values.has_active_spis = bpf_core_field_exists(struct vgic_dist, active_spis);
	values.irq_size = bpf_core_type_size(struct vgic_irq);
	values.cpuif_size = bpf_core_type_size(struct vgic_v3_cpu_if);
	if (values.cpuif_size < bpf_core_type_size(struct vgic_v2_cpu_if))
		values.cpuif_size = bpf_core_type_size(struct vgic_v2_cpu_if);
	values.ran = 1;
	return 0;
}
