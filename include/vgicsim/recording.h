/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings on disk (.vgr): writing one, reading one back.
 *
 * The byte layout is described in vgicsim-recording(5). A recording is a fixed
 * head, a stream of independent checksummed frames, an index and a trailer. The
 * records inside the frames are those of <vgicsim/records.h>.
 *
 * Every int function returns 0 or a negative errno unless it says otherwise.
 */
#ifndef VGICSIM_RECORDING_H
#define VGICSIM_RECORDING_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vgicsim/records.h>

/* Version of the layout that this library writes, and the newest it reads. */
#define VGR_VERSION 1

/* Bounds of what a reader accepts; a writer never exceeds them. */
#define VGR_MAX_FRAME  (8u << 20) /* bytes of records in one frame */
#define VGR_MAX_RECORD 65536u	  /* bytes of one record */
#define VGR_MAX_TABLE  4096u	  /* entries of one table of the header */

/* Threads that one reader puts to use. */
#define VGR_MAX_THREADS 16u

/*
 * What can be wrong with a file. The reader's functions return these; struct
 * vgr_error says where and what to do about it. Other negative values are the
 * operating system's (open, read).
 */
#define VGR_ENOTREC  (-ENOEXEC)		/* not a recording at all */
#define VGR_EVERSION (-EPROTONOSUPPORT) /* a recording of a later version */
#define VGR_EDAMAGED (-EBADMSG)		/* a checksum does not fit: bits have changed */
#define VGR_EFORGED  (-EPROTO)		/* checksums fit, but a length or a value cannot be */
#define VGR_ESHORT   (-ENODATA)		/* cut before the first whole frame: nothing to read */

struct vgr_error {
	int code;	 /* negative errno */
	uint64_t offset; /* bytes from the start of the file */
	uint64_t record; /* number of the record, from 1; 0 if it is not about one */
	char what[200];	 /* one sentence without a full stop */
	char hint[120];	 /* what to do; may be empty */
};

/* How one probe was attached when the recording was made. */
struct vgr_probe {
	char name[64]; /* kernel function or tracepoint */
	/* "fentry", "fexit", "kprobe", "kretprobe", "tp_btf"; "none" if missing; of traces "event"
	 * and "tracepoint" */
	char method[16];
	bool essential; /* a recording without it would have been refused */
};

/* One virtual machine of the recording. Its index in the table is vgr_rec.vm. */
struct vgr_vm {
	uint32_t tgid;	    /* process that runs it */
	uint16_t nr_vcpus;  /* seen */
	uint16_t nr_spis;   /* 0 if not known */
	uint8_t vgic_model; /* of the guest: 2, 3 or 5; 0 if not known */
	char comm[16];
};

/* One vCPU that appears in the recording. */
struct vgr_vcpu_info {
	uint16_t vm;
	uint16_t vcpu;	  /* vcpu_idx, as in vgr_rec.vcpu */
	uint32_t vcpu_id; /* KVM's vcpu_id */
};

/* One physical CPU: what its probes produced and what did not arrive. */
struct vgr_cpu_total {
	uint16_t cpu;
	uint64_t records; /* in the file, losses not counted */
	uint64_t lost;
};

/* What is known only once the capture has ended. */
struct vgr_totals {
	/* Filled by the caller of vgr_writer_finish(). */
	int32_t guest_status; /* exit status of the guest command; -1 if there was none */
	uint64_t kernel_lost; /* records that the kernel side counted as dropped */
	char stop[64];	      /* why the capture ended: "guest exited", "SIGINT", "duration" ... */
	/*
	 * Filled by the writer from the records that passed through it; what a
	 * caller puts here is ignored. The reader gives what is in the file.
	 */
	uint64_t records; /* all, VGR_LOSS included */
	uint64_t lost;	  /* sum of vgr_loss.count */
	uint64_t raw_bytes;
	uint64_t first_time, last_time; /* ns; both 0 without records */
	uint64_t by_type[VGR_TYPE_MAX];
	const struct vgr_cpu_total *cpus;
	size_t nr_cpus;
	const struct vgr_vm *vms;
	size_t nr_vms;
	const struct vgr_vcpu_info *vcpus;
	size_t nr_vcpus;
};

