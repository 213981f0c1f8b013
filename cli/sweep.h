/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sweep: files times policies times costs times LR counts. A file with one policy and one set
 * of costs is a case, and gives one result; an LR count of it is a cell. The demand of a file is
 * read once and shared, read-only, by all its cells.
 */
#ifndef VGICSIM_CLI_SWEEP_H
#define VGICSIM_CLI_SWEEP_H

#include <pthread.h>
#include <jansson.h>
#include "profile_option.h"
#include "replay_input.h"
#include "replays.h"
#include "sweep_db.h"

#define SWEEP_MAX_POLICIES 64u

struct sweep_cell {
	json_t *row; /* its columns; NULL: it has not been replayed */
	char *text;  /* its JSON on one line; NULL if the database keeps it */
};

struct sweep_profile {
	const char *path; /* NULL: the costs of the recording itself */
	struct profile_option option;
	char hash[20]; /* empty: none */
};

struct sweep_policy {
	char text[VGIC_POLICY_NAME]; /* as --policy takes it */
	bool automatic;		     /* the recorded kernel's */
	struct policy_option chosen; /* else */
	char hash[20];		     /* of the file it was loaded from; empty: built in */
};

struct sweep_case {
	struct policy_option own; /* of an automatic policy */
	const struct sweep_profile *profile;
	struct sweep_key key;
	struct vgic_replay_config config;
	char *head; /* the JSON of its result without any numbers */
	struct sweep_cell cells[REPLAYS_MAX_LRS + 1]; /* by LR count; [0]: the recording itself */
	struct vgic_cell *ample; /* a replay that says what those with more LRs would; or NULL */
};

/* A cell that must be replayed. */
struct sweep_task {
	struct sweep_case *of;
	unsigned int nr_lr;
};

struct sweep_input {
	const char *path;
	uint64_t bytes; /* of the file: what it costs, roughly */
	int code;	/* the first of what went wrong with it; the others go on */
	struct replay_input in;
	struct sweep_case *cases;
	size_t nr_cases;
	struct sweep_task *tasks; /* longest first */
	size_t nr_tasks, next_task, open_tasks;
	const struct sweep_task **waiting; /* those that another sweep was replaying */
	size_t nr_waiting;
	double task_weight;
	bool unusable; /* there is no demand to be had */
	bool ready;    /* its tasks may be taken */
};

struct sweep {
	/* Set by the caller. */
	struct replays_choice choice;
	struct sweep_db *db; /* NULL: results are kept in memory */
	char build[20];	     /* of this tool, part of every key */
	/* What is in them points into itself: they stay where they are. */
	struct sweep_policy policies[SWEEP_MAX_POLICIES];
	size_t nr_policies;
	struct sweep_profile profiles[OPTION_LIST_MAX];
	size_t nr_profiles;
	struct sweep_input *inputs;
	size_t nr_inputs;
	/* While it runs. */
	struct sweep_input **order; /* largest first */
	pthread_mutex_t lock;
	pthread_cond_t change;
	size_t next_input, live;
	bool stopped; /* by something that concerns all of it, not one file */
	int code;     /* of that */
	size_t cells, cells_done;
	double weight, weight_done;
	uint64_t started; /* ns */
};

/* Adds what one --policy asks for, "all" or names with commas between. An exit code. */
int sweep_add_policies(struct sweep *s, const char *text);
/* Adds one --profile; "recorded": that of each recording. An exit code. */
int sweep_add_profile(struct sweep *s, const char *text);
int sweep_add_inputs(struct sweep *s, char *const *paths, size_t nr);
/* xxh64 over a file as 16 hexadecimal digits; size of hash >= 17. 0 or a negative errno. */
int sweep_hash_file(const char *path, char *hash, size_t size);

/*
 * Runs everything that the database does not know yet. EXIT_OK, or the first code of what went
 * wrong; each line has been printed, and what could be run has been.
 */
int sweep_run(struct sweep *s);

/* Nothing of the input is to be replayed any more; its results stay. */
void sweep_finish_demand(struct sweep_input *in);
void sweep_finish(struct sweep *s);

/* sweep_print.c: all results; exit codes. Whether everything arrived the caller asks. */
int sweep_print_table(struct sweep *s);
int sweep_print_csv(struct sweep *s);
int sweep_write_json(struct sweep *s, FILE *f);

#endif
