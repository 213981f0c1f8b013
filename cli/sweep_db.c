// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exit.h"
#include "output.h"
#include "sweep_columns.h"
#include "sweep_db.h"
#include "sweep_owner.h"

/* "vgsw": says what the file is. */
#define APPLICATION 0x76677377

/* Another sweep holds the lock for as long as it takes to write one cell. */
#define BUSY_MS 60000

#define KEYS                                                                                 \
	"input_hash, version, build, read_as, policy, policy_hash, profile_hash, arrivals, " \
	"estimator, seed, mi_delay_ns"
#define KEY_TYPES                                                                       \
	"input_hash TEXT NOT NULL, version TEXT NOT NULL, build TEXT NOT NULL, "        \
	"read_as TEXT NOT NULL, policy TEXT NOT NULL, policy_hash TEXT NOT NULL, "      \
	"profile_hash TEXT NOT NULL, arrivals TEXT NOT NULL, estimator TEXT NOT NULL, " \
	"seed TEXT NOT NULL, mi_delay_ns INTEGER NOT NULL"
#define KEY_GIVEN                                                                               \
	"input_hash = ?1 AND version = ?2 AND build = ?3 AND read_as = ?4 AND policy = ?5 AND " \
	"policy_hash = ?6 AND profile_hash = ?7 AND arrivals = ?8 AND estimator = ?9 AND "      \
	"seed = ?10 AND mi_delay_ns = ?11"
#define KEY_PLACES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
#define NR_KEYS	   11

enum query { HEAD, ROW, CELL, KEEP_HEAD, KEEP_CELL, CLAIMED, CLAIM, LET_GO, QUERIES };

struct sweep_db {
	pthread_mutex_t lock;
	sqlite3 *sql;
	sqlite3_stmt *query[QUERIES];
	char *path;
	struct sweep_owner self;
	bool claims; /* it has a table of them: not if it can only be read */
};

static int fail(const struct sweep_db *db, int code, const char *what)
{
	return cli_fail(code, "%s: %s: %s", what, db->path,
			db->sql ? sqlite3_errmsg(db->sql) : "not enough memory");
}

/* ---- open ---- */

static int number_of(struct sweep_db *db, const char *query, int64_t *value)
{
	sqlite3_stmt *st;
	int err = sqlite3_prepare_v2(db->sql, query, -1, &st, NULL);

	if (err)
		return err;
	err = sqlite3_step(st);
	*value = err == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return err == SQLITE_ROW ? SQLITE_OK : err;
}

enum state { NEW, OURS, OTHER_VERSION, FOREIGN, UNREADABLE };

static enum state look(struct sweep_db *db, int64_t *version)
{
	int64_t application, tables;

	if (number_of(db, "PRAGMA application_id", &application) ||
	    number_of(db, "PRAGMA user_version", version) ||
	    number_of(db, "SELECT count(*) FROM sqlite_schema", &tables))
		return UNREADABLE;
	if (!application && !*version && !tables)
		return NEW;
	if (application != APPLICATION)
		return FOREIGN;
	return *version == SWEEP_DB_VERSION ? OURS : OTHER_VERSION;
}

/* Text to be freed; NULL without memory. */
static char *make_tables(void)
{
	const struct sweep_column *c;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "CREATE TABLE results (" KEY_TYPES ", file TEXT NOT NULL, head TEXT NOT NULL, "
		   "PRIMARY KEY (" KEYS "));"
		   "CREATE TABLE cells (" KEY_TYPES ", nr_lr INTEGER NOT NULL, file TEXT NOT NULL");
	for (size_t i = 0; (c = sweep_column_at(i)); i++)
		fprintf(f, ", %s", c->name);
	fprintf(f,
		", cell TEXT NOT NULL, PRIMARY KEY (" KEYS ", nr_lr));"
		"PRAGMA application_id = %d; PRAGMA user_version = %d;",
		APPLICATION, SWEEP_DB_VERSION);
	return fclose(f) ? NULL : text;
}

/* Or another process has made them at the same time. */
static int create(struct sweep_db *db)
{
	char *tables = make_tables();
	int64_t version;
	int err;

	if (!tables)
		return SQLITE_NOMEM;
	err = sqlite3_exec(db->sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (!err && look(db, &version) == NEW)
		err = sqlite3_exec(db->sql, tables, NULL, NULL, NULL);
	if (!err)
		err = sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL);
	free(tables);
	return err;
}

