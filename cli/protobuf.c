// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "protobuf.h"

/* Wire types of the encoding (protobuf.dev, "Encoding"). */
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

/* A length is written before it is known, always as long as this. */
#define LENGTH_BYTES 4u

static void put(struct protobuf *p, const void *data, size_t size)
{
	if (p->full || size > p->cap - p->size) {
		p->full = true;
		return;
	}
	memcpy(p->data + p->size, data, size);
	p->size += size;
}

static void varint(struct protobuf *p, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	do {
		bytes[n] = (uint8_t)(value & 0x7f);
		value >>= 7;
		bytes[n] |= value ? 0x80 : 0;
		n++;
	} while (value);
	put(p, bytes, n);
}

static void key(struct protobuf *p, uint32_t field, unsigned int wire)
{
	varint(p, (uint64_t)field << 3 | wire);
}

void protobuf_uint(struct protobuf *p, uint32_t field, uint64_t value)
{
	key(p, field, WIRE_VARINT);
	varint(p, value);
}

void protobuf_int(struct protobuf *p, uint32_t field, int64_t value)
{
	protobuf_uint(p, field, (uint64_t)value);
}

void protobuf_fixed64(struct protobuf *p, uint32_t field, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	key(p, field, WIRE_FIXED64);
	put(p, bytes, sizeof(bytes));
}

void protobuf_bytes(struct protobuf *p, uint32_t field, const void *data, size_t size)
{
	key(p, field, WIRE_BYTES);
	varint(p, size);
	put(p, data, size);
}

void protobuf_string(struct protobuf *p, uint32_t field, const char *text)
{
	protobuf_bytes(p, field, text, strlen(text));
}

size_t protobuf_begin(struct protobuf *p, uint32_t field)
{
	static const uint8_t later[LENGTH_BYTES];

	key(p, field, WIRE_BYTES);
	put(p, later, sizeof(later));
	return p->size;
}

void protobuf_end(struct protobuf *p, size_t mark)
{
	size_t size = p->size - mark;

	if (p->full)
		return;
	if (size >> (7 * LENGTH_BYTES)) {
		p->full = true;
		return;
	}
	for (unsigned int i = 0; i < LENGTH_BYTES; i++, size >>= 7)
		p->data[mark - LENGTH_BYTES + i] =
			(uint8_t)((size & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}