/* Tri-state of a property that may not have been found out. */
enum vgr_known { VGR_UNKNOWN = -1, VGR_NO = 0, VGR_YES = 1 };

/*
 * Where and how a recording was made. Strings are empty and numbers 0 where the
 * value could not be found out. Start from vgr_header_init().
 */
struct vgr_header {
	/* the recorded host */
	char kernel_release[128]; /* uname -r */
	char kernel_version[128]; /* uname -v */
	char build_id[48];	  /* hex, from /sys/kernel/notes */
	char machine[32];	  /* uname -m */
	char hostname_hash[20];	  /* hex, hosts can be told apart without being named */
	uint64_t midr;		  /* MIDR_EL1 of CPU 0 */
	char cpu_part[32];	  /* its name, e.g. "cortex-a76" */
	uint32_t nr_cpus;	  /* online */
	char kvm_mode[16];	  /* "VHE", "nVHE", "protected", "nested" */
	/* its vgic */
	uint8_t vgic_model;    /* guest model: 2 or 3; 0 unknown */
	uint8_t gic_host;      /* GIC of the host: 2, 3, 5; 0 unknown */
	uint8_t nr_lr;	       /* LRs that KVM uses, 1 to vgr_lr_limit(gic_host) */
	uint8_t pri_bits;      /* ICH_VTR.PRIbits, as a count; 5 on GICv2 */
	uint8_t pre_bits;      /* ICH_VTR.PREbits, as a count; 5 on GICv2 */
	uint8_t id_bits;       /* 16 or 24; 10 on GICv2 */
	uint32_t vtr;	       /* ICH_VTR_EL2 as read; 0 unknown, as on GICv2 */
	uint32_t static_traps; /* bits of ICH_HCR_EL2 always set in hardware (TC, TALL0/1, TDIR) */
	enum vgr_known tdir;   /* the host can trap DIR on its own (capability) */
	enum vgr_known nested; /* some vCPU has nested virtualization */
	enum vgr_known emulated; /* the host itself runs under an emulator (QEMU TCG) */
	char policy[32];	 /* policy name believed to match, e.g. "linux-7.3" */
	/* how it was captured */
	char clock[32];		  /* "CLOCK_MONOTONIC" */
	uint64_t start_realtime;  /* ns since 1970, CLOCK_REALTIME at start_clock */
	uint64_t start_clock;	  /* ns, the recording's clock at the start */
	char command[1024];	  /* the capture's command line */
	char guest_command[1024]; /* what stood after --; empty if a running guest was recorded */
	char tool[64];		  /* "vgicsim 0.1.0" */
	char features[128];	  /* fields that the kernel has: "on_lr last_lr_irq active_spis" */
	/*
	 * How the records came about, if not by the BPF programs: "trace.dat", "tracefs"; and what
	 * such a recording lacks, in words separated by spaces: types of records, "vcpu" (who is
	 * who), "boundary", "folded", "path". vgr_lacks() asks for one.
	 */
	char source[16];
	char missing[256];
	uint64_t ring_bytes; /* size of the capture's ring buffer */
	const struct vgr_probe *probes;
	size_t nr_probes;
	/* Set by the reader; ignored by the writer. */
	bool unfinished; /* never closed by the recorder */
	bool has_totals; /* the totals below are those of the file; else all zero */
	uint16_t version;
	struct vgr_totals totals;
};

/* Sets everything to "unknown", the clock to CLOCK_MONOTONIC. */
void vgr_header_init(struct vgr_header *h);

/* Is this word among what the recording lacks? */
bool vgr_lacks(const struct vgr_header *h, const char *word);

/* ---- writing ---- */

struct vgr_writer;

struct vgr_writer_opts {
	int level;	      /* zstd level 1 to 22; 0 = 3 */
	uint32_t frame_bytes; /* records per frame in bytes, 4096 to VGR_MAX_FRAME; 0 = 1 MiB */
};

