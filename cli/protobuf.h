/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protocol buffers, the writing half: messages in messages, into the caller's buffer. A message
 * that does not fit sets .full and writes nothing more.
 */
#ifndef VGICSIM_CLI_PROTOBUF_H
#define VGICSIM_CLI_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct protobuf {
	uint8_t *data;
	size_t size, cap;
	bool full;
};

/* field: 1 to 536870911 (the encoding's own limit). */
void protobuf_uint(struct protobuf *p, uint32_t field, uint64_t value);
void protobuf_int(struct protobuf *p, uint32_t field, int64_t value);
void protobuf_fixed64(struct protobuf *p, uint32_t field, uint64_t value);
void protobuf_bytes(struct protobuf *p, uint32_t field, const void *data, size_t size);
void protobuf_string(struct protobuf *p, uint32_t field, const char *text);

/*
 * A message as a field: what is written between the two calls is in it. begin gives the mark
 * that end takes. At most 2^28 - 1 bytes.
 */
size_t protobuf_begin(struct protobuf *p, uint32_t field);
void protobuf_end(struct protobuf *p, size_t mark);

#endif
