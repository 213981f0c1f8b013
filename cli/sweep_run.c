// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who does what, and when. A thread takes the next file, as long as not too many are in memory,
 * and else the next cell of the first file that has one left: so files are read while others
 * are replayed, and the last threads have small cells to share. Nothing of a result depends on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "exit.h"
#include "output.h"
#include "result_json.h"
#include "sweep.h"
#include "sweep_columns.h"

#define SECOND UINT64_C(1000000000)

/* Until a cell that another sweep replays is looked at again. */
#define WAIT_NS 50000000

/* ---- progress ---- */

/* The lock is held. */
static void show_progress(const struct sweep *s)
{
	char what[64];

	snprintf(what, sizeof(what), "%zu of about %zu cells", s->cells_done, s->cells);
	cli_progress_share(what, s->weight > 0 ? s->weight_done / s->weight : 1, s->started);
}

/* ---- one file ---- */

static bool is_wanted(const struct sweep *s, unsigned int n)
{
	/* The recording itself; and from most LRs excess exits are counted. */
	return !n || (n >= s->choice.lrs.first && n <= s->choice.lrs.last) || n == REPLAYS_MAX_LRS;
}

static size_t cells_of_case(const struct sweep *s)
{
	size_t cells = 0;

	for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
		cells += is_wanted(s, n);
	return cells;
}

/* The others go on. */
static void went_wrong(struct sweep_input *in, int code)
{
	if (!in->code)
		in->code = code;
}

static bool has_case(const struct sweep_input *in, const struct sweep_key *key)
{
	for (size_t i = 0; i < in->nr_cases; i++)
		if (!strcmp(in->cases[i].key.policy, key->policy) &&
		    !strcmp(in->cases[i].key.policy_hash, key->policy_hash) &&
		    !strcmp(in->cases[i].key.profile, key->profile))
			return true;
	return false;
}

/* Everything but the demand. The case counts only if all of it is there. */
static void add_case(const struct sweep *s, struct sweep_input *in,
		     const struct sweep_policy *policy, const struct sweep_profile *profile)
{
	struct sweep_case *c = &in->cases[in->nr_cases];
	int code = EXIT_OK;

	memset(c, 0, sizeof(*c));
	c->config.policy = policy->chosen.policy;
	if (policy->automatic) {
		code = policy_option_choose(&c->own, policy->text, in->in.header, in->path);
		c->config.policy = c->own.policy;
	}
	c->profile = profile;
	if (!code && profile->path) {
		struct vgic_replay_config unused;

		code = profile_option_apply(&profile->option, profile->path, in->in.header,
					    &unused);
	}
	if (!code) {
		c->key = (struct sweep_key){
			.version = VGICSIM_VERSION,
			.build = s->build,
			.read_as = "",
			.policy = c->config.policy->name,
			.policy_hash = policy->hash,
			.profile = profile->hash,
			.arrivals = s->choice.arrivals,
			.estimator = VGIC_ESTIMATOR,
			.seed = s->choice.seed,
			.mi_delay = s->choice.mi_delay,
		};
		if (!has_case(in, &c->key)) {
			in->nr_cases++;
			return;
		}
	}
	went_wrong(in, code);
	policy_option_finish(&c->own);
}

/* By whose rules a recording is read: its own kernel's or, unknown, those of the first policy. */
static const struct vgic_policy *read_as(const struct sweep_input *in)
{
	const struct vgic_policy *p = vgic_policy_for_release(in->in.header->kernel_release);

	return p ? p : in->cases[0].config.policy;
}

/* Names the content in every key. */
static void name_input(struct sweep_input *in, uint64_t hash)
{
	char name[sizeof(in->cases->key.input)];
	struct vgr_position pos;

	snprintf(name, sizeof(name), "%016" PRIx64, hash);
	/* A file that was cut bears the name of the whole. */
	if (in->in.reader && vgr_reader_ending(in->in.reader) == VGR_END_CUT) {
		vgr_reader_position(in->in.reader, &pos);
		snprintf(name, sizeof(name), "%016" PRIx64 "-%" PRIu64, hash, pos.record);
	}
	for (size_t i = 0; i < in->nr_cases; i++) {
		memcpy(in->cases[i].key.input, name, sizeof(name));
		if (in->in.reader)
			in->cases[i].key.read_as = read_as(in)->name;
	}
}