/* What is safe on disk, for the message after an error. */
struct vgr_writer_kept {
	uint64_t records; /* in whole frames */
	uint64_t bytes;	  /* of the file */
	uint32_t frames;
};

/*
 * Creates path (truncating it) and writes head and description. h and its
 * tables are borrowed for the call only. opts may be NULL. The file is readable,
 * and marked unfinished, from the moment this returns.
 * Errors: -EINVAL for values outside their ranges, else what open/write report.
 */
int vgr_writer_create(struct vgr_writer **w, const char *path, const struct vgr_header *h,
		      const struct vgr_writer_opts *opts);

/*
 * Appends one record, copied. A record that vgr_rec_validate() refuses is not
 * written: -EINVAL, and the writer goes on. After a write error (-ENOSPC, -EIO)
 * the file ends with its last whole frame and every later put fails the same way.
 */
int vgr_writer_put(struct vgr_writer *w, const struct vgr_rec *rec);

/* Closes the frame being filled and writes it: what was put before survives a crash. */
int vgr_writer_flush(struct vgr_writer *w);

/*
 * Writes the last frame, the totals and the index, takes the unfinished mark
 * away and syncs. t gives the caller's part of the totals; NULL: none known.
 * On error the file stays readable and marked unfinished.
 */
int vgr_writer_finish(struct vgr_writer *w, const struct vgr_totals *t);

void vgr_writer_kept(const struct vgr_writer *w, struct vgr_writer_kept *kept);

/* Closes and frees; NULL is fine. Without a finish the file stays unfinished. */
void vgr_writer_destroy(struct vgr_writer *w);

/* ---- reading ---- */

struct vgr_reader;

struct vgr_reader_opts {
	/*
	 * Damaged frames: false: vgr_reader_next() reports the first and stops.
	 * true: they are left out, counted, and the records after them are given.
	 */
	bool skip_damaged;
	/*
	 * Threads that decode, the caller's among them; more than VGR_MAX_THREADS are that
	 * many. 0 or 1: only the caller's, which costs the least memory. What comes out is
	 * the same.
	 */
	unsigned int threads;
	/*
	 * How far vgr_reader_next() is, told before each frame and at the end: bytes of the file,
	 * size of them in all. By the thread that calls it. NULL: nobody asks.
	 */
	void (*progress)(void *ctx, uint64_t done, uint64_t size);
	void *progress_ctx;
};

/* How the stream ended; valid once vgr_reader_next() has returned 0. */
enum vgr_ending {
	VGR_END_NOT_YET = 0,
	VGR_END_WHOLE = 1,	/* closed, totals and index present and right */
	VGR_END_UNFINISHED = 2, /* the recorder never closed it; all whole frames were given */
	VGR_END_CUT = 3,	/* it had been closed, but its tail is missing */
};

/* Where the reader stands: that of the record handed out last. */
struct vgr_position {
	uint64_t frame_offset; /* bytes from the start of the file */
	uint32_t frame;	       /* number of the data frame, from 0 */
	uint64_t record;       /* number of the record in the file, from 1 */
};

/*
 * Opens path and reads head and description. opts and err may be NULL; err is
 * filled when an error is returned and by later calls on this reader.
 */
int vgr_reader_open(struct vgr_reader **r, const char *path, const struct vgr_reader_opts *opts,
		    struct vgr_error *err);

/* The same over size bytes of memory, which must outlive the reader. */
int vgr_reader_open_memory(struct vgr_reader **r, const void *data, size_t size,
			   const struct vgr_reader_opts *opts, struct vgr_error *err);

/* Description of the recording, with the totals if it was finished. The reader owns it. */
const struct vgr_header *vgr_reader_header(const struct vgr_reader *r);

/*
 * Next record in file order. 1: *rec is valid until the next call on r; 0: end,
 * see vgr_reader_ending(); negative: vgr_reader_error() says what. Every record
 * handed out has passed vgr_rec_validate(). Aligned to 8 bytes.
 */
