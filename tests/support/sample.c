// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vgicsim/cpuif.h>
#include "sample.h"

static const struct vgr_probe probes[] = {
	{"kvm_vgic_flush_hwstate", "fexit", true},
	{"kvm_vgic_sync_hwstate", "fexit", true},
	{"vgic_v3_deactivate", "none", false},
};

void sample_header(struct vgr_header *h)
{
	vgr_header_init(h);
	strcpy(h->kernel_release, "7.3.4-test");
	strcpy(h->machine, "aarch64");
	strcpy(h->cpu_part, "cortex-a76");
	strcpy(h->kvm_mode, "VHE");
	strcpy(h->policy, "linux-7.3");
	strcpy(h->command, "vgicsim record -o x.vgr -- guest burst");
	strcpy(h->guest_command, "guest burst");
	strcpy(h->tool, "vgicsim test");
	h->midr = 0x414fd0b1;
	h->nr_cpus = 1;
	h->vgic_model = 3;
	h->gic_host = 3;
	h->nr_lr = 4;
	h->pri_bits = 5;
	h->pre_bits = 5;
	h->id_bits = 16;
	h->vtr = 0x90180003;
	h->tdir = VGR_YES;
	h->nested = VGR_NO;
	h->emulated = VGR_YES;
	h->start_realtime = UINT64_C(1700000000000000000);
	h->start_clock = 1000000000;
	h->ring_bytes = 64 << 20;
	h->probes = probes;
	h->nr_probes = sizeof(probes) / sizeof(probes[0]);
}

void sample_init(struct sample *s, struct vgr_writer *w)
{
	memset(s, 0, sizeof(*s));
	s->w = w;
	s->time = 1000000000;
	s->nr_lr = 4;
}

void sample_head(struct sample *s, struct vgr_rec *rec, uint16_t type, uint32_t size,
		 unsigned int cpu, unsigned int vcpu)
{
	memset(rec, 0, size);
	s->time += 1000;
	rec->type = type;
	rec->size = size;
	rec->time = s->time;
	rec->seq = ++s->seq[cpu];
	rec->cpu = (uint16_t)cpu;
	rec->vm = 0;
	rec->vcpu = (uint16_t)vcpu;
	rec->tid = 100 + vcpu;
}

void sample_put(struct sample *s, const struct vgr_rec *rec)
{
	int err = vgr_writer_put(s->w, rec);

	if (err && !s->error)
		s->error = err;
}

void sample_vcpu(struct sample *s, unsigned int cpu, unsigned int vcpu)
{
	struct vgr_vcpu v;

	sample_head(s, &v.r, VGR_VCPU, sizeof(v), cpu, vcpu);
	v.tgid = 100;
	v.vcpu_id = vcpu;
	v.nr_spis = 64;
	v.vgic_model = 3;
	strcpy(v.comm, "guest");
	sample_put(s, &v.r);
}

void sample_inject(struct sample *s, unsigned int cpu, uint32_t intid, unsigned int level)
{
	struct vgr_inject v;

	sample_head(s, &v.r, VGR_INJECT, sizeof(v), cpu, VGR_NO_VCPU);
	v.intid = intid;
	v.level = (uint8_t)level;
	v.path = VGR_PATH_IOCTL;
	sample_put(s, &v.r);
}

void sample_loss(struct sample *s, unsigned int cpu, uint32_t count)
{
	struct vgr_loss v;

	sample_head(s, &v.r, VGR_LOSS, sizeof(v), cpu, VGR_NO_VCPU);
	v.r.vm = VGR_NO_VM;
	v.r.seq = 0;
	v.first_seq = s->seq[cpu];
	v.count = count;
	v.to = v.r.time;
	s->seq[cpu] += count - 1;
	sample_put(s, &v.r);
}

static struct vgr_irq irq_of(uint32_t intid, unsigned int vcpu, unsigned int state)
{
	struct vgr_irq irq = {
		.intid = intid,
		.state = (uint16_t)(state | VGR_IRQ_ENABLED | VGR_IRQ_GROUP1),
		.priority = 0x80,
		.vcpu = (uint16_t)vcpu,
		.target = (uint16_t)vcpu,
	};

	return irq;
}

static uint64_t lr_of(uint32_t intid, uint64_t state)
{
	return intid | (UINT64_C(0x80) << VGIC_LR_PRIORITY_SHIFT) | VGIC_LR_GROUP1 | state;
}