/* What the database has. *all: nothing is missing. */
static int look_up(struct sweep *s, struct sweep_input *in, bool *all)
{
	int code = EXIT_OK;

	*all = s->db;
	for (size_t i = 0; s->db && i < in->nr_cases && !code; i++) {
		struct sweep_case *c = &in->cases[i];

		if (!c->head)
			c->head = sweep_db_head(s->db, &c->key, &code);
		*all &= c->head != NULL;
		for (unsigned int n = 0; n <= REPLAYS_MAX_LRS && !code; n++) {
			if (is_wanted(s, n) && !c->cells[n].row)
				c->cells[n].row = sweep_db_row(s->db, &c->key, n, &code);
			/* Not every workload has recorded numbers. */
			*all &= c->cells[n].row || !n || !is_wanted(s, n);
		}
	}
	return code;
}

/* Columns and text of a cell. */
static int make(const struct sweep_input *in, const struct vgic_cell *cell, struct sweep_cell *to)
{
	json_t *brief = cell_json(cell, true);
	size_t size;
	FILE *f;
	int ret = -ENOMEM;

	to->row = brief ? sweep_row(brief) : NULL;
	f = to->row ? open_memstream(&to->text, &size) : NULL;
	if (f)
		ret = cell_write(f, cell, brief);
	if (f && fclose(f))
		ret = -ENOMEM;
	json_decref(brief);
	return ret ? cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path) : EXIT_OK;
}

static void unmake(struct sweep_cell *cell)
{
	json_decref(cell->row);
	free(cell->text);
	memset(cell, 0, sizeof(*cell));
}

/* Takes over what was made; a database takes the text. */
static int keep(struct sweep *s, const struct sweep_input *in, struct sweep_case *c,
		unsigned int nr_lr, struct sweep_cell *made)
{
	int code = EXIT_OK;

	if (s->db) {
		code = sweep_db_keep_cell(s->db, &c->key, nr_lr, in->path, made->row, made->text);
		free(made->text);
		made->text = NULL;
	}
	if (code)
		unmake(made);
	c->cells[nr_lr] = *made;
	return code;
}

/* The same for every policy and all costs. */
static int keep_recorded(struct sweep *s, const struct sweep_input *in)
{
	struct sweep_cell made = {0};
	int code = make(in, &in->in.demand.recorded, &made);

	for (size_t i = 0; i < in->nr_cases && !code; i++) {
		struct sweep_cell one = {.row = json_incref(made.row), .text = strdup(made.text)};

		if (in->cases[i].cells[0].row || !one.text)
			unmake(&one);
		if (one.row)
			code = keep(s, in, &in->cases[i], 0, &one);
	}
	unmake(&made);
	return code;
}

/* The head of a result, where the names of files are open: the same content may have many. */
static int keep_head(struct sweep *s, const struct sweep_input *in, struct sweep_case *c)
{
	struct vgic_result r = {.profile_file = c->profile->path,
				.profile_hash = c->profile->option.hash};
	json_t *head;

	replay_input_describe(&in->in, &r);
	replays_describe(&r, &s->choice, &c->config);
	head = result_head(&r);
	c->head = head ? json_dumps(head, JSON_COMPACT) : NULL;
	json_decref(head);
	if (!c->head)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	return s->db ? sweep_db_keep_head(s->db, &c->key, in->path, c->head) : EXIT_OK;
}

/* Reads the demand; the recording's own numbers, then the head of each result. */
static int read_demand(struct sweep *s, struct sweep_input *in)
{
	int code = replay_input_read(&in->in, read_as(in), NULL);

	in->unusable = code;
	if (code) {
		went_wrong(in, code);
		return EXIT_OK;
	}
	name_input(in, in->in.hash);
	if (replay_input_has_recorded(&in->in))
		code = keep_recorded(s, in);
	for (size_t i = 0; i < in->nr_cases && !code; i++) {
		struct sweep_case *c = &in->cases[i];

		replays_configure(&c->config, &s->choice, c->config.policy, in->in.header,
				  &in->in.demand);
		if (c->profile->path)
			code = profile_option_apply(&c->profile->option, c->profile->path,
						    in->in.header, &c->config);
		if (!code && !c->head)
			code = keep_head(s, in, c);
	}
	return code;
}

/* Few LRs take longest: first. */
static int plan(struct sweep *s, struct sweep_input *in)
{
	in->tasks = calloc(in->nr_cases * REPLAYS_MAX_LRS + 1, sizeof(*in->tasks));
	in->waiting = calloc(in->nr_cases * REPLAYS_MAX_LRS + 1, sizeof(*in->waiting));
	if (!in->tasks || !in->waiting)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	if (in->unusable)
		return EXIT_OK;
	for (unsigned int n = 1; n <= REPLAYS_MAX_LRS; n++)
		for (size_t i = 0; i < in->nr_cases; i++)
			if (is_wanted(s, n) && !in->cases[i].cells[n].row)
				in->tasks[in->nr_tasks++] = (struct sweep_task){&in->cases[i], n};
	in->open_tasks = in->nr_tasks;
	return EXIT_OK;
}

