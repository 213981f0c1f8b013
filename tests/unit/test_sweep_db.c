// SPDX-License-Identifier: GPL-2.0-only
/* The database of sweeps: what a row is found by, and which files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include "exit.h"
#include "sweep_columns.h"
#include "sweep_db.h"
#include "sweep_owner.h"

static char dir[] = "/tmp/vgicsim-test-XXXXXX";
static char path[64];

static const struct sweep_key sample = {
	.input = "0123456789abcdef",
	.version = "1",
	.build = "b",
	.read_as = "r",
	.policy = "p",
	.policy_hash = "",
	.profile = "",
	.arrivals = "causal",
	.estimator = "e",
	.seed = UINT64_MAX,
	.mi_delay = UINT64_MAX,
};

static int fresh(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char file[80];

	snprintf(path, sizeof(path), "%s/db", dir);
	for (int i = 0; i < 4; i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return 0;
}

static struct sweep_db *open_db(void)
{
	struct sweep_db *db;

	assert_int_equal(sweep_db_open(&db, path), EXIT_OK);
	return db;
}

static void sql(const char *text)
{
	sqlite3 *raw;

	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

static int64_t ask(const char *text)
{
	sqlite3_stmt *st;
	sqlite3 *raw;
	int64_t v;

	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(raw, text, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(raw);
	return v;
}

static void write_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		       const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	json_t *row = sweep_row(o);

	assert_non_null(row);
	assert_int_equal(sweep_db_keep_cell(db, key, nr_lr, "f.vgr", row, text), EXIT_OK);
	json_decref(row);
	json_decref(o);
}

static void holds(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		  const char *text)
{
	int code = 1;
	char *found = sweep_db_cell(db, key, nr_lr, &code);
	json_t *row;

	assert_int_equal(code, EXIT_OK);
	if (text)
		assert_string_equal(found, text);
	else
		assert_null(found);
	free(found);
	row = sweep_db_row(db, key, nr_lr, &code);
	assert_int_equal(code, EXIT_OK);
	assert_int_equal(row != NULL, text != NULL);
	json_decref(row);
}

static void rows_stay(void **state)
{
	const char *cell = "{\"nr_lr\":4,\"outcome\":\"completed\",\"mi\":{\"total\":7},"
			   "\"latency\":{\"raise_to_ack\":{\"percentiles\":{\"p99.9\":null,"
			   "\"p99\":{\"ns\":5,\"low_ns\":4,\"high_ns\":6}}}}}";
	struct sweep_db *db = open_db();
	char *head;
	json_t *row;
	int code;

	holds(db, &sample, 4, NULL);
	holds(db, &sample, 0, NULL);
	assert_null(sweep_db_head(db, &sample, &code));
	assert_int_equal(code, EXIT_OK);
	write_cell(db, &sample, 4, cell);
	write_cell(db, &sample, 0, "{\"outcome\":\"starved\"}");
	assert_int_equal(sweep_db_keep_head(db, &sample, "f.vgr", "{\"head\":1}"), EXIT_OK);
	/* The first stays: both are the same result. */
	write_cell(db, &sample, 4, "{}");
	sweep_db_close(db);
	db = open_db();
	holds(db, &sample, 4, cell);
	holds(db, &sample, 5, NULL);
	holds(db, &sample, 0, "{\"outcome\":\"starved\"}");
	head = sweep_db_head(db, &sample, &code);
	assert_string_equal(head, "{\"head\":1}");
	free(head);
	row = sweep_db_row(db, &sample, 4, &code);
	assert_int_equal(json_integer_value(json_object_get(row, "mi")), 7);
	assert_string_equal(json_string_value(json_object_get(row, "outcome")), "completed");
	assert_true(json_is_null(json_object_get(row, "raise_to_ack_p99_9_ns")));
	assert_true(json_is_null(json_object_get(row, "exits")));
	json_decref(row);
	sweep_db_close(db);
	assert_int_equal(ask("SELECT count(*) FROM cells"), 2);
	assert_int_equal(ask("SELECT mi FROM cells WHERE nr_lr = 4 AND outcome = 'completed'"), 7);
	assert_int_equal(ask("SELECT raise_to_ack_p99_low_ns FROM cells WHERE nr_lr = 4"), 4);
	assert_int_equal(ask("SELECT raise_to_ack_p99_9_ns IS NULL FROM cells WHERE nr_lr = 4"), 1);
}

