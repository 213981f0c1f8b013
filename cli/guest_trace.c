// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <traceevent/event-parse.h>
#include <vgicsim/trace_dat.h>
#include "apart.h"
#include "exit.h"
#include "guest_trace.h"
#include "output.h"

#define RECORDS_A_LOOK 65536u

/* ---- the process that reads ---- */

struct collector {
	struct tep_event *entry, *exit;
	struct tep_handle *tep;
	uint64_t seen;
	FILE *to;
};

/* The name stands somewhere in the record, and a forged record may say elsewhere. */
static void take_name(struct guest_event *e, struct tep_event *event, struct tep_record *rec)
{
	const char *data = rec->data, *name;
	int len = 0;

	name = tep_get_field_raw(NULL, event, "name", rec, &len, 0);
	if (!name || len <= 0 || name < data || name >= data + rec->size ||
	    (size_t)len > (size_t)(data + rec->size - name))
		return;
	for (int i = 0; i < len && i < (int)sizeof(e->name) && name[i]; i++)
		e->name[i] = name[i];
}

static int collect(void *ctx, struct tep_record *rec)
{
	struct collector *c = ctx;
	int type = tep_data_type(c->tep, rec);
	struct tep_event *event = c->entry && type == c->entry->id ? c->entry
				  : c->exit && type == c->exit->id ? c->exit
								   : NULL;
	unsigned long long irq, ret = 0;
	struct guest_event e = {.time = rec->ts, .cpu = (uint16_t)rec->cpu};

	if (!(++c->seen % RECORDS_A_LOOK))
		apart_more_time();
	if (!event || rec->cpu < 0 || rec->cpu >= UINT16_MAX || rec->ts > INT64_MAX ||
	    tep_get_field_val(NULL, event, "irq", rec, &irq, 0))
		return 0;
	e.irq = (uint32_t)irq;
	e.begin = event == c->entry;
	if (e.begin)
		take_name(&e, event, rec);
	else if (!tep_get_field_val(NULL, event, "ret", rec, &ret, 0))
		e.handled = ret != 0;
	return fwrite(&e, sizeof(e), 1, c->to) == 1 ? 0 : -EIO;
}

static int read_apart(int in, FILE *to)
{
	struct collector c = {.to = to};
	struct vgr_trace_dat *t;
	int err;

	apart_begin(in);
	err = vgr_trace_dat_open(&t, in);
	if (err)
		return EXIT_INPUT;
	c.tep = vgr_trace_dat_tep(t);
	c.entry = tep_find_event_by_name(c.tep, "irq", "irq_handler_entry");
	c.exit = tep_find_event_by_name(c.tep, "irq", "irq_handler_exit");
	err = vgr_trace_dat_read(t, collect, &c);
	vgr_trace_dat_close(t);
	if (fflush(to))
		err = -EIO;
	return err ? EXIT_INPUT : EXIT_OK;
}

/* ---- the process that waits for it ---- */

static int by_time(const void *a, const void *b)
{
	const struct guest_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	/* One handler is over before the next begins. */
	return (int)x->begin - (int)y->begin;
}

static int take_all(struct guest_trace *t, int fd, const char *path)
{
	struct stat st;
	size_t n, done = 0;

	if (fstat(fd, &st))
		return cli_fail(EXIT_SOFTWARE, "%s: %s", path, strerror(errno));
	n = (size_t)st.st_size / sizeof(*t->events);
	if (!n)
		return cli_fail(EXIT_INPUT,
				"%s: no irq:irq_handler_entry in it: trace the guest with "
				"'trace-cmd record -C mono -e irq'",
				path);
	t->events = malloc(n * sizeof(*t->events));
	if (!t->events)
		return cli_fail(EXIT_SOFTWARE, "%s: not enough memory", path);
	while (done < n * sizeof(*t->events)) {
		ssize_t got = pread(fd, (char *)t->events + done, n * sizeof(*t->events) - done,
				    (off_t)done);

		if (got <= 0)
			return cli_fail(EXIT_SOFTWARE, "%s: %s", path, strerror(errno));
		done += (size_t)got;
	}
	t->n = n;
	qsort(t->events, n, sizeof(*t->events), by_time);
	return EXIT_OK;
}

int guest_trace_read(struct guest_trace *t, const char *path)
{
	struct vgr_trace_dat_head head;
	unsigned char first[64];
	char why[120];
	int in = open(path, O_RDONLY | O_CLOEXEC), status = 0, ret;
	FILE *to = NULL;
	ssize_t n;
	pid_t child;

	*t = (struct guest_trace){0};
	if (in < 0)
		return cli_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
	n = pread(in, first, sizeof(first), 0);
	if (n < 0)
		ret = cli_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
	else if (vgr_trace_dat_look(first, (size_t)n, &head, why, sizeof(why)))
		ret = cli_fail(EXIT_INPUT, "%s: %s", path, why);
	else
		ret = EXIT_OK;
	if (ret)
		goto out;
	to = tmpfile();
	fflush(NULL);
	child = to ? fork() : -1;
	if (child < 0) {
		ret = cli_fail(EXIT_SOFTWARE, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!child)
		_exit(read_apart(in, to));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) || WEXITSTATUS(status))
		ret = cli_fail(EXIT_INPUT, "%s: cannot be read by libtracecmd: damaged, or cut off",
			       path);
	else
		ret = take_all(t, fileno(to), path);
out:
	if (to)
		fclose(to);
	close(in);
	return ret;
}

void guest_trace_finish(struct guest_trace *t)
{
	free(t->events);
	*t = (struct guest_trace){0};
}
