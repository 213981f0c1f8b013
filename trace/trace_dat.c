// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <traceevent/event-parse.h>
#include <trace-cmd/trace-cmd.h>
#include <vgicsim/trace_dat.h>

/* Exported by the library, and used where it still is. */
extern char *tracecmd_get_uname(struct tracecmd_input *handle) __attribute__((weak));
extern const char *tracecmd_get_trace_clock(struct tracecmd_input *handle) __attribute__((weak));

#define MAX_BUFFERS 64

struct vgr_trace_dat {
	struct tracecmd_input *top;
	struct tracecmd_input *buffers[MAX_BUFFERS]; /* the top one first */
	int nr_buffers;
};

int vgr_trace_dat_look(const void *data, size_t size, struct vgr_trace_dat_head *head, char *why,
		       size_t why_size)
{
	static const unsigned char magic[10] = {0x17, 0x08, 0x44, 't', 'r',
						'a',  'c',  'i',  'n', 'g'};
	const unsigned char *p = data;
	size_t at = sizeof(magic);

	memset(head, 0, sizeof(*head));
	if (size < sizeof(magic) || memcmp(p, magic, sizeof(magic))) {
		snprintf(why, why_size, "is not a file of trace-cmd (trace.dat)");
		return -ENOEXEC;
	}
	while (at < size && p[at] >= '0' && p[at] <= '9' && head->version < 1000)
		head->version = 10 * head->version + (p[at++] - '0');
	if (at + 7 > size || p[at]) {
		snprintf(why, why_size, "ends in its first bytes, or has no version");
		return -ENOEXEC;
	}
	if (head->version != 6 && head->version != 7) {
		snprintf(why, why_size,
			 "has version %u: only 6 and 7 are read: convert it with trace-cmd",
			 head->version);
		return -ENOEXEC;
	}
	head->big_endian = p[at + 1];
	head->long_size = p[at + 2];
	if (p[at + 1] > 1 || (head->long_size != 4 && head->long_size != 8)) {
		snprintf(why, why_size, "says neither its byte order nor its size of long");
		return -ENOEXEC;
	}
	return 0;
}

int vgr_trace_dat_open(struct vgr_trace_dat **out, int fd)
{
	struct vgr_trace_dat *t = calloc(1, sizeof(*t));
	int own, i, n;

	if (!t)
		return -ENOMEM;
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	/* It closes what it is given. */
	own = dup(fd);
	if (own < 0) {
		free(t);
		return -errno;
	}
	t->top = tracecmd_open_fd(own,
				  TRACECMD_FL_LOAD_NO_PLUGINS | TRACECMD_FL_LOAD_NO_SYSTEM_PLUGINS);
	if (!t->top) {
		free(t);
		return -EPROTO;
	}
	t->buffers[t->nr_buffers++] = t->top;
	n = tracecmd_buffer_instances(t->top);
	for (i = 0; i < n && t->nr_buffers < MAX_BUFFERS; i++) {
		struct tracecmd_input *buffer = tracecmd_buffer_instance_handle(t->top, i);

		if (buffer)
			t->buffers[t->nr_buffers++] = buffer;
	}
	*out = t;
	return 0;
}

struct tep_handle *vgr_trace_dat_tep(const struct vgr_trace_dat *t)
{
	return tracecmd_get_tep(t->top);
}

struct reading {
	int (*put)(void *ctx, struct tep_record *rec);
	void *ctx;
	int err;
};

static int take(struct tracecmd_input *handle, struct tep_record *rec, int cpu, void *data)
{
	struct reading *r = data;

	rec->cpu = cpu;
	r->err = r->put(r->ctx, rec);
	return r->err;
}

int vgr_trace_dat_read(struct vgr_trace_dat *t, int (*put)(void *ctx, struct tep_record *rec),
		       void *ctx)
{
	struct reading r = {.put = put, .ctx = ctx};
	int ret = tracecmd_iterate_events_multi(t->buffers, t->nr_buffers, take, &r);

	return r.err ? r.err : ret < 0 ? -EPROTO : 0;
}

const char *vgr_trace_dat_uname(const struct vgr_trace_dat *t)
{
	return tracecmd_get_uname ? tracecmd_get_uname(t->top) : NULL;
}

/* The library keeps what the kernel's file said: "local global [mono] ..." or a name. */
void vgr_trace_dat_clock(const struct vgr_trace_dat *t, char *name, size_t size)
{
	const char *text = tracecmd_get_trace_clock ? tracecmd_get_trace_clock(t->top) : NULL;
	const char *from = text ? strchr(text, '[') : NULL;
	size_t len;

	from = from ? from + 1 : text ? text : "";
	len = strcspn(from, "] \n");
	if (len >= size)
		len = size - 1;
	memcpy(name, from, len);
	name[len] = '\0';
}

void vgr_trace_dat_close(struct vgr_trace_dat *t)
{
	int i;

	if (!t)
		return;
	for (i = t->nr_buffers - 1; i >= 0; i--)
		tracecmd_close(t->buffers[i]);
	free(t);
}