static void every_part_of_the_key_counts(void **state)
{
	struct sweep_db *db = open_db();
	struct sweep_key others[11];

	write_cell(db, &sample, 4, "{}");
	for (int i = 0; i < 11; i++)
		others[i] = sample;
	strcpy(others[0].input, "x");
	others[1].version = others[2].build = others[3].read_as = others[4].policy = "x";
	others[5].policy_hash = others[6].profile = others[7].arrivals = others[8].estimator = "x";
	others[9].seed = 1;
	others[10].mi_delay = 0;
	for (int i = 0; i < 11; i++)
		holds(db, &others[i], 4, NULL);
	for (int i = 0; i < 11; i++)
		write_cell(db, &others[i], 4, "{\"other\":1}");
	holds(db, &sample, 4, "{}");
	sweep_db_close(db);
	assert_int_equal(ask("SELECT count(*) FROM cells"), 12);
}

static void damage_is_seen(void **state)
{
	struct sweep_db *db = open_db();
	int code = EXIT_OK;

	write_cell(db, &sample, 4, "{\"outcome\":\"starved\"}");
	sql("UPDATE cells SET cell = '{\"outcome\":'");
	assert_null(sweep_db_cell(db, &sample, 4, &code));
	assert_int_equal(code, EXIT_INPUT);
	/* The text of another cell. */
	sql("UPDATE cells SET cell = '{\"outcome\":\"completed\"}'");
	assert_null(sweep_db_cell(db, &sample, 4, &code));
	assert_int_equal(code, EXIT_INPUT);
	sweep_db_close(db);
}

static void refused(int want)
{
	struct sweep_db *db = (struct sweep_db *)&db;

	assert_int_equal(sweep_db_open(&db, path), want);
	assert_null(db);
}

static void other_files_are_refused(void **state)
{
	FILE *f;

	sweep_db_close(open_db());
	sql("PRAGMA user_version = 2");
	refused(EXIT_INPUT);
	assert_int_equal(ask("PRAGMA user_version"), 2);
	fresh(state);
	sql("CREATE TABLE t (x)");
	refused(EXIT_INPUT);
	/* It is not ours to change. */
	assert_int_equal(ask("SELECT count(*) FROM sqlite_schema"), 1);
	assert_int_equal(ask("PRAGMA application_id"), 0);
	fresh(state);
	f = fopen(path, "w");
	for (int i = 0; i < 100; i++)
		fputs("This is no database, but a text. ", f);
	fclose(f);
	refused(EXIT_INPUT);
	/* Tables that are not what they should be. */
	fresh(state);
	sweep_db_close(open_db());
	sql("DROP TABLE cells");
	refused(EXIT_INPUT);
	fresh(state);
	strcpy(path, "/nonexistent/folder/db");
	refused(EXIT_INPUT);
}

static void *write_many(void *opaque)
{
	struct sweep_db *db = open_db();
	struct sweep_key key = sample;

	for (unsigned int i = 0; i < 100; i++) {
		key.seed = i;
		write_cell(db, &key, (unsigned int)(uintptr_t)opaque, "{\"outcome\":\"starved\"}");
		holds(db, &key, (unsigned int)(uintptr_t)opaque, "{\"outcome\":\"starved\"}");
	}
	sweep_db_close(db);
	return NULL;
}

/* Each with a handle of its own, from the moment the file is made. */
static void two_at_a_time(void **state)
{
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, write_many, (void *)1), 0);
	write_many((void *)2);
	pthread_join(other, NULL);
	assert_int_equal(ask("SELECT count(*) FROM cells"), 200);
}

static bool claim(struct sweep_db *db, unsigned int nr_lr)
{
	bool mine = false;

	assert_int_equal(sweep_db_claim(db, &sample, nr_lr, &mine), EXIT_OK);
	return mine;
}