/* Records of interrupts that stand as they stand: 32 to 31 + active are active. */
static void put_stuck(struct sample *s, unsigned int cpu, unsigned int vcpu, unsigned int n,
		      unsigned int active)
{
	unsigned int used = n < s->nr_lr ? n : s->nr_lr, i, pass;
	uint32_t fsize = vgr_flush_size(n, n, s->nr_lr), ysize = vgr_sync_size(n, used, n);
	struct vgr_flush *f = malloc(fsize);
	struct vgr_sync *y = malloc(ysize);
	struct vgr_entry entry;
	struct vgr_exit leave;
	struct vgr_irq *irq;
	uint32_t *order;
	uint64_t *lr;

	sample_head(s, &f->r, VGR_FLUSH, fsize, cpu, vcpu);
	f->begin = f->r.time - 500;
	f->hcr = VGIC_HCR_EN | VGIC_HCR_UIE;
	f->vmcr = VGIC_VMCR_VENG1 | VGIC_VMCR_VEOIM | VGIC_VMCR_VPMR;
	f->active_spis = -1;
	f->boundary = VGR_BOUNDARY_UNKNOWN;
	f->nr_lr = (uint16_t)s->nr_lr;
	f->used_lrs = (uint16_t)used;
	f->n_before = f->total_before = f->n_after = f->total_after = (uint16_t)n;
	f->dist_enabled = 1;
	irq = (struct vgr_irq *)(f + 1);
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n; i++)
			*irq++ = irq_of(32 + i, vcpu, i < active ? VGR_IRQ_ACTIVE : VGR_IRQ_LATCH);
	}
	lr = (uint64_t *)irq;
	for (i = 0; i < used; i++)
		lr[i] = lr_of(32 + i, i < active ? VGIC_LR_ACTIVE : VGIC_LR_PENDING);
	sample_put(s, &f->r);

	sample_head(s, &entry.r, VGR_ENTRY, sizeof(entry), cpu, vcpu);
	sample_put(s, &entry.r);
	sample_head(s, &y->r, VGR_SYNC, ysize, cpu, vcpu);
	y->begin = y->r.time - 500;
	y->hcr = f->hcr;
	y->vmcr = f->vmcr;
	y->boundary = VGR_BOUNDARY_UNKNOWN;
	y->active_spis_before = y->active_spis_after = -1;
	y->used_lrs = (uint16_t)used;
	y->n_before = y->total_before = y->n_after = y->total_after = (uint16_t)n;
	y->dist_enabled = 1;
	irq = (struct vgr_irq *)(y + 1);
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n; i++)
			*irq++ = irq_of(32 + i, vcpu, i < active ? VGR_IRQ_ACTIVE : VGR_IRQ_LATCH);
	}
	memcpy(irq, vgr_flush_lrs(f), used * sizeof(uint64_t));
	order = (uint32_t *)((uint64_t *)irq + used);
	for (i = 0; i < n; i++)
		*order++ = 32 + i;
	sample_put(s, &y->r);
	sample_head(s, &leave.r, VGR_EXIT, sizeof(leave), cpu, vcpu);
	sample_put(s, &leave.r);
	free(f);
	free(y);
}

int sample_starving_file(const char *path)
{
	struct vgr_totals end = {.guest_status = 1, .stop = "guest exited"};
	struct vgr_header h;
	struct vgr_writer *w;
	struct sample s;
	unsigned int i;
	int err;

	sample_header(&h);
	strcpy(h.kernel_release, "6.12.95-test");
	strcpy(h.policy, "linux-6.12");
	err = vgr_writer_create(&w, path, &h, NULL);
	if (err)
		return err;
	sample_init(&s, w);
	sample_vcpu(&s, 0, 0);
	sample_vcpu(&s, 1, 1);
	for (i = 0; i < 40; i++) {
		put_stuck(&s, 0, 0, 8, i < 4 ? i : 4);
		sample_run(&s, 1, 1, 0);
		if (i >= 10)
			s.time += 100000000;
	}
	err = s.error ? s.error : vgr_writer_finish(w, &end);
	vgr_writer_destroy(w);
	return err;
}