static int prepare(struct sweep *s, struct sweep_input *in)
{
	bool all = false, named;
	uint64_t hash;
	int code = replay_input_open(&in->in, in->path);

	if (code) {
		went_wrong(in, code);
		return EXIT_OK;
	}
	in->cases = calloc(s->nr_policies * s->nr_profiles + 1, sizeof(*in->cases));
	if (!in->cases)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	for (size_t i = 0; i < s->nr_policies; i++)
		for (size_t k = 0; k < s->nr_profiles; k++)
			add_case(s, in, &s->policies[i], &s->profiles[k]);
	if (!in->nr_cases)
		return EXIT_OK;
	named = replay_input_hash(&in->in, &hash);
	if (named) {
		name_input(in, hash);
		code = look_up(s, in, &all);
	}
	if (!code && !all)
		code = read_demand(s, in);
	if (!code && !named)
		code = look_up(s, in, &all);
	return code ? code : plan(s, in);
}

/* ---- one cell ---- */

/* An earlier replay of the case that has what one with nr_lr would: then no replay is needed. */
static bool has_ample(struct sweep *s, const struct sweep_input *in, const struct sweep_case *c,
		      unsigned int nr_lr, struct vgic_cell *cell)
{
	bool has;

	pthread_mutex_lock(&s->lock);
	has = c->ample && vgic_replay_same(in->in.demand.workload, c->ample, nr_lr);
	if (has)
		*cell = *c->ample;
	pthread_mutex_unlock(&s->lock);
	cell->nr_lr = nr_lr;
	return has;
}

/* The cell is done with; those with more LRs may need it. 0 or -ENOMEM. */
static int keep_ample(struct sweep *s, const struct sweep_input *in, struct sweep_case *c,
		      struct vgic_cell *cell)
{
	bool good = vgic_replay_same(in->in.demand.workload, cell, UINT_MAX);
	struct vgic_cell *kept = good ? malloc(sizeof(*kept)) : NULL;

