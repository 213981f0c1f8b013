// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a sample recording: make_recording RUNS FILE [starve|gicv2|hostile|bare|strange|cpu]
 * Or its records as fuzz_columns wants them: make_recording RUNS FILE columns
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "sample.h"

/* The records of the file, rearranged, instead of the file. */
static int to_columns(const char *path)
{
	const struct vgr_rec *rec;
	struct vgr_reader *r;
	static struct columns_seqs seqs;
	char raw[65536], out[65536];
	size_t size = 0;
	uint16_t n = 0;
	FILE *f;
	int err;

	err = vgr_reader_open(&r, path, NULL, NULL);
	if (err)
		return err;
	while ((err = vgr_reader_next(r, &rec)) > 0 && size + rec->size <= sizeof(raw)) {
		memcpy(raw + size, rec, rec->size);
		size += rec->size;
		n++;
	}
	vgr_reader_close(r);
	if (err < 0)
		return -EINVAL;
	columns_encode(&seqs, raw, size, n, out);
	f = fopen(path, "wb");
	if (!f)
		return -errno;
	if (fwrite(&n, sizeof(n), 1, f) != 1 || fwrite(out, size, 1, f) != 1)
		err = -EIO;
	return fclose(f) ? -EIO : err;
}

/*
 * What a forged recording may say: names with whatever a terminal, a printf format or a line
 * would take for its own, times that go back, a gap of centuries, the last CPU that there
 * can be, or one behind it.
 */
static int strange(const char *path, unsigned int cpu)
{
	static const char name[16] = "%s%n\n1 x\033[31m\"";
	struct vgr_vcpu vcpu = {
		.r = {.type = VGR_VCPU, .size = sizeof(vcpu), .seq = 1, .cpu = (uint16_t)cpu}};
	struct vgr_inject inject = {.r = {.type = VGR_INJECT, .size = sizeof(inject), .seq = 1}};
	struct vgr_totals end = {.guest_status = 0};
	struct vgr_writer *w;
	struct vgr_header h;
	struct sample s;
	int err;

	sample_header(&h);
	strcpy(h.kernel_release, "7.3\n\033]0;%s%n\a");
	err = vgr_writer_create(&w, path, &h, NULL);
	if (err)
		return err;
	sample_init(&s, w);
	sample_run(&s, 0, 0, 6);
	memcpy(vcpu.comm, name, sizeof(vcpu.comm));
	vcpu.r.tid = 5;
	vcpu.tgid = UINT32_MAX;
	vcpu.r.time = 1;
	sample_put(&s, &vcpu.r);
	for (unsigned int i = 0; i < 6; i++) {
		static const uint64_t times[] = {1000, 5, 1ull << 40, UINT64_MAX, 0, 7};

		inject.r.time = times[i];
		inject.r.seq = i + 1;
		inject.r.cpu = 1;
		inject.r.vcpu = VGR_NO_VCPU;
		inject.intid = UINT32_MAX;
		inject.path = 255;
		sample_put(&s, &inject.r);
	}
	sample_loss(&s, 1, UINT32_MAX);
	sample_loss(&s, 2, 15);
	sample_run(&s, 0, 0, 0);
	err = s.error ? s.error : vgr_writer_finish(w, &end);
	vgr_writer_destroy(w);
	return err;
}

int main(int argc, char **argv)
{
	const struct vgr_writer_opts opts = {.frame_bytes = 4096};
	int err;

	if (argc < 3)
		return 2;
	if (argc > 3 && !strcmp(argv[3], "starve"))
		err = sample_starving_file(argv[2]);
	else if (argc > 3 && !strcmp(argv[3], "gicv2"))
		err = sample_gicv2_file(argv[2]);
	else if (argc > 3 && (!strcmp(argv[3], "hostile") || !strcmp(argv[3], "bare")))
		err = sample_hostile_file(argv[2], !strcmp(argv[3], "hostile"));
	else if (argc > 3 && !strcmp(argv[3], "strange"))
		err = strange(argv[2], 4095);
	else if (argc > 3 && !strcmp(argv[3], "cpu"))
		err = strange(argv[2], 4096);
	else
		err = sample_file(argv[2], (unsigned int)atoi(argv[1]), &opts);
	if (!err && argc > 3 && !strcmp(argv[3], "columns"))
		err = to_columns(argv[2]);
	if (err < 0)
		fprintf(stderr, "make_recording: %s: %s\n", argv[2], strerror(-err));
	return err < 0 ? 1 : 0;
}
