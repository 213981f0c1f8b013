// SPDX-License-Identifier: GPL-2.0-only
/* One case, run by some threads for some time: how much, how long, how many instructions. */
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"
#include "exit.h"
#include "output.h"

/* All begin at the same time, or none does. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int arrived;
	bool open, off;
};

struct worker {
	const struct bench_case *c;
	const struct bench_load *load;
	const struct bench_effort *effort;
	struct gate *gate;
	pthread_t thread;
	int code;
	uint64_t items, passes, wall_ns;
};

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void passes(struct worker *w, void *state)
{
	uint64_t wall = now(CLOCK_MONOTONIC);

	do {
		w->code = w->c->pass(state, &w->items);
		w->passes++;
		w->wall_ns = now(CLOCK_MONOTONIC) - wall;
	} while (!w->code &&
		 (w->effort->passes ? w->passes < w->effort->passes : w->wall_ns < w->effort->ns));
}

/* False: it is off. */
static bool gate_pass(struct gate *g)
{
	bool go;

	pthread_mutex_lock(&g->lock);
	g->arrived++;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		pthread_cond_wait(&g->changed, &g->lock);
	go = !g->off;
	pthread_mutex_unlock(&g->lock);
	return go;
}

static void gate_open(struct gate *g, bool off)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	g->off = off;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

static void gate_await(struct gate *g, unsigned int n)
{
	pthread_mutex_lock(&g->lock);
	while (g->arrived < n)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void *work(void *opaque)
{
	struct worker *w = opaque;
	uint64_t unused = 0;
	void *state = NULL;

	w->code = w->c->open(&state, w->load);
	/* Once for the caches and the allocator, unless passes are counted. */
	if (!w->code && !w->effort->passes)
		w->code = w->c->pass(state, &unused);
	if (gate_pass(w->gate) && !w->code)
		passes(w, state);
	w->c->close(state);
	return NULL;
}

/* ---- counters of the machine ---- */

static int counter_open(uint64_t config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.disabled = 1,
		.inherit = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void counter_set(int fd, unsigned long what)
{
	if (fd >= 0)
		ioctl(fd, what, 0);
}

static bool counter_take(int fd, uint64_t *value)
{
	bool is = fd >= 0 && read(fd, value, sizeof(*value)) == sizeof(*value) && *value;

	if (fd >= 0)
		close(fd);
	return is;
}

/* ---- all threads ---- */

static int run_threads(struct worker *w, unsigned int n, struct bench_result *r)
{
	int instructions = counter_open(PERF_COUNT_HW_INSTRUCTIONS);
	int misses = counter_open(PERF_COUNT_HW_CACHE_MISSES);
	struct gate *gate = w->gate;
	unsigned int started = 0;

	while (started < n && !pthread_create(&w[started].thread, NULL, work, &w[started]))
		started++;
	gate_await(gate, started);
	counter_set(instructions, PERF_EVENT_IOC_ENABLE);
	counter_set(misses, PERF_EVENT_IOC_ENABLE);
	r->cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID);
	gate_open(gate, started < n);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(w[i].thread, NULL);
	r->cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID) - r->cpu_ns;
	counter_set(instructions, PERF_EVENT_IOC_DISABLE);
	counter_set(misses, PERF_EVENT_IOC_DISABLE);
	r->has_instructions = counter_take(instructions, &r->instructions);
	r->has_misses = counter_take(misses, &r->misses);
	if (started < n)
		return cli_fail(EXIT_HOST, "cannot start %u threads: %s: ask for fewer", n,
				w->c->name);
	return EXIT_OK;
}

static int measure(struct bench_result *r, const struct bench_case *c,
		   const struct bench_load *load, const struct bench_effort *effort,
		   unsigned int threads)
{
	struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct worker *w = calloc(threads, sizeof(*w));
	struct rusage usage;
	int code;

	if (!w)
		return cli_fail(EXIT_SOFTWARE, "no memory: %s", c->name);
	for (unsigned int i = 0; i < threads; i++)
		w[i] = (struct worker){.c = c, .load = load, .effort = effort, .gate = &gate};
	code = run_threads(w, threads, r);
	r->threads = threads;
	for (unsigned int i = 0; i < threads; i++) {
		r->items += w[i].items;
		r->passes += w[i].passes;
		if (w[i].wall_ns > r->wall_ns)
			r->wall_ns = w[i].wall_ns;
		if (!code)
			code = w[i].code;
	}
	getrusage(RUSAGE_SELF, &usage);
	r->peak_rss = (uint64_t)usage.ru_maxrss * 1024;
	free(w);
	return code;
}

/* What the child has measured comes through a pipe, its code as its status. */
static int measure_apart(struct bench_result *r, const struct bench_case *c,
			 const struct bench_load *load, const struct bench_effort *effort,
			 unsigned int threads)
{
	int pipes[2], status;
	bool got;
	pid_t child;

	if (pipe(pipes))
		return cli_fail(EXIT_HOST, "no pipe: %s: %s", c->name, strerror(errno));
	fflush(NULL);
	child = fork();
	if (child < 0) {
		close(pipes[0]);
		close(pipes[1]);
		return cli_fail(EXIT_HOST, "no process: %s: %s", c->name, strerror(errno));
	}
	if (!child) {
		int code = measure(r, c, load, effort, threads);

		if (write(pipes[1], r, sizeof(*r)) != sizeof(*r))
			code = EXIT_SOFTWARE;
		_exit(code);
	}
	close(pipes[1]);
	got = read(pipes[0], r, sizeof(*r)) == sizeof(*r);
	close(pipes[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status))
		return cli_fail(EXIT_SOFTWARE, "killed by signal %d: %s", WTERMSIG(status),
				c->name);
	return WEXITSTATUS(status) ? WEXITSTATUS(status) : got ? EXIT_OK : EXIT_SOFTWARE;
}

int bench_measure(struct bench_result *r, const struct bench_case *c, const struct bench_load *load,
		  const struct bench_effort *effort, unsigned int threads, bool apart)
{
	memset(r, 0, sizeof(*r));
	return apart ? measure_apart(r, c, load, effort, threads)
		     : measure(r, c, load, effort, threads);
}