	if (good && (!kept || vgic_cell_pack(cell))) {
		free(kept);
		vgic_cell_finish(cell);
		return -ENOMEM;
	}
	pthread_mutex_lock(&s->lock);
	if (kept && !c->ample) {
		*kept = *cell;
		c->ample = kept;
		cell = kept = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	if (cell)
		vgic_cell_finish(cell);
	free(kept);
	return 0;
}

static int replay_task(struct sweep *s, struct sweep_input *in, const struct sweep_task *t)
{
	struct sweep_case *c = t->of;
	struct vgic_replay_config config = c->config;
	struct sweep_cell made = {0};
	struct vgic_cell cell;
	int ret, code = EXIT_OK;
	bool has = has_ample(s, in, c, t->nr_lr, &cell);

	config.nr_lr = t->nr_lr;
	ret = has ? 0 : vgic_replay(in->in.demand.workload, &config, &cell);
	if (ret == -ENOMEM)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	if (ret) {
		code = replays_fail(ret, t->nr_lr, in->path);
		pthread_mutex_lock(&s->lock);
		went_wrong(in, code);
		pthread_mutex_unlock(&s->lock);
		return EXIT_OK;
	}
	code = make(in, &cell, &made);
	if (!has && keep_ample(s, in, c, &cell) && !code)
		code = cli_fail(EXIT_SOFTWARE, "no memory: %s", in->path);
	if (code)
		unmake(&made);
	return code ? code : keep(s, in, c, t->nr_lr, &made);
}

/* *later: another sweep, or another thread for another file of the same content, is at it. */
static int run_task(struct sweep *s, struct sweep_input *in, const struct sweep_task *t,
		    bool *later)
{
	struct sweep_case *c = t->of;
	json_t **row = &c->cells[t->nr_lr].row;
	bool mine;
	int code = EXIT_OK;

	*later = false;
	if (!s->db)
		return replay_task(s, in, t);
	*row = sweep_db_row(s->db, &c->key, t->nr_lr, &code);
	if (code || *row)
		return code;
	code = sweep_db_claim(s->db, &c->key, t->nr_lr, &mine);
	if (code)
		return code;
	*later = !mine;
	if (*later)
		return EXIT_OK;
	/* It may have been done since it was looked for. */
	*row = sweep_db_row(s->db, &c->key, t->nr_lr, &code);
	if (!code && !*row)
		code = replay_task(s, in, t);
	sweep_db_let_go(s->db, &c->key, t->nr_lr);
	return code;
}

/* ---- all of them ---- */

/* With the lock held, which is let go for the work. False: there is nothing to take. */
static bool take_input(struct sweep *s, size_t most_live)
{
	struct sweep_input *in;
	size_t expected = s->nr_policies * s->nr_profiles * cells_of_case(s);
	int code;

	if (s->next_input == s->nr_inputs || s->live >= most_live)
		return false;
	in = s->order[s->next_input++];
	s->live++;
	pthread_mutex_unlock(&s->lock);
	code = prepare(s, in);
	if (!code && !in->nr_tasks)
		sweep_finish_demand(in);
	pthread_mutex_lock(&s->lock);
	s->code = s->code ? s->code : code;
	s->cells = s->cells - expected + in->nr_tasks;
	/* To read it is worth one cell. */
	in->task_weight = (double)in->bytes / (double)(expected + 1);
	s->weight -= in->task_weight * (double)(expected - in->nr_tasks);
	s->weight_done += in->task_weight;
	if (!in->nr_tasks)
		s->live--;
	in->ready = true;
	return true;
}

/* waiting: those that others had. */
static struct sweep_input *with_tasks(const struct sweep *s, bool waiting)
{
	for (size_t i = 0; i < s->next_input; i++) {
		struct sweep_input *in = s->order[i];

		if (in->ready && (waiting ? in->nr_waiting : in->nr_tasks - in->next_task))
			return in;
	}
	return NULL;
}

static bool take_task(struct sweep *s, bool waiting)
{
	const struct timespec moment = {.tv_nsec = WAIT_NS};
	struct sweep_input *in = with_tasks(s, waiting);
	const struct sweep_task *t;
	bool later;
	int code;

	if (!in)
		return false;
	t = waiting ? in->waiting[--in->nr_waiting] : &in->tasks[in->next_task++];
	pthread_mutex_unlock(&s->lock);
	code = run_task(s, in, t, &later);
	if (later && waiting)
		nanosleep(&moment, NULL);
	pthread_mutex_lock(&s->lock);
	if (later) {
		/* The one that waits longest is next. */
		memmove(in->waiting + 1, in->waiting, in->nr_waiting * sizeof(*in->waiting));
		in->waiting[0] = t;
		in->nr_waiting++;
		return true;
	}
	s->code = s->code ? s->code : code;
	s->cells_done++;
	s->weight_done += in->task_weight;
	if (!--in->open_tasks) {
		sweep_finish_demand(in);
		s->live--;
	}
	return true;
}

static void work(void *opaque)
{
	struct sweep *s = opaque;

	pthread_mutex_lock(&s->lock);
	while (!s->code) {
		/* What others are at is for when everything else is done. */
		if (take_input(s, (size_t)s->choice.threads + 1) || take_task(s, false) ||
		    take_input(s, SIZE_MAX) || take_task(s, true)) {
			show_progress(s);
			pthread_cond_broadcast(&s->change);
			continue;
		}
		/* Nothing is left, or what is left others must read first. */
		if (!s->live && s->next_input == s->nr_inputs)
			break;
		pthread_cond_wait(&s->change, &s->lock);
	}
	pthread_cond_broadcast(&s->change);
	pthread_mutex_unlock(&s->lock);
}

static int larger_first(const void *pa, const void *pb)
{
	const struct sweep_input *a = *(struct sweep_input *const *)pa,
				 *b = *(struct sweep_input *const *)pb;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return (a > b) - (a < b);
}

int sweep_run(struct sweep *s)
{
	s->order = calloc(s->nr_inputs + 1, sizeof(*s->order));
	if (!s->order)
		return cli_fail(EXIT_SOFTWARE, "not enough memory");
	for (size_t i = 0; i < s->nr_inputs; i++) {
		s->order[i] = &s->inputs[i];
		s->weight += (double)s->inputs[i].bytes;
	}
	qsort(s->order, s->nr_inputs, sizeof(*s->order), larger_first);
	s->cells = s->nr_inputs * s->nr_policies * s->nr_profiles * cells_of_case(s);
	s->started = cli_clock();
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->change, NULL);
	pool_run(s->choice.threads, work, s);
	pthread_cond_destroy(&s->change);
	pthread_mutex_destroy(&s->lock);
	cli_progress_end();
	s->stopped = s->code;
	for (size_t i = 0; i < s->nr_inputs && !s->code; i++)
		s->code = s->inputs[i].code;
	return s->code;
}
