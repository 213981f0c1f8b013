/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must not crash, hang or leak, whatever the bytes are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