static void put_flush(struct sample *s, unsigned int cpu, unsigned int vcpu, unsigned int n)
{
	uint32_t size = vgr_flush_size(n, n, s->nr_lr);
	struct vgr_flush *f = malloc(size);
	struct vgr_irq *irq;
	uint64_t *lr;
	unsigned int i;

	sample_head(s, &f->r, VGR_FLUSH, size, cpu, vcpu);
	f->begin = f->r.time - 500;
	f->hcr = VGIC_HCR_EN | VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP1DIE | VGIC_HCR_VSGIEOICOUNT;
	if (n > s->nr_lr)
		f->hcr |= VGIC_HCR_UIE | VGIC_HCR_NPIE;
	f->vmcr = VGIC_VMCR_VENG1 | VGIC_VMCR_VPMR;
	f->active_spis = 0;
	f->nr_lr = (uint16_t)s->nr_lr;
	f->used_lrs = (uint16_t)(n < s->nr_lr ? n : s->nr_lr);
	f->boundary = n < s->nr_lr ? VGR_BOUNDARY_NONE : 31 + s->nr_lr;
	f->n_before = f->total_before = f->n_after = f->total_after = (uint16_t)n;
	f->dist_enabled = 1;
	irq = (struct vgr_irq *)(f + 1);
	for (i = 0; i < n; i++)
		*irq++ = irq_of(32 + i, vcpu, VGR_IRQ_LATCH);
	for (i = 0; i < n; i++)
		*irq++ = irq_of(32 + i, vcpu, i < f->used_lrs ? VGR_IRQ_ON_LR : VGR_IRQ_LATCH);
	lr = (uint64_t *)irq;
	for (i = 0; i < f->used_lrs; i++)
		lr[i] = lr_of(32 + i, VGIC_LR_PENDING);
	sample_put(s, &f->r);
	free(f);
}

static void put_sync(struct sample *s, unsigned int cpu, unsigned int vcpu, unsigned int n)
{
	unsigned int used = n < s->nr_lr ? n : s->nr_lr, i;
	uint32_t size = vgr_sync_size(n, used, n ? n - 1 : 0);
	struct vgr_sync *y = malloc(size);
	struct vgr_irq *irq;
	uint32_t *order;
	uint64_t *lr;

	sample_head(s, &y->r, VGR_SYNC, size, cpu, vcpu);
	y->begin = y->r.time - 500;
	y->hcr = VGIC_HCR_EN | VGIC_HCR_VGRP0EIE | VGIC_HCR_VGRP1DIE | VGIC_HCR_VSGIEOICOUNT;
	if (n > s->nr_lr)
		y->hcr |= VGIC_HCR_UIE | VGIC_HCR_NPIE;
	y->vmcr = VGIC_VMCR_VENG1 | VGIC_VMCR_VPMR;
	y->boundary = n < s->nr_lr ? VGR_BOUNDARY_NONE : 31 + s->nr_lr;
	y->used_lrs = (uint16_t)used;
	y->n_before = y->total_before = (uint16_t)n;
	y->n_after = y->total_after = (uint16_t)(n ? n - 1 : 0);
	y->dist_enabled = 1;
	irq = (struct vgr_irq *)(y + 1);
	for (i = 0; i < n; i++)
		*irq++ = irq_of(32 + i, vcpu, i < used ? VGR_IRQ_ON_LR : VGR_IRQ_LATCH);
	for (i = 0; i < n; i++) {
		*irq = irq_of(32 + i, vcpu, i ? VGR_IRQ_LATCH : 0);
		if (!i)
			irq->vcpu = VGR_NO_VCPU;
		irq++;
	}
	lr = (uint64_t *)irq;
	for (i = 0; i < used; i++)
		lr[i] = lr_of(32 + i, i ? VGIC_LR_PENDING : 0);
	order = (uint32_t *)(lr + used);
	for (i = 1; i < n; i++)
		*order++ = 32 + i;
	sample_put(s, &y->r);
	free(y);
}

void sample_run(struct sample *s, unsigned int cpu, unsigned int vcpu, unsigned int n)
{
	struct vgr_entry entry;
	struct vgr_exit leave;

	put_flush(s, cpu, vcpu, n);
	sample_head(s, &entry.r, VGR_ENTRY, sizeof(entry), cpu, vcpu);
	entry.pc = 0x40080000;
	sample_put(s, &entry.r);
	s->time += 20000;
	put_sync(s, cpu, vcpu, n);
	sample_head(s, &leave.r, VGR_EXIT, sizeof(leave), cpu, vcpu);
	leave.pc = 0x40080010;
	leave.ret = n > s->nr_lr ? 0 : 2;
	leave.esr_ec = n > s->nr_lr ? 0 : 0x24;
	sample_put(s, &leave.r);
}

void sample_write_runs(struct sample *s, unsigned int runs)
{
	unsigned int i;

	sample_vcpu(s, 0, 0);
	sample_vcpu(s, 1, 1);
	for (i = 0; i < runs; i++) {
		if (i % 3 == 0)
			sample_inject(s, 2, 32 + i % 8, 1);
		sample_run(s, i % 2, i % 2, i % 7);
	}
}

