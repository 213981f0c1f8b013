// SPDX-License-Identifier: GPL-2.0-only
/* The database of sweeps in a tool that was built without SQLite. */
#include "exit.h"
#include "output.h"
#include "sweep_db.h"

int sweep_db_open(struct sweep_db **db, const char *path)
{
	*db = NULL;
	return cli_fail(EXIT_HOST,
			"no databases: %s: this vgicsim was built without SQLite: leave out --db",
			path);
}

void sweep_db_close(struct sweep_db *db)
{
}

/* None of these is called: no database was opened. */
char *sweep_db_head(struct sweep_db *db, const struct sweep_key *key, int *code)
{
	*code = EXIT_SOFTWARE;
	return NULL;
}

json_t *sweep_db_row(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		     int *code)
{
	*code = EXIT_SOFTWARE;
	return NULL;
}

char *sweep_db_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr, int *code)
{
	*code = EXIT_SOFTWARE;
	return NULL;
}

int sweep_db_claim(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr, bool *mine)
{
	return EXIT_SOFTWARE;
}

void sweep_db_let_go(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr)
{
}

int sweep_db_keep_head(struct sweep_db *db, const struct sweep_key *key, const char *file,
		       const char *text)
{
	return EXIT_SOFTWARE;
}

int sweep_db_keep_cell(struct sweep_db *db, const struct sweep_key *key, unsigned int nr_lr,
		       const char *file, const json_t *row, const char *text)
{
	return EXIT_SOFTWARE;
}
