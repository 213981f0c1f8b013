// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vgicsim/outfile.h>

/* fchmod to what open() would have given: mkstemp makes files private. */
static void apply_umask(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	(void)fchmod(fd, 0666 & ~mask);
}

/* A link to a file stays: what it leads to is replaced. */
static char *path_of(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISLNK(st.st_mode) && !stat(path, &st) && S_ISREG(st.st_mode))
		return realpath(path, NULL);
	return strdup(path);
}

int vgic_outfile_open(struct vgic_outfile *o, const char *path)
{
	struct stat st;
	int fd, err;

	memset(o, 0, sizeof(*o));
	if (!path || !strcmp(path, "-")) {
		o->f = stdout;
		return 0;
	}
	o->path = path_of(path);
	/* A device or a pipe is written to, never replaced. */
	if (o->path && !stat(path, &st) && !S_ISREG(st.st_mode)) {
		o->f = fopen(path, "we");
		if (o->f)
			return 0;
		err = -errno;
		goto fail;
	}
	if (!o->path || asprintf(&o->temp, "%s.XXXXXX", o->path) < 0) {
		o->temp = NULL;
		err = -ENOMEM;
		goto fail;
	}
	fd = mkostemp(o->temp, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(o->temp);
		o->temp = NULL;
		goto fail;
	}
	apply_umask(fd);
	o->f = fdopen(fd, "w");
	if (!o->f) {
		err = -errno;
		close(fd);
		goto fail;
	}
	return 0;
fail:
	vgic_outfile_abandon(o);
	return err;
}

int vgic_outfile_commit(struct vgic_outfile *o)
{
	int err = 0;

	if (!o->f)
		return -EBADF;
	errno = 0;
	if (fflush(o->f) || ferror(o->f))
		err = errno ? -errno : -EIO;
	if (!o->path) {
		o->f = NULL;
		return err;
	}
	/* Some file systems cannot sync; that is no reason to withhold the file. */
	if (!err && fsync(fileno(o->f)) && errno != EINVAL && errno != ENOTSUP)
		err = -errno;
	if (fclose(o->f) && !err)
		err = -errno;
	o->f = NULL;
	if (!err && o->temp && rename(o->temp, o->path))
		err = -errno;
	if (!err) {
		free(o->temp);
		o->temp = NULL;
	}
	vgic_outfile_abandon(o);
	return err;
}

void vgic_outfile_abandon(struct vgic_outfile *o)
{
	if (o->f && o->path)
		fclose(o->f);
	if (o->temp)
		unlink(o->temp);
	free(o->temp);
	free(o->path);
	memset(o, 0, sizeof(*o));
}

int vgic_outfile_write(const char *path, const void *data, size_t size)
{
	struct vgic_outfile o;
	int err;

	err = vgic_outfile_open(&o, path);
	if (err)
		return err;
	if (size && fwrite(data, size, 1, o.f) != 1) {
		err = errno ? -errno : -EIO;
		vgic_outfile_abandon(&o);
		return err;
	}
	return vgic_outfile_commit(&o);
}
