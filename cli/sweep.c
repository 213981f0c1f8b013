// SPDX-License-Identifier: GPL-2.0-only
/* What a sweep is made of: policies, costs, files. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>
#include "exit.h"
#include "output.h"
#include "sweep.h"

static int no_memory(void)
{
	return cli_fail(EXIT_SOFTWARE, "not enough memory");
}

static int add_policy(struct sweep *s, const char *name, const char *overrides)
{
	struct sweep_policy *p = &s->policies[s->nr_policies];
	int n, code, ret;

	if (s->nr_policies == SWEEP_MAX_POLICIES)
		return cli_fail(EXIT_USAGE, "too many policies: %s: at most %u", name,
				SWEEP_MAX_POLICIES);
	n = snprintf(p->text, sizeof(p->text), "%s%s", name, overrides);
	if (n < 0 || (size_t)n >= sizeof(p->text))
		return cli_fail(EXIT_USAGE, "too long: %s", name);
	s->nr_policies++;
	p->automatic = !strncmp(name, "auto", 4) && (!name[4] || name[4] == '+');
	if (p->automatic)
		return EXIT_OK;
	code = policy_option_choose(&p->chosen, p->text, NULL, NULL);
	if (code || !*p->chosen.file)
		return code;
	ret = sweep_hash_file(p->chosen.file, p->hash, sizeof(p->hash));
	return ret ? cli_fail(EXIT_INPUT, "cannot read: %s: %s", p->chosen.file, strerror(-ret))
		   : EXIT_OK;
}

int sweep_add_policies(struct sweep *s, const char *text)
{
	char name[VGIC_POLICY_NAME];
	int code = EXIT_OK;

	while (!code && text) {
		size_t n = strcspn(text, ",");

		if (!n || n >= sizeof(name))
			return cli_fail(EXIT_USAGE,
					"bad list of policies: '%s': names with a comma between",
					text);
		memcpy(name, text, n);
		name[n] = '\0';
		text = text[n] ? text + n + 1 : NULL;
		if (strncmp(name, "all", 3) || (name[3] && name[3] != '+')) {
			code = add_policy(s, name, "");
			continue;
		}
		for (size_t i = 0; !code && vgic_policy_at(i); i++)
			code = add_policy(s, vgic_policy_at(i)->name, name + 3);
	}
	return code;
}

int sweep_add_profile(struct sweep *s, const char *text)
{
	struct sweep_profile *p = &s->profiles[s->nr_profiles++];
	int code;

	if (!strcmp(text, "recorded"))
		return EXIT_OK;
	code = profile_option_read(&p->option, text);
	p->path = text;
	snprintf(p->hash, sizeof(p->hash), "%016" PRIx64, p->option.hash);
	return code;
}

int sweep_add_inputs(struct sweep *s, char *const *paths, size_t nr)
{
	s->inputs = calloc(nr + 1, sizeof(*s->inputs));
	if (!s->inputs)
		return no_memory();
	for (s->nr_inputs = 0; s->nr_inputs < nr; s->nr_inputs++) {
		struct sweep_input *in = &s->inputs[s->nr_inputs];
		struct stat st;

		in->path = paths[s->nr_inputs];
		in->bytes = stat(in->path, &st) || st.st_size < 1 ? 1 : (uint64_t)st.st_size;
	}
	return EXIT_OK;
}

int sweep_hash_file(const char *path, char *hash, size_t size)
{
	XXH64_state_t *state = XXH64_createState();
	FILE *f = fopen(path, "re");
	char buf[65536];
	size_t n;
	int ret = !state ? -ENOMEM : f ? 0 : -errno;

	if (!ret)
		XXH64_reset(state, 0);
	while (!ret && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		XXH64_update(state, buf, n);
	if (!ret && ferror(f))
		ret = -EIO;
	if (!ret)
		snprintf(hash, size, "%016" PRIx64, (uint64_t)XXH64_digest(state));
	if (f)
		fclose(f);
	XXH64_freeState(state);
	return ret;
}

void sweep_finish_demand(struct sweep_input *in)
{
	for (size_t i = 0; i < in->nr_cases; i++) {
		if (in->cases[i].ample)
			vgic_cell_finish(in->cases[i].ample);
		free(in->cases[i].ample);
		in->cases[i].ample = NULL;
	}
	replay_input_finish(&in->in);
}

void sweep_finish(struct sweep *s)
{
	for (size_t i = 0; i < s->nr_inputs; i++) {
		struct sweep_input *in = &s->inputs[i];

		sweep_finish_demand(in);
		for (size_t k = 0; k < in->nr_cases; k++) {
			struct sweep_case *c = &in->cases[k];

			policy_option_finish(&c->own);
			free(c->head);
			for (unsigned int n = 0; n <= REPLAYS_MAX_LRS; n++) {
				json_decref(c->cells[n].row);
				free(c->cells[n].text);
			}
		}
		free(in->cases);
		free(in->tasks);
		free(in->waiting);
	}
	for (size_t i = 0; i < s->nr_policies; i++)
		policy_option_finish(&s->policies[i].chosen);
	for (size_t i = 0; i < s->nr_profiles; i++)
		profile_option_finish(&s->profiles[i].option);
	free(s->inputs);
	free(s->order);
	sweep_db_close(s->db);
}
