// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include "exit.h"
#include "output.h"
#include "policy_option.h"

static bool is_path(const char *text, size_t n)
{
	return memchr(text, '/', n) || (n > 3 && !strncmp(text + n - 3, ".so", 3));
}

/* Where the overrides begin: the first '+', in a path the first behind ".so". */
static size_t base_length(const char *text)
{
	const char *plus = strstr(text, ".so+");

	if (plus)
		return (size_t)(plus - text) + 3;
	return memchr(text, '/', strlen(text)) ? strlen(text) : strcspn(text, "+");
}

static int unknown(const char *name, bool with_auto)
{
	char known[256] = "";

	for (size_t i = 0; vgic_policy_at(i); i++) {
		size_t n = strlen(known);

		snprintf(known + n, sizeof(known) - n, "%s, ", vgic_policy_at(i)->name);
	}
	return cli_fail(EXIT_USAGE, "unknown policy: %s: one of %snewest%s, or ./FILE.so", name,
			known, with_auto ? ", auto" : "");
}

#ifdef VGICSIM_STATIC
static int load(struct policy_option *o, const char *path)
{
	return cli_fail(EXIT_HOST,
			"cannot load a policy: %s: this vgicsim is static: use one that is not",
			path);
}
#else
static const struct vgic_switch *out_of_range(const struct vgic_policy *p)
{
	const struct vgic_switch *s;

	for (size_t i = 0; (s = vgic_switch_at(i)); i++)
		if (vgic_switch_get(s, p) >= vgic_switch_values(s))
			return s;
	return NULL;
}

static int load(struct policy_option *o, const char *path)
{
	const struct vgic_switch *bad;
	const struct vgic_policy *p;
	const unsigned int *abi;

	/* Without a slash the loader would look in the system's folders. */
	snprintf(o->file, sizeof(o->file), "%s%s", strchr(path, '/') ? "" : "./", path);
	o->plugin = dlopen(o->file, RTLD_NOW | RTLD_LOCAL);
	if (!o->plugin)
		return cli_fail(EXIT_INPUT, "cannot load a policy: %s", dlerror());
	abi = dlsym(o->plugin, "vgic_policy_abi");
	p = dlsym(o->plugin, "vgic_policy_plugin");
	if (!abi || !p)
		return cli_fail(EXIT_INPUT, "no policy: %s: it does not export %s", path,
				abi ? "vgic_policy_plugin" : "vgic_policy_abi");
	if (*abi != VGIC_POLICY_ABI)
		return cli_fail(EXIT_INPUT,
				"policy for another vgicsim: %s: its interface is %u, not %u: "
				"compile it again",
				path, *abi, VGIC_POLICY_ABI);
	if (!p->name || !*p->name || strchr(p->name, '+'))
		return cli_fail(EXIT_INPUT, "policy without a name: %s: set .name", path);
	bad = out_of_range(p);
	if (bad)
		return cli_fail(EXIT_INPUT, "bad policy: %s: %s has no value %u", path, bad->name,
				vgic_switch_get(bad, p));
	o->policy = p;
	return EXIT_OK;
}
#endif

static int override(struct policy_option *o, const char *overrides)
{
	int err;

	o->spec.policy = *o->policy;
	err = vgic_policy_override(&o->spec, overrides);
	if (err == -ENOENT)
		return cli_fail(EXIT_USAGE, "no such switch: %s: 'vgicsim policies %s' lists them",
				o->spec.bad, o->policy->name);
	if (err == -E2BIG)
		return cli_fail(EXIT_USAGE, "too long: %s", overrides);
	if (err)
		return cli_fail(EXIT_USAGE,
				"not SWITCH=VALUE with a value of that switch: %s: 'vgicsim "
				"policies %s' lists them",
				o->spec.bad, o->policy->name);
	o->policy = &o->spec.policy;
	return EXIT_OK;
}

int policy_option_choose(struct policy_option *o, const char *text, const struct vgr_header *h,
			 const char *path)
{
	size_t n = base_length(text);
	char base[VGIC_POLICY_NAME];

	memset(o, 0, sizeof(*o));
	if (n >= sizeof(base))
		return cli_fail(EXIT_USAGE, "too long: %s", text);
	memcpy(base, text, n);
	base[n] = '\0';
	if (is_path(base, n)) {
		int code = load(o, base);

		if (code)
			return code;
	} else if (h && !strcmp(base, "auto")) {
		o->policy = vgic_policy_for_release(h->kernel_release);
		if (!o->policy)
			return cli_fail(EXIT_INPUT,
					"no policy for kernel %s: %s: name one with --policy",
					*h->kernel_release ? h->kernel_release : "(unknown)", path);
	} else {
		o->policy = vgic_policy_find(base);
		if (!o->policy)
			return unknown(base, h);
	}
	return text[n] ? override(o, text + n + 1) : EXIT_OK;
}

void policy_option_finish(struct policy_option *o)
{
	if (o->plugin)
		dlclose(o->plugin);
	memset(o, 0, sizeof(*o));
}
