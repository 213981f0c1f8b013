// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "exit.h"
#include "output.h"
#include "profile_option.h"

/* At most what a profile may have, and one byte more to see that it has more. */
static int slurp(const char *path, char **text, size_t *size)
{
	FILE *f = fopen(path, "re");
	int ret = 0;

	*text = NULL;
	if (!f)
		return -errno;
	*text = malloc(VGIC_PROFILE_MAX_BYTES + 1);
	if (!*text) {
		ret = -ENOMEM;
	} else {
		*size = fread(*text, 1, VGIC_PROFILE_MAX_BYTES + 1, f);
		if (ferror(f))
			ret = errno ? -errno : -EIO;
	}
	fclose(f);
	return ret;
}

int profile_option_read(struct profile_option *o, const char *path)
{
	struct vgic_profile_error e;
	char *text;
	size_t size = 0;
	int ret;

	memset(o, 0, sizeof(*o));
	ret = slurp(path, &text, &size);
	if (ret) {
		free(text);
		return cli_fail(ret == -ENOMEM ? EXIT_SOFTWARE : EXIT_INPUT,
				"cannot read the profile: %s: %s", path, strerror(-ret));
	}
	ret = vgic_profile_parse(&o->file, text, size, &e);
	o->hash = vgic_profile_hash(text, size);
	free(text);
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	if (ret && e.line)
		return cli_fail(EXIT_INPUT, "%s:%u: %s", path, e.line, e.text);
	if (ret)
		return cli_fail(EXIT_INPUT, "%s: %s", path, e.text);
	return EXIT_OK;
}

void profile_option_finish(struct profile_option *o)
{
	vgic_profile_finish(&o->file);
}

int profile_option_apply(const struct profile_option *o, const char *path,
			 const struct vgr_header *h, struct vgic_replay_config *c)
{
	const struct vgic_profile_file *p = &o->file;
	unsigned int gic = h->gic_host == 2 ? 2 : 3;

	if (p->gic != gic)
		return cli_fail(EXIT_INPUT,
				"profile of a GICv%u, recording of a GICv%u: %s: calibrate one "
				"from a host like the recorded one",
				p->gic, gic, path);
	c->profile = &p->profile;
	c->nr_lr = p->lrs;
	c->has_tdir = p->tdir;
	c->eoicount_on_split = p->eoicount_on_split;
	c->pre_bits = p->pre_bits;
	c->prio_bits = p->prio_bits;
	return EXIT_OK;
}