/* What is being replayed. An earlier vgicsim does without, and leaves it alone. */
static void make_claims(struct sweep_db *db)
{
	db->claims =
		!sqlite3_exec(db->sql,
			      "CREATE TABLE IF NOT EXISTS claims (" KEY_TYPES
			      ", nr_lr INTEGER NOT NULL, "
			      "host TEXT NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL, "
			      "since INTEGER NOT NULL, PRIMARY KEY (" KEYS ", nr_lr))",
			      NULL, NULL, NULL);
}

/* Text to be freed; NULL without memory. */
static char *row_query(void)
{
	const struct sweep_column *c;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "SELECT nr_lr");
	for (size_t i = 0; (c = sweep_column_at(i)); i++)
		fprintf(f, ", %s", c->name);
	fprintf(f, " FROM cells WHERE " KEY_GIVEN " AND nr_lr = ?12");
	return fclose(f) ? NULL : text;
}

static char *keep_query(void)
{
	const struct sweep_column *c;
	char *text;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "INSERT OR IGNORE INTO cells (" KEYS ", nr_lr, file, cell");
	for (i = 0; (c = sweep_column_at(i)); i++)
		fprintf(f, ", %s", c->name);
	fprintf(f, ") VALUES (" KEY_PLACES ", ?12, ?13, ?14");
	for (i = 0; sweep_column_at(i); i++)
		fprintf(f, ", ?%zu", NR_KEYS + 4 + i);
	fprintf(f, ")");
	return fclose(f) ? NULL : text;
}

static int prepare(struct sweep_db *db)
{
	char *row = row_query(), *keep = keep_query();
	const char *const queries[QUERIES] = {
		[HEAD] = "SELECT json_valid(head), head FROM results WHERE " KEY_GIVEN,
		[ROW] = row,
		[CELL] = "SELECT json_valid(cell) AND json_extract(cell, '$.outcome') IS outcome, "
			 "cell FROM cells WHERE " KEY_GIVEN " AND nr_lr = ?12",
		[KEEP_HEAD] = "INSERT OR IGNORE INTO results (" KEYS ", file, head) VALUES "
			      "(" KEY_PLACES ", ?13, ?14)",
		[KEEP_CELL] = keep,
		[CLAIMED] = "SELECT host, pid, started, strftime('%s', 'now') - since FROM claims "
			    "WHERE " KEY_GIVEN " AND nr_lr = ?12",
		[CLAIM] =
			"INSERT OR REPLACE INTO claims (" KEYS ", nr_lr, host, pid, started, "
			"since) VALUES (" KEY_PLACES ", ?12, ?13, ?14, ?15, strftime('%s', 'now'))",
		[LET_GO] = "DELETE FROM claims WHERE " KEY_GIVEN
			   " AND nr_lr = ?12 AND host = ?13 AND pid = ?14 AND started = ?15",
	};
	int err = row && keep ? SQLITE_OK : SQLITE_NOMEM;

	for (int i = 0; i < (db->claims ? QUERIES : CLAIMED) && !err; i++)
		err = sqlite3_prepare_v3(db->sql, queries[i], -1, SQLITE_PREPARE_PERSISTENT,
					 &db->query[i], NULL);
	free(row);
	free(keep);
	return err;
}

