// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzz target without a fuzzer: each file of the command line as it is, then
 * with seeded mutations. The same arguments give the same inputs on every machine.
 * Usage: fuzz_x ROUNDS FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "sample.h"

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t mutate(uint8_t *data, size_t size, size_t cap)
{
	static const uint64_t interesting[] = {0,	   1,	       7,	  8,	 0x7f,
					       0x80,	   0xff,       0x400,	  0x401, 0xffff,
					       0x7fffffff, 0xffffffff, UINT64_MAX};
	unsigned int edits = 1 + draw() % 4, width;
	size_t at, len;

	while (edits-- && size > 16) {
		at = draw() % (size - 8);
		len = 1 + draw() % 64;
		switch (draw() % 6) {
		case 0:
			data[at] ^= (uint8_t)(1u << draw() % 8);
			break;
		case 1:
			width = 1u << draw() % 4;
			memcpy(data + at, &interesting[draw() % 13], width);
			break;
		case 2: /* in the first bytes, where the lengths are */
			data[draw() % (size < 256 ? size : 256)] = (uint8_t)draw();
			break;
		case 3:
			if (at + len < size) {
				memmove(data + at, data + at + len, size - at - len);
				size -= len;
			}
			break;
		case 4:
			if (size + len <= cap && at + len <= size) {
				memmove(data + at + len, data + at, size - at);
				size += len;
			}
			break;
		default:
			size = 16 + draw() % (size - 16);
			break;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, i;
	unsigned char *seed;
	uint8_t *data;
	size_t size;
	int arg;

	if (argc < 3)
		return 2;
	for (arg = 2; arg < argc; arg++) {
		seed = sample_load(argv[arg], &size);
		if (!seed) {
			fprintf(stderr, "cannot read %s\n", argv[arg]);
			return 1;
		}
		LLVMFuzzerTestOneInput(seed, size);
		data = malloc(size + 256);
		for (i = 0; i < rounds; i++) {
			state = i * 1000003u + (uint64_t)arg;
			memcpy(data, seed, size);
			LLVMFuzzerTestOneInput(data, mutate(data, size, size + 256));
		}
		free(data);
		free(seed);
		printf("%s: %lu inputs\n", argv[arg], rounds + 1);
	}
	return 0;
}
