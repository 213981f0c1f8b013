// SPDX-License-Identifier: GPL-2.0-only
/* What a sweep is made of: policies, costs, files; and the results that it ends in. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>
#include "exit.h"
#include "output.h"
#include "sweep.h"
#include "sweep_columns.h"

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

void sweep_finish(struct sweep *s)
{
	for (size_t i = 0; i < s->nr_inputs; i++) {
		struct sweep_input *in = &s->inputs[i];

		for (size_t k = 0; k < in->nr_cases; k++) {
			struct sweep_case *c = &in->cases[k];

			policy_option_finish(&c->own);
			free(c->head);
			for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
				free(c->cells[n].text);
		}
		replay_input_finish(&in->in);
		free(in->cases);
		free(in->tasks);
	}
	for (size_t i = 0; i < s->nr_policies; i++)
		policy_option_finish(&s->policies[i].chosen);
	for (size_t i = 0; i < s->nr_profiles; i++)
		profile_option_finish(&s->profiles[i].option);
	free(s->inputs);
	free(s->order);
	sweep_db_close(s->db);
}

/* ---- results ---- */

/* A cell or, nr_lr 0, the head; NULL: it is not there, *code is EXIT_OK, or it failed. */
static json_t *load(const struct sweep *s, const struct sweep_input *in, const struct sweep_case *c,
		    unsigned int nr_lr, int *code)
{
	const char *kept = nr_lr ? c->cells[nr_lr].text : c->head;
	char *read = NULL;
	json_t *o;

	*code = EXIT_OK;
	if (!kept && s->db && (!nr_lr || c->cells[nr_lr].done))
		kept = read = sweep_db_read(s->db, &c->key, nr_lr, code);
	if (!kept)
		return NULL;
	o = json_loads(kept, 0, NULL);
	free(read);
	if (!json_is_object(o) ||
	    (nr_lr && json_integer_value(json_object_get(o, "nr_lr")) != nr_lr)) {
		*code = cli_fail(EXIT_INPUT,
				 "damaged row in the database: %s, policy %s, %u LRs: delete it",
				 in->path, c->key.policy, nr_lr);
		json_decref(o);
		return NULL;
	}
	return o;
}

static enum vgic_outcome outcome_of(const json_t *cell)
{
	const char *s = json_string_value(json_object_get(cell, "outcome"));

	return s && !strcmp(s, "completed") ? VGIC_OUTCOME_COMPLETED
	       : s && !strcmp(s, "starved") ? VGIC_OUTCOME_STARVED
					    : VGIC_OUTCOME_LIVELOCK;
}

static uint64_t exits_of(const json_t *cell)
{
	return (uint64_t)json_integer_value(sweep_member(cell, "exits/total"));
}

/* A cell is kept without what it takes another one to know. */
static void set_excess(json_t *cell, const json_t *most)
{
	int64_t excess;

	if (most && replays_excess(outcome_of(cell), exits_of(cell), outcome_of(most),
				   exits_of(most), &excess))
		json_object_set_new(cell, "excess_exits", json_integer(excess > 0 ? excess : 0));
}

/* What the same content was called does not matter. */
static void set_file(json_t *o, const char *member, const char *path)
{
	json_object_set_new(json_object_get(o, member), "file",
			    path ? json_string(path) : json_null());
}

json_t *sweep_result(struct sweep *s, struct sweep_input *in, struct sweep_case *c, int *code)
{
	json_t *o = load(s, in, c, 0, code), *cells, *most = NULL, *cell;

	if (!o)
		return NULL;
	set_file(o, "input", in->path);
	set_file(json_object_get(o, "config"), "profile", c->profile->path);
	cells = json_array();
	most = load(s, in, c, REPLAYS_MAX_LRS, code);
	for (uint64_t n = s->choice.lrs.first; n <= s->choice.lrs.last && !*code; n++) {
		cell = load(s, in, c, (unsigned int)n, code);
		if (cell)
			set_excess(cell, most);
		if (cell)
			json_array_append_new(cells, cell);
	}
	json_decref(most);
	if (*code || !json_array_size(cells)) {
		json_decref(cells);
		json_decref(o);
		return NULL;
	}
	json_object_set_new(o, "cells", cells);
	return o;
}