static int open_path(struct sweep_db *db)
{
	int64_t version = 0;
	int err = sqlite3_open_v2(db->path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				  NULL);

	if (err)
		return fail(db, EXIT_INPUT, "cannot open the database");
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	if (look(db, &version) == NEW && create(db)) {
		int code = fail(db, EXIT_OUTPUT, "cannot make the database");

		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
		return code;
	}
	switch (look(db, &version)) {
	case OURS:
		break;
	case OTHER_VERSION:
		return cli_fail(EXIT_INPUT,
				"database of sweeps, version %" PRId64 ", not %d: %s: name another "
				"file, or use the vgicsim that made it",
				version, SWEEP_DB_VERSION, db->path);
	case UNREADABLE:
		return fail(db, EXIT_INPUT, "cannot use the database");
	default:
		return cli_fail(EXIT_INPUT, "not a database of sweeps: %s: name another file",
				db->path);
	}
	/*
	 * With a log ahead of the file a commit need not wait for the disk: killed, nothing is
	 * lost; without power perhaps the last cells are, never the others. Where the file
	 * system has no shared memory SQLite keeps the journal it has, and that works too.
	 */
	sqlite3_exec(db->sql, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	sqlite3_exec(db->sql, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	make_claims(db);
	if (prepare(db))
		return fail(db, EXIT_INPUT, "damaged database");
	return EXIT_OK;
}

int sweep_db_open(struct sweep_db **out, const char *path)
{
	struct sweep_db *db = calloc(1, sizeof(*db));
	int code;

	*out = NULL;
	if (!db)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	pthread_mutex_init(&db->lock, NULL);
	sweep_owner_self(&db->self);
	db->path = strdup(path);
	code = db->path ? open_path(db) : cli_fail(EXIT_SOFTWARE, "no memory: %s", path);
	if (code)
		sweep_db_close(db);
	else
		*out = db;
	return code;
}

void sweep_db_close(struct sweep_db *db)
{
	if (!db)
		return;
	for (int i = 0; i < QUERIES; i++)
		sqlite3_finalize(db->query[i]);
	sqlite3_close(db->sql);
	pthread_mutex_destroy(&db->lock);
	free(db->path);
	free(db);
}

/* ---- rows ---- */

/* nr_lr < 0: not a cell. */
static int bind_key(sqlite3_stmt *st, const struct sweep_key *key, int nr_lr)
{
	const char *const texts[] = {key->input,   key->version,  key->build,
				     key->read_as, key->policy,	  key->policy_hash,
				     key->profile, key->arrivals, key->estimator};
	char seed[24];
	int err = SQLITE_OK;

	for (int i = 0; i < 9 && !err; i++)
		err = sqlite3_bind_text(st, i + 1, texts[i], -1, SQLITE_STATIC);
	snprintf(seed, sizeof(seed), "%" PRIu64, key->seed);
	if (!err)
		err = sqlite3_bind_text(st, 10, seed, -1, SQLITE_TRANSIENT);
	if (!err)
		err = sqlite3_bind_int64(
			st, 11, key->mi_delay == UINT64_MAX ? -1 : (sqlite3_int64)key->mi_delay);
	if (!err && nr_lr >= 0)
		err = sqlite3_bind_int(st, 12, nr_lr);
	return err;
}

/* True: there is a row, and st stands on it. The caller resets. */
static bool find(struct sweep_db *db, sqlite3_stmt *st, const struct sweep_key *key, int nr_lr,
		 int *code)
{
	int err = bind_key(st, key, nr_lr);

	if (!err)
		err = sqlite3_step(st);
	*code = err == SQLITE_ROW || err == SQLITE_DONE
			? EXIT_OK
			: fail(db, EXIT_INPUT, "cannot read the database");
	return err == SQLITE_ROW;
}

/* A row of two columns: whether it is sound, and text. */
static char *text_of(struct sweep_db *db, enum query query, const struct sweep_key *key, int nr_lr,
		     int *code)
{
	sqlite3_stmt *st = db->query[query];
	char *text = NULL;

	pthread_mutex_lock(&db->lock);
	if (find(db, st, key, nr_lr, code)) {
		const char *found = (const char *)sqlite3_column_text(st, 1);

		text = found ? strdup(found) : NULL;
		if (!sqlite3_column_int(st, 0))
			*code = cli_fail(
				EXIT_INPUT,
				"damaged row: %s: policy %s, %d LRs of input %s: delete it",
				db->path, key->policy, nr_lr, key->input);
		else if (!text)
			*code = cli_fail(EXIT_SOFTWARE, "no memory: %s", db->path);
	}
	sqlite3_reset(st);
	pthread_mutex_unlock(&db->lock);
	if (*code) {
		free(text);
		text = NULL;
	}
	return text;
}

char *sweep_db_head(struct sweep_db *db, const struct sweep_key *key, int *code)
{
	return text_of(db, HEAD, key, -1, code);
}

char *sweep_db_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr, int *code)
{
	return text_of(db, CELL, key, (int)nr_lr, code);
}

json_t *sweep_db_row(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		     int *code)
{
	sqlite3_stmt *st = db->query[ROW];
	const struct sweep_column *c;
	json_t *row = NULL;

	pthread_mutex_lock(&db->lock);
	if (find(db, st, key, (int)nr_lr, code)) {
		row = json_object();
		for (size_t i = 0; (c = sweep_column_at(i)); i++) {
			int at = (int)i + 1, type = sqlite3_column_type(st, at);
			const char *text = type == SQLITE_TEXT
						   ? (const char *)sqlite3_column_text(st, at)
						   : NULL;

			json_object_set_new(row, c->name,
					    type == SQLITE_INTEGER
						    ? json_integer(sqlite3_column_int64(st, at))
					    : text ? json_string(text)
						   : json_null());
		}
		if (!row)
			*code = cli_fail(EXIT_SOFTWARE, "no memory: %s", db->path);
	}
	sqlite3_reset(st);
	pthread_mutex_unlock(&db->lock);
	return row;
}

static int bind_value(sqlite3_stmt *st, int at, const json_t *v)
{
	if (json_is_integer(v))
		return sqlite3_bind_int64(st, at, json_integer_value(v));
	if (json_is_string(v))
		return sqlite3_bind_text(st, at, json_string_value(v), -1, SQLITE_STATIC);
	return sqlite3_bind_null(st, at);
}

static int keep(struct sweep_db *db, enum query query, const struct sweep_key *key, int nr_lr,
		const char *file, const json_t *row, const char *text)
{
	sqlite3_stmt *st = db->query[query];
	const struct sweep_column *c;
	int err, code = EXIT_OK;

	pthread_mutex_lock(&db->lock);
	err = bind_key(st, key, nr_lr);
	if (!err)
		err = sqlite3_bind_text(st, 13, file, -1, SQLITE_STATIC);
	if (!err)
		err = sqlite3_bind_text(st, 14, text, -1, SQLITE_STATIC);
	for (size_t i = 0; row && !err && (c = sweep_column_at(i)); i++)
		err = bind_value(st, NR_KEYS + 4 + (int)i, json_object_get(row, c->name));
	/* One statement is one transaction. */
	if (!err)
		err = sqlite3_step(st);
	if (err != SQLITE_DONE)
		code = fail(db, EXIT_OUTPUT, "cannot write the database");
	sqlite3_reset(st);
	pthread_mutex_unlock(&db->lock);
	return code;
}

int sweep_db_keep_head(struct sweep_db *db, const struct sweep_key *key, const char *file,
		       const char *text)
{
	return keep(db, KEEP_HEAD, key, -1, file, NULL, text);
}

int sweep_db_keep_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		       const char *file, const json_t *row, const char *text)
{
	return keep(db, KEEP_CELL, key, (int)nr_lr, file, row, text);
}

