/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results of sweeps in a SQLite database, one row a cell. A row is there whole or not at all,
 * whenever the process is killed; several sweeps may use one database at a time. All functions
 * may be called by several threads.
 */
#ifndef VGICSIM_CLI_SWEEP_DB_H
#define VGICSIM_CLI_SWEEP_DB_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

/* Of the tables: a database of another one is refused. */
#define SWEEP_DB_VERSION 1

/* Seconds in which a cell is replayed, if it cannot be told whether anybody still does. */
#define SWEEP_DB_FOREIGN_S 600

/* Everything that a result depends on; with an LR count, that a cell depends on. */
struct sweep_key {
	char input[48];		 /* what names the content of the file */
	const char *version;	 /* of vgicsim, */
	const char *build;	 /* and which build of it */
	const char *read_as;	 /* policy by whose rules a recording was read */
	const char *policy;	 /* whole name */
	const char *policy_hash; /* of its file; empty: it is built in */
	const char *profile;	 /* hash of its file; empty: fitted to the recording */
	const char *arrivals;
	const char *estimator;
	uint64_t seed;
	uint64_t mi_delay; /* ns; UINT64_MAX: that of the costs */
};

struct sweep_db;

/*
 * Opens path, makes it if it is not there. Prints the line and gives an exit code other than
 * EXIT_OK if it cannot, or if the file is anything else than a database of this version.
 */
int sweep_db_open(struct sweep_db **db, const char *path);
/* NULL is fine. */
void sweep_db_close(struct sweep_db *db);

/*
 * All of these: NULL, it is not there and *code is EXIT_OK; or it failed, and the line has been
 * printed. What is given is the caller's.
 */
char *sweep_db_head(struct sweep_db *db, const struct sweep_key *key, int *code);
/* The columns of a cell, by name; nr_lr 0: the recording itself. */
json_t *sweep_db_row(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		     int *code);
/* The text of a cell. */
char *sweep_db_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		    int *code);

/*
 * *mine: nobody else replays this cell, and nobody will until it is let go, which is when its row
 * is there or will not come. What a process has that was killed is had for the asking; what one
 * of another host has, after SWEEP_DB_FOREIGN_S. An exit code.
 */
int sweep_db_claim(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		   bool *mine);
void sweep_db_let_go(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr);

/* Keep a head; keep a cell with its columns. Exit codes. */
int sweep_db_keep_head(struct sweep_db *db, const struct sweep_key *key, const char *file,
		       const char *text);
int sweep_db_keep_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		       const char *file, const json_t *row, const char *text);

#endif