int sample_file(const char *path, unsigned int runs, const struct vgr_writer_opts *opts)
{
	struct vgr_totals end = {.guest_status = 0, .stop = "guest exited"};
	struct vgr_header h;
	struct vgr_writer *w;
	struct sample s;
	int err;

	sample_header(&h);
	err = vgr_writer_create(&w, path, &h, opts);
	if (err)
		return err;
	sample_init(&s, w);
	sample_write_runs(&s, runs);
	err = s.error ? s.error : vgr_writer_finish(w, &end);
	vgr_writer_destroy(w);
	return err;
}

int sample_hostile_file(const char *path, bool lists)
{
	static const struct vgr_probe none[] = {{"kvm_vgic_flush_hwstate<i>", "none", true}};
	struct vgr_totals end = {.guest_status = 0, .stop = "<s>stop</s>"};
	struct vgr_entry entry;
	struct vgr_vcpu other;
	struct vgr_exit leave;
	struct vgr_header h;
	struct vgr_writer *w;
	struct sample s;
	int err;

	sample_header(&h);
	strcpy(h.kernel_release, "7.3</title></style><script>alert(1)</script>");
	strcpy(h.guest_command,
	       "<img src=http://x.test/ onerror=alert(1)> ' \" `id` $(id) &amp; #{url(#x)");
	strcpy(h.command, "</code></pre><script src='//x.test/'></script>");
	strcpy(h.tool, "<b>tool</b>");
	if (!lists) {
		h.probes = none;
		h.nr_probes = 1;
	}
	err = vgr_writer_create(&w, path, &h, NULL);
	if (err)
		return err;
	sample_init(&s, w);
	sample_vcpu(&s, 0, 0);
	sample_vcpu(&s, 1, 1);
	for (unsigned int i = 0; i < 12; i++) {
		sample_inject(&s, 2, 32 + i % 4, 1);
		if (lists) {
			sample_run(&s, i % 2, i % 2, i % 7);
			continue;
		}
		sample_head(&s, &entry.r, VGR_ENTRY, sizeof(entry), i % 2, i % 2);
		sample_put(&s, &entry.r);
		sample_head(&s, &leave.r, VGR_EXIT, sizeof(leave), i % 2, i % 2);
		leave.esr_ec = 0x24;
		leave.ret = 2;
		sample_put(&s, &leave.r);
	}
	if (lists) {
		sample_head(&s, &other.r, VGR_VCPU, sizeof(other), 3, 0);
		other.r.vm = 1;
		other.tgid = 200;
		other.nr_spis = 64;
		other.vgic_model = 3;
		strcpy(other.comm, "<b>other</b>");
		sample_put(&s, &other.r);
	}
	sample_loss(&s, 0, 5);
	err = s.error ? s.error : vgr_writer_finish(w, &end);
	vgr_writer_destroy(w);
	return err;
}

/* One run of vCPU 0: a list of two and two GICH_LRs, as written and as read back. */
static void put_gicv2_run(struct sample *s, const struct vgr_irq *irq, const uint64_t *written,
			  const uint64_t *read, uint32_t ret)
{
	uint32_t fsize = vgr_flush_size(2, 2, 4), ysize = vgr_sync_size(2, 2, 2);
	struct vgr_flush *f = malloc(fsize);
	struct vgr_sync *y = malloc(ysize);
	struct vgr_entry entry;
	struct vgr_exit leave;
	uint32_t *order;

	sample_head(s, &f->r, VGR_FLUSH, fsize, 0, 0);
	f->begin = f->r.time - 500;
	f->hcr = VGIC_HCR_EN | VGIC_HCR_VGRP0DIE | VGIC_HCR_VGRP1EIE;
	f->vmcr = 0xf04c0001;
	f->boundary = VGR_BOUNDARY_NONE;
	f->nr_lr = 4;
	f->used_lrs = 2;
	f->n_before = f->total_before = f->n_after = f->total_after = 2;
	f->dist_enabled = 1;
	memcpy(f + 1, irq, 2 * sizeof(*irq));
	memcpy((struct vgr_irq *)(f + 1) + 2, irq, 2 * sizeof(*irq));
	memcpy((uint64_t *)vgr_flush_lrs(f), written, 2 * sizeof(*written));
	sample_put(s, &f->r);
	sample_head(s, &entry.r, VGR_ENTRY, sizeof(entry), 0, 0);
	sample_put(s, &entry.r);
	sample_head(s, &y->r, VGR_SYNC, ysize, 0, 0);
	y->begin = y->r.time - 500;
	y->hcr = f->hcr;
	y->vmcr = f->vmcr;
	y->boundary = VGR_BOUNDARY_NONE;
	y->used_lrs = 2;
	y->n_before = y->total_before = y->n_after = y->total_after = 2;
	y->dist_enabled = 1;
	memcpy(y + 1, irq, 2 * sizeof(*irq));
	memcpy((struct vgr_irq *)(y + 1) + 2, irq, 2 * sizeof(*irq));
	memcpy((uint64_t *)vgr_sync_lrs(y), read, 2 * sizeof(*read));
	order = (uint32_t *)vgr_sync_order(y);
	order[0] = irq[0].intid;
	order[1] = irq[1].intid;
	sample_put(s, &y->r);
	sample_head(s, &leave.r, VGR_EXIT, sizeof(leave), 0, 0);
	leave.ret = ret;
	leave.esr_ec = ret == 2 ? 0x24 : 0;
	sample_put(s, &leave.r);
	free(f);
	free(y);
}

