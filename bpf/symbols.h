/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel symbols by name. */
#ifndef VGICSIM_BPF_SYMBOLS_H
#define VGICSIM_BPF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
	const char *name;
	uint64_t address;   /* 0 if hidden from us */
	unsigned int count; /* 0: no such symbol; 2 or more: the name is ambiguous */
};

/* One pass over /proc/kallsyms for n names. 0 or a negative errno. */
int vgic_symbols_find(struct symbol *symbols, size_t n);

#endif
