// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report appears whole. It is made in a hidden directory and moved at the end: the
 * directory itself if there was none, otherwise file by file over the older ones.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "internal.h"

static char *join(const char *dir, const char *name)
{
	char *s;

	return asprintf(&s, "%s/%s", dir, name) < 0 ? NULL : s;
}

/* The directory that holds path, which has no slash at its end. Caller frees. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int no_memory(struct vgic_plot_error *err)
{
	return vgic_plot_fail(err, -ENOMEM, "not enough memory");
}

/* Renaming works only within one file system, so an existing directory may need the inside. */
static bool beside_works(const char *parent, const struct stat *dir)
{
	struct stat st;

	return !stat(parent, &st) && st.st_dev == dir->st_dev && !access(parent, W_OK | X_OK);
}

int vgic_plot_stage_open(struct vgic_plot_stage *stage, const char *dir,
			 struct vgic_plot_error *err)
{
	char *parent = NULL, *data = NULL;
	mode_t mask;
	struct stat st;
	size_t len;
	int error;

	memset(stage, 0, sizeof(*stage));
	stage->dir = strdup(dir);
	if (!stage->dir)
		return no_memory(err);
	for (len = strlen(stage->dir); len > 1 && stage->dir[len - 1] == '/'; len--)
		stage->dir[len - 1] = '\0';
	if (stat(stage->dir, &st)) {
		if (errno != ENOENT) {
			error = errno;
			goto fail;
		}
		stage->fresh = true;
	} else if (!S_ISDIR(st.st_mode)) {
		error = ENOTDIR;
		goto fail;
	} else if (access(stage->dir, W_OK | X_OK)) {
		error = errno;
		goto fail;
	}
	parent = parent_of(stage->dir);
	if (!parent)
		goto memory;
	if (!stage->fresh && !beside_works(parent, &st)) {
		free(parent);
		parent = strdup(stage->dir);
	}
	stage->temp = parent ? join(parent, ".vgicsim-plot-XXXXXX") : NULL;
	if (!stage->temp)
		goto memory;
	if (!mkdtemp(stage->temp)) {
		error = errno;
		free(stage->temp);
		stage->temp = NULL;
		goto fail;
	}
	mask = umask(0);
	umask(mask);
	data = join(stage->temp, "data");
	if (!data)
		goto memory;
	if (chmod(stage->temp, 0777 & ~mask) || mkdir(data, 0777)) {
		error = errno;
		goto fail;
	}
	free(data);
	free(parent);
	return 0;
fail:
	vgic_plot_fail(err, 0, "%s: cannot write a report there: %s", dir, strerror(error));
	free(data);
	free(parent);
	vgic_plot_stage_finish(stage);
	return -error;
memory:
	free(data);
	free(parent);
	vgic_plot_stage_finish(stage);
	return no_memory(err);
}

FILE *vgic_plot_stage_file(const struct vgic_plot_stage *stage, const char *name,
			   struct vgic_plot_error *err, int *error)
{
	char *path = join(stage->temp, name);
	FILE *f;

	if (!path) {
		*error = no_memory(err);
		return NULL;
	}
	f = fopen(path, "we");
	if (!f) {
		*error = -errno;
		vgic_plot_fail(err, 0, "%s/%s: cannot write: %s", stage->dir, name,
			       strerror(errno));
	}
	free(path);
	return f;
}

int vgic_plot_stage_close(FILE *f, const char *name, struct vgic_plot_error *err)
{
	int bad = ferror(f), error;

	errno = 0;
	if (!fclose(f) && !bad)
		return 0;
	error = errno ? errno : EIO;
	return vgic_plot_fail(err, -error, "%s: cannot write: %s", name, strerror(error));
}

/* Calls visit for each entry of dir but "." and "..". */
static int each(const char *dir, int (*visit)(const char *path, const char *name, void *arg),
		void *arg)
{
	struct dirent *entry;
	DIR *d = opendir(dir);
	char *path;
	int error = 0;

	if (!d)
		return -errno;
	while (!error && (entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		path = join(dir, entry->d_name);
		error = path ? visit(path, entry->d_name, arg) : -ENOMEM;
		free(path);
	}
	closedir(d);
	return error;
}

static int move(const char *path, const char *name, void *arg)
{
	const char *into = arg;
	char *target = join(into, name);
	struct stat st;
	int error = 0;

	if (!target)
		return -ENOMEM;
	if (stat(path, &st))
		error = -errno;
	else if (S_ISDIR(st.st_mode))
		error = mkdir(target, 0777) && errno != EEXIST ? -errno : each(path, move, target);
	else if (rename(path, target))
		error = -errno;
	free(target);
	return error;
}

static int drop(const char *path, const char *name, void *arg)
{
	struct stat st;

	(void)name;
	if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
		each(path, drop, arg);
		rmdir(path);
	} else {
		unlink(path);
	}
	return 0;
}

static int drop_if_ends(const char *path, const char *name, void *arg)
{
	const char *ending = arg;
	size_t n = strlen(name), m = strlen(ending);

	return n > m && !strcmp(name + n - m, ending) && unlink(path) ? -errno : 0;
}

int vgic_plot_stage_drop_ending(const struct vgic_plot_stage *stage, const char *ending,
				struct vgic_plot_error *err)
{
	int error = each(stage->temp, drop_if_ends, (void *)ending);

	if (error)
		vgic_plot_fail(err, 0, "%s: cannot write: %s", stage->dir, strerror(-error));
	return error;
}

int vgic_plot_stage_publish(struct vgic_plot_stage *stage, struct vgic_plot_error *err)
{
	int error;

	if (stage->fresh && !rename(stage->temp, stage->dir)) {
		free(stage->temp);
		stage->temp = NULL;
		return 0;
	}
	/* Someone made the directory meanwhile, or it was there before. */
	error = each(stage->temp, move, stage->dir);
	if (error)
		vgic_plot_fail(err, 0, "%s: cannot write a report there: %s", stage->dir,
			       strerror(-error));
	return error;
}

void vgic_plot_stage_finish(struct vgic_plot_stage *stage)
{
	if (stage->temp)
		drop(stage->temp, NULL, NULL);
	free(stage->temp);
	free(stage->dir);
	memset(stage, 0, sizeof(*stage));
}
