// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <vgicsim/recording.h>
#include "relay.h"

/* The other thread may be so many blocks behind. */
#define BLOCKS	    4u
#define BLOCK_BYTES (256u << 10)

_Static_assert(VGR_MAX_RECORD + 8u <= BLOCK_BYTES, "a record fits into a block");

struct block {
	size_t size;
	_Alignas(8) char bytes[BLOCK_BYTES];
};

struct relay {
	int (*each)(void *opaque, const struct vgr_rec *rec);
	void *opaque;
	bool here;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned int filled, emptied; /* blocks so far */
	bool over;
	int error;
	struct block block[BLOCKS];
};

static size_t rounded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static int empty(struct relay *r, const struct block *b)
{
	int err = 0;

	for (size_t at = 0; !err && at < b->size;) {
		const struct vgr_rec *rec = (const struct vgr_rec *)(b->bytes + at);

		err = r->each(r->opaque, rec);
		at += rounded(rec->size);
	}
	return err;
}

static void *work(void *opaque)
{
	struct relay *r = opaque;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		int err = r->error;

		while (r->filled == r->emptied && !r->over)
			pthread_cond_wait(&r->change, &r->lock);
		if (r->filled == r->emptied)
			break;
		pthread_mutex_unlock(&r->lock);
		if (!err)
			err = empty(r, &r->block[r->emptied % BLOCKS]);
		pthread_mutex_lock(&r->lock);
		r->error = err;
		r->emptied++;
		pthread_cond_signal(&r->change);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct relay *relay_create(int (*each)(void *opaque, const struct vgr_rec *rec), void *opaque,
			   bool here)
{
	struct relay *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	/* Not the blocks: what is not used is not touched. */
	memset(r, 0, offsetof(struct relay, block));
	r->block[0].size = 0;
	r->each = each;
	r->opaque = opaque;
	r->here = here;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->change, NULL);
	if (!here && pthread_create(&r->thread, NULL, work, r))
		r->here = true;
	return r;
}

/* The block is full; the next one must have been emptied. */
static int pass_on(struct relay *r)
{
	int err;

	pthread_mutex_lock(&r->lock);
	r->filled++;
	pthread_cond_signal(&r->change);
	while (r->filled - r->emptied == BLOCKS)
		pthread_cond_wait(&r->change, &r->lock);
	err = r->error;
	pthread_mutex_unlock(&r->lock);
	r->block[r->filled % BLOCKS].size = 0;
	return err;
}

int relay_put(struct relay *r, const struct vgr_rec *rec)
{
	struct block *b = &r->block[r->filled % BLOCKS];
	size_t size = rounded(rec->size);

	if (r->here) {
		if (!r->error)
			r->error = r->each(r->opaque, rec);
		return r->error;
	}
	if (b->size + size > BLOCK_BYTES) {
		int err = pass_on(r);

		if (err)
			return err;
		b = &r->block[r->filled % BLOCKS];
	}
	memcpy(b->bytes + b->size, rec, rec->size);
	b->size += size;
	return 0;
}

int relay_end(struct relay *r)
{
	if (!r->here) {
		pass_on(r);
		pthread_mutex_lock(&r->lock);
		r->over = true;
		pthread_cond_signal(&r->change);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
		r->here = true;
	}
	return r->error;
}

void relay_destroy(struct relay *r)
{
	if (!r)
		return;
	relay_end(r);
	pthread_cond_destroy(&r->change);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
