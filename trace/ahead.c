// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "ahead.h"

/*
 * Bytes that all frames in memory may take together. One frame is let in whatever it
 * takes: at most 24 MiB, if its bytes cannot be compressed.
 */
#define MAX_HELD ((size_t)24 << 20)

/* The one that is being used, one for each other thread, and one that waits for a thread. */
#define MAX_SLOTS (VGR_MAX_THREADS + 1)

/*
 * Frames are numbered as they are queued; number i is in slot i % nr_slots. Those from head
 * to begun some thread has, or has finished; those from begun to tail nobody has yet. The one
 * at head is the caller's, if current.
 */
struct ahead {
	const struct source *from;
	unsigned int max_lrs;
	struct frame *slots;
	bool done[MAX_SLOTS];
	unsigned int nr_slots, ready; /* ready: slots that were set up */
	unsigned int nr_threads, nr_started;
	uint64_t next; /* offset behind the last one queued; 0: not known, or there is none */
	uint64_t head;
	bool current;
	pthread_t threads[VGR_MAX_THREADS];
	pthread_mutex_t lock; /* of what follows, and of done */
	pthread_cond_t work, finished;
	uint64_t begun, tail;
	bool stop;
};

static struct frame *slot(const struct ahead *a, uint64_t i)
{
	return &a->slots[i % a->nr_slots];
}

static void *loader(void *opaque)
{
	struct ahead *a = opaque;
	uint64_t i;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		while (!a->stop && a->begun == a->tail)
			pthread_cond_wait(&a->work, &a->lock);
		if (a->stop)
			break;
		i = a->begun++;
		pthread_mutex_unlock(&a->lock);
		frame_load(slot(a, i), a->from, a->max_lrs);
		pthread_mutex_lock(&a->lock);
		a->done[i % a->nr_slots] = true;
		pthread_cond_signal(&a->finished);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Threads only once there is something to do for them: most recordings of tests have one frame. */
static void start(struct ahead *a)
{
	sigset_t all, old;

	if (a->nr_started + 1 >= a->nr_threads)
		return;
	/* Signals are for the thread that installed the handlers. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (a->nr_started + 1 < a->nr_threads &&
	       !pthread_create(&a->threads[a->nr_started], NULL, loader, a))
		a->nr_started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* With fewer than asked for it is only slower; do not try again. */
	a->nr_threads = a->nr_started + 1;
}

struct ahead *ahead_create(const struct source *from, unsigned int threads)
{
	struct ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->from = from;
	a->nr_threads = threads < 1 ? 1 : threads > VGR_MAX_THREADS ? VGR_MAX_THREADS : threads;
	a->nr_slots = a->nr_threads == 1 ? 1 : a->nr_threads + 1;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->work, NULL);
	pthread_cond_init(&a->finished, NULL);
	a->slots = calloc(a->nr_slots, sizeof(*a->slots));
	if (!a->slots || frame_init(&a->slots[a->ready++])) {
		ahead_destroy(a);
		return NULL;
	}
	return a;
}

void ahead_set_host(struct ahead *a, unsigned int max_lrs)
{
	a->max_lrs = max_lrs;
}

/* Nothing is queued any more, and nobody works. */
static void drain(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->tail = a->begun;
	for (; a->head < a->tail; a->head++) {
		while (!a->done[a->head % a->nr_slots])
			pthread_cond_wait(&a->finished, &a->lock);
	}
	pthread_mutex_unlock(&a->lock);
}

void ahead_destroy(struct ahead *a)
{
	unsigned int i;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->work);
	pthread_mutex_unlock(&a->lock);
	for (i = 0; i < a->nr_started; i++)
		pthread_join(a->threads[i], NULL);
	for (i = 0; i < a->ready; i++)
		frame_finish(&a->slots[i]);
	free(a->slots);
	pthread_cond_destroy(&a->finished);
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/*
 * Is there room for f, the next to be queued? What the slots that are not in use hold is
 * given back for it.
 */
static bool has_room(struct ahead *a, const struct frame *f)
{
	size_t held = frame_grows(f);
	unsigned int i;

	for (i = 0; i < a->ready; i++)
		held += frame_holds(&a->slots[i]);
	for (i = 1; a->tail + i < a->head + a->nr_slots && held > MAX_HELD; i++) {
		held -= frame_holds(slot(a, a->tail + i));
		frame_trim(slot(a, a->tail + i));
	}
	return held <= MAX_HELD;
}

/* Queues the frame at a->next. False: not now. */
static bool queue(struct ahead *a)
{
	bool first = a->head == a->tail;
	struct frame *f = slot(a, a->tail);
	bool good;

	if (a->tail % a->nr_slots == a->ready) {
		/* The first slot is enough to go on with. */
		if (frame_init(f)) {
			frame_finish(f);
			return false;
		}
		a->ready++;
	}
	good = !frame_read_head(f, a->from, a->next) && (has_room(a, f) || first) &&
	       !frame_reserve(f, a->from);
	/* What is wrong with a frame is looked at again when its turn has come. */
	if (!good && !first)
		return false;
	a->next += sizeof(f->head) + f->head.stored_size;
	if (f->status || f->head.kind == FORMAT_INDEX)
		a->next = 0;
	pthread_mutex_lock(&a->lock);
	a->done[a->tail % a->nr_slots] = false;
	a->tail++;
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->lock);
	return true;
}

struct frame *ahead_get(struct ahead *a, uint64_t offset, bool alone)
{
	bool mine = false;
	struct frame *f;

	a->head += a->current;
	a->current = true;
	if (a->head != a->tail && slot(a, a->head)->offset != offset)
		drain(a);
	if (a->head == a->tail) {
		/* Of an empty queue the first slot is used, which is there for certain. */
		pthread_mutex_lock(&a->lock);
		a->head = a->begun = a->tail = 0;
		pthread_mutex_unlock(&a->lock);
		a->next = offset;
		queue(a);
	}
	while (!alone && a->next && a->tail - a->head < a->nr_slots && queue(a))
		start(a);
	pthread_mutex_lock(&a->lock);
	if (a->begun == a->head) {
		a->begun++;
		mine = true;
	}
	while (!mine && !a->done[a->head % a->nr_slots])
		pthread_cond_wait(&a->finished, &a->lock);
	pthread_mutex_unlock(&a->lock);
	f = slot(a, a->head);
	if (mine)
		frame_load(f, a->from, a->max_lrs);
	return f;
}

void ahead_rest(struct ahead *a)
{
	a->head += a->current;
	a->current = false;
	drain(a);
	for (unsigned int i = 0; i < a->ready; i++)
		frame_trim(&a->slots[i]);
}
