// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "source.h"

static int wrong(struct vgr_error *err, int code, uint64_t offset, const char *hint,
		 const char *what)
{
	*err = (struct vgr_error){.code = code, .offset = offset};
	snprintf(err->what, sizeof(err->what), "%s", what);
	snprintf(err->hint, sizeof(err->hint), "%s", hint);
	return code;
}

static int failed(struct vgr_error *err, uint64_t offset, const char *what)
{
	int code = -errno;
	char text[160];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-code));
	return wrong(err, code, offset, "", text);
}

int source_open(struct source *s, const char *path, struct vgr_error *err)
{
	struct stat st;

	*s = (struct source){.fd = -1};
	/* A named pipe must not make us wait for a writer. */
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0 || fstat(s->fd, &st))
		return failed(err, 0, "cannot be opened");
	if (S_ISDIR(st.st_mode))
		return wrong(err, -EISDIR, 0, "give a file", "a directory");
	if (!S_ISREG(st.st_mode))
		return wrong(err, -ESPIPE, 0, "copy it into a file first", "not a regular file");
	s->size = (uint64_t)st.st_size;
	return 0;
}

void source_memory(struct source *s, const void *data, size_t size)
{
	*s = (struct source){
		.fd = -1,
		.memory = data ? data : (const unsigned char *)"",
		.size = data ? size : 0,
	};
}

void source_close(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int source_read(const struct source *s, uint64_t offset, void *to, size_t size,
		struct vgr_error *err)
{
	char *p = to;
	ssize_t n;

	if (offset > s->size || size > s->size - offset)
		return CUT;
	if (s->memory) {
		memcpy(to, s->memory + offset, size);
		return 0;
	}
	while (size) {
		n = pread(s->fd, p, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(err, offset, "cannot be read");
		if (!n)
			return CUT;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}