int vgr_reader_next(struct vgr_reader *r, const struct vgr_rec **rec);

/* Back to before the first record. */
int vgr_reader_rewind(struct vgr_reader *r);

enum vgr_ending vgr_reader_ending(const struct vgr_reader *r);
const struct vgr_error *vgr_reader_error(const struct vgr_reader *r);
void vgr_reader_position(const struct vgr_reader *r, struct vgr_position *pos);

/* Frames left out because of skip_damaged, so far. */
uint32_t vgr_reader_damaged(const struct vgr_reader *r);

/*
 * xxh64 that names the content: over all frames of the file. Results carry it as
 * the hash of their input. Of a finished file it is known at once; of another one
 * it covers what was read so far, so ask for it at the end.
 */
uint64_t vgr_reader_identity(const struct vgr_reader *r);

/*
 * At the end: gives back the memory of the records, of which none is to be used any more. What
 * the header says stays; rewound, it is all there again.
 */
void vgr_reader_rest(struct vgr_reader *r);

/* NULL is fine. */
void vgr_reader_close(struct vgr_reader *r);

/* ---- records ---- */

/* Most LRs that a host can have; gic: vgr_header.gic_host. */
static inline unsigned int vgr_lr_limit(unsigned int gic)
{
	return gic == 2 ? VGR_MAX_LRS : VGR_MAX_LRS_V3;
}

/*
 * Structure of one record: type known, size that of its type and counts, counts
 * within VGR_MAX_IRQS and VGR_MAX_LRS, used_lrs <= nr_lr, stored entries <= total
 * (equal unless marked cut or torn). Reserved bytes may hold anything. avail: bytes
 * readable at rec. 0, or -EPROTO with *why (may be NULL) set to a constant sentence.
 */
int vgr_rec_validate(const struct vgr_rec *rec, size_t avail, const char **why);

/* "flush", "sync" ...; "?" for a number that is not a type. */
const char *vgr_type_name(uint16_t type);

/* Sizes in bytes that a flush and a sync with these counts must have. */
static inline uint32_t vgr_flush_size(unsigned int n_before, unsigned int n_after,
				      unsigned int nr_lr)
{
	return sizeof(struct vgr_flush) + (n_before + n_after) * sizeof(struct vgr_irq) +
	       nr_lr * sizeof(uint64_t);
}

static inline uint32_t vgr_sync_size(unsigned int n_before, unsigned int used_lrs,
				     unsigned int n_after)
{
	return sizeof(struct vgr_sync) + 2 * n_before * sizeof(struct vgr_irq) +
	       used_lrs * sizeof(uint64_t) + ((n_after * sizeof(uint32_t) + 7u) & ~7u);
}

/* The arrays that follow a flush: list before, list after, LR images (nr_lr of them). */
static inline const struct vgr_irq *vgr_flush_before(const struct vgr_flush *f)
{
	return (const struct vgr_irq *)(f + 1);
}

static inline const struct vgr_irq *vgr_flush_after(const struct vgr_flush *f)
{
	return vgr_flush_before(f) + f->n_before;
}

static inline const uint64_t *vgr_flush_lrs(const struct vgr_flush *f)
{
	return (const uint64_t *)(vgr_flush_after(f) + f->n_after);
}

/* The arrays that follow a sync: before, after (n_before each), LRs read back, final order. */
static inline const struct vgr_irq *vgr_sync_before(const struct vgr_sync *s)
{
	return (const struct vgr_irq *)(s + 1);
}

static inline const struct vgr_irq *vgr_sync_after(const struct vgr_sync *s)
{
	return vgr_sync_before(s) + s->n_before;
}

static inline const uint64_t *vgr_sync_lrs(const struct vgr_sync *s)
{
	return (const uint64_t *)(vgr_sync_after(s) + s->n_before);
}

static inline const uint32_t *vgr_sync_order(const struct vgr_sync *s)
{
	return (const uint32_t *)(vgr_sync_lrs(s) + s->used_lrs);
}

#endif