static void one_replays_a_cell(void **state)
{
	struct sweep_db *a = open_db(), *b = open_db();

	assert_true(claim(a, 4));
	assert_false(claim(b, 4));
	/* Another thread of the same sweep. */
	assert_false(claim(a, 4));
	assert_true(claim(b, 5));
	/* It is let go by who has it. */
	sweep_db_let_go(a, &sample, 4);
	assert_int_equal(ask("SELECT count(*) FROM claims"), 1);
	assert_true(claim(b, 4));
	sweep_db_let_go(b, &sample, 4);
	sweep_db_let_go(b, &sample, 5);
	assert_int_equal(ask("SELECT count(*) FROM claims"), 0);
	sweep_db_close(a);
	sweep_db_close(b);
}

static void who_was_killed_has_nothing(void **state)
{
	pid_t pid = fork();
	struct sweep_db *db;
	int status;

	if (!pid) {
		bool mine = false;

		if (sweep_db_open(&db, path) || sweep_db_claim(db, &sample, 4, &mine) || !mine)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(ask("SELECT count(*) FROM claims"), 1);
	db = open_db();
	assert_true(claim(db, 4));
	/* Its number, and another process. */
	sql("UPDATE claims SET started = started - 1");
	assert_true(claim(db, 4));
	/* Of another host it cannot be told: for a while it has it. */
	sql("UPDATE claims SET host = 'another', pid = 1");
	assert_false(claim(db, 4));
	sweep_db_let_go(db, &sample, 4);
	assert_false(claim(db, 4));
	sql("UPDATE claims SET since = since - 601");
	assert_true(claim(db, 4));
	sweep_db_close(db);
}

static void a_process_is_known(void **state)
{
	struct sweep_owner o;

	sweep_owner_self(&o);
	assert_true(sweep_owner_is_here(&o));
	assert_int_equal(o.pid, getpid());
	assert_true(o.started > 0);
	assert_false(sweep_owner_is_dead(&o));
	o.started++;
	assert_true(sweep_owner_is_dead(&o));
	o.host[0] ^= 1;
	assert_false(sweep_owner_is_here(&o));
	assert_false(sweep_owner_is_dead(&o));
}

/* As one of an earlier vgicsim that cannot be written to now. */
static void without_claims(void **state)
{
	struct sweep_db *db = open_db();

	sweep_db_close(db);
	sql("DROP TABLE claims");
	db = open_db();
	assert_true(claim(db, 4));
	assert_int_equal(ask("SELECT count(*) FROM claims"), 1);
	sweep_db_close(db);
}

static void columns_are_found(void **state)
{
	json_t *o = json_loads("{\"a\":{\"b\":3},\"c\":\"x\"}", 0, NULL);

	assert_int_equal(json_integer_value(sweep_member(o, "a/b")), 3);
	assert_string_equal(json_string_value(sweep_member(o, "c")), "x");
	assert_null(sweep_member(o, "a/c"));
	assert_null(sweep_member(o, "c/b"));
	assert_null(sweep_member(o, "a_name_that_is_longer_than_any_member_of_a_cell"));
	json_decref(o);
	/* Each name once: they are columns of one table. */
	for (size_t i = 0; sweep_column_at(i); i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(sweep_column_at(i)->name, sweep_column_at(k)->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rows_stay, fresh),
		cmocka_unit_test_setup(every_part_of_the_key_counts, fresh),
		cmocka_unit_test_setup(damage_is_seen, fresh),
		cmocka_unit_test_setup(other_files_are_refused, fresh),
		cmocka_unit_test_setup(two_at_a_time, fresh),
		cmocka_unit_test_setup(one_replays_a_cell, fresh),
		cmocka_unit_test_setup(who_was_killed_has_nothing, fresh),
		cmocka_unit_test(a_process_is_known),
		cmocka_unit_test_setup(without_claims, fresh),
		cmocka_unit_test(columns_are_found),
	};
	int ret;

	if (!mkdtemp(dir))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	fresh(NULL);
	rmdir(dir);
	return ret;
}
