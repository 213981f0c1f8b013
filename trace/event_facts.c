// SPDX-License-Identifier: GPL-2.0-only
/* Names of the events, and what one of them says of the kernel. */
#include <string.h>
#include <vgicsim/events.h>

static const char *const names[VGR_EV_END] = {
	[VGR_EV_FLUSH_BEGIN] = "flush_begin",
	[VGR_EV_FLUSH_END] = "flush_end",
	[VGR_EV_FLUSH_LATE] = "flush_late",
	[VGR_EV_SYNC_BEGIN] = "sync_begin",
	[VGR_EV_SYNC_FOLD] = "sync_fold",
	[VGR_EV_FOLDED] = "folded",
	[VGR_EV_SYNC_END] = "sync_end",
	[VGR_EV_LOAD] = "load",
	[VGR_EV_PUT] = "put",
	[VGR_EV_INJECT] = "inject",
	[VGR_EV_IRQFD_BEGIN] = "irqfd_begin",
	[VGR_EV_IRQFD_END] = "irqfd_end",
	[VGR_EV_SGI] = "sgi",
	[VGR_EV_MSI] = "msi",
	[VGR_EV_MSI_ATOMIC] = "msi_atomic",
	[VGR_EV_DIR] = "dir",
	[VGR_EV_PRUNE] = "prune",
	[VGR_EV_KICK] = "kick",
	[VGR_EV_LEVEL] = "level",
	[VGR_EV_ACKED] = "acked",
	[VGR_EV_VCPU_GONE] = "vcpu_gone",
	[VGR_EV_VM_GONE] = "vm_gone",
	[VGR_EV_NESTED_FLUSH] = "nested_flush",
	[VGR_EV_NESTED_SYNC] = "nested_sync",
	[VGR_EV_KVM_ENTRY] = "kvm_entry",
	[VGR_EV_KVM_EXIT] = "kvm_exit",
	[VGR_EV_KVM_MMIO] = "kvm_mmio",
	[VGR_EV_KVM_WFX] = "kvm_wfx_arm64",
	[VGR_EV_KVM_INJECT] = "vgic_update_irq_pending",
	[VGR_EV_KVM_ACKED] = "kvm_ack_irq",
};

const char *vgr_event_name(enum vgr_event event)
{
	return event < VGR_EV_END ? names[event] : "?";
}

const char *vgr_event_system(enum vgr_event event)
{
	return event < VGR_EV_DYNAMIC_END ? VGR_EVENT_GROUP : "kvm";
}

#define SIZE_OF(member) sizeof(((struct vgr_event_facts *)0)->member)
#define FACT(member)                                                                      \
	{                                                                                 \
#member, offsetof(struct vgr_event_facts, member), SIZE_OF(member), false \
	}
#define FLAG(member)                                                            \
	{                                                                       \
		"f_" #member, offsetof(struct vgr_event_facts, member), 0, true \
	}

const struct vgr_event_fact vgr_event_fact_table[] = {
	FACT(head),	    FACT(pmu),
	FACT(irq_size),	    FACT(list),
	FACT(intid),	    FACT(vcpu),
	FACT(target),	    FACT(hwintid),
	FACT(source),	    FACT(active_source),
	FACT(priority),	    FACT(group),
	FACT(ops),	    FLAG(line),
	FLAG(latch),	    FLAG(active),
	FLAG(enabled),	    FLAG(hw),
	FLAG(config),	    FLAG(on_lr),
	FLAG(mapped),	    FACT(gic),
	FACT(nr_lr),	    FACT(vtr),
	FACT(static_traps), FACT(tdir),
	FACT(mode),	    FACT(no_hw_deactivation),
	FACT(has_last_lr),
};
const size_t vgr_nr_event_facts = sizeof(vgr_event_fact_table) / sizeof(vgr_event_fact_table[0]);

uint64_t vgr_event_fact_get(const struct vgr_event_facts *facts, size_t i)
{
	const struct vgr_event_fact *fact = &vgr_event_fact_table[i];
	const char *at = (const char *)facts + fact->offset;
	const struct vgr_event_flag *flag = (const void *)at;
	uint64_t value = 0;

	if (fact->flag)
		return flag->bit | (uint64_t)flag->width << 16;
	memcpy(&value, at, fact->size);
	return value;
}

void vgr_event_fact_set(struct vgr_event_facts *facts, size_t i, uint64_t value)
{
	const struct vgr_event_fact *fact = &vgr_event_fact_table[i];
	char *at = (char *)facts + fact->offset;
	struct vgr_event_flag *flag = (void *)at;

	if (fact->flag) {
		flag->bit = value & 0xffff;
		flag->width = value >> 16;
	} else if (fact->offset == offsetof(struct vgr_event_facts, no_hw_deactivation) ||
		   fact->offset == offsetof(struct vgr_event_facts, has_last_lr)) {
		*(bool *)at = value;
	} else {
		memcpy(at, &value, fact->size);
	}
}

static bool flag_fits(const struct vgr_event_facts *f, const struct vgr_event_flag *flag,
		      bool optional)
{
	if (!flag->width)
		return optional;
	if (flag->width != 1 && (flag->bit % 8 || (flag->width != 8 && flag->width != 32)))
		return false;
	return flag->bit + flag->width <= 8u * f->irq_size;
}

static bool member_fits(const struct vgr_event_facts *f, unsigned int offset, unsigned int size)
{
	return offset + size <= f->irq_size;
}

int vgr_event_facts_check(const struct vgr_event_facts *f)
{
	if (f->irq_size > VGR_EVENT_IRQ_MAX || f->irq_size % 8 || f->head % 8 ||
	    f->head > VGR_EVENT_VCPU_MAX || f->pmu > VGR_EVENT_VCPU_MAX)
		return -EPROTO;
	if (!member_fits(f, f->list, 16) || !member_fits(f, f->intid, 4) ||
	    !member_fits(f, f->vcpu, 8) || !member_fits(f, f->target, 8) ||
	    !member_fits(f, f->hwintid, 4) || !member_fits(f, f->source, 1) ||
	    !member_fits(f, f->active_source, 1) || !member_fits(f, f->priority, 1) ||
	    !member_fits(f, f->group, 1) || !member_fits(f, f->ops, 8))
		return -EPROTO;
	if (!flag_fits(f, &f->line, false) || !flag_fits(f, &f->latch, false) ||
	    !flag_fits(f, &f->active, false) || !flag_fits(f, &f->enabled, false) ||
	    !flag_fits(f, &f->hw, false) || !flag_fits(f, &f->config, false) ||
	    !flag_fits(f, &f->on_lr, true) || !flag_fits(f, &f->mapped, true))
		return -EPROTO;
	if ((f->gic != 2 && f->gic != 3) || !f->nr_lr || f->nr_lr > vgr_lr_limit(f->gic) ||
	    f->tdir < VGR_UNKNOWN || f->tdir > VGR_YES || f->mode > VGR_EVENT_NESTED)
		return -EPROTO;
	return 0;
}