/* ---- who replays what ---- */

/* The cell's claim, if there is one that counts. */
static bool is_claimed(sqlite3_stmt *st)
{
	const char *host = (const char *)sqlite3_column_text(st, 0);
	struct sweep_owner o = {.pid = sqlite3_column_int64(st, 1),
				.started = sqlite3_column_int64(st, 2)};

	snprintf(o.host, sizeof(o.host), "%s", host ? host : "");
	if (sweep_owner_is_here(&o))
		return !sweep_owner_is_dead(&o);
	return sqlite3_column_int64(st, 3) < SWEEP_DB_FOREIGN_S;
}

static int run_as_owner(struct sweep_db *db, enum query query, const struct sweep_key *key,
			unsigned int nr_lr)
{
	sqlite3_stmt *st = db->query[query];
	int err = bind_key(st, key, (int)nr_lr);

	if (!err)
		err = sqlite3_bind_text(st, 13, db->self.host, -1, SQLITE_STATIC);
	if (!err)
		err = sqlite3_bind_int64(st, 14, db->self.pid);
	if (!err)
		err = sqlite3_bind_int64(st, 15, db->self.started);
	if (!err)
		err = sqlite3_step(st);
	sqlite3_reset(st);
	return err == SQLITE_DONE ? SQLITE_OK : err;
}

int sweep_db_claim(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr, bool *mine)
{
	int err, code = EXIT_OK;

	*mine = true;
	if (!db->claims)
		return EXIT_OK;
	pthread_mutex_lock(&db->lock);
	err = sqlite3_exec(db->sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (!err) {
		*mine = !find(db, db->query[CLAIMED], key, (int)nr_lr, &code) ||
			!is_claimed(db->query[CLAIMED]);
		sqlite3_reset(db->query[CLAIMED]);
		if (!code && *mine)
			err = run_as_owner(db, CLAIM, key, nr_lr);
		if (!code && !err)
			err = sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL);
		if (code || err)
			sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	}
	if (err && !code)
		code = fail(db, EXIT_OUTPUT, "cannot write the database");
	pthread_mutex_unlock(&db->lock);
	return code;
}

void sweep_db_let_go(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr)
{
	if (!db->claims)
		return;
	pthread_mutex_lock(&db->lock);
	/* If it stays, it is one of a process that will be dead. */
	run_as_owner(db, LET_GO, key, nr_lr);
	pthread_mutex_unlock(&db->lock);
}