int sample_gicv2_file(const char *path)
{
	/* GICH_LR by number: SGI 5 of CPU 1, EOI, priority a0; SPI 40, EOI, priority 80. */
	static const uint64_t pending[] = {0x1a080405, 0x18080028};
	static const uint64_t taken[] = {0x2a080405, 0x18080028};
	static const uint64_t ended[] = {0x2a080405, 0x08080028};
	struct vgr_totals end = {.guest_status = 0, .stop = "guest exited"};
	struct vgr_irq irq[2] = {irq_of(5, 0, VGR_IRQ_LATCH | VGR_IRQ_ON_LR),
				 irq_of(40, 0, VGR_IRQ_LEVEL | VGR_IRQ_LINE | VGR_IRQ_ON_LR)};
	struct vgr_vcpu vcpu;
	struct vgr_mmio mmio;
	struct vgr_header h;
	struct vgr_writer *w;
	struct vgr_dir dir;
	struct sample s;
	unsigned int i;
	int err;

	sample_header(&h);
	h.gic_host = h.vgic_model = 2;
	h.id_bits = 10;
	h.vtr = 0;
	h.tdir = VGR_NO;
	err = vgr_writer_create(&w, path, &h, NULL);
	if (err)
		return err;
	sample_init(&s, w);
	for (i = 0; i < 2; i++) {
		sample_head(&s, &vcpu.r, VGR_VCPU, sizeof(vcpu), 0, i);
		vcpu.tgid = 100;
		vcpu.vcpu_id = i;
		vcpu.nr_spis = 64;
		vcpu.vgic_model = 2;
		vcpu.dist_page = 0x8000;
		strcpy(vcpu.comm, "guest");
		sample_put(&s, &vcpu.r);
	}
	sample_head(&s, &mmio.r, VGR_MMIO, sizeof(mmio), 0, 1);
	mmio.gpa = 0x8000f00;
	mmio.value = 0x10005;
	mmio.len = 4;
	mmio.write = 1;
	sample_put(&s, &mmio.r);
	irq[0].state &= (uint16_t)~VGR_IRQ_GROUP1;
	irq[1].state &= (uint16_t)~VGR_IRQ_GROUP1;
	irq[0].priority = 0xa0;
	irq[0].source = 4;
	put_gicv2_run(&s, irq, pending, taken, 2);
	irq[0].state |= VGR_IRQ_ACTIVE;
	irq[0].active_source = 1;
	sample_head(&s, &dir.r, VGR_DIR, sizeof(dir), 0, 0);
	dir.value = 0x405;
	sample_put(&s, &dir.r);
	put_gicv2_run(&s, irq, taken, ended, 0);
	err = s.error ? s.error : vgr_writer_finish(w, &end);
	vgr_writer_destroy(w);
	return err;
}

int sample_temp(char *path, size_t size)
{
	static const char *const dirs[] = {"/dev/shm", "/tmp"};
	size_t i;
	int fd;

	for (i = 0; path && i < 2; i++) {
		if (snprintf(path, size, "%s/vgicsim-test-XXXXXX", dirs[i]) >= (int)size)
			return -1;
		fd = mkstemp(path);
		if (fd >= 0)
			return close(fd);
	}
	return -1;
}

unsigned char *sample_load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	long n;

	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END) && (n = ftell(f)) >= 0 && !fseek(f, 0, SEEK_SET)) {
		data = malloc((size_t)n + 1);
		*size = (size_t)n;
		if (data && fread(data, 1, (size_t)n, f) != (size_t)n) {
			free(data);
			data = NULL;
		}
	}
	fclose(f);
	return data;
}
