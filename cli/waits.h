/* SPDX-License-Identifier: GPL-2.0-only */
/* Accounts of waits: the worst ones kept, told in words and as JSON. */
#ifndef VGICSIM_CLI_WAITS_H
#define VGICSIM_CLI_WAITS_H

#include <stdio.h>
#include <jansson.h>
#include <vgicsim/explain.h>

/* The longest waits, longest first. */
struct waits {
	struct vgic_wait **v;
	size_t n, max;
};

/* 0 or -ENOMEM. Of two that are as long the first one comes first. */
int waits_keep(struct waits *ws, const struct vgic_wait *w);
void waits_finish(struct waits *ws);

/* "SPI 40" */
char *waits_name(char *buf, size_t size, uint32_t intid);

/* One wait: a sentence, then the stretches with the records that prove them. */
void waits_text(FILE *f, const struct vgic_wait *w);
json_t *waits_json(const struct vgic_wait *w);

#endif
