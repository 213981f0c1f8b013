/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for what grows with the length of a recording, asked for through its caller: who
 * wants it bounded keeps it where it takes none for long, in a file that is mapped. What is
 * kept so is worked through from one end to the other, or nearly.
 */
#ifndef VGICSIM_STORE_H
#define VGICSIM_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct vgic_store {
	void *opaque;
	/* As realloc(), of p that came from here; size 0 frees. What is new is zeroed. */
	void *(*resize)(void *opaque, void *p, size_t size);
	/* Some of it was touched: now is a time to let go of what was touched before. */
	void (*pace)(void *opaque);
};

/* Elements that are worked on between two calls of pace(). */
#define VGIC_STORE_PACE 128u

/* From old elements to n; the new ones are zeroed. s NULL: of malloc(). */
static inline void *vgic_store_grow(const struct vgic_store *s, void *p, size_t old, size_t n,
				    size_t element)
{
	size_t size;

	if (__builtin_mul_overflow(n, element, &size))
		return NULL;
	if (s)
		return s->resize(s->opaque, p, size);
	if (!p)
		return calloc(n, element);
	p = realloc(p, size);
	if (p)
		memset((char *)p + old * element, 0, (n - old) * element);
	return p;
}

static inline void vgic_store_free(const struct vgic_store *s, void *p)
{
	if (!s)
		free(p);
	else if (p)
		s->resize(s->opaque, p, 0);
}

/* In every loop over what is kept there; i: turns so far. */
static inline void vgic_store_pace(const struct vgic_store *s, uint64_t i)
{
	if (s && i % VGIC_STORE_PACE == 0)
		s->pace(s->opaque);
}

#endif
